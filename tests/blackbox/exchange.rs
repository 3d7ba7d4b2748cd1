//! What one lifecycle for all resources (`lifecycle.rs`) cannot show: objects that depend on each other, adoptions, validations, names that are taken.

use std::collections::BTreeMap;

use crate::support::{Must, Workspace, World};
use mailflow::exchange::parameters::nouns;
use mailflow::provider::CATALOG;
use mailflow::sandbox::exchange::{self, Fault, What};
use mailflow::schema::{Clearing, Import, Presence};
use serde_json::{Value as Json, json};

const RULE: &str = "mailflow_exchange_transport_rule";
const ORDER: &str = "mailflow_exchange_transport_rule_order";

fn rule(name: &str) -> Json {
    json!({ "name": name, "conditions": { "from_scope": "InOrganization" }, "actions": { "set_scl": 1 } })
}

/// The names of all rules, top to bottom.
fn standing(world: &World) -> Vec<String> {
    let snapshot = world.stand_ins.exchange.snapshot();
    let rules = snapshot["TransportRule"].as_array().cloned().unwrap_or_default();
    rules.iter().map(|rule| rule["Name"].as_str().unwrap_or_default().to_owned()).collect()
}

/// Applies, and gives what was printed, which must be an error.
async fn must_fail(workspace: &Workspace<'_>, arguments: &[&str], words: &[&str]) {
    let outcome = workspace.run(arguments).await;
    assert!(!outcome.succeeded(), "{arguments:?} was to fail\n{}", outcome.stdout);
    must_say(&outcome.stderr, words);
}

/// Checks that a message holds words, wherever its lines break.
#[track_caller]
fn must_say(message: &str, words: &[&str]) {
    let flat = message.replace(['│', '╷', '╵'], " ").split_whitespace().collect::<Vec<_>>().join(" ");
    for word in words {
        assert!(flat.contains(word), "{word:?} is not in:\n{message}");
    }
}

