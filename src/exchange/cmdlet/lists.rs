//! Lists of objects, one per noun, shared by all readers.
//!
//! Four rules: readers share what is in flight; errors are not kept; a write makes the list stale; a result that began before
//! a write is dropped. A list lives as long as its client, which is made anew by each Configure.
//!
//! Looks that are to show what the servers agree on have lists of their own ([`Way::Look`]): those who ask for one begun after their own write
//! share it, whatever others write meanwhile.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::binding::Switches;
use crate::exchange::answer::Object;
use crate::remote::{Call, Error, Kind, interruptible};

/// A complete, well-formed list.
#[derive(Debug)]
pub(in crate::exchange) struct List {
    /// The objects in the service's order.
    pub(in crate::exchange) objects: Vec<Object>,
    /// Lists that were begun later have greater numbers, from 1.
    pub(in crate::exchange) began: u64,
    /// It comes from another connection than the session's, and perhaps from another server.
    pub(in crate::exchange) anew: bool,
}

/// Which way a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::exchange) enum Way {
    /// Over the session, whose cookie leads back to the server that took the writes.
    Session,
    /// Over a connection of its own, without the cookie; the list is shared like any other.
    Anew,
    /// The same, to see what the servers agree on: the list is no one's to work with.
    Look,
}

/// All lists of a client.
#[derive(Debug, Default)]
pub(in crate::exchange) struct Lists {
    slots: Mutex<HashMap<Name, Arc<Slot>>>,
    clock: AtomicU64,
}

/// A noun, the switches of Get, and whether it is a look.
type Name = (&'static str, Switches, bool);

#[derive(Debug, Default)]
struct Slot {
    /// Held while a list is fetched.
    fetching: tokio::sync::Mutex<()>,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    kept: Option<Arc<List>>,
    /// Counts the beginnings and ends of writes.
    writes: u64,
    /// Counts the ends of fetches.
    fetches: u64,
    /// How the last fetch failed, if it did.
    failed: Option<Error>,
}

/// A write that is going on. The lists of its noun are stale from its beginning to its end.
pub(in crate::exchange) struct Writing<'a> {
    lists: &'a Lists,
    noun: &'static str,
}

