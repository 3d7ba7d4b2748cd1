//! How many commits a run takes, with callers that behave like Terraform.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;

use super::fake::{Fake, Lines, ROUTE, call, create, directory, route, update};
use crate::gateway::objects::Gateway;

/// Creates `objects` objects, `parallelism` at a time: each is planned, then applied; the next begins after an answer.
async fn commits(objects: usize, parallelism: usize, staging: Duration) -> usize {
    let directory = directory();
    let fake = Fake::new(&[]);
    fake.world().staging_time = staging;
    let gateway = Arc::new(fake.gateway(directory.path(), |_| {}));
    let nodes = Arc::new(tokio::sync::Semaphore::new(parallelism));
    let applied = (0..objects).map(|number| {
        let (gateway, nodes) = (Arc::clone(&gateway), Arc::clone(&nodes));
        tokio::spawn(async move {
            let _node = nodes.acquire().await.expect("never closed");
            let name = format!("d{number}.example");
            let pause = |salt: usize| tokio::time::sleep(Duration::from_millis(((number * 37 + salt) % 61) as u64));
            pause(3).await;
            gateway.announce(&ROUTE, &route(&name, 1));
            pause(8).await;
            create(&gateway, &name, 1, &call()).await.expect("created");
        })
    });
    for done in join_all(applied).await {
        done.expect("no panic");
    }
    let count = fake.world().live.get("Routes").map_or(0, std::collections::BTreeMap::len);
    assert_eq!(count, objects);
    fake.count(|world| world.commits)
}

async fn check(objects: usize, parallelism: usize, most: usize) {
    for staging in [0, 1, 40, 400] {
        let commits = commits(objects, parallelism, Duration::from_millis(staging)).await;
        assert!(commits <= most, "{objects} objects, {parallelism} at a time, {staging} ms each: {commits} commits");
    }
}

#[tokio::test(start_paused = true)]
async fn g29_fifty_objects_ten_at_a_time_take_six_commits_at_most() {
    check(50, 10, 6).await;
}

#[tokio::test(start_paused = true)]
async fn g29_a_hundred_objects_take_no_more_commits_than_rounds_and_one() {
    for parallelism in [1, 2, 10, 64, 256] {
        check(100, parallelism, 100_usize.div_ceil(parallelism) + 1).await;
    }
}

#[tokio::test(start_paused = true)]
async fn p05_two_hundred_and_fifty_six_calls_at_once_are_two_commits_at_most() {
    check(256, 256, 2).await;
}

