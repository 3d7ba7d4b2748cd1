//! How long many changes on a gateway take that is far away and slow to commit: each typed line takes 20 ms, each commit 2 s.
//!
//! `cargo bench --bench throughput` makes SMTP routes and takes them away with the real `terraform`, ten at a time, once by lines of the batch format and
//! once by dialogs. It fails when 300 of them take more than their lines and commits account for. A run takes eight minutes;
//! `cargo bench --bench throughput -- lines 300` is one row of it. With `MAILFLOW_WRITE_DOCS=1` a whole run draws `docs/throughput.svg`.

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

/// A way to type a change.
struct Way {
    batch: BatchFormat,
    name: &'static str,
    /// How many lines a route takes, and by what the ideal time is multiplied.
    lines: u32,
    factor: f64,
    color: &'static str,
}

const WAYS: [Way; 2] = [
    Way { batch: BatchFormat::Documented, name: "lines", lines: 1, factor: 1.2, color: "#1f6feb" },
    Way { batch: BatchFormat::None, name: "dialogs", lines: 7, factor: 1.12, color: "#bf5700" },
];

impl Way {
    fn limit(&self, count: u32) -> Duration {
        (LINE * self.lines * count + COMMIT * count.div_ceil(10)).mul_f64(self.factor)
    }
}

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

/// Time over the number of routes: what was seen as a line, the limit as a dashed one.
fn plot(seen: &[(&Way, Vec<(u32, Duration)>)]) -> String {
    let (width, height, most, longest) = (640.0, 320.0, 300.0, 120.0);
    let at = |count: u32, time: Duration| {
        format!(
            "{:.0},{:.0}",
            50.0 + f64::from(count) / most * (width - 70.0),
            height - 40.0 - time.as_secs_f64() / longest * (height - 60.0)
        )
    };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n"
    );
    for seconds in (0..=120).step_by(30) {
        let (left, right) = (at(0, Duration::from_secs(seconds)), at(300, Duration::from_secs(seconds)));
        let (_, y) = left.split_once(',').unwrap_or_default();
        let _ = writeln!(
            svg,
            "<polyline points=\"{left} {right}\" stroke=\"#ddd\" fill=\"none\"/>\n<text x=\"10\" y=\"{y}\">{seconds} s</text>"
        );
    }
    for (count, _) in COUNTS {
        let place = at(count, Duration::ZERO);
        let (x, _) = place.split_once(',').unwrap_or_default();
        let _ = writeln!(svg, "<text x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{count}</text>", height - 20.0);
    }
    for (number, (way, times)) in seen.iter().enumerate() {
        let line = |times: &mut dyn Iterator<Item = (u32, Duration)>| {
            times.map(|(count, time)| at(count, time)).collect::<Vec<_>>().join(" ")
        };
        let (taken, limit) =
            (line(&mut times.iter().copied()), line(&mut times.iter().map(|(count, _)| (*count, way.limit(*count)))));
        let color = way.color;
        let _ = writeln!(
            svg,
            "<polyline points=\"{taken}\" stroke=\"{color}\" stroke-width=\"2\" fill=\"none\"/>\n\
             <polyline points=\"{limit}\" stroke=\"{color}\" stroke-dasharray=\"4\" fill=\"none\"/>\n\
             <text x=\"60\" y=\"{}\" fill=\"{color}\">create by {} (dashed: the limit for 300)</text>",
            30 + 18 * number,
            way.name
        );
    }
    svg + "</svg>\n"
}

#[tokio::main]
async fn main() -> ExitCode {
    let asked: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let is_asked = |word: &str| {
        let is_number = |word: &str| word.parse::<u32>().is_ok();
        let mut alike = asked.iter().filter(|asked| is_number(asked) == is_number(word)).peekable();
        alike.peek().is_none() || alike.any(|asked| asked == word)
    };
    let home = tempfile::tempdir().expect("a folder");
    let terraform =
        Terraform::install(home.path(), Path::new(env!("CARGO_BIN_EXE_terraform-provider-mailflow"))).expect("terraform");
    let mut is_over = false;
    let mut seen = Vec::new();
    println!("routes  by        create   commits  destroy  commits  limit");
    for way in WAYS.iter().filter(|way| is_asked(way.name)) {
        let mut times = Vec::new();
        for (count, is_held) in COUNTS.into_iter().filter(|(count, _)| is_asked(&count.to_string())) {
            let options = Options {
                layout: Layout { batch: way.batch, ..Layout::default() },
                line_duration: LINE,
                commit_duration: COMMIT,
                ..Options::default()
            };
            let stand_ins = StandIns::with(exchange::Options::default(), options).expect("the stand-ins start");
            let folder = home.path().join(format!("{count}_{}", way.name));
            std::fs::create_dir_all(&folder).expect("a folder");
            let head = "terraform {\n  required_providers {\n    mailflow = { source = \"mailflow/mailflow\" }\n  }\n}\n\n";
            std::fs::write(folder.join("main.tf"), format!("{head}{}{}", stand_ins.provider_block(), routes(count)))
                .expect("written");
            run(&terraform, &folder, &["init", "-no-color"]).await;
            let create = run(&terraform, &folder, &["apply", "-auto-approve", "-no-color"]).await;
            let made = stand_ins.gateway.counters().commits;
            let destroy = run(&terraform, &folder, &["destroy", "-auto-approve", "-no-color"]).await;
            let removed = stand_ins.gateway.counters().commits - made;
            let limit = way.limit(count);
            println!("{count:>6}  {:<8} {create:>7.1?} {made:>9} {destroy:>8.1?} {removed:>8} {limit:>6.1?}", way.name);
            let most = u64::from(count.div_ceil(10));
            is_over |= is_held && (create > limit || made > most + 1 || removed > most + 3);
            times.push((count, create));
        }
        seen.push((way, times));
    }
    if asked.is_empty() && std::env::var_os("MAILFLOW_WRITE_DOCS").is_some() {
        std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/throughput.svg"), plot(&seen)).expect("drawn");
    }
    if is_over {
        eprintln!("over the limit");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
