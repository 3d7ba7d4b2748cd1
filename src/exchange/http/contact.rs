//! The first contact: before anything is asked for, it is known whether the hosts answer and the login is let in.
//!
//! The sign-in host and the host of the cmdlets are contacted at once. Each has half a minute for its first HTTP answer, whatever that is; the
//! login then has a minute more. A host that answered and cannot go on just now (throttled, in trouble) is no failure of the contact: the
//! operations that follow wait for it as long as their own limits allow.

use std::time::Duration;

use reqwest::Method;
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;

use super::Http;
use crate::exchange::token::Audience;
use crate::remote::{Call, Error, Kind, interruptible, pause};

/// How long the first answer of a host may take.
const ANSWER: Duration = Duration::from_secs(30);
/// How long the login may take from then on.
const LOGIN: Duration = Duration::from_mins(1);
/// A host that refuses connections is tried again for this long: it may be starting.
const REFUSED: Duration = Duration::from_secs(5);
/// Between two attempts.
const AGAIN: Duration = Duration::from_secs(1);
/// The most that is read of an answer that only has to come.
const MOST_BYTES: usize = 64 << 10;

impl Http {
    /// Makes the first contact. The token stays for what follows.
    pub async fn contact(&self, call: &Call) -> Result<(), Error> {
        let (login, service) = tokio::join!(Box::pin(self.first_login(call)), Box::pin(self.first_answer(call)));
        login.and(service)
    }

    async fn first_login(&self, call: &Call) -> Result<(), Error> {
        let work = self.tokens.get(Audience::Exchange, &self.connection, call);
        tokio::pin!(work);
        let place = |error: Error, phase| located(error, &self.hosts.login, phase);
        let outcome = match timeout(ANSWER, &mut work).await {
            Ok(outcome) => outcome,
            Err(_) if self.connection.is_answered() => timeout(LOGIN, &mut work).await.unwrap_or_else(|_| {
                let message = format!("The login did not come to an end within {} s.", LOGIN.as_secs());
                Err(Error::new(Kind::Unavailable, message)
                    .hint("The sign-in host answered. Check `exchange.login_url`, if it is set, and any proxy on the way."))
            }),
            Err(_) => return Err(silent(&self.hosts.login, "sign-in host", "login_url")),
        };
        match outcome {
            Ok(_) => Ok(()),
            Err(error) if error.kind == Kind::Throttled || (error.retryable && !error.unheard) => {
                tracing::warn!(%error, "the sign-in host answers, and gives no token yet");
                Ok(())
            }
            Err(error) if error.unheard => Err(place(error, "connection").hint(check("login_url"))),
            Err(error) => Err(place(error, "login")),
        }
    }

    async fn first_answer(&self, call: &Call) -> Result<(), Error> {
        let (begin, url) = (Instant::now(), &self.hosts.exchange);
        loop {
            let request = self.connection.client(url)?.request(Method::HEAD, url.clone());
            let Ok(sent) = timeout_at(begin + ANSWER, interruptible(call, self.connection.fetch(request, MOST_BYTES))).await
            else {
                return Err(silent(url, "Exchange Online host", "exchange_url"));
            };
            let error = match sent? {
                Ok(reply) => {
                    tracing::debug!(status = reply.status, "Exchange Online answers");
                    return Ok(());
                }
                Err(failure) => self.connection.failure(url, &failure),
            };
            if !error.unheard {
                // What it said makes no sense, or broke off; it is there.
                return if error.retryable { Ok(()) } else { Err(located(error, url, "connection")) };
            }
            if !error.retryable || begin.elapsed() >= REFUSED {
                return Err(located(error, url, "connection").hint(check("exchange_url")));
            }
            pause(call, AGAIN).await?;
        }
    }
}

/// Says which host was contacted, and how far that came.
fn located(error: Error, url: &Url, phase: &str) -> Error {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().map(|port| format!(":{port}")).unwrap_or_default();
    error.context("host", format!("{host}{port}")).context("phase", phase)
}

fn silent(url: &Url, what: &str, setting: &str) -> Error {
    let message = format!("The {what} gave no answer within {} s.", ANSWER.as_secs());
    located(Error::new(Kind::Unavailable, message).unheard(), url, "first answer").hint(check(setting))
}

fn check(setting: &str) -> String {
    format!("Check the network, the proxy variables, `exchange.environment`, and `exchange.{setting}` if it is set.")
}
