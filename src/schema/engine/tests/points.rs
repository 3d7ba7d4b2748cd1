//! One example or more for each point of the protocol's rules for plans and answers, and for what the engine promises beside them.

use super::arbitrary::resolve;
use super::tables::{CATALOG, ONLY, PAIR, THING};
use crate::schema::engine::{
    Plan, answer, data_type, differences, effective, guard, identity, identity_type, key, object_type, parse_key, plan,
    resource_type, same, saveable, settings_type, settle, with_defaults,
};
use crate::schema::{Attribute, Record, Resource};
use crate::value::{Path, Refinement, Type, Value, msgpack};

fn unknown_text(prefix: &str) -> Value {
    Value::Unknown(Some(Box::new(Refinement { null: Some(false), prefix: Some(prefix.to_owned()), ..Refinement::default() })))
}

fn some(members: &[(&str, Value)]) -> Value {
    Value::object(members.iter().map(|(name, value)| (*name, value.clone())))
}

fn record(members: &[(&str, Value)]) -> Record {
    Record::from_value(some(members))
}

/// A thing's configuration: what it must have, and these.
fn config(members: &[(&str, Value)]) -> Record {
    let mut config = record(&[("name", "one".into()), ("kind", "Partner".into())]);
    for (name, value) in members {
        config.set(*name, value.clone());
    }
    config
}

/// The state of a thing that was made of a configuration by a service that takes everything as it is sent.
fn state(config: &Record) -> Record {
    let planned = plan(&THING, None, config, &Record::new()).planned.unwrap();
    let sent = effective(&THING, &planned, config).into_value();
    let made = [("id", "id-1"), ("guid", "guid-1"), ("stamp", "t1")].map(|(name, value)| (name, Value::text(value)));
    let numbers = [("priority", Value::integer(3)), ("position", Value::integer(4))];
    let remote = Record::from_value(resolve(&sent, &some(&[made.as_slice(), &numbers].concat())));
    let (state, problems) = guard(&THING, &planned, settle(&THING, &planned, &remote));
    assert!(problems.is_empty(), "{problems:#?}");
    state
}

/// Plans a change of a thing.
fn change(before: &Record, after: &Record) -> (Record, Plan) {
    let result = plan(&THING, Some(before), after, &Record::new());
    (result.planned.clone().unwrap(), result)
}

fn paths(paths: &[Path]) -> Vec<String> {
    paths.iter().map(Path::to_string).collect()
}

fn attribute(name: &str) -> &'static Attribute {
    THING.attributes.iter().find(|attribute| attribute.name == name).unwrap()
}

#[test]
fn what_is_implied_beside_a_setting_means_the_same_written_or_left_out() {
    let with = |members: &[(&str, Value)]| config(&[("actions", some(members))]);
    let left_out = with(&[("answer", "no".into())]);
    let written = with(&[("answer", "no".into()), ("manner", "Soft".into())]);
    for (before, after) in [(&left_out, &written), (&written, &left_out)] {
        let before = state(before);
        assert_eq!(before.at("actions.manner").as_text(), Some("Soft"));
        let (planned, _) = change(&before, after);
        assert_eq!(planned, before);
    }
    // What differs from it comes back to it, and goes with the setting.
    let (planned, _) = change(&state(&with(&[("answer", "no".into()), ("manner", "Hard".into())])), &left_out);
    assert_eq!(planned.at("actions.manner").as_text(), Some("Soft"));
    let (planned, _) = change(&state(&left_out), &with(&[("stop", true.into())]));
    assert_eq!(planned.at("actions.manner"), &Value::Null);
    let planned = plan(&THING, None, &with(&[("answer", Value::UNKNOWN)]), &Record::new()).planned.unwrap();
    assert!(planned.at("actions.manner").is_unknown());
}

#[test]
fn point_16_a_plan_has_the_schema_s_type_whatever_is_left_out() {
    let planned = plan(&THING, None, &config(&[]), &Record::new()).planned.unwrap();
    let Type::Object(types) = resource_type(&THING) else { panic!("no object") };
    assert!(planned.iter().map(|(name, _)| name).eq(types.keys()));
    assert!(msgpack::encode(&planned.into_value(), &resource_type(&THING)).is_ok());
}

