//! The pages in `docs/` are what the tables say, and every page has an example.
//!
//! `MAILFLOW_WRITE_DOCS=1 cargo test --test laws` writes the pages anew, and the tables of parameters in `docs/compatibility.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::made;
use mailflow::provider::CATALOG;
use mailflow::schema::engine::{data_source_page, function_page, index_page, list_page, parse_key, resource_page};
use mailflow::schema::{Import, Resource};

/// The folders of `docs/` in which every page belongs to something that the provider offers.
const GENERATED: &[&str] =
    &["resources", "data-sources", "functions", "ephemeral-resources", "actions", "list-resources", "state-stores"];

/// The registry takes no larger page.
const LARGEST_PAGE: usize = 500_000;

/// The page that says what the provider rests on. All of it is written by hand but the tables of parameters.
const COMPATIBILITY: &str = "docs/compatibility.md";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()))
}

/// The text of an example; empty where there is none, which a test of its own tells.
fn example(path: &str) -> String {
    fs::read_to_string(root().join("examples").join(path)).unwrap_or_default()
}

fn full(name: &str) -> String {
    format!("{}_{name}", CATALOG.name)
}

/// All pages that the code makes, by their place below `docs/`.
fn pages() -> BTreeMap<PathBuf, String> {
    let mut pages = BTreeMap::new();
    let guide = read("src/provider/front_page.md");
    pages.insert(PathBuf::from("index.md"), index_page(&CATALOG, &guide, &example("provider/provider.tf")));
    for resource in CATALOG.resources {
        let folder = format!("resources/{}", full(resource.name));
        let page = resource_page(
            &CATALOG,
            resource,
            &example(&format!("{folder}/resource.tf")),
            &example(&format!("{folder}/import.sh")),
        );
        pages.insert(PathBuf::from(format!("resources/{}.md", resource.name)), page);
        let query = example(&format!("list-resources/{}/list-resource.tfquery.hcl", full(resource.name)));
        pages.insert(PathBuf::from(format!("list-resources/{}.md", resource.name)), list_page(&CATALOG, resource, &query));
    }
    for source in CATALOG.data_sources {
        let text = example(&format!("data-sources/{}/data-source.tf", full(source.name)));
        pages.insert(PathBuf::from(format!("data-sources/{}.md", source.name)), data_source_page(&CATALOG, source, &text));
    }
    for function in CATALOG.functions {
        let text = example(&format!("functions/{}/function.tf", function.name));
        pages.insert(PathBuf::from(format!("functions/{}.md", function.name)), function_page(&CATALOG, function, &text));
    }
    pages
}

/// The pages that stand in the folders of generated pages.
fn found_pages() -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for folder in GENERATED {
        let Ok(entries) = fs::read_dir(root().join("docs").join(folder)) else { continue };
        for entry in entries {
            found.insert(Path::new(folder).join(entry.expect("an entry").file_name()));
        }
    }
    found
}

#[test]
fn every_page_is_what_the_code_makes() {
    let pages = pages();
    let strangers: Vec<PathBuf> = found_pages().into_iter().filter(|page| !pages.contains_key(page)).collect();
    if made::writes() {
        for stranger in &strangers {
            fs::remove_file(root().join("docs").join(stranger)).expect("removed");
        }
    } else {
        assert!(strangers.is_empty(), "docs/ has pages of nothing that is offered: {strangers:?}");
    }
    made::hold_all(&pages.into_iter().map(|(place, page)| (Path::new("docs").join(place), page)).collect());
}

#[test]
fn compatibility_lists_every_parameter_of_the_cmdlets() {
    let page = read(COMPATIBILITY);
    made::hold(COMPATIBILITY, made::with_section(&page, "parameters", &mailflow::exchange::parameters::tables()));
}

/// The names in a source text that look like environment variables: string literals of capitals, digits and `_`.
fn variables(text: &str) -> BTreeSet<&str> {
    let is_variable = |word: &&str| {
        word.contains('_')
            && word.starts_with(|letter: char| letter.is_ascii_uppercase())
            && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    };
    text.split('"').filter(is_variable).collect()
}

