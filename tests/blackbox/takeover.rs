//! What exists is taken over: `terraform query` lists every kind, and generated configuration plans only imports.
//!
//! `MAILFLOW_SKIP_QUERY=1` leaves out what needs Terraform 1.14 or later where none can be had; without it those tests fail there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use crate::suites::steps::objects;
use crate::suites::{SUITES, Step};
use crate::support::{Must as _, Release, Workspace, World};
use mailflow::provider::CATALOG;
use mailflow::schema::engine::{Column, resource_columns};
use mailflow::schema::{Import, Resource, filters};

/// Leaves out what needs `terraform query`.
const SKIP: &str = "MAILFLOW_SKIP_QUERY";

pub(crate) fn skips() -> bool {
    std::env::var(SKIP).is_ok_and(|value| value == "1")
}

pub(crate) fn full(resource: &Resource) -> String {
    format!("mailflow_{}", resource.name)
}

/// What a list found.
#[derive(Debug, Clone, PartialEq)]
struct Found {
    display_name: String,
    identity: Json,
    object: Json,
}

/// What a query said, by the name of each list block.
#[derive(Debug, Default)]
struct Queried {
    found: BTreeMap<String, Vec<Found>>,
    warnings: Vec<String>,
    stdout: String,
}

/// A list block.
fn list(kind: &str, name: &str, settings: &str, config: &str) -> String {
    let config = if config.is_empty() { String::new() } else { format!("  config {{\n    {config}\n  }}\n") };
    format!("list \"{kind}\" \"{name}\" {{\n  provider = mailflow\n  {settings}\n{config}}}\n\n")
}

async fn query(workspace: &Workspace<'_>, blocks: &str, arguments: &[&str]) -> Queried {
    std::fs::write(workspace.folder.join("all.tfquery.hcl"), blocks).expect("written");
    let outcome = workspace.run(&[&["query", "-json"], arguments].concat()).await.must("query");
    let mut queried = Queried { stdout: outcome.stdout.clone(), ..Queried::default() };
    for line in outcome.stdout.lines() {
        let said: Json = serde_json::from_str(line).expect("JSON on each line");
        match said["type"].as_str() {
            Some("list_start") => {
                let address = said["list_start"]["address"].as_str().expect("an address");
                queried.found.entry(address.to_owned()).or_default();
            }
            Some("list_resource_found") => {
                let found = &said["list_resource_found"];
                let address = found["address"].as_str().expect("an address").to_owned();
                queried.found.entry(address).or_default().push(Found {
                    display_name: found["display_name"].as_str().expect("a name").to_owned(),
                    identity: found["identity"].clone(),
                    object: found["resource_object"].clone(),
                });
            }
            Some("diagnostic") => queried.warnings.push(said["diagnostic"]["summary"].as_str().unwrap_or_default().to_owned()),
            _ => {}
        }
    }
    queried
}

impl Queried {
    fn of(&self, kind: &str, name: &str) -> &[Found] {
        self.found.get(&format!("list.{kind}.{name}")).map_or(&[], Vec::as_slice)
    }

    fn names(&self, kind: &str, name: &str) -> Vec<&str> {
        self.of(kind, name).iter().map(|found| found.display_name.as_str()).collect()
    }
}

/// Makes an object of every kind and for every attribute, and gives the workspace that made them.
pub(crate) async fn furnished(world: &World) -> Workspace<'_> {
    let workspace = world.workspace_of_many("furnished").await;
    let all = objects(SUITES, Step::Set);
    workspace.write_resources(all.iter().map(|(kind, name, arguments)| (*kind, name.as_str(), arguments.clone())));
    workspace.apply().await;
    // Signing is a switch of a config that is in use: one that the suites do not make.
    let signing = json!({ "Name": "signed.contoso.com", "DomainName": "signed.contoso.com", "Enabled": true });
    world.stand_ins.exchange.put("DkimSigningConfig", "signed.contoso.com", &signing).expect("made");
    workspace
}

/// The values in a state that the schema calls sensitive, at any depth.
pub(crate) fn secrets(columns: &[Column], value: &Json, found: &mut BTreeSet<String>) {
    for column in columns {
        let inner = &value[column.name.as_ref()];
        if column.sensitive
            && let Some(text) = inner.as_str()
        {
            found.insert(text.to_owned());
        }
        if let Some(members) = column.shape.members() {
            match inner.as_array() {
                Some(elements) => elements.iter().for_each(|element| secrets(members, element, found)),
                None => secrets(members, inner, found),
            }
        }
    }
}

/// The import ID of an object by its identity.
fn import_id(resource: &Resource, identity: &Json) -> String {
    let text = |name: &str| identity[name].as_str().expect("a text").to_owned();
    match resource.import {
        Import::Key { attributes, .. } => attributes.iter().map(|name| text(name)).collect::<Vec<_>>().join("/"),
        Import::Lookup { .. } => text("id"),
        Import::Singleton { word } => word.to_owned(),
    }
}

