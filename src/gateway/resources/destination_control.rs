//! Destination Controls (Mail Policies > Destination Controls; `destconfig`): how fast and how safely the gateway delivers to a domain.
//!
//! The questions are those of the CLI reference, `destconfig`, and of Cisco's tech note 118177; which of them are asked
//! depends on the release and on earlier answers. A detail block is shown in [`crate::gateway::printouts::destinations`].

use super::{TIMEOUTS, UNMANAGED, confirmed, forms, keep_unmanaged, label, plain, required, typable};
use crate::gateway::batch_form::{Form, Line};
use crate::gateway::dialog::Dialog;
use crate::gateway::printouts::destinations;
use crate::gateway::table::{Edit, Neighbours, Printout, Rows, Table};
use crate::remote::{Error, Kind};
use crate::schema::{Import, Record, Resource, Rule, engine, integer, keyword, string};
use crate::value::{Diagnostic, Diagnostics, Path, Value};

/// The table of Destination Controls.
pub(in crate::gateway) const TABLE: Table = Table {
    resource: &RESOURCE,
    printout: |_| Printout::Destinations,
    listener: super::no_listener,
    resettable: false,
    neighbours: Neighbours::None,
    stage,
    check: super::nothing_to_check,
};

const MOST: i64 = i32::MAX as i64;

/// What a Destination Controls entry has.
pub(in crate::gateway) const RESOURCE: Resource = Resource {
    name: "gateway_destination_control",
    noun: "destination control",
    about: "Limits and secures the delivery to a domain (Mail Policies > Destination Controls). The entry `DEFAULT` holds for every domain \
            without an entry of its own; it always exists, so it is adopted on create and restored on destroy.",
    attributes: &[
        string("domain", "Destination. `DEFAULT` is the entry for all domains that have none.")
            .required()
            .always_there(|domain| forms::domain_meaning(domain) == "DEFAULT")
            .replaces()
            .format("a domain (`example.com`), all hosts below one (`.example.com`), an IP address, or `DEFAULT`", forms::destination_domain)
            .meaning(forms::domain_meaning),
        integer("concurrency_limit", "Concurrent Connections: how many connections are open to the destination at once. Left out: as in the entry `DEFAULT`.")
            .range(1, MOST),
        integer(
            "max_messages_per_connection",
            "Maximum Messages Per Connection: how many messages are sent before a connection is closed. Left out: as in the entry `DEFAULT`.",
        )
        .range(1, MOST),
        integer("recipient_limit", "Recipients: how many recipients are served in each period of `recipient_limit_minutes`. Left out: no limit.").range(1, MOST),
        integer("recipient_limit_minutes", "The period of `recipient_limit` in minutes.").range(1, 60).filled_integer(60),
        keyword(
            "concurrency_limit_type",
            "Apply limits per destination: `host` counts the whole domain, `MXIP` counts each mail exchanger IP address on its own.",
            &["host", "MXIP"],
        )
        .filled_by_service(),
        keyword(
            "concurrency_limit_apply",
            "Apply limits per ESA hostname: `system` holds for the whole gateway, `VG` for each virtual gateway on its own.",
            &["system", "VG"],
        )
        .filled_by_service(),
        keyword(
            "tls",
            "TLS Support. `none` never uses TLS, `preferred` uses it where the other side offers it, `required` delivers over TLS only; with \
             `_verify` the other side's certificate is verified, too. `default` does as the entry `DEFAULT`.",
            &["default", "none", "preferred", "required", "preferred_verify", "required_verify", "required_verify_hosted_domains"],
        )
        .filled_text("default"),
        keyword(
            "dane",
            "DANE Support, where TLS is in use: `opportunistic` verifies the other side by its TLSA records where it has any, `mandatory` delivers only \
             then. `default` does as the entry `DEFAULT`. Left out, it stays as it is.",
            &["default", "none", "opportunistic", "mandatory"],
        )
        .filled_by_service(),
        keyword(
            "bounce_verification",
            "Bounce Verification: Perform address tagging. `default` does as the entry `DEFAULT`.",
            &["default", "on", "off"],
        )
        .filled_text("default"),
        string("bounce_profile", "Bounce Profile, by name. Left out: the profile `Default`.").format("a name of letters, digits, `_`, `-`, `.` and blanks that starts with a letter", forms::profile),
        keyword(
            "ip_sort_preference",
            "IP Address Preference: which IP version of a mail exchanger is tried first, or only. `default` does as the entry `DEFAULT`. Left out, \
             it stays as it is.",
            &["default", "prefer_v6", "require_v6", "prefer_v4", "require_v4"],
        )
        .filled_by_service(),
        UNMANAGED,
    ],
    rules: &[
        Rule::Hook("`recipient_limit_minutes` is the period of `recipient_limit`, and has no meaning without it.", period_has_a_limit),
        Rule::Hook("`dane` verifies connections over TLS: the entry needs a `tls` of its own.", dane_has_tls),
        Rule::Hook("The entry `DEFAULT` has nothing to inherit: nothing of it is `default`.", default_is_whole),
    ],
    identity: &["domain"],
    import: Import::Key { attributes: &["domain"], example: "example.com" },
    title: "domain",
    version: 0,
    timeouts: TIMEOUTS,
};

