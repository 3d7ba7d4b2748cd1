//! Type constraints in JSON, as schemas and dynamic values carry them: `"string"`, `["list","string"]`,
//! `["object",{"x":"number"}]`.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value as Json;

use super::Type;

/// The JSON is not a type constraint; the text says why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAType(String);

impl fmt::Display for NotAType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "not a type constraint: {}", self.0)
    }
}

impl std::error::Error for NotAType {}

impl Type {
    /// Writes the type constraint.
    pub fn to_json(&self) -> Json {
        let of = |kind: &str, inner: Json| Json::Array(vec![kind.into(), inner]);
        match self {
            Type::String => "string".into(),
            Type::Number => "number".into(),
            Type::Bool => "bool".into(),
            Type::Dynamic => "dynamic".into(),
            Type::List(element) => of("list", element.to_json()),
            Type::Set(element) => of("set", element.to_json()),
            Type::Map(element) => of("map", element.to_json()),
            Type::Object(members) => {
                of("object", Json::Object(members.iter().map(|(name, member)| (name.clone(), member.to_json())).collect()))
            }
            Type::Tuple(elements) => of("tuple", Json::Array(elements.iter().map(Type::to_json).collect())),
        }
    }

    /// Reads a type constraint. The third part of an object (which of its attributes are optional) says nothing about
    /// values and is ignored.
    pub fn from_json(json: &Json) -> Result<Type, NotAType> {
        match json {
            Json::String(name) => match name.as_str() {
                "string" => Ok(Type::String),
                "number" => Ok(Type::Number),
                "bool" => Ok(Type::Bool),
                "dynamic" => Ok(Type::Dynamic),
                _ => Err(NotAType(format!("there is no type {name:?}"))),
            },
            Json::Array(parts) => match parts.as_slice() {
                [Json::String(kind), inner] => Type::compound(kind, inner),
                [Json::String(kind), inner, Json::Array(_)] if kind == "object" => Type::compound(kind, inner),
                _ => Err(NotAType("a list of a kind and what it holds was expected".to_owned())),
            },
            _ => Err(NotAType("a name or a list was expected".to_owned())),
        }
    }

    fn compound(kind: &str, inner: &Json) -> Result<Type, NotAType> {
        match (kind, inner) {
            ("list", element) => Ok(Type::List(Box::new(Type::from_json(element)?))),
            ("set", element) => Ok(Type::Set(Box::new(Type::from_json(element)?))),
            ("map", element) => Ok(Type::Map(Box::new(Type::from_json(element)?))),
            ("object", Json::Object(members)) => {
                let mut types = BTreeMap::new();
                for (name, member) in members {
                    types.insert(name.clone(), Type::from_json(member)?);
                }
                Ok(Type::Object(types))
            }
            ("tuple", Json::Array(elements)) => Ok(Type::Tuple(elements.iter().map(Type::from_json).collect::<Result<_, _>>()?)),
            _ => Err(NotAType(format!("{kind:?} does not hold that"))),
        }
    }

    /// What the type is called in messages to the user.
    pub(crate) fn noun(&self) -> &'static str {
        match self {
            Type::String => "text",
            Type::Number => "a number",
            Type::Bool => "true or false",
            Type::Dynamic => "a value with its type",
            Type::List(_) => "a list",
            Type::Set(_) => "a set",
            Type::Map(_) => "a map",
            Type::Object(_) => "an object",
            Type::Tuple(_) => "a tuple",
        }
    }
}
