//! The resources of Exchange Online.

mod connectors;
mod dkim;
mod rules;
mod settings;

pub use connectors::{INBOUND_CONNECTOR, OUTBOUND_CONNECTOR};
pub use dkim::DKIM_SIGNING_CONFIG;
use mailflow::tool::sandbox::StandIns;
pub use rules::TRANSPORT_RULE;
use serde_json::Value as Json;
pub use settings::{ACCEPTED_DOMAIN, ARC_CONFIG, CONNECTION_FILTER, ORGANIZATION_MAIL_FLOW, REMOTE_DOMAIN};

fn id(object: &Json) -> &str {
    object["id"].as_str().expect("an object has an id")
}

fn remove(stand_ins: &StandIns, noun: &str, object: &Json) {
    assert!(stand_ins.exchange.remove(noun, id(object)).expect("the noun is known"), "the object was there");
}

fn put(stand_ins: &StandIns, noun: &str, identity: &str, change: &Json) {
    stand_ins.exchange.put(noun, identity, change).expect("changed");
}
