//! Reading: lists, and what it takes to say that an object is gone.

use std::sync::Arc;

use serde_json::{Map, json};

use super::absent;
use super::binding::{Cmdlets, Life, Switches};
use super::lists::{List, Way};
use super::shape::record;
use super::standing::Standing;
use super::words::{self, behind};
use crate::exchange::Exchange;
use crate::exchange::answer::Object;
use crate::exchange::http::Cmdlet;
use crate::exchange::resources;
use crate::remote::{Call, Error, Kind, Masks};
use crate::schema::{Record, capital};
use crate::value::{Diagnostic, Value};

/// How an object is looked for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Who<'a> {
    /// By the GUID, which stays when the object is renamed.
    Guid(&'a str),
    /// By the title: a name in any case, a domain in any spelling.
    Name(&'a str),
    /// The one of its kind.
    Only,
}

/// The outcome of a search.
#[derive(Debug)]
pub(super) struct Sought {
    /// What was found, with the list that it stands in.
    pub(super) found: Option<(Object, Arc<List>)>,
    /// The newest list that was looked at.
    pub(super) seen: u64,
    /// How many objects fit. Names are unique, so more than one is odd.
    pub(super) count: usize,
}

impl Cmdlets {
    /// The call that lists all objects. Switches of Get show what a plain Get hides.
    pub(in crate::exchange) fn listing<'m>(&self, switches: Switches, masks: &'m Masks) -> Cmdlet<'m> {
        let mut parameters = Map::new();
        if self.paged {
            parameters.insert("ResultSize".to_owned(), json!("Unlimited"));
        }
        parameters.extend(switches.iter().map(|switch| ((*switch).to_owned(), json!(true))));
        Cmdlet { name: self.cmdlet("Get"), parameters, writes: false, masks }
    }
}

impl Who<'_> {
    pub(super) fn fits(self, cmdlets: &Cmdlets, object: &Object) -> bool {
        let is_meant = match self {
            Who::Guid(id) => cmdlets.has_id(object, id),
            Who::Name(name) => cmdlets.is_titled(object, name),
            Who::Only => true,
        };
        is_meant && cmdlets.shows(object)
    }
}

impl Exchange {
    /// Gives the list of a noun. Switches of Get show what a plain Get hides.
    pub(super) async fn listed(
        &self,
        cmdlets: &Cmdlets,
        switches: Switches,
        after: u64,
        call: &Call,
    ) -> Result<Arc<List>, Error> {
        self.listed_by(Way::Session, cmdlets, switches, after, call).await
    }

    /// The same, another way.
    pub(super) async fn listed_by(
        &self,
        way: Way,
        cmdlets: &Cmdlets,
        switches: Switches,
        after: u64,
        call: &Call,
    ) -> Result<Arc<List>, Error> {
        let fetch = || async {
            let masks = Masks::new();
            let get = cmdlets.listing(switches, &masks);
            let objects = match way {
                Way::Session => Box::pin(self.http.list(&get, call)).await?,
                Way::Anew | Way::Look => Box::pin(self.http.list_anew(&get, call)).await?,
            };
            if objects.iter().any(|object| cmdlets.id(object).is_none()) {
                return Err(Error::new(
                    Kind::Unexpected,
                    format!("`{}` shows objects without a GUID, so it cannot be told which is which.", get.name),
                ));
            }
            Ok(objects)
        };
        self.lists.get((cmdlets.noun, switches), way, after, call, fetch).await
    }

    /// Looks for an object in lists that were begun after `after`. The lists behind switches are only read if the plain one does
    /// not have it.
    pub(super) async fn seek(&self, cmdlets: &Cmdlets, who: Who<'_>, after: u64, call: &Call) -> Result<Sought, Error> {
        let sought = self.seek_by(Way::Session, cmdlets, who, after, call).await?;
        if let (Who::Guid(guid), Some((_, list))) = (who, &sought.found)
            && !list.anew
        {
            self.own_writes.showed(cmdlets.kind(), guid);
        }
        Ok(sought)
    }

