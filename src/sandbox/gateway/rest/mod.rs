//! The AsyncOS API of the stand-in: HTTP or HTTPS on loopback, as a Secure Email Gateway or a Secure Email and Web Manager.
//!
//! | file | what it is |
//! |---|---|
//! | `server` | connections, TLS |
//! | `account` | logins, tokens, HTTP Basic |
//! | `tracking` | `message-tracking/messages`, `message-tracking/details` |
//! | `filters` | `config/message_filters` |
//!
//! Answers are written from Cisco's API guide and from what clients in use send and take: errors are
//! `{"error":{"message","code","explanation"}}`, and wrong parameters are answered with status 404.

mod account;
mod filters;
mod server;
#[cfg(test)]
mod tests;
mod tracking;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::options::Release;
use super::state::Shared;

pub(super) use server::{Gate, serve};

/// Names the product that answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flavour {
    /// Secure Email Gateway: paths below `/esa`.
    #[default]
    Gateway,
    /// Secure Email and Web Manager: paths below `/sma`, and no message filters.
    Manager,
}

/// Holds what the API is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Its port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// The product.
    pub flavour: Flavour,
    /// Speaks TLS, with a certificate made at the start.
    pub tls: bool,
    /// Has the endpoint `login`.
    pub login: bool,
    /// Has the endpoint `config/message_filters`; by release when not said.
    pub message_filters: Option<bool>,
    /// How long a token is good for.
    pub token_life: Duration,
    /// Writes the `code` of an error as a number.
    pub numeric_codes: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            port: 0,
            flavour: Flavour::default(),
            tls: false,
            login: true,
            message_filters: None,
            token_life: Duration::from_mins(30),
            numeric_codes: false,
        }
    }
}

/// Goes wrong with requests to come.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Fault {
    /// A part of the path: `login`, `message-tracking`, `config`.
    pub on: String,
    /// How many requests it meets.
    pub times: u32,
    /// How many matching requests pass first.
    pub after: u32,
    /// What happens.
    pub what: What,
}

/// What happens to a request that a fault meets.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// This status and body take the place of the answer.
    Answer(u16, String),
    /// An error with this status and these words takes its place.
    Error(u16, String),
    /// A redirect to this place.
    Redirect(String),
    /// The body ends after so many bytes, as if that were all.
    Truncated(usize),
    /// The connection ends after so many bytes of the body.
    Cut(usize),
    /// The token is forgotten before the request is looked at.
    Expired,
    /// The answer comes after so many milliseconds.
    Late(u64),
}

impl Fault {
    /// Makes a fault for the next request whose path has this part.
    pub fn new(on: impl Into<String>, what: What) -> Fault {
        Fault { on: on.into(), times: 1, after: 0, what }
    }

    /// Makes it meet so many requests.
    #[must_use]
    pub fn times(self, times: u32) -> Fault {
        Fault { times, ..self }
    }

    /// Lets so many matching requests pass first.
    #[must_use]
    pub fn after(self, after: u32) -> Fault {
        Fault { after, ..self }
    }
}

/// Records one request as it came, without what lets it in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path.
    pub path: String,
    /// The query, as it was sent.
    pub query: String,
    /// `token`, `basic` or nothing.
    pub shown: Option<&'static str>,
    /// The status of the answer.
    pub status: u16,
}

/// Holds what the API remembers beside the configuration.
#[derive(Default)]
pub(in crate::sandbox::gateway) struct Memory {
    pub(in crate::sandbox::gateway) messages: Vec<Value>,
    pub(in crate::sandbox::gateway) bad_records: u64,
    pub(in crate::sandbox::gateway) faults: VecDeque<Fault>,
    pub(in crate::sandbox::gateway) seen: Vec<Seen>,
    tokens: Vec<(String, Instant)>,
}

impl Memory {
    /// Ends every token.
    pub(in crate::sandbox::gateway) fn expire(&mut self) {
        self.tokens.clear();
    }

    fn meet(&mut self, path: &str) -> Option<What> {
        let at = self.faults.iter().position(|fault| path.contains(&fault.on))?;
        let fault = self.faults.get_mut(at)?;
        if fault.after > 0 {
            fault.after -= 1;
            return None;
        }
        fault.times = fault.times.saturating_sub(1);
        let what = fault.what.clone();
        if fault.times == 0 {
            self.faults.remove(at);
        }
        Some(what)
    }
}

