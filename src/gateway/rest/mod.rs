//! The AsyncOS API (REST) of a gateway, or of a Secure Email and Web Manager: reads only.
//!
//! A request is `GET {origin}/esa/api/v2.0/{path}`, on a Secure Email and Web Manager `/sma/…`. Cisco, "AsyncOS API for Secure Email
//! Gateway - Getting Started Guide". What is configured is changed over the command line alone: a change over REST takes effect at
//! once, outside the commit that it belongs to, and cannot replace the text of a message filter in place.

mod answer;
mod contact;
mod filters;
mod login;

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use self::answer::understand;
use self::filters::Reasons;
use self::login::{Logins, Pass};
use super::settings::{Api, Level};
use crate::remote::{Backoff, Call, Connection, Error, Kind, Reply, Verdict, interruptible, is_loopback, retry};

/// How long is waited between two attempts of a read.
const BACKOFF: Backoff = Backoff { first: Duration::from_millis(500), most: Duration::from_secs(8) };
/// How often a read is tried that fails for no reason of its own.
const ATTEMPTS: usize = 4;
/// More redirects than this are a circle.
const REDIRECTS: usize = 5;
/// The most that an answer may hold.
const MOST_BYTES: usize = 64 << 20;

/// The client of one device's AsyncOS API.
pub struct Rest {
    origin: Url,
    connection: Connection,
    logins: Logins,
    /// The parameters of calls about the configuration.
    level: Query,
    /// Which of the two the device is, once it has answered as one.
    known: OnceLock<Product>,
    reasons: Reasons,
    backoff: Backoff,
}

/// The products with an AsyncOS API. Each has its own path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Product {
    /// Secure Email Gateway.
    Gateway,
    /// Secure Email and Web Manager.
    Manager,
}

/// The parameters of a request, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query(String);

impl Rest {
    /// Makes a client; no I/O. A CA certificate that is none is an error on its setting.
    pub fn new(settings: &Api, level: &Level) -> Result<Rest, Error> {
        Rest::with(settings, level, BACKOFF)
    }

    /// Makes a client that waits so long between attempts.
    pub fn with(settings: &Api, level: &Level, backoff: Backoff) -> Result<Rest, Error> {
        Ok(Rest {
            origin: settings.url.clone(),
            connection: Connection::new(settings.ca_certificate.as_deref(), "gateway.api.ca_certificate")?,
            logins: Logins::new(settings)?,
            level: parameters_of(level),
            known: OnceLock::new(),
            reasons: Reasons::default(),
            backoff,
        })
    }

    /// Reads below the path of a product; left open, of the one that the device turns out to be. An error of kind `NotFound` says
    /// that the device has nothing of this path.
    pub async fn get(&self, product: Option<Product>, path: &str, query: &Query, call: &Call) -> Result<Value, Error> {
        if let Some(product) = product.or(self.known.get().copied()) {
            return self.read(product, path, query, call).await;
        }
        let first = match self.read(Product::Gateway, path, query, call).await {
            Err(error) if error.kind == Kind::NotFound => error,
            outcome => return self.known(Product::Gateway, outcome),
        };
        match self.read(Product::Manager, path, query, call).await {
            Err(error) if error.kind == Kind::NotFound => Err(first
                .context("also asked", format!("{}{path}", Product::Manager.base()))
                .hint("Neither a Secure Email Gateway nor a Secure Email and Web Manager answers there with this. Check `gateway.api.url`, its port, and the release.")),
            outcome => self.known(Product::Manager, outcome),
        }
    }

    fn known(&self, product: Product, outcome: Result<Value, Error>) -> Result<Value, Error> {
        if outcome.is_ok() {
            // Another call may have found out the same.
            let _ = self.known.set(product);
        }
        outcome
    }

    async fn read(&self, product: Product, path: &str, query: &Query, call: &Call) -> Result<Value, Error> {
        let url = self.url(product, path, query);
        retry(
            call,
            self.backoff,
            || self.attempt(product, &url, call),
            |error: &Error, made| if error.retryable && made < ATTEMPTS { Verdict::Again(None) } else { Verdict::GiveUp },
        )
        .await
    }

