//! What a stand-in is started with.

use std::time::Duration;

use super::tables::Configuration;
use super::tables::destination::DetailForm;
use super::tables::route::RouteForm;

/// Names a release of AsyncOS by the questions that it asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Release {
    /// The dialogs of 2014: `destconfig` has `PRINT` and asks no messages-per-connection question.
    V8_0,
    /// Questions on messages per connection, DANE, IP sort preference and renegotiation; DMARC, S/MIME, envelope sender rates and more
    /// in the policy dialog.
    V13_0,
    /// As 13.0, with TLS 1.3 among the methods of `sslconfig`, in another order and other words.
    #[default]
    V15_5,
    /// As 15.5 with one more TLS choice for destinations.
    V16_0,
}

impl Release {
    /// Gives version and build as the banner prints them.
    pub fn version(self) -> &'static str {
        match self {
            Release::V8_0 => "8.0.2-074",
            Release::V13_0 => "13.0.5-007",
            Release::V15_5 => "15.5.3-022",
            Release::V16_0 => "16.0.3-044",
        }
    }
}

/// Says by which methods a login is possible; a public key is always possible when one is authorized.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Login {
    /// `password` and `keyboard-interactive`.
    #[default]
    Both,
    /// `password` only.
    Password,
    /// `keyboard-interactive` only.
    KeyboardInteractive,
    /// Neither.
    PublicKeyOnly,
}

/// Says to whom uncommitted changes belong, which is not documented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChangeSets {
    /// Each session has its own; they end with it.
    #[default]
    PerSession,
    /// Sessions of one user share them; they outlive a lost connection.
    PerUser,
}

/// Says how menus are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MenuForm {
    /// A line `- WORD - description.` for each operation.
    #[default]
    Lines,
    /// All words on one line, `(NEW, EDIT, DELETE)`.
    Inline,
}

/// Chooses among forms that no document settles.
#[expect(clippy::struct_excessive_bools, reason = "each is one independent choice, named where it is made")]
#[derive(Clone, Debug)]
pub struct Layout {
    /// Form of menus.
    pub menus: MenuForm,
    /// A blank line above each question and menu.
    pub blank_lines: bool,
    /// Form of `destconfig detail`.
    pub detail: DetailForm,
    /// Form of `smtproutes print`.
    pub routes: RouteForm,
    /// Options of a RAT entry are shown behind its policy.
    pub recipient_options: bool,
    /// The listener's default policy parameters stand above the HOSTACCESS menu.
    pub default_parameters: bool,
    /// `PRINT` of a RAT with more entries than this asks first.
    pub many_recipients: usize,
    /// `DELETE` and `CLEAR` of single entries ask for confirmation.
    pub confirm_delete: bool,
    /// Ctrl-C takes back what the interrupted command staged.
    pub interrupt_takes_back: bool,
    /// Changes are confirmed by a line.
    pub confirmations: bool,
}

impl Default for Layout {
    fn default() -> Layout {
        Layout {
            menus: MenuForm::default(),
            blank_lines: true,
            detail: DetailForm::default(),
            routes: RouteForm::default(),
            recipient_options: true,
            default_parameters: true,
            many_recipients: 1000,
            confirm_delete: false,
            interrupt_takes_back: false,
            confirmations: false,
        }
    }
}

/// Holds everything that a stand-in is started with; [`Default`] is a gateway of release 15.5 with a made-up password.
#[expect(clippy::struct_excessive_bools, reason = "each is one independent choice, named where it is made")]
#[derive(Clone)]
pub struct Options {
    /// Host name of the prompt.
    pub hostname: String,
    /// The only account.
    pub username: String,
    /// Its password.
    pub password: String,
    /// Public keys of the account, as `authorized_keys` lines.
    pub authorized_keys: Vec<String>,
    /// Login methods besides public keys.
    pub login: Login,
    /// Asked for by `keyboard-interactive` after the password, when set.
    pub passcode: Option<String>,
    /// Which questions are asked.
    pub release: Release,
    /// Version to print instead of the release's own.
    pub version: Option<String>,
    /// Undocumented forms.
    pub layout: Layout,
    /// Rows of a page; `None` never pages.
    pub pager_rows: Option<usize>,
    /// `setttymode 0 1` exists and turns paging off.
    pub setttymode: bool,
    /// Most bytes of output in one SSH message.
    pub output_chunk: usize,
    /// Sprinkles ANSI control sequences over the output.
    pub ansi_noise: bool,
    /// Text before the login, by the SSH protocol.
    pub banner: Option<String>,
    /// Text after the login.
    pub motd: Option<String>,
    /// A session without input for this long ends and loses its changes.
    pub idle_limit: Duration,
    /// How long a commit takes.
    pub commit_duration: Duration,
    /// Connections at the same time; more are closed before the handshake.
    pub max_sessions: usize,
    /// Whose the uncommitted changes are.
    pub change_sets: ChangeSets,
    /// Seed of the host key; `None` makes a new one for each start.
    pub seed: Option<u64>,
    /// Offers only the key exchange of old releases, `diffie-hellman-group14-sha1`.
    pub legacy_key_exchange: bool,
    /// Commands that the account may not use.
    pub refused_commands: Vec<String>,
    /// SMTP authentication profiles that `smtproutes` offers; without any it does not ask.
    pub authentication_profiles: Vec<String>,
    /// Certificates that dialogs offer.
    pub certificates: Vec<String>,
    /// Name of the group and the machines of a cluster; `None` is a standalone gateway.
    pub cluster: Option<Cluster>,
    /// Listens for the control channel.
    pub control: bool,
    /// Starts from this instead of a new gateway.
    pub configuration: Option<Configuration>,
}

/// Names the levels of a cluster. All levels share one configuration here.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Groups.
    pub groups: Vec<String>,
    /// Machines; the first one is this gateway.
    pub machines: Vec<String>,
    /// Commands that must be run in cluster mode, and otherwise ask whether to switch.
    pub cluster_only: Vec<String>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            hostname: "esa.example.com".into(),
            username: "admin".into(),
            password: "Sandbox-Passphrase-1".into(),
            authorized_keys: Vec::new(),
            login: Login::default(),
            passcode: None,
            release: Release::default(),
            version: None,
            layout: Layout::default(),
            pager_rows: Some(24),
            setttymode: true,
            output_chunk: 4096,
            ansi_noise: false,
            banner: None,
            motd: None,
            idle_limit: Duration::from_mins(30),
            commit_duration: Duration::ZERO,
            max_sessions: 30,
            change_sets: ChangeSets::default(),
            seed: None,
            legacy_key_exchange: false,
            refused_commands: Vec::new(),
            authentication_profiles: Vec::new(),
            certificates: Vec::new(),
            cluster: None,
            control: true,
            configuration: None,
        }
    }
}

impl Options {
    /// Makes the account one that may look and stage but not commit.
    #[must_use]
    pub fn read_only(mut self) -> Options {
        self.refused_commands = vec!["commit".into()];
        self
    }
}
