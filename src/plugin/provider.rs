//! What a provider is to the plugin server.

use std::sync::Arc;

use async_trait::async_trait;

use crate::remote::{Call, Enumeration, Error, Kind, Objects};
use crate::schema::{Catalog, DataSource, Record, Resource};
use crate::value::{Diagnostic, Diagnostics};

/// A provider. The host may configure the same process several times, with different configurations (reattach mode): each
/// configuration makes a [`Configured`] of its own, and later calls go to the newest.
#[async_trait]
pub trait Provider: Send + Sync + 'static {
    /// All that is offered. Cheap, and the same in a process that was never configured.
    fn catalog(&self) -> &'static Catalog;

    /// Checks the provider block beyond its table, without any I/O.
    fn validate(&self, config: &Record) -> Diagnostics;

    /// Takes the provider block. Unknown values are accepted: what needs them fails later. No I/O.
    fn configure(&self, config: &Record) -> Result<Arc<dyn Configured>, Diagnostics>;
}

/// A provider with its settings.
#[async_trait]
pub trait Configured: Send + Sync + 'static {
    /// The operations over a resource's objects, or why there are none (the block of that side is missing).
    fn objects(&self, resource: &'static Resource) -> Result<Arc<dyn Objects>, Diagnostic>;

    /// Makes the first contact with the services whose settings are known, all at once, and keeps the sessions. What is wrong is said once, on the
    /// provider's block. `call` has no time limit of its own.
    async fn contact(&self, _call: &Call) -> Diagnostics {
        Diagnostics::new()
    }

    /// Hears that a change of an object was planned in this process, and may soon be applied.
    fn announce(&self, resource: &'static Resource, planned: &Record);

    /// Lists the objects of a kind that the filters ([`crate::schema::filters`]) let through.
    async fn enumerate(&self, resource: &'static Resource, _filters: &Record, _call: &Call) -> Result<Enumeration, Error> {
        Err(Error::new(Kind::Unexpected, format!("The objects of the kind {} cannot be listed.", resource.noun)))
    }

    /// Reads a data source.
    async fn read_data(&self, source: &'static DataSource, config: &Record, call: &Call) -> Result<Record, Error>;

    /// Ends what is open at the services. Called once, when the process is about to end.
    async fn close(&self);
}
