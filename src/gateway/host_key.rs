//! Pinned host keys: `SHA256:…` fingerprints and `known_hosts` lines.
//!
//! There is no default trust and no "accept the first": a key that no pin names is refused, and the error shows what to set. A fingerprint
//! fits every host; a `known_hosts` line only the hosts that it names: by name, `[name]:port`, wildcard or hash (`|1|salt|hash`, OpenSSH
//! `sshd(8)`, on the form of the `known_hosts` file). A line that begins with the kind of key names no host and fits every one.

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose};
use ring::hmac;
use russh::keys::{Algorithm, HashAlg, PublicKey};

use crate::remote::{Error, Kind};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The keys that a host may have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostKeys {
    pins: Vec<Pin>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Pin {
    hosts: Hosts,
    key: Key,
    revoked: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Hosts {
    All,
    /// Names and patterns, some with `!`.
    Named(Vec<String>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Key {
    /// `SHA256:…`, without padding.
    Fingerprint(String),
    Whole(Box<PublicKey>),
}

/// What the pins say about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// A pin names it.
    Trusted,
    /// No pin is about this host.
    Unknown,
    /// The host is pinned to other keys.
    Changed {
        /// What the pins name.
        pinned: Vec<String>,
    },
    /// A pin says that it must not be trusted.
    Revoked,
}

impl HostKeys {
    /// Reads the pins: each entry is one or more lines. `attribute` is named in errors (`gateway.host_keys`).
    pub fn parse(entries: &[String], attribute: &str) -> Result<HostKeys, Error> {
        let lines = entries
            .iter()
            .flat_map(|entry| entry.lines())
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let pins = lines.map(|line| pin(line).map_err(|why| malformed(line, &why, attribute))).collect::<Result<_, _>>()?;
        Ok(HostKeys { pins })
    }

    /// Judges the key that a host offers.
    pub fn judge(&self, host: &str, port: u16, key: &PublicKey) -> Verdict {
        let about: Vec<&Pin> = self.pins.iter().filter(|pin| pin.hosts.include(host, port)).collect();
        let fits = |pin: &&&Pin| match &pin.key {
            Key::Fingerprint(pinned) => *pinned == fingerprint(key),
            Key::Whole(pinned) => pinned.key_data() == key.key_data(),
        };
        if about.iter().filter(fits).any(|pin| pin.revoked) {
            Verdict::Revoked
        } else if about.iter().any(|pin| fits(&pin)) {
            Verdict::Trusted
        } else {
            let pinned: Vec<String> = about.iter().filter(|pin| !pin.revoked).map(|pin| pin.key.words()).collect();
            if pinned.is_empty() { Verdict::Unknown } else { Verdict::Changed { pinned } }
        }
    }

    /// The kinds of key that are pinned for a host: it is asked for one of them first, or it might offer another.
    pub fn kinds(&self, host: &str, port: u16) -> Vec<Algorithm> {
        let about = self.pins.iter().filter(|pin| !pin.revoked && pin.hosts.include(host, port));
        about.filter_map(|pin| if let Key::Whole(key) = &pin.key { Some(key.algorithm()) } else { None }).collect()
    }
}

impl Key {
    fn words(&self) -> String {
        match self {
            Key::Fingerprint(fingerprint) => fingerprint.clone(),
            Key::Whole(key) => format!("{} ({})", fingerprint(key), key.algorithm().as_str()),
        }
    }
}

/// The fingerprint as `ssh-keygen -l` prints it.
pub fn fingerprint(key: &PublicKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

fn malformed(line: &str, why: &str, attribute: &str) -> Error {
    let shown: String = line.chars().take(60).collect();
    Error::new(Kind::Invalid, format!("{attribute} holds {shown:?}, which is {why}."))
        .hint("Give `SHA256:…` fingerprints (`ssh-keyscan HOST | ssh-keygen -lf -`) or `known_hosts` lines (`ssh-keyscan HOST`), checked over another way.")
}

fn pin(line: &str) -> Result<Pin, String> {
    // `ssh-keygen -l` prints the size before the fingerprint, and the host and kind behind it.
    if let Some(word) = line.split_whitespace().find(|word| word.starts_with("SHA256:")) {
        let text = word.trim_start_matches("SHA256:").trim_end_matches('=');
        return match BASE64.decode(text) {
            Ok(hash) if hash.len() == 32 => {
                let hash = general_purpose::STANDARD_NO_PAD.encode(hash);
                Ok(Pin { hosts: Hosts::All, key: Key::Fingerprint(format!("SHA256:{hash}")), revoked: false })
            }
            _ => Err("not a whole SHA-256 fingerprint".to_owned()),
        };
    }
    if line.split_whitespace().any(|word| word.starts_with("MD5:") || (word.len() == 47 && word.matches(':').count() == 15)) {
        return Err("an MD5 fingerprint, which is too weak to trust a host by".to_owned());
    }
    let mut words = line.split_whitespace().peekable();
    let revoked = match words.peek() {
        Some(&"@revoked") => words.next().is_some(),
        Some(&"@cert-authority") => return Err("a certificate authority, which this provider does not use".to_owned()),
        Some(word) if word.starts_with('@') => return Err("a marker that is not known".to_owned()),
        _ => false,
    };
    let words: Vec<&str> = words.collect();
    let (hosts, kind, key) = match words.as_slice() {
        [kind, key, ..] if is_kind(kind) => (Hosts::All, kind, key),
        [hosts, kind, key, ..] if is_kind(kind) => (Hosts::Named(hosts.split(',').map(str::to_owned).collect()), kind, key),
        _ => return Err("neither a fingerprint nor a known_hosts line".to_owned()),
    };
    let key = PublicKey::from_openssh(&format!("{kind} {key}")).map_err(|_| format!("not a whole {kind} key"))?;
    Ok(Pin { hosts, key: Key::Whole(Box::new(key)), revoked })
}

fn is_kind(word: &str) -> bool {
    ["ssh-", "ecdsa-", "sk-"].iter().any(|start| word.starts_with(start))
}

impl Hosts {
    fn include(&self, host: &str, port: u16) -> bool {
        let Hosts::Named(patterns) = self else { return true };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_lowercase();
        let name = if port == 22 { host.clone() } else { format!("[{host}]:{port}") };
        let mut found = false;
        for pattern in patterns {
            if let Some(excluded) = pattern.strip_prefix('!') {
                if matches(excluded, &name) {
                    return false;
                }
            } else if pattern.starts_with("|1|") {
                found |= hashed(pattern, &name);
            } else {
                let same = matches(pattern, &name) || (port == 22 && matches(pattern, &format!("[{host}]:22")));
                found |= same;
            }
        }
        found
    }
}

/// Whether a `|1|salt|hash` entry is this name.
fn hashed(entry: &str, name: &str) -> bool {
    let mut parts = entry.split('|').skip(2);
    let (Some(salt), Some(hash)) = (parts.next(), parts.next()) else { return false };
    let (Ok(salt), Ok(hash)) = (BASE64.decode(salt), BASE64.decode(hash)) else { return false };
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &salt), name.as_bytes(), &hash).is_ok()
}

/// Whether a name fits a pattern with `*` and `?`, case aside.
fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    let name: Vec<char> = name.to_lowercase().chars().collect();
    // `reached[i]`: the pattern so far fits the first `i` characters.
    let mut reached = vec![false; name.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    for c in pattern {
        let before = reached.clone();
        let mut any = false;
        for (at, fits) in reached.iter_mut().enumerate() {
            let previous = at.checked_sub(1).and_then(|at| before.get(at)).copied().unwrap_or(false);
            let here = before.get(at).copied().unwrap_or(false);
            any |= here;
            *fits = match c {
                '*' => any,
                '?' => previous,
                c => previous && at.checked_sub(1).and_then(|at| name.get(at)) == Some(&c),
            };
        }
    }
    reached.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFuAFr3vzeVNx4XS2LSLJFnTj56IfuDBp1jkiXA+TXOr";
    const OTHER: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG98tgVmEze52JnMOCEDAHdzCBAHJl7YvNwu0RvM04v1";

    fn key(text: &str) -> PublicKey {
        PublicKey::from_openssh(text).expect("a key")
    }

    fn judge(entries: &[&str], host: &str, port: u16) -> Verdict {
        let entries: Vec<String> = entries.iter().map(|entry| (*entry).to_owned()).collect();
        HostKeys::parse(&entries, "gateway.host_keys").expect("pins").judge(host, port, &key(KEY))
    }

    #[test]
    fn g01_no_pin_for_a_host_is_no_trust() {
        assert_eq!(judge(&[], "esa1", 22), Verdict::Unknown);
        assert_eq!(judge(&["# a comment", "", &format!("other {KEY}")], "esa1", 22), Verdict::Unknown);
    }

    #[test]
    fn a_pinned_key_is_trusted_in_every_form() {
        let print = fingerprint(&key(KEY));
        assert_eq!(print, "SHA256:VHuY3adHUyqeG9lEVigAuLsy8JJP3HCumT4JR25TMCg", "as ssh-keygen -l prints it");
        for entry in [
            print.clone(),
            format!("{print}="),
            format!("256 {print} esa1.example.com (ED25519)"),
            KEY.to_owned(),
            format!("esa1.example.com,192.0.2.1 {KEY} a comment"),
            format!("*.example.com {KEY}"),
            format!("esa?.Example.com {KEY}"),
            format!("{OTHER}\nesa1.example.com {KEY}"),
        ] {
            assert_eq!(judge(&[&entry], "ESA1.example.com", 22), Verdict::Trusted, "{entry}");
        }
        assert_eq!(judge(&[&format!("[esa1.example.com]:2222 {KEY}")], "esa1.example.com", 2222), Verdict::Trusted);
        assert_eq!(judge(&[&format!("esa1.example.com {KEY}")], "esa1.example.com", 2222), Verdict::Unknown);
        assert_eq!(judge(&[&format!("*.example.com,!esa1.example.com {KEY}")], "esa1.example.com", 22), Verdict::Unknown);
    }

    #[test]
    fn a_hashed_host_is_found() {
        let hashed = |name: &str| {
            let salt = [7u8; 20];
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &salt), name.as_bytes());
            let encode = |bytes: &[u8]| general_purpose::STANDARD.encode(bytes);
            format!("|1|{}|{} {KEY}", encode(&salt), encode(tag.as_ref()))
        };
        assert_eq!(judge(&[&hashed("esa1.example.com")], "esa1.example.com", 22), Verdict::Trusted);
        assert_eq!(judge(&[&hashed("[esa1.example.com]:2222")], "esa1.example.com", 2222), Verdict::Trusted);
        assert_eq!(judge(&[&hashed("esa2.example.com")], "esa1.example.com", 22), Verdict::Unknown);
    }

    #[test]
    fn a_hash_that_openssh_made_is_found() {
        // `ssh-keygen -H` over a line for the host `example.com`.
        let line = format!("|1|zKGDreaHKWOmSRd7tzZrXQzvpZw=|lJcyxL4n0MtNStEIpzOQy27BLQg= {KEY}");
        assert_eq!(judge(&[&line], "example.com", 22), Verdict::Trusted);
    }

    #[test]
    fn g02_another_key_than_the_pinned_one_shows_the_pinned_one() {
        let other = fingerprint(&key(OTHER));
        assert_eq!(judge(&[&other], "esa1", 22), Verdict::Changed { pinned: vec![other.clone()] });
        assert_eq!(
            judge(&[&format!("esa1 {OTHER}")], "esa1", 22),
            Verdict::Changed { pinned: vec![format!("{other} (ssh-ed25519)")] }
        );
        assert_eq!(judge(&[&format!("@revoked * {KEY}"), KEY], "esa1", 22), Verdict::Revoked);
    }

    #[test]
    fn pins_that_make_no_sense_are_refused_with_the_attribute() {
        for entry in [
            "SHA256:abc",
            "MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48",
            "esa1",
            "esa1 ssh-ed25519 AAAA",
            &format!("@cert-authority * {KEY}"),
        ] {
            let error = HostKeys::parse(&[entry.to_owned()], "gateway.host_keys").expect_err(entry);
            assert!(error.message.contains("gateway.host_keys"), "{error}");
        }
    }

    #[test]
    fn the_pinned_kinds_are_asked_for_first() {
        let pins = HostKeys::parse(&[format!("esa1 {KEY}"), format!("esa2 {OTHER}")], "x").expect("pins");
        assert_eq!(pins.kinds("esa1", 22), [Algorithm::Ed25519]);
        assert_eq!(pins.kinds("esa3", 22), []);
    }
}
