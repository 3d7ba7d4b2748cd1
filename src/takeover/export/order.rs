//! Which objects have to be made behind which others: those of a table whose first fitting entry decides, and of which no operation moves an entry.

use std::collections::BTreeMap;

use super::Entry;
use super::hcl::{Line, Term};
use crate::schema::{Import, Overlaps, Record, Resource, engine};

/// The argument `depends_on` of each object that has to be made behind others, by its place among the entries.
pub(super) fn behind(prefix: &str, entries: &[Entry<'_>]) -> BTreeMap<usize, Line> {
    let mut tables: BTreeMap<(&str, String), Vec<(usize, Placed<'_>)>> = BTreeMap::new();
    for (at, entry) in entries.iter().enumerate() {
        if let Some((table, placed)) = placed(entry) {
            tables.entry((entry.resource.name, table)).or_default().push((at, placed));
        }
    }
    let mut lines = BTreeMap::new();
    for table in tables.into_values() {
        for (index, (at, one)) in table.iter().enumerate() {
            let decides = |(_, before): &&(usize, Placed<'_>)| before.does != one.does && (one.overlaps)(before.name, one.name);
            let address = |(at, _): &(usize, Placed<'_>)| {
                entries
                    .get(*at)
                    .map(|entry| Term::Reference(vec![format!("{prefix}_{}", entry.resource.name), entry.label.clone()]))
            };
            let others: Vec<Term> = table.iter().take(index).filter(decides).filter_map(address).collect();
            if !others.is_empty() {
                lines.insert(*at, Line::Argument("depends_on".to_owned(), Term::List(others)));
            }
        }
    }
    lines
}

/// An entry of such a table.
struct Placed<'a> {
    name: &'a str,
    overlaps: Overlaps,
    /// What it says beside its name.
    does: Record,
}

/// The table that an entry stands in, and the entry; nothing for any other object, and for one that is always there.
fn placed<'a>(entry: &Entry<'a>) -> Option<(String, Placed<'a>)> {
    let (resource, object): (&Resource, &Record) = (entry.resource, &entry.found.object);
    let attribute = resource.attributes.iter().find(|attribute| attribute.first_decides.is_some())?;
    let name = object.text(attribute.name).filter(|_| !engine::is_always_there(resource, object))?;
    let keys: &[&str] = match resource.import {
        Import::Key { attributes, .. } => attributes,
        Import::Lookup { .. } | Import::Singleton { .. } => &[],
    };
    let others = keys.iter().filter(|key| **key != attribute.name);
    let table = others.filter_map(|key| object.text(key)).collect::<Vec<_>>().join("/");
    let written = engine::generated(resource, object);
    let does = written.iter().filter(|(key, _)| !keys.contains(key));
    let does = does.fold(Record::new(), |does, (key, value)| does.with(key, value.clone()));
    Some((table, Placed { name, overlaps: attribute.first_decides?, does }))
}
