//! The servers of a domain, and the aliases that they have.

use std::net::SocketAddr;

use async_trait::async_trait;
use hickory_resolver::proto::rr::{RData, RecordType};

use super::ask::{Asking, LIMIT, address, ascii, host, invalid};
use crate::remote::{Aliased, Aliases, Call, Error, Kind};

/// So many servers of a domain are asked at most.
const MOST_SERVERS: usize = 8;

/// Asks the DNS.
#[derive(Debug, Clone, Copy, Default)]
pub struct Dns;

#[async_trait]
impl Aliases for Dns {
    async fn aliases(&self, name: &str, domain: &str, resolvers: &[&str], call: &Call) -> Result<Vec<Aliased>, Error> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let mut answers = Vec::new();
        let mut failure = None;
        for asking in servers(domain, resolvers, call).await? {
            let target = match asking.ask(&name, RecordType::CNAME, call).await {
                Ok(entries) => entries.iter().find_map(|entry| match &entry.data {
                    RData::CNAME(alias) => Some(host(&alias.0.to_ascii())),
                    _ => None,
                }),
                Err(error) if error.kind == Kind::NotFound => None,
                Err(error) if error.kind == Kind::Stopped => return Err(error),
                Err(error) => {
                    failure.get_or_insert(error);
                    continue;
                }
            };
            answers.push(Aliased { server: asking.whom(), target });
        }
        match failure {
            Some(error) if answers.is_empty() => Err(error),
            _ => Ok(answers),
        }
    }
}

/// Whom to ask about a domain: the named servers, else its own, else those of this machine.
async fn servers(domain: &str, resolvers: &[&str], call: &Call) -> Result<Vec<Asking>, Error> {
    let asking = |server: Option<SocketAddr>| Asking { server, limit: LIMIT };
    if !resolvers.is_empty() {
        let named = resolvers
            .iter()
            .map(|text| address(text).map(|address| asking(Some(address))).map_err(|why| invalid("resolvers", text, &why)));
        return named.collect();
    }
    match own_servers(domain, asking(None), call).await {
        Ok(found) if !found.is_empty() => Ok(found.into_iter().map(|server| asking(Some(server))).collect()),
        Err(error) if error.kind == Kind::Stopped => Err(error),
        _ => Ok(vec![asking(None)]),
    }
}

/// The addresses of the servers of the zone that a domain is in, as `asking` finds them.
pub(super) async fn own_servers(domain: &str, asking: Asking, call: &Call) -> Result<Vec<SocketAddr>, Error> {
    let mut zone = ascii(domain).map_err(|why| invalid("domain", domain, &why))?;
    let names = loop {
        let found = match asking.ask(&zone, RecordType::NS, call).await {
            Err(error) if error.kind != Kind::NotFound => return Err(error),
            found => found.unwrap_or_default(),
        };
        let names: Vec<String> = found
            .iter()
            .filter_map(|entry| match &entry.data {
                RData::NS(server) => Some(host(&server.0.to_ascii())),
                _ => None,
            })
            .collect();
        match zone.split_once('.') {
            _ if !names.is_empty() => break names,
            // The servers of a top-level domain say nothing of the domains below.
            Some((_, parent)) if parent.contains('.') => zone = parent.to_owned(),
            _ => return Ok(Vec::new()),
        }
    };
    let mut addresses = Vec::new();
    for name in names {
        for kind in [RecordType::A, RecordType::AAAA] {
            let entries = match asking.ask(&name, kind, call).await {
                Err(error) if error.kind == Kind::Stopped => return Err(error),
                entries => entries.unwrap_or_default(),
            };
            addresses.extend(entries.iter().filter_map(|entry| match &entry.data {
                RData::A(address) => Some(SocketAddr::new(address.0.into(), 53)),
                RData::AAAA(address) => Some(SocketAddr::new(address.0.into(), 53)),
                _ => None,
            }));
        }
    }
    addresses.dedup();
    addresses.truncate(MOST_SERVERS);
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::dns::testing::{Line, Said, Server};

    fn call() -> Call {
        Call::new(CancellationToken::new(), Duration::from_mins(1))
    }

    #[tokio::test]
    async fn the_servers_of_a_domain_are_those_of_the_zone_that_it_is_in() {
        let server = Server::start_of_kinds(|name, _| match name {
            "contoso.com" => Said::Of(vec![Line::ns("ns1.example"), Line::ns("gone.example")]),
            "ns1.example" => Said::Of(vec![Line::a([192, 0, 2, 53])]),
            "com" => panic!("the servers of a top-level domain are not asked for"),
            _ => Said::Code(3),
        });
        let asking = Asking { server: Some(server.address), limit: LIMIT };
        for domain in ["contoso.com", "mail.news.Contoso.com"] {
            let found = own_servers(domain, asking, &call()).await.unwrap();
            assert_eq!(found, ["192.0.2.53:53".parse().unwrap()], "{domain}");
        }
        assert_eq!(own_servers("fabrikam.com", asking, &call()).await.unwrap(), []);
        let broken = Server::start(|_| Said::Code(2));
        let asking = Asking { server: Some(broken.address), limit: LIMIT };
        assert!(own_servers("contoso.com", asking, &call()).await.is_err(), "no answer is no empty list");
    }

    #[tokio::test]
    async fn an_alias_is_told_as_each_server_that_answers_has_it() {
        let has = Server::start_of_kinds(|name, _| match name {
            "selector1._domainkey.contoso.com" => Said::Of(vec![Line::cname("Target.Example")]),
            _ => Said::Code(3),
        });
        let (lacks, broken) = (Server::start(|_| Said::Code(3)), Server::start(|_| Said::Code(2)));
        let name = "selector1._domainkey.contoso.com";
        let texts: Vec<String> = [&has, &lacks, &broken].map(|server| server.address.to_string()).into();
        let all: Vec<&str> = texts.iter().map(String::as_str).collect();
        let found = Dns.aliases(name, "contoso.com", &all, &call()).await.unwrap();
        let targets: Vec<_> = found.iter().map(|answer| answer.target.as_deref()).collect();
        assert_eq!(targets, [Some("target.example"), None]);
        assert!(Dns.aliases(name, "contoso.com", &all[2..], &call()).await.is_err());
        assert_eq!(Dns.aliases(name, "contoso.com", &["dns.example"], &call()).await.unwrap_err().kind, Kind::Invalid);
    }
}
