//! Links to the next page of an answer.
//!
//! A link is bound to the back end that made it and to thirty minutes; anything else is answered 400.

use std::collections::BTreeMap;

use serde_json::Value;
use time::{Duration, OffsetDateTime};

use super::errors::Exception;

/// How long a link lives.
const LIFETIME: Duration = Duration::minutes(30);

/// The pages still to be fetched.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    next: u64,
    open: BTreeMap<String, Rest>,
}

/// What is left of an answer.
#[derive(Clone, Debug)]
pub(crate) struct Rest {
    /// The back end that made the link.
    pub(crate) end: usize,
    /// The objects still to come.
    pub(crate) rows: Vec<Value>,
    /// When the link ends.
    pub(crate) expires: OffsetDateTime,
}

impl Pages {
    /// Splits the first page off; what is left gets a token for the link.
    pub(crate) fn split(
        &mut self,
        end: usize,
        mut rows: Vec<Value>,
        size: usize,
        now: OffsetDateTime,
    ) -> (Vec<Value>, Option<String>) {
        if rows.len() <= size.max(1) {
            return (rows, None);
        }
        let rest = rows.split_off(size.max(1));
        self.open.retain(|_, page| now < page.expires);
        self.next += 1;
        let token = format!("page-{end}-{}", self.next);
        self.open.insert(token.clone(), Rest { end, rows: rest, expires: now + LIFETIME });
        (rows, Some(token))
    }

    /// The objects behind a link; it stays good until it ends, since a client may ask again.
    pub(crate) fn follow(&self, token: &str, end: usize, now: OffsetDateTime) -> Result<Vec<Value>, Exception> {
        let rest = self.open.get(token).filter(|rest| rest.end == end && now < rest.expires);
        rest.map(|rest| rest.rows.clone()).ok_or_else(Exception::pagination)
    }
}
