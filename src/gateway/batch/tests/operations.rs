//! Terraform's operations over the gateway in memory.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::fake::{Fake, ROUTE, call, create, delete, directory, route, update};
use crate::gateway::dialog::Dialog;
use crate::gateway::objects::Gateway;
use crate::gateway::original::ORIGINAL;
use crate::gateway::table::Printout;
use crate::remote::{Call, Change, Kind, Objects};
use crate::schema::Record;
use crate::value::{Diagnostic, Severity, Value};

fn gateway(routes: &[(&str, i64)]) -> (Fake, Gateway, tempfile::TempDir) {
    let directory = directory();
    let fake = Fake::new(routes);
    let gateway = fake.gateway(directory.path(), |_| {});
    (fake, gateway, directory)
}

async fn check(gateway: &Gateway, planned: &Record, call: &Call) {
    let change = Change { resource: &ROUTE, prior: None, planned, effective: planned, config: planned };
    gateway.check(change, call).await.expect("checked");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_taken_is_an_error_with_the_block_to_paste() {
    let (fake, gateway, _directory) = gateway(&[("a.example", 1)]);
    let failure = create(&gateway, "a.example", 2, &call()).await.expect_err("taken");
    assert_eq!(failure.error.kind, Kind::Conflict);
    let hint = failure.error.hint.expect("a hint");
    assert!(hint.ends_with("import {\n  to = mailflow_gateway_route.a_example\n  id = \"a.example\"\n}"), "{hint}");
    assert_eq!((fake.route("a.example"), fake.count(|world| world.stagings)), (Some(1), 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_always_there_is_adopted_and_put_back_as_it_was() {
    let (fake, gateway, _directory) = gateway(&[("ALL", 500)]);
    let created = call();
    let made = create(&gateway, "ALL", 7, &created).await.expect("adopted");
    assert_eq!((made.integer("limit"), fake.route("ALL")), (Some(7), Some(7)));
    let private = created.all_private();
    assert!(private.contains_key(ORIGINAL));

    let changed = call();
    update(&gateway, "ALL", (7, 8), &changed).await.expect("changed");
    assert!(changed.all_private().is_empty(), "only what stood before the adoption is kept");

    let destroyed = Call::new(CancellationToken::new(), Duration::from_mins(5)).with_private(private);
    delete(&gateway, "ALL", 8, &destroyed).await.expect("restored");
    assert_eq!(fake.route("ALL"), Some(500));
}

#[tokio::test(start_paused = true)]
async fn what_is_always_there_and_not_printed_is_made_to_set_it_and_deleted_to_reset_it() {
    let (fake, gateway, _directory) = gateway(&[("a.example", 1)]);
    let created = call();
    create(&gateway, "ALL", 7, &created).await.expect("set");
    let changed = Call::new(CancellationToken::new(), Duration::from_mins(5)).with_private(created.all_private());
    update(&gateway, "ALL", (7, 8), &changed).await.expect("changed");
    assert_eq!((fake.route("ALL"), created.all_private()), (Some(8), changed.all_private()));
    delete(&gateway, "ALL", 8, &changed).await.expect("reset");
    assert_eq!(fake.route("ALL"), None);
}

#[tokio::test(start_paused = true)]
async fn what_was_imported_and_is_always_there_stays_as_it_is_with_a_warning() {
    let (fake, gateway, _directory) = gateway(&[("ALL", 500)]);
    for private in [None, Some(serde_json::json!({"limit": 7}))] {
        let call = call();
        if let Some(broken) = private {
            call.set_private(ORIGINAL, broken);
        }
        delete(&gateway, "ALL", 500, &call).await.expect("left");
        assert_eq!(call.take_reports().iter().map(|report| report.severity).collect::<Vec<_>>(), [Severity::Warning]);
    }
    assert_eq!((fake.route("ALL"), fake.count(|world| world.stagings)), (Some(500), 0));
}

#[tokio::test(start_paused = true)]
async fn an_import_finds_the_object_or_names_the_likest() {
    let (_fake, gateway, _directory) = gateway(&[("example.com", 1), ("example.org", 2), ("other.net", 3)]);
    let found = gateway.find(&ROUTE, "example.org", &call()).await.expect("found");
    assert_eq!((found.text("id"), found.integer("limit")), (Some("example.org"), Some(2)));
    assert!(gateway.read(&ROUTE, &found, &call()).await.expect("read").is_some());

    let error = gateway.find(&ROUTE, "exmaple.org", &call()).await.expect_err("not there");
    assert_eq!(error.kind, Kind::NotFound);
    assert_eq!(error.hint.as_deref(), Some("It has: example.org, example.com, other.net."));

    let error = gateway.find(&ROUTE, "not a domain", &call()).await.expect_err("malformed");
    assert_eq!((error.kind, error.message.as_str()), (Kind::Invalid, "The form is a domain, such as example.com."));
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_is_not_there_is_an_error_at_plan_that_lists_the_listeners() {
    let (fake, gateway, _directory) = gateway(&[]);
    let plan = call();
    check(&gateway, &route("a.example", 1).with("listener", "incomingmail"), &plan).await;
    let reports = plan.take_reports();
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].path.as_ref().map(ToString::to_string).as_deref(), Some("listener"));
    assert!(reports[0].is_error() && reports[0].detail.contains("IncomingMail, Out."), "{}", reports[0].detail);

    check(&gateway, &route("a.example", 1).with("listener", "Out"), &plan).await;
    assert!(plan.take_reports().is_empty());
    let reads = fake.count(|world| world.reads);
    check(&gateway, &route("a.example", 1).with("listener", Value::UNKNOWN), &plan).await;
    assert_eq!(fake.count(|world| world.reads), reads, "what is not known yet is not asked for");
}

#[tokio::test(start_paused = true)]
async fn a_table_s_own_check_sees_what_stands() {
    let (_fake, gateway, _directory) = gateway(&[("a.example", 1)]);
    let plan = call();
    check(&gateway, &route("a.example", 1), &plan).await;
    // The table's own word, and that of all tables on a name that is taken.
    let reports = plan.take_reports();
    assert_eq!(reports.iter().map(Diagnostic::is_error).collect::<Vec<_>>(), [false, true], "{reports:#?}");
}

#[tokio::test(start_paused = true)]
async fn an_object_whose_listener_is_gone_is_gone() {
    let (_fake, gateway, _directory) = gateway(&[]);
    let state = route("a.example", 1).with("listener", "Nowhere").with("id", "a.example");
    assert_eq!(gateway.read(&ROUTE, &state, &call()).await.expect("read"), None);
    let error = gateway.rows(&Printout::Recipients("Nowhere".to_owned()), &call()).await.expect_err("not there");
    assert_eq!(error.message, "Listener Nowhere does not exist.");
}

#[tokio::test(start_paused = true)]
async fn a_read_only_provider_sends_nothing() {
    let directory = directory();
    let fake = Fake::new(&[("b.example", 1)]);
    let gateway = fake.gateway(directory.path(), |settings| settings.read_only = true);
    assert_eq!(create(&gateway, "a.example", 1, &call()).await.expect_err("refused").error.kind, Kind::Denied);
    assert_eq!(update(&gateway, "b.example", (1, 2), &call()).await.expect_err("refused").error.kind, Kind::Denied);
    assert_eq!(delete(&gateway, "b.example", 1, &call()).await.expect_err("refused").kind, Kind::Denied);
    assert_eq!(fake.count(|world| world.logins), 0);
    assert!(gateway.read(&ROUTE, &route("b.example", 1), &call()).await.expect("read").is_some());
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_gone_is_no_error_to_delete_and_an_error_to_change() {
    let (_fake, gateway, _directory) = gateway(&[]);
    delete(&gateway, "a.example", 1, &call()).await.expect("already gone");
    assert_eq!(update(&gateway, "a.example", (1, 1), &call()).await.expect_err("gone").error.kind, Kind::NotFound);
    assert_eq!(gateway.read(&ROUTE, &route("a.example", 1), &call()).await.expect("read"), None);
}

#[tokio::test(start_paused = true)]
async fn objects_of_two_listeners_go_live_in_one_commit() {
    let (fake, gateway, _directory) = gateway(&[]);
    let gateway = Arc::new(gateway);
    let made = futures::future::join_all(["IncomingMail", "Out"].map(|listener| {
        let gateway = Arc::clone(&gateway);
        async move {
            let planned = route("a.example", 1).with("listener", listener).with("id", Value::UNKNOWN);
            let change = Change { resource: &ROUTE, prior: None, planned: &planned, effective: &planned, config: &planned };
            gateway.create(change, &call()).await.expect("created")
        }
    }))
    .await;
    assert_eq!(made.iter().map(|record| record.text("listener")).collect::<Vec<_>>(), [Some("IncomingMail"), Some("Out")]);
    assert_eq!(fake.count(|world| world.commits), 1);
}

#[tokio::test]
async fn p03_making_a_client_and_announcing_does_no_work() {
    let fake = Fake::new(&[]);
    let directory = directory();
    let made = fake.gateway(directory.path(), |_| {});
    made.announce(&ROUTE, &route("a.example", 1).with("domain", Value::UNKNOWN));
    made.close().await;
    assert_eq!(fake.count(|world| world.logins), 0);
    assert_eq!(std::fs::read_dir(directory.path()).expect("a directory").count(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_was_read_ends_with_the_client_that_each_configure_makes() {
    let (fake, first, directory) = gateway(&[("a.example", 1)]);
    let rows = async |gateway: &Gateway| gateway.rows(&Printout::Routes, &call()).await.expect("read").rows.len();
    assert_eq!((rows(&first).await, rows(&first).await), (1, 1));
    assert_eq!(fake.count(|world| world.reads), 1);
    let _ = fake.world().live.entry("Routes".to_owned()).or_default().insert("b.example".to_owned(), 1);
    let second = fake.gateway(directory.path(), |_| {});
    assert_eq!(rows(&second).await, 2, "a new client knows nothing of what an older one read");
    assert_eq!(fake.count(|world| world.reads), 2);
}

#[tokio::test(start_paused = true)]
async fn a_report_waits_until_nothing_of_ours_is_staged_and_sees_what_is_live_then() {
    let (fake, gateway, _directory) = gateway(&[("a.example", 1)]);
    fake.world().staging_time = Duration::from_secs(5);
    let (created, asked) = (call(), call());
    let ask = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        gateway.report(&Dialog::of("trace"), &asked).await
    };
    let (made, report) = tokio::join!(create(&gateway, "b.example", 2, &created), ask);
    made.expect("created");
    let said = report.expect("a report").told.into_iter().map(|told| told.said).collect::<String>();
    assert_eq!((said.as_str(), fake.count(|world| world.commits)), ("a.example b.example", 1));
}
