//! Writing: what is sent, how a lost answer is settled, and when a write counts as done.
//!
//! Writes of one noun go one after the other. Each ends with reading the object back until it shows what was sent.

use std::time::Duration;

use serde_json::{Map, Value as Json, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::binding::{Cmdlets, Life};
use super::order::{asks, target};
use super::read::Who;
use super::review::{LOOKS, claimed};
use super::shape::{Leaf, leaves, masks, new_parameters, record, removing, set_parameters, shown, unlike};
use super::values::is_nothing;
use super::words::{ignored, import, located, not_shown, open, seconds, taken, unchecked, unread};
use crate::exchange::Exchange;
use crate::exchange::answer::{Answer, Failed, Object};
use crate::exchange::http::Cmdlet;
use crate::remote::{Call, Change, Error, Failure, Kind, Masks, interruptible, pause};
use crate::schema::{Record, article};
use crate::value::{Diagnostic, Value};

/// How often a write whose answer was lost is sent again, after reading has shown that nothing came of it.
const AGAIN: usize = 3;

/// How long an object is looked at until it shows what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Patience {
    /// It is new: what it shows at first is no older value.
    New,
    /// It was changed, and a server may show what it was for a while.
    Changed,
    /// A second write was to mend a new object, and may be ignored as the first was.
    Mended,
}

impl Exchange {
    /// Creates an object and gives it as read back.
    pub(in crate::exchange) async fn create_object(
        &self,
        cmdlets: &'static Cmdlets,
        change: Change<'_>,
        call: &Call,
    ) -> Result<Record, Failure> {
        let wanted = change.effective;
        self.writable(cmdlets, "create", wanted)?;
        let masks = masks(cmdlets.resource, &[wanted]);
        let turn = self.turn(cmdlets.noun);
        let _turn = interruptible(call, turn.lock()).await?;
        if matches!(cmdlets.life, Life::Order) {
            return self.put_in_order(cmdlets, wanted, call).await;
        }
        if cmdlets.adopts(wanted) {
            return Box::pin(self.adopt(cmdlets, wanted, &masks, call)).await;
        }
        let mut parameters = new_parameters(cmdlets, wanted);
        if cmdlets.ordered && asks(wanted) {
            let list = self.listed(cmdlets, "", 0, call).await?;
            if let Some(place) = target(wanted, &list, None)? {
                parameters.insert("Priority".to_owned(), json!(place));
            }
        }
        let (guid, made) = self.make(cmdlets, &parameters, wanted, &masks, call).await?;
        // From here on the object exists: whatever fails, it is not lost from state.
        self.remember(cmdlets, &guid);
        let late = self.late(call);
        let finished = Box::pin(self.finish(cmdlets, &guid, made.as_ref(), wanted, &masks, &late)).await;
        let mut outcome = match finished {
            Err(Failure { error, object: Some(record) }) => {
                Box::pin(self.mend(cmdlets, &guid, wanted, record, error, &masks, &late)).await
            }
            Err(Failure { error, object: None }) => Err(Failure { error, object: Some(unseen(wanted, &guid)) }),
            Ok(record) => Ok(record),
        };
        if let Ok(record) = &mut outcome {
            self.arrange(cmdlets, &guid, wanted, call, &late).await;
            self.validate(cmdlets, &guid, wanted, record, true, call).await;
        }
        late.take_reports().into_iter().for_each(|report| call.report(report));
        outcome
    }

