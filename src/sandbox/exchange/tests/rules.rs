//! Transport rules: fields, order, checks.

use serde_json::{Value, json};

use super::*;

const RULE: &str = "Priority@data.type Priority DlpPolicy Comments CreatedBy LastModifiedBy ManuallyModified ActivationDate \
    ExpiryDate Description Conditions Exceptions Actions State Mode RuleErrorAction SenderAddressLocation FromScope SentToScope \
    BlindCopyTo CopyTo RedirectMessageTo AddToRecipients RouteMessageOutboundConnector DeleteMessage Quarantine \
    StopRuleProcessing PrependSubject SetAuditSeverity ApplyRightsProtectionTemplate Identity Guid Name IsValid WhenChanged \
    ExceptIfFromScope ExceptIfHeaderMatchesPatterns";

#[tokio::test]
async fn a_rule_reads_like_a_live_one() {
    let service = start();
    let session = Session::new(&service).await;
    let asked = json!({ "Name": "g2o-test", "FromScope": "NotInOrganization", "PrependSubject": "EXTERNAL: ",
        "SetAuditSeverity": "Medium", "SenderAddressLocation": "HeaderOrEnvelope" });
    session.ok("New-TransportRule", asked).await;
    let read = session.named("TransportRule", "g2o-test").await;
    for field in RULE.split_whitespace() {
        assert!(read.get(field).is_some(), "no {field} in {read}");
    }
    assert_eq!((&read["Priority"], &read["Priority@data.type"]), (&json!(0), &json!("System.Int32")));
    assert_eq!(read["Conditions"], json!(["Microsoft.Exchange.MessagingPolicies.Rules.Tasks.FromScopePredicate"]));
    assert_eq!(
        read["Actions"],
        json!([
            "Microsoft.Exchange.MessagingPolicies.Rules.Tasks.PrependSubjectAction",
            "Microsoft.Exchange.MessagingPolicies.Rules.Tasks.SetAuditSeverityAction"
        ])
    );
    assert_eq!((&read["Exceptions"], &read["BlindCopyTo"], &read["Comments"]), (&Value::Null, &Value::Null, &Value::Null));
    assert_eq!((&read["DeleteMessage"], &read["State"], &read["Mode"]), (&json!(false), &json!("Enabled"), &json!("Enforce")));
    assert_eq!(read["PrependSubject"], "EXTERNAL: ", "the trailing space stays");
    assert!(read.get("Enabled").is_none(), "Enabled exists on New only");
}

#[tokio::test]
async fn values_of_rules_come_back_in_the_services_form() {
    let service = start();
    let session = Session::new(&service).await;
    session.ok("New-TransportRule", rule("R")).await;
    let check = async |parameter: &str, sent: Value, shown: Value| {
        session.ok("Set-TransportRule", json!({ "Identity": "R", parameter: sent })).await;
        assert_eq!(session.named("TransportRule", "R").await[parameter], shown, "{parameter}");
    };
    check("MessageSizeOver", json!("10 MB"), json!("10 MB (10,485,760 bytes)")).await;
    check("MessageSizeOver", json!("10485761"), json!("10 MB (10,485,761 bytes)")).await;
    check("AttachmentSizeOver", json!("1536KB"), json!("1.5 MB (1,572,864 bytes)")).await;
    check("ExpiryDate", json!("2026-08-21T14:30:00"), json!("2026-08-21T14:30:00.0000000Z")).await;
    check("ExpiryDate", Value::Null, Value::Null).await;
    check("SetSCL", json!(-1), json!("-1")).await;
    check("SenderIpRanges", json!(["203.0.113.9", "203.0.113.1-203.0.113.4"]), json!(["203.0.113.1-203.0.113.4", "203.0.113.9"]))
        .await;
    check("SentTo", json!(["a@contoso.com"]), json!(["a@contoso.com"])).await;
    check("SentTo", Value::Null, Value::Null).await;
    check("ExceptIfFromScope", json!("inorganization"), json!("InOrganization")).await;
    check("RejectMessageReasonText", json!("no"), json!("no")).await;
    assert_eq!(session.named("TransportRule", "R").await["RejectMessageEnhancedStatusCode"], "5.7.1");
    check("ApplyHtmlDisclaimerText", json!("<p>x</p>"), json!("<p>x</p>")).await;
    assert_eq!(session.named("TransportRule", "R").await["ApplyHtmlDisclaimerFallbackAction"], "Wrap");
    check("Comments", json!("why"), json!("why")).await;
    check("Comments", json!(""), json!("")).await;
    service.set_options(|options| options.single_values_as_text = true);
    check("SentTo", json!(["a@contoso.com"]), json!("a@contoso.com")).await;
}

