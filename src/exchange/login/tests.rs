//! Each login against an endpoint that checks what it is shown.

mod endpoint;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use time::Duration as Apart;

use self::endpoint::{CERTIFICATE, EXCHANGE, KEY, SUBJECT, issued, start};
use super::*;
use crate::exchange::settings::{CertificateSource, IdentityEndpoint, OidcSource, Proof};
use crate::exchange::testing::{BACKOFF, CLIENT_ID, SECRET, Said, Seen, Service, application, call};
use crate::exchange::token::{Audience, Token, Tokens};

const PASSPHRASE: &str = "open-sesame-42";
const OTHER: &str = include_str!("tests/other_certificate.pem");
const ENCRYPTED_KEY: &str = include_str!("tests/key_encrypted.pem");
const MODERN: &[u8] = include_bytes!("tests/modern.p12");
const LEGACY: &[u8] = include_bytes!("tests/legacy.p12");
const OPEN: &[u8] = include_bytes!("tests/open.p12");

fn tokens(service: &Service, credential: Credential) -> Result<Tokens, Error> {
    let settings = Settings { credential, ..service.settings() };
    Tokens::new(&settings, &Hosts::of(&settings)?, BACKOFF)
}

async fn get(tokens: &Tokens) -> Result<Token, Error> {
    tokens.get(Audience::Exchange, &Connection::new(None, "exchange.ca_certificate")?, &call(5)).await
}

async fn ask(service: &Service, credential: Credential) -> Result<Token, Error> {
    get(&tokens(service, credential)?).await
}

fn text(pem: impl AsRef<[u8]>, password: Option<&str>) -> Credential {
    let source = CertificateSource::Text(String::from_utf8(pem.as_ref().to_vec()).unwrap().into());
    application(Proof::Certificate { source, password: password.map(SecretString::from) })
}

fn file(content: &[u8], password: Option<&str>) -> (tempfile::TempDir, Credential) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("login.pfx");
    std::fs::write(&path, content).unwrap();
    let password = password.map(SecretString::from);
    (folder, application(Proof::Certificate { source: CertificateSource::File(path), password }))
}

fn federated(source: OidcSource) -> Credential {
    application(Proof::Federated(source))
}

fn shown(error: &Error) -> String {
    format!("{error} {:?} {:?}", error.context, error.path)
}

#[tokio::test]
async fn every_proof_of_an_application_gets_a_token() {
    let service = start(Apart::ZERO).await;
    let pem = format!("{KEY}{OTHER}{CERTIFICATE}");
    let encrypted = format!("{CERTIFICATE}{ENCRYPTED_KEY}");
    let (_one, from_der) = file(MODERN, Some(PASSPHRASE));
    let (_two, from_pem) = file(pem.as_bytes(), None);
    let (_three, from_base64) = file(format!("{}\n", STANDARD.encode(LEGACY)).as_bytes(), Some(PASSPHRASE));
    for (what, credential) in [
        ("a secret", application(Proof::Secret(SECRET.into()))),
        ("PEM text", text(&pem, None)),
        ("PEM text with an encrypted key", text(&encrypted, Some(PASSPHRASE))),
        ("PKCS#12 as text", text(STANDARD.encode(MODERN), Some(PASSPHRASE))),
        ("PKCS#12 of old programs", text(STANDARD.encode(LEGACY), Some(PASSPHRASE))),
        ("PKCS#12 without a passphrase", text(STANDARD.encode(OPEN), None)),
        ("a file with PKCS#12", from_der),
        ("a file with PEM", from_pem),
        ("a file with base64", from_base64),
        ("an OIDC token", federated(OidcSource::Token(issued(json!({})).into()))),
    ] {
        let token = ask(&service, credential).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(token.bearer().starts_with("token-"), "{what}");
    }
}

