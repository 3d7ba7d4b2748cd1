//! The AsyncOS API: the client against the stand-in, and the message tracking through the real binary and the real `terraform`.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::{Must as _, World};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mailflow::gateway::rest::{Product, Query, Rest};
use mailflow::gateway::settings::{Api, Level};
use mailflow::remote::{Backoff, Call, Error, Kind};
use mailflow::sandbox::exchange;
use mailflow::sandbox::gateway::rest::{Fault, Flavour, Options as RestOptions, What};
use mailflow::sandbox::gateway::tables::filter::Filter;
use mailflow::sandbox::gateway::{Appliance, Cluster, Options};
use mailflow::tool::sandbox::StandIns;
use secrecy::SecretString;
use serde_json::{Value as Json, json};
use tokio_util::sync::CancellationToken;

const TRACKING: &str = "message-tracking/messages";
const PASSWORD: &str = "GatewayPassphraseOfThisTest44";
/// 2022-09-20T14:00:00Z
const BEGIN: i64 = 1_663_682_400;

fn gateway(rest: RestOptions) -> Appliance {
    Appliance::start(options(rest)).expect("the stand-in starts")
}

fn options(rest_options: RestOptions) -> Options {
    Options { password: PASSWORD.to_owned(), rest_options, ..Options::default() }
}

fn client_of(gateway: &Appliance, password: &str, level: &Level) -> Rest {
    let settings = Api {
        url: gateway.rest_url().parse().expect("a URL"),
        username: gateway.username().to_owned(),
        password: SecretString::from(password),
        ca_certificate: gateway.rest_certificate().map(str::to_owned),
    };
    let backoff = Backoff { first: Duration::from_millis(1), most: Duration::from_millis(2) };
    Rest::with(&settings, level, backoff).expect("a client")
}

fn client(gateway: &Appliance) -> Rest {
    client_of(gateway, PASSWORD, &Level::Standalone)
}

fn call() -> Call {
    Call::new(CancellationToken::new(), Duration::from_secs(20))
}

async fn track(rest: &Rest) -> Result<Json, Error> {
    let query = Query::default().with("startDate", "2022-09-20T14:00:00.000Z").with("endDate", "2022-09-20T15:00:00.000Z");
    rest.get(None, TRACKING, &query, &call()).await
}

/// What was asked: path, how it was let in, and the status.
fn asked(gateway: &Appliance) -> Vec<String> {
    let line = |seen: &mailflow::sandbox::gateway::rest::Seen| {
        format!("{} {} {} {}", seen.method, seen.path.replace("/api/v2.0", ""), seen.shown.unwrap_or("-"), seen.status)
    };
    gateway.rest_requests().iter().map(line).collect()
}

#[tokio::test]
async fn one_token_serves_all_callers_and_is_renewed_once_it_is_refused() {
    let gateway = gateway(RestOptions::default());
    let rest = client(&gateway);
    let outcomes = futures::future::join_all((0..8).map(|_| track(&rest))).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let logins = || asked(&gateway).iter().filter(|line| line.contains("login")).count();
    assert_eq!(logins(), 1);
    gateway.expire_rest_tokens();
    track(&rest).await.expect("a new login");
    assert_eq!(logins(), 2);
    // A device that lets nobody in ends it: one more login, and no circle.
    gateway.rest_fault(Fault::new("message-tracking", What::Error(401, "Unauthorized.".to_owned())).times(9));
    let error = track(&rest).await.unwrap_err();
    assert_eq!((error.kind, logins()), (Kind::Denied, 3), "{error}");
}

#[tokio::test]
async fn a_refused_password_is_never_tried_again() {
    for login in [true, false] {
        let gateway = gateway(RestOptions { login, ..RestOptions::default() });
        let rest = client_of(&gateway, "Wrong-Passphrase-77", &Level::Standalone);
        let outcomes = futures::future::join_all((0..6).map(|_| track(&rest))).await;
        for outcome in outcomes {
            let error = outcome.unwrap_err();
            assert_eq!(error.kind, Kind::Denied, "{error}");
            let said = format!("{error} {error:?} {:?}", error.context);
            assert!(said.contains("gateway.api.password") && !said.contains("Wrong-Passphrase-77"), "{said}");
        }
        assert_eq!(gateway.counters().failed_logins, 1, "login endpoint: {login}: {:?}", asked(&gateway));
    }
}

