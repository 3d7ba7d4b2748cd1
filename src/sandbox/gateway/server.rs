//! The SSH side: connections, logins, channels.

use std::borrow::Cow;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use russh::kex::DH_G14_SHA1;
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::keys::{PrivateKey, PublicKey};
use russh::server::{
    Auth, ChannelOpenHandle, Config, Handle, Handler, Msg, PublicKeyOffer, Response, Session, VerifiedPublicKey,
};
use russh::{Channel, ChannelId, ChannelMsg, ChannelOpenFailure, Disconnect, MethodKind, MethodSet, Preferred, Pty, SshId};
use time::OffsetDateTime;
use tokio::io::{copy_bidirectional, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::faults::{Break, Kind, Point};
use super::line::{Key, Line, Manner, Stop};
use super::options::{ChangeSets, Login};
use super::shell::{Work, run};
use super::state::{Session as Entry, Shared};
use super::terminal::Terminal;

/// Makes a host key of a seed.
pub(super) fn host_key(seed: u64) -> PrivateKey {
    let mut bytes = [0x5a; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    PrivateKey::from(Ed25519Keypair::from_seed(&bytes))
}

/// Takes connections until the token is cancelled.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>, seed: u64, stop: CancellationToken) {
    let keys = [host_key(seed), host_key(seed.wrapping_add(1))].map(|key| Arc::new(config(&shared, key)));
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        // A connection that is gone before it is taken is none.
        let Ok((stream, peer)) = accepted else { continue };
        let (number, token, wrong_key) = {
            let mut state = shared.state();
            let full = state.connections.len() >= shared.options.max_sessions;
            let broken = state.faults.at(&Point::Connect);
            if full || state.faults.take(Kind::ConnectionLimit) || broken.is_some() {
                state.counters.refused_connections += 1;
                if broken == Some(Break::Hang) {
                    let stop = stop.clone();
                    tokio::spawn(async move {
                        stop.cancelled().await;
                        drop(stream);
                    });
                }
                continue;
            }
            state.counters.connections += 1;
            let number = state.number();
            let token = stop.child_token();
            state.connections.insert(number, token.clone());
            (number, token, state.faults.take(Kind::WrongHostKey))
        };
        let config = Arc::clone(&keys[usize::from(wrong_key)]);
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            connection(stream, peer, config, Arc::clone(&shared), token).await;
            shared.state().connections.remove(&number);
        });
    }
}

fn config(shared: &Shared, key: PrivateKey) -> Config {
    let mut methods = MethodSet::empty();
    if !shared.options.authorized_keys.is_empty() || shared.options.login == Login::PublicKeyOnly {
        methods.push(MethodKind::PublicKey);
    }
    if matches!(shared.options.login, Login::Both | Login::Password) {
        methods.push(MethodKind::Password);
    }
    if matches!(shared.options.login, Login::Both | Login::KeyboardInteractive) || shared.options.passcode.is_some() {
        methods.push(MethodKind::KeyboardInteractive);
    }
    let preferred = if shared.options.legacy_key_exchange {
        Preferred { kex: Cow::Borrowed(&[DH_G14_SHA1]), ..Preferred::default() }
    } else {
        Preferred::default()
    };
    Config {
        preferred,
        server_id: SshId::Standard(Cow::Borrowed("SSH-2.0-OpenSSH_8.8")),
        methods,
        auth_rejection_time: Duration::ZERO,
        auth_rejection_time_initial: Some(Duration::ZERO),
        keys: vec![key],
        inactivity_timeout: None,
        max_auth_attempts: 6,
        ..Config::default()
    }
}

/// Runs one connection. The stream is copied through a pipe, so that cancelling the token cuts it at once, without farewell.
async fn connection(mut stream: TcpStream, peer: SocketAddr, config: Arc<Config>, shared: Arc<Shared>, token: CancellationToken) {
    // Prompts are small packets; without this each would wait for the acknowledgement of the one before. A socket that refuses is only slow.
    let _ = stream.set_nodelay(true);
    let (mut outside, inside) = duplex(64 * 1024);
    let client = Client {
        shared,
        peer,
        token: token.clone(),
        keys: Vec::new(),
        password_passed: false,
        expired: false,
        second_factor: None,
        user: String::new(),
        opened: HashMap::new(),
        running: HashMap::new(),
        columns: HashMap::new(),
    }
    .with_keys();
    let session = async {
        // What goes wrong between two ends of one machine is the client's to report.
        if let Ok(session) = russh::server::run_stream(config, inside, client).await {
            let _ = session.await;
        }
    };
    // Its ends go with it: a connection that is reset is the end of the session, too.
    let pipe = async move {
        let _ = copy_bidirectional(&mut stream, &mut outside).await;
    };
    tokio::select! {
        () = token.cancelled() => {}
        () = async { tokio::join!(session, pipe); } => {}
    }
}

