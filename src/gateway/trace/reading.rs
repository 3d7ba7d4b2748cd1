//! What `trace` printed, understood.
//!
//! ```text
//! Host Access Table Processing
//!
//!  - HAT matched on RELAY_O365 sender group, host .protection.outlook.com
//!  - Applying $RELAYED policy (RELAY behavior).
//!    - Maximum Message Size:  100M (Default)
//!
//! Processing MAIL FROM:
//!
//!  - Default Domain Processing:  No Change
//!
//! Processing Recipient List:
//!
//! Processing user@example.net
//!
//!  - Default Domain Processing:  No Change
//!  - RAT matched on example.net, behavior = ACCEPT
//!
//! Message Processing:
//!
//!  - No Virtual Gateway(tm) Assigned
//!
//! Processing filter 'office365_outbound':
//! Evaluating Rule:   sendergroup == "RELAY_O365"
//!     Result = True
//! Executing Action:   drop()
//! ```
//!
//! The sections and their order are documented (admin manual, table "Viewing Output When Performing a Trace"); the words of the lines are not. So
//! lines are known by their first words, other sections are passed over, and lines may be broken, in other letters or behind other marks. What must
//! be there and is not, or says something unknown, is an error with the printed text: the success mark or a reason why the message went no further,
//! the sender group and the policy, each recipient, and the filter of each action. What the message itself says is never read as a result.

use std::sync::LazyLock;

use regex::Regex;

use crate::gateway::dialog::Told;
use crate::gateway::filters::without_values;
use crate::gateway::transcript::{Transcript, said_by_message};
use crate::remote::{Error, Kind, Masks};

/// What the gateway would do with a message.
#[derive(Clone, PartialEq, Eq)]
pub struct Trace {
    /// What becomes of it.
    pub outcome: Outcome,
    /// The sender group that its connection falls into; `ALL` for the last entry of the table.
    pub sender_group: Option<String>,
    /// The entry of the Host Access Table that matched.
    pub sender_entry: Option<String>,
    /// The mail flow policy; nothing where the group has a behavior of its own.
    pub policy: Option<String>,
    /// What the policy does: `accept`, `relay`, `reject`, `tcp_refuse`.
    pub behavior: &'static str,
    /// The envelope recipients, in order.
    pub recipients: Vec<Recipient>,
    /// The filters, in order.
    pub filters: Vec<Filter>,
    /// The message as it would be delivered, of the first mail policy where there are several.
    pub message: Option<String>,
}

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is put into the delivery queue.
    Enqueued,
    /// Some copies of it are, and others are not.
    Split,
    /// It is dropped without a word to its sender.
    Dropped,
    /// It is sent back.
    Bounced,
    /// It is kept in a quarantine.
    Quarantined,
    /// It is not taken: the connection, or all of its recipients.
    Rejected,
}

impl Outcome {
    /// All of them, by their words.
    pub const WORDS: &[&str] = &["enqueued", "split", "dropped", "bounced", "quarantined", "rejected"];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Enqueued => "enqueued",
            Outcome::Split => "split",
            Outcome::Dropped => "dropped",
            Outcome::Bounced => "bounced",
            Outcome::Quarantined => "quarantined",
            Outcome::Rejected => "rejected",
        }
    }
}

/// A recipient, and what the Recipient Access Table says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// The address.
    pub address: String,
    /// The entry that matched; nothing on a listener without a Recipient Access Table.
    pub entry: Option<String>,
    /// `accept` or `reject`.
    pub action: Option<&'static str>,
}

/// A filter that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Its name.
    pub name: String,
    /// The mail policy whose content filter it is; nothing for a message filter.
    pub mail_policy: Option<String>,
    /// The names of the actions that it takes, in order: `strip-header`, `drop`. What they are called with may be a secret.
    pub actions: Vec<String>,
}

/// Shows no message.
impl std::fmt::Debug for Trace {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} by {:?} ({})", self.outcome.word(), self.sender_group, self.behavior)
    }
}

