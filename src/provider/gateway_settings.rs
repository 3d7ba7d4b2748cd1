//! The `gateway` block of the provider.

use std::time::Duration;

use url::Url;

use super::environment::{Environment, Lookup, read_only};
use super::exchange_settings::{ORIGIN, origin, parse_origin};
use super::side::Side;
use crate::gateway::host_key;
use crate::gateway::settings::{Api, CommitSettings, Level, Login, PendingChanges, Settings};
use crate::remote::credential;
use crate::schema::engine::parse_duration;
use crate::schema::{Attribute, Record, block, boolean, integer, one_of, set, string};
use crate::value::{Diagnostic, Diagnostics, Path, Value};

const HOST: &[&str] = &["MAILFLOW_GATEWAY_HOST"];
const USERNAME: &[&str] = &["MAILFLOW_GATEWAY_USERNAME"];
const PASSWORD: &[&str] = &["MAILFLOW_GATEWAY_PASSWORD"];
const PRIVATE_KEY: &[&str] = &["MAILFLOW_GATEWAY_PRIVATE_KEY"];
const HOST_KEYS: &[&str] = &["MAILFLOW_GATEWAY_HOST_KEYS"];

/// The environment variables that say which gateway is meant, and who logs in.
pub(super) const VARIABLES: &[&str] = &[HOST[0], USERNAME[0], PASSWORD[0], PRIVATE_KEY[0], HOST_KEYS[0]];
const PENDING: &[&str] = &["MAILFLOW_GATEWAY_PENDING_CHANGES"];
const CLUSTER: &[&str] = &["MAILFLOW_GATEWAY_CLUSTER"];
const COMMENT: &[&str] = &["MAILFLOW_GATEWAY_COMMIT_COMMENT"];
const QUIET_PERIOD: &[&str] = &["MAILFLOW_GATEWAY_COMMIT_QUIET_PERIOD"];
const COMMIT_TIMEOUT: &[&str] = &["MAILFLOW_GATEWAY_COMMIT_TIMEOUT"];
const SNAPSHOT: &[&str] = &["MAILFLOW_GATEWAY_COMMIT_ROLLBACK_SNAPSHOT"];
const API_URL: &[&str] = &["MAILFLOW_GATEWAY_API_URL"];
const API_USERNAME: &[&str] = &["MAILFLOW_GATEWAY_API_USERNAME"];
const API_PASSWORD: &[&str] = &["MAILFLOW_GATEWAY_API_PASSWORD"];
const API_CA_CERTIFICATE: &[&str] = &["MAILFLOW_GATEWAY_API_CA_CERTIFICATE"];

/// The variables behind the settings of one login.
struct Variables {
    host: &'static [&'static str],
    port: &'static [&'static str],
    username: &'static [&'static str],
    password: &'static [&'static str],
    private_key: &'static [&'static str],
    passphrase: &'static [&'static str],
    host_keys: &'static [&'static str],
    legacy: &'static [&'static str],
}

const GATEWAY: Variables = Variables {
    host: HOST,
    port: &["MAILFLOW_GATEWAY_PORT"],
    username: USERNAME,
    password: PASSWORD,
    private_key: PRIVATE_KEY,
    passphrase: &["MAILFLOW_GATEWAY_PRIVATE_KEY_PASSPHRASE"],
    host_keys: HOST_KEYS,
    legacy: &["MAILFLOW_GATEWAY_LEGACY_ALGORITHMS"],
};

const JUMP_HOST: Variables = Variables {
    host: &["MAILFLOW_GATEWAY_JUMP_HOST"],
    port: &["MAILFLOW_GATEWAY_JUMP_HOST_PORT"],
    username: &["MAILFLOW_GATEWAY_JUMP_HOST_USERNAME"],
    password: &["MAILFLOW_GATEWAY_JUMP_HOST_PASSWORD"],
    private_key: &["MAILFLOW_GATEWAY_JUMP_HOST_PRIVATE_KEY"],
    passphrase: &["MAILFLOW_GATEWAY_JUMP_HOST_PRIVATE_KEY_PASSPHRASE"],
    host_keys: &["MAILFLOW_GATEWAY_JUMP_HOST_HOST_KEYS"],
    legacy: &["MAILFLOW_GATEWAY_JUMP_HOST_LEGACY_ALGORITHMS"],
};

