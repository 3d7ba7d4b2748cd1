//! New objects that are not as they were planned, what is known of an object before it is made, and what moves without it.

use crate::schema::engine::{self, Difference};
use crate::schema::{Import, Record, Resource, Timeouts, boolean, integer, object, set, string};
use crate::value::{Path, Value};

fn lower(text: &str) -> String {
    text.to_lowercase()
}

fn hidden(sent: &Record) -> Option<Value> {
    sent.text("secret").map(|secret| Value::text(format!("{}…", secret.chars().take(1).collect::<String>())))
}

static RESOURCE: Resource = Resource {
    name: "gateway_thing",
    noun: "thing",
    about: "A thing.",
    attributes: &[
        string("listener", "Listener.").required().replaces(),
        string("name", "Name.").required().replaces().meaning(lower),
        string("comment", "Comment."),
        string("secret", "Secret.").sensitive(),
        set("hosts", "Hosts.").filled_empty(),
        object("inner", "Inner.", &[string("text", "Text."), integer("number", "Number.").computed()]),
        string("before", "Before.").filled_by_service().moved_by(&["before"]),
        boolean("valid", "Valid.").computed().moved_by(&["comment"]),
        string("old", "Old.").deprecated("Use `comment`."),
        string("shown", "Shown.").computed().moved_by(&["secret"]).derived(hidden).meaning(lower),
    ],
    rules: &[],
    identity: &["listener", "name"],
    import: Import::Key { attributes: &["listener", "name"], example: "in/a" },
    title: "name",
    version: 0,
    timeouts: Timeouts { write: 60, read: 60 },
};

fn config(given: &[(&str, Value)]) -> Record {
    let mut record = Record::new().with("listener", "In").with("name", "A");
    for name in ["id", "timeouts", "comment", "secret", "hosts", "inner", "before", "valid", "old", "shown"] {
        record.set(name, Value::Null);
    }
    for (name, value) in given {
        record.set(*name, value.clone());
    }
    record
}

fn plan(prior: Option<&Record>, config: &Record) -> Record {
    engine::plan(&RESOURCE, prior, config, config).planned.expect("an object")
}

#[test]
fn what_follows_from_the_object_is_known_at_plan_and_moves_with_its_source_only() {
    let with = |secret: Value, comment: &str| config(&[("secret", secret), ("comment", comment.into())]);
    let made = plan(None, &with("Abc".into(), "c"));
    assert_eq!(made.text("shown"), Some("A…"));
    assert!(plan(None, &with(Value::UNKNOWN, "c")).get("shown").is_unknown());
    // The prior spelling stays, and a change of something else does not touch it, whatever it is.
    let prior = made.with("shown", "a…").with("id", "In/a").with("valid", true).with("before", Value::Null);
    assert_eq!(plan(Some(&prior), &with("Axx".into(), "c")).text("shown"), Some("a…"));
    assert_eq!(plan(Some(&prior), &with("Bxx".into(), "c")).text("shown"), Some("B…"));
    assert!(plan(Some(&prior), &with(Value::UNKNOWN, "c")).get("shown").is_unknown());
    let drifted = prior.with("shown", "other");
    assert_eq!(plan(Some(&drifted), &with("Abc".into(), "d")).text("shown"), Some("other"));
}

#[test]
fn the_id_of_a_new_object_is_known_where_it_follows_from_the_configuration() {
    assert_eq!(plan(None, &config(&[])).text("id"), Some("In/a"));
    assert!(plan(None, &config(&[("listener", Value::UNKNOWN)])).get("id").is_unknown());
}

#[test]
fn a_new_object_that_differs_keeps_what_was_planned_and_the_differences_are_named_without_secrets() {
    let inner = |text: &str, number: Value| Value::object([("text", Value::text(text)), ("number", number)]);
    let config = config(&[
        ("comment", "ours".into()),
        ("secret", "s3cret".into()),
        ("hosts", Value::texts(["a"])),
        ("inner", inner("ours", Value::Null)),
    ]);
    let planned = plan(None, &config);
    let applied = planned
        .clone()
        .with("comment", "theirs")
        .with("secret", "other")
        .with("hosts", Value::texts(["a", "b"]))
        .with("inner", inner("theirs", 7.into()))
        .with("before", "next")
        .with("valid", true);
    let (kept, standing, differences) = engine::keep(&RESOURCE, &planned, &applied);
    for name in ["comment", "secret", "hosts", "id"] {
        assert_eq!(kept.get(name), planned.get(name), "{name}");
    }
    assert_eq!(kept.get("inner"), &inner("ours", 7.into()), "what was planned, and what only the service knew");
    assert_eq!((kept.text("before"), kept.truth("valid")), (Some("next"), Some(true)));
    assert_eq!(standing.text("comment"), Some("theirs"));
    let paths: Vec<String> = differences.iter().map(|difference| difference.path.to_string()).collect();
    assert_eq!(paths, ["comment", "secret", "hosts", "inner.text"]);
    assert!(
        differences.iter().all(|Difference { words, .. }| !words.contains("s3cret") && !words.contains("other")),
        "{differences:?}"
    );
    // The next plan changes it in place, and one that differs in its listener replaces it.
    assert_eq!(engine::plan(&RESOURCE, Some(&standing), &config, &config).replace, []);
    let (_, standing, _) = engine::keep(&RESOURCE, &planned, &applied.with("listener", "Out"));
    assert_eq!(engine::plan(&RESOURCE, Some(&standing), &config, &config).replace, [Path::dotted("listener")]);
}