const APPLY: &[&str] = &["apply", "-auto-approve", "-no-color"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e18_an_order_is_kept_with_the_fewest_moves_and_foreign_rules_are_no_drift() {
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    let workspace = world.workspace("order").await;
    let order = json!({ "rules": ["C", format!("${{{RULE}.a.name}}"), format!("${{{RULE}.b.id}}")], "depends_on": [format!("{RULE}.c")] });
    let rules = ["A", "B", "C"].map(|name| (RULE, name.to_lowercase(), rule(name)));
    let with_order = || {
        let all = rules.iter().map(|(kind, name, arguments)| (*kind, name.as_str(), arguments.clone()));
        all.chain([(ORDER, "all", order.clone())]).collect::<Vec<_>>()
    };
    workspace.write_resources(with_order());
    workspace.apply().await;
    assert_eq!(standing(&world), ["C", "A", "B"]);
    workspace.must_plan_nothing("after the order was made").await;

    // Foreign rules above and between.
    exchange.put("TransportRule", "Foreign one", &json!({ "Priority": 0, "SetSCL": 1 })).expect("made");
    exchange.put("TransportRule", "Foreign two", &json!({ "Priority": 2, "SetSCL": 1 })).expect("made");
    assert_eq!(standing(&world), ["Foreign one", "C", "Foreign two", "A", "B"]);
    workspace.must_plan_nothing("with foreign rules").await;

    // One of ours is moved.
    exchange.put("TransportRule", "B", &json!({ "Priority": 0 })).expect("moved");
    let planned = workspace.plan().await;
    assert_eq!(planned, BTreeMap::from([(format!("{ORDER}.all"), "update".to_owned())]));
    let before = exchange.count("Set-TransportRule");
    workspace.apply().await;
    assert_eq!(standing(&world), ["Foreign one", "C", "Foreign two", "A", "B"]);
    assert_eq!(exchange.count("Set-TransportRule") - before, 1, "one rule was moved");
    workspace.must_plan_nothing("after the order was mended").await;

    // All rules as they stand, and three by their names.
    for (folder, id, names) in [
        ("by_word", "transport_rule_order", vec!["Foreign one", "C", "Foreign two", "A", "B"]),
        ("by_names", "A/B/C", vec!["C", "A", "B"]),
    ] {
        let fresh = world.workspace(folder).await;
        fresh.write_resources([(ORDER, "all", json!({ "rules": names }))]);
        fresh.write_imports(&BTreeMap::from([(format!("{ORDER}.all"), id.to_owned())]));
        let planned = fresh.plan().await;
        assert_eq!(planned, BTreeMap::from([(format!("{ORDER}.all"), "import".to_owned())]), "{id}");
    }

    // The order is changed, and then it is as it was.
    for names in [["B", "A", "C"], ["C", "A", "B"]] {
        let mut changed = with_order();
        changed.last_mut().expect("the order").2["rules"] = json!(names);
        workspace.write_resources(changed);
        workspace.apply().await;
        let ours: Vec<String> = standing(&world).into_iter().filter(|name| !name.starts_with("Foreign")).collect();
        assert_eq!(ours, names);
        workspace.must_plan_nothing("after another order").await;
    }
    let before = standing(&world);

    // Without the order, all stays where it is.
    workspace.write_resources(rules.iter().map(|(kind, name, arguments)| (*kind, name.as_str(), arguments.clone())));
    workspace.apply().await;
    assert_eq!(standing(&world), before);
    let mut unknown = order.clone();
    unknown["rules"] = json!(["A", "Nobody"]);
    unknown["depends_on"] = json!([]);
    workspace.write_resources([(ORDER, "all", unknown)]);
    must_fail(&workspace, &["apply", "-auto-approve", "-no-color", "-target", &format!("{ORDER}.all")], &["\"Nobody\""]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_stands_after_another_as_long_as_it_asks_for_it() {
    let world = World::start();
    let workspace = world.workspace("after").await;
    let mut after = rule("After");
    after["after"] = json!(format!("${{{RULE}.anchor.name}}"));
    workspace.write_resources([(RULE, "anchor", rule("Anchor")), (RULE, "after", after.clone())]);
    workspace.apply().await;
    workspace.must_plan_nothing("after both were made").await;
    world.stand_ins.exchange.put("TransportRule", "After", &json!({ "Priority": 0 })).expect("moved");
    assert_eq!(workspace.plan().await, BTreeMap::from([(format!("{RULE}.after"), "update".to_owned())]));
    workspace.apply().await;
    assert_eq!(standing(&world), ["Anchor", "After"]);
    workspace.must_plan_nothing("after it was mended").await;
    after["after"] = json!("Anchor");
    after["priority"] = json!(0);
    workspace.write_resources([(RULE, "anchor", rule("Anchor")), (RULE, "after", after)]);
    must_fail(&workspace, &["plan", "-no-color"], &["\"priority\" conflicts with \"after\""]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_that_only_stops_the_others_needs_no_other_action() {
    let world = World::start();
    let workspace = world.workspace("stop").await;
    let stops = |stops: bool| json!({ "name": "Stop", "conditions": { "from": ["boss@contoso.com"] }, "actions": {}, "stop_rule_processing": stops });
    workspace.write_resources([(RULE, "stop", stops(true))]);
    workspace.apply().await;
    workspace.must_plan_nothing("after the rule was made").await;
    workspace.write_resources([(RULE, "stop", stops(false))]);
    must_fail(&workspace, &["plan", "-no-color"], &["The rule does nothing"]).await;
}

/// Every list of which the service may keep the elements when it is sent null, with other lists empty beside them.
fn lists() -> Vec<(&'static str, &'static str, Json, Json)> {
    let addresses = json!(["203.0.113.10", "203.0.113.11"]);
    let domains = json!(["contoso.example", "*.fabrikam.example"]);
    let ranges = json!({ "scl_over": 5, "sender_ip_ranges": addresses });
    vec![
        (
            "InboundConnector",
            "mailflow_exchange_inbound_connector",
            json!({ "name": "In", "connector_type": "OnPremises", "sender_domains": ["*"] }),
            json!({
                "sender_ip_addresses": addresses,
                "associated_accepted_domains": ["contoso.com"],
                "trusted_organizations": ["fabrikam.onmicrosoft.com"],
                "ef_skip_ips": addresses,
                "ef_users": ["a@contoso.com", "b@contoso.com"],
            }),
        ),
        (
            "OutboundConnector",
            "mailflow_exchange_outbound_connector",
            json!({ "name": "Out", "connector_type": "OnPremises" }),
            json!({ "recipient_domains": domains, "smart_hosts": addresses }),
        ),
        (
            "TransportRule",
            RULE,
            json!({ "name": "R", "conditions": { "scl_over": 5 }, "exceptions": { "scl_over": 5 }, "actions": { "set_scl": 1 } }),
            json!({ "conditions": ranges, "exceptions": ranges }),
        ),
        (
            "HostedConnectionFilterPolicy",
            "mailflow_exchange_connection_filter",
            json!({}),
            json!({ "ip_allow_list": addresses, "ip_block_list": ["198.51.100.0/24"] }),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_list_is_emptied_whether_null_does_it_or_only_a_removal_by_name() {
    // None is forgotten.
    for noun in nouns() {
        for one in noun.carried.iter().filter(|one| one.line.clearing == Clearing::NullThenRemove) {
            let set = lists().into_iter().find(|(name, ..)| *name == noun.name).expect("a list of the noun").3;
            let place = format!("/{}", one.attributes[0].replace('.', "/"));
            assert!(one.line.presence == Presence::Required || set.pointer(&place).is_some(), "{} {place}", noun.name);
        }
    }
    for (null, sets) in [(true, 1), (false, 2)] {
        let world = World::start();
        let exchange = &world.stand_ins.exchange;
        let clearing = exchange::Clearing { null, empty_list: false, empty_table: false };
        exchange.set_options(|options| {
            options.clearing = lists().into_iter().map(|(noun, ..)| (noun.to_owned(), clearing)).collect();
        });
        let workspace = world.workspace("lists").await;
        let write = |set: bool| {
            let resources = lists().into_iter().map(|(_, resource, mut arguments, lists)| {
                let members = arguments.as_object_mut().expect("arguments");
                let lists = lists.as_object().expect("lists").clone();
                if set {
                    members.extend(lists);
                } else if matches!(CATALOG.resource(resource).expect("it is offered").import, Import::Singleton { .. }) {
                    // What is left out of what is always there stays as it stands.
                    members.extend(lists.into_iter().map(|(name, _)| (name, json!([]))));
                }
                (resource, "x", arguments)
            });
            workspace.write_resources(resources.collect::<Vec<_>>());
        };
        write(true);
        workspace.apply().await;
        workspace.must_plan_nothing("after the lists were set").await;
        let before: Vec<_> = lists().iter().map(|(noun, ..)| exchange.count(&format!("Set-{noun}"))).collect();
        write(false);
        workspace.apply().await;
        workspace.must_plan_nothing("after the lists were emptied").await;
        for ((noun, ..), before) in lists().iter().zip(before) {
            let calls = exchange.count(&format!("Set-{noun}")) - before;
            assert_eq!(calls, sets, "calls of Set-{noun} where null {}", if null { "empties" } else { "does nothing" });
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_accepted_domain_is_taken_over_and_put_back() {
    const DOMAIN: &str = "mailflow_exchange_accepted_domain";
    let world = World::start();
    let before = world.stand_ins.snapshot();
    let workspace = world.workspace("domain").await;
    let relay = |domain: &str| json!({ "domain": domain, "domain_type": "InternalRelay", "match_sub_domains": true });
    workspace.write_resources([(DOMAIN, "one", relay("Example.NET")), (DOMAIN, "two", relay("example.net."))]);
    must_fail(&workspace, &["plan", "-no-color"], &["Another resource of this configuration is accepted domain"]).await;

    workspace.write_resources([(DOMAIN, "one", relay("Example.NET"))]);
    let planned = workspace.run(&["plan", "-no-color"]).await.must("plan");
    must_say(&planned.stdout, &["is taken over", "`domain_type` is \"Authoritative\" and is to be \"InternalRelay\""]);
    workspace.apply().await;
    workspace.must_plan_nothing("after the domain was taken over").await;
    workspace.write_resources([(DOMAIN, "one", relay("example.com"))]);
    workspace.apply().await;
    workspace.must_plan_nothing("after another domain was taken over").await;
    workspace.destroy().await;
    assert_eq!(world.stand_ins.snapshot(), before, "both are as they were");

    workspace.write_resources([(DOMAIN, "one", relay("nowhere.example"))]);
    must_fail(&workspace, APPLY, &["nowhere.example", "Microsoft Entra"]).await;
    workspace.write_resources([(
        DOMAIN,
        "one",
        json!({ "domain": "example.net", "domain_type": "Authoritative", "match_sub_domains": true }),
    )]);
    must_fail(&workspace, &["plan", "-no-color"], &["`domain_type = \"InternalRelay\"`"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_always_there_is_put_back_and_after_an_import_left_alone() {
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    exchange.put("HostedConnectionFilterPolicy", "Default", &json!({ "IPAllowList": ["192.0.2.7"] })).expect("set");
    exchange.put("ArcConfig", "Default", &json!({ "ArcTrustedSealers": ["a.example", "b.example"] })).expect("set");
    let before = world.stand_ins.snapshot();
    let resources = || {
        [
            ("mailflow_exchange_connection_filter", "x", json!({ "ip_block_list": ["198.51.100.1"] })),
            ("mailflow_exchange_arc_config", "x", json!({ "arc_trusted_sealers": [] })),
            ("mailflow_exchange_organization_mail_flow", "x", json!({ "reject_direct_send": true })),
            (
                "mailflow_exchange_remote_domain",
                "x",
                json!({ "name": "Default", "domain_name": "*", "auto_forward_enabled": false, "tnef_enabled": false }),
            ),
        ]
    };
    let workspace = world.workspace("adopted").await;
    workspace.write_resources(resources());
    workspace.apply().await;
    workspace.must_plan_nothing("after all were taken over").await;
    let state = workspace.state();
    assert_eq!(state["mailflow_exchange_arc_config.x"]["arc_trusted_sealers"], json!([]));
    assert_eq!(state["mailflow_exchange_connection_filter.x"]["ip_allow_list"], json!(["192.0.2.7"]), "what is left out stays");
    let taken_over = world.stand_ins.snapshot();
    assert_ne!(taken_over.0["ArcConfig"], before.0["ArcConfig"], "the sealers were taken away");

    let fresh = world.workspace("imported").await;
    fresh.write_resources(resources());
    let ids = ["connection_filter", "arc_config", "organization_mail_flow"];
    let mut imports: BTreeMap<String, String> =
        ids.iter().map(|id| (format!("mailflow_exchange_{id}.x"), (*id).to_owned())).collect();
    imports.insert("mailflow_exchange_remote_domain.x".to_owned(), "Default".to_owned());
    fresh.write_imports(&imports);
    let planned = fresh.plan().await;
    assert!(planned.len() == 4 && planned.values().all(|action| action == "import"), "{planned:#?}");
    fresh.apply().await;
    let destroyed = fresh.run(&["destroy", "-auto-approve", "-no-color"]).await.must("destroy");
    must_say(&destroyed.stdout, &["The connection filter is left as it is", "it is not known what stood there before"]);
    assert_eq!(world.stand_ins.snapshot(), taken_over, "what was imported is left as it is");

    workspace.destroy().await;
    assert_eq!(world.stand_ins.snapshot(), before, "what was taken over is put back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connector_is_validated_when_it_asks_for_it_and_only_then() {
    const CONNECTOR: &str = "mailflow_exchange_outbound_connector";
    const VALIDATE: &str = "Validate-OutboundConnector";
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    let workspace = world.workspace("validation").await;
    let write = |host: &str, comment: &str, validate: bool| {
        let arguments = json!({
            "name": "To gateway", "connector_type": "Partner", "use_mx_record": false, "smart_hosts": [host],
            "is_transport_rule_scoped": true, "comment": comment,
            "validation_recipients": ["postmaster@example.net"], "validate": validate,
        });
        workspace.write_resources([(CONNECTOR, "x", arguments)]);
    };
    let is_validated = async || workspace.state()[&format!("{CONNECTOR}.x")]["is_validated"].clone();

    write("203.0.113.20", "one", false);
    workspace.apply().await;
    workspace.must_plan_nothing("without validation").await;
    assert_eq!((exchange.count(VALIDATE), is_validated().await), (0, json!(false)));

    write("203.0.113.20", "one", true);
    workspace.apply().await;
    workspace.must_plan_nothing("after the validation").await;
    assert_eq!((exchange.count(VALIDATE), is_validated().await), (1, json!(true)));

    write("203.0.113.20", "two", true);
    workspace.apply().await;
    workspace.must_plan_nothing("after a change that does not matter").await;
    assert_eq!((exchange.count(VALIDATE), is_validated().await), (1, json!(true)));

    let words = "|System.InvalidOperationException|450 4.4.316 Connection refused by 203.0.113.21.";
    exchange.script(Fault::new(VALIDATE, What::Errors { errors: vec![words.to_owned()], acts: false }));
    write("203.0.113.21", "two", true);
    let outcome = workspace.apply().await;
    must_say(&outcome.stdout, &["The validation of outbound connector \"To gateway\" failed", "450 4.4.316"]);
    assert_eq!((exchange.count(VALIDATE), is_validated().await), (2, json!(false)));

    assert_eq!(workspace.plan().await, BTreeMap::from([(format!("{CONNECTOR}.x"), "update".to_owned())]));
    workspace.apply().await;
    workspace.must_plan_nothing("after it was tried again").await;
    assert_eq!((exchange.count(VALIDATE), is_validated().await), (3, json!(true)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e10_c11_a_name_that_is_taken_in_any_case_is_said_at_plan_and_refused_at_create() {
    const CONNECTOR: &str = "mailflow_exchange_inbound_connector";
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    let connector = |name: &str| json!({ "name": name, "connector_type": "OnPremises", "sender_domains": ["*"] });
    let workspace = world.workspace("names").await;
    workspace.write_resources([(CONNECTOR, "one", connector("Ours")), (CONNECTOR, "two", connector("OURS"))]);
    must_fail(&workspace, &["plan", "-no-color"], &["Another resource of this configuration is inbound connector"]).await;

    let guid = exchange.put("InboundConnector", "From Gateway", &json!({ "SenderDomains": ["smtp:*;1"] })).expect("made");
    let before = exchange.snapshot();
    workspace.write_resources([(CONNECTOR, "one", connector("from gateway"))]);
    must_fail(&workspace, &["plan", "-no-color"], &["already exists", "import {", &guid]).await;
    must_fail(&workspace, APPLY, &["already exists", "import {", &guid]).await;
    assert_eq!(exchange.snapshot(), before, "nothing was overwritten");

    // What the state knows is no foreign object.
    exchange.remove("InboundConnector", &guid).expect("removed");
    workspace.apply().await;
    let again = workspace.run(&["plan", "-no-color", &format!("-replace={CONNECTOR}.one")]).await.must("plan");
    assert!(!again.stdout.contains("is there already"), "{}", again.stdout);
}