/// Holds one connection's login and channels.
struct Client {
    shared: Arc<Shared>,
    peer: SocketAddr,
    token: CancellationToken,
    keys: Vec<PublicKey>,
    password_passed: bool,
    expired: bool,
    /// Whether this connection is asked for a second factor, once that is settled.
    second_factor: Option<bool>,
    user: String,
    opened: HashMap<ChannelId, Channel<Msg>>,
    running: HashMap<ChannelId, mpsc::UnboundedSender<Key>>,
    columns: HashMap<ChannelId, usize>,
}

impl Client {
    fn with_keys(mut self) -> Client {
        self.keys = self.shared.options.authorized_keys.iter().filter_map(|line| PublicKey::from_openssh(line).ok()).collect();
        self
    }

    fn allows(&self, method: MethodKind) -> bool {
        match method {
            MethodKind::Password => matches!(self.shared.options.login, Login::Both | Login::Password),
            MethodKind::KeyboardInteractive => matches!(self.shared.options.login, Login::Both | Login::KeyboardInteractive),
            _ => true,
        }
    }

    /// Checks name and password, and lets the login faults happen.
    fn password_is_right(&mut self, user: &str, password: &str) -> bool {
        let options = &self.shared.options;
        let right = user == options.username && password == options.password;
        let mut state = self.shared.state();
        let good = right && !state.faults.take(Kind::RejectLogins);
        if !good {
            state.counters.failed_logins += 1;
        }
        good
    }

    fn wants_second_factor(&mut self) -> bool {
        let wanted = self.shared.options.passcode.is_some();
        let shared = Arc::clone(&self.shared);
        *self.second_factor.get_or_insert_with(|| shared.state().faults.take(Kind::SecondFactor) || wanted)
    }

    fn begin(&mut self, channel: ChannelId, work: Work, handle: Handle) {
        let Some(opened) = self.opened.remove(&channel) else { return };
        let (mut reader, writer) = opened.split();
        let (sender, receiver) = mpsc::unbounded_channel();
        self.running.insert(channel, sender.clone());
        // The channel's own buffer is small, and a full one would stop the whole connection: everything is taken out at once.
        tokio::spawn(async move {
            while let Some(message) = reader.wait().await {
                let key = match message {
                    ChannelMsg::Data { data } => Key::Bytes(data.to_vec()),
                    ChannelMsg::WindowChange { col_width, .. } => Key::Columns(col_width),
                    ChannelMsg::Eof | ChannelMsg::Close => Key::End,
                    _ => continue,
                };
                if sender.send(key).is_err() {
                    return;
                }
            }
            let _ = sender.send(Key::End);
        });
        let options = &self.shared.options;
        let manner = Manner {
            columns: self.columns.get(&channel).copied(),
            rows: options.pager_rows,
            chunk: options.output_chunk,
            noise: options.ansi_noise,
            idle: options.idle_limit,
        };
        let line = Line::new(receiver, writer, self.token.clone(), manner);
        let (shared, user, from) = (Arc::clone(&self.shared), self.user.clone(), self.peer.ip().to_string());
        let number = shared.state().number();
        let entry = Entry { user: user.clone(), login: OffsetDateTime::now_utc(), from, doing: "cli".into() };
        shared.state().sessions.insert(number, entry);
        let token = self.token.clone();
        tokio::spawn(async move {
            let mut terminal = Terminal::new(line, Arc::clone(&shared), number, user);
            let owner = terminal.owner();
            let stop = tokio::select! {
                () = token.cancelled() => Stop::Closed,
                stop = run(&mut terminal, work) => stop,
            };
            {
                let mut state = shared.state();
                state.sessions.remove(&number);
                if stop == Stop::Idle || shared.options.change_sets == ChangeSets::PerSession {
                    state.change_sets.remove(&owner);
                }
            }
            if stop == Stop::Idle {
                // The client may have left already.
                let _ = handle.disconnect(Disconnect::ByApplication, "Session expired".into(), String::new()).await;
            }
        });
    }
}

fn prompt(text: &'static str) -> Auth {
    Auth::Partial { name: "".into(), instructions: "".into(), prompts: Cow::Owned(vec![(Cow::Borrowed(text), false)]) }
}

impl Handler for Client {
    type Error = russh::Error;