    /// Changes an object and gives it as read back.
    pub(in crate::exchange) async fn update_object(
        &self,
        cmdlets: &'static Cmdlets,
        change: Change<'_>,
        call: &Call,
    ) -> Result<Record, Failure> {
        let (wanted, nothing) = (change.effective, Record::new());
        let prior = change.prior.unwrap_or(&nothing);
        self.writable(cmdlets, "change", wanted)?;
        let masks = masks(cmdlets.resource, &[wanted, prior]);
        let turn = self.turn(cmdlets.noun);
        let _turn = interruptible(call, turn.lock()).await?;
        if matches!(cmdlets.life, Life::Order) {
            return self.put_in_order(cmdlets, wanted, call).await;
        }

        let guid = prior.text("id").unwrap_or_default().to_ascii_lowercase();
        let Some((object, list)) = self.seek_twice(cmdlets, cmdlets.who(&guid), call).await?.found else {
            return Err(Error::new(Kind::NotFound, format!("{} was removed since the plan.", cmdlets.called(prior)))
                .hint("Plan again: it will be made anew.")
                .into());
        };
        let current = self.shown(cmdlets, &object, &list, Some(prior), call).await?;
        unchanged_since(cmdlets, prior, &current, wanted)?;

        let changed = unlike(cmdlets, wanted, prior);
        if cmdlets.adopts(prior) {
            super::adopt::keep(cmdlets, &current, &changed, call);
        }
        let place = if cmdlets.ordered { target(wanted, &list, current.integer("priority"))? } else { None };
        let late = self.late(call);
        let mut outcome = Box::pin(self.apply(cmdlets, &guid, wanted, &changed, place, &masks, call, &late)).await;
        if let Ok(record) = &mut outcome {
            if place.is_some() {
                self.arrange(cmdlets, &guid, wanted, call, &late).await;
            }
            let matters =
                cmdlets.validation.is_some_and(|own| changed.iter().any(|leaf| own.relevant.contains(&leaf.name.as_str())));
            self.validate(cmdlets, &guid, wanted, record, matters, call).await;
        }
        late.take_reports().into_iter().for_each(|report| call.report(report));
        outcome
    }

    /// Deletes an object; succeeds if it is already gone.
    pub(in crate::exchange) async fn delete_object(
        &self,
        cmdlets: &'static Cmdlets,
        state: &Record,
        call: &Call,
    ) -> Result<(), Error> {
        if matches!(cmdlets.life, Life::Order) {
            // The order stays as it is: nothing stood there before it that could be put back.
            return Ok(());
        }
        self.writable(cmdlets, "delete", state)?;
        let guid = state.text("id").unwrap_or_default().to_ascii_lowercase();
        if guid.is_empty() {
            return Err(Error::new(Kind::Unexpected, format!("The state of {} has no id.", cmdlets.called(state))));
        }
        let masks = masks(cmdlets.resource, &[state]);
        let turn = self.turn(cmdlets.noun);
        let _turn = interruptible(call, turn.lock()).await?;
        if cmdlets.adopts(state) {
            return Box::pin(self.put_back(cmdlets, &guid, state, &masks, call)).await;
        }
        let mut waits = self.pace.backoff.waits();
        for attempt in 1.. {
            let parameters = identity(cmdlets, &guid, true);
            let failed = match self.write(cmdlets, cmdlets.cmdlet("Remove"), parameters, &masks, call).await {
                Ok(_) => None,
                Err(failed) if failed.error.kind == Kind::NotFound || failed.lost => Some(failed),
                Err(failed) => return Err(failed.error),
            };
            let late = self.late(call);
            let gone = self.vanished(cmdlets, &guid, failed.as_ref().is_some_and(|failed| failed.lost), &late).await;
            let again = match (gone, failed) {
                (Ok(true), _) => {
                    self.forget(cmdlets, &guid);
                    if let Some(title) = state.text(cmdlets.resource.title) {
                        self.names.removed(cmdlets.noun, &claimed(cmdlets, title));
                    }
                    return Ok(());
                }
                (Ok(false), None) => {
                    return Err(Error::new(
                        Kind::Unavailable,
                        format!(
                            "Exchange Online took `{}`, but still shows {} after {}.",
                            cmdlets.cmdlet("Remove"),
                            cmdlets.called(state),
                            seconds(self.pace.consistency)
                        ),
                    )
                    .hint("Its servers agree with each other only after a while. Try again later."));
                }
                (Ok(false), Some(failed)) => failed,
                (Err(error), None) => return Err(error),
                (Err(error), Some(failed)) => return Err(unchecked(failed.error, &error)),
            };
            let wait = waits.next().unwrap_or_default();
            if attempt > AGAIN || !(again.error.retryable || again.error.kind == Kind::NotFound) || wait >= call.time_left() {
                return Err(again.error);
            }
            pause(call, wait).await.map_err(|_| again.error)?;
        }
        Err(Error::new(Kind::Unexpected, "Removing did not end."))
    }

