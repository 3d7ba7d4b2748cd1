//! The resources of Exchange Online.

use mailflow::tool::sandbox::StandIns;
use serde_json::{Value as Json, json};

use super::{Suite, Variant, optional, required};

pub static INBOUND_CONNECTOR: Suite = Suite {
    resource: "mailflow_exchange_inbound_connector",
    single: false,
    base: |index| {
        json!({
            "name": format!("Inbound {index}"),
            "connector_type": "Partner",
            "sender_domains": [format!("partner{index}.example")],
        })
    },
    variants: || {
        let addresses = json!({ "sender_ip_addresses": ["203.0.113.7"] });
        vec![
            required("name", json!("Inbound, named"), json!("Inbound, renamed")),
            required("connector_type", json!("Partner"), json!("OnPremises")),
            required("sender_domains", json!(["*"]), json!(["contoso.example", "*.fabrikam.example"])),
            optional("sender_ip_addresses", json!(["203.0.113.10", "203.0.113.11"]), json!(["203.0.113.0/24", "203.0.114.9"])),
            optional("associated_accepted_domains", json!(["contoso.onmicrosoft.com"]), json!([])),
            optional("require_tls", json!(false), json!(true)),
            optional("restrict_domains_to_ip_addresses", json!(true), json!(false)).with(addresses),
            optional("restrict_domains_to_certificate", json!(true), json!(false))
                .with(json!({ "tls_sender_certificate_name": "mail.contoso.example" })),
            optional("tls_sender_certificate_name", json!("*.contoso.example"), json!("mail.fabrikam.example")),
            optional("cloud_services_mail_enabled", json!(true), json!(false)).with(json!({ "connector_type": "OnPremises" })),
            optional("treat_messages_as_internal", json!(true), json!(false)).with(json!({ "connector_type": "OnPremises" })),
            optional("trusted_organizations", json!(["fabrikam.onmicrosoft.com"]), json!(["contoso2.onmicrosoft.com"])),
            optional("ef_skip_last_ip", json!(true), json!(false)),
            optional("ef_skip_ips", json!(["198.51.100.7"]), json!(["198.51.100.0/24", "192.0.2.1-192.0.2.9"])),
            optional("ef_users", json!(["someone@contoso.onmicrosoft.com"]), json!(["other@contoso.onmicrosoft.com"])),
            optional("comment", json!("set"), json!("changed")),
            optional("enabled", json!(false), json!(true)),
        ]
    },
    elsewhere: &[],
    delete: Some(|stand_ins, object| Box::pin(async move { remove(stand_ins, "InboundConnector", object) })),
    change: Some(|stand_ins, object| {
        Box::pin(async move { put(stand_ins, "InboundConnector", object, &json!({ "Comment": "by hand" })) })
    }),
};

pub static OUTBOUND_CONNECTOR: Suite = Suite {
    resource: "mailflow_exchange_outbound_connector",
    single: false,
    base: |index| {
        json!({
            "name": format!("Outbound {index}"),
            "connector_type": "Partner",
            "recipient_domains": [format!("partner{index}.example")],
        })
    },
    variants: || {
        let own = json!({ "connector_type": "OnPremises" });
        vec![
            required("name", json!("Outbound, named"), json!("Outbound, renamed")),
            required("connector_type", json!("Partner"), json!("OnPremises")),
            optional("recipient_domains", json!(["contoso.example"]), json!(["*.fabrikam.example", "fabrikam.example"])),
            optional("use_mx_record", json!(false), json!(true)).with(json!({ "smart_hosts": ["203.0.113.20"] })),
            optional("smart_hosts", json!(["203.0.113.20"]), json!(["relay.contoso.example", "203.0.113.21"]))
                .while_set(json!({ "use_mx_record": false })),
            optional("tls_settings", json!("EncryptionOnly"), json!("CertificateValidation")),
            optional("tls_domain", json!("*.contoso.example"), json!("mail.fabrikam.example"))
                .while_set(json!({ "tls_settings": "DomainValidation" })),
            optional("is_transport_rule_scoped", json!(true), json!(false)),
            optional("route_all_messages_via_on_premises", json!(true), json!(false)).with(own.clone()),
            optional("all_accepted_domains", json!(true), json!(false)).with(own.clone()),
            optional("sender_rewriting_enabled", json!(true), json!(false)).with(own.clone()),
            optional("cloud_services_mail_enabled", json!(true), json!(false)).with(own),
            optional("mta_sts_mode", json!("None"), json!("Opportunistic")),
            optional("smtp_dane_mode", json!("Mandatory"), json!("None")),
            optional("test_mode", json!(true), json!(false)),
            optional("validation_recipients", json!(["a@contoso.example"]), json!(["b@contoso.example", "c@contoso.example"])),
            optional("comment", json!("set"), json!("changed")),
            optional("enabled", json!(false), json!(true)),
        ]
    },
    elsewhere: &[],
    delete: Some(|stand_ins, object| Box::pin(async move { remove(stand_ins, "OutboundConnector", object) })),
    change: Some(|stand_ins, object| {
        Box::pin(async move { put(stand_ins, "OutboundConnector", object, &json!({ "Comment": "by hand" })) })
    }),
};

