//! What holds for everything that the provider offers, and what is checked in and made by the code: pages, the schema's snapshot, lists of
//! parameters, transcripts.
//!
//! `MAILFLOW_WRITE_DOCS=1 cargo test --test laws` writes what is made by the code anew.

#[path = "../support/made.rs"]
mod made;
#[path = "../support/mod.rs"]
mod support;

mod architecture;
mod blocks;
mod docs;
mod exchange_parameters;
mod plugin_descriptor;
mod reliability;
mod schema;
mod tables;
mod trace;
mod trace_and_mail;
mod transcripts;
