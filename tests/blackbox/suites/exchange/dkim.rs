//! Keys that sign mail. The domains are below `onmicrosoft.com`, whose records Microsoft publishes, so that no DNS server is asked for them.

use serde_json::json;

use super::super::{Suite, optional, required};
use super::{id, put, remove};

const NOUN: &str = "DkimSigningConfig";

pub static DKIM_SIGNING_CONFIG: Suite = Suite {
    resource: "mailflow_exchange_dkim_signing_config",
    single: false,
    base: |index| json!({ "domain": format!("keys{index}.contoso.onmicrosoft.com") }),
    variants: || {
        vec![
            required("domain", json!("one.contoso.onmicrosoft.com"), json!("Two.contoso.onmicrosoft.com")),
            optional("header_canonicalization", json!("Simple"), json!("Relaxed")),
            optional("body_canonicalization", json!("Simple"), json!("Relaxed")),
            optional("admin_display_name", json!("set"), json!("changed")),
        ]
    },
    elsewhere: &[
        ("key_size", "tests/blackbox/dkim.rs: a change rotates, which needs signing to be enabled and takes four days"),
        ("rotate_version", "tests/blackbox/dkim.rs: the same"),
    ],
    delete: Some(|stand_ins, object| Box::pin(async move { remove(stand_ins, NOUN, object) })),
    change: Some(|stand_ins, object| {
        Box::pin(async move { put(stand_ins, NOUN, id(object), &json!({ "BodyCanonicalization": "Simple" })) })
    }),
};
