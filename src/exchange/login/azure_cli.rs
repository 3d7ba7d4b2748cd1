//! The login of a person through the Azure CLI.
//!
//! `az account get-access-token --resource https://outlook.office365.com --tenant … --output json` prints
//!
//! ```json
//! {"accessToken":"…","expiresOn":"2026-08-21 13:00:00.000000","expires_on":1787310000,"tenant":"…","tokenType":"Bearer"}
//! ```
//!
//! <https://learn.microsoft.com/cli/azure/account#az-account-get-access-token>

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::process::Command;

use super::{Granted, Refusal, no_token, seconds_left, setting};
use crate::exchange::entra::{self, By};
use crate::exchange::settings::Cloud;
use crate::remote::{Call, Error, Kind, interruptible};

/// The Azure CLI.
#[derive(Debug)]
pub(super) struct AzureCli {
    search_path: String,
    tenant: String,
    cloud: Cloud,
}

#[derive(Deserialize)]
struct Printed {
    #[serde(rename = "accessToken")]
    access_token: String,
    /// Seconds since 1970. The older `expiresOn` is a local time without a zone.
    expires_on: Option<i64>,
}

/// It is a Python program that may have to renew its own login first.
const PATIENCE: Duration = Duration::from_mins(1);
/// The names of the program; on Windows it is a script.
const NAMES: &[&str] = if cfg!(windows) { &["az.exe", "az.cmd"] } else { &["az"] };
/// More of what it says is not shown.
const LONGEST_MESSAGE: usize = 1000;

impl AzureCli {
    /// Prepares the login; no I/O.
    pub(super) fn new(search_path: String, tenant: String, cloud: Cloud) -> Result<AzureCli, Error> {
        // It becomes an argument of a program, and on Windows of a script.
        if tenant.is_empty()
            || tenant.starts_with('-')
            || !tenant.chars().all(|one| one.is_ascii_alphanumeric() || "-.".contains(one))
        {
            return Err(Error::new(Kind::Invalid, "`exchange.tenant_id` (ARM_TENANT_ID) is neither a GUID nor a domain.")
                .at(setting("tenant_id")));
        }
        Ok(AzureCli { search_path, tenant, cloud })
    }

    /// Asks once.
    pub(super) async fn token(&self, resource: &str, call: &Call) -> Result<Granted, Refusal> {
        let program = self.program()?;
        let mut command = Command::new(&program);
        command
            .args(["account", "get-access-token", "--resource", resource, "--tenant", &self.tenant, "--output", "json"])
            // Both outputs are taken: what the provider prints belongs to Terraform.
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let ran = interruptible(call, tokio::time::timeout(PATIENCE, command.output())).await?;
        let output = ran
            .map_err(|_| {
                let seconds = PATIENCE.as_secs();
                Error::new(Kind::Unavailable, format!("The Azure CLI ({}) did not end within {seconds} s.", program.display()))
                    .hint("Run `az account get-access-token` by hand to see what it waits for.")
            })?
            .map_err(|error| {
                Error::new(Kind::Invalid, format!("The Azure CLI ({}) cannot be run: {error}.", program.display()))
                    .at(setting("use_cli"))
            })?;
        if !output.status.success() {
            return Err(self.refused(&String::from_utf8_lossy(&output.stderr)));
        }
        let printed: Printed =
            serde_json::from_slice(&output.stdout).map_err(|_| no_token("The Azure CLI").hint("Update it: `az upgrade`."))?;
        Ok(Granted::lasting(printed.access_token, printed.expires_on.map(seconds_left)))
    }

    /// Finds the program. Folders that are relative to the current one are passed over: a configuration's folder is not a
    /// place to run programs from.
    fn program(&self) -> Result<PathBuf, Error> {
        std::env::split_paths(&self.search_path)
            .filter(|folder| folder.is_absolute())
            .flat_map(|folder| NAMES.iter().map(move |name| folder.join(name)))
            .find(|file| file.is_file())
            .ok_or_else(|| {
                Error::new(Kind::Invalid, "`exchange.use_cli` (ARM_USE_CLI) is set, and the Azure CLI (az) is not on the PATH.")
                    .hint("Install the Azure CLI and run `az login`, or use another credential.")
                    .at(setting("use_cli"))
            })
    }

    fn refused(&self, printed: &str) -> Refusal {
        let text: String = printed.trim().trim_start_matches("ERROR:").trim().chars().take(LONGEST_MESSAGE).collect();
        let said = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it says nothing");
        let error = Error::new(Kind::Denied, format!("The Azure CLI gave no token: {said}"));
        let hint = if let Some(hint) = entra::advice(&text, By::Person) {
            hint.replace("<exchange.tenant_id>", &self.tenant)
        } else if text.contains("az login") {
            format!("Run `az login --tenant {}` first.", self.tenant)
        } else {
            let cloud = match self.cloud {
                Cloud::Public => "AzureCloud",
                Cloud::UsGovernment | Cloud::Dod => "AzureUSGovernment",
                Cloud::China => "AzureChinaCloud",
            };
            format!(
                "Run `az account get-access-token` by hand. The Azure CLI must be set to this cloud: `az cloud set --name {cloud}`."
            )
        };
        Refusal { error: error.hint(hint), wait: None, lasting: true }
    }
}
