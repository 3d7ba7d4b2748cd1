//! SSL Configuration (System Administration > SSL Configuration; `sslconfig`): TLS versions and ciphers of the gateway.
//!
//! Which methods a release offers, and under which numbers, is not documented: the printed list is read. Either the label whose set of versions is
//! the wanted one is taken (tech note 117855), or, where each label is one version, those of the wanted ones together (`1-3`, tech note 215282).

use std::sync::Arc;

use super::{TIMEOUTS, UNMANAGED, forms, typable};
use crate::gateway::dialog::{Dialog, SetPicker};
use crate::gateway::printouts::tls::{GUI_WITH_GAP, gap, versions};
use crate::gateway::table::{Edit, Neighbours, Printout, Rows, Table};
use crate::remote::{Error, Kind};
use crate::schema::{Attribute, Import, Record, Resource, set, string};
use crate::value::{Diagnostic, Diagnostics, Path};

/// The table of the SSL configuration.
pub(in crate::gateway) const TABLE: Table = Table {
    resource: &RESOURCE,
    printout: |_| Printout::Tls,
    listener: super::no_listener,
    resettable: false,
    neighbours: Neighbours::None,
    stage,
    check,
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
        UNMANAGED,
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
            Some(methods) => dialog.pick_some("method", exactly(methods)),
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

/// Chooses the label that names exactly these versions, or, where each label names one version, all of theirs.
fn exactly(wanted: Vec<String>) -> SetPicker {
    Arc::new(move |labels: &[String]| {
        let sets: Vec<Option<Vec<&'static str>>> = labels.iter().map(|label| versions(label)).collect();
        let fits = |set: &Option<Vec<&'static str>>| {
            set.as_ref().is_some_and(|set| set.iter().copied().eq(wanted.iter().map(String::as_str)))
        };
        if let Some(position) = sets.iter().position(fits) {
            return Ok(vec![position]);
        }
        let singles: Option<Vec<&str>> = sets.iter().map(|set| set.as_deref().and_then(single)).collect();
        let of_singles = singles.as_ref().and_then(|singles| {
            let found: Option<Vec<usize>> =
                wanted.iter().map(|wanted| singles.iter().position(|version| version == wanted)).collect();
            found.filter(|_| gap(&wanted).is_empty())
        });
        if let Some(mut positions) = of_singles {
            positions.sort_unstable();
            return Ok(positions);
        }
        let offered: Vec<String> = labels
            .iter()
            .zip(&sets)
            .map(|(label, set)| match set {
                Some(set) => shown(set),
                None => format!("\"{label}\" (not understood)"),
            })
            .collect();
        let offered = offered.join(", ");
        let wanted = wanted.join(", ");
        Err(match singles {
            Some(_) => format!(
                "This release has no method of exactly {wanted}. It offers the versions {offered}, and any of them without a gap."
            ),
            None => format!("This release has no method of exactly {wanted}. It offers the sets {offered}."),
        })
    })
}

/// The only version of a set.
fn single<'a>(set: &[&'a str]) -> Option<&'a str> {
    match set {
        [version] => Some(version),
        _ => None,
    }
}

/// A set as it is written in a configuration.
fn shown(set: &[impl AsRef<str>]) -> String {
    format!("[{}]", set.iter().map(|version| format!("\"{}\"", version.as_ref())).collect::<Vec<_>>().join(", "))
}

