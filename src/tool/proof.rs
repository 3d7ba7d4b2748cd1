//! What the demo proves with mail: five messages over SMTP, each with its way and its end.

use std::net::IpAddr;
use std::time::Duration;

use super::demo::say;
use super::sandbox::StandIns;
use crate::sandbox::mail::{self, Answer, Door};
use crate::sandbox::oracle::{Content, Entry, Message, Outcome, Peer, Place, deliver};

/// The widest line.
const COLUMNS: usize = 80;
/// The longest that a message is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// The header that carries the secret.
const HEADER: &str = "X-OUTBOUND-AUTH";

/// Holds one message and what has to become of it.
struct Proof {
    name: &'static str,
    about: &'static str,
    message: Message,
    holds: fn(&Outcome) -> bool,
    wanted: &'static str,
    /// What an administrator knows then.
    proved: &'static str,
}

/// Sends the five messages and shows their way. Gives what was proved, or says which of them did not go as it should.
pub(super) async fn prove(stand_ins: &StandIns) -> Result<Vec<&'static str>, String> {
    let mut proved = Vec::new();
    for proof in proofs() {
        say(&wrapped(&format!("{}: {}", proof.name, proof.about), ""));
        let outcome = carry(stand_ins, &proof).await?;
        let journey = deliver(&stand_ins.mail.world(), &proof.message);
        for step in &journey.steps {
            say(&wrapped(&step.to_string(), "  "));
        }
        say(&format!("{}\n", wrapped(&outcome.to_string(), "  => ")));
        if !(proof.holds)(&outcome) {
            return Err(format!("{}: the message should have been {}, and it was {outcome}", proof.name, proof.wanted));
        }
        proved.push(proof.proved);
    }
    Ok(proved)
}

/// Brings a message to its door and waits for its end.
async fn carry(stand_ins: &StandIns, proof: &Proof) -> Result<Outcome, String> {
    let message = &proof.message;
    let (door, place) = match &message.entry {
        Entry::Listener(name) => (Door::Listener(name.clone()), Place::Gateway(name.clone())),
        Entry::Tenant => (Door::Tenant, Place::Tenant),
        Entry::Mailbox => (Door::Mailbox, Place::Tenant),
    };
    let port = stand_ins.mail.port(&door).ok_or_else(|| format!("{}: there is no listener for it", proof.name))?;
    let sent = mail::send(port, &message.peer, message).await.map_err(|error| format!("{}: {error}", proof.name))?;
    match sent.answers.into_iter().next() {
        Some((_, Answer::Refused(reply))) => return Ok(Outcome::Rejected { by: place, reply }),
        Some((_, Answer::Closed)) => return Ok(Outcome::ConnectionRefused { by: place }),
        Some((_, Answer::Taken)) | None => {}
    }
    let office = &stand_ins.mail;
    if !tokio::task::block_in_place(|| office.settle(PATIENCE)) {
        return Err(format!("{}: the message is still on its way", proof.name));
    }
    let end = office.take_ends().pop().ok_or_else(|| format!("{}: the message is lost", proof.name))?;
    if matches!(end.outcome, Outcome::Sent { .. }) && end.content.value(HEADER).is_some() {
        return Err(format!("{}: the header {HEADER} has left the organization", proof.name));
    }
    Ok(end.outcome)
}

