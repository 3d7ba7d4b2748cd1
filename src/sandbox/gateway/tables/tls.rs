//! The settings of `sslconfig`: versions and ciphers for the graphical interface and for SMTP in both directions.
//!
//! The method list of the oldest release stands in the vendor's technical note 117855. Those of the newer releases are not
//! documented; the lists here are plausible, differ in number and order, and are written one with slashes and one with words.

use serde::{Deserialize, Serialize};

use super::extra::{Extras, Owner};
use crate::sandbox::gateway::Release;

/// Holds one choice of the method list: its label and the words of the banner.
pub struct Method {
    /// Label of the menu.
    pub label: &'static str,
    /// Words of the banner.
    pub keyword: &'static str,
}

const fn method(label: &'static str, keyword: &'static str) -> Method {
    Method { label, keyword }
}

const OLDEST: &[Method] = &[
    method("SSL v2", "sslv2"),
    method("SSL v3", "sslv3"),
    method("TLS v1/TLS v1.2", "tlsv1/tlsv1.2"),
    method("SSL v2 and v3", "sslv2/sslv3"),
    method("SSL v3 and TLS v1/TLS v1.2", "sslv3/tlsv1/tlsv1.2"),
    method("SSL v2, v3 and TLS v1/TLS v1.2", "sslv2/sslv3/tlsv1/tlsv1.2"),
];

const MIDDLE: &[Method] = &[
    method("TLS v1.0", "tlsv1.0"),
    method("TLS v1.1", "tlsv1.1"),
    method("TLS v1.2", "tlsv1.2"),
    method("TLS v1.1/TLS v1.2", "tlsv1.1/tlsv1.2"),
    method("TLS v1.0/TLS v1.1/TLS v1.2", "tlsv1.0/tlsv1.1/tlsv1.2"),
];

const NEWEST: &[Method] = &[
    method("TLS v1.3", "tlsv1.3"),
    method("TLS v1.2", "tlsv1.2"),
    method("TLS v1.2 and TLS v1.3", "tlsv1.2/tlsv1.3"),
    method("TLS v1.1 and TLS v1.2", "tlsv1.1/tlsv1.2"),
    method("TLS v1.1, TLS v1.2 and TLS v1.3", "tlsv1.1/tlsv1.2/tlsv1.3"),
    method("TLS v1.0, TLS v1.1 and TLS v1.2", "tlsv1.0/tlsv1.1/tlsv1.2"),
];

/// Gives the method list of a release.
pub fn methods(release: Release) -> &'static [Method] {
    match release {
        Release::V8_0 => OLDEST,
        Release::V13_0 => MIDDLE,
        Release::V15_5 | Release::V16_0 => NEWEST,
    }
}

/// Lists the single versions of tech note 215282 with the words of the banner; the newest releases have one more.
pub fn single_versions(release: Release) -> Vec<(&'static str, &'static str)> {
    let mut list = vec![("TLS v1.0", "tlsv1.0"), ("TLS v1.1", "tlsv1.1"), ("TLS v1.2", "tlsv1.2")];
    if release >= Release::V15_5 {
        list.push(("TLS v1.3", "tlsv1.3"));
    } else {
        list.extend([("SSL v2", "sslv2"), ("SSL v3", "sslv3")]);
    }
    list
}

/// Understands numbers, ranges and lists of them (`2`, `1-3`, `1,2`) as a method of single versions; TLS versions have no gap.
pub fn combine(answer: &str, offered: &[(&'static str, &'static str)]) -> Result<String, String> {
    let refusal = || format!("Value must be an integer from 1 to {}, a range or a list of such.", offered.len());
    let mut chosen = std::collections::BTreeSet::new();
    for part in answer.split(',').map(str::trim) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (usize, usize) =
            (first.trim().parse().map_err(|_| refusal())?, last.trim().parse().map_err(|_| refusal())?);
        if first == 0 || first > last || last > offered.len() {
            return Err(refusal());
        }
        chosen.extend(first - 1..last);
    }
    let tls: Vec<usize> = chosen.iter().copied().filter(|at| offered[*at].1.starts_with("tls")).collect();
    if tls.windows(2).any(|pair| pair[0] + 1 != pair[1]) {
        return Err("The value must be a sequence of TLS versions without a gap.".to_owned());
    }
    Ok(chosen.iter().map(|at| offered[*at].1).collect::<Vec<_>>().join("/"))
}

