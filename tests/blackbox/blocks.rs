//! What a user nests is a block: what stands in it counts, and a misspelt name in it is refused. The places come from the schema.
//!
//! Each block of each resource has an object of its own, and all of them go through the forms of a block together: one run of `terraform`
//! for each form.

use std::fmt::Write as _;

use mailflow::provider::CATALOG;
use mailflow::sandbox::gateway::Edit;
use mailflow::schema::engine::{Column, Shape, resource_columns, settings_columns};
use serde_json::{Map, Value as Json, json};

use crate::faults::run::{Run, Runs as _};
use crate::suites::{SUITES, Step};
use crate::support::{Must as _, Release, Workspace, World};

const RULE: &str = "mailflow_exchange_transport_rule";
const ROUTE: &str = "mailflow_gateway_smtp_route";

/// A block of a resource: the names of the blocks around it, and its own.
struct Place {
    /// The full type; nothing for the provider.
    resource: Option<String>,
    path: Vec<Column>,
}

impl Place {
    fn name(&self) -> &str {
        &self.path.last().expect("a block").name
    }

    fn members(&self) -> &[Column] {
        self.path.last().and_then(|column| column.shape.members()).expect("a block")
    }

    fn is_repeated(&self) -> bool {
        self.path.last().is_some_and(|column| matches!(column.shape, Shape::BlockList(_)))
    }

    /// The label of the object that is about this place.
    fn label(&self) -> String {
        self.path.iter().map(|column| column.name.as_ref()).collect::<Vec<_>>().join("_")
    }

    fn address(&self) -> String {
        format!("{}.{}", self.resource.as_deref().unwrap_or("provider"), self.label())
    }
}

/// Every block below these columns.
fn places(resource: Option<&str>, around: &[Column], columns: Vec<Column>, found: &mut Vec<Place>) {
    for column in columns.into_iter().filter(|column| column.shape.is_block()) {
        let members = column.shape.members().expect("a block").to_vec();
        let path = [around, &[column]].concat();
        places(resource, &path, members, found);
        found.push(Place { resource: resource.map(str::to_owned), path });
    }
}

fn in_resources() -> Vec<Place> {
    let mut found = Vec::new();
    for resource in CATALOG.resources {
        places(Some(&format!("mailflow_{}", resource.name)), &[], resource_columns(resource), &mut found);
    }
    found
}

fn in_provider() -> Vec<Place> {
    let mut found = Vec::new();
    places(None, &[], settings_columns(&CATALOG), &mut found);
    found
}

/// A name with a letter left out, which is none of these.
fn misspelt(members: &[Column]) -> String {
    let known = |name: &str| members.iter().any(|member| member.name == name);
    let wrong = members.iter().map(|member| member.name[..member.name.len() - 1].to_owned());
    wrong.into_iter().find(|name| !known(name)).expect("a name that is none")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_misspelt_name_is_refused_in_every_block_by_the_oldest_and_a_recent_release() {
    let world = World::start();
    let (resources, provider) = (in_resources(), in_provider());
    assert!(resources.iter().any(|place| place.name() == "conditions") && provider.iter().any(|place| place.name() == "api"));
    for release in Release::BOTH {
        let native = world.workspace_on(release, &format!("native-{release}")).await;
        let mut text = String::new();
        for place in resources.iter().chain(&provider) {
            // Each provider block has a name of its own, and something that uses it: Terraform looks at no other.
            let label = place.label();
            let head = match &place.resource {
                Some(resource) => format!("resource \"{resource}\" \"{label}\" {{"),
                None => format!(
                    "data \"mailflow_gateway_version\" \"{label}\" {{\nprovider = mailflow.{label}\n}}\nprovider \"mailflow\" {{\nalias = \"{label}\""
                ),
            };
            let inside = format!("{} = true", misspelt(place.members()));
            let nested = place.path.iter().rev().fold(inside, |inside, column| format!("{} {{\n{inside}\n}}", column.name));
            writeln!(text, "{head}\n{nested}\n}}").expect("a text");
        }
        native.write(&text);
        refused(
            &native.json(&["validate"]).await,
            &resources.iter().chain(&provider).collect::<Vec<_>>(),
            "Unsupported argument",
        );

        let by_json = world.workspace_on(release, &format!("json-{release}")).await;
        by_json.write_resources(resources.iter().map(|place| {
            let inside = json!({ misspelt(place.members()): true });
            let nested = place.path.iter().rev().fold(inside, |inside, column| json!({ column.name.as_ref(): inside }));
            (place.resource.as_deref().expect("a resource"), &*place.label().leak(), nested)
        }));
        let run = by_json.json(&["validate"]).await;
        refused(&run, &resources.iter().collect::<Vec<_>>(), "Extraneous JSON object property");
    }
}

/// Ends the test unless each place has its error on the line of the misspelt name, beside those about what is left out.
#[track_caller]
fn refused(run: &Run, places: &[&Place], summary: &str) {
    let errors: Vec<_> = run.errors().into_iter().filter(|said| said.summary == summary).collect();
    let mut wanted: Vec<String> = places.iter().map(|place| misspelt(place.members())).collect();
    for said in &errors {
        let name = wanted.iter().position(|name| said.line.contains(name.as_str()) && said.detail.contains(&format!("{name:?}")));
        wanted.remove(name.unwrap_or_else(|| panic!("of no place: {said:#?}")));
    }
    assert!(wanted.is_empty(), "not refused: {wanted:?}\n{}", run.printed);
}

/// How a block is written, or left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Absent,
    Empty,
    AllNull,
    Set,
    DynamicNone,
    DynamicOne,
    /// From a list that is known only at apply.
    DynamicLater,
}