#[tokio::test]
async fn what_a_rule_refuses_is_said_in_the_services_terms() {
    let service = start();
    let session = Session::new(&service).await;
    session.ok("New-TransportRule", rule("Standing")).await;
    let check = async |more: Value, kind: &str, words: &str| {
        let said = session.refused("New-TransportRule", with(rule("R"), more.clone())).await;
        assert_eq!(said.kind, kind, "{more}: {}", said.message);
        assert!(said.message.contains(words), "{more}: {}", said.message);
    };
    let (argument, transformation) = ("ArgumentException", "ParameterTransformationException");
    check(json!({ "PrependSubject": null }), argument, "at least one action").await;
    check(json!({ "Comments": null }), argument, "'Comments' cannot be null").await;
    check(json!({ "HeaderContainsWords": ["a"] }), argument, "together").await;
    check(json!({ "SetHeaderName": "X-A" }), argument, "SetHeaderValue").await;
    check(json!({ "ExceptIfBetweenMemberOf1": ["a@b"] }), argument, "ExceptIfBetweenMemberOf2").await;
    check(json!({ "SentTo": [] }), argument, "cannot be empty").await;
    check(json!({ "SentTo": { "@odata.type": "#Exchange.GenericHashTable", "Add": ["a@b"] } }), transformation, "Hashtable")
        .await;
    check(json!({ "GenerateIncidentReport": ["a@b", "c@d"] }), transformation, "'GenerateIncidentReport'").await;
    check(json!({ "GenerateIncidentReport": "" }), transformation, "'GenerateIncidentReport'").await;
    check(json!({ "RuleSubType": "Dlp" }), argument, "NoDLPinETRs").await;
    check(json!({ "HasSenderOverride": true }), argument, "NoDLPinETRs").await;
    check(json!({ "RejectMessageReasonText": "no", "RedirectMessageTo": ["a@b"] }), argument, "RedirectMessageTo").await;
    check(json!({ "RejectMessageEnhancedStatusCode": "5.7.2" }), argument, "5.7.900").await;
    check(json!({ "RemoveRMSAttachmentEncryption": true }), argument, "RemoveOMEv2").await;
    check(json!({ "SubjectContainsWords": [" a"] }), argument, "space").await;
    check(json!({ "SetSCL": 10 }), transformation, "SclValue").await;
    let many: Vec<String> = (0..70).map(|number| format!("{number:0>128}")).collect();
    check(json!({ "SubjectContainsWords": many }), argument, "maximum limit of 8192 characters").await;
    check(
        json!({ "Priority": 2 }),
        "InvalidPriorityException",
        "Use a value between '0' (highest priority), and '1' (lowest priority)",
    )
    .await;
    check(json!({ "State": "Enabled" }), "AmbiguousParameterSetException", "").await;
    let said = session.refused("Set-TransportRule", json!({ "Identity": "Standing", "Enabled": false })).await;
    assert_eq!(said.kind, "AmbiguousParameterSetException", "Enabled exists on New only");
    let said = session.refused("Set-TransportRule", json!({ "Identity": "Standing", "PrependSubject": null })).await;
    assert!(said.message.contains("at least one action"));
    let said = session.refused("Set-TransportRule", json!({ "Identity": "Standing", "Priority": 1 })).await;
    assert!(said.message.contains("and '0' (lowest"), "Set reaches n-1 only: {}", said.message);
}

#[tokio::test]
async fn clearing_the_last_pattern_of_senders_needs_another_condition() {
    let service = start();
    let session = Session::new(&service).await;
    session.ok("New-TransportRule", json!({ "Name": "R", "FromAddressMatchesPatterns": ["x"], "Quarantine": true })).await;
    let clear = json!({ "Identity": "R", "FromAddressMatchesPatterns": null });
    assert!(session.refused("Set-TransportRule", clear.clone()).await.message.contains("cannot be null"));
    session.ok("Set-TransportRule", with(clear, json!({ "FromScope": "InOrganization" }))).await;
}

