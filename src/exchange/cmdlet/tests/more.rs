//! Objects that are taken over, validations, orders and the look at plan, against the small tenant.

use super::*;
use crate::value::Diagnostics;

fn remote_domain(name: &str, given: &[(&str, Value)]) -> Record {
    let mut all = vec![("name", name.into()), ("domain_name", "*".into())];
    all.extend_from_slice(given);
    planned(resource("exchange_remote_domain"), &all)
}

/// The remote domain that every tenant has, as the documentation describes it.
async fn with_default() -> (Tenant, Service, Arc<Exchange>) {
    let (tenant, service, exchange) = super::tenant().await;
    let default = json!({"Name": "Default", "DomainName": "*", "Guid": guid(900), "AllowedOOFType": "External", "AutoForwardEnabled": true,
        "AutoReplyEnabled": true, "DeliveryReportEnabled": true, "NDREnabled": true, "MeetingForwardNotificationEnabled": true,
        "IsInternal": false, "DisplaySenderName": true, "ContentType": "MimeHtmlText", "LineWrapSize": "Unlimited", "TNEFEnabled": null,
        "CharacterSet": "iso-8859-1"});
    tenant.0.lock().unwrap().objects.push(("RemoteDomain".to_owned(), default.as_object().unwrap().clone()));
    (tenant, service, exchange)
}

fn shown(tenant: &Tenant, noun: &str) -> Map<String, Json> {
    let state = tenant.0.lock().unwrap();
    state.objects.iter().find(|(own, _)| own == noun).unwrap().1.clone()
}

#[tokio::test]
async fn what_is_always_there_is_taken_over_and_put_back() {
    let (tenant, service, exchange) = with_default().await;
    let before = shown(&tenant, "RemoteDomain");
    let wanted = remote_domain("Default", &[("auto_forward_enabled", false.into()), ("tnef_enabled", false.into())]);
    let call = call(10);
    let made = create_with(&exchange, resource("exchange_remote_domain"), &wanted, &call).await.unwrap();
    assert_eq!((made.text("id"), made.truth("tnef_enabled")), (Some(guid(900).as_str()), Some(false)));
    assert_eq!(service.cmdlets(), ["Get-RemoteDomain", "Set-RemoteDomain", "Get-RemoteDomain"]);
    let sent = service.calls()[1].parameters();
    assert_eq!(sent, json!({"Identity": guid(900), "AutoForwardEnabled": false, "TNEFEnabled": false, "CharacterSet": null}));

    exchange.delete(resource("exchange_remote_domain"), &made, &call).await.unwrap();
    assert_eq!(shown(&tenant, "RemoteDomain"), before);
    assert!(!service.cmdlets().iter().any(|name| name.starts_with("Remove-")));
}

#[tokio::test]
async fn what_was_imported_is_left_as_it_is() {
    let (tenant, service, exchange) = with_default().await;
    let before = shown(&tenant, "RemoteDomain");
    let found = exchange.find(resource("exchange_remote_domain"), "default", &call(10)).await.unwrap();
    let call = call(10);
    exchange.delete(resource("exchange_remote_domain"), &found, &call).await.unwrap();
    assert_eq!(shown(&tenant, "RemoteDomain"), before);
    assert!(call.take_reports()[0].summary.contains("is left as it is"));
    assert_eq!(service.cmdlets(), ["Get-RemoteDomain"]);
}

#[tokio::test]
async fn a_take_over_of_which_nothing_came_leaves_nothing_in_state() {
    let (tenant, _service, exchange) = with_default().await;
    tenant
        .0
        .lock()
        .unwrap()
        .faults
        .push_back(("Set-RemoteDomain", Fault::Instead(Said::fault(400, "|System.ArgumentException|The value is bad."))));
    let wanted = remote_domain("Default", &[("auto_forward_enabled", false.into())]);
    let failure = create(&exchange, resource("exchange_remote_domain"), &wanted).await.unwrap_err();
    assert!(failure.object.is_none() && failure.error.message.contains("The value is bad."), "{failure:?}");
    assert!(create(&exchange, resource("exchange_remote_domain"), &wanted).await.is_ok());
}

