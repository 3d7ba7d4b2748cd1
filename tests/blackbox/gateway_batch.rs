//! What changes of many objects cost on the gateway, with the real `terraform` and the real binary: commits, commands, and time.
//!
//! The times are upper bounds for a debug build on a busy machine: they catch a wait per object, not a slow processor.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::support::{Must, Workspace, World};
use mailflow::sandbox::gateway::{BatchFormat, Counters, Edit, Layout, Options};
use mailflow::tool::sandbox::StandIns;
use serde_json::{Value as Json, json};

/// A resource: its type behind `mailflow_gateway_`, its arguments, and the object as the device has it with the path of its table.
struct Entry {
    kind: &'static str,
    arguments: Json,
    id: String,
    path: &'static str,
    object: Json,
}

fn route(number: usize) -> Entry {
    let domain = format!("r{number}.example");
    Entry {
        kind: "smtp_route",
        arguments: json!({ "domain": domain, "destination": [{ "host": format!("mx{number}.example") }] }),
        id: domain.clone(),
        path: "/smtp_routes",
        object: json!({ "domain": domain, "destinations": [format!("mx{number}.example")], "authentication": null }),
    }
}

fn recipient(number: usize) -> Entry {
    let address = format!("a{number}.example");
    Entry {
        kind: "recipient_access",
        arguments: json!({ "listener": "IncomingMail", "recipient": address, "action": "accept" }),
        id: format!("IncomingMail/{address}"),
        path: "/listeners/[name=IncomingMail]/rat/entries",
        object: json!({ "address": address, "access": "accept", "response": null, "bypass_receiving_control": false,
                        "bypass_ldap_accept": false, "bypass_call_ahead": false }),
    }
}

fn destination(number: usize) -> Entry {
    let domain = format!("c{number}.example");
    Entry {
        kind: "destination_control",
        arguments: json!({ "domain": domain, "concurrency_limit": 100 }),
        id: domain.clone(),
        path: "/destination_controls/entries",
        object: json!({ "domain": domain, "concurrency": 100, "messages_per_connection": null, "recipient_limit": null,
                        "per_exchanger": false, "per_virtual_gateway": false, "tls": null, "dane": null,
                        "bounce_verification": null, "bounce_profile": null, "ip_sort": null }),
    }
}

/// A sender group of a hundred senders.
fn group(number: usize) -> Entry {
    let (name, senders) = (format!("GROUP_{number}"), (0..100).map(|sender| format!(".s{sender}.g{number}.example")));
    let senders: Vec<String> = senders.collect();
    Entry {
        kind: "sender_group",
        arguments: json!({ "listener": "OutgoingMail", "name": name, "policy": "RELAYED", "senders": senders }),
        id: format!("OutgoingMail/{name}"),
        path: "/listeners/[name=OutgoingMail]/hat/groups",
        object: json!({ "name": name, "senders": senders, "countries": [], "verdict": { "policy": "RELAYED" }, "comment": "" }),
    }
}

fn filter(number: usize) -> Entry {
    let name = format!("filter_{number}");
    Entry {
        kind: "message_filter",
        arguments: json!({ "name": name, "script": format!("if (rcpt-to == 'f{number}.example$') {{ skip-filters(); }}") }),
        id: name.clone(),
        path: "/filters",
        object: json!({ "name": name, "active": true, "body": format!("if (rcpt-to == \"f{number}.example$\") {{\n    skip-filters();\n}}") }),
    }
}

/// Writes a configuration, and gives the addresses with their import IDs.
fn write(workspace: &Workspace<'_>, entries: &[Entry]) -> BTreeMap<String, String> {
    let named = |number: usize, entry: &Entry| (format!("mailflow_gateway_{}", entry.kind), format!("e{number}"));
    let all: Vec<_> = entries.iter().enumerate().map(|(number, entry)| (named(number, entry), entry)).collect();
    workspace.write_resources(all.iter().map(|((kind, name), entry)| (kind.as_str(), name.as_str(), entry.arguments.clone())));
    all.iter().map(|((kind, name), entry)| (format!("{kind}.{name}"), entry.id.clone())).collect()
}

fn commands(counters: &Counters, name: &str) -> u64 {
    counters.commands.get(name).copied().unwrap_or_default()
}

