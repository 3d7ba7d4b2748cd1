//! Faults of the gateway.

use mailflow::sandbox::exchange;
use mailflow::sandbox::gateway::tables::hat::Verdict;
use mailflow::sandbox::gateway::{Break, ChangeSets, Edit, Fault, Options, Point};
use serde_json::{Value as Json, json};

use super::run::{Runs, domains, nothing_staged, routes, until, world};
use crate::support::World;

const A: (&str, &str, &str) = ("a", "a.example", "one.example.net");
const B: (&str, &str, &str) = ("b", "b.example", "one.example.net");
const C: (&str, &str, &str) = ("c", "c.example", "one.example.net");
const D: (&str, &str, &str) = ("d", "d.example", "one.example.net");

/// A gateway whose sessions share their uncommitted changes.
fn shared() -> World {
    world(exchange::Options::default(), Options { change_sets: ChangeSets::PerUser, ..Options::default() })
}

/// Somebody's route, as a change to the configuration.
fn theirs(domain: &str, host: &str) -> Edit {
    Edit::Add {
        path: "/smtp_routes/-".into(),
        value: json!({ "domain": domain, "destinations": [host], "authentication": null }),
    }
}

/// Where the mail of a domain goes.
fn destination(world: &World, domain: &str) -> Option<String> {
    let routes = world.stand_ins.gateway.configuration().smtp_routes;
    routes.into_iter().find(|route| route.domain == domain).map(|route| route.destinations.join(", "))
}

#[tokio::test]
async fn g09_a_refused_commit_fails_the_guilty_object_in_the_devices_words_and_commits_the_others() {
    for change_sets in [ChangeSets::PerSession, ChangeSets::PerUser] {
        let world = world(exchange::Options::default(), Options { change_sets, ..Options::default() });
        let gateway = &world.stand_ins.gateway;
        let workspace = world.workspace("refused").await;
        workspace.write(&routes(&[A, B, C, D]));
        let words = "Error: the host for c.example is reserved by the lunar office.";
        gateway.fault(Fault::RefuseCommitOf { name: "c.example".into(), text: words.into() });
        let run = workspace.try_apply().await;
        let said = run.error().holds(&["Unable to create SMTP route \"c.example\"", words, "Nothing of this change is on it"]);
        assert_eq!(said.address, "mailflow_gateway_smtp_route.c");
        assert_eq!(domains(&world), ["a.example", "b.example", "d.example"]);
        nothing_staged(&world);
        let stored: Vec<String> = workspace.stored().into_keys().collect();
        assert_eq!(stored, ["a", "b", "d"].map(|label| format!("mailflow_gateway_smtp_route.{label}")));
        gateway.clear_faults();
        workspace.converges("after a refused commit").await;
        assert_eq!(domains(&world).len(), 4);
    }
}

#[tokio::test]
async fn g09_a_refusal_of_everything_ends_soon_and_leaves_nothing() {
    let world = World::start();
    let gateway = &world.stand_ins.gateway;
    let before = gateway.snapshot();
    let workspace = world.workspace("full").await;
    workspace.write(&routes(&[A, B, C, D]));
    gateway.fault(Fault::DiskFull);
    let run = workspace.try_apply().await;
    assert_eq!(run.errors().len(), 4, "{}", run.printed);
    for said in run.errors() {
        said.holds(&["Configuration filesystem is full"]);
    }
    assert_eq!(gateway.snapshot(), before);
    nothing_staged(&world);
    assert!(workspace.stored().is_empty());
    let tried = gateway.counters().failed_commits;
    assert!(tried <= 8, "G24: shown as is, no loop; tried {tried} times");
    gateway.fault(Fault::DiskFree);
    workspace.converges("with space again").await;
}

