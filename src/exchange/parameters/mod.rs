//! Every parameter of the cmdlets that change something: the attribute that it is, or why there is none.
//!
//! Nothing of the provider's work depends on this; the page on compatibility shows it, and tests hold it against the vendor's lists.

mod left;

use std::fmt::Write as _;

pub use self::left::{EVERYWHERE, LEFT, Left};
pub use super::cmdlet::Carried;
use super::cmdlet::{Cmdlets, Life, carried};
use super::resources::CMDLETS;

/// The cmdlets of a noun, with all that they take.
#[derive(Debug, Clone)]
pub struct Noun {
    /// The part of the cmdlets' names after the dash.
    pub name: &'static str,
    /// The verbs of the cmdlets that the provider runs, without Get.
    pub verbs: Vec<&'static str>,
    /// What attributes go out as.
    pub carried: Vec<Carried>,
    /// What has no attribute, beside [`EVERYWHERE`].
    pub left: &'static [Left],
    resources: Vec<&'static str>,
}

impl Noun {
    /// All names, each once unless it is said twice.
    pub fn names(&self) -> Vec<&str> {
        let carried = self.carried.iter().map(|one| one.parameter.as_str());
        let left = self.left.iter().chain(EVERYWHERE).flat_map(|left| left.names.iter().copied());
        carried.chain(left).collect()
    }
}

/// All nouns that the provider writes to, in the order of the resources.
pub fn nouns() -> Vec<Noun> {
    let mut nouns: Vec<Noun> = Vec::new();
    for cmdlets in CMDLETS {
        let place = nouns.iter().position(|noun| noun.name == cmdlets.noun).unwrap_or_else(|| {
            let left = LEFT.iter().find(|(name, _)| *name == cmdlets.noun).map_or(&[][..], |(_, left)| left);
            nouns.push(Noun { name: cmdlets.noun, verbs: verbs(cmdlets), carried: Vec::new(), left, resources: Vec::new() });
            nouns.len() - 1
        });
        let noun = &mut nouns[place];
        noun.resources.push(cmdlets.resource.name);
        for one in carried(cmdlets) {
            match noun.carried.iter_mut().find(|known| known.parameter == one.parameter) {
                // Two resources share a parameter: the second says whose attribute it means.
                Some(known) => {
                    known.attributes.extend(one.attributes.iter().map(|name| format!("{}.{name}", cmdlets.resource.name)));
                }
                None => noun.carried.push(one),
            }
        }
    }
    nouns
}

fn verbs(cmdlets: &Cmdlets) -> Vec<&'static str> {
    let mut verbs = if matches!(cmdlets.life, Life::Made) { vec!["New", "Set", "Remove"] } else { vec!["Set"] };
    if cmdlets.rotation.is_some() {
        verbs.push("Rotate");
    }
    if cmdlets.toggle.is_some() {
        verbs.extend(["Enable", "Disable"]);
    }
    if cmdlets.validation.is_some() {
        verbs.push("Validate");
    }
    verbs
}

/// The tables of all nouns in Markdown, with headings of the third level.
pub fn tables() -> String {
    let mut text = String::from("### Of all cmdlets\n\n| parameter | why it has no attribute |\n|---|---|\n");
    rows(&mut text, EVERYWHERE, "");
    for noun in nouns() {
        let cmdlets: Vec<String> = noun.verbs.iter().map(|verb| format!("`{verb}-{}`", noun.name)).collect();
        let resources: Vec<String> =
            noun.resources.iter().map(|name| format!("[`mailflow_{name}`](resources/{name}.md)")).collect();
        let _ = write!(text, "\n### {}\n\n{}: {}\n\n", noun.name, resources.join(", "), cmdlets.join(", "));
        text.push_str("| parameter | attribute, or why it has none | sent by | taken away by |\n|---|---|---|---|\n");
        for one in &noun.carried {
            let attributes: Vec<String> = one.attributes.iter().map(|name| format!("`{name}`")).collect();
            let (attributes, verbs) = (attributes.join(", "), one.verbs.join(", "));
            let _ = writeln!(text, "| `{}` | {attributes} | {verbs} | {} |", one.parameter, one.cleared);
        }
        rows(&mut text, noun.left, "| | ");
    }
    text
}

fn rows(text: &mut String, left: &[Left], rest: &str) {
    for one in left {
        let names: Vec<String> = one.names.iter().map(|name| format!("`{name}`")).collect();
        let _ = writeln!(text, "| {} | {} {rest}|", names.join(", "), one.why);
    }
}
