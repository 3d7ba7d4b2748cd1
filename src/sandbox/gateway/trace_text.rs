//! What `trace` prints: sections in the documented order, in the manner of an older or a newer release.
//!
//! The names of the sections are documented, their lines are known from one printed example. [`TraceForm`] chooses between two manners
//! that have the same structure.

use super::options::Layout;
use super::tables::Configuration;
use super::tables::parameter::{Setting, size};
use crate::sandbox::oracle::{Admission, Content, FilterRun, RecipientMatched, Reply};

/// Names the manner of what `trace` prints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TraceForm {
    /// That of the printed example: labels and values two blanks apart, no headings but those of the example.
    #[default]
    Older,
    /// Headings by their documented names with a line under them, blank lines, one blank behind a label, more sections, other labels.
    Newer,
}

/// Lists the policy parameters that are printed: key, label of the example, label of the newer manner.
const PARAMETERS: &[(&str, &str, &str)] = &[
    ("max_message_size", "Maximum Message Size", "Max. Message Size"),
    ("max_concurrency", "Maximum Number Of Connections From A Single IP", "Max. Concurrent Connections From a Single IP"),
    ("max_msgs_per_session", "Maximum Number Of Messages Per Connection", "Max. Messages Per Connection"),
    ("max_rcpts_per_msg", "Maximum Number Of Recipients Per Message", "Max. Recipients Per Message"),
    ("max_rcpts_per_hour", "Maximum Recipients Per Hour", "Max. Recipients Per Hour"),
    ("dhap_limit", "Directory Harvest Attack Prevention", "Directory Harvest Attack Prevention (DHAP)"),
    ("use_sb", "Use SenderBase For Flow Control", "Use SenderBase for Flow Control"),
    ("spam_check", "Spam Detection Enabled", "Spam Detection Enabled"),
    ("virus_check", "Virus Detection Enabled", "Virus Protection Enabled"),
    ("tls", "Allow TLS Connections", "Allow TLS Connections"),
];

/// Lists the parameters that only newer releases print.
const MORE_PARAMETERS: &[(&str, &str)] = &[
    ("max_rcpts_per_sender", "Max. Recipients Per Envelope Sender"),
    ("smtpauth_allow", "Allow SMTP Authentication"),
    ("dkim_signing", "DKIM/DomainKeys Signing Enabled"),
    ("dkim_verification", "DKIM Verification Enabled"),
    ("spf_verification", "SPF/SIDF Verification Enabled"),
    ("dmarc_verification", "DMARC Verification Enabled"),
    ("sender_verification", "Envelope Sender DNS Verification Enabled"),
];

/// Collects the lines of a result.
pub(super) struct Printer {
    form: TraceForm,
    columns: Option<usize>,
    text: String,
}

impl Printer {
    pub(super) fn new(layout: &Layout) -> Printer {
        Printer { form: layout.trace, columns: layout.trace_columns, text: String::new() }
    }

    /// Gives what was collected.
    pub(super) fn finish(self) -> String {
        self.text
    }

    /// Adds a line; a long one goes on in the next line, indented.
    fn line(&mut self, line: &str) {
        let width = self.columns.unwrap_or(usize::MAX);
        let mut rest = line;
        let mut indent = "";
        while rest.chars().count() + indent.len() > width {
            let most = rest.char_indices().nth(width - indent.len()).map_or(rest.len(), |(at, _)| at);
            let Some(at) = rest.get(..most).and_then(|front| front.rfind(' ')).filter(|at| *at > 0) else { break };
            let (front, behind) = rest.split_at(at);
            if front.trim().is_empty() {
                break;
            }
            self.text.push_str(&format!("{indent}{front}\n"));
            rest = behind.trim_start();
            indent = "        ";
        }
        self.text.push_str(&format!("{indent}{rest}\n"));
    }

    /// Begins a section: by its documented name in the newer manner, by the example's line, where it has one.
    fn section(&mut self, name: &str, example: &str) {
        match self.form {
            TraceForm::Newer => {
                self.text.push('\n');
                self.line(name);
                self.line(&"-".repeat(name.len()));
            }
            TraceForm::Older if example.is_empty() => {}
            TraceForm::Older => self.line(example),
        }
    }

