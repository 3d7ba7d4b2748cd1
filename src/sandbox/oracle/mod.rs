//! The oracle: what becomes of a message, from the door where it enters to where it ends for each recipient.
//!
//! [`deliver`] is a pure function of a [`World`] and a [`Message`]: no clock, no socket, no chance. It is written from the vendors'
//! documents. The stand-ins carry mail by it (`smtp`), and the gateway's `trace` prints it. What it cannot evaluate it says, in
//! [`Journey::unsure`] or as [`Outcome::Undecided`]; it never guesses.
//!
//! | file | what it is |
//! |---|---|
//! | `message`, `network` | what comes in, and what lies around |
//! | `chance` | random worlds and messages, for tests |
//! | `journey` | what became of it |
//! | `gateway` | a listener and the work queue behind it |
//! | `senders`, `recipients` | the two access tables |
//! | `filter_run`, `filter_rules` | message filters |
//! | `routing` | SMTP routes and destination controls |
//! | `tenant`, `connectors`, `rules`, `predicates` | Exchange Online |

#![expect(
    clippy::format_push_string,
    clippy::format_collect,
    reason = "texts are short, and the result of `write!` to a string is one more thing to read"
)]

use super::gateway::Configuration;

pub mod chance;
mod connectors;
mod filter_rules;
mod filter_run;
pub(super) mod gateway;
mod journey;
mod message;
mod network;
mod predicates;
mod recipients;
mod routing;
mod rules;
mod senders;
pub(super) mod tenant;
#[cfg(test)]
mod tests;

pub use filter_run::{Evaluated, FilterRun};
pub use gateway::{Admission, Greeting, Queued, Settled, content, greet, queue, recipient, sender};
pub use journey::{End, Journey, Outcome, Place, Reply, Step, Subject};
pub use message::{Content, Entry, Message, Peer};
pub use network::{Leads, Network, Offers};
pub use recipients::Matched as RecipientMatched;
pub use routing::{Hop, next_hop};
pub use tenant::Tenant;

/// Leaves one rule out or bends it, so that a test can show that it would be noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The last sender group that matches counts, not the first.
    LastGroup,
    /// `.example.com` means `example.com`, too.
    DotIsItself,
    /// A group that only continues takes the mail.
    ContinueEnds,
    /// What a policy leaves open is off, whatever the listener's defaults say.
    NoDefaults,
    /// The recipient table is asked for relayed mail, too.
    RelayAsksRecipients,
    /// The most specific recipient entry counts, not the first one.
    SpecificRecipient,
    /// A policy's limit of recipients is not kept.
    ManyRecipients,
    /// Inactive filters run.
    InactiveFilters,
    /// A pattern has to match the whole text.
    WholePattern,
    /// `not` means nothing.
    NoNot,
    /// `skip-filters` does not skip.
    SkipNothing,
    /// The route `ALL` goes before `.partial` ones.
    AllRouteFirst,
    /// Where TLS is required, plain text will do.
    TlsOptional,
    /// An inbound connector restricts nothing.
    Unrestricted,
    /// Transport rules run from the last to the first.
    RulesReversed,
    /// Exceptions of transport rules are not asked.
    NoExceptions,
}

impl Broken {
    /// Lists all of them.
    pub const ALL: [Broken; 16] = [
        Broken::LastGroup,
        Broken::DotIsItself,
        Broken::ContinueEnds,
        Broken::NoDefaults,
        Broken::RelayAsksRecipients,
        Broken::SpecificRecipient,
        Broken::ManyRecipients,
        Broken::InactiveFilters,
        Broken::WholePattern,
        Broken::NoNot,
        Broken::SkipNothing,
        Broken::AllRouteFirst,
        Broken::TlsOptional,
        Broken::Unrestricted,
        Broken::RulesReversed,
        Broken::NoExceptions,
    ];
}

/// Holds everything that decides what becomes of a message.
#[derive(Clone, Debug)]
pub struct World {
    /// What is live on the gateway.
    pub gateway: Configuration,
    /// What stands in the tenant.
    pub tenant: Tenant,
    /// What lies around.
    pub network: Network,
    /// One rule that does not hold, in tests.
    pub broken: Option<Broken>,
}

impl World {
    pub(super) fn is_broken(&self, rule: Broken) -> bool {
        self.broken == Some(rule)
    }
}

/// The most servers that a message passes before it counts as going round.
pub(super) const MOST_HOPS: usize = 8;
/// Why a message that passes so many is at its end.
pub(super) const GOES_ROUND: &str = "the message goes round between the two services";

/// Says what becomes of a message.
pub fn deliver(world: &World, message: &Message) -> Journey {
    let mut journey = Journey::default();
    travel(world, message, &mut journey, 0);
    journey
}

/// Takes a message through the server where it enters, and on to the next ones.
fn travel(world: &World, message: &Message, journey: &mut Journey, hops: usize) {
    let place = match &message.entry {
        Entry::Listener(name) => Place::Gateway(name.clone()),
        Entry::Tenant | Entry::Mailbox => Place::Tenant,
    };
    if hops >= MOST_HOPS {
        for recipient in &message.recipients {
            let why = GOES_ROUND.to_owned();
            journey.end(recipient, Outcome::Stuck { at: place.clone(), why }, &message.content);
        }
        return;
    }
    let onward = match &message.entry {
        Entry::Listener(name) => gateway::pass(world, name, message, journey),
        Entry::Tenant | Entry::Mailbox => tenant::pass(world, message, journey),
    };
    for next in onward {
        travel(world, &next, journey, hops + 1);
    }
}
