//! What a run of `terraform` told its user, and what it left behind.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use mailflow::sandbox::{exchange, gateway};
use mailflow::tool::sandbox::StandIns;
use serde_json::Value as Json;
use tokio::process::Child;

use crate::support::{Workspace, World};

/// One message to the user.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) severity: String,
    pub(crate) address: String,
    pub(crate) summary: String,
    pub(crate) detail: String,
    /// The line of the configuration that it points at.
    pub(crate) line: String,
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) said: Vec<Said>,
    /// All that was printed.
    pub(crate) printed: String,
}

impl Said {
    fn of(json: &Json) -> Said {
        let text = |json: &Json| json.as_str().unwrap_or_default().to_owned();
        let snippet = &json["snippet"];
        let line = text(&snippet["code"]);
        // A message about an expression has no address, but the block around it.
        let block = text(&snippet["context"]);
        let address = match (json["address"].as_str(), block.split('"').collect::<Vec<_>>().as_slice()) {
            (Some(address), _) => address.to_owned(),
            (None, ["resource ", kind, _, name, ..]) => format!("{kind}.{name}"),
            _ => String::new(),
        };
        Said { severity: text(&json["severity"]), address, summary: text(&json["summary"]), detail: text(&json["detail"]), line }
    }

    /// Ends the test unless summary and detail together hold all of these.
    #[track_caller]
    pub(crate) fn holds(&self, parts: &[&str]) -> &Said {
        let all = format!("{}\n{}", self.summary, self.detail);
        for part in parts {
            assert!(all.contains(part), "{part:?} is not in\n{all}\n({self:#?})");
        }
        self
    }

    /// The import block of the message, with this address in it.
    #[track_caller]
    pub(crate) fn block(&self, address: &str) -> String {
        let block = self.detail.find("import {").and_then(|start| self.detail.get(start..)).expect("a block");
        let block = &block[..=block.find('}').expect("its end")];
        let lines = block.lines();
        let lines =
            lines.map(|line| if line.trim_start().starts_with("to =") { format!("  to = {address}") } else { line.to_owned() });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Ends the test unless it marks this in the configuration.
    #[track_caller]
    pub(crate) fn marks(&self, part: &str) -> &Said {
        assert!(self.line.contains(part), "{part:?} is not what is marked: {self:#?}");
        self
    }
}

impl Run {
    fn of(code: Option<i32>, stdout: &str, stderr: &str) -> Run {
        let mut said = Vec::new();
        // `validate` prints one document, the others one event a line.
        if let Ok(whole) = serde_json::from_str::<Json>(stdout) {
            said.extend(whole["diagnostics"].as_array().into_iter().flatten().map(Said::of));
        }
        for event in stdout.lines().filter_map(|line| serde_json::from_str::<Json>(line).ok()) {
            if event["type"] == "diagnostic" {
                said.push(Said::of(&event["diagnostic"]));
            }
        }
        Run { code, said, printed: format!("{stdout}\n{stderr}") }
    }

    /// The errors.
    pub(crate) fn errors(&self) -> Vec<&Said> {
        self.said.iter().filter(|said| said.severity == "error").collect()
    }

    /// The warnings.
    pub(crate) fn warnings(&self) -> Vec<&Said> {
        self.said.iter().filter(|said| said.severity == "warning").collect()
    }

    /// The one error.
    #[track_caller]
    pub(crate) fn error(&self) -> &Said {
        let errors = self.errors();
        assert_eq!(errors.len(), 1, "one error is expected of a run that ended with {:?}\n{}", self.code, self.printed);
        assert_eq!(self.code, Some(1), "{}", self.printed);
        errors[0]
    }

    /// The error about an address.
    #[track_caller]
    pub(crate) fn error_of(&self, address: &str) -> &Said {
        let about: Vec<&Said> = self.errors().into_iter().filter(|said| said.address == address).collect();
        assert_eq!(about.len(), 1, "one error about {address} is expected\n{}", self.printed);
        about[0]
    }

    /// Ends the test unless the run succeeded without an error.
    #[track_caller]
    pub(crate) fn good(self) -> Run {
        assert!(self.code == Some(0) && self.errors().is_empty(), "ended with {:?}\n{}", self.code, self.printed);
        self
    }
}

/// A run that goes on while the test does something.
pub(crate) struct Running(Child);

impl Running {
    /// Waits for its end.
    pub(crate) async fn end(self) -> Run {
        let output = self.0.wait_with_output().await.expect("terraform runs");
        Run::of(output.status.code(), &String::from_utf8_lossy(&output.stdout), &String::from_utf8_lossy(&output.stderr))
    }

    /// Says whether it has ended.
    pub(crate) fn ended(&mut self) -> bool {
        self.0.try_wait().expect("terraform can be asked").is_some()
    }

