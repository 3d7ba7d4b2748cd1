//! The gateway's resources on each release that is supported, alone and in a cluster.
//!
//! Each cell is a gateway of its own: a release, a level, and habits of printing and asking that no document settles, so that over all cells
//! each habit meets each resource. In each, every attribute of every resource is set, changed and unset, with an empty plan after each
//! step, and then all is destroyed. `tests/blackbox/lifecycle.rs` holds the rest of a lifecycle (import, drift) on one gateway.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use mailflow::sandbox::exchange;
use mailflow::sandbox::gateway::{
    Appliance, BatchFormat, ChangeSets, Cluster, DetailForm, FilterForm, HatForm, Layout, MenuForm, Options, RecipientForm,
    Release, RouteForm, TlsForm,
};
use mailflow::tool::sandbox::StandIns;

use crate::suites::steps::{check_same_as_never_set, check_state, objects};
use crate::suites::{SUITES, Step, Suite};
use crate::support::{Must, Workspace, World};

/// The suites of the gateway's resources.
fn suites() -> Vec<&'static Suite> {
    SUITES.iter().copied().filter(|suite| suite.resource.starts_with("mailflow_gateway_")).collect()
}

/// Starts a gateway, and an Exchange Online that nobody asks.
fn world(options: Options) -> World {
    World::with(StandIns::with(exchange::Options::default(), options).expect("the stand-ins start"))
}

/// Changes the provider block of a workspace.
fn configure(workspace: &Workspace<'_>, from: &str, to: &str) {
    let file = workspace.folder.join("provider.tf");
    let text = std::fs::read_to_string(&file).expect("the provider block");
    assert!(text.contains(from), "{from:?} stands in the provider block:\n{text}");
    std::fs::write(file, text.replace(from, to)).expect("written");
}

/// Sets, changes and unsets every attribute; `steps` says from where on.
async fn lifecycle(world: &World, workspace: &Workspace<'_>, steps: &[Step]) {
    let began = Instant::now();
    let suites = suites();
    let before = world.stand_ins.gateway.snapshot();
    let mut never: Option<BTreeMap<_, _>> = None;
    for step in steps.iter().copied() {
        let objects = objects(&suites, step);
        workspace.write_resources(objects.iter().map(|(kind, name, arguments)| (*kind, name.as_str(), arguments.clone())));
        workspace.run(&["apply", "-auto-approve", "-no-color", "-parallelism=60"]).await.must("apply");
        workspace.must_plan_nothing(&format!("after the step {step:?}")).await;
        let state = workspace.state();
        check_state(&suites, step, &state);
        match (step, &never) {
            (Step::Without, _) => never = Some(state),
            (Step::WithoutAgain, Some(never)) => check_same_as_never_set(&suites, never, &state),
            _ => {}
        }
    }
    workspace.destroy().await;
    assert_eq!(world.stand_ins.gateway.snapshot(), before, "the gateway is as it was");
    let counters = world.stand_ins.gateway.counters();
    eprintln!("{:.1?}, {} commits", began.elapsed(), counters.commits);
}

const ALL: &[Step] = &[Step::Without, Step::Set, Step::Changed, Step::WithoutAgain];
/// Objects are made with their attributes at once, as most people do.
const AT_ONCE: &[Step] = &[Step::Set, Step::Changed, Step::WithoutAgain];