#[tokio::test]
async fn c17_an_object_is_taken_over_once() {
    let (_tenant, _service, exchange) = with_default().await;
    create(&exchange, resource("exchange_remote_domain"), &remote_domain("Default", &[])).await.unwrap();
    let failure = create(&exchange, resource("exchange_remote_domain"), &remote_domain("Default", &[])).await.unwrap_err();
    assert!(failure.error.message.contains("Another resource"), "{}", failure.error);
}

async fn review(
    exchange: &Exchange,
    resource: &'static Resource,
    planned: &Record,
) -> (Result<(), crate::remote::Error>, Diagnostics) {
    let call = call(10);
    let change = Change { resource, prior: None, planned, effective: planned, config: planned };
    (exchange.check(change, &call).await, call.take_reports())
}

#[tokio::test]
async fn c11_c17_two_resources_with_one_name_are_an_error_at_plan() {
    let (_tenant, _service, exchange) = tenant().await;
    assert_eq!(review(&exchange, inbound(), &connector("a")).await, (Ok(()), Vec::new()));
    let (_, reports) = review(&exchange, inbound(), &connector("A")).await;
    assert!(reports.len() == 1 && reports[0].is_error() && reports[0].path == Some(Path::dotted("name")), "{reports:#?}");
    assert_eq!(review(&exchange, outbound(), &planned(outbound(), &[("name", "a".into())])).await, (Ok(()), Vec::new()));
}

#[tokio::test]
async fn e10_a_foreign_name_is_an_error_at_plan_and_one_of_this_run_a_warning() {
    let (_tenant, service, exchange) = tenant().await;
    let made = create(&exchange, inbound(), &connector("a")).await.unwrap();
    let again = Arc::new(Exchange::with_pace(&service.settings(), exchange.pace).unwrap());
    let (outcome, reports) = review(&again, inbound(), &connector("A")).await;
    assert!(outcome.is_ok() && reports.len() == 1 && reports[0].is_error(), "{reports:#?}");
    assert!(reports[0].detail.contains("import {") && reports[0].detail.contains("moved"), "{reports:#?}");

    let again = Arc::new(Exchange::with_pace(&service.settings(), exchange.pace).unwrap());
    again.read(inbound(), &made, &call(10)).await.unwrap();
    let (outcome, reports) = review(&again, inbound(), &connector("A")).await;
    assert!(outcome.is_ok() && reports.len() == 1 && !reports[0].is_error(), "{reports:#?}");
}

#[tokio::test]
async fn e10_a_rename_to_a_taken_name_is_an_error_with_the_import_block() {
    let (tenant, _service, exchange) = tenant().await;
    create(&exchange, inbound(), &connector("a")).await.unwrap();
    let made = create(&exchange, inbound(), &connector("b")).await.unwrap();
    let refused = Said::fault(400, "|System.InvalidOperationException|The name is in use.");
    tenant.0.lock().unwrap().faults.push_back(("Set-InboundConnector", Fault::Instead(refused)));
    let failure = update(&exchange, inbound(), &made, &connector("A")).await.unwrap_err();
    assert_eq!((failure.error.kind, failure.error.path.clone()), (Kind::Conflict, Some(Path::dotted("name"))));
    assert!(failure.error.to_string().contains(&guid(1)), "{}", failure.error);
}

#[tokio::test]
async fn p03_nothing_is_asked_about_an_object_without_a_name() {
    let (_tenant, service, exchange) = tenant().await;
    let nameless = planned(inbound(), &[("name", Value::UNKNOWN)]);
    assert_eq!(review(&exchange, inbound(), &nameless).await, (Ok(()), Vec::new()));
    assert!(service.cmdlets().is_empty());
}

fn validated(host: &str, given: &[(&str, Value)]) -> Record {
    let mut all = vec![
        ("name", "to gateway".into()),
        ("connector_type", "Partner".into()),
        ("use_mx_record", false.into()),
        ("smart_hosts", Value::texts([host])),
        ("validation_recipients", Value::texts(["postmaster@example.net"])),
        ("validate", true.into()),
    ];
    all.extend_from_slice(given);
    planned(outbound(), &all)
}