    /// Adds ` - label:  value`.
    fn item(&mut self, label: &str, value: &str) {
        let gap = if self.form == TraceForm::Older { "  " } else { " " };
        self.line(&format!(" - {label}:{gap}{value}"));
    }

    /// Prints which group matched, which policy is applied, and its parameters.
    pub(super) fn host_access(&mut self, admission: &Admission) {
        self.section("Host Access Table and Mail Flow Policy Processing", "");
        let unnamed = admission.group.is_empty() || admission.group == "ALL" && self.form == TraceForm::Older;
        let group = if unnamed { "unnamed" } else { admission.group.as_str() };
        for (name, entry) in &admission.passed {
            let name = if name.is_empty() { "unnamed" } else { name };
            self.line(&format!("HAT matched on {name} sender group, host {entry}"));
            self.line(" - No policy applied (CONTINUE behavior).");
        }
        self.line(&format!("HAT matched on {group} sender group, host {}", admission.entry));
        let policy = admission.policy.as_ref().map_or_else(|| "unnamed".to_owned(), |policy| format!("${policy}"));
        self.line(&format!(" - Applying {policy} policy ({} behavior).", admission.behavior.keyword()));
        if !admission.behavior.takes_mail() {
            return;
        }
        for (key, older, newer) in PARAMETERS {
            self.parameter(admission, key, if self.form == TraceForm::Older { older } else { newer });
        }
        if self.form == TraceForm::Newer {
            for (key, label) in MORE_PARAMETERS {
                self.parameter(admission, key, label);
            }
        }
    }

    fn parameter(&mut self, admission: &Admission, key: &str, label: &str) {
        let Some((_, value, default)) = admission.parameters.iter().find(|(known, ..)| known == key) else { return };
        let shown = match (key, value) {
            ("max_message_size", Setting::Number(bytes)) => size(*bytes),
            (_, Setting::Number(..=0)) => "Disabled".into(),
            (_, Setting::Number(number)) => number.to_string(),
            ("tls", Setting::Text(word)) => match word.as_str() {
                "off" => "No".into(),
                "required" => "Required".into(),
                _ => "Preferred".into(),
            },
            (_, Setting::Text(word)) if word == "on" => "Yes".into(),
            (_, Setting::Text(word)) if word == "off" => "No".into(),
            (_, Setting::Text(word)) => word.clone(),
        };
        self.item(label, &format!("{shown}{}", if *default { " (Default)" } else { "" }));
    }

    /// Prints what became of the envelope sender.
    pub(super) fn sender(&mut self, before: &str, after: &Result<String, Reply>) {
        self.section("Envelope Sender Address Processing", "Processing MAIL FROM:");
        if self.form == TraceForm::Newer {
            self.line("Processing MAIL FROM:");
        }
        match after {
            Ok(after) if after == before => self.item("Default Domain Processing", "No Change"),
            Ok(after) => self.item("Default Domain Processing", after),
            Err(reply) => self.item("Rejected", &reply.to_string()),
        }
    }

    /// Prints what became of the recipients.
    pub(super) fn recipients(&mut self, typed: &[String], found: &[RecipientMatched]) {
        self.section("Envelope Recipient Processing", "Processing Recipient List:");
        if self.form == TraceForm::Newer {
            self.line("Processing Recipient List:");
        }
        for (before, found) in typed.iter().zip(found) {
            self.line(&format!("Processing {before}"));
            let changed = if &found.address == before { "No Change" } else { found.address.as_str() };
            self.item("Default Domain Processing", changed);
            self.item("Domain Map", "No Change");
            if let Some(entry) = &found.entry {
                let word = if found.accepted { "ACCEPT" } else { "REJECT" };
                self.line(&format!(" - RAT matched on {entry}, behavior = {word}"));
            } else if !found.accepted {
                self.item("Rejected", &found.reply.to_string());
            }
            if found.accepted {
                self.item("Alias expansion", "No Change");
            }
        }
    }

    /// Prints that this stand-in cannot go on, and why. No device prints this.
    pub(super) fn unknown(&mut self, why: &str) {
        self.line(&format!("This stand-in cannot go on: {why}"));
    }

