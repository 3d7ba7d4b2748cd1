//! Values in JSON: states as Terraform stores them, and answers of older hosts.
//!
//! Numbers of any size are exact, a dynamic value is `{"value": …, "type": …}`, and nothing is unknown. Text comes out,
//! and goes out, in normal form C.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::codec::{Fault, normal};
use super::{DecodeError, EncodeError, Type, Value};

/// Reads a value of the type. Objects have every attribute of their type and no other.
pub fn decode(bytes: &[u8], ty: &Type) -> Result<Value, DecodeError> {
    Ok(read(bytes).and_then(|document| take(&document, ty, Members::Exact))?)
}

/// Reads a stored state of the type. Attributes that the type no longer has are dropped, and those that the state does not
/// have yet are null, at every level.
pub fn decode_state(bytes: &[u8], ty: &Type) -> Result<Value, DecodeError> {
    Ok(read(bytes).and_then(|document| take(&document, ty, Members::Lenient))?)
}

/// Writes a value of the type. Attributes of an object that the value does not name are written as null; an unknown value,
/// a value of another type, or an attribute that the type does not have, is an error.
pub fn encode(value: &Value, ty: &Type) -> Result<Vec<u8>, EncodeError> {
    let document = put(value, ty)?;
    Ok(serde_json::to_vec(&document).map_err(|error| Fault::new(format!("the value cannot be written: {error}")))?)
}

/// What to do about attributes that are not the type's.
#[derive(Clone, Copy, PartialEq)]
enum Members {
    /// Refuse them, and refuse that one is missing.
    Exact,
    /// Drop them, and put null for one that is missing.
    Lenient,
}

fn read(bytes: &[u8]) -> Result<Json, Fault> {
    // The parser bounds the depth. Its message names a line and a column, never the text.
    serde_json::from_slice(bytes).map_err(|error| Fault::new(format!("the document is not well-formed JSON: {error}")))
}

fn take(document: &Json, ty: &Type, members: Members) -> Result<Value, Fault> {
    match (ty, document) {
        (_, Json::Null) => Ok(Value::Null),
        (Type::Bool, Json::Bool(truth)) => Ok(Value::Bool(*truth)),
        (Type::String, Json::String(text)) => Ok(Value::String(normal(text).into_owned())),
        (Type::Number, Json::Number(number)) => take_number(&number.to_string()),
        (Type::Number, Json::String(text)) => take_number(text),
        (Type::List(element), Json::Array(items)) => Ok(Value::List(take_elements(items, element, members)?)),
        (Type::Set(element), Json::Array(items)) => Ok(Value::set(take_elements(items, element, members)?)),
        (Type::Tuple(types), Json::Array(items)) => {
            if types.len() != items.len() {
                return Err(Fault::new(format!("a tuple of {} was expected, {} were given", types.len(), items.len())));
            }
            let pairs = items.iter().zip(types).enumerate();
            let elements = pairs.map(|(index, (item, ty))| take(item, ty, members).map_err(|fault| fault.in_element(index)));
            Ok(Value::Tuple(elements.collect::<Result<_, _>>()?))
        }
        (Type::Map(element), Json::Object(entries)) => {
            let mut values = BTreeMap::new();
            for (key, item) in entries {
                values.insert(normal(key).into_owned(), take(item, element, members).map_err(|fault| fault.in_key(key))?);
            }
            Ok(Value::Map(values))
        }
        (Type::Object(types), Json::Object(entries)) => take_object(entries, types, members),
        (Type::Dynamic, Json::Object(parts)) => match (parts.get("value"), parts.get("type")) {
            (Some(value), Some(constraint)) => {
                let ty = Type::from_json(constraint).map_err(|error| Fault::new(error.to_string()))?;
                let value = take(value, &ty, members)?;
                Ok(Value::Dynamic(Box::new((ty, value))))
            }
            _ => Err(Fault::new("a dynamic value must be an object of `value` and `type`")),
        },
        (expected, found) => Err(Fault::new(format!("{} was expected, {} was given", expected.noun(), noun(found)))),
    }
}

