//! Inbound connectors: mail from a partner or from the organization's own servers.
//!
//! <https://learn.microsoft.com/powershell/module/exchangepowershell/new-inboundconnector>. A live record holds
//! `"SenderDomains":["smtp:*;1"]`, `"Comment":""`, `"TlsSenderCertificateName":null` and empty lists as `[]`.

use serde_json::Value;

use super::{boolean, boolean_on, choice, one, text, values};
use crate::sandbox::exchange::backends::Object;
use crate::sandbox::exchange::errors::Exception;
use crate::sandbox::exchange::noun::{Given, Item, Noun, Proposal, Verb};

/// The table.
pub(crate) fn noun() -> Noun {
    Noun {
        complete,
        check,
        columns: &[
            "Enabled",
            "ConnectorType",
            "SenderDomains",
            "SenderIPAddresses",
            "RequireTls",
            "RestrictDomainsToIPAddresses",
        ],
        ..Noun::new(
            "InboundConnector",
            &[Verb::Get, Verb::New, Verb::Set, Verb::Remove],
            vec![
                text("Name", 64).mandatory(),
                boolean_on("Enabled"),
                choice("ConnectorType", &["Partner", "OnPremises"]).start("Partner"),
                choice("ConnectorSource", &["Default", "HybridWizard", "Migrated"]).start("Default"),
                text("Comment", 1024).unset(""),
                values("SenderDomains", Item::AddressSpace).mandatory(),
                values("SenderIPAddresses", Item::ConnectorAddress),
                values("AssociatedAcceptedDomains", Item::Domain),
                boolean("RequireTls"),
                boolean("RestrictDomainsToCertificate"),
                boolean("RestrictDomainsToIPAddresses"),
                one("TlsSenderCertificateName", Item::Certificate),
                boolean("CloudServicesMailEnabled"),
                boolean("TreatMessagesAsInternal"),
                values("TrustedOrganizations", Item::Any),
                boolean("EFSkipLastIP"),
                values("EFSkipIPs", Item::AddressRange),
                values("EFUsers", Item::Recipient),
                values("EFSkipMailGateway", Item::Any),
                boolean("EFTestMode"),
                values("ScanAndDropRecipients", Item::Any),
                values("ClientHostNames", Item::Any).new_only(),
                text("AdminDisplayName", 256).unset("").answer_only(),
            ],
        )
    }
}

fn complete(connector: &mut Object, given: &Given, verb: Verb) {
    // Documented default true; a connector for one's own servers made without it reads false.
    if verb == Verb::New && !given.contains_key("RequireTls") && connector.text("ConnectorType") == Some("Partner") {
        connector.fields.insert("RequireTls".into(), Value::Bool(true));
    }
}

fn check(proposal: &Proposal<'_>) -> Result<(), Exception> {
    Proposal::require(proposal.has("SenderDomains"), || "The value of 'SenderDomains' cannot be empty.".into())?;
    Proposal::require(!proposal.is_true("RestrictDomainsToIPAddresses") || proposal.has("SenderIPAddresses"), || {
        "The RestrictDomainsToIPAddresses parameter can only be set to true when SenderIPAddresses is specified.".into()
    })?;
    Proposal::require(!proposal.is_true("RestrictDomainsToCertificate") || proposal.has("TlsSenderCertificateName"), || {
        "The RestrictDomainsToCertificate parameter can only be set to true when TlsSenderCertificateName is specified.".into()
    })?;
    if proposal.is_true("TreatMessagesAsInternal") {
        Proposal::require(proposal.text("ConnectorType") == Some("OnPremises"), || {
            "The TreatMessagesAsInternal parameter can only be specified for Connector type OnPremises.".into()
        })?;
        Proposal::require(!proposal.is_true("CloudServicesMailEnabled"), || {
            "The TreatMessagesAsInternal parameter can't be used when CloudServicesMailEnabled is true.".into()
        })?;
    }
    Ok(())
}
