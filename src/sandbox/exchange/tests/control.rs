//! The control path, as a test in another process uses it.

use reqwest::Method;
use serde_json::{Value, json};

use super::*;

async fn control(service: &Service, method: Method, path: &str, body: Value) -> Answer {
    let request = client(false).request(method, format!("{}/sandbox{path}", service.url()));
    let request = if body.is_null() { request } else { request.json(&body) };
    answer(request.send().await.unwrap()).await
}

#[tokio::test]
async fn everything_can_be_done_from_another_process() {
    let service = start();
    let session = Session::new(&service).await;
    let check = async |method: Method, path: &str, body: Value, status: u16| {
        let answer = control(&service, method.clone(), path, body.clone()).await;
        assert_eq!(answer.status, status, "{method} {path} {body}: {}", String::from_utf8_lossy(&answer.bytes));
        answer.body
    };
    let (get, post, put, patch, delete) = (Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE);

    check(
        post.clone(),
        "/faults",
        json!([{ "on": "Get-*", "times": 2, "after": 1, "what": { "answer": { "status": 503 } } },
        { "on": "New-*", "what": { "throttled": { "retry_after": { "seconds": "2.1" } } } }]),
        204,
    )
    .await;
    check(post.clone(), "/faults", json!({ "on": "Get-*", "what": "empty_list" }), 204).await;
    check(post.clone(), "/faults", json!({ "on": "Get-*", "when": "now" }), 400).await;
    let left = check(get.clone(), "/faults", Value::Null, 200).await;
    assert_eq!((left.as_array().unwrap().len(), &left[0]["times"]), (3, &json!(2)));
    assert_eq!(session.call("Get-TransportRule", json!({})).await.status, 200);
    assert_eq!(session.call("Get-TransportRule", json!({})).await.status, 503);
    check(delete.clone(), "/faults", Value::Null, 204).await;
    assert_eq!(session.call("Get-TransportRule", json!({})).await.status, 200);

    check(put.clone(), "/objects/TransportRule/R", json!({ "Quarantine": true }), 200).await;
    check(put.clone(), "/objects/Nonsense/R", json!({}), 400).await;
    assert_eq!(check(get.clone(), "/objects/TransportRule/R", Value::Null, 200).await["Quarantine"], true);
    let snapshot = check(get.clone(), "/snapshot", Value::Null, 200).await;
    assert_eq!(snapshot, service.snapshot());
    check(delete.clone(), "/objects/TransportRule/R", Value::Null, 204).await;
    check(delete.clone(), "/objects/TransportRule/R", Value::Null, 404).await;
    check(put.clone(), "/snapshot", snapshot, 204).await;
    assert_eq!(session.names("TransportRule").await, ["R"]);

    check(put.clone(), "/messages", json!([{ "Subject": "no time" }]), 400).await;
    check(put, "/messages", json!([{ "Received": "2026-07-24T18:00:00Z" }]), 204).await;
    assert_eq!(session.ok("Get-MessageTraceV2", json!({})).await.len(), 1);

    check(post.clone(), "/roles", json!({ "revoke": ["Get-TransportRule"] }), 204).await;
    assert_eq!(session.call("Get-TransportRule", json!({})).await.status, 403);
    check(post.clone(), "/roles", json!({ "grant": ["Get-TransportRule"] }), 204).await;
    check(patch.clone(), "/options", json!({ "visibility_delay_ms": 3, "client_secret": "rotated" }), 204).await;
    check(patch, "/options", json!({ "colour": "red" }), 400).await;
    assert_eq!((service.options().visibility_delay_ms, service.client_secret()), (3, "rotated".into()));
    let options = check(get.clone(), "/options", Value::Null, 200).await;
    assert!(options.get("client_secret").is_none() && options["visibility_delay_ms"] == 3);

    check(post.clone(), "/clock", json!({ "set": "2027-01-01T00:00:00Z" }), 204).await;
    assert_eq!(session.call("Get-TransportRule", json!({})).await.status, 401, "the token ended long ago");
    check(post.clone(), "/clock", json!({ "set": "2026-07-24T19:00:00Z" }), 204).await;
    check(post.clone(), "/clock", json!({ "advance_seconds": 60 }), 204).await;
    assert_eq!(check(get.clone(), "/clock", Value::Null, 200).await["now"], "2026-07-24T19:01:00.0000000Z");
    check(post, "/tokens/expire", Value::Null, 204).await;
    assert_eq!(session.call("Get-TransportRule", json!({})).await.status, 401);

    let counts = check(get.clone(), "/counts", Value::Null, 200).await;
    assert_eq!((&counts["calls"]["Get-TransportRule"], &counts["answers"]["503"]), (&json!(7), &json!(1)));
    let calls = check(get.clone(), "/calls", Value::Null, 200).await;
    assert_eq!(
        (calls.as_array().unwrap().len(), &calls[0]["cmdlet"], &calls[0]["parameters"]),
        (8, &json!("Get-TransportRule"), &json!({}))
    );
    check(delete, "/counts", Value::Null, 204).await;
    assert_eq!(service.count("Get-TransportRule"), 0);
    let text = control(&service, get, "", Value::Null).await;
    assert!(String::from_utf8(text.bytes).unwrap().contains("TransportRule (1)"));
}
