//! A configuration for what exists: resources, import blocks, variables for secrets, and a page about it.
//!
//! The same objects make the same bytes: kinds in the catalog's order, objects in the service's.

mod hcl;
mod names;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::remote::Found;
use crate::schema::{Attribute, Import, Kind, Record, Resource, engine};
use crate::value::Value;
use hcl::{Line, Part, Term};
use names::Names;

/// A secret of fewer letters than this is no secret, and not looked for in other texts: it is in many of them.
const LONG_ENOUGH: usize = 6;

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

/// Secrets that became variables: by their values.
#[derive(Default)]
struct Variables {
    by_value: BTreeMap<String, String>,
    /// What each is for, by its name.
    told: BTreeMap<String, String>,
    /// Those that stand in an argument that is not secret itself: they cannot be left out.
    needed: RefCell<BTreeSet<String>>,
    names: Names,
}

/// Writes a configuration.
pub fn export(kinds: &[Kindred], around: &Around) -> Folder {
    let prefix = around.provider.0;
    let mut left_out = around.left_out.clone();
    let mut entries: Vec<Entry<'_>> = Vec::new();
    for kind in kinds {
        let mut labels = Names::default();
        let mut quiet = 0;
        for found in &kind.found {
            if !around.include_defaults && is_untouched(kind.resource, &found.object) {
                quiet += 1;
                continue;
            }
            if is_order_of_few(kind.resource, &found.object) {
                continue;
            }
            let title = if kind.resource.title == "id" { "this" } else { found.object.text(kind.resource.title).unwrap_or("") };
            let id = import_id(kind.resource, found, &kind.found);
            entries.push(Entry { resource: kind.resource, found, label: labels.give(title), id });
        }
        if quiet > 0 {
            left_out.push(format!(
                "{quiet} of the kind {}: always there, with nothing set (`--include-defaults` writes them)",
                kind.resource.noun
            ));
        }
    }
    let mut variables = Variables::default();
    for entry in &entries {
        collect(entry, &mut variables);
    }
    let mut files: BTreeMap<String, Vec<Line>> = BTreeMap::new();
    let mut imports = Vec::new();
    for entry in &entries {
        let kind = format!("{prefix}_{}", entry.resource.name);
        let written = engine::generated(entry.resource, &entry.found.object);
        let writer = Writer { prefix, entries: &entries, variables: &variables, entry };
        let lines = writer.members(entry.resource.attributes, written.members(), entry.found.object.members());
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
        file.push(Line::Block("resource".to_owned(), address, lines));
    }
    let mut texts: BTreeMap<String, String> = files.into_iter().map(|(name, lines)| (name, hcl::text(&lines))).collect();
    texts.insert("providers.tf".to_owned(), hcl::text(&providers(around)));
    texts.insert("imports.tf".to_owned(), hcl::text(&imports));
    if !variables.told.is_empty() {
        texts.insert("variables.tf".to_owned(), hcl::text(&variables.lines()));
    }
    texts.insert("README.md".to_owned(), page(&entries, &variables, &left_out));
    Folder { files: texts, count: entries.len() }
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

/// The import ID of an object: a name that a person knows, where no other object has it.
fn import_id(resource: &Resource, found: &Found, all: &[Found]) -> String {
    if let Some(key) = engine::key(resource, &found.object) {
        return key;
    }
    let title = found.object.text(resource.title).unwrap_or_default();
    let alike =
        |other: &&Found| other.object.text(resource.title).is_some_and(|name| name.to_lowercase() == title.to_lowercase());
    let is_own = !title.is_empty() && all.iter().filter(alike).count() == 1;
    let id = found.object.text("id").unwrap_or_default();
    if is_own { title.to_owned() } else { id.to_owned() }
}

/// Makes a variable of each sensitive value of an object.
fn collect(entry: &Entry<'_>, variables: &mut Variables) {
    fn walk(
        attributes: &[Attribute],
        members: &BTreeMap<String, Value>,
        path: &str,
        entry: &Entry<'_>,
        variables: &mut Variables,
    ) {
        for attribute in attributes {
            let value = members.get(attribute.name).unwrap_or(&Value::Null);
            let path = if path.is_empty() { attribute.name.to_owned() } else { format!("{path}.{}", attribute.name) };
            match (value, attribute.kind.members()) {
                (Value::String(text), _) if attribute.sensitive => {
                    let about = format!("`{path}` of the {} {}", entry.resource.noun, entry.found.display_name);
                    variables.add(text, &format!("{}_{}", entry.label, attribute.name), &about);
                }
                (Value::Object(inner), Some(members)) => walk(members, inner, &path, entry, variables),
                (Value::List(items) | Value::Set(items), Some(members)) => {
                    items.iter().filter_map(Value::as_members).for_each(|inner| walk(members, inner, &path, entry, variables));
                }
                _ => {}
            }
        }
    }
    walk(entry.resource.attributes, entry.found.object.members(), "", entry, variables);
}

impl Variables {
    fn add(&mut self, value: &str, name: &str, about: &str) {
        if let Some(known) = self.by_value.get(value) {
            if let Some(told) = self.told.get_mut(known) {
                told.extend(["; ", about]);
            }
            return;
        }
        let name = self.names.give(name);
        self.by_value.insert(value.to_owned(), name.clone());
        self.told.insert(name, about.to_owned());
    }

    fn of(&self, value: &str) -> Option<Vec<String>> {
        Some(vec!["var".to_owned(), self.by_value.get(value)?.clone()])
    }

    /// A text in which the secrets are replaced.
    fn without_secrets(&self, text: &str) -> Option<Vec<Part>> {
        let mut parts = Vec::new();
        let mut rest = text;
        let mut plain = String::new();
        while let Some(letter) = rest.chars().next() {
            let secrets =
                self.by_value.iter().filter(|(secret, _)| secret.len() >= LONG_ENOUGH && rest.starts_with(secret.as_str()));
            if let Some((secret, name)) = secrets.max_by_key(|(secret, _)| secret.len()) {
                if !plain.is_empty() {
                    parts.push(Part::Plain(std::mem::take(&mut plain)));
                }
                self.needed.borrow_mut().insert(name.clone());
                parts.push(Part::Of(vec!["var".to_owned(), name.clone()]));
                rest = &rest[secret.len()..];
            } else {
                plain.push(letter);
                rest = &rest[letter.len_utf8()..];
            }
        }
        if parts.is_empty() {
            return None;
        }
        if !plain.is_empty() {
            parts.push(Part::Plain(plain));
        }
        Some(parts)
    }

    fn lines(&self) -> Vec<Line> {
        let block = |(name, about): (&String, &String)| {
            let mut lines = vec![
                Line::Argument("description".to_owned(), Term::Literal(Value::text(about.as_str()))),
                Line::Argument("type".to_owned(), Term::Reference(vec!["string".to_owned()])),
                Line::Argument("sensitive".to_owned(), Term::Literal(Value::Bool(true))),
            ];
            if !self.needed.borrow().contains(name) {
                lines.push(Line::Argument("default".to_owned(), Term::Literal(Value::Null)));
            }
            Line::Block("variable".to_owned(), vec![name.clone()], lines)
        };
        self.told.iter().map(block).collect()
    }
}

/// Writes the arguments of one object.
struct Writer<'a> {
    prefix: &'a str,
    entries: &'a [Entry<'a>],
    variables: &'a Variables,
    entry: &'a Entry<'a>,
}

