//! Reads the texts of mail records. Total: whatever the text is, what is understood of it is given, and what is wrong is said.

use std::fmt::Write as _;

use hickory_resolver::proto::rr::RData;

use crate::dns::ask::Entry;
use crate::schema::Record;
use crate::value::Value;

/// What a reading came to.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    raw: Option<String>,
    problem: Option<String>,
    fields: Vec<(&'static str, Value)>,
}

impl Parsed {
    /// The members that all kinds of records share, and those of this kind.
    pub(super) fn into_record(self) -> Record {
        let status = match (&self.raw, &self.problem) {
            (_, Some(_)) => "wrong",
            (Some(_), None) => "found",
            (None, None) => "none",
        };
        let text = |text: Option<String>| text.map_or(Value::Null, Value::String);
        let mut record = Record::new().with("status", status).with("problem", text(self.problem)).with("raw", text(self.raw));
        for (name, value) in self.fields {
            record.set(name, value);
        }
        record
    }

    fn field(&mut self, name: &'static str, value: impl Into<Value>) {
        self.fields.push((name, value.into()));
    }

    fn wrong(&mut self, problem: impl Into<String>) {
        self.problem.get_or_insert_with(|| problem.into());
    }
}

fn listed(texts: Vec<String>) -> Value {
    Value::List(texts.into_iter().map(Value::String).collect())
}

/// A text without control characters, whatever its bytes are.
pub(super) fn printable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

/// The one text of a kind. Others that stand at the same name belong to somebody else, unless nothing else belongs there.
fn only(texts: &[String], is_meant: impl Fn(&str) -> bool, kind: &str, alone: bool) -> Parsed {
    let meant: Vec<&String> = texts.iter().filter(|text| is_meant(text)).collect();
    let mut parsed = Parsed { raw: meant.first().map(|text| (*text).clone()), ..Parsed::default() };
    if meant.len() > 1 {
        parsed.wrong(format!("There are {} {kind} records, so that none of them counts.", meant.len()));
    }
    if let (true, true, Some(other)) = (meant.is_empty(), alone, texts.first()) {
        parsed.raw = Some(other.clone());
        parsed.wrong(format!("The text that stands here is no {kind} record."));
    }
    parsed
}

/// The tags of a text such as `v=DMARC1; p=none`, in their order, their names in lower case.
fn tags(text: &str) -> Vec<(String, String)> {
    let tag = |part: &str| match part.split_once('=') {
        Some((name, value)) => (name.trim().to_ascii_lowercase(), value.trim().to_owned()),
        None => (part.trim().to_ascii_lowercase(), String::new()),
    };
    text.split(';').filter(|part| !part.trim().is_empty()).map(tag).collect()
}

/// The value of a tag. One that stands twice is wrong, and the first counts.
fn tag<'t>(tags: &'t [(String, String)], name: &str, parsed: &mut Parsed) -> Option<&'t str> {
    let mut found = tags.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str());
    let first = found.next();
    if found.next().is_some() {
        parsed.wrong(format!("The tag `{name}` stands twice."));
    }
    first
}

fn begins(text: &str, version: &str) -> bool {
    let tags = tags(text);
    tags.first().is_some_and(|(name, value)| name == "v" && value == version)
}

