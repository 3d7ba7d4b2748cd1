//! A token endpoint that believes nothing: it checks signature, audience and time of every assertion, and that none comes twice.

use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RSA_PSS_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey, VerificationAlgorithm,
};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc2822;
use time::{Duration, OffsetDateTime};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use crate::exchange::testing::{CLIENT_ID, SECRET, Said, Seen, Service};

pub(super) const CERTIFICATE: &str = include_str!("certificate.pem");
pub(super) const KEY: &str = include_str!("key.pem");
pub(super) const ISSUER: &str = "https://issuer.example";
pub(super) const SUBJECT: &str = "repo:contoso/mail:ref:refs/heads/main";
pub(super) const EXCHANGE: &str = "api://AzureADTokenExchange";
const AUTHORITY: &str = "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token";
/// How far clocks may be apart.
const TOLERANCE: i64 = 300;

type Refused = (u64, String);

/// Starts an endpoint whose clock is this far ahead.
pub(super) async fn start(ahead: Duration) -> Service {
    let known = Mutex::new(HashSet::new());
    Service::start_raw(move |seen| {
        let now = OffsetDateTime::now_utc() + ahead;
        let date = now.format(&Rfc2822).unwrap();
        let said = match judge(seen, now.unix_timestamp(), &known) {
            Ok(()) => {
                let token = format!("token-{}", known.lock().unwrap().len());
                Said::of(200, json!({"token_type": "Bearer", "expires_in": 3599, "access_token": token}).to_string())
            }
            Err((code, why)) => {
                let body = json!({"error": "invalid_client", "error_codes": [code], "correlation_id": "c",
                    "error_description": format!("AADSTS{code}: {why} Trace ID: t Correlation ID: c")});
                Said::of(401, body.to_string())
            }
        };
        said.header("date", date)
    })
    .await
}

fn judge(seen: &Seen, now: i64, known: &Mutex<HashSet<String>>) -> Result<(), Refused> {
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(seen.body.as_bytes()).into_owned().collect();
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    assert_eq!(seen.path, "/contoso.onmicrosoft.com/oauth2/v2.0/token");
    assert_eq!(field("grant_type"), "client_credentials");
    assert_eq!(field("scope"), "https://outlook.office365.com/.default");
    if field("client_id") != CLIENT_ID {
        return Err((700_016, "Application was not found in the directory.".to_owned()));
    }
    if form.contains_key("client_secret") {
        assert!(!form.contains_key("client_assertion"));
        return if field("client_secret") == SECRET { Ok(()) } else { Err((7_000_215, "Invalid client secret.".to_owned())) };
    }
    assert_eq!(field("client_assertion_type"), "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    let token = field("client_assertion");
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else { return Err((50_027, "Invalid JWT token.".to_owned())) };
    let decoded = |part: &str| -> Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap() };
    let (header, claims) = (decoded(header), decoded(claims));
    let signed = &token[..token.len() - signature.len() - 1];
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let certificate = pem::parse(CERTIFICATE).unwrap();
    let verify = |algorithm: &'static dyn VerificationAlgorithm| {
        let (_, parsed) = X509Certificate::from_der(certificate.contents()).unwrap();
        let key = UnparsedPublicKey::new(algorithm, parsed.public_key().subject_public_key.data.to_vec());
        key.verify(signed.as_bytes(), &signature).map_err(|_| (700_027, "Signature validation failed.".to_owned()))
    };
    let text = |name: &str| claims[name].as_str().unwrap_or_default().to_owned();
    let number = |name: &str| claims[name].as_i64().unwrap();
    if claims["iss"] == ISSUER || header["alg"] == "RS256" {
        verify(&RSA_PKCS1_2048_8192_SHA256)?;
        for (code, name, wanted) in [(700_211, "iss", ISSUER), (700_212, "aud", EXCHANGE), (700_213, "sub", SUBJECT)] {
            if text(name) != wanted {
                return Err((
                    code,
                    format!("No matching federated identity record found for presented assertion: {}.", text(name)),
                ));
            }
        }
    } else {
        assert_eq!((&header["alg"], &header["typ"]), (&json!("PS256"), &json!("JWT")));
        if header["x5t#S256"] != json!(URL_SAFE_NO_PAD.encode(digest(&SHA256, certificate.contents()))) {
            return Err((700_027, "The certificate is not registered on application.".to_owned()));
        }
        verify(&RSA_PSS_2048_8192_SHA256)?;
        if text("aud") != AUTHORITY {
            return Err((700_023, format!("Client assertion audience claim does not match: {}.", text("aud"))));
        }
        if text("iss") != CLIENT_ID || text("sub") != CLIENT_ID {
            return Err((700_021, "Client assertion application identifier doesn't match.".to_owned()));
        }
        assert!((300..=600).contains(&(number("exp") - number("nbf"))), "{claims}");
        assert_eq!(number("iat"), number("nbf"));
        assert!(known.lock().unwrap().insert(text("jti")), "an assertion was used twice");
    }
    if number("exp") < now - TOLERANCE || number("nbf") > now + TOLERANCE {
        return Err((700_024, "Client assertion is not within its valid time range.".to_owned()));
    }
    Ok(())
}

/// A token of the issuer that the application trusts, with some claims changed.
pub(super) fn issued(changes: Value) -> String {
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let mut claims = json!({"iss": ISSUER, "sub": SUBJECT, "aud": EXCHANGE, "nbf": now, "iat": now, "exp": now + 300});
    if let (Value::Object(claims), Value::Object(changes)) = (&mut claims, changes) {
        claims.extend(changes);
    }
    let key = RsaKeyPair::from_pkcs8(pem::parse(KEY).unwrap().contents()).unwrap();
    let header = json!({"alg": "RS256", "typ": "JWT", "kid": "1"});
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}
