//! All that the provider offers.

use std::sync::LazyLock;

use super::{exchange_settings, gateway_settings};
use crate::gateway::filter_script;
use crate::schema::{Attribute, Catalog, DataSource, Resource, boolean, singular};
use crate::{crosscheck, dns, exchange, gateway};

/// The provider `mailflow`: its block, resources, data sources and functions. Made at its first use.
pub static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog {
    name: "mailflow",
    settings: SETTINGS,
    setting_rules: &[],
    resources: &RESOURCES,
    data_sources: data_sources().leak(),
    functions: &[&filter_script::FUNCTION],
    // No resource has changed its stored state so far.
    upgrades: &[],
    moves: exchange::MOVES,
});

const SETTINGS: &[Attribute] = &[
    exchange_settings::BLOCK,
    gateway_settings::BLOCK,
    boolean("read_only", "Whether every create, update and delete is refused before it is sent."),
];

const RESOURCES: [&Resource; exchange::resources::ALL.len() + gateway::resources::ALL.len()] = {
    let (first, second) = (exchange::resources::ALL, gateway::resources::ALL);
    let mut all = [first[0]; exchange::resources::ALL.len() + gateway::resources::ALL.len()];
    let mut index = 0;
    while index < all.len() {
        all[index] = if index < first.len() { first[index] } else { second[index - first.len()] };
        index += 1;
    }
    all
};

/// One for each resource, of the same name, and those of a kind of their own.
fn data_sources() -> Vec<&'static DataSource> {
    let own = [exchange::data::SOURCES, gateway::data::SOURCES, dns::SOURCES, crosscheck::SOURCES].concat();
    RESOURCES.into_iter().map(singular).chain(own).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::engine::check_catalog;

    #[test]
    fn the_catalog_keeps_every_law() {
        let broken = check_catalog(&CATALOG);
        assert!(broken.is_empty(), "{}", broken.join("\n"));
    }
}
