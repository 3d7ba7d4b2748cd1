//! What is refused before any service is asked, and what must pass.

use super::tables::{CATALOG, ONLY, PAIR, THING, some, thing};
use crate::schema::engine::validate;
use crate::schema::{Attribute, Record, Resource, Rule, boolean, object, set, string};
use crate::value::{Diagnostics, Value};

fn found(resource: &Resource, config: &Record) -> Diagnostics {
    validate(resource.attributes, resource.rules, config, true)
}

/// One error, on the path, that says this.
#[track_caller]
fn refused(found: &Diagnostics, path: &str, says: &str) {
    let [problem] = found.as_slice() else { panic!("one error was expected: {found:#?}") };
    assert!(problem.is_error());
    assert_eq!(problem.path.as_ref().map(ToString::to_string).as_deref(), Some(path), "{problem:?}");
    let text = format!("{} {}", problem.summary, problem.detail);
    assert!(text.contains(says), "{text}");
}

#[test]
fn values_that_break_a_line_of_the_table_are_refused_on_their_path() {
    let host = |members: &[(&str, Value)]| Value::List(vec![some(&[("host", "a".into())]), some(members)]);
    let cases: [(&str, Value, &str, &str); 20] = [
        ("kind", "Enemy".into(), "kind", "\"Partner\", \"OnPremises\""),
        ("name", "far too long".into(), "name", "1 to 8 characters; it has 12"),
        ("name", "".into(), "name", "it has 0"),
        ("name", Value::Null, "name", "must be set"),
        ("limit", 0.into(), "limit", "from 1 to 100"),
        ("limit", Value::Number("2.5".parse().unwrap()), "limit", "whole number"),
        ("limit", Value::Number("1e30".parse().unwrap()), "limit", "whole number"),
        ("ranges", Value::texts(["a", "b", "c", "d", "e"]), "ranges", "At most 4 elements are allowed; there are 5"),
        ("steps", Value::List(vec!["a".into(), Value::Null]), "steps[1]", "null"),
        ("tags", Value::Map([("k".to_owned(), Value::Null)].into()), "tags[\"k\"]", "null"),
        ("stamp", "x".into(), "stamp", "set by the service"),
        ("comment", "".into(), "comment", "leave it out"),
        ("domains", Value::Set(vec![]), "domains", "leave it out"),
        ("steps", Value::List(vec![]), "steps", "leave it out"),
        ("tags", Value::Map([].into()), "tags", "leave it out"),
        ("place", some(&[("region", "".into()), ("zone", "z".into())]), "place.region", "leave it out"),
        ("destination", host(&[("host", Value::Null)]), "destination[1].host", "must be set"),
        ("destination", host(&[("host", "b".into()), ("port", 0.into())]), "destination[1].port", "from 1 to 65535"),
        ("members", Value::set(vec![some(&[("host", "a".into()), ("rank", 1.into())])]), "members", "set by the service"),
        ("limits", some(&[("unit", "day".into())]), "limits.unit", "\"hour\", \"minute\""),
    ];
    for (name, value, path, says) in cases {
        refused(&found(&THING, &thing(&[(name, value)])), path, says);
    }
    let spaced = Record::new().with("greeting", "two words");
    refused(&found(&ONLY, &spaced), "greeting", "write it without");
    assert_eq!(found(&THING, &thing(&[("ranges", Value::Set(vec![])), ("limits", some(&[]))])), [], "a filled one may be empty");
    let nothing = some(&[("region", Value::Null), ("zone", Value::Null)]);
    let blocks = thing(&[("destination", Value::List(vec![])), ("place", nothing)]);
    assert_eq!(found(&THING, &blocks), [], "a block of which nothing is set means the same as none");
}

#[test]
fn c14_an_element_that_stands_twice_is_refused_in_any_spelling() {
    let host = |host: &str, port: Value| some(&[("host", host.into()), ("port", port)]);
    let cases: [(&str, Value, &str); 5] = [
        ("steps", Value::List(vec!["a".into(), "b".into(), "A".into()]), "steps[2]"),
        ("domains", Value::texts(["a", "smtp:a;1"]), "domains"),
        ("destination", Value::List(vec![host("a", Value::Null), host("A", 25.into())]), "destination[1]"),
        ("members", Value::set(vec![host("a", Value::Null), host("a", 25.into())]), "members"),
        ("steps", Value::List(vec!["caf\u{e9}".into(), "cafe\u{301}".into()]), "steps[1]"),
    ];
    for (name, value, path) in cases {
        refused(&found(&THING, &thing(&[(name, value)])), path, "twice");
    }
    let unknown = Value::List(vec![Value::UNKNOWN, Value::UNKNOWN]);
    assert_eq!(found(&THING, &thing(&[("steps", unknown)])), []);
}

