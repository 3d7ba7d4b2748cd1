//! Accepted domains: the domains that the tenant takes mail for.
//!
//! <https://learn.microsoft.com/powershell/module/exchangepowershell/set-accepteddomain>. They are made in Entra; the
//! cmdlets only read and set them.

use serde_json::Value;

use super::{boolean, choice, text};
use crate::sandbox::exchange::noun::{Noun, Proposal, Verb};

/// The table.
pub(crate) fn noun() -> Noun {
    Noun {
        check: |proposal| {
            let internal_relay = proposal.text("DomainType") == Some("InternalRelay");
            Proposal::require(!proposal.is_true("MatchSubDomains") || internal_relay, || {
                "The MatchSubDomains parameter can only be set to true when DomainType is InternalRelay.".into()
            })
        },
        finish: |domain, _, answer| {
            answer.insert("DomainName".into(), Value::from(domain.name()));
        },
        columns: &["DomainType", "Default", "MatchSubDomains"],
        ..Noun::new(
            "AcceptedDomain",
            &[Verb::Get, Verb::Set],
            vec![
                text("Name", 255).answer_only(),
                choice("DomainType", &["Authoritative", "InternalRelay"]).unset("Authoritative"),
                boolean("MatchSubDomains"),
                boolean("OutboundOnly"),
                boolean("SendingFromDomainDisabled"),
                boolean("SendingToDomainDisabled"),
                text("MailFlowRegion", 64),
                boolean("CanHaveCloudCache"),
                boolean("EnableNego2Authentication"),
                boolean("Default").answer_only(),
                boolean("InitialDomain").answer_only(),
                boolean("IsCoexistenceDomain").answer_only(),
                boolean("PendingRemoval").answer_only(),
                boolean("PendingCompletion").answer_only(),
                choice("AuthenticationType", &["Managed", "Federated"]).unset("Managed").answer_only(),
                text("SmtpDaneStatus", 64).unset("Disabled").answer_only(),
                text("MoeraDnsProvisioningMode", 64).unset("None").answer_only(),
                text("AdminDisplayName", 256).unset("").answer_only(),
            ],
        )
    }
}
