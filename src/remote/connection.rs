//! The HTTP clients underneath: TLS roots, cookies, and what a failed connection means.

use std::error::Error as _;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use reqwest::RequestBuilder;
use reqwest::cookie::Jar;
use reqwest::header::HeaderMap;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::time::{Instant, timeout};
use url::{Host, Url};

use super::{Error, Kind};
use crate::value::Path;

/// Connections to the services that one block of settings names. Made on first use: reading the system's roots is I/O.
pub struct Connection {
    /// The setting that more roots come from, as errors name it.
    setting: &'static str,
    extra_roots: Vec<CertificateDer<'static>>,
    /// One jar for both clients. The affinity cookie keeps reads on the server that took the writes.
    cookies: Arc<Jar>,
    /// Whether any of the hosts has answered by now.
    heard: AtomicBool,
    /// How long nothing may come.
    stalled: Duration,
    /// How long an answer may take from its beginning.
    whole: Duration,
    roots: OnceLock<Roots>,
    outside: Mutex<Option<Result<reqwest::Client, String>>>,
    near: Mutex<Option<Result<reqwest::Client, String>>>,
}

/// An answer as it came over the wire.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came, perhaps compressed.
    pub body: Vec<u8>,
}

/// How long nothing may come on a connection, once a request is sent. The service answers its slowest calls in half of that; what stalls longer
/// is a connection that was forgotten on the way.
const STALLED: Duration = Duration::from_secs(90);

/// How long an answer may take from its beginning to its end: one that comes byte by byte never stalls, and never ends.
const WHOLE: Duration = Duration::from_mins(5);

/// A request that got no whole answer.
#[derive(Debug)]
pub enum Unanswered {
    /// The connection failed.
    Failed(reqwest::Error),
    /// For so long nothing came.
    Stalled {
        /// How long.
        limit: Duration,
        /// Whether the beginning of an answer had come.
        begun: bool,
    },
    /// The answer did not end.
    Endless {
        /// Within what time.
        limit: Duration,
    },
}

impl Unanswered {
    /// Whether nothing was sent.
    pub fn is_connect(&self) -> bool {
        matches!(self, Unanswered::Failed(error) if error.is_connect())
    }

    /// Whether the beginning of an answer had come.
    fn is_begun(&self) -> bool {
        match self {
            Unanswered::Failed(error) => error.is_body() || error.is_decode(),
            Unanswered::Stalled { begun, .. } => *begun,
            Unanswered::Endless { .. } => true,
        }
    }
}

/// Whom certificates are checked against.
struct Roots {
    store: RootCertStore,
    /// Why no certificate can be checked, if that is so.
    missing: Option<String>,
}

impl Connection {
    /// Takes the PEM certificates that are trusted beside the system's roots, and the dotted name of the setting that they come from;
    /// no I/O.
    pub fn new(ca_certificate: Option<&str>, setting: &'static str) -> Result<Connection, Error> {
        let extra_roots = match ca_certificate {
            None => Vec::new(),
            Some(pem) => certificates(pem, setting)?,
        };
        Ok(Connection {
            setting,
            extra_roots,
            cookies: Arc::default(),
            heard: AtomicBool::new(false),
            stalled: STALLED,
            whole: WHOLE,
            roots: OnceLock::new(),
            outside: Mutex::default(),
            near: Mutex::default(),
        })
    }

    /// Connections of the same settings with nothing behind them: no open connection, and no cookie that leads back to the same server.
    #[must_use]
    pub fn anew(&self) -> Connection {
        Connection {
            setting: self.setting,
            extra_roots: self.extra_roots.clone(),
            cookies: Arc::default(),
            heard: AtomicBool::new(true),
            stalled: self.stalled,
            whole: self.whole,
            roots: OnceLock::new(),
            outside: Mutex::default(),
            near: Mutex::default(),
        }
    }

