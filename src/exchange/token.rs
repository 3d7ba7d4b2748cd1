//! Access tokens: one per audience, shared by all callers.

use std::sync::{Mutex as Quick, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::hosts::Hosts;
use super::login::{Login, Refusal};
use super::settings::Settings;
use crate::remote::{Backoff, Call, Connection, Error, Kind, Verdict, interruptible, retry};

/// For which service a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Cmdlets.
    Exchange,
    /// Graph calls.
    Graph,
}

/// A token that a service takes.
#[derive(Debug, Clone)]
pub struct Token {
    text: SecretString,
    /// When a new one is to be had: some time before this one is refused.
    stale: Instant,
}

impl Token {
    /// The text after `Bearer`.
    pub fn bearer(&self) -> &str {
        self.text.expose_secret()
    }
}

/// The tokens of one login.
#[derive(Debug)]
pub struct Tokens {
    login: Login,
    exchange: Slot,
    graph: Slot,
    backoff: Backoff,
}

/// The token for one audience.
#[derive(Debug)]
struct Slot {
    scope: String,
    /// Held while a token is fetched, so that one fetch serves all who wait.
    fetching: Mutex<()>,
    held: Quick<Held>,
}

/// What is known of a token.
#[derive(Debug, Clone, Default)]
enum Held {
    #[default]
    Nothing,
    Token(Token),
    /// The login was refused for good. Asking again could lock it out, and gives the same answer.
    Refused(Error),
}

/// A token is renewed this long before it expires, or after nine tenths of its life if that is later.
const MARGIN: Duration = Duration::from_mins(5);
/// How often a token is asked for that is refused for no reason of its own.
const ATTEMPTS: usize = 5;

impl Tokens {
    /// Prepares to fetch tokens. Reads the file of a certificate, and does no other I/O; a credential that cannot be used is an
    /// error on its setting.
    pub fn new(settings: &Settings, hosts: &Hosts, backoff: Backoff) -> Result<Tokens, Error> {
        Ok(Tokens {
            login: Login::new(settings, hosts)?,
            exchange: Slot::new(&hosts.exchange_scope),
            graph: Slot::new(&hosts.graph_scope),
            backoff,
        })
    }

    /// The kind of the login, in words.
    pub fn login_name(&self) -> &'static str {
        self.login.name()
    }

    /// Gives a token that is not about to expire, and fetches one if need be.
    pub async fn get(&self, audience: Audience, connection: &Connection, call: &Call) -> Result<Token, Error> {
        let slot = self.slot(audience);
        if let Some(known) = slot.known() {
            return known;
        }
        let _fetching = interruptible(call, slot.fetching.lock()).await?;
        // Whoever held the lock has fetched it meanwhile.
        if let Some(known) = slot.known() {
            return known;
        }
        let outcome = retry(
            call,
            self.backoff,
            || Box::pin(self.fetch(&slot.scope, connection, call)),
            |refusal: &Refusal, made| match refusal.error.kind {
                Kind::Throttled => Verdict::Again(refusal.wait),
                _ if refusal.error.retryable && made < ATTEMPTS => Verdict::Again(refusal.wait),
                _ => Verdict::GiveUp,
            },
        )
        .await;
        match &outcome {
            Ok(token) => slot.hold(Held::Token(token.clone())),
            Err(refusal) if refusal.lasting => slot.hold(Held::Refused(refusal.error.clone())),
            Err(_) => {}
        }
        outcome.map_err(|refusal| refusal.error)
    }

    /// Hears that a service refused a token. It is forgotten, unless another caller has already brought a newer one.
    pub fn refused(&self, audience: Audience, token: &Token) {
        let mut held = self.slot(audience).held.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(&*held, Held::Token(known) if known.bearer() == token.bearer()) {
            *held = Held::Nothing;
        }
    }

    fn slot(&self, audience: Audience) -> &Slot {
        match audience {
            Audience::Exchange => &self.exchange,
            Audience::Graph => &self.graph,
        }
    }

    async fn fetch(&self, scope: &str, connection: &Connection, call: &Call) -> Result<Token, Refusal> {
        let begin = Instant::now();
        let granted = self.login.token(scope, connection, call).await;
        tracing::debug!(
            login = self.login.name(),
            granted = granted.is_ok(),
            milliseconds = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX),
            scope,
            "asked for a token"
        );
        let granted = granted?;
        let stale = begin + granted.life.saturating_sub(MARGIN).max(granted.life.mul_f64(0.9));
        Ok(Token { text: granted.text, stale })
    }
}

impl Slot {
    fn new(scope: &str) -> Slot {
        Slot { scope: scope.to_owned(), fetching: Mutex::new(()), held: Quick::new(Held::Nothing) }
    }

    fn known(&self) -> Option<Result<Token, Error>> {
        match &*self.held.lock().unwrap_or_else(PoisonError::into_inner) {
            Held::Token(token) if Instant::now() < token.stale => Some(Ok(token.clone())),
            Held::Refused(error) => Some(Err(error.clone())),
            Held::Token(_) | Held::Nothing => None,
        }
    }

    fn hold(&self, held: Held) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = held;
    }
}
