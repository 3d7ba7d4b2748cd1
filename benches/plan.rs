//! What a plan costs that changes nothing: 1,000 SMTP routes and 300 transport rules, beside as many `terraform_data` that hold the same values.
//!
//! `cargo bench --bench plan` makes them once on the stand-ins, then plans both configurations in turn, with the real `terraform`, and takes
//! medians: of the time, and of the processor time of `terraform` with its providers. The logins are what a plan of one route and one rule takes more
//! than one of two `terraform_data`. It fails when the plan takes more than 1.25 times the other, and the logins.

#![expect(clippy::print_stdout, reason = "a bench says what it measured")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use mailflow::sandbox::{exchange, gateway};
use mailflow::tool::sandbox::StandIns;
use mailflow::tool::terraform::Terraform;

const ROUTES: usize = 1000;
const RULES: usize = 300;
/// A plan may take so many times what one of `terraform_data` takes.
const FACTOR: f64 = 1.25;

/// The arguments of an object, as blocks of a resource or as the value of `terraform_data`.
struct Object {
    kind: &'static str,
    blocks: String,
    value: String,
}

fn route(number: usize) -> Object {
    let (domain, host) = (format!("domain = \"r{number}.example\""), format!("host = \"mx{number}.example\""));
    Object {
        kind: "mailflow_gateway_smtp_route",
        blocks: format!("  {domain}\n  destination {{\n    {host}\n  }}\n"),
        value: format!("{domain}, destination = [{{ {host}, port = 25, priority = 0 }}]"),
    }
}

fn rule(number: usize) -> Object {
    let name = format!("name = \"Rule {number}\"");
    let conditions =
        format!("sender_domain_is = [\"d{number}.example\", \"e{number}.example\"]\n from_scope = \"NotInOrganization\"");
    let actions = format!("set_header_name = \"X-Rule\"\n set_header_value = \"value {number}\"\n set_scl = 1");
    let inline = |lines: &str| lines.replace('\n', ",");
    Object {
        kind: "mailflow_exchange_transport_rule",
        blocks: format!(
            "  {name}\n  comments = \"rule {number}\"\n  conditions {{\n {conditions}\n  }}\n  actions {{\n {actions}\n  }}\n"
        ),
        value: format!(
            "{name}, comments = \"rule {number}\", conditions = {{ {} }}, actions = {{ {} }}",
            inline(&conditions),
            inline(&actions)
        ),
    }
}

/// Writes the configurations of both kinds, and gives their folders.
fn write(home: &Path, stand_ins: &StandIns, (routes, rules): (usize, usize)) -> [PathBuf; 2] {
    let head = "terraform {\n  required_providers {\n    mailflow = { source = \"mailflow/mailflow\" }\n  }\n}\n\n";
    let (mut ours, mut data) = (format!("{head}{}", stand_ins.provider_block()), String::new());
    for (number, object) in (0..routes).map(route).chain((0..rules).map(rule)).enumerate() {
        let _ = writeln!(ours, "resource \"{}\" \"o{number}\" {{\n{}}}", object.kind, object.blocks);
        let _ = writeln!(data, "resource \"terraform_data\" \"o{number}\" {{\n  input = {{ {} }}\n}}", object.value);
    }
    [("ours", ours), ("data", data)].map(|(name, text)| {
        let folder = home.join(format!("{name}_{}", routes + rules));
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("main.tf"), text).expect("written");
        folder
    })
}

/// The processor time of all children that have ended, and of theirs.
fn children() -> Duration {
    let text = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields = text.rsplit(") ").next().into_iter().flat_map(str::split_whitespace);
    // `cutime` and `cstime`, in hundredths of a second, at the 14th place behind the name.
    let hundredths = fields.skip(13).take(2).map(|field| field.parse::<u64>().expect("a number"));
    Duration::from_millis(hundredths.sum::<u64>() * 10)
}

async fn run(terraform: &Terraform, folder: &Path, arguments: &[&str]) -> (Duration, Duration) {
    let (began, before) = (Instant::now(), children());
    let outcome = terraform.run(folder, arguments, &[]).await.expect("terraform runs");
    assert!(outcome.succeeded(), "{}\n{}", outcome.stdout, outcome.stderr);
    (began.elapsed(), children().saturating_sub(before))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// The medians of plans of both folders, made in turn: time and processor time of each.
async fn plans(terraform: &Terraform, folders: &[PathBuf; 2], runs: usize) -> [(Duration, Duration); 2] {
    let mut seen = [(Vec::new(), Vec::new()), (Vec::new(), Vec::new())];
    for _ in 0..runs {
        for (folder, seen) in folders.iter().zip(&mut seen) {
            let (time, processor) = run(terraform, folder, &["plan", "-no-color", "-detailed-exitcode"]).await;
            seen.0.push(time);
            seen.1.push(processor);
        }
    }
    seen.map(|(times, processor)| (median(times), median(processor)))
}

#[tokio::main]
async fn main() -> ExitCode {
    let runs = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(5);
    let home = tempfile::tempdir().expect("a folder");
    let terraform =
        Terraform::install(home.path(), Path::new(env!("CARGO_BIN_EXE_terraform-provider-mailflow"))).expect("terraform");
    let mut seen = Vec::new();
    for count in [(1, 1), (ROUTES, RULES)] {
        let stand_ins = StandIns::with(exchange::Options::default(), gateway::Options::default()).expect("the stand-ins start");
        let folders = write(home.path(), &stand_ins, count);
        for folder in &folders {
            run(&terraform, folder, &["init", "-no-color"]).await;
            run(&terraform, folder, &["apply", "-auto-approve", "-no-color", "-parallelism=100"]).await;
        }
        let [ours, data] = plans(&terraform, &folders, runs).await;
        let count = count.0 + count.1;
        println!("{count:>5} objects: {:.2?}, processor {:.2?}", ours.0, ours.1);
        println!("{count:>5} terraform_data: {:.2?}, processor {:.2?}", data.0, data.1);
        seen.push([ours, data]);
    }
    let [[login, nothing], [ours, data]] = seen.as_slice() else { return ExitCode::FAILURE };
    let mut is_over = false;
    for (what, of) in [("time", |seen: &(Duration, Duration)| seen.0), ("processor", |seen| seen.1)]
        as [(&str, fn(&(Duration, Duration)) -> Duration); 2]
    {
        let logins = of(login).saturating_sub(of(nothing));
        let limit = of(data).mul_f64(FACTOR) + logins;
        let times = of(ours).saturating_sub(logins).as_secs_f64() / of(data).as_secs_f64();
        println!("{what}: logins {logins:.2?}, without them {times:.2} times terraform_data, limit {limit:.2?}");
        is_over |= of(ours) > limit;
    }
    if is_over {
        eprintln!("over the limit");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