macro_rules! patterns {
    ($($(#[$about:meta])* $name:ident = $pattern:literal;)*) => {
        $($(#[$about])* static $name: LazyLock<Regex> =
            LazyLock::new(|| Regex::new($pattern).expect("the pattern is a constant, and a test uses it"));)*

        #[cfg(test)]
        pub(super) fn patterns() -> Vec<&'static str> {
            vec![$($name.as_str(),)*]
        }
    };
}

patterns! {
    /// `HAT matched on RELAYLIST sender group, host 192.0.2.1`, `HAT matched on unnamed sender group, host ALL`.
    GROUP = r#"(?i)\b(?:hat|host access table) matched (?:on )?(?:the |an? )?(?:["'`<]?([^\s"'`<>,;]+)["'`>]? sender ?group|sender ?group:? ["'`<]?([^\s"'`<>,;]+)["'`>]?)(?:,? (?:(?:by|on) )?(?:the )?(?:host|entry|sender)(?: entry)?:? ["'`<]?([^\s"'`<>,;]+)["'`>]?)?\.?(?: |$)"#;
    MATCHED = r"(?i)\b(?:hat|host access table) matched\b";
    /// What may stand behind an entry that was read whole.
    BEHIND_ENTRY = r"(?i)^\s*(?:$|[-*(]|applying\b|policy\b|mail flow policy\b)";
    /// `Applying $ACCEPTED policy (ACCEPT behavior).`
    POLICY = r#"(?i)\bapplying (?:the )?["'`]?\$?([^\s"'`()]+)["'`]? (?:mail flow )?policy,? ?\(? ?(?:behaviou?r[:=]? ?)?["'`]?([a-z]+(?:[_ -][a-z]+)?)["'`]? ?(?:behaviou?r)? ?\)?\.?(?: |$)"#;
    APPLYING = r"(?i)\bapplying\b";
    BEHAVIOR = r"(?i)\(? ?\b([a-z]+(?:[_-][a-z]+)?) behaviou?r\b";
    /// A refusal before the work queue: `Rejected:  550 …`, `Sender rejected`.
    REJECTED = r"(?i)^(?:(?:envelope )?(?:sender|recipient|connection|message|mail)(?: address)? )?(?:(?:is|was|has been) )?(?:rejected|refused)\b";
    /// A recipient, or what the Recipient Access Table says of the last one.
    RECIPIENT = r#"(?i)¶processing (?:recipient:? )?<?([^\s<>,]+)>?|(¶rejected)|\b(?:rat|recipient access table) matched (?:on )?(?:the )?(?:entry )?["'`<]?([^\s"'`<>,;]+)["'`>]?(?: entry)?[,;]? (?:with )?(?:behaviou?r|action) ?[=:]? ?["'`]?([a-z]+)"#;
    /// A word about the Recipient Access Table.
    RAT = r"(?i)(?:^| )rat[ :]|\brecipient access table\b";
    NO_RAT = r"(?i)\bno (?:rat[ :]|recipient access table\b)";
    FILTER = r#"(?i)^processing (?:the )?(?:(?:incoming |outgoing |inbound |outbound )?(?:message|content|mail) )?filter\b[: ]*["'`]?(.*?)["'`]?\s*:?$"#;
    RULE = r"(?i)^evaluating (?:the )?rules?\b";
    RESULT = r"(?i)^results?\s*[=:]";
    ACTION = r"(?i)^executing (?:the )?actions?\b\s*:?\s*(.*)$";
    ACTION_NAME = r"^[A-Za-z][A-Za-z0-9_-]*";
    MAIL_POLICY = r#"(?i)polic(?:y|ies) processing\b.*\bmatched (?:on )?(?:the )?["'`]?(.+?)["'`]? polic"#;
    ENQUEUED = r"(?i)^message (?:(?:is|was|has been) )?(?:enqueued|queued) for delivery$";
    FATE = r"(?i)^message (?:(?:is|was|has been|will be) )?(dropped|discarded|bounced|quarantined|rejected)\b";
    FINAL = r"(?i)^final (?:result|text|envelope sender|recipients?|message content)\b";
    CONTENT = r"(?i)^final message content\s*:?$";
    NEXT_TEXT = r"(?i)^final text for messages matched on\b";
    SENDER_HEAD = r"(?i)^(?:processing mail from|envelope sender\b.*processing)\b";
    RECIPIENTS_HEAD = r"(?i)^(?:processing (?:the )?recipient list|envelope recipients?\b.*processing)\b";
    MESSAGE_HEAD = r"(?i)^(?:message processing|pre-queue\b|domain masquerading|work queue\b|message filters? processing)";
}

/// Where in the printed text a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Section {
    Hosts,
    Sender,
    Recipients,
    Message,
}

/// What the work queue says, line by line.
#[derive(Debug, Default)]
struct Queue {
    filters: Vec<Filter>,
    in_filter: bool,
    mail_policy: Option<String>,
    policies: usize,
    enqueued: bool,
    /// What ended the message, or a copy of it.
    fates: Vec<(Outcome, Option<String>)>,
}

/// Understands what was printed about a message to these recipients. `message` are the lines of the message, which no error shows.
pub fn read(told: &[Told], rcpt_to: &[String], message: &[String]) -> Result<Trace, Error> {
    let (report, last) = apart(told);
    understand(&report, &last, rcpt_to).map_err(|why| refusal(&why, &report, message))
}

/// The error of a text that is not understood.
fn refusal(why: &str, report: &str, message: &[String]) -> Error {
    let mut transcript = Transcript::default();
    transcript.hide_message(message);
    let masks = said_by_message(message).into_iter().fold(Masks::new(), Masks::with);
    let printed = without_values(&transcript.masked(report));
    let error = Error::new(Kind::Unexpected, format!("What the gateway printed about the message is not understood: {why}."))
        .hint("Nothing follows from it, so no outcome is given. Please report what was printed, with the release.")
        .context("printed", printed);
    masks.mask_error(error)
}

/// The report, and what was printed about the final message.
fn apart(told: &[Told]) -> (String, String) {
    let shown = told.iter().position(|part| part.asked.to_lowercase().contains("resulting message")).map(|at| at + 1);
    let (report, last) = told.split_at_checked(shown.unwrap_or(told.len())).unwrap_or((told, &[]));
    let text = |parts: &[Told]| parts.iter().map(|part| part.said.as_str()).collect::<Vec<_>>().join("\n").replace('\r', "");
    let (report, last) = (text(report), text(last));
    // Without the question, the final message stands in the same text.
    let mut at = 0;
    for line in report.split_inclusive('\n') {
        if FINAL.is_match(bare(line)) {
            let (report, message) = report.split_at(at);
            return (report.to_owned(), format!("{message}\n{last}"));
        }
        at += line.len();
    }
    (report, last)
}

/// A line without the marks around its words.
fn bare(line: &str) -> &str {
    line.trim().trim_start_matches(['-', '*', '=', '#', '+', '>', ' ', '\t']).trim_end_matches([' ', '.', '!', '=', '-', '*'])
}

fn understand(report: &str, last: &str, rcpt_to: &[String]) -> Result<Trace, String> {
    let (mut hosts, mut recipients) = (String::new(), String::new());
    let mut queue = Queue::default();
    let mut section = Section::Hosts;
    for line in logical_lines(report)? {
        let words = bare(&line);
        if words.is_empty() {
            continue;
        }
        let next = heading(words).unwrap_or(section);
        if next < section {
            return Err(format!("{words:?} stands behind a later section"));
        }
        let is_heading = heading(words).is_some();
        section = next;
        match section {
            Section::Hosts => push(&mut hosts, line.trim()),
            Section::Sender if REJECTED.is_match(words) || FATE.is_match(words) => queue.fates.push((Outcome::Rejected, None)),
            Section::Sender => {}
            Section::Recipients if is_heading => {}
            Section::Recipients => {
                if REJECTED.is_match(words) {
                    // What is said behind it is the reply to the sender.
                    push(&mut recipients, "¶rejected");
                } else {
                    let begins = words.to_lowercase().starts_with("processing ");
                    push(&mut recipients, &format!("{}{words}", if begins { "¶" } else { "" }));
                }
            }
            Section::Message => queue.line(words)?,
        }
    }
    let (sender_group, sender_entry, policy, behavior) = connection(&hosts)?;
    let recipients = addresses(&recipients)?;
    let refused = matches!(behavior, "reject" | "tcp_refuse");
    if refused && (queue.enqueued || !recipients.is_empty() || !queue.filters.is_empty()) {
        return Err("the policy does not take the connection, and the message is processed all the same".to_owned());
    }
    if !refused && (section != Section::Sender || queue.fates.is_empty()) {
        for wanted in rcpt_to {
            let is_it = |recipient: &Recipient| recipient.address.eq_ignore_ascii_case(wanted.trim_matches(['<', '>']));
            if !recipients.iter().any(is_it) {
                return Err("not all of the recipients are in it".to_owned());
            }
        }
    }
    let nobody = !recipients.is_empty() && recipients.iter().all(|recipient| recipient.action == Some("reject"));
    if nobody && queue.enqueued {
        return Err("no recipient is taken, and the message is enqueued all the same".to_owned());
    }
    let outcome = if refused || nobody { Outcome::Rejected } else { queue.outcome()? };
    let message = content(last).filter(|_| matches!(outcome, Outcome::Enqueued | Outcome::Split));
    Ok(Trace { outcome, sender_group, sender_entry, policy, behavior, recipients, filters: queue.filters, message })
}

/// The section that a line begins.
fn heading(words: &str) -> Option<Section> {
    if SENDER_HEAD.is_match(words) {
        Some(Section::Sender)
    } else if RECIPIENTS_HEAD.is_match(words) {
        Some(Section::Recipients)
    } else if MESSAGE_HEAD.is_match(words) || FILTER.is_match(words) || ENQUEUED.is_match(words) || MAIL_POLICY.is_match(words) {
        Some(Section::Message)
    } else {
        None
    }
}

fn push(text: &mut String, line: &str) {
    for word in line.split_whitespace() {
        text.push_str(word);
        text.push(' ');
    }
}

/// The lines as they were before they were broken: a rule or an action goes on until its quotes and parentheses are closed.
/// Where the next rule, result or action comes first, nobody knows what belongs to what.
fn logical_lines(report: &str) -> Result<Vec<String>, String> {
    /// More lines than any rule is broken into.
    const MOST: usize = 60;
    let mut lines = Vec::new();
    let mut rest = report.lines().peekable();
    while let Some(line) = rest.next() {
        let mut whole = line.to_owned();
        if RULE.is_match(bare(line)) || ACTION.is_match(bare(line)) {
            if bare(line).ends_with(':')
                && let Some(next) = rest.next_if(|next| !begins(bare(next)))
            {
                whole.push(' ');
                whole.push_str(next.trim());
            }
            for _ in 0..MOST {
                if is_closed(&whole) {
                    break;
                }
                let Some(next) = rest.next_if(|next| !begins(bare(next))) else { break };
                whole.push(' ');
                whole.push_str(next.trim());
            }
            if !is_closed(&whole) {
                return Err("the quotes or parentheses of a rule or an action are not closed".to_owned());
            }
        } else if is_broken_heading(bare(line))
            && let Some(next) = rest.next_if(|next| !next.trim().is_empty())
        {
            whole.push(' ');
            whole.push_str(next.trim());
        }
        lines.push(whole);
    }
    Ok(lines)
}

/// Whether a line begins something of a filter, or ends the work queue.
fn begins(words: &str) -> bool {
    [&*RULE, &*RESULT, &*ACTION, &*FILTER, &*ENQUEUED].iter().any(|pattern| pattern.is_match(words))
}

/// Whether a heading with something in parentheses, or the name of a filter, goes on in the next line.
fn is_broken_heading(words: &str) -> bool {
    let lower = words.to_lowercase();
    let names = lower.contains("policy processing")
        || lower.starts_with("processing filter")
        || lower.starts_with("processing message filter");
    let marks = lower.starts_with("message enqueued") || lower.starts_with("message queued");
    (names && (!is_closed(words) || lower.ends_with("filter"))) || (marks && !ENQUEUED.is_match(words) && lower.len() < 24)
}

/// Whether all quotes and parentheses of a text are closed.
fn is_closed(text: &str) -> bool {
    let (mut quote, mut depth) = (None, 0_i32);
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(_), '\\') => {
                letters.next();
            }
            (Some(open), letter) if letter == open => quote = None,
            (None, '"') => quote = Some('"'),
            (None, '(') => depth += 1,
            (None, ')') => depth -= 1,
            (Some(_) | None, _) => {}
        }
    }
    quote.is_none() && depth <= 0
}

