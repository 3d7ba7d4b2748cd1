//! Outbound connectors: mail from the tenant to a partner or to the organization's own servers.
//!
//! <https://learn.microsoft.com/powershell/module/exchangepowershell/new-outboundconnector>. Get hides connectors in
//! test mode unless it is asked for nothing else, and by its documentation also those that only a rule uses; live,
//! a Get without parameters showed a scoped connector.

use super::{array, boolean, boolean_on, choice, one, text, values};
use crate::sandbox::exchange::backends::Object;
use crate::sandbox::exchange::errors::Exception;
use crate::sandbox::exchange::noun::{Given, Input, Item, Kind, Noun, Parameter, Proposal, Verb};
use crate::sandbox::exchange::options::Options;

/// The table.
pub(crate) fn noun() -> Noun {
    Noun {
        check,
        shows,
        filters: vec![boolean("IncludeTestModeConnectors"), boolean("IsTransportRuleScoped")],
        columns: &["Enabled", "ConnectorType", "RecipientDomains", "SmartHosts", "TlsSettings", "IsTransportRuleScoped"],
        ..Noun::new(
            "OutboundConnector",
            &[Verb::Get, Verb::New, Verb::Set, Verb::Remove, Verb::Validate],
            vec![
                text("Name", 64).mandatory(),
                boolean_on("Enabled"),
                boolean_on("UseMXRecord"),
                text("Comment", 1024).unset(""),
                choice("ConnectorType", &["Partner", "OnPremises"]).start("Partner"),
                choice("ConnectorSource", &["Default", "HybridWizard", "Migrated"]).start("Default"),
                values("RecipientDomains", Item::Domain),
                values("SmartHosts", Item::SmartHost),
                one("TlsDomain", Item::Certificate),
                choice("TlsSettings", &["EncryptionOnly", "CertificateValidation", "DomainValidation"]),
                boolean("IsTransportRuleScoped"),
                boolean("RouteAllMessagesViaOnPremises"),
                boolean("CloudServicesMailEnabled"),
                boolean("AllAcceptedDomains"),
                boolean("SenderRewritingEnabled"),
                choice("MtaStsMode", &["Opportunistic", "None"]).unset("Opportunistic"),
                choice("SmtpDaneMode", &["Opportunistic", "Mandatory", "None"]).unset("Opportunistic"),
                boolean("TestMode"),
                one("LinkForModifiedConnector", Item::Guid).new_only(),
                array("ValidationRecipients", Item::Recipient).set_only(),
                boolean("IsValidated").set_only(),
                // The only date of the service that carries no zone.
                Parameter::new("LastValidationTimestamp", Kind::Date("")).set_only(),
                text("AdminDisplayName", 256).unset("").answer_only(),
            ],
        )
    }
}

fn check(proposal: &Proposal<'_>) -> Result<(), Exception> {
    let on_premises = proposal.text("ConnectorType") == Some("OnPremises");
    // Refused even for `false`, the value that Get returned.
    let rewriting = matches!(proposal.given.get("SenderRewritingEnabled"), Some(Input::Value(_)));
    Proposal::require(on_premises || !rewriting, || {
        "The SenderRewritingEnabled parameter can only be specified for Connector type OnPremises.".into()
    })?;
    for name in ["RouteAllMessagesViaOnPremises", "AllAcceptedDomains"] {
        Proposal::require(on_premises || !proposal.is_true(name), || {
            format!("The {name} parameter can only be specified for Connector type OnPremises.")
        })?;
    }
    Proposal::require(proposal.is_true("UseMXRecord") || proposal.has("SmartHosts"), || {
        "The SmartHosts parameter must be specified when UseMXRecord is set to false.".into()
    })
}

fn shows(connector: &Object, given: &Given, options: &Options) -> bool {
    let test_mode_wanted = given.get("IncludeTestModeConnectors").is_some_and(Input::is_true);
    let scope = match given.get("IsTransportRuleScoped") {
        Some(input) => Some(input.is_true()),
        None if options.hide_scoped_connectors => Some(false),
        None => None,
    };
    connector.is_true("TestMode") == test_mode_wanted
        && scope.is_none_or(|wanted| connector.is_true("IsTransportRuleScoped") == wanted)
}
