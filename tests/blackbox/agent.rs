//! Runs as an agent of HCP Terraform does them: no home, no terminal, a provider folder that nothing may write to, a temporary folder of
//! their own, plan and apply on different machines, and a workload identity token that the token endpoint verifies.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json as Body, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mailflow::sandbox::{exchange, gateway};
use mailflow::tool::sandbox::StandIns;
use mailflow::tool::terraform::platform;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey};
use serde_json::{Value as Json, json};

/// What the stand-in takes once the endpoint before it has verified the token.
const EXCHANGED: &str = "assertion-that-was-verified-before";
const ISSUER: &str = "https://app.terraform.io";
const AUDIENCE: &str = "api://AzureADTokenExchange";
const WORKSPACE: &str = "organization:acme:project:mail:workspace:gateway:run_phase:";

/// The issuer of tokens, and the endpoint that verifies them and asks the stand-in.
struct Identity {
    key: RsaKeyPair,
    stand_in: String,
    /// The subjects of the tokens that were taken.
    taken: Mutex<Vec<String>>,
}

impl Identity {
    fn new(stand_in: String) -> Identity {
        let arguments = ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
        let made = Command::new("openssl").args(arguments).output().expect("openssl is there");
        let key = pem::parse(made.stdout).expect("PEM");
        let key = RsaKeyPair::from_pkcs8(key.contents()).expect("a key");
        Identity { key, stand_in, taken: Mutex::default() }
    }

    /// A token as HCP Terraform makes it for a phase of a run.
    fn token(&self, phase: &str, audience: &str) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_secs();
        let claims = json!({
            "iss": ISSUER, "aud": audience, "sub": format!("{WORKSPACE}{phase}"), "iat": now, "nbf": now, "exp": now + 600,
        });
        let part = |value: &Json| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&json!({ "alg": "RS256", "typ": "JWT", "kid": "1" })), part(&claims));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).expect("signed");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// The subject of a token, if everything about it is right.
    fn verified(&self, token: &str) -> Result<String, String> {
        let (signed, signature) = token.rsplit_once('.').ok_or("no token")?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|error| error.to_string())?;
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.key.public().as_ref());
        key.verify(signed.as_bytes(), &signature).map_err(|_| "AADSTS50027: the signature is wrong")?;
        let claims = signed.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok()).ok_or("no claims")?;
        let claims: Json = serde_json::from_slice(&claims).map_err(|error| error.to_string())?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_secs();
        if claims["iss"] != ISSUER || claims["aud"] != AUDIENCE || claims["exp"].as_u64().is_none_or(|end| end <= now) {
            return Err("AADSTS700213: no matching federated identity record was found".to_owned());
        }
        Ok(claims["sub"].as_str().unwrap_or_default().to_owned())
    }
}

async fn exchange_token(State(identity): State<Arc<Identity>>, Form(mut form): Form<BTreeMap<String, String>>) -> Response {
    let assertion = form.get("client_assertion").cloned().unwrap_or_default();
    match identity.verified(&assertion) {
        Err(problem) => {
            (StatusCode::UNAUTHORIZED, Body(json!({ "error": "invalid_client", "error_description": problem }))).into_response()
        }
        Ok(subject) => {
            identity.taken.lock().expect("the list").push(subject);
            form.insert("client_assertion".to_owned(), EXCHANGED.to_owned());
            let url = format!("{}/contoso.onmicrosoft.com/oauth2/v2.0/token", identity.stand_in);
            // Another test may have chosen it already.
            let _ = rustls::crypto::ring::default_provider().install_default();
            let answer = reqwest::Client::builder().no_proxy().build().expect("a client").post(url).form(&form).send();
            let answer = answer.await.expect("the stand-in answers");
            let status = StatusCode::from_u16(answer.status().as_u16()).expect("a status");
            (status, Body(answer.json::<Json>().await.expect("JSON"))).into_response()
        }
    }
}

/// What all runs share: services, the issuer, and the folder with the provider.
struct Agent {
    stand_ins: StandIns,
    identity: Arc<Identity>,
    login_url: String,
    place: tempfile::TempDir,
}