#[test]
fn p03_and_point_47_everything_unknown_passes() {
    let mut config = Record::new();
    for attribute in THING.attributes.iter().filter(|attribute| attribute.name != "actions") {
        config.set(attribute.name, Value::UNKNOWN);
    }
    config.set("timeouts", Value::UNKNOWN);
    config.set(
        "actions",
        some(&[
            ("header_value", Value::UNKNOWN),
            ("header_value_wo", Value::UNKNOWN),
            ("header_value_wo_version", Value::UNKNOWN),
        ]),
    );
    assert_eq!(found(&THING, &config), []);
    let all = ["listener", "number", "secret", "secret_wo", "secret_wo_version", "senders", "strict"];
    let config = Record::from_value(Value::object(all.map(|name| (name, Value::UNKNOWN))));
    assert_eq!(found(&PAIR, &config), []);
}

#[test]
fn c15_timeouts_are_durations_and_are_checked_for_every_resource() {
    let timeouts = |create: &str| thing(&[("timeouts", some(&[("create", create.into()), ("read", Value::Null)]))]);
    assert_eq!(found(&THING, &timeouts("1h30m")), []);
    for wrong in ["0s", "-5m", "soon", "500h"] {
        refused(&found(&THING, &timeouts(wrong)), "timeouts.create", "\"");
    }
    assert_eq!(found(&THING, &thing(&[("timeouts", some(&[("create", Value::Null)]))])), [], "as if there were no block");
}

/// A pair with these forms of its secret.
fn pair(members: &[(&str, Value)]) -> Record {
    let mut config = Record::new().with("listener", "in").with("number", 7);
    for (name, value) in members {
        config.set(*name, value.clone());
    }
    config
}

#[test]
fn exactly_one_form_of_a_required_secret_is_needed() {
    assert_eq!(found(&PAIR, &pair(&[("secret", "abcd".into())])), []);
    assert_eq!(found(&PAIR, &pair(&[("secret_wo", "abcd".into()), ("secret_wo_version", 1.into())])), []);
    refused(&found(&PAIR, &pair(&[])), "secret", "`secret` and `secret_wo`");
    let both = pair(&[("secret", "abcd".into()), ("secret_wo", "abcd".into()), ("secret_wo_version", 1.into())]);
    refused(&found(&PAIR, &both), "secret_wo", "Only one");
    refused(&found(&PAIR, &pair(&[("secret_wo", "abcd".into())])), "secret_wo", "`secret_wo_version`");
    refused(&found(&PAIR, &pair(&[("secret", "abcd".into()), ("secret_wo_version", 1.into())])), "secret_wo_version", "requires");
    let half = pair(&[("secret_wo", "abcd".into()), ("secret_wo_version", Value::Number("1.5".parse().unwrap()))]);
    refused(&found(&PAIR, &half), "secret_wo_version", "whole number");
}

const SHY: &[Attribute] = &[
    string("code", "A code.").sensitive().choices(&["one", "two"]),
    string("script", "A script.").sensitive().format("a script without gaps", |text| Err(format!("line 1, {text:?}: no"))),
    string("part", "A part.")
        .sensitive()
        .format("a whole", |text| Err(format!("{} is but a part", text.get(..6).unwrap_or_default()))),
];

#[test]
fn a_secret_is_checked_in_either_form_and_not_shown() {
    let long = "twenty-one-characters";
    let written = found(&PAIR, &pair(&[("secret_wo", long.into()), ("secret_wo_version", 1.into())]));
    refused(&written, "secret_wo", "4 to 20");
    assert!(!format!("{written:?}").contains(long));

    let config = Record::new().with("code", "three-three").with("script", "drop \"x-secret\"").with("part", "hidden behind");
    let told = format!("{:?}", validate(SHY, &[], &config, true));
    for secret in ["three", "drop", "x-secret", "hidden"] {
        assert!(!told.contains(secret), "{told}");
    }
    assert!(told.contains("a script without gaps"), "{told}");
}

#[test]
fn p13_a_host_without_write_only_arguments_is_told_which_one_to_use_instead() {
    let config = pair(&[("secret_wo", Value::UNKNOWN), ("secret_wo_version", 1.into())]);
    refused(&validate(PAIR.attributes, &[], &config, false), "secret_wo", "Use `secret` instead");
    assert_eq!(validate(PAIR.attributes, &[], &pair(&[("secret", "abcd".into())]), false), []);
}

