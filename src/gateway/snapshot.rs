//! What the device last said, shared by all readers of one configuration of the provider.
//!
//! Four rules: what is in flight is shared, errors are not kept, a write makes a printout stale, and a reading that began
//! before a write is dropped. The first holds because all readings go over one session: who waits behind a reading of the
//! same printout finds it here when its turn comes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::table::{Printout, Rows};

/// The last complete reading of each printout.
#[derive(Debug, Default)]
pub(super) struct Snapshots(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// How often all printouts, or one, were written.
    all: u64,
    writes: BTreeMap<Printout, u64>,
    rows: BTreeMap<Printout, Arc<Rows>>,
}

/// A reading that has begun.
#[derive(Debug)]
pub(super) struct Reading {
    printout: Printout,
    began: (u64, u64),
}

impl Snapshots {
    /// What is known of a printout.
    pub(super) fn get(&self, printout: &Printout) -> Option<Arc<Rows>> {
        self.inner().rows.get(printout).cloned()
    }

    /// Notes that a reading begins.
    pub(super) fn begin(&self, printout: &Printout) -> Reading {
        Reading { printout: printout.clone(), began: self.inner().age(printout) }
    }

    /// Keeps what a reading gave, unless the printout was written since it began.
    pub(super) fn finish(&self, reading: Reading, rows: &Arc<Rows>) {
        let mut inner = self.inner();
        if inner.age(&reading.printout) == reading.began {
            inner.rows.insert(reading.printout, Arc::clone(rows));
        }
    }

    /// Forgets a printout, because it is being written.
    pub(super) fn forget(&self, printout: &Printout) {
        let mut inner = self.inner();
        *inner.writes.entry(printout.clone()).or_default() += 1;
        inner.rows.remove(printout);
    }

    /// Forgets everything, because somebody else wrote, and nobody knows what.
    pub(super) fn forget_all(&self) {
        let mut inner = self.inner();
        inner.all += 1;
        inner.rows.clear();
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn age(&self, printout: &Printout) -> (u64, u64) {
        (self.all, self.writes.get(printout).copied().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(between: impl FnOnce(&Snapshots), kept: bool) {
        let snapshots = Snapshots::default();
        let reading = snapshots.begin(&Printout::Routes);
        between(&snapshots);
        snapshots.finish(reading, &Arc::default());
        assert_eq!(snapshots.get(&Printout::Routes).is_some(), kept);
    }

    #[test]
    fn a_reading_is_kept() {
        check(|_| {}, true);
    }

    #[test]
    fn a_reading_that_began_before_a_write_is_dropped() {
        check(|snapshots| snapshots.forget(&Printout::Routes), false);
        check(Snapshots::forget_all, false);
    }

    #[test]
    fn a_write_to_another_printout_changes_nothing() {
        check(|snapshots| snapshots.forget(&Printout::Recipients("IncomingMail".to_owned())), true);
    }

    #[test]
    fn a_write_makes_what_is_known_stale() {
        let snapshots = Snapshots::default();
        let reading = snapshots.begin(&Printout::Routes);
        snapshots.finish(reading, &Arc::default());
        snapshots.forget(&Printout::Routes);
        assert!(snapshots.get(&Printout::Routes).is_none());
    }
}
