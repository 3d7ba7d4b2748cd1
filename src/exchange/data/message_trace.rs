//! What became of messages: `Get-MessageTraceV2`.
//!
//! <https://learn.microsoft.com/powershell/module/exchangepowershell/get-messagetracev2>. A query covers ten days at most, and the last ninety
//! days at all; an answer holds 5000 records at most, the newest first, and has no link to the next page: the next query ends where
//! the last record stood, and starts from its recipient. Records that come twice that way are dropped.
//!
//! ```json
//! {"MessageTraceId":"a4acd0a2-…","MessageId":"<1@contoso.com>","Received":"2026-07-23T22:01:22.0480000Z",
//!  "SenderAddress":"a@contoso.com","RecipientAddress":"b@fabrikam.com","FromIP":"203.0.113.1","ToIP":"","Subject":"Hello",
//!  "Status":"Delivered","Size":176814}
//! ```

use std::collections::HashSet;

use serde_json::{Map, json};
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Duration, OffsetDateTime, UtcOffset};

use super::shown;
use crate::exchange::Exchange;
use crate::exchange::answer::Object;
use crate::exchange::forms;
use crate::exchange::http::Cmdlet;
use crate::remote::{Call, Error, Kind, Masks};
use crate::schema::{Attribute, DataSource, Record, Rule, boolean, integer, list_of, one_of, string};
use crate::value::{Diagnostic, Diagnostics, Path, Value};

/// The table.
pub(super) const SOURCE: DataSource = DataSource {
    name: "exchange_message_trace",
    noun: "message trace",
    about: "Reads what became of messages within a window of time. The window and the number of messages are bounded on purpose: a trace \
            changes with every message, and all of it is stored in the state. Exchange Online takes 100 queries in five minutes; a window of \
            more than ten days takes several.",
    attributes: &[
        string("start", "Where the window begins: at most 90 days ago.").required().format(MOMENT, forms::date),
        string("end", "Where the window ends.").required().format(MOMENT, forms::date),
        string("sender", "The sender's address."),
        string("recipient", "The recipient's address."),
        one_of(
            "status",
            "What became of the messages.",
            &["Delivered", "Expanded", "Failed", "FilteredAsSpam", "GettingStatus", "Pending", "Quarantined"],
        ),
        string("subject", "A text of the subject."),
        one_of("subject_filter_type", "Where in the subject the text stands.", &["Contains", "StartsWith", "EndsWith"])
            .filled_text("Contains"),
        string("message_id", "The Message-ID header, with or without the angle brackets."),
        string("from_ip", "The address that the message came from."),
        string("to_ip", "The address that the message was handed to."),
        integer("most", "How many messages are read at most, the newest first.").filled_integer(1000).range(1, 100_000),
        list_of("messages", "The messages, the newest first: one for each recipient.", MESSAGE).computed(),
        boolean("truncated", "Whether there are more messages than these.").computed(),
    ],
    rules: &[Rule::Hook("`start` is before `end`, by 90 days at most.", window_rule)],
};

const MOMENT: &str = "a moment in RFC 3339, such as `2026-08-21T14:30:00Z`";

const MESSAGE: &[Attribute] = &[
    string("message_trace_id", "Names the message within the service.").computed(),
    string("message_id", "The Message-ID header, with angle brackets.").computed(),
    string("received", "When the service received it, in UTC.").computed(),
    string("sender_address", "The sender.").computed(),
    string("recipient_address", "The recipient.").computed(),
    string("from_ip", "The address that it came from.").remote("FromIP").computed(),
    string("to_ip", "The address that it was handed to.").remote("ToIP").computed(),
    string("subject", "Its subject.").computed(),
    string("status", "What became of it.").computed(),
    integer("size", "Its size in bytes.").computed(),
];

/// The longest window of one query.
const LONGEST: Duration = Duration::days(10);
/// How far back the service remembers.
const MEMORY: Duration = Duration::days(90);
/// The most records of one answer.
const PAGE: usize = 5000;

const SENT: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
const SENT_EXACTLY: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:7]");

/// The two ends of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Window {
    start: OffsetDateTime,
    end: OffsetDateTime,
}

