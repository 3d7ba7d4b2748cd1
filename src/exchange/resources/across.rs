//! What is wrong with two objects together that is right with each alone.
//!
//! These are warnings, as the other object may be mended in the same run after this one was planned; only what can never be meant is an error.

use crate::exchange::cmdlet::Across;
use crate::exchange::forms::{addresses_overlap, domain_meaning};
use crate::schema::Record;
use crate::value::{Diagnostic, Diagnostics, Path};

/// What a rule is held against.
pub(super) const OF_RULES: &[Across] =
    &[Across { to: "exchange_inbound_connector", concerns: goes_around_filtering, judge: rule_and_connectors }];

/// What an inbound connector is held against.
pub(super) const OF_INBOUND: &[Across] = &[
    Across { to: "exchange_transport_rule", concerns: filters_behind_hops, judge: connector_and_rules },
    Across { to: "exchange_connection_filter", concerns: names_addresses, judge: connector_and_allowed },
    Across { to: "exchange_accepted_domain", concerns: attributes_by_certificate, judge: certificate_and_domains },
];

/// What an outbound connector is held against.
pub(super) const OF_OUTBOUND: &[Across] =
    &[Across { to: "exchange_accepted_domain", concerns: names_exchange, judge: smart_hosts_and_domains }];

/// What the connection filter is held against.
pub(super) const OF_FILTER: &[Across] =
    &[Across { to: "exchange_inbound_connector", concerns: allows_addresses, judge: allowed_and_connectors }];

fn is_on(record: &Record) -> bool {
    record.truth("enabled") == Some(true)
}

/// A rule in force that sets the spam confidence level to -1.
fn goes_around_filtering(rule: &Record) -> bool {
    is_on(rule) && rule.text("mode") == Some("Enforce") && rule.integer("actions.set_scl") == Some(-1)
}

/// A connector in use with Enhanced Filtering for Connectors.
fn filters_behind_hops(connector: &Record) -> bool {
    is_on(connector) && (connector.truth("ef_skip_last_ip") == Some(true) || !connector.texts("ef_skip_ips").is_empty())
}

/// By Microsoft's page on Enhanced Filtering for Connectors, rules that set SCL -1 are to be disabled where it is used.
const SCL_AND_FILTERING: &str = "Enhanced Filtering for Connectors judges mail by the address that it really came from; a rule that sets the spam confidence level to -1 \
                                 lets its mail around that filtering. Microsoft asks to take such rules away where Enhanced Filtering is used.";

fn rule_and_connectors(_: &Record, connectors: &[Record]) -> Diagnostics {
    let names = quoted(connectors.iter().filter(|connector| filters_behind_hops(connector)));
    if names.is_empty() {
        return Vec::new();
    }
    vec![
        Diagnostic::warning(
            "The rule goes around Enhanced Filtering for Connectors",
            format!("{SCL_AND_FILTERING} It is used by the inbound connector {names}, unless this plan changes that."),
        )
        .at(Path::dotted("actions.set_scl")),
    ]
}

fn connector_and_rules(connector: &Record, rules: &[Record]) -> Diagnostics {
    let names = quoted(rules.iter().filter(|rule| goes_around_filtering(rule)));
    if names.is_empty() {
        return Vec::new();
    }
    let at = if connector.truth("ef_skip_last_ip") == Some(true) { "ef_skip_last_ip" } else { "ef_skip_ips" };
    vec![
        Diagnostic::warning(
            "A rule goes around Enhanced Filtering for Connectors",
            format!("{SCL_AND_FILTERING} That does the transport rule {names}, unless this plan changes that."),
        )
        .at(Path::dotted(at)),
    ]
}

fn names_addresses(connector: &Record) -> bool {
    is_on(connector) && !connector.texts("sender_ip_addresses").is_empty()
}

fn allows_addresses(filter: &Record) -> bool {
    !filter.texts("ip_allow_list").is_empty()
}

