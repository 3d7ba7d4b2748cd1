//! The machine of a login: where commands run that are bound to one machine of a cluster.
//!
//! `trace` is one of them. Its report holds for that machine: for its own settings, and for those that it has from its group and the cluster. The
//! session goes there and back; if it does not come back to its own level, it is ended, as the next change would reach the wrong machines.
//!
//! No command is known that says which machine this is. It is the one that the first prompt shows, else the one of `clustermode`'s list that has the
//! name of `gateway.host`, else the only one of the list.

use super::device::Report;
use super::dialog::Dialog;
use super::driver;
use super::level;
use super::session::Session;
use super::settings::Level;
use super::shell::{Shown, Way};
use super::stop::{Asks, Label, Stop};
use crate::remote::{Error, Kind};

/// More questions than `clustermode` asks.
const MOST_QUESTIONS: usize = 4;

impl Session {
    /// Walks a dialog that prints a report, at the machine of this login.
    pub(super) async fn report_of_machine(&mut self, dialog: &Dialog) -> Result<Report, Error> {
        let level = self.level.clone();
        let machine = match &level {
            Level::Standalone => None,
            Level::Machine(name) => Some(name.clone()),
            Level::Cluster | Level::Group(_) => Some(self.enter_machine().await?),
        };
        let there = machine.clone().map_or(Level::Standalone, Level::Machine);
        let outcome = driver::report(&mut self.shell, dialog, &there).await;
        if there != level
            && self.shell.is_open()
            && let Err(error) = self.choose_level().await
        {
            self.shell.close().await;
            return Err(error);
        }
        outcome.map(|told| Report { told, machine })
    }

    /// Goes to the machine of this login, and gives its name.
    async fn enter_machine(&mut self) -> Result<String, Error> {
        if let Some(name) = level::machine(&self.first_prompt) {
            self.go_to(&Level::Machine(name.clone())).await?;
            return Ok(name);
        }
        self.shell.begin().await?;
        self.shell.expect_any_prompt();
        self.shell.type_line("clustermode", Shown::Plain).await?;
        let mut chosen = false;
        for _ in 0..MOST_QUESTIONS {
            let limit = self.shell.patience();
            let turn = self.shell.turn(limit).await?;
            let labels = match &turn.stop {
                Stop::Prompt => {
                    let prompt = self.shell.learn();
                    self.shell.end();
                    let words = if turn.said.is_empty() { String::new() } else { format!(" {}", turn.said) };
                    let error = || {
                        Error::new(
                            Kind::Invalid,
                            format!("The gateway did not change to a machine of the cluster; its prompt is {prompt:?}.{words}"),
                        )
                    };
                    return match level::machine(&prompt) {
                        Some(name) => Ok(name),
                        None => Err(self.lost_its_level(error()).await),
                    };
                }
                Stop::Question(question) => match &question.asks {
                    Asks::List(labels) => labels.clone(),
                    Asks::Text | Asks::YesNo => Vec::new(),
                },
                Stop::Menu(_) | Stop::Lines(_) | Stop::Unknown(_) => Vec::new(),
            };
            let label = if chosen { self.own(&labels) } else { labels.iter().find(|label| is_mode(&label.text)) };
            let Some(number) = label.map(|label| label.number.clone()) else {
                let error = self.shell.with_conversation(unknown_machine(&labels, chosen));
                if self.shell.leave(&turn.stop, Way::Interrupt).await {
                    self.shell.learn();
                    self.shell.end();
                }
                return Err(self.lost_its_level(error).await);
            };
            chosen = true;
            self.shell.type_line(&number, Shown::Plain).await?;
        }
        self.shell.close().await;
        Err(Error::new(Kind::Unexpected, "`clustermode` does not come to an end of its questions."))
    }

    /// The label of the machine that was logged in to.
    fn own<'a>(&self, labels: &'a [Label]) -> Option<&'a Label> {
        let is_host = |label: &&Label| name(&label.text).eq_ignore_ascii_case(self.host.trim());
        match labels {
            [only] => Some(only),
            several => several.iter().find(is_host),
        }
    }

    /// Ends a session that is not at its own level any more.
    async fn lost_its_level(&mut self, error: Error) -> Error {
        if self.shell.is_open() && !level::fits(self.shell.prompt(), &self.level) {
            self.shell.close().await;
        }
        error
    }
}

/// Whether a label is that of the mode: `Machine`, `3. Machine mode`.
fn is_mode(label: &str) -> bool {
    label.split_whitespace().next().is_some_and(|word| word.trim_matches(['"', '\'', '.', ':']).eq_ignore_ascii_case("machine"))
}

/// The name of a machine in its label: `esa1.example.com (group Main_Group)`.
fn name(label: &str) -> &str {
    label.split_once(" (").map_or(label, |(name, _)| name).trim().trim_matches(['"', '\'', '.', ':'])
}

