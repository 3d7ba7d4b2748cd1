//! Where a message goes from the gateway: SMTP routes, mail exchangers, and the TLS of destination controls.

use super::message::lies_below;
use super::network::{Leads, Network, Offers};
use super::{Broken, Place, Subject, World};
use crate::sandbox::gateway::tables::destination::Tls;

/// Says how a message leaves for one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hop {
    /// To a host.
    Host {
        /// Host name or address.
        host: String,
        /// Over TLS.
        tls: bool,
    },
    /// To nowhere, by `/dev/null`.
    Nowhere {
        /// Route.
        route: String,
    },
    /// Not at all.
    Stuck(String),
}

/// Is one line of what was looked at: table, name, words.
type Looked = (Subject, String, String);

/// Says how the gateway hands a message on, and what it looked at on the way. `mail_host` is where a filter sends it, past all routes.
pub fn next_hop(world: &World, recipient: &str, mail_host: Option<&str>) -> (Hop, Vec<Looked>) {
    let domain = super::message::domain_of(recipient).unwrap_or_default();
    let mut looked = Vec::new();
    let hosts = if let Some(host) = mail_host {
        vec![host.to_owned()]
    } else {
        match route(world, &domain) {
            None => {
                let hosts = world.network.exchangers(&domain);
                looked.push((Subject::Route, String::new(), format!("no route for {domain}, so its MX: {}", hosts.join(", "))));
                hosts
            }
            Some((name, destinations)) => {
                let shown = destinations.join(", ");
                looked.push((Subject::Route, name.to_owned(), format!("mail for {domain} goes to {shown}")));
                if destinations.iter().any(|destination| destination == "/dev/null") {
                    return (Hop::Nowhere { route: name.to_owned() }, looked);
                }
                hosts_of(&destinations, &world.network, &domain)
            }
        }
    };
    let Some(host) = hosts.into_iter().next() else {
        return (Hop::Stuck(format!("{domain} has no mail exchanger")), looked);
    };
    let (entry, mode) = tls_mode(world, &domain);
    let (tls, why) = agree(world, &host, mode);
    let name = entry.unwrap_or_else(|| "(Default)".to_owned());
    looked.push((Subject::DestinationControl, name, format!("TLS {}: {why}", mode.label())));
    match tls {
        Some(tls) => (Hop::Host { host, tls }, looked),
        None => (Hop::Stuck(why), looked),
    }
}

/// Finds the route of a domain: its own, the longest `.partial` one, `ALL`.
fn route<'a>(world: &'a World, domain: &str) -> Option<(&'a str, Vec<String>)> {
    let routes = &world.gateway.smtp_routes;
    let full = routes.iter().find(|route| route.domain.eq_ignore_ascii_case(domain));
    let partial = routes
        .iter()
        .filter(|route| route.domain.strip_prefix('.').is_some_and(|above| lies_below(domain, above)))
        .max_by_key(|route| route.domain.len());
    let all = routes.iter().find(|route| route.domain.eq_ignore_ascii_case("ALL"));
    let found = if world.is_broken(Broken::AllRouteFirst) { full.or(all).or(partial) } else { full.or(partial).or(all) };
    found.map(|route| (route.domain.as_str(), route.destinations.clone()))
}

/// Gives the hosts of a route, best first. `host` is looked up by MX and has itself where it has none; `[host]` is taken as it is.
fn hosts_of(destinations: &[String], network: &Network, domain: &str) -> Vec<String> {
    let mut hosts: Vec<(u16, String)> = destinations
        .iter()
        .flat_map(|destination| {
            if destination.eq_ignore_ascii_case("USEDNS") {
                return network.exchangers(domain).into_iter().map(|host| (0, host)).collect::<Vec<_>>();
            }
            let (bare, priority) = destination.split_once("/pri=").unwrap_or((destination, "0"));
            let priority = priority.parse().unwrap_or(0);
            let host = match bare.rsplit_once(':') {
                Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !host.contains(':') => host,
                _ => bare,
            };
            match network.exchangers.get(&host.to_lowercase()) {
                Some(exchangers) if !host.starts_with('[') => exchangers.iter().map(|host| (priority, host.clone())).collect(),
                _ => vec![(priority, host.trim_start_matches('[').trim_end_matches(']').to_owned())],
            }
        })
        .collect();
    hosts.sort_by_key(|(priority, _)| *priority);
    hosts.into_iter().map(|(_, host)| host).collect()
}

/// Gives the TLS setting for a domain and the entry that it comes from; nothing for the default.
fn tls_mode(world: &World, domain: &str) -> (Option<String>, Tls) {
    let controls = &world.gateway.destination_controls;
    let full = controls.find(domain);
    let partial = controls
        .entries
        .iter()
        .filter(|entry| entry.domain.strip_prefix('.').is_some_and(|above| lies_below(domain, above)))
        .max_by_key(|entry| entry.domain.len());
    match full.or(partial) {
        Some(entry) => (Some(entry.domain.clone()), entry.tls.unwrap_or(controls.default.tls)),
        None => (None, controls.default.tls),
    }
}

/// Says whether TLS is spoken with a host; nothing where the message cannot go.
fn agree(world: &World, host: &str, mode: Tls) -> (Option<bool>, String) {
    let offers = offers(world, host);
    let methods = &world.gateway.tls_settings.outbound.method;
    // Servers of today speak nothing older.
    let common = ["tlsv1.2", "tlsv1.3"].iter().any(|version| methods.split('/').any(|own| own == *version));
    let (can, why) = match offers {
        Offers::Plain => (false, format!("{host} does not offer TLS")),
        Offers::SelfSigned | Offers::Verified if !common => (false, format!("no version of {methods} is spoken by {host}")),
        Offers::SelfSigned => (true, format!("{host} offers TLS with a certificate that cannot be checked")),
        Offers::Verified => (true, format!("{host} offers TLS")),
    };
    let required = matches!(mode, Tls::Required | Tls::RequiredVerify | Tls::RequiredVerifyHosted);
    let verify = matches!(mode, Tls::RequiredVerify | Tls::RequiredVerifyHosted);
    if mode == Tls::No {
        return (Some(false), "not used".into());
    }
    if required && !world.is_broken(Broken::TlsOptional) && (!can || verify && offers != Offers::Verified) {
        return (None, why);
    }
    (Some(can), why)
}

/// Says how a host offers TLS: the gateway's own listeners by their policy for whoever asks, the tenant always.
fn offers(world: &World, host: &str) -> Offers {
    match world.network.leads(host) {
        Leads::Elsewhere(offers) => offers,
        Leads::Tenant => Offers::Verified,
        Leads::Gateway(listener) => {
            let peer = super::Peer::new(world.network.gateway_address, Some(&world.network.gateway_host));
            match super::greet(world, &listener, &peer) {
                super::Greeting::Open(admission) if admission.offers_tls() => Offers::SelfSigned,
                _ => Offers::Plain,
            }
        }
    }
}

/// Names the place of a listener.
pub(super) fn at(listener: &str) -> Place {
    Place::Gateway(listener.to_owned())
}
