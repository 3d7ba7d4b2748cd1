//! P12: no secret in anything that the provider writes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use mailflow::sandbox::exchange;
use mailflow::sandbox::gateway;
use serde_json::Value as Json;

use super::run::{Runs, world};
use crate::support::{Must as _, Workspace, World};

const FIRST: &str = "FirstRelaySecret11";
const SECOND: &str = "SecondRelaySecret22";
const CLIENT: &str = "ClientSecretOfThisTest33";
const PASSWORD: &str = "GatewayPassphraseOfThisTest44";

/// The forms in which a secret might be written.
fn forms(secret: &str) -> Vec<String> {
    let mut hex = String::new();
    for byte in secret.bytes() {
        write!(hex, "{byte:02x}").expect("a text");
    }
    let reversed: String = secret.chars().rev().collect();
    let list: Vec<String> = secret.bytes().map(|byte| byte.to_string()).collect();
    let mut forms = vec![secret.to_owned(), hex.to_uppercase(), hex, reversed, list.join(" "), list.join(",")];
    // In a longer text, base64 begins at any of three places; the characters at both ends depend on the neighbours.
    for shift in 0..3 {
        let text = format!("{}{secret}", "x".repeat(shift));
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let encoded = engine.encode(&text);
            let (begin, end) = ((shift * 8).div_ceil(6), encoded.len() - 2);
            forms.extend(encoded.get(begin..end).map(str::to_owned));
        }
    }
    forms
}

/// The secrets that bytes hold, in any form.
fn found(bytes: &[u8], secrets: &[&'static str]) -> Vec<(&'static str, String)> {
    let text = String::from_utf8_lossy(bytes);
    let hit =
        |secret: &&'static str| forms(secret).into_iter().find(|form| text.contains(form.as_str())).map(|form| (*secret, form));
    secrets.iter().filter_map(hit).collect()
}

#[track_caller]
fn clean(what: &str, bytes: &[u8]) {
    let hits = found(bytes, &[FIRST, SECOND, CLIENT, PASSWORD]);
    assert!(hits.is_empty(), "{what} holds {hits:?}");
}

/// The files inside a saved plan, which is a ZIP archive. Its directory at the end says where each one begins.
fn unzip(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let number = |at: usize, width: usize| {
        let bytes = archive.get(at..at + width).expect("within the archive");
        bytes.iter().rev().fold(0usize, |number, byte| (number << 8) | usize::from(*byte))
    };
    let end = archive.windows(4).rposition(|four| four == b"PK\x05\x06").expect("a ZIP archive");
    let (count, mut at) = (number(end + 10, 2), number(end + 16, 4));
    let mut files = BTreeMap::new();
    for _ in 0..count {
        let (method, size, name, extra, comment, header) = (
            number(at + 10, 2),
            number(at + 20, 4),
            number(at + 28, 2),
            number(at + 30, 2),
            number(at + 32, 2),
            number(at + 42, 4),
        );
        let title = String::from_utf8_lossy(&archive[at + 46..at + 46 + name]).into_owned();
        let data = header + 30 + number(header + 26, 2) + number(header + 28, 2);
        let packed = &archive[data..data + size];
        let mut plain = Vec::new();
        if method == 8 {
            flate2::read::DeflateDecoder::new(packed).read_to_end(&mut plain).expect("deflated");
        } else {
            plain.extend_from_slice(packed);
        }
        files.insert(title, plain);
        at += 46 + name + extra + comment;
    }
    files
}

/// The secrets come in as ephemeral variables: Terraform then stores none of them in a plan, so that what is found there was put
/// there by the provider.
const CONFIGURATION: &str = r#"
variable "secret" {
  type      = string
  ephemeral = true
}
variable "client_secret" {
  type      = string
  ephemeral = true
}
variable "password" {
  type      = string
  ephemeral = true
}
variable "turn" {
  type = number
}
resource "mailflow_exchange_transport_rule" "outbound" {
  name = "Outbound"
  conditions {
    from_scope = "InOrganization"
  }
  actions {
    set_header_name             = "X-OUTBOUND-AUTH"
    set_header_value_wo         = var.secret
    set_header_value_wo_version = var.turn
  }
}
resource "mailflow_gateway_message_filter" "relay" {
  name              = "relay"
  script_wo         = provider::mailflow::relay_filter_script("RELAYLIST", "X-RELAY-AUTH", [var.secret])
  script_wo_version = var.turn
}
"#;

struct Scene<'w> {
    world: &'w World,
    workspace: Workspace<'w>,
}