/// SPF (RFC 7208).
pub(super) fn spf(texts: &[String]) -> Parsed {
    const LOOKS_UP: &[&str] = &["include", "a", "mx", "ptr", "exists", "redirect"];
    const KNOWN: &[&str] = &["all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"];
    let is_spf = |text: &str| {
        let lower = text.to_ascii_lowercase();
        lower == "v=spf1" || lower.starts_with("v=spf1 ")
    };
    let mut parsed = only(texts, is_spf, "SPF", false);
    let text = parsed.raw.clone().unwrap_or_default();
    let (mut mechanisms, mut includes, mut all, mut redirect, mut lookups) = (Vec::new(), Vec::new(), None, None, 0);
    for term in text.split_ascii_whitespace().skip(1) {
        let bare = term.trim_start_matches(['+', '-', '~', '?']);
        let end = bare.find([':', '=', '/']).unwrap_or(bare.len());
        let word = bare[..end].to_ascii_lowercase();
        let is_modifier = bare[end..].starts_with('=');
        let value = bare[end..].trim_start_matches([':', '=']);
        lookups += usize::from(LOOKS_UP.contains(&word.as_str()));
        if is_modifier {
            if word == "redirect" {
                redirect = Some(value.to_ascii_lowercase());
            }
            continue;
        }
        if !KNOWN.contains(&word.as_str()) {
            parsed.wrong(format!("`{term}` is no mechanism of SPF, so that the whole record is an error to its readers."));
        }
        if matches!(word.as_str(), "include" | "exists" | "ip4" | "ip6") && value.is_empty() {
            parsed.wrong(format!("`{term}` lacks what comes after the colon."));
        }
        match word.as_str() {
            "include" => includes.push(value.to_ascii_lowercase()),
            "all" if all.is_none() => {
                let sign = if term.starts_with(['+', '-', '~', '?']) { &term[..1] } else { "+" };
                all = Some(format!("{sign}all"));
            }
            _ => {}
        }
        mechanisms.push(term.to_owned());
    }
    if lookups > 10 {
        parsed.wrong(format!("The record alone needs {lookups} look-ups, and readers stop after 10."));
    }
    parsed.field("mechanisms", listed(mechanisms));
    parsed.field("includes", listed(includes));
    parsed.field("all", all.map_or(Value::Null, Value::String));
    parsed.field("redirect", redirect.map_or(Value::Null, Value::String));
    parsed
}

/// A DKIM key (RFC 6376).
pub(super) fn dkim(texts: &[String]) -> Parsed {
    let is_key = |text: &str| begins(text, "DKIM1") || tags(text).iter().any(|(name, _)| name == "p");
    let mut parsed = only(texts, is_key, "DKIM", true);
    let Some(text) = parsed.raw.clone() else { return parsed };
    let tags = tags(&text);
    let version = tag(&tags, "v", &mut parsed);
    if version.is_some_and(|version| version != "DKIM1") {
        parsed.wrong("The version is not `DKIM1`.");
    }
    let kind = tag(&tags, "k", &mut parsed).unwrap_or("rsa").to_ascii_lowercase();
    if !["rsa", "ed25519"].contains(&kind.as_str()) {
        parsed.wrong(format!("{kind:?} is no kind of key."));
    }
    let flags = tag(&tags, "t", &mut parsed).unwrap_or_default().to_ascii_lowercase();
    let key: Option<String> =
        tag(&tags, "p", &mut parsed).map(|key| key.chars().filter(|letter| !letter.is_whitespace()).collect());
    let is_base64 = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '/' | '=');
    match &key {
        None => parsed.wrong("The record has no key (`p=`)."),
        Some(key) if !key.chars().all(is_base64) => parsed.wrong("The key is not in base64."),
        _ => {}
    }
    parsed.field("key_type", kind);
    parsed.field("revoked", key.as_deref() == Some(""));
    parsed.field("testing", flags.split(':').any(|flag| flag.trim() == "y"));
    parsed
}

/// DMARC (RFC 7489).
pub(super) fn dmarc(texts: &[String]) -> Parsed {
    let mut parsed = only(texts, |text| begins(text, "DMARC1"), "DMARC", true);
    let Some(text) = parsed.raw.clone() else { return parsed };
    let tags = tags(&text);
    let policies = ["none", "quarantine", "reject"];
    let reports = |text: Option<&str>| {
        text.unwrap_or_default().split(',').map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect::<Vec<_>>()
    };
    let aggregate = reports(tag(&tags, "rua", &mut parsed));
    let failure = reports(tag(&tags, "ruf", &mut parsed));
    let policy = tag(&tags, "p", &mut parsed).map(str::to_ascii_lowercase);
    match &policy {
        None => parsed.wrong("The record has no policy (`p=`)."),
        Some(policy) if !policies.contains(&policy.as_str()) => parsed.wrong(format!("{policy:?} is no policy.")),
        _ => {}
    }
    let below = tag(&tags, "sp", &mut parsed).map(str::to_ascii_lowercase);
    if let Some(below) = below.as_ref().filter(|below| !policies.contains(&below.as_str())) {
        parsed.wrong(format!("{below:?} is no policy for domains below."));
    }
    let percent = match tag(&tags, "pct", &mut parsed) {
        None => Some(100),
        Some(text) => text.parse::<i64>().ok().filter(|percent| (0..=100).contains(percent)),
    };
    if percent.is_none() {
        parsed.wrong("`pct` is no number from 0 to 100.");
    }
    for (name, field) in [("adkim", "dkim_alignment"), ("aspf", "spf_alignment")] {
        let alignment = tag(&tags, name, &mut parsed).unwrap_or("r").to_ascii_lowercase();
        if !["r", "s"].contains(&alignment.as_str()) {
            parsed.wrong(format!("`{name}` is neither `r` nor `s`."));
        }
        parsed.field(field, alignment);
    }
    let all: Vec<&String> = aggregate.iter().chain(&failure).collect();
    if let Some(odd) = all
        .into_iter()
        .find(|one| !one.to_ascii_lowercase().starts_with("mailto:") && !one.to_ascii_lowercase().starts_with("https:"))
    {
        parsed.wrong(format!("{odd:?} is no place for reports: it begins with neither `mailto:` nor `https:`."));
    }
    let below = below.or_else(|| policy.clone());
    parsed.field("policy", policy.map_or(Value::Null, Value::String));
    parsed.field("subdomain_policy", below.map_or(Value::Null, Value::String));
    parsed.field("percent", percent.map_or(Value::Null, Value::integer));
    parsed.field("aggregate_reports", listed(aggregate));
    parsed.field("failure_reports", listed(failure));
    parsed
}

