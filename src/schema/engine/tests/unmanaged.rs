//! What stands at the service and has no attribute.

use crate::schema::engine::{
    Lost, Plan, differences, effective, guard, judge, plan, settle, unmanaged, unmanaged_found, unmanaged_lost,
    unmanaged_planned, unmanaged_refused, validate_form,
};
use crate::schema::{Import, Record, Resource, Timeouts, UNMANAGED, string};
use crate::value::{Diagnostic, Severity, Value};

static RULE: Resource = Resource {
    name: "test_rule",
    noun: "rule",
    about: "Is a rule.",
    attributes: &[string("name", "Name.").required().replaces(), string("comment", "Comment."), UNMANAGED],
    rules: &[],
    identity: &["id"],
    import: Import::Lookup { about: "The name.", example: "a" },
    title: "name",
    version: 0,
    timeouts: Timeouts { write: 60, read: 30 },
};

static ALWAYS: Resource = Resource {
    attributes: &[string("comment", "Comment."), UNMANAGED],
    import: Import::Singleton { word: "always" },
    title: "id",
    ..RULE
};

/// What a configuration or a state says: nothing, or a list.
fn with(listed: Option<&[&str]>) -> Record {
    let record = Record::new().with("name", "r").with("comment", Value::Null).with("timeouts", Value::Null);
    record.with("unmanaged", listed.map_or(Value::Null, |listed| Value::texts(listed.iter().copied())))
}

fn standing(listed: &[&str]) -> Record {
    with(Some(listed)).with("id", "1")
}

fn planned(prior: Option<&Record>, config: &Record) -> Record {
    let Plan { planned, replace, diagnostics } = plan(&RULE, prior, config, config);
    assert!(replace.is_empty() && diagnostics.is_empty(), "{replace:?} {diagnostics:?}");
    planned.expect("it is not removed")
}

fn said(diagnostic: Option<Diagnostic>) -> String {
    diagnostic.map(|one| format!("{:?} {}\n{}", one.severity, one.summary, one.detail)).unwrap_or_default()
}

#[test]
fn left_out_it_is_what_stands_and_never_a_change() {
    for list in [&[][..], &["a"], &["a", "b"]] {
        let prior = standing(list);
        let planned = planned(Some(&prior), &with(None));
        assert_eq!(planned.get("unmanaged"), prior.get("unmanaged"));
        assert!(differences(&RULE, &prior, &planned).is_empty());
        assert!(judge(&RULE, Some(&prior), &with(None)).is_empty());
    }
    // With another change it is no change either, and nobody is told to send it.
    let config = with(None).with("comment", "new");
    let planned = planned(Some(&standing(&["a"])), &config);
    assert_eq!(planned.get("unmanaged"), &Value::texts(["a"]));
    assert!(effective(&RULE, &planned, &config).get("unmanaged").is_unknown());
}

#[test]
fn the_plan_warns_while_what_stands_differs_from_what_was_accepted() {
    let seen = |seen: &[&str]| seen.iter().map(ToString::to_string).collect::<Vec<_>>();
    for (stands, accepted, parts) in [
        (&["a"][..], &["a"][..], &[][..]),
        (&[], &[], &[]),
        (&["a"], &[], &["these were added:\n  - a\n", "`unmanaged = [\"a\"]`"]),
        (&["a", "b"], &["b"], &["added:\n  - a\n", "`unmanaged = [\"a\", \"b\"]`"]),
        (&[], &["a"], &["these were removed:\n  - a\n"]),
        (&["b"], &["a"], &["added:\n  - b\n", "removed:\n  - a\n"]),
    ] {
        let words = said(unmanaged_planned(&RULE, &standing(stands), &with(None), &seen(accepted)));
        assert_eq!(words.is_empty(), parts.is_empty(), "{stands:?} {accepted:?}: {words}");
        for part in parts {
            assert!(words.starts_with("Warning") && words.contains(part), "{part:?} is not in {words}");
        }
        // What is written is compared with what stands, whatever was accepted.
        assert_eq!(said(unmanaged_planned(&RULE, &standing(stands), &with(Some(stands)), &seen(accepted))), "");
    }
}

#[test]
fn what_is_not_listed_is_a_change_that_apply_refuses() {
    for (stands, listed) in [(&["a"][..], &[][..]), (&["a", "b"], &["b"]), (&["a"], &["c"])] {
        let (prior, config) = (standing(stands), with(Some(listed)));
        let planned = planned(Some(&prior), &config);
        assert_eq!(planned.get("unmanaged"), config.get("unmanaged"));
        assert_eq!(differences(&RULE, &prior, &planned).len(), 1);
        let warning = said(unmanaged_planned(&RULE, &prior, &config, &[]));
        assert!(warning.contains("apply cannot remove") && warning.contains("  - a\n"), "{warning}");
        let refused = said(unmanaged_refused(&RULE, &prior, &planned));
        assert!(refused.starts_with("Error") && refused.contains("  - a\n") && refused.contains("by hand"), "{refused}");
        assert!(!refused.contains("  - b\n"), "{refused}");
    }
}