    /// Makes one attempt at a read. A token that is refused is renewed once.
    async fn attempt(&self, product: Product, url: &Url, call: &Call) -> Result<Value, Error> {
        let mut pass = self.pass(product, call).await?;
        // Until one request was let in, others wait: a wrong password is tried once, not by all of them at once.
        let turn = self.logins.turn(&pass, call).await?;
        let mut reply = self.send(Method::GET, url, Some(&pass), None, call).await?;
        if reply.status == 401 && self.logins.renew(product, &pass).await {
            pass = self.pass(product, call).await?;
            reply = self.send(Method::GET, url, Some(&pass), None, call).await?;
        }
        let outcome = understand(&reply, url.path()).map_err(|error| self.logins.masks(&pass).mask_error(error));
        self.logins.learn(&pass, reply.status, outcome.as_ref().err()).await;
        drop(turn);
        outcome
    }

    /// Sends one request, and follows redirects that stay on the host. Nothing is tried again from here.
    async fn send(
        &self,
        method: Method,
        url: &Url,
        pass: Option<&Pass>,
        body: Option<&[u8]>,
        call: &Call,
    ) -> Result<Reply, Lost> {
        let mut url = url.clone();
        for _ in 0..=REDIRECTS {
            let reply = self.send_once(&method, &url, pass, body, call).await?;
            if !matches!(reply.status, 301 | 302 | 303 | 307 | 308) {
                return Ok(reply);
            }
            let location = reply.headers.get("location").and_then(|location| location.to_str().ok()).unwrap_or_default();
            url = redirected(&url, location)?;
        }
        Err(Error::new(Kind::Unexpected, format!("{} redirects in a circle.", self.origin())).hint(CHECK_URL).into())
    }

    async fn send_once(
        &self,
        method: &Method,
        url: &Url,
        pass: Option<&Pass>,
        body: Option<&[u8]>,
        call: &Call,
    ) -> Result<Reply, Lost> {
        let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        match pass {
            Some(Pass::Token { header, .. }) => headers.insert(HeaderName::from_static("jwttoken"), header.clone()),
            Some(Pass::Basic { header }) => headers.insert(AUTHORIZATION, header.clone()),
            None => None,
        };
        let mut request = self.connection.client(url)?.request(method.clone(), url.clone()).headers(headers);
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_vec());
        }
        let begin = Instant::now();
        let sent = interruptible(call, self.connection.fetch(request, MOST_BYTES)).await?;
        let milliseconds = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
        match sent {
            Ok(reply) => {
                self.connection.note_answer();
                tracing::debug!(path = url.path(), status = reply.status, milliseconds, "asked the AsyncOS API");
                Ok(reply)
            }
            Err(failure) => {
                tracing::debug!(path = url.path(), milliseconds, "the AsyncOS API gave no answer");
                Err(Lost { error: self.connection.failure(url, &failure), unsent: failure.is_connect() })
            }
        }
    }

    fn url(&self, product: Product, path: &str, query: &Query) -> Url {
        let mut url = self.origin.clone();
        url.set_path(&format!("{}{path}", product.base()));
        url.set_query((!query.0.is_empty()).then_some(query.0.as_str()));
        url
    }

    fn origin(&self) -> String {
        self.origin.origin().ascii_serialization()
    }
}

/// A request without an answer.
struct Lost {
    error: Error,
    /// Whether nothing of it reached the device.
    unsent: bool,
}

impl From<Error> for Lost {
    fn from(error: Error) -> Lost {
        Lost { error, unsent: false }
    }
}

impl From<Lost> for Error {
    fn from(lost: Lost) -> Error {
        lost.error
    }
}

/// Shows neither the account nor what was read.
impl fmt::Debug for Rest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "AsyncOS API at {}", self.origin())
    }
}

const CHECK_URL: &str =
    "Check `gateway.api.url`: host and port must be those of the AsyncOS API (often 6443), not of the web interface.";

impl Product {
    /// The path that all requests begin with.
    fn base(self) -> &'static str {
        match self {
            Product::Gateway => "/esa/api/v2.0/",
            Product::Manager => "/sma/api/v2.0/",
        }
    }
}

