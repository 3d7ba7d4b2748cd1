//! The SSL configuration: the banner of `sslconfig`.
//!
//! ```text
//! sslconfig settings:
//!   Inbound SMTP method:  tlsv1/tlsv1.2
//!   Inbound SMTP ciphers:
//!         MEDIUM
//!         HIGH
//! ```
//!
//! The ciphers stand one a line or, in older releases, behind the label. A method names its versions in many spellings; the set of
//! versions is what counts. What is said of the web interface is not about mail; of anything else that nobody knows, label and value are kept.

use super::labels::{self, Words};
use super::{banner, cut_off, foreign, is_noise, label, lines};
use crate::gateway::dialog::{Dialog, Said};
use crate::gateway::resources::forms::ciphers_meaning;
use crate::gateway::resources::tls_settings;
use crate::gateway::table::{Row, Rows};
use crate::remote::Error;
use crate::schema::Record;
use crate::value::Value;

const RESOURCE: &str = "gateway_tls_settings";

/// The dialog that prints the banner.
pub(in crate::gateway) fn dialog(said: &[Said]) -> Option<Dialog> {
    said.is_empty().then(|| Dialog::of("sslconfig"))
}

/// Under which name a record holds the versions of the web interface, where these have a gap. They are not managed; they show what the release
/// can do.
pub(in crate::gateway) const GUI_WITH_GAP: &str = "gui_has_gap";

/// The TLS versions in order.
const TLS: [&str; 4] = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];

/// The TLS versions that are missing between the lowest and the highest of a set. Other protocols have no gap.
pub(in crate::gateway) fn gap(versions: &[impl AsRef<str>]) -> Vec<&'static str> {
    let has = |version: &&str| versions.iter().any(|one| one.as_ref() == *version);
    let (first, last) = (TLS.iter().position(&has), TLS.iter().rposition(&has));
    let (Some(first), Some(last)) = (first, last) else { return Vec::new() };
    TLS[first..=last].iter().copied().filter(|version| !has(version)).collect()
}

/// What the lines after a label belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The ciphers of a side (0 inbound, 1 outbound).
    Ciphers(usize),
    /// The web interface, or the menu: its lines are passed over.
    Aside,
    /// The last of the settings that nobody knows.
    Foreign,
    Nothing,
}

/// What a label is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Method(usize),
    Ciphers(usize),
}

/// The labels, by their words: 0 is inbound, 1 is outbound.
const LABELS: &[Words<Field>] = &[
    labels::words(Field::Ciphers(0), &[&["inbound", "cipher"], &["inbound", "ciphers"]], &["smtp", "ssl", "tls", "s"]),
    labels::words(Field::Ciphers(1), &[&["outbound", "cipher"], &["outbound", "ciphers"]], &["smtp", "ssl", "tls", "s"]),
    labels::words(
        Field::Method(0),
        &[
            &["inbound", "method"],
            &["inbound", "methods"],
            &["inbound", "version"],
            &["inbound", "versions"],
            &["inbound", "protocol"],
            &["inbound", "protocols"],
        ],
        &["smtp", "ssl", "tls", "s"],
    ),
    labels::words(
        Field::Method(1),
        &[
            &["outbound", "method"],
            &["outbound", "methods"],
            &["outbound", "version"],
            &["outbound", "versions"],
            &["outbound", "protocol"],
            &["outbound", "protocols"],
        ],
        &["smtp", "ssl", "tls", "s"],
    ),
];

