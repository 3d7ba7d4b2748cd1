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
