//! Single faults, each with the answer that it must get. Names carry the fault's ID.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{join, join_all};
use tempfile::TempDir;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::fake::{Candidate, Event, Fake, ROUTE, call, create, delete, directory, route, update};
use crate::gateway::lock::Lock;
use crate::gateway::objects::Gateway;
use crate::gateway::settings::{PendingChanges, Settings};
use crate::gateway::table::Printout;
use crate::remote::{Call, Error, Kind, Objects};
use crate::value::Severity;

struct Stage {
    fake: Fake,
    gateway: Arc<Gateway>,
    directory: TempDir,
}

fn stage(routes: &[(&str, i64)]) -> Stage {
    stage_with(routes, |_| {})
}

fn stage_with(routes: &[(&str, i64)], change: impl FnOnce(&mut Settings)) -> Stage {
    let directory = directory();
    let fake = Fake::new(routes);
    let gateway = Arc::new(fake.gateway(directory.path(), change));
    Stage { fake, gateway, directory }
}

fn foreign_candidate(stage: &Stage, line: &str) {
    let mut world = stage.fake.world();
    world.per_user = true;
    let content = world.live.clone();
    world.candidates.insert(0, Candidate { lines: vec![line.to_owned()], content, ..Candidate::default() });
}

#[tokio::test(start_paused = true)]
async fn g04_a_refused_login_is_never_tried_again() {
    let stage = stage(&[]);
    stage.fake.world().login_errors = vec![Error::new(Kind::Denied, "Permission denied")];
    for _ in 0..3 {
        let failure = create(&stage.gateway, "a.example", 1, &call()).await.expect_err("denied");
        assert_eq!(failure.error.kind, Kind::Denied);
        let error = stage.gateway.rows(&Printout::Routes, &call()).await.expect_err("denied");
        assert_eq!(error.message, "Permission denied");
    }
    assert_eq!(stage.fake.count(|world| world.logins), 1);
}

#[tokio::test(start_paused = true)]
async fn g05_a_gateway_that_is_out_of_sessions_is_asked_again_with_growing_pauses() {
    let stage = stage(&[]);
    let busy = Error::new(Kind::Unavailable, "too many sessions").retryable();
    stage.fake.world().login_errors = vec![busy; 4];
    let began = Instant::now();
    create(&stage.gateway, "a.example", 1, &call()).await.expect("created");
    assert_eq!(stage.fake.count(|world| world.logins), 5);
    assert!(began.elapsed() > Duration::from_millis(500 + 1000 + 2000 + 4000));
}

#[tokio::test(start_paused = true)]
async fn g05_when_the_time_is_up_the_error_says_what_the_gateway_said() {
    let stage = stage(&[]);
    let busy = Error::new(Kind::Unavailable, "too many sessions").retryable();
    stage.fake.world().login_errors = vec![busy; 1000];
    let began = Instant::now();
    let failure = create(&stage.gateway, "a.example", 1, &call()).await.expect_err("never got in");
    assert_eq!(began.elapsed().as_secs(), 300);
    assert_eq!(failure.error.message, "too many sessions");
}

#[tokio::test(start_paused = true)]
async fn g06_a_session_that_idles_is_ended_and_a_new_one_opened() {
    let stage = stage(&[]);
    create(&stage.gateway, "a.example", 1, &call()).await.expect("created");
    tokio::time::sleep(Duration::from_mins(25)).await;
    assert_eq!(stage.fake.count(|world| world.logouts), 1);
    create(&stage.gateway, "b.example", 1, &call()).await.expect("created");
    assert_eq!(stage.fake.count(|world| world.logins), 2);
}

#[tokio::test(start_paused = true)]
async fn g06_a_line_lost_between_two_readings_is_taken_up_again() {
    let stage = stage(&[("a.example", 1)]);
    // The login's look at the candidate is the first step, the printout the second.
    stage.fake.world().events.insert(2, vec![Event::LostAfter]);
    let rows = stage.gateway.rows(&Printout::Routes, &call()).await.expect("read");
    assert_eq!(rows.rows.len(), 1);
    assert_eq!(stage.fake.count(|world| world.logins), 2);
}

