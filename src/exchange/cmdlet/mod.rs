//! The cmdlet engine: New, Get, Set and Remove over a noun, driven by a resource's attribute table.
//!
//! What a table cannot say about the cmdlets stands beside it in a [`Cmdlets`].

mod absent;
mod adopt;
mod binding;
mod carried;
mod enumerate;
mod kept_disabled;
mod lists;
mod mx;
mod names;
mod needs;
mod order;
mod own_writes;
mod planned;
mod rank;
mod read;
mod read_only;
mod readback;
mod recipients;
mod review;
mod rotate;
mod send;
mod shape;
mod standing;
mod switch;
mod unmanaged;
mod validation;
mod values;
mod words;
mod write;

pub(in crate::exchange) use binding::PLAIN;
pub use binding::{
    Across, Beside, Cmdlets, Condition, Form, Life, Reference, Restricts, Rotation, Switch, Switches, Tells, Toggle, Validation,
};
pub use carried::Carried;
pub(super) use carried::carried;
pub(super) use kept_disabled::KeptDisabled;
pub(super) use lists::{Lists, Way};
pub use names::parameter;
pub(super) use order::Places;
pub(super) use own_writes::OwnWrites;
pub(super) use review::Claims;
pub(super) use shape::{Known, known, oddities};
pub use unmanaged::Section;
pub(super) use unmanaged::{unmanaged, unsupported};
pub(super) use values::from_json;

#[cfg(test)]
mod tests;
