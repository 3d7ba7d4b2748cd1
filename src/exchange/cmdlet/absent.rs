//! Members that an answer leaves out.
//!
//! Null, empty and false say something of a setting; a member that is not there says nothing. It is unknown in the record of the object, and
//! never taken for a value: a read keeps what the state has, and an import refuses what cannot be known. Members that no tenant has to know
//! ([`Cmdlets::quiet`]), and conditions, exceptions and actions of rules, of which a service may show only those that are set, are taken for unset
//! where there is no state.

use super::binding::Cmdlets;
use super::read::put;
use super::shape::{Leaf, leaves};
use super::unmanaged::is_named;
use super::values::{filled, from_json, is_nothing};
use crate::exchange::answer::Object;
use crate::remote::{Error, Kind};
use crate::schema::{Fill, Presence, Record, capital};
use crate::value::{Diagnostic, Value};

/// Tells whether the object does not show an attribute.
pub(super) fn is_absent(cmdlets: &Cmdlets, leaf: &Leaf, object: &Object) -> bool {
    let is_place = cmdlets.ordered && matches!(leaf.name.as_str(), "before" | "after");
    let is_shown_otherwise = cmdlets.toggle.is_some_and(|toggle| cmdlets.toggles(&leaf.name) && object.has(toggle.shown));
    !is_place && !is_shown_otherwise && !object.shows(&leaf.member)
}

/// Puts into a record what it leaves open: what is known of it already, or else nothing. Gives the attributes of which the known value says
/// something.
pub(super) fn keep(cmdlets: &Cmdlets, record: &mut Record, known: Option<&Record>) -> Vec<Leaf> {
    let mut kept = Vec::new();
    for leaf in leaves(cmdlets.resource) {
        if !record.at(&leaf.name).is_unknown() {
            continue;
        }
        let before = known.map_or(&Value::Null, |known| known.at(&leaf.name));
        let unset = from_json(leaf.attribute, cmdlets.form(&leaf.name), &serde_json::Value::Null).unwrap_or_default();
        let value = if is_nothing(before) || !before.is_wholly_known() { unset } else { before.clone() };
        put(record, &leaf.name, value);
        let is_default = match leaf.attribute.presence {
            Presence::Filled(fill) if is_new(cmdlets, &leaf) => filled(leaf.attribute, fill) == *before,
            Presence::Computed => true,
            _ => false,
        };
        if before.is_wholly_known() && !is_nothing(before) && !is_default {
            kept.push(leaf);
        }
    }
    for group in cmdlets.resource.attributes.iter().filter(|attribute| attribute.kind.is_block()) {
        let value = record.get(group.name);
        if group.presence == Presence::Nullable && value.as_members().is_some() && is_nothing(value) {
            record.set(group.name, Value::Null);
        }
    }
    kept
}

/// What is said of an object whose state keeps what the service does not show.
pub(super) fn told(cmdlets: &Cmdlets, record: &Record, kept: &[Leaf]) -> Option<Diagnostic> {
    if kept.is_empty() {
        return None;
    }
    Some(Diagnostic::warning(
        format!("{} is not shown whole", capital(&cmdlets.called(record))),
        format!(
            "`{}` leaves out {}. That says neither that they are unset nor what they are, so the state keeps their values.",
            cmdlets.cmdlet("Get"),
            names(kept)
        ),
    ))
}

/// Refuses an object that does not show what every object of its kind shows, and of which nothing is known.
pub(super) fn refuse(cmdlets: &Cmdlets, object: &Object, record: &Record) -> Result<(), Error> {
    let is_due = |leaf: &Leaf| {
        let is_always_shown = match leaf.attribute.presence {
            Presence::Required => true,
            Presence::Filled(fill) => fill != Fill::Service && !is_new(cmdlets, leaf),
            Presence::Nullable | Presence::Computed => false,
        };
        is_always_shown || cmdlets.sections.iter().any(|section| is_named(section, leaf, object))
    };
    let missing: Vec<Leaf> =
        leaves(cmdlets.resource).into_iter().filter(|leaf| is_absent(cmdlets, leaf, object) && is_due(leaf)).collect();
    let Some(first) = missing.first() else { return Ok(()) };
    let path = first.path();
    Err(Error::new(
        Kind::Unexpected,
        format!(
            "`{}` does not show {} of {}, so it is not known what they are.",
            cmdlets.cmdlet("Get"),
            names(&missing),
            cmdlets.called(record)
        ),
    )
    .hint(
        "Every object of this kind shows them. Try again later; if it stays so, check that the application's role may read them.",
    )
    .at(path))
}

/// Tells whether not every tenant knows the member yet.
fn is_new(cmdlets: &Cmdlets, leaf: &Leaf) -> bool {
    cmdlets.quiet.contains(&leaf.name.as_str())
}

fn names(leaves: &[Leaf]) -> String {
    let names: Vec<String> = leaves.iter().map(|leaf| format!("`{}` (`{}`)", leaf.parameter, leaf.name)).collect();
    names.join(", ")
}
