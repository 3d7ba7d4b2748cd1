//! Two administrators with one account: whatever one of them has pending survives all that the provider does, also when it is killed, and the run after it.

use std::sync::Arc;
use std::time::Duration;

use super::fake::{Candidate, Event, Fake, ROUTE, call, create, delete, directory, route, update};
use crate::gateway::objects::Gateway;
use crate::gateway::settings::PendingChanges;
use crate::gateway::table::Printout;
use crate::remote::{Call, Change, Kind, Objects};

/// What somebody else has pending: about something else, about an object that this run changes, and about one that it makes.
const PENDING: &[&[&str]] = &[
    &["interfaces: Data 1 is now Management"],
    &["set b.example"],
    &["set c.example", "delete d.example"],
    &["set b.example", "interfaces: Data 1 is now Management"],
];

/// What a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Contact,
    Plan,
    Create,
    Update,
    Delete,
    Close,
}

const STEPS: [Step; 6] = [Step::Contact, Step::Plan, Step::Create, Step::Update, Step::Delete, Step::Close];

fn fake(pending: &[&str]) -> Fake {
    let fake = Fake::new(&[("b.example", 1)]);
    let mut world = fake.world();
    world.per_user = true;
    let candidate = Candidate {
        based_on: 1,
        content: world.live.clone(),
        lines: pending.iter().map(|line| (*line).to_owned()).collect(),
        ids: std::collections::BTreeSet::new(),
    };
    world.candidates.insert(0, candidate);
    drop(world);
    fake
}

/// Takes a step. What would write is refused, and what reads is not.
async fn take(gateway: &Gateway, step: Step) {
    let call = call();
    let refused = |kind: Option<Kind>| assert!(matches!(kind, Some(Kind::Conflict | Kind::Denied)), "{step:?}: {kind:?}");
    match step {
        Step::Contact => gateway.contact(&call).await.expect("a session"),
        Step::Plan => {
            gateway.rows(&Printout::Routes, &call).await.expect("read");
            let state = route("b.example", 1).with("id", "b.example");
            gateway.read(&ROUTE, &state, &call).await.expect("read");
            let planned = route("b.example", 2).with("id", "b.example");
            let change =
                Change { resource: &ROUTE, prior: Some(&state), planned: &planned, effective: &planned, config: &planned };
            gateway.check(change, &call).await.expect("planned");
            gateway.check_delete(&ROUTE, &state, &call).await.expect("planned");
        }
        Step::Create => refused(create(gateway, "c.example", 1, &call).await.err().map(|failure| failure.error.kind)),
        Step::Update => refused(update(gateway, "b.example", (1, 2), &call).await.err().map(|failure| failure.error.kind)),
        Step::Delete => refused(delete(gateway, "b.example", 1, &call).await.err().map(|error| error.kind)),
        Step::Close => gateway.close().await,
    }
}

fn runs<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(work)
}

fn pending(fake: &Fake) -> Vec<String> {
    fake.world().candidates.values().flat_map(|candidate| candidate.lines.clone()).collect()
}

#[test]
fn rs1_what_somebody_else_has_pending_survives_every_step_every_kill_and_the_run_after_it() {
    let mut runs_made = 0;
    for theirs in PENDING {
        for first in STEPS {
            for second in STEPS {
                for read_only in [false, true] {
                    for killed in [None, Some(15), Some(60), Some(120)] {
                        let (fake, directory) = (fake(theirs), directory());
                        runs(async {
                            let gateway = Arc::new(fake.gateway(directory.path(), |settings| settings.read_only = read_only));
                            let work = async move {
                                take(&gateway, first).await;
                                take(&gateway, second).await;
                            };
                            match killed {
                                None => work.await,
                                Some(time) => drop(tokio::time::timeout(Duration::from_millis(time), work).await),
                            }
                        });
                        assert_eq!(pending(&fake), *theirs, "{first:?} {second:?} {killed:?}");
                        runs(async {
                            let gateway = fake.gateway(directory.path(), |_| {});
                            for step in [Step::Plan, Step::Create, Step::Delete] {
                                take(&gateway, step).await;
                            }
                        });
                        assert_eq!(pending(&fake), *theirs, "{first:?} {second:?} {killed:?}, the run after it");
                        assert_eq!((fake.route("b.example"), fake.world().commits), (Some(1), 0));
                        runs_made += 1;
                    }
                }
            }
        }
    }
    assert_eq!(runs_made, PENDING.len() * 36 * 8);
}