/// Refuses sets with a gap where the gateway shows none, and says what could not be given back.
fn check(planned: &Record, rows: &Rows) -> Diagnostics {
    let Some(row) = rows.find(RESOURCE.name, "tls_settings") else { return Vec::new() };
    let standing = |side: &str| methods(&row.record, side);
    let has_gaps = row.record.truth(GUI_WITH_GAP) == Some(true)
        || ["inbound", "outbound"].into_iter().filter_map(standing).any(|set| !gap(&set).is_empty());
    let mut found = Vec::new();
    for side in ["inbound", "outbound"] {
        let Some(wanted) = methods(planned, side).filter(|wanted| standing(side).as_ref() != Some(wanted)) else { continue };
        let at = Path::root().attribute(&format!("{side}_methods"));
        let missing = gap(&wanted);
        if !missing.is_empty() && !has_gaps {
            let whole: Vec<&str> = wanted.iter().map(String::as_str).chain(missing.iter().copied()).collect();
            let possible = without_gaps(&wanted, whole).join(", ");
            let detail = format!(
                "The versions of a method have no gap: {} is missing between them. These sets are possible: {possible}.",
                missing.join(" and ")
            );
            found.push(Diagnostic::error(format!("{side}_methods has a gap"), detail).at(at));
        } else if standing(side).is_none() {
            let detail = "The gateway shows a method that this provider does not understand, so that destroy cannot give it back. Note what \
                          `sslconfig` prints before you apply.";
            found.push(Diagnostic::warning(format!("What stands of {side}_methods cannot be given back"), detail).at(at));
        } else if missing.is_empty() && standing(side).is_some_and(|set| !gap(&set).is_empty()) {
            let set = standing(side).unwrap_or_default();
            let detail = format!(
                "The gateway has {} now. A release that lists single versions takes no set with a gap, and destroy could not give it back there.",
                shown(&set)
            );
            found.push(Diagnostic::warning(format!("What stands of {side}_methods may not be given back"), detail).at(at));
        }
    }
    found
}

/// The sets next to one with gaps: with the missing versions, and its parts.
fn without_gaps(wanted: &[String], mut whole: Vec<&str>) -> Vec<String> {
    whole.sort_unstable();
    let mut sets = vec![shown(&whole)];
    let mut part: Vec<&str> = Vec::new();
    for version in whole.into_iter().filter(|version| version.starts_with("TLS")) {
        if wanted.iter().any(|one| one == version) {
            part.push(version);
        } else if !part.is_empty() {
            sets.push(shown(&part));
            part.clear();
        }
    }
    sets.push(shown(&part));
    sets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::table::Row;
    use crate::value::Value;

    #[test]
    fn rg6_single_versions_are_answered_together_and_a_gap_is_refused_where_the_gateway_shows_none() {
        let labels = ["TLS v1.0", "TLS v1.1", "TLS v1.2", "SSL v2", "SSL v3"].map(str::to_owned);
        let chosen = |wanted: &[&str]| exactly(wanted.iter().map(|version| (*version).to_owned()).collect())(&labels);
        assert_eq!(chosen(&["TLSv1", "TLSv1.1", "TLSv1.2"]), Ok(vec![0, 1, 2]));
        assert_eq!(chosen(&["TLSv1.2"]), Ok(vec![2]));
        assert!(chosen(&["TLSv1", "TLSv1.2"]).expect_err("a gap").contains("any of them without a gap"));

        let record = |versions: &[&str]| Record::new().with("inbound_methods", Value::texts(versions.iter().copied()));
        let said = |standing: &[&str], wanted: &[&str]| {
            let row = Row { resource: RESOURCE.name, id: "tls_settings".to_owned(), record: record(standing) };
            let found = check(&record(wanted), &Rows { rows: vec![row], ..Rows::default() });
            found.into_iter().map(|found| format!("{}: {}", found.summary, found.detail)).collect::<Vec<_>>()
        };
        let refused = said(&["TLSv1.2"], &["TLSv1", "TLSv1.2"]);
        assert!(
            refused.len() == 1 && refused[0].contains("inbound_methods has a gap: ") && refused[0].contains("TLSv1.1 is missing"),
            "{refused:?}"
        );
        assert!(refused[0].contains("[\"TLSv1\", \"TLSv1.1\", \"TLSv1.2\"], [\"TLSv1\"], [\"TLSv1.2\"]"), "{refused:?}");
        assert_eq!(said(&["TLSv1.2"], &["TLSv1.1", "TLSv1.2"]), Vec::<String>::new());
        // A gateway that has one takes one; where it may not, it is said that it could not be given back.
        let unsure = said(&["TLSv1", "TLSv1.2"], &["TLSv1.2"]);
        assert!(unsure.len() == 1 && unsure[0].contains("may not be given back"), "{unsure:?}");
        assert_eq!(said(&["TLSv1", "TLSv1.2"], &["TLSv1.1", "TLSv1.3"]), Vec::<String>::new());
    }
}
