//! Checks a configuration without asking any service.

use std::collections::BTreeSet;

use super::complete::filled;
use super::equality::{canonical, is_empty};
use super::{Members, TIMEOUTS, get, rules};
use crate::schema::{Attribute, Fill, Kind, Presence, Record, Rule, Scalar};
use crate::value::{Diagnostic, Diagnostics, Number, Path, Value};

/// Checks a configuration against its table and rules. Unknown values pass; nothing is asked of any service. The `timeouts` of
/// a resource are checked too.
///
/// `write_only` tells whether the host can take write-only arguments.
pub fn validate(attributes: &[Attribute], rules: &[Rule], config: &Record, write_only: bool) -> Diagnostics {
    let mut check = Check { write_only, found: Diagnostics::new() };
    check.members(attributes, config.members(), &Path::root(), false);
    if !attributes.iter().any(|attribute| attribute.name == TIMEOUTS.name) {
        check.attribute(&TIMEOUTS, config.get(TIMEOUTS.name), &Path::root().attribute(TIMEOUTS.name), false);
    }
    check.found.extend(rules::check(attributes, rules, config));
    check.found
}

struct Check {
    write_only: bool,
    found: Diagnostics,
}

impl Check {
    fn error(&mut self, path: &Path, summary: String, text: impl Into<String>) {
        self.found.push(Diagnostic::error(summary, text).at(path.clone()));
    }

    fn invalid(&mut self, path: &Path, name: &str, text: impl Into<String>) {
        self.error(path, format!("Invalid value of \"{name}\""), text);
    }

    /// Checks an object. In the elements of a set, paths end at the set.
    fn members(&mut self, attributes: &[Attribute], config: &Members, path: &Path, in_set: bool) {
        let below = |name: &str| if in_set { path.clone() } else { path.attribute(name) };
        for attribute in attributes {
            let value = get(Some(config), attribute.name);
            if attribute.write_only_form {
                self.write_only_form(attribute, config, path, in_set);
            } else if attribute.presence == Presence::Required && is_missing(attribute, value) {
                let text = format!("`{}` must be set.", attribute.name);
                self.error(&below(attribute.name), "Missing required argument".to_owned(), text);
            }
            self.attribute(attribute, value, &below(attribute.name), in_set);
        }
    }

    fn write_only_form(&mut self, attribute: &Attribute, config: &Members, path: &Path, in_set: bool) {
        let below = |name: &str| if in_set { path.clone() } else { path.attribute(name) };
        let (plain, written, version) = (attribute.name, attribute.write_only_name(), attribute.version_name());
        let [plain_value, written_value, version_value] = [plain, &written, &version].map(|name| get(Some(config), name));
        let is_set = |value: &Value| !value.is_null() && !value.is_unknown();

        if !self.write_only && !written_value.is_null() {
            let text = format!(
                "This release of Terraform or OpenTofu cannot take write-only arguments (Terraform can from 1.11, OpenTofu from 1.11). Use `{plain}` \
                 instead, which is stored in the state, or a newer release."
            );
            self.error(&below(&written), format!("\"{written}\" needs a newer release"), text);
        }
        if is_set(plain_value) && is_set(written_value) {
            let text = format!("Only one of `{plain}` and `{written}` may be set: leave one of them out.");
            self.error(&below(&written), format!("\"{written}\" conflicts with \"{plain}\""), text);
        }
        if attribute.presence == Presence::Required && plain_value.is_null() && written_value.is_null() {
            let text = format!("One of `{plain}` and `{written}` must be set.");
            self.error(&below(plain), "Missing required argument".to_owned(), text);
        }
        if is_set(written_value) && version_value.is_null() {
            let text = format!(
                "`{written}` is not stored, so a change of it cannot be seen. Set `{version}` to a whole number, and change it whenever the value \
                 is to be sent again."
            );
            self.error(&below(&written), format!("\"{written}\" requires \"{version}\""), text);
        }
        if is_set(version_value) && written_value.is_null() {
            let text = format!("`{version}` says when `{written}` is sent, and `{written}` is not set. Set both or neither.");
            self.error(&below(&version), format!("\"{version}\" requires \"{written}\""), text);
        }
        if is_set(version_value) && version_value.as_integer().is_none() {
            self.invalid(&below(&version), &version, "A whole number is needed.");
        }
        if is_set(written_value) {
            self.attribute_named(attribute, &written, written_value, &below(&written), in_set);
        }
    }