    /// Sends a signal to it and to its plugins, as a terminal does.
    pub(crate) fn signal(&self, name: &str) {
        let group = format!("-{}", self.0.id().expect("it runs"));
        let sent = std::process::Command::new("kill").args([name, "--", &group]).status().expect("kill runs");
        assert!(sent.success(), "kill {name} {group}");
    }
}

/// What the tests do with a workspace beyond what [`Workspace`] itself offers.
pub(crate) trait Runs {
    async fn json(&self, arguments: &[&str]) -> Run;
    async fn try_apply(&self) -> Run;
    async fn try_plan(&self) -> Run;
    fn begin(&self, arguments: &[&str]) -> Running;
    async fn converges(&self, what: &str);
    fn stored(&self) -> BTreeMap<String, Json>;
    fn set_provider(&self, from: &str, to: &str);
}

impl Runs for Workspace<'_> {
    /// Runs a command with `-json`.
    async fn json(&self, arguments: &[&str]) -> Run {
        let outcome = self.run(&with_json(arguments)).await;
        Run::of(outcome.code, &outcome.stdout, &outcome.stderr)
    }

    async fn try_apply(&self) -> Run {
        self.json(&["apply", "-auto-approve"]).await
    }

    async fn try_plan(&self) -> Run {
        self.json(&["plan"]).await
    }

    /// Begins a command in a process group of its own.
    fn begin(&self, arguments: &[&str]) -> Running {
        let mut command = self.command(&with_json(arguments));
        let child = command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        Running(child.expect("terraform starts"))
    }

    /// P15: applies again, and plans nothing then.
    async fn converges(&self, what: &str) {
        self.try_apply().await.good();
        self.must_plan_nothing(what).await;
    }

    /// What the state file holds: the objects by address, with `"tainted": true` beside the attributes of those that are.
    fn stored(&self) -> BTreeMap<String, Json> {
        let state: Json = serde_json::from_str(&self.state_text()).unwrap_or_default();
        let mut objects = BTreeMap::new();
        for resource in state["resources"].as_array().into_iter().flatten() {
            let address =
                format!("{}.{}", resource["type"].as_str().unwrap_or_default(), resource["name"].as_str().unwrap_or_default());
            for instance in resource["instances"].as_array().into_iter().flatten() {
                let key = match &instance["index_key"] {
                    Json::Null => String::new(),
                    key => format!("[{key}]"),
                };
                let mut attributes = instance["attributes"].clone();
                if instance["status"] == "tainted" {
                    attributes["tainted"] = true.into();
                }
                objects.insert(format!("{address}{key}"), attributes);
            }
        }
        objects
    }

    /// Replaces a part of the provider block.
    fn set_provider(&self, from: &str, to: &str) {
        let file = self.folder.join("provider.tf");
        let text = std::fs::read_to_string(&file).expect("the provider block");
        assert!(text.contains(from), "{from:?} is not in the provider block\n{text}");
        std::fs::write(file, text.replace(from, to)).expect("written");
    }
}

/// Options stand before what a command is about.
fn with_json<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    let (command, rest) = arguments.split_at(1);
    [command, &["-json"], rest].concat()
}

/// Stand-ins with options of their own. Faults stand at the questions of dialogs, so no help shows a batch format.
pub(crate) fn world(exchange: exchange::Options, mut gateway: gateway::Options) -> World {
    gateway.layout.batch = gateway::BatchFormat::None;
    World::with(StandIns::with(exchange, gateway).expect("the stand-ins start"))
}

/// Waits until something holds. The limit is for a machine under load.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < Duration::from_mins(1), "{what} did not happen");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// SMTP routes: label, domain, host.
pub(crate) fn routes(routes: &[(&str, &str, &str)]) -> String {
    let route = |(label, domain, host): &(&str, &str, &str)| {
        format!(
            "resource \"mailflow_gateway_smtp_route\" \"{label}\" {{\n  domain = \"{domain}\"\n  destination {{\n    host = \"{host}\"\n  }}\n}}\n"
        )
    };
    routes.iter().map(route).collect()
}

/// An inbound connector: label and name, and further arguments.
pub(crate) fn connector(label: &str, name: &str, more: &str) -> String {
    format!(
        "resource \"mailflow_exchange_inbound_connector\" \"{label}\" {{
  name                             = \"{name}\"
  connector_type                   = \"Partner\"
  sender_domains                   = [\"*\"]
  sender_ip_addresses              = [\"203.0.113.10\"]
  restrict_domains_to_ip_addresses = true
  {more}
}}
"
    )
}

/// The domains of the routes on the device.
pub(crate) fn domains(world: &World) -> Vec<String> {
    let mut all: Vec<String> =
        world.stand_ins.gateway.configuration().smtp_routes.into_iter().map(|route| route.domain).collect();
    all.sort();
    all
}

/// Ends the test unless nothing is half done on the device.
#[track_caller]
pub(crate) fn nothing_staged(world: &World) {
    assert!(!world.stand_ins.gateway.pending(), "uncommitted changes are left on the gateway");
}
