//! Writing: an object is made, changed, deleted. How a cmdlet is sent is in [`send`](super::send), when a write counts as done in
//! [`readback`](super::readback).
//!
//! Writes of one noun go one after the other. Each ends with reading the object back until it shows what was sent.

use serde_json::json;
use tokio::time::Instant;

use super::binding::{Cmdlets, Life, PLAIN};
use super::order::{asks, target};
use super::own_writes::OwnWrite;
use super::read::Who;
use super::readback::{Patience, unseen};
use super::review::claimed;
use super::send::{AGAIN, identity};
use super::shape::{Leaf, leaves, masks, new_parameters, record, shown, unlike};
use super::standing::Standing;
use super::values::is_nothing;
use super::words::{located, not_there_yet, seconds, taken, unchecked};
use crate::exchange::Exchange;
use crate::exchange::answer::{Failed, Object};
use crate::remote::{Call, Change, Error, Failure, Kind, Masks, interruptible, pause};
use crate::schema::Record;

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
        self.refuse_while_mx_lead_elsewhere(cmdlets, None, wanted, call).await?;
        let masks = masks(cmdlets.resource, &[wanted]);
        if let Life::Switched(switch) = cmdlets.life {
            // It takes its turn once the records are there: others go on meanwhile.
            return Box::pin(self.switch_on(cmdlets, switch, wanted, &masks, call)).await;
        }
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
            let (_, place) = self.list_with(cmdlets, call, |list| target(wanted, list, None)).await?;
            if let Some(place) = place {
                parameters.insert("Priority".to_owned(), json!(place));
            }
        }
        let (guid, made) = match self.make(cmdlets, &parameters, wanted, &masks, call).await {
            Err(Failure { error, object: None })
                if error.kind == Kind::Conflict && self.is_to_be_taken_over(cmdlets, wanted, call).await =>
            {
                return Box::pin(self.adopt(cmdlets, wanted, &masks, call)).await;
            }
            outcome => outcome?,
        };
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
        let before = made.as_ref().and_then(|made| record(cmdlets, made).ok());
        self.note_own_write(cmdlets, &guid, before.as_ref(), call, &late).await;
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
        self.refuse_while_mx_lead_elsewhere(cmdlets, Some(prior), wanted, call).await?;
        let masks = masks(cmdlets.resource, &[wanted, prior]);
        let turn = self.turn(cmdlets.noun);
        let _turn = interruptible(call, turn.lock()).await?;
        if matches!(cmdlets.life, Life::Order) {
            return self.put_in_order(cmdlets, wanted, call).await;
        }

        let guid = prior.text("id").unwrap_or_default().to_ascii_lowercase();
        let (current, list) = match self.standing(cmdlets, &guid, prior, call).await? {
            Standing::Shown(current, list, _) => {
                unchanged_since(cmdlets, prior, &current, wanted)?;
                super::unmanaged::refuse(cmdlets, &current, wanted)?;
                (current, list)
            }
            // What is shown is older than the state: the state says what is written over.
            Standing::Behind(_, Some(list)) => (prior.clone(), list),
            Standing::Behind(own, None) => return Err(not_there_yet(cmdlets, prior, "changed", own.ends()).into()),
            Standing::Gone => {
                return Err(Error::new(Kind::NotFound, format!("{} was removed since the plan.", cmdlets.called(prior)))
                    .hint("Plan again: it will be made anew.")
                    .into());
            }
        };

        let changed = unlike(cmdlets, wanted, prior);
        if cmdlets.adopts(prior) {
            super::adopt::keep(cmdlets, &current, &changed, call);
        }
        let place = match target(wanted, &list, current.integer("priority")) {
            _ if !cmdlets.ordered => None,
            Ok(place) => place,
            Err(_) => self.list_with(cmdlets, call, |list| target(wanted, list, current.integer("priority"))).await?.1,
        };
        let late = self.late(call);
        if let Some(rotation) = cmdlets.rotation
            && super::rotate::is_asked(cmdlets, prior, wanted)
            && !changed.iter().any(|leaf| leaf.name == rotation.size)
        {
            self.rotate(cmdlets, rotation, &guid, None, &masks, call).await.map_err(|failed| failed.error)?;
        }
        let mut outcome = Box::pin(self.apply(cmdlets, &guid, wanted, &changed, place, &masks, call, &late)).await;
        if let Ok(record) = &mut outcome {
            if place.is_some() {
                self.arrange(cmdlets, &guid, wanted, call, &late).await;
            }
            let matters =
                cmdlets.validation.is_some_and(|own| changed.iter().any(|leaf| own.relevant.contains(&leaf.name.as_str())));
            self.validate(cmdlets, &guid, wanted, record, matters, call).await;
        }
        self.note_own_write(cmdlets, &guid, Some(&current), call, &late).await;
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
        if cmdlets.adopts(state) {
            let _turn = interruptible(call, turn.lock()).await?;
            return Box::pin(self.put_back(cmdlets, &guid, state, &masks, call)).await;
        }
        if let Some(switch) = cmdlets.off_instead
            && !self.offers(cmdlets, "Remove", call).await
        {
            return self.switch_off_instead(cmdlets, switch, &guid, state, &masks, call).await;
        }
        let mut ending = identity(cmdlets, &guid, cmdlets.removing_verb() == "Remove");
        if let Life::Switched(switch) = cmdlets.life {
            ending.insert(switch.parameter.to_owned(), json!(false));
        }
        let own = OwnWrite::of(call).filter(|own| own.is_young(self.http.now()));
        let (begin, mut waits) = (Instant::now(), self.pace.backoff.waits());
        for attempt in 1.. {
            let sent = {
                // Others go on while it is waited until no server shows the object.
                let _turn = interruptible(call, turn.lock()).await?;
                self.write(cmdlets, cmdlets.cmdlet(cmdlets.removing_verb()), ending.clone(), &masks, call).await
            };
            let failed = match sent {
                Ok(_) => None,
                Err(failed) if failed.error.kind == Kind::NotFound || failed.lost => Some(failed),
                Err(Failed { error, .. }) if error.kind == Kind::Denied && cmdlets.off_instead.is_some() => {
                    let switch = cmdlets.off_instead.unwrap_or_default();
                    tracing::debug!(noun = cmdlets.noun, %error, "it cannot be removed");
                    return self.switch_off_instead(cmdlets, switch, &guid, state, &masks, call).await;
                }
                Err(failed) => return Err(failed.error),
            };
            let late = self.late(call);
            let gone = self.vanished(cmdlets, &guid, failed.is_some(), &late).await;
            let again = match (gone, failed) {
                // A server that never showed the object may not know it yet, and neither removes it nor shows it.
                (Ok(true), Some(failed)) if own.is_some() && !self.own_writes.was_shown(cmdlets.kind(), &guid) => failed.error,
                (Ok(true), _) => {
                    self.forget(cmdlets, &guid);
                    if let Some(title) = state.text(cmdlets.resource.title) {
                        self.names.removed(cmdlets.kind(), &claimed(cmdlets, title));
                    }
                    return Ok(());
                }
                (Ok(false), None) => {
                    return Err(Error::new(
                        Kind::Unavailable,
                        format!(
                            "Exchange Online took `{}`, but still shows {} after {}.",
                            cmdlets.cmdlet(cmdlets.removing_verb()),
                            cmdlets.called(state),
                            seconds(self.pace.consistency)
                        ),
                    )
                    .hint("Its servers agree with each other only after a while. Try again later."));
                }
                (Ok(false), Some(failed)) => failed.error,
                (Err(error), None) => return Err(error),
                (Err(error), Some(failed)) => return Err(unchecked(failed.error, &error)),
            };
            let wait = waits.next().unwrap_or_default();
            let goes_on = match again.kind {
                Kind::NotFound => attempt <= AGAIN || begin.elapsed() < self.pace.consistency,
                _ => attempt <= AGAIN && again.retryable,
            };
            if !goes_on || wait >= call.time_left() || pause(call, wait).await.is_err() {
                return Err(match own {
                    Some(own) if again.kind == Kind::NotFound => not_there_yet(cmdlets, state, "deleted", own.ends()),
                    _ => again,
                });
            }
        }
        Err(Error::new(Kind::Unexpected, "Removing did not end."))
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
            // What New does not show may have been set, or not: it is set.
            Some(already) => {
                let mut missing = unlike(cmdlets, wanted, &already);
                missing.retain(|leaf| has_value(leaf) || !already.at(&leaf.name).is_unknown());
                missing
            }
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
        if self.kept_disabled.explains(cmdlets.noun, &changed, wanted) {
            return Err(Failure { error, object: Some(standing) });
        }
        let list = match self.listed(cmdlets, PLAIN, 0, call).await {
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
        if let Some((rotation, leaf)) = cmdlets.rotation.zip(changed.iter().find(|leaf| cmdlets.rotates(&leaf.name)))
            && let Err(failed) = self.rotate(cmdlets, rotation, guid, Some((leaf, wanted)), masks, call).await
        {
            return Err(self.failure(cmdlets, failed.error, guid, wanted, late).await);
        }
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
        (cmdlets.id(&object).as_deref() != Some(guid)).then_some((object, name))
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
