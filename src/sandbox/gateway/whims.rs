//! A device that stores something else than it is told.
//!
//! The whim is taken from what stands: an entry of a table that is made later under the name of one that stood is committed as that one was,
//! whatever was typed.

use serde_json::Value;

use super::tables::Configuration;

/// The members by which an entry of a table is told from the others, by table.
const NAMES: [&str; 4] = ["name", "domain", "recipient", "address"];

/// How long a device keeps to its whim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whim {
    /// Only when an entry is made: a later change is committed as it was typed.
    AtFirst,
    /// At every commit.
    Always,
}

/// What is committed instead.
#[derive(Debug)]
pub(super) struct Whims {
    whim: Whim,
    instead: Value,
}

impl Whims {
    /// Takes a whim from what stands.
    pub(super) fn of(whim: Whim, standing: &Configuration) -> Whims {
        Whims { whim, instead: serde_json::to_value(standing).unwrap_or_default() }
    }

    /// Puts what is committed in place of what was typed.
    pub(super) fn bend(&self, before: &Configuration, after: Configuration) -> Configuration {
        let tree = |configuration: &Configuration| serde_json::to_value(configuration).unwrap_or_default();
        let mut bent = tree(&after);
        self.walk(&tree(before), &mut bent, &self.instead);
        serde_json::from_value(bent).unwrap_or(after)
    }

    fn walk(&self, before: &Value, after: &mut Value, instead: &Value) {
        match after {
            Value::Object(members) => {
                for (name, member) in members {
                    self.walk(&before[name.as_str()], member, &instead[name.as_str()]);
                }
            }
            Value::Array(entries) => {
                for entry in entries {
                    let Some(own) = name(entry).map(str::to_owned) else { continue };
                    let namesake = |list: &Value| {
                        list.as_array().into_iter().flatten().find(|other| name(other) == Some(own.as_str())).cloned()
                    };
                    let (stood, other) = (namesake(before), namesake(instead));
                    match (stood, other) {
                        (None, Some(other)) => *entry = other,
                        (Some(stood), Some(other)) if *entry != stood && self.whim == Whim::Always && is_leaf(entry) => {
                            *entry = other;
                        }
                        (Some(stood), Some(other)) => self.walk(&stood, entry, &other),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
}

/// Tells whether an entry is no table of tables, as a listener is.
fn is_leaf(entry: &Value) -> bool {
    entry.as_object().is_none_or(|members| !members.contains_key("hat") && !members.contains_key("rat"))
}

fn name(entry: &Value) -> Option<&str> {
    NAMES.iter().find_map(|name| entry.get(name)?.as_str())
}
