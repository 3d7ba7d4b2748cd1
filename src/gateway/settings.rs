//! What a gateway client needs to know, as the provider block and the environment gave it.

use std::time::Duration;

use secrecy::SecretString;
use url::Url;

/// How to reach and use one gateway.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the shell is, and who logs in.
    pub login: Login,
    /// The level of a cluster that is read and written.
    pub cluster: Level,
    /// How changes are committed.
    pub commit: CommitSettings,
    /// What to do about uncommitted changes in the session that are not ours.
    pub pending_changes: PendingChanges,
    /// Every write is refused before it is sent.
    pub read_only: bool,
    /// Where the AsyncOS API is, if it may be used.
    pub api: Option<Api>,
}

/// How to reach the AsyncOS API (REST) of a gateway, or of a Secure Email and Web Manager.
#[derive(Debug, Clone)]
pub struct Api {
    /// The origin: https, or plain http to loopback.
    pub url: Url,
    /// The account.
    pub username: String,
    /// Its passphrase.
    pub password: SecretString,
    /// PEM certificates to trust beside the system's roots.
    pub ca_certificate: Option<String>,
}

/// One SSH login.
#[derive(Debug, Clone)]
pub struct Login {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// The account.
    pub username: String,
    /// For the methods `password` and `keyboard-interactive`.
    pub password: Option<SecretString>,
    /// OpenSSH or PEM text.
    pub private_key: Option<SecretString>,
    /// Opens the private key.
    pub private_key_passphrase: Option<SecretString>,
    /// `SHA256:…` fingerprints or `known_hosts` lines. None matches: refused.
    pub host_keys: Vec<String>,
    /// Key exchange and host key kinds of old releases, too.
    pub legacy_algorithms: bool,
    /// The host through which the gateway is reached.
    pub jump_host: Option<Box<Login>>,
}

/// The level at which a clustered gateway is configured.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Level {
    /// Not clustered, or whatever level the login has.
    #[default]
    Standalone,
    /// The whole cluster.
    Cluster,
    /// A named group.
    Group(String),
    /// A named machine.
    Machine(String),
}

/// How changes are committed.
#[derive(Debug, Clone)]
pub struct CommitSettings {
    /// Stands in the device's history; the run's name is added.
    pub comment: String,
    /// A batch closes when no change came for this long.
    pub quiet_period: Duration,
    /// The longest that a commit may take.
    pub timeout: Duration,
    /// Whether the device saves the configuration for `rollbackconfig`.
    pub rollback_snapshot: bool,
}

/// What to do about uncommitted changes that are not ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PendingChanges {
    /// Stop with an error.
    #[default]
    Error,
    /// Throw them away.
    Discard,
}
