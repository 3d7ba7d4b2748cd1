//! Tokens and Graph.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::{digest, rand, signature};
use serde_json::{Value, json};

use super::*;

const CERTIFICATE: &str = include_str!("client_certificate.pem");
const KEY: &str = include_str!("client_key.txt");

#[tokio::test]
async fn every_wrong_thing_in_a_token_request_has_its_own_code() {
    let service = start();
    let tenant = service.tenant();
    let check = async |tenant: &str, change: Value, status: u16, error: &str, code: u64| {
        let answer = ask_token(&service, tenant, change).await;
        let text = answer.body["error_description"].as_str().unwrap_or_default().to_owned();
        assert_eq!((answer.status, answer.body["error"].as_str()), (status, Some(error)), "{text}");
        assert_eq!(answer.body["error_codes"], json!([code]));
        assert!(text.starts_with(&format!("AADSTS{code}: ")), "{text}");
        assert!(!text.contains(&service.client_secret()), "{text}");
    };
    check("fabrikam.com", json!({}), 400, "invalid_request", 90_002).await;
    check(&tenant, json!({ "grant_type": null }), 400, "invalid_request", 900_144).await;
    check(&tenant, json!({ "grant_type": "password" }), 400, "unsupported_grant_type", 70_003).await;
    check(&tenant, json!({ "client_id": "11111111-0000-0000-0000-000000000000" }), 400, "unauthorized_client", 700_016).await;
    check(&tenant, json!({ "client_secret": "wrong" }), 401, "invalid_client", 7_000_215).await;
    check(&tenant, json!({ "client_secret": null }), 401, "invalid_client", 7_000_218).await;
    check(&tenant, json!({ "scope": null }), 400, "invalid_request", 900_144).await;
    check(&tenant, json!({ "scope": "https://outlook.office365.com/Mail.Read" }), 400, "invalid_scope", 1_002_012).await;
    check(&tenant, json!({ "scope": "https://nobody.example/.default" }), 400, "invalid_resource", 500_011).await;
}

#[tokio::test]
async fn a_token_is_given_for_the_tenants_guid_and_for_its_domain() {
    let service = start();
    for tenant in [service.tenant(), service.organization(), "Contoso.com".into()] {
        let answer = ask_token(&service, &tenant, json!({})).await;
        assert_eq!(answer.status, 200, "{tenant}");
        assert_eq!(answer.body["token_type"], "Bearer");
        assert_eq!(answer.body["expires_in"], 3599);
    }
    assert_eq!(service.counts().tokens_issued.get("exchange"), Some(&3));
}

#[tokio::test]
async fn a_token_is_good_for_its_audience_and_its_lifetime_only() {
    let service = start_with(|options| options.token_lifetime = 60);
    let exchange = Session::new(&service).await;
    let graph = Session::with(&service, client(false), GRAPH).await;
    let domains = async |session: &Session| {
        let request = session.http.get(format!("{}/v1.0/domains", session.base)).bearer_auth(&session.token);
        answer(request.send().await.unwrap()).await
    };
    assert_eq!(exchange.call("Get-AcceptedDomain", json!({})).await.status, 200);
    assert_eq!(graph.call("Get-AcceptedDomain", json!({})).await.status, 401);
    assert_eq!(domains(&graph).await.status, 200);
    let wrong = domains(&exchange).await;
    assert_eq!((wrong.status, &wrong.body["error"]["code"]), (401, &json!("InvalidAuthenticationToken")));

    service.advance_clock(Duration::from_secs(61));
    let late = exchange.call("Get-AcceptedDomain", json!({})).await;
    assert_eq!(late.status, 401);
    assert!(late.header("www-authenticate").contains("invalid_token"));
    assert!(late.header("x-ms-diagnostics").contains("expired"));

    let again = Session::new(&service).await;
    assert_eq!(again.call("Get-AcceptedDomain", json!({})).await.status, 200);
    service.expire_tokens();
    assert_eq!(again.call("Get-AcceptedDomain", json!({})).await.status, 401);
}

#[tokio::test]
async fn without_the_permission_a_call_is_401_and_without_the_directory_role_403() {
    let service = start_with(|options| options.manage_as_app = false);
    assert_eq!(Session::new(&service).await.call("Get-AcceptedDomain", json!({})).await.status, 401);
    let service = start_with(|options| options.directory_role = false);
    let session = Session::new(&service).await;
    let refused = session.call("Get-AcceptedDomain", json!({})).await;
    assert_eq!((refused.status, refused.bytes.len()), (403, 4096));
    // The roles are in the token: a new one is needed to see the assignment.
    service.set_options(|options| options.directory_role = true);
    assert_eq!(session.call("Get-AcceptedDomain", json!({})).await.status, 403);
    assert_eq!(Session::new(&service).await.call("Get-AcceptedDomain", json!({})).await.status, 200);
}

