//! Logins against a small SSH server on loopback.

use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};

use russh::keys::Algorithm;
use russh::keys::ssh_key::LineEnding;
use russh::server::{self, Auth, ChannelOpenHandle, Response, Server as _, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId, Preferred, kex};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::gateway::device::Connect as _;
use crate::gateway::session::Connector;
use crate::gateway::settings::{CommitSettings, Level, PendingChanges, Settings};

/// What the server expects, and what it does.
#[derive(Clone)]
struct Rules {
    methods: Vec<MethodKind>,
    /// The prompts of keyboard-interactive, one request after the other.
    prompts: Vec<(&'static str, bool)>,
    /// The public key that is let in.
    key: Option<String>,
    /// The public key is only the first of two steps.
    partial: bool,
    gives_shell: bool,
    /// A wrong answer is asked for again.
    asks_again: bool,
    only: Option<Algorithm>,
    exchange: Option<kex::Name>,
}

impl Default for Rules {
    fn default() -> Rules {
        Rules {
            methods: vec![MethodKind::Password],
            prompts: Vec::new(),
            key: None,
            partial: false,
            gives_shell: true,
            asks_again: false,
            only: None,
            exchange: None,
        }
    }
}

const PASSWORD: &str = "correct horse";
const ROW: &str = "a row of a long table, as long as such rows are, with esa.local> in the middle";
const ROWS_OF_TABLE: usize = 40_000;

#[derive(Clone)]
struct Host {
    rules: Rules,
    attempts: Arc<AtomicUsize>,
    asked: usize,
    shell: Option<ChannelId>,
    typed: Vec<u8>,
    algorithms: Arc<Mutex<Vec<String>>>,
}

impl server::Server for Host {
    type Handler = Host;
    fn new_client(&mut self, _: Option<std::net::SocketAddr>) -> Host {
        self.clone()
    }
}

impl Host {
    fn verdict(&self, right: bool) -> Auth {
        self.attempts.fetch_add(1, Ordering::SeqCst);
        if right { Auth::Accept } else { Auth::reject() }
    }
}

impl server::Handler for Host {
    type Error = russh::Error;

    async fn auth_password(&mut self, _: &str, password: &str) -> Result<Auth, russh::Error> {
        Ok(self.verdict(password == PASSWORD))
    }

