//! The order of message filters and of sender groups: by an order resource after one apply, by `before` alone, and what a plan says of it.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::support::{Must, Release, Workspace, World};

const FILTER: &str = "mailflow_gateway_message_filter";
const FILTER_ORDER: &str = "mailflow_gateway_message_filter_order";
const GROUP: &str = "mailflow_gateway_sender_group";
const GROUP_ORDER: &str = "mailflow_gateway_sender_group_order";

/// One of the two kinds of objects whose order counts.
#[derive(Clone, Copy)]
struct Kind {
    resource: &'static str,
    order: &'static str,
    arguments: fn(&str) -> Json,
    /// The names at the gateway, in their order.
    standing: fn(&World) -> Vec<String>,
}

const FILTERS: Kind = Kind {
    resource: FILTER,
    order: FILTER_ORDER,
    arguments: |name| json!({ "name": name, "script": "if (true) { skip-filters(); }" }),
    standing: |world| world.stand_ins.gateway.configuration().filters.iter().map(|filter| filter.name.clone()).collect(),
};

const GROUPS: Kind = Kind {
    resource: GROUP,
    order: GROUP_ORDER,
    arguments: |name| json!({ "listener": "IncomingMail", "name": name, "policy": "ACCEPTED", "senders": [format!("{name}.example")] }),
    standing: |world| {
        let configuration = world.stand_ins.gateway.configuration();
        let listener = configuration.listeners.iter().find(|one| one.name == "IncomingMail").expect("the listener is there");
        listener.hat.groups.iter().map(|group| group.name.clone()).collect()
    },
};

impl Kind {
    fn named(self, name: &str) -> String {
        format!("${{{}.{name}.name}}", self.resource)
    }

    /// The names of ours, in their order.
    fn ours(self, world: &World) -> String {
        (self.standing)(world).into_iter().filter(|name| name.len() == 1).collect()
    }

    fn objects<'n>(self, names: &[&'n str], more: impl Fn(&str) -> Json) -> Vec<(&'static str, &'n str, Json)> {
        let object = |name: &'n str| {
            let mut arguments = (self.arguments)(name);
            if let (Json::Object(arguments), Json::Object(more)) = (&mut arguments, more(name)) {
                arguments.extend(more);
            }
            (self.resource, name, arguments)
        };
        names.iter().map(|name| object(name)).collect()
    }

    fn order(self, names: &Json) -> (&'static str, &'static str, Json) {
        match self.resource {
            GROUP => (self.order, "all", json!({ "listener": "IncomingMail", "names": names })),
            _ => (self.order, "all", json!({ "names": names })),
        }
    }

    /// The objects, and their order.
    fn ordered<'n>(self, order: &[&'n str]) -> Vec<(&'static str, &'n str, Json)>
    where
        'static: 'n,
    {
        let mut names = order.to_vec();
        names.sort_unstable();
        let mut all = self.objects(&names, |_| Json::Null);
        all.push(self.order(&order.iter().map(|name| self.named(name)).collect()));
        all
    }

    /// The objects, each before the next one.
    fn chained<'n>(self, order: &[&'n str]) -> Vec<(&'static str, &'n str, Json)> {
        self.objects(order, |name| match order.iter().skip_while(|other| **other != name).nth(1) {
            Some(next) => json!({ "before": self.named(next) }),
            None => Json::Null,
        })
    }
}

/// All orders of four, each differing a lot from the one before it.
fn permutations() -> Vec<[&'static str; 4]> {
    let names = ["a", "b", "c", "d"];
    let mut all = Vec::new();
    for first in 0..4 {
        for second in (0..4).filter(|second| *second != first) {
            for third in (0..4).filter(|third| *third != first && *third != second) {
                let fourth = 6 - first - second - third;
                all.push([first, second, third, fourth].map(|at| names[at]));
            }
        }
    }
    // A step of seven comes by all 24.
    (0..all.len()).map(|at| all[at * 7 % all.len()]).collect()
}

const APPLY: &[&str] = &["apply", "-auto-approve", "-no-color"];

async fn applied(workspace: &Workspace<'_>, what: &str) -> String {
    let outcome = workspace.run(APPLY).await.must(what);
    format!("{}{}", outcome.stdout, outcome.stderr)
}

