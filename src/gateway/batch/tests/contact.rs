//! The first contact, before anything is asked for.

use std::time::Duration;

use tokio::time::Instant;

use super::fake::{Fake, call, create, directory};
use crate::remote::{Error, Kind};

/// What the first contact says after logins that fail so, the first first, and how long it took.
async fn contact(errors: &[Error]) -> (Fake, Result<(), Error>, Duration) {
    let directory = directory();
    let fake = Fake::new(&[("a.example", 1)]);
    let gateway = fake.gateway(directory.path(), |_| {});
    fake.world().login_errors = errors.iter().rev().cloned().collect();
    let begin = Instant::now();
    let outcome = gateway.contact(&call()).await;
    (fake, outcome, begin.elapsed())
}

fn unheard() -> Error {
    Error::new(Kind::Unavailable, "The gateway esa:22 cannot be reached: Connection refused.").retryable().unheard()
}

#[tokio::test(start_paused = true)]
async fn rn17_the_session_of_the_first_contact_serves_the_run() {
    let directory = directory();
    let fake = Fake::new(&[("a.example", 1)]);
    let gateway = fake.gateway(directory.path(), |_| {});
    assert_eq!(gateway.contact(&call()).await, Ok(()));
    create(&gateway, "b.example", 2, &call()).await.expect("created");
    assert_eq!(fake.world().logins, 1);
}

#[tokio::test(start_paused = true)]
async fn rs7_a_host_of_which_nothing_is_heard_is_given_up_within_seconds_with_its_reason() {
    let (_, outcome, took) = contact(&vec![unheard(); 100]).await;
    assert_eq!(outcome.map_err(|error| error.message), Err(unheard().message));
    assert!(took < Duration::from_secs(30), "{took:?}");
    // One that is just starting is waited for.
    let (fake, outcome, _) = contact(&[unheard(), unheard()]).await;
    assert_eq!((outcome, fake.world().logins), (Ok(()), 3));
}

#[tokio::test(start_paused = true)]
async fn rs7_a_login_that_is_refused_is_tried_once() {
    let denied = Error::new(Kind::Denied, "The gateway esa:22 refused the login of \"terraform\" by the password.");
    let (fake, outcome, took) = contact(&[denied.clone(), unheard()]).await;
    assert_eq!(outcome, Err(denied));
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert_eq!(fake.world().login_errors.len(), 1, "the second was not met");
}

#[tokio::test(start_paused = true)]
async fn rs7_a_host_that_answered_and_has_no_session_has_the_patience_of_the_operations() {
    let busy = Error::new(Kind::Unavailable, "The SSH handshake failed: too many sessions.").retryable();
    let directory = directory();
    let fake = Fake::new(&[("a.example", 1)]);
    let gateway = fake.gateway(directory.path(), |_| {});
    fake.world().login_errors = vec![busy; 8];
    assert_eq!(gateway.contact(&call()).await, Ok(()));
    create(&gateway, "b.example", 2, &call()).await.expect("created once there was a session");
}
