//! What somebody changes by hand in Exchange Online shows in the next plan: every attribute of every resource, and what has no attribute.
//!
//! The objects of the suites, one for each attribute, are made by the provider at three steps. Then each is changed at the service from what one
//! step stored to what another one stored, so that exactly that attribute is another one, in the service's own form.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt as _;
use futures::stream;
use mailflow::provider::CATALOG;
use mailflow::sandbox::exchange::{Oddity, Options, Service};
use mailflow::schema::{Remote, Resource};
use serde_json::{Map, Value as Json, json};

use crate::host::{Action, Object, State, Stored, apply, errors, id, noun, part, parts, plan, plans_nothing, standing, suites};
use crate::lifecycle::written;
use crate::suites::Step;

/// So many parts of the objects are tried at once.
const AT_ONCE: usize = 4;

/// Attributes that are changed by hand in a test of their own below, or cannot be.
const ELSEWHERE: &[(&str, &str)] = &[
    ("exchange_accepted_domain.domain", "it is what the object is known by"),
    ("exchange_accepted_domain.match_sub_domains", "for one value of `domain_type` only"),
    ("exchange_dkim_signing_config.domain", "it is what the object is known by"),
    ("exchange_dkim_signing_config.key_size", "a rotation"),
    ("exchange_dkim_activation.domain", "it is what the object is known by"),
    ("exchange_transport_rule.priority", "a place"),
    ("exchange_transport_rule.before", "a place"),
    ("exchange_transport_rule.after", "a place"),
    ("exchange_transport_rule.actions.route_message_outbound_connector", "it names another object"),
    ("exchange_transport_rule_order.rules", "places"),
];

/// What has to be written at the service to make one stored object of another one: `null` unsets.
fn to_become(from: &Json, to: &Json) -> Json {
    let none = Map::new();
    let (from, to) = (from.as_object().unwrap_or(&none), to.as_object().unwrap_or(&none));
    let gone = from.keys().filter(|name| !to.contains_key(*name)).map(|name| (name.clone(), Json::Null));
    let other =
        to.iter().filter(|(name, value)| from.get(*name) != Some(value)).map(|(name, value)| (name.clone(), value.clone()));
    Json::Object(gone.chain(other).collect())
}

/// Tells whether an attribute is changed by hand here: what only this side knows stands nowhere.
fn is_tried(resource: &Resource, name: &str) -> bool {
    let is_local = resource.attributes.iter().any(|attribute| attribute.name == name && attribute.remote == Remote::Local);
    !is_local && !ELSEWHERE.iter().any(|(other, _)| *other == format!("{}.{name}", resource.name))
}

/// Tells whether there is one object of the kind in its suite, which is always there.
fn is_single(stored: &Stored) -> bool {
    suites().any(|suite| suite.single && suite.resource.strip_prefix("mailflow_") == Some(stored.resource.name))
}

/// What stands at the service, by address.
type Standing = BTreeMap<String, Json>;

/// Tries one part of the objects. Gives the attributes whose change was seen.
async fn changed_by_hand(index: usize) -> BTreeSet<String> {
    let service = Service::start(Options::default()).expect("a stand-in");
    let before = service.snapshot();
    let [set, changed, left_out] = [Step::Set, Step::Changed, Step::WithoutAgain].map(|step| part(index, step));
    let state = apply(&service, &changed, &State::new()).await.good();
    let with_others = standing(&service, &state);
    let state = apply(&service, &left_out, &state).await.good();
    let without = standing(&service, &state);
    let mut seen = BTreeSet::new();
    let state = by_hand(&service, &left_out, state, &[("set where it is left out", &with_others)], &mut seen).await;
    let state = apply(&service, &set, &state).await.good();
    let state = by_hand(&service, &set, state, &[("changed", &with_others), ("unset", &without)], &mut seen).await;
    apply(&service, &[], &state).await.good();
    assert_eq!(service.snapshot(), before, "after the destroy");
    seen
}

