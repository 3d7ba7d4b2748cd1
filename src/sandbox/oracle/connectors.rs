//! Connectors: which inbound one a message belongs to, and which outbound one takes it on.
//!
//! The rules are those of the cmdlets' pages: addresses of a partner's connector restrict nothing by themselves, only with
//! `RestrictDomainsToIPAddresses`; a connector for one's own servers is found by the certificate first and the address then. The
//! texts of refusals are known from what administrators report.

use std::net::IpAddr;

use serde_json::Value;

use super::message::{domain_of, lies_below};
use super::network::{Leads, Network, Offers};
use super::tenant::{Arrival, in_ranges, is_true, list, text};
use super::{Broken, Journey, Peer, Place, Reply, Subject, World, senders};

/// Says whom a connection belongs to.
pub(super) enum Attribution {
    Refused(Reply),
    Found(Arrival),
}

/// Tells whether an address matches an entry of the tenant's lists.
pub(super) fn address(pattern: &str, address: IpAddr) -> bool {
    senders::address(pattern, address) == Some(true)
}

/// Finds the inbound connector of a message, or why it is refused.
pub(super) fn attribute(world: &World, peer: &Peer, tls: bool, sender: &str) -> Attribution {
    let connectors: Vec<&Value> = world.tenant.objects("InboundConnector").iter().filter(|one| is_true(one, "Enabled")).collect();
    let certificate = |one: &Value| {
        let wanted = text(one, "TlsSenderCertificateName");
        tls && !wanted.is_empty() && peer.certificate.iter().any(|name| certificate_means(wanted, name))
    };
    let addressed = |one: &Value| in_ranges(&list(one, "SenderIPAddresses"), peer);
    let own: Vec<&Value> = connectors
        .iter()
        .copied()
        .filter(|one| text(one, "ConnectorType") == "OnPremises" && scope(one, sender).is_some())
        .collect();
    let by_certificate = own.iter().copied().find(|one| certificate(one));
    if let Some(one) = by_certificate.or_else(|| own.iter().copied().find(|one| addressed(one))) {
        let how = if by_certificate.is_some() { "the certificate is its own" } else { "the address is one of its own" };
        return Attribution::Found(Arrival {
            connector: Some(text(one, "Name").to_owned()),
            why: format!("an organization's own server: {how}"),
            internal: is_true(one, "TreatMessagesAsInternal") || is_true(one, "CloudServicesMailEnabled"),
            may_relay: true,
            unsure: doubts(one),
        });
    }
    // Of partners, those with the narrowest domain.
    let partners: Vec<(usize, &Value)> = connectors
        .iter()
        .copied()
        .filter(|one| text(one, "ConnectorType") == "Partner")
        .filter_map(|one| Some((scope(one, sender)?, one)))
        .collect();
    let narrowest = partners.iter().map(|(width, _)| *width).max();
    let candidates: Vec<&Value> = partners.iter().filter(|(width, _)| Some(*width) == narrowest).map(|(_, one)| *one).collect();
    let mut refusals = Vec::new();
    let mut taken = Vec::new();
    for one in candidates {
        match partner(world, one, tls, addressed(one), certificate(one)) {
            None => taken.push(one),
            Some(reply) => refusals.push(reply),
        }
    }
    let mixed = !refusals.is_empty() && !taken.is_empty();
    match (taken.first(), refusals.into_iter().next()) {
        (Some(one), _) => {
            let mut unsure = doubts(one);
            if mixed {
                unsure.push("several connectors take the sender's domain, and not all of them take this message".into());
            }
            Attribution::Found(Arrival {
                connector: Some(text(one, "Name").to_owned()),
                why: format!("a partner's server: {}", domains_shown(one)),
                internal: false,
                may_relay: false,
                unsure,
            })
        }
        (None, Some(reply)) => Attribution::Refused(reply),
        (None, None) => Attribution::Found(Arrival {
            connector: None,
            why: "no connector takes the sender's domain".into(),
            internal: false,
            may_relay: false,
            unsure: Vec::new(),
        }),
    }
}

/// Says why a partner's connector refuses a message; nothing if it does not.
fn partner(world: &World, one: &Value, tls: bool, addressed: bool, certificate: bool) -> Option<Reply> {
    if world.is_broken(Broken::Unrestricted) {
        return None;
    }
    let by_address = is_true(one, "RestrictDomainsToIPAddresses") && !addressed;
    let by_certificate = is_true(one, "RestrictDomainsToCertificate") && !certificate;
    if by_address || by_certificate {
        let text = "5.7.51 TenantInboundAttribution; There is a partner connector configured that matched the message's sender domain. \
                    The connector had either the RestrictDomainsToIPAddresses or RestrictDomainsToCertificate set";
        return Some(Reply::new(550, text));
    }
    if is_true(one, "RequireTls") && !tls {
        return Some(Reply::new(550, "5.7.10 STARTTLS is required to send mail"));
    }
    None
}

/// Says how narrow the domains of a connector are that take a sender: the longer the narrower. Nothing where none does.
fn scope(one: &Value, sender: &str) -> Option<usize> {
    let domain = domain_of(sender);
    list(one, "SenderDomains").iter().filter_map(|entry| width(bare(entry), domain.as_deref())).max()
}

/// Takes kind and cost from an address space: `smtp:*.example.com;1`.
fn bare(entry: &str) -> &str {
    let entry = entry.split_once(':').map_or(entry, |(_, rest)| rest);
    entry.split_once(';').map_or(entry, |(front, _)| front)
}