    /// The same, another way.
    pub(super) async fn seek_by(
        &self,
        way: Way,
        cmdlets: &Cmdlets,
        who: Who<'_>,
        after: u64,
        call: &Call,
    ) -> Result<Sought, Error> {
        let mut seen = 0;
        for switches in cmdlets.views() {
            let list = self.listed_by(way, cmdlets, switches, after, call).await?;
            seen = seen.max(list.began);
            let mut fitting = list.objects.iter().filter(|object| who.fits(cmdlets, object));
            if let (Who::Only, Some(name)) = (who, cmdlets.identity(""))
                && let Some(object) = list.objects.iter().find(|object| object.is_named(name))
            {
                return Ok(Sought { found: Some((object.clone(), Arc::clone(&list))), seen, count: 1 });
            }
            if let Some(object) = fitting.next() {
                let count = 1 + fitting.count();
                return Ok(Sought { found: Some((object.clone(), Arc::clone(&list))), seen, count });
            }
        }
        Ok(Sought { found: None, seen, count: 0 })
    }

    /// Looks for an object, and asks again before it says that the object is not there (see [`confirm_absent`](Self::confirm_absent)).
    pub(super) async fn seek_twice(&self, cmdlets: &Cmdlets, who: Who<'_>, call: &Call) -> Result<Sought, Error> {
        let first = self.seek(cmdlets, who, 0, call).await?;
        if first.found.is_some() { Ok(first) } else { self.confirm_absent(cmdlets, who, first.seen, call).await }
    }

    /// Reads the object that state knows.
    pub(in crate::exchange) async fn read_object(
        &self,
        cmdlets: &'static Cmdlets,
        state: &Record,
        call: &Call,
    ) -> Result<Option<Record>, Error> {
        let Some(id) = state.text("id").filter(|id| !id.is_empty()) else {
            return Err(Error::new(Kind::Unexpected, format!("The state of {} has no id.", cmdlets.called(state)))
                .hint("Remove it from state and import it."));
        };
        if matches!(cmdlets.life, Life::Order) {
            return self.read_order(cmdlets, state, call).await.map(Some);
        }
        self.remember(cmdlets, id);
        match self.standing(cmdlets, id, state, call).await? {
            Standing::Shown(record, _, warnings) => {
                for warning in warnings {
                    call.report(warning);
                }
                if let Some(tells) = cmdlets.tells {
                    self.board.stands(cmdlets.resource.name, id, cmdlets.called(&record), (tells.facts)(&record));
                }
                return Ok(Some(record));
            }
            Standing::Behind(own, shown) => {
                call.report(behind(cmdlets, state, shown.is_some(), own.ends()));
                if let Some(tells) = cmdlets.tells {
                    self.board.stands(cmdlets.resource.name, id, cmdlets.called(state), (tells.facts)(state));
                }
                return Ok(Some(state.clone()));
            }
            Standing::Gone => {}
        }
        if matches!(cmdlets.life, Life::Single { .. }) {
            return Err(words::absent(cmdlets, state));
        }
        let known = self.known_ids(cmdlets);
        if known.len() > 1 && !self.any_left(cmdlets, &known, call).await? {
            return Err(Error::new(
                Kind::Unexpected,
                format!(
                    "Exchange Online was asked over several connections and shows none of the {} objects of the kind {} that the state knows.",
                    known.len(),
                    cmdlets.resource.noun
                ),
            )
            .hint("That all vanish at once is more likely a fault than the truth, so nothing is planned. If they were really removed, remove them from the state with `terraform state rm`."));
        }
        call.report(Diagnostic::warning(
            format!("{} is gone", capital(&cmdlets.called(state))),
            format!("Exchange Online was asked over several connections, for the list and for the GUID {id}, and no longer shows it. It is removed from the state; a configured object will be made anew."),
        ));
        self.forget(cmdlets, id);
        Ok(None)
    }

