//! Whether a side of the provider is configured.

use crate::value::Path;

/// A side's settings, or its client.
#[derive(Debug)]
pub(super) enum Side<T> {
    /// The block is not there.
    Absent,
    /// The block is there, and the value at this path is not known before apply.
    Unknown(Path),
    /// All is known.
    Ready(T),
}

impl<T> Side<T> {
    /// Goes on with what is ready.
    pub(super) fn try_map<U, E>(self, make: impl FnOnce(T) -> Result<U, E>) -> Result<Side<U>, E> {
        match self {
            Side::Absent => Ok(Side::Absent),
            Side::Unknown(path) => Ok(Side::Unknown(path)),
            Side::Ready(value) => make(value).map(Side::Ready),
        }
    }
}
