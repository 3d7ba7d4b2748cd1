//! A client certificate with its private key, from PEM or PKCS#12.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use p12_keystore::Pkcs12Archive;
use p12_keystore::error::Error as Pkcs12Error;
use pem::Pem;
use pkcs8::EncryptedPrivateKeyInfoRef;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PSS_SHA256, RsaKeyPair};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use time::format_description::well_known::Rfc3339;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use super::setting;
use crate::exchange::settings::CertificateSource;
use crate::remote::{Error, Kind, never_show};

/// A certificate whose key can sign.
pub(super) struct Certificate {
    key: RsaKeyPair,
    der: Vec<u8>,
}

/// What was found in a file or text.
#[derive(Default)]
struct Found {
    /// Private keys, as PKCS#8 or PKCS#1.
    keys: Vec<Key>,
    certificates: Vec<Vec<u8>>,
}

enum Key {
    Pkcs8(SecretSlice<u8>),
    Pkcs1(SecretSlice<u8>),
}

/// Where it is read from, for what is said about it.
#[derive(Clone, Copy)]
struct Origin {
    attribute: &'static str,
    variables: &'static str,
}

const TEXT: Origin = Origin { attribute: "client_certificate", variables: "ARM_CLIENT_CERTIFICATE" };
const FILE: Origin =
    Origin { attribute: "client_certificate_path", variables: "ARM_CLIENT_CERTIFICATE_PATH, AZURE_CLIENT_CERTIFICATE_PATH" };
const PASSWORD: Origin = Origin {
    attribute: "client_certificate_password",
    variables: "ARM_CLIENT_CERTIFICATE_PASSWORD, AZURE_CLIENT_CERTIFICATE_PASSWORD",
};

const FORMS: &str = "Give the certificate and its private key as PEM (-----BEGIN CERTIFICATE----- and -----BEGIN PRIVATE KEY-----), or as PKCS#12 (a .pfx or .p12 file; in base64 where it is text).";
const RSA_ONLY: &str = "Microsoft Entra takes RSA keys only. Make a certificate with an RSA key of 2048 to 4096 bits.";

impl Certificate {
    /// Reads a certificate and its key. What is wrong is an error on the setting, and never shows what it holds.
    pub(super) fn load(source: &CertificateSource, password: Option<&SecretString>) -> Result<Certificate, Error> {
        let (origin, bytes) = match source {
            CertificateSource::Text(text) => (TEXT, SecretSlice::from(text.expose_secret().as_bytes().to_vec())),
            CertificateSource::File(path) => {
                let read = std::fs::read(path)
                    .map_err(|error| FILE.wrong(format!("names the file {}, which cannot be read: {error}", path.display())))?;
                // The key in it, by its lines.
                std::str::from_utf8(&read).map(never_show).unwrap_or_default();
                (FILE, SecretSlice::from(read))
            }
        };
        let bytes = bytes.expose_secret();
        let found = if begun(bytes) > 0 {
            from_pem(bytes, password, origin)?
        } else if bytes.first() == Some(&SEQUENCE) {
            from_pkcs12(bytes, password, origin)?
        } else {
            let text: Vec<u8> = bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
            let decoded = STANDARD.decode(&text).map_err(|_| origin.wrong("is neither PEM nor PKCS#12 in base64").hint(FORMS))?;
            from_pkcs12(SecretSlice::from(decoded).expose_secret(), password, origin)?
        };
        found.matched(origin)
    }

    /// The thumbprint as assertions name it: SHA-256, in the base64 of URLs.
    pub(super) fn thumbprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, &self.der))
    }

    /// Signs with RSA-PSS and SHA-256, which assertions call PS256.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(&RSA_PSS_SHA256, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| Error::new(Kind::Unexpected, "The certificate's key could not sign the assertion."))?;
        Ok(signature)
    }

    /// What helps to find the certificate at the service: the thumbprint that its portal shows, and when it ends.
    pub(super) fn facts(&self) -> Vec<(&'static str, String)> {
        let thumbprint = digest(&SHA1_FOR_LEGACY_USE_ONLY, &self.der);
        let hex = thumbprint.as_ref().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02X}"));
        let mut facts = vec![("certificate thumbprint", hex)];
        if let Ok((_, parsed)) = X509Certificate::from_der(&self.der)
            && let Ok(end) = parsed.validity().not_after.to_datetime().format(&Rfc3339)
        {
            facts.push(("certificate valid until", end));
        }
        facts
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "certificate {}", self.thumbprint())
    }
}

impl Origin {
    fn named(self) -> String {
        format!("`exchange.{}` ({})", self.attribute, self.variables)
    }

    /// An error on the setting; `why` goes on after its name.
    fn wrong(self, why: impl fmt::Display) -> Error {
        Error::new(Kind::Invalid, format!("{} {why}.", self.named())).at(setting(self.attribute))
    }

    /// The error of something that only the right passphrase opens.
    fn locked(self, password: Option<&SecretString>) -> Error {
        if password.is_some() {
            PASSWORD.wrong(format!("does not open {}: the passphrase is wrong", self.named()))
        } else {
            PASSWORD.wrong(format!("is missing: {} is protected by a passphrase", self.named()))
        }
    }
}

