//! Connectors.

use serde_json::json;

use super::super::{Suite, optional, required};
use super::{id, put, remove};

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
            optional("skip_mx_check", json!(true), json!(false)),
            optional("comment", json!("set"), json!("changed")),
            optional("enabled", json!(false), json!(true)),
        ]
    },
    elsewhere: &[],
    delete: Some(|stand_ins, object| Box::pin(async move { remove(stand_ins, "InboundConnector", object) })),
    change: Some(|stand_ins, object| {
        Box::pin(async move { put(stand_ins, "InboundConnector", id(object), &json!({ "Comment": "by hand" })) })
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
            optional("validate", json!(true), json!(false))
                .while_set(json!({ "validation_recipients": ["postmaster@partner.example"] })),
            optional("validation_recipients", json!(["a@contoso.example"]), json!(["b@contoso.example", "c@contoso.example"])),
            optional("comment", json!("set"), json!("changed")),
            optional("enabled", json!(false), json!(true)),
        ]
    },
    elsewhere: &[],
    delete: Some(|stand_ins, object| Box::pin(async move { remove(stand_ins, "OutboundConnector", object) })),
    change: Some(|stand_ins, object| {
        Box::pin(async move { put(stand_ins, "OutboundConnector", id(object), &json!({ "Comment": "by hand" })) })
    }),
};
