//! How long an operation may take: what the object's `timeouts` say, else its table.

use std::time::Duration;

use crate::schema::{Record, Resource, engine};
use crate::value::{Diagnostic, Path};

/// What is done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    /// A new object.
    Create,
    /// Also for a plan and an import.
    Read,
    /// A changed object.
    Update,
    /// The end of an object.
    Delete,
}

impl Operation {
    /// The word for messages, and the name in `timeouts`.
    pub(super) fn word(self) -> &'static str {
        match self {
            Operation::Create => "create",
            Operation::Read => "read",
            Operation::Update => "update",
            Operation::Delete => "delete",
        }
    }
}

/// How long reading a data source may take: longer than a service's longest limit on queries lasts, which is five minutes.
pub(super) const DATA_SOURCE: Duration = Duration::from_mins(10);

/// The time limit of an operation on an object.
pub(super) fn limit(resource: &Resource, record: &Record, operation: Operation) -> Result<Duration, Diagnostic> {
    let word = operation.word();
    if let Some(text) = record.text(&format!("timeouts.{word}")) {
        return engine::parse_duration(text)
            .map_err(|reason| Diagnostic::error("Not a time limit", reason).at(Path::dotted("timeouts").attribute(word)));
    }
    let seconds = if operation == Operation::Read { resource.timeouts.read } else { resource.timeouts.write };
    Ok(Duration::from_secs(seconds))
}
