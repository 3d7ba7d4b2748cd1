//! The last look at an object before it leaves.

use super::complete::complete;
use super::equality::{alike, alike_elements, same};
use super::{Members, TIMEOUTS, attributes, get, unmanaged};
use crate::schema::{Attribute, Kind, Record, Remote, Resource};
use crate::value::{Diagnostic, Diagnostics, Path, Refinement, Value};

/// Checks an object against what was planned before it leaves, as the host itself will. What differs becomes an
/// error on the attribute; the object that is returned can always be saved: it holds what the service stores, every
/// attribute of its type, and nothing unknown or write-only.
#[expect(clippy::needless_pass_by_value, reason = "what was checked replaces what was not")]
pub fn guard(resource: &Resource, planned: &Record, applied: Record) -> (Record, Diagnostics) {
    let mut found = Diagnostics::new();
    let actual = complete(attributes(resource), Some(applied.members()), &Path::root(), &mut found);
    let mut unplanned = Vec::new();
    let kept = members(attributes(resource), planned.members(), actual, &Place::default(), &mut unplanned);
    // One message for each attribute is enough: what could not be read differs from the plan for that reason alone.
    unplanned.retain(|new| !found.iter().any(|old| old.path.as_ref() == Some(&new.path)));
    found.extend(unplanned.into_iter().map(Difference::diagnostic));
    (kept.into(), found)
}

/// Holds a new object, which stands and is not as it was planned, to the plan: the object that is returned has every planned value, as the
/// host demands of a create that succeeds, and what only the service could tell as it stands. With it come the object as it stands, for
/// the plan that is to follow, and where the two differ.
pub fn keep(resource: &Resource, planned: &Record, applied: &Record) -> (Record, Record, Vec<Difference>) {
    let mut unread = Diagnostics::new();
    let actual = complete(attributes(resource), Some(applied.members()), &Path::root(), &mut unread);
    let mut found = Vec::new();
    let standing = members(attributes(resource), planned.members(), actual, &Place::default(), &mut found);
    let kept = promised_members(attributes(resource), planned.members(), &standing);
    let of_reading = unread.into_iter().map(|unread| Difference { path: unread.path.unwrap_or_default(), words: unread.detail });
    let mut differences: Vec<Difference> = of_reading.collect();
    for difference in found {
        if !differences.iter().any(|known| known.path == difference.path) {
            differences.push(difference);
        }
    }
    (kept.into(), standing.into(), differences)
}

fn promised_members<'a>(attributes: impl IntoIterator<Item = &'a Attribute>, planned: &Members, actual: &Members) -> Members {
    let mut kept = actual.clone();
    for attribute in attributes {
        let value = promised(attribute, get(Some(planned), attribute.name), get(Some(actual), attribute.name));
        kept.insert(attribute.name.to_owned(), value);
    }
    kept
}

/// The planned value, with what stands in place of what was unknown in it.
fn promised(attribute: &Attribute, planned: &Value, actual: &Value) -> Value {
    match (attribute.kind, planned) {
        (_, Value::Unknown(_)) => actual.clone(),
        (_, planned) if planned.is_wholly_known() => planned.clone(),
        (Kind::Object(inner) | Kind::Block(inner), Value::Object(planned)) => {
            let nothing = Members::new();
            let actual = actual.as_members().unwrap_or(&nothing);
            let absent = complete(inner, Some(actual), &Path::root(), &mut Diagnostics::new());
            Value::Object(promised_members(inner, planned, &absent))
        }
        (Kind::ListOf(inner) | Kind::BlockList(inner), Value::List(items)) => {
            let actual = actual.as_elements().unwrap_or_default();
            let element = |(index, planned): (usize, &Value)| {
                let standing = actual.get(index).and_then(Value::as_members);
                let standing = complete(inner, standing, &Path::root(), &mut Diagnostics::new());
                match planned {
                    Value::Object(planned) => Value::Object(promised_members(inner, planned, &standing)),
                    _ => Value::Object(standing),
                }
            };
            Value::List(items.iter().enumerate().map(element).collect())
        }
        (Kind::List(_), Value::List(items)) => {
            let actual = actual.as_elements().unwrap_or_default();
            let element = |(index, planned): (usize, &Value)| {
                if planned.is_unknown() { actual.get(index).cloned().unwrap_or_default() } else { planned.clone() }
            };
            Value::List(items.iter().enumerate().map(element).collect())
        }
        (_, planned) if completes(attribute, planned, actual) => actual.clone(),
        // A set may shrink.
        (Kind::Set(_) | Kind::SetOf(_), Value::Set(items)) => {
            Value::set(items.iter().filter(|item| item.is_wholly_known()).cloned().collect())
        }
        (Kind::Map(_), Value::Map(items)) => {
            let known = |value: &Value| if value.is_unknown() { Value::Null } else { value.clone() };
            Value::Map(items.iter().map(|(key, value)| (key.clone(), known(value))).collect())
        }
        _ => actual.clone(),
    }
}

