//! Objects that can be saved: every attribute, of the right type, known, and nothing write-only.

use super::{Members, attributes, default_value, get};
use crate::schema::{Attribute, DataSource, Kind, Presence, Record, Resource, Scalar};
use crate::value::{Diagnostic, Diagnostics, Path, Value};

/// Makes an object one that can be saved, whatever it was: every attribute of its type and no other, write-only arguments null, and
/// null with an error for what is unknown or of a wrong type.
pub fn saveable(resource: &Resource, record: &Record) -> (Record, Diagnostics) {
    let mut found = Diagnostics::new();
    let members = complete(attributes(resource), Some(record.members()), &Path::root(), &mut found);
    (members.into(), found)
}

/// Makes the answer of a data source: what was read, with the arguments as the user wrote them, and of the right type.
pub fn answer(source: &DataSource, config: &Record, read: &Record) -> (Record, Diagnostics) {
    let mut record = with_defaults(source.attributes, read);
    for attribute in source.attributes.iter().filter(|attribute| attribute.presence != Presence::Computed) {
        let given = config.get(attribute.name);
        if !given.is_null() && given.is_wholly_known() {
            record.set(attribute.name, given.clone());
        }
    }
    let mut found = Diagnostics::new();
    let members = complete(source.attributes, Some(record.members()), &Path::root(), &mut found);
    (members.into(), found)
}

/// The arguments of a provider block or a data source with the table's defaults where they are left out. What only a service
/// could fill stays null.
pub fn with_defaults(attributes: &[Attribute], config: &Record) -> Record {
    let mut filled = config.members().clone();
    fill(attributes, &mut filled);
    filled.into()
}

fn fill(attributes: &[Attribute], members: &mut Members) {
    for attribute in attributes {
        let value = members.remove(attribute.name).unwrap_or_default();
        members.insert(attribute.name.to_owned(), filled(attribute, value));
    }
}

/// A value with the defaults of its members, or its own where it is left out.
pub(super) fn filled(attribute: &Attribute, value: Value) -> Value {
    let one = |inner: &[Attribute], value: Value| match value {
        Value::Object(mut members) => {
            fill(inner, &mut members);
            Value::Object(members)
        }
        other => other,
    };
    match (attribute.kind.members(), value) {
        (_, Value::Null) => default_value(attribute).unwrap_or_default(),
        (Some(inner), Value::List(items)) => Value::List(items.into_iter().map(|item| one(inner, item)).collect()),
        (Some(inner), Value::Set(items)) => Value::set(items.into_iter().map(|item| one(inner, item)).collect()),
        (Some(inner), value) => one(inner, value),
        (None, value) => value,
    }
}

/// An object of exactly these attributes.
pub(super) fn complete<'a>(
    attributes: impl IntoIterator<Item = &'a Attribute>,
    given: Option<&Members>,
    path: &Path,
    found: &mut Diagnostics,
) -> Members {
    let mut members = Members::new();
    for attribute in attributes {
        let inside = path.attribute(attribute.name);
        members.insert(attribute.name.to_owned(), value(attribute, get(given, attribute.name), &inside, found));
        if attribute.write_only_form {
            members.insert(attribute.write_only_name(), Value::Null);
            let version = attribute.version_name();
            let number = single(Scalar::Integer, get(given, &version), &path.attribute(&version), found);
            members.insert(version, number);
        }
    }
    members
}

