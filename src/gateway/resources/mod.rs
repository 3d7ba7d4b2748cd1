//! The resources of the gateway: one file each.
//!
//! A file has the table that describes the object, and `stage`, which declares the dialogs for a change of it. What the device prints
//! is understood in `gateway/printouts`.

pub(in crate::gateway) mod forms;

pub(in crate::gateway) mod destination_control;
pub(in crate::gateway) mod host_access;
pub(in crate::gateway) mod listener_defaults;
pub(in crate::gateway) mod mail_flow_policy;
pub(in crate::gateway) mod message_filter;
pub(in crate::gateway) mod message_filter_order;
pub(in crate::gateway) mod policy_parameters;
mod policy_questions;
pub(in crate::gateway) mod recipient_access;
pub(in crate::gateway) mod sender_group;
pub(in crate::gateway) mod sender_group_order;
pub(in crate::gateway) mod smtp_route;
pub(in crate::gateway) mod tls_settings;

use std::sync::Arc;

use super::dialog::{Dialog, Picker, Said};
use super::order;
use super::printouts;
use super::relay;
use super::table::{Edit, Printout, Row, Rows, Table};
use crate::remote::Error;
use crate::schema::{Attribute, Import, Kind, Record, Resource, Scalar, Timeouts, engine};
use crate::value::{Diagnostic, Diagnostics, Path, Step, Value};

/// All tables of this side.
pub const TABLES: &[&Table] = &[
    &destination_control::TABLE,
    &listener_defaults::TABLE,
    &mail_flow_policy::TABLE,
    &message_filter::TABLE,
    &message_filter_order::TABLE,
    &recipient_access::TABLE,
    &sender_group::TABLE,
    &sender_group_order::TABLE,
    &smtp_route::TABLE,
    &tls_settings::TABLE,
];

/// All resources of this side.
pub const ALL: &[&Resource] = &[
    &destination_control::RESOURCE,
    &listener_defaults::RESOURCE,
    &mail_flow_policy::RESOURCE,
    &message_filter::RESOURCE,
    &message_filter_order::RESOURCE,
    &recipient_access::RESOURCE,
    &sender_group::RESOURCE,
    &sender_group_order::RESOURCE,
    &smtp_route::RESOURCE,
    &tls_settings::RESOURCE,
];

/// What a printout shows of an object and no argument is for, with the forms in which it is told.
const UNMANAGED: Attribute = Attribute {
    about: "Settings of the object that the gateway prints and this provider has no argument for. It never changes them. Each is told as `label = value` in the \
            words of the gateway, such as `dkim_profile = partners`. What says nothing (`Default`, `Off`, `No`, 0) is not told; a value that may be a \
            secret is shown as a fingerprint (`#1a2b3c4d`) that changes with it, and that of a label which hints at a secret not at all. Left out, the plan \
            warns while they differ from what the last apply or import found. To accept those that stand, list them; any other is then a planned \
            change, and apply refuses it with what to remove by hand. `[]` accepts none. A new object has none.",
    ..crate::schema::UNMANAGED
};

/// How long operations may take: a write waits for the others of its batch, and a commit in a cluster takes minutes.
const TIMEOUTS: Timeouts = Timeouts { write: 900, read: 300 };

/// The next dialog to walk to read a printout.
pub(super) fn dialog(printout: &Printout, said: &[Said]) -> Option<Dialog> {
    match printout {
        Printout::Listeners => printouts::listeners::dialog(said),
        Printout::Destinations => printouts::destinations::dialog(said),
        Printout::Routes => printouts::routes::dialog(said),
        Printout::Filters => printouts::filters::dialog(said),
        Printout::Tls => printouts::tls::dialog(said),
        Printout::Version => printouts::version::dialog(said),
        Printout::Account => said.is_empty().then(|| Dialog::of("whoami")),
        Printout::CommitHelp => said.is_empty().then(|| Dialog::of("help commit")),
        Printout::Recipients(listener) => printouts::recipients::dialog(listener, said),
        Printout::Hosts(listener) => printouts::hosts::dialog(listener, said),
    }
}

/// Understands what was said.
pub(super) fn parse(printout: &Printout, said: &[Said]) -> Result<Rows, Error> {
    match printout {
        Printout::Listeners => Ok(printouts::listeners::parse(said)),
        Printout::Destinations => printouts::destinations::parse(said),
        Printout::Routes => printouts::routes::parse(said),
        Printout::Filters => printouts::filters::parse(said),
        Printout::Tls => printouts::tls::parse(said),
        Printout::Version => printouts::version::parse(said),
        Printout::Account => Ok(printouts::account::parse(said)),
        Printout::CommitHelp => Ok(Rows::default()),
        Printout::Recipients(listener) => printouts::recipients::parse(listener, said),
        Printout::Hosts(listener) => printouts::hosts::parse(listener, said),
    }
}

