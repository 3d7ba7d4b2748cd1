//! The resources of the gateway.

use mailflow::tool::sandbox::StandIns;
use serde_json::{Value as Json, json};

use super::{Suite, optional, required};

pub static DESTINATION_CONTROL: Suite = Suite {
    resource: "mailflow_gateway_destination_control",
    single: false,
    base: |index| json!({ "domain": format!("d{index}.example") }),
    variants: || {
        vec![
            optional("concurrency_limit", json!(10), json!(20)),
            optional("max_messages_per_connection", json!(20), json!(30)),
            optional("recipient_limit", json!(1000), json!(2000)),
            optional("recipient_limit_minutes", json!(30), json!(45)).with(json!({ "recipient_limit": 1000 })),
            optional("concurrency_limit_type", json!("MXIP"), json!("host"))
                .with(json!({ "concurrency_limit": 10, "concurrency_limit_apply": "system" }))
                .stays(),
            optional("concurrency_limit_apply", json!("VG"), json!("system"))
                .with(json!({ "concurrency_limit": 10, "concurrency_limit_type": "host" }))
                .stays(),
            optional("tls", json!("preferred"), json!("required_verify")),
            optional("bounce_verification", json!("on"), json!("off")),
            optional("ip_sort_preference", json!("prefer_v4"), json!("require_v6")).stays(),
            optional("dane", json!("opportunistic"), json!("mandatory")).with(json!({ "tls": "preferred" })).stays(),
        ]
    },
    elsewhere: &[("domain", "it is the key"), ("bounce_profile", "tests/blackbox/order.rs: a profile must be there")],
    delete: Some(|stand_ins, object| Box::pin(async move { delete(stand_ins, "destinations", object) })),
    change: Some(|stand_ins, object| Box::pin(async move { change(stand_ins, "destinations", object) })),
};

pub static RECIPIENT_ACCESS: Suite = Suite {
    resource: "mailflow_gateway_recipient_access",
    single: false,
    base: |index| json!({ "listener": "IncomingMail", "recipient": format!("r{index}.example"), "action": "accept" }),
    variants: || {
        vec![
            required("action", json!("accept"), json!("reject")),
            optional("smtp_response_code", json!(550), json!(551)).while_set(json!({ "smtp_response_text": "No such user" })),
            optional("smtp_response_text", json!("Not here"), json!("Gone away")).while_set(json!({ "smtp_response_code": 550 })),
            optional("bypass_ldap_accept", json!(true), json!(false)),
            optional("bypass_receiving_control", json!(true), json!(false)),
            optional("bypass_smtp_call_ahead", json!(true), json!(false)),
        ]
    },
    elsewhere: &[("listener", "it is part of the key"), ("recipient", "it is part of the key")],
    delete: Some(|stand_ins, object| Box::pin(async move { delete(stand_ins, "recipients", object) })),
    change: Some(|stand_ins, object| Box::pin(async move { change(stand_ins, "recipients", object) })),
};

pub static SMTP_ROUTE: Suite = Suite {
    resource: "mailflow_gateway_smtp_route",
    single: false,
    base: |index| json!({ "domain": format!("s{index}.example"), "destination": [{ "host": "mx.s.example" }] }),
    variants: || {
        vec![
            required(
                "destination",
                json!([{ "host": "one.example" }]),
                json!([{ "host": "two.example" }, { "host": "[three.example]" }]),
            ),
            required(
                "destination",
                json!([{ "host": "one.example", "port": 2525 }]),
                json!([{ "host": "one.example", "port": 25, "priority": 10 }, { "host": "two.example", "priority": 20 }]),
            ),
            required("destination", json!([{ "host": "USEDNS" }]), json!([{ "host": "/dev/null" }])),
            required("destination", json!([{ "host": "203.0.113.9" }]), json!([{ "host": "one.example" }])),
        ]
    },
    elsewhere: &[
        ("domain", "it is the key"),
        ("smtp_auth_profile", "src/gateway/resources/tests.rs: the stand-in's table of routes does not print it"),
    ],
    delete: Some(|stand_ins, object| Box::pin(async move { delete(stand_ins, "routes", object) })),
    change: Some(|stand_ins, object| Box::pin(async move { change(stand_ins, "routes", object) })),
};

