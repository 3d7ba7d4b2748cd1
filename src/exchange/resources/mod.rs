//! The resources of Exchange Online: one file each.

mod accepted_domain;
mod across;
mod arc_config;
mod connection_filter;
mod dkim_activation;
mod dkim_signing_config;
mod inbound_connector;
mod organization_mail_flow;
mod outbound_connector;
mod remote_domain;
mod transport_rule;
mod transport_rule_order;

pub(super) use self::across::tenant_label;
use super::cmdlet::Cmdlets;
use crate::schema::{self, Attribute, Clearing, Record, Resource, set};
use crate::value::Value;

/// All resources of this side.
pub const ALL: &[&Resource] = &RESOURCES;

/// All resources with their cmdlets: the one place where a resource of this side is entered.
pub const CMDLETS: &[&Cmdlets] = &[
    &inbound_connector::CMDLETS,
    &outbound_connector::CMDLETS,
    &transport_rule::CMDLETS,
    &transport_rule_order::CMDLETS,
    &accepted_domain::CMDLETS,
    &remote_domain::CMDLETS,
    &connection_filter::CMDLETS,
    &arc_config::CMDLETS,
    &organization_mail_flow::CMDLETS,
    &dkim_signing_config::CMDLETS,
    &dkim_activation::CMDLETS,
];

const RESOURCES: [&Resource; CMDLETS.len()] = {
    let mut all = [CMDLETS[0].resource; CMDLETS.len()];
    let mut index = 0;
    while index < all.len() {
        all[index] = CMDLETS[index].resource;
        index += 1;
    }
    all
};

/// Finds the cmdlets of a resource by the resource's name.
pub fn named(resource: &str) -> Option<&'static Cmdlets> {
    CMDLETS.iter().copied().find(|cmdlets| cmdlets.resource.name == resource)
}

/// What stands in Exchange Online and has no argument, with the forms in which it is told.
const UNMANAGED: Attribute = Attribute {
    about: "Settings of the object that this provider has no argument for, and never changes. Each is a name, such as `EFTestMode = true`; what belongs to a \
            rule says where it stands, such as `exceptions: ContentMatchesPrompt`. A value is shown where it is `true`, a number or a single word; any other \
            is shown as a fingerprint (`#1a2b3c4d`) that changes with it, and that of a name which hints at a secret (`...Header...`, `...Token...`) not at \
            all. Left out, the plan warns while they differ from what the last apply or import found. To accept those that stand, list them; any other is \
            then a planned change, and apply refuses it with what to remove by hand. `[]` accepts none. A new object has none.",
    ..schema::UNMANAGED
};

/// A set that the service keeps as a `MultiValuedProperty`: it takes `Add` and `Remove`, where a plain array takes a whole list only.
const fn multi_valued(name: &'static str, about: &'static str) -> Attribute {
    set(name, about).cleared_by(Clearing::NullThenRemove)
}

/// Tells whether a boolean is true, or is not written and `default` holds; nothing if it is not known yet.
fn is_true(record: &Record, name: &str, default: bool) -> Option<bool> {
    match record.at(name) {
        Value::Null => Some(default),
        value => value.as_bool(),
    }
}

/// Tells whether something is written: not null, not empty; nothing if it is not known yet.
fn is_written(record: &Record, name: &str) -> Option<bool> {
    match record.at(name) {
        Value::Null => Some(false),
        Value::Unknown(_) => None,
        Value::String(text) => Some(!text.is_empty()),
        Value::List(items) | Value::Set(items) => Some(!items.is_empty()),
        _ => Some(true),
    }
}

/// Tells whether a text is this one; nothing if it is not known yet.
fn is_text(record: &Record, name: &str, text: &str) -> Option<bool> {
    match record.at(name) {
        Value::Unknown(_) => None,
        value => Some(value.as_text() == Some(text)),
    }
}

/// Tells whether a connector is for own servers, as far as it is known.
fn is_on_premises(record: &Record) -> bool {
    record.text("connector_type") == Some("OnPremises")
}

#[cfg(test)]
mod tests;
