//! What stands at the service and has no attribute.
//!
//! The state holds what stands, as the last read saw it, so that a list in the configuration that leaves something out is a difference to it.
//! What was accepted (by the last apply or import) is not in the state: the caller keeps it beside the state and hands it in as `seen`.

use super::get;
use super::standing::{Stands, stands};
use crate::schema::{Attribute, Record, Remote, Resource, capital};
use crate::value::{Diagnostic, Diagnostics, Path, Value};

/// What becomes of an object with settings that have no attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// It is removed.
    Removed,
    /// It is made anew.
    Replaced,
}

/// What stands and has no attribute, sorted; nothing if the resource has no such line, or the record does not know.
pub fn of(resource: &Resource, record: &Record) -> Option<Vec<String>> {
    texts(get(Some(record.members()), line(resource)?.name))
}

/// What an import says of an object that has such settings.
pub fn found(resource: &Resource, record: &Record) -> Option<Diagnostic> {
    let standing = of(resource, record).filter(|standing| !standing.is_empty())?;
    let called = resource.called(record);
    Some(Diagnostic::warning(
        format!("{} has settings without an argument", capital(&called)),
        format!(
            "This provider has no argument for them, and never changes them:\n{}\n\nThey are kept, and listed in `unmanaged`. Plans warn when they change. A \
             new object, or this one made anew, would not have them.",
            lines(&standing)
        ),
    ))
}

/// What a plan says of an object that exists: that what stands is no longer what the last apply or import saw, or that apply will refuse to
/// remove what the configuration does not list.
pub fn planned(resource: &Resource, prior: &Record, config: &Record, seen: &[String]) -> Option<Diagnostic> {
    let line = line(resource)?;
    let standing = of(resource, prior)?;
    let at = Path::root().attribute(line.name);
    let called = capital(&resource.called(prior));
    match get(Some(config.members()), line.name) {
        Value::Null => {
            let new: Vec<String> = standing.iter().filter(|one| !seen.contains(one)).cloned().collect();
            let gone: Vec<String> = seen.iter().filter(|one| !standing.contains(one)).cloned().collect();
            let mut parts = Vec::new();
            if !new.is_empty() {
                parts.push(format!("Since the last apply or import, these were added:\n{}", lines(&new)));
            }
            if !gone.is_empty() {
                parts.push(format!("Since the last apply or import, these were removed:\n{}", lines(&gone)));
            }
            if parts.is_empty() {
                return None;
            }
            let all = list(&standing);
            parts.push(format!(
                "This provider has no argument for them, and never changes them. To accept what stands, write `unmanaged = {all}`, or apply a change of the \
                 object. To have it refused, write `unmanaged = []`."
            ));
            Some(Diagnostic::warning(format!("{called} has changed where no argument shows it"), parts.join("\n\n")).at(at))
        }
        written => {
            let others = others(&standing, &texts(written)?);
            (!others.is_empty()).then(|| {
                Diagnostic::warning(
                    format!("{called} has settings that apply cannot remove"),
                    format!(
                        "They are not listed in `unmanaged`:\n{}\n\nThis provider has no argument for them. Apply changes nothing of this object until they \
                         are removed by hand, or listed.",
                        lines(&others)
                    ),
                )
                .at(at)
            })
        }
    }
}

/// What a plan that removes an object, or makes it anew, says of what is lost. What is always there is only let go.
pub fn lost(resource: &Resource, standing: &[String], record: &Record, lost: Lost) -> Option<Diagnostic> {
    let line = line(resource)?;
    if standing.is_empty() || stands(resource, record.members()) == Stands::Always {
        return None;
    }
    let (what, then) = match lost {
        Lost::Removed => ("is removed", "They are lost, and creating the object again does not bring them back."),
        Lost::Replaced => ("is made anew", "The new object does not have them: set them by hand, or keep the object."),
    };
    Some(
        Diagnostic::warning(
            format!("{} {what} with settings that have no argument", capital(&resource.called(record))),
            format!("{}\n\n{then}", lines(standing)),
        )
        .at(Path::root().attribute(line.name)),
    )
}

/// Why an update is refused before anything is sent: settings that are not listed, and that only a person can remove.
pub fn refused(resource: &Resource, prior: &Record, planned: &Record) -> Option<Diagnostic> {
    let line = line(resource)?;
    let others = others(&of(resource, prior)?, &of(resource, planned)?);
    (!others.is_empty()).then(|| {
        Diagnostic::error(
            format!("Unable to remove settings of {}", resource.called(prior)),
            format!(
                "These are not listed in `unmanaged`, and this provider has no argument by which it could remove them:\n{}\n\nNothing was sent. Remove them by \
                 hand, or list them in `unmanaged`, and plan again.",
                lines(&others)
            ),
        )
        .at(Path::root().attribute(line.name))
    })
}

/// What of a new object's list cannot be: it has only what has an argument. What is always there was not made by anybody, and may have them.
pub(super) fn of_new(resource: &Resource, prior: Option<&Record>, config: &Record) -> Diagnostics {
    let Some(line) = line(resource).filter(|_| prior.is_none()) else { return Diagnostics::new() };
    let listed = config.get(line.name).as_elements().unwrap_or_default();
    if listed.is_empty() || stands(resource, config.members()) != Stands::Never {
        return Diagnostics::new();
    }
    let listed: Vec<String> = listed.iter().filter_map(Value::as_text).map(str::to_owned).collect();
    vec![
        Diagnostic::error(
            "A new object has no unmanaged settings",
            format!(
                "`unmanaged` lists settings that this provider has no argument for, and cannot make:\n{}\n\nTo keep the object that has them, import it \
                 instead of making it. To make one without them, leave `unmanaged` out, or write `[]`.",
                lines(&listed)
            ),
        )
        .at(Path::root().attribute(line.name)),
    ]
}

/// Tells whether all that stands is listed. Both must be known.
pub(super) fn is_within(standing: &Value, listed: &Value) -> bool {
    match (standing, listed) {
        (Value::Set(standing), Value::Set(listed)) => {
            standing.iter().chain(listed).all(Value::is_wholly_known) && standing.iter().all(|one| listed.contains(one))
        }
        _ => false,
    }
}

/// The line of the table, if it has one.
fn line(resource: &Resource) -> Option<&'static Attribute> {
    resource.attributes.iter().find(|attribute| attribute.remote == Remote::Unmanaged)
}

fn others(standing: &[String], listed: &[String]) -> Vec<String> {
    standing.iter().filter(|one| !listed.contains(one)).cloned().collect()
}

fn texts(value: &Value) -> Option<Vec<String>> {
    if !value.is_wholly_known() {
        return None;
    }
    let mut texts: Vec<String> = value.as_elements()?.iter().filter_map(Value::as_text).map(str::to_owned).collect();
    texts.sort();
    Some(texts)
}

fn lines(items: &[String]) -> String {
    items.iter().map(|item| format!("  - {item}")).collect::<Vec<_>>().join("\n")
}

/// The list as a configuration spells it.
fn list(items: &[String]) -> String {
    let quoted = |item: &String| format!("{item:?}").replace("${", "$${").replace("%{", "%%{");
    format!("[{}]", items.iter().map(quoted).collect::<Vec<_>>().join(", "))
}

impl Record {
    /// Puts what stands and has no attribute into a record that a reader makes.
    pub fn set_unmanaged(&mut self, resource: &Resource, found: impl IntoIterator<Item = String>) {
        if let Some(line) = line(resource) {
            self.set(line.name, Value::set(found.into_iter().map(Value::String).collect()));
        }
    }
}