impl Lists {
    /// Gives a list that was begun after the list with the number `after` (0: any), and fetches it if there is none.
    pub(in crate::exchange) async fn get<F>(
        &self,
        (noun, switches): (&'static str, Switches),
        way: Way,
        after: u64,
        call: &Call,
        fetch: impl FnOnce() -> F + Send,
    ) -> Result<Arc<List>, Error>
    where
        F: Future<Output = Result<Vec<Object>, Error>> + Send,
    {
        let name = (noun, switches, way == Way::Look);
        let slot = Arc::clone(self.slots.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default());
        let arrived = slot.with(|inner| inner.fetches);
        if let Some(list) = slot.kept(after) {
            return Ok(list);
        }
        let _fetching = interruptible(call, slot.fetching.lock()).await?;
        if let Some(list) = slot.kept(after) {
            return Ok(list);
        }
        // The fetch that this caller waited for failed, and not by that other caller's own haste.
        let shared = slot.with(|inner| if inner.fetches > arrived { inner.failed.clone() } else { None });
        if let Some(error) = shared.filter(|error| !matches!(error.kind, Kind::Stopped | Kind::Unavailable | Kind::Throttled)) {
            return Err(error);
        }
        let began = self.clock.fetch_add(1, Ordering::Relaxed) + 1;
        let writes = slot.with(|inner| inner.writes);
        let outcome = fetch().await.map(|objects| Arc::new(List { objects, began, anew: way != Way::Session }));
        slot.with(|inner| {
            inner.fetches += 1;
            inner.failed = outcome.as_ref().err().cloned();
            if let Ok(list) = &outcome
                && (inner.writes == writes || way == Way::Look)
            {
                inner.kept = Some(Arc::clone(list));
            }
        });
        outcome
    }

    /// A number that is less than that of each list which is begun from now on.
    pub(in crate::exchange) fn now(&self) -> u64 {
        self.clock.load(Ordering::Relaxed)
    }

    /// Tells whether this client wrote to a noun.
    pub(in crate::exchange) fn written(&self, noun: &'static str) -> bool {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.iter().any(|((own, _, _), slot)| *own == noun && slot.with(|inner| inner.writes > 0))
    }

    /// Says that a write to a noun begins; it ends when the mark is dropped.
    pub(in crate::exchange) fn writing(&self, noun: &'static str) -> Writing<'_> {
        self.spoil(noun);
        Writing { lists: self, noun }
    }

    fn spoil(&self, noun: &'static str) {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        for ((_, _, is_look), slot) in slots.iter().filter(|((own, _, _), _)| *own == noun) {
            slot.with(|inner| {
                inner.writes += 1;
                // Who looks asks for a list that was begun after the own write.
                if !is_look {
                    inner.kept = None;
                }
            });
        }
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.lists.spoil(self.noun);
    }
}

impl Slot {
    fn with<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        change(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn kept(&self, after: u64) -> Option<Arc<List>> {
        self.with(|inner| inner.kept.clone()).filter(|list| list.began > after)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::exchange::testing::call;

    const NAME: (&str, Switches) = ("X", &[]);

    async fn slow(count: &AtomicU64) -> Result<Vec<Object>, Error> {
        count.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok(Vec::new())
    }

    #[tokio::test(start_paused = true)]
    async fn readers_share_what_is_in_flight_and_what_is_kept() {
        let (lists, count) = (Lists::default(), AtomicU64::new(0));
        let call = call(60);
        let one = || lists.get(NAME, Way::Session, 0, &call, || slow(&count));
        let (a, b, c) = tokio::join!(one(), one(), one());
        assert!(Arc::ptr_eq(&a.unwrap(), &b.unwrap()));
        assert_eq!((c.unwrap().began, one().await.unwrap().began), (1, 1));
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn e08_errors_are_shared_by_those_who_waited_and_not_kept() {
        let (lists, count) = (Lists::default(), AtomicU64::new(0));
        let call = call(60);
        let failing = || {
            lists.get(NAME, Way::Session, 0, &call, || async {
                slow(&count).await?;
                Err(Error::new(Kind::Denied, "no"))
            })
        };
        let (a, b) = tokio::join!(failing(), failing());
        assert!(a.is_err() && b.is_err());
        assert_eq!(count.load(Ordering::SeqCst), 1);
        assert!(lists.get(NAME, Way::Session, 0, &call, || slow(&count)).await.is_ok());
        assert_eq!(count.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_makes_the_list_stale_and_a_result_that_began_before_it_is_dropped() {
        let (lists, count) = (Lists::default(), AtomicU64::new(0));
        let call = call(60);
        lists.get(NAME, Way::Session, 0, &call, || slow(&count)).await.unwrap();
        drop(lists.writing("X"));
        let during = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            drop(lists.writing("X"));
        };
        let (second, ()) = tokio::join!(lists.get(NAME, Way::Session, 0, &call, || slow(&count)), during);
        assert_eq!(second.unwrap().began, 2);
        assert_eq!(lists.get(NAME, Way::Session, 0, &call, || slow(&count)).await.unwrap().began, 3);
        drop(lists.writing("Y"));
        assert_eq!(lists.get(NAME, Way::Session, 0, &call, || slow(&count)).await.unwrap().began, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn rx1_looks_are_shared_whatever_others_write_meanwhile() {
        let (lists, count) = (Lists::default(), AtomicU64::new(0));
        let call = call(60);
        let look = |after: u64| lists.get(NAME, Way::Look, after, &call, || slow(&count));
        let own_write = lists.now();
        let during = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            drop(lists.writing("X"));
        };
        let (a, b, ()) = tokio::join!(look(own_write), look(own_write), during);
        let (a, b) = (a.unwrap(), b.unwrap());
        assert!(Arc::ptr_eq(&a, &b) && a.anew);
        assert_eq!(look(lists.now()).await.unwrap().began, 2, "who wrote later asks for a later one");
        assert_eq!(lists.get(NAME, Way::Session, 0, &call, || slow(&count)).await.unwrap().began, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_opinion_is_fetched_once_for_all_who_ask() {
        let (lists, count) = (Lists::default(), AtomicU64::new(0));
        let call = call(60);
        let first = lists.get(NAME, Way::Session, 0, &call, || slow(&count)).await.unwrap();
        let again = || lists.get(NAME, Way::Session, first.began, &call, || slow(&count));
        let (a, b) = tokio::join!(again(), again());
        assert_eq!((a.unwrap().began, b.unwrap().began), (2, 2));
    }
}
