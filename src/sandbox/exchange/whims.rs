//! A service that stores something else than it is told.
//!
//! The whim is taken from objects that stand: one that is made later under the name of one of them is stored as that one stood, whatever the call
//! said.

use std::collections::BTreeMap;

use serde_json::Value;

use super::backends::{Object, Store};

/// How long a service keeps to its whim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whim {
    /// Only when an object is made: a later change is stored as it is told.
    AtFirst,
    /// At every change, too.
    Always,
}

/// What is stored instead, by noun and name in small letters.
#[derive(Debug)]
pub(crate) struct Whims {
    whim: Whim,
    instead: BTreeMap<(&'static str, String), BTreeMap<String, Value>>,
}

impl Whims {
    /// Takes a whim from all objects that stand.
    pub(crate) fn of(whim: Whim, store: &Store) -> Whims {
        let mut instead = BTreeMap::new();
        for (noun, objects) in store.nouns() {
            for object in objects {
                instead.insert((noun, object.name().to_lowercase()), object.fields.clone());
            }
        }
        Whims { whim, instead }
    }

    /// Puts what is stored in place of what was told.
    pub(crate) fn bend(&self, noun: &'static str, object: &mut Object, is_new: bool) {
        if !is_new && self.whim == Whim::AtFirst {
            return;
        }
        if let Some(fields) = self.instead.get(&(noun, object.name().to_lowercase())) {
            let name = object.fields.get("Name").cloned();
            object.fields.clone_from(fields);
            if let Some(name) = name {
                object.fields.insert("Name".to_owned(), name);
            }
        }
    }
}