#[test]
fn what_moves_with_other_objects_is_known_in_a_plan_and_no_wish() {
    let before = config(&[("comment", "one".into())]);
    let prior = plan(None, &before).with("before", "next").with("valid", true);
    let after = config(&[("comment", "one".into()), ("hosts", Value::texts(["a"]))]);
    let planned = plan(Some(&prior), &after);
    assert_eq!((planned.text("before"), planned.truth("valid")), (Some("next"), Some(true)));
    assert!(engine::effective(&RESOURCE, &planned, &after).get("before").is_unknown(), "nobody asked for it");
    // Another object came between: the plan stands, and the next refresh shows it.
    let applied = engine::carried(&RESOURCE, &planned, &after, planned.clone().with("before", "other").with("valid", false));
    assert_eq!((applied.text("before"), applied.truth("valid")), (Some("next"), Some(true)));

    let changed = config(&[("comment", "two".into())]);
    assert!(plan(Some(&prior), &changed).get("valid").is_unknown(), "it changes with the comment");
    let configured = config(&[("comment", "one".into()), ("before", "x".into())]);
    let planned = plan(Some(&prior), &configured);
    assert_eq!(engine::effective(&RESOURCE, &planned, &configured).text("before"), Some("x"));
    let applied = engine::carried(&RESOURCE, &planned, &configured, planned.clone().with("before", "other"));
    assert_eq!(applied.text("before"), Some("other"), "what was asked for and is not so is told");
}

#[test]
fn a_deprecated_argument_warns_where_it_is_written_and_says_so_in_the_docs() {
    let said = |config: &Record| engine::validate(RESOURCE.attributes, RESOURCE.rules, config, true);
    assert_eq!(said(&config(&[])), []);
    let found = said(&config(&[("old", "x".into())]));
    assert!(found.len() == 1 && !found[0].is_error() && found[0].detail == "Use `comment`.", "{found:#?}");
    assert_eq!(found[0].path, Some(Path::dotted("old")));
    let columns = engine::resource_columns(&RESOURCE);
    let old = columns.iter().find(|column| column.name == "old").expect("it is there");
    assert_eq!(old.deprecated, Some("Use `comment`."));
    assert!(old.about.contains("**Deprecated:** Use `comment`."), "{}", old.about);
}

static RENAMED: Resource = Resource {
    name: "gateway_thing",
    noun: "thing",
    about: "A thing.",
    attributes: &[
        string("listener", "Listener.").required().replaces(),
        string("name", "Name.").required().always_there(|name| name == "ALL"),
        string("comment", "Comment."),
    ],
    rules: &[],
    identity: &["listener", "name"],
    import: Import::Key { attributes: &["listener", "name"], example: "in/a" },
    title: "name",
    version: 0,
    timeouts: Timeouts { write: 60, read: 60 },
};

#[test]
fn an_object_that_is_renamed_in_place_gets_the_id_of_its_new_name() {
    let object = |name: &str| Record::new().with("listener", "In").with("name", name);
    let prior = |name: &str| object(name).with("id", format!("In/{name}"));
    let renamed = engine::plan(&RENAMED, Some(&prior("a")), &object("b"), &Record::new());
    assert_eq!((renamed.planned.unwrap().text("id"), renamed.replace), (Some("In/b"), Vec::new()));
    let open = engine::plan(&RENAMED, Some(&prior("a")), &object("b").with("name", Value::UNKNOWN), &Record::new());
    assert!(open.planned.unwrap().get("id").is_unknown());
    let same = engine::plan(&RENAMED, Some(&prior("a")), &object("a").with("comment", "c"), &Record::new());
    assert_eq!(same.planned.unwrap().text("id"), Some("In/a"));
    // What is always there gets no other name, and nothing else gets its name.
    for (from, to) in [("ALL", "a"), ("a", "ALL")] {
        let crossed = engine::plan(&RENAMED, Some(&prior(from)), &object(to), &Record::new());
        assert_eq!(crossed.replace, [Path::dotted("name")], "{from} to {to}");
    }
}
