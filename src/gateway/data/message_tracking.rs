//! What became of messages: `message-tracking/messages` of the AsyncOS API.
//!
//! A search covers whole minutes. An answer holds 100 messages at most here; the next one is asked for by its offset.
//!
//! ```json
//! {"meta":{"num_bad_records":0,"totalCount":1},"data":[{"attributes":{"direction":"incoming","icid":110,"senderGroup":"UNKNOWNLIST",
//!  "sender":"a@example.com","timestamp":"20 Sep 2022 14:54:50 (GMT +00:00)","hostName":"esa1","subject":"Hello","mid":[219],
//!  "isCompleteData":true,"messageStatus":{"219":"Delivered"},"mailPolicy":["DEFAULT"],"senderIp":"203.0.113.1","recipient":["b@example.net"],
//!  "sbrs":"None","serialNumber":"4217B2C9"}}]}
//! ```

use std::collections::{BTreeMap, BTreeSet, HashSet};

use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, Month, OffsetDateTime, Time, UtcOffset};

use crate::gateway::objects::Gateway;
use crate::gateway::rest::{Product, Query, Rest};
use crate::remote::{Call, Error, Kind};
use crate::schema::{
    Attribute, DataSource, Kind as Of, Record, Rule, Scalar, boolean, integer, list, list_of, map, one_of, string,
};
use crate::value::{Diagnostic, Diagnostics, Path, Value};

/// The table.
pub(super) const SOURCE: DataSource = DataSource {
    name: "gateway_message_tracking",
    noun: "message tracking",
    about: "Reads what became of messages within a window of time, from the gateway or a Secure Email and Web Manager: the device that \
            `gateway.api` of the provider names. The window and the number of messages are bounded on purpose: the answer changes with every \
            message, and all of it is stored in the state.",
    attributes: &[
        string("start", "Where the window begins, to the minute.").required().format(MINUTE, minute),
        string("end", "Where the window ends, to the minute.").required().format(MINUTE, minute),
        string("sender", "A text of the envelope sender."),
        operator("sender_operator", "How the envelope sender is compared with `sender`."),
        string("recipient", "A text of an envelope recipient."),
        operator("recipient_operator", "How envelope recipients are compared with `recipient`."),
        string("subject", "A text of the subject."),
        operator("subject_operator", "How the subject is compared with `subject`."),
        string("attachment_name", "A text of an attachment's file name."),
        operator("attachment_name_operator", "How names of attachments are compared with `attachment_name`."),
        string("file_sha256", "The SHA-256 of an attachment.").format("64 hexadecimal digits", sha256),
        string(
            "cisco_host",
            "The gateway that the messages went through, on a Secure Email and Web Manager; `All_Hosts` for all.",
        )
        .filled_text("All_Hosts"),
        map(
            "custom_query",
            "More parameters of the search by the API's own names, such as `{ message_delivered = \"True\" }` or `{ graymail = \"True\" }`.",
        ),
        one_of(
            "product",
            "What the device is: `gateway` (Secure Email Gateway) or `manager` (Secure Email and Web Manager). Left out, it is found out.",
            &["gateway", "manager"],
        ),
        integer("limit", "How many messages are read at most.").filled_integer(1000).range(1, 100_000),
        list_of("messages", "The messages, in the device's order.", MESSAGE).computed(),
        boolean("truncated", "Whether there are more messages than these.").computed(),
        integer("total_count", "How many messages the device says it has found, if it says so.").computed(),
        integer("num_bad_records", "How many records of its tracking database the device could not read.").computed(),
    ],
    rules: &[
        Rule::Hook("`start` is before `end`.", window_rule),
        Rule::Hook("`custom_query` names no parameter that another argument sets.", custom_rule),
    ],
};

