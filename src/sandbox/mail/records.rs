//! What the gateway's message tracking and the tenant's message trace will show of a message.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::Office;
use crate::sandbox::oracle::{End, Message, Outcome, Step};

/// Notes what became of a message for some recipients: with a sender group it was at the gateway, else in the tenant. Without an end it was
/// taken by the next server.
pub(super) fn tell(
    office: &Office,
    group: Option<&str>,
    message: &Message,
    number: u64,
    recipients: &[String],
    end: Option<&End>,
    steps: &[Step],
) {
    match group {
        Some(group) => {
            let mut row = row(group, message, number, recipients, end);
            row["_summary"] = summary(group, message, recipients, end, steps).into();
            office.gateway.track(row, office.options.tracking_delay);
        }
        None => {
            for recipient in recipients {
                office.exchange.trace(record(message, recipient, end), office.options.trace_delay);
            }
        }
    }
}

/// The steps of a message at the gateway, in words.
fn summary(group: &str, message: &Message, recipients: &[String], end: Option<&End>, steps: &[Step]) -> Vec<String> {
    let mut lines = vec![format!("Message from {} accepted, sender group {group}", message.sender)];
    lines.extend(steps.iter().map(|step| format!("{} {}: {}", step.subject.label(), step.matched, step.why)));
    let whom = recipients.join(", ");
    lines.push(end.map_or_else(|| format!("Delivered to {whom}"), |end| format!("{whom}: {}", end.outcome)));
    lines
}

/// A row of message tracking.
fn row(group: &str, message: &Message, number: u64, recipients: &[String], end: Option<&End>) -> Value {
    let status = match end.map(|end| &end.outcome) {
        None | Some(Outcome::Sent { .. } | Outcome::Mailbox) => "Delivered",
        Some(Outcome::Dropped { .. }) => "Dropped By Message Filters",
        Some(Outcome::Quarantined { .. }) => "Quarantined",
        Some(Outcome::Bounced { .. } | Outcome::Rejected { .. } | Outcome::ConnectionRefused { .. }) => "Hard Bounced",
        Some(Outcome::Stuck { .. } | Outcome::Undecided { .. }) => "Queued",
    };
    let content = end.map_or(&message.content, |end| &end.content);
    let subject = message.content.value("Subject").unwrap_or_default();
    let key = number.to_string();
    let id = message.content.value("Message-ID").unwrap_or_default();
    json!({
        "_time": OffsetDateTime::now_utc().unix_timestamp(),
        "direction": if group.contains("RELAY") { "outgoing" } else { "incoming" },
        "icid": number, "allIcid": [number], "mid": [number],
        "senderGroup": group, "sender": message.sender, "senderIp": message.peer.address.to_string(),
        "senderDomain": message.sender.rsplit_once('@').map_or("", |(_, domain)| domain),
        "recipient": recipients, "recipientMap": { key.clone(): recipients },
        "subject": subject, "finalSubject": { key.clone(): content.value("Subject").unwrap_or_default() },
        "messageStatus": { key.clone(): status }, "messageID": { key: id },
        "_host": message.peer.host.as_deref().unwrap_or_default(), "_size": message.content.size().to_string(),
        "mailPolicy": ["DEFAULT"], "hostName": "esa.example.com", "serialNumber": "000000000000-SANDBOX",
        "replyTo": "", "isCompleteData": true, "verdictChart": {}, "morDetails": {},
        "friendly_from": [message.content.value("From").unwrap_or_default()],
        "sbrs": message.peer.reputation.map_or_else(|| "None".to_owned(), |score| score.to_string()),
    })
}

/// A record of message trace.
fn record(message: &Message, recipient: &str, end: Option<&End>) -> Value {
    let status = match end.map(|end| &end.outcome) {
        None | Some(Outcome::Sent { .. } | Outcome::Mailbox) => "Delivered",
        Some(Outcome::Quarantined { .. }) => "Quarantined",
        Some(Outcome::Stuck { .. } | Outcome::Undecided { .. }) => "Pending",
        Some(_) => "Failed",
    };
    json!({
        "MessageId": message.content.value("Message-ID").unwrap_or_default(),
        "SenderAddress": message.sender, "RecipientAddress": recipient, "FromIP": message.peer.address.to_string(),
        "Subject": message.content.value("Subject").unwrap_or_default(), "Status": status, "Size": message.content.size(),
    })
}
