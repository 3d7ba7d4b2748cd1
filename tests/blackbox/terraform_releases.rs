//! The provider works with the oldest and with a recent release of Terraform.

use crate::support::{Must as _, Release, World};

const ROUTE: &str = "resource \"mailflow_gateway_smtp_route\" \"one\" {\n  domain = \"releases.example\"\n  destination {\n    host = \"mx.example.net\"\n  }\n}\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_is_made_planned_empty_and_destroyed_on_both_releases() {
    let world = World::start();
    let before = world.stand_ins.snapshot();
    let mut versions = Vec::new();
    for release in Release::BOTH {
        let workspace = world.workspace_on(release, &release.to_string()).await;
        let told = workspace.run(&["version", "-json"]).await.must("version");
        let told: serde_json::Value = serde_json::from_str(&told.stdout).expect("JSON");
        let numbers = told["terraform_version"].as_str().expect("a version").split('.').map(|number| number.parse().unwrap_or(0));
        versions.push(numbers.collect::<Vec<u32>>());
        workspace.write(ROUTE);
        workspace.apply().await;
        workspace.must_plan_nothing("after the apply").await;
        workspace.destroy().await;
        assert_eq!(world.stand_ins.snapshot(), before, "{release}");
    }
    assert!(versions[0] >= vec![1, 11] && versions[1] >= vec![1, 14], "{versions:?}");
}
