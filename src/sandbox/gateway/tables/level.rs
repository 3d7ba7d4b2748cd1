//! What the levels of a cluster have of their own.
//!
//! A group or a machine inherits each table as a whole, or has a whole one of its own (admin manual 8.0.2, p. 35-27; 9.1, p. 39-3): what changes above
//! does not reach it then. A level gets one by a copy of what it inherits, or by starting empty.

use serde::{Deserialize, Serialize};

use super::Configuration;
use super::destination::DestinationControls;
use super::filter::Filter;
use super::listener::Listener;
use super::route::SmtpRoute;
use super::tls::TlsSettings;

/// Holds the tables of one level; what is `None` is inherited.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tables {
    /// Of `listenerconfig`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listeners: Option<Vec<Listener>>,
    /// Of `destconfig`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_controls: Option<DestinationControls>,
    /// Of `smtproutes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smtp_routes: Option<Vec<SmtpRoute>>,
    /// Of `filters`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filters: Option<Vec<Filter>>,
    /// Of `sslconfig`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_settings: Option<TlsSettings>,
}

/// Lists the commands with a table that a level may have of its own.
pub const COMMANDS: [&str; 5] = ["listenerconfig", "destconfig", "smtproutes", "filters", "sslconfig"];

impl Configuration {
    /// Gives what holds at a level, which inherits from those behind it; the cluster is behind the last.
    #[must_use]
    pub fn at(&self, chain: &[String]) -> Configuration {
        let mut view = self.clone();
        for own in chain.iter().rev().filter_map(|level| self.levels.get(level)) {
            let Tables { listeners, destination_controls, smtp_routes, filters, tls_settings } = own.clone();
            view.listeners = listeners.unwrap_or(view.listeners);
            view.destination_controls = destination_controls.unwrap_or(view.destination_controls);
            view.smtp_routes = smtp_routes.unwrap_or(view.smtp_routes);
            view.filters = filters.unwrap_or(view.filters);
            view.tls_settings = tls_settings.unwrap_or(view.tls_settings);
        }
        view
    }

    /// Changes what holds at a level: a table goes to the nearest level that has one, itself first.
    pub(in crate::sandbox::gateway) fn change_at<T>(
        &mut self,
        chain: &[String],
        change: impl FnOnce(&mut Configuration) -> T,
    ) -> T {
        if chain.iter().all(|level| !self.levels.contains_key(level)) {
            return change(self);
        }
        let mut view = self.at(chain);
        let result = change(&mut view);
        let Configuration { listeners, destination_controls, smtp_routes, filters, tls_settings, extras, levels } = view;
        self.extras = extras;
        self.levels = levels;
        let mut own = Tables {
            listeners: Some(listeners),
            destination_controls: Some(destination_controls),
            smtp_routes: Some(smtp_routes),
            filters: Some(filters),
            tls_settings: Some(tls_settings),
        };
        for level in chain {
            if let Some(tables) = self.levels.get_mut(level) {
                put(&mut tables.listeners, &mut own.listeners);
                put(&mut tables.destination_controls, &mut own.destination_controls);
                put(&mut tables.smtp_routes, &mut own.smtp_routes);
                put(&mut tables.filters, &mut own.filters);
                put(&mut tables.tls_settings, &mut own.tls_settings);
            }
        }
        let Tables { listeners, destination_controls, smtp_routes, filters, tls_settings } = own;
        if let Some(table) = listeners {
            self.listeners = table;
        }
        if let Some(table) = destination_controls {
            self.destination_controls = table;
        }
        if let Some(table) = smtp_routes {
            self.smtp_routes = table;
        }
        if let Some(table) = filters {
            self.filters = table;
        }
        if let Some(table) = tls_settings {
            self.tls_settings = table;
        }
        result
    }

    /// Gives a level a copy of what it inherits of a command's table, which no longer follows the levels above; or an empty one.
    pub fn make_own(&mut self, chain: &[String], command: &str, empty: bool) {
        let Some(level) = chain.first().cloned() else { return };
        let view = self.at(chain);
        let own = self.levels.entry(level).or_default();
        match command {
            "listenerconfig" => own.listeners = Some(if empty { Vec::new() } else { view.listeners }),
            "destconfig" => {
                own.destination_controls = Some(if empty { DestinationControls::default() } else { view.destination_controls });
            }
            "smtproutes" => own.smtp_routes = Some(if empty { Vec::new() } else { view.smtp_routes }),
            "filters" => own.filters = Some(if empty { Vec::new() } else { view.filters }),
            "sslconfig" => own.tls_settings = Some(view.tls_settings),
            _ => {}
        }
    }

    /// Tells whether a level has a table of its own for a command.
    pub fn is_own(&self, level: &str, command: &str) -> bool {
        self.levels.get(level).is_some_and(|own| match command {
            "listenerconfig" => own.listeners.is_some(),
            "destconfig" => own.destination_controls.is_some(),
            "smtproutes" => own.smtp_routes.is_some(),
            "filters" => own.filters.is_some(),
            "sslconfig" => own.tls_settings.is_some(),
            _ => false,
        })
    }
}

/// Puts a table where there is one; what is put is not put a second time.
fn put<T>(there: &mut Option<T>, table: &mut Option<T>) {
    if there.is_some()
        && let Some(table) = table.take()
    {
        *there = Some(table);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::gateway::Release;

    #[test]
    fn rg7_a_level_inherits_each_table_as_a_whole_or_has_one_of_its_own() {
        let route = |domain: &str| SmtpRoute { domain: domain.to_owned(), destinations: Vec::new(), authentication: None };
        let domains = |configuration: &Configuration| -> Vec<String> {
            configuration.smtp_routes.iter().map(|route| route.domain.clone()).collect()
        };
        let (group, machine) = (vec!["Group G".to_owned()], vec!["Machine m".to_owned(), "Group G".to_owned()]);
        let mut whole = Configuration::new_gateway(Release::V15_5);
        whole.change_at(&machine, |configuration| configuration.smtp_routes.push(route("a.example")));
        assert_eq!(domains(&whole), ["a.example"], "nobody has a table of its own: it is that of the cluster");
        whole.make_own(&group, "smtproutes", false);
        whole.change_at(&group, |configuration| configuration.smtp_routes.push(route("b.example")));
        whole.change_at(&[], |configuration| configuration.smtp_routes.push(route("c.example")));
        assert_eq!(domains(&whole), ["a.example", "c.example"]);
        assert_eq!(domains(&whole.at(&group)), ["a.example", "b.example"]);
        assert_eq!(domains(&whole.at(&machine)), ["a.example", "b.example"], "a machine inherits from its group");
        whole.make_own(&machine, "smtproutes", true);
        assert_eq!(domains(&whole.at(&machine)), Vec::<String>::new());
        whole.change_at(&machine, |configuration| {
            configuration.smtp_routes.push(route("d.example"));
            configuration.filters.clear();
            configuration.destination_controls.alert = true;
        });
        assert_eq!((domains(&whole.at(&machine)), domains(&whole.at(&group)).len()), (vec!["d.example".to_owned()], 2));
        assert!(whole.destination_controls.alert, "what it inherits is that of the cluster");
        assert!(whole.is_own("Machine m", "smtproutes") && !whole.is_own("Machine m", "destconfig"));
    }
}
