//! What the dialogs of the host access table have in common: its menus ask first whether a sender group or a mail flow policy is meant,
//! then which, in lists or in words.

use std::sync::Arc;

use super::{confirmed, not_offered, plain};
use crate::gateway::dialog::{Dialog, Picker};

/// Which of the two kinds of object of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A sender group.
    SenderGroup,
    /// A mail flow policy.
    Policy,
}

/// What the lists of one operation are answered with.
#[derive(Debug, Clone)]
pub(super) struct Choices {
    /// `New Sender Group` or `New Policy`.
    pub(super) kind: Kind,
    /// The existing object, where one is asked for.
    pub(super) entry: Option<String>,
    /// The behavior: `accept`, …, for a policy.
    pub(super) behavior: Option<String>,
    /// The mail flow policy, for a sender group.
    pub(super) policy: Option<String>,
}

/// Opens the host access table of a listener.
pub(in crate::gateway) fn table(listener: &str) -> Dialog {
    Dialog::of("listenerconfig").choose("EDIT").key(listener).choose("HOSTACCESS")
}

/// Answers whatever list the operation asks with, told apart by its labels.
pub(super) fn lists(dialog: Dialog, choices: &Choices) -> Dialog {
    let picker = picker(choices.clone());
    // The question above a list is not documented, if there is one at all; its labels decide, and a list of another kind ends the dialog.
    let words = [
        "behavior",
        "behaviour",
        "sender group",
        "policy",
        "policies",
        "access",
        "select",
        "choose",
        "entry",
        "type",
        "kind",
        "which",
        "what",
        "create",
        "add",
        "edit",
        "delete",
        "remove",
        "modify",
        "change",
        "following",
        "",
    ];
    words.iter().fold(dialog, |dialog, words| dialog.pick_by_if_asked(words, picker.clone()))
}

/// Says which existing object is meant, where it is asked for in words. One word would not do: a question about a parameter of the
/// policy has "number" or "policy" in it, too.
pub(super) fn entry(dialog: Dialog, name: &str) -> Dialog {
    let words = [
        "group name",
        "group number",
        "policy name",
        "policy number",
        "name number",
        "name edit",
        "name delete",
        "name remove",
        "group edit",
        "group delete",
        "group remove",
        "policy edit",
        "policy delete",
        "policy remove",
        "which group",
        "which policy",
        "wish edit",
        "wish delete",
        "want edit",
        "want delete",
    ];
    words.iter().fold(dialog, |dialog, words| dialog.answer_if_asked(words, name))
}

/// Deletes an object of the table.
pub(super) fn deleted(dialog: Dialog, kind: Kind, name: &str) -> Dialog {
    let choices = Choices { kind, entry: Some(name.to_owned()), behavior: None, policy: None };
    confirmed(entry(lists(dialog.choose("DELETE"), &choices), name), name)
}

/// Moves a sender group to stand before another.
pub(in crate::gateway) fn moved(dialog: Dialog, name: &str, before: &str) -> Dialog {
    let target = Choices { kind: Kind::SenderGroup, entry: Some(before.to_owned()), behavior: None, policy: None };
    let dialog = ["before", "insert", "where", "position"].iter().fold(dialog.choose("MOVE"), |dialog, words| {
        dialog.answer_if_asked(words, before).pick_by_if_asked(words, picker(target.clone()))
    });
    dialog.key(name)
}

