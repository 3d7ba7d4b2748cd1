//! Mail flow policies (Mail Policies > Mail Flow Policies; `listenerconfig`, `HOSTACCESS`): what a listener does with a connection.
//!
//! A policy stands in the host access table as `$NAME`, a behavior and a block of the parameters that differ from the listener's defaults.
//! The parameter questions change with release, feature keys and earlier answers, so each is known by its subject.

use super::host_access::{self, Choices};
use super::{TIMEOUTS, forms, is_changed, label, plain, required, typable};
use crate::gateway::dialog::Dialog;
use crate::gateway::table::{Edit, Neighbours, Printout, Row, Rows, Table};
use crate::remote::{Error, Kind};
use crate::schema::{Clearing, Import, Record, Resource, Rule, boolean, integer, one_of, string};
use crate::value::{Diagnostic, Diagnostics, Path, Value};

/// The table of mail flow policies.
pub(in crate::gateway) const TABLE: Table = Table {
    resource: &RESOURCE,
    printout: |record| Printout::Hosts(record.text("listener").unwrap_or_default().to_owned()),
    listener: super::its_listener,
    always_there: super::never_there,
    neighbours: Neighbours::None,
    stage,
    check: super::nothing_to_check,
};

const MOST: i64 = i32::MAX as i64;

/// What a mail flow policy has.
pub(in crate::gateway) const RESOURCE: Resource = Resource {
    name: "gateway_mail_flow_policy",
    noun: "mail flow policy",
    about: "Says what a listener does with the connections of a sender group (Mail Policies > Mail Flow Policies). A parameter that is left out \
            is inherited from the listener's Default Policy Parameters.",
    attributes: &[
        string("listener", "The listener that the policy belongs to, by name; upper and lower case are different.").required().replaces().format("a name of letters, digits, `_`, `-`, `.` and blanks", forms::listener),
        string("name", "Name, unique on the listener.").required().replaces().length(1, 128).format("a name of letters, digits, `_`, `-`, `.` and blanks", forms::policy),
        one_of(
            "behavior",
            "Connection Behavior: `accept` takes mail for the domains of the recipient access table, `relay` for any recipient, `reject` answers with \
             an error, `tcp_refuse` lets no connection come about, `continue` goes on with the next entry of the table.",
            &["accept", "relay", "reject", "tcp_refuse", "continue"],
        )
        .required(),
        one_of("tls", "Encryption and Authentication: TLS. `preferred` offers it, `required` refuses senders that do not use it.", &["none", "preferred", "required"]).cleared_by(Clearing::Refused),
        integer("max_message_size", "Max. Message Size, in bytes.").range(1, i64::MAX),
        integer("max_concurrency", "Max. Concurrent Connections From a Single IP.").range(1, MOST),
        integer("max_msgs_per_session", "Max. Messages Per Connection.").range(1, MOST),
        integer("max_rcpts_per_msg", "Max. Recipients Per Message.").range(1, MOST),
        integer("max_rcpts_per_hour", "Rate Limit for Hosts: Max. Recipients Per Hour, from one address; -1 is no limit.").range(-1, MOST),
        integer("dhap_limit", "Directory Harvest Attack Prevention: Max. Invalid Recipients Per Hour, from one address; 0 is no limit.").range(0, MOST),
        boolean("spam_check", "Spam Detection: whether mail is scanned for spam.").cleared_by(Clearing::Refused),
        boolean("virus_check", "Virus Protection: whether mail is scanned for viruses.").cleared_by(Clearing::Refused),
        boolean("use_sb", "Use SenderBase for Flow Control: whether the sender's reputation is asked for.").cleared_by(Clearing::Refused),
    ],
    rules: &[Rule::Hook("`tcp_refuse` and `continue` take no parameters; `max_rcpts_per_hour` is not 0, which would let nothing in.", parameters_fit)],
    identity: &["listener", "name"],
    import: Import::Key { attributes: &["listener", "name"], example: "OutgoingMail/RELAYED_O365" },
    title: "name",
    version: 0,
    timeouts: TIMEOUTS,
};

/// A parameter of a policy beside TLS.
#[derive(Debug)]
pub(in crate::gateway) struct Parameter {
    /// The attribute.
    pub(in crate::gateway) name: &'static str,
    /// The key in the host access table's text.
    pub(in crate::gateway) key: &'static str,
    /// Whether it is on or off, and not a number.
    pub(in crate::gateway) truth: bool,
    /// Words of its question, which also stand in its label where values are printed.
    pub(in crate::gateway) words: &'static str,
}

const fn number(name: &'static str, words: &'static str) -> Parameter {
    Parameter { name, key: name, truth: false, words }
}

