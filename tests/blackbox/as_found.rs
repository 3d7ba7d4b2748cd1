//! What stands at a service is not judged: whatever exists is imported, kept, and changed elsewhere.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::support::{Release, Workspace, World};

const CONNECTOR: &str = "mailflow_exchange_inbound_connector";
const RULE: &str = "mailflow_exchange_transport_rule";
const DOMAIN: &str = "mailflow_exchange_accepted_domain";
const REMOTE: &str = "mailflow_exchange_remote_domain";
const ORGANIZATION: &str = "mailflow_exchange_organization_mail_flow";
const DESTINATION: &str = "mailflow_gateway_destination_control";
const RECIPIENT: &str = "mailflow_gateway_recipient_access";
const ROUTE: &str = "mailflow_gateway_smtp_route";
const GROUP: &str = "mailflow_gateway_sender_group";
const DEFAULTS: &str = "mailflow_gateway_listener_defaults";
const TLS: &str = "mailflow_gateway_tls_settings";

/// Puts members of an object straight into the stand-in's store, past all that its cmdlets check.
fn seed(world: &World, noun: &str, name: &str, members: &Json) {
    let exchange = &world.stand_ins.exchange;
    let mut all = exchange.snapshot();
    let objects = all[noun].as_array_mut().expect("a noun");
    let object = objects.iter_mut().find(|object| object["Name"] == name).expect("an object");
    for (member, value) in members.as_object().expect("members") {
        object[member] = value.clone();
    }
    exchange.restore(&all).expect("restored");
}