impl Query {
    /// Adds a parameter. A value goes out in the form that every server takes: a blank as `%20`, and the colons of a time as they are, as
    /// clients in use send them.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Query {
        let encode = |text: &str| -> String {
            url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20").replace("%3A", ":")
        };
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.extend([encode(name).as_str(), "=", encode(value).as_str()]);
        self
    }
}

/// What a call about the configuration says of the device and the level of its cluster.
fn parameters_of(level: &Level) -> Query {
    let query = Query::default().with("device_type", "esa");
    match level {
        Level::Standalone => query,
        Level::Cluster => query.with("mode", "cluster"),
        Level::Group(name) => query.with("mode", "group").with("group_name", name),
        Level::Machine(name) => query.with("mode", "machine").with("host_name", name),
    }
}

/// Says where a request goes on that was answered by a redirect; an error if the account would leave the host.
fn redirected(from: &Url, location: &str) -> Result<Url, Error> {
    let target = from.join(location).ok().filter(|_| !location.is_empty());
    let stays = |target: &Url| {
        let same_host = target.host() == from.host() && target.username().is_empty() && target.password().is_none();
        // Over TLS the certificate says whose the other port is; over plain http anybody on this machine could listen there.
        let same_port = target.port_or_known_default() == from.port_or_known_default();
        same_host && (target.scheme() == "https" || (target.scheme() == from.scheme() && is_loopback(target) && same_port))
    };
    match target {
        Some(target) if stays(&target) => Ok(target),
        Some(target) => {
            let (from, to) = (from.origin().ascii_serialization(), target.origin().ascii_serialization());
            Err(Error::new(Kind::Denied, format!("{from} redirects to {to}, and the account is not shown to another host."))
                .hint("If that is the right host, name it in `gateway.api.url`."))
        }
        None => Err(Error::new(Kind::Unexpected, format!("{} redirects to nowhere.", from.origin().ascii_serialization()))
            .hint(CHECK_URL)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_stays_on_the_host() {
        let check = |from: &str, location: &str, wanted: Option<&str>| {
            let found = redirected(&Url::parse(from).unwrap(), location);
            assert_eq!(found.ok().map(String::from).as_deref(), wanted, "{from} -> {location}");
        };
        check("https://esa.example.com:6443/esa/x", "/esa/y", Some("https://esa.example.com:6443/esa/y"));
        check("https://esa.example.com:6443/esa/x", "https://esa.example.com/y", Some("https://esa.example.com/y"));
        check("https://esa.example.com/x", "http://esa.example.com/x", None);
        check("https://esa.example.com/x", "https://esa.example.com.evil.example/x", None);
        check("https://esa.example.com/x", "//evil.example/x", None);
        check("https://esa.example.com/x", "https://u:p@esa.example.com/x", None);
        check("https://esa.example.com/x", "", None);
        check("http://127.0.0.1:8000/x", "/y", Some("http://127.0.0.1:8000/y"));
        check("http://127.0.0.1:8000/x", "http://127.0.0.1:8001/y", None);
    }

    #[test]
    fn the_level_of_the_cluster_goes_with_calls_about_the_configuration() {
        let check = |level: Level, wanted: &str| assert_eq!(parameters_of(&level).0, wanted);
        check(Level::Standalone, "device_type=esa");
        check(Level::Cluster, "device_type=esa&mode=cluster");
        check(Level::Group("Main Group".to_owned()), "device_type=esa&mode=group&group_name=Main%20Group");
        check(Level::Machine("esa1.example.com".to_owned()), "device_type=esa&mode=machine&host_name=esa1.example.com");
    }

    #[test]
    fn a_time_keeps_its_colons_and_nothing_else_escapes_its_parameter() {
        let query = Query::default().with("startDate", "2022-09-20T14:54:00.000Z").with("subject", "a&b=c + d%");
        assert_eq!(query.0, "startDate=2022-09-20T14:54:00.000Z&subject=a%26b%3Dc%20%2B%20d%25");
    }
}
