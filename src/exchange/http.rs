//! Cmdlet calls over HTTP: the stack from the deadline down to the wire.
//!
//! A call is `POST {exchange}/adminapi/beta/{tenant}/InvokeCommand` with
//! `{"CmdletInput":{"CmdletName":"Get-InboundConnector","Parameters":{}}}`.

mod clock;
mod contact;
mod graph;
mod modules;

use std::collections::HashSet;
use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use url::Url;
use uuid::Uuid;

use self::clock::Clock;
use super::answer::{Answer, Asked, Failed, Object, understand};
use super::gate::{Gate, too_long};
use super::hosts::Hosts;
use super::permissions::{explained, refuse_look_alikes};
use super::settings::Settings;
use super::token::{Audience, Token, Tokens};
use crate::remote::{Backoff, Call, Connection, Error, Kind, Masks, Reply, Verdict, interruptible, out_of_time, retry};
pub(super) use graph::Reading;

/// The HTTP side of one tenant.
#[derive(Debug)]
pub struct Http {
    hosts: Hosts,
    connection: Connection,
    tokens: Tokens,
    gate: Gate,
    /// Graph throttles for itself.
    graph_gate: Gate,
    slots: Semaphore,
    /// Where the service sent us on to; later calls go there directly.
    pinned: Mutex<Option<Url>>,
    tenant: String,
    anchor: String,
    session: String,
    backoff: Backoff,
    clock: Clock,
}

/// One cmdlet with its parameters.
pub struct Cmdlet<'a> {
    /// `Get-InboundConnector`
    pub name: String,
    /// The parameters, as JSON.
    pub parameters: Map<String, Value>,
    /// Whether it changes something: then it is not repeated while it may have been done.
    pub writes: bool,
    /// What the service must not repeat to the user.
    pub masks: &'a Masks,
}

/// The service limits concurrent requests per tenant at an unknown number; readers of it use up to six.
const AT_ONCE: usize = 6;
/// How often a call is tried that fails for no reason of its own. Microsoft's module makes six attempts.
const ATTEMPTS: usize = 6;
/// More redirects than this are a circle.
const REDIRECTS: usize = 5;
/// More pages than this are a circle.
const PAGES: usize = 1000;
/// The most that an answer may hold.
const MOST_BYTES: usize = 64 << 20;

impl Http {
    /// Prepares the stack; no I/O.
    pub fn new(settings: &Settings, backoff: Backoff) -> Result<Http, Error> {
        let hosts = Hosts::of(settings)?;
        Ok(Http {
            connection: Connection::new(settings.ca_certificate.as_deref(), "exchange.ca_certificate")?,
            tokens: Tokens::new(settings, &hosts, backoff)?,
            gate: Gate::default(),
            graph_gate: Gate::default(),
            slots: Semaphore::new(AT_ONCE),
            pinned: Mutex::new(None),
            tenant: settings.tenant.clone(),
            anchor: format!("APP:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{}", settings.organization),
            session: Uuid::new_v4().to_string(),
            hosts,
            backoff,
            clock: Clock::default(),
        })
    }

    /// Gets a token for cmdlets, if none is there yet. One that can run no cmdlet is an error.
    pub async fn sign_in(&self, call: &Call) -> Result<(), Error> {
        let token = self.tokens.get(Audience::Exchange, &self.connection, call).await?;
        refuse_look_alikes(token.bearer())
    }

