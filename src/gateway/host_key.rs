//! Pinned host keys: `SHA256:…` fingerprints and `known_hosts` lines.
//!
//! There is no default trust and no "accept the first": a key that no line names is refused, and the error shows what to set.
//!
//! | line | is about |
//! |---|---|
//! | `SHA256:…` | the host of the block that it stands in, and no other |
//! | `ssh-ed25519 AAAA…` | the same |
//! | `256 SHA256:… esa1.example.com (ED25519)` (`ssh-keygen -l`) | the hosts that it names |
//! | `esa1.example.com,[192.0.2.1]:2222 ssh-ed25519 AAAA… comment` (`known_hosts`) | the hosts that it names: by name, `[name]:port`, wildcard, `!` or hash (`|1|salt|hash`) |
//! | `@revoked` before any of these | the key is never trusted, whatever the other lines say |
//!
//! The form is that of OpenSSH's `known_hosts` (`sshd(8)`). Any other line is refused: a line that is read with less than it says would be trust
//! that nobody gave.

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
    /// The host of the block that the line stands in.
    Own,
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

/// Tells whether an element of `host_keys` can be read; the error says why not.
pub fn check(entry: &str) -> Result<(), String> {
    HostKeys::parse(&[entry.to_owned()], "It").map(drop).map_err(|error| error.to_string())
}

fn malformed(line: &str, why: &str, attribute: &str) -> Error {
    let shown: String = line.chars().take(60).collect();
    Error::new(Kind::Invalid, format!("{attribute} holds {shown:?}, which is {why}."))
        .hint("Give `SHA256:…` fingerprints (`ssh-keyscan HOST | ssh-keygen -lf -`) or `known_hosts` lines (`ssh-keyscan HOST`), verified out of band.")
}

fn pin(line: &str) -> Result<Pin, String> {
    let mut words = line.split_whitespace().peekable();
    let revoked = match words.peek() {
        Some(&"@revoked") => words.next().is_some(),
        Some(&"@cert-authority") => {
            return Err("a certificate authority, which this provider does not use: give the host's own key".to_owned());
        }
        Some(word) if word.starts_with('@') => return Err("a marker that is not known".to_owned()),
        _ => false,
    };
    let words: Vec<&str> = words.collect();
    let (hosts, key) = match words.as_slice() {
        [print] if print.starts_with("SHA256:") => (Hosts::Own, whole_fingerprint(print)?),
        [kind, key, ..] if is_kind(kind) => (Hosts::Own, whole_key(kind, key)?),
        [hosts, kind, key, ..] if is_kind(kind) => (named(hosts)?, whole_key(kind, key)?),
        // `ssh-keygen -l` prints the size before the fingerprint, and the hosts and the kind behind it.
        [size, print, hosts, kind @ ..] if is_number(size) && print.starts_with("SHA256:") && is_kind_in_brackets(kind) => {
            (named(hosts)?, whole_fingerprint(print)?)
        }
        [size, print, ..] if is_number(size) && print.starts_with("SHA256:") => {
            return Err("a fingerprint with a comment, which is no host: give the `SHA256:…` alone".to_owned());
        }
        words if words.iter().any(|word| is_md5(word)) => {
            return Err("an MD5 fingerprint, which is too weak to trust a host by".to_owned());
        }
        words if words.iter().any(|word| word.starts_with("SHA256:")) => {
            return Err("more than a fingerprint: give the `SHA256:…` alone".to_owned());
        }
        _ => return Err("neither a fingerprint nor a known_hosts line".to_owned()),
    };
    Ok(Pin { hosts, key, revoked })
}

/// Takes `SHA256:…`, with or without padding.
fn whole_fingerprint(word: &str) -> Result<Key, String> {
    let text = word.trim_start_matches("SHA256:").trim_end_matches('=');
    match BASE64.decode(text) {
        Ok(hash) if hash.len() == 32 => Ok(Key::Fingerprint(format!("SHA256:{}", general_purpose::STANDARD_NO_PAD.encode(hash)))),
        _ => Err("not a whole SHA-256 fingerprint".to_owned()),
    }
}

fn whole_key(kind: &str, key: &str) -> Result<Key, String> {
    let key = PublicKey::from_openssh(&format!("{kind} {key}")).map_err(|_| format!("not a whole {kind} key"))?;
    Ok(Key::Whole(Box::new(key)))
}

/// Takes the names before a key. One that could never match is refused: it would be a line without effect.
fn named(hosts: &str) -> Result<Hosts, String> {
    let patterns: Vec<String> = hosts.split(',').map(str::to_owned).collect();
    for pattern in &patterns {
        let name = pattern.strip_prefix('!').unwrap_or(pattern);
        let is_hash = name.starts_with('|');
        let is_whole = if is_hash { name == pattern && hash(name).is_some() } else { is_host(name) };
        if !is_whole {
            return Err(format!("about {pattern:?}, which is no host name, pattern or hashed name"));
        }
    }
    Ok(Hosts::Named(patterns))
}

