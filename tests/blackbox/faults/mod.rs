//! Bad input and faults, through the real `terraform`, the real binary and both stand-ins: what the user is told, what is in the state
//! afterwards, and what stands on the services.
//!
//! A test's name carries the id of the fault where there is one. After each fault a second apply converges and the plan is empty.

mod configuration;
mod exchange;
mod first_contact;
mod gateway;
mod interruptions;
mod load;
mod provider_block;
pub(crate) mod run;
mod secrets;
