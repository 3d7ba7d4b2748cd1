//! What the docs and the editor say of an attribute: its sentence from the table, then what its line says beside it.

use std::borrow::Cow;
use std::fmt;

use crate::schema::{Attribute, Clearing, Fill, Import, Kind, Presence, Resource};

/// The sentence of the table with the choices, limits, default and consequences that stand in the same line.
pub(super) fn about(attribute: &Attribute) -> Cow<'static, str> {
    let mut text = attribute.about.trim_end().to_owned();
    let is_collection = !matches!(attribute.kind, Kind::Scalar(_) | Kind::Object(_) | Kind::Block(_));
    let mut say = |sentence: fmt::Arguments<'_>| text.extend([" ", &sentence.to_string()]);
    let each = if is_collection { "Each " } else { "" };
    match attribute.choices {
        [] => {}
        [only] => say(format_args!("{} `{only}`.", if is_collection { "Each is" } else { "Always" })),
        [most @ .., last] => {
            let most: Vec<String> = most.iter().map(|choice| quoted(choice)).collect();
            say(format_args!(
                "{}{} {} or {}.",
                each,
                if is_collection { "is one of" } else { "One of" },
                most.join(", "),
                quoted(last)
            ));
        }
    }
    if let Some(format) = attribute.format {
        let about = format.about.trim_end_matches('.');
        if is_collection { say(format_args!("Each is {about}.")) } else { say(format_args!("Must be {about}.")) }
    }
    if let Some((least, most)) = attribute.length {
        let limits = limits(u64::try_from(least).ok(), u64::try_from(most).ok().filter(|_| most < usize::MAX));
        say(format_args!("{}{limits} characters.", if is_collection { "Each has " } else { "" }));
    }
    if let Some((least, most)) = attribute.range {
        // The largest number that a service can hold limits nobody.
        let limits = match (least, most) {
            (i64::MIN, most) => format!("{most} or less"),
            (least, most) if most >= i64::from(i32::MAX) => format!("{least} or more"),
            (least, most) => format!("{least} to {most}"),
        };
        say(format_args!("{}{limits}.", if is_collection { "Each is " } else { "" }));
    }
    if let Some(most) = attribute.most {
        say(format_args!("At most {most} element{}.", if most == 1 { "" } else { "s" }));
    }
    if attribute.write_only_form {
        let (plain, written) = (attribute.name, attribute.write_only_name());
        if attribute.presence == Presence::Required {
            say(format_args!(
                "Exactly one of `{plain}` and `{written}` must be set{}.",
                if attribute.kept_beside.is_some() { " when the object is made" } else { "" }
            ));
        } else {
            say(format_args!("Conflicts with `{written}`, which does not store it."));
        }
    }
    if attribute.kept_beside.is_some() && attribute.write_only_form {
        say(format_args!("Left out of an object that exists, the text is kept as it stands."));
    }
    match attribute.presence {
        Presence::Filled(Fill::False) => say(format_args!("Defaults to `false`.")),
        Presence::Filled(Fill::True) => say(format_args!("Defaults to `true`.")),
        Presence::Filled(Fill::Integer(number)) => say(format_args!("Defaults to `{number}`.")),
        Presence::Filled(Fill::Text(default)) => say(format_args!("Defaults to {}.", quoted(default))),
        Presence::Filled(Fill::Empty) => match attribute.kind {
            Kind::Scalar(_) => say(format_args!("Defaults to {}.", quoted(""))),
            Kind::Object(_) | Kind::Block(_) => say(format_args!("Left out, each of its members has its default.")),
            Kind::Map(_) => say(format_args!("Defaults to `{{}}`.")),
            Kind::List(_) | Kind::Set(_) | Kind::ListOf(_) | Kind::SetOf(_) | Kind::BlockList(_) => {
                say(format_args!("Defaults to `[]`."));
            }
        },
        // Most sentences of tables say it better, for their own attribute.
        Presence::Filled(Fill::Service) if attribute.about.to_lowercase().contains("left out") => {}
        Presence::Filled(Fill::Service) => say(format_args!("Left out, the service's own value stands.")),
        Presence::Required | Presence::Nullable | Presence::Computed => {}
    }
    if let Some((sibling, text)) = attribute.implied {
        say(format_args!("Defaults to {} beside `{sibling}`.", quoted(text)));
    }
    if let Some(from) = attribute.inherited {
        say(format_args!("Left out, {from} holds."));
    }
    if let Some(advice) = attribute.deprecated {
        say(format_args!("**Deprecated:** {advice}"));
    }
    if attribute.presence != Presence::Computed {
        if attribute.replaces {
            say(format_args!("Changing it makes a new object."));
        }
        match attribute.clearing {
            Clearing::Replace if !attribute.replaces => say(format_args!("Removing it makes a new object.")),
            Clearing::Refused if !attribute.replaces => say(format_args!("Once set, it can be changed but not left out again.")),
            _ => {}
        }
    }
    Cow::Owned(text)
}

/// What is said of an argument of objects that are always there, or of which some are: left out, it stays as it stands.
pub(super) fn about_standing(attribute: &Attribute, always: bool) -> Cow<'static, str> {
    if attribute.presence == Presence::Filled(Fill::Service) {
        return about(attribute);
    }
    let mut text = if always {
        about(&Attribute { presence: Presence::Nullable, ..*attribute }).into_owned()
    } else {
        about(attribute).into_owned()
    };
    text.push_str(if always {
        " Left out, it stays as it stands."
    } else {
        " Left out of an object that is always there, it stays as it stands."
    });
    Cow::Owned(text)
}

/// What is said of the write-only argument of an attribute.
pub(super) fn about_write_only(attribute: &Attribute) -> Cow<'static, str> {
    let (plain, version) = (attribute.name, attribute.version_name());
    Cow::Owned(format!(
        "Write-only form of `{plain}`: the value is sent and never stored in a plan or a state. Needs `{version}`, and Terraform 1.11 or later."
    ))
}

/// What is said of the version of a write-only argument.
pub(super) fn about_version(attribute: &Attribute) -> Cow<'static, str> {
    let written = attribute.write_only_name();
    Cow::Owned(format!("A whole number of your choice: change it to have `{written}` sent again."))
}

/// What is said of the `id` of a resource: what it is made of.
pub(super) fn about_id(resource: &Resource) -> Cow<'static, str> {
    match resource.import {
        Import::Lookup { .. } => {
            Cow::Borrowed("The service's own identifier of the object, which stays the same when the object is renamed.")
        }
        Import::Key { attributes, .. } => Cow::Owned(format!("What the object is imported by: `{}`.", attributes.join("/"))),
        Import::Singleton { word } => Cow::Owned(format!("Always `{word}`.")),
    }
}

/// The default of a time limit, as a configuration would say it.
pub(super) fn about_limit(seconds: u64) -> String {
    if seconds.is_multiple_of(60) { format!(" Defaults to `{}m`.", seconds / 60) } else { format!(" Defaults to `{seconds}s`.") }
}

/// A text as it stands in a configuration, as code.
pub(super) fn quoted(text: &str) -> String {
    format!("`\"{text}\"`")
}

fn limits(least: Option<u64>, most: Option<u64>) -> String {
    match (least.unwrap_or_default(), most) {
        (0, Some(most)) => format!("At most {most}"),
        (least, Some(most)) if least == most => format!("Exactly {least}"),
        (least, Some(most)) => format!("{least} to {most}"),
        (least, None) => format!("At least {least}"),
    }
}
