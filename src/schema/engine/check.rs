//! The laws that every table keeps: those by which Terraform refuses a whole provider, and our own.

use std::collections::{BTreeMap, BTreeSet};

use super::{Column, Shape};
use super::{
    attribute, attributes, columns, data_columns, default_value, identity_columns, parse_key, resource_columns, settings_columns,
    validate,
};
use crate::schema::{Attribute, Catalog, Fill, Function, Import, Kind, Motion, Presence, Record, Remote, Resource, Rule, Scalar};
use crate::value::{Path, Value};

/// Names that Terraform keeps for itself at the root of a resource or data source.
const RESERVED: &[&str] = &["connection", "count", "depends_on", "for_each", "lifecycle", "provider", "provisioner"];
/// Names that Terraform keeps for itself in a provider block.
const RESERVED_SETTINGS: &[&str] = &["alias", "version"];

/// Checks everything that a provider offers; each breach is one line that names the place.
pub fn check_catalog(catalog: &Catalog) -> Vec<String> {
    let mut laws = Laws::default();
    laws.named(catalog.name, catalog.name);
    laws.table("provider", catalog.settings, &RESERVED_SETTINGS.iter().copied().collect(), Owner::Settings);
    laws.rules("provider", catalog.settings, catalog.setting_rules);
    laws.shapes("provider", &settings_columns(catalog), false, false);

    let mut names = BTreeSet::new();
    for resource in catalog.resources {
        if !names.insert(resource.name) {
            laws.breach(resource.name, "stands in the catalog twice");
        }
        laws.resource(resource);
    }
    let mut names = BTreeSet::new();
    for source in catalog.data_sources {
        let place = format!("data source {}", source.name);
        if !names.insert(source.name) {
            laws.breach(&place, "stands in the catalog twice");
        }
        laws.named(&place, source.name);
        laws.described(&place, source.about);
        if source.noun.is_empty() {
            laws.breach(&place, "has no noun");
        }
        laws.table(&place, source.attributes, &RESERVED.iter().copied().collect(), Owner::DataSource);
        laws.rules(&place, source.attributes, source.rules);
        laws.shapes(&place, &data_columns(source), false, false);
    }
    let mut names = BTreeSet::new();
    for function in catalog.functions {
        if !names.insert(function.name) {
            laws.breach(function.name, "stands in the catalog twice");
        }
        laws.function(function);
    }
    laws.versions(catalog);
    laws.found
}

#[derive(Clone, Copy, PartialEq)]
enum Owner {
    Resource,
    DataSource,
    Settings,
}

#[derive(Default)]
struct Laws {
    found: Vec<String>,
}

impl Laws {
    /// From each older version of a resource, one step leads to the next; moves lead to what is offered.
    fn versions(&mut self, catalog: &Catalog) {
        for resource in catalog.resources {
            let steps: Vec<i64> =
                catalog.upgrades.iter().filter(|step| step.resource == resource.name).map(|step| step.from).collect();
            if !steps.iter().copied().eq(0..resource.version) {
                self.breach(resource.name, "does not have one step from each older version to the next, in order");
            }
        }
        let is_offered = |name: &str| catalog.resources.iter().any(|resource| resource.name == name);
        for name in catalog.upgrades.iter().map(|step| step.resource).chain(catalog.moves.iter().map(|entry| entry.to)) {
            if !is_offered(name) {
                self.breach(name, "is upgraded or moved to, and not offered");
            }
        }
    }

    fn breach(&mut self, place: &str, text: impl AsRef<str>) {
        self.found.push(format!("{place}: {}", text.as_ref()));
    }

    fn named(&mut self, place: &str, name: &str) {
        let is_snake = name.starts_with(|letter: char| letter.is_ascii_lowercase())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
            && !name.ends_with('_')
            && !name.contains("__");
        if !is_snake {
            self.breach(place, format!("the name {name:?} is not in snake_case"));
        }
    }

