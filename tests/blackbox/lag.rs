//! Servers that do not know yet what another one was told: a plan, an apply and a destroy right after an apply meet one.
//!
//! Objects of every resource of Exchange Online go through a life in which each step is a new process and follows at once: made, planned, changed,
//! planned, destroyed, made again under the same names, destroyed. None is lost, doubled or left, and no plan shows what nobody did.

use std::time::{Duration, Instant};

use mailflow::provider::CATALOG;
use mailflow::sandbox::{exchange, gateway};
use serde_json::{Value as Json, json};
use time::OffsetDateTime;

use crate::faults::run::{Runs, connector, world};
use crate::suites::steps::objects;
use crate::suites::{SUITES, Step, Suite};
use crate::support::{Must, Workspace, World};

const SIDE: &str = "mailflow_exchange_";
const RULE: &str = "mailflow_exchange_transport_rule";
const ORDER: &str = "mailflow_exchange_transport_rule_order";
const KEYS: &str = "mailflow_exchange_dkim_signing_config";
const ACTIVATION: &str = "mailflow_exchange_dkim_activation";
const CONNECTOR: &str = "mailflow_exchange_inbound_connector.c";

/// What a plan says of an object that no server shows as it was written a short time ago.
const BEHIND: &str = "is not shown as it was written yet";

/// So many objects of each resource: the first, the last, and one between.
const EACH: usize = 3;

/// One object of each kind that has one, three of the others, the order of the rules, and the switches of the DKIM configs.
fn life(step: Step) -> Vec<(&'static str, String, Json)> {
    let suites: Vec<&Suite> = SUITES.iter().copied().filter(|suite| suite.resource.starts_with(SIDE)).collect();
    let mut chosen = Vec::new();
    for suite in suites {
        let all = objects(&[suite], step);
        let last = all.len() - 1;
        let indices: std::collections::BTreeSet<usize> = (0..EACH).map(|index| index * last / (EACH - 1)).collect();
        chosen.extend(all.into_iter().enumerate().filter(|(index, _)| indices.contains(index)).map(|(_, object)| object));
    }
    let mut rules: Vec<String> =
        chosen.iter().filter(|(kind, ..)| *kind == RULE).map(|(_, name, _)| format!("${{{RULE}.{name}.name}}")).collect();
    if step == Step::Changed {
        rules.reverse();
    }
    let keys = chosen.iter().filter(|(kind, ..)| *kind == KEYS);
    let switches = keys.map(|(_, name, _)| (ACTIVATION, name.clone(), json!({ "domain": format!("${{{KEYS}.{name}.domain}}") })));
    chosen.extend(switches.collect::<Vec<_>>());
    chosen.push((ORDER, "order".to_owned(), json!({ "rules": rules })));
    chosen
}

fn write(workspace: &Workspace<'_>, step: Step) {
    workspace.write_resources(life(step).iter().map(|(kind, name, arguments)| (*kind, name.as_str(), arguments.clone())));
}

#[test]
fn rx1_every_resource_of_exchange_online_lives_with_a_server_that_lags() {
    let tried: std::collections::BTreeSet<&str> = life(Step::Set).iter().map(|(kind, ..)| *kind).collect();
    for resource in CATALOG.resources.iter().map(|resource| format!("mailflow_{}", resource.name)) {
        assert!(!resource.starts_with(SIDE) || tried.contains(resource.as_str()), "{resource} has no life here");
    }
}

fn lagging(change: impl FnOnce(&mut exchange::Options)) -> World {
    let mut options = exchange::Options { real_clock: true, ..exchange::Options::default() };
    change(&mut options);
    world(options, gateway::Options::default())
}

/// Ends the test unless a plan is empty, without a warning that something is behind: it waited until the servers agreed.
async fn plans_nothing(workspace: &Workspace<'_>, when: &str) {
    let outcome = workspace.run(&["plan", "-no-color", "-detailed-exitcode"]).await;
    assert_eq!(outcome.code, Some(0), "the plan {when} is not empty:\n{}\n{}", outcome.stdout, outcome.stderr);
    assert!(!outcome.stdout.contains(BEHIND), "the plan {when} gave up waiting:\n{}", outcome.stdout);
}

