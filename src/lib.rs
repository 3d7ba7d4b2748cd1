//! A Terraform provider for mail flow between Microsoft 365 and a Cisco Secure Email Gateway.
//!
//! The map of the house; arrows point downwards only, and a test holds them:
//!
//! | room | what it is |
//! |---|---|
//! | [`tool`] | what a person runs: demo, sandbox |
//! | [`sandbox`] | stateful stand-ins for both services |
//! | [`provider`] | settings, and the one list of resources: wires, decides nothing |
//! | [`takeover`] | what exists, listed kind by kind, to be taken over. Knows resources by their tables only |
//! | [`plugin`] | Terraform's side: handshake, mutual TLS, gRPC, log lines. Knows nothing of mail |
//! | [`exchange`] | tokens, HTTP, cmdlets, and the resources over them |
//! | [`gateway`] | SSH, dialogs, tables, the commit batch, and the resources over them |
//! | [`crosscheck`] | what looks at both sides: the cut-over of MX records. Knows them by traits |
//! | [`dns`] | what the public DNS says, to read only |
//! | [`remote`] | what both services share: one error, one call, retry, redaction. Knows no vendor |
//! | [`schema`] | attribute tables and the engine over them. Does no I/O |
//! | [`value`] | types, values, paths, diagnostics, codecs |

pub mod crosscheck;
pub mod dns;
pub mod exchange;
pub mod gateway;
pub mod plugin;
pub mod provider;
pub mod remote;
pub mod sandbox;
pub mod schema;
pub mod takeover;
pub mod tool;
pub mod value;
