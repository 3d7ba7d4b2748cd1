//! Where objects stand among their kind: what is wished for, what stands, and the dialogs that move them.
//!
//! Message filters and sender groups are tried from the top. An object wishes to stand before another one (`before`); the order of several is an
//! object of its own ([`Neighbours::OrderOf`]), which is always there and which a reading adds to the rows of its table. A device answers a move that
//! changes nothing with an error (admin manual, "Moving Message Filters"), so none is ever typed.

use std::collections::BTreeSet;

use super::dialog::{Dialog, Reply};
use super::resources::{host_access, message_filter, message_filter_order, sender_group, sender_group_order};
use super::table::{Edit, Neighbours, Printout, Row, Rows, Table};
use crate::remote::order::{Place, arranged, steps};
use crate::remote::{Error, Kind};
use crate::schema::{Record, Resource};
use crate::value::{Path, Step, Value};

/// The attribute that lists the names of an order.
pub(super) const NAMES: &str = "names";

/// The attribute that names the object to stand before.
pub(super) const BEFORE: &str = "before";

/// The computed attribute that says where an object stands.
pub(super) const POSITION: &str = "position";

/// The group that is always the last.
const ALL: &str = "ALL";

/// The number at the place of a filter that could not be read.
const UNREAD: &str = "\u{0}";

/// The resource of which a table's object is the order.
pub(super) fn order_of(table: &Table) -> Option<&'static str> {
    match table.neighbours {
        Neighbours::OrderOf(resource) => Some(resource),
        Neighbours::None | Neighbours::Placed => None,
    }
}

/// The resource whose objects a table's object stands among, or is the order of.
pub(super) fn kind(table: &Table) -> Option<&'static str> {
    match table.neighbours {
        Neighbours::None => None,
        Neighbours::Placed => Some(table.resource.name),
        Neighbours::OrderOf(resource) => Some(resource),
    }
}

/// Where the object of a record is to stand, if that is wished for.
pub(super) fn place(table: &Table, record: &Record) -> Option<Place> {
    match table.neighbours {
        Neighbours::None => None,
        Neighbours::Placed => {
            let name = record.text(table.resource.title)?;
            record.text(BEFORE).map(|before| Place::Before(name.to_owned(), before.to_owned()))
        }
        Neighbours::OrderOf(_) => {
            let names: Vec<String> = record.texts(NAMES).into_iter().map(str::to_owned).collect();
            (!names.is_empty()).then_some(Place::Order(names))
        }
    }
}

/// The names of a kind's objects as they stand. A filter that could not be read keeps its number.
pub(super) fn standing(kind: &str, rows: &Rows) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for row in rows.rows.iter().filter(|row| row.resource == kind) {
        let Some(name) = row.record.text("name") else { continue };
        if kind == message_filter::RESOURCE.name
            && let Some(number) = row.record.integer("position").and_then(|number| usize::try_from(number).ok())
            && number <= names.len() + rows.not_understood.len() + 1
        {
            while names.len() + 1 < number {
                names.push(format!("{UNREAD}{}", names.len()));
            }
        }
        names.push(name.to_owned());
    }
    names
}

/// Adds to the rows of a printout the order of its objects, which is an object of its own.
pub(super) fn with_order(printout: &Printout, mut rows: Rows) -> Rows {
    let (resource, id, kind, listener) = match printout {
        Printout::Filters => {
            let resource = message_filter_order::RESOURCE;
            (resource.name, message_filter_order::ID.to_owned(), message_filter::RESOURCE.name, None)
        }
        Printout::Hosts(listener) => {
            (sender_group_order::RESOURCE.name, listener.clone(), sender_group::RESOURCE.name, Some(listener))
        }
        _ => return rows,
    };
    let names = standing(kind, &rows).into_iter().filter(|name| name != ALL && !name.starts_with(UNREAD));
    let mut record = Record::new().with("id", id.as_str()).with(NAMES, Value::List(names.map(Value::text).collect()));
    if let Some(listener) = listener {
        record.set("listener", listener.as_str());
    }
    rows.rows.push(Row { resource, id, record });
    rows
}

/// The order of a row as it is known: the known names in the order in which they stand, or all where none is known. Names that are gone are left out.
pub(super) fn as_known(row: &Row, known: &Record) -> Option<Value> {
    let wanted = known.texts(NAMES);
    let is_order = [message_filter_order::RESOURCE.name, sender_group_order::RESOURCE.name].contains(&row.resource);
    if !is_order || wanted.is_empty() {
        return None;
    }
    let there = row.record.texts(NAMES).into_iter().filter(|name| wanted.contains(name));
    Some(Value::List(there.map(Value::text).collect()))
}

/// The error for an order or a place that names what is not there.
pub(super) fn missing(table: &Table, record: &Record, rows: &Rows) -> Option<Error> {
    let kind = kind(table)?;
    let there = standing(kind, rows);
    let is_there = |name: &str| name == ALL || there.iter().any(|other| other == name) || rows.may_hide([name]);
    let noun = if kind == message_filter::RESOURCE.name { "message filter" } else { "sender group" };
    let whose = record.text("listener").map_or_else(|| "The gateway".to_owned(), |listener| format!("The listener {listener:?}"));
    let error = |name: &str, purpose: &str, path: Path| {
        Error::new(Kind::NotFound, format!("{whose} has no {noun} {name:?} {purpose}."))
            .hint(format!("Write a reference (`mailflow_{kind}.….name`) instead of the name, so that it is made first."))
            .at(path)
    };
    match place(table, record)? {
        Place::Before(_, before) | Place::After(_, before) => {
            (!is_there(&before)).then(|| error(&before, "to stand before", Path::root().attribute(BEFORE)))
        }
        Place::Order(names) => {
            let (index, name) = names.iter().enumerate().find(|(_, name)| !is_there(name))?;
            Some(error(name, "to bring into an order", Path::root().attribute(NAMES).index(index)))
        }
    }
}

