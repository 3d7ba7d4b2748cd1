//! Change sets, commits, faults, snapshots, and the control channel.

use super::*;

#[tokio::test]
async fn commit_asks_for_comment_and_rollback_and_knows_when_there_is_nothing() {
    let appliance = Appliance::start(plain()).unwrap();
    let mut client = Client::quiet(&appliance).await;
    check_holds(&client.say("commit").await, &["There is no data to commit.\n"]);
    client.say("smtproutes new a.example b.example").await;
    assert!(appliance.pending());
    check_holds(&client.say("showchanges").await, &["smtp_routes\n    + a.example"]);
    check_holds(&client.say("exit").await, &["uncommitted", "[N]> "]);
    client.say("").await;
    check_holds(&client.say("commit").await, &["Please enter some comments describing your changes:\n[]> "]);
    check_holds(&client.say("for a").await, &["Do you want to save the current configuration for rollback? [Y]> "]);
    check_holds(&client.say("").await, &["Changes committed: "]);
    check_holds(&client.say("commitdetail").await, &["with comments: \"for a\".", "+ a.example"]);
    assert!(!appliance.pending());
    client.say("smtproutes delete a.example").await;
    client.say("clearchanges").await;
    check_holds(&client.say("").await, &["Changes cleared: "]);
    assert_eq!(appliance.configuration().smtp_routes.len(), 1);
    check_holds(&client.say("frobnicate").await, &["Unknown command: frobnicate\n"]);
    client.ends("quit").await;
}

#[tokio::test]
async fn a_commit_of_somebody_else_in_between_collides() {
    let appliance = Appliance::start(plain()).unwrap();
    let (mut one, mut two) = (Client::quiet(&appliance).await, Client::quiet(&appliance).await);
    one.say("smtproutes new one.example mx.example").await;
    two.say("smtproutes new two.example mx.example").await;
    check_holds(&two.commit().await, &["Changes committed"]);
    check_holds(&one.say("commit \"mine\" Y").await, &["Are you ready to discard all of your changes? [N]> "]);
    check_holds(&one.say("n").await, &["esa.example.com> "]);
    assert!(appliance.pending(), "the answer N keeps the changes");
    one.says(&["clearchanges", "y"]).await;
    check_holds(&one.say("smtproutes print").await, &["two.example"]);
    one.say("smtproutes new one.example mx.example").await;
    let change = vec![Edit::Remove { path: "/smtp_routes/[domain=two.example]".into() }];
    appliance.fault(Fault::Collide { nth: 1, change });
    check_holds(&one.commit().await, &["Are you ready to discard"]);
    one.say("y").await;
    assert!(!appliance.pending());
    assert_eq!(appliance.configuration().smtp_routes.len(), 0);
}

#[tokio::test]
async fn commits_fail_lie_warn_and_break_as_scripted() {
    let appliance = Appliance::start(plain()).unwrap();
    let mut client = Client::quiet(&appliance).await;
    appliance.fault(Fault::RefuseCommit { nth: 1, text: "Error: not today".into() });
    client.say("smtproutes new a.example mx.example").await;
    check_holds(&client.commit().await, &["Error: not today"]);
    appliance.fault(Fault::DiskFull);
    check_holds(&client.commit().await, &["Configuration filesystem is full."]);
    appliance.fault(Fault::DiskFree);
    appliance.fault(Fault::FalseCommit { nth: 1 });
    check_holds(&client.commit().await, &["Changes committed"]);
    assert!(appliance.configuration().smtp_routes.is_empty());
    client.say("smtproutes new a.example mx.example").await;
    appliance.fault(Fault::WarnCommit { nth: 1, text: "Machine b is unreachable.".into() });
    check_holds(&client.commit().await, &["Machine b is unreachable.", "Changes committed"]);
    for (at, routes) in [(Point::CommitBefore, 1), (Point::CommitAfter, 2)] {
        let mut client = Client::quiet(&appliance).await;
        appliance.fault(Fault::Break { how: Break::Drop, at, nth: 1 });
        client.say("smtproutes new b.example mx.example").await;
        client.ends("commit \"lost\" Y").await;
        assert_eq!(appliance.configuration().smtp_routes.len(), routes);
    }
    assert_eq!(appliance.faults_waiting(), 0);
}

#[tokio::test]
async fn dialogs_break_hang_are_cut_and_ask_the_unknown_as_scripted() {
    let appliance = Appliance::start(plain()).unwrap();
    appliance.fault(Fault::Break { how: Break::Drop, at: Point::Question("DESTINATION hosts".into()), nth: 1 });
    let mut client = Client::quiet(&appliance).await;
    client.says(&["smtproutes", "new"]).await;
    client.ends("example.com").await;
    assert!(!appliance.pending());

    let mut client = Client::quiet(&appliance).await;
    let text = "The moon is full. Proceed?".to_owned();
    appliance.fault(Fault::Ask {
        command: "smtproutes".into(),
        before: "destination hosts".into(),
        text,
        default: "Y".into(),
        yes_no: true,
    });
    check_holds(&client.says(&["smtproutes", "new", "example.com"]).await, &["The moon is full. Proceed? [Y]> "]);
    check_holds(&client.say("").await, &["Enter the destination hosts"]);
    client.say("mx.example.com").await;
    client.say("").await;

    appliance.fault(Fault::CutOutput { command: "version".into(), after_lines: 2, how: Break::Hang });
    client.type_keys("version\r").await;
    assert!(client.read("===\r\n").await.is_some());
    client.type_keys("\r\r").await;
    let silence = timeout(Duration::from_millis(100), client.channel.wait()).await;
    assert!(silence.is_err(), "{silence:?}");
    client.handle.disconnect(russh::Disconnect::ByApplication, "", "").await.unwrap();
}

