//! The cmdlet engine: New, Get, Set and Remove over a noun, driven by a resource's attribute table.
//!
//! What a table cannot say about the cmdlets stands beside it in a [`Cmdlets`].

mod binding;
mod lists;
mod names;
mod order;
mod read;
mod shape;
mod values;
mod words;
mod write;

pub use binding::{Cmdlets, Condition, Form, Implied, Reference, Toggle};
pub(super) use lists::Lists;
pub use names::parameter;
pub(super) use order::Places;
pub(super) use values::from_json;

#[cfg(test)]
mod tests;
