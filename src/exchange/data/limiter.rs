//! At most so many queries in so much time, for all who ask.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::remote::{Call, Error, Kind, interruptible};

/// The service takes 100 message traces in any five minutes:
/// <https://learn.microsoft.com/powershell/module/exchangepowershell/get-messagetracev2>.
const MOST: usize = 100;

/// A little more than five minutes: queries may arrive closer together than they were sent.
const WITHIN: Duration = Duration::from_secs(301);

/// Lets queries pass until the limit is reached, and later ones as the earliest grow old.
#[derive(Debug, Default)]
pub(in crate::exchange) struct Limiter {
    /// When the queries passed that still count, the earliest first.
    passed: Mutex<VecDeque<Instant>>,
}

impl Limiter {
    /// Waits until one more query may be made, and counts it. It is an error at once if that will be after the deadline.
    pub(super) async fn pass(&self, call: &Call) -> Result<(), Error> {
        while let Some(opens) = self.count() {
            if opens >= call.deadline {
                let wait = opens.saturating_duration_since(Instant::now()).as_secs();
                return Err(Error::new(
                    Kind::Throttled,
                    format!(
                        "Exchange Online takes {MOST} message traces in five minutes, and this run has made as many. The next one may be made in {wait} s, which is after the time limit."
                    ),
                )
                .hint("Ask for shorter windows or fewer messages (`most`), or in several runs."));
            }
            interruptible(call, tokio::time::sleep_until(opens)).await?;
        }
        Ok(())
    }

    /// Counts a query, or says when there will be room for one.
    fn count(&self) -> Option<Instant> {
        let now = Instant::now();
        let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        while passed.front().is_some_and(|earliest| *earliest + WITHIN <= now) {
            passed.pop_front();
        }
        if passed.len() < MOST {
            passed.push_back(now);
            return None;
        }
        passed.front().map(|earliest| *earliest + WITHIN)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::exchange::testing::call;

    #[tokio::test(start_paused = true)]
    async fn e28_no_more_than_100_queries_pass_in_any_five_minutes() {
        let limiter = Arc::new(Limiter::default());
        let begin = Instant::now();
        let queries: Vec<_> = (0..250)
            .map(|number| {
                let limiter = Arc::clone(&limiter);
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_secs(number % 40)).await;
                    limiter.pass(&call(3600)).await.unwrap();
                    begin.elapsed()
                })
            })
            .collect();
        let mut times = Vec::new();
        for query in queries {
            times.push(query.await.unwrap());
        }
        times.sort_unstable();
        assert!(times[99] < Duration::from_secs(40), "the first hundred do not wait: {:?}", times[99]);
        for (first, later) in times.iter().zip(&times[100..]) {
            assert!(later.saturating_sub(*first) > Duration::from_mins(5), "{first:?} and {later:?}");
        }
        assert!(times[249] < Duration::from_secs(2 * 301 + 40), "nobody waits for longer than needed: {:?}", times[249]);
    }

    #[tokio::test(start_paused = true)]
    async fn e28_a_query_that_cannot_be_made_in_time_is_an_error_at_once() {
        let limiter = Limiter::default();
        for _ in 0..100 {
            limiter.pass(&call(60)).await.unwrap();
        }
        let begin = Instant::now();
        let error = limiter.pass(&call(60)).await.unwrap_err();
        assert_eq!((error.kind, begin.elapsed()), (Kind::Throttled, Duration::ZERO));
        assert!(error.to_string().contains("301 s"), "{error}");
    }
}
