//! The order of message filters among themselves.
//!
//! A message passes the filters from the first to the last (admin manual, chapter "Using Message Filters to Enforce Email Policies", `filters` → `MOVE`).

use super::{TIMEOUTS, message_filter};
use crate::gateway::table::{Neighbours, Printout, Table};
use crate::schema::{Import, Resource, Rule, list};

/// The one ID of the order.
pub(in crate::gateway) const ID: &str = "message_filter_order";

/// The table of the one order.
pub(in crate::gateway) const TABLE: Table = Table {
    resource: &RESOURCE,
    printout: |_| Printout::Filters,
    listener: super::no_listener,
    resettable: false,
    neighbours: Neighbours::OrderOf(message_filter::RESOURCE.name),
    stage: super::nothing_to_stage,
    check: super::nothing_to_check,
};

/// What the order has.
pub(in crate::gateway) const RESOURCE: Resource = Resource {
    name: "gateway_message_filter_order",
    noun: "order of message filters",
    about: "Brings message filters into an order among themselves, with as few moves as can be. Filters that are not named may stand above, between and \
            below: as long as the named ones follow each other as listed, nothing is moved. Destroying it leaves all filters where they are. A `before` of \
            a filter that is named here must agree with the order.",
    attributes: &[list("names", "Names of message filters, from the first to the last.")
        .required()
        .length(1, 128)
        .format("a name of letters, digits, `_` and `-` that does not start with a digit", message_filter::name)
        .refers_to("gateway_message_filter", &[])],
    rules: &[Rule::Hook("No filter is named twice.", super::named_once)],
    identity: &["id"],
    import: Import::Singleton { word: ID },
    title: "id",
    version: 0,
    timeouts: TIMEOUTS,
};