    async fn authentication_banner(&mut self) -> Result<Option<String>, Self::Error> {
        Ok(self.shared.options.banner.clone())
    }

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
        if !self.allows(MethodKind::Password) || !self.password_is_right(user, password) {
            return Ok(Auth::reject());
        }
        user.clone_into(&mut self.user);
        if self.wants_second_factor() {
            self.password_passed = true;
            let mut next = MethodSet::empty();
            next.push(MethodKind::KeyboardInteractive);
            return Ok(Auth::Reject { proceed_with_methods: Some(next), partial_success: true });
        }
        Ok(Auth::Accept)
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        user: &str,
        _submethods: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, Self::Error> {
        if !self.password_passed && !self.allows(MethodKind::KeyboardInteractive) {
            return Ok(Auth::reject());
        }
        let answers: Option<Vec<String>> =
            response.map(|answers| answers.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect());
        let Some(answer) = answers.as_ref().and_then(|answers| answers.first()) else {
            return Ok(prompt(if self.password_passed { "Enter passcode: " } else { "Password: " }));
        };
        if self.expired {
            self.shared.state().counters.failed_logins += 1;
            return Ok(Auth::reject());
        }
        if self.password_passed {
            let good = self.shared.options.passcode.as_ref() == Some(answer);
            if !good {
                self.shared.state().counters.failed_logins += 1;
            }
            return Ok(if good { Auth::Accept } else { Auth::reject() });
        }
        if !self.password_is_right(user, answer) {
            return Ok(Auth::reject());
        }
        user.clone_into(&mut self.user);
        if self.wants_second_factor() {
            self.password_passed = true;
            return Ok(prompt("Enter passcode: "));
        }
        if self.shared.state().faults.take(Kind::PassphraseExpired) {
            self.expired = true;
            return Ok(prompt("Your passphrase has expired. New passphrase: "));
        }
        Ok(Auth::Accept)
    }

    async fn auth_publickey_offered(&mut self, user: &str, offer: PublicKeyOffer<'_>) -> Result<Auth, Self::Error> {
        let known =
            user == self.shared.options.username && self.keys.iter().any(|key| key.key_data() == offer.public_key.key_data());
        Ok(if known { Auth::Accept } else { Auth::reject() })
    }

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        let known =
            user == self.shared.options.username && self.keys.iter().any(|known| known.key_data() == key.public_key.key_data());
        if !known || self.shared.state().faults.take(Kind::RejectLogins) {
            self.shared.state().counters.failed_logins += 1;
            return Ok(Auth::reject());
        }
        user.clone_into(&mut self.user);
        Ok(Auth::Accept)
    }

    async fn auth_succeeded(&mut self, _session: &mut Session) -> Result<(), Self::Error> {
        self.shared.state().counters.logins += 1;
        Ok(())
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.opened.insert(channel.id(), channel);
        reply.accept().await;
        Ok(())
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        channel: Channel<Msg>,
        host: &str,
        port: u32,
        _originator: &str,
        _originator_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        // Nothing but loopback: the stand-in reaches no other machine.
        let address = host.parse::<std::net::IpAddr>().ok().filter(std::net::IpAddr::is_loopback);
        let target = address.zip(u16::try_from(port).ok()).filter(|_| self.shared.options.forwards);
        let Some(target) = target else {
            reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await;
            return Ok(());
        };
        let Ok(mut there) = TcpStream::connect(target).await else {
            reply.reject(ChannelOpenFailure::ConnectFailed).await;
            return Ok(());
        };
        // As for the connection itself: a socket that refuses is only slow.
        let _ = there.set_nodelay(true);
        reply.accept().await;
        let token = self.token.clone();
        tokio::spawn(async move {
            let mut here = channel.into_stream();
            // A connection that is reset is the end of the forwarding, too.
            tokio::select! {
                () = token.cancelled() => {}
                _ = copy_bidirectional(&mut here, &mut there) => {}
            }
        });
        Ok(())
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        _term: &str,
        col_width: u32,
        _row_height: u32,
        _pix_width: u32,
        _pix_height: u32,
        _modes: &[(Pty, u32)],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        // A width of 0 means that the client does not say; 80 is what a terminal then has.
        let asked = if col_width == 0 { 80 } else { usize::try_from(col_width).unwrap_or(usize::MAX) };
        let columns = self.shared.options.columns.unwrap_or(asked);
        self.columns.insert(channel, columns);
        session.channel_success(channel)
    }

    async fn shell_request(&mut self, channel: ChannelId, session: &mut Session) -> Result<(), Self::Error> {
        session.channel_success(channel)?;
        let expired = self.shared.state().faults.take(Kind::PassphraseExpired);
        self.begin(channel, Work::Shell { expired }, session.handle());
        Ok(())
    }

    async fn exec_request(&mut self, channel: ChannelId, data: &[u8], session: &mut Session) -> Result<(), Self::Error> {
        session.channel_success(channel)?;
        let text = String::from_utf8_lossy(data).into_owned();
        self.begin(channel, Work::Exec(text), session.handle());
        Ok(())
    }

    async fn subsystem_request(&mut self, channel: ChannelId, _name: &str, session: &mut Session) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }
}
