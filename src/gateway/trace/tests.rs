//! The dialog against written conversations, and the reading against printouts of many layouts.

use proptest::prelude::*;
use proptest::sample::select;

use super::reading::{Filter, Outcome, Recipient, Trace, patterns, read};
use super::*;
use crate::gateway::dialog::Told;
use crate::gateway::driver;
use crate::gateway::settings::Level;
use crate::gateway::shell::Shell;
use crate::gateway::testing::{Device, quick};

fn message() -> Message {
    Message {
        listener: "OutgoingMail".to_owned(),
        source_ip: "192.0.2.99".to_owned(),
        source_host: "mail-x.outbound.protection.outlook.com".to_owned(),
        mail_from: "user@example.com".to_owned(),
        rcpt_to: vec!["someone@example.net".to_owned()],
        headers: vec![("X-OUTBOUND-AUTH".to_owned(), "mysecretkey77".to_owned()), ("Subject".to_owned(), "Hello".to_owned())],
        body: "first line\n\nlast line\n".to_owned(),
    }
}

const ANSWERS: &str = "«trace»\nEnter the source IP\n[]> «192.0.2.99»\n\nEnter the fully qualified domain name of the source IP\n\
    []> «mail-x.outbound.protection.outlook.com»\n\nSelect the listener to trace behavior on:\n1. IncomingMail\n2. OutgoingMail\n[1]> «2»\n\n\
    Would you like to configure the SMTP Authentication for this session? [N]> «N»\n\n\
    Enter the domain name to be passed to HELO:\n[]> «mail-x.outbound.protection.outlook.com»\n\nFetching default SenderBase values...\n\
    Enter the SenderBase Org ID of the source IP.  The actual ID is N/A.\n[N/A]> «»\n\n\
    Enter the SenderBase Reputation Score of the source IP.  The actual score is N/A.\n[N/A]> «»\n\n";
const ENVELOPE: &str = "Enter the Envelope Sender address:\n[]> «user@example.com»\n\n\
    Enter the Envelope Recipient addresses.  Separate multiple addresses by commas.\n[]> «someone@example.net»\n\n";
const PASTE: &str = "Load message from disk?  [Y]> «N»\n\nEnter or paste the message body here.  Enter '.' on a blank line to end.\n\
    «X-OUTBOUND-AUTH: mysecretkey77»\n«Subject: Hello»\n«»\n«first line»\n«»\n«last line»\n«.»\n";
const PRINTED: &str = "Host Access Table Processing\n\n - HAT matched on RELAY_O365 sender group, host .protection.outlook.com\n\
    \x20- Applying $RELAYED_O365 policy (RELAY behavior).\n   - Maximum Message Size:  100M (Default)\n   - Allow TLS Connections:  Preferred\n\n\
    Processing MAIL FROM:\n\n - Default Domain Processing:  No Change\n\nProcessing Recipient List:\n\nProcessing someone@example.net\n\n\
    \x20- Default Domain Processing:  No Change\n - Domain Map:  No Change\n - Alias expansion:  No Change\n\nMessage Processing:\n\n\
    \x20- No Virtual Gateway(tm) Assigned\n - No Bounce Profile Assigned\n\nDomain Masquerading/LDAP Processing:\n\n - No Changes.\n\n\
    Processing filter 'office365_outbound':\nEvaluating Rule:   sendergroup == \"^RELAY_O365$\"\n    Result = True\n\
    Evaluating Rule:   header(\"X-OUTBOUND-AUTH\") == \"^mysecretkey77$\"\n    Result = True\nExecuting Action:   strip-header(\"X-OUTBOUND-AUTH\")\n\n\
    Footer Stamping:\n\n - Not Performed\n\nOutbound Recipient Policy Processing: (matched on DEFAULT policy)\n\nMessage going to:  someone@example.net\n\n\
    AntiSpam Evaluation:\n\n - Not Spam\n\nAntiVirus Evaluation:\n\n - Message Clean.\n\nMessage Enqueued for Delivery\n\n";
