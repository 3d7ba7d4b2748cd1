//! `doctor`: looks at both sides without changing anything, and says what is wrong or not understood.
//!
//! The screen is for the person who runs it: it names hosts, accounts and objects, and hides secrets only. The report and every file that
//! is recorded are for others, and are masked by one [`Placeholders`]: the same address has the same placeholder everywhere.

mod record;
mod report;
pub(super) mod settings;

use std::path::PathBuf;
use std::process::ExitCode;

use self::report::{Side, Table};
use self::settings::Setting;
use super::demo::say;
use super::terraform::platform;
use crate::exchange::examination::{self as tenant, Grants};
use crate::exchange::settings::Settings as ExchangeSettings;
use crate::exchange::{Exchange, parameters};
use crate::gateway::examination::{self as appliance, Changes, Reading};
use crate::gateway::recording::Recording;
use crate::gateway::session::Connector;
use crate::gateway::settings::{Login, Settings as GatewaySettings};
use crate::gateway::{release, ssh};
use crate::provider::{Environment, Found, standalone};
use crate::remote::{Error, Kind, Placeholders, Sort, Spelling, never_show, shown, without_literals};
use crate::value::Diagnostics;

/// How to run the doctor.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// A setting of the provider block in place of its environment variable, such as gateway.port=2222 or gateway.cluster.mode=cluster;
    /// a value that begins with @ names a file
    #[arg(long = "set", value_name = "PATH=VALUE")]
    settings: Vec<Setting>,
    /// Keep a masked transcript of each conversation in this folder
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
    /// Print the Markdown report for a bug report even if all is well
    #[arg(long)]
    report: bool,
}

/// Words of the services that have the form of a domain.
const WORDS: &[&str] =
    &["Exchange.ManageAsApp", "Domain.Read.All", "terraform.tfvars", "Exchange.ManageAsAppV2", "Exchange.AdminAPI.ManageAsApp"];

/// The beginnings and parts of the names of variables that hold secrets.
const OWNERS: &[&str] = &["ARM_", "AZURE", "MAILFLOW_", "TFC_", "ACTIONS_", "SYSTEM_"];
const SECRETS: &[&str] = &["SECRET", "PASSWORD", "PASSPHRASE", "PRIVATE_KEY", "TOKEN", "CERTIFICATE"];

