//! What must hold between attributes.

use super::complete::with_defaults;
use super::equality::{is_empty, same};
use super::standing::{Stands, standing};
use crate::schema::{Attribute, Fill, Presence, Record, Rule};
use crate::value::{Diagnostic, Diagnostics, Path, Value};

/// Checks the rules of a table. A rule that an unknown value could still fulfil is let pass.
pub(super) fn check(attributes: &[Attribute], rules: &[Rule], config: &Record) -> Diagnostics {
    check_new(attributes, rules, None, config, Stands::Never)
}

/// The advice that the rules give about a configuration, whatever stands.
pub(super) fn advice(rules: &[Rule], config: &Record) -> Diagnostics {
    let mut found = Diagnostics::new();
    for rule in rules {
        if let Rule::Hook(_, test) = rule {
            found.extend(test(config).into_iter().filter(|said| !said.is_error()));
        }
    }
    found
}

/// Checks the rules for what is new: one that only speaks of what stands as it did is not raised. Advice was given before, but for that
/// which looks at what stands.
pub(super) fn judge(
    attributes: &[Attribute],
    rules: &[Rule],
    prior: Option<&Record>,
    config: &Record,
    object: Stands,
) -> Diagnostics {
    let mut found = check_new(attributes, rules, prior, config, object);
    found.retain(Diagnostic::is_error);
    for rule in rules {
        if let Rule::Advice(_, test) = rule {
            found.extend(test(prior, config).into_iter().filter(|said| !said.is_error()));
        }
    }
    found
}

fn check_new(attributes: &[Attribute], rules: &[Rule], prior: Option<&Record>, config: &Record, object: Stands) -> Diagnostics {
    if rules.is_empty() {
        return Diagnostics::new();
    }
    let stands = standing(attributes, prior, config, object);
    let filled = with_defaults(attributes, &stands);
    let written = |name: &str| state(config, name);
    let in_effect = |name: &str| match state(&filled, name) {
        State::Unset if left_to_service(attributes, name) => State::Unknown,
        state => state,
    };
    // A rule speaks of what is new if one of its partners is.
    let before = prior.map(|prior| with_defaults(attributes, prior));
    let is_new =
        |names: &[&str]| before.as_ref().is_none_or(|before| names.iter().any(|name| differs(attributes, before, &filled, name)));
    let mut found = Diagnostics::new();
    for rule in rules {
        let concerns_what_is_new = match rule {
            Rule::Requires(first, second) => is_new(&[first, second]),
            Rule::Conflicts(names) | Rule::AtLeastOne(names, _) | Rule::ExactlyOne(names, _) | Rule::Together(names) => {
                is_new(names)
            }
            Rule::Hook(..) => true,
            Rule::Advice(..) => false,
        };
        if !concerns_what_is_new {
            continue;
        }
        match rule {
            Rule::Requires(first, second) => {
                if written(first) == State::Set && in_effect(second) == State::Unset {
                    let needed = needed(&filled, second);
                    let text = format!("`{first}` may only be set where {needed}. Add it, or leave `{first}` out.");
                    found.push(Diagnostic::error(format!("\"{first}\" requires \"{second}\""), text).at(Path::dotted(first)));
                }
            }
            Rule::Conflicts(names) => {
                let mut set = names.iter().filter(|name| written(name) == State::Set);
                if let Some(first) = set.next() {
                    for other in set {
                        let text = format!("At most one of {} may be set: leave all but one out.", list(names));
                        let summary = format!("\"{other}\" conflicts with \"{first}\"");
                        found.push(Diagnostic::error(summary, text).at(Path::dotted(other)));
                    }
                }
            }
            Rule::AtLeastOne(names, why) => {
                if names.iter().all(|name| in_effect(name) == State::Unset) {
                    let text = format!("At least one of {} must be set. {why}", list(names));
                    let error = Diagnostic::error("Missing argument", text);
                    found.push(match shared_parent(names).filter(|parent| !config.at(parent).is_null()) {
                        Some(parent) => error.at(Path::dotted(parent)),
                        None => error,
                    });
                }
            }
            Rule::ExactlyOne(names, why) => {
                let mut set = names.iter().filter(|name| written(name) == State::Set);
                let first = set.next();
                for other in set {
                    let text = format!("Exactly one of {} must be set: leave all but one out. {why}", list(names));
                    found.push(Diagnostic::error(format!("\"{other}\" is one too many"), text).at(Path::dotted(other)));
                }
                if first.is_none() && names.iter().all(|name| written(name) == State::Unset) {
                    let text = format!("Exactly one of {} must be set. {why}", list(names));
                    found.push(Diagnostic::error("Missing argument", text));
                }
            }
            Rule::Together(names) => {
                let Some(set) = names.iter().find(|name| written(name) == State::Set) else { continue };
                let missing: Vec<&str> = names.iter().copied().filter(|name| in_effect(name) == State::Unset).collect();
                if !missing.is_empty() {
                    let text = format!("{} belong together: add {}, or leave all of them out.", list(names), list(&missing));
                    let summary = format!("\"{set}\" does not stand alone");
                    found.push(Diagnostic::error(summary, text).at(Path::dotted(set)));
                }
            }
            Rule::Advice(..) => {}
            Rule::Hook(_, test) => {
                // What is said of the object as it stands is not said of the change; and what only holds where a setting that is left as
                // it stands is taken for none, or only between what is left so and the rest, is left to the service.
                let before = prior.map(test).unwrap_or_default();
                let as_it_stands = (prior.is_some() || object != Stands::Never).then(|| test(&stands));
                let is_new =
                    |said: &Diagnostic| !before.contains(said) && as_it_stands.as_ref().is_none_or(|all| all.contains(said));
                found.extend(test(config).into_iter().filter(is_new));
            }
        }
    }
    found
}

