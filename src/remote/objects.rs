//! The operations that a side offers over its objects, and what comes with each call.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Error;
use crate::schema::{Record, Resource};
use crate::value::{Diagnostic, Diagnostics};

/// What comes with one operation: when to give up, and where to leave word.
#[derive(Debug)]
pub struct Call {
    /// Ends waits and retries when the user stops the run. A write in flight is finished all the same.
    pub stop: CancellationToken,
    /// When the operation's time limit is reached.
    pub deadline: Instant,
    /// Whether the host applies a plan: what it plans then was planned before, and other objects are changed meanwhile.
    pub applying: bool,
    warnings: Mutex<Diagnostics>,
    private: Mutex<BTreeMap<String, serde_json::Value>>,
}

impl Call {
    /// Makes a call that may take as long as `limit`.
    pub fn new(stop: CancellationToken, limit: Duration) -> Call {
        Call { stop, deadline: Instant::now() + limit, applying: false, warnings: Mutex::default(), private: Mutex::default() }
    }

    /// Gives the call the private data that is stored beside the object's state.
    #[must_use]
    pub fn with_private(self, private: BTreeMap<String, serde_json::Value>) -> Call {
        Call { private: Mutex::new(private), ..self }
    }

    /// Says whether the host applies a plan.
    #[must_use]
    pub fn while_applying(self, applying: bool) -> Call {
        Call { applying, ..self }
    }

    /// Leaves a message for the user that does not stop the operation (or an error on an attribute, at plan).
    pub fn report(&self, diagnostic: Diagnostic) {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).push(diagnostic);
    }

    /// Leaves messages about a planned object; `before` are those about the object as it stands. An error about what stands is none of the
    /// change's.
    pub fn report_new(&self, found: Diagnostics, before: &Diagnostics) {
        found.into_iter().filter(|said| !said.is_error() || !before.contains(said)).for_each(|said| self.report(said));
    }

    /// Takes the messages that were left.
    pub fn take_reports(&self) -> Diagnostics {
        std::mem::take(&mut *self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads a value that is stored beside the object's state and never shown.
    pub fn private(&self, name: &str) -> Option<serde_json::Value> {
        self.private.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Stores a value beside the object's state.
    pub fn set_private(&self, name: &str, value: serde_json::Value) {
        self.private.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), value);
    }

    /// Takes a value away that was stored beside the object's state.
    pub fn take_private(&self, name: &str) -> Option<serde_json::Value> {
        self.private.lock().unwrap_or_else(PoisonError::into_inner).remove(name)
    }

    /// All private values, to be stored.
    pub fn all_private(&self) -> BTreeMap<String, serde_json::Value> {
        self.private.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The time that is left.
    pub fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

/// A planned change of one object.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// What kind of object.
    pub resource: &'static Resource,
    /// The object as state has it; `None` for a create.
    pub prior: Option<&'a Record>,
    /// The object as planned; unknown where only the service can tell; write-only arguments are null.
    pub planned: &'a Record,
    /// The planned object with the write-only values under the plain names: what is to be sent.
    pub effective: &'a Record,
    /// The object as configured: tells what is left out from what is not known yet.
    pub config: &'a Record,
}

/// A write that failed, with the object as far as it exists (so that it is not lost from state). A create whose object stands is told to the host as a
/// success with a warning: a failure would taint the object, and the next apply would remove it.
#[derive(Debug, Clone)]
pub struct Failure {
    /// What went wrong.
    pub error: Error,
    /// What stands at the service now, if the object exists. For an update `None` keeps the prior state.
    pub object: Option<Record>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure { error, object: None }
    }
}

/// One side's objects. The records that come back hold what the service says, under the names of the resource's table, with
/// `id`; the engine brings them into the user's spelling and adds what the service does not know (`timeouts`, write-only
/// versions).
#[async_trait]
pub trait Objects: Send + Sync {
    /// Hears that the state of this run has an object, before anything else is asked about it; and what is planned for it, changed or not, once that
    /// is known.
    fn knows(&self, _resource: &'static Resource, _state: &Record, _planned: Option<&Record>) {}

    /// Checks a planned create or update as far as the service is needed to know (an unknown listener). Leaves errors and
    /// warnings with [`Call::report`]. Costs nothing when nothing changes: it is only called for a change.
    async fn check(&self, change: Change<'_>, call: &Call) -> Result<(), Error>;

    /// Tells whether what else is planned matters to an object that stays as it is, although it has no place among others.
    fn watches(&self, _resource: &'static Resource) -> bool {
        false
    }

    /// Judges an object that is planned to stay as it is and has a place among others or watches them, by what else is planned. Gives the computed attribute that is
    /// to be unknown in the plan, so that the object is called when the plan is applied, if what is planned moves others past it. While the plan is
    /// applied it is asked again, of an object that only changes for that reason. Only called where a place is configured, or for what
    /// [`Objects::watches`].
    async fn check_unchanged(&self, _change: Change<'_>, _call: &Call) -> Result<Option<&'static str>, Error> {
        Ok(None)
    }

    /// Checks a planned delete in the same way. `state` is what stands in the state.
    async fn check_delete(&self, _resource: &'static Resource, _state: &Record, _call: &Call) -> Result<(), Error> {
        Ok(())
    }

    /// Creates the object; returns it as read back, once it is live.
    async fn create(&self, change: Change<'_>, call: &Call) -> Result<Record, Failure>;

    /// Reads the object that state knows. `None` only if a complete, well-formed answer says that it is gone.
    async fn read(&self, resource: &'static Resource, state: &Record, call: &Call) -> Result<Option<Record>, Error>;

    /// Changes the object; returns it as read back, once the change is live.
    async fn update(&self, change: Change<'_>, call: &Call) -> Result<Record, Failure>;

    /// Deletes the object (or restores what was adopted); succeeds if it is already gone.
    async fn delete(&self, resource: &'static Resource, state: &Record, call: &Call) -> Result<(), Error>;

    /// Finds the object that an import ID names. The record is enough for [`Objects::read`].
    async fn find(&self, resource: &'static Resource, id: &str, call: &Call) -> Result<Record, Error>;
}
