//! What a killed run leaves uncommitted on the gateway: no truth for a reading, cleared by a change, and never more than it staged.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join;
use tempfile::TempDir;

use super::fake::{Fake, ROUTE, call, create, directory, route, update};
use crate::gateway::table::Printout;
use crate::remote::{Kind, Objects};

/// Starts two changes and kills the process at a step of the device.
fn killed_at(step: u64) -> (Fake, TempDir) {
    let directory = directory();
    let fake = Fake::new(&[("b.example", 1)]);
    fake.world().per_user = true;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let gateway = Arc::new(fake.gateway(directory.path(), |_| {}));
        tokio::spawn(async move {
            let calls = [call(), call()];
            join(create(&gateway, "a.example", 1, &calls[0]), update(&gateway, "b.example", (1, 2), &calls[1])).await
        });
        tokio::time::sleep(Duration::from_millis(step)).await;
    });
    drop(runtime);
    (fake, directory)
}

#[test]
fn g12_p01_what_a_killed_run_left_is_no_truth_for_a_reading_and_cleared_by_the_next_change() {
    let mut left = 0;
    for time in (0..400).step_by(10) {
        for reads_first in [false, true] {
            let (fake, directory) = killed_at(time);
            left += fake.world().candidates.len();
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
            runtime.block_on(async {
                let gateway = fake.gateway(directory.path(), |_| {});
                let staged = fake.world().candidates.values().next().cloned();
                if reads_first {
                    let call = call();
                    let state = route("b.example", 1).with("id", "b.example");
                    let read = gateway.read(&ROUTE, &state, &call).await.expect("read");
                    assert_eq!(read.and_then(|record| record.integer("limit")), Some(1), "{time} ms");
                    let rows = gateway.rows(&Printout::Routes, &call).await.expect("read");
                    assert!(rows.find("gateway_route", "a.example").is_none(), "{time} ms: the plan shows what is not live");
                    assert_eq!(call.take_reports().len(), usize::from(staged.is_some()), "{time} ms");
                    let left = fake.world().candidates.values().next().map(|candidate| candidate.lines.clone());
                    assert_eq!(left, staged.as_ref().map(|candidate| candidate.lines.clone()), "a reading clears nothing");
                }
                let call = call();
                create(&gateway, "z.example", 1, &call).await.unwrap_or_else(|failure| panic!("{time} ms: {}", failure.error));
                assert_eq!((fake.route("a.example"), fake.route("b.example")), (None, Some(1)));
                let reports = call.take_reports();
                assert_eq!(reports.len(), usize::from(staged.is_some()), "{time} ms: {reports:?}");
                if let Some(candidate) = staged {
                    assert!(candidate.lines.iter().all(|line| reports[0].detail.contains(line)), "{reports:?}");
                }
            });
        }
    }
    assert!(left > 10, "the runs were killed too early to leave anything");
}

/// The work of somebody else beside what a killed run left in the same candidate.
#[test]
fn rs1_what_a_killed_run_did_not_stage_is_never_cleared() {
    let mut left = 0;
    for time in (100..400).step_by(20) {
        let (fake, directory) = killed_at(time);
        let Some(line) = fake.world().candidates.values_mut().next().map(|candidate| {
            candidate.lines.push("interfaces: a.example.com is now Management".to_owned());
            candidate.lines.clone()
        }) else {
            continue;
        };
        left += 1;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
        runtime.block_on(async {
            let gateway = fake.gateway(directory.path(), |_| {});
            gateway.rows(&Printout::Routes, &call()).await.expect("read");
            let failure = create(&gateway, "z.example", 1, &call()).await.expect_err("not ours");
            assert_eq!(failure.error.kind, Kind::Conflict, "{time} ms: {}", failure.error);
        });
        let stands = fake.world().candidates.values().next().map(|candidate| candidate.lines.clone());
        assert_eq!(stands, Some(line), "{time} ms");
    }
    assert!(left > 3, "the runs were killed too early to leave anything");
}

#[test]
fn rs1_a_journal_of_another_account_and_a_provider_that_only_reads_clear_nothing() {
    let (fake, directory) = killed_at(200);
    let lines = |fake: &Fake| fake.world().candidates.values().next().map(|candidate| candidate.lines.clone());
    let staged = lines(&fake).expect("something is left");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let other = fake.gateway(directory.path(), |settings| settings.login.username = "admin".to_owned());
        let failure = create(&other, "z.example", 1, &call()).await.expect_err("not ours");
        assert_eq!(failure.error.kind, Kind::Conflict, "{}", failure.error);
        let reader = fake.gateway(directory.path(), |settings| settings.read_only = true);
        reader.rows(&Printout::Routes, &call()).await.expect("read");
        let denied = create(&reader, "z.example", 1, &call()).await.expect_err("it only reads");
        assert_eq!(denied.error.kind, Kind::Denied);
    });
    assert_eq!(lines(&fake), Some(staged));
}