/// An object that breaks a rule of the service, or of this provider: its noun, what New takes of it, what it is then made, its address,
/// import ID and arguments, and the argument that is changed.
struct Odd {
    noun: &'static str,
    made: Json,
    found: Json,
    kind: &'static str,
    label: &'static str,
    id: String,
    arguments: Json,
    changed: (&'static str, Json),
}

fn long(length: usize) -> String {
    "n".repeat(length)
}

fn rule(label: &'static str, name: &str, found: Json, mut arguments: Json) -> Odd {
    arguments["name"] = json!(name);
    Odd {
        noun: "TransportRule",
        made: json!({ "SetSCL": 1, "FromScope": "InOrganization" }),
        found,
        kind: RULE,
        label,
        id: name.to_owned(),
        arguments,
        changed: ("comments", json!("changed")),
    }
}

fn odd() -> Vec<Odd> {
    let connector = Odd {
        noun: "InboundConnector",
        made: json!({ "ConnectorType": "OnPremises", "SenderDomains": ["smtp:*;1"], "RequireTls": true }),
        found: json!({
            "SenderDomains": ["smtp:*;1", "smtp:Partner.example;10"],
            "SenderIPAddresses": ["203.0.112.0/22"],
            "EFSkipIPs": ["2001:db8::1", "198.51.100.0/22"],
            "TlsSenderCertificateName": "mail",
        }),
        kind: CONNECTOR,
        label: "c",
        id: long(70),
        arguments: json!({
            "name": long(70),
            "connector_type": "OnPremises",
            "sender_domains": ["*", "smtp:Partner.example;10"],
            "sender_ip_addresses": ["203.0.112.0/22"],
            "ef_skip_ips": ["2001:db8::1", "198.51.100.0/22"],
            "tls_sender_certificate_name": "mail",
        }),
        changed: ("comment", json!("changed")),
    };
    let words = vec![long(140), "blank ".to_owned()];
    vec![
        connector,
        rule(
            "words",
            &long(80),
            json!({ "SubjectContainsWords": words, "SenderDomainIs": ["*.contoso.com"], "SetHeaderName": "Sender", "SetHeaderValue": "v" }),
            json!({
                "conditions": { "from_scope": "InOrganization", "subject_contains_words": words, "sender_domain_is": ["*.contoso.com"] },
                "actions": { "set_scl": 1, "set_header_name": "Sender", "set_header_value": "v" },
            }),
        ),
        rule(
            "ends",
            "reject and redirect",
            json!({
                "RejectMessageEnhancedStatusCode": "5.7.124",
                "RejectMessageReasonText": "no",
                "RedirectMessageTo": ["a@contoso.com"],
                "BetweenMemberOf1": ["a@contoso.com"],
                "FromScope": "PartnerOrganization",
            }),
            json!({
                "conditions": { "from_scope": "PartnerOrganization", "between_member_of_1": ["a@contoso.com"] },
                "actions": {
                    "set_scl": 1,
                    "reject_message_enhanced_status_code": "5.7.124",
                    "reject_message_reason_text": "no",
                    "redirect_message_to": ["a@contoso.com"],
                },
            }),
        ),
        Odd {
            noun: "RemoteDomain",
            made: json!({ "DomainName": "odd.example" }),
            found: json!({ "CharacterSet": "us-ascii", "ContentType": "MimeSomething" }),
            kind: REMOTE,
            label: "r",
            id: "odd".to_owned(),
            arguments: json!({ "name": "odd", "domain_name": "odd.example", "character_set": "us-ascii", "content_type": "MimeSomething" }),
            changed: ("ndr_enabled", json!(false)),
        },
        Odd {
            noun: "AcceptedDomain",
            made: json!({}),
            found: json!({ "DomainType": "ExternalRelay" }),
            kind: DOMAIN,
            label: "d",
            id: "contoso.com".to_owned(),
            arguments: json!({ "domain": "contoso.com", "domain_type": "ExternalRelay" }),
            changed: ("outbound_only", json!(true)),
        },
    ]
}

fn write(workspace: &Workspace<'_>, odd: &[Odd], changed: bool) {
    let resources = odd.iter().map(|odd| {
        let mut arguments = odd.arguments.clone();
        if changed {
            arguments[odd.changed.0] = odd.changed.1.clone();
        }
        (odd.kind, odd.label, arguments)
    });
    workspace.write_resources(resources.collect::<Vec<_>>());
}

/// RX6: also with what is changed elsewhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_exists_is_imported_kept_and_changed_elsewhere() {
    let world = World::start();
    let odd = odd();
    for odd in &odd {
        world.stand_ins.exchange.put(odd.noun, &odd.id, &odd.made).expect("made");
        seed(&world, odd.noun, &odd.id, &odd.found);
    }
    for release in Release::BOTH {
        let workspace = world.workspace_on(release, &format!("{release}")).await;
        write(&workspace, &odd, false);
        let address = |odd: &Odd| format!("{}.{}", odd.kind, odd.label);
        workspace.write_imports(&odd.iter().map(|odd| (address(odd), odd.id.clone())).collect());
        let all = |word: &str| odd.iter().map(|odd| (address(odd), word.to_owned())).collect::<BTreeMap<_, _>>();
        assert_eq!(workspace.plan().await, all("import"), "{release}");
        workspace.apply().await;
        let state = workspace.state();
        assert_eq!(state[&format!("{CONNECTOR}.c")]["sender_domains"], json!(["*", "partner.example;10"]));
        std::fs::remove_file(workspace.folder.join("imports.tf")).expect("removed");
        workspace.must_plan_nothing("after the import").await;
        // One other argument of each, and no word about what stands.
        write(&workspace, &odd, true);
        assert_eq!(workspace.plan().await, all("update"), "{release}");
        // New of the same kind is judged.
        workspace.write_resources([(
            CONNECTOR,
            "new",
            json!({
                "name": "new", "connector_type": "OnPremises", "sender_domains": ["*"], "ef_skip_ips": ["10.1.2.3"],
            }),
        )]);
        let refused = workspace.run(&["plan", "-no-color"]).await;
        assert!(!refused.succeeded() && refused.stderr.contains("private address"), "{}", refused.stderr);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_left_out_of_an_object_that_is_always_there_stays_as_it_stands() {
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    exchange.put("OrganizationConfig", "contoso.onmicrosoft.com", &json!({ "RejectDirectSend": true })).expect("set");
    exchange
        .put("AcceptedDomain", "contoso.com", &json!({ "DomainType": "InternalRelay", "MatchSubDomains": true }))
        .expect("set");
    let before = world.stand_ins.snapshot();
    let workspace = world.workspace("left").await;
    let resources = |outbound: bool, limit: i64| {
        [
            (ORGANIZATION, "o", json!({})),
            (DOMAIN, "d", json!({ "domain": "contoso.com", "outbound_only": outbound })),
            (DESTINATION, "default", json!({ "domain": "DEFAULT", "concurrency_limit": limit })),
        ]
    };
    workspace.write_resources(resources(true, 321));
    workspace.apply().await;
    workspace.must_plan_nothing("after all were taken over").await;
    let state = workspace.state();
    assert_eq!(state[&format!("{ORGANIZATION}.o")]["reject_direct_send"], json!(true));
    assert_eq!(state[&format!("{DOMAIN}.d")]["domain_type"], json!("InternalRelay"));
    assert_eq!(state[&format!("{DOMAIN}.d")]["match_sub_domains"], json!(true));
    let after = world.stand_ins.snapshot();
    assert_eq!(after.0["OrganizationConfig"], before.0["OrganizationConfig"], "nothing was written");
    workspace.write_resources(resources(false, 322));
    workspace.apply().await;
    workspace.must_plan_nothing("after a change").await;
    // Somebody else changes what Terraform never wrote: it is not put back.
    exchange.put("AcceptedDomain", "contoso.com", &json!({ "MatchSubDomains": false })).expect("set");
    workspace.destroy().await;
    let domain = exchange.object("AcceptedDomain", "contoso.com").expect("is there");
    assert_eq!(domain["DomainType"], json!("InternalRelay"));
    assert_ne!(domain["MatchSubDomains"], json!(true), "what somebody else took away is not put back");
    exchange.put("AcceptedDomain", "contoso.com", &json!({ "MatchSubDomains": true })).expect("set");
    assert_eq!(world.stand_ins.snapshot(), before, "what was written is put back");
}

/// The rows of the gateway that are always there, each with one argument, and with a second value of it.
fn standing_rows(second: bool) -> Vec<(&'static str, &'static str, Json)> {
    let text = if second { "Not here" } else { "Not you" };
    let (limit, host, size) = if second { (322, "two.example", 222_222) } else { (321, "one.example", 111_111) };
    let ciphers = if second { "HIGH" } else { "HIGH:!aNULL" };
    vec![
        (DESTINATION, "d", json!({ "domain": "default", "concurrency_limit": limit })),
        (
            RECIPIENT,
            "r",
            json!({ "listener": "IncomingMail", "recipient": "ALL", "action": "reject", "smtp_response_code": 550, "smtp_response_text": text }),
        ),
        (
            RECIPIENT,
            "kept",
            json!({ "listener": "Second", "recipient": "all", "action": if second { "accept" } else { "reject" } }),
        ),
        (ROUTE, "all", json!({ "domain": "ALL", "destination": [{ "host": host }] })),
        (
            GROUP,
            "all",
            json!({ "listener": "IncomingMail", "name": "ALL", "policy": if second { "ACCEPTED" } else { "BLOCKED" } }),
        ),
        (DEFAULTS, "l", json!({ "listener": "IncomingMail", "max_message_size": size })),
        (TLS, "t", json!({ "outbound_ciphers": ciphers })),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_are_always_there_are_taken_over_and_given_back_argument_by_argument() {
    for route_by_hand in [false, true] {
        let world = World::start();
        let gateway = &world.stand_ins.gateway;
        gateway.edit(|configuration| {
            let mut second = configuration.listeners[0].clone();
            second.name = "Second".to_owned();
            second.port = 2525;
            let all = &mut second.rat.as_mut().expect("it is public").all;
            all.response =
                Some(mailflow::sandbox::gateway::tables::recipient::Response { code: 551, text: "by hand".to_owned() });
            configuration.listeners.push(second);
            configuration.listeners[0].hat.all_comment = "by hand".to_owned();
            if route_by_hand {
                let destinations = vec!["by-hand.example".to_owned(), "[other.example]:2525".to_owned()];
                let domain = "ALL".to_owned();
                configuration.smtp_routes.push(mailflow::sandbox::gateway::tables::route::SmtpRoute {
                    domain,
                    destinations,
                    authentication: None,
                });
            }
        });
        let before = world.stand_ins.snapshot();
        let workspace = world.workspace("rows").await;
        for second in [false, true] {
            workspace.write_resources(standing_rows(second));
            workspace.apply().await;
            workspace.must_plan_nothing("after they were taken over").await;
        }
        let state = workspace.state();
        assert_eq!(state[&format!("{RECIPIENT}.kept")]["smtp_response_text"], json!("by hand"), "left out, it stays");
        assert_eq!(state[&format!("{GROUP}.all")]["comment"], json!("by hand"));
        // Somebody else changes what Terraform never wrote: it is not put back.
        gateway.edit(|configuration| {
            configuration.tls_settings.outbound.method = "tlsv1.2".to_owned();
            configuration.destination_controls.default.messages_per_connection = 33;
        });
        workspace.destroy().await;
        let after = gateway.configuration();
        assert_eq!(after.tls_settings.outbound.method, "tlsv1.2");
        assert_eq!(after.destination_controls.default.messages_per_connection, 33);
        gateway.edit(|configuration| {
            let was = mailflow::sandbox::gateway::Configuration::new_gateway(mailflow::sandbox::gateway::Release::V15_5);
            configuration.tls_settings.outbound.method = was.tls_settings.outbound.method;
            configuration.destination_controls.default.messages_per_connection =
                was.destination_controls.default.messages_per_connection;
        });
        assert_eq!(world.stand_ins.snapshot(), before, "route by hand: {route_by_hand}");

        // Of what is imported nothing is given back, which the plan of destroy says.
        workspace.write_resources(standing_rows(false));
        let ids = [("r", RECIPIENT, "IncomingMail/ALL"), ("all", GROUP, "IncomingMail/ALL"), ("d", DESTINATION, "DEFAULT")];
        workspace.write_imports(&ids.iter().map(|(label, kind, id)| (format!("{kind}.{label}"), (*id).to_owned())).collect());
        workspace.apply().await;
        let planned = workspace.run(&["plan", "-destroy", "-no-color"]).await;
        assert_eq!(planned.stdout.matches("will be left as it is").count(), ids.len(), "{}", planned.stdout);
        std::fs::remove_file(workspace.folder.join("imports.tf")).expect("removed");
    }
}
