//! Who can tell which alias records the DNS has: a service that waits for records to be published asks by this trait.

use std::fmt;

use async_trait::async_trait;

use super::{Call, Error};

/// What one DNS server says of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aliased {
    /// The server, in words for a message.
    pub server: String,
    /// Where the alias points to; nothing if the server has no such record.
    pub target: Option<String>,
}

/// Looks alias records up.
#[async_trait]
pub trait Aliases: fmt::Debug + Send + Sync {
    /// What the `resolvers` say of the name, or the own servers of `domain` if none is named. Servers that do not answer are left out; it is an
    /// error if none answers.
    async fn aliases(&self, name: &str, domain: &str, resolvers: &[&str], call: &Call) -> Result<Vec<Aliased>, Error>;
}