#[tokio::test]
async fn an_assertion_is_taken_when_the_certificates_key_signed_it_in_time() {
    let service = start_with(|options| {
        options.client_certificate = Some(CERTIFICATE.into());
        options.real_clock = true;
        options.federated_token = Some("token-of-another-issuer".into());
    });
    let now = time::OffsetDateTime::now_utc().unix_timestamp();
    let endpoint = format!("https://login.microsoftonline.com/{}/oauth2/v2.0/token", service.tenant());
    let client_id = service.client_id();
    let check = async |claims: Value, spoil: bool, code: Option<u64>| {
        let good =
            json!({ "aud": endpoint, "iss": client_id, "sub": client_id, "jti": "1", "nbf": now, "iat": now, "exp": now + 600 });
        let mut assertion = sign(&with(good, claims));
        if spoil {
            assertion = assertion.replacen('.', "A.", 1);
        }
        let form = json!({ "client_secret": null, "client_assertion": assertion,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" });
        let answer = ask_token(&service, &service.tenant(), form).await;
        assert_eq!(answer.body["error_codes"][0].as_u64(), code, "{}", answer.body);
    };
    check(json!({}), false, None).await;
    check(json!({ "nbf": now + 600, "iat": now + 600, "exp": now + 1200 }), false, Some(700_024)).await;
    check(json!({ "aud": "https://login.microsoftonline.com/other/oauth2/v2.0/token" }), false, Some(700_023)).await;
    check(json!({ "iss": "somebody else" }), false, Some(700_021)).await;
    check(json!({}), true, Some(50_027)).await;

    let form = json!({ "client_secret": null, "client_assertion": "token-of-another-issuer",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" });
    assert_eq!(ask_token(&service, &service.tenant(), form).await.status, 200);
}

/// Signs claims with the key of the test's certificate.
fn sign(claims: &Value) -> String {
    let key = STANDARD.decode(KEY.split_whitespace().collect::<String>()).unwrap();
    let key = signature::RsaKeyPair::from_pkcs8(&key).unwrap();
    let body: String = CERTIFICATE.lines().filter(|line| !line.starts_with('-')).collect();
    let thumbprint = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, &STANDARD.decode(body).unwrap()));
    let header = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint });
    let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
    let mut signed = vec![0; key.public().modulus_len()];
    key.sign(&signature::RSA_PSS_SHA256, &rand::SystemRandom::new(), text.as_bytes(), &mut signed).unwrap();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signed))
}

#[tokio::test]
async fn graph_tells_the_records_that_a_domain_ought_to_publish() {
    let service = start();
    let graph = Session::with(&service, client(false), GRAPH).await;
    let get = async |path: &str| {
        answer(graph.http.get(format!("{}/v1.0/domains{path}", graph.base)).bearer_auth(&graph.token).send().await.unwrap()).await
    };
    let domains = get("").await.body;
    let names: Vec<&str> = domains["value"].as_array().unwrap().iter().filter_map(|domain| domain["id"].as_str()).collect();
    assert_eq!(names, ["contoso.onmicrosoft.com", "contoso.com", "example.com", "example.net"]);
    let domain = get("/example.com").await.body;
    assert_eq!((&domain["isVerified"], &domain["isDefault"]), (&json!(true), &json!(false)));

    let mx = async |name: &str| {
        let records = get(&format!("/{name}/serviceConfigurationRecords")).await.body["value"].clone();
        let record = records.as_array().unwrap().iter().find(|record| record["recordType"] == "Mx").unwrap().clone();
        assert_eq!(record["@odata.type"], "#microsoft.graph.domainDnsMxRecord");
        assert_eq!(
            (&record["ttl"], &record["preference"], &record["supportedService"]),
            (&json!(3600), &json!(0), &json!("Email"))
        );
        record["mailExchange"].as_str().unwrap().to_owned()
    };
    assert_eq!(mx("example.com").await, "example-com.mail.protection.outlook.com");
    assert_eq!(mx("example.net").await, "example-net.k-v1.mx.microsoft");
    let proof = get("/example.com/verificationDnsRecords").await.body;
    assert!(proof["value"][0]["text"].as_str().unwrap().starts_with("MS=ms"));

    let missing = get("/nobody.example").await;
    assert_eq!((missing.status, &missing.body["error"]["code"]), (404, &json!("Request_ResourceNotFound")));
    service.set_options(|options| options.domain_read = false);
    let poor = Session::with(&service, client(false), GRAPH).await;
    let request = poor.http.get(format!("{}/v1.0/domains", poor.base)).bearer_auth(&poor.token);
    let denied = answer(request.send().await.unwrap()).await;
    assert_eq!((denied.status, &denied.body["error"]["code"]), (403, &json!("Authorization_RequestDenied")));
}