pub static TRANSPORT_RULE: Suite = Suite {
    resource: "mailflow_exchange_transport_rule",
    single: false,
    base: |index| {
        json!({
            "name": format!("Rule {index}"),
            "conditions": { "sender_domain_is": [format!("partner{index}.example")] },
            "actions": { "set_scl": 1 },
        })
    },
    variants: || {
        let mut all = vec![
            required("name", json!("Rule, named"), json!("Rule, renamed")),
            optional("comments", json!("set"), json!("changed")),
            optional("enabled", json!(false), json!(true)),
            optional("mode", json!("Audit"), json!("AuditAndNotify")),
            optional("rule_error_action", json!("Defer"), json!("Ignore")),
            optional("sender_address_location", json!("Envelope"), json!("HeaderOrEnvelope")),
            optional("recipient_address_type", json!("Original"), json!("Resolved")),
            optional("activation_date", json!("2030-01-01T08:00:00Z"), json!("2030-02-01T09:30:00+01:00")),
            optional("expiry_date", json!("2031-01-01T08:00:00Z"), json!("2031-02-01T08:00:00Z")),
            optional("stop_rule_processing", json!(true), json!(false)),
        ];
        for group in ["conditions", "exceptions"] {
            all.extend(predicates().into_iter().map(|(name, set, changed, with)| {
                let dotted: &'static str = Box::leak(format!("{group}.{name}").into_boxed_str());
                optional(dotted, set, changed).while_set(json!({ group: with }))
            }));
        }
        all.extend(actions());
        all
    },
    elsewhere: &[
        ("priority", "tests/order.rs: the places of rules depend on each other"),
        ("before", "tests/order.rs: it names another rule"),
        ("actions.route_message_outbound_connector", "the guide: it needs a connector that is scoped"),
    ],
    delete: Some(|stand_ins, object| Box::pin(async move { remove(stand_ins, "TransportRule", object) })),
    change: Some(|stand_ins, object| {
        Box::pin(async move { put(stand_ins, "TransportRule", object, &json!({ "Mode": "Audit" })) })
    }),
};

