//! Values on the wire: what a parameter carries, and what a member of an answer means.

use serde_json::Value as Json;
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

use super::binding::Form;
use crate::exchange::forms::exact_size;
use crate::schema::{Attribute, Fill, Kind, Presence, Scalar};
use crate::value::{Number, Value};

const SENT: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");

/// Makes the JSON of a known value. Null and unknown have none.
pub(super) fn to_json(form: Option<Form>, value: &Value) -> Option<Json> {
    match value {
        Value::Null | Value::Unknown(_) => None,
        Value::Bool(truth) => Some(Json::from(*truth)),
        Value::Number(number) => serde_json::from_str(&number.to_string()).ok(),
        Value::String(text) => Some(Json::from(match form {
            Some(Form::Date) => moment(text).and_then(|at| at.format(SENT).ok()).unwrap_or_else(|| text.clone()),
            Some(Form::Size) => exact_size(text),
            Some(Form::Joined | Form::Tristate) | None => text.clone(),
        })),
        // Lists are sent as plain arrays: they replace what stands.
        Value::List(items) | Value::Set(items) | Value::Tuple(items) => {
            items.iter().map(|item| to_json(form, item)).collect::<Option<Vec<_>>>().map(Json::from)
        }
        Value::Map(members) | Value::Object(members) => {
            let members = members.iter().map(|(name, value)| Some((name.clone(), to_json(form, value)?)));
            members.collect::<Option<serde_json::Map<_, _>>>().map(Json::from)
        }
        Value::Dynamic(inner) => to_json(form, &inner.1),
    }
}

/// Tells what a member of an answer means for an attribute. The service's "nothing" (null, `""`, `[]`, and `false` where the
/// attribute is nullable) becomes null, or what the attribute is filled with. The error says what was not understood.
pub(in crate::exchange) fn from_json(attribute: &Attribute, form: Option<Form>, json: &Json) -> Result<Value, String> {
    let value = match attribute.kind {
        _ if json.is_null() => Value::Null,
        Kind::Scalar(scalar) => single(scalar, form, json)?,
        Kind::Set(scalar) => several(scalar, form, json)?.map_or(Value::Null, Value::set),
        Kind::List(scalar) => several(scalar, form, json)?.map_or(Value::Null, Value::List),
        Kind::Map(_) | Kind::Object(_) | Kind::ListOf(_) | Kind::SetOf(_) | Kind::Block(_) | Kind::BlockList(_) => {
            return Err(format!("no form is known for {}", kind(json)));
        }
    };
    Ok(match (is_nothing(&value), attribute.presence, value) {
        (true, Presence::Filled(fill), _) => filled(attribute, fill),
        (true, _, _) => Value::Null,
        (_, Presence::Nullable, Value::Bool(false)) if form != Some(Form::Tristate) => Value::Null,
        (_, _, value) => value,
    })
}

/// Tells whether a value says nothing: null, the empty text, the empty collection.
pub(super) fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::List(items) | Value::Set(items) | Value::Tuple(items) => items.is_empty(),
        Value::Map(members) => members.is_empty(),
        Value::Object(members) => members.values().all(is_nothing),
        _ => false,
    }
}

/// What a filled attribute is when nothing stands at the service.
pub(super) fn filled(attribute: &Attribute, fill: Fill) -> Value {
    match fill {
        Fill::False => Value::Bool(false),
        Fill::True => Value::Bool(true),
        Fill::Integer(number) => Value::integer(number),
        Fill::Text(text) => Value::text(text),
        Fill::Service => match attribute.kind {
            Kind::Set(_) => Value::set(Vec::new()),
            Kind::List(_) => Value::List(Vec::new()),
            _ => Value::Null,
        },
        Fill::Empty => match attribute.kind {
            Kind::List(_) | Kind::ListOf(_) | Kind::BlockList(_) => Value::List(Vec::new()),
            Kind::Map(_) => Value::Map(std::collections::BTreeMap::new()),
            _ => Value::set(Vec::new()),
        },
    }
}

