//! The first contact with a tenant's hosts.

use std::time::Duration;

use super::*;
use crate::exchange::settings::Settings;

#[tokio::test]
async fn rn17_the_token_of_the_first_contact_serves_the_run() {
    let (service, http) = client(|_| empty()).await;
    http.contact(&call(60)).await.unwrap();
    http.run(&get(&Masks::new()), &call(5)).await.unwrap();
    assert_eq!(service.token_requests().len(), 1);
}

#[tokio::test]
async fn rs7_a_refused_port_is_told_with_host_phase_and_setting() {
    let (service, _) = client(|_| empty()).await;
    let closed = {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        url::Url::parse(&format!("http://{}", socket.local_addr().unwrap())).unwrap()
    };
    let port = closed.port().unwrap().to_string();
    let check = async |settings: Settings, setting: &str| {
        let http = Http::new(&settings, BACKOFF).unwrap();
        let begin = std::time::Instant::now();
        let error = http.contact(&call(600)).await.unwrap_err();
        assert!(begin.elapsed() < Duration::from_secs(30), "{:?}", begin.elapsed());
        assert!(error.unheard && error.message.contains(&port), "{error}");
        assert!(error.context.contains(&("phase", "connection".to_owned())), "{:?}", error.context);
        assert!(error.context.contains(&("host", format!("127.0.0.1:{port}"))), "{:?}", error.context);
        assert!(error.hint.as_deref().unwrap_or_default().contains(setting), "{error}");
    };
    check(Settings { login_url: Some(closed.clone()), ..service.settings() }, "exchange.login_url").await;
    check(Settings { exchange_url: Some(closed.clone()), ..service.settings() }, "exchange.exchange_url").await;
}

#[tokio::test(start_paused = true)]
async fn rs7_a_silent_sign_in_host_costs_half_a_minute() {
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = url::Url::parse(&format!("http://{}", socket.local_addr().unwrap())).unwrap();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok(connection) = socket.accept().await {
            held.push(connection);
        }
    });
    let settings =
        Settings { login_url: Some(silent.clone()), exchange_url: Some(silent), ..crate::exchange::testing::settings() };
    let http = Http::new(&settings, BACKOFF).unwrap();
    let begin = Instant::now();
    let error = http.contact(&call(600)).await.unwrap_err();
    assert_eq!(begin.elapsed().as_secs(), 30);
    assert!(error.message.contains("sign-in host gave no answer within 30 s"), "{error}");
}

#[tokio::test]
async fn rs7_a_host_that_answers_in_whatever_way_is_waited_for_by_the_operations() {
    // A page of a proxy, or a service in trouble, also in the place of a token.
    let service = Service::start_raw(|_| Said::of(503, "<html>later</html>")).await;
    let http = Http::new(&service.settings(), BACKOFF).unwrap();
    assert_eq!(http.contact(&call(60)).await, Ok(()));
}

#[tokio::test]
async fn rn17_a_refused_login_is_asked_for_once_and_stays_refused() {
    let service = Service::start_raw(|_| {
        let words = "AADSTS7000215: Invalid client secret provided.";
        Said::of(401, json!({"error": "invalid_client", "error_description": words}).to_string())
    })
    .await;
    let http = Http::new(&service.settings(), BACKOFF).unwrap();
    let error = http.contact(&call(60)).await.unwrap_err();
    assert_eq!(error.kind, Kind::Denied, "{error}");
    assert!(error.context.contains(&("phase", "login".to_owned())), "{:?}", error.context);
    http.run(&get(&Masks::new()), &call(5)).await.unwrap_err();
    assert_eq!(service.token_requests().len(), 1);
}

/// A way in which a host can keep a first contact waiting: what it sends at first, and then each ten seconds; nothing: it closes the connection.
type Trouble = (&'static str, &'static [u8], Option<&'static [u8]>);

const TROUBLES: [Trouble; 6] = [
    ("silent", b"", Some(b"")),
    ("cut", b"", None),
    ("cut in the middle", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{", None),
    ("slow", b"HTTP/1.1 200 OK\r\nx: ", Some(b"y")),
    ("endless", b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n{", Some(b" ")),
    ("redirected in a circle", b"HTTP/1.1 307 Temporary Redirect\r\nlocation: /\r\ncontent-length: 0\r\n\r\n", None),
];

async fn troubled(first: &'static [u8], then: Option<&'static [u8]>) -> url::Url {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = url::Url::parse(&format!("http://{}", socket.local_addr().unwrap())).unwrap();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = socket.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let _ = connection.read(&mut request).await;
                let mut going = connection.write_all(first).await.is_ok();
                while let Some(piece) = then.filter(|_| going) {
                    tokio::time::sleep(Duration::from_secs(10)).await;
                    going = connection.write_all(piece).await.is_ok();
                }
            });
        }
    });
    url
}

#[tokio::test(start_paused = true)]
#[expect(clippy::print_stdout, reason = "docs/performance.md has what it measures")]
async fn rs8_no_host_keeps_the_first_contact_waiting() {
    for (kind, first, then) in TROUBLES {
        let (healthy, _) = client(|_| empty()).await;
        let url = troubled(first, then).await;
        for (host, settings) in [
            ("sign-in host", Settings { login_url: Some(url.clone()), ..healthy.settings() }),
            ("Exchange Online host", Settings { exchange_url: Some(url.clone()), ..healthy.settings() }),
        ] {
            let http = Http::new(&settings, crate::exchange::PACE.backoff).unwrap();
            let begin = Instant::now();
            let outcome = http.contact(&call(600)).await;
            let took = begin.elapsed();
            println!("{kind}, {host}: {took:?} {:?}", outcome.as_ref().err().map(|error| &error.message));
            // A login that has begun may take a minute more.
            let most = if http.connection.is_answered() && host == "sign-in host" { 90 } else { 30 };
            assert!(took <= Duration::from_secs(most), "{kind}, {host}: {took:?}");
        }
    }
}
