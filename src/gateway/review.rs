//! What is said of a planned object at plan: its name, what it refers to, where it is to stand, and what it does to the other side.
//!
//! Each judgement is held against the shared snapshots and against what this run knows of its other objects.

use super::agreement;
use super::filters::{self, Reference, Referent};
use super::objects::{Gateway, LISTENER, MOST_NAMES, has_listener, listener_names, near, shortened};
use super::order;
use super::resources::message_filter;
use super::table::{Printout, Rows, Table};
use crate::remote::names::{self, Owner};
use crate::remote::order::{self as remote_order, Place, Plan};
use crate::remote::{Call, Change, Error};
use crate::schema::{Record, engine};
use crate::value::{Diagnostic, Path};

impl Gateway {
    /// Holds a planned object against what the other side does.
    pub(super) async fn compare(&self, change: Change<'_>, call: &Call) {
        let (resource, planned) = (change.resource, change.effective);
        if change.prior.is_some()
            && !call.applying
            && let Some(facts) = agreement::facts(resource, planned).filter(|facts| !facts.is_empty())
            && let Some(id) = (self.rules.key)(resource, planned)
        {
            match self.board.outdated(&agreement::called(resource, &id), &facts, call).await {
                Ok(outdated) => outdated.iter().for_each(|(by, header)| call.report(agreement::outdated(by, header))),
                Err(error) => call.report(agreement::unjudged(&error)),
            }
        }
        if let (Some(facts), Some(id)) = (agreement::facts(resource, planned), (self.rules.key)(resource, planned)) {
            let against = self.board.plans(resource.name, &id, agreement::called(resource, &id), &facts);
            if !against.is_empty() {
                call.report(agreement::not_stamped(&against.join(", ")));
            }
        }
        for (path, domain, host) in agreement::ways(resource, planned) {
            if let Some(words) = self.board.refuses(&domain, &host, call).await {
                call.report(agreement::refused(&words).at(path));
            }
        }
    }

    /// Holds a planned object's name against those of this run and those that stand on the gateway.
    pub(super) async fn judge_name(&self, change: Change<'_>, rows: &Rows, call: &Call) {
        let (resource, planned) = (change.resource, change.planned);
        let Some(id) = (self.rules.key)(resource, change.effective) else { return };
        let before = change.prior.and_then(|prior| prior.text("id")).filter(|id| !id.is_empty());
        let is_renamed = before.is_some_and(|before| before != id);
        if before.is_none()
            && let Some(first) = self.names.claims(resource.name, &id, planned)
        {
            return call.report(names::twice(resource, planned, Some(&first)));
        }
        // An object that is always there is adopted.
        if engine::is_always_there(resource, change.effective)
            || !(before.is_none() || is_renamed)
            || rows.find(resource.name, &id).is_none()
        {
            return;
        }
        let title = planned.text(resource.title).unwrap_or(&id).to_owned();
        if is_renamed {
            return call.report(names::in_use(resource, &title, None));
        }
        let owner = || self.names.owner(resource.name, &id, &id, resource, planned);
        if owner() == Owner::Stranger {
            self.names.settle(call).await;
        }
        match owner() {
            Owner::Itself => {}
            Owner::Run => call.report(names::in_use(resource, &title, None)),
            Owner::Stranger => call.report(names::taken(resource, &title, &id)),
        }
    }

    /// Holds the names that a planned object refers to against what stands on the gateway and what this run planned before.
    pub(super) async fn judge_references(&self, change: Change<'_>, call: &Call) -> Result<(), Error> {
        for (path, refers, name) in names::references(change) {
            let Some(table) = self.tables.iter().copied().find(|table| table.resource.name == refers.to) else { continue };
            let mut named = Record::new().with(table.resource.title, name.as_str());
            for shared in refers.within {
                named.set(*shared, change.effective.get(shared).clone());
            }
            let Some(id) = (self.rules.key)(table.resource, &named) else { continue };
            let rows = self.rows(&(table.printout)(&named), call).await?;
            let there: Vec<String> = rows
                .rows
                .iter()
                .filter(|row| row.resource == refers.to)
                .filter_map(|row| row.record.text(table.resource.title).map(str::to_owned))
                .collect();
            // A printout with lines that nobody understood, or of a release that does not print these objects, proves no absence.
            let is_known = rows.not_understood.is_empty()
                && !rows.may_hide([name.as_str()])
                && (!there.is_empty() || refers.within.is_empty());
            if !is_known || rows.find(refers.to, &id).is_some() || self.names.is_planned(refers.to, &id) {
                continue;
            }
            self.names.settle(call).await;
            if !self.names.is_planned(refers.to, &id) {
                let near = near(&name, there.iter().map(String::as_str));
                let shown = near.into_iter().take(MOST_NAMES).collect::<Vec<_>>();
                call.report(names::missing(table.resource, &name, &path, &shown));
            }
        }
        Ok(())
    }