    /// Runs New until it is known what came of it, and gives the GUID, with the object as New showed it.
    async fn make(
        &self,
        cmdlets: &'static Cmdlets,
        parameters: &Map<String, Json>,
        wanted: &Record,
        masks: &Masks,
        call: &Call,
    ) -> Result<(String, Option<Object>), Failure> {
        let name = wanted.text("name").unwrap_or_default();
        let (begin, mut waits, mut lost_before) = (Instant::now(), self.pace.backoff.waits(), false);
        for attempt in 1.. {
            let (mut in_doubt, mut lags) = (None, false);
            let outcome = self.write(cmdlets, cmdlets.cmdlet("New"), parameters.clone(), masks, call).await;
            let late = self.late(call);
            let failed = match outcome {
                Ok(answer) => {
                    let made = answer.objects.unwrap_or_default().into_iter().find(|object| object.is_named(name));
                    if let Some(guid) = made.as_ref().and_then(Object::guid) {
                        return Ok((guid, made));
                    }
                    let there = self.appeared(cmdlets, name, &late).await.map_err(|error| open(cmdlets, unread(error), name))?;
                    let made = there.and_then(|object| Some((object.guid()?, Some(object))));
                    let not_shown = || open(cmdlets, not_shown(cmdlets, wanted, self.pace.consistency), name);
                    return made.ok_or_else(|| not_shown().into());
                }
                Err(failed) => failed,
            };
            // "It exists already" is said of somebody else's object, wherever it is said.
            if failed.lost && failed.error.kind != Kind::Conflict {
                lost_before = true;
                let there = if is_final(&failed.error) {
                    // The service says that it failed: whether it left something behind all the same is asked for, not waited for.
                    self.seek_twice(cmdlets, Who::Name(name), &late).await.map(|sought| sought.found.map(|(object, _)| object))
                } else {
                    self.appeared(cmdlets, name, &late).await
                };
                match there {
                    Err(error) => return Err(open(cmdlets, unchecked(failed.error, &error), name).into()),
                    Ok(Some(object)) => return adopted(cmdlets, object, wanted, &failed.error),
                    Ok(None) => {}
                }
            } else if matches!(failed.error.kind, Kind::Conflict | Kind::Invalid) {
                // The words for a taken name are not known for every noun, so the list decides.
                let there = self.seek(cmdlets, Who::Name(name), 0, &late).await;
                match there.map(|sought| sought.found) {
                    Ok(Some((object, _))) if lost_before => {
                        return adopted(cmdlets, object, wanted, &Error { retryable: true, ..failed.error });
                    }
                    Ok(Some((object, _))) => {
                        // An object that was removed a moment ago is still shown, and refused, by some of the service's servers.
                        match self.look_anew(cmdlets, Who::Name(name), &late).await {
                            Ok(LOOKS) | Err(_) => return Err(taken(cmdlets, &object, name, &failed.error).into()),
                            Ok(_) => in_doubt = Some(object),
                        }
                    }
                    Ok(None)
                        if failed.error.kind == Kind::Conflict
                            && self.names.was_removed(cmdlets.noun, &claimed(cmdlets, name)) =>
                    {
                        lags = begin.elapsed() < self.pace.consistency;
                    }
                    Ok(None) | Err(_) => return Err(located(cmdlets, failed.error).into()),
                }
            }
            let again = match failed.error.kind {
                // What the new object refers to may not be known to every server yet.
                Kind::NotFound => begin.elapsed() < self.pace.consistency,
                _ => in_doubt.is_some() || lags || (failed.lost && failed.error.retryable && attempt < AGAIN),
            };
            let wait = waits.next().unwrap_or_default();
            if !again || wait >= call.time_left() || pause(call, wait).await.is_err() {
                if let Some(object) = in_doubt {
                    return Err(taken(cmdlets, &object, name, &failed.error).into());
                }
                let kind = if failed.error.kind == Kind::NotFound { Kind::Invalid } else { failed.error.kind };
                return Err(located(cmdlets, Error { kind, ..failed.error }).into());
            }
        }
        Err(Error::new(Kind::Unexpected, "Creating did not end.").into())
    }

