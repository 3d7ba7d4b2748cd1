//! What can be said of a change at plan: two resources for one object, a name that is taken, what an adoption changes, what other
//! objects make of it, and a right that is missing.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::adopt::{takes_over, to_adopt};
use super::binding::{Cmdlets, Life, PLAIN, Tells};
use super::needs::{to_create, to_update};
use super::read::{Who, is_guid};
use super::shape::record;
use crate::exchange::forms::domain_meaning;
use crate::exchange::{Exchange, resources};
use crate::remote::names::{self, Owner};
use crate::remote::{Call, Change, Error, Kind, Masks, Standing, pause};
use crate::schema::Record;

/// How long a plan waits for what is only good for a warning.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// How many looks have to agree before a name is said to be taken.
pub(super) const LOOKS: usize = 3;

/// How many names an error lists.
const MOST_NAMES: usize = 12;

/// What this run plans, by noun and object: to create under a title, to change, to delete.
#[derive(Debug, Default)]
pub(in crate::exchange) struct Claims(Mutex<BTreeMap<(&'static str, Key), Option<Record>>>);

/// A title of an object that is to be made, or the GUID of one that is there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Title(String),
    Guid(String),
}

impl Claims {
    /// Notes down what is planned.
    fn note(&self, noun: &'static str, key: Key, planned: Option<&Record>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((noun, key), planned.cloned());
    }

    /// Brings objects as the service shows them to what is planned for them.
    fn lay_over(&self, cmdlets: &Cmdlets, standing: Vec<Record>) -> Vec<Record> {
        let planned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let guid = |record: &Record| Some((cmdlets.kind(), Key::Guid(record.text("id")?.to_ascii_lowercase())));
        let title = |record: &Record| Some((cmdlets.kind(), Key::Title(title_of(cmdlets, record)?)));
        let is_planned = |record: &Record| {
            guid(record).is_some_and(|key| planned.contains_key(&key))
                || title(record).is_some_and(|key| planned.contains_key(&key))
        };
        let mut all: Vec<Record> = standing.into_iter().filter(|record| !is_planned(record)).collect();
        all.extend(planned.iter().filter(|((noun, _), _)| *noun == cmdlets.kind()).filter_map(|(_, record)| record.clone()));
        all
    }
}

impl Exchange {
    /// Hears that the state has an object, and what is planned for it.
    pub(in crate::exchange) fn know(&self, cmdlets: &Cmdlets, id: &str, state: &Record, planned: Option<&Record>) {
        let id = id.to_ascii_lowercase();
        match planned.and_then(|planned| Some((title_of(cmdlets, planned)?, planned))) {
            Some((title, planned)) => {
                let is_renamed = title_of(cmdlets, state).is_none_or(|before| before != title);
                self.names.keeps(cmdlets.kind(), &id, &title, is_renamed, planned);
            }
            None => self.names.knows(cmdlets.kind(), &id),
        }
    }

    /// Judges a planned change as far as that can be done without a false alarm; the rest are warnings.
    pub(in crate::exchange) async fn review(
        &self,
        cmdlets: &'static Cmdlets,
        change: Change<'_>,
        call: &Call,
    ) -> Result<(), Error> {
        let planned = change.planned;
        if self.read_only && !call.applying {
            call.report(names::read_only(cmdlets.resource, planned));
        }
        if matches!(cmdlets.life, Life::Order) {
            self.look_for_references(change, call).await;
            self.hold_place(cmdlets, change, true, call).await;
            return self.may(cmdlets, &to_create(cmdlets, planned), call).await;
        }
        let title = title_of(cmdlets, planned);
        if let Some(id) = change.prior.and_then(|prior| prior.text("id")) {
            self.claims.note(cmdlets.kind(), Key::Guid(id.to_ascii_lowercase()), Some(planned));
        } else if let Some(title) = &title {
            self.claims.note(cmdlets.kind(), Key::Title(title.clone()), Some(planned));
            if let Some(first) = self.names.claims(cmdlets.kind(), title, planned) {
                call.report(names::twice(cmdlets.resource, planned, Some(&first)));
                return Ok(());
            }
        }
        if let Some(tells) = cmdlets.tells {
            let id = change.prior.and_then(|prior| prior.text("id")).or(title.as_deref()).unwrap_or_default();
            let against = self.board.plans(cmdlets.resource.name, id, cmdlets.called(planned), &(tells.facts)(change.effective));
            if !against.is_empty() {
                call.report((tells.warning)(&against.join(", ")));
            }
            self.hold_against_demands(&tells, change, call).await;
        }
        self.hold_against_mx(cmdlets, change, call);
        // After the first write of a run the rest is told by the writes themselves.
        if self.lists.written(cmdlets.noun) {
            return Ok(());
        }
        if title.is_none() {
            return Ok(());
        }
        // A plan that only creates must not hang on a service that does not answer.
        let short = Call::new(call.stop.clone(), call.time_left().min(PATIENCE)).while_applying(call.applying);
        let looked = self.look(cmdlets, change, &short).await;
        short.take_reports().into_iter().for_each(|report| call.report(report));
        let verbs = match looked {
            Err(error) if matches!(error.kind, Kind::Unavailable | Kind::Throttled) => {
                tracing::debug!(noun = cmdlets.noun, %error, "the plan is not held against what stands there");
                return Ok(());
            }
            Err(error) => return Err(error),
            Ok(verbs) => verbs,
        };
        let effective = change.effective;
        let verbs = match (verbs, change.prior) {
            (Some(verbs), _) => verbs,
            (None, Some(prior)) => to_update(cmdlets, prior, effective),
            (None, None) => to_create(cmdlets, effective),
        };
        self.may(cmdlets, &verbs, call).await
    }

    /// Judges a planned delete.
    pub(in crate::exchange) async fn review_delete(
        &self,
        cmdlets: &'static Cmdlets,
        state: &Record,
        call: &Call,
    ) -> Result<(), Error> {
        if matches!(cmdlets.life, Life::Order) {
            return Ok(());
        }
        if let Some(id) = state.text("id") {
            self.claims.note(cmdlets.kind(), Key::Guid(id.to_ascii_lowercase()), None);
        }
        if self.read_only && !call.applying {
            call.report(names::read_only(cmdlets.resource, state));
        }
        if let Some(warning) = super::adopt::stays(cmdlets, state, call) {
            call.report(warning);
        }
        if cmdlets.off_instead.is_some() && !self.offers(cmdlets, "Remove", call).await {
            call.report(super::switch::only_off(cmdlets, state));
            return self.may(cmdlets, &["Set"], call).await;
        }
        // What is put back may stand there as it did; that is seen when it is done.
        let verbs: &[&str] = if cmdlets.adopts(state) { &[] } else { &[cmdlets.removing_verb()] };
        self.may(cmdlets, verbs, call).await
    }

    /// Looks at what stands there. Gives the cmdlets that taking it over needs, if that is what is planned.
    async fn look(&self, cmdlets: &'static Cmdlets, change: Change<'_>, call: &Call) -> Result<Option<Vec<&'static str>>, Error> {
        let (planned, creates) = (change.planned, change.prior.is_none());
        if creates && cmdlets.adopts(planned) {
            let sought = self.seek(cmdlets, to_adopt(cmdlets, planned), 0, call).await?;
            let warning = sought.found.and_then(|(object, _)| takes_over(cmdlets, &object, planned));
            let verbs = if warning.is_some() { vec!["Set"] } else { Vec::new() };
            if let Some(warning) = warning {
                call.report(warning);
            }
            self.look_across(cmdlets, change, call).await;
            return Ok(Some(verbs));
        }
        let own = change.prior.and_then(|prior| prior.text("id"));
        // While a plan is applied, others are removed and renamed at the same time: the write itself tells.
        if !call.applying && (creates || renamed(cmdlets, change)) {
            self.look_for_name(cmdlets, planned, own, call).await?;
        }
        self.look_for_references(change, call).await;
        if !call.applying {
            self.hold_recipients(cmdlets, change, call).await;
        }
        self.hold_place(cmdlets, change, true, call).await;
        if let Some(beside) = cmdlets.beside {
            let list = self.listed(cmdlets, PLAIN, 0, call).await?;
            for found in beside(planned, change.prior, &list.objects) {
                call.report(found);
            }
        }
        self.look_across(cmdlets, change, call).await;
        Ok(None)
    }

    /// Judges the planned object by those of other resources. What cannot be read is not judged by: it is only good for a warning.
    async fn look_across(&self, cmdlets: &'static Cmdlets, change: Change<'_>, call: &Call) {
        let planned = change.planned;
        for across in cmdlets.across.iter().filter(|across| (across.concerns)(planned)) {
            let Some(other) = resources::named(across.to) else { continue };
            match self.listed(other, PLAIN, 0, call).await {
                Ok(list) => {
                    let standing = list.objects.iter().filter_map(|object| record(other, object).ok()).collect();
                    let others = self.claims.lay_over(other, standing);
                    let before = change.prior.map(|prior| (across.judge)(prior, &others)).unwrap_or_default();
                    call.report_new((across.judge)(planned, &others), &before);
                }
                Err(error) => tracing::debug!(noun = other.noun, %error, "the plan is not held against these objects"),
            }
        }
    }

    /// Says why mail for a domain is refused at a host, if the host is the mail exchanger of a domain of this organization.
    pub(in crate::exchange) async fn refuses_domain(&self, domain: &str, host: &str, call: &Call) -> Option<String> {
        let label = resources::tenant_label(host)?;
        let cmdlets = resources::named("exchange_accepted_domain")?;
        let short = Call::new(call.stop.clone(), call.time_left().min(PATIENCE));
        let list = match self.listed(cmdlets, PLAIN, 0, &short).await {
            Ok(list) => list,
            Err(error) => {
                tracing::debug!(%error, "the domains of the organization could not be learnt");
                return None;
            }
        };
        let domain = domain_meaning(domain);
        let (mut is_ours, mut is_taken) = (false, false);
        for accepted in list.objects.iter().filter_map(|object| record(cmdlets, object).ok()) {
            let Some(name) = accepted.text("domain").map(domain_meaning) else { continue };
            is_ours |= label == name.replace('.', "-");
            is_taken |=
                domain == name || accepted.truth("match_sub_domains") == Some(true) && domain.ends_with(&format!(".{name}"));
        }
        (is_ours && !is_taken).then(|| {
            format!("{domain} is not an accepted domain of the organization in Exchange Online, which would refuse its mail at {host}.")
        })
    }

    /// What the objects of this service do that others have to agree with.
    pub(in crate::exchange) async fn facts_that_stand(&self, call: &Call) -> Result<Vec<Standing>, Error> {
        let short = Call::new(call.stop.clone(), call.time_left().min(PATIENCE));
        let mut all = Vec::new();
        for cmdlets in resources::CMDLETS.iter().copied() {
            let Some(tells) = cmdlets.tells else { continue };
            let list = self.listed(cmdlets, PLAIN, 0, &short).await?;
            // What cannot be read does nothing that is known.
            let records = list.objects.iter().filter_map(|object| record(cmdlets, object).ok());
            all.extend(records.map(|record| Standing { called: cmdlets.called(&record), facts: (tells.facts)(&record) }));
        }
        Ok(all)
    }

    /// Judges what a change of an object does to what others ask for.
    async fn hold_against_demands(&self, tells: &Tells, change: Change<'_>, call: &Call) {
        let stamped = (tells.facts)(change.effective);
        if change.prior.is_none() || call.applying || stamped.is_empty() {
            return;
        }
        match self.board.unaccepted(&stamped, call).await {
            Ok(headers) => headers.iter().for_each(|header| call.report((tells.refused)(header))),
            Err(error) => call.report((tells.unjudged)(&error)),
        }
    }

    /// Judges a name that another object has. It is an error only where three looks, each over a connection of its own, show it, and no object of
    /// this run was seen to have it.
    async fn look_for_name(
        &self,
        cmdlets: &'static Cmdlets,
        planned: &Record,
        own: Option<&str>,
        call: &Call,
    ) -> Result<(), Error> {
        let (resource, noun) = (cmdlets.resource, cmdlets.kind());
        let name = planned.text(resource.title).unwrap_or_default();
        let Some((object, _)) = self.seek(cmdlets, Who::Name(name), 0, call).await?.found else { return Ok(()) };
        let guid = cmdlets.id(&object).unwrap_or_default();
        if own.is_some_and(|own| own.eq_ignore_ascii_case(&guid)) {
            return Ok(());
        }
        let import = Some(guid.as_str());
        if own.is_none() && cmdlets.takes_over.is_some_and(|takes_over| takes_over(&object)) {
            call.report(super::switch::taken_over(cmdlets, &object, planned));
            return Ok(());
        }
        if own.is_some() {
            call.report(names::in_use(resource, name, import.filter(|_| !self.known_ids(cmdlets).contains(&guid))));
            return Ok(());
        }
        let title = claimed(cmdlets, name);
        let owner = || self.names.owner(noun, &title, &guid, resource, planned);
        if owner() == Owner::Stranger {
            self.names.settle(call).await;
        }
        match owner() {
            Owner::Itself => {}
            Owner::Run => call.report(names::in_use(resource, name, None)),
            Owner::Stranger => {
                let is_shown = match self.look_anew(cmdlets, Who::Name(name), call).await {
                    Ok(shown) => shown == LOOKS,
                    Err(error) => {
                        tracing::debug!(noun, %error, "it is not sure whether the name is taken");
                        false
                    }
                };
                call.report(match (owner(), is_shown) {
                    (Owner::Stranger, true) => names::taken(resource, object.text(cmdlets.titled).unwrap_or(name), &guid),
                    (Owner::Stranger, false) => names::in_doubt(resource, name),
                    _ => names::in_use(resource, name, None),
                });
            }
        }
        Ok(())
    }

    /// Looks for an object several times, some time apart, each time over a connection of its own, which may come to another server. Tells how
    /// many of [`LOOKS`] show it.
    pub(super) async fn look_anew(&self, cmdlets: &Cmdlets, who: Who<'_>, call: &Call) -> Result<usize, Error> {
        let mut shown = 0;
        for look in 0..LOOKS {
            if look > 0 {
                pause(call, self.pace.looks).await?;
            }
            shown += usize::from(self.is_shown_anew(cmdlets, who, call).await?);
        }
        Ok(shown)
    }

    async fn is_shown_anew(&self, cmdlets: &Cmdlets, who: Who<'_>, call: &Call) -> Result<bool, Error> {
        for switches in cmdlets.views() {
            let masks = Masks::new();
            let objects = self.http.list_anew(&cmdlets.listing(switches, &masks), call).await?;
            if objects.iter().any(|object| who.fits(cmdlets, object)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Judges the names that a planned object refers to. A list that cannot be read proves nothing.
    async fn look_for_references(&self, change: Change<'_>, call: &Call) {
        let short = Call::new(call.stop.clone(), call.time_left().min(PATIENCE)).while_applying(call.applying);
        self.hold_references(change, &short).await;
        short.take_reports().into_iter().for_each(|report| call.report(report));
    }

    async fn hold_references(&self, change: Change<'_>, call: &Call) {
        for (path, refers, name) in names::references(change) {
            let Some(other) = resources::named(refers.to).filter(|_| !call.applying) else { continue };
            let is_there = async |call: &Call| -> Result<bool, Error> {
                let by_name = self.seek(other, Who::Name(&name), 0, call).await?.found.is_some();
                Ok(by_name || (is_guid(&name) && self.seek(other, Who::Guid(&name), 0, call).await?.found.is_some()))
            };
            let is_planned = || self.names.is_planned(other.kind(), &claimed(other, &name));
            match is_there(call).await {
                Ok(true) => continue,
                Err(error) => {
                    tracing::debug!(noun = other.noun, %error, "the reference is not held against what stands there");
                    continue;
                }
                Ok(false) if is_planned() => continue,
                Ok(false) => self.names.settle(call).await,
            }
            // One server of several may not show it yet.
            let who = if is_guid(&name) { Who::Guid(&name) } else { Who::Name(&name) };
            if is_planned() || !self.look_anew(other, who, call).await.is_ok_and(|shown| shown == 0) {
                continue;
            }
            let Ok(list) = self.listed(other, PLAIN, 0, call).await else { continue };
            let there: Vec<String> =
                list.objects.iter().filter_map(|object| object.text(other.titled).map(str::to_owned)).take(MOST_NAMES).collect();
            call.report(names::missing(other.resource, &name, &path, &there));
        }
    }
}

/// The title of an object in its one spelling, if it is known; that of the one of its kind is empty.
fn title_of(cmdlets: &Cmdlets, record: &Record) -> Option<String> {
    match cmdlets.life {
        Life::Single { .. } => Some(String::new()),
        _ => record.text(cmdlets.resource.title).map(|title| claimed(cmdlets, title)),
    }
}

/// The one spelling of a title.
pub(super) fn claimed(cmdlets: &Cmdlets, title: &str) -> String {
    let attribute = cmdlets.resource.attributes.iter().find(|own| own.name == cmdlets.resource.title);
    attribute.and_then(|own| own.meaning).map_or_else(|| title.to_lowercase(), |meaning| meaning(title))
}

fn renamed(cmdlets: &Cmdlets, change: Change<'_>) -> bool {
    let title = cmdlets.resource.title;
    change.prior.is_some_and(|prior| prior.text(title) != change.planned.text(title))
}
