//! What the service says, in the user's spelling.

use super::equality::{alike_elements, is_nothing, meant, same, take_first};
use super::{ID, Members, TIMEOUTS, default_value, get};
use crate::schema::{Attribute, Kind, Presence, Record, Remote, Resource};
use crate::value::Value;

/// Brings what the service says into the user's spelling: where a value means the same as the one in `known` (the planned
/// object after a write, the state at a read), the spelling of `known` stays; `timeouts`, local attributes and write-only
/// versions are taken from `known`; a value that was written write-only stays null.
///
/// The service's "nothing" reads as null for nullable attributes and as the default for filled ones. A value that the user did not
/// spell is the service's own, as [`Attribute::shown_as_meant`] wants it.
pub fn settle(resource: &Resource, known: &Record, remote: &Record) -> Record {
    let (known, remote) = (known.members(), remote.members());
    let mut settled = members(resource.attributes, Some(known), Some(remote));
    let id = match (get(Some(remote), ID.name), get(Some(known), ID.name)) {
        (Value::Null | Value::Unknown(_), Value::Unknown(_)) => Value::Null,
        (Value::Null | Value::Unknown(_), known) => known.clone(),
        (remote, _) => remote.clone(),
    };
    settled.insert(ID.name.to_owned(), id);
    let timeouts = get(Some(known), TIMEOUTS.name);
    settled.insert(TIMEOUTS.name.to_owned(), if timeouts.is_wholly_known() { timeouts.clone() } else { Value::Null });
    settled.into()
}

fn members(attributes: &[Attribute], known: Option<&Members>, remote: Option<&Members>) -> Members {
    let mut settled = Members::new();
    for attribute in attributes {
        let (mine, theirs) = (get(known, attribute.name), get(remote, attribute.name));
        let mut is_secret = false;
        if attribute.write_only_form {
            let version = attribute.version_name();
            let kept = Some(get(known, &version)).filter(|version| !version.is_unknown()).cloned().unwrap_or_default();
            is_secret = !kept.is_null();
            settled.insert(version, kept);
            settled.insert(attribute.write_only_name(), Value::Null);
        }
        let value = match attribute.remote {
            _ if is_secret => Value::Null,
            // A text that was left out of the state stays out of it.
            _ if attribute.kept_beside.is_some()
                && known.is_some_and(|known| known.contains_key(attribute.name) && mine.is_null()) =>
            {
                Value::Null
            }
            Remote::Local => local(attribute, mine, theirs),
            _ => settled_value(attribute, mine, &read(attribute, theirs)),
        };
        settled.insert(attribute.name.to_owned(), value);
    }
    settled
}

/// A value that the service does not know: as it was, or what the operation found out where that was open.
fn local(attribute: &Attribute, known: &Value, found: &Value) -> Value {
    [known, found]
        .into_iter()
        .find(|value| !value.is_null() && value.is_wholly_known())
        .cloned()
        .or_else(|| default_value(attribute))
        .unwrap_or_default()
}

/// What the service says of an attribute, with its "nothing" read as the attribute wants it.
fn read(attribute: &Attribute, remote: &Value) -> Value {
    if is_nothing(attribute, remote) {
        match attribute.kind {
            Kind::BlockList(_) => return Value::List(Vec::new()),
            Kind::Block(_) => return Value::Null,
            _ if attribute.presence == Presence::Nullable => return Value::Null,
            _ => {}
        }
    }
    let object = |members: &[Attribute], value: &Value| match value {
        Value::Object(values) | Value::Map(values) => {
            let named = members.iter().map(|member| (member.name.to_owned(), read(member, get(Some(values), member.name))));
            Value::Object(named.collect())
        }
        other => other.clone(),
    };
    let objects = |members, items: &[Value]| items.iter().map(|item| object(members, item)).collect();
    match (attribute.kind, remote) {
        (_, Value::Null) => default_value(attribute).unwrap_or_default(),
        (Kind::Object(members) | Kind::Block(members), value) => object(members, value),
        (Kind::List(_), Value::List(items) | Value::Set(items)) => Value::List(items.clone()),
        (Kind::Set(_), Value::List(items) | Value::Set(items)) => Value::set(items.clone()),
        (Kind::ListOf(members) | Kind::BlockList(members), Value::List(items) | Value::Set(items)) => {
            Value::List(objects(members, items))
        }
        (Kind::SetOf(members), Value::List(items) | Value::Set(items)) => Value::set(objects(members, items)),
        (_, other) => other.clone(),
    }
}

