//! The budgets of a provider process, measured as Terraform starts one: spawn, handshake, mutual TLS with a P-521 client certificate,
//! `GetProviderSchema`, `Shutdown`, exit. Fails when the median is over budget.
//!
//! `cargo bench --bench startup` measures the release build; `cargo bench --profile dist --bench startup` measures what users get, and
//! holds its size as well.
//!
//! A provider in Go that uses the plugin framework answers its schema after 28 ms. The certificate and key in `host/` were made for this bench and
//! are trusted by nothing.

#![expect(clippy::print_stdout, reason = "a bench says what it measured")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use hyper_util::rt::TokioIo;
use mailflow::plugin::wire::host::{Empty, grpc_controller_client::GrpcControllerClient};
use mailflow::plugin::wire::tfplugin6::{get_provider_schema, provider_client::ProviderClient};
use p521::ecdsa::signature::Signer as _;
use p521::pkcs8::DecodePrivateKey as _;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, Signer, SigningKey, SingleCertAndKey};
use rustls::{DigitallySignedStruct, SignatureAlgorithm, SignatureScheme};
use tonic::codegen::http::Uri;
use tonic::transport::{Channel, Endpoint};

const CERTIFICATE: &str = include_str!("host/certificate.pem");
const KEY: &str = include_str!("host/key.pem");
const COOKIE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";
const RUNS: usize = 21;
/// In the profile `dist`, which users get.
const SCHEMA_BUDGET: Duration = Duration::from_millis(10);
/// In the profile `release`, which is built fast: it only has to notice that something is done at the start that need not be.
const FAST_BUILD_SCHEMA_BUDGET: Duration = Duration::from_millis(20);
const EXIT_BUDGET: Duration = Duration::from_millis(20);
/// Most of it are the pages of the file that are read at the start.
const MEMORY_BUDGET_KIB: u64 = 24 * 1024;
/// The same in the profile `dist`.
const SMALL_MEMORY_BUDGET_KIB: u64 = 9 * 1024;
/// Of the file in the profile `dist`, which is stripped; the goal is 12 MB.
const SIZE_BUDGET: u64 = 15_000_000;

/// What is measured, unless `MAILFLOW_BENCH_BINARY` names what users get.
const BINARY: &str = env!("CARGO_BIN_EXE_terraform-provider-mailflow");

/// The host's key: a P-521 key, as Terraform makes one for each plugin that it starts.
#[derive(Debug, Clone)]
struct HostKey(Arc<p521::ecdsa::SigningKey>);

impl SigningKey for HostKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered.contains(&SignatureScheme::ECDSA_NISTP521_SHA512).then(|| Box::new(self.clone()) as Box<dyn Signer>)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

impl Signer for HostKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        let signature: p521::ecdsa::Signature = self.0.sign(message);
        Ok(signature.to_der().as_bytes().to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ECDSA_NISTP521_SHA512
    }
}

/// Trusts the one certificate that the handshake announced.
#[derive(Debug)]
struct Pinned(CertificateDer<'static>, Arc<CryptoProvider>);

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if *end_entity == self.0 {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(rustls::Error::General("another certificate".into()))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.1.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.1.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.1.signature_verification_algorithms.supported_schemes()
    }
}

/// What one process cost.
struct Run {
    handshake: Duration,
    schema: Duration,
    exit: Duration,
    resident_kib: u64,
}

async fn connect(socket: String, server: CertificateDer<'static>, key: HostKey) -> Channel {
    let crypto = Arc::new(ring::default_provider());
    let certificates = CertificateDer::pem_slice_iter(CERTIFICATE.as_bytes()).map(|one| one.expect("a certificate")).collect();
    let mut config = rustls::ClientConfig::builder_with_provider(Arc::clone(&crypto))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Pinned(server, crypto)))
        .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(CertifiedKey::new(certificates, Arc::new(key)))));
    config.alpn_protocols = vec![b"h2".to_vec()];
    let tls = tokio_rustls::TlsConnector::from(Arc::new(config));
    let connector = tower::service_fn(move |_: Uri| {
        let (tls, socket) = (tls.clone(), socket.clone());
        async move {
            let stream = tokio::net::UnixStream::connect(&socket).await?;
            let name = ServerName::try_from("localhost").expect("a name");
            tls.connect(name, stream).await.map(TokioIo::new)
        }
    });
    Endpoint::from_static("http://localhost").connect_with_connector(connector).await.expect("the plugin takes its host")
}