/// A request, taken apart.
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    /// Decoded parameters in order.
    pub(super) parameters: Vec<(String, String)>,
    pub(super) token: Option<String>,
    pub(super) authorization: Option<String>,
    pub(super) content_type: Option<String>,
    pub(super) body: Vec<u8>,
}

/// An answer before it goes out.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    pub(super) location: Option<String>,
    /// The connection ends after so many bytes.
    pub(super) cut: Option<usize>,
    pub(super) delay: Duration,
}

/// An error, by its status and words.
struct Wrong(u16, String);

impl Wrong {
    fn nowhere() -> Wrong {
        Wrong(404, "Not Found.".to_owned())
    }

    /// What a wrong parameter is answered with.
    fn parameter(words: impl Into<String>) -> Wrong {
        Wrong(404, words.into())
    }
}

type Outcome = Result<(u16, Value), Wrong>;

/// Answers one request.
pub(super) fn answer(shared: &Arc<Shared>, request: &Request) -> Reply {
    let fault = shared.state().rest.meet(&request.path);
    if matches!(fault, Some(What::Expired)) {
        shared.state().rest.expire();
    }
    let options = &shared.options.rest_options;
    let mut reply = match &fault {
        Some(What::Answer(status, body)) => Reply::of(*status, body.clone().into_bytes()),
        Some(What::Error(status, words)) => failure(options, &Wrong(*status, words.clone())),
        Some(What::Redirect(location)) => Reply { location: Some(location.clone()), ..Reply::of(307, Vec::new()) },
        _ => match route(shared, request) {
            Ok((status, body)) => Reply::of(status, body.to_string().into_bytes()),
            Err(wrong) => failure(options, &wrong),
        },
    };
    match fault {
        Some(What::Truncated(bytes)) => reply.body.truncate(bytes),
        Some(What::Cut(bytes)) => reply.cut = Some(bytes),
        Some(What::Late(milliseconds)) => reply.delay = Duration::from_millis(milliseconds),
        _ => {}
    }
    let shown = request.token.as_ref().map(|_| "token").or(request.authorization.as_ref().map(|_| "basic"));
    shared.state().rest.seen.push(Seen {
        method: request.method.clone(),
        path: request.path.clone(),
        query: request.query.clone(),
        shown,
        status: reply.status,
    });
    reply
}

impl Reply {
    fn of(status: u16, body: Vec<u8>) -> Reply {
        Reply { status, body, location: None, cut: None, delay: Duration::ZERO }
    }
}

fn route(shared: &Arc<Shared>, request: &Request) -> Outcome {
    let options = &shared.options.rest_options;
    let base = match options.flavour {
        Flavour::Gateway => "/esa/api/v2.0/",
        Flavour::Manager => "/sma/api/v2.0/",
    };
    let path = request.path.strip_prefix(base).ok_or_else(Wrong::nowhere)?;
    let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    if parts == ["login"] {
        return if options.login { account::log_in(shared, request) } else { Err(Wrong::nowhere()) };
    }
    account::check(shared, request)?;
    let has_filters =
        options.flavour == Flavour::Gateway && options.message_filters.unwrap_or(shared.options.release >= Release::V16_0);
    match parts.as_slice() {
        ["message-tracking", "messages"] if request.method == "GET" => tracking::search(shared, request),
        ["message-tracking", "details"] if request.method == "GET" => tracking::details(shared, request),
        ["config", "message_filters", name @ ..] if has_filters => filters::run(shared, request, name),
        _ => Err(Wrong::nowhere()),
    }
}

fn failure(options: &Options, wrong: &Wrong) -> Reply {
    let Wrong(status, words) = wrong;
    let explanation = match status {
        400 => "400 = Bad request syntax or unsupported method.",
        401 => "401 = No permission -- see authorization schemes.",
        404 => "404 = Nothing matches the given URI.",
        500 => "500 = Server got itself in trouble.",
        _ => "",
    };
    let code = if options.numeric_codes { json!(status) } else { json!(status.to_string()) };
    let body = json!({"error": {"message": words, "code": code, "explanation": explanation}});
    Reply::of(*status, body.to_string().into_bytes())
}