    /// Looks for a name until it is there or the consistency limit is reached.
    async fn appeared(&self, cmdlets: &'static Cmdlets, name: &str, call: &Call) -> Result<Option<Object>, Error> {
        let (limit, mut after) = (Instant::now() + self.pace.consistency, 0);
        for wait in self.polls() {
            let sought = self.seek(cmdlets, Who::Name(name), after, call).await?;
            if let Some((object, _)) = sought.found {
                return Ok(Some(object));
            }
            if Instant::now() + wait >= limit {
                break;
            }
            after = sought.seen;
            pause(call, wait).await?;
        }
        Ok(None)
    }

    /// Looks until a GUID is no longer shown. Where it is not known that it was removed, one look says little, so the first that
    /// shows it ends the search and absence is asked for twice.
    async fn vanished(&self, cmdlets: &'static Cmdlets, guid: &str, doubtful: bool, call: &Call) -> Result<bool, Error> {
        if doubtful {
            return Ok(self.seek_twice(cmdlets, cmdlets.who(guid), call).await?.found.is_none());
        }
        let (limit, mut after) = (Instant::now() + self.pace.consistency, 0);
        for wait in self.polls() {
            let sought = self.seek(cmdlets, cmdlets.who(guid), after, call).await?;
            if sought.found.is_none() {
                return Ok(true);
            }
            if Instant::now() + wait >= limit {
                break;
            }
            after = sought.seen;
            pause(call, wait).await?;
        }
        Ok(false)
    }

    /// Sets what only Set takes on a new object, as far as New did not make it so, and reads it back.
    async fn finish(
        &self,
        cmdlets: &'static Cmdlets,
        guid: &str,
        made: Option<&Object>,
        wanted: &Record,
        masks: &Masks,
        call: &Call,
    ) -> Result<Record, Failure> {
        let already = made.and_then(|object| record(cmdlets, object).ok());
        let has_value = |leaf: &Leaf| !is_nothing(wanted.at(&leaf.name));
        let missing = match already {
            Some(already) => unlike(cmdlets, wanted, &already),
            None => leaves(cmdlets.resource).into_iter().filter(has_value).collect(),
        };
        let later: Vec<_> = missing.into_iter().filter(|leaf| cmdlets.set_only.contains(&leaf.name.as_str())).collect();
        let sent = self.set(cmdlets, guid, wanted, &later, masks, call).await;
        if let Err(failed) = sent {
            return Err(self.failure(cmdlets, failed.error, guid, wanted, call).await);
        }
        self.settle(cmdlets, guid, wanted, Vec::new(), masks, Patience::New, call).await
    }

    /// Writes once more what a new object does not show as it was sent. What cannot be changed any more is left as it stands.
    #[expect(clippy::too_many_arguments, reason = "one step of the create, split off for its size")]
    pub(super) async fn mend(
        &self,
        cmdlets: &'static Cmdlets,
        guid: &str,
        wanted: &Record,
        standing: Record,
        error: Error,
        masks: &Masks,
        call: &Call,
    ) -> Result<Record, Failure> {
        let mut changed = unlike(cmdlets, wanted, &standing);
        changed.retain(|leaf| !leaf.attribute.replaces);
        let list = match self.listed(cmdlets, "", 0, call).await {
            Ok(list) if !changed.is_empty() => list,
            _ => return Err(Failure { error, object: Some(standing) }),
        };
        let place = match target(wanted, &list, standing.integer("priority")) {
            Ok(place) => place.filter(|_| cmdlets.ordered),
            Err(error) => return Err(Failure { error, object: Some(standing) }),
        };
        let mended = match self.send(cmdlets, guid, wanted, &changed, place, masks, call).await {
            Ok(emptied) => self.settle(cmdlets, guid, wanted, emptied, masks, Patience::Mended, call).await,
            Err(failed) => Err(self.failure(cmdlets, located(cmdlets, failed.error), guid, wanted, call).await),
        };
        mended.map_err(|failure| Failure { error: failure.error, object: failure.object.or(Some(standing)) })
    }