/// Ends the test unless the run fails and says all of this, wrapped or not.
async fn must_fail(workspace: &Workspace<'_>, arguments: &[&str], words: &[&str]) {
    let outcome = workspace.run(arguments).await;
    assert!(!outcome.succeeded(), "{arguments:?} succeeds:\n{}", outcome.stdout);
    let said = format!("{}{}", outcome.stdout, outcome.stderr).replace(['│', '\n', '╷', '╵'], " ");
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    for word in words {
        assert!(said.contains(word), "{word:?} is not said:\n{said}");
    }
}

/// Walks through all orders of four: each stands after one apply, and the plan after it is empty.
async fn each_order(kind: Kind, release: Release) {
    let world = World::start();
    let workspace = world.workspace_on(release, "orders").await;
    for order in permutations() {
        let wanted = order.concat();
        workspace.write_resources(kind.ordered(&order));
        applied(&workspace, &wanted).await;
        assert_eq!(kind.ours(&world), wanted);
        workspace.must_plan_nothing(&format!("after {wanted}")).await;
    }
    // Without the order, all stays.
    let last = kind.ours(&world);
    let all = kind.ordered(&["a", "b", "c", "d"]);
    workspace.write_resources(all.into_iter().filter(|(resource, ..)| *resource != kind.order));
    applied(&workspace, "the order goes").await;
    assert_eq!(kind.ours(&world), last);
    workspace.must_plan_nothing("after the order went").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rg8_four_filters_stand_in_each_order_after_one_apply() {
    each_order(FILTERS, Release::Oldest).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rg8_four_groups_stand_in_each_order_after_one_apply() {
    each_order(GROUPS, Release::Newest).await;
}

/// Walks through all orders by `before` alone. Where one apply is not enough, the plan has said so, and a second one is.
async fn each_chain(kind: Kind) {
    let world = World::start();
    let workspace = world.workspace("chains").await;
    let mut seconds = 0;
    for order in permutations() {
        let wanted = order.concat();
        workspace.write_resources(kind.chained(&order));
        let said = applied(&workspace, &wanted).await;
        let planned = workspace.run(&["plan", "-no-color", "-detailed-exitcode"]).await;
        if planned.code == Some(2) {
            assert!(
                said.contains("second apply"),
                "{wanted} is not reached, and the plan did not say so:\n{said}\n{}",
                planned.stdout
            );
            seconds += 1;
            applied(&workspace, &format!("{wanted} once more")).await;
            workspace.must_plan_nothing(&format!("after {wanted} by `before`")).await;
        }
        assert_eq!(kind.ours(&world), wanted);
    }
    eprintln!("{seconds} of 24 took a second apply");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rg8_before_alone_brings_four_filters_into_each_order() {
    each_chain(FILTERS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rg8_before_alone_brings_four_groups_into_each_order() {
    each_chain(GROUPS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rg8_who_does_not_change_is_moved_back_when_another_one_moves_past_it() {
    for kind in [FILTERS, GROUPS] {
        for literal in [false, true] {
            let world = World::start();
            let workspace = world.workspace("past").await;
            let before = |name: &str| if literal { json!({ "before": name }) } else { json!({ "before": kind.named(name) }) };
            workspace.write_resources(kind.chained(&["a", "b", "c"]));
            applied(&workspace, "the first order").await;
            assert_eq!(kind.ours(&world), "abc");
            workspace.write_resources(kind.objects(&["a", "b", "c"], |name| match name {
                "b" => before("c"),
                "c" => before("a"),
                _ => Json::Null,
            }));
            let said = applied(&workspace, "b before c, c before a").await;
            if kind.ours(&world) != "bca" {
                assert!(said.contains("second apply"), "{said}");
                applied(&workspace, "once more").await;
            }
            assert_eq!(kind.ours(&world), "bca", "literal: {literal}");
            workspace.must_plan_nothing("after the order was turned").await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_stand_between_and_a_literal_name_is_made_in_the_same_run() {
    for kind in [FILTERS, GROUPS] {
        let world = World::start();
        let workspace = world.workspace("between").await;
        let mut all = kind.objects(&["a", "b", "c"], |_| Json::Null);
        all.push(kind.order(&json!(["c", "a"])));
        workspace.write_resources(all.clone());
        applied(&workspace, "literal names").await;
        let order = kind.ours(&world);
        assert!(order.find('c') < order.find('a'), "{order}");
        workspace.must_plan_nothing("after literal names").await;

        // Somebody puts another one between, and somebody turns the order.
        world.stand_ins.gateway.edit(|configuration| {
            configuration.filters.reverse();
            configuration.listeners.iter_mut().for_each(|listener| listener.hat.groups.reverse());
        });
        let planned = workspace.plan().await;
        assert_eq!(planned, BTreeMap::from([(format!("{}.all", kind.order), "update".to_owned())]));
        applied(&workspace, "the order again").await;
        let order = kind.ours(&world);
        assert!(order.find('c') < order.find('a'), "{order}");
        workspace.must_plan_nothing("after the order was restored").await;

        all.pop();
        all.push(kind.order(&json!(["c", "nobody"])));
        workspace.write_resources(all);
        must_fail(&workspace, &["plan", "-no-color"], &["\"nobody\"", "write a reference"]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_place_that_contradicts_the_order_is_an_error_at_plan() {
    for kind in [FILTERS, GROUPS] {
        let world = World::start();
        let workspace = world.workspace("against").await;
        let write = |order: [&str; 2], before: &str| {
            let mut all =
                kind.objects(&["a", "b", "c"], |name| if name == "b" { json!({ "before": before }) } else { Json::Null });
            all.push(kind.order(&order.iter().map(|name| kind.named(name)).collect()));
            workspace.write_resources(all);
        };
        write(["a", "b"], "a");
        must_fail(&workspace, &["plan", "-no-color"], &["contradict each other", "names"]).await;
        write(["a", "b"], "c");
        applied(&workspace, "no contradiction").await;
        assert_eq!(kind.ours(&world), "abc");
        workspace.must_plan_nothing("after a place within the order").await;
        write(["b", "c"], "c");
        applied(&workspace, "another order").await;
        write(["c", "b"], "c");
        must_fail(&workspace, &["plan", "-no-color"], &["contradict each other", "before"]).await;
        let mut all = kind.objects(&["a"], |_| Json::Null);
        all.push(kind.order(&json!(["a", "a"])));
        workspace.write_resources(all);
        must_fail(&workspace, &["plan", "-no-color"], &["named twice"]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_imported_by_its_word_and_by_its_listener() {
    let world = World::start();
    let workspace = world.workspace("made").await;
    workspace.write_resources(FILTERS.ordered(&["b", "a"]).into_iter().chain(GROUPS.ordered(&["b", "a"])));
    applied(&workspace, "both orders").await;
    for release in Release::BOTH {
        let fresh = world.workspace_on(release, &format!("imported-{release}")).await;
        let groups = ["WHITELIST", "BLACKLIST", "SUSPECTLIST", "UNKNOWNLIST", "b", "a"];
        let orders = [FILTERS.order(&json!(["b", "a"])), GROUPS.order(&json!(groups))];
        fresh.write_resources(orders);
        fresh.write_imports(&BTreeMap::from([
            (format!("{FILTER_ORDER}.all"), "message_filter_order".to_owned()),
            (format!("{GROUP_ORDER}.all"), "IncomingMail".to_owned()),
        ]));
        let planned = fresh.plan().await;
        assert!(planned.values().all(|action| action == "import") && planned.len() == 2, "{planned:?}");
        applied(&fresh, "the import").await;
        fresh.must_plan_nothing("after the import").await;
        let before = world.stand_ins.gateway.snapshot();
        fresh.destroy().await;
        assert_eq!(world.stand_ins.gateway.snapshot(), before, "nothing is moved when an order goes");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filter_and_a_group_are_renamed_in_place_in_one_commit() {
    for release in Release::BOTH {
        for kind in [FILTERS, GROUPS] {
            let world = World::start();
            let workspace = world.workspace_on(release, "renamed").await;
            workspace.write_resources(kind.ordered(&["a", "b", "c"]));
            applied(&workspace, "three").await;
            let renamed = |name: &'static str| {
                let mut all = kind.ordered(&["a", "b", "c"]);
                all[1].2["name"] = json!(name);
                all
            };
            let commits = world.stand_ins.gateway.counters().commits;
            workspace.write_resources(renamed("x"));
            let said = applied(&workspace, "the new name").await;
            assert!(said.contains("0 added") && said.contains("0 destroyed"), "{said}");
            assert_eq!(kind.ours(&world), "axc");
            assert_eq!(world.stand_ins.gateway.counters().commits, commits + 1, "{said}");
            workspace.must_plan_nothing("after the new name").await;
            let id = &workspace.state()[&format!("{}.b", kind.resource)]["id"];
            assert!(id.as_str().is_some_and(|id| id.ends_with('x')), "{id}");

            // Each takes the name of the next one.
            let mut all = kind.ordered(&["a", "b", "c"]);
            for (at, name) in ["x", "c", "y"].into_iter().enumerate() {
                all[at].2["name"] = json!(name);
            }
            workspace.write_resources(all);
            applied(&workspace, "names passed on").await;
            assert_eq!(kind.ours(&world), "xcy");
            workspace.must_plan_nothing("after names were passed on").await;
            workspace.destroy().await;
        }
    }
}

const RULE: &str = "mailflow_exchange_transport_rule";
const RULE_ORDER: &str = "mailflow_exchange_transport_rule_order";

fn rule(name: &str, place: Json) -> (&'static str, String, Json) {
    let mut arguments =
        json!({ "name": name, "conditions": { "sender_domain_is": ["a.example"] }, "actions": { "prepend_subject": "X: " } });
    if let (Json::Object(arguments), Json::Object(place)) = (&mut arguments, place) {
        arguments.extend(place);
    }
    (RULE, name.to_owned(), arguments)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_that_does_not_change_is_moved_back_and_one_that_contradicts_the_order_is_an_error() {
    let world = World::start();
    let workspace = world.workspace("rules").await;
    let write = |all: Vec<(&'static str, String, Json)>| {
        workspace.write_resources(all.iter().map(|(kind, name, arguments)| (*kind, name.as_str(), arguments.clone())));
    };
    let standing = || {
        let snapshot = world.stand_ins.exchange.snapshot();
        let rules = snapshot["TransportRule"].as_array().expect("the snapshot lists the rules").clone();
        rules.iter().map(|rule| rule["Name"].as_str().unwrap_or_default().to_owned()).collect::<String>()
    };
    let before = |name: &str| json!({ "before": format!("${{{RULE}.{name}.name}}") });
    write(vec![rule("a", before("b")), rule("b", before("c")), rule("c", json!({}))]);
    applied(&workspace, "the first order").await;
    assert_eq!(standing(), "abc");
    write(vec![rule("a", json!({})), rule("b", before("c")), rule("c", before("a"))]);
    let said = applied(&workspace, "b before c, c before a").await;
    if standing() != "bca" {
        assert!(said.contains("second apply"), "{said}");
        applied(&workspace, "once more").await;
    }
    assert_eq!(standing(), "bca");
    workspace.must_plan_nothing("after the order was turned").await;

    let order = |names: &str| {
        let names: Vec<String> = names.chars().map(|name| format!("${{{RULE}.{name}.name}}")).collect();
        (RULE_ORDER, "all".to_owned(), json!({ "rules": names }))
    };
    write(vec![rule("a", json!({})), rule("b", before("c")), rule("c", json!({})), order("cb")]);
    must_fail(&workspace, &["plan", "-no-color"], &["contradict each other", "before"]).await;
    write(vec![rule("a", json!({})), rule("b", json!({ "priority": 0 })), rule("c", json!({})), order("cb")]);
    must_fail(&workspace, &["plan", "-no-color"], &["contradict each other", "priority"]).await;
    write(vec![rule("a", json!({})), rule("b", before("c")), rule("c", json!({})), order("bca")]);
    applied(&workspace, "the order").await;
    workspace.must_plan_nothing("with an order that agrees").await;
    workspace.destroy().await;
}
