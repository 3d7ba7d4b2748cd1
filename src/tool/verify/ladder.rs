//! The ladder: rung by rung, until the mail arrived as it should, or one rung fails.
//!
//! What the rungs see comes from [`Steps`]; what follows from it is said here, and in [`advice`]. Nothing is asked
//! more often than the services allow: message trace takes 100 queries in five minutes.

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{Instant, sleep};

use super::advice::{self, Look};
use super::message::Message;
use crate::remote::Error;

/// What is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum What {
    /// From the Internet through the gateway to the tenant
    Inbound,
    /// From the tenant through the gateway to the Internet
    Outbound,
    /// From another tenant to the gateway, without the secret; nothing is sent
    Foreign,
}

impl What {
    pub(super) fn word(self) -> &'static str {
        match self {
            What::Inbound => "inbound",
            What::Outbound => "outbound",
            What::Foreign => "foreign",
        }
    }
}

/// What the rungs do and look at. Each is asked for again while its answer is not final.
#[async_trait]
pub(super) trait Steps: Send {
    /// Hands the message over by SMTP.
    async fn hand_over(&mut self, message: &Message) -> Result<Handed, Refused>;

    /// Sends the message from its sender's mailbox.
    async fn send(&mut self, message: &Message) -> Result<(), Unsent>;

    /// What the message tracking of the gateway has of the message.
    async fn tracking(&mut self, message: &Message) -> Result<Vec<Tracked>, Error>;

    /// What the message trace of Exchange Online has of the message.
    async fn message_trace(&mut self, message: &Message) -> Result<Vec<Seen>, Error>;

    /// The listeners on which another tenant's mail may come.
    async fn listeners(&mut self) -> Result<Vec<String>, Error>;

    /// What the gateway would do with the message as mail of another tenant on this listener.
    async fn foreign(&mut self, message: &Message, listener: &str) -> Result<Traced, Error>;

    /// Hears how far it is, for somebody who waits.
    fn progress(&mut self, _line: &str) {}

    /// Tells the user what to do by hand.
    fn instruct(&mut self, text: &str);
}

/// A message that was taken over.
#[derive(Debug, Clone)]
pub(super) struct Handed {
    /// Who took it: `192.0.2.1:25`.
    pub(super) server: String,
    /// Whether the connection was encrypted.
    pub(super) encrypted: bool,
    /// What the server said.
    pub(super) words: String,
}

/// How far an SMTP conversation came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Whom to talk to is not known.
    Address,
    Connect,
    Greeting,
    Tls,
    Sender,
    Recipient,
    Content,
}

impl Stage {
    fn words(self) -> &'static str {
        match self {
            Stage::Address => "finding the server",
            Stage::Connect => "connecting",
            Stage::Greeting => "the greeting",
            Stage::Tls => "STARTTLS",
            Stage::Sender => "MAIL FROM",
            Stage::Recipient => "RCPT TO",
            Stage::Content => "the message",
        }
    }
}

/// A message that was not taken over.
#[derive(Debug, Clone)]
pub(super) struct Refused {
    pub(super) server: String,
    pub(super) stage: Stage,
    /// The reply code, if the server replied.
    pub(super) code: Option<u16>,
    /// What the server said, or what went wrong.
    pub(super) words: String,
}

/// A message that was not sent from a mailbox.
#[derive(Debug, Clone)]
pub(super) enum Unsent {
    /// The permission is missing, or there is no mailbox: somebody can send it by hand.
    ByHand(String),
    /// There is no such mailbox.
    NoMailbox(String),
    /// Something else.
    Failed(Error),
}

/// What message tracking says of one copy of a message.
#[derive(Debug, Clone)]
pub(super) struct Tracked {
    pub(super) status: String,
    pub(super) host: String,
    pub(super) sender_group: String,
}

/// What message trace says of one copy of a message.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) status: String,
    pub(super) from_ip: String,
}