/// Applies these on a new gateway, and gives the commits, the commands that belong to tables, and the time.
async fn apply(entries: &[Entry], parallelism: usize) -> (u64, u64, Duration) {
    let world = World::start();
    let workspace = world.workspace("entries").await;
    write(&workspace, entries);
    let began = Instant::now();
    workspace.run(&["apply", "-auto-approve", "-no-color", &format!("-parallelism={parallelism}")]).await.must("apply");
    let took = began.elapsed();
    assert!(!world.stand_ins.gateway.pending());
    let counters = world.stand_ins.gateway.counters();
    let count = ["smtproutes", "destconfig", "listenerconfig"].iter().map(|name| commands(&counters, name)).sum();
    eprintln!("{} objects, {parallelism} at a time: {} commits, {count} commands, {took:.1?}", entries.len(), counters.commits);
    assert!(counters.commits <= entries.len().div_ceil(parallelism) as u64 + 1, "{} commits", counters.commits);
    (counters.commits, count, took)
}

#[tokio::test]
async fn g29_fifty_routes_take_six_commits() {
    let (commits, commands, took) = apply(&(0..50).map(route).collect::<Vec<_>>(), 10).await;
    // One line each; each batch reads before, what the lines staged, and after, and each of Terraform's two processes may read once.
    assert!(commands <= 50 + 3 * commits + 2, "{commands} commands");
    assert!(took < Duration::from_secs(25), "{took:?}");
}

/// A hundred objects of three tables.
fn hundred() -> Vec<Entry> {
    (0..100).map(|number| [route, recipient, destination][number % 3](number)).collect()
}

#[tokio::test]
async fn g29_a_hundred_objects_ten_at_a_time_take_eleven_commits() {
    let (commits, commands, took) = apply(&hundred(), 10).await;
    // Three tables are read before and after each commit, and before it as staged; and by Terraform's two processes, which also look for
    // the listener.
    assert!(commands <= 100 + 9 * commits + 8, "{commands} commands");
    assert!(took < Duration::from_secs(50), "{took:?}");
}

#[tokio::test]
async fn g29_a_hundred_objects_one_at_a_time_wait_for_nobody() {
    let (commits, commands, took) = apply(&hundred(), 1).await;
    assert_eq!(commits, 100);
    assert!(commands <= 400 + 8, "{commands} commands");
    assert!(took < Duration::from_secs(100), "{took:?}");
}

#[tokio::test]
async fn g29_p05_a_hundred_objects_sixty_four_at_a_time_or_all_at_once_take_three_commits_at_most() {
    for parallelism in [64, 256] {
        let (.., took) = apply(&hundred(), parallelism).await;
        assert!(took < Duration::from_secs(40), "{took:?}");
    }
}

