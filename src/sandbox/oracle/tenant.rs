//! Exchange Online, step by step as SMTP takes them: connection, sender, recipients, rules, and the way on.

use std::collections::BTreeMap;

use serde_json::Value;

use super::connectors::{self, Attribution};
use super::message::{domain_of, lies_below};
use super::network::Leads;
use super::rules::{self, Ruled};
use super::{Content, Entry, Journey, Message, Outcome, Peer, Place, Reply, Subject, World, senders};

/// Holds what stands in a tenant, in the form of the stand-in's snapshots: objects by noun, rules in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tenant {
    nouns: BTreeMap<String, Vec<Value>>,
}

impl Tenant {
    /// Takes a snapshot, `{"<noun>":[{…}]}`.
    pub fn of(snapshot: &Value) -> Tenant {
        let nouns = snapshot.as_object().into_iter().flatten();
        Tenant { nouns: nouns.map(|(noun, list)| (noun.clone(), list.as_array().cloned().unwrap_or_default())).collect() }
    }

    /// Gives the objects of a noun.
    pub(super) fn objects(&self, noun: &str) -> &[Value] {
        self.nouns.get(noun).map_or(&[], Vec::as_slice)
    }

    /// Gives the objects of a noun to change.
    pub fn objects_mut(&mut self, noun: &str) -> &mut Vec<Value> {
        self.nouns.entry(noun.to_owned()).or_default()
    }

    /// Finds the accepted domain of an address: by its name, or as a domain below one that takes those, too.
    pub(super) fn accepted(&self, address: &str) -> Option<&Value> {
        let domain = domain_of(address)?;
        let domains = self.objects("AcceptedDomain");
        domains
            .iter()
            .find(|one| text(one, "Name").eq_ignore_ascii_case(&domain))
            .or_else(|| domains.iter().find(|one| is_true(one, "MatchSubDomains") && lies_below(&domain, text(one, "Name"))))
    }

    /// Tells whether an address is one of the organization's.
    pub(super) fn is_own(&self, address: &str) -> bool {
        self.accepted(address).is_some()
    }
}

/// Gives the text of a property, or nothing.
pub(super) fn text<'a>(record: &'a Value, name: &str) -> &'a str {
    record.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Tells whether a property is true.
pub(super) fn is_true(record: &Value, name: &str) -> bool {
    record.get(name) == Some(&Value::Bool(true))
}

/// Gives the members of a list property; a single text is a list of one.
pub(super) fn list(record: &Value, name: &str) -> Vec<String> {
    match record.get(name) {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(Value::String(one)) => vec![one.clone()],
        _ => Vec::new(),
    }
}

/// Holds how a message came into the tenant.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sandbox) struct Arrival {
    /// The connector that it belongs to.
    pub(in crate::sandbox) connector: Option<String>,
    /// Why, for a person.
    pub(in crate::sandbox) why: String,
    /// It counts as mail from inside the organization.
    pub(in crate::sandbox) internal: bool,
    /// It may leave the organization again.
    pub(in crate::sandbox) may_relay: bool,
    /// What could not be evaluated.
    pub(in crate::sandbox) unsure: Vec<String>,
}

impl Arrival {
    /// Gives how a message comes in from a mailbox, whose owner is logged in.
    pub(in crate::sandbox) fn of_mailbox() -> Arrival {
        Arrival { connector: None, why: "a mailbox of the tenant".into(), internal: true, may_relay: true, unsure: Vec::new() }
    }
}

/// Lets a connection in, or refuses it. Gives what is to be said of it.
pub(in crate::sandbox) fn connect(world: &World, peer: &Peer) -> Result<Option<String>, Reply> {
    let holds = |policy: &Value, name: &str| list(policy, name).iter().any(|pattern| connectors::address(pattern, peer.address));
    for policy in world.tenant.objects("HostedConnectionFilterPolicy") {
        // An address that is on both lists is allowed.
        if holds(policy, "IPAllowList") {
            return Ok(Some(format!("{} is on the list of allowed addresses", peer.address)));
        }
        if holds(policy, "IPBlockList") {
            return Err(Reply::new(
                550,
                format!("5.7.1 Service unavailable, client [{}] blocked by the organization", peer.address),
            ));
        }
    }
    Ok(None)
}

/// Takes an envelope sender, or refuses it.
pub(in crate::sandbox) fn sender(world: &World, peer: &Peer, tls: bool, address: &str) -> Result<Arrival, Reply> {
    let arrival = match connectors::attribute(world, peer, tls, address) {
        Attribution::Refused(reply) => return Err(reply),
        Attribution::Found(arrival) => arrival,
    };
    let closed = world.tenant.objects("OrganizationConfig").iter().any(|one| is_true(one, "RejectDirectSend"));
    if closed && arrival.connector.is_none() && world.tenant.is_own(address) {
        let text = "5.7.68 TenantInboundAttribution; Direct Send not allowed for this organization from unauthorized sources";
        return Err(Reply::new(550, text));
    }
    Ok(arrival)
}

/// Takes an envelope recipient, or refuses it.
pub(in crate::sandbox) fn recipient(world: &World, arrival: &Arrival, address: &str) -> Result<(), Reply> {
    if world.tenant.is_own(address) || arrival.may_relay {
        return Ok(());
    }
    Err(Reply::new(550, "5.7.64 TenantAttribution; Relay Access Denied"))
}

/// Says where a message goes from the tenant, for one recipient.
#[derive(Clone, Debug, PartialEq)]
struct Leaving {
    recipient: String,
    /// As the rules left it.
    content: Content,
    way: Way,
}