    fn described(&mut self, place: &str, about: &str) {
        if about.trim().is_empty() {
            self.breach(place, "is not described");
        } else if !about.trim_end().ends_with('.') {
            self.breach(place, "the description does not end in a period");
        }
    }

    fn resource(&mut self, resource: &Resource) {
        let place = resource.name;
        self.named(place, resource.name);
        self.described(place, resource.about);
        if resource.noun.is_empty() {
            self.breach(place, "has no noun");
        }
        if resource.version < 0 {
            self.breach(place, "the version of the state is negative");
        }
        if resource.timeouts.read == 0 || resource.timeouts.write == 0 {
            self.breach(place, "a default time limit is zero");
        }
        let reserved = RESERVED.iter().copied().chain(["id", "timeouts"]).collect();
        self.table(place, resource.attributes, &reserved, Owner::Resource);
        self.rules(place, resource.attributes, resource.rules);
        self.shapes(place, &resource_columns(resource), false, false);

        for line in resource.attributes {
            self.unset(&format!("{place}.{}", line.name), line);
            if let Motion::With(names) = line.motion
                && let Some(stranger) = names.iter().copied().find(|name| attribute(resource, name).is_none())
            {
                self.breach(place, format!("{:?} moves with {stranger:?}, which is no attribute", line.name));
            }
        }
        if resource.identity.is_empty() {
            self.breach(place, "has no identity");
        }
        for name in resource.identity {
            match attribute(resource, name) {
                None => self.breach(place, format!("the identity names {name:?}, which is no attribute")),
                Some(attribute) => {
                    // An object whose name is its key is renamed in place: its ID and its identity follow.
                    let is_key = matches!(resource.import, Import::Key { attributes, .. } if attributes.contains(name));
                    self.identity(place, attribute, is_key);
                }
            }
        }
        if identity_columns(resource).len() != resource.identity.len() {
            self.breach(place, "the identity names an attribute twice");
        }
        match attributes(resource).find(|attribute| attribute.name == resource.title) {
            None => self.breach(place, format!("the title {:?} is no attribute", resource.title)),
            Some(title) if title.sensitive => self.breach(place, format!("the title {:?} is sensitive", resource.title)),
            Some(_) => {}
        }
        match resource.import {
            Import::Lookup { about, example } => {
                if about.is_empty() || example.is_empty() {
                    self.breach(place, "the import ID is not described, or lacks an example");
                }
            }
            Import::Singleton { word } => {
                if word.is_empty() {
                    self.breach(place, "the import ID is empty");
                }
            }
            Import::Key { attributes: names, example } => {
                for name in names {
                    let fits = attribute(resource, name).is_some_and(|attribute| {
                        attribute.presence == Presence::Required
                            && matches!(attribute.kind, Kind::Scalar(_))
                            && !attribute.sensitive
                    });
                    if !fits {
                        self.breach(
                            place,
                            format!("the import ID names {name:?}, which is not a required single value that may be shown"),
                        );
                    }
                }
                if let Err(wrong) = parse_key(resource, example) {
                    self.breach(place, format!("the example of an import ID is none: {wrong}"));
                }
            }
        }
    }

    fn identity(&mut self, place: &str, attribute: &Attribute, is_key: bool) {
        let name = attribute.name;
        if !matches!(attribute.kind, Kind::Scalar(_) | Kind::List(_)) {
            self.breach(place, format!("the identity names {name:?}, which is neither a single value nor a list of such"));
        }
        if attribute.sensitive {
            self.breach(place, format!("the identity names {name:?}, which is sensitive"));
        }
        let is_fixed = attribute.presence == Presence::Computed && attribute.motion == Motion::Fixed;
        if !attribute.replaces && !is_fixed && !is_key {
            self.breach(place, format!("the identity names {name:?}, which may change while the object lives"));
        }
    }

