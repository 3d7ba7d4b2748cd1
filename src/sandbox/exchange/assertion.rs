//! Checks a client assertion: a token that the application signed with its certificate's key.
//!
//! <https://learn.microsoft.com/entra/identity-platform/certificate-credentials>: `PS256` (or the older `RS256`), the
//! certificate's thumbprint in `x5t#S256` (or `x5t`), `aud` = the token endpoint, `iss` = `sub` = the client id.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::digest;
use ring::signature::{self, UnparsedPublicKey};
use serde_json::Value;
use time::{Duration, OffsetDateTime};

use super::values::date_text;

/// How far the clocks of both sides may lie apart.
const SKEW: Duration = Duration::minutes(5);

/// What is wrong with an assertion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is not a token.
    Malformed,
    /// It names a certificate that the application does not have.
    Certificate,
    /// The signature does not hold.
    Signature,
    /// It is meant for somebody else.
    Audience,
    /// It is not the application's.
    Issuer,
    /// It is not good yet, or no longer.
    Time {
        /// Not before.
        start: String,
        /// Not after.
        end: String,
        /// The server's time.
        now: String,
    },
}

/// Checks an assertion for this client against its certificate; `url` is the endpoint that was called.
pub(crate) fn check(
    assertion: &str,
    certificate: Option<&str>,
    client_id: &str,
    url: &str,
    now: OffsetDateTime,
) -> Result<(), Fault> {
    let mut parts = assertion.split('.');
    let (Some(header), Some(claims), Some(signed), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err(Fault::Malformed);
    };
    let signature = URL_SAFE_NO_PAD.decode(signed).map_err(|_| Fault::Malformed)?;
    let message = format!("{header}.{claims}");
    let (header, claims) = (json(header)?, json(claims)?);

    let certificate = certificate.and_then(der).ok_or(Fault::Certificate)?;
    let thumbprint = |algorithm| URL_SAFE_NO_PAD.encode(digest::digest(algorithm, &certificate));
    let sha256 = header.get("x5t#S256").is_some_and(|named| *named == thumbprint(&digest::SHA256));
    let sha1 = header.get("x5t").is_some_and(|named| *named == thumbprint(&digest::SHA1_FOR_LEGACY_USE_ONLY));
    if !sha256 && !sha1 {
        return Err(Fault::Certificate);
    }
    let algorithm: &dyn signature::VerificationAlgorithm = match header.get("alg").and_then(Value::as_str) {
        Some("PS256") => &signature::RSA_PSS_2048_8192_SHA256,
        Some("RS256") => &signature::RSA_PKCS1_2048_8192_SHA256,
        _ => return Err(Fault::Signature),
    };
    let key = rsa_key(&certificate).ok_or(Fault::Certificate)?;
    UnparsedPublicKey::new(algorithm, key).verify(message.as_bytes(), &signature).map_err(|_| Fault::Signature)?;

    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    if text("iss") != client_id || text("sub") != client_id {
        return Err(Fault::Issuer);
    }
    // Behind an overridden address a client may sign for the cloud's own endpoint.
    let path = |url: &str| url.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| rest[at..].to_owned()));
    if path(text("aud")).is_none() || path(text("aud")) != path(url) {
        return Err(Fault::Audience);
    }
    let moment =
        |name: &str| claims.get(name).and_then(Value::as_i64).and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok());
    let end = moment("exp").ok_or(Fault::Malformed)?;
    let start = moment("nbf").or_else(|| moment("iat")).ok_or(Fault::Malformed)?;
    if now + SKEW < start || now - SKEW > end {
        return Err(Fault::Time { start: date_text(start, "Z"), end: date_text(end, "Z"), now: date_text(now, "Z") });
    }
    Ok(())
}

fn json(part: &str) -> Result<Value, Fault> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| Fault::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| Fault::Malformed)
}

/// The bytes of the first certificate of a PEM text.
fn der(pem: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once("-----BEGIN CERTIFICATE-----")?;
    let (body, _) = rest.split_once("-----END CERTIFICATE-----")?;
    let base64: String = body.chars().filter(|c| !c.is_whitespace()).collect();
    STANDARD.decode(base64).ok()
}

/// The RSA key of a certificate: what follows the algorithm `rsaEncryption` and the head of its bit string.
fn rsa_key(certificate: &[u8]) -> Option<&[u8]> {
    // rsaEncryption (1.2.840.113549.1.1.1) with its NULL, then a bit string with a length of two bytes.
    const HEAD: [u8; 15] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, 0x03, 0x82];
    let at = certificate.windows(HEAD.len()).position(|window| window == HEAD)? + HEAD.len();
    let length = usize::from(*certificate.get(at)?) << 8 | usize::from(*certificate.get(at + 1)?);
    // The first byte of the bit string counts unused bits, of which there are none.
    certificate.get(at + 3..at + 2 + length)
}