/// Mail of an allowed address goes around spam filtering. Behind a gateway, that is all mail that comes through it.
const ALLOWED: &str = "Mail from an allowed address is never taken for spam, and through a gateway comes mail of all kinds. Take the address out of `ip_allow_list`; \
                       Enhanced Filtering for Connectors (`ef_skip_last_ip`, `ef_skip_ips`) lets the service look behind the gateway.";

fn allowed_and_connectors(filter: &Record, connectors: &[Record]) -> Diagnostics {
    let mut found = Vec::new();
    for connector in connectors.iter().filter(|connector| is_on(connector)) {
        let both = common(&filter.texts("ip_allow_list"), &connector.texts("sender_ip_addresses"));
        if !both.is_empty() {
            found.push(
                Diagnostic::warning(
                    "The servers of a connector go around spam filtering",
                    format!(
                        "{} stands in the allow list, and the inbound connector {} takes mail from there. {ALLOWED}",
                        both.join(", "),
                        quoted(std::iter::once(connector))
                    ),
                )
                .at(Path::dotted("ip_allow_list")),
            );
        }
    }
    found
}

fn connector_and_allowed(connector: &Record, filters: &[Record]) -> Diagnostics {
    let allowed: Vec<&str> = filters.iter().flat_map(|filter| filter.texts("ip_allow_list")).collect();
    let both = common(&allowed, &connector.texts("sender_ip_addresses"));
    if both.is_empty() {
        return Vec::new();
    }
    vec![
        Diagnostic::warning(
            "The servers of the connector go around spam filtering",
            format!("{} stands in the allow list of the organization's connection filter. {ALLOWED}", both.join(", ")),
        )
        .at(Path::dotted("sender_ip_addresses")),
    ]
}

/// What of `allowed` has an address in common with `addresses`.
fn common(allowed: &[&str], addresses: &[&str]) -> Vec<String> {
    let meets = |one: &&&str| addresses.iter().any(|address| addresses_overlap(one, address));
    allowed.iter().filter(meets).map(|one| (*one).to_owned()).collect()
}

/// Mail of one's own servers is told by the name in their certificate, which has to be one of the organization's domains.
fn attributes_by_certificate(connector: &Record) -> bool {
    is_on(connector) && super::is_on_premises(connector) && connector.text("tls_sender_certificate_name").is_some()
}

/// The domain in the name of a certificate: all of it, or the common name of the subject in the form `<I>CN=…<S>CN=mail.contoso.com,O=…`.
fn subject(certificate: &str) -> &str {
    let Some((_, subject)) = certificate.rsplit_once("<S>") else { return certificate };
    let name = subject.split(',').find_map(|part| part.trim().strip_prefix("CN="));
    name.unwrap_or(subject).trim()
}

fn certificate_and_domains(connector: &Record, domains: &[Record]) -> Diagnostics {
    let Some(certificate) = connector.text("tls_sender_certificate_name") else { return Vec::new() };
    let subject = subject(certificate);
    let bare = domain_meaning(subject.strip_prefix("*.").unwrap_or(subject));
    let own = |domain: &Record| {
        domain.text("domain").map(domain_meaning).is_some_and(|own| bare == own || bare.ends_with(&format!(".{own}")))
    };
    // A list without any domain is none that can be judged by.
    if domains.is_empty() || domains.iter().any(own) {
        return Vec::new();
    }
    vec![
        Diagnostic::warning(
            "The certificate names no domain of the organization",
            format!(
                "Exchange Online takes mail for that of your own servers by a certificate in the name of one of your accepted domains. {certificate:?} is none and \
                 stands below none, so the mail is not attributed to your organization: it may be refused when it is relayed, and counts as \
                 anonymous, from one day to the next (message center, MC1226222)."
            ),
        )
        .at(Path::dotted("tls_sender_certificate_name")),
    ]
}

/// A connector in use with a smart host that is a server of Exchange Online.
fn names_exchange(connector: &Record) -> bool {
    is_on(connector) && connector.texts("smart_hosts").into_iter().any(|host| tenant_label(host).is_some())
}

