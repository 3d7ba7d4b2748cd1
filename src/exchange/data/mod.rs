//! The data sources of Exchange Online that are no single objects of a resource: one file each.

mod accepted_domains;
mod domain;
mod limiter;
mod message_trace;

pub(super) use accepted_domains::{NOUN as ACCEPTED_DOMAIN, members as domain_members, odd as odd_domain};
pub(super) use domain::{PERMISSION as DOMAIN_PERMISSION, expected_mx};
pub(super) use limiter::Limiter;

use super::Exchange;
use super::answer::Object;
use super::cmdlet::{from_json, parameter};
use crate::remote::{Call, Error, Kind};
use crate::schema::{Attribute, DataSource, Kind as Of, Record, Remote};
use crate::value::Value;

/// All data sources of a kind of their own.
pub const SOURCES: &[&DataSource] = &[&accepted_domains::SOURCE, &domain::SOURCE, &message_trace::SOURCE];

impl Exchange {
    /// Reads one of [`SOURCES`]. `config` holds the arguments, with the table's defaults.
    pub async fn read_data(&self, source: &DataSource, config: &Record, call: &Call) -> Result<Record, Error> {
        match source.name {
            name if name == accepted_domains::SOURCE.name => accepted_domains::read(self, call).await,
            name if name == domain::SOURCE.name => domain::read(self, config, call).await,
            name if name == message_trace::SOURCE.name => message_trace::read(self, config, call).await,
            name => Err(Error::new(Kind::Unexpected, format!("{name} is not a data source of Exchange Online."))),
        }
    }
}

/// Reads an object into the lines of a table, each from the member that the line's name derives. A collection that the service leaves
/// out is empty.
fn shown(members: &[Attribute], object: &Object) -> Result<Record, Error> {
    let mut record = Record::new();
    for member in members {
        let Some(name) = named(member) else { continue };
        let value = from_json(member, None, object.get(&name))
            .map_err(|why| Error::new(Kind::Unexpected, format!("`{name}` of the answer could not be understood: {why}.")))?;
        let value = match (value, member.kind) {
            (Value::Null, Of::Set(_)) => Value::set(Vec::new()),
            (Value::Null, Of::List(_)) => Value::List(Vec::new()),
            (value, _) => value,
        };
        record.set(member.name, value);
    }
    Ok(record)
}

/// The name of the member that a line of a table is read from, if it is read from one.
fn named(member: &Attribute) -> Option<String> {
    match member.remote {
        Remote::Derived => Some(parameter(member.name)),
        Remote::Named(name) => Some(name.to_owned()),
        Remote::Flattened(_) | Remote::Local | Remote::Unmanaged => None,
    }
}

/// Reads objects into a list of objects.
fn shown_all<'a>(members: &[Attribute], objects: impl IntoIterator<Item = &'a Object>) -> Result<Value, Error> {
    let shown = objects.into_iter().map(|object| shown(members, object).map(Record::into_value));
    shown.collect::<Result<Vec<Value>, Error>>().map(Value::List)
}
