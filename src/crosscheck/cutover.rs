//! The cut-over of a domain: from MX records that lead to Microsoft 365 to such that lead to the gateways.

use std::collections::BTreeSet;

use async_trait::async_trait;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::{Sides, blockers};
use crate::dns::{self, MxLine, MxServer};
use crate::remote::{Call, Error, Kind, LooksAgain, MxQuestion, MxView, Restricting};
use crate::schema::{Attribute, DataSource, Record, boolean, integer, list, list_of, string};
use crate::value::{Diagnostic, Value};

const RECORD: &[Attribute] = &[
    string("server", "The DNS server that has the record.").computed(),
    string("host", "The mail server.").computed(),
    integer("preference", "The lower, the more preferred.").computed(),
    integer("ttl", "How long the record may still be kept, in seconds.").computed(),
    boolean("is_gateway", "Whether it is one of `gateway_hosts`, by its name or by its addresses.").computed(),
];

const SERVER: &[Attribute] = &[
    string("server", "The DNS server.").computed(),
    string("state", "What it says: `before`, `mixed` or `moved`; null if it gave no answer.").computed(),
    string("problem", "Why it gave no answer.").computed(),
];

/// The table.
pub(super) const SOURCE: DataSource = DataSource {
    name: "mx_cutover",
    noun: "MX cut-over",
    about: "Reads where the MX records of a domain lead while they are moved to the gateways, and what is missing before they may be moved. While it is in \
            the configuration, a plan refuses to restrict an inbound connector that takes all mail (`sender_domains = [\"*\"]`) as long as the records lead \
            elsewhere.",
    attributes: &[
        string("domain", "The domain.").required().format("a domain such as `contoso.com`", dns::domain),
        list("gateway_hosts", "The names or addresses of the gateways that the MX records must lead to.")
            .required()
            .format("a host name or an IP address", gateway_host),
        list(
            "resolvers",
            "The DNS servers to ask: IP addresses, with the port where it is not 53. Omitted, the servers of the machine that runs Terraform are asked, and \
             the domain's own.",
        )
        .format("an IP address, perhaps with a port", dns::resolver),
        string(
            "state",
            "`before`: all records lead elsewhere. `moved`: all lead to the gateways, at every server that answered. `mixed`: anything between. Null if no \
             server answered.",
        )
        .computed(),
        boolean("moved", "Whether `state` is `moved`.").computed(),
        boolean("null_mx", "Whether a server says that the domain takes no mail (RFC 7505).").computed(),
        list_of("records", "The MX records, server by server. A domain without any takes mail at its own address.", RECORD).computed(),
        list_of("servers", "What each server that was asked says.", SERVER).computed(),
        string("expected", "What Microsoft's check of the domain says once the records are moved, and why it is to be left at that.").computed(),
        string(
            "settled_at",
            "Until when servers may still have old records, in RFC 3339: now and the largest time to live that is served, rounded up to 5 minutes. Null once \
             all servers that answered agree.",
        )
        .computed(),
        list("blockers", "What is missing before the records may be moved, as far as the sides are configured. Empty if nothing is known to be missing.").computed(),
        string("rollback", "How to move back.").computed(),
    ],
    rules: &[],
};

/// The steps in which `settled_at` moves, so that it stays the same for a while.
const STEP: i64 = 300;

