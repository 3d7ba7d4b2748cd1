use std::sync::Arc;

use serde_json::Value as Json;
use time::macros::datetime;
use tokio::time::Instant;

use super::*;
use crate::exchange::testing::{Said, Seen, Service, call};

const NOW: OffsetDateTime = datetime!(2026-08-21 12:00:00 UTC);

fn days(from: i64, to: i64) -> Window {
    Window { start: NOW - Duration::days(from), end: NOW - Duration::days(to) }
}

fn check_windows(window: Window, wanted: &[Window]) {
    assert_eq!(windows(window, NOW), Ok(wanted.to_vec()), "{window:?}");
}

#[test]
fn e28_a_window_is_split_into_windows_of_ten_days_that_touch() {
    check_windows(days(3, 0), &[days(3, 0)]);
    check_windows(days(10, 0), &[days(10, 0)]);
    check_windows(days(11, 0), &[days(10, 0), days(11, 10)]);
    check_windows(days(90, 65), &[days(75, 65), days(85, 75), days(90, 85)]);
    assert_eq!(windows(days(90, 0), NOW).map(|windows| windows.len()), Ok(9));
}

#[test]
fn e28_what_the_service_has_forgotten_is_an_error_on_the_argument() {
    let error = windows(days(91, 89), NOW).unwrap_err();
    assert_eq!((error.kind, error.path.clone()), (Kind::Invalid, Some(Path::root().attribute("start"))));
    assert!(error.to_string().contains("91 days ago"), "{error}");
}

#[test]
fn a_window_has_its_ends_in_order_and_is_no_longer_than_the_services_memory() {
    let check = |start: &str, end: &str, word: Option<&str>| {
        let found = window_rule(&Record::new().with("start", start).with("end", end));
        assert_eq!(found.len(), usize::from(word.is_some()), "{start} {end}: {found:?}");
        assert!(found.iter().all(|one| one.detail.contains(word.unwrap_or_default())), "{found:?}");
    };
    check("2026-08-01T00:00:00Z", "2026-08-02T00:00:00Z", None);
    check("2026-08-01T00:00:00Z", "2026-08-01T00:00:00Z", Some("after"));
    check("2026-08-01T00:00:00+02:00", "2026-07-31T21:00:00Z", Some("after"));
    check("2026-01-01T00:00:00Z", "2026-08-01T00:00:00Z", Some("90 days"));
    check("nonsense", "2026-08-01T00:00:00Z", None);
}

#[test]
fn a_window_is_sent_in_utc_and_widened_to_whole_seconds() {
    let config = Record::new().with("start", "2026-08-21T14:30:00.5+02:00").with("end", "2026-08-21T14:30:01.5+02:00");
    let window = window_of(&config).unwrap();
    assert_eq!((sent(window.start), sent(window.end)), ("2026-08-21T12:30:00".to_owned(), "2026-08-21T12:30:02".to_owned()));
    assert_eq!(sent(datetime!(2026-08-21 12:30:00.048 UTC)), "2026-08-21T12:30:00.0480000");
}

/// A message of the stand-in: its time, its number, its recipient.
type Message = (OffsetDateTime, usize, String);

/// How an answer says that it is cut off.
#[derive(Clone, Copy)]
enum More {
    Not,
    Warning,
    Link,
}

/// Answers like the service: by window, the newest first, from a recipient on, cut off at `page` records.
fn service(mut messages: Vec<Message>, page: usize, more: More) -> impl Fn(&Seen) -> Said + Send + Sync {
    messages.sort_by(|one, other| other.0.cmp(&one.0).then_with(|| one.2.cmp(&other.2)));
    move |seen| {
        let parameters = seen.parameters();
        let moment = |name: &str| OffsetDateTime::parse(&format!("{}Z", parameters[name].as_str().unwrap()), &Rfc3339).unwrap();
        let (start, end) = (moment("StartDate"), moment("EndDate"));
        assert!(end - start <= LONGEST);
        let from = parameters["StartingRecipientAddress"].as_str().unwrap_or_default().to_owned();
        let fits = |(at, _, to): &&Message| *at >= start && (*at < end || (*at == end && *to >= from));
        let found: Vec<&Message> = messages.iter().filter(fits).collect();
        let records: Vec<Json> = found
            .iter()
            .take(page)
            .map(|(at, number, to)| {
                json!({"MessageTraceId": format!("T{number}"), "MessageId": format!("<{number}@contoso.com>"),
                    "Received": format!("{}Z", at.format(SENT_EXACTLY).unwrap()), "RecipientAddress": to, "Status": "Delivered", "Size": 7})
            })
            .collect();
        let mut answer = json!({"value": records});
        match more {
            More::Warning if found.len() > page => {
                answer["@adminapi.warnings"] = json!(["There are more results, use the following command to get more."]);
            }
            More::Link if found.len() > page => answer["@odata.nextLink"] = json!("/adminapi/beta/x/InvokeCommand?$skiptoken=1"),
            _ => {}
        }
        Said::of(200, answer.to_string())
    }
}

async fn gather(script: impl Fn(&Seen) -> Said + Send + Sync + 'static, days: i64, most: i64) -> (Service, Call, Record) {
    let service = Service::start(script).await;
    let exchange = Exchange::new(&service.settings()).unwrap();
    let now = OffsetDateTime::now_utc();
    let text = |at: OffsetDateTime| at.format(&Rfc3339).unwrap();
    let config = Record::new().with("start", text(now - Duration::days(days))).with("end", text(now)).with("most", most);
    let call = call(60);
    let found = read(&exchange, &config, &call).await.unwrap();
    (service, call, found)
}

fn ids(found: &Record) -> Vec<String> {
    let messages = found.get("messages").as_elements().unwrap().iter().cloned().map(Record::from_value);
    messages.map(|one| one.text("message_trace_id").unwrap().to_owned()).collect()
}