    /// Sends what changed by as many cmdlets as that takes. Gives the lists that were to be emptied.
    #[expect(clippy::too_many_arguments, reason = "the parts of one change")]
    async fn send(
        &self,
        cmdlets: &'static Cmdlets,
        guid: &str,
        wanted: &Record,
        changed: &[Leaf],
        place: Option<i64>,
        masks: &Masks,
        call: &Call,
    ) -> Result<Vec<Leaf>, Failed> {
        let emptied = self.set(cmdlets, guid, wanted, changed, masks, call).await?;
        self.switch_and_move(cmdlets, guid, wanted, changed, place, masks, call).await?;
        Ok(emptied)
    }

    /// Enables or disables the object and gives it its place, as far as these changed.
    #[expect(clippy::too_many_arguments, reason = "the parts of one change")]
    async fn switch_and_move(
        &self,
        cmdlets: &'static Cmdlets,
        guid: &str,
        wanted: &Record,
        changed: &[Leaf],
        place: Option<i64>,
        masks: &Masks,
        call: &Call,
    ) -> Result<(), Failed> {
        if let Some(leaf) = changed.iter().find(|leaf| cmdlets.toggles(&leaf.name))
            && let Some(on) = wanted.truth(&leaf.name)
        {
            let (verb, same) = (if on { "Enable" } else { "Disable" }, std::slice::from_ref(leaf));
            let parameters = identity(cmdlets, guid, !on);
            self.change(cmdlets, guid, verb, parameters, masks, call, &|object| holds(cmdlets, wanted, same, object)).await?;
        }
        match place {
            Some(place) => self.move_to(cmdlets, guid, place, masks, call).await,
            None => Ok(()),
        }
    }

    /// Sends what changed, and reads it back.
    #[expect(clippy::too_many_arguments, reason = "one step of the update, split off for its size")]
    pub(super) async fn apply(
        &self,
        cmdlets: &'static Cmdlets,
        guid: &str,
        wanted: &Record,
        changed: &[Leaf],
        place: Option<i64>,
        masks: &Masks,
        call: &Call,
        late: &Call,
    ) -> Result<Record, Failure> {
        let emptied = match self.set(cmdlets, guid, wanted, changed, masks, call).await {
            Ok(emptied) => emptied,
            Err(failed) => {
                let error = match self.owner_of_name(cmdlets, guid, wanted, changed, &failed.error, late).await {
                    Some((owner, name)) => taken(cmdlets, &owner, name, &failed.error),
                    None => located(cmdlets, failed.error),
                };
                return Err(self.failure(cmdlets, error, guid, wanted, late).await);
            }
        };
        let outcome = self.switch_and_move(cmdlets, guid, wanted, changed, place, masks, call).await;
        match outcome {
            Ok(()) => self.settle(cmdlets, guid, wanted, emptied, masks, Patience::Changed, late).await,
            Err(failed) => Err(self.failure(cmdlets, failed.error, guid, wanted, late).await),
        }
    }

