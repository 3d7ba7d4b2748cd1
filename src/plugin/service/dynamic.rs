//! Values on their way in and out: decoding against the schema's type, and encoding that never loses the object.
//!
//! The host discards an object whose encoding does not fit the schema, and with it the only trace of what was created. So an
//! object is made to fit before it is encoded, and what did not fit is said.

use crate::plugin::wire::tfplugin6::{AttributePath, Diagnostic as WireDiagnostic, DynamicValue, attribute_path, diagnostic};
use crate::remote;
use crate::schema::{Record, Resource, engine};
use crate::value::{Diagnostic, Diagnostics, Path, Severity, Step, Type, Value, json, msgpack};

/// Reads a value. Absent is null. `what` completes "Unable to understand": `the configuration of mailflow_x`.
pub(super) fn value(dynamic: Option<&DynamicValue>, ty: &Type, what: &str) -> Result<Value, Diagnostic> {
    let Some(dynamic) = dynamic else { return Ok(Value::Null) };
    let decoded = if !dynamic.msgpack.is_empty() {
        msgpack::decode(&dynamic.msgpack, ty)
    } else if !dynamic.json.is_empty() {
        json::decode(&dynamic.json, ty)
    } else {
        Ok(Value::Null)
    };
    decoded.map_err(|error| {
        let detail = format!("The host sent a value that does not fit the schema of this provider: {error}.");
        Diagnostic { path: inside(&error.path), ..Diagnostic::error(format!("Unable to understand {what}"), detail) }
    })
}

/// Reads an object. Null is `None`.
pub(super) fn record(dynamic: Option<&DynamicValue>, ty: &Type, what: &str) -> Result<Option<Record>, Diagnostic> {
    match value(dynamic, ty, what)? {
        Value::Null => Ok(None),
        object @ Value::Object(_) => Ok(Some(Record::from_value(object))),
        _ => Err(Diagnostic::error(format!("Unable to understand {what}"), "The host sent something that is not an object.")),
    }
}

/// Writes an object; attributes that are missing in it are null.
pub(super) fn encode(record: Record, ty: &Type) -> Result<DynamicValue, Diagnostic> {
    encode_value(&record.into_value(), ty)
}

/// Writes a value.
pub(super) fn encode_value(value: &Value, ty: &Type) -> Result<DynamicValue, Diagnostic> {
    match msgpack::encode(value, ty) {
        Ok(msgpack) => Ok(DynamicValue { msgpack, json: Vec::new() }),
        Err(error) => {
            let detail = format!(
                "A value does not fit the schema of this provider: {error}. This is a fault of the provider, please report it."
            );
            Err(Diagnostic { path: inside(&error.path), ..Diagnostic::error("Unable to write the object down", detail) })
        }
    }
}

/// Writes an object that has to be saved. What does not fit the schema or is not known is saved as null, and said.
pub(super) fn encode_saved(resource: &Resource, record: &Record, diagnostics: &mut Diagnostics) -> Option<DynamicValue> {
    let (whole, misfits) = engine::saveable(resource, record);
    diagnostics.extend(misfits);
    match encode(whole, &engine::resource_type(resource)) {
        Ok(encoded) => Some(encoded),
        Err(diagnostic) => {
            diagnostics.push(diagnostic);
            None
        }
    }
}

/// Writes null.
pub(super) fn null() -> DynamicValue {
    // Nil in MessagePack.
    DynamicValue { msgpack: vec![0xc0], json: Vec::new() }
}

/// Reads the JSON of a stored object. Attributes that the schema no longer has are dropped.
pub(super) fn stored(bytes: &[u8], ty: &Type, what: &str) -> Result<Value, Diagnostic> {
    json::decode_state(bytes, ty).map_err(|error| {
        let detail = format!(
            "What is stored does not fit the schema of this provider: {error}.\n\nIf the state was edited by hand, undo that; \
             else remove the object from the state with `terraform state rm` and import it again."
        );
        Diagnostic { path: inside(&error.path), ..Diagnostic::error(format!("Unable to understand {what}"), detail) }
    })
}

/// A path that leads somewhere: the object itself needs none.
fn inside(path: &Path) -> Option<Path> {
    (!path.0.is_empty()).then(|| path.clone())
}

/// Messages in the form of the wire.
pub(super) fn diagnostics(diagnostics: Diagnostics) -> Vec<WireDiagnostic> {
    diagnostics
        .into_iter()
        .map(|diagnostic| {
            let (attribute, detail) = match &diagnostic.path {
                Some(whole) => (Some(path(&findable(whole))), located(&diagnostic, whole)),
                None => (None, diagnostic.detail),
            };
            WireDiagnostic {
                severity: match diagnostic.severity {
                    Severity::Error => diagnostic::Severity::Error.into(),
                    Severity::Warning => diagnostic::Severity::Warning.into(),
                },
                summary: remote::shown(&diagnostic.summary),
                detail: remote::shown(&detail),
                attribute,
            }
        })
        .collect()
}

