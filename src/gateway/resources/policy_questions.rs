//! The dialog of policy parameters: the same questions for a mail flow policy and for a listener's defaults.
//!
//! Which questions come, and in which order, changes with release, feature keys and earlier answers, so each is known by its subject.
//! All that is not to be changed is answered by Enter.

use super::is_changed;
use super::policy_parameters::{Ask, PARAMETERS, Parameter, mode};
use super::{label, plain};
use crate::gateway::dialog::Dialog;
use crate::remote::{Error, Kind};
use crate::schema::Record;
use crate::value::{Path, Value};

/// Questions that share words with those of managed parameters: the more of its words an answer names, the better it fits.
const KEPT_FIRST: [&str; 29] = [
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
    "tls authentication",
    "address list",
    "tls address list",
    "enforce tls",
    "similar senderbase",
    "mime",
    "mime signing",
    "mime verification",
    "dkim verification profile",
    "dmarc verification profile",
    "dmarc verification report",
    "spf verification actions",
    "spf verification timeout",
    "spf verification helo",
    "spf verification pra",
    "downgrade pra verification",
    "sender verification custom",
    "sender verification response",
    "bounce custom",
];

/// All other questions that are known by their subject and not managed.
const KEPT_LAST: [&str; 43] = [
    "authentication",
    "significant",
    "similar",
    "exception",
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

/// A question of its own may come before the one whether SPF is verified.
const SPF: &str = "spf_verification";
const SPF_GATE: &str = "change spf";

/// What is to be answered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// The parameters; what is null or unknown is not to be changed, or to be given back.
    pub(super) to: &'a Record,
    /// What differs from what stands; empty for a new object, of which everything counts.
    pub(super) changed: &'a [Path],
    /// For a policy: the listener's defaults, to which a parameter is given back.
    pub(super) inherited: Option<&'a Record>,
    /// Whether all questions may come: a policy that takes no mail is asked few of them.
    pub(super) takes_mail: bool,
}

/// Answers the parameter questions: managed ones with their value, all others with Enter.
pub(super) fn parameters(dialog: Dialog, wanted: Wanted<'_>) -> Result<Dialog, Error> {
    let mut dialog = dialog.keep_all(&KEPT_FIRST);
    let mut managed = false;
    for parameter in PARAMETERS {
        let value = wanted.to.get(parameter.name());
        let answered = match value {
            Value::Null if is_changed(wanted.changed, parameter.name()) => given_back(dialog, parameter, wanted)?,
            Value::Null | Value::Unknown(_) => Answered::Kept(kept(dialog, parameter)),
            value => Answered::Given(given(dialog, parameter, value, wanted)),
        };
        dialog = match answered {
            Answered::Given(dialog) => {
                managed = true;
                dialog
            }
            Answered::Kept(dialog) => dialog,
        };
    }
    dialog = dialog.yes_no_if_asked("parameters", managed).yes_no_if_asked("change", managed);
    // Several questions are about the same subject, and an answer that was not given yet goes before one that was.
    Ok((0..4).fold(dialog, |dialog, _| dialog.keep_all(&KEPT_LAST)))
}

enum Answered {
    Given(Dialog),
    Kept(Dialog),
}

/// Knows the question and keeps what stands.
fn kept(dialog: Dialog, parameter: &Parameter) -> Dialog {
    match parameter.ask {
        // The list of modes shares its words with many others, and the halves of a response have none of their own.
        Ask::Mode | Ask::Code => dialog,
        Ask::Text { gate, .. } | Ask::Name { gate } => dialog.keep(gate),
        Ask::Switch if parameter.name() == SPF => dialog.keep(parameter.words).keep(SPF_GATE),
        Ask::Number | Ask::Limit { .. } | Ask::Switch => dialog.keep(parameter.words),
    }
}

/// Answers a value.
fn given(dialog: Dialog, parameter: &Parameter, value: &Value, wanted: Wanted<'_>) -> Dialog {
    let must = wanted.changed.is_empty() || is_changed(wanted.changed, parameter.name());
    let typed = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => String::new(),
    };
    match (parameter.ask, value) {
        (Ask::Limit { gate, off: Some(off) }, value) if *value == Value::integer(off) => {
            dialog.yes_no_if_asked(gate, false).answer_if_asked(parameter.words, typed)
        }
        (Ask::Limit { gate, .. }, _) => text(dialog.yes_no_if_asked(gate, true), parameter.words, typed, must),
        (Ask::Number, _) => text(dialog, parameter.words, typed, must),
        (Ask::Switch, value) => {
            let on = *value == Value::Bool(true);
            // Without SMTP authentication, it is not asked.
            switch(dialog, parameter, on, must && (on || parameter.name() != "smtpauth_requiretls"))
        }
        (Ask::Mode, _) => {
            let picker = picked(&typed);
            let dialog = certified(dialog, parameter);
            if must { dialog.pick_by(parameter.words, picker) } else { dialog.pick_by_if_asked(parameter.words, picker) }
        }
        (Ask::Name { gate }, _) => opened(dialog, gate, must).answer_behind(gate, "hostname", typed, must),
        (Ask::Text { gate, code, .. }, _) => {
            response(dialog, gate, wanted.to.integer(code), typed, must || is_changed(wanted.changed, code))
        }
        // It is answered with the text.
        (Ask::Code, _) => dialog,
    }
}