    /// The client for a URL.
    pub fn client(&self, url: &Url) -> Result<reqwest::Client, Error> {
        let made = |slot: &Mutex<Option<Result<reqwest::Client, String>>>, make: &dyn Fn() -> Result<reqwest::Client, String>| {
            let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
            slot.get_or_insert_with(make).clone().map_err(|why| unbuilt(&why))
        };
        if url.scheme() == "http" && is_near(url) {
            // No proxy and no roots: neither has a say about a plain connection within this machine, or to the metadata service
            // beside it, which no proxy can reach.
            return made(&self.near, &|| self.build(RootCertStore::empty(), true));
        }
        let roots = self.roots.get_or_init(|| self.read_roots());
        if let Some(why) = &roots.missing {
            return Err(Error::new(Kind::Invalid, format!("No certificate authority is known, so {url} cannot be trusted: {why}."))
                .hint(format!("Install the system's CA certificates (the package `ca-certificates`), point SSL_CERT_FILE at them, or give `{}`.", self.setting)));
        }
        made(&self.outside, &|| self.build(roots.store.clone(), false))
    }

    /// Sends a request and takes the answer. One of more than `most` bytes is cut off there, and nobody will understand it. Where nothing comes for
    /// a while, the connection is given up, and requests that follow go over another one.
    pub async fn fetch(&self, request: RequestBuilder, most: usize) -> Result<Reply, Unanswered> {
        let outcome = self.exchange(request, most).await;
        if matches!(outcome, Err(Unanswered::Stalled { .. } | Unanswered::Endless { .. })) {
            // One HTTP/2 connection carries all requests to a host: only a new client has another. Its cookies are the same.
            for slot in [&self.outside, &self.near] {
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = None;
            }
        }
        outcome
    }

    async fn exchange(&self, request: RequestBuilder, most: usize) -> Result<Reply, Unanswered> {
        let limit = self.stalled;
        let sent = timeout(limit, request.send()).await.map_err(|_| Unanswered::Stalled { limit, begun: false })?;
        let mut response = sent.map_err(Unanswered::Failed)?;
        let mut reply = Reply { status: response.status().as_u16(), headers: response.headers().clone(), body: Vec::new() };
        let (begin, whole) = (Instant::now(), self.whole);
        loop {
            let left = whole.saturating_sub(begin.elapsed());
            let came = timeout(limit.min(left), response.chunk()).await.map_err(|_| {
                if left > limit { Unanswered::Stalled { limit, begun: true } } else { Unanswered::Endless { limit: whole } }
            })?;
            let Some(chunk) = came.map_err(Unanswered::Failed)? else { return Ok(reply) };
            reply.body.extend_from_slice(&chunk);
            if reply.body.len() > most {
                return Ok(reply);
            }
        }
    }

    /// Notes that a host has answered.
    pub fn note_answer(&self) {
        self.heard.store(true, Ordering::Relaxed);
    }

    /// Whether a host has answered by now, as far as it was noted.
    pub fn is_answered(&self) -> bool {
        self.heard.load(Ordering::Relaxed)
    }