#[tokio::test(start_paused = true)]
async fn g07_a_line_that_is_lost_again_and_again_is_an_error_and_nothing_is_live() {
    let stage = stage(&[]);
    for step in 1..200 {
        stage.fake.world().events.insert(step * 3, vec![Event::LostBefore]);
    }
    let failure = create(&stage.gateway, "a.example", 1, &call()).await.expect_err("lost");
    assert_eq!(failure.error.kind, Kind::Unavailable);
    assert!(failure.object.is_none());
    assert_eq!(stage.fake.route("a.example"), None);
}

#[tokio::test(start_paused = true)]
async fn g08_a_commit_whose_outcome_nobody_can_read_is_told_with_the_block_that_imports_the_object() {
    let stage = stage(&[]);
    {
        let mut world = stage.fake.world();
        // pending, printout, dialog, pending, commit
        world.events.insert(5, vec![Event::LostAfter]);
    }
    let gateway = Arc::clone(&stage.gateway);
    let made = tokio::spawn(async move { create(&gateway, "a.example", 1, &call()).await });
    tokio::time::sleep(Duration::from_secs(3)).await;
    stage.fake.world().login_errors = vec![Error::new(Kind::Unavailable, "no route to host")];
    let failure = made.await.expect("no panic").expect_err("nobody knows");
    assert!(failure.error.message.contains("not known. no route to host"), "{}", failure.error);
    assert!(failure.object.is_none(), "what may be live is imported, and not made anew");
    assert!(failure.error.hint.is_some_and(|hint| hint.contains("import {")));
}

#[tokio::test(start_paused = true)]
async fn g08_a_commit_that_goes_live_after_its_line_was_lost_is_a_success() {
    let stage = stage(&[("b.example", 1), ("c.example", 1)]);
    // pending; printout; a dialog; pending; a dialog for each of two; pending; commit
    stage.fake.world().events.insert(8, vec![Event::LostLate]);
    let calls = [call(), call(), call()];
    let (one, (two, three)) = join(
        create(&stage.gateway, "a.example", 1, &calls[0]),
        join(update(&stage.gateway, "b.example", (1, 2), &calls[1]), delete(&stage.gateway, "c.example", 1, &calls[2])),
    )
    .await;
    assert!(one.is_ok() && two.is_ok() && three.is_ok(), "{one:?}, {two:?}, {three:?}");
    assert_eq!(stage.fake.count(|world| world.commits), 0, "the late one was enough");
}

#[tokio::test(start_paused = true)]
async fn g10_an_object_that_somebody_else_changed_meanwhile_is_an_error_and_the_other_changes_go_live() {
    let stage = stage(&[("b.example", 1)]);
    // pending; printout, dialog, pending for each of two; commit
    stage.fake.world().events.insert(6, vec![Event::Foreign("b.example")]);
    let calls = [call(), call()];
    let (one, two) =
        join(create(&stage.gateway, "a.example", 1, &calls[0]), update(&stage.gateway, "b.example", (1, 2), &calls[1])).await;
    one.expect("nobody else touched it");
    let error = two.expect_err("somebody else changed it").error;
    assert_eq!((error.kind, error.path.map(|path| path.to_string()).as_deref()), (Kind::Conflict, Some("limit")));
    assert_eq!(stage.fake.route("b.example"), Some(99));
}

/// Somebody's commit while no session of ours is open.
fn theirs(stage: &Stage, id: &str) {
    stage.fake.world().foreign(id);
}