/// Makes of what stands what stood there at other times, looks at what a plan says each time, and mends it.
async fn by_hand(
    service: &Service,
    objects: &[Object],
    state: State,
    hands: &[(&str, &Standing)],
    seen: &mut BTreeSet<String>,
) -> State {
    let stands = standing(service, &state);
    for (how, theirs) in hands {
        let (now, mut touched) = (standing(service, &state), BTreeSet::new());
        for Object { address, varied, resource, .. } in objects {
            if !varied.iter().any(|name| is_tried(resource, name)) {
                continue;
            }
            let fields = to_become(&now[address], &theirs[address]);
            if fields.as_object().is_some_and(|fields| !fields.is_empty()) {
                service.put(noun(resource), &id(service, &state[address]), &fields).expect("changed");
            }
            if theirs[address] != stands[address] {
                touched.insert(address.clone());
            }
        }
        let plan = plan(service, objects, &state).await;
        assert!(errors(&plan.said).is_empty(), "{how}: {:#?}", errors(&plan.said));
        for Object { address, resource, config, varied } in objects {
            let (action, changes) = (plan.actions.get(address), &plan.changes[address]);
            if !touched.contains(address) {
                assert_eq!(action, None, "{how}: {address} is as it was");
                continue;
            }
            for attribute in varied.iter().filter(|name| is_tried(resource, name)) {
                let is_said = changes.iter().any(|path| attribute.starts_with(path.as_str()));
                // What is left out of what is always there stays as it stands, and the value of a header goes with its name.
                let is_left = config.at(attribute).is_null() && is_single(&state[address]);
                let is_value =
                    *attribute == "actions.set_header_value" && changes.iter().any(|path| path == "actions.set_header_name");
                if is_said {
                    assert!(matches!(action, Some(Action::Update | Action::Replace)), "{how}: {address} is to be {action:?}");
                    seen.insert(format!("{}.{attribute}", resource.name));
                } else if !is_left && !is_value && varied.len() == 1 {
                    panic!("{how}: {attribute} of {address} does not show: {changes:?}");
                }
            }
        }
    }
    let applied = apply(service, objects, &state).await;
    let anew: BTreeSet<String> = applied
        .plan
        .actions
        .iter()
        .filter(|(_, action)| **action == Action::Replace)
        .map(|(address, _)| address.clone())
        .collect();
    let state = applied.good();
    for (address, object) in standing(service, &state) {
        // A new object has keys and times of its own, and what is left out of what is always there stays as it stands.
        let object_of = objects.iter().find(|object| object.address == address);
        let says_nothing = object_of.is_some_and(|object| object.varied.iter().all(|name| object.config.at(name).is_null()));
        let is_left = (is_single(&state[&address]) && says_nothing) || anew.contains(&address);
        assert!(is_left || object == stands[&address], "{address} is mended to {object} and not to {}", stands[&address]);
    }
    state
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rx3_every_attribute_that_is_changed_by_hand_shows_and_is_mended() {
    let seen: Vec<BTreeSet<String>> = stream::iter(0..parts()).map(changed_by_hand).buffer_unordered(AT_ONCE).collect().await;
    let (mut missing, mut known) = (BTreeSet::new(), BTreeSet::new());
    for resource in CATALOG.resources.iter().copied().filter(|resource| resource.name.starts_with("exchange_")) {
        let mut all = BTreeSet::new();
        written("", resource.attributes, &mut all);
        missing.extend(all.iter().filter(|name| is_tried(resource, name)).map(|name| format!("{}.{name}", resource.name)));
        known.extend(all.iter().map(|name| format!("{}.{name}", resource.name)));
    }
    for (name, reason) in ELSEWHERE {
        assert!(known.contains(*name), "{name} ({reason}) is no attribute");
    }
    for name in seen.iter().flatten() {
        missing.remove(name);
    }
    assert!(missing.is_empty(), "never seen to change: {missing:#?}");
}

/// One object of each resource, with what belongs to it.
fn one_of_each() -> Vec<Object> {
    let mut objects: Vec<Object> = part(0, Step::Set);
    let mut kinds = BTreeSet::new();
    objects.retain(|object| kinds.insert(object.resource.name));
    objects
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rx3_what_has_no_attribute_and_is_changed_by_hand_shows_on_every_resource() {
    let service = Service::start(Options::default()).expect("a stand-in");
    let objects = one_of_each();
    let state = apply(&service, &objects, &State::new()).await.good();
    plans_nothing(&service, &objects, &state, "before anybody did anything").await;
    let shown = |value: &str| Oddity {
        members: json!({ "Novelty": value }).as_object().cloned().unwrap_or_default(),
        ..Oddity::default()
    };
    let rule = Oddity {
        conditions: vec!["ContentMatchesPrompt".to_owned()],
        exceptions: vec!["SenderIsStrange".to_owned()],
        actions: vec!["PaintMessage".to_owned()],
        ..shown("One")
    };
    // The settings of a whole organization are hundreds, and one resource manages three of them.
    let is_told = |object: &&Object| object.resource.name != "exchange_organization_mail_flow";
    let told: Vec<&Object> = objects.iter().filter(is_told).collect();
    let warnings = |said: &[crate::host::Said], address: &str, parts: &[&str]| {
        let own: Vec<_> = said.iter().filter(|said| said.address == *address).collect();
        let texts: Vec<&str> = own.iter().map(|said| said.text.as_str()).collect();
        assert!(
            parts.iter().all(|part| texts.iter().any(|text| text.contains(part))),
            "{address}: {parts:?} are not in {texts:#?}"
        );
        assert!(own.iter().all(|said| !said.is_error), "{texts:#?}");
    };
    let mut state = state;
    for value in ["One", "Two"] {
        for Object { address, resource, .. } in &told {
            let stored = &state[address];
            let oddity = if resource.name == "exchange_transport_rule" && value == "One" { rule.clone() } else { shown(value) };
            service.show(noun(resource), &id(&service, stored), oddity).expect("it is there");
        }
        let seen = plan(&service, &objects, &state).await;
        assert!(seen.actions.is_empty(), "{:#?}", seen.changes);
        for Object { address, resource, .. } in &told {
            let member = format!("Novelty = {value}");
            let mut parts = vec!["has changed", member.as_str()];
            if resource.name == "exchange_transport_rule" && value == "One" {
                parts.extend(["conditions: ContentMatchesPrompt", "exceptions: SenderIsStrange", "actions: PaintMessage"]);
            }
            warnings(&seen.said, address, &parts);
        }
        // Written, it is a change that apply refuses.
        let refusing: Vec<Object> = told
            .iter()
            .map(|object| Object {
                config: object.config.clone().with("unmanaged", mailflow::value::Value::set(vec![])),
                ..(*object).clone()
            })
            .chain(objects.iter().filter(|object| !is_told(object)).cloned())
            .collect();
        let refused = apply(&service, &refusing, &state).await;
        for Object { address, .. } in &told {
            let said: Vec<_> = errors(&refused.said).into_iter().filter(|said| said.address == *address).collect();
            assert!(said.len() == 1 && said[0].text.contains("Novelty"), "{address}: {said:#?}");
        }
        state = refused.state;
    }
}

const RULE: &str = "mailflow_exchange_transport_rule";
const DOMAIN: &str = "mailflow_exchange_accepted_domain";
const KEYS: &str = "mailflow_exchange_dkim_signing_config";
const ACTIVATION: &str = "mailflow_exchange_dkim_activation";
const ORDER: &str = "mailflow_exchange_transport_rule_order";

/// The attributes that a plan changes, by address, and nothing else.
async fn shown(service: &Service, objects: &[Object], state: &State) -> Vec<(String, Vec<String>)> {
    let plan = plan(service, objects, state).await;
    assert!(errors(&plan.said).is_empty(), "{:#?}", errors(&plan.said));
    plan.actions.keys().map(|address| (address.clone(), plan.changes[address].clone())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rx3_what_depends_on_others_shows_when_it_is_changed_by_hand() {
    const SIGNED: &str = "keys.contoso.onmicrosoft.com";
    let service = Service::start(Options::default()).expect("a stand-in");
    for name in ["One", "Two"] {
        let scoped = json!({ "ConnectorType": "Partner", "Enabled": true, "UseMXRecord": true, "IsTransportRuleScoped": true });
        service.put("OutboundConnector", name, &scoped).expect("made");
    }
    let rule = |name: &str, more: Json| {
        let mut rule = json!({ "name": name, "conditions": { "from_scope": "InOrganization" }, "actions": { "set_scl": 1 } });
        for (argument, value) in more.as_object().expect("arguments") {
            rule[argument] = value.clone();
        }
        Object::new(RULE, name, &rule)
    };
    let routed = rule("routed", json!({ "actions": { "route_message_outbound_connector": "One" } }));
    let domain = json!({ "domain": "contoso.com", "domain_type": "InternalRelay", "match_sub_domains": true });
    let mut objects = vec![
        routed,
        Object::new(DOMAIN, "domain", &domain),
        Object::new(KEYS, "keys", &json!({ "domain": SIGNED, "key_size": 1024 })),
    ];
    let state = apply(&service, &objects, &State::new()).await.good();
    objects.push(Object::new(ACTIVATION, "signs", &json!({ "domain": SIGNED })));
    let state = apply(&service, &objects, &state).await.good();
    plans_nothing(&service, &objects, &state, "before anybody did anything").await;
    for (noun, name, fields) in [
        ("TransportRule", "routed", json!({ "RouteMessageOutboundConnector": "Two" })),
        ("AcceptedDomain", "contoso.com", json!({ "MatchSubDomains": false })),
        ("DkimSigningConfig", SIGNED, json!({ "Selector1KeySize": 2048, "Selector2KeySize": 2048, "Enabled": false })),
    ] {
        service.put(noun, name, &fields).expect("changed");
    }
    let planned = shown(&service, &objects, &state).await;
    let one = |kind: &str, name: &str, path: &[&str]| {
        (format!("{kind}.{name}"), path.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(
        planned,
        [
            one(DOMAIN, "domain", &["match_sub_domains"]),
            // It is there while it is on.
            one(ACTIVATION, "signs", &[]),
            one(KEYS, "keys", &["key_size"]),
            one(RULE, "routed", &["actions.route_message_outbound_connector"]),
        ]
    );

    // Places.
    let placed = [
        rule("first", json!({ "priority": 0 })),
        rule("above", json!({ "before": "it" })),
        rule("it", json!({})),
        rule("below", json!({ "after": "it" })),
    ];
    let service = Service::start(Options::default()).expect("a stand-in");
    let mut state = State::new();
    for index in [2, 1, 3, 0] {
        let standing: Vec<Object> = placed
            .iter()
            .enumerate()
            .filter(|(place, object)| *place == index || state.contains_key(&object.address))
            .map(|(_, object)| object.clone())
            .collect();
        state = apply(&service, &standing, &state).await.good();
    }
    plans_nothing(&service, &placed, &state, "before anybody moved anything").await;
    service.put("TransportRule", "it", &json!({ "Priority": 0 })).expect("moved");
    let moved = shown(&service, &placed, &state).await;
    assert_eq!(moved, [one(RULE, "above", &["before"]), one(RULE, "first", &["priority"])]);
    service.put("TransportRule", "it", &json!({ "Priority": 3 })).expect("moved");
    assert_eq!(shown(&service, &placed, &state).await, [one(RULE, "below", &["after"])]);

    let ordered = ["a", "b", "c"];
    let mut objects: Vec<Object> = ordered.iter().map(|name| rule(name, json!({}))).collect();
    let service = Service::start(Options::default()).expect("a stand-in");
    let state = apply(&service, &objects, &State::new()).await.good();
    objects.push(Object::new(ORDER, "order", &json!({ "rules": ordered })));
    let state = apply(&service, &objects, &state).await.good();
    plans_nothing(&service, &objects, &state, "before anybody moved anything").await;
    service.put("TransportRule", "c", &json!({ "Priority": 0 })).expect("moved");
    assert_eq!(shown(&service, &objects, &state).await, [one(ORDER, "order", &["rules"])]);
}