impl Agent {
    async fn start() -> Agent {
        let options = exchange::Options { federated_token: Some(EXCHANGED.to_owned().into()), ..exchange::Options::default() };
        let stand_ins = StandIns::with(options, gateway::Options::default()).expect("the stand-ins start");
        let identity = Arc::new(Identity::new(stand_ins.exchange.url()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let login_url = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().route("/{tenant}/oauth2/v2.0/token", post(exchange_token)).with_state(Arc::clone(&identity));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let place = tempfile::tempdir().expect("a folder");
        let version = env!("CARGO_PKG_VERSION");
        let folder = place.path().join(format!("plugins/registry.terraform.io/mailflow/mailflow/{version}/{}", platform()));
        fs::create_dir_all(&folder).expect("a folder");
        let binary = folder.join(format!("terraform-provider-mailflow_v{version}"));
        fs::write(&binary, format!("#!/bin/sh\nexec '{}' \"$@\"\n", env!("CARGO_BIN_EXE_terraform-provider-mailflow")))
            .expect("written");
        for (path, mode) in [(&binary, 0o555), (&folder, 0o555)] {
            fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).expect("read only");
        }
        let settings = format!(
            "provider_installation {{\n  filesystem_mirror {{\n    path = {:?}\n  }}\n}}\n",
            place.path().join("plugins").display().to_string()
        );
        fs::write(place.path().join("cli.tfrc"), settings).expect("written");
        Agent { stand_ins, identity, login_url, place }
    }

    /// A fresh machine for one phase of a run: the configuration, and what the phase before left.
    fn machine(&self, name: &str, configuration: &str, state: &[(&str, Vec<u8>)]) -> Machine<'_> {
        let folder = self.place.path().join(name);
        fs::create_dir_all(folder.join("work")).expect("a folder");
        fs::create_dir_all(folder.join("tmp")).expect("a folder");
        fs::write(folder.join("work/main.tf"), configuration).expect("written");
        for (file, content) in state {
            fs::write(folder.join("work").join(file), content).expect("written");
        }
        Machine { agent: self, folder }
    }
}

/// A machine that lives for one phase.
struct Machine<'a> {
    agent: &'a Agent,
    folder: PathBuf,
}

impl Machine<'_> {
    async fn run(&self, token: &str, arguments: &[&str]) -> Output {
        let gateway = &self.agent.stand_ins.gateway;
        let mut command = tokio::process::Command::new("terraform");
        command.args(arguments).current_dir(self.folder.join("work")).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("TMPDIR", self.folder.join("tmp"));
        command.env("TF_CLI_CONFIG_FILE", self.agent.place.path().join("cli.tfrc"));
        command.env("TF_IN_AUTOMATION", "true").env("TF_INPUT", "false").env("CHECKPOINT_DISABLE", "1");
        command.env("TFC_RUN_ID", "run-CZcmD7eagjhyX0vN").env("TFC_WORKSPACE_SLUG", "acme/gateway");
        command.env("TFC_WORKLOAD_IDENTITY_TOKEN", token);
        for (name, value) in self.agent.stand_ins.environment() {
            if name != "ARM_CLIENT_SECRET" && name != "MAILFLOW_LOGIN_URL" {
                command.env(name, value);
            }
        }
        command.env("MAILFLOW_LOGIN_URL", &self.agent.login_url).env("MAILFLOW_GATEWAY_HOST", "127.0.0.1");
        command.env("MAILFLOW_GATEWAY_PORT", gateway.port().to_string());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command.output().await.expect("terraform runs")
    }

    async fn must(&self, token: &str, arguments: &[&str]) -> String {
        let output = self.run(token, arguments).await;
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?} ended with {:?}\n{text}", output.status.code());
        assert!(!text.contains(token) && !text.contains('\u{1b}'), "a token or colours: {text}");
        text
    }

    fn file(&self, name: &str) -> Vec<u8> {
        fs::read(self.folder.join("work").join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }
}

