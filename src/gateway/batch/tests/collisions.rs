//! Commits that collide with those of somebody else.

use std::time::Duration;

use tokio::time::Instant;

use super::fake::{Fake, call, create, directory};
use crate::remote::Kind;

#[tokio::test(start_paused = true)]
async fn rs10_runs_that_collided_come_back_at_times_of_their_own() {
    let mut took = Vec::new();
    for _ in 0..5 {
        let directory = directory();
        let fake = Fake::new(&[("a.example", 1)]);
        let gateway = fake.gateway(directory.path(), |_| {});
        fake.world().always_collides = true;
        let begin = Instant::now();
        let failure = create(&gateway, "b.example", 2, &call()).await.expect_err("always overtaken");
        assert_eq!(failure.error.kind, Kind::Conflict);
        took.push(begin.elapsed());
    }
    let (shortest, longest) = (took.iter().min().expect("some"), took.iter().max().expect("some"));
    // Two waits of at most one and two seconds.
    assert!(shortest != longest && longest.abs_diff(*shortest) <= Duration::from_secs(3), "{took:?}");
}