#[tokio::test]
async fn a_device_without_a_login_endpoint_is_asked_with_basic() {
    let gateway = gateway(RestOptions { login: false, ..RestOptions::default() });
    track(&client(&gateway)).await.expect("an answer");
    assert_eq!(asked(&gateway), ["POST /esa/login - 404", "GET /esa/message-tracking/messages basic 200"]);
}

#[tokio::test]
async fn a_manager_is_found_where_the_gateway_is_not() {
    let manager = gateway(RestOptions { flavour: Flavour::Manager, ..RestOptions::default() });
    let rest = client(&manager);
    track(&rest).await.expect("an answer");
    track(&rest).await.expect("an answer");
    let asked = asked(&manager);
    assert_eq!(asked.last().map(String::as_str), Some("GET /sma/message-tracking/messages token 200"));
    assert_eq!(asked.iter().filter(|line| line.contains("/esa/")).count(), 2, "{asked:?}");
    let error = rest.get(Some(Product::Gateway), TRACKING, &Query::default(), &call()).await.unwrap_err();
    assert_eq!(error.kind, Kind::NotFound, "{error}");
}

#[tokio::test]
async fn what_passes_is_tried_again_and_what_stands_is_not() {
    for (what, times, kind, requests) in [
        (What::Error(503, "Service Unavailable.".to_owned()), 2, None, 3),
        (What::Truncated(10), 1, None, 2),
        (What::Cut(4), 1, None, 2),
        (What::Answer(502, "<html>".to_owned()), 9, Some(Kind::Unavailable), 4),
        (What::Error(404, "Invalid value.".to_owned()), 9, Some(Kind::Invalid), 1),
        (What::Answer(404, "<html>Not Found</html>".to_owned()), 9, Some(Kind::Unexpected), 1),
        (What::Redirect("https://evil.example/esa".to_owned()), 9, Some(Kind::Denied), 1),
        (What::Redirect("/esa/api/v2.0/message-tracking/messages".to_owned()), 99, Some(Kind::Unexpected), 6),
    ] {
        let gateway = gateway(RestOptions { numeric_codes: true, ..RestOptions::default() });
        gateway.rest_fault(Fault::new("message-tracking", what.clone()).times(times));
        let outcome = track(&client(&gateway)).await;
        assert_eq!(outcome.as_ref().err().map(|error| error.kind), kind, "{what:?}: {outcome:?}");
        let made = asked(&gateway).iter().filter(|line| line.contains("tracking")).count();
        assert_eq!(made, requests, "{what:?}");
    }
}

#[tokio::test]
async fn a_login_that_may_have_been_counted_is_not_made_again() {
    for what in [What::Error(500, "Trouble.".to_owned()), What::Cut(3), What::Truncated(3)] {
        let gateway = gateway(RestOptions::default());
        gateway.rest_fault(Fault::new("login", what.clone()).times(9));
        assert_eq!(track(&client(&gateway)).await.unwrap_err().kind, Kind::Unavailable, "{what:?}");
        assert_eq!(asked(&gateway).len(), 1, "{what:?}");
    }
}

#[tokio::test]
async fn rs7_the_first_contact_logs_in_once_and_says_what_keeps_it_from_that() {
    let gateway = gateway(RestOptions::default());
    let rest = client(&gateway);
    rest.contact(&call()).await.expect("let in");
    track(&rest).await.expect("the token serves");
    assert_eq!(asked(&gateway).iter().filter(|line| line.contains("login")).count(), 1);

    let refused = client_of(&gateway, "Wrong-Passphrase-77", &Level::Standalone).contact(&call()).await.unwrap_err();
    assert!(refused.kind == Kind::Denied && refused.context.contains(&("phase", "login".to_owned())), "{refused:?}");

    // A device in trouble has answered: what is asked later is patient.
    gateway.rest_fault(Fault::new("login", What::Error(503, "Busy.".to_owned())).times(1));
    client(&gateway).contact(&call()).await.expect("it answered");

    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let settings = Api {
        url: format!("http://{closed}").parse().expect("a URL"),
        username: "admin".to_owned(),
        password: SecretString::from(PASSWORD),
        ca_certificate: None,
    };
    let begin = std::time::Instant::now();
    let error = Rest::new(&settings, &Level::Standalone).expect("a client").contact(&call()).await.unwrap_err();
    assert!(begin.elapsed() < Duration::from_secs(30), "{:?}", begin.elapsed());
    assert!(error.context.contains(&("phase", "connection".to_owned())), "{error:?}");
    assert!(error.context.contains(&("host", closed.to_string())), "{error:?}");
    assert!(error.to_string().contains("gateway.api.url"), "{error}");
    assert_eq!(error.path.map(|path| path.to_string()).as_deref(), Some("gateway.api"));
}

