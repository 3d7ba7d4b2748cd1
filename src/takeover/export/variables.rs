//! Secrets that stand as variables, and names that stand as local values.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::Entry;
use super::hcl::{Line, Part, Term};
use super::names::Names;
use crate::schema::{Anatomy, Argument, Attribute};
use crate::value::Value;

/// A secret of fewer letters is not looked for within other texts: it is in many of them.
const LONG_ENOUGH: usize = 6;

/// A word of this many letters in a name is no accident.
const NO_ACCIDENT: usize = 10;

/// The values of variables by their names. They are secrets, and never printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets(BTreeMap<String, String>);

impl Secrets {
    /// The names with the values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_set().entries(self.0.keys()).finish()
    }
}

/// What several objects share.
#[derive(Default)]
pub(super) struct Variables {
    by_value: BTreeMap<String, String>,
    /// What each is for, by its name.
    told: BTreeMap<String, String>,
    /// Those that stand in an argument that is not secret as a whole: they cannot be left out.
    needed: RefCell<BTreeSet<String>>,
    names: Names,
    /// Local values, by the kind and the name of the object that they name.
    locals: BTreeMap<(&'static str, String), String>,
    local_names: Names,
    /// The first kind that wanted a local value: its file has them.
    home: Option<&'static str>,
}

/// The parts of a text in a language of its own, if it can be read.
fn anatomy(attribute: &Attribute, text: &str) -> Option<Anatomy> {
    attribute.anatomy.and_then(|anatomy| anatomy(text))
}

impl Variables {
    /// Makes a variable of each secret of an object.
    pub(super) fn collect(&mut self, entry: &Entry<'_>) {
        self.walk(entry.resource.attributes, entry.found.object.members(), "", entry);
    }

    fn walk(&mut self, attributes: &[Attribute], members: &BTreeMap<String, Value>, path: &str, entry: &Entry<'_>) {
        for attribute in attributes {
            let value = members.get(attribute.name).unwrap_or(&Value::Null);
            let path = if path.is_empty() { attribute.name.to_owned() } else { format!("{path}.{}", attribute.name) };
            match (value, attribute.kind.members()) {
                (Value::String(text), _) if attribute.sensitive => self.take(attribute, text, &path, entry),
                (Value::Object(inner), Some(members)) => self.walk(members, inner, &path, entry),
                (Value::List(items) | Value::Set(items), Some(members)) => {
                    items.iter().filter_map(Value::as_members).for_each(|inner| self.walk(members, inner, &path, entry));
                }
                _ => {}
            }
        }
    }

    fn take(&mut self, attribute: &Attribute, text: &str, path: &str, entry: &Entry<'_>) {
        let about = |what: &str| format!("{what} of the {} {}", entry.resource.noun, entry.found.display_name);
        let Some(anatomy) = anatomy(attribute, text) else {
            let about = about(&format!("`{path}`"));
            return self.add(text, &format!("{}_{}", entry.label, attribute.name), &about);
        };
        let name = format!("{}_secret", entry.label);
        let inside = about(&format!("a secret in `{path}`"));
        let Some(making) = anatomy.made_by else {
            return anatomy
                .secrets
                .into_iter()
                .filter_map(|range| text.get(range))
                .for_each(|secret| self.add(secret, &name, &inside));
        };
        for argument in making.arguments {
            match argument {
                Argument::NameOf(kind, name) => self.share(kind, name, entry),
                Argument::Text(_) => {}
                Argument::Secrets(secrets) => secrets.iter().for_each(|secret| self.add(secret, &name, &inside)),
            }
        }
    }

    /// Makes a local value of a name that more than one object has.
    fn share(&mut self, kind: &'static str, name: String, entry: &Entry<'_>) {
        self.home.get_or_insert(entry.resource.name);
        let title = format!("{name} {}", kind.rsplit('_').next().unwrap_or_default());
        let local_names = &mut self.local_names;
        self.locals.entry((kind, name)).or_insert_with(|| local_names.give(&title));
    }