fn picker(choices: Choices) -> Picker {
    Arc::new(move |labels: &[String]| {
        let words: Vec<Vec<String>> = labels.iter().map(|label| plain(label).split(' ').map(str::to_owned).collect()).collect();
        if let Some(position) = words.iter().position(|label| kind_of(label) == Some(choices.kind)) {
            return Ok(position);
        }
        if words.iter().any(|label| kind_of(label).is_some()) {
            return Err(not_offered("such kind of entry", labels));
        }
        let behaviors: Vec<Option<&'static str>> = labels.iter().map(|label| behavior(label)).collect();
        let is_list_of_behaviors = behaviors.iter().flatten().count() > 1;
        if let (true, Some(wanted)) = (is_list_of_behaviors, &choices.behavior) {
            let found = behaviors.iter().position(|behavior| *behavior == Some(wanted));
            return found.ok_or_else(|| not_offered(&format!("behavior \"{wanted}\""), labels));
        }
        let wanted =
            if is_list_of_behaviors || choices.entry.is_none() { choices.policy.as_ref() } else { choices.entry.as_ref() };
        let Some(wanted) = wanted else { return Err(not_offered("entry that is known", labels)) };
        let exact = labels.iter().position(|label| named(label) == wanted);
        let found = exact.or_else(|| labels.iter().position(|label| named(label).eq_ignore_ascii_case(wanted)));
        found.ok_or_else(|| not_offered(&format!("entry \"{wanted}\""), labels))
    })
}

/// The kind that a label such as `New Sender Group` or `Edit Policy` names.
fn kind_of(label: &[String]) -> Option<Kind> {
    let rest: Vec<&str> = label
        .iter()
        .map(String::as_str)
        .filter(|word| {
            !["new", "edit", "delete", "remove", "move", "add", "a", "an", "existing", "hat", "mail", "flow"].contains(word)
        })
        .collect();
    match rest.as_slice() {
        ["sender", "group" | "groups"] | ["sendergroup"] => Some(Kind::SenderGroup),
        ["policy" | "policies"] => Some(Kind::Policy),
        _ => None,
    }
}

/// The behavior that a label names.
fn behavior(label: &str) -> Option<&'static str> {
    let plain = plain(label);
    let plain = plain.strip_suffix(" no policy").unwrap_or(&plain);
    match plain {
        "accept" => Some("accept"),
        "relay" => Some("relay"),
        "reject" => Some("reject"),
        "tcp refuse" | "tcprefuse" | "tcp_refuse" | "refuse" => Some("tcp_refuse"),
        "continue" => Some("continue"),
        _ => None,
    }
}

/// The name in a label: `Policy: RELAYED`, `$RELAYED`, `RELAY_O365 (Microsoft 365 outbound)`.
fn named(label: &str) -> &str {
    let label = label.trim();
    let label = match label.split_once(':') {
        Some((kind, name)) if kind.trim().to_lowercase().ends_with("policy") || kind.trim().to_lowercase().ends_with("group") => {
            name.trim()
        }
        _ => label,
    };
    let label = label.split_once(" (").map_or(label, |(name, _)| name.trim());
    label.trim_start_matches('$').trim_matches(['"', '\'', ':']).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_of_the_menus_is_answered_by_its_labels() {
        let check = |choices: &Choices, labels: &[&str], expected: Option<usize>| {
            let labels: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
            assert_eq!(picker(choices.clone())(&labels).ok(), expected, "{labels:?}");
        };
        let group = Choices { kind: Kind::SenderGroup, entry: None, behavior: None, policy: Some("RELAYED".to_owned()) };
        check(&group, &["New Sender Group", "New Policy"], Some(0));
        check(
            &group,
            &[
                "Accept",
                "Relay",
                "Reject",
                "TCP Refuse",
                "Continue",
                "Policy: ACCEPTED",
                "Policy: RELAYED_O365",
                "Policy: RELAYED",
            ],
            Some(7),
        );
        check(&group, &["Accept", "Relay", "Reject"], None);
        let policy = Choices {
            kind: Kind::Policy,
            entry: Some("accept".to_owned()),
            behavior: Some("tcp_refuse".to_owned()),
            policy: None,
        };
        check(&policy, &["Edit Sender Group", "Edit Policy"], Some(1));
        check(&policy, &["ACCEPT", "RELAYED"], Some(0));
        check(&policy, &["Accept", "Relay", "Reject", "TCP Refuse"], Some(3));
        let entry = Choices { kind: Kind::SenderGroup, entry: Some("RELAY".to_owned()), behavior: None, policy: None };
        check(&entry, &["RELAYLIST (mine)", "RELAY (Microsoft 365)", "ALL"], Some(1));
        check(&entry, &["No", "Preferred", "Required"], None);
    }
}
