//! What a release shows of an object, and no document knows: labels with values, of any object of a table.
//!
//! They are part of the configuration: a dialog that changes an object leaves them as they stand, and they go with the object. (Parameters of mail flow
//! policies and of a listener's defaults have any key by themselves.)

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Configuration;

/// Holds labels and values, by object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Extras(BTreeMap<String, BTreeMap<String, String>>);

/// Names an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner<'a> {
    /// An entry of the destination controls, `DEFAULT` included.
    Destination(&'a str),
    /// A route.
    Route(&'a str),
    /// An entry of a recipient access table.
    Recipient(&'a str, &'a str),
    /// A sender group of a listener.
    Group(&'a str, &'a str),
    /// The settings of `sslconfig`.
    Tls,
}

impl Owner<'_> {
    fn key(self) -> String {
        match self {
            Owner::Destination(domain) => format!("destination/{domain}"),
            Owner::Route(domain) => format!("route/{domain}"),
            Owner::Recipient(listener, address) => format!("recipient/{listener}/{address}"),
            Owner::Group(listener, name) => format!("group/{listener}/{name}"),
            Owner::Tls => "tls".to_owned(),
        }
        .to_lowercase()
    }
}

impl Extras {
    /// Tells whether nothing is shown more.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Shows a label with a value; an empty value takes the label away.
    pub fn set(&mut self, owner: Owner<'_>, label: &str, value: &str) {
        let own = self.0.entry(owner.key()).or_default();
        if value.is_empty() {
            own.remove(label);
        } else {
            own.insert(label.to_owned(), value.to_owned());
        }
        self.0.retain(|_, own| !own.is_empty());
    }

    /// Gives the labels and values of an object.
    pub fn of(&self, owner: Owner<'_>) -> Vec<(&str, &str)> {
        let own = self.0.get(&owner.key()).into_iter().flatten();
        own.map(|(label, value)| (label.as_str(), value.as_str())).collect()
    }

    /// Gives the labels that any object of a table has: `destination`, `route`, `recipient/in`.
    pub(super) fn labels(&self, table: &str) -> Vec<&str> {
        let prefix = format!("{}/", table.to_lowercase());
        let own = self.0.iter().filter(|(key, _)| key.starts_with(&prefix)).flat_map(|(_, own)| own.keys());
        let mut labels: Vec<&str> = own.map(String::as_str).collect();
        labels.sort_unstable();
        labels.dedup();
        labels
    }

    /// Gives the value of an object's label, empty if it has none.
    pub(super) fn value(&self, owner: Owner<'_>, label: &str) -> &str {
        self.0.get(&owner.key()).and_then(|own| own.get(label)).map_or("", String::as_str)
    }

    /// Takes what an object shows with it to its new name.
    pub(in crate::sandbox::gateway) fn rename(&mut self, from: Owner<'_>, to: Owner<'_>) {
        if let Some(own) = self.0.remove(&from.key()) {
            self.0.insert(to.key(), own);
        }
    }
}

impl Configuration {
    /// Forgets what objects show that are gone.
    pub(in crate::sandbox::gateway) fn forget_gone(&mut self) {
        // An object may stand at any level.
        if self.extras.is_empty() || !self.levels.is_empty() {
            return;
        }
        let mut there = vec![Owner::Destination("DEFAULT").key(), Owner::Tls.key()];
        there.extend(self.destination_controls.entries.iter().map(|entry| Owner::Destination(&entry.domain).key()));
        there.extend(self.smtp_routes.iter().map(|route| Owner::Route(&route.domain).key()));
        for listener in &self.listeners {
            let name = &listener.name;
            let addresses = listener.rat.iter().flat_map(|rat| &rat.entries).map(|entry| entry.address.as_str());
            there.extend(addresses.chain(["ALL"]).map(|address| Owner::Recipient(name, address).key()));
            there.extend(listener.hat.groups.iter().map(|group| Owner::Group(name, &group.name).key()));
        }
        self.extras.0.retain(|key, _| there.contains(key));
    }
}