/// Tells whether an argument means something else than what stands.
fn differs(attributes: &[Attribute], prior: &Record, filled: &Record, name: &str) -> bool {
    let Some(attribute) = named(attributes, name) else { return true };
    let by_version = attribute.write_only_form && {
        let version = format!("{name}_wo_version");
        prior.at(&version) != filled.at(&version)
    };
    by_version || !same(attribute, prior.at(name), filled.at(name))
}

/// The line of a dotted name.
fn named<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Attribute> {
    let (first, rest) = name.split_once('.').map_or((name, None), |(first, rest)| (first, Some(rest)));
    let attribute = attributes.iter().find(|attribute| attribute.name == first)?;
    match rest {
        None => Some(attribute),
        Some(rest) => named(attribute.kind.members()?, rest),
    }
}

/// What a rule says, for the docs.
pub(super) fn about(rule: &Rule) -> String {
    match rule {
        Rule::Requires(first, second) => format!("`{first}` requires `{second}`."),
        Rule::Conflicts(names) => format!("At most one of {} may be set.", list(names)),
        Rule::AtLeastOne(names, why) => format!("At least one of {} must be set. {why}", list(names)),
        Rule::Together(names @ [_, _]) => format!("{} belong together: both are set, or neither.", list(names)),
        Rule::ExactlyOne(names, why) => format!("Exactly one of {} must be set. {why}", list(names)),
        Rule::Together(names) => format!("{} belong together: all of them are set, or none.", list(names)),
        Rule::Hook(about, _) | Rule::Advice(about, _) => (*about).to_owned(),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Set,
    Unset,
    Unknown,
}

/// Tells whether an argument is set, in its plain or its write-only form.
fn state(config: &Record, name: &str) -> State {
    let one = |value: &Value| match value {
        Value::Unknown(_) => State::Unknown,
        Value::Null | Value::Bool(false) => State::Unset,
        value if is_empty(value) => State::Unset,
        _ => State::Set,
    };
    match (one(config.at(name)), one(config.at(&format!("{name}_wo")))) {
        (State::Set, _) | (_, State::Set) => State::Set,
        (State::Unknown, _) | (_, State::Unknown) => State::Unknown,
        _ => State::Unset,
    }
}

/// Tells whether an argument is one that the service sets where it is left out.
fn left_to_service(attributes: &[Attribute], name: &str) -> bool {
    let (first, rest) = name.split_once('.').map_or((name, None), |(first, rest)| (first, Some(rest)));
    let Some(attribute) = attributes.iter().find(|attribute| attribute.name == first) else { return false };
    let by_service = matches!(attribute.presence, Presence::Filled(Fill::Service) | Presence::Computed);
    by_service || rest.is_some_and(|rest| left_to_service(attribute.kind.members().unwrap_or_default(), rest))
}

fn needed(config: &Record, name: &str) -> String {
    match config.at(name) {
        Value::Bool(_) => format!("`{name}` is true"),
        Value::List(_) | Value::Set(_) | Value::Map(_) => format!("`{name}` is not empty"),
        _ => format!("`{name}` is set"),
    }
}

fn list(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [most @ .., last] if !most.is_empty() => format!("{} and {last}", most.join(", ")),
        _ => names.concat(),
    }
}

/// The object in which all of these stand.
fn shared_parent<'a>(names: &[&'a str]) -> Option<&'a str> {
    let mut parents = names.iter().map(|name| name.rsplit_once('.').map(|(parent, _)| parent));
    let first = parents.next()??;
    parents.all(|parent| parent == Some(first)).then_some(first)
}