    fn attribute(&mut self, attribute: &Attribute, value: &Value, path: &Path, in_set: bool) {
        self.attribute_named(attribute, attribute.name, value, path, in_set);
    }

    fn attribute_named(&mut self, attribute: &Attribute, name: &str, value: &Value, path: &Path, in_set: bool) {
        if let Some(advice) = attribute.deprecated.filter(|_| !value.is_null()) {
            self.found.push(Diagnostic::warning(format!("\"{name}\" is deprecated"), advice).at(path.clone()));
        }
        if value.is_null() || value.is_unknown() {
            return;
        }
        if attribute.presence == Presence::Computed {
            let text = format!("`{name}` is set by the service and cannot be configured: leave it out.");
            self.error(path, format!("\"{name}\" cannot be set"), text);
            return;
        }
        if attribute.presence == Presence::Nullable && !attribute.kind.is_block() && is_empty(value) {
            let text = format!("`{name}` is empty. To say that there is none, leave it out (or set it to null).");
            self.error(path, format!("\"{name}\" is empty"), text);
            return;
        }
        let objects = |members: &'static [Attribute]| {
            move |check: &mut Check, element: &Value, path: &Path, in_set| {
                if let Value::Object(inner) = element {
                    check.members(members, inner, path, in_set);
                }
            }
        };
        let singles = |check: &mut Check, element: &Value, path: &Path, _| check.single(attribute, name, element, path);
        match (attribute.kind, value) {
            (Kind::Scalar(_), single) => self.single(attribute, name, single, path),
            (Kind::Object(members) | Kind::Block(members), Value::Object(inner)) => self.members(members, inner, path, in_set),
            (Kind::List(_), Value::List(items)) | (Kind::Set(_), Value::Set(items)) => {
                self.elements(attribute, name, items, path, in_set, singles);
            }
            (Kind::ListOf(members) | Kind::BlockList(members), Value::List(items))
            | (Kind::SetOf(members), Value::Set(items)) => {
                self.elements(attribute, name, items, path, in_set, objects(members));
            }
            (Kind::Map(_), Value::Map(entries)) => {
                self.count(attribute, name, entries.len(), path);
                for (key, element) in entries {
                    let inside = if in_set { path.clone() } else { path.key(key) };
                    if element.is_null() {
                        self.invalid(&inside, name, format!("The value of {key:?} is null: give it a value, or leave it out."));
                    } else {
                        self.single(attribute, name, element, &inside);
                    }
                }
            }
            _ => {}
        }
    }

    fn count(&mut self, attribute: &Attribute, name: &str, count: usize, path: &Path) {
        if let Some(most) = attribute.most
            && count > most
        {
            self.invalid(path, name, format!("At most {most} elements are allowed; there are {count}."));
        }
    }

    fn elements(
        &mut self,
        attribute: &Attribute,
        name: &str,
        items: &[Value],
        path: &Path,
        in_set: bool,
        one: impl Fn(&mut Check, &Value, &Path, bool),
    ) {
        let is_set = matches!(attribute.kind, Kind::Set(_) | Kind::SetOf(_));
        // Elements of sets have no address.
        let no_address = in_set || is_set;
        self.count(attribute, name, items.len(), path);
        let mut seen = BTreeSet::new();
        for (index, element) in items.iter().enumerate() {
            let inside = if no_address { path.clone() } else { path.index(index) };
            if element.is_null() {
                self.invalid(&inside, name, "An element is null: give it a value, or leave it out.");
                continue;
            }
            one(self, element, &inside, no_address);
            if element.is_wholly_known() && !seen.insert(form(attribute, element)) {
                let what = match element {
                    Value::String(text) if !attribute.sensitive => format!("{text:?}"),
                    Value::Number(number) if !attribute.sensitive => number.to_string(),
                    _ => "An element".to_owned(),
                };
                let text =
                    format!("{what} stands in `{name}` twice, or in two spellings of the same value. Leave one of them out.");
                self.error(&inside, format!("Duplicate element of \"{name}\""), text);
            }
        }
    }

    fn single(&mut self, attribute: &Attribute, name: &str, value: &Value, path: &Path) {
        match value {
            Value::String(text) => self.text(attribute, name, text, path),
            Value::Number(number) => self.number(attribute, name, number, path),
            _ => {}
        }
    }

    fn text(&mut self, attribute: &Attribute, name: &str, text: &str, path: &Path) {
        let given = || if attribute.sensitive { String::new() } else { format!(" The configuration says {text:?}.") };
        if !attribute.choices.is_empty() && !attribute.choices.contains(&text) {
            let choices: Vec<String> = attribute.choices.iter().map(|choice| format!("{choice:?}")).collect();
            self.invalid(path, name, format!("One of {} is needed.{}", choices.join(", "), given()));
            return;
        }
        if let Some((least, most)) = attribute.length {
            let count = text.chars().count();
            if count < least || count > most {
                let limits = match (least, most) {
                    (0, most) => format!("at most {most}"),
                    (least, usize::MAX) => format!("at least {least}"),
                    (least, most) if least == most => format!("exactly {least}"),
                    (least, most) => format!("{least} to {most}"),
                };
                self.invalid(path, name, format!("The text must have {limits} characters; it has {count}."));
                return;
            }
        }
        if let Some(format) = attribute.format
            && let Err(wrong) = (format.test)(text)
        {
            // The test may quote what it was given, or a part of it.
            let text = if attribute.sensitive && quotes(&wrong, text) {
                format!("It must be {}.", format.about)
            } else {
                sentence(&wrong, if attribute.sensitive { None } else { Some(text) })
            };
            self.invalid(path, name, text);
        }
    }

    fn number(&mut self, attribute: &Attribute, name: &str, number: &Number, path: &Path) {
        let given = || if attribute.sensitive { String::new() } else { format!(" The configuration says {number}.") };
        if attribute.kind.scalar() == Some(Scalar::Integer) && number.as_i64().is_none() {
            self.invalid(path, name, format!("A whole number (of 64 bits) is needed.{}", given()));
            return;
        }
        if let Some((least, most)) = attribute.range
            && (*number < Number::from(least) || *number > Number::from(most))
        {
            let limits = match (least, most) {
                (i64::MIN, most) => format!("{most} or less"),
                (least, i64::MAX) => format!("{least} or more"),
                (least, most) => format!("from {least} to {most}"),
            };
            self.invalid(path, name, format!("A number {limits} is needed.{}", given()));
        }
    }
}

