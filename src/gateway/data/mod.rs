//! The data sources of the gateway that are no single objects of a resource: one file each.

mod listeners;
mod version;

use super::objects::Gateway;
use crate::remote::{Call, Error, Kind};
use crate::schema::{DataSource, Record};

/// All data sources of a kind of their own.
pub const SOURCES: &[&DataSource] = &[&listeners::SOURCE, &version::SOURCE];

impl Gateway {
    /// Reads one of [`SOURCES`].
    pub async fn read_data(&self, source: &DataSource, call: &Call) -> Result<Record, Error> {
        match source.name {
            name if name == listeners::SOURCE.name => listeners::read(self, call).await,
            name if name == version::SOURCE.name => version::read(self, call).await,
            name => Err(Error::new(Kind::Unexpected, format!("{name} is not a data source of the gateway."))),
        }
    }
}