#[test]
fn point_17_a_configured_value_is_planned_as_configured_or_as_it_was() {
    let before = state(&config(&[
        ("domains", Value::texts(["aaaa", "bbbb"])),
        ("steps", Value::List(vec!["x".into()])),
        ("comment", "c".into()),
    ]));
    let (planned, _) = change(
        &before,
        &config(&[
            ("domains", Value::texts(["smtp:AAAA;1", "bbbb"])),
            ("steps", Value::List(vec!["X".into()])),
            ("comment", "C".into()),
        ]),
    );
    assert_eq!(planned.get("domains"), &Value::texts(["aaaa", "bbbb"]), "the same set in another spelling");
    assert_eq!(planned.get("steps"), &Value::List(vec!["x".into()]), "the same list in another spelling");
    assert_eq!(planned.get("comment"), &"C".into(), "case counts where no meaning says otherwise");

    let (planned, _) = change(&before, &config(&[("domains", Value::texts(["smtp:AAAA;1", "cccc"]))]));
    assert_eq!(
        planned.get("domains"),
        &Value::texts(["smtp:AAAA;1", "cccc"]),
        "a changed set is spelled as configured, as a whole"
    );
}

#[test]
fn point_18_what_is_not_configured_is_null_unless_the_service_may_set_it() {
    let planned = plan(&THING, None, &config(&[]), &record(&[("comment", "from elsewhere".into())])).planned.unwrap();
    for name in ["comment", "domains", "place", "ratio", "timeouts"] {
        assert_eq!(planned.get(name), &Value::Null, "{name}");
    }
    let filled = [
        ("ranges", Value::Set(vec![])),
        ("mode", "Enforce".into()),
        ("enabled", true.into()),
        ("limit", 10.into()),
        ("check", false.into()),
    ];
    for (name, value) in filled {
        assert_eq!(planned.get(name), &value, "{name}");
    }
    let limits = some(&[("count", 10.into()), ("unit", "hour".into()), ("note", Value::Null)]);
    assert_eq!(planned.get("limits"), &limits, "an object of defaults");
    for name in ["id", "guid", "stamp", "priority", "position", "report"] {
        assert_eq!(planned.get(name), &Value::UNKNOWN, "{name}");
    }
}

#[test]
fn point_19_what_the_service_set_is_kept_and_unknown_only_where_a_change_may_move_it() {
    let before = state(&config(&[]));
    let (same, _) = change(&before, &config(&[]));
    assert_eq!(same, before, "nothing to do, nothing unknown");

    let (planned, _) = change(&before, &config(&[("comment", "new".into())]));
    let kept = [("id", "id-1".into()), ("guid", "guid-1".into()), ("priority", 3.into())];
    for (name, value) in kept {
        assert_eq!(planned.get(name), &value, "{name} is fixed");
    }
    for name in ["stamp", "position", "report"] {
        assert_eq!(planned.get(name), &Value::UNKNOWN, "{name} moves");
    }

    let timeouts = some(&[("create", "5m".into()), ("read", Value::Null), ("update", Value::Null), ("delete", Value::Null)]);
    let (planned, _) = change(&before, &config(&[("timeouts", timeouts)]));
    assert_eq!(planned.get("stamp"), &"t1".into(), "the service hears nothing of timeouts");
}

#[test]
fn point_19_removing_a_filled_argument_removes_the_setting() {
    let before = state(&config(&[
        ("ranges", Value::texts(["aaaa"])),
        ("mode", "Audit".into()),
        ("limit", 20.into()),
        ("priority", 1.into()),
    ]));
    let (planned, _) = change(&before, &config(&[]));
    assert_eq!(planned.get("ranges"), &Value::Set(vec![]));
    assert_eq!(planned.get("mode"), &"Enforce".into());
    assert_eq!(planned.get("limit"), &10.into());
    assert_eq!(planned.get("priority"), before.get("priority"), "what is left to the service stays as it is");
}

#[test]
fn point_20_unknown_in_the_configuration_stays_unknown_and_promises_no_spelling() {
    let planned = plan(
        &THING,
        Some(&state(&config(&[("mode", "audit".into())]))),
        &config(&[
            ("mode", unknown_text("AU")),
            ("steps", Value::List(vec!["a".into(), unknown_text("b")])),
            ("actions", Value::UNKNOWN),
        ]),
        &Record::new(),
    )
    .planned
    .unwrap();
    let bare = Value::Unknown(Some(Box::new(Refinement { null: Some(false), ..Refinement::default() })));
    assert_eq!(planned.get("mode"), &bare, "it may turn out to mean what stands there, in another spelling");
    assert_eq!(planned.get("steps"), &Value::List(vec!["a".into(), bare]));
    assert_eq!(planned.get("actions"), &Value::UNKNOWN);
}

