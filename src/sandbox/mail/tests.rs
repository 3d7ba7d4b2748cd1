//! What SMTP does with a message is what the oracle says of it.

use super::*;
use crate::sandbox::oracle::chance::Chance;
use crate::sandbox::oracle::{Content, Entry, Message, Outcome, deliver};

const PATIENCE: Duration = Duration::from_secs(20);

/// Both stand-ins with a random world on them, and mail between them.
struct Stage {
    gateway: Appliance,
    exchange: Service,
}

fn stage() -> Stage {
    Stage {
        gateway: Appliance::start(gateway::Options::default()).unwrap(),
        exchange: Service::start(exchange::Options::default()).unwrap(),
    }
}

fn door(entry: &Entry) -> Door {
    match entry {
        Entry::Listener(name) => Door::Listener(name.clone()),
        Entry::Tenant => Door::Tenant,
        Entry::Mailbox => Door::Mailbox,
    }
}

fn by(entry: &Entry) -> crate::sandbox::oracle::Place {
    match entry {
        Entry::Listener(name) => crate::sandbox::oracle::Place::Gateway(name.clone()),
        Entry::Tenant | Entry::Mailbox => crate::sandbox::oracle::Place::Tenant,
    }
}

/// Brings a message to its door and gives where it ended for each recipient, sorted.
async fn carried(office: &PostOffice, message: &Message) -> Vec<End> {
    let port = office.port(&door(&message.entry)).unwrap();
    let sent = send(port, &message.peer, message).await.unwrap();
    assert!(office.settle(PATIENCE), "the message does not arrive");
    let mut ends = office.take_ends();
    for (recipient, answer) in sent.answers {
        let outcome = match answer {
            Answer::Taken => continue,
            Answer::Refused(reply) => Outcome::Rejected { by: by(&message.entry), reply },
            Answer::Closed => Outcome::ConnectionRefused { by: by(&message.entry) },
        };
        ends.push(End { recipient, outcome, content: message.content.clone() });
    }
    sorted(ends)
}

fn sorted(mut ends: Vec<End>) -> Vec<End> {
    for end in &mut ends {
        // A reply of several lines is the same as one line of them, and a body ends in a line end.
        if let Outcome::Rejected { reply, .. } = &mut end.outcome {
            reply.text = reply.text.split_whitespace().collect::<Vec<_>>().join(" ");
        }
        end.content = Content::parse(&end.content.text());
    }
    ends.sort_by_key(|end| (end.recipient.clone(), format!("{:?}", end.outcome)));
    ends
}

