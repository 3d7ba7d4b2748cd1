//! The destination control table: `destconfig`, then `DETAIL` of `ALL` (or `LIST`, `PRINT` on releases without it).
//!
//! A detail block, of which only the labels are known; other layouts with the same meaning are read, too:
//!
//! ```text
//! example.com
//!  Maximum messages per connection: 20
//!  Rate Limiting:
//!    10 concurrent connections
//!    No recipient limit
//!    Limits applied to entire domain, across all virtual gateways
//!  TLS: Preferred
//!  Bounce Verification Tagging: Default
//!  Bounce Profile: Default
//! ```
//!
//! The list has the columns Domain, Rate Limiting, TLS, Bounce Verification and Bounce Profile; its cells have no numbers, so a row
//! that only the list shows has no limits that could be told. The file form is made of INI sections (`[example.com]`,
//! `max_host_concurrency = 10`, `table_tls = on`).

use super::labels::{self, Words};
use super::{banner, complete, count_of, numbers, unquote, whole, words};
use crate::gateway::dialog::{Dialog, Said};
use crate::gateway::resources::{destination_control, forms};
use crate::gateway::table::{Row, Rows};
use crate::remote::Error;
use crate::schema::Record;
use crate::value::Value;

mod blocks;
#[cfg(test)]
mod tests;

use self::blocks::Table;

/// The name of the resource that these rows belong to.
const RESOURCE: &str = "gateway_destination_control";

/// The dialog that prints the table; then the one for the entry `DEFAULT`, where it was not among all.
pub(in crate::gateway) fn dialog(said: &[Said]) -> Option<Dialog> {
    match said {
        [] => Some(super::printing(Dialog::of("destconfig").choose_if_offered(&["DETAIL", "LIST", "PRINT"]).key_if_asked("ALL"))),
        [all] if !read(&[all]).entries.iter().any(Entry::is_default) => {
            Some(super::printing(Dialog::of("destconfig").choose_if_offered(&["DETAIL"]).key_if_asked("DEFAULT")))
        }
        _ => None,
    }
}

/// Understands the table.
pub(in crate::gateway) fn parse(said: &[Said]) -> Result<Rows, Error> {
    let Some(first) = said.first() else { return Ok(Rows::default()) };
    let table = read(&said.iter().collect::<Vec<_>>());
    let announced = count_of(&whole(first), &["entr", "destination"]).or_else(|| count_of(&banner(first), &["configured"]));
    complete("destination control table", table.entries.len() + table.unread, announced)?;
    let rows = table.entries.iter().map(Entry::row).collect();
    Ok(Rows { rows, not_understood: table.not_understood, nameless: table.nameless, ..Rows::default() })
}

fn read(said: &[&Said]) -> Table {
    let mut table = Table::default();
    for said in said {
        table.add(super::last(said));
    }
    table
}

/// The words of a value have no known meaning.
struct NotUnderstood;

/// What is known of one entry. What is not said is `None`, which means the table's default.
#[derive(Debug, Default)]
struct Entry {
    domain: String,
    concurrency: Option<i64>,
    messages: Option<i64>,
    recipients: Option<i64>,
    minutes: Option<i64>,
    limit_type: Option<&'static str>,
    limit_apply: Option<&'static str>,
    tls: Option<&'static str>,
    bounce_verification: Option<&'static str>,
    bounce_profile: Option<String>,
    ip_sort: Option<&'static str>,
    dane: Option<&'static str>,
    /// What no attribute knows.
    foreign: Vec<String>,
}

/// What a label is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Dane,
    Scope,
    Minutes,
    Concurrency,
    Recipients,
    Messages,
    Rate,
    Tls,
    Profile,
    Tagging,
    IpSort,
}