    /// Prints that the message is refused for its content.
    pub(super) fn refused(&mut self, reply: &Reply) {
        self.section("Pre-Queue Message Operations", "Message Processing:");
        self.item("Rejected", &reply.to_string());
    }

    /// Prints what is done before and in the work queue, up to the filters.
    pub(super) fn before_filters(&mut self) {
        self.section("Pre-Queue Message Operations", "Message Processing:");
        if self.form == TraceForm::Newer {
            self.line("Message Processing:");
        }
        self.line(" - No Virtual Gateway(tm) Assigned");
        self.line(" - No Bounce Profile Assigned");
        self.section("Work Queue Operations", "Domain Masquerading/LDAP Processing:");
        if self.form == TraceForm::Newer {
            self.line("Domain Masquerading/LDAP Processing:");
        }
        self.line(" - No Changes.");
    }

    /// Prints rules and actions of the filters that ran.
    pub(super) fn filters(&mut self, runs: &[FilterRun], configuration: &Configuration) {
        self.section("Message Filters Processing", "");
        if configuration.filters.is_empty() && self.form == TraceForm::Newer {
            self.line(" - No filters configured.");
        }
        for run in runs.iter().filter(|run| run.ran()) {
            self.line(&format!("Processing filter '{}':", run.name));
            let (mut rules, mut actions) = (run.rules.iter(), run.actions.iter());
            let gap = if self.form == TraceForm::Older { "   " } else { " " };
            for is_rule in &run.order {
                if *is_rule {
                    let Some(rule) = rules.next() else { continue };
                    let result = match rule.result {
                        Some(true) => "True",
                        Some(false) => "False",
                        None => "not evaluated by this stand-in",
                    };
                    self.line(&format!("Evaluating Rule:{gap}{}", rule.rule));
                    self.line(&format!("    Result = {result}"));
                } else if let Some(action) = actions.next() {
                    let gap = if self.form == TraceForm::Older { "  " } else { " " };
                    self.line(&format!("Executing Action:{gap}{action}"));
                }
            }
        }
    }

    /// Prints what follows the filters, up to the mark of success.
    pub(super) fn after_filters(&mut self, relayed: bool, recipients: &[String]) {
        self.section("Footer Stamping", "Footer Stamping:");
        self.line(" - Not Performed");
        let direction = if relayed { "Outbound" } else { "Inbound" };
        self.section("Mail Policy Processing", "");
        self.line(&format!("{direction} Recipient Policy Processing: (matched on DEFAULT policy)"));
        self.line(&format!("Message going to:  {}", recipients.join(", ")));
        self.line("AntiSpam Evaluation:");
        self.line(" - Not Spam");
        self.line("AntiVirus Evaluation:");
        self.line(" - Message Clean.");
        self.line(" - Elapsed Time = '0.000 sec'");
        if self.form == TraceForm::Newer {
            self.line("Advanced Malware Protection Evaluation:");
            self.line(" - No feature key");
            self.line("Graymail Evaluation:");
            self.line(" - Not enabled");
            self.line("Content Filters Processing:");
            self.line(" - No filters configured.");
        }
        self.line(if self.form == TraceForm::Older { "VOF Evaluation:" } else { "Outbreak Filter Evaluation:" });
        self.line(" - No threat detected");
        if self.form == TraceForm::Newer {
            self.text.push('\n');
        }
        self.line("Message Enqueued for Delivery");
    }

    /// Prints the message as it goes out. Its lines are not wrapped.
    pub(super) fn message(&mut self, sender: &str, recipients: &[String], received: &str, content: &Content) {
        self.section("Final Result", "");
        self.line("Final text for messages matched on policy DEFAULT");
        self.line(&format!("Final Envelope Sender:  {sender}"));
        self.line("Final Recipients:");
        for recipient in recipients {
            self.line(&format!(" - {recipient}"));
        }
        self.line("Final Message Content:");
        self.text.push('\n');
        self.text.push_str(received);
        if self.form == TraceForm::Newer {
            self.text.push_str("X-IronPort-AuthUser: \n");
        }
        self.text.push_str("X-IronPort-AV: E=Sandbox;i=\"1.0\"\n");
        self.text.push_str(&content.text());
        if !self.text.ends_with('\n') {
            self.text.push('\n');
        }
        self.text.push('\n');
    }
}