fn at_level(level: &str) -> BTreeSet<String> {
    BTreeSet::from([level.to_owned()])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn release_13_alone() {
    // No help shows a batch format: everything is asked by dialogs.
    let layout = Layout { batch: BatchFormat::None, ..Layout::default() };
    let world = world(Options { release: Release::V13_0, layout, ..Options::default() });
    lifecycle(&world, &world.workspace("cell").await, ALL).await;
}

/// Menus on one line, no blank lines, questions before and lines after each change.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn release_13_in_a_cluster() {
    let layout = Layout {
        menus: MenuForm::Inline,
        blank_lines: false,
        detail: DetailForm::Labels,
        routes: RouteForm::Commas,
        confirm_delete: true,
        confirmations: true,
        batch: BatchFormat::None,
        ..Layout::default()
    };
    let cluster = Cluster { cluster_only: vec!["filters".into(), "listenerconfig".into()], ..Cluster::of_two() };
    let world = world(Options { release: Release::V13_0, layout, cluster: Some(cluster), ..Options::default() });
    lifecycle(&world, &world.workspace("cell").await, AT_ONCE).await;
    assert_eq!(world.stand_ins.gateway.levels_written(), at_level("Cluster Mail"));
}

/// The second form of each printout.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn release_15_5_alone() {
    let layout = Layout {
        detail: DetailForm::Labels,
        routes: RouteForm::Commas,
        recipients: RecipientForm::Columns,
        hosts: HatForm::Flush,
        filters: FilterForm::Bare,
        tls: TlsForm::Inline,
        ..Layout::default()
    };
    let world = world(Options { release: Release::V15_5, layout, ..Options::default() });
    lifecycle(&world, &world.workspace("cell").await, ALL).await;
}

/// Through a jump host, and with a machine of the cluster away: each commit asks whether to go on, and the run says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn release_15_5_in_a_cluster() {
    let jump =
        Appliance::start(Options { username: "dh-user".into(), forwards: true, ..Options::default() }).expect("a jump host");
    let cluster = Cluster { away: vec!["esa2.example.com".into()], ..Cluster::of_two() };
    let layout = Layout { destination_print: true, counts: false, ..Layout::default() };
    let world = world(Options { release: Release::V15_5, layout, cluster: Some(cluster), ..Options::default() });
    let workspace = world.workspace("cell").await;
    let block = format!(
        "jump_host {{\n      host      = \"127.0.0.1\"\n      port      = {}\n      username  = \"dh-user\"\n      password  = {:?}\n      host_keys = [{:?}]\n    }}\n    cluster {{",
        jump.port(),
        jump.password(),
        jump.host_key_fingerprint(),
    );
    configure(&workspace, "cluster {", &block);
    lifecycle(&world, &workspace, AT_ONCE).await;
    assert!(jump.counters().logins > 0 && jump.counters().commands.is_empty(), "{:?}", jump.counters());
    assert_eq!(world.stand_ins.gateway.levels_written(), at_level("Cluster Mail"));
}

/// A terminal of 80 columns with pages of ten rows that cannot be switched off, and escape sequences everywhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn release_16_alone() {
    // That the menu does not show the listener's defaults is tests/blackbox/listener_defaults.rs' business: choices cannot be given back then.
    let layout = Layout { interrupt_takes_back: true, ..Layout::default() };
    let world = world(Options {
        release: Release::V16_0,
        layout,
        setttymode: false,
        pager_rows: Some(10),
        columns: Some(80),
        ansi_noise: true,
        ..Options::default()
    });
    lifecycle(&world, &world.workspace("cell").await, ALL).await;
}

/// The level is one machine, and uncommitted changes belong to the account.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn release_16_in_a_cluster() {
    let layout = Layout { hosts: HatForm::Flush, recipients: RecipientForm::Columns, confirm_delete: true, ..Layout::default() };
    let cluster = Cluster { machine_only: vec!["sslconfig".into()], ..Cluster::of_two() };
    let world = world(Options {
        release: Release::V16_0,
        layout,
        cluster: Some(cluster),
        change_sets: ChangeSets::PerUser,
        ..Options::default()
    });
    let workspace = world.workspace("cell").await;
    configure(&workspace, "mode = \"cluster\"", "mode = \"machine\"\n      name = \"esa.example.com\"");
    lifecycle(&world, &workspace, AT_ONCE).await;
    assert_eq!(world.stand_ins.gateway.levels_written(), at_level("Machine esa.example.com"));
}
