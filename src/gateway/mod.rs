//! The Secure Email Gateway: SSH, dialogs, tables, the commit batch, and the resources over them.
//!
//! A resource is a [`table::Table`]: which printout its objects stand in, and which [`dialog::Dialog`]s stage a change. A
//! [`device::Device`] is one login session that shows printouts and walks dialogs; the batch turns changes of many callers
//! into one commit.

mod agreement;
mod algorithms;
mod batch;
pub mod batch_form;
mod commit;
pub mod data;
pub mod device;
pub mod dialog;
mod driver;
mod enumerate;
pub mod examination;
pub mod filter_script;
mod filters;
mod guarding;
pub mod host_key;
mod level;
mod lock;
mod machine;
pub mod objects;
mod order;
mod original;
mod printouts;
pub mod recording;
mod refusal;
mod relay;
pub mod release;
pub mod replay;
pub mod resources;
pub mod rest;
mod review;
pub mod session;
pub mod settings;
mod shell;
mod snapshot;
pub mod ssh;
mod stop;
pub mod table;
mod terminal;
#[cfg(test)]
mod testing;
pub mod trace;
mod transcript;