#[tokio::test]
async fn an_idle_session_ends_and_loses_its_changes() {
    let appliance = Appliance::start(Options { idle_limit: Duration::from_millis(300), ..plain() }).unwrap();
    let mut client = Client::quiet(&appliance).await;
    client.say("smtproutes new a.example mx.example").await;
    assert!(appliance.pending());
    assert_eq!(client.read("\0").await, None);
    check_holds(&client.raw, &["expired because it was left idle"]);
    assert!(!appliance.pending());
}

#[tokio::test]
async fn changes_of_a_user_outlive_a_lost_session_when_they_are_shared() {
    let appliance = Appliance::start(Options { change_sets: ChangeSets::PerUser, ..plain() }).unwrap();
    let mut client = Client::quiet(&appliance).await;
    client.say("smtproutes new a.example mx.example").await;
    appliance.disconnect_all();
    assert_eq!(client.read("\0").await, None);
    let mut client = Client::quiet(&appliance).await;
    check_holds(&client.say("showchanges").await, &["+ a.example"]);
    client.says(&["clearchanges", "y"]).await;
    appliance.stage(|configuration| configuration.filters.clear());
    assert!(!appliance.pending(), "a change that changes nothing is none");
    appliance.stage(|configuration| configuration.destination_controls.alert = true);
    check_holds(&client.say("exit").await, &["uncommitted"]);
}

#[tokio::test]
async fn a_read_only_account_may_look_and_stage_and_not_commit() {
    let appliance = Appliance::start(plain().read_only()).unwrap();
    let mut client = Client::quiet(&appliance).await;
    check_holds(&client.say("commit").await, &["You are not in the correct access group to use \"commit\"."]);
    check_holds(&client.say("destconfig list").await, &["(Default)"]);
}

#[tokio::test]
async fn what_is_made_and_taken_away_again_leaves_the_snapshot_as_it_was() {
    let appliance = Appliance::start(plain()).unwrap();
    let before = appliance.snapshot();
    let mut client = Client::quiet(&appliance).await;
    client.say("smtproutes new example.com mx.example.net").await;
    client.say("destconfig new example.com concurrency_limit=10 use_tls=on").await;
    client.say("listenerconfig edit IncomingMail rcptaccess new example.com --action Accept").await;
    client.say("listenerconfig edit OutgoingMail hostaccess new policy P Relay").await;
    client.say("listenerconfig edit OutgoingMail hostaccess new sendergroup G .example.com \"Policy: P\"").await;
    client.script("", RELAY).await;
    client.commit().await;
    let between = appliance.snapshot();
    assert_ne!(between, before);
    client.say("smtproutes delete example.com").await;
    client.say("destconfig delete example.com").await;
    client.say("listenerconfig edit IncomingMail rcptaccess delete example.com").await;
    client.say("listenerconfig edit OutgoingMail hostaccess delete sendergroup G").await;
    client.say("listenerconfig edit OutgoingMail hostaccess delete policy P").await;
    client.say("filters delete office365_outbound").await;
    client.commit().await;
    assert_eq!(appliance.snapshot(), before);
    appliance.restore(&between).unwrap();
    assert_eq!(appliance.snapshot(), between);
    assert!(appliance.restore(&Value::Null).is_err());
    assert_eq!(appliance.comments().len(), 3);
}

/// Sends one request to the control channel and gives its body.
async fn control(appliance: &Appliance, method: &str, path: &str, body: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", appliance.control_port().unwrap())).await.unwrap();
    let request = format!(
        "{method} /sandbox/{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

#[tokio::test]
async fn the_control_channel_gives_and_takes_the_same_as_the_handle() {
    let appliance = Appliance::start(plain()).unwrap();
    let snapshot: Value = serde_json::from_str(&control(&appliance, "GET", "snapshot", "").await).unwrap();
    assert_eq!(snapshot, appliance.snapshot());
    control(&appliance, "POST", "edit", r#"[{"op":"replace","path":"/destination_controls/alert","value":true}]"#).await;
    assert!(appliance.configuration().destination_controls.alert);
    assert!(control(&appliance, "POST", "edit", r#"[{"op":"remove","path":"/nothing"}]"#).await.contains("nothing stands at"));
    control(&appliance, "POST", "fault", r#"{"fault":"break","how":"drop","at":{"command":"version"}}"#).await;
    assert_eq!(appliance.faults_waiting(), 1);
    control(&appliance, "DELETE", "fault", "").await;
    assert_eq!(appliance.faults_waiting(), 0);
    control(&appliance, "PUT", "snapshot", &snapshot.to_string()).await;
    assert_eq!(appliance.snapshot(), snapshot);
    assert!(control(&appliance, "GET", "counters", "").await.contains("\"logins\":0"));
    assert!(control(&appliance, "GET", "pending", "").await.contains("\"pending\":false"));
    assert!(control(&appliance, "GET", "describe", "").await.contains("Destination controls"));
}