/// Understands what was said, with the orders of what stands there, which are objects of their own.
pub(super) fn parse_with_orders(printout: &Printout, said: &[Said]) -> Result<Rows, Error> {
    Ok(order::with_order(printout, printout.parse(said)?))
}

/// The `id` under which the object of a record is found in [`Rows`]: its key attributes in the spelling that all spellings of
/// the same name share (`Example.COM` is `example.com`). `None` while a key attribute is not known.
pub fn id(resource: &Resource, record: &Record) -> Option<String> {
    match resource.import {
        Import::Lookup { .. } => record.text(resource.title).map(str::to_owned),
        Import::Key { .. } | Import::Singleton { .. } => engine::known_id(resource, record.members()),
    }
}

/// Gives a row's record in the light of what is known of the object: with `before` as it is known, if the object still stands before
/// that one (an object that somebody put between the two breaks no order), with what a policy inherits where that is wanted, and with
/// the listener's defaults that the device does not print.
pub fn as_known(rows: &Rows, row: &Row, known: &Record) -> Record {
    if row.resource == listener_defaults::RESOURCE.name {
        return with_idle(row, listener_defaults::with_unprinted(row, known), known);
    }
    as_standing(rows, row, known)
}

/// Tells whether an attribute means nothing beside the others of these records.
type IsIdle = fn(&str, &[&Record]) -> bool;

/// Gives a record with what is known of the attributes that mean nothing beside the others: what the device shows of these does not count.
fn with_idle(row: &Row, mut record: Record, known: &Record) -> Record {
    let (resource, is_idle): (&Resource, IsIdle) = match row.resource {
        name if name == listener_defaults::RESOURCE.name => (&listener_defaults::RESOURCE, listener_defaults::is_idle),
        name if name == destination_control::RESOURCE.name => (&destination_control::RESOURCE, destination_control::is_idle),
        _ => return record,
    };
    for attribute in resource.attributes {
        let value = known.get(attribute.name);
        if !value.is_null() && value.is_wholly_known() && is_idle(attribute.name, &[known, &row.record]) {
            record.set(attribute.name, value.clone());
        }
    }
    record
}

/// What holds for an attribute: the first of these records that says it.
fn held<'a>(records: &[&'a Record], name: &str) -> &'a Value {
    let mut values = records.iter().map(|record| record.get(name));
    values.find(|value| !value.is_null() && value.is_wholly_known()).unwrap_or(&Value::Null)
}

/// Gives a row's record as [`as_known`] does, without what the device does not print.
pub fn as_standing(rows: &Rows, row: &Row, known: &Record) -> Record {
    let mut record = if row.resource == mail_flow_policy::RESOURCE.name {
        mail_flow_policy::with_inherited(rows, row, known)
    } else {
        with_idle(row, row.record.clone(), known)
    };
    if let Some(names) = order::as_known(row, known) {
        record.set(order::NAMES, names);
    }
    if row.resource == sender_group::RESOURCE.name {
        // The table does not say who guards a group.
        record.set(relay::GUARD, known.get(relay::GUARD).clone());
    }
    let Some(before) = known.text("before") else { return record };
    let mut behind = rows.rows.iter().skip_while(|other| other.id != row.id || other.resource != row.resource).skip(1);
    if behind.any(|other| other.resource == row.resource && other.record.text("name") == Some(before)) {
        record.set("before", before);
    }
    record
}

/// The object from which a row's object takes what it does not say itself: the listener's defaults, for a policy.
pub(super) fn source(row: &Row) -> Option<(&'static str, String)> {
    let listener = row.record.text("listener").filter(|_| row.resource == mail_flow_policy::RESOURCE.name)?;
    Some((listener_defaults::RESOURCE.name, listener.to_owned()))
}

/// Tells whether an attribute is among the changed ones.
fn is_changed(changed: &[Path], name: &str) -> bool {
    changed.iter().any(|path| matches!(path.0.first(), Some(Step::Attribute(first)) if first == name))
}

/// Adds the answers to confirmations: whatever the release asks, after an operation on this object it is meant.
fn confirmed(dialog: Dialog, object: &str) -> Dialog {
    let dialog = ["sure", "delete", "remove", "reset", "continue", "confirm"]
        .iter()
        .fold(dialog, |dialog, words| dialog.yes_no_if_asked(words, true));
    // The object's name, where it is one word: words are looked for one by one.
    if object.contains(char::is_whitespace) { dialog } else { dialog.yes_no_if_asked(object, true) }
}

/// Chooses the first label of a list that a test accepts.
fn label(wanted: impl Into<String>, test: impl Fn(&str) -> bool + Send + Sync + 'static) -> Picker {
    let wanted = wanted.into();
    Arc::new(move |labels: &[String]| labels.iter().position(|label| test(label)).ok_or_else(|| not_offered(&wanted, labels)))
}