/// A command, what makes the entries of its table, how many, and how often a plan runs the command.
type Table = (&'static str, fn(usize) -> Entry, usize, u64);

#[tokio::test]
async fn a_plan_over_a_thousand_entries_of_each_table_reads_each_table_once() {
    let kinds: [Table; 5] = [
        ("smtproutes", route, 1000, 1),
        ("destconfig", destination, 1000, 1),
        // Of two listeners.
        ("listenerconfig", recipient, 1000, 2),
        ("listenerconfig", group, 10, 2),
        // The list, and the text.
        ("filters", filter, 200, 2),
    ];
    let entries: Vec<Entry> = kinds.iter().flat_map(|(_, entry, count, _)| (0..*count).map(entry)).collect();
    let world = World::start();
    for (_, entry, count, _) in kinds {
        let list: Vec<Json> = (0..count).map(|number| entry(number).object).collect();
        world
            .stand_ins
            .gateway
            .edit_paths(&[Edit::Replace { path: entry(0).path.to_owned(), value: list.into() }])
            .expect("it fits");
    }
    let workspace = world.workspace("entries").await;
    let ids = write(&workspace, &entries);
    workspace.write_imports(&ids);
    let began = Instant::now();
    workspace.run(&["apply", "-auto-approve", "-no-color"]).await.must("import");
    eprintln!("the import of {} entries: {:.1?}", entries.len(), began.elapsed());
    assert_eq!(world.stand_ins.gateway.counters().commits, 0);
    std::fs::remove_file(workspace.folder.join("imports.tf")).expect("removed");

    let before = world.stand_ins.gateway.counters();
    let began = Instant::now();
    workspace.must_plan_nothing("over a thousand entries of each table").await;
    let took = began.elapsed();
    let after = world.stand_ins.gateway.counters();
    eprintln!("a plan over {} entries: {took:.1?}", entries.len());
    for (command, .., times) in kinds {
        assert_eq!(commands(&after, command) - commands(&before, command), times, "{command}");
    }
    assert_eq!(after.logins - before.logins, 1);
    // Most of it is Terraform's own: a debug build on an idle machine takes a seventh.
    assert!(took < Duration::from_secs(150), "{took:?}");
}

/// A gateway with this batch format, which keeps every line that is typed.
fn world_of(batch: BatchFormat) -> World {
    let layout = Layout { batch, ..Layout::default() };
    let options = Options { layout, keep_steps: true, ..Options::default() };
    World::with(StandIns::with(mailflow::sandbox::exchange::Options::default(), options).expect("the stand-ins start"))
}

#[tokio::test]
async fn lines_are_typed_where_the_help_shows_them_and_do_what_dialogs_do() {
    for (batch, lines) in
        [(BatchFormat::Documented, true), (BatchFormat::None, false), (BatchFormat::Forgetful, false), (BatchFormat::Late, false)]
    {
        let world = world_of(batch);
        let workspace = world.workspace("entries").await;
        let mut entries: Vec<Entry> = (0..12).map(|number| [route, recipient, destination][number % 3](number)).collect();
        for (number, entry) in entries.iter_mut().enumerate().filter(|(_, entry)| entry.kind == "smtp_route") {
            entry.arguments["destination"] = json!([
                { "host": format!("mx{number}.example"), "port": 26, "priority": 5 },
                { "host": format!("[mx{number}.example.net]") },
            ]);
        }
        write(&workspace, &entries);
        workspace.run(&["apply", "-auto-approve", "-no-color"]).await.must("apply");
        workspace.must_plan_nothing(&format!("{batch:?}")).await;
        let routes = world.stand_ins.gateway.snapshot()["smtp_routes"].clone();
        let both = routes
            .as_array()
            .into_iter()
            .flatten()
            .filter(|route| route["destinations"].as_array().is_some_and(|all| all.len() == 2));
        assert_eq!(both.count(), 4, "{batch:?}: {routes}");
        let typed = |steps: &[String], start: &str| steps.iter().filter(|step| step.starts_with(start)).count();
        let steps = world.stand_ins.gateway.steps();
        assert_eq!(typed(&steps, "> help smtproutes"), 1, "{batch:?}");
        let by_line = typed(&steps, "> smtproutes new");
        assert_eq!(by_line, if lines { 4 } else { by_line.min(4) }, "{batch:?}");
        let by_dialog = steps.iter().filter(|step| step.contains("permanent route")).count();
        assert_eq!(by_dialog, if lines { 0 } else { 4 }, "{batch:?}");
        workspace.destroy().await;
        let left = world.stand_ins.gateway.snapshot()["smtp_routes"].clone();
        assert_eq!(left, json!([]), "{batch:?}");
    }
}

/// What 100 routes cost by what is typed. How long 300 of them take on a slow gateway is a bench: `cargo bench --bench throughput`.
#[tokio::test]
async fn a_route_costs_little_more_than_its_lines_and_its_share_of_a_batch() {
    const ROUTES: u64 = 100;
    // A line, or a dialog of seven; and what a batch costs beside them: the commit in three, `showchanges` twice, `commitdetail`, and the table
    // printed twice.
    for (batch, lines, beside) in [(BatchFormat::Documented, 1, 8), (BatchFormat::None, 7, 14)] {
        let world = world_of(batch);
        let workspace = world.workspace("entries").await;
        write(&workspace, &(0..100).map(route).collect::<Vec<_>>());
        let check = |what: &str, typed: usize, commits: u64| {
            eprintln!("{what}, {batch:?}: {typed} lines, {commits} commits");
            let most = ROUTES * lines + beside * commits + 30;
            assert!(typed as u64 <= most, "{what}, {batch:?}: {typed} lines, {most} at most");
            // The commits take no time here, and the machine may be busy: some batches close early.
            assert!(commits <= ROUTES.div_ceil(10) + 4, "{what}, {batch:?}: {commits} commits");
        };
        workspace.run(&["apply", "-auto-approve", "-no-color"]).await.must("apply");
        let (typed, commits) = (world.stand_ins.gateway.steps().len(), world.stand_ins.gateway.counters().commits);
        check("create", typed, commits);
        workspace.destroy().await;
        let (all, after) = (world.stand_ins.gateway.steps().len(), world.stand_ins.gateway.counters().commits);
        check("destroy", all - typed, after - commits);
    }
}
