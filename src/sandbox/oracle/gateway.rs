//! A listener and what stands behind it, step by step as SMTP takes them: greeting, sender, recipients, content, work queue.

use super::filter_run::{self, FilterRun};
use super::routing::{Hop, at, next_hop};
use super::senders::{self, Matched};
use super::{Broken, Content, Entry, Journey, Message, Outcome, Peer, RecipientMatched, Reply, Subject, World, recipients};
use crate::sandbox::gateway::Behavior;
use crate::sandbox::gateway::tables::listener::{Listener, Scope};
use crate::sandbox::gateway::tables::parameter::Setting;

/// What a rejected connection is told where no text of one's own is set. Known from memory.
const POOR: &str = "Your access to this mail system has been rejected due to the sending MTA's poor reputation. If you believe that this \
                    failure is in error, please contact the intended recipient via alternate means.";

/// Says how a listener answers a connection.
#[derive(Clone, Debug, PartialEq)]
pub enum Greeting {
    /// Not at all: the connection is refused.
    Refused(Admission),
    /// With a refusal.
    Rejected(Admission, Reply),
    /// With a welcome.
    Open(Admission),
    /// Cannot be said.
    Unknown(String),
}

/// Holds how a connection was let in.
#[derive(Clone, Debug, PartialEq)]
pub struct Admission {
    /// Name of the listener.
    pub listener: String,
    /// Name of the sender group; empty for an entry without one.
    pub group: String,
    /// The sender that matched.
    pub entry: String,
    /// Name of the policy; nothing where the group has a behavior of its own.
    pub policy: Option<String>,
    /// What happens.
    pub behavior: Behavior,
    /// Every parameter in force, and whether it comes from the listener's defaults.
    pub parameters: Vec<(String, Setting, bool)>,
    /// Groups that matched and only continue, with the sender that matched.
    pub passed: Vec<(String, String)>,
    /// What could not be evaluated.
    pub unsure: Vec<String>,
    matched: Matched,
    default_domain: String,
    scope: Scope,
}

impl Admission {
    fn of(listener: &Listener, matched: Matched) -> Admission {
        Admission {
            listener: listener.name.clone(),
            group: matched.group.clone(),
            entry: matched.entry.clone(),
            policy: matched.policy.clone(),
            behavior: matched.behavior,
            parameters: matched.parameters.clone(),
            passed: matched.passed.clone(),
            unsure: matched.unsure.clone(),
            default_domain: listener.default_domain.clone(),
            scope: listener.scope,
            matched,
        }
    }

    /// Tells whether STARTTLS is offered.
    pub fn offers_tls(&self) -> bool {
        !matches!(self.matched.text("tls").as_deref(), None | Some("off"))
    }

    /// Tells whether mail is taken over TLS only.
    pub fn requires_tls(&self) -> bool {
        self.matched.text("tls").as_deref() == Some("required")
    }

    /// Gives the most bytes of a message; nothing where there is no limit.
    pub fn most_bytes(&self) -> Option<u64> {
        self.matched.number("max_message_size").and_then(|bytes| u64::try_from(bytes).ok()).filter(|bytes| *bytes > 0)
    }

    /// Gives the text of the greeting, where the policy has one of its own.
    pub fn banner(&self) -> Option<Reply> {
        let text = self.matched.text("smtp_banner_text").filter(|text| !text.is_empty())?;
        let code = self.matched.number("smtp_banner_code").and_then(|code| u16::try_from(code).ok()).unwrap_or(220);
        Some(Reply::new(code, text))
    }

    /// Names policy and behavior.
    fn words(&self) -> String {
        let behavior = self.behavior.keyword();
        self.policy.as_ref().map_or_else(|| behavior.to_owned(), |policy| format!("{policy} ({behavior})"))
    }
}

