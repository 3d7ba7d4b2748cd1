//! Message filters (`filters`): scripts that run over every message, in order.
//!
//! There is no command that changes the text or the name of a filter: it is deleted and made again at its place, within one commit. A new filter is the
//! last; `MOVE` takes a filter to a position (see `gateway/order.rs`). Admin manual, chapter "Using Message Filters to Enforce Email Policies".

use super::{TIMEOUTS, confirmed, label, plain, required, typable};
use crate::gateway::dialog::Dialog;
use crate::gateway::table::{Edit, Neighbours, Printout, Rows, Table};
use crate::gateway::{filter_script, filters};
use crate::remote::{Error, Kind};
use crate::schema::{Import, Record, Resource, Rule, boolean, integer, string};
use crate::value::{Diagnostic, Diagnostics, Path, Value};

/// The table of message filters.
pub(in crate::gateway) const TABLE: Table = Table {
    resource: &RESOURCE,
    printout: |_| Printout::Filters,
    listener: super::no_listener,
    resettable: false,
    neighbours: Neighbours::Placed,
    stage,
    check: super::nothing_to_check,
};

/// What a message filter has.
pub(in crate::gateway) const RESOURCE: Resource = Resource {
    name: "gateway_message_filter",
    noun: "message filter",
    about: "Runs a script over every message (a message filter; `filters` on the command line). The order of the filters matters. A filter only runs if it is both active and valid; one \
            that names something unknown (a listener, an interface) is kept and is not valid.",
    attributes: &[
        string("name", "Name, unique on the gateway: the label before the filter's text. A change makes the filter anew at its place, within one commit.").required().length(1, 128).format("a name of letters, digits, `_` and `-` that does not start with a digit", name),
        string(
            "script",
            "The text of the filter. Two texts are the same if they mean the same: white space, comments, the kind of quotes, parentheses without \
             effect, `else if` for `elif`, upper and lower case in names and in `and`, `or`, `not`, and the unit of a size do not matter. A text that the \
             provider cannot read is compared word by word. A change makes the filter anew at its place, within one commit.",
        )
        .form("a text whose strings, parentheses, braces and actions are complete, without the label", filters::check)
        .meaning(filters::meaning)
        .difference(filters::difference)
        .anatomy(filter_script::anatomy)
        .lines()
        .required()
        .write_only_form()
        .kept_beside(&[]),
        string(
            "masked_script",
            "The text of the filter for a reviewer: texts that are compared with headers or bodies, or written into them, are replaced by `(sensitive)`, and \
             comments are left out. Names of listeners, headers, sender groups, quarantines and the like are shown. Known at plan.",
        )
        .computed()
        .moved_by(&["script"])
        .derived(masked)
        .meaning(filters::meaning)
        .lines(),
        boolean("active", "Whether the filter is active.").filled(true),
        string("before", "The filter that this one must stand before, by name: anywhere before it. Left out, the filter is not moved, and `before` reports the filter that follows it.")
            .format("a name of letters, digits, `_` and `-` that does not start with a digit", name)
            .filled_by_service()
            .moved_by(&["before"])
            .refers_to("gateway_message_filter", &[]),
        boolean("valid", "Whether the gateway can run the filter.").computed().moved_by(&["script", "active"]),
        string("invalid_reason", "Why the gateway cannot run the filter, if it says so.").computed().moved_by(&["script", "active"]),
        integer("position", "Where the filter stands among all filters, counted from 1.").computed().moved_by(&["before"]),
    ],
    rules: &[
        Rule::Hook("No filter stands before itself.", not_before_itself),
    ],
    identity: &["name"],
    import: Import::Key { attributes: &["name"], example: "office365_outbound" },
    title: "name",
    version: 0,
    timeouts: TIMEOUTS,
};

fn masked(sent: &Record) -> Option<Value> {
    sent.text("script").map(|script| Value::text(filters::masked(script)))
}

pub(in crate::gateway) fn name(text: &str) -> Result<(), String> {
    let sound = text.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    let reserved = ["if", "else", "elif", "and", "or", "not", "true", "false", "last", "all"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word));
    if reserved {
        return Err(format!("\"{text}\" is a word of the filter language."));
    }
    if sound {
        Ok(())
    } else {
        Err(format!(
            "{text:?} is not the name of a message filter: letters, digits, \"_\" and \"-\" can be used, and a digit cannot be the first."
        ))
    }
}

fn not_before_itself(config: &Record) -> Diagnostics {
    if config.text("name").is_none() || config.text("name") != config.text("before") {
        return Vec::new();
    }
    vec![Diagnostic::error("before names the filter itself", "Name another filter.").at(Path::root().attribute("before"))]
}

fn stage(edit: Edit<'_>, _: &Rows) -> Result<Vec<Dialog>, Error> {
    let menu = Dialog::of("filters");
    let dialog = match edit {
        Edit::Create(to) => created(menu, to)?,
        Edit::Update { from, to, changed } => {
            typable(&RESOURCE, to)?;
            let name = required(to, "name")?;
            if super::is_changed(changed, "script") || super::is_changed(changed, "name") {
                let mut to = to.clone();
                if to.text("script").is_none() {
                    // It is kept as it stands, and nobody else knows it.
                    to.set("script", from.record.get("script").clone());
                }
                created(deleted(menu, required(&from.record, "name")?), &to)?
            } else if super::is_changed(changed, "active") {
                set(menu, name, to.truth("active").unwrap_or(true))
            } else {
                menu
            }
        }
        Edit::Delete(row) => deleted(menu, required(&row.record, "name")?),
    };
    Ok(if dialog.sections.len() > 1 { vec![dialog] } else { Vec::new() })
}

/// Makes a filter, which is then the last.
fn created(menu: Dialog, to: &Record) -> Result<Dialog, Error> {
    typable(&RESOURCE, to)?;
    let name = required(to, "name")?;
    let no_text = || Error::new(Kind::Invalid, "The filter has no known text.").at(Path::root().attribute("script"));
    let script = to.text("script").ok_or_else(no_text)?;
    let dialog = menu.choose("NEW").script(filter_script::typed(name, script));
    Ok(if to.truth("active") == Some(false) { set(dialog, name, false) } else { dialog })
}

fn deleted(menu: Dialog, name: &str) -> Dialog {
    confirmed(menu.choose("DELETE").key(name), name)
}

/// Sets a filter active or inactive.
fn set(menu: Dialog, name: &str, active: bool) -> Dialog {
    let word = if active { "active" } else { "inactive" };
    let picker = label(format!("attribute \"{word}\""), move |label| plain(label) == word);
    let dialog =
        ["attribute", "active", "state", "status", "inactive"].iter().fold(menu.choose("SET").key(name), |dialog, words| {
            dialog.answer_if_asked(words, word).pick_by_if_asked(words, picker.clone()).yes_no_if_asked(words, active)
        });
    dialog.yes_no_if_asked("sure", true)
}

/// Moves a filter to a position, or to the end.
pub(in crate::gateway) fn moved(menu: Dialog, name: &str, target: &str) -> Dialog {
    let words = ["last", "position", "where", "before", "destination", "target", "location", "place"];
    words.iter().fold(menu.choose("MOVE").key(name), |dialog, words| dialog.answer_if_asked(words, target))
}
