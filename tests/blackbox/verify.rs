//! `verify` with the real binary: each way, each rung broken once, and what is printed.

use std::process::Stdio;

use serde_json::{Value as Json, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use crate::imports::write_guide;
use crate::support::World;
use crate::trace::RELAY;
use mailflow::sandbox::mail::{self, Door};
use mailflow::sandbox::oracle::{Content, Entry, Message, Outcome, Peer, Place};
use mailflow::sandbox::{exchange, gateway};
use mailflow::tool::sandbox::StandIns;

fn command(world: &World, arguments: &[&str]) -> tokio::process::Command {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_terraform-provider-mailflow"));
    command.arg("verify").args(arguments).envs(world.stand_ins.environment());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// The exit code, the JSON, and what stands on standard error.
async fn verified(world: &World, arguments: &[&str]) -> (Option<i32>, Json, String) {
    let output = command(world, &[arguments, &["--format", "json"]].concat()).output().await.expect("it runs");
    let (stdout, stderr) =
        (String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned());
    let json = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}\n{stdout}\n{stderr}"));
    (output.status.code(), json, stderr)
}

/// The settings that the rung which failed names.
fn look_at(json: &Json) -> Vec<String> {
    let rungs = json["rungs"].as_array().expect("rungs");
    let failed = rungs.iter().find(|rung| rung["state"] != "ok").expect("a rung that does not hold");
    failed["look_at"].as_array().expect("a list").iter().filter_map(|look| look["setting"].as_str().map(str::to_owned)).collect()
}

/// What the stand-ins know of a message with this subject.
fn know(world: &World, subject: &str, from: &str, to: &str, tracked: Option<&str>, in_trace: Option<&str>) {
    let now = OffsetDateTime::now_utc();
    world.stand_ins.exchange.set_clock(now);
    let tracking = tracked.map(|status| {
        json!({"_time": now.unix_timestamp(), "mid": [42], "icid": 7, "allIcid": [7], "serialNumber": "4217B2C9", "hostName": "esa1", "direction": "incoming",
            "sender": from, "recipient": [to], "subject": subject, "messageStatus": {"42": status}, "senderGroup": "RELAY_O365", "isCompleteData": true})
    });
    world.stand_ins.gateway.set_tracking(tracking.into_iter().collect(), 0);
    let trace = in_trace.map(|status| {
        json!({"Received": now.format(&Rfc3339).expect("a text"), "MessageTraceId": "00000000-0000-0000-0000-000000000042", "MessageId": "<42@example.com>",
            "SenderAddress": from, "RecipientAddress": to, "Subject": subject, "Status": status, "FromIP": "203.0.113.10", "Size": 42})
    });
    world.stand_ins.exchange.set_messages(&trace.into_iter().collect::<Vec<_>>()).expect("messages");
}

/// A listener that takes one message, or answers RCPT with a refusal, and gives the subject.
async fn listener(recipient: &'static str) -> (String, tokio::task::JoinHandle<Option<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let heard = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.ok()?;
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 mx.example.com ESMTP\r\n").await.ok()?;
        let (mut subject, mut in_message) = (None, false);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.ok()? == 0 {
                return subject;
            }
            let line = line.trim_end();
            if let Some(text) = line.strip_prefix("Subject: ") {
                subject = Some(text.to_owned());
            }
            let reply = match line.split([' ', ':']).next().unwrap_or_default() {
                "." => {
                    in_message = false;
                    "250 taken"
                }
                _ if in_message => continue,
                "RCPT" => recipient,
                "DATA" => {
                    in_message = true;
                    "354 go on"
                }
                "QUIT" => "221 bye",
                _ => "250 ok",
            };
            stream.write_all(format!("{reply}\r\n").as_bytes()).await.ok()?;
        }
    });
    (address, heard)
}