const RULED: &[Attribute] = &[
    boolean("strict", "Only those.").filled(false),
    set("senders", "Who sends.").filled_empty(),
    boolean("on_by_default", "On.").filled(true),
    string("left", "One side."),
    string("right", "The other side.").write_only_form(),
    string("given", "What the service gives.").filled_by_service(),
    object("actions", "What is done.", &[string("name", "Its name."), string("value", "Its value.").write_only_form()]),
];

#[track_caller]
fn check(rule: Rule, config: &[(&str, Value)], error: Option<&str>) {
    let config = Record::from_value(some(config));
    let found = super::super::rules::check(RULED, &[rule], &config);
    match (found.as_slice(), error) {
        ([], None) => {}
        ([problem], Some(path)) => {
            let told = problem.path.as_ref().map(ToString::to_string).unwrap_or_default();
            assert_eq!(told, path, "{problem:?}");
        }
        _ => panic!("{found:?}, expected {error:?}"),
    }
}

#[test]
fn a_rule_holds_between_what_is_set_and_lets_the_unknown_pass() {
    let (yes, no, unknown): (Value, Value, Value) = (true.into(), false.into(), Value::UNKNOWN);
    let some_senders = Value::texts(["a"]);

    let requires = Rule::Requires("strict", "senders");
    check(requires, &[("strict", yes.clone())], Some("strict"));
    check(requires, &[("strict", yes.clone()), ("senders", Value::Set(vec![]))], Some("strict"));
    check(requires, &[("strict", yes.clone()), ("senders", some_senders.clone())], None);
    check(requires, &[("strict", yes.clone()), ("senders", unknown.clone())], None);
    check(requires, &[("strict", no.clone())], None);
    check(requires, &[("strict", unknown.clone())], None);
    check(Rule::Requires("left", "on_by_default"), &[("left", "x".into())], None);
    check(Rule::Requires("left", "on_by_default"), &[("left", "x".into()), ("on_by_default", no.clone())], Some("left"));
    check(Rule::Requires("left", "given"), &[("left", "x".into())], None);
    check(Rule::Requires("left", "right"), &[("left", "x".into()), ("right_wo", "s".into())], None);
    check(Rule::Requires("actions.name", "actions.value"), &[("actions", some(&[("name", "x".into())]))], Some("actions.name"));
    check(
        Rule::Requires("actions.name", "actions.value"),
        &[("actions", some(&[("name", "x".into()), ("value_wo", "s".into())]))],
        None,
    );

    let conflicts = Rule::Conflicts(&["strict", "left", "right"]);
    check(conflicts, &[("left", "x".into())], None);
    check(conflicts, &[("left", "x".into()), ("right", "y".into())], Some("right"));
    check(conflicts, &[("left", "x".into()), ("right_wo", "y".into())], Some("right"));
    check(conflicts, &[("strict", no.clone()), ("right", "y".into()), ("left", unknown.clone())], None);

    let least = Rule::AtLeastOne(&["left", "right"], "There must be a side.");
    check(least, &[], Some(""));
    check(least, &[("left", unknown.clone())], None);
    check(least, &[("right_wo", unknown.clone())], None);
    let member = Rule::AtLeastOne(&["actions.name", "actions.value"], "There must be something.");
    check(member, &[("actions", some(&[("name", Value::Null)]))], Some("actions"));
    check(member, &[("actions", unknown.clone())], None);

    let exactly = Rule::ExactlyOne(&["left", "right"], "They name it.");
    check(exactly, &[], Some(""));
    check(exactly, &[("left", "".into())], Some(""));
    check(exactly, &[("left", "x".into())], None);
    check(exactly, &[("left", unknown.clone())], None);
    check(exactly, &[("left", "x".into()), ("right", unknown.clone())], None);
    check(exactly, &[("left", "x".into()), ("right", "y".into())], Some("right"));
    check(Rule::ExactlyOne(&["given", "left"], "They name it."), &[], Some(""));

    let together = Rule::Together(&["left", "right"]);
    check(together, &[], None);
    check(together, &[("left", "x".into())], Some("left"));
    check(together, &[("left", "x".into()), ("right", unknown)], None);
    check(together, &[("left", "x".into()), ("right_wo", "y".into())], None);
}

#[test]
fn rules_of_a_resource_are_checked_with_its_table() {
    let root = pair(&[("secret", "abcd".into()), ("listener", "root".into())]);
    assert_eq!(found(&PAIR, &root)[0].summary, "No root");
    refused(&found(&PAIR, &pair(&[("secret", "abcd".into()), ("strict", true.into())])), "strict", "`senders` is not empty");
}

#[test]
fn an_empty_block_of_settings_says_something() {
    let config = Record::new().with("side", some(&[("host", Value::Null), ("port", Value::Null), ("password", Value::Null)]));
    assert_eq!(validate(CATALOG.settings, &[], &config, true), []);
}
