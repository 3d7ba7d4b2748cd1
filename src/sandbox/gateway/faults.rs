//! Scripted faults, and changes behind the client's back.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::tables::Configuration;

/// Names a place in a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Point {
    /// A connection is made, before the SSH handshake.
    Connect,
    /// A session begins, before the login text.
    Login,
    /// A command was typed, by its first word.
    Command(String),
    /// A question is about to be asked whose text contains this, in any case.
    Question(String),
    /// A line was typed, whatever it is, and nothing has come of it.
    Line,
    /// Commit was answered in full and has not taken effect.
    CommitBefore,
    /// Commit has taken effect and has not been confirmed.
    CommitAfter,
}

/// Says what happens at a [`Point`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Break {
    /// The connection is cut.
    Drop,
    /// Nothing is answered any more.
    Hang,
}

/// Is one thing that goes wrong. Each fault happens once, at the `nth` (counted from 1) fitting occasion after it was given; those
/// with `times` happen that often; [`Fault::DiskFull`] lasts until [`Fault::DiskFree`], [`Fault::RefuseCommitOf`] until all are forgotten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Fault {
    /// A commit is refused with this text; the changes stay uncommitted.
    RefuseCommit {
        /// Which commit.
        #[serde(default = "first")]
        nth: u32,
        /// What the device says.
        text: String,
    },
    /// Each commit whose changes name something is refused with this text, until the faults are forgotten; the changes stay uncommitted.
    RefuseCommitOf {
        /// What is named: a part of the lines in which `showchanges` prints the changes.
        name: String,
        /// What the device says.
        text: String,
    },
    /// Somebody else commits a change just before a commit.
    Collide {
        /// Which commit.
        #[serde(default = "first")]
        nth: u32,
        /// What they change.
        change: Vec<Edit>,
    },
    /// A commit takes this long.
    SlowCommit {
        /// Which commit.
        #[serde(default = "first")]
        nth: u32,
        /// How long.
        milliseconds: u64,
    },
    /// A commit is confirmed and changes nothing.
    FalseCommit {
        /// Which commit.
        #[serde(default = "first")]
        nth: u32,
    },
    /// A commit is confirmed with a warning above, such as an unreachable cluster peer.
    WarnCommit {
        /// Which commit.
        #[serde(default = "first")]
        nth: u32,
        /// What the device says.
        text: String,
    },
    /// The session breaks.
    Break {
        /// How.
        how: Break,
        /// Where.
        at: Point,
        /// Which time.
        #[serde(default = "first")]
        nth: u32,
    },
    /// A typed line, whatever it is, is refused: an answer is asked for again, a command is not run, a script is thrown away.
    RefuseLine {
        /// Which line.
        #[serde(default = "first")]
        nth: u32,
        /// What the device says.
        text: String,
    },
    /// Somebody else commits a change just before a typed line comes to anything.
    Intrude {
        /// Which line.
        #[serde(default = "first")]
        nth: u32,
        /// What they change. What does not fit by then is left out.
        change: Vec<Edit>,
    },
    /// A question that no document knows comes up in a command.
    Ask {
        /// First word of the command.
        command: String,
        /// The question before which it comes up; any when empty.
        #[serde(default)]
        before: String,
        /// Its text.
        text: String,
        /// Its default.
        #[serde(default)]
        default: String,
        /// Printed as a yes/no question, default on the same line.
        #[serde(default)]
        yes_no: bool,
    },
    /// The output of a command ends after some lines.
    CutOutput {
        /// First word of the command.
        command: String,
        /// Lines that still come, echo not counted.
        after_lines: usize,
        /// What happens then.
        how: Break,
    },
    /// Connections get another host key.
    WrongHostKey {
        /// How many.
        #[serde(default = "first")]
        times: u32,
    },
    /// Logins are refused although the password is right, as for a locked account.
    RejectLogins {
        /// How many.
        #[serde(default = "first")]
        times: u32,
    },
    /// The passphrase has to be changed at login.
    PassphraseExpired {
        /// How many logins.
        #[serde(default = "first")]
        times: u32,
    },
    /// Login asks for a second factor after the password.
    SecondFactor {
        /// How many logins.
        #[serde(default = "first")]
        times: u32,
    },
    /// Connections are closed before the handshake.
    ConnectionLimit {
        /// How many.
        #[serde(default = "first")]
        times: u32,
    },
    /// Nothing can be written: commits and exports fail.
    DiskFull,
    /// Ends [`Fault::DiskFull`].
    DiskFree,
}

fn first() -> u32 {
    1
}

