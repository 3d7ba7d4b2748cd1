//! Faults that a test scripts for the calls to come.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::format_description;

use super::reply::{Ending, Reply};

/// A fault for the next calls that match.
///
/// As JSON (`POST /sandbox/faults`): `{"on":"Get-*","times":2,"what":{"answer":{"status":503}}}`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The calls: a cmdlet (`*` stands for any text), `Token`, `Graph`, `EXOModuleFile` or `$batch`. A call inside a
    /// batch is matched by its own cmdlet.
    pub on: String,
    /// How many calls it meets.
    #[serde(default = "once")]
    pub times: u32,
    /// How many matching calls pass first.
    #[serde(default)]
    pub after: u32,
    /// How long the answer is held back, in milliseconds; the effect, if there is one, comes first.
    #[serde(default)]
    pub delay_ms: u64,
    /// What happens.
    #[serde(default)]
    pub what: What,
}

/// What happens to a call that a fault meets.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum What {
    /// Nothing but the delay.
    #[default]
    Nothing,
    /// This answer takes the place of the service's.
    Answer {
        /// HTTP status.
        status: u16,
        /// Headers; without a `Content-Type` the body goes out as JSON, if it is some, or as plain text.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// The body.
        #[serde(default)]
        body: String,
        /// True when the call has its effect nevertheless.
        #[serde(default)]
        acts: bool,
    },
    /// The service says that there are too many calls.
    Throttled {
        /// What `Retry-After` says.
        #[serde(default)]
        retry_after: RetryAfter,
        /// Says it in plain text under this status instead of 429.
        #[serde(default)]
        plain_text_status: Option<u16>,
    },
    /// The connection ends without an answer.
    Dropped {
        /// True when the call has its effect nevertheless.
        #[serde(default)]
        acts: bool,
    },
    /// The body ends after so many bytes, as if that were all of it.
    Truncated {
        /// Bytes that are sent.
        bytes: usize,
    },
    /// The connection ends after so many bytes of the body.
    Cut {
        /// Bytes that are sent.
        bytes: usize,
    },
    /// A read answers 200 with an empty list.
    EmptyList,
    /// The body is claimed to be gzip and is not.
    WrongGzip,
    /// The call has its effect, and a 200 carries these errors.
    Errors {
        /// `@adminapi.errors`.
        errors: Vec<String>,
        /// True when the call has its effect nevertheless.
        #[serde(default)]
        acts: bool,
    },
    /// The answer carries these warnings too.
    Warnings {
        /// Added to `@adminapi.warnings`.
        warnings: Vec<String>,
    },
}

/// What `Retry-After` says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// The header is missing.
    #[default]
    Missing,
    /// These seconds, decimals and all: `2.1`.
    Seconds(String),
    /// The HTTP date so many seconds from now, by the machine's clock.
    Date(i64),
}

/// The faults still to come.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    scripted: VecDeque<Fault>,
}

impl Fault {
    /// Makes a fault for the next call that matches.
    pub fn new(on: impl Into<String>, what: What) -> Self {
        Self { on: on.into(), times: 1, after: 0, delay_ms: 0, what }
    }

    /// Makes an answer with this status take the place of the service's.
    pub fn status(on: impl Into<String>, status: u16) -> Self {
        Self::new(on, What::Answer { status, headers: BTreeMap::new(), body: String::new(), acts: false })
    }

    /// Makes it meet so many calls.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// Lets so many matching calls pass first.
    #[must_use]
    pub fn after(mut self, calls: u32) -> Self {
        self.after = calls;
        self
    }

    /// Holds the answer back for so many milliseconds.
    #[must_use]
    pub fn delay_ms(mut self, milliseconds: u64) -> Self {
        self.delay_ms = milliseconds;
        self
    }
}

impl Faults {
    /// Adds a fault behind those that stand.
    pub(crate) fn script(&mut self, fault: Fault) {
        self.scripted.push_back(fault);
    }

    /// Forgets all of them.
    pub(crate) fn clear(&mut self) {
        self.scripted.clear();
    }

    /// The faults that did not meet all their calls yet.
    pub(crate) fn left(&self) -> Vec<Fault> {
        self.scripted.iter().cloned().collect()
    }

    /// The fault that meets this call, if any: the first scripted one that matches.
    pub(crate) fn meet(&mut self, call: &str) -> Option<Fault> {
        let at = self.scripted.iter_mut().position(|fault| {
            let meant = matches(&fault.on, call);
            let passes = meant && fault.after > 0;
            fault.after -= u32::from(passes);
            meant && !passes
        })?;
        let fault = self.scripted.get_mut(at)?;
        fault.times = fault.times.saturating_sub(1);
        let met = fault.clone();
        if met.times == 0 {
            self.scripted.remove(at);
        }
        Some(met)
    }
}

impl Fault {
    /// The answer that comes before any effect, if the call shall have none.
    fn instead(&self) -> Option<Reply> {
        let reply = match &self.what {
            What::Answer { status, headers, body, acts: false } => answer(*status, headers, body),
            What::Throttled { retry_after, plain_text_status } => throttled(retry_after, *plain_text_status),
            What::Dropped { acts: false } => Reply { ending: Ending::Dropped, ..Reply::empty(500) },
            What::Errors { errors, acts: false } => Reply::json(200, &with_errors(errors)),
            _ => return None,
        };
        Some(self.delayed(reply))
    }