const MESSAGE: &[Attribute] = &[
    integers("mid", "The message IDs: more than one where the message was split."),
    integer("icid", "The ID of the connection that it came by.").computed(),
    integers("all_icid", "The IDs of all its incoming connections."),
    string("serial_number", "The serial number of the gateway.").computed(),
    string("unique_message_id", "Names the message among all gateways.").computed(),
    string("timestamp", "When it came, as the device writes it: `20 Sep 2022 14:54:50 (GMT +00:00)`.").computed(),
    string("received", "The same moment in RFC 3339, in UTC; null if the device's form of it is not understood.").computed(),
    string("host_name", "The gateway that it went through.").computed(),
    string("direction", "`incoming` or `outgoing`.").computed(),
    string("sender", "The envelope sender.").computed(),
    list("friendly_from", "The senders by its header `From`.").computed(),
    string("reply_to", "Its header `Reply-To`.").computed(),
    string("sender_domain", "The domain of the sender.").computed(),
    string("sender_group", "The sender group that the connection was put into.").computed(),
    string("sender_ip", "The address that it came from.").computed(),
    string("sbrs", "The reputation score of that address, as the device writes it (`None` if there is none).").computed(),
    list("recipient", "The envelope recipients.").computed(),
    map("recipient_map", "The recipients by message ID, as JSON: use `jsondecode`.").computed(),
    string("subject", "Its subject.").computed(),
    map("final_subject", "The subject that it left with, by message ID.").computed(),
    map("message_id", "The Message-ID header, by message ID.").remote("messageID").computed(),
    map("message_status", "What became of it, by message ID.").computed(),
    list("mail_policy", "The mail policies that it matched.").computed(),
    map("verdict_chart", "The verdicts of the engines, by message ID.").computed(),
    string("mor_details", "What mailbox auto-remediation did, as JSON: use `jsondecode`.").computed(),
    boolean("is_complete_data", "Whether the device knows all of what happened.").computed(),
];

const MINUTE: &str = "a moment in RFC 3339 without seconds, such as `2026-08-21T14:30:00Z`";

const fn operator(name: &'static str, about: &'static str) -> Attribute {
    one_of(name, about, &["contains", "is", "begins_with"]).filled_text("contains")
}

const fn integers(name: &'static str, about: &'static str) -> Attribute {
    Attribute { kind: Of::List(Scalar::Integer), ..list(name, about).computed() }
}

const PATH: &str = "message-tracking/messages";

/// The most messages of one answer: no client in use asks for more.
const PAGE: usize = 100;

const SENT: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:00.000Z");

/// The arguments that go out as a pair of parameters, operator and value.
const PAIRS: &[(&str, &str, &str)] = &[
    ("sender", "sender_operator", "envelopeSenderfilter"),
    ("recipient", "recipient_operator", "envelopeRecipientfilter"),
    ("subject", "subject_operator", "subjectfilter"),
    ("attachment_name", "attachment_name_operator", "attachmentName"),
];

/// Reads the messages.
pub(super) async fn read(gateway: &Gateway, config: &Record, call: &Call) -> Result<Record, Error> {
    let api = gateway.api()?;
    let wanted = config.integer("limit").and_then(|limit| usize::try_from(limit).ok()).unwrap_or(1000);
    let product = match config.text("product") {
        Some("gateway") => Some(Product::Gateway),
        Some("manager") => Some(Product::Manager),
        _ => None,
    };
    let mut found = Found { wanted, ..Found::default() };
    search(api, product, &query(config)?, &mut found, call).await?;
    found.report(call);
    Ok(Record::new()
        .with("truncated", found.truncated)
        .with("total_count", found.total.map_or(Value::Null, count))
        .with("num_bad_records", count(found.bad))
        .with("messages", Value::List(found.messages)))
}

/// What has been gathered.
#[derive(Debug, Default)]
struct Found {
    wanted: usize,
    messages: Vec<Value>,
    /// What tells one message from another.
    seen: HashSet<String>,
    truncated: bool,
    /// How many the device says there are.
    total: Option<usize>,
    bad: usize,
    /// Members that held something else than they should.
    odd: BTreeSet<&'static str>,
}

async fn search(api: &Rest, product: Option<Product>, query: &Query, found: &mut Found, call: &Call) -> Result<(), Error> {
    let mut offset = 0;
    loop {
        let page = query.clone().with("offset", &offset.to_string()).with("limit", &PAGE.to_string());
        let answer = Box::pin(api.get(product, PATH, &page, call)).await?;
        let new = found.take(&answer)?;
        offset += PAGE;
        if found.truncated {
            return Ok(());
        }
        match new {
            // An empty answer is the end, whatever was counted before: a search that is still running grows and shrinks.
            Page { rows: 0, .. } => {
                found.truncated = found.total.is_some_and(|total| total > found.seen.len() + found.bad);
                return Ok(());
            }
            Page { rows, .. } if rows < PAGE && found.total.is_none_or(|total| total <= offset) => {
                found.truncated = found.total.is_some_and(|total| total > found.seen.len() + found.bad);
                return Ok(());
            }
            Page { fresh: 0, .. } => {
                found.truncated = true;
                call.report(Diagnostic::warning(
                    "The message tracking is not complete",
                    "The device answers with the same messages over and over. Narrow the search or the window of time.",
                ));
                return Ok(());
            }
            Page { .. } => {}
        }
    }
}