const HOST_LINE: Attribute = string("host", "Host name or address.");
const PORT_LINE: Attribute = integer("port", "TCP port of the SSH service; 22 unless said otherwise.").range(1, 65535);
const USERNAME_LINE: Attribute =
    string("username", "The account that logs in. Use one of its own: changes wait in its session until they are committed.");
const PASSWORD_LINE: Attribute =
    string("password", "The account's passphrase, for the login methods `password` and `keyboard-interactive`.").sensitive();
const KEY_LINE: Attribute = string("private_key", "The account's private key as OpenSSH or PEM text.").sensitive();
const PASSPHRASE_LINE: Attribute = string("private_key_passphrase", "Opens the private key.").sensitive();
const HOST_KEYS_LINE: Attribute = set(
    "host_keys",
    "The host's keys: `SHA256:…` fingerprints of this host, or `known_hosts` lines, which count for the hosts that they name. There is no \
     default: an unknown host is refused.",
)
.format("a `SHA256:…` fingerprint, a line of `ssh-keygen -l`, or a `known_hosts` line of a host's own key", host_key::check);
const LEGACY_LINE: Attribute =
    boolean("legacy_algorithms", "Whether key exchange and host key kinds of old releases are accepted, too.");

/// The lines of the block.
pub(super) const BLOCK: Attribute = block(
    "gateway",
    "The Cisco Secure Email Gateway. Leave the block out to manage Exchange Online only; `gateway {}` takes everything from the \
     environment: `MAILFLOW_GATEWAY_HOST`, `_PORT`, `_USERNAME`, `_PASSWORD`, `_PRIVATE_KEY`, `_PRIVATE_KEY_PASSPHRASE`, `_HOST_KEYS` (a line \
     each), `_LEGACY_ALGORITHMS`, `_PENDING_CHANGES` and `_CLUSTER`.",
    &[
        HOST_LINE,
        PORT_LINE,
        USERNAME_LINE,
        PASSWORD_LINE,
        KEY_LINE,
        PASSPHRASE_LINE,
        HOST_KEYS_LINE,
        LEGACY_LINE,
        block(
            "jump_host",
            "The host through which the gateway is reached, as with the Cloud Gateway. Left out, it is there if `MAILFLOW_GATEWAY_JUMP_HOST` names \
             it; its other settings fall back to `MAILFLOW_GATEWAY_JUMP_HOST_PORT`, `_USERNAME` and so on.",
            &[HOST_LINE, PORT_LINE, USERNAME_LINE, PASSWORD_LINE, KEY_LINE, PASSPHRASE_LINE, HOST_KEYS_LINE, LEGACY_LINE],
        ),
        block(
            "cluster",
            "The level of a cluster that is read and written. Leave it out for a gateway that stands alone. Falls back to \
             `MAILFLOW_GATEWAY_CLUSTER`: `cluster`, `group NAME` or `machine NAME`.",
            &[
                one_of("mode", "The level.", &["cluster", "group", "machine"]).required(),
                string("name", "The name of the group or machine."),
            ],
        ),
        block(
            "commit",
            "How changes are committed: those that arrive together share one commit. Each setting falls back to its variable: \
             `MAILFLOW_GATEWAY_COMMIT_COMMENT`, `_QUIET_PERIOD`, `_TIMEOUT` and `_ROLLBACK_SNAPSHOT`.",
            &[
                string(
                    "comment",
                    "Stands in the device's history before the list of what changed; `Terraform` unless said otherwise.",
                ),
                string(
                    "quiet_period",
                    "A commit starts when no further change came for this long; `250ms` unless said otherwise.",
                ),
                string("timeout", "The longest that a commit may take; `5m` unless said otherwise."),
                boolean("rollback_snapshot", "Whether the device saves the configuration for `rollbackconfig` with each commit."),
            ],
        ),
        one_of(
            "pending_changes",
            "What to do about uncommitted changes in the session that are not ours; `error` unless said otherwise.",
            &["error", "discard"],
        ),
        block(
            "api",
            "The AsyncOS API (REST) of the gateway, or of a Secure Email and Web Manager: for message tracking, and for why a message filter \
             is not valid. Nothing is changed through it. `api {}` takes everything from the environment: `MAILFLOW_GATEWAY_API_URL`, \
             `_API_USERNAME` and `_API_PASSWORD`.",
            &[
                string("url", "Its origin, such as `https://esa1.example.com:6443`. Falls back to `MAILFLOW_GATEWAY_API_URL`.")
                    .format(ORIGIN, origin),
                string("username", "The account that logs in. Falls back to `MAILFLOW_GATEWAY_API_USERNAME`."),
                string("password", "The account's passphrase. Falls back to `MAILFLOW_GATEWAY_API_PASSWORD`.").sensitive(),
                string("ca_certificate", "PEM certificates to trust beside the system's roots. A certificate is always checked."),
            ],
        ),
    ],
);