/// The first label of a host of Exchange Online that takes mail from outside, which is a domain with `-` for `.`.
pub(in crate::exchange) fn tenant_label(host: &str) -> Option<String> {
    let host = domain_meaning(host);
    let (label, rest) = host.split_once('.')?;
    (rest.starts_with("mail.protection.") || rest.ends_with(".mx.microsoft")).then(|| label.to_owned())
}

fn smart_hosts_and_domains(connector: &Record, domains: &[Record]) -> Diagnostics {
    let labels: Vec<String> = domains
        .iter()
        .filter_map(|domain| domain.text("domain"))
        .map(|domain| domain_meaning(domain).replace('.', "-"))
        .collect();
    let loops = |host: &&str| tenant_label(host).is_some_and(|label| labels.contains(&label));
    connector
        .texts("smart_hosts")
        .into_iter()
        .filter(loops)
        .map(|host| {
            Diagnostic::error(
                "The connector sends mail back into the tenant",
                format!("{host:?} is the mail exchanger of a domain of this very organization: mail would go in a loop. Name the server that is to take it."),
            )
            .at(Path::dotted("smart_hosts"))
        })
        .collect()
}

/// The names of objects, in quotes.
fn quoted<'a>(records: impl Iterator<Item = &'a Record>) -> String {
    records.filter_map(|record| record.text("name")).map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;

    fn inbound(given: &[(&str, Value)]) -> Record {
        let mut record = Record::new().with("name", "in").with("enabled", true).with("connector_type", "OnPremises");
        for (name, value) in given {
            record.set(*name, value.clone());
        }
        record
    }

    fn domains(names: &[&str]) -> Vec<Record> {
        names.iter().map(|name| Record::new().with("domain", *name)).collect()
    }

    #[test]
    fn c18_a_certificate_belongs_to_an_accepted_domain_or_stands_below_one() {
        let own = domains(&["Contoso.com", "contoso.onmicrosoft.com"]);
        for (certificate, warned) in [
            ("contoso.com", false),
            ("*.contoso.com", false),
            ("mail.contoso.com", false),
            ("esa.iphmx.com", true),
            ("*.notcontoso.com", true),
            ("<I>CN=Example CA,O=x<S>CN=mail.contoso.com,O=Contoso", false),
            ("<I>CN=contoso.com<S>O=x, CN=*.example.org", true),
        ] {
            let connector = inbound(&[("tls_sender_certificate_name", certificate.into())]);
            assert!(attributes_by_certificate(&connector));
            assert_eq!(!certificate_and_domains(&connector, &own).is_empty(), warned, "{certificate}");
            assert!(certificate_and_domains(&connector, &[]).is_empty(), "{certificate}");
        }
        assert!(!attributes_by_certificate(&inbound(&[
            ("connector_type", "Partner".into()),
            ("tls_sender_certificate_name", "a.b".into())
        ])));
    }

    #[test]
    fn c09_a_smart_host_that_is_the_tenants_own_is_a_loop() {
        let own = domains(&["contoso.com"]);
        for (host, looped) in [
            ("contoso-com.mail.protection.outlook.com", true),
            ("CONTOSO-COM.mail.protection.office365.us.", true),
            ("contoso-com.a-v1.mx.microsoft", true),
            ("fabrikam-com.mail.protection.outlook.com", false),
            ("contoso-com.example.net", false),
            ("203.0.113.20", false),
        ] {
            let connector = Record::new().with("enabled", true).with("smart_hosts", Value::texts([host]));
            assert_eq!(!smart_hosts_and_domains(&connector, &own).is_empty(), looped, "{host}");
        }
    }

    #[test]
    fn c20_addresses_overlap_in_any_form() {
        for (allowed, address, both) in [
            ("203.0.113.10", "203.0.113.10", true),
            ("203.0.113.0/24", "203.0.113.10/32", true),
            ("203.0.113.1-203.0.113.9", "203.0.113.9", true),
            ("203.0.113.1-203.0.113.9", "203.0.113.10", false),
            ("198.51.100.0/24", "203.0.113.10", false),
        ] {
            assert_eq!(!common(&[allowed], &[address]).is_empty(), both, "{allowed} {address}");
        }
    }
}
