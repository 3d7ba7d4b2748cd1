//! A service that answers a create with other values than it was told: what lives is never tainted.
//!
//! All objects of the suites are made twice: first with other values, of which the stand-in takes a whim, then as they are wanted, and the stand-in stores
//! the others. So every attribute of every resource is answered with another value, and one run of `terraform` tries all of a side. What
//! follows is empty, a change in place, or the replacement that a warning announced; in three runs nothing else is removed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mailflow::sandbox::{exchange, gateway};
use mailflow::tool::sandbox::StandIns;
use serde_json::{Value as Json, json};

use crate::faults::run::{Run, Runs, connector, world};
use crate::suites::steps::objects;
use crate::suites::{SUITES, Step, Suite};
use crate::support::{Workspace, World};

/// What the warning of a new object that is not as it was planned says.
const WARNING: &str = "but not all of it is as planned";

/// What it says where the next plan makes the object anew.
const REPLACES: &str = "replaces the object";

/// Each object that is not stored as it was wanted is waited for, so they are all made at once.
const AT_ONCE: &[&str] = &["apply", "-auto-approve", "-parallelism=200"];

/// How long that takes at most: each object is waited for, written once more, and waited for again.
const PATIENCE: Duration = Duration::from_mins(10);

const FILTER: &str = "mailflow_gateway_message_filter";
const GROUP: &str = "mailflow_gateway_sender_group";

fn suites(side: &str) -> Vec<&'static Suite> {
    let one = std::env::var("MAILFLOW_RESOURCE").ok();
    let is_tried = |suite: &&Suite| suite.resource.starts_with(side);
    SUITES.iter().copied().filter(is_tried).filter(|suite| one.as_deref().is_none_or(|one| suite.resource == one)).collect()
}

fn write(workspace: &Workspace<'_>, suites: &[&'static Suite], step: Step) {
    let objects = objects(suites, step);
    workspace.write_resources(objects.iter().map(|(kind, name, arguments)| (*kind, name.as_str(), arguments.clone())));
}

/// The addresses that were warned of, and those whose replacement was announced.
fn warned(run: &Run) -> (BTreeSet<String>, BTreeSet<String>) {
    let warnings: Vec<_> = run.said.iter().filter(|said| said.severity == "warning" && said.summary.contains(WARNING)).collect();
    let addresses = |said: &[&crate::faults::run::Said]| said.iter().map(|said| said.address.clone()).collect();
    let replacing: Vec<_> = warnings.iter().copied().filter(|said| said.detail.contains(REPLACES)).collect();
    (addresses(&warnings), addresses(&replacing))
}

#[track_caller]
fn none_tainted(workspace: &Workspace<'_>, what: &str) {
    let tainted: Vec<String> = workspace
        .stored()
        .into_iter()
        .filter(|(_, object)| object["tainted"] == json!(true))
        .map(|(address, _)| address)
        .collect();
    assert!(tainted.is_empty(), "{what}: tainted are {tainted:?}");
}

/// Takes the whim of a side and gives it up, and says how much was ever removed there.
struct Side {
    prefix: &'static str,
    bend: fn(&StandIns, bool),
    unbend: fn(&StandIns),
    removed: fn(&StandIns) -> usize,
}

const GATEWAY: Side = Side {
    prefix: "mailflow_gateway_",
    bend: |stand_ins, always| stand_ins.gateway.bend(if always { gateway::Whim::Always } else { gateway::Whim::AtFirst }),
    unbend: |stand_ins| stand_ins.gateway.unbend(),
    // A commit's comment says what it deletes: `delete 2: a, b`.
    removed: |stand_ins| {
        let numbers = stand_ins
            .gateway
            .comments()
            .into_iter()
            .filter_map(|comment| comment.split("delete ").nth(1)?.split(':').next()?.parse::<usize>().ok());
        numbers.sum()
    },
};