#[test]
fn point_21_nested_objects_follow_the_rules_member_by_member() {
    let host = |host: &str, port: Value| some(&[("host", host.into()), ("port", port)]);
    let before = state(&config(&[
        ("destination", Value::List(vec![host("aaaa", Value::Null), host("bbbb", 30.into())])),
        ("actions", some(&[("header_name", "X-Auth".into()), ("stop", true.into())])),
        ("members", Value::set(vec![host("aaaa", Value::Null)])),
    ]));
    let (planned, _) = change(
        &before,
        &config(&[
            ("destination", Value::List(vec![host("AAAA", 25.into()), host("cccc", Value::Null), host("dddd", Value::Null)])),
            ("actions", some(&[("header_name", "x-auth".into())])),
            ("members", Value::set(vec![host("AAAA", 25.into())])),
        ]),
    );
    let elements = planned.get("destination").as_elements().unwrap();
    let of = |index: usize, name: &str| elements[index].as_members().unwrap()[name].clone();
    assert_eq!(
        [of(0, "host"), of(0, "port"), of(0, "weight")],
        ["aaaa".into(), 25.into(), Value::Null],
        "unchanged, in the spelling that stands there"
    );
    assert_eq!([of(1, "host"), of(1, "port")], ["cccc".into(), 25.into()], "the default, as the argument is gone");
    assert_eq!([of(2, "port"), of(2, "weight")], [25.into(), Value::Null], "a new element has no prior");
    assert_eq!(planned.at("actions.header_name"), &"X-Auth".into());
    assert_eq!(planned.at("actions.stop"), &Value::Null);
    let host = |value: &Value| value.as_elements().unwrap()[0].as_members().unwrap()["host"].clone();
    assert_eq!(host(planned.get("members")), "aaaa".into(), "a set of which nothing changes keeps its spelling");
    let (planned, _) =
        change(&before, &config(&[("members", Value::set(vec![some(&[("host", "AAAA".into()), ("port", 26.into())])]))]));
    assert_eq!(host(planned.get("members")), "AAAA".into(), "and one of which something changes is spelled as configured");
}

/// The block `actions` with nothing in it.
fn empty_actions() -> Value {
    let Type::Object(types) = attribute("actions").value_type() else { panic!("no object") };
    Value::object(types.keys().map(|name| (name.clone(), Value::Null)))
}

#[test]
fn point_22_a_block_is_planned_as_it_is_configured_and_never_filled() {
    let before = [config(&[]), config(&[("actions", empty_actions())]), config(&[("actions", some(&[("stop", true.into())]))])];
    for prior in std::iter::once(None).chain(before.iter().map(|config| Some(state(config)))) {
        for (configured, is_there) in [(Value::Null, false), (empty_actions(), true), (some(&[("stop", true.into())]), true)] {
            let planned = plan(&THING, prior.as_ref(), &config(&[("actions", configured)]), &Record::new()).planned.unwrap();
            assert_eq!(planned.get("actions").as_members().is_some(), is_there, "{planned:?}");
        }
        let host = |host: &str| some(&[("host", host.into())]);
        for configured in [vec![], vec![host("aaaa")], vec![host("aaaa"), host("bbbb")]] {
            let count = configured.len();
            let config = config(&[("destination", Value::List(configured))]);
            let planned = plan(&THING, prior.as_ref(), &config, &Record::new()).planned.unwrap();
            assert_eq!(planned.get("destination").as_elements().map(<[Value]>::len), Some(count));
        }
        // Of a dynamic block whose elements are not known, the host wants to see exactly what it sent.
        for open in [Value::UNKNOWN, unknown_text("")] {
            let config = config(&[("actions", open.clone()), ("destination", open.clone())]);
            let planned = plan(&THING, prior.as_ref(), &config, &Record::new()).planned.unwrap();
            assert_eq!([planned.get("actions"), planned.get("destination")], [&open, &open]);
        }
    }
    let planned = plan(&THING, None, &config(&[]), &Record::new()).planned.unwrap();
    assert_eq!(planned.get("destination"), &Value::List(vec![]), "no block is an empty list, and never null");
}

#[test]
fn a_block_of_which_nothing_is_set_means_the_same_as_none_and_keeps_its_form() {
    let forms = [Value::Null, empty_actions()];
    for configured in &forms {
        let stored = state(&config(&[("actions", configured.clone())]));
        assert_eq!(stored.get("actions"), configured);
        // However the service says that there is nothing.
        for said in &forms {
            let mut remote = stored.clone();
            remote.set("actions", said.clone());
            assert_eq!(settle(&THING, &stored, &remote).get("actions"), configured, "a read keeps the form");
            let (saved, problems) = guard(&THING, &stored, remote);
            assert_eq!((saved.get("actions"), problems), (configured, vec![]));
        }
        for next in &forms {
            let (planned, result) = change(&stored, &config(&[("actions", next.clone())]));
            assert_eq!(planned.get("actions"), next);
            assert_eq!(planned.get("stamp"), stored.get("stamp"), "the service hears nothing of it");
            assert_eq!((differences(&THING, &stored, &planned), result.replace), (vec![], vec![]));
        }
    }
    let set = state(&config(&[("actions", some(&[("header_name", "X".into()), ("stop", true.into())]))]));
    let mut remote = set.clone();
    remote.set("actions", Value::Null);
    let read = settle(&THING, &set, &remote);
    assert_eq!(read.get("actions"), &empty_actions(), "drift shows in the block that the state has");
    let told = ["actions.header_name", "actions.stop"];
    assert_eq!(paths(&differences(&THING, &set, &read)), told);
    for next in &forms {
        let (planned, _) = change(&set, &config(&[("actions", next.clone())]));
        assert_eq!(paths(&differences(&THING, &set, &planned)), told, "what was set is cleared");
    }
    assert_eq!(settle(&THING, &Record::new(), &remote).get("actions"), &Value::Null, "an import shows no empty block");
}

