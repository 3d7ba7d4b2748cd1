//! Outbound connectors: how mail leaves the tenant for a partner or for one's own servers.
//!
//! <https://learn.microsoft.com/powershell/module/exchangepowershell/new-outboundconnector>. `Get-OutboundConnector` shows:
//!
//! ```json
//! {"Enabled":true,"UseMXRecord":false,"Comment":"","ConnectorType":"Partner","ConnectorSource":"AdminUI","RecipientDomains":[],
//!  "SmartHosts":["203.0.113.20"],"TlsDomain":null,"TlsSettings":"EncryptionOnly","IsTransportRuleScoped":true,
//!  "ValidationRecipients":["postmaster@example.net"],"IsValidated":false,"LastValidationTimestamp":"2026-07-24T18:59:12.0000000",
//!  "Name":"to gateway","Guid":"d0d71cb9-6105-410f-8193-3640e12852a5"}
//! ```

use super::{UNMANAGED, is_on_premises, is_text, is_true, is_written, multi_valued};
use crate::exchange::cmdlet::{Cmdlets, Form, Validation};
use crate::exchange::forms::{
    RECIPIENT, domain_meaning, domain_pattern, recipient_meaning, smart_host, smart_host_meaning, trimmed, wildcard_domain,
};
use crate::schema::{Import, Record, Resource, Rule, Timeouts, boolean, one_of, set, string};
use crate::value::{Diagnostic, Diagnostics, Path};

pub(super) const RESOURCE: Resource = Resource {
    name: "exchange_outbound_connector",
    noun: "outbound connector",
    about: "Sends mail from the tenant to a partner or to your own servers (Exchange admin center: Mail flow > Connectors). It is used for \
            its recipient domains, or where a transport rule names it.",
    attributes: &[
        string("name", "Name, unique among the outbound connectors of the organization.")
            .required()
            .length(1, 64)
            .format("a text without a space at either end", trimmed),
        one_of(
            "connector_type",
            "Whose servers these are: `Partner` for those of others, `OnPremises` for your own.",
            &["Partner", "OnPremises"],
        )
        .required(),
        string("connector_source", "What made the connector: `Default`, `AdminUI`, `HybridWizard` or `Migrated`.")
            .computed()
            .fixed(),
        multi_valued("recipient_domains", "Domains whose mail goes through the connector; `*` sends that of all.")
            .filled_empty()
            .format("a domain, `*`, or a domain with all below it such as `*.contoso.com`", domain_pattern)
            .meaning(domain_meaning)
            .shown_as_meant(),
        boolean("use_mx_record", "Find the servers by the MX records of the recipient's domain; `false` needs `smart_hosts`.")
            .filled(true),
        multi_valued("smart_hosts", "Servers that take the mail, always on port 25.")
            .filled_empty()
            .format("a host name, an IPv4 address or a network such as `203.0.113.0/28`", smart_host)
            .meaning(smart_host_meaning)
            .shown_as_meant(),
        one_of(
            "tls_settings",
            "What is demanded of TLS. `EncryptionOnly`: any certificate, self-signed ones included. `CertificateValidation`: one of a trusted \
             authority. `DomainValidation`: one of a trusted authority that names `tls_domain`. Left out, TLS is used where the other side \
             offers it.",
            &["EncryptionOnly", "CertificateValidation", "DomainValidation"],
        ),
        string("tls_domain", "Domain that the servers' certificate must name, with `DomainValidation`.")
            .format("a domain such as `contoso.com`, or `*.contoso.com`", wildcard_domain)
            .meaning(domain_meaning),
        boolean("is_transport_rule_scoped", "Use the connector only where a transport rule names it.").filled(false),
        boolean("route_all_messages_via_on_premises", "Send all mail through your own servers. For `OnPremises` only.")
            .filled(false),
        boolean("all_accepted_domains", "Use the connector for all accepted domains. For `OnPremises` only.").filled(false),
        boolean("sender_rewriting_enabled", "Rewrite the envelope senders of forwarded mail (SRS). For `OnPremises` only.")
            .filled(false),
        boolean("cloud_services_mail_enabled", "Keep the internal headers of hybrid mail. Normally set by the Hybrid wizard.")
            .filled(false),
        one_of("mta_sts_mode", "Whether the other side's MTA-STS policy is followed.", &["Opportunistic", "None"])
            .filled_text("Opportunistic"),
        one_of(
            "smtp_dane_mode",
            "Whether the other side's TLSA records (DANE) are followed.",
            &["Opportunistic", "Mandatory", "None"],
        )
        .filled_text("Opportunistic"),
        boolean("test_mode", "Whether the connector is for tests only.").filled(false),
        set("validation_recipients", "Addresses that the validation of the connector sends mail to.")
            .filled_empty()
            .format(RECIPIENT, trimmed)
            .meaning(recipient_meaning),
        boolean(
            "validate",
            "Validate the connector after it is created and after each change that matters: the service connects to the servers and sends a \
             message to each of `validation_recipients`. A validation that fails is a warning, and the next apply tries again.",
        )
        .filled(false)
        .local(),
        boolean("is_validated", "Whether the last validation succeeded.").computed().pending_while(to_be_validated),
        string("last_validation_timestamp", "When the connector was last validated, in RFC 3339.").computed(),
        string("comment", "Remark for administrators.").lines(),
        boolean("enabled", "Whether the connector is in use.").filled(true),
        UNMANAGED,
    ],
    rules: &[
        Rule::Requires("validate", "validation_recipients"),
        Rule::Hook(
            "`use_mx_record = false` needs `smart_hosts`; a warning is given for smart hosts that `use_mx_record` keeps out of use.",
            ways,
        ),
        Rule::Hook("`tls_domain` is for `tls_settings = \"DomainValidation\"`.", certificate_domain),
        Rule::Hook(
            "`route_all_messages_via_on_premises`, `all_accepted_domains` and `sender_rewriting_enabled` are for `OnPremises` only.",
            own_servers,
        ),
    ],
    identity: &["id"],
    import: Import::Lookup { about: "the connector's name or GUID", example: "Outbound to Cisco CES" },
    title: "name",
    version: 0,
    timeouts: Timeouts { write: 1200, read: 300 },
};

