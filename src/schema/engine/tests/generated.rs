//! What is generated for an object that stands.

use super::tables::THING;
use crate::schema::engine::{concealed, generated, saveable, settle};
use crate::schema::{Record, Resource};
use crate::value::Value;

/// An object as it is imported, without what is sensitive.
fn imported(resource: &'static Resource, remote: &Record) -> Record {
    let found = concealed(resource, &settle(resource, &Record::new(), remote));
    saveable(resource, &found).0
}

#[test]
fn of_two_that_imply_each_other_one_is_written_and_of_one_that_is_implied_none() {
    let actions = |manner: &str| {
        let actions = Value::object([("answer", Value::text("No.")), ("manner", Value::text(manner))]);
        let state = imported(&THING, &Record::new().with("name", "one").with("actions", actions));
        generated(&THING, &state).at("actions.manner").clone()
    };
    assert_eq!(actions("Hard"), Value::text("Hard"));
    assert_eq!(actions("Soft"), Value::Null);
}
