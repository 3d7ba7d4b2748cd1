//! What is said at plan about sender groups that relay for many, and about the message filters that guard them.
//!
//! What counts is judged right before each commit ([`super::batch`]). A plan knows what is live and what was planned so far: of a group and its filter, the one
//! that is planned second is told what does not fit.

use std::sync::PoisonError;

use super::objects::Gateway;
use super::relay::{self, GUARD, REASON};
use super::resources::{self, mail_flow_policy, message_filter, sender_group};
use super::table::{Printout, Row, Rows, Table};
use crate::remote::{Call, Change, Error};
use crate::schema::{Record, Resource, capital};
use crate::value::{Diagnostic, Path, Value};

/// Names the private value of a filter that goes, in which its plan tells the apply why groups may stand open. (Of one that changes the host makes the plan
/// once more to apply it, with the private values of the state.)
const OPEN: &str = "open_relay_reasons";

impl Gateway {
    /// Adds the filter that guards a group. A group that needs none has what its configuration says.
    pub(super) async fn guarded(&self, resource: &Resource, record: Record, hosts: &Rows, call: &Call) -> Result<Record, Error> {
        if resource.name != sender_group::RESOURCE.name {
            return Ok(record);
        }
        let id = record.text("id").unwrap_or_default().to_owned();
        if relay::opening(&id, hosts).is_none() {
            return Ok(record);
        }
        let filters = self.rows(&Printout::Filters, call).await?;
        let name = record.text("name").unwrap_or_default();
        let guards = relay::guards(&filters, name);
        let kept = record.text(GUARD).filter(|kept| guards.iter().any(|guard| guard == kept)).map(str::to_owned);
        let guard = kept.or_else(|| guards.into_iter().next());
        Ok(record.with(GUARD, guard.map_or(Value::Null, Value::text)))
    }

    /// Adds the filter that guards a group which was just written, where the plan left that open.
    pub(super) async fn reporting_guard(&self, table: &Table, record: Record, call: &Call) -> Record {
        if table.resource.name != sender_group::RESOURCE.name || !record.get(GUARD).is_unknown() && !record.get(GUARD).is_null() {
            return record;
        }
        let record = record.with(GUARD, Value::Null);
        let guarded = async {
            let hosts = self.rows(&(table.printout)(&record), call).await?;
            self.guarded(table.resource, record.clone(), &hosts, call).await
        };
        match guarded.await {
            Ok(record) => record,
            Err(error) => {
                call.report(Diagnostic::warning(
                    "The guard of the sender group could not be read",
                    format!("Which message filter guards it is shown by the next plan. {error}"),
                ));
                record
            }
        }
    }

    /// Judges a planned group, and a planned filter, by what is known of the others.
    pub(super) async fn judge_relay(&self, change: Change<'_>, rows: &Rows, call: &Call) -> Result<(), Error> {
        if change.resource.name == sender_group::RESOURCE.name {
            return self.judge_group(change, rows, true, call).await.map(|_| ());
        }
        if change.resource.name == mail_flow_policy::RESOURCE.name {
            return self.judge_policy(change, rows, call).await;
        }
        if change.resource.name == message_filter::RESOURCE.name
            && let Some(prior) = change.prior
        {
            return self.judge_filter(prior, Some(change.effective), rows, call).await;
        }
        Ok(())
    }

    /// Hears why groups may stand open whose guard goes, as the plan heard it: a group that does not change is not called.
    pub(super) fn hear_reasons(&self, call: &Call) {
        let Some(serde_json::Value::Object(reasons)) = call.private(OPEN) else { return };
        for (id, reason) in &reasons {
            self.batch.note_reason(id, reason.as_str());
        }
    }

    /// Whether the loss of this group's guard is told now: of a group and its filter that are planned at the same time, each may see the other.
    fn tells_loss(&self, group: &str) -> bool {
        self.losses.lock().unwrap_or_else(PoisonError::into_inner).insert(group.to_owned())
    }

    /// The filters as they are planned so far. Of a text that is not known yet, nothing is known.
    fn as_planned(&self, filters: &Rows) -> Rows {
        let kind = message_filter::RESOURCE.name;
        let mut then = filters.clone();
        then.rows.retain(|row| row.resource != kind || !self.names.is_going(kind, &row.id));
        for (id, planned) in self.names.all_planned(kind) {
            let is_known = planned.text("script").is_some();
            if is_known && !self.names.is_going(kind, &id) {
                then = with(&then, &message_filter::RESOURCE, &id, Some(&planned));
            }
        }
        then
    }

