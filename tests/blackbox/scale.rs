//! A tenant as it grew by other means: 300 rules and 20 connectors are imported, with an empty plan, and each kind is listed at most once
//! in each plan.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::support::{Workspace, World};
use mailflow::sandbox::exchange::Service;
use serde_json::{Map, Value as Json, json};

const RULE: &str = "mailflow_exchange_transport_rule";
const INBOUND: &str = "mailflow_exchange_inbound_connector";
const OUTBOUND: &str = "mailflow_exchange_outbound_connector";

const RULES: usize = 300;
const CONNECTORS: usize = 10;

/// A part of a rule: the attributes as a user writes them, and the members as the service shows them.
type Part = (Json, Json);

/// An attribute that the service shows as it is written.
fn same(attribute: &str, member: &str, value: &Json) -> Part {
    (json!({ attribute: value }), json!({ member: value }))
}

/// Conditions and exceptions: the members without `ExceptIf`.
fn predicates(index: usize) -> Vec<Part> {
    let people = json!([format!("user{index}@contoso.com"), "Boss@contoso.com"]);
    let shown_people = json!(["boss@Contoso.com", format!("User{index}@contoso.com")]);
    let groups = |attribute: &str, member: &str| (json!({ attribute: people }), json!({ member: shown_people }));
    let words = json!([format!("word {index}"), "another"]);
    let patterns = json!([format!("^a{index}$")]);
    let mut all = vec![
        groups("from", "From"),
        groups("from_member_of", "FromMemberOf"),
        same("from_scope", "FromScope", &json!("NotInOrganization")),
        (
            json!({ "sender_domain_is": ["B\u{fc}cher.example", "A.example"] }),
            json!({ "SenderDomainIs": ["a.example", "xn--bcher-kva.example"] }),
        ),
        (
            json!({ "sender_ip_ranges": ["203.0.113.10/32", "198.51.100.0/24", "192.0.2.1-192.0.2.9"] }),
            json!({ "SenderIpRanges": ["192.0.2.1-192.0.2.9", "198.51.100.0/24", "203.0.113.10"] }),
        ),
        (
            json!({ "sender_ad_attribute_contains_words": ["City:Oslo,San Francisco"] }),
            json!({ "SenderADAttributeContainsWords": ["City:Oslo,San Francisco"] }),
        ),
        same("sender_management_relationship", "SenderManagementRelationship", &json!("DirectReport")),
        groups("sent_to", "SentTo"),
        groups("sent_to_member_of", "SentToMemberOf"),
        same("sent_to_scope", "SentToScope", &json!("InOrganization")),
        same("recipient_domain_is", "RecipientDomainIs", &json!(["contoso.com"])),
        groups("any_of_to_header", "AnyOfToHeader"),
        groups("any_of_to_header_member_of", "AnyOfToHeaderMemberOf"),
        groups("any_of_cc_header", "AnyOfCcHeader"),
        groups("any_of_cc_header_member_of", "AnyOfCcHeaderMemberOf"),
        groups("any_of_to_cc_header", "AnyOfToCcHeader"),
        groups("any_of_to_cc_header_member_of", "AnyOfToCcHeaderMemberOf"),
        (
            json!({ "between_member_of_1": people, "between_member_of_2": ["all@contoso.com"] }),
            json!({ "BetweenMemberOf1": shown_people, "BetweenMemberOf2": ["All@contoso.com"] }),
        ),
        (
            json!({ "manager_for_evaluated_user": "Sender", "manager_addresses": people }),
            json!({ "ManagerForEvaluatedUser": "Sender", "ManagerAddresses": shown_people }),
        ),
        // Left out by the user, and filled in by the service.
        (
            json!({ "ad_comparison_attribute": "Department" }),
            json!({ "ADComparisonAttribute": "Department", "ADComparisonOperator": "Equal" }),
        ),
        (
            json!({ "ad_comparison_attribute": "City", "ad_comparison_operator": "Equal" }),
            json!({ "ADComparisonAttribute": "City", "ADComparisonOperator": "Equal" }),
        ),
        (
            json!({ "header_contains_message_header": "x-origin", "header_contains_words": words }),
            json!({ "HeaderContainsMessageHeader": "X-Origin", "HeaderContainsWords": words }),
        ),
        (
            json!({ "header_matches_message_header": "X-Origin", "header_matches_patterns": patterns }),
            json!({ "HeaderMatchesMessageHeader": "X-Origin", "HeaderMatchesPatterns": patterns }),
        ),
        (json!({ "attachment_size_over": "10485760" }), json!({ "AttachmentSizeOver": "10 MB (10,485,760 bytes)" })),
        (json!({ "message_size_over": "25MB" }), json!({ "MessageSizeOver": "25 MB (26,214,400 bytes)" })),
        (json!({ "scl_over": 5 }), json!({ "SCLOver": "5" })),
        (
            json!({ "attachment_property_contains_words": ["Department:Sales,Law"] }),
            json!({ "AttachmentPropertyContainsWords": ["Department:Sales,Law"] }),
        ),
        same("has_classification", "HasClassification", &json!("ExCompanyInternal")),
        same("message_type_matches", "MessageTypeMatches", &json!("AutoForward")),
        same("with_importance", "WithImportance", &json!("High")),
    ];
    for (attribute, member) in [
        ("attachment_has_executable_content", "AttachmentHasExecutableContent"),
        ("attachment_is_password_protected", "AttachmentIsPasswordProtected"),
        ("attachment_is_unsupported", "AttachmentIsUnsupported"),
        ("attachment_processing_limit_exceeded", "AttachmentProcessingLimitExceeded"),
        ("has_no_classification", "HasNoClassification"),
    ] {
        all.push(same(attribute, member, &json!(true)));
    }
    for (attribute, member) in [
        ("from_address_contains_words", "FromAddressContainsWords"),
        ("recipient_address_contains_words", "RecipientAddressContainsWords"),
        ("any_of_recipient_address_contains_words", "AnyOfRecipientAddressContainsWords"),
        ("subject_contains_words", "SubjectContainsWords"),
        ("subject_or_body_contains_words", "SubjectOrBodyContainsWords"),
        ("attachment_contains_words", "AttachmentContainsWords"),
        ("attachment_extension_matches_words", "AttachmentExtensionMatchesWords"),
        ("content_character_set_contains_words", "ContentCharacterSetContainsWords"),
    ] {
        all.push((json!({ attribute: words }), json!({ member: words })));
    }
    for (attribute, member) in [
        ("from_address_matches_patterns", "FromAddressMatchesPatterns"),
        ("recipient_address_matches_patterns", "RecipientAddressMatchesPatterns"),
        ("any_of_recipient_address_matches_patterns", "AnyOfRecipientAddressMatchesPatterns"),
        ("subject_matches_patterns", "SubjectMatchesPatterns"),
        ("subject_or_body_matches_patterns", "SubjectOrBodyMatchesPatterns"),
        ("attachment_matches_patterns", "AttachmentMatchesPatterns"),
        ("attachment_name_matches_patterns", "AttachmentNameMatchesPatterns"),
    ] {
        all.push((json!({ attribute: patterns }), json!({ member: patterns })));
    }
    all
}

