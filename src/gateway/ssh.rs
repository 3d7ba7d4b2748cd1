//! SSH: from a name and credentials to a shell, directly or through a jump host.
//!
//! No credentials are sent before the host key is known to be the pinned one, on each hop. Each credential is tried once: an account
//! that is locked by a provider that tries again and again would take the administrators' access with it. A question that is not the one for
//! the password (a second factor, a new password) is not answered.

mod listening;

use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use russh::client::{self, AuthResult, Handle, KeyboardInteractiveAuthResponse, Msg, Prompt};
use russh::keys::{HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKeyOrCertificate, decode_secret_key};
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Disconnect, MethodKind, MethodSet};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, timeout, timeout_at};

use self::listening::{Listening, Stream};
use super::algorithms::preferred;
use super::host_key::{HostKeys, Verdict, fingerprint};
use super::settings::Login;
use super::shell::{Line, seconds};
use crate::remote::{Error, Kind, connect};

/// From the first packet to a host until it says how one may log in.
const PROMPT_LIMIT: Duration = Duration::from_secs(30);
const TCP_LIMIT: Duration = Duration::from_secs(20);
/// From then until the login is let in; of the gateway itself, until its shell has come to its prompt.
pub(super) const LOGIN_LIMIT: Duration = Duration::from_mins(1);
const CHANNEL_LIMIT: Duration = Duration::from_secs(20);

/// A commit may take minutes without a byte: firewalls forget such connections.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
const KEEP_ALIVES_LOST: usize = 4;

/// The device breaks lines at the width of the terminal and pages at its height.
const COLUMNS: u32 = 1000;
const ROWS: u32 = 1000;

/// How often a keyboard-interactive server may say something without asking.
const ROUNDS: usize = 6;

/// Checks what can be checked about a login without a network: that there are credentials, that the key can be read, and that the
/// pinned host keys make sense; of the jump host, too.
pub fn check(login: &Login) -> Result<(), Error> {
    hops(login).iter().try_for_each(|hop| hop.prepare().map(drop))
}

/// Connects, logs in and starts a shell.
pub(super) async fn open(login: &Login) -> Result<Box<dyn Line>, Error> {
    let hops = hops(login);
    // All that can be wrong in the settings is found before the first connection.
    let prepared: Vec<Prepared> = hops.iter().map(Hop::prepare).collect::<Result<_, _>>()?;
    let mut sessions: Vec<Handle<Client>> = Vec::new();
    let mut farewell = Farewell::default();
    let mut ready_by = Instant::now();
    for (hop, prepared) in hops.iter().zip(prepared) {
        let prompt_by = Instant::now() + PROMPT_LIMIT;
        let stream = match sessions.last() {
            None => hop.dial().await,
            Some(jump) => hop.dial_through(jump).await,
        };
        let stream = stream.map_err(|error| error.context("phase", "connection"))?;
        let shaken = hop.shake_hands(stream, prepared.host_keys, prompt_by).await;
        let (mut session, seen) = shaken.map_err(|error| error.context("phase", "SSH handshake"))?;
        let let_in = hop.log_in(&mut session, prepared.key, &seen, prompt_by).await;
        ready_by = let_in.map_err(|error| error.context("phase", "login"))?;
        farewell = Farewell(seen);
        sessions.push(session);
    }
    match (hops.last(), sessions.last()) {
        (Some(hop), Some(session)) => {
            let started = hop.start_shell(session, ready_by).await;
            let (read, write) = started.map_err(|error| error.context("phase", "shell"))?;
            Ok(Box::new(SshLine { read, write, sessions, farewell, ready_by }))
        }
        _ => Err(Error::new(Kind::Unexpected, "There is no host to connect to.")),
    }
}

/// One host on the way, the last is the gateway.
struct Hop<'a> {
    login: &'a Login,
    /// Where its settings stand in the provider block.
    block: String,
    is_gateway: bool,
}

/// What is ready before the first connection.
struct Prepared {
    host_keys: HostKeys,
    key: Option<Arc<PrivateKey>>,
}

