//! Attribute tables and the engine over them. Does no I/O, knows no vendor.
//!
//! A [`Resource`] is data: a name, a sentence, and one line per [`Attribute`]. Everything else is a function of it:
//! the schema that Terraform sees, validation, the plan, equality, identity, import, the docs page.
//!
//! An attribute is *required*, *nullable*, *filled* or *computed* ([`Presence`]), nothing in between; that is what lets a
//! plan be empty when nothing changed (Terraform lets a provider keep the prior value only where prior and
//! configuration are both non-null).

mod anatomy;
mod article;
mod attribute;
mod catalog;
pub mod engine;
mod listing;
mod overlap;
mod record;
mod singular;
mod version;

pub use anatomy::{Anatomy, Argument, Making};
pub use article::{article, capital};
pub use attribute::{
    Attribute, Clearing, Fill, Format, Kind, Motion, Presence, Refers, Remote, Scalar, TellDifference, UNMANAGED, block,
    block_list, boolean, integer, keyword, list, list_of, map, number, object, one_of, set, set_of, string,
};
pub use catalog::{Catalog, DataSource, Function, FunctionError, Import, Parameter, Resource, Rule, Timeouts};
pub use listing::filters;
pub use overlap::Overlaps;
pub use record::Record;
pub use singular::singular;
pub use version::{Move, Stored, Upgrade};