#[tokio::test]
async fn a_certificate_is_always_checked() {
    let gateway = gateway(RestOptions { tls: true, ..RestOptions::default() });
    track(&client(&gateway)).await.expect("its own authority is given");
    let settings = Api {
        url: gateway.rest_url().parse().expect("a URL"),
        username: gateway.username().to_owned(),
        password: SecretString::from(PASSWORD),
        ca_certificate: None,
    };
    let rest = Rest::new(&settings, &Level::Standalone).expect("a client");
    let error = track(&rest).await.unwrap_err();
    assert!(error.kind == Kind::Invalid && error.to_string().contains("gateway.api.ca_certificate"), "{error:?}");
}

#[tokio::test]
async fn the_reason_of_an_invalid_filter_is_taken_only_for_the_same_text() {
    let rest_options = RestOptions { message_filters: Some(true), ..RestOptions::default() };
    let cluster = Cluster { groups: vec!["Main".to_owned()], machines: vec!["esa.example.com".to_owned()], ..Cluster::of_two() };
    let gateway = Appliance::start(Options { cluster: Some(cluster), ..options(rest_options) }).expect("the stand-in starts");
    let body = "if (recv-int == 'nowhere') {\n    skip-filters();\n}";
    gateway.edit(|live| live.filters.push(Filter { name: "f3".to_owned(), active: true, body: body.to_owned() }));
    let rest = client_of(&gateway, PASSWORD, &Level::Group("Main".to_owned()));
    let reason = async |text: &str| rest.invalid_reason("f3", text, &call()).await.expect("an answer");
    assert_eq!(reason("if (recv-int == \"nowhere\") { skip-filters(); }").await.as_deref(), Some("Interface 'nowhere' unknown"));
    assert_eq!(reason("if (recv-int == 'elsewhere') { skip-filters(); }").await, None);
    let requests = gateway.rest_requests();
    let queries: Vec<&str> =
        requests.iter().filter(|seen| seen.path.contains("config")).map(|seen| seen.query.as_str()).collect();
    assert_eq!(queries, ["device_type=esa&mode=group&group_name=Main"], "asked once");
    rest.forget_filters().await;
    gateway.edit(|live| live.filters.clear());
    assert_eq!(reason(body).await, None, "asked anew");
}

#[tokio::test]
async fn a_release_without_message_filters_is_asked_once() {
    let gateway = gateway(RestOptions { message_filters: Some(false), ..RestOptions::default() });
    let rest = client(&gateway);
    for _ in 0..3 {
        assert_eq!(rest.invalid_reason("f", "true", &call()).await, Ok(None));
        rest.forget_filters().await;
    }
    assert_eq!(asked(&gateway).iter().filter(|line| line.contains("config")).count(), 1);
}

/// A message that came so many seconds after [`BEGIN`].
fn message(number: i64) -> Json {
    let mid = number.to_string();
    json!({
        "_time": BEGIN + number, "_attachments": [format!("a{number}.pdf")], "_sha256": ["AB".repeat(32)],
        "mid": [number], "icid": number, "allIcid": [number], "serialNumber": "4217B2C9", "hostName": "esa1", "direction": "incoming",
        "sender": format!("s{}@example.com", number % 3), "recipient": [format!("r{number}@example.net")], "subject": format!("Hello {number}"),
        "messageStatus": {mid.clone(): if number == 7 { "Dropped" } else { "Delivered" }}, "recipientMap": {mid.clone(): ["r@example.net"]},
        "messageID": {mid: format!("<{number}@example.com>")}, "senderGroup": "UNKNOWNLIST", "mailPolicy": ["DEFAULT"], "senderIp": "203.0.113.1",
        "sbrs": "None", "isCompleteData": true, "verdictChart": {}, "friendly_from": ["a@example.com"], "finalSubject": {}, "morDetails": {}
    })
}

fn world(rest: RestOptions) -> World {
    World::with(StandIns::with(exchange::Options::default(), options(rest)).expect("the stand-ins start"))
}

fn block(name: &str, arguments: &str) -> String {
    format!(
        "data \"mailflow_gateway_message_tracking\" \"{name}\" {{\n  start = \"2022-09-20T16:00:00+02:00\"\n  end = \"2022-09-20T15:00:00Z\"\n  {arguments}\n}}\n"
    )
}