fn hops(login: &Login) -> Vec<Hop<'_>> {
    let mut hops = vec![Hop { login, block: "gateway".to_owned(), is_gateway: true }];
    let mut next = login.jump_host.as_deref();
    while let Some(login) = next {
        let block = format!("{}.jump_host", hops.last().map_or("gateway", |hop| &hop.block));
        hops.push(Hop { login, block, is_gateway: false });
        next = login.jump_host.as_deref();
    }
    hops.reverse();
    hops
}

type Connected = (Handle<Client>, Arc<Mutex<Seen>>);

impl Hop<'_> {
    /// Names the host in messages.
    fn place(&self) -> String {
        let kind = if self.is_gateway { "gateway" } else { "jump host" };
        format!("{kind} {}:{}", self.login.host, self.login.port)
    }

    /// Names a setting in messages.
    fn setting(&self, name: &str) -> String {
        if self.is_gateway {
            format!("`{}.{name}` (environment variable MAILFLOW_GATEWAY_{})", self.block, name.to_uppercase())
        } else {
            format!("`{}.{name}`", self.block)
        }
    }

    fn prepare(&self) -> Result<Prepared, Error> {
        let host_keys = HostKeys::parse(&self.login.host_keys, &self.setting("host_keys"))?;
        let key = self.login.private_key.as_ref().map(|key| self.private_key(key)).transpose()?.map(Arc::new);
        if key.is_none() && self.login.password.is_none() {
            let message = format!("There are no credentials for the {}.", self.place());
            return Err(Error::new(Kind::Invalid, message).hint(format!(
                "Set {} or {}.",
                self.setting("password"),
                self.setting("private_key")
            )));
        }
        Ok(Prepared { host_keys, key })
    }

    fn private_key(&self, text: &SecretString) -> Result<PrivateKey, Error> {
        // A heredoc may have indented it.
        let text = SecretString::from(text.expose_secret().lines().map(str::trim).collect::<Vec<_>>().join("\n"));
        let pem = text.expose_secret();
        let passphrase = self.login.private_key_passphrase.as_ref().map(ExposeSecret::expose_secret);
        let read = decode_secret_key(pem, passphrase);
        let read = if read.is_err() && passphrase.is_some() { decode_secret_key(pem, None).or(read) } else { read };
        read.map_err(|error| {
            let encrypted = matches!(error, russh::keys::Error::KeyIsEncrypted) || pem.contains("ENCRYPTED");
            let (what, hint) = if !pem.contains("-----BEGIN") {
                (
                    "is not a private key in OpenSSH or PEM form",
                    "Give the text of the key, not its path: `file(\"…\")`.".to_owned(),
                )
            } else if passphrase.is_some() {
                ("cannot be opened with the passphrase that is set", format!("Check {}.", self.setting("private_key_passphrase")))
            } else if encrypted {
                ("is encrypted", format!("Set {}.", self.setting("private_key_passphrase")))
            } else {
                ("cannot be read", "It must be an RSA, ECDSA or Ed25519 key.".to_owned())
            };
            Error::new(Kind::Invalid, format!("The private key of {} {what}.", self.setting("private_key"))).hint(hint)
        })
    }

    async fn dial(&self) -> Result<Box<dyn Stream>, Error> {
        let host = self.login.host.trim_start_matches('[').trim_end_matches(']');
        let unreachable = |why: &str| {
            let error = Error::new(Kind::Unavailable, format!("The {} cannot be reached: {why}.", self.place())).unheard();
            error.hint(format!(
                "Check {} and `{}.port`, and whether a firewall stands between.",
                self.setting("host"),
                self.block
            ))
        };
        match timeout(TCP_LIMIT, connect(host, self.login.port)).await {
            Ok(Ok(stream)) => {
                // Each answer is one small packet that the device waits for.
                stream.set_nodelay(true).map_err(|error| unreachable(&error.to_string()).retryable())?;
                Ok(Box::new(stream))
            }
            Ok(Err(error)) if error.raw_os_error().is_none() => {
                // The name does not resolve.
                Err(unreachable(&error.to_string()).hint(format!("Check {}.", self.setting("host"))))
            }
            Ok(Err(error)) => Err(unreachable(&error.to_string()).retryable()),
            Err(_) => Err(unreachable(&format!("no answer within {}", seconds(TCP_LIMIT))).retryable()),
        }
    }

    async fn dial_through(&self, jump: &Handle<Client>) -> Result<Box<dyn Stream>, Error> {
        let host = self.login.host.trim_start_matches('[').trim_end_matches(']');
        let opening = jump.channel_open_direct_tcpip(host, u32::from(self.login.port), "127.0.0.1", 0);
        let unreachable = |why: &str| {
            Error::new(Kind::Unavailable, format!("The jump host cannot reach the {}: {why}.", self.place()))
                .hint(format!(
                    "Check {} and `{}.port`, and whether the jump host may forward there.",
                    self.setting("host"),
                    self.block
                ))
                .retryable()
                .unheard()
        };
        match timeout(CHANNEL_LIMIT, opening).await {
            Ok(Ok(channel)) => Ok(Box::new(channel.into_stream())),
            Ok(Err(error)) => Err(unreachable(&error.to_string())),
            Err(_) => Err(unreachable(&format!("no answer within {}", seconds(CHANNEL_LIMIT)))),
        }
    }

    async fn shake_hands(&self, stream: Box<dyn Stream>, host_keys: HostKeys, by: Instant) -> Result<Connected, Error> {
        let (stream, heard) = Listening::to(stream);
        let outcome = self.shake_hands_over(stream, host_keys, by).await;
        // A host that said anything at all is there; it may be out of sessions, or on its way up.
        outcome.map_err(|error| if heard.load(Ordering::Relaxed) { error } else { error.unheard() })
    }

    async fn shake_hands_over(&self, stream: Listening, host_keys: HostKeys, by: Instant) -> Result<Connected, Error> {
        let kinds = host_keys.kinds(&self.login.host, self.login.port);
        let config = client::Config {
            preferred: preferred(self.login.legacy_algorithms, &kinds),
            keepalive_interval: Some(KEEP_ALIVE),
            keepalive_max: KEEP_ALIVES_LOST,
            nodelay: true,
            ..client::Config::default()
        };
        let seen = Arc::new(Mutex::new(Seen::default()));
        let client = Client { host: self.login.host.clone(), port: self.login.port, host_keys, seen: Arc::clone(&seen) };
        match timeout_at(by, client::connect_stream(Arc::new(config), stream, client)).await {
            Ok(Ok(session)) => Ok((session, seen)),
            Ok(Err(error)) => Err(self.refused_key(&seen).unwrap_or_else(|| self.failed("The SSH handshake", &error, &seen))),
            Err(_) => {
                let message =
                    format!("The {} did not complete the SSH handshake within {}.", self.place(), seconds(PROMPT_LIMIT));
                let hint = format!(
                    "Check {} and `{}.port`: something answers there, and it may not be the SSH service.",
                    self.setting("host"),
                    self.block
                );
                Err(Error::new(Kind::Unavailable, message).hint(hint).retryable())
            }
        }
    }

    /// The error of a host key that no pin names.
    fn refused_key(&self, seen: &Mutex<Seen>) -> Option<Error> {
        let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        let offered = seen.offered.as_ref()?;
        let (kind, print) = (&offered.kind, &offered.fingerprint);
        let place = self.place();
        let setting = self.setting("host_keys");
        match &offered.verdict {
            Verdict::Trusted => None,
            Verdict::Unknown => {
                let message = format!("The host key of the {place} is not known: it offers {print} ({kind}). Nothing was sent.");
                let hint = format!(
                    "Compare the fingerprint with one that you got another way. If it is the same, set {setting} to it: `host_keys = [\"{print}\"]`."
                );
                Some(Error::new(Kind::Denied, message).hint(hint))
            }
            Verdict::Changed { pinned } => {
                let message = format!(
                    "The host key of the {place} is not the one that is pinned: it offers {print} ({kind}), and {setting} names {}. Nothing was sent.",
                    pinned.join(", ")
                );
                let hint = format!(
                    "Either the host has a new key or another kind of key, or somebody stands between. Find out which, another way, before setting `host_keys = [\"{print}\"]`."
                );
                Some(Error::new(Kind::Denied, message).hint(hint))
            }
            Verdict::Revoked => {
                let message = format!(
                    "The host key of the {place}, {print} ({kind}), is marked as revoked in {setting}. Nothing was sent."
                );
                Some(Error::new(Kind::Denied, message))
            }
        }
    }

    fn failed(&self, what: &str, error: &russh::Error, seen: &Mutex<Seen>) -> Error {
        let place = self.place();
        let words = seen.lock().unwrap_or_else(PoisonError::into_inner).farewell.clone();
        let error = match error {
            russh::Error::NoCommonAlgo { kind, theirs, .. } => {
                let message =
                    format!("{what} with the {place} failed: no common {kind:?} algorithm. It offers {}.", theirs.join(", "));
                let error = Error::new(Kind::Unavailable, message);
                if self.login.legacy_algorithms {
                    error
                } else {
                    error.hint(format!(
                        "If its AsyncOS is old, set `{}.legacy_algorithms = true`, or better allow newer algorithms on it.",
                        self.block
                    ))
                }
            }
            russh::Error::Version => Error::new(Kind::Unavailable, format!("{place} is no SSH server.")).hint(format!(
                "Check {} and `{}.port`.",
                self.setting("host"),
                self.block
            )),
            russh::Error::WrongServerSig | russh::Error::PacketAuth | russh::Error::StrictKeyExchangeViolation { .. } => {
                Error::new(Kind::Denied, format!("{what} with the {place} failed: {error}."))
            }
            // It hung up: too many sessions, or on its way down or up.
            other => Error::new(Kind::Unavailable, format!("{what} with the {place} failed: {other}.")).retryable(),
        };
        match words {
            Some(words) => error.context("it said", words),
            None => error,
        }
    }

    /// Logs in, and gives until when all that comes with a login must be done.
    async fn log_in(
        &self,
        session: &mut Handle<Client>,
        key: Option<Arc<PrivateKey>>,
        seen: &Mutex<Seen>,
        prompt_by: Instant,
    ) -> Result<Instant, Error> {
        let too_late = |what: &str, limit: Duration, error: Error| {
            let message = format!("The {} did not {what} {:?} within {}.", self.place(), self.login.username, seconds(limit));
            Error { message, ..error }
        };
        let methods = timeout_at(prompt_by, self.methods(session, seen)).await;
        let login_by = Instant::now() + LOGIN_LIMIT;
        let outcome = match methods {
            Ok(Ok(None)) => return Ok(login_by),
            Ok(Ok(Some(offered))) => {
                let letting_in = timeout_at(login_by, self.authenticate(session, offered, key, seen));
                letting_in.await.unwrap_or_else(|_| {
                    let hint = "An account whose password must be changed looks like this, too. Log in by hand once. The login is not tried again, so that the account is not locked.";
                    Err(too_late("answer the login of", LOGIN_LIMIT, Error::new(Kind::Denied, "").hint(hint)))
                })
            }
            Ok(Err(error)) => Err(error),
            // No credential was sent: it may be tried again.
            Err(_) => Err(too_late("ask for a login of", PROMPT_LIMIT, Error::new(Kind::Unavailable, "").retryable())),
        };
        outcome.map(|()| login_by).map_err(|error| {
            let banner = seen.lock().unwrap_or_else(PoisonError::into_inner).banner.trim().to_owned();
            if banner.is_empty() { error } else { error.context("it said", banner) }
        })
    }

    /// Asks by which methods one may log in, without trying a credential; none if the login is let in as it is.
    async fn methods(&self, session: &mut Handle<Client>, seen: &Mutex<Seen>) -> Result<Option<MethodSet>, Error> {
        let user = self.login.username.as_str();
        let offered = match session.authenticate_none(user).await.map_err(|error| self.failed("The login", &error, seen))? {
            AuthResult::Success => return Ok(None),
            AuthResult::Failure { remaining_methods, .. } => remaining_methods,
        };
        if offered.is_empty() {
            let error = self.failed("The login", &russh::Error::Disconnect, seen);
            return Err(
                error.hint("It closed the connection before the login: too many sessions may be open, or it is restarting.")
            );
        }
        Ok(Some(offered))
    }

    async fn authenticate(
        &self,
        session: &mut Handle<Client>,
        mut offered: MethodSet,
        key: Option<Arc<PrivateKey>>,
        seen: &Mutex<Seen>,
    ) -> Result<(), Error> {
        let user = self.login.username.as_str();
        let mut tried_key = false;
        if let Some(key) = key
            && offered.contains(&MethodKind::PublicKey)
        {
            let hash = self.rsa_hash(session, &key, seen).await?;
            let result = session.authenticate_publickey(user, PrivateKeyWithHashAlg::new(key, hash)).await;
            match result.map_err(|error| self.denied("the private key", &["private_key"]).context("cause", error.to_string()))? {
                AuthResult::Success => return Ok(()),
                AuthResult::Failure { partial_success: true, remaining_methods } => offered = remaining_methods,
                AuthResult::Failure { .. } => return Err(self.denied("the private key", &["private_key"])),
            }
            tried_key = true;
        }
        let Some(password) = &self.login.password else {
            return Err(self.not_enough(&offered, tried_key));
        };
        if offered.contains(&MethodKind::Password) {
            let result = session.authenticate_password(user, password.expose_secret()).await;
            match result.map_err(|error| self.denied("the password", &["password"]).context("cause", error.to_string()))? {
                AuthResult::Success => Ok(()),
                AuthResult::Failure { partial_success: true, remaining_methods } => {
                    Err(self.not_enough(&remaining_methods, true))
                }
                AuthResult::Failure { .. } => Err(self.denied("the password", &["password"])),
            }
        } else if offered.contains(&MethodKind::KeyboardInteractive) {
            self.keyboard_interactive(session, password).await
        } else {
            Err(self.not_enough(&offered, tried_key))
        }
    }

    async fn keyboard_interactive(&self, session: &mut Handle<Client>, password: &SecretString) -> Result<(), Error> {
        let denied = || self.denied("the password", &["password"]);
        let lost = |error: russh::Error| denied().context("cause", error.to_string());
        let mut reply =
            session.authenticate_keyboard_interactive_start(self.login.username.as_str(), None).await.map_err(lost)?;
        let mut answered = false;
        for _ in 0..ROUNDS {
            reply = match reply {
                KeyboardInteractiveAuthResponse::Success => return Ok(()),
                KeyboardInteractiveAuthResponse::Failure { partial_success: true, remaining_methods } => {
                    return Err(self.not_enough(&remaining_methods, true));
                }
                KeyboardInteractiveAuthResponse::Failure { .. } => return Err(denied()),
                KeyboardInteractiveAuthResponse::InfoRequest { name, instructions, prompts } => {
                    let answers = if prompts.is_empty() {
                        Vec::new()
                    } else if !answered && asks_for_the_password(&name, &instructions, &prompts) {
                        answered = true;
                        vec![password.expose_secret().to_owned()]
                    } else {
                        return Err(self.asks_more(&name, &instructions, &prompts));
                    };
                    session.authenticate_keyboard_interactive_respond(answers).await.map_err(lost)?
                }
            };
        }
        Err(denied())
    }

    /// The hash for the signature of an RSA key: SHA-2; SHA-1 only for old releases, where that is allowed.
    async fn rsa_hash(&self, session: &Handle<Client>, key: &PrivateKey, seen: &Mutex<Seen>) -> Result<Option<HashAlg>, Error> {
        if !key.algorithm().is_rsa() {
            return Ok(None);
        }
        match session.best_supported_rsa_hash().await.map_err(|error| self.failed("The login", &error, seen))? {
            Some(Some(hash)) => Ok(Some(hash)),
            Some(None) if self.login.legacy_algorithms => Ok(None),
            // It does not say what it takes: any OpenSSH since 7.2 takes this one.
            None => Ok(Some(HashAlg::Sha256)),
            Some(None) => {
                let message = format!("The {} takes signatures of RSA keys with SHA-1 only.", self.place());
                let hint = format!("Use an ECDSA or Ed25519 key, or set `{}.legacy_algorithms = true`.", self.block);
                Err(Error::new(Kind::Denied, message).hint(hint))
            }
        }
    }

    fn denied(&self, by: &str, settings: &[&str]) -> Error {
        let message = format!("The {} refused the login of {:?} by {by}.", self.place(), self.login.username);
        let settings: Vec<String> = std::iter::once(&"username").chain(settings).map(|name| self.setting(name)).collect();
        let hint = format!(
            "Check {}, and whether the account is locked or expired. The login is not tried again, so that the account is not locked.",
            settings.join(" and ")
        );
        Error::new(Kind::Denied, message).hint(hint)
    }

    fn not_enough(&self, offered: &MethodSet, partly: bool) -> Error {
        let methods: Vec<String> = offered.iter().map(String::from).collect();
        let methods = if methods.is_empty() { "none".to_owned() } else { methods.join(", ") };
        let message = if partly {
            format!("The {} took the first credential of {:?} and wants more: {methods}.", self.place(), self.login.username)
        } else {
            format!(
                "The {} offers {:?} no way to log in with what is set; it offers: {methods}.",
                self.place(),
                self.login.username
            )
        };
        let hint = format!(
            "Set {} or {} as it wants; an account for this provider cannot use a second factor.",
            self.setting("password"),
            self.setting("private_key")
        );
        Error::new(Kind::Denied, message).hint(hint)
    }

    fn asks_more(&self, name: &str, instructions: &str, prompts: &[Prompt]) -> Error {
        let words =
            std::iter::once(name).chain(std::iter::once(instructions)).chain(prompts.iter().map(|prompt| prompt.prompt.as_str()));
        let words: Vec<&str> = words.map(str::trim).filter(|words| !words.is_empty()).collect();
        let message =
            format!("The {} asks {:?} for more than the password: {}", self.place(), self.login.username, words.join(" / "));
        let hint = "Nothing was answered. Use an account without a second factor, and log in by hand once if its password must be changed.";
        Error::new(Kind::Denied, message).hint(hint)
    }

    async fn start_shell(
        &self,
        session: &Handle<Client>,
        by: Instant,
    ) -> Result<(ChannelReadHalf, ChannelWriteHalf<Msg>), Error> {
        let refused = |error: &russh::Error| {
            let message = format!("The {} gives no shell: {error}.", self.place());
            Error::new(Kind::Unavailable, message).retryable().hint("Too many sessions may be open on it.")
        };
        let opening = async {
            let channel = session.channel_open_session().await?;
            channel.request_pty(false, "vt100", COLUMNS, ROWS, 0, 0, &[]).await?;
            channel.request_shell(true).await?;
            Ok(channel.split())
        };
        match timeout_at(by.min(Instant::now() + CHANNEL_LIMIT), opening).await {
            Ok(Ok(halves)) => Ok(halves),
            Ok(Err(error)) => Err(refused(&error)),
            Err(_) => Err(refused(&russh::Error::ConnectionTimeout)),
        }
    }
}

