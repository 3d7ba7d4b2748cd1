//! What a configuration leaves as it stands.
//!
//! Some objects are always there (the settings of an organization, the entry `DEFAULT`): they are taken over, not made, and an argument
//! that is left out of them is not ours to set. Where such rows share a table with ordinary ones, the name tells.

use super::{Members, get};
use crate::schema::{Attribute, Fill, Import, Presence, Record, Remote, Resource};
use crate::value::Value;

/// Whether an object is one that is always there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stands {
    /// It is made and removed.
    Never,
    /// It is always there.
    Always,
    /// Its name is not known yet.
    Open,
}

/// Tells by the configuration whether an object is always there.
pub(super) fn stands(resource: &Resource, config: &Members) -> Stands {
    if matches!(resource.import, Import::Singleton { .. }) {
        return Stands::Always;
    }
    for attribute in resource.attributes {
        let Some(names) = attribute.always_there else { continue };
        return match get(Some(config), attribute.name) {
            _ if names("") => Stands::Always,
            Value::String(name) if names(name) => Stands::Always,
            Value::Unknown(_) => Stands::Open,
            _ => Stands::Never,
        };
    }
    Stands::Never
}

/// Tells whether an object is one that is always there. One whose name is not known yet is not said to be.
pub fn is_always_there(resource: &Resource, record: &Record) -> bool {
    stands(resource, record.members()) == Stands::Always
}

/// Tells whether every object of a resource is always there, or at least one of them; nothing where none is.
pub(super) fn of_resource(resource: &Resource) -> Option<Stands> {
    match stands(resource, &Members::new()) {
        Stands::Always => Some(Stands::Always),
        _ => resource.attributes.iter().any(|attribute| attribute.always_there.is_some()).then_some(Stands::Open),
    }
}

/// Tells whether an argument of an object that is always there stays as it stands where it is left out. A block cannot: the host
/// wants it exactly where it is configured.
pub(super) fn can_stand(attribute: &Attribute) -> bool {
    let is_set_by_user = matches!(attribute.presence, Presence::Nullable | Presence::Filled(_));
    is_set_by_user && !attribute.kind.is_block() && attribute.remote != Remote::Local && attribute.name != super::TIMEOUTS.name
}

/// A configuration with what stands where it leaves an argument as it is.
pub(super) fn standing(attributes: &[Attribute], prior: Option<&Record>, config: &Record, object: Stands) -> Record {
    let mut standing = match prior {
        None => config.clone(),
        Some(prior) => members(attributes, prior.members(), config.members()).into(),
    };
    if object != Stands::Never {
        for attribute in attributes.iter().filter(|attribute| can_stand(attribute)) {
            if config.get(attribute.name).is_null() {
                standing.set(attribute.name, prior.map_or(Value::UNKNOWN, |prior| prior.get(attribute.name).clone()));
            }
        }
    }
    standing
}

fn members(attributes: &[Attribute], prior: &Members, config: &Members) -> Members {
    let mut standing = config.clone();
    for attribute in attributes {
        let (before, now) = (get(Some(prior), attribute.name), get(Some(config), attribute.name));
        let value = match (attribute.kind.members(), before, now) {
            (_, before, Value::Null) if attribute.presence == Presence::Filled(Fill::Service) => before.clone(),
            (Some(inner), Value::Object(before), Value::Object(now)) => Value::Object(members(inner, before, now)),
            _ => continue,
        };
        standing.insert(attribute.name.to_owned(), value);
    }
    standing
}