/// What terraform printed, with the boxes around errors and the line breaks in them taken off.
fn flat(text: &str) -> String {
    text.replace(['│', '╷', '╵'], " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_are_found_over_pages_and_by_every_argument() {
    for flavour in [Flavour::Gateway, Flavour::Manager] {
        let world = world(RestOptions { flavour, ..RestOptions::default() });
        world.stand_ins.gateway.set_tracking((0..250).map(message).collect(), 2);
        let workspace = world.workspace("tracking").await;
        let cases = [
            ("all", "", 250, false),
            ("few", "limit = 150", 150, true),
            ("exact", "limit = 250", 250, false),
            ("sender", "sender = \"S1@\"\n  sender_operator = \"begins_with\"", 83, false),
            ("recipient", "recipient = \"r12@example.net\"\n  recipient_operator = \"is\"", 1, false),
            ("subject", "subject = \"Hello 24\"", 11, false),
            ("attachment", "attachment_name = \"a7.pdf\"\n  attachment_name_operator = \"is\"", 1, false),
            ("hash", &format!("file_sha256 = \"{}\"\n  limit = 1", "ab".repeat(32)), 1, true),
            ("host", "cisco_host = \"esa2\"", 0, false),
            ("delivered", "custom_query = { message_delivered = \"True\" }", 249, false),
        ];
        let blocks: String = cases.iter().map(|(name, arguments, ..)| block(name, arguments)).collect();
        workspace.write(&blocks);
        let log = workspace.folder.join("trace.log");
        let path = log.display().to_string();
        let applied = workspace
            .run_with(&["apply", "-auto-approve", "-no-color"], &[("TF_LOG", "TRACE"), ("TF_LOG_PATH", path.as_str())])
            .await
            .must("apply");
        assert!(flat(&applied.stdout).contains("It reports bad records (2)"), "{}", applied.stdout);
        let state = workspace.state();
        for (name, _, count, truncated) in cases {
            let read = &state[&format!("data.mailflow_gateway_message_tracking.{name}")];
            let found = read["messages"].as_array().map(Vec::len);
            assert_eq!((found, &read["truncated"]), (Some(count), &json!(truncated)), "{name}");
        }
        let one = &state["data.mailflow_gateway_message_tracking.attachment"]["messages"][0];
        assert_eq!(
            (&one["timestamp"], &one["received"]),
            (&json!("20 Sep 2022 14:00:07 (GMT +00:00)"), &json!("2022-09-20T14:00:07Z"))
        );
        assert_eq!(
            (&one["mid"], &one["message_status"], &one["message_id"]),
            (&json!([7]), &json!({"7": "Dropped"}), &json!({"7": "<7@example.com>"}))
        );
        assert_eq!(
            (&one["recipient"], &one["recipient_map"]),
            (&json!(["r7@example.net"]), &json!({"7": "[\"r@example.net\"]"}))
        );

        let log = std::fs::read_to_string(&log).expect("a log");
        assert!(log.contains("asked the AsyncOS API"), "the provider's own lines are in the log");
        // Terraform itself writes no value of the provider block; the login is made of these.
        let encoded = [STANDARD.encode(PASSWORD), STANDARD.encode(format!("admin:{PASSWORD}"))];
        for secret in [PASSWORD, &encoded[0], &encoded[1], "eyJ"] {
            assert!(!log.contains(secret), "the log holds {secret}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_arguments_and_missing_settings_say_what_to_do() {
    let world = world(RestOptions::default());
    let workspace = world.workspace("wrong").await;
    let provider = std::fs::read_to_string(workspace.folder.join("provider.tf")).expect("a provider block");
    workspace.write(&[
        block("odd", "custom_query = { startDate = \"x\" }\n  file_sha256 = \"12\"\n  sender_operator = \"like\""),
        "data \"mailflow_gateway_message_tracking\" \"late\" {\n  start = \"2022-09-20T15:00:00Z\"\n  end = \"2022-09-20T14:00:00Z\"\n}\n".to_owned(),
        "data \"mailflow_gateway_message_tracking\" \"seconds\" {\n  start = \"2022-09-20T15:00:07Z\"\n  end = \"2022-09-20T16:00:00Z\"\n}\n".to_owned(),
    ].concat());
    let said = flat(&workspace.run(&["validate", "-no-color"]).await.stderr);
    for wanted in
        ["Set the argument `start` instead", "64 hexadecimal digits", "begins_with", "`end` must be after `start`", "has seconds"]
    {
        assert!(said.contains(wanted), "{wanted}\n{said}");
    }

    // The device's own words, which come with status 404.
    workspace.write(&block("unheard", "custom_query = { unheard = \"1\" }"));
    let said = flat(&workspace.run(&["plan", "-no-color"]).await.stderr);
    assert!(said.contains("Unable to read message tracking") && said.contains("Invalid query parameter: unheard."), "{said}");

    workspace.write(&block("none", ""));
    let begin = provider.find("    api {").expect("the settings");
    let end = begin + provider[begin..].find('}').expect("their end") + 1;
    let with = |api: &str| {
        let text = format!("{}{api}{}", &provider[..begin], &provider[end..]);
        std::fs::write(workspace.folder.join("provider.tf"), text).expect("written");
    };
    with("");
    let said = flat(&workspace.run(&["plan", "-no-color"]).await.stderr);
    assert!(said.contains("no settings for the AsyncOS API") && said.contains("MAILFLOW_GATEWAY_API_URL"), "{said}");

    with("    api {}");
    let said = flat(&workspace.run(&["plan", "-no-color"]).await.stderr);
    for wanted in ["gateway.api.url", "MAILFLOW_GATEWAY_API_USERNAME", "MAILFLOW_GATEWAY_API_PASSWORD"] {
        assert!(said.contains(wanted), "{wanted}\n{said}");
    }
    let url = world.stand_ins.gateway.rest_url();
    let environment = |url| {
        [
            ("MAILFLOW_GATEWAY_API_URL", url),
            ("MAILFLOW_GATEWAY_API_USERNAME", "admin"),
            ("MAILFLOW_GATEWAY_API_PASSWORD", PASSWORD),
        ]
    };
    workspace.run_with(&["plan", "-no-color"], &environment(url.as_str())).await.must("plan with the environment");
    let said = flat(&workspace.run_with(&["plan", "-no-color"], &environment("http://esa.example.com/x9x9")).await.stderr);
    assert!(said.contains("MAILFLOW_GATEWAY_API_URL") && !said.contains("x9x9"), "{said}");

    with("    api {\n      url = \"http://esa.example.com:6080\"\n      ca_certificate = \"hello\"\n    }");
    let said = flat(&workspace.run(&["validate", "-no-color"]).await.stderr);
    assert!(said.contains("Plain http is allowed to loopback only"), "{said}");
    with(&format!(
        "    api {{\n      url = \"{url}\"\n      username = \"admin\"\n      password = \"{PASSWORD}\"\n      ca_certificate = \"hello\"\n    }}"
    ));
    let said = flat(&workspace.run(&["plan", "-no-color"]).await.stderr);
    assert!(said.contains("`gateway.api.ca_certificate` holds no certificate"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invalid_filter_says_why_and_a_broken_api_is_a_warning() {
    let world = world(RestOptions { message_filters: Some(true), ..RestOptions::default() });
    let workspace = world.workspace("invalid").await;
    workspace.write(
        "resource \"mailflow_gateway_message_filter\" \"one\" {\n  name = \"one\"\n  script = \"if (recv-int == 'nowhere') { skip-filters(); }\"\n}\n",
    );
    // The gateway cannot run it, which would be an error at a create: somebody else made it.
    let filter = json!({ "name": "one", "active": true, "body": "if (recv-int == 'nowhere') {\n    skip-filters();\n}" });
    let made = mailflow::sandbox::gateway::Edit::Add { path: "/filters/-".to_owned(), value: filter };
    world.stand_ins.gateway.edit_paths(&[made]).expect("it fits");
    workspace.write_imports(&BTreeMap::from([("mailflow_gateway_message_filter.one".to_owned(), "one".to_owned())]));
    workspace.apply().await;
    let one = workspace.state()["mailflow_gateway_message_filter.one"].clone();
    assert_eq!((&one["valid"], &one["invalid_reason"]), (&json!(false), &json!("Interface 'nowhere' unknown")));
    workspace.must_plan_nothing("with a reason").await;
    world.stand_ins.gateway.rest_fault(Fault::new("config", What::Error(404, "Something else.".to_owned())).times(99));
    let planned = workspace.run(&["plan", "-no-color", "-detailed-exitcode"]).await;
    assert_eq!(planned.code, Some(0), "{}\n{}", planned.stdout, planned.stderr);
    assert!(
        flat(&planned.stdout).contains("why message filters are not valid") && flat(&planned.stdout).contains("Something else."),
        "{}",
        planned.stdout
    );
    workspace.destroy().await;
    let requests = world.stand_ins.gateway.rest_requests();
    assert!(requests.iter().all(|seen| seen.method == "GET" || seen.path.ends_with("login")), "nothing is written over REST");
}