/// Understands the banner.
pub(in crate::gateway) fn parse(said: &[Said]) -> Result<Rows, Error> {
    let Some(said) = said.first() else { return Ok(Rows::default()) };
    let mut methods = [Value::Null, Value::Null];
    let mut ciphers: [Option<String>; 2] = [None, None];
    let mut not_understood = Vec::new();
    // The settings that nobody knows, with their values.
    let mut others: Vec<(String, String)> = Vec::new();
    let mut gui_has_gap = false;
    let mut part = Part::Nothing;
    for line in lines(&banner(said)) {
        let lower = line.trim().to_lowercase();
        // One word below a list of ciphers is a cipher, whatever it is called.
        let is_cipher = matches!(part, Part::Ciphers(_)) && lower.split_whitespace().count() == 1;
        if (is_noise(line) && !is_cipher) || lower.starts_with("sslconfig settings") {
            continue;
        }
        if lower.starts_with("choose the operation") {
            part = Part::Aside;
            continue;
        }
        // A cipher string has colons of its own: only what reads like a label is one.
        let labelled = label(line).filter(|(name, _)| name.contains(' ') && !name.contains(['!', '@', '+']));
        let Some((name, value)) = labelled else {
            match part {
                Part::Ciphers(side) => append(&mut ciphers[side], line),
                Part::Foreign => others.last_mut().into_iter().for_each(|(_, value)| {
                    value.push(' ');
                    value.push_str(line.trim());
                }),
                Part::Aside => {}
                Part::Nothing => match label(line) {
                    Some((name, value)) => others.push((name.to_owned(), value.to_owned())),
                    None => not_understood.push(line.trim().to_owned()),
                },
            }
            continue;
        };
        let lower = name.to_lowercase();
        part = match labels::field(LABELS, name) {
            Some(Field::Ciphers(side)) => {
                append(&mut ciphers[side], value);
                Part::Ciphers(side)
            }
            Some(Field::Method(side)) => {
                match versions(value) {
                    Some(found) => methods[side] = Value::texts(found),
                    None => not_understood.push(line.trim().to_owned()),
                }
                Part::Nothing
            }
            None if lower.contains("gui") || lower.contains("https") => {
                let found = versions(value).filter(|_| lower.contains("method"));
                gui_has_gap |= found.is_some_and(|found| !gap(&found).is_empty());
                Part::Aside
            }
            None => {
                others.push((name.to_owned(), value.to_owned()));
                Part::Foreign
            }
        };
    }
    if methods.iter().all(Value::is_null) && ciphers.iter().all(Option::is_none) {
        return Err(cut_off("SSL configuration", "it names neither a method nor ciphers for SMTP"));
    }
    let [inbound_methods, outbound_methods] = methods;
    let [inbound_ciphers, outbound_ciphers] = ciphers;
    let joined = |ciphers: Option<String>| {
        let ciphers = ciphers.map(|text| ciphers_meaning(&text)).filter(|text| !text.is_empty());
        ciphers.map_or(Value::Null, Value::text)
    };
    let record = Record::new()
        .with("id", "tls_settings")
        .with("inbound_methods", inbound_methods)
        .with("inbound_ciphers", joined(inbound_ciphers))
        .with("outbound_methods", outbound_methods)
        .with("outbound_ciphers", joined(outbound_ciphers));
    let mut record = if gui_has_gap { record.with(GUI_WITH_GAP, true) } else { record };
    let others = others.iter().filter_map(|(name, value)| foreign::option(name, value));
    record.set_unmanaged(&tls_settings::RESOURCE, others.collect::<Vec<_>>());
    Ok(Rows { rows: vec![Row { resource: RESOURCE, id: "tls_settings".to_owned(), record }], not_understood, ..Rows::default() })
}

fn append(ciphers: &mut Option<String>, more: &str) {
    let text = ciphers.get_or_insert_default();
    text.push(' ');
    text.push_str(more);
}

