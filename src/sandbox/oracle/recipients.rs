//! The Recipient Access Table, read as the device reads it: entries from the top, the first one that matches, `ALL` last.

use super::message::lies_below;
use super::{Broken, Reply};
use crate::sandbox::gateway::tables::recipient::{Access, Rat, Recipient, Treatment};

/// Holds what the table says of a recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matched {
    /// The recipient.
    pub address: String,
    /// The entry that matched; nothing where no table is asked.
    pub entry: Option<String>,
    /// Taken or refused.
    pub accepted: bool,
    /// The answer.
    pub reply: Reply,
    /// Checks that the entry leaves out.
    pub bypasses: Vec<&'static str>,
}

/// Looks a recipient up.
pub(super) fn find(rat: &Rat, recipient: &str, broken: Option<Broken>) -> Matched {
    let matching: Vec<&Recipient> = rat.entries.iter().filter(|entry| means(&entry.address, recipient)).collect();
    let hit = if broken == Some(Broken::SpecificRecipient) {
        matching.iter().max_by_key(|entry| (entry.address.contains('@'), entry.address.len())).copied()
    } else {
        matching.first().copied()
    };
    let (entry, treatment) = hit.map_or(("ALL", &rat.all), |entry| (entry.address.as_str(), &entry.treatment));
    let accepted = treatment.access == Access::Accept;
    Matched {
        address: recipient.to_owned(),
        entry: Some(entry.to_owned()),
        accepted,
        reply: reply(treatment, recipient),
        bypasses: bypasses(treatment),
    }
}

/// Tells whether an entry means a recipient: a full address, a domain, `.partial`, `user@`, or an address in brackets. Case does not matter.
fn means(entry: &str, recipient: &str) -> bool {
    let Some((_, domain)) = recipient.rsplit_once('@') else { return entry.eq_ignore_ascii_case(recipient) };
    match entry.split_once('@') {
        Some((user, "")) => recipient.rsplit_once('@').is_some_and(|(own, _)| own.eq_ignore_ascii_case(user)),
        Some(_) => entry.eq_ignore_ascii_case(recipient),
        None => match entry.strip_prefix('.') {
            Some(above) => lies_below(domain, above),
            None => entry.eq_ignore_ascii_case(domain),
        },
    }
}

/// Gives the answer of an entry: its own, or the standard one.
fn reply(treatment: &Treatment, recipient: &str) -> Reply {
    match &treatment.response {
        Some(own) => Reply::new(own.code, own.text.clone()),
        None if treatment.access == Access::Accept => Reply::new(250, format!("recipient <{recipient}> ok")),
        None => Reply::new(550, "#5.1.0 Address rejected."),
    }
}

fn bypasses(treatment: &Treatment) -> Vec<&'static str> {
    let all = [
        (treatment.bypass_receiving_control, "receiving control"),
        (treatment.bypass_ldap_accept, "LDAP accept"),
        (treatment.bypass_call_ahead, "SMTP call-ahead"),
    ];
    all.into_iter().filter(|(on, _)| *on).map(|(_, name)| name).collect()
}