fn unknown_machine(labels: &[Label], chosen: bool) -> Error {
    let names: Vec<&str> = labels.iter().map(|label| name(&label.text)).collect();
    if !chosen || names.is_empty() {
        return Error::new(Kind::Unexpected, "`clustermode` of the gateway asks something that this provider does not know.")
            .hint("Nothing was answered. Set `gateway.cluster` of the provider to `mode` \"machine\" and the machine's `name`.");
    }
    Error::new(
        Kind::Invalid,
        format!(
            "This command runs on one machine of the cluster, and the gateway does not say on which one this login is. Its machines are {}.",
            names.join(", ")
        ),
    )
    .hint(
        "Use a provider alias whose `gateway.cluster` has `mode` \"machine\" and the `name` of one of them, or set `gateway.host` to that name.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::device::Device as _;
    use crate::gateway::settings::{CommitSettings, Login, PendingChanges, Settings};
    use crate::gateway::testing::{Device, quick};
    use std::time::Duration;

    fn settings(host: &str) -> Settings {
        let login = Login {
            host: host.to_owned(),
            port: 22,
            username: "u".to_owned(),
            password: None,
            private_key: None,
            private_key_passphrase: None,
            host_keys: Vec::new(),
            legacy_algorithms: false,
            jump_host: None,
        };
        let commit = CommitSettings {
            comment: String::new(),
            quiet_period: Duration::ZERO,
            timeout: Duration::ZERO,
            rollback_snapshot: false,
        };
        Settings { login, cluster: Level::Cluster, commit, pending_changes: PendingChanges::Error, read_only: true, api: None }
    }

    const TRACE: &str = "«trace»\nEnter the source IP\n[]> «192.0.2.1»\nPaste it.  Enter '.' on a blank line to end.\n«x»\n«.»\nall of it\nAgain? [N]> «N»\n";
    const MODES: &str = "«clustermode»\nChoose the mode to modify:\n1. Cluster\n2. Group\n3. Machine\n[1]> «3»\n";
    const MACHINES: &str =
        "Choose the machine to modify:\n1. esa1.example.com (group Main_Group)\n2. esa2.example.com (group Main_Group)\n[1]> ";

    fn dialog() -> Dialog {
        Dialog::of("trace").answer("source ip", "192.0.2.1").script(vec!["x".to_owned()]).yes_no("again", false)
    }

    /// Logs in at this prompt, and asks for the report.
    async fn reported(first: &str, host: &str, rest: &str) -> (Result<Report, Error>, bool) {
        let script = format!(
            "AsyncOS 15.5.0 for Cisco C600V build 022\n{first} «setttymode 0 1»\n{first} «clustermode cluster»\n(Cluster Main)> {rest}"
        );
        let device = Device::saying(&script);
        let heard = device.heard();
        let mut session = Session::open(device.line(), &settings(host), quick()).await.expect("a session");
        let outcome = session.report(&dialog()).await;
        if let Err(wrong) = heard.all() {
            panic!("{wrong}: {outcome:?}");
        }
        (outcome, session.shell.is_open() && level::fits(session.shell.prompt(), &Level::Cluster))
    }

    #[tokio::test(start_paused = true)]
    async fn a_report_is_of_the_machine_of_the_login_and_the_session_comes_back() {
        let back = "(Machine esa1.example.com)> «clustermode cluster»\n(Cluster Main)> «»";
        let known = format!("«clustermode machine esa1.example.com»\n(Machine esa1.example.com)> {TRACE}{back}");
        let by_host = format!("{MODES}{MACHINES}«1»\n(Machine esa1.example.com)> {TRACE}{back}");
        let the_only_one = format!("{MODES}(Machine esa1.example.com)> {TRACE}{back}");
        for (first, host, rest) in [
            ("(Machine esa1.example.com)>", "192.0.2.1", known),
            ("(Cluster Main)>", "ESA1.example.com", by_host),
            ("(Cluster Main)>", "192.0.2.1", the_only_one),
        ] {
            let (report, at_home) = reported(first, host, &rest).await;
            let report = report.expect("a report");
            assert_eq!(report.machine.as_deref(), Some("esa1.example.com"));
            assert_eq!(report.told.first().map(|told| (told.said.as_str(), told.asked.as_str())), Some(("all of it", "Again?")));
            assert!(at_home);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn where_the_machine_is_not_known_nothing_is_answered_and_the_machines_are_named() {
        let rest = format!("{MODES}{MACHINES}«^C»\n(Cluster Main)> «»");
        let (report, at_home) = reported("(Cluster Main)>", "192.0.2.1", &rest).await;
        let error = report.expect_err("the machine is not known");
        assert!(error.message.contains("esa1.example.com, esa2.example.com"), "{error}");
        assert!(at_home);
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_that_does_not_come_back_to_its_level_is_ended() {
        let rest = format!(
            "«clustermode machine esa1.example.com»\n(Machine esa1.example.com)> {TRACE}(Machine esa1.example.com)> «clustermode cluster»\n(Machine esa1.example.com)> «»"
        );
        let (report, at_home) = reported("(Machine esa1.example.com)>", "", &rest).await;
        assert!(report.expect_err("not back").message.contains("did not change to the level cluster"));
        assert!(!at_home);
    }
}
