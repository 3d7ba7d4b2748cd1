//! The first contact: before anything is asked for, it is known whether the hosts answer and the login is let in.
//!
//! The sign-in host and the host of the cmdlets are contacted at once. Each has half a minute for its first HTTP answer, whatever that is; the
//! login then has a minute more. A host that answered and cannot go on just now (throttled, in trouble) is no failure of the contact: the
//! operations that follow wait for it as long as their own limits allow.

use reqwest::Method;
use reqwest::header::HeaderMap;
use tokio::time::{Instant, timeout_at};

use super::Http;
use crate::remote::contact::{AGAIN, ANSWER, Place, REFUSED};
use crate::remote::{Between, Call, Error, interruptible, pause};

/// The most that is read of an answer that only has to come.
const MOST_BYTES: usize = 64 << 10;

impl Http {
    /// Makes the first contact. The token stays for what follows.
    pub async fn contact(&self, call: &Call) -> Result<(), Error> {
        let (login, service) = tokio::join!(Box::pin(self.first_login(call)), Box::pin(self.first_answer(call)));
        login.and(service)
    }

    async fn first_login(&self, call: &Call) -> Result<(), Error> {
        let stuck = "The sign-in host answered. Check `exchange.login_url`, if it is set, and any proxy on the way.";
        let place = Place { url: &self.hosts.login, what: "sign-in host", unheard: &check("login_url"), stuck };
        place.login(self.sign_in(call), &self.connection).await
    }

    async fn first_answer(&self, call: &Call) -> Result<(), Error> {
        let (begin, url) = (Instant::now(), &self.hosts.exchange);
        let place = Place { url, what: "Exchange Online host", unheard: &check("exchange_url"), stuck: "" };
        loop {
            let request = self.connection.client(url)?.request(Method::HEAD, url.clone());
            let Ok(sent) = timeout_at(begin + ANSWER, interruptible(call, self.connection.fetch(request, MOST_BYTES))).await
            else {
                return Err(place.silent());
            };
            let error = match sent? {
                Ok(reply) if let Some(between) = Between::of(reply.status, &HeaderMap::new(), "") => {
                    let error = between.error("The first request", "Exchange Online", "`exchange.exchange_url`");
                    return Err(place.located(error, "first answer"));
                }
                Ok(reply) => {
                    tracing::debug!(status = reply.status, "Exchange Online answers");
                    return Ok(());
                }
                Err(failure) => self.connection.failure(url, &failure),
            };
            if !error.unheard {
                // What it said makes no sense, or broke off; it is there.
                return if error.retryable { Ok(()) } else { Err(place.located(error, "connection")) };
            }
            if !error.retryable || begin.elapsed() >= REFUSED {
                return Err(place.located(error, "connection").hint(place.unheard));
            }
            pause(call, AGAIN).await?;
        }
    }
}

fn check(setting: &str) -> String {
    format!("Check the network, the proxy variables, `exchange.environment`, and `exchange.{setting}` if it is set.")
}
