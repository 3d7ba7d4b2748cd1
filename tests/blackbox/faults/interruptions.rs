//! Ctrl-C and kill, and a colleague, in the middle of a change.

use std::time::Duration;

use mailflow::gateway::device::{Connect, Device};
use mailflow::gateway::session::Connector;
use mailflow::gateway::settings::{CommitSettings, Level, Login, PendingChanges, Settings};
use mailflow::sandbox::exchange;
use mailflow::sandbox::exchange::{Fault as Trouble, What};
use mailflow::sandbox::gateway::{Appliance, Break, ChangeSets, Fault, Options, Point};

use mailflow::tool::sandbox::StandIns;
use serde_json::{Value as Json, json};

use super::run::{Runs, connector, domains, nothing_staged, routes, until, world};
use crate::support::World;

const ROUTE: &str = "mailflow_gateway_smtp_route";
const CONNECTOR: &str = "mailflow_exchange_inbound_connector";

#[tokio::test]
async fn p02_an_interrupt_finishes_what_is_in_flight_and_keeps_it() {
    let world = World::start();
    let (exchange, gateway) = (&world.stand_ins.exchange, &world.stand_ins.gateway);
    let workspace = world.workspace("exchange").await;
    // The second one waits for the first: it must not begin any more.
    let second = connector("second", "Second", "depends_on = [mailflow_exchange_inbound_connector.first]");
    workspace.write(&format!("{}{second}", connector("first", "First", "")));
    exchange.script(Trouble::new("New-InboundConnector", What::Nothing).delay_ms(2000));
    let running = workspace.begin(&["apply", "-auto-approve"]);
    until("the create is under way", || exchange.count("New-InboundConnector") == 1).await;
    running.signal("-INT");
    let run = running.end().await;
    let stored = workspace.stored();
    let names: Vec<&String> = stored.keys().collect();
    assert_eq!(names, [&format!("{CONNECTOR}.first")], "{}", run.printed);
    assert!(stored[names[0]]["tainted"].is_null() && stored[names[0]]["id"].is_string(), "it is whole: {stored:#?}");
    assert_eq!(exchange.count("New-InboundConnector"), 1, "nothing else was begun");
    let planned = workspace.plan().await;
    assert_eq!(planned.into_iter().collect::<Vec<_>>(), [(format!("{CONNECTOR}.second"), "create".to_owned())]);
    workspace.converges("after an interrupt").await;

    let workspace = world.workspace("gateway").await;
    let second = routes(&[("second", "b.example", "mx")]);
    let end = second.rfind('}').expect("its end");
    let second = format!("{}  depends_on = [mailflow_gateway_smtp_route.first]\n}}\n", &second[..end]);
    workspace.write(&format!("{}{second}", routes(&[("first", "a.example", "mx")])));
    gateway.fault(Fault::SlowCommit { nth: 1, milliseconds: 2500 });
    let running = workspace.begin(&["apply", "-auto-approve"]);
    until("it commits", || gateway.counters().commands.contains_key("commit")).await;
    running.signal("-INT");
    let run = running.end().await;
    let stored = workspace.stored();
    let names: Vec<&String> = stored.keys().collect();
    assert_eq!(names, [&format!("{ROUTE}.first")], "{}", run.printed);
    assert!(stored[names[0]]["tainted"].is_null(), "{stored:#?}");
    assert_eq!(domains(&world), ["a.example"]);
    nothing_staged(&world);
    let planned = workspace.plan().await;
    assert_eq!(planned.into_iter().collect::<Vec<_>>(), [(format!("{ROUTE}.second"), "create".to_owned())]);
    workspace.converges("after an interrupt").await;
}

