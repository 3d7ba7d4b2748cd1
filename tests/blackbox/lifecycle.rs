//! One lifecycle for every resource, through the real binary and the real `terraform`.
//!
//! Each attribute has an object of its own: first without it, then with it, then changed, then without it again, with an empty plan after
//! each step; then all objects are imported into a fresh state with an empty plan, deleted and changed behind our back, and destroyed, after
//! which both services are exactly as they were. All objects of one side go through each step in one run of `terraform`, so that the suite costs
//! a dozen runs however many attributes there are. One resource alone:
//! `MAILFLOW_RESOURCE=exchange_inbound_connector cargo test --test blackbox lifecycle::`.

use std::collections::{BTreeMap, BTreeSet};

use crate::suites::steps::{check_same_as_never_set, check_state, objects};
use crate::suites::{ELSEWHERE, SUITES, Step, Suite};
use crate::support::World;
use mailflow::provider::CATALOG;
use mailflow::sandbox::gateway::Configuration;
use mailflow::sandbox::gateway::tables::level;
use mailflow::sandbox::{exchange, gateway};
use mailflow::schema::{Attribute, Kind, Presence, Remote};
use mailflow::tool::sandbox::StandIns;
use serde_json::Value as Json;

/// Names the one resource whose lifecycle runs.
const ONE: &str = "MAILFLOW_RESOURCE";

/// The suites of one side; of the resource that the environment names, if it names one.
fn suites(side: &str) -> Vec<&'static Suite> {
    let side = SUITES.iter().copied().filter(|suite| suite.resource.starts_with(side));
    let Ok(one) = std::env::var(ONE) else { return side.collect() };
    let is_named = |suite: &&Suite| suite.resource == one || suite.resource.strip_prefix("mailflow_") == Some(&one);
    assert!(SUITES.iter().any(&is_named), "{ONE} names no resource with a suite: {one}");
    side.filter(is_named).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_attribute_of_exchange_online_is_set_changed_and_unset_with_an_empty_plan_after_each() {
    lifecycle(&suites("mailflow_exchange_"), World::start()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_attribute_of_the_gateway_is_set_changed_and_unset_with_an_empty_plan_after_each() {
    lifecycle(&suites("mailflow_gateway_"), World::start()).await;
}

/// The group has a table of its own for each command; the cluster and the machines have others, which stay as they are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rg7_every_attribute_of_a_group_of_a_cluster_is_set_changed_and_unset_and_other_levels_stay_as_they_are() {
    let world = lifecycle(&suites("mailflow_gateway_"), at_level(GROUP)).await;
    if let Some(world) = world {
        must_have_written_only(&world, GROUP);
    }
}

/// The same one level below, with an object of each kind: what all objects share brings them there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rg7_objects_of_a_machine_of_a_cluster_are_made_and_destroyed_and_other_levels_stay_as_they_are() {
    let world = at_level(MACHINE);
    let before = world.stand_ins.snapshot();
    let workspace = world.workspace("machine").await;
    let mut kinds = BTreeSet::new();
    let mut objects = objects(&suites("mailflow_gateway_"), Step::Changed);
    objects.retain(|(kind, ..)| kinds.insert(*kind));
    workspace.write_resources(objects.iter().map(|(kind, name, arguments)| (*kind, name.as_str(), arguments.clone())));
    workspace.apply().await;
    workspace.must_plan_nothing("at the machine").await;
    assert_ne!(world.stand_ins.snapshot(), before);
    must_have_written_only(&world, MACHINE);
    workspace.destroy().await;
    assert_eq!(world.stand_ins.snapshot(), before, "the gateway is as it was");
    must_have_written_only(&world, MACHINE);
}

const GROUP: &str = "Group Main_Group";
const MACHINE: &str = "Machine esa.example.com";

