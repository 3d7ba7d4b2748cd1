//! AsyncOS `trace`: what the gateway would do with a message. Nothing is sent, and nothing is changed.
//!
//! Admin manual, "Debugging Mail Flow Using Test Messages: Trace". The dialog asks where the message comes from, for the listener, the envelope and
//! the message, and prints what its tables, filters and policies say up to the delivery queue: with what is staged in the session, and without SMTP
//! routes and destination controls, which come after the queue. The questions are known by their words, as in all dialogs; how the result is
//! read is said in [`reading`].

pub mod reading;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::dialog::{Dialog, Picker};
use crate::remote::{Error, Kind};

/// A message, and where it comes from.
#[derive(Clone, Default)]
pub struct Message {
    /// The listener that it comes to.
    pub listener: String,
    /// The address that it comes from.
    pub source_ip: String,
    /// The host name of that address. The gateway looks nothing up.
    pub source_host: String,
    /// The envelope sender.
    pub mail_from: String,
    /// The envelope recipients.
    pub rcpt_to: Vec<String>,
    /// The headers, by name.
    pub headers: Vec<(String, String)>,
    /// The text.
    pub body: String,
}

impl Message {
    /// The message as it is pasted: headers, an empty line, the text. It must have one line of each at least.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        if lines.is_empty() {
            lines.push("Subject: trace".to_owned());
        }
        lines.push(String::new());
        let body = if self.body.trim().is_empty() { "trace" } else { self.body.trim_end_matches(['\n', '\r']) };
        // A tab is no text to the device.
        lines.extend(body.lines().map(|line| line.replace('\t', "    ").trim_end_matches('\r').to_owned()));
        lines
    }

    /// The dialog. With more than one listener the device must ask which one.
    pub fn dialog(&self, several_listeners: bool) -> Dialog {
        let listener = listener(&self.listener);
        let dialog = Dialog::of("trace")
            .answer("source ip", &self.source_ip)
            .answer("fully qualified domain name", &self.source_host)
            .yes_no_if_asked("smtp authentication", false)
            // The name for HELO and EHLO, which newer releases ask for.
            .answer_if_asked("helo", &self.source_host)
            .answer_if_asked("ehlo", &self.source_host)
            .answer_if_asked("domain name", &self.source_host)
            .keep_all(&[
                "org id source ip",
                "org id",
                "organization id",
                "reputation score source ip",
                "reputation score",
                "reputation",
                "domain reputation",
            ])
            .answer("envelope sender", &self.mail_from)
            .answer("envelope recipient", self.rcpt_to.join(","))
            .yes_no_if_asked("re-use last message", false)
            .yes_no_if_asked("reuse last message", false)
            .yes_no_if_asked("message from disk", false)
            .script(self.lines())
            .yes_no_if_asked("resulting message", true)
            .yes_no_if_asked("debug session", false)
            .yes_no_if_asked("trace session", false);
        if several_listeners { dialog.pick_by("listener", listener) } else { dialog.pick_by_if_asked("listener", listener) }
    }
}

/// Finds a listener among the labels: `IncomingMail`, `IncomingMail (on Data 1, 192.0.2.1) SMTP TCP Port 25 Public`.
fn listener(wanted: &str) -> Picker {
    let wanted = wanted.to_owned();
    Arc::new(move |labels: &[String]| {
        let named =
            |label: &String| label.split([' ', '\t', '(', ':']).next().unwrap_or_default().trim_matches(['"', '\'']) == wanted;
        labels
            .iter()
            .position(|label| label.trim() == wanted)
            .or_else(|| labels.iter().position(named))
            .ok_or_else(|| format!("The gateway has no listener {wanted:?} to trace on. It offers: {}.", labels.join("; ")))
    })
}

/// Refuses what the dialog cannot carry: nothing of it would reach the device as it is meant.
pub fn check(message: &Message) -> Result<(), Error> {
    let refuse = |what: &str| Err(Error::new(Kind::Invalid, what.to_owned()));
    for (name, value) in &message.headers {
        if !is_header_name(name) {
            return refuse("The name of a header is empty, or has a blank, a colon or a letter that no header's name has.");
        }
        if value.contains(['\n', '\r']) {
            return refuse("The value of a header has a line break.");
        }
    }
    if message.lines().iter().any(|line| line.trim() == ".") {
        return refuse("A line of the message is a single dot, which would end it.");
    }
    Ok(())
}

/// Whether a text can be the name of a header: printable ASCII without a colon.
pub fn is_header_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':')
}