pub(super) const CMDLETS: Cmdlets = Cmdlets {
    // By the docs a plain Get shows neither; a live one showed scoped connectors.
    // Each switch shows only those that it names, so that one of both kinds is shown by both together.
    hidden: &[
        &["IncludeTestModeConnectors"],
        &["IsTransportRuleScoped"],
        &["IncludeTestModeConnectors", "IsTransportRuleScoped"],
    ],
    set_only: &["validation_recipients"],
    validation: Some(Validation {
        switch: "validate",
        recipients: "validation_recipients",
        outcome: "is_validated",
        relevant: &[
            "connector_type",
            "recipient_domains",
            "use_mx_record",
            "smart_hosts",
            "tls_settings",
            "tls_domain",
            "route_all_messages_via_on_premises",
            "all_accepted_domains",
            "mta_sts_mode",
            "smtp_dane_mode",
            "validation_recipients",
            "enabled",
        ],
    }),
    forms: &[("last_validation_timestamp", Form::Date)],
    // Refused for partners, even when they are false.
    only_when: &[
        ("sender_rewriting_enabled", is_on_premises),
        ("route_all_messages_via_on_premises", is_on_premises),
        ("all_accepted_domains", is_on_premises),
    ],
    quiet: &["cloud_services_mail_enabled", "mta_sts_mode", "smtp_dane_mode", "test_mode", "sender_rewriting_enabled"],
    across: super::across::OF_OUTBOUND,
    ..Cmdlets::of(&RESOURCE, "OutboundConnector")
};

fn to_be_validated(prior: &Record, config: &Record) -> bool {
    config.truth("validate") == Some(true) && prior.truth("is_validated") != Some(true)
}

fn ways(config: &Record) -> Diagnostics {
    match (is_true(config, "use_mx_record", true), is_written(config, "smart_hosts")) {
        (Some(false), Some(false)) => vec![
            Diagnostic::error("Smart hosts are missing", "With `use_mx_record = false` the connector needs `smart_hosts` to send to.")
                .at(Path::dotted("smart_hosts")),
        ],
        (Some(true), Some(true)) => vec![
            Diagnostic::warning(
                "Smart hosts are not used",
                "While `use_mx_record` is true, mail goes to the MX hosts of the recipient's domain. Set `use_mx_record = false` to use the smart hosts.",
            )
            .at(Path::dotted("smart_hosts")),
        ],
        _ => Vec::new(),
    }
}

fn certificate_domain(config: &Record) -> Diagnostics {
    let validates = is_text(config, "tls_settings", "DomainValidation");
    if is_written(config, "tls_domain") != Some(true) || validates != Some(false) {
        return Vec::new();
    }
    vec![
        Diagnostic::error(
            "The certificate's domain is not checked",
            "`tls_domain` is for `tls_settings = \"DomainValidation\"`. Set that, or leave `tls_domain` out.",
        )
        .at(Path::dotted("tls_domain")),
    ]
}

fn own_servers(config: &Record) -> Diagnostics {
    if is_text(config, "connector_type", "Partner") != Some(true) {
        return Vec::new();
    }
    ["route_all_messages_via_on_premises", "all_accepted_domains", "sender_rewriting_enabled"]
        .into_iter()
        .filter(|name| is_true(config, name, false) == Some(true))
        .map(|name| {
            Diagnostic::error(
                "The setting is for your own servers only",
                format!("`{name}` is for connectors of the type `OnPremises`. Leave it out."),
            )
            .at(Path::dotted(name))
        })
        .collect()
}
