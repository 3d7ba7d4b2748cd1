//! Which cmdlets a planned change will run, as far as that can be told before.
//!
//! What may not be needed after all (a `Set` that gives a new rule its place, a validation) is not among them: a right that is missing there
//! shows when it is used.

use super::binding::{Cmdlets, Life};
use super::shape::{Leaf, leaves, unlike};
use super::values::{filled, is_nothing};
use crate::schema::{Clearing, Presence, Record};

/// The verbs for an object that is made.
pub(super) fn to_create(cmdlets: &Cmdlets, planned: &Record) -> Vec<&'static str> {
    if matches!(cmdlets.life, Life::Order | Life::Switched(_)) {
        return vec!["Set"];
    }
    let later = |leaf: &Leaf| {
        let value = planned.at(&leaf.name);
        let default = match leaf.attribute.presence {
            Presence::Filled(fill) => filled(leaf.attribute, fill) == *value,
            _ => false,
        };
        cmdlets.set_only.contains(&leaf.name.as_str()) && value.is_wholly_known() && !is_nothing(value) && !default
    };
    if leaves(cmdlets.resource).iter().any(later) { vec!["New", "Set"] } else { vec!["New"] }
}

/// The verbs for an object that is changed.
pub(super) fn to_update(cmdlets: &Cmdlets, prior: &Record, planned: &Record) -> Vec<&'static str> {
    if matches!(cmdlets.life, Life::Order) {
        return vec!["Set"];
    }
    let changed = unlike(cmdlets, planned, prior);
    let anew = |leaf: &Leaf| {
        leaf.attribute.replaces || leaf.attribute.clearing == Clearing::Replace && is_nothing(planned.at(&leaf.name))
    };
    if changed.iter().any(anew) {
        // The object that takes its place is planned as one that is made.
        return if cmdlets.adopts(prior) { Vec::new() } else { vec![cmdlets.removing_verb()] };
    }
    let mut verbs = Vec::new();
    for leaf in &changed {
        let verb = match planned.truth(&leaf.name) {
            Some(true) if cmdlets.toggles(&leaf.name) => "Enable",
            Some(false) if cmdlets.toggles(&leaf.name) => "Disable",
            // The order may hold as it is.
            _ if cmdlets.places(&leaf.name) => continue,
            _ if cmdlets.rotates(&leaf.name) => "Rotate",
            _ => "Set",
        };
        if !verbs.contains(&verb) {
            verbs.push(verb);
        }
    }
    if super::rotate::is_asked(cmdlets, prior, planned) && !verbs.contains(&"Rotate") {
        verbs.push("Rotate");
    }
    verbs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::resources::named;
    use crate::value::Value;

    #[test]
    fn a_change_needs_what_it_runs_and_no_more() {
        let rule = named("exchange_transport_rule").unwrap();
        let prior = Record::new().with("name", "a").with("enabled", true).with("comments", "x").with("priority", 3);
        let check = |planned: Record, wanted: &[&str]| assert_eq!(to_update(rule, &prior, &planned), wanted, "{planned:?}");
        check(prior.clone(), &[]);
        check(prior.clone().with("comments", "y"), &["Set"]);
        check(prior.clone().with("enabled", false), &["Disable"]);
        check(prior.clone().with("enabled", false).with("comments", Value::Null), &["Set", "Disable"]);
        check(prior.clone().with("priority", 0), &[]);
        let connector = named("exchange_outbound_connector").unwrap();
        let made = Record::new().with("name", "a").with("validation_recipients", Value::set(Vec::new()));
        assert_eq!(to_create(connector, &made), ["New"]);
        assert_eq!(to_create(connector, &made.with("validation_recipients", Value::texts(["a@example.net"]))), ["New", "Set"]);
    }
}
