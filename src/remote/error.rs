//! The one error of both sides.

use std::fmt;

use crate::value::{Diagnostic, Path};

/// What an error means for what to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A complete, well-formed answer says that the object is not there.
    NotFound,
    /// The account may not do this, or could not log in.
    Denied,
    /// The service asked to come back later, for longer than the time limit.
    Throttled,
    /// Somebody else stands in the way: a taken name, another writer, changes that are not ours.
    Conflict,
    /// The service refused what was sent.
    Invalid,
    /// The service could not be reached or did not answer in time.
    Unavailable,
    /// The run was stopped by the user.
    Stopped,
    /// The answer made no sense.
    Unexpected,
}

/// What went wrong with one operation at a service. Set by the one place that understood the answer; nobody matches on text later.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    /// What it means.
    pub kind: Kind,
    /// Whether the same call may succeed if it is made again.
    pub retryable: bool,
    /// Whether nothing at all was heard of the other side: neither an HTTP answer nor an SSH banner.
    pub unheard: bool,
    /// What the service said, in its words and without secrets.
    pub message: String,
    /// What to do about it, if known.
    pub hint: Option<String>,
    /// The attribute that it is about, if known.
    pub path: Option<Path>,
    /// What else helps to find the cause: (`request id`, `…`), (`host`, `…`).
    pub context: Vec<(&'static str, String)>,
}

impl Error {
    /// Makes an error that a retry does not help.
    pub fn new(kind: Kind, message: impl Into<String>) -> Error {
        Error { kind, retryable: false, unheard: false, message: message.into(), hint: None, path: None, context: Vec::new() }
    }

    /// Says that the same call may succeed later.
    #[must_use]
    pub fn retryable(self) -> Error {
        Error { retryable: true, ..self }
    }

    /// Says that nothing was heard of the other side.
    #[must_use]
    pub fn unheard(self) -> Error {
        Error { unheard: true, ..self }
    }

    /// Says what to do about it.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Error {
        Error { hint: Some(hint.into()), ..self }
    }

    /// Puts it on an attribute.
    #[must_use]
    pub fn at(self, path: Path) -> Error {
        Error { path: Some(path), ..self }
    }

    /// Adds a fact.
    #[must_use]
    pub fn context(mut self, name: &'static str, value: impl Into<String>) -> Error {
        self.context.push((name, value.into()));
        self
    }

    /// Makes the message to the user. `action` completes "Unable to": `create transport rule "Block exe"`.
    pub fn diagnostic(&self, action: &str) -> Diagnostic {
        let mut detail = self.message.clone();
        if let Some(hint) = &self.hint {
            detail.push_str("\n\n");
            detail.push_str(hint);
        }
        if !self.context.is_empty() {
            detail.push('\n');
            for (name, value) in &self.context {
                detail.extend(["\n", name, ": ", value]);
            }
        }
        Diagnostic { path: self.path.clone(), ..Diagnostic::error(format!("Unable to {action}"), detail) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(out, " {hint}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?}: {self}", self.kind)
    }
}

impl std::error::Error for Error {}
