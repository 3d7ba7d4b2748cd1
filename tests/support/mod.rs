//! A world of its own for each test: both stand-ins, and the real `terraform` with the real binary.
//!
//! [`World::workspace`] runs the `terraform` of the `PATH`. What has to hold on the oldest and on a recent release runs on both:
//!
//! ```ignore
//! let world = World::start();
//! for release in Release::BOTH {
//!     let workspace = world.workspace_on(release, &format!("keys-{release}")).await;
//!     workspace.write("…");
//!     workspace.apply().await;
//! }
//! ```
//!
//! [`Release::install`] is for a run without a world. A recent release that is not there is installed below `target/`; `cargo test` alone does.
//! `terraform init` runs once for each release: what it leaves is copied into every workspace.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]

mod release;
mod states;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use mailflow::tool::sandbox::StandIns;
use mailflow::tool::terraform::{Outcome, Terraform};
use serde_json::{Value as Json, json};

pub use release::Release;

/// A run is short: Terraform collects garbage later than it would.
const LITTLE_COLLECTING: [(&str, &str); 1] = [("GOGC", "400")];

/// Both stand-ins, and `terraform`.
pub struct World {
    pub stand_ins: StandIns,
    pub terraform: Terraform,
    newest: OnceLock<Terraform>,
    home: tempfile::TempDir,
}

/// A folder with a configuration and a state.
pub struct Workspace<'w> {
    terraform: &'w Terraform,
    pub folder: PathBuf,
    /// What each run has beside the environment of the tests.
    environment: Vec<(&'static str, String)>,
}

/// What a plan wants to do: the action for each address that is not left as it is (`create`, `update`, `delete`, `replace`, `import`).
pub type Actions = BTreeMap<String, String>;

impl World {
    /// Starts everything.
    pub fn start() -> World {
        World::with(StandIns::start().expect("the stand-ins start"))
    }

    /// Uses these stand-ins.
    pub fn with(stand_ins: StandIns) -> World {
        let home = tempfile::tempdir().expect("a folder");
        let terraform = Release::Oldest.install(home.path());
        World { stand_ins, terraform, newest: OnceLock::new(), home }
    }

    /// Makes an empty folder, with the provider set up for the stand-ins, and runs `init`.
    pub async fn workspace(&self, name: &str) -> Workspace<'_> {
        self.workspace_on(Release::Oldest, name).await
    }

    /// The same for some hundred objects: what Terraform itself takes for each of them does not grow with their number.
    pub async fn workspace_of_many(&self, name: &str) -> Workspace<'_> {
        self.lay_out(Release::Oldest, name, "  backend \"http\" {}\n").await
    }

    /// The same on a release of Terraform. Each workspace has a name of its own, on either release.
    pub async fn workspace_on(&self, release: Release, name: &str) -> Workspace<'_> {
        self.lay_out(release, name, "").await
    }

    async fn lay_out(&self, release: Release, name: &str, backend: &str) -> Workspace<'_> {
        let terraform = match release {
            Release::Oldest => &self.terraform,
            Release::Newest => self.newest.get_or_init(|| release.install(&self.home.path().join("newest"))),
        };
        let folder = self.home.path().join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        let needs = release::needs(backend);
        std::fs::write(folder.join("provider.tf"), format!("{needs}\n{}", self.stand_ins.provider_block())).expect("written");
        release.initialize(&folder, backend).await;
        let environment = [(release::STATE_ADDRESS, states::address(&folder))].into_iter().filter(|_| !backend.is_empty());
        Workspace { terraform, environment: environment.collect(), folder }
    }
}

/// Ends the test with what the run printed, unless it succeeded.
pub trait Must {
    fn must(self, what: &str) -> Outcome;
}

impl Must for Outcome {
    #[track_caller]
    fn must(self, what: &str) -> Outcome {
        assert!(self.succeeded(), "{what} ended with {:?}\n{}\n{}", self.code, self.stdout, self.stderr);
        self
    }
}

