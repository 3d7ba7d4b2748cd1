//! Faults that a test scripts.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::{Fault, RetryAfter, What};
use super::*;

#[tokio::test]
async fn a_throttled_call_says_when_to_come_back() {
    let service = start();
    let session = Session::new(&service).await;
    let check = async |retry_after: RetryAfter, plain_text_status: Option<u16>, status: u16, header: &dyn Fn(&str) -> bool| {
        service.script(Fault::new("Get-*", What::Throttled { retry_after, plain_text_status }));
        let answer = session.call("Get-AcceptedDomain", json!({})).await;
        assert_eq!(answer.status, status);
        assert!(header(answer.header("retry-after")), "{}", answer.header("retry-after"));
        assert_eq!(session.call("Get-AcceptedDomain", json!({})).await.status, 200, "one call only");
    };
    check(RetryAfter::Seconds("2.1".into()), None, 429, &|value| value == "2.1").await;
    check(RetryAfter::Date(30), None, 429, &|value| value.ends_with(" GMT") && value.len() == 29).await;
    check(RetryAfter::Missing, Some(400), 400, &str::is_empty).await;
}

#[tokio::test]
async fn a_connection_drops_before_or_after_the_effect() {
    let service = start();
    let session = Session::new(&service).await;
    for (acts, standing) in [(false, 0), (true, 1)] {
        service.script(Fault::new("New-TransportRule", What::Dropped { acts }));
        let sent = session.request("New-TransportRule", &rule("R")).send().await;
        assert!(sent.is_err(), "{sent:?}");
        assert_eq!(session.names("TransportRule").await.len(), standing);
    }
    assert_eq!(service.counts().answers.get(&0), Some(&2));
}

#[tokio::test]
async fn a_body_ends_too_early_in_either_way() {
    let service = start();
    let session = Session::new(&service).await;
    service.script(Fault::new("Get-*", What::Truncated { bytes: 40 }));
    let answer = session.call("Get-AcceptedDomain", json!({})).await;
    assert_eq!((answer.status, answer.bytes.len(), answer.body), (200, 40, Value::Null));
    service.script(Fault::new("Get-*", What::Cut { bytes: 40 }));
    let response = session.request("Get-AcceptedDomain", &json!({})).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.bytes().await.is_err());
}

#[tokio::test]
async fn an_answer_lies_about_its_content() {
    let service = start();
    let session = Session::new(&service).await;
    service.script(Fault::new("Get-*", What::EmptyList));
    assert_eq!(session.call("Get-AcceptedDomain", json!({})).await.body["value"], json!([]));
    service.script(Fault::new("Get-*", What::WrongGzip));
    let response = session.request("Get-AcceptedDomain", &json!({})).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.bytes().await.is_err(), "the client unpacks what is not packed");
    service.script(Fault::new("New-*", What::Errors { errors: vec!["it went wrong".into()], acts: false }));
    let answer = session.call("New-TransportRule", rule("R")).await;
    assert_eq!((answer.status, &answer.body["@adminapi.errors"]), (200, &json!(["it went wrong"])));
    assert_eq!(session.names("TransportRule").await, [] as [&str; 0]);
    service.script(Fault::new("New-*", What::Warnings { warnings: vec!["beware".into()] }));
    assert_eq!(session.call("New-TransportRule", rule("R")).await.warnings(), ["beware"]);
}

#[tokio::test]
async fn a_scripted_answer_comes_instead_of_the_effect_or_after_it() {
    let service = start();
    let session = Session::new(&service).await;
    let headers = BTreeMap::from([("Location".to_owned(), "https://elsewhere.example/".to_owned())]);
    let scripted = |acts| What::Answer { status: 504, headers: headers.clone(), body: "<html>gateway</html>".into(), acts };
    for (acts, standing) in [(false, 0), (true, 1)] {
        service.script(Fault::new("New-TransportRule", scripted(acts)).delay_ms(50));
        let before = Instant::now();
        let answer = session.call("New-TransportRule", rule("R")).await;
        assert!(before.elapsed() >= Duration::from_millis(50));
        assert_eq!((answer.status, answer.header("location")), (504, "https://elsewhere.example/"));
        assert_eq!(session.names("TransportRule").await.len(), standing);
    }
}

#[tokio::test]
async fn the_token_endpoint_and_graph_have_faults_too() {
    let service = start();
    service.script(Fault::status("Token", 503));
    assert_eq!(ask_token(&service, &service.tenant(), json!({})).await.status, 503);
    let graph = Session::with(&service, client(false), GRAPH).await;
    service.script(Fault::status("Graph", 500).times(2));
    for status in [500, 500, 200] {
        let request = graph.http.get(format!("{}/v1.0/domains", graph.base)).bearer_auth(&graph.token);
        assert_eq!(request.send().await.unwrap().status(), status);
    }
    assert_eq!(service.counts().token_requests, 2);
    assert_eq!(service.faults().len(), 0);
}