    /// The service's answer after the effect, spoiled.
    fn spoil(&self, mut reply: Reply) -> Reply {
        match &self.what {
            What::Answer { status, headers, body, .. } => reply = answer(*status, headers, body),
            What::Dropped { .. } => reply.ending = Ending::Dropped,
            What::Truncated { bytes } => reply.body.truncate(*bytes),
            What::Cut { bytes } => reply.ending = Ending::CutAfter(*bytes),
            What::WrongGzip => reply.set_header("Content-Encoding", "gzip"),
            What::Errors { errors, .. } => reply = Reply::json(200, &with_errors(errors)),
            What::EmptyList => {
                reply = change(reply, |body| {
                    body.insert("value".into(), json!([]));
                    body.remove("@odata.nextLink");
                });
            }
            What::Warnings { warnings } => {
                // An answer without a body has no room for a warning.
                if reply.status == 204 {
                    reply = Reply::json(200, &json!({ "@adminapi.warnings": [], "value": [] }));
                }
                reply = change(reply, |body| {
                    let mut all = body.get("@adminapi.warnings").and_then(Value::as_array).cloned().unwrap_or_default();
                    all.extend(warnings.iter().map(|warning| Value::from(warning.as_str())));
                    body.insert("@adminapi.warnings".into(), Value::Array(all));
                });
            }
            What::Nothing | What::Throttled { .. } => {}
        }
        self.delayed(reply)
    }

    fn delayed(&self, mut reply: Reply) -> Reply {
        reply.delay += std::time::Duration::from_millis(self.delay_ms);
        reply
    }
}

/// Lets a call have its effect under a fault, or without it where the fault takes its place.
pub(crate) fn under(fault: Option<&Fault>, act: impl FnOnce() -> Reply) -> Reply {
    match fault {
        Some(fault) => fault.instead().unwrap_or_else(|| fault.spoil(act())),
        None => act(),
    }
}

/// The text under which the service says that there are too many calls.
pub(crate) fn too_many_calls(status: u16) -> Reply {
    let words = "You have reached the maximum number of concurrent requests per tenant. Please wait and try again";
    Reply::bytes(status, "text/plain; charset=utf-8", words.into())
}

fn throttled(retry_after: &RetryAfter, plain_text_status: Option<u16>) -> Reply {
    let mut reply = match plain_text_status {
        Some(status) => too_many_calls(status),
        None => Reply::json(429, &json!({ "error": { "code": "TooManyRequests", "message": "Too many requests" } })),
    };
    match retry_after {
        RetryAfter::Missing => {}
        RetryAfter::Seconds(seconds) => reply.set_header("Retry-After", seconds),
        RetryAfter::Date(seconds) => {
            let format =
                format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");
            let date = OffsetDateTime::now_utc() + time::Duration::seconds(*seconds);
            reply.set_header("Retry-After", date.format(format).unwrap_or_default());
        }
    }
    reply
}

fn answer(status: u16, headers: &BTreeMap<String, String>, body: &str) -> Reply {
    let json = serde_json::from_str::<Value>(body).is_ok();
    let content_type = if json { "application/json; charset=utf-8" } else { "text/plain; charset=utf-8" };
    let reply = if body.is_empty() { Reply::empty(status) } else { Reply::bytes(status, content_type, body.into()) };
    headers.iter().fold(reply, |reply, (name, value)| reply.header(name, value))
}

fn with_errors(errors: &[String]) -> Value {
    json!({ "adminapi.errors@odata.type": "#Collection(String)", "@adminapi.errors": errors, "@adminapi.warnings": [], "value": [] })
}

/// Changes the JSON of an answer; one that is none stays as it is.
fn change(mut reply: Reply, change: impl FnOnce(&mut serde_json::Map<String, Value>)) -> Reply {
    if let Ok(Value::Object(mut body)) = serde_json::from_slice(&reply.body) {
        change(&mut body);
        reply.body = Value::Object(body).to_string().into_bytes();
    }
    reply
}

/// True when the pattern, in which `*` stands for any text, means the call; case does not matter.
fn matches(pattern: &str, call: &str) -> bool {
    let (pattern, call) = (pattern.to_lowercase(), call.to_lowercase());
    let mut parts = pattern.split('*');
    let Some(first) = parts.next() else { return false };
    let Some(mut rest) = call.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

fn once() -> u32 {
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        let check = |pattern: &str, call: &str, meant: bool| assert_eq!(matches(pattern, call), meant, "{pattern} on {call}");
        check("Get-TransportRule", "get-transportrule", true);
        check("Get-TransportRule", "Get-TransportRuleAction", false);
        check("Get-*", "Get-InboundConnector", true);
        check("*-TransportRule", "Set-TransportRule", true);
        check("*-*Connector", "New-OutboundConnector", true);
        check("*", "Token", true);
        check("Set-*", "Get-InboundConnector", false);
        check("*Rule", "Get-Rules", false);
    }

    #[test]
    fn a_fault_lets_calls_pass_meets_some_and_is_gone() {
        let mut faults = Faults::default();
        faults.script(Fault::status("Get-*", 503).times(2).after(1));
        let met: Vec<bool> = (0..5).map(|_| faults.meet("Get-TransportRule").is_some()).collect();
        assert_eq!(met, [false, true, true, false, false]);
    }
}
