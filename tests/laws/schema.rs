//! What holds for everything that the provider offers, seen through the real `terraform` and the real binary.
//!
//! `MAILFLOW_WRITE_DOCS=1 cargo test --test laws` writes the schema's snapshot anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::made;
use crate::support::{Must as _, Release};
use mailflow::provider::CATALOG;
use mailflow::schema::engine::check_catalog;
use serde_json::Value as Json;

/// The facts of the schema, as they are checked in.
const SNAPSHOT: &str = "tests/schema.txt";

/// For configurations that bring no such block: where the provider comes from.
const SOURCE: &str =
    "terraform {\n  required_providers {\n    mailflow = {\n      source = \"mailflow/mailflow\"\n    }\n  }\n}\n";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every folder below `examples/` that holds a configuration. A whole set-up has a `terraform test` of its own, which `tests/blackbox/pages.rs` runs.
fn configurations(folder: &Path, found: &mut BTreeSet<PathBuf>) {
    if folder.join("tests").is_dir() {
        return;
    }
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            configurations(&entry, found);
        } else if entry.extension().is_some_and(|extension| extension == "tf") {
            found.insert(folder.to_owned());
        }
    }
}

#[test]
fn the_catalog_keeps_the_laws_of_the_engine() {
    let broken = check_catalog(&CATALOG);
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_example_is_in_terraforms_own_layout_and_valid() {
    let home = tempfile::tempdir().expect("a folder");
    let terraform = Release::Oldest.install(home.path());
    let format = terraform.run(root(), &["fmt", "-check", "-diff", "-recursive", "examples"], &[]).await.expect("terraform runs");
    assert!(format.succeeded(), "run terraform fmt -recursive examples\n{}{}", format.stdout, format.stderr);

    let examples = root().join("examples");
    let mut folders = BTreeSet::new();
    configurations(&examples, &mut folders);
    assert!(folders.len() > CATALOG.resources.len(), "the examples were found");
    // All of them are modules of one configuration, so that one `init` and one `validate` do for all.
    let all = home.path().join("all");
    fs::create_dir_all(&all).expect("a folder");
    let mut modules = String::from(SOURCE);
    for folder in &folders {
        let name = folder.strip_prefix(&examples).expect("below").display().to_string().replace(['/', '\\'], "_");
        let inside = all.join(&name);
        fs::create_dir_all(&inside).expect("a folder");
        let mut whole = String::new();
        for file in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if file.extension().is_some_and(|extension| extension == "tf") {
                let text = fs::read_to_string(&file).expect("a file");
                if file.ends_with("import.tf") {
                    // An import block stands in the root, and leads into the module.
                    let _ = write!(modules, "\n{}", text.replace("to = ", &format!("to = module.{name}.")));
                    continue;
                }
                whole.push_str(&text);
                fs::write(inside.join(file.file_name().expect("a name")), text).expect("written");
            }
        }
        if !whole.contains("required_providers") {
            fs::write(inside.join("versions.tf"), SOURCE).expect("written");
        }
        let _ = write!(modules, "\nmodule {name:?} {{\n  source = \"./{name}\"\n");
        // A variable without a default must be given; an example says nothing about its value.
        for (variable, kind) in variables(&whole) {
            let _ = writeln!(modules, "  {variable} = {}", placeholder(&kind));
        }
        modules.push_str("}\n");
    }
    fs::write(all.join("main.tf"), modules).expect("written");
    terraform.run(&all, &["init", "-no-color"], &[]).await.expect("terraform runs").must("init");
    let valid = terraform.run(&all, &["validate", "-no-color", "-json"], &[]).await.expect("terraform runs");
    let told: Json = serde_json::from_str(&valid.stdout).unwrap_or_else(|_| panic!("{}{}", valid.stdout, valid.stderr));
    let said: Vec<String> = told["diagnostics"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| format!("{}: {}: {}", one["range"]["filename"], one["summary"], one["detail"]))
        // A provider block in a module is what an example of one is.
        .filter(|one| !one.contains("Redundant") && !one.contains("own local provider configurations"))
        .collect();
    assert!(said.is_empty(), "{}", said.join("\n"));
    assert_eq!(told["valid"], true, "{}", valid.stdout);
}

/// The variables of a configuration that have no default, with their types.
fn variables(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open: Option<(String, String, bool)> = None;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("variable \"") {
            open = Some((rest.split('"').next().unwrap_or_default().to_owned(), String::new(), false));
        } else if let Some((name, kind, has_default)) = &mut open {
            match line.trim().split_once('=') {
                Some((word, value)) if word.trim() == "type" => value.trim().clone_into(kind),
                Some((word, _)) if word.trim() == "default" => *has_default = true,
                _ => {}
            }
            if line == "}" {
                if !*has_default {
                    found.insert(name.clone(), kind.clone());
                }
                open = None;
            }
        }
    }
    found
}