/// Messages, so many each hour, three of them at the same moment.
fn mail(count: usize) -> Vec<Message> {
    let now = OffsetDateTime::now_utc().replace_millisecond(48).unwrap();
    (0..count)
        .map(|number| {
            let hours = i64::try_from(number / 3).unwrap() + 1;
            (now - Duration::minutes(hours), number, format!("r{number:05}@contoso.com"))
        })
        .collect()
}

#[tokio::test]
async fn e28_an_answer_that_is_cut_off_is_continued_and_nothing_comes_twice() {
    let (service, call, found) = gather(service(mail(10_500), PAGE, More::Not), 20, 100_000).await;
    let ids = ids(&found);
    assert_eq!(ids.len(), 10_500);
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 10_500);
    assert_eq!(found.truth("truncated"), Some(false));
    assert!(call.take_reports().is_empty());
    let calls = service.calls();
    assert_eq!(calls[0].parameters()["ResultSize"], 5000);
    assert!(calls[0].parameters().get("StartingRecipientAddress").is_none());
    assert_eq!(calls[0].header("prefer"), "odata.maxpagesize=5000");
    let next = calls[1].parameters();
    assert!(next["StartingRecipientAddress"].as_str().unwrap().starts_with('r'), "{next}");
    assert!(next["EndDate"].as_str().unwrap().ends_with(".0480000"), "{next}");
}

#[tokio::test]
async fn e28_a_word_about_more_results_is_followed_whatever_the_size_of_the_page() {
    for more in [More::Warning, More::Link] {
        let (service, call, found) = gather(service(mail(25), 10, more), 1, 1000).await;
        assert_eq!((ids(&found).len(), found.truth("truncated")), (25, Some(false)));
        assert!(service.calls().len() >= 3 && call.take_reports().is_empty());
    }
}

#[tokio::test]
async fn e28_more_messages_than_were_asked_for_are_flagged_and_not_fetched() {
    let (service, call, found) = gather(service(mail(25), 10, More::Warning), 30, 9).await;
    assert_eq!((ids(&found).len(), found.truth("truncated")), (9, Some(true)));
    assert_eq!(service.calls().len(), 1);
    assert!(call.take_reports().is_empty());
    let (_, _, all) = gather(self::service(mail(9), 10, More::Warning), 30, 9).await;
    assert_eq!((ids(&all).len(), all.truth("truncated")), (9, Some(false)));
}

#[tokio::test]
async fn e28_a_service_that_repeats_itself_is_left_and_the_answer_is_flagged() {
    // All at one moment, to one recipient, and more than a page.
    let now = OffsetDateTime::now_utc() - Duration::hours(1);
    let same = (0..15).map(|number| (now.replace_nanosecond(0).unwrap(), number, "a@contoso.com".to_owned())).collect();
    let (service, call, found) = gather(service(same, 10, More::Warning), 1, 1000).await;
    assert_eq!((ids(&found).len(), found.truth("truncated")), (10, Some(true)));
    assert_eq!((service.calls().len(), call.take_reports().len()), (2, 1));
}

#[tokio::test]
async fn arguments_become_the_parameters_of_the_cmdlet() {
    let config = Record::new()
        .with("sender", "a@contoso.com")
        .with("status", "Failed")
        .with("subject", "Hello")
        .with("subject_filter_type", "StartsWith")
        .with("message_id", "1@contoso.com")
        .with("from_ip", "203.0.113.1");
    assert_eq!(
        Json::Object(filters(&config)),
        json!({"SenderAddress": ["a@contoso.com"], "Status": ["Failed"], "Subject": "Hello", "SubjectFilterType": "StartsWith",
            "MessageId": ["<1@contoso.com>"], "FromIP": "203.0.113.1"})
    );
    assert_eq!(Json::Object(filters(&Record::new().with("subject_filter_type", "Contains"))), json!({}));
}

#[tokio::test]
async fn a_record_is_shown_with_its_time_in_utc() {
    let script = |_: &Seen| {
        Said::objects(&[json!({"MessageTraceId": "T", "MessageId": "<1@contoso.com>", "Received": "2026-07-23T22:01:22.0480000",
            "SenderAddress": "a@contoso.com", "RecipientAddress": "b@contoso.com", "FromIP": "2a01:111::5", "ToIP": "", "Subject": "Hi",
            "Status": "Resolved", "Size": 176_814})])
    };
    let (_service, _call, found) = gather(script, 1, 10).await;
    let message = Record::from_value(found.get("messages").as_elements().unwrap()[0].clone());
    assert_eq!(message.text("received"), Some("2026-07-23T22:01:22.048Z"));
    assert_eq!((message.text("from_ip"), message.get("to_ip")), (Some("2a01:111::5"), &Value::Null));
    assert_eq!((message.text("status"), message.integer("size")), (Some("Resolved"), Some(176_814)));
}

#[tokio::test]
async fn e28_the_limit_is_shared_by_all_traces_of_a_client() {
    let service = Service::start(|_: &Seen| Said::objects(&[])).await;
    let exchange = Arc::new(Exchange::new(&service.settings()).unwrap());
    for _ in 0..100 {
        exchange.traces.pass(&call(1)).await.unwrap();
    }
    let now = OffsetDateTime::now_utc().format(&Rfc3339).unwrap();
    let before = (OffsetDateTime::now_utc() - Duration::HOUR).format(&Rfc3339).unwrap();
    let begin = Instant::now();
    let error = read(&exchange, &Record::new().with("start", before).with("end", now), &call(10)).await.unwrap_err();
    assert_eq!((error.kind, service.calls().len()), (Kind::Throttled, 0));
    assert!(begin.elapsed().as_secs() < 5);
}
