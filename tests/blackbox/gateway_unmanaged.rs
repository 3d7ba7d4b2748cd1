//! What a gateway prints of an object and no argument is for: an unknown label, column, option or parameter, in every layout.

use std::collections::BTreeMap;

use mailflow::sandbox::exchange;
use mailflow::sandbox::gateway::tables::extra::Owner;
use mailflow::sandbox::gateway::{
    Configuration, DetailForm, Fault, HatForm, Layout, Options, RecipientForm, Release, RouteForm, TlsForm,
};
use mailflow::tool::sandbox::StandIns;
use serde_json::{Value as Json, json};

use crate::export::{export, settings, texts};
use crate::faults::run::{Run, Runs as _, Said};
use crate::support::{Must as _, Workspace, World};

const NEW: &str = "has changed where no argument shows it";

/// An object of each kind that tells of such settings.
struct Thing {
    kind: &'static str,
    id: &'static str,
    /// Its arguments, and others that are changed by the dialog.
    arguments: fn(bool) -> Json,
    /// Shows a setting that nobody knows.
    show: fn(&mut Configuration, &str),
    /// Whether it is always there.
    always: bool,
}

const THINGS: &[Thing] = &[
    Thing {
        kind: "mailflow_gateway_destination_control",
        id: "example.com",
        arguments: |changed| json!({ "domain": "example.com", "tls": "preferred", "concurrency_limit": if changed { 9 } else { 8 } }),
        show: |configuration, value| configuration.extras.set(Owner::Destination("example.com"), "Delivery Class", value),
        always: false,
    },
    Thing {
        kind: "mailflow_gateway_recipient_access",
        id: "IncomingMail/example.com",
        arguments: |changed| {
            json!({ "listener": "IncomingMail", "recipient": "example.com", "action": "accept", "bypass_ldap_accept": changed,
                    "smtp_response_code": 250, "smtp_response_text": "fine; so, far" })
        },
        show: |configuration, value| {
            configuration.extras.set(Owner::Recipient("IncomingMail", "example.com"), "Delivery Class", value);
        },
        always: false,
    },
    Thing {
        kind: "mailflow_gateway_smtp_route",
        id: "example.com",
        arguments: |changed| json!({ "domain": "example.com", "destination": [{ "host": "mx.example.net" }, { "host": "b.example.net", "port": if changed { 2525 } else { 25 } }] }),
        show: |configuration, value| configuration.extras.set(Owner::Route("example.com"), "Delivery Class", value),
        always: false,
    },
    Thing {
        kind: "mailflow_gateway_mail_flow_policy",
        id: "OutgoingMail/POLICY",
        arguments: |changed| json!({ "listener": "OutgoingMail", "name": "POLICY", "behavior": "accept", "max_concurrency": if changed { 9 } else { 8 } }),
        show: |configuration, value| {
            let policy = configuration.listener_mut("OutgoingMail").and_then(|listener| listener.hat.policy_mut("POLICY"));
            set(&mut policy.expect("it is there").parameters, value);
        },
        always: false,
    },
    Thing {
        kind: "mailflow_gateway_sender_group",
        id: "OutgoingMail/GROUP",
        arguments: |changed| json!({ "listener": "OutgoingMail", "name": "GROUP", "policy": "BLOCKED", "senders": [if changed { "192.0.2.9" } else { "192.0.2.8" }] }),
        show: |configuration, value| configuration.extras.set(Owner::Group("OutgoingMail", "GROUP"), "delivery class", value),
        always: false,
    },
    Thing {
        kind: "mailflow_gateway_listener_defaults",
        id: "IncomingMail",
        arguments: |changed| json!({ "listener": "IncomingMail", "max_concurrency": if changed { 9 } else { 8 } }),
        show: |configuration, value| {
            let listener = configuration.listener_mut("IncomingMail").expect("it is there");
            set(&mut listener.hat.defaults, value);
        },
        always: true,
    },
    Thing {
        kind: "mailflow_gateway_tls_settings",
        id: "tls_settings",
        arguments: |changed| json!({ "inbound_ciphers": if changed { "HIGH" } else { "HIGH:MEDIUM" } }),
        show: |configuration, value| configuration.extras.set(Owner::Tls, "Inbound SMTP delivery class", value),
        always: true,
    },
];

fn set(parameters: &mut mailflow::sandbox::gateway::tables::parameter::Parameters, value: &str) {
    if value.is_empty() { parameters.unset("delivery_class") } else { parameters.set("delivery_class", value) }
}

impl Thing {
    fn address(&self) -> String {
        format!("{}.x", self.kind)
    }
}

