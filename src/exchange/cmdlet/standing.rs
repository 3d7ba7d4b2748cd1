//! Whether an object stands, and as what: what a server shows is held against our own last write, and "gone" is proven.

use std::sync::Arc;

use serde_json::{Map, json};
use tokio::time::Instant;

use super::absent;
use super::binding::{Cmdlets, PLAIN};
use super::lists::{List, Way};
use super::own_writes::{OwnWrite, changed, described};
use super::read::{Sought, Who};
use super::review::LOOKS;
use super::shape::{record, unlike};
use super::unmanaged::unsupported;
use crate::exchange::Exchange;
use crate::exchange::answer::Object;
use crate::exchange::http::Cmdlet;
use crate::remote::{Call, Error, Masks, pause};
use crate::schema::Record;
use crate::value::Diagnostics;

/// What became of an object that the state knows.
pub(super) enum Standing {
    /// It is there: its record, the list that it stands in, and what is to be said of what it leaves open.
    Shown(Record, Arc<List>, Diagnostics),
    /// Our own last write to it is young, and no server that was asked shows it within the limit: none shows the object, or all show it as it was.
    Behind(OwnWrite, Option<Arc<List>>),
    /// It is not there.
    Gone,
}

impl Exchange {
    /// Looks how the object of the state stands. What is older than our own last write is waited for, up to the consistency limit.
    pub(super) async fn standing(
        &self,
        cmdlets: &'static Cmdlets,
        id: &str,
        state: &Record,
        call: &Call,
    ) -> Result<Standing, Error> {
        let who = cmdlets.who(id);
        let own = OwnWrite::of(call);
        if let Some(own) = &own {
            self.own_writes.hear(cmdlets.kind(), id, own.clone());
        }
        let mut sought = self.seek(cmdlets, who, 0, call).await?;
        let Some(own) = own.filter(|own| own.is_young(self.http.now())) else {
            if sought.found.is_none() {
                sought = self.confirm_absent(cmdlets, who, sought.seen, call).await?;
            }
            return match sought.found {
                Some((object, list)) => {
                    let (record, warnings) = self.shown_beside(cmdlets, &object, &list, state, call).await?;
                    Ok(Standing::Shown(record, list, warnings))
                }
                None => Ok(Standing::Gone),
            };
        };
        let limit = self.patience(call);
        for wait in self.polls() {
            if let Some((object, list)) = &sought.found {
                let (record, warnings) = self.shown_beside(cmdlets, object, list, state, call).await?;
                if !self.is_behind(cmdlets, &own, state, object, list, &record, call).await {
                    return Ok(Standing::Shown(record, Arc::clone(list), warnings));
                }
            }
            if Instant::now() + wait >= limit {
                break;
            }
            pause(call, wait).await?;
            sought = self.seek_by(Way::Anew, cmdlets, who, sought.seen, call).await?;
        }
        Ok(Standing::Behind(own, sought.found.map(|(_, list)| list)))
    }

    /// The object as it is shown, with the state's values where it leaves something open, and what is to be said of that.
    async fn shown_beside(
        &self,
        cmdlets: &'static Cmdlets,
        object: &Object,
        list: &List,
        state: &Record,
        call: &Call,
    ) -> Result<(Record, Diagnostics), Error> {
        let mut record = self.shown(cmdlets, object, list, Some(state), call).await?;
        let kept = absent::keep(cmdlets, &mut record, Some(state));
        let told = absent::told(cmdlets, &record, &kept).into_iter();
        let warnings = told.chain(unsupported(cmdlets, object, &record)).collect();
        Ok((record, warnings))
    }

    /// Until when a reading waits for the servers to agree: the consistency limit, and not all of the time that is left.
    pub(super) fn patience(&self, call: &Call) -> Instant {
        Instant::now() + self.pace.consistency.min(call.time_left().mul_f64(0.75))
    }

    /// Tells whether an object is shown as it was before our own last write. What shows no difference is not behind.
    #[expect(clippy::too_many_arguments, reason = "the parts of one look")]
    async fn is_behind(
        &self,
        cmdlets: &'static Cmdlets,
        own: &OwnWrite,
        state: &Record,
        object: &Object,
        list: &List,
        shown: &Record,
        call: &Call,
    ) -> bool {
        let differing = unlike(cmdlets, state, shown);
        if differing.is_empty() {
            return false;
        }
        if own.is_after(cmdlets, object) {
            return true;
        }
        // A place depends on the other objects: those of this state, whose reads come at the same time, may be missing yet.
        differing.iter().all(|leaf| cmdlets.places(&leaf.name)) && self.lacks_own_writes(cmdlets, list, call).await
    }

    /// Tells whether a list lacks young writes of ours, once all objects of the state that are read at the same time were heard of.
    pub(super) async fn lacks_own_writes(&self, cmdlets: &Cmdlets, list: &List, call: &Call) -> bool {
        self.names.settle(call).await;
        self.own_writes.are_missing_in(cmdlets.kind(), list, self.http.now())
    }