    async fn any_left(&self, cmdlets: &Cmdlets, known: &[String], call: &Call) -> Result<bool, Error> {
        for switches in cmdlets.views() {
            let list = self.listed(cmdlets, switches, 0, call).await?;
            if list.objects.iter().filter_map(|object| cmdlets.id(object)).any(|id| known.contains(&id)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Finds the object that an import ID names: a GUID or a name.
    pub(in crate::exchange) async fn find_object(
        &self,
        cmdlets: &'static Cmdlets,
        id: &str,
        call: &Call,
    ) -> Result<Record, Error> {
        if matches!(cmdlets.life, Life::Order) {
            return self.find_order(cmdlets, id, call).await;
        }
        let mut sought = self.seek(cmdlets, cmdlets.who(id), 0, call).await?;
        if sought.found.is_none() {
            sought = self.seek_twice(cmdlets, Who::Name(id), call).await?;
        }
        let noun = cmdlets.resource.noun;
        if sought.count > 1 && !matches!(cmdlets.life, Life::Single { .. }) {
            return Err(Error::new(Kind::Conflict, format!("{} objects of the kind {noun} have the name {id:?}.", sought.count))
                .hint(format!("Import it by its GUID; `{}` shows it.", cmdlets.cmdlet("Get"))));
        }
        let Some((object, list)) = sought.found else {
            return Err(Error::new(Kind::NotFound, format!("There is no {noun} with the name or GUID {id:?}."))
                .hint(format!("`{}` shows what there is.", cmdlets.cmdlet("Get"))));
        };
        let mut record = self.shown(cmdlets, &object, &list, None, call).await?;
        absent::refuse(cmdlets, &object, &record)?;
        absent::keep(cmdlets, &mut record, None);
        Ok(record)
    }

    /// Makes the record of an object; what it does not show is unknown in it. Where the service's word means what `known` says (a connector by
    /// name or by GUID, a place by its neighbour), it is said as in `known`.
    pub(super) async fn shown(
        &self,
        cmdlets: &Cmdlets,
        object: &Object,
        list: &List,
        known: Option<&Record>,
        call: &Call,
    ) -> Result<Record, Error> {
        let mut record = record(cmdlets, object)?;
        if cmdlets.ordered {
            super::order::shown(&mut record, list, known);
        }
        for reference in cmdlets.references {
            let Some(shown) = record.at(reference.attribute).as_text() else { continue };
            let wanted = known.and_then(|known| known.at(reference.attribute).as_text());
            if let Some(same) = wanted.filter(|wanted| wanted.to_lowercase() == shown.to_lowercase()) {
                put(&mut record, reference.attribute, Value::text(same));
                continue;
            }
            if wanted.is_none() && !is_guid(shown) {
                continue;
            }
            let Some(other) = resources::named(reference.to) else { continue };
            let who = if is_guid(shown) { Who::Guid(shown) } else { Who::Name(shown) };
            let Some((object, _)) = self.seek(other, who, 0, call).await?.found else { continue };
            let meant = wanted.filter(|wanted| Who::Guid(wanted).fits(other, &object) || Who::Name(wanted).fits(other, &object));
            if let Some(text) = meant.or(object.text("Name")) {
                put(&mut record, reference.attribute, Value::text(text));
            }
        }
        Ok(record)
    }
}

/// Sets the value at a dotted name of at most two steps, if the object around it is there.
pub(super) fn put(record: &mut Record, dotted: &str, value: Value) {
    match dotted.split_once('.') {
        None => record.set(dotted, value),
        Some((group, member)) => {
            if let Value::Object(mut members) = record.take(group) {
                members.insert(member.to_owned(), value);
                record.set(group, Value::Object(members));
            }
        }
    }
}

/// Tells whether a text has the form of a GUID.
pub(super) fn is_guid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}
