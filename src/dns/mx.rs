//! The MX records of a domain, as a resolver sees them now.
//!
//! A domain without MX records and a domain with the null MX of RFC 7505 (`0 .`, "takes no mail") are answers; a domain that is not
//! there, a server that fails and a server that says nothing are errors, each with its own words.

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
use crate::schema::{DataSource, Record, boolean, engine, integer, list_of, string};
use crate::value::{Path, Value};

/// The table.
pub(super) const SOURCE: DataSource = DataSource {
    name: "dns_mx",
    noun: "MX records",
    about: "Reads the MX records of a domain from the DNS: what other mail servers see now. Compare them with what the tenant expects \
            (`mailflow_exchange_domain`), or with the addresses of the gateways. A domain that does not exist, and a server that fails or \
            does not answer, are errors.",
    attributes: &[
        string("domain", "The domain. Names with letters beyond ASCII may be written as they are read.")
            .required()
            .format("a domain such as `contoso.com`", domain),
        string("resolver", "The DNS server to ask: its IP address, and its port where that is not 53 (`192.0.2.53`, `192.0.2.53:5353`, `[2001:db8::53]:5353`). Left out, the servers of the machine that runs Terraform are asked.")
            .format("an IP address, perhaps with a port", resolver),
        string("timeout", "How long the look-up may take with all its attempts, as a duration such as `5s`.")
            .filled_text("10s")
            .format("a duration of more than zero", timeout),
        list_of(
            "mx_records",
            "The records, those that are preferred first. Empty if the domain has none, or only the null MX.",
            &[
                string("host", "The mail server, in lower case and without the last dot.").computed(),
                integer("preference", "The lower, the more preferred.").computed(),
            ],
        )
        .computed(),
        boolean("null_mx", "Whether the domain says that it takes no mail, with the null MX of RFC 7505.").computed(),
    ],
    rules: &[],
};

/// How many times a server is asked within the time limit.
const ATTEMPTS: usize = 3;

/// Looks the records up.
pub(super) async fn read(config: &Record, call: &Call) -> Result<Record, Error> {
    let name = config.text("domain").unwrap_or_default();
    let ascii = ascii(name).map_err(|why| invalid("domain", name, &why))?;
    let limit = engine::parse_duration(config.text("timeout").unwrap_or("10s")).map_err(|why| invalid("timeout", "", &why))?;
    let server = match config.text("resolver") {
        None => None,
        Some(text) => Some(address(text).map_err(|why| invalid("resolver", text, &why))?),
    };
    let resolver = client(server, limit)?;
    let whom = server.map_or_else(|| "The DNS servers of this machine".to_owned(), |server| format!("The DNS server {server}"));
    // The last dot keeps the search list of this machine out.
    let lookup = tokio::time::timeout(limit, resolver.lookup(format!("{ascii}."), RecordType::MX));
    let found = match interruptible(call, lookup).await? {
        Err(_) => Err(NetError::Timeout),
        Ok(found) => found,
    };
    let answers = match &found {
        Ok(lookup) => lookup.answers(),
        Err(error) if is_without_records(error) => &[],
        Err(error) => return Err(failed(error, &whom, &ascii, limit)),
    };
    let mut records: Vec<(u16, String)> = answers
        .iter()
        .filter_map(|record| match &record.data {
            RData::MX(mx) => Some((mx.preference, host(&mx.exchange.to_ascii()))),
            _ => None,
        })
        .collect();
    records.sort_unstable();
    records.dedup();
    let null_mx = !records.is_empty() && records.iter().all(|(_, host)| host.is_empty());
    // Beside real records, a null MX means nothing.
    records.retain(|(_, host)| !host.is_empty());
    let records = records.into_iter().map(|(preference, host)| {
        Value::object([("host", Value::text(host)), ("preference", Value::integer(preference.into()))])
    });
    Ok(Record::new().with("mx_records", Value::List(records.collect())).with("null_mx", null_mx))
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

/// The name is there, and has no MX record.
fn is_without_records(error: &NetError) -> bool {
    matches!(error, NetError::Dns(DnsError::NoRecordsFound(none)) if none.response_code == ResponseCode::NoError)
}

fn failed(error: &NetError, whom: &str, name: &str, limit: Duration) -> Error {
    let code = match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => Some(none.response_code),
        NetError::Dns(DnsError::ResponseCode(code)) => Some(*code),
        _ => None,
    };
    match (code, error) {
        (Some(ResponseCode::NXDomain), _) => {
            Error::new(Kind::NotFound, format!("The domain {name} does not exist (NXDOMAIN).")).hint(
                "Check the spelling. If the domain is new, or known inside your network only, name a server that knows it in `resolver`.",
            )
        }
        (Some(ResponseCode::ServFail), _) => {
            Error::new(Kind::Unavailable, format!("{whom} failed to find out about {name} (SERVFAIL)."))
                .hint("The domain's own servers do not answer, or its DNSSEC signatures are wrong; whether it has MX records is not known.")
                .retryable()
        }
        (Some(ResponseCode::Refused), _) => Error::new(Kind::Denied, format!("{whom} refused the question about {name} (REFUSED)."))
            .hint("It does not serve this machine, or not this domain. Name another server in `resolver`."),
        (Some(code), _) => {
            Error::new(Kind::Unavailable, format!("{whom} answered the question about {name} with an error: {code}."))
        }
        (None, NetError::Timeout) => {
            Error::new(Kind::Unavailable, format!("{whom} gave no answer about {name} within {} s.", limit.as_secs_f64()))
                .hint("Check that the server can be reached on UDP and TCP, or raise `timeout`; whether the domain has MX records is not known.")
                .retryable()
        }
        (None, error) => Error::new(Kind::Unavailable, format!("{whom} could not be asked about {name}: {error}."))
            .hint("Check that the server can be reached on UDP and TCP; whether the domain has MX records is not known.")
            .retryable(),
    }
}