    fn add(&mut self, value: &str, name: &str, about: &str) {
        if let Some(known) = self.by_value.get(value) {
            if let Some(told) = self.told.get_mut(known)
                && !told.split("; ").any(|one| one == about)
            {
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

    /// The local value that is the name of an object.
    pub(super) fn local(&self, kind: &'static str, name: &str) -> Option<Term> {
        let local = self.locals.get(&(kind, name.to_owned()))?;
        Some(Term::Reference(vec!["local".to_owned(), local.clone()]))
    }

    /// The term for the whole text of a sensitive argument, and what is to be said beside it.
    pub(super) fn sensitive(&self, attribute: &Attribute, text: &str) -> Option<(Term, Option<String>)> {
        if attribute.anatomy.is_none() {
            return Some((Term::Reference(self.of(text)?), None));
        }
        let Some(anatomy) = anatomy(attribute, text) else {
            let why =
                format!("The text of `{}` cannot be read as what it should be, so it is a variable as a whole.", attribute.name);
            return Some((Term::Reference(self.of(text)?), Some(why)));
        };
        let needed = |value: &str| {
            self.needed.borrow_mut().extend(self.by_value.get(value).cloned());
            self.of(value).map_or(Term::Literal(Value::Null), Term::Reference)
        };
        if let Some(making) = anatomy.made_by {
            let arguments = making.arguments.into_iter().map(|argument| match argument {
                Argument::NameOf(kind, name) => {
                    self.local(kind, &name).unwrap_or_else(|| Term::Literal(Value::text(name.as_str())))
                }
                Argument::Text(text) => self.plain(&text),
                Argument::Secrets(secrets) => Term::List(secrets.iter().map(|secret| needed(secret)).collect()),
            });
            let name = ["provider", "mailflow", making.function].map(str::to_owned).to_vec();
            return Some((Term::Call(name, arguments.collect()), None));
        }
        let mut parts = Vec::new();
        let mut at = 0;
        for range in anatomy.secrets {
            let (Some(before), Some(secret)) = (text.get(at..range.start), text.get(range.clone())) else { continue };
            self.replaced(before, Part::Of, &mut parts);
            needed(secret);
            parts.extend(self.of(secret).map(Part::Of));
            at = range.end;
        }
        self.replaced(text.get(at..).unwrap_or_default(), Part::Of, &mut parts);
        Some((laid_out(parts), None))
    }

    /// The term for a text that is not sensitive by itself: a literal, unless it is a secret, or one stands in it.
    pub(super) fn literal(&self, text: &str) -> Term {
        match self.by_value.get(text) {
            Some(name) => {
                self.needed.borrow_mut().insert(name.clone());
                Term::open(&["var".to_owned(), name.clone()])
            }
            None => self.plain(text),
        }
    }

    /// The same, where a short word that is also a secret is an accident.
    pub(super) fn plain(&self, text: &str) -> Term {
        let mut parts = Vec::new();
        self.replaced(text, Part::Open, &mut parts);
        match parts.as_slice() {
            [] | [Part::Plain(_)] => Term::Literal(Value::text(text)),
            [Part::Open(variable)] => Term::open(variable),
            _ => Term::Text(parts),
        }
    }

    /// Whether a name has a secret in it.
    pub(super) fn is_told_by(&self, name: &str) -> bool {
        self.by_value.keys().any(|secret| is_no_accident(secret) && holds(name, secret))
    }

    /// Adds a text in which the secrets are replaced.
    fn replaced(&self, text: &str, part: fn(Vec<String>) -> Part, parts: &mut Vec<Part>) {
        let inside: Vec<(&String, &String)> =
            self.by_value.iter().filter(|(secret, _)| secret.len() >= LONG_ENOUGH && text.contains(secret.as_str())).collect();
        let mut rest = text;
        while let Some((at, secret, name)) = inside
            .iter()
            .filter_map(|(secret, name)| Some((rest.find(secret.as_str())?, *secret, *name)))
            .min_by_key(|(at, secret, _)| (*at, usize::MAX - secret.len()))
        {
            if at > 0 {
                parts.push(Part::Plain(rest[..at].to_owned()));
            }
            self.needed.borrow_mut().insert(name.clone());
            parts.push(part(vec!["var".to_owned(), name.clone()]));
            rest = &rest[at + secret.len()..];
        }
        if !rest.is_empty() {
            match parts.last_mut() {
                Some(Part::Plain(before)) => before.push_str(rest),
                _ => parts.push(Part::Plain(rest.to_owned())),
            }
        }
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// The variables by their names, with what each is for.
    pub(super) fn told(&self) -> impl Iterator<Item = (&str, &str)> {
        self.told.iter().map(|(name, about)| (name.as_str(), about.as_str()))
    }

    /// Their values.
    pub(super) fn values(&self) -> Secrets {
        Secrets(self.by_value.iter().map(|(value, name)| (name.clone(), value.clone())).collect())
    }

    /// The blocks of the variables.
    pub(super) fn lines(&self) -> Vec<Line> {
        let block = |(name, about): (&String, &String)| {
            let mut lines = vec![
                Line::Argument("description".to_owned(), self.without_secrets(about)),
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

    /// A description, which takes literals only.
    fn without_secrets(&self, about: &str) -> Term {
        Term::Literal(Value::text(self.masked(about)))
    }

    /// A text for a page or a description: each secret is replaced by its variable's name.
    pub(super) fn masked(&self, text: &str) -> String {
        let mut parts = Vec::new();
        let needed = self.needed.borrow().clone();
        self.replaced(text, Part::Of, &mut parts);
        self.needed.replace(needed);
        parts.into_iter().fold(String::new(), |text, part| match part {
            Part::Plain(plain) => text + &plain,
            Part::Of(steps) | Part::Open(steps) => text + &steps.join("."),
        })
    }

    /// The block of the local values, and the kind in whose file it stands.
    pub(super) fn local_lines(&self) -> Option<(&'static str, Line)> {
        let home = self.home?;
        let mut all: Vec<(&String, &String)> = self.locals.iter().map(|((_, name), local)| (local, name)).collect();
        all.sort();
        let line = |(local, name): (&String, &String)| Line::Argument(local.clone(), Term::Literal(Value::text(name.as_str())));
        Some((home, Line::Block("locals".to_owned(), Vec::new(), all.into_iter().map(line).collect())))
    }
}

/// A text of a language whose line ends do not matter at its end.
fn laid_out(mut parts: Vec<Part>) -> Term {
    let has_control = |part: &Part| matches!(part, Part::Plain(text) if text.contains(|letter: char| letter.is_control() && letter != '\n' && letter != '\t'));
    if parts.iter().any(has_control) {
        return match parts.as_slice() {
            [Part::Plain(text)] => Term::Literal(Value::text(text.as_str())),
            _ => Term::Text(parts),
        };
    }
    without_margin(&mut parts);
    match parts.last_mut() {
        Some(Part::Plain(text)) if text.ends_with('\n') => {}
        Some(Part::Plain(text)) => text.push('\n'),
        _ => parts.push(Part::Plain("\n".to_owned())),
    }
    Term::Lines(parts)
}

/// Takes away what all lines but the first are indented by: a device sets them off from a name that stands before the first.
fn without_margin(parts: &mut [Part]) {
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let lines = |text: &str| text.split('\n').skip(1).filter(|line| !line.trim().is_empty()).map(indent).min();
    let margins = parts.iter().filter_map(|part| if let Part::Plain(text) = part { lines(text) } else { None });
    let Some(margin) = margins.min().filter(|margin| *margin > 0) else { return };
    let set_off = format!("\n{}", " ".repeat(margin));
    for part in parts {
        if let Part::Plain(text) = part {
            *text = text.replace(&set_off, "\n");
        }
    }
}

fn holds(text: &str, secret: &str) -> bool {
    secret.len() >= LONG_ENOUGH && text.contains(secret)
}

/// Whether a word is a secret rather than a word that a name has, too.
fn is_no_accident(secret: &str) -> bool {
    secret.len() >= NO_ACCIDENT || secret.bytes().any(|byte| byte.is_ascii_digit())
}