    /// Checks the lines of a table. `reserved` are names that may not be used here.
    fn table(&mut self, place: &str, attributes: &[Attribute], reserved: &BTreeSet<&str>, owner: Owner) {
        let mut names = BTreeSet::new();
        for column in columns(attributes) {
            let name = column.name.into_owned();
            if reserved.contains(name.as_str()) {
                self.breach(place, format!("the name {name:?} is Terraform's own, or the engine's"));
            }
            if !names.insert(name.clone()) {
                self.breach(place, format!("the name {name:?} is used twice"));
            }
        }
        for attribute in attributes {
            let inside = format!("{place}.{}", attribute.name);
            self.line(&inside, attribute, owner);
            for partner in attribute.partners {
                if !attributes.iter().any(|sibling| sibling.name == *partner) {
                    self.breach(&inside, format!("the partner {partner:?} is no sibling"));
                }
            }
            if let Some(members) = attribute.kind.members() {
                if members.is_empty() {
                    self.breach(&inside, "the object has no members");
                }
                self.nesting(&inside, attribute, members, owner);
                let is_flat = matches!(attribute.remote, Remote::Flattened(_));
                // Nothing at the service would tell the object with its defaults from no object at all.
                if is_flat && attribute.presence == Presence::Nullable && !attribute.kind.is_block() {
                    for member in members.iter().filter(|member| matches!(member.presence, Presence::Filled(_))) {
                        self.breach(
                            &inside,
                            format!("{:?} is filled, inside a flattened object that may be left out", member.name),
                        );
                    }
                }
                self.table(&inside, members, &BTreeSet::new(), owner);
            }
        }
    }

    /// Checks what stands inside an object: the host takes a block only as it is configured.
    fn nesting(&mut self, place: &str, attribute: &Attribute, members: &[Attribute], owner: Owner) {
        if !attribute.kind.is_block() {
            if members.iter().any(|member| member.kind.is_block()) {
                self.breach(place, "is an attribute and holds a block");
            }
            return;
        }
        if !matches!(attribute.presence, Presence::Required | Presence::Nullable) || attribute.implied.is_some() {
            self.breach(place, "is a block, which nobody but the user can set");
        }
        if attribute.sensitive {
            self.breach(place, "is a block, which cannot be sensitive as a whole");
        }
        for member in members.iter().filter(|_| owner != Owner::Settings) {
            let inside = format!("{place}.{}", member.name);
            match member.presence {
                Presence::Computed | Presence::Filled(Fill::Service) => {
                    self.breach(&inside, "is left to the service inside a block: it belongs beside the block");
                }
                Presence::Filled(_) if matches!(attribute.kind, Kind::Block(_)) => {
                    self.breach(&inside, "is filled inside a block that means the same as none where nothing in it is set");
                }
                Presence::Required | Presence::Nullable | Presence::Filled(_) => {}
            }
        }
    }

    /// Checks that a switch or a collection of an object always has a value, or says what its absence means: a plan could not tell "none"
    /// from "off".
    fn unset(&mut self, place: &str, line: &Attribute) {
        let has_empty_value = match line.kind {
            Kind::Scalar(scalar) => scalar == Scalar::Boolean,
            Kind::Object(_) | Kind::Block(_) | Kind::BlockList(_) => false,
            Kind::List(_) | Kind::Set(_) | Kind::Map(_) | Kind::ListOf(_) | Kind::SetOf(_) => true,
        };
        if has_empty_value && line.presence == Presence::Nullable && line.inherited.is_none() {
            self.breach(place, "is a switch or a collection that may be null, and does not say what that means");
        }
        if line.inherited.is_some() && line.presence != Presence::Nullable {
            self.breach(place, "is inherited where it is left out, and never null");
        }
    }

