//! Connections of the API: plain, or TLS with a certificate that is made at the start.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri};
use axum::serve::Listener;
use futures::stream::{self, StreamExt as _};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use super::{Reply, Request, answer};
use crate::sandbox::gateway::state::Shared;

/// Is where connections come in.
pub(in crate::sandbox::gateway) struct Gate {
    acceptor: Option<TlsAcceptor>,
    certificate: Option<String>,
}

impl Gate {
    /// Makes the certificate, where TLS is spoken.
    pub(in crate::sandbox::gateway) fn new(tls: bool) -> io::Result<Gate> {
        if !tls {
            return Ok(Gate { acceptor: None, certificate: None });
        }
        // An authority of its own and a certificate under it, as a company has them: no client takes an authority for a host.
        let (authority, key) = (KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256), KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256));
        let (authority, key) = (authority.map_err(io::Error::other)?, key.map_err(io::Error::other)?);
        let mut root = CertificateParams::new(Vec::new()).map_err(io::Error::other)?;
        root.distinguished_name.push(DnType::CommonName, "Sandbox Authority");
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root_certificate = root.self_signed(&authority).map_err(io::Error::other)?;
        let wanted = CertificateParams::new(vec!["127.0.0.1".to_owned(), "localhost".to_owned()]).map_err(io::Error::other)?;
        let certificate = wanted.signed_by(&key, &Issuer::new(root, authority)).map_err(io::Error::other)?;
        let settings = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivatePkcs8KeyDer::from(key.serialize_der()).into())
            .map_err(io::Error::other)?;
        Ok(Gate { acceptor: Some(TlsAcceptor::from(Arc::new(settings))), certificate: Some(root_certificate.pem()) })
    }

    /// Gives the certificate of the authority as PEM.
    pub(in crate::sandbox::gateway) fn certificate(&self) -> Option<String> {
        self.certificate.clone()
    }
}

/// Answers until the token is cancelled.
pub(in crate::sandbox::gateway) async fn serve(listener: TcpListener, gate: Gate, shared: Arc<Shared>, stop: CancellationToken) {
    let router = Router::new().fallback(handle).layer(DefaultBodyLimit::max(8 << 20)).with_state(shared);
    let serve = axum::serve(Door { listener, acceptor: gate.acceptor }, router);
    // Not graceful: an answer that is held back on purpose would hold the end back, too.
    tokio::select! {
        () = stop.cancelled() => {}
        _ = serve => {}
    }
}

async fn handle(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response<Body>, Infallible> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let query = uri.query().unwrap_or_default().to_owned();
    let request = Request {
        method: method.to_string(),
        path: uri.path().to_owned(),
        parameters: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        query,
        token: header("jwtToken"),
        authorization: header(AUTHORIZATION.as_str()),
        content_type: header(CONTENT_TYPE.as_str()),
        body: body.to_vec(),
    };
    let reply = answer(&shared, &request);
    if !reply.delay.is_zero() {
        tokio::time::sleep(reply.delay).await;
    }
    Ok(response(reply))
}

fn response(reply: Reply) -> Response<Body> {
    let whole = reply.body.len();
    let body = match reply.cut {
        None => Body::from(reply.body),
        Some(bytes) => {
            let part = Bytes::copy_from_slice(reply.body.get(..bytes).unwrap_or(&reply.body));
            let end = stream::once(async {
                tokio::task::yield_now().await;
                Err(io::Error::new(io::ErrorKind::ConnectionReset, "cut on purpose"))
            });
            Body::from_stream(stream::once(async { Ok(part) }).chain(end))
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(Ok(location)) = reply.location.map(HeaderValue::try_from) {
        headers.insert(LOCATION, location);
    }
    if reply.cut.is_some() {
        headers.insert(axum::http::header::CONTENT_LENGTH, HeaderValue::from(whole));
    }
    response
}

struct Door {
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
}

/// One connection.
enum Line {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Listener for Door {
    type Io = Line;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Line, SocketAddr) {
        loop {
            let Ok((stream, address)) = self.listener.accept().await else {
                // Out of file handles or the like: others may close theirs.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let Some(acceptor) = &self.acceptor else { return (Line::Plain(stream), address) };
            // A client that does not trust the certificate leaves here; one that says nothing must not block the others.
            if let Ok(Ok(stream)) = tokio::time::timeout(Duration::from_secs(5), acceptor.accept(stream)).await {
                return (Line::Tls(Box::new(stream)), address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl AsyncRead for Line {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Line::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Line::Tls(stream) => Pin::new(stream.as_mut()).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Line {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Line::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Line::Tls(stream) => Pin::new(stream.as_mut()).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Line::Plain(stream) => Pin::new(stream).poll_flush(context),
            Line::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Line::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Line::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(context),
        }
    }
}
