//! The stand-in seen from outside, through a client of a few lines.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use russh::client::{self, Handle, KeyboardInteractiveAuthResponse};
use russh::keys::{HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKeyOrCertificate};
use russh::{Channel, ChannelMsg};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::tables::destination::Tls;
use super::tables::hat_text;
use super::tables::recipient::Access;
use super::*;

mod changes;
mod dialogs;
mod trace;

const PATIENCE: Duration = Duration::from_secs(20);

/// Keeps the fingerprint that the server showed.
#[derive(Clone, Default)]
struct Keys(Arc<std::sync::Mutex<String>>);

impl client::Handler for Keys {
    type Error = russh::Error;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        if let PublicKeyOrCertificate::PublicKey { key, .. } = key {
            *self.0.lock().unwrap() = key.fingerprint(HashAlg::Sha256).to_string();
        }
        Ok(true)
    }
}

/// Is one terminal on the gateway.
struct Client {
    handle: Handle<Keys>,
    channel: Channel<client::Msg>,
    raw: String,
}

async fn connect(appliance: &Appliance) -> Result<(Handle<Keys>, Keys), russh::Error> {
    let keys = Keys::default();
    let address = ("127.0.0.1", appliance.port());
    timeout(PATIENCE, client::connect(Arc::new(client::Config::default()), address, keys.clone()))
        .await
        .unwrap()
        .map(|handle| (handle, keys))
}

async fn login(appliance: &Appliance) -> Handle<Keys> {
    let (mut handle, _) = connect(appliance).await.unwrap();
    assert!(handle.authenticate_password(appliance.username(), appliance.password()).await.unwrap().success());
    handle
}

impl Client {
    async fn open(appliance: &Appliance, columns: u32) -> Client {
        let handle = login(appliance).await;
        let channel = handle.channel_open_session().await.unwrap();
        channel.request_pty(true, "xterm", columns, 24, 0, 0, &[]).await.unwrap();
        channel.request_shell(true).await.unwrap();
        Client { handle, channel, raw: String::new() }
    }

    /// Opens a terminal so wide that nothing wraps and with the pager off, and reads the login text.
    async fn quiet(appliance: &Appliance) -> Client {
        let mut client = Client::open(appliance, 10_000).await;
        client.prompt().await;
        client.say("setttymode 0 1").await;
        client
    }

    async fn type_keys(&mut self, keys: &str) {
        self.channel.data_bytes(keys.as_bytes().to_vec()).await.unwrap();
    }

    /// Reads until the text ends in `end`; gives nothing when the connection ends first.
    async fn read(&mut self, end: &str) -> Option<String> {
        let mut bytes = Vec::new();
        let reading = async {
            while !String::from_utf8_lossy(&bytes).ends_with(end) {
                match self.channel.wait().await {
                    Some(ChannelMsg::Data { data }) => bytes.extend_from_slice(&data),
                    Some(ChannelMsg::Close) | None => return None,
                    Some(_) => {}
                }
            }
            Some(())
        };
        let Ok(result) = timeout(PATIENCE, reading).await else {
            panic!("no {end:?} after {:?}", String::from_utf8_lossy(&bytes));
        };
        self.raw = String::from_utf8(bytes).unwrap();
        result.map(|()| self.raw.replace('\r', ""))
    }

    async fn prompt(&mut self) -> String {
        self.read("> ").await.expect("the connection ended")
    }

    /// Types a line and reads to the next prompt.
    async fn say(&mut self, line: &str) -> String {
        self.type_keys(&format!("{line}\r")).await;
        self.prompt().await
    }

    /// Types several lines and gives the last answer.
    async fn says(&mut self, lines: &[&str]) -> String {
        let mut last = String::new();
        for line in lines {
            last = self.say(line).await;
        }
        last
    }

