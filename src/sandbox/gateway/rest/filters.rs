//! `config/message_filters`: what is live, and changes that are live at once.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Outcome, Request, Wrong};
use crate::sandbox::gateway::state::{Shared, State};
use crate::sandbox::gateway::tables::Configuration;
use crate::sandbox::gateway::tables::filter::Filter;
use crate::sandbox::gateway::tables::filter_reprint::Reprint;
use crate::sandbox::gateway::tables::filter_script::Script;

/// Answers a request about all filters, or about one.
pub(super) fn run(shared: &Arc<Shared>, request: &Request, name: &[&str]) -> Outcome {
    level(shared, request)?;
    let mut state = shared.state();
    let user = shared.options.username.as_str();
    let manner = state.reprint;
    match (request.method.as_str(), name) {
        ("GET", []) => {
            let filters = &state.committed.filters;
            let rows: Vec<Value> = (0..filters.len()).filter_map(|at| shown(&state.committed, at, manner)).collect();
            Ok((200, json!({"meta": {"count": rows.len()}, "data": rows})))
        }
        ("GET", [name]) => {
            let row = position(&state, name).and_then(|at| shown(&state.committed, at, manner));
            row.map(|row| (200, json!({"data": row}))).ok_or_else(Wrong::nowhere)
        }
        ("POST", [name]) => create(&mut state, user, name, &data(request)?),
        ("PUT", [name]) => change(&mut state, user, name, &data(request)?),
        ("DELETE", [name]) => {
            let at = position(&state, name).ok_or_else(Wrong::nowhere)?;
            let mut configuration = state.committed.clone();
            configuration.filters.remove(at);
            state.publish(configuration, user, "");
            Ok((200, json!({"data": {"message": "Deleted Successfully"}})))
        }
        _ => Err(Wrong::nowhere()),
    }
}

fn create(state: &mut State, user: &str, name: &str, data: &Map<String, Value>) -> Outcome {
    only(data, &["rules_and_actions", "active", "order"])?;
    if position(state, name).is_some() {
        return Err(Wrong::parameter(format!("Filter {name} already exists.")));
    }
    let text = data.get("rules_and_actions").and_then(Value::as_str);
    let text = text.ok_or_else(|| Wrong::parameter("rules_and_actions is mandatory."))?;
    let scripts = Script::parse(&format!("{name}: {text}")).map_err(Wrong::parameter)?;
    let [script] = scripts.as_slice() else { return Err(Wrong::parameter("One filter is expected.")) };
    let mut filter = Filter::of(script);
    if let Some(active) = truth(data)? {
        filter.active = active;
    }
    let mut configuration = state.committed.clone();
    let end = configuration.filters.len();
    let at = order(data, end + 1)?.unwrap_or(end);
    let reasons = filter.faults(&configuration);
    configuration.filters.insert(at, filter);
    state.publish(configuration, user, "");
    let mut answer = json!({"data": {"message": "Added Successfully"}});
    if !reasons.is_empty() {
        let words = format!("Filter {name} has been marked invalid for these reasons: {};.", reasons.join("; "));
        answer["meta"] = json!({ "warning": words });
    }
    Ok((201, answer))
}

fn change(state: &mut State, user: &str, name: &str, data: &Map<String, Value>) -> Outcome {
    only(data, &["active", "order"])?;
    let at = position(state, name).ok_or_else(Wrong::nowhere)?;
    let mut configuration = state.committed.clone();
    let mut filter = configuration.filters.remove(at);
    if let Some(active) = truth(data)? {
        filter.active = active;
    }
    let to = order(data, configuration.filters.len() + 1)?.unwrap_or(at);
    configuration.filters.insert(to, filter);
    state.publish(configuration, user, "");
    Ok((200, json!({"data": {"message": "Updated Successfully"}})))
}

/// A filter as the list shows it.
fn shown(configuration: &Configuration, at: usize, manner: Reprint) -> Option<Value> {
    let filter = configuration.filters.get(at)?;
    let reasons = filter.faults(configuration);
    Some(json!({
        "name": filter.name,
        "rules_and_actions": manner.body(&filter.body),
        "invalid_reason": reasons.join("; "),
        "valid": reasons.is_empty().to_string(),
        "active": filter.active.to_string(),
        "order": at + 1,
    }))
}

fn position(state: &State, name: &str) -> Option<usize> {
    state.committed.filters.iter().position(|filter| filter.name == name)
}

/// Looks at the parameters that say which device and level are meant.
fn level(shared: &Shared, request: &Request) -> Result<(), Wrong> {
    let of = |name: &str| request.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    if of("device_type") != Some("esa") {
        return Err(Wrong::parameter("device_type is mandatory."));
    }
    let known = |names: &dyn Fn(&crate::sandbox::gateway::Cluster) -> Vec<String>, name: Option<&str>| {
        shared.options.cluster.as_ref().is_some_and(|cluster| names(cluster).iter().any(|one| Some(one.as_str()) == name))
    };
    let sound = match (of("mode"), &shared.options.cluster) {
        (None, None) | (Some("cluster"), Some(_)) => true,
        (Some("group"), _) => known(&|cluster| cluster.groups.clone(), of("group_name")),
        (Some("machine"), _) => known(&|cluster| cluster.machines.clone(), of("host_name")),
        _ => false,
    };
    if sound { Ok(()) } else { Err(Wrong::parameter("Invalid mode, group_name or host_name.")) }
}

fn data(request: &Request) -> Result<Map<String, Value>, Wrong> {
    if !request.content_type.as_deref().is_some_and(|kind| kind.starts_with("application/json")) {
        return Err(Wrong(400, "Bad Request.".into()));
    }
    let body: Option<Value> = serde_json::from_slice(&request.body).ok();
    body.and_then(|body| body.get("data")?.as_object().cloned()).ok_or_else(|| Wrong(400, "Bad Request.".into()))
}

fn only(data: &Map<String, Value>, names: &[&str]) -> Result<(), Wrong> {
    match data.keys().find(|name| !names.contains(&name.as_str())) {
        Some(name) => Err(Wrong::parameter(format!("Invalid attribute: {name}."))),
        None => Ok(()),
    }
}

fn truth(data: &Map<String, Value>) -> Result<Option<bool>, Wrong> {
    match data.get("active") {
        None => Ok(None),
        Some(Value::String(text)) if text == "true" => Ok(Some(true)),
        Some(Value::String(text)) if text == "false" => Ok(Some(false)),
        Some(_) => Err(Wrong::parameter("active should be \"true\" or \"false\".")),
    }
}

/// The position that `order` names, from 0.
fn order(data: &Map<String, Value>, most: usize) -> Result<Option<usize>, Wrong> {
    let Some(order) = data.get("order") else { return Ok(None) };
    let order = order.as_u64().and_then(|order| usize::try_from(order).ok()).filter(|order| (1..=most).contains(order));
    order.map(|order| Some(order - 1)).ok_or_else(|| Wrong::parameter("Invalid order."))
}
