//! The connection filter: addresses whose mail is always, or never, taken.
//!
//! <https://learn.microsoft.com/powershell/module/exchangepowershell/set-hostedconnectionfilterpolicy>. Each organization has one policy, `Default`:
//!
//! ```json
//! {"Name":"Default","IsDefault":true,"IPAllowList":["203.0.113.10"],"IPBlockList":[],"EnableSafeList":false,"AdminDisplayName":""}
//! ```

use std::collections::BTreeSet;

use super::{UNMANAGED, multi_valued};
use crate::exchange::cmdlet::{Cmdlets, Life};
use crate::exchange::forms::{address_meaning, filter_address};
use crate::schema::{Import, Record, Resource, Rule, Timeouts, boolean, string};
use crate::value::{Diagnostic, Diagnostics, Path};

pub(super) const RESOURCE: Resource = Resource {
    name: "exchange_connection_filter",
    noun: "connection filter",
    about: "Sets from which addresses the organization always or never takes mail. It is always there: creating this resource takes it over, and \
            destroying it puts back what stood there before.",
    attributes: &[
        multi_valued(
            "ip_allow_list",
            "Addresses whose mail is never taken for spam. A gateway does not \
             belong here: all that comes through it would go around spam filtering.",
        )
        .filled_empty()
        .format(
            "an IPv4 address, a range such as `203.0.113.1-203.0.113.9` of at most 256, or a network from `/24` to `/32`",
            filter_address,
        )
        .meaning(address_meaning),
        multi_valued("ip_block_list", "Addresses whose mail is never taken.")
            .filled_empty()
            .format(
                "an IPv4 address, a range such as `203.0.113.1-203.0.113.9` of at most 256, or a network from `/24` to `/32`",
                filter_address,
            )
            .meaning(address_meaning),
        boolean("enable_safe_list", "Take mail from senders that Microsoft knows to be good around spam filtering.")
            .filled(false),
        string("admin_display_name", "Remark for administrators.").length(1, 255).lines(),
        UNMANAGED,
    ],
    rules: &[Rule::Hook("A warning is given for an address in both lists: it is allowed.", in_both)],
    identity: &["id"],
    import: Import::Singleton { word: "connection_filter" },
    title: "id",
    version: 0,
    timeouts: Timeouts { write: 1200, read: 300 },
};

pub(super) const CMDLETS: Cmdlets = Cmdlets {
    life: Life::Single { identity: Some("Default") },
    paged: false,
    across: super::across::OF_FILTER,
    ..Cmdlets::of(&RESOURCE, "HostedConnectionFilterPolicy")
};

fn in_both(config: &Record) -> Diagnostics {
    let meant = |name: &str| config.texts(name).into_iter().map(address_meaning).collect::<BTreeSet<_>>();
    let both: Vec<String> = meant("ip_allow_list").intersection(&meant("ip_block_list")).cloned().collect();
    if both.is_empty() {
        return Vec::new();
    }
    vec![
        Diagnostic::warning(
            "An address is allowed and blocked",
            format!(
                "{} stands in `ip_allow_list` and in `ip_block_list`. The first wins; take it out of one of them.",
                both.join(", ")
            ),
        )
        .at(Path::dotted("ip_block_list")),
    ]
}
