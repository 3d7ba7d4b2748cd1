//! Inbound connectors: how mail of a partner or of one's own servers comes into the tenant.
//!
//! <https://learn.microsoft.com/powershell/module/exchangepowershell/new-inboundconnector>. `Get-InboundConnector` shows:
//!
//! ```json
//! {"Enabled":true,"ConnectorType":"Partner","ConnectorSource":"AdminUI","Comment":"","SenderIPAddresses":["203.0.113.10"],
//!  "SenderDomains":["smtp:*;1"],"RequireTls":true,"RestrictDomainsToIPAddresses":true,"RestrictDomainsToCertificate":false,
//!  "TlsSenderCertificateName":null,"Name":"from gateway","Guid":"acc2eccd-550f-4efa-9905-46054a5f516a"}
//! ```

use std::collections::BTreeSet;

use super::{UNMANAGED, is_on_premises, is_text, is_true, is_written, multi_valued};
use crate::exchange::cmdlet::{Cmdlets, Restricts};
use crate::exchange::forms::{
    address_meaning, certificate_name, connector_address, domain, domain_meaning, lower, recipient_meaning, sender_domain,
    skipped_address, trimmed,
};
use crate::schema::{Import, Record, Resource, Rule, Timeouts, boolean, one_of, string};
use crate::value::{Diagnostic, Diagnostics, Path};

pub(super) const RESOURCE: Resource = Resource {
    name: "exchange_inbound_connector",
    noun: "inbound connector",
    about: "Takes mail from a partner or from your own servers into the tenant (Exchange admin center: Mail flow > Connectors). Mail that a \
            connector claims and that does not meet its demands (addresses, certificate, TLS) is refused.",
    attributes: &[
        string("name", "Name, unique among the inbound connectors of the organization.")
            .required()
            .length(1, 64)
            .format("a text without a space at either end", trimmed),
        one_of(
            "connector_type",
            "Whose servers these are: `Partner` for those of others, `OnPremises` for your own.",
            &["Partner", "OnPremises"],
        )
        .required(),
        string("connector_source", "What made the connector: `Default`, `AdminUI`, `HybridWizard` or `Migrated`.").computed().fixed(),
        multi_valued("sender_domains", "Domains whose mail the connector takes; `*` takes that of all.")
            .required()
            .format(
                "a domain, `*`, or a domain with all below it such as `*.contoso.com`, each perhaps with a priority other than 1 such as `contoso.com;10`",
                sender_domain,
            )
            .meaning(domain_meaning)
            .shown_as_meant(),
        multi_valued(
            "sender_ip_addresses",
            "Addresses that mail comes from. A partner's are only demanded together with `restrict_domains_to_ip_addresses`.",
        )
        .filled_empty()
        .format("an IPv4 address or a range from `/24` to `/32`", connector_address)
        .meaning(address_meaning),
        multi_valued("associated_accepted_domains", "Accepted domains to which the use of the connector is restricted.")
            .filled_empty()
            .format("a domain", domain)
            .meaning(domain_meaning),
        boolean("require_tls", "Refuse mail that does not come over TLS. In force for partners only.").filled(true),
        boolean(
            "restrict_domains_to_ip_addresses",
            "Refuse mail of the sender domains that comes from other addresses than `sender_ip_addresses`. In force for partners only.",
        )
        .filled(false),
        boolean(
            "restrict_domains_to_certificate",
            "Refuse mail of the sender domains that does not come with the certificate `tls_sender_certificate_name`. In force for \
             partners only.",
        )
        .filled(false),
        string("tls_sender_certificate_name", "Domain that the senders' certificate names.")
            .format("a domain such as `contoso.com`, or `*.contoso.com`", certificate_name)
            .meaning(lower),
        boolean("cloud_services_mail_enabled", "Keep the internal headers of hybrid mail. Normally set by the Hybrid wizard.").filled(false),
        boolean("treat_messages_as_internal", "Treat the mail as sent from inside the organization. For `OnPremises` only.").filled(false),
        multi_valued("trusted_organizations", "Other Microsoft 365 organizations that are trusted. Where there is one, no other demand is made.").filled_empty().meaning(lower),
        boolean("ef_skip_last_ip", "Enhanced Filtering for Connectors: look behind the last address that mail came from, to judge the one before it.").filled(false),
        multi_valued(
            "ef_skip_ips",
            "Enhanced Filtering for Connectors: look behind these addresses. Used where `ef_skip_last_ip` is false.",
        )
        .filled_empty()
        .format("a public address, a range such as `203.0.113.1-203.0.113.9`, or a network", skipped_address)
        .meaning(address_meaning),
        multi_valued("ef_users", "Enhanced Filtering for Connectors: only for mail to these recipients. An empty set is all recipients.")
            .filled_empty()
            .meaning(recipient_meaning),
        boolean(
            "skip_mx_check",
            "Restrict a connector that takes `*` although the MX records of an accepted domain, as `mailflow_mx_cutover` reads them, lead elsewhere: mail that \
             still comes another way is refused.",
        )
        .filled(false)
        .local(),
        string("comment", "Remark for administrators.").lines(),
        boolean("enabled", "Whether the connector is in use.").filled(true),
        UNMANAGED,
    ],
    rules: &[
        Rule::Hook("`sender_domains` names at least one domain.", some_domain),
        Rule::Requires("restrict_domains_to_ip_addresses", "sender_ip_addresses"),
        Rule::Requires("restrict_domains_to_certificate", "tls_sender_certificate_name"),
        Rule::Hook("A warning is given for `restrict_domains_to_ip_addresses` together with `restrict_domains_to_certificate`: mail must fulfil both.", two_restrictions),
        Rule::Hook("`treat_messages_as_internal` is for `OnPremises` only, and not together with `cloud_services_mail_enabled`.", internal),
        Rule::Advice(
            "A warning is given where `OnPremises` is told by addresses alone: mail of other tenants must not come from these addresses.",
            told_by_addresses,
        ),
        Rule::Hook("A warning is given for `ef_skip_ips` that `ef_skip_last_ip` keeps out of use.", skipped),
        Rule::Hook("A warning is given for a partner connector without a restriction: the tenant stays open to direct delivery, around the gateway.", open),
    ],
    identity: &["id"],
    import: Import::Lookup { about: "the connector's name or GUID", example: "Inbound from Cisco CES" },
    title: "name",
    version: 0,
    timeouts: Timeouts { write: 1200, read: 300 },
};