fn actions(index: usize) -> Vec<Part> {
    let people = json!([format!("user{index}@contoso.com"), "Boss@contoso.com"]);
    let shown_people = json!(["boss@Contoso.com", format!("User{index}@contoso.com")]);
    let mut all = vec![
        (json!({ "set_scl": -1 }), json!({ "SetSCL": "-1" })),
        (json!({ "set_scl": 9 }), json!({ "SetSCL": "9" })),
        (
            json!({ "set_header_name": "x-outbound-auth", "set_header_value": format!("secret{index:05}") }),
            json!({ "SetHeaderName": "X-Outbound-Auth", "SetHeaderValue": format!("secret{index:05}") }),
        ),
        same("remove_header", "RemoveHeader", &json!("X-Trace")),
        same("prepend_subject", "PrependSubject", &json!("[EXTERNAL] ")),
        (
            json!({ "apply_html_disclaimer_text": format!("<p>%%DisplayName%% {index}</p>") }),
            json!({ "ApplyHtmlDisclaimerText": format!("<p>%%DisplayName%% {index}</p>"), "ApplyHtmlDisclaimerLocation": "Append",
                "ApplyHtmlDisclaimerFallbackAction": "Wrap" }),
        ),
        (
            json!({ "apply_html_disclaimer_text": "<p>x</p>", "apply_html_disclaimer_location": "Prepend",
                "apply_html_disclaimer_fallback_action": "Ignore" }),
            json!({ "ApplyHtmlDisclaimerText": "<p>x</p>", "ApplyHtmlDisclaimerLocation": "Prepend",
                "ApplyHtmlDisclaimerFallbackAction": "Ignore" }),
        ),
        (
            json!({ "reject_message_reason_text": format!("No. {index}") }),
            json!({ "RejectMessageReasonText": format!("No. {index}"), "RejectMessageEnhancedStatusCode": "5.7.1" }),
        ),
        (
            json!({ "reject_message_enhanced_status_code": "5.7.900" }),
            json!({ "RejectMessageReasonText": "Delivery not authorized, message refused", "RejectMessageEnhancedStatusCode": "5.7.900" }),
        ),
        (
            json!({ "route_message_outbound_connector": "out 0", "route_message_outbound_require_tls": true }),
            json!({ "RouteMessageOutboundConnector": "Out 0", "RouteMessageOutboundRequireTls": true }),
        ),
        (
            json!({ "generate_incident_report": "soc@contoso.com", "incident_report_content": ["Subject", "Sender", "AttachOriginalMail"] }),
            json!({ "GenerateIncidentReport": "SOC@contoso.com", "IncidentReportContent": ["Sender", "AttachOriginalMail", "Subject"] }),
        ),
        // The service's defaults, written out.
        (
            json!({ "apply_html_disclaimer_text": "<p>y</p>", "apply_html_disclaimer_location": "Append",
                "apply_html_disclaimer_fallback_action": "Wrap" }),
            json!({ "ApplyHtmlDisclaimerText": "<p>y</p>", "ApplyHtmlDisclaimerLocation": "Append",
                "ApplyHtmlDisclaimerFallbackAction": "Wrap" }),
        ),
        (
            json!({ "reject_message_reason_text": "No.", "reject_message_enhanced_status_code": "5.7.1" }),
            json!({ "RejectMessageReasonText": "No.", "RejectMessageEnhancedStatusCode": "5.7.1" }),
        ),
        same("add_manager_as_recipient_type", "AddManagerAsRecipientType", &json!("Bcc")),
        same("apply_classification", "ApplyClassification", &json!("ExCompanyInternal")),
        same("apply_rights_protection_template", "ApplyRightsProtectionTemplate", &json!("Encrypt")),
        same("generate_notification", "GenerateNotification", &json!("To %%To%%")),
        same("set_audit_severity", "SetAuditSeverity", &json!("High")),
        (
            json!({ "remove_ome_v2": true, "remove_rms_attachment_encryption": true }),
            json!({ "RemoveOMEv2": true, "RemoveRMSAttachmentEncryption": true }),
        ),
    ];
    for (attribute, member) in [
        ("delete_message", "DeleteMessage"),
        ("quarantine", "Quarantine"),
        ("moderate_message_by_manager", "ModerateMessageByManager"),
    ] {
        all.push(same(attribute, member, &json!(true)));
    }
    for (attribute, member) in [
        ("redirect_message_to", "RedirectMessageTo"),
        ("blind_copy_to", "BlindCopyTo"),
        ("copy_to", "CopyTo"),
        ("add_to_recipients", "AddToRecipients"),
        ("moderate_message_by_user", "ModerateMessageByUser"),
    ] {
        all.push((json!({ attribute: people }), json!({ member: shown_people })));
    }
    all
}

