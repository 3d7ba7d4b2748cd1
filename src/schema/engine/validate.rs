//! Checks of configuration, of two kinds.
//!
//! *Form* is what no service takes, and no dialog can carry: checked when the configuration is validated. *Rules of the service*
//! (lengths, choices, patterns, ranges, what goes together) are checked at plan, and only for what differs in meaning from what
//! stands: whatever exists can be imported, kept, and changed elsewhere.

use std::collections::BTreeSet;

use super::complete::filled;
use super::equality::{canonical, is_empty, meant, same};
use super::{Members, TIMEOUTS, get, kept, near, rules, standing, unmanaged};
use crate::schema::{Attribute, Fill, Import, Kind, Presence, Record, Resource, Rule, Scalar};
use crate::value::{Diagnostic, Diagnostics, Number, Path, Value};

/// The most characters of a name or a key. No service takes as many.
const LONGEST_NAME: usize = 1000;
/// The most characters of any other text.
const LONGEST_TEXT: usize = 100_000;

/// Checks a configuration against its table and rules, form and rules together: for what has no state, such as the provider's settings
/// and data sources. Unknown values pass; nothing is asked of any service.
///
/// `write_only` tells whether the host can take write-only arguments.
pub fn validate(attributes: &[Attribute], rules: &[Rule], config: &Record, write_only: bool) -> Diagnostics {
    let mut check = Check { write_only, scope: Scope::Everything, names: Vec::new(), found: Diagnostics::new() };
    check.table(attributes, config, &[]);
    check.found.extend(rules::check(attributes, rules, config));
    check.found
}

/// Checks the form of a resource's configuration, its `timeouts` included, and gives the advice of its rules. Unknown values pass;
/// nothing is asked of any service.
pub fn validate_form(resource: &Resource, config: &Record, write_only: bool) -> Diagnostics {
    let mut check = Check { write_only, scope: Scope::Form, names: names(resource), found: Diagnostics::new() };
    check.table(resource.attributes, config, &[]);
    check.found.extend(rules::advice(resource.rules, config));
    check.found
}

/// Holds a resource's configuration against the rules of the service, as far as it differs in meaning from what stands (`prior`). Of a
/// new object, everything is judged.
pub fn judge(resource: &Resource, prior: Option<&Record>, config: &Record) -> Diagnostics {
    let mut check = Check { write_only: true, scope: Scope::Service, names: names(resource), found: Diagnostics::new() };
    let standing: Vec<&Members> = prior.map(Record::members).into_iter().collect();
    check.table(resource.attributes, config, &standing);
    check.found.extend(kept::told(resource, prior, config));
    check.found.extend(unmanaged::of_new(resource, prior, config));
    check.found.extend(rules::judge(
        resource.attributes,
        resource.rules,
        prior,
        config,
        standing::stands(resource, config.members()),
    ));
    check.found
}

/// The attributes by which an object is known to people and to the service.
fn names(resource: &Resource) -> Vec<&'static str> {
    let keys = match resource.import {
        Import::Key { attributes, .. } => attributes,
        _ => &[],
    };
    keys.iter().chain(resource.identity).chain([&resource.title]).copied().filter(|name| *name != "id").collect()
}

/// Which checks are made.
#[derive(Clone, Copy, PartialEq)]
enum Scope {
    /// All, of what has no state.
    Everything,
    /// What no service takes.
    Form,
    /// What this service takes, of what is new.
    Service,
}

struct Check {
    write_only: bool,
    scope: Scope,
    /// The attributes at the root that are names or keys.
    names: Vec<&'static str>,
    found: Diagnostics,
}

impl Check {
    fn of_form(&self) -> bool {
        self.scope != Scope::Service
    }

    fn of_service(&self) -> bool {
        self.scope != Scope::Form
    }

    fn error(&mut self, path: &Path, summary: String, text: impl Into<String>) {
        self.found.push(Diagnostic::error(summary, text).at(path.clone()));
    }

    fn invalid(&mut self, path: &Path, name: &str, text: impl Into<String>) {
        self.error(path, format!("Invalid value of \"{name}\""), text);
    }

