//! Objects whose places depend on each other: transport rules, sender groups, message filters. And settings that name something else.

use std::collections::BTreeMap;

use crate::support::World;
use serde_json::{Value as Json, json};

/// The names of the rules at the service, in their order.
fn rules(world: &World) -> Vec<String> {
    let snapshot = world.stand_ins.exchange.snapshot();
    let rules = snapshot["TransportRule"].as_array().expect("the snapshot lists the rules").clone();
    rules.iter().map(|rule| rule["Name"].as_str().unwrap_or_default().to_owned()).collect()
}

fn filters(world: &World) -> Vec<String> {
    world.stand_ins.gateway.configuration().filters.iter().map(|filter| filter.name.clone()).collect()
}

fn groups(world: &World, listener: &str) -> Vec<String> {
    let configuration = world.stand_ins.gateway.configuration();
    let listener = configuration.listeners.iter().find(|one| one.name == listener).expect("the listener is there");
    listener.hat.groups.iter().map(|group| group.name.clone()).collect()
}

fn rule(name: &str, place: Json) -> (&'static str, String, Json) {
    let mut arguments =
        json!({ "name": name, "conditions": { "sender_domain_is": ["a.example"] }, "actions": { "prepend_subject": "X: " } });
    if let (Json::Object(arguments), Json::Object(place)) = (&mut arguments, place) {
        arguments.extend(place);
    }
    ("mailflow_exchange_transport_rule", name.to_owned(), arguments)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_stands_where_it_is_told_to_and_a_foreign_one_above_is_no_drift() {
    let world = World::start();
    let workspace = world.workspace("rules").await;
    let write = |all: &[(&'static str, String, Json)]| {
        workspace.write_resources(all.iter().map(|(kind, name, arguments)| (*kind, name.as_str(), arguments.clone())));
    };

    write(&[rule("one", json!({})), rule("two", json!({ "before": "${mailflow_exchange_transport_rule.one.name}" }))]);
    workspace.apply().await;
    assert_eq!(rules(&world), ["two", "one"]);
    workspace.must_plan_nothing("after the order was made").await;

    let foreign = json!({ "Name": "foreign", "Priority": 0, "SenderDomainIs": ["b.example"], "PrependSubject": "Y: " });
    world.stand_ins.exchange.put("TransportRule", "foreign", &foreign).expect("a rule of somebody else");
    assert_eq!(rules(&world), ["foreign", "two", "one"]);
    workspace.must_plan_nothing("after somebody put a rule above ours").await;

    write(&[rule("one", json!({ "before": "${mailflow_exchange_transport_rule.two.name}" })), rule("two", json!({}))]);
    workspace.apply().await;
    let order = rules(&world);
    let place = |name: &str| order.iter().position(|other| other == name);
    assert!(place("one") < place("two"), "{order:?}");
    workspace.must_plan_nothing("after the order was turned").await;

    write(&[rule("one", json!({ "priority": 0 })), rule("two", json!({}))]);
    workspace.apply().await;
    assert_eq!(rules(&world)[0], "one");
    workspace.must_plan_nothing("after a place was given by number").await;
    workspace.destroy().await;
    assert_eq!(rules(&world), ["foreign"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_and_filters_stand_where_they_are_told_to() {
    let world = World::start();
    let workspace = world.workspace("places").await;
    let group = |name: &str, before: Option<&str>| {
        let mut arguments = json!({ "listener": "IncomingMail", "name": name, "policy": "ACCEPTED", "senders": ["a.example"] });
        if let Some(before) = before {
            arguments["before"] = json!(before);
        }
        ("mailflow_gateway_sender_group", name.to_owned(), arguments)
    };
    let filter = |name: &str, before: Option<&str>| {
        let mut arguments = json!({ "name": name, "script": "if (true) { skip-filters(); }" });
        if let Some(before) = before {
            arguments["before"] = json!(before);
        }
        ("mailflow_gateway_message_filter", name.to_owned(), arguments)
    };
    let write = |all: &[(&'static str, String, Json)]| {
        workspace.write_resources(all.iter().map(|(kind, name, arguments)| (*kind, name.as_str(), arguments.clone())));
    };

    write(&[
        group("LAST", None),
        group("FIRST", Some("WHITELIST")),
        filter("lower", None),
        filter("upper", Some("${mailflow_gateway_message_filter.lower.name}")),
    ]);
    workspace.apply().await;
    assert_eq!(groups(&world, "IncomingMail"), ["FIRST", "WHITELIST", "BLACKLIST", "SUSPECTLIST", "UNKNOWNLIST", "LAST"]);
    assert_eq!(filters(&world), ["upper", "lower"]);
    workspace.must_plan_nothing("after the places were taken").await;

    // Somebody puts a group between: the order that was asked for holds.
    world.stand_ins.gateway.edit(|configuration| {
        for listener in configuration.listeners.iter_mut().filter(|listener| listener.name == "IncomingMail") {
            let between = listener.hat.groups.remove(4);
            listener.hat.groups.insert(1, between);
        }
    });
    assert_eq!(groups(&world, "IncomingMail")[..3], ["FIRST", "UNKNOWNLIST", "WHITELIST"]);
    workspace.must_plan_nothing("after somebody put a group between").await;

    write(&[
        group("LAST", None),
        group("FIRST", Some("${mailflow_gateway_sender_group.LAST.name}")),
        filter("lower", Some("${mailflow_gateway_message_filter.upper.name}")),
        filter("upper", None),
    ]);
    workspace.apply().await;
    let order = filters(&world);
    assert_eq!(order, ["lower", "upper"]);
    workspace.must_plan_nothing("after the places were changed").await;

    // A changed text makes the filter anew, at its place.
    let mut changed = filter("lower", Some("${mailflow_gateway_message_filter.upper.name}"));
    changed.2["script"] = json!("if (false) { drop(); }");
    write(&[group("LAST", None), changed, filter("upper", None)]);
    workspace.apply().await;
    assert_eq!(filters(&world), ["lower", "upper"]);
    workspace.must_plan_nothing("after a text was changed").await;
    workspace.destroy().await;
    assert_eq!(filters(&world), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_always_exists_is_adopted_and_restored() {
    let world = World::start();
    let before = world.stand_ins.snapshot();
    let workspace = world.workspace("adopted").await;
    workspace.write_resources([
        (
            "mailflow_gateway_destination_control",
            "default",
            json!({ "domain": "DEFAULT", "concurrency_limit": 400, "max_messages_per_connection": 40, "tls": "preferred",
                    "bounce_verification": "off" }),
        ),
        (
            "mailflow_gateway_recipient_access",
            "all",
            json!({ "listener": "IncomingMail", "recipient": "ALL", "action": "accept" }),
        ),
    ]);
    workspace.apply().await;
    workspace.must_plan_nothing("after what always exists was adopted").await;
    let configuration = world.stand_ins.gateway.configuration();
    assert_eq!(configuration.destination_controls.default.concurrency, 400);
    let ids: BTreeMap<String, Json> = workspace.state();
    assert_eq!(ids["mailflow_gateway_destination_control.default"]["id"], "DEFAULT");
    workspace.destroy().await;
    assert_eq!(world.stand_ins.snapshot(), before, "what was adopted is as it was");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_destination_takes_a_bounce_profile_that_is_there() {
    let world = World::start();
    world.stand_ins.gateway.edit(|configuration| {
        configuration.destination_controls.bounce_profiles.extend(["slow".to_owned(), "quick".to_owned()]);
    });
    let workspace = world.workspace("profiles").await;
    for profile in [json!("slow"), json!("quick"), Json::Null] {
        workspace.write_resources([(
            "mailflow_gateway_destination_control",
            "one",
            json!({ "domain": "a.example", "bounce_profile": profile }),
        )]);
        workspace.apply().await;
        workspace.must_plan_nothing(&format!("with the profile {profile}")).await;
        assert_eq!(workspace.state()["mailflow_gateway_destination_control.one"]["bounce_profile"], profile);
    }
    workspace.destroy().await;
}