/// What the gateway would do.
#[derive(Debug, Clone)]
pub(super) struct Traced {
    pub(super) outcome: String,
    pub(super) behavior: String,
    pub(super) sender_group: String,
    /// The last filter that acted, with its last action.
    pub(super) filter: Option<(String, String)>,
    pub(super) machine: Option<String>,
}

/// How a rung ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Held,
    Failed,
    /// Nothing can be said of it.
    Unjudged,
    /// A rung before it did not hold.
    NotReached,
}

impl State {
    pub(super) fn word(self) -> &'static str {
        match self {
            State::Held => "ok",
            State::Failed => "failed",
            State::Unjudged => "not_judged",
            State::NotReached => "not_reached",
        }
    }
}

/// One rung.
#[derive(Debug, Clone)]
pub(super) struct Rung {
    pub(super) name: String,
    pub(super) state: State,
    /// What was seen.
    pub(super) seen: String,
    /// What to look at.
    pub(super) look_at: Vec<Look>,
}

/// The ladder as it was climbed.
#[derive(Debug, Clone)]
pub(super) struct Report {
    pub(super) what: What,
    pub(super) rungs: Vec<Rung>,
}

impl Report {
    /// What it comes to: a rung that failed, one that could not be judged, or all held.
    pub(super) fn state(&self) -> State {
        let has = |state| self.rungs.iter().any(|rung| rung.state == state);
        if has(State::Failed) {
            State::Failed
        } else if has(State::Unjudged) || self.rungs.is_empty() {
            State::Unjudged
        } else {
            State::Held
        }
    }

    fn add(&mut self, name: &str, state: State, seen: impl Into<String>, look_at: &[Look]) -> bool {
        self.rungs.push(Rung { name: name.to_owned(), state, seen: seen.into(), look_at: look_at.to_vec() });
        state == State::Held
    }

    fn not_reached(mut self, names: &[&str]) -> Report {
        for name in names {
            self.add(name, State::NotReached, "", &[]);
        }
        self
    }
}

const SMTP: &str = "SMTP";
const SENDING: &str = "sending";
const TRACKING: &str = "message tracking";
const TRACE: &str = "message trace";

