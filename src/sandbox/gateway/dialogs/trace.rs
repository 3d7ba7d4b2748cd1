//! `trace`: what the listener, the access tables and the filters would do with a message. Nothing is sent, nothing is changed.
//!
//! The questions are those of the admin manual's table, in the order seen on devices; their words vary. It looks at the configuration
//! with this session's uncommitted changes. Routes and destination controls are not part of it.

use std::net::IpAddr;

use crate::sandbox::gateway::line::Asked;
use crate::sandbox::gateway::options::{Layout, Release};
use crate::sandbox::gateway::state::now;
use crate::sandbox::gateway::tables::Configuration;
use crate::sandbox::gateway::terminal::{Terminal, choose};
use crate::sandbox::gateway::trace_text::Printer;
use crate::sandbox::oracle::{self, Content, Entry, Greeting, Message, Network, Peer, Settled, Tenant, World};

/// Holds the answers to the questions.
struct Answers {
    peer: Peer,
    helo: String,
    listener: String,
    authenticated: bool,
    sender: String,
    recipients: Vec<String>,
    content: Content,
}

/// Runs the command.
pub(in crate::sandbox::gateway) async fn run(terminal: &mut Terminal) -> Asked<()> {
    loop {
        if let Some(answers) = ask(terminal).await? {
            show(terminal, &answers).await?;
        }
        if !terminal.ask_yes_no("Run through another debug session?", false).await? {
            return Ok(());
        }
    }
}

/// Asks for everything; nothing, after a message, where a file is not there.
async fn ask(terminal: &mut Terminal) -> Asked<Option<Answers>> {
    let newer = terminal.release() > Release::V8_0;
    let address: IpAddr = terminal
        .ask_until("Enter the source IP", "", |answer| {
            answer.parse().map_err(|_| "The IP address must be 4 numbers separated by a period, or an IPv6 address.".to_owned())
        })
        .await?;
    let needed = |answer: &str| if answer.is_empty() { Err("You must enter a value.".to_owned()) } else { Ok(answer.to_owned()) };
    let host = terminal.ask_until("Enter the fully qualified domain name of the source IP", "", needed).await?;
    let configuration = terminal.configuration();
    let names: Vec<String> = configuration.listeners.iter().map(|listener| listener.name.clone()).collect();
    let numbered = names.iter().enumerate().map(|(at, name)| format!("\n{}. {name}", at + 1)).collect::<String>();
    let listener = terminal
        .ask_until(&format!("Select the listener to trace behavior on:{numbered}"), "1", |answer| {
            let chosen = choose(answer, &names).and_then(|at| names.get(at).cloned());
            chosen.ok_or_else(|| format!("Value must be an integer from 1 to {}.", names.len()))
        })
        .await?;
    let authenticated = may_authenticate(&configuration, &listener)
        && terminal.ask_yes_no("Do you want to configure the SMTP Authentication for this connection?", false).await?;
    if authenticated {
        terminal.ask_until("Enter the SMTP Authentication user id:", "", needed).await?;
    }
    let helo = if newer { terminal.ask("Enter the domain name to be passed to HELO/EHLO:", "").await? } else { String::new() };
    terminal.say("Fetching default SenderBase values...").await?;
    let organization = terminal
        .ask_until("Enter the SenderBase Org ID of the source IP.  The actual ID is N/A.", "N/A", |answer| match answer {
            "N/A" => Ok(None),
            other => other.parse().map(Some).map_err(|_| "Value must be an integer.".to_owned()),
        })
        .await?;
    let score = if terminal.release() >= Release::V15_5 {
        "Enter the Sender IP Reputation Score of the source IP.  The actual score is N/A."
    } else {
        "Enter the SenderBase Reputation Score of the source IP.  The actual score is N/A."
    };
    let reputation = terminal
        .ask_until(score, "N/A", |answer| match answer {
            "N/A" => Ok(None),
            other => match other.parse::<f64>() {
                Ok(score) if (-10.0..=10.0).contains(&score) => Ok(Some(score)),
                _ => Err("Value must be a number from -10.0 to 10.0.".to_owned()),
            },
        })
        .await?;
    let sender = terminal.ask("Enter the Envelope Sender address:", "").await?;
    let sender = sender.trim_matches(['<', '>']).to_owned();
    let recipients = terminal
        .ask_until("Enter the Envelope Recipient addresses.  Separate multiple addresses by commas.", "", |answer| {
            let list: Vec<String> = answer
                .split(',')
                .map(str::trim)
                .filter(|one| !one.is_empty())
                .map(|one| one.trim_matches(['<', '>']).to_owned())
                .collect();
            if list.is_empty() { Err("You must enter a value.".to_owned()) } else { Ok(list) }
        })
        .await?;
    let Some(text) = body(terminal).await? else { return Ok(None) };
    terminal.last_trace = Some(text.clone());
    let peer = Peer { reputation, organization, ..Peer::new(address, Some(&host)) };
    Ok(Some(Answers { peer, helo, listener, authenticated, sender, recipients, content: Content::parse(&text) }))
}

