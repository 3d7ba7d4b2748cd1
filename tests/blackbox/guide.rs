//! What `docs/guides/getting-started.md` promises about `examples/guide`.

use std::fs;
use std::path::Path;

use crate::support::{Must as _, Workspace, World};

const FILTER: &str = "mailflow_gateway_message_filter.office365_outbound";
const RULE: &str = "mailflow_exchange_transport_rule.outbound";
const SECRETS: [&str; 2] = ["oldsecret1", "newsecret2"];

/// Writes the guide's values with these secrets, which Terraform sends again when their version is another.
fn set(workspace: &Workspace<'_>, version: u32, stamped: &str, accepted: &[&str]) {
    let values = serde_json::json!({
        "domain": "example.com",
        "gateway_inbound_addresses": ["203.0.113.10"],
        "gateway_outbound_hosts": ["203.0.113.20"],
        "test_recipient": "postmaster@example.net",
        "mx_moved": true,
        "relay_secret": stamped,
        "other_relay_secrets": accepted,
        "relay_secret_version": version,
    });
    fs::write(workspace.folder.join("terraform.tfvars.json"), values.to_string()).expect("written");
}

/// The text of the filter, after the test that it accepts what the rule stamps. RN14: the state has neither.
fn filter_that_lets_mail_flow(world: &World, workspace: &Workspace<'_>) -> String {
    let rule = world.stand_ins.exchange.object("TransportRule", "Outbound to Cisco CES").expect("the rule");
    let stamped = rule["SetHeaderValue"].as_str().expect("a secret");
    let filters = world.stand_ins.gateway.configuration().filters;
    let filter = filters.iter().find(|filter| filter.name == "office365_outbound").expect("the filter");
    assert!(filter.active && filter.body.contains(stamped), "the filter does not accept what the rule stamps: {}", filter.body);
    let state = workspace.state_text();
    for secret in SECRETS {
        assert!(!state.contains(secret), "{secret} is in the state");
    }
    assert!(workspace.state()[FILTER]["masked_script"].as_str().is_some_and(|text| text.contains("(sensitive)")));
    filter.body.clone()
}

/// RN10: the warning does not ask for what the page warns of. RN14: no secret is in the state. RN16: a plan shows the filter without it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g28_the_secret_changes_step_by_step_and_the_filter_always_accepts_what_the_rule_stamps() {
    let [old, new] = SECRETS;
    let world = World::start();
    let workspace = world.workspace("guide").await;
    // The workspace brings the provider's own blocks.
    for file in ["variables.tf", "inbound.tf", "outbound.tf", "outputs.tf"] {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/guide").join(file);
        fs::copy(from, workspace.folder.join(file)).expect("copied");
    }
    set(&workspace, 1, old, &[]);
    let planned = workspace.run(&["plan", "-no-color", "-var", "mx_moved=false"]).await.must("plan").stdout;
    let planned = planned.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(planned.contains("Close it **after** the MX records have moved"), "{planned}");
    assert!(planned.contains("== \"(sensitive)\"") && !planned.contains(old), "{planned}");
    workspace.apply().await;
    filter_that_lets_mail_flow(&world, &workspace);

    // Both at once would drop the mail that is under way.
    set(&workspace, 2, new, &[]);
    let refused = workspace.run(&["plan", "-no-color"]).await;
    assert!(!refused.succeeded() && refused.stderr.contains("three steps"), "{}", refused.stderr);

    let steps: [(&str, &[&str]); 3] = [(old, &[new]), (new, &[old]), (new, &[])];
    for (version, (stamped, accepted)) in (2..).zip(steps) {
        set(&workspace, version, stamped, accepted);
        let planned = workspace.plan().await;
        let wanted = [RULE, FILTER].map(|address| (address.to_owned(), "update".to_owned()));
        assert_eq!(planned.into_iter().collect::<Vec<_>>(), wanted);
        workspace.apply().await;
        filter_that_lets_mail_flow(&world, &workspace);
    }
    let script = filter_that_lets_mail_flow(&world, &workspace);
    assert!(script.contains(new) && !script.contains(old), "{script}");
    workspace.must_plan_nothing("after the last step").await;
}
