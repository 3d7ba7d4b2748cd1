//! The environment that settings fall back to, and how a setting is looked up in both.

use std::collections::BTreeMap;

use secrecy::SecretString;

use crate::remote::credential;
use crate::schema::Record;
use crate::value::{Diagnostic, Diagnostics, Path, Value};

/// Environment variables, taken once. Shows no value.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Takes the environment of the process. Empty variables count as unset.
    pub fn of_process() -> Environment {
        Environment::of(
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
        )
    }

    /// Makes an environment of these variables.
    pub fn of(variables: impl IntoIterator<Item = (String, String)>) -> Environment {
        Environment(variables.into_iter().filter(|(_, value)| !value.is_empty()).collect())
    }

    /// The first of these variables that is set.
    pub fn first(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.0.get(*name)).map(String::as_str)
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_set().entries(self.0.keys()).finish()
    }
}

/// Looks settings of one block up, in the configuration first, and gathers what is missing.
pub(super) struct Lookup<'a> {
    block: Record,
    path: Path,
    environment: &'a Environment,
    /// What is wrong.
    pub(super) problems: Diagnostics,
    /// The first setting that is needed and not known yet.
    pub(super) unknown: Option<Path>,
}

impl<'a> Lookup<'a> {
    pub(super) fn new(block: Record, path: Path, environment: &'a Environment) -> Lookup<'a> {
        Lookup { block, path, environment, problems: Vec::new(), unknown: None }
    }

    /// The value of a setting, noting it if it is not known yet.
    pub(super) fn value(&mut self, name: &str) -> Value {
        let value = self.block.get(name).clone();
        if !value.is_wholly_known() {
            self.unknown.get_or_insert_with(|| self.path.attribute(name));
            return Value::Null;
        }
        value
    }

    /// A text from the block or the first of these variables.
    pub(super) fn text(&mut self, name: &str, variables: &[&str]) -> Option<String> {
        match self.value(name) {
            Value::String(text) => Some(text),
            _ if self.block.get(name).is_unknown() => None,
            _ => self.environment.first(variables).map(str::to_owned),
        }
    }

    /// A text that must come from somewhere.
    pub(super) fn needed(&mut self, name: &str, variables: &[&str], what: &str) -> String {
        let found = self.text(name, variables);
        if found.is_none() && !self.block.get(name).is_unknown() {
            let path = self.path.attribute(name);
            let from = variables.iter().map(|name| format!("the environment variable {name}")).collect::<Vec<_>>().join(" or ");
            let or = if from.is_empty() { String::new() } else { format!(", or {from}") };
            self.problem(name, format!("The provider setting \"{path}\" is missing"), format!("It is {what}. Set {path}{or}."));
        }
        found.unwrap_or_default()
    }

    /// A secret from the block or the first of these variables.
    pub(super) fn secret(&mut self, name: &str, variables: &[&str]) -> Option<SecretString> {
        self.text(name, variables).map(credential)
    }

    /// A block inside this one, with its own path; `None` if it is not there.
    pub(super) fn block(&mut self, name: &str) -> Option<Lookup<'a>> {
        if self.block.get(name).is_unknown() {
            self.unknown.get_or_insert_with(|| self.path.attribute(name));
            return None;
        }
        let block = self.block.record(name)?;
        Some(Lookup::new(block, self.path.attribute(name), self.environment))
    }

    /// Takes over what an inner block found.
    pub(super) fn absorb(&mut self, inner: Lookup<'a>) {
        self.problems.extend(inner.problems);
        if let Some(path) = inner.unknown {
            self.unknown.get_or_insert(path);
        }
    }

    /// Notes a problem on a setting.
    pub(super) fn problem(&mut self, name: &str, summary: impl Into<String>, detail: impl Into<String>) {
        self.problems.push(Diagnostic::error(summary, detail).at(self.path.attribute(name)));
    }

    /// Ends the look-up: problems first, then what is unknown, then the settings.
    pub(super) fn finish<T>(self, settings: T) -> Result<super::Side<T>, Diagnostics> {
        match (self.problems.is_empty(), self.unknown) {
            (false, _) => Err(self.problems),
            (true, Some(path)) => Ok(super::Side::Unknown(path)),
            (true, None) => Ok(super::Side::Ready(settings)),
        }
    }
}