    /// Finds the other object that has the name which this one was to be given, if that may be why it was refused.
    async fn owner_of_name<'a>(
        &self,
        cmdlets: &'static Cmdlets,
        guid: &str,
        wanted: &'a Record,
        changed: &[Leaf],
        error: &Error,
        call: &Call,
    ) -> Option<(Object, &'a str)> {
        let title = cmdlets.resource.title;
        if !matches!(error.kind, Kind::Conflict | Kind::Invalid) || !changed.iter().any(|leaf| leaf.name == title) {
            return None;
        }
        let name = wanted.text(title)?;
        let (object, _) = self.seek(cmdlets, Who::Name(name), 0, call).await.ok()?.found?;
        (object.guid().as_deref() != Some(guid)).then_some((object, name))
    }

    /// Runs Set for the attributes that changed, if any is a parameter of it. Gives the lists that were to be emptied.
    pub(super) async fn set(
        &self,
        cmdlets: &'static Cmdlets,
        guid: &str,
        wanted: &Record,
        changed: &[Leaf],
        masks: &Masks,
        call: &Call,
    ) -> Result<Vec<Leaf>, Failed> {
        let (sent, emptied) = set_parameters(cmdlets, wanted, changed)?;
        if !sent.is_empty() {
            let mut parameters = identity(cmdlets, guid, false);
            parameters.extend(sent);
            let same: Vec<_> =
                changed.iter().filter(|leaf| !cmdlets.toggles(&leaf.name) && !cmdlets.places(&leaf.name)).cloned().collect();
            self.change(cmdlets, guid, "Set", parameters, masks, call, &|object| holds(cmdlets, wanted, &same, object)).await?;
        }
        Ok(emptied)
    }

    /// Gives an object a place.
    pub(super) async fn move_to(
        &self,
        cmdlets: &'static Cmdlets,
        guid: &str,
        place: i64,
        masks: &Masks,
        call: &Call,
    ) -> Result<(), Failed> {
        let mut parameters = identity(cmdlets, guid, false);
        parameters.insert("Priority".to_owned(), json!(place));
        let there = |object: &Object| object.get("Priority").as_i64() == Some(place);
        self.change(cmdlets, guid, "Set", parameters, masks, call, &there).await
    }

    /// Runs a cmdlet that changes an object, until it is known to be done. These may be sent twice: they say what is wanted.
    #[expect(clippy::too_many_arguments, reason = "the parts of one call")]
    pub(super) async fn change(
        &self,
        cmdlets: &'static Cmdlets,
        guid: &str,
        verb: &str,
        parameters: Map<String, Json>,
        masks: &Masks,
        call: &Call,
        done: &(dyn Fn(&Object) -> bool + Send + Sync),
    ) -> Result<(), Failed> {
        let (begin, mut waits) = (Instant::now(), self.pace.backoff.waits());
        for attempt in 1.. {
            let outcome = self.write(cmdlets, cmdlets.cmdlet(verb), parameters.clone(), masks, call).await;
            let Err(failed) = outcome else { return Ok(()) };
            if failed.lost {
                match self.seek(cmdlets, cmdlets.who(guid), 0, &self.late(call)).await {
                    Err(error) => return Err(Failed { error: unchecked(failed.error, &error), ..failed }),
                    Ok(sought) if failed.error.retryable && sought.found.as_ref().is_some_and(|(object, _)| done(object)) => {
                        return Ok(());
                    }
                    Ok(_) => {}
                }
            }
            let again = match failed.error.kind {
                // The object was seen a moment ago: another server does not know it, or what it refers to, yet.
                Kind::NotFound => begin.elapsed() < self.pace.consistency,
                _ => failed.lost && failed.error.retryable && attempt < AGAIN,
            };
            let wait = waits.next().unwrap_or_default();
            if !again || wait >= call.time_left() || pause(call, wait).await.is_err() {
                return Err(failed);
            }
        }
        Err(Error::new(Kind::Unexpected, "Changing did not end.").into())
    }

    /// Reads an object back until it shows what was sent. A list that null did not empty is emptied by name on the way.
    #[expect(clippy::too_many_arguments, reason = "the parts of one look")]
    async fn settle(
        &self,
        cmdlets: &'static Cmdlets,
        guid: &str,
        wanted: &Record,
        mut emptied: Vec<Leaf>,
        masks: &Masks,
        patience: Patience,
        call: &Call,
    ) -> Result<Record, Failure> {
        let most = if patience == Patience::Mended { self.pace.mended } else { self.pace.consistency };
        let limit = Instant::now() + most;
        let (mut after, mut last): (u64, Option<(Record, Vec<Leaf>)>) = (0, None);
        for wait in self.polls() {
            let sought = match self.seek(cmdlets, cmdlets.who(guid), after, call).await {
                Ok(sought) => sought,
                Err(error) => {
                    let object = last.map_or_else(|| unseen(wanted, guid), |(record, _)| record);
                    return Err(Failure { error: unread(error), object: Some(object) });
                }
            };
            after = sought.seen;
            if let Some((object, list)) = sought.found {
                let record = match self.shown(cmdlets, &object, &list, Some(wanted), call).await {
                    Ok(record) => record,
                    Err(error) => return Err(Failure { error: unread(error), object: Some(unseen(wanted, guid)) }),
                };
                let other = unlike(cmdlets, wanted, &record);
                if other.is_empty() {
                    return Ok(record);
                }
                let remaining: Vec<_> =
                    std::mem::take(&mut emptied).into_iter().filter(|leaf| !is_nothing(record.at(&leaf.name))).collect();
                if !remaining.is_empty() {
                    let mut parameters = identity(cmdlets, guid, false);
                    for leaf in &remaining {
                        parameters.insert(leaf.parameter.clone(), removing(record.at(&leaf.name)));
                    }
                    let done = |object: &Object| holds(cmdlets, wanted, &remaining, object);
                    if let Err(failed) = self.change(cmdlets, guid, "Set", parameters, masks, call, &done).await {
                        return Err(Failure { error: failed.error, object: Some(record) });
                    }
                }
                // A new object has no older values that a server could still show: what New was told and two looks do not show is not so.
                let is_so = patience == Patience::New
                    && other.iter().all(|leaf| !cmdlets.set_only.contains(&leaf.name.as_str()))
                    && last.as_ref().is_some_and(|(before, _)| unlike(cmdlets, before, &record).is_empty());
                last = Some((record, other));
                if is_so {
                    break;
                }
            }
            if Instant::now() + wait >= limit {
                break;
            }
            if let Err(error) = pause(call, wait).await {
                let object = last.map_or_else(|| unseen(wanted, guid), |(record, _)| record);
                return Err(Failure { error, object: Some(object) });
            }
        }
        Err(match last {
            None => Failure { error: not_shown(cmdlets, wanted, most), object: Some(unseen(wanted, guid)) },
            Some((record, other)) => Failure { error: ignored(&other, wanted, &record, most), object: Some(record) },
        })
    }

    /// Makes the failure of a write with what stands at the service now.
    async fn failure(&self, cmdlets: &'static Cmdlets, error: Error, guid: &str, wanted: &Record, call: &Call) -> Failure {
        let object = match self.seek(cmdlets, cmdlets.who(guid), 0, call).await {
            Ok(sought) => match sought.found {
                Some((object, list)) => self.shown(cmdlets, &object, &list, Some(wanted), call).await.ok(),
                None => None,
            },
            Err(_) => None,
        };
        Failure { error, object }
    }

    pub(super) async fn write(
        &self,
        cmdlets: &Cmdlets,
        name: String,
        parameters: Map<String, Json>,
        masks: &Masks,
        call: &Call,
    ) -> Result<Answer, Failed> {
        let _writing = self.lists.writing(cmdlets.noun);
        let cmdlet = Cmdlet { name, parameters, writes: true, masks };
        let answer = Box::pin(self.http.run(&cmdlet, call)).await?;
        for warning in &answer.warnings {
            // A Set that finds nothing to do says so, which is no news.
            if !warning.to_lowercase().contains("completed successfully but no settings") {
                call.report(Diagnostic::warning(format!("`{}` gave a warning", cmdlet.name), warning.clone()));
            }
        }
        Ok(answer)
    }

    pub(super) fn writable(&self, cmdlets: &Cmdlets, verb: &str, record: &Record) -> Result<(), Error> {
        if !self.read_only {
            return Ok(());
        }
        Err(Error::new(
            Kind::Denied,
            format!("The provider is set to `read_only`, so it does not {verb} {}. Nothing was sent.", cmdlets.called(record)),
        )
        .hint("Take `read_only = true` out of the provider block to apply changes."))
    }

    /// A call for what has to be done after a write, whatever becomes of the run: a stop does not end it, and it has some time
    /// even if the operation's is used up.
    pub(super) fn late(&self, call: &Call) -> Call {
        Call::new(CancellationToken::new(), call.time_left().max(self.pace.consistency * 2))
    }

    pub(super) fn polls(&self) -> impl Iterator<Item = Duration> + Send + use<> {
        let most = self.pace.poll * 16;
        std::iter::successors(Some(self.pace.poll), move |wait| Some((*wait * 2).min(most)))
    }
}