/// Is one step of a change to the configuration.
///
/// A path is a JSON pointer in the snapshot; a segment `[key=value]` finds the element of a list by one of its members:
/// `/filters/[name=office365_outbound]/active`, `/listeners/[name=IncomingMail]/rat/entries/-`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Edit {
    /// Sets a member, or puts an element into a list; `-` is behind the last one.
    Add {
        /// Where.
        path: String,
        /// What.
        value: Value,
    },
    /// Sets what is there already.
    Replace {
        /// Where.
        path: String,
        /// What.
        value: Value,
    },
    /// Takes away what is there.
    Remove {
        /// Where.
        path: String,
    },
}

/// Applies a change, whole or not at all.
pub(super) fn apply(configuration: &Configuration, change: &[Edit]) -> Result<Configuration, String> {
    let mut tree = serde_json::to_value(configuration).map_err(|error| error.to_string())?;
    for edit in change {
        let (path, value) = match edit {
            Edit::Add { path, value } | Edit::Replace { path, value } => (path, Some(value)),
            Edit::Remove { path } => (path, None),
        };
        let (parent, last) = path.rsplit_once('/').ok_or_else(|| format!("not a path: {path:?}"))?;
        let parent = find(&mut tree, parent).ok_or_else(|| format!("nothing stands at {parent:?}"))?;
        let missing = || format!("nothing stands at {path:?}");
        match (parent, value) {
            (Value::Object(members), Some(value)) => {
                if matches!(edit, Edit::Replace { .. }) && !members.contains_key(last) {
                    return Err(missing());
                }
                members.insert(last.to_owned(), value.clone());
            }
            (Value::Object(members), None) => {
                members.remove(last).ok_or_else(missing)?;
            }
            (Value::Array(elements), Some(value)) if matches!(edit, Edit::Add { .. }) => {
                let at = if last == "-" { elements.len() } else { position(elements, last).ok_or_else(missing)? };
                elements.insert(at, value.clone());
            }
            (Value::Array(elements), Some(value)) => {
                let at = position(elements, last).ok_or_else(missing)?;
                *elements.get_mut(at).ok_or_else(missing)? = value.clone();
            }
            (Value::Array(elements), None) => {
                let at = position(elements, last).ok_or_else(missing)?;
                elements.remove(at);
            }
            _ => return Err(missing()),
        }
    }
    serde_json::from_value(tree).map_err(|error| error.to_string())
}

fn position(elements: &[Value], segment: &str) -> Option<usize> {
    if let Some((key, value)) =
        segment.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).and_then(|rest| rest.split_once('='))
    {
        return elements.iter().position(|element| element.get(key).and_then(Value::as_str) == Some(value));
    }
    segment.parse().ok().filter(|at| *at < elements.len())
}

fn find<'a>(tree: &'a mut Value, path: &str) -> Option<&'a mut Value> {
    path.split('/').skip(1).try_fold(tree, |tree, segment| match tree {
        Value::Object(members) => members.get_mut(segment),
        Value::Array(elements) => {
            let at = position(elements, segment)?;
            elements.get_mut(at)
        }
        _ => None,
    })
}

/// Holds the faults that are still to happen.
#[derive(Debug, Default)]
pub(super) struct Faults {
    waiting: Vec<Fault>,
    pub(super) disk_full: bool,
}

/// Says how a commit goes wrong.
#[derive(Debug, Default)]
pub(super) struct CommitFaults {
    pub(super) refusal: Option<String>,
    pub(super) collision: Option<Vec<Edit>>,
    pub(super) delay: u64,
    pub(super) lie: bool,
    pub(super) warning: Option<String>,
}

/// Says what happens at a typed line, in this order.
#[derive(Debug, Default)]
pub(super) struct LineFaults {
    pub(super) change: Option<Vec<Edit>>,
    pub(super) breaks: Option<Break>,
    pub(super) refusal: Option<String>,
}