#[test]
fn the_front_page_names_every_environment_variable() {
    let page = pages().remove(Path::new("index.md")).expect("a front page");
    let mut seen = 0;
    let folders = ["src/provider", "src/provider/exchange_settings"];
    let entries = folders.iter().flat_map(|folder| fs::read_dir(root().join(folder)).expect("a folder"));
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text = read(&path);
        for variable in variables(&text) {
            seen += 1;
            assert!(page.contains(&format!("`{variable}`")), "src/provider/front_page.md does not name {variable}");
        }
    }
    assert!(seen > 10, "the variables were found");
}

/// The pages that are written by hand.
fn written_pages() -> Vec<PathBuf> {
    let mut found = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "src/provider/front_page.md"].map(PathBuf::from).to_vec();
    for folder in ["docs", "docs/guides"] {
        for entry in fs::read_dir(root().join(folder)).expect("a folder") {
            let path = Path::new(folder).join(entry.expect("an entry").file_name());
            if path.extension().is_some_and(|extension| extension == "md") && path != Path::new("docs/index.md") {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn configuration_in_a_guide_is_that_of_an_example() {
    let mut examples = String::new();
    let mut folders = vec![root().join("examples")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else {
                examples.push_str(&fs::read_to_string(entry).expect("a file"));
            }
        }
    }
    let mut seen = 0;
    for page in written_pages() {
        let text = read(&page);
        for block in text.split("```terraform\n").skip(1).filter_map(|rest| rest.split("\n```").next()) {
            seen += 1;
            // An import block cannot stand in an example, which is a module.
            // What leads from another provider's state cannot, either.
            let is_import = block.starts_with("import {") || block.starts_with("moved {");
            assert!(is_import || examples.contains(block), "{} has what no example has:\n{block}", page.display());
        }
    }
    assert!(seen > 2, "the blocks were found");
}

/// A path without `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        if part == Component::ParentDir {
            plain.pop();
        } else {
            plain.push(part);
        }
    }
    plain
}

#[test]
fn links_between_pages_lead_somewhere() {
    // A page that the code makes is there even before it is written for the first time.
    let made: BTreeSet<PathBuf> = pages().into_keys().map(|page| root().join("docs").join(page)).collect();
    let broken: Vec<String> = written_pages()
        .into_iter()
        .flat_map(|page| {
            let text = read(&page);
            // The front page stands in docs/ when it is read.
            let folder = if page.starts_with("src") { Path::new("docs") } else { page.parent().expect("a folder") }.to_owned();
            let targets: Vec<String> =
                text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).map(str::to_owned).collect();
            let is_broken = |target: &String| {
                let file = target.split('#').next().unwrap_or_default();
                let place = plain(&root().join(&folder).join(file));
                !target.contains("://") && !file.is_empty() && !made.contains(&place) && !place.exists()
            };
            let broken = targets.into_iter().filter(is_broken);
            broken.map(|target| format!("{}: {target}", page.display())).collect::<Vec<_>>()
        })
        .collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn compatibility_names_every_command_that_is_typed_on_the_gateway() {
    let page = read(COMPATIBILITY);
    let mut folders = vec![root().join("src/gateway")];
    let mut seen = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("testing.rs")
                && !path.ends_with("tests.rs")
                && !path.components().any(|part| part.as_os_str() == "tests")
            {
                let text = fs::read_to_string(&path).expect("a file");
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
                for opening in ["Dialog::of(\"", "type_line(\"", "show_checked(\"", "learn_prompt(\""] {
                    seen.extend(code.split(opening).skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned));
                }
            }
        }
    }
    seen.remove("Y");
    assert!(seen.len() > 8, "the commands were found: {seen:?}");
    for command in seen {
        assert!(page.contains(&format!("`{command}")), "docs/compatibility.md does not say what `{command}` rests on");
    }
}

/// The line of docs/compatibility.md that says what each printout of `src/gateway/printouts` rests on.
const READING: &[(&str, &str)] = &[
    ("account", "`whoami`, `help commit`"),
    ("destinations", "Destination Controls: read"),
    ("filters", "Message filters: read"),
    ("hosts", "HAT: read"),
    ("listeners", "Listeners: read"),
    ("recipients", "Recipient Access Table: read"),
    ("routes", "SMTP routes: read"),
    ("tls", "SSL configuration: read"),
    ("version", "`version`"),
];