const TO: &str = "postmaster@example.com";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inbound_mail_is_followed_to_the_tenant_and_each_broken_rung_names_its_setting() {
    for (recipient, tracked, traced, code, result, setting) in [
        ("250 ok", Some("Delivered"), Some("Delivered"), 0, "ok", ""),
        ("550 #5.1.0 Address rejected.", None, None, 1, "failed", "mailflow_gateway_recipient_access.action"),
        ("451 later", None, None, 2, "not_judged", ""),
        ("250 ok", Some("Dropped By Message Filters"), None, 1, "failed", "mailflow_gateway_message_filter.script"),
        ("250 ok", Some("Hard Bounced"), None, 1, "failed", "mailflow_gateway_smtp_route.destination"),
        ("250 ok", None, Some("Delivered"), 1, "failed", "mailflow_exchange_inbound_connector.restrict_domains_to_ip_addresses"),
        ("250 ok", Some("Delivered"), None, 1, "failed", "mailflow_gateway_smtp_route.destination"),
        ("250 ok", Some("Delivered"), Some("Failed"), 1, "failed", "mailflow_exchange_inbound_connector.require_tls"),
        ("250 ok", Some("Delivered"), Some("FilteredAsSpam"), 1, "failed", "mailflow_exchange_transport_rule.actions.set_scl"),
    ] {
        let world = World::start();
        let (address, heard) = listener(recipient).await;
        let arguments = ["inbound", "--to", TO, "--from", "a@partner.example", "--smtp", &address, "--wait", "4s"];
        let run = tokio::spawn(command(&world, &[&arguments[..], &["--format", "json"]].concat()).output());
        if let Some(subject) = heard.await.expect("a task") {
            know(&world, &subject, "a@partner.example", TO, tracked, traced);
        }
        let output = run.await.expect("a task").expect("it runs");
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let json: Json = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}\n{stdout}\n{stderr}"));
        assert_eq!(
            (output.status.code(), &json["result"]),
            (Some(code), &Json::from(result)),
            "{recipient} {tracked:?} {traced:?}\n{stdout}"
        );
        if !setting.is_empty() {
            assert!(look_at(&json).iter().any(|named| named == setting), "{setting}\n{stdout}");
        }
        // No terminal, no progress.
        assert_eq!(stderr, "");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outbound_mail_can_be_sent_by_hand_and_is_followed_by_its_subject() {
    let world = World::start();
    let mut child = command(&world, &["outbound", "--to", "kim@partner.example", "--wait", "30s"]).spawn().expect("it runs");
    let mut errors = BufReader::new(child.stderr.take().expect("stderr")).lines();
    let mut subject = None;
    while let Ok(Some(line)) = errors.next_line().await {
        if let Some(text) = line.trim().strip_prefix("Subject: ") {
            subject = Some(text.to_owned());
            break;
        }
    }
    let subject = subject.expect("it says what to send");
    know(&world, &subject, "ann@example.com", "kim@partner.example", Some("Delivered"), Some("Delivered"));
    let mut shown = String::new();
    child.stdout.take().expect("stdout").read_to_string(&mut shown).await.expect("a text");
    let status = child.wait().await.expect("it ends");
    assert_eq!(status.code(), Some(0), "{shown}");
    assert!(shown.contains("by hand") && shown.contains("The message arrived as it should."), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_tenants_mail_is_traced_and_an_open_relay_names_its_guard() {
    let world = World::start();
    let workspace = world.workspace("foreign").await;
    workspace.write(RELAY);
    workspace.apply().await;
    let arguments = ["foreign", "--to", "kim@partner.example"];
    let (code, json, stderr) = verified(&world, &arguments).await;
    assert_eq!((code, &json["result"]), (Some(0), &Json::from("ok")), "{json:#} {stderr}");
    let seen = json["rungs"].to_string();
    assert!(seen.contains("RELAY_O365") && seen.contains("office365_outbound"), "{seen}");
    // Somebody switches the guard off.
    world.stand_ins.gateway.edit(|configuration| {
        for filter in &mut configuration.filters {
            filter.active = false;
        }
    });
    let (code, json, _) = verified(&world, &arguments).await;
    assert_eq!((code, &json["result"]), (Some(1), &Json::from("failed")), "{json:#}");
    assert!(look_at(&json).contains(&"mailflow_gateway_message_filter.active".to_owned()), "{json:#}");
    assert!(!world.stand_ins.gateway.pending());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_asked_or_typed_ends_with_2_before_anything_is_sent() {
    let world = World::start();
    world.stand_ins.exchange.revoke("Get-MessageTraceV2");
    let (address, heard) = listener("250 ok").await;
    let run = tokio::spawn(command(&world, &["inbound", "--to", TO, "--smtp", &address, "--wait", "3s"]).output());
    let subject = heard.await.expect("a task").expect("a subject");
    know(&world, &subject, "", TO, Some("Delivered"), None);
    let output = run.await.expect("a task").expect("it runs");
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(2), "{shown}");
    assert!(shown.contains("not judged") && shown.contains("Get-MessageTraceV2"), "{shown}");
    for arguments in [
        vec!["inbound"],
        vec!["inbound", "--to", "nobody"],
        vec!["inbound", "--to", "a@example.com", "--smtp", "nowhere"],
        vec!["sideways", "--to", "a@example.com"],
        vec!["foreign", "--to", "a@example.com", "--wait", "-1s"],
    ] {
        let output = command(&world, &arguments).output().await.expect("it runs");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}

/// The commands of the guide's page.
fn commands() -> Vec<Vec<String>> {
    let page = include_str!("../../docs/guides/verify.md");
    let blocks = page.split("```shell\n").skip(1).filter_map(|rest| rest.split("\n```").next());
    let lines = blocks.flat_map(str::lines).filter_map(|line| line.strip_prefix("terraform-provider-mailflow verify "));
    lines.map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_commands_of_the_guide_run_as_the_page_says() {
    let commands = commands();
    let ways: std::collections::BTreeSet<&str> = commands.iter().map(|command| command[0].as_str()).collect();
    assert_eq!(ways, ["foreign", "inbound", "outbound"].into(), "the page has each way");
    // The world outside of the page is example.net.
    let domains = vec!["contoso.com".to_owned(), "example.com".to_owned()];
    let options = exchange::Options { real_clock: true, mail_send: true, domains, ..exchange::Options::default() };
    let world = World::with(StandIns::with(options, gateway::Options::default()).expect("the stand-ins start"));
    let workspace = world.workspace("guide").await;
    write_guide(&workspace);
    workspace.apply().await;
    let port = |door: Door| world.stand_ins.mail.port(&door).expect("a port");
    let listener = format!("127.0.0.1:{}", port(Door::Listener("IncomingMail".to_owned())));
    for command_line in &commands {
        let mut arguments: Vec<&str> = command_line.iter().map(String::as_str).collect();
        let to = arguments[arguments.iter().position(|word| *word == "--to").expect("a recipient") + 1].to_owned();
        // What stands for the gateway's public address and the MX host.
        if arguments[0] == "inbound" {
            arguments.extend(["--smtp", &listener]);
        }
        let mut child = command(&world, &arguments).spawn().expect("it runs");
        if arguments[0] == "outbound" && !arguments.contains(&"--from") {
            let mut errors = BufReader::new(child.stderr.take().expect("stderr")).lines();
            let subject = loop {
                let line = errors.next_line().await.expect("a line").expect("it says what to send");
                if let Some(text) = line.trim().strip_prefix("Subject: ") {
                    break text.to_owned();
                }
            };
            let headers = [("From", "ann@example.com"), ("To", &to), ("Subject", &subject), ("Message-ID", "<hand@example.com>")];
            let message = Message {
                entry: Entry::Mailbox,
                peer: Peer::new([192, 0, 2, 1].into(), None),
                sender: "ann@example.com".to_owned(),
                recipients: vec![to.clone()],
                content: Content::new(&headers, "By hand.\n"),
            };
            mail::send(port(Door::Mailbox), &message.peer, &message).await.expect("it is sent");
        }
        let output = child.wait_with_output().await.expect("it ends");
        let shown = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}\n{shown}");
        let ends: Vec<Outcome> = world.stand_ins.mail.take_ends().into_iter().map(|end| end.outcome).collect();
        let arrived = match arguments[0] {
            "inbound" => ends == [Outcome::Mailbox],
            "outbound" => matches!(ends.as_slice(), [Outcome::Sent { by: Place::Gateway(_), .. }]),
            _ => ends.is_empty(),
        };
        assert!(arrived, "{arguments:?}: {ends:?}");
    }
}
