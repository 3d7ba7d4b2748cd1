//! The ladder over the stand-ins' own mail: a message that flows, and one that stops at each rung, with the setting that stopped it.

use std::time::Duration;

use serde_json::json;

use super::ladder::{Report, State, What, climb};
use super::message::Message;
use super::steps::Live;
use super::{Setup, Via};
use crate::provider::Environment;
use crate::sandbox::exchange;
use crate::sandbox::gateway::Options as GatewayOptions;
use crate::sandbox::gateway::tables::destination::Tls;
use crate::sandbox::gateway::tables::filter::Filter;
use crate::sandbox::gateway::tables::filter_script::Script;
use crate::sandbox::gateway::tables::hat::Verdict;
use crate::sandbox::mail::Door;
use crate::schema::Record;
use crate::tool::proof::tests::{INBOUND, OUTBOUND, furnish};
use crate::tool::sandbox::StandIns;

const INSIDE: &str = "ann@example.com";
const OUTSIDE: &str = "kim@partner.example";

/// Both stand-ins as the guide leaves them, at the time of day, and with the permission to send from mailboxes.
fn guide() -> StandIns {
    let options = exchange::Options { real_clock: true, mail_send: true, ..exchange::Options::default() };
    let stand_ins = StandIns::with(options, GatewayOptions::default()).expect("they start");
    furnish(&stand_ins);
    stand_ins
}

/// Where a message enters by SMTP.
fn listener() -> Door {
    Door::Listener("IncomingMail".to_owned())
}