#[tokio::test]
async fn p02_an_interrupt_ends_waits() {
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    let workspace = world.workspace("waits").await;
    workspace.write(&connector("c", "Waits", ""));
    let before = exchange.snapshot();
    let wait = exchange::RetryAfter::Seconds("300".into());
    exchange.script(Trouble::new("New-*", What::Throttled { retry_after: wait, plain_text_status: None }).times(100));
    let running = workspace.begin(&["apply", "-auto-approve"]);
    until("it is throttled", || exchange.count("New-InboundConnector") == 1).await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let begin = std::time::Instant::now();
    running.signal("-INT");
    let run = running.end().await;
    assert!(begin.elapsed().as_secs() < 20, "it waited {:?}", begin.elapsed());
    assert_ne!(run.code, Some(0), "{}", run.printed);
    assert!(workspace.stored().is_empty());
    assert_eq!(exchange.snapshot(), before);
    exchange.clear_faults();
    workspace.converges("after the wait was ended").await;
}

#[tokio::test]
async fn p01_g12_a_kill_leaves_nothing_that_the_next_run_cannot_mend() {
    for change_sets in [ChangeSets::PerSession, ChangeSets::PerUser] {
        let world = world(exchange::Options::default(), Options { change_sets, ..Options::default() });
        let gateway = &world.stand_ins.gateway;
        let hang = |at: Point, nth: u32| Fault::Break { how: Break::Hang, at, nth };
        let two = |host: &str| routes(&[("a", "a.example", host), ("b", "b.example", host)]);
        let workspace = world.workspace("killed").await;

        let kill = async |what: &str, fault: Fault| {
            gateway.fault(fault);
            let running = workspace.begin(&["apply", "-auto-approve", "-lock=false"]);
            until(what, || gateway.faults_waiting() == 0).await;
            running.signal("-KILL");
            running.end().await;
            until("the killed run's session ended", || gateway.sessions() == 0).await;
        };
        workspace.write(&two("one.example.net"));
        kill("the second route is being staged", hang(Point::Question("destination hosts".into()), 2)).await;
        assert!(domains(&world).is_empty() && gateway.comments().is_empty());
        assert_eq!(gateway.pending(), change_sets == ChangeSets::PerUser, "the first route is a leftover");
        kill("the commit begins", hang(Point::CommitBefore, 1)).await;
        assert!(domains(&world).is_empty());
        // The next plan shows the truth, and the next change clears what is ours.
        let planned = workspace.plan().await;
        assert_eq!(planned.len(), 2, "{planned:#?}");
        workspace.converges("after a kill while creating").await;
        assert_eq!(domains(&world), ["a.example", "b.example"]);
        nothing_staged(&world);

        workspace.write(&two("two.example.net"));
        kill("the change is live", hang(Point::CommitAfter, 1)).await;
        nothing_staged(&world);
        workspace.converges("after a kill while changing").await;
        workspace.write("");
        kill("the routes are gone", hang(Point::CommitAfter, 1)).await;
        workspace.converges("after a kill while deleting").await;
        assert!(domains(&world).is_empty());

        // Live, and known to nobody: such an object is like any other that stands there. The message has the block to import it.
        workspace.write(&two("one.example.net"));
        kill("the new routes are live", hang(Point::CommitAfter, 1)).await;
        let run = workspace.try_apply().await;
        assert_eq!(run.errors().len(), 2, "{}", run.printed);
        let mut imports = String::new();
        for label in ["a", "b"] {
            let said = run.error_of(&format!("{ROUTE}.{label}"));
            imports.extend([said.block(&format!("{ROUTE}.{label}")).as_str(), "\n"]);
        }
        workspace.write(&format!("{imports}{}", two("one.example.net")));
        workspace.converges("after a kill and an import").await;
    }
}