/// MTA-STS (RFC 8461).
pub(super) fn mta_sts(texts: &[String]) -> Parsed {
    let mut parsed = only(texts, |text| begins(text, "STSv1"), "MTA-STS", true);
    let Some(text) = parsed.raw.clone() else { return parsed };
    let tags = tags(&text);
    let id = tag(&tags, "id", &mut parsed).map(str::to_owned);
    let is_good = |id: &String| (1..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !id.as_ref().is_some_and(is_good) {
        parsed.wrong("`id` is not 1 to 32 letters and digits.");
    }
    parsed.field("policy_id", id.map_or(Value::Null, Value::String));
    parsed
}

/// TLS-RPT (RFC 8460).
pub(super) fn tls_rpt(texts: &[String]) -> Parsed {
    let mut parsed = only(texts, |text| begins(text, "TLSRPTv1"), "TLS-RPT", true);
    let Some(text) = parsed.raw.clone() else { return parsed };
    let tags = tags(&text);
    let reports: Vec<String> = tag(&tags, "rua", &mut parsed)
        .unwrap_or_default()
        .split(',')
        .map(|one| one.trim().to_owned())
        .filter(|one| !one.is_empty())
        .collect();
    let is_good = |one: &String| ["mailto:", "https:"].iter().any(|scheme| one.to_ascii_lowercase().starts_with(scheme));
    if reports.is_empty() || !reports.iter().all(is_good) {
        parsed.wrong("`rua` names no place that begins with `mailto:` or `https:`.");
    }
    parsed.field("reports", listed(reports));
    parsed
}

/// TLSA records (RFC 6698, and RFC 7672 for mail).
pub(super) fn tlsa(entries: &[Entry]) -> Record {
    let (mut records, mut problem) = (Vec::new(), None);
    for entry in entries {
        let RData::TLSA(found) = &entry.data else { continue };
        let (usage, selector, matching) = (u8::from(found.cert_usage), u8::from(found.selector), u8::from(found.matching));
        let data = found.cert_data.iter().fold(String::new(), |mut text, byte| {
            // Writing to a text cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        });
        let length = match matching {
            1 => Some(64),
            2 => Some(128),
            _ => None,
        };
        if !matches!(usage, 2 | 3) {
            problem.get_or_insert_with(|| format!("Usage {usage} is not for mail: servers that send ignore it (RFC 7672)."));
        } else if selector > 1 || matching > 2 || length.is_some_and(|length| data.len() != length) || data.is_empty() {
            problem.get_or_insert_with(|| "The data is not what the selector and the matching type ask for.".to_owned());
        }
        let record = Record::new()
            .with("raw", format!("{usage} {selector} {matching} {data}"))
            .with("usage", Value::integer(usage.into()))
            .with("selector", Value::integer(selector.into()))
            .with("matching_type", Value::integer(matching.into()))
            .with("data", data);
        records.push(record.into_value());
    }
    let status = match (&problem, records.is_empty()) {
        (Some(_), _) => "wrong",
        (None, true) => "none",
        (None, false) => "found",
    };
    Record::new()
        .with("status", status)
        .with("problem", problem.map_or(Value::Null, Value::String))
        .with("records", Value::List(records))
}