/// What stands beside conditions, exceptions and actions.
fn states(index: usize) -> Part {
    match index % 7 {
        0 => (json!({ "enabled": false }), json!({ "State": "Disabled" })),
        1 => (json!({ "mode": "Audit", "comments": "by hand" }), json!({ "Mode": "Audit", "Comments": "by hand" })),
        2 => (json!({ "mode": "AuditAndNotify" }), json!({ "Mode": "AuditAndNotify" })),
        3 => (
            json!({ "activation_date": "2030-01-01T09:00:00+01:00", "expiry_date": "2031-01-01T08:00:00Z" }),
            json!({ "ActivationDate": "2030-01-01T08:00:00.0000000Z", "ExpiryDate": "2031-01-01T08:00:00.0000000Z" }),
        ),
        4 => (
            json!({ "stop_rule_processing": true, "rule_error_action": "Defer" }),
            json!({ "StopRuleProcessing": true, "RuleErrorAction": "Defer" }),
        ),
        5 => (
            json!({ "sender_address_location": "HeaderOrEnvelope", "recipient_address_type": "Original" }),
            json!({ "SenderAddressLocation": "HeaderOrEnvelope", "RecipientAddressType": "Original" }),
        ),
        _ => (json!({}), json!({})),
    }
}

fn add(to: &mut Json, from: &Json) {
    if let (Some(to), Some(from)) = (to.as_object_mut(), from.as_object()) {
        to.extend(from.clone());
    }
}

