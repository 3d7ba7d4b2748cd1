mod contact;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use super::*;
use crate::exchange::testing::{BACKOFF, SECRET, Said, Seen, Service, call};

async fn client(script: impl Fn(&Seen) -> Said + Send + Sync + 'static) -> (Service, Arc<Http>) {
    let service = Service::start(script).await;
    let http = Arc::new(Http::new(&service.settings(), BACKOFF).unwrap());
    (service, http)
}

fn get(masks: &Masks) -> Cmdlet<'_> {
    Cmdlet { name: "Get-InboundConnector".to_owned(), parameters: Map::new(), writes: false, masks }
}

fn new(masks: &Masks) -> Cmdlet<'_> {
    Cmdlet { name: "New-InboundConnector".to_owned(), parameters: Map::new(), writes: true, masks }
}

/// Gives the answers in turn, the last one for ever.
fn in_turn(answers: Vec<fn() -> Said>) -> impl Fn(&Seen) -> Said + Send + Sync {
    let count = AtomicUsize::new(0);
    move |_| answers[count.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1)]()
}

fn empty() -> Said {
    Said::objects(&[])
}

#[tokio::test]
async fn a_call_carries_the_headers_and_the_body_that_the_service_wants() {
    let (service, http) = client(|_| empty()).await;
    http.run(&get(&Masks::new()), &call(5)).await.unwrap();
    let calls = service.calls();
    let seen = &calls[0];
    assert_eq!(seen.path, "/adminapi/beta/contoso.onmicrosoft.com/InvokeCommand");
    assert_eq!(seen.body, r#"{"CmdletInput":{"CmdletName":"Get-InboundConnector","Parameters":{}}}"#);
    for (name, value) in [
        ("authorization", "Bearer token-1"),
        ("content-type", "application/json; charset=utf-8"),
        ("accept-language", "en-US"),
        ("x-anchormailbox", "APP:SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}@contoso.onmicrosoft.com"),
        ("x-cmdletname", "Get-InboundConnector"),
        ("x-responseformat", "json"),
        ("prefer", "odata.maxpagesize=1000"),
        ("x-clientapplication", "terraform-provider-mailflow"),
    ] {
        assert_eq!(seen.header(name), value, "{name}");
    }
    let token = &service.token_requests()[0];
    assert_eq!(token.path, "/contoso.onmicrosoft.com/oauth2/v2.0/token");
    for part in ["grant_type=client_credentials", "scope=https%3A%2F%2Foutlook.office365.com%2F.default", "client_secret=s3cret"]
    {
        assert!(token.body.contains(part), "{}", token.body);
    }
}

#[tokio::test]
async fn e13_one_refresh_serves_all_callers_whose_token_was_refused() {
    let (service, http) =
        client(|seen| if seen.header("authorization") == "Bearer token-1" { Said::of(401, "") } else { empty() }).await;
    let callers: Vec<_> = (0..5)
        .map(|_| {
            let http = Arc::clone(&http);
            tokio::spawn(async move { http.run(&get(&Masks::new()), &call(5)).await.map(|_| ()) })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap().unwrap();
    }
    assert_eq!(service.token_requests().len(), 2);
}

#[tokio::test]
async fn e13_a_second_refusal_is_an_error_that_names_the_permission() {
    let (service, http) = client(|_| Said::of(401, "")).await;
    let failed = http.run(&new(&Masks::new()), &call(5)).await.unwrap_err();
    assert_eq!((failed.error.kind, failed.lost), (Kind::Denied, false));
    assert!(failed.error.to_string().contains("Exchange.ManageAsApp"), "{}", failed.error);
    assert_eq!(service.calls().len(), 2);
}

#[tokio::test]
async fn e14_a_wrong_secret_is_tried_once_for_all_callers_and_never_shown() {
    let service = Service::start_raw(|_| {
        let text = format!("AADSTS7000215: Invalid client secret provided: {SECRET}. Trace ID: 1");
        Said::of(
            401,
            serde_json::json!({"error": "invalid_client", "error_description": text, "error_codes": [7_000_215]}).to_string(),
        )
    })
    .await;
    let http = Http::new(&service.settings(), BACKOFF).unwrap();
    for _ in 0..3 {
        let error = http.run(&get(&Masks::new()), &call(5)).await.unwrap_err().error;
        assert_eq!(error.kind, Kind::Denied);
        assert!(error.to_string().contains("exchange.client_secret") && !error.to_string().contains(SECRET), "{error}");
    }
    assert_eq!(service.token_requests().len(), 1);
}

#[tokio::test]
async fn e14_a_token_endpoint_that_is_down_is_tried_again() {
    let count = AtomicUsize::new(0);
    let service = Service::start_raw(move |seen| match (seen.cmdlet().as_str(), count.fetch_add(1, Ordering::SeqCst)) {
        ("", 0) => Said::of(503, "<html>"),
        ("", _) => Said::of(200, r#"{"access_token":"t","expires_in":"3599"}"#),
        _ => empty(),
    })
    .await;
    Http::new(&service.settings(), BACKOFF).unwrap().run(&get(&Masks::new()), &call(5)).await.unwrap();
    assert_eq!(service.token_requests().len(), 2);
}

#[tokio::test]
async fn e30_a_redirected_call_is_repeated_whole_and_its_host_is_kept() {
    let (there, _) = client(|_| empty()).await;
    let place = there.url();
    for status in [301, 302, 303, 307, 308] {
        let target = place.join("/adminapi/beta/contoso.onmicrosoft.com/InvokeCommand").unwrap();
        let (here, http) = client(move |_| Said::of(status, "").header("location", target.as_str())).await;
        let before = there.calls().len();
        http.run(&new(&Masks::new()), &call(5)).await.unwrap();
        http.run(&get(&Masks::new()), &call(5)).await.unwrap();
        let calls = &there.calls()[before..];
        assert_eq!((here.calls().len(), calls.len()), (1, 2), "{status}");
        assert_eq!(calls[0].cmdlet(), "New-InboundConnector");
        assert_eq!(calls[0].header("authorization"), "Bearer token-1");
        assert_eq!(calls[0].header("client-request-id"), here.calls()[0].header("client-request-id"));
    }
}

#[tokio::test]
async fn e30_a_redirect_out_of_the_service_is_not_followed() {
    let (service, http) = client(|_| Said::of(302, "").header("location", "https://evil.example/adminapi")).await;
    let failed = http.run(&new(&Masks::new()), &call(5)).await.unwrap_err();
    assert_eq!((failed.error.kind, failed.lost), (Kind::Unexpected, false));
    assert_eq!(service.calls().len(), 1);
}

#[tokio::test]
async fn a_circle_of_redirects_ends() {
    let (_service, http) = client(|seen| Said::of(307, "").header("location", seen.path.clone())).await;
    let failed = http.run(&get(&Masks::new()), &call(2)).await.unwrap_err();
    assert!(failed.error.message.contains("circle"), "{}", failed.error);
}

#[tokio::test]
async fn the_affinity_cookie_is_kept() {
    let (service, http) = client(|_| empty().header("set-cookie", "exchangecookie=abc; path=/; HttpOnly")).await;
    for _ in 0..2 {
        http.run(&get(&Masks::new()), &call(5)).await.unwrap();
    }
    let cookies: Vec<_> = service.calls().iter().map(|seen| seen.header("cookie").to_owned()).collect();
    assert_eq!(cookies, ["", "exchangecookie=abc"]);
}

#[tokio::test]
async fn e01_a_throttled_call_waits_and_keeps_its_id() {
    let answers: Vec<fn() -> Said> = vec![|| Said::of(429, "").header("retry-after", "0.3"), empty];
    let (service, http) = client(in_turn(answers)).await;
    let begin = Instant::now();
    http.run(&new(&Masks::new()), &call(5)).await.unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(300));
    let calls = service.calls();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0].header("client-request-id"), calls[1].header("client-request-id"));
}

