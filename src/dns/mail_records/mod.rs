//! What a domain says of its mail in the DNS: SPF, DKIM, DMARC, MTA-STS, TLS-RPT and TLSA, raw and parsed.
//!
//! A record that is wrong is told as such and never an error: somebody else may have written it. "No record" (the DNS says so) is told from "no
//! answer" (nobody knows). RFC 7208, 6376, 7489, 8461, 8460 and 6698.

mod parse;

use hickory_resolver::proto::rr::{RData, RecordType};

use self::parse::Parsed;
use super::ask::{Asking, Entry, domain, host, resolver, timeout};
use crate::remote::{Call, Error, Kind};
use crate::schema::{Attribute, DataSource, Record, boolean, integer, list, list_of, object, string};
use crate::value::{Diagnostic, Value};

const STATUS: Attribute = string(
    "status",
    "`found`, `none` (there is no such record), `wrong` (there is one that does not do what it should, see `problem`) or `no_answer` (nobody knows).",
)
.computed();
const PROBLEM: Attribute = string("problem", "What is wrong, or why there was no answer.").computed();
const NAME: Attribute = string("name", "The name at which was looked.").computed();
const RAW: Attribute = string("raw", "The text of the record, as it was found.").computed();

const SPF: &[Attribute] = &[
    NAME,
    STATUS,
    PROBLEM,
    RAW,
    list("mechanisms", "The mechanisms, in their order, such as `include:spf.protection.outlook.com`.").computed(),
    list("includes", "The domains whose records are included.").computed(),
    string("all", "What is said of all other senders: `-all`, `~all`, `?all` or `+all`.").computed(),
    string("redirect", "The domain whose record is used instead.").computed(),
];

const DKIM: &[Attribute] = &[
    string("selector", "The selector.").computed(),
    NAME,
    STATUS,
    PROBLEM,
    RAW,
    string("cname", "Where the name points to, if it is an alias.").computed(),
    string("key_type", "The kind of the key: `rsa` where the record says nothing.").computed(),
    boolean("revoked", "Whether the record says that the key is no longer used.").computed(),
    boolean("testing", "Whether the record says that signing is only tested.").computed(),
];

const DMARC: &[Attribute] = &[
    NAME,
    STATUS,
    PROBLEM,
    RAW,
    string("policy", "What is asked to be done with mail that fails: `none`, `quarantine` or `reject`.").computed(),
    string("subdomain_policy", "The same for domains below.").computed(),
    integer("percent", "To how many of a hundred messages the policy applies.").computed(),
    string("dkim_alignment", "`r` (relaxed) or `s` (strict).").computed(),
    string("spf_alignment", "`r` (relaxed) or `s` (strict).").computed(),
    list("aggregate_reports", "Where reports of sums go.").computed(),
    list("failure_reports", "Where reports of single failures go.").computed(),
];

const MTA_STS: &[Attribute] = &[
    NAME,
    STATUS,
    PROBLEM,
    RAW,
    string("policy_id", "Changes whenever the policy file changes. The file itself is not read.").computed(),
];

const TLS_RPT: &[Attribute] = &[NAME, STATUS, PROBLEM, RAW, list("reports", "Where reports of TLS failures go.").computed()];

const TLSA: &[Attribute] = &[
    string("host", "The mail server.").computed(),
    NAME,
    STATUS,
    PROBLEM,
    list_of(
        "records",
        "The records.",
        &[
            RAW,
            integer("usage", "3 is the server's own certificate, 2 that of an authority.").computed(),
            integer("selector", "0 is the whole certificate, 1 its public key.").computed(),
            integer("matching_type", "0 is all of it, 1 its SHA-256, 2 its SHA-512.").computed(),
            string("data", "What is compared, in hexadecimal.").computed(),
        ],
    )
    .computed(),
];