#[test]
fn a_block_that_the_service_does_not_keep_is_told_by_its_arguments() {
    let wanted =
        config(&[("actions", some(&[("stop", true.into())])), ("destination", Value::List(vec![some(&[("host", "a".into())])]))]);
    let planned = plan(&THING, None, &wanted, &Record::new()).planned.unwrap();
    let mut remote = state(&wanted);
    remote.set("actions", Value::Null);
    remote.set("destination", Value::Null);
    for applied in [settle(&THING, &planned, &remote), remote] {
        let (saved, problems) = guard(&THING, &planned, applied);
        let told: Vec<String> = problems.iter().map(|problem| problem.path.as_ref().unwrap().to_string()).collect();
        assert_eq!(told, ["actions.stop", "destination"]);
        assert_eq!((saved.get("actions"), saved.get("destination")), (&empty_actions(), &Value::List(vec![])));
    }
}

#[test]
fn point_23_write_only_values_are_sent_and_never_planned_or_stored() {
    let secret = config(&[(
        "actions",
        some(&[("header_name", "X".into()), ("header_value_wo", "s3cret".into()), ("header_value_wo_version", 1.into())]),
    )]);
    let planned = plan(&THING, None, &secret, &Record::new()).planned.unwrap();
    assert_eq!(planned.at("actions.header_value_wo"), &Value::Null);
    assert_eq!(planned.at("actions.header_value"), &Value::Null);
    assert_eq!(planned.at("actions.header_value_wo_version"), &1.into());
    let sent = effective(&THING, &planned, &secret);
    assert_eq!(sent.at("actions.header_value"), &"s3cret".into());
    assert_eq!(sent.at("actions.header_value_wo"), &Value::Null);

    let before = state(&secret);
    assert_eq!(before.at("actions.header_value"), &Value::Null, "what the service reads back is not stored either");
    let again = config(&[(
        "actions",
        some(&[("header_name", "X".into()), ("header_value_wo", "n3w".into()), ("header_value_wo_version", 1.into())]),
    )]);
    assert_eq!(change(&before, &again).0, before, "without a new version there is nothing to send");
    let newer = config(&[(
        "actions",
        some(&[("header_name", "X".into()), ("header_value_wo", "n3w".into()), ("header_value_wo_version", 2.into())]),
    )]);
    let (planned, _) = change(&before, &newer);
    assert_eq!(paths(&differences(&THING, &before, &planned)), ["actions.header_value"]);

    let in_list = config(&[(
        "destination",
        Value::List(vec![some(&[("host", "a".into()), ("token_wo", "s3cret".into()), ("token_wo_version", 1.into())])]),
    )]);
    let planned = plan(&THING, None, &in_list, &Record::new()).planned.unwrap();
    let sent = effective(&THING, &planned, &in_list);
    assert_eq!(sent.get("destination").as_elements().unwrap()[0].as_members().unwrap()["token"], "s3cret".into());
}

#[test]
fn point_24_only_a_real_change_makes_a_new_object() {
    let place = |region: Value, zone: &str| some(&[("region", region), ("zone", zone.into())]);
    let before = state(&config(&[("place", place("north".into(), "a"))]));
    let replaced = |after: &[(&str, Value)]| paths(&change(&before, &config(after)).1.replace);
    assert_eq!(replaced(&[("place", place("north".into(), "b"))]), [""; 0], "a member that may change");
    assert_eq!(replaced(&[("place", place("south".into(), "a"))]), ["place.region"]);
    assert_eq!(replaced(&[("place", place(Value::UNKNOWN, "a"))]), ["place.region"], "it may change");
    assert_eq!(replaced(&[("place", Value::UNKNOWN)]), ["place"]);
    assert_eq!(replaced(&[]), ["place.region"], "removed");
    assert_eq!(replaced(&[("name", "two".into()), ("place", place("north".into(), "a"))]), ["name"]);
    assert!(plan(&THING, None, &config(&[]), &Record::new()).replace.is_empty(), "a create replaces nothing");
}

