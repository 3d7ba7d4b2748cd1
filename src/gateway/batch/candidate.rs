//! What a session sees of a printout while changes are being staged in it.
//!
//! It is read once. What is staged then is put into the rows as it was wished for, so that a batch of many changes of one table reads the
//! table once and not once for each. The reading after the commit is the proof; nothing here reaches a caller.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::weigh::{self, Staging, same};
use super::{Rules, Wish};
use crate::gateway::table::{Neighbours, Row, Rows};
use crate::schema::Resource;

/// The rows of a printout with what is staged.
pub(super) struct Candidate {
    rows: Arc<Rows>,
    /// Whether the rows stand in the device's order, with what they say about it.
    in_order: bool,
    /// The resources of rows that were not read but wished for.
    wished: BTreeMap<&'static str, &'static Resource>,
}

/// What the device shows as staged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shown {
    /// Nothing.
    Nothing,
    /// Something was staged since it was asked.
    Unasked,
    /// In its own words.
    Words(String),
}

impl Candidate {
    /// Takes what was read.
    pub(super) fn read(rows: Arc<Rows>) -> Candidate {
        Candidate { rows, in_order: true, wished: BTreeMap::new() }
    }

    /// The rows.
    pub(super) fn rows(&self) -> &Arc<Rows> {
        &self.rows
    }

    /// Whether the dialogs of this change can be told from these rows.
    pub(super) fn serves(&self, wish: &Wish) -> bool {
        self.in_order || !weigh::looks_around(wish)
    }

    /// Puts in what was staged.
    pub(super) fn put(&mut self, wish: &Wish, staging: Staging) {
        let resource = wish.table.resource;
        let rows = &mut Arc::make_mut(&mut self.rows).rows;
        let standing = rows.iter().position(|row| row.resource == resource.name && row.id == wish.id);
        match (staging.row, standing.and_then(|at| rows.get_mut(at))) {
            (Some(row), Some(place)) => *place = row,
            (Some(row), None) => rows.push(row),
            (None, _) => {
                standing.map(|at| rows.remove(at));
            }
        }
        self.wished.insert(resource.name, resource);
        if wish.table.neighbours != Neighbours::None && staging.moves {
            self.in_order = false;
        }
    }

    /// Whether a printout shows these objects and no others, each as it was read or wished for. What only the device sets does not count.
    pub(super) fn agrees(&self, rules: &Rules, shown: &Rows) -> bool {
        let key = |row: &Row| (row.resource, row.id.clone());
        let known: BTreeMap<_, &Row> = self.rows.rows.iter().map(|row| (key(row), row)).collect();
        self.in_order
            && known.len() == shown.rows.len()
            && self.rows.not_understood == shown.not_understood
            && self.rows.nameless == shown.nameless
            && shown.rows.iter().all(|row| {
                known.get(&key(row)).is_some_and(|known| match self.wished.get(row.resource) {
                    Some(resource) => same(rules, resource, &known.record, &row.record),
                    None => known.record == row.record,
                })
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::batch::{Goal, RULES};
    use crate::gateway::resources::{mail_flow_policy, message_filter, sender_group, smtp_route};
    use crate::gateway::table::Table;
    use crate::schema::Record;

    fn wish(table: &'static Table, id: &str, goal: Goal) -> Wish {
        Wish { table, id: id.to_owned(), goal, seen: None, kept: Vec::new() }
    }

    fn put(candidate: &mut Candidate, wish: &Wish, row: Option<Record>, moves: bool) {
        let row = row.map(|record| Row { resource: wish.table.resource.name, id: wish.id.clone(), record });
        candidate.put(wish, Staging { dialogs: Vec::new(), row, moves });
    }

    #[test]
    fn only_what_looks_at_neighbours_that_were_moved_is_read_again() {
        let plain = || Record::new();
        let placed = || Record::new().with("before", "other");
        let cases = [
            (&smtp_route::TABLE, Goal::Update(plain()), true),
            (&mail_flow_policy::TABLE, Goal::Update(plain()), true),
            (&sender_group::TABLE, Goal::Create(placed()), false),
            (&sender_group::TABLE, Goal::Delete(plain()), true),
            (&sender_group::TABLE, Goal::Update(plain()), false),
            (&sender_group::TABLE, Goal::Adopt(plain()), false),
            (&message_filter::TABLE, Goal::Create(plain()), true),
            (&message_filter::TABLE, Goal::Create(placed()), false),
            (&message_filter::TABLE, Goal::Update(plain()), false),
            (&message_filter::TABLE, Goal::Delete(plain()), true),
        ];
        for (table, goal, serves) in cases {
            let mut candidate = Candidate::read(Arc::default());
            let next = wish(table, "next", goal);
            assert!(candidate.serves(&next));
            put(&mut candidate, &wish(table, "one", Goal::Update(plain())), Some(plain()), false);
            assert!(candidate.serves(&next), "nothing moved");
            put(&mut candidate, &wish(table, "two", Goal::Create(plain())), Some(plain()), true);
            assert_eq!(candidate.serves(&next), serves, "{} {:?}", table.resource.name, next.goal);
        }
    }

    fn route(id: &str, port: i64) -> Row {
        let destination = crate::value::Value::object([
            ("host", crate::value::Value::text("mx.example.com")),
            ("port", crate::value::Value::integer(port)),
            ("priority", crate::value::Value::integer(0)),
        ]);
        let record =
            Record::new().with("id", id).with("domain", id).with("destination", crate::value::Value::List(vec![destination]));
        Row { resource: smtp_route::RESOURCE.name, id: id.to_owned(), record }
    }

    #[test]
    fn what_was_staged_agrees_with_a_printout_that_shows_it_and_nothing_else() {
        let rows = |rows: &[Row]| Rows { rows: rows.to_vec(), ..Rows::default() };
        let mut candidate =
            Candidate::read(Arc::new(rows(&[route("a.example", 25), route("b.example", 25), route("c.example", 25)])));
        let changes = [
            ("d.example", Some(route("d.example", 25).record)),
            ("b.example", Some(route("b.example", 26).record)),
            ("c.example", None),
        ];
        for (id, record) in changes {
            let goal = Goal::Delete(Record::new());
            put(&mut candidate, &wish(&smtp_route::TABLE, id, goal), record, false);
        }
        let (a, b, d) = (route("a.example", 25), route("b.example", 26), route("d.example", 25));
        assert!(candidate.agrees(&RULES, &rows(&[d.clone(), a.clone(), b.clone()])));
        for other in [
            rows(&[a.clone(), b.clone()]),
            rows(&[a.clone(), b.clone(), d.clone(), route("c.example", 25)]),
            rows(&[a.clone(), route("b.example", 25), d.clone()]),
            rows(&[route("a.example", 27), b.clone(), d.clone()]),
            Rows { not_understood: vec!["?".to_owned()], ..rows(&[a.clone(), b.clone(), d.clone()]) },
        ] {
            assert!(!candidate.agrees(&RULES, &other), "{other:?}");
        }
    }

    #[test]
    fn an_object_stands_as_it_was_wished_for_and_as_before_in_what_nobody_wished() {
        let from = route("a.example", 25);
        let to = Record::new().with("domain", "A.example").with("destination", crate::value::Value::UNKNOWN);
        let wished = weigh::wished(&wish(&smtp_route::TABLE, "a.example", Goal::Update(to.clone())), &to, Some(&from));
        assert_eq!(wished.record.get("destination"), from.record.get("destination"));
        assert_eq!((wished.record.text("domain"), wished.record.text("id")), (Some("A.example"), Some("a.example")));
    }
}