/// The table.
pub(super) const SOURCE: DataSource = DataSource {
    name: "dns_mail_records",
    noun: "mail records",
    about: "Reads what a domain says of its mail in the DNS: SPF, DKIM, DMARC, MTA-STS, TLS-RPT, and the TLSA records of its mail servers, each raw and \
            parsed. A record that is wrong is reported as `wrong` and is not an error.",
    attributes: &[
        string("domain", "The domain. Names with letters beyond ASCII may be written as they are read.")
            .required()
            .format("a domain such as `contoso.com`", domain),
        list("dkim_selectors", "The DKIM selectors to look for. Omitted: those of Microsoft 365, `selector1` and `selector2`.")
            .format("a selector such as `selector1`", selector),
        string("resolver", "The DNS server to ask: its IP address, and its port where that is not 53 (`192.0.2.53`, `192.0.2.53:5353`, `[2001:db8::53]:5353`). Omitted, the servers of the machine that runs Terraform are asked.")
            .format("an IP address, perhaps with a port", resolver),
        string("timeout", "How long each look-up may take with all its attempts, as a duration such as `5s`.")
            .filled_text("10s")
            .format("a duration of more than zero", timeout),
        object("spf", "Who may send mail of the domain (SPF).", SPF).computed(),
        list_of("dkim", "The keys with which mail of the domain is signed (DKIM), one for each selector.", DKIM).computed(),
        object("dmarc", "What is asked to be done with mail that fails both (DMARC): at the domain, or else at the next domain above that has a record.", DMARC)
            .computed(),
        object("mta_sts", "Whether mail to the domain has to be sent over TLS (MTA-STS).", MTA_STS).computed(),
        object("tls_rpt", "Where failures of TLS are reported (TLS-RPT).", TLS_RPT).computed(),
        list_of("tlsa", "The certificates of the mail servers (TLSA, for DANE), one element for each host of the MX records.", TLSA).computed(),
    ],
    rules: &[],
};