/// Whether a keyboard-interactive request asks for the password and nothing else.
fn asks_for_the_password(name: &str, instructions: &str, prompts: &[Prompt]) -> bool {
    let [prompt] = prompts else { return false };
    let words = prompt.prompt.to_lowercase();
    let around = format!("{name} {instructions}").to_lowercase();
    let more = [
        "new", "old", "current", "retype", "again", "change", "expired", "token", "one-time", "one time", "otp", "code", "factor",
    ];
    let has = |text: &str, word: &str| {
        text.split(|c: char| !c.is_alphanumeric() && c != '-').any(|found| found == word)
            || (word.contains(' ') && text.contains(word))
    };
    !prompt.echo
        && (words.contains("password") || words.contains("passphrase"))
        && !more.iter().any(|word| has(&words, word))
        && !["expired", "must change", "otp", "two-factor"].iter().any(|word| has(&around, word))
}

/// What was seen of a host.
#[derive(Debug, Default)]
struct Seen {
    offered: Option<Offered>,
    banner: String,
    farewell: Option<String>,
}

#[derive(Debug)]
struct Offered {
    kind: String,
    fingerprint: String,
    verdict: Verdict,
}

/// Judges the host key, and listens to what the host says.
struct Client {
    host: String,
    port: u16,
    host_keys: HostKeys,
    seen: Arc<Mutex<Seen>>,
}

