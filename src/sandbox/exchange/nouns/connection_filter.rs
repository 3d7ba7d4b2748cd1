//! The connection filter policy: addresses that are always let in, or never.
//!
//! <https://learn.microsoft.com/powershell/module/exchangepowershell/set-hostedconnectionfilterpolicy>. In practice one
//! policy stands, `Default`.

use super::{boolean, text, values};
use crate::sandbox::exchange::noun::{Item, Noun, Verb};

/// The table.
pub(crate) fn noun() -> Noun {
    Noun {
        columns: &["IPAllowList", "IPBlockList", "EnableSafeList"],
        ..Noun::new(
            "HostedConnectionFilterPolicy",
            &[Verb::Get, Verb::Set],
            vec![
                text("Name", 64).answer_only(),
                text("AdminDisplayName", 255).unset(""),
                values("IPAllowList", Item::FilterAddress),
                values("IPBlockList", Item::FilterAddress),
                boolean("EnableSafeList"),
                boolean("MakeDefault").hidden(),
                text("ConfigurationXmlRaw", 8192).hidden(),
                boolean("IsDefault").unset(true).answer_only(),
            ],
        )
    }
}
