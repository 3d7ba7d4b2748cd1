//! The device's words for "no".
//!
//! An error line, or the same question again, is the only sign that a value was refused: the device has no exit codes in a dialog. The
//! words are distinctive parts of the messages of releases 11 to 13.5; their case and what stands around them vary.

use super::stop::{Question, Stop, Turn};
use crate::remote::{Error, Kind};

/// How an error line begins.
const BEGINNINGS: &[&str] = &[
    "unknown command:",
    "unknown option",
    "invalid arguments when processing",
    "you must enter a",
    "the value cannot",
    "the value should",
    "the value must",
    "the value may",
    "that value must",
    "that value is not valid",
    "not a valid ",
    "value must be ",
    "must be a ",
    "must be at ",
    "must be an ",
    "please answer ",
    "please enter a value",
    "valid characters are",
    "the ip address must be 4 numbers",
    "the ip cannot start with 127 or 0",
    "invalid ip or ip range",
    "a cidr address is an ip",
    "a hostname is ",
    "a hostname must ",
    "invalid hostname format ",
    "an email address is a localname",
    "the email domain must be",
    "traceback",
    "there is a maximum of ",
    "there is already a default route",
    "routes may not contain more than",
    "import failed",
    "error reading file",
    "error writing file",
    "could not reach target machine",
    "unable to perform operation",
    "configuration filesystem is full",
    "invalid profile name",
    "invalid value.",
    "invalid selected behavior",
    "invalid hostaccess ",
    "no policies to edit",
    "duplicate filter name",
    "invalid filter ",
    "invalid filename",
    "a recipient access table address can be",
    "error:",
];

/// What occurs in an error line.
const PARTS: &[&str] = &[
    "is already in the routing table",
    "already has an alternate port",
    "is already using the standard port",
    "does not appear to be in the routing table",
    "was not found in the destination",
    "no destination control table action for",
    "bounce profile name must start with",
    "can only be \"default\" when working with policies",
    "command requires a filename",
    "command requires either \"sendergroup\" or \"policy\"",
    "command requires a sendergroup",
    "error occurred during processing",
    "pick a different encoding",
    "command requires a feature key",
    "command is only available on cluster system",
    "not yet resynchronized with the cluster",
    "no cipher",
    "invalid cipher",
    "error in cipher",
];

/// What says that the account may not do this.
const DENIALS: &[&str] = &["you are not in the correct access group"];

/// An error stands at the beginning or at the end of what was said; what is between may be a long table.
const FIRST_LINES: usize = 3;
const LAST_LINES: usize = 5;

/// Finds the line that refuses what was typed last.
pub(super) fn find(turn: &Turn) -> Option<Error> {
    in_text(&turn.said).or_else(|| match &turn.stop {
        Stop::Question(question) => in_question(question),
        _ => None,
    })
}

/// Whether a line says that a message filter cannot run: `Filter x has been marked invalid: …`.
pub(super) fn is_invalid_filter(line: &str) -> bool {
    let lower = line.to_lowercase();
    ["marked invalid", "marked as invalid", "is invalid", "is not valid"].iter().any(|words| lower.contains(words))
}

/// Finds an error line in what was said.
pub(super) fn in_text(said: &str) -> Option<Error> {
    let lines = || said.lines().map(str::trim).filter(|line| !line.is_empty());
    lines().take(FIRST_LINES).chain(lines().rev().take(LAST_LINES)).find_map(|line| refusal(line, true))
}

/// The line above a bare prompt may be an error instead of a question; then it begins like one.
fn in_question(question: &Question) -> Option<Error> {
    question.lines.first().and_then(|line| refusal(line, false))
}

fn refusal(line: &str, anywhere: bool) -> Option<Error> {
    let lower = line.to_lowercase();
    let start = lower.trim_start_matches(|c: char| !c.is_alphanumeric());
    if DENIALS.iter().any(|part| lower.contains(part)) {
        let hint =
            "The account's role on the gateway does not allow this: give it the role Administrator or Cloud Administrator.";
        return Some(Error::new(Kind::Denied, line).hint(hint));
    }
    let refused = BEGINNINGS
        .iter()
        .any(|part| start.starts_with(part) || start.strip_prefix("error: ").is_some_and(|rest| rest.starts_with(part)))
        || (anywhere && PARTS.iter().any(|part| lower.contains(part)));
    refused.then(|| Error::new(Kind::Invalid, line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(said: &str) -> Option<Kind> {
        in_text(said).map(|error| error.kind)
    }

    #[test]
    fn known_error_lines_are_refusals_in_the_devices_words() {
        let said = "1.2.3.4 was there\nThe value \"example.com\" is already in the routing table.";
        assert_eq!(in_text(said).map(|error| error.message).as_deref(), said.lines().last());
        for said in [
            "The value must be an integer from 1 to 1000.",
            "*** Error: Not a valid port",
            "Duplicate filter name: x",
            "Traceback (most recent call last):",
        ] {
            assert_eq!(kind(said), Some(Kind::Invalid), "{said}");
        }
    }

    #[test]
    fn g20_a_read_only_account_is_denied() {
        assert_eq!(kind("You are not in the correct access group to use \"commit\"."), Some(Kind::Denied));
    }

    #[test]
    fn tables_and_successes_are_no_refusals() {
        let table = "host.example.com ACCEPT\n".repeat(50);
        for said in [
            table.as_str(),
            "",
            "1 filters added.",
            "Filter x has been marked invalid: unknown listener",
            "example.com (must be a partner)",
        ] {
            assert_eq!(kind(said), None, "{said}");
        }
        let middle = format!("{table}The value must be kept in this text\n{table}");
        assert_eq!(kind(&middle), None);
    }
}