/// What an answer held.
struct Page {
    rows: usize,
    /// How many of them had not come before.
    fresh: usize,
}

impl Found {
    fn take(&mut self, answer: &serde_json::Value) -> Result<Page, Error> {
        let odd = |what: &str| Error::new(Kind::Unexpected, format!("The answer of the message tracking {what}."));
        let rows = answer.get("data").and_then(serde_json::Value::as_array).ok_or_else(|| odd("is not a list of messages"))?;
        let meta =
            |name: &str| answer.get("meta").and_then(|meta| meta.get(name)).and_then(whole).and_then(|n| usize::try_from(n).ok());
        if let Some(total) = meta("totalCount") {
            self.total = Some(total);
        }
        // Each answer may count all of them, or its own.
        self.bad = self.bad.max(meta("num_bad_records").unwrap_or_default());
        let mut fresh = 0;
        for row in rows {
            let attributes = row.get("attributes").unwrap_or(row);
            let members = attributes.as_object().ok_or_else(|| odd("lists something that is no message"))?;
            if !self.seen.insert(identity(members)) {
                continue;
            }
            fresh += 1;
            if self.messages.len() == self.wanted {
                self.truncated = true;
                break;
            }
            let message = self.message(members);
            self.messages.push(message);
        }
        Ok(Page { rows: rows.len(), fresh })
    }

    fn message(&mut self, members: &serde_json::Map<String, serde_json::Value>) -> Value {
        let mut record = Record::new();
        for line in MESSAGE.iter().filter(|line| line.name != "received") {
            let given = members.get(&wire_name(line)).unwrap_or(&serde_json::Value::Null);
            let value = shown(line, given).unwrap_or_else(|| {
                self.odd.insert(line.name);
                empty(line)
            });
            record.set(line.name, value);
        }
        let received = record.text("timestamp").and_then(moment);
        if received.is_none() && !record.get("timestamp").is_null() {
            self.odd.insert("timestamp");
        }
        let received = received.and_then(|at| at.format(&Rfc3339).ok());
        record.with("received", received.map_or(Value::Null, Value::text)).into_value()
    }

    /// Says what of the answers could not be read.
    fn report(&self, call: &Call) {
        if self.bad > 0 {
            call.report(Diagnostic::warning(
                "The device could not read all records of its message tracking",
                format!("It reports bad records ({}), so that messages may be missing here.", self.bad),
            ));
        }
        if !self.odd.is_empty() {
            let names: Vec<&str> = self.odd.iter().copied().collect();
            call.report(Diagnostic::warning(
                "Some of the message tracking is not understood",
                format!("These members of messages hold something unexpected and are left empty: {}. Please report them with the release.", names.join(", ")),
            ));
        }
    }
}