impl Workspace<'_> {
    /// Runs `terraform` here.
    pub async fn run(&self, arguments: &[&str]) -> Outcome {
        self.run_with(arguments, &[]).await
    }

    /// Runs `terraform` here with more environment.
    pub async fn run_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Outcome {
        let own: Vec<_> = self.environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let environment = [LITTLE_COLLECTING.as_slice(), &own, environment].concat();
        self.terraform.run(&self.folder, arguments, &environment).await.expect("terraform runs")
    }

    /// Prepares a run that the test wants to steer itself.
    pub fn command(&self, arguments: &[&str]) -> tokio::process::Command {
        let mut command = self.terraform.command(&self.folder, arguments);
        command.envs(LITTLE_COLLECTING).envs(self.environment.iter().map(|(name, value)| (*name, value)));
        command
    }

    /// Replaces the configuration by this HCL.
    pub fn write(&self, hcl: &str) {
        std::fs::write(self.folder.join("main.tf"), hcl).expect("written");
    }

    /// Replaces the configuration by these resources: type, name, arguments.
    pub fn write_resources<'r>(&self, resources: impl IntoIterator<Item = (&'r str, &'r str, Json)>) {
        let mut all = json!({});
        for (kind, name, arguments) in resources {
            all[kind][name] = arguments;
        }
        let text = serde_json::to_string_pretty(&json!({ "resource": all })).expect("JSON");
        std::fs::write(self.folder.join("resources.tf.json"), text).expect("written");
    }

    /// Adds import blocks.
    pub fn write_imports(&self, imports: &BTreeMap<String, String>) {
        let mut blocks = String::new();
        for (address, id) in imports {
            blocks.extend([
                "import {
  to = ",
                address,
                "
  id = ",
                &json!(id).to_string(),
                "
}
",
            ]);
        }
        std::fs::write(self.folder.join("imports.tf"), blocks).expect("written");
    }

    /// Applies, and gives what was printed.
    pub async fn apply(&self) -> Outcome {
        self.run(&["apply", "-auto-approve", "-no-color"]).await.must("apply")
    }

    /// Plans, and gives what is not left as it is.
    pub async fn plan(&self) -> Actions {
        let planned = self.run(&["plan", "-json", "-out=plan.bin"]).await.must("plan");
        let mut actions = Actions::new();
        for line in planned.stdout.lines() {
            let said: Json = serde_json::from_str(line).expect("JSON on each line");
            let change = &said["change"];
            match (said["type"].as_str(), change["action"].as_str()) {
                (Some("planned_change"), Some("read" | "noop" | "move")) => {}
                (Some("planned_change"), Some(action)) => {
                    actions.insert(change["resource"]["addr"].as_str().expect("an address").to_owned(), action.to_owned());
                }
                _ => {}
            }
        }
        actions
    }

    /// Plans, and ends the test with the differences unless nothing is to change.
    pub async fn must_plan_nothing(&self, when: &str) {
        let outcome = self.run(&["plan", "-no-color", "-detailed-exitcode"]).await;
        assert_eq!(outcome.code, Some(0), "the plan {when} is not empty:\n{}\n{}", outcome.stdout, outcome.stderr);
    }

    /// The attributes of each object in the state, by address.
    pub fn state(&self) -> BTreeMap<String, Json> {
        let state: Json = serde_json::from_str(&self.state_text()).expect("a state");
        assert_eq!(state["version"], 4, "the form of a state file that is known here");
        let mut objects = BTreeMap::new();
        for resource in state["resources"].as_array().expect("resources") {
            assert!(resource["module"].is_null(), "only the root module is looked at");
            let part = |key: &str| resource[key].as_str().expect("a text");
            let data = if part("mode") == "data" { "data." } else { "" };
            for instance in resource["instances"].as_array().expect("instances") {
                let index = &instance["index_key"];
                let index = if index.is_null() { String::new() } else { format!("[{index}]") };
                let address = format!("{data}{}.{}{index}", part("type"), part("name"));
                objects.insert(address, instance["attributes"].clone());
            }
        }
        objects
    }

    /// The state file, as text.
    pub fn state_text(&self) -> String {
        std::fs::read_to_string(self.folder.join(states::FILE)).unwrap_or_default()
    }

    /// Destroys all.
    pub async fn destroy(&self) {
        self.run(&["destroy", "-auto-approve", "-no-color"]).await.must("destroy");
    }
}
