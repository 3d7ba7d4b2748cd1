//! `trace`: its questions, and what it prints of the candidate.

use super::*;

/// The answers up to the message, for a server of Microsoft 365 at the outgoing listener.
const ANSWERS: [&str; 9] = [
    "trace",
    "40.107.1.1",
    "mail-x.outbound.protection.outlook.com",
    "2",
    "helo.example",
    "",
    "",
    "ann@example.com",
    "kim@partner.example, joe@other.example",
];

async fn traced(client: &mut Client, answers: &[&str], headers: &str) -> String {
    client.says(answers).await;
    client.type_keys("n\r").await;
    client.read("to end.\r\n").await.unwrap();
    client.type_keys(&format!("{headers}\rSubject: x\r\rbody\r.\r")).await;
    client.prompt().await
}

/// A gateway as in the guide, with everything staged and nothing committed.
async fn staged(options: Options) -> (Appliance, Client) {
    let appliance = Appliance::start(options).unwrap();
    let mut client = Client::quiet(&appliance).await;
    client.say("listenerconfig edit OutgoingMail hostaccess new sendergroup RELAY_O365 .protection.outlook.com RELAY").await;
    client
        .script(
            "",
            "guard: if sendergroup == \"^RELAY_O365$\" { if header(\"X-A\") == \"^key12345$\" { strip-header(\"X-A\"); } else { drop(); } }",
        )
        .await;
    (appliance, client)
}

#[tokio::test]
async fn a_trace_shows_what_the_candidate_would_do() {
    for form in [TraceForm::Older, TraceForm::Newer] {
        let options = Options { layout: Layout { trace: form, ..Layout::default() }, ..plain() };
        let (appliance, mut client) = staged(options).await;
        let shown = traced(&mut client, &ANSWERS, "X-A: key12345").await;
        check_holds(
            &shown,
            &[
                "HAT matched on RELAY_O365 sender group, host .protection.outlook.com",
                "(RELAY behavior)",
                "Processing filter 'guard':",
                "Result = True",
                "strip-header(\"X-A\")",
                "Message Enqueued for Delivery",
                "resulting message? [Y]> ",
            ],
        );
        let message = client.say("").await;
        check_holds(
            &message,
            &["Final Recipients:\n - kim@partner.example\n - joe@other.example", "Subject: x", "debug session? [N]> "],
        );
        assert!(!message.contains("key12345"), "{message}");
        // The last message again, from a host of another group.
        let again =
            ["y", "192.0.2.1", "elsewhere.example", "2", "helo.example", "", "", "ann@example.com", "kim@partner.example"];
        check_holds(&client.says(&again).await, &["Re-use last message body? [Y]> "]);
        let shown = client.say("").await;
        check_holds(&shown, &["(REJECT behavior)", "debug session? [N]> "]);
        assert!(!shown.contains("Enqueued"), "{shown}");
        client.says(&again[..8]).await;
        check_holds(&client.says(&["kim@partner.example", "n"]).await, &["Load message from disk? [Y]> "]);
        assert!(appliance.comments().is_empty(), "nothing is committed by a trace");
    }
}

#[tokio::test]
async fn a_message_without_the_secret_is_not_enqueued() {
    let (_appliance, mut client) = staged(plain()).await;
    let lost = traced(&mut client, &ANSWERS, "X-A: other").await;
    check_holds(&lost, &["Result = False", "drop()", "debug session? [N]> "]);
    assert!(!lost.contains("Enqueued"), "{lost}");
}

#[tokio::test]
async fn the_oldest_release_asks_for_no_domain_name_and_long_lines_are_wrapped() {
    let layout = Layout { trace_columns: Some(60), ..Layout::default() };
    let options = Options { release: Release::V8_0, layout, ..plain() };
    let (_appliance, mut client) = staged(options).await;
    let answers: Vec<&str> = ANSWERS.into_iter().filter(|answer| *answer != "helo.example").collect();
    let shown = traced(&mut client, &answers, "X-A: key12345").await;
    check_holds(
        &shown,
        &["HAT matched on RELAY_O365 sender group, host\n        .protection.outlook.com", "Message Enqueued for Delivery"],
    );
}

#[tokio::test]
async fn a_cluster_offers_to_switch_to_a_machine() {
    let appliance = Appliance::start(Options { cluster: Some(Cluster::of_two()), ..plain() }).unwrap();
    let mut client = Client::quiet(&appliance).await;
    check_holds(&client.says(&["clustermode cluster", "trace"]).await, &["restricted to \"machine\" mode", "[Y]> "]);
    check_holds(&client.say("y").await, &["1. esa.example.com\n2. esa2.example.com"]);
    check_holds(&client.say("1").await, &["Enter the source IP"]);
    check_holds(&client.says(&["192.0.2.999"]).await, &["The IP address must be"]);
    check_holds(&client.says(&["192.0.2.9", ""]).await, &["You must enter a value."]);
}
