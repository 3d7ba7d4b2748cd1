//! The plugin as a process, and a host's way to it.

use std::future::Future;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::pin::Pin;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use base64::Engine as _;
use hyper_util::rt::TokioIo;
use mailflow::plugin::wire::tfplugin6::provider_client::ProviderClient;
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, SignatureAlgorithm};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme, SupportedProtocolVersion};
use tokio::net::UnixStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint, Uri};

/// Set for the process that is to be the plugin.
pub(crate) const AS_PLUGIN: &str = "MAILFLOW_TEST_PLUGIN";

/// The variable that tells a plugin that a host started it.
pub(crate) const COOKIE: (&str, &str) =
    ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2");

/// A certificate that a client shows, and its key.
pub(crate) struct Identity {
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) pem: String,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    pub(crate) fn new(algorithm: &'static SignatureAlgorithm) -> Identity {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let mut wanted = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        wanted.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = wanted.self_signed(&key).unwrap();
        Identity {
            certificate: certificate.der().clone(),
            pem: certificate.pem(),
            key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        }
    }

    /// The certificate of `self` with the key of another: somebody who only saw the certificate.
    pub(crate) fn with_key_of(&self, other: &Identity) -> Identity {
        Identity { certificate: self.certificate.clone(), pem: self.pem.clone(), key: other.key.clone_key() }
    }
}

/// A command that starts this program as the plugin, as a host would.
pub(crate) fn plugin_command() -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env(AS_PLUGIN, "1").env(COOKIE.0, COOKIE.1).env("PLUGIN_PROTOCOL_VERSIONS", "5,6");
    for name in ["PLUGIN_CLIENT_CERT", "PLUGIN_UNIX_SOCKET_DIR", "PLUGIN_MULTIPLEX_GRPC", "TF_LOG", "TF_LOG_PROVIDER"] {
        command.env_remove(name);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A started plugin.
pub(crate) struct Plugin {
    pub(crate) child: Child,
    pub(crate) line: String,
    stdout: BufReader<ChildStdout>,
}

impl Drop for Plugin {
    fn drop(&mut self) {
        // Most have ended by themselves.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Plugin {
    pub(crate) fn start(mut command: Command) -> Plugin {
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        Plugin { child, line, stdout }
    }

    pub(crate) fn with_client(identity: &Identity) -> Plugin {
        let mut command = plugin_command();
        command.env("PLUGIN_CLIENT_CERT", &identity.pem);
        Plugin::start(command)
    }

    pub(crate) fn fields(&self) -> Vec<&str> {
        self.line.trim_end_matches('\n').split('|').collect()
    }

    pub(crate) fn socket(&self) -> PathBuf {
        PathBuf::from(self.fields()[3])
    }

    /// The certificate of the plugin, as the handshake gives it.
    pub(crate) fn certificate(&self) -> CertificateDer<'static> {
        let der = base64::engine::general_purpose::STANDARD_NO_PAD.decode(self.fields()[5]).unwrap();
        CertificateDer::from(der)
    }

    /// Waits for the end; gives the exit code, and what came on standard output after the handshake and on standard error.
    pub(crate) fn ended(mut self, limit: Duration) -> (Option<i32>, String, String) {
        let start = Instant::now();
        let code = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status.code();
            }
            assert!(start.elapsed() < limit, "the plugin is still there after {limit:?}");
            std::thread::sleep(Duration::from_millis(1));
        };
        let (mut out, mut err) = (String::new(), String::new());
        self.stdout.read_to_string(&mut out).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        (code, out, err)
    }

    /// Makes a connection, as far as the client can see: with TLS 1.3 a refusal comes after the handshake.
    pub(crate) async fn connect(
        &self,
        identity: Option<&Identity>,
        version: &'static SupportedProtocolVersion,
    ) -> io::Result<TlsStream<UnixStream>> {
        connect(self.socket(), settings(self.certificate(), identity, version)).await
    }

    /// A client that proves who it is.
    pub(crate) async fn client(&self, identity: &Identity) -> Client {
        let settings = settings(self.certificate(), Some(identity), &rustls::version::TLS13);
        let connector = Connector { socket: self.socket(), settings };
        let channel = Endpoint::from_static("http://localhost").connect_with_connector(connector).await.unwrap();
        Client { provider: ProviderClient::new(channel.clone()), channel }
    }
}

/// A client of a plugin.
pub(crate) struct Client {
    pub(crate) provider: ProviderClient<Channel>,
    pub(crate) channel: Channel,
}

fn settings(
    server: CertificateDer<'static>,
    identity: Option<&Identity>,
    version: &'static SupportedProtocolVersion,
) -> Arc<ClientConfig> {
    let provider = ring::default_provider();
    let pinned = Pinned { server, algorithms: provider.signature_verification_algorithms };
    let settings = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[version])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(pinned));
    let mut settings = match identity {
        Some(identity) => {
            let chain = vec![identity.certificate.clone()];
            // Certificate and key need not belong together here: a stranger's never do.
            let key = ring::sign::any_supported_type(&identity.key).unwrap();
            let certified = rustls::sign::CertifiedKey::new(chain, key);
            settings.with_client_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(certified)))
        }
        None => settings.with_no_client_auth(),
    };
    settings.alpn_protocols = vec![b"h2".to_vec()];
    Arc::new(settings)
}

async fn connect(socket: PathBuf, settings: Arc<ClientConfig>) -> io::Result<TlsStream<UnixStream>> {
    let stream = UnixStream::connect(socket).await?;
    TlsConnector::from(settings).connect(ServerName::try_from("localhost").unwrap(), stream).await
}

struct Connector {
    socket: PathBuf,
    settings: Arc<ClientConfig>,
}

impl tonic::codegen::Service<Uri> for Connector {
    type Response = TokioIo<TlsStream<UnixStream>>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let connecting = connect(self.socket.clone(), self.settings.clone());
        Box::pin(async move { Ok(TokioIo::new(connecting.await?)) })
    }
}

/// Takes one certificate and no other, as a host does.
#[derive(Debug)]
struct Pinned {
    server: CertificateDer<'static>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if *end_entity == self.server {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(rustls::CertificateError::UnknownIssuer.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