const FINAL: &str = "Would you like to see the resulting message?  [Y]> «Y»\n\nFinal text for messages matched on policy DEFAULT\n\nFinal Envelope Sender:  user@example.com\n\n\
    Final Recipients:\n\n - someone@example.net\n\nFinal Message Content:\n\nReceived: from mail-x\nSubject: Hello\n\nfirst line\nMessage Dropped: Executing Action: drop()\n\n";
const END: &str = "Run through another debug session?  [N]> «N»\nesa.local> «»";

async fn traced(script: &str) -> Result<Vec<Told>, Error> {
    let mut outcomes = Vec::new();
    for (chunk, echo) in [(100_000, true), (1, true), (17, true), (100_000, false)] {
        let device = Device::saying(&format!("esa.local> {script}")).in_chunks_of(chunk);
        let device = if echo { device } else { device.without_echo() };
        let heard = device.heard();
        let mut shell = Shell::new(device.line(), quick());
        let limit = shell.patience();
        shell.turn(limit).await.expect("the first prompt");
        shell.learn();
        shell.end();
        let outcome = driver::report(&mut shell, &message().dialog(true), &Level::Standalone).await;
        if let Err(wrong) = heard.all() {
            panic!("{wrong}: {outcome:?} (chunks of {chunk}, echo {echo})");
        }
        outcomes.push(outcome);
    }
    let first = outcomes.first().cloned().expect("an outcome");
    for other in &outcomes {
        assert_eq!(other.as_ref().ok(), first.as_ref().ok());
    }
    first
}

fn understood(told: &[Told]) -> Trace {
    read(told, &message().rcpt_to, &message().lines()).expect("it is understood")
}

