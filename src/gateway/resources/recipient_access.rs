//! Recipient Access Table (Mail Policies > Recipient Access Table (RAT); `listenerconfig`, `RCPTACCESS`): whose mail a public listener takes.
//!
//! The first entry that fits a recipient decides; the entry `ALL` is the last and always there (admin manual, chapter "Accepting or Rejecting
//! Connections Based on the Recipient's Address"). No operation moves an entry: its position is read only.

use super::{TIMEOUTS, UNMANAGED, confirmed, forms, keep_unmanaged, label, plain, required, typable};
use crate::gateway::batch_form::{Form, Line};
use crate::gateway::dialog::Dialog;
use crate::gateway::printouts::recipients::{is_wider, overlaps};
use crate::gateway::table::{Edit, Neighbours, Printout, Rows, Table};
use crate::remote::{Error, Kind};
use crate::schema::{Import, Record, Resource, Rule, boolean, engine, integer, keyword, string};
use crate::value::{Diagnostic, Diagnostics, Path};

/// The table of recipient access entries.
pub(in crate::gateway) const TABLE: Table = Table {
    resource: &RESOURCE,
    printout: |record| Printout::Recipients(record.text("listener").unwrap_or_default().to_owned()),
    listener: super::its_listener,
    resettable: false,
    neighbours: Neighbours::None,
    stage,
    check,
};

/// What an entry of the recipient access table has.
pub(in crate::gateway) const RESOURCE: Resource = Resource {
    name: "gateway_recipient_access",
    noun: "recipient access entry",
    about: "Accepts or rejects mail for a recipient on a public listener (Mail Policies > Recipient Access Table (RAT)). The first entry that fits \
            decides. The entry `ALL` stands for everybody else; it always exists, so it is adopted on create and restored on destroy.",
    attributes: &[
        string("listener", "The public listener whose table it is, by name; upper and lower case are different.").required().replaces().format("a name of letters, digits, `_`, `-`, `.` and blanks", forms::listener),
        string(
            "recipient",
            "Recipient Address: whose mail the entry is about. `ALL` is everybody that no other entry fits.",
        )
        .required()
        .always_there(|recipient| forms::recipient_meaning(recipient) == "ALL")
        .replaces()
        .format("a domain (`example.com`), all hosts below one (`.example.com`), a full address, a user name at any domain (`postmaster@`), an IP \
             address in brackets (`[192.0.2.1]`, `[IPv6:2001:db8::1]`), or `ALL`", forms::recipient)
        .meaning(forms::recipient_meaning)
        .first_decides(overlaps),
        keyword("action", "Action: whether mail for the recipient is taken or refused.", &["accept", "reject"]).required(),
        integer("smtp_response_code", "Custom SMTP Response: the code. Left out: the gateway's standard response.").range(200, 599),
        string("smtp_response_text", "Custom SMTP Response: the text.").length(1, 500).format("one line of text", forms::one_line),
        boolean("bypass_ldap_accept", "Bypass LDAP Accept Queries for this Recipient: it is not looked up in the directory.").filled(false),
        boolean("bypass_receiving_control", "Bypass Receiving Control: the listener's rate limits do not count this recipient.").filled(false),
        boolean("bypass_smtp_call_ahead", "Bypass SMTP Call-Ahead: the next host is not asked whether it knows the recipient.").filled(false),
        integer("position", "Where the entry stands in the table, counted from 1.").computed(),
        UNMANAGED,
    ],
    rules: &[Rule::Together(&["smtp_response_code", "smtp_response_text"])],
    identity: &["listener", "recipient"],
    import: Import::Key { attributes: &["listener", "recipient"], example: "IncomingMail/example.com" },
    title: "recipient",
    version: 0,
    timeouts: TIMEOUTS,
};

fn is_all(record: &Record) -> bool {
    engine::is_always_there(&RESOURCE, record)
}

/// Warns if a wider entry with another action stands before this one and decides in its place.
fn check(planned: &Record, rows: &Rows) -> Diagnostics {
    let (Some(recipient), Some(action)) = (planned.text("recipient"), planned.text("action")) else { return Vec::new() };
    let Some(id) = super::id(&RESOURCE, planned) else { return Vec::new() };
    let before = rows.rows.iter().take_while(|row| row.id != id);
    let decides = |row: &&crate::gateway::table::Row| {
        let wide = row.record.text("recipient").unwrap_or_default();
        // ALL is always the last, whatever is made.
        wide != "ALL" && is_wider(wide, recipient) && row.record.text("action") != Some(action)
    };
    let shadow = before.filter(decides).map(|row| {
        let wide = row.record.text("recipient").unwrap_or_default();
        let detail = format!(
            "The entry \"{wide}\" stands before it and fits the same recipients, with another action. The first entry that fits decides, and no \
             command moves an entry: delete \"{wide}\" and make it again behind this one."
        );
        Diagnostic::warning(format!("The entry \"{recipient}\" will have no effect"), detail).at(Path::root().attribute("recipient"))
    });
    shadow.collect()
}

