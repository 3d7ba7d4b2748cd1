//! What `.ci/release` makes: it verifies, installs from a mirror of either kind, and is published to a private registry.
//!
//! The binary in the archive is the one of the tests. The script builds the real one, and `.ci/release VERSION --check` holds that.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use mailflow::tool::sandbox::StandIns;
use mailflow::tool::terraform::platform;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::Release;
use crate::takeover::skips;

const NAME: &str = "terraform-provider-mailflow";
const VERSION: &str = env!("CARGO_PKG_VERSION");
const ADDRESS: &str = "registry.terraform.io/mailflow/mailflow";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[track_caller]
fn must(output: &Output, what: &str) -> String {
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{what} ended with {:?}:\n{text}", output.status.code());
    text
}

/// Whether a file is of this kind.
fn is_a(name: &str, kind: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == kind)
}

/// A release with a key of its own.
struct Made {
    place: tempfile::TempDir,
    key: String,
}

impl Made {
    fn new() -> Made {
        let place = tempfile::tempdir().expect("a folder");
        let keys = place.path().join("keys");
        fs::create_dir(&keys).expect("a folder");
        fs::set_permissions(&keys, std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("it is private");
        let mut made = Made { place, key: String::new() };
        made.make_key("Throwaway <throwaway@example.com>", "rsa2048");
        made.key = made.fingerprint("throwaway@example.com");
        // The symbols of a binary for tests are many times its size.
        let binary = made.path("provider");
        let stripped =
            Command::new("strip").arg("-o").arg(&binary).arg(env!("CARGO_BIN_EXE_terraform-provider-mailflow")).output();
        must(&stripped.expect("strip is there"), "strip");
        made
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn gpg(&self, arguments: &[&str]) -> Output {
        let mut gpg = Command::new("gpg");
        gpg.env("GNUPGHOME", self.path("keys")).args(["--batch", "--quiet", "--pinentry-mode", "loopback"]).args(arguments);
        gpg.output().expect("gpg is there")
    }

    fn make_key(&self, owner: &str, kind: &str) {
        must(&self.gpg(&["--passphrase", "", "--quick-generate-key", owner, kind, "sign", "never"]), "a key");
    }

    fn fingerprint(&self, owner: &str) -> String {
        let listed = must(&self.gpg(&["--with-colons", "--list-keys", owner]), "the key");
        let line = listed.lines().find(|line| line.starts_with("fpr:")).expect("a fingerprint");
        line.split(':').nth(9).expect("a fingerprint").to_owned()
    }

    /// Runs the script for the binary of the tests.
    fn release(&self, out: &str, key: &str) -> Output {
        let mut script = Command::new(root().join(".ci/release"));
        let binary = format!("{}={}", platform(), self.path("provider").display());
        script.args([VERSION, "--level", "1", "--binary", &binary, "--out"]).arg(self.path(out));
        script.env("GNUPGHOME", self.path("keys")).env("MAILFLOW_SIGNING_KEY", key).output().expect("the script runs")
    }

    fn file(&self, out: &str, tail: &str) -> PathBuf {
        self.path(out).join(format!("{NAME}_{VERSION}_{tail}"))
    }

    fn archive(&self) -> PathBuf {
        self.file("dist", &format!("{}.zip", platform()))
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        // Its agent would outlive the folder of the keys.
        let _ = Command::new("gpgconf").env("GNUPGHOME", self.path("keys")).args(["--kill", "all"]).status();
    }
}

/// The members of an archive: name, Unix mode, time.
fn members(archive: &Path) -> Vec<(String, u64, String)> {
    let script = "import sys, zipfile, json\nprint(json.dumps([(e.filename, e.external_attr >> 16 & 0o777, str(e.date_time)) for e in zipfile.ZipFile(sys.argv[1]).infolist()]))";
    let output = Command::new("python3").args(["-c", script]).arg(archive).output().expect("python3 is there");
    serde_json::from_str(&must(&output, "the archive")).expect("JSON")
}

/// Runs Terraform in an empty home with these settings.
struct Home<'a> {
    place: &'a Path,
    program: PathBuf,
    environment: Vec<(&'static str, String)>,
}

impl Home<'_> {
    async fn run(&self, arguments: &[&str]) -> String {
        let mut command = tokio::process::Command::new(&self.program);
        command.args(arguments).current_dir(self.place.join("guide")).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.place).env("CHECKPOINT_DISABLE", "1");
        command.env("TF_CLI_CONFIG_FILE", self.place.join("cli.tfrc")).env("TF_VAR_relay_secret", "Release2Secret");
        command.envs(self.environment.iter().map(|(name, value)| (name, value))).kill_on_drop(true);
        must(&command.output().await.expect("terraform runs"), &format!("terraform {arguments:?}"))
    }
}