#[tokio::test]
async fn e02_a_throttled_call_without_a_wait_backs_off() {
    let busy: fn() -> Said =
        || Said::of(400, "You have reached the maximum number of concurrent requests per tenant. Please wait");
    let (service, http) = client(in_turn(vec![|| Said::of(429, ""), busy, empty])).await;
    http.run(&new(&Masks::new()), &call(5)).await.unwrap();
    assert_eq!(service.calls().len(), 3);
}

#[tokio::test]
async fn e03_throttling_beyond_the_limit_is_named_with_the_setting() {
    let (service, http) = client(|_| Said::of(429, "").header("retry-after", "120")).await;
    let failed = http.run(&new(&Masks::new()), &call(5)).await.unwrap_err();
    assert_eq!((failed.error.kind, failed.lost), (Kind::Throttled, false));
    let text = failed.error.to_string();
    assert!(text.contains("120 s") && text.contains("timeouts"), "{text}");
    let begin = Instant::now();
    assert_eq!(http.run(&get(&Masks::new()), &call(5)).await.unwrap_err().error.kind, Kind::Throttled);
    assert!(begin.elapsed() < Duration::from_secs(1), "the second caller knows without asking");
    assert_eq!(service.calls().len(), 1);
}

#[tokio::test]
async fn e04_a_read_is_tried_again_and_a_write_is_not() {
    for (status, body) in [(500, ""), (502, "<html>"), (503, ""), (504, ""), (200, "{\"val")] {
        let (service, http) = client(move |_| Said::of(status, body)).await;
        let failed = http.run(&get(&Masks::new()), &call(5)).await.unwrap_err();
        assert_eq!((failed.error.kind, failed.lost), (Kind::Unavailable, false), "{status}");
        assert_eq!(service.calls().len(), ATTEMPTS, "{status}");
        let failed = http.run(&new(&Masks::new()), &call(5)).await.unwrap_err();
        assert_eq!((failed.error.kind, failed.lost), (Kind::Unavailable, true), "{status}");
        assert_eq!(service.calls().len(), ATTEMPTS + 1, "{status}");
    }
}

