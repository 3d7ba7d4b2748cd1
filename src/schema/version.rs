//! How stored objects of other versions and of other providers become objects of this one.

use serde_json::{Map, Value as Json};

use super::{Record, Resource};

/// An object as a state stores it: its attributes by name.
pub type Stored = Map<String, Json>;

/// One step from a version of a resource's stored state to the next.
#[derive(Debug)]
pub struct Upgrade {
    /// The resource, by its name without the provider's prefix.
    pub resource: &'static str,
    /// The version that is stored. The step leads to the next one.
    pub from: i64,
    /// Makes the next version of it. What the schema no longer has is dropped afterwards; what is missing is null. The error completes "It cannot be
    /// brought to the schema of now: ", and quotes nothing of the object.
    pub change: fn(&mut Stored) -> Result<(), String>,
}

/// Objects of another provider's resource that become objects of one of ours, by a `moved` block.
#[derive(Debug)]
pub struct Move {
    /// The other provider, as the end of its source address: `namespace/name`.
    pub provider: &'static str,
    /// The full type name of the resource there.
    pub from: &'static str,
    /// Our resource, by its name without the provider's prefix.
    pub to: &'static str,
    /// Makes our object of a stored one. It is read from the service right afterwards, so it has to be found by what is in it. The error says what to do.
    pub change: fn(&'static Resource, &Stored) -> Result<Record, String>,
}
