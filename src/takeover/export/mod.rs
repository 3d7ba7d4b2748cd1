//! A configuration for what exists: resources, import blocks, variables for secrets, and a page about it.
//!
//! The same objects make the same bytes: kinds in the catalog's order, objects in the service's.

mod hcl;
mod managed;
mod names;
mod order;
mod page;
mod variables;
mod writer;

use std::collections::BTreeMap;

use crate::remote::Found;
use crate::schema::{Import, Kind, Record, Resource, engine};
use crate::value::Value;
use hcl::{Line, Term};
pub use managed::Managed;
use names::Names;
pub use variables::Secrets;
use variables::Variables;
use writer::{Index, Writer};

/// The objects of one kind.
#[derive(Debug)]
pub struct Kindred {
    /// The kind.
    pub resource: &'static Resource,
    /// Its objects in the service's order.
    pub found: Vec<Found>,
}

/// What is to be written beside the objects.
#[derive(Debug, Default)]
pub struct Around {
    /// The provider's name and source address.
    pub provider: (&'static str, &'static str),
    /// The provider block, without what is secret.
    pub settings: Record,
    /// What was left out, and why: a line each.
    pub left_out: Vec<String>,
    /// Write objects, too, that are always there and of which nothing is set.
    pub include_defaults: bool,
}

/// A written configuration.
#[derive(Debug, Default, PartialEq)]
pub struct Folder {
    /// The text of each file, by its name.
    pub files: BTreeMap<String, String>,
    /// The values of its variables.
    pub secrets: Secrets,
    /// How many objects are in it.
    pub count: usize,
}

/// One object on its way into the configuration.
struct Entry<'a> {
    resource: &'static Resource,
    found: &'a Found,
    label: String,
    id: String,
}

/// Writes a configuration.
pub fn export(kinds: &[Kindred], around: &Around) -> Folder {
    let prefix = around.provider.0;
    let mut left_out = around.left_out.clone();
    let mut entries: Vec<Entry<'_>> = Vec::new();
    for kind in kinds {
        let mut quiet = 0;
        let alike = alike(kind);
        for found in &kind.found {
            if !around.include_defaults && is_untouched(kind.resource, &found.object) {
                quiet += 1;
            } else if !is_order_of_few(kind.resource, &found.object) {
                let id = import_id(kind.resource, found, &alike);
                entries.push(Entry { resource: kind.resource, found, label: String::new(), id });
            }
        }
        if quiet > 0 {
            left_out.push(format!(
                "{quiet} of the kind {}: always there, with nothing set (`--include-defaults` writes them)",
                kind.resource.noun
            ));
        }
    }
    let variables = named(&mut entries);
    let index = Index::of(&entries);
    let mut files: BTreeMap<String, Vec<Line>> = BTreeMap::new();
    let mut imports = Vec::new();
    let mut behind = order::behind(prefix, &entries);
    for (at, entry) in entries.iter().enumerate() {
        let kind = format!("{prefix}_{}", entry.resource.name);
        let address = vec![kind.clone(), entry.label.clone()];
        imports.push(Line::Block(
            "import".to_owned(),
            Vec::new(),
            vec![
                Line::Argument("to".to_owned(), Term::Reference(address.clone())),
                Line::Argument("id".to_owned(), Term::Literal(Value::text(entry.id.as_str()))),
            ],
        ));
        let file = files.entry(format!("{}.tf", entry.resource.name)).or_default();
        let (comments, mut lines) = Writer::new(prefix, &index, &variables, entry).object();
        if let Some(others) = behind.remove(&at) {
            let place = lines.iter().position(|line| matches!(line, Line::Block(..))).unwrap_or(lines.len());
            lines.insert(place, others);
        }
        file.extend(comments.into_iter().map(Line::Comment));
        file.push(Line::Block("resource".to_owned(), address, lines));
    }
    if let Some((home, locals)) = variables.local_lines() {
        files.entry(format!("{home}.tf")).or_default().insert(0, locals);
    }
    let mut texts: BTreeMap<String, String> = files.into_iter().map(|(name, lines)| (name, hcl::text(&lines))).collect();
    texts.insert("providers.tf".to_owned(), hcl::text(&providers(around)));
    texts.insert("imports.tf".to_owned(), hcl::text(&imports));
    if !variables.is_empty() {
        texts.insert("variables.tf".to_owned(), hcl::text(&variables.lines()));
    }
    texts.insert("README.md".to_owned(), page::page(&entries, &variables, &left_out));
    Folder { files: texts, secrets: variables.values(), count: entries.len() }
}

