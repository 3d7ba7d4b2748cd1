//! Right before a commit: would it open a relay?
//!
//! What is live and what is staged are judged, whatever a state says. A sender group that this batch opens, or whose guard it takes away, is no
//! part of the commit: the changes that do it are taken out, their callers are refused, and the others are staged again. A group that stood
//! open before stops nothing. A filter counts as the guard of a group that becomes open once it was committed and read back: where both are in one
//! batch, the group waits for a commit of its own, as a device may keep another text than it was given. Tables are read for this only where a group may be open, or where filters are changed and one of them may guard a group.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use super::job::Job;
use super::round::Round;
use super::writer::Writer;
use crate::gateway::relay::{self, Open};
use crate::gateway::resources::{mail_flow_policy, message_filter, sender_group};
use crate::gateway::table::{Printout, Rows};
use crate::remote::{Error, Kind};
use crate::schema::{Record, capital};
use crate::value::{Diagnostic, Path};

/// Table by table: what is live, and what will be.
struct Views {
    filters: [Arc<Rows>; 2],
    hosts: Vec<(String, [Arc<Rows>; 2])>,
}

/// What opens a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// The group was not open.
    Opened,
    /// It was guarded.
    GuardLost,
}

impl Writer {
    /// Takes out of the batch what would open a relay, or comes before its guard is live, and clears the rest, which is staged again then. False if
    /// nothing is to be taken out.
    pub(super) async fn refuse_relays(&mut self, round: &mut Round) -> Result<bool, Error> {
        let Some(views) = self.views(round).await? else { return Ok(false) };
        let mut refused: Vec<(usize, Error)> = Vec::new();
        let mut early: BTreeSet<usize> = BTreeSet::new();
        for (listener, [live, candidate]) in &views.hosts {
            let before = relay::open_groups(live, &views.filters[0]);
            for open in relay::open_groups(candidate, &views.filters[1]) {
                if open.guard.is_some() {
                    // Of groups that were open and go in this commit, some senders would have none meanwhile.
                    if before.is_empty() && relay::guard(&views.filters[0], &open.name).is_none() {
                        early.extend(guilty(&round.staged, listener, candidate, &open, None));
                    }
                    continue;
                }
                let was = before.iter().find(|before| before.id == open.id);
                let cause = match was {
                    Some(Open { guard: None, .. }) => continue,
                    Some(_) => Cause::GuardLost,
                    None => Cause::Opened,
                };
                let reason = self.shared.reasons.lock().unwrap_or_else(PoisonError::into_inner).get(&open.id).cloned();
                if let Some(reason) = reason {
                    round.notices.push(stands_open(&open, &reason));
                    continue;
                }
                let guard = was.and_then(|was| was.guard.as_deref());
                for at in guilty(&round.staged, listener, candidate, &open, guard) {
                    refused.push((at, refusal(&open, cause)));
                }
            }
        }
        early.retain(|at| round.staged.get(*at).is_some_and(|job| job.wish.printout() != Printout::Filters));
        if early.len() == round.staged.len() {
            // Nothing would be committed before them.
            early.clear();
        }
        if refused.is_empty() && early.is_empty() {
            return Ok(false);
        }
        let (mut rest, mut later) = (Vec::new(), Vec::new());
        for (at, job) in std::mem::take(&mut round.staged).into_iter().enumerate() {
            match refused.iter().find(|(refused, _)| *refused == at) {
                Some((_, error)) => job.fail(error.clone()),
                None if early.contains(&at) => later.push(job),
                None => rest.push(job),
            }
        }
        round.staged = rest;
        round.put_behind(later);
        self.clear(round).await;
        Ok(true)
    }