    fn line(&mut self, place: &str, attribute: &Attribute, owner: Owner) {
        self.named(place, attribute.name);
        self.described(place, attribute.about);
        let scalar = attribute.kind.scalar();
        let is_text = scalar == Some(Scalar::String);
        let is_number = matches!(scalar, Some(Scalar::Integer | Scalar::Number));
        let is_collection = !matches!(attribute.kind, Kind::Scalar(_) | Kind::Object(_) | Kind::Block(_));

        if !is_text && !attribute.choices.is_empty() {
            self.breach(place, "has choices and is no text");
        }
        if !is_text && (attribute.length.is_some() || attribute.format.is_some() || attribute.meaning.is_some()) {
            self.breach(place, "has a length, a format or a meaning and is no text");
        }
        if !is_number && attribute.range.is_some() {
            self.breach(place, "has a range and is no number");
        }
        if !is_collection && attribute.most.is_some() {
            self.breach(place, "has a most and is no collection");
        }
        if attribute.length.is_some_and(|(least, most)| least > most) || attribute.range.is_some_and(|(least, most)| least > most)
        {
            self.breach(place, "the least is greater than the most");
        }
        if attribute.shown_as_meant && attribute.meaning.is_none() {
            self.breach(place, "is shown as meant and has no meaning");
        }
        if attribute.derived.is_some()
            && !(attribute.presence == Presence::Computed && matches!(attribute.motion, Motion::With(_)))
        {
            self.breach(place, "is derived, and is not computed or does not say from what");
        }
        if attribute.difference.is_some() && !is_text {
            self.breach(place, "tells where it differs and is no text");
        }
        if attribute.choices.iter().collect::<BTreeSet<_>>().len() != attribute.choices.len() {
            self.breach(place, "a choice stands twice");
        }
        if attribute.format.is_some_and(|format| format.about.is_empty()) {
            self.breach(place, "the format is not described");
        }
        if matches!(attribute.remote, Remote::Flattened(_)) && !matches!(attribute.kind, Kind::Object(_) | Kind::Block(_)) {
            self.breach(place, "is flattened and no object");
        }
        if attribute.presence == Presence::Computed && attribute.replaces {
            self.breach(place, "is set by the service and cannot make a new object");
        }
        if owner == Owner::Settings && matches!(attribute.presence, Presence::Computed | Presence::Filled(Fill::Service)) {
            self.breach(place, "is left to a service, and a provider block has none");
        }
        if attribute.write_only_form {
            if !matches!(attribute.kind, Kind::Scalar(Scalar::String)) {
                self.breach(place, "has a write-only form and is no text");
            }
            if !matches!(attribute.presence, Presence::Required | Presence::Nullable) {
                self.breach(place, "has a write-only form and is set by the service");
            }
            if owner != Owner::Resource {
                self.breach(place, "has a write-only form outside a resource");
            }
            if !attribute.sensitive {
                self.breach(place, "has a write-only form and is not sensitive");
            }
        }
        self.filling(place, attribute);
        self.implied(place, attribute);
    }

    fn implied(&mut self, place: &str, attribute: &Attribute) {
        let Some(&(_, text)) = attribute.implied else { return };
        if attribute.presence != Presence::Nullable
            || !matches!(attribute.kind, Kind::Scalar(Scalar::String))
            || attribute.write_only_form
        {
            self.breach(place, "is implied and no nullable text");
        } else {
            for wrong in validate(&[*attribute], &[], &Record::new().with(attribute.name, text), true) {
                self.breach(place, format!("what is implied is not allowed: {}", wrong.detail));
            }
        }
    }