pub static MAIL_FLOW_POLICY: Suite = Suite {
    resource: "mailflow_gateway_mail_flow_policy",
    single: false,
    base: |index| json!({ "listener": "OutgoingMail", "name": format!("POLICY_{index}"), "behavior": "relay" }),
    variants: || {
        vec![
            required("behavior", json!("relay"), json!("accept")),
            optional("tls", json!("preferred"), json!("required")),
            optional("max_message_size", json!(1_048_576), json!(2_097_152)),
            optional("max_concurrency", json!(10), json!(20)),
            optional("max_msgs_per_session", json!(10), json!(20)),
            optional("max_rcpts_per_msg", json!(10), json!(20)),
            optional("max_rcpts_per_hour", json!(100), json!(-1)),
            optional("dhap_limit", json!(10), json!(0)),
            optional("spam_check", json!(false), json!(true)),
            optional("virus_check", json!(false), json!(true)),
            optional("use_sb", json!(false), json!(true)),
            optional("max_rcpts_per_hour_code", json!(450), json!(452))
                .with(json!({ "max_rcpts_per_hour": 100 }))
                .while_set(json!({ "max_rcpts_per_hour_text": "Slow down" })),
            optional("max_rcpts_per_hour_text", json!("Too many"), json!("Far too \"many\""))
                .with(json!({ "max_rcpts_per_hour": 100 }))
                .while_set(json!({ "max_rcpts_per_hour_code": 452 })),
            optional("smtp_banner_code", json!(220), json!(221)).while_set(json!({ "smtp_banner_text": "Hello" })),
            optional("smtp_banner_text", json!("Hello"), json!("Good day")).while_set(json!({ "smtp_banner_code": 220 })),
            optional("reject_banner_code", json!(554), json!(550)).while_set(json!({ "reject_banner_text": "No" })),
            optional("reject_banner_text", json!("No"), json!("Not here")).while_set(json!({ "reject_banner_code": 554 })),
            optional("override_hostname", json!("one.example"), json!("two.example")),
            optional("sig_bits", json!(24), json!(16)).with(json!({ "use_sb": false })),
            optional("smtpauth_allow", json!("preferred"), json!("required")),
            optional("smtpauth_requiretls", json!(true), json!(false)).with(json!({ "smtpauth_allow": "preferred" })),
            optional("dkim_signing", json!(true), json!(false)),
            optional("dkim_verification", json!(true), json!(false)),
            optional("spf_verification", json!(true), json!(false)),
            optional("dmarc_verification", json!(true), json!(false)),
            optional("sender_verification", json!(true), json!(false)),
            optional("domain_exception_table", json!(true), json!(false)),
            optional("accept_untagged_bounces", json!(true), json!(false)),
        ]
    },
    elsewhere: &[("listener", "it is part of the key"), ("name", "it is part of the key")],
    delete: Some(|stand_ins, object| Box::pin(async move { delete(stand_ins, "policies", object) })),
    change: Some(|stand_ins, object| Box::pin(async move { change(stand_ins, "policies", object) })),
};

const NOT_PRINTED: &str = "tests/blackbox/listener_defaults.rs: the gateway does not print it";

