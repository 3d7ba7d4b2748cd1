//! Equality of values by what they mean.
//!
//! Two values are the same if they have the same canonical form: text in normal form C and then as the attribute's
//! `meaning` spells it, sets as sets of such elements, and the empty spelling of a nullable attribute as null.

use super::{Members, get};
use crate::schema::{Attribute, Kind, Presence, Remote};
use crate::value::{Value, normal};

/// Tells whether two values of an attribute mean the same. An unknown value is the same only as itself.
pub fn same(attribute: &Attribute, one: &Value, other: &Value) -> bool {
    one == other || canonical(attribute, one) == canonical(attribute, other)
}

/// Which members of objects take part.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Part {
    /// All of them.
    All,
    /// Those that the service knows.
    Remote,
}

/// The one form that all values of the same meaning have.
pub fn canonical(attribute: &Attribute, value: &Value) -> Value {
    canonical_part(attribute, value, Part::All)
}

pub(super) fn canonical_part(attribute: &Attribute, value: &Value, part: Part) -> Value {
    let form = match (&attribute.kind, value) {
        (kind, value) if let Some(members) = kind.members() => canonical_objects(members, value, part),
        (_, Value::List(items)) => Value::List(items.iter().map(|item| meant(attribute, item)).collect()),
        (_, Value::Set(items)) => Value::set(items.iter().map(|item| meant(attribute, item)).collect()),
        (_, Value::Map(members)) => {
            Value::Map(members.iter().map(|(key, item)| (normal(key).into_owned(), meant(attribute, item))).collect())
        }
        (_, single) => meant(attribute, single),
    };
    if may_be_nothing(attribute) && is_empty(&form) { Value::Null } else { form }
}

/// Tells whether the empty spelling means the same as null: a block of which nothing is set says what no block says.
fn may_be_nothing(attribute: &Attribute) -> bool {
    attribute.kind.is_block() || attribute.presence == Presence::Nullable
}

fn canonical_objects(members: &[Attribute], value: &Value, part: Part) -> Value {
    match value {
        Value::List(items) => Value::List(items.iter().map(|item| canonical_objects(members, item, part)).collect()),
        Value::Set(items) => Value::set(items.iter().map(|item| canonical_objects(members, item, part)).collect()),
        Value::Object(values) => Value::Object(canonical_members(members, values, part)),
        other => other.clone(),
    }
}

fn canonical_members(members: &[Attribute], values: &Members, part: Part) -> Members {
    let mut forms = Members::new();
    for member in members {
        if part == Part::Remote && member.remote == Remote::Local {
            continue;
        }
        forms.insert(member.name.to_owned(), canonical_part(member, get(Some(values), member.name), part));
        if member.write_only_form {
            let version = member.version_name();
            let value = get(Some(values), &version).clone();
            forms.insert(version, value);
        }
    }
    forms
}

/// A single value, or an element of a plain collection, in the spelling of the attribute's meaning.
pub(super) fn meant(attribute: &Attribute, value: &Value) -> Value {
    match (attribute.meaning, value) {
        (Some(meaning), Value::String(text)) => Value::String(normal(&meaning(&normal(text))).into_owned()),
        (None, Value::String(text)) => Value::String(normal(text).into_owned()),
        (_, other) => other.clone(),
    }
}

/// Tells whether a value is the empty spelling: `""`, `[]`, `{}`, or an object of which nothing is set.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty(),
        Value::List(items) | Value::Set(items) | Value::Tuple(items) => items.is_empty(),
        Value::Map(members) => members.is_empty(),
        Value::Object(members) => members.values().all(Value::is_null),
        Value::Null | Value::Unknown(_) | Value::Bool(_) | Value::Number(_) | Value::Dynamic(_) => false,
    }
}

/// Tells whether a value sets anything: it is neither null nor empty, by the attribute's own rules for its members.
pub(super) fn is_nothing(attribute: &Attribute, value: &Value) -> bool {
    match (&attribute.kind, value) {
        (_, Value::Null) => true,
        (Kind::Object(members) | Kind::Block(members), Value::Object(values) | Value::Map(values)) => {
            members.iter().all(|member| is_nothing(member, get(Some(values), member.name)))
        }
        (Kind::BlockList(_), value) => is_empty(value),
        (_, value) => attribute.presence == Presence::Nullable && is_empty(value),
    }
}

/// Tells whether two values may be the same at the service: unknown values may be anything, and members that the service
/// does not know are not compared.
pub(super) fn alike(attribute: &Attribute, one: &Value, other: &Value) -> bool {
    match (&attribute.kind, one, other) {
        (_, Value::Unknown(_), _) | (_, _, Value::Unknown(_)) => true,
        (Kind::Object(members) | Kind::Block(members), Value::Object(one), Value::Object(other)) => {
            alike_members(members, one, other)
        }
        (Kind::ListOf(members) | Kind::BlockList(members), Value::List(one), Value::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| alike_elements(members, one, other))
        }
        (Kind::SetOf(members), Value::Set(one), Value::Set(other)) => {
            one.len() == other.len() && {
                let mut rest: Vec<&Value> = other.iter().collect();
                one.iter().all(|element| take_first(&mut rest, |other| alike_elements(members, element, other)).is_some())
            }
        }
        (Kind::List(_), Value::List(one), Value::List(other)) => {
            let pair = |(one, other): (&Value, &Value)| {
                one.is_unknown() || other.is_unknown() || meant(attribute, one) == meant(attribute, other)
            };
            one.len() == other.len() && one.iter().zip(other).all(pair)
        }
        // Which element an unknown one will be cannot be told.
        (Kind::Set(_) | Kind::Map(_), one, other) if !one.is_wholly_known() || !other.is_wholly_known() => true,
        _ => one == other || canonical_part(attribute, one, Part::Remote) == canonical_part(attribute, other, Part::Remote),
    }
}

/// [`alike`] for two elements of a collection of objects.
pub(super) fn alike_elements(members: &[Attribute], one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Unknown(_), _) | (_, Value::Unknown(_)) => true,
        (Value::Object(one), Value::Object(other)) => alike_members(members, one, other),
        (one, other) => one == other,
    }
}

fn alike_members(members: &[Attribute], one: &Members, other: &Members) -> bool {
    members.iter().filter(|member| member.remote != Remote::Local).all(|member| {
        alike(member, get(Some(one), member.name), get(Some(other), member.name))
            && !version_differs(member, Some(one), Some(other))
    })
}

/// Tells whether the version of the attribute's write-only form differs, and with it the value that was sent.
pub(super) fn version_differs(attribute: &Attribute, one: Option<&Members>, other: Option<&Members>) -> bool {
    attribute.write_only_form && {
        let name = attribute.version_name();
        let is_kept = attribute.kept_beside.is_some() && get(other, attribute.name).is_null() && get(other, &name).is_null();
        let (one, other) = (get(one, &name), get(other, &name));
        !is_kept && !one.is_unknown() && !other.is_unknown() && one != other
    }
}

/// Takes the first that fits out of what is left.
pub(super) fn take_first<'a>(rest: &mut Vec<&'a Value>, fits: impl Fn(&Value) -> bool) -> Option<&'a Value> {
    let position = rest.iter().position(|value| fits(value))?;
    Some(rest.remove(position))
}