impl Scene<'_> {
    /// Plans into a file and applies it, with everything logged; gives what the plan does.
    async fn turn(&self, secret: &str, turn: &str) -> BTreeMap<String, String> {
        let (log, plan) = (self.workspace.folder.join("trace.log"), self.workspace.folder.join("saved.plan"));
        let _ = std::fs::remove_file(&log);
        let path = log.display().to_string();
        let environment = [
            ("TF_LOG", "TRACE"),
            ("TF_LOG_PATH", path.as_str()),
            ("TF_VAR_secret", secret),
            ("TF_VAR_client_secret", CLIENT),
            ("TF_VAR_password", PASSWORD),
            ("TF_VAR_turn", turn),
        ];
        for arguments in [&["plan", "-no-color", "-out=saved.plan"][..], &["apply", "-no-color", "saved.plan"]] {
            let outcome = self.workspace.run_with(arguments, &environment).await.must(arguments[0]);
            clean("stdout", outcome.stdout.as_bytes());
            clean("stderr", outcome.stderr.as_bytes());
        }
        let logged = std::fs::read(&log).expect("a log");
        let text = String::from_utf8_lossy(&logged);
        assert!(text.contains("ran a cmdlet") && text.contains("tf_rpc"), "the provider's own lines are in the log");
        clean("the trace log", &logged);
        for (name, bytes) in unzip(&std::fs::read(&plan).expect("a plan")) {
            clean(&format!("{name} in the plan"), &bytes);
        }
        for name in ["terraform.tfstate", "terraform.tfstate.backup"] {
            clean(name, &std::fs::read(self.workspace.folder.join(name)).unwrap_or_default());
        }
        let shown = self.workspace.run_with(&["show", "-json", "saved.plan"], &environment).await.must("show");
        clean("the shown plan", shown.stdout.as_bytes());
        let shown: Json = serde_json::from_str(&shown.stdout).expect("JSON");
        let changes = shown["resource_changes"].as_array().cloned().unwrap_or_default();
        let action = |change: &Json| {
            (change["address"].to_string(), change["change"]["actions"][0].as_str().unwrap_or_default().to_owned())
        };
        changes.iter().map(action).filter(|(_, action)| action != "no-op").collect()
    }

    /// The secrets that stand on both sides.
    fn stands(&self) -> (Option<String>, bool, bool) {
        let rule = self.world.stand_ins.exchange.object("TransportRule", "Outbound").expect("the rule");
        let filters = self.world.stand_ins.gateway.snapshot()["filters"].to_string();
        (rule["SetHeaderValue"].as_str().map(str::to_owned), filters.contains(FIRST), filters.contains(SECOND))
    }
}

#[tokio::test]
async fn p12_no_secret_is_in_a_log_a_message_a_plan_or_the_state() {
    let world = world(
        exchange::Options { client_secret: CLIENT.to_owned().into(), ..exchange::Options::default() },
        gateway::Options { password: PASSWORD.to_owned(), ..gateway::Options::default() },
    );
    let workspace = world.workspace("secrets").await;
    workspace.set_provider(&format!("{CLIENT:?}"), "var.client_secret");
    workspace.set_provider(&format!("{PASSWORD:?}"), "var.password");
    workspace.write(CONFIGURATION);
    let scene = Scene { world: &world, workspace };

    assert_eq!(scene.turn(FIRST, "1").await.len(), 2, "both are created");
    assert_eq!(scene.stands(), (Some(FIRST.to_owned()), true, false), "the secret was sent");
    assert!(scene.turn(SECOND, "1").await.is_empty(), "another value alone is not seen");
    assert_eq!(scene.stands(), (Some(FIRST.to_owned()), true, false));
    assert_eq!(scene.turn(SECOND, "2").await.len(), 2, "another version sends it");
    assert_eq!(scene.stands(), (Some(SECOND.to_owned()), false, true));

    // Errors while the secret is being sent: the service's own words may repeat it.
    let repeat = format!("The value {FIRST} is not welcome here.");
    world
        .stand_ins
        .exchange
        .script(exchange::Fault::new("Set-TransportRule", exchange::What::Errors { errors: vec![repeat], acts: false }));
    let text = format!("Filter relay: the text ^{FIRST}$ in line 2 is not welcome there.");
    world.stand_ins.gateway.fault(gateway::Fault::RefuseCommit { nth: 1, text });
    let log = scene.workspace.folder.join("failed.log").display().to_string();
    let environment = [
        ("TF_LOG", "TRACE"),
        ("TF_LOG_PATH", log.as_str()),
        ("TF_VAR_secret", FIRST),
        ("TF_VAR_client_secret", CLIENT),
        ("TF_VAR_password", PASSWORD),
        ("TF_VAR_turn", "3"),
    ];
    let outcome = scene.workspace.run_with(&["apply", "-auto-approve", "-no-color"], &environment).await;
    assert_eq!(outcome.code, Some(1), "{}", outcome.stdout);
    for words in ["is not welcome here", "is not welcome there"] {
        assert!(outcome.stderr.replace('\n', " ").contains(words), "{}", outcome.stderr);
    }
    clean("stdout of a failed run", outcome.stdout.as_bytes());
    clean("stderr of a failed run", outcome.stderr.as_bytes());
    clean("the log of a failed run", &std::fs::read(&log).expect("a log"));
    clean("the state", scene.workspace.state_text().as_bytes());
}

#[test]
fn a_secret_is_found_in_every_form() {
    let check = |bytes: &[u8]| assert_eq!(found(bytes, &[FIRST, SECOND]).len(), 1, "{}", String::from_utf8_lossy(bytes));
    check(format!("before {FIRST} after").as_bytes());
    for before in ["", "a", "ab", "abc"] {
        check(STANDARD_NO_PAD.encode(format!("{before}{FIRST}behind")).as_bytes());
        check(URL_SAFE_NO_PAD.encode(format!("{before}{SECOND}")).as_bytes());
    }
    check(format!("{:?}", FIRST.as_bytes()).replace(", ", ",").as_bytes());
    assert!(found(b"nothing", &[FIRST, SECOND]).is_empty());
}

#[tokio::test]
async fn a_value_that_is_not_write_only_is_in_the_state_and_is_marked_as_sensitive() {
    let world = World::start();
    let workspace = world.workspace("plain").await;
    workspace.write(&format!(
        "resource \"mailflow_gateway_message_filter\" \"relay\" {{\n  name   = \"relay\"\n  script = provider::mailflow::relay_filter_script(\"RELAYLIST\", \"X-AUTH\", [\"{FIRST}\"])\n}}\n"
    ));
    let run = workspace.try_apply().await.good();
    clean("what was printed", run.printed.as_bytes());
    // This is what proves that the search of the other tests finds something.
    assert_eq!(found(workspace.state_text().as_bytes(), &[FIRST]).len(), 1, "Terraform needs it to see a change");
}