/// Each condition: two values, and its other half.
fn predicates() -> Vec<(&'static str, Json, Json, Json)> {
    let none = || json!({});
    let people = (json!(["one@contoso.onmicrosoft.com"]), json!(["two@contoso.onmicrosoft.com", "one@contoso.onmicrosoft.com"]));
    let words = (json!(["one"]), json!(["two", "three words here"]));
    let plain = |name, (set, changed): (Json, Json)| (name, set, changed, none());
    vec![
        plain("from", people.clone()),
        plain("from_member_of", people.clone()),
        plain("from_scope", (json!("InOrganization"), json!("NotInOrganization"))),
        plain("from_address_contains_words", words.clone()),
        plain("sender_domain_is", (json!(["a.example"]), json!(["b.example", "c.example"]))),
        plain("sender_ip_ranges", (json!(["203.0.113.10"]), json!(["203.0.113.0/24", "198.51.100.1-198.51.100.9"]))),
        plain("sent_to", people.clone()),
        plain("sent_to_member_of", people),
        plain("sent_to_scope", (json!("NotInOrganization"), json!("InOrganization"))),
        plain("recipient_address_contains_words", words.clone()),
        plain("recipient_domain_is", (json!(["a.example"]), json!(["b.example"]))),
        plain("subject_contains_words", words.clone()),
        plain("subject_matches_patterns", words.clone()),
        plain("subject_or_body_contains_words", words.clone()),
        plain("subject_or_body_matches_patterns", words.clone()),
        ("header_contains_message_header", json!("X-One"), json!("X-Two"), json!({ "header_contains_words": ["word"] })),
        ("header_contains_words", words.0.clone(), words.1.clone(), json!({ "header_contains_message_header": "X-One" })),
        ("header_matches_message_header", json!("X-One"), json!("X-Two"), json!({ "header_matches_patterns": ["^word$"] })),
        ("header_matches_patterns", words.0.clone(), words.1.clone(), json!({ "header_matches_message_header": "X-One" })),
        plain("attachment_extension_matches_words", (json!(["exe"]), json!(["com", "bat"]))),
        plain("attachment_size_over", (json!("10 MB"), json!("20971520"))),
        plain("message_size_over", (json!("10MB"), json!("5 KB"))),
        plain("message_type_matches", (json!("AutoForward"), json!("OOF"))),
        plain("scl_over", (json!(5), json!(-1))),
        plain("with_importance", (json!("High"), json!("Low"))),
    ]
    .into_iter()
    .chain(
        ["attachment_has_executable_content", "attachment_is_password_protected", "attachment_is_unsupported"]
            .map(|name| (name, json!(true), json!(true), none())),
    )
    .collect()
}

fn actions() -> Vec<Variant> {
    let people = (json!(["one@contoso.onmicrosoft.com"]), json!(["two@contoso.onmicrosoft.com"]));
    let scoped = |name: &'static str| optional(name, people.0.clone(), people.1.clone());
    vec![
        optional("actions.set_scl", json!(-1), json!(9))
            .with(json!({ "stop_rule_processing": true, "actions": { "prepend_subject": "X: " } })),
        optional("actions.set_header_name", json!("X-One"), json!("X-Two"))
            .while_set(json!({ "actions": { "set_header_value": "value" } })),
        optional("actions.set_header_value", json!("one"), json!("two"))
            .while_set(json!({ "actions": { "set_header_name": "X-One" } })),
        optional("actions.remove_header", json!("X-One"), json!("X-Two")),
        optional("actions.route_message_outbound_require_tls", json!(true), json!(true)),
        optional("actions.prepend_subject", json!("EXTERNAL: "), json!("OUTSIDE: ")),
        optional("actions.reject_message_reason_text", json!("No."), json!("Not here.")),
        optional("actions.reject_message_enhanced_status_code", json!("5.7.1"), json!("5.7.900")),
        optional("actions.delete_message", json!(true), json!(true)),
        optional("actions.quarantine", json!(true), json!(true)),
        scoped("actions.redirect_message_to"),
        scoped("actions.blind_copy_to"),
        scoped("actions.copy_to"),
        scoped("actions.add_to_recipients"),
        scoped("actions.moderate_message_by_user"),
        optional("actions.apply_html_disclaimer_text", json!("<p>one</p>"), json!("<p>two</p>")),
        optional("actions.apply_html_disclaimer_location", json!("Append"), json!("Prepend"))
            .while_set(json!({ "actions": { "apply_html_disclaimer_text": "<p>text</p>" } })),
        optional("actions.apply_html_disclaimer_fallback_action", json!("Ignore"), json!("Reject"))
            .while_set(json!({ "actions": { "apply_html_disclaimer_text": "<p>text</p>" } })),
        optional("actions.set_audit_severity", json!("Low"), json!("High")),
    ]
}

fn id(object: &Json) -> &str {
    object["id"].as_str().expect("an object has an id")
}

fn remove(stand_ins: &StandIns, noun: &str, object: &Json) {
    assert!(stand_ins.exchange.remove(noun, id(object)).expect("the noun is known"), "the object was there");
}

fn put(stand_ins: &StandIns, noun: &str, object: &Json, change: &Json) {
    stand_ins.exchange.put(noun, id(object), change).expect("changed");
}
