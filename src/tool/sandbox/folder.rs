//! `sandbox --write`: a folder with the guide, in which `terraform init` and `terraform apply` work against the stand-ins.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::StandIns;
use crate::tool::terraform::{hosts, lay_out_mirror, minimum, only_from};

/// The guide as it stands in `examples/guide/`, without its provider block.
pub(in crate::tool) const GUIDE: &[(&str, &str)] = &[
    ("inbound.tf", include_str!("../../../examples/guide/inbound.tf")),
    ("outbound.tf", include_str!("../../../examples/guide/outbound.tf")),
    ("outputs.tf", include_str!("../../../examples/guide/outputs.tf")),
    ("variables.tf", include_str!("../../../examples/guide/variables.tf")),
];

/// An override for the guide in a folder that imports it: the secrets of what stands are kept, and a plan shows nothing but imports.
pub(in crate::tool) const KEEPS_SECRETS: &str = r#"# Beside import blocks: the secrets that stand are kept.
resource "mailflow_gateway_message_filter" "office365_outbound" {
  script_wo         = null
  script_wo_version = null
}

resource "mailflow_exchange_transport_rule" "outbound" {
  actions {
    route_message_outbound_connector = mailflow_exchange_outbound_connector.to_gateway.name
    set_header_name                  = "X-OUTBOUND-AUTH"
  }
}
"#;

/// The values of the guide's variables on the stand-ins.
const VALUES: &str = r#"domain                    = "example.com"
mx_moved                  = false # true once the MX records lead to the gateways
gateway_inbound_addresses = ["203.0.113.10", "203.0.113.11"]
gateway_outbound_hosts    = ["203.0.113.20"]
test_recipient            = "postmaster@example.net"

# For the sandbox only. A real secret comes from the environment: TF_VAR_relay_secret.
relay_secret = "Sandbox2Secret"
"#;

/// The file whose first line says that the folder is the sandbox's own.
const PROVIDERS: &str = "providers.tf";
const MARK: &str = "# Written by `terraform-provider-mailflow sandbox --write`, and written anew at each start.\n";

/// The CLI configuration.
const SETTINGS: &str = "terraform.rc";

/// What was written.
pub(super) struct Folder {
    /// Where, absolute.
    pub(super) place: PathBuf,
    /// The CLI configuration that finds this binary.
    pub(super) settings: PathBuf,
}

/// Tells why the folder cannot be written, before anything is started.
pub(super) fn check(folder: &Path) -> Result<(), String> {
    let cannot = |error: io::Error| format!("{} cannot be read: {error}", folder.display());
    let mut entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found.map_err(cannot)?,
    };
    if entries.next().is_none() || is_own(folder) {
        return Ok(());
    }
    Err(format!(
        "{} is not empty and was not written by `sandbox --write`: nothing was written. Name a new folder.",
        folder.display()
    ))
}

fn is_own(folder: &Path) -> bool {
    fs::read_to_string(folder.join(PROVIDERS)).is_ok_and(|text| text.starts_with(MARK))
}

/// Writes the folder. In one that stands, only what depends on this start is written anew.
pub(super) fn write(folder: &Path, stand_ins: &StandIns) -> io::Result<Folder> {
    fs::create_dir_all(folder)?;
    let place = fs::canonicalize(folder)?;
    fs::write(place.join(PROVIDERS), providers(stand_ins))?;
    for (name, text) in GUIDE.iter().copied().chain([("terraform.tfvars", VALUES)]) {
        let file = place.join(name);
        if !file.exists() {
            fs::write(file, text)?;
        }
    }
    // Terraform looks into this folder by itself, unless the person's own settings say where providers come from.
    let mirror = place.join("terraform.d").join("plugins");
    lay_out_mirror(&mirror, &hosts(), &std::env::current_exe()?)?;
    let settings = place.join(SETTINGS);
    fs::write(&settings, only_from(&mirror))?;
    // It names the checksum of the binary of an earlier start.
    match fs::remove_file(place.join(".terraform.lock.hcl")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    Ok(Folder { place, settings })
}

fn providers(stand_ins: &StandIns) -> String {
    format!(
        "{MARK}# The addresses, accounts and secrets are those of the stand-ins on this machine, and are good for nothing else.\n\n{}\n{}",
        terraform_block(),
        stand_ins.provider_block()
    )
}

/// The block that says which provider is wanted.
pub(super) fn terraform_block() -> String {
    format!(
        "terraform {{\n  required_version = \">= {}\"\n\n  required_providers {{\n    mailflow = {{\n      source  = \"mailflow/mailflow\"\n      version = \"{}\"\n    }}\n  }}\n}}\n",
        minimum(),
        env!("CARGO_PKG_VERSION")
    )
}