/// The versions that a method names, sorted: `tlsv1/tlsv1.2`, `SSL v3 and TLS v1`, `sslv3tlsv1`, `tlsv1_2`; nothing if any of its
/// words is not understood.
pub(in crate::gateway) fn versions(text: &str) -> Option<Vec<&'static str>> {
    let lower = text.to_lowercase();
    let mut rest = lower.as_str();
    let mut found = Vec::new();
    let mut is_tls = None;
    loop {
        rest = rest.trim_start_matches(|letter: char| letter.is_whitespace() || "/,&+;()[]\"".contains(letter));
        if let Some(after) = rest.strip_prefix("and").or_else(|| rest.strip_prefix("or").filter(|_| !found.is_empty())) {
            rest = after;
            continue;
        }
        if rest.is_empty() {
            break;
        }
        for (word, tls) in [("ssl", false), ("tls", true)] {
            if let Some(after) = rest.strip_prefix(word) {
                is_tls = Some(tls);
                let after = after.trim_start();
                rest = after.strip_prefix('-').unwrap_or(after);
                break;
            }
        }
        rest = rest.strip_prefix('v').unwrap_or(rest).trim_start();
        let (version, after) = match is_tls? {
            true => tls_version(rest)?,
            false if rest.starts_with('2') => ("SSLv2", whole_version(rest.get(1..)?)),
            false if rest.starts_with('3') => ("SSLv3", whole_version(rest.get(1..)?)),
            false => return None,
        };
        found.push(version);
        rest = after;
    }
    found.sort_unstable();
    found.dedup();
    (!found.is_empty()).then_some(found)
}

/// Takes the `.0` of `SSLv3.0` off.
fn whole_version(rest: &str) -> &str {
    rest.strip_prefix(".0").unwrap_or(rest)
}

