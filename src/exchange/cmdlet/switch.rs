//! Switches: objects of Terraform's that stand for something turned on at an object of another resource, and objects that are turned off where they
//! cannot be removed.

use serde_json::json;
use tokio::time::Instant;

use super::absent;
use super::binding::{Cmdlets, Switch, is_on};
use super::readback::{Patience, unseen};
use super::review::{LOOKS, claimed};
use super::send::identity;
use super::shape::{record, unlike};
use super::words::{difference, taken};
use crate::exchange::Exchange;
use crate::exchange::answer::{Failed, Object};
use crate::remote::{Aliased, Call, Error, Failure, Kind, Masks, pause};
use crate::schema::{Record, capital};
use crate::value::{Diagnostic, Path};

impl Exchange {
    /// Turns a switch on, once the records are published that the service asks for, and reads the object back.
    pub(super) async fn switch_on(
        &self,
        cmdlets: &'static Cmdlets,
        switch: Switch,
        wanted: &Record,
        masks: &Masks,
        call: &Call,
    ) -> Result<Record, Failure> {
        let title = wanted.text(cmdlets.resource.title).unwrap_or_default();
        let object = self.to_be_switched(cmdlets, title, call).await?;
        let id = cmdlets.id(&object).unwrap_or_default();
        let was_ours = self.names.was_removed(cmdlets.kind(), &claimed(cmdlets, title));
        if cmdlets.shows(&object) && !was_ours && self.look_anew(cmdlets, super::read::Who::Name(title), call).await? == LOOKS {
            let error = Error::new(Kind::Conflict, format!("`{}` of {title:?} is on already.", switch.parameter));
            return Err(taken(cmdlets, &object, title, &error).into());
        }
        let aliases = (switch.aliases)(&object);
        self.await_aliases(cmdlets, &aliases, title, wanted.texts(switch.resolvers), call).await?;

        let mut parameters = identity(cmdlets, &id, false);
        parameters.insert(switch.parameter.to_owned(), json!(true));
        let turn = self.turn(cmdlets.noun);
        let before = record(cmdlets, &object).ok();
        loop {
            let sent = {
                let _turn = crate::remote::interruptible(call, turn.lock()).await?;
                self.change(cmdlets, &id, "Set", parameters.clone(), masks, call, &|object| cmdlets.shows(object)).await
            };
            let Err(Failed { error, .. }) = sent else { break };
            let lower = error.message.to_lowercase();
            // The service looks the records up by itself, and later than we do.
            if !switch.unseen.iter().any(|words| lower.contains(words)) {
                return Err(error.into());
            }
            if call.time_left() <= self.pace.records || pause(call, self.pace.records).await.is_err() {
                let hint = "The service looks for the records by itself. Where they are published, apply again later, or raise `timeouts.create`.";
                return Err(error.hint(hint).into());
            }
            tracing::debug!(noun = cmdlets.noun, %error, "the service has not seen the records yet");
        }
        self.remember(cmdlets, &id);
        let late = self.late(call);
        let outcome = self.settle(cmdlets, &id, wanted, Vec::new(), masks, Patience::Changed, &late).await;
        self.note_own_write(cmdlets, &id, before.as_ref(), call, &late).await;
        late.take_reports().into_iter().for_each(|report| call.report(report));
        outcome.map_err(|Failure { error, object }| Failure { error, object: object.or_else(|| Some(unseen(wanted, &id))) })
    }

    /// The object that has the switch. One that was made a moment ago may not be shown by every server yet.
    async fn to_be_switched(&self, cmdlets: &'static Cmdlets, title: &str, call: &Call) -> Result<Object, Error> {
        let (limit, mut after) = (Instant::now() + self.pace.consistency, 0);
        for wait in self.polls() {
            let list = self.listed(cmdlets, super::PLAIN, after, call).await?;
            if let Some(object) = list.objects.iter().find(|object| cmdlets.is_titled(object, title)) {
                return Ok(object.clone());
            }
            if Instant::now() + wait >= limit {
                break;
            }
            after = list.began;
            pause(call, wait).await?;
        }
        Err(Error::new(Kind::NotFound, format!("`{}` shows nothing for {title:?} that could be switched on.", cmdlets.cmdlet("Get")))
            .hint("Make `mailflow_exchange_dkim_signing_config` for the domain first, and refer to it: `domain = mailflow_exchange_dkim_signing_config.NAME.domain`.")
            .at(Path::dotted(cmdlets.resource.title)))
    }