/// One rule, as it is configured and as it stands.
fn rule(index: usize) -> Part {
    let (conditions, exceptions, actions) = (predicates(index), predicates(index + 1000), actions(index));
    let (condition, shown) = conditions[index % conditions.len()].clone();
    let name = format!("Rule {index:03}");
    let mut configured = json!({ "name": name, "conditions": condition });
    let mut standing = shown;
    // Each exception with other conditions than its own twin.
    if index.is_multiple_of(2) {
        let (exception, shown) = exceptions[(index / 2 + 5) % exceptions.len()].clone();
        configured["exceptions"] = exception;
        let shown = shown.as_object().expect("members").iter().map(|(name, value)| (format!("ExceptIf{name}"), value.clone()));
        add(&mut standing, &Json::Object(shown.collect::<Map<_, _>>()));
    }
    let (action, shown) = actions[index % actions.len()].clone();
    configured["actions"] = action;
    add(&mut standing, &shown);
    let (state, shown) = states(index);
    add(&mut configured, &state);
    add(&mut standing, &shown);
    (configured, standing)
}

fn inbound(index: usize) -> Part {
    let name = format!("In {index}");
    let (more, shown) = match index % 4 {
        0 => (
            json!({ "connector_type": "Partner", "sender_ip_addresses": ["203.0.113.10/32", "198.51.100.0/28"], "restrict_domains_to_ip_addresses": true }),
            json!({ "ConnectorType": "Partner", "SenderIPAddresses": ["198.51.100.0/28", "203.0.113.10"], "RestrictDomainsToIPAddresses": true }),
        ),
        1 => (
            json!({ "connector_type": "Partner", "tls_sender_certificate_name": "*.Contoso.com", "restrict_domains_to_certificate": true,
                "ef_skip_ips": ["203.0.113.1-203.0.113.9"], "ef_users": ["One@contoso.com"] }),
            json!({ "ConnectorType": "Partner", "TlsSenderCertificateName": "*.contoso.com", "RestrictDomainsToCertificate": true,
                "EFSkipIPs": ["203.0.113.1-203.0.113.9"], "EFUsers": ["one@contoso.com"] }),
        ),
        2 => (
            json!({ "connector_type": "OnPremises", "enabled": false, "comment": "by hand", "require_tls": false, "treat_messages_as_internal": true }),
            json!({ "ConnectorType": "OnPremises", "Enabled": false, "Comment": "by hand", "RequireTls": false, "TreatMessagesAsInternal": true }),
        ),
        _ => (
            json!({ "connector_type": "OnPremises", "cloud_services_mail_enabled": true, "ef_skip_last_ip": true, "associated_accepted_domains": ["contoso.com"] }),
            json!({ "ConnectorType": "OnPremises", "CloudServicesMailEnabled": true, "EFSkipLastIP": true, "AssociatedAcceptedDomains": ["Contoso.com"] }),
        ),
    };
    let domains = if index.is_multiple_of(2) {
        (json!(["*"]), json!(["smtp:*;1"]))
    } else {
        (json!(["Partner.example", "*.a.example"]), json!(["smtp:*.a.example;1", "smtp:partner.example;1"]))
    };
    let mut configured = json!({ "name": name, "sender_domains": domains.0 });
    let mut standing = json!({ "RequireTls": true, "Enabled": true, "SenderDomains": domains.1 });
    add(&mut configured, &more);
    add(&mut standing, &shown);
    (configured, standing)
}

fn outbound(index: usize) -> Part {
    let name = format!("Out {index}");
    let (more, shown) = match index % 4 {
        0 => (
            json!({ "connector_type": "Partner", "use_mx_record": false, "smart_hosts": ["GW.example.net", "203.0.113.20"], "is_transport_rule_scoped": true,
                "tls_settings": "DomainValidation", "tls_domain": "*.Example.net", "validation_recipients": ["one@example.net"] }),
            json!({ "ConnectorType": "Partner", "UseMXRecord": false, "SmartHosts": ["[203.0.113.20]", "gw.example.net"], "IsTransportRuleScoped": true,
                "TlsSettings": "DomainValidation", "TlsDomain": "*.example.net", "ValidationRecipients": ["One@example.net"],
                "IsValidated": true, "LastValidationTimestamp": "2026-07-24T18:59:12.0000000" }),
        ),
        1 => (
            json!({ "connector_type": "Partner", "recipient_domains": ["Partner.example"] }),
            json!({ "ConnectorType": "Partner", "RecipientDomains": ["partner.example"] }),
        ),
        2 => (
            json!({ "connector_type": "OnPremises", "route_all_messages_via_on_premises": true, "all_accepted_domains": true, "enabled": false }),
            json!({ "ConnectorType": "OnPremises", "RouteAllMessagesViaOnPremises": true, "AllAcceptedDomains": true, "Enabled": false }),
        ),
        // A plain Get does not show it.
        _ => (
            json!({ "connector_type": "Partner", "recipient_domains": ["*"], "test_mode": true, "comment": "a test" }),
            json!({ "ConnectorType": "Partner", "RecipientDomains": ["*"], "TestMode": true, "Comment": "a test" }),
        ),
    };
    let mut configured = json!({ "name": name });
    let mut standing = json!({ "UseMXRecord": true, "Enabled": true });
    add(&mut configured, &more);
    add(&mut standing, &shown);
    (configured, standing)
}

