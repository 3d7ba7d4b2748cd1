//! How long many changes on a gateway take that is far away and slow to commit: each typed line takes 20 ms, each commit 2 s.
//!
//! `cargo bench --bench throughput` makes SMTP routes and takes them away with the real `terraform`, ten at a time, once by lines of the batch format and
//! once by dialogs. It fails when 300 of them take more than their lines and commits account for. A run takes eight minutes.

#![expect(clippy::print_stdout, reason = "a bench says what it measured")]

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use mailflow::sandbox::exchange;
use mailflow::sandbox::gateway::{BatchFormat, Layout, Options};
use mailflow::tool::sandbox::StandIns;
use mailflow::tool::terraform::Terraform;

const LINE: Duration = Duration::from_millis(20);
const COMMIT: Duration = Duration::from_secs(2);
/// How many routes, and whether the time is held against the limit.
const COUNTS: [(u32, bool); 4] = [(10, false), (30, false), (100, false), (300, true)];
/// How many lines a route takes, and by what the ideal time is multiplied.
const FORMATS: [(BatchFormat, &str, u32, f64); 2] =
    [(BatchFormat::Documented, "by lines", 1, 1.2), (BatchFormat::None, "by dialogs", 7, 1.12)];

fn routes(count: u32) -> String {
    (0..count).fold(String::new(), |mut text, number| {
        let _ = writeln!(
            text,
            "resource \"mailflow_gateway_smtp_route\" \"r{number}\" {{\n  domain = \"r{number}.example\"\n  destination {{\n    host = \"mx{number}.example\"\n  }}\n}}"
        );
        text
    })
}

async fn run(terraform: &Terraform, folder: &Path, arguments: &[&str]) -> Duration {
    let began = Instant::now();
    let outcome = terraform.run(folder, arguments, &[]).await.expect("terraform runs");
    assert!(outcome.succeeded(), "{}\n{}", outcome.stdout, outcome.stderr);
    began.elapsed()
}

#[tokio::main]
async fn main() -> ExitCode {
    let home = tempfile::tempdir().expect("a folder");
    let terraform =
        Terraform::install(home.path(), Path::new(env!("CARGO_BIN_EXE_terraform-provider-mailflow"))).expect("terraform");
    let mut is_over = false;
    println!("routes  format       create   commits  destroy  commits  limit");
    for (batch, name, lines, factor) in FORMATS {
        for (count, is_held) in COUNTS {
            let options = Options {
                layout: Layout { batch, ..Layout::default() },
                line_duration: LINE,
                commit_duration: COMMIT,
                ..Options::default()
            };
            let stand_ins = StandIns::with(exchange::Options::default(), options).expect("the stand-ins start");
            let folder = home.path().join(format!("{count}_{lines}"));
            std::fs::create_dir_all(&folder).expect("a folder");
            let head = "terraform {\n  required_providers {\n    mailflow = { source = \"mailflow/mailflow\" }\n  }\n}\n\n";
            std::fs::write(folder.join("main.tf"), format!("{head}{}{}", stand_ins.provider_block(), routes(count)))
                .expect("written");
            run(&terraform, &folder, &["init", "-no-color"]).await;
            let create = run(&terraform, &folder, &["apply", "-auto-approve", "-no-color"]).await;
            let made = stand_ins.gateway.counters().commits;
            let destroy = run(&terraform, &folder, &["destroy", "-auto-approve", "-no-color"]).await;
            let removed = stand_ins.gateway.counters().commits - made;
            let limit = (LINE * lines * count + COMMIT * count.div_ceil(10)).mul_f64(factor);
            println!("{count:>6}  {name:<11} {create:>7.1?} {made:>9} {destroy:>8.1?} {removed:>8} {limit:>6.1?}");
            let most = u64::from(count.div_ceil(10));
            is_over |= is_held && (create > limit || made > most + 1 || removed > most + 3);
        }
    }
    if is_over {
        eprintln!("over the limit");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
