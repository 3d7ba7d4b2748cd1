//! Values on their way in and out: decoding against the schema's type, and encoding that never loses the object.
//!
//! The host discards an object whose encoding does not fit the schema, and with it the only trace of what was created. So an
//! object is made to fit before it is encoded, and what did not fit is said.

use crate::plugin::wire::tfplugin6::{AttributePath, Diagnostic as WireDiagnostic, DynamicValue, attribute_path, diagnostic};
use crate::remote;
use crate::schema::engine::{self, Column, Shape};
use crate::schema::{Record, Resource};
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
pub(super) fn encode_saved(resource: &'static Resource, record: &Record, diagnostics: &mut Diagnostics) -> Option<DynamicValue> {
    let (whole, misfits) = engine::saveable(resource, record);
    diagnostics.extend(misfits);
    match encode(whole, engine::served_type(resource)) {
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
            let detail = located(&diagnostic);
            WireDiagnostic {
                severity: match diagnostic.severity {
                    Severity::Error => diagnostic::Severity::Error.into(),
                    Severity::Warning => diagnostic::Severity::Warning.into(),
                },
                summary: remote::shown(&diagnostic.summary),
                detail: remote::shown(&detail),
                attribute: diagnostic.path.as_ref().map(path),
            }
        })
        .collect()
}

/// The text of a message, which names what is inside a block: the host may find no line for it, as in a `dynamic` block.
fn located(diagnostic: &Diagnostic) -> String {
    let is_attribute = |step: &&Step| matches!(step, Step::Attribute(_));
    let Some(whole) = diagnostic.path.as_ref().filter(|whole| whole.0.iter().filter(is_attribute).count() > 1) else {
        return diagnostic.detail.clone();
    };
    let name = whole.to_string();
    if diagnostic.summary.contains(&name) || diagnostic.detail.contains(&name) {
        return diagnostic.detail.clone();
    }
    format!("{}\n\nThe attribute is {name}.", diagnostic.detail)
}

/// Brings the paths of messages into a form by which the host finds the line in a configuration. It goes down into blocks, to an
/// argument or an element of one. Of what is inside an argument it finds nothing, and shows the head of the whole block. The line of a
/// nested block itself it shows for an argument that is not there: no argument has the empty name.
pub(super) fn point(columns: impl Fn() -> Vec<Column>, diagnostics: &mut [WireDiagnostic]) {
    let mut paths = diagnostics.iter_mut().filter_map(|diagnostic| diagnostic.attribute.as_mut()).peekable();
    if paths.peek().is_none() {
        return;
    }
    let columns = columns();
    for path in paths {
        *path = AttributePath { steps: findable(&columns, &path.steps) };
    }
}

fn findable(columns: &[Column], steps: &[attribute_path::Step]) -> Vec<attribute_path::Step> {
    use attribute_path::step::Selector;
    let step = |selector| attribute_path::Step { selector: Some(selector) };
    let [first, rest @ ..] = steps else { return Vec::new() };
    let column = match &first.selector {
        Some(Selector::AttributeName(name)) => columns.iter().find(|column| column.name == *name),
        _ => None,
    };
    let (index, inside) = match rest {
        [index, inside @ ..] if !matches!(index.selector, Some(Selector::AttributeName(_))) => (Some(index), inside),
        inside => (None, inside),
    };
    let mut found = vec![first.clone()];
    found.extend(index.cloned());
    let Some(members) = column.filter(|column| column.shape.is_block()).and_then(|column| column.shape.members()) else {
        return found;
    };
    if index.is_none() && column.is_some_and(|column| matches!(column.shape, Shape::BlockList(_))) {
        found.push(step(Selector::ElementKeyInt(0)));
    }
    if inside.is_empty() {
        found.push(step(Selector::AttributeName(String::new())));
    } else {
        found.extend(findable(members, inside));
    }
    found
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
    use crate::schema::{Attribute, block, block_list, list_of, map, set, string};

    fn shape() -> Type {
        let inner = Type::Object(BTreeMap::from([("host".to_owned(), Type::String), ("port".to_owned(), Type::Number)]));
        Type::Object(BTreeMap::from([
            ("name".to_owned(), Type::String),
            ("routes".to_owned(), Type::List(Box::new(inner))),
            ("tags".to_owned(), Type::Set(Box::new(Type::String))),
        ]))
    }

    #[test]
    fn a_message_points_at_what_the_host_can_find_and_names_what_is_inside_a_block() {
        const HOST: &[Attribute] = &[string("host", "A host.")];
        const LEVEL: &[Attribute] = &[block("level", "A level.", HOST), set("keys", "Keys.")];
        let table = [
            string("name", "A name."),
            map("words", "Words."),
            list_of("told", "Told.", HOST).computed(),
            block("side", "A side.", LEVEL),
            block_list("route", "A route.", HOST),
        ];
        let check = |whole: &Path, sent: &Path, named: bool| {
            let mut wire = diagnostics(vec![Diagnostic::error("Wrong", "It is wrong.").at(whole.clone())]);
            point(|| engine::columns(&table), &mut wire);
            assert_eq!(wire[0].attribute, Some(path(sent)), "{whole}");
            assert_eq!(wire[0].detail.contains(&whole.to_string()), named, "{}", wire[0].detail);
        };
        let same = |whole: &Path, named: bool| check(whole, whole, named);
        same(&Path::dotted("name"), false);
        same(&Path::dotted("words").key("a"), false);
        check(&Path::dotted("told").index(1).attribute("host"), &Path::dotted("told").index(1), true);
        check(&Path::dotted("side"), &Path::dotted("side").attribute(""), false);
        same(&Path::dotted("side.keys"), true);
        same(&Path::dotted("side.keys").index(1), true);
        check(&Path::dotted("side.level"), &Path::dotted("side.level").attribute(""), true);
        same(&Path::dotted("side.level.host"), true);
        let route = Path::dotted("route");
        check(&route, &route.index(0).attribute(""), false);
        check(&route.index(1), &route.index(1).attribute(""), false);
        same(&route.index(1).attribute("host"), true);
        same(&Path::dotted("unheard"), false);
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
