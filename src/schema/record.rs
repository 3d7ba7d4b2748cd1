//! An object's attributes by name, as operations read and write them.

use std::collections::BTreeMap;

use crate::value::{Path, Step, Value};

/// An object's attributes. A missing name reads as null.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record(BTreeMap<String, Value>);

impl Record {
    /// An object without attributes.
    pub fn new() -> Record {
        Record::default()
    }

    /// Takes an object value apart. Anything but an object gives an empty record.
    pub fn from_value(value: Value) -> Record {
        match value {
            Value::Object(members) | Value::Map(members) => Record(members),
            _ => Record::default(),
        }
    }

    /// Puts the attributes together to an object value.
    pub fn into_value(self) -> Value {
        Value::Object(self.0)
    }

    /// The attributes by name.
    pub fn members(&self) -> &BTreeMap<String, Value> {
        &self.0
    }

    /// The value of an attribute; null if it is missing.
    pub fn get(&self, name: &str) -> &Value {
        self.0.get(name).unwrap_or(&Value::Null)
    }

    /// The value at a dotted name (`actions.set_header_name`); null if any step is missing or null, unknown if a step is.
    pub fn at(&self, dotted: &str) -> &Value {
        let mut names = dotted.split('.');
        let mut value = self.get(names.next().unwrap_or_default());
        for name in names {
            value = match value {
                Value::Object(members) | Value::Map(members) => members.get(name).unwrap_or(&Value::Null),
                Value::Unknown(_) => return value,
                _ => &Value::Null,
            };
        }
        value
    }

    /// The value at a path, if the path leads somewhere.
    pub fn at_path(&self, path: &Path) -> Option<&Value> {
        let mut steps = path.0.iter();
        let Some(Step::Attribute(first)) = steps.next() else { return None };
        let mut value = self.0.get(first)?;
        for step in steps {
            value = match (step, value) {
                (Step::Attribute(name) | Step::Key(name), Value::Object(members) | Value::Map(members)) => members.get(name)?,
                (Step::Index(index), Value::List(items) | Value::Tuple(items)) => items.get(usize::try_from(*index).ok()?)?,
                _ => return None,
            };
        }
        Some(value)
    }

    /// The text of an attribute, if it is set and known.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.at(name).as_text()
    }

    /// The truth of an attribute, if it is set and known.
    pub fn truth(&self, name: &str) -> Option<bool> {
        self.at(name).as_bool()
    }

    /// The whole number of an attribute, if it is set and known.
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.at(name).as_integer()
    }

    /// The texts of a list or set attribute, in their order; empty if it is not set or not known.
    pub fn texts(&self, name: &str) -> Vec<&str> {
        self.at(name).as_elements().unwrap_or_default().iter().filter_map(Value::as_text).collect()
    }

    /// The object attribute as a record of its own, if it is set and known.
    pub fn record(&self, name: &str) -> Option<Record> {
        self.at(name).as_members().map(|members| Record(members.clone()))
    }

    /// Sets an attribute.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.0.insert(name.into(), value.into());
    }

    /// Sets an attribute, in passing.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Record {
        self.set(name, value);
        self
    }

    /// Removes an attribute and gives its value.
    pub fn take(&mut self, name: &str) -> Value {
        self.0.remove(name).unwrap_or_default()
    }

    /// The attributes that are there, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

impl From<BTreeMap<String, Value>> for Record {
    fn from(members: BTreeMap<String, Value>) -> Record {
        Record(members)
    }
}