#[tokio::test]
async fn e13_a_refused_token_is_renewed_with_a_new_assertion() {
    let service = start(Apart::ZERO).await;
    let tokens = tokens(&service, text(format!("{KEY}{CERTIFICATE}"), None)).unwrap();
    let first = get(&tokens).await.unwrap();
    tokens.refused(Audience::Exchange, &first);
    // The endpoint refuses an assertion that it has seen.
    let second = get(&tokens).await.unwrap();
    assert_ne!(first.bearer(), second.bearer());
    assert_eq!(get(&tokens).await.unwrap().bearer(), second.bearer());
    assert_eq!(service.token_requests().len(), 2);
}

#[tokio::test]
async fn e14_a_certificate_that_is_not_registered_is_named_by_its_thumbprint() {
    let service = Service::start_raw(|_| {
        let text =
            "AADSTS700027: The certificate with identifier used to sign the client assertion is not registered on application.";
        Said::of(401, json!({"error": "invalid_client", "error_description": text, "error_codes": [700_027]}).to_string())
    })
    .await;
    let error = ask(&service, text(format!("{KEY}{CERTIFICATE}"), None)).await.unwrap_err();
    assert_eq!(error.kind, Kind::Denied);
    let facts: BTreeMap<_, _> = error.context.iter().cloned().collect();
    // What `openssl x509 -fingerprint -sha1` prints.
    assert_eq!(facts["certificate thumbprint"], include_str!("tests/thumbprint.txt").trim());
    assert!(facts["certificate valid until"].starts_with("21"), "{facts:?}");
    assert_eq!(facts["sign-in host"], service.url().origin().ascii_serialization());
}

#[tokio::test]
async fn e26_an_assertion_that_is_refused_for_its_time_names_the_clock() {
    let service = start(Apart::minutes(20)).await;
    let error = ask(&service, text(format!("{KEY}{CERTIFICATE}"), None)).await.unwrap_err();
    assert!(error.hint.clone().unwrap_or_default().contains("clock"), "{error}");
    let facts: BTreeMap<_, _> = error.context.iter().cloned().collect();
    let clock = &facts["this machine's clock"];
    assert!(clock.starts_with("20 min 0 s behind") || clock.starts_with("19 min 59 s behind"), "{clock}");
    assert!(facts["server's date"].contains("20"), "{facts:?}");
}

#[tokio::test]
async fn a_clock_that_is_four_minutes_off_does_no_harm() {
    for ahead in [4, -4] {
        let service = start(Apart::minutes(ahead)).await;
        assert!(ask(&service, text(format!("{KEY}{CERTIFICATE}"), None)).await.is_ok(), "{ahead}");
    }
}

#[tokio::test]
async fn e14_an_oidc_token_that_fits_no_federated_credential_is_shown_by_its_claims() {
    let service = start(Apart::ZERO).await;
    for (change, word, value) in [
        (json!({"sub": "repo:contoso/mail:ref:refs/heads/other"}), "subject", "repo:contoso/mail:ref:refs/heads/other"),
        (json!({"aud": "sts.amazonaws.com"}), "audience", "sts.amazonaws.com"),
        (json!({"iss": "https://issuer.example/"}), "issuer", "https://issuer.example/"),
        (json!({"nbf": 0, "exp": 100}), "time of validity", SUBJECT),
    ] {
        let token = issued(change);
        let error = ask(&service, federated(OidcSource::Token(token.clone().into()))).await.unwrap_err();
        assert!(error.hint.clone().unwrap_or_default().contains(word), "{error}");
        assert!(error.context.iter().any(|(_, shown)| shown == value), "{word}: {:?}", error.context);
        assert!(!shown(&error).contains(&token), "{error}");
    }
    let error = ask(&service, federated(OidcSource::Token("no-token".into()))).await.unwrap_err();
    assert!(error.context.contains(&("OIDC token", "is not a JSON Web Token".to_owned())), "{:?}", error.context);
}