/// Where the law is another one: the block, the form, and what is said of it.
const REFUSED: &[(&str, &str, Form, &str)] = &[
    (RULE, "conditions", Form::Empty, "The conditions say nothing"),
    (RULE, "conditions", Form::AllNull, "The conditions say nothing"),
    (ROUTE, "destination", Form::Absent, "At least 1 \"destination\" blocks are required"),
    (ROUTE, "destination", Form::Empty, "The argument \"host\" is required"),
    (ROUTE, "destination", Form::AllNull, "`host` must be set"),
    (ROUTE, "destination", Form::DynamicNone, "At least 1 \"destination\" blocks are required"),
];

fn refusal(place: &Place, form: Form) -> Option<&'static str> {
    let is_it = |(resource, block, its_form, _): &&(&str, &str, Form, &str)| {
        place.resource.as_deref() == Some(*resource) && place.name() == *block && *its_form == form
    };
    REFUSED.iter().find(is_it).map(|(.., said)| *said)
}

/// One block with something in it.
fn sample(place: &Place) -> Json {
    if place.name() == "timeouts" {
        return json!({ "read": "7m" });
    }
    let suite = SUITES.iter().find(|suite| Some(suite.resource) == place.resource.as_deref()).expect("a suite");
    for variant in (suite.variants)() {
        let mut arguments = json!({});
        variant.apply(Step::Set, &mut arguments);
        match &arguments[place.name()] {
            Json::Array(items) if !items.is_empty() => return items[0].clone(),
            block @ Json::Object(_) => return block.clone(),
            _ => {}
        }
    }
    panic!("no variant sets anything in {}", place.address())
}

/// What the object of a place has beside the block.
fn arguments(place: &Place, index: usize) -> Map<String, Json> {
    let resource = place.resource.as_deref().expect("a resource");
    let base = match SUITES.iter().find(|suite| suite.resource == resource) {
        Some(suite) => (suite.base)(index),
        None => match resource {
            "mailflow_exchange_transport_rule_order" => json!({ "rules": STANDING }),
            "mailflow_exchange_dkim_activation" => json!({ "domain": format!("standing{index}.contoso.onmicrosoft.com") }),
            "mailflow_gateway_message_filter_order" => json!({ "names": ["standing_filter"] }),
            "mailflow_gateway_sender_group_order" => json!({ "listener": "OutgoingMail", "names": ["RELAYLIST"] }),
            other => panic!("no arguments are known of {other}"),
        },
    };
    let Json::Object(mut base) = base else { panic!("{resource}: arguments are an object") };
    base.remove(place.name());
    if (resource, place.name()) == (RULE, "actions") {
        // To stop is an action, too.
        base.insert("stop_rule_processing".to_owned(), true.into());
    }
    base
}

fn block_names(resource: &str) -> Vec<String> {
    let columns = resource_columns(CATALOG.resource(resource).expect("a resource"));
    columns.iter().filter(|column| column.shape.is_block()).map(|column| column.name.to_string()).collect()
}

