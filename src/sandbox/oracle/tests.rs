//! The oracle's own tests: what the references say, point by point; random worlds; and rules that are left out are noticed.

use serde_json::json;

use super::chance::Chance;
use super::senders::{Means, means};
use super::*;
use crate::sandbox::gateway::tables::destination::{Destination, Tls};
use crate::sandbox::gateway::tables::filter::Filter;
use crate::sandbox::gateway::tables::filter_script::Script;
use crate::sandbox::gateway::tables::hat::{Policy, SenderGroup, Verdict};
use crate::sandbox::gateway::tables::parameter::Parameters;
use crate::sandbox::gateway::tables::recipient::{Access, Recipient, Response, Treatment};
use crate::sandbox::gateway::tables::route::SmtpRoute;
use crate::sandbox::gateway::{Behavior, Release};

const MX: &str = "example-com.mail.protection.outlook.com";

/// The guide, as it stands after its last step.
fn guide() -> World {
    let mut gateway = Configuration::new_gateway(Release::default());
    let incoming = gateway.listener_mut("IncomingMail").unwrap();
    let rat = incoming.rat.as_mut().unwrap();
    rat.entries.push(Recipient { address: "example.com".into(), treatment: Treatment::plain(Access::Accept) });
    let outgoing = gateway.listener_mut("OutgoingMail").unwrap();
    let parameters = Parameters::of(&[("tls", "on".into())]);
    outgoing.hat.policies.push(Policy { name: "RELAYED_O365".into(), behavior: Behavior::Relay, parameters });
    outgoing.hat.groups.push(group("RELAY_O365", &[".protection.outlook.com"], "RELAYED_O365"));
    gateway.filters.push(filter(
        "office365_outbound: if sendergroup == \"^RELAY_O365$\" { if header(\"X-OUTBOUND-AUTH\") == \"^mysecretkey$\" { \
         strip-header(\"X-OUTBOUND-AUTH\"); } else { drop(); } }",
    ));
    gateway.smtp_routes.push(route("example.com", &[MX]));
    gateway.destination_controls.entries.push(Destination { tls: Some(Tls::Preferred), ..Destination::new("example.com") });
    let mut network = Network::default();
    network.host(MX, Leads::Tenant);
    network.host("203.0.113.20", Leads::Gateway("OutgoingMail".into()));
    let tenant = Tenant::of(&json!({
        "AcceptedDomain": [{ "Name": "example.com", "DomainType": "Authoritative" }],
        "OrganizationConfig": [{ "Name": "contoso" }],
        "InboundConnector": [{ "Name": "Inbound from Cisco CES", "Enabled": true, "ConnectorType": "Partner",
            "SenderDomains": ["smtp:*;1"], "SenderIPAddresses": ["203.0.113.10"], "RequireTls": true,
            "RestrictDomainsToIPAddresses": true }],
        "OutboundConnector": [{ "Name": "Outbound to Cisco CES", "Enabled": true, "ConnectorType": "Partner",
            "IsTransportRuleScoped": true, "UseMXRecord": false, "SmartHosts": ["203.0.113.20"], "TlsSettings": "EncryptionOnly" }],
        "TransportRule": [
            { "Name": "Bypass", "SenderIpRanges": ["203.0.113.10"], "SetSCL": "-1" },
            { "Name": "Outbound", "FromScope": "InOrganization", "SentToScope": "NotInOrganization",
              "RouteMessageOutboundConnector": "Outbound to Cisco CES", "SetHeaderName": "X-OUTBOUND-AUTH",
              "SetHeaderValue": "mysecretkey" }
        ],
    }));
    World { gateway, tenant, network, broken: None }
}

fn group(name: &str, senders: &[&str], policy: &str) -> SenderGroup {
    SenderGroup {
        name: name.into(),
        senders: senders.iter().map(|sender| (*sender).to_owned()).collect(),
        countries: Vec::new(),
        verdict: Verdict::Policy(policy.into()),
        comment: String::new(),
    }
}

