//! The calls of the protocol for lists and generated configuration, against the small provider.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use crate::plugin_service::{Scene, configured, one_error, one_warning};
use crate::support_plugin::{THING, object, read_object, wire as encoded};
use mailflow::plugin::wire::tfplugin6 as wire;
use mailflow::plugin::wire::tfplugin6::list_resource::Event;
use mailflow::schema::{Record, engine};
use mailflow::value::Value;

/// The configuration of a list of things.
fn filters(name: &str) -> Option<wire::DynamicValue> {
    encoded(&Value::object([("name", Value::text(name))]), &engine::list_type(&THING))
}

/// All events of a list.
async fn events(scene: &mut Scene, name: &str, with_object: bool, limit: i64) -> Vec<Event> {
    let request = wire::list_resource::Request {
        type_name: "fake_thing".to_owned(),
        config: filters(name),
        include_resource_object: with_object,
        limit,
    };
    let mut stream = scene.client.list_resource(request).await.unwrap().into_inner();
    let mut events = Vec::new();
    while let Some(event) = stream.message().await.unwrap() {
        events.push(event);
    }
    events
}

fn names(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.display_name.as_str()).collect()
}

#[tokio::test]
async fn a_list_gives_names_and_identities_and_objects_only_when_they_are_asked_for() {
    let mut scene = configured().await;
    let plain = events(&mut scene, "*", false, 100).await;
    assert_eq!(names(&plain), ["fork", "knife", "spoon"]);
    assert!(plain.iter().all(|event| event.identity.is_some() && event.resource_object.is_none() && event.diagnostic.is_empty()));
    let whole = events(&mut scene, "*", true, 100).await;
    let first = read_object(&THING, whole[0].resource_object.as_ref()).unwrap();
    assert_eq!((first.text("id"), first.text("name"), first.integer("stamp")), (Some("id-fork"), Some("fork"), Some(1)));
    assert_eq!(first.get("secret"), &Value::Null, "the host prints it in clear");
}

#[tokio::test]
async fn a_list_that_is_cut_off_says_so_before_its_last_object() {
    let mut scene = configured().await;
    let cut = events(&mut scene, "*", false, 2).await;
    assert_eq!(names(&cut), ["fork", "", "knife"]);
    assert!(cut[1].identity.is_none());
    assert!(one_warning(&cut[1].diagnostic).contains("1 more fit"), "{cut:?}");
    assert_eq!(names(&events(&mut scene, "*", false, 3).await), ["fork", "knife", "spoon"]);
    assert!(events(&mut scene, "*", false, 0).await.is_empty());
}

#[tokio::test]
async fn a_part_that_cannot_be_read_is_a_warning_and_no_list_is_one_error() {
    let mut scene = configured().await;
    for (name, said) in [("torn", "One is torn"), ("said", "A part is odd.")] {
        let torn = events(&mut scene, name, false, 100).await;
        assert_eq!(names(&torn), ["", "fork", "knife", "spoon"]);
        assert!(one_warning(&torn[0].diagnostic).contains(said), "{torn:?}");
    }
    for (name, said) in [("fail", "Nobody may look."), ("panic", "ListResource")] {
        let failed = events(&mut scene, name, false, 100).await;
        assert_eq!(failed.len(), 1);
        assert!(failed[0].identity.is_none() && one_error(&failed[0].diagnostic).contains(said), "{failed:?}");
    }
}

#[tokio::test]
async fn a_list_that_nobody_wants_any_more_ends_without_a_word() {
    let mut scene = configured().await;
    let request = wire::list_resource::Request {
        type_name: "fake_thing".to_owned(),
        config: filters("*"),
        include_resource_object: true,
        limit: 100,
    };
    let mut stream = scene.client.list_resource(request).await.unwrap().into_inner();
    assert_eq!(stream.message().await.unwrap().unwrap().display_name, "fork");
    drop(stream);
    assert_eq!(names(&events(&mut scene, "*", false, 100).await), ["fork", "knife", "spoon"]);
}

#[tokio::test]
async fn what_a_list_is_narrowed_down_by_is_checked() {
    let mut scene = configured().await;
    let mut validate = async |name: &str| {
        let request = wire::validate_list_resource_config::Request {
            type_name: "fake_thing".to_owned(),
            config: filters(name),
            ..Default::default()
        };
        scene.client.validate_list_resource_config(request).await.unwrap().into_inner().diagnostics
    };
    assert_eq!(validate("s*").await, []);
    assert!(one_error(&validate("").await).contains("leave it out"));
}

#[tokio::test]
async fn generated_configuration_has_what_says_something_and_none_for_no_state() {
    let mut scene = configured().await;
    let state = Record::new()
        .with("id", "id-spoon")
        .with("name", "spoon")
        .with("size", 3)
        .with("tags", Value::set(Vec::new()))
        .with("secret", "hidden")
        .with("stamp", 7);
    let mut generate = async |state| {
        let request = wire::generate_resource_config::Request { type_name: "fake_thing".to_owned(), state };
        scene.client.generate_resource_config(request).await.unwrap().into_inner()
    };
    let made = generate(object(&THING, &state)).await;
    assert_eq!(made.diagnostics, []);
    let made = read_object(&THING, made.config.as_ref()).unwrap();
    let set: Vec<&str> = made.iter().filter(|(_, value)| !value.is_null()).map(|(name, _)| name).collect();
    assert_eq!(set, ["name", "size"]);
    for nothing in [None, Some(wire::DynamicValue { msgpack: vec![0xc0], json: Vec::new() })] {
        let made = generate(nothing).await;
        assert_eq!(made.diagnostics, []);
        assert_eq!(read_object(&THING, made.config.as_ref()), None);
    }
}
