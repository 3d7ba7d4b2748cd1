//! What a list of a resource's objects can be narrowed down by, made of the resource's own table.

use super::attribute::{Attribute, Clearing, Kind, Motion, Presence, Remote, Scalar};
use super::{Import, Resource};

const GLOB: &str = "Only objects whose name fits this pattern: `*` stands for any text, `?` for one character. Upper and lower case are the same.";

/// The arguments of a resource's list, all optional: the name as a pattern, and each other argument that is part of the name, names another object, is one
/// of a few words, or is true or false. There is nothing to choose from where there is one object.
pub fn filters(resource: &Resource) -> Vec<Attribute> {
    let keys: &[&str] = match resource.import {
        Import::Key { attributes, .. } => attributes,
        Import::Lookup { .. } => &[],
        Import::Singleton { .. } => return Vec::new(),
    };
    let filter = |attribute: &&'static Attribute| {
        let Kind::Scalar(scalar) = attribute.kind else { return false };
        let is_public = !attribute.sensitive && attribute.remote != Remote::Local && attribute.presence != Presence::Computed;
        let refers = attribute.refers.is_some_and(|refers| refers.to != resource.name);
        let is_told = refers || scalar == Scalar::Boolean || !attribute.choices.is_empty();
        is_public && (attribute.name == resource.title || keys.contains(&attribute.name) || is_told)
    };
    resource.attributes.iter().filter(filter).map(|attribute| narrowed(resource, attribute)).collect()
}

fn narrowed(resource: &Resource, attribute: &Attribute) -> Attribute {
    let plain = Attribute {
        presence: Presence::Nullable,
        motion: Motion::WithChange,
        replaces: false,
        write_only_form: false,
        lines: false,
        kept_beside: None,
        always_there: None,
        first_decides: None,
        length: None,
        range: None,
        format: None,
        clearing: Clearing::Null,
        partners: &[],
        implied: None,
        refers: None,
        pending: None,
        ..*attribute
    };
    if attribute.name == resource.title { Attribute { about: GLOB, choices: &[], meaning: None, ..plain } } else { plain }
}
