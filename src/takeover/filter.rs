//! Which objects are wanted.

use crate::schema::{Attribute, Record, Resource, engine, filters};

/// What a list is narrowed down to.
pub(super) struct Filter {
    /// The name of the object, and the pattern that it has to fit.
    pattern: Option<(&'static str, Vec<char>)>,
    /// The arguments with their wanted values.
    exact: Record,
    attributes: Vec<Attribute>,
}

impl Filter {
    pub(super) fn new(resource: &Resource, wanted: &Record) -> Filter {
        let pattern = wanted.text(resource.title).map(|pattern| (resource.title, folded(pattern)));
        let mut exact = Record::new();
        let mut attributes = filters(resource);
        attributes.retain(|attribute| attribute.name != resource.title && !wanted.get(attribute.name).is_null());
        for attribute in &attributes {
            exact.set(attribute.name, wanted.get(attribute.name).clone());
        }
        Filter { pattern, exact, attributes }
    }

    /// The values that each object must have.
    pub(super) fn exact(&self) -> &Record {
        &self.exact
    }

    pub(super) fn fits(&self, object: &Record) -> bool {
        let is_named = self
            .pattern
            .as_ref()
            .is_none_or(|(title, pattern)| object.text(title).is_some_and(|name| is_like(pattern, &folded(name))));
        is_named
            && self
                .attributes
                .iter()
                .all(|attribute| engine::same(attribute, self.exact.get(attribute.name), object.get(attribute.name)))
    }
}

/// Tells whether a text fits a pattern, without case.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    is_like(&folded(pattern), &folded(text))
}

fn folded(text: &str) -> Vec<char> {
    text.to_lowercase().chars().collect()
}

/// Tells whether a text fits a pattern. Takes time in proportion to the product of both at most.
fn is_like(pattern: &[char], text: &[char]) -> bool {
    let (mut at, mut seen) = (0, 0);
    // Where the last `*` stands, and how much of the text it stands for so far.
    let mut star = None;
    while seen < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(letter) if *letter == '?' || *letter == text[seen] => {
                at += 1;
                seen += 1;
            }
            _ => {
                let Some((place, taken)) = star else { return false };
                star = Some((place, taken + 1));
                at = place + 1;
                seen = taken + 1;
            }
        }
    }
    pattern[at..].iter().all(|letter| *letter == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_held_against_the_whole_name_without_case() {
        let check = |pattern: &str, text: &str, expected: bool| {
            assert_eq!(is_like(&folded(pattern), &folded(text)), expected, "{pattern} {text}");
        };
        check("*CES*", "Inbound from Cisco ces", true);
        check("inbound*", "Inbound from Cisco CES", true);
        check("inbound", "Inbound from Cisco CES", false);
        check("*a*b*", "xxaxxbxx", true);
        check("*a*b", "xxaxxbxx", false);
        check("?.example", "a.example", true);
        check("?.example", "ab.example", false);
        check("ÄRZTE*", "ärzte und mehr", true);
        check("*", "", true);
        check("", "", true);
        check("", "a", false);
        check("a*", "*", false);
        check("*.example.com", "*.example.com", true);
        check(&"*a".repeat(40), &"b".repeat(4000), false);
    }
}
