//! The calls of the protocol, each against a small provider over a real socket.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::support_plugin::{ECHO, Fake, PAIR, SHOUT, THING, fill, notes, object, read_object, settings, whole};
use mailflow::plugin::wire::health::HealthCheckRequest;
use mailflow::plugin::wire::health::health_check_response::ServingStatus;
use mailflow::plugin::wire::health::health_client::HealthClient;
use mailflow::plugin::wire::host::grpc_stdio_client::GrpcStdioClient;
use mailflow::plugin::wire::tfplugin6::provider_client::ProviderClient;
use mailflow::plugin::wire::tfplugin6::{self as wire, ClientCapabilities, Diagnostic, RawState, ResourceIdentityData};
use mailflow::plugin::{Reattach, serve_reattach};
use mailflow::schema::{Record, engine};
use mailflow::value::{Value, json, msgpack};
use tonic::transport::{Channel, Endpoint};

const LARGEST: usize = 256 << 20;

/// A served provider and a client that talks to it.
pub(crate) struct Scene {
    pub(crate) client: ProviderClient<Channel>,
    channel: Channel,
    store: tempfile::TempDir,
    server: Reattach,
}

async fn scene() -> Scene {
    let store = tempfile::tempdir().unwrap();
    let server = serve_reattach(Arc::new(Fake)).await.unwrap();
    let variable: serde_json::Value = serde_json::from_str(&server.variable("local/fake")).unwrap();
    let path = variable["local/fake"]["Addr"]["String"].as_str().unwrap();
    let channel = Endpoint::try_from(format!("unix://{path}")).unwrap().connect().await.unwrap();
    let client = ProviderClient::new(channel.clone()).max_decoding_message_size(LARGEST).max_encoding_message_size(LARGEST);
    Scene { client, channel, store, server }
}

pub(crate) async fn configured() -> Scene {
    let mut scene = scene().await;
    let store = scene.store.path().to_owned();
    assert_eq!(scene.configure(store.to_str().unwrap()).await, []);
    scene
}

impl Scene {
    fn store(&self) -> &Path {
        self.store.path()
    }

    async fn configure(&mut self, store: impl Into<Value>) -> Vec<Diagnostic> {
        let request = wire::configure_provider::Request { config: settings(store), ..Default::default() };
        self.client.configure_provider(request).await.unwrap().into_inner().diagnostics
    }

    async fn plan(&mut self, prior: Option<&Record>, config: &Record) -> wire::plan_resource_change::Response {
        let mut proposed = config.clone();
        for computed in ["id", "stamp"] {
            proposed.set(computed, prior.map_or(Value::Null, |prior| prior.get(computed).clone()));
        }
        let request = wire::plan_resource_change::Request {
            type_name: "fake_thing".to_owned(),
            prior_state: prior.map_or_else(none, |prior| object(&THING, prior)),
            proposed_new_state: object(&THING, &proposed),
            config: object(&THING, config),
            client_capabilities: Some(ClientCapabilities { write_only_attributes_allowed: true, ..Default::default() }),
            ..Default::default()
        };
        self.client.plan_resource_change(request).await.unwrap().into_inner()
    }

    async fn apply(
        &mut self,
        prior: Option<&Record>,
        planned: Option<&Record>,
        config: &Record,
        private: Vec<u8>,
    ) -> wire::apply_resource_change::Response {
        let request = wire::apply_resource_change::Request {
            type_name: "fake_thing".to_owned(),
            prior_state: prior.map_or_else(none, |prior| object(&THING, prior)),
            planned_state: planned.map_or_else(none, |planned| object(&THING, planned)),
            config: object(&THING, config),
            planned_private: private,
            ..Default::default()
        };
        self.client.apply_resource_change(request).await.unwrap().into_inner()
    }

    /// Plans and applies a create.
    async fn create(&mut self, config: &Record) -> wire::apply_resource_change::Response {
        let plan = self.plan(None, config).await;
        let planned = read_object(&THING, plan.planned_state.as_ref()).unwrap();
        self.apply(None, Some(&planned), config, plan.planned_private).await
    }

    async fn read(&mut self, state: &Record, private: &[u8]) -> wire::read_resource::Response {
        let request = wire::read_resource::Request {
            type_name: "fake_thing".to_owned(),
            current_state: object(&THING, state),
            private: private.to_vec(),
            ..Default::default()
        };
        self.client.read_resource(request).await.unwrap().into_inner()
    }
}

#[expect(clippy::unnecessary_wraps, reason = "in a message every value is optional")]
fn none() -> Option<wire::DynamicValue> {
    Some(wire::DynamicValue { msgpack: vec![0xc0], json: Vec::new() })
}

fn config(name: &str) -> Record {
    Record::new().with("name", name)
}

fn behaving(name: &str, behave: &str) -> Record {
    config(name).with("behave", behave)
}

fn saved(response: &wire::apply_resource_change::Response) -> Option<Record> {
    read_object(&THING, response.new_state.as_ref())
}

fn errors(diagnostics: &[Diagnostic]) -> Vec<String> {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity() == wire::diagnostic::Severity::Error);
    errors.map(|diagnostic| format!("{}: {}", diagnostic.summary, diagnostic.detail)).collect()
}

pub(crate) fn one_error(diagnostics: &[Diagnostic]) -> String {
    let errors = errors(diagnostics);
    assert_eq!(errors.len(), 1, "{diagnostics:#?}");
    errors.into_iter().next().unwrap()
}