impl Writer<'_> {
    /// The arguments first, then the blocks.
    fn members(
        &self,
        attributes: &[Attribute],
        written: &BTreeMap<String, Value>,
        object: &BTreeMap<String, Value>,
    ) -> Vec<Line> {
        let (mut lines, mut blocks) = (Vec::new(), Vec::new());
        for attribute in attributes {
            let value = written.get(attribute.name).unwrap_or(&Value::Null);
            let standing = object.get(attribute.name).unwrap_or(&Value::Null);
            if attribute.sensitive {
                if let Some(variable) = standing.as_text().and_then(|text| self.variables.of(text)) {
                    lines.push(Line::Argument(attribute.name.to_owned(), Term::Reference(variable)));
                }
                continue;
            }
            match (attribute.kind, value, standing) {
                (_, Value::Null | Value::Unknown(_), _) => {}
                (Kind::Block(inner), Value::Object(members), Value::Object(standing)) => {
                    blocks.push(Line::Block(attribute.name.to_owned(), Vec::new(), self.members(inner, members, standing)));
                }
                (Kind::BlockList(inner), Value::List(items), Value::List(standing)) => {
                    let pairs = items
                        .iter()
                        .zip(standing)
                        .filter_map(|(item, standing)| Some((item.as_members()?, standing.as_members()?)));
                    blocks.extend(pairs.map(|(item, standing)| {
                        Line::Block(attribute.name.to_owned(), Vec::new(), self.members(inner, item, standing))
                    }));
                }
                (_, value, _) => lines.push(Line::Argument(attribute.name.to_owned(), self.term(attribute, value))),
            }
        }
        lines.extend(blocks);
        lines
    }

    fn term(&self, attribute: &Attribute, value: &Value) -> Term {
        match value {
            Value::String(text) => self.referring(attribute, text).unwrap_or_else(|| self.plain(text)),
            Value::List(items) | Value::Set(items) => Term::List(items.iter().map(|item| self.term(attribute, item)).collect()),
            other => Term::Literal(other.clone()),
        }
    }

    fn plain(&self, text: &str) -> Term {
        match self.variables.without_secrets(text) {
            Some(parts) => match parts.as_slice() {
                [Part::Of(variable)] => Term::Reference(variable.clone()),
                _ => Term::Text(parts),
            },
            None => Term::Literal(Value::text(text)),
        }
    }

    /// The object that a text names, if it is written, too.
    fn referring(&self, attribute: &Attribute, text: &str) -> Option<Term> {
        let refers = attribute.refers?;
        let is_meant = |entry: &&Entry<'_>| {
            let title = entry.found.object.get(entry.resource.title);
            let line = entry.resource.attributes.iter().find(|line| line.name == entry.resource.title);
            let is_named = line.is_some_and(|line| engine::same(line, title, &Value::text(text)));
            let shares = |name: &str| entry.found.object.get(name) == self.entry.found.object.get(name);
            entry.resource.name == refers.to && is_named && refers.within.iter().all(|name| shares(name))
        };
        let mut meant = self.entries.iter().filter(is_meant);
        let (one, another) = (meant.next()?, meant.next());
        if another.is_some() {
            return None;
        }
        let kind = format!("{}_{}", self.prefix, one.resource.name);
        Some(Term::Reference(vec![kind, one.label.clone(), one.resource.title.to_owned()]))
    }
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