/// The guide in an empty home, for stand-ins that the environment names, with providers from one mirror only.
fn home<'a>(place: &'a Path, release: Release, stand_ins: &StandIns, mirror: &str) -> Home<'a> {
    let guide = place.join("guide");
    fs::create_dir_all(&guide).expect("a folder");
    for entry in fs::read_dir(root().join("examples/guide")).expect("the guide") {
        let from = entry.expect("an entry").path();
        if from.is_file() {
            fs::copy(&from, guide.join(from.file_name().expect("a name"))).expect("copied");
        }
    }
    let values = json!({
        "domain": "example.com",
        "mx_moved": false,
        "gateway_inbound_addresses": ["203.0.113.10"],
        "gateway_outbound_hosts": ["203.0.113.20"],
        "test_recipient": "postmaster@example.net",
    });
    fs::write(guide.join("terraform.tfvars.json"), values.to_string()).expect("written");
    fs::write(place.join("cli.tfrc"), format!("provider_installation {{\n{mirror}\n}}\n")).expect("written");
    Home { place, program: release.program(), environment: stand_ins.environment() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_verifies_is_reproducible_and_installs_from_both_kinds_of_mirror() {
    let made = Made::new();
    must(&made.release("dist", &made.key), ".ci/release");
    // The same input gives the same bytes; a signature has a time of its own.
    must(&made.release("again", &made.key), ".ci/release again");
    let names = |out: &str| -> Vec<String> {
        let entries = fs::read_dir(made.path(out)).expect("a folder");
        let mut names: Vec<_> = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("text")).collect();
        names.sort();
        names
    };
    assert_eq!(names("dist"), names("again"));
    for name in names("dist").iter().filter(|name| !is_a(name, "sig")) {
        let read = |out: &str| fs::read(made.path(out).join(name)).expect("a file");
        assert!(read("dist") == read("again"), "{name} differs");
    }

    let sums = made.file("dist", "SHA256SUMS");
    let signature = made.file("dist", "SHA256SUMS.sig");
    must(&made.gpg(&["--verify", signature.to_str().expect("text"), sums.to_str().expect("text")]), "the signature");
    assert!(!fs::read(&signature).expect("a signature").starts_with(b"-----"), "the signature is binary");
    let listed = fs::read_to_string(&sums).expect("sums");
    let listed: Vec<&str> = listed.lines().map(|line| line.split_once("  ").expect("two columns").1).collect();
    let archive = made.archive();
    let wanted =
        [archive.file_name().expect("a name").to_str().expect("text").to_owned(), format!("{NAME}_{VERSION}_manifest.json")];
    assert_eq!(listed, wanted);
    let manifest: Json =
        serde_json::from_slice(&fs::read(made.file("dist", "manifest.json")).expect("a manifest")).expect("JSON");
    assert_eq!(manifest, json!({ "version": 1, "metadata": { "protocol_versions": ["6.0"] } }));
    let inside = members(&archive);
    let modes: BTreeMap<&str, u64> = inside.iter().map(|(name, mode, _)| (name.as_str(), *mode)).collect();
    assert_eq!(modes[format!("{NAME}_v{VERSION}").as_str()], 0o755);
    assert_eq!((modes["LICENSE"], modes["THIRD-PARTY-LICENSES.txt"], modes.len()), (0o644, 0o644, 3));

    let bill: Json = serde_json::from_slice(&fs::read(made.file("dist", "sbom.cdx.json")).expect("a bill")).expect("JSON");
    let parts: Vec<&str> =
        bill["components"].as_array().expect("parts").iter().filter_map(|part| part["name"].as_str()).collect();
    assert!(parts.contains(&"rustls") && parts.contains(&"russh") && !parts.contains(&"proptest"), "{parts:?}");
    let notices = fs::read_to_string(made.file("dist", "THIRD-PARTY-LICENSES.txt")).expect("licences");
    for part in &parts {
        assert!(notices.contains(&format!("{part} ")), "the licence of {part} is not there");
    }

    // A key of another kind, which registries refuse, is refused here.
    made.make_key("Curve <curve@example.com>", "ed25519");
    let refused = made.release("curve", &made.fingerprint("curve@example.com"));
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("no RSA key"));

    let packed = made.path("packed");
    fs::create_dir_all(packed.join(ADDRESS)).expect("a folder");
    fs::copy(&archive, packed.join(ADDRESS).join(archive.file_name().expect("a name"))).expect("copied");
    let files = network_files(&archive);
    let web = Web::start(files).await;
    for release in Release::BOTH {
        if release == Release::Newest && skips() {
            continue;
        }
        let stand_ins = StandIns::start().expect("the stand-ins start");
        let place = made.path(&format!("home-{release}"));
        let mirror = format!("filesystem_mirror {{\n  path = {:?}\n}}", packed.display().to_string());
        let first = home(&place, release, &stand_ins, &mirror);
        first.run(&["init", "-no-color"]).await;
        let applied = first.run(&["apply", "-auto-approve", "-no-color"]).await;
        assert!(applied.contains("11 added, 0 changed, 0 destroyed"), "{applied}");

        let place = made.path(&format!("net-{release}"));
        let mut second =
            home(&place, release, &stand_ins, &format!("network_mirror {{\n  url = \"https://localhost:{}/\"\n}}", web.port));
        fs::write(place.join("ca.pem"), &web.authority).expect("written");
        second.environment.push(("SSL_CERT_FILE", place.join("ca.pem").display().to_string()));
        second.run(&["init", "-no-color"]).await;
        // The state of the first: with the same provider there is nothing to do.
        fs::copy(made.path(&format!("home-{release}/guide/terraform.tfstate")), place.join("guide/terraform.tfstate"))
            .expect("copied");
        second.run(&["plan", "-no-color", "-detailed-exitcode"]).await;
    }
    assert!(web.asked().iter().any(|path| is_a(path, "zip")), "{:?}", web.asked());
}

