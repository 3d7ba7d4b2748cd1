//! One login session on a gateway, seen as printouts and dialogs.

use async_trait::async_trait;

use super::dialog::{Dialog, Said, Told};
use crate::remote::{Error, Kind};

/// One login session. Its candidate configuration is its own until it commits.
#[async_trait]
pub trait Device: Send {
    /// Types one command at the main prompt and gives all it printed (pager pages joined, echo and prompt removed). An output
    /// that does not end in the main prompt is an error, never "empty".
    async fn show(&mut self, command: &str) -> Result<String, Error>;

    /// Walks a declared dialog from the main prompt back to the main prompt. A question that the dialog does not declare, or a
    /// refusal, ends it without an answer; the error carries the device's words and the masked conversation.
    async fn walk(&mut self, dialog: &Dialog) -> Result<Said, Error>;

    /// Walks a dialog that stages nothing and prints a report over several questions. In a cluster it is walked at the machine of this login, as
    /// such commands are bound to one machine, and the session is at its own level again afterwards.
    async fn report(&mut self, _dialog: &Dialog) -> Result<Report, Error> {
        Err(Error::new(Kind::Unexpected, "This session prints no reports."))
    }

    /// Tells what is staged and not committed, in the device's words; `None` if nothing is.
    async fn pending(&mut self) -> Result<Option<String>, Error>;

    /// Drops all that is staged and not committed.
    async fn clear(&mut self) -> Result<(), Error>;

    /// Commits what is staged. A lost connection is an [`Error`] of kind `Unavailable`: the outcome is then unknown.
    async fn commit(&mut self, comment: &str, rollback_snapshot: bool) -> Result<Commit, Error>;

    /// Tells what the last commit changed, in the device's words.
    async fn committed(&mut self) -> Result<String, Error>;

    /// Logs out. What is staged and not committed is neither committed nor agreed to be lost: it may not be ours.
    async fn close(&mut self);

    /// Whether changes are made on this device at all; the error says why not.
    fn writable(&self) -> Result<(), Error> {
        Ok(())
    }

    /// The AsyncOS release, such as `15.0.0-104`, if the device told it (see [`super::release::check_for_writes`]).
    fn release(&self) -> Option<&str> {
        None
    }

    /// Whether the device has ended the session by now, or is about to: open another one. Each operation of such a session is an
    /// [`Error`] of kind `Unavailable` before anything is typed.
    fn is_stale(&self) -> bool {
        false
    }
}

/// What a report says, and for whom it holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// What was printed, part by part.
    pub told: Vec<Told>,
    /// The machine of the cluster that printed it; nothing where there is no cluster.
    pub machine: Option<String>,
}

/// How a commit ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Commit {
    /// The changes are live.
    Done {
        /// What else the device said, such as a cluster peer that is away.
        notices: Vec<String>,
    },
    /// There was nothing to commit.
    NothingStaged,
    /// Somebody else committed in between; the question was answered so that nothing of theirs is lost.
    Collision(String),
    /// The device refused, in its own words.
    Refused(String),
}

/// Opens sessions. Each attempt is one login; wrong credentials are never tried twice.
#[async_trait]
pub trait Connect: Send + Sync {
    /// Opens a session and prepares it: pager off where possible, level chosen, release read.
    async fn connect(&self) -> Result<Box<dyn Device>, Error>;

    /// Names the gateway in messages and for the lock between processes: host, port and level.
    fn name(&self) -> String;
}
