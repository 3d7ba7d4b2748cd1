//! What became of a message: the steps of its way, what matched at each and why, and where it ended for each recipient.

use std::fmt;

/// Says where a step was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The gateway, at this listener.
    Gateway(String),
    /// The tenant.
    Tenant,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Gateway(listener) => write!(formatter, "gateway {listener}"),
            Place::Tenant => formatter.write_str("tenant"),
        }
    }
}

/// Names the table or the setting that a step is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The listener, or the tenant's front door.
    Door,
    /// Host Access Table.
    HostAccess,
    /// Mail flow policy.
    Policy,
    /// Recipient Access Table.
    RecipientAccess,
    /// A message filter.
    Filter,
    /// SMTP routes.
    Route,
    /// Destination controls.
    DestinationControl,
    /// Connection filter of the tenant.
    ConnectionFilter,
    /// Inbound connectors.
    InboundConnector,
    /// `RejectDirectSend`.
    DirectSend,
    /// Accepted domains.
    AcceptedDomain,
    /// A transport rule.
    TransportRule,
    /// Outbound connectors.
    OutboundConnector,
    /// The way to the next server.
    Delivery,
}

impl Subject {
    /// Gives the words for a person.
    pub fn label(self) -> &'static str {
        match self {
            Subject::Door => "connection",
            Subject::HostAccess => "sender group",
            Subject::Policy => "mail flow policy",
            Subject::RecipientAccess => "recipient access",
            Subject::Filter => "message filter",
            Subject::Route => "SMTP route",
            Subject::DestinationControl => "destination control",
            Subject::ConnectionFilter => "connection filter",
            Subject::InboundConnector => "inbound connector",
            Subject::DirectSend => "direct send",
            Subject::AcceptedDomain => "accepted domain",
            Subject::TransportRule => "transport rule",
            Subject::OutboundConnector => "outbound connector",
            Subject::Delivery => "delivery",
        }
    }
}

/// Holds one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Where.
    pub place: Place,
    /// By which table.
    pub subject: Subject,
    /// The name of what matched; empty where nothing has a name.
    pub matched: String,
    /// What it did, and why.
    pub why: String,
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.matched.is_empty() { String::new() } else { format!(" {}", self.matched) };
        write!(formatter, "{}: {}{name}: {}", self.place, self.subject.label(), self.why)
    }
}

/// Holds an SMTP answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Three digits.
    pub code: u16,
    /// Text; lines are separated by a newline.
    pub text: String,
}

impl Reply {
    /// Makes an answer.
    pub fn new(code: u16, text: impl Into<String>) -> Reply {
        Reply { code, text: text.into() }
    }

    /// Tells whether the other side may go on.
    pub fn is_positive(&self) -> bool {
        self.code < 400
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.code, self.text.replace('\n', " "))
    }
}

/// Says where a message ended for one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// In a mailbox of the tenant.
    Mailbox,
    /// At a server of the Internet.
    Sent {
        /// Who sent it there.
        by: Place,
        /// Host.
        host: String,
        /// Over TLS.
        tls: bool,
    },
    /// Dropped without a word.
    Dropped {
        /// By whom.
        by: Place,
        /// Filter, rule or route.
        name: String,
    },
    /// Held in a quarantine.
    Quarantined {
        /// By whom.
        by: Place,
        /// Quarantine, or the rule.
        name: String,
    },
    /// Sent back by a filter.
    Bounced {
        /// By whom.
        by: Place,
        /// Filter.
        name: String,
    },
    /// The connection was refused, before a word was said.
    ConnectionRefused {
        /// By whom.
        by: Place,
    },
    /// Refused with an answer.
    Rejected {
        /// By whom.
        by: Place,
        /// The answer.
        reply: Reply,
    },
    /// Waits in a queue and goes back to the sender in the end.
    Stuck {
        /// Where.
        at: Place,
        /// Why.
        why: String,
    },
    /// Cannot be said, since something on the way is not documented or not part of the stand-in.
    Undecided {
        /// Where.
        at: Place,
        /// Why.
        why: String,
    },
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Mailbox => formatter.write_str("delivered to the mailbox"),
            Outcome::Sent { by, host, tls } => {
                write!(formatter, "sent by the {by} to {host} {}", if *tls { "over TLS" } else { "in plain text" })
            }
            Outcome::Dropped { by, name } => write!(formatter, "dropped by {name} ({by})"),
            Outcome::Quarantined { by, name } => write!(formatter, "held by {name} ({by})"),
            Outcome::Bounced { by, name } => write!(formatter, "sent back by {name} ({by})"),
            Outcome::ConnectionRefused { by } => write!(formatter, "connection refused ({by})"),
            Outcome::Rejected { by, reply } => write!(formatter, "rejected ({by}): {reply}"),
            Outcome::Stuck { at, why } => write!(formatter, "not delivered ({at}): {why}"),
            Outcome::Undecided { at, why } => write!(formatter, "cannot be said ({at}): {why}"),
        }
    }
}

/// Holds where a message ended for one recipient, and what arrived there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// Envelope recipient.
    pub recipient: String,
    /// Where it ended.
    pub outcome: Outcome,
    /// What arrived, or what was in hand when it ended.
    pub content: super::Content,
}

/// Holds the whole way of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journey {
    /// The steps in order.
    pub steps: Vec<Step>,
    /// One end for each recipient.
    pub ends: Vec<End>,
    /// What could not be evaluated on the way, and did not decide the end by itself.
    pub unsure: Vec<String>,
}

impl Journey {
    /// Tells whether nothing had to be left open.
    pub fn is_certain(&self) -> bool {
        self.unsure.is_empty() && !self.ends.iter().any(|end| matches!(end.outcome, Outcome::Undecided { .. }))
    }

    pub(super) fn step(&mut self, place: &Place, subject: Subject, matched: impl Into<String>, why: impl Into<String>) {
        self.steps.push(Step { place: place.clone(), subject, matched: matched.into(), why: why.into() });
    }

    pub(super) fn end(&mut self, recipient: &str, outcome: Outcome, content: &super::Content) {
        self.ends.push(End { recipient: recipient.to_owned(), outcome, content: content.clone() });
    }

    pub(super) fn doubt(&mut self, text: String) {
        if !self.unsure.contains(&text) {
            self.unsure.push(text);
        }
    }
}