/// The first pause between two looks, and the longest: about thirty looks in ten minutes.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What a look came to.
enum Verdict {
    Good(String),
    Bad(String, &'static [Look]),
    /// It may still change.
    Wait(String, &'static [Look]),
}

/// Climbs the ladder.
pub(super) async fn climb(steps: &mut dyn Steps, what: What, message: &Message, wait: Duration) -> Report {
    let report = Report { what, rungs: Vec::new() };
    match what {
        What::Inbound => inbound(steps, report, message, wait).await,
        What::Outbound => outbound(steps, report, message, wait).await,
        What::Foreign => foreign(steps, report, message).await,
    }
}

async fn inbound(steps: &mut dyn Steps, mut report: Report, message: &Message, wait: Duration) -> Report {
    steps.progress("Handing the message over by SMTP");
    match steps.hand_over(message).await {
        Ok(handed) => {
            let tls = if handed.encrypted { "over TLS" } else { "without TLS, which it does not offer" };
            report.add(SMTP, State::Held, format!("{} took the message {tls}: {}", handed.server, handed.words), &[]);
        }
        Err(refused) => {
            let (state, look_at) = advice::refused(&refused);
            let code = refused.code.map_or_else(String::new, |code| format!("{code} "));
            let server = if refused.server.is_empty() { String::new() } else { format!("{}, ", refused.server) };
            report.add(SMTP, state, format!("{server}{}: {code}{}", refused.stage.words(), refused.words), look_at);
            return report.not_reached(&[TRACKING, TRACE]);
        }
    }
    let until = Instant::now() + wait;
    let tracked = follow(steps, message, until, Service::Tracking, What::Inbound).await;
    let not_seen = matches!(&tracked, Followed::Never(_));
    let unasked = matches!(&tracked, Followed::Unasked(_));
    if not_seen {
        // It may have gone another way.
        if let Ok(seen) = steps.message_trace(message).await
            && let Some(seen) = seen.first()
        {
            let words = format!("the tenant has the message ({}), and the gateway does not: it came past it", seen.status);
            report.add(TRACKING, State::Failed, words, advice::PAST_THE_GATEWAY);
            return report.not_reached(&[TRACE]);
        }
    }
    if !tracked.enter(&mut report, TRACKING, What::Inbound) && !unasked {
        return report.not_reached(&[TRACE]);
    }
    follow(steps, message, until, Service::Trace, What::Inbound).await.enter(&mut report, TRACE, What::Inbound);
    report
}

async fn outbound(steps: &mut dyn Steps, mut report: Report, message: &Message, wait: Duration) -> Report {
    steps.progress("Sending the message from its mailbox");
    match steps.send(message).await {
        Ok(()) => {
            let from = message.from.as_deref().unwrap_or_default();
            report.add(SENDING, State::Held, format!("Microsoft Graph sends the message from {from}"), &[]);
        }
        Err(Unsent::ByHand(why)) => {
            steps.instruct(&message.by_hand(&why));
            report.add(SENDING, State::Held, format!("by hand: {why}"), &[]);
        }
        Err(Unsent::NoMailbox(why)) => {
            report.add(SENDING, State::Failed, why, advice::NO_MAILBOX);
            return report.not_reached(&[TRACE, TRACKING]);
        }
        Err(Unsent::Failed(error)) => {
            report.add(SENDING, State::Unjudged, error.to_string(), &[]);
            return report.not_reached(&[TRACE, TRACKING]);
        }
    }
    let until = Instant::now() + wait;
    let traced = follow(steps, message, until, Service::Trace, What::Outbound).await;
    let unasked = matches!(&traced, Followed::Unasked(_));
    if !traced.enter(&mut report, TRACE, What::Outbound) && !unasked {
        return report.not_reached(&[TRACKING]);
    }
    follow(steps, message, until, Service::Tracking, What::Outbound).await.enter(&mut report, TRACKING, What::Outbound);
    report
}

async fn foreign(steps: &mut dyn Steps, mut report: Report, message: &Message) -> Report {
    const NAME: &str = "trace";
    let listeners = match steps.listeners().await {
        Ok(listeners) if !listeners.is_empty() => listeners,
        Ok(_) => {
            report.add(NAME, State::Unjudged, "the gateway shows no listener", &[]);
            return report;
        }
        Err(error) => {
            report.add(NAME, State::Unjudged, error.to_string(), &[]);
            return report;
        }
    };
    let mut rest = listeners.iter();
    for listener in rest.by_ref() {
        let name = format!("{NAME} on {listener}");
        steps.progress(&format!("Tracing on {listener}"));
        let held = match steps.foreign(message, listener).await {
            Ok(traced) => {
                let (state, words, look_at) = advice::foreign(&traced);
                report.add(&name, state, words, look_at)
            }
            Err(error) => report.add(&name, State::Unjudged, error.to_string(), &[]),
        };
        if !held {
            break;
        }
    }
    for listener in rest {
        report.add(&format!("{NAME} on {listener}"), State::NotReached, "", &[]);
    }
    report
}

/// What following the message through one service came to.
enum Followed {
    Good(String),
    Bad(String, &'static [Look]),
    /// It never showed up.
    Never(Duration),
    /// The service could not be asked.
    Unasked(Error),
}

impl Followed {
    /// Puts it on the ladder; says whether the rung holds.
    fn enter(self, report: &mut Report, name: &str, what: What) -> bool {
        match self {
            Followed::Good(words) => report.add(name, State::Held, words, &[]),
            Followed::Bad(words, look_at) => report.add(name, State::Failed, words, look_at),
            Followed::Never(wait) => {
                let words = format!("nothing is seen of the message within {}", shown(wait));
                report.add(name, State::Failed, words, advice::not_seen(what, name == TRACKING))
            }
            Followed::Unasked(error) => report.add(name, State::Unjudged, error.to_string(), &[]),
        }
    }
}

/// A time in words.
fn shown(time: Duration) -> String {
    match time.as_secs() {
        seconds if seconds < 120 => format!("{seconds} s"),
        seconds => format!("{} minutes", seconds.div_ceil(60)),
    }
}

/// Where the message is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Service {
    Tracking,
    Trace,
}

impl Service {
    fn name(self) -> &'static str {
        match self {
            Service::Tracking => TRACKING,
            Service::Trace => TRACE,
        }
    }
}

/// Looks again and again until the answer is final or the time is over. The first look is made in any case.
async fn follow(steps: &mut dyn Steps, message: &Message, until: Instant, service: Service, what: What) -> Followed {
    let begin = Instant::now();
    let mut pause = FIRST_PAUSE;
    let mut last: Option<(String, &'static [Look])> = None;
    loop {
        let verdict = match service {
            Service::Tracking => steps.tracking(message).await.map(|found| tracked(&found, what)),
            Service::Trace => steps.message_trace(message).await.map(|found| traced(&found, what)),
        };
        match verdict {
            Ok(Some(Verdict::Good(words))) => return Followed::Good(words),
            Ok(Some(Verdict::Bad(words, look_at))) => return Followed::Bad(words, look_at),
            Ok(Some(Verdict::Wait(words, look_at))) => last = Some((words, look_at)),
            Ok(None) => {}
            // What passes is no answer; a service that cannot be asked at all is one.
            Err(error) if error.retryable && Instant::now() < until => {}
            Err(error) => return Followed::Unasked(error),
        }
        let now = Instant::now();
        if now >= until {
            return match last {
                Some((words, look_at)) => {
                    Followed::Bad(format!("{words}, and no more within {}", shown(begin.elapsed())), look_at)
                }
                None => Followed::Never(begin.elapsed()),
            };
        }
        let seen = last.as_ref().map_or("not seen yet", |(words, _)| words.as_str());
        steps.progress(&format!("Waiting for {}: {seen} ({} left)", service.name(), shown(until - now)));
        sleep(pause.min(until - now)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// What the message tracking says, in the words of its statuses.
fn tracked(found: &[Tracked], what: What) -> Option<Verdict> {
    let copy = found.iter().max_by_key(|copy| rank(&copy.status))?;
    let group = if copy.sender_group.is_empty() { String::new() } else { format!(", sender group {}", copy.sender_group) };
    let host = if copy.host.is_empty() { "the gateway" } else { copy.host.as_str() };
    let words = format!("{host}: {}{group}", copy.status);
    Some(match rank(&copy.status) {
        4 => Verdict::Bad(words, advice::stopped_by_gateway(what)),
        3 => Verdict::Bad(words, advice::UNDELIVERED),
        2 => Verdict::Wait(words, advice::UNDELIVERED),
        _ => Verdict::Good(words),
    })
}

/// How bad a status of the message tracking is: 1 delivered, 2 on its way, 3 not delivered, 4 stopped by the gateway.
fn rank(status: &str) -> u8 {
    let status = status.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| status.contains(word));
    if has(&["drop", "discard", "quarantin", "abort", "reject", "stopped"]) {
        4
    } else if has(&["soft bounce", "delay", "queue", "process", "pending", "progress", "attempt"]) {
        2
    } else if has(&["bounce", "undeliver", "fail", "not deliver", "expired"]) {
        3
    } else if has(&["deliver"]) {
        1
    } else {
        2
    }
}

/// What the message trace says.
fn traced(found: &[Seen], what: What) -> Option<Verdict> {
    let bad = |status: &str| match status.to_lowercase().as_str() {
        "delivered" | "expanded" | "resolved" => 0,
        "pending" | "gettingstatus" => 1,
        _ => 2,
    };
    let copy = found.iter().max_by_key(|copy| bad(&copy.status))?;
    let from = if copy.from_ip.is_empty() { String::new() } else { format!(", from {}", copy.from_ip) };
    let words = format!("{}{from}", copy.status);
    let look_at = advice::by_tenant(what, &copy.status);
    Some(match bad(&copy.status) {
        0 => Verdict::Good(words),
        1 => Verdict::Wait(words, look_at),
        _ => Verdict::Bad(words, look_at),
    })
}