/// A cluster whose group and machine have a table of their own for each command.
fn own_tables() -> Configuration {
    let mut configuration = Configuration::new_gateway(gateway::Release::default());
    for command in level::COMMANDS {
        configuration.make_own(&[GROUP.to_owned()], command, false);
        configuration.make_own(&[MACHINE.to_owned(), GROUP.to_owned()], command, false);
    }
    configuration
}

/// A world in which one level of such a cluster is managed.
fn at_level(managed: &str) -> World {
    let cluster = gateway::Cluster {
        inherited: level::COMMANDS.map(str::to_owned).to_vec(),
        others_at: Some(managed.to_owned()),
        ..gateway::Cluster::of_two()
    };
    let options = gateway::Options { cluster: Some(cluster), configuration: Some(own_tables()), ..gateway::Options::default() };
    World::with(StandIns::with(exchange::Options::default(), options).expect("the stand-ins start"))
}

fn must_have_written_only(world: &World, managed: &str) {
    assert_eq!(world.stand_ins.gateway.levels_written().into_iter().collect::<Vec<_>>(), [managed]);
    let (stands, before) = (world.stand_ins.gateway.configuration(), own_tables());
    let other = if managed == GROUP { MACHINE } else { GROUP };
    assert_eq!(stands.levels[other], before.levels[other]);
    assert_eq!((&stands.smtp_routes, &stands.filters), (&before.smtp_routes, &before.filters), "the cluster");
}

#[test]
fn every_suite_belongs_to_one_side() {
    let sides = ["mailflow_exchange_", "mailflow_gateway_"];
    for suite in SUITES {
        assert!(sides.iter().any(|side| suite.resource.starts_with(side)), "{} is in no lifecycle", suite.resource);
    }
}