fn filter(text: &str) -> Filter {
    Filter::of(Script::parse(text).unwrap().first().unwrap())
}

fn route(domain: &str, destinations: &[&str]) -> SmtpRoute {
    let destinations = destinations.iter().map(|host| (*host).to_owned()).collect();
    SmtpRoute { domain: domain.into(), destinations, authentication: None }
}

fn peer(address: &str, host: &str) -> Peer {
    Peer::new(address.parse().unwrap(), (!host.is_empty()).then_some(host))
}

fn message(entry: Entry, peer: Peer, sender: &str, recipient: &str) -> Message {
    let content = Content::new(&[("From", sender), ("To", recipient), ("Subject", "hello")], "a word\n");
    Message { entry, peer, sender: sender.into(), recipients: vec![recipient.into()], content }
}

fn incoming() -> Entry {
    Entry::Listener("IncomingMail".into())
}

fn outgoing() -> Entry {
    Entry::Listener("OutgoingMail".into())
}

/// Mail in, mail out, a foreign message, and direct delivery.
fn guides_messages() -> [Message; 4] {
    let tenant = peer("40.107.1.1", "mail-x.outbound.protection.outlook.com");
    [
        message(incoming(), peer("198.51.100.7", "mail.partner.example"), "kim@partner.example", "ann@example.com"),
        message(Entry::Mailbox, peer("127.0.0.1", ""), "ann@example.com", "kim@partner.example"),
        message(outgoing(), tenant, "eve@foreign.example", "kim@partner.example"),
        message(Entry::Tenant, peer("198.51.100.7", "mail.partner.example"), "kim@partner.example", "ann@example.com"),
    ]
}

fn told(journey: &Journey) -> String {
    journey.ends.iter().map(|end| format!("{}: {}", end.recipient, end.outcome)).collect::<Vec<_>>().join("; ")
}

fn check(world: &World, message: &Message, part: &str) {
    let journey = deliver(world, message);
    let steps = journey.steps.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(told(&journey).contains(part), "{part}\n{}\n{steps}", told(&journey));
}

#[test]
fn the_guides_mail_flows() {
    let [inward, outward, foreign, direct] = guides_messages();
    check(&guide(), &inward, "delivered to the mailbox");
    check(&guide(), &outward, "sent by the gateway OutgoingMail to mx.partner.example");
    check(&guide(), &foreign, "dropped by office365_outbound");
    check(&guide(), &direct, "550 5.7.51");
    let journey = deliver(&guide(), &outward);
    assert!(journey.is_certain(), "{:?}", journey.unsure);
    assert!(journey.ends.iter().all(|end| end.content.value("X-OUTBOUND-AUTH").is_none()), "the secret stays inside");
}