/// Thirty objects of three tables: ten are changed, and the others are new.
fn thirty(limit: u32, all: bool) -> Vec<(String, String, Json)> {
    let number = |number: usize| match number % 3 {
        0 => (
            "mailflow_gateway_smtp_route",
            json!({ "domain": format!("r{number}.example"), "destination": [{ "host": format!("mx{limit}.example.net") }] }),
        ),
        1 => (
            "mailflow_gateway_destination_control",
            json!({ "domain": format!("c{number}.example"), "concurrency_limit": limit }),
        ),
        _ => (
            "mailflow_gateway_recipient_access",
            json!({ "listener": "IncomingMail", "recipient": format!("a{number}.example"), "action": "accept", "bypass_ldap_accept": limit > 1 }),
        ),
    };
    let wanted = (0..30).filter(|number| all || *number < 10);
    wanted
        .map(|index| (number(index), index))
        .map(|((kind, arguments), index)| (kind.to_owned(), format!("e{index}"), arguments))
        .collect()
}

/// Gives the line at which a run is killed, from the steps of one that was not.
type Place = fn(&[String]) -> usize;

/// The place of the first step of a name.
fn first(steps: &[String], name: &str) -> usize {
    steps.iter().position(|step| step == name).expect("it is typed")
}

#[tokio::test]
async fn p01_g12_p15_kills_at_sampled_lines_of_thirty_changes_are_mended_by_a_second_apply() {
    let world =
        world(exchange::Options::default(), Options { change_sets: ChangeSets::PerUser, keep_steps: true, ..Options::default() });
    let gateway = &world.stand_ins.gateway;
    let workspace = world.workspace("thirty").await;
    let write = |limit, all| {
        let objects = thirty(limit, all);
        workspace
            .write_resources(objects.iter().map(|(kind, name, arguments)| (kind.as_str(), name.as_str(), arguments.clone())));
    };
    write(1, false);
    workspace.try_apply().await.good();
    let (before, state, seeded) = (gateway.snapshot(), workspace.state_text(), gateway.steps().len());
    write(2, true);
    workspace.converges("without a kill").await;
    let after = gateway.snapshot();
    let steps = gateway.steps().split_off(seeded);
    let places: [(&str, Place); 6] = [
        ("while reading", |_| 3),
        ("while staging", |steps| first(steps, "> showchanges") + 30),
        ("at the first commit", |steps| first(steps, "> commit") + 1),
        ("at its comment", |steps| first(steps, "> commit") + 2),
        ("behind the first commit", |steps| first(steps, "> commit") + 5),
        ("at the last commit", |steps| steps.iter().rposition(|step| step.starts_with("commit: ")).expect("it commits") + 1),
    ];
    for (place, of) in places {
        let mut sample = steps.clone();
        let (running, line) = loop {
            gateway.restore(&before).expect("a snapshot");
            std::fs::write(workspace.folder.join("terraform.tfstate"), &state).expect("written");
            let _ = std::fs::remove_file(workspace.folder.join("imports.tf"));
            let (typed, line) = (gateway.steps().len(), of(&sample));
            gateway.fault(Fault::Break { how: Break::Hang, at: Point::Line, nth: u32::try_from(line).expect("few lines") });
            let mut running = workspace.begin(&["apply", "-auto-approve", "-lock=false"]);
            until("the line is typed, or the run ended", || gateway.faults_waiting() == 0 || running.ended()).await;
            if gateway.faults_waiting() == 0 {
                break (running, line);
            }
            // How many commits a run makes is a matter of time: this one typed fewer lines, so its own are counted now.
            gateway.clear_faults();
            let again = gateway.steps().split_off(typed);
            assert!(again.len() < line, "{place}: line {line} of {} was typed without a fault", again.len());
            sample = again;
        };
        running.signal("-KILL");
        running.end().await;
        until("the killed run's session ended", || gateway.sessions() == 0).await;
        let run = workspace.try_apply().await;
        let mut imports = String::new();
        for said in run.errors() {
            imports.extend([said.holds(&["already exists"]).block(&said.address).as_str(), "\n"]);
        }
        std::fs::write(workspace.folder.join("imports.tf"), imports).expect("written");
        workspace.converges(&format!("after a kill {place}, at line {line}")).await;
        nothing_staged(&world);
        let sorted = |snapshot: &Json| {
            let mut lines: Vec<String> = serde_json::to_string_pretty(snapshot)
                .expect("JSON")
                .lines()
                .map(|line| line.trim_end_matches(',').to_owned())
                .collect();
            lines.sort_unstable();
            lines
        };
        assert_eq!(sorted(&gateway.snapshot()), sorted(&after), "after a kill {place}, at line {line}");
    }
}