fn tls_version(text: &str) -> Option<(&'static str, &str)> {
    let after = text.strip_prefix('1')?;
    let minor = after.strip_prefix(['.', '_']).unwrap_or(after);
    for (digit, version) in [("0", "TLSv1"), ("1", "TLSv1.1"), ("2", "TLSv1.2"), ("3", "TLSv1.3")] {
        if let Some(rest) = minor.strip_prefix(digit) {
            return (!rest.starts_with(|letter: char| letter.is_ascii_digit())).then_some((version, rest));
        }
    }
    (minor.len() == after.len()).then_some(("TLSv1", after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(banner: &str) -> Rows {
        parse(&[Said { opening: banner.to_owned(), after: vec![String::new()] }]).unwrap()
    }

    #[test]
    fn a_word_below_a_list_of_ciphers_is_a_cipher_even_if_it_reads_like_a_count() {
        let rows = read(
            "sslconfig settings:\n  Inbound SMTP method:  tlsv1.2\n  Inbound SMTP ciphers:\n        IS-0\n        NONE\n  Outbound SMTP method:  tlsv1.2\n  Outbound SMTP ciphers:\n        HIGH\n",
        );
        assert_eq!(rows.not_understood, Vec::<String>::new());
        assert_eq!(rows.rows[0].record.text("inbound_ciphers"), Some("IS-0:NONE"));
    }

    #[test]
    fn every_spelling_of_a_method_is_a_set_of_versions() {
        let check = |text: &str, expected: &[&str]| assert_eq!(versions(text).as_deref(), Some(expected), "{text}");
        check("tlsv1/tlsv1.2", &["TLSv1", "TLSv1.2"]);
        check("TLS v1/TLS v1.2", &["TLSv1", "TLSv1.2"]);
        check("SSL v2, v3 and TLS v1/TLS v1.2", &["SSLv2", "SSLv3", "TLSv1", "TLSv1.2"]);
        check("SSL v2 and v3", &["SSLv2", "SSLv3"]);
        check("sslv2sslv3tlsv1", &["SSLv2", "SSLv3", "TLSv1"]);
        check("sslv3tlsv1", &["SSLv3", "TLSv1"]);
        check("tlsv1_2", &["TLSv1.2"]);
        check("tlsv1_1tlsv1_2", &["TLSv1.1", "TLSv1.2"]);
        check("TLS v1.0", &["TLSv1"]);
        check("TLSv1.2, TLSv1.3", &["TLSv1.2", "TLSv1.3"]);
        check("TLS 1.1 and 1.2", &["TLSv1.1", "TLSv1.2"]);
        check("tlsv12", &["TLSv1.2"]);
        check("sslv23", &["SSLv2", "SSLv3"]);
        check("TLS v1.0/ TLSv1.2", &["TLSv1", "TLSv1.2"]);
        check("TLS v1.3", &["TLSv1.3"]);
        check("TLS-v1.2", &["TLSv1.2"]);
        check("SSLv3.0 / TLSv1.0", &["SSLv3", "TLSv1"]);
        check("TLS v1.1,TLS v1.2 , and TLS v1.3", &["TLSv1.1", "TLSv1.2", "TLSv1.3"]);
        check("TLS1.2 TLS1.3", &["TLSv1.2", "TLSv1.3"]);
        // A range, or two? The versions between are not named.
        for text in ["TLS v1.0 - TLS v1.2", "TLSv1-TLSv1.2", "", "SSL v4", "TLS v2", "any", "TLS v1.2 or later", "TLS v1.25"] {
            assert_eq!(versions(text), None, "{text}");
        }
    }

    #[test]
    fn wrapped_ciphers_are_joined_and_the_gui_is_passed_over() {
        let rows = read(
            "sslconfig settings:\n  GUI HTTPS method:  tlsv1/tlsv1.2\n  GUI HTTPS ciphers:\n        MEDIUM\n        HIGH\n  GUI HTTPS TLS Renegotiation: Enabled\n  Inbound SMTP method:  tlsv1_2\n  Inbound SMTP ciphers:\n        MEDIUM\n        HIGH\n        -SSLv2\n        @STRENGTH\n  Outbound SMTP method:  sslv3tlsv1\n  Outbound SMTP ciphers: HIGH:MEDIUM:\n        !aNULL:-EXPORT\n",
        );
        assert_eq!(rows.not_understood, Vec::<String>::new());
        let record = &rows.rows[0].record;
        assert_eq!(record.text("inbound_ciphers"), Some("MEDIUM:HIGH:-SSLv2:@STRENGTH"));
        assert_eq!(record.texts("inbound_methods"), ["TLSv1.2"]);
        assert_eq!(record.text("outbound_ciphers"), Some("HIGH:MEDIUM:!aNULL:-EXPORT"));
        assert_eq!(record.texts("outbound_methods"), ["SSLv3", "TLSv1"]);
    }

    #[test]
    fn an_old_banner_of_single_lines_is_read_and_a_strange_line_is_kept() {
        let rows = read(
            "sslconfig settings:\n  INBOUND SMTP METHOD:  sslv2sslv3tlsv1\n  inbound SMTP ciphers:  RC4-SHA:RC4-MD5:ALL\n  outbound SMTP method:  quantum\n  outbound SMTP ciphers:  ALL\n",
        );
        assert_eq!(rows.not_understood, ["outbound SMTP method:  quantum"]);
        let record = &rows.rows[0].record;
        assert_eq!(record.text("inbound_ciphers"), Some("RC4-SHA:RC4-MD5:ALL"));
        assert!(record.at("outbound_methods").is_null());
    }

    #[test]
    fn rg2_what_no_argument_is_for_is_told_unless_it_is_about_the_web_interface() {
        let rows = read(
            "sslconfig settings:\n  GUI HTTPS method:  tlsv1_2\n  GUI HTTPS TLS Renegotiation: Enabled\n  Inbound SMTP method:  tlsv1_2\n  Inbound SMTP ciphers: HIGH\n  Inbound SMTP TLS Renegotiation: Enabled\n  Outbound SMTP method:  tlsv1_2\n  Outbound SMTP ciphers:\n        HIGH\n  Outbound SMTP curves:\n        P-256\n        P-384\n  Peer certificate FQDN validation: Disabled\n",
        );
        assert_eq!(rows.not_understood, Vec::<String>::new());
        let record = &rows.rows[0].record;
        assert_eq!(record.texts("unmanaged"), ["Inbound SMTP TLS Renegotiation = Enabled", "Outbound SMTP curves = P-256 P-384"]);
        assert_eq!((record.text("inbound_ciphers"), record.text("outbound_ciphers")), (Some("HIGH"), Some("HIGH")));
    }

    #[test]
    fn g21_a_banner_without_settings_is_an_error() {
        assert!(parse(&[Said::default()]).is_err());
    }
}