/// What has been gathered.
struct Gathered {
    messages: Vec<Value>,
    /// Message and recipient of each.
    seen: HashSet<(String, String)>,
    most: usize,
    truncated: bool,
}

/// Reads the messages.
pub(super) async fn read(exchange: &Exchange, config: &Record, call: &Call) -> Result<Record, Error> {
    let window = window_of(config).ok_or_else(|| Error::new(Kind::Invalid, "`start` and `end` are not moments."))?;
    let windows = windows(window, OffsetDateTime::now_utc())?;
    let most = config.integer("most").and_then(|most| usize::try_from(most).ok()).unwrap_or(1000);
    let mut gathered = Gathered { messages: Vec::new(), seen: HashSet::new(), most, truncated: false };
    let filters = filters(config);
    for window in windows {
        trace(exchange, &filters, window, &mut gathered, call).await?;
        if gathered.is_full() {
            break;
        }
    }
    Ok(Record::new().with("messages", Value::List(gathered.messages)).with("truncated", gathered.truncated))
}

/// Reads one window, as many queries as it takes.
async fn trace(
    exchange: &Exchange,
    filters: &Map<String, serde_json::Value>,
    window: Window,
    gathered: &mut Gathered,
    call: &Call,
) -> Result<(), Error> {
    let mut parameters = filters.clone();
    parameters.insert("StartDate".to_owned(), json!(sent(window.start)));
    parameters.insert("EndDate".to_owned(), json!(sent(window.end)));
    parameters.insert("ResultSize".to_owned(), json!(PAGE));
    let masks = Masks::new();
    loop {
        exchange.traces.pass(call).await?;
        let get = Cmdlet { name: "Get-MessageTraceV2".to_owned(), parameters: parameters.clone(), writes: false, masks: &masks };
        let answer = Box::pin(exchange.http.run(&get, call)).await.map_err(|failed| failed.error)?;
        let records = answer
            .objects
            .ok_or_else(|| Error::new(Kind::Unexpected, "The answer to `Get-MessageTraceV2` is not a list of records."))?;
        let (cut_off, others): (Vec<String>, Vec<String>) = answer.warnings.into_iter().partition(|text| is_about_more(text));
        for warning in others {
            call.report(Diagnostic::warning("Exchange Online warns about the message trace", warning));
        }
        // A link to another page is documented nowhere, and says the same as the warning.
        let whole = records.len() < PAGE && cut_off.is_empty() && answer.next.is_none();
        let before = gathered.messages.len();
        for record in &records {
            gathered.take(record)?;
            if gathered.is_full() {
                return Ok(());
            }
        }
        let Some(last) = records.last().filter(|_| !whole) else { return Ok(()) };
        let (received, recipient) = (received(last)?, last.text("RecipientAddress").unwrap_or_default());
        if gathered.messages.len() == before {
            gathered.truncated = true;
            call.report(Diagnostic::warning(
                "The message trace is not complete",
                format!(
                    "Exchange Online answers with the same records over and over, so that those before {} could not be read. Narrow the \
                     search, or end it earlier.",
                    sent(received)
                ),
            ));
            return Ok(());
        }
        parameters.insert("EndDate".to_owned(), json!(sent(received)));
        parameters.insert("StartingRecipientAddress".to_owned(), json!(recipient));
    }
}

impl Gathered {
    /// Adds a record, unless it is there or there is no room for it.
    fn take(&mut self, record: &Object) -> Result<(), Error> {
        let text = |name: &str| record.text(name).unwrap_or_default();
        // Where there is no trace ID, the message and its time have to do.
        let message = match text("MessageTraceId") {
            "" => format!("{} {}", text("MessageId"), text("Received")),
            id => id.to_lowercase(),
        };
        if !self.seen.insert((message, text("RecipientAddress").to_lowercase())) {
            return Ok(());
        }
        if self.messages.len() == self.most {
            self.truncated = true;
            return Ok(());
        }
        let received = received(record)?.format(&Rfc3339).unwrap_or_else(|_| text("Received").to_owned());
        self.messages.push(shown(MESSAGE, record)?.with("received", received).into_value());
        Ok(())
    }