    /// Judges a filter that goes, or changes, and guards a group that stays open.
    pub(super) async fn judge_filter(
        &self,
        prior: &Record,
        planned: Option<&Record>,
        filters: &Rows,
        call: &Call,
    ) -> Result<(), Error> {
        let Some(id) = prior.text("id") else { return Ok(()) };
        let standing = filters.find(message_filter::RESOURCE.name, id);
        if !standing.and_then(|row| row.record.text("script")).is_some_and(relay::may_guard) {
            return Ok(());
        }
        let then = with(&self.as_planned(filters), &message_filter::RESOURCE, id, planned);
        let mut reasons = serde_json::Map::new();
        let listeners = self.rows(&Printout::Listeners, call).await?;
        for listener in &listeners.rows {
            let hosts = self.rows(&Printout::Hosts(listener.id.clone()), call).await?;
            let before = relay::open_groups(&hosts, filters).into_iter().filter(|open| open.guard.is_some());
            let after = relay::open_groups(&hosts, &then);
            for open in before.filter(|open| after.iter().any(|after| after.id == open.id && after.guard.is_none())) {
                let summary = format!("The message filter {id:?} would not guard the sender group \"{}\" any more", open.name);
                let detail = format!(
                    "{}: without a guard it is an open relay, and the change of the filter is refused. Change or remove the group in the same run. {}",
                    capital(&relay::told(&open.sender)),
                    relay::advice(&open.name)
                );
                let Some(group) = self.names.planned(sender_group::RESOURCE.name, &open.id) else {
                    // It may be planned later, and is judged then; where the filter goes, the group goes with it as a rule.
                    if planned.is_some() {
                        call.report(Diagnostic::warning(summary, detail));
                    }
                    continue;
                };
                let hosts = self.with_planned_policy(with(&hosts, &sender_group::RESOURCE, &open.id, Some(&group)), &group);
                // Its policy may still be planned to relay no more.
                let is_sure = policy_of(&group).is_some_and(|id| !self.names.is_awaited(mail_flow_policy::RESOURCE.name, &id));
                if relay::opening(&open.id, &hosts).is_none() {
                    continue;
                }
                if let Some(reason) = group.text(REASON)
                    && planned.is_none()
                {
                    reasons.insert(open.id.clone(), reason.into());
                    let told = capital(&relay::told(&open.sender));
                    call.report(Diagnostic::warning(summary, format!("{told}. `open_relay_reason`: {reason}")));
                    continue;
                }
                let is_allowed = !group.get(REASON).is_null();
                if !is_sure || is_allowed {
                    call.report(Diagnostic::warning(summary, detail));
                } else if self.tells_loss(&open.id) {
                    call.report(Diagnostic::error(summary, detail));
                }
            }
        }
        if planned.is_none() && !reasons.is_empty() {
            call.set_private(OPEN, reasons.into());
        }
        Ok(())
    }

    /// Warns if a policy that is to relay makes open relays of the groups that have it. Those groups, or a filter, may be planned later.
    async fn judge_policy(&self, change: Change<'_>, hosts: &Rows, call: &Call) -> Result<(), Error> {
        let Some(id) = resources::id(&mail_flow_policy::RESOURCE, change.effective) else { return Ok(()) };
        let then = with(hosts, &mail_flow_policy::RESOURCE, &id, Some(change.effective));
        if !relay::may_be_open(&then) {
            return Ok(());
        }
        let filters = self.rows(&Printout::Filters, call).await?;
        let before = relay::open_groups(hosts, &filters);
        let opened = relay::open_groups(&then, &filters).into_iter();
        for open in opened.filter(|open| open.guard.is_none() && before.iter().all(|before| before.id != open.id)) {
            call.report(
                Diagnostic::warning(
                    format!("The sender group \"{}\" would be an open relay", open.name),
                    format!(
                        "{} by this policy. Unless a filter guards it by then, the change is refused. {}",
                        capital(&relay::told(&open.sender)),
                        relay::advice(&open.name)
                    ),
                )
                .at(Path::root().attribute("behavior")),
            );
        }
        Ok(())
    }