/// The files of a network mirror, by path.
fn network_files(archive: &Path) -> BTreeMap<String, Vec<u8>> {
    let name = archive.file_name().and_then(|name| name.to_str()).expect("a name");
    let index = json!({ "versions": { VERSION: {} } });
    let version = json!({ "archives": { platform(): { "url": name } } });
    BTreeMap::from([
        (format!("/{ADDRESS}/index.json"), index.to_string().into_bytes()),
        (format!("/{ADDRESS}/{VERSION}.json"), version.to_string().into_bytes()),
        (format!("/{ADDRESS}/{name}"), fs::read(archive).expect("the archive")),
    ])
}

/// Static files over https on loopback.
struct Web {
    port: u16,
    /// The authority of its certificate, PEM.
    authority: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Web {
    async fn start(files: BTreeMap<String, Vec<u8>>) -> Web {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let settings = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("a server");
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(settings));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let (heard, files) = (Arc::clone(&asked), Arc::new(files));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, heard, files) = (acceptor.clone(), Arc::clone(&heard), Arc::clone(&files));
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let mut request = Vec::new();
                    let mut buffer = [0; 4096];
                    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                        match stream.read(&mut buffer).await {
                            Ok(count) if count > 0 => request.extend_from_slice(&buffer[..count]),
                            _ => return,
                        }
                    }
                    let line = String::from_utf8_lossy(&request).into_owned();
                    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
                    let kind = if is_a(&path, "json") { "application/json" } else { "application/zip" };
                    let (code, content) =
                        files.get(&path).map_or(("404 Not Found", [].as_slice()), |content| ("200 OK", content.as_slice()));
                    heard.lock().expect("the list").push(path);
                    let reply = format!(
                        "HTTP/1.1 {code}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                        content.len()
                    );
                    // A client that has gone away needs no answer.
                    let _ = stream.write_all(reply.as_bytes()).await;
                    let _ = stream.write_all(content).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        Web { port, authority: made.cert.pem(), asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("the list").clone()
    }
}

