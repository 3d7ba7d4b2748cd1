//! Settings on the command line, which win over the environment: `--set gateway.port=2222`, by the table of the provider block.

use std::collections::BTreeMap;

use crate::provider::CATALOG;
use crate::schema::{Attribute, Kind, Record, Scalar};
use crate::value::Value;

/// One setting as it is typed: a path in the provider block, and a value.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::tool) struct Setting {
    path: Vec<String>,
    value: Value,
    sensitive: bool,
}

impl Setting {
    /// Where it stands in the provider block.
    pub(in crate::tool) fn path(&self) -> &[String] {
        &self.path
    }

    /// The value, if it must not be shown.
    pub(in crate::tool) fn secret(&self) -> Option<&str> {
        self.value.as_text().filter(|_| self.sensitive)
    }
}

impl std::str::FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Setting, String> {
        let Some((path, value)) = text.split_once('=') else {
            return Err("write it as PATH=VALUE, such as gateway.port=2222".to_owned());
        };
        let path: Vec<String> = path.trim().split('.').map(str::to_owned).collect();
        let attribute = attribute(&path)?;
        let read;
        let value = match value.strip_prefix('@') {
            Some(file) => {
                read = std::fs::read_to_string(file).map_err(|error| format!("{file} cannot be read: {error}"))?;
                read.trim_end()
            }
            None if attribute.sensitive => {
                return Err("a secret is not taken from the command line, where others can see it: use the environment variable, or @FILE".to_owned());
            }
            None => value,
        };
        Ok(Setting { value: typed(attribute, value)?, path, sensitive: attribute.sensitive })
    }
}

/// Shows the path, and never the value.
impl std::fmt::Debug for Setting {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.path.join("."))
    }
}

/// The line of the provider block at a path.
fn attribute(path: &[String]) -> Result<&'static Attribute, String> {
    let mut members: &'static [Attribute] = CATALOG.settings;
    let mut steps = path.iter().peekable();
    while let Some(step) = steps.next() {
        let Some(found) = members.iter().find(|attribute| attribute.name == step) else {
            let names: Vec<&str> = members.iter().map(|attribute| attribute.name).collect();
            return Err(format!("there is no setting {:?}; there is {}", path.join("."), names.join(", ")));
        };
        match (found.kind, steps.peek()) {
            (Kind::Block(inner), Some(_)) => members = inner,
            (Kind::Block(inner), None) => {
                let names: Vec<&str> = inner.iter().map(|attribute| attribute.name).collect();
                return Err(format!("{:?} has settings of its own: {}", path.join("."), names.join(", ")));
            }
            (_, Some(_)) => return Err(format!("{:?} has no settings of its own", found.name)),
            (_, None) => return Ok(found),
        }
    }
    Err("write it as PATH=VALUE, such as gateway.port=2222".to_owned())
}

fn typed(attribute: &Attribute, text: &str) -> Result<Value, String> {
    let value = match attribute.kind {
        Kind::Scalar(Scalar::Boolean) => match text {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => return Err(format!("{text:?} is neither true nor false")),
        },
        Kind::Scalar(Scalar::Integer | Scalar::Number) => {
            let number: i64 = text.parse().map_err(|_| format!("{text:?} is not a whole number"))?;
            if attribute.range.is_some_and(|(least, most)| !(least..=most).contains(&number)) {
                return Err(format!("{number} is out of range"));
            }
            Value::integer(number)
        }
        Kind::List(_) | Kind::Set(_) => Value::texts(text.split([',', '\n']).map(str::trim).filter(|part| !part.is_empty())),
        _ => Value::text(text),
    };
    if !attribute.choices.is_empty() && !attribute.choices.contains(&text) {
        return Err(format!("{text:?} is none of {}", attribute.choices.join(", ")));
    }
    if let (Some(format), false) = (attribute.format, attribute.sensitive) {
        (format.test)(text)?;
    }
    Ok(value)
}

/// Puts settings together to a provider block.
pub(in crate::tool) fn block(settings: &[Setting]) -> Record {
    fn put(members: &mut BTreeMap<String, Value>, path: &[String], value: &Value) {
        match path {
            [] => {}
            [last] => {
                members.insert(last.clone(), value.clone());
            }
            [first, rest @ ..] => {
                let inner = members.entry(first.clone()).or_insert_with(|| Value::Object(BTreeMap::new()));
                if let Value::Object(inner) = inner {
                    put(inner, rest, value);
                }
            }
        }
    }
    let mut members = BTreeMap::new();
    for setting in settings {
        put(&mut members, &setting.path, &setting.value);
    }
    Record::from(members)
}

/// The paths of all settings: words in messages that have the form of a domain.
pub(super) fn paths() -> Vec<String> {
    fn below(prefix: &str, members: &[Attribute], all: &mut Vec<String>) {
        for member in members {
            let path = format!("{prefix}{}", member.name);
            if let Kind::Block(inner) = member.kind {
                below(&format!("{path}."), inner, all);
            }
            all.push(path);
        }
    }
    let mut all = Vec::new();
    below("", CATALOG.settings, &mut all);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Setting, String> {
        text.parse()
    }

    #[test]
    fn a_setting_is_typed_by_the_table() {
        let settings =
            ["gateway.port=2222", "gateway.cluster.mode=group", "gateway.cluster.name=Europe", "gateway.legacy_algorithms=true"];
        let block = block(&settings.map(|text| read(text).expect("a setting")));
        assert_eq!(block.at("gateway.port").as_integer(), Some(2222));
        assert_eq!(block.text("gateway.cluster.name"), Some("Europe"));
        assert_eq!(block.truth("gateway.legacy_algorithms"), Some(true));
    }

    #[test]
    fn a_setting_that_cannot_be_right_is_refused_in_words() {
        for (text, said) in [
            ("gateway.prt=1", "there is host, port"),
            ("gateway.port", "PATH=VALUE"),
            ("gateway.port=x", "whole number"),
            ("gateway.port=70000", "out of range"),
            ("gateway.cluster=x", "settings of its own"),
            ("gateway.cluster.mode=x", "cluster, group, machine"),
            ("exchange.login_url=http://login.example.com", "https"),
            ("gateway.password=swordfish", "environment variable"),
        ] {
            let problem = read(text).expect_err(text);
            assert!(problem.contains(said) || problem.to_lowercase().contains(said), "{text}: {problem}");
            assert!(!problem.contains("swordfish"));
        }
    }
}
