//! The nouns that stand on the service, one table each.

mod accepted_domain;
mod actions;
mod arc_config;
mod connection_filter;
mod dkim_signing_config;
mod inbound_connector;
mod organization_config;
mod outbound_connector;
mod predicates;
mod remote_domain;
mod transport_config;
mod transport_rule;

use std::sync::LazyLock;

use serde_json::Value;

use super::backends::Object;
use super::noun::{Item, Kind, Noun, Parameter};

static NOUNS: LazyLock<Vec<Noun>> = LazyLock::new(|| {
    vec![
        inbound_connector::noun(),
        outbound_connector::noun(),
        transport_rule::noun(),
        accepted_domain::noun(),
        remote_domain::noun(),
        connection_filter::noun(),
        arc_config::noun(),
        transport_config::noun(),
        organization_config::noun(),
        dkim_signing_config::noun(),
    ]
});

/// All nouns, in the order in which they are described.
pub(crate) fn all() -> &'static [Noun] {
    &NOUNS
}

/// The noun of that name, in any case.
pub(crate) fn find(name: &str) -> Option<&'static Noun> {
    NOUNS.iter().find(|noun| noun.name.eq_ignore_ascii_case(name))
}

/// The conditions, actions and exceptions of a rule with their values, for people; no secret is shown.
pub(crate) fn rule_parts(noun: &Noun, rule: &Object) -> [Vec<String>; 3] {
    transport_rule::parts(noun, rule)
}

fn text(name: &'static str, max: usize) -> Parameter {
    Parameter::new(name, Kind::Text(max))
}

fn boolean(name: &'static str) -> Parameter {
    Parameter::new(name, Kind::Boolean)
}

/// A Boolean that is on unless somebody says otherwise.
fn boolean_on(name: &'static str) -> Parameter {
    boolean(name).start(Value::Bool(true))
}

fn integer(name: &'static str, low: i64, high: i64) -> Parameter {
    Parameter::new(name, Kind::Integer(low, high))
}

fn choice(name: &'static str, names: &'static [&'static str]) -> Parameter {
    Parameter::new(name, Kind::Choice(names))
}

fn one(name: &'static str, form: Item) -> Parameter {
    Parameter::new(name, Kind::One(form))
}

/// A `MultiValuedProperty`.
fn values(name: &'static str, form: Item) -> Parameter {
    Parameter::new(name, Kind::Values(form))
}

/// A plain array.
fn array(name: &'static str, form: Item) -> Parameter {
    Parameter::new(name, Kind::Array(form))
}
