//! One question to one DNS server, or to those of this machine: what was found with how long it may be kept, told apart from no answer.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{RData, RecordType};
use url::Host;

use crate::remote::{Call, Error, Kind, interruptible};
use crate::schema::{Record, engine};
use crate::value::Path;

/// How many times a server is asked within the time limit.
const ATTEMPTS: usize = 3;

/// How long one question may take where nobody says.
pub(super) const LIMIT: Duration = Duration::from_secs(10);

/// Whom to ask, and for how long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asking {
    /// The server; those of this machine if there is none.
    pub(super) server: Option<SocketAddr>,
    /// How long the look-up may take with all its attempts.
    pub(super) limit: Duration,
}

/// A record as it was found.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) data: RData,
    /// How many seconds it may be kept.
    pub(super) ttl: u32,
}

impl Asking {
    /// What the arguments `domain`, `resolver` and `timeout` of a data source say: the domain in ASCII, whom to ask about it, and for how long.
    pub(super) fn of(config: &Record) -> Result<(String, Asking), Error> {
        let name = config.text("domain").unwrap_or_default();
        let ascii = ascii(name).map_err(|why| invalid("domain", name, &why))?;
        let limit =
            engine::parse_duration(config.text("timeout").unwrap_or("10s")).map_err(|why| invalid("timeout", "", &why))?;
        let server = match config.text("resolver") {
            None => None,
            Some(text) => Some(address(text).map_err(|why| invalid("resolver", text, &why))?),
        };
        Ok((ascii, Asking { server, limit }))
    }

    /// The server in words, at the beginning of a sentence.
    pub(super) fn whom(&self) -> String {
        self.server.map_or_else(|| "The DNS servers of this machine".to_owned(), |server| format!("The DNS server {server}"))
    }

    /// Looks records of a kind up. A name that is there without such records gives none; one that is not there, a server that fails and one that
    /// says nothing are errors, each with its own words.
    pub(super) async fn ask(&self, name: &str, kind: RecordType, call: &Call) -> Result<Vec<Entry>, Error> {
        let resolver = client(self.server, self.limit)?;
        // The last dot keeps the search list of this machine out.
        let lookup = tokio::time::timeout(self.limit, resolver.lookup(format!("{name}."), kind));
        let found = match interruptible(call, lookup).await? {
            Err(_) => Err(NetError::Timeout),
            Ok(found) => found,
        };
        match found {
            Ok(lookup) => Ok(lookup
                .answers()
                .iter()
                .filter(|record| record.record_type() == kind)
                .map(|record| Entry { data: record.data.clone(), ttl: record.ttl })
                .collect()),
            Err(error) if is_without_records(&error) => Ok(Vec::new()),
            Err(error) => Err(failed(&error, &self.whom(), name, kind, self.limit)),
        }
    }
}

fn client(server: Option<SocketAddr>, limit: Duration) -> Result<TokioResolver, Error> {
    let unusable = |error: NetError| {
        Error::new(Kind::Unavailable, format!("The DNS settings of this machine cannot be used: {error}."))
            .hint("Name a DNS server in `resolver`.")
    };
    let mut builder = match server {
        None => TokioResolver::builder_tokio().map_err(unusable)?,
        Some(server) => {
            let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
                connection.port = server.port();
                connection
            });
            let server = NameServerConfig::new(server.ip(), true, connections.to_vec());
            let config = ResolverConfig::from_name_servers(vec![server]);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
    };
    let options = builder.options_mut();
    // Each attempt has its share, so that one lost packet does not cost the whole time.
    options.timeout = limit / u32::try_from(ATTEMPTS).unwrap_or(1);
    options.attempts = ATTEMPTS - 1;
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
    builder.build().map_err(unusable)
}

/// The name is there, and has no record of the kind.
fn is_without_records(error: &NetError) -> bool {
    matches!(error, NetError::Dns(DnsError::NoRecordsFound(none)) if none.response_code == ResponseCode::NoError)
}

