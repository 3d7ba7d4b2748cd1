//! Plans: what a create or an update would make of an object.

use std::sync::Arc;

use super::limit::{Operation, limit};
use super::session::Session;
use super::{dynamic, object, private, unmanaged};
use crate::plugin::wire::tfplugin6::DynamicValue;
use crate::plugin::wire::tfplugin6::plan_resource_change::{Request, Response};
use crate::remote::Change;
use crate::schema::{Attribute, Kind, Record, Resource, engine};
use crate::value::{Diagnostic, Diagnostics, Value};

/// Plans a change.
pub(super) async fn plan(session: Arc<Session>, request: Request) -> Response {
    match attempt(&session, &request).await {
        Ok(response) => response,
        Err(diagnostic) => failed(request.prior_state, request.prior_private, diagnostic),
    }
}

/// The answer when there is no plan: what stands.
pub(super) fn failed(prior: Option<DynamicValue>, private: Vec<u8>, diagnostic: Diagnostic) -> Response {
    Response {
        planned_state: prior,
        planned_private: private,
        diagnostics: dynamic::diagnostics(vec![diagnostic]),
        ..Default::default()
    }
}

async fn attempt(session: &Session, request: &Request) -> Result<Response, Diagnostic> {
    let resource = session.resource(&request.type_name)?;
    let ty = engine::served_type(resource);
    let name = &request.type_name;
    let prior = dynamic::record(request.prior_state.as_ref(), ty, &format!("the state of {name}"))?;
    let proposed = dynamic::record(request.proposed_new_state.as_ref(), ty, &format!("the proposed state of {name}"))?;
    let stored = private::read(&request.prior_private)?;
    if let Some(prior) = &prior {
        session.current().knows(resource, prior, None);
    }
    // Terraform and OpenTofu take deferrals while they apply, and not while they plan.
    let applying = request.client_capabilities.is_some_and(|client| client.deferral_allowed);
    let Some(proposed) = proposed else {
        let mut diagnostics: Diagnostics = unmanaged::planned(resource, prior.as_ref(), None, &[], &stored).into_iter().collect();
        let mut planned_private = request.prior_private.clone();
        if let Some(prior) = &prior
            && let Some((told, private)) = check_delete(session, resource, prior, stored, applying).await?
        {
            diagnostics.extend(told);
            planned_private = private::write(&private);
        }
        return Ok(Response {
            planned_state: Some(dynamic::null()),
            planned_private,
            diagnostics: dynamic::diagnostics(diagnostics),
            ..Default::default()
        });
    };
    let config = dynamic::record(request.config.as_ref(), ty, &format!("the configuration of {name}"))?.unwrap_or_default();

    let engine::Plan { planned, replace, mut diagnostics } = engine::plan(resource, prior.as_ref(), &config, &proposed);
    diagnostics.extend(engine::judge(resource, prior.as_ref(), &config));
    // While a plan is applied, all of this was said before.
    if !applying {
        diagnostics.extend(unmanaged::planned(resource, prior.as_ref(), Some(&config), &replace, &stored));
    }
    let Some(mut planned) = planned else {
        return Ok(Response {
            planned_state: Some(dynamic::null()),
            planned_private: request.prior_private.clone(),
            diagnostics: dynamic::diagnostics(diagnostics),
            ..Default::default()
        });
    };
    if let Some(prior) = &prior {
        session.current().knows(resource, prior, Some(&planned));
    }
    let mut planned_private = request.prior_private.clone();
    let mut is_changed = prior.as_ref().is_none_or(|prior| object::changes(resource, prior, &planned));
    if let Some(prior) = &prior
        && !is_changed
        && (has_place(resource, &config) || session.current().watches(resource))
        && !diagnostics.iter().any(Diagnostic::is_error)
    {
        let effective = engine::effective(resource, &planned, &config);
        let change = Change { resource, prior: Some(prior), planned: &planned, effective: &effective, config: &config };
        if let Some(moved) = check_unchanged(session, change, stored.clone(), applying, &mut diagnostics).await? {
            planned.set(moved, Value::UNKNOWN);
            is_changed = true;
        }
    }
    if is_changed && !diagnostics.iter().any(Diagnostic::is_error) {
        let effective = engine::effective(resource, &planned, &config);
        object::withhold(resource, &effective);
        let change = Change { resource, prior: prior.as_ref(), planned: &planned, effective: &effective, config: &config };
        if let Some(checked) = check(session, change, stored, applying, &mut diagnostics).await? {
            planned_private = private::write(&checked);
        }
    }
    let identity = match (&request.prior_identity, &prior) {
        // An object that is renamed in place has another one then.
        (Some(identity), Some(_)) => Some(object::identity(resource, &planned).unwrap_or_else(|| identity.clone())),
        (None, Some(prior)) => object::identity(resource, prior),
        (_, None) => None,
    };
    Ok(Response {
        planned_state: Some(dynamic::encode(planned, ty)?),
        requires_replace: replace.iter().map(dynamic::path).collect(),
        planned_private,
        diagnostics: dynamic::diagnostics(diagnostics),
        planned_identity: identity,
        ..Default::default()
    })
}