/// What comes into the candidate while a run stages, and stands there when the run is killed.
#[test]
fn rs1_what_somebody_else_stages_beside_a_run_that_is_killed_is_not_cleared_by_the_next() {
    let mut left = 0;
    for time in (60..400).step_by(10) {
        for theirs in ["interfaces: Data 1 is now Management", "set z.example"] {
            let (fake, directory) = (Fake::new(&[("b.example", 1)]), directory());
            fake.world().per_user = true;
            runs(async {
                let gateway = Arc::new(fake.gateway(directory.path(), |_| {}));
                let beside = async {
                    // Whenever something is staged, they add theirs.
                    loop {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                        for candidate in fake.world().candidates.values_mut() {
                            if candidate.lines.iter().all(|line| line != theirs) {
                                candidate.lines.push(theirs.to_owned());
                            }
                        }
                    }
                };
                let calls = [call(), call()];
                let work = futures::future::join(
                    create(&gateway, "a.example", 1, &calls[0]),
                    update(&gateway, "b.example", (1, 2), &calls[1]),
                );
                let _ =
                    tokio::time::timeout(Duration::from_millis(time), futures::future::select(Box::pin(beside), Box::pin(work)))
                        .await;
            });
            let stands = pending(&fake);
            if !stands.iter().any(|line| line == theirs) {
                continue;
            }
            left += 1;
            runs(async {
                let gateway = fake.gateway(directory.path(), |_| {});
                gateway.rows(&Printout::Routes, &call()).await.expect("read");
                let refused = create(&gateway, "y.example", 1, &call()).await.expect_err("their work stands there");
                assert_eq!(refused.error.kind, Kind::Conflict, "{time}: {}", refused.error);
            });
            assert_eq!(pending(&fake), stands, "{time}");
        }
    }
    assert!(left > 10, "{left}");
}

/// The setting that discards clears at the first write only, and says what.
#[test]
fn rs1_what_is_to_be_discarded_is_discarded_by_a_write_only() {
    for theirs in PENDING {
        let (fake, directory) = (fake(theirs), directory());
        runs(async {
            let gateway = fake.gateway(directory.path(), |settings| settings.pending_changes = PendingChanges::Discard);
            for step in [Step::Contact, Step::Plan] {
                take(&gateway, step).await;
                assert_eq!(pending(&fake), *theirs, "{step:?}");
            }
            let call = call();
            create(&gateway, "c.example", 1, &call).await.expect("created");
            let told = call.take_reports();
            assert!(theirs.iter().all(|line| told[0].detail.contains(line)), "{told:?}");
        });
        // Somebody who only reads discards nothing, whatever is set.
        let (fake, directory) = (self::fake(theirs), super::fake::directory());
        runs(async {
            let gateway = fake.gateway(directory.path(), |settings| {
                settings.pending_changes = PendingChanges::Discard;
                settings.read_only = true;
            });
            for step in STEPS {
                take(&gateway, step).await;
            }
        });
        assert_eq!(pending(&fake), *theirs);
    }
}

/// What is the matter with the changes of a run beside which somebody else works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Matter {
    Fine,
    /// The device refuses a staging, with half of it staged.
    Refused,
    /// It refuses the commit.
    NotCommitted,
    /// Somebody else's commit comes in between.
    Overtaken,
    /// The line is lost while the commit runs.
    Lost,
}

