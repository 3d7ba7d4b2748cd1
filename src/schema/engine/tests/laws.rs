//! What holds for every table, configuration, state and service.

use proptest::prelude::*;

use super::arbitrary::{Make, Service, arb_garbage, arb_record, resolve};
use super::host::{answer_problems, plan_problems, saving_problems};
use super::tables::{POOL, THING};
use crate::schema::engine::{differences, effective, guard, plan, resource_columns, resource_type, saveable, settle, validate};
use crate::schema::{Record, Resource};
use crate::value::{Path, Step, Value, msgpack};

/// How many cases each law is tried on.
const CASES: u32 = 256;

fn object(record: &Record) -> Value {
    record.clone().into_value()
}

fn arb_resource() -> impl Strategy<Value = &'static Resource> {
    // The first holds one of everything.
    prop_oneof![4 => Just(&THING), 1 => Just(POOL[1]), 1 => Just(POOL[2])]
}

/// A resource with a prior state (or none) and a configuration.
fn arb_change(make: Make) -> impl Strategy<Value = (&'static Resource, Option<Record>, Record)> {
    arb_resource().prop_flat_map(move |resource| {
        let prior = prop::option::of(arb_record(resource, Make::State));
        (Just(resource), prior, arb_record(resource, make))
    })
}

fn arb_service() -> impl Strategy<Value = Service> {
    any::<u64>().prop_map(|seed| Service { seed })
}

/// Applies a plan at a service and gives what is stored in the state.
fn apply(resource: &'static Resource, planned: &Record, config: &Record, service: Service) -> Result<Record, TestCaseError> {
    let remote = service.stores(resource, &effective(resource, planned, config));
    let (state, problems) = guard(resource, planned, settle(resource, planned, &remote));
    prop_assert!(problems.is_empty(), "{problems:#?}\nremote {remote:?}");
    let problems = answer_problems(&object(planned), &object(&state));
    prop_assert!(problems.is_empty(), "{problems:#?}");
    Ok(state)
}

/// A configuration without the attributes of it that are not allowed.
fn mended(resource: &Resource, mut config: Record) -> Record {
    for problem in validate(resource.attributes, &[], &config, true) {
        if let Some(Step::Attribute(name)) = problem.path.as_ref().and_then(|path| path.0.first()) {
            config.set(name.as_str(), if name == "name" { Value::text("one") } else { Value::Null });
        }
    }
    config
}

