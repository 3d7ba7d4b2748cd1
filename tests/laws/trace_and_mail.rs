//! What the client reads from the printed `trace` is what the stand-in does with the same message when it comes by SMTP, up to the delivery queue;
//! and a stand-in whose mail leaves one rule out is noticed.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use mailflow::gateway::dialog::Told;
use mailflow::gateway::trace::reading::{self, Trace};
use mailflow::sandbox::exchange::{self, Service};
use mailflow::sandbox::gateway::tables::listener::Scope;
use mailflow::sandbox::gateway::{self, Appliance, Layout, TraceForm, traced};
use mailflow::sandbox::mail::{Answer, Door, Options, PostOffice, send};
use mailflow::sandbox::oracle::chance::Chance;
use mailflow::sandbox::oracle::{Broken, Entry, Greeting, Message, Network, Outcome, Place, Subject, World, greet};
use tokio::task::JoinSet;

/// Messages that are compared, and how many come to one set-up.
const MESSAGES: usize = 2_000;
const TO_ONE: usize = 4;
/// Set-ups beyond which a rule that is left out should have been noticed.
const MOST: u64 = 400;

/// The rules that act before the delivery queue, which is as far as `trace` goes.
const BEFORE_THE_QUEUE: [Broken; 10] = [
    Broken::LastGroup,
    Broken::DotIsItself,
    Broken::ContinueEnds,
    Broken::RelayAsksRecipients,
    Broken::SpecificRecipient,
    Broken::ManyRecipients,
    Broken::InactiveFilters,
    Broken::WholePattern,
    Broken::NoNot,
    Broken::SkipNothing,
];

/// What became of a message at the listener.
#[derive(Debug, PartialEq)]
struct Seen {
    outcome: &'static str,
    accepted: Vec<bool>,
    filters: Vec<(String, String)>,
}

/// What the client reads from what `trace` prints; nothing where the stand-in cannot say, or the client refuses what is printed.
fn read(world: &World, message: &Message, layout: &Layout) -> Option<Seen> {
    let (printed, _) = traced(world, message, layout)?;
    let trace: Trace = reading::read(&[Told { said: printed, asked: String::new() }], &message.recipients, &[]).ok()?;
    let is_refused = trace.outcome == reading::Outcome::Rejected;
    let accepted = trace.recipients.iter().map(|one| !is_refused && one.action != Some("reject"));
    let words = |actions: &[String]| if actions.is_empty() { "does nothing".to_owned() } else { actions.join(", ") };
    Some(Seen {
        outcome: trace.outcome.word(),
        // Who is turned away before the recipients has none of them accepted.
        accepted: if is_refused { vec![false; message.recipients.len()] } else { accepted.collect() },
        filters: trace.filters.iter().map(|filter| (filter.name.clone(), words(&filter.actions))).collect(),
    })
}

/// What the stand-in does with it by SMTP.
async fn carried(office: &PostOffice, listener: &str, message: &Message) -> Seen {
    let port = office.port(&Door::Listener(listener.to_owned())).expect("a door");
    let sent = send(port, &message.peer, message).await.expect("it is sent");
    assert!(office.settle(Duration::from_mins(1)), "the message does not arrive");
    let place = Place::Gateway(listener.to_owned());
    let (ends, steps) = (office.take_ends(), office.take_steps());
    let accepted: Vec<bool> = sent.answers.iter().map(|(_, answer)| *answer == Answer::Taken).collect();
    let of_filter = |outcome: &Outcome| match outcome {
        // A route to nowhere comes behind the queue.
        Outcome::Dropped { by, name } if *by == place && !name.contains(' ') => Some("dropped"),
        Outcome::Bounced { by, .. } if *by == place => Some("bounced"),
        Outcome::Quarantined { by, .. } if *by == place => Some("quarantined"),
        _ => None,
    };
    let outcome = if accepted.contains(&true) {
        ends.iter().find_map(|end| of_filter(&end.outcome)).unwrap_or("enqueued")
    } else {
        "rejected"
    };
    let filters = steps.into_iter().filter(|step| step.place == place && step.subject == Subject::Filter);
    Seen { outcome, accepted, filters: filters.map(|step| (step.matched, step.why)).collect() }
}