#[test]
fn a_setting_that_cannot_be_cleared_makes_a_new_object_or_is_refused_at_plan() {
    let before = state(&config(&[("anchor", "a".into()), ("keeper", "k".into())]));
    let (_, result) = change(&before, &config(&[("keeper", "k".into())]));
    assert_eq!(paths(&result.replace), ["anchor"]);
    let (_, result) = change(&before, &config(&[("anchor", "a".into())]));
    assert_eq!(result.replace, []);
    let [refused] = result.diagnostics.as_slice() else { panic!("{:?}", result.diagnostics) };
    assert_eq!(refused.path, Some(Path::dotted("keeper")));
    assert!(refused.is_error() && refused.detail.contains("-replace"), "{refused:?}");
    let (_, result) = change(&before, &config(&[]));
    assert!(result.diagnostics.is_empty(), "the new object starts without it");
    let (_, result) = change(&before, &config(&[("anchor", "b".into()), ("keeper", Value::UNKNOWN)]));
    assert!(result.replace.is_empty() && result.diagnostics.is_empty(), "changed is not removed");
}

#[test]
fn point_25_unknown_may_become_what_stood_there_without_a_difference_to_the_first_plan() {
    let before = state(&config(&[("comment", "c".into())]));
    let (first, _) = change(&before, &config(&[("comment", Value::UNKNOWN)]));
    assert_eq!(first.get("stamp"), &Value::UNKNOWN);
    let (second, _) = change(&before, &config(&[("comment", "c".into())]));
    assert_eq!(second, before);
}

#[test]
fn a_state_of_nulls_can_be_planned_over() {
    let before = Record::new();
    let (planned, result) = change(&before, &config(&[("check", true.into())]));
    assert_eq!(planned.get("id"), &Value::UNKNOWN, "it cannot stay away");
    assert_eq!(planned.get("guid"), &Value::Null);
    assert_eq!(paths(&result.replace), ["name"]);
}

#[test]
fn p16_point_29_what_the_service_did_otherwise_is_an_error_on_the_attribute_and_saved_as_it_is() {
    let wanted = config(&[
        ("comment", "mine".into()),
        ("domains", Value::texts(["aaaa"])),
        ("tags", Value::Map([("k".to_owned(), "v".into())].into())),
    ]);
    let planned = plan(&THING, None, &wanted, &Record::new()).planned.unwrap();
    let mut remote = state(&wanted);
    remote.set("comment", "theirs");
    remote.set("domains", Value::texts(["smtp:AAAA;1"]));
    remote.set("limit", 99);
    let (saved, problems) = guard(&THING, &planned, settle(&THING, &planned, &remote));
    let told: Vec<String> = problems.iter().map(|problem| problem.path.as_ref().unwrap().to_string()).collect();
    assert_eq!(told, ["comment", "limit"]);
    assert!(problems[0].detail.contains("\"mine\"") && problems[0].detail.contains("\"theirs\""), "{}", problems[0].detail);
    assert_eq!(saved.get("comment"), &"theirs".into(), "the state holds what stands at the service");
    assert_eq!(saved.get("domains"), &Value::texts(["aaaa"]), "the user's spelling stays");
}

#[test]
fn p16_point_29_another_spelling_of_what_was_planned_leaves_as_it_was_planned() {
    let wanted = config(&[("domains", Value::texts(["aaaa"])), ("steps", Value::List(vec!["one".into()]))]);
    let planned = plan(&THING, None, &wanted, &Record::new()).planned.unwrap();
    let mut applied = state(&wanted);
    applied.set("domains", Value::List(vec!["smtp:AAAA;1".into()]));
    applied.set("steps", Value::List(vec!["ONE".into()]));
    applied.set("comment", "");
    let (saved, problems) = guard(&THING, &planned, applied);
    assert_eq!(problems, []);
    assert_eq!(saved.get("domains"), planned.get("domains"));
    assert_eq!(saved.get("steps"), planned.get("steps"));
    assert_eq!(saved.get("comment"), &Value::Null);
}

#[test]
fn point_29_sensitive_values_are_not_told() {
    let wanted = config(&[("actions", some(&[("header_value", "mine-secret".into())]))]);
    let planned = plan(&THING, None, &wanted, &Record::new()).planned.unwrap();
    let mut remote = state(&wanted);
    remote.set("actions", some(&[("header_value", "their-secret".into())]));
    let (_, problems) = guard(&THING, &planned, settle(&THING, &planned, &remote));
    let [problem] = problems.as_slice() else { panic!("{problems:?}") };
    assert_eq!(problem.path, Some(Path::dotted("actions.header_value")));
    assert!(!problem.detail.contains("secret"), "{}", problem.detail);

    remote.set("actions", Value::Null);
    let (_, problems) = guard(&THING, &planned, settle(&THING, &planned, &remote));
    assert!(!problems.is_empty() && !format!("{problems:?}").contains("mine-secret"), "a whole object that holds it");
}