/// Checks what a table cannot say.
pub(super) fn check(config: &Record) -> Diagnostics {
    let mut found = Vec::new();
    for name in ["quiet_period", "timeout"] {
        let dotted = format!("gateway.commit.{name}");
        if let Some(text) = config.text(&dotted)
            && let Err(problem) = parse_duration(text)
        {
            found.push(Diagnostic::error("Invalid duration", problem).at(Path::dotted(&dotted)));
        }
    }
    let (mode, name) = (config.at("gateway.cluster.mode"), config.at("gateway.cluster.name"));
    match mode.as_text() {
        Some("cluster") if name.as_text().is_some() => found.push(
            Diagnostic::error("A cluster has no name here", "name belongs to the levels group and machine. Leave it out.")
                .at(Path::dotted("gateway.cluster.name")),
        ),
        Some(level @ ("group" | "machine")) if name.is_null() => found.push(
            Diagnostic::error(format!("Which {level}?"), format!("The level {level} needs its name: set gateway.cluster.name."))
                .at(Path::dotted("gateway.cluster")),
        ),
        _ => {}
    }
    found
}

/// Reads the block, with the environment to fall back to.
pub(super) fn read(config: &Record, environment: &Environment) -> Result<Side<Settings>, Diagnostics> {
    let path = Path::dotted(BLOCK.name);
    if config.get(BLOCK.name).is_unknown() {
        return Ok(Side::Unknown(path));
    }
    let Some(block) = config.record(BLOCK.name) else { return Ok(Side::Absent) };
    let mut lookup = Lookup::new(block, path.clone(), environment);
    let mut login = login(&mut lookup, &GATEWAY);
    if let Some(mut jump) = lookup.block_or("jump_host", JUMP_HOST.host) {
        login.jump_host = Some(Box::new(self::login(&mut jump, &JUMP_HOST)));
        lookup.absorb(jump);
    }
    let from_environment = if lookup.has("cluster") { None } else { environment.first(CLUSTER).map(level) };
    if let Some(Err(problem)) = &from_environment {
        lookup.problem("cluster", format!("Invalid value in the environment variable {}", CLUSTER[0]), problem);
    }
    let cluster =
        lookup.block("cluster").map_or(from_environment.and_then(Result::ok).unwrap_or(Level::Standalone), |mut level| {
            let name = level.text("name", &[]).unwrap_or_default();
            let mode = level.text("mode", &[]);
            lookup.absorb(level);
            match mode.as_deref() {
                Some("group") => Level::Group(name),
                Some("machine") => Level::Machine(name),
                _ => Level::Cluster,
            }
        });
    let api = lookup.block_or("api", API_URL).and_then(|mut block| {
        let api = api(&mut block);
        lookup.absorb(block);
        api
    });
    let mut commit = CommitSettings {
        comment: "Terraform".to_owned(),
        quiet_period: Duration::from_millis(250),
        timeout: Duration::from_mins(5),
        rollback_snapshot: false,
    };
    if let Some(mut block) = lookup.block_or("commit", &[COMMENT[0], QUIET_PERIOD[0], COMMIT_TIMEOUT[0], SNAPSHOT[0]]) {
        let duration = |block: &mut Lookup<'_>, name: &str, variables: &[&str], default| {
            block.text(name, variables).map_or(default, |text| {
                parse_duration(&text).unwrap_or_else(|problem| {
                    block.problem(name, "Invalid duration", problem);
                    default
                })
            })
        };
        commit.quiet_period = duration(&mut block, "quiet_period", QUIET_PERIOD, commit.quiet_period);
        commit.timeout = duration(&mut block, "timeout", COMMIT_TIMEOUT, commit.timeout);
        commit.comment = block.text("comment", COMMENT).unwrap_or(commit.comment);
        commit.rollback_snapshot = block.truth("rollback_snapshot", SNAPSHOT).unwrap_or(false);
        lookup.absorb(block);
    }
    let pending_changes = match lookup.text("pending_changes", PENDING).as_deref() {
        Some("discard") => PendingChanges::Discard,
        Some("error") | None => PendingChanges::Error,
        Some(_) => {
            let said = format!("The setting gateway.pending_changes (environment variable {}) is error or discard.", PENDING[0]);
            lookup.problem("pending_changes", "Invalid pending_changes", said);
            PendingChanges::Error
        }
    };
    let read_only = read_only(config, environment).unwrap_or_else(|problem| {
        lookup.problems.push(problem);
        true
    });
    lookup.finish(Settings { login, cluster, commit, pending_changes, read_only, api })
}