const HEAD: &str = "terraform {\n  required_providers {\n    mailflow = { source = \"mailflow/mailflow\" }\n  }\n}\n\nprovider \"mailflow\" {\n  exchange {}\n  gateway {}\n}\n\n";

/// One object at each side, and some more at the gateway.
fn configuration(run: &str, count: usize) -> String {
    format!(
        "{HEAD}resource \"mailflow_exchange_outbound_connector\" \"this\" {{
  name           = \"To {run}\"
  connector_type = \"Partner\"
  use_mx_record  = true
}}

resource \"mailflow_gateway_smtp_route\" \"this\" {{
  count  = {count}
  domain = \"${{count.index}}.{run}.example\"
  destination {{
    host = \"mx.{run}.example\"
  }}
}}
"
    )
}

/// What stands below a folder.
fn listing(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            found.push(path.clone());
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Plan on one machine, apply on another; gives the state.
async fn whole_run(agent: &Agent, run: &str, count: usize) -> Json {
    let configuration = configuration(run, count);
    let (plans, applies) = (agent.identity.token("plan", AUDIENCE), agent.identity.token("apply", AUDIENCE));
    let planning = agent.machine(&format!("{run}-plan"), &configuration, &[]);
    planning.must(&plans, &["init", "-input=false", "-no-color"]).await;
    planning.must(&plans, &["plan", "-input=false", "-no-color", "-out=plan.bin"]).await;
    let kept = [("plan.bin", planning.file("plan.bin")), (".terraform.lock.hcl", planning.file(".terraform.lock.hcl"))];
    fs::remove_dir_all(&planning.folder).expect("the machine is gone");
    let applying = agent.machine(&format!("{run}-apply"), &configuration, &kept);
    applying.must(&applies, &["init", "-input=false", "-no-color"]).await;
    applying.must(&applies, &["apply", "-input=false", "-no-color", "plan.bin"]).await;
    applying.must(&applies, &["plan", "-input=false", "-no-color", "-detailed-exitcode"]).await;
    serde_json::from_slice(&applying.file("terraform.tfstate")).expect("a state")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plan_and_apply_run_as_an_agent_runs_them() {
    let agent = Agent::start().await;
    let plugins = agent.place.path().join("plugins");
    let before = listing(&plugins);
    whole_run(&agent, "agent", 3).await;
    assert_eq!(listing(&plugins), before, "nothing is written beside the provider");
    assert_eq!(agent.stand_ins.gateway.configuration().smtp_routes.len(), 3);
    assert!(agent.stand_ins.exchange.object("OutboundConnector", "To agent").is_some());
    let received = agent.identity.taken.lock().expect("the list").clone();
    assert_eq!(received.first().map(String::as_str), Some(format!("{WORKSPACE}plan").as_str()));
    assert_eq!(received.last().map(String::as_str), Some(format!("{WORKSPACE}apply").as_str()));

    // A token for somebody else is refused, and the words say what to look at.
    let machine = agent.machine("refused", &configuration("refused", 1), &[]);
    let token = agent.identity.token("plan", "api://SomebodyElse");
    machine.must(&token, &["init", "-input=false", "-no-color"]).await;
    let output = machine.run(&token, &["plan", "-input=false", "-no-color"]).await;
    let said = String::from_utf8_lossy(&output.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(!output.status.success() && said.contains("AADSTS700213") && !said.contains(&token), "{said}");
    assert_eq!(said.matches("Error:").count(), 1, "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rs10_two_agents_on_one_gateway_without_a_common_lock_end_well() {
    let agent = Agent::start().await;
    let (first, second) = tokio::join!(whole_run(&agent, "one", 6), whole_run(&agent, "two", 6));
    for state in [first, second] {
        let count: usize = state["resources"]
            .as_array()
            .expect("resources")
            .iter()
            .map(|one| one["instances"].as_array().map_or(0, Vec::len))
            .sum();
        assert_eq!(count, 7, "{state}");
    }
    let routes = agent.stand_ins.gateway.configuration().smtp_routes;
    assert_eq!(routes.len(), 12, "{routes:?}");
    assert!(!agent.stand_ins.gateway.pending(), "nothing is left uncommitted");
}