fn single(scalar: Scalar, form: Option<Form>, json: &Json) -> Result<Value, String> {
    let odd = || format!("{} where {scalar:?} was expected", kind(json));
    match (scalar, json) {
        (_, Json::Null) => Ok(Value::Null),
        (Scalar::String, Json::String(text)) => Ok(text_of(form, text)),
        (Scalar::String, Json::Number(number)) => Ok(text_of(form, &number.to_string())),
        (Scalar::String, Json::Bool(truth)) => Ok(Value::text(truth.to_string())),
        (Scalar::Boolean, Json::Bool(truth)) => Ok(Value::Bool(*truth)),
        (Scalar::Boolean, Json::String(text)) => match text.to_ascii_lowercase().as_str() {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            "" => Ok(Value::Null),
            _ => Err(odd()),
        },
        (Scalar::Integer | Scalar::Number, Json::Number(number)) => parse(&number.to_string()).ok_or_else(odd),
        // Some numbers are types of the service's own, and come as text.
        (Scalar::Integer | Scalar::Number, Json::String(text)) if text.trim().is_empty() => Ok(Value::Null),
        (Scalar::Integer | Scalar::Number, Json::String(text)) => parse(text.trim()).ok_or_else(odd),
        _ => Err(odd()),
    }
}

/// A list comes as an array, or bare when it has one element.
fn several(scalar: Scalar, form: Option<Form>, json: &Json) -> Result<Option<Vec<Value>>, String> {
    match json {
        Json::Null => Ok(None),
        Json::String(joined) if form == Some(Form::Joined) => Ok(Some(parts(joined).map(Value::text).collect())),
        Json::Array(items) => {
            if form == Some(Form::Joined) {
                return Ok(Some(items.iter().filter_map(Json::as_str).flat_map(parts).map(Value::text).collect()));
            }
            let items: Result<Vec<_>, _> = items.iter().map(|item| single(scalar, form, item)).collect();
            Ok(Some(items?.into_iter().filter(|item| !is_nothing(item)).collect()))
        }
        bare => {
            Ok(Some(vec![single(scalar, form, bare)?]).map(|items| items.into_iter().filter(|item| !is_nothing(item)).collect()))
        }
    }
}

fn text_of(form: Option<Form>, text: &str) -> Value {
    match form {
        Some(Form::Date) => match moment(text) {
            // The least date stands for none.
            Some(at) if at.year() <= 1 => Value::Null,
            Some(at) => Value::text(at.format(SENT).map_or_else(|_| text.to_owned(), |text| text + "Z")),
            None => Value::text(text),
        },
        Some(Form::Size) => Value::text(exact_size(text)),
        Some(Form::Joined | Form::Tristate) | None => Value::text(text),
    }
}

/// The texts that are joined in one.
fn parts(joined: &str) -> impl Iterator<Item = &str> {
    joined.split(',').map(str::trim).filter(|part| !part.is_empty())
}

/// Writes a moment as a parameter takes it.
pub(super) fn sent(at: OffsetDateTime) -> String {
    at.to_offset(UtcOffset::UTC).format(SENT).unwrap_or_else(|_| at.to_string())
}

/// Reads a moment with or without a zone; without one it is UTC.
pub(super) fn moment(text: &str) -> Option<OffsetDateTime> {
    let parsed = OffsetDateTime::parse(text, &Rfc3339).or_else(|_| OffsetDateTime::parse(&format!("{text}Z"), &Rfc3339));
    parsed.ok().map(|at| at.to_offset(UtcOffset::UTC))
}

fn parse(text: &str) -> Option<Value> {
    text.parse::<Number>().ok().map(Value::Number)
}

