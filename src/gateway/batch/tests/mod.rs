//! The batch against a gateway in memory, on a paused clock.

mod administrators;
mod collisions;
mod contact;
mod enumeration;
mod fake;
mod leftovers;
mod load;
mod operations;
mod scenes;
