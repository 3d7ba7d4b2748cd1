//! The data sources that are made of resources.

use super::tables::{CATALOG, ONLY, PAIR, THING};
use crate::schema::engine::{Column, Shape, answer, check_catalog, data_columns, data_type, settle, validate};
use crate::schema::{Catalog, DataSource, Record, singular};
use crate::value::{Type, Value, msgpack};

fn column(source: &DataSource, name: &str) -> Column {
    let columns = data_columns(source);
    columns.into_iter().find(|column| column.name == name).unwrap_or_else(|| panic!("{} has no {name}", source.name))
}

fn flags(source: &DataSource, name: &str) -> (bool, bool, bool) {
    let Column { required, optional, computed, .. } = column(source, name);
    (required, optional, computed)
}

const REQUIRED: (bool, bool, bool) = (true, false, false);
const EITHER: (bool, bool, bool) = (false, true, true);
const RESULT: (bool, bool, bool) = (false, false, true);

#[test]
fn the_arguments_say_which_object_and_all_else_is_a_result() {
    let thing = singular(&THING);
    for (name, wanted) in
        [("id", EITHER), ("name", EITHER), ("kind", RESULT), ("ranges", RESULT), ("priority", RESULT), ("actions", RESULT)]
    {
        assert_eq!(flags(thing, name), wanted, "{name}");
    }
    let pair = singular(&PAIR);
    for (name, wanted) in [("id", RESULT), ("listener", REQUIRED), ("number", REQUIRED), ("senders", RESULT), ("secret", RESULT)]
    {
        assert_eq!(flags(pair, name), wanted, "{name}");
    }
    assert!(data_columns(singular(&ONLY)).iter().all(|column| !column.required && !column.optional));
}

#[test]
fn what_only_a_managed_object_has_is_left_out_and_secrets_stay_hidden() {
    fn walk(columns: &[Column], names: &mut Vec<String>) {
        for column in columns {
            names.push(column.name.to_string());
            assert!(!column.write_only, "{}", column.name);
            assert!(!column.shape.is_block(), "{}", column.name);
            if let Some(members) = column.shape.members() {
                walk(members, names);
            }
        }
    }
    for resource in CATALOG.resources {
        let mut names = Vec::new();
        walk(&data_columns(singular(resource)), &mut names);
        let odd: Vec<&String> = names
            .iter()
            .filter(|name| name.contains("_wo") || ["timeouts", "check", "is_local"].contains(&name.as_str()))
            .collect();
        assert!(odd.is_empty(), "{}: {odd:?}", resource.name);
    }
    assert!(column(singular(&PAIR), "secret").sensitive);
    let Shape::Object(actions) = column(singular(&THING), "actions").shape else { panic!("an object") };
    assert!(actions.iter().any(|member| member.name == "header_value" && member.sensitive));
}

#[test]
fn the_sources_keep_every_law_and_their_schema_is_their_type() {
    let sources: Vec<&'static DataSource> = CATALOG.resources.iter().map(|resource| singular(resource)).collect();
    let catalog = Catalog { data_sources: sources.clone().leak(), ..CATALOG };
    assert_eq!(check_catalog(&catalog), Vec::<String>::new());
    for source in sources {
        let columns = data_columns(source).into_iter().map(|column| (column.name.to_string(), column.value_type()));
        assert_eq!(Type::Object(columns.collect()), data_type(source), "{}", source.name);
    }
}

#[test]
fn exactly_one_of_the_names_of_an_object_is_given() {
    let check = |config: &[(&str, &str)], errors: usize| {
        let thing = singular(&THING);
        let config = config.iter().fold(Record::new(), |record, (name, value)| record.with(*name, *value));
        assert_eq!(validate(thing.attributes, thing.rules, &config, true).len(), errors, "{config:?}");
    };
    check(&[("name", "one")], 0);
    check(&[("id", "id-1")], 0);
    check(&[], 1);
    check(&[("id", "id-1"), ("name", "one")], 1);
    check(&[("name", "much too long")], 1);
}

#[test]
fn an_object_that_was_read_makes_a_whole_answer() {
    let source = singular(&PAIR);
    let config = Record::new().with("listener", "IncomingMail").with("number", 7);
    let read = settle(&PAIR, &Record::new(), &config.clone().with("id", "IncomingMail/7").with("secret", "abcdef"));
    let (state, problems) = answer(source, &config, &read);
    assert_eq!(problems, []);
    assert_eq!((state.text("secret"), state.get("senders")), (Some("abcdef"), &Value::Set(vec![])));
    assert!(msgpack::encode(&state.into_value(), &data_type(source)).is_ok());
}