#[test]
fn points_30_and_35_what_is_unknown_or_of_a_wrong_type_is_null_and_an_error() {
    let wanted = config(&[]);
    let planned = plan(&THING, None, &wanted, &Record::new()).planned.unwrap();
    let mut applied = state(&wanted);
    applied.set("guid", Value::UNKNOWN);
    applied.set("stamp", 7);
    applied.set("report", some(&[("state", "ok".into()), ("lines", Value::List(vec!["a".into(), Value::UNKNOWN]))]));
    applied.set("no_such_name", "x");
    applied.take("priority");
    let (saved, problems) = guard(&THING, &planned, applied);
    let told: Vec<String> = problems.iter().map(|problem| problem.path.as_ref().unwrap().to_string()).collect();
    assert_eq!(told, ["stamp", "guid", "report.lines[1]"]);
    assert!(msgpack::encode(&saved.into_value(), &resource_type(&THING)).is_ok());
}

#[test]
fn points_31_to_35_an_empty_answer_is_still_an_object_that_can_be_saved() {
    let (saved, _) = guard(&THING, &plan(&THING, None, &config(&[]), &Record::new()).planned.unwrap(), Record::new());
    assert!(saved.clone().into_value().is_wholly_known());
    assert!(msgpack::encode(&saved.into_value(), &resource_type(&THING)).is_ok());
    let leak = record(&[("actions", some(&[("header_value_wo", "s3cret".into())]))]);
    assert_eq!(saveable(&THING, &leak).0.at("actions.header_value_wo"), &Value::Null);
}

#[test]
fn point_36_sets_may_shrink_where_elements_were_unknown_and_never_grow() {
    let wanted = config(&[("domains", Value::set(vec!["aaaa".into(), Value::UNKNOWN]))]);
    let planned = plan(&THING, None, &wanted, &Record::new()).planned.unwrap();
    let problems = |domains: &[&str]| {
        let mut applied = state(&config(&[]));
        applied.set("domains", Value::texts(domains.iter().copied()));
        guard(&THING, &planned, settle(&THING, &planned, &applied)).1.len()
    };
    assert_eq!(problems(&["aaaa"]), 0);
    assert_eq!(problems(&["smtp:aaaa;1", "bbbb"]), 0);
    assert_eq!(problems(&["bbbb", "cccc"]), 1, "the known element is gone");
    assert_eq!(problems(&["aaaa", "bbbb", "cccc"]), 1, "it grew");
}

#[test]
fn guard_holds_a_value_to_what_was_said_of_it_while_it_was_unknown() {
    let mut planned = plan(&THING, None, &config(&[]), &Record::new()).planned.unwrap();
    planned.set("stamp", unknown_text("t"));
    let problems = |stamp: Value| {
        let mut applied = state(&config(&[]));
        applied.set("stamp", stamp);
        guard(&THING, &planned, applied).1.len()
    };
    assert_eq!([problems("t1".into()), problems("x1".into()), problems(Value::Null)], [0, 1, 1]);
}

#[test]
fn point_38_drift_shows_the_service_s_value_and_only_where_it_is_real() {
    let known = state(&config(&[
        ("domains", Value::texts(["AAAA", "bbbb"])),
        ("steps", Value::List(vec!["One".into(), "two".into()])),
        ("comment", "mine".into()),
        ("tags", Value::Map([("k".to_owned(), "V".into())].into())),
    ]));
    let mut remote = known.clone();
    remote.set("domains", Value::texts(["smtp:aaaa;1", "smtp:Cccc;1"]));
    remote.set("steps", Value::List(vec!["ONE".into(), "THREE".into()]));
    remote.set("comment", "");
    remote.set("tags", Value::Map([("k".to_owned(), "v".into()), ("l".to_owned(), "W".into())].into()));
    remote.set("enabled", Value::Null);
    remote.take("limit");
    let read = settle(&THING, &known, &remote);
    assert_eq!(read.get("domains"), &Value::texts(["AAAA", "cccc"]), "mine stay as I wrote them, others as they are meant");
    assert_eq!(read.get("steps"), &Value::List(vec!["One".into(), "THREE".into()]));
    assert_eq!(read.get("comment"), &Value::Null, "the service's nothing");
    assert_eq!(read.get("tags"), &Value::Map([("k".to_owned(), "V".into()), ("l".to_owned(), "W".into())].into()));
    assert_eq!([read.get("enabled"), read.get("limit")], [&true.into(), &10.into()], "unsaid is the default");
    assert_eq!(paths(&differences(&THING, &known, &read)), ["domains", "steps", "tags", "comment"]);
}