fn proofs() -> Vec<Proof> {
    let peer = |address: [u8; 4], host: &str| Peer::new(IpAddr::from(address), Some(host));
    let message = |entry: Entry, peer: Peer, from: &str, to: &str| Message {
        entry,
        peer,
        sender: from.to_owned(),
        recipients: vec![to.to_owned()],
        content: Content::new(&[("From", from), ("To", to), ("Subject", "The demo")], "Good morning.\n"),
    };
    let internet = || peer([198, 51, 100, 7], "mail.partner.example");
    let gateway = || peer([203, 0, 113, 10], "esa.example.com");
    let microsoft = || peer([40, 107, 1, 1], "mail-x.outbound.protection.outlook.com");
    vec![
        Proof {
            name: "mail in",
            about: "from a server of the Internet to ann@example.com",
            message: message(Entry::Listener("IncomingMail".into()), internet(), "kim@partner.example", "ann@example.com"),
            holds: |outcome| *outcome == Outcome::Mailbox,
            wanted: "delivered to the mailbox",
            proved: "Mail in: it goes through the gateway into the mailbox.",
        },
        Proof {
            name: "mail out",
            about: "from the mailbox of ann@example.com to kim@partner.example",
            message: message(Entry::Mailbox, internet(), "ann@example.com", "kim@partner.example"),
            holds: |outcome| matches!(outcome, Outcome::Sent { by: Place::Gateway(_), .. }),
            wanted: "sent to the Internet by the gateway",
            proved: "Mail out: it goes through the gateway, and the secret stays inside.",
        },
        Proof {
            name: "a foreign message",
            about: "another tenant of Microsoft 365 sends by the gateway",
            message: message(Entry::Listener("OutgoingMail".into()), microsoft(), "eve@foreign.example", "kim@partner.example"),
            holds: |outcome| matches!(outcome, Outcome::Dropped { by: Place::Gateway(_), .. }),
            wanted: "dropped by the gateway",
            proved: "Foreign tenants dropped: what lacks the secret is not relayed.",
        },
        Proof {
            name: "direct delivery",
            about: "the Internet sends straight to the tenant, past the gateway",
            message: message(Entry::Tenant, internet(), "kim@partner.example", "ann@example.com"),
            holds: |outcome| matches!(outcome, Outcome::Rejected { by: Place::Tenant, reply } if reply.text.starts_with("5.7.51")),
            wanted: "refused by the tenant",
            proved: "Direct delivery closed: the tenant takes mail from the gateway only.",
        },
        Proof {
            name: "plain text",
            about: "the gateway's address sends to the tenant without TLS",
            message: message(Entry::Tenant, Peer { uses_tls: false, ..gateway() }, "kim@partner.example", "ann@example.com"),
            holds: |outcome| matches!(outcome, Outcome::Rejected { by: Place::Tenant, reply } if reply.text.starts_with("5.7.10")),
            wanted: "refused by the tenant",
            proved: "Plain text refused: the tenant takes that mail over TLS only.",
        },
    ]
}