    fn filling(&mut self, place: &str, attribute: &Attribute) {
        let Presence::Filled(fill) = attribute.presence else { return };
        let fits = match (fill, attribute.kind) {
            (Fill::False | Fill::True, Kind::Scalar(Scalar::Boolean))
            | (Fill::Integer(_), Kind::Scalar(Scalar::Integer | Scalar::Number))
            | (Fill::Text(_), Kind::Scalar(Scalar::String))
            | (Fill::Service, _) => true,
            (Fill::Empty, kind) => !matches!(kind, Kind::Scalar(_)),
            _ => false,
        };
        if !fits {
            self.breach(place, "the default is of another type");
        } else if let Some(default) = default_value(attribute).filter(|default| !matches!(default, Value::Object(_))) {
            let config = Record::new().with(attribute.name, default);
            for wrong in validate(&[*attribute], &[], &config, true) {
                self.breach(place, format!("the default is not allowed: {}", wrong.detail));
            }
        }
    }

    fn rules(&mut self, place: &str, attributes: &[Attribute], rules: &[Rule]) {
        for rule in rules {
            let names: Vec<&str> = match rule {
                Rule::Requires(first, second) => vec![first, second],
                Rule::Conflicts(names) | Rule::Together(names) => {
                    if names.len() < 2 {
                        self.breach(place, format!("the rule {rule:?} needs two names"));
                    }
                    names.to_vec()
                }
                Rule::AtLeastOne(names, why) | Rule::ExactlyOne(names, why) => {
                    self.described(&format!("{place}, rule {rule:?}"), why);
                    names.to_vec()
                }
                Rule::Hook(about, _) | Rule::Advice(about, _) => {
                    self.described(&format!("{place}, rule {about:?}"), about);
                    Vec::new()
                }
            };
            for name in names {
                if !exists(attributes, name) {
                    self.breach(place, format!("the rule {rule:?} names {name:?}, which is no attribute"));
                }
            }
        }
    }

    /// Checks what Terraform checks of a schema (and its framework, where Terraform would only fail later).
    fn shapes(&mut self, place: &str, columns: &[Column], in_set: bool, in_computed: bool) {
        let mut names = BTreeMap::new();
        for column in columns {
            let inside = format!("{place}.{}", column.name);
            *names.entry(&column.name).or_insert(0) += 1;
            if !(column.required || column.optional || column.computed) {
                self.breach(&inside, "is neither required nor optional nor computed");
            }
            if column.required && (column.optional || column.computed) {
                self.breach(&inside, "is required and something else");
            }
            if column.write_only && (in_set || in_computed || column.computed) {
                self.breach(&inside, "is write-only inside a set, or computed");
            }
            let computed = in_computed || (column.computed && !column.optional);
            match &column.shape {
                Shape::Plain(_) => {}
                Shape::Object(members) | Shape::ListOf(members) | Shape::Block(members) | Shape::BlockList(members) => {
                    self.shapes(&inside, members, in_set, computed);
                }
                Shape::SetOf(members) => self.shapes(&inside, members, true, computed),
            }
        }
        for (name, _) in names.into_iter().filter(|(_, count)| *count > 1) {
            self.breach(place, format!("the schema has {name:?} twice"));
        }
    }

    fn function(&mut self, function: &Function) {
        let place = format!("function {}", function.name);
        self.named(&place, function.name);
        self.described(&place, function.about);
        let mut names = BTreeSet::new();
        for parameter in function.parameters {
            let inside = format!("{place}({})", parameter.name);
            self.named(&inside, parameter.name);
            self.described(&inside, parameter.about);
            if !names.insert(parameter.name) {
                self.breach(&inside, "the parameter stands twice");
            }
        }
    }
}

/// Tells whether a dotted name leads to an attribute.
fn exists(attributes: &[Attribute], name: &str) -> bool {
    let path = Path::dotted(name);
    let mut level = Some(attributes);
    path.0.iter().all(|step| {
        let crate::value::Step::Attribute(name) = step else { return false };
        let found = level.and_then(|level| level.iter().find(|attribute| attribute.name == name));
        // Rules do not reach into the elements of collections.
        level = found.and_then(|attribute| match attribute.kind {
            Kind::Object(members) | Kind::Block(members) => Some(members),
            _ => None,
        });
        found.is_some()
    })
}
