//! TLS versions on a gateway whose `sslconfig` lists single versions.

use crate::support::{Must as _, World};
use mailflow::sandbox::{exchange, gateway};
use mailflow::tool::sandbox::StandIns;
use serde_json::json;

const TLS: &str = "mailflow_gateway_tls_settings";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rg6_single_versions_are_combined_and_a_gap_is_refused_with_the_sets_that_are_possible() {
    for (release, sets, newest) in [
        (gateway::Release::V15_5, [json!(["TLSv1.1", "TLSv1.2", "TLSv1.3"]), json!(["TLSv1.3"])], true),
        (gateway::Release::V13_0, [json!(["TLSv1.0", "TLSv1.1", "TLSv1.2"]), json!(["SSLv3", "TLSv1.0"])], false),
    ] {
        let layout = gateway::Layout { single_versions: true, ..gateway::Layout::default() };
        let options = gateway::Options { release, layout, ..gateway::Options::default() };
        let world = World::with(StandIns::with(exchange::Options::default(), options).expect("the stand-ins start"));
        let before = world.stand_ins.snapshot();
        let workspace = world.workspace("versions").await;
        for set in &sets {
            workspace.write_resources([(TLS, "t", json!({ "inbound_methods": set, "outbound_methods": set }))]);
            workspace.apply().await;
            workspace.must_plan_nothing(&set.to_string()).await;
        }
        workspace.write_resources([(TLS, "t", json!({ "inbound_methods": ["TLSv1.0", "TLSv1.2"] }))]);
        let refused = workspace.run(&["plan", "-no-color"]).await;
        let said = refused.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(!refused.succeeded(), "{}", refused.stdout);
        for part in
            ["inbound_methods has a gap", "TLSv1.1 is missing", r#"["TLSv1", "TLSv1.1", "TLSv1.2"], ["TLSv1"], ["TLSv1.2"]"#]
        {
            assert!(said.contains(part), "{part}\n{said}");
        }
        // What this release does not have is told when it is applied, with what it has.
        let missing = if newest { "SSLv2" } else { "TLSv1.3" };
        workspace.write_resources([(TLS, "t", json!({ "inbound_methods": [missing] }))]);
        let refused = workspace.run(&["apply", "-auto-approve", "-no-color"]).await;
        assert!(!refused.succeeded() && refused.stderr.contains("It offers the versions"), "{}", refused.stderr);
        workspace.write_resources([(TLS, "t", json!({ "inbound_methods": sets[0] }))]);
        workspace.run(&["destroy", "-auto-approve", "-no-color"]).await.must("destroy");
        assert_eq!(world.stand_ins.snapshot(), before, "{release:?}");
    }
}