/// All objects in Terraform's own language. `form` says how the block of each is written.
fn native(places: &[Place], later: &str, form: impl Fn(&Place) -> Form) -> String {
    let mut text = format!("resource \"terraform_data\" \"later\" {{\n  input = {later}\n}}\n");
    for (index, place) in places.iter().enumerate() {
        let resource = place.resource.as_deref().expect("a resource");
        let blocks = block_names(resource);
        let lines_of = |block: &Json| -> String {
            let lines = block.as_object().into_iter().flatten().map(|(name, value)| format!("{name} = {value}\n"));
            lines.collect::<Vec<_>>().concat()
        };
        let written = |name: &str, block: &Json| format!("{name} {{\n{}}}\n", lines_of(block));
        let mut lines = Vec::new();
        for (name, value) in arguments(place, index) {
            match &value {
                Json::Array(items) if blocks.contains(&name) => lines.extend(items.iter().map(|item| written(&name, item))),
                block if blocks.contains(&name) => lines.push(written(&name, block)),
                value => lines.push(format!("{name} = {value}\n")),
            }
        }
        let (name, set) = (place.name(), sample(place));
        let nothing: Map<String, Json> = place.members().iter().map(|member| (member.name.to_string(), Json::Null)).collect();
        let dynamic = |each: &str| format!("dynamic \"{name}\" {{\nfor_each = {each}\ncontent {{\n{}}}\n}}\n", lines_of(&set));
        lines.push(match form(place) {
            Form::Absent => String::new(),
            Form::Empty => format!("{name} {{}}\n"),
            Form::AllNull => written(name, &nothing.into()),
            Form::Set => written(name, &set),
            Form::DynamicNone => dynamic("[]"),
            Form::DynamicOne => dynamic("[1]"),
            Form::DynamicLater => dynamic("terraform_data.later.output"),
        });
        writeln!(text, "resource \"{resource}\" \"{}\" {{\n{}}}", place.label(), lines.concat()).expect("a text");
    }
    text
}

/// Ends the test unless the state has each block in its form.
fn stand(workspace: &Workspace<'_>, places: &[Place], form: impl Fn(&Place) -> Form) {
    let state = workspace.state();
    for place in places {
        let found = &state[&place.address()][place.name()];
        let count = found.as_array().map_or(usize::from(!found.is_null()), Vec::len);
        let set = found.as_array().and_then(|items| items.first()).unwrap_or(found);
        let set = set.as_object().into_iter().flatten().any(|(_, value)| !value.is_null());
        let wanted = match form(place) {
            Form::Absent | Form::DynamicNone => (0, false),
            Form::Empty | Form::AllNull => (1, false),
            Form::Set | Form::DynamicOne | Form::DynamicLater => (1, true),
        };
        assert_eq!((count, set), wanted, "{} as {:?}: {found}", place.address(), form(place));
        assert!(!place.is_repeated() || found.is_array(), "{}: {found}", place.address());
    }
}

/// Rules that are there before, for the resource that brings them into an order. (A filter is, too, and so is a sender group.)
const STANDING: [&str; 2] = ["Standing one", "Standing two"];

fn world_with_rules() -> World {
    let world = World::start();
    for name in STANDING {
        let rule = json!({ "SetSCL": "1", "FromScope": "NotInOrganization" });
        world.stand_ins.exchange.put("TransportRule", name, &rule).expect("made");
    }
    // An activation is the switch of a config that stands.
    for index in 0..100 {
        let domain = format!("standing{index}.contoso.onmicrosoft.com");
        world.stand_ins.exchange.put("DkimSigningConfig", &domain, &json!({})).expect("made");
    }
    let filter = json!({ "name": "standing_filter", "active": true, "body": "if (true) {\n  skip-filters();\n}" });
    world.stand_ins.gateway.edit_paths(&[Edit::Add { path: "/filters/-".to_owned(), value: filter }]).expect("it fits");
    world
}