/// The most of a banner that is kept.
const BANNER: usize = 2000;

impl client::Handler for Client {
    type Error = russh::Error;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        // Certificates are not asked for: no authority is trusted.
        let PublicKeyOrCertificate::PublicKey { key, .. } = key else { return Ok(false) };
        let verdict = self.host_keys.judge(&self.host, self.port, key);
        let trusted = verdict == Verdict::Trusted;
        let offered = Offered { kind: key.algorithm().as_str().to_owned(), fingerprint: fingerprint(key), verdict };
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).offered = Some(offered);
        Ok(trusted)
    }

    async fn auth_banner(&mut self, banner: &str, _session: &mut client::Session) -> Result<(), russh::Error> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let room = BANNER.saturating_sub(seen.banner.len());
        seen.banner.extend(banner.chars().filter(|c| !c.is_control() || *c == '\n').take(room));
        Ok(())
    }

    async fn disconnected(&mut self, reason: client::DisconnectReason<russh::Error>) -> Result<(), russh::Error> {
        let (words, outcome) = match reason {
            client::DisconnectReason::ReceivedDisconnect(info) => {
                (info.message.chars().filter(|c| !c.is_control()).take(300).collect(), Ok(()))
            }
            client::DisconnectReason::Error(error) => (error.to_string(), Err(error)),
        };
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).farewell = Some(words);
        outcome
    }
}

