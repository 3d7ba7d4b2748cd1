//! What the sessions of one gateway share: the committed configuration, uncommitted changes, history, files, counters, faults.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use tokio_util::sync::CancellationToken;

use super::faults::{Edit, Faults, apply};
use super::options::{ChangeSets, Options};
use super::rest::Memory;
use super::tables::Configuration;
use super::tables::filter_reprint::Reprint;
use super::whims::Whims;

/// Counts what clients did since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Connections that reached the handshake.
    pub connections: u64,
    /// Connections that were closed before it.
    pub refused_connections: u64,
    /// Logins that succeeded.
    pub logins: u64,
    /// Logins that failed.
    pub failed_logins: u64,
    /// Commits that took effect.
    pub commits: u64,
    /// Commits that did not: refused, collided, disk full.
    pub failed_commits: u64,
    /// Commands by first word.
    pub commands: BTreeMap<String, u64>,
    /// Questions that were asked.
    pub questions: u64,
    /// Questions that were repeated because the answer was refused.
    pub refusals: u64,
    /// Times that the pager waited.
    pub pages: u64,
}

/// Holds changes that are not committed.
#[derive(Clone, Debug)]
pub(super) struct ChangeSet {
    /// Which commit it began on.
    pub(super) generation: u64,
    pub(super) base: Configuration,
    pub(super) candidate: Configuration,
    pub(super) touched: Instant,
    /// Levels of the cluster at which something was changed.
    pub(super) levels: BTreeSet<String>,
}

/// Holds one commit.
#[derive(Clone, Debug)]
pub(super) struct Commit {
    pub(super) at: String,
    pub(super) user: String,
    pub(super) comment: String,
    pub(super) changes: Vec<String>,
}

/// Holds one session for `who`.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) user: String,
    pub(super) login: OffsetDateTime,
    pub(super) from: String,
    pub(super) doing: String,
}

/// Holds everything that changes.
pub(super) struct State {
    pub(super) committed: Configuration,
    pub(super) generation: u64,
    pub(super) change_sets: BTreeMap<String, ChangeSet>,
    pub(super) history: Vec<Commit>,
    /// Each configuration that was live, where that is kept.
    pub(super) journal: Option<Vec<Configuration>>,
    pub(super) sessions: BTreeMap<u64, Session>,
    pub(super) connections: BTreeMap<u64, CancellationToken>,
    pub(super) files: BTreeMap<String, String>,
    pub(super) counters: Counters,
    pub(super) faults: Faults,
    pub(super) whims: Option<Whims>,
    /// How filters are written back.
    pub(super) reprint: Reprint,
    pub(super) version: String,
    /// Levels of the cluster at which committed changes were made.
    pub(super) levels: BTreeSet<String>,
    /// Where each line was typed, if that is kept.
    pub(super) steps: Vec<String>,
    pub(super) rest: Memory,
    next: u64,
}

/// Is shared by all sessions and the handle.
pub(super) struct Shared {
    pub(super) options: Options,
    state: Mutex<State>,
}

impl Shared {
    pub(super) fn new(options: Options) -> Shared {
        let committed = options.configuration.clone().unwrap_or_else(|| Configuration::new_gateway(options.release));
        let version = options.version.clone().unwrap_or_else(|| options.release.version().to_owned());
        let state = State {
            committed,
            generation: 0,
            change_sets: BTreeMap::new(),
            history: Vec::new(),
            journal: None,
            sessions: BTreeMap::new(),
            connections: BTreeMap::new(),
            files: BTreeMap::new(),
            counters: Counters::default(),
            faults: Faults::default(),
            whims: None,
            reprint: options.layout.reprint,
            version,
            levels: BTreeSet::new(),
            steps: Vec::new(),
            rest: Memory::default(),
            next: 1,
        };
        Shared { options, state: Mutex::new(state) }
    }

    /// Locks the state. A panic of another holder leaves it usable: every change to it is one assignment.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says under which name the changes of a session are kept.
    pub(super) fn owner(&self, session: u64, user: &str) -> String {
        match self.options.change_sets {
            ChangeSets::PerSession => format!("session {session}"),
            ChangeSets::PerUser => format!("user {user}"),
        }
    }
}

impl State {
    pub(super) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Gives what a session sees: its own changes above what is committed.
    pub(super) fn seen_by(&self, owner: &str) -> Configuration {
        self.change_sets.get(owner).map_or_else(|| self.committed.clone(), |changes| changes.candidate.clone())
    }

    /// Tells whether a session has something to commit. Changes that cancel each other out are nothing.
    pub(super) fn is_pending(&self, owner: &str) -> bool {
        self.change_sets.get(owner).is_some_and(|changes| changes.candidate != changes.base)
    }

