//! What both services share: one error, one call, connections, the operations that a side offers, and what the sides have to agree on.
//! Knows no vendor.

mod addresses;
mod aliases;
mod between;
mod board;
mod connection;
pub mod contact;
mod digest;
mod enumerate;
mod error;
mod json;
mod masking;
mod mx;
pub mod names;
mod objects;
pub mod order;
mod placeholders;
mod redact;
mod retry;
mod singular;
mod way_out;

pub use addresses::connect;
pub use aliases::{Aliased, Aliases};
pub use between::Between;
pub use board::{Board, Domains, Fact, Facts, Standing, three_steps};
pub use connection::{Connection, Reply, Unanswered, is_loopback, is_near};
pub use digest::digest;
pub use enumerate::{Enumerate, Enumeration, Found, Listing};
pub use error::{Error, Kind};
pub use json::{Unreadable, read_json};
pub use mx::{CutOvers, ExpectsMx, LooksAgain, MxQuestion, MxView, Restricting, mx_words};
pub use names::Names;
pub use objects::{Call, Change, Failure, Objects};
pub use placeholders::{Placeholders, Sort, Spelling, without_literals};
pub use redact::Masks;
pub use retry::{Backoff, Verdict, interruptible, out_of_time, pause, retry, stopped};
pub use singular::read_one;
pub use way_out::{credential, never_show, never_show_value, shown};
