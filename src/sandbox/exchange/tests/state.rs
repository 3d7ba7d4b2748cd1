//! Snapshots, changes behind the client's back, description, repeatability.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;

#[tokio::test]
async fn a_snapshot_is_the_same_after_objects_came_and_went() {
    let service = start();
    let session = Session::new(&service).await;
    session.ok("New-TransportRule", rule("stays")).await;
    let before = service.snapshot();
    session.ok("New-InboundConnector", partner("In")).await;
    session.ok("New-TransportRule", with(rule("R"), json!({ "Priority": 0 }))).await;
    session.ok("Set-TransportRule", json!({ "Identity": "stays", "SetSCL": 5 })).await;
    assert_ne!(service.snapshot(), before);
    session.ok("Set-TransportRule", json!({ "Identity": "stays", "SetSCL": null })).await;
    session.ok("Remove-TransportRule", json!({ "Identity": "R" })).await;
    session.ok("Remove-InboundConnector", json!({ "Identity": "In" })).await;
    assert_eq!(service.snapshot(), before);
}

#[tokio::test]
async fn a_snapshot_puts_everything_back() {
    let service = start();
    let session = Session::new(&service).await;
    session.ok("New-TransportRule", rule("a")).await;
    session.ok("New-TransportRule", rule("b")).await;
    let snapshot = service.snapshot();
    let guid = session.named("TransportRule", "b").await["Guid"].clone();
    session.ok("Remove-TransportRule", json!({ "Identity": "b" })).await;
    service.restore(&snapshot).unwrap();
    assert_eq!(service.snapshot(), snapshot);
    assert_eq!(session.names("TransportRule").await, ["a", "b"]);
    assert_eq!(session.named("TransportRule", "b").await["Guid"], guid);
    assert!(service.restore(&json!({ "Nonsense": [] })).is_err());
    assert!(service.restore(&json!({ "TransportRule": [{ "Guid": "x", "Colour": 1 }] })).unwrap_err().contains("Colour"));
    assert_eq!(service.snapshot(), snapshot, "a bad snapshot changes nothing");
}

#[tokio::test]
async fn an_object_changes_behind_the_clients_back() {
    let service = start_with(|options| options.visibility_delay_ms = 60_000);
    let session = Session::new(&service).await;
    session.ok("New-TransportRule", rule("a")).await;
    session.ok("New-TransportRule", rule("b")).await;
    let stamp = session.named("TransportRule", "b").await["WhenChanged"].clone();
    service
        .put("TransportRule", "b", &json!({ "State": "Disabled", "Priority": 0, "PrependSubject": null, "Quarantine": true }))
        .unwrap();
    let read = session.named("TransportRule", "b").await;
    assert_eq!((&read["State"], &read["Priority"], &read["PrependSubject"]), (&json!("Disabled"), &json!(0), &json!(null)));
    assert_ne!(read["WhenChanged"], stamp);
    assert_eq!(service.object("transportrule", "B").unwrap()["State"], "Disabled");
    assert!(service.put("TransportRule", "b", &json!({ "Colour": 1 })).is_err());
    assert_eq!(service.remove("TransportRule", "b"), Ok(true));
    assert_eq!(service.remove("TransportRule", "b"), Ok(false));
    assert_eq!(session.names("TransportRule").await, ["a"]);
}

#[tokio::test]
async fn two_services_with_one_seed_hand_out_the_same_guids() {
    let mut guids = BTreeSet::new();
    for seed in [1, 1, 2] {
        let service = start_with(|options| options.seed = seed);
        let session = Session::new(&service).await;
        guids.insert(session.ok("New-TransportRule", rule("R")).await[0]["Guid"].as_str().unwrap().to_owned());
    }
    assert_eq!(guids.len(), 2);
}