type Connection = (Option<String>, Option<String>, Option<String>, &'static str);

/// The sender group, its entry, the policy and its behavior. Entries that continue stand before the one that counts.
fn connection(text: &str) -> Result<Connection, String> {
    let text = text.trim_end();
    let begins: Vec<usize> = MATCHED.find_iter(text).map(|found| found.start()).collect();
    let ends = begins.iter().skip(1).copied().chain([text.len()]);
    let parts: Vec<&str> = begins.iter().zip(ends).filter_map(|(begin, end)| text.get(*begin..end)).collect();
    let Some((last, passed)) = parts.split_last() else {
        return Err("it does not say which sender group matched".to_owned());
    };
    for part in passed {
        matched(part)?;
        let words = BEHAVIOR.captures(part).and_then(|found| found.get(1)).map_or("", |word| word.as_str());
        if behavior(words)? != "continue" {
            return Err("it applies several policies to one connection".to_owned());
        }
    }
    let (group, entry) = matched(last)?;
    let (Some(found), 1) = (POLICY.captures(last), APPLYING.find_iter(last).count()) else {
        return Err("it does not say which mail flow policy is applied".to_owned());
    };
    let part = |number: usize| found.get(number).map_or("", |part| part.as_str());
    let behavior = behavior(part(2))?;
    if behavior == "continue" {
        return Err("no entry of the Host Access Table takes or refuses the connection".to_owned());
    }
    let policy = Some(part(1).to_owned()).filter(|name| !name.eq_ignore_ascii_case("unnamed"));
    let group = match group {
        Some(name) if name.eq_ignore_ascii_case("unnamed") => entry.clone().filter(|entry| entry.eq_ignore_ascii_case("all")),
        other => other,
    };
    Ok((group, entry, policy, behavior))
}

/// The sender group and the entry of one match.
fn matched(text: &str) -> Result<(Option<String>, Option<String>), String> {
    let found = GROUP.captures(text).ok_or("it does not say which sender group matched")?;
    let end = found.get(0).map_or(0, |whole| whole.end());
    if !BEHIND_ENTRY.is_match(text.get(end..).unwrap_or_default()) {
        return Err("the entry of the Host Access Table that matched cannot be read whole".to_owned());
    }
    let part = |number: usize| found.get(number).map(|part| without_full_stop(part.as_str()).to_owned());
    Ok((part(1).or_else(|| part(2)), part(3)))
}

/// A name without the full stop behind it. A part of an address ends in one itself: `40.107.`.
fn without_full_stop(name: &str) -> &str {
    let bare = name.trim_end_matches('.');
    let is_numeric = !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
    if is_numeric && bare.split('.').count() < 4 { name } else { bare }
}

fn behavior(word: &str) -> Result<&'static str, String> {
    let plain: String = word.to_lowercase().chars().filter(char::is_ascii_alphabetic).collect();
    Ok(match plain.trim_end_matches("behavior").trim_end_matches("behaviour") {
        "accept" => "accept",
        "relay" => "relay",
        "reject" => "reject",
        "tcprefuse" => "tcp_refuse",
        "continue" => "continue",
        _ => return Err("the behavior of the mail flow policy is none that is known".to_owned()),
    })
}

