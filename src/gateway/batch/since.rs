//! What somebody else changed since the plan: a change of an object that the plan did not see is not written over.
//!
//! The object as it stands is held against the object as the plan saw it, in the way in which a refresh would do it now. No conflict is:
//!
//! - what would not be written over: a value that stands as it is planned, or that the plan leaves open;
//! - what only follows from other objects: computed values, and a place in an order (`before`);
//! - what the service fills in and one of the two printouts does not show;
//! - what is only known to have been written (write-only values): nobody can tell what it was;
//! - what a change of this run made so: of the object itself, or of what it inherits from.
//!
//! A delete is not held against the plan: for an object that left the configuration, Terraform was seen to hand over the state from before the refresh, so that
//! each drift would be an error for ever. Between the reading and the first dialog of a batch the device offers nothing that would notice a change of others.

use std::collections::BTreeMap;

use super::weigh::{difference, presence, wanted_changes};
use super::{Goal, Rules, Wish};
use crate::gateway::table::{Printout, Row, Rows};
use crate::remote::order::Place;
use crate::remote::{Error, Kind};
use crate::schema::{Attribute, Fill, Motion, Presence, Record, Resource};
use crate::value::{Path, Step, Value};

/// How much of a value an error shows.
const MOST_LETTERS: usize = 200;