/// The text of the one warning, where nothing is an error.
pub(crate) fn one_warning(diagnostics: &[Diagnostic]) -> String {
    let [one] = diagnostics else { panic!("one message is expected: {diagnostics:#?}") };
    assert_eq!(one.severity(), wire::diagnostic::Severity::Warning, "{one:#?}");
    format!("{}: {}", one.summary, one.detail)
}

#[tokio::test]
async fn point_50_the_schema_holds_all_that_is_offered_in_an_unconfigured_process() {
    let mut scene = scene().await;
    let schema = scene.client.get_provider_schema(wire::get_provider_schema::Request {}).await.unwrap().into_inner();
    assert!(schema.provider.is_some());
    assert_eq!(schema.resource_schemas.keys().collect::<Vec<_>>(), ["fake_pair", "fake_thing"]);
    assert_eq!(schema.data_source_schemas.keys().collect::<Vec<_>>(), ["fake_echo"]);
    assert_eq!(schema.functions.keys().collect::<Vec<_>>(), ["shout"]);
    let capabilities = schema.server_capabilities.unwrap();
    assert!(capabilities.plan_destroy && capabilities.get_provider_schema_optional);
    assert!(capabilities.move_resource_state && capabilities.generate_resource_config);
    assert_eq!(schema.list_resource_schemas.keys().collect::<Vec<_>>(), ["fake_pair", "fake_thing"]);

    let thing = &schema.resource_schemas["fake_thing"];
    let block = thing.block.as_ref().unwrap();
    assert_eq!((thing.version, block.version), (THING.version, THING.version));
    let names: Vec<_> = block.attributes.iter().map(|attribute| attribute.name.as_str()).collect();
    assert!(names.is_sorted(), "{names:?}");
    let find = |name: &str| block.attributes.iter().find(|attribute| attribute.name == name).unwrap();
    assert!(find("name").required && find("id").computed && !find("id").optional);
    assert!(find("secret_wo").write_only && find("secret").sensitive && !find("secret_wo_version").sensitive);
    let nested: Vec<_> = block.block_types.iter().map(|nested| nested.type_name.as_str()).collect();
    assert_eq!(nested, ["timeouts"]);

    let again = scene.client.get_provider_schema(wire::get_provider_schema::Request {}).await.unwrap().into_inner();
    assert_eq!(again.resource_schemas, schema.resource_schemas);
}

#[tokio::test]
async fn the_schema_that_is_sent_has_the_types_that_are_decoded() {
    fn check(sent: &[wire::schema::Attribute], blocks: &[wire::schema::NestedBlock], decoded: &mailflow::value::Type) {
        let mailflow::value::Type::Object(types) = decoded else { panic!("{decoded:?}") };
        let names = sent.iter().map(|attribute| &attribute.name).chain(blocks.iter().map(|nested| &nested.type_name));
        assert_eq!(names.collect::<BTreeSet<_>>(), types.keys().collect::<BTreeSet<_>>());
        let element = |name: &str| match &types[name] {
            mailflow::value::Type::List(of) | mailflow::value::Type::Set(of) => of.as_ref().clone(),
            of => of.clone(),
        };
        for attribute in sent {
            let Some(nested) = &attribute.nested_type else { continue };
            check(&nested.attributes, &[], &element(&attribute.name));
        }
        for nested in blocks {
            let block = nested.block.as_ref().expect("a block");
            check(&block.attributes, &block.block_types, &element(&nested.type_name));
        }
    }
    let mut scene = scene().await;
    let schema = scene.client.get_provider_schema(wire::get_provider_schema::Request {}).await.unwrap().into_inner();
    for (name, resource) in [("fake_thing", &THING), ("fake_pair", &PAIR)] {
        let block = schema.resource_schemas[name].block.as_ref().unwrap();
        check(&block.attributes, &block.block_types, &engine::resource_type(resource));
    }
    let echo = schema.data_source_schemas["fake_echo"].block.as_ref().unwrap();
    check(&echo.attributes, &echo.block_types, &engine::data_type(&ECHO));
}

#[tokio::test]
async fn metadata_and_functions_name_the_same_things_as_the_schema() {
    let mut scene = scene().await;
    let metadata = scene.client.get_metadata(wire::get_metadata::Request {}).await.unwrap().into_inner();
    assert_eq!(metadata.resources.iter().map(|it| it.type_name.as_str()).collect::<Vec<_>>(), ["fake_pair", "fake_thing"]);
    assert_eq!(metadata.list_resources.iter().map(|it| it.type_name.as_str()).collect::<Vec<_>>(), ["fake_pair", "fake_thing"]);
    let functions = scene.client.get_functions(wire::get_functions::Request {}).await.unwrap().into_inner().functions;
    assert_eq!(functions["shout"].summary, "Makes a text loud");
    assert_eq!(functions["shout"].parameters.len(), 1);
}