#[tokio::test]
async fn the_file_of_an_oidc_token_is_read_at_each_use() {
    let service = start(Apart::ZERO).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let tokens = tokens(&service, federated(OidcSource::File(path.clone()))).unwrap();
    let error = get(&tokens).await.unwrap_err();
    assert!(shown(&error).contains("ARM_OIDC_TOKEN_FILE_PATH"), "{error}");
    assert_eq!(error.path, Some(setting("oidc_token_file_path")));

    std::fs::write(&path, issued(json!({"nbf": 0, "exp": 100}))).unwrap();
    assert!(get(&tokens).await.unwrap_err().to_string().contains("AADSTS700024"));
    // Somebody has renewed it: the refusal of the old one does not stand.
    std::fs::write(&path, format!("{}\n", issued(json!({})))).unwrap();
    assert!(get(&tokens).await.is_ok());
}

#[tokio::test]
async fn a_refusal_that_lasts_is_asked_for_once() {
    let service = start(Apart::ZERO).await;
    let tokens = tokens(&service, application(Proof::Secret("wrong".into()))).unwrap();
    for _ in 0..3 {
        assert!(get(&tokens).await.unwrap_err().to_string().contains("exchange.client_secret"));
    }
    assert_eq!(service.token_requests().len(), 1);
}