#[tokio::test]
async fn a_validation_that_fails_is_a_warning_and_is_tried_again() {
    let (tenant, service, exchange) = tenant().await;
    let fault =
        || ("Validate-OutboundConnector", Fault::Instead(Said::fault(400, "|M.ValidationException|450 Connection refused.")));
    tenant.0.lock().unwrap().faults.push_back(fault());
    let call = call(10);
    let wanted = validated("203.0.113.20", &[]);
    let made = create_with(&exchange, outbound(), &wanted, &call).await.unwrap();
    let reports = call.take_reports();
    assert!(reports.len() == 1 && reports[0].detail.contains("450 Connection refused."), "{reports:#?}");
    assert_ne!(made.truth("is_validated"), Some(true));

    let made = update(&exchange, outbound(), &made, &wanted).await.unwrap();
    assert_eq!(made.truth("is_validated"), Some(true));
    assert!(made.text("last_validation_timestamp").is_some());
    let count = || service.cmdlets().iter().filter(|name| *name == "Validate-OutboundConnector").count();
    assert_eq!(count(), 2);

    // What does not matter does not send mail; what matters does, and a failure is noted down.
    let made = update(&exchange, outbound(), &made, &validated("203.0.113.20", &[("comment", "x".into())])).await.unwrap();
    assert_eq!((made.truth("is_validated"), count()), (Some(true), 2));
    tenant.0.lock().unwrap().faults.push_back(fault());
    let made = update(&exchange, outbound(), &made, &validated("203.0.113.21", &[("comment", "x".into())])).await.unwrap();
    assert_eq!((made.truth("is_validated"), count()), (Some(false), 3));
}

#[tokio::test]
async fn a_validation_whose_answer_is_lost_is_not_sent_twice() {
    let (tenant, service, exchange) = tenant().await;
    tenant.0.lock().unwrap().faults.push_back(("Validate-OutboundConnector", Fault::Done(Said::of(504, ""))));
    let made = create(&exchange, outbound(), &validated("203.0.113.20", &[])).await.unwrap();
    assert_ne!(made.truth("is_validated"), Some(true));
    assert_eq!(service.cmdlets().iter().filter(|name| *name == "Validate-OutboundConnector").count(), 1);
}

#[test]
fn a_validation_that_is_due_makes_a_plan() {
    let plan = |validate: bool, valid: bool| {
        let config =
            validated("203.0.113.20", &[("validate", validate.into()), ("id", Value::Null), ("is_validated", Value::Null)]);
        let mut prior = config.clone().with("id", "x").with("is_validated", valid);
        for name in ["connector_source", "last_validation_timestamp"] {
            prior.set(name, "x");
        }
        let planned = crate::schema::engine::plan(outbound(), Some(&prior), &config, &Record::new()).planned.unwrap();
        planned.get("is_validated").clone()
    };
    assert_eq!(plan(true, false), Value::UNKNOWN);
    assert_eq!(plan(true, true), Value::from(true));
    assert_eq!(plan(false, false), Value::from(false));
}

#[tokio::test]
async fn e18_an_order_is_made_by_the_fewest_moves() {
    let (_tenant, service, exchange) = tenant().await;
    for name in ["a", "b", "c", "d"] {
        create(&exchange, rules(), &rule(name)).await.unwrap();
    }
    let order = resource("exchange_transport_rule_order");
    let wanted =
        |names: &[&str]| planned(order, &[("rules", Value::List(names.iter().map(|name| Value::text(*name)).collect()))]);
    let made = create(&exchange, order, &wanted(&["D", "a", "c"])).await.unwrap();
    assert_eq!((made.text("id"), made.texts("rules")), (Some("transport_rule_order"), vec!["D", "a", "c"]));
    let moved = || service.cmdlets().iter().filter(|name| *name == "Set-TransportRule").count();
    assert_eq!(moved(), 1);
    create(&exchange, rules(), &rule("e").with("priority", 0)).await.unwrap();
    let read = exchange.read(order, &made, &call(10)).await.unwrap().unwrap();
    assert_eq!(read.texts("rules"), ["D", "a", "c"]);
    exchange.delete(order, &made, &call(10)).await.unwrap();
    assert_eq!(moved(), 1);
}