#[test]
fn what_the_service_does_not_know_is_taken_from_the_state() {
    let timeouts = some(&[("create", "5m".into()), ("read", Value::Null), ("update", Value::Null), ("delete", Value::Null)]);
    let known =
        state(&config(&[("check", true.into()), ("timeouts", timeouts.clone()), ("place", some(&[("is_local", true.into())]))]));
    let remote = record(&[("name", "one".into()), ("kind", "Partner".into())]);
    let read = settle(&THING, &known, &remote);
    assert_eq!(read.get("check"), &true.into());
    assert_eq!(read.get("timeouts"), &timeouts);
    assert_eq!(read.at("place.is_local"), &true.into());
    assert_eq!(read.get("id"), &"id-1".into(), "an answer without an ID does not lose it");
}

#[test]
fn point_39_nothing_is_needed_to_be_known_to_read() {
    let read = settle(&THING, &Record::new(), &Record::new());
    assert!(read.clone().into_value().is_wholly_known());
    assert_eq!(saveable(&THING, &read).1, []);
}

#[test]
fn point_40_an_import_shows_what_would_be_typed() {
    let remote = record(&[
        ("name", "One".into()),
        ("domains", Value::texts(["smtp:Aaaa;1"])),
        ("ranges", Value::texts(["AAAA"])),
        ("comment", "".into()),
        ("place", some(&[("region", Value::Null), ("zone", "".into())])),
    ]);
    let read = settle(&THING, &Record::new(), &remote);
    assert_eq!(read.get("domains"), &Value::texts(["aaaa"]), "shown as meant");
    assert_eq!(read.get("ranges"), &Value::texts(["AAAA"]), "a meaning that only folds case is not what anyone would type");
    assert_eq!([read.get("comment"), read.get("place"), read.get("check")], [&Value::Null, &Value::Null, &false.into()]);
}

#[test]
fn point_42_an_identity_is_whole_or_not_there() {
    let whole = record(&[("listener", "in".into()), ("number", 7.into()), ("strict", true.into())]);
    assert_eq!(identity(&PAIR, &whole), Some(record(&[("listener", "in".into()), ("number", 7.into())])));
    assert_eq!(identity(&PAIR, &record(&[("listener", "in".into())])), None);
    assert_eq!(identity(&PAIR, &record(&[("listener", "in".into()), ("number", Value::UNKNOWN)])), None);
    let Type::Object(types) = identity_type(&PAIR) else { panic!("no object") };
    assert_eq!(types.keys().collect::<Vec<_>>(), ["listener", "number"]);
    assert_eq!(identity(&ONLY, &record(&[("id", "settings".into())])), Some(record(&[("id", "settings".into())])));
}

#[test]
fn p11_an_import_id_is_taken_apart_and_put_together_and_a_wrong_one_shows_the_form() {
    let parts = record(&[("listener", "IncomingMail".into()), ("number", 7.into())]);
    assert_eq!(parse_key(&PAIR, "IncomingMail/7"), Ok(parts.clone()));
    assert_eq!(key(&PAIR, &parts), Some("IncomingMail/7".to_owned()));
    for wrong in ["", "IncomingMail", "/7", "IncomingMail/", "IncomingMail/seven", "IncomingMail/7/8"] {
        let error = parse_key(&PAIR, wrong).unwrap_err();
        assert!(error.contains("listener/number") && error.contains("IncomingMail/7"), "{wrong}: {error}");
    }
    assert_eq!(
        key(&PAIR, &record(&[("listener", "a/b".into()), ("number", 7.into())])),
        None,
        "it could not be taken apart again"
    );
    assert_eq!(key(&PAIR, &Record::new()), None);
    assert_eq!(parse_key(&ONLY, "settings"), Ok(record(&[("id", "settings".into())])));
    assert!(parse_key(&ONLY, "setting").unwrap_err().contains("\"settings\""));
    assert_eq!(key(&ONLY, &Record::new()), Some("settings".to_owned()));
    assert_eq!(key(&THING, &parts), None);
    assert!(parse_key(&THING, "x").unwrap_err().contains("the name or the GUID"));
}

#[test]
fn point_44_a_data_source_echoes_its_arguments_and_has_every_attribute() {
    let source = CATALOG.data_sources[0];
    let config = record(&[("name", "Aaaa".into()), ("limit", Value::Null), ("found", Value::Null)]);
    let found = Value::List(vec![some(&[("host", "h".into())])]);
    let (state, problems) = answer(source, &config, &record(&[("name", "aaaa".into()), ("found", found)]));
    assert_eq!(problems, []);
    assert_eq!(state.get("name"), &"Aaaa".into());
    assert_eq!(state.get("limit"), &5.into());
    assert!(msgpack::encode(&state.into_value(), &data_type(source)).is_ok());
    let (_, problems) = answer(source, &config, &record(&[("found", "nonsense".into())]));
    assert_eq!(problems.len(), 1);
}