/// Tells whether the service itself said that a call failed, for a reason that lies in the call: not a lost answer, not trouble of its
/// own, and not something in between that spoke in its place.
fn is_final(error: &Error) -> bool {
    !error.retryable && matches!(error.kind, Kind::Invalid | Kind::Denied | Kind::NotFound)
}

/// The parameters that say which object is meant.
pub(super) fn identity(cmdlets: &Cmdlets, id: &str, confirms: bool) -> Map<String, Json> {
    let mut parameters = Map::new();
    if let Some(identity) = cmdlets.identity(id) {
        parameters.insert("Identity".to_owned(), json!(identity));
    }
    if confirms {
        // Without it the service only asks whether one is sure.
        parameters.insert("Confirm".to_owned(), json!(false));
    }
    parameters
}

/// Tells whether an object shows what is wanted of these attributes.
fn holds(cmdlets: &Cmdlets, wanted: &Record, leaves: &[Leaf], object: &Object) -> bool {
    record(cmdlets, object).is_ok_and(|record| {
        unlike(cmdlets, wanted, &record).iter().all(|other| !leaves.iter().any(|leaf| leaf.name == other.name))
    })
}

/// Refuses to write over what somebody else changed since the plan. What they made as it is wanted anyway is no matter.
fn unchanged_since(cmdlets: &Cmdlets, prior: &Record, current: &Record, wanted: &Record) -> Result<(), Error> {
    let unwanted = unlike(cmdlets, wanted, current);
    let foreign: Vec<_> = unlike(cmdlets, prior, current)
        .into_iter()
        .filter(|leaf| !cmdlets.places(&leaf.name))
        // What was written write-only is not in the state.
        .filter(|leaf| !(leaf.attribute.write_only_form && is_nothing(prior.at(&leaf.name))))
        .filter(|leaf| unwanted.iter().any(|other| other.name == leaf.name))
        .collect();
    let Some(first) = foreign.first() else { return Ok(()) };
    let list: Vec<_> = foreign
        .iter()
        .map(|leaf| {
            format!(
                "`{}` is {} now and was {}",
                leaf.name,
                shown(leaf, current.at(&leaf.name)),
                shown(leaf, prior.at(&leaf.name))
            )
        })
        .collect();
    Err(Error::new(
        Kind::Conflict,
        format!("{} was changed by somebody else since the plan: {}.", cmdlets.called(prior), list.join(", ")),
    )
    .hint("Nothing was written. Plan again to see the whole difference.")
    .at(first.path()))
}

