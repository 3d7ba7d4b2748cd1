//! Sender groups (Mail Policies > HAT Overview; `listenerconfig`, `HOSTACCESS`): whose connections get which mail flow policy.
//!
//! The host access table is read from the top, and the first entry that fits decides: the order of the groups is part of the state. No operation
//! changes the comment of a group, so it is deleted and made again at its place, within one commit.

use super::host_access::{self, Choices};
use super::mail_flow_policy;
use super::{TIMEOUTS, UNMANAGED, confirmed, forms, is_changed, required, typable};
use crate::gateway::dialog::Dialog;
use crate::gateway::printouts::hosts::TORN;
use crate::gateway::relay;
use crate::gateway::table::{Edit, Neighbours, Printout, Row, Rows, Table};
use crate::remote::{Error, Kind};
use crate::schema::{Import, Record, Resource, Rule, engine, integer, set, string};
use crate::value::{Diagnostic, Diagnostics, Path, Value};

/// The table of sender groups.
pub(in crate::gateway) const TABLE: Table = Table {
    resource: &RESOURCE,
    printout: |record| Printout::Hosts(record.text("listener").unwrap_or_default().to_owned()),
    listener: super::its_listener,
    resettable: false,
    neighbours: Neighbours::Placed,
    stage,
    check,
};

/// What a sender group has.
pub(in crate::gateway) const RESOURCE: Resource = Resource {
    name: "gateway_sender_group",
    noun: "sender group",
    about: "Gives connections from some senders a mail flow policy (Mail Policies > HAT Overview). The first group that fits decides. The group \
            `ALL` stands for everybody else; it always exists and is the last, so it is adopted on create and restored on destroy. A group that relays \
            for Microsoft 365 (`.protection.outlook.com`) relays for every tenant: it is only made with a message filter that guards it (`guarded_by`), such as the \
            one of `relay_filter_script`.",
    attributes: &[
        string("listener", "The listener that the group belongs to, by name; upper and lower case are different.").required().replaces().format("a name of letters, digits, `_`, `-`, `.` and blanks", forms::listener),
        string("name", "Name, unique on the listener. It can be changed.").required().always_there(|name| name == "ALL").length(1, 128).format("a name of letters, digits, `_`, `-`, `.` and blanks", forms::sender_group),
        string("policy", "Policy: the mail flow policy that these connections get, by name.").required().format("a name of letters, digits, `_`, `-`, `.` and blanks", forms::policy).refers_to("gateway_mail_flow_policy", &["listener"]),
        string("comment", "Comment. A change makes the group anew at its place, within one commit.").length(1, 256).format("one line of text with its parentheses in pairs", forms::comment),
        set(
            "senders",
            "Senders: IP addresses, partial addresses (`192.0.2.`), ranges (`192.0.2.1-20`, `10.1.1-5`, `192.0.2.0/24`), host names, all hosts below a \
             domain (`.example.com`), reputation scores (`SBRS[-10.0:-3.0]`, `SBRS[none]`), network owners (`SBO:12345`), DNS lists \
             (`dnslist[list.example.com]`), threat feeds (`etf-source: name`), and countries (`country: name`).",
        )
        .filled_empty()
        .format("a sender in one of these forms", forms::sender)
        .meaning(forms::sender_meaning),
        string("before", "The group that this one must stand before, by name: anywhere before it. Left out, the group is not moved, and `before` reports the group that follows it.")
            .format("a name of letters, digits, `_`, `-`, `.` and blanks", forms::sender_group)
            .filled_by_service()
            .moved_by(&["before"])
            .refers_to("gateway_sender_group", &["listener"]),
        integer("position", "Where the group stands among all entries of the table, counted from 1.").computed().moved_by(&["before"]),
        string(relay::GUARD, "The message filter that guards the group, by name: it drops what comes from the group without a secret. A reference makes Terraform \
             make the filter first and remove it last. Left out, it is the filter that guards the group, if it needs one.")
            .filled_by_service()
            .moved_by(&["senders", "policy", "before"])
            .refers_to("gateway_message_filter", &[]),
        string(relay::REASON, "Why the group may relay for everybody who sends from its senders, without a message filter that guards it. What would be an error is \
             a warning then.")
            .local()
            .length(1, 1000),
        UNMANAGED,
    ],
    rules: &[Rule::Hook("No group stands before itself; `ALL` has neither senders, comment nor place.", group_fits)],
    identity: &["listener", "name"],
    import: Import::Key { attributes: &["listener", "name"], example: "OutgoingMail/RELAY_O365" },
    title: "name",
    version: 0,
    timeouts: TIMEOUTS,
};

fn is_all(record: &Record) -> bool {
    engine::is_always_there(&RESOURCE, record)
}

