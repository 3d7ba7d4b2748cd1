//! Settings that mean nothing while another one is off: the gateway does not ask for them then, and what stands of them does not count.

use crate::support::World;
use serde_json::{Value as Json, json};

const DEFAULTS: &str = "mailflow_gateway_listener_defaults";
const POLICY: &str = "mailflow_gateway_mail_flow_policy";
const DESTINATION: &str = "mailflow_gateway_destination_control";

/// Each gate with what it opens, and what closes it.
fn gates() -> [(Json, Json); 3] {
    [
        (json!({ "smtpauth_allow": "preferred", "smtpauth_requiretls": true }), json!({ "smtpauth_allow": "none" })),
        (json!({ "use_sb": false, "sig_bits": 24 }), json!({ "use_sb": true })),
        (
            json!({ "max_rcpts_per_hour": 50, "max_rcpts_per_hour_code": 450, "max_rcpts_per_hour_text": "Slow" }),
            json!({ "max_rcpts_per_hour": -1 }),
        ),
    ]
}

fn merged(base: Json, more: &Json) -> Json {
    let mut all = base;
    if let (Json::Object(all), Json::Object(more)) = (&mut all, more) {
        all.extend(more.clone());
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_means_nothing_while_its_gate_is_off_is_set_left_and_given_back() {
    let world = World::start();
    let workspace = world.workspace_of_many("gates").await;
    let with = |more: &Json| {
        let own = json!({ "listener": "IncomingMail", "name": "OURS", "behavior": "accept" });
        [(DEFAULTS, "l", merged(json!({ "listener": "OutgoingMail" }), more)), (POLICY, "p", merged(own, more))]
    };
    for (on, off) in gates() {
        let when = on.to_string();
        workspace.write_resources(with(&on));
        workspace.apply().await;
        workspace.must_plan_nothing(&when).await;
        // The gate was off before, and is off again.
        workspace.destroy().await;
        workspace.write_resources(with(&on));
        workspace.apply().await;
        workspace.write_resources(with(&off));
        workspace.apply().await;
        workspace.must_plan_nothing(&format!("{when}, then off")).await;
        workspace.write_resources(with(&on));
        workspace.apply().await;
        workspace.must_plan_nothing(&format!("{when}, on again")).await;
        workspace.destroy().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_destination_loses_what_belongs_to_a_limit_or_to_tls_with_it() {
    let world = World::start();
    let workspace = world.workspace("destination").await;
    let entry = |more: &Json| [(DESTINATION, "d", merged(json!({ "domain": "gate.example" }), more))];
    let limited = json!({ "concurrency_limit": 5, "concurrency_limit_type": "MXIP", "concurrency_limit_apply": "VG", "tls": "required", "dane": "mandatory" });
    for next in
        [json!({}), json!({ "tls": "none" }), json!({ "concurrency_limit_type": "MXIP", "tls": "default" }), limited.clone()]
    {
        workspace.write_resources(entry(&limited));
        workspace.apply().await;
        workspace.must_plan_nothing("with all").await;
        workspace.write_resources(entry(&next));
        workspace.apply().await;
        workspace.must_plan_nothing(&next.to_string()).await;
    }
    workspace.write_resources(entry(&json!({ "tls": "none", "dane": "mandatory" })));
    let refused = workspace.run(&["plan", "-no-color"]).await;
    assert!(!refused.succeeded() && refused.stderr.contains("dane has no effect without TLS"), "{}", refused.stderr);
    workspace.write_resources(entry(&limited));
    workspace.destroy().await;
}