/// The error of a list that does not have what is wanted.
fn not_offered(wanted: &str, labels: &[String]) -> String {
    format!("This release offers no {wanted}. It offers: {}.", labels.join("; "))
}

/// The words of a label in lower case, one blank apart.
fn plain(label: &str) -> String {
    let spaced: String =
        label.chars().map(|letter| if letter.is_alphanumeric() || "_-.".contains(letter) { letter } else { ' ' }).collect();
    spaced.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text of an attribute, or an error that names it. The schema makes sure that it is there.
fn required<'a>(record: &'a Record, name: &str) -> Result<&'a str, Error> {
    let missing = || {
        Error::new(crate::remote::Kind::Invalid, format!("The attribute \"{name}\" has no known value."))
            .at(Path::root().attribute(name))
    };
    let text = record.text(name).ok_or_else(missing)?;
    // The last gate before the shell: what was only known at apply was not seen by every check before.
    match text.chars().find(|letter| forms::is_control(*letter) && *letter != '\n') {
        None => Ok(text),
        Some(letter) => Err(control_character(name, letter)),
    }
}

fn control_character(name: &str, letter: char) -> Error {
    let message = format!(
        "The attribute \"{name}\" has a control character (U+{:04X}), which is never sent to the gateway.",
        u32::from(letter)
    );
    Error::new(crate::remote::Kind::Invalid, message).at(Path::root().attribute(name))
}

/// Refuses a record with a text that must not be typed. Validation refuses it first where the value is known then.
fn typable(resource: &Resource, record: &Record) -> Result<(), Error> {
    fn walk(attribute: &Attribute, value: &Value) -> Result<(), String> {
        match (value, &attribute.kind) {
            (Value::String(text), _) => {
                let letter = text
                    .chars()
                    .find(|letter| forms::is_control(*letter) && !(attribute.sensitive && matches!(letter, '\n' | '\r' | '\t')));
                match (letter, attribute.format) {
                    (Some(letter), _) => Err(format!(
                        "It has a control character (U+{:04X}), which is never sent to the gateway.",
                        u32::from(letter)
                    )),
                    (None, Some(format)) => (format.test)(text),
                    (None, None) => Ok(()),
                }
            }
            (Value::List(items) | Value::Set(items), _) => items.iter().try_for_each(|item| walk(attribute, item)),
            (Value::Object(values), kind) => {
                let members = kind.members().unwrap_or_default();
                let mut pairs = members.iter().filter_map(|member| values.get(member.name).map(|value| (member, value)));
                pairs.try_for_each(|(member, value)| walk(member, value))
            }
            _ => Ok(()),
        }
    }
    for attribute in resource.attributes {
        // What the device itself says is never typed.
        if matches!(attribute.presence, crate::schema::Presence::Computed)
            || matches!(attribute.kind, Kind::Scalar(Scalar::Integer | Scalar::Boolean))
        {
            continue;
        }
        walk(attribute, record.get(attribute.name))
            .map_err(|why| Error::new(crate::remote::Kind::Invalid, why).at(Path::root().attribute(attribute.name)))?;
    }
    Ok(())
}

/// No listener.
fn no_listener(_: &Record) -> Option<&str> {
    None
}

/// The listener that the record names.
fn its_listener(record: &Record) -> Option<&str> {
    record.text("listener")
}

/// Nothing is changed but the places of others.
#[expect(clippy::unnecessary_wraps, reason = "the shape that every table has")]
fn nothing_to_stage(_: Edit<'_>, _: &Rows) -> Result<Vec<Dialog>, Error> {
    Ok(Vec::new())
}

/// Refuses an order that names an object twice.
fn named_once(config: &Record) -> Diagnostics {
    let names = config.get(order::NAMES).as_elements().unwrap_or_default();
    let mut found = Vec::new();
    for (index, name) in names.iter().enumerate().filter(|(_, name)| name.as_text().is_some()) {
        if names.iter().take(index).any(|other| other == name) {
            let name = name.as_text().unwrap_or_default();
            let path = Path::root().attribute(order::NAMES).index(index);
            found.push(Diagnostic::error(format!("{name:?} is named twice"), "Each name has one place in an order.").at(path));
        }
    }
    found
}

/// Answers questions about settings that the gateway prints of an object and no argument is for with Enter, which keeps them: known by the words of
/// their labels.
fn keep_unmanaged(dialog: Dialog, standing: &Record) -> Dialog {
    let labels = standing.texts(crate::schema::UNMANAGED.name).into_iter().map(|told| told.split(" = ").next().unwrap_or(told));
    labels
        .map(|label| plain(label).replace(['_', '-', '.'], " "))
        .filter(|words| words.contains(' '))
        .fold(dialog, |dialog, words| dialog.keep(&words))
}

/// Nothing that only the device's state shows.
fn nothing_to_check(_: &Record, _: &Rows) -> Diagnostics {
    Vec::new()
}

#[cfg(test)]
mod tests;