    /// Types a filter script, whose lines have no prompt.
    async fn script(&mut self, place: &str, script: &str) -> String {
        self.type_keys(&format!("filters new {place}\r")).await;
        self.read("to end.\r\n").await.unwrap();
        self.type_keys(&format!("{}\r.\r", script.replace('\n', "\r"))).await;
        self.prompt().await
    }

    /// Types a line whose answer is the end of the connection.
    async fn ends(&mut self, line: &str) {
        self.type_keys(&format!("{line}\r")).await;
        assert_eq!(self.read("\0").await, None);
    }

    async fn commit(&mut self) -> String {
        self.say("commit \"test\" Y").await
    }
}

/// Runs commands over an exec channel and gives output and status.
async fn exec(handle: &Handle<Keys>, text: &str) -> (String, Option<u32>) {
    let mut channel = handle.channel_open_session().await.unwrap();
    channel.exec(true, text).await.unwrap();
    let (mut out, mut status) = (String::new(), None);
    while let Some(message) = timeout(PATIENCE, channel.wait()).await.unwrap() {
        match message {
            ChannelMsg::Data { data } => out.push_str(&String::from_utf8_lossy(&data)),
            ChannelMsg::ExitStatus { exit_status } => status = Some(exit_status),
            _ => {}
        }
    }
    (out, status)
}

fn plain() -> Options {
    Options { layout: Layout { blank_lines: false, ..Layout::default() }, ..Options::default() }
}

fn of(release: Release) -> Options {
    Options { release, ..plain() }
}

fn check_holds(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let Some(at) = rest.find(part) else { panic!("{part:?} is not (in this order) in:\n{text}") };
        rest = rest.split_at(at + part.len()).1;
    }
}

const RELAY: &str = "# a comment\noffice365_outbound: if sendergroup == 'RELAYLIST' {\n  if header('X-OUTBOUND-AUTH') == '^mysecretkey$' {\n    \
                     strip-header('X-OUTBOUND-AUTH');\n  } else {\n    drop();\n  }\n}";

#[tokio::test]
async fn a_login_shows_the_banner_and_the_prompt() {
    let appliance = Appliance::start(Options { motd: Some("Be careful.".into()), ..plain() }).unwrap();
    let mut client = Client::open(&appliance, 1000).await;
    let text = client.prompt().await;
    check_holds(
        &text,
        &[
            "Last login: ",
            "from 127.0.0.1\n",
            "AsyncOS 15.5.3 for Cisco C600V build 022\n",
            "Welcome to the Cisco",
            "left idle for 30 minutes",
            "Be careful.\n",
            "esa.example.com> ",
        ],
    );
    check_holds(&client.say("version").await, &["version\n", "Version: 15.5.3-022\n", "esa.example.com> "]);
    check_holds(&client.say("who").await, &["admin", "127.0.0.1"]);
    assert_eq!(appliance.counters().logins, 1);
    assert_eq!(appliance.counters().commands["version"], 1);
}

#[tokio::test]
async fn the_host_key_is_the_one_that_the_handle_names_until_a_fault_says_otherwise() {
    let appliance = Appliance::start(Options { seed: Some(7), ..plain() }).unwrap();
    let seen = |keys: Keys| keys.0.lock().unwrap().clone();
    assert_eq!(seen(connect(&appliance).await.unwrap().1), appliance.host_key_fingerprint());
    assert_eq!(
        Appliance::start(Options { seed: Some(7), ..plain() }).unwrap().host_key_fingerprint(),
        appliance.host_key_fingerprint()
    );
    appliance.fault(Fault::WrongHostKey { times: 1 });
    assert_ne!(seen(connect(&appliance).await.unwrap().1), appliance.host_key_fingerprint());
    assert_eq!(seen(connect(&appliance).await.unwrap().1), appliance.host_key_fingerprint());
}

