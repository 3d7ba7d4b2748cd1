//! The HTTP clients underneath: TLS roots, cookies, and what a failed connection means.

use std::error::Error as _;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::RequestBuilder;
use reqwest::cookie::Jar;
use reqwest::header::HeaderMap;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
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
    outside: OnceLock<Result<Outside, String>>,
    near: OnceLock<Result<reqwest::Client, String>>,
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

/// Sends a request and takes the answer. One of more than `most` bytes is cut off there, and nobody will understand it.
pub async fn fetch(request: RequestBuilder, most: usize) -> Result<Reply, reqwest::Error> {
    let mut response = request.send().await?;
    let mut reply = Reply { status: response.status().as_u16(), headers: response.headers().clone(), body: Vec::new() };
    while let Some(chunk) = response.chunk().await? {
        reply.body.extend_from_slice(&chunk);
        if reply.body.len() > most {
            break;
        }
    }
    Ok(reply)
}

/// The client for everything but plain http to this machine and the metadata service beside it.
struct Outside {
    client: reqwest::Client,
    /// Why no certificate can be checked, if that is so.
    without_roots: Option<String>,
}

impl Connection {
    /// Takes the PEM certificates that are trusted beside the system's roots, and the dotted name of the setting that they come from;
    /// no I/O.
    pub fn new(ca_certificate: Option<&str>, setting: &'static str) -> Result<Connection, Error> {
        let extra_roots = match ca_certificate {
            None => Vec::new(),
            Some(pem) => certificates(pem, setting)?,
        };
        Ok(Connection { setting, extra_roots, cookies: Arc::default(), outside: OnceLock::new(), near: OnceLock::new() })
    }

    /// The client for a URL.
    pub fn client(&self, url: &Url) -> Result<&reqwest::Client, Error> {
        if url.scheme() == "http" && is_near(url) {
            // No proxy and no roots: neither has a say about a plain connection within this machine, or to the metadata service
            // beside it, which no proxy can reach.
            let made = self.near.get_or_init(|| self.build(RootCertStore::empty(), true));
            return made.as_ref().map_err(unbuilt);
        }
        let made = self.outside.get_or_init(|| {
            let (roots, without_roots) = self.roots();
            Ok(Outside { client: self.build(roots, false)?, without_roots })
        });
        let outside = made.as_ref().map_err(unbuilt)?;
        match &outside.without_roots {
            None => Ok(&outside.client),
            Some(why) => Err(Error::new(Kind::Invalid, format!("No certificate authority is known, so {url} cannot be trusted: {why}."))
                .hint(format!("Install the system's CA certificates (the package `ca-certificates`), point SSL_CERT_FILE at them, or give `{}`.", self.setting))),
        }
    }

    /// Says what a failed request means. A failure to connect is one where nothing was sent.
    pub fn failure(&self, url: &Url, failure: &reqwest::Error) -> Error {
        let mut said = Vec::new();
        let mut source = failure.source();
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
        error.hint("Check the network, the proxy variables, and the host that the settings name.").retryable()
    }

    fn roots(&self) -> (RootCertStore, Option<String>) {
        let mut roots = RootCertStore::empty();
        let system = rustls_native_certs::load_native_certs();
        let (usable, _) = roots.add_parsable_certificates(system.certs);
        roots.add_parsable_certificates(self.extra_roots.iter().cloned());
        let without = roots.is_empty().then(|| match system.errors.first() {
            Some(error) => format!("reading the system's roots failed ({error})"),
            None => "the system has no CA certificates".to_owned(),
        });
        tracing::debug!(system = usable, own = self.extra_roots.len(), "read the certificate authorities");
        (roots, without)
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

fn unbuilt(why: &String) -> Error {
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
        let none =
            Outside { client: connection.build(RootCertStore::empty(), false).unwrap(), without_roots: Some("none".to_owned()) };
        assert!(connection.outside.set(Ok(none)).is_ok());
        assert!(connection.client(&Url::parse("http://127.0.0.1:1").unwrap()).is_ok());
        let error = connection.client(&Url::parse("https://outlook.office365.com").unwrap()).unwrap_err();
        assert!(error.to_string().contains("ca-certificates"), "{error}");
    }
}