#[tokio::test]
async fn the_description_is_aligned_and_hides_the_value_of_a_header() {
    let service = start();
    let session = Session::new(&service).await;
    session.ok("New-InboundConnector", partner("Inbound from Cisco CES")).await;
    session.ok("New-OutboundConnector", json!({ "Name": "Outbound to Cisco CES", "IsTransportRuleScoped": true })).await;
    let asked = json!({ "Name": "Outbound to Cisco CES", "FromScope": "InOrganization", "SentToScope": "NotInOrganization",
        "RouteMessageOutboundConnector": "Outbound to Cisco CES", "SetHeaderName": "X-OUTBOUND-AUTH", "SetHeaderValue": "mysecretkey" });
    session.ok("New-TransportRule", asked).await;
    let text = service.describe();
    assert!(!text.contains("mysecretkey"), "{text}");
    assert!(text.contains("SetHeaderName X-OUTBOUND-AUTH; SetHeaderValue ********"), "{text}");
    assert!(text.contains("  Inbound from Cisco CES  yes      Partner        smtp:*;1       203.0.113.10"), "{text}");
    // The service's own text does show it.
    assert!(
        session.named("TransportRule", "Outbound to Cisco CES").await["Description"].as_str().unwrap().contains("mysecretkey")
    );
    let debugged = format!("{service:?}{:?}", service.options());
    assert!(!debugged.contains(&service.client_secret()) && !debugged.contains("mysecretkey"), "{debugged}");
}

#[tokio::test]
async fn a_dropped_service_takes_no_more_calls() {
    let service = start();
    let session = Session::new(&service).await;
    drop(service);
    assert!(session.request("Get-AcceptedDomain", &json!({})).send().await.is_err());
}

#[tokio::test]
async fn a_message_trace_is_bounded_in_time_and_size_and_has_no_next_page() {
    let service = start();
    let session = Session::new(&service).await;
    let message = |received: &str, recipient: &str, status: &str| {
        json!({ "MessageTraceId": "a4acd0a2-0000-4000-8000-000000000001", "MessageId": "<1@contoso.com>", "Received": received,
            "SenderAddress": "alice@contoso.com", "RecipientAddress": recipient, "FromIP": "203.0.113.10", "Subject": "Hello there",
            "Status": status, "Size": 176_814 })
    };
    service
        .set_messages(&[
            message("2026-07-24T10:00:00Z", "b@example.net", "Delivered"),
            message("2026-07-24T12:00:00Z", "c@example.net", "Failed"),
            message("2026-07-24T12:00:00Z", "a@example.net", "Delivered"),
            message("2026-07-10T12:00:00Z", "old@example.net", "Delivered"),
        ])
        .unwrap();
    let check = async |parameters: Value, recipients: &[&str], cut: bool| {
        let answer = session.call("Get-MessageTraceV2", parameters.clone()).await;
        let records = answer.body["value"].as_array().cloned().unwrap_or_default();
        let seen: Vec<&str> = records.iter().filter_map(|record| record["RecipientAddress"].as_str()).collect();
        assert_eq!(seen, recipients, "{parameters}");
        assert_eq!((!answer.warnings().is_empty(), answer.body.get("@odata.nextLink")), (cut, None), "{parameters}");
    };
    check(json!({}), &["a@example.net", "c@example.net", "b@example.net"], false).await;
    check(json!({ "ResultSize": 1 }), &["a@example.net"], true).await;
    let next = json!({ "StartDate": "2026-07-23T00:00:00", "EndDate": "2026-07-24T12:00:00", "StartingRecipientAddress": "a@example.net" });
    check(next, &["a@example.net", "c@example.net", "b@example.net"], false).await;
    let next = json!({ "StartDate": "2026-07-23T00:00:00", "EndDate": "2026-07-24T12:00:00", "StartingRecipientAddress": "c@example.net" });
    check(next, &["c@example.net", "b@example.net"], false).await;
    check(json!({ "Status": ["failed"] }), &["c@example.net"], false).await;
    check(json!({ "SenderAddress": "ALICE@contoso.com", "RecipientAddress": ["B@example.net"] }), &["b@example.net"], false)
        .await;
    check(json!({ "Subject": "there", "SubjectFilterType": "StartsWith" }), &[], false).await;
    let record = session.ok("Get-MessageTraceV2", json!({ "ResultSize": 1 })).await.remove(0);
    assert_eq!(
        (&record["Received"], &record["Size@data.type"]),
        (&json!("2026-07-24T12:00:00.0000000Z"), &json!("System.Int32"))
    );
    for bad in [
        json!({ "StartDate": "2026-07-01T00:00:00", "EndDate": "2026-07-24T00:00:00" }),
        json!({ "StartDate": "2026-01-01T00:00:00", "EndDate": "2026-01-02T00:00:00" }),
        json!({ "StartDate": "2026-07-23T00:00:00" }),
        json!({ "ResultSize": 5001 }),
        json!({ "Page": 2 }),
    ] {
        session.refused("Get-MessageTraceV2", bad).await;
    }
}