/// Climbs the ladder. Inbound mail is handed over at the door.
async fn climbed(stand_ins: &StandIns, what: What, from: &str, door: Door, wait: u64) -> Report {
    let variables = stand_ins.environment().into_iter().map(|(name, value)| (name.to_owned(), value));
    let setup = Setup::of(&Record::new(), Environment::of(variables));
    let configured = setup.contact().await.expect("both answer");
    let port = stand_ins.mail.port(&door).expect("a port");
    let mut steps = Live::new(configured.clone(), setup.exchange, Via::Gateway, Some(format!("127.0.0.1:{port}")));
    let to = if what == What::Inbound { INSIDE } else { OUTSIDE };
    let message = Message::new(Some(from.to_owned()), to.to_owned());
    let report = climb(&mut steps, what, &message, Duration::from_secs(wait)).await;
    drop(steps);
    configured.close().await;
    report
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_that_flows_holds_on_every_rung() {
    let stand_ins = guide();
    for (what, from, rungs) in [(What::Inbound, OUTSIDE, 3), (What::Outbound, INSIDE, 3), (What::Foreign, OUTSIDE, 2)] {
        let report = climbed(&stand_ins, what, from, listener(), 20).await;
        assert_eq!((report.state(), report.rungs.len()), (State::Held, rungs), "{report:#?}");
        // The message arrived once.
        let sent = stand_ins.mail.take_ends();
        assert_eq!(sent.len(), usize::from(what != What::Foreign), "{what:?}: {sent:?}");
    }
    // Message trace and tracking say who took it, by what.
    let report = climbed(&stand_ins, What::Outbound, INSIDE, listener(), 20).await;
    assert!(report.rungs[2].seen.contains("sender group RELAY_O365"), "{report:#?}");
}

/// Breaks what the guide made.
type Break = fn(&StandIns);

fn filter(all: &StandIns, text: &str) {
    let script = Script::parse(text).expect("a filter");
    all.gateway.edit(|gateway| gateway.filters = script.iter().map(Filter::of).collect());
}

fn set(all: &StandIns, noun: &str, name: &str, members: &serde_json::Value) {
    drop(all.exchange.put(noun, name, members).expect("set"));
}

/// Each way in which mail from outside stops: the rung, the setting, and what breaks it.
const INWARD: &[(&str, &str, Break)] = &[
    ("SMTP", "mailflow_gateway_sender_group.policy", |all| {
        all.gateway.edit(|gateway| {
            for group in &mut gateway.listeners[0].hat.groups {
                group.verdict = Verdict::Policy("BLOCKED".to_owned());
            }
        });
    }),
    ("SMTP", "mailflow_gateway_recipient_access.action", |all| {
        all.gateway.edit(|gateway| gateway.listeners[0].rat.as_mut().expect("a table").entries.clear());
    }),
    ("SMTP", "mailflow_gateway_mail_flow_policy.max_message_size", |all| {
        all.gateway.edit(|gateway| {
            gateway.listeners[0].hat.policies.iter_mut().for_each(|policy| policy.parameters.set("max_message_size", 10));
        });
    }),
    ("message tracking", "mailflow_gateway_message_filter.script", |all| filter(all, "all: if true { drop(); }")),
    ("message tracking", "mailflow_gateway_destination_control.tls", |all| {
        all.gateway.edit(|gateway| gateway.destination_controls.entries.iter_mut().for_each(|entry| entry.tls = Some(Tls::No)));
    }),
    ("message tracking", "mailflow_exchange_inbound_connector.sender_ip_addresses", |all| {
        set(all, "InboundConnector", INBOUND, &json!({ "SenderIPAddresses": ["198.51.100.99"] }));
    }),
    ("message trace", "mailflow_gateway_smtp_route.destination", |all| all.gateway.edit(|gateway| gateway.smtp_routes.clear())),
    ("message trace", "mailflow_exchange_transport_rule.actions.set_scl", |all| {
        set(all, "TransportRule", "Holds", &json!({ "FromScope": "NotInOrganization", "Quarantine": true }));
    }),
];

/// The same for mail from a mailbox.
const OUTWARD: &[(&str, &str, Break)] = &[
    ("message trace", "mailflow_exchange_outbound_connector.smart_hosts", |all| {
        set(all, "OutboundConnector", OUTBOUND, &json!({ "SmartHosts": ["203.0.113.10"] }));
    }),
    ("message trace", "mailflow_gateway_sender_group.senders", |all| {
        all.gateway.edit(|gateway| drop(gateway.listeners[1].hat.groups.pop()));
    }),
    ("message trace", "mailflow_gateway_mail_flow_policy.tls", |all| {
        all.gateway.edit(|gateway| {
            let policy = gateway.listeners[1].hat.policies.last_mut().expect("a policy");
            policy.parameters.set("tls", "off");
        });
    }),
    ("message tracking", "mailflow_exchange_transport_rule.actions.route_message_outbound_connector", |all| {
        assert!(all.exchange.remove("TransportRule", OUTBOUND).expect("removed"));
    }),
    ("message tracking", "mailflow_exchange_transport_rule.actions.set_header_value", |all| {
        set(all, "TransportRule", OUTBOUND, &json!({ "SetHeaderValue": "anothersecret" }));
    }),
    ("message trace", "", |all| all.exchange.set_options(|options| options.mail_send = false)),
];

/// The ladder fails at this rung, and names the setting.
fn fails_at(report: &Report, rung: &str, setting: &str) {
    let failed = report.rungs.iter().find(|rung| rung.state != State::Held).unwrap_or_else(|| panic!("{setting}: {report:#?}"));
    assert_eq!((failed.name.as_str(), failed.state), (rung, State::Failed), "{setting}: {report:#?}");
    assert!(failed.look_at.iter().any(|look| look.setting == setting), "{setting}: {report:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_that_stops_on_its_way_fails_at_the_rung_where_it_stops_with_the_setting() {
    let mut runs = tokio::task::JoinSet::new();
    for (what, from, cases) in [(What::Inbound, OUTSIDE, INWARD), (What::Outbound, INSIDE, OUTWARD)] {
        for (rung, setting, breaks) in cases {
            runs.spawn(async move {
                let stand_ins = guide();
                breaks(&stand_ins);
                fails_at(&climbed(&stand_ins, what, from, listener(), 4).await, rung, setting);
            });
        }
    }
    runs.spawn(async {
        // Nothing keeps mail from going past the gateway.
        let stand_ins = guide();
        set(&stand_ins, "InboundConnector", INBOUND, &json!({ "RestrictDomainsToIPAddresses": false }));
        let report = climbed(&stand_ins, What::Inbound, OUTSIDE, Door::Tenant, 4).await;
        fails_at(&report, "message tracking", "mailflow_exchange_inbound_connector.restrict_domains_to_ip_addresses");
    });
    runs.spawn(async {
        // A mailbox that is none of the tenant's.
        let report = climbed(&guide(), What::Outbound, OUTSIDE, listener(), 4).await;
        fails_at(&report, "sending", "");
    });
    runs.spawn(async {
        let stand_ins = guide();
        stand_ins.gateway.edit(|gateway| gateway.filters.iter_mut().for_each(|filter| filter.active = false));
        let report = climbed(&stand_ins, What::Foreign, OUTSIDE, listener(), 4).await;
        fails_at(&report, "trace on OutgoingMail", "mailflow_gateway_message_filter.active");
    });
    while let Some(run) = runs.join_next().await {
        if let Err(failed) = run {
            std::panic::resume_unwind(failed.into_panic());
        }
    }
}