/// Names a fault with `times`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    WrongHostKey,
    RejectLogins,
    PassphraseExpired,
    SecondFactor,
    ConnectionLimit,
}

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        match fault {
            Fault::DiskFull => self.disk_full = true,
            Fault::DiskFree => self.disk_full = false,
            fault => self.waiting.push(fault),
        }
    }

    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.disk_full = false;
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Counts an occasion and tells how the session breaks there, if it does.
    pub(super) fn at(&mut self, here: &Point) -> Option<Break> {
        let mut breaks = None;
        self.waiting.retain_mut(|fault| match fault {
            Fault::Break { how, at, nth } if fits(at, here) => {
                *nth = nth.saturating_sub(1);
                if *nth == 0 {
                    breaks = Some(*how);
                }
                *nth > 0
            }
            _ => true,
        });
        breaks
    }

    /// Counts a typed line and takes what happens at it.
    pub(super) fn line(&mut self) -> LineFaults {
        let mut faults = LineFaults { breaks: self.at(&Point::Line), ..LineFaults::default() };
        self.waiting.retain_mut(|fault| {
            let (Fault::RefuseLine { nth, .. } | Fault::Intrude { nth, .. }) = fault else { return true };
            *nth = nth.saturating_sub(1);
            if *nth > 0 {
                return true;
            }
            match fault {
                Fault::RefuseLine { text, .. } => faults.refusal = Some(text.clone()),
                Fault::Intrude { change, .. } => faults.change = Some(change.clone()),
                _ => {}
            }
            false
        });
        faults
    }

    /// Takes the question that comes up here.
    pub(super) fn question(&mut self, command: &str, question: &str) -> Option<(String, String, bool)> {
        let question = question.to_lowercase();
        let at = self.waiting.iter().position(|fault| {
            matches!(fault, Fault::Ask { command: wanted, before, .. }
                if wanted == command && question.contains(&before.to_lowercase()))
        })?;
        match self.waiting.remove(at) {
            Fault::Ask { text, default, yes_no, .. } => Some((text, default, yes_no)),
            _ => None,
        }
    }

    /// Takes the end of output for a command.
    pub(super) fn cut(&mut self, command: &str) -> Option<(usize, Break)> {
        let at = self
            .waiting
            .iter()
            .position(|fault| matches!(fault, Fault::CutOutput { command: wanted, .. } if wanted == command))?;
        match self.waiting.remove(at) {
            Fault::CutOutput { after_lines, how, .. } => Some((after_lines, how)),
            _ => None,
        }
    }

    /// Counts a commit of these changes and takes what happens to it.
    pub(super) fn commit(&mut self, changes: &[String]) -> CommitFaults {
        let mut faults = CommitFaults::default();
        self.waiting.retain_mut(|fault| {
            if let Fault::RefuseCommitOf { name, text } = fault
                && changes.iter().any(|line| line.contains(name.as_str()))
            {
                faults.refusal = Some(text.clone());
            }
            let (Fault::RefuseCommit { nth, .. }
            | Fault::Collide { nth, .. }
            | Fault::SlowCommit { nth, .. }
            | Fault::FalseCommit { nth }
            | Fault::WarnCommit { nth, .. }) = fault
            else {
                return true;
            };
            *nth = nth.saturating_sub(1);
            if *nth > 0 {
                return true;
            }
            match fault {
                Fault::RefuseCommit { text, .. } => faults.refusal = Some(text.clone()),
                Fault::Collide { change, .. } => faults.collision = Some(change.clone()),
                Fault::SlowCommit { milliseconds, .. } => faults.delay = *milliseconds,
                Fault::FalseCommit { .. } => faults.lie = true,
                Fault::WarnCommit { text, .. } => faults.warning = Some(text.clone()),
                _ => {}
            }
            false
        });
        faults
    }

    /// Takes one of `times`.
    pub(super) fn take(&mut self, kind: Kind) -> bool {
        let mut taken = false;
        self.waiting.retain_mut(|fault| {
            let (found, times) = match fault {
                Fault::WrongHostKey { times } => (Kind::WrongHostKey, times),
                Fault::RejectLogins { times } => (Kind::RejectLogins, times),
                Fault::PassphraseExpired { times } => (Kind::PassphraseExpired, times),
                Fault::SecondFactor { times } => (Kind::SecondFactor, times),
                Fault::ConnectionLimit { times } => (Kind::ConnectionLimit, times),
                _ => return true,
            };
            if found != kind || taken {
                return true;
            }
            taken = *times > 0;
            *times = times.saturating_sub(1);
            *times > 0
        });
        taken
    }
}

fn fits(wanted: &Point, here: &Point) -> bool {
    match (wanted, here) {
        (Point::Question(part), Point::Question(text)) => text.to_lowercase().contains(&part.to_lowercase()),
        (wanted, here) => wanted == here,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::gateway::Release;

    #[test]
    fn a_change_finds_elements_by_member_and_is_all_or_nothing() {
        let before = Configuration::new_gateway(Release::V15_5);
        let path = "/listeners/[name=IncomingMail]/hat/groups/[name=WHITELIST]/comment";
        let change: Vec<Edit> =
            serde_json::from_value(serde_json::json!([{ "op": "replace", "path": path, "value": "ours" }])).unwrap();
        let after = apply(&before, &change).unwrap();
        assert_eq!(after.listeners[0].hat.groups[0].comment, "ours");
        assert!(apply(&before, &[Edit::Remove { path: "/filters/[name=none]".into() }]).is_err());
        assert!(apply(&before, &[Edit::Replace { path: "/smtp_routes".into(), value: "text".into() }]).is_err());
    }
}
