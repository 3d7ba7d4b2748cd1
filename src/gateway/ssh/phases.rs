//! Each phase of a first contact has a limit and words of its own: a peer that falls silent, hangs up or resets the line there. The clock
//! runs until the peer stops, so that the handshake has its time, and is paused from then until the next connection.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use russh::keys::Algorithm;
use russh::server::{self, Auth, ChannelOpenHandle, Server as _, Session};
use russh::{Channel, ChannelId};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::*;
use crate::gateway::session::Connector;
use crate::gateway::settings::{CommitSettings, Level, PendingChanges, Settings};

/// Where the peer stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The connection is taken, and nothing is said.
    Connection,
    /// The line with which SSH begins is said, and no more.
    Handshake,
    /// It does not say how one may log in.
    Methods,
    /// It does not answer the password.
    Password,
    /// It opens no channel.
    Channel,
    /// The shell prints no prompt.
    Prompt,
    /// The first command is not answered.
    Command,
    /// As a jump host: it opens no connection to the gateway.
    Forward,
    /// As a jump host: it connects, and nothing is heard from there.
    Behind,
}

/// How it stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Silent,
    Cut,
    Reset,
}

#[derive(Clone)]
struct Host {
    phase: Phase,
    stop: Arc<Notify>,
    logins: Arc<AtomicUsize>,
}

impl Host {
    /// Stops for good if it is the phase to do so.
    async fn at(&self, phase: Phase) {
        if self.phase == phase {
            self.stop.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

impl server::Server for Host {
    type Handler = Host;
    fn new_client(&mut self, _: Option<std::net::SocketAddr>) -> Host {
        self.clone()
    }
}

impl server::Handler for Host {
    type Error = russh::Error;

    async fn auth_none(&mut self, _: &str) -> Result<Auth, russh::Error> {
        self.at(Phase::Methods).await;
        Ok(Auth::reject())
    }

    async fn auth_password(&mut self, _: &str, _: &str) -> Result<Auth, russh::Error> {
        self.logins.fetch_add(1, Ordering::SeqCst);
        self.at(Phase::Password).await;
        Ok(Auth::Accept)
    }

    async fn channel_open_session(
        &mut self,
        _: Channel<server::Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        self.at(Phase::Channel).await;
        reply.accept().await;
        Ok(())
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        mut channel: Channel<server::Msg>,
        _: &str,
        _: u32,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        self.at(Phase::Forward).await;
        reply.accept().await;
        let stop = Arc::clone(&self.stop);
        tokio::spawn(async move {
            // The client's first words to the gateway behind: the way is open.
            channel.wait().await;
            stop.notify_one();
            std::future::pending::<()>().await;
        });
        Ok(())
    }

    async fn shell_request(&mut self, channel: ChannelId, session: &mut Session) -> Result<(), russh::Error> {
        session.channel_success(channel)?;
        self.at(Phase::Prompt).await;
        session.data(channel, b"esa.local> ".to_vec())
    }

    async fn data(&mut self, _: ChannelId, _: &[u8], _: &mut Session) -> Result<(), russh::Error> {
        self.at(Phase::Command).await;
        Ok(())
    }
}

/// The clock of a test.
#[derive(Default)]
struct Clock(AtomicBool);

impl Clock {
    fn pause(&self) {
        if !self.0.swap(true, Ordering::SeqCst) {
            tokio::time::pause();
        }
    }

    fn resume(&self) {
        if self.0.swap(false, Ordering::SeqCst) {
            tokio::time::resume();
        }
    }
}

/// A peer, and how many logins it saw.
async fn peer(phase: Phase, how: How, clock: Arc<Clock>) -> (Login, Arc<AtomicUsize>) {
    let key = PrivateKey::random(&mut russh::keys::key::safe_rng(), Algorithm::Ed25519).expect("a key");
    let (stop, logins) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
    let login = |port: u16| Login {
        host: "127.0.0.1".into(),
        port,
        username: "terraform".into(),
        password: Some("correct horse".into()),
        private_key: None,
        private_key_passphrase: None,
        host_keys: vec![fingerprint(key.public_key())],
        legacy_algorithms: false,
        jump_host: None,
    };
    let config = server::Config {
        methods: MethodSet::from([MethodKind::Password].as_slice()),
        keys: vec![key.clone()],
        auth_rejection_time: Duration::from_millis(1),
        auth_rejection_time_initial: Some(Duration::ZERO),
        ..server::Config::default()
    };
    let server = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let behind = server.local_addr().expect("an address");
    let mut host = Host { phase, stop: Arc::clone(&stop), logins: Arc::clone(&logins) };
    tokio::spawn(async move { host.run_on_socket(Arc::new(config), &server).await });
    // The line goes through here, where it can be cut and reset.
    let front = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = front.local_addr().expect("an address").port();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((mut client, _)) = front.accept().await {
            clock.resume();
            match phase {
                Phase::Connection => {}
                Phase::Handshake => {
                    use tokio::io::AsyncWriteExt as _;
                    client.write_all(b"SSH-2.0-Cisco\r\n").await.expect("said");
                }
                _ => {
                    let mut there = TcpStream::connect(behind).await.expect("the server");
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut client, &mut there) => {}
                        () = stop.notified() => {}
                    }
                    held.push(there);
                }
            }
            clock.pause();
            match how {
                How::Silent => held.push(client),
                How::Cut => drop(client),
                How::Reset => {
                    client.set_zero_linger().expect("set");
                    drop(client);
                }
            }
        }
    });
    (login(port), logins)
}