    /// Holds where a planned object is to stand against what else is planned. Gives what is to be unknown in the plan of an object that does not change, so
    /// that it is called and moved back.
    pub(super) fn judge_place(
        &self,
        table: &'static Table,
        change: Change<'_>,
        rows: &Rows,
        called: bool,
        call: &Call,
    ) -> Option<&'static str> {
        let (kind, resource) = (order::kind(table)?, change.resource);
        let is_order = order::order_of(table).is_some();
        let attribute = if is_order { order::NAMES } else { order::BEFORE };
        let words = if is_order {
            format!("`{attribute}` of the {}", resource.noun)
        } else {
            format!("`{attribute}` of the {}", resource.called(change.planned))
        };
        let name = |record: &Record| record.text(resource.title).map(str::to_owned).filter(|_| !is_order);
        let plan = Plan {
            owner: format!("{}/{}", resource.name, (self.rules.key)(resource, change.effective)?),
            words: words.clone(),
            from: change.prior.and_then(name),
            to: name(change.effective),
            places: order::place(table, change.effective).into_iter().collect(),
            number: None,
            called,
        };
        let scope = (kind, change.effective.text(LISTENER).unwrap_or_default().to_owned());
        let owner = plan.owner.clone();
        let judged = self.places.judge(scope.clone(), &order::standing(kind, rows), plan);
        let path = Path::root().attribute(attribute);
        if call.applying {
            // It was judged when it was planned.
            return None;
        }
        if !judged.against.is_empty() {
            call.report(remote_order::contradiction(&judged.against).at(path));
            return None;
        }
        if !judged.breaks.is_empty() {
            let broken = judged.breaks.iter().map(|(words, _)| words.as_str());
            call.report(remote_order::second_apply(broken).at(path.clone()));
        }
        if called {
            return None;
        }
        if !judged.is_broken {
            return None;
        }
        if is_order {
            call.report(remote_order::second_apply([words.as_str()]).at(path));
            return None;
        }
        self.places.calls(&scope, &owner);
        Some(order::POSITION)
    }

    /// Where the other objects of this run are to stand.
    pub(super) fn others(&self, table: &'static Table, record: &Record) -> Vec<Place> {
        let (Some(kind), Some(key)) = (order::kind(table), (self.rules.key)(table.resource, record)) else { return Vec::new() };
        let scope = (kind, record.text(LISTENER).unwrap_or_default().to_owned());
        self.places.others(&scope, &format!("{}/{key}", table.resource.name))
    }

    /// Holds what a planned filter names against what the gateway has, where the text changes: the device would take it, and not run it.
    pub(super) async fn judge_script(&self, change: Change<'_>, call: &Call) -> Result<(), Error> {
        let Some(script) = change.effective.text("script").filter(|_| change.resource.name == message_filter::RESOURCE.name)
        else {
            return Ok(());
        };
        // The names are all in the masked text, which is known of a write-only one, too.
        let stands = |known: &str| filters::meaning(known) == filters::meaning(&filters::masked(script));
        let named = filters::references(script);
        if named.is_empty() || change.prior.and_then(|prior| prior.text("masked_script")).is_some_and(stands) {
            return Ok(());
        }
        let listeners = self.rows(&Printout::Listeners, call).await?;
        let there = listener_names(&listeners);
        for Reference { kind: Referent::Listener, name, place } in named {
            if has_listener(&listeners, &name) || there.is_empty() || listeners.may_hide([name.as_str()]) {
                continue;
            }
            call.report(
                Diagnostic::error(
                    format!("Unknown listener {name:?}"),
                    format!(
                        "The filter names it at {place}, and the gateway could not run the filter. The gateway has these listeners (upper and lower case \
                         matter): {}.",
                        shortened(&there, ", ")
                    ),
                )
                .at(Path::root().attribute("script")),
            );
        }
        Ok(())
    }
}