fn is_host(name: &str) -> bool {
    let (name, port) = match name.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, port)) => (name, port.strip_prefix(':').map_or(port.is_empty(), |port| port.parse::<u16>().is_ok())),
        None => (name, true),
    };
    port && !name.is_empty() && name.chars().all(|letter| letter.is_alphanumeric() || ".-_*?:%".contains(letter))
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// `(ED25519)`, or nothing.
fn is_kind_in_brackets(words: &[&str]) -> bool {
    match words {
        [] => true,
        [kind] => kind.starts_with('(') && kind.ends_with(')'),
        _ => false,
    }
}

fn is_md5(word: &str) -> bool {
    word.starts_with("MD5:") || (word.len() == 47 && word.matches(':').count() == 15)
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
                if matches(excluded, &name) || (port == 22 && matches(excluded, &format!("[{host}]:22"))) {
                    return false;
                }
            } else if let Some((salt, hash)) = hash(pattern) {
                let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &salt);
                found |= hmac::verify(&key, name.as_bytes(), &hash).is_ok();
            } else {
                found |= matches(pattern, &name) || (port == 22 && matches(pattern, &format!("[{host}]:22")));
            }
        }
        found
    }
}

/// The salt and the hash of a `|1|salt|hash` entry.
fn hash(entry: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    let (salt, hash) = entry.strip_prefix("|1|")?.split_once('|')?;
    let (salt, hash) = (BASE64.decode(salt).ok()?, BASE64.decode(hash).ok()?);
    // Both are as long as a SHA-1 hash.
    (salt.len() == 20 && hash.len() == 20).then_some((salt, hash))
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
    fn rs2_a_line_is_trust_for_what_it_says_or_it_is_refused() {
        let print = fingerprint(&key(KEY));
        let hash = |name: &str| {
            let salt = [9u8; 20];
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &salt), name.as_bytes());
            let encode = |bytes: &[u8]| general_purpose::STANDARD.encode(bytes);
            format!("|1|{}|{}", encode(&salt), encode(tag.as_ref()))
        };
        let (trusted, unknown, revoked) = (Some(Verdict::Trusted), Some(Verdict::Unknown), Some(Verdict::Revoked));
        let (own, other) = (hash("esa1.example.com"), hash("other.example.com"));
        for (line, verdict) in [
            (print.clone(), trusted.clone()),
            (format!("256 {print} esa1.example.com (ED25519)"), trusted.clone()),
            (format!("256 {print} *.example.com"), trusted.clone()),
            (format!("256 {print} {own} (ED25519)"), trusted.clone()),
            (format!("esa1.example.com {KEY} {print}"), trusted),
            (format!("256 {print} other.example.com (ED25519)"), unknown.clone()),
            (format!("256 {print} [esa1.example.com]:2222 (ED25519)"), unknown.clone()),
            (format!("256 {print} {other} (ED25519)"), unknown.clone()),
            (format!("other.example.com {KEY} {print}"), unknown.clone()),
            (format!("*,!esa1.example.com {KEY} {print}"), unknown.clone()),
            (format!("*,![esa1.example.com]:22 {KEY}"), unknown),
            (format!("@revoked {print}"), revoked.clone()),
            (format!("@revoked {KEY}"), revoked.clone()),
            (format!("@revoked * {KEY} {print}"), revoked.clone()),
            (format!("@revoked 256 {print} esa1.example.com (ED25519)"), revoked),
            (format!("@cert-authority * {print}"), None),
            (format!("@cert-authority {print}"), None),
            (format!("@unknown {print}"), None),
            (format!("@revoked esa1.example.com {print}"), None),
            (format!("other.example.com {print}"), None),
            (format!("other.example.com ssh-ed25519 {print}"), None),
            (format!("256 {print} root@esa1 (ED25519)"), None),
            (format!("256 {print} no comment (ED25519)"), None),
            (format!("{print} esa1.example.com"), None),
            (format!("|1|AAAA|BBBB {KEY}"), None),
            (format!("|2|{} {KEY}", &own[3..]), None),
            (format!("!{own} {KEY}"), None),
            (format!("esa1.example.com, {KEY}"), None),
            (format!("[esa1.example.com]:99999 {KEY}"), None),
        ] {
            let pins = HostKeys::parse(std::slice::from_ref(&line), "gateway.host_keys");
            assert_eq!(pins.map(|pins| pins.judge("esa1.example.com", 22, &key(KEY))).ok(), verdict, "{line}");
        }
        // Whatever else is trusted.
        assert_eq!(judge(&[&print, &format!("@revoked {print}")], "esa1.example.com", 22), Verdict::Revoked);
    }

    #[test]
    fn the_pinned_kinds_are_asked_for_first() {
        let pins = HostKeys::parse(&[format!("esa1 {KEY}"), format!("esa2 {OTHER}")], "x").expect("pins");
        assert_eq!(pins.kinds("esa1", 22), [Algorithm::Ed25519]);
        assert_eq!(pins.kinds("esa3", 22), []);
    }
}