/// Takes one object of the guide out.
type Out = (&'static str, fn(&mut World));

/// What each message needs, taken out one by one.
const NEEDED: &[(usize, &str, &[Out])] = &[
    (
        0,
        "delivered to the mailbox",
        &[
            ("the recipient entry", |world| world.gateway.listeners[0].rat.as_mut().unwrap().entries.clear()),
            ("the route", |world| world.gateway.smtp_routes.clear()),
            ("TLS to the tenant", |world| world.gateway.destination_controls.entries.clear()),
            ("the gateway's address on the connector", |world| {
                world.tenant.objects_mut("InboundConnector")[0]["SenderIPAddresses"] = json!(["198.51.100.99"]);
            }),
        ],
    ),
    (
        1,
        "sent by the gateway OutgoingMail",
        &[
            ("the rule", |world| drop(world.tenant.objects_mut("TransportRule").pop())),
            ("the connector", |world| world.tenant.objects_mut("OutboundConnector").clear()),
            ("the sender group", |world| drop(world.gateway.listeners[1].hat.groups.pop())),
            ("TLS of the policy", |world| world.gateway.listeners[1].hat.policies.last_mut().unwrap().parameters.unset("tls")),
        ],
    ),
    (2, "dropped by office365_outbound", &[("the filter", |world| world.gateway.filters.clear())]),
    (3, "550 5.7.51", &[("the inbound connector", |world| world.tenant.objects_mut("InboundConnector").clear())]),
];

#[test]
fn each_message_needs_each_of_its_objects() {
    for (at, wanted, objects) in NEEDED {
        for (name, take_out) in *objects {
            let mut world = guide();
            take_out(&mut world);
            let journey = deliver(&world, &guides_messages()[*at]);
            assert!(!told(&journey).contains(wanted), "without {name}: {}", told(&journey));
        }
    }
}

#[test]
fn every_form_of_a_sender_is_read() {
    let yes = |sender: &str, address: &str, host: &str| {
        assert_eq!(means(sender, &peer(address, host), None), Means::Yes, "{sender} {address} {host}");
    };
    let no = |sender: &str, address: &str, host: &str| {
        assert_eq!(means(sender, &peer(address, host), None), Means::No, "{sender} {address} {host}");
    };
    yes("192.0.2.7", "192.0.2.7", "");
    yes("192.0.2.", "192.0.2.7", "");
    yes("192.", "192.0.2.7", "");
    no("192.0.2.", "192.0.20.7", "");
    yes("192.0.2.5-9", "192.0.2.9", "");
    no("192.0.2.5-9", "192.0.2.10", "");
    yes("192.0.1-3", "192.0.2.7", "");
    no("192.0.3-4", "192.0.2.7", "");
    yes("192.0.2.0/29", "192.0.2.7", "");
    no("192.0.2.0/29", "192.0.2.8", "");
    yes("2001:db8::/32", "2001:db8::5", "");
    yes("2001:db8::1-2001:db8::9", "2001:db8::5", "");
    no("2001:db8::/32", "192.0.2.7", "");
    yes("Mail.Partner.Example", "192.0.2.7", "mail.partner.example");
    yes(".partner.example", "192.0.2.7", "a.mail.partner.example");
    no(".partner.example", "192.0.2.7", "partner.example");
    no("partner.example", "192.0.2.7", "mail.partner.example");
    no(".partner.example", "192.0.2.7", "");
    yes("SBRS[none]", "192.0.2.7", "");
    no("SBRS[-10.0:10.0]", "192.0.2.7", "");
    yes("ALL", "192.0.2.7", "");
    let scored = Peer { reputation: Some(-3.0), organization: Some(17), ..peer("192.0.2.7", "") };
    assert_eq!(means("SBRS[-10.0:-3.0]", &scored, None), Means::Yes);
    assert_eq!(means("SBRS[-2.9:10]", &scored, None), Means::No);
    assert_eq!(means("sbrs[none]", &scored, None), Means::No);
    assert_eq!(means("SBO:17", &scored, None), Means::Yes);
    for asked in ["dnslist[bl.example.org]", "etf-source: feed"] {
        assert_eq!(means(asked, &scored, None), Means::Unknown, "{asked}");
    }
}

/// Worlds and messages that differ from the guide in what one rule of the oracle is about, and what becomes of them.
fn points() -> Vec<(&'static str, World, Message, &'static str)> {
    let [inward, outward, _, direct] = guides_messages();
    let mut points = Vec::new();
    let mut point = |name: &'static str, change: &dyn Fn(&mut World), message: &Message, part: &'static str| {
        let mut world = guide();
        change(&mut world);
        points.push((name, world, message.clone(), part));
    };
    let from_partner = |policy: &'static str| {
        move |world: &mut World| {
            world.gateway.listeners[0].hat.groups.insert(0, group("FIRST", &["mail.partner.example"], policy));
        }
    };
    point(
        "the first group counts",
        &|world| {
            from_partner("ACCEPTED")(world);
            world.gateway.listeners[0].hat.groups.insert(1, group("SECOND", &["mail.partner.example"], "BLOCKED"));
        },
        &inward,
        "mailbox",
    );
    point("a rejecting group", &from_partner("BLOCKED"), &inward, "rejected (gateway IncomingMail): 554");
    point(
        "a dot is not the domain itself",
        &|world| {
            world.gateway.listeners[0].hat.groups.insert(0, group("DOT", &[".mail.partner.example"], "BLOCKED"));
        },
        &inward,
        "mailbox",
    );
    point(
        "a group that continues",
        &|world| {
            let hat = &mut world.gateway.listeners[0].hat;
            hat.policies.push(Policy { name: "ON".into(), behavior: Behavior::Continue, parameters: Parameters::default() });
            hat.groups.insert(0, group("ON", &["mail.partner.example"], "ON"));
            hat.groups.insert(1, group("NEXT", &["mail.partner.example"], "BLOCKED"));
        },
        &inward,
        "rejected",
    );
    let plain = Message { peer: Peer { uses_tls: false, ..inward.peer.clone() }, ..inward.clone() };
    point("the listener's defaults hold", &|world| world.gateway.listeners[0].hat.defaults.set("tls", "required"), &plain, "530");
    let elsewhere = Message { recipients: vec!["kim@partner.example".into()], ..inward.clone() };
    point("recipients that no entry takes", &|_| (), &elsewhere, "550 #5.1.0");
    point(
        "relayed mail asks no table",
        &|world| {
            from_partner("RELAYED")(world);
            let policy = Policy { name: "RELAYED".into(), behavior: Behavior::Relay, parameters: Parameters::default() };
            world.gateway.listeners[0].hat.policies.push(policy);
        },
        &elsewhere,
        "sent by the gateway IncomingMail to mx.partner.example",
    );
    point(
        "the first recipient entry counts",
        &|world| {
            let response = Some(Response { code: 451, text: "later".into() });
            let treatment = Treatment { response, ..Treatment::plain(Access::Reject) };
            world.gateway.listeners[0]
                .rat
                .as_mut()
                .unwrap()
                .entries
                .push(Recipient { address: "ann@example.com".into(), treatment });
        },
        &inward,
        "mailbox",
    );
    let two = Message { recipients: vec!["ann@example.com".into(), "bob@example.com".into()], ..inward.clone() };
    point(
        "too many recipients",
        &|world| world.gateway.listeners[0].hat.defaults.set("max_rcpts_per_msg", 1),
        &two,
        "452 #4.5.3",
    );
    let with = |text: &'static str| move |world: &mut World| world.gateway.filters.insert(0, filter(text));
    point("an inactive filter", &with("x!: if true { drop(); }"), &inward, "mailbox");
    point("an invalid filter", &with("x: if recv-listener == \"Gone\" or true { drop(); }"), &inward, "mailbox");
    point("a pattern matches anywhere", &with("x: if subject == \"ell\" { drop(); }"), &inward, "dropped by x");
    point("not", &with("x: if not subject == \"bye\" { drop(); }"), &inward, "dropped by x");
    point("a pattern has case", &with("x: if subject == \"HELLO\" { drop(); }"), &inward, "mailbox");
    point("and binds more than or", &with("x: if true or false and false { drop(); }"), &inward, "dropped by x");
    point(
        "filters that are skipped",
        &|world| {
            with("y: if true { drop(); }")(world);
            with("x: if true { skip-filters(); }")(world);
        },
        &inward,
        "mailbox",
    );
    point("what cannot be evaluated", &with("x: if random(2) == 1 { drop(); }"), &inward, "cannot be said");
    point("what cannot be evaluated and does nothing", &with("x: if random(2) == 1 { no-op(); }"), &inward, "mailbox");
    let out = Message { recipients: vec!["kim@deep.partner.example".into()], ..outward.clone() };
    point(
        "a partial route goes before ALL",
        &|world| {
            world.gateway.smtp_routes.push(route("ALL", &["all.example"]));
            world.gateway.smtp_routes.push(route(".partner.example", &["mx.plain.example:26/pri=10", "[best.example]/pri=5"]));
        },
        &out,
        "to best.example",
    );
    point(
        "a route to nowhere",
        &|world| world.gateway.smtp_routes.push(route("ALL", &["/dev/null"])),
        &outward,
        "dropped by the route ALL",
    );
    point(
        "TLS that is required and not offered",
        &|world| {
            world.network.host("mx.partner.example", Leads::Elsewhere(Offers::Plain));
            world
                .gateway
                .destination_controls
                .entries
                .push(Destination { tls: Some(Tls::Required), ..Destination::new("partner.example") });
        },
        &outward,
        "does not offer TLS",
    );
    point("a connector that restricts", &|_| (), &direct, "550 5.7.51");
    point(
        "direct send is closed",
        &|world| {
            world.tenant.objects_mut("InboundConnector").clear();
            world.tenant.objects_mut("OrganizationConfig")[0]["RejectDirectSend"] = json!(true);
        },
        &Message { sender: "ann@example.com".into(), ..direct.clone() },
        "5.7.68",
    );
    let rule = |name: &str| json!({ "Name": name });
    point(
        "rules in their order",
        &|world| {
            let mut first = rule("first");
            first["DeleteMessage"] = json!(true);
            let mut second = rule("second");
            second["RejectMessageReasonText"] = json!("no");
            world.tenant.objects_mut("TransportRule").extend([first, second]);
        },
        &inward,
        "dropped by first",
    );
    point(
        "an exception",
        &|world| {
            let mut one = rule("one");
            one["DeleteMessage"] = json!(true);
            one["ExceptIfSubjectContainsWords"] = json!(["Hello"]);
            world.tenant.objects_mut("TransportRule").push(one);
        },
        &inward,
        "mailbox",
    );
    point(
        "a tenant's recipients",
        &|world| world.tenant.objects_mut("InboundConnector").clear(),
        &Message { recipients: vec!["kim@partner.example".into()], ..direct.clone() },
        "5.7.64",
    );
    points
}

