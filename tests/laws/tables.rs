//! What a line of a table says of objects that are always there, of texts that are kept and of names of others holds in the engine.

use mailflow::provider::CATALOG;
use mailflow::schema::engine::{effective, is_always_there, judge, plan, resource_columns};
use mailflow::schema::{Attribute, Fill, Import, Kind, Motion, Presence, Record, Refers, Resource, Scalar};
use mailflow::value::{Path, Value};

/// Names that some tables give to objects that are always there, and one that none does.
const NAMES: &[&str] = &["DEFAULT", "default", "Default", "ALL", "all", "ordinary.example"];

/// A value that no table has as its default.
fn odd_value(attribute: &Attribute) -> Value {
    let one = |scalar| match scalar {
        Scalar::String => Value::text("stands"),
        Scalar::Boolean => Value::Bool(attribute.presence != Presence::Filled(Fill::True)),
        Scalar::Integer | Scalar::Number => Value::integer(7),
    };
    match attribute.kind {
        Kind::Scalar(scalar) => one(scalar),
        Kind::List(scalar) => Value::List(vec![one(scalar)]),
        Kind::Set(scalar) => Value::Set(vec![one(scalar)]),
        kind => panic!("{}: no value for {kind:?}", attribute.name),
    }
}

/// The arguments that may be left out, but for blocks and what the service does not know.
fn optional(resource: &Resource) -> Vec<&'static Attribute> {
    let columns = resource_columns(resource);
    let is_optional = |name: &str| columns.iter().any(|column| column.name == name && column.optional);
    let is_local = |attribute: &Attribute| attribute.remote == mailflow::schema::Remote::Local;
    let all = resource.attributes.iter();
    all.filter(|one| is_optional(one.name) && !one.kind.is_block() && !is_local(one)).collect()
}

/// Plans an object of which only the name is written.
fn planned(resource: &Resource, prior: Option<&Record>, config: &Record) -> Record {
    plan(resource, prior, config, &Record::new()).planned.expect("an object")
}

#[test]
fn what_a_table_says_is_always_there_is_left_as_it_stands_and_what_is_not_gets_its_defaults() {
    let mut held = Vec::new();
    for resource in CATALOG.resources {
        let naming = resource.attributes.iter().find_map(|one| Some((one.name, one.always_there?)));
        let single = matches!(resource.import, Import::Singleton { .. });
        if naming.is_none() && !single {
            continue;
        }
        let names: &[&str] = if single { &[""] } else { NAMES };
        for name in names {
            let stands = naming.map_or(single, |(_, stands)| stands(name));
            let config = naming.map_or_else(Record::new, |(key, _)| Record::new().with(key, *name));
            let place = format!("{} {name:?}", resource.name);
            assert_eq!(is_always_there(resource, &config), stands, "{place}");
            let mut prior = config.clone().with("id", "x");
            for argument in optional(resource) {
                prior.set(argument.name, odd_value(argument));
            }
            let (made, kept) = (planned(resource, None, &config), planned(resource, Some(&prior), &config));
            for argument in optional(resource) {
                let place = format!("{place}: {}", argument.name);
                let service = argument.presence == Presence::Filled(Fill::Service);
                assert_eq!(made.get(argument.name).is_unknown(), stands || service, "{place} of a new object");
                let value = kept.get(argument.name);
                // What the service decides by other arguments may change with them.
                let follows = matches!(argument.motion, Motion::With(names) if names.iter().any(|name| *name != argument.name));
                let stays = value == &odd_value(argument) || service && follows && value.is_unknown();
                assert_eq!(stays, stands || service, "{place}: {value:?}");
            }
            held.push((resource.name, stands));
        }
        if let Some((key, _)) = naming {
            let open = Record::new().with(key, Value::UNKNOWN);
            let made = planned(resource, None, &open);
            for argument in optional(resource) {
                assert!(made.get(argument.name).is_unknown(), "{}: {} while the name is open", resource.name, argument.name);
            }
        }
    }
    for wanted in [
        ("gateway_smtp_route", true),
        ("gateway_smtp_route", false),
        ("gateway_recipient_access", true),
        ("gateway_sender_group", true),
        ("gateway_destination_control", true),
        ("gateway_listener_defaults", true),
        ("gateway_tls_settings", true),
        ("exchange_remote_domain", true),
        ("exchange_accepted_domain", true),
    ] {
        assert!(held.contains(&wanted), "{wanted:?}: {held:?}");
    }
}