    fn table(&mut self, attributes: &[Attribute], config: &Record, standing: &[&Members]) {
        self.members(attributes, config.members(), standing, &Path::root(), false);
        // Time limits are the provider's own, and no service stands by them.
        if self.of_form() && !attributes.iter().any(|attribute| attribute.name == TIMEOUTS.name) {
            let mut limits = Check { scope: Scope::Everything, names: Vec::new(), found: Diagnostics::new(), ..*self };
            limits.attribute(&TIMEOUTS, config.get(TIMEOUTS.name), &[], &Path::root().attribute(TIMEOUTS.name), false);
            self.found.extend(limits.found);
        }
    }

    /// Checks an object beside those that stand in its place. In the elements of a set, paths end at the set.
    fn members(&mut self, attributes: &[Attribute], config: &Members, standing: &[&Members], path: &Path, in_set: bool) {
        let below = |name: &str| if in_set { path.clone() } else { path.attribute(name) };
        for attribute in attributes {
            let value = get(Some(config), attribute.name);
            if attribute.write_only_form {
                self.write_only_form(attribute, config, standing, path, in_set);
            } else if self.of_form() && attribute.presence == Presence::Required && is_missing(attribute, value) {
                let text = format!("`{}` must be set.", attribute.name);
                self.error(&below(attribute.name), "Missing required argument".to_owned(), text);
            }
            let stands: Vec<&Value> = standing.iter().map(|standing| get(Some(standing), attribute.name)).collect();
            self.attribute(attribute, value, &stands, &below(attribute.name), in_set);
        }
    }

    fn write_only_form(&mut self, attribute: &Attribute, config: &Members, standing: &[&Members], path: &Path, in_set: bool) {
        let below = |name: &str| if in_set { path.clone() } else { path.attribute(name) };
        let (plain, written, version) = (attribute.name, attribute.write_only_name(), attribute.version_name());
        let [plain_value, written_value, version_value] = [plain, &written, &version].map(|name| get(Some(config), name));
        let is_set = |value: &Value| !value.is_null() && !value.is_unknown();

        if self.of_form() {
            self.forms_fit(attribute, [plain_value, written_value, version_value], path, in_set);
        }
        // What was sent under this version is not sent again.
        let was_sent = standing.iter().any(|standing| !version_value.is_null() && get(Some(standing), &version) == version_value);
        if is_set(written_value) && !(was_sent && self.scope == Scope::Service) {
            self.attribute_named(attribute, &written, written_value, &[], &below(&written), in_set);
        }
    }