const fn switch(name: &'static str, words: &'static str) -> Parameter {
    Parameter { name, key: name, truth: true, words }
}

/// The parameters, in the order in which their questions must be told apart ("invalid recipients per hour" is no "recipients per hour").
pub(in crate::gateway) const PARAMETERS: [Parameter; 9] = [
    number("max_message_size", "message size"),
    number("max_concurrency", "concurrent connections"),
    number("max_msgs_per_session", "messages connection"),
    number("max_rcpts_per_msg", "recipients message"),
    number("dhap_limit", "invalid recipients"),
    number("max_rcpts_per_hour", "recipients hour"),
    switch("spam_check", "spam"),
    switch("virus_check", "virus"),
    switch("use_sb", "senderbase"),
];

/// Questions that share words with those of managed parameters: the more of its words an answer names, the better it fits.
const KEPT_FIRST: [&str; 22] = [
    "envelope",
    "envelope recipients",
    "envelope sender recipients",
    "envelope rate limiting",
    "custom",
    "custom response",
    "custom rate limiting",
    "custom directory harvest",
    "custom invalid recipients",
    "custom recipients hour",
    "authentication",
    "smtp authentication",
    "tls authentication",
    "address list",
    "tls address list",
    "enforce tls",
    "significant",
    "significant bits",
    "similar",
    "similar senderbase",
    "mime",
    "exception",
];

/// All other questions that are known by their subject and not managed.
const KEPT_LAST: [&str; 40] = [
    "override",
    "hostname",
    "banner",
    "acceptance",
    "rejection",
    "rate limiting",
    "directory harvest",
    "dhap",
    "dkim",
    "domainkeys",
    "domain keys",
    "mime",
    "spf",
    "sidf",
    "dmarc",
    "sender verification",
    "verify sender",
    "verification",
    "exception table",
    "untagged",
    "bounce",
    "malformed",
    "resolv",
    "existing",
    "existent",
    "response",
    "code",
    "interval",
    "timeout",
    "helo",
    "pra",
    "profile",
    "report",
    "signing",
    "conformance",
    "certificate",
    "demo",
    "recipients",
    "tls",
    "comment",
];

/// Gives a policy's record with the parameters that are wanted as they are inherited: the gateway does not print a parameter that only
/// repeats the listener's default.
pub(in crate::gateway) fn with_inherited(rows: &Rows, row: &Row, known: &Record) -> Record {
    let mut record = row.record.clone();
    let Some(defaults) = rows.rows.iter().find(|other| other.resource == DEFAULTS) else { return record };
    for name in PARAMETERS.iter().map(|parameter| parameter.name).chain(["tls"]) {
        let (shown, wanted, inherited) = (record.get(name), known.get(name), defaults.record.get(name));
        if shown.is_null() && !wanted.is_null() && wanted == inherited {
            record.set(name, wanted.clone());
        }
    }
    record
}

/// Stands in [`Row::resource`] for a listener's default policy parameters.
pub(in crate::gateway) const DEFAULTS: &str = "gateway_listener_defaults";

fn parameters_fit(config: &Record) -> Diagnostics {
    let mut found = Vec::new();
    if config.integer("max_rcpts_per_hour") == Some(0) {
        let detail = "A limit of 0 recipients per hour lets nothing in. Write -1 for no limit, or the behavior \"reject\".";
        found.push(Diagnostic::error("max_rcpts_per_hour is 0", detail).at(Path::root().attribute("max_rcpts_per_hour")));
    }
    if let Some(behavior @ ("tcp_refuse" | "continue")) = config.text("behavior") {
        for name in PARAMETERS.iter().map(|parameter| parameter.name).chain(["tls"]) {
            if !config.get(name).is_null() {
                let detail = "No mail comes through a policy of this behavior, so it has no parameters.";
                found.push(
                    Diagnostic::error(format!("{name} has no effect with the behavior \"{behavior}\""), detail)
                        .at(Path::root().attribute(name)),
                );
            }
        }
    }
    found
}

fn stage(edit: Edit<'_>, rows: &Rows) -> Result<Vec<Dialog>, Error> {
    let dialog = match edit {
        Edit::Create(to) => {
            typable(&RESOURCE, to)?;
            let (listener, name) = (required(to, "listener")?, required(to, "name")?);
            let dialog = host_access::table(listener).choose("NEW");
            let dialog = parameters(dialog, to, &[])?.keep("comment").answer("name", name);
            host_access::lists(dialog, &choices(to, None)?)
        }
        Edit::Update { to, changed, .. } => {
            typable(&RESOURCE, to)?;
            let (listener, name) = (required(to, "listener")?, required(to, "name")?);
            let dialog = host_access::table(listener).choose("EDIT");
            let dialog = parameters(dialog, to, changed)?;
            host_access::entry(host_access::lists(dialog, &choices(to, Some(name))?), name)
        }
        Edit::Delete(row) => {
            let (listener, name) = (required(&row.record, "listener")?, required(&row.record, "name")?);
            refuse_if_used(name, row, rows)?;
            host_access::deleted(host_access::table(listener), host_access::Kind::Policy, name)
        }
    };
    Ok(vec![dialog])
}