fn invalid(name: &str, given: &str, why: &str) -> Error {
    Error::new(Kind::Invalid, format!("{given:?} {why}.")).at(Path::root().attribute(name))
}

fn host(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

fn domain(text: &str) -> Result<(), String> {
    ascii(text).map(|_| ())
}

/// The form of a domain in the DNS.
fn ascii(text: &str) -> Result<String, String> {
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

fn resolver(text: &str) -> Result<(), String> {
    address(text).map(|_| ())
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    match (text.parse::<SocketAddr>(), bare.parse::<IpAddr>()) {
        (Ok(address), _) if address.port() != 0 => Ok(address),
        (_, Ok(address)) => Ok(SocketAddr::new(address, 53)),
        _ => Err("is not an IP address such as 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:5353".to_owned()),
    }
}

fn timeout(text: &str) -> Result<(), String> {
    match engine::parse_duration(text) {
        Ok(limit) if limit.is_zero() => Err("is no time at all".to_owned()),
        outcome => outcome.map(|_| ()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::dns::testing::{Said, Server};

    fn script(name: &str) -> Said {
        match name {
            "contoso.com" => Said::Records(vec![(20, "b.example"), (10, "Z.Example"), (10, "a.example")]),
            "xn--bcher-kva.example" => Said::Records(vec![(0, "mail.xn--bcher-kva.example")]),
            "many.example" => Said::OverTcp(vec![(5, "one.example"), (1, "two.example")]),
            "alias.example" => Said::Alias("contoso.com", vec![(1, "a.example")]),
            "null.example" => Said::Records(vec![(0, "")]),
            "odd.example" => Said::Records(vec![(0, ""), (7, "a.example")]),
            "none.example" => Said::Records(Vec::new()),
            "broken.example" => Said::Code(2),
            "refused.example" => Said::Code(5),
            "silent.example" => Said::Silence,
            _ => Said::Code(3),
        }
    }

    async fn look(domain: &str, limit: &str) -> Result<Record, Error> {
        let server = Server::start(script);
        let config = Record::new().with("domain", domain).with("timeout", limit).with("resolver", server.address.to_string());
        read(&config, &Call::new(CancellationToken::new(), Duration::from_secs(20))).await
    }

    async fn check(domain: &str, wanted: &[(i64, &str)], null_mx: bool) {
        let found = look(domain, "10s").await.unwrap_or_else(|error| panic!("{domain}: {error}"));
        let records: Vec<(i64, String)> = found
            .get("mx_records")
            .as_elements()
            .unwrap()
            .iter()
            .map(|one| Record::from_value(one.clone()))
            .map(|one| (one.integer("preference").unwrap(), one.text("host").unwrap().to_owned()))
            .collect();
        let wanted: Vec<(i64, String)> = wanted.iter().map(|(preference, host)| (*preference, (*host).to_owned())).collect();
        assert_eq!((records, found.truth("null_mx")), (wanted, Some(null_mx)), "{domain}");
    }

    async fn check_fails(domain: &str, limit: &str, kind: Kind, word: &str) {
        let error = look(domain, limit).await.expect_err(domain);
        assert_eq!(error.kind, kind, "{domain}: {error}");
        assert!(error.to_string().contains(word), "{domain}: {error}");
    }

    #[tokio::test]
    async fn records_come_in_the_order_of_preference_in_lower_case() {
        check("contoso.com", &[(10, "a.example"), (10, "z.example"), (20, "b.example")], false).await;
        check("Contoso.COM.", &[(10, "a.example"), (10, "z.example"), (20, "b.example")], false).await;
    }

    #[tokio::test]
    async fn a_name_beyond_ascii_is_asked_for_in_its_dns_form() {
        check("b\u{fc}cher.example", &[(0, "mail.xn--bcher-kva.example")], false).await;
    }

    #[tokio::test]
    async fn an_answer_that_fits_no_datagram_is_fetched_over_tcp() {
        check("many.example", &[(1, "two.example"), (5, "one.example")], false).await;
    }

    #[tokio::test]
    async fn an_alias_is_followed() {
        check("alias.example", &[(1, "a.example")], false).await;
    }

    #[tokio::test]
    async fn a_domain_without_records_and_one_with_the_null_mx_are_told_apart() {
        check("none.example", &[], false).await;
        check("null.example", &[], true).await;
        check("odd.example", &[(7, "a.example")], false).await;
    }

    #[tokio::test]
    async fn what_is_no_answer_is_an_error_of_its_own_kind() {
        check_fails("gone.example", "10s", Kind::NotFound, "NXDOMAIN").await;
        check_fails("broken.example", "10s", Kind::Unavailable, "SERVFAIL").await;
        check_fails("refused.example", "10s", Kind::Denied, "REFUSED").await;
    }

    #[tokio::test]
    async fn a_server_that_says_nothing_is_given_up_at_the_time_limit() {
        let begin = Instant::now();
        check_fails("silent.example", "600ms", Kind::Unavailable, "no answer").await;
        assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_an_error() {
        let gone = Server::start(script).address;
        let config = Record::new().with("domain", "contoso.com").with("timeout", "1s").with("resolver", gone.to_string());
        let error = read(&config, &Call::new(CancellationToken::new(), Duration::from_secs(20))).await.unwrap_err();
        assert_eq!(error.kind, Kind::Unavailable, "{error}");
    }

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
