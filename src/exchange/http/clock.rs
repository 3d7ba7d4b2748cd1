//! What time it is at the service.

use std::sync::{Mutex, PoisonError};

use reqwest::header::HeaderMap;
use time::format_description::well_known::Rfc2822;
use time::{Duration, OffsetDateTime};

/// How far the service's clock is from ours, by the last answer that told it.
#[derive(Debug, Default)]
pub(super) struct Clock {
    ahead: Mutex<Duration>,
}

impl Clock {
    /// Takes the time of an answer. One that cannot be read, and one that is no time, changes nothing.
    pub(super) fn hear(&self, headers: &HeaderMap) {
        let date = headers.get("date").and_then(|date| OffsetDateTime::parse(date.to_str().ok()?, &Rfc2822).ok());
        if let Some(date) = date {
            *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) = date - OffsetDateTime::now_utc();
        }
    }

    /// The service's time.
    pub(super) fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc().saturating_add(*self.ahead.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rx1_the_time_is_that_of_the_last_answer_and_no_date_is_too_odd() {
        let clock = Clock::default();
        let near = |clock: &Clock, wanted: OffsetDateTime| (clock.now() - wanted).abs() < Duration::minutes(1);
        assert!(near(&clock, OffsetDateTime::now_utc()));
        for (date, wanted) in [
            ("Fri, 24 Jul 2026 19:00:00 GMT", Some(1_784_919_600)),
            ("soon", Some(1_784_919_600)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", None),
            ("Sat, 01 Jan 0000 00:00:00 GMT", None),
        ] {
            clock.hear(&HeaderMap::from_iter([(reqwest::header::DATE, date.parse().unwrap())]));
            let now = clock.now();
            if let Some(wanted) = wanted {
                assert!(near(&clock, OffsetDateTime::from_unix_timestamp(wanted).unwrap()), "{date}: {now}");
            }
        }
    }
}
