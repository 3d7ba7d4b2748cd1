//! What a person runs: `demo`, `doctor`, `export`, `sandbox`, `verify`, `--debug`.
//!
//! Exit codes: 0 when all that was asked holds, 1 when it does not, 2 when the command line is wrong (or `verify` could not judge).

mod demo;
mod doctor;
mod export;
mod proof;
pub mod sandbox;
pub mod terraform;
mod verify;

use std::process::ExitCode;
use std::sync::Arc;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

use crate::plugin::serve_debug;
use crate::provider::{Environment, Mailflow};

/// The source address of the provider, as configurations write it.
const SOURCE: &str = "mailflow/mailflow";

/// Mail flow between Microsoft 365 and a Cisco Secure Email Gateway, for Terraform.
#[derive(Debug, Parser)]
#[command(name = "terraform-provider-mailflow", version, about, long_about = LONG, arg_required_else_help = true)]
#[command(args_conflicts_with_subcommands = true)]
struct Line {
    #[command(subcommand)]
    command: Option<Command>,
    /// Serve as a plugin until stopped (Ctrl-C), and print the variable under which Terraform finds it
    #[arg(long)]
    debug: bool,
}

const LONG: &str = "Mail flow between Microsoft 365 and a Cisco Secure Email Gateway, for Terraform.\n\nTerraform starts this binary \
                    without an argument. The commands below are for people.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the real terraform (or tofu) through the whole guide, against stand-ins for both services
    ///
    /// Starts the stand-ins on loopback, then: init, apply, a second plan that must be empty, five messages over SMTP with their way, an
    /// import of every object into a fresh state with an empty plan, destroy. Ends with what was proved, with timings and counts. Exits
    /// with 1 when any step does not hold.
    Demo(demo::Options),
    /// Look at the tenant and the gateway without changing anything, and say what is wrong or not understood
    ///
    /// Logs in to both sides with the provider's environment variables, reads every table, and prints what it found and which rights
    /// are missing; secrets are hidden. When something failed or was not understood, and with --report, a report for a bug report
    /// follows, in which addresses and names are masked, too. A side whose variables are not set is left out. Exits with 0 when all was understood, with 1 when
    /// something was not or failed.
    Doctor(doctor::Options),
    /// Write a configuration for what exists at both sides, with import blocks for all of it
    ///
    /// Reads every object with the provider's environment variables and changes nothing. References stand instead of repeated names, and secrets
    /// become variables. `terraform plan` in the folder shows nothing but imports; --check has the real terraform (or tofu) prove it. A side whose
    /// variables are not set is left out. Exits with 1 when something could not be read (the folder's README.md names it), or the check does not hold.
    Export(export::Options),
    /// Run the stand-ins for both services on loopback, and print the provider block and environment to use them
    Sandbox(sandbox::Options),
    /// Send one message and follow it, and say what to look at where it does not arrive as it should
    ///
    /// `inbound` hands a message over by SMTP and follows it by the gateway's message tracking and the tenant's message trace. `outbound` sends one from
    /// a mailbox of the tenant (with the permission Mail.Send of Microsoft Graph; without it, it says what to send by hand) and follows it the other way.
    /// `foreign` sends nothing: it asks the gateway what it would do with mail of another tenant that has no secret. At most one message is sent, to
    /// the address of --to, with a token in its subject. Settings come from the provider's environment variables and --set. Exits with 0 if the message
    /// arrived as it should, with 1 if a rung failed, with 2 if it could not be judged.
    Verify(verify::Options),
}

/// Reads the command line and runs what it asks for.
pub fn run() -> ExitCode {
    let line = Line::parse();
    let Some(command) = line.command else { return if line.debug { debug() } else { explain() } };
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("Unable to start: {error}");
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(async {
        match command {
            Command::Demo(options) => demo::run(&options).await,
            Command::Doctor(options) => doctor::run(&options).await,
            Command::Export(options) => export::run(&options).await,
            Command::Sandbox(options) => sandbox::run(&options).await,
            Command::Verify(options) => verify::run(&options).await,
        }
    })
}

/// Serves as a plugin that a person started.
fn debug() -> ExitCode {
    let provider = Arc::new(Mailflow::new(Environment::of_process()));
    let about = || {
        eprintln!(
            "The provider is running. Set this variable for terraform or tofu, which then use this process. Ctrl-C ends it.\n"
        );
    };
    match serve_debug(provider, SOURCE, about) {
        Ok(()) => ExitCode::SUCCESS,
        Err(refusal) => {
            eprintln!("terraform-provider-mailflow: {refusal}");
            ExitCode::FAILURE
        }
    }
}

/// Says what is wrong with a command line, as the parser of command lines does.
fn usage(command: &str, problem: &str) -> ExitCode {
    let mut line = Line::command();
    line.build();
    let error = match line.find_subcommand_mut(command) {
        Some(command) => command.error(ErrorKind::MissingRequiredArgument, problem),
        None => line.error(ErrorKind::MissingRequiredArgument, problem),
    };
    // Where standard error is gone, nobody reads it.
    let _ = error.print();
    ExitCode::from(2)
}

/// Says what the binary is and how to install it, for a person who started it without an argument.
pub fn explain() -> ExitCode {
    let version = env!("CARGO_PKG_VERSION");
    let platform = terraform::platform();
    let binary =
        std::env::current_exe().map_or_else(|_| "terraform-provider-mailflow".to_owned(), |path| path.display().to_string());
    let (folder, copy) = if cfg!(windows) {
        (
            format!("%APPDATA%\\terraform.d\\plugins\\registry.terraform.io\\mailflow\\mailflow\\{version}\\{platform}"),
            ["mkdir \"FOLDER\"", "copy \"BINARY\" \"FOLDER\\terraform-provider-mailflow_vVERSION.exe\""],
        )
    } else {
        (
            format!("$HOME/.terraform.d/plugins/registry.terraform.io/mailflow/mailflow/{version}/{platform}"),
            ["mkdir -p \"FOLDER\"", "cp \"BINARY\" \"FOLDER/terraform-provider-mailflow_vVERSION\""],
        )
    };
    let copy = copy.map(|line| line.replace("FOLDER", &folder).replace("BINARY", &binary).replace("VERSION", version));
    eprintln!(
        "This is terraform-provider-mailflow {version}, a plugin: Terraform starts it, not a person.

To install this very file for your user:

  {}
  {}

(OpenTofu looks under registry.opentofu.org in place of registry.terraform.io.) Then name it in a configuration, and run `terraform init`:

  terraform {{
    required_version = \">= {}\"
    required_providers {{
      mailflow = {{ source = \"mailflow/mailflow\", version = \"{version}\" }}
    }}
  }}

To see it work without a tenant or a gateway:  terraform-provider-mailflow demo
For all commands:                              terraform-provider-mailflow --help",
        copy[0],
        copy[1],
        terraform::minimum(),
    );
    ExitCode::FAILURE
}