/// Looks at both sides. The exit code is 0 if all was understood, 1 if not, 2 if there is nothing to look at.
pub(super) async fn run(options: &Options) -> ExitCode {
    let (exchange, gateway) = standalone(&settings::block(&options.settings), &Environment::of_process());
    if let (Found::Absent, Found::Absent) = (&exchange, &gateway) {
        return super::usage(
            "doctor",
            "nothing is configured: set MAILFLOW_GATEWAY_HOST, MAILFLOW_GATEWAY_USERNAME, MAILFLOW_GATEWAY_PASSWORD (or _PRIVATE_KEY) and \
             MAILFLOW_GATEWAY_HOST_KEYS for a gateway; ARM_TENANT_ID, ARM_CLIENT_ID and ARM_CLIENT_SECRET (or another credential) for a tenant",
        );
    }
    if let Some(problem) = options.record.as_deref().and_then(|folder| record::prepare(folder).err()) {
        return super::usage("doctor", &format!("--record: {problem}"));
    }
    let mut doctor = Doctor { placeholders: placeholders(&options.settings), recordings: Vec::new() };
    let mut sides = Vec::new();
    let seen = tokio::select! {
        () = doctor.look(gateway, exchange, &mut sides) => true,
        _ = tokio::signal::ctrl_c() => false,
    };
    if !seen {
        eprintln!("Stopped. Nothing was changed.");
        return ExitCode::FAILURE;
    }
    let mut good = sides.iter().all(|side| !side.failed && side.not_understood() == 0);
    let reported = options.report || !good;
    say(&report::screen(&sides, !reported));
    let about = format!(
        "terraform-provider-mailflow {} on {}. Nothing was changed. Addresses, names of hosts and domains, accounts, GUIDs and secrets are \
         masked, the same ones alike; names of listeners, policies, groups and filters, and comments, are as they are.",
        env!("CARGO_PKG_VERSION"),
        platform()
    );
    if reported {
        say(&report::markdown(&sides, &about, |text| doctor.placeholders.mask(text, Spelling::Report)));
    }
    if let Some(folder) = &options.record {
        match record::write(folder, &doctor.recordings) {
            Ok(count) => eprintln!("{count} transcripts are in {}.", folder.display()),
            Err(error) => {
                eprintln!("{}", shown(&format!("The transcripts could not be written: {error}")));
                good = false;
            }
        }
    }
    say(&report::advice(&sides, options.record.is_some(), reported));
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What is known to be masked before anything is said.
fn placeholders(settings: &[Setting]) -> Placeholders {
    let mut placeholders = Placeholders::new();
    for (name, value) in std::env::vars_os() {
        let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else { continue };
        let is_secret = OWNERS.iter().any(|owner| name.starts_with(owner))
            && SECRETS.iter().any(|part| name.contains(part))
            && !name.ends_with("_PATH")
            && !name.ends_with("_FILE")
            && !name.ends_with("_URL");
        if is_secret {
            placeholders.hide(value);
            never_show(value);
        }
    }
    settings.iter().filter_map(Setting::secret).for_each(|secret| placeholders.hide(secret));
    settings::paths().iter().map(String::as_str).chain(WORDS.iter().copied()).for_each(|word| placeholders.keep(word));
    placeholders
}

struct Doctor {
    placeholders: Placeholders,
    recordings: Vec<Recording>,
}

impl Doctor {
    async fn look(&mut self, gateway: Found<GatewaySettings>, exchange: Found<ExchangeSettings>, sides: &mut Vec<Side>) {
        let title = "Secure Email Gateway";
        sides.push(match gateway {
            Found::Absent => absent(title, "MAILFLOW_GATEWAY_HOST"),
            Found::Unusable(problems) => Self::unusable(title, &problems),
            Found::Ready(settings) => self.gateway(Side::new(title), settings).await,
        });
        let title = "Exchange Online";
        sides.push(match exchange {
            Found::Absent => absent(title, "ARM_TENANT_ID"),
            Found::Unusable(problems) => Self::unusable(title, &problems),
            Found::Ready(settings) => self.exchange(Side::new(title), &settings).await,
        });
    }

    async fn gateway(&mut self, mut side: Side, settings: GatewaySettings) -> Side {
        let logins = std::iter::successors(Some(&settings.login), |login| login.jump_host.as_deref());
        for login in logins {
            self.account(login);
        }
        let Login { host, port, username, .. } = &settings.login;
        side.fact("address", format!("{host} port {port}"));
        side.fact("account", username.as_str());
        if let Err(error) = ssh::check(&settings.login) {
            return Self::failed(side, "settings", &error);
        }
        let connector = Connector::new(settings);
        let examined = appliance::examine(&connector, |what| progress("gateway", what)).await;
        let found = match examined {
            Ok(found) => found,
            Err(error) => return Self::failed(side, "login", &error),
        };
        if let Some(host) = host_of(&found.prompt) {
            self.placeholders.name(Sort::Host, host);
        }
        side.fact("login", "accepted; the host key is one of those that are pinned");
        let release = found.release.as_deref().unwrap_or("not told");
        let range = format!("{} to {}", release::SUPPORTED.start(), release::SUPPORTED.end());
        side.fact(
            "release",
            match found.supported {
                Ok(()) => format!("AsyncOS {release}; supported ({range})"),
                Err(_) => format!("AsyncOS {release}; read only: changes are made on {range}"),
            },
        );
        let version = found
            .readings
            .iter()
            .find_map(|reading| reading.outcome.as_ref().ok()?.rows.first()?.record.text("model").map(str::to_owned));
        side.fact("model", version.unwrap_or_else(|| "not told".to_owned()));
        side.fact("level", format!("{}; the prompt is \"{}\"", found.level, found.prompt));
        side.fact(
            "paging",
            match (found.pager_off, found.pages) {
                (true, 0) => "switched off".to_owned(),
                (true, pages) => format!("switched off by its word, and {pages} pages were turned all the same"),
                (false, pages) => format!("could not be switched off; {pages} pages were turned"),
            },
        );
        match &found.pending {
            Ok(None) => side.fact("uncommitted", "nothing"),
            Ok(Some(staged)) => {
                side.fact("uncommitted", "changes that are not ours; they were left as they are");
                let staged = without_literals(staged);
                side.note("uncommitted changes in the session", staged);
            }
            Err(error) => {
                side.fact("uncommitted", remark(error));
                side.failed = true;
                let text = words(error, "read the uncommitted changes");
                side.note("uncommitted changes", text);
            }
        }
        for reading in &found.readings {
            Self::reading(&mut side, reading);
        }
        Self::gateway_rights(&mut side, &found.rights);
        let told = found.help.iter().filter(|(_, answer)| answer.is_ok()).count();
        side.fact("help", format!("told for {told} of {} commands; the texts are recorded, not judged", found.help.len()));
        for recording in found.recordings {
            self.keep(recording);
        }
        side
    }

    /// Says which groups the account has and what they come to.
    fn gateway_rights(side: &mut Side, rights: &appliance::Rights) {
        let groups = match &rights.groups {
            Ok(Some(groups)) => format!("groups of the account: {groups}"),
            Ok(None) => "`whoami` does not tell the groups of the account".to_owned(),
            Err(error) => {
                // A release without the command, or a role that may not ask it, is no fault.
                side.failed |= matches!(error.kind, Kind::Unavailable | Kind::Throttled);
                let text = words(error, "ask for the groups of the account");
                side.note("groups of the account", text);
                format!("the groups of the account are not known (`whoami`: {})", remark(error))
            }
        };
        let changes = match rights.changes {
            Changes::LookOnly => "it may only look: every one of them is a group that may not change anything",
            Changes::CommitRefused => "it may not commit: the gateway refuses it `help commit`",
            Changes::NothingAgainst => "it is told about `commit`; that it may commit shows only at a commit",
            Changes::Unknown => "whether it may commit is not told and shows only at a commit",
        };
        side.changes_refused = matches!(rights.changes, Changes::LookOnly | Changes::CommitRefused);
        side.fact("rights", format!("{}; {groups}; {changes}", side.readable("table")));
    }

    /// Says which cmdlets the login lacks.
    fn exchange_rights(side: &mut Side, grants: Option<&Result<Grants, Error>>) {
        let readable = side.readable("list");
        let grants = match grants {
            Some(Ok(grants)) => grants,
            other => {
                if let Some(Err(error)) = other {
                    let text = words(error, "ask which cmdlets the login has");
                    side.note("cmdlets of the login", text);
                }
                side.fact("rights", format!("{readable}; {UNTOLD}"));
                return;
            }
        };
        let mut parts = vec![readable];
        let mut roles: Vec<Option<&str>> = Vec::new();
        for lack in &grants.lacking {
            if !roles.contains(&lack.role) {
                roles.push(lack.role);
            }
        }
        for role in roles {
            let of_role = grants.lacking.iter().filter(|lack| lack.role == role).map(|lack| lack.cmdlet.as_str());
            let cmdlets = of_role.collect::<Vec<_>>().join(", ");
            parts.push(match role {
                Some(role) => format!("lacks {cmdlets} (role \"{role}\")"),
                None => format!("lacks {cmdlets}"),
            });
        }
        let told = parameters::nouns().len() - grants.untold.len();
        if told == 0 {
            parts.push(UNTOLD.to_owned());
        } else if !grants.untold.is_empty() {
            let nouns = grants.untold.join(", ");
            parts.push(format!("the service did not tell which cmdlets the login has for {nouns}"));
        } else if grants.lacking.is_empty() {
            parts.push("the login has every cmdlet that the provider runs".to_owned());
        }
        side.changes_refused = !grants.lacking.is_empty();
        if let Some(advice) = grants.advice() {
            side.note("how the login comes to the cmdlets that it lacks", advice);
        }
        side.fact("rights", parts.join("; "));
    }

    fn reading(side: &mut Side, reading: &Reading) {
        let name = reading.printout.title();
        match &reading.outcome {
            Ok(rows) => {
                if !reading.unread.is_empty() {
                    let lines = reading.unread.iter().map(|line| {
                        let number = line.number.map_or_else(|| "?".to_owned(), |number| number.to_string());
                        format!("line {number}: {}", line.text)
                    });
                    let text = lines.collect::<Vec<_>>().join("\n");
                    let text = if name == "message filters" { without_literals(&text) } else { text };
                    side.note(format!("not understood in {name}"), text);
                }
                if !reading.unmanaged.is_empty() {
                    side.note(format!("settings without an argument in {name}"), reading.unmanaged.join("\n"));
                }
                let not_understood = reading.unread.len();
                side.tables.push(Table { name, entries: Some(rows.rows.len()), not_understood, remark: String::new() });
            }
            Err(error) => {
                side.failed = true;
                let text = words(error, &format!("read {}", reading.printout.title()));
                side.note(format!("{name} could not be read"), text);
                side.tables.push(Table { name, entries: None, not_understood: 0, remark: remark(error).to_owned() });
            }
        }
    }

    async fn exchange(&mut self, mut side: Side, settings: &ExchangeSettings) -> Side {
        side.fact("tenant", settings.tenant.as_str());
        let exchange = match Exchange::new(settings) {
            Ok(exchange) => exchange,
            Err(error) => return Self::failed(side, "settings", &error),
        };
        let found = tenant::examine(&exchange, |what| progress("exchange", what)).await;
        side.fact("login", found.login);
        side.fact("service", found.host.as_str());
        if let Err(error) = &found.token {
            return Self::failed(side, "token", error);
        }
        side.fact("token", "given");
        for reading in &found.readings {
            let name = format!("Get-{}", reading.noun);
            match &reading.outcome {
                Ok(count) => {
                    let remark = if reading.warnings.is_empty() { "" } else { "with warnings" };
                    side.tables.push(Table {
                        name: name.clone(),
                        entries: Some(*count),
                        not_understood: reading.odd.len(),
                        remark: remark.to_owned(),
                    });
                }
                Err(error) => {
                    side.failed = true;
                    let text = words(error, &format!("run {name}"));
                    side.note(format!("{name} failed"), text);
                    side.tables.push(Table {
                        name: name.clone(),
                        entries: None,
                        not_understood: 0,
                        remark: remark(error).to_owned(),
                    });
                }
            }
            for (what, lines) in [
                ("warnings of", &reading.warnings),
                ("not understood in", &reading.odd),
                ("settings without an argument in", &reading.unmanaged),
            ] {
                if !lines.is_empty() {
                    side.note(format!("{what} {name}"), lines.join("\n"));
                }
            }
            if let Some(text) = reading.transcript(&mut self.placeholders) {
                self.recordings.push(Recording {
                    source: concat!("recorded by terraform-provider-mailflow ", env!("CARGO_PKG_VERSION")).to_owned(),
                    release: None,
                    mode: "tenant".to_owned(),
                    table: format!("exchange {}", reading.noun),
                    rows: reading.outcome.as_ref().ok().copied(),
                    not_understood: reading.odd.len(),
                    text,
                });
            }
        }
        match &found.domains {
            Some(Ok(count)) => side.tables.push(Table {
                name: "Graph domains".to_owned(),
                entries: Some(*count),
                not_understood: 0,
                remark: String::new(),
            }),
            Some(Err(error)) => {
                let text = words(error, "list the domains of Microsoft Graph");
                side.note("Microsoft Graph (needed by the data source mailflow_exchange_domain only)", text);
                side.tables.push(Table {
                    name: "Graph domains".to_owned(),
                    entries: None,
                    not_understood: 0,
                    remark: remark(error).to_owned(),
                });
                // Few configurations need it: a login without that right is no fault.
                side.failed |= error.kind != Kind::Denied;
            }
            None => {}
        }
        Self::exchange_rights(&mut side, found.grants.as_ref());
        side
    }

    /// Takes an account and a host to be masked.
    fn account(&mut self, login: &Login) {
        self.placeholders.name(Sort::User, &login.username);
        if !login.host.contains(['.', ':']) {
            self.placeholders.name(Sort::Host, &login.host);
        }
    }

    /// A side that could not be looked at.
    fn failed(mut side: Side, what: &'static str, error: &Error) -> Side {
        let message = format!("failed: {error}");
        side.fact(what, message.replace('\n', " "));
        if !error.context.is_empty() {
            let text = words(error, "look at it");
            side.note(what, text);
        }
        side.failed = true;
        side
    }

    fn unusable(title: &'static str, problems: &Diagnostics) -> Side {
        let mut side = Side::new(title);
        for problem in problems {
            let text = format!("{}: {}", problem.summary, problem.detail);
            side.fact("settings", text.replace('\n', " "));
        }
        side.failed = true;
        side
    }

    fn keep(&mut self, recording: Recording) {
        let mut masked = |text: &str| self.placeholders.mask(text, Spelling::Transcript);
        let (mode, table, text) = (masked(&recording.mode), masked(&recording.table), masked(&recording.text));
        self.recordings.push(Recording { mode, table, text, ..recording });
    }
}

/// What the service said and what to do, in full.
fn words(error: &Error, action: &str) -> String {
    let said = error.diagnostic(action);
    format!("{}\n\n{}", said.summary, said.detail)
}

/// What is said where the service keeps silent.
const UNTOLD: &str = "the service did not tell which cmdlets the login has: whether it may change objects shows only at a change";

/// A few words for the column.
fn remark(error: &Error) -> &'static str {
    match error.kind {
        Kind::Denied => report::REFUSED,
        Kind::Unavailable | Kind::Throttled => "no answer",
        _ => "failed",
    }
}

fn absent(title: &'static str, variable: &str) -> Side {
    let mut side = Side::new(title);
    side.fact("settings", format!("not configured ({variable} is not set)"));
    side
}

/// The host's name in a prompt, if it has no domain: `(Machine esa1)>`.
fn host_of(prompt: &str) -> Option<&str> {
    let inside = prompt.trim_matches(|letter: char| !letter.is_alphanumeric());
    let name = match inside.split_once(' ') {
        Some((level, name)) if level.eq_ignore_ascii_case("machine") => name,
        Some(_) => return None,
        None => inside,
    };
    (!name.contains(['.', ' ', ')']) && !name.is_empty()).then_some(name)
}

fn progress(side: &str, what: &str) {
    eprintln!("{side}: {}", shown(what));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_found_in_a_prompt() {
        for (prompt, host) in [
            ("esa1>", Some("esa1")),
            ("(Machine esa1)>", Some("esa1")),
            ("(Cluster Main)>", None),
            ("esa.example.com>", None),
            ("example.com (SERVICE)>", None),
        ] {
            assert_eq!(host_of(prompt), host, "{prompt}");
        }
    }
}
