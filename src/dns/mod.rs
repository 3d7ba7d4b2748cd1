//! What the public DNS says, as any other mail server sees it. Knows no mail service, changes nothing.

mod aliases;
mod ask;
mod cutover;
mod mail_records;
mod mx;
#[cfg(test)]
pub(crate) mod testing;

pub use aliases::Dns;
pub use ask::{domain, resolver};
pub use cutover::{MxLine, MxServer, mx_servers};

use crate::remote::{Call, Error, Kind};
use crate::schema::{DataSource, Record};

/// All data sources of this room.
pub const SOURCES: &[&DataSource] = &[&mx::SOURCE, &mail_records::SOURCE];

/// Reads one of [`SOURCES`]. `config` holds the arguments, with the table's defaults.
pub async fn read(source: &DataSource, config: &Record, call: &Call) -> Result<Record, Error> {
    match source.name {
        name if name == mx::SOURCE.name => mx::read(config, call).await,
        name if name == mail_records::SOURCE.name => mail_records::read(config, call).await,
        name => Err(Error::new(Kind::Unexpected, format!("{name} is not a data source of the DNS."))),
    }
}
