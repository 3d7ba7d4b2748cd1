//! Stateful stand-ins for both services, on loopback, and the oracle that says what becomes of a message between them.

pub mod exchange;
pub mod gateway;
pub mod mail;
pub mod oracle;