/// Runs two batches, and has somebody else stage something at a step of the device. Gives how many steps there were, whether what was staged is still
/// pending, and all that was told.
fn beside(
    matter: Matter,
    setting: PendingChanges,
    theirs: (usize, &'static str),
    heading: &[&str],
) -> (Fake, usize, Vec<String>) {
    let (fake, directory) = (Fake::new(&[("b.example", 1), ("c.example", 1)]), directory());
    {
        let mut world = fake.world();
        world.per_user = true;
        world.heading = heading.iter().map(|line| (*line).to_owned()).collect();
        world.events.entry(theirs.0).or_default().push(Event::Stages(theirs.1));
        match matter {
            Matter::Fine => {}
            Matter::Refused => {
                world.refused.insert("b.example".to_owned());
                world.half.insert("b.example".to_owned());
            }
            Matter::NotCommitted => drop(world.poison.insert("b.example".to_owned())),
            Matter::Overtaken => world.events.entry(8).or_default().push(Event::Foreign("f.example")),
            Matter::Lost => world.events.entry(8).or_default().push(Event::LostAfter),
        }
    }
    let mut told = Vec::new();
    runs(async {
        let gateway = Arc::new(fake.gateway(directory.path(), |settings| settings.pending_changes = setting));
        let calls = [call(), call(), call(), call()];
        let first = futures::future::join3(
            create(&gateway, "a.example", 1, &calls[0]),
            update(&gateway, "b.example", (1, 2), &calls[1]),
            async { delete(&gateway, "c.example", 1, &calls[2]).await.map_err(crate::remote::Failure::from) },
        );
        let (one, two, three) = first.await;
        let four = create(&gateway, "e.example", 1, &calls[3]).await;
        let errors = [one.err(), two.err(), three.err(), four.err()].into_iter().flatten();
        told.extend(errors.map(|failure| failure.error.message));
        let reports = calls.iter().flat_map(Call::take_reports);
        told.extend(reports.map(|report| format!("{}: {}", report.summary, report.detail)));
        gateway.close().await;
    });
    let steps = fake.world().steps;
    (fake, steps, told)
}

const MATTERS: [Matter; 5] = [Matter::Fine, Matter::Refused, Matter::NotCommitted, Matter::Overtaken, Matter::Lost];

#[test]
fn rs1_whatever_a_colleague_stages_beside_a_run_is_still_pending_or_named_as_live() {
    let (mut kept, mut live, mut lost) = (0, 0, 0);
    for matter in MATTERS {
        let lines = ["interfaces: Data 1 is now Management", "set z.example"];
        for theirs in &lines[usize::from(matter != Matter::Fine)..] {
            let theirs = *theirs;
            for step in 1.. {
                let (fake, steps, told) = beside(matter, PendingChanges::Error, (step, theirs), &[]);
                if steps < step {
                    break;
                }
                let about = format!("{matter:?}, {theirs} at step {step} of {steps}: {told:#?}");
                if pending(&fake).iter().any(|line| line == theirs) {
                    kept += 1;
                } else if fake.world().clears.contains(&step) {
                    // In the moment between the look and the clearing behind it.
                    lost += 1;
                } else {
                    let words = "Changes of somebody else went live with those of this run: ";
                    assert!(told.iter().any(|told| told.starts_with(words) && told.contains(theirs)), "{about}");
                    live += 1;
                }
                assert!(step < 200, "{about}");
            }
        }
    }
    // Between the last look and the end of the commit, and before the run knows how the device shows its changes.
    assert!(kept > 80 && live > 10 && live < kept / 2 && lost <= 5, "{kept} still pending, {live} live, {lost} lost");
}

/// Nobody else is there, and the device shows lines of its own: the run goes as it goes without them.
#[test]
fn rs1_lines_that_are_no_changes_keep_no_commit_from_being_made() {
    let made = |heading: &[&str], matter| {
        let (fake, _, told) = beside(matter, PendingChanges::Error, (usize::MAX, ""), heading);
        (fake.route("a.example"), fake.route("e.example"), fake.world().commits, told)
    };
    for matter in MATTERS {
        let plain = made(&[], matter);
        assert!(plain.0.is_some() && plain.1.is_some(), "{matter:?}: {plain:?}");
        assert!(!plain.3.iter().any(|told| told.contains("somebody else went live")), "{matter:?}: {plain:?}");
        assert_eq!(made(&["The following changes have not been committed:"], matter), plain, "{matter:?}");
        assert_eq!(made(&["Uncommitted changes"], matter), plain, "{matter:?}");
    }
    let odd = made(&["Session of terraform"], Matter::Fine);
    assert_eq!((odd.0, odd.1), (Some(1), Some(1)), "{odd:?}");
}

/// Where the settings say so, what somebody else stages is discarded and told, and never live.
#[test]
fn rs1_what_is_to_be_discarded_is_discarded_beside_a_run_too() {
    let (mut discarded, theirs) = (0, "set z.example");
    for matter in [Matter::Fine, Matter::Refused, Matter::NotCommitted] {
        for step in 1.. {
            let (fake, steps, told) = beside(matter, PendingChanges::Discard, (step, theirs), &[]);
            if steps < step {
                break;
            }
            let about = format!("{matter:?}, step {step}: {told:#?}");
            let is_told = told.iter().any(|told| told.contains(theirs)) || fake.world().clears.contains(&step);
            assert!(is_told || pending(&fake).iter().any(|line| line == theirs), "{about}");
            discarded += usize::from(told.iter().any(|told| told.contains("were discarded") && told.contains(theirs)));
            assert_eq!((fake.route("a.example"), fake.route("e.example")), (Some(1), Some(1)), "{about}");
        }
    }
    assert!(discarded > 10, "{discarded}");
}
