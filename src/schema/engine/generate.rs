//! What a person would write for an object that stands: the arguments that say something, and no others.

use super::equality::same;
use super::{Members, attributes, default_value, get};
use crate::schema::{Attribute, Fill, Kind, Motion, Presence, Record, Remote, Resource, Rule};
use crate::value::Value;

/// Makes the configuration of an object of its state. An argument that may be left out without a change is null: a default, what only the service sets,
/// a place that follows from other objects. So is what is sensitive, as the host writes no such value.
pub fn generated(resource: &Resource, state: &Record) -> Record {
    let mut written = Record::from(members(resource.attributes, state.members()));
    for rule in resource.rules {
        let Rule::Conflicts(names) = rule else { continue };
        let set: Vec<&str> = names.iter().copied().filter(|name| !written.at(name).is_null()).collect();
        for name in set.into_iter().skip(1) {
            let may_go = |line: &&Attribute| line.name == name && matches!(line.presence, Presence::Filled(_));
            if resource.attributes.iter().any(|line| may_go(&line)) {
                written.set(name, Value::Null);
            }
        }
    }
    whole(resource, written)
}

/// The object without its sensitive values, which are null.
pub fn concealed(resource: &Resource, object: &Record) -> Record {
    let mut shown = object.clone();
    for attribute in resource.attributes {
        let value = shown.take(attribute.name);
        shown.set(attribute.name, conceal(attribute, value));
    }
    shown
}

fn conceal(attribute: &Attribute, value: Value) -> Value {
    if attribute.sensitive {
        return Value::Null;
    }
    let Some(inner) = attribute.kind.members() else { return value };
    let one = |value: Value| match value {
        Value::Object(mut members) => {
            for member in inner {
                if let Some(value) = members.remove(member.name) {
                    members.insert(member.name.to_owned(), conceal(member, value));
                }
            }
            Value::Object(members)
        }
        other => other,
    };
    match value {
        Value::List(items) => Value::List(items.into_iter().map(one).collect()),
        Value::Set(items) => Value::set(items.into_iter().map(one).collect()),
        single => one(single),
    }
}

/// Adds the attributes that the record does not have, as null, and no block as the empty list.
fn whole(resource: &Resource, mut record: Record) -> Record {
    for attribute in attributes(resource) {
        if matches!(attribute.kind, Kind::BlockList(_)) && record.get(attribute.name).is_null() {
            record.set(attribute.name, Value::List(Vec::new()));
        }
    }
    record
}

fn members(attributes: &[Attribute], state: &Members) -> Members {
    let line = |attribute: &Attribute| (attribute.name.to_owned(), written(attribute, get(Some(state), attribute.name)));
    let mut all: Members = attributes.iter().map(line).collect();
    // Of two that imply each other, one is written.
    for attribute in attributes {
        if let Some((sibling, text)) = attribute.implied
            && get(Some(&all), attribute.name).as_text() == Some(text)
            && !get(Some(&all), sibling).is_null()
        {
            all.insert(attribute.name.to_owned(), Value::Null);
        }
    }
    all
}

fn written(attribute: &Attribute, value: &Value) -> Value {
    if value.is_null() || attribute.presence == Presence::Computed || attribute.sensitive || says_nothing(attribute, value) {
        return Value::Null;
    }
    match (attribute.kind, value) {
        (Kind::Object(inner), Value::Object(state)) => with_write_only(inner, members(inner, state)),
        (Kind::Block(inner), Value::Object(state)) => {
            let inside = members(inner, state);
            // The host writes a block with nothing in it for one that is there.
            let hides = inner.iter().any(|member| member.sensitive && !get(Some(state), member.name).is_null());
            if inside.values().all(Value::is_null) && !hides { Value::Null } else { with_write_only(inner, inside) }
        }
        (Kind::ListOf(inner) | Kind::BlockList(inner), Value::List(items)) => {
            Value::List(items.iter().map(|item| element(inner, item)).collect())
        }
        (Kind::SetOf(inner), Value::Set(items)) => Value::set(items.iter().map(|item| element(inner, item)).collect()),
        (_, value) => value.clone(),
    }
}

fn element(inner: &[Attribute], item: &Value) -> Value {
    match item {
        Value::Object(state) => with_write_only(inner, members(inner, state)),
        other => other.clone(),
    }
}

/// Tells whether leaving an argument out means the same as writing its value.
fn says_nothing(attribute: &Attribute, value: &Value) -> bool {
    match attribute.presence {
        // To list nothing would refuse what comes later.
        _ if attribute.remote == Remote::Unmanaged => value.as_elements().is_some_and(<[Value]>::is_empty),
        // Where the object stands among those of its kind is told by the other objects. An object of another kind is named.
        Presence::Filled(Fill::Service) => match attribute.motion {
            Motion::With(names) => names.contains(&attribute.name) || attribute.refers.is_none(),
            _ => false,
        },
        Presence::Filled(_) => default_value(attribute).is_some_and(|default| same(attribute, &default, value)),
        _ => false,
    }
}

/// Adds the write-only forms of members, which are null.
fn with_write_only(inner: &[Attribute], mut members: Members) -> Value {
    for member in inner.iter().filter(|member| member.write_only_form) {
        members.insert(member.write_only_name(), Value::Null);
        members.insert(member.version_name(), Value::Null);
    }
    Value::Object(members)
}