/// The part of a path that the host can find in a configuration: an argument, and an element of it. Of a deeper path, it looks
/// for nested blocks, and without any it shows the head of the whole block.
fn findable(whole: &Path) -> Path {
    let is_element = |step: &Step| matches!(step, Step::Index(_) | Step::Key(_));
    let length = if whole.0.get(1).is_some_and(is_element) { 2 } else { 1 };
    Path(whole.0.iter().take(length).cloned().collect())
}

/// The text of a message, which names the attribute where the path that the host gets does not.
fn located(diagnostic: &Diagnostic, whole: &Path) -> String {
    let name = whole.to_string();
    let is_named = diagnostic.summary.contains(&name) || diagnostic.detail.contains(&name);
    if is_named || findable(whole) == *whole {
        return diagnostic.detail.clone();
    }
    format!("{}\n\nThe attribute is {name}.", diagnostic.detail)
}

/// A path in the form of the wire.
pub(super) fn path(path: &Path) -> AttributePath {
    use attribute_path::step::Selector;
    let steps = path.0.iter().map(|step| {
        let selector = match step {
            Step::Attribute(name) => Selector::AttributeName(name.clone()),
            Step::Key(key) => Selector::ElementKeyString(key.clone()),
            Step::Index(index) => Selector::ElementKeyInt(*index),
        };
        attribute_path::Step { selector: Some(selector) }
    });
    AttributePath { steps: steps.collect() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn shape() -> Type {
        let inner = Type::Object(BTreeMap::from([("host".to_owned(), Type::String), ("port".to_owned(), Type::Number)]));
        Type::Object(BTreeMap::from([
            ("name".to_owned(), Type::String),
            ("routes".to_owned(), Type::List(Box::new(inner))),
            ("tags".to_owned(), Type::Set(Box::new(Type::String))),
        ]))
    }

    #[test]
    fn a_message_points_at_what_the_host_can_find_and_names_the_rest() {
        let check = |whole: &Path, sent: &Path, named: bool| {
            let wire = diagnostics(vec![Diagnostic::error("Wrong", "It is wrong.").at(whole.clone())]).remove(0);
            assert_eq!(wire.attribute, Some(path(sent)), "{whole}");
            assert_eq!(wire.detail.contains(&whole.to_string()), named, "{}", wire.detail);
        };
        let routes = Path::dotted("routes").index(1);
        check(&Path::dotted("name"), &Path::dotted("name"), false);
        check(&routes, &routes, false);
        check(&routes.attribute("host"), &routes, true);
        check(&Path::dotted("gateway.password"), &Path::dotted("gateway"), true);
    }

    #[test]
    fn point_12_attributes_that_left_the_schema_are_dropped() {
        let text = r#"{ "name": "a", "old": [1, {"deep": true}], "routes": [ {"host": "h", "port": 25, "gone": null} ] }"#;
        let value = Record::from_value(stored(text.as_bytes(), &shape(), "x").unwrap());
        assert_eq!(value.text("name"), Some("a"));
        assert_eq!(value.get("tags"), &Value::Null);
        assert_eq!(value.get("old"), &Value::Null);
        assert_eq!(value.get("routes"), &Value::List(vec![Value::object([("host", "h".into()), ("port", 25.into())])]));
    }

    #[test]
    fn p06_broken_state_is_a_clear_error() {
        for broken in ["", "{", "[]", r#"{"name": 7}"#] {
            let error = stored(broken.as_bytes(), &shape(), "the state of x").unwrap_err();
            assert_eq!(error.summary, "Unable to understand the state of x");
            assert!(error.detail.contains("state rm"), "{}", error.detail);
        }
    }

    #[test]
    fn point_2_an_absent_value_is_null() {
        assert_eq!(value(None, &shape(), "x"), Ok(Value::Null));
        assert_eq!(value(Some(&DynamicValue::default()), &shape(), "x"), Ok(Value::Null));
        assert_eq!(value(Some(&null()), &shape(), "x"), Ok(Value::Null));
    }

    #[test]
    fn a_host_that_sends_rubbish_gets_an_error_on_the_attribute() {
        let rubbish = DynamicValue { json: br#"{"name":"a","routes":[{"host":7}],"tags":null}"#.to_vec(), msgpack: Vec::new() };
        let error = value(Some(&rubbish), &shape(), "the configuration").unwrap_err();
        assert_eq!(error.path.unwrap().to_string(), "routes[0].host");
        let rubbish = DynamicValue { msgpack: vec![0x81, 0xa4], json: Vec::new() };
        assert!(value(Some(&rubbish), &shape(), "x").is_err());
    }
}