/// Gives OIDC tokens to whoever shows the job's token.
async fn job(accept: fn(&Seen) -> bool, member: &'static str) -> Service {
    Service::start_raw(move |seen| {
        if seen.header("authorization") != "Bearer job-token-1" {
            return Said::of(401, r#"{"message":"job-token-2 is not known"}"#);
        }
        assert!(accept(seen), "{seen:?}");
        Said::of(200, json!({ member: issued(json!({})) }).to_string())
    })
    .await
}

#[tokio::test]
async fn a_job_of_github_actions_asks_for_its_oidc_token() {
    let service = start(Apart::ZERO).await;
    let github = job(
        |seen| {
            let audience: String = url::form_urlencoded::byte_serialize(EXCHANGE.as_bytes()).collect();
            seen.path == format!("/token?api-version=2.0&audience={audience}")
        },
        "value",
    )
    .await;
    let source = |token: &str| OidcSource::GitHub {
        url: github.url().join("/token?api-version=2.0").unwrap(),
        token: token.into(),
        audience: None,
    };
    assert!(ask(&service, federated(source("job-token-1"))).await.is_ok());
    let error = ask(&service, federated(source("job-token-2"))).await.unwrap_err();
    assert_eq!(error.kind, Kind::Denied);
    assert!(error.to_string().contains("id-token: write"), "{error}");
    assert!(!shown(&error).contains("job-token-2"), "{error}");
}

#[tokio::test]
async fn a_job_of_azure_pipelines_asks_in_the_name_of_its_service_connection() {
    let service = start(Apart::ZERO).await;
    let pipelines = job(
        |seen| {
            seen.path == "/oidctoken?api-version=7.1&serviceConnectionId=connection-1"
                && seen.header("content-type") == "application/json"
        },
        "oidcToken",
    )
    .await;
    let source = |token: &str| OidcSource::AzurePipelines {
        url: pipelines.url().join("/oidctoken").unwrap(),
        token: token.into(),
        service_connection: "connection-1".to_owned(),
    };
    assert!(ask(&service, federated(source("job-token-1"))).await.is_ok());
    let error = ask(&service, federated(source("job-token-2"))).await.unwrap_err();
    assert!(error.to_string().contains("SYSTEM_ACCESSTOKEN"), "{error}");
}

#[tokio::test]
async fn a_page_for_people_is_no_oidc_token() {
    let service = start(Apart::ZERO).await;
    let page = Service::start_raw(|_| Said::of(203, "<html>Sign in</html>")).await;
    let url = page.url();
    let source = OidcSource::AzurePipelines { url, token: "x".into(), service_connection: "c".to_owned() };
    let error = ask(&service, federated(source)).await.unwrap_err();
    assert_eq!(error.kind, Kind::Unexpected);
    assert!(service.token_requests().is_empty());
}

fn identity(client_id: Option<&str>, endpoint: IdentityEndpoint) -> Credential {
    Credential::ManagedIdentity { client_id: client_id.map(str::to_owned), endpoint }
}

#[tokio::test]
async fn a_virtual_machine_asks_its_metadata_service() {
    let count = AtomicUsize::new(0);
    let metadata = Service::start_raw(move |seen| {
        assert_eq!(seen.header("metadata"), "true");
        assert!(seen.path.contains("api-version=2018-02-01&resource=https%3A%2F%2Foutlook.office365.com"), "{}", seen.path);
        match count.fetch_add(1, Ordering::SeqCst) {
            // It is being updated.
            0 => Said::of(410, ""),
            _ if seen.path.ends_with(&format!("&client_id={CLIENT_ID}")) => {
                Said::of(200, r#"{"access_token":"token-of-identity","expires_in":"86399","expires_on":"1"}"#)
            }
            _ => Said::of(400, r#"{"error":"invalid_request","error_description":"Identity not found"}"#),
        }
    })
    .await;
    let endpoint = IdentityEndpoint::Metadata(Some(metadata.url().join("/metadata/identity/oauth2/token").unwrap()));
    let token = ask(&metadata, identity(Some(CLIENT_ID), endpoint.clone())).await.unwrap();
    assert_eq!(token.bearer(), "token-of-identity");
    let error = ask(&metadata, identity(None, endpoint)).await.unwrap_err();
    assert_eq!(error.kind, Kind::Denied);
    assert!(error.to_string().contains("Identity not found") && error.to_string().contains("exchange.client_id"), "{error}");
}

#[tokio::test]
async fn a_function_asks_the_endpoint_that_its_platform_announces() {
    let platform = Service::start_raw(|seen| {
        assert!(seen.path.starts_with("/msi/token?api-version=2019-08-01&resource=https"), "{}", seen.path);
        match seen.header("x-identity-header") {
            "header-1" => {
                let end = time::OffsetDateTime::now_utc().unix_timestamp() + 3600;
                Said::of(200, json!({"access_token": "token-of-function", "expires_on": end.to_string()}).to_string())
            }
            other => Said::of(403, json!({"statusCode": 403, "message": format!("{other} is wrong")}).to_string()),
        }
    })
    .await;
    let endpoint =
        |header: &str| IdentityEndpoint::Platform { url: platform.url().join("/msi/token").unwrap(), header: header.into() };
    assert_eq!(ask(&platform, identity(None, endpoint("header-1"))).await.unwrap().bearer(), "token-of-function");
    let error = ask(&platform, identity(None, endpoint("header-2"))).await.unwrap_err();
    assert!(!shown(&error).contains("header-2"), "{error}");
}

#[tokio::test]
async fn a_machine_without_a_managed_identity_is_told_so() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let service = start(Apart::ZERO).await;
    let error = ask(&service, identity(None, IdentityEndpoint::Metadata(Some(url)))).await.unwrap_err();
    assert_eq!((error.kind, error.retryable), (Kind::Unavailable, false));
    assert!(error.to_string().contains("exchange.use_msi"), "{error}");
}

#[test]
fn a_tokens_life_is_read_in_every_form() {
    let now = OffsetDateTime::now_utc().unix_timestamp();
    for (body, least, most) in [
        (json!({"access_token": "t", "expires_in": 3599}), 3599, 3599),
        (json!({"access_token": "t", "expires_in": "3599"}), 3599, 3599),
        (json!({"access_token": "t", "expires_on": (now + 100).to_string()}), 95, 100),
        (json!({"access_token": "t", "expires_on": now - 100}), 0, 0),
        (json!({"access_token": "t", "expires_on": "11/20/2026 01:02:03 AM +00:00"}), 600, 600),
        (json!({"access_token": "t", "expires_in": 3599.9}), 3599, 3599),
        (json!({"access_token": "t", "expires_in": " 3599.5 "}), 3599, 3599),
        (json!({"access_token": "t", "expires_in": -5.5}), 0, 0),
        (json!({"access_token": "t", "expires_in": "-9223372036854775809"}), 0, 0),
        (json!({"access_token": "t", "expires_in": "soon"}), 600, 600),
        (json!({"access_token": "t", "expires_in": "NaN"}), 600, 600),
        (json!({"access_token": "t", "expires_in": [1]}), 600, 600),
        (json!({"access_token": "t"}), 600, 600),
    ] {
        let life = Granted::read(body.to_string().as_bytes()).unwrap().life.as_secs();
        assert!((least..=most).contains(&life), "{body}: {life}");
    }
    assert!(Granted::read(b"{\"expires_in\":1}").is_none());
}

#[test]
fn rs6_a_tokens_life_is_never_more_than_can_be_counted_with() {
    let numbers = [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::from(i32::MAX), i64::from(u32::MAX), i64::MAX - 1, i64::MAX];
    for member in ["expires_in", "expires_on"] {
        for number in numbers {
            for value in [json!(number), json!(number.to_string()), json!(u64::MAX), json!(1e300), json!("1e300")] {
                let body = json!({"access_token": "t", member: value.clone()}).to_string();
                let life = Granted::read(body.as_bytes()).unwrap().life;
                assert!(life <= Duration::from_hours(24), "{member} {value}: {life:?}");
                assert!(tokio::time::Instant::now().checked_add(life).is_some());
            }
        }
    }
}

#[tokio::test]
async fn rs6_a_token_that_lasts_for_ever_is_used() {
    for member in ["expires_in", "expires_on"] {
        let service =
            Service::start_raw(move |_| Said::of(200, json!({"access_token": "t", member: i64::MAX}).to_string())).await;
        let endpoint = IdentityEndpoint::Metadata(Some(service.url()));
        assert!(ask(&service, identity(None, endpoint)).await.is_ok(), "{member}");
    }
}

/// Refuses a certificate, and shows nothing of what was given.
#[track_caller]
fn check_refused(credential: &Credential, attribute: &str, said: &str) {
    let settings = Settings { credential: credential.clone(), ..crate::exchange::testing::settings() };
    let error = Login::new(&settings, &Hosts::of(&settings).unwrap()).unwrap_err();
    assert_eq!(error.kind, Kind::Invalid);
    assert_eq!(error.path, Some(setting(attribute)), "{error}");
    let all = shown(&error);
    assert!(all.contains(said), "{said}: {all}");
    assert!(all.contains(&format!("ARM_{}", attribute.to_uppercase())), "{all}");
    for secret in [PASSPHRASE, "wrong-passphrase", KEY.lines().nth(3).unwrap(), "c2VjcmV0"] {
        assert!(!all.contains(secret), "{all}");
    }
}

#[test]
fn c16_a_wrong_passphrase_is_named_and_not_shown() {
    let (modern, legacy) = (STANDARD.encode(MODERN), STANDARD.encode(LEGACY));
    let encrypted = format!("{CERTIFICATE}{ENCRYPTED_KEY}");
    for content in [&modern, &legacy, &encrypted] {
        check_refused(&text(content, Some("wrong-passphrase")), "client_certificate_password", "the passphrase is wrong");
        check_refused(&text(content, None), "client_certificate_password", "is protected by a passphrase");
    }
}

#[test]
fn c16_a_certificate_or_key_that_cannot_be_used_is_named_and_not_shown() {
    let elliptic = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nc2VjcmV0\n-----END RSA PRIVATE KEY-----\n";
    let attribute = "client_certificate";
    check_refused(&text("c2VjcmV0", None), attribute, "no PKCS#12 that can be read");
    check_refused(&text("c2VjcmV0 !", None), attribute, "neither PEM nor PKCS#12");
    check_refused(&text("-----BEGIN CERTIFICATE-----\nc2VjcmV0", None), attribute, "not well-formed PEM");
    check_refused(&text(CERTIFICATE, None), attribute, "holds no private key");
    check_refused(&text(KEY, None), attribute, "holds no certificate");
    check_refused(&text(format!("{KEY}{OTHER}"), None), attribute, "no certificate that belongs to it");
    check_refused(&text(format!("{elliptic}{CERTIFICATE}"), None), attribute, "RSA keys only");
    check_refused(&text(format!("{old}{CERTIFICATE}"), None), attribute, "openssl pkcs8");
    check_refused(&text(STANDARD.encode(&MODERN[..1000]), Some(PASSPHRASE)), attribute, "no PKCS#12 that can be read");

    let (_folder, credential) = file(b"c2VjcmV0 !", None);
    check_refused(&credential, "client_certificate_path", "neither PEM nor PKCS#12");
    let source = CertificateSource::File(PathBuf::from("/nowhere/login.pfx"));
    let credential = application(Proof::Certificate { source, password: None });
    check_refused(&credential, "client_certificate_path", "/nowhere/login.pfx");
}

#[cfg(unix)]
mod azure_cli {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A folder with a program `az`.
    fn fake(script: &str) -> (tempfile::TempDir, Credential) {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("az");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let search_path = format!("bin:/nowhere:{}", folder.path().display());
        (folder, Credential::AzureCli { search_path })
    }

    #[tokio::test]
    async fn the_azure_cli_gives_the_token_of_the_person_who_is_logged_in() {
        let service = start(Apart::ZERO).await;
        let (_folder, credential) = fake(
            r#"[ "$*" = "account get-access-token --resource https://outlook.office365.com --tenant contoso.onmicrosoft.com --output json" ] || exit 9
echo "a warning" >&2
echo '{"accessToken":"token-of-person","expiresOn":"2026-08-21 13:00:00.000000","expires_on":4102444800,"tokenType":"Bearer"}'"#,
        );
        assert_eq!(ask(&service, credential).await.unwrap().bearer(), "token-of-person");
    }

    #[tokio::test]
    async fn e14_what_the_azure_cli_says_is_shown_with_what_to_do() {
        let service = start(Apart::ZERO).await;
        for (script, said, hint) in [
            ("echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1", "Please run", "az login --tenant contoso"),
            ("echo 'ERROR: AADSTS65002: Consent between first party application' >&2; exit 1", "AADSTS65002", "app registration"),
            (
                "echo 'ERROR: AADSTS700082: The refresh token has expired' >&2; exit 1",
                "AADSTS700082",
                "az login --tenant contoso",
            ),
            ("exit 3", "says nothing", "az cloud set --name AzureCloud"),
            ("echo no JSON", "holds no token", "az upgrade"),
        ] {
            let (_folder, credential) = fake(script);
            let error = ask(&service, credential).await.unwrap_err();
            assert!(error.message.contains(said), "{script}: {error}");
            assert!(error.to_string().contains(hint), "{script}: {error}");
        }
    }

    #[tokio::test]
    async fn c16_a_machine_without_the_azure_cli_is_told_so() {
        let service = start(Apart::ZERO).await;
        let error = ask(&service, Credential::AzureCli { search_path: "bin:/nowhere".to_owned() }).await.unwrap_err();
        assert_eq!(error.path, Some(setting("use_cli")));
        assert!(error.to_string().contains("ARM_USE_CLI"), "{error}");
    }

    #[test]
    fn a_tenant_that_would_be_an_option_of_the_program_is_refused() {
        for tenant in ["--help", "a b", "", "a&calc"] {
            assert!(
                AzureCli::new(String::new(), tenant.to_owned(), crate::exchange::settings::Cloud::Public).is_err(),
                "{tenant}"
            );
        }
    }
}