/// The recipients, each with what the Recipient Access Table says of it.
fn addresses(text: &str) -> Result<Vec<Recipient>, String> {
    let mut recipients: Vec<Recipient> = Vec::new();
    let mut matched = 0;
    for found in RECIPIENT.captures_iter(text) {
        if let Some(address) = found.get(1) {
            recipients.push(Recipient { address: address.as_str().to_owned(), entry: None, action: None });
            continue;
        }
        let Some(last) = recipients.last_mut().filter(|last| last.action.is_none() || found.get(2).is_some()) else {
            return Err("a match of the Recipient Access Table belongs to no recipient".to_owned());
        };
        if found.get(2).is_some() {
            last.action = Some("reject");
            continue;
        }
        matched += 1;
        last.entry = found.get(3).map(|entry| entry.as_str().to_owned());
        last.action = Some(match found.get(4).map_or("", |part| part.as_str()).to_lowercase().as_str() {
            "accept" => "accept",
            "reject" => "reject",
            _ => return Err("the action of the Recipient Access Table is none that is known".to_owned()),
        });
    }
    let about = RAT.find_iter(text).count() - NO_RAT.find_iter(text).count().min(RAT.find_iter(text).count());
    if about != matched {
        return Err("a line about the Recipient Access Table cannot be read".to_owned());
    }
    Ok(recipients)
}

