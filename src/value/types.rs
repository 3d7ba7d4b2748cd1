//! Types and values of the plugin protocol's type system.

use std::collections::BTreeMap;

use super::Number;

/// The type of a value, as a schema or a dynamic value states it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Type {
    /// Unicode text, compared in normal form C.
    String,
    /// A decimal number of any size.
    Number,
    /// True or false.
    Bool,
    /// A value that carries its own type.
    Dynamic,
    /// An ordered sequence of one type.
    List(Box<Type>),
    /// An unordered collection of one type, without duplicates.
    Set(Box<Type>),
    /// Values of one type by name.
    Map(Box<Type>),
    /// Named attributes, each of its own type. All are always there.
    Object(BTreeMap<String, Type>),
    /// An ordered sequence in which each position has its own type.
    Tuple(Vec<Type>),
}

/// What is known of an unknown value. Every member is optional; all absent means that nothing is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refinement {
    /// `Some(false)`: will not be null. `Some(true)`: will be null.
    pub null: Option<bool>,
    /// The text that the value will begin with.
    pub prefix: Option<String>,
    /// The least number, and whether that number itself is allowed.
    pub minimum: Option<(Number, bool)>,
    /// The greatest number, and whether that number itself is allowed.
    pub maximum: Option<(Number, bool)>,
    /// The least count of elements.
    pub least: Option<u64>,
    /// The greatest count of elements.
    pub most: Option<u64>,
}

/// A value of any [`Type`]. Sets are kept sorted and free of duplicates, so that `==` compares them as sets.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Value {
    /// Nothing was given.
    #[default]
    Null,
    /// Not known before apply, with what is known of it.
    Unknown(Option<Box<Refinement>>),
    /// True or false.
    Bool(bool),
    /// An exact decimal number.
    Number(Number),
    /// Text.
    String(String),
    /// An ordered sequence.
    List(Vec<Value>),
    /// A set; build it with [`Value::set`].
    Set(Vec<Value>),
    /// Values by name.
    Map(BTreeMap<String, Value>),
    /// An object's attributes.
    Object(BTreeMap<String, Value>),
    /// A sequence of differing types.
    Tuple(Vec<Value>),
    /// A value under a dynamic type, with the type it carries.
    Dynamic(Box<(Type, Value)>),
}

impl Value {
    /// An unknown value of which nothing is known.
    pub const UNKNOWN: Value = Value::Unknown(None);

    /// Makes text.
    pub fn text(text: impl Into<String>) -> Value {
        Value::String(text.into())
    }

    /// Makes a whole number.
    pub fn integer(number: i64) -> Value {
        Value::Number(Number::from(number))
    }

    /// Makes a set: sorts the elements and drops duplicates. Unknown elements are all kept, as each may become
    /// a different value.
    pub fn set(mut elements: Vec<Value>) -> Value {
        elements.sort();
        elements.dedup_by(|a, b| a == b && a.is_wholly_known());
        Value::Set(elements)
    }

    /// Makes a set of texts.
    pub fn texts<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Value {
        Value::set(texts.into_iter().map(Value::text).collect())
    }

    /// Makes an object of named attributes.
    pub fn object<N: Into<String>>(attributes: impl IntoIterator<Item = (N, Value)>) -> Value {
        Value::Object(attributes.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }

    /// Tells whether this is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Tells whether this value itself (not an element of it) is unknown.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Value::Unknown(_))
    }

    /// Tells whether neither this value nor anything inside it is unknown.
    pub fn is_wholly_known(&self) -> bool {
        match self {
            Value::Unknown(_) => false,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
            Value::List(items) | Value::Set(items) | Value::Tuple(items) => items.iter().all(Value::is_wholly_known),
            Value::Map(members) | Value::Object(members) => members.values().all(Value::is_wholly_known),
            Value::Dynamic(inner) => inner.1.is_wholly_known(),
        }
    }

    /// What the value is called in errors; never the value itself.
    pub(super) fn noun(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Unknown(_) => "an unknown value",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::String(_) => "text",
            Value::List(_) => "a list",
            Value::Set(_) => "a set",
            Value::Map(_) => "a map",
            Value::Object(_) => "an object",
            Value::Tuple(_) => "a tuple",
            Value::Dynamic(_) => "a value with its type",
        }
    }

    /// The text, if this is text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    /// The whole number, if this is a number that is whole and fits.
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Value::Number(number) => number.as_i64(),
            _ => None,
        }
    }

    /// The elements, if this is a list, a set or a tuple.
    pub fn as_elements(&self) -> Option<&[Value]> {
        match self {
            Value::List(items) | Value::Set(items) | Value::Tuple(items) => Some(items),
            _ => None,
        }
    }

    /// The members, if this is an object or a map.
    pub fn as_members(&self) -> Option<&BTreeMap<String, Value>> {
        match self {
            Value::Object(members) | Value::Map(members) => Some(members),
            _ => None,
        }
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Value {
        Value::Bool(truth)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::integer(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::text(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::String(text)
    }
}

/// Shows the shape of a value and never its text: any text may be a secret, and debug output ends in logs.
impl std::fmt::Debug for Value {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Null => out.write_str("null"),
            Value::Unknown(_) => out.write_str("unknown"),
            Value::Bool(truth) => write!(out, "{truth}"),
            Value::Number(number) => write!(out, "{number}"),
            Value::String(text) if cfg!(test) => write!(out, "{text:?}"),
            Value::String(text) => write!(out, "text of {} characters", text.chars().count()),
            Value::List(items) => out.debug_list().entries(items).finish(),
            Value::Set(items) => out.debug_set().entries(items).finish(),
            Value::Tuple(items) => {
                out.write_str("tuple ")?;
                out.debug_list().entries(items).finish()
            }
            Value::Map(members) | Value::Object(members) => out.debug_map().entries(members).finish(),
            Value::Dynamic(inner) => write!(out, "dynamic {:?}", inner.1),
        }
    }
}
