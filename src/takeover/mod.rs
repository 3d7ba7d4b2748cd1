//! Taking over what exists: one enumeration of each kind of object, as lists show it.
//!
//! Knows resources by their tables only, and the services by [`Enumerate`].

pub mod export;
mod filter;

use crate::remote::{Call, Enumerate, Enumeration, Error, Found};
use crate::schema::{Record, Resource, engine};
use crate::value::Diagnostic;
use filter::Filter;

/// Lists the objects of a kind that the filters ([`crate::schema::filters`]) let through, in the service's order and in the spelling that a user would
/// type.
pub async fn enumerate(
    side: &dyn Enumerate,
    resource: &'static Resource,
    filters: &Record,
    call: &Call,
) -> Result<Enumeration, Error> {
    let filter = Filter::new(resource, filters);
    let listing = side.list(resource, filter.exact(), call).await?;
    let mut enumeration = Enumeration { found: Vec::new(), troubles: listing.troubles };
    for object in listing.objects {
        let object = engine::settle(resource, &Record::new(), &object);
        if !filter.fits(&object) {
            continue;
        }
        match engine::identity(resource, &object) {
            Some(identity) => {
                enumeration.found.push(Found { display_name: display_name(resource, &object), identity, object });
            }
            None => enumeration.troubles.push(Diagnostic::warning(
                format!("A {} cannot be named", resource.noun),
                "What the service says of it lacks a part of its name, so it cannot be imported. It is left out.",
            )),
        }
    }
    Ok(enumeration)
}

/// Tells whether a name fits a pattern: `*` stands for any text, `?` for one character, and case does not count.
pub fn fits(pattern: &str, name: &str) -> bool {
    filter::fits(pattern, name)
}

/// What a person calls an object: its import ID, or its name where that is an ID of the service's.
fn display_name(resource: &Resource, object: &Record) -> String {
    engine::key(resource, object)
        .or_else(|| object.text(resource.title).map(str::to_owned))
        .or_else(|| object.text("id").map(str::to_owned))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