/// Breaks a line at blanks, so that none is too wide; the following ones are indented.
pub(super) fn wrapped(text: &str, front: &str) -> String {
    let indent = " ".repeat(front.len() + 4);
    let mut lines = vec![front.to_owned()];
    for word in text.split(' ') {
        let is_first = lines.len() == 1;
        let Some(line) = lines.last_mut() else { continue };
        let fresh = if is_first { *line == front } else { *line == indent };
        if !fresh && line.chars().count() + 1 + word.chars().count() > COLUMNS {
            lines.push(format!("{indent}{word}"));
        } else {
            if !fresh {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::sandbox::gateway::Behavior;
    use crate::sandbox::gateway::tables::destination::{Destination, Tls};
    use crate::sandbox::gateway::tables::filter::Filter;
    use crate::sandbox::gateway::tables::filter_script::Script;
    use crate::sandbox::gateway::tables::hat::{Policy, SenderGroup, Verdict};
    use crate::sandbox::gateway::tables::parameter::Parameters;
    use crate::sandbox::gateway::tables::recipient::{Access, Recipient, Treatment};
    use crate::sandbox::gateway::tables::route::SmtpRoute;

    pub(in crate::tool) const INBOUND: &str = "Inbound from Cisco CES";
    pub(in crate::tool) const OUTBOUND: &str = "Outbound to Cisco CES";

    /// Both stand-ins as the guide leaves them.
    fn guide() -> StandIns {
        let stand_ins = StandIns::start().unwrap();
        furnish(&stand_ins);
        stand_ins
    }

    /// Makes what the guide makes.
    pub(in crate::tool) fn furnish(stand_ins: &StandIns) {
        stand_ins.gateway.edit(|gateway| {
            let incoming = gateway.listener_mut("IncomingMail").unwrap();
            let treatment = Treatment::plain(Access::Accept);
            incoming.rat.as_mut().unwrap().entries.push(Recipient { address: "example.com".into(), treatment });
            let outgoing = gateway.listener_mut("OutgoingMail").unwrap();
            let parameters = Parameters::of(&[("tls", "on".into())]);
            outgoing.hat.policies.push(Policy { name: "RELAYED_O365".into(), behavior: Behavior::Relay, parameters });
            outgoing.hat.groups.push(SenderGroup {
                name: "RELAY_O365".into(),
                senders: vec![".protection.outlook.com".into()],
                countries: Vec::new(),
                verdict: Verdict::Policy("RELAYED_O365".into()),
                comment: String::new(),
            });
            let script = "office365_outbound: if sendergroup == \"^RELAY_O365$\" { if header(\"X-OUTBOUND-AUTH\") == \
                          \"^mysecretkey$\" { strip-header(\"X-OUTBOUND-AUTH\"); } else { drop(); } }";
            gateway.filters.push(Filter::of(&Script::parse(script).unwrap()[0]));
            gateway.smtp_routes.push(SmtpRoute {
                domain: "example.com".into(),
                destinations: vec!["example-com.mail.protection.outlook.com".into()],
                authentication: None,
            });
            let tls = Some(Tls::Preferred);
            gateway.destination_controls.entries.push(Destination { tls, ..Destination::new("example.com") });
        });
        let put = |noun: &str, name: &str, fields: &Value| drop(stand_ins.exchange.put(noun, name, fields).unwrap());
        put(
            "InboundConnector",
            INBOUND,
            &json!({ "ConnectorType": "Partner", "SenderDomains": ["smtp:*;1"], "SenderIPAddresses": ["203.0.113.10"],
                "RestrictDomainsToIPAddresses": true, "RequireTls": true }),
        );
        put(
            "OutboundConnector",
            OUTBOUND,
            &json!({ "ConnectorType": "Partner", "IsTransportRuleScoped": true, "UseMXRecord": false,
                "SmartHosts": ["203.0.113.20"], "TlsSettings": "EncryptionOnly" }),
        );
        put("TransportRule", "Bypass", &json!({ "SenderIpRanges": ["203.0.113.10"], "SetSCL": "-1" }));
        put(
            "TransportRule",
            OUTBOUND,
            &json!({ "FromScope": "InOrganization", "SentToScope": "NotInOrganization", "RouteMessageOutboundConnector": OUTBOUND,
                "SetHeaderName": "X-OUTBOUND-AUTH", "SetHeaderValue": "mysecretkey" }),
        );
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_guide_holds_with_all_five_messages() {
        assert_eq!(prove(&guide()).await.unwrap().len(), 5);
    }

    /// Takes one object of the guide out.
    type Out = fn(&StandIns);

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn each_object_of_the_guide_is_missed_by_its_message() {
        let missed: [(&str, &str, Out); 11] = [
            ("recipient access", "mail in", |all| {
                all.gateway.edit(|gateway| gateway.listeners[0].rat.as_mut().unwrap().entries.clear());
            }),
            ("route", "mail in", |all| all.gateway.edit(|gateway| gateway.smtp_routes.clear())),
            ("destination control", "mail in", |all| all.gateway.edit(|gateway| gateway.destination_controls.entries.clear())),
            ("rule", "mail out", |all| assert!(all.exchange.remove("TransportRule", OUTBOUND).unwrap())),
            ("outbound connector", "mail out", |all| assert!(all.exchange.remove("OutboundConnector", OUTBOUND).unwrap())),
            ("sender group", "mail out", |all| all.gateway.edit(|gateway| drop(gateway.listeners[1].hat.groups.pop()))),
            ("TLS of the policy", "mail out", |all| {
                all.gateway.edit(|gateway| gateway.listeners[1].hat.policies.last_mut().unwrap().parameters.unset("tls"));
            }),
            ("filter", "mail out", |all| all.gateway.edit(|gateway| gateway.filters.clear())),
            ("inbound connector", "direct delivery", |all| assert!(all.exchange.remove("InboundConnector", INBOUND).unwrap())),
            ("restriction", "direct delivery", |all| {
                drop(all.exchange.put("InboundConnector", INBOUND, &json!({ "RestrictDomainsToIPAddresses": false })).unwrap());
            }),
            ("TLS of the connector", "plain text", |all| {
                drop(all.exchange.put("InboundConnector", INBOUND, &json!({ "RequireTls": false })).unwrap());
            }),
        ];
        for (object, message, take_out) in missed {
            let stand_ins = guide();
            take_out(&stand_ins);
            let reason = prove(&stand_ins).await.expect_err(object);
            assert!(reason.starts_with(message), "without {object}: {reason}");
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_foreign_message_passes_where_nothing_guards_the_group() {
        let stand_ins = guide();
        stand_ins.gateway.edit(|gateway| {
            // The header is taken off, and nothing is dropped.
            let script = "office365_outbound: if true { strip-header(\"X-OUTBOUND-AUTH\"); }";
            gateway.filters = vec![Filter::of(&Script::parse(script).unwrap()[0])];
        });
        let reason = prove(&stand_ins).await.unwrap_err();
        assert!(reason.starts_with("a foreign message"), "{reason}");
    }

    #[test]
    fn no_line_is_wider_than_a_terminal() {
        let text = "one two three ".repeat(30);
        let wrapped = wrapped(text.trim(), "  => ");
        assert!(wrapped.lines().all(|line| line.chars().count() <= COLUMNS), "{wrapped}");
        assert_eq!(wrapped.split_whitespace().skip(1).collect::<Vec<_>>(), text.split_whitespace().collect::<Vec<_>>());
        assert!(proofs().iter().all(|proof| proof.proved.len() + 2 <= COLUMNS));
    }
}