#[tokio::test]
async fn logins_fail_for_a_wrong_password_a_fault_and_a_full_gateway() {
    let appliance = Appliance::start(Options { max_sessions: 2, ..plain() }).unwrap();
    let (mut handle, _) = connect(&appliance).await.unwrap();
    assert!(!handle.authenticate_password("admin", "wrong").await.unwrap().success());
    appliance.fault(Fault::RejectLogins { times: 1 });
    assert!(!handle.authenticate_password("admin", appliance.password()).await.unwrap().success());
    assert!(handle.authenticate_password("admin", appliance.password()).await.unwrap().success());
    assert_eq!(appliance.counters().failed_logins, 2);
    let second = connect(&appliance).await.unwrap();
    assert!(connect(&appliance).await.is_err(), "the third connection is closed before the handshake");
    drop(second);
    assert_eq!(appliance.counters().refused_connections, 1);
}

#[tokio::test]
async fn keyboard_interactive_asks_for_password_second_factor_and_a_new_passphrase() {
    let appliance =
        Appliance::start(Options { login: Login::KeyboardInteractive, passcode: Some("123456".into()), ..plain() }).unwrap();
    let (mut handle, _) = connect(&appliance).await.unwrap();
    assert!(!handle.authenticate_password("admin", appliance.password()).await.unwrap().success());
    let prompts = |response: &KeyboardInteractiveAuthResponse| match response {
        KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => prompts[0].prompt.clone(),
        other => panic!("{other:?}"),
    };
    let response = handle.authenticate_keyboard_interactive_start("admin", None).await.unwrap();
    assert_eq!(prompts(&response), "Password: ");
    let response = handle.authenticate_keyboard_interactive_respond(vec![appliance.password().into()]).await.unwrap();
    assert_eq!(prompts(&response), "Enter passcode: ");
    let response = handle.authenticate_keyboard_interactive_respond(vec!["123456".into()]).await.unwrap();
    assert!(matches!(response, KeyboardInteractiveAuthResponse::Success));

    let appliance = Appliance::start(plain()).unwrap();
    appliance.fault(Fault::PassphraseExpired { times: 2 });
    let (mut handle, _) = connect(&appliance).await.unwrap();
    handle.authenticate_keyboard_interactive_start("admin", None).await.unwrap();
    let response = handle.authenticate_keyboard_interactive_respond(vec![appliance.password().into()]).await.unwrap();
    assert!(prompts(&response).contains("has expired"));
    let mut client = Client::open(&appliance, 1000).await;
    check_holds(&client.read("Old passphrase: ").await.unwrap(), &["Your passphrase has expired"]);
}

#[tokio::test]
async fn an_authorized_key_logs_in() {
    let key = server::host_key(99);
    let line = key.public_key().to_openssh().unwrap();
    let appliance = Appliance::start(Options { authorized_keys: vec![line], login: Login::PublicKeyOnly, ..plain() }).unwrap();
    let (mut handle, _) = connect(&appliance).await.unwrap();
    let with = |key: PrivateKey| PrivateKeyWithHashAlg::new(Arc::new(key), None);
    assert!(!handle.authenticate_publickey("admin", with(server::host_key(98))).await.unwrap().success());
    assert!(handle.authenticate_publickey("admin", with(key)).await.unwrap().success());
}

#[tokio::test]
async fn long_output_waits_for_a_key_until_setttymode() {
    let appliance = Appliance::start(Options { pager_rows: Some(10), ..plain() }).unwrap();
    appliance.edit(|configuration| {
        let route = |number: usize| super::tables::route::SmtpRoute {
            domain: format!("d{number:03}.example"),
            destinations: vec!["mx.example".into()],
            authentication: None,
        };
        configuration.smtp_routes = (0..30).map(route).collect();
    });
    let mut client = Client::open(&appliance, 1000).await;
    client.prompt().await;
    client.type_keys("smtproutes print\r").await;
    let first = client.read("-Press Any Key For More-").await.unwrap();
    assert_eq!(first.lines().count(), 11, "echo, nine rows, the pager: {first}");
    client.type_keys(" ").await;
    check_holds(&client.read("-Press Any Key For More-").await.unwrap(), &["d009"]);
    assert!(client.raw.starts_with("\r                        \rd009"), "{:?}", client.raw);
    client.type_keys("\x03").await;
    client.prompt().await;
    client.say("setttymode 0 1").await;
    check_holds(&client.say("smtproutes print").await, &["d000", "d029", "> "]);
    assert_eq!(appliance.counters().pages, 2);
}