/// Looks at the records and at both sides.
pub(super) async fn read(sides: &Sides<'_>, config: &Record, call: &Call) -> Result<Record, Error> {
    let owned = |name: &str| config.texts(name).into_iter().map(str::to_owned).collect::<Vec<_>>();
    let mut question = MxQuestion {
        domain: config.text("domain").unwrap_or_default().trim_end_matches('.').to_lowercase(),
        gateways: owned("gateway_hosts"),
        resolvers: owned("resolvers"),
        is_accepted: None,
    };
    sides.cut_overs.asks(&question);
    question.is_accepted = accepted(sides, &question.domain, call).await;
    sides.cut_overs.asks(&question);
    let servers = dns::mx_servers(&question.domain, &question.gateways, &question.resolvers, call).await?;
    judge(sides, &view(&question, &servers), call)?;
    let expected = match sides.expects {
        Some(expects) => expects.expected_mx(&question.domain, call).await.map_err(|error| error.message),
        None => Err("The provider has no \"exchange\" block.".to_owned()),
    };
    if let Err(why) = &expected {
        tracing::debug!(why, "the expected MX records are not known");
    }
    let hosts = expected.unwrap_or_default();
    let state = overall(&servers);
    let text = |text: Option<String>| text.map_or(Value::Null, Value::String);
    let blockers = blockers::find(sides, &question.domain, &hosts, servers.iter().any(|server| server.is_null), call).await?;
    Ok(Record::new()
        .with("state", state.map_or(Value::Null, Value::text))
        .with("moved", state == Some("moved"))
        .with("null_mx", servers.iter().any(|server| server.is_null))
        .with("records", records(&servers))
        .with("servers", said(&servers))
        .with("expected", told(&question.domain, &hosts))
        .with("settled_at", text(settled_at(&servers, OffsetDateTime::now_utc())))
        .with("blockers", Value::List(blockers.into_iter().map(Value::String).collect()))
        .with("rollback", rollback(&question.domain, &hosts)))
}

/// What the servers say about a domain.
fn view(question: &MxQuestion, servers: &[MxServer]) -> MxView {
    let mut elsewhere = BTreeSet::new();
    for server in servers {
        for line in server.records.iter().flatten().filter(|line| !line.is_gateway) {
            elsewhere.insert(format!("{} MX {} {}", question.domain, line.preference, line.host));
        }
    }
    let is_answered = servers.iter().any(|server| server.records.is_ok());
    let problem = servers.iter().find_map(|server| server.records.as_ref().err().cloned());
    let unanswered = (!is_answered).then(|| problem.unwrap_or_else(|| "No DNS server was asked.".to_owned()));
    MxView {
        domain: question.domain.clone(),
        is_accepted: question.is_accepted,
        elsewhere: elsewhere.into_iter().collect(),
        unanswered,
    }
}

/// Asks the DNS.
#[derive(Debug)]
pub struct Looks;

#[async_trait]
impl LooksAgain for Looks {
    async fn look(&self, question: &MxQuestion, call: &Call) -> MxView {
        match dns::mx_servers(&question.domain, &question.gateways, &question.resolvers, call).await {
            Ok(servers) => view(question, &servers),
            Err(error) => MxView { unanswered: Some(error.message), ..view(question, &[]) },
        }
    }
}

/// Holds what was seen against the connectors that are planned to refuse mail.
fn judge(sides: &Sides<'_>, view: &MxView, call: &Call) -> Result<(), Error> {
    if let Some(why) = &view.unanswered {
        call.report(Diagnostic::warning(
            format!("No DNS server answered about {}", view.domain),
            format!("{why}\n\nWhere its MX records lead is not known, so `state` is null, and nothing is judged by them."),
        ));
    }
    let restricting = sides.cut_overs.saw(view);
    for Restricting { called, is_excused } in restricting {
        if !view.leads_elsewhere() {
            continue;
        }
        let (summary, detail) = crate::remote::mx_words(view, &called);
        if !is_excused {
            return Err(Error::new(Kind::Conflict, format!("{summary}. {detail}")));
        }
        call.report(Diagnostic::warning(summary, detail));
    }
    Ok(())
}

/// Whether the organization takes mail for the domain; nothing if that cannot be learnt.
async fn accepted(sides: &Sides<'_>, domain: &str, call: &Call) -> Option<bool> {
    let resource = (sides.resource)("exchange_accepted_domain")?;
    let listing = sides.exchange?.list(resource, &Record::new(), call).await.ok()?;
    let domain = domain.trim_end_matches('.').to_lowercase();
    Some(listing.objects.iter().any(|object| {
        let own = object.text("domain").unwrap_or_default().to_lowercase();
        own == domain || object.truth("match_sub_domains") == Some(true) && domain.ends_with(&format!(".{own}"))
    }))
}