#[tokio::test]
async fn priorities_are_dense_and_a_rule_that_moves_shifts_the_others() {
    let service = start();
    let session = Session::new(&service).await;
    for name in ["a", "b", "c"] {
        session.ok("New-TransportRule", rule(name)).await;
    }
    let check = async |order: &[&str]| {
        let records = session.ok("Get-TransportRule", json!({})).await;
        let seen: Vec<(u64, &str)> =
            records.iter().map(|rule| (rule["Priority"].as_u64().unwrap(), rule["Name"].as_str().unwrap())).collect();
        assert_eq!(seen, (0..).zip(order.iter().copied()).collect::<Vec<_>>());
    };
    check(&["a", "b", "c"]).await;
    session.ok("New-TransportRule", with(rule("top"), json!({ "Priority": 0 }))).await;
    check(&["top", "a", "b", "c"]).await;
    session.ok("Set-TransportRule", json!({ "Identity": "c", "Priority": 1 })).await;
    check(&["top", "c", "a", "b"]).await;
    session.ok("Remove-TransportRule", json!({ "Identity": "top" })).await;
    check(&["c", "a", "b"]).await;
}

#[tokio::test]
async fn a_rule_is_switched_by_enable_and_disable_and_found_by_state() {
    let service = start();
    let session = Session::new(&service).await;
    session.ok("New-TransportRule", with(rule("off"), json!({ "Enabled": false }))).await;
    session.ok("New-TransportRule", rule("on")).await;
    let states = async || {
        let records = session.ok("Get-TransportRule", json!({ "State": "Disabled" })).await;
        records.iter().map(|rule| rule["Name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(states().await, ["off"]);
    session.ok("Enable-TransportRule", json!({ "Identity": "off", "Mode": "Audit" })).await;
    session.ok("Disable-TransportRule", json!({ "Identity": "on", "Confirm": false })).await;
    assert_eq!(states().await, ["on"]);
    assert_eq!(session.named("TransportRule", "off").await["Mode"], "Audit");
}

#[tokio::test]
async fn the_three_hundred_and_first_rule_is_refused() {
    let service = start();
    for number in 0..300 {
        service.put("TransportRule", &format!("rule {number}"), &json!({ "Quarantine": true })).unwrap();
    }
    let said = Session::new(&service).await.refused("New-TransportRule", rule("one more")).await;
    assert!(said.message.contains("300"), "{}", said.message);
}

#[tokio::test]
async fn other_nouns_answer_by_their_tables_too() {
    let service = start();
    let session = Session::new(&service).await;
    let domain = session.named("AcceptedDomain", "contoso.com").await;
    assert_eq!(
        (&domain["DomainName"], &domain["Default"], &domain["DomainType"]),
        (&json!("contoso.com"), &json!(true), &json!("Authoritative"))
    );
    let said = session.refused("Set-AcceptedDomain", json!({ "Identity": "contoso.com", "MatchSubDomains": true })).await;
    assert!(said.message.contains("InternalRelay"));
    session.ok("Set-TransportConfig", json!({ "MessageExpiration": "0.12:00:00" })).await;
    assert_eq!(session.ok("Get-TransportConfig", json!({})).await[0]["MessageExpiration"], "12:00:00");
    session.ok("Set-ArcConfig", json!({ "Identity": "Default", "ArcTrustedSealers": ["a.example", "b.example"] })).await;
    assert_eq!(session.ok("Get-ArcConfig", json!({})).await[0]["ArcTrustedSealers"], "a.example,b.example");
    session.ok("Set-ArcConfig", json!({ "Identity": "Default", "ArcTrustedSealers": " " })).await;
    assert_eq!(session.ok("Get-ArcConfig", json!({})).await[0]["ArcTrustedSealers"], Value::Null);
    session
        .ok("Set-HostedConnectionFilterPolicy", json!({ "Identity": "Default", "IPAllowList": ["203.0.113.1-203.0.113.9"] }))
        .await;
    session.ok("New-RemoteDomain", json!({ "Name": "Partner", "DomainName": "*.partner.example" })).await;
    session.ok("Set-RemoteDomain", json!({ "Identity": "Partner", "AutoForwardEnabled": false, "TNEFEnabled": true })).await;
    session.ok("Set-RemoteDomain", json!({ "Identity": "Partner", "TNEFEnabled": null })).await;
    let partner = session.named("RemoteDomain", "Partner").await;
    assert_eq!(
        (&partner["AutoForwardEnabled"], &partner["DomainName"], &partner["CharacterSet"]),
        (&json!(false), &json!("*.partner.example"), &json!(null))
    );
    let default = session.named("RemoteDomain", "Default").await;
    assert_eq!((&default["DomainName"], &default["CharacterSet"]), (&json!("*"), &json!("iso-8859-1")));
    assert!(session.refused("Remove-RemoteDomain", json!({ "Identity": "Default" })).await.message.contains("default"));
}