fn is_default(record: &Record) -> bool {
    engine::is_always_there(&RESOURCE, record)
}

/// The period alone would be lost; 60 is what a missing limit reads as.
fn period_has_a_limit(config: &Record) -> Diagnostics {
    let alone =
        config.get("recipient_limit").is_null() && config.integer("recipient_limit_minutes").is_some_and(|minutes| minutes != 60);
    let error = || {
        let detail =
            "The gateway keeps the period with the limit only. Set recipient_limit, or leave recipient_limit_minutes out.";
        Diagnostic::error("recipient_limit_minutes has no recipient_limit", detail)
            .at(Path::root().attribute("recipient_limit_minutes"))
    };
    if alone { vec![error()] } else { Vec::new() }
}

fn default_is_whole(config: &Record) -> Diagnostics {
    if !is_default(config) {
        return Vec::new();
    }
    let inherits = |name: &&&str| config.text(name) == Some("default");
    let names = ["tls", "dane", "bounce_verification", "ip_sort_preference"];
    let wrong = names.iter().filter(inherits);
    wrong
        .map(|name| {
            let detail = "The entry DEFAULT is what other entries inherit from. It has nothing to inherit itself: say a value, or leave it out, and \
                          it stays as it stands.";
            Diagnostic::error(format!("{name} has nothing to inherit in the entry DEFAULT"), detail).at(Path::root().attribute(name))
        })
        .collect()
}

/// Tells whether an attribute means nothing beside the others that are wanted or shown, so that the dialog does not ask for it and what stands
/// of it does not count.
pub(in crate::gateway) fn is_idle(name: &str, records: &[&Record]) -> bool {
    let held = |name: &str| super::held(records, name);
    // What is left out of an ordinary entry is wanted to be nothing.
    let limited = |name: &str| records.first().is_some_and(|wanted| !wanted.get(name).is_null() && !held(name).is_null());
    match name {
        "dane" => matches!(held("tls").as_text(), Some("none" | "default")),
        "recipient_limit_minutes" => !limited("recipient_limit"),
        "concurrency_limit_type" | "concurrency_limit_apply" => {
            !["concurrency_limit", "max_messages_per_connection", "recipient_limit"].into_iter().any(limited)
        }
        _ => false,
    }
}

/// What DANE verifies is a connection over TLS.
fn dane_has_tls(config: &Record) -> Diagnostics {
    let tls = config.get("tls");
    let without = tls.is_null() && !is_default(config) || matches!(tls.as_text(), Some("none" | "default"));
    if !without || !matches!(config.text("dane"), Some("opportunistic" | "mandatory")) {
        return Vec::new();
    }
    let detail =
        "The gateway asks for DANE only in an entry with a TLS setting of its own: set `tls` to \"preferred\" or \"required\".";
    vec![Diagnostic::error("dane has no effect without TLS", detail).at(Path::root().attribute("dane"))]
}

const NEW_LINE: Form = Form { command: "destconfig", words: &["destconfig", "new", "<profile>"] };
const DELETE_LINE: Form = Form { command: "destconfig", words: &["destconfig", "delete", "<profile>"] };