/// Says how a listener answers a peer.
pub fn greet(world: &World, listener: &str, peer: &Peer) -> Greeting {
    let Some(listener) = world.gateway.listener(listener) else {
        return Greeting::Unknown(format!("there is no listener {listener}"));
    };
    let matched = match senders::find(&listener.hat, peer, world.broken) {
        Ok(matched) => matched,
        Err(why) => return Greeting::Unknown(why),
    };
    let admission = Admission::of(listener, matched);
    match admission.behavior {
        Behavior::TcpRefuse => Greeting::Refused(admission),
        Behavior::Reject => {
            let text = admission.matched.text("reject_banner_text").filter(|text| !text.is_empty());
            let code = admission.matched.number("reject_banner_code").and_then(|code| u16::try_from(code).ok()).unwrap_or(554);
            Greeting::Rejected(admission, Reply::new(code, text.unwrap_or_else(|| POOR.to_owned())))
        }
        Behavior::Accept | Behavior::Relay | Behavior::Continue => Greeting::Open(admission),
    }
}

/// Takes the envelope sender, with the listener's domain where it has none, or refuses it.
pub fn sender(admission: &Admission, tls: bool, authenticated: bool, address: &str) -> Result<String, Reply> {
    if admission.requires_tls() && !tls {
        return Err(Reply::new(530, "#5.7.0 Must issue a STARTTLS command first"));
    }
    if !authenticated && admission.matched.text("smtpauth_allow").as_deref() == Some("required") {
        return Err(Reply::new(530, "#5.7.0 Authentication required"));
    }
    if address.is_empty() {
        return Ok(String::new());
    }
    complete(admission, address).ok_or_else(|| Reply::new(553, "#5.5.4 Domain required for sender address"))
}

/// Takes or refuses an envelope recipient. `taken` counts those before it.
pub fn recipient(world: &World, admission: &Admission, taken: usize, address: &str) -> RecipientMatched {
    let matched = |accepted: bool, reply: Reply| RecipientMatched {
        address: address.to_owned(),
        entry: None,
        accepted,
        reply,
        bypasses: Vec::new(),
    };
    let Some(address) = complete(admission, address) else {
        return matched(false, Reply::new(553, "#5.5.4 Domain required for recipient address"));
    };
    let rat = world.gateway.listener(&admission.listener).and_then(|listener| listener.rat.as_ref());
    let asks = admission.scope == Scope::Public
        && (admission.behavior != Behavior::Relay || world.is_broken(Broken::RelayAsksRecipients));
    let found = match rat {
        Some(rat) if asks => recipients::find(rat, &address, world.broken),
        _ => RecipientMatched { address: address.clone(), ..matched(true, Reply::new(250, format!("recipient <{address}> ok"))) },
    };
    let most = admission.matched.number("max_rcpts_per_msg").and_then(|most| usize::try_from(most).ok()).filter(|most| *most > 0);
    let most = most.filter(|_| !world.is_broken(Broken::ManyRecipients));
    if found.accepted && most.is_some_and(|most| taken >= most) && !found.bypasses.contains(&"receiving control") {
        return RecipientMatched { accepted: false, reply: Reply::new(452, "#4.5.3 Too many recipients"), ..found };
    }
    found
}

/// Refuses a content that is too large.
pub fn content(admission: &Admission, content: &Content) -> Option<Reply> {
    let most = admission.most_bytes()?;
    (content.size() > most).then(|| Reply::new(552, "#5.3.4 message size exceeds limit"))
}

/// Gives an address its domain.
fn complete(admission: &Admission, address: &str) -> Option<String> {
    if address.contains('@') {
        return Some(address.to_owned());
    }
    (!admission.default_domain.is_empty()).then(|| format!("{address}@{}", admission.default_domain))
}

/// Says how the work queue ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The message goes on.
    Enqueued,
    /// A filter dropped it.
    Dropped(String),
    /// A filter sent it back.
    Bounced(String),
    /// A filter put it into a quarantine: filter, quarantine.
    Quarantined(String, String),
    /// Cannot be said.
    Undecided(String),
}

