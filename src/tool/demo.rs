//! `demo`: the real `terraform`, the whole guide, stand-ins for both services.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use tokio::io::{AsyncBufReadExt, BufReader};

use super::proof;
use super::sandbox::{GUIDE, StandIns};
use super::terraform::Terraform;
use crate::remote;

/// The guide's own blocks of Terraform and the provider; the stand-ins' provider block goes over them.
const MAIN: &str = include_str!("../../examples/guide/main.tf");

/// The guide's variables for the stand-ins.
const VARIABLES: &str = r#"domain                    = "example.com"
mx_moved                  = true
gateway_inbound_addresses = ["203.0.113.10", "203.0.113.11"]
gateway_outbound_hosts    = ["203.0.113.20"]
test_recipient            = "postmaster@example.net"
"#;

/// How to run the demo.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Keep the work folder, and say where it is
    #[arg(long)]
    keep: bool,
    /// Show all objects that stood on both services, as tables
    #[arg(long)]
    verbose: bool,
}

/// Why the demo ends early.
#[derive(Debug)]
struct Broken(String);

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Broken {
        Broken(error.to_string())
    }
}

/// Runs the demo. The exit code is 0 only if every step held.
pub(super) async fn run(options: &Options) -> ExitCode {
    let folder = match tempfile::Builder::new().prefix("mailflow-demo-").tempdir() {
        Ok(folder) => folder,
        Err(error) => {
            eprintln!("Unable to make a work folder: {error}");
            return ExitCode::FAILURE;
        }
    };
    let place = folder.path().to_owned();
    let told = tokio::select! {
        told = story(&place, options.verbose) => told,
        _ = tokio::signal::ctrl_c() => Err(Broken("stopped".to_owned())),
    };
    if options.keep {
        say(&format!("\nThe work folder is kept: {}", folder.keep().display()));
    }
    match told {
        Ok(()) => ExitCode::SUCCESS,
        Err(Broken(reason)) => {
            eprintln!("\nThe demo did not hold: {reason}");
            ExitCode::FAILURE
        }
    }
}

async fn story(place: &Path, verbose: bool) -> Result<(), Broken> {
    let begun = Instant::now();
    let provider = std::env::current_exe()?;
    let terraform = Terraform::install(place, &provider)?;
    terraform.check().await.map_err(Broken)?;
    let stand_ins = StandIns::start()?;
    let before = stand_ins.snapshot();
    say(&format!(
        "The guide, from nothing and back, with the real {}.\n\n  Exchange Online   {}   (a stand-in on loopback)\n  Email Gateway     127.0.0.1:{}   (a stand-in on loopback)\n",
        terraform.name(),
        stand_ins.exchange.url(),
        stand_ins.gateway.port(),
    ));
    let first = place.join("guide");
    lay_out(&first, &stand_ins)?;
    let mut run = Run { terraform: &terraform, stand_ins: &stand_ins, secret: secret() };

    run.step("init", "terraform init", &first, &["init", "-no-color"], false).await?;
    let applied = run.step("apply", "both sides in one plan", &first, &["apply", "-auto-approve", "-json"], true).await?;
    let objects = run.objects(&first).await?;
    applied.expect("apply", &[("add", objects.len()), ("change", 0), ("remove", 0)])?;
    let second = run.step("plan again", "nothing to change", &first, &["plan", "-json"], true).await?;
    second.expect("the second plan", &[("add", 0), ("change", 0), ("remove", 0)])?;

    let proved = proof::prove(&stand_ins).await.map_err(Broken)?;

    let imported = place.join("import");
    lay_out(&imported, &stand_ins)?;
    std::fs::write(imported.join("imports.tf"), import_blocks(&objects))?;
    std::fs::write(imported.join("imports_override.tf"), super::sandbox::KEEPS_SECRETS)?;
    run.step("init", "a fresh state, with import blocks", &imported, &["init", "-no-color"], false).await?;
    let found =
        run.step("import", "every object, nothing changed", &imported, &["apply", "-auto-approve", "-json"], true).await?;
    found.expect("the import", &[("import", objects.len()), ("add", 0), ("change", 0), ("remove", 0)])?;
    let after = run.step("plan again", "nothing to change", &imported, &["plan", "-json"], true).await?;
    after.expect("the plan after the import", &[("add", 0), ("change", 0), ("remove", 0)])?;

    let stood = stand_ins.describe();
    let gone = run.step("destroy", "from the first state", &first, &["destroy", "-auto-approve", "-json"], true).await?;
    gone.expect("destroy", &[("add", 0), ("change", 0), ("remove", objects.len())])?;
    if stand_ins.snapshot() != before {
        return Err(Broken("after destroy, the services are not as they were before".to_owned()));
    }
    say("Both services are exactly as they were before.");
    if verbose {
        say("This is what stood on them:\n");
        say(&stood);
    }
    say("\nWhat was proved:\n");
    for line in proved {
        say(&format!("  {line}"));
    }
    let counts = stand_ins.counts();
    let sums = format!(
        "{} objects; every step held, in {}. {} calls to Exchange Online, {} commands and {} commits on the gateway.",
        objects.len(),
        seconds(begun.elapsed()),
        counts.exchange_calls,
        counts.gateway_commands,
        counts.commits,
    );
    say(&format!("\n{}", proof::wrapped(&sums, "").replace("\n    ", "\n")));
    Ok(())
}