/// The labels of the printouts and the keys of the file, by their words.
const LABELS: &[Words<Field>] = &[
    labels::words(Field::Dane, &[&["dane"]], &["support", "tls", "outbound", "verification"]),
    labels::words(
        Field::Scope,
        &[
            &["limit", "type"],
            &["limits", "type"],
            &["concurrency", "type"],
            &["concurrency", "apply"],
            &["limit", "apply"],
            &["limit", "applied"],
            &["limit", "applies"],
            &["limits", "apply"],
            &["limits", "applied"],
            &["limit", "enforced"],
            &["limits", "enforced"],
        ],
        &["limit", "limits", "concurrency", "concurrent", "rate", "are", "is", "how"],
    ),
    labels::words(
        Field::Minutes,
        &[
            &["recipient", "minutes"],
            &["recipients", "minutes"],
            &["recipient", "period"],
            &["recipients", "period"],
            &["recipient", "interval"],
            &["recipients", "interval"],
            &["rcpt", "minutes"],
        ],
        &["recipient", "recipients", "limit", "limits", "minutes"],
    ),
    labels::words(Field::Recipients, &[&["recipient"], &["recipients"]], &["limit", "limits", "rate", "hour", "unlimited"]),
    labels::words(
        Field::Messages,
        &[&["messages"], &["message"], &["msgs"]],
        &["connection", "connections", "session", "limit", "messages", "sent"],
    ),
    labels::words(
        Field::Concurrency,
        &[&["concurrency"], &["concurrent"], &["connections"]],
        &[
            "concurrent",
            "concurrency",
            "connection",
            "connections",
            "limit",
            "limits",
            "host",
            "simultaneous",
            "allowed",
            "at",
            "once",
        ],
    ),
    labels::words(Field::Rate, &[&["rate"], &["limits"], &["limiting"]], &["limit", "limits", "limiting", "rate"]),
    labels::words(
        Field::Tls,
        &[&["tls"]],
        &["support", "outbound", "connections", "connection", "mode", "table", "settings", "required", "encryption"],
    ),
    labels::words(Field::Profile, &[&["profile"]], &["bounce", "name"]),
    labels::words(
        Field::Tagging,
        &[&["bounce"], &["tagging"]],
        &["bounce", "verification", "validation", "verify", "address", "tagging", "perform"],
    ),
    labels::words(
        Field::IpSort,
        &[
            &["ip", "sort"],
            &["ip", "preference"],
            &["ip", "pref"],
            &["ip", "version"],
            &["ipversion"],
            &["sort", "preference"],
            &["sort", "pref"],
        ],
        &["ip", "sort", "preference", "pref", "version", "address", "addresses", "mx"],
    ),
];

impl Entry {
    fn is_default(&self) -> bool {
        self.domain == "DEFAULT"
    }

    fn row(&self) -> Row {
        // The entry DEFAULT inherits from nothing: what a release does not show of it is off.
        let number = |number: Option<i64>| number.map_or(Value::Null, Value::integer);
        let mut record = Record::new()
            .with("id", self.domain.as_str())
            .with("domain", self.domain.as_str())
            .with("concurrency_limit", number(self.concurrency))
            .with("max_messages_per_connection", number(self.messages))
            .with("recipient_limit", number(self.recipients))
            .with("recipient_limit_minutes", self.minutes.unwrap_or(60))
            .with("concurrency_limit_type", self.limit_type.unwrap_or("host"))
            .with("concurrency_limit_apply", self.limit_apply.unwrap_or("system"))
            .with("tls", self.tls.unwrap_or(if self.is_default() { "none" } else { "default" }))
            .with("bounce_verification", self.bounce_verification.unwrap_or(if self.is_default() { "off" } else { "default" }))
            .with("bounce_profile", self.bounce_profile.clone().map_or(Value::Null, Value::text))
            .with("ip_sort_preference", self.ip_sort.unwrap_or("default"))
            .with("dane", self.dane.unwrap_or(if self.is_default() { "none" } else { "default" }));
        record.set_unmanaged(&destination_control::RESOURCE, self.foreign.clone());
        Row { resource: RESOURCE, id: self.domain.clone(), record }
    }
}