#[tokio::test(start_paused = true)]
async fn g29_one_at_a_time_waits_for_nobody() {
    let directory = directory();
    let fake = Fake::new(&[]);
    let gateway = fake.gateway(directory.path(), |_| {});
    create(&gateway, "first.example", 1, &call()).await.expect("created");
    for number in 0..5 {
        let name = format!("d{number}.example");
        let began = tokio::time::Instant::now();
        gateway.announce(&ROUTE, &route(&name, 1));
        create(&gateway, &name, 1, &call()).await.expect("created");
        // Two questions, a printout, a dialog, the commit, and the printout again: no more.
        let work = Duration::from_millis(5 + 50 + 50 + 5 + 5000 + 50);
        assert!(began.elapsed() <= work + Duration::from_millis(20), "{:?}", began.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn an_announcement_that_never_comes_true_makes_a_batch_wait_for_the_quiet_period_only() {
    let directory = directory();
    let fake = Fake::new(&[]);
    let gateway = fake.gateway(directory.path(), |settings| settings.commit.quiet_period = Duration::from_secs(1));
    gateway.announce(&ROUTE, &route("never.example", 1));
    let began = tokio::time::Instant::now();
    create(&gateway, "a.example", 1, &call()).await.expect("created");
    let waited = began.elapsed();
    assert!(waited > Duration::from_secs(6) && waited < Duration::from_millis(6500), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_batch_takes_nothing_more_two_seconds_after_its_first() {
    let directory = directory();
    let fake = Fake::new(&[]);
    let gateway = Arc::new(fake.gateway(directory.path(), |settings| settings.commit.quiet_period = Duration::from_secs(1)));
    gateway.announce(&ROUTE, &route("never.example", 1));
    let trickle = (0..8).map(|number| {
        let gateway = Arc::clone(&gateway);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(700 * number)).await;
            create(&gateway, &format!("d{number}.example"), 1, &call()).await.expect("created");
        })
    });
    join_all(trickle).await;
    let first = fake.world().history.get(1).and_then(|live| live.get("Routes").cloned()).unwrap_or_default();
    assert_eq!(first.len(), 3, "arrived at 0, 700 and 1400 ms: {first:?}");
    assert_eq!(fake.world().commits, 2);
}

/// Creates objects all at once, and gives how many of them were made.
async fn create_at_once(gateway: &Arc<Gateway>, objects: usize) -> usize {
    let made = join_all((0..objects).map(|number| {
        let gateway = Arc::clone(gateway);
        async move { create(&gateway, &format!("d{number}.example"), 1, &call()).await }
    }));
    made.await.iter().filter(|made| made.is_ok()).count()
}

#[tokio::test(start_paused = true)]
async fn a_batch_reads_its_table_twice_and_asks_twice_what_is_staged_however_many_changes_it_has() {
    // The first batch of several looks behind its first staging, too.
    for (objects, questions) in [(1, 2), (2, 3), (40, 3)] {
        let directory = directory();
        let fake = Fake::new(&[]);
        let gateway = Arc::new(fake.gateway(directory.path(), |_| {}));
        assert_eq!(create_at_once(&gateway, objects).await, objects);
        {
            let world = fake.world();
            assert_eq!(
                (world.commits, world.stagings, world.reads, world.questions),
                (1, objects, 2, questions),
                "{objects} objects"
            );
        }
        fake.world().questions = 0;
        update(&gateway, "d0.example", (1, 2), &call()).await.expect("changed");
        assert_eq!(fake.world().questions, 2, "the next batch");
    }
}

#[tokio::test(start_paused = true)]
async fn a_line_that_prints_a_table_is_believed_where_it_shows_what_is_expected() {
    // The readings by a line and by the dialog of a first batch, and of one that follows within a moment.
    for (lines, first, second) in [
        (None, (0, 2), (0, 2)),
        (Some(Lines::Whole), (2, 1), (2, 0)),
        (Some(Lines::Short), (2, 3), (2, 2)),
        (Some(Lines::Silent), (2, 3), (2, 2)),
        (Some(Lines::Refused), (1, 3), (0, 2)),
    ] {
        let directory = directory();
        let fake = Fake::new(&[("stands.example", 1)]);
        fake.world().lines = lines;
        let gateway = Arc::new(fake.gateway(directory.path(), |_| {}));
        let mut before = (0, 0);
        for (batch, expected) in [(0, first), (1, second)] {
            let made = join_all((0..3).map(|number| {
                let (gateway, name) = (Arc::clone(&gateway), format!("d{batch}{number}.example"));
                async move { create(&gateway, &name, 1, &call()).await }
            }));
            assert!(made.await.iter().all(Result::is_ok), "{lines:?}");
            let world = fake.world();
            let after = (world.glances, world.reads);
            assert_eq!((after.0 - before.0, after.1 - before.1), expected, "{lines:?}, batch {batch}");
            before = after;
        }
        // What another one did in between is seen, whatever a line shows.
        fake.world().foreign("d00.example");
        assert!(update(&gateway, "d00.example", (1, 2), &call()).await.is_err(), "{lines:?}");
        assert_eq!(fake.world().commits, 2, "{lines:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn refusals_in_a_batch_have_the_others_staged_twice_and_no_more() {
    let directory = directory();
    let fake = Fake::new(&[]);
    fake.world().refused = [4, 7, 8, 15].map(|number| format!("d{number}.example")).into();
    let gateway = Arc::new(fake.gateway(directory.path(), |_| {}));
    assert_eq!(create_at_once(&gateway, 20).await, 16);
    let world = fake.world();
    assert_eq!(world.commits, 1);
    assert_eq!(world.stagings, 20 + 4, "those before the first refusal");
    assert_eq!(world.reads, 2 + 1 + 3, "again after the first refusal, and after each other one");
}
