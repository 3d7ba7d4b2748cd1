//! `Get-MessageTraceV2`: what became of messages, of those that a test put there.
//!
//! <https://learn.microsoft.com/powershell/module/exchangepowershell/get-messagetracev2>. At most ten days per query
//! and ninety days back; without dates the last 48 hours; newest first. There is no link to a next page: a cut answer
//! only carries a warning, and the next query starts from the last record's time and recipient.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};
use time::{Duration, OffsetDateTime};

use super::World;
use super::bind;
use super::cmdlet::Outcome;
use super::errors::Exception;
use super::noun::{Given, Input, Item, Kind, Noun, Parameter, Verb};
use super::values::{date, date_text, folded};

/// The most records of one answer, and how many come when nobody says.
const MOST: usize = 5000;
const USUAL: usize = 1000;

/// The members of a record that a message may leave out.
const TEXTS: [&str; 8] =
    ["MessageTraceId", "MessageId", "SenderAddress", "RecipientAddress", "FromIP", "ToIP", "Subject", "Status"];

/// The parameters, for binding.
static TABLE: LazyLock<Noun> = LazyLock::new(|| Noun {
    filters: vec![
        Parameter::new("StartDate", Kind::Date("Z")),
        Parameter::new("EndDate", Kind::Date("Z")),
        Parameter::new("SenderAddress", Kind::Values(Item::Any)),
        Parameter::new("RecipientAddress", Kind::Values(Item::Any)),
        Parameter::new("MessageId", Kind::Values(Item::Any)),
        Parameter::new("MessageTraceId", Kind::One(Item::Guid)),
        Parameter::new("FromIP", Kind::One(Item::Any)),
        Parameter::new("ToIP", Kind::One(Item::Any)),
        Parameter::new(
            "Status",
            Kind::Choices(&["Delivered", "Expanded", "Failed", "FilteredAsSpam", "GettingStatus", "Pending", "Quarantined"]),
        ),
        Parameter::new("Subject", Kind::One(Item::Any)),
        Parameter::new("SubjectFilterType", Kind::Choice(&["Contains", "EndsWith", "StartsWith"])),
        Parameter::new("StartingRecipientAddress", Kind::One(Item::Any)),
    ],
    ..Noun::new("MessageTraceV2", &[Verb::Get], Vec::new())
});

/// The record of a message as the service answers it; says what is wrong with one that has no time.
pub(crate) fn record(message: &Value) -> Result<Map<String, Value>, String> {
    let received = message.get("Received").and_then(Value::as_str).and_then(date);
    let received = received.ok_or("a message needs the time Received")?;
    let mut record = Map::new();
    for name in TEXTS {
        record.insert(name.into(), message.get(name).cloned().unwrap_or_else(|| json!("")));
    }
    record.insert("Received@data.type".into(), json!("System.DateTime"));
    record.insert("Received".into(), json!(date_text(received, "Z")));
    record.insert("Size@data.type".into(), json!("System.Int32"));
    record.insert("Size".into(), message.get("Size").cloned().unwrap_or_else(|| json!(0)));
    Ok(record)
}

/// Answers a query.
pub(crate) fn run(world: &World, parameters: &Map<String, Value>) -> Result<Outcome, Exception> {
    let given = bind::bind(&TABLE, Verb::Get, parameters)?;
    if given.contains_key("Identity") {
        return Err(Exception::parameter_set());
    }
    let (start, end) = window(&given, world.clock.now())?;
    let size = match given.get("ResultSize").and_then(Input::text) {
        None => USUAL,
        Some(text) => text.parse().ok().filter(|size| (1..=MOST).contains(size)).ok_or_else(|| {
            Exception::argument(format!("The value '{text}' of 'ResultSize' is out of range. It must be between 1 and {MOST}."))
        })?,
    };
    let mut found: Vec<(OffsetDateTime, String, &Map<String, Value>)> = world
        .messages
        .iter()
        .chain(world.mail.iter().filter(|(due, _)| *due <= std::time::Instant::now()).map(|(_, record)| record))
        .filter(|record| meets(record, &given))
        .filter_map(|record| Some((date(record.get("Received")?.as_str()?)?, text(record, "RecipientAddress"), record)))
        .filter(|(received, ..)| (start..=end).contains(received))
        .collect();
    found.sort_by(|(one, recipient, _), (other, other_recipient, _)| other.cmp(one).then_with(|| recipient.cmp(other_recipient)));
    if let Some(from) = given.get("StartingRecipientAddress").and_then(Input::text) {
        let from = from.to_lowercase();
        // The query goes on within the second at which the one before was cut.
        found.retain(|(received, recipient, _)| *received < end || *recipient >= from);
    }
    let warnings = (found.len() > size).then(|| "There are more results, use the following command to get more.".to_owned());
    let records = found.into_iter().take(size).map(|(_, _, record)| record.clone()).collect();
    Ok(Outcome { records, warnings: warnings.into_iter().collect(), confirmation: None })
}

/// The time that the query is about.
fn window(given: &Given, now: OffsetDateTime) -> Result<(OffsetDateTime, OffsetDateTime), Exception> {
    let asked = |name: &str| given.get(name).and_then(Input::text).and_then(date);
    let (start, end) = match (asked("StartDate"), asked("EndDate")) {
        (None, None) => (now - Duration::hours(48), now),
        (Some(start), Some(end)) => (start, end),
        _ => return Err(Exception::argument("StartDate and EndDate must be specified together.")),
    };
    if start > end {
        return Err(Exception::argument("The StartDate must be before the EndDate."));
    }
    if end - start > Duration::days(10) {
        return Err(Exception::argument("The date range of a query can't be longer than 10 days."));
    }
    if now - start > Duration::days(90) {
        return Err(Exception::argument("The StartDate can't be more than 90 days ago."));
    }
    Ok((start, end))
}

fn meets(record: &Map<String, Value>, given: &Given) -> bool {
    let subject = given.get("Subject").and_then(Input::text).map(str::to_lowercase);
    let own = text(record, "Subject");
    let subject_meets = subject.is_none_or(|wanted| match given.get("SubjectFilterType").and_then(Input::text) {
        Some("StartsWith") => own.starts_with(&wanted),
        Some("EndsWith") => own.ends_with(&wanted),
        _ => own.contains(&wanted),
    });
    subject_meets
        && TEXTS.iter().filter(|name| **name != "Subject").all(|name| match given.get(*name) {
            Some(Input::Value(Value::Array(wanted))) => wanted.iter().any(|one| folded(one) == text(record, name)),
            Some(Input::Value(wanted)) => folded(wanted) == text(record, name),
            _ => true,
        })
}

/// A member as text without case.
fn text(record: &Map<String, Value>, name: &str) -> String {
    record.get(name).map(folded).unwrap_or_default()
}
