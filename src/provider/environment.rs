//! The environment that settings fall back to, and how a setting is looked up in both.

use std::collections::BTreeMap;

use secrecy::SecretString;

use crate::remote::credential;
use crate::schema::Record;
use crate::schema::engine::is_unseen;
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

/// The variable behind the provider's own `read_only`.
const READ_ONLY: &[&str] = &["MAILFLOW_READ_ONLY"];

/// Whether nothing may be changed: by the configuration, else by the environment.
pub(super) fn read_only(config: &Record, environment: &Environment) -> Result<bool, Diagnostic> {
    let path = Path::dotted("read_only");
    if config.get("read_only").is_unknown() {
        return Err(Diagnostic::error(
            "read_only must be known",
            "It guards every write and cannot depend on something that is still to be created.",
        )
        .at(path));
    }
    match (config.truth("read_only"), environment.first(READ_ONLY)) {
        (Some(said), _) => Ok(said),
        (None, None) => Ok(false),
        (None, Some(text)) => parse_truth(text.trim()).ok_or_else(|| {
            let summary = format!("Invalid value in the environment variable {}", READ_ONLY[0]);
            Diagnostic::error(summary, "It is neither true nor false. It stands for the provider setting read_only.").at(path)
        }),
    }
}

fn parse_truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// The first character of a text that does not belong to it, and where it stands.
fn stray(text: &str, is_secret: bool) -> Option<String> {
    let does_not_belong = |letter: char, is_at_end: bool| {
        letter.is_control() || is_unseen(letter) || (letter.is_whitespace() && (is_at_end || !is_secret))
    };
    let inner = text.trim_matches(|letter: char| does_not_belong(letter, true));
    let what = |letter: char| match letter {
        '\n' | '\r' | '\u{2028}' | '\u{2029}' => "a line break".to_owned(),
        '\t' => "a tab".to_owned(),
        _ if letter.is_whitespace() => "a blank".to_owned(),
        _ if letter.is_control() => "a control character".to_owned(),
        _ => format!("a character that nobody sees (U+{:04X})", u32::from(letter)),
    };
    if let Some(last) = text.chars().next_back().filter(|_| !text.ends_with(inner) || inner.is_empty()) {
        return Some(format!("{} at its end", what(last)));
    }
    if let Some(first) = text.chars().next().filter(|_| !text.starts_with(inner)) {
        return Some(format!("{} at its beginning", what(first)));
    }
    inner.chars().find(|letter| does_not_belong(*letter, false)).map(|letter| format!("{} inside", what(letter)))
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

    /// Yes or no, from the block or the first of these variables.
    pub(super) fn truth(&mut self, name: &str, variables: &[&str]) -> Option<bool> {
        if let Some(known) = self.value(name).as_bool() {
            return Some(known);
        }
        self.read(name, variables, "neither true nor false", parse_truth)
    }

    /// A TCP port, from the block or the first of these variables.
    pub(super) fn port(&mut self, name: &str, variables: &[&str]) -> Option<u16> {
        if let Some(known) = self.value(name).as_integer() {
            return u16::try_from(known).ok();
        }
        self.read(name, variables, "not a port from 1 to 65535", |text| text.parse().ok().filter(|port| *port > 0))
    }

    /// What a variable says, where the block says nothing.
    fn read<T>(&mut self, name: &str, variables: &[&str], wrong: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        if self.block.get(name).is_unknown() {
            return None;
        }
        let environment = self.environment;
        let (variable, text) = variables.iter().find_map(|variable| Some((*variable, environment.first(&[variable])?)))?;
        let parsed = parse(text.trim());
        if parsed.is_none() {
            let path = self.path.attribute(name);
            self.problem(
                name,
                format!("Invalid value in the environment variable {variable}"),
                format!("It is {wrong}. It stands for the provider setting {path}."),
            );
        }
        parsed
    }

    /// A secret from the block or the first of these variables.
    pub(super) fn secret(&mut self, name: &str, variables: &[&str]) -> Option<SecretString> {
        self.text(name, variables).map(credential)
    }

    /// Whether the configuration says something here.
    pub(super) fn has(&self, name: &str) -> bool {
        !self.block.get(name).is_null()
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

    /// The same; where it is not in the configuration, it is there when the environment sets one of these variables.
    pub(super) fn block_or(&mut self, name: &str, variables: &[&str]) -> Option<Lookup<'a>> {
        let is_left_out = self.block.get(name).is_null();
        if is_left_out && self.environment.first(variables).is_some() {
            return Some(Lookup::new(Record::new(), self.path.attribute(name), self.environment));
        }
        self.block(name)
    }

    /// Takes over what an inner block found.
    pub(super) fn absorb(&mut self, inner: Lookup<'a>) {
        self.problems.extend(inner.problems);
        if let Some(path) = inner.unknown {
            self.unknown.get_or_insert(path);
        }
    }

    /// Notes a text with blanks, line ends or characters that nobody sees, which came with the copy of it: the service would only say that it does not
    /// know it. A secret may have blanks inside.
    pub(super) fn stray(&mut self, name: &str, variables: &[&str], text: &str, is_secret: bool) {
        let Some(what) = stray(text, is_secret) else { return };
        let variable = if self.block.get(name).is_null() {
            variables.iter().find(|name| self.environment.first(&[name]).is_some())
        } else {
            None
        };
        let path = self.path.attribute(name);
        let from = variable.map(|variable| format!(" (environment variable {variable})")).unwrap_or_default();
        self.problem(
            name,
            format!("Stray characters in {name}"),
            format!("{path}{from} has {what}, which does not belong to it. Remove it."),
        );
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rx11_what_came_with_a_copy_is_named_and_where_it_stands() {
        for (text, is_secret, wanted) in [
            ("s3cret\n", true, Some("a line break at its end")),
            ("s3cret\r\n", true, Some("a line break at its end")),
            ("s3\ncret", true, Some("a line break inside")),
            (" s3cret", true, Some("a blank at its beginning")),
            ("s3 cret", true, None),
            ("s3cret", true, None),
            ("contoso .com", false, Some("a blank inside")),
            ("contoso.com ", false, Some("a blank at its end")),
            ("contoso.com\t", false, Some("a tab at its end")),
            ("\u{a0}contoso.com", false, Some("a blank at its beginning")),
            ("contoso.com\u{200b}", false, Some("a character that nobody sees (U+200B) at its end")),
            ("\u{feff}contoso.com", false, Some("a character that nobody sees (U+FEFF) at its beginning")),
            ("con\u{0}toso", false, Some("a control character inside")),
            (" ", false, Some("a blank at its end")),
            ("", false, None),
        ] {
            assert_eq!(stray(text, is_secret).as_deref(), wanted, "{text:?}");
        }
    }
}
