//! The ladder against written answers: each rung broken once, and the words name the setting.

use std::collections::VecDeque;

use serde_json::Value as Json;

use super::advice::{self, Look};
use super::ladder::*;
use super::*;
use crate::provider::CATALOG;
use crate::remote::{Error, Kind};
use crate::schema::Attribute;

/// Answers in order, the last one for ever.
struct Fake {
    smtp: Result<Handed, Refused>,
    sending: Result<(), Unsent>,
    tracking: VecDeque<Result<Vec<Tracked>, Error>>,
    trace: VecDeque<Result<Vec<Seen>, Error>>,
    foreign: VecDeque<Result<Traced, Error>>,
    sent: usize,
    looks: usize,
    told: String,
}

fn handed() -> Handed {
    Handed { server: "192.0.2.1:25".to_owned(), encrypted: true, words: "250 ok".to_owned() }
}

#[expect(clippy::unnecessary_wraps, reason = "a step may fail as well")]
fn tracked(status: &str) -> Result<Vec<Tracked>, Error> {
    Ok(vec![Tracked { status: status.to_owned(), host: "esa1".to_owned(), sender_group: "RELAY_O365".to_owned() }])
}

#[expect(clippy::unnecessary_wraps, reason = "a step may fail as well")]
fn seen(status: &str) -> Result<Vec<Seen>, Error> {
    Ok(vec![Seen { status: status.to_owned(), from_ip: "192.0.2.9".to_owned() }])
}

#[expect(clippy::unnecessary_wraps, reason = "a step may fail as well")]
fn foreign(outcome: &str, behavior: &str) -> Result<Traced, Error> {
    Ok(Traced {
        outcome: outcome.to_owned(),
        behavior: behavior.to_owned(),
        sender_group: "RELAY_O365".to_owned(),
        filter: Some(("office365_outbound".to_owned(), "drop".to_owned())),
        machine: None,
    })
}

fn fake() -> Fake {
    Fake {
        smtp: Ok(handed()),
        sending: Ok(()),
        tracking: VecDeque::from([Ok(Vec::new()), tracked("Processing"), tracked("Delivered")]),
        trace: VecDeque::from([Ok(Vec::new()), seen("Pending"), seen("Delivered")]),
        foreign: VecDeque::from([foreign("rejected", "reject"), foreign("dropped", "relay")]),
        sent: 0,
        looks: 0,
        told: String::new(),
    }
}

fn next<T: Clone>(answers: &mut VecDeque<T>) -> T {
    let answer = answers.front().cloned().expect("an answer");
    if answers.len() > 1 {
        answers.pop_front();
    }
    answer
}

#[async_trait::async_trait]
impl Steps for Fake {
    async fn hand_over(&mut self, _message: &Message) -> Result<Handed, Refused> {
        self.sent += 1;
        self.smtp.clone()
    }

    async fn send(&mut self, _message: &Message) -> Result<(), Unsent> {
        self.sent += 1;
        self.sending.clone()
    }

    async fn tracking(&mut self, _message: &Message) -> Result<Vec<Tracked>, Error> {
        self.looks += 1;
        next(&mut self.tracking)
    }

    async fn message_trace(&mut self, _message: &Message) -> Result<Vec<Seen>, Error> {
        self.looks += 1;
        next(&mut self.trace)
    }

    async fn listeners(&mut self) -> Result<Vec<String>, Error> {
        Ok(vec!["IncomingMail".to_owned(), "OutgoingMail".to_owned()])
    }

    async fn foreign(&mut self, _message: &Message, _listener: &str) -> Result<Traced, Error> {
        next(&mut self.foreign)
    }

    fn instruct(&mut self, text: &str) {
        self.told.push_str(text);
    }
}

fn message() -> Message {
    Message::new(Some("a@example.com".to_owned()), "b@example.net".to_owned())
}