/// Writes the guide into a folder, with the provider block replaced by one for the stand-ins.
fn lay_out(folder: &Path, stand_ins: &StandIns) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (name, text) in GUIDE.iter().copied().chain([("main.tf", MAIN)]) {
        std::fs::write(folder.join(name), text)?;
    }
    std::fs::write(folder.join("terraform.tfvars"), VARIABLES)?;
    std::fs::write(folder.join("sandbox_override.tf"), stand_ins.provider_block())
}

/// A secret of this run: letters and digits.
fn secret() -> String {
    use rand::Rng as _;
    rand::rng().sample_iter(rand::distr::Alphanumeric).take(24).map(char::from).collect()
}

fn import_blocks(objects: &BTreeMap<String, String>) -> String {
    objects.iter().fold(String::new(), |mut text, (address, id)| {
        let id = id.replace('\\', "\\\\").replace('"', "\\\"");
        let _ = writeln!(text, "import {{\n  to = {address}\n  id = \"{id}\"\n}}\n");
        text
    })
}

struct Run<'a> {
    terraform: &'a Terraform,
    stand_ins: &'a StandIns,
    secret: String,
}

/// What a step's own summary counted.
#[derive(Debug, Default)]
struct Summary(BTreeMap<String, u64>);

impl Summary {
    fn expect(&self, step: &str, counts: &[(&str, usize)]) -> Result<(), Broken> {
        for (name, wanted) in counts {
            let found = self.0.get(*name).copied().unwrap_or_default();
            if found != *wanted as u64 {
                return Err(Broken(format!("{step}: {name} should be {wanted} and is {found}")));
            }
        }
        Ok(())
    }
}