/// The moves that a change takes, as dialogs, behind those that change the object itself: so that it stands where it is wished to, that the wishes of
/// others are kept, and that what is made anew stands at its place.
pub(super) fn moved(
    table: &Table,
    edit: Edit<'_>,
    rows: &Rows,
    others: &[Place],
    mut dialogs: Vec<Dialog>,
) -> Result<Vec<Dialog>, Error> {
    let Some(kind) = kind(table) else { return Ok(dialogs) };
    let before = standing(kind, rows);
    let own = |record: &Record| record.text(table.resource.title).unwrap_or_default().to_owned();
    let at_end = |order: &mut Vec<String>, name: String| {
        let end = order.iter().position(|other| other == ALL && kind == sender_group::RESOURCE.name).unwrap_or(order.len());
        order.insert(end, name);
    };
    // What stands once the object itself is changed, and the order from which the wished one is made.
    let (mut now, mut base, to) = (
        before.clone(),
        before,
        match edit {
            Edit::Create(to) | Edit::Update { to, .. } => to,
            Edit::Delete(_) => return Ok(dialogs),
        },
    );
    let mut movable: BTreeSet<String> = others.iter().flat_map(Place::movable).collect();
    if order_of(table).is_none() {
        movable.insert(own(to));
        match edit {
            Edit::Create(_) => {
                at_end(&mut now, own(to));
                at_end(&mut base, own(to));
            }
            Edit::Update { from, changed, .. } => {
                let (old, new) = (own(&from.record), own(to));
                base.iter_mut().filter(|name| **name == old).for_each(|name| name.clone_from(&new));
                now.clone_from(&base);
                if is_remade(table.resource, changed) {
                    now.retain(|name| *name != new);
                    at_end(&mut now, new);
                }
            }
            Edit::Delete(_) => {}
        }
    }
    let place = place(table, to);
    movable.extend(place.iter().flat_map(Place::movable));
    let wishes: Vec<Place> = place.iter().chain(others).cloned().collect();
    let target = arranged(&base, &wishes).or_else(|| arranged(&base, &wishes[..place.iter().len()]));
    let Some(target) = target else {
        let attribute = if order_of(table).is_some() { NAMES } else { BEFORE };
        return Err(Error::new(Kind::Invalid, "An object cannot stand before itself.").at(Path::root().attribute(attribute)));
    };
    let listener = to.text("listener").unwrap_or_default();
    let menu = || if kind == message_filter::RESOURCE.name { Dialog::of("filters") } else { host_access::table(listener) };
    let mut walk = menu();
    for step in steps(&now, &target, &movable) {
        walk = if kind == message_filter::RESOURCE.name {
            let (number, end) = ((step.to + 1).to_string(), target.len() - 1);
            // Whether a target counts with or without the filter itself is not documented. For one that comes from below it is the same.
            if step.to == end {
                message_filter::moved(walk, &step.name, "last")
            } else if step.to > step.from {
                message_filter::moved(message_filter::moved(walk, &step.name, "last"), &step.name, &number)
            } else {
                message_filter::moved(walk, &step.name, &number)
            }
        } else {
            host_access::moved(walk, &step.name, step.next.as_deref().unwrap_or(ALL))
        };
    }
    let opening = menu().sections.len();
    if walk.sections.len() > opening {
        let ends_in_menu = |dialog: &&mut Dialog| {
            let words = dialog.sections.iter().skip(opening).flat_map(|section| &section.choices);
            dialog.command == walk.command && words.clone().count() > 0 && words.clone().all(|word| word != "EDIT")
        };
        match dialogs.last_mut().filter(ends_in_menu) {
            Some(last) => last.sections.extend(walk.sections.into_iter().skip(opening)),
            None => dialogs.push(walk),
        }
    }
    Ok(dialogs)
}

/// The names of the objects that dialogs move.
pub(super) fn moved_names(dialogs: &[Dialog]) -> Vec<String> {
    let sections = dialogs.iter().flat_map(|dialog| &dialog.sections);
    let moves = sections.filter(|section| section.choices.iter().any(|word| word == "MOVE"));
    let keys = moves.flat_map(|section| &section.answers).filter_map(|answer| match &answer.reply {
        Reply::Key(name) => Some(name.clone()),
        _ => None,
    });
    keys.collect()
}

/// Tells whether a change makes the object anew, which then stands at the end.
fn is_remade(resource: &Resource, changed: &[Path]) -> bool {
    let attributes: &[&str] = if resource.name == message_filter::RESOURCE.name { &["script", "name"] } else { &["comment"] };
    changed.iter().any(|path| matches!(path.0.first(), Some(Step::Attribute(name)) if attributes.contains(&name.as_str())))
}
