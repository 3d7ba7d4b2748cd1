//! Objects that are always there: they are taken over as they stand, and put back to that when they are let go.
//!
//! What stood there is kept beside the state, as it would be sent: `{"ip_allow_list": ["203.0.113.10"], "enable_safe_list": false}`.

use serde_json::{Map, Value as Json};

use super::binding::{Cmdlets, Life};
use super::read::Who;
use super::readback::holds;
use super::shape::{Leaf, leaves, unlike};
use super::standing::Standing;
use super::values::{from_json, is_nothing, to_json};
use super::words::{absent, difference, not_there_yet, twice};
use crate::exchange::Exchange;
use crate::exchange::answer::Object;
use crate::remote::{Call, Error, Failure, Kind, Masks};
use crate::schema::{Clearing, Presence, Record, capital};
use crate::value::{Diagnostic, Path};

/// Under which name the private data holds what stood there before.
const ORIGINAL: &str = "original";

impl Exchange {
    /// Takes over what is there, and brings it to what is wanted.
    pub(super) async fn adopt(
        &self,
        cmdlets: &'static Cmdlets,
        wanted: &Record,
        masks: &Masks,
        call: &Call,
    ) -> Result<Record, Failure> {
        let Some((object, list)) = self.seek_twice(cmdlets, to_adopt(cmdlets, wanted), call).await?.found else {
            return Err(absent(cmdlets, wanted).into());
        };
        let id = cmdlets.id(&object).unwrap_or_default();
        if self.known_ids(cmdlets).contains(&id.to_ascii_lowercase()) {
            return Err(twice(cmdlets, wanted).into());
        }
        let current = self.shown(cmdlets, &object, &list, Some(wanted), call).await?;
        let changed = unlike(cmdlets, wanted, &current);
        if let Some(fixed) = changed.iter().find(|leaf| leaf.attribute.replaces) {
            return Err(Error::new(
                Kind::Conflict,
                format!(
                    "{} is always there, and its {}, which cannot be changed.",
                    capital(&cmdlets.called(wanted)),
                    difference(fixed, &current, wanted)
                ),
            )
            .at(fixed.path())
            .into());
        }
        super::unmanaged::refuse(cmdlets, &current, wanted)?;
        call.set_private(ORIGINAL, original(cmdlets, &current, &changed, None));
        self.remember(cmdlets, &id);
        let late = self.late(call);
        let outcome = Box::pin(self.apply(cmdlets, &id, wanted, &changed, None, masks, call, &late)).await;
        let outcome = match outcome {
            // It was taken over otherwise than was wished for: one more write may mend that.
            Err(Failure { error, object: Some(object) })
                if error.kind == Kind::Unexpected && !unlike(cmdlets, &current, &object).is_empty() =>
            {
                Box::pin(self.mend(cmdlets, &id, wanted, object, error, masks, &late)).await
            }
            outcome => outcome,
        };
        if !changed.is_empty() {
            self.note_own_write(cmdlets, &id, Some(&current), call, &late).await;
        }
        late.take_reports().into_iter().for_each(|report| call.report(report));
        outcome.map_err(|failure| {
            // What was refused and still stands as it did was not taken over; what does not has to be put back some day. What the service
            // took without a word, and shows as it was, is managed all the same: the next plan shows the difference.
            let untouched = failure.object.as_ref().is_some_and(|object| unlike(cmdlets, &current, object).is_empty());
            if untouched && failure.error.kind != Kind::Unexpected {
                self.forget(cmdlets, &id);
                return Failure { object: None, ..failure };
            }
            let mut standing = current.clone();
            super::absent::keep(cmdlets, &mut standing, Some(wanted));
            Failure { object: failure.object.or(Some(standing)), ..failure }
        })
    }

    /// Puts an object back to what stood there before it was taken over.
    pub(super) async fn put_back(
        &self,
        cmdlets: &'static Cmdlets,
        id: &str,
        state: &Record,
        masks: &Masks,
        call: &Call,
    ) -> Result<(), Error> {
        let called = capital(&cmdlets.called(state));
        let Some(kept) = call.private(ORIGINAL) else {
            call.report(Diagnostic::warning(
                format!("{called} is left as it is"),
                "It was imported, so it is not known what stood there before, and nothing was put back. It is only no longer managed.",
            ));
            self.forget(cmdlets, id);
            return Ok(());
        };
        let mut wanted = restored(cmdlets, &kept)?;
        let current = match self.standing(cmdlets, id, state, call).await? {
            Standing::Shown(current, _, _) => current,
            // What is shown is older than the state.
            Standing::Behind(_, Some(_)) => state.clone(),
            Standing::Behind(own, None) => return Err(not_there_yet(cmdlets, state, "put back", own.ends())),
            Standing::Gone => {
                self.forget(cmdlets, id);
                return if matches!(cmdlets.life, Life::Single { .. }) { Err(absent(cmdlets, state)) } else { Ok(()) };
            }
        };
        let mut changed = unlike(cmdlets, &wanted, &current);
        changed.retain(|leaf| {
            let stays =
                matches!(leaf.attribute.clearing, Clearing::Replace | Clearing::Refused) && is_nothing(wanted.at(&leaf.name));
            if stays {
                call.report(Diagnostic::warning(
                    format!("`{}` of {} stays as it is", leaf.name, cmdlets.called(state)),
                    "It was not set before, and Exchange Online has no way to remove it. Everything else is put back.",
                ));
                wanted.set(leaf.name.clone(), current.at(&leaf.name).clone());
            }
            !stays
        });
        if !changed.is_empty() {
            let late = self.late(call);
            let outcome = Box::pin(self.apply(cmdlets, id, &wanted, &changed, None, masks, call, &late)).await;
            late.take_reports().into_iter().for_each(|report| call.report(report));
            outcome.map_err(|failure| failure.error)?;
            // Whoever takes it over next has to see what was put back, and keeps it.
            let is_back = |object: Option<&Object>| object.is_some_and(|object| holds(cmdlets, &wanted, &changed, object));
            if !self.agreed(cmdlets, cmdlets.who(id), false, &late, &is_back).await? {
                call.report(Diagnostic::warning(
                    format!("{called} was put back, and not all servers show it yet"),
                    "The servers of Exchange Online agree with each other only after a while. Wait before it is managed again.",
                ));
            }
        }
        self.forget(cmdlets, id);
        Ok(())
    }
}

