//! Reading back: how long an object is looked at until it shows what was sent, or is gone.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::absent;
use super::binding::Cmdlets;
use super::read::Who;
use super::send::identity;
use super::shape::{Leaf, record, removing, unlike};
use super::values::is_nothing;
use super::words::{ignored, not_shown, unread};
use crate::exchange::Exchange;
use crate::exchange::answer::Object;
use crate::remote::{Call, Error, Failure, Masks, pause};
use crate::schema::Record;
use crate::value::Value;

/// So long after its time limit an operation may still look for what became of a write.
const GRACE: Duration = Duration::from_secs(25);

/// How long an object is looked at until it shows what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// It is new: what it shows at first is no older value.
    New,
    /// It was changed, and a server may show what it was for a while.
    Changed,
    /// A second write was to mend a new object, and may be ignored as the first was.
    Mended,
}

impl Exchange {
    /// Looks for a name until it is there or the consistency limit is reached.
    pub(super) async fn appeared(&self, cmdlets: &'static Cmdlets, name: &str, call: &Call) -> Result<Option<Object>, Error> {
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

    /// Reads an object back until it shows what was sent. A list that null did not empty is emptied by name on the way.
    #[expect(clippy::too_many_arguments, reason = "the parts of one look")]
    pub(super) async fn settle(
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
        let (begin, limit) = (Instant::now(), Instant::now() + most);
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
                let mut record = match self.shown(cmdlets, &object, &list, Some(wanted), call).await {
                    Ok(record) => record,
                    Err(error) => return Err(Failure { error: unread(error), object: Some(unseen(wanted, guid)) }),
                };
                absent::keep(cmdlets, &mut record, Some(wanted));
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
                // What the service says that it keeps disabled is not waited for.
                let is_kept = self.kept_disabled.explains(cmdlets.noun, &other, wanted);
                let is_so = patience == Patience::New
                    && other.iter().all(|leaf| !cmdlets.set_only.contains(&leaf.name.as_str()))
                    && last.as_ref().is_some_and(|(before, _)| unlike(cmdlets, before, &record).is_empty());
                last = Some((record, other));
                if is_so || is_kept {
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
            Some((record, other)) => {
                Failure { error: ignored(&other, wanted, &record, begin.elapsed().min(most)), object: Some(record) }
            }
        })
    }

    /// Makes the failure of a write with what stands at the service now.
    pub(super) async fn failure(
        &self,
        cmdlets: &'static Cmdlets,
        error: Error,
        guid: &str,
        wanted: &Record,
        call: &Call,
    ) -> Failure {
        let object = match self.seek(cmdlets, cmdlets.who(guid), 0, call).await {
            Ok(sought) => match sought.found {
                Some((object, list)) => self.shown(cmdlets, &object, &list, Some(wanted), call).await.ok().map(|mut record| {
                    absent::keep(cmdlets, &mut record, Some(wanted));
                    record
                }),
                None => None,
            },
            Err(_) => None,
        };
        Failure { error, object }
    }

    /// A call for what has to be done after a write, whatever becomes of the run: a stop does not end it, and it has some time
    /// even if the operation's is used up. What follows each other in one operation has that time together.
    pub(super) fn late(&self, call: &Call) -> Call {
        let with_grace = (call.deadline + GRACE).saturating_duration_since(Instant::now());
        Call::new(CancellationToken::new(), with_grace.min(call.time_left().max(self.pace.consistency * 2)))
    }

    pub(super) fn polls(&self) -> impl Iterator<Item = Duration> + Send + use<> {
        let most = self.pace.poll * 16;
        std::iter::successors(Some(self.pace.poll), move |wait| Some((*wait * 2).min(most)))
    }
}

/// Tells whether an object shows what is wanted of these attributes.
pub(super) fn holds(cmdlets: &Cmdlets, wanted: &Record, leaves: &[Leaf], object: &Object) -> bool {
    record(cmdlets, object).is_ok_and(|mut record| {
        absent::keep(cmdlets, &mut record, Some(wanted));
        unlike(cmdlets, wanted, &record).iter().all(|other| !leaves.iter().any(|leaf| leaf.name == other.name))
    })
}

/// The record of an object that was made and cannot be seen.
pub(super) fn unseen(wanted: &Record, guid: &str) -> Record {
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