    /// Checks which of the two forms of a value are written.
    fn forms_fit(&mut self, attribute: &Attribute, values: [&Value; 3], path: &Path, in_set: bool) {
        let below = |name: &str| if in_set { path.clone() } else { path.attribute(name) };
        let (plain, written, version) = (attribute.name, attribute.write_only_name(), attribute.version_name());
        let [plain_value, written_value, version_value] = values;
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
        if attribute.presence == Presence::Required
            && !kept::may_be_left_out(attribute)
            && plain_value.is_null()
            && written_value.is_null()
        {
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
    }

    fn attribute(&mut self, attribute: &Attribute, value: &Value, standing: &[&Value], path: &Path, in_set: bool) {
        self.attribute_named(attribute, attribute.name, value, standing, path, in_set);
    }

    fn attribute_named(
        &mut self,
        attribute: &Attribute,
        name: &str,
        value: &Value,
        standing: &[&Value],
        path: &Path,
        in_set: bool,
    ) {
        if let Some(advice) = attribute.deprecated.filter(|_| self.of_form() && !value.is_null()) {
            self.found.push(Diagnostic::warning(format!("\"{name}\" is deprecated"), advice).at(path.clone()));
        }
        if value.is_null() || value.is_unknown() {
            return;
        }
        if self.of_form() && attribute.presence == Presence::Computed {
            let text = format!("`{name}` is set by the service and cannot be configured: leave it out.");
            self.error(path, format!("\"{name}\" cannot be set"), text);
            return;
        }
        let nullable = attribute.presence == Presence::Nullable && !attribute.kind.is_block();
        if nullable && is_empty(value) {
            if self.of_form() {
                let text = format!("`{name}` is empty. To say that there is none, leave it out (or set it to null).");
                self.error(path, format!("\"{name}\" is empty"), text);
            }
            return;
        }
        if self.scope == Scope::Service && standing.iter().any(|standing| stands(attribute, standing, value)) {
            return;
        }
        match (attribute.kind, value) {
            (Kind::Scalar(_), single) => self.single(attribute, name, single, path),
            (Kind::Object(members) | Kind::Block(members), Value::Object(inner)) => {
                let standing: Vec<&Members> = standing.iter().filter_map(|standing| standing.as_members()).collect();
                self.members(members, inner, &standing, path, in_set);
            }
            (
                Kind::List(_) | Kind::Set(_) | Kind::ListOf(_) | Kind::BlockList(_) | Kind::SetOf(_),
                Value::List(items) | Value::Set(items),
            ) => self.elements(attribute, name, items, standing, path, in_set),
            (Kind::Map(_), Value::Map(entries)) => {
                self.count(attribute, name, entries.len(), path);
                for (key, element) in entries {
                    let inside = if in_set { path.clone() } else { path.key(key) };
                    let stands = |standing: &&Value| {
                        standing
                            .as_members()
                            .is_some_and(|members| meant(attribute, get(Some(members), key)) == meant(attribute, element))
                    };
                    if !element.is_null() {
                        if !standing.iter().any(stands) {
                            self.single(attribute, name, element, &inside);
                        }
                    } else if self.of_form() {
                        self.invalid(&inside, name, format!("The value of {key:?} is null: give it a value, or leave it out."));
                    }
                }
            }
            _ => {}
        }
    }

    fn count(&mut self, attribute: &Attribute, name: &str, count: usize, path: &Path) {
        if let Some(most) = attribute.most
            && count > most
            && self.of_service()
        {
            self.invalid(path, name, format!("At most {most} elements are allowed; there are {count}."));
        }
    }

    fn elements(&mut self, attribute: &Attribute, name: &str, items: &[Value], standing: &[&Value], path: &Path, in_set: bool) {
        let is_set = matches!(attribute.kind, Kind::Set(_) | Kind::SetOf(_));
        // Elements of sets have no address.
        let no_address = in_set || is_set;
        self.count(attribute, name, items.len(), path);
        let standing: Vec<&Value> = standing.iter().flat_map(|standing| standing.as_elements().unwrap_or_default()).collect();
        let mut seen = BTreeSet::new();
        for (index, element) in items.iter().enumerate() {
            let inside = if no_address { path.clone() } else { path.index(index) };
            if element.is_null() {
                if self.of_form() {
                    self.invalid(&inside, name, "An element is null: give it a value, or leave it out.");
                }
                continue;
            }
            match (attribute.kind.members(), element) {
                (Some(members), Value::Object(inner)) => {
                    let standing: Vec<&Members> = standing.iter().filter_map(|standing| standing.as_members()).collect();
                    self.members(members, inner, &standing, &inside, no_address);
                }
                (None, element) if element.as_text() == Some("") => {
                    if self.of_form() {
                        self.invalid(&inside, name, "An element is empty. To say that there is none, leave it out.");
                    }
                }
                (None, element) if standing.iter().any(|standing| meant(attribute, standing) == meant(attribute, element)) => {}
                (None, element) => self.single(attribute, name, element, &inside),
                (Some(_), _) => {}
            }
            // Two spellings of one value that both stand are kept.
            let stands_twice =
                || standing.iter().filter(|standing| form(attribute, standing) == form(attribute, element)).count() > 1;
            if self.of_service() && element.is_wholly_known() && !seen.insert(form(attribute, element)) && !stands_twice() {
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
        if self.of_form() && !self.text_has_form(attribute, name, text, path) {
            return;
        }
        if self.of_service() && self.text_is_taken(attribute, name, text, path) && self.scope == Scope::Service {
            self.odd_characters(attribute, name, text, path);
        }
    }

    /// Checks what no service takes of a text.
    fn text_has_form(&mut self, attribute: &Attribute, name: &str, text: &str, path: &Path) -> bool {
        if self.scope == Scope::Form {
            let carried = |letter: char| attribute.lines && matches!(letter, '\t' | '\n' | '\r');
            if let Some(letter) = text.chars().find(|letter| letter.is_control() && !carried(*letter)) {
                let (what, only) = match letter {
                    '\n' | '\r' => ("a line break", ", and it has one line only"),
                    '\t' => ("a tab", ""),
                    _ => ("a control character", ""),
                };
                self.invalid(
                    path,
                    name,
                    format!("The text has {what} (U+{:04X}), which cannot be sent{only}.", u32::from(letter)),
                );
                return false;
            }
            let most = if self.is_name(attribute, path) { LONGEST_NAME } else { LONGEST_TEXT };
            let count = text.chars().count();
            if count > most {
                self.invalid(path, name, format!("The text must have at most {most} characters; it has {count}."));
                return false;
            }
        }
        let is_closed = attribute.keywords || self.scope == Scope::Everything;
        if is_closed && !attribute.choices.is_empty() && !attribute.choices.contains(&text) {
            let choices = near::listed(text, attribute.choices);
            self.invalid(path, name, format!("One of {choices} is needed.{}", given(attribute, text)));
            return false;
        }
        if let Some(format) = attribute.format.filter(|format| format.is_form && self.scope == Scope::Form)
            && let Err(wrong) = (format.test)(text)
        {
            self.invalid(path, name, wrong);
            return false;
        }
        true
    }

    /// Checks what this service takes of a text.
    fn text_is_taken(&mut self, attribute: &Attribute, name: &str, text: &str, path: &Path) -> bool {
        let open = !attribute.keywords && self.scope == Scope::Service;
        if open && !attribute.choices.is_empty() && !attribute.choices.contains(&text) {
            let choices = near::listed(text, attribute.choices);
            if near::is_slip(text, attribute.choices) {
                self.invalid(path, name, format!("One of {choices} is needed.{}", given(attribute, text)));
                return false;
            }
            let detail = format!(
                "This release of the provider knows {choices}.{} It is sent as it stands; the service refuses it if it does not know it.",
                given(attribute, text)
            );
            self.found.push(Diagnostic::warning(format!("Unknown value of \"{name}\""), detail).at(path.clone()));
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
                return false;
            }
        }
        if let Some(format) = attribute.format
            && let Err(wrong) = (format.test)(text)
        {
            // The test may quote what it was given, or a part of it.
            let text = if attribute.sensitive && !format.is_form && quotes(&wrong, text) {
                format!("It must be {}.", format.about)
            } else {
                sentence(&wrong, if attribute.sensitive { None } else { Some(text) })
            };
            self.invalid(path, name, text);
            return false;
        }
        true
    }

    /// Tells of characters that nobody sees: in a name they make two objects look like one.
    fn odd_characters(&mut self, attribute: &Attribute, name: &str, text: &str, path: &Path) {
        let is_name = self.is_name(attribute, path);
        let unseen = text.chars().find(|letter| is_unseen(*letter));
        let what = match unseen {
            Some(letter) => format!("a character that nobody sees (U+{:04X})", u32::from(letter)),
            None if text.trim() != text && (is_name || !attribute.lines) => "a blank at its beginning or end".to_owned(),
            None => return,
        };
        let detail = format!("The text has {what}. Two texts that look the same are then not the same: write it without.");
        let found = if is_name {
            Diagnostic::error(format!("Invalid value of \"{name}\""), detail)
        } else {
            Diagnostic::warning(format!("\"{name}\" does not look as it is"), detail)
        };
        self.found.push(found.at(path.clone()));
    }

    /// Tells whether an attribute is a name or a key of the object.
    fn is_name(&self, attribute: &Attribute, path: &Path) -> bool {
        path.0.len() == 1 && self.names.contains(&attribute.name)
    }

    fn number(&mut self, attribute: &Attribute, name: &str, number: &Number, path: &Path) {
        let given = || if attribute.sensitive { String::new() } else { format!(" The configuration says {number}.") };
        if attribute.kind.scalar() == Some(Scalar::Integer) && number.as_i64().is_none() {
            if self.of_form() {
                self.invalid(path, name, format!("A whole number (of 64 bits) is needed.{}", given()));
            }
            return;
        }
        if let Some((least, most)) = attribute.range
            && self.of_service()
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

/// Tells whether a value is one that stands already.
fn stands(attribute: &Attribute, standing: &Value, value: &Value) -> bool {
    let count = |value: &Value| value.as_elements().map(<[Value]>::len);
    // A set that has an element in two spellings means the same as without the second.
    same(attribute, standing, value) && count(standing) == count(value)
}

/// What the configuration says, where that may be shown.
fn given(attribute: &Attribute, text: &str) -> String {
    if attribute.sensitive { String::new() } else { format!(" The configuration says {text:?}.") }
}

/// Tells whether a character turns the direction of text, or has no width.
pub fn is_unseen(letter: char) -> bool {
    matches!(
        letter,
        '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}'
    )
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
