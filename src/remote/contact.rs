//! The first contact over HTTP: how long a host may take to be heard of and to let the login in, and what is said if it does not.

use std::future::Future;
use std::time::Duration;

use tokio::time::timeout;
use url::Url;

use super::{Connection, Error, Kind};

/// How long the first answer of a host may take.
pub const ANSWER: Duration = Duration::from_secs(30);
/// How long the login may take from then on.
pub const LOGIN: Duration = Duration::from_mins(1);
/// A host that refuses connections is tried again for this long: it may be starting.
pub const REFUSED: Duration = Duration::from_secs(5);
/// Between two attempts.
pub const AGAIN: Duration = Duration::from_secs(1);

/// A host that is contacted.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Where it is.
    pub url: &'a Url,
    /// What it is called: `sign-in host`.
    pub what: &'a str,
    /// What to look at if nothing is heard of it.
    pub unheard: &'a str,
    /// What to look at if it answers and the login does not come to an end.
    pub stuck: &'a str,
}

impl Place<'_> {
    /// Says which host was contacted, and how far that came.
    pub fn located(&self, error: Error, phase: &str) -> Error {
        let host = self.url.host_str().unwrap_or_default();
        let port = self.url.port_or_known_default().map(|port| format!(":{port}")).unwrap_or_default();
        error.context("host", format!("{host}{port}")).context("phase", phase)
    }

    /// The error of a host that gave no answer in time.
    pub fn silent(&self) -> Error {
        let message = format!("The {} gave no answer within {} s.", self.what, ANSWER.as_secs());
        self.located(Error::new(Kind::Unavailable, message).unheard(), "first answer").hint(self.unheard)
    }

    /// Waits for the first login. A host that answered and cannot go on just now is no failure: what is asked of it later waits for it.
    pub async fn login<T>(&self, work: impl Future<Output = Result<T, Error>>, connection: &Connection) -> Result<(), Error> {
        tokio::pin!(work);
        let outcome = match timeout(ANSWER, &mut work).await {
            Ok(outcome) => outcome,
            Err(_) if connection.is_answered() => timeout(LOGIN, &mut work).await.unwrap_or_else(|_| {
                let message = format!("The login did not come to an end within {} s.", LOGIN.as_secs());
                Err(Error::new(Kind::Unavailable, message).hint(self.stuck))
            }),
            Err(_) => return Err(self.silent()),
        };
        match outcome {
            Ok(_) => Ok(()),
            Err(error) if error.kind == Kind::Throttled || (error.retryable && !error.unheard) => {
                tracing::warn!(%error, "the {} answers, and lets nobody in yet", self.what);
                Ok(())
            }
            Err(error) if error.unheard => Err(self.located(error, "connection").hint(self.unheard)),
            Err(error) => Err(self.located(error, "login")),
        }
    }
}