/// The API of a private registry, as far as publishing needs it.
#[derive(Default)]
struct Registry {
    origin: String,
    provider: bool,
    keys: Vec<String>,
    version: Option<Json>,
    platforms: BTreeMap<String, Json>,
    uploads: BTreeMap<String, Vec<u8>>,
    writes: usize,
    wrong: Vec<String>,
}

const TOKEN: &str = "owners-team-token-of-the-test";

async fn registry(
    State(shared): State<Arc<Mutex<Registry>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut registry = shared.lock().expect("the registry");
    let path = uri.path().to_owned();
    let authorization = headers.get("authorization").and_then(|value| value.to_str().ok());
    if method != Method::GET {
        registry.writes += 1;
    }
    if let Some(name) = path.strip_prefix("/archivist/") {
        if method != Method::PUT || authorization.is_some() {
            registry.wrong.push(format!("{method} {path} with the token: {}", authorization.is_some()));
        }
        registry.uploads.insert(name.to_owned(), body.to_vec());
        return StatusCode::OK.into_response();
    }
    let refuse =
        |status: StatusCode, detail: &str| (status, json!({ "errors": [{ "detail": detail }] }).to_string()).into_response();
    if authorization != Some(&format!("Bearer {TOKEN}")) {
        return refuse(StatusCode::UNAUTHORIZED, "unauthorized");
    }
    if method == Method::POST && headers.get("content-type").is_none_or(|kind| kind != "application/vnd.api+json") {
        return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content type");
    }
    let sent: Json = serde_json::from_slice(&body).unwrap_or_default();
    let (kind, attributes) = (sent["data"]["type"].as_str().unwrap_or_default(), sent["data"]["attributes"].clone());
    let ok = |data: Json| (StatusCode::CREATED, json!({ "data": data }).to_string()).into_response();
    let provider = "/api/v2/organizations/acme/registry-providers/private/acme/mailflow";
    let upload = |registry: &Registry, name: &str| format!("{}/archivist/{name}", registry.origin);
    let missing = || refuse(StatusCode::NOT_FOUND, "not found");
    match (method.as_str(), path.as_str(), kind) {
        ("GET", path, _) if path == provider => {
            if registry.provider {
                ok(json!({}))
            } else {
                missing()
            }
        }
        ("POST", "/api/v2/organizations/acme/registry-providers", "registry-providers") => {
            registry.provider = attributes == json!({ "name": "mailflow", "namespace": "acme", "registry-name": "private" });
            ok(json!({}))
        }
        ("GET", "/api/registry/private/v2/gpg-keys", _) => {
            let keys =
                registry.keys.iter().map(|key| json!({ "attributes": { "ascii-armor": key, "key-id": "51852D87348FFC4C" } }));
            (StatusCode::OK, json!({ "data": keys.collect::<Vec<_>>() }).to_string()).into_response()
        }
        ("POST", "/api/registry/private/v2/gpg-keys", "gpg-keys") if attributes["namespace"] == "acme" => {
            registry.keys.push(attributes["ascii-armor"].as_str().unwrap_or_default().to_owned());
            ok(json!({ "attributes": { "key-id": "51852D87348FFC4C" } }))
        }
        ("GET", path, _) if path == format!("{provider}/versions/{VERSION}") => {
            let is_there = |name: &str| registry.uploads.contains_key(name);
            match &registry.version {
                None => missing(),
                Some(_) => {
                    ok(json!({ "attributes": { "shasums-uploaded": is_there("sums"), "shasums-sig-uploaded": is_there("sig") } }))
                }
            }
        }
        ("POST", path, "registry-provider-versions") if path == format!("{provider}/versions") => {
            if attributes["key-id"] != "51852D87348FFC4C"
                || attributes["protocols"] != json!(["6.0"])
                || attributes["version"] != VERSION
            {
                return refuse(StatusCode::UNPROCESSABLE_ENTITY, "malformed version");
            }
            registry.version = Some(attributes);
            let links = json!({ "shasums-upload": upload(&registry, "sums"), "shasums-sig-upload": upload(&registry, "sig") });
            ok(json!({ "attributes": {}, "links": links }))
        }
        ("GET", path, _) if path.starts_with(&format!("{provider}/versions/{VERSION}/platforms/")) => {
            let key = path.rsplit('/').take(2).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("_");
            match registry.platforms.get(&key) {
                None => missing(),
                Some(found) => ok(
                    json!({ "attributes": { "shasum": found["shasum"], "provider-binary-uploaded": registry.uploads.contains_key(&key) } }),
                ),
            }
        }
        ("POST", path, "registry-provider-version-platforms") if path == format!("{provider}/versions/{VERSION}/platforms") => {
            let text = |name: &str| attributes[name].as_str().unwrap_or_default().to_owned();
            let key = format!("{}_{}", text("os"), text("arch"));
            let link = upload(&registry, &key);
            registry.platforms.insert(key, attributes);
            ok(json!({ "attributes": {}, "links": { "provider-binary-upload": link } }))
        }
        _ => {
            registry.wrong.push(format!("{method} {path} {kind}"));
            missing()
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_is_published_to_a_private_registry_once() {
    let made = Made::new();
    must(&made.release("dist", &made.key), ".ci/release");
    let armored = must(&made.gpg(&["--armor", "--export", &made.key]), "the public key");
    fs::write(made.path("key.asc"), &armored).expect("written");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    let shared = Arc::new(Mutex::new(Registry { origin: origin.clone(), ..Registry::default() }));
    let router =
        Router::new().fallback(registry).layer(axum::extract::DefaultBodyLimit::disable()).with_state(Arc::clone(&shared));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let publish = |token: &str, address: &str| {
        let mut script = tokio::process::Command::new(root().join(".ci/publish-hcp"));
        script.args(["acme", VERSION]).arg(made.path("dist")).env("TFE_TOKEN", token).env("TFE_ADDRESS", address);
        script.env("MAILFLOW_SIGNING_KEY_FILE", made.path("key.asc"));
        script
    };
    let refused = publish("wrong-token-of-the-test", &origin).output().await.expect("it runs");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("401") && said.contains("TFE_TOKEN"), "{said}");
    assert!(!said.contains("wrong-token-of-the-test"), "{said}");
    // A token is not sent in clear.
    let clear = publish(TOKEN, "http://registry.example.com").output().await.expect("it runs");
    assert!(String::from_utf8_lossy(&clear.stderr).contains("must be https"));

    must(&publish(TOKEN, &origin).output().await.expect("it runs"), "publish-hcp");
    let writes = {
        let registry = shared.lock().expect("the registry");
        assert!(registry.wrong.is_empty(), "{:?}", registry.wrong);
        assert!(registry.provider && registry.keys == [armored]);
        let archive = fs::read(made.archive()).expect("an archive");
        assert!(registry.uploads[&platform()] == archive);
        assert!(registry.uploads["sums"] == fs::read(made.file("dist", "SHA256SUMS")).expect("sums"));
        assert!(registry.uploads["sig"] == fs::read(made.file("dist", "SHA256SUMS.sig")).expect("a signature"));
        registry.writes
    };
    must(&publish(TOKEN, &origin).output().await.expect("it runs"), "publish-hcp once more");
    assert_eq!(shared.lock().expect("the registry").writes, writes, "what is published is left as it is");
    // Another content under the same version is refused before anything is sent.
    fs::write(made.archive(), b"something else").expect("written");
    let other = publish(TOKEN, &origin).output().await.expect("it runs");
    assert!(!other.status.success() && String::from_utf8_lossy(&other.stderr).contains("is not the file"));
}