pub static LISTENER_DEFAULTS: Suite = Suite {
    resource: "mailflow_gateway_listener_defaults",
    single: true,
    base: |_| json!({ "listener": "IncomingMail" }),
    variants: || {
        [
            ("tls", json!("preferred"), json!("required")),
            ("max_message_size", json!(1_048_576), json!(2_097_153)),
            ("max_concurrency", json!(20), json!(30)),
            ("max_msgs_per_session", json!(20), json!(30)),
            ("max_rcpts_per_msg", json!(20), json!(30)),
            ("dhap_limit", json!(0), json!(10)),
            ("max_rcpts_per_hour", json!(100), json!(200)),
            ("use_sb", json!(false), json!(true)),
            ("spam_check", json!(false), json!(true)),
            ("virus_check", json!(false), json!(true)),
            ("smtpauth_allow", json!("preferred"), json!("required")),
            ("smtpauth_requiretls", json!(true), json!(false)),
            ("dkim_signing", json!(true), json!(false)),
            ("dkim_verification", json!(true), json!(false)),
            ("spf_verification", json!(true), json!(false)),
            ("dmarc_verification", json!(true), json!(false)),
            ("sender_verification", json!(true), json!(false)),
            ("domain_exception_table", json!(true), json!(false)),
            ("accept_untagged_bounces", json!(true), json!(false)),
        ]
        .into_iter()
        .map(|(name, set, changed)| optional(name, set, changed).stays())
        .collect()
    },
    elsewhere: &[
        ("listener", "it is the key"),
        ("max_rcpts_per_hour_code", NOT_PRINTED),
        ("max_rcpts_per_hour_text", NOT_PRINTED),
        ("smtp_banner_code", NOT_PRINTED),
        ("smtp_banner_text", NOT_PRINTED),
        ("reject_banner_code", NOT_PRINTED),
        ("reject_banner_text", NOT_PRINTED),
        ("override_hostname", NOT_PRINTED),
        ("sig_bits", NOT_PRINTED),
    ],
    delete: None,
    // In the last step nothing is managed any more, so nothing can drift.
    change: None,
};

pub static SENDER_GROUP: Suite = Suite {
    resource: "mailflow_gateway_sender_group",
    single: false,
    base: |index| json!({ "listener": "OutgoingMail", "name": format!("GROUP_{index}"), "policy": "RELAYED", "senders": [format!(".g{index}.example")] }),
    variants: || {
        vec![
            required("policy", json!("RELAYED"), json!("BLOCKED")),
            optional("comment", json!("set"), json!("changed (by hand)")),
            optional(
                "senders",
                json!([".one.example", "203.0.113.0/24"]),
                json!([".two.example", "192.0.2.", "198.51.100.1-20"]),
            ),
        ]
    },
    elsewhere: &[
        ("listener", "it is part of the key"),
        ("name", "tests/blackbox/places.rs: it is part of the key, and is changed in place"),
        ("before", "tests/blackbox/order.rs: the places of groups depend on each other"),
        ("guarded_by", "tests/blackbox/relay.rs: it names a filter that guards the group"),
        ("open_relay_reason", "tests/blackbox/relay.rs: it counts where a group relays for everybody"),
    ],
    delete: Some(|stand_ins, object| Box::pin(async move { delete(stand_ins, "groups", object) })),
    change: Some(|stand_ins, object| Box::pin(async move { change(stand_ins, "groups", object) })),
};

pub static MESSAGE_FILTER: Suite = Suite {
    resource: "mailflow_gateway_message_filter",
    single: false,
    base: |index| json!({ "name": format!("filter_{index}"), "script": "if (true) { skip-filters(); }" }),
    variants: || {
        vec![
            required(
                "script",
                json!("if (header('X-One') == '^one$') { drop(); }"),
                json!("if sendergroup == \"RELAYLIST\" {\n  strip-header(\"X-One\"); # the old one\n} else {\n  drop();\n}"),
            ),
            optional("active", json!(false), json!(true)),
        ]
    },
    elsewhere: &[
        ("name", "tests/blackbox/places.rs: it is the key, and is changed in place"),
        ("before", "tests/blackbox/order.rs: the places of filters depend on each other"),
    ],
    delete: Some(|stand_ins, object| Box::pin(async move { delete(stand_ins, "filters", object) })),
    change: Some(|stand_ins, object| Box::pin(async move { change(stand_ins, "filters", object) })),
};