/// Gives each object its label, and collects the secrets: a name that tells one is no label and no import ID.
fn named(entries: &mut [Entry<'_>]) -> Variables {
    let label = |entry: &Entry<'_>, concealed: &Variables| {
        let title = entry.found.object.text(entry.resource.title).unwrap_or("");
        match entry.resource.title {
            "id" => "this".to_owned(),
            _ if concealed.is_told_by(title) => entry.resource.noun.to_owned(),
            _ => title.to_owned(),
        }
    };
    let mut known = Variables::default();
    for entry in entries.iter() {
        known.collect(entry);
    }
    let mut labels: BTreeMap<&str, Names> = BTreeMap::new();
    for entry in entries.iter_mut() {
        let title = label(entry, &known);
        entry.label = labels.entry(entry.resource.name).or_default().give(&title);
        if let (Import::Lookup { .. }, Some(id)) = (entry.resource.import, entry.found.object.text("id"))
            && known.is_told_by(&entry.id)
        {
            id.clone_into(&mut entry.id);
        }
    }
    let mut variables = Variables::default();
    for entry in entries.iter() {
        variables.collect(entry);
    }
    variables
}

/// Tells whether an object is always there and nothing of it is set.
fn is_untouched(resource: &Resource, object: &Record) -> bool {
    let written = engine::generated(resource, object);
    let named = resource.attributes.iter().find_map(|attribute| Some((attribute.name, attribute.always_there?)));
    let always_there = match named {
        Some((name, is_there)) => object.text(name).is_some_and(is_there),
        None => matches!(resource.import, Import::Singleton { .. }),
    };
    let keys: &[&str] = match resource.import {
        Import::Key { attributes, .. } => attributes,
        Import::Lookup { .. } | Import::Singleton { .. } => &[],
    };
    let says = |(name, value): (&str, &Value)| {
        let is_empty = value.is_null() || value.as_elements().is_some_and(<[Value]>::is_empty);
        !is_empty && name != resource.title && !keys.contains(&name)
    };
    always_there && !written.iter().any(says)
}

/// Tells whether it is the order of fewer than two objects, which says nothing.
fn is_order_of_few(resource: &Resource, object: &Record) -> bool {
    let mut orders =
        resource.attributes.iter().filter(|attribute| attribute.refers.is_some() && matches!(attribute.kind, Kind::List(_)));
    orders.any(|attribute| object.get(attribute.name).as_elements().is_some_and(|names| names.len() < 2))
}

/// How many objects of a kind have a title, without case.
fn alike(kind: &Kindred) -> BTreeMap<String, usize> {
    let mut alike = BTreeMap::new();
    for title in kind.found.iter().filter_map(|found| found.object.text(kind.resource.title)) {
        *alike.entry(title.to_lowercase()).or_insert(0) += 1;
    }
    alike
}

/// The import ID of an object: a name that a person knows, where no other object has it.
fn import_id(resource: &Resource, found: &Found, alike: &BTreeMap<String, usize>) -> String {
    if let Some(key) = engine::key(resource, &found.object) {
        return key;
    }
    let title = found.object.text(resource.title).unwrap_or_default();
    let is_own = !title.is_empty() && alike.get(&title.to_lowercase()) == Some(&1);
    let id = found.object.text("id").unwrap_or_default();
    if is_own { title.to_owned() } else { id.to_owned() }
}

fn providers(around: &Around) -> Vec<Line> {
    fn settings(members: &BTreeMap<String, Value>) -> Vec<Line> {
        let (mut lines, mut blocks) = (Vec::new(), Vec::new());
        for (name, value) in members {
            match value {
                Value::Null => {}
                Value::Object(inner) => blocks.push(Line::Block(name.clone(), Vec::new(), settings(inner))),
                value => lines.push(Line::Argument(name.clone(), Term::Literal(value.clone()))),
            }
        }
        lines.extend(blocks);
        lines
    }
    let (name, source) = around.provider;
    let needed = Line::Block(
        "required_providers".to_owned(),
        Vec::new(),
        vec![Line::Argument(name.to_owned(), Term::Object("source", source.to_owned()))],
    );
    vec![
        Line::Block("terraform".to_owned(), Vec::new(), vec![needed]),
        Line::Block("provider".to_owned(), vec![name.to_owned()], settings(around.settings.members())),
    ]
}

#[cfg(test)]
mod tests;
