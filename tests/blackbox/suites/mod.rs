//! What varies: for each resource, an object to start from, and for each attribute two values.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]

mod exchange;
mod gateway;
pub mod steps;

use std::future::Future;
use std::pin::Pin;

use mailflow::tool::sandbox::StandIns;
use serde_json::Value as Json;

/// All suites.
pub const SUITES: &[&Suite] = &[
    &exchange::INBOUND_CONNECTOR,
    &exchange::OUTBOUND_CONNECTOR,
    &exchange::TRANSPORT_RULE,
    &exchange::ACCEPTED_DOMAIN,
    &exchange::REMOTE_DOMAIN,
    &exchange::CONNECTION_FILTER,
    &exchange::ARC_CONFIG,
    &exchange::ORGANIZATION_MAIL_FLOW,
    &exchange::DKIM_SIGNING_CONFIG,
    &gateway::DESTINATION_CONTROL,
    &gateway::RECIPIENT_ACCESS,
    &gateway::SMTP_ROUTE,
    &gateway::MAIL_FLOW_POLICY,
    &gateway::LISTENER_DEFAULTS,
    &gateway::SENDER_GROUP,
    &gateway::MESSAGE_FILTER,
    &gateway::TLS_SETTINGS,
];

/// Resources whose life is proven elsewhere, and where.
pub const ELSEWHERE: &[(&str, &str)] = &[
    (
        "mailflow_exchange_transport_rule_order",
        "tests/blackbox/exchange.rs: it is about rules, and its import ID is what it holds",
    ),
    (
        "mailflow_exchange_dkim_activation",
        "tests/blackbox/dkim.rs and lag.rs: it is the switch of a config that is made beside it",
    ),
    ("mailflow_gateway_message_filter_order", "tests/blackbox/places.rs: it is about filters"),
    ("mailflow_gateway_sender_group_order", "tests/blackbox/places.rs: it is about groups"),
];

/// Something done to a service behind Terraform's back, to the object with these attributes.
pub type Deed = for<'a> fn(&'a StandIns, &'a Json) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

/// The lifecycle of one resource.
pub struct Suite {
    /// The full type name.
    pub resource: &'static str,
    /// There is one object of this kind: all variants are tried on it together.
    pub single: bool,
    /// The arguments of the n-th object.
    pub base: fn(usize) -> Json,
    /// What varies.
    pub variants: fn() -> Vec<Variant>,
    /// Attributes that are proven elsewhere, and where.
    pub elsewhere: &'static [(&'static str, &'static str)],
    /// Deletes the object at the service.
    pub delete: Option<Deed>,
    /// Changes the object at the service.
    pub change: Option<Deed>,
}

/// The steps that each variant goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Without,
    Set,
    Changed,
    WithoutAgain,
}

/// Two values of one attribute.
pub struct Variant {
    /// Its dotted name.
    pub attribute: &'static str,
    /// What else the object needs for it, at every step.
    pub with: Json,
    /// What else the object needs while it is set.
    pub while_set: Json,
    set: Json,
    changed: Json,
    required: bool,
    /// Left out, it stays as it is: the documented way of settings that the service fills.
    pub stays: bool,
}

/// Varies an optional attribute.
pub fn optional(attribute: &'static str, set: Json, changed: Json) -> Variant {
    Variant { attribute, with: Json::Null, while_set: Json::Null, set, changed, required: false, stays: false }
}

/// Varies a required attribute: it has the first value where an optional one would be unset.
pub fn required(attribute: &'static str, set: Json, changed: Json) -> Variant {
    Variant { required: true, ..optional(attribute, set, changed) }
}

impl Variant {
    /// Needs these arguments, too.
    pub fn with(self, with: Json) -> Variant {
        Variant { with, ..self }
    }

    /// Needs these arguments as long as the attribute is set.
    pub fn while_set(self, while_set: Json) -> Variant {
        Variant { while_set, ..self }
    }

    /// Stays as it is when it is left out again.
    pub fn stays(self) -> Variant {
        Variant { stays: true, ..self }
    }

    /// What the attribute is to be at a step; `None` where it is left out.
    pub fn wanted(&self, step: Step) -> Option<Json> {
        match step {
            Step::Changed => Some(self.changed.clone()),
            Step::Set => Some(self.set.clone()),
            _ if self.required => Some(self.set.clone()),
            _ => None,
        }
    }

    /// Puts the attribute into the arguments as the step wants it.
    pub fn apply(&self, step: Step, arguments: &mut Json) {
        merge(arguments, &self.with);
        let wanted = self.wanted(step);
        if let Some(value) = wanted {
            if matches!(step, Step::Set | Step::Changed) {
                merge(arguments, &self.while_set);
            }
            put(arguments, self.attribute, value);
        }
    }
}

fn merge(into: &mut Json, from: &Json) {
    match (into, from) {
        (_, Json::Null) => {}
        (Json::Object(into), Json::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name.clone()).or_insert(Json::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

fn put(into: &mut Json, dotted: &str, value: Json) {
    match dotted.split_once('.') {
        Some((first, rest)) => {
            if !into[first].is_object() {
                into[first] = Json::Object(serde_json::Map::new());
            }
            put(&mut into[first], rest, value);
        }
        None => into[dotted] = value,
    }
}
