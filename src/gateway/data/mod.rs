//! The data sources of the gateway that are no single objects of a resource: one file each.

mod listeners;
mod message_tracking;
mod trace;
mod version;

use super::objects::Gateway;
use crate::remote::{Call, Error, Kind};
use crate::schema::{DataSource, Record};

/// All data sources of a kind of their own.
pub const SOURCES: &[&DataSource] = &[&listeners::SOURCE, &message_tracking::SOURCE, &trace::SOURCE, &version::SOURCE];

impl Gateway {
    /// Reads one of [`SOURCES`]. `config` holds the arguments, with the table's defaults.
    pub async fn read_data(&self, source: &DataSource, config: &Record, call: &Call) -> Result<Record, Error> {
        match source.name {
            name if name == listeners::SOURCE.name => listeners::read(self, call).await,
            name if name == message_tracking::SOURCE.name => message_tracking::read(self, config, call).await,
            name if name == trace::SOURCE.name => trace::read(self, config, call).await,
            name if name == version::SOURCE.name => version::read(self, call).await,
            name => Err(Error::new(Kind::Unexpected, format!("{name} is not a data source of the gateway."))),
        }
    }
}