pub static TLS_SETTINGS: Suite = Suite {
    resource: "mailflow_gateway_tls_settings",
    single: true,
    base: |_| json!({}),
    variants: || {
        vec![
            optional("inbound_methods", json!(["TLSv1.2"]), json!(["TLSv1.1", "TLSv1.2"])).stays(),
            optional("inbound_ciphers", json!("HIGH:!aNULL"), json!("HIGH:MEDIUM:!aNULL")).stays(),
            optional("outbound_methods", json!(["TLSv1.2"]), json!(["TLSv1.1", "TLSv1.2"])).stays(),
            optional("outbound_ciphers", json!("HIGH:!aNULL"), json!("HIGH:MEDIUM:!aNULL")).stays(),
        ]
    },
    elsewhere: &[],
    delete: None,
    // In the last step nothing is managed any more, so nothing can drift.
    change: None,
};

fn text<'j>(object: &'j Json, name: &str) -> &'j str {
    object[name].as_str().unwrap_or_else(|| panic!("{name} is a text: {object}"))
}

/// Takes the object away at the gateway, as another administrator would.
fn delete(stand_ins: &StandIns, table: &str, object: &Json) {
    let before = stand_ins.gateway.snapshot();
    stand_ins.gateway.edit(|configuration| {
        let listener = object["listener"].as_str();
        let on = |name: &str| listener == Some(name);
        match table {
            "destinations" => configuration.destination_controls.entries.retain(|entry| entry.domain != text(object, "domain")),
            "routes" => configuration.smtp_routes.retain(|route| route.domain != text(object, "domain")),
            "filters" => configuration.filters.retain(|filter| filter.name != text(object, "name")),
            _ => {
                for listener in configuration.listeners.iter_mut().filter(|listener| on(&listener.name)) {
                    match table {
                        "recipients" => {
                            if let Some(rat) = &mut listener.rat {
                                rat.entries.retain(|entry| entry.address != text(object, "recipient"));
                            }
                        }
                        "policies" => listener.hat.policies.retain(|policy| policy.name != text(object, "name")),
                        "groups" => listener.hat.groups.retain(|group| group.name != text(object, "name")),
                        other => panic!("no table {other}"),
                    }
                }
            }
        }
    });
    assert_ne!(stand_ins.gateway.snapshot(), before, "the object was there: {object}");
}

/// Changes the object at the gateway, as another administrator would.
fn change(stand_ins: &StandIns, table: &str, object: &Json) {
    let before = stand_ins.gateway.snapshot();
    stand_ins.gateway.edit(|configuration| {
        let listener = object["listener"].as_str();
        let on = |name: &str| listener == Some(name);
        match table {
            "destinations" => {
                for entry in
                    configuration.destination_controls.entries.iter_mut().filter(|entry| entry.domain == text(object, "domain"))
                {
                    entry.concurrency = Some(77);
                }
            }
            "routes" => {
                for route in configuration.smtp_routes.iter_mut().filter(|route| route.domain == text(object, "domain")) {
                    route.destinations = vec!["by-hand.example".to_owned()];
                }
            }
            "filters" => {
                for filter in configuration.filters.iter_mut().filter(|filter| filter.name == text(object, "name")) {
                    filter.active = !filter.active;
                }
            }
            _ => {
                for listener in configuration.listeners.iter_mut().filter(|listener| on(&listener.name)) {
                    match table {
                        "recipients" => {
                            for entry in listener.rat.iter_mut().flat_map(|rat| &mut rat.entries) {
                                if entry.address == text(object, "recipient") {
                                    entry.treatment.bypass_ldap_accept = !entry.treatment.bypass_ldap_accept;
                                }
                            }
                        }
                        "policies" => {
                            for policy in listener.hat.policies.iter_mut().filter(|policy| policy.name == text(object, "name")) {
                                policy.behavior = mailflow::sandbox::gateway::Behavior::Reject;
                            }
                        }
                        "groups" => {
                            for group in listener.hat.groups.iter_mut().filter(|group| group.name == text(object, "name")) {
                                group.senders.push(".by-hand.example".to_owned());
                            }
                        }
                        other => panic!("no table {other}"),
                    }
                }
            }
        }
    });
    assert_ne!(stand_ins.gateway.snapshot(), before, "the object was there: {object}");
}
