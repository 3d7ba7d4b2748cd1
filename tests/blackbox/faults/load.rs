//! Many objects: how often the services are asked.

use serde_json::{Value as Json, json};

use super::run::{Runs, domains, nothing_staged};
use crate::support::{Workspace, World};

fn many(workspace: &Workspace<'_>, count: usize, host: &str) {
    let labels: Vec<String> = (0..count).map(|index| format!("r{index}")).collect();
    workspace.write_resources(labels.iter().map(|label| {
        (
            "mailflow_gateway_smtp_route",
            label.as_str(),
            json!({ "domain": format!("{label}.example"), "destination": [{ "host": host }] }),
        )
    }));
}

#[tokio::test]
async fn g29_fifty_routes_are_a_few_commits_and_a_plan_over_them_reads_once() {
    let world = World::start();
    let gateway = &world.stand_ins.gateway;
    let workspace = world.workspace("fifty").await;
    let commands = |name: &str| gateway.counters().commands.get(name).copied().unwrap_or_default();
    let check = async |count: usize, parallelism: usize, host: &str| {
        many(&workspace, count, host);
        let before = gateway.counters().commits;
        workspace.json(&["apply", "-auto-approve", &format!("-parallelism={parallelism}")]).await.good();
        let commits = gateway.counters().commits - before;
        assert!(
            commits <= (count.div_ceil(parallelism) + 1) as u64,
            "{count} routes, parallelism {parallelism}: {commits} commits"
        );
        assert_eq!(domains(&world).len(), count);
        nothing_staged(&world);
    };
    check(50, 10, "one.example.net").await;
    assert!(gateway.counters().commits <= 10);
    let (before, logins) = (commands("smtproutes"), gateway.counters().logins);
    workspace.must_plan_nothing("after fifty routes").await;
    assert_eq!(commands("smtproutes") - before, 1, "the table is read once");
    assert_eq!(gateway.counters().logins - logins, 1, "in one session");

    check(50, 64, "two.example.net").await;
    workspace.destroy().await;
    assert!(domains(&world).is_empty());
    check(6, 1, "one.example.net").await;
}

#[tokio::test]
async fn a_plan_over_many_objects_of_each_kind_lists_each_kind_once() {
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    let workspace = world.workspace("lists").await;
    let mut objects: Vec<(&str, String, Json)> = Vec::new();
    for index in 0..6 {
        objects.push((
            "mailflow_exchange_inbound_connector",
            format!("i{index}"),
            json!({ "name": format!("In {index}"), "connector_type": "OnPremises", "sender_domains": ["*"] }),
        ));
        objects.push((
            "mailflow_exchange_outbound_connector",
            format!("o{index}"),
            json!({ "name": format!("Out {index}"), "connector_type": "Partner", "use_mx_record": false, "smart_hosts": ["203.0.113.20"],
                    "is_transport_rule_scoped": index % 2 == 0, "recipient_domains": if index % 2 == 0 { json!([]) } else { json!([format!("d{index}.example")]) } }),
        ));
        objects.push((
            "mailflow_exchange_transport_rule",
            format!("t{index}"),
            json!({ "name": format!("Rule {index}"), "conditions": { "from_scope": "InOrganization" },
                    "actions": { "route_message_outbound_connector": format!("${{mailflow_exchange_outbound_connector.o{}.name}}", index - index % 2) } }),
        ));
    }
    workspace.write_resources(objects.iter().map(|(kind, name, arguments)| (*kind, name.as_str(), arguments.clone())));
    workspace.try_apply().await.good();
    exchange.reset_counts();
    workspace.must_plan_nothing("after many objects").await;
    let counts = exchange.counts();
    let calls: Vec<(&str, u64)> = counts.calls.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    assert_eq!(calls, [("Get-InboundConnector", 1), ("Get-OutboundConnector", 1), ("Get-TransportRule", 1)]);
    assert_eq!(counts.token_requests, 1);
    workspace.destroy().await;
}

#[tokio::test]
async fn p05_256_objects_at_once() {
    let world = World::start();
    let gateway = &world.stand_ins.gateway;
    let workspace = world.workspace("crowd").await;
    many(&workspace, 256, "one.example.net");
    workspace.json(&["apply", "-auto-approve", "-parallelism=256"]).await.good();
    assert!(gateway.counters().commits <= 10, "{} commits", gateway.counters().commits);
    assert_eq!(domains(&world).len(), 256);
    workspace.must_plan_nothing("after 256 routes").await;
}

#[tokio::test]
async fn p07_an_attribute_of_6_mb_reaches_the_provider_and_is_refused_in_few_words() {
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    let before = exchange.snapshot();
    let workspace = world.workspace("large").await;
    let comment = "x".repeat(6 << 20);
    workspace.write_resources([(
        "mailflow_exchange_inbound_connector",
        "large",
        json!({ "name": "Large", "connector_type": "OnPremises", "sender_domains": ["*"], "comment": comment }),
    )]);
    let run = workspace.json(&["validate"]).await;
    let said = run.error_of("mailflow_exchange_inbound_connector.large");
    said.holds(&["Invalid value of \"comment\"", "at most 100000 characters; it has 6291456"]);
    assert!(said.detail.len() < 500, "the value is not repeated");
    assert_eq!(exchange.snapshot(), before);
    assert!(workspace.stored().is_empty());
}
