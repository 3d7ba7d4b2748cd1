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

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]

mod release;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use mailflow::tool::sandbox::StandIns;
use mailflow::tool::terraform::{Outcome, Terraform};
use serde_json::{Value as Json, json};

pub use release::Release;

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

    /// The same on a release of Terraform. Each workspace has a name of its own, on either release.
    pub async fn workspace_on(&self, release: Release, name: &str) -> Workspace<'_> {
        let terraform = match release {
            Release::Oldest => &self.terraform,
            Release::Newest => self.newest.get_or_init(|| release.install(&self.home.path().join("newest"))),
        };
        let folder = self.home.path().join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(
            folder.join("provider.tf"),
            format!(
                "terraform {{\n  required_providers {{\n    mailflow = {{ source = \"mailflow/mailflow\" }}\n  }}\n}}\n\n{}",
                self.stand_ins.provider_block()
            ),
        )
        .expect("written");
        let workspace = Workspace { terraform, folder };
        workspace.run(&["init", "-no-color"]).await.must("init");
        workspace
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
        self.terraform.run(&self.folder, arguments, environment).await.expect("terraform runs")
    }

    /// Prepares a run that the test wants to steer itself.
    pub fn command(&self, arguments: &[&str]) -> tokio::process::Command {
        self.terraform.command(&self.folder, arguments)
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
        self.run(&["plan", "-no-color", "-out=plan.bin"]).await.must("plan");
        let shown = self.run(&["show", "-json", "plan.bin"]).await.must("show");
        let plan: Json = serde_json::from_str(&shown.stdout).expect("JSON");
        let mut actions = Actions::new();
        for change in plan["resource_changes"].as_array().cloned().unwrap_or_default() {
            let done = change["change"]["actions"].as_array().cloned().unwrap_or_default();
            let words: Vec<&str> = done.iter().filter_map(Json::as_str).collect();
            let word = match words.as_slice() {
                ["no-op"] if change["change"]["importing"].is_object() => "import",
                ["no-op" | "read"] => continue,
                [one] => one,
                _ => "replace",
            };
            actions.insert(change["address"].as_str().unwrap_or_default().to_owned(), word.to_owned());
        }
        actions
    }

    /// Plans, and ends the test with the differences unless nothing is to change.
    pub async fn must_plan_nothing(&self, when: &str) {
        let outcome = self.run(&["plan", "-no-color", "-detailed-exitcode"]).await;
        assert_eq!(outcome.code, Some(0), "the plan {when} is not empty:\n{}\n{}", outcome.stdout, outcome.stderr);
    }

    /// The attributes of each object in the state, by address.
    pub async fn state(&self) -> BTreeMap<String, Json> {
        let shown = self.run(&["show", "-json"]).await.must("show");
        let state: Json = serde_json::from_str(&shown.stdout).expect("JSON");
        let resources = state["values"]["root_module"]["resources"].as_array().cloned().unwrap_or_default();
        resources.into_iter().map(|one| (one["address"].as_str().unwrap_or_default().to_owned(), one["values"].clone())).collect()
    }

    /// The state file, as text.
    pub fn state_text(&self) -> String {
        std::fs::read_to_string(self.folder.join("terraform.tfstate")).unwrap_or_default()
    }

    /// Destroys all.
    pub async fn destroy(&self) {
        self.run(&["destroy", "-auto-approve", "-no-color"]).await.must("destroy");
    }
}