/// Gives the world behind it; nothing where there is no suite to run.
async fn lifecycle(suites: &[&'static Suite], world: World) -> Option<World> {
    if suites.is_empty() {
        return None;
    }
    let before = world.stand_ins.snapshot();
    let workspace = world.workspace_of_many("lifecycle").await;

    let mut unset_before = BTreeMap::new();
    for step in [Step::Without, Step::Set, Step::Changed, Step::WithoutAgain] {
        let objects = objects(suites, step);
        workspace.write_resources(objects.iter().map(|(kind, name, arguments)| (*kind, name.as_str(), arguments.clone())));
        workspace.apply().await;
        workspace.must_plan_nothing(&format!("after the step {step:?}")).await;
        let state = workspace.state();
        check_state(suites, step, &state);
        match step {
            Step::Without => unset_before = state,
            Step::WithoutAgain => check_same_as_never_set(suites, &unset_before, &state),
            Step::Changed => import_everything(&world, &state, &objects).await,
            Step::Set => {}
        }
    }

    // What is left out of what is always there stays as it stands, so drift is of what is set.
    let (single, ordinary): (Vec<&Suite>, Vec<&Suite>) =
        suites.iter().copied().partition(|suite| suite.single && suite.change.is_some());
    if !single.is_empty() {
        let objects = [objects(&ordinary, Step::WithoutAgain), objects(&single, Step::Changed)].concat();
        workspace.write_resources(objects.iter().map(|(kind, name, arguments)| (*kind, name.as_str(), arguments.clone())));
        workspace.apply().await;
    }
    behind_our_back(suites, &world, &workspace).await;

    workspace.destroy().await;
    assert_eq!(world.stand_ins.snapshot(), before, "the services are as they were");
    Some(world)
}

/// Takes every object over into a fresh state.
async fn import_everything(world: &World, state: &BTreeMap<String, Json>, objects: &[(&'static str, String, Json)]) {
    let fresh = world.workspace_of_many("imported").await;
    fresh.write_resources(objects.iter().map(|(kind, name, arguments)| (*kind, name.as_str(), arguments.clone())));
    let ids =
        state.iter().map(|(address, values)| (address.clone(), values["id"].as_str().unwrap_or_default().to_owned())).collect();
    fresh.write_imports(&ids);
    let planned = fresh.plan().await;
    let other: Vec<_> = state.keys().filter(|address| planned.get(*address).map(String::as_str) != Some("import")).collect();
    let how: Vec<_> = other.iter().map(|address| (address, planned.get(*address), &state[*address])).collect();
    assert!(other.is_empty(), "not just imported: {how:#?}\n{}", fresh.run(&["show", "-no-color", "plan.bin"]).await.stdout);
    assert_eq!(planned.len(), state.len(), "nothing else is done");
    fresh.apply().await;
    fresh.must_plan_nothing("after the import").await;
}

/// Deletes one object of each resource and changes another, at the service.
async fn behind_our_back(suites: &[&'static Suite], world: &World, workspace: &crate::support::Workspace<'_>) {
    let state = workspace.state();
    let mut deleted = BTreeSet::new();
    let mut changed = BTreeSet::new();
    for suite in suites {
        let mine: Vec<(&String, &Json)> =
            state.iter().filter(|(address, _)| address.starts_with(&format!("{}.", suite.resource))).collect();
        if let (Some(delete), Some((address, object))) = (suite.delete, mine.first()) {
            delete(&world.stand_ins, object).await;
            deleted.insert((*address).clone());
        }
        if let (Some(change), Some((address, object))) = (suite.change, mine.last()) {
            change(&world.stand_ins, object).await;
            changed.insert((*address).clone());
        }
    }
    let planned = workspace.plan().await;
    for address in &deleted {
        assert_eq!(
            planned.get(address).map(String::as_str),
            Some("create"),
            "{address} was deleted behind our back: {planned:#?}"
        );
    }
    for address in &changed {
        assert_eq!(
            planned.get(address).map(String::as_str),
            Some("update"),
            "{address} was changed behind our back: {planned:#?}"
        );
    }
    assert_eq!(planned.len(), deleted.len() + changed.len(), "nothing else is to be done: {planned:#?}");
    workspace.apply().await;
    workspace.must_plan_nothing("after drift was mended").await;
}

/// The dotted names of all attributes that a user may write, arguments of blocks included.
pub(crate) fn written(prefix: &str, attributes: &[Attribute], found: &mut BTreeSet<String>) {
    for attribute in attributes {
        let dotted = if prefix.is_empty() { attribute.name.to_owned() } else { format!("{prefix}.{}", attribute.name) };
        match attribute.kind {
            Kind::Block(members) => written(&dotted, members, found),
            _ if attribute.presence == Presence::Computed => {}
            // Nothing of it is ever written; `unmanaged` has its own tests.
            _ if attribute.remote == Remote::Unmanaged => {}
            _ => {
                found.insert(dotted);
            }
        }
    }
}

#[test]
fn every_attribute_that_a_user_may_write_has_a_variant_or_a_reason() {
    let mut missing = Vec::new();
    for resource in CATALOG.resources {
        let full = format!("mailflow_{}", resource.name);
        let Some(suite) = SUITES.iter().find(|suite| suite.resource == full) else {
            if !ELSEWHERE.iter().any(|(resource, _)| *resource == full) {
                missing.push(format!("{full} has no suite"));
            }
            continue;
        };
        let mut all = BTreeSet::new();
        written("", resource.attributes, &mut all);
        let varied: BTreeSet<String> = (suite.variants)().iter().map(|variant| variant.attribute.to_owned()).collect();
        let excused: BTreeSet<String> = suite.elsewhere.iter().map(|(name, _)| (*name).to_owned()).collect();
        for name in all.difference(&varied) {
            if !excused.contains(name) {
                missing.push(format!("{full}: {name}"));
            }
        }
        for name in varied.iter().chain(&excused) {
            assert!(all.contains(name), "{full} has no attribute {name}");
        }
    }
    assert!(missing.is_empty(), "not covered:\n{}", missing.join("\n"));
}

#[test]
fn every_suite_belongs_to_a_resource() {
    for Suite { resource, .. } in SUITES {
        assert!(CATALOG.resource(resource).is_some(), "{resource} is not in the catalog");
    }
}