    /// Waits until every DNS server that answers has the records. Where none can be asked, the service's own look decides.
    async fn await_aliases(
        &self,
        cmdlets: &Cmdlets,
        aliases: &[(String, String)],
        domain: &str,
        resolvers: Vec<&str>,
        call: &Call,
    ) -> Result<(), Error> {
        let Some(dns) = self.dns.clone() else { return Ok(()) };
        loop {
            let mut missing = Vec::new();
            for (name, target) in aliases {
                match dns.aliases(name, domain, &resolvers, call).await {
                    Ok(answers) => missing.extend(answers.iter().filter_map(|answer| lacking(name, target, answer))),
                    Err(error) if matches!(error.kind, Kind::Stopped | Kind::Invalid) => return Err(error),
                    Err(error) => {
                        call.report(Diagnostic::warning(
                            format!("The records of {domain} could not be looked up"),
                            format!(
                                "{error}\n\nExchange Online looks them up by itself, and signing is enabled if it finds them."
                            ),
                        ));
                        return Ok(());
                    }
                }
            }
            if missing.is_empty() {
                return Ok(());
            }
            if call.time_left() <= self.pace.records * 2 || pause(call, self.pace.records).await.is_err() {
                let wanted: Vec<String> = aliases.iter().map(|(name, target)| format!("{name} CNAME {target}")).collect();
                return Err(Error::new(
                    Kind::Unavailable,
                    format!(
                        "{} was not switched on, as its records are not published: {}.",
                        capital(&cmdlets.called(&Record::new().with(cmdlets.resource.title, domain))),
                        missing.join("; ")
                    ),
                )
                .hint(format!("Publish these at the servers of the domain, and apply again: {}.", wanted.join(", ")))
                .at(Path::dotted(cmdlets.resource.title)));
            }
        }
    }

    /// Tells whether what stands under the title of a new object is to be taken over.
    pub(super) async fn is_to_be_taken_over(&self, cmdlets: &'static Cmdlets, wanted: &Record, call: &Call) -> bool {
        let (Some(takes_over), Some(title)) = (cmdlets.takes_over, wanted.text(cmdlets.resource.title)) else { return false };
        let late = self.late(call);
        let sought = self.seek(cmdlets, super::read::Who::Name(title), 0, &late).await;
        sought.is_ok_and(|sought| sought.found.is_some_and(|(object, _)| takes_over(&object)))
    }

    /// Turns an object off that cannot be removed, and says that it stays.
    pub(super) async fn switch_off_instead(
        &self,
        cmdlets: &'static Cmdlets,
        switch: &str,
        id: &str,
        state: &Record,
        masks: &Masks,
        call: &Call,
    ) -> Result<(), Error> {
        let turn = self.turn(cmdlets.noun);
        let _turn = crate::remote::interruptible(call, turn.lock()).await?;
        let is_off = |object: &Object| !is_on(object, switch);
        let standing = self.seek(cmdlets, cmdlets.who(id), 0, call).await?.found;
        if standing.is_none_or(|(object, _)| !is_off(&object)) {
            let mut parameters = identity(cmdlets, id, false);
            parameters.insert(switch.to_owned(), json!(false));
            match self.change(cmdlets, id, "Set", parameters, masks, call, &is_off).await {
                Err(failed) if failed.error.kind != Kind::NotFound => return Err(failed.error),
                _ => {}
            }
            let late = self.late(call);
            let is_wanted = |object: Option<&Object>| object.is_none_or(is_off);
            self.agreed(cmdlets, cmdlets.who(id), false, &late, &is_wanted).await?;
        }
        call.report(only_off(cmdlets, state));
        self.forget(cmdlets, id);
        Ok(())
    }
}

/// What a server lacks of an alias.
fn lacking(name: &str, target: &str, answer: &Aliased) -> Option<String> {
    let plain = |text: &str| text.trim_end_matches('.').to_ascii_lowercase();
    match &answer.target {
        Some(found) if plain(found) == plain(target) => None,
        Some(found) => Some(format!("{} has {name} CNAME {found}", answer.server)),
        None => Some(format!("{} has no CNAME record {name}", answer.server)),
    }
}

/// What is said of an object that stays at the service.
pub(super) fn only_off(cmdlets: &Cmdlets, state: &Record) -> Diagnostic {
    Diagnostic::warning(
        format!("{} is only disabled, and stays", capital(&cmdlets.called(state))),
        format!(
            "Exchange Online does not offer `{}` to this login. A later create takes the disabled object over.",
            cmdlets.cmdlet("Remove")
        ),
    )
}

/// What is said of an object that a create will take over.
pub(super) fn taken_over(cmdlets: &Cmdlets, object: &Object, planned: &Record) -> Diagnostic {
    let mut current = record(cmdlets, object).unwrap_or_default();
    absent::keep(cmdlets, &mut current, None);
    let changed: Vec<_> = unlike(cmdlets, planned, &current).iter().map(|leaf| difference(leaf, &current, planned)).collect();
    let what = if changed.is_empty() { "nothing".to_owned() } else { changed.join(", ") };
    Diagnostic::warning(
        format!("{} is taken over", capital(&cmdlets.called(planned))),
        format!("It is there already, and disabled. Creating this resource changes: {what}. Destroying it removes it, as if it had been made."),
    )
    .at(Path::dotted(cmdlets.resource.title))
}
