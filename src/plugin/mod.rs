//! Terraform's side of the plugin protocol: handshake, mutual TLS, gRPC services, log lines. Knows nothing of mail.
//!
//! | file | what it holds |
//! |---|---|
//! | `provider` | what a provider is to this server |
//! | `handshake` | what the host asks through its environment, and the line that it gets |
//! | `transport`, `tls` | sockets, and who may connect |
//! | `serve`, `lifetime`, `signals` | the process from start to end, and the server for hosts that did not start it |
//! | `service` | the calls of the provider protocol |
//! | `host` | the calls that the host makes to any plugin |
//! | `panics`, `log` | what goes wrong, and what is written about it |
//! | [`wire`] | messages and services, compiled from `proto/` |

mod handshake;
mod host;
mod lifetime;
mod log;
mod panics;
mod provider;
mod serve;
mod service;
mod signals;
mod tls;
mod transport;
pub mod wire;

pub use handshake::Refusal;
pub use provider::{Configured, Provider};
pub use serve::{Reattach, serve_debug, serve_plugin, serve_reattach};
