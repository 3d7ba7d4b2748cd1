//! The host's own checks of plans and answers, written from the rules that the host applies, over
//! schema columns and plain values. Nothing of the engine's reasoning is used here.

use crate::schema::engine::{Column, Shape};
use crate::value::{Type, Value};

fn member<'a>(value: &'a Value, name: &str) -> &'a Value {
    match value {
        Value::Object(members) => members.get(name).unwrap_or(&Value::Null),
        _ => &Value::Null,
    }
}

/// Equality in which an unknown value equals any other, whatever is said of them.
fn equal(one: &Value, other: &Value) -> bool {
    fn bare(value: &Value) -> Value {
        match value {
            Value::Unknown(_) => Value::UNKNOWN,
            Value::List(items) => Value::List(items.iter().map(bare).collect()),
            Value::Set(items) => Value::set(items.iter().map(bare).collect()),
            Value::Tuple(items) => Value::Tuple(items.iter().map(bare).collect()),
            Value::Map(members) => Value::Map(members.iter().map(|(name, value)| (name.clone(), bare(value))).collect()),
            Value::Object(members) => Value::Object(members.iter().map(|(name, value)| (name.clone(), bare(value))).collect()),
            other => other.clone(),
        }
    }
    bare(one) == bare(other)
}

/// What the host would say against a plan. `prior` is null for a create.
pub(super) fn plan_problems(columns: &[Column], prior: &Value, config: &Value, planned: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    attributes(columns, prior, config, planned, "", &mut problems);
    problems
}

fn attributes(columns: &[Column], prior: &Value, config: &Value, planned: &Value, place: &str, problems: &mut Vec<String>) {
    for column in columns {
        let place = format!("{place}.{}", column.name);
        attribute(
            column,
            member(prior, &column.name),
            member(config, &column.name),
            member(planned, &column.name),
            &place,
            problems,
        );
    }
}

fn attribute(column: &Column, prior: &Value, config: &Value, planned: &Value, place: &str, problems: &mut Vec<String>) {
    if column.write_only {
        if !planned.is_null() {
            problems.push(format!("{place}: a write-only value is planned"));
        }
        return;
    }
    if column.shape.is_block() {
        return block(column, prior, config, planned, place, problems);
    }
    if equal(planned, config) || (equal(planned, prior) && !prior.is_null() && !config.is_null()) {
        return;
    }
    if column.computed && (!column.optional || config.is_null()) {
        return;
    }
    if config.is_null() {
        problems.push(format!("{place}: planned {planned:?} for a non-computed attribute"));
        return;
    }
    let (members, kind) = match &column.shape {
        Shape::Plain(_) => {
            problems.push(format!("{place}: planned {planned:?}, configured {config:?}, prior {prior:?}"));
            return;
        }
        Shape::Object(members) => (members, 'o'),
        Shape::ListOf(members) => (members, 'l'),
        Shape::SetOf(members) => (members, 's'),
        Shape::Block(_) | Shape::BlockList(_) => return,
    };
    if planned.is_null() || planned.is_unknown() {
        problems.push(format!("{place}: planned {planned:?} for a configured object"));
        return;
    }
    if kind == 'o' {
        attributes(members, prior, config, planned, place, problems);
        return;
    }
    let count = |value: &Value| value.as_elements().map(<[Value]>::len);
    if count(planned) != count(config) {
        problems.push(format!("{place}: the count in the plan is not that of the configuration"));
    } else if kind == 'l' {
        let of =
            |value: &Value, index: usize| value.as_elements().and_then(|items| items.get(index).cloned()).unwrap_or_default();
        for index in 0..count(planned).unwrap_or_default() {
            let place = format!("{place}[{index}]");
            attributes(members, &of(prior, index), &of(config, index), &of(planned, index), &place, problems);
        }
    }
}

/// A block is what the configuration has: nothing of it is suppressed, filled or left open by the provider.
fn block(column: &Column, prior: &Value, config: &Value, planned: &Value, place: &str, problems: &mut Vec<String>) {
    if planned == config {
        return;
    }
    if config.is_unknown() {
        return problems.push(format!("{place}: planned {planned:?} for an unknown dynamic block"));
    }
    if planned.is_unknown() {
        return problems.push(format!("{place}: a block must not be unknown itself"));
    }
    match &column.shape {
        Shape::Block(members) if planned.is_null() == config.is_null() => {
            attributes(members, prior, config, planned, place, problems);
        }
        Shape::BlockList(members) => {
            let Value::List(planned) = planned else {
                return problems.push(format!("{place}: planned {planned:?}, where no block is an empty list"));
            };
            // A configuration is decoded to an empty list; null comes from older states only.
            let config = config.as_elements().unwrap_or_default();
            if planned.len() != config.len() {
                return problems.push(format!(
                    "{place}: block count in plan is {}, in configuration {}",
                    planned.len(),
                    config.len()
                ));
            }
            for (index, (planned, config)) in planned.iter().zip(config).enumerate() {
                let prior = prior.as_elements().and_then(|items| items.get(index).cloned()).unwrap_or_default();
                attributes(members, &prior, config, planned, &format!("{place}[{index}]"), problems);
            }
        }
        _ => problems.push(format!("{place}: planned {planned:?}, configured {config:?}")),
    }
}