/// Every kind, whole and narrowed down. Each block has a name of its own.
fn blocks() -> String {
    let mut blocks = String::new();
    for resource in CATALOG.resources {
        let kind = full(resource);
        blocks += &list(&kind, "whole", "include_resource = true\n  limit = 5000", "");
        blocks += &list(&kind, "named", "limit = 5000", "");
        blocks += &list(&kind, "one", "limit = 1", "");
        blocks += &list(&kind, "none", "limit = 0", "");
        for filter in filters(resource) {
            let value = match filter.name {
                name if name == resource.title => "\"*?*\"".to_owned(),
                _ if !filter.choices.is_empty() => format!("{:?}", filter.choices[0]),
                "listener" => "\"IncomingMail\"".to_owned(),
                "policy" => "\"ACCEPTED\"".to_owned(),
                _ if filter.kind.scalar() == Some(mailflow::schema::Scalar::Boolean) => "true".to_owned(),
                _ => "\"nothing\"".to_owned(),
            };
            blocks += &list(
                &kind,
                &format!("by_{}", filter.name),
                "include_resource = true\n  limit = 5000",
                &format!("{} = {value}", filter.name),
            );
        }
    }
    blocks
}

/// RT3: also the limit, and objects only where they are asked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_is_listed_whole_narrowed_down_and_without_secrets() {
    if skips() {
        return;
    }
    let world = World::start();
    let state = furnished(&world).await.state();
    let before = world.stand_ins.snapshot();
    let workspace = world.workspace_on(Release::Newest, "query").await;
    let queried = query(&workspace, &blocks(), &[]).await;
    assert_eq!(world.stand_ins.snapshot(), before, "nothing is written");
    let mut hidden = BTreeSet::new();
    for resource in CATALOG.resources {
        let kind = full(resource);
        let whole = queried.of(&kind, "whole");
        assert!(!whole.is_empty(), "{kind}: nothing was listed");
        // Every object that Terraform made is there, under its identity.
        let known: BTreeSet<String> = whole.iter().map(|found| import_id(resource, &found.identity)).collect();
        assert_eq!(known.len(), whole.len(), "{kind}: no object is listed twice");
        for (address, object) in state.iter().filter(|(address, _)| address.starts_with(&format!("{kind}."))) {
            let id = object["id"].as_str().expect("an id");
            assert!(known.contains(id), "{address} ({id}) is not among {known:?}");
            secrets(&resource_columns(resource), object, &mut hidden);
        }
        let named = queried.of(&kind, "named");
        assert!(named.iter().all(|found| found.object.is_null()), "{kind}: objects come only when they are asked for");
        let bare = |found: &Found| (found.display_name.clone(), found.identity.clone());
        assert_eq!(named.iter().map(bare).collect::<Vec<_>>(), whole.iter().map(bare).collect::<Vec<_>>(), "{kind}");
        let mut shown = BTreeSet::new();
        for found in whole {
            secrets(&resource_columns(resource), &found.object, &mut shown);
        }
        assert!(shown.is_empty(), "{kind}: in clear: {shown:?}");
        assert!(whole.iter().all(|found| found.object.is_object() && !found.display_name.is_empty()), "{kind}");
        assert_eq!(queried.names(&kind, "one"), queried.names(&kind, "whole")[..1], "{kind}: the limit");
        assert!(queried.of(&kind, "none").is_empty(), "{kind}: no object at all");
        for filter in filters(resource) {
            let block = format!("by_{}", filter.name);
            if filter.name == resource.title {
                assert_eq!(queried.names(&kind, &block), queried.names(&kind, "whole"), "{kind}: a pattern that all fit");
                continue;
            }
            let wanted = match filter.name {
                _ if !filter.choices.is_empty() => json!(filter.choices[0]),
                "listener" => json!("IncomingMail"),
                "policy" => json!("ACCEPTED"),
                _ if filter.kind.scalar() == Some(mailflow::schema::Scalar::Boolean) => json!(true),
                _ => json!("nothing"),
            };
            let fitting: Vec<&Found> = whole.iter().filter(|found| found.object[filter.name] == wanted).collect();
            assert_eq!(queried.of(&kind, &block).iter().collect::<Vec<_>>(), fitting, "{kind}: {}", filter.name);
        }
        let more = format!("There are more objects of the kind {} than the list shows", resource.noun);
        assert_eq!(queried.warnings.contains(&more), whole.len() > 1, "{kind}: {:?}", queried.warnings);
    }
    assert!(hidden.len() > 2, "the suites have secrets: {hidden:?}");
    // Some are words that are anywhere.
    let printed: Vec<&String> =
        hidden.iter().filter(|secret| secret.len() > 5 && queried.stdout.contains(secret.as_str())).collect();
    assert!(printed.is_empty(), "in clear: {printed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_example_of_a_list_runs() {
    if skips() {
        return;
    }
    let world = World::start();
    let workspace = world.workspace_on(Release::Newest, "examples").await;
    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/list-resources");
    let blocks: Vec<String> = CATALOG
        .resources
        .iter()
        .map(|resource| examples.join(full(resource)).join("list-resource.tfquery.hcl"))
        .map(|file| std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display())))
        .collect();
    let queried = query(&workspace, &blocks.join("\n"), &[]).await;
    assert_eq!(queried.found.len(), CATALOG.resources.len(), "{}", queried.stdout);
}