/// Reads the settings of the AsyncOS API; `None` if they are not all there, which has left a problem or a path.
fn api(lookup: &mut Lookup<'_>) -> Option<Api> {
    let url = lookup.needed("url", API_URL, "where the AsyncOS API is, such as `https://esa1.example.com:6443`");
    let username = lookup.needed("username", API_USERNAME, "the account that logs in to the AsyncOS API");
    let password = lookup.needed("password", API_PASSWORD, "the passphrase of that account");
    let ca_certificate = lookup.text("ca_certificate", API_CA_CERTIFICATE);
    let mut parsed = |text: &str| -> Option<Url> {
        let refuse = |problem| {
            let words =
                format!("{problem} It is the setting gateway.api.url or the environment variable MAILFLOW_GATEWAY_API_URL.");
            lookup.problem("url", "Invalid url", words);
        };
        parse_origin(text).map_err(refuse).ok()
    };
    let url = if url.is_empty() { None } else { parsed(&url) };
    Some(Api { url: url?, username, password: credential(password), ca_certificate })
}

/// Reads a level as the environment names it: `cluster`, `group NAME`, `machine NAME`.
fn level(text: &str) -> Result<Level, String> {
    match text.trim().split_once(' ').map(|(mode, name)| (mode, name.trim())) {
        None if text.trim() == "cluster" => Ok(Level::Cluster),
        Some(("group", name)) if !name.is_empty() => Ok(Level::Group(name.to_owned())),
        Some(("machine", name)) if !name.is_empty() => Ok(Level::Machine(name.to_owned())),
        _ => Err("Write `cluster`, `group NAME` or `machine NAME`, as the block gateway.cluster has them.".to_owned()),
    }
}

/// Reads the eight settings of a login.
fn login(lookup: &mut Lookup<'_>, variables: &Variables) -> Login {
    let host = lookup.needed("host", variables.host, "the host name or address of the SSH service");
    let username = lookup.needed("username", variables.username, "the account that logs in");
    let password = lookup.secret("password", variables.password);
    let private_key = lookup.secret("private_key", variables.private_key);
    if password.is_none() && private_key.is_none() && lookup.unknown.is_none() {
        let (first, second) = (variables.password[0], variables.private_key[0]);
        lookup.problem(
            "password",
            "The login has no credential",
            format!("Set password or private_key, or the environment variable {first} or {second}."),
        );
    }
    let mut host_keys: Vec<String> = match lookup.value("host_keys") {
        Value::Set(keys) => keys.iter().filter_map(Value::as_text).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    if host_keys.is_empty() {
        let lines = lookup.text("host_keys", variables.host_keys).unwrap_or_default();
        host_keys = lines.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    }
    Login {
        host,
        port: lookup.port("port", variables.port).unwrap_or(22),
        username,
        password,
        private_key,
        private_key_passphrase: lookup.secret("private_key_passphrase", variables.passphrase),
        host_keys,
        legacy_algorithms: lookup.truth("legacy_algorithms", variables.legacy).unwrap_or(false),
        jump_host: None,
    }
}