/// Holds a message behind the work queue.
#[derive(Clone, Debug, PartialEq)]
pub struct Queued {
    /// What each filter did.
    pub runs: Vec<FilterRun>,
    /// Envelope sender.
    pub sender: String,
    /// Envelope recipients.
    pub recipients: Vec<String>,
    /// Headers and body.
    pub content: Content,
    /// Where a filter sends it, past all routes.
    pub mail_host: Option<String>,
    /// How it ended.
    pub settled: Settled,
    /// What could not be evaluated and did not decide.
    pub unsure: Vec<String>,
}

/// Runs the work queue over a message that was taken.
pub fn queue(
    world: &World,
    admission: &Admission,
    peer: &Peer,
    sender: &str,
    recipients: &[String],
    content: &Content,
) -> Queued {
    let mut queued = Queued {
        runs: Vec::new(),
        sender: sender.to_owned(),
        recipients: recipients.to_vec(),
        content: content.clone(),
        mail_host: None,
        settled: Settled::Enqueued,
        unsure: Vec::new(),
    };
    filter_run::run(world, admission, peer, &mut queued);
    queued
}

/// Takes a message through a listener, and gives what goes on to the other service.
pub(super) fn pass(world: &World, listener: &str, message: &Message, journey: &mut Journey) -> Vec<Message> {
    let place = at(listener);
    let peer = &message.peer;
    let all = |journey: &mut Journey, outcome: &Outcome| {
        for recipient in &message.recipients {
            journey.end(recipient, outcome.clone(), &message.content);
        }
    };
    let shown = peer.host.as_deref().unwrap_or("no name");
    journey.step(&place, Subject::Door, listener, format!("{} ({shown}) connects", peer.address));
    let admission = match greet(world, listener, peer) {
        Greeting::Unknown(why) => {
            all(journey, &Outcome::Undecided { at: place.clone(), why });
            return Vec::new();
        }
        Greeting::Refused(admission) => {
            note(journey, &admission);
            all(journey, &Outcome::ConnectionRefused { by: place.clone() });
            return Vec::new();
        }
        Greeting::Rejected(admission, reply) => {
            note(journey, &admission);
            all(journey, &Outcome::Rejected { by: place.clone(), reply });
            return Vec::new();
        }
        Greeting::Open(admission) => admission,
    };
    note(journey, &admission);
    let tls = peer.uses_tls && admission.offers_tls();
    let why = match (tls, admission.requires_tls()) {
        (true, _) => "spoken over TLS",
        (false, true) => "TLS is required and not spoken",
        (false, false) => "spoken in plain text",
    };
    journey.step(&place, Subject::Policy, admission.policy.clone().unwrap_or_default(), why);
    let from = match sender(&admission, tls, false, &message.sender) {
        Ok(sender) => sender,
        Err(reply) => {
            all(journey, &Outcome::Rejected { by: place.clone(), reply });
            return Vec::new();
        }
    };
    let mut taken = Vec::new();
    for address in &message.recipients {
        let found = recipient(world, &admission, taken.len(), address);
        if let Some(entry) = &found.entry {
            let verdict = if found.accepted { "accepted" } else { "rejected" };
            journey.step(&place, Subject::RecipientAccess, entry.clone(), format!("{} is {verdict}", found.address));
        }
        if found.accepted {
            taken.push(found.address);
        } else {
            journey.end(address, Outcome::Rejected { by: place.clone(), reply: found.reply }, &message.content);
        }
    }
    if taken.is_empty() {
        return Vec::new();
    }
    if let Some(reply) = content(&admission, &message.content) {
        for address in &taken {
            journey.end(address, Outcome::Rejected { by: place.clone(), reply: reply.clone() }, &message.content);
        }
        return Vec::new();
    }
    let taken = Message { sender: from, recipients: taken, ..message.clone() };
    work(world, &admission, &taken, journey)
}

