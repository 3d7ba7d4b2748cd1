//! Runs the real `terraform` (or `tofu`) with this provider, in folders of its own.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value as Json;
use tokio::process::Command;

/// The oldest release of Terraform and of OpenTofu that the provider works with: major and minor number.
pub const MINIMUM: (u32, u32) = (1, 11);

/// The hosts under which each program looks for `mailflow/mailflow`.
const DEFAULT_HOSTS: &[(&str, &str)] = &[("terraform", "registry.terraform.io"), ("tofu", "registry.opentofu.org")];

/// The program, and a mirror that holds nothing but this provider. Nothing is fetched from anywhere, and no configuration of the
/// user's own takes part.
#[derive(Debug)]
pub struct Terraform {
    program: PathBuf,
    name: &'static str,
    home: PathBuf,
}

/// What a run printed, and how it ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// All of standard output.
    pub stdout: String,
    /// All of standard error.
    pub stderr: String,
}

impl Terraform {
    /// Finds the program on the `PATH` (`terraform` first) and lays out the mirror below `home` with this provider binary in it.
    pub fn install(home: &Path, provider: &Path) -> io::Result<Terraform> {
        let found = DEFAULT_HOSTS.iter().find_map(|(name, host)| Some((*name, *host, on_path(name)?)));
        let Some((name, host, program)) = found else {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                format!("neither terraform nor tofu is on the PATH. Install one of them, version {} or later", minimum()),
            ));
        };
        Terraform::lay_out(program, name, host, home, provider)
    }

    /// The same with this program, which is a `terraform`.
    pub fn install_program(program: &Path, home: &Path, provider: &Path) -> io::Result<Terraform> {
        let (name, host) = DEFAULT_HOSTS[0];
        Terraform::lay_out(program.to_owned(), name, host, home, provider)
    }

    fn lay_out(program: PathBuf, name: &'static str, host: &str, home: &Path, provider: &Path) -> io::Result<Terraform> {
        lay_out_mirror(&home.join("mirror"), &[host], provider)?;
        std::fs::write(home.join("cli.tfrc"), format!("disable_checkpoint = true\n{}", only_from(&home.join("mirror"))))?;
        Ok(Terraform { program, name, home: home.to_owned() })
    }

    /// Says what is wrong with the program, if it is not Terraform or too old.
    pub async fn check(&self) -> Result<(), String> {
        let program = self.program.display();
        let wanted = format!("Terraform or OpenTofu {} or later has to be the first `{}` on the PATH", minimum(), self.name);
        let output = self.command(&self.home, &["version", "-json"]).output().await;
        let output = output.map_err(|error| format!("{program} cannot be run: {error}. {wanted}."))?;
        let told: Option<Json> = serde_json::from_slice(&output.stdout).ok();
        let version = told.as_ref().and_then(|told| told["terraform_version"].as_str());
        let numbers = version.and_then(|version| {
            let mut numbers = version.split(['.', '-']).map(str::parse::<u32>);
            Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
        });
        match (version, numbers) {
            (Some(version), Some(numbers)) if numbers < MINIMUM => Err(format!("{program} is version {version}. {wanted}.")),
            (Some(_), Some(_)) => Ok(()),
            _ => Err(format!("{program} does not tell a version as Terraform does. {wanted}.")),
        }
    }

    /// `terraform` or `tofu`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Prepares a run in a folder. The environment is the process's own without what would change the run (`TF_…`).
    pub fn command(&self, folder: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        let strange = |name: &OsString| name.to_string_lossy().starts_with("TF_");
        for (name, _) in std::env::vars_os().filter(|(name, _)| strange(name)) {
            command.env_remove(name);
        }
        command
            .args(arguments)
            .current_dir(folder)
            .env("TF_CLI_CONFIG_FILE", self.home.join("cli.tfrc"))
            .env("TF_IN_AUTOMATION", "1")
            .env("TF_INPUT", "0")
            .env("CHECKPOINT_DISABLE", "1")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Runs it to its end.
    pub async fn run(&self, folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> io::Result<Outcome> {
        let output = self.command(folder, arguments).envs(environment.iter().copied()).output().await?;
        Ok(Outcome {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}

impl Outcome {
    /// Tells whether it ended with exit code 0.
    pub fn succeeded(&self) -> bool {
        self.code == Some(0)
    }
}

/// The oldest release that the provider works with, as people write it: `1.11`.
pub fn minimum() -> String {
    format!("{}.{}", MINIMUM.0, MINIMUM.1)
}

/// The hosts under which Terraform and OpenTofu look for the provider.
pub(super) fn hosts() -> Vec<&'static str> {
    DEFAULT_HOSTS.iter().map(|(_, host)| *host).collect()
}

/// Lays out a mirror that holds nothing but this provider binary, under each of these hosts.
pub(super) fn lay_out_mirror(mirror: &Path, hosts: &[&str], provider: &Path) -> io::Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    for host in hosts {
        let folder = mirror.join(format!("{host}/mailflow/mailflow/{version}/{}", platform()));
        std::fs::create_dir_all(&folder)?;
        let binary = folder.join(format!("terraform-provider-mailflow_v{version}{}", std::env::consts::EXE_SUFFIX));
        match std::fs::remove_file(&binary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => link(provider, &binary)?,
        }
    }
    Ok(())
}

/// The part of a CLI configuration by which providers come from this mirror only.
pub(super) fn only_from(mirror: &Path) -> String {
    format!("provider_installation {{\n  filesystem_mirror {{\n    path = {:?}\n  }}\n}}\n", mirror.display().to_string())
}

/// The platform as mirrors name it: `linux_amd64`.
pub fn platform() -> String {
    let os = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("{os}_{arch}")
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
        .find(|file| file.is_file())
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(from, to)
}

#[cfg(not(unix))]
fn link(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::copy(from, to).map(|_| ())
}