    /// Says what a failed request means. A failure to connect is one where nothing was sent.
    pub fn failure(&self, url: &Url, failure: &Unanswered) -> Error {
        let mut said = Vec::new();
        let mut source = match failure {
            Unanswered::Failed(error) => error.source(),
            Unanswered::Stalled { limit, .. } => {
                said.push(format!("nothing came for {} s", limit.as_secs_f64()));
                None
            }
            Unanswered::Endless { limit } => {
                said.push(format!("the answer did not end within {} s", limit.as_secs_f64()));
                None
            }
        };
        while let Some(cause) = source {
            let text = cause.to_string();
            if said.last() != Some(&text) {
                said.push(text);
            }
            source = cause.source();
        }
        let host = url.origin().ascii_serialization();
        let causes = if said.is_empty() { "the connection failed".to_owned() } else { said.join(": ") };
        let error = Error::new(Kind::Unavailable, format!("{host} could not be reached or broke off: {causes}."));
        // How the HTTP client words the answers of a proxy to the request for a tunnel.
        if causes.contains("proxy authorization required") {
            return Error { kind: Kind::Unexpected, ..error }.hint(
                "The proxy that HTTPS_PROXY (or ALL_PROXY) names wants a login of its own. Put it there, as `http://USER:PASSWORD@proxy.example.com:8080`, or name the \
                 host in NO_PROXY. This is no matter of the rights at the service.",
            );
        }
        if causes.contains("tunnel error") {
            return error
                .hint("The proxy that HTTPS_PROXY (or ALL_PROXY) names does not connect to this host. Have it let the host pass, or name the host in NO_PROXY.")
                .retryable()
                .unheard();
        }
        if causes.contains("invalid peer certificate") {
            let setting = self.setting;
            let known = if self.extra_roots.is_empty() {
                "the system's roots".to_owned()
            } else {
                format!("the system's roots and `{setting}`")
            };
            return Error { kind: Kind::Invalid, ..error }.hint(format!(
                "Its certificate is not issued under {known}. If a proxy inspects TLS here, or the host has an authority of its own, give that authority's certificate in `{setting}`."
            ));
        }
        let error = error.hint("Check the network, the proxy variables, and the host that the settings name.").retryable();
        // Without a status there was no answer.
        if failure.is_begun() { error } else { error.unheard() }
    }

    fn read_roots(&self) -> Roots {
        let mut roots = RootCertStore::empty();
        let system = rustls_native_certs::load_native_certs();
        let (usable, _) = roots.add_parsable_certificates(system.certs);
        roots.add_parsable_certificates(self.extra_roots.iter().cloned());
        let without = roots.is_empty().then(|| match system.errors.first() {
            Some(error) => format!("reading the system's roots failed ({error})"),
            None => "the system has no CA certificates".to_owned(),
        });
        tracing::debug!(system = usable, own = self.extra_roots.len(), "read the certificate authorities");
        Roots { store: roots, missing: without }
    }

    fn build(&self, roots: RootCertStore, direct: bool) -> Result<reqwest::Client, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .dns_resolver(super::addresses::Resolver)
            .cookie_provider(Arc::clone(&self.cookies))
            .user_agent(concat!("terraform-provider-mailflow/", env!("CARGO_PKG_VERSION")))
            // A 302 to a POST would become a GET, and the token would go wherever it leads.
            .redirect(reqwest::redirect::Policy::none())
            // Some bodies claim gzip and are not: they are decoded by hand.
            .no_gzip()
            .referer(false)
            .connect_timeout(Duration::from_secs(30))
            .tcp_keepalive(Duration::from_secs(30))
            .http2_keep_alive_interval(Duration::from_secs(30))
            .http2_keep_alive_timeout(Duration::from_secs(30))
            .pool_idle_timeout(Duration::from_mins(1));
        let builder = if direct { builder.no_proxy() } else { builder };
        builder.build().map_err(|error| error.to_string())
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("connection")
    }
}

/// Tells whether plain http to a URL stays on this machine, or on the link to the host that it runs on: nobody else can listen.
pub fn is_near(url: &Url) -> bool {
    is_loopback(url) || matches!(url.host(), Some(Host::Ipv4(address)) if address.is_link_local())
}

/// Tells whether a URL leads to this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

fn unbuilt(why: &str) -> Error {
    Error::new(Kind::Unexpected, format!("The HTTP client could not be made: {why}."))
}