/// Why a session ended, if the host said so.
#[derive(Default)]
struct Farewell(Arc<Mutex<Seen>>);

impl Farewell {
    fn words(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).farewell.clone().filter(|words| !words.is_empty())
    }
}

/// A shell over SSH.
struct SshLine {
    read: ChannelReadHalf,
    write: ChannelWriteHalf<Msg>,
    /// The session of the gateway is the last; those before it carry it.
    sessions: Vec<Handle<Client>>,
    farewell: Farewell,
    ready_by: Instant,
}

#[async_trait]
impl Line for SshLine {
    async fn receive(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            match self.read.wait().await {
                Some(ChannelMsg::Data { data } | ChannelMsg::ExtendedData { data, .. }) => return Ok(Some(data.to_vec())),
                Some(ChannelMsg::Failure) => return Err(io::Error::other("it gives no shell")),
                Some(ChannelMsg::Eof | ChannelMsg::Close) | None => {
                    return match self.farewell.words() {
                        Some(words) => Err(io::Error::other(words)),
                        None => Ok(None),
                    };
                }
                Some(_) => {}
            }
        }
    }

    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write.data_bytes(bytes.to_vec()).await.map_err(io::Error::other)
    }

    async fn close(&mut self) {
        // Whoever hung up first need not hear it.
        let _ = self.write.close().await;
        for mut session in self.sessions.drain(..).rev() {
            let _ = session.disconnect(Disconnect::ByApplication, "", "en").await;
            let _ = timeout(Duration::from_secs(1), &mut session).await;
        }
    }

    fn ready_by(&self) -> Option<Instant> {
        Some(self.ready_by)
    }
}

#[cfg(test)]
mod phases;
#[cfg(test)]
mod tests;
