//! A listener's default policy parameters: what the gateway prints of them, what it does not, and policies that fall back on them.

use crate::support::{Must, World};
use mailflow::sandbox::{exchange, gateway};
use mailflow::tool::sandbox::StandIns;
use serde_json::{Value as Json, json};

const DEFAULTS: &str = "mailflow_gateway_listener_defaults";
const POLICY: &str = "mailflow_gateway_mail_flow_policy";

/// A gateway that prints the block of default parameters, or does not.
fn world(printed: bool) -> World {
    let layout = gateway::Layout { default_parameters: printed, ..gateway::Layout::default() };
    let options = gateway::Options { layout, ..gateway::Options::default() };
    World::with(StandIns::with(exchange::Options::default(), options).expect("the stand-ins start"))
}

/// What the gateway has as a default of the listener.
fn default(world: &World, key: &str) -> Option<String> {
    let configuration = world.stand_ins.gateway.configuration();
    let listener = configuration.listeners.iter().find(|one| one.name == "IncomingMail").expect("the listener is there");
    listener.hat.defaults.text(key)
}

fn defaults(arguments: &Json) -> (&'static str, &'static str, Json) {
    let mut all = json!({ "listener": "IncomingMail" });
    if let (Json::Object(all), Json::Object(arguments)) = (&mut all, arguments) {
        all.extend(arguments.clone());
    }
    (DEFAULTS, "in", all)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn defaults_that_the_gateway_does_not_print_are_set_and_told_of() {
    for printed in [true, false] {
        let world = world(printed);
        let workspace = world.workspace("unprinted").await;
        let first = json!({
            "tls": "preferred", "max_rcpts_per_hour": 100,
            "max_rcpts_per_hour_code": 450, "max_rcpts_per_hour_text": "Slow down",
            "smtp_banner_code": 221, "smtp_banner_text": "Hello", "reject_banner_code": 550, "reject_banner_text": "No \"way\"",
            "override_hostname": "one.example", "use_sb": false, "sig_bits": 24
        });
        workspace.write_resources([defaults(&first)]);
        let told = workspace.apply().await.stdout;
        let warning = "Some default policy parameters cannot be read";
        assert!(told.contains(warning) && told.contains("override_hostname"), "{told}");
        for (key, value) in [
            ("tls", "on"),
            ("max_rcpts_per_hour", "100"),
            ("max_rcpts_per_hour_code", "450"),
            ("max_rcpts_per_hour_text", "Slow down"),
            ("smtp_banner_code", "221"),
            ("smtp_banner_text", "Hello"),
            ("reject_banner_code", "550"),
            ("reject_banner_text", "No \"way\""),
            ("override_hostname", "one.example"),
            ("use_sb", "off"),
            ("significant_bits", "24"),
        ] {
            assert_eq!(default(&world, key).as_deref(), Some(value), "{key}, printed: {printed}");
        }
        workspace.must_plan_nothing("after they were set").await;

        let mut second = first.clone();
        second["override_hostname"] = json!("two.example");
        second["smtp_banner_text"] = json!("Good day");
        workspace.write_resources([defaults(&second)]);
        workspace.apply().await;
        assert_eq!(default(&world, "override_hostname").as_deref(), Some("two.example"));
        assert_eq!(default(&world, "smtp_banner_text").as_deref(), Some("Good day"));
        assert_eq!(default(&world, "reject_banner_text").as_deref(), Some("No \"way\""), "what was not changed stays");
        workspace.must_plan_nothing("after a change").await;

        workspace.destroy().await;
        let restored = if printed { "off" } else { "on" };
        assert_eq!(default(&world, "tls").as_deref(), Some(restored), "what was read is restored, and nothing else");
        assert_eq!(default(&world, "override_hostname").as_deref(), Some("two.example"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_choice_cannot_be_removed_from_a_policy_where_the_default_is_not_printed() {
    let world = world(false);
    let workspace = world.workspace("stuck").await;
    let policy = |more: &Json| {
        let mut all = json!({ "listener": "IncomingMail", "name": "OURS", "behavior": "accept" });
        if let (Json::Object(all), Json::Object(more)) = (&mut all, more) {
            all.extend(more.clone());
        }
        (POLICY, "ours", all)
    };
    workspace.write_resources([policy(&json!({ "tls": "required", "max_concurrency": 5, "override_hostname": "one.example" }))]);
    workspace.apply().await;
    workspace.write_resources([policy(&json!({ "max_concurrency": 5 }))]);
    let refused = workspace.run(&["plan", "-no-color"]).await;
    assert!(!refused.succeeded() && refused.stderr.contains("Unable to remove \"tls\""), "{}", refused.stderr);
    workspace.write_resources([policy(&json!({ "tls": "required" }))]);
    workspace.run(&["apply", "-auto-approve", "-no-color"]).await.must("numbers and names can be removed");
    workspace.must_plan_nothing("after the removal").await;
    // A policy that takes no mail has none of them: nothing needs to be given back.
    workspace.write_resources([policy(&json!({ "behavior": "tcp_refuse" }))]);
    workspace.apply().await;
    workspace.must_plan_nothing("after the behavior changed").await;
    workspace.destroy().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_that_is_changed_with_the_defaults_comes_after_them() {
    let world = world(true);
    let workspace = world.workspace("together").await;
    let policy = |more: Json| {
        let mut all = json!({ "listener": format!("${{{DEFAULTS}.in.listener}}"), "name": "OURS", "behavior": "accept" });
        if let (Json::Object(all), Json::Object(more)) = (&mut all, more) {
            all.extend(more);
        }
        (POLICY, "ours", all)
    };
    workspace.write_resources([defaults(&json!({ "tls": "preferred" })), policy(json!({ "tls": "none" }))]);
    workspace.apply().await;
    workspace.must_plan_nothing("after both were set").await;
    workspace.write_resources([defaults(&json!({ "tls": "required" })), policy(json!({}))]);
    workspace.apply().await;
    workspace.must_plan_nothing("after the default changed and the policy was given back to it").await;
    workspace.destroy().await;
}