fn certificates(pem: &str, setting: &'static str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let wrong = |why: String| {
        Error::new(Kind::Invalid, format!("`{setting}` {why}."))
            .hint("Give one or more certificates in PEM: -----BEGIN CERTIFICATE----- and so on.")
            .at(Path::dotted(setting))
    };
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| wrong(format!("is not well-formed PEM: {error}")))?;
    if certificates.is_empty() {
        return Err(wrong("holds no certificate".to_owned()));
    }
    let mut store = RootCertStore::empty();
    for certificate in &certificates {
        store.add(certificate.clone()).map_err(|error| wrong(format!("holds a certificate that cannot be a root: {error}")))?;
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTING: &str = "exchange.ca_certificate";

    #[test]
    fn a_certificate_setting_without_a_certificate_is_an_error_on_the_setting() {
        for pem in ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            let error = Connection::new(Some(pem), SETTING).unwrap_err();
            assert_eq!(error.path, Some(Path::dotted(SETTING)), "{pem}");
        }
    }

    #[test]
    fn a_machine_without_roots_still_reaches_its_own_loopback() {
        let connection = Connection::new(None, SETTING).unwrap();
        let none = Roots { store: RootCertStore::empty(), missing: Some("none".to_owned()) };
        assert!(connection.roots.set(none).is_ok());
        assert!(connection.client(&Url::parse("http://127.0.0.1:1").unwrap()).is_ok());
        let error = connection.client(&Url::parse("https://outlook.office365.com").unwrap()).unwrap_err();
        assert!(error.to_string().contains("ca-certificates"), "{error}");
    }

    #[tokio::test]
    async fn rs8_a_connection_that_stalls_is_given_up_and_the_next_attempt_takes_another() {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        tokio::spawn(async move {
            // The first says nothing, the second stops in the middle, the third answers.
            let mut held = Vec::new();
            for answer in
                ["", "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nab", "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nabcd"]
            {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = [0; 1024];
                let _ = stream.read(&mut request).await.unwrap();
                stream.write_all(answer.as_bytes()).await.unwrap();
                held.push(stream);
            }
            std::future::pending::<()>().await;
        });
        let mut connection = Connection::new(None, SETTING).unwrap();
        connection.stalled = Duration::from_millis(200);
        let attempt = || async { connection.fetch(connection.client(&url).unwrap().get(url.clone()), 100).await };
        for begun in [false, true] {
            let failure = attempt().await.unwrap_err();
            assert!(matches!(failure, Unanswered::Stalled { begun: other, .. } if other == begun), "{failure:?}");
            let error = connection.failure(&url, &failure);
            assert_eq!((error.retryable, error.unheard), (true, !begun));
            assert!(error.message.contains("nothing came for 0.2 s"), "{error}");
            // Over HTTP/2 all requests share one connection, so the client goes with it.
            assert!(connection.near.lock().unwrap().is_none());
        }
        assert_eq!(attempt().await.unwrap().body, b"abcd");
    }

    #[tokio::test]
    async fn rs8_an_answer_that_comes_byte_by_byte_and_never_ends_has_a_limit_of_its_own() {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let dripping = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n").await.unwrap();
            while stream.write_all(b" ").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        let mut connection = Connection::new(None, SETTING).unwrap();
        (connection.stalled, connection.whole) = (Duration::from_mins(1), Duration::from_millis(300));
        let begin = Instant::now();
        let failure = connection.fetch(connection.client(&url).unwrap().get(url.clone()), 100_000).await.unwrap_err();
        assert!(matches!(failure, Unanswered::Endless { .. }) && begin.elapsed() < Duration::from_secs(20), "{failure:?}");
        let error = connection.failure(&url, &failure);
        assert!(error.retryable && error.message.contains("did not end within 0.3 s"), "{error}");
        // The connection is given up: the other side can write no more.
        tokio::time::timeout(Duration::from_secs(20), dripping).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn rs8_no_answer_is_read_beyond_its_bound() {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
        });
        let connection = Connection::new(None, SETTING).unwrap();
        let reply = connection.fetch(connection.client(&url).unwrap().get(url.clone()), 100_000).await.unwrap();
        assert!(reply.body.len() > 100_000 && reply.body.len() < 1_000_000, "{}", reply.body.len());
    }
}