/// What was found at a name: the texts, or the status and the problem of none.
type Texts = Result<Vec<String>, (&'static str, String)>;

/// Looks all records up.
pub(super) async fn read(config: &Record, call: &Call) -> Result<Record, Error> {
    let (ascii, asking) = Asking::of(config)?;
    let selectors = match config.texts("dkim_selectors") {
        none if none.is_empty() => vec!["selector1", "selector2"],
        some => some,
    };
    let sts = format!("_mta-sts.{ascii}");
    let rpt = format!("_smtp._tls.{ascii}");
    let (spf, dkim, dmarc, mta_sts, tls_rpt, tlsa) = tokio::try_join!(
        single(asking, &ascii, parse::spf, call),
        keys(asking, &ascii, &selectors, call),
        dmarc(asking, &ascii, call),
        single(asking, &sts, parse::mta_sts, call),
        single(asking, &rpt, parse::tls_rpt, call),
        tlsa(asking, &ascii, call),
    )?;
    let all = [&spf, &dmarc, &mta_sts, &tls_rpt].into_iter().chain(&dkim).chain(&tlsa);
    let unanswered: Vec<&str> =
        all.filter(|one| one.text("status") == Some("no_answer")).filter_map(|one| one.text("name")).collect();
    if !unanswered.is_empty() {
        call.report(Diagnostic::warning(
            format!("Not all mail records of {ascii} could be looked up"),
            format!(
                "{} gave no answer about {}. Their `status` is `no_answer`: nobody knows whether there are records.",
                asking.whom(),
                unanswered.join(", ")
            ),
        ));
    }
    let listed = |records: Vec<Record>| Value::List(records.into_iter().map(Record::into_value).collect());
    Ok(Record::new()
        .with("spf", spf.into_value())
        .with("dkim", listed(dkim))
        .with("dmarc", dmarc.into_value())
        .with("mta_sts", mta_sts.into_value())
        .with("tls_rpt", tls_rpt.into_value())
        .with("tlsa", listed(tlsa)))
}

/// Asks, and takes "there is no such name" for "there is no record"; only what ends the run is an error.
async fn entries(asking: Asking, name: &str, kind: RecordType, call: &Call) -> Result<Result<Vec<Entry>, String>, Error> {
    match asking.ask(name, kind, call).await {
        Ok(entries) => Ok(Ok(entries)),
        Err(error) if error.kind == Kind::NotFound => Ok(Ok(Vec::new())),
        Err(error) if error.kind == Kind::Stopped => Err(error),
        Err(error) => Ok(Err(error.message)),
    }
}

async fn texts(asking: Asking, name: &str, call: &Call) -> Result<Texts, Error> {
    let found = match entries(asking, name, RecordType::TXT, call).await? {
        Err(problem) => return Ok(Err(("no_answer", problem))),
        Ok(found) => found,
    };
    let whole = |entry: &Entry| match &entry.data {
        // A long text comes in parts, which belong together without a blank.
        RData::TXT(text) => Some(parse::printable(&text.txt_data.concat())),
        _ => None,
    };
    Ok(Ok(found.iter().filter_map(whole).collect()))
}

fn answered(name: &str, texts: Texts, parse: impl Fn(&[String]) -> Parsed) -> Record {
    let record = match texts {
        Err((status, problem)) => Record::new().with("status", status).with("problem", problem),
        Ok(texts) => parse(&texts).into_record(),
    };
    record.with("name", name)
}

async fn single(asking: Asking, name: &str, parse: fn(&[String]) -> Parsed, call: &Call) -> Result<Record, Error> {
    Ok(answered(name, texts(asking, name, call).await?, parse))
}

async fn keys(asking: Asking, domain: &str, selectors: &[&str], call: &Call) -> Result<Vec<Record>, Error> {
    let mut found = Vec::new();
    for selector in selectors {
        let name = format!("{selector}._domainkey.{domain}");
        let (alias, texts) = tokio::try_join!(entries(asking, &name, RecordType::CNAME, call), texts(asking, &name, call))?;
        let target = alias.unwrap_or_default().iter().find_map(|entry| match &entry.data {
            RData::CNAME(alias) => Some(host(&alias.0.to_ascii())),
            _ => None,
        });
        let mut record = answered(&name, texts, parse::dkim);
        if target.is_some() && record.text("status") == Some("none") {
            record.set("status", "wrong");
            record.set("problem", "The name is an alias, and there is no key where it points to.");
        }
        found.push(record.with("selector", *selector).with("cname", target.map_or(Value::Null, Value::String)));
    }
    Ok(found)
}

/// Looks at the domain, and then at each domain above it.
async fn dmarc(asking: Asking, domain: &str, call: &Call) -> Result<Record, Error> {
    let mut at = domain;
    let mut first = None;
    loop {
        let name = format!("_dmarc.{at}");
        let record = answered(&name, texts(asking, &name, call).await?, parse::dmarc);
        let is_there = record.text("status") != Some("none");
        match at.split_once('.') {
            Some((_, parent)) if !is_there && parent.contains('.') => at = parent,
            _ if is_there => return Ok(record),
            _ => return Ok(first.unwrap_or(record)),
        }
        first.get_or_insert(record);
    }
}

async fn tlsa(asking: Asking, domain: &str, call: &Call) -> Result<Vec<Record>, Error> {
    let found = match entries(asking, domain, RecordType::MX, call).await? {
        Ok(found) => found,
        Err(problem) => {
            return Ok(vec![
                Record::new()
                    .with("name", domain)
                    .with("status", "no_answer")
                    .with("problem", problem)
                    .with("records", Value::List(Vec::new())),
            ]);
        }
    };
    let mut hosts: Vec<(u16, String)> = found
        .iter()
        .filter_map(|entry| match &entry.data {
            RData::MX(mx) => Some((mx.preference, host(&mx.exchange.to_ascii()))),
            _ => None,
        })
        .filter(|(_, host)| !host.is_empty())
        .collect();
    hosts.sort();
    hosts.dedup();
    let mut records = Vec::new();
    for (_, host) in hosts {
        let name = format!("_25._tcp.{host}");
        let record = match entries(asking, &name, RecordType::TLSA, call).await? {
            Err(problem) => {
                Record::new().with("status", "no_answer").with("problem", problem).with("records", Value::List(Vec::new()))
            }
            Ok(found) => parse::tlsa(&found),
        };
        records.push(record.with("host", host).with("name", name));
    }
    Ok(records)
}

fn selector(text: &str) -> Result<(), String> {
    domain(&format!("{text}.example")).map_err(|_| "is not a selector such as `selector1`".to_owned())
}

#[cfg(test)]
mod tests;