/// Says how a message leaves the tenant.
#[derive(Clone, Debug, PartialEq)]
enum Way {
    /// It ends here.
    End(Outcome),
    /// To a host.
    Host {
        /// Host name or address.
        host: String,
        /// Over TLS.
        tls: bool,
    },
}

/// Runs the rules over a message that was taken, and says where it goes. The steps are written into `journey`.
fn process(world: &World, arrival: &Arrival, message: &Message, journey: &mut Journey) -> Vec<Leaving> {
    let mut leaving = Vec::new();
    for recipient in &message.recipients {
        let ruled = rules::run(world, arrival, message, recipient, journey);
        for address in &ruled.recipients {
            let way = way_of(world, address, &ruled, journey);
            leaving.push(Leaving { recipient: address.clone(), content: ruled.content.clone(), way });
        }
    }
    leaving
}

/// Finds the way of a message behind the rules.
fn way_of(world: &World, recipient: &str, ruled: &Ruled, journey: &mut Journey) -> Way {
    if let Some(outcome) = &ruled.outcome {
        return Way::End(outcome.clone());
    }
    if ruled.connector.is_none()
        && let Some(domain) = world.tenant.accepted(recipient)
    {
        let name = text(domain, "Name");
        let relays = text(domain, "DomainType") == "InternalRelay";
        journey.step(&Place::Tenant, Subject::AcceptedDomain, name, format!("{recipient} is one of the organization's"));
        if relays {
            journey.doubt(format!("{name} relays what is not in the directory, which the stand-in does not have"));
        }
        return Way::End(Outcome::Mailbox);
    }
    match connectors::outbound(world, recipient, ruled.connector.as_deref(), ruled.require_tls, journey) {
        Ok((host, tls)) => Way::Host { host, tls },
        Err(why) => Way::End(Outcome::Stuck { at: Place::Tenant, why }),
    }
}

/// Takes a message through the tenant, and gives what goes on to the other service.
pub(super) fn pass(world: &World, message: &Message, journey: &mut Journey) -> Vec<Message> {
    let place = Place::Tenant;
    let mut taken = message.clone();
    let arrival = if message.entry == Entry::Mailbox {
        journey.step(&place, Subject::Door, "", format!("{} sends from its mailbox", message.sender));
        Arrival::of_mailbox()
    } else {
        let shown = message.peer.host.as_deref().unwrap_or("no name");
        let tls = message.peer.uses_tls;
        let how = if tls { "over TLS" } else { "in plain text" };
        journey.step(&place, Subject::Door, "", format!("{} ({shown}) connects, {how}", message.peer.address));
        let rejected = |journey: &mut Journey, subject: Subject, reply: Reply| {
            journey.step(&place, subject, "", format!("refused: {reply}"));
            for recipient in &message.recipients {
                let outcome = Outcome::Rejected { by: place.clone(), reply: reply.clone() };
                journey.end(recipient, outcome, &message.content);
            }
        };
        match connect(world, &message.peer) {
            Err(reply) => {
                rejected(journey, Subject::ConnectionFilter, reply);
                return Vec::new();
            }
            Ok(said) => said.into_iter().for_each(|why| journey.step(&place, Subject::ConnectionFilter, "", why)),
        }
        let arrival = match sender(world, &message.peer, tls, &message.sender) {
            Err(reply) => {
                let direct = reply.text.starts_with("5.7.68");
                rejected(journey, if direct { Subject::DirectSend } else { Subject::InboundConnector }, reply);
                return Vec::new();
            }
            Ok(arrival) => arrival,
        };
        let name = arrival.connector.clone().unwrap_or_default();
        journey.step(&place, Subject::InboundConnector, name, arrival.why.clone());
        arrival.unsure.iter().for_each(|text| journey.doubt(text.clone()));
        taken.recipients.clear();
        for address in &message.recipients {
            match recipient(world, &arrival, address) {
                Ok(()) => taken.recipients.push(address.clone()),
                Err(reply) => {
                    journey.step(&place, Subject::AcceptedDomain, "", format!("{address} is not one of the organization's"));
                    journey.end(address, Outcome::Rejected { by: place.clone(), reply }, &message.content);
                }
            }
        }
        arrival
    };
    work(world, &arrival, &taken, journey)
}

/// Takes a message that the tenant has taken through the rules, to its end or to the next server. Gives what goes on to the other service.
pub(in crate::sandbox) fn work(world: &World, arrival: &Arrival, message: &Message, journey: &mut Journey) -> Vec<Message> {
    let place = Place::Tenant;
    let mut onward = Vec::new();
    for leaving in process(world, arrival, message, journey) {
        match leaving.way {
            Way::End(outcome) => journey.end(&leaving.recipient, outcome, &leaving.content),
            Way::Host { host, tls } => {
                let entry = match world.network.leads(&host) {
                    Leads::Elsewhere(_) => {
                        journey.end(&leaving.recipient, Outcome::Sent { by: place.clone(), host, tls }, &leaving.content);
                        continue;
                    }
                    Leads::Gateway(listener) => Entry::Listener(listener),
                    Leads::Tenant => Entry::Tenant,
                };
                journey.step(&place, Subject::Delivery, "", format!("{} goes to {host}", leaving.recipient));
                let own = Peer::new(world.network.tenant_address, Some(&world.network.tenant_host));
                onward.push(Message {
                    entry,
                    peer: Peer { uses_tls: tls, ..own },
                    sender: message.sender.clone(),
                    recipients: vec![leaving.recipient],
                    content: leaving.content,
                });
            }
        }
    }
    onward
}

/// Tells whether an address is in a list of the tenant: single ones, ranges and blocks.
pub(super) fn in_ranges(ranges: &[String], peer: &Peer) -> bool {
    ranges.iter().any(|range| senders::address(range, peer.address) == Some(true))
}
