//! Where the MX records of a domain lead, as several DNS servers see them: to the gateways, or elsewhere.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use hickory_resolver::proto::rr::{RData, RecordType};

use super::aliases::own_servers;
use super::ask::{Asking, LIMIT, address, ascii, host, invalid};
use crate::remote::{Call, Error, Kind};

/// What one server says.
#[derive(Debug, Clone)]
pub struct MxServer {
    /// The server, in words for a message.
    pub server: String,
    /// The records, those that are preferred first; or why there was no answer.
    pub records: Result<Vec<MxLine>, String>,
    /// The domain says that it takes no mail (RFC 7505).
    pub is_null: bool,
}

/// One MX record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MxLine {
    /// The lower, the more preferred.
    pub preference: u16,
    /// The mail server.
    pub host: String,
    /// How many seconds the record may be kept.
    pub ttl: u32,
    /// It is one of the gateways, by its name or by an address.
    pub is_gateway: bool,
}

/// How long a missing record may be remembered where nobody says: the implicit record of a domain without any.
const IMPLICIT_TTL: u32 = 300;

/// Asks each server. `gateways` are names or addresses. Without `resolvers`, the servers of this machine and the domain's own are asked.
pub async fn mx_servers(domain: &str, gateways: &[String], resolvers: &[String], call: &Call) -> Result<Vec<MxServer>, Error> {
    let name = ascii(domain).map_err(|why| invalid("domain", domain, &why))?;
    let mut seen = Vec::new();
    let (mut answers, mut missing) = (0, None);
    for asking in servers(domain, resolvers, call).await? {
        let server = asking.whom();
        match one(asking, &name, gateways, call).await {
            Ok((lines, is_null)) => {
                answers += 1;
                seen.push(MxServer { server, records: Ok(lines), is_null });
            }
            Err(error) if error.kind == Kind::Stopped => return Err(error),
            Err(error) => {
                seen.push(MxServer { server, records: Err(error.message.clone()), is_null: false });
                if error.kind == Kind::NotFound {
                    missing.get_or_insert(error);
                }
            }
        }
    }
    match missing {
        // No server knows the domain, and one says that it is not there.
        Some(error) if answers == 0 => Err(error.at(crate::value::Path::root().attribute("domain"))),
        _ => Ok(seen),
    }
}

async fn servers(domain: &str, resolvers: &[String], call: &Call) -> Result<Vec<Asking>, Error> {
    let asking = |server: Option<SocketAddr>| Asking { server, limit: LIMIT };
    if !resolvers.is_empty() {
        let named = resolvers.iter().map(|text| match address(text) {
            Ok(address) => Ok(asking(Some(address))),
            Err(why) => Err(invalid("resolvers", text, &why)),
        });
        return named.collect();
    }
    let own = match own_servers(domain, asking(None), call).await {
        Err(error) if error.kind == Kind::Stopped => return Err(error),
        own => own.unwrap_or_default(),
    };
    Ok(std::iter::once(None).chain(own.into_iter().map(Some)).map(asking).collect())
}

async fn one(asking: Asking, domain: &str, gateways: &[String], call: &Call) -> Result<(Vec<MxLine>, bool), Error> {
    let found = asking.ask(domain, RecordType::MX, call).await?;
    let mut lines: Vec<MxLine> = found
        .iter()
        .filter_map(|entry| match &entry.data {
            RData::MX(mx) => {
                let host = host(&mx.exchange.to_ascii());
                Some(MxLine { preference: mx.preference, host, ttl: entry.ttl, is_gateway: false })
            }
            _ => None,
        })
        .collect();
    let is_null = !lines.is_empty() && lines.iter().all(|line| line.host.is_empty());
    // Beside real records, a null MX means nothing.
    lines.retain(|line| !line.host.is_empty());
    if lines.is_empty() && !is_null {
        // Mail for a domain without MX records goes to its address.
        lines.push(MxLine { preference: 0, host: domain.to_owned(), ttl: IMPLICIT_TTL, is_gateway: false });
    }
    lines.sort();
    lines.dedup();
    let plain = |text: &String| text.trim_matches(['[', ']']).parse::<IpAddr>().ok();
    let names: BTreeSet<String> = gateways.iter().filter(|text| plain(text).is_none()).map(|text| host(text)).collect();
    let mut known: BTreeSet<IpAddr> = gateways.iter().filter_map(plain).collect();
    let mut are_names_looked_up = false;
    for line in &mut lines {
        if names.contains(&line.host) {
            line.is_gateway = true;
            continue;
        }
        let own = addresses(asking, &line.host, call).await?;
        if own.is_empty() {
            continue;
        }
        if !are_names_looked_up {
            are_names_looked_up = true;
            for name in &names {
                known.extend(addresses(asking, name, call).await?);
            }
        }
        line.is_gateway = own.iter().all(|address| known.contains(address));
    }
    Ok((lines, is_null))
}

/// The addresses of a host; none where they cannot be learnt.
async fn addresses(asking: Asking, host: &str, call: &Call) -> Result<Vec<IpAddr>, Error> {
    let mut found = Vec::new();
    for kind in [RecordType::A, RecordType::AAAA] {
        let entries = match asking.ask(host, kind, call).await {
            Err(error) if error.kind == Kind::Stopped => return Err(error),
            entries => entries.unwrap_or_default(),
        };
        found.extend(entries.iter().filter_map(|entry| match &entry.data {
            RData::A(address) => Some(IpAddr::from(address.0)),
            RData::AAAA(address) => Some(IpAddr::from(address.0)),
            _ => None,
        }));
    }
    Ok(found)
}
