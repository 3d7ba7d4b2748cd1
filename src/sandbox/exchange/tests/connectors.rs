//! Connectors: fields, normalisation, checks, clearing.

use serde_json::{Value, json};

use super::*;

/// The fields of a live record, as far as they were published.
const INBOUND: &str = "Enabled ConnectorType ConnectorSource Comment SenderIPAddresses SenderDomains TrustedOrganizations \
    ClientHostNames AssociatedAcceptedDomains RequireTls RestrictDomainsToIPAddresses RestrictDomainsToCertificate \
    CloudServicesMailEnabled TreatMessagesAsInternal TlsSenderCertificateName EFTestMode ScanAndDropRecipients EFSkipLastIP \
    EFSkipIPs EFSkipMailGateway EFUsers AdminDisplayName Name Identity Guid IsValid WhenCreatedUTC WhenChangedUTC";
const OUTBOUND: &str = "Enabled UseMXRecord Comment ConnectorType ConnectorSource RecipientDomains SmartHosts TlsDomain \
    TlsSettings IsTransportRuleScoped RouteAllMessagesViaOnPremises CloudServicesMailEnabled AllAcceptedDomains \
    SenderRewritingEnabled MtaStsMode SmtpDaneMode TestMode ValidationRecipients IsValidated LastValidationTimestamp \
    AdminDisplayName Name Identity WhenChangedUTC WhenCreatedUTC Guid IsValid";

fn holds(record: &Value, fields: &str) {
    for field in fields.split_whitespace() {
        assert!(record.get(field).is_some(), "no {field} in {record}");
    }
}

#[tokio::test]
async fn an_inbound_connector_reads_like_a_live_one() {
    let service = start();
    let session = Session::new(&service).await;
    let asked = json!({ "Name": "From gateway", "ConnectorType": "partner", "SenderDomains": ["*"],
        "SenderIPAddresses": ["203.0.113.11/32", "203.0.113.10", "203.0.113.0/24"] });
    let answer = session.call("New-InboundConnector", asked).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.body["@odata.context"],
        format!("https://outlook.office.com/adminapi/beta/{}/$metadata#Collection(Exchange.GenericHashTable)", service.tenant())
    );
    let created = answer.body["value"][0].clone();
    let read = session.named("InboundConnector", "From gateway").await;
    assert_eq!(created, read, "New returns the object that Get shows");
    holds(&read, INBOUND);
    assert_eq!(read["ConnectorType"], "Partner");
    assert_eq!(read["SenderDomains"], json!(["smtp:*;1"]));
    assert_eq!(read["SenderDomains@odata.type"], "#Collection(String)");
    assert_eq!(read["SenderIPAddresses"], json!(["203.0.113.0/24", "203.0.113.10", "203.0.113.11"]), "sorted, without /32");
    assert_eq!((&read["RequireTls"], &read["Enabled"], &read["EFSkipLastIP"]), (&json!(true), &json!(true), &json!(false)));
    assert_eq!((&read["EFSkipIPs"], &read["TlsSenderCertificateName"], &read["Comment"]), (&json!([]), &Value::Null, &json!("")));
    assert_eq!((&read["Guid@data.type"], &read["Guid@odata.type"]), (&json!("System.Guid"), &json!("#Guid")));
    assert_eq!(read["WhenChanged"], "2026-07-24T19:00:01.0000000+00:00");
    assert_eq!(read["WhenChangedUTC"], "2026-07-24T19:00:01.0000000Z");
    assert_eq!(read["WhenChanged@data.type"], "System.DateTime");

    // A connector for one's own servers made without RequireTls reads false.
    session
        .ok("New-InboundConnector", json!({ "Name": "Own", "ConnectorType": "OnPremises", "SenderDomains": "Contoso.com" }))
        .await;
    let own = session.named("InboundConnector", "Own").await;
    assert_eq!((&own["RequireTls"], &own["SenderDomains"]), (&json!(false), &json!(["smtp:contoso.com;1"])));
}

