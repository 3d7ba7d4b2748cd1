//! Binds the `Parameters` of a request to the parameters of a cmdlet, as PowerShell would.
//!
//! Names are taken in any case. A key with `@` in it is a type hint and is passed over. A table without the tag
//! `#Exchange.GenericHashTable` (or `#Exchange.StringFieldDeltaUpdateData`) reaches the cmdlet as a `JObject`, which
//! binds to nothing.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::errors::Exception;
use super::noun::{Given, Input, Item, Kind, Noun, On, Parameter, Verb};
use super::values;

/// What every cmdlet takes.
pub(crate) const COMMON: [&str; 6] = ["Confirm", "WhatIf", "Verbose", "Debug", "ErrorAction", "WarningAction"];

/// The tags of a table that changes a list.
const TABLES: [&str; 2] = ["#Exchange.GenericHashTable", "#Exchange.StringFieldDeltaUpdateData"];

/// Binds every parameter of the request, or says what does not bind.
pub(crate) fn bind(noun: &Noun, verb: Verb, parameters: &Map<String, Value>) -> Result<Given, Exception> {
    let mut given = Given::new();
    for (name, value) in parameters.iter().filter(|(name, _)| !name.contains('@')) {
        let parameter = parameter(noun, verb, name).ok_or_else(Exception::parameter_set)?;
        let bound = bind_one(&parameter, verb, value)?;
        given.insert(parameter.name.into_owned(), bound);
    }
    let missing: Vec<&str> = mandatory(noun, verb)
        .into_iter()
        .filter(|name| !matches!(given.get(*name), Some(Input::Value(value)) if !value.is_null() && value != ""))
        .collect();
    if missing.is_empty() { Ok(given) } else { Err(Exception::missing(&missing)) }
}

/// The parameter of that name, if the cmdlet has it.
fn parameter(noun: &Noun, verb: Verb, name: &str) -> Option<Parameter> {
    let named = |candidate: &str| candidate.eq_ignore_ascii_case(name);
    if let Some(common) = COMMON.iter().find(|common| named(common)) {
        let kind = if common.ends_with("Action") { Kind::Text(64) } else { Kind::Boolean };
        return Some(Parameter::new(*common, kind));
    }
    takes(noun, verb).into_iter().find(|own| named(&own.name)).map(Cow::into_owned)
}

/// What a cmdlet takes beside [`COMMON`].
pub(crate) fn takes(noun: &Noun, verb: Verb) -> Vec<Cow<'_, Parameter>> {
    let text = |name: &'static str, length| Cow::Owned(Parameter::new(name, Kind::Text(length)));
    let on = |wanted: On| noun.parameters.iter().filter(move |one| one.on == On::Both || one.on == wanted).map(Cow::Borrowed);
    let identity = std::iter::once(text("Identity", usize::MAX));
    match verb {
        Verb::New => on(On::New).chain(noun.parameters.iter().filter(|one| one.on == On::Keys).map(Cow::Borrowed)).collect(),
        Verb::Rotate => identity.chain(noun.parameters.iter().filter(|one| one.on == On::Keys).map(Cow::Borrowed)).collect(),
        // Of what there is one of, nothing needs to be named, and nothing can be.
        Verb::Set if noun.single => on(On::Set).collect(),
        Verb::Set => identity.chain(on(On::Set)).collect(),
        Verb::Get => identity.chain([text("ResultSize", 64)]).chain(noun.filters.iter().map(Cow::Borrowed)).collect(),
        Verb::Remove | Verb::Disable => identity.collect(),
        Verb::Enable => identity.chain(noun.parameter("Mode").map(Cow::Borrowed)).collect(),
        Verb::Validate => identity.chain([Cow::Owned(Parameter::new("Recipients", Kind::Values(Item::Recipient)))]).collect(),
    }
}

/// What the cmdlet refuses to go without.
fn mandatory(noun: &Noun, verb: Verb) -> Vec<&str> {
    match verb {
        Verb::Get => Vec::new(),
        Verb::New => noun.parameters.iter().filter(|one| one.mandatory).map(|one| one.name.as_ref()).collect(),
        Verb::Set if noun.single => Vec::new(),
        Verb::Validate => vec!["Identity", "Recipients"],
        _ => vec!["Identity"],
    }
}

fn bind_one(parameter: &Parameter, verb: Verb, value: &Value) -> Result<Input, Exception> {
    if value.is_null() {
        // A Boolean or a number has no null, unless it has three states.
        return match parameter.kind {
            Kind::Boolean | Kind::Integer(..) if parameter.unset != Some(Value::Null) => {
                values::scalar(parameter, value).map(Input::Value)
            }
            _ => Ok(Input::Null),
        };
    }
    if !parameter.kind.is_list() {
        return values::scalar(parameter, value).map(Input::Value);
    }
    match value {
        Value::Array(items) if items.is_empty() => Ok(Input::EmptyList),
        Value::Array(items) => list(parameter, items),
        Value::Object(table) => bind_table(parameter, verb, table),
        // A single value binds as a list of one.
        single => list(parameter, std::slice::from_ref(single)),
    }
}

fn list(parameter: &Parameter, items: &[Value]) -> Result<Input, Exception> {
    let mut members = members(parameter, items)?;
    if let Kind::Values(form) | Kind::Array(form) = &parameter.kind {
        values::arrange(*form, &mut members);
    }
    Ok(Input::Value(Value::Array(members)))
}

fn members(parameter: &Parameter, items: &[Value]) -> Result<Vec<Value>, Exception> {
    items.iter().map(|item| values::member(parameter, item)).collect()
}

fn bind_table(parameter: &Parameter, verb: Verb, table: &Map<String, Value>) -> Result<Input, Exception> {
    let tagged = table.get("@odata.type").and_then(Value::as_str).is_some_and(|tag| TABLES.contains(&tag));
    let takes_changes = matches!(parameter.kind, Kind::Values(_)) && verb == Verb::Set;
    let type_name = match &parameter.kind {
        Kind::Values(form) | Kind::Array(form) => values::type_name(*form),
        _ => "System.Object",
    };
    if !tagged || !takes_changes {
        let seen = if tagged { "System.Collections.Hashtable" } else { "Newtonsoft.Json.Linq.JObject" };
        return Err(Exception::transformation(
            &parameter.name,
            &format!("Cannot convert the \"{seen}\" value of type \"{seen}\" to type \"{type_name}\"."),
        ));
    }
    let mut add = Vec::new();
    let mut remove = Vec::new();
    for (key, value) in table.iter().filter(|(key, _)| !key.contains('@')) {
        let items = match value {
            Value::Null => &[],
            Value::Array(items) => items.as_slice(),
            single => std::slice::from_ref(single),
        };
        match key.to_ascii_lowercase().as_str() {
            "add" => add.extend(members(parameter, items)?),
            "remove" => remove.extend(members(parameter, items)?),
            _ => {
                return Err(Exception::transformation(
                    &parameter.name,
                    &format!("The hash table key \"{key}\" isn't valid: only Add and Remove can be used."),
                ));
            }
        }
    }
    if add.is_empty() && remove.is_empty() { Ok(Input::EmptyTable) } else { Ok(Input::Delta { add, remove }) }
}
