//! The arguments and blocks of one object.

use std::collections::BTreeMap;

use super::Entry;
use super::hcl::{Line, Term};
use super::variables::Variables;
use crate::schema::{Attribute, Import, Kind, Remote, Resource, engine};
use crate::value::Value;

/// The objects that are written, by kind and name.
pub(super) struct Index<'a> {
    kinds: BTreeMap<&'static str, BTreeMap<Value, Vec<&'a Entry<'a>>>>,
}

impl<'a> Index<'a> {
    pub(super) fn of(entries: &'a [Entry<'a>]) -> Index<'a> {
        let mut kinds: BTreeMap<&'static str, BTreeMap<Value, Vec<&Entry<'_>>>> = BTreeMap::new();
        for entry in entries {
            let name = canonical_title(entry.resource, entry.found.object.get(entry.resource.title));
            kinds.entry(entry.resource.name).or_default().entry(name).or_default().push(entry);
        }
        Index { kinds }
    }
}

/// The one spelling of a name of a kind.
fn canonical_title(resource: &Resource, title: &Value) -> Value {
    let line = resource.attributes.iter().find(|line| line.name == resource.title);
    line.map_or_else(|| title.clone(), |line| engine::canonical(line, title))
}

/// Writes the arguments of one object.
pub(super) struct Writer<'a> {
    prefix: &'a str,
    index: &'a Index<'a>,
    variables: &'a Variables,
    entry: &'a Entry<'a>,
    comments: Vec<String>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(prefix: &'a str, index: &'a Index<'a>, variables: &'a Variables, entry: &'a Entry<'a>) -> Writer<'a> {
        Writer { prefix, index, variables, entry, comments: Vec::new() }
    }

    /// What is to be said beside the object, and its lines.
    pub(super) fn object(mut self) -> (Vec<String>, Vec<Line>) {
        let (resource, object) = (self.entry.resource, &self.entry.found.object);
        let written = engine::generated(resource, object);
        let lines = self.members(resource.attributes, written.members(), object.members());
        let unmanaged = |attribute: &Attribute| attribute.remote == Remote::Unmanaged && !written.get(attribute.name).is_null();
        if resource.attributes.iter().any(unmanaged) {
            self.comments.push(
                "It has settings that this provider has no argument for (`unmanaged`). Made anew, it would not have them."
                    .to_owned(),
            );
        }
        (self.comments, lines)
    }

    /// The arguments first, then the blocks.
    fn members(
        &mut self,
        attributes: &[Attribute],
        written: &BTreeMap<String, Value>,
        object: &BTreeMap<String, Value>,
    ) -> Vec<Line> {
        let (mut lines, mut blocks) = (Vec::new(), Vec::new());
        for attribute in attributes {
            let value = written.get(attribute.name).unwrap_or(&Value::Null);
            let standing = object.get(attribute.name).unwrap_or(&Value::Null);
            let name = attribute.name.to_owned();
            if attribute.sensitive {
                if let Some((term, comment)) = standing.as_text().and_then(|text| self.variables.sensitive(attribute, text)) {
                    lines.push(Line::Argument(name, term));
                    self.comments.extend(comment);
                }
                continue;
            }
            match (attribute.kind, value, standing) {
                (_, Value::Null | Value::Unknown(_), _) => {}
                (Kind::Block(inner), Value::Object(members), Value::Object(standing)) => {
                    blocks.push(Line::Block(name, Vec::new(), self.members(inner, members, standing)));
                }
                (Kind::BlockList(inner), Value::List(items), Value::List(standing)) => {
                    for (item, standing) in items.iter().zip(standing) {
                        if let (Some(item), Some(standing)) = (item.as_members(), standing.as_members()) {
                            blocks.push(Line::Block(name.clone(), Vec::new(), self.members(inner, item, standing)));
                        }
                    }
                }
                (_, value, _) => lines.push(Line::Argument(name, self.term(attribute, value))),
            }
        }
        lines.extend(blocks);
        lines
    }

    fn term(&self, attribute: &Attribute, value: &Value) -> Term {
        match value {
            Value::String(text) => self.referring(attribute, text).unwrap_or_else(|| self.text(attribute, text)),
            Value::List(items) | Value::Set(items) => Term::List(items.iter().map(|item| self.term(attribute, item)).collect()),
            other => Term::Literal(other.clone()),
        }
    }

    fn text(&self, attribute: &Attribute, text: &str) -> Term {
        let resource = self.entry.resource;
        let keys = match resource.import {
            Import::Key { attributes, .. } => attributes,
            Import::Lookup { .. } | Import::Singleton { .. } => &[],
        };
        if attribute.name == resource.title || keys.contains(&attribute.name) {
            let shared = self.variables.local(resource.name, text).filter(|_| attribute.name == resource.title);
            let tells = self.variables.is_told_by(text);
            return shared.unwrap_or_else(|| if tells { self.variables.plain(text) } else { Term::Literal(Value::text(text)) });
        }
        if attribute.choices.is_empty() { self.variables.literal(text) } else { Term::Literal(Value::text(text)) }
    }

    /// The object that a text names, if it is written, too.
    fn referring(&self, attribute: &Attribute, text: &str) -> Option<Term> {
        let refers = attribute.refers?;
        let object = &self.entry.found.object;
        let kind = self.index.kinds.get(refers.to)?;
        let resource = kind.values().next()?.first()?.resource;
        let named = kind.get(&canonical_title(resource, &Value::text(text)))?;
        let shares = |entry: &&&Entry<'_>| refers.within.iter().all(|name| entry.found.object.get(name) == object.get(name));
        let mut meant = named.iter().filter(shares);
        let (one, another) = (meant.next()?, meant.next());
        if another.is_some() {
            return None;
        }
        let kind = format!("{}_{}", self.prefix, one.resource.name);
        Some(Term::Reference(vec![kind, one.label.clone(), one.resource.title.to_owned()]))
    }
}