/// Writes all of them, with these more arguments.
fn write(workspace: &Workspace<'_>, changed: bool, more: impl Fn(&Thing) -> Option<Json>) {
    workspace.write_resources(THINGS.iter().map(|thing| {
        let mut arguments = (thing.arguments)(changed);
        if let Some(listed) = more(thing) {
            arguments["unmanaged"] = listed;
        }
        (thing.kind, "x", arguments)
    }));
}

fn show(world: &World, value: &str) {
    world.stand_ins.gateway.edit(|configuration| THINGS.iter().for_each(|thing| (thing.show)(configuration, value)));
}

/// The warnings of a run with these words, by address.
fn warnings<'r>(run: &'r Run, words: &str) -> BTreeMap<&'r str, &'r Said> {
    run.warnings().into_iter().filter(|said| said.summary.contains(words)).map(|said| (said.address.as_str(), said)).collect()
}

#[track_caller]
fn silent(run: &Run) {
    assert!(run.warnings().is_empty(), "{:#?}", run.warnings());
}

fn unmanaged(workspace: &Workspace<'_>, thing: &Thing) -> Json {
    workspace.stored()[&thing.address()]["unmanaged"].clone()
}

/// What a gateway is to show, whatever the layout: nothing but its words and marks differ.
fn says(text: &str, value: &str) -> bool {
    let plain: String = text.to_lowercase().chars().map(|letter| if letter.is_alphanumeric() { letter } else { ' ' }).collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    ["delivery", "class"].iter().chain([&value.to_lowercase().as_str()]).all(|word| words.contains(word))
}

