//! A large set-up is exported with one list of each kind, in bounded memory.
//!
//! The times are printed (`--nocapture`), and held by no test: other programs share the machine. `docs/performance.md` has those of a release build.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use mailflow::sandbox::gateway::tables::route::SmtpRoute;
use serde_json::json;

use crate::export::{settings, texts};
use crate::support::World;

/// Memory of the exporting process with 10,000 routes, in KiB.
const MOST_MEMORY: u64 = 150 << 10;

/// How an export went.
struct Went {
    time: Duration,
    /// What the processor spent on it, in hundredths of a second.
    processor: u64,
    /// The most memory it ever had, in KiB.
    memory: u64,
    files: BTreeMap<String, String>,
}

async fn timed(world: &World, more: &[&str]) -> Went {
    let home = tempfile::tempdir().expect("a folder");
    let (environment, set) = settings(world);
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_terraform-provider-mailflow"));
    command.arg("export").arg("--output").arg(home.path()).args(set).args(more).envs(environment);
    let begin = Instant::now();
    let mut child = command.stderr(std::process::Stdio::piped()).kill_on_drop(true).spawn().expect("it runs");
    let status = format!("/proc/{}/status", child.id().expect("it runs"));
    let stat = format!("/proc/{}/stat", child.id().expect("it runs"));
    let (mut memory, mut processor) = (0, 0);
    let ended = loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse().ok());
        memory = memory.max(peak.unwrap_or(0));
        // User and system time are the 14th and the 15th field; the second one, in parentheses, may have blanks.
        let text = std::fs::read_to_string(&stat).unwrap_or_default();
        let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
        processor = processor.max(fields.filter_map(|ticks| ticks.parse::<u64>().ok()).sum());
        if let Ok(ended) = tokio::time::timeout(Duration::from_millis(20), child.wait()).await {
            break ended.expect("it ended");
        }
    };
    let time = begin.elapsed();
    let output = child.wait_with_output().await.expect("its words");
    assert!(ended.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Went { time, processor, memory, files: texts(home.path()) }
}

fn routes(world: &World, count: usize) {
    world.stand_ins.gateway.edit(|configuration| {
        configuration.smtp_routes.extend((0..count).map(|number| SmtpRoute {
            // Half of the labels clash with one of the other half.
            domain: format!("{}{}.example", if number.is_multiple_of(2) { "d" } else { ".d" }, number / 2),
            destinations: vec![format!("mx{number}.example.net")],
            authentication: None,
        }));
    });
}

/// Ends the test unless each printout was asked for once.
#[track_caller]
fn prints_once(world: &World, command: &str, most: u64) {
    let commands = world.stand_ins.gateway.counters().commands;
    let count = commands.get(command).copied().unwrap_or_default();
    assert!(count <= most, "{command} ran {count} times: {commands:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "the times are for whoever runs it with --nocapture")]
async fn thirteen_hundred_objects_are_exported_with_one_list_of_each_kind() {
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    for number in 0..300 {
        let rule = json!({
            "SenderDomainIs": [format!("partner{number}.example")], "FromScope": "NotInOrganization", "SetHeaderName": "X-Tag",
            "SetHeaderValue": format!("secretValue{}", number % 40),
        });
        exchange.put("TransportRule", &format!("Rule {number}"), &rule).expect("made");
    }
    for number in 0..20 {
        let connector = json!({ "ConnectorType": "OnPremises", "SenderDomains": ["smtp:*;1"], "RequireTls": true });
        exchange.put("InboundConnector", &format!("In {number}"), &connector).expect("made");
    }
    routes(&world, 980);
    exchange.reset_counts();
    let went = timed(&world, &[]).await;
    let count = went.files["imports.tf"].matches("import {").count();
    assert!(count > 1300, "{count}");
    for cmdlet in ["Get-TransportRule", "Get-InboundConnector", "Get-AcceptedDomain", "Get-RemoteDomain"] {
        assert!(exchange.count(cmdlet) <= 1, "{cmdlet} ran {} times", exchange.count(cmdlet));
    }
    // One look for each pair of switches.
    assert!(exchange.count("Get-OutboundConnector") <= 4);
    prints_once(&world, "smtproutes", 1);
    prints_once(&world, "filters", 1);
    prints_once(&world, "destconfig", 1);
    println!("{count} objects: {:.1?} ({} cs of processor), {} MiB", went.time, went.processor, went.memory >> 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "the times are for whoever runs it with --nocapture")]
async fn ten_thousand_routes_are_exported_in_bounded_memory() {
    let world = World::start();
    routes(&world, 10_000);
    let went = timed(&world, &["--only", "mailflow_gateway_smtp_route"]).await;
    assert_eq!(went.files["imports.tf"].matches("import {").count(), 10_000);
    prints_once(&world, "smtproutes", 1);
    println!("10,000 routes: {:.1?} ({} cs of processor), {} MiB", went.time, went.processor, went.memory >> 10);
    assert!(went.memory <= MOST_MEMORY, "{} KiB", went.memory);
}