/// Tells whether a listener takes logins at all.
fn may_authenticate(configuration: &Configuration, listener: &str) -> bool {
    let on = |text: Option<String>| text.is_some_and(|word| word != "off");
    configuration.listener(listener).is_some_and(|listener| {
        on(listener.hat.defaults.text("smtpauth_allow"))
            || listener.hat.policies.iter().any(|policy| on(policy.parameters.text("smtpauth_allow")))
    })
}

/// Asks for the message: the last one again, a file, or lines.
async fn body(terminal: &mut Terminal) -> Asked<Option<String>> {
    if let Some(last) = terminal.last_trace.clone()
        && terminal.ask_yes_no("Re-use last message body?", true).await?
    {
        return Ok(Some(last));
    }
    if terminal.ask_yes_no("Load message from disk?", true).await? {
        let name = terminal.ask("Enter the name of the file to load:", "").await?;
        let text = terminal.shared.state().files.get(&name).cloned();
        if text.is_none() {
            terminal.say(&format!("Error reading file. the file {name} does not exist")).await?;
        }
        return Ok(text);
    }
    terminal.say("Enter or paste the message body here.  Enter '.' on a blank line to end.").await?;
    Ok(Some(terminal.read_until(".").await?.iter().map(|line| format!("{line}\n")).collect()))
}

/// Gives what the command prints of a message that comes to a listener, without its questions, and whether the message is enqueued.
pub fn traced(world: &World, message: &Message, layout: &Layout) -> Option<(String, bool)> {
    let Entry::Listener(listener) = &message.entry else { return None };
    let answers = Answers {
        peer: message.peer.clone(),
        helo: String::new(),
        listener: listener.clone(),
        authenticated: false,
        sender: message.sender.clone(),
        recipients: message.recipients.clone(),
        content: message.content.clone(),
    };
    let mut printer = Printer::new(layout);
    let queued = walk(world, &answers, &mut printer);
    Some((printer.finish(), queued.is_some()))
}

/// Prints the result, and the message where there is one.
async fn show(terminal: &mut Terminal, answers: &Answers) -> Asked<()> {
    let world = World { gateway: terminal.configuration(), tenant: Tenant::default(), network: Network::default(), broken: None };
    let mut printer = Printer::new(terminal.layout());
    let queued = walk(&world, answers, &mut printer);
    terminal.line().print("\n").await?;
    let text = printer.finish();
    terminal.say(&text).await?;
    let Some(queued) = queued else { return Ok(()) };
    if terminal.ask_yes_no("Would you like to see the resulting message?", true).await? {
        let mut printer = Printer::new(terminal.layout());
        let host = terminal.shared.options.hostname.clone();
        let peer = &answers.peer;
        let helo = if answers.helo.is_empty() { String::new() } else { format!(" (HELO {})", answers.helo) };
        let shown = peer.host.as_deref().unwrap_or_default();
        let received = format!("Received: from {shown}{helo} ({})\n  by {host} with TEST; {}\n", peer.address, now());
        printer.message(&queued.sender, &queued.recipients, &received, &queued.content);
        let text = printer.finish();
        terminal.line().print("\n").await?;
        terminal.say(&text).await?;
    }
    Ok(())
}

/// Goes through the sections. Gives the message where it is enqueued.
fn walk(world: &World, answers: &Answers, printer: &mut Printer) -> Option<oracle::Queued> {
    let admission = match oracle::greet(world, &answers.listener, &answers.peer) {
        Greeting::Refused(admission) | Greeting::Rejected(admission, _) => {
            printer.host_access(&admission);
            return None;
        }
        Greeting::Open(admission) => admission,
        Greeting::Unknown(why) => {
            printer.unknown(&why);
            return None;
        }
    };
    printer.host_access(&admission);
    let sender = oracle::sender(&admission, true, answers.authenticated, &answers.sender);
    printer.sender(&answers.sender, &sender);
    let sender = sender.ok()?;
    let mut found = Vec::new();
    for address in &answers.recipients {
        let taken = found.iter().filter(|one: &&oracle::RecipientMatched| one.accepted).count();
        found.push(oracle::recipient(world, &admission, taken, address));
    }
    printer.recipients(&answers.recipients, &found);
    let taken: Vec<String> = found.into_iter().filter(|one| one.accepted).map(|one| one.address).collect();
    if taken.is_empty() {
        return None;
    }
    if let Some(reply) = oracle::content(&admission, &answers.content) {
        printer.refused(&reply);
        return None;
    }
    printer.before_filters();
    let queued = oracle::queue(world, &admission, &answers.peer, &sender, &taken, &answers.content);
    printer.filters(&queued.runs, &world.gateway);
    match &queued.settled {
        Settled::Enqueued => {}
        Settled::Undecided(why) => {
            printer.unknown(why);
            return None;
        }
        Settled::Dropped(_) | Settled::Bounced(_) | Settled::Quarantined(..) => return None,
    }
    printer.after_filters(admission.behavior.keyword() == "RELAY", &queued.recipients);
    Some(queued)
}
