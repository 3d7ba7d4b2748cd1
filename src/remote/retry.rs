//! Trying again: how long to wait between attempts, and what ends a wait.

use std::future::Future;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::Instant;

use super::{Call, Error, Kind};

/// How the waits between attempts grow. Each wait is drawn evenly from zero to a bound that doubles ("full jitter"), so that
/// callers that failed together do not come back together.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// The bound of the first wait.
    pub first: Duration,
    /// The bound that no wait exceeds.
    pub most: Duration,
}

impl Backoff {
    /// The waits, without end.
    pub fn waits(self) -> impl Iterator<Item = Duration> + Send {
        ExponentialBuilder::default()
            .with_min_delay(self.first)
            .with_max_delay(self.most)
            .without_max_times()
            .build()
            .map(|bound| bound.mul_f64(rand::random::<f64>()))
    }
}

/// What to do about a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The failure stands.
    GiveUp,
    /// Try again after the next wait, or after this one if it is longer.
    Again(Option<Duration>),
}

/// Makes attempts until one succeeds, `judge` gives up, or the time that is left is shorter than the next wait.
///
/// `judge` is given the failure and how many attempts were made. A stop by the user ends the wait between two attempts; the
/// attempt itself is not interrupted from here.
pub async fn retry<T, E, F>(
    call: &Call,
    backoff: Backoff,
    mut attempt: impl FnMut() -> F + Send,
    judge: impl Fn(&E, usize) -> Verdict + Send,
) -> Result<T, E>
where
    F: Future<Output = Result<T, E>> + Send,
    E: From<Error> + Send,
    T: Send,
{
    let mut made = 0;
    let mut waits = backoff.waits();
    loop {
        let failure = match attempt().await {
            Ok(done) => return Ok(done),
            Err(failure) => failure,
        };
        made += 1;
        let Verdict::Again(least) = judge(&failure, made) else { return Err(failure) };
        let wait = waits.next().unwrap_or(backoff.most).max(least.unwrap_or_default());
        if wait >= call.time_left() {
            return Err(failure);
        }
        pause(call, wait).await?;
    }
}

/// Waits, unless the user stops the run or the time limit is reached first.
pub async fn pause(call: &Call, wait: Duration) -> Result<(), Error> {
    interruptible(call, tokio::time::sleep_until(Instant::now() + wait)).await
}

/// Waits for something that may be abandoned at any time: a stop by the user and the time limit end it.
pub async fn interruptible<T>(call: &Call, work: impl Future<Output = T> + Send) -> Result<T, Error> {
    tokio::select! {
        biased;
        () = call.stop.cancelled() => Err(stopped()),
        done = work => Ok(done),
        () = tokio::time::sleep_until(call.deadline) => Err(out_of_time()),
    }
}

/// The error of an operation that the user stopped before it changed anything.
pub fn stopped() -> Error {
    Error::new(Kind::Stopped, "The run was stopped before this was done.")
}

/// The error of an operation whose time limit is reached.
pub fn out_of_time() -> Error {
    Error::new(Kind::Unavailable, "The time limit of this operation was reached.")
        .hint("If the service is only slow, raise the limit in `timeouts`.")
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::*;

    const BACKOFF: Backoff = Backoff { first: Duration::from_secs(1), most: Duration::from_secs(8) };

    fn call(limit: u64) -> Call {
        Call::new(CancellationToken::new(), Duration::from_secs(limit))
    }

    #[test]
    fn waits_stay_below_a_bound_that_doubles() {
        for (position, wait) in BACKOFF.waits().take(6).enumerate() {
            let bound = Duration::from_secs([1, 2, 4, 8, 8, 8][position]);
            assert!(wait <= bound, "wait {position} is {wait:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_waits_at_least_as_long_as_the_service_asked() {
        let begin = Instant::now();
        let mut made = 0;
        let outcome: Result<i32, Error> = retry(
            &call(60),
            BACKOFF,
            || {
                made += 1;
                let success = made == 2;
                async move { if success { Ok(7) } else { Err(Error::new(Kind::Throttled, "later")) } }
            },
            |_, _| Verdict::Again(Some(Duration::from_secs(20))),
        )
        .await;
        assert_eq!(outcome, Ok(7));
        assert!(begin.elapsed() >= Duration::from_secs(20));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_does_not_fit_is_not_begun() {
        let begin = Instant::now();
        let outcome: Result<(), Error> = retry(
            &call(10),
            BACKOFF,
            || async { Err(Error::new(Kind::Throttled, "later")) },
            |_, _| Verdict::Again(Some(Duration::from_secs(20))),
        )
        .await;
        assert_eq!(outcome.map_err(|error| error.kind), Err(Kind::Throttled));
        assert_eq!(begin.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_ends_the_wait() {
        let call = call(600);
        let stop = call.stop.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            stop.cancel();
        });
        let begin = Instant::now();
        assert_eq!(pause(&call, Duration::from_mins(5)).await.map_err(|error| error.kind), Err(Kind::Stopped));
        assert_eq!(begin.elapsed(), Duration::from_secs(1));
    }
}