impl Entry {
    /// Takes a setting with its label. Tells whether it was understood.
    fn setting(&mut self, label: &str, value: &str) -> bool {
        let lower = unquote(value).to_lowercase();
        let Some(field) = labels::field(LABELS, label) else { return false };
        match field {
            Field::Dane => dane(&lower).map(|mode| self.dane = Some(mode)).is_some(),
            Field::Scope => self.scope(&lower),
            Field::Concurrency => self.number(&lower).map(|number| self.concurrency = number).is_ok(),
            Field::Minutes => self.number(&lower).map(|number| self.minutes = number).is_ok(),
            Field::Recipients => self.recipients(&lower),
            Field::Messages => self.number(&lower).map(|number| self.messages = number).is_ok(),
            // Releases that keep it on one line part the pieces by commas or semicolons.
            Field::Rate => is_default_word(&lower) || super::truth(&lower).is_some() || self.limit(&lower) || self.scope(&lower),
            Field::Tls => tls(&lower).map(|mode| self.tls = Some(mode)).is_some(),
            Field::Profile => {
                self.bounce_profile = (!is_default_word(&lower) && !["none", "", "system default"].contains(&lower.as_str()))
                    .then(|| unquote(value).to_owned());
                true
            }
            Field::Tagging => {
                self.bounce_verification = match super::truth(&lower) {
                    Some(true) => Some("on"),
                    Some(false) => Some("off"),
                    None if words(&lower).first().is_some_and(|word| word == "default") => Some("default"),
                    None => return false,
                };
                true
            }
            Field::IpSort => ip_sort(&lower).map(|preference| self.ip_sort = Some(preference)).is_some(),
        }
    }

    /// Takes a line that says a limit in words.
    fn limit(&mut self, lower: &str) -> bool {
        if lower.contains(',') && !lower.contains("applied") && !lower.contains("entire") {
            let parts: Vec<String> = lower.split([',', ';']).map(|part| part.trim().to_owned()).collect();
            let understood: Vec<bool> = parts.iter().map(|part| self.limit(part)).collect();
            return !understood.contains(&false);
        }
        if ["limit", "one limit", "separate limit"].iter().any(|begin| lower.starts_with(begin)) && self.scope(lower) {
            return true;
        }
        let is_number = |word: &String| word.bytes().all(|byte| byte.is_ascii_digit());
        let about: Vec<String> = words(lower).into_iter().filter(|word| !is_number(word) && word != "unlimited").collect();
        match labels::field(LABELS, &about.join(" ")) {
            Some(Field::Concurrency) => self.number(lower).map(|number| self.concurrency = number).is_ok(),
            Some(Field::Recipients | Field::Minutes) => self.recipients(lower),
            Some(Field::Messages) => self.number(lower).map(|number| self.messages = number).is_ok(),
            _ => false,
        }
    }
}

impl Entry {
    /// A number, or the word for "as the default says" or "no limit".
    fn number(&self, lower: &str) -> Result<Option<i64>, NotUnderstood> {
        if lower.contains("default") && !self.is_default() {
            return Ok(None);
        }
        match numbers(lower).first() {
            Some(number) => Ok(Some(*number)),
            None if words(lower)
                .iter()
                .any(|word| ["default", "no", "none", "off", "unlimited", "undefined"].contains(&word.as_str())) =>
            {
                Ok(None)
            }
            None => Err(NotUnderstood),
        }
    }

    /// `No recipient limit`, `1000 recipients per 60 minutes`, `1000`.
    fn recipients(&mut self, lower: &str) -> bool {
        let Ok(limit) = self.number(lower) else { return false };
        self.recipients = limit;
        if limit.is_some() {
            let minutes = numbers(lower).get(1).copied();
            self.minutes = minutes.or(self.minutes).or(lower.contains("hour").then_some(60));
        }
        true
    }