    async fn auth_publickey(&mut self, _: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, russh::Error> {
        self.algorithms.lock().expect("the list").push(key.algorithm.as_str().to_owned());
        let right = self.rules.key.as_deref() == Some(fingerprint(key.public_key).as_str());
        if right && self.rules.partial {
            self.attempts.fetch_add(1, Ordering::SeqCst);
            let rest: &[MethodKind] = &[MethodKind::Password];
            return Ok(Auth::Reject { proceed_with_methods: Some(MethodSet::from(rest)), partial_success: true });
        }
        Ok(self.verdict(right))
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        _: &str,
        _: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, russh::Error> {
        if let Some(mut response) = response {
            let right = response.next().is_some_and(|answer| answer.as_ref() == PASSWORD.as_bytes());
            if !right && !self.rules.asks_again {
                return Ok(self.verdict(false));
            }
            self.attempts.fetch_add(1, Ordering::SeqCst);
        }
        match self.rules.prompts.get(self.asked) {
            None => Ok(Auth::Accept),
            Some((prompt, echo)) => {
                self.asked += 1;
                let prompts = vec![(Cow::Borrowed(*prompt), *echo)];
                Ok(Auth::Partial { name: "".into(), instructions: "".into(), prompts: prompts.into() })
            }
        }
    }

    async fn authentication_banner(&mut self) -> Result<Option<String>, russh::Error> {
        Ok(Some("Authorized use only.\n".to_owned()))
    }

    async fn channel_open_session(
        &mut self,
        _: Channel<server::Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        if self.rules.gives_shell {
            reply.accept().await;
        }
        Ok(())
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        channel: Channel<server::Msg>,
        host: &str,
        port: u32,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        let target = (host.to_owned(), u16::try_from(port).expect("a port"));
        reply.accept().await;
        tokio::spawn(async move {
            let mut there = TcpStream::connect(target).await.expect("the gateway");
            let mut here = channel.into_stream();
            let _ = tokio::io::copy_bidirectional(&mut here, &mut there).await;
        });
        Ok(())
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        _: &str,
        columns: u32,
        _: u32,
        _: u32,
        _: u32,
        _: &[(russh::Pty, u32)],
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        session.data(channel, format!("{columns} columns\r\n").into_bytes())
    }

    async fn shell_request(&mut self, channel: ChannelId, session: &mut Session) -> Result<(), russh::Error> {
        self.shell = Some(channel);
        session.channel_success(channel)?;
        session.data(channel, b"esa.local> ".to_vec())
    }

    async fn data(&mut self, channel: ChannelId, data: &[u8], session: &mut Session) -> Result<(), russh::Error> {
        if self.shell != Some(channel) {
            return Ok(());
        }
        if data == b"exit\n" {
            session.eof(channel)?;
            return session.close(channel);
        }
        self.typed.extend_from_slice(data);
        if !self.typed.ends_with(b"\n") {
            return Ok(());
        }
        let command = String::from_utf8_lossy(&std::mem::take(&mut self.typed)).trim().to_owned();
        let answer = match command.as_str() {
            "version" => "Version: 15.0.0-104\r\n".to_owned(),
            "table" => format!("{ROW}\r\n").repeat(ROWS_OF_TABLE),
            _ => String::new(),
        };
        let answer = format!("{command}\r\n{answer}esa.local> ").into_bytes();
        let handle = session.handle();
        // A long answer has to wait for the client's window: not here, where the session would wait for itself.
        tokio::spawn(async move { handle.data(channel, answer).await });
        Ok(())
    }
}

/// A running server.
struct Running {
    port: u16,
    fingerprint: String,
    key: PrivateKey,
    attempts: Arc<AtomicUsize>,
    algorithms: Arc<Mutex<Vec<String>>>,
}

fn new_key() -> PrivateKey {
    PrivateKey::random(&mut russh::keys::key::safe_rng(), Algorithm::Ed25519).expect("a key")
}

async fn serve(rules: Rules) -> Running {
    let key = new_key();
    let socket = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let mut preferred = Preferred::DEFAULT;
    if let Some(only) = &rules.only {
        preferred.key = Cow::Owned(vec![only.clone()]);
    }
    if let Some(exchange) = rules.exchange {
        preferred.kex = Cow::Owned(vec![exchange]);
    }
    let config = server::Config {
        methods: MethodSet::from(rules.methods.as_slice()),
        keys: vec![key.clone()],
        auth_rejection_time: Duration::from_millis(1),
        preferred,
        ..server::Config::default()
    };
    let (attempts, algorithms) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
    let running = Running {
        port: socket.local_addr().expect("an address").port(),
        fingerprint: fingerprint(key.public_key()),
        key,
        attempts: Arc::clone(&attempts),
        algorithms: Arc::clone(&algorithms),
    };
    let mut host = Host { rules, attempts, asked: 0, shell: None, typed: Vec::new(), algorithms };
    tokio::spawn(async move { host.run_on_socket(Arc::new(config), &socket).await });
    running
}

impl Running {
    fn login(&self) -> Login {
        Login {
            host: "127.0.0.1".into(),
            port: self.port,
            username: "terraform".into(),
            password: Some(PASSWORD.into()),
            private_key: None,
            private_key_passphrase: None,
            host_keys: vec![self.fingerprint.clone()],
            legacy_algorithms: false,
            jump_host: None,
        }
    }

    fn attempts(&self) -> usize {
        self.attempts.load(Ordering::SeqCst)
    }
}

async fn greeting(line: &mut Box<dyn Line>) -> String {
    let mut greeting = Vec::new();
    while !greeting.ends_with(b"> ") {
        greeting.extend(line.receive().await.expect("bytes").expect("more"));
    }
    String::from_utf8_lossy(&greeting).into_owned()
}

async fn fails(login: &Login, kind: Kind, words: &[&str]) -> Error {
    let Err(error) = open(login).await else { panic!("the login worked") };
    assert_eq!(error.kind, kind, "{error}");
    for word in words {
        assert!(error.to_string().contains(word), "{error} does not contain {word:?}");
    }
    assert!(!format!("{error:?} {:?}", error.diagnostic("x")).contains(PASSWORD));
    error
}

#[tokio::test]
async fn a_shell_is_opened_by_password_and_closed() {
    let host = serve(Rules::default()).await;
    let mut line = open(&host.login()).await.expect("a line");
    assert_eq!(greeting(&mut line).await, "1000 columns\r\nesa.local> ");
    line.send(b"hello\n").await.expect("sent");
    assert_eq!(line.receive().await.expect("bytes"), Some(b"hello\r\nesa.local> ".to_vec()));
    line.send(b"exit\n").await.expect("sent");
    assert_eq!(line.receive().await.expect("the end"), None);
    line.close().await;
    assert_eq!(host.attempts(), 1);
}

#[tokio::test]
async fn g01_an_unknown_host_key_is_refused_before_any_credential() {
    let host = serve(Rules::default()).await;
    let login = Login { host_keys: Vec::new(), ..host.login() };
    let error = fails(&login, Kind::Denied, &[&host.fingerprint, "gateway.host_keys", "MAILFLOW_GATEWAY_HOST_KEYS"]).await;
    assert!(error.to_string().contains(&format!("host_keys = [\"{}\"]", host.fingerprint)), "{error}");
    assert_eq!(host.attempts(), 0);
}

#[tokio::test]
async fn g02_a_changed_host_key_shows_both() {
    let host = serve(Rules::default()).await;
    let other = fingerprint(new_key().public_key());
    for pin in [other.clone(), format!("[127.0.0.1]:{} {}", host.port, new_key().public_key().to_openssh().expect("a key"))] {
        let login = Login { host_keys: vec![pin.clone()], ..host.login() };
        let shown = if pin.starts_with("SHA256") { other.as_str() } else { "(ssh-ed25519)" };
        fails(&login, Kind::Denied, &[&host.fingerprint, shown, "not the one that is pinned"]).await;
    }
    assert_eq!(host.attempts(), 0);
    let line = format!("[127.0.0.1]:{} {}", host.port, host.key.public_key().to_openssh().expect("a key"));
    open(&Login { host_keys: vec![line], ..host.login() }).await.expect("the pinned key").close().await;
}

#[tokio::test]
async fn g03_a_jump_host_has_a_key_and_credentials_of_its_own() {
    let (jump, gateway) = (serve(Rules::default()).await, serve(Rules::default()).await);
    let through = |jump_host: Login| Login { jump_host: Some(Box::new(jump_host)), ..gateway.login() };
    let mut line = open(&through(jump.login())).await.expect("a line");
    assert!(greeting(&mut line).await.ends_with("esa.local> "));
    line.close().await;
    assert_eq!((jump.attempts(), gateway.attempts()), (1, 1));

    let unknown = Login { host_keys: vec![gateway.fingerprint.clone()], ..jump.login() };
    fails(&through(unknown), Kind::Denied, &["jump host 127.0.0.1", "`gateway.jump_host.host_keys`", &jump.fingerprint]).await;
    let wrong = Login { password: Some("wrong".into()), ..jump.login() };
    fails(&through(wrong), Kind::Denied, &["jump host", "`gateway.jump_host.password`"]).await;
    let unpinned = Login { host_keys: vec![jump.fingerprint.clone()], ..through(jump.login()) };
    fails(&unpinned, Kind::Denied, &["the gateway 127.0.0.1", "`gateway.host_keys`", &gateway.fingerprint]).await;
    assert_eq!(gateway.attempts(), 1);
}

#[tokio::test]
async fn g04_a_wrong_password_is_tried_once() {
    let both = vec![MethodKind::Password, MethodKind::KeyboardInteractive];
    let interactive = Rules {
        methods: vec![MethodKind::KeyboardInteractive],
        prompts: vec![("Password: ", false), ("Password: ", false)],
        ..Rules::default()
    };
    for rules in [Rules { methods: both, ..Rules::default() }, interactive] {
        let host = serve(rules).await;
        let login = Login { password: Some("wrong".into()), ..host.login() };
        let error =
            fails(&login, Kind::Denied, &["gateway.password", "MAILFLOW_GATEWAY_PASSWORD", "gateway.username", "locked"]).await;
        assert!(!error.retryable);
        assert!(error.context.iter().any(|(_, words)| words.contains("Authorized use only.")), "{:?}", error.context);
        assert_eq!(host.attempts(), 1);
    }
}

#[tokio::test]
async fn g04_a_server_that_asks_for_the_password_again_gets_no_second_answer() {
    let prompts = vec![("Password: ", false), ("Password: ", false)];
    let host =
        serve(Rules { methods: vec![MethodKind::KeyboardInteractive], prompts, asks_again: true, ..Rules::default() }).await;
    fails(&Login { password: Some("wrong".into()), ..host.login() }, Kind::Denied, &["asks"]).await;
    assert_eq!(host.attempts(), 1);
}

#[tokio::test]
async fn g04_the_password_is_given_to_a_hidden_prompt_for_it_and_to_nothing_else() {
    for (prompts, works) in [
        (vec![("Password:", false)], true),
        (vec![("terraform@esa1's passphrase: ", false)], true),
        (vec![("Password:", true)], false),
        (vec![("Verification code: ", false)], false),
        (vec![("Password:", false), ("Verification code: ", false)], false),
        (vec![("Password:", false), ("New password: ", false)], false),
        (vec![("Enter one-time password: ", false)], false),
        (vec![("Your current password: ", false)], false),
    ] {
        let host =
            serve(Rules { methods: vec![MethodKind::KeyboardInteractive], prompts: prompts.clone(), ..Rules::default() }).await;
        let outcome = open(&host.login()).await;
        assert_eq!(outcome.is_ok(), works, "{prompts:?}");
        if let Err(error) = outcome {
            assert_eq!((error.kind, error.retryable), (Kind::Denied, false));
            assert!(prompts.iter().any(|(prompt, _)| error.message.contains(prompt.trim())), "{error}");
        }
        assert!(host.attempts() <= 1, "{prompts:?}");
    }
}

#[tokio::test]
async fn a_private_key_opens_the_shell_and_is_tried_once() {
    let key = new_key();
    let print = fingerprint(key.public_key());
    let rules = Rules { methods: vec![MethodKind::PublicKey, MethodKind::Password], key: Some(print), ..Rules::default() };
    let host = serve(rules.clone()).await;
    let pem = key.to_openssh(LineEnding::LF).expect("pem").to_string();
    let with = |pem: String, passphrase: Option<&str>| Login {
        private_key: Some(pem.into()),
        private_key_passphrase: passphrase.map(Into::into),
        ..host.login()
    };
    open(&with(pem.replace('\n', "\r\n    "), None)).await.expect("a line").close().await;
    let sealed = key
        .encrypt(&mut russh::keys::key::safe_rng(), "opener")
        .expect("sealed")
        .to_openssh(LineEnding::LF)
        .expect("pem")
        .to_string();
    open(&with(sealed.clone(), Some("opener"))).await.expect("a line").close().await;
    assert_eq!(host.attempts(), 2);

    let other = new_key().to_openssh(LineEnding::LF).expect("pem").to_string();
    fails(&with(other, None), Kind::Denied, &["gateway.private_key", "MAILFLOW_GATEWAY_PRIVATE_KEY"]).await;
    assert_eq!(host.attempts(), 3, "the password was not tried after the key");

    for (pem, passphrase, words) in [
        (sealed.clone(), None, "gateway.private_key_passphrase"),
        (sealed, Some("wrong"), "gateway.private_key_passphrase"),
        ("~/.ssh/id_ed25519".to_owned(), None, "not its path"),
        (pem.replace("KEY-----\nb3Bl", "KEY-----\nAAAA"), None, "cannot be read"),
    ] {
        let error = check(&with(pem.clone(), passphrase)).expect_err("unreadable");
        assert_eq!(error.kind, Kind::Invalid);
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[tokio::test]
async fn an_rsa_key_signs_with_sha_2() {
    let key = russh::keys::ssh_key::private::RsaKeypair::random(&mut russh::keys::key::safe_rng(), 2048).expect("a key");
    let key = PrivateKey::from(key);
    let rules = Rules { methods: vec![MethodKind::PublicKey], key: Some(fingerprint(key.public_key())), ..Rules::default() };
    let host = serve(rules).await;
    let pem = key.to_openssh(LineEnding::LF).expect("pem").to_string();
    open(&Login { private_key: Some(pem.into()), password: None, ..host.login() }).await.expect("a line").close().await;
    let algorithms = host.algorithms.lock().expect("the list").clone();
    assert!(!algorithms.is_empty() && algorithms.iter().all(|algorithm| algorithm.starts_with("rsa-sha2-")), "{algorithms:?}");
}

#[tokio::test]
async fn a_second_step_is_done_with_the_password_that_is_set_or_not_at_all() {
    let key = new_key();
    let rules = Rules {
        methods: vec![MethodKind::PublicKey, MethodKind::Password],
        key: Some(fingerprint(key.public_key())),
        partial: true,
        ..Rules::default()
    };
    let host = serve(rules).await;
    let pem = key.to_openssh(LineEnding::LF).expect("pem").to_string();
    let login = Login { private_key: Some(pem.into()), ..host.login() };
    open(&login).await.expect("a line").close().await;
    fails(&Login { password: None, ..login }, Kind::Denied, &["wants more: password"]).await;
}

#[tokio::test]
async fn g05_a_host_that_hangs_up_or_is_not_there_may_be_tried_again() {
    let socket = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = socket.local_addr().expect("an address").port();
    let host = serve(Rules::default()).await;
    let login = Login { port, ..host.login() };
    let hanging_up = tokio::spawn(async move {
        let accepted = socket.accept().await;
        drop(accepted);
        drop(socket);
    });
    assert!(fails(&login, Kind::Unavailable, &["SSH handshake"]).await.retryable);
    hanging_up.await.expect("done");
    assert!(fails(&login, Kind::Unavailable, &["cannot be reached"]).await.retryable);

    let full = serve(Rules { gives_shell: false, ..Rules::default() }).await;
    assert!(fails(&full.login(), Kind::Unavailable, &["no shell"]).await.retryable);
}

#[tokio::test]
async fn old_algorithms_are_only_used_where_that_is_set() {
    let host = serve(Rules { exchange: Some(kex::DH_G14_SHA1), ..Rules::default() }).await;
    let error = fails(&host.login(), Kind::Unavailable, &["diffie-hellman-group14-sha1", "legacy_algorithms"]).await;
    assert!(!error.retryable);
    open(&Login { legacy_algorithms: true, ..host.login() }).await.expect("a line").close().await;
}

fn settings(login: Login) -> Settings {
    let commit = CommitSettings {
        comment: String::new(),
        quiet_period: Duration::from_millis(250),
        timeout: Duration::from_secs(30),
        rollback_snapshot: false,
    };
    Settings { login, cluster: Level::Standalone, commit, pending_changes: PendingChanges::Error, read_only: false, api: None }
}

#[tokio::test]
async fn a_session_is_prepared_over_ssh_and_shows_a_table_of_megabytes() {
    let host = serve(Rules::default()).await;
    let connector = Connector::new(settings(host.login()));
    let mut session = connector.connect().await.expect("a session");
    assert_eq!(session.release(), Some("15.0.0-104"));
    let table = session.show("table").await.expect("the table");
    assert_eq!(table.lines().filter(|line| *line == ROW).count(), ROWS_OF_TABLE);
    session.close().await;
}

#[tokio::test]
async fn g04_a_refused_login_is_remembered_and_not_tried_again() {
    let host = serve(Rules::default()).await;
    let connector = Connector::new(settings(Login { password: Some("wrong".into()), ..host.login() }));
    let outcomes = futures::future::join_all((0..8).map(|_| connector.connect())).await;
    for outcome in outcomes {
        assert_eq!(outcome.err().expect("refused").kind, Kind::Denied);
    }
    assert_eq!(host.attempts(), 1);
}

#[test]
fn c16_a_login_without_credentials_names_the_settings() {
    let login = Login {
        host: "esa1".into(),
        port: 22,
        username: "terraform".into(),
        password: None,
        private_key: None,
        private_key_passphrase: None,
        host_keys: Vec::new(),
        legacy_algorithms: false,
        jump_host: None,
    };
    let error = check(&login).expect_err("no credentials");
    assert!(error.to_string().contains("MAILFLOW_GATEWAY_PASSWORD"), "{error}");
    let jump = Login { jump_host: Some(Box::new(login.clone())), password: Some("x".into()), ..login };
    assert!(check(&jump).expect_err("no credentials").to_string().contains("`gateway.jump_host.password`"));
}

/// A host that says this and nothing more.
async fn saying(banner: &'static [u8]) -> u16 {
    use tokio::io::AsyncWriteExt as _;
    let socket = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = socket.local_addr().expect("an address").port();
    tokio::spawn(async move {
        let (mut stream, _) = socket.accept().await.expect("a connection");
        stream.write_all(banner).await.expect("sent");
        std::future::pending::<()>().await;
    });
    port
}

#[tokio::test(start_paused = true)]
async fn rs7_a_silent_host_costs_half_a_minute_and_one_with_a_banner_was_heard() {
    let host = serve(Rules::default()).await;
    for (banner, unheard) in [(&b""[..], true), (b"SSH-2.0-Cisco\r\n", false)] {
        let login = Login { port: saying(banner).await, ..host.login() };
        let begin = Instant::now();
        let error = fails(&login, Kind::Unavailable, &["did not complete the SSH handshake within 30 s", "gateway.port"]).await;
        assert_eq!((error.retryable, error.unheard), (true, unheard));
        assert!(error.context.contains(&("phase", "SSH handshake".to_owned())), "{:?}", error.context);
        assert!(begin.elapsed() <= PROMPT_LIMIT + Duration::from_secs(1), "{:?}", begin.elapsed());
    }
}