impl Run<'_> {
    /// Runs one command, shows what it does while it does it, and gives its summary.
    async fn step(&mut self, name: &str, about: &str, folder: &Path, arguments: &[&str], json: bool) -> Result<Summary, Broken> {
        let begun = Instant::now();
        let before = self.stand_ins.counts();
        say(&format!("{name}: {about}"));
        let mut child = self
            .terraform
            .command(folder, arguments)
            .env("TF_VAR_relay_secret", &self.secret)
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()?;
        let mut errors = BufReader::new(child.stderr.take().ok_or_else(|| Broken("no stderr".to_owned()))?).lines();
        let mut lines = BufReader::new(child.stdout.take().ok_or_else(|| Broken("no stdout".to_owned()))?).lines();
        let reading_errors = tokio::spawn(async move {
            let mut text = String::new();
            while let Ok(Some(line)) = errors.next_line().await {
                text.push_str(&line);
                text.push('\n');
            }
            text
        });
        let mut summary = Summary::default();
        let mut problems = String::new();
        while let Some(line) = lines.next_line().await? {
            match serde_json::from_str::<Json>(&line) {
                Ok(event) if json => hear(&event, &mut summary, &mut problems),
                _ if !json => {}
                _ => problems.push_str(&line),
            }
        }
        let status = child.wait().await?;
        let said = reading_errors.await.unwrap_or_default();
        if !status.success() || !problems.is_empty() {
            return Err(Broken(format!("{name} ended with {status}\n{problems}{said}")));
        }
        let counts = self.stand_ins.counts();
        let mut facts = vec![seconds(begun.elapsed())];
        for (count, what) in [
            (counts.exchange_calls - before.exchange_calls, "calls to Exchange Online"),
            (counts.gateway_commands - before.gateway_commands, "commands"),
            (counts.commits - before.commits, "commits on the gateway"),
        ] {
            if count > 0 {
                facts.push(format!("{count} {what}"));
            }
        }
        say(&format!("{}\n", proof::wrapped(&format!("done in {}", facts.join(", ")), "  ")));
        Ok(summary)
    }

    /// The addresses of all managed objects in a state, with their import IDs.
    async fn objects(&self, folder: &Path) -> Result<BTreeMap<String, String>, Broken> {
        let shown = self.terraform.run(folder, &["show", "-json"], &[]).await?;
        let state: Json =
            serde_json::from_str(&shown.stdout).map_err(|error| Broken(format!("terraform show: {error}\n{}", shown.stderr)))?;
        let resources = state["values"]["root_module"]["resources"].as_array().cloned().unwrap_or_default();
        let managed = resources.iter().filter(|one| one["mode"] == "managed");
        Ok(managed.map(|one| (text(&one["address"]).to_owned(), text(&one["values"]["id"]).to_owned())).collect())
    }
}

/// Takes one event of the machine-readable output.
fn hear(event: &Json, summary: &mut Summary, problems: &mut String) {
    match event["type"].as_str() {
        Some("apply_complete") => {
            let hook = &event["hook"];
            let done = match hook["action"].as_str() {
                Some("create") => "created",
                Some("update") => "updated",
                Some("delete") => "deleted",
                _ => "done",
            };
            let seconds = hook["elapsed_seconds"].as_f64().unwrap_or_default();
            say(&format!(
                "  {done:<9} {}{}",
                text(&hook["resource"]["addr"]),
                if seconds >= 1.0 { format!("   {seconds:.0} s") } else { String::new() }
            ));
        }
        Some("import_complete" | "apply_import_complete") => {
            say(&format!("  imported  {}", text(&event["hook"]["resource"]["addr"])));
        }
        Some("planned_change") if event["change"]["importing"].is_object() && event["change"]["action"] == "import" => {
            let (address, id) = (text(&event["change"]["resource"]["addr"]), text(&event["change"]["importing"]["id"]));
            say(&proof::wrapped(&format!("imports   {address}   {id}"), "  "));
        }
        Some("change_summary") => {
            for name in ["add", "change", "import", "remove"] {
                summary.0.insert(name.to_owned(), event["changes"][name].as_u64().unwrap_or_default());
            }
        }
        Some("diagnostic") => {
            let said = &event["diagnostic"];
            let message = format!("{}: {}\n{}\n", text(&said["severity"]), text(&said["summary"]), text(&said["detail"]));
            if said["severity"] == "error" {
                problems.push_str(&message);
            } else {
                message.lines().for_each(|line| say(&proof::wrapped(line, "  ")));
            }
        }
        _ => {}
    }
}

fn text(json: &Json) -> &str {
    json.as_str().unwrap_or_default()
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

/// Prints for a person. A closed pipe is nobody's concern.
pub(super) fn say(line: &str) {
    let mut out = io::stdout().lock();
    // Whatever a service or a program said on the way: this is one of the places where text leaves the process.
    let _ = writeln!(out, "{}", remote::shown(line));
    if !io::stdout().is_terminal() {
        let _ = out.flush();
    }
}
