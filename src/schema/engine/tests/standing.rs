//! What stands is never judged; what is new is.

use super::tables::{PAIR, THING, some, thing};
use crate::schema::engine::{judge, validate_form};
use crate::schema::{Import, Record, Resource, Rule, Timeouts, keyword, set, string};
use crate::value::{Diagnostics, Severity, Value};

#[track_caller]
fn check(found: &Diagnostics, errors: &[&str], warnings: &[&str]) {
    let at = |severity: Severity| -> Vec<String> {
        let found = found.iter().filter(|one| one.severity == severity);
        found.map(|one| one.path.as_ref().map(ToString::to_string).unwrap_or_default()).collect()
    };
    let wanted = |paths: &[&str]| paths.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!((at(Severity::Error), at(Severity::Warning)), (wanted(errors), wanted(warnings)), "{found:#?}");
}

/// Values that break a rule of the service, each with where.
fn odd() -> Vec<(&'static str, Value, &'static str)> {
    let host = |port: i64| Value::List(vec![some(&[("host", "a".into()), ("port", port.into())])]);
    vec![
        ("name", "far too long".into(), "name"),
        ("kind", "partner".into(), "kind"),
        ("limit", 0.into(), "limit"),
        ("ranges", Value::texts(["a", "b", "c", "d", "e"]), "ranges"),
        ("steps", Value::List(vec!["a".into(), "A".into()]), "steps[1]"),
        ("limits", some(&[("unit", "hours".into())]), "limits.unit"),
        ("destination", host(0), "destination[0].port"),
    ]
}

#[test]
fn a_rule_of_the_service_is_asked_at_plan_and_only_for_what_is_new() {
    for (name, value, path) in odd() {
        let config = thing(&[(name, value)]);
        check(&validate_form(&THING, &config, true), &[], &[]);
        check(&judge(&THING, None, &config), &[path], &[]);
        // It stands, and something else changes.
        check(&judge(&THING, Some(&config), &config.clone().with("comment", "another")), &[], &[]);
        // Something else stands.
        check(&judge(&THING, Some(&thing(&[])), &config), &[path], &[]);
    }
}

#[test]
fn what_no_service_takes_is_refused_by_its_form() {
    for (name, value, path) in [
        ("comment", "bell \u{7}".into(), "comment"),
        ("comment", "two\nlines".into(), "comment"),
        ("comment", "c1 \u{9b}".into(), "comment"),
        ("steps", Value::List(vec!["a".into(), "b\0".into()]), "steps[1]"),
        ("ranges", Value::texts(["", "b"]), "ranges"),
        ("name", "n".repeat(1001).into(), "name"),
        ("comment", "n".repeat(100_001).into(), "comment"),
        ("limit", Value::Number("2.5".parse().expect("a number")), "limit"),
    ] {
        check(&validate_form(&THING, &thing(&[(name, value)]), true), &[path], &[]);
    }
    for fine in ["n".repeat(100_000), "name \u{202e} \u{e9}".to_owned()] {
        check(&validate_form(&THING, &thing(&[("comment", fine.into())]), true), &[], &[]);
    }
}

#[test]
fn a_new_element_is_judged_beside_those_that_stand() {
    static LONG: Resource = Resource {
        attributes: &[string("name", "Name.").required(), set("steps", "Steps.").length(1, 3).filled_empty()],
        rules: &[],
        identity: &["name"],
        import: Import::Key { attributes: &["name"], example: "a" },
        ..THING_LIKE
    };
    let steps = |steps: &[&str]| Record::new().with("name", "k").with("steps", Value::texts(steps.iter().copied()));
    check(&judge(&LONG, Some(&steps(&["stands", "a"])), &steps(&["stands", "b"])), &[], &[]);
    check(&judge(&LONG, Some(&steps(&["stands", "a"])), &steps(&["stands", "newer"])), &["steps"], &[]);
}

const THING_LIKE: Resource = Resource {
    name: "test_like",
    noun: "like",
    about: "Is like a thing.",
    attributes: &[],
    rules: &[],
    identity: &[],
    import: Import::Singleton { word: "like" },
    title: "name",
    version: 0,
    timeouts: Timeouts { write: 60, read: 30 },
};

static WORDS: Resource = Resource {
    attributes: &[
        string("name", "Name.").required(),
        string("mode", "A word of the service.").choices(&["Enforce", "Audit"]),
        keyword("tls", "A word of ours.", &["none", "preferred", "required"]),
        string("note", "A note."),
        string("script", "A script.").lines(),
    ],
    rules: &[Rule::Conflicts(&["note", "script"])],
    ..THING_LIKE
};