/// Gives a parameter back: a policy's to the listener's default, a default's to having none.
fn given_back(dialog: Dialog, parameter: &Parameter, wanted: Wanted<'_>) -> Result<Answered, Error> {
    let default = wanted.inherited.map_or(&Value::Null, |inherited| inherited.get(parameter.name()));
    Ok(Answered::Given(match (parameter.ask, default) {
        (Ask::Text { gate, .. } | Ask::Name { gate } | Ask::Limit { gate, off: None }, _) => {
            // The same words may come for another subject, which stays as it is.
            dialog.yes_no_if_asked(gate, false).keep(gate)
        }
        (Ask::Code, _) => dialog,
        (Ask::Number | Ask::Limit { .. } | Ask::Switch | Ask::Mode, _) if wanted.inherited.is_none() => {
            // A listener's own value of these is always there: what it was is not known.
            return Ok(Answered::Kept(kept(dialog, parameter)));
        }
        (Ask::Number, _) => text(dialog, parameter.words, "default".to_owned(), wanted.takes_mail),
        // The limit is only asked for where limiting is on.
        (Ask::Limit { gate, .. }, _) => {
            text(dialog.yes_no_if_asked(gate, true), parameter.words, "default".to_owned(), wanted.takes_mail)
        }
        (Ask::Switch, Value::Bool(on)) => switch(dialog, parameter, *on, false),
        (Ask::Mode, Value::String(mode)) => certified(dialog, parameter).pick_by_if_asked(parameter.words, picked(mode)),
        (Ask::Switch | Ask::Mode, _) if !wanted.takes_mail => kept(dialog, parameter),
        (Ask::Switch | Ask::Mode, _) => return Err(not_given_back(parameter.name())),
    }))
}

fn text(dialog: Dialog, words: &str, typed: String, must: bool) -> Dialog {
    if must { dialog.answer(words, typed) } else { dialog.answer_if_asked(words, typed) }
}

fn switch(dialog: Dialog, parameter: &Parameter, on: bool, must: bool) -> Dialog {
    let dialog = if must { dialog.yes_no(parameter.words, on) } else { dialog.yes_no_if_asked(parameter.words, on) };
    // A question that names both is the one that counts: its answer stands before.
    if parameter.name() == SPF { dialog.yes_no_if_asked(SPF_GATE, true) } else { dialog }
}

/// A response of one's own: the question whether there is to be one, its code, its text.
fn response(dialog: Dialog, gate: &str, code: Option<i64>, typed: String, must: bool) -> Dialog {
    let dialog = match code {
        Some(code) => dialog.answer_behind(gate, "code", code.to_string(), must),
        None => dialog.keep_behind(gate, "code"),
    };
    // The same words may come for another subject, which stays as it is.
    let dialog = opened(dialog, gate, must).answer_behind(gate, "response", typed, must).keep(gate);
    dialog.keep_behind(gate, "code").keep_behind(gate, "response")
}

/// Says yes to the question that comes before others.
fn opened(dialog: Dialog, gate: &str, must: bool) -> Dialog {
    if must { dialog.yes_no(gate, true) } else { dialog.yes_no_if_asked(gate, true) }
}

/// Answers what comes with TLS on a listener that has no certificate.
fn certified(dialog: Dialog, parameter: &Parameter) -> Dialog {
    match parameter.name() {
        "tls" => dialog.yes_no_if_asked("demo certificate", true).keep("certificate"),
        _ => dialog,
    }
}

fn picked(wanted: &str) -> crate::gateway::dialog::Picker {
    let named = format!("choice \"{wanted}\"");
    let wanted = wanted.to_owned();
    label(named, move |label| mode(&plain(label)) == Some(wanted.as_str()))
}

/// The reason why a parameter cannot be left out again.
pub(super) const NO_WAY_BACK: &str = "The gateway's dialog has no answer that gives it back to the listener's default, and this gateway does not \
                                      print what the listener's default is (\"Default Policy Parameters\"), so that it could be answered.";

fn not_given_back(name: &str) -> Error {
    Error::new(Kind::Invalid, format!("Unable to remove \"{name}\". {NO_WAY_BACK}"))
        .hint("Set it to the value that is wanted.")
        .at(Path::root().attribute(name))
}