/// What the first contact says, and how long it took.
async fn contact(login: Login) -> (Error, Duration) {
    let commit = CommitSettings {
        comment: "x".into(),
        quiet_period: Duration::from_millis(250),
        timeout: Duration::from_mins(5),
        rollback_snapshot: false,
    };
    let settings = Settings {
        login,
        cluster: Level::Standalone,
        commit,
        pending_changes: PendingChanges::Error,
        read_only: false,
        api: None,
    };
    let begin = Instant::now();
    let Err(error) = Connector::new(settings).open().await else { panic!("there is a session") };
    (error, begin.elapsed())
}

#[tokio::test]
async fn rs7_each_phase_of_a_contact_has_a_limit_and_words_of_its_own() {
    let seconds = Duration::from_secs;
    // The phase that is told, what is said of silence there, and how long that may take. 30 s to the password prompt, 60 s more for a login.
    let phases = [
        (Phase::Connection, "SSH handshake", "did not complete the SSH handshake within 30 s", PROMPT_LIMIT),
        (Phase::Handshake, "SSH handshake", "did not complete the SSH handshake within 30 s", PROMPT_LIMIT),
        (Phase::Methods, "login", "did not ask for a login of \"terraform\" within 30 s", PROMPT_LIMIT),
        (Phase::Password, "login", "did not answer the login of \"terraform\" within 60 s", LOGIN_LIMIT),
        (Phase::Channel, "shell", "gives no shell", CHANNEL_LIMIT),
        (Phase::Prompt, "first prompt", "", LOGIN_LIMIT),
        (Phase::Command, "first prompt", "did not come to its prompt within 60 s", LOGIN_LIMIT),
    ];
    for (phase, told, words, limit) in phases {
        for how in [How::Silent, How::Cut, How::Reset] {
            let clock = Arc::new(Clock::default());
            let (login, logins) = peer(phase, how, Arc::clone(&clock)).await;
            let place = format!("127.0.0.1:{}", login.port);
            let (error, took) = contact(login).await;
            clock.resume();
            let what = format!("{phase:?} {how:?} {took:?}: {error} {:?}", error.context);
            assert!(error.context.contains(&("phase", told.to_owned())), "{what}");
            let all = format!("{error} {:?}", error.context);
            assert!(all.contains(&place), "{what}");
            let limit = if how == How::Silent { limit } else { seconds(5) };
            assert!(took <= limit + seconds(6), "{what}");
            assert!(how != How::Silent || error.message.contains(words), "{what}");
            // A password that may have been refused is given once; one that was taken, a few times at most.
            let given = logins.load(Ordering::SeqCst);
            match phase {
                Phase::Connection | Phase::Handshake | Phase::Methods => assert_eq!(given, 0, "{what}"),
                Phase::Password => assert_eq!((given, error.kind), (1, Kind::Denied), "{what}"),
                _ => assert!((1..=4).contains(&given), "{given} logins, {what}"),
            }
            let is_before_login = matches!(phase, Phase::Connection | Phase::Handshake | Phase::Methods);
            assert!(error.retryable || !is_before_login, "{what}");
            assert!(!error.retryable || phase != Phase::Password, "{what}");
            assert_eq!(error.unheard, phase == Phase::Connection, "{what}");
        }
    }
}

