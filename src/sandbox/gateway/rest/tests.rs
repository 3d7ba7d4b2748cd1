use serde_json::{Value, json};

use crate::sandbox::gateway::{self, Appliance};

fn client() -> reqwest::Client {
    // Another test may have set it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap()
}

async fn ask(gateway: &Appliance, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
    let url = format!("{}/esa/api/v2.0/{path}", gateway.rest_url());
    let mut request = client().request(method.parse().unwrap(), url).basic_auth(gateway.username(), Some(gateway.password()));
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap())
}

fn gateway() -> Appliance {
    let rest = super::Options { message_filters: Some(true), ..super::Options::default() };
    Appliance::start(gateway::Options { rest_options: rest, ..gateway::Options::default() }).unwrap()
}

#[tokio::test]
async fn a_filter_is_made_changed_and_deleted_at_once() {
    let gateway = gateway();
    let path = "config/message_filters/f3?device_type=esa";
    let text = "if (recv-int == 'nowhere') { skip-filters(); }";
    let (status, made) = ask(&gateway, "POST", path, Some(json!({"data": {"rules_and_actions": text, "active": "false"}}))).await;
    assert_eq!(status, 201);
    assert!(made["meta"]["warning"].as_str().unwrap().contains("Interface 'nowhere' unknown"), "{made}");
    let (_, list) = ask(&gateway, "GET", "config/message_filters?device_type=esa", None).await;
    assert_eq!(
        (&list["meta"]["count"], &list["data"][0]["valid"], &list["data"][0]["active"]),
        (&json!(1), &json!("false"), &json!("false"))
    );
    assert_eq!(ask(&gateway, "PUT", path, Some(json!({"data": {"active": "true"}}))).await.0, 200);
    assert!(gateway.configuration().filters[0].active);
    assert_eq!(ask(&gateway, "PUT", path, Some(json!({"data": {"rules_and_actions": "x"}}))).await.0, 404);
    assert_eq!(ask(&gateway, "DELETE", path, None).await.0, 200);
    assert_eq!(ask(&gateway, "DELETE", path, None).await.1["error"]["message"], "Not Found.");
}

#[tokio::test]
async fn a_wrong_parameter_is_answered_with_404_and_other_words() {
    let gateway = gateway();
    let tracking = |query: &str| format!("message-tracking/messages?{query}");
    for query in [
        "startDate=2022-01-01T00:00:30.000Z&endDate=2022-01-01T00:01:00.000Z",
        "startDate=2022-01-01T00:00:00.000Z",
        "startDate=2022-01-01T00:00:00.000Z&endDate=2022-01-01T00:01:00.000Z&limit=101",
        "startDate=2022-01-01T00:00:00.000Z&endDate=2022-01-01T00:01:00.000Z&unheard=1",
    ] {
        let (status, answer) = ask(&gateway, "GET", &tracking(query), None).await;
        assert_eq!((status, &answer["error"]["code"]), (404, &json!("404")), "{query}");
        assert_ne!(answer["error"]["message"], "Not Found.", "{query}");
    }
    assert_eq!(ask(&gateway, "GET", "config/nothing", None).await.1["error"]["message"], "Not Found.");
}