fn group_fits(config: &Record) -> Diagnostics {
    let mut found = Vec::new();
    let at = |name: &str| Path::root().attribute(name);
    if config.text("name").is_some() && config.text("name") == config.text("before") {
        found.push(
            Diagnostic::error("before names the group itself", "Name another group of the same listener.").at(at("before")),
        );
    }
    if is_all(config) {
        for name in ["senders", "comment", "before"] {
            let value = config.get(name);
            if !value.is_null() && !value.is_unknown() && value.as_elements().is_none_or(|elements| !elements.is_empty()) {
                found.push(
                    Diagnostic::error(
                        format!("The group ALL has no {name}"),
                        "It is the last entry of the table and stands for everybody else.",
                    )
                    .at(at(name)),
                );
            }
        }
    }
    found
}

/// Warns if a sender also stands in a group before this one, which then decides.
fn check(planned: &Record, rows: &Rows) -> Diagnostics {
    let Some(id) = super::id(&RESOURCE, planned) else { return Vec::new() };
    let senders: Vec<String> = planned.texts("senders").into_iter().map(forms::sender_meaning).collect();
    let mut found = Vec::new();
    let stop = planned.text("before");
    let before = rows.rows.iter().take_while(|row| row.id != id && (stop.is_none() || row.record.text("name") != stop));
    for row in before.filter(|row| row.resource == RESOURCE.name && !is_all(&row.record)) {
        for sender in row.record.texts("senders").into_iter().filter(|sender| senders.contains(&forms::sender_meaning(sender))) {
            let detail = format!(
                "The sender group \"{}\" stands before it and has the same sender. The first group that fits decides.",
                row.id
            );
            found.push(
                Diagnostic::warning(format!("The sender \"{sender}\" will not reach this group"), detail)
                    .at(Path::root().attribute("senders")),
            );
        }
    }
    found
}

fn stage(edit: Edit<'_>, rows: &Rows) -> Result<Vec<Dialog>, Error> {
    match edit {
        Edit::Create(to) => {
            let listener = required(to, "listener")?;
            if is_all(to) {
                return Err(Error::new(Kind::Unexpected, format!("The host access table of \"{listener}\" has no entry ALL.")));
            }
            has_policy(listener, to, rows)?;
            // A new group stands at the end, before ALL.
            let made = created(host_access::table(listener), to)?;
            Ok(with_countries(made, &host_access::table(listener), to))
        }
        Edit::Update { from, to, changed } => updated(from, to, changed, rows),
        Edit::Delete(row) if is_all(&row.record) => {
            Err(Error::new(Kind::Invalid, "The group ALL of the host access table cannot be deleted."))
        }
        Edit::Delete(row) => {
            let (listener, name) = (required(&row.record, "listener")?, required(&row.record, "name")?);
            Ok(vec![host_access::deleted(host_access::table(listener), host_access::Kind::SenderGroup, name)])
        }
    }
}

/// Fails if the listener has no policy of the name that a group is to get. The error names those that it has.
fn has_policy(listener: &str, to: &Record, rows: &Rows) -> Result<(), Error> {
    let policy = required(to, "policy")?;
    let policies = rows.rows.iter().filter(|row| row.resource == mail_flow_policy::RESOURCE.name);
    let names: Vec<&str> = policies.filter_map(|row| row.record.text("name")).collect();
    if names.is_empty() || names.iter().any(|name| name.eq_ignore_ascii_case(policy)) || rows.may_hide([policy]) {
        return Ok(());
    }
    let message = format!("{listener} has no mail flow policy \"{policy}\"; it has: {}.", names.join(", "));
    Err(Error::new(Kind::NotFound, message).at(Path::root().attribute("policy")))
}

fn updated(from: &Row, to: &Record, changed: &[Path], rows: &Rows) -> Result<Vec<Dialog>, Error> {
    typable(&RESOURCE, to)?;
    let (listener, name) = (required(to, "listener")?, required(to, "name")?);
    let table = host_access::table(listener);
    let old = required(&from.record, "name")?;
    if is_changed(changed, "policy") {
        has_policy(listener, to, rows)?;
    }
    if is_changed(changed, "comment") {
        if from.record.truth(TORN) == Some(true) {
            let message =
                format!("The comment of the sender group \"{name}\" cannot be changed: it has senders that cannot be read.");
            return Err(Error::new(Kind::Invalid, message)
                .hint("A comment changes by making the group anew, and those senders would be lost. Change it on the gateway.")
                .at(Path::root().attribute("comment")));
        }
        if is_all(to) {
            return Err(Error::new(Kind::Invalid, "The group ALL has no comment that a command could change.")
                .at(Path::root().attribute("comment")));
        }
        let made = created(host_access::deleted(table, host_access::Kind::SenderGroup, old), to)?;
        return Ok(with_countries(made, &host_access::table(listener), to));
    }
    let mut dialogs = Vec::new();
    if is_changed(changed, "name") {
        dialogs.push(edited(table.clone(), old, from.record.text("policy")).choose("RENAME").key(name));
    }
    let group = edited(table.clone(), name, to.text("policy"));
    let mut dialog = group.clone();
    let (added, removed) = (missing(to, &from.record), missing(&from.record, to));
    for sender in added.iter().filter(|sender| country(sender).is_none()) {
        dialog = dialog.choose("NEW");
        dialog = ["host", "sender", "address", "add"]
            .iter()
            .fold(dialog, |dialog, words| dialog.answer_if_asked(words, sender.as_str()));
        dialog = dialog.yes_no_if_asked("anyway", true).keep("comment").key_if_asked(sender.as_str());
    }
    for sender in removed.iter().filter(|sender| country(sender).is_none()) {
        dialog = confirmed(dialog.choose("DELETE").key(sender.as_str()), sender);
    }
    if is_changed(changed, "policy") {
        let policy = required(to, "policy")?;
        let choices =
            Choices { kind: host_access::Kind::SenderGroup, entry: None, behavior: None, policy: Some(policy.to_owned()) };
        // The group ALL has no senders, so a release may ask for its policy at once.
        let chosen = if is_all(to) { dialog.choose_if_offered(&["POLICY"]) } else { dialog.choose("POLICY") };
        dialog = host_access::lists(
            chosen.yes_no_if_asked("parameters", false).yes_no_if_asked("change", true).keep("comment"),
            &choices,
        );
    }
    if dialog.sections.len() > group.sections.len() {
        dialogs.push(dialog);
    }
    dialogs.extend(countries(&table, to, "ADD", &added));
    dialogs.extend(countries(&table, to, "DELETE", &removed));
    Ok(dialogs)
}

