//! Objects that the service keeps disabled until its support enables them.
//!
//! It says so at each write ([`fault::is_kept_disabled`](crate::exchange::fault)), and then no time and no second write changes it.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::shape::Leaf;
use crate::schema::Record;

/// The nouns of which the last write was answered so. Writes of a noun go one after the other.
#[derive(Debug, Default)]
pub(in crate::exchange) struct KeptDisabled(Mutex<BTreeSet<&'static str>>);

impl KeptDisabled {
    /// Hears what the answer to a write said.
    pub(super) fn note(&self, noun: &'static str, is_kept: bool) {
        let mut nouns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if is_kept {
            nouns.insert(noun);
        } else {
            nouns.remove(noun);
        }
    }

    /// Tells whether an object differs from what is wanted in nothing but that the service keeps it disabled.
    pub(super) fn explains(&self, noun: &str, differing: &[Leaf], wanted: &Record) -> bool {
        let is_it = |leaf: &Leaf| leaf.name == "enabled" && wanted.truth("enabled") == Some(true);
        !differing.is_empty()
            && differing.iter().all(is_it)
            && self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(noun)
    }
}