    /// The kind of the login, in words.
    pub fn login_name(&self) -> &'static str {
        self.tokens.login_name()
    }

    /// The host that runs cmdlets.
    pub fn host(&self) -> &Url {
        &self.hosts.exchange
    }

    /// What time it is at the service; before its first answer, by our clock.
    pub fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    /// Runs a cmdlet once, with as many attempts as are safe.
    pub async fn run(&self, cmdlet: &Cmdlet<'_>, call: &Call) -> Result<Answer, Failed> {
        let flight = Flight::new(cmdlet, self.home()?);
        self.fly(&flight, call).await
    }

    /// Runs a cmdlet that lists objects, and follows its pages. A page that fails makes the whole list fail: half a list would
    /// say of the other half that it is gone.
    pub async fn list(&self, cmdlet: &Cmdlet<'_>, call: &Call) -> Result<Vec<Object>, Error> {
        self.list_with_warnings(cmdlet, call).await.map(|(objects, _)| objects)
    }

    /// Runs a cmdlet that lists objects on a connection of its own, without the cookie that leads to the server of earlier calls.
    pub async fn list_anew(&self, cmdlet: &Cmdlet<'_>, call: &Call) -> Result<Vec<Object>, Error> {
        let connection = self.connection.anew();
        self.list_over(cmdlet, Some(&connection), call).await.map(|(objects, _)| objects)
    }

    /// Runs a cmdlet that lists objects, and gives what the service warned of, too.
    pub async fn list_with_warnings(&self, cmdlet: &Cmdlet<'_>, call: &Call) -> Result<(Vec<Object>, Vec<String>), Error> {
        self.list_over(cmdlet, None, call).await
    }

    async fn list_over(
        &self,
        cmdlet: &Cmdlet<'_>,
        connection: Option<&Connection>,
        call: &Call,
    ) -> Result<(Vec<Object>, Vec<String>), Error> {
        let mut flight = Flight { connection, ..Flight::new(cmdlet, self.home()?) };
        let mut objects = Vec::new();
        let mut warnings: Vec<String> = Vec::new();
        let mut seen = HashSet::new();
        for _ in 0..PAGES {
            let answer = match self.fly(&flight, call).await {
                // Who asks for one object by its identity hears so that it is not there.
                Err(failed) if failed.error.kind == Kind::NotFound && cmdlet.parameters.contains_key("Identity") => {
                    return Ok((Vec::new(), warnings));
                }
                outcome => outcome.map_err(|failed| unlisted(failed.error, cmdlet))?,
            };
            let page = answer.objects.ok_or_else(|| {
                Error::new(Kind::Unexpected, format!("The answer to `{}` is not a list of objects.", cmdlet.name))
            })?;
            objects.extend(page);
            if let Some(warning) = answer.warnings.iter().find(|warning| warning.to_lowercase().contains("more results")) {
                return Err(Error::new(Kind::Unexpected, format!("The answer to `{}` is cut off: {warning}", cmdlet.name)));
            }
            warnings.extend(answer.warnings);
            let Some(next) = answer.next else { return Ok((objects, warnings)) };
            if !seen.insert(next.clone()) {
                break;
            }
            flight = Flight { connection, ..Flight::new(cmdlet, self.page(&next)?) };
        }
        Err(Error::new(Kind::Unexpected, format!("The pages of `{}` do not end.", cmdlet.name)))
    }

    /// The stack.
    async fn fly(&self, flight: &Flight<'_>, call: &Call) -> Result<Answer, Failed> {
        // At the top: every wait below counts against the time limit.
        #[rustfmt::skip]
        let outcome = deadline(call, flight,
            // Above the retry: a call that waits to be tried again keeps its slot, so that trouble does not raise the load.
            limit(&self.slots, call,
                // Above the gate: each attempt has to pass it anew.
                retry(call, self.backoff,
                    || throttle(&self.gate, call,
                        // Above the redirects: a token that is refused anywhere on the way is renewed once.
                        self.authorized(call,
                            // Redirects by hand, then send and classify.
                            |token| Box::pin(self.redirected(flight, token, call)))),
                    |failed, made| self.judge(flight, failed, made))));
        Box::pin(outcome).await.map_err(|failed| throttled(failed, flight, call))
    }

    async fn authorized<F>(&self, call: &Call, attempt: impl Fn(Token) -> F + Send) -> Result<Answer, Failed>
    where
        F: Future<Output = Result<Answer, Failed>> + Send,
    {
        let token = self.tokens.get(Audience::Exchange, &self.connection, call).await?;
        match attempt(token.clone()).await {
            Err(failed) if failed.status == Some(401) => {
                self.tokens.refused(Audience::Exchange, &token);
                let token = self.tokens.get(Audience::Exchange, &self.connection, call).await?;
                attempt(token.clone()).await.map_err(|failed| match failed.status {
                    Some(401) => Failed { error: explained(failed.error, token.bearer()), ..failed },
                    _ => failed,
                })
            }
            outcome => outcome,
        }
    }

    async fn redirected(&self, flight: &Flight<'_>, token: Token, call: &Call) -> Result<Answer, Failed> {
        let mut url = self.at_pinned(&flight.url);
        for _ in 0..=REDIRECTS {
            let reply = self.send(flight, &url, &token, call).await?;
            if !matches!(reply.status, 301 | 302 | 303 | 307 | 308) {
                return understand(&reply, flight.asked());
            }
            let location = reply.headers.get("location").and_then(|location| location.to_str().ok()).ok_or_else(|| {
                Error::new(Kind::Unexpected, format!("{} redirects to nowhere.", url.origin().ascii_serialization()))
            })?;
            // The same body and token again, whatever the status: a GET would mean nothing here.
            url = self.hosts.redirected(&url, location)?;
            self.pin(Some(&url));
        }
        self.pin(None);
        Err(Error::new(Kind::Unavailable, "Exchange Online redirects in a circle.").retryable().into())
    }

    async fn send(&self, flight: &Flight<'_>, url: &Url, token: &Token, call: &Call) -> Result<Reply, Failed> {
        let name = flight.cmdlet.name.as_str();
        let request = flight
            .connection
            .unwrap_or(&self.connection)
            .client(url)?
            .post(url.clone())
            .headers(self.headers(flight)?)
            .bearer_auth(token.bearer())
            .body(flight.body.clone());
        let begin = Instant::now();
        let work = self.connection.fetch(request, MOST_BYTES);
        flight.attempts.fetch_add(1, Ordering::Relaxed);
        flight.airborne.store(true, Ordering::Relaxed);
        // A write is not abandoned when the user stops the run: what it did would not be known.
        let sent = if flight.cmdlet.writes { Ok(work.await) } else { interruptible(call, work).await };
        flight.airborne.store(false, Ordering::Relaxed);
        let milliseconds = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
        match sent? {
            Ok(reply) => {
                self.clock.hear(&reply.headers);
                tracing::debug!(cmdlet = name, status = reply.status, milliseconds, request_id = %flight.id, "ran a cmdlet");
                Ok(reply)
            }
            Err(failure) => {
                tracing::debug!(cmdlet = name, milliseconds, request_id = %flight.id, "a cmdlet got no answer");
                // The host that we were sent to may be the trouble: the next attempt asks the front door again.
                self.pin(None);
                let error = self.connection.failure(url, &failure).context("cmdlet", name);
                Err(Failed { lost: flight.cmdlet.writes && !failure.is_connect(), ..error.into() })
            }
        }
    }

    fn judge(&self, flight: &Flight<'_>, failed: &Failed, made: usize) -> Verdict {
        if let (Some(wait), Some(429 | 503)) = (failed.wait, failed.status) {
            self.gate.shut(wait);
        }
        match failed.error.kind {
            // A gate that opens too late is throttling, too, and no retry helps.
            Kind::Throttled if failed.error.retryable => Verdict::Again(failed.wait),
            // A write that may have been done is settled by reading, which is above this stack.
            _ if failed.lost && flight.cmdlet.writes => Verdict::GiveUp,
            _ if failed.error.retryable && made < ATTEMPTS => Verdict::Again(failed.wait),
            _ => Verdict::GiveUp,
        }
    }

    fn headers(&self, flight: &Flight<'_>) -> Result<HeaderMap, Error> {
        let value = |text: &str| {
            HeaderValue::from_str(text)
                .map_err(|_| Error::new(Kind::Invalid, "`exchange.organization` holds characters that no organization has."))
        };
        let named = HeaderName::from_static;
        // Who asks for more at once gets it on one page.
        let page = flight.cmdlet.parameters.get("ResultSize").and_then(Value::as_u64).unwrap_or_default().max(1000);
        Ok(HeaderMap::from_iter([
            // Without the charset, letters beyond ASCII end in HTTP 500.
            (CONTENT_TYPE, value("application/json; charset=utf-8")?),
            (ACCEPT, value("application/json")?),
            // Error texts are localised.
            (ACCEPT_LANGUAGE, value("en-US")?),
            (ACCEPT_ENCODING, value("gzip")?),
            (named("prefer"), value(&format!("odata.maxpagesize={page}"))?),
            (named("x-anchormailbox"), value(&self.anchor)?),
            (named("x-cmdletname"), value(&flight.cmdlet.name)?),
            (named("x-responseformat"), value("json")?),
            (named("x-clientapplication"), value("terraform-provider-mailflow")?),
            (named("x-clientmoduleversion"), value(env!("CARGO_PKG_VERSION"))?),
            (named("connection-id"), value(&self.session)?),
            (named("client-request-id"), value(&flight.id)?),
        ]))
    }

    fn home(&self) -> Result<Url, Error> {
        let mut url = self.hosts.exchange.clone();
        url.path_segments_mut()
            .map_err(|()| Error::new(Kind::Invalid, "`exchange.exchange_url` is not an origin."))?
            .clear()
            .extend(["adminapi", "beta", self.tenant.as_str(), "InvokeCommand"]);
        Ok(url)
    }

    /// The address of another page. Only its path and query are used: the page lies on the server that gave the link, and the
    /// token goes to no other.
    fn page(&self, link: &str) -> Result<Url, Error> {
        let home = self.home()?;
        let link = home
            .join(link)
            .ok()
            .filter(|link| link.path().to_ascii_lowercase().starts_with("/adminapi/"))
            .ok_or_else(|| Error::new(Kind::Unexpected, "The link to the next page of a list leads out of the service."))?;
        let mut page = home;
        page.set_path(link.path());
        page.set_query(link.query());
        Ok(page)
    }

    fn at_pinned(&self, url: &Url) -> Url {
        let pinned = self.pinned.lock().unwrap_or_else(PoisonError::into_inner);
        let mut place = pinned.as_ref().unwrap_or(url).clone();
        place.set_path(url.path());
        place.set_query(url.query());
        place
    }

    fn pin(&self, url: Option<&Url>) {
        *self.pinned.lock().unwrap_or_else(PoisonError::into_inner) = url.cloned();
    }
}

