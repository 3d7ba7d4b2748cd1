//! Keeps what an adopted object was before, so that it can be put back: a record as JSON and back, without loss.
//!
//! The form carries its own types, so that a later version of a table can still read it: text, truth and null stand as they
//! are, everything else in an object with one member that says what it is: `{"number": "10"}`, `{"set": [...]}`.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde_json::{Map, Value as Json};

use crate::schema::{Presence, Record, Resource, UNMANAGED, engine};
use crate::value::{Number, Step, Value};

/// Under which name the private data of an adopted object holds what it was before.
pub(super) const ORIGINAL: &str = "original";

/// How the private data says that the device did not show the object.
const ABSENT: &str = "absent";

/// What an adopted object was before.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Original {
    /// The device did not show it: it was what the device starts with.
    Absent,
    /// What stood there of the attributes that were written.
    Stood(Record),
}

/// Writes what was. What is unknown is written as null.
pub(super) fn write(original: &Original) -> Json {
    match original {
        Original::Absent => Json::String(ABSENT.to_owned()),
        Original::Stood(record) => {
            Json::Object(record.iter().map(|(name, value)| (name.to_owned(), write_value(value))).collect())
        }
    }
}

/// Reads what was; `None` if this does not say it.
pub(super) fn read(json: &Json) -> Option<Original> {
    if json.as_str() == Some(ABSENT) {
        return Some(Original::Absent);
    }
    Some(Original::Stood(Record::from_value(Value::Object(read_members(json)?))))
}

/// What was kept of an object, with what stood there (`before`; nothing if the device did not show it) of the attributes that are written for the
/// first time: what nobody writes is not ours to put back.
pub(super) fn with_written(resource: &Resource, kept: Original, before: Option<&Record>, wanted: &Record) -> Original {
    let (Original::Stood(mut kept), Some(before)) = (kept, before) else { return Original::Absent };
    for path in engine::differences(resource, before, wanted) {
        if let Some(Step::Attribute(name)) = path.0.first()
            && !kept.members().contains_key(name)
            && name != UNMANAGED.name
        {
            kept.set(name.clone(), before.get(name).clone());
        }
    }
    Original::Stood(kept)
}

/// What is wanted of an object that is put back: what was kept, and nothing of what was never written.
pub(super) fn to_put_back(resource: &Resource, kept: &Record, state: &Record) -> Record {
    let mut wanted = kept.clone();
    for attribute in resource.attributes.iter().filter(|attribute| !kept.members().contains_key(attribute.name)) {
        let value = match attribute.presence {
            // The name, by which it is found.
            Presence::Required if resource.identity.contains(&attribute.name) => state.get(attribute.name).clone(),
            _ => Value::UNKNOWN,
        };
        wanted.set(attribute.name, value);
    }
    wanted
}

fn write_value(value: &Value) -> Json {
    let items = |items: &[Value]| Json::Array(items.iter().map(write_value).collect());
    let members = |members: &BTreeMap<String, Value>| {
        Json::Object(members.iter().map(|(name, value)| (name.clone(), write_value(value))).collect())
    };
    let (kind, content) = match value {
        Value::Null | Value::Unknown(_) => return Json::Null,
        Value::Bool(truth) => return Json::Bool(*truth),
        Value::String(text) => return Json::String(text.clone()),
        Value::Number(number) => ("number", Json::String(number.to_string())),
        Value::List(list) => ("list", items(list)),
        Value::Set(set) => ("set", items(set)),
        Value::Tuple(tuple) => ("tuple", items(tuple)),
        Value::Map(map) => ("map", members(map)),
        Value::Object(object) => ("object", members(object)),
        Value::Dynamic(inner) => return write_value(&inner.1),
    };
    Json::Object(Map::from_iter([(kind.to_owned(), content)]))
}

fn read_value(json: &Json) -> Option<Value> {
    let object = match json {
        Json::Null => return Some(Value::Null),
        Json::Bool(truth) => return Some(Value::Bool(*truth)),
        Json::String(text) => return Some(Value::text(text)),
        Json::Object(object) if object.len() == 1 => object,
        Json::Object(_) | Json::Array(_) | Json::Number(_) => return None,
    };
    let (kind, content) = object.iter().next()?;
    Some(match kind.as_str() {
        "number" => Value::Number(Number::from_str(content.as_str()?).ok()?),
        "list" => Value::List(read_items(content)?),
        "set" => Value::set(read_items(content)?),
        "tuple" => Value::Tuple(read_items(content)?),
        "map" => Value::Map(read_members(content)?),
        "object" => Value::Object(read_members(content)?),
        _ => return None,
    })
}

fn read_items(json: &Json) -> Option<Vec<Value>> {
    json.as_array()?.iter().map(read_value).collect()
}

fn read_members(json: &Json) -> Option<BTreeMap<String, Value>> {
    json.as_object()?.iter().map(|(name, value)| Some((name.clone(), read_value(value)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_as_it_was_written() {
        let record = Record::new()
            .with("domain", "DEFAULT")
            .with("limit", 500_i64)
            .with("on", true)
            .with("nothing", Value::Null)
            .with("hosts", Value::texts(["b", "a"]))
            .with("routes", Value::List(vec![Value::object([("host", Value::text("h")), ("port", Value::integer(25))])]))
            .with("labels", Value::Map(BTreeMap::from([("number".to_owned(), Value::text("1"))])));
        for original in [Original::Stood(record), Original::Absent] {
            let text = write(&original).to_string();
            assert_eq!(read(&serde_json::from_str(&text).expect("JSON")), Some(original));
        }
    }

    #[test]
    fn p06_what_is_not_a_record_gives_nothing() {
        for text in ["\"gone\"", "null", "[]", "7", r#"{"a": 7}"#, r#"{"a": {"number": "x"}}"#, r#"{"a": {"heap": []}}"#] {
            assert_eq!(read(&serde_json::from_str(text).expect("JSON")), None, "{text}");
        }
    }
}