fn choices(to: &Record, entry: Option<&str>) -> Result<Choices, Error> {
    let behavior = required(to, "behavior")?.to_owned();
    Ok(Choices { kind: host_access::Kind::Policy, entry: entry.map(str::to_owned), behavior: Some(behavior), policy: None })
}

/// A sender group without its policy would do what the device makes of it: that is refused.
fn refuse_if_used(name: &str, row: &Row, rows: &Rows) -> Result<(), Error> {
    let users: Vec<&str> =
        rows.rows.iter().filter(|other| other.record.text("policy") == Some(name)).map(|other| other.id.as_str()).collect();
    if users.is_empty() {
        return Ok(());
    }
    let message = format!("The mail flow policy \"{}\" is in use by: {}.", row.id, users.join(", "));
    Err(Error::new(Kind::Conflict, message).hint("Give these sender groups another policy, or delete them, first."))
}

/// Answers the parameter questions: managed ones with their value, all others with Enter.
fn parameters(dialog: Dialog, to: &Record, changed: &[Path]) -> Result<Dialog, Error> {
    let mut dialog = dialog.keep_all(&KEPT_FIRST);
    let mut managed = false;
    for parameter in &PARAMETERS {
        let cleared = is_changed(changed, parameter.name);
        match to.get(parameter.name) {
            Value::Number(limit) => {
                managed = true;
                dialog = limited(dialog, parameter, limit.as_i64().unwrap_or_default());
            }
            Value::Bool(on) => {
                managed = true;
                dialog = dialog.yes_no(parameter.words, *on);
            }
            Value::Null if cleared && parameter.truth => return Err(not_clearable(parameter.name)),
            Value::Null if cleared => {
                managed = true;
                // The limit is only asked for where limiting is on.
                dialog = switched_on(dialog, parameter).answer(parameter.words, "default");
            }
            _ => dialog = dialog.keep(parameter.words),
        }
    }
    dialog = match to.text("tls").map(str::to_owned) {
        Some(mode) => {
            managed = true;
            let picker = label(format!("TLS mode \"{mode}\""), move |label| tls(label) == Some(&mode));
            dialog.yes_no_if_asked("demo certificate", true).keep("certificate").pick_by("tls", picker)
        }
        None if is_changed(changed, "tls") && to.get("tls").is_null() => return Err(not_clearable("tls")),
        None => dialog,
    };
    dialog = dialog.yes_no_if_asked("parameters", managed).yes_no_if_asked("change", managed);
    // Several questions are about the same subject, and an answer that was not given yet goes before one that was.
    Ok((0..4).fold(dialog, |dialog, _| dialog.keep_all(&KEPT_LAST)))
}

/// A number; two of them are behind a question of their own.
fn limited(dialog: Dialog, parameter: &Parameter, limit: i64) -> Dialog {
    let typed = limit.to_string();
    match (parameter.name, limit) {
        ("max_rcpts_per_hour", -1) => dialog.yes_no_if_asked("rate limiting", false).answer_if_asked(parameter.words, typed),
        ("dhap_limit", 0) => dialog.yes_no_if_asked("directory harvest", false).answer_if_asked(parameter.words, typed),
        _ => switched_on(dialog, parameter).answer(parameter.words, typed),
    }
}

/// Answers the question before a limit that asks whether there is to be one.
fn switched_on(dialog: Dialog, parameter: &Parameter) -> Dialog {
    match parameter.name {
        "max_rcpts_per_hour" => dialog.yes_no_if_asked("rate limiting", true),
        "dhap_limit" => dialog.yes_no_if_asked("directory harvest", true),
        _ => dialog,
    }
}

fn not_clearable(name: &str) -> Error {
    let message = format!("The device's dialog has no answer that gives \"{name}\" back to the listener's default.");
    Error::new(Kind::Invalid, message).hint("Set it to the value that is wanted.").at(Path::root().attribute(name))
}

/// The TLS mode that a label names.
fn tls(label: &str) -> Option<&'static str> {
    match plain(label).as_str() {
        "no" | "off" | "none" => Some("none"),
        "preferred" | "on" => Some("preferred"),
        "required" => Some("required"),
        _ => None,
    }
}