#[test]
fn each_point_is_as_the_references_say() {
    for (name, world, message, part) in points() {
        let journey = deliver(&world, &message);
        let steps = journey.steps.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert!(told(&journey).contains(part), "{name}: {part}\n{}\n{steps}", told(&journey));
    }
}

#[test]
fn each_rule_that_is_left_out_is_noticed_by_a_point_and_by_chance() {
    for broken in Broken::ALL {
        let noticed = points().into_iter().any(|(_, mut world, message, part)| {
            world.broken = Some(broken);
            !told(&deliver(&world, &message)).contains(part)
        });
        assert!(noticed, "{broken:?} is noticed by no point");
        let seen = (0..3000).find(|seed| {
            let mut chance = Chance::new(*seed);
            let (mut world, message) = (chance.world(), chance.message());
            let whole = deliver(&world, &message);
            world.broken = Some(broken);
            deliver(&world, &message).ends != whole.ends
        });
        assert!(seen.is_some(), "{broken:?} is noticed by no random message");
    }
}

#[test]
fn every_recipient_has_one_end_and_most_journeys_are_certain() {
    let mut certain = 0;
    let mut outcomes = std::collections::BTreeSet::new();
    for seed in 0..4000 {
        let mut chance = Chance::new(seed);
        let (world, message) = (chance.world(), chance.message());
        let journey = deliver(&world, &message);
        assert_eq!(journey, deliver(&world, &message), "seed {seed}: the same again");
        assert!(!journey.ends.is_empty(), "seed {seed}");
        assert!(journey.ends.iter().all(|end| !end.recipient.is_empty()), "seed {seed}: {:?}", journey.ends);
        certain += usize::from(journey.is_certain());
        outcomes.extend(journey.ends.iter().map(|end| std::mem::discriminant(&end.outcome)).map(|kind| format!("{kind:?}")));
    }
    assert!(certain > 2500, "{certain} of 4000 are certain");
    assert!(outcomes.len() >= 8, "{outcomes:?}");
}