fn kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "nothing",
        Json::Bool(_) => "a truth value",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::{boolean, integer, set, string};

    fn check(attribute: Attribute, form: Option<Form>, json: &Json, wanted: Value) {
        assert_eq!(from_json(&attribute, form, json), Ok(wanted), "{json}");
    }

    #[test]
    fn the_services_nothing_is_null_or_what_fills_it() {
        for nothing in [json!(null), json!(""), json!([])] {
            check(set("a", ""), None, &nothing, Value::Null);
            check(set("a", "").filled_empty(), None, &nothing, Value::set(vec![]));
        }
        check(string("a", ""), None, &json!(""), Value::Null);
        check(string("a", "").filled_text("Opportunistic"), None, &json!(null), Value::text("Opportunistic"));
        check(boolean("a", ""), None, &json!(false), Value::Null);
        check(boolean("a", "").filled(false), None, &json!(false), Value::Bool(false));
        check(boolean("a", "").filled(true), None, &json!(null), Value::Bool(true));
        check(integer("a", ""), None, &json!(""), Value::Null);
    }

    #[test]
    fn a_list_comes_as_an_array_or_bare() {
        check(set("a", ""), None, &json!(["y", "x"]), Value::texts(["x", "y"]));
        check(set("a", ""), None, &json!("x"), Value::texts(["x"]));
    }

    #[test]
    fn a_number_comes_as_a_number_or_as_text() {
        check(integer("a", ""), None, &json!(-1), Value::integer(-1));
        check(integer("a", ""), None, &json!("-1"), Value::integer(-1));
        assert!(from_json(&integer("a", ""), None, &json!("many")).is_err());
        assert!(from_json(&boolean("a", ""), None, &json!([])).is_err());
    }

    #[test]
    fn dates_are_sent_in_utc_without_a_zone_and_read_with_any() {
        let sent = to_json(Some(Form::Date), &Value::text("2026-08-21T16:30:00+02:00"));
        assert_eq!(sent, Some(json!("2026-08-21T14:30:00")));
        for shown in ["2026-07-24T18:59:12.0000000", "2026-07-24T18:59:12.0000000Z", "2026-07-24T20:59:12.0000000+02:00"] {
            check(string("a", ""), Some(Form::Date), &json!(shown), Value::text("2026-07-24T18:59:12Z"));
        }
        check(string("a", ""), Some(Form::Date), &json!("0001-01-01T00:00:00"), Value::Null);
    }

    #[test]
    fn rx7_a_size_is_read_by_its_bytes_and_sent_exactly() {
        for (shown, wanted) in [
            (json!("10 MB (10,485,760 bytes)"), "10 MB"),
            (json!("97.66 KB (100,000 bytes)"), "100000 B"),
            (json!("97,66 KB (100.000 Bytes)"), "100000 B"),
            (json!(100_000), "100000 B"),
            (json!("Unlimited"), "Unlimited"),
        ] {
            check(string("a", ""), Some(Form::Size), &shown, Value::text(wanted));
        }
        assert_eq!(to_json(Some(Form::Size), &Value::text("97.66 KB (100,000 bytes)")), Some(json!("100000 B")));
        assert_eq!(to_json(Some(Form::Size), &Value::text("unlimited")), Some(json!("Unlimited")));
    }

    #[test]
    fn texts_that_come_in_one_are_taken_apart() {
        let sealers = set("a", "").filled_empty();
        for shown in [json!("b.example, a.example"), json!(["a.example,b.example"]), json!(["a.example", "b.example"])] {
            check(sealers, Some(Form::Joined), &shown, Value::texts(["a.example", "b.example"]));
        }
        for nothing in [json!(" "), json!([" "]), json!(null), json!("")] {
            check(sealers, Some(Form::Joined), &nothing, Value::set(vec![]));
        }
    }

    #[test]
    fn false_is_kept_where_it_says_something_else_than_nothing() {
        check(boolean("a", ""), Some(Form::Tristate), &json!(false), Value::Bool(false));
        check(boolean("a", ""), Some(Form::Tristate), &json!(null), Value::Null);
    }

    #[test]
    fn lists_are_sent_as_plain_arrays() {
        assert_eq!(to_json(None, &Value::texts(["b", "a"])), Some(json!(["a", "b"])));
        assert_eq!(to_json(None, &Value::integer(-1)), Some(json!(-1)));
        assert_eq!(to_json(None, &Value::Null), None);
    }
}