/// Takes a message that a listener has taken through the work queue, to its end or to the next server. Gives what goes on to the other
/// service.
pub(in crate::sandbox) fn work(world: &World, admission: &Admission, message: &Message, journey: &mut Journey) -> Vec<Message> {
    if admission.scope == Scope::BlackHole {
        for address in &message.recipients {
            let name = format!("the black hole listener {}", admission.listener);
            journey.end(address, Outcome::Dropped { by: at(&admission.listener), name }, &message.content);
        }
        return Vec::new();
    }
    let queued = queue(world, admission, &message.peer, &message.sender, &message.recipients, &message.content);
    leave(world, &admission.listener, &queued, journey)
}

/// Takes what the work queue left to its end or to the next server.
fn leave(world: &World, listener: &str, queued: &Queued, journey: &mut Journey) -> Vec<Message> {
    let place = at(listener);
    for run in &queued.runs {
        if run.ran() {
            journey.step(&place, Subject::Filter, run.name.clone(), run.words());
        }
    }
    queued.unsure.iter().for_each(|text| journey.doubt(text.clone()));
    let outcome = match &queued.settled {
        Settled::Enqueued => None,
        Settled::Dropped(name) => Some(Outcome::Dropped { by: place.clone(), name: name.clone() }),
        Settled::Bounced(name) => Some(Outcome::Bounced { by: place.clone(), name: name.clone() }),
        Settled::Quarantined(_, name) => Some(Outcome::Quarantined { by: place.clone(), name: name.clone() }),
        Settled::Undecided(why) => Some(Outcome::Undecided { at: place.clone(), why: why.clone() }),
    };
    let mut onward = Vec::new();
    for recipient in &queued.recipients {
        if let Some(outcome) = &outcome {
            journey.end(recipient, outcome.clone(), &queued.content);
            continue;
        }
        let (hop, looked) = next_hop(world, recipient, queued.mail_host.as_deref());
        for (subject, name, why) in looked {
            journey.step(&place, subject, name, why);
        }
        match hop {
            Hop::Stuck(why) => journey.end(recipient, Outcome::Stuck { at: place.clone(), why }, &queued.content),
            Hop::Nowhere { route } => {
                let name = format!("the route {route}");
                journey.end(recipient, Outcome::Dropped { by: place.clone(), name }, &queued.content);
            }
            Hop::Host { host, tls } => match world.network.leads(&host) {
                super::Leads::Elsewhere(_) => {
                    journey.end(recipient, Outcome::Sent { by: place.clone(), host, tls }, &queued.content);
                }
                leads => {
                    journey.step(&place, Subject::Delivery, "", format!("{recipient} goes to {host}"));
                    let entry = match leads {
                        super::Leads::Gateway(listener) => Entry::Listener(listener),
                        _ => Entry::Tenant,
                    };
                    let own = Peer::new(world.network.gateway_address, Some(&world.network.gateway_host));
                    onward.push(Message {
                        entry,
                        peer: Peer { uses_tls: tls, ..own },
                        sender: queued.sender.clone(),
                        recipients: vec![recipient.clone()],
                        content: queued.content.clone(),
                    });
                }
            },
        }
    }
    onward
}

/// Writes down what the access table said.
fn note(journey: &mut Journey, admission: &Admission) {
    let place = at(&admission.listener);
    for (group, entry) in &admission.passed {
        journey.step(&place, Subject::HostAccess, group.clone(), format!("{entry} matches, and the group only continues"));
    }
    let why = format!("{} matches, policy {}", admission.entry, admission.words());
    journey.step(&place, Subject::HostAccess, admission.group.clone(), why);
    admission.unsure.iter().for_each(|text| journey.doubt(text.clone()));
    if admission.matched.text("sender_verification").as_deref() == Some("on") {
        journey.doubt("the envelope sender's domain is asked in DNS".into());
    }
}