    /// Stages a change.
    pub(super) fn stage<T>(&mut self, owner: &str, change: impl FnOnce(&mut Configuration) -> T) -> T {
        let changes = self.change_sets.entry(owner.to_owned()).or_insert_with(|| ChangeSet {
            generation: self.generation,
            base: self.committed.clone(),
            candidate: self.committed.clone(),
            touched: Instant::now(),
            levels: BTreeSet::new(),
        });
        changes.touched = Instant::now();
        let result = change(&mut changes.candidate);
        changes.candidate.forget_gone();
        if changes.candidate == changes.base {
            self.change_sets.remove(owner);
        }
        result
    }

    /// Tells whether somebody committed since the changes began.
    pub(super) fn collides(&self, owner: &str) -> bool {
        self.change_sets.get(owner).is_some_and(|changes| changes.generation != self.generation)
    }

    /// Makes the changes of a session live.
    pub(super) fn commit(&mut self, owner: &str, user: &str, comment: &str) {
        if let Some(changes) = self.change_sets.remove(owner) {
            self.counters.commits += 1;
            self.levels.extend(changes.levels);
            let configuration = match &self.whims {
                Some(whims) => whims.bend(&self.committed, changes.candidate),
                None => changes.candidate,
            };
            self.publish(configuration, user, comment);
        }
    }

    /// Puts a configuration live as a commit of somebody.
    pub(super) fn publish(&mut self, configuration: Configuration, user: &str, comment: &str) {
        let changes = differences(&self.committed, &configuration);
        if let Some(journal) = &mut self.journal {
            journal.push(configuration.clone());
        }
        self.committed = configuration;
        self.generation += 1;
        self.history.push(Commit { at: now(), user: user.to_owned(), comment: comment.to_owned(), changes });
    }

    /// Applies a change behind everybody's back.
    pub(super) fn edit(&mut self, user: &str, change: &[Edit]) -> Result<(), String> {
        let configuration = apply(&self.committed, change)?;
        self.publish(configuration, user, "");
        Ok(())
    }
}

const DATE: &[BorrowedFormatItem<'static>] =
    format_description!("[weekday repr:short] [month repr:short] [day padding:zero] [hour]:[minute]:[second] [year] GMT");

/// Writes the time of day as the device prints it.
pub(super) fn now() -> String {
    date(OffsetDateTime::now_utc())
}

/// Writes a time as the device prints it.
pub(super) fn date(time: OffsetDateTime) -> String {
    time.format(DATE).unwrap_or_default()
}

/// Writes what changed between two configurations as a tree, one line for each leaf below lines that name where it stands.
pub(super) fn differences(before: &Configuration, after: &Configuration) -> Vec<String> {
    let tree = |configuration: &Configuration| serde_json::to_value(configuration).unwrap_or_default();
    let mut lines = Vec::new();
    walk(&tree(before), &tree(after), 0, &mut lines);
    lines
}

fn walk(before: &serde_json::Value, after: &serde_json::Value, depth: usize, lines: &mut Vec<String>) {
    use serde_json::Value;
    let indent = "    ".repeat(depth);
    let brief = |value: &Value| match value {
        Value::String(text) => text.lines().next().unwrap_or_default().to_owned(),
        other => other.to_string(),
    };
    let title = |value: &Value| {
        ["name", "domain", "address"].iter().find_map(|key| value.get(key)).map_or_else(|| value.to_string(), brief)
    };
    match (before, after) {
        _ if before == after => {}
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in new {
                let missing = Value::Null;
                let earlier = old.get(key).unwrap_or(&missing);
                if earlier != value {
                    lines.push(format!("{indent}{key}"));
                    walk(earlier, value, depth + 1, lines);
                }
            }
            lines.extend(old.keys().filter(|key| !new.contains_key(*key)).map(|key| format!("{indent}- {key}")));
        }
        (Value::Array(old), Value::Array(new)) => {
            let named = |list: &[Value], name: &str| list.iter().find(|value| title(value) == name).cloned();
            for value in new {
                let name = title(value);
                match named(old, &name) {
                    None => lines.push(format!("{indent}+ {name}")),
                    Some(earlier) if &earlier != value => {
                        lines.push(format!("{indent}{name}"));
                        walk(&earlier, value, depth + 1, lines);
                    }
                    Some(_) => {}
                }
            }
            for value in old {
                let name = title(value);
                if named(new, &name).is_none() {
                    lines.push(format!("{indent}- {name}"));
                }
            }
            let order = |list: &[Value]| list.iter().map(title).collect::<Vec<_>>();
            let (mut was, mut is) = (order(old), order(new));
            let same = was != is && {
                was.sort();
                is.sort();
                was == is
            };
            if same {
                lines.push(format!("{indent}order changed"));
            }
        }
        _ => lines.push(format!("{indent}{} -> {}", brief(before), brief(after))),
    }
}