#[tokio::test]
async fn an_outbound_connector_reads_like_a_live_one() {
    let service = start();
    let session = Session::new(&service).await;
    let asked = json!({ "Name": "To gateway", "ConnectorType": "Partner", "UseMXRecord": false, "SmartHosts": ["203.0.113.20"],
        "IsTransportRuleScoped": true, "TlsSettings": "EncryptionOnly" });
    session.ok("New-OutboundConnector", asked).await;
    let set = json!({ "Identity": "to GATEWAY", "ValidationRecipients": ["postmaster@example.net"], "IsValidated": true,
        "LastValidationTimestamp": "2026-07-24T18:59:12" });
    session.ok("Set-OutboundConnector", set).await;
    let read = session.named("OutboundConnector", "To gateway").await;
    holds(&read, OUTBOUND);
    assert_eq!(read["LastValidationTimestamp"], "2026-07-24T18:59:12.0000000", "no zone at all");
    assert_eq!(read["ValidationRecipients"], json!(["postmaster@example.net"]));
    assert_eq!(
        (&read["MtaStsMode"], &read["TlsDomain"], &read["RecipientDomains"]),
        (&json!("Opportunistic"), &Value::Null, &json!([]))
    );
    assert!(read.get("SenderDomains").is_none(), "it shares no scope field with the inbound record");
    assert_eq!(
        session.ok("Validate-OutboundConnector", json!({ "Identity": "To gateway", "Recipients": ["a@b.example"] })).await,
        [] as [Value; 0]
    );
}

#[tokio::test]
async fn what_a_connector_refuses_is_said_in_the_services_terms() {
    let service = start();
    let session = Session::new(&service).await;
    session.ok("New-InboundConnector", partner("Taken")).await;
    session.ok("New-OutboundConnector", json!({ "Name": "Out" })).await;
    let check = async |cmdlet: &str, parameters: Value, kind: &str, words: &str| {
        let said = session.refused(cmdlet, parameters.clone()).await;
        assert_eq!(said.kind, kind, "{cmdlet} {parameters}: {}", said.message);
        assert!(said.message.contains(words), "{cmdlet} {parameters}: {}", said.message);
        assert_eq!(said.details, kind != "ParameterTransformationException", "{cmdlet}");
    };
    let inbound = |more: Value| with(partner("Another"), more);
    let outbound = |more: Value| with(json!({ "Name": "Another" }), more);
    let (argument, transformation) = ("ArgumentException", "ParameterTransformationException");
    let new_in = "New-InboundConnector";
    check(new_in, inbound(json!({ "Colour": "red" })), "AmbiguousParameterSetException", "Parameter set cannot be resolved")
        .await;
    check(new_in, inbound(json!({ "ValidationRecipients": ["a@b"] })), "AmbiguousParameterSetException", "").await;
    check(new_in, inbound(json!({ "ConnectorType": "Friend" })), transformation, "Partner, OnPremises").await;
    check(new_in, inbound(json!({ "RequireTls": "true" })), transformation, "'RequireTls'").await;
    check(new_in, inbound(json!({ "Name": ["a"] })), transformation, "System.String").await;
    check(new_in, inbound(json!({ "SenderIPAddresses": ["nonsense"] })), transformation, "nonsense").await;
    check(new_in, inbound(json!({ "SenderIPAddresses": { "Add": ["203.0.113.1"] } })), transformation, "JObject").await;
    check(new_in, json!({ "Name": "Another" }), "ParameterBindingException", "SenderDomains").await;
    check(new_in, inbound(json!({ "Name": "tAKEN" })), "ADObjectAlreadyExistsException", "already exists").await;
    check(new_in, inbound(json!({ "Name": "x".repeat(65) })), argument, "64").await;
    check(new_in, inbound(json!({ "SenderIPAddresses": ["2001:db8::1"] })), argument, "IPv6").await;
    check(new_in, inbound(json!({ "SenderIPAddresses": ["203.0.0.0/16"] })), argument, "/24 and /32").await;
    check(new_in, inbound(json!({ "SenderDomains": ["a.*.b"] })), transformation, "a.*.b").await;
    check(new_in, inbound(json!({ "SenderIPAddresses": [] })), argument, "SenderIPAddresses").await;
    check(new_in, inbound(json!({ "RestrictDomainsToCertificate": true })), argument, "TlsSenderCertificateName").await;
    check(new_in, inbound(json!({ "TreatMessagesAsInternal": true })), argument, "OnPremises").await;
    let new_out = "New-OutboundConnector";
    check(new_out, outbound(json!({ "UseMXRecord": false })), argument, "SmartHosts").await;
    check(new_out, outbound(json!({ "SmartHosts": ["host:25"] })), transformation, "host:25").await;
    check(new_out, outbound(json!({ "AllAcceptedDomains": true })), argument, "OnPremises").await;
    check(
        new_out,
        outbound(json!({ "SenderRewritingEnabled": false })),
        argument,
        "can only be specified for Connector type OnPremises",
    )
    .await;
    check(new_out, outbound(json!({ "IsValidated": true })), "AmbiguousParameterSetException", "").await;
    check("Set-OutboundConnector", json!({ "Identity": "Out", "Enabled": null }), transformation, "'Enabled'").await;
    check("Set-InboundConnector", json!({ "Comment": "x" }), "ParameterBindingException", "Identity").await;
    check("Set-InboundConnector", json!({ "Identity": "Nobody", "Comment": "x" }), "ManagementObjectNotFoundException", "Nobody")
        .await;
    check("Remove-InboundConnector", json!({ "Identity": "Nobody" }), "ManagementObjectNotFoundException", "couldn't be found")
        .await;
    assert_eq!(session.names("InboundConnector").await, ["Taken"]);
}

