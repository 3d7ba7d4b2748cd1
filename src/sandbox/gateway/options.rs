//! What a stand-in is started with.

use std::time::Duration;

use super::rest;
use super::tables::Configuration;
use super::tables::destination::DetailForm;
use super::tables::filter::FilterForm;
use super::tables::filter_reprint::Reprint;
use super::tables::hat_text::HatForm;
use super::tables::recipient::RecipientForm;
use super::tables::route::RouteForm;
use super::tables::tls::TlsForm;
use super::trace_text::TraceForm;

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

/// Says what a release has of the batch format of its commands, and what it does with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BatchFormat {
    /// The documented one, printed by `help`.
    #[default]
    Documented,
    /// `help` prints one sentence for each command, and the arguments are not known.
    None,
    /// `help` prints the documented one; an entry that is made by it has the first value only of those that were given.
    Forgetful,
    /// `help` prints the documented one; the arguments are refused after the entry was made.
    Late,
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
    /// `destconfig` has `PRINT` in place of `LIST` and `DETAIL`, as releases before 13 have.
    pub destination_print: bool,
    /// Form of `smtproutes print`.
    pub routes: RouteForm,
    /// Form of `rcptaccess print`.
    pub recipients: RecipientForm,
    /// Form of `hostaccess print`.
    pub hosts: HatForm,
    /// Form of `filters detail`.
    pub filters: FilterForm,
    /// Manner in which the text of a filter is written back.
    pub reprint: Reprint,
    /// Form of the `sslconfig` banner.
    pub tls: TlsForm,
    /// `sslconfig` lists single versions and takes several of them, `1-3`, as tech note 215282 shows.
    pub single_versions: bool,
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
    /// Manner of what `trace` prints.
    pub trace: TraceForm,
    /// Columns at which `trace` goes on in the next line; `None` leaves that to the terminal.
    pub trace_columns: Option<usize>,
    /// Changes are confirmed by a line.
    pub confirmations: bool,
    /// Changes of message filters are confirmed by a count (`1 filters added.`).
    pub counts: bool,
    /// The batch format of commands.
    pub batch: BatchFormat,
}

impl Default for Layout {
    fn default() -> Layout {
        Layout {
            menus: MenuForm::default(),
            blank_lines: true,
            detail: DetailForm::default(),
            destination_print: false,
            routes: RouteForm::default(),
            recipients: RecipientForm::default(),
            hosts: HatForm::default(),
            filters: FilterForm::default(),
            reprint: Reprint::default(),
            tls: TlsForm::default(),
            single_versions: false,
            recipient_options: true,
            default_parameters: true,
            many_recipients: 1000,
            confirm_delete: false,
            interrupt_takes_back: false,
            trace: TraceForm::default(),
            trace_columns: None,
            confirmations: false,
            counts: true,
            batch: BatchFormat::default(),
        }
    }
}

/// Holds everything that a stand-in is started with; [`Default`] is a gateway of release 15.5 with a made-up password.
#[expect(clippy::struct_excessive_bools, reason = "each is one independent choice, named where it is made")]
#[derive(Clone)]
pub struct Options {
    /// Port of the command line on 127.0.0.1; 0 takes a free one.
    pub port: u16,
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
    /// Greets as a Secure Email and Web Manager, which has none of a gateway's tables.
    pub is_manager: bool,
    /// Undocumented forms.
    pub layout: Layout,
    /// Rows of a page; `None` never pages.
    pub pager_rows: Option<usize>,
    /// Columns of the terminal, whatever the client asks for.
    pub columns: Option<usize>,
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
    /// How long each line that is typed takes to arrive, as on a long way.
    pub line_duration: Duration,
    /// Connections at the same time; more are closed before the handshake.
    pub max_sessions: usize,
    /// Whose the uncommitted changes are.
    pub change_sets: ChangeSets,
    /// Seed of the host key; `None` makes a new one for each start.
    pub seed: Option<u64>,
    /// Offers only the key exchange of old releases, `diffie-hellman-group14-sha1`.
    pub legacy_key_exchange: bool,
    /// Groups of the account, as `whoami` prints them.
    pub groups: String,
    /// Commands that the account may not use.
    pub refused_commands: Vec<String>,
    /// SMTP authentication profiles that `smtproutes` offers; without any it does not ask.
    pub authentication_profiles: Vec<String>,
    /// Certificates that dialogs offer.
    pub certificates: Vec<String>,
    /// Name of the group and the machines of a cluster; `None` is a standalone gateway.
    pub cluster: Option<Cluster>,
    /// Forwards TCP connections to loopback, as the SSH proxy before a Cloud Gateway does.
    pub forwards: bool,
    /// Listens for the control channel.
    pub control: bool,
    /// Keeps where each line was typed.
    pub keep_steps: bool,
    /// The AsyncOS API.
    pub rest_options: rest::Options,
    /// Starts from this instead of a new gateway.
    pub configuration: Option<Configuration>,
}