fn take_number(text: &str) -> Result<Value, Fault> {
    text.parse().map(Value::Number).map_err(|_| Fault::new("a decimal number of reasonable size was expected"))
}

fn take_elements(items: &[Json], element: &Type, members: Members) -> Result<Vec<Value>, Fault> {
    items.iter().enumerate().map(|(index, item)| take(item, element, members).map_err(|fault| fault.in_element(index))).collect()
}

fn take_object(entries: &Map<String, Json>, types: &BTreeMap<String, Type>, members: Members) -> Result<Value, Fault> {
    if members == Members::Exact
        && let Some(extra) = entries.keys().find(|name| !types.contains_key(*name))
    {
        return Err(Fault::new("an object of its type has no such attribute").in_attribute(extra));
    }
    let mut values = BTreeMap::new();
    for (name, ty) in types {
        let value = match entries.get(name) {
            Some(item) => take(item, ty, members).map_err(|fault| fault.in_attribute(name))?,
            None if members == Members::Lenient => Value::Null,
            None => return Err(Fault::new("the attribute is missing").in_attribute(name)),
        };
        values.insert(name.clone(), value);
    }
    Ok(Value::Object(values))
}

/// What a part of a document is called in errors.
fn noun(document: &Json) -> &'static str {
    match document {
        Json::Null => "null",
        Json::Bool(_) => "true or false",
        Json::Number(_) => "a number",
        Json::String(_) => "text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

fn put(value: &Value, ty: &Type) -> Result<Json, Fault> {
    match (ty, value) {
        (_, Value::Null) => Ok(Json::Null),
        (_, Value::Unknown(_)) => Err(Fault::new("the value is not known yet, and JSON cannot say so")),
        (Type::Bool, Value::Bool(truth)) => Ok(Json::Bool(*truth)),
        (Type::Number, Value::Number(number)) => match number.to_string().parse() {
            Ok(number) => Ok(Json::Number(number)),
            Err(error) => Err(Fault::new(format!("the number cannot be written: {error}"))),
        },
        (Type::String, Value::String(text)) => Ok(Json::String(normal(text).into_owned())),
        (Type::List(element), Value::List(items)) | (Type::Set(element), Value::Set(items)) => {
            let elements = items.iter().enumerate();
            let elements = elements.map(|(index, item)| put(item, element).map_err(|fault| fault.in_element(index)));
            Ok(Json::Array(elements.collect::<Result<_, _>>()?))
        }
        (Type::Tuple(types), Value::Tuple(items)) => {
            if types.len() != items.len() {
                return Err(Fault::new(format!("a tuple of {} was expected, {} were given", types.len(), items.len())));
            }
            let pairs = items.iter().zip(types).enumerate();
            let elements = pairs.map(|(index, (item, ty))| put(item, ty).map_err(|fault| fault.in_element(index)));
            Ok(Json::Array(elements.collect::<Result<_, _>>()?))
        }
        (Type::Map(element), Value::Map(members)) => {
            let mut entries = Map::new();
            for (key, item) in members {
                entries.insert(normal(key).into_owned(), put(item, element).map_err(|fault| fault.in_key(key))?);
            }
            Ok(Json::Object(entries))
        }
        (Type::Object(types), Value::Object(members)) => {
            if let Some(extra) = members.keys().find(|name| !types.contains_key(*name)) {
                return Err(Fault::new("an object of its type has no such attribute").in_attribute(extra));
            }
            let mut entries = Map::new();
            for (name, ty) in types {
                let item = members.get(name).unwrap_or(&Value::Null);
                entries.insert(name.clone(), put(item, ty).map_err(|fault| fault.in_attribute(name))?);
            }
            Ok(Json::Object(entries))
        }
        (Type::Dynamic, Value::Dynamic(inner)) => {
            let mut entries = Map::new();
            entries.insert("value".to_owned(), put(&inner.1, &inner.0)?);
            entries.insert("type".to_owned(), inner.0.to_json());
            Ok(Json::Object(entries))
        }
        (expected, found) => Err(Fault::new(format!("{} was expected, {} was given", expected.noun(), found.noun()))),
    }
}
