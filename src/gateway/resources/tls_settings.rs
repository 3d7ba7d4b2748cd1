//! SSL Configuration (System Administration > SSL Configuration; `sslconfig`): TLS versions and ciphers of the gateway.
//!
//! Which methods a release offers, and under which numbers, is not documented: the printed list is read, and the label whose set of versions
//! is the wanted one is taken. The dialog is that of Cisco's tech note 117855.

use std::sync::Arc;

use super::{TIMEOUTS, forms, typable};
use crate::gateway::dialog::{Dialog, Picker};
use crate::gateway::printouts::tls::versions;
use crate::gateway::table::{Edit, Neighbours, Printout, Rows, Table};
use crate::remote::{Error, Kind};
use crate::schema::{Attribute, Import, Record, Resource, set, string};

/// The table of the SSL configuration.
pub(in crate::gateway) const TABLE: Table = Table {
    resource: &RESOURCE,
    printout: |_| Printout::Tls,
    listener: super::no_listener,
    resettable: false,
    neighbours: Neighbours::None,
    stage,
    check: super::nothing_to_check,
};

const fn methods_of(name: &'static str, about: &'static str) -> Attribute {
    set(name, about)
        .keywords(&["SSLv2", "SSLv3", "TLSv1", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"])
        .meaning(version)
        .filled_by_service()
}

const fn ciphers_of(name: &'static str, about: &'static str) -> Attribute {
    string(name, about)
        .format("an OpenSSL cipher string such as `HIGH:MEDIUM:!aNULL:@STRENGTH`", forms::ciphers)
        .meaning(forms::ciphers_meaning)
        .filled_by_service()
}

/// What the SSL configuration has.
pub(in crate::gateway) const RESOURCE: Resource = Resource {
    name: "gateway_tls_settings",
    noun: "SSL configuration",
    about: "Sets the TLS versions and ciphers for mail (System Administration > SSL Configuration). There is one per gateway: create adopts it, \
            destroy restores what was there before. What is left out stays as it is; the web interface's own settings are never changed.",
    attributes: &[
        methods_of(
            "inbound_methods",
            "SSL method of inbound SMTP (connections of others to the listeners): the TLS versions that are allowed, no more and no less. Each release \
             offers some sets of versions only; the error for any other set lists them.",
        ),
        ciphers_of("inbound_ciphers", "SSL cipher(s) of inbound SMTP."),
        methods_of(
            "outbound_methods",
            "SSL method of outbound SMTP (deliveries to others): the TLS versions that are allowed, as with `inbound_methods`.",
        ),
        ciphers_of("outbound_ciphers", "SSL cipher(s) of outbound SMTP."),
    ],
    rules: &[],
    identity: &["id"],
    import: Import::Singleton { word: "tls_settings" },
    title: "id",
    version: 0,
    timeouts: TIMEOUTS,
};

/// Brings the name of a version to one spelling: `TLSv1.0` is `TLSv1`.
fn version(text: &str) -> String {
    match versions(text).as_deref() {
        Some([version]) => (*version).to_owned(),
        _ => text.to_owned(),
    }
}

fn stage(edit: Edit<'_>, rows: &Rows) -> Result<Vec<Dialog>, Error> {
    let nothing = Record::new();
    let (from, to) = match edit {
        Edit::Create(to) => (rows.find(RESOURCE.name, "tls_settings").map_or(&nothing, |row| &row.record), to),
        Edit::Update { from, to, .. } => (&from.record, to),
        Edit::Delete(_) => return Err(Error::new(Kind::Invalid, "The SSL configuration cannot be deleted.")),
    };
    typable(&RESOURCE, to)?;
    let mut dialogs: Vec<Dialog> = Vec::new();
    let mut verified: Vec<String> = Vec::new();
    let mut dialog = Dialog::of("sslconfig");
    for (side, operation) in [("inbound", "INBOUND"), ("outbound", "OUTBOUND")] {
        let methods = methods(to, side).filter(|wanted| methods(from, side).as_ref() != Some(wanted));
        let ciphers = ciphers(to, side).filter(|wanted| ciphers(from, side).as_ref() != Some(wanted));
        if methods.is_none() && ciphers.is_none() {
            continue;
        }
        if let Some(ciphers) = ciphers.as_ref().filter(|ciphers| !verified.contains(ciphers)) {
            dialogs.push(verify(ciphers));
            verified.push(ciphers.clone());
        }
        dialog = dialog.choose(operation);
        dialog = match ciphers {
            Some(ciphers) => dialog.answer("cipher", ciphers),
            None => dialog.keep("cipher"),
        };
        dialog = match methods {
            Some(methods) => dialog.pick_by("method", exactly(methods)),
            None => dialog.keep("method"),
        };
        dialog = dialog.keep_all(&["renegotiation", "renegotiate", "certificate", "fqdn", "x509", "x.509", "peer", "validation"]);
        dialog = dialog.yes_no_if_asked("continue", true).yes_no_if_asked("sure", true);
    }
    // Without a change, nothing is walked.
    if dialog.sections.len() > 1 {
        dialogs.push(dialog);
    }
    Ok(dialogs)
}

/// Has the device list what a cipher string selects: a string that selects nothing ends all mail over TLS.
fn verify(ciphers: &str) -> Dialog {
    Dialog::of("sslconfig")
        .choose_if_offered(&["VERIFY"])
        .key(ciphers)
        .must_say(format!("The gateway knows no cipher that \"{ciphers}\" selects."))
}

fn methods(record: &Record, side: &str) -> Option<Vec<String>> {
    let value = record.get(&format!("{side}_methods"));
    let mut names: Vec<String> =
        value.as_elements().filter(|_| value.is_wholly_known())?.iter().filter_map(|name| name.as_text().map(version)).collect();
    names.sort_unstable();
    names.dedup();
    (!names.is_empty()).then_some(names)
}

fn ciphers(record: &Record, side: &str) -> Option<String> {
    record.text(&format!("{side}_ciphers")).map(forms::ciphers_meaning)
}

/// Chooses the label that names exactly these versions.
fn exactly(wanted: Vec<String>) -> Picker {
    Arc::new(move |labels: &[String]| {
        let sets: Vec<Option<Vec<&'static str>>> = labels.iter().map(|label| versions(label)).collect();
        let fits = |set: &Option<Vec<&'static str>>| {
            set.as_ref().is_some_and(|set| set.iter().copied().eq(wanted.iter().map(String::as_str)))
        };
        sets.iter().position(fits).ok_or_else(|| {
            let offered: Vec<String> = labels
                .iter()
                .zip(&sets)
                .map(|(label, set)| match set {
                    Some(set) => {
                        format!("[{}]", set.iter().map(|version| format!("\"{version}\"")).collect::<Vec<_>>().join(", "))
                    }
                    None => format!("\"{label}\" (not understood)"),
                })
                .collect();
            format!("This release has no method of exactly {}. It offers the sets {}.", wanted.join(", "), offered.join(", "))
        })
    })
}
