//! Stateful stand-ins for both services, on loopback.

pub mod exchange;
pub mod gateway;