async fn climbed(what: What, mut steps: Fake) -> (Report, Fake) {
    let report = climb(&mut steps, what, &message(), Duration::from_mins(10)).await;
    (report, steps)
}

/// The ladder ends at this rung in this state, the others are not reached, and one of these settings is named.
async fn breaks(what: What, steps: Fake, rung: usize, state: State, setting: &str) {
    let (report, steps) = climbed(what, steps).await;
    let shown = show::text(&report, &message());
    let states: Vec<State> = report.rungs.iter().map(|rung| rung.state).collect();
    assert_eq!(states.get(rung), Some(&state), "{shown}");
    assert!(states.iter().take(rung).all(|state| *state == State::Held), "{shown}");
    if state == State::Failed {
        assert!(states.iter().skip(rung + 1).all(|state| *state == State::NotReached), "{shown}");
    }
    assert_eq!(report.state(), state);
    assert!(shown.split_whitespace().any(|word| word.trim_matches(':') == setting), "{setting} is not in:\n{shown}");
    assert!(steps.sent <= 1, "at most one message is sent");
}

#[tokio::test(start_paused = true)]
async fn a_message_that_arrives_holds_on_every_rung() {
    let names = |report: &Report| report.rungs.iter().map(|rung| rung.name.clone()).collect::<Vec<_>>();
    for (what, wanted) in [
        (What::Inbound, vec!["SMTP", "message tracking", "message trace"]),
        (What::Outbound, vec!["sending", "message trace", "message tracking"]),
        (What::Foreign, vec!["trace on IncomingMail", "trace on OutgoingMail"]),
    ] {
        let (report, steps) = climbed(what, fake()).await;
        assert_eq!((report.state(), names(&report)), (State::Held, wanted.iter().map(|name| (*name).to_owned()).collect()));
        assert_eq!(steps.sent, usize::from(what != What::Foreign));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_by_smtp_names_the_setting_of_its_stage() {
    for (stage, code, words, state, setting) in [
        (Stage::Connect, None, "Connection refused", State::Failed, "--smtp"),
        (
            Stage::Greeting,
            Some(554),
            "Your access to this mail system has been rejected",
            State::Failed,
            "mailflow_gateway_sender_group.policy",
        ),
        (Stage::Tls, None, "protocol version", State::Failed, "mailflow_gateway_tls_settings.inbound_methods"),
        (Stage::Sender, Some(530), "Must issue a STARTTLS command first", State::Failed, "mailflow_gateway_mail_flow_policy.tls"),
        (Stage::Sender, Some(550), "Sender rejected", State::Failed, "mailflow_gateway_mail_flow_policy.behavior"),
        (Stage::Recipient, Some(550), "#5.1.0 Address rejected.", State::Failed, "mailflow_gateway_recipient_access.action"),
        (Stage::Content, Some(552), "size limit exceeded", State::Failed, "mailflow_gateway_mail_flow_policy.max_message_size"),
        (Stage::Recipient, Some(451), "#4.7.1 later", State::Unjudged, "again"),
        (Stage::Address, None, "the gateway has 2 public listeners", State::Unjudged, "--smtp"),
    ] {
        let refused = Refused { server: "192.0.2.1:25".to_owned(), stage, code, words: words.to_owned() };
        breaks(What::Inbound, Fake { smtp: Err(refused), ..fake() }, 0, state, setting).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_tracking_and_trace_say_names_the_setting() {
    let tracking = |answer| Fake { tracking: VecDeque::from([answer]), ..fake() };
    let trace = |answer| Fake { trace: VecDeque::from([answer]), ..fake() };
    let route = "mailflow_gateway_smtp_route.destination";
    let script = "mailflow_gateway_message_filter.script";
    breaks(What::Inbound, tracking(tracked("Dropped by filters")), 1, State::Failed, script).await;
    breaks(What::Inbound, tracking(tracked("Hard Bounced")), 1, State::Failed, route).await;
    breaks(What::Inbound, tracking(tracked("Soft Bounced")), 1, State::Failed, route).await;
    breaks(What::Inbound, tracking(tracked("Queued for delivery")), 1, State::Failed, route).await;
    breaks(What::Inbound, tracking(tracked("Quarantined")), 1, State::Failed, script).await;
    let never = Fake { trace: VecDeque::from([Ok(Vec::new())]), ..tracking(Ok(Vec::new())) };
    breaks(What::Inbound, never, 1, State::Failed, "gateway.api").await;
    // It came to the tenant, and not by the gateway.
    let past = Fake { trace: VecDeque::from([seen("Delivered")]), ..tracking(Ok(Vec::new())) };
    breaks(What::Inbound, past, 1, State::Failed, "mailflow_exchange_inbound_connector.restrict_domains_to_ip_addresses").await;
    breaks(What::Inbound, trace(Ok(Vec::new())), 2, State::Failed, route).await;
    breaks(What::Inbound, trace(seen("Failed")), 2, State::Failed, "mailflow_exchange_inbound_connector.require_tls").await;
    breaks(What::Inbound, trace(seen("FilteredAsSpam")), 2, State::Failed, "mailflow_exchange_transport_rule.actions.set_scl")
        .await;
    breaks(What::Inbound, trace(seen("Quarantined")), 2, State::Failed, "mailflow_exchange_inbound_connector.ef_skip_ips").await;
    let denied = Error::new(Kind::Denied, "No role.");
    breaks(What::Inbound, trace(Err(denied.clone())), 2, State::Unjudged, "role.").await;

    breaks(What::Outbound, trace(seen("Failed")), 1, State::Failed, "mailflow_exchange_outbound_connector.smart_hosts").await;
    breaks(What::Outbound, trace(seen("Pending")), 1, State::Failed, "mailflow_gateway_sender_group.senders").await;
    breaks(What::Outbound, trace(Ok(Vec::new())), 1, State::Failed, "--wait").await;
    let connector = "mailflow_exchange_transport_rule.actions.route_message_outbound_connector";
    breaks(What::Outbound, tracking(Ok(Vec::new())), 2, State::Failed, connector).await;
    breaks(What::Outbound, tracking(tracked("Dropped By Message Filters")), 2, State::Failed, script).await;
    breaks(What::Outbound, tracking(tracked("Bounced")), 2, State::Failed, route).await;
    breaks(What::Outbound, tracking(Err(denied)), 2, State::Unjudged, "role.").await;
    let nobody = Fake { sending: Err(Unsent::NoMailbox("The user is invalid.".to_owned())), ..fake() };
    breaks(What::Outbound, nobody, 0, State::Failed, "--from").await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_asked_is_passed_over_and_the_rest_is_seen() {
    let steps = Fake {
        tracking: VecDeque::from([Err(Error::new(Kind::Invalid, "The provider has no settings for the AsyncOS API."))]),
        ..fake()
    };
    let (report, _) = climbed(What::Inbound, steps).await;
    let states: Vec<State> = report.rungs.iter().map(|rung| rung.state).collect();
    assert_eq!((states, report.state()), (vec![State::Held, State::Unjudged, State::Held], State::Unjudged));
    // What passes is waited for.
    let busy = Err(Error::new(Kind::Unavailable, "Busy.").retryable());
    let steps = Fake { tracking: VecDeque::from([busy, tracked("Delivered")]), ..fake() };
    assert_eq!(climbed(What::Inbound, steps).await.0.state(), State::Held);
}

#[tokio::test(start_paused = true)]
async fn foreign_mail_that_is_relayed_names_the_guard() {
    let steps = |answers: [Result<Traced, Error>; 2]| Fake { foreign: VecDeque::from(answers), ..fake() };
    let guard = "mailflow_gateway_sender_group.guarded_by";
    breaks(What::Foreign, steps([foreign("rejected", "reject"), foreign("enqueued", "relay")]), 1, State::Failed, guard).await;
    breaks(What::Foreign, steps([foreign("split", "accept"), foreign("dropped", "relay")]), 0, State::Failed, guard).await;
    let error = Error::new(Kind::Unexpected, "It is not understood.");
    breaks(What::Foreign, steps([Err(error.clone()), Err(error)]), 0, State::Unjudged, "understood.").await;
    let own = steps([foreign("enqueued", "accept"), foreign("dropped", "relay")]);
    assert_eq!(climbed(What::Foreign, own).await.0.state(), State::Held);
}

#[tokio::test(start_paused = true)]
async fn a_message_by_hand_is_followed_by_its_subject() {
    let steps = Fake { sending: Err(Unsent::ByHand("Access is denied.".to_owned())), ..fake() };
    let (report, steps) = climbed(What::Outbound, steps).await;
    assert_eq!(report.state(), State::Held);
    assert!(
        steps.told.contains("mailflow verify ")
            && steps.told.contains("b@example.net")
            && steps.told.contains("Access is denied"),
        "{}",
        steps.told
    );
}

#[tokio::test(start_paused = true)]
async fn the_services_are_asked_far_less_often_than_they_allow() {
    let silent = Fake { trace: VecDeque::from([seen("Pending")]), tracking: VecDeque::from([tracked("Delivered")]), ..fake() };
    let begin = tokio::time::Instant::now();
    let (report, steps) = climbed(What::Inbound, silent).await;
    assert_eq!(report.state(), State::Failed);
    assert!(begin.elapsed() >= Duration::from_mins(10) && begin.elapsed() < Duration::from_mins(11));
    // Message trace takes 100 queries in five minutes.
    assert!(steps.looks < 40, "{} looks", steps.looks);
}

/// The attribute at a path, with blocks on the way.
fn attribute<'a>(members: &'static [Attribute], mut path: impl Iterator<Item = &'a str>) -> bool {
    let Some(step) = path.next() else { return true };
    members
        .iter()
        .any(|member| member.name == step)
        .then(|| members.iter().find(|member| member.name == step))
        .flatten()
        .is_some_and(|member| match member.kind.members() {
            Some(inner) => attribute(inner, path),
            None => path.next().is_none(),
        })
}

#[test]
fn every_setting_that_is_named_is_an_attribute() {
    for Look { setting, why } in advice::all() {
        assert!(!why.is_empty());
        if setting.is_empty() {
            continue;
        }
        let (kind, path) = setting.split_once('.').unwrap_or_else(|| panic!("{setting} names no attribute"));
        let resource = CATALOG.resource(kind).unwrap_or_else(|| panic!("{kind} is no resource"));
        assert!(attribute(resource.attributes, path.split('.')), "{setting} is no attribute");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_printed_fits_the_width_and_is_json_where_that_is_asked_for() {
    let refused = Refused {
        server: "192.0.2.1:25".to_owned(),
        stage: Stage::Recipient,
        code: Some(550),
        words: "#5.1.0 Address rejected.".to_owned(),
    };
    let (report, _) = climbed(What::Inbound, Fake { smtp: Err(refused), ..fake() }).await;
    let text = show::text(&report, &message());
    assert!(text.lines().all(|line| line.chars().count() <= 80 || !line.trim_start().contains(' ')), "{text}");
    assert!(
        text.contains("FAILED") && text.contains("550") && text.ends_with("The message did not arrive as it should."),
        "{text}"
    );
    let json: Json = serde_json::from_str(&show::json(&report, &message())).expect("JSON");
    assert_eq!((&json["check"], &json["result"]), (&Json::from("inbound"), &Json::from("failed")));
    assert_eq!(json["rungs"][0]["look_at"][0]["setting"], "mailflow_gateway_recipient_access.action");
    assert_eq!((&json["rungs"][1]["state"], json["rungs"].as_array().map(Vec::len)), (&Json::from("not_reached"), Some(3)));
}

#[test]
fn the_message_has_a_token_of_its_own_and_addresses_cannot_carry_more() {
    let (one, other) = (message(), message());
    assert_ne!(one.token, other.token);
    let wire = one.wire(time::OffsetDateTime::UNIX_EPOCH);
    assert!(wire.contains(&format!("Subject: mailflow verify {}\r\n", one.token)) && wire.contains("\r\n\r\n"), "{wire}");
    assert!(wire.split("\r\n").all(|line| !line.contains(['\r', '\n'])));
    for wrong in ["a", "a@b c", "a@b\r\nBcc: x@y", "<a@b>", "a@b,c@d", "", "\"a b\"@c.example"] {
        assert!(address(wrong).is_err(), "{wrong:?}");
    }
    assert!(address("someone+tag@sub.example.com").is_ok());
    for (text, sound) in [
        ("192.0.2.1:25", true),
        ("[2001:db8::1]:25", true),
        ("mx.example:2525", true),
        ("2001:db8::1:25", false),
        ("mx", false),
        ("mx:0", false),
        (":25", false),
    ] {
        assert_eq!(host_and_port(text).is_ok(), sound, "{text}");
    }
}

/// A mail server that says these lines: the greeting, then one reply for each line that it hears, and one for the message.
async fn server(replies: &'static [&'static str]) -> (String, tokio::task::JoinHandle<String>) {
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let heard = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a client");
        let mut stream = BufReader::new(stream);
        let mut heard = String::new();
        for reply in replies {
            stream.write_all(format!("{reply}\r\n").as_bytes()).await.expect("written");
            loop {
                let mut line = String::new();
                if stream.read_line(&mut line).await.unwrap_or_default() == 0 {
                    return heard;
                }
                heard.push_str(&line);
                if !reply.starts_with("354") || line == ".\r\n" {
                    break;
                }
            }
        }
        heard
    });
    (address, heard)
}

#[tokio::test]
async fn a_message_is_handed_over_and_refusals_are_told_by_their_stage() {
    let (address, heard) =
        server(&["220 mx", "250-mx\r\n250 SIZE 1000", "250 sender ok", "250 recipient ok", "354 go on", "250 2.0.0 taken as 42"])
            .await;
    let handed = smtp::hand_over(&address, &message()).await.expect("it is taken");
    assert_eq!((handed.encrypted, handed.words.as_str()), (false, "250 2.0.0 taken as 42"));
    let heard = heard.await.expect("heard");
    assert!(
        heard.contains("MAIL FROM:<a@example.com>")
            && heard.contains("RCPT TO:<b@example.net>")
            && heard.contains("Subject: mailflow verify"),
        "{heard}"
    );
    let check = async |replies, stage, code| {
        let (address, _heard) = server(replies).await;
        let refused = smtp::hand_over(&address, &message()).await.expect_err("refused");
        assert_eq!((refused.stage, refused.code), (stage, code), "{refused:?}");
        refused
    };
    check(&["554 go away"], Stage::Greeting, Some(554)).await;
    check(&["220 mx", "250 mx", "530 5.7.0 Must issue a STARTTLS command first"], Stage::Sender, Some(530)).await;
    let refused = check(&["220 mx", "250 mx", "250 ok", "550 #5.1.0 Address rejected."], Stage::Recipient, Some(550)).await;
    assert!(refused.words.contains("#5.1.0 Address rejected."), "{refused:?}");
    check(&["220 mx", "250-mx\r\n250 STARTTLS", "220 go on", "no TLS at all"], Stage::Tls, None).await;
    check(&["220 mx", "250 mx", "250 ok", "250 ok", "354 go on", "552 too large"], Stage::Content, Some(552)).await;
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address").to_string();
    assert_eq!(smtp::hand_over(&gone, &message()).await.expect_err("nobody").stage, Stage::Connect);
}