#[tokio::test]
async fn e11_a_broken_connection_is_tried_again_for_reads_only() {
    let answers: Vec<fn() -> Said> = vec![|| Said::of(200, "{\"value\":").broken(), empty];
    let (_service, http) = client(in_turn(answers.clone())).await;
    http.run(&get(&Masks::new()), &call(5)).await.unwrap();
    let (_service, http) = client(in_turn(answers)).await;
    assert!(http.run(&new(&Masks::new()), &call(5)).await.unwrap_err().lost);
}

#[tokio::test]
async fn a_write_that_never_left_is_not_lost() {
    let (service, http) = client(|_| empty()).await;
    http.run(&get(&Masks::new()), &call(5)).await.unwrap();
    let mut settings = service.settings();
    // Nothing listens on the discard port.
    settings.exchange_url = Some(Url::parse("http://127.0.0.1:9").unwrap());
    let failed = Http::new(&settings, BACKOFF).unwrap().run(&new(&Masks::new()), &call(5)).await.unwrap_err();
    assert_eq!((failed.error.kind, failed.lost), (Kind::Unavailable, false));
}

#[tokio::test]
async fn e08_a_page_that_fails_makes_the_whole_list_fail() {
    let (service, http) = client(|seen| {
        if seen.path.contains("skiptoken=2") {
            return Said::fault(400, "Expired or Invalid pagination request. Default Expiry time is 00:30:00");
        }
        let next = "https://outlook.office.com/adminapi/beta/x/InvokeCommand?%24skiptoken=2";
        Said::of(200, json!({"value": [{"Name": "a"}], "@odata.nextLink": next}).to_string())
    })
    .await;
    let error = http.list(&get(&Masks::new()), &call(5)).await.unwrap_err();
    assert!(error.message.contains("pagination"), "{error}");
    let calls = service.calls();
    assert_eq!(calls[1].body, calls[0].body);
}

#[tokio::test]
async fn pages_are_followed_to_the_end_and_a_circle_ends() {
    let page = |next: Option<&str>| {
        let mut body = json!({"value": [{"Name": "a"}]});
        if let Some(next) = next {
            body["@odata.nextLink"] = json!(format!("/adminapi/beta/x/InvokeCommand?skip={next}"));
        }
        Said::of(200, body.to_string())
    };
    let (_service, http) = client(move |seen| if seen.path.contains("skip=1") { page(None) } else { page(Some("1")) }).await;
    assert_eq!(http.list(&get(&Masks::new()), &call(5)).await.unwrap().len(), 2);
    let (_service, http) = client(move |_| page(Some("1"))).await;
    assert!(http.list(&get(&Masks::new()), &call(5)).await.unwrap_err().message.contains("do not end"));
}

#[tokio::test]
async fn e15_a_blank_refusal_names_the_cmdlet() {
    let (_service, http) = client(|_| Said::of(403, vec![0; 4096])).await;
    let failed = http.run(&new(&Masks::new()), &call(5)).await.unwrap_err();
    assert_eq!(failed.error.kind, Kind::Denied);
    assert!(failed.error.to_string().contains("New-InboundConnector"), "{}", failed.error);
}

#[tokio::test]
async fn a_stop_ends_a_read_and_lets_a_write_finish() {
    let (_service, http) = client(|_| empty().after(Duration::from_millis(300))).await;
    for (cmdlet, finished) in [(get(&Masks::new()), false), (new(&Masks::new()), true)] {
        let call = call(5);
        let stop = call.stop.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(150)).await;
            stop.cancel();
        });
        let outcome = http.run(&cmdlet, &call).await;
        assert_eq!(outcome.is_ok(), finished, "{}", cmdlet.name);
        assert_eq!(outcome.err().map(|failed| failed.error.kind), (!finished).then_some(Kind::Stopped));
    }
}

#[tokio::test]
async fn e09_a_write_in_flight_at_the_time_limit_may_have_been_done() {
    let (_service, http) = client(|_| empty().after(Duration::from_secs(5))).await;
    let failed = http.run(&new(&Masks::new()), &call(1)).await.unwrap_err();
    assert!(failed.lost);
}

#[tokio::test]
async fn rs3_a_token_that_the_service_repeats_does_not_leave_the_process() {
    let repeat = |seen: &Seen| {
        let token = seen.header("authorization").to_owned();
        Said::fault(400, &format!("||This request is not understood: {token}")).header("request-id", token)
    };
    let (_service, http) = client(repeat).await;
    let error = http.run(&get(&Masks::new()), &call(5)).await.unwrap_err().error;
    let said = error.diagnostic("read it").detail;
    assert_eq!(said.matches("token-1").count(), 2, "in the words and in the header: {said}");
    let shown = crate::remote::shown(&said);
    assert!(!shown.contains("token-1") && shown.contains("request id: Bearer (sensitive)"), "{shown}");
}
