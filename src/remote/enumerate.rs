//! What a service has of one kind, all of it.

use async_trait::async_trait;

use super::{Call, Error};
use crate::schema::{Record, Resource};
use crate::value::Diagnostics;

/// What stands at a service of one kind.
#[derive(Debug, Default)]
pub struct Listing {
    /// The objects in the service's order, each as a read right after its import shows it.
    pub objects: Vec<Record>,
    /// A warning for each part that could not be read: the others are whole.
    pub troubles: Diagnostics,
}

impl Listing {
    /// Adds a part that could not be read. `action` completes "Unable to".
    pub fn trouble(&mut self, error: &Error, action: &str) {
        self.troubles.push(error.diagnostic(action).into_warning());
    }
}

/// One object as it is offered for being taken over.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// What a person calls it.
    pub display_name: String,
    /// The attributes that name it while it lives.
    pub identity: Record,
    /// All that is known of it, in the spelling that a user would type.
    pub object: Record,
}

/// Objects that were found.
#[derive(Debug, Default)]
pub struct Enumeration {
    /// The objects in the service's order.
    pub found: Vec<Found>,
    /// A warning for each part that could not be read.
    pub troubles: Diagnostics,
}

/// A side whose objects can be listed.
#[async_trait]
pub trait Enumerate: Send + Sync {
    /// Lists the objects of a kind, from what was read before where that is still true. Those that do not have the values of `within` may be
    /// left out where that spares a question.
    async fn list(&self, resource: &'static Resource, within: &Record, call: &Call) -> Result<Listing, Error>;
}