impl Queue {
    /// Takes one line of the work queue.
    fn line(&mut self, words: &str) -> Result<(), String> {
        if let Some(found) = MAIL_POLICY.captures(words) {
            self.mail_policy = found.get(1).map(|name| name.as_str().to_owned());
            self.policies += 1;
            self.in_filter = false;
        } else if let Some(found) = FILTER.captures(words) {
            let name = found.get(1).map_or("", |name| name.as_str()).trim();
            if name.is_empty() {
                return Err("a filter has no name".to_owned());
            }
            self.filters.push(Filter { name: name.to_owned(), mail_policy: self.mail_policy.clone(), actions: Vec::new() });
            self.in_filter = true;
        } else if ENQUEUED.is_match(words) {
            self.enqueued = true;
            self.in_filter = false;
        } else if REJECTED.is_match(words) && self.mail_policy.is_none() && !self.in_filter {
            self.fates.push((Outcome::Rejected, None));
        } else if let Some(found) = FATE.captures(words) {
            let fate = match found.get(1).map_or("", |word| word.as_str()).to_lowercase().as_str() {
                "dropped" | "discarded" => Outcome::Dropped,
                "bounced" => Outcome::Bounced,
                "quarantined" => Outcome::Quarantined,
                _ => Outcome::Rejected,
            };
            self.fates.push((fate, self.mail_policy.clone()));
        } else if RULE.is_match(words) {
            if !self.in_filter {
                return Err("a rule belongs to no filter".to_owned());
            }
        } else if RESULT.is_match(words) {
            // What follows from it are the actions.
        } else if let Some(found) = ACTION.captures(words) {
            self.actions(found.get(1).map_or("", |actions| actions.as_str()))?;
        } else if self.is_suspicious(words) {
            return Err("a line about filters or actions cannot be read".to_owned());
        } else if words.ends_with(':') {
            self.in_filter = false;
        }
        Ok(())
    }

