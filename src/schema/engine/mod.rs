//! The engine over attribute tables: types, validation, plan, equality, guard, identity, documents.
//!
//! Every function here is pure, deterministic and total: no clock, no network, no panic, for any well-typed input,
//! unknown values included.
//!
//! A life of an object, in calls: [`validate_form`] the configuration, [`plan()`] the change, [`judge`] what is new in it, [`effective`] to
//! learn what is to be sent, [`settle()`] what the service answers into the user's spelling, [`guard()`] the answer before it leaves.

mod about;
mod check;
mod column;
mod complete;
mod difference;
mod document;
mod duration;
mod equality;
mod generate;
mod guard;
mod kept;
mod key;
mod near;
mod plan;
mod rules;
mod settle;
mod standing;
#[cfg(test)]
mod tests;
mod unmanaged;
mod validate;

use std::collections::BTreeMap;
use std::iter::once;
use std::sync::{Mutex, PoisonError};

use super::{Attribute, Catalog, DataSource, Fill, Kind, Presence, Resource, filters, string};
use crate::value::{Type, Value};

pub use check::check_catalog;
pub use column::{Column, Shape, columns, data_columns, identity_columns, list_columns, resource_columns, settings_columns};
pub use complete::{answer, saveable, with_defaults};
pub use difference::differences;
pub use document::{data_source_page, function_page, index_page, list_page, resource_page};
pub use duration::parse_duration;
pub use equality::{canonical, same};
pub use generate::{concealed, generated};
pub use guard::{Difference, guard, keep, spelled};
pub use key::{identity, key, known_id, parse_key};
pub use near::distance;
pub use plan::{Plan, carried, effective, plan};
pub use settle::settle;
pub use standing::is_always_there;
pub use unmanaged::{
    Lost, found as unmanaged_found, lost as unmanaged_lost, of as unmanaged, planned as unmanaged_planned,
    refused as unmanaged_refused,
};
pub use validate::{is_unseen, judge, validate, validate_form};

/// The attributes of an object by name, as values hold them.
type Members = BTreeMap<String, Value>;

/// The attribute that every resource has: how the service names the object for good.
static ID: Attribute = string("id", "Names the object for as long as it lives.").computed().fixed();

/// The block that every resource has: how long its operations may take.
static TIMEOUTS: Attribute = super::block(
    "timeouts",
    "How long each operation may take before it is given up.",
    &[
        string("create", "How long creating the object may take.")
            .format("a duration such as `30s`, `5m` or `1h30m`", duration::test),
        string("read", "How long reading the object may take.")
            .format("a duration such as `30s`, `5m` or `1h30m`", duration::test),
        string("update", "How long changing the object may take.")
            .format("a duration such as `30s`, `5m` or `1h30m`", duration::test),
        string("delete", "How long deleting the object may take.")
            .format("a duration such as `30s`, `5m` or `1h30m`", duration::test),
    ],
)
.local();

/// All attributes of a resource: `id`, those of its table, `timeouts`.
fn attributes(resource: &Resource) -> impl Iterator<Item = &'static Attribute> + Clone + use<> {
    once(&ID).chain(resource.attributes).chain(once(&TIMEOUTS))
}

/// The attribute of a resource by name, `id` and `timeouts` included.
fn attribute(resource: &Resource, name: &str) -> Option<&'static Attribute> {
    attributes(resource).find(|attribute| attribute.name == name)
}

/// The type of an object with these attributes, write-only forms included.
pub fn object_type(members: &[Attribute]) -> Type {
    Type::Object(member_types(members))
}

/// The type of a resource's state: its table with `id`, `timeouts` and all write-only forms.
pub fn resource_type(resource: &Resource) -> Type {
    Type::Object(member_types(attributes(resource)))
}

/// The type of the state of a resource that is served. It is made once: each call for an object needs it, and a wide resource has hundreds of attributes.
pub fn served_type(resource: &'static Resource) -> &'static Type {
    static TYPES: Mutex<BTreeMap<usize, &'static Type>> = Mutex::new(BTreeMap::new());
    let mut types = TYPES.lock().unwrap_or_else(PoisonError::into_inner);
    // A resource lives as long as the process, and so does its place.
    types.entry(std::ptr::from_ref(resource).addr()).or_insert_with(|| Box::leak(Box::new(resource_type(resource))))
}

/// The type of the arguments of a resource's list.
pub fn list_type(resource: &Resource) -> Type {
    object_type(&filters(resource))
}

/// The type of a data source's arguments and results.
pub fn data_type(source: &DataSource) -> Type {
    object_type(source.attributes)
}

/// The type of the provider block.
pub fn settings_type(catalog: &Catalog) -> Type {
    object_type(catalog.settings)
}

/// The type of a resource's identity.
pub fn identity_type(resource: &Resource) -> Type {
    let named = resource.identity.iter().filter_map(|name| attribute(resource, name));
    Type::Object(named.map(|attribute| (attribute.name.to_owned(), attribute.value_type())).collect())
}

fn member_types<'a>(members: impl IntoIterator<Item = &'a Attribute>) -> BTreeMap<String, Type> {
    let mut types = BTreeMap::new();
    for member in members {
        types.insert(member.name.to_owned(), member.value_type());
        if member.write_only_form {
            types.insert(member.write_only_name(), member.value_type());
            types.insert(member.version_name(), Type::Number);
        }
    }
    types
}

/// The value of a filled attribute that the user leaves out, where the table says it; for an object that is filled with the
/// empty one, an object of what its members are when they are left out. What only the service knows is not here.
fn default_value(attribute: &Attribute) -> Option<Value> {
    if matches!(attribute.kind, Kind::BlockList(_)) {
        return Some(Value::List(Vec::new()));
    }
    let Presence::Filled(fill) = attribute.presence else { return None };
    match fill {
        Fill::False => Some(Value::Bool(false)),
        Fill::True => Some(Value::Bool(true)),
        Fill::Integer(number) => Some(Value::integer(number)),
        Fill::Text(text) => Some(Value::text(text)),
        Fill::Empty => Some(match attribute.kind {
            Kind::Scalar(_) => Value::text(""),
            Kind::List(_) | Kind::ListOf(_) | Kind::BlockList(_) => Value::List(Vec::new()),
            Kind::Set(_) | Kind::SetOf(_) => Value::Set(Vec::new()),
            Kind::Map(_) => Value::Map(BTreeMap::new()),
            Kind::Object(members) | Kind::Block(members) => Value::Object(defaults(members)),
        }),
        Fill::Service => None,
    }
}

/// An object of which everything is left out.
fn defaults(members: &[Attribute]) -> Members {
    let names = member_types(members).into_keys();
    let mut values: Members = names.map(|name| (name, Value::Null)).collect();
    for member in members {
        if let Some(value) = default_value(member) {
            values.insert(member.name.to_owned(), value);
        }
    }
    values
}

/// The attribute's value; null if it is missing.
fn get<'a>(members: Option<&'a Members>, name: &str) -> &'a Value {
    members.and_then(|members| members.get(name)).unwrap_or(&Value::Null)
}
