//! Turns an object into the record that Get answers, type side-cars included.

use serde_json::{Map, Value, json};

use super::backends::Object;
use super::noun::{Given, Kind, Noun, On};
use super::options::Options;
use super::values::{date_text, regrouped};

/// The record of an object that stands at this place among its kind.
pub(crate) fn record(noun: &Noun, object: &Object, place: usize, given: &Given, options: &Options) -> Map<String, Value> {
    let mut record = Map::new();
    if noun.ordered {
        record.insert("Priority@data.type".into(), json!("System.Int32"));
        record.insert("Priority".into(), json!(place));
    }
    for parameter in
        noun.parameters.iter().filter(|one| !one.hidden && (!matches!(one.on, On::New | On::Keys) || one.kind.is_list()))
    {
        let mut value = noun.value(object, parameter);
        let name = parameter.name.as_ref();
        if let (true, true, Value::Array(items)) = (options.single_values_as_text, noun.ordered, &value)
            && let [single] = items.as_slice()
        {
            value = single.clone();
        }
        match (&value, &parameter.kind) {
            (Value::Array(_), _) => {
                record.insert(format!("{name}@odata.type"), json!("#Collection(String)"));
            }
            (Value::Number(_), Kind::Integer(..)) => {
                record.insert(format!("{name}@data.type"), json!("System.Int32"));
            }
            (Value::String(size), Kind::Size) if options.size_grouping != "," => {
                value = json!(regrouped(size, &options.size_grouping));
            }
            (Value::String(_), Kind::Date(_)) => {
                record.insert(format!("{name}@data.type"), json!("System.DateTime"));
            }
            _ => {}
        }
        record.insert(name.to_owned(), value);
    }
    record.insert("Identity".into(), json!(object.name()));
    record.insert("DistinguishedName".into(), json!(distinguished_name(noun, object, options)));
    record.insert("Guid@odata.type".into(), json!("#Guid"));
    record.insert("Guid@data.type".into(), json!("System.Guid"));
    record.insert("Guid".into(), json!(object.guid));
    record.insert("IsValid".into(), json!(true));
    for (name, date, zone) in [
        ("WhenCreated", object.created, "+00:00"),
        ("WhenCreatedUTC", object.created, "Z"),
        ("WhenChanged", object.changed, "+00:00"),
        ("WhenChangedUTC", object.changed, "Z"),
    ]
    .into_iter()
    .filter(|_| options.change_times)
    {
        record.insert(format!("{name}@data.type"), json!("System.DateTime"));
        record.insert(name.into(), json!(date_text(date, zone)));
    }
    (noun.finish)(object, given, &mut record);
    record
}

/// Keeps the chosen properties and their side-cars.
pub(crate) fn select(record: Map<String, Value>, chosen: Option<&[String]>) -> Value {
    let Some(chosen) = chosen else { return Value::Object(record) };
    let kept = record.into_iter().filter(|(key, _)| {
        let base = key.split('@').next().unwrap_or(key);
        chosen.iter().any(|name| name.eq_ignore_ascii_case(base))
    });
    Value::Object(kept.collect())
}

/// The object's name in the directory.
pub(crate) fn distinguished_name(noun: &Noun, object: &Object, options: &Options) -> String {
    let organization = &options.organization;
    format!(
        "CN={},CN={},CN=Transport Settings,CN=Configuration,CN={organization},CN=ConfigurationUnits,DC=EURPR07A001,DC=PROD,DC=OUTLOOK,DC=COM",
        object.name(),
        noun.name
    )
}