#[tokio::test]
async fn what_is_not_offered_is_an_error_on_its_name_or_unimplemented() {
    let mut scene = configured().await;
    let client = &mut scene.client;
    let name = || "fake_nothing".to_owned();

    let said = client.read_resource(wire::read_resource::Request { type_name: name(), ..Default::default() }).await;
    assert!(one_error(&said.unwrap().into_inner().diagnostics).contains("fake_nothing"));
    let said = client.open_ephemeral_resource(wire::open_ephemeral_resource::Request { type_name: name(), ..Default::default() });
    assert!(one_error(&said.await.unwrap().into_inner().diagnostics).contains("fake_nothing"));
    let said = client.plan_action(wire::plan_action::Request { action_type: name(), ..Default::default() }).await;
    assert!(one_error(&said.unwrap().into_inner().diagnostics).contains("fake_nothing"));

    let request = wire::list_resource::Request { type_name: name(), ..Default::default() };
    let mut events = client.list_resource(request).await.unwrap().into_inner();
    assert_eq!(events.message().await.unwrap().unwrap().diagnostic.len(), 1);
    assert!(events.message().await.unwrap().is_none());
    let request = wire::invoke_action::Request { action_type: name(), ..Default::default() };
    let mut events = client.invoke_action(request).await.unwrap().into_inner();
    assert!(events.message().await.unwrap().is_some());
    assert!(events.message().await.unwrap().is_none());

    let status = client.get_states(wire::get_states::Request { type_name: name() }).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unimplemented);
    let said = client
        .generate_resource_config(wire::generate_resource_config::Request { type_name: name(), ..Default::default() })
        .await;
    assert!(one_error(&said.unwrap().into_inner().diagnostics).contains("fake_nothing"));

    let request = wire::move_resource_state::Request { target_type_name: "fake_thing".to_owned(), ..Default::default() };
    let said = client.move_resource_state(request).await.unwrap().into_inner();
    assert!(one_error(&said.diagnostics).contains("import"));
}

#[tokio::test]
async fn an_object_is_planned_created_read_changed_and_deleted() {
    let mut scene = configured().await;
    let wanted = config("spoon").with("size", 7).with("tags", Value::texts(["b", "a"]));
    let plan = scene.plan(None, &wanted).await;
    assert_eq!(plan.diagnostics, []);
    let planned = read_object(&THING, plan.planned_state.as_ref()).unwrap();
    assert!(planned.get("id").is_unknown() && planned.get("stamp").is_unknown());
    assert_eq!(planned.integer("size"), Some(7));

    let applied = scene.apply(None, Some(&planned), &wanted, plan.planned_private).await;
    assert_eq!(applied.diagnostics, []);
    let state = saved(&applied).unwrap();
    assert_eq!((state.text("id"), state.integer("stamp")), (Some("id-spoon"), Some(1)));
    assert!(applied.new_identity.is_some());

    let read = scene.read(&state, &applied.private).await;
    assert_eq!(read.diagnostics, []);
    assert_eq!(read_object(&THING, read.new_state.as_ref()), Some(state.clone()));

    let larger = wanted.with("size", 8);
    let plan = scene.plan(Some(&state), &larger).await;
    let planned = read_object(&THING, plan.planned_state.as_ref()).unwrap();
    let applied = scene.apply(Some(&state), Some(&planned), &larger, read.private).await;
    assert_eq!(applied.diagnostics, []);
    let state = saved(&applied).unwrap();
    assert_eq!(state.integer("size"), Some(8));

    let applied = scene.apply(Some(&state), None, &Record::new(), applied.private).await;
    assert_eq!(applied.diagnostics, []);
    assert_eq!(saved(&applied), None);
    let read = scene.read(&state, &[]).await;
    assert_eq!(read_object(&THING, read.new_state.as_ref()), None, "point 38: null says that it is gone");
}

