//! The tables of a gateway: what a commit makes live.
//!
//! [`Configuration`] is plain data. Order is part of it where the device's order decides mail flow (sender groups, recipients,
//! filters); the other tables keep the order in which entries were made. It holds no history, no counter and no time, so two
//! configurations are equal exactly when the device would behave the same.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub mod destination;
pub mod extra;
pub mod filter;
pub mod filter_reprint;
pub mod filter_script;
mod filter_words;
pub mod hat;
pub mod hat_text;
pub mod level;
pub mod listener;
pub mod parameter;
pub mod recipient;
pub mod route;
pub mod tls;

use destination::DestinationControls;
use extra::Extras;
use filter::Filter;
use listener::Listener;
use route::SmtpRoute;
use tls::TlsSettings;

/// Holds everything that `commit` makes live and `clearchanges` takes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    /// Listeners in the order of the `listenerconfig` banner.
    pub listeners: Vec<Listener>,
    /// The table of `destconfig`.
    pub destination_controls: DestinationControls,
    /// The table of `smtproutes`.
    pub smtp_routes: Vec<SmtpRoute>,
    /// Message filters in the order in which they run.
    pub filters: Vec<Filter>,
    /// The settings of `sslconfig`.
    pub tls_settings: TlsSettings,
    /// What objects show that no document knows.
    #[serde(default, skip_serializing_if = "Extras::is_empty")]
    pub extras: Extras,
    /// What levels of a cluster have of their own, by level as the prompt names it. All else is that of the cluster.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub levels: BTreeMap<String, level::Tables>,
}

impl Configuration {
    /// Gives what stands on a gateway that went through its set-up wizard with two listeners: the default HAT of each, a RAT on the
    /// public one, no routes, no filters.
    pub fn new_gateway(release: super::Release) -> Configuration {
        Configuration {
            listeners: vec![Listener::incoming(), Listener::outgoing()],
            destination_controls: DestinationControls::default(),
            smtp_routes: Vec::new(),
            filters: Vec::new(),
            tls_settings: TlsSettings::of(release),
            extras: Extras::default(),
            levels: BTreeMap::new(),
        }
    }

    /// Finds a listener; the names are case-sensitive on the device.
    pub fn listener(&self, name: &str) -> Option<&Listener> {
        self.listeners.iter().find(|listener| listener.name == name)
    }

    /// Finds a listener to change; the names are case-sensitive on the device.
    pub fn listener_mut(&mut self, name: &str) -> Option<&mut Listener> {
        self.listeners.iter_mut().find(|listener| listener.name == name)
    }
}

/// Pads the cells of `rows` to columns, two blanks apart, without trailing blanks.
pub(super) fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count)
        .map(|at| rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.push_str(&" ".repeat(width - cell.chars().count() + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