const NEW_LINE: Form =
    Form { command: "listenerconfig", words: &["listenerconfig", "edit", "<listener>", "rcptaccess", "new", "<address>"] };
const DELETE_LINE: Form =
    Form { command: "listenerconfig", words: &["listenerconfig", "edit", "<listener>", "rcptaccess", "delete", "<address>"] };

/// The line that makes an entry, where it can say all of it.
fn new_line(to: &Record) -> Option<Line> {
    let is_said = |name: &str| to.get(name).is_null() || to.truth(name) == Some(false);
    if !["smtp_response_code", "smtp_response_text", "bypass_smtp_call_ahead"].into_iter().all(is_said) {
        return None;
    }
    let recipient = recipient(to).ok()?;
    let action = if to.text("action")? == "accept" { "Accept" } else { "Reject" };
    let mut line = Line::of(&NEW_LINE, [to.text("listener")?, &recipient])?.with("--action", " ", action)?;
    for (name, option) in [("bypass_receiving_control", "--bypass_rc"), ("bypass_ldap_accept", "--bypass_la")] {
        if to.truth(name)? {
            line = line.with(option, " ", "yes")?;
        }
    }
    Some(line)
}

fn stage(edit: Edit<'_>, _: &Rows) -> Result<Vec<Dialog>, Error> {
    let menu = |record: &Record| -> Result<Dialog, Error> {
        let listener = required(record, "listener")?.to_owned();
        Ok(Dialog::of("listenerconfig").choose("EDIT").key(listener).choose("RCPTACCESS"))
    };
    let dialog = match edit {
        Edit::Create(to) if !is_all(to) => questions(menu(to)?.choose("NEW").key(recipient(to)?), to)?.or_line(new_line(to)),
        Edit::Create(to) => questions(menu(to)?.choose("EDIT").key(recipient(to)?), to)?,
        Edit::Update { from, to, .. } => {
            // The questions are about the whole entry: what is left as it stands is answered as it stands.
            let mut whole = from.record.clone();
            to.iter().filter(|(_, value)| value.is_wholly_known()).for_each(|(name, value)| whole.set(name, value.clone()));
            keep_unmanaged(questions(menu(to)?.choose("EDIT").key(recipient(&from.record)?), &whole)?, &from.record)
        }
        Edit::Delete(row) if is_all(&row.record) => {
            return Err(Error::new(Kind::Invalid, "The entry ALL of the recipient access table cannot be deleted."));
        }
        Edit::Delete(row) => {
            let recipient = recipient(&row.record)?;
            let line = row.record.text("listener").and_then(|listener| Line::of(&DELETE_LINE, [listener, &recipient]));
            confirmed(menu(&row.record)?.choose("DELETE").key(recipient.as_str()), &recipient).or_line(line)
        }
    };
    Ok(vec![dialog])
}

/// The entry as it is typed. A literal keeps its spelling: with or without a tag, the device knows it as it prints it.
fn recipient(record: &Record) -> Result<String, Error> {
    let text = required(record, "recipient")?;
    Ok(if text.contains('[') { text.to_lowercase().replace("[ipv6:", "[IPv6:") } else { forms::recipient_meaning(text) })
}

fn questions(dialog: Dialog, to: &Record) -> Result<Dialog, Error> {
    typable(&RESOURCE, to)?;
    let action = required(to, "action")?.to_owned();
    let wanted = action.clone();
    let picker = label(format!("action \"{action}\""), move |label| {
        plain(label).split(' ').any(|word| word == wanted || word == format!("{wanted}ed"))
    });
    let mut dialog = dialog;
    for (words, name) in [
        ("receiving control", "bypass_receiving_control"),
        ("ldap", "bypass_ldap_accept"),
        ("call-ahead", "bypass_smtp_call_ahead"),
        ("call ahead", "bypass_smtp_call_ahead"),
    ] {
        dialog = match to.truth(name) {
            Some(bypass) => dialog.yes_no_if_asked(words, bypass),
            None => dialog.keep(words),
        };
    }
    dialog = match (to.integer("smtp_response_code"), to.text("smtp_response_text")) {
        (Some(code), Some(text)) => dialog
            .yes_no("custom", true)
            .answer("code", code.to_string())
            .answer_if_asked("text", text)
            .answer_if_asked("response", text)
            .keep("blank"),
        _ => dialog.yes_no_if_asked("custom", false),
    };
    Ok(dialog
        .pick_by_if_asked("action", picker.clone())
        .pick_by_if_asked("access", picker)
        .keep("comment")
        .yes_no_if_asked("anyway", true))
}