    /// Judges a group by what is live and planned so far: whether it becomes open, or loses its guard. Gives the attribute that is to be unknown in the
    /// plan of a group that does not change and may stand open, so that it is called and its reason heard.
    pub(super) async fn judge_group(
        &self,
        change: Change<'_>,
        hosts: &Rows,
        is_changed: bool,
        call: &Call,
    ) -> Result<Option<&'static str>, Error> {
        let planned = change.effective;
        let (Some(id), Some(name)) = (resources::id(&sender_group::RESOURCE, planned), planned.text("name")) else {
            return Ok(None);
        };
        let was_open = relay::opening(&id, hosts).is_some();
        let then = self.with_planned_policy(with(hosts, &sender_group::RESOURCE, &id, Some(planned)), planned);
        let Some(sender) = relay::opening(&id, &then) else { return Ok(None) };
        let filters = self.rows(&Printout::Filters, call).await?;
        let is_written = !change.config.get(GUARD).is_null();
        let named = change.config.get(GUARD);
        // An argument that is not written has no place in the configuration.
        let path = Path::root().attribute(if is_written { GUARD } else { "senders" });
        if named.is_unknown() {
            return Ok(None);
        }
        let standing = relay::guarding(&filters, name);
        let then = self.as_planned(&filters);
        let guards = relay::guarding(&then, name);
        let guarding = match named.as_text() {
            // Where it cannot be judged yet, it is judged before the commit.
            Some(filter) => match self.names.planned(message_filter::RESOURCE.name, filter) {
                Some(planned) if !planned.get("script").is_wholly_known() || planned.text("script").is_none() => return Ok(None),
                // What is not there either is said of the reference.
                None if filters.find(message_filter::RESOURCE.name, filter).is_none() => return Ok(None),
                _ => guards.iter().any(|guard| guard.record.text("name") == Some(filter)),
            },
            // One that is new may come later than the group.
            None => guards.iter().any(|guard| standing.iter().any(|standing| standing.id == guard.id)),
        };
        let stood_open = was_open && standing.is_empty();
        if guarding || (stood_open && !is_changed) {
            return Ok(None);
        }
        let summary = format!("The sender group \"{name}\" would be an open relay");
        let line = match (named.as_text(), standing.first()) {
            (Some(filter), _) => format!(
                "The message filter {filter:?} does not guard it: not every message of the group that carries no secret is dropped there."
            ),
            (None, Some(guard)) => format!(
                "The message filter {:?} guards it, and is planned to go, or to change so that it guards it no more. Keep it, or change or remove the \
                 group in the same run.",
                guard.id
            ),
            (None, None) => format!(
                "Write the filter that guards it into the group:\n\n{GUARD} = mailflow_gateway_message_filter.{}.name",
                self.guard_of_this_run(name).unwrap_or_else(|| "NAME".to_owned())
            ),
        };
        let detail = format!("{}. {line}\n\n{}", capital(&relay::told(&sender)), relay::advice(name));
        let is_allowed = planned.text(REASON).is_some() || planned.get(REASON).is_unknown();
        let is_told = !is_allowed && named.is_null() && !standing.is_empty() && !self.tells_loss(&id);
        if is_told {
            return Ok(None);
        }
        call.report(if is_allowed || stood_open {
            Diagnostic::warning(
                if stood_open { format!("The sender group \"{name}\" is an open relay") } else { summary },
                detail,
            )
            .at(path)
        } else {
            Diagnostic::error(summary, detail).at(path)
        });
        Ok((is_allowed && !is_written && !is_changed).then_some(GUARD))
    }

    /// The policy that the group gets, as it is planned in this run.
    fn with_planned_policy(&self, hosts: Rows, group: &Record) -> Rows {
        let Some(id) = policy_of(group) else { return hosts };
        match self.names.planned(mail_flow_policy::RESOURCE.name, &id) {
            Some(planned) => with(&hosts, &mail_flow_policy::RESOURCE, &id, Some(&planned)),
            None => hosts,
        }
    }

    /// The label that a filter of this run which guards the group is likely to have.
    fn guard_of_this_run(&self, group: &str) -> Option<String> {
        self.names.all_planned(message_filter::RESOURCE.name).into_iter().find_map(|(_, planned)| {
            let guards = relay::guards_alone(planned.text("script")?, group);
            guards.then(|| planned.text("name").map(crate::remote::names::label)).flatten()
        })
    }
}

/// The import ID of the policy that a group gets.
fn policy_of(group: &Record) -> Option<String> {
    let (listener, policy) = group.text("listener").zip(group.text("policy"))?;
    Some(format!("{listener}/{policy}"))
}

/// The rows with an object as it is planned, or without it. A new group stands before the one that it names, or at the end.
fn with(rows: &Rows, resource: &'static Resource, id: &str, planned: Option<&Record>) -> Rows {
    let mut then = rows.clone();
    let standing = then.rows.iter().position(|row| row.resource == resource.name && row.id == id);
    let Some(planned) = planned else {
        standing.map(|at| then.rows.remove(at));
        return then;
    };
    let row = Row { resource: resource.name, id: id.to_owned(), record: planned.clone() };
    let moved_to = planned.text("before").and_then(|before| {
        then.rows.iter().position(|row| row.resource == resource.name && row.record.text("name") == Some(before))
    });
    match (standing, moved_to) {
        (Some(at), None) => then.rows[at] = row,
        (Some(at), Some(to)) if at < to => then.rows[at] = row,
        (Some(at), Some(to)) => {
            then.rows.remove(at);
            then.rows.insert(to, row);
        }
        (None, Some(to)) => then.rows.insert(to, row),
        (None, None) => then.rows.push(row),
    }
    then
}