/// The line that says what the dialogs of each resource rest on.
const CHANGING: &[(&str, &str)] = &[
    ("gateway_destination_control", "Destination Controls: change"),
    ("gateway_listener_defaults", "Listener defaults: change"),
    ("gateway_mail_flow_policy", "Mail flow policies: change"),
    ("gateway_message_filter", "Message filters: change"),
    ("gateway_message_filter_order", "Order of message filters: change"),
    ("gateway_recipient_access", "Recipient Access Table: change"),
    ("gateway_sender_group", "Sender groups: change"),
    ("gateway_sender_group_order", "Order of sender groups: change"),
    ("gateway_smtp_route", "SMTP routes: change"),
    ("gateway_tls_settings", "SSL configuration: change"),
];

#[test]
fn compatibility_grades_every_printout_and_every_dialog() {
    let page = read("docs/compatibility.md");
    let gateway =
        page.split("## How the gateway is driven").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("a section");
    let grades = page.split("### Grades").nth(1).and_then(|rest| rest.split("\n### ").next()).expect("the grades");
    let grades: Vec<&str> = grades
        .lines()
        .filter_map(|line| line.split('|').nth(1))
        .map(str::trim)
        .filter(|word| !word.starts_with(['-', 'g']))
        .collect();
    assert_eq!(grades, ["documented", "in use", "seen", "assumed"]);
    let is_graded = |line: &str| {
        let rests_on = line.to_lowercase();
        grades.iter().any(|grade| rests_on.contains(grade)) || rests_on.contains("not known")
    };
    let printouts: BTreeSet<String> = fs::read_dir(root().join("src/gateway/printouts"))
        .expect("the printouts")
        .filter_map(|entry| entry.expect("an entry").path().file_stem().and_then(|stem| stem.to_str()).map(str::to_owned))
        .filter(|stem| !["mod", "tests", "places", "foreign", "labels"].contains(&stem.as_str()))
        .collect();
    assert_eq!(printouts, READING.iter().map(|(file, _)| (*file).to_owned()).collect(), "each printout has a line in READING");
    let tables: BTreeSet<&str> = mailflow::gateway::resources::TABLES.iter().map(|table| table.resource.name).collect();
    assert_eq!(tables, CHANGING.iter().map(|(name, _)| *name).collect(), "each resource has a line in CHANGING");
    for (what, title) in READING.iter().chain(CHANGING) {
        let line = gateway.lines().find(|line| line.starts_with(&format!("| {title} |")));
        let line = line.unwrap_or_else(|| panic!("docs/compatibility.md has no line \"{title}\" for {what}"));
        assert!(is_graded(line), "docs/compatibility.md gives no grade for {what}: {line}");
    }
    let ungraded: Vec<&str> = gateway
        .split("### The session")
        .nth(1)
        .unwrap_or_default()
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| what |") && !line.starts_with("| object |"))
        .filter(|line| !is_graded(line))
        .collect();
    assert!(ungraded.is_empty(), "lines without a grade:\n{}", ungraded.join("\n"));
}

#[test]
fn compatibility_names_every_operation_that_is_chosen_from_a_menu() {
    let page = read("docs/compatibility.md");
    let mut seen = BTreeSet::new();
    for folder in ["src/gateway/printouts", "src/gateway/resources"] {
        for path in crate::architecture::files_below(&root().join(folder)) {
            if path.ends_with("tests.rs") {
                continue;
            }
            let text = fs::read_to_string(&path).expect("a file");
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            for call in code.split(".choose").skip(1) {
                let arguments = call.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map_or("", |(inside, _)| inside);
                let words = arguments.split('"').skip(1).step_by(2);
                seen.extend(words.filter(|word| word.bytes().all(|byte| byte.is_ascii_uppercase())).map(str::to_owned));
            }
        }
    }
    assert!(seen.len() > 10, "the operations were found: {seen:?}");
    let missing: Vec<&String> = seen.iter().filter(|word| !page.contains(&format!("`{word}`"))).collect();
    assert!(missing.is_empty(), "docs/compatibility.md does not name {missing:?}");
}