#[test]
fn settings_are_filled_inside_blocks_that_are_there() {
    let filled = |side: Value| with_defaults(CATALOG.settings, &record(&[("side", side)]));
    assert_eq!(filled(Value::Null).get("side"), &Value::Null);
    assert_eq!(filled(some(&[("host", "h".into())])).at("side.port"), &22.into());
    assert_eq!(filled(Value::UNKNOWN).get("side"), &Value::UNKNOWN);
    assert_eq!(filled(Value::Null).get("read_only"), &false.into());
    assert_eq!(settings_type(&CATALOG), object_type(CATALOG.settings));
}

#[test]
fn sameness_is_by_meaning() {
    let same = |name: &str, one: Value, other: Value| same(attribute(name), &one, &other);
    assert!(same("domains", Value::texts(["smtp:A;1", "b"]), Value::texts(["B", "a"])));
    assert!(!same("domains", Value::texts(["a"]), Value::texts(["a", "b"])));
    assert!(!same("steps", Value::List(vec!["a".into(), "b".into()]), Value::List(vec!["b".into(), "a".into()])));
    assert!(same("comment", "caf\u{e9}".into(), "cafe\u{301}".into()));
    assert!(!same("comment", "a".into(), "A".into()));
    assert!(same("place", Value::Null, some(&[("region", Value::Null), ("zone", "".into())])));
    assert!(!same("comment", Value::UNKNOWN, "a".into()));
    assert!(!same("limit", Value::Null, 10.into()), "a default that is not there yet must be sent");
}

#[test]
fn p04_the_five_states_of_a_value_are_told_apart_through_plan_and_answer() {
    // (configured, planned over a state that has a value, stored)
    let check = |name: &str, configured: Option<Value>, planned: &Value, stored: &Value| {
        let old: Value = if name == "comment" { "old".into() } else { Value::texts(["old"]) };
        let before = state(&config(&[(name, old)]));
        let mut after = config(&[]);
        if let Some(value) = configured {
            after.set(name, value);
        }
        let (plan, _) = change(&before, &after);
        assert_eq!(plan.get(name), planned, "{name} planned");
        let mut remote = before.clone();
        remote.set(name, plan.get(name).clone());
        remote.set("report", Value::Null);
        remote.set("stamp", "t2");
        remote.set("position", 4);
        if plan.get(name).is_unknown() {
            remote.set(name, stored.clone());
        }
        let (saved, problems) = guard(&THING, &plan, settle(&THING, &plan, &remote));
        assert_eq!(problems, [], "{name}");
        assert_eq!(saved.get(name), stored, "{name} stored");
    };
    let empty = Value::Set(vec![]);
    // A nullable attribute: absent and null are null, empty is refused by `validate`.
    check("comment", None, &Value::Null, &Value::Null);
    check("comment", Some(Value::Null), &Value::Null, &Value::Null);
    check("comment", Some(Value::UNKNOWN), &Value::UNKNOWN, &"now".into());
    check("comment", Some("new".into()), &"new".into(), &"new".into());
    // A filled one: absent, null and empty are the default.
    check("ranges", None, &empty, &empty);
    check("ranges", Some(Value::Null), &empty, &empty);
    check("ranges", Some(empty.clone()), &empty, &empty);
    check("ranges", Some(Value::UNKNOWN), &Value::UNKNOWN, &Value::texts(["now"]));
    check("ranges", Some(Value::texts(["new"])), &Value::texts(["new"]), &Value::texts(["new"]));
}

#[test]
fn differences_name_the_outermost_attribute_or_the_member_of_an_object() {
    let host = |host: &str, weight: Value| some(&[("host", host.into()), ("weight", weight)]);
    let before = record(&[
        ("actions", Value::Null),
        ("destination", Value::List(vec![host("a", 1.into())])),
        ("check", false.into()),
        ("id", "1".into()),
        ("place", some(&[("zone", "a".into()), ("is_local", true.into())])),
    ]);
    let after = |destinations: Value| {
        record(&[
            ("actions", some(&[("header_name", "x".into()), ("stop", Value::UNKNOWN)])),
            ("destination", destinations),
            ("check", true.into()),
            ("id", "2".into()),
            ("place", some(&[("zone", "a".into()), ("is_local", false.into())])),
        ])
    };
    let told = |resource: &Resource, destinations| paths(&differences(resource, &before, &after(destinations)));
    assert_eq!(told(&THING, Value::List(vec![host("A", Value::UNKNOWN)])), ["actions.header_name"]);
    assert_eq!(told(&THING, Value::List(vec![host("b", Value::UNKNOWN)])), ["actions.header_name", "destination"]);
    assert_eq!(told(&THING, Value::Null), ["actions.header_name", "destination"]);
}
