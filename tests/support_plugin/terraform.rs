//! The real Terraform over a plugin in a directory of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::process::AS_PLUGIN;

/// The source address under which the plugin is installed.
pub(crate) const SOURCE: &str = "test.invalid/local/fake";

/// A directory with a configuration, and a mirror that holds the plugin.
pub(crate) struct Terraform {
    directory: tempfile::TempDir,
}

impl Terraform {
    /// Makes the directory with a configuration, and initializes it.
    pub(crate) fn new(body: &str) -> Terraform {
        let terraform = Terraform { directory: tempfile::tempdir().unwrap() };
        let platform = format!("{}_{}", os(), architecture());
        let package = terraform.path(&format!("mirror/{SOURCE}/1.0.0/{platform}"));
        std::fs::create_dir_all(&package).unwrap();
        std::fs::create_dir_all(terraform.store()).unwrap();
        std::fs::create_dir_all(terraform.path("work")).unwrap();
        // Terraform hashes what it installs; a script is sooner hashed than this program.
        let script = format!("#!/bin/sh\nexport {AS_PLUGIN}=1\nexec '{}'\n", std::env::current_exe().unwrap().display());
        let binary = package.join("terraform-provider-fake_v1.0.0");
        std::fs::write(&binary, script).unwrap();
        std::fs::set_permissions(&binary, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let mirror = terraform.path("mirror");
        let settings =
            format!("provider_installation {{\n  filesystem_mirror {{\n    path = \"{}\"\n  }}\n}}\n", mirror.display());
        std::fs::write(terraform.path("settings"), settings).unwrap();
        terraform.write(body);
        terraform.run(&["init", "-no-color"]);
        terraform
    }

    /// Replaces the configuration.
    pub(crate) fn write(&self, body: &str) {
        let head = format!(
            "terraform {{\n  required_providers {{\n    fake = {{ source = \"{SOURCE}\" }}\n  }}\n}}\n\
             provider \"fake\" {{\n  store = \"{}\"\n}}\n",
            self.store().display()
        );
        std::fs::write(self.path("work/main.tf"), head + body).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.path("store")
    }

    /// A command that will run in the directory.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("terraform");
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TF_")) {
            command.env_remove(name);
        }
        command
            .args(arguments)
            .current_dir(self.path("work"))
            .env("TF_CLI_CONFIG_FILE", self.path("settings"))
            .env("HOME", self.directory.path())
            .env("CHECKPOINT_DISABLE", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command that has to succeed, and gives what it says.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().expect("terraform is on the PATH");
        assert!(output.status.success(), "terraform {arguments:?}: {}", said(&output));
        said(&output)
    }

    /// Runs a command that has to fail, and gives what it says, in one line.
    pub(crate) fn fail(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().expect("terraform is on the PATH");
        assert!(!output.status.success(), "terraform {arguments:?}: {}", said(&output));
        said(&output).replace(['│', '\n'], " ").split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// All processes that served, in their order.
    pub(crate) fn processes(&self) -> Vec<u32> {
        processes(&self.store())
    }

    /// The process that served last, by the file that it left.
    pub(crate) fn process(&self) -> Option<u32> {
        processes(&self.store()).into_iter().last()
    }
}

fn processes(store: &Path) -> Vec<u32> {
    let names = std::fs::read_dir(store).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let mut found: Vec<_> = names.filter_map(|name| name.to_str()?.strip_prefix("process-")?.parse().ok()).collect();
    found.sort_by_key(|process: &u32| {
        std::fs::metadata(store.join(format!("process-{process}"))).and_then(|file| file.modified()).ok()
    });
    found
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn os() -> &'static str {
    match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    }
}

fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