/// Says how narrow a domain pattern is; nothing where it does not mean the domain.
fn width(pattern: &str, domain: Option<&str>) -> Option<usize> {
    if pattern == "*" {
        return Some(0);
    }
    let domain = domain?;
    match pattern.strip_prefix("*.") {
        Some(above) => lies_below(domain, above).then_some(above.len()),
        None => domain.eq_ignore_ascii_case(pattern).then_some(usize::MAX),
    }
}

/// Tells whether a certificate's name is the one that a connector wants, `*.example.com` included.
fn certificate_means(wanted: &str, name: &str) -> bool {
    if wanted.eq_ignore_ascii_case(name) {
        return true;
    }
    let above = wanted.strip_prefix("*.");
    above.is_some_and(|above| {
        lies_below(name.trim_start_matches("*."), above) || name.trim_start_matches("*.").eq_ignore_ascii_case(above)
    })
}

fn domains_shown(one: &Value) -> String {
    list(one, "SenderDomains").iter().map(|entry| bare(entry).to_owned()).collect::<Vec<_>>().join(", ")
}

/// Lists what of a connector is not evaluated.
fn doubts(one: &Value) -> Vec<String> {
    let name = text(one, "Name");
    ["AssociatedAcceptedDomains", "TrustedOrganizations"]
        .into_iter()
        .filter(|property| !list(one, property).is_empty())
        .map(|property| format!("{property} of the connector {name} is not evaluated"))
        .collect()
}

/// Finds the way out: by the connector that a rule names, by one for the domain, or by MX. Gives host and TLS.
pub(super) fn outbound(
    world: &World,
    recipient: &str,
    ruled: Option<&str>,
    rule_wants_tls: bool,
    journey: &mut Journey,
) -> Result<(String, bool), String> {
    let domain = domain_of(recipient).unwrap_or_default();
    let all = world.tenant.objects("OutboundConnector");
    let usable = |one: &&Value| is_true(one, "Enabled") && !is_true(one, "TestMode");
    let connector = match ruled {
        Some(wanted) => {
            let named =
                |one: &&Value| text(one, "Name").eq_ignore_ascii_case(wanted) || text(one, "Guid").eq_ignore_ascii_case(wanted);
            match all.iter().find(named) {
                None => return Err(format!("a rule names the connector {wanted}, which is not there")),
                Some(one) if !usable(&one) => return Err(format!("the connector {} is switched off", text(one, "Name"))),
                found => found,
            }
        }
        None => all
            .iter()
            .filter(|one| usable(one) && !is_true(one, "IsTransportRuleScoped"))
            .filter_map(|one| {
                let by_domain = list(one, "RecipientDomains").iter().filter_map(|entry| width(entry, Some(&domain))).max();
                Some((by_domain.or_else(|| is_true(one, "RouteAllMessagesViaOnPremises").then_some(0))?, one))
            })
            .max_by_key(|(width, _)| *width)
            .map(|(_, one)| one),
    };
    let Some(one) = connector else {
        let host = first(&world.network.exchangers(&domain), &domain)?;
        let tls = offers(world, &host) != Offers::Plain;
        if rule_wants_tls && !tls {
            return Err(format!("a rule wants TLS, and {host} does not offer it"));
        }
        journey.step(&Place::Tenant, Subject::OutboundConnector, "", format!("none for {domain}, so its MX: {host}"));
        return Ok((host, tls));
    };
    let name = text(one, "Name");
    let hosts = if is_true(one, "UseMXRecord") { world.network.exchangers(&domain) } else { smart_hosts(&world.network, one) };
    let host = first(&hosts, &domain)?;
    let offered = offers(world, &host);
    let setting = text(one, "TlsSettings");
    let verified = matches!(setting, "CertificateValidation" | "DomainValidation");
    if setting == "DomainValidation" && !text(one, "TlsDomain").is_empty() {
        journey.doubt(format!("the name in the certificate of {host} is not compared with TlsDomain of {name}"));
    }
    if text(one, "SmtpDaneMode") == "Mandatory" {
        journey.doubt(format!("DANE of {host} is not looked up for {name}"));
    }
    let required = !setting.is_empty() || rule_wants_tls;
    let tls = offered != Offers::Plain;
    journey.step(&Place::Tenant, Subject::OutboundConnector, name, format!("mail for {domain} goes to {}", hosts.join(", ")));
    if required && !tls && !world.is_broken(Broken::TlsOptional) {
        return Err(format!("the connector {name} wants TLS, and {host} does not offer it"));
    }
    if verified && offered != Offers::Verified {
        return Err(format!("the connector {name} wants a certificate that can be checked, and {host} has none"));
    }
    Ok((host, tls))
}

fn smart_hosts(network: &Network, one: &Value) -> Vec<String> {
    let expand = |host: String| match network.exchangers.get(&host.to_lowercase()) {
        Some(exchangers) => exchangers.clone(),
        None => vec![host],
    };
    list(one, "SmartHosts").into_iter().flat_map(expand).collect()
}

fn first(hosts: &[String], domain: &str) -> Result<String, String> {
    hosts.first().cloned().ok_or_else(|| format!("no host takes mail for {domain}"))
}

/// Says how a host offers TLS to the tenant.
fn offers(world: &World, host: &str) -> Offers {
    match world.network.leads(host) {
        Leads::Elsewhere(offers) => offers,
        Leads::Tenant => Offers::Verified,
        Leads::Gateway(listener) => {
            let peer = Peer::new(world.network.tenant_address, Some(&world.network.tenant_host));
            match super::greet(world, &listener, &peer) {
                super::Greeting::Open(admission) if admission.offers_tls() => {
                    let named = world.gateway.listener(&listener).is_some_and(|one| !one.certificate.is_empty());
                    if named { Offers::Verified } else { Offers::SelfSigned }
                }
                _ => Offers::Plain,
            }
        }
    }
}