/// The state of one server's records.
fn state(lines: &[MxLine]) -> &'static str {
    match (lines.iter().any(|line| line.is_gateway), lines.iter().all(|line| line.is_gateway)) {
        (true, true) => "moved",
        (true, false) => "mixed",
        (false, _) => "before",
    }
}

fn overall(servers: &[MxServer]) -> Option<&'static str> {
    let mut states = servers.iter().filter_map(|server| server.records.as_ref().ok()).map(|lines| state(lines));
    let first = states.next()?;
    Some(if states.all(|state| state == first) { first } else { "mixed" })
}

fn records(servers: &[MxServer]) -> Value {
    let mut all = Vec::new();
    for server in servers {
        for line in server.records.iter().flatten() {
            let record = Record::new()
                .with("server", server.server.as_str())
                .with("host", line.host.as_str())
                .with("preference", Value::integer(line.preference.into()))
                .with("ttl", Value::integer(line.ttl.into()))
                .with("is_gateway", line.is_gateway);
            all.push(record.into_value());
        }
    }
    Value::List(all)
}

fn said(servers: &[MxServer]) -> Value {
    let one = |server: &MxServer| {
        let (state, problem) = match &server.records {
            Ok(lines) => (Value::text(state(lines)), Value::Null),
            Err(problem) => (Value::Null, Value::text(problem.as_str())),
        };
        Record::new().with("server", server.server.as_str()).with("state", state).with("problem", problem).into_value()
    };
    Value::List(servers.iter().map(one).collect())
}

/// Until when old records may be kept somewhere.
pub(super) fn settled_at(servers: &[MxServer], now: OffsetDateTime) -> Option<String> {
    let answers: Vec<&Vec<MxLine>> = servers.iter().filter_map(|server| server.records.as_ref().ok()).collect();
    let hosts = |lines: &[MxLine]| lines.iter().map(|line| (line.preference, line.host.clone())).collect::<BTreeSet<_>>();
    let agree = answers.first().is_some_and(|first| answers.iter().all(|lines| hosts(lines) == hosts(first)));
    if agree {
        return None;
    }
    let longest = answers.iter().flat_map(|lines| lines.iter()).map(|line| line.ttl).max().unwrap_or_default();
    let at = now.saturating_add(Duration::seconds(longest.into())).unix_timestamp();
    let rounded = at.saturating_add(STEP - 1).div_euclid(STEP).saturating_mul(STEP);
    OffsetDateTime::from_unix_timestamp(rounded).ok().and_then(|at| at.format(&Rfc3339).ok())
}

fn told(domain: &str, hosts: &[String]) -> String {
    let wanted = match hosts.first() {
        Some(host) => format!("`{domain} MX 0 {host}`"),
        None => "a record that leads to its own servers".to_owned(),
    };
    format!(
        "Microsoft's check of {domain} expects {wanted}, and reports the MX records as wrong once they lead to the gateways. That is how it must be: what it \
         advises takes the gateways out of the mail flow."
    )
}

fn rollback(domain: &str, hosts: &[String]) -> String {
    let back = match hosts.first() {
        Some(host) => format!("`{domain} MX 0 {host}`"),
        None => "the record that Microsoft 365 expects (`mailflow_exchange_domain`)".to_owned(),
    };
    format!(
        "First set `restrict_domains_to_ip_addresses = false` (and `restrict_domains_to_certificate = false`) on the inbound connector, and apply: while it \
         restricts, mail that does not come from the gateways is refused. Then publish {back} in place of the gateways, and keep the gateways running until \
         `settled_at` is null."
    )
}

fn gateway_host(text: &str) -> Result<(), String> {
    if text.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok() {
        return Ok(());
    }
    dns::domain(text).map_err(|_| "is neither a host name nor an IP address".to_owned())
}