#[test]
fn a_word_of_the_service_may_be_new_and_one_of_ours_may_not() {
    let with = |name: &str, text: &str| Record::new().with("name", "n").with(name, text);
    check(&validate_form(&WORDS, &with("mode", "Simulate"), true), &[], &[]);
    for (word, errors, warnings) in
        [("Simulate", &[][..], &["mode"][..]), ("enforce", &["mode"], &[]), ("Adit", &["mode"], &[]), ("Audit", &[], &[])]
    {
        check(&judge(&WORDS, None, &with("mode", word)), errors, warnings);
        check(&judge(&WORDS, Some(&with("mode", word)), &with("mode", word)), &[], &[]);
    }
    let found = validate_form(&WORDS, &with("tls", "requird"), true);
    check(&found, &["tls"], &[]);
    assert!(found[0].detail.starts_with("One of \"required\", "), "{}", found[0].detail);
    check(&judge(&WORDS, None, &with("tls", "requird")), &[], &[]);
}

#[test]
fn what_nobody_sees_is_an_error_in_a_name_and_a_warning_elsewhere() {
    for odd in ["a\u{202e}b", "a\u{200b}b", "a ", "\u{feff}a"] {
        let named = Record::new().with("name", odd);
        check(&judge(&WORDS, None, &named), &["name"], &[]);
        check(&judge(&WORDS, Some(&named), &named.clone().with("note", "new")), &[], &[]);
        check(&judge(&WORDS, None, &Record::new().with("name", "n").with("note", odd)), &[], &["note"]);
    }
    check(&judge(&WORDS, None, &Record::new().with("name", "n").with("script", "a\n")), &[], &[]);
    check(&validate_form(&WORDS, &Record::new().with("name", "n").with("script", "a\tb\r\n"), true), &[], &[]);
}

#[test]
fn a_conflict_is_one_of_what_is_new() {
    let both = Record::new().with("name", "n").with("note", "a").with("script", "b");
    check(&judge(&WORDS, None, &both), &["script"], &[]);
    check(&judge(&WORDS, Some(&both), &both.clone().with("name", "m")), &[], &[]);
    check(&judge(&WORDS, Some(&both), &both.clone().with("note", "c")), &["script"], &[]);

    let root = Record::new().with("listener", "root").with("number", 7).with("secret", "abcd").with("strict", false);
    check(&judge(&PAIR, None, &root), &[""], &[]);
    check(&judge(&PAIR, Some(&root), &root.clone().with("secret", "efgh")), &[], &[]);
    let strict = root.with("listener", "in").with("strict", true);
    check(&judge(&PAIR, Some(&strict), &strict.clone().with("secret", "efgh")), &[], &[]);
    check(&judge(&PAIR, Some(&strict.clone().with("strict", false)), &strict), &["strict"], &[]);
}

#[test]
fn a_secret_that_was_sent_under_its_version_is_not_judged_again() {
    let pair = |secret: &str, version: i64| {
        Record::new().with("listener", "in").with("number", 7).with("secret_wo", secret).with("secret_wo_version", version)
    };
    let prior = Record::new().with("listener", "in").with("number", 7).with("secret_wo_version", 1);
    check(&judge(&PAIR, Some(&prior), &pair("abc", 1)), &[], &[]);
    check(&judge(&PAIR, Some(&prior), &pair("abc", 2)), &["secret_wo"], &[]);
    check(&judge(&PAIR, None, &pair("abc", 1)), &["secret_wo"], &[]);
}

static SETTINGS: Resource = Resource {
    attributes: &[
        string("name", "Name.").required().replaces().always_there(|name| name == "DEFAULT"),
        crate::schema::boolean("refuse", "Refuses.").filled(false),
        crate::schema::integer("limit", "A limit."),
        set("hosts", "Hosts.").filled_empty(),
    ],
    rules: &[Rule::Requires("refuse", "limit")],
    ..THING_LIKE_NAMED
};

const THING_LIKE_NAMED: Resource =
    Resource { identity: &["name"], import: Import::Key { attributes: &["name"], example: "a" }, ..THING_LIKE };

#[test]
fn what_is_left_out_of_what_is_always_there_stays_as_it_stands() {
    let planned = |prior: Option<&Record>, name: Value| {
        let plan = crate::schema::engine::plan(&SETTINGS, prior, &Record::new().with("name", name), &Record::new());
        let planned = plan.planned.expect("an object");
        ["refuse", "limit", "hosts"].map(|name| planned.get(name).clone())
    };
    let open = || [Value::UNKNOWN, Value::UNKNOWN, Value::UNKNOWN];
    let stood = [Value::from(true), 7.into(), Value::texts(["a"])];
    let prior = Record::new().with("id", "x").with("name", "DEFAULT");
    let prior = prior.with("refuse", stood[0].clone()).with("limit", stood[1].clone()).with("hosts", stood[2].clone());
    assert_eq!(planned(None, "DEFAULT".into()), open());
    assert_eq!(planned(None, Value::UNKNOWN), open());
    assert_eq!(planned(Some(&prior), "DEFAULT".into()), stood);
    assert_eq!(planned(None, "other".into()), [Value::from(false), Value::Null, Value::Set(vec![])]);
    assert_eq!(planned(Some(&prior), Value::UNKNOWN), open());

    // A rule between what is written and what stands is the service's to judge.
    let written = |name: &str| Record::new().with("name", name).with("refuse", true);
    check(&judge(&SETTINGS, None, &written("DEFAULT")), &[], &[]);
    check(&judge(&SETTINGS, None, &written("other")), &["refuse"], &[]);
    check(&judge(&SETTINGS, Some(&prior.clone().with("refuse", false)), &written("DEFAULT")), &[], &[]);

    for column in crate::schema::engine::resource_columns(&SETTINGS) {
        let written = !["name", "id", "timeouts"].contains(&column.name.as_ref());
        assert_eq!(column.computed && column.optional, written, "{}", column.name);
    }
}

