//! Sending: one cmdlet after the other, and what is done about an answer that was lost or a server that does not know the object yet.

use serde_json::{Map, Value as Json, json};
use tokio::time::Instant;

use super::absent;
use super::binding::Cmdlets;
use super::read::Who;
use super::readback::holds;
use super::review::{LOOKS, claimed};
use super::shape::{Leaf, record, set_parameters, shown, unlike};
use super::words::{import, located, not_shown, open, taken, unchecked, unread};
use crate::exchange::Exchange;
use crate::exchange::answer::{Answer, Failed, Object};
use crate::exchange::fault;
use crate::exchange::http::Cmdlet;
use crate::remote::{Call, Error, Failure, Kind, Masks, pause};
use crate::schema::{Record, article};
use crate::value::Diagnostic;

/// How often a write whose answer was lost is sent again, after reading has shown that nothing came of it.
pub(super) const AGAIN: usize = 3;

impl Exchange {
    /// Runs New until it is known what came of it, and gives the GUID, with the object as New showed it.
    pub(super) async fn make(
        &self,
        cmdlets: &'static Cmdlets,
        parameters: &Map<String, Json>,
        wanted: &Record,
        masks: &Masks,
        call: &Call,
    ) -> Result<(String, Option<Object>), Failure> {
        let name = wanted.text(cmdlets.resource.title).unwrap_or_default();
        let (begin, mut waits, mut lost_before) = (Instant::now(), self.pace.backoff.waits(), false);
        for attempt in 1.. {
            let (mut in_doubt, mut lags) = (None, false);
            let outcome = self.write(cmdlets, cmdlets.cmdlet("New"), parameters.clone(), masks, call).await;
            let late = self.late(call);
            let failed = match outcome {
                Ok(answer) => {
                    let made = answer.objects.unwrap_or_default().into_iter().find(|object| cmdlets.is_titled(object, name));
                    if let Some(guid) = made.as_ref().and_then(|object| cmdlets.id(object)) {
                        return Ok((guid, made));
                    }
                    let there = self.appeared(cmdlets, name, &late).await.map_err(|error| open(cmdlets, unread(error), name))?;
                    let made = there.and_then(|object| Some((cmdlets.id(&object)?, Some(object))));
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
                            // This run removed the one that had the name: it is only still shown.
                            Ok(LOOKS)
                                if self.names.was_removed(cmdlets.kind(), &claimed(cmdlets, name))
                                    && begin.elapsed() < self.pace.consistency =>
                            {
                                in_doubt = Some(object);
                            }
                            Ok(LOOKS) | Err(_) => return Err(taken(cmdlets, &object, name, &failed.error).into()),
                            Ok(_) => in_doubt = Some(object),
                        }
                    }
                    Ok(None)
                        if failed.error.kind == Kind::Conflict
                            && self.names.was_removed(cmdlets.kind(), &claimed(cmdlets, name)) =>
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

    /// Sends what changed by as many cmdlets as that takes. Gives the lists that were to be emptied.
    #[expect(clippy::too_many_arguments, reason = "the parts of one change")]
    pub(super) async fn send(
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
    pub(super) async fn switch_and_move(
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
        let outcome = Box::pin(self.http.run(&cmdlet, call)).await;
        let is_kept = match &outcome {
            Ok(answer) => answer.warnings.iter().any(|warning| fault::is_kept_disabled(warning)),
            Err(failed) => fault::is_kept_disabled(&failed.error.message),
        };
        self.kept_disabled.note(cmdlets.noun, is_kept);
        let answer = outcome?;
        for warning in &answer.warnings {
            if fault::is_kept_disabled(warning) {
                let detail = format!("{warning}\n\n{}", fault::CREATED_DISABLED);
                call.report(Diagnostic::warning(format!("`{}` gave a warning", cmdlet.name), detail));
                continue;
            }
            // A Set that finds nothing to do says so, which is no news.
            if !warning.to_lowercase().contains("completed successfully but no settings") {
                call.report(Diagnostic::warning(format!("`{}` gave a warning", cmdlet.name), warning.clone()));
            }
        }
        Ok(answer)
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

/// Settles a New whose answer was lost by what stands under the name.
fn adopted(cmdlets: &Cmdlets, object: Object, wanted: &Record, error: &Error) -> Result<(String, Option<Object>), Failure> {
    let mut record = record(cmdlets, &object)?;
    absent::keep(cmdlets, &mut record, Some(wanted));
    let later = |leaf: &Leaf| cmdlets.set_only.contains(&leaf.name.as_str()) || cmdlets.places(&leaf.name);
    let other: Vec<_> = unlike(cmdlets, wanted, &record)
        .into_iter()
        .filter(|leaf| !later(leaf) && !cmdlets.references.iter().any(|reference| reference.attribute == leaf.name))
        .collect();
    let guid = cmdlets.id(&object).unwrap_or_default();
    if other.is_empty() && error.retryable {
        tracing::debug!(noun = cmdlets.noun, guid, "took over what a lost call had made");
        return Ok((guid, Some(object)));
    }
    if other.is_empty() {
        // The service says that it failed, and yet it is there.
        return Err(Failure { error: error.clone(), object: Some(record) });
    }
    let name = object.text(cmdlets.titled).unwrap_or_default();
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
