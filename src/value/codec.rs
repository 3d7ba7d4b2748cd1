//! What both codecs share: errors that know where they are, and normal form C of text.

use std::borrow::Cow;
use std::fmt;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::{Path, Step};

/// A document does not hold a value of the expected type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// Where in the value.
    pub path: Path,
    /// What is wrong there, without the value itself (it may be a secret).
    pub text: String,
}

/// A value cannot be written as a value of the expected type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodeError {
    /// Where in the value.
    pub path: Path,
    /// What is wrong there, without the value itself (it may be a secret).
    pub text: String,
}

/// An error on its way out of a value. The path is put together only when something is wrong: each level that the error
/// passes adds its step, innermost first.
#[derive(Debug)]
pub(super) struct Fault {
    steps: Vec<Step>,
    text: String,
}

impl Fault {
    pub(super) fn new(text: impl Into<String>) -> Fault {
        Fault { steps: Vec::new(), text: text.into() }
    }

    pub(super) fn below(mut self, step: Step) -> Fault {
        self.steps.push(step);
        self
    }

    pub(super) fn in_attribute(self, name: &str) -> Fault {
        self.below(Step::Attribute(name.to_owned()))
    }

    pub(super) fn in_key(self, key: &str) -> Fault {
        self.below(Step::Key(key.to_owned()))
    }

    pub(super) fn in_element(self, index: usize) -> Fault {
        self.below(Step::Index(i64::try_from(index).unwrap_or(i64::MAX)))
    }

    fn into_parts(mut self) -> (Path, String) {
        self.steps.reverse();
        (Path(self.steps), self.text)
    }
}

impl From<Fault> for DecodeError {
    fn from(fault: Fault) -> DecodeError {
        let (path, text) = fault.into_parts();
        DecodeError { path, text }
    }
}

impl From<Fault> for EncodeError {
    fn from(fault: Fault) -> EncodeError {
        let (path, text) = fault.into_parts();
        EncodeError { path, text }
    }
}

fn show(path: &Path, text: &str, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    if path.0.is_empty() { out.write_str(text) } else { write!(out, "{path}: {text}") }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(&self.path, &self.text, out)
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(&self.path, &self.text, out)
    }
}

impl std::error::Error for DecodeError {}
impl std::error::Error for EncodeError {}

/// Brings text to Unicode normal form C, the form in which Terraform stores and compares all text. Text that already has
/// it, as nearly all has, is not copied.
pub(crate) fn normal(text: &str) -> Cow<'_, str> {
    if is_nfc_quick(text.chars()) == IsNormalized::Yes { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) }
}