pub(super) const CMDLETS: Cmdlets = Cmdlets {
    only_when: &[("treat_messages_as_internal", is_on_premises)],
    quiet: &["cloud_services_mail_enabled", "ef_skip_last_ip"],
    across: super::across::OF_INBOUND,
    restricts: Some(Restricts { does: refuses_others, excuse: "skip_mx_check", about: "restrict_domains_to_ip_addresses" }),
    ..Cmdlets::of(&RESOURCE, "InboundConnector")
};

/// Microsoft's page for partners sets the addresses in addition to the certificate; that of New-InboundConnector says that one is enough.
fn two_restrictions(config: &Record) -> Diagnostics {
    let addresses = is_true(config, "restrict_domains_to_ip_addresses", false);
    let certificate = is_true(config, "restrict_domains_to_certificate", false);
    if (addresses, certificate) != (Some(true), Some(true)) {
        return Vec::new();
    }
    vec![
        Diagnostic::warning(
            "Two restrictions hold at once",
            "Mail must come from `sender_ip_addresses` and with the certificate `tls_sender_certificate_name`. If one of them is enough, \
             leave the other restriction out.",
        )
        .at(Path::dotted("restrict_domains_to_certificate")),
    ]
}

/// The service has no connector without a domain; `*` is all of them.
fn some_domain(config: &Record) -> Diagnostics {
    // One that is left out is told as such.
    if config.get("sender_domains").as_elements().is_none_or(|domains| !domains.is_empty()) {
        return Vec::new();
    }
    vec![
        Diagnostic::error(
            "The connector takes mail from nowhere",
            "`sender_domains` is empty, and the service keeps no connector without a domain. Name the domains whose mail it takes, or `[\"*\"]` for \
             that of all.",
        )
        .at(Path::dotted("sender_domains")),
    ]
}

/// A connector for own servers that nothing but addresses tells apart from those of other tenants.
fn is_told_by_addresses(connector: &Record) -> bool {
    is_on_premises(connector)
        && is_true(connector, "enabled", true) == Some(true)
        && is_written(connector, "tls_sender_certificate_name") == Some(false)
        && is_written(connector, "sender_ip_addresses") == Some(true)
}