/// The page about the folder.
fn page(entries: &[Entry<'_>], variables: &Variables, left_out: &[String]) -> String {
    let mut page = "# What was taken over\n\nThis folder describes what stands at the services. `terraform init` and `terraform plan` show nothing but imports; \
                    `terraform apply` takes the objects over without a change. Afterwards `imports.tf` can be removed.\n\nLogins come from the \
                    environment, as for the provider.\n\n## Objects\n\n| kind | count |\n|---|---|\n"
        .to_owned();
    let mut seen = BTreeSet::new();
    for entry in entries {
        if seen.insert(entry.resource.name) {
            let count = entries.iter().filter(|other| other.resource.name == entry.resource.name).count();
            let _ = writeln!(page, "| {} | {count} |", entry.resource.noun);
        }
    }
    if !variables.told.is_empty() {
        page.push_str(
            "\n## Secrets\n\nNo secret is in these files: each is a variable. One with a default may be left out as long as the object exists: the text is then kept as it \
             stands. To make the object anew, set it.\n\n",
        );
        for (name, about) in &variables.told {
            let _ = writeln!(page, "- `{name}`: {about}");
        }
    }
    if !left_out.is_empty() {
        page.push_str("\n## Left out\n\n");
        for line in left_out {
            let _ = writeln!(page, "- {line}");
        }
    }
    page
}