fn value(attribute: &Attribute, given: &Value, path: &Path, found: &mut Diagnostics) -> Value {
    let objects = |members: &[Attribute], items: &[Value], path: &Path, found: &mut Diagnostics| -> Vec<Value> {
        let elements = items.iter().enumerate();
        elements.map(|(index, item)| object(members, item, &element_path(attribute, path, index), found)).collect()
    };
    let singles = |scalar: Scalar, items: &[Value], path: &Path, found: &mut Diagnostics| -> Vec<Value> {
        let elements = items.iter().enumerate();
        elements.map(|(index, item)| single(scalar, item, &element_path(attribute, path, index), found)).collect()
    };
    match (attribute.kind, given) {
        (Kind::BlockList(_), Value::Null) => Value::List(Vec::new()),
        (Kind::BlockList(_), Value::Unknown(_)) => {
            unknown(path, found);
            Value::List(Vec::new())
        }
        (Kind::BlockList(members), Value::List(items) | Value::Set(items) | Value::Tuple(items)) => {
            // A block that is there is an object, whatever is known of it.
            let blocks = objects(members, items, path, found).into_iter().enumerate().map(|(index, block)| match block {
                Value::Null => Value::Object(complete(members, None, &path.index(index), found)),
                block => block,
            });
            Value::List(blocks.collect())
        }
        (Kind::BlockList(_), _) => {
            wrong(path, found);
            Value::List(Vec::new())
        }
        (_, Value::Null) => Value::Null,
        (_, Value::Unknown(_)) => unknown(path, found),
        (Kind::Scalar(scalar), given) => single(scalar, given, path, found),
        // A list that a service hands over for a set, and the other way round, loses nothing.
        (Kind::List(scalar), Value::List(items) | Value::Set(items) | Value::Tuple(items)) => {
            Value::List(singles(scalar, items, path, found))
        }
        (Kind::Set(scalar), Value::List(items) | Value::Set(items) | Value::Tuple(items)) => {
            Value::set(singles(scalar, items, path, found))
        }
        (Kind::ListOf(members), Value::List(items) | Value::Set(items) | Value::Tuple(items)) => {
            Value::List(objects(members, items, path, found))
        }
        (Kind::SetOf(members), Value::List(items) | Value::Set(items) | Value::Tuple(items)) => {
            Value::set(objects(members, items, path, found))
        }
        (Kind::Map(scalar), Value::Map(values) | Value::Object(values)) => {
            Value::Map(values.iter().map(|(key, item)| (key.clone(), single(scalar, item, &path.key(key), found))).collect())
        }
        (Kind::Object(members) | Kind::Block(members), given) => object(members, given, path, found),
        _ => wrong(path, found),
    }
}

/// Elements of sets have no address.
fn element_path(attribute: &Attribute, path: &Path, index: usize) -> Path {
    if matches!(attribute.kind, Kind::Set(_) | Kind::SetOf(_)) { path.clone() } else { path.index(index) }
}

fn object(members: &[Attribute], given: &Value, path: &Path, found: &mut Diagnostics) -> Value {
    match given {
        Value::Null => Value::Null,
        Value::Unknown(_) => unknown(path, found),
        Value::Object(values) | Value::Map(values) => Value::Object(complete(members, Some(values), path, found)),
        _ => wrong(path, found),
    }
}

fn single(scalar: Scalar, given: &Value, path: &Path, found: &mut Diagnostics) -> Value {
    match (scalar, given) {
        (_, Value::Null) => Value::Null,
        (_, Value::Unknown(_)) => unknown(path, found),
        (Scalar::String, Value::String(_))
        | (Scalar::Boolean, Value::Bool(_))
        | (Scalar::Integer | Scalar::Number, Value::Number(_)) => given.clone(),
        _ => wrong(path, found),
    }
}

fn unknown(path: &Path, found: &mut Diagnostics) -> Value {
    let detail = format!(
        "The service's answer does not say what `{path}` is now. The state holds nothing for it; the next plan will show what stands there. \
         Please report this as a defect of the provider."
    );
    found.push(Diagnostic::error(format!("Unable to tell \"{path}\" after the operation"), detail).at(path.clone()));
    Value::Null
}

fn wrong(path: &Path, found: &mut Diagnostics) -> Value {
    let detail = format!(
        "The service's answer holds something else for `{path}` than its type allows. The state holds nothing for it. Please report this as a \
         defect of the provider."
    );
    found.push(Diagnostic::error(format!("Unable to understand \"{path}\" in the service's answer"), detail).at(path.clone()));
    Value::Null
}
