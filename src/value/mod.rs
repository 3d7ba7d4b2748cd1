//! The ground floor: types, values, paths, diagnostics, and the two codecs.
//!
//! Terraform knows five states of a value: absent from a document, null, unknown, empty and set. A [`Value`]
//! tells all of them apart except the first, which only a codec sees (an absent value reads as null). Everything
//! above this room speaks in these types; nothing here knows a schema, a service or a wire.

mod codec;
mod diagnostic;
pub mod json;
pub mod msgpack;
mod number;
mod path;
#[cfg(test)]
mod tests;
mod type_constraint;
mod types;

pub(crate) use codec::normal;
pub use codec::{DecodeError, EncodeError};
pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use number::Number;
pub use path::{Path, Step};
pub use type_constraint::NotAType;
pub use types::{Refinement, Type, Value};