/// The line that makes an entry, where it can say all of it: what is not named is as in the entry `DEFAULT`.
fn new_line(to: &Record) -> Option<Line> {
    let is_default = |name: &str| matches!(to.get(name), Value::Null | Value::Unknown(_)) || to.text(name) == Some("default");
    if !is_default("dane") || !is_default("ip_sort_preference") {
        return None;
    }
    let domain = domain(to).ok()?;
    let mut line = Line::of(&NEW_LINE, [domain.as_str()])?;
    for name in ["concurrency_limit", "max_messages_per_connection", "recipient_limit"] {
        match to.get(name) {
            Value::Null => continue,
            Value::Number(number) => line = line.with(name, "=", &number.to_string())?,
            _ => return None,
        }
        if name == "recipient_limit" {
            line = line.with("recipient_limit_minutes", "=", &to.integer("recipient_limit_minutes")?.to_string())?;
        }
    }
    for name in ["concurrency_limit_type", "concurrency_limit_apply", "bounce_profile"] {
        if let Some(word) = to.text(name) {
            line = line.with(name, "=", word)?;
        }
    }
    match to.text("tls")? {
        "default" => {}
        "none" => line = line.with("use_tls", "=", "off")?,
        "preferred" => line = line.with("use_tls", "=", "on")?,
        "required" => line = line.with("use_tls", "=", "require")?,
        "preferred_verify" => line = line.with("use_tls", "=", "on_verify")?,
        "required_verify" => line = line.with("use_tls", "=", "require_verify")?,
        _ => return None,
    }
    match to.text("bounce_verification")? {
        "default" => Some(line),
        tagging => line.with("bounce_verification", "=", tagging),
    }
}

fn stage(edit: Edit<'_>, _: &Rows) -> Result<Vec<Dialog>, Error> {
    let menu = Dialog::of("destconfig");
    let dialog = match edit {
        Edit::Create(to) if is_default(to) => questions(menu.choose("DEFAULT"), to, true)?,
        Edit::Create(to) => questions(menu.choose("NEW").key(domain(to)?), to, false)?.or_line(new_line(to)),
        Edit::Update { from, to, .. } if is_default(to) => {
            keep_unmanaged(questions(menu.choose("DEFAULT"), to, true)?, &from.record)
        }
        Edit::Update { from, to, .. } => {
            keep_unmanaged(questions(menu.choose("EDIT").key(domain(to)?), to, false)?, &from.record)
        }
        Edit::Delete(row) if is_default(&row.record) => {
            return Err(Error::new(Kind::Invalid, "The entry DEFAULT of the destination control table cannot be deleted."));
        }
        Edit::Delete(row) => {
            let domain = domain(&row.record)?;
            confirmed(menu.choose("DELETE").key(domain.as_str()), &domain).or_line(Line::of(&DELETE_LINE, [domain.as_str()]))
        }
    };
    Ok(vec![dialog])
}

fn domain(record: &Record) -> Result<String, Error> {
    required(record, "domain").map(forms::domain_meaning)
}

