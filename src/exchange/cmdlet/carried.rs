//! What the engine carries: which attribute goes out as which parameter, by which cmdlets, and how it is taken away again.
//!
//! Read off the same tables and the same functions as the calls themselves, for the page and the tests that hold them against the
//! vendor's lists.

use super::binding::{Cmdlets, Life};
use super::shape::{Leaf, cleared, leaves, new_name};
use super::values::{filled, to_json};
use crate::schema::{Attribute, Clearing, Fill, Presence};

/// The parameter for the place among the objects of a noun.
const PLACE: &str = "Priority";

/// One parameter that the provider sends.
#[derive(Debug, Clone)]
pub struct Carried {
    /// The vendor's name.
    pub parameter: String,
    /// The dotted names of the attributes that it is made of.
    pub attributes: Vec<String>,
    /// The line of the table.
    pub line: &'static Attribute,
    /// The verbs of the cmdlets that it is sent by.
    pub verbs: Vec<&'static str>,
    /// How it is taken away again, in Markdown.
    pub cleared: String,
}

/// All parameters that attributes of a resource go out as, in the order of its table.
pub(in crate::exchange) fn carried(cmdlets: &Cmdlets) -> Vec<Carried> {
    if matches!(cmdlets.life, Life::Order) {
        return cmdlets.resource.attributes.iter().map(|line| place(line, vec!["Set"])).collect();
    }
    let mut found: Vec<Carried> = Vec::new();
    for leaf in leaves(cmdlets.resource).into_iter().filter(Leaf::written) {
        let verbs = verbs(cmdlets, &leaf);
        if verbs.is_empty() {
            continue;
        }
        if !cmdlets.places(&leaf.name) {
            found.push(Carried {
                attributes: names(&leaf),
                line: leaf.attribute,
                verbs,
                cleared: taken_away(cmdlets, &leaf),
                parameter: new_name(cmdlets, &leaf).to_owned(),
            });
        } else if let Some(known) = found.iter_mut().find(|known| known.parameter == PLACE) {
            known.attributes.push(leaf.name);
        } else {
            found.push(place(leaf.attribute, verbs));
        }
    }
    found
}

fn place(line: &'static Attribute, verbs: Vec<&'static str>) -> Carried {
    let cleared = "left out, it stays where it is".to_owned();
    Carried { parameter: PLACE.to_owned(), attributes: vec![line.name.to_owned()], line, verbs, cleared }
}

fn names(leaf: &Leaf) -> Vec<String> {
    let write_only = leaf.attribute.write_only_form.then(|| format!("{}_wo", leaf.name));
    std::iter::once(leaf.name.clone()).chain(write_only).collect()
}

fn verbs(cmdlets: &Cmdlets, leaf: &Leaf) -> Vec<&'static str> {
    let name = leaf.name.as_str();
    let made = matches!(cmdlets.life, Life::Made);
    let mut verbs = Vec::new();
    if made && !cmdlets.set_only.contains(&name) {
        verbs.push("New");
    }
    if cmdlets.rotates(name) {
        verbs.push("Rotate");
    } else if !leaf.attribute.replaces && !cmdlets.toggles(name) && !matches!(cmdlets.life, Life::Switched(_)) {
        verbs.push("Set");
    }
    verbs
}

/// How the attribute is taken away, in the words of what [`set_parameters`](super::shape::set_parameters) sends.
fn taken_away(cmdlets: &Cmdlets, leaf: &Leaf) -> String {
    let attribute = leaf.attribute;
    if attribute.replaces {
        return "never: another one makes a new object".to_owned();
    }
    if cmdlets.toggles(&leaf.name) {
        return format!("`{}` and `{}`", cmdlets.cmdlet("Enable"), cmdlets.cmdlet("Disable"));
    }
    match attribute.presence {
        Presence::Required => return "never: it is required".to_owned(),
        Presence::Filled(Fill::Service) => return "left out, it stays as it is".to_owned(),
        Presence::Filled(fill) if !leaf.is_collection() => {
            let default = to_json(cmdlets.form(&leaf.name), &filled(attribute, fill)).unwrap_or_default();
            return format!("its default: `{default}`");
        }
        _ => {}
    }
    let mut words = match cleared(cmdlets, leaf) {
        Ok(json) => format!("`{json}`"),
        Err(_) if attribute.clearing == Clearing::Replace => return "no safe way: a new object is made".to_owned(),
        Err(_) => return "never, once it is set".to_owned(),
    };
    if attribute.clearing == Clearing::NullThenRemove {
        words.push_str(", then a `Remove` of what remains");
    }
    if let Some((sibling, text)) = leaf.attribute.implied {
        words = format!("{words}; `\"{text}\"` beside `{sibling}`");
    }
    words
}