#[test]
fn every_pattern_is_one() {
    assert!(patterns().iter().all(|pattern| !pattern.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn a_message_is_traced_and_the_final_message_is_read() {
    let told = traced(&[ANSWERS, ENVELOPE, PASTE, PRINTED, FINAL, END].concat()).await.expect("a report");
    let trace = understood(&told);
    assert_eq!(
        (trace.outcome, trace.sender_group.as_deref(), trace.policy.as_deref(), trace.behavior),
        (Outcome::Enqueued, Some("RELAY_O365"), Some("RELAYED_O365"), "relay")
    );
    assert_eq!(trace.sender_entry.as_deref(), Some(".protection.outlook.com"));
    assert_eq!(trace.recipients, [Recipient { address: "someone@example.net".to_owned(), entry: None, action: None }]);
    assert_eq!(
        trace.filters,
        [Filter { name: "office365_outbound".to_owned(), mail_policy: None, actions: vec!["strip-header".to_owned()] }]
    );
    let message = trace.message.expect("a message");
    assert!(
        message.starts_with("Received: from mail-x\nSubject: Hello\n\nfirst line\n") && message.ends_with("drop()"),
        "{message}"
    );
}

#[tokio::test(start_paused = true)]
async fn questions_come_in_any_order_and_older_releases_ask_fewer() {
    let old = "«trace»\nEnter the Envelope Sender address:\n[]> «user@example.com»\nEnter the Envelope Recipient addresses.\nSeparate multiple addresses by commas.\n[]> «someone@example.net»\n\
        Enter the source IP\n[]> «192.0.2.99»\nEnter the fully qualified domain name of the source IP\n[]> «mail-x.outbound.protection.outlook.com»\n\
        Select the listener to trace behavior on:\n1. IncomingMail (on Data 1, 192.0.2.1) SMTP TCP Port 25 Public\n2. OutgoingMail (on Data 2, 192.0.2.2) SMTP TCP Port 25 Private\n[1]> «2»\n\
        Re-use last message body? [Y]> «N»\n";
    let dropped = PRINTED
        .replace("Message Enqueued for Delivery\n\n", "")
        .replace("Executing Action:   strip-header(\"X-OUTBOUND-AUTH\")", "Executing Action:   drop()")
        .split("\nFooter Stamping")
        .next()
        .map(str::to_owned)
        .expect("a part");
    let told = traced(&[old, PASTE, &dropped, END].concat()).await.expect("a report");
    let trace = understood(&told);
    assert_eq!((trace.outcome, trace.message), (Outcome::Dropped, None));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_question_ends_the_trace_without_an_answer_and_without_the_message() {
    let script = [ANSWERS, ENVELOPE, PASTE, PRINTED, "Shall mysecretkey77 be published? [Y]> «^C»\nesa.local> «»"].concat();
    let error = traced(&script).await.expect_err("the question is unknown");
    assert_eq!(error.kind, Kind::Unexpected);
    let shown = format!("{error} {:?}", error.context);
    assert!(shown.contains("be published") && !shown.contains("mysecretkey77") && !shown.contains("first line"), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_is_not_offered_and_a_role_that_may_not_are_refusals_in_the_devices_words() {
    let script = "«trace»\nEnter the source IP\n[]> «192.0.2.99»\nEnter the fully qualified domain name of the source IP\n[]> «mail-x.outbound.protection.outlook.com»\n\
        Select the listener to trace behavior on:\n1. MailFlow\n[1]> «^C»\nesa.local> «»";
    let error = traced(script).await.expect_err("no such listener");
    assert!(error.message.contains("no listener \"OutgoingMail\"") && error.message.contains("MailFlow"), "{error}");
    let error =
        traced("«trace»\nYou are not in the correct access group to use \"trace\".\nesa.local> «»").await.expect_err("denied");
    assert_eq!(error.kind, Kind::Denied);
}

#[test]
fn what_is_not_understood_is_an_error_that_shows_nothing_of_the_message() {
    let check = |from: &str, to: &str, why: &str| {
        let said = PRINTED.replace(from, to);
        assert_ne!(said, PRINTED, "{from}");
        let told = [Told { said, asked: String::new() }];
        let error = read(&told, &message().rcpt_to, &message().lines()).expect_err(why);
        let shown = format!("{error} {:?}", error.context);
        assert!(error.message.contains(why), "{why}: {error}");
        assert!(!shown.contains("mysecretkey77"), "{shown}");
        assert!(shown.contains("HAT") || from.contains("HAT"), "{shown}");
    };
    check("Message Enqueued for Delivery", "Message NOT Enqueued for Delivery", "does not say what becomes");
    check("Message Enqueued for Delivery", "Message\tpassed on", "does not say what becomes");
    check("HAT matched on RELAY_O365 sender group", "Relaying is in order", "which sender group matched");
    check("RELAY behavior", "QUANTUM behavior", "behavior of the mail flow policy");
    check("Processing someone@example.net", "Processing", "recipients");
    check("strip-header(\"X-OUTBOUND-AUTH\")", "drop()", "enqueued all the same");
    check("Processing filter 'office365_outbound':", "Filtering with 'office365_outbound' now:", "about filters or actions");
    check("Executing Action:   strip", "Action taken by the filter \"office365_outbound\": strip", "about filters or actions");
    check(".protection.outlook.com\n - Applying", ".protection.out\n   look.com\n - Applying", "cannot be read whole");
    check("== \"^RELAY_O365$\"", "== \"^RELAY_O365$", "are not closed");
    check("(RELAY behavior)", "(REJECT behavior)", "processed all the same");
}

#[test]
fn a_connection_or_recipients_that_are_refused_are_rejected() {
    let group = |behavior: &str| {
        format!(
            "Host Access Table\n - HAT matched on unnamed sender group, host ALL\n - Applying $BLOCKED policy ({behavior} behavior).\n"
        )
    };
    for (behavior, word) in [("REJECT", "reject"), ("TCPREFUSE", "tcp_refuse"), ("TCP REFUSE", "tcp_refuse")] {
        let trace = understood(&[Told { said: group(behavior), asked: "Run through another debug session?".to_owned() }]);
        assert_eq!((trace.outcome, trace.behavior, trace.sender_group.as_deref()), (Outcome::Rejected, word, Some("ALL")));
    }
    let said = format!(
        "{}Processing MAIL FROM:\nProcessing Recipient List:\nProcessing someone@example.net\n - RAT matched on ALL, behavior = REJECT\n",
        group("ACCEPT")
    );
    let trace = understood(&[Told { said, asked: String::new() }]);
    assert_eq!(trace.outcome, Outcome::Rejected);
    assert_eq!(
        trace.recipients,
        [Recipient { address: "someone@example.net".to_owned(), entry: Some("ALL".to_owned()), action: Some("reject") }]
    );
    // An entry that only continues stands before the one that counts.
    let said = format!(
        "Host Access Table\n - HAT matched on GREY sender group, host 192.0.2.1\n - Applying $GREY policy (CONTINUE behavior).\n{}",
        group("REJECT")
    );
    assert_eq!(understood(&[Told { said, asked: String::new() }]).sender_group.as_deref(), Some("ALL"));
    let said = format!(
        "HAT matched on unnamed sender group, host 192.0.2.1\n - No policy applied (CONTINUE behavior).\n{}",
        group("REJECT")
    );
    assert_eq!(understood(&[Told { said, asked: String::new() }]).sender_group.as_deref(), Some("ALL"));
    // A part of an address ends in a full stop of its own.
    for (entry, wanted) in
        [("40.107.", "40.107."), ("198.51-52.", "198.51-52."), ("192.0.2.1.", "192.0.2.1"), ("mail.example.", "mail.example")]
    {
        let said = format!("HAT matched on G1 sender group, host {entry}\n - Applying $BLOCKED policy (REJECT behavior).\n");
        assert_eq!(understood(&[Told { said, asked: String::new() }]).sender_entry.as_deref(), Some(wanted));
    }
    // The sender, a recipient, or the message is refused before the work queue.
    let accepted = group("ACCEPT");
    let processing = format!(
        "{accepted}Processing MAIL FROM:\n - Default Domain Processing:  No Change\nProcessing Recipient List:\nProcessing someone@example.net\n"
    );
    for said in [
        format!("{accepted}Processing MAIL FROM:\n - Rejected:  553 #5.1.8 Domain of sender address does not exist\n"),
        format!("{processing} - Rejected:  452 Too many recipients\n"),
        format!(
            "{processing} - RAT matched on example.net, behavior = ACCEPT\nMessage Processing:\n - Rejected:  552 message exceeds the size\n"
        ),
    ] {
        assert_eq!(understood(&[Told { said, asked: String::new() }]).outcome, Outcome::Rejected);
    }
}

#[test]
fn what_the_message_says_is_no_result() {
    let told = [
        Told {
            said: PRINTED.replace("Message Enqueued for Delivery\n", ""),
            asked: "Would you like to see the resulting message?".to_owned(),
        },
        Told { said: "Final Message Content:\n\nMessage Enqueued for Delivery\n".to_owned(), asked: String::new() },
    ];
    assert!(read(&told, &message().rcpt_to, &message().lines()).is_err());
    let said = PRINTED
        .replace("== \"^RELAY_O365$\"", "== \"x\n  Message Enqueued for Delivery now\"")
        .replace("\nMessage Enqueued for Delivery\n", "\n");
    assert!(read(&[Told { said, asked: String::new() }], &message().rcpt_to, &message().lines()).is_err());
}

/// A filter that was evaluated: its name, each rule with what it came to, and the actions.
type Evaluated = (String, Vec<(String, bool)>, Vec<&'static str>);

/// A mail policy with the content filters that acted under it: the name of each, and its actions.
type Handled = (String, Vec<(String, Vec<&'static str>)>);

/// A result, and how it is printed.
#[derive(Debug, Clone)]
struct Made {
    group: Option<String>,
    behavior: &'static str,
    policy: String,
    entry: String,
    recipients: Vec<(String, Option<(String, bool)>)>,
    filters: Vec<Evaluated>,
    policies: Vec<Handled>,
    layout: Layout,
}

#[expect(clippy::struct_excessive_bools, reason = "each is one independent choice, named where it is made")]
#[derive(Debug, Clone)]
struct Layout {
    width: usize,
    quote: &'static str,
    bullet: &'static str,
    capitals: bool,
    blank_lines: bool,
    extras: Vec<&'static str>,
    asks: bool,
    rat: &'static str,
    rule: &'static str,
    action: &'static str,
    group: &'static str,
    carriage_returns: bool,
}

/// What may stand between the sections, and concerns nobody.
const EXTRAS: &[&str] = &[
    "SMTP Authentication Processing:\n - Not configured",
    "SPF Verification:\n - Result: None",
    "Graymail Evaluation:\n\n - Not performed (no feature key)",
    "Advanced Malware Protection:\n - Verdict: CLEAN",
    "DLP Evaluation:\n - Not enabled",
    "Outbreak Filter Evaluation:\n - No threat detected",
    "VOF Evaluation:\n - No threat detected",
    "Sender Domain Reputation:\n - Neutral",
    "S/MIME Processing:\n - No Changes.",
];

const ACTIONS: &[&str] = &["strip-header", "insert-header", "bcc", "log", "tag-message", "skip-filters", "deliver", "notify"];

fn layout() -> impl Strategy<Value = Layout> {
    let first = (
        select(vec![46usize, 60, 72, 80, 200]),
        select(vec!["'", "\"", "`", ""]),
        select(vec![" - ", " * ", "", "  -- "]),
        any::<bool>(),
        any::<bool>(),
    );
    let second = (proptest::sample::subsequence(EXTRAS, 0..=EXTRAS.len()), any::<bool>());
    let third = (
        select(vec![
            " - RAT matched on {}, behavior = {}",
            "RAT matched on entry {}, behavior={}",
            " - Recipient Access Table matched {}; action: {}",
        ]),
        select(vec!["Evaluating Rule:   {}", "  Evaluating rule: {}", "- Evaluating the rule: {}"]),
        select(vec!["Executing Action:   {}", "   Executing action: {};", "- Executing Actions: {}"]),
        select(vec![
            " - HAT matched on {} sender group, host {}",
            "HAT matched on the {} sender group, entry {}",
            " - Host Access Table matched sender group {}, host {}.",
        ]),
        any::<bool>(),
    );
    (first, second, third).prop_map(
        |((width, quote, bullet, capitals, blank_lines), (extras, asks), (rat, rule, action, group, carriage_returns))| Layout {
            width,
            quote,
            bullet,
            capitals,
            blank_lines,
            extras,
            asks,
            rat,
            rule,
            action,
            group,
            carriage_returns,
        },
    )
}

fn made() -> impl Strategy<Value = Made> {
    let name = "[A-Z][A-Z0-9_]{2,14}";
    let filter = "[a-z][a-z0-9_-]{2,20}";
    let taken = proptest::collection::vec(select([ACTIONS, &["drop", "quarantine"]].concat()), 0..3);
    let rules = proptest::collection::vec(("[a-z@. ()|^$-]{0,60}", any::<bool>()), 0..3);
    let content =
        proptest::collection::vec((filter, proptest::collection::vec(select([ACTIONS, &["drop"]].concat()), 0..2)), 0..2);
    (
        proptest::option::of(name),
        select(vec!["ACCEPT", "RELAY", "REJECT", "TCPREFUSE"]),
        name,
        "[.a-z0-9-]{1,30}",
        proptest::collection::vec(
            ("[a-z]{1,8}@[a-z]{1,12}\\.example", proptest::option::of(("[.a-z]{1,12}", any::<bool>()))),
            1..4,
        ),
        proptest::collection::vec((filter, rules, taken), 0..4),
        proptest::collection::vec((name, content), 1..3),
        layout(),
    )
        .prop_map(|(group, behavior, policy, entry, mut recipients, filters, policies, layout)| {
            recipients.sort();
            recipients.dedup_by(|one, other| one.0 == other.0);
            Made {
                group,
                behavior,
                policy,
                entry: entry.trim_matches('.').to_owned() + "x",
                recipients,
                filters,
                policies,
                layout,
            }
        })
}

/// Breaks lines at blanks, as a terminal of this width does.
fn wrapped(text: &str, width: usize) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let indent: String = line.chars().take_while(|letter| *letter == ' ').collect();
        let mut row = indent.clone();
        for word in line.split_whitespace() {
            if row.trim().is_empty() {
                row.push_str(word);
            } else if row.len() + 1 + word.len() > width {
                out.push_str(&row);
                out.push('\n');
                row = format!("{indent}{word}");
            } else {
                row.push(' ');
                row.push_str(word);
            }
        }
        out.push_str(row.trim_end());
        out.push('\n');
    }
    out
}

impl Made {
    fn filled(pattern: &str, parts: &[&str]) -> String {
        parts.iter().fold(pattern.to_owned(), |text, part| text.replacen("{}", part, 1))
    }

    /// What is printed, and what it means.
    fn printed(&self) -> (Vec<Told>, Outcome, Vec<Filter>) {
        let Layout { quote, bullet, .. } = self.layout;
        let mut lines = vec!["Host Access Table Processing".to_owned(), String::new()];
        let group = self.group.as_deref().unwrap_or("unnamed");
        let entry = if self.group.is_some() { self.entry.as_str() } else { "ALL" };
        lines.push(Made::filled(self.layout.group, &[group, entry]));
        lines.push(format!("{bullet}Applying ${} policy ({} behavior).", self.policy, self.behavior));
        lines.push("   - Maximum Message Size:  100M (Default)".to_owned());
        lines.push("   - Allow TLS Connections:  Preferred".to_owned());
        let told = |lines: Vec<String>, ask: bool| {
            let text = lines.join("\n");
            let text = if self.layout.blank_lines {
                text
            } else {
                text.lines().filter(|line| !line.trim().is_empty()).collect::<Vec<_>>().join("\n")
            };
            let text = wrapped(&text, self.layout.width);
            let text = if self.layout.carriage_returns { text.replace('\n', "\r\n") } else { text };
            let asked = if ask { "Would you like to see the resulting message?" } else { "Run through another debug session?" };
            vec![Told { said: text, asked: asked.to_owned() }]
        };
        if matches!(self.behavior, "REJECT" | "TCPREFUSE") {
            return (told(lines, false), Outcome::Rejected, Vec::new());
        }
        lines.extend([
            String::new(),
            "Processing MAIL FROM:".to_owned(),
            format!("{bullet}Default Domain Processing:  No Change"),
            String::new(),
            "Processing Recipient List:".to_owned(),
        ]);
        for (address, rat) in &self.recipients {
            lines.extend([
                String::new(),
                format!("Processing {address}"),
                format!("{bullet}Default Domain Processing:  No Change"),
                format!("{bullet}Domain Map:  No Change"),
            ]);
            if let Some((entry, accepted)) = rat {
                lines.push(Made::filled(self.layout.rat, &[&format!("{entry}x"), if *accepted { "ACCEPT" } else { "REJECT" }]));
            }
            lines.push(format!("{bullet}Alias expansion:  No Change"));
        }
        if self.recipients.iter().all(|(_, rat)| matches!(rat, Some((_, false)))) {
            return (told(lines, false), Outcome::Rejected, Vec::new());
        }
        lines.extend([
            String::new(),
            "Message Processing:".to_owned(),
            format!("{bullet}No Virtual Gateway(tm) Assigned"),
            String::new(),
            "Domain Masquerading/LDAP Processing:".to_owned(),
            format!("{bullet}No Changes."),
        ]);
        let mut filters = Vec::new();
        for (name, rules, actions) in &self.filters {
            lines.extend([String::new(), format!("Processing filter {quote}{name}{quote}:")]);
            for (text, truth) in rules {
                lines.push(Made::filled(self.layout.rule, &[&format!("subject == \"{text}\"")]));
                lines.push(format!("    Result = {}", if *truth { "True" } else { "False" }));
            }
            let mut filter = Filter { name: name.clone(), mail_policy: None, actions: Vec::new() };
            for action in actions {
                let shown = if self.layout.capitals { action.replace('-', "_") } else { (*action).to_owned() };
                lines.push(Made::filled(self.layout.action, &[&format!("{shown}(\"a ; value\")")]));
                filter.actions.push((*action).to_owned());
                if *action == "drop" || *action == "quarantine" {
                    filters.push(filter);
                    let outcome = if *action == "drop" { Outcome::Dropped } else { Outcome::Quarantined };
                    return (told(lines, false), outcome, filters);
                }
            }
            filters.push(filter);
        }
        let mut dropped = 0;
        for (policy, content) in &self.policies {
            lines.extend([
                String::new(),
                format!("Inbound Recipient Policy Processing: (matched on {policy} policy)"),
                format!("Message going to:  {}", self.recipients[0].0),
            ]);
            for extra in &self.layout.extras {
                lines.extend(extra.lines().map(str::to_owned));
            }
            let mut ended = false;
            for (name, actions) in content {
                if ended {
                    break;
                }
                lines.push(format!("Processing content filter {quote}{name}{quote}:"));
                let mut filter = Filter { name: name.clone(), mail_policy: Some(policy.clone()), actions: Vec::new() };
                for action in actions {
                    lines.push(Made::filled(self.layout.action, &[&format!("{action}()")]));
                    filter.actions.push((*action).to_owned());
                    if *action == "drop" {
                        ended = true;
                        break;
                    }
                }
                filters.push(filter);
            }
            if ended {
                dropped += 1;
            } else {
                lines.extend([
                    String::new(),
                    if self.layout.capitals {
                        "MESSAGE ENQUEUED FOR DELIVERY".to_owned()
                    } else {
                        "Message Enqueued for Delivery".to_owned()
                    },
                ]);
            }
        }
        let outcome = match dropped {
            0 => Outcome::Enqueued,
            all if all == self.policies.len() => Outcome::Dropped,
            _ => Outcome::Split,
        };
        (told(lines, self.layout.asks), outcome, filters)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(if cfg!(debug_assertions) { 400 } else { 4_000 }) })]

    #[test]
    fn printed_results_of_any_layout_are_read_right_or_refused(made in made()) {
        let (told, outcome, filters) = made.printed();
        let rcpt_to: Vec<String> = made.recipients.iter().map(|(address, _)| address.clone()).collect();
        match read(&told, &rcpt_to, &[]) {
            // A rule that is broken where nothing is open may be read as another line.
            Err(error) => prop_assert!(made.layout.width < 200, "{error}\n{}", told[0].said),
            Ok(trace) => {
                prop_assert_eq!(trace.outcome, outcome, "{}", &told[0].said);
                prop_assert_eq!(&trace.filters, &filters, "{}", &told[0].said);
                prop_assert_eq!(trace.sender_group.as_deref(), Some(made.group.as_deref().unwrap_or("ALL")));
                prop_assert_eq!(trace.policy.as_deref(), Some(made.policy.as_str()));
                if !matches!(made.behavior, "REJECT" | "TCPREFUSE") {
                    let found: Vec<(String, Option<(String, bool)>)> = trace
                        .recipients
                        .iter()
                        .map(|one| (one.address.clone(), one.entry.clone().map(|entry| (entry, one.action == Some("accept")))))
                        .collect();
                    let wanted: Vec<(String, Option<(String, bool)>)> = made
                        .recipients
                        .iter()
                        .map(|(address, rat)| (address.clone(), rat.clone().map(|(entry, accepted)| (format!("{entry}x"), accepted))))
                        .collect();
                    prop_assert_eq!(found, wanted);
                }
            }
        }
    }

    #[test]
    fn a_result_that_is_cut_off_or_broken_anywhere_gives_its_outcome_or_none(made in made(), at in 0.0..1.0f64, letters in "[ -~\n]{0,12}") {
        let (told, outcome, _) = made.printed();
        let rcpt_to: Vec<String> = made.recipients.iter().map(|(address, _)| address.clone()).collect();
        let whole = &told[0].said;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place in a short text")]
        let cut = (whole.len() as f64 * at) as usize;
        // Between lines: a letter that is lost within a word is another word.
        let cut = whole[..cut].rfind('\n').map_or(0, |end| end + 1);
        let asked = String::new();
        let head = [Told { said: whole[..cut].to_owned(), asked: asked.clone() }];
        if let Ok(trace) = read(&head, &rcpt_to, &[]) {
            // A copy that comes later is not seen.
            let later = matches!(outcome, Outcome::Split) && trace.outcome != Outcome::Rejected;
            prop_assert!(trace.outcome == outcome || later, "{:?} {}", trace, &head[0].said);
        }
        // Whatever stands in it: no panic.
        let noise = [Told { said: format!("{}{letters}{}", &whole[..cut], &whole[cut..]), asked }];
        let _ = read(&noise, &rcpt_to, &[]);
    }
}