/// Settles a New whose answer was lost by what stands under the name.
fn adopted(cmdlets: &Cmdlets, object: Object, wanted: &Record, error: &Error) -> Result<(String, Option<Object>), Failure> {
    let record = record(cmdlets, &object)?;
    let later = |leaf: &Leaf| cmdlets.set_only.contains(&leaf.name.as_str()) || cmdlets.places(&leaf.name);
    let other: Vec<_> = unlike(cmdlets, wanted, &record)
        .into_iter()
        .filter(|leaf| !later(leaf) && !cmdlets.references.iter().any(|reference| reference.attribute == leaf.name))
        .collect();
    let guid = object.guid().unwrap_or_default();
    if other.is_empty() && error.retryable {
        tracing::debug!(noun = cmdlets.noun, guid, "took over what a lost call had made");
        return Ok((guid, Some(object)));
    }
    if other.is_empty() {
        // The service says that it failed, and yet it is there.
        return Err(Failure { error: error.clone(), object: Some(record) });
    }
    let name = object.text("Name").unwrap_or_default();
    let differing: Vec<_> =
        other.iter().map(|leaf| format!("`{}` is {}", leaf.name, shown(leaf, record.at(&leaf.name)))).collect();
    Err(Error::new(
        Kind::Conflict,
        format!(
            "The answer to `{}` was lost ({}). {} {} with the name {name:?} stands there now, and it is not what was sent: {}.",
            cmdlets.cmdlet("New"),
            error.message.trim_end_matches('.'),
            article(cmdlets.resource.noun),
            cmdlets.resource.noun,
            differing.join(", ")
        ),
    )
    .hint(import(cmdlets, name, &guid))
    .into())
}

/// The record of an object that was made and cannot be seen.
fn unseen(wanted: &Record, guid: &str) -> Record {
    let mut record = Record::new();
    for (name, value) in wanted.iter() {
        record.set(name, settled(value));
    }
    record.with("id", guid)
}

fn settled(value: &Value) -> Value {
    let all = |items: &[Value]| items.iter().map(settled).collect();
    match value {
        Value::Unknown(_) => Value::Null,
        Value::List(items) => Value::List(all(items)),
        Value::Set(items) => Value::set(all(items)),
        Value::Object(members) => Value::object(members.iter().map(|(name, value)| (name.clone(), settled(value)))),
        other => other.clone(),
    }
}