/// Settles a value that was [`read`].
fn settled_value(attribute: &Attribute, known: &Value, remote: &Value) -> Value {
    match (attribute.kind, known, remote) {
        // Where there is nothing at the service, a block keeps the form that it had.
        (Kind::Block(inner), Value::Object(known), Value::Null) => Value::Object(members(inner, Some(known), None)),
        (Kind::Object(inner) | Kind::Block(inner), known, remote) => object(inner, known, remote),
        (Kind::ListOf(inner) | Kind::BlockList(inner), known, Value::List(remote)) => {
            let known = known.as_elements().unwrap_or_default();
            let elements = remote.iter().enumerate();
            Value::List(elements.map(|(index, remote)| object(inner, known.get(index).unwrap_or(&Value::Null), remote)).collect())
        }
        (Kind::SetOf(inner), known, Value::Set(remote)) => {
            let mut rest: Vec<&Value> = known.as_elements().unwrap_or_default().iter().collect();
            let settled = remote.iter().map(|remote| {
                let twin = take_first(&mut rest, |known| !known.is_unknown() && alike_elements(inner, known, remote));
                object(inner, twin.unwrap_or(&Value::Null), remote)
            });
            Value::set(settled.collect())
        }
        (_, known, remote) if same(attribute, known, remote) => known.clone(),
        (Kind::List(_), Value::List(known), Value::List(remote)) => {
            let elements = remote.iter().enumerate();
            let spelled = elements.map(|(index, remote)| match known.get(index) {
                Some(known) if meant(attribute, known) == meant(attribute, remote) => known.clone(),
                _ => shown(attribute, remote),
            });
            Value::List(spelled.collect())
        }
        (Kind::Set(_), Value::Set(known), Value::Set(remote)) => {
            let spellings: Vec<(Value, &Value)> = known.iter().map(|known| (meant(attribute, known), known)).collect();
            let spelled = remote.iter().map(|remote| {
                let form = meant(attribute, remote);
                let known = spellings.iter().find(|(known, _)| *known == form).map(|(_, known)| (*known).clone());
                known.unwrap_or_else(|| shown(attribute, remote))
            });
            Value::set(spelled.collect())
        }
        (Kind::Map(_), Value::Map(known), Value::Map(remote)) => {
            let spelled = remote.iter().map(|(key, remote)| {
                let known = known.get(key).filter(|known| meant(attribute, known) == meant(attribute, remote));
                (key.clone(), known.cloned().unwrap_or_else(|| shown(attribute, remote)))
            });
            Value::Map(spelled.collect())
        }
        (_, _, remote) => shown(attribute, remote),
    }
}

fn object(inner: &[Attribute], known: &Value, remote: &Value) -> Value {
    match remote {
        Value::Object(remote) => Value::Object(members(inner, known.as_members(), Some(remote))),
        // The service knows nothing of local members, nor what was written write-only: their object stays for their sake.
        Value::Null if known.as_members().is_some_and(|known| holds_unseen(inner, known)) => {
            Value::Object(members(inner, known.as_members(), None))
        }
        other => other.clone(),
    }
}

fn holds_unseen(inner: &[Attribute], known: &Members) -> bool {
    inner.iter().any(|member| {
        let value = get(Some(known), member.name);
        let is_local = member.remote == Remote::Local && !value.is_null();
        let is_secret = member.write_only_form && !get(Some(known), &member.version_name()).is_null();
        let is_deeper = || match (member.kind, value) {
            (Kind::Object(inner) | Kind::Block(inner), Value::Object(known)) => holds_unseen(inner, known),
            _ => false,
        };
        is_local || is_secret || is_deeper()
    })
}

/// The service's own value, in the spelling in which it is shown.
fn shown(attribute: &Attribute, remote: &Value) -> Value {
    if !attribute.shown_as_meant {
        return remote.clone();
    }
    match remote {
        Value::List(items) => Value::List(items.iter().map(|item| meant(attribute, item)).collect()),
        Value::Set(items) => Value::set(items.iter().map(|item| meant(attribute, item)).collect()),
        Value::Map(members) => Value::Map(members.iter().map(|(key, item)| (key.clone(), meant(attribute, item))).collect()),
        single => meant(attribute, single),
    }
}
