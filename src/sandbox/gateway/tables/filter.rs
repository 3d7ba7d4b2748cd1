//! Message filters, and the answers about them that need the rest of the configuration.

use serde::{Deserialize, Serialize};

use super::Configuration;
use super::filter_reprint::Reprint;
use super::filter_script::{Script, Subject};

/// Holds one message filter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// Unique name.
    pub name: String,
    /// False is written `name!:` in scripts.
    pub active: bool,
    /// The text behind the label, as the device writes it.
    pub body: String,
}

impl Filter {
    /// Makes a filter from what was typed.
    pub fn of(script: &Script) -> Filter {
        Filter { name: script.name.clone(), active: script.active, body: script.print() }
    }

    /// Writes the filter with its label, lines indented to where the label ends.
    pub fn print(&self) -> String {
        self.print_as(Reprint::default())
    }

    /// The same in one manner of writing it back.
    pub fn print_as(&self, manner: Reprint) -> String {
        let label = format!("{}{}: ", self.name, if self.active { "" } else { "!" });
        let indent = " ".repeat(label.len());
        let mut text = label;
        for (number, line) in manner.body(&self.body).lines().enumerate() {
            if number > 0 {
                text.push_str(&indent);
            }
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    /// Lists why the filter cannot run: names of listeners and interfaces that this configuration does not have.
    pub fn faults(&self, configuration: &Configuration) -> Vec<String> {
        let label = format!("{}: {}", self.name, self.body);
        let Ok(scripts) = Script::parse(&label) else {
            return vec!["the filter does not compile".into()];
        };
        let listener = |name: &str| configuration.listeners.iter().any(|listener| listener.name == name);
        let interface = |name: &str| configuration.listeners.iter().any(|listener| listener.interface == name);
        scripts
            .iter()
            .flat_map(Script::subjects)
            .filter_map(|subject| match subject {
                Subject::Listener(name) if !listener(&name) => Some(format!("Listener '{name}' unknown")),
                Subject::Interface(name) if !interface(&name) && name != "Management" => {
                    Some(format!("Interface '{name}' unknown"))
                }
                _ => None,
            })
            .collect()
    }
}

/// Names the form of `DETAIL`, which is not documented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FilterForm {
    /// The line of `LIST` under its heading, then the text.
    #[default]
    Headed,
    /// The text alone.
    Bare,
}

/// Writes the table of `LIST` and the head of `DETAIL`: two header lines, then one line for each filter by its number.
pub fn list<'a>(filters: impl Iterator<Item = (usize, &'a Filter)>, configuration: &Configuration) -> String {
    let yes = |yes: bool| if yes { "Y" } else { "N" };
    let mut text = String::from("Num Active Valid Name\n--- ------ ----- ----\n");
    for (number, filter) in filters {
        text.push_str(&format!(
            "{number:>3} {:<6} {:<5} {}\n",
            yes(filter.active),
            yes(filter.faults(configuration).is_empty()),
            filter.name
        ));
    }
    text
}

/// Reads `name`, `3`, `2-4`, `1,3` or `all` into positions counted from 0.
pub fn range(text: &str, filters: &[Filter]) -> Result<Vec<usize>, String> {
    if text.eq_ignore_ascii_case("all") {
        return Ok((0..filters.len()).collect());
    }
    if let Some(at) = filters.iter().position(|filter| filter.name == text) {
        return Ok(vec![at]);
    }
    let mut positions = Vec::new();
    for part in text.split(',').map(str::trim) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (Ok(first), Ok(last)) = (first.trim().parse::<usize>(), last.trim().parse::<usize>()) else {
            return Err(if text.chars().all(|letter| letter.is_ascii_digit() || matches!(letter, '-' | ',' | ' ')) {
                format!("Invalid filter range: {text}")
            } else {
                format!("Invalid filter name: {text}")
            });
        };
        if first == 0 || first > last || last > filters.len() {
            return Err(format!("Invalid filter range: {text}"));
        }
        positions.extend(first - 1..last);
    }
    positions.sort_unstable();
    positions.dedup();
    Ok(positions)
}