#[tokio::test(start_paused = true)]
async fn e23_what_somebody_else_changed_since_the_plan_is_not_written_over_and_the_others_go_live() {
    let stage = stage(&[("b.example", 1), ("c.example", 1)]);
    theirs(&stage, "b.example");
    theirs(&stage, "c.example");
    let calls = [call(), call(), call()];
    let (one, (two, three)) = join(
        create(&stage.gateway, "a.example", 1, &calls[0]),
        join(update(&stage.gateway, "b.example", (1, 2), &calls[1]), delete(&stage.gateway, "c.example", 1, &calls[2])),
    )
    .await;
    one.expect("nobody else touched it");
    three.expect("a delete is not held against the state");
    assert_eq!(stage.fake.route("c.example"), None);
    let error = two.expect_err("changed").error;
    assert_eq!((error.kind, error.path.as_ref().map(ToString::to_string).as_deref()), (Kind::Conflict, Some("limit")));
    assert_eq!(error.message, "route \"b.example\" was changed by somebody else since the plan: `limit` is 99 now and was 1.");
    assert!(error.hint.expect("a hint").contains("Plan again"));
    assert_eq!(stage.fake.route("b.example"), Some(99));
    assert_eq!((stage.fake.count(|world| world.stagings), stage.fake.count(|world| world.commits)), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn e23_what_somebody_else_changed_while_the_session_was_being_opened_is_not_written_over() {
    for step in 1..=2 {
        let stage = stage(&[("b.example", 1)]);
        // pending; printout
        stage.fake.world().events.insert(step, vec![Event::Foreign("b.example")]);
        let failure = update(&stage.gateway, "b.example", (1, 2), &call()).await.expect_err("changed");
        assert_eq!(failure.error.kind, Kind::Conflict);
        assert_eq!((stage.fake.route("b.example"), stage.fake.count(|world| world.stagings)), (Some(99), 0));
    }
}

#[tokio::test(start_paused = true)]
async fn e23_what_somebody_else_made_as_it_is_planned_is_a_success_before_the_first_reading_and_at_a_collision() {
    let early = stage(&[("b.example", 1)]);
    theirs(&early, "b.example");
    update(&early.gateway, "b.example", (1, 99), &call()).await.expect("so it is");
    assert_eq!(early.fake.count(|world| world.stagings), 0);

    let late = stage(&[("b.example", 1)]);
    // pending; printout; dialog; pending; commit
    late.fake.world().events.insert(5, vec![Event::Foreign("b.example")]);
    update(&late.gateway, "b.example", (1, 99), &call()).await.expect("so it is");
    assert_eq!((late.fake.count(|world| world.stagings), late.fake.count(|world| world.commits)), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn e23_what_this_run_changed_itself_since_the_plan_is_no_conflict() {
    let stage = stage(&[("b.example", 1)]);
    update(&stage.gateway, "b.example", (1, 2), &call()).await.expect("changed");
    update(&stage.gateway, "b.example", (1, 3), &call()).await.expect("it was this run that changed it");
    theirs(&stage, "b.example");
    let failure = update(&stage.gateway, "b.example", (1, 4), &call()).await.expect_err("they changed it");
    assert_eq!(failure.error.kind, Kind::Conflict);
    assert_eq!(stage.fake.route("b.example"), Some(99));
}

#[tokio::test(start_paused = true)]
async fn g09_one_bad_change_among_twenty_is_named_and_the_others_go_live_in_few_commits() {
    let stage = stage(&[]);
    {
        let mut world = stage.fake.world();
        world.poison.insert("d13.example".to_owned());
        world.named_refusals = true;
    }
    let made = (0..20).map(|number| {
        let gateway = Arc::clone(&stage.gateway);
        async move { create(&gateway, &format!("d{number}.example"), 1, &call()).await }
    });
    let answers = join_all(made).await;
    for (number, answer) in answers.iter().enumerate() {
        match answer {
            Ok(_) => assert_ne!(number, 13),
            Err(failure) => {
                assert_eq!(number, 13, "{}", failure.error);
                assert_eq!((failure.error.kind, failure.error.message.as_str()), (Kind::Invalid, "d13.example is not allowed"));
            }
        }
    }
    assert!(stage.fake.count(|world| world.commits) <= 5, "{}", stage.fake.count(|world| world.commits));
}

#[tokio::test(start_paused = true)]
async fn g24_a_refusal_that_no_single_change_explains_goes_to_all_without_a_commit_for_each() {
    let stage = stage(&[]);
    let names: Vec<String> = (0..40).map(|number| format!("d{number}.example")).collect();
    stage.fake.world().poison = names.iter().cloned().collect();
    let answers = join_all(names.iter().map(|name| {
        let gateway = Arc::clone(&stage.gateway);
        async move { create(&gateway, name, 1, &call()).await }
    }));
    for answer in answers.await {
        assert_eq!(answer.expect_err("refused").error.message, "disk full");
    }
    assert!(stage.fake.count(|world| world.steps) < 400, "{} steps", stage.fake.count(|world| world.steps));
    assert!(stage.fake.world().candidates.is_empty());
}

#[tokio::test(start_paused = true)]
async fn g10_three_collisions_in_a_row_are_an_error_for_all_and_nothing_of_theirs_is_lost() {
    let stage = stage(&[("b.example", 1)]);
    stage.fake.world().always_collides = true;
    let calls = [call(), call()];
    let (one, two) =
        join(create(&stage.gateway, "a.example", 1, &calls[0]), update(&stage.gateway, "b.example", (1, 2), &calls[1])).await;
    for failure in [one.expect_err("collided"), two.expect_err("collided")] {
        assert_eq!(failure.error.kind, Kind::Conflict);
        assert!(failure.error.message.contains("discard all of your changes"), "{}", failure.error);
    }
    assert_eq!(stage.fake.route("foreign.example"), Some(99));
    assert_eq!(stage.fake.count(|world| world.commits), 0);
    assert!(stage.fake.world().candidates.is_empty());
}

#[tokio::test(start_paused = true)]
async fn g10_a_create_is_an_error_if_somebody_else_made_the_object_meanwhile() {
    let stage = stage(&[]);
    stage.fake.world().events.insert(5, vec![Event::Foreign("a.example")]);
    let failure = create(&stage.gateway, "a.example", 1, &call()).await.expect_err("taken");
    assert_eq!(failure.error.kind, Kind::Conflict);
    assert!(failure.object.is_none());
    assert_eq!(stage.fake.route("a.example"), Some(99));
}

#[tokio::test(start_paused = true)]
async fn g11_uncommitted_changes_of_others_stop_the_run_and_stay() {
    let stage = stage(&[]);
    foreign_candidate(&stage, "interfaces: Management \"s3cret\"");
    let failure = create(&stage.gateway, "a.example", 1, &call()).await.expect_err("not ours");
    assert_eq!(failure.error.kind, Kind::Conflict);
    assert!(failure.error.message.contains("interfaces: Management \"…\""), "{}", failure.error);
    assert!(failure.error.hint.expect("a hint").contains("pending_changes"));
    assert_eq!(stage.fake.world().candidates.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn g11_uncommitted_changes_of_others_are_discarded_if_the_user_says_so() {
    let stage = stage_with(&[], |settings| settings.pending_changes = PendingChanges::Discard);
    foreign_candidate(&stage, "interfaces: Management");
    let call = call();
    create(&stage.gateway, "a.example", 1, &call).await.expect("created");
    let reports = call.take_reports();
    assert!(
        reports.iter().any(|report| report.severity == Severity::Warning && report.detail.contains("interfaces: Management"))
    );
}

#[tokio::test(start_paused = true)]
async fn g11_a_reading_of_a_session_with_uncommitted_changes_says_so() {
    let stage = stage(&[]);
    foreign_candidate(&stage, "interfaces: Management");
    let call = call();
    stage.gateway.rows(&Printout::Routes, &call).await.expect("read");
    assert_eq!(call.take_reports().len(), 1);
    assert_eq!(stage.fake.world().candidates.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn g13_a_second_run_waits_for_the_first_and_reads_meanwhile() {
    let stage = stage(&[("b.example", 1)]);
    let lock = Lock::within(stage.directory.path(), &crate::gateway::device::Connect::name(&stage.fake));
    let other = lock.try_take().expect("usable").expect("free");
    let gateway = Arc::clone(&stage.gateway);
    let made = tokio::spawn(async move { create(&gateway, "a.example", 1, &call()).await });
    tokio::time::sleep(Duration::from_mins(1)).await;
    let began = Instant::now();
    assert_eq!(stage.gateway.rows(&Printout::Routes, &call()).await.expect("read").rows.len(), 1);
    assert!(began.elapsed() < Duration::from_secs(2));
    assert_eq!(stage.fake.count(|world| world.stagings), 0);
    drop(other);
    made.await.expect("no panic").expect("created");
    assert!(lock.try_take().expect("usable").is_some(), "the lock is free again");
}

#[tokio::test(start_paused = true)]
async fn g13_a_second_run_gives_up_at_its_time_limit_and_names_the_holder() {
    let stage = stage(&[]);
    let lock = Lock::within(stage.directory.path(), &crate::gateway::device::Connect::name(&stage.fake));
    let _other = lock.try_take().expect("usable").expect("free");
    let failure = create(&stage.gateway, "a.example", 1, &call()).await.expect_err("busy");
    assert_eq!(failure.error.kind, Kind::Conflict);
    assert!(failure.error.message.contains(&format!("process {}", std::process::id())), "{}", failure.error);
    let stop = CancellationToken::new();
    let stopped = Call::new(stop.clone(), Duration::from_mins(5));
    let (began, gateway) = (Instant::now(), Arc::clone(&stage.gateway));
    let made = tokio::spawn(async move { create(&gateway, "a.example", 1, &stopped).await });
    tokio::time::sleep(Duration::from_millis(10)).await;
    stop.cancel();
    assert_eq!(made.await.expect("no panic").expect_err("stopped").error.kind, Kind::Stopped);
    assert!(began.elapsed() < Duration::from_millis(20));
}

#[tokio::test(start_paused = true)]
async fn g15_what_the_gateway_says_beside_a_commit_is_a_warning_once() {
    let stage = stage(&[]);
    stage.fake.world().notices = vec!["machine esa2.example.com is not connected".to_owned()];
    let calls = [call(), call()];
    let (one, two) =
        join(create(&stage.gateway, "a.example", 1, &calls[0]), create(&stage.gateway, "b.example", 1, &calls[1])).await;
    assert!(one.is_ok() && two.is_ok());
    let reports: Vec<_> = calls.iter().flat_map(Call::take_reports).collect();
    assert_eq!(reports.len(), 1);
    assert!(reports[0].detail.contains("esa2.example.com"));
}

#[tokio::test(start_paused = true)]
async fn g21_an_object_that_may_stand_in_a_line_nobody_understood_is_never_gone() {
    let stage = stage(&[("b.example", 1)]);
    stage.fake.world().odd_lines = vec!["?? a.example weird".to_owned()];
    let call = call();
    let gone = stage.gateway.read(&ROUTE, &route("a.example", 1).with("id", "a.example"), &call).await;
    assert_eq!(gone.expect_err("unclear").kind, Kind::Unexpected);
    assert_eq!(call.take_reports().len(), 1, "told once");
    assert!(create(&stage.gateway, "a.example", 1, &call).await.is_err());
    assert!(delete(&stage.gateway, "a.example", 1, &call).await.is_err());
    assert!(stage.gateway.read(&ROUTE, &route("b.example", 1).with("id", "b.example"), &call).await.expect("read").is_some());
    update(&stage.gateway, "b.example", (1, 2), &call).await.expect("an object that is understood can be changed");
    create(&stage.gateway, "z.example", 1, &call).await.expect("no such line names it");
    assert!(call.take_reports().is_empty(), "told once");
}

#[tokio::test(start_paused = true)]
async fn g25_a_commit_of_two_minutes_succeeds_within_its_own_time_limit() {
    let stage = stage_with(&[], |settings| settings.commit.timeout = Duration::from_mins(5));
    stage.fake.world().commit_time = Duration::from_mins(2);
    create(&stage.gateway, "a.example", 1, &call()).await.expect("created");
    assert_eq!(stage.fake.count(|world| world.logins), 1);
}

#[tokio::test(start_paused = true)]
async fn g25_a_commit_that_never_ends_is_an_error_and_not_a_loop() {
    let stage = stage(&[]);
    stage.fake.world().commit_time = Duration::from_secs(100_000);
    let call = Call::new(CancellationToken::new(), Duration::from_hours(1));
    let failure = create(&stage.gateway, "a.example", 1, &call).await.expect_err("never ended");
    assert!(failure.error.message.contains("did not end within 60 seconds"), "{}", failure.error);
    assert!(failure.object.is_none() && failure.error.hint.is_some_and(|hint| hint.contains("import {")), "it may go live yet");
    assert_eq!(stage.fake.count(|world| world.logins), 2);
}

#[tokio::test(start_paused = true)]
async fn g30_a_commit_that_keeps_another_value_is_an_error_on_that_attribute() {
    let stage = stage(&[("b.example", 1)]);
    stage.fake.world().ignored.insert("b.example".to_owned());
    let calls = [call(), call()];
    let (one, two) =
        join(create(&stage.gateway, "a.example", 1, &calls[0]), update(&stage.gateway, "b.example", (1, 2), &calls[1])).await;
    assert!(one.is_ok());
    let failure = two.expect_err("it differs");
    assert_eq!(failure.error.path.expect("a path").to_string(), "limit");
    assert_eq!(failure.object.expect("what stands").integer("limit"), Some(1));
}

#[tokio::test(start_paused = true)]
async fn p02_a_stop_commits_what_is_staged_and_refuses_what_is_not() {
    let stage = stage_with(&[], |settings| settings.commit.quiet_period = Duration::from_secs(2));
    stage.gateway.announce(&ROUTE, &route("never.example", 1));
    let stop = CancellationToken::new();
    let spawn = |name: &'static str, after: u64| {
        let (gateway, stop) = (Arc::clone(&stage.gateway), stop.clone());
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(after)).await;
            create(&gateway, name, 1, &Call::new(stop, Duration::from_mins(5))).await
        })
    };
    let (staged, queued) = (spawn("a.example", 0), spawn("b.example", 3000));
    tokio::time::sleep(Duration::from_millis(500)).await;
    let began = Instant::now();
    stop.cancel();
    staged.await.expect("no panic").expect("it was staged");
    assert!(began.elapsed() < Duration::from_millis(5200), "it waited for nobody: {:?}", began.elapsed());
    assert_eq!(queued.await.expect("no panic").expect_err("stopped").error.kind, Kind::Stopped);
    assert_eq!(stage.fake.count(|world| world.commits), 1);
}

#[tokio::test(start_paused = true)]
async fn p01_a_caller_that_is_gone_before_the_commit_leaves_nothing_and_breaks_nothing() {
    let stage = stage_with(&[], |settings| settings.commit.quiet_period = Duration::from_secs(2));
    stage.gateway.announce(&ROUTE, &route("never.example", 1));
    let spawn = |name: &'static str| {
        let gateway = Arc::clone(&stage.gateway);
        tokio::spawn(async move { create(&gateway, name, 1, &call()).await })
    };
    let (gone, stays) = (spawn("gone.example"), spawn("stays.example"));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(stage.fake.count(|world| world.stagings), 2, "both are staged");
    gone.abort();
    stays.await.expect("no panic").expect("created");
    assert_eq!((stage.fake.route("gone.example"), stage.fake.route("stays.example")), (None, Some(1)));

    let alone = spawn("alone.example");
    tokio::time::sleep(Duration::from_secs(1)).await;
    alone.abort();
    stage.gateway.close().await;
    assert_eq!((stage.fake.route("alone.example"), stage.fake.count(|world| world.commits)), (None, 1));
    assert!(stage.fake.world().candidates.is_empty());
}

#[tokio::test(start_paused = true)]
async fn p05_readers_share_one_reading_and_none_sees_what_is_only_staged() {
    let stage = stage(&[("b.example", 1)]);
    let readings = join_all((0..50).map(|_| {
        let gateway = Arc::clone(&stage.gateway);
        async move { gateway.rows(&Printout::Routes, &call()).await.expect("read") }
    }));
    assert!(readings.await.iter().all(|rows| rows.rows.len() == 1));
    assert_eq!(stage.fake.count(|world| world.reads), 1);

    let gateway = Arc::clone(&stage.gateway);
    let made = tokio::spawn(async move { create(&gateway, "a.example", 1, &call()).await });
    let mut seen = Vec::new();
    while !made.is_finished() {
        tokio::time::sleep(Duration::from_millis(7)).await;
        let live = stage.fake.route("a.example").is_some();
        let rows = stage.gateway.rows(&Printout::Routes, &call()).await.expect("read");
        let shown = rows.find("gateway_route", "a.example").is_some();
        // A reading that waits for the commit may end with the change that was not live when it began.
        assert!(shown || !live, "a change that is live is hidden");
        assert!(!shown || stage.fake.route("a.example").is_some(), "a change that is not live is shown");
        seen.push(shown);
    }
    assert_eq!((seen.first(), seen.last()), (Some(&false), Some(&true)));
    assert!(made.await.expect("no panic").is_ok());
    assert_eq!(stage.fake.count(|world| world.reads), 3, "before staging, and after the commit");
}

#[tokio::test(start_paused = true)]
async fn p15_a_run_that_failed_in_the_middle_converges_when_it_is_run_again() {
    let stage = stage(&[]);
    stage.fake.world().refused.insert("d3.example".to_owned());
    for again in [false, true] {
        let answers = join_all((0..6).map(|number| {
            let gateway = Arc::clone(&stage.gateway);
            async move {
                let name = format!("d{number}.example");
                let known = route(&name, 1).with("id", name.as_str());
                match gateway.read(&ROUTE, &known, &call()).await.expect("read") {
                    Some(_) => true,
                    None => create(&gateway, &name, 1, &call()).await.is_ok(),
                }
            }
        }))
        .await;
        let expected: Vec<bool> = (0..6).map(|number| again || number != 3).collect();
        assert_eq!(answers, expected);
        stage.fake.world().refused.clear();
    }
}

#[tokio::test(start_paused = true)]
async fn c17_two_resources_for_one_object_are_an_error_for_the_second() {
    let stage = stage(&[]);
    let calls = [call(), call()];
    let (one, two) =
        join(create(&stage.gateway, "a.example", 1, &calls[0]), create(&stage.gateway, "a.example", 2, &calls[1])).await;
    assert!(one.is_ok());
    let error = two.expect_err("made twice").error;
    assert!(error.message.contains("Another resource of this configuration makes route \"a.example\""), "{error}");
}

#[tokio::test(start_paused = true)]
async fn what_stands_as_wished_for_needs_no_commit() {
    let stage = stage(&[("b.example", 1)]);
    update(&stage.gateway, "b.example", (1, 1), &call()).await.expect("so it is");
    delete(&stage.gateway, "gone.example", 1, &call()).await.expect("so it is");
    assert_eq!((stage.fake.count(|world| world.commits), stage.fake.count(|world| world.stagings)), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn the_comment_of_a_commit_says_whose_run_it_was_and_what_changed() {
    let stage = stage_with(&[("b.example", 1), ("c.example", 1)], |settings| settings.commit.comment = "CHG \"7\"\n§".to_owned());
    let calls = [call(), call(), call()];
    let (one, (two, three)) = join(
        create(&stage.gateway, "a.example", 1, &calls[0]),
        join(update(&stage.gateway, "b.example", (1, 2), &calls[1]), delete(&stage.gateway, "c.example", 1, &calls[2])),
    )
    .await;
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
    let comment = stage.fake.world().comments[0].clone();
    assert!(comment.starts_with("CHG _7_ _ [run "), "{comment}");
    assert!(comment.ends_with("create 1: a.example; change 1: b.example; delete 1: c.example"), "{comment}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_closed_or_dropped_logs_out() {
    let stage = stage(&[]);
    stage.gateway.rows(&Printout::Routes, &call()).await.expect("read");
    stage.gateway.close().await;
    assert_eq!(stage.fake.count(|world| world.logouts), 1);
    stage.gateway.close().await;
    create(&stage.gateway, "a.example", 1, &call()).await.expect("a later call logs in again");
    drop(stage.gateway);
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!((stage.fake.count(|world| world.logins), stage.fake.count(|world| world.logouts)), (2, 2));
}