/// Asks the service about the change, as far as the settings are known; gives the private data if it was asked.
async fn check(
    session: &Session,
    change: Change<'_>,
    stored: private::Private,
    applying: bool,
    diagnostics: &mut Diagnostics,
) -> Result<Option<private::Private>, Diagnostic> {
    let current = session.current();
    let Ok(configured) = current.configured() else { return Ok(None) };
    let objects = match configured.objects(change.resource) {
        Ok(objects) => objects,
        // The settings will be known when the object is created.
        Err(_) if change.prior.is_none() && !current.settings_known => return Ok(None),
        Err(diagnostic) => {
            diagnostics.push(diagnostic);
            return Ok(None);
        }
    };
    let action = action(change.resource, change.planned);
    if let Err(diagnostic) = current.going_on(&action) {
        diagnostics.push(diagnostic);
        return Ok(None);
    }
    let call = current.call(limit(change.resource, change.planned, Operation::Read)?, stored).while_applying(applying);
    let checked = objects.check(change, &call).await;
    diagnostics.extend(call.take_reports());
    if let Err(error) = checked {
        diagnostics.push(error.diagnostic(&action));
    }
    if !diagnostics.iter().any(Diagnostic::is_error) {
        configured.announce(change.resource, change.planned);
    }
    Ok(Some(call.all_private()))
}

/// Tells whether a configuration gives an object a place among others of its kind, or is the order of others.
fn has_place(resource: &Resource, config: &Record) -> bool {
    let is_place = |attribute: &&Attribute| {
        attribute.refers.is_some_and(|refers| refers.to == resource.name || matches!(attribute.kind, Kind::List(_)))
    };
    resource.attributes.iter().filter(is_place).any(|attribute| !config.get(attribute.name).is_null())
}

/// Asks about an object that is planned to stay as it is, as far as the settings are known.
async fn check_unchanged(
    session: &Session,
    change: Change<'_>,
    stored: private::Private,
    applying: bool,
    diagnostics: &mut Diagnostics,
) -> Result<Option<&'static str>, Diagnostic> {
    let current = session.current();
    let Some(objects) = current.configured().ok().and_then(|configured| configured.objects(change.resource).ok()) else {
        return Ok(None);
    };
    let call = current.call(limit(change.resource, change.planned, Operation::Read)?, stored).while_applying(applying);
    let moved = objects.check_unchanged(change, &call).await;
    diagnostics.extend(call.take_reports());
    // What cannot be asked now is asked when something changes.
    Ok(moved.unwrap_or_else(|error| {
        tracing::debug!(%error, "the place of an object is not held against what else is planned");
        None
    }))
}

/// Asks the service about a delete, as far as the settings are known; gives what is said, and the private data.
async fn check_delete(
    session: &Session,
    resource: &'static Resource,
    prior: &Record,
    stored: private::Private,
    applying: bool,
) -> Result<Option<(Diagnostics, private::Private)>, Diagnostic> {
    let current = session.current();
    let Some(objects) = current.configured().ok().and_then(|configured| configured.objects(resource).ok()) else {
        return Ok(None);
    };
    let action = format!("plan to delete {}", object::title(resource, prior));
    current.going_on(&action)?;
    let call = current.call(limit(resource, prior, Operation::Read)?, stored).while_applying(applying);
    let checked = objects.check_delete(resource, prior, &call).await;
    let mut diagnostics = call.take_reports();
    diagnostics.extend(checked.err().map(|error| error.diagnostic(&action)));
    Ok(Some((diagnostics, call.all_private())))
}

fn action(resource: &Resource, planned: &Record) -> String {
    format!("plan {}", object::title(resource, planned))
}
