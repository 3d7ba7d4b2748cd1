//! Sensitive texts that a configuration leaves out, and that are kept as they stand.
//!
//! Terraform writes sensitive values into generated configuration as null, and a write-only value is in no state: left out does not mean
//! that the text is to go.

use super::equality::same;
use super::{Members, get};
use crate::schema::{Attribute, Presence, Record, Resource};
use crate::value::{Diagnostic, Diagnostics, Path, Value};

/// What becomes of a text that the configuration leaves out in both forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// It is written, or it is no such text.
    Written,
    /// It stays as it stands.
    Stays,
    /// What it belongs to is left out, and it goes with that.
    Goes,
    /// What it belongs to is new or changed, and it must be written.
    Missing,
    /// What it belongs to is not known yet.
    Open,
}

/// Tells what becomes of an attribute's text. `prior` is `None` where the object is new.
pub(super) fn kept(attribute: &Attribute, beside: &[Attribute], prior: Option<&Members>, config: &Members) -> Kept {
    let Some(siblings) = attribute.kept_beside else { return Kept::Written };
    if !get(Some(config), attribute.name).is_null() || !get(Some(config), &attribute.write_only_name()).is_null() {
        return Kept::Written;
    }
    let mut kept = if prior.is_some() { Kept::Stays } else { Kept::Missing };
    for sibling in siblings {
        let (before, now) = (get(prior, sibling), get(Some(config), sibling));
        match now {
            Value::Null => return Kept::Goes,
            Value::Unknown(_) => kept = Kept::Open,
            now => {
                let line = beside.iter().find(|line| line.name == *sibling);
                if kept == Kept::Stays && !line.is_some_and(|line| same(line, before, now)) {
                    kept = Kept::Missing;
                }
            }
        }
    }
    kept
}

/// Tells whether a planned object keeps a text that its state does not know.
pub(super) fn stays_unseen(attribute: &Attribute, planned: &Members) -> bool {
    let is_set = |name: &str| !get(Some(planned), name).is_null();
    attribute.kept_beside.is_some_and(|siblings| siblings.iter().all(|sibling| is_set(sibling)))
        && !is_set(attribute.name)
        && !is_set(&attribute.version_name())
}

/// Says which texts are kept, and which must be written.
pub(super) fn told(resource: &Resource, prior: Option<&Record>, config: &Record) -> Diagnostics {
    let mut found = Diagnostics::new();
    walk(resource.attributes, prior.map(Record::members), prior.is_some(), config.members(), &Path::root(), &mut found);
    found
}

fn walk(attributes: &[Attribute], prior: Option<&Members>, exists: bool, config: &Members, path: &Path, found: &mut Diagnostics) {
    for attribute in attributes {
        let inside = path.attribute(attribute.name);
        let (plain, written) = (attribute.name, attribute.write_only_name());
        match kept(attribute, attributes, prior, config) {
            Kept::Missing => {
                let siblings: Vec<String> =
                    attribute.kept_beside.unwrap_or_default().iter().map(|name| format!("`{name}`")).collect();
                let why = match (siblings.as_slice(), exists) {
                    ([], _) => "A new object needs it".to_owned(),
                    (siblings, false) => format!("{} needs it", siblings.join(" and ")),
                    (siblings, true) => format!(
                        "{} is new or changes, and the text that stands belongs to what was there before",
                        siblings.join(" and ")
                    ),
                };
                let text = format!("{why}: set `{plain}`, or `{written}` to keep it out of the state.");
                found.push(Diagnostic::error(format!("Missing value of \"{plain}\""), text).at(inside.clone()));
            }
            Kept::Stays => {
                let text = format!(
                    "Neither `{plain}` nor `{written}` is set, so the text that stands is kept. Terraform leaves sensitive values out of \
                     generated configuration: write the text, or take it from a variable, to manage it."
                );
                found.push(Diagnostic::warning(format!("\"{plain}\" is kept as it stands"), text).at(inside.clone()));
            }
            Kept::Written | Kept::Goes | Kept::Open => {}
        }
        if let (Some(members), Value::Object(config)) = (attribute.kind.members(), get(Some(config), attribute.name)) {
            walk(members, get(prior, attribute.name).as_members(), exists, config, &inside, found);
        }
    }
}

/// Tells whether an attribute is one that must be written when the object is made, and may be left out later.
pub(super) fn may_be_left_out(attribute: &Attribute) -> bool {
    attribute.presence == Presence::Required && attribute.kept_beside.is_some()
}