#[tokio::test]
async fn rs7_a_jump_host_has_the_same_limits_and_the_way_behind_it_has_its_own() {
    let seconds = Duration::from_secs;
    let phases = [
        (
            Phase::Connection,
            "SSH handshake",
            "The jump host 127.0.0.1",
            "did not complete the SSH handshake within 30 s",
            PROMPT_LIMIT,
        ),
        (
            Phase::Methods,
            "login",
            "The jump host 127.0.0.1",
            "did not ask for a login of \"terraform\" within 30 s",
            PROMPT_LIMIT,
        ),
        (
            Phase::Password,
            "login",
            "The jump host 127.0.0.1",
            "did not answer the login of \"terraform\" within 60 s",
            LOGIN_LIMIT,
        ),
        (
            Phase::Forward,
            "connection",
            "The jump host cannot reach the gateway 192.0.2.1",
            "no answer within 20 s",
            CHANNEL_LIMIT,
        ),
        (Phase::Behind, "SSH handshake", "The gateway 192.0.2.1", "did not complete the SSH handshake within 30 s", PROMPT_LIMIT),
    ];
    for (phase, told, who, words, limit) in phases {
        for how in [How::Silent, How::Cut, How::Reset] {
            let clock = Arc::new(Clock::default());
            let (jump, logins) = peer(phase, how, Arc::clone(&clock)).await;
            let gateway = Login { host: "192.0.2.1".into(), port: 22, ..jump.clone() };
            let (error, took) = contact(Login { jump_host: Some(Box::new(jump)), ..gateway }).await;
            clock.resume();
            let what = format!("{phase:?} {how:?} {took:?}: {error} {:?}", error.context);
            assert!(error.context.contains(&("phase", told.to_owned())), "{what}");
            let limit = if how == How::Silent { limit } else { seconds(5) };
            assert!(took <= limit + seconds(6), "{what}");
            let is_told = error.message.starts_with(who) && error.message.contains(words);
            assert!(how != How::Silent || (is_told && took >= limit), "{what}");
            let given = logins.load(Ordering::SeqCst);
            match phase {
                Phase::Connection | Phase::Methods => assert_eq!(given, 0, "{what}"),
                Phase::Password => assert_eq!((given, error.kind), (1, Kind::Denied), "{what}"),
                _ => assert!((1..=4).contains(&given), "{given} logins, {what}"),
            }
        }
    }
}

#[tokio::test]
async fn rs7_a_refused_port_is_told_at_once() {
    let socket = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = socket.local_addr().expect("an address").port();
    drop(socket);
    let (login, _) = peer(Phase::Connection, How::Cut, Arc::default()).await;
    let (error, took) = contact(Login { port, ..login }).await;
    assert!(error.context.contains(&("phase", "connection".to_owned())) && error.unheard, "{error} {:?}", error.context);
    assert!(error.message.contains("cannot be reached") && took < Duration::from_secs(1), "{took:?} {error}");
}
