//! What another configuration or state manages already.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use hcl_edit::expr::{Expression, TraversalOperator};
use hcl_edit::structure::{Block, BlockLabel, Body};
use hcl_edit::template::Element;
use serde_json::Value as Json;

use crate::remote::Found;
use crate::schema::{Catalog, Import, Record, Resource, engine};
use crate::value::Value;

/// Steps that a name may take from expression to expression before it is given up.
const MOST_STEPS: usize = 16;

/// The objects that are managed already.
#[derive(Debug)]
pub struct Managed {
    catalog: &'static Catalog,
    /// By kind: keys in their one spelling, IDs in small letters.
    known: BTreeMap<&'static str, BTreeSet<String>>,
    unclear: Vec<String>,
}

impl Managed {
    /// Knows nothing yet.
    pub fn new(catalog: &'static Catalog) -> Managed {
        Managed { catalog, known: BTreeMap::new(), unclear: Vec::new() }
    }

    /// What could not be told: a line each.
    pub fn unclear(&self) -> &[String] {
        &self.unclear
    }

    /// Tells whether an object is managed.
    pub fn has(&self, resource: &Resource, found: &Found) -> bool {
        let Some(known) = self.known.get(resource.name) else { return false };
        matches!(resource.import, Import::Singleton { .. })
            || found.object.text("id").is_some_and(|id| known.contains(&by_id(id)))
            || key(resource, &found.object).is_some_and(|key| known.contains(&key))
    }

    /// Adds what the output of `terraform show -json` has, of a state or a plan.
    pub fn add_state(&mut self, text: &str) -> Result<(), String> {
        let shown: Json = serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
        if shown.get("format_version").is_none() {
            return Err("it is not the output of `terraform show -json`".to_owned());
        }
        // A plan has the state before it inside; an empty state has no values.
        let values = shown.get("values").or_else(|| shown.pointer("/prior_state/values"));
        if let Some(root) = values.and_then(|values| values.get("root_module")) {
            self.add_module(root);
        }
        Ok(())
    }

    fn add_module(&mut self, module: &Json) {
        let list = |name: &str| module.get(name).and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
        for object in list("resources") {
            let Some(resource) = object["type"].as_str().and_then(|kind| self.resource(kind)) else { continue };
            if object["mode"] != "managed" {
                continue;
            }
            let texts = object["values"].as_object().into_iter().flatten();
            let record = texts.filter_map(|(name, value)| Some((name, value.as_str()?)));
            let record = record.fold(Record::new(), |record, (name, text)| record.with(name.as_str(), text));
            self.add(resource, &record);
        }
        for child in list("child_modules") {
            self.add_module(child);
        }
    }

