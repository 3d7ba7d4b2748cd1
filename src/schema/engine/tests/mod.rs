//! The engine against the protocol. A test that is named after a point checks that point of the protocol's rules; the rules
//! themselves are written out in [`host`], as the host applies them, and know nothing of the engine.

mod arbitrary;
mod created;
mod generated;
mod host;
mod laws;
mod pages;
mod points;
mod singular;
mod standing;
mod tables;
mod unmanaged;
mod validation;