#[tokio::test]
async fn p01_a_kill_while_the_service_creates_is_mended_by_the_import_block() {
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    let workspace = world.workspace("killed").await;
    workspace.write(&connector("c", "Killed", ""));
    exchange.script(Trouble::new("New-InboundConnector", What::Nothing).delay_ms(5000));
    let running = workspace.begin(&["apply", "-auto-approve", "-lock=false"]);
    until("the create is under way", || exchange.count("New-InboundConnector") == 1).await;
    running.signal("-KILL");
    running.end().await;
    let run = workspace.try_apply().await;
    let said = run.error().holds(&["already exists", "import {"]);
    let block = said.block(&format!("{CONNECTOR}.c"));
    workspace.write(&format!("{block}\n{}", connector("c", "Killed", "")));
    workspace.converges("after the import").await;
    assert_eq!(exchange.count("New-InboundConnector"), 1, "nothing was made twice"); // The second run says it at plan.
}

/// A session of the account that Terraform uses.
async fn session(gateway: &Appliance) -> Box<dyn Device> {
    let login = Login {
        host: "127.0.0.1".to_owned(),
        port: gateway.port(),
        username: gateway.username().to_owned(),
        password: Some(gateway.password().to_owned().into()),
        private_key: None,
        private_key_passphrase: None,
        host_keys: vec![gateway.host_key_fingerprint().to_owned()],
        legacy_algorithms: false,
        jump_host: None,
    };
    let commit = CommitSettings {
        comment: "a colleague".to_owned(),
        quiet_period: Duration::ZERO,
        timeout: Duration::from_secs(10),
        rollback_snapshot: false,
    };
    let pending_changes = PendingChanges::Error;
    let settings = Settings { login, cluster: Level::Standalone, commit, pending_changes, read_only: false, api: None };
    Connector::new(settings).connect().await.expect("a session")
}

/// Where sessions of one account share what they stage, a commit takes all of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rs1_what_a_colleague_stages_while_a_commit_runs_is_named_as_live() {
    let options = Options { change_sets: ChangeSets::PerUser, ..Options::default() };
    let world = World::with(StandIns::with(exchange::Options::default(), options).expect("the stand-ins start"));
    let gateway = &world.stand_ins.gateway;
    let workspace = world.workspace("beside").await;
    let mut colleague = session(gateway).await;
    let went_live = "Changes of somebody else went live with those of this run";
    for (host, theirs) in [("one.example.net", Some("z.example")), ("two.example.net", None)] {
        workspace.write(&routes(&[("a", "a.example", host), ("b", "b.example", host)]));
        let commits = gateway.counters().commands.get("commit").copied().unwrap_or_default();
        gateway.fault(Fault::SlowCommit { nth: 1, milliseconds: 3000 });
        let running = workspace.begin(&["apply", "-auto-approve"]);
        if let Some(theirs) = theirs {
            until("it commits", || gateway.counters().commands.get("commit").is_some_and(|count| *count > commits)).await;
            colleague.show(&format!("smtproutes new {theirs} mx.example.net")).await.expect("staged");
        }
        let run = running.end().await;
        assert_eq!(run.code, Some(0), "{}", run.printed);
        assert_eq!(domains(&world), ["a.example", "b.example", "z.example"], "{}", run.printed);
        let told = run.printed.split("Warning: ").find(|told| told.starts_with(went_live)).map(str::to_owned);
        let is_named = |theirs| told.as_ref().is_some_and(|told| told.contains(theirs) && !told.contains("b.example"));
        assert!(told.is_some() == theirs.is_some() && theirs.is_none_or(is_named), "{}", run.printed);
        nothing_staged(&world);
    }
}