static SECRETIVE: Resource = Resource {
    attributes: &[
        string("name", "Name.").required().replaces(),
        string("script", "Script.").required().write_only_form().kept_beside(&[]),
        crate::schema::block(
            "actions",
            "Actions.",
            &[string("header", "Header."), string("value", "Value.").write_only_form().kept_beside(&["header"])],
        ),
        string("note", "A note."),
    ],
    rules: &[],
    ..THING_LIKE_NAMED
};

#[test]
fn a_sensitive_text_that_is_left_out_is_kept() {
    let actions = |members: &[(&str, Value)]| some(members);
    let prior = Record::new().with("id", "n").with("name", "n").with("script", "s");
    let prior = prior.with("actions", actions(&[("header", "X".into()), ("value", "v".into())]));
    let left = Record::new().with("name", "n").with("actions", actions(&[("header", "X".into())]));
    let plan = |prior: Option<&Record>, config: &Record| {
        let planned = crate::schema::engine::plan(&SECRETIVE, prior, config, &Record::new()).planned.expect("an object");
        (planned.at("script").clone(), planned.at("actions.value").clone())
    };
    check(&validate_form(&SECRETIVE, &left, true), &[], &[]);
    check(&judge(&SECRETIVE, Some(&prior), &left), &[], &["script", "actions.value"]);
    assert_eq!(plan(Some(&prior), &left), ("s".into(), "v".into()));
    // A new object needs them.
    check(&judge(&SECRETIVE, None, &left), &["script", "actions.value"], &[]);
    // The header goes, and its value with it; another header needs another value.
    let gone = left.clone().with("script", "s").with("actions", Value::Null);
    check(&judge(&SECRETIVE, Some(&prior), &gone), &[], &[]);
    let bare = left.clone().with("script", "s").with("actions", actions(&[("header", Value::Null)]));
    assert_eq!(plan(Some(&prior), &bare), ("s".into(), Value::Null));
    let renamed = left.clone().with("script", "s").with("actions", actions(&[("header", "Y".into())]));
    check(&judge(&SECRETIVE, Some(&prior), &renamed), &["actions.value"], &[]);
    // What was written write-only is in no state, and stays out of it.
    let unseen = prior.clone().with("script", Value::Null).with("script_wo_version", 1);
    let planned = crate::schema::engine::plan(&SECRETIVE, Some(&unseen), &left, &Record::new()).planned.expect("an object");
    assert_eq!((planned.get("script"), planned.get("script_wo_version")), (&Value::Null, &Value::Null));
    let sent = crate::schema::engine::effective(&SECRETIVE, &planned, &left);
    assert!(sent.get("script").is_unknown(), "nobody knows what is kept: {sent:?}");
    let paths = crate::schema::engine::differences(&SECRETIVE, &unseen, &planned);
    assert!(paths.is_empty(), "{paths:?}");
    let remote = Record::new().with("id", "n").with("name", "n").with("script", "live");
    assert_eq!(crate::schema::engine::settle(&SECRETIVE, &planned, &remote).get("script"), &Value::Null);
    assert_eq!(crate::schema::engine::settle(&SECRETIVE, &Record::new(), &remote).get("script"), &"live".into());
    // Written write-only, the plain form is null.
    let written = left.with("script_wo", "w").with("script_wo_version", 2);
    assert_eq!(plan(Some(&prior), &written).0, Value::Null);
}

#[test]
fn rx6_two_spellings_of_a_value_that_both_stand_are_kept_beside_a_new_one() {
    let steps = |texts: &[&str]| thing(&[("steps", Value::List(texts.iter().map(|text| (*text).into()).collect()))]);
    let standing = steps(&["a", "A"]);
    check(&judge(&THING, Some(&standing), &steps(&["a", "A", "b"])), &[], &[]);
    check(&judge(&THING, Some(&standing), &steps(&["a", "A", "b", "B"])), &["steps[3]"], &[]);
    check(&judge(&THING, Some(&steps(&["a"])), &steps(&["a", "A"])), &["steps[1]"], &[]);
}
