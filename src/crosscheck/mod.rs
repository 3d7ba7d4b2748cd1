//! What looks at both sides: whether the MX records of a domain lead to the gateways, and what is still missing before they may. Knows the sides by
//! traits only.

mod blockers;
mod cutover;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use cutover::Looks;

use crate::remote::{Call, CutOvers, Enumerate, Error, ExpectsMx, Kind};
use crate::schema::{DataSource, Record, Resource};

/// All data sources of this room.
pub const SOURCES: &[&DataSource] = &[&cutover::SOURCE];

/// Both sides, as far as they are configured.
pub struct Sides<'s> {
    /// The objects of Exchange Online.
    pub exchange: Option<&'s dyn Enumerate>,
    /// The objects of the gateway.
    pub gateway: Option<&'s dyn Enumerate>,
    /// What the organization expects.
    pub expects: Option<&'s dyn ExpectsMx>,
    /// Finds a resource by its name, without the provider's prefix.
    pub resource: fn(&str) -> Option<&'static Resource>,
    /// What this run knows of cut-overs.
    pub cut_overs: &'s Arc<CutOvers>,
}

/// Reads one of [`SOURCES`]. `config` holds the arguments, with the table's defaults.
pub async fn read(source: &DataSource, sides: &Sides<'_>, config: &Record, call: &Call) -> Result<Record, Error> {
    match source.name {
        name if name == cutover::SOURCE.name => cutover::read(sides, config, call).await,
        name => Err(Error::new(Kind::Unexpected, format!("{name} is not a data source of both sides."))),
    }
}