/// By Microsoft's message MC1226222 of February 2026 (the other half of it is the certificate of somebody else's domain, in `across.rs`). What stands is
/// not warned of again.
fn told_by_addresses(standing: Option<&Record>, config: &Record) -> Diagnostics {
    let addresses =
        |record: &Record| record.texts("sender_ip_addresses").into_iter().map(address_meaning).collect::<BTreeSet<_>>();
    let stood = |standing: &Record| is_told_by_addresses(standing) && addresses(config).is_subset(&addresses(standing));
    if !is_told_by_addresses(config) || standing.is_some_and(stood) {
        return Vec::new();
    }
    vec![
        Diagnostic::warning(
            "Mail of your own servers is told by their addresses alone",
            "Where servers of other Microsoft 365 tenants send from the same addresses (a shared gateway or a relay service), Exchange Online may \
             take your mail for theirs, or refuse it, from one day to the next (message center, MC1226222). If that may be, have the servers present a certificate \
             of one of your accepted domains, and set `tls_sender_certificate_name`.",
        )
        .at(Path::dotted("sender_ip_addresses")),
    ]
}

fn internal(config: &Record) -> Diagnostics {
    if is_true(config, "treat_messages_as_internal", false) != Some(true) {
        return Vec::new();
    }
    let at = Path::dotted("treat_messages_as_internal");
    let mut found = Vec::new();
    if is_text(config, "connector_type", "Partner") == Some(true) {
        found.push(
            Diagnostic::error(
                "Mail of a partner is not internal",
                "`treat_messages_as_internal` is for connectors of the type `OnPremises`. Leave it out.",
            )
            .at(at.clone()),
        );
    }
    if is_true(config, "cloud_services_mail_enabled", false) == Some(true) {
        found.push(
            Diagnostic::error(
                "Two settings exclude each other",
                "`treat_messages_as_internal` cannot stand together with `cloud_services_mail_enabled = true`. Leave one of them out.",
            )
            .at(at),
        );
    }
    found
}

/// A partner connector in use that takes all mail, and refuses what does not come from the gateways.
fn refuses_others(connector: &Record) -> bool {
    let is_true = |name: &str| connector.truth(name) == Some(true);
    connector.text("connector_type") == Some("Partner")
        && is_true("enabled")
        && connector.texts("sender_domains").iter().any(|domain| domain_meaning(domain) == "*")
        && (is_true("restrict_domains_to_ip_addresses") || is_true("restrict_domains_to_certificate"))
}

fn skipped(config: &Record) -> Diagnostics {
    if (is_true(config, "ef_skip_last_ip", false), is_written(config, "ef_skip_ips")) != (Some(true), Some(true)) {
        return Vec::new();
    }
    vec![
        Diagnostic::warning(
            "Addresses to look behind are not used",
            "While `ef_skip_last_ip` is true, only the last address is looked behind. Take it out to use `ef_skip_ips`.",
        )
        .at(Path::dotted("ef_skip_ips")),
    ]
}

fn open(config: &Record) -> Diagnostics {
    let restricted = [
        is_true(config, "restrict_domains_to_ip_addresses", false),
        is_true(config, "restrict_domains_to_certificate", false),
        is_written(config, "trusted_organizations"),
    ];
    let off = is_true(config, "enabled", true).map(|enabled| !enabled);
    if is_text(config, "connector_type", "Partner") != Some(true)
        || off == Some(true)
        || restricted.iter().any(|one| *one != Some(false))
    {
        return Vec::new();
    }
    vec![
        Diagnostic::warning(
            "The tenant stays open to direct delivery",
            "This partner connector restricts nothing: anyone can still deliver straight to the tenant and bypass the gateway. Close it **after** the MX \
             records have moved and old ones have run out (`settled_at` of `mailflow_mx_cutover` is null), as mail that comes another way is refused from \
             then on: set `restrict_domains_to_ip_addresses = true` with `sender_ip_addresses` (and `sender_domains = [\"*\"]` to cover all senders), or \
             `restrict_domains_to_certificate = true` with `tls_sender_certificate_name`.",
        )
        .at(Path::dotted("restrict_domains_to_ip_addresses")),
    ]
}