/// Compares over many seeds; gives how many were compared, and the first that differs.
async fn compare(seeds: std::ops::Range<u64>, broken: Option<Broken>) -> (usize, Option<String>) {
    let stage = stage();
    let mut compared = 0;
    for seed in seeds {
        let mut chance = Chance::new(seed);
        let world = chance.world();
        let bent = World { broken, ..world.clone() };
        let tells = |message: &Message| broken.is_none() || deliver(&bent, message).ends != deliver(&world, message).ends;
        let messages: Vec<Message> = (0..4).map(|_| chance.message()).filter(tells).collect();
        if messages.is_empty() {
            continue;
        }
        stage.gateway.edit(|configuration| *configuration = world.gateway.clone());
        let options =
            Options { network: world.network.clone(), tenant: Some(world.tenant.clone()), broken, ..Options::default() };
        let office = PostOffice::start(&stage.gateway, &stage.exchange, options).unwrap();
        for message in messages {
            let journey = deliver(&World { broken: None, ..office.world() }, &message);
            if !journey.is_certain() {
                continue;
            }
            let found = carried(&office, &message).await;
            compared += 1;
            if found != sorted(journey.ends.clone()) {
                let steps: Vec<String> = journey.steps.iter().map(ToString::to_string).collect();
                let steps = steps.join("\n");
                return (compared, Some(format!("seed {seed}\n{message:#?}\n{steps}\n{found:#?}\n{:#?}", journey.ends)));
            }
        }
    }
    (compared, None)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn smtp_does_what_the_oracle_says() {
    let (compared, differs) = compare(0..60, None).await;
    assert!(differs.is_none(), "{}", differs.unwrap_or_default());
    assert!(compared > 120, "{compared}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_carrier_that_leaves_a_rule_out_is_noticed() {
    for broken in Broken::ALL {
        let (_, differs) = compare(0..2000, Some(broken)).await;
        assert!(differs.is_some(), "{broken:?} is not noticed");
    }
}

fn client() -> reqwest::Client {
    // Another test may have set it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap()
}

/// Asks the gateway's message tracking.
async fn tracking(stage: &Stage, what: &str) -> serde_json::Value {
    let day = "startDate=2020-01-01T00:00:00.000Z&endDate=2099-01-01T00:00:00.000Z";
    let url = format!("{}/esa/api/v2.0/message-tracking/{what}&{day}", stage.gateway.rest_url());
    let request = client().get(url).basic_auth(stage.gateway.username(), Some(stage.gateway.password()));
    serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
}

/// Asks the tenant's message trace.
async fn trace(stage: &Stage) -> serde_json::Value {
    let (url, tenant) = (stage.exchange.url(), stage.exchange.tenant());
    let form = [
        ("grant_type", "client_credentials".to_owned()),
        ("client_id", stage.exchange.client_id()),
        ("client_secret", stage.exchange.client_secret()),
        ("scope", "https://outlook.office365.com/.default".to_owned()),
    ];
    let token =
        client().post(format!("{url}/{tenant}/oauth2/v2.0/token")).form(&form).send().await.unwrap().text().await.unwrap();
    let token: serde_json::Value = serde_json::from_str(&token).unwrap();
    let call = serde_json::json!({ "CmdletInput": { "CmdletName": "Get-MessageTraceV2", "Parameters": {} } });
    let mailbox = format!("UPN:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{}", stage.exchange.organization());
    let request = client()
        .post(format!("{url}/adminapi/beta/{tenant}/InvokeCommand"))
        .bearer_auth(token["access_token"].as_str().unwrap())
        .header("X-AnchorMailbox", mailbox)
        .header("content-type", "application/json")
        .body(call.to_string());
    serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
}

/// A message that the new gateway relays from a mailbox, over the tenant's own MX lookup, and one that comes in at the listener.
fn outward() -> Message {
    let content = Content::new(&[("From", "ann@example.com"), ("Subject", "late"), ("Message-ID", "<1@example.com>")], "text\n");
    Message {
        entry: Entry::Listener("OutgoingMail".into()),
        peer: Peer::new("192.168.1.5".parse().unwrap(), Some("inside.example.com")),
        sender: "ann@example.com".into(),
        recipients: vec!["eve@example.net".into()],
        content,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tracking_and_trace_show_a_message_late() {
    let stage = stage();
    let delays =
        Options { tracking_delay: Duration::from_millis(1500), trace_delay: Duration::from_millis(1500), ..Options::default() };
    stage.gateway.edit(|configuration| {
        configuration.smtp_routes.push(gateway::tables::route::SmtpRoute {
            domain: "example.net".into(),
            destinations: vec!["example-net.k-v1.mx.microsoft".into()],
            authentication: None,
        });
    });
    let office = PostOffice::start(&stage.gateway, &stage.exchange, delays).unwrap();
    let begun = Instant::now();
    let ends = carried(&office, &outward()).await;
    assert_eq!(ends.iter().map(|end| &end.outcome).collect::<Vec<_>>(), [&Outcome::Mailbox], "{ends:?}");
    let early = (tracking(&stage, "messages?searchOption=messages").await, trace(&stage).await);
    if begun.elapsed() < Duration::from_millis(1500) {
        assert_eq!(early.0["meta"]["totalCount"], 0, "{early:?}");
        assert!(!early.1.to_string().contains("<1@example.com>"), "{early:?}");
    }
    let shown = loop {
        let rows = tracking(&stage, "messages?searchOption=messages").await;
        if rows["meta"]["totalCount"] == 1 {
            break rows;
        }
        assert!(begun.elapsed() < PATIENCE, "{rows}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let row = &shown["data"][0]["attributes"];
    assert_eq!((&row["senderGroup"], &row["recipient"][0]), (&"RELAYLIST".into(), &"eve@example.net".into()), "{shown}");
    assert!(row["messageStatus"].to_string().contains("Delivered"), "{shown}");
    let which = format!("details?mid={}&icid={}&serialNumber=000000000000-SANDBOX", row["mid"][0], row["icid"]);
    let details = tracking(&stage, &which).await;
    let steps = details["data"]["messages"]["summary"].to_string();
    assert!(steps.contains("sender group RELAYLIST") && steps.contains("mx.microsoft"), "{details}");
    let traced = loop {
        let found = trace(&stage).await;
        if found.to_string().contains("<1@example.com>") {
            break found.to_string();
        }
        assert!(begun.elapsed() < PATIENCE, "{found}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert!(
        traced.contains("\"RecipientAddress\":\"eve@example.net\"") && traced.contains("\"Status\":\"Delivered\""),
        "{traced}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_xclient_the_peer_is_the_one_of_the_options() {
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    let stage = stage();
    let check = async |peer: Option<Peer>, say: &str, wanted: &str| {
        let office = PostOffice::start(&stage.gateway, &stage.exchange, Options { peer, ..Options::default() }).unwrap();
        let port = office.port(&Door::Listener("OutgoingMail".into())).unwrap();
        let mut stream = BufReader::new(tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap());
        let mut text = String::new();
        stream.read_line(&mut text).await.unwrap();
        if !say.is_empty() {
            stream.get_mut().write_all(format!("{say}\r\nQUIT\r\n").as_bytes()).await.unwrap();
            while stream.read_line(&mut text).await.unwrap() > 0 {}
        }
        assert!(text.contains(wanted), "{text}");
    };
    let relayed = Peer::new("192.168.1.5".parse().unwrap(), None);
    check(Some(relayed), "EHLO a", "220 esa.example.com").await;
    let foreign = Peer::new("198.51.100.5".parse().unwrap(), None);
    check(Some(foreign), "", "554 Your access").await;
    check(None, "EHLO a\r\nMAIL FROM:<a@example.com>", "554 Your access").await;
    check(
        None,
        "XCLIENT ADDR=192.168.1.5 NAME=[UNAVAILABLE]\r\nEHLO a\r\nMAIL FROM:<a@example.com>",
        "250 sender <a@example.com> ok",
    )
    .await;
    check(None, "XCLIENT COLOUR=red", "501 5.5.4 COLOUR is not known here").await;
    check(None, "RCPT TO:<a@example.com>", "503").await;
    check(None, "NONSENSE", "500").await;
}
