//! What is said when a write did not go as planned.

use std::time::Duration;

use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

use super::binding::{Cmdlets, Life};
use super::shape::{Leaf, leaves, shown};
use crate::exchange::answer::Object;
use crate::exchange::fault;
use crate::remote::{Error, Kind, names};
use crate::schema::{Record, article, capital};
use crate::value::{Diagnostic, Path};

pub(super) fn taken(cmdlets: &Cmdlets, object: &Object, name: &str, error: &Error) -> Error {
    let id = cmdlets.id(object).unwrap_or_default();
    Error {
        context: error.context.clone(),
        ..Error::new(
            Kind::Conflict,
            format!(
                "{} {} with the name {name:?} already exists, and nothing was overwritten. The service said: {}",
                article(cmdlets.resource.noun),
                cmdlets.resource.noun,
                error.message
            ),
        )
        .hint(import(cmdlets, name, &id))
        .at(Path::dotted(cmdlets.resource.title))
    }
}

/// Two resources for one object.
pub(super) fn twice(cmdlets: &Cmdlets, record: &Record) -> Error {
    let said = names::twice(cmdlets.resource, record, None);
    let error = Error::new(Kind::Conflict, said.detail);
    match said.path {
        Some(path) => error.at(path),
        None => error,
    }
}

/// How an attribute of an object differs from what is wanted.
pub(super) fn difference(leaf: &Leaf, now: &Record, wanted: &Record) -> String {
    format!("`{}` is {} and is to be {}", leaf.name, shown(leaf, now.at(&leaf.name)), shown(leaf, wanted.at(&leaf.name)))
}

/// An object that has to be there to be adopted, and is not.
pub(super) fn absent(cmdlets: &Cmdlets, record: &Record) -> Error {
    let called = cmdlets.called(record);
    match cmdlets.life {
        Life::Single { .. } => Error::new(
            Kind::Unexpected,
            format!("`{}` was asked over several connections and does not show {called}, which every organization has.", cmdlets.cmdlet("Get")),
        )
        .hint("Check that the application may read it, and that the organization is set up (`Enable-OrganizationCustomization`)."),
        _ => Error::new(Kind::NotFound, format!("`{}` was asked over several connections and does not show {called}.", cmdlets.cmdlet("Get")))
            .hint("This resource manages what is there and makes nothing: add it to the tenant first (a domain, in Microsoft Entra), and apply again.")
            .at(Path::dotted(cmdlets.resource.title)),
    }
}

pub(super) fn import(cmdlets: &Cmdlets, name: &str, id: &str) -> String {
    names::import_block(cmdlets.resource, name, id)
}

/// What to do about a new object of which it is not known whether it is there.
pub(super) fn open(cmdlets: &Cmdlets, error: Error, name: &str) -> Error {
    let hint = error.hint.clone().map(|hint| format!("{hint} ")).unwrap_or_default();
    error.hint(format!("{hint}If it is there now, it is not in the state. {}", import(cmdlets, name, name)))
}

pub(super) fn not_shown(cmdlets: &Cmdlets, wanted: &Record, limit: Duration) -> Error {
    Error::new(
        Kind::Unavailable,
        format!(
            "Exchange Online took `{}`, but does not show {} after {}.",
            cmdlets.cmdlet("New"),
            cmdlets.called(wanted),
            seconds(limit)
        ),
    )
    .hint("Its servers agree with each other only after a while. Apply again later.")
}

/// The warning for an object that is not shown as we wrote it a short time ago.
pub(super) fn behind(cmdlets: &Cmdlets, state: &Record, is_shown: bool, ends: OffsetDateTime) -> Diagnostic {
    let what = if is_shown { "show it as it was before" } else { "do not show it yet" };
    Diagnostic::warning(
        format!("{} is not shown as it was written yet", capital(&cmdlets.called(state))),
        format!(
            "Terraform wrote it a short time ago, and the servers of Exchange Online that were asked {what}: they agree with each other only after \
             a while. The state is kept as it is. Plan again later. What was changed by hand since shows in a plan after {}.",
            moment(ends)
        ),
    )
}

/// The error for a change of an object that is not shown, or not gone for certain, a short time after our own write.
pub(super) fn not_there_yet(cmdlets: &Cmdlets, state: &Record, verb: &str, ends: OffsetDateTime) -> Error {
    Error::new(
        Kind::Unavailable,
        format!(
            "Terraform wrote {} a short time ago, and the servers of Exchange Online that were asked do not show it: it is not known whether it is \
             gone or not there yet. It was not {verb}.",
            cmdlets.called(state)
        ),
    )
    .hint(format!("Its servers agree with each other only after a while. Try again later; after {} what is not shown counts as gone.", moment(ends)))
}

/// A moment to the second, in UTC.
fn moment(moment: OffsetDateTime) -> String {
    moment
        .to_offset(UtcOffset::UTC)
        .replace_nanosecond(0)
        .ok()
        .and_then(|moment| moment.format(&Rfc3339).ok())
        .unwrap_or_default()
}

pub(super) fn ignored(other: &[Leaf], wanted: &Record, actual: &Record, limit: Duration) -> Error {
    let list: Vec<_> = other
        .iter()
        .map(|leaf| {
            format!(
                "`{}` is {} and {} was sent",
                leaf.name,
                shown(leaf, actual.at(&leaf.name)),
                shown(leaf, wanted.at(&leaf.name))
            )
        })
        .collect();
    let error = Error::new(
        Kind::Unexpected,
        format!("Exchange Online took the change without an error, and still shows something else after {}: {}.", seconds(limit), list.join("; ")),
    )
    .hint(if other.iter().any(|leaf| leaf.name == "enabled" && wanted.truth("enabled") == Some(true)) {
        fault::CREATED_DISABLED
    } else {
        "Either the application's role does not include this parameter, or the service ignored or rewrote it. Check the role (Exchange Administrator has all of them), then the value."
    });
    match other.first() {
        Some(leaf) => error.at(leaf.path()),
        None => error,
    }
}

pub(super) fn unchecked(error: Error, reading: &Error) -> Error {
    let hint = format!(
        "It is not known whether this was done, because reading it back failed too: {} Plan again; what was made by it may have to be imported.",
        reading.message
    );
    error.hint(hint)
}

pub(super) fn unread(error: Error) -> Error {
    Error { message: format!("The change was sent, but could not be read back: {}", error.message), ..error }
}

/// Puts an error of the service on the attribute whose parameter it names.
pub(super) fn located(cmdlets: &Cmdlets, error: Error) -> Error {
    if error.path.is_some() || error.kind != Kind::Invalid {
        return error;
    }
    let words: Vec<&str> = error.message.split(|letter: char| !letter.is_ascii_alphanumeric()).collect();
    // `From` and `Mode` are words of the language, too.
    let telling = |name: &str| name.chars().skip(1).any(|letter| letter.is_ascii_uppercase()) && words.contains(&name);
    let named = leaves(cmdlets.resource).into_iter().filter(|leaf| telling(&leaf.parameter));
    match named.max_by_key(|leaf| leaf.parameter.len()) {
        Some(leaf) => error.at(leaf.path()),
        None => error,
    }
}

pub(super) fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f64().ceil())
}
