//! Says what stands on the service, for people.

use std::fmt::Write as _;

use serde_json::Value;

use super::World;
use super::backends::Object;
use super::noun::Noun;
use super::nouns::{self, rule_parts};
use super::values;

/// Describes connectors, rules and domains as aligned tables; what has no objects is left out.
pub(crate) fn describe(world: &World) -> String {
    let mut text = format!("Exchange Online, tenant {} ({})\n", world.options.organization, world.options.tenant_id);
    for noun in nouns::all() {
        let objects = world.store.truth(noun.name);
        if objects.is_empty() {
            continue;
        }
        let _ = write!(text, "\n{} ({})\n{}", noun.name, objects.len(), table(noun, objects));
    }
    text
}

fn table(noun: &Noun, objects: &[Object]) -> String {
    let mut rows = vec![header(noun)];
    rows.extend(objects.iter().enumerate().map(|(place, object)| row(noun, place, object)));
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    rows.iter().fold(String::new(), |mut text, row| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        let _ = writeln!(text, "  {}", cells.collect::<Vec<_>>().join("  ").trim_end());
        text
    })
}

fn header(noun: &Noun) -> Vec<String> {
    let place = noun.ordered.then_some("#");
    let parts: &[&str] = if noun.ordered { &["conditions", "actions", "exceptions"] } else { &[] };
    let names = place.into_iter().chain(["Name"]).chain(noun.columns.iter().copied()).chain(parts.iter().copied());
    names.map(str::to_owned).collect()
}

fn row(noun: &Noun, place: usize, object: &Object) -> Vec<String> {
    let mut cells: Vec<String> = noun.ordered.then(|| place.to_string()).into_iter().collect();
    cells.push(object.name().to_owned());
    for column in noun.columns {
        let value = noun.parameter(column).map(|parameter| noun.value(object, parameter)).unwrap_or_default();
        cells.push(cell(&value));
    }
    if noun.ordered {
        cells.extend(rule_parts(noun, object).map(|parts| if parts.is_empty() { "-".into() } else { parts.join("; ") }));
    }
    cells
}

/// A value as people read it.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::Bool(true) => "yes".into(),
        Value::Bool(false) => "no".into(),
        Value::Array(items) if items.is_empty() => "-".into(),
        Value::Array(items) => items.iter().map(values::shown).collect::<Vec<_>>().join(", "),
        other => values::shown(other),
    }
}
