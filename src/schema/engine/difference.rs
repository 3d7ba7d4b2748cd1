//! Which attributes two objects differ in.

use super::equality::{Part, alike, canonical_part, version_differs};
use super::{Members, get};
use crate::schema::{Attribute, Kind, Record, Remote, Resource};
use crate::value::{Path, Value};

/// The paths of the attributes whose values differ in meaning: the outermost attribute, or the member for objects. Unknown
/// and local values, `id` and `timeouts` are not compared. A changed version of a write-only form counts as a difference of
/// the attribute itself, as its value must be sent again.
pub fn differences(resource: &Resource, before: &Record, after: &Record) -> Vec<Path> {
    let mut found = Vec::new();
    compare(resource.attributes, &Path::root(), Some(before.members()), Some(after.members()), &mut found);
    found
}

fn compare(attributes: &[Attribute], path: &Path, before: Option<&Members>, after: Option<&Members>, found: &mut Vec<Path>) {
    for attribute in attributes.iter().filter(|attribute| attribute.remote != Remote::Local) {
        let (one, other) = (get(before, attribute.name), get(after, attribute.name));
        if version_differs(attribute, before, after) {
            found.push(path.attribute(attribute.name));
        } else if let Kind::Object(members) | Kind::Block(members) = attribute.kind {
            if one.is_unknown() || other.is_unknown() || one == other {
                continue;
            }
            let inside = path.attribute(attribute.name);
            let already = found.len();
            compare(members, &inside, one.as_members(), other.as_members(), found);
            // The object itself may have come or gone without a member that says so.
            let none = found.len() == already && (one.is_null() || other.is_null());
            if none && presence_differs(attribute, one, other) {
                found.push(inside);
            }
        } else if !alike(attribute, one, other) {
            found.push(path.attribute(attribute.name));
        }
    }
}

fn presence_differs(attribute: &Attribute, one: &Value, other: &Value) -> bool {
    let form = |value| canonical_part(attribute, value, Part::Remote);
    form(one).is_null() != form(other).is_null()
}