    /// Nothing more has room, and it is known that there is more.
    fn is_full(&self) -> bool {
        self.truncated && self.messages.len() == self.most
    }
}

/// The windows of the queries, the newest first.
fn windows(window: Window, now: OffsetDateTime) -> Result<Vec<Window>, Error> {
    if window.start < now - MEMORY {
        return Err(Error::new(
            Kind::Invalid,
            format!("Exchange Online remembers messages for 90 days; `start` is {} days ago.", (now - window.start).whole_days()),
        )
        .hint("Begin later. Older messages are found by a historical search (`Start-HistoricalSearch`).")
        .at(Path::root().attribute("start")));
    }
    let mut windows = Vec::new();
    let mut end = window.end;
    while end - window.start > LONGEST {
        windows.push(Window { start: end - LONGEST, end });
        end -= LONGEST;
    }
    windows.push(Window { start: window.start, end });
    Ok(windows)
}

/// The window of the arguments, to whole seconds: a query knows no less.
fn window_of(config: &Record) -> Option<Window> {
    let moment = |name: &str| OffsetDateTime::parse(config.text(name)?, &Rfc3339).ok();
    let (start, end) = (moment("start")?, moment("end")?);
    let whole = |at: OffsetDateTime| at.to_offset(UtcOffset::UTC).replace_nanosecond(0).ok();
    let later = if end.nanosecond() > 0 { Duration::SECOND } else { Duration::ZERO };
    Some(Window { start: whole(start)?, end: whole(end)?.checked_add(later)? })
}

fn window_rule(config: &Record) -> Diagnostics {
    let Some(window) = window_of(config) else { return Vec::new() };
    let wrong = |text: &str| vec![Diagnostic::error("Not a window of time", text).at(Path::root().attribute("end"))];
    if window.start >= window.end {
        wrong("`end` must be after `start`.")
    } else if window.end - window.start > MEMORY {
        wrong("Exchange Online remembers messages for 90 days: choose an `end` that is at most 90 days after `start`.")
    } else {
        Vec::new()
    }
}

/// The parameters that choose messages.
fn filters(config: &Record) -> Map<String, serde_json::Value> {
    let mut filters = Map::new();
    for (name, parameter, is_list) in [
        ("sender", "SenderAddress", true),
        ("recipient", "RecipientAddress", true),
        ("status", "Status", true),
        ("message_id", "MessageId", true),
        ("subject", "Subject", false),
        ("from_ip", "FromIP", false),
        ("to_ip", "ToIP", false),
    ] {
        let Some(text) = config.text(name) else { continue };
        let text = if name == "message_id" { bracketed(text) } else { text.to_owned() };
        filters.insert(parameter.to_owned(), if is_list { json!([text]) } else { json!(text) });
    }
    if let (Some(_), Some(kind)) = (config.text("subject"), config.text("subject_filter_type")) {
        filters.insert("SubjectFilterType".to_owned(), json!(kind));
    }
    filters
}

fn bracketed(id: &str) -> String {
    if id.starts_with('<') { id.to_owned() } else { format!("<{id}>") }
}

fn is_about_more(warning: &str) -> bool {
    warning.to_lowercase().contains("more results")
}

/// When a record was received; UTC where the service names no zone.
fn received(record: &Object) -> Result<OffsetDateTime, Error> {
    let text = record.text("Received").unwrap_or_default();
    let parse = |text: &str| OffsetDateTime::parse(text, &Rfc3339).ok();
    parse(text).or_else(|| parse(&format!("{text}Z"))).map(|at| at.to_offset(UtcOffset::UTC)).ok_or_else(|| {
        Error::new(Kind::Unexpected, format!("A record of `Get-MessageTraceV2` has no time of receipt ({text:?})."))
    })
}

/// A moment as the service takes it: in UTC, without a zone, and with a fraction only where there is one.
fn sent(at: OffsetDateTime) -> String {
    let format = if at.nanosecond() == 0 { SENT } else { SENT_EXACTLY };
    // The formats hold nothing that a moment in UTC lacks.
    at.format(format).unwrap_or_default()
}

#[cfg(test)]
mod tests;
