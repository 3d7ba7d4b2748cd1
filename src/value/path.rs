//! Where in an object a value stands.

use std::fmt;

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// An attribute by name.
    Attribute(String),
    /// A map element by key.
    Key(String),
    /// A list or tuple element by position, from 0.
    Index(i64),
}

/// The way from the root of an object to a value inside it. Elements of sets have no address: a path ends at the set.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(pub Vec<Step>);

impl Path {
    /// The object itself.
    pub fn root() -> Path {
        Path::default()
    }

    /// The path of an attribute below this one.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Path {
        self.then(Step::Attribute(name.to_owned()))
    }

    /// The path of a map element below this one.
    #[must_use]
    pub fn key(&self, key: &str) -> Path {
        self.then(Step::Key(key.to_owned()))
    }

    /// The path of a list element below this one.
    #[must_use]
    pub fn index(&self, index: usize) -> Path {
        self.then(Step::Index(i64::try_from(index).unwrap_or(i64::MAX)))
    }

    /// Reads dotted attribute names: `actions.set_header_name`.
    pub fn dotted(names: &str) -> Path {
        Path(names.split('.').map(|name| Step::Attribute(name.to_owned())).collect())
    }

    fn then(&self, step: Step) -> Path {
        let mut steps = self.0.clone();
        steps.push(step);
        Path(steps)
    }
}

/// As Terraform writes it: `actions.set_header_name`, `destination[0].host`.
impl fmt::Display for Path {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Attribute(name) if position == 0 => write!(out, "{name}")?,
                Step::Attribute(name) => write!(out, ".{name}")?,
                Step::Key(key) => write!(out, "[{key:?}]")?,
                Step::Index(index) => write!(out, "[{index}]")?,
            }
        }
        Ok(())
    }
}
