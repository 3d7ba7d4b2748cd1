//! The data source that reads one object of a resource, made of the resource's own table.
//!
//! Its arguments say which object: the import ID's attributes, or `id` or the object's name where the service resolves either. All else
//! is a result. What only makes sense for a managed object (write-only forms, switches of the provider's own, `timeouts`) is left out;
//! what may carry a secret stays sensitive.

use super::attribute::{Attribute, Clearing, Kind, Motion, Presence, Remote, string};
use super::{DataSource, Import, Resource, Rule};

/// Makes the data source of a resource. It lives as long as the process, so it is to be made once.
pub fn singular(resource: &'static Resource) -> &'static DataSource {
    let keys: &[&str] = match resource.import {
        Import::Key { attributes, .. } => attributes,
        Import::Lookup { .. } | Import::Singleton { .. } => &[],
    };
    let (id, rules): (Attribute, &'static [Rule]) = match resource.import {
        Import::Lookup { about, .. } => {
            let about: &'static str = text(format!("Which object: {}.", about.trim_end_matches('.')));
            if resource.title == "id" {
                // Nothing but the import ID says which.
                return made(resource, string("id", about).required(), &[], &[]);
            }
            let names: &'static [&'static str] = Box::leak(Box::new(["id", resource.title]));
            let rules = vec![Rule::ExactlyOne(names, "They say which object is read.")];
            (string("id", about).filled_by_service(), rules.leak())
        }
        Import::Key { .. } | Import::Singleton { .. } => {
            (string("id", "Names the object for as long as it lives.").computed().fixed(), &[])
        }
    };
    made(resource, id, keys, rules)
}

fn made(resource: &'static Resource, id: Attribute, keys: &[&str], rules: &'static [Rule]) -> &'static DataSource {
    let lines = resource.attributes.iter().filter(|attribute| is_told(attribute)).map(|attribute| {
        let plain = bare(attribute);
        let is_title = matches!(resource.import, Import::Lookup { .. }) && attribute.name == resource.title;
        if is_title {
            // What the user writes is held against the same form as in the resource.
            let Attribute { choices, length, format, .. } = *attribute;
            Attribute { choices, length, format, ..plain.filled_by_service() }
        } else if keys.contains(&attribute.name) {
            let Attribute { choices, length, range, format, meaning, .. } = *attribute;
            Attribute { choices, length, range, format, meaning, ..plain.required() }
        } else {
            plain
        }
    });
    let attributes: Vec<Attribute> = std::iter::once(id).chain(lines).collect();
    let about =
        text(format!("Reads one {}, without managing it. It is an error if there is none. {}", resource.noun, resource.about));
    Box::leak(Box::new(DataSource { name: resource.name, noun: resource.noun, about, attributes: attributes.leak(), rules }))
}

/// Tells whether an attribute says something of the object: the provider's own switches do not.
fn is_told(attribute: &Attribute) -> bool {
    attribute.remote != Remote::Local || attribute.presence == Presence::Computed
}

/// The attribute as a result: nothing is asked of what the service says.
fn bare(attribute: &Attribute) -> Attribute {
    let inner = |members: &[Attribute]| -> &'static [Attribute] {
        members.iter().filter(|member| is_told(member)).map(bare).collect::<Vec<_>>().leak()
    };
    let kind = match attribute.kind {
        // Nobody writes it here, so it is no block.
        Kind::Object(members) | Kind::Block(members) => Kind::Object(inner(members)),
        Kind::ListOf(members) | Kind::BlockList(members) => Kind::ListOf(inner(members)),
        Kind::SetOf(members) => Kind::SetOf(inner(members)),
        plain => plain,
    };
    // What a list in a configuration means is said where one is written.
    let about = match attribute.remote {
        Remote::Unmanaged => attribute.about.split_inclusive(". ").next().unwrap_or_default().trim_end(),
        _ => attribute.about,
    };
    Attribute {
        about,
        kind,
        presence: Presence::Computed,
        implied: None,
        motion: Motion::WithChange,
        replaces: false,
        write_only_form: false,
        length: None,
        range: None,
        most: None,
        format: None,
        meaning: None,
        shown_as_meant: false,
        clearing: Clearing::Null,
        partners: &[],
        derived: None,
        difference: None,
        ..*attribute
    }
}

fn text(text: String) -> &'static str {
    text.leak()
}
