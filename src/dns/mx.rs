//! The MX records of a domain, as a resolver sees them now.
//!
//! A domain without MX records and a domain with the null MX of RFC 7505 (`0 .`, "takes no mail") are answers; a domain that is not
//! there, a server that fails and a server that says nothing are errors, each with its own words.

use hickory_resolver::proto::rr::{RData, RecordType};

use super::ask::{Asking, domain, host, resolver, timeout};
use crate::remote::{Call, Error};
use crate::schema::{DataSource, Record, boolean, integer, list_of, string};
use crate::value::Value;

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

/// Looks the records up.
pub(super) async fn read(config: &Record, call: &Call) -> Result<Record, Error> {
    let (name, asking) = Asking::of(config)?;
    let answers = asking.ask(&name, RecordType::MX, call).await?;
    let mut records: Vec<(u16, String)> = answers
        .iter()
        .filter_map(|entry| match &entry.data {
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

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::dns::testing::{Said, Server};
    use crate::remote::Kind;

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
}