/// Ends the test unless each list was asked for at most once; gives how many calls there were.
#[track_caller]
fn lists_once(exchange: &Service, when: &str) -> usize {
    let mut asked: BTreeMap<String, usize> = BTreeMap::new();
    let calls = exchange.calls();
    for call in &calls {
        assert!(call.cmdlet.starts_with("Get-"), "{when}: {}", call.cmdlet);
        *asked.entry(format!("{} {}", call.cmdlet, call.parameters)).or_default() += 1;
    }
    assert!(asked.values().all(|count| *count == 1), "{when}: {asked:#?}");
    for cmdlet in ["Get-TransportRule", "Get-InboundConnector"] {
        assert_eq!(exchange.count(cmdlet), 1, "{when}: {cmdlet}");
    }
    // One for each way to show what a plain Get hides.
    assert!(exchange.count("Get-OutboundConnector") <= 4, "{when}");
    assert_eq!(exchange.count("EXOModuleFile"), 0, "{when}: nothing is to be changed");
    exchange.reset_counts();
    calls.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "the times are for whoever runs it with --nocapture")]
async fn three_hundred_rules_and_twenty_connectors_are_imported_with_an_empty_plan_and_one_list_for_each_kind() {
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    let workspace: Workspace<'_> = world.workspace_of_many("grown").await;
    let mut resources = Vec::new();
    let mut imports = BTreeMap::new();
    let mut seed = |kind: &'static str, noun: &str, label: String, (configured, standing): Part, by_name: bool| {
        let name = configured["name"].as_str().expect("a name").to_owned();
        let guid = exchange.put(noun, &name, &standing).unwrap_or_else(|words| panic!("{name}: {words}"));
        imports.insert(format!("{kind}.{label}"), if by_name { name } else { guid });
        resources.push((kind, label, configured));
    };
    for index in 0..CONNECTORS {
        seed(INBOUND, "InboundConnector", format!("i{index}"), inbound(index), index.is_multiple_of(2));
        seed(OUTBOUND, "OutboundConnector", format!("o{index}"), outbound(index), index.is_multiple_of(3));
    }
    for index in 0..RULES {
        seed(RULE, "TransportRule", format!("r{index:03}"), rule(index), index.is_multiple_of(2));
    }
    let before = exchange.snapshot();
    workspace.write_resources(resources.iter().map(|(kind, label, configured)| (*kind, label.as_str(), configured.clone())));
    workspace.write_imports(&imports);
    exchange.reset_counts();

    let begin = Instant::now();
    let planned = workspace.plan().await;
    let planning = begin.elapsed();
    let other: Vec<_> = planned.iter().filter(|(_, action)| *action != "import").collect();
    if !other.is_empty() {
        let shown = workspace.run(&["show", "-no-color", "plan.bin"]).await;
        panic!("{} of {} are more than imports: {other:?}\n{}", other.len(), planned.len(), changes(&shown.stdout));
    }
    assert_eq!(planned.len(), RULES + 2 * CONNECTORS);
    let calls = lists_once(exchange, "the plan of the imports");

    let begin = Instant::now();
    workspace.apply().await;
    let applying = begin.elapsed();
    assert_eq!(exchange.snapshot(), before, "an import changes nothing");
    exchange.reset_counts();
    let begin = Instant::now();
    workspace.must_plan_nothing("after the import").await;
    println!(
        "{} objects: {planning:.1?} to plan the imports with {calls} calls, {applying:.1?} to apply them, {:.1?} for the empty plan",
        planned.len(),
        begin.elapsed()
    );
    lists_once(exchange, "the empty plan");
}

/// The lines of a plan that say what changes.
fn changes(shown: &str) -> String {
    let lines = shown.lines().filter(|line| {
        let line = line.trim_start();
        line.starts_with("# ") && !line.ends_with("will be imported")
            || line.starts_with("~ ")
            || line.starts_with("+ ")
            || line.starts_with("- ")
    });
    lines.take(200).collect::<Vec<_>>().join("\n")
}
