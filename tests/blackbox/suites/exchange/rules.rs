//! Transport rules, and their order.

use serde_json::{Value as Json, json};

use super::super::{Suite, Variant, optional, required};
use super::{id, put, remove};

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
        ("priority", "tests/blackbox/order.rs: the places of rules depend on each other"),
        ("before", "tests/blackbox/order.rs: it names another rule"),
        ("after", "tests/blackbox/exchange.rs: it names another rule"),
        ("actions.route_message_outbound_connector", "the guide: it needs a connector that is scoped"),
    ],
    delete: Some(|stand_ins, object| Box::pin(async move { remove(stand_ins, "TransportRule", object) })),
    change: Some(|stand_ins, object| {
        Box::pin(async move { put(stand_ins, "TransportRule", id(object), &json!({ "Mode": "Audit" })) })
    }),
};

/// Each condition: two values, and its other half.
fn predicates() -> Vec<(&'static str, Json, Json, Json)> {
    let none = || json!({});
    let people = (json!(["one@contoso.onmicrosoft.com"]), json!(["two@contoso.onmicrosoft.com", "one@contoso.onmicrosoft.com"]));
    let words = (json!(["one"]), json!(["two", "three words here"]));
    let plain = |name, (set, changed): (Json, Json)| (name, set, changed, none());
    let mut all = vec![
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
        plain("sender_management_relationship", (json!("Manager"), json!("DirectReport"))),
        plain(
            "sender_ad_attribute_contains_words",
            (json!(["City:Oslo,San Francisco"]), json!(["Department:Sales", "City:Rome"])),
        ),
        plain("sender_ad_attribute_matches_patterns", (json!(["City:^O"]), json!(["City:^O", "Title:^Dr"]))),
        plain("recipient_ad_attribute_contains_words", (json!(["City:Oslo"]), json!(["CustomAttribute15:Rome"]))),
        plain("recipient_ad_attribute_matches_patterns", (json!(["City:^O"]), json!(["City:^R"]))),
        plain("attachment_property_contains_words", (json!(["Department:Sales,Law"]), json!(["My property:One"]))),
        plain("has_classification", (json!("ExAttorneyClientPrivileged"), json!("ExCompanyInternal"))),
        plain("attachment_processing_limit_exceeded", (json!(true), json!(true))),
        plain("has_no_classification", (json!(true), json!(true))),
        ("ad_comparison_operator", json!("Equal"), json!("NotEqual"), json!({ "ad_comparison_attribute": "City" })),
        plain("ad_comparison_attribute", (json!("City"), json!("Department"))),
        ("manager_for_evaluated_user", json!("Sender"), json!("Recipient"), json!({ "manager_addresses": ["one@contoso.com"] })),
        (
            "manager_addresses",
            json!(["one@contoso.com"]),
            json!(["two@contoso.com"]),
            json!({ "manager_for_evaluated_user": "Sender" }),
        ),
        (
            "between_member_of_1",
            json!(["one@contoso.com"]),
            json!(["two@contoso.com"]),
            json!({ "between_member_of_2": ["x@contoso.com"] }),
        ),
        (
            "between_member_of_2",
            json!(["one@contoso.com"]),
            json!(["two@contoso.com"]),
            json!({ "between_member_of_1": ["x@contoso.com"] }),
        ),
    ];
    for name in [
        "any_of_to_header",
        "any_of_to_header_member_of",
        "any_of_cc_header",
        "any_of_cc_header_member_of",
        "any_of_to_cc_header",
        "any_of_to_cc_header_member_of",
    ] {
        all.push(plain(name, (json!(["one@contoso.com"]), json!(["two@contoso.com", "one@contoso.com"]))));
    }
    for name in [
        "from_address_matches_patterns",
        "sender_in_recipient_list",
        "recipient_in_sender_list",
        "recipient_address_matches_patterns",
        "any_of_recipient_address_contains_words",
        "any_of_recipient_address_matches_patterns",
        "content_character_set_contains_words",
        "attachment_contains_words",
        "attachment_matches_patterns",
        "attachment_name_matches_patterns",
    ] {
        all.push(plain(name, (json!(["one"]), json!(["two", "three"]))));
    }
    for name in ["attachment_has_executable_content", "attachment_is_password_protected", "attachment_is_unsupported"] {
        all.push(plain(name, (json!(true), json!(true))));
    }
    all
}

fn actions() -> Vec<Variant> {
    let people = (json!(["one@contoso.onmicrosoft.com"]), json!(["two@contoso.onmicrosoft.com"]));
    let truth = |name| optional(name, json!(true), json!(true));
    let scoped = |name: &'static str| optional(name, people.0.clone(), people.1.clone());
    vec![
        optional("actions.set_scl", json!(-1), json!(9))
            .with(json!({ "stop_rule_processing": true, "actions": { "prepend_subject": "X: " } })),
        optional("actions.set_header_name", json!("X-One"), json!("X-Two"))
            .while_set(json!({ "actions": { "set_header_value": "value" } })),
        optional("actions.set_header_value", json!("one"), json!("two"))
            .while_set(json!({ "actions": { "set_header_name": "X-One" } })),
        optional("actions.remove_header", json!("X-One"), json!("X-Two")),
        truth("actions.route_message_outbound_require_tls"),
        optional("actions.prepend_subject", json!("EXTERNAL: "), json!("OUTSIDE: ")),
        optional("actions.reject_message_reason_text", json!("No."), json!("Not here.")),
        optional("actions.reject_message_enhanced_status_code", json!("5.7.1"), json!("5.7.900")),
        truth("actions.delete_message"),
        truth("actions.quarantine"),
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
        optional("actions.add_manager_as_recipient_type", json!("Bcc"), json!("Redirect")),
        truth("actions.moderate_message_by_manager"),
        optional("actions.apply_classification", json!("ExAttorneyClientPrivileged"), json!("ExCompanyInternal")),
        optional("actions.apply_rights_protection_template", json!("Encrypt"), json!("Do Not Forward")),
        optional("actions.apply_rights_protection_customization_template", json!("One"), json!("Two"))
            .while_set(json!({ "actions": { "apply_rights_protection_template": "Encrypt" } })),
        truth("actions.remove_ome_v2"),
        truth("actions.remove_rms_attachment_encryption").while_set(json!({ "actions": { "remove_ome_v2": true } })),
        truth("actions.apply_ome"),
        truth("actions.remove_ome"),
        optional("actions.generate_incident_report", json!("one@contoso.com"), json!("two@contoso.com"))
            .while_set(json!({ "actions": { "incident_report_content": ["Sender"] } })),
        optional("actions.incident_report_content", json!(["Sender", "Subject"]), json!(["IdMatch"]))
            .while_set(json!({ "actions": { "generate_incident_report": "one@contoso.com" } })),
        optional("actions.generate_notification", json!("One."), json!("<p>Two: %%Subject%%</p>")),
    ]
}
