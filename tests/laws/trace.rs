//! What the client reads from the printed `trace` is what the stand-in's oracle says of the same message, up to the delivery queue.

use mailflow::gateway::dialog::Told;
use mailflow::gateway::trace::reading::{Outcome, read};
use mailflow::sandbox::gateway::{Layout, TraceForm, traced};
use mailflow::sandbox::oracle::chance::Chance;
use mailflow::sandbox::oracle::{self, Admission, Entry, Greeting, Message, Settled, World};

/// Messages, each in a set-up of its own.
const MESSAGES: u64 = 2_000;

/// What the oracle says, in the client's words.
#[derive(Debug, Default, PartialEq)]
struct Said {
    outcome: Option<Outcome>,
    group: Option<String>,
    entry: Option<String>,
    policy: Option<String>,
    behavior: String,
    recipients: Vec<(String, Option<String>, bool)>,
    filters: Vec<(String, Vec<String>)>,
}

fn said(world: &World, message: &Message) -> Option<Said> {
    let Entry::Listener(listener) = &message.entry else { return None };
    let of = |admission: &Admission| Said {
        // The last entry of the table belongs to no group.
        group: Some(if admission.group.is_empty() { admission.entry.clone() } else { admission.group.clone() })
            .filter(|group| !admission.group.is_empty() || group == "ALL"),
        entry: Some(admission.entry.clone()),
        policy: admission.policy.clone(),
        behavior: admission.behavior.keyword().to_lowercase().replace("tcprefuse", "tcp_refuse"),
        outcome: Some(Outcome::Rejected),
        ..Said::default()
    };
    let admission = match oracle::greet(world, listener, &message.peer) {
        Greeting::Refused(admission) | Greeting::Rejected(admission, _) => return Some(of(&admission)),
        Greeting::Open(admission) => admission,
        Greeting::Unknown(_) => return None,
    };
    let mut said = of(&admission);
    let Ok(sender) = oracle::sender(&admission, true, false, &message.sender) else { return Some(said) };
    let mut taken = Vec::new();
    for address in &message.recipients {
        let found = oracle::recipient(world, &admission, taken.len(), address);
        said.recipients.push((address.clone(), found.entry.clone(), found.accepted));
        if found.accepted {
            taken.push(found.address);
        }
    }
    if taken.is_empty() || oracle::content(&admission, &message.content).is_some() {
        return Some(said);
    }
    let queued = oracle::queue(world, &admission, &message.peer, &sender, &taken, &message.content);
    said.outcome = match queued.settled {
        Settled::Enqueued => Some(Outcome::Enqueued),
        Settled::Dropped(_) => Some(Outcome::Dropped),
        Settled::Bounced(_) => Some(Outcome::Bounced),
        Settled::Quarantined(..) => Some(Outcome::Quarantined),
        Settled::Undecided(_) => None,
    };
    let name = |action: &String| action.split('(').next().unwrap_or_default().trim().to_lowercase();
    let ran = queued.runs.iter().filter(|run| run.ran());
    said.filters = ran.map(|run| (run.name.clone(), run.actions.iter().map(name).collect())).collect();
    Some(said)
}

#[test]
fn what_the_client_reads_from_a_printed_trace_is_what_the_oracle_says() {
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    let mut refused = 0;
    for seed in 0..MESSAGES {
        let mut chance = Chance::new(seed);
        let (world, message) = (chance.world(), chance.message());
        let layout = Layout {
            trace: if seed % 2 == 0 { TraceForm::Older } else { TraceForm::Newer },
            trace_columns: [None, Some(60), Some(80), None][usize::try_from(seed / 2 % 4).expect("small")],
            ..Layout::default()
        };
        let (Some(said), Some((printed, enqueued))) = (said(&world, &message), traced(&world, &message, &layout)) else {
            continue;
        };
        let told = [Told { said: printed.clone(), asked: String::new() }];
        let read = read(&told, &message.recipients, &[]);
        let Some(outcome) = said.outcome else {
            assert!(read.is_err() || !enqueued, "{seed}: the oracle cannot say, and the client says {read:?}\n{printed}");
            continue;
        };
        let trace = match read {
            Ok(trace) => trace,
            // Where a line is broken within a rule, nobody knows what belongs to what.
            Err(_) if layout.trace_columns.is_some() => {
                refused += 1;
                continue;
            }
            Err(error) => panic!("{seed}: {error}\n{printed}"),
        };
        *counts.entry(outcome.word()).or_default() += 1;
        let found = Said {
            outcome: Some(trace.outcome),
            group: trace.sender_group,
            entry: trace.sender_entry,
            policy: trace.policy,
            behavior: trace.behavior.to_owned(),
            recipients: trace.recipients.into_iter().map(|one| (one.address, one.entry, one.action != Some("reject"))).collect(),
            filters: trace.filters.into_iter().map(|filter| (filter.name, filter.actions)).collect(),
        };
        assert_eq!(found, said, "{seed}\n{printed}");
    }
    // The random set-ups come to every end, and hardly any printed result is refused.
    for word in ["enqueued", "dropped", "bounced", "quarantined", "rejected"] {
        assert!(counts.get(word).is_some_and(|count| *count > 5), "{word}: {counts:?}");
    }
    assert!(refused * 20 < usize::try_from(MESSAGES).expect("small"), "{refused} are refused");
}