#[tokio::test]
async fn a_plain_empty_list_clears_nothing_while_null_a_table_and_a_delta_do() {
    let service = start();
    let session = Session::new(&service).await;
    let skip = |addresses: Value| json!({ "Identity": "In", "EFSkipIPs": addresses });
    let full = json!(["198.51.100.1", "198.51.100.2"]);
    session.ok("New-InboundConnector", with(partner("In"), json!({ "EFSkipIPs": full }))).await;
    let check = async |sent: Value, left: Value| {
        session.ok("Set-InboundConnector", skip(full.clone())).await;
        session.ok("Set-InboundConnector", skip(sent.clone())).await;
        assert_eq!(session.named("InboundConnector", "In").await["EFSkipIPs"], left, "after {sent}");
    };
    check(json!([]), full.clone()).await;
    check(Value::Null, json!([])).await;
    check(json!({ "@odata.type": "#Exchange.GenericHashTable" }), json!([])).await;
    check(
        json!({ "@odata.type": "#Exchange.GenericHashTable", "Add": ["198.51.100.0"], "Remove": ["198.51.100.2"] }),
        json!(["198.51.100.0", "198.51.100.1"]),
    )
    .await;
    check(json!({ "@odata.type": "#Exchange.StringFieldDeltaUpdateData", "Remove": full.clone() }), json!([])).await;

    // The other reading of the sources.
    let other = super::super::Clearing { null: false, empty_list: true, empty_table: false };
    service.set_options(|options| {
        options.clearing.insert("InboundConnector".into(), other);
    });
    check(json!([]), json!([])).await;
    check(Value::Null, full.clone()).await;
    check(json!({ "@odata.type": "#Exchange.GenericHashTable" }), full.clone()).await;
}

#[tokio::test]
async fn get_hides_connectors_in_test_mode_and_its_switches_are_exclusive() {
    let service = start();
    let session = Session::new(&service).await;
    for (name, test, scoped) in [("plain", false, false), ("scoped", false, true), ("test", true, false)] {
        let asked = json!({ "Name": name, "TestMode": test, "IsTransportRuleScoped": scoped });
        session.ok("New-OutboundConnector", asked).await;
    }
    let check = async |parameters: Value, shown: &[&str]| {
        let records = session.ok("Get-OutboundConnector", parameters.clone()).await;
        let names: Vec<&str> = records.iter().filter_map(|record| record["Name"].as_str()).collect();
        assert_eq!(names, shown, "{parameters}");
    };
    check(json!({}), &["plain", "scoped"]).await;
    check(json!({ "IncludeTestModeConnectors": true }), &["test"]).await;
    check(json!({ "IsTransportRuleScoped": true }), &["scoped"]).await;
    check(json!({ "IsTransportRuleScoped": false }), &["plain"]).await;
    service.set_options(|options| options.hide_scoped_connectors = true);
    check(json!({}), &["plain"]).await;
}