/// Names the form of the banner, of which the documents show both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsForm {
    /// One cipher a line.
    #[default]
    Listed,
    /// The cipher string behind its label.
    Inline,
}

/// Holds the settings of one service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsService {
    /// Words of the banner, such as `tlsv1.2/tlsv1.3`.
    pub method: String,
    /// OpenSSL cipher string.
    pub ciphers: String,
    /// TLS renegotiation; asked from 13.0 on, never for outgoing mail.
    pub renegotiation: bool,
}

/// Holds the settings of all three services.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsSettings {
    /// Graphical interface.
    pub gui: TlsService,
    /// SMTP from outside.
    pub inbound: TlsService,
    /// SMTP to outside.
    pub outbound: TlsService,
}

impl TlsSettings {
    /// Gives the settings of a new gateway.
    pub fn of(release: Release) -> TlsSettings {
        let (method, ciphers) = match release {
            Release::V8_0 => ("tlsv1/tlsv1.2", "MEDIUM:HIGH:-SSLv2:-aNULL:!RC4:@STRENGTH:-EXPORT"),
            Release::V13_0 => {
                ("tlsv1.1/tlsv1.2", "AES128:AES256:!SRP:!AESGCM+DH+aRSA:!AESGCM+RSA:!aNULL:!kRSA:@STRENGTH:-EXPORT")
            }
            Release::V15_5 | Release::V16_0 => {
                ("tlsv1.2/tlsv1.3", "AES128:AES256:!SRP:!AESGCM+DH+aRSA:!AESGCM+RSA:!aNULL:!kRSA:@STRENGTH:-EXPORT")
            }
        };
        let service = TlsService { method: method.into(), ciphers: ciphers.into(), renegotiation: false };
        TlsSettings { gui: service.clone(), inbound: service.clone(), outbound: service }
    }

    /// Writes the banner: for each service a method line and the cipher string, in parts one below the other or on one line.
    /// What no document knows stands at the end.
    pub fn banner(&self, form: TlsForm, extras: &Extras) -> String {
        let mut text = String::from("sslconfig settings:\n");
        for (name, service) in [("GUI HTTPS", &self.gui), ("Inbound SMTP", &self.inbound), ("Outbound SMTP", &self.outbound)] {
            text.push_str(&format!("  {name} method:  {}\n  {name} ciphers:", service.method));
            if form == TlsForm::Inline {
                text.push_str(&format!("  {}\n", service.ciphers));
                continue;
            }
            text.push('\n');
            for cipher in service.ciphers.split(':') {
                text.push_str(&format!("        {cipher}\n"));
            }
        }
        for (label, value) in extras.of(Owner::Tls) {
            text.push_str(&format!("  {label}:  {value}\n"));
        }
        text
    }
}

/// Holds one cipher suite: name, protocol, key exchange, authentication, encryption, key bits, digest.
type Suite = (&'static str, &'static str, &'static str, &'static str, &'static str, u16, &'static str);