/// Ends the test unless a plan's only changes are imports, of as many objects.
#[track_caller]
pub(crate) fn only_imports(stdout: &str, count: usize, when: &str) {
    let wanted = format!("Plan: {count} to import, 0 to add, 0 to change, 0 to destroy.");
    let progress =
        |line: &&str| line.contains("Preparing import") || line.contains("Refreshing state") || line.contains("will be imported");
    let told = || stdout.lines().filter(|line| !progress(line)).collect::<Vec<_>>().join("\n");
    assert!(stdout.contains(&wanted), "{when}: not {wanted}\n{}", told());
}

/// How an import block names its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    ById,
    ByIdentity,
}

/// What each release can do of it: 1.11 knows no identities, and has no `terraform query`.
const MATRIX: [(Release, Named); 3] =
    [(Release::Oldest, Named::ById), (Release::Newest, Named::ById), (Release::Newest, Named::ByIdentity)];

/// An import block.
fn import_block(resource: &Resource, label: &str, identity: &Json, named: Named) -> String {
    let to = format!("{}.{label}", full(resource));
    let name = match named {
        Named::ById => format!("id = {}", json!(import_id(resource, identity))),
        Named::ByIdentity => format!("identity = {identity}"),
    };
    // JSON is HCL but for templates, which no name here has.
    format!("import {{\n  to = {to}\n  {name}\n}}\n")
}

/// RT2: from import blocks, by ID and by identity.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn generated_configuration_of_every_kind_plans_only_imports() {
    if skips() {
        return;
    }
    let world = World::start();
    furnished(&world).await;
    let finder = world.workspace_on(Release::Newest, "finder").await;
    let blocks: String = CATALOG.resources.iter().map(|resource| list(&full(resource), "all", "limit = 5000", "")).collect();
    let queried = query(&finder, &blocks, &[]).await;
    let before = world.stand_ins.snapshot();
    for (release, named) in MATRIX {
        let workspace = world.workspace_on(release, &format!("by_plan_{release}_{named:?}")).await;
        let mut imports = Vec::new();
        for resource in CATALOG.resources {
            let all = queried.of(&full(resource), "all");
            assert!(!all.is_empty(), "{}: there is one to import", resource.name);
            for (index, found) in all.iter().enumerate() {
                imports.push(import_block(resource, &format!("n{index}"), &found.identity, named));
            }
        }
        std::fs::write(workspace.folder.join("imports.tf"), imports.concat()).expect("written");
        let planned = workspace
            .run(&["plan", "-no-color", "-generate-config-out=generated.tf"])
            .await
            .must(&format!("generating on {release}, {named:?}"));
        only_imports(&planned.stdout, imports.len(), &format!("while it is generated on {release}, {named:?}"));
        workspace.run(&["validate", "-no-color"]).await.must("validate");
        let again = workspace.run(&["plan", "-no-color"]).await.must("the plan of what was generated");
        only_imports(&again.stdout, imports.len(), &format!("as generated on {release}, {named:?}"));
        assert_eq!(world.stand_ins.snapshot(), before, "nothing is written");
    }
}

/// RT2: from a query.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_generates_configuration_of_every_kind_that_plans_only_imports() {
    if skips() {
        return;
    }
    let world = World::start();
    furnished(&world).await;
    let finder = world.workspace_on(Release::Newest, "query_generates").await;
    let mut blocks = String::new();
    for resource in CATALOG.resources {
        write!(blocks, "{}", list(&full(resource), "all", "limit = 5000", "")).expect("written");
    }
    let before = world.stand_ins.snapshot();
    let queried = query(&finder, &blocks, &["-generate-config-out=generated.tf"]).await;
    let count: usize = queried.found.values().map(Vec::len).sum();
    let workspace = world.workspace_on(Release::Newest, "generated_by_query").await;
    std::fs::copy(finder.folder.join("generated.tf"), workspace.folder.join("generated.tf")).expect("copied");
    let planned = workspace.run(&["plan", "-no-color"]).await.must("the plan of what the query generated");
    only_imports(&planned.stdout, count, "as generated by the query");
    workspace.apply().await;
    assert_eq!(world.stand_ins.snapshot(), before, "nothing is written");
}