fn failed(error: &NetError, whom: &str, name: &str, kind: RecordType, limit: Duration) -> Error {
    let code = match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => Some(none.response_code),
        NetError::Dns(DnsError::ResponseCode(code)) => Some(*code),
        _ => None,
    };
    let open = format!("whether there are {kind} records is not known");
    match (code, error) {
        (Some(ResponseCode::NXDomain), _) => {
            Error::new(Kind::NotFound, format!("The domain {name} does not exist (NXDOMAIN).")).hint(
                "Check the spelling. If the domain is new, or known inside your network only, name a server that knows it in `resolver`.",
            )
        }
        (Some(ResponseCode::ServFail), _) => {
            Error::new(Kind::Unavailable, format!("{whom} failed to find out about {name} (SERVFAIL)."))
                .hint(format!("The domain's own servers do not answer, or its DNSSEC signatures are wrong; {open}."))
                .retryable()
        }
        (Some(ResponseCode::Refused), _) => Error::new(Kind::Denied, format!("{whom} refused the question about {name} (REFUSED)."))
            .hint("It does not serve this machine, or not this domain. Name another server in `resolver`."),
        (Some(code), _) => {
            Error::new(Kind::Unavailable, format!("{whom} answered the question about {name} with an error: {code}."))
        }
        (None, NetError::Timeout) => {
            Error::new(Kind::Unavailable, format!("{whom} gave no answer about {name} within {} s.", limit.as_secs_f64()))
                .hint(format!("Check that the server can be reached on UDP and TCP, or raise `timeout`; {open}."))
                .retryable()
        }
        (None, error) => Error::new(Kind::Unavailable, format!("{whom} could not be asked about {name}: {error}."))
            .hint(format!("Check that the server can be reached on UDP and TCP; {open}."))
            .retryable(),
    }
}

/// An argument that cannot be used.
pub(super) fn invalid(name: &str, given: &str, why: &str) -> Error {
    Error::new(Kind::Invalid, format!("{given:?} {why}.")).at(Path::root().attribute(name))
}

/// A host name in lower case and without the last dot.
pub(super) fn host(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// Checks the form of a domain.
pub fn domain(text: &str) -> Result<(), String> {
    ascii(text).map(|_| ())
}

/// The form of a domain in the DNS.
pub(super) fn ascii(text: &str) -> Result<String, String> {
    let wrong = |why: &str| Err(format!("is not a domain such as contoso.com: {why}"));
    if text.contains(['@', '%', '*']) {
        return wrong("it has a character that no domain has");
    }
    match Host::parse(text.trim_end_matches('.')) {
        Ok(Host::Domain(ascii)) if ascii.len() <= 253 && ascii.split('.').all(|label| (1..=63).contains(&label.len())) => {
            Ok(ascii)
        }
        Ok(Host::Domain(_)) => wrong("it, or a part of it, is empty or too long"),
        Ok(_) => wrong("it is an address"),
        Err(_) => wrong("it cannot be read"),
    }
}

/// Checks the form of a DNS server.
pub fn resolver(text: &str) -> Result<(), String> {
    address(text).map(|_| ())
}

/// Reads the address of a DNS server, whose port is 53 where it is not written.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    match (text.parse::<SocketAddr>(), bare.parse::<IpAddr>()) {
        (Ok(address), _) if address.port() != 0 => Ok(address),
        (_, Ok(address)) => Ok(SocketAddr::new(address, 53)),
        _ => Err("is not an IP address such as 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:5353".to_owned()),
    }
}

/// Checks a time limit.
pub(super) fn timeout(text: &str) -> Result<(), String> {
    match engine::parse_duration(text) {
        Ok(limit) if limit.is_zero() => Err("is no time at all".to_owned()),
        outcome => outcome.map(|_| ()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resolver_is_an_address_perhaps_with_a_port() {
        for (text, wanted) in [
            ("192.0.2.53", Some("192.0.2.53:53")),
            ("192.0.2.53:5353", Some("192.0.2.53:5353")),
            ("2001:db8::53", Some("[2001:db8::53]:53")),
            ("[2001:db8::53]", Some("[2001:db8::53]:53")),
            ("[2001:db8::53]:5353", Some("[2001:db8::53]:5353")),
            ("dns.example", None),
            ("192.0.2.53:0", None),
            ("192.0.2.53:70000", None),
            ("", None),
        ] {
            assert_eq!(address(text).ok().map(|address| address.to_string()).as_deref(), wanted, "{text}");
        }
    }

    #[test]
    fn what_is_no_domain_is_refused() {
        for text in ["", ".", "a..b", "a@contoso.com", "192.0.2.1", "*.contoso.com", "a b", "a%20b.example"] {
            assert!(domain(text).is_err(), "{text}");
        }
        for text in ["contoso.com", "contoso.com.", "_dmarc.contoso.com", "b\u{fc}cher.example"] {
            assert_eq!(domain(text), Ok(()), "{text}");
        }
    }
}