    /// Whether a line that is not understood may say something about a filter.
    fn is_suspicious(&self, words: &str) -> bool {
        let lower = words.to_lowercase();
        let nothing = ["no ", "none", "not "].iter().any(|start| lower.starts_with(start));
        let named = lower.contains("filter") && lower.contains(['\'', '"', '`']);
        let acted = lower.contains("action") && (self.mail_policy.is_none() || self.in_filter);
        !nothing && (named || acted)
    }

    fn actions(&mut self, text: &str) -> Result<(), String> {
        let in_filter = self.in_filter;
        let filter = self.filters.last_mut().filter(|_| in_filter).ok_or("an action belongs to no filter")?;
        for action in pieces(text) {
            let name = ACTION_NAME.find(action).ok_or("the name of an action cannot be read")?;
            let name = name.as_str().to_lowercase().replace('_', "-");
            let fate = match name.as_str() {
                "drop" => Some(Outcome::Dropped),
                "bounce" => Some(Outcome::Bounced),
                "quarantine" => Some(Outcome::Quarantined),
                _ => None,
            };
            self.fates.extend(fate.map(|fate| (fate, filter.mail_policy.clone())));
            filter.actions.push(name);
        }
        if filter.actions.is_empty() { Err("an action has no name".to_owned()) } else { Ok(()) }
    }

    /// What became of the message.
    fn outcome(&self) -> Result<Outcome, String> {
        let ends = |outcome: Outcome| matches!(outcome, Outcome::Dropped | Outcome::Bounced | Outcome::Rejected);
        let all = self.fates.iter().rev().find(|(_, policy)| policy.is_none()).map(|(outcome, _)| *outcome);
        let copies: Vec<Outcome> =
            self.fates.iter().filter(|(_, policy)| policy.is_some()).map(|(outcome, _)| *outcome).collect();
        match (self.enqueued, all) {
            (true, Some(fate)) if ends(fate) => Err("the message is ended, and enqueued all the same".to_owned()),
            (true, _) if copies.iter().any(|fate| ends(*fate)) => Ok(Outcome::Split),
            (true, _) => Ok(Outcome::Enqueued),
            (false, Some(fate)) => Ok(fate),
            (false, None) => {
                let policies: std::collections::BTreeSet<&str> =
                    self.fates.iter().filter_map(|(_, policy)| policy.as_deref()).collect();
                match copies.last() {
                    Some(fate) if policies.len() >= self.policies && copies.iter().all(|other| other == fate) => Ok(*fate),
                    _ => Err("it does not say what becomes of the message".to_owned()),
                }
            }
        }
    }
}

/// The actions of a line, which semicolons part outside of quotes.
fn pieces(text: &str) -> Vec<&str> {
    let (mut pieces, mut begin, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            ';' if !quoted => {
                pieces.push(text.get(begin..at).unwrap_or_default());
                begin = at + 1;
            }
            _ => {}
        }
    }
    pieces.push(text.get(begin..).unwrap_or_default());
    pieces.into_iter().map(str::trim).filter(|piece| !piece.is_empty()).collect()
}

/// The final message, of the first mail policy.
fn content(last: &str) -> Option<String> {
    let mut lines = last.lines().skip_while(|line| !CONTENT.is_match(bare(line)));
    lines.next()?;
    let lines: Vec<&str> = lines.take_while(|line| !NEXT_TEXT.is_match(bare(line))).collect();
    let text = lines.join("\n");
    let text = text.trim_matches('\n').trim_end();
    (!text.is_empty()).then(|| text.to_owned())
}