/// Starts one process, asks for its schema, and ends it.
fn measure(binary: &Path, runtime: &tokio::runtime::Runtime, key: &HostKey) -> Run {
    let begun = Instant::now();
    let mut child = Command::new(binary)
        .env("TF_PLUGIN_MAGIC_COOKIE", COOKIE)
        .env("PLUGIN_PROTOCOL_VERSIONS", "5,6")
        .env("PLUGIN_CLIENT_CERT", CERTIFICATE)
        .env_remove("TF_LOG")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().expect("its output")).read_line(&mut line).expect("a line");
    let handshake = begun.elapsed();
    let fields: Vec<&str> = line.trim_end().split('|').collect();
    let [_, "6", "unix", socket, "grpc", certificate] = fields[..] else { panic!("not a handshake: {line}") };
    let server = base64::engine::general_purpose::STANDARD_NO_PAD.decode(certificate).expect("base64");
    let (channel, schema, resources) = runtime.block_on(async {
        let channel = connect(socket.to_owned(), CertificateDer::from(server), key.clone()).await;
        let mut provider = ProviderClient::new(channel.clone()).max_decoding_message_size(64 << 20);
        let answer = provider.get_provider_schema(get_provider_schema::Request {}).await.expect("a schema").into_inner();
        (channel, begun.elapsed(), answer.resource_schemas.len())
    });
    assert!(resources >= 10, "the schema holds the resources");
    let resident_kib = std::fs::read_to_string(format!("/proc/{}/status", child.id()))
        .ok()
        .and_then(|status| {
            status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.trim().parse().ok())
        })
        .unwrap_or_default();
    let ending = Instant::now();
    runtime.block_on(async {
        // The answer may be cut off by the end of the process.
        let _ = GrpcControllerClient::new(channel).shutdown(Empty {}).await;
    });
    child.wait().expect("it ends");
    Run { handshake, schema, exit: ending.elapsed(), resident_kib }
}

fn median<T: Ord + Copy>(values: impl Iterator<Item = T>) -> T {
    let mut sorted: Vec<T> = values.collect();
    sorted.sort();
    sorted[sorted.len() / 2]
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let key = HostKey(Arc::new(p521::ecdsa::SigningKey::from(p521::SecretKey::from_pkcs8_pem(KEY).expect("a key"))));
    let given = std::env::var_os("MAILFLOW_BENCH_BINARY").map(PathBuf::from);
    let binary = given.as_deref().unwrap_or(Path::new(BINARY));
    let runs: Vec<Run> = (0..RUNS).map(|_| measure(binary, &runtime, &key)).collect();
    let handshake = median(runs.iter().map(|run| run.handshake));
    let schema = median(runs.iter().map(|run| run.schema));
    let exit = median(runs.iter().map(|run| run.exit));
    let memory = median(runs.iter().map(|run| run.resident_kib));
    let size = std::fs::metadata(binary).expect("the binary").len();
    let is_small_build = given.is_some() || Path::new(BINARY).parent().is_some_and(|folder| folder.ends_with("dist"));
    let schema_budget = if is_small_build { SCHEMA_BUDGET } else { FAST_BUILD_SCHEMA_BUDGET };
    let memory_budget = if is_small_build { SMALL_MEMORY_BUDGET_KIB } else { MEMORY_BUDGET_KIB };
    let size_budget = if is_small_build { SIZE_BUDGET } else { u64::MAX };
    println!("medians of {RUNS} processes");
    println!("  start to handshake        {handshake:>9.1?}");
    println!("  start to schema answered  {schema:>9.1?}   budget {schema_budget:?}");
    println!("  Shutdown to exit          {exit:>9.1?}   budget {EXIT_BUDGET:?}");
    println!("  resident                  {memory:>7} KiB  budget {memory_budget} KiB");
    println!(
        "  size of the file          {size:>9} B  {}",
        if is_small_build { format!("budget {SIZE_BUDGET} B") } else { String::new() }
    );
    if schema <= schema_budget && exit <= EXIT_BUDGET && memory <= memory_budget && size <= size_budget {
        ExitCode::SUCCESS
    } else {
        eprintln!("over budget");
        ExitCode::FAILURE
    }
}