/// What was compared.
#[derive(Debug, Default)]
struct Compared {
    outcomes: BTreeMap<&'static str, usize>,
    differs: Option<String>,
}

/// Compares the messages of some seeds, until one differs.
async fn compare(seeds: Range<u64>, broken: Option<Broken>, most: usize) -> Compared {
    let gateway = Appliance::start(gateway::Options::default()).expect("it starts");
    let exchange = Service::start(exchange::Options::default()).expect("it starts");
    let mut compared = Compared::default();
    for seed in seeds {
        if compared.outcomes.values().sum::<usize>() >= most {
            break;
        }
        let mut chance = Chance::new(seed);
        let world = chance.world();
        let messages: Vec<Message> = (0..TO_ONE).map(|_| chance.message()).collect();
        let layout = Layout {
            trace: if seed % 2 == 0 { TraceForm::Older } else { TraceForm::Newer },
            trace_columns: [None, Some(60), Some(80), None][usize::try_from(seed / 2 % 4).expect("small")],
            ..Layout::default()
        };
        gateway.edit(|configuration| *configuration = world.gateway.clone());
        // Nothing leads back to the gateway, so that its filters run once.
        let options = Options { network: Network::default(), tenant: Some(world.tenant.clone()), broken, ..Options::default() };
        let office = PostOffice::start(&gateway, &exchange, options).expect("it starts");
        for mut message in messages {
            let Entry::Listener(listener) = message.entry.clone() else { continue };
            // A black hole takes mail and asks no filter; `trace` shows what another listener would do.
            if world.gateway.listener(&listener).is_some_and(|one| one.scope == Scope::BlackHole) {
                continue;
            }
            // `trace` knows nothing of TLS: it is spoken where it has to be.
            let greeting = greet(&World { broken, ..world.clone() }, &listener, &message.peer);
            message.peer.uses_tls = matches!(greeting, Greeting::Open(admission) if admission.requires_tls());
            let Some(wanted) = read(&world, &message, &layout) else { continue };
            let found = carried(&office, &listener, &message).await;
            *compared.outcomes.entry(wanted.outcome).or_default() += 1;
            if found != wanted {
                compared.differs = Some(format!("seed {seed}\n{message:#?}\nby SMTP: {found:#?}\ntrace: {wanted:#?}"));
                return compared;
            }
        }
    }
    compared
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_client_reads_from_a_printed_trace_is_what_smtp_does_with_the_message() {
    let mut parts = JoinSet::new();
    for part in 0..4 {
        parts.spawn(compare(part * 100_000..(part + 1) * 100_000, None, MESSAGES / 4));
    }
    let mut outcomes = BTreeMap::<&str, usize>::new();
    while let Some(part) = parts.join_next().await {
        let compared = part.expect("it runs");
        assert!(compared.differs.is_none(), "{}", compared.differs.unwrap_or_default());
        compared.outcomes.into_iter().for_each(|(outcome, count)| *outcomes.entry(outcome).or_default() += count);
    }
    assert!(outcomes.values().sum::<usize>() >= MESSAGES, "{outcomes:?}");
    for outcome in ["enqueued", "dropped", "bounced", "quarantined", "rejected"] {
        assert!(outcomes.get(outcome).is_some_and(|count| *count > 20), "{outcome}: {outcomes:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_that_leaves_a_rule_out_is_noticed_by_what_trace_says() {
    let mut parts = JoinSet::new();
    for broken in BEFORE_THE_QUEUE {
        parts.spawn(async move { (broken, compare(0..MOST, Some(broken), usize::MAX).await) });
    }
    while let Some(part) = parts.join_next().await {
        let (broken, compared) = part.expect("it runs");
        assert!(compared.differs.is_some(), "{broken:?} is not noticed: {:?}", compared.outcomes);
    }
}