/// Lists the suites that the stand-in's library knows, best first.
const SUITES: &[Suite] = &[
    ("ECDHE-ECDSA-AES256-GCM-SHA384", "TLSv1.2", "ECDH", "ECDSA", "AESGCM", 256, "AEAD"),
    ("ECDHE-RSA-AES256-GCM-SHA384", "TLSv1.2", "ECDH", "RSA", "AESGCM", 256, "AEAD"),
    ("DHE-RSA-AES256-GCM-SHA384", "TLSv1.2", "DH", "RSA", "AESGCM", 256, "AEAD"),
    ("ECDHE-ECDSA-CHACHA20-POLY1305", "TLSv1.2", "ECDH", "ECDSA", "CHACHA20", 256, "AEAD"),
    ("ECDHE-RSA-CHACHA20-POLY1305", "TLSv1.2", "ECDH", "RSA", "CHACHA20", 256, "AEAD"),
    ("ECDHE-ECDSA-AES256-SHA384", "TLSv1.2", "ECDH", "ECDSA", "AES", 256, "SHA384"),
    ("ECDHE-RSA-AES256-SHA384", "TLSv1.2", "ECDH", "RSA", "AES", 256, "SHA384"),
    ("DHE-RSA-AES256-SHA256", "TLSv1.2", "DH", "RSA", "AES", 256, "SHA256"),
    ("ECDHE-RSA-AES256-SHA", "SSLv3", "ECDH", "RSA", "AES", 256, "SHA1"),
    ("DHE-RSA-AES256-SHA", "SSLv3", "DH", "RSA", "AES", 256, "SHA1"),
    ("SRP-RSA-AES-256-CBC-SHA", "SSLv3", "SRP", "RSA", "AES", 256, "SHA1"),
    ("ADH-AES256-GCM-SHA384", "TLSv1.2", "DH", "NULL", "AESGCM", 256, "AEAD"),
    ("ADH-AES256-SHA", "SSLv3", "DH", "NULL", "AES", 256, "SHA1"),
    ("AES256-GCM-SHA384", "TLSv1.2", "RSA", "RSA", "AESGCM", 256, "AEAD"),
    ("AES256-SHA256", "TLSv1.2", "RSA", "RSA", "AES", 256, "SHA256"),
    ("AES256-SHA", "SSLv3", "RSA", "RSA", "AES", 256, "SHA1"),
    ("PSK-AES256-CBC-SHA", "SSLv3", "PSK", "PSK", "AES", 256, "SHA1"),
    ("ECDHE-ECDSA-AES128-GCM-SHA256", "TLSv1.2", "ECDH", "ECDSA", "AESGCM", 128, "AEAD"),
    ("ECDHE-RSA-AES128-GCM-SHA256", "TLSv1.2", "ECDH", "RSA", "AESGCM", 128, "AEAD"),
    ("DHE-RSA-AES128-GCM-SHA256", "TLSv1.2", "DH", "RSA", "AESGCM", 128, "AEAD"),
    ("ECDHE-RSA-AES128-SHA256", "TLSv1.2", "ECDH", "RSA", "AES", 128, "SHA256"),
    ("ECDHE-RSA-AES128-SHA", "SSLv3", "ECDH", "RSA", "AES", 128, "SHA1"),
    ("DHE-RSA-AES128-SHA", "SSLv3", "DH", "RSA", "AES", 128, "SHA1"),
    ("DHE-DSS-AES128-SHA", "SSLv3", "DH", "DSS", "AES", 128, "SHA1"),
    ("AES128-GCM-SHA256", "TLSv1.2", "RSA", "RSA", "AESGCM", 128, "AEAD"),
    ("AES128-SHA256", "TLSv1.2", "RSA", "RSA", "AES", 128, "SHA256"),
    ("AES128-SHA", "SSLv3", "RSA", "RSA", "AES", 128, "SHA1"),
    ("DHE-RSA-CAMELLIA256-SHA", "SSLv3", "DH", "RSA", "CAMELLIA", 256, "SHA1"),
    ("DES-CBC3-SHA", "SSLv3", "RSA", "RSA", "3DES", 168, "SHA1"),
    ("DHE-RSA-SEED-SHA", "SSLv3", "DH", "RSA", "SEED", 128, "SHA1"),
    ("IDEA-CBC-SHA", "SSLv3", "RSA", "RSA", "IDEA", 128, "SHA1"),
    ("RC4-SHA", "SSLv3", "RSA", "RSA", "RC4", 128, "SHA1"),
    ("RC4-MD5", "SSLv3", "RSA", "RSA", "RC4", 128, "MD5"),
    ("DES-CBC-SHA", "SSLv3", "RSA", "RSA", "DES", 56, "SHA1"),
    ("EXP-RC4-MD5", "SSLv3", "RSA", "RSA", "RC4", 40, "MD5"),
    ("NULL-SHA", "SSLv3", "RSA", "RSA", "NULL", 0, "SHA1"),
];

