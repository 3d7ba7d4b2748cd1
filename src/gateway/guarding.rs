//! What is said at plan about sender groups that relay for many, and about the message filters that guard them.
//!
//! What counts is judged right before each commit ([`super::batch`]). A plan knows less, as filters may be planned later: it tells what it can.

use super::objects::Gateway;
use super::relay::{self, GUARD, REASON};
use super::resources::{self, mail_flow_policy, message_filter, sender_group};
use super::table::{Printout, Row, Rows, Table};
use crate::remote::{Call, Change, Error};
use crate::schema::{Record, Resource, capital};
use crate::value::{Diagnostic, Path, Value};

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
            return self.judge_group(change, rows, call).await;
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

    /// Warns if a filter that goes, or changes, guards a group that stays open.
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
        let then = with(filters, &message_filter::RESOURCE, id, planned);
        let listeners = self.rows(&Printout::Listeners, call).await?;
        for listener in &listeners.rows {
            let hosts = self.rows(&Printout::Hosts(listener.id.clone()), call).await?;
            let before = relay::open_groups(&hosts, filters).into_iter().filter(|open| open.guard.is_some());
            let after = relay::open_groups(&hosts, &then);
            for open in before.filter(|open| after.iter().any(|after| after.id == open.id && after.guard.is_none())) {
                let stays_so = self.names.planned(sender_group::RESOURCE.name, &open.id).and_then(|planned| {
                    let then = with(&hosts, &sender_group::RESOURCE, &open.id, Some(&planned));
                    let then = self.with_planned_policy(then, &planned);
                    let stays_so = planned.text(REASON).is_none() && relay::opening(&open.id, &then).is_some();
                    // Its policy may still be planned to relay no more.
                    let is_sure = !stays_so || !self.names.is_awaited(mail_flow_policy::RESOURCE.name, &policy_of(&planned)?);
                    is_sure.then_some(stays_so)
                });
                let summary = format!("The message filter {id:?} would not guard the sender group \"{}\" any more", open.name);
                let detail = format!(
                    "{}: without a guard it is an open relay, and the change of the filter is refused. Change or remove the group in the same run. {}",
                    capital(&relay::told(&open.sender)),
                    relay::advice(&open.name)
                );
                call.report(match stays_so {
                    Some(true) => Diagnostic::error(summary, detail),
                    // It may be planned later; where the filter goes, the group goes with it as a rule.
                    None if planned.is_some() => Diagnostic::warning(summary, detail),
                    None | Some(false) => continue,
                });
            }
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

    async fn judge_group(&self, change: Change<'_>, hosts: &Rows, call: &Call) -> Result<(), Error> {
        let planned = change.effective;
        let (Some(id), Some(name)) = (resources::id(&sender_group::RESOURCE, planned), planned.text("name")) else {
            return Ok(());
        };
        let was_open = relay::opening(&id, hosts).is_some();
        let then = self.with_planned_policy(with(hosts, &sender_group::RESOURCE, &id, Some(planned)), planned);
        let Some(sender) = relay::opening(&id, &then) else { return Ok(()) };
        let filters = self.rows(&Printout::Filters, call).await?;
        let named = planned.get(GUARD);
        // An argument that is not written has no place in the configuration.
        let path = Path::root().attribute(if change.config.get(GUARD).is_null() { "senders" } else { GUARD });
        if change.config.get(GUARD).is_unknown() {
            return Ok(());
        }
        let guarding = match named.as_text() {
            // Where it cannot be judged yet, it is judged before the commit.
            Some(filter) => match self.names.planned(message_filter::RESOURCE.name, filter) {
                Some(planned) if !planned.get("script").is_wholly_known() || planned.text("script").is_none() => return Ok(()),
                Some(planned) => {
                    let then = with(&filters, &message_filter::RESOURCE, filter, Some(&planned));
                    relay::guards(&then, name).iter().any(|guard| guard == filter)
                }
                // What is not there either is said of the reference.
                None if filters.find(message_filter::RESOURCE.name, filter).is_none() => return Ok(()),
                None => relay::guards(&filters, name).iter().any(|guard| guard == filter),
            },
            None => relay::guard(&filters, name).is_some(),
        };
        if guarding {
            return Ok(());
        }
        let summary = format!("The sender group \"{name}\" would be an open relay");
        let line = match named.as_text() {
            Some(filter) => format!(
                "The message filter {filter:?} does not guard it: not every message of the group that carries no secret is dropped there."
            ),
            None => format!(
                "Write the filter that guards it into the group:\n\n{GUARD} = mailflow_gateway_message_filter.{}.name",
                self.guard_of_this_run(name).unwrap_or_else(|| "NAME".to_owned())
            ),
        };
        let detail = format!("{}. {line}\n\n{}", capital(&relay::told(&sender)), relay::advice(name));
        let is_allowed = planned.text(REASON).is_some() || planned.get(REASON).is_unknown();
        let stood_open = was_open && relay::guard(&filters, name).is_none();
        call.report(if is_allowed || stood_open {
            Diagnostic::warning(
                if stood_open { format!("The sender group \"{name}\" is an open relay") } else { summary },
                detail,
            )
            .at(path)
        } else {
            Diagnostic::error(summary, detail).at(path)
        });
        Ok(())
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
        self.names.all_planned(message_filter::RESOURCE.name).into_iter().find_map(|planned| {
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
