//! What a text in a language of its own is made of, for whoever writes it as configuration.

use std::ops::Range;

/// The parts of a text that are more than text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Anatomy {
    /// Where secrets stand in it, in bytes: in order, none within another.
    pub secrets: Vec<Range<usize>>,
    /// The function that makes a text of exactly the same meaning.
    pub made_by: Option<Making>,
}

/// A call of a function of this provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Making {
    /// The function's name.
    pub function: &'static str,
    /// Its arguments.
    pub arguments: Vec<Argument>,
}

/// What a function is called with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// The name of an object of this kind, which the object is not referred to by: the other one may depend on this one.
    NameOf(&'static str, String),
    /// A text.
    Text(String),
    /// A list of secrets.
    Secrets(Vec<String>),
}