#[tokio::test]
async fn a_get_of_an_unknown_identity_returns_all_objects() {
    let service = start();
    let session = Session::new(&service).await;
    session.ok("New-InboundConnector", partner("A")).await;
    let guid = session.ok("New-InboundConnector", partner("B")).await[0]["Guid"].clone();
    let check = async |identity: Value, count: usize| {
        assert_eq!(session.ok("Get-InboundConnector", json!({ "Identity": identity })).await.len(), count, "{identity}");
    };
    check(json!("b"), 1).await;
    check(guid, 1).await;
    check(json!("nobody"), 2).await;
    check(Value::Null, 2).await;
    service.set_options(|options| options.unknown_identity_is_error = true);
    assert_eq!(
        session.refused("Get-InboundConnector", json!({ "Identity": "nobody" })).await.kind,
        "ManagementObjectNotFoundException"
    );
}

#[tokio::test]
async fn confirm_true_only_asks() {
    let service = start();
    let session = Session::new(&service).await;
    session.ok("New-InboundConnector", partner("A")).await;
    let asked = session.call("Remove-InboundConnector", json!({ "Identity": "A", "Confirm": true })).await;
    assert_eq!(asked.status, 200);
    assert!(asked.body["@adminapi.confirmationmessage"].as_str().unwrap().contains("\"A\""));
    assert_eq!(session.names("InboundConnector").await, ["A"]);
    session.ok("Remove-InboundConnector", json!({ "Identity": "A", "Confirm": false })).await;
    assert_eq!(session.names("InboundConnector").await, [] as [&str; 0]);
}

#[tokio::test]
async fn a_developer_tenant_and_a_dehydrated_one_refuse_new_objects() {
    let service = start_with(|options| options.developer_tenant = true);
    let session = Session::new(&service).await;
    assert!(session.refused("New-InboundConnector", partner("A")).await.message.contains("developer"));
    service.set_options(|options| options.developer_tenant = false);
    service.put("OrganizationConfig", &service.organization(), &json!({ "IsDehydrated": true })).unwrap();
    assert_eq!(session.ok("Get-OrganizationConfig", json!({})).await[0]["IsDehydrated"], true);
    assert!(session.refused("New-InboundConnector", partner("A")).await.message.contains("Enable-OrganizationCustomization"));
    session.ok("Enable-OrganizationCustomization", json!({})).await;
    session.ok("New-InboundConnector", partner("A")).await;
}

#[tokio::test]
async fn a_connector_that_a_rule_names_stays_and_its_new_name_reaches_the_rule() {
    let service = start();
    let session = Session::new(&service).await;
    let guid =
        session.ok("New-OutboundConnector", json!({ "Name": "Out", "IsTransportRuleScoped": true })).await[0]["Guid"].clone();
    session.ok("New-OutboundConnector", json!({ "Name": "Unscoped" })).await;
    let route = |connector: Value| json!({ "Name": "R", "RouteMessageOutboundConnector": connector });
    assert_eq!(session.refused("New-TransportRule", route(json!("Nobody"))).await.kind, "ManagementObjectNotFoundException");
    assert!(session.refused("New-TransportRule", route(json!("Unscoped"))).await.message.contains("scoped"));
    session.ok("New-TransportRule", route(guid.clone())).await;
    session.ok("Set-OutboundConnector", json!({ "Identity": guid, "Name": "Renamed" })).await;
    assert_eq!(session.named("TransportRule", "R").await["RouteMessageOutboundConnector"], "Renamed");
    assert!(session.refused("Remove-OutboundConnector", json!({ "Identity": guid })).await.message.contains("'R'"));
    service.set_options(|options| options.remove_used_connectors = true);
    session.ok("Remove-OutboundConnector", json!({ "Identity": guid })).await;
}
