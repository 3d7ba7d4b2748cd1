//! The throttle gate: while the service asks one caller to wait, all callers to the tenant wait.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::remote::{Call, Error, Kind, interruptible};

/// A gate that every request to a tenant passes.
#[derive(Debug, Default)]
pub(super) struct Gate {
    opens: Mutex<Option<Instant>>,
}

impl Gate {
    /// Shuts the gate for at least this long.
    pub(super) fn shut(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut opens = self.opens.lock().unwrap_or_else(PoisonError::into_inner);
        *opens = Some(opens.map_or(until, |opens| opens.max(until)));
    }

    /// Waits until the gate is open. It is an error at once if that will be after the deadline.
    pub(super) async fn pass(&self, call: &Call) -> Result<(), Error> {
        loop {
            let opens = *self.opens.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(opens) = opens.filter(|opens| *opens > Instant::now()) else { return Ok(()) };
            if opens >= call.deadline {
                return Err(too_long(opens.saturating_duration_since(Instant::now()), call));
            }
            // It may have been shut for longer meanwhile, hence the loop.
            interruptible(call, tokio::time::sleep_until(opens)).await?;
        }
    }
}

/// The error of a call that is asked to wait for longer than it may take.
pub(super) fn too_long(wait: Duration, call: &Call) -> Error {
    Error::new(
        Kind::Throttled,
        format!(
            "Microsoft 365 throttles this tenant and asks to come back in {} s; the time limit leaves {} s.",
            wait.as_secs_f64().ceil(),
            call.time_left().as_secs()
        ),
    )
    .hint("Raise the limit in `timeouts`, or send less at a time with `terraform apply -parallelism=2`.")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio_util::sync::CancellationToken;

    use super::*;

    fn call(limit: u64) -> Call {
        Call::new(CancellationToken::new(), Duration::from_secs(limit))
    }

    #[tokio::test(start_paused = true)]
    async fn e01_all_callers_wait_until_the_gate_opens() {
        let gate = Arc::new(Gate::default());
        gate.shut(Duration::from_secs_f64(2.1));
        let begin = Instant::now();
        let callers: Vec<_> = (0..5)
            .map(|_| {
                let gate = Arc::clone(&gate);
                tokio::spawn(async move {
                    gate.pass(&call(60)).await.unwrap();
                    begin.elapsed()
                })
            })
            .collect();
        for caller in callers {
            assert!(caller.await.unwrap() >= Duration::from_secs_f64(2.1));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn e01_a_gate_that_is_shut_again_keeps_those_who_wait() {
        let gate = Arc::new(Gate::default());
        gate.shut(Duration::from_secs(2));
        let begin = Instant::now();
        let waiting = tokio::spawn({
            let gate = Arc::clone(&gate);
            async move { gate.pass(&call(60)).await.map(|()| begin.elapsed()) }
        });
        tokio::time::sleep(Duration::from_secs(1)).await;
        gate.shut(Duration::from_secs(5));
        gate.shut(Duration::from_secs(1));
        assert!(waiting.await.unwrap().unwrap() >= Duration::from_secs(6));
    }

    #[tokio::test(start_paused = true)]
    async fn e03_a_gate_that_opens_too_late_is_an_error_at_once() {
        let gate = Gate::default();
        gate.shut(Duration::from_mins(5));
        let begin = Instant::now();
        let error = gate.pass(&call(20)).await.unwrap_err();
        assert_eq!((error.kind, begin.elapsed()), (Kind::Throttled, Duration::ZERO));
        assert!(error.message.contains("300 s") && error.message.contains("20 s"), "{error}");
    }
}