/// What this run committed, or tried to, by object; nothing for a delete.
#[derive(Default)]
pub(super) struct Ours {
    objects: BTreeMap<(&'static str, String), Option<Record>>,
    /// Where they are to stand, with what is printed where.
    places: BTreeMap<(&'static str, String), (Printout, Place)>,
}

impl Ours {
    /// Notes that a change is being committed.
    pub(super) fn begins(&mut self, wish: &Wish) {
        let record = match &wish.goal {
            Goal::Create(record) | Goal::Adopt(record) | Goal::Update(record) => Some(record.clone()),
            Goal::Delete(_) => None,
        };
        self.ends(wish, record);
        match wish.place() {
            Some(place) => self.places.insert((wish.table.resource.name, wish.new_id()), (wish.printout(), place)),
            None => self.places.remove(&(wish.table.resource.name, wish.id.clone())),
        };
    }

    /// Where the objects of a printout are to stand by what this run committed, but for one of them.
    pub(super) fn places(&self, printout: &Printout, but: &Wish) -> Vec<Place> {
        let but = [(but.table.resource.name, but.id.clone()), (but.table.resource.name, but.new_id())];
        let others = self.places.iter().filter(|(key, (own, _))| own == printout && !but.contains(key));
        others.map(|(_, (_, place))| place.clone()).collect()
    }

    /// Notes what was read back.
    pub(super) fn ends(&mut self, wish: &Wish, record: Option<Record>) {
        if record.is_none() {
            self.places.remove(&(wish.table.resource.name, wish.id.clone()));
        }
        self.objects.insert((wish.table.resource.name, wish.new_id()), record);
    }

    fn record(&self, wish: &Wish) -> Option<&Record> {
        self.objects.get(&(wish.table.resource.name, wish.id.clone()))?.as_ref()
    }
}

/// Fails if a change or a delete would write over what somebody else did since the plan.
pub(super) fn unchanged(rules: &Rules, wish: &Wish, live: &Rows, ours: &Ours) -> Result<(), Error> {
    let resource = wish.table.resource;
    // An order is brought about, whatever stood before.
    if wish.is_order() {
        return Ok(());
    }
    let (Some(seen), Some(row)) = (&wish.seen, live.find(resource.name, &wish.id)) else { return Ok(()) };
    let mut paths = changes(rules, resource, live, row, seen, ours);
    if let Some(record) = ours.record(wish).filter(|_| !paths.is_empty()) {
        let since_ours = changes(rules, resource, live, row, record, ours);
        paths.retain(|path| since_ours.contains(path));
    }
    if paths.is_empty() {
        return Ok(());
    }
    overwritten(rules, wish, live, row, &mut paths);
    let Some(first) = paths.first().cloned() else { return Ok(()) };
    let now = shown(rules, resource, live, row, seen);
    let list: Vec<String> = paths.iter().map(|path| words(resource, path, &now, seen)).collect();
    let message = format!("{} was changed by somebody else since the plan: {}.", wish.title(), list.join(", "));
    Err(Error::new(Kind::Conflict, message)
        .hint("Nothing of this change is on the gateway. Plan again to see the whole difference.")
        .at(first))
}

/// Keeps of these paths what the change writes over. A delete takes everything with it.
pub(super) fn overwritten(rules: &Rules, wish: &Wish, live: &Rows, row: &Row, paths: &mut Vec<Path>) {
    if let Goal::Update(to) = &wish.goal {
        let wanted = wanted_changes(rules, wish.table.resource, &(rules.as_standing)(live, row, to), to);
        paths.retain(|path| wanted.contains(path));
    }
}

/// The object as a refresh of what is known would show it.
fn shown(rules: &Rules, resource: &Resource, live: &Rows, row: &Row, known: &Record) -> Record {
    (rules.settle)(resource, known, &(rules.as_known)(live, row, known))
}

/// Where an object stands otherwise than it was known, through somebody else.
fn changes(rules: &Rules, resource: &Resource, live: &Rows, row: &Row, known: &Record, ours: &Ours) -> Vec<Path> {
    let now = shown(rules, resource, live, row, known);
    let inherits = (rules.source)(row).is_some_and(|source| ours.objects.contains_key(&source));
    let mut paths = (rules.differences)(resource, known, &now);
    paths.retain(|path| {
        let is_open = [known, &now].iter().any(|record| record.at_path(path).is_none_or(Value::is_null));
        match presence(resource, path) {
            Some((Presence::Computed, _)) => false,
            Some((Presence::Filled(Fill::Service), motion)) => motion == Motion::Fixed && !is_open,
            // A value that is the inherited one may stand as nothing, and the other way round.
            _ => !(inherits && is_open),
        }
    });
    paths
}

/// What stands and what was seen, shortened; a secret is not shown.
fn words(resource: &Resource, path: &Path, now: &Record, seen: &Record) -> String {
    let is_first = |attribute: &&Attribute| matches!(path.0.first(), Some(Step::Attribute(name)) if name == attribute.name);
    if let Some([now, seen]) = difference(resource, path, now, seen) {
        return format!("`{path}` has {now} now and had {seen}");
    }
    if resource.attributes.iter().find(is_first).is_none_or(is_sensitive) {
        return format!("`{path}` has another value now (it is sensitive)");
    }
    let value = |record: &Record| shortened(&spelled(record.at_path(path).unwrap_or(&Value::Null)));
    format!("`{path}` is {} now and was {}", value(now), value(seen))
}

fn is_sensitive(attribute: &Attribute) -> bool {
    attribute.sensitive || attribute.kind.members().is_some_and(|members| members.iter().any(is_sensitive))
}

fn spelled(value: &Value) -> String {
    let pairs = |members: &BTreeMap<String, Value>| {
        let set = members.iter().filter(|(_, value)| !value.is_null());
        format!("{{ {} }}", set.map(|(name, value)| format!("{name} = {}", spelled(value))).collect::<Vec<_>>().join(", "))
    };
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Unknown(_) => "not known".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("{text:?}"),
        Value::List(items) | Value::Set(items) | Value::Tuple(items) => {
            format!("[{}]", items.iter().map(spelled).collect::<Vec<_>>().join(", "))
        }
        Value::Map(members) | Value::Object(members) => pairs(members),
        Value::Dynamic(inner) => spelled(&inner.1),
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() > MOST_LETTERS {
        text.chars().take(MOST_LETTERS).chain("…".chars()).collect()
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::batch::RULES;
    use crate::gateway::resources::{
        destination_control, listener_defaults, mail_flow_policy, message_filter, sender_group, smtp_route,
    };
    use crate::gateway::table::Table;

    fn update(table: &'static Table, id: &str, seen: &Record, to: &Record) -> Wish {
        Wish { table, id: id.to_owned(), goal: Goal::Update(to.clone()), seen: Some(seen.clone()), kept: Vec::new() }
    }

    fn delete(table: &'static Table, id: &str, seen: &Record) -> Wish {
        Wish { table, id: id.to_owned(), goal: Goal::Delete(seen.clone()), seen: Some(seen.clone()), kept: Vec::new() }
    }

    fn rows(standing: &[(&'static Table, &str, &Record)]) -> Rows {
        let row = |(table, id, record): &(&'static Table, &str, &Record)| Row {
            resource: table.resource.name,
            id: (*id).to_owned(),
            record: (*record).clone().with("id", *id),
        };
        Rows { rows: standing.iter().map(row).collect(), ..Rows::default() }
    }

    /// What is said about a change of the first of these rows.
    fn said(wish: &Wish, live: &Rows, ours: &Ours) -> Option<String> {
        let error = unchanged(&RULES, wish, live, ours).err()?;
        assert_eq!(error.kind, Kind::Conflict);
        Some(error.message)
    }

    fn check(wish: &Wish, live: &[(&'static Table, &str, &Record)], expected: Option<&str>) {
        let message = said(wish, &rows(live), &Ours::default());
        match expected {
            Some(words) => assert!(message.as_ref().is_some_and(|said| said.ends_with(words)), "{message:?}"),
            None => assert_eq!(message, None),
        }
    }

    const D: &Table = &destination_control::TABLE;

    fn entry() -> Record {
        Record::new()
            .with("domain", "Example.com")
            .with("tls", "preferred")
            .with("bounce_verification", "default")
            .with("recipient_limit_minutes", 60)
            .with("dane", "default")
            .with("concurrency_limit", 10)
    }

    fn shown_entry() -> Record {
        entry().with("domain", "example.com")
    }

    #[test]
    fn e23_what_would_be_written_over_is_named_with_what_was_seen_and_what_stands() {
        let to = entry().with("concurrency_limit", 20);
        check(&update(D, "example.com", &entry(), &to), &[(D, "example.com", &shown_entry())], None);
        let theirs = shown_entry().with("tls", "required").with("concurrency_limit", 30);
        let message = "was changed by somebody else since the plan: `concurrency_limit` is 30 now and was 10, `tls` is \"required\" now and was \
                       \"preferred\".";
        check(&update(D, "example.com", &entry(), &to), &[(D, "example.com", &theirs)], Some(message));
        check(&delete(D, "example.com", &entry()), &[(D, "example.com", &theirs)], Some(message));
        check(&delete(D, "example.com", &entry()), &[(D, "example.com", &shown_entry())], None);
        let route = |host: &str| {
            let host = Value::object([("host", Value::text(host)), ("port", 25.into()), ("priority", 0.into())]);
            Record::new().with("domain", "a.example").with("destination", Value::List(vec![host]))
        };
        check(
            &delete(&smtp_route::TABLE, "a.example", &route("one.example")),
            &[(&smtp_route::TABLE, "a.example", &route("two.example"))],
            Some(
                "`destination` is [{ host = \"two.example\", port = 25, priority = 0 }] now and was [{ host = \"one.example\", port = 25, priority = 0 }].",
            ),
        );
    }

    #[test]
    fn what_stands_as_planned_or_is_left_open_is_no_conflict() {
        let to = entry().with("concurrency_limit", 20).with("dane", Value::UNKNOWN);
        let theirs = shown_entry().with("concurrency_limit", 20).with("dane", "none");
        check(&update(D, "example.com", &entry(), &to), &[(D, "example.com", &theirs)], None);
        check(
            &delete(D, "example.com", &entry()),
            &[(D, "example.com", &theirs)],
            Some("`dane` is \"none\" now and was \"default\"."),
        );
    }

    #[test]
    fn what_the_service_fills_in_and_a_printout_does_not_show_is_no_conflict() {
        let to = entry().with("tls", "none");
        let silent = shown_entry().with("dane", Value::Null);
        check(&update(D, "example.com", &entry(), &to), &[(D, "example.com", &silent)], None);
        check(&update(D, "example.com", &entry().with("dane", Value::Null), &to), &[(D, "example.com", &shown_entry())], None);
        check(&delete(D, "example.com", &entry()), &[(D, "example.com", &silent)], None);
        let defaults = |size: Option<i64>| {
            let record = Record::new().with("listener", "In").with("max_message_size", 10);
            record.with("dhap_limit", size.map_or(Value::Null, Value::integer))
        };
        let listener = &listener_defaults::TABLE;
        let wish = update(listener, "In", &defaults(Some(5)), &defaults(Some(6)));
        check(&wish, &[(listener, "In", &defaults(None))], None);
        check(&wish, &[(listener, "In", &defaults(Some(7)))], Some("`dhap_limit` is 7 now and was 5."));
    }

    #[test]
    fn what_only_follows_from_other_objects_is_no_conflict() {
        let group = |before: &str, policy: &str| {
            let record = Record::new().with("listener", "In").with("name", "G").with("policy", policy);
            record.with("senders", Value::texts(["192.0.2.1"])).with("before", before)
        };
        let table = &sender_group::TABLE;
        for wish in [update(table, "In/G", &group("H", "P"), &group("H", "Q")), delete(table, "In/G", &group("H", "P"))] {
            check(&wish, &[(table, "In/G", &group("I", "P"))], None);
            check(&wish, &[(table, "In/G", &group("I", "R"))], Some("`policy` is \"R\" now and was \"P\"."));
        }
        let filter = |position: i64, valid: bool| {
            let record = Record::new().with("name", "f").with("script", "drop();").with("active", true);
            record.with("position", position).with("valid", valid)
        };
        check(&delete(&message_filter::TABLE, "f", &filter(1, true)), &[(&message_filter::TABLE, "f", &filter(2, false))], None);
    }

    #[test]
    fn a_script_that_was_written_write_only_is_not_compared_and_another_is_not_shown() {
        let filter = |script: Value| Record::new().with("name", "f").with("script", script).with("active", true);
        let table = &message_filter::TABLE;
        let standing = filter(Value::text("if (header == 's3cret') { drop(); }"));
        let known = filter(Value::Null).with("script_wo_version", 1);
        let to = filter(Value::text("bounce();")).with("script_wo_version", 2);
        check(&update(table, "f", &known, &to), &[(table, "f", &standing)], None);
        check(&delete(table, "f", &known), &[(table, "f", &standing)], None);
        let message = "since the plan: `script` has `if` (line 1, column 1) now and had `drop` (line 1, column 1).";
        check(&delete(table, "f", &filter(Value::text("drop();"))), &[(table, "f", &standing)], Some(message));
    }

    #[test]
    fn what_this_run_changed_is_no_conflict_and_neither_is_what_follows_from_it() {
        let (one, two, three) = (entry(), entry().with("tls", "none"), entry().with("tls", "required"));
        let mut ours = Ours::default();
        ours.begins(&update(D, "example.com", &one, &two));
        let late = update(D, "example.com", &one, &three);
        assert_eq!(said(&late, &rows(&[(D, "example.com", &two)]), &ours), None);
        let theirs = shown_entry().with("tls", "preferred_verify");
        assert!(said(&late, &rows(&[(D, "example.com", &theirs)]), &ours).is_some());

        let (policies, listeners) = (&mail_flow_policy::TABLE, &listener_defaults::TABLE);
        let defaults = |size: i64| Record::new().with("listener", "In").with("max_message_size", size);
        let policy = |size: Value, hosts: i64| {
            let record = Record::new().with("listener", "In").with("name", "P").with("behavior", "accept");
            record.with("max_message_size", size).with("max_concurrency", hosts)
        };
        for (seen, standing) in [(Value::Null, Value::integer(10)), (Value::integer(10), Value::Null)] {
            let wish = update(policies, "In/P", &policy(seen, 1), &policy(Value::integer(5), 1));
            let shown = policy(standing, 1);
            let live = |size: i64| rows(&[(policies, "In/P", &shown), (listeners, "In", &defaults(size))]);
            let mut ours = Ours::default();
            assert_eq!(said(&wish, &live(10), &ours), None, "it is what it inherits");
            assert!(said(&wish, &live(20), &ours).is_some(), "somebody changed what it inherits");
            ours.begins(&update(listeners, "In", &defaults(10), &defaults(20)));
            assert_eq!(said(&wish, &live(20), &ours), None, "this run did");
        }
        let wish = update(policies, "In/P", &policy(Value::Null, 1), &policy(Value::Null, 2));
        let theirs = rows(&[(policies, "In/P", &policy(Value::Null, 3))]);
        let mut ours = Ours::default();
        ours.begins(&update(listeners, "In", &defaults(10), &defaults(20)));
        assert!(said(&wish, &theirs, &ours).is_some());
    }
}