/// The name of a member in the answer: `sender_group` is `senderGroup`.
fn wire_name(line: &Attribute) -> String {
    if let crate::schema::Remote::Named(name) = line.remote {
        return name.to_owned();
    }
    if matches!(line.name, "friendly_from" | "unique_message_id") {
        return line.name.to_owned();
    }
    let mut words = line.name.split('_');
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

/// Tells messages apart: by the gateway's serial number, the connection and the message IDs; without any, by all that is said of them.
fn identity(members: &serde_json::Map<String, serde_json::Value>) -> String {
    let text = |name: &str| members.get(name).map(ToString::to_string).unwrap_or_default();
    match (members.get("mid"), members.get("icid")) {
        (None, None) => serde_json::to_string(members).unwrap_or_default(),
        _ => [text("serialNumber"), text("hostName"), text("icid"), text("mid")].join(" "),
    }
}

/// A member as its line of the table has it; `None` if it is something else altogether.
fn shown(line: &Attribute, given: &serde_json::Value) -> Option<Value> {
    use serde_json::Value as Json;
    let items = |each: fn(&Json) -> Option<Value>| match given {
        Json::Null => Some(Vec::new()),
        Json::Array(items) => items.iter().map(each).collect(),
        // One is as good as a list of one.
        one => each(one).map(|one| vec![one]),
    };
    match line.kind {
        Of::List(Scalar::Integer) => items(|item| whole(item).map(Value::integer)).map(Value::List),
        Of::List(_) => items(|item| text(item).map(Value::text)).map(Value::List),
        Of::Map(_) => match given {
            Json::Null => Some(Value::Map(BTreeMap::new())),
            Json::Array(none) if none.is_empty() => Some(Value::Map(BTreeMap::new())),
            Json::Object(members) => {
                Some(Value::Map(members.iter().map(|(name, member)| (name.clone(), Value::text(plain(line, member)))).collect()))
            }
            _ => None,
        },
        _ if given.is_null() => Some(Value::Null),
        Of::Scalar(Scalar::Integer) => whole(given).map(Value::integer),
        Of::Scalar(Scalar::Boolean) => match given {
            Json::Bool(truth) => Some(Value::Bool(*truth)),
            Json::String(text) if text.eq_ignore_ascii_case("true") => Some(Value::Bool(true)),
            Json::String(text) if text.eq_ignore_ascii_case("false") => Some(Value::Bool(false)),
            _ => None,
        },
        _ if line.name == "mor_details" => Some(Value::text(plain(line, given))),
        _ => text(given).map(Value::text),
    }
}

fn empty(line: &Attribute) -> Value {
    match line.kind {
        Of::List(_) => Value::List(Vec::new()),
        Of::Map(_) => Value::Map(BTreeMap::new()),
        _ => Value::Null,
    }
}

/// A text as it is, anything else as JSON; always JSON where the table promises it.
fn plain(line: &Attribute, member: &serde_json::Value) -> String {
    match member {
        serde_json::Value::String(text) if !matches!(line.name, "recipient_map" | "mor_details") => text.clone(),
        other => other.to_string(),
    }
}

fn text(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        serde_json::Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

fn whole(value: &serde_json::Value) -> Option<i64> {
    match value {
        serde_json::Value::Number(number) => number.as_i64(),
        serde_json::Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn count(number: usize) -> Value {
    Value::integer(i64::try_from(number).unwrap_or(i64::MAX))
}

/// The parameters of the search.
fn query(config: &Record) -> Result<Query, Error> {
    let moment = |name: &str| {
        let at =
            config.text(name).and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok()).map(|at| at.to_offset(UtcOffset::UTC));
        at.and_then(|at| at.format(SENT).ok())
            .ok_or_else(|| Error::new(Kind::Invalid, format!("`{name}` is not a moment.")).at(Path::root().attribute(name)))
    };
    // Clients in use send these two before all others.
    let mut query = Query::default()
        .with("startDate", &moment("start")?)
        .with("endDate", &moment("end")?)
        .with("ciscoHost", config.text("cisco_host").unwrap_or("All_Hosts"))
        .with("searchOption", "messages");
    for (value, operator, name) in PAIRS {
        let Some(text) = config.text(value) else { continue };
        query = query
            .with(&format!("{name}Operator"), config.text(operator).unwrap_or("contains"))
            .with(&format!("{name}Value"), text);
    }
    if let Some(hash) = config.text("file_sha256") {
        query = query.with("fileSha256", hash);
    }
    let more = config.get("custom_query").as_members().into_iter().flatten();
    Ok(more
        .filter_map(|(name, value)| Some((name, value.as_text()?)))
        .fold(query, |query, (name, value)| query.with(name, value)))
}

/// A moment as the device writes it: `20 Sep 2022 14:54:50 (GMT +00:00)`. Without a zone it is UTC.
fn moment(text: &str) -> Option<OffsetDateTime> {
    if let Ok(at) = OffsetDateTime::parse(text.trim(), &Rfc3339) {
        return Some(at.to_offset(UtcOffset::UTC));
    }
    let words: Vec<&str> = text
        .split(|letter: char| letter.is_whitespace() || matches!(letter, '(' | ')' | ','))
        .filter(|word| !word.is_empty())
        .collect();
    let (month_at, month) = words.iter().enumerate().find_map(|(at, word)| Some((at, month(word)?)))?;
    let numbers = |word: &&&str| word.bytes().all(|byte| byte.is_ascii_digit());
    let dates: Vec<u16> = words.iter().filter(numbers).filter_map(|word| word.parse().ok()).collect();
    let [day, year] = <[u16; 2]>::try_from(dates).ok()?;
    if month_at > 2 || day > 31 {
        return None;
    }
    let clock: Vec<u8> = words
        .iter()
        .find(|word| word.starts_with(|letter: char| letter.is_ascii_digit()) && word.contains(':'))?
        .split(':')
        .map(|part| part.split('.').next().unwrap_or(part).parse().ok())
        .collect::<Option<_>>()?;
    let time = match clock.as_slice() {
        [hour, minute] => Time::from_hms(*hour, *minute, 0),
        [hour, minute, second] => Time::from_hms(*hour, *minute, *second),
        _ => return None,
    }
    .ok()?;
    let date = Date::from_calendar_date(i32::from(year), month, u8::try_from(day).ok()?).ok()?;
    let offset = match words.iter().find(|word| word.starts_with(['+', '-'])) {
        None => UtcOffset::UTC,
        Some(zone) => offset(zone)?,
    };
    Some(date.with_time(time).assume_offset(offset).to_offset(UtcOffset::UTC))
}

fn month(word: &str) -> Option<Month> {
    let names = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let word = word.to_lowercase();
    let at = names.iter().position(|name| word.starts_with(name))?;
    Month::try_from(u8::try_from(at + 1).ok()?).ok()
}

/// `+05:30`, `-0800`
fn offset(zone: &str) -> Option<UtcOffset> {
    let (sign, digits) = zone.split_at_checked(1)?;
    let digits: String = digits.chars().filter(|letter| *letter != ':').collect();
    let (hours, minutes) = digits.split_at_checked(2)?;
    let (hours, minutes): (i8, i8) = (hours.parse().ok()?, if minutes.is_empty() { 0 } else { minutes.parse().ok()? });
    let sign: i8 = if sign == "-" { -1 } else { 1 };
    UtcOffset::from_hms(hours.checked_mul(sign)?, minutes.checked_mul(sign)?, 0).ok()
}

fn minute(text: &str) -> Result<(), String> {
    let at =
        OffsetDateTime::parse(text, &Rfc3339).map_err(|_| format!("{text:?} is not a moment such as 2026-08-21T14:30:00Z."))?;
    if at.second() == 0 && at.nanosecond() == 0 {
        return Ok(());
    }
    Err(format!(
        "{text:?} has seconds, and the message tracking searches whole minutes. Write :00, or cut a computed time with \
         `formatdate(\"YYYY-MM-DD'T'hh:mm':00Z'\", …)`."
    ))
}

fn sha256(text: &str) -> Result<(), String> {
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(());
    }
    Err("This is not a SHA-256: it has 64 hexadecimal digits.".to_owned())
}

fn window_rule(config: &Record) -> Diagnostics {
    let at = |name: &str| OffsetDateTime::parse(config.text(name)?, &Rfc3339).ok();
    match (at("start"), at("end")) {
        (Some(start), Some(end)) if start >= end => {
            vec![Diagnostic::error("Not a window of time", "`end` must be after `start`.").at(Path::root().attribute("end"))]
        }
        _ => Vec::new(),
    }
}

fn custom_rule(config: &Record) -> Diagnostics {
    let path = Path::root().attribute("custom_query");
    let wrong = |text: String| Diagnostic::error("Not a parameter of its own", text).at(path.clone());
    let names = config.get("custom_query").as_members().into_iter().flatten().map(|(name, _)| name);
    names
        .filter_map(|name| {
            let known = |other: &str| other.eq_ignore_ascii_case(name);
            if let Some((argument, ..)) =
                PAIRS.iter().find(|(_, _, pair)| known(&format!("{pair}Operator")) || known(&format!("{pair}Value")))
            {
                return Some(wrong(format!("Set the argument `{argument}` instead of the parameter {name}.")));
            }
            let others = [
                ("startDate", "start"),
                ("endDate", "end"),
                ("ciscoHost", "cisco_host"),
                ("fileSha256", "file_sha256"),
                ("limit", "limit"),
                ("offset", "limit"),
            ];
            if let Some((_, argument)) = others.iter().find(|(other, _)| known(other)) {
                return Some(wrong(format!("Set the argument `{argument}` instead of the parameter {name}.")));
            }
            if known("searchOption") {
                return Some(wrong("The parameter searchOption is always \"messages\".".to_owned()));
            }
            let sound = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            (!sound).then(|| wrong(format!("{name:?} is not the name of a parameter.")))
        })
        .collect()
}

#[cfg(test)]
mod tests;