/// How the object that a new record takes over is looked for.
pub(super) fn to_adopt<'a>(cmdlets: &Cmdlets, wanted: &'a Record) -> Who<'a> {
    match cmdlets.life {
        Life::Single { .. } => Who::Only,
        _ => Who::Name(wanted.text(cmdlets.resource.title).unwrap_or_default()),
    }
}

/// What stands there of the attributes that are about to be written, as it would be sent, beside what was kept before: what nobody
/// writes is not ours to put back.
fn original(cmdlets: &Cmdlets, current: &Record, written: &[Leaf], kept: Option<Json>) -> Json {
    let mut members = match kept {
        Some(Json::Object(members)) => members,
        _ => Map::new(),
    };
    for leaf in written {
        // What was not shown is not known, and cannot be put back.
        if !members.contains_key(&leaf.name) && !current.at(&leaf.name).is_unknown() {
            let json = to_json(cmdlets.form(&leaf.name), current.at(&leaf.name)).unwrap_or(Json::Null);
            members.insert(leaf.name.clone(), json);
        }
    }
    Json::Object(members)
}

/// Keeps what stood there of the attributes that an update of an adopted object is about to write for the first time. Of an imported
/// one nothing is kept: what was there before is not known.
pub(super) fn keep(cmdlets: &Cmdlets, current: &Record, written: &[Leaf], call: &Call) {
    if let Some(kept) = call.private(ORIGINAL).filter(Json::is_object) {
        call.set_private(ORIGINAL, original(cmdlets, current, written, Some(kept)));
    }
}

/// What the plan of a destroy says of an object of which nothing can be put back.
pub(super) fn stays(cmdlets: &Cmdlets, state: &Record, call: &Call) -> Option<Diagnostic> {
    (cmdlets.adopts(state) && call.private(ORIGINAL).is_none()).then(|| {
        Diagnostic::warning(
            format!("{} will be left as it is", capital(&cmdlets.called(state))),
            "It is always there and cannot be removed. It was imported, so it is not known what stood there before, and nothing will be put back: it is \
             only no longer managed.",
        )
    })
}

/// The record that [`original`] was made from. What was not written, and what a later version of the table has beside it, is not known in
/// it, and not touched.
fn restored(cmdlets: &Cmdlets, kept: &Json) -> Result<Record, Error> {
    let damaged = || {
        Error::new(
            Kind::Unexpected,
            format!("What is kept of the {} before it was taken over is damaged.", cmdlets.resource.noun),
        )
        .hint("Put it back by hand, and remove it from the state with `terraform state rm`.")
    };
    let kept = kept.as_object().ok_or_else(damaged)?;
    let mut record = Record::new();
    for leaf in leaves(cmdlets.resource).into_iter().filter(|leaf| leaf.attribute.presence != Presence::Computed) {
        let Some(json) = kept.get(&leaf.name) else {
            record.set(leaf.name.clone(), crate::value::Value::UNKNOWN);
            continue;
        };
        record.set(leaf.name.clone(), from_json(leaf.attribute, cmdlets.form(&leaf.name), json).map_err(|_| damaged())?);
    }
    Ok(record)
}

/// What taking over an object changes of it, for the user to see before.
pub(super) fn takes_over(cmdlets: &Cmdlets, object: &Object, planned: &Record) -> Option<Diagnostic> {
    let mut current = super::shape::record(cmdlets, object).ok()?;
    super::absent::keep(cmdlets, &mut current, None);
    let changed: Vec<_> = unlike(cmdlets, planned, &current).iter().map(|leaf| difference(leaf, &current, planned)).collect();
    if changed.is_empty() {
        return None;
    }
    let warning = Diagnostic::warning(
        format!("{} is taken over", capital(&cmdlets.called(planned))),
        format!(
            "It is there already, and what is not configured stays as it stands. Creating this resource changes: {}. Destroying it puts back \
             what it changed.",
            changed.join(", ")
        ),
    );
    Some(match cmdlets.resource.title {
        "id" => warning,
        title => warning.at(Path::dotted(title)),
    })
}