/// Makes everything with other values, takes the whim, and puts both services back.
async fn take_whim(world: &World, side: &Side, suites: &[&'static Suite], always: bool) {
    let before = world.stand_ins.snapshot();
    let others = world.workspace_of_many("others").await;
    write(&others, suites, Step::Changed);
    others.apply().await;
    (side.bend)(&world.stand_ins, always);
    world.stand_ins.exchange.restore(&before.0).expect("a snapshot");
    world.stand_ins.gateway.restore(&before.1).expect("a snapshot");
}

async fn an_obstinate_service(side: &Side) {
    let suites = suites(side.prefix);
    let world = World::start();
    take_whim(&world, side, &suites, true).await;
    let removed_before = (side.removed)(&world.stand_ins);

    let workspace = world.workspace_of_many("ours").await;
    write(&workspace, &suites, Step::Set);
    let run = tokio::time::timeout(PATIENCE, workspace.json(AT_ONCE)).await;
    let first = run.expect("it ends").good();
    none_tainted(&workspace, "the first apply");
    let (warned, mut replacing) = warned(&first);
    // Each suite has attributes that the service stores otherwise, or it proves nothing.
    for suite in &suites {
        let any = warned.iter().any(|address| address.starts_with(&format!("{}.", suite.resource)));
        assert!(any || suite.single, "no warning about {}\n{warned:#?}", suite.resource);
    }

    (side.unbend)(&world.stand_ins);
    let planned = workspace.plan().await;
    for (address, action) in &planned {
        let announced = warned.contains(address);
        match action.as_str() {
            "update" => assert!(announced, "{address} is changed without a warning"),
            "replace" => assert!(replacing.remove(address), "{address} is replaced without a warning"),
            other => panic!("{address}: {other}"),
        }
    }
    assert!(replacing.is_empty(), "announced, and not planned: {replacing:?}");
    let replaced = planned.values().filter(|action| *action == "replace").count();
    for what in ["the second apply", "the third apply"] {
        workspace.try_apply().await.good();
        none_tainted(&workspace, what);
    }
    let removed = (side.removed)(&world.stand_ins) - removed_before;
    assert!(removed <= replaced, "{removed} objects were removed, and {replaced} replacements were announced");
    workspace.must_plan_nothing("after three applies").await;
}

async fn a_service_that_errs_once(side: &Side) {
    let suites: Vec<_> = suites(side.prefix).into_iter().filter(|suite| !suite.single).collect();
    let world = World::start();
    take_whim(&world, side, &suites, false).await;
    let workspace = world.workspace_of_many("ours").await;
    write(&workspace, &suites, Step::Set);
    let run = workspace.json(AT_ONCE).await.good();
    none_tainted(&workspace, "the apply");
    let (warned, replacing) = warned(&run);
    assert_eq!(warned, replacing, "what can be changed was mended by one more write");
    let planned: BTreeMap<String, String> = workspace.plan().await;
    assert!(planned.iter().all(|(address, action)| action == "replace" && replacing.contains(address)), "{planned:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g30_a_service_that_keeps_to_other_values_leaves_untainted_objects_and_warnings_on_the_gateway() {
    an_obstinate_service(&GATEWAY).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g30_what_the_service_stored_otherwise_at_first_is_mended_by_one_more_write_on_the_gateway() {
    a_service_that_errs_once(&GATEWAY).await;
}

#[tokio::test]
async fn a_filter_that_is_stored_otherwise_lives_untainted_and_opens_no_relay() {
    const SCRIPT: &str = "if (sendergroup == \"^RELAY_O365$\") { if (header(\"X-AUTH\") == \"^Secret123$\") { strip-header(\"X-AUTH\"); } else { drop(); } }";
    let world = World::start();
    let gateway = &world.stand_ins.gateway;
    let filter = |script: &str| (FILTER, "guard", json!({ "name": "guard", "script": script }));
    let before = gateway.snapshot();
    let others = world.workspace("others").await;
    others.write_resources([filter("if (true) { skip-filters(); }")]);
    others.apply().await;
    gateway.bend(gateway::Whim::Always);
    gateway.restore(&before).expect("a snapshot");

    // Nothing makes the group wait for its guard: both are there for one commit.
    let group = json!({ "listener": "OutgoingMail", "name": "RELAY_O365", "policy": "RELAYED", "senders": [".protection.outlook.com"], "guarded_by": "guard" });
    let groups = || {
        let listeners = gateway.configuration().listeners;
        listeners.iter().flat_map(|one| &one.hat.groups).filter(|group| group.name == "RELAY_O365").count()
    };
    let workspace = world.workspace("ours").await;
    workspace.write_resources([filter(SCRIPT), (GROUP, "g", group)]);
    for what in ["the first apply", "the second apply"] {
        let run = workspace.try_apply().await;
        let words = run.error_of(&format!("{GROUP}.g")).holds(&["open relay", "RELAY_O365"]);
        assert!(!words.detail.contains("Secret123"));
        none_tainted(&workspace, what);
        assert_eq!(groups(), 0, "{what}: what the device stored guards nothing");
        if what == "the first apply" {
            assert!(warned(&run).0.contains(&format!("{FILTER}.guard")), "{}", run.printed);
            assert_eq!(workspace.plan().await[&format!("{FILTER}.guard")], "update", "in place");
        }
    }
    gateway.unbend();
    workspace.converges("when it stores what it is told").await;
    assert_eq!(groups(), 1);
}

#[tokio::test]
async fn e16_rx2_a_connector_that_the_service_keeps_disabled_is_a_warning_with_the_way_out() {
    const ADDRESS: &str = "mailflow_exchange_inbound_connector.c";
    let world = world(exchange::Options::default(), gateway::Options::default());
    let exchange = &world.stand_ins.exchange;
    exchange
        .put("InboundConnector", "New", &json!({ "Enabled": false, "ConnectorType": "Partner", "SenderDomains": ["smtp:*;1"] }))
        .expect("made");
    let empty = exchange.snapshot();
    exchange.bend(exchange::Whim::Always);
    exchange.remove("InboundConnector", "New").expect("removed");
    assert_ne!(exchange.snapshot(), empty);

    let workspace = world.workspace("disabled").await;
    workspace.write(&connector("c", "New", ""));
    let run = workspace.try_apply().await.good();
    let said = run.warnings().into_iter().find(|said| said.summary.contains(WARNING)).expect("a warning");
    said.holds(&["`enabled`", "Microsoft support", "change in place"]);
    assert_eq!(workspace.stored()[ADDRESS]["enabled"], Json::Bool(true), "the planned value");

    // Support enables it.
    exchange.unbend();
    exchange.put("InboundConnector", "New", &json!({ "Enabled": true })).expect("changed");
    let planned = workspace.plan().await;
    assert!(planned.values().all(|action| action == "update"), "{planned:#?}");
    workspace.converges("after support enabled it").await;
    assert_eq!(exchange.calls().iter().filter(|call| call.cmdlet.starts_with("Remove-")).count(), 0);
}