impl fmt::Debug for Cmdlet<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} with {} parameters", self.name, self.parameters.len())
    }
}

/// One call on its way: the same ID and body in every attempt.
struct Flight<'a> {
    cmdlet: &'a Cmdlet<'a>,
    /// Another connection than that of all calls.
    connection: Option<&'a Connection>,
    url: Url,
    id: String,
    body: Vec<u8>,
    begin: Instant,
    attempts: AtomicUsize,
    airborne: AtomicBool,
}

impl<'a> Flight<'a> {
    fn new(cmdlet: &'a Cmdlet<'a>, url: Url) -> Flight<'a> {
        let body = json!({"CmdletInput": {"CmdletName": cmdlet.name, "Parameters": cmdlet.parameters}});
        Flight {
            cmdlet,
            connection: None,
            url,
            id: Uuid::new_v4().to_string(),
            body: body.to_string().into_bytes(),
            begin: Instant::now(),
            attempts: AtomicUsize::new(0),
            airborne: AtomicBool::new(false),
        }
    }

    fn asked(&self) -> Asked<'_> {
        Asked { cmdlet: &self.cmdlet.name, writes: self.cmdlet.writes, masks: self.cmdlet.masks }
    }
}

async fn deadline(
    call: &Call,
    flight: &Flight<'_>,
    work: impl Future<Output = Result<Answer, Failed>> + Send,
) -> Result<Answer, Failed> {
    match tokio::time::timeout_at(call.deadline, work).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Failed {
            lost: flight.cmdlet.writes && flight.airborne.load(Ordering::Relaxed),
            ..out_of_time().context("cmdlet", flight.cmdlet.name.as_str()).retryable().into()
        }),
    }
}