/// Tells whether there is nothing: no value, or no block of those that may be repeated.
fn is_missing(attribute: &Attribute, value: &Value) -> bool {
    value.is_null() || (matches!(attribute.kind, Kind::BlockList(_)) && is_empty(value))
}

/// What an element means, with the defaults of what it leaves out.
fn form(attribute: &Attribute, element: &Value) -> Value {
    // The form of a collection of one element, so that elements are read by the collection's own rules.
    let one = if matches!(attribute.kind, Kind::Set(_) | Kind::SetOf(_)) {
        Value::Set(vec![element.clone()])
    } else {
        Value::List(vec![element.clone()])
    };
    canonical(&Attribute { presence: Presence::Filled(Fill::Empty), ..*attribute }, &filled(attribute, one))
}

/// A whole sentence of what is wrong, which may be a predicate: `is too long`.
fn sentence(wrong: &str, text: Option<&str>) -> String {
    let subject = match text {
        _ if !wrong.starts_with(char::is_lowercase) => String::new(),
        Some(text) => format!("{text:?} "),
        None => "It ".to_owned(),
    };
    let end = if wrong.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{subject}{wrong}{end}")
}

/// Tells whether a message holds a word of the text.
fn quotes(message: &str, text: &str) -> bool {
    let words = text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| word.len() >= 4);
    message.contains(text) || words.into_iter().any(|word| message.contains(word))
}