#[test]
fn no_page_is_larger_than_the_registry_takes() {
    for (place, page) in pages() {
        assert!(page.len() < LARGEST_PAGE, "{} has {} bytes", place.display(), page.len());
    }
}

#[test]
fn everything_that_is_offered_has_an_example_and_every_example_is_of_something_offered() {
    let mut wanted = BTreeSet::from([PathBuf::from("provider/provider.tf")]);
    for resource in CATALOG.resources {
        for file in ["resource.tf", "import.sh", "import.tf"] {
            wanted.insert(PathBuf::from(format!("resources/{}/{file}", full(resource.name))));
        }
        wanted.insert(PathBuf::from(format!("list-resources/{}/list-resource.tfquery.hcl", full(resource.name))));
    }
    for source in CATALOG.data_sources {
        wanted.insert(PathBuf::from(format!("data-sources/{}/data-source.tf", full(source.name))));
    }
    for function in CATALOG.functions {
        wanted.insert(PathBuf::from(format!("functions/{}/function.tf", function.name)));
    }
    let examples = root().join("examples");
    let missing: Vec<_> = wanted.iter().filter(|file| !examples.join(file).is_file()).collect();
    assert!(missing.is_empty(), "examples/ lacks {missing:#?}");
    let folders: BTreeSet<&Path> = wanted.iter().filter_map(|file| file.parent()).collect();
    for kind in ["resources", "list-resources", "data-sources", "functions"] {
        let Ok(entries) = fs::read_dir(examples.join(kind)) else { continue };
        for entry in entries {
            let folder = Path::new(kind).join(entry.expect("an entry").file_name());
            assert!(folders.contains(folder.as_path()), "examples/{} is of nothing that is offered", folder.display());
        }
    }
}

#[test]
fn an_import_example_names_an_object_of_the_example_and_has_the_id_of_the_table() {
    for resource in CATALOG.resources {
        let folder = format!("resources/{}", full(resource.name));
        let (configuration, command) = (example(&format!("{folder}/resource.tf")), example(&format!("{folder}/import.sh")));
        let (address, id) = command
            .trim()
            .strip_prefix("terraform import ")
            .and_then(|rest| rest.split_once(' '))
            .unwrap_or_else(|| panic!("{folder}/import.sh is no import command: {command}"));
        let (kind, name) = address.split_once('.').unwrap_or_else(|| panic!("{folder}: {address} is no address"));
        assert_eq!(kind, full(resource.name), "{folder}/import.sh");
        assert!(configuration.contains(&format!("resource {kind:?} {name:?} {{")), "{folder}/resource.tf has no {address}");
        let id = id.trim_matches('\'');
        assert_eq!(id, wanted_id(resource), "{folder}/import.sh and the table's example");
        let block = format!("import {{\n  to = {address}\n  id = {id:?}\n}}\n");
        assert_eq!(example(&format!("{folder}/import.tf")), block, "{folder}/import.tf");
        if !matches!(resource.import, Import::Lookup { .. }) {
            parse_key(resource, id).unwrap_or_else(|problem| panic!("{folder}: {id}: {problem}"));
        }
    }
}

/// The page that tells how to take over what exists. The table of IDs is made.
const IMPORT: &str = "docs/guides/import.md";

#[test]
fn the_import_guide_has_the_id_of_every_kind() {
    let mut table = String::from("| resource | import ID | example |\n|---|---|---|\n");
    for resource in CATALOG.resources {
        let about = match resource.import {
            Import::Lookup { about, .. } => about.trim_end_matches('.').to_owned(),
            Import::Key { attributes, .. } => format!("`{}`", attributes.join("/")),
            Import::Singleton { .. } => "always this word".to_owned(),
        };
        let name = full(resource.name);
        let _ = writeln!(table, "| [`{name}`](../resources/{}.md) | {about} | `{}` |", resource.name, wanted_id(resource));
    }
    let page = read(IMPORT);
    made::hold(IMPORT, made::with_section(&page, "ids", &table));
}

fn wanted_id(resource: &Resource) -> &'static str {
    match resource.import {
        Import::Lookup { example, .. } | Import::Key { example, .. } => example,
        Import::Singleton { word } => word,
    }
}
