//! What a user nests is a block: Terraform drops a misspelt name in a nested attribute without a word.

use mailflow::provider::CATALOG;
use mailflow::schema::engine::{Column, data_columns, resource_columns, settings_columns};

/// Every nested place, with whether it is a block, and whether somebody can write it.
fn nested(place: &str, columns: &[Column], found: &mut Vec<(String, bool, bool)>) {
    for column in columns {
        let Some(members) = column.shape.members() else { continue };
        let place = format!("{place}.{}", column.name);
        found.push((place.clone(), column.shape.is_block(), column.required || column.optional));
        nested(&place, members, found);
    }
}

#[test]
fn what_a_user_nests_is_a_block_and_what_a_service_nests_is_an_attribute() {
    let mut found = Vec::new();
    nested("provider", &settings_columns(&CATALOG), &mut found);
    for resource in CATALOG.resources {
        nested(resource.name, &resource_columns(resource), &mut found);
    }
    for source in CATALOG.data_sources {
        nested(&format!("data {}", source.name), &data_columns(source), &mut found);
    }
    let wrong: Vec<_> = found.iter().filter(|(_, is_block, is_written)| is_block != is_written).collect();
    assert!(wrong.is_empty(), "place, is a block, can be written: {wrong:#?}");
    assert!(found.iter().any(|(_, is_block, _)| !is_block), "there are results of data sources");
    for resource in CATALOG.resources {
        let place = format!("{}.timeouts", resource.name);
        assert!(found.contains(&(place.clone(), true, true)), "{place}");
    }
}