/// The first byte of everything in DER that is no single value.
const SEQUENCE: u8 = 0x30;

/// How many sections of PEM begin.
fn begun(bytes: &[u8]) -> usize {
    const BEGIN: &[u8] = b"-----BEGIN ";
    bytes.windows(BEGIN.len()).filter(|window| *window == BEGIN).count()
}

fn from_pem(bytes: &[u8], password: Option<&SecretString>, origin: Origin) -> Result<Found, Error> {
    let malformed = || origin.wrong("is not well-formed PEM").hint(FORMS);
    // The parser's errors may repeat a line of what it read.
    let sections = pem::parse_many(bytes).map_err(|_| malformed())?;
    // It passes over a section that does not end.
    if sections.len() < begun(bytes) {
        return Err(malformed());
    }
    let mut found = Found::default();
    for section in sections {
        // The older form of OpenSSL, which derives the key with MD5.
        if section.headers().get("Proc-Type").is_some_and(|kind| kind.contains("ENCRYPTED")) {
            return Err(origin
                .wrong("holds a private key in an old encrypted form that is not read")
                .hint("Write it anew with `openssl pkcs8 -topk8 -v2 aes-256-cbc -in key.pem`."));
        }
        match section.tag() {
            "CERTIFICATE" | "X509 CERTIFICATE" => found.certificates.push(section.into_contents()),
            "PRIVATE KEY" => found.keys.push(Key::Pkcs8(secret(section))),
            "RSA PRIVATE KEY" => found.keys.push(Key::Pkcs1(secret(section))),
            "EC PRIVATE KEY" => return Err(origin.wrong("holds an elliptic-curve key").hint(RSA_ONLY)),
            "ENCRYPTED PRIVATE KEY" => {
                let contents = secret(section);
                let sealed = EncryptedPrivateKeyInfoRef::try_from(contents.expose_secret())
                    .map_err(|_| origin.wrong("holds an encrypted private key that cannot be read"))?;
                let opened = sealed
                    .decrypt(password.map_or("", |password| password.expose_secret()))
                    .map_err(|_| origin.locked(password))?;
                found.keys.push(Key::Pkcs8(SecretSlice::from(opened.as_bytes().to_vec())));
            }
            // Parameters, chains in other forms and the like are no business of ours.
            _ => {}
        }
    }
    Ok(found)
}

fn secret(section: Pem) -> SecretSlice<u8> {
    SecretSlice::from(section.into_contents())
}

fn from_pkcs12(bytes: &[u8], password: Option<&SecretString>, origin: Origin) -> Result<Found, Error> {
    let archive = Pkcs12Archive::from_pkcs12(bytes, password.map_or("", |password| password.expose_secret())).map_err(|error| {
        match error {
            // Without a checksum over the whole, a wrong passphrase shows when something is opened with it.
            Pkcs12Error::MacError(_) | Pkcs12Error::Pkcs5Error(_) | Pkcs12Error::UnpadError => origin.locked(password),
            Pkcs12Error::UnsupportedEncryptionScheme | Pkcs12Error::UnsupportedMacAlgorithm => {
                origin.wrong("is PKCS#12 in an encryption that is not read").hint(
                    "Write it anew with AES-256: `openssl pkcs12 -in old.pfx -legacy -nodes -out all.pem`, then `openssl pkcs12 -export -in all.pem -out new.pfx`.",
                )
            }
            _ => origin.wrong("is not PEM, and no PKCS#12 that can be read").hint(FORMS),
        }
    })?;
    Ok(Found {
        keys: archive.keys.iter().map(|bag| Key::Pkcs8(SecretSlice::from(bag.key.as_der().to_vec()))).collect(),
        certificates: archive.certs.iter().map(|bag| bag.cert.as_der().to_vec()).collect(),
    })
}

impl Found {
    /// Takes the first key that a certificate belongs to. The others are those of the authorities above.
    fn matched(self, origin: Origin) -> Result<Certificate, Error> {
        if self.keys.is_empty() {
            return Err(origin.wrong("holds no private key").hint(FORMS));
        }
        if self.certificates.is_empty() {
            return Err(origin.wrong("holds no certificate").hint(FORMS));
        }
        let mut rejected = None;
        for key in &self.keys {
            let read = match key {
                Key::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.expose_secret()),
                Key::Pkcs1(der) => RsaKeyPair::from_der(der.expose_secret()),
            };
            let key = match read {
                Ok(key) => key,
                Err(reason) => {
                    rejected = Some(reason);
                    continue;
                }
            };
            let own = |der: &&Vec<u8>| {
                X509Certificate::from_der(der)
                    .is_ok_and(|(_, parsed)| *parsed.public_key().subject_public_key.data == *key.public().as_ref())
            };
            if let Some(der) = self.certificates.iter().find(own) {
                return Ok(Certificate { der: der.clone(), key });
            }
        }
        Err(match rejected {
            Some(reason) => origin.wrong(format!("holds a private key that cannot be used ({reason})")).hint(RSA_ONLY),
            None => origin.wrong("holds a private key, and no certificate that belongs to it").hint(FORMS),
        })
    }
}
