//! What a configuration leaves as it stands.

use super::{Members, get};
use crate::schema::{Attribute, Fill, Presence, Record};
use crate::value::Value;

/// A configuration with what stands where it leaves an argument as it is.
pub(super) fn standing(attributes: &[Attribute], prior: Option<&Record>, config: &Record) -> Record {
    match prior {
        None => config.clone(),
        Some(prior) => members(attributes, prior.members(), config.members()).into(),
    }
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