    /// The tables as they are live and as they will be, if this batch can open anything.
    async fn views(&mut self, round: &mut Round) -> Result<Option<Views>, Error> {
        let touched: BTreeSet<Printout> = round.staged.iter().map(|job| job.wish.printout()).collect();
        let touches_filters = touched.contains(&Printout::Filters);
        let touches_hosts = touched.iter().any(|printout| matches!(printout, Printout::Hosts(_)));
        if !touches_filters && !touches_hosts {
            return Ok(None);
        }
        let may_take_guards =
            touches_filters && round.live.get(&Printout::Filters).is_some_and(|filters| relay::any_may_guard(filters));
        let mut hosts = Vec::new();
        if may_take_guards {
            for row in &self.session.read(&Printout::Listeners).await?.rows {
                let printout = Printout::Hosts(row.id.clone());
                let both = self.both(round, &printout).await?;
                hosts.push((row.id.clone(), both));
            }
        } else {
            for printout in &touched {
                let Printout::Hosts(listener) = printout else { continue };
                let may_be_open = round.candidate.get(printout).is_none_or(|rows| relay::may_be_open(rows.rows()));
                if may_be_open {
                    let both = self.both(round, printout).await?;
                    hosts.push((listener.clone(), both));
                }
            }
        }
        hosts.retain(|(_, [_, candidate])| relay::may_be_open(candidate));
        if hosts.is_empty() {
            return Ok(None);
        }
        let filters = self.both(round, &Printout::Filters).await?;
        Ok(Some(Views { filters, hosts }))
    }

    /// A table as it is live and as it will be. What is staged is read as the device shows it: its order is what counts.
    async fn both(&mut self, round: &Round, printout: &Printout) -> Result<[Arc<Rows>; 2], Error> {
        let candidate = Arc::new(self.session.read(printout).await?);
        let is_touched = round.staged.iter().any(|job| job.wish.printout() == *printout);
        let live = if is_touched { round.live.get(printout).cloned() } else { None };
        Ok([live.unwrap_or_else(|| Arc::clone(&candidate)), candidate])
    }
}

/// Which changes of the batch open the group: the likeliest kind alone, so that the others can go on. What is left is judged again.
fn guilty(staged: &[Job], listener: &str, hosts: &Rows, open: &Open, guard: Option<&str>) -> Vec<usize> {
    let is_of = |job: &Job, resource: &str| job.wish.table.resource.name == resource;
    let here = Printout::Hosts(listener.to_owned());
    let policy = hosts.find(sender_group::RESOURCE.name, &open.id).and_then(|row| row.record.text("policy")).unwrap_or_default();
    let policy = format!("{listener}/{policy}");
    let names_guard = |record: &Record| [record.text("name"), record.text("before")].contains(&guard);
    let tests: [&dyn Fn(&Job) -> bool; 5] = [
        &|job| guard.is_some() && is_of(job, message_filter::RESOURCE.name) && names_guard(job.wish.record()),
        &|job| guard.is_some() && job.wish.printout() == Printout::Filters,
        &|job| is_of(job, sender_group::RESOURCE.name) && job.wish.id == open.id,
        &|job| is_of(job, mail_flow_policy::RESOURCE.name) && job.wish.id.eq_ignore_ascii_case(&policy),
        &|job| job.wish.printout() == here,
    ];
    let found = tests.iter().find_map(|test| {
        let found: Vec<usize> = staged.iter().enumerate().filter(|(_, job)| test(job)).map(|(at, _)| at).collect();
        (!found.is_empty()).then_some(found)
    });
    // Whatever did it, none of these may go out.
    found.unwrap_or_else(|| (0..staged.len()).collect())
}

fn refusal(open: &Open, cause: Cause) -> Error {
    let why = match cause {
        Cause::Opened => "no message filter guards it",
        Cause::GuardLost => "the message filter that guards it would not guard it any more",
    };
    let message = format!(
        "This change would make an open relay of the sender group \"{}\": {}, and {why}.",
        open.name,
        relay::told(&open.sender)
    );
    let error = Error::new(Kind::Invalid, message).hint(relay::advice(&open.name));
    match cause {
        Cause::Opened => error.at(Path::root().attribute("senders")),
        Cause::GuardLost => error,
    }
}

/// The warning for a group that stands open because the configuration says so.
fn stands_open(open: &Open, reason: &str) -> Diagnostic {
    let told = capital(&relay::told(&open.sender));
    let detail = format!("{told}, and no message filter guards it. `open_relay_reason`: {reason}");
    Diagnostic::warning(format!("The sender group \"{}\" is an open relay", open.name), detail)
}
