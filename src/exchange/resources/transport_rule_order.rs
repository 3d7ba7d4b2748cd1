//! The order of transport rules among themselves.
//!
//! <https://learn.microsoft.com/powershell/module/exchangepowershell/set-transportrule#-priority>. The service knows no order but the `Priority` of each rule: a
//! number from 0, dense, and moved by every insertion above. So the order is what is compared, and not the numbers.

use crate::exchange::cmdlet::{Cmdlets, Life};
use crate::exchange::forms::{lower, trimmed};
use crate::schema::{Import, Resource, Timeouts, list};

pub(super) const RESOURCE: Resource = Resource {
    name: "exchange_transport_rule_order",
    noun: "order of transport rules",
    about: "Brings transport rules into an order among themselves, with as few moves as can be. Rules that are not named may stand above, \
            between and below: as long as the named ones follow each other as listed, nothing is moved. Destroying it leaves all rules where they are. \
            A `before`, `after` or `priority` of a rule that is named here must agree with the order.",
    attributes: &[list("rules", "Names or GUIDs of rules, from the first to act to the last.")
        .required()
        .length(1, 64)
        .format("a text without a space at either end", trimmed)
        .meaning(lower)
        .refers_to("exchange_transport_rule", &[])],
    rules: &[],
    identity: &["id"],
    import: Import::Lookup {
        about: "`transport_rule_order` for all rules as they stand, or the names or GUIDs of rules with `/` between them",
        example: "transport_rule_order",
    },
    title: "id",
    version: 0,
    timeouts: Timeouts { write: 1200, read: 300 },
};

pub(super) const CMDLETS: Cmdlets = Cmdlets { life: Life::Order, ..Cmdlets::of(&RESOURCE, "TransportRule") };