/// Names the levels of a cluster. A level inherits each table from the one above, or has one of its own, which
/// [`Configuration::make_own`] gives it; at which of them something was written is noted.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Name of the cluster.
    pub name: String,
    /// Groups.
    pub groups: Vec<String>,
    /// Machines; the first one is this gateway.
    pub machines: Vec<String>,
    /// Machines of the cluster that are away: a commit says so and asks whether to go on.
    pub away: Vec<String>,
    /// Commands that must be run in cluster mode, and otherwise ask whether to switch.
    pub cluster_only: Vec<String>,
    /// Commands that must be run in machine mode, and otherwise ask whether to switch.
    pub machine_only: Vec<String>,
    /// Commands without settings of their own below the cluster, which say so and offer to switch, to start empty or to copy.
    pub inherited: Vec<String>,
    /// Level at which others work who change the committed configuration, as the prompt names it; `None` is the cluster.
    pub others_at: Option<String>,
}

impl Cluster {
    /// Gives a cluster of two machines in one group, this gateway first.
    pub fn of_two() -> Cluster {
        Cluster {
            name: "Mail".into(),
            groups: vec!["Main_Group".into()],
            machines: vec!["esa.example.com".into(), "esa2.example.com".into()],
            away: Vec::new(),
            cluster_only: Vec::new(),
            inherited: Vec::new(),
            machine_only: Vec::new(),
            others_at: None,
        }
    }
}

impl Default for Options {
    fn default() -> Options {
        Options {
            port: 0,
            hostname: "esa.example.com".into(),
            username: "admin".into(),
            password: "Sandbox-Passphrase-1".into(),
            authorized_keys: Vec::new(),
            login: Login::default(),
            passcode: None,
            release: Release::default(),
            version: None,
            is_manager: false,
            layout: Layout::default(),
            pager_rows: Some(24),
            columns: None,
            setttymode: true,
            output_chunk: 4096,
            ansi_noise: false,
            banner: None,
            motd: None,
            idle_limit: Duration::from_mins(30),
            commit_duration: Duration::ZERO,
            line_duration: Duration::ZERO,
            max_sessions: 30,
            change_sets: ChangeSets::default(),
            seed: None,
            legacy_key_exchange: false,
            groups: "admin, operators, config, log, guest".into(),
            refused_commands: Vec::new(),
            authentication_profiles: Vec::new(),
            certificates: Vec::new(),
            cluster: None,
            forwards: false,
            control: true,
            keep_steps: false,
            rest_options: rest::Options::default(),
            configuration: None,
        }
    }
}

impl Options {
    /// Names a level and those that it inherits from, but for the cluster. All machines are in the first group.
    pub(super) fn chain(&self, level: Option<&str>) -> Vec<String> {
        let group = self.cluster.as_ref().and_then(|cluster| cluster.groups.first()).map(|name| format!("Group {name}"));
        match level {
            Some(level) if level.starts_with("Machine ") => std::iter::once(level.to_owned()).chain(group).collect(),
            Some(level) if level.starts_with("Group ") => vec![level.to_owned()],
            _ => Vec::new(),
        }
    }

    /// Makes the account one that may look and stage but not commit.
    #[must_use]
    pub fn read_only(mut self) -> Options {
        self.refused_commands = vec!["commit".into()];
        self
    }
}