/// Selects the suites of an OpenSSL cipher string, in order, one printed line each; unknown words select nothing.
///
/// A string that selects nothing is the error that the device answers.
pub fn select(string: &str) -> Result<Vec<String>, String> {
    let mut chosen: Vec<&Suite> = Vec::new();
    let mut dead: Vec<&Suite> = Vec::new();
    for word in string.split([':', ',', ' ']).filter(|word| !word.is_empty()) {
        if word.eq_ignore_ascii_case("@STRENGTH") {
            chosen.sort_by_key(|suite| std::cmp::Reverse(suite.5));
            continue;
        }
        let (sign, name) = match word.split_at_checked(1) {
            Some((sign @ ("!" | "-" | "+"), rest)) => (sign, rest),
            _ => ("", word),
        };
        let matching = |suite: &&Suite| name.split('+').all(|part| has(suite, part));
        match sign {
            "!" => {
                dead.extend(SUITES.iter().filter(matching));
                chosen.retain(|suite| !matching(suite));
            }
            "-" => chosen.retain(|suite| !matching(suite)),
            "+" => chosen.sort_by_key(|suite| matching(suite)),
            _ => {
                for suite in SUITES.iter().filter(matching) {
                    if !chosen.contains(&suite) && !dead.contains(&suite) {
                        chosen.push(suite);
                    }
                }
            }
        }
    }
    if chosen.is_empty() {
        return Err("Not a valid SSL cipher string: it selects no cipher.".into());
    }
    Ok(chosen
        .into_iter()
        .map(|(name, protocol, exchange, authentication, encryption, bits, digest)| {
            let authentication = if *authentication == "NULL" { "None" } else { authentication };
            format!("{name:<30} {protocol} Kx={exchange:<8} Au={authentication:<5} Enc={encryption}({bits}) Mac={digest}")
        })
        .collect())
}

/// Tells whether a word of a cipher string means this suite.
fn has(suite: &Suite, word: &str) -> bool {
    let (name, protocol, exchange, authentication, encryption, bits, digest) = *suite;
    match word {
        "ALL" => encryption != "NULL",
        "COMPLEMENTOFALL" | "eNULL" | "NULL" => encryption == "NULL",
        "DEFAULT" => encryption != "NULL" && authentication != "NULL" && bits >= 112,
        "HIGH" => bits >= 128 && !matches!(encryption, "RC4" | "SEED" | "IDEA"),
        "MEDIUM" => matches!(encryption, "RC4" | "SEED" | "IDEA" | "3DES") && bits >= 112,
        "LOW" => encryption == "DES",
        "EXP" | "EXPORT" => bits == 40,
        "aNULL" => authentication == "NULL",
        "ADH" => exchange == "DH" && authentication == "NULL",
        "kRSA" => exchange == "RSA",
        "RSA" => exchange == "RSA" || authentication == "RSA",
        "aRSA" => authentication == "RSA",
        "DSS" | "aDSS" => authentication == "DSS",
        "ECDSA" | "aECDSA" => authentication == "ECDSA",
        "DH" | "kDHE" | "kEDH" | "DHE" | "EDH" => exchange == "DH",
        "ECDH" | "kECDHE" | "ECDHE" | "EECDH" => exchange == "ECDH",
        "PSK" | "SRP" => exchange == word,
        "AES" => encryption.starts_with("AES"),
        "AES128" => encryption.starts_with("AES") && bits == 128,
        "AES256" => encryption.starts_with("AES") && bits == 256,
        "AESGCM" | "RC4" | "3DES" | "DES" | "SEED" | "IDEA" | "CAMELLIA" | "CHACHA20" => encryption == word,
        "MD5" | "SHA256" | "SHA384" => digest == word,
        "SHA" | "SHA1" => digest == "SHA1",
        "TLSv1.2" => protocol == "TLSv1.2",
        "SSLv3" | "TLSv1" | "TLSv1.0" => protocol == "SSLv3",
        _ => name == word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cipher_string_selects_what_its_words_say() {
        let check = |string: &str, with: &str, without: &str| {
            let lines = select(string).unwrap().join("\n");
            assert!(lines.contains(with) && !lines.contains(without), "{string}: {lines}");
        };
        check("HIGH:!aNULL:!SSLv3", "ECDHE-RSA-AES256-GCM-SHA384", "ADH");
        check("MEDIUM:HIGH:-SSLv2:-aNULL:!RC4:@STRENGTH:-EXPORT", "DES-CBC3-SHA", "RC4-SHA");
        check(
            "HIGH:MEDIUM:@STRENGTH:!aNULL:!eNULL:!LOW:!DES:!MD5:!EXP:!PSK:!DSS:!RC2:!RC4:!3DES:!SSLv2:!SSLv3:!TLSv1",
            "GCM",
            "PSK",
        );
        assert!(select("NONSENSE").is_err());
        assert!(select("HIGH:!ALL").is_err());
    }
}
