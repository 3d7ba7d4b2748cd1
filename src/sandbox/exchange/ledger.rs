//! Counts what reached the stand-in, and keeps the calls for tests to look at.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// The most calls that are kept.
const KEPT: usize = 100_000;

/// How often what happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Calls by cmdlet, and by `EXOModuleFile`, `$batch`, `Graph`; those that met a fault are among them.
    pub calls: BTreeMap<String, u64>,
    /// Answers of the admin API by HTTP status; a dropped connection counts as 0.
    pub answers: BTreeMap<u16, u64>,
    /// Requests to the token endpoint.
    pub token_requests: u64,
    /// Tokens issued, by audience: `exchange`, `graph`.
    pub tokens_issued: BTreeMap<String, u64>,
    /// Redirects answered.
    pub redirects: u64,
    /// The most calls of the admin API that were in flight at once.
    pub peak_in_flight: usize,
    /// The most calls in flight at once that were not a Get.
    pub peak_writes_in_flight: usize,
}

/// One call of a cmdlet, as it came in. The parameters are complete: whoever prints them prints secrets.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Call {
    /// The cmdlet.
    pub cmdlet: String,
    /// Its parameters as sent.
    pub parameters: Value,
    /// The status of the answer; 0 for a dropped connection.
    pub status: u16,
    /// The back end that took it, 0 or 1.
    pub back_end: usize,
    /// The request's `client-request-id`.
    pub client_request_id: Option<String>,
    /// The request's `X-AnchorMailbox`.
    pub anchor: Option<String>,
}

/// Counts and calls.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) counts: Counts,
    pub(crate) calls: Vec<Call>,
    in_flight: usize,
    writes_in_flight: usize,
}

impl Ledger {
    /// Counts a call.
    pub(crate) fn count(&mut self, call: &str) {
        *self.counts.calls.entry(call.to_owned()).or_default() += 1;
    }

    /// Counts an answer.
    pub(crate) fn answered(&mut self, status: u16) {
        *self.counts.answers.entry(status).or_default() += 1;
    }

    /// Keeps a call; of very many the oldest are let go, so that a stand-in can run for weeks.
    pub(crate) fn keep(&mut self, call: Call) {
        if self.calls.len() >= KEPT {
            self.calls.drain(..KEPT / 2);
        }
        self.calls.push(call);
    }

    /// Notes that a call came in; answers how many are in flight with it.
    pub(crate) fn enter(&mut self, write: bool) -> usize {
        self.in_flight += 1;
        self.writes_in_flight += usize::from(write);
        self.counts.peak_in_flight = self.counts.peak_in_flight.max(self.in_flight);
        self.counts.peak_writes_in_flight = self.counts.peak_writes_in_flight.max(self.writes_in_flight);
        self.in_flight
    }

    /// Notes that a call went out.
    pub(crate) fn leave(&mut self, write: bool) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.writes_in_flight = self.writes_in_flight.saturating_sub(usize::from(write));
    }

    /// Starts counting anew; what is in flight stays so.
    pub(crate) fn reset(&mut self) {
        self.counts = Counts::default();
        self.calls.clear();
    }
}