fn layouts() -> Vec<(&'static str, Options)> {
    let other = Layout {
        detail: DetailForm::Labels,
        routes: RouteForm::Commas,
        recipients: RecipientForm::Columns,
        hosts: HatForm::Flush,
        tls: TlsForm::Inline,
        ..Layout::default()
    };
    let old =
        Layout { destination_print: true, routes: RouteForm::Priorities, recipients: RecipientForm::Keys, ..Layout::default() };
    vec![
        ("other", Options { layout: other, ..Options::default() }),
        ("old", Options { layout: old, release: Release::V13_0, ..Options::default() }),
        ("default", Options::default()),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rg2_what_no_argument_is_for_is_warned_of_kept_by_dialogs_and_accepted_or_refused() {
    for (name, options) in layouts() {
        let world = World::with(StandIns::with(exchange::Options::default(), options).expect("the stand-ins start"));
        let workspace = world.workspace(name).await;
        write(&workspace, false, |_| None);
        workspace.apply().await;
        silent(&workspace.try_plan().await.good());
        for thing in THINGS {
            assert_eq!(unmanaged(&workspace, thing), json!([]), "{name} {}", thing.kind);
        }
        added_by_hand(&world, &workspace, name).await;
        refused_or_listed(&world, &workspace, name).await;
        lost_and_imported(&workspace, name).await;
    }
}

/// It is added by hand: each plan warns, and has nothing to do. A dialog that changes the object leaves it as it stands.
async fn added_by_hand(world: &World, workspace: &Workspace<'_>, name: &str) {
    let gateway = &world.stand_ins.gateway;
    show(world, "Bulk");
    let run = workspace.json(&["plan", "-detailed-exitcode"]).await.good();
    let said = warnings(&run, NEW);
    for thing in THINGS {
        let said = said.get(thing.address().as_str()).unwrap_or_else(|| panic!("{name} {}\n{}", thing.kind, run.printed));
        said.holds(&["these were added:\n"]);
        assert!(says(&said.detail, "Bulk"), "{name} {said:?}");
    }
    assert_eq!(run.warnings().len(), THINGS.len(), "{name} {:#?}", run.warnings());

    let extras = gateway.configuration().extras;
    gateway.fault(Fault::Ask {
        command: "destconfig".to_owned(),
        before: "TLS".to_owned(),
        text: "Which delivery class do you want to use?".to_owned(),
        default: "Bulk".to_owned(),
        yes_no: false,
    });
    write(workspace, true, |_| None);
    workspace.apply().await;
    assert_eq!(gateway.faults_waiting(), 0, "{name}: it was asked for, and kept by Enter");
    let now = gateway.configuration();
    assert_eq!(now.extras, extras, "{name}");
    for parameters in [
        &now.listener("OutgoingMail").and_then(|listener| listener.hat.policy("POLICY")).expect("it is there").parameters,
        &now.listener("IncomingMail").expect("it is there").hat.defaults,
    ] {
        assert_eq!(parameters.text("delivery_class").as_deref(), Some("Bulk"), "{name}");
    }
    // What the plan of the change showed is accepted.
    silent(&workspace.try_plan().await.good());
    workspace.must_plan_nothing("after a change").await;
}

/// It is refused, before anything is sent; or listed. What somebody adds between the plan and the apply is refused, too.
async fn refused_or_listed(world: &World, workspace: &Workspace<'_>, name: &str) {
    let gateway = &world.stand_ins.gateway;
    write(workspace, true, |_| Some(json!([])));
    let planned = workspace.plan().await;
    let run = workspace.try_plan().await.good();
    let said = warnings(&run, "apply cannot remove");
    let commits = gateway.counters().commits;
    let refused = workspace.try_apply().await;
    for thing in THINGS {
        let address = thing.address();
        assert_eq!(planned.get(&address).map(String::as_str), Some("update"), "{name} {address}");
        assert!(said.get(address.as_str()).is_some_and(|said| says(&said.detail, "Bulk")), "{name} {}", run.printed);
        let error = refused.said.iter().find(|said| said.severity == "error" && said.address == address);
        assert!(error.is_some_and(|error| says(&error.detail, "Bulk")), "{name} {address} {}", refused.printed);
    }
    assert_eq!(gateway.counters().commits, commits, "{name}");

    let listed: BTreeMap<&str, Json> = THINGS.iter().map(|thing| (thing.kind, unmanaged(workspace, thing))).collect();
    write(workspace, true, |thing| listed.get(thing.kind).cloned());
    silent(&workspace.try_plan().await.good());
    workspace.must_plan_nothing("with all of it listed").await;

    write(workspace, false, |thing| listed.get(thing.kind).cloned());
    show(world, "Other");
    let run = workspace.json(&["apply", "-auto-approve", "-refresh=false"]).await;
    for thing in THINGS {
        let error = run.said.iter().find(|said| said.severity == "error" && said.address == thing.address());
        assert!(error.is_some_and(|error| says(&error.detail, "Other")), "{name} {} {}", thing.kind, run.printed);
    }
    assert_eq!(gateway.counters().commits, commits, "{name}");
}

/// Another value is told as one that is there and one that is gone; what a destroy loses is told, and what an import finds.
async fn lost_and_imported(workspace: &Workspace<'_>, name: &str) {
    write(workspace, true, |_| None);
    let run = workspace.try_plan().await.good();
    for (address, said) in warnings(&run, NEW) {
        said.holds(&["these were added:\n", "these were removed:\n"]);
        assert!(says(&said.detail, "Bulk") && says(&said.detail, "Other"), "{name} {address} {said:?}");
    }
    let run = workspace.json(&["plan", "-destroy"]).await.good();
    let said = warnings(&run, "is removed with settings that have no argument");
    for thing in THINGS {
        assert_eq!(said.contains_key(thing.address().as_str()), !thing.always, "{name} {}\n{}", thing.kind, run.printed);
    }

    for thing in THINGS {
        workspace.run(&["state", "rm", &thing.address()]).await.must("state rm");
    }
    workspace.write_imports(&THINGS.iter().map(|thing| (thing.address(), thing.id.to_owned())).collect());
    let run = workspace.try_plan().await.good();
    // Terraform does not say of which address an import warns.
    let said: Vec<&Said> = run.warnings();
    let found =
        said.iter().filter(|said| said.summary.contains("has settings without an argument") && says(&said.detail, "Other"));
    assert_eq!((found.count(), said.len()), (THINGS.len(), THINGS.len()), "{name} {said:#?}");
    workspace.apply().await;
    silent(&workspace.try_plan().await.good());
    workspace.must_plan_nothing("after the import").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rg2_doctor_shows_and_export_writes_what_no_argument_is_for() {
    let world = World::start();
    let workspace = world.workspace("shown").await;
    write(&workspace, false, |_| None);
    workspace.apply().await;
    show(&world, "Bulk");

    let home = tempfile::tempdir().expect("a folder");
    let output = export(&world, home.path(), &["--only", "gateway"]).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let written: String = texts(home.path()).values().map(String::as_str).collect();
    let count = written.lines().filter(|line| line.trim_start().starts_with("unmanaged ")).count();
    assert_eq!(count, THINGS.len(), "{written}");

    let (environment, set) = settings(&world);
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_terraform-provider-mailflow"));
    let output = command.arg("doctor").args(set).envs(environment).kill_on_drop(true).output().await.expect("it runs");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    for table in ["destination controls", "SMTP routes", "TLS settings", "recipient access of", "host access of"] {
        let found = told
            .to_lowercase()
            .lines()
            .any(|line| line.contains("settings without an argument in") && line.contains(&table.to_lowercase()));
        assert!(found, "{table}\n{told}");
    }
}