#[test]
fn what_is_listed_may_stand_and_need_not() {
    for (stands, listed) in [(&["a"][..], &["a"][..]), (&["a"], &["a", "b"]), (&[], &["a"]), (&[], &[])] {
        let (prior, config) = (standing(stands), with(Some(listed)));
        let planned = planned(Some(&prior), &config);
        assert!(differences(&RULE, &prior, &planned).is_empty(), "{stands:?} {listed:?}");
        assert_eq!(unmanaged_refused(&RULE, &prior, &planned), None);
        assert_eq!(unmanaged_planned(&RULE, &prior, &config, &[]), None);
        assert!(judge(&RULE, Some(&prior), &config).is_empty());
    }
}

#[test]
fn a_new_object_has_none() {
    assert!(planned(None, &with(None)).get("unmanaged").is_unknown());
    assert_eq!(planned(None, &with(Some(&[]))).get("unmanaged"), &Value::set(vec![]));
    for none in [None, Some(&[][..])] {
        assert!(judge(&RULE, None, &with(none)).is_empty());
        assert!(validate_form(&RULE, &with(none), true).is_empty());
    }
    let found = judge(&RULE, None, &with(Some(&["a"])));
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].severity, found[0].path.as_ref().unwrap().to_string()), (Severity::Error, "unmanaged".to_owned()));
    // What is always there was made by nobody.
    assert!(judge(&ALWAYS, None, &with(Some(&["a"]))).is_empty());
    // What is not known yet may be nothing.
    assert!(judge(&RULE, None, &with(None).with("unmanaged", Value::UNKNOWN)).is_empty());
}

#[test]
fn what_is_lost_is_told_unless_it_only_ceases_to_be_managed() {
    let lost = vec!["a".to_owned()];
    assert!(said(unmanaged_lost(&RULE, &lost, &standing(&["a"]), Lost::Removed)).contains("is removed with settings"));
    assert!(said(unmanaged_lost(&RULE, &lost, &standing(&[]), Lost::Replaced)).contains("is made anew with settings"));
    assert_eq!(unmanaged_lost(&RULE, &[], &standing(&[]), Lost::Removed), None);
    assert_eq!(unmanaged_lost(&ALWAYS, &lost, &standing(&["a"]), Lost::Removed), None);
}

static PLAIN: Resource = Resource { attributes: &[string("name", "Name.").required()], ..RULE };

#[test]
fn a_read_shows_what_stands_and_an_import_tells_it() {
    let mut remote = Record::new().with("id", "1").with("name", "r");
    remote.set_unmanaged(&RULE, ["b".to_owned(), "a".to_owned()]);
    for known in [standing(&[]), standing(&["a"]), Record::new()] {
        let settled = settle(&RULE, &known, &remote);
        assert_eq!(unmanaged(&RULE, &settled), Some(vec!["a".to_owned(), "b".to_owned()]));
    }
    let told = said(unmanaged_found(&RULE, &standing(&["a"])));
    assert!(told.starts_with("Warning Rule \"r\" has settings") && told.contains("  - a\n"), "{told}");
    assert_eq!(unmanaged_found(&RULE, &standing(&[])), None);
    // A resource without the line has none, whatever its reader says.
    let mut plain = Record::new();
    plain.set_unmanaged(&PLAIN, ["a".to_owned()]);
    assert_eq!((plain, unmanaged(&PLAIN, &standing(&["a"]))), (Record::new(), None));
}

#[test]
fn fewer_than_were_planned_are_as_planned_and_more_are_not() {
    let planned = standing(&["a", "b"]);
    for (actual, fits) in [(&["a"][..], true), (&[], true), (&["a", "b"], true), (&["c"], false), (&["a", "b", "c"], false)] {
        let (saved, found) = guard(&RULE, &planned, standing(actual));
        assert_eq!(found.is_empty(), fits, "{actual:?} {found:?}");
        assert_eq!(saved.get("unmanaged") == planned.get("unmanaged"), fits);
    }
}

#[test]
fn the_words_are_those_of_a_configuration() {
    let odd = standing(&["a \"b\" ${c} %{d}"]);
    let words = said(unmanaged_planned(&RULE, &odd, &with(None), &[]));
    assert!(words.contains(r#"unmanaged = ["a \"b\" $${c} %%{d}"]"#), "{words}");
}