#[tokio::test]
async fn point_26_a_planned_destroy_is_null_and_keeps_the_private_data() {
    let mut scene = configured().await;
    let request = wire::plan_resource_change::Request {
        type_name: "fake_thing".to_owned(),
        prior_state: object(&THING, &config("spoon").with("id", "id-spoon")),
        proposed_new_state: none(),
        config: none(),
        prior_private: br#"{"writes":1}"#.to_vec(),
        ..Default::default()
    };
    let plan = scene.client.plan_resource_change(request).await.unwrap().into_inner();
    assert_eq!(plan.diagnostics, []);
    assert_eq!(read_object(&THING, plan.planned_state.as_ref()), None);
    assert_eq!(plan.planned_private, br#"{"writes":1}"#);
}

#[tokio::test]
async fn a_plan_with_a_change_is_checked_and_announced_and_one_without_costs_nothing() {
    let mut scene = configured().await;
    let state = saved(&scene.create(&config("spoon")).await).unwrap();
    assert_eq!(notes(scene.store()), ["check spoon", "announce spoon", "create spoon"]);
    let plan = scene.plan(Some(&state), &config("spoon").with("tags", Value::set(Vec::new()))).await;
    assert_eq!(plan.diagnostics, []);
    assert_eq!(notes(scene.store()).len(), 3);

    let plan = scene.plan(Some(&state), &behaving("spoon", "doubt")).await;
    assert_eq!(plan.diagnostics[0].summary, "Doubtful");
    assert!(notes(scene.store()).ends_with(&["check spoon".to_owned(), "announce spoon".to_owned()]));

    let plan = scene.plan(Some(&state), &behaving("spoon", "refuse")).await;
    assert_eq!(one_error(&plan.diagnostics), "Unable to plan thing \"spoon\": No such thing.");
    assert!(plan.diagnostics[0].attribute.is_some());
    assert!(notes(scene.store()).ends_with(&["check spoon".to_owned()]), "a plan with an error is not announced");
}

#[tokio::test]
async fn an_update_of_the_time_limits_alone_asks_nothing_of_the_service() {
    let mut scene = configured().await;
    let created = scene.create(&config("spoon")).await;
    let state = saved(&created).unwrap();
    let before = notes(scene.store());
    let limits = Value::object([("create", Value::text("5m"))]);
    let Value::Object(types) = whole(&THING, &Record::new()) else { panic!("not an object") };
    assert!(types.contains_key("timeouts"));
    let mailflow::value::Type::Object(types) = engine::resource_type(&THING) else { panic!("not an object") };
    let planned = state.clone().with("timeouts", fill(limits, &types["timeouts"]));
    let applied = scene.apply(Some(&state), Some(&planned), &config("spoon"), created.private.clone()).await;
    assert_eq!(applied.diagnostics, []);
    assert_eq!(saved(&applied), Some(planned));
    assert_eq!(applied.private, created.private);
    assert_eq!(notes(scene.store()), before);
}

#[tokio::test]
async fn c15_a_time_limit_that_is_none_is_an_error_on_it() {
    let mut scene = configured().await;
    let mailflow::value::Type::Object(types) = engine::resource_type(&THING) else { panic!("not an object") };
    let limits = fill(Value::object([("create", Value::text("soon"))]), &types["timeouts"]);
    let wanted = config("spoon").with("timeouts", limits);
    let planned = wanted.clone().with("id", Value::UNKNOWN).with("stamp", Value::UNKNOWN).with("tags", Value::set(Vec::new()));
    let applied = scene.apply(None, Some(&planned), &wanted, Vec::new()).await;
    assert!(one_error(&applied.diagnostics).contains("soon"));
    assert_eq!(applied.diagnostics[0].attribute.as_ref().unwrap().steps.len(), 2);
    assert!(applied.diagnostics[0].detail.contains("timeouts.create"));
}

#[tokio::test]
async fn point_23_a_write_only_value_reaches_the_service_and_no_state() {
    let mut scene = configured().await;
    let wanted = config("spoon").with("secret_wo", "hunter22").with("secret_wo_version", 1);
    let applied = scene.create(&wanted).await;
    assert_eq!(errors(&applied.diagnostics), Vec::<String>::new());
    let state = saved(&applied).unwrap();
    assert_eq!((state.get("secret"), state.get("secret_wo")), (&Value::Null, &Value::Null));
    let stored = std::fs::read(scene.store().join("id-spoon.object")).unwrap();
    assert!(stored.windows(8).any(|window| window == b"hunter22"));

    let newer = wanted.with("secret_wo", "hunter23").with("secret_wo_version", 2);
    let planned = state.clone().with("secret_wo_version", 2).with("stamp", Value::UNKNOWN);
    let applied = scene.apply(Some(&state), Some(&planned), &newer, applied.private).await;
    assert_eq!(errors(&applied.diagnostics), Vec::<String>::new());
    assert!(notes(scene.store()).contains(&"update spoon".to_owned()));
}

#[tokio::test]
async fn p13_a_write_only_value_from_a_host_without_support_names_the_other_attribute() {
    let mut scene = scene().await;
    let wanted = config("spoon").with("secret_wo", "hunter22").with("secret_wo_version", 1);
    let mut validate = async |client_capabilities: Option<ClientCapabilities>| {
        let request = wire::validate_resource_config::Request {
            type_name: "fake_thing".to_owned(),
            config: object(&THING, &wanted),
            client_capabilities,
        };
        errors(&scene.client.validate_resource_config(request).await.unwrap().into_inner().diagnostics)
    };
    let able = ClientCapabilities { write_only_attributes_allowed: true, ..Default::default() };
    assert_eq!(validate(Some(able)).await, Vec::<String>::new());
    // Older hosts send no capabilities at all.
    for unable in [None, Some(ClientCapabilities::default())] {
        let said = validate(unable).await;
        assert!(said.iter().any(|error| error.contains("secret") && !error.contains("hunter")), "{said:?}");
    }
}

#[tokio::test]
async fn p03_a_configuration_of_unknown_values_is_validated_and_planned() {
    let mut scene = scene().await;
    let mut wanted = Record::new();
    for attribute in THING.attributes.iter().filter(|attribute| attribute.name != "stamp") {
        wanted.set(attribute.name, Value::UNKNOWN);
    }
    let request = wire::validate_resource_config::Request {
        type_name: "fake_thing".to_owned(),
        config: object(&THING, &wanted),
        client_capabilities: None,
    };
    let said = scene.client.validate_resource_config(request).await.unwrap().into_inner();
    assert_eq!(errors(&said.diagnostics), Vec::<String>::new());
    let plan = scene.plan(None, &wanted).await;
    assert_eq!(errors(&plan.diagnostics), Vec::<String>::new());
    assert!(read_object(&THING, plan.planned_state.as_ref()).unwrap().get("name").is_unknown());
}

#[tokio::test]
async fn point_32_an_object_that_exists_in_part_is_saved_with_the_words_of_the_service() {
    let mut scene = configured().await;
    // What stands is never made anew for that, so it is no error.
    let applied = scene.create(&behaving("spoon", "partial")).await;
    let said = one_warning(&applied.diagnostics);
    assert!(said.starts_with("Created thing \"spoon\", but not all of it is as planned: Half of it."), "{said}");
    assert_eq!(saved(&applied).unwrap().text("id"), Some("id-spoon"));
}

#[tokio::test]
async fn point_33_an_error_without_an_object_keeps_what_stood_before() {
    let mut scene = configured().await;
    let created = scene.create(&config("spoon")).await;
    let state = saved(&created).unwrap();
    let planned = state.clone().with("behave", "lost");
    let applied = scene.apply(Some(&state), Some(&planned), &behaving("spoon", "lost"), created.private.clone()).await;
    assert!(one_error(&applied.diagnostics).starts_with("Unable to update thing \"spoon\""));
    assert_eq!(saved(&applied), Some(state.clone()));
    assert_eq!(applied.private, created.private);

    let stuck = state.with("behave", "stuck");
    let applied = scene.apply(Some(&stuck), None, &Record::new(), created.private.clone()).await;
    assert!(one_error(&applied.diagnostics).starts_with("Unable to delete thing \"spoon\""));
    assert_eq!(saved(&applied), Some(stuck));

    let applied = scene.create(&behaving("fork", "lost")).await;
    assert_eq!(errors(&applied.diagnostics).len(), 1);
    assert_eq!(saved(&applied), None);
}

#[tokio::test]
async fn point_35_an_apply_never_answers_with_a_status() {
    let mut scene = configured().await;
    let state = config("spoon").with("id", "id-spoon");
    let rubbish = Some(wire::DynamicValue { msgpack: vec![0x93, 0x01], json: Vec::new() });
    let request = |change: fn(&mut wire::apply_resource_change::Request)| {
        let mut request = wire::apply_resource_change::Request {
            type_name: "fake_thing".to_owned(),
            prior_state: object(&THING, &state),
            planned_state: object(&THING, &state),
            config: object(&THING, &state),
            ..Default::default()
        };
        change(&mut request);
        request
    };
    let mut broken = [
        request(|request| request.type_name = "fake_nothing".to_owned()),
        request(|request| request.type_name = String::new()),
        request(|request| request.planned_private = b"{".to_vec()),
        request(|_| {}),
        request(|_| {}),
    ];
    broken[3].planned_state.clone_from(&rubbish);
    broken[4].config.clone_from(&rubbish);
    for request in broken {
        let applied = scene.client.apply_resource_change(request).await.expect("no status").into_inner();
        assert_eq!(errors(&applied.diagnostics).len(), 1, "{:?}", applied.diagnostics);
        assert_eq!(saved(&applied).as_ref().and_then(|saved| saved.text("id")), Some("id-spoon"));
    }
}

#[tokio::test]
async fn point_35_an_answer_that_does_not_fit_the_schema_is_saved_as_far_as_it_fits() {
    let mut scene = configured().await;
    let applied = scene.create(&behaving("spoon", "misfit")).await;
    assert!(!applied.diagnostics.is_empty() && errors(&applied.diagnostics).is_empty(), "{:#?}", applied.diagnostics);
    assert_eq!(saved(&applied).unwrap().text("id"), Some("id-spoon"));
}

#[tokio::test]
async fn point_30_an_answer_with_unknown_values_is_saved_with_nulls() {
    let mut scene = configured().await;
    let applied = scene.create(&behaving("spoon", "vague")).await;
    assert!(!applied.diagnostics.is_empty() && errors(&applied.diagnostics).is_empty(), "{:#?}", applied.diagnostics);
    let state = saved(&applied).unwrap();
    assert_eq!((state.text("id"), state.get("stamp")), (Some("id-spoon"), &Value::Null));
}

#[tokio::test]
async fn p14_a_panic_is_a_diagnostic_with_the_last_state_and_other_calls_go_on() {
    let mut scene = configured().await;
    let mut other = scene.client.clone();
    let (applied, metadata) = tokio::join!(
        async {
            let applied = scene.create(&behaving("spoon", "panic")).await;
            (applied, scene)
        },
        other.get_metadata(wire::get_metadata::Request {})
    );
    let (applied, mut scene) = applied;
    assert!(metadata.is_ok());
    let error = one_error(&applied.diagnostics);
    assert!(error.contains("ApplyResourceChange") && !error.contains("hunter2"), "{error}");
    assert_eq!(saved(&applied), None);
    assert_eq!(scene.create(&config("fork")).await.diagnostics, []);

    let request = wire::call_function::Request { name: "shout".to_owned(), arguments: vec![text("panic")] };
    let called = scene.client.call_function(request).await.unwrap().into_inner();
    assert!(called.error.unwrap().text.contains("CallFunction"));
}

#[tokio::test]
async fn point_15_private_data_is_carried_from_call_to_call() {
    let mut scene = configured().await;
    let applied = scene.create(&config("spoon")).await;
    assert_eq!(applied.private, br#"{"writes":1}"#);
    let state = saved(&applied).unwrap();
    let read = scene.read(&state, &applied.private).await;
    let read = scene.read(&state, &read.private).await;
    assert_eq!(read.private, br#"{"reads":2,"writes":1}"#);
    let planned = state.clone().with("size", 3);
    let applied = scene.apply(Some(&state), Some(&planned), &config("spoon").with("size", 3), read.private).await;
    assert_eq!(applied.private, br#"{"reads":2,"writes":2}"#);
}

#[tokio::test]
async fn p06_corrupt_private_data_lets_an_object_be_read_and_not_changed() {
    let mut scene = configured().await;
    let state = saved(&scene.create(&config("spoon")).await).unwrap();
    let read = scene.read(&state, b"\xffrubbish").await;
    assert_eq!(read.diagnostics.len(), 1);
    assert_eq!(read.diagnostics[0].severity(), wire::diagnostic::Severity::Warning);
    assert_eq!(read.private, b"\xffrubbish");
    assert!(read_object(&THING, read.new_state.as_ref()).is_some());
    let applied = scene.apply(Some(&state), None, &Record::new(), b"\xffrubbish".to_vec()).await;
    assert!(one_error(&applied.diagnostics).contains("state rm"));
    assert_eq!(saved(&applied), Some(state));
}

#[tokio::test]
async fn an_old_state_goes_through_every_step_to_the_schema_of_now() {
    let mut scene = scene().await;
    let mut upgrade = async |version: i64, state: &str| {
        let raw_state = Some(RawState { json: state.as_bytes().to_vec(), ..Default::default() });
        let request = wire::upgrade_resource_state::Request { type_name: "fake_thing".to_owned(), version, raw_state };
        scene.client.upgrade_resource_state(request).await.unwrap().into_inner()
    };
    for (version, state, size) in [
        (0, r#"{"id": "1", "name": "spoon", "length": 9, "tags": "b a"}"#, Some(9)),
        (1, r#"{"id": "1", "name": "spoon", "length": 9, "tags": "b a"}"#, Some(9)),
        // What version 2 called so had nothing to do with it.
        (2, r#"{"id": "1", "name": "spoon", "length": 9, "tags": "b a"}"#, None),
    ] {
        let upgraded = upgrade(version, state).await;
        assert_eq!(upgraded.diagnostics, [], "{version}");
        let thing = read_object(&THING, upgraded.upgraded_state.as_ref()).unwrap();
        assert_eq!((thing.text("name"), thing.integer("size"), thing.texts("tags")), (Some("spoon"), size, vec!["a", "b"]));
    }
    let broken = upgrade(2, r#"{"id": "1", "name": "spoon", "tags": true}"#).await;
    assert!(one_error(&broken.diagnostics).contains("The tags are no text"));
}

#[tokio::test]
async fn an_object_of_another_provider_is_moved_here_and_any_other_is_refused() {
    let mut scene = scene().await;
    let mut moved = async |provider: &str, kind: &str, target: &str, state: &str| {
        let source_state = Some(RawState { json: state.as_bytes().to_vec(), ..Default::default() });
        let request = wire::move_resource_state::Request {
            source_provider_address: provider.to_owned(),
            source_type_name: kind.to_owned(),
            source_state,
            target_type_name: target.to_owned(),
            ..Default::default()
        };
        scene.client.move_resource_state(request).await.unwrap().into_inner()
    };
    let (other, state) = ("registry.example.com/elsewhere/other", r#"{"label": "spoon", "more": [1]}"#);
    let done = moved(other, "other_thing", "fake_thing", state).await;
    assert_eq!(done.diagnostics, []);
    assert_eq!(read_object(&THING, done.target_state.as_ref()).unwrap().text("name"), Some("spoon"));
    assert!(done.target_identity.is_some());
    let no_label = moved(other, "other_thing", "fake_thing", "{}").await;
    assert!(one_error(&no_label.diagnostics).contains("no label") && no_label.target_state.is_none());
    for (provider, kind, target) in [
        ("registry.example.com/somewhere/other", "other_thing", "fake_thing"),
        ("registry.example.com/not-elsewhere/other", "other_thing", "fake_thing"),
        (other, "other_stuff", "fake_thing"),
        (other, "other_thing", "fake_pair"),
    ] {
        let refused = moved(provider, kind, target, state).await;
        assert!(one_error(&refused.diagnostics).contains("state rm"), "{provider} {kind} {target}");
        assert!(refused.target_state.is_none());
    }
}

#[tokio::test]
async fn point_12_stored_state_is_upgraded_and_newer_state_refused() {
    let mut scene = scene().await;
    let mut stored = json::encode(&whole(&THING, &config("spoon").with("size", 9)), &engine::resource_type(&THING)).unwrap();
    let mut upgrade = async |version: i64, json: Vec<u8>| {
        let raw_state = Some(RawState { json, ..Default::default() });
        let request = wire::upgrade_resource_state::Request { type_name: "fake_thing".to_owned(), version, raw_state };
        scene.client.upgrade_resource_state(request).await.unwrap().into_inner()
    };
    let same = upgrade(3, stored.clone()).await;
    assert_eq!(same.diagnostics, []);
    assert_eq!(read_object(&THING, same.upgraded_state.as_ref()).unwrap().integer("size"), Some(9));

    stored.pop();
    stored.extend_from_slice(br#", "retired": {"by": [1, 2]}}"#);
    for version in [3, 0] {
        let dropped = upgrade(version, stored.clone()).await;
        assert_eq!(dropped.diagnostics, []);
        assert_eq!(read_object(&THING, dropped.upgraded_state.as_ref()).unwrap().text("name"), Some("spoon"));
    }
    let newer = upgrade(4, stored.clone()).await;
    assert!(one_error(&newer.diagnostics).contains("newer version"));
    let broken = upgrade(3, b"{".to_vec()).await;
    assert!(one_error(&broken.diagnostics).contains("state rm"));
}

#[tokio::test]
async fn point_40_an_import_gives_a_stub_that_can_be_read() {
    let mut scene = configured().await;
    let state = saved(&scene.create(&config("spoon").with("size", 2)).await).unwrap();
    let request =
        wire::import_resource_state::Request { type_name: "fake_thing".to_owned(), id: "spoon".to_owned(), ..Default::default() };
    let imported = scene.client.import_resource_state(request).await.unwrap().into_inner();
    assert_eq!(imported.diagnostics, []);
    let [stub] = imported.imported_resources.as_slice() else { panic!("{imported:?}") };
    assert_eq!(stub.type_name, "fake_thing");
    let found = read_object(&THING, stub.state.as_ref()).unwrap();
    let read = scene.read(&found, &stub.private).await;
    let read = read_object(&THING, read.new_state.as_ref()).unwrap();
    assert_eq!((read.text("id"), read.integer("size")), (state.text("id"), Some(2)));
}

#[tokio::test]
async fn point_42_an_object_is_imported_by_its_identity() {
    let mut scene = configured().await;
    let created = scene.create(&config("spoon")).await;
    let request = wire::import_resource_state::Request {
        type_name: "fake_thing".to_owned(),
        identity: created.new_identity.clone(),
        ..Default::default()
    };
    let imported = scene.client.import_resource_state(request).await.unwrap().into_inner();
    assert_eq!(imported.diagnostics, []);
    assert_eq!(imported.imported_resources[0].identity, created.new_identity);

    let schemas = scene.client.get_resource_identity_schemas(wire::get_resource_identity_schemas::Request {}).await.unwrap();
    let schemas = schemas.into_inner().identity_schemas;
    let pair = &schemas["fake_pair"].identity_attributes;
    assert!(pair.iter().filter(|it| ["left", "right"].contains(&it.name.as_str())).all(|it| it.required_for_import));
    assert!(pair.iter().all(|it| it.required_for_import != it.optional_for_import));
}

#[tokio::test]
async fn p11_an_identity_with_a_gap_and_an_empty_id_say_what_the_right_form_is() {
    let mut scene = configured().await;
    let half = Record::new().with("left", "a");
    let ty = engine::identity_type(&PAIR);
    let identity_data = crate::support_plugin::wire(&fill(half.into_value(), &ty), &ty);
    let request = wire::import_resource_state::Request {
        type_name: "fake_pair".to_owned(),
        identity: Some(ResourceIdentityData { identity_data }),
        ..Default::default()
    };
    let said = scene.client.import_resource_state(request).await.unwrap().into_inner();
    let error = one_error(&said.diagnostics);
    assert!(error.contains("\"right\"") && error.contains("a/b"), "{error}");

    let request = wire::import_resource_state::Request { type_name: "fake_thing".to_owned(), ..Default::default() };
    let said = scene.client.import_resource_state(request).await.unwrap().into_inner();
    let error = one_error(&said.diagnostics);
    assert!(error.contains("the name of the thing") && error.contains("spoon"), "{error}");

    let request =
        wire::import_resource_state::Request { type_name: "fake_thing".to_owned(), id: "ladle".to_owned(), ..Default::default() };
    let said = scene.client.import_resource_state(request).await.unwrap().into_inner();
    assert_eq!(one_error(&said.diagnostics), "Unable to import thing \"ladle\": There is no such thing.");
}

#[tokio::test]
async fn point_42_an_identity_of_this_version_comes_back_and_a_newer_one_is_refused() {
    let mut scene = scene().await;
    let mut upgrade = async |version: i64| {
        let raw_identity = Some(RawState { json: br#"{"left":"a","right":"b"}"#.to_vec(), ..Default::default() });
        let request = wire::upgrade_resource_identity::Request { type_name: "fake_pair".to_owned(), version, raw_identity };
        scene.client.upgrade_resource_identity(request).await.unwrap().into_inner()
    };
    let same = upgrade(0).await;
    assert_eq!(same.diagnostics, []);
    let data = same.upgraded_identity.unwrap().identity_data.unwrap();
    let identity = Record::from_value(msgpack::decode(&data.msgpack, &engine::identity_type(&PAIR)).unwrap());
    assert_eq!((identity.text("left"), identity.text("right")), (Some("a"), Some("b")));
    assert!(one_error(&upgrade(1).await.diagnostics).contains("newer version"));
}

#[tokio::test]
async fn p10_unknown_settings_let_creates_be_planned_and_name_the_setting_in_a_read() {
    let mut scene = scene().await;
    assert_eq!(scene.configure(Value::UNKNOWN).await, []);
    assert_eq!(scene.plan(None, &config("spoon")).await.diagnostics, []);
    let state = config("spoon").with("id", "id-spoon");
    let read = scene.read(&state, &[]).await;
    assert!(one_error(&read.diagnostics).contains("store"));
    assert_eq!(read_object(&THING, read.new_state.as_ref()).unwrap().text("id"), Some("id-spoon"), "the state is kept");
}

#[tokio::test]
async fn without_settings_plans_are_made_and_nothing_is_touched() {
    let mut scene = scene().await;
    assert_eq!(scene.plan(None, &config("spoon")).await.diagnostics, []);
    let applied = scene.create(&config("spoon")).await;
    assert!(one_error(&applied.diagnostics).contains("not configured"));
    assert_eq!(saved(&applied), None);
}

#[tokio::test]
async fn settings_may_come_again_and_bad_ones_replace_good_ones() {
    let mut scene = configured().await;
    let other = tempfile::tempdir().unwrap();
    assert_eq!(scene.configure(other.path().to_str().unwrap()).await, []);
    assert_eq!(scene.create(&config("spoon")).await.diagnostics, []);
    assert!(other.path().join("id-spoon.object").exists());
    assert!(!scene.store().join("id-spoon.object").exists());
    assert_eq!(errors(&scene.configure("forbidden").await).len(), 1);
    assert!(one_error(&scene.create(&config("fork")).await.diagnostics).contains("not configured"));
}

#[tokio::test]
async fn the_provider_block_is_checked_without_being_taken() {
    let mut scene = configured().await;
    let request = wire::validate_provider_config::Request { config: settings("forbidden") };
    let said = scene.client.validate_provider_config(request).await.unwrap().into_inner();
    assert!(one_error(&said.diagnostics).contains("forbidden"));
    assert_eq!(scene.create(&config("spoon")).await.diagnostics, []);
}

#[tokio::test]
async fn p02_a_stop_ends_waits_and_begins_nothing_until_there_are_new_settings() {
    let mut scene = configured().await;
    let mut other = scene.client.clone();
    let store = scene.store().to_owned();
    let waiting = async {
        let applied = scene.create(&behaving("spoon", "wait")).await;
        (applied, scene)
    };
    let stopping = async {
        while !notes(&store).contains(&"create spoon".to_owned()) {
            tokio::task::yield_now().await;
        }
        other.stop_provider(wire::stop_provider::Request {}).await.unwrap().into_inner()
    };
    let ((applied, mut scene), stopped) = tokio::join!(waiting, stopping);
    assert_eq!(stopped.error, "");
    assert!(one_error(&applied.diagnostics).contains("stopped"));
    assert!(one_error(&scene.create(&config("fork")).await.diagnostics).contains("stopped"));
    assert!(!store.join("id-fork.object").exists());
    assert_eq!(scene.configure(store.to_str().unwrap()).await, []);
    assert_eq!(scene.create(&config("fork")).await.diagnostics, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p05_256_calls_at_once_are_all_answered() {
    let scene = configured().await;
    let calls = (0..256).map(|number| {
        let mut client = scene.client.clone();
        async move {
            let wanted = config(&format!("thing{number}"));
            let planned =
                wanted.clone().with("id", Value::UNKNOWN).with("stamp", Value::UNKNOWN).with("tags", Value::set(Vec::new()));
            let request = wire::apply_resource_change::Request {
                type_name: "fake_thing".to_owned(),
                prior_state: none(),
                planned_state: object(&THING, &planned),
                config: object(&THING, &wanted),
                ..Default::default()
            };
            client.apply_resource_change(request).await.unwrap().into_inner().diagnostics
        }
    });
    let answers = tokio::time::timeout(Duration::from_mins(1), futures::future::join_all(calls)).await.unwrap();
    assert!(answers.iter().all(Vec::is_empty));
    assert_eq!(notes(scene.store()).len(), 256);
}

#[tokio::test]
async fn p07_an_attribute_of_6_mb_passes_both_ways() {
    let mut scene = configured().await;
    let note = "x".repeat(6_000_000);
    let applied = scene.create(&config("spoon").with("note", note.as_str())).await;
    assert_eq!(applied.diagnostics, []);
    let state = saved(&applied).unwrap();
    assert_eq!(state.text("note").map(str::len), Some(note.len()));
}

fn text(text: &str) -> wire::DynamicValue {
    crate::support_plugin::wire(&Value::text(text), &mailflow::value::Type::String).unwrap()
}

#[tokio::test]
async fn point_45_functions_run_unconfigured_and_name_the_argument_at_fault() {
    let mut scene = scene().await;
    let mut call = async |name: &str, arguments: Vec<wire::DynamicValue>| {
        let request = wire::call_function::Request { name: name.to_owned(), arguments };
        scene.client.call_function(request).await.unwrap().into_inner()
    };
    let loud = call(SHOUT.name, vec![text("hello")]).await;
    assert_eq!((loud.result, loud.error), (Some(text("HELLO")), None));
    let refused = call("shout", vec![text("(hello)")]).await.error.unwrap();
    // The host sets the full stop.
    assert_eq!((refused.text.as_str(), refused.function_argument), ("Speak up", Some(0)));
    assert_eq!(call("shout", vec![none().unwrap()]).await.error.unwrap().function_argument, Some(0));
    let misfit = wire::DynamicValue { msgpack: vec![0xc3], json: Vec::new() };
    assert_eq!(call("shout", vec![misfit]).await.error.unwrap().function_argument, Some(0));
    assert!(call("shout", Vec::new()).await.error.is_some());
    assert!(call("whisper", Vec::new()).await.error.unwrap().text.contains("whisper"));
}

#[tokio::test]
async fn point_44_a_data_source_repeats_its_arguments_beside_its_results() {
    let mut scene = configured().await;
    let ty = engine::data_type(&ECHO);
    let mut read = async |argument: &str| {
        let config = crate::support_plugin::wire(&fill(Value::object([("text", Value::text(argument))]), &ty), &ty);
        let request = wire::read_data_source::Request { type_name: "fake_echo".to_owned(), config, ..Default::default() };
        scene.client.read_data_source(request).await.unwrap().into_inner()
    };
    let heard = read("hello").await;
    assert_eq!(heard.diagnostics.len(), 1);
    let state = Record::from_value(msgpack::decode(&heard.state.unwrap().msgpack, &engine::data_type(&ECHO)).unwrap());
    assert_eq!((state.text("text"), state.integer("length")), (Some("hello"), Some(5)));
    let failed = read("fail").await;
    assert_eq!(one_error(&failed.diagnostics), "Unable to read echo: Nobody answers.\n\nCall again.");
    assert!(failed.state.is_none());
    assert!(one_error(&read("panic").await.diagnostics).contains("ReadDataSource"));
}

#[tokio::test]
async fn the_host_services_answer() {
    let scene = scene().await;
    let mut health = HealthClient::new(scene.channel.clone());
    for service in ["", "plugin"] {
        let request = HealthCheckRequest { service: service.to_owned() };
        assert_eq!(health.check(request).await.unwrap().into_inner().status(), ServingStatus::Serving);
    }
    let request = HealthCheckRequest { service: "mail".to_owned() };
    assert_eq!(health.check(request).await.unwrap_err().code(), tonic::Code::NotFound);

    let mut stdio = GrpcStdioClient::new(scene.channel.clone()).stream_stdio(()).await.unwrap().into_inner();
    let quiet = tokio::time::timeout(Duration::from_millis(50), stdio.message()).await;
    assert!(quiet.is_err(), "the stream stays open and says nothing");
}

#[tokio::test]
async fn the_end_of_a_reattach_server_removes_its_socket() {
    let scene = scene().await;
    let variable: serde_json::Value = serde_json::from_str(&scene.server.variable("local/fake")).unwrap();
    let how = &variable["local/fake"];
    assert_eq!((&how["Protocol"], &how["ProtocolVersion"], &how["Test"]), (&"grpc".into(), &6.into(), &true.into()));
    let path = how["Addr"]["String"].as_str().unwrap().to_owned();
    assert!(Path::new(&path).exists());
    scene.server.end().await;
    assert!(!Path::new(&path).exists());
}
