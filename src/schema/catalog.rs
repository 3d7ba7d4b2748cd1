//! Resources, data sources and functions as data, and the one list of all of them.

use std::fmt;

use super::{Attribute, Move, Record, Upgrade};
use crate::value::{Diagnostics, Type, Value};

/// A kind of object that Terraform manages.
///
/// Every resource also has `id` (computed, fixed) and `timeouts` (`create`, `read`, `update`, `delete`), which the
/// engine adds: tables do not list them.
#[derive(Debug)]
pub struct Resource {
    /// The type name without the provider's prefix: `exchange_inbound_connector`.
    pub name: &'static str,
    /// What the object is called in messages: `inbound connector`.
    pub noun: &'static str,
    /// What it is and does, for the docs: Markdown, the first sentence stands alone.
    pub about: &'static str,
    /// The lines of the table.
    pub attributes: &'static [Attribute],
    /// What must hold between attributes.
    pub rules: &'static [Rule],
    /// The names of the attributes that identify the object while it lives; they never change without replacement.
    pub identity: &'static [&'static str],
    /// How an existing object is named to import it.
    pub import: Import,
    /// The attribute whose value names the object in messages: `name`, `domain`.
    pub title: &'static str,
    /// The version of the stored state.
    pub version: i64,
    /// How long each operation may take when `timeouts` does not say.
    pub timeouts: Timeouts,
}

/// The form of an import ID.
#[derive(Debug, Clone, Copy)]
pub enum Import {
    /// One text, which the service resolves (a name or a GUID): what it is, and an example.
    Lookup {
        /// What the text is.
        about: &'static str,
        /// One that could be typed.
        example: &'static str,
    },
    /// The named attributes joined by `/`; only the last may itself contain a `/`.
    Key {
        /// The attributes, in order.
        attributes: &'static [&'static str],
        /// One that could be typed.
        example: &'static str,
    },
    /// The one object of its kind: always this word.
    Singleton {
        /// The word, which is also the `id`.
        word: &'static str,
    },
}

impl Resource {
    /// What an object is called in messages: `transport rule "Block exe"`, or `the order of transport rules` where there is one of its kind.
    pub fn called(&self, record: &Record) -> String {
        match record.text(self.title) {
            Some(title) if self.title != "id" => format!("{} {title:?}", self.noun),
            _ => format!("the {}", self.noun),
        }
    }
}

/// Default time limits in seconds.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For create, update and delete.
    pub write: u64,
    /// For read, plan and import.
    pub read: u64,
}

/// What must hold between attributes. Names are dotted from the root: `actions.set_header_name`.
#[derive(Clone, Copy)]
pub enum Rule {
    /// The first may only be set (a boolean: be true) where the second is set (a boolean: is true; a collection: not empty).
    Requires(&'static str, &'static str),
    /// At most one of these may be set.
    Conflicts(&'static [&'static str]),
    /// At least one of these must be set; the text says why.
    AtLeastOne(&'static [&'static str], &'static str),
    /// Exactly one of these must be written, even where the service fills what is left out; the text says why.
    ExactlyOne(&'static [&'static str], &'static str),
    /// All of these or none.
    Together(&'static [&'static str]),
    /// Anything else: what it says (for the docs), and the test. Unknown values must be let pass.
    Hook(&'static str, fn(&Record) -> Diagnostics),
    /// Advice at plan, which looks at what stands as well (nothing, for a new object): what it says (for the docs), and the test, which gives
    /// warnings only. Unknown values must be let pass.
    Advice(&'static str, fn(Option<&Record>, &Record) -> Diagnostics),
}

/// Something that can be read and is not managed.
#[derive(Debug)]
pub struct DataSource {
    /// The type name without the provider's prefix.
    pub name: &'static str,
    /// What it is called in messages.
    pub noun: &'static str,
    /// What it gives, for the docs.
    pub about: &'static str,
    /// The lines of the table: arguments and results.
    pub attributes: &'static [Attribute],
    /// What must hold between arguments.
    pub rules: &'static [Rule],
}

/// A provider function: pure, and callable in a process that was never configured.
#[derive(Debug)]
pub struct Function {
    /// The name after `provider::mailflow::`.
    pub name: &'static str,
    /// What it gives, for the docs.
    pub about: &'static str,
    /// Its parameters in order.
    pub parameters: &'static [Parameter],
    /// The type of what it gives.
    pub returns: fn() -> Type,
    /// The function. Arguments are known and of the right type.
    pub call: fn(&[Value]) -> Result<Value, FunctionError>,
}

/// A parameter of a [`Function`].
#[derive(Debug)]
pub struct Parameter {
    /// Its name in the docs and in errors.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Its type.
    pub value_type: fn() -> Type,
}

/// Why a function gives no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionError {
    /// What is wrong and how to mend it.
    pub text: String,
    /// The argument that it is about, from 0.
    pub argument: Option<usize>,
}

/// All that a provider offers.
#[derive(Debug)]
pub struct Catalog {
    /// The provider's name: the prefix of every type name.
    pub name: &'static str,
    /// The settings of the provider block.
    pub settings: &'static [Attribute],
    /// What must hold between settings.
    pub setting_rules: &'static [Rule],
    /// What can be managed.
    pub resources: &'static [&'static Resource],
    /// What can be read.
    pub data_sources: &'static [&'static DataSource],
    /// What can be called.
    pub functions: &'static [&'static Function],
    /// How stored objects of older versions become those of now.
    pub upgrades: &'static [Upgrade],
    /// Which objects of other providers can be moved here.
    pub moves: &'static [Move],
}

impl Catalog {
    /// Finds a resource by its full type name (`mailflow_exchange_inbound_connector`).
    pub fn resource(&self, type_name: &str) -> Option<&'static Resource> {
        let name = self.strip(type_name)?;
        self.resources.iter().copied().find(|resource| resource.name == name)
    }

    /// Finds a data source by its full type name.
    pub fn data_source(&self, type_name: &str) -> Option<&'static DataSource> {
        let name = self.strip(type_name)?;
        self.data_sources.iter().copied().find(|source| source.name == name)
    }

    /// Finds a function by name.
    pub fn function(&self, name: &str) -> Option<&'static Function> {
        self.functions.iter().copied().find(|function| function.name == name)
    }

    fn strip<'a>(&self, type_name: &'a str) -> Option<&'a str> {
        type_name.strip_prefix(self.name)?.strip_prefix('_')
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rule::Requires(first, second) => write!(out, "{first} requires {second}"),
            Rule::Conflicts(names) => write!(out, "at most one of {names:?}"),
            Rule::AtLeastOne(names, _) => write!(out, "at least one of {names:?}"),
            Rule::ExactlyOne(names, _) => write!(out, "exactly one of {names:?}"),
            Rule::Together(names) => write!(out, "all or none of {names:?}"),
            Rule::Hook(about, _) | Rule::Advice(about, _) => out.write_str(about),
        }
    }
}
