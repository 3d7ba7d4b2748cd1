//! What is read, changed and removed a short time after our own write.

use super::*;
use crate::exchange::cmdlet::standing::Standing;

/// A connector that was made by another run, and what that run kept beside the state.
async fn made(exchange: &Exchange) -> (Record, Call) {
    let call = call(10);
    let record = create_with(exchange, inbound(), &connector("a"), &call).await.unwrap();
    (record, later(&call))
}

/// The call of a later run.
fn later(earlier: &Call) -> Call {
    call(10).with_private(earlier.all_private())
}

fn anew(service: &Service, exchange: &Exchange) -> Exchange {
    Exchange::with_pace(&service.settings(), exchange.pace).unwrap()
}

#[tokio::test]
async fn rx1_an_object_that_is_not_shown_yet_is_waited_for() {
    let (tenant, service, exchange) = tenant().await;
    let (record, call) = made(&exchange).await;
    tenant.0.lock().unwrap().hidden = 3;
    assert_eq!(anew(&service, &exchange).read(inbound(), &record, &call).await.unwrap(), Some(record));
    assert!(call.take_reports().is_empty());
}

#[tokio::test]
async fn rx1_an_object_that_stays_away_is_kept_with_a_warning_while_our_write_is_young() {
    let (tenant, service, exchange) = tenant().await;
    let (record, call) = made(&exchange).await;
    tenant.remove("a");
    assert_eq!(anew(&service, &exchange).read(inbound(), &record, &call).await.unwrap(), Some(record.clone()));
    let reports = call.take_reports();
    assert!(reports.len() == 1 && !reports[0].is_error() && reports[0].detail.contains("do not show it yet"), "{reports:?}");
    // An object of an older state, or one that was imported.
    let nothing_kept = super::call(10);
    assert_eq!(anew(&service, &exchange).read(inbound(), &record, &nothing_kept).await.unwrap(), None);
}

#[tokio::test]
async fn rx1_old_values_are_waited_for_and_other_values_are_drift_at_once() {
    let (tenant, service, exchange) = tenant().await;
    let (record, call) = made(&exchange).await;
    let wanted = record.clone().with("comment", "new");
    let change = Change { resource: inbound(), prior: Some(&record), planned: &wanted, effective: &wanted, config: &wanted };
    let changed = exchange.update(change, &call).await.unwrap();
    let comment = |read: Option<Record>| read.and_then(|read| read.text("comment").map(str::to_owned));

    tenant.change("a", "Comment", Json::Null);
    let (call, begin) = (later(&call), Instant::now());
    let read = anew(&service, &exchange).read(inbound(), &changed, &call).await.unwrap();
    assert_eq!(comment(read).as_deref(), Some("new"), "what stood there before is no news");
    assert!(call.take_reports()[0].detail.contains("as it was before"));
    assert!(begin.elapsed() >= Duration::from_millis(100), "it is waited for");

    tenant.change("a", "Comment", json!("by hand"));
    let (call, before) = (later(&call), service.calls().len());
    let read = anew(&service, &exchange).read(inbound(), &changed, &call).await.unwrap();
    assert_eq!(comment(read).as_deref(), Some("by hand"));
    assert_eq!((service.calls().len() - before, call.take_reports().len()), (1, 0));
}

#[tokio::test]
async fn rx1_a_remove_that_finds_nothing_proves_nothing_while_our_write_is_young() {
    let (tenant, service, exchange) = tenant().await;
    let (record, call) = made(&exchange).await;
    tenant.remove("a");
    let error = anew(&service, &exchange).delete(inbound(), &record, &call).await.unwrap_err();
    assert!(error.kind == Kind::Unavailable && error.message.contains("It was not deleted"), "{error}");
    let error = anew(&service, &exchange)
        .update(
            Change { resource: inbound(), prior: Some(&record), planned: &record, effective: &record, config: &record },
            &later(&call),
        )
        .await
        .unwrap_err();
    assert!(error.error.message.contains("It was not changed") && error.object.is_none(), "{}", error.error);
    assert!(anew(&service, &exchange).delete(inbound(), &record, &super::call(10)).await.is_ok(), "nothing is kept");
}

#[tokio::test]
async fn rx1_a_remove_returns_when_three_looks_show_nothing() {
    let (tenant, service, exchange) = tenant().await;
    let (record, call) = made(&exchange).await;
    let before = service.calls().len();
    anew(&service, &exchange).delete(inbound(), &record, &call).await.unwrap();
    let looks = service.calls().len() - before - 1;
    assert_eq!(looks, 3);

    let record = create(&exchange, inbound(), &connector("a")).await.unwrap();
    // It is shown again by the second look: then three more have to agree.
    let shown = tenant.object("a");
    tenant.0.lock().unwrap().faults.extend([
        ("Get-InboundConnector", Fault::Slow(Duration::ZERO)),
        ("Get-InboundConnector", Fault::Instead(Said::objects(&[shown]))),
    ]);
    let before = service.calls().len();
    anew(&service, &exchange).delete(inbound(), &record, &super::call(10)).await.unwrap();
    assert_eq!(service.calls().len() - before - 1, 5);
}

#[tokio::test]
async fn rx1_what_only_the_look_by_identity_shows_is_not_gone() {
    let (tenant, service, exchange) = tenant().await;
    let record = create(&exchange, inbound(), &connector("a")).await.unwrap();
    tenant.0.lock().unwrap().hidden = 2;
    let (exchange, call) = (anew(&service, &exchange), call(10));
    let cmdlets = resources::named("exchange_inbound_connector").unwrap();
    let standing = exchange.standing(cmdlets, record.text("id").unwrap(), &record, &call).await.unwrap();
    assert!(matches!(standing, Standing::Shown(..)));
    assert_eq!(service.calls().last().map(Seen::parameters), Some(json!({"Identity": record.text("id").unwrap()})));
}
