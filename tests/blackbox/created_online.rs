//! Exchange Online answers a create with another value than it was told, of each attribute of each resource: what lives is never tainted.
//!
//! As in `created.rs`: the objects of all suites are made with other values, of which the stand-in takes a whim, and then as they are wanted, without
//! Terraform, so that the attributes are tried one by one. The next plan is empty, a change in place, or the replacement that was announced, and
//! three applies in a row remove no living object.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt as _;
use futures::stream;
use mailflow::provider::CATALOG;
use mailflow::sandbox::exchange::{Options, Service, Whim};
use mailflow::schema::{Remote, Resource};

use crate::host::{Action, Object, Said, State, apply, errors, part, parts, plan, plans_nothing, standing};
use crate::suites::Step;

/// What the warning of a new object that is not as it was planned says.
const WARNING: &str = "but not all of it is as planned";

/// What it says where the next plan makes the object anew.
const REPLACES: &str = "replaces the object";

/// The attribute whose value no text may show.
const SECRET: &str = "actions.set_header_value";

/// So many parts are tried at once: what the service ignores is waited for.
const AT_ONCE: usize = 16;

fn removed(service: &Service) -> usize {
    service.calls().iter().filter(|call| call.cmdlet.starts_with("Remove-")).count()
}

fn warned(said: &[Said]) -> BTreeMap<String, String> {
    said.iter().filter(|said| said.text.contains(WARNING)).map(|said| (said.address.clone(), said.text.clone())).collect()
}

#[track_caller]
fn none_tainted(state: &State, what: &str) {
    let tainted: Vec<&String> = state.iter().filter(|(_, stored)| stored.tainted).map(|(address, _)| address).collect();
    assert!(tainted.is_empty(), "{what}: tainted are {tainted:?}");
}

/// Attributes by their dotted names, that of the resource first.
type Names = BTreeSet<String>;

/// Makes one part of the objects at a service that stores other values. Gives the attributes that were warned of, and all that it could store
/// otherwise.
async fn made(index: usize, whim: Whim) -> (Names, Names) {
    let service = Service::start(Options::default()).expect("a stand-in");
    let before = service.snapshot();
    let others = apply(&service, &part(index, Step::Changed), &State::new()).await.good();
    let bent = standing(&service, &others);
    service.bend(whim);
    service.restore(&before).expect("a snapshot");
    let removed_before = removed(&service);

    let objects = part(index, Step::Set);
    let applied = apply(&service, &objects, &State::new()).await;
    let warned = warned(&applied.said);
    let mut state = applied.good();
    none_tainted(&state, "the first apply");
    assert_eq!(state.len(), objects.len());
    let stands = standing(&service, &state);
    service.unbend();

    let mut seen = BTreeSet::new();
    let seen_plan = plan(&service, &objects, &state).await;
    assert!(errors(&seen_plan.said).is_empty(), "{:#?}", errors(&seen_plan.said));
    let mut replaced = 0;
    for Object { address, resource, varied, .. } in &objects {
        let varied: Vec<_> = varied.iter().copied().filter(|name| is_remote(resource, name)).collect();
        let warning = warned.get(address).map(String::as_str).unwrap_or_default();
        let announced = warning.contains(REPLACES);
        match seen_plan.actions.get(address) {
            None => assert!(!announced, "{address}: announced, and not planned"),
            // A validation that is still to be done changes no argument.
            Some(Action::Update) => {
                let changes = &seen_plan.changes[address];
                assert!(
                    !announced && (!warning.is_empty() || changes.is_empty()),
                    "{address} is changed without a warning: {changes:?}"
                );
            }
            Some(Action::Replace) => {
                assert!(announced, "{address} is replaced without a warning: {:?}", seen_plan.changes[address]);
                replaced += 1;
            }
            other => panic!("{address}: {other:?}"),
        }
        // What stands is what the service made of it: then it was told, on the attribute, and without a secret.
        let is_other = stands[address] == bent[address] && seen_plan.actions.contains_key(address);
        for attribute in varied.iter().copied().filter(|_| is_other) {
            if warning.contains(&format!("`{attribute}`")) {
                seen.insert(dotted(resource, attribute));
            } else {
                assert!(varied.len() > 1, "{address}: the warning does not name {attribute}:\n{warning}");
            }
            if attribute == SECRET {
                let shows = ["\"one\"", "\"two\""].iter().any(|value| warning.contains(value));
                assert!(!shows, "a secret is shown:\n{warning}");
            }
        }
    }
    if whim == Whim::AtFirst {
        return (seen, Names::new());
    }
    state = apply(&service, &objects, &state).await.good();
    none_tainted(&state, "the second apply");
    let removed = removed(&service) - removed_before;
    assert!(removed <= replaced, "{removed} objects were removed, and {replaced} replacements were announced");
    plans_nothing(&service, &objects, &state, "the third apply").await;
    let wanted = standing(&service, &state);
    // What one more write has mended is as it is wanted.
    let is_other = |object: &&Object| ![&bent[&object.address], &stands[&object.address]].contains(&&wanted[&object.address]);
    let other = objects.iter().filter(is_other);
    let other = other.flat_map(|object| {
        let names = object.varied.iter().filter(|name| is_remote(object.resource, name));
        names.map(|name| dotted(object.resource, name))
    });
    (seen, other.collect())
}

/// Tells whether the service can store another value of an attribute: whims go by the names of objects.
fn is_remote(resource: &Resource, name: &str) -> bool {
    let attribute = resource.attributes.iter().find(|attribute| attribute.name == name);
    name != resource.title && attribute.is_none_or(|attribute| attribute.remote != Remote::Local)
}

fn dotted(resource: &Resource, attribute: &str) -> String {
    format!("{}.{attribute}", resource.name)
}

async fn all(whim: Whim) -> (Names, Names) {
    let parts = stream::iter(0..parts()).map(|index| made(index, whim)).buffer_unordered(AT_ONCE).collect::<Vec<_>>().await;
    let (seen, all): (Vec<Names>, Vec<Names>) = parts.into_iter().unzip();
    (seen.into_iter().flatten().collect(), all.into_iter().flatten().collect())
}

/// RX2: a connector that the service keeps disabled is one of many values.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e16_whatever_the_service_stores_instead_is_told_on_its_attribute_and_taints_nothing() {
    let (seen, all) = all(Whim::Always).await;
    let missing: Vec<&String> = all.difference(&seen).collect();
    assert!(missing.is_empty(), "never warned of: {missing:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e16_what_the_service_stored_otherwise_at_first_is_mended_by_one_more_write() {
    let (seen, _) = all(Whim::AtFirst).await;
    // But for what cannot be changed in place.
    let replacing = CATALOG.resources.iter().flat_map(|resource| {
        resource.attributes.iter().filter(|attribute| attribute.replaces).map(|attribute| dotted(resource, attribute.name))
    });
    let replacing: Names = replacing.collect();
    let left: Vec<&String> = seen.difference(&replacing).collect();
    assert!(left.is_empty(), "not mended: {left:?}");
}
