//! The order of the sender groups of a listener among themselves.
//!
//! The host access table is read from the top, and the first group that fits decides (admin manual, chapter "Defining Which Hosts Are Allowed to
//! Connect Using the Host Access Table", `HOSTACCESS` → `MOVE`).

use super::{TIMEOUTS, forms, sender_group};
use crate::gateway::table::{Neighbours, Printout, Table};
use crate::schema::{Import, Record, Resource, Rule, list, string};
use crate::value::{Diagnostic, Diagnostics, Path};

/// The table of the orders, one for each listener.
pub(in crate::gateway) const TABLE: Table = Table {
    resource: &RESOURCE,
    printout: |record| Printout::Hosts(record.text("listener").unwrap_or_default().to_owned()),
    listener: super::its_listener,
    resettable: false,
    neighbours: Neighbours::OrderOf(sender_group::RESOURCE.name),
    stage: super::nothing_to_stage,
    check: super::nothing_to_check,
};

/// What an order has.
pub(in crate::gateway) const RESOURCE: Resource = Resource {
    name: "gateway_sender_group_order",
    noun: "order of sender groups",
    about: "Brings the sender groups of a listener into an order among themselves (Mail Policies > HAT Overview > Edit Order), with as few moves as can \
            be. Groups that are not named may stand above, between and below: as long as the named ones follow each other as listed, nothing is moved. \
            Destroying it leaves all groups where they are. A `before` of a group that is named here must agree with the order.",
    attributes: &[
        string("listener", "The listener whose sender groups these are, by name; upper and lower case are different.")
            .required()
            .always_there(|_| true)
            .replaces()
            .format("a name of letters, digits, `_`, `-`, `.` and blanks", forms::listener),
        list(
            "names",
            "Names of sender groups, from the first that is tried to the last. `ALL` is always the last and is not named.",
        )
        .required()
        .length(1, 128)
        .format("a name of letters, digits, `_`, `-`, `.` and blanks", forms::sender_group)
        .refers_to("gateway_sender_group", &["listener"]),
    ],
    rules: &[
        Rule::Hook("No group is named twice.", super::named_once),
        Rule::Hook("`ALL` is not named: it is always the last.", without_all),
    ],
    identity: &["listener"],
    import: Import::Key { attributes: &["listener"], example: "IncomingMail" },
    title: "listener",
    version: 0,
    timeouts: TIMEOUTS,
};

fn without_all(config: &Record) -> Diagnostics {
    let names = config.get("names").as_elements().unwrap_or_default();
    let Some(index) = names.iter().position(|name| name.as_text() == Some("ALL")) else { return Vec::new() };
    let path = Path::root().attribute("names").index(index);
    vec![Diagnostic::error("ALL has no place in an order", "The group ALL is always the last. Leave it out.").at(path)]
}