    /// What a limit counts, and for whom.
    fn scope(&mut self, lower: &str) -> bool {
        let counted = words(lower);
        let exact = |word: &str| counted.iter().any(|found| found == word);
        let limit_type = if lower.contains("mail exchanger") || exact("mxip") || exact("mx") || lower.contains("each ip") {
            Some("MXIP")
        } else if lower.contains("entire") || lower.contains("whole") || exact("host") {
            Some("host")
        } else {
            None
        };
        let apply = if lower.contains("across all") || exact("system") || exact("wide") {
            Some("system")
        } else if exact("vg") || lower.contains("virtual gateway") {
            Some("VG")
        } else {
            None
        };
        self.limit_type = limit_type.or(self.limit_type);
        self.limit_apply = apply.or(self.limit_apply);
        limit_type.is_some() || apply.is_some()
    }
}

/// Tells whether a label is that of a setting, whatever its value.
fn is_known(label: &str) -> bool {
    labels::field(LABELS, label).is_some()
}

/// Tells whether a text is the name of an entry: a domain, a name of one label, an address, or the word for the default.
fn is_name(text: &str) -> bool {
    is_default_word(text) || forms::destination_domain(unquote(text)).is_ok()
}

fn is_default_word(text: &str) -> bool {
    let found = words(text);
    // `default.entry` is a domain.
    let text = text.trim_end_matches('.');
    !text.contains('.') && (found == ["default"] || found == ["default", "entry"])
}

/// Understands a way to use TLS, by its words: `Preferred (Verify)`, `Req`, `on_verify`, `2`.
pub(in crate::gateway) fn tls(text: &str) -> Option<&'static str> {
    let found = words(text);
    let has = |prefix: &str| found.iter().any(|word| word.starts_with(prefix));
    if found.first().is_some_and(|word| word == "default") {
        return Some("default");
    }
    let required = has("req") || has("mandatory");
    let preferred = has("pref") || found.iter().any(|word| word == "on" || word == "yes");
    if has("hosted") {
        Some("required_verify_hosted_domains")
    } else if has("verif") {
        if required { Some("required_verify") } else { preferred.then_some("preferred_verify") }
    } else if required {
        Some("required")
    } else if preferred {
        Some("preferred")
    } else {
        match found.first().map(String::as_str)? {
            "off" | "none" | "no" | "not" | "0" => Some("none"),
            "1" => Some("preferred"),
            "2" => Some("required"),
            "3" => Some("preferred_verify"),
            "4" => Some("required_verify"),
            _ => None,
        }
    }
}

/// Understands a way to use DANE: `No`, `Opportunistic`, `Mandatory`.
pub(in crate::gateway) fn dane(text: &str) -> Option<&'static str> {
    let found = words(text);
    let has = |prefix: &str| found.iter().any(|word| word.starts_with(prefix));
    if found.first().is_some_and(|word| word == "default") {
        Some("default")
    } else if has("opportun") {
        Some("opportunistic")
    } else if has("mandator") || has("requir") {
        Some("mandatory")
    } else {
        ["no", "none", "off", "disabled", "not"].contains(&found.first()?.as_str()).then_some("none")
    }
}

/// Understands which IP version is tried first: `PREFER_V6`, `Require IPv4`, `Prefer IPv6`.
pub(in crate::gateway) fn ip_sort(text: &str) -> Option<&'static str> {
    let lower = text.to_lowercase();
    let six = lower.contains("v6") || lower.contains("ip6");
    let four = lower.contains("v4") || lower.contains("ip4");
    match (lower.contains("require") || lower.contains("only"), lower.contains("prefer"), six, four) {
        (true, _, true, false) => Some("require_v6"),
        (true, _, false, true) => Some("require_v4"),
        (false, true, true, false) => Some("prefer_v6"),
        (false, true, false, true) => Some("prefer_v4"),
        _ if is_default_word(text) => Some("default"),
        _ => None,
    }
}