/// What the host would say against an object that completes a planned one: the answer of an apply, or a second plan.
pub(super) fn answer_problems(planned: &Value, actual: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    completes(planned, actual, "", &mut problems);
    problems
}

fn completes(planned: &Value, actual: &Value, place: &str, problems: &mut Vec<String>) {
    let mut say = |text: &str| problems.push(format!("{place}: {text}: planned {planned:?}, actual {actual:?}"));
    match (planned, actual) {
        (Value::Unknown(known), actual) => {
            let must_not_be_null = known.as_ref().is_some_and(|known| known.null == Some(false));
            if actual.is_null() && must_not_be_null {
                say("null was ruled out");
            }
            // A prefix is a promise as well.
            if let (Some(prefix), Some(text)) = (known.as_ref().and_then(|known| known.prefix.as_deref()), actual.as_text())
                && !text.starts_with(prefix)
            {
                say("the prefix is another");
            }
        }
        (Value::Null, Value::Null) => {}
        (Value::Null, _) => say("was null"),
        (_, Value::Null) => say("is null now"),
        (_, Value::Unknown(_)) => say("was known"),
        (Value::List(one), Value::List(other)) => {
            if one.len() != other.len() {
                return say("another length");
            }
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                completes(one, other, &format!("{place}[{index}]"), problems);
            }
        }
        (Value::Map(one), Value::Map(other)) | (Value::Object(one), Value::Object(other)) => {
            if !one.keys().eq(other.keys()) {
                return say("other keys");
            }
            for (name, value) in one {
                completes(value, other.get(name).unwrap_or(&Value::Null), &format!("{place}.{name}"), problems);
            }
        }
        (Value::Set(one), Value::Set(other)) => {
            let fit = |one: &Value, other: &Value| answer_problems(one, other).is_empty();
            if !one.iter().all(|one| other.iter().any(|other| fit(one, other)))
                || !other.iter().all(|other| one.iter().any(|one| fit(one, other)))
            {
                say("elements do not belong together");
            } else if other.len() > one.len() {
                say("the set grew");
            }
        }
        (one, other) if one == other => {}
        _ => say("another value"),
    }
}

/// Tells whether an object can be saved: of its type, every attribute there, known, nothing write-only.
pub(super) fn saving_problems(columns: &[Column], object: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_ref()).collect();
    let Value::Object(members) = object else { return vec!["no object".to_owned()] };
    if members.len() != names.len() || !names.iter().all(|name| members.contains_key(*name)) {
        problems.push(format!("other attributes than the schema's: {:?}", members.keys()));
    }
    for column in columns {
        let value = member(object, &column.name);
        let mut deep = Vec::new();
        match (&column.shape, value) {
            (Shape::BlockList(_), Value::Null) => deep.push("null, where no block is an empty list".to_owned()),
            (_, Value::Null) => {}
            (Shape::Plain(ty), value) => {
                if !is_of(ty, value) {
                    deep.push("of another type or unknown".to_owned());
                }
            }
            (Shape::Object(inner) | Shape::Block(inner), value) => deep = saving_problems(inner, value),
            (Shape::BlockList(inner), Value::List(items)) => {
                deep = items.iter().flat_map(|item| saving_problems(inner, item)).collect();
            }
            (Shape::ListOf(inner), Value::List(items)) | (Shape::SetOf(inner), Value::Set(items)) => {
                deep = items.iter().filter(|item| !item.is_null()).flat_map(|item| saving_problems(inner, item)).collect();
            }
            _ => deep.push("of another type or unknown".to_owned()),
        }
        if column.write_only && !value.is_null() {
            deep.push("a write-only value".to_owned());
        }
        problems.extend(deep.into_iter().map(|problem| format!("{}: {problem}", column.name)));
    }
    problems
}

fn is_of(ty: &Type, value: &Value) -> bool {
    match (ty, value) {
        (_, Value::Null) | (Type::String, Value::String(_)) | (Type::Number, Value::Number(_)) | (Type::Bool, Value::Bool(_)) => {
            true
        }
        (Type::List(ty), Value::List(items)) | (Type::Set(ty), Value::Set(items)) => items.iter().all(|item| is_of(ty, item)),
        (Type::Map(ty), Value::Map(members)) => members.values().all(|member| is_of(ty, member)),
        _ => false,
    }
}