    /// Adds what the files of one folder manage: names with texts.
    pub fn add_files(&mut self, files: &[(String, String)]) -> Result<(), String> {
        let (mut bodies, mut settings) = (Vec::new(), Vec::new());
        for (name, text) in files {
            let ends = |end: &str| Path::new(name).extension().is_some_and(|extension| extension == end);
            if ends("json") {
                let json: Json = serde_json::from_str(text).map_err(|error| format!("{name} is no JSON: {error}"))?;
                self.add_json(&json, name);
            } else {
                let body: Body = text.parse().map_err(|error| format!("{name} cannot be read: {error}"))?;
                if ends("tfvars") { settings.push(body) } else { bodies.push((name, body)) }
            }
        }
        let scope = Scope::of(bodies.iter().map(|(_, body)| body), &settings);
        for (name, body) in &bodies {
            for block in body.blocks() {
                let labels: Vec<&str> = block.labels.iter().map(BlockLabel::as_str).collect();
                match (block.ident.as_str(), labels.as_slice()) {
                    ("resource", [kind, label]) => {
                        if let Some(resource) = self.resource(kind) {
                            self.add_block(resource, block, &scope, &format!("{kind}.{label} in {name}"));
                        }
                    }
                    ("import", []) => self.add_import(block, &scope),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn add_block(&mut self, resource: &'static Resource, block: &Block, scope: &Scope<'_>, place: &str) {
        let names = key_names(resource);
        let texts = names.iter().map(|name| scope.text(block.body.get_attribute(name).map(|line| &line.value), 0));
        let mut record = Record::new();
        for (name, text) in names.iter().zip(texts) {
            match text {
                Some(text) => record.set(*name, Value::text(text)),
                None => return self.cannot_tell(place, name),
            }
        }
        self.add(resource, &record);
    }

    fn cannot_tell(&mut self, place: &str, name: &str) {
        let line = format!("{place}: `{name}` does not follow from the files, so nobody can tell which object that is");
        if !self.unclear.contains(&line) {
            self.unclear.push(line);
        }
    }

    /// An import block says what its target is, whatever the target's arguments are made of.
    fn add_import(&mut self, block: &Block, scope: &Scope<'_>) {
        let to = block.body.get_attribute("to").map(|line| line.value.to_string());
        let kind =
            to.as_deref().and_then(|to| to.trim().split('.').find(|step| self.resource(step).is_some()).map(str::to_owned));
        let Some(resource) = kind.and_then(|kind| self.resource(&kind)) else { return };
        if let Some(id) = scope.text(block.body.get_attribute("id").map(|line| &line.value), 0) {
            let known = self.known.entry(resource.name).or_default();
            known.insert(by_id(&id));
            if let Import::Lookup { .. } = resource.import {
                known.extend(key(resource, &Record::new().with(resource.title, id.as_str())));
            } else if let Ok(record) = engine::parse_key(resource, &id) {
                known.extend(key(resource, &record));
            }
        }
    }

    fn add_json(&mut self, json: &Json, name: &str) {
        let kinds = json.get("resource").and_then(Json::as_object).into_iter().flatten();
        for (kind, objects) in kinds {
            let Some(resource) = self.resource(kind) else { continue };
            for (label, object) in objects.as_object().into_iter().flatten() {
                // One object, or a list of one.
                let object = object.as_array().and_then(|all| all.first()).unwrap_or(object);
                let mut record = Record::new();
                let mut missing = None;
                for key in key_names(resource) {
                    match object.get(key).and_then(Json::as_str).filter(|text| !text.contains("${") && !text.contains("%{")) {
                        Some(text) => record.set(*key, Value::text(text)),
                        None => missing = Some(key),
                    }
                }
                match missing {
                    Some(key) => self.cannot_tell(&format!("{kind}.{label} in {name}"), key),
                    None => self.add(resource, &record),
                }
            }
        }
    }

    fn add(&mut self, resource: &'static Resource, record: &Record) {
        let known = self.known.entry(resource.name).or_default();
        known.extend(record.text("id").map(by_id));
        known.extend(key(resource, record));
    }

    fn resource(&self, kind: &str) -> Option<&'static Resource> {
        let name = kind.strip_prefix(self.catalog.name)?.strip_prefix('_')?;
        self.catalog.resources.iter().copied().find(|resource| resource.name == name)
    }
}

/// The arguments that name an object.
fn key_names(resource: &Resource) -> &'static [&'static str] {
    match resource.import {
        Import::Key { attributes, .. } => attributes,
        Import::Singleton { .. } => &[],
        // A table says its title by a constant, too.
        Import::Lookup { .. } => std::slice::from_ref(
            resource.attributes.iter().find(|line| line.name == resource.title).map_or(&"id", |line| &line.name),
        ),
    }
}

fn by_id(id: &str) -> String {
    format!("id\0{}", id.to_lowercase())
}

/// What names an object, in one spelling.
fn key(resource: &Resource, record: &Record) -> Option<String> {
    let mut key = "key".to_owned();
    for name in key_names(resource) {
        let text = record.text(name)?;
        let line = resource.attributes.iter().find(|line| line.name == *name);
        let canonical = line.map(|line| engine::canonical(line, &Value::text(text)));
        let spelled = canonical.as_ref().and_then(Value::as_text).unwrap_or(text);
        key.push('\0');
        // The names of what is looked up are without case.
        match resource.import {
            Import::Lookup { .. } => key.push_str(&spelled.to_lowercase()),
            _ => key.push_str(spelled),
        }
    }
    Some(key)
}

/// What the names in the files of one folder stand for.
struct Scope<'a> {
    values: BTreeMap<String, &'a Expression>,
}

impl<'a> Scope<'a> {
    fn of(bodies: impl Iterator<Item = &'a Body>, settings: &'a [Body]) -> Scope<'a> {
        let mut values = BTreeMap::new();
        for block in bodies.flat_map(Body::blocks) {
            let labels: Vec<&str> = block.labels.iter().map(BlockLabel::as_str).collect();
            let prefix = match (block.ident.as_str(), labels.as_slice()) {
                ("locals", []) => "local".to_owned(),
                ("variable", [name]) => format!("var.{name}"),
                ("resource", [kind, label]) => format!("{kind}.{label}"),
                _ => continue,
            };
            let is_repeated = ["count", "for_each"].iter().any(|name| block.body.has_attribute(name));
            for line in block.body.attributes().filter(|_| !is_repeated) {
                match (block.ident.as_str(), line.key.as_str()) {
                    ("variable", "default") => values.insert(prefix.clone(), &line.value),
                    ("variable", _) => None,
                    (_, name) => values.insert(format!("{prefix}.{name}"), &line.value),
                };
            }
        }
        // What is set for a variable stands before its default.
        for line in settings.iter().flat_map(Body::attributes) {
            values.insert(format!("var.{}", line.key.as_str()), &line.value);
        }
        Scope { values }
    }

    /// The text of an expression, as far as the files tell it.
    fn text(&self, expression: Option<&Expression>, steps: usize) -> Option<String> {
        if steps > MOST_STEPS {
            return None;
        }
        match expression? {
            Expression::String(text) => Some(text.as_str().to_owned()),
            Expression::StringTemplate(template) => template
                .iter()
                .map(|element| match element {
                    Element::Literal(text) => Some(text.as_str().to_owned()),
                    Element::Interpolation(inner) => self.text(Some(&inner.expr), steps + 1),
                    Element::Directive(_) => None,
                })
                .collect(),
            Expression::Parenthesis(inner) => self.text(Some(inner.inner()), steps + 1),
            Expression::Traversal(traversal) => {
                let Expression::Variable(first) = &traversal.expr else { return None };
                let mut path = first.as_str().to_owned();
                for operator in &traversal.operators {
                    let TraversalOperator::GetAttr(name) = operator.value() else { return None };
                    path.push('.');
                    path.push_str(name.as_str());
                }
                self.text(self.values.get(&path).copied(), steps + 1)
            }
            _ => None,
        }
    }
}