    /// Asks again for an object that a list did not show: after a pause, without the cookie, and once by its identity.
    pub(super) async fn confirm_absent(&self, cmdlets: &Cmdlets, who: Who<'_>, seen: u64, call: &Call) -> Result<Sought, Error> {
        pause(call, self.pace.looks).await?;
        let again = self.seek_by(Way::Anew, cmdlets, who, seen, call).await?;
        match (&again.found, who) {
            (None, Who::Guid(guid)) => self.ask_for(cmdlets, guid, again.seen, call).await,
            _ => Ok(again),
        }
    }

    /// Asks for one object by its GUID. The service answers with all objects, with none or with an error if it does not have it.
    async fn ask_for(&self, cmdlets: &Cmdlets, guid: &str, seen: u64, call: &Call) -> Result<Sought, Error> {
        for switches in cmdlets.views() {
            let masks = Masks::new();
            let mut parameters = Map::from_iter([("Identity".to_owned(), json!(guid))]);
            parameters.extend(switches.iter().map(|switch| ((*switch).to_owned(), json!(true))));
            let get = Cmdlet { name: cmdlets.cmdlet("Get"), parameters, writes: false, masks: &masks };
            let objects = self.http.list_anew(&get, call).await?;
            if let Some(object) = objects.iter().find(|object| Who::Guid(guid).fits(cmdlets, object)).cloned() {
                let list = Arc::new(List { objects, began: seen, anew: true });
                return Ok(Sought { found: Some((object, list)), seen, count: 1 });
            }
        }
        Ok(Sought { found: None, seen, count: 0 })
    }

    /// Looks until three looks on end, some time apart and each without the cookie, show what is wanted, or the consistency limit is reached. One
    /// that does not ends the search at once where it is `hasty`.
    pub(super) async fn agreed(
        &self,
        cmdlets: &Cmdlets,
        who: Who<'_>,
        hasty: bool,
        call: &Call,
        is_wanted: &(dyn Fn(Option<&Object>) -> bool + Send + Sync),
    ) -> Result<bool, Error> {
        let limit = Instant::now() + self.pace.consistency;
        let (mut agreeing, mut after, mut wait) = (0, self.lists.now(), self.pace.looks);
        loop {
            let look = self.seek_by(Way::Look, cmdlets, who, after, call).await?;
            after = self.lists.now();
            if is_wanted(look.found.as_ref().map(|(object, _)| object)) {
                agreeing += 1;
                wait = self.pace.looks;
                if agreeing == LOOKS {
                    return Ok(true);
                }
            } else if hasty || Instant::now() + wait >= limit {
                return Ok(false);
            } else {
                agreeing = 0;
                wait = (wait * 2).min(self.pace.poll * 16).max(self.pace.looks);
            }
            pause(call, wait).await?;
        }
    }

    /// Looks until no server shows an object any more. Where it is not known that it was removed, the first that shows it ends the search, and it is
    /// asked for by its identity, too.
    pub(super) async fn vanished(
        &self,
        cmdlets: &'static Cmdlets,
        guid: &str,
        doubtful: bool,
        call: &Call,
    ) -> Result<bool, Error> {
        let who = cmdlets.who(guid);
        let gone = self.agreed(cmdlets, who, doubtful, call, &|object| object.is_none()).await?;
        Ok(gone && (!doubtful || self.ask_for(cmdlets, guid, 0, call).await?.found.is_none()))
    }

    /// Gives a list, with what a judgement finds in it. What it misses may be a write of ours that a server does not show yet; of anything else it is
    /// enough that three looks do not show it.
    pub(super) async fn list_with<T: Send>(
        &self,
        cmdlets: &'static Cmdlets,
        call: &Call,
        judge: impl Fn(&List) -> Result<T, Error> + Send + Sync,
    ) -> Result<(Arc<List>, T), Error> {
        let (limit, mut looks) = (self.patience(call), 0);
        let mut list = self.listed(cmdlets, PLAIN, 0, call).await?;
        loop {
            let error = match judge(&list) {
                Ok(found) => return Ok((list, found)),
                Err(error) => error,
            };
            looks += usize::from(!self.own_writes.are_missing_in(cmdlets.kind(), &list, self.http.now()));
            if looks >= LOOKS || Instant::now() + self.pace.looks >= limit {
                return Err(error);
            }
            pause(call, self.pace.looks).await?;
            list = self.listed_by(Way::Anew, cmdlets, PLAIN, list.began, call).await?;
        }
    }

    /// Keeps what it takes to tell an older reading from our write to an object, which is done now. `before` is what stood there.
    pub(super) async fn note_own_write(
        &self,
        cmdlets: &'static Cmdlets,
        id: &str,
        before: Option<&Record>,
        call: &Call,
        late: &Call,
    ) {
        // What was read back stands in the kept list.
        let shown = self.seek(cmdlets, cmdlets.who(id), 0, late).await.ok().and_then(|sought| sought.found);
        let now = shown.as_ref().and_then(|(object, _)| record(cmdlets, object).ok()).map(|now| described(cmdlets, &now));
        let before: Vec<String> = before.map(|before| described(cmdlets, before)).into_iter().collect();
        let own = OwnWrite::new(self.http.now(), shown.as_ref().and_then(|(object, _)| changed(object)), &before, now.as_deref());
        own.keep(call);
        self.own_writes.hear(cmdlets.kind(), id, own);
    }
}