async fn limit(
    slots: &Semaphore,
    call: &Call,
    work: impl Future<Output = Result<Answer, Failed>> + Send,
) -> Result<Answer, Failed> {
    // The semaphore is never closed.
    let _slot = interruptible(call, slots.acquire()).await?;
    work.await
}

async fn throttle(gate: &Gate, call: &Call, work: impl Future<Output = Result<Answer, Failed>> + Send) -> Result<Answer, Failed> {
    gate.pass(call).await?;
    work.await
}

fn throttled(failed: Failed, flight: &Flight<'_>, call: &Call) -> Failed {
    let attempts = flight.attempts.load(Ordering::Relaxed);
    if failed.error.kind != Kind::Throttled || attempts == 0 {
        return failed;
    }
    let waited = flight.begin.elapsed().as_secs();
    let error = too_long(failed.wait.unwrap_or(Duration::ZERO), call);
    let message = match failed.wait {
        Some(wait) => format!(
            "Microsoft 365 throttles this tenant: it was asked {attempts} times within {waited} s, and the last answer was to come back in {} s, which is after the time limit.",
            wait.as_secs_f64().ceil()
        ),
        None => {
            format!("Microsoft 365 throttles this tenant: it was asked {attempts} times within {waited} s, up to the time limit.")
        }
    };
    Failed { error: Error { message, hint: error.hint, ..failed.error }, ..failed }
}

/// A list that failed says nothing about its objects, whatever the service's words are.
fn unlisted(error: Error, cmdlet: &Cmdlet<'_>) -> Error {
    match error.kind {
        Kind::NotFound | Kind::Conflict => {
            Error { kind: Kind::Unexpected, message: format!("`{}` failed: {}", cmdlet.name, error.message), ..error }
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests;