/// A value of a type that fits wherever the examples use one.
fn placeholder(kind: &str) -> &'static str {
    match kind {
        "string" => "\"abcdefgh\"",
        "number" => "1",
        "bool" => "true",
        "list(string)" | "set(string)" => "[\"203.0.113.10\"]",
        other => panic!("an example has a variable of the type {other:?}, for which this test has no value"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn terraform_takes_the_schema_and_its_facts_are_the_ones_that_are_checked_in() {
    let home = tempfile::tempdir().expect("a folder");
    let terraform = Release::Oldest.install(home.path());
    let folder = home.path().join("empty");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("main.tf"), SOURCE).expect("written");
    terraform.run(&folder, &["init", "-no-color"], &[]).await.expect("terraform runs").must("init");
    let shown = terraform.run(&folder, &["providers", "schema", "-json"], &[]).await.expect("terraform runs").must("the schema");
    let all: Json = serde_json::from_str(&shown.stdout).expect("JSON");
    let schemas = all["provider_schemas"].as_object().expect("schemas");
    let schema = schemas.values().next().expect("one provider");

    for kind in ["resource_schemas", "data_source_schemas"] {
        for (name, one) in schema[kind].as_object().into_iter().flatten() {
            described(name, &one["block"]);
        }
    }
    described("provider", &schema["provider"]["block"]);

    made::hold(SNAPSHOT, facts(schema));
}

/// Fails on an attribute or a block without a description.
fn described(place: &str, block: &Json) {
    for (name, nested) in block["block_types"].as_object().into_iter().flatten() {
        let place = format!("{place}.{name}");
        assert!(nested["block"]["description"].as_str().is_some_and(|text| !text.is_empty()), "{place} is not described");
        described(&place, &nested["block"]);
    }
    for (name, attribute) in block["attributes"].as_object().into_iter().flatten() {
        let place = format!("{place}.{name}");
        assert!(attribute["description"].as_str().is_some_and(|text| !text.is_empty()), "{place} is not described");
        if attribute["nested_type"].is_object() {
            described(&place, &attribute["nested_type"]);
        }
    }
}

/// What a schema promises, one fact a line.
fn facts(schema: &Json) -> String {
    let mut lines = String::new();
    attributes(&mut lines, "provider", &schema["provider"]["block"]);
    for (word, kind) in [("resource", "resource_schemas"), ("data", "data_source_schemas")] {
        for (name, one) in schema[kind].as_object().into_iter().flatten() {
            let _ = writeln!(lines, "\n{word} {name}: version {}", one["version"]);
            attributes(&mut lines, &format!("{word} {name}"), &one["block"]);
        }
    }
    lines.push('\n');
    for (name, one) in schema["functions"].as_object().into_iter().flatten() {
        let parameters: Vec<String> = one["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|parameter| format!("{}: {}", parameter["name"].as_str().unwrap_or_default(), kind(&parameter["type"])))
            .collect();
        let _ = writeln!(lines, "function {name}({}): {}", parameters.join(", "), kind(&one["return_type"]));
    }
    lines
}

fn attributes(lines: &mut String, place: &str, block: &Json) {
    let all: BTreeMap<&String, &Json> = block["attributes"].as_object().into_iter().flatten().collect();
    for (name, attribute) in all {
        let place = format!("{place}.{name}");
        let nested = &attribute["nested_type"];
        let of = match nested["nesting_mode"].as_str() {
            Some("single") => "object".to_owned(),
            Some(mode) => format!("{mode} of objects"),
            None => kind(&attribute["type"]),
        };
        let flags: Vec<&str> = ["required", "optional", "computed", "sensitive", "write_only", "deprecated"]
            .into_iter()
            .filter(|flag| attribute[*flag] == true)
            .collect();
        let _ = writeln!(lines, "{place}: {of}, {}", flags.join(" "));
        if nested.is_object() {
            attributes(lines, &place, nested);
        }
    }
    let all: BTreeMap<&String, &Json> = block["block_types"].as_object().into_iter().flatten().collect();
    for (name, nested) in all {
        let place = format!("{place}.{name}");
        let what = if nested["nesting_mode"] == "single" { "block" } else { "repeated block" };
        let presence = if nested["min_items"].as_u64().is_some_and(|least| least > 0) { "required" } else { "optional" };
        let _ = writeln!(lines, "{place}: {what}, {presence}");
        attributes(lines, &place, &nested["block"]);
    }
}

/// A type as a configuration writes it.
fn kind(json: &Json) -> String {
    match json {
        Json::String(name) => name.clone(),
        Json::Array(parts) => match parts.as_slice() {
            [Json::String(name), of] => format!("{name}({})", kind(of)),
            _ => json.to_string(),
        },
        Json::Object(members) => {
            let members: Vec<String> = members.iter().map(|(name, of)| format!("{name} = {}", kind(of))).collect();
            format!("{{ {} }}", members.join(", "))
        }
        other => other.to_string(),
    }
}
