//! The steps of a lifecycle: which objects a configuration has at each, and what the state must then say.

use std::collections::BTreeMap;

use mailflow::provider::CATALOG;
use mailflow::schema::{Attribute, Import};
use serde_json::Value as Json;

use super::{Step, Suite, Variant};

/// The objects of one step: address parts and arguments.
pub fn objects(suites: &[&Suite], step: Step) -> Vec<(&'static str, String, Json)> {
    let mut found = Vec::new();
    for suite in suites {
        if suite.single {
            let mut arguments = (suite.base)(0);
            for variant in (suite.variants)() {
                variant.apply(step, &mut arguments);
            }
            found.push((suite.resource, "only".to_owned(), arguments));
            continue;
        }
        for (index, variant) in (suite.variants)().into_iter().enumerate() {
            let mut arguments = (suite.base)(index);
            variant.apply(step, &mut arguments);
            found.push((suite.resource, name(index, &variant), arguments));
        }
    }
    found
}

fn name(index: usize, variant: &Variant) -> String {
    format!("{}_{index}", variant.attribute.replace('.', "_"))
}

fn value_at<'j>(json: &'j Json, dotted: &str) -> &'j Json {
    dotted.split('.').fold(json, |value, name| &value[name])
}

/// Holds what state says of each varied attribute against what was asked for.
pub fn check_state(suites: &[&Suite], step: Step, state: &BTreeMap<String, Json>) {
    for suite in suites {
        for (index, variant) in (suite.variants)().into_iter().enumerate() {
            let name = if suite.single { "only".to_owned() } else { name(index, &variant) };
            let address = format!("{}.{name}", suite.resource);
            let object = state.get(&address).unwrap_or_else(|| panic!("{address} is not in the state"));
            let found = value_at(object, variant.attribute);
            if let Some(wanted) = variant.wanted(step) {
                let (found, wanted) = (sorted(found), sorted(&wanted));
                assert!(
                    includes(&found, &wanted),
                    "{address}: {} after the step {step:?} is {found} and not {wanted}",
                    variant.attribute
                );
            }
        }
    }
}

/// Tells whether a value is the wanted one; an object may have more members than were asked for.
fn includes(found: &Json, wanted: &Json) -> bool {
    match (found, wanted) {
        (Json::Array(found), Json::Array(wanted)) => {
            found.len() == wanted.len() && found.iter().zip(wanted).all(|(found, wanted)| includes(found, wanted))
        }
        (Json::Object(found), Json::Object(wanted)) => {
            wanted.iter().all(|(name, wanted)| found.get(name).is_some_and(|found| includes(found, wanted)))
        }
        (found, wanted) => found == wanted,
    }
}

/// Brings the elements of lists into one order: a set has none.
fn sorted(json: &Json) -> Json {
    match json {
        Json::Array(items) => {
            let mut items: Vec<Json> = items.iter().map(sorted).collect();
            items.sort_by_key(Json::to_string);
            Json::Array(items)
        }
        Json::Object(members) => Json::Object(
            members.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.clone(), sorted(value))).collect(),
        ),
        other => other.clone(),
    }
}

/// What was set and removed again is what it was when it had never been set.
pub fn check_same_as_never_set(suites: &[&Suite], never: &BTreeMap<String, Json>, again: &BTreeMap<String, Json>) {
    for suite in suites {
        for (index, variant) in (suite.variants)().into_iter().enumerate() {
            let name = if suite.single { "only".to_owned() } else { name(index, &variant) };
            let address = format!("{}.{name}", suite.resource);
            let (first, last) = (value_at(&never[&address], variant.attribute), value_at(&again[&address], variant.attribute));
            let stays = variant.stays || is_always_there(suite.resource, &again[&address]);
            let first = if stays { &variant.wanted(Step::Changed).unwrap_or_default() } else { first };
            assert_eq!(sorted(first), sorted(last), "{address}: {} set and removed again", variant.attribute);
        }
    }
}

/// Tells whether an object is one that is always there: what is left out of it stays as it stands.
fn is_always_there(resource: &str, object: &Json) -> bool {
    let resource = CATALOG.resource(resource).expect("it is offered");
    let is_there = |attribute: &Attribute| {
        attribute.always_there.is_some_and(|is_there| object[attribute.name].as_str().is_some_and(is_there))
    };
    matches!(resource.import, Import::Singleton { .. }) || resource.attributes.iter().any(is_there)
}
