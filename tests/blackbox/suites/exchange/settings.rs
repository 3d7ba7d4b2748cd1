//! Settings around mail flow.

use serde_json::json;

use super::super::{Suite, optional, required};
use super::{id, put, remove};

pub static REMOTE_DOMAIN: Suite = Suite {
    resource: "mailflow_exchange_remote_domain",
    single: false,
    base: |index| json!({ "name": format!("Remote {index}"), "domain_name": format!("remote{index}.example") }),
    variants: || {
        vec![
            required("name", json!("Remote, named"), json!("Remote, renamed")),
            required("domain_name", json!("one.example"), json!("*.two.example")),
            optional("allowed_oof_type", json!("None"), json!("ExternalLegacy")),
            optional("auto_forward_enabled", json!(false), json!(true)),
            optional("auto_reply_enabled", json!(false), json!(true)),
            optional("delivery_report_enabled", json!(false), json!(true)),
            optional("ndr_enabled", json!(false), json!(true)),
            optional("meeting_forward_notification_enabled", json!(false), json!(true)),
            optional("is_internal", json!(true), json!(false)),
            optional("target_delivery_domain", json!(true), json!(false)),
            optional("trusted_mail_inbound_enabled", json!(true), json!(false)),
            optional("trusted_mail_outbound_enabled", json!(true), json!(false)),
            optional("display_sender_name", json!(false), json!(true)),
            optional("use_simple_display_name", json!(true), json!(false)),
            optional("content_type", json!("MimeText"), json!("MimeHtml")),
            optional("tnef_enabled", json!(false), json!(true)),
            optional("character_set", json!("utf-8"), json!("iso-8859-15")),
            optional("non_mime_character_set", json!("windows-1252"), json!("utf-8")),
            optional("byte_encoder_type_for_7bit_charsets", json!("UseQP"), json!("UseBase64")),
            optional("preferred_internet_code_page_for_shift_jis", json!("50220"), json!("50222")),
            optional("required_charset_coverage", json!(60), json!(100)),
            optional("line_wrap_size", json!("72"), json!("unlimited")),
        ]
    },
    elsewhere: &[],
    delete: Some(|stand_ins, object| Box::pin(async move { remove(stand_ins, "RemoteDomain", object) })),
    change: Some(|stand_ins, object| {
        Box::pin(async move { put(stand_ins, "RemoteDomain", id(object), &json!({ "NDREnabled": false })) })
    }),
};

pub static ACCEPTED_DOMAIN: Suite = Suite {
    resource: "mailflow_exchange_accepted_domain",
    single: true,
    base: |_| json!({ "domain": "example.net" }),
    variants: || {
        vec![
            optional("domain_type", json!("InternalRelay"), json!("Authoritative")),
            optional("outbound_only", json!(true), json!(false)),
            optional("sending_from_domain_disabled", json!(true), json!(false)),
            optional("sending_to_domain_disabled", json!(true), json!(false)),
        ]
    },
    elsewhere: &[
        ("domain", "tests/blackbox/exchange.rs: domains come and go elsewhere"),
        ("match_sub_domains", "tests/blackbox/exchange.rs: for one value of `domain_type` only"),
    ],
    delete: None,
    change: Some(|stand_ins, object| {
        Box::pin(async move { put(stand_ins, "AcceptedDomain", id(object), &json!({ "OutboundOnly": true })) })
    }),
};

pub static CONNECTION_FILTER: Suite = Suite {
    resource: "mailflow_exchange_connection_filter",
    single: true,
    base: |_| json!({}),
    variants: || {
        vec![
            optional("ip_allow_list", json!(["203.0.113.10"]), json!(["203.0.113.0/25", "192.0.2.1-192.0.2.20"])),
            optional("ip_block_list", json!(["198.51.100.0/24", "198.51.101.7"]), json!(["198.51.102.1"])),
            optional("enable_safe_list", json!(true), json!(false)),
            optional("admin_display_name", json!("set"), json!("changed")),
        ]
    },
    elsewhere: &[],
    delete: None,
    change: Some(|stand_ins, _| {
        Box::pin(async move {
            put(stand_ins, "HostedConnectionFilterPolicy", "Default", &json!({ "IPAllowList": ["192.0.2.99"] }));
        })
    }),
};

pub static ARC_CONFIG: Suite = Suite {
    resource: "mailflow_exchange_arc_config",
    single: true,
    base: |_| json!({}),
    variants: || vec![optional("arc_trusted_sealers", json!(["b.example", "a.example"]), json!(["a.example"]))],
    elsewhere: &[],
    delete: None,
    change: Some(|stand_ins, _| {
        Box::pin(async move { put(stand_ins, "ArcConfig", "Default", &json!({ "ArcTrustedSealers": ["x.example"] })) })
    }),
};

pub static ORGANIZATION_MAIL_FLOW: Suite = Suite {
    resource: "mailflow_exchange_organization_mail_flow",
    single: true,
    base: |_| json!({}),
    variants: || {
        vec![
            optional("reject_direct_send", json!(true), json!(false)),
            optional("send_from_alias_enabled", json!(true), json!(false)),
            optional("disable_plus_address_in_recipients", json!(true), json!(false)),
        ]
    },
    elsewhere: &[],
    delete: None,
    change: Some(|stand_ins, _| {
        Box::pin(async move {
            put(stand_ins, "OrganizationConfig", "contoso.onmicrosoft.com", &json!({ "RejectDirectSend": true }));
        })
    }),
};