/// A new group gets its countries when it is there.
fn with_countries(made: Dialog, table: &Dialog, to: &Record) -> Vec<Dialog> {
    let senders: Vec<String> = to.texts("senders").into_iter().map(str::to_owned).collect();
    std::iter::once(made).chain(countries(table, to, "ADD", &senders)).collect()
}

/// The senders that one record has and the other has not, as they are typed.
fn missing(has: &Record, has_not: &Record) -> Vec<String> {
    let theirs: Vec<String> = has_not.texts("senders").into_iter().map(forms::sender_meaning).collect();
    if has.get("senders").is_unknown() || has_not.get("senders").is_unknown() {
        return Vec::new();
    }
    let senders = has.texts("senders").into_iter();
    senders.filter(|sender| !theirs.contains(&forms::sender_meaning(sender))).map(str::to_owned).collect()
}

/// The country that a sender stands for, which has a menu of its own. All other senders are typed as they are.
fn country(sender: &str) -> Option<&str> {
    let (kind, name) = sender.split_once(':')?;
    ["country", "geo"].iter().any(|word| kind.trim().eq_ignore_ascii_case(word)).then(|| name.trim())
}

/// Adds countries to a group, or takes them from it: one dialog each, as the way back from the menu of countries is not documented.
fn countries(table: &Dialog, to: &Record, operation: &str, senders: &[String]) -> Vec<Dialog> {
    let name = to.text("name").unwrap_or_default();
    let dialog = |country: &str| {
        let menu = edited(table.clone(), name, to.text("policy")).choose("COUNTRY");
        let dialog =
            if operation == "ADD" { menu.choose_first(&["ADD", "NEW"]) } else { menu.choose_first(&["DELETE", "REMOVE"]) };
        let dialog = dialog.key(country).keep("comment").yes_no_if_asked("anyway", true).yes_no_if_asked("add", true);
        confirmed(dialog, country)
    };
    senders.iter().filter_map(|sender| country(sender)).map(dialog).collect()
}

/// Opens the menu of a group.
fn edited(table: Dialog, name: &str, policy: Option<&str>) -> Dialog {
    let choices = Choices {
        kind: host_access::Kind::SenderGroup,
        entry: Some(name.to_owned()),
        behavior: None,
        policy: policy.map(str::to_owned),
    };
    host_access::entry(host_access::lists(table.choose("EDIT"), &choices), name)
}

/// Makes a group.
fn created(table: Dialog, to: &Record) -> Result<Dialog, Error> {
    typable(&RESOURCE, to)?;
    let name = required(to, "name")?;
    let policy = required(to, "policy")?;
    let senders: Vec<&str> = to.texts("senders").into_iter().filter(|sender| country(sender).is_none()).collect();
    let mut dialog = table.choose("NEW");
    // The question for the senders explains host names: it must be known before the question for the name.
    for words in ["hosts", "hosts add", "senders", "sender list", "host list", "addresses", "list hosts"] {
        dialog = if senders.is_empty() { dialog.keep(words) } else { dialog.answer_if_asked(words, senders.join(", ")) };
    }
    dialog = match to.get("comment") {
        Value::String(comment) => dialog.answer("comment", comment.as_str()),
        _ => dialog.keep("comment"),
    };
    dialog = dialog.answer("name", name).yes_no_if_asked("anyway", true);
    for words in ["host", "domains"] {
        dialog = if senders.is_empty() { dialog.keep(words) } else { dialog.answer_if_asked(words, senders.join(", ")) };
    }
    dialog = dialog.yes_no_if_asked("parameters", false).yes_no_if_asked("change", false);
    let choices = Choices { kind: host_access::Kind::SenderGroup, entry: None, behavior: None, policy: Some(policy.to_owned()) };
    Ok(host_access::lists(dialog, &choices).keep_all(&["country", "countries", "threat feed", "external"]))
}