#[tokio::test]
async fn g10_a_collision_keeps_both_and_one_over_the_same_object_is_an_error() {
    let world = World::start();
    let gateway = &world.stand_ins.gateway;
    let workspace = world.workspace("collision").await;
    workspace.write(&routes(&[A, B]));
    gateway.fault(Fault::Collide { nth: 1, change: vec![theirs("theirs.example", "their.example.net")] });
    workspace.try_apply().await.good();
    assert_eq!(domains(&world), ["a.example", "b.example", "theirs.example"]);
    nothing_staged(&world);
    workspace.must_plan_nothing("after a collision").await;

    let two = |(label, domain, _): (&'static str, &'static str, &'static str)| (label, domain, "two.example.net");
    workspace.write(&routes(&[two(A), two(B)]));
    gateway.fault(Fault::Collide {
        nth: 1,
        change: vec![Edit::Replace {
            path: "/smtp_routes/[domain=a.example]/destinations".into(),
            value: json!(["their.example.net"]),
        }],
    });
    let run = workspace.try_apply().await;
    let said = run.error().holds(&["Unable to update SMTP route \"a.example\"", "changed"]);
    assert_eq!(said.address, "mailflow_gateway_smtp_route.a");
    assert_eq!(destination(&world, "a.example").as_deref(), Some("their.example.net"), "nothing of theirs is lost");
    assert_eq!(destination(&world, "b.example").as_deref(), Some("two.example.net"), "the other one is committed");
    nothing_staged(&world);
    workspace.converges("after a collision over one object").await;
    assert_eq!(destination(&world, "a.example").as_deref(), Some("two.example.net"));
}

#[tokio::test]
async fn e23_g10_what_somebody_changed_since_the_plan_is_not_written_over() {
    let world = World::start();
    let gateway = &world.stand_ins.gateway;
    let workspace = world.workspace("since").await;
    workspace.write(&routes(&[A, B, C, D]));
    workspace.apply().await;
    let two = |(label, domain, _): (&'static str, &'static str, &'static str)| (label, domain, "two.example.net");
    // a: theirs; b: theirs, and deleted all the same; c: theirs as planned; d: nobody else's.
    workspace.write(&routes(&[two(A), two(C), two(D)]));
    workspace.json(&["plan", "-out=saved.plan"]).await.good();
    gateway.edit(|configuration| {
        for route in &mut configuration.smtp_routes {
            match route.domain.as_str() {
                "a.example" | "b.example" => route.destinations = vec!["their.example.net".into()],
                "c.example" => route.destinations = vec!["two.example.net".into()],
                _ => {}
            }
        }
    });
    let run = workspace.json(&["apply", "saved.plan"]).await;
    assert_eq!(run.errors().len(), 1, "{}", run.printed);
    let words = ["changed by somebody else since the plan", "their.example.net", "one.example.net", "Plan again"];
    run.error_of("mailflow_gateway_smtp_route.a").holds(&["Unable to update"]).holds(&words).marks("destination");
    let standing =
        ["a.example", "b.example", "c.example", "d.example"].map(|domain| destination(&world, domain).unwrap_or_default());
    assert_eq!(standing, ["their.example.net", "", "two.example.net", "two.example.net"]);
    nothing_staged(&world);
    assert_eq!(workspace.stored().len(), 3);
    workspace.converges("after somebody else's change").await;
    assert_eq!(domains(&world), ["a.example", "c.example", "d.example"]);
    assert_eq!(destination(&world, "a.example").as_deref(), Some("two.example.net"));
}

#[tokio::test]
async fn g11_uncommitted_changes_of_others_are_neither_committed_nor_lost() {
    let world = shared();
    let gateway = &world.stand_ins.gateway;
    let before = gateway.snapshot();
    let foreign: Json = json!({ "domain": "foreign.example", "destinations": ["their.example.net"], "authentication": null });
    let route = serde_json::from_value(foreign).expect("a route");
    gateway.stage(|configuration| configuration.smtp_routes.push(route));
    let workspace = world.workspace("foreign").await;
    workspace.write(&routes(&[A, B]));
    let run = workspace.try_apply().await;
    assert_eq!(run.errors().len(), 2, "{}", run.printed);
    for said in run.errors() {
        said.holds(&["uncommitted changes that are not ours", "foreign.example", "pending_changes"]);
    }
    assert_eq!(gateway.snapshot(), before);
    assert!(gateway.pending(), "theirs still wait");
    assert!(gateway.comments().is_empty(), "nothing was committed");
    assert!(workspace.stored().is_empty());

    workspace.set_provider("    host      =", "    pending_changes = \"discard\"\n    host      =");
    let run = workspace.try_apply().await.good();
    assert!(run.printed.contains("foreign.example"), "the user is told what was cleared: {}", run.printed);
    assert_eq!(domains(&world), ["a.example", "b.example"]);
    nothing_staged(&world);
    workspace.must_plan_nothing("after theirs were discarded").await;
}

#[tokio::test]
async fn g05_g07_g08_a_lost_line_ends_with_all_live_and_nothing_staged() {
    let at = |point: Point, nth: u32| Fault::Break { how: Break::Drop, at: point, nth };
    let cases = [
        ("before the login", Fault::ConnectionLimit { times: 2 }, 1),
        ("after the login", at(Point::Login, 1), 1),
        ("while staging", at(Point::Question("destination hosts".into()), 2), 1),
        ("in the menu", at(Point::Command("smtproutes".into()), 3), 1),
        ("at the commit's question", at(Point::Question("comments describing".into()), 1), 1),
        ("before the commit's effect", at(Point::CommitBefore, 1), 1),
        ("after the commit's effect", at(Point::CommitAfter, 1), 1),
    ];
    for change_sets in [ChangeSets::PerSession, ChangeSets::PerUser] {
        let world = world(exchange::Options::default(), Options { change_sets, ..Options::default() });
        let gateway = &world.stand_ins.gateway;
        let empty = gateway.snapshot();
        let workspace = world.workspace("lost").await;
        let plan = |label: &str| format!("{label} ({change_sets:?})");
        for (what, fault, commits) in cases.clone() {
            gateway.restore(&empty).expect("a snapshot");
            let _ = std::fs::remove_file(workspace.folder.join("terraform.tfstate"));
            workspace.write(&routes(&[A, B]));
            gateway.fault(fault);
            let before = gateway.counters().commits;
            let run = workspace.try_apply().await;
            assert!(run.code == Some(0), "{}: {}", plan(what), run.printed);
            assert_eq!(gateway.faults_waiting(), 0, "{} happened", plan(what));
            assert_eq!(gateway.counters().commits - before, commits, "{}", plan(what));
            assert_eq!(domains(&world), ["a.example", "b.example"], "{}", plan(what));
            nothing_staged(&world);
            workspace.must_plan_nothing(what).await;
        }
    }
}

#[tokio::test]
async fn g25_a_slow_commit_succeeds_and_one_over_its_limit_is_said_to_be_open() {
    let world = World::start();
    let gateway = &world.stand_ins.gateway;
    let workspace = world.workspace("slow").await;
    workspace.write(&routes(&[A]));
    gateway.fault(Fault::SlowCommit { nth: 1, milliseconds: 4000 });
    workspace.try_apply().await.good();
    assert_eq!(gateway.counters().commits, 1);
    workspace.must_plan_nothing("after a slow commit").await;

    workspace.set_provider("    host      =", "    commit {\n      timeout = \"2s\"\n    }\n    host      =");
    workspace.write(&routes(&[A, B]));
    gateway.fault(Fault::SlowCommit { nth: 1, milliseconds: 5000 });
    let run = workspace.try_apply().await;
    let said = run.error().holds(&["Unable to create SMTP route \"b.example\"", "2 s", "commit.timeout", "import {"]);
    assert_eq!(workspace.stored().len(), 1, "what nobody knows of is in no state");
    // Whatever became of it.
    until("the slow commit ended", || gateway.sessions() == 0).await;
    gateway.clear_faults();
    if domains(&world).iter().any(|domain| domain == "b.example") {
        workspace.write(&format!("{}\n{}", said.block("mailflow_gateway_smtp_route.b"), routes(&[A, B])));
    }
    workspace.converges("after a commit over its limit").await;
    assert_eq!(domains(&world), ["a.example", "b.example"]);
    nothing_staged(&world);
}

#[tokio::test]
async fn g30_a_commit_that_changes_nothing_is_an_error() {
    let world = World::start();
    let gateway = &world.stand_ins.gateway;
    let workspace = world.workspace("false").await;
    workspace.write(&routes(&[A, B]));
    let before = gateway.snapshot();
    gateway.fault(Fault::FalseCommit { nth: 1 });
    let run = workspace.try_apply().await;
    assert_eq!(run.errors().len(), 2, "{}", run.printed);
    for said in run.errors() {
        said.holds(&["The gateway took the change, but", "is not there"]);
    }
    assert_eq!(gateway.snapshot(), before);
    assert!(workspace.stored().is_empty());
    workspace.converges("after a false commit").await;

    // The same for a change and for a delete.
    workspace.write(&routes(&[("a", "a.example", "two.example.net"), B]));
    gateway.fault(Fault::FalseCommit { nth: 1 });
    let run = workspace.try_apply().await;
    run.error_of("mailflow_gateway_smtp_route.a").holds(&["shows other values", "destination"]).marks("destination");
    assert_eq!(destination(&world, "a.example").as_deref(), Some("one.example.net"));
    assert_eq!(workspace.stored().len(), 2);
    workspace.converges("after a false change").await;
    workspace.write(&routes(&[("a", "a.example", "two.example.net")]));
    gateway.fault(Fault::FalseCommit { nth: 1 });
    workspace.try_apply().await.error().holds(&["Unable to delete SMTP route \"b.example\"", "is still there"]);
    assert_eq!(domains(&world), ["a.example", "b.example"]);
    assert_eq!(workspace.stored().len(), 2, "what is there is in the state");
    workspace.converges("after a false delete").await;
    assert_eq!(domains(&world), ["a.example"]);
}

#[tokio::test]
async fn e10_a_taken_name_on_the_gateway_is_an_error_with_the_block_that_imports_it() {
    let world = World::start();
    let gateway = &world.stand_ins.gateway;
    gateway.edit_paths(&[theirs("a.example", "their.example.net")]).expect("it fits");
    let before = gateway.snapshot();
    let workspace = world.workspace("taken").await;
    workspace.write(&routes(&[A]));
    let run = workspace.try_apply().await;
    let said = run.error().holds(&["SMTP route \"a.example\" already exists", "Nothing is overwritten"]).marks("domain");
    assert_eq!(gateway.snapshot(), before);
    assert!(workspace.stored().is_empty());
    nothing_staged(&world);
    let block = said.block("mailflow_gateway_smtp_route.a");
    workspace.write(&format!("{block}\n{}", routes(&[A])));
    workspace.converges("after the import").await;
    assert_eq!(destination(&world, "a.example").as_deref(), Some("one.example.net"));
}

#[tokio::test]
async fn e21_g23_deletes_of_what_is_gone_and_of_what_is_in_use() {
    let world = World::start();
    let gateway = &world.stand_ins.gateway;
    let workspace = world.workspace("deletes").await;
    let policy = "resource \"mailflow_gateway_mail_flow_policy\" \"p\" {\n  listener = \"OutgoingMail\"\n  name = \"OURS\"\n  behavior = \"relay\"\n}\n";
    workspace.write(&format!("{}{policy}", routes(&[A, B])));
    workspace.apply().await;
    gateway.edit(|configuration| configuration.smtp_routes.clear());
    // Somebody uses the policy in a group of their own.
    gateway.edit(|configuration| {
        let listener = configuration.listener_mut("OutgoingMail").expect("it is there");
        let mut group = listener.hat.groups.first().expect("one").clone();
        group.name = "THEIRS".into();
        group.verdict = Verdict::Policy("OURS".into());
        listener.hat.groups.push(group);
    });
    let before = gateway.snapshot();
    let run = workspace.json(&["destroy", "-auto-approve", "-refresh=false"]).await;
    run.error().holds(&["Unable to delete mail flow policy \"OURS\""]);
    assert_eq!(gateway.snapshot(), before);
    nothing_staged(&world);
    assert_eq!(
        workspace.stored().into_keys().collect::<Vec<_>>(),
        ["mailflow_gateway_mail_flow_policy.p"],
        "the routes are gone"
    );

    gateway.edit(|configuration| {
        let listener = configuration.listener_mut("OutgoingMail").expect("it is there");
        listener.hat.groups.retain(|group| group.name != "THEIRS");
    });
    workspace.destroy().await;
}

#[tokio::test]
async fn g21_a_table_that_is_cut_off_is_not_a_table_without_the_rest() {
    let world = World::start();
    let gateway = &world.stand_ins.gateway;
    let workspace = world.workspace("cut").await;
    let limited = routes(&[A, B, C]).replace("  }\n}", "  }\n  timeouts {\n    read = \"6s\"\n  }\n}");
    workspace.write(&limited);
    workspace.apply().await;
    let state = workspace.state_text();
    let cut = |how: Break| Fault::CutOutput { command: "smtproutes".into(), after_lines: 12, how };

    gateway.fault(cut(Break::Drop));
    workspace.must_plan_nothing("after one table that was cut off").await;
    assert_eq!(gateway.faults_waiting(), 0, "it happened");

    for how in [Break::Drop, Break::Hang] {
        for _ in 0..12 {
            gateway.fault(cut(how));
        }
        let run = workspace.try_plan().await;
        assert!(!run.errors().is_empty(), "{how:?}: {}", run.printed);
        for said in run.errors() {
            said.holds(&["Unable to read SMTP route"]);
        }
        assert!(!run.printed.contains("planned_change\""), "{how:?}: nothing is planned\n{}", run.printed);
        assert_eq!(workspace.state_text(), state, "{how:?}");
        gateway.clear_faults();
    }
    workspace.must_plan_nothing("when the tables are whole again").await;
}

#[tokio::test]
async fn g13_a_second_run_waits_for_the_first() {
    let world = World::start();
    let gateway = &world.stand_ins.gateway;
    let (first, second) = (world.workspace("first").await, world.workspace("second").await);
    first.write(&routes(&[A]));
    second.write(&routes(&[B]).replace("  }\n}", "  }\n  timeouts {\n    create = \"2s\"\n  }\n}"));
    gateway.fault(Fault::SlowCommit { nth: 1, milliseconds: 6000 });
    let running = first.begin(&["apply", "-auto-approve"]);
    until("the first run commits", || gateway.counters().commands.contains_key("commit")).await;
    let run = second.try_apply().await;
    run.error().holds(&["Another run on this machine is changing 127.0.0.1", "process ", "timeouts"]);
    second.write(&routes(&[B]));
    second.try_apply().await.good();
    running.end().await.good();
    assert_eq!(domains(&world), ["a.example", "b.example"]);
    assert_eq!(gateway.counters().failed_commits, 0, "they did not collide");
}

#[tokio::test]
async fn g16_a_question_that_nobody_knows_is_not_answered() {
    let world = shared();
    let gateway = &world.stand_ins.gateway;
    let before = gateway.snapshot();
    let workspace = world.workspace("question").await;
    workspace.write(&routes(&[A]));
    gateway.fault(Fault::Ask {
        command: "smtproutes".into(),
        before: "destination hosts".into(),
        text: "Which moon shall be used?".into(),
        default: "Io".into(),
        yes_no: false,
    });
    let run = workspace.try_apply().await;
    run.error().holds(&["Unable to create SMTP route \"a.example\"", "Which moon shall be used?"]);
    assert_eq!(gateway.snapshot(), before);
    nothing_staged(&world);
    assert!(workspace.stored().is_empty());
    gateway.fault(Fault::Ask {
        command: "commit".into(),
        before: String::new(),
        text: "Shall the moon be committed, too?".into(),
        default: String::new(),
        yes_no: true,
    });
    let run = workspace.try_apply().await;
    run.error().holds(&["Shall the moon be committed, too?"]);
    assert_eq!(gateway.snapshot(), before);
    nothing_staged(&world);
    workspace.converges("without questions").await;
}

#[tokio::test]
async fn g17_g20_g27_what_the_device_or_its_release_does_not_allow_changes_nothing() {
    let world = world(exchange::Options::default(), Options { version: Some("99.1.0-001".into()), ..Options::default() });
    let before = world.stand_ins.gateway.snapshot();
    let workspace = world.workspace("release").await;
    workspace.write(&routes(&[A]));
    let run = workspace.try_apply().await;
    run.error().holds(&["AsyncOS 99.1.0", "13 to 16"]);
    assert_eq!(world.stand_ins.gateway.snapshot(), before);
    nothing_staged(&world);
    assert_eq!(world.stand_ins.gateway.counters().commands.get("commit"), None);

    let world = super::run::world(exchange::Options::default(), Options::default().read_only());
    let before = world.stand_ins.gateway.snapshot();
    let workspace = world.workspace("operator").await;
    workspace.write(&routes(&[A, B]));
    let run = workspace.try_apply().await;
    for said in run.errors() {
        said.holds(&["not in the correct access group"]);
    }
    assert_eq!(run.errors().len(), 2, "{}", run.printed);
    let typed = world.stand_ins.gateway.counters().commands;
    assert_eq!((typed.get("commit"), typed.get("clearchanges")), (None, None), "it is known at plan");
    assert_eq!(world.stand_ins.gateway.snapshot(), before);
    nothing_staged(&world);

    let world = World::start();
    let before = world.stand_ins.gateway.snapshot();
    let workspace = world.workspace("filter").await;
    workspace.write(
        "resource \"mailflow_gateway_message_filter\" \"f\" {\n  name   = \"f\"\n  script = \"if (frobnicate(\\\"TopSecret99\\\")) { drop(); }\"\n}\n",
    );
    let run = workspace.try_apply().await;
    run.error().holds(&["Unable to create message filter \"f\"", "frobnicate"]);
    assert!(!run.error().detail.contains("TopSecret99"), "{}", run.printed);
    assert_eq!(world.stand_ins.gateway.snapshot(), before);
    nothing_staged(&world);
    workspace.write(
        "resource \"mailflow_gateway_message_filter\" \"f\" {\n  name   = \"f\"\n  script = \"if (true) { drop(); }\"\n}\n",
    );
    workspace.converges("with a sound filter").await;
}

#[tokio::test]
async fn g26_another_release_in_the_middle_of_a_run_stops_it() {
    let world = World::start();
    let gateway = &world.stand_ins.gateway;
    let workspace = world.workspace("upgrade").await;
    workspace.write(&routes(&[A, B]));
    gateway.fault(Fault::SlowCommit { nth: 1, milliseconds: 3000 });
    let running = workspace.begin(&["apply", "-auto-approve"]);
    until("it commits", || gateway.counters().commands.contains_key("commit")).await;
    gateway.reboot(Some("16.0.0-001"));
    let run = running.end().await;
    assert!(!run.errors().is_empty(), "{}", run.printed);
    for said in run.errors() {
        said.holds(&["ran AsyncOS 15.5.3-022 when this run began, and runs 16.0.0-001 now"]);
    }
    until("the session ended", || gateway.sessions() == 0).await;
    nothing_staged(&world);
    workspace.converges("after the upgrade").await;
    assert_eq!(domains(&world), ["a.example", "b.example"]);
}