/// Every line with the block that it stands in, if it stands in one.
fn lines(resource: &'static Resource) -> Vec<(Option<&'static Attribute>, &'static Attribute)> {
    let inside = |block: &'static Attribute| block.kind.members().into_iter().flatten().map(move |line| (Some(block), line));
    resource.attributes.iter().map(|line| (None, line)).chain(resource.attributes.iter().flat_map(inside)).collect()
}

#[test]
fn a_text_that_a_table_says_is_kept_is_kept_and_asked_for_where_it_must_be() {
    let mut held = 0;
    for resource in CATALOG.resources {
        for (block, line) in lines(resource) {
            let Some(siblings) = line.kept_beside else { continue };
            let members = block.map_or(resource.attributes, |block| block.kind.members().unwrap_or_default());
            let place = format!("{}: {}", resource.name, line.name);
            for sibling in siblings {
                assert!(
                    members.iter().any(|member| member.name == *sibling),
                    "{place} is kept beside {sibling}, which is not there"
                );
            }
            assert!(line.sensitive && matches!(line.kind, Kind::Scalar(Scalar::String)), "{place} is no sensitive text");
            let path = block.map_or_else(Path::root, |block| Path::root().attribute(block.name)).attribute(line.name);
            let object = |sibling: Value, text: Value| {
                let pairs = siblings.iter().map(|name| (*name, sibling.clone())).chain([(line.name, text)]);
                match block {
                    Some(block) => Record::new().with(block.name, Value::object(pairs)),
                    None => pairs.fold(Record::new(), |record, (name, value)| record.with(name, value)),
                }
            };
            let found = |prior: Option<&Record>, config: &Record| {
                let said = judge(resource, prior, config).into_iter().filter(|one| one.path.as_ref() == Some(&path));
                said.map(|one| one.is_error()).collect::<Vec<_>>()
            };
            let text = |prior: Option<&Record>, config: &Record| {
                let planned = planned(resource, prior, config);
                planned.at_path(&path).cloned().unwrap_or_default()
            };
            let prior = object("one".into(), "stands".into()).with("id", "x");
            let left = object("one".into(), Value::Null);
            assert_eq!(
                (text(Some(&prior), &left), found(Some(&prior), &left)),
                ("stands".into(), vec![false]),
                "{place} left out"
            );
            assert_eq!(found(None, &left), [true], "{place} of a new object");
            if !siblings.is_empty() {
                assert_eq!(found(Some(&prior), &object("two".into(), Value::Null)), [true], "{place}: a sibling changed");
                assert_eq!(text(Some(&prior), &object(Value::Null, Value::Null)), Value::Null, "{place} goes with its sibling");
            }
            let unseen = object("one".into(), Value::Null).with("id", "x");
            let kept = planned(resource, Some(&unseen), &left);
            let sent = effective(resource, &kept, &left);
            assert!(sent.at_path(&path).is_some_and(Value::is_unknown), "{place} that no state knows is not written over");
            held += 1;
        }
    }
    assert!(held >= 2, "{held}");
}

/// The objects that a line names, in it or in any block of it.
fn references(attributes: &'static [Attribute], found: &mut Vec<(&'static str, Refers)>) {
    for line in attributes {
        found.extend(line.refers.map(|refers| (line.name, refers)));
        references(line.kind.members().unwrap_or_default(), found);
    }
}

#[test]
fn what_a_text_names_is_a_resource_with_a_title_and_what_both_share_is_in_both() {
    let mut held = 0;
    for resource in CATALOG.resources {
        let mut found = Vec::new();
        references(resource.attributes, &mut found);
        for (name, refers) in found {
            let place = format!("{}: {name} refers to {}", resource.name, refers.to);
            let to =
                CATALOG.resources.iter().find(|to| to.name == refers.to).unwrap_or_else(|| panic!("{place}: no such resource"));
            let has = |resource: &Resource, name: &str| resource.attributes.iter().any(|line| line.name == name);
            assert!(to.title != "id" && has(to, to.title), "{place}: it has no name");
            for shared in refers.within {
                assert!(has(resource, shared) && has(to, shared), "{place}: {shared} is not in both");
            }
            held += 1;
        }
    }
    assert!(held >= 5, "{held}");
}