#[tokio::test]
async fn lines_wrap_at_the_width_of_the_terminal() {
    let appliance = Appliance::start(plain()).unwrap();
    let mut client = Client::open(&appliance, 40).await;
    client.prompt().await;
    client.say("listenerconfig edit OutgoingMail hostaccess edit sendergroup RELAYLIST print").await;
    assert!(
        client.raw.starts_with("listenerconfig edit Out\r\r\ngoingMail hostaccess edit sendergroup RE\r\r\nLAYLIST print\r\n"),
        "{:?}",
        client.raw
    );
    check_holds(&client.raw, &["RELAYLIST:\r\n    192.168.1.0/24\r\n        $RELAYED\r\n"]);
}

#[tokio::test]
async fn chunks_noise_and_split_letters_change_nothing_but_the_packets() {
    let noisy = Options { output_chunk: 1, ansi_noise: true, ..plain() };
    let appliance = Appliance::start(Options { motd: Some("Grüße".into()), ..noisy }).unwrap();
    let handle = login(&appliance).await;
    let mut channel = handle.channel_open_session().await.unwrap();
    channel.request_pty(true, "xterm", 200, 24, 0, 0, &[]).await.unwrap();
    channel.request_shell(true).await.unwrap();
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"> ") {
        if let Some(ChannelMsg::Data { data }) = timeout(PATIENCE, channel.wait()).await.unwrap() {
            assert_eq!(data.len(), 1);
            bytes.extend_from_slice(&data);
        }
    }
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.contains("\x1b["));
    let escapes = regex::Regex::new("\x1b\\[[0-9;?]*[A-Za-z]").unwrap();
    let clean: Cow<'_, str> = escapes.replace_all(&text, "");
    check_holds(&clean, &["Grüße\r\n", "esa.example.com> "]);
}

#[tokio::test]
async fn exec_channels_run_several_commands_without_echo_paging_or_wrapping() {
    let appliance = Appliance::start(Options { pager_rows: Some(3), ..plain() }).unwrap();
    let handle = login(&appliance).await;
    let (out, status) = exec(&handle, "listenerconfig EDIT IncomingMail RCPTACCESS PRINT; version").await;
    check_holds(&out, &["Recipient Access Table\n", "ALL REJECT\n", "Version: 15.5.3-022\n"]);
    assert!(!out.contains("Press Any Key") && !out.contains('\r') && !out.contains("> "), "{out}");
    assert_eq!(status, Some(0));
    let (out, _) = exec(&handle, "smtproutes new a.example mx.example; commit \"by exec\" Y").await;
    check_holds(&out, &["Changes committed: "]);
}

#[test]
fn a_gateway_runs_without_a_runtime_and_frees_its_port() {
    let appliance = Appliance::start(plain()).unwrap();
    let port = appliance.port();
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    drop(appliance);
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[tokio::test]
async fn an_old_release_offers_only_the_old_key_exchange() {
    let appliance = Appliance::start(Options { legacy_key_exchange: true, ..plain() }).unwrap();
    assert!(connect(&appliance).await.is_err());
    let preferred = russh::Preferred { kex: Cow::Borrowed(&[russh::kex::DH_G14_SHA1]), ..russh::Preferred::default() };
    let config = client::Config { preferred, ..client::Config::default() };
    let address = ("127.0.0.1", appliance.port());
    assert!(client::connect(Arc::new(config), address, Keys::default()).await.is_ok());
}