async fn lives(world: &World) {
    let exchange = &world.stand_ins.exchange;
    let before = exchange.snapshot();
    let workspace = world.workspace("ours").await;
    let removed = || exchange.calls().iter().filter(|call| call.cmdlet.starts_with("Remove-")).count();

    write(&workspace, Step::Set);
    workspace.apply().await;
    let first = exchange.snapshot();
    plans_nothing(&workspace, "after the first apply").await;
    let again = workspace.apply().await;
    assert!(again.stdout.contains("Resources: 0 added, 0 changed, 0 destroyed"), "{}", again.stdout);
    assert_eq!((exchange.snapshot(), removed()), (first, 0), "nothing is made anew");

    write(&workspace, Step::Changed);
    workspace.apply().await;
    plans_nothing(&workspace, "after the update").await;

    workspace.destroy().await;
    assert_eq!(exchange.snapshot(), before, "after the destroy");
    write(&workspace, Step::Set);
    workspace.apply().await;
    // Nothing is read first: the server that is asked to remove the objects may not know them.
    workspace.run(&["destroy", "-auto-approve", "-no-color", "-refresh=false"]).await.must("destroy");
    assert_eq!(exchange.snapshot(), before, "after the last destroy");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rx1_all_objects_live_while_servers_lag_by_seconds() {
    lives(&lagging(|options| options.visibility_delay_ms = 3000)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rx1_all_objects_live_while_servers_lag_and_tell_no_times() {
    lives(&lagging(|options| {
        options.visibility_delay_ms = 800;
        options.own_visibility_delay_ms = 200;
        options.change_times = false;
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rx1_all_objects_live_while_servers_lag_and_heed_no_cookie() {
    lives(&lagging(|options| {
        options.visibility_delay_ms = 800;
        options.affinity = false;
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rx1_all_objects_live_while_a_server_lags_by_twenty_seconds() {
    lives(&lagging(|options| options.visibility_delay_ms = 20_000)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rx1_terraform_test_leaves_nothing_behind_while_a_server_lags() {
    let world = lagging(|options| options.visibility_delay_ms = 3000);
    let exchange = &world.stand_ins.exchange;
    let before = exchange.snapshot();
    let workspace = world.workspace("ours").await;
    write(&workspace, Step::Set);
    let told = connector("c", "Told", "comment = var.comment");
    workspace.write(&format!("variable \"comment\" {{\n  default = \"one\"\n}}\n{told}"));
    let run = |name: &str, command: &str, comment: &str| {
        format!(
            "run \"{name}\" {{\n  command = {command}\n  variables {{\n    comment = \"{comment}\"\n  }}\n  assert {{\n    \
             condition     = {CONNECTOR}.comment == \"{comment}\"\n    error_message = \"another comment\"\n  }}\n}}\n"
        )
    };
    let runs = [run("made", "apply", "one"), run("planned", "plan", "one"), run("changed", "apply", "two")].concat();
    std::fs::write(workspace.folder.join("mail.tftest.hcl"), runs).expect("written");
    let tested = workspace.run(&["test", "-no-color"]).await.must("test");
    assert!(tested.stdout.contains("3 passed, 0 failed"), "{}", tested.stdout);
    assert!(exchange.count("New-InboundConnector") > 0, "it made something");
    assert_eq!(exchange.snapshot(), before, "after the test");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rx1_what_is_deleted_by_hand_right_after_a_write_is_kept_with_a_warning_and_not_made_twice() {
    let world = lagging(|_| {});
    let exchange = &world.stand_ins.exchange;
    let workspace = world.workspace("ours").await;
    workspace.write(&connector("c", "Deleted", ""));
    workspace.apply().await;
    exchange.remove("InboundConnector", "Deleted").expect("removed");
    let begin = Instant::now();
    let run = workspace.json(&["plan", "-detailed-exitcode"]).await;
    assert_eq!(run.code, Some(0), "{}", run.printed);
    let warned: Vec<_> = run.warnings().into_iter().filter(|said| said.summary.contains(BEHIND)).collect();
    assert_eq!(warned.len(), 1, "{}", run.printed);
    warned[0].holds(&["do not show it yet", "The state is kept", "after 20"]);
    assert!(begin.elapsed() < Duration::from_secs(58), "the wait is bounded: {:?}", begin.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rx1_what_is_deleted_by_hand_is_found_gone_ten_minutes_after_our_write() {
    let world = lagging(|_| {});
    let exchange = &world.stand_ins.exchange;
    exchange.set_clock(OffsetDateTime::now_utc() - Duration::from_mins(11));
    let workspace = world.workspace("ours").await;
    workspace.write(&(connector("c", "Deleted", "") + &connector("stays", "Stays", "")));
    workspace.apply().await;
    exchange.remove("InboundConnector", "Deleted").expect("removed");
    let planned = workspace.plan().await;
    assert_eq!(planned.into_iter().collect::<Vec<_>>(), [(CONNECTOR.to_owned(), "create".to_owned())]);
    let asked = exchange.calls().into_iter().filter(|call| call.parameters["Identity"].is_string());
    assert!(asked.into_iter().any(|call| call.cmdlet == "Get-InboundConnector"), "it is asked for by its identity");
}

/// A change by hand has a newer time, or other values than stood there before our own write: nothing is waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rx1_a_change_by_hand_is_drift_at_once() {
    for times in [true, false] {
        let world = lagging(|options| {
            options.visibility_delay_ms = 300;
            options.change_times = times;
        });
        let exchange = &world.stand_ins.exchange;
        let workspace = world.workspace("ours").await;
        workspace.write(&connector("c", "Changed", "comment = \"one\""));
        workspace.apply().await;
        workspace.write(&connector("c", "Changed", "comment = \"two\""));
        workspace.apply().await;
        exchange.put("InboundConnector", "Changed", &json!({ "Comment": "by hand" })).expect("changed");
        let begin = Instant::now();
        let planned = workspace.plan().await;
        assert_eq!(planned.into_iter().collect::<Vec<_>>(), [(CONNECTOR.to_owned(), "update".to_owned())], "times: {times}");
        assert!(begin.elapsed() < Duration::from_secs(20), "nothing is waited for: {:?}", begin.elapsed());
        workspace.apply().await;
        plans_nothing(&workspace, "after the drift was mended").await;
    }
}