/// Where an object is not as it was planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The attribute.
    pub path: Path,
    /// What was planned and what stands, in one sentence. A sensitive value is not in it.
    pub words: String,
}

impl Difference {
    fn diagnostic(self) -> Diagnostic {
        let Difference { path, words } = self;
        let detail = format!(
            "{words}\n\nThe service took the request and did not do all of it: the account may not be allowed to change this setting, the service may \
             change such values by itself, or somebody else changed it at the same time. The state holds what the service stores; the \
             next plan shows the difference."
        );
        Diagnostic::error(format!("\"{path}\" is not what was planned"), detail).at(path)
    }
}

/// Where a comparison stands, and whether values there may be shown.
#[derive(Clone, Default)]
struct Place {
    path: Path,
    sensitive: bool,
}

impl Place {
    fn attribute(&self, attribute: &Attribute) -> Place {
        Place { path: self.path.attribute(attribute.name), sensitive: self.sensitive || attribute.sensitive }
    }

    fn index(&self, index: usize) -> Place {
        Place { path: self.path.index(index), ..*self }
    }
}

fn members<'a>(
    attributes: impl IntoIterator<Item = &'a Attribute>,
    planned: &Members,
    mut actual: Members,
    place: &Place,
    found: &mut Vec<Difference>,
) -> Members {
    for attribute in attributes {
        let promised = get(Some(planned), attribute.name);
        let stored = actual.remove(attribute.name).unwrap_or_default();
        let is_own = attribute.remote == Remote::Local || attribute.name == TIMEOUTS.name;
        let value = if is_own && promised.is_wholly_known() {
            promised.clone()
        } else {
            value(attribute, promised, stored, &place.attribute(attribute), found)
        };
        actual.insert(attribute.name.to_owned(), value);
        if attribute.write_only_form {
            // The service does not know versions: they are as planned.
            let version = attribute.version_name();
            if let known @ (Value::Null | Value::Number(_)) = get(Some(planned), &version) {
                actual.insert(version, known.clone());
            }
        }
    }
    actual
}

fn value(attribute: &Attribute, planned: &Value, actual: Value, place: &Place, found: &mut Vec<Difference>) -> Value {
    let hidden = || place.sensitive || holds_sensitive(attribute);
    match (attribute.kind, planned, actual) {
        (_, Value::Unknown(known), actual) => {
            if !known.as_deref().is_none_or(|known| fits(known, &actual)) {
                found.push(difference(place, hidden(), "what the plan announced", &actual));
            }
            actual
        }
        (Kind::Object(inner), Value::Object(planned), Value::Object(actual)) => {
            Value::Object(members(inner, planned, actual, place, found))
        }
        // The host wants the block exactly where it was planned; that there is none is then said of each of its arguments.
        (Kind::Block(inner), Value::Object(planned), actual @ (Value::Object(_) | Value::Null)) => {
            let actual = if let Value::Object(actual) = actual {
                actual
            } else {
                let mut unread = Diagnostics::new();
                let nothing = complete(inner, None, &place.path, &mut unread);
                let told = unread.into_iter().filter_map(|unread| Some(Difference { path: unread.path?, words: unread.detail }));
                found.extend(told);
                nothing
            };
            Value::Object(members(inner, planned, actual, place, found))
        }
        (Kind::ListOf(inner) | Kind::BlockList(inner), Value::List(planned), Value::List(actual))
            if planned.len() == actual.len() =>
        {
            let pairs = planned.iter().zip(actual).enumerate();
            let elements = pairs.map(|(index, (planned, actual))| match (planned, actual) {
                (Value::Object(planned), Value::Object(actual)) => {
                    Value::Object(members(inner, planned, actual, &place.index(index), found))
                }
                (Value::Unknown(_), actual) => actual,
                (planned, actual) if *planned == actual => actual,
                (planned, actual) => {
                    found.push(difference(&place.index(index), hidden(), &spelled(planned), &actual));
                    actual
                }
            });
            Value::List(elements.collect())
        }
        (_, planned, actual) if planned.is_wholly_known() && same(attribute, planned, &actual) => planned.clone(),
        (_, planned, actual) if attribute.remote == Remote::Unmanaged && unmanaged::is_within(&actual, planned) => {
            planned.clone()
        }
        (Kind::List(_), Value::List(planned_items), Value::List(items))
            if alike(attribute, planned, &Value::List(items.clone())) =>
        {
            let pairs = planned_items.iter().zip(items);
            Value::List(pairs.map(|(planned, actual)| if planned.is_unknown() { actual } else { planned.clone() }).collect())
        }
        (_, planned, actual) if !planned.is_wholly_known() && completes(attribute, planned, &actual) => actual,
        (_, planned, actual) => {
            found.push(difference(place, hidden(), &spelled(planned), &actual));
            actual
        }
    }
}