fn is_valid(resource: &Resource, config: &Record) -> bool {
    validate(resource.attributes, &[], config, true).is_empty()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn points_16_to_23_every_plan_is_one_that_the_host_accepts((resource, prior, config) in arb_change(Make::Wild)) {
        let result = plan(resource, prior.as_ref(), &config, &Record::new());
        let planned = object(&result.planned.unwrap());
        let before = prior.as_ref().map(object).unwrap_or_default();
        let problems = plan_problems(&resource_columns(resource), &before, &object(&config), &planned);
        prop_assert!(problems.is_empty(), "{problems:#?}");
        let bytes = msgpack::encode(&planned, &resource_type(resource));
        prop_assert!(bytes.is_ok(), "{bytes:?}");
        // Paths that make a new object lead somewhere before or after.
        for path in result.replace {
            let leads = |record: &Record| record.at_path(&path).is_some() || path.0.len() > 1;
            prop_assert!(leads(prior.as_ref().unwrap()) || leads(&Record::from_value(planned.clone())), "{path}");
        }
    }

    #[test]
    fn a_plan_does_not_depend_on_what_the_host_proposes((resource, prior, config) in arb_change(Make::Wild)) {
        let one = plan(resource, prior.as_ref(), &config, &Record::new());
        let other = plan(resource, prior.as_ref(), &config, &config);
        prop_assert_eq!((one.planned, one.replace), (other.planned, other.replace));
    }

    #[test]
    fn point_25_a_second_plan_keeps_what_the_first_one_knew(
        (resource, prior, config, known) in arb_resource().prop_flat_map(|resource| (
            Just(resource),
            prop::option::of(arb_record(resource, Make::State)),
            arb_record(resource, Make::PartlyUnknown),
            arb_record(resource, Make::Config),
        ))
    ) {
        let first = plan(resource, prior.as_ref(), &config, &Record::new()).planned.unwrap();
        let known = Record::from_value(resolve(&object(&config), &object(&known)));
        let second = plan(resource, prior.as_ref(), &known, &Record::new()).planned.unwrap();
        let problems = answer_problems(&object(&first), &object(&second));
        prop_assert!(problems.is_empty(), "{problems:#?}");
    }

    #[test]
    fn points_29_to_35_whatever_a_service_answers_can_be_saved(
        (resource, config, answer) in arb_resource().prop_flat_map(|resource| (
            Just(resource),
            arb_record(resource, Make::Wild),
            prop_oneof![arb_garbage(resource), arb_record(resource, Make::State), arb_record(resource, Make::Wild)],
        ))
    ) {
        let planned = plan(resource, None, &config, &Record::new()).planned.unwrap();
        let columns = resource_columns(resource);
        for applied in [settle(resource, &planned, &answer), answer.clone()] {
            let (saved, problems) = guard(resource, &planned, applied);
            let saved = object(&saved);
            prop_assert_eq!(saving_problems(&columns, &saved), Vec::<String>::new());
            let bytes = msgpack::encode(&saved, &resource_type(resource)).unwrap();
            prop_assert_eq!(msgpack::decode(&bytes, &resource_type(resource)).unwrap(), saved.clone());
            // What passes here must pass at the host, which would not save it otherwise.
            if problems.is_empty() {
                let problems = answer_problems(&object(&planned), &saved);
                prop_assert!(problems.is_empty(), "{problems:#?}");
            }
        }
        let (saved, _) = saveable(resource, &answer);
        prop_assert_eq!(saving_problems(&columns, &object(&saved)), Vec::<String>::new());
    }

    #[test]
    fn e17_a_second_plan_is_empty_however_the_service_spells_things(
        (resource, config, next, service) in arb_resource().prop_flat_map(|resource| (
            Just(resource),
            arb_record(resource, Make::Config),
            arb_record(resource, Make::Config),
            arb_service(),
        ))
    ) {
        let (config, next) = (mended(resource, config), mended(resource, next));
        prop_assume!(is_valid(resource, &config) && is_valid(resource, &next));
        let mut prior = None;
        for config in [&config, &next] {
            let result = plan(resource, prior.as_ref(), config, &Record::new());
            // What must be made anew is planned again, from nothing.
            if !result.replace.is_empty() {
                prior = None;
            }
            let planned = plan(resource, prior.as_ref(), config, &Record::new()).planned.unwrap();
            let state = apply(resource, &planned, config, service)?;
            let second = plan(resource, Some(&state), config, &Record::new());
            prop_assert_eq!(second.planned.as_ref(), Some(&state));
            prop_assert_eq!(second.replace, Vec::<Path>::new());
            prop_assert!(second.diagnostics.is_empty());
            prop_assert_eq!(differences(resource, &state, &second.planned.unwrap()), Vec::<Path>::new());

            // Another spelling at the next read changes nothing.
            let sent = effective(resource, &state, config);
            let respelled = Service { seed: service.seed.wrapping_add(1) }.stores(resource, &sent);
            let read = settle(resource, &state, &respelled);
            prop_assert_eq!(&read, &state);
            prior = Some(state);
        }
    }

    #[test]
    fn point_40_an_imported_object_needs_no_change(
        (resource, config, service) in arb_resource()
            .prop_flat_map(|resource| (Just(resource), arb_record(resource, Make::Config), arb_service()))
    ) {
        let config = mended(resource, config);
        prop_assume!(is_valid(resource, &config));
        let planned = plan(resource, None, &config, &Record::new()).planned.unwrap();
        let remote = service.stores(resource, &effective(resource, &planned, &config));
        let imported = settle(resource, &Record::new(), &remote);
        prop_assert_eq!(saving_problems(&resource_columns(resource), &object(&imported)), Vec::<String>::new());
        let result = plan(resource, Some(&imported), &config, &Record::new());
        prop_assert_eq!(result.replace, Vec::<Path>::new());
        prop_assert!(result.diagnostics.is_empty());
        // Only what was written without being stored is not known to be the same.
        for path in differences(resource, &imported, &result.planned.unwrap()) {
            let secret = format!("{path}_wo");
            let is_secret = !config.at(&secret).is_null() || path == Path::dotted("destination");
            prop_assert!(is_secret, "{path}");
        }
    }

    #[test]
    fn p03_nothing_panics_on_anything_unknown((resource, prior, config) in arb_change(Make::Wild)) {
        drop(validate(resource.attributes, resource.rules, &config, false));
        let planned = plan(resource, prior.as_ref(), &config, &Record::new()).planned.unwrap();
        drop(differences(resource, &prior.unwrap_or_default(), &planned));
        drop(settle(resource, &config, &planned));
        drop(effective(resource, &config, &planned));
    }
}
