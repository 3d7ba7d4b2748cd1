//! What `docs/guides/getting-started.md` promises about `examples/guide`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::support::{Workspace, World};
use serde_json::Value as Json;

const FILTER: &str = "mailflow_gateway_message_filter.office365_outbound";
const RULE: &str = "mailflow_exchange_transport_rule.outbound";

/// Writes the guide's values with these secrets.
fn set(workspace: &Workspace<'_>, stamped: &str, accepted: &[&str]) {
    let values = serde_json::json!({
        "domain": "example.com",
        "gateway_inbound_addresses": ["203.0.113.10"],
        "gateway_outbound_hosts": ["203.0.113.20"],
        "test_recipient": "postmaster@example.net",
        "mx_moved": true,
        "relay_secret": stamped,
        "other_relay_secrets": accepted,
    });
    fs::write(workspace.folder.join("terraform.tfvars.json"), values.to_string()).expect("written");
}

/// Ends the test unless the filter accepts what the rule stamps.
fn mail_flows(state: &BTreeMap<String, Json>) {
    let stamped = state[RULE]["actions"]["set_header_value"].as_str().expect("a secret");
    let script = state[FILTER]["script"].as_str().expect("a script");
    assert!(script.contains(stamped), "the filter does not accept what the rule stamps: {script}");
    assert_eq!(state[FILTER]["active"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g28_the_secret_changes_step_by_step_and_the_filter_always_accepts_what_the_rule_stamps() {
    let (old, new) = ("oldsecret1", "newsecret2");
    let world = World::start();
    let workspace = world.workspace("guide").await;
    // The workspace brings the provider's own blocks.
    for file in ["variables.tf", "inbound.tf", "outbound.tf"] {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/guide").join(file);
        fs::copy(from, workspace.folder.join(file)).expect("copied");
    }
    set(&workspace, old, &[]);
    workspace.apply().await;
    mail_flows(&workspace.state());

    let steps: [(&str, &[&str], &[&str]); 3] = [(old, &[new], &[FILTER]), (new, &[old], &[FILTER, RULE]), (new, &[], &[FILTER])];
    for (stamped, accepted, changed) in steps {
        set(&workspace, stamped, accepted);
        let planned = workspace.plan().await;
        let mut wanted: Vec<(String, String)> =
            changed.iter().map(|address| ((*address).to_owned(), "update".to_owned())).collect();
        wanted.sort();
        assert_eq!(planned.into_iter().collect::<Vec<_>>(), wanted);
        workspace.apply().await;
        mail_flows(&workspace.state());
    }
    let script = workspace.state()[FILTER]["script"].as_str().unwrap_or_default().to_owned();
    assert!(script.contains(new) && !script.contains(old), "{script}");
    workspace.must_plan_nothing("after the last step").await;
}