fn holds_sensitive(attribute: &Attribute) -> bool {
    attribute.sensitive || attribute.kind.members().is_some_and(|inner| inner.iter().any(holds_sensitive))
}

/// Tells whether a collection completes one that was partly unknown at plan: maps keep their keys and what was
/// known; sets may shrink (unknown elements may turn out equal) and never grow.
fn completes(attribute: &Attribute, planned: &Value, actual: &Value) -> bool {
    match (attribute.kind, planned, actual) {
        (Kind::Map(_), Value::Map(planned), Value::Map(actual)) => {
            let known = |(key, value): (&String, &Value)| value.is_unknown() || actual.get(key) == Some(value);
            planned.len() == actual.len() && planned.keys().eq(actual.keys()) && planned.iter().all(known)
        }
        (Kind::Set(_) | Kind::SetOf(_), Value::Set(planned), Value::Set(actual)) => {
            let pair = |planned: &Value, actual: &Value| match attribute.kind {
                Kind::SetOf(inner) => alike_elements(inner, planned, actual),
                _ => planned.is_unknown() || planned == actual,
            };
            actual.len() <= planned.len()
                && planned.iter().all(|planned| actual.iter().any(|actual| pair(planned, actual)))
                && actual.iter().all(|actual| planned.iter().any(|planned| pair(planned, actual)))
        }
        _ => false,
    }
}

/// Tells whether a value is what was said of it while it was unknown.
fn fits(known: &Refinement, value: &Value) -> bool {
    if value.is_null() {
        return known.null != Some(false);
    }
    if known.null == Some(true) {
        return false;
    }
    let length = value.as_elements().map(<[Value]>::len).or_else(|| value.as_members().map(Members::len));
    let length = length.map(|length| u64::try_from(length).unwrap_or(u64::MAX));
    let text = match (&known.prefix, value) {
        (Some(prefix), Value::String(text)) => text.starts_with(prefix.as_str()),
        _ => true,
    };
    let number = match value {
        Value::Number(number) => {
            let least = known.minimum.as_ref().is_none_or(|(least, inclusive)| number > least || (*inclusive && number == least));
            let most = known.maximum.as_ref().is_none_or(|(most, inclusive)| number < most || (*inclusive && number == most));
            least && most
        }
        _ => true,
    };
    let count = length
        .is_none_or(|length| known.least.is_none_or(|least| least <= length) && known.most.is_none_or(|most| length <= most));
    text && number && count
}

fn difference(place: &Place, hidden: bool, planned: &str, actual: &Value) -> Difference {
    let path = &place.path;
    let words = if hidden {
        format!("`{path}` was to be as planned, the service stores something else. (The values are sensitive and not shown.)")
    } else {
        format!("`{path}` was to be {planned}, the service stores {}.", spelled(actual))
    };
    Difference { path: path.clone(), words }
}

/// The most characters of a value in a message.
const MOST_SHOWN: usize = 200;

/// A value as a message shows it. Whether it may be shown is for the caller to know.
pub fn spelled(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    match out.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => format!("{}…", out.get(..end).unwrap_or_default()),
        None => out,
    }
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("nothing"),
        Value::Unknown(_) => out.push_str("(known after apply)"),
        Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::String(text) => out.extend(["\"", &text.escape_debug().to_string(), "\""]),
        Value::List(items) | Value::Set(items) | Value::Tuple(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                write(item, out);
            }
            out.push(']');
        }
        Value::Map(members) | Value::Object(members) => {
            out.push('{');
            let set = members.iter().filter(|(_, value)| !value.is_null());
            for (index, (name, value)) in set.enumerate() {
                out.push_str(if index == 0 { " " } else { ", " });
                out.push_str(name);
                out.push_str(" = ");
                write(value, out);
            }
            out.push_str(" }");
        }
        Value::Dynamic(inner) => write(&inner.1, out),
    }
}