/// What was written at the services.
fn writes(world: &World) -> (usize, u64) {
    let is_write = |name: &str| ["New-", "Set-", "Remove-", "Enable-", "Disable-"].iter().any(|verb| name.starts_with(verb));
    let calls = world.stand_ins.exchange.calls();
    (calls.iter().filter(|call| is_write(&call.cmdlet)).count(), world.stand_ins.gateway.counters().commits)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_block_keeps_its_form_and_one_in_which_nothing_is_set_is_none() {
    let world = world_with_rules();
    let before = world.stand_ins.snapshot();
    let workspace = world.workspace("forms").await;
    let places = in_resources();

    // What is refused, is so before anything is written: what the host or the form of the configuration forbids at validate, a rule at plan.
    for form in [Form::Absent, Form::Empty, Form::AllNull, Form::DynamicNone] {
        for (command, is_of_form) in [("validate", true), ("plan", false)] {
            workspace.write(&native(&places, "[1]", |place| if place.is_repeated() && !is_of_form { Form::Set } else { form }));
            let run = workspace.json(&[command]).await;
            let refused = places.iter().filter(|place| place.is_repeated() == is_of_form);
            let wanted: Vec<_> = refused.filter_map(|place| Some((place, refusal(place, form)?))).collect();
            for (place, said) in &wanted {
                run.error_of(&place.address()).holds(&[said]);
            }
            assert_eq!(run.errors().len(), wanted.len(), "{command} {form:?}: {}", run.printed);
        }
    }

    // A form that is refused leaves the block as it was: set, or not there at all.
    let taken = |form: Form, place: &Place| match refusal(place, form) {
        None => form,
        Some(_) if place.is_repeated() => Form::Set,
        Some(_) => Form::Absent,
    };
    let mut without = None;
    for form in [Form::Set, Form::Absent, Form::Empty, Form::AllNull, Form::DynamicNone, Form::DynamicOne, Form::Absent] {
        let written = writes(&world);
        workspace.write(&native(&places, "[1]", |place| taken(form, place)));
        workspace.apply().await;
        workspace.must_plan_nothing(&format!("after the form {form:?}")).await;
        stand(&workspace, &places, |place| taken(form, place));
        match form {
            Form::Set | Form::DynamicOne => assert_ne!(writes(&world), written, "{form:?} is written"),
            _ => {
                let now = world.stand_ins.snapshot();
                let first = without.get_or_insert_with(|| now.clone());
                assert_eq!(&now, first, "{form:?} means the same as no block");
                if matches!(form, Form::Empty | Form::AllNull | Form::DynamicNone) {
                    assert_eq!(writes(&world), written, "{form:?}: the services hear nothing of it");
                }
            }
        }
    }
    workspace.destroy().await;
    assert_eq!(world.stand_ins.snapshot(), before);
}

/// Writes a block in JSON.
type Spelling = fn(&Json) -> Json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_block_has_the_same_forms_in_json_on_a_recent_release() {
    let world = world_with_rules();
    let workspace = world.workspace_on(Release::Newest, "json").await;
    let places = in_resources();
    // How each is written, and the form that it is.
    let spellings: [(&str, Form, Spelling); 7] = [
        ("an object", Form::Set, |block| block.clone()),
        ("null", Form::Absent, |_| Json::Null),
        ("an empty object", Form::Empty, |_| json!({})),
        ("a list of one", Form::Set, |block| json!([block])),
        ("an empty list", Form::Absent, |_| json!([])),
        ("a dynamic block", Form::DynamicOne, |block| json!({ "for_each": ["x"], "content": block })),
        ("a dynamic block of none", Form::DynamicNone, |block| json!({ "for_each": [], "content": block })),
    ];
    for (what, form, spelling) in spellings {
        let spelled = |place: &Place| refusal(place, form).map_or(form, |_| Form::Set);
        workspace.write_resources(places.iter().enumerate().map(|(index, place)| {
            let mut arguments = arguments(place, index);
            let block = if spelled(place) == form { spelling(&sample(place)) } else { sample(place) };
            if matches!(spelled(place), Form::DynamicOne | Form::DynamicNone) {
                arguments.insert("dynamic".to_owned(), json!({ place.name(): block }));
            } else {
                arguments.insert(place.name().to_owned(), block);
            }
            (place.resource.as_deref().expect("a resource"), &*place.label().leak(), Json::Object(arguments))
        }));
        workspace.apply().await;
        workspace.must_plan_nothing(&format!("after {what}")).await;
        stand(&workspace, &places, spelled);
    }
    workspace.destroy().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dynamic_block_that_is_known_at_apply_only_is_made_where_it_turns_out_to_be_there() {
    let world = world_with_rules();
    let places = in_resources();
    for release in Release::BOTH {
        let workspace = world.workspace_on(release, &format!("later-{release}")).await;
        // For new objects, and for those that stand.
        for later in ["[1]", "[2]"] {
            workspace.write(&native(&places, later, |_| Form::DynamicLater));
            workspace.apply().await;
            workspace.must_plan_nothing(later).await;
            stand(&workspace, &places, |_| Form::DynamicLater);
        }
        // Terraform takes a block that can be written once to be there. That it then is not, it refuses itself, before the provider is asked.
        let written = writes(&world);
        workspace.write(&native(&places, "[]", |_| Form::DynamicLater));
        let run = workspace.try_apply().await;
        for place in &places {
            if place.is_repeated() {
                run.error_of(&place.address()).holds(&["At least 1 \"destination\" blocks are required"]);
                continue;
            }
            let about = format!("the plan for {} to include new values", place.address());
            let said = run.errors().into_iter().find(|said| said.detail.contains(&about));
            said.unwrap_or_else(|| panic!("{about}: {}", run.printed)).holds(&[
                "Provider produced inconsistent final plan",
                &format!(".{}: was present, but now absent", place.name()),
            ]);
        }
        assert_eq!(run.errors().len(), places.len(), "{}", run.printed);
        assert_eq!(writes(&world), written, "nothing was written");
        // Now it is known.
        let known = |place: &Place| if place.is_repeated() { Form::Set } else { Form::DynamicLater };
        workspace.write(&native(&places, "[]", known));
        workspace.apply().await;
        workspace.must_plan_nothing("when it is known").await;
        stand(&workspace, &places, |place| if place.is_repeated() { Form::Set } else { Form::Absent });
        workspace.destroy().await;
    }
}

/// Values that are null or not known do not open a rule to all mail.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conditions_whose_values_turn_out_to_be_null_are_refused_before_anything_is_written() {
    let world = World::start();
    let workspace = world.workspace("null").await;
    let rule = |scope: &str| {
        format!(
            "variable \"none\" {{\n  type    = string\n  default = null\n}}
resource \"terraform_data\" \"later\" {{\n  input = {{ none = var.none }}\n}}
resource \"{RULE}\" \"r\" {{\n  name = \"R\"\n  conditions {{\n    from_scope = {scope}\n  }}\n  actions {{\n    set_scl = 1\n  }}\n}}\n"
        )
    };
    let address = format!("{RULE}.r");
    workspace.write(&rule("var.none"));
    workspace.json(&["validate"]).await.good();
    let run = workspace.try_plan().await;
    run.error_of(&address).holds(&["The conditions say nothing", "leave the block out"]).marks("conditions");
    workspace.write(&rule("terraform_data.later.output.none"));
    workspace.try_plan().await.good();
    let written = writes(&world);
    workspace.try_apply().await.error_of(&address).holds(&["The conditions say nothing"]);
    assert_eq!(writes(&world), written);
}

/// A provider block counts by being there; what is in it may all come from the environment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_provider_block_is_there_and_takes_everything_from_the_environment() {
    let world = World::start();
    let gateway = &world.stand_ins.gateway;
    let workspace = world.workspace("present").await;
    let text = std::fs::read_to_string(workspace.folder.join("provider.tf")).expect("the provider block");
    let (head, _) = text.split_once("provider \"mailflow\"").expect("the provider block");
    workspace.write(&crate::faults::run::routes(&[("r", "a.example", "mx.example.net")]));
    let environment = [
        ("MAILFLOW_GATEWAY_HOST", "127.0.0.1"),
        ("MAILFLOW_GATEWAY_USERNAME", gateway.username()),
        ("MAILFLOW_GATEWAY_PASSWORD", gateway.password()),
        ("MAILFLOW_GATEWAY_HOST_KEYS", gateway.host_key_fingerprint()),
    ];
    let port = format!("port = {}", gateway.port());
    for (block, is_there) in [
        (format!("gateway {{\n{port}\n}}"), true),
        (format!("gateway {{\n{port}\nhost = null\nusername = null\n}}"), true),
        (format!("dynamic \"gateway\" {{\nfor_each = [1]\ncontent {{\n{port}\n}}\n}}"), true),
        (String::new(), false),
        (format!("dynamic \"gateway\" {{\nfor_each = []\ncontent {{\n{port}\n}}\n}}"), false),
    ] {
        std::fs::write(workspace.folder.join("provider.tf"), format!("{head}provider \"mailflow\" {{\n{block}\n}}\n"))
            .expect("written");
        let outcome = workspace.run_with(&["plan", "-no-color"], &environment).await;
        if is_there {
            outcome.must(&block);
        } else {
            assert!(outcome.stderr.contains("The provider has no \"gateway\" block"), "{block}: {}", outcome.stderr);
        }
    }
}
