//! Logins: one token for all callers, and a password that is never tried twice after it was refused.
//!
//! ```text
//! POST /esa/api/v2.0/login   {"data":{"userName":"<base64>","passphrase":"<base64>"}}
//! -> {"data":{"jwtToken":"…"}}          then with each request: jwtToken: …
//! ```
//!
//! A token lives for 30 minutes. A device that has no such endpoint is asked with HTTP Basic.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::Instant;

use super::answer::understand;
use super::{Product, Query, Rest};
use crate::gateway::settings::Api;
use crate::remote::{Call, Error, Kind, Masks, interruptible, never_show};

/// A token is renewed a little before its 30 minutes are over.
const LIFE: Duration = Duration::from_mins(28);

/// The account, and what it was let in with.
pub(super) struct Logins {
    username: String,
    password: SecretString,
    /// Knows the password, alone and as HTTP Basic sends it.
    masks: Masks,
    basic: HeaderValue,
    state: Mutex<State>,
    /// Held by the first request with HTTP Basic until it is known whether the password is right.
    first: Arc<Mutex<()>>,
}

#[derive(Default)]
struct State {
    passes: BTreeMap<Product, Pass>,
    /// What the device said when it refused the account.
    refused: Option<Error>,
    /// Whether HTTP Basic has let a request in.
    proven: bool,
}

/// What a request shows to be let in.
#[derive(Clone)]
pub(super) enum Pass {
    /// A token, and since when it is known.
    Token {
        /// The value of the header.
        header: HeaderValue,
        /// When it was issued.
        since: Instant,
    },
    /// Account and password.
    Basic {
        /// The value of the header.
        header: HeaderValue,
    },
}

impl Logins {
    pub(super) fn new(settings: &Api) -> Result<Logins, Error> {
        let password = settings.password.expose_secret();
        let basic = STANDARD.encode(format!("{}:{password}", settings.username));
        never_show(password);
        Ok(Logins {
            username: settings.username.clone(),
            password: settings.password.clone(),
            masks: Masks::new().with(password),
            basic: secret(&format!("Basic {basic}"))?,
            state: Mutex::default(),
            first: Arc::default(),
        })
    }

    /// Drops a token that was refused; false if there is nothing to renew.
    pub(super) async fn renew(&self, product: Product, pass: &Pass) -> bool {
        let Pass::Token { header, .. } = pass else { return false };
        let mut state = self.state.lock().await;
        // Another caller may have renewed it meanwhile.
        if matches!(state.passes.get(&product), Some(Pass::Token { header: known, .. }) if known == header) {
            state.passes.remove(&product);
        }
        true
    }

    /// Waits for the first request with HTTP Basic, and fails if it was refused.
    pub(super) async fn turn(&self, pass: &Pass, call: &Call) -> Result<Option<OwnedMutexGuard<()>>, Error> {
        if matches!(pass, Pass::Token { .. }) || self.state.lock().await.proven {
            return Ok(None);
        }
        let turn = interruptible(call, Arc::clone(&self.first).lock_owned()).await?;
        match &self.state.lock().await.refused {
            Some(refused) => Err(refused.clone()),
            None => Ok(Some(turn)),
        }
    }

    /// Learns from an answer whether HTTP Basic was let in.
    pub(super) async fn learn(&self, pass: &Pass, status: u16, error: Option<&Error>) {
        if matches!(pass, Pass::Token { .. }) {
            return;
        }
        let mut state = self.state.lock().await;
        match (status, error) {
            (401, Some(error)) if !state.proven => state.refused = Some(locked_out(error.clone())),
            (200..=299, _) => state.proven = true,
            _ => {}
        }
    }

    /// What an answer must not repeat to the user.
    pub(super) fn masks(&self, pass: &Pass) -> Masks {
        let masks = self.masks.clone();
        match pass {
            Pass::Token { header, .. } => masks.with(header.to_str().unwrap_or_default()),
            Pass::Basic { .. } => masks,
        }
    }
}

impl Rest {
    /// What the next request to a product shows: the token that is there, a new one, or the account itself.
    pub(super) async fn pass(&self, product: Product, call: &Call) -> Result<Pass, Error> {
        // Held while logging in: one login serves all callers.
        let mut state = interruptible(call, self.logins.state.lock()).await?;
        if let Some(refused) = &state.refused {
            return Err(refused.clone());
        }
        match state.passes.get(&product) {
            Some(Pass::Token { since, .. }) if since.elapsed() >= LIFE => {}
            Some(pass) => return Ok(pass.clone()),
            None => {}
        }
        match self.log_in(product, call).await {
            Ok(pass) => {
                state.passes.insert(product, pass.clone());
                Ok(pass)
            }
            Err(error) => {
                if error.kind == Kind::Denied {
                    state.refused = Some(error.clone());
                }
                Err(error)
            }
        }
    }

    async fn log_in(&self, product: Product, call: &Call) -> Result<Pass, Error> {
        let url = self.url(product, "login", &Query::default());
        let logins = &self.logins;
        let encoded = |text: &str| STANDARD.encode(text);
        let body =
            json!({"data": {"userName": encoded(&logins.username), "passphrase": encoded(logins.password.expose_secret())}});
        let reply = match self.send(Method::POST, &url, None, Some(body.to_string().as_bytes()), call).await {
            Ok(reply) => reply,
            // A login that may have been counted is not made again.
            Err(lost) => return Err(Error { retryable: lost.unsent && lost.error.retryable, ..lost.error }),
        };
        let answer = match understand(&reply, url.path()).map_err(|error| logins.masks.mask_error(error)) {
            Ok(answer) => answer,
            Err(error) if error.kind == Kind::NotFound || matches!(reply.status, 405 | 501) => {
                tracing::debug!(path = url.path(), "the device has no login endpoint: HTTP Basic is used");
                return Ok(Pass::Basic { header: logins.basic.clone() });
            }
            Err(error) if matches!(error.kind, Kind::Denied | Kind::Invalid) => return Err(locked_out(error)),
            Err(error) => return Err(Error { retryable: false, ..error }),
        };
        let token =
            answer.get("data").and_then(|data| data.get("jwtToken")).and_then(Value::as_str).filter(|token| !token.is_empty());
        let token = token.ok_or_else(|| {
            Error::new(Kind::Unexpected, "The AsyncOS API let the account in, and its answer holds no `jwtToken`.")
                .context("path", url.path())
        })?;
        never_show(token);
        Ok(Pass::Token { header: secret(token)?, since: Instant::now() })
    }
}

/// The error of an account that is not let in. It stands until the provider is configured anew.
fn locked_out(error: Error) -> Error {
    let message = format!("The AsyncOS API refused the account: {}", error.message);
    Error { kind: Kind::Denied, retryable: false, message, ..error }.hint(
        "Check `gateway.api.username` and `gateway.api.password` (environment variables MAILFLOW_GATEWAY_API_USERNAME and \
         MAILFLOW_GATEWAY_API_PASSWORD), and whether the account's role may use the AsyncOS API. The login is not tried again in this run, so that \
         the account is not locked.",
    )
}

/// The value of a header that no log may show.
fn secret(text: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| Error::new(Kind::Unexpected, "The token of the AsyncOS API holds characters that no header can carry."))?;
    value.set_sensitive(true);
    Ok(value)
}