/// Answers the questions about an entry. Questions of the same kind are told apart by the order of the answers.
fn questions(dialog: Dialog, to: &Record, is_default: bool) -> Result<Dialog, Error> {
    typable(&RESOURCE, to)?;
    let mut dialog = dialog;
    dialog = match to.get("concurrency_limit") {
        Value::Unknown(_) => dialog.keep("concurrency limit"),
        Value::Number(limit) => dialog.yes_no_if_asked("concurrency limit", true).answer("concurrency limit", limit.to_string()),
        _ => dialog.yes_no_if_asked("concurrency limit", false).keep("concurrency limit"),
    };
    dialog = match to.get("max_messages_per_connection") {
        Value::Unknown(_) => dialog.keep("messages-per-connection").keep("messages connection"),
        Value::Number(limit) => {
            let dialog = dialog.yes_no_if_asked("messages-per-connection", true).yes_no_if_asked("messages connection", true);
            dialog.answer("number messages", limit.to_string())
        }
        _ => dialog.yes_no_if_asked("messages-per-connection", false).yes_no_if_asked("messages connection", false),
    };
    dialog = dialog.keep("number messages");
    dialog = match to.get("recipient_limit") {
        Value::Unknown(_) => dialog.keep("recipient limit").keep("number recipients"),
        Value::Number(limit) => {
            let minutes = to.integer("recipient_limit_minutes").unwrap_or(60).to_string();
            dialog
                .yes_no_if_asked("recipient limit", true)
                .answer("number recipients", limit.to_string())
                .answer_if_asked("minutes measure", minutes.as_str())
                .answer_if_asked("number minutes", minutes)
        }
        _ => dialog.yes_no_if_asked("recipient limit", false),
    };
    dialog = dialog.keep("number recipients").keep("number minutes");
    dialog = match to.text("concurrency_limit_type").map(str::to_owned) {
        None => dialog.keep("apply limits"),
        Some(counted) => dialog.pick_by_if_asked(
            "apply limits",
            label(format!("limit of the type \"{counted}\""), move |label| limit_type(label) == Some(&counted)),
        ),
    };
    dialog = match to.text("concurrency_limit_apply").map(str::to_owned) {
        None => dialog.keep("limits enforced"),
        Some(scope) => dialog.pick_by_if_asked(
            "limits enforced",
            label(format!("limit for \"{scope}\""), move |label| limit_apply(label) == Some(&scope)),
        ),
    };
    dialog = match to.text("tls").map(str::to_owned) {
        None => dialog.keep("specific tls").keep("use tls"),
        Some(mode) if mode == "default" => dialog.yes_no_if_asked("specific tls", false).keep("use tls"),
        Some(mode) => {
            let picker = label(format!("TLS support \"{mode}\""), move |label| destinations::tls(label) == Some(&mode));
            // Some releases answer yes/no questions about TLS with a list: it must be found in any case.
            dialog.yes_no_if_asked("specific tls", true).pick_by("tls", picker)
        }
    };
    dialog = match to.text("dane").map(str::to_owned) {
        // Without TLS it is not asked for.
        Some(mode) if mode != "none" && is_idle("dane", &[to]) => dialog.keep("dane"),
        Some(mode) if mode != "default" => {
            // Whether a list follows, and whether "no" is in it, depends on the release.
            let on = mode != "none";
            let picker = label(format!("DANE option \"{mode}\""), move |label| destinations::dane(label) == Some(&mode));
            let dialog =
                dialog.yes_no_if_asked("configure dane", true).yes_no_if_asked("specific dane", true).yes_no_if_asked("dane", on);
            if on { dialog.pick_by("dane", picker) } else { dialog.pick_by_if_asked("dane", picker) }
        }
        Some(_) if !is_default => dialog.yes_no_if_asked("dane", false).keep("dane"),
        _ => dialog.keep("dane"),
    };
    dialog = match to.text("bounce_verification") {
        None => dialog.keep("bounce verification").keep("tagging"),
        Some("default") => dialog
            .yes_no_if_asked("specific tagging", false)
            .yes_no_if_asked("specific bounce verification", false)
            .keep("tagging"),
        Some(tagging) => {
            let on = tagging == "on";
            dialog
                .yes_no_if_asked("specific tagging", true)
                .yes_no_if_asked("specific bounce verification", true)
                .yes_no_if_asked("tagging", on)
                .yes_no_if_asked("bounce verification", on)
        }
    };
    dialog = match to.get("bounce_profile") {
        Value::String(name) => {
            let wanted = name.clone();
            let picker = label(format!("bounce profile \"{name}\""), move |label| {
                label.trim().eq_ignore_ascii_case(&wanted) || plain(label) == plain(&wanted)
            });
            dialog
                .yes_no_if_asked("specific bounce profile", true)
                .yes_no_if_asked("bounce profile", true)
                .pick_by("bounce profile", picker)
        }
        Value::Null if !is_default => dialog.yes_no_if_asked("bounce profile", false),
        _ => dialog,
    };
    dialog = dialog.keep("bounce profile");
    dialog = match to.text("ip_sort_preference").map(str::to_owned) {
        None => dialog.keep("sort"),
        Some(preference) if preference == "default" => dialog.yes_no_if_asked("sort preference", false).keep("sort"),
        Some(preference) => {
            let picker = label(format!("IP address preference \"{preference}\""), move |label| {
                destinations::ip_sort(label) == Some(&preference)
            });
            dialog.yes_no_if_asked("sort preference", true).pick_by("sort", picker)
        }
    };
    // The demonstration certificate is in use until the administrator brings one: that is no reason to leave TLS off.
    dialog = dialog.yes_no_if_asked("entered certificate", true).yes_no_if_asked("demo certificate", true).keep("certificate");
    Ok(dialog.keep_all(&["alert", "outbound interface"]))
}

fn limit_type(label: &str) -> Option<&'static str> {
    let plain = plain(label);
    if plain.contains("mail exchanger") || plain.contains("separate") || plain.contains("mxip") {
        Some("MXIP")
    } else {
        (plain.contains("entire") || plain.contains("one limit") || plain.contains("host")).then_some("host")
    }
}

fn limit_apply(label: &str) -> Option<&'static str> {
    let plain = plain(label);
    if plain.contains("system") { Some("system") } else { (plain.contains("virtual gateway") || plain == "vg").then_some("VG") }
}
