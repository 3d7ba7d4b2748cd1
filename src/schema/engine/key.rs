//! Import IDs and identities.

use super::{Members, attribute, attributes, get};
use crate::schema::{Attribute, Import, Kind, Record, Resource, Scalar};
use crate::value::Value;

/// Makes the import ID of an object from its key attributes, for resources whose [`super::super::Import`] is a key or a single
/// word. Nothing where an attribute is missing or unknown, or where the ID could not be taken apart again.
pub fn key(resource: &Resource, record: &Record) -> Option<String> {
    match resource.import {
        Import::Lookup { .. } => None,
        Import::Singleton { word } => Some(word.to_owned()),
        Import::Key { attributes, .. } => {
            let mut parts = Vec::with_capacity(attributes.len());
            for (index, name) in attributes.iter().enumerate() {
                let part = match record.get(name) {
                    Value::String(text) => text.clone(),
                    Value::Number(number) => number.to_string(),
                    Value::Bool(truth) => truth.to_string(),
                    _ => return None,
                };
                let is_last = index + 1 == attributes.len();
                if part.is_empty() || (!is_last && part.contains('/')) {
                    return None;
                }
                parts.push(part);
            }
            Some(parts.join("/"))
        }
    }
}

/// The `id` of an object as it follows from its planned values: the key in the one spelling that all spellings of the same name share, or
/// the single word. Nothing where only the service can tell, or a key attribute is not known.
pub fn known_id(resource: &Resource, planned: &Members) -> Option<String> {
    match resource.import {
        Import::Lookup { .. } => None,
        Import::Singleton { word } => Some(word.to_owned()),
        Import::Key { attributes, .. } => {
            let part = |name: &&str| {
                let text = get(Some(planned), name).as_text()?;
                Some(attribute(resource, name)?.meaning.map_or_else(|| text.to_owned(), |meaning| meaning(text)))
            };
            attributes.iter().map(part).collect::<Option<Vec<String>>>().map(|parts| parts.join("/"))
        }
    }
}

/// Takes an import ID apart into the attributes that it names. The error says what the right form is, with an example.
pub fn parse_key(resource: &Resource, id: &str) -> Result<Record, String> {
    match resource.import {
        Import::Lookup { about, example } => {
            Err(format!("An ID of this resource is {about}, such as {example:?}; only the service can tell what it names."))
        }
        Import::Singleton { word } if id == word => Ok(Record::new().with(super::ID.name, word)),
        Import::Singleton { word } => Err(format!("There is one {}, and its ID is always {word:?}.", resource.noun)),
        Import::Key { attributes: names, example } => {
            let form = names.join("/");
            let wrong = |why: &str| format!("{why} The ID of this resource has the form {form:?}, for example {example:?}.");
            let parts: Vec<&str> = id.splitn(names.len(), '/').collect();
            if parts.len() != names.len() {
                return Err(wrong(&format!("{id:?} has {} of {} parts.", parts.len(), names.len())));
            }
            let mut record = Record::new();
            for (name, part) in names.iter().zip(parts) {
                if part.is_empty() {
                    return Err(wrong(&format!("The part {name:?} is empty.")));
                }
                let value = attribute(resource, name).and_then(|attribute| read(attribute, part));
                record.set(*name, value.ok_or_else(|| wrong(&format!("The part {name:?} cannot be {part:?}.")))?);
            }
            Ok(record)
        }
    }
}

fn read(attribute: &Attribute, part: &str) -> Option<Value> {
    match attribute.kind {
        Kind::Scalar(Scalar::String) => Some(Value::text(part)),
        Kind::Scalar(Scalar::Boolean) => part.parse().ok().map(Value::Bool),
        Kind::Scalar(Scalar::Integer) => part.parse().ok().map(Value::integer),
        Kind::Scalar(Scalar::Number) => part.parse().ok().map(Value::Number),
        _ => None,
    }
}

/// The identity of an object: the attributes that name it while it lives. Nothing while one of them is missing or unknown.
pub fn identity(resource: &Resource, record: &Record) -> Option<Record> {
    let mut named = Record::new();
    for attribute in attributes(resource).filter(|attribute| resource.identity.contains(&attribute.name)) {
        let value = record.get(attribute.name);
        if value.is_null() || !value.is_wholly_known() {
            return None;
        }
        named.set(attribute.name, value.clone());
    }
    (!resource.identity.is_empty()).then_some(named)
}
