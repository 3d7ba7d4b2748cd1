//! What a gateway resource is: where its objects are printed, and how a change is staged.

use super::dialog::{Dialog, Said};
use crate::remote::Error;
use crate::schema::{Record, Resource};
use crate::value::{Diagnostics, Path};

/// A printout of the device: what one read covers, what all readers share, and what a write to it makes stale.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Printout {
    /// The listeners: name, type, interface.
    Listeners,
    /// The destination control table.
    Destinations,
    /// The SMTP routes.
    Routes,
    /// The message filters with their text.
    Filters,
    /// The SSL configuration.
    Tls,
    /// The release and the model.
    Version,
    /// The account and its groups.
    Account,
    /// What the device tells of `commit`, which it tells to those who may use it.
    CommitHelp,
    /// The recipient access table of a listener.
    Recipients(String),
    /// The host access table of a listener: mail flow policies and sender groups.
    Hosts(String),
}

/// What a printout says: one row per object, in the device's order.
///
/// A table is a sequence of rows that are known by their place. A row that cannot be read is a row all the same: its text is among what was
/// not understood, it counts where the device says how many there are, and it says nothing about the rows around it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    /// The objects.
    pub rows: Vec<Row>,
    /// Lines that no parser understood, as printed (masked where they may hold a secret). Never skipped in silence.
    pub not_understood: Vec<String>,
    /// How many rows show no text by which their object could be known.
    pub nameless: usize,
    /// The names of objects of which rows were taken out: they stand in the session as a killed run staged them, and not as they are live.
    pub set_aside: Vec<String>,
}

/// One object of a printout.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The name of the resource whose table the record follows; a host access table holds two kinds. Empty for a row that no
    /// resource manages.
    pub resource: &'static str,
    /// The object's `id`: its import ID.
    pub id: String,
    /// What the device says, under the names of the resource's table, with `id`.
    pub record: Record,
}

impl Rows {
    /// Finds an object.
    pub fn find(&self, resource: &str, id: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.resource == resource && row.id == id)
    }

    /// Tells whether an object that is not among the rows may stand in one that could not be read: whether one of its names is in the text of
    /// such a row, or a row shows no text at all. Case, brackets and quotes do not count.
    pub fn may_hide<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> bool {
        if self.nameless > 0 {
            return true;
        }
        if self.not_understood.is_empty() && self.set_aside.is_empty() {
            return false;
        }
        let names: Vec<&str> = names.into_iter().collect();
        if self.is_set_aside(names.iter().copied()) {
            return true;
        }
        let names: Vec<String> = names.into_iter().map(bare).filter(|name| !name.is_empty()).collect();
        self.not_understood.iter().map(|line| bare(line)).any(|line| names.iter().any(|name| line.contains(name.as_str())))
    }

    /// Takes out the rows of objects that are staged in the session. What is live of them cannot be seen before that is cleared.
    pub(super) fn set_aside(&mut self, names: &[String]) {
        self.set_aside = names.iter().map(|name| bare(name)).collect();
        let staged: std::collections::BTreeSet<&str> = self.set_aside.iter().map(String::as_str).collect();
        self.rows.retain(|row| {
            let last = row.id.rsplit('/').next().unwrap_or(&row.id);
            !staged.contains(bare(last).as_str())
        });
    }

    /// Tells whether an object with one of these names was taken out.
    pub(super) fn is_set_aside<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> bool {
        !self.set_aside.is_empty() && names.into_iter().map(bare).any(|name| self.set_aside.contains(&name))
    }
}

/// A text without case, brackets and quotes.
fn bare(text: &str) -> String {
    text.to_lowercase().replace(['"', '\'', '`', '[', ']', '(', ')', '<', '>'], "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_row_that_names_an_object_or_shows_nothing_may_hide_it() {
        let check = |lines: &[&str], nameless: usize, name: &str, expected: bool| {
            let not_understood = lines.iter().map(|line| (*line).to_owned()).collect();
            let rows = Rows { not_understood, nameless, ..Rows::default() };
            assert_eq!(rows.may_hide([name]), expected, "{name} in {lines:?}");
        };
        check(&[], 0, "a.example", false);
        check(&["b.example quantum"], 0, "a.example", false);
        check(&["\"A.Example\" quantum"], 0, "a.example", true);
        check(&["IPv6:2001:db8::1 quantum"], 0, "[IPv6:2001:DB8::1]", true);
        check(&[], 1, "a.example", true);
        check(&["quantum"], 0, "", false);
    }
}

/// A change to stage, over what stands in the candidate.
#[derive(Debug, Clone, Copy)]
pub enum Edit<'a> {
    /// The object is not there yet.
    Create(&'a Record),
    /// The object is there and is to change.
    Update {
        /// What stands in the candidate.
        from: &'a Row,
        /// What is wanted.
        to: &'a Record,
        /// The attributes that differ in meaning.
        changed: &'a [Path],
    },
    /// The object is there and is to go.
    Delete(&'a Row),
}

/// What the dialogs of a resource need to know of the objects around, which decides when a printout is read again within a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Neighbours {
    /// Nothing that a staged change could have moved.
    None,
    /// Where each object stands: an object may be wished to stand before another (`before`).
    Placed,
    /// The object is no row but the order of those of this resource, and lists their names (`names`). It is always there, and stays as it is
    /// when it is no longer managed.
    OrderOf(&'static str),
}

/// A resource of the gateway.
pub struct Table {
    /// The attributes.
    pub resource: &'static Resource,
    /// Where the object of this record is printed.
    pub printout: fn(&Record) -> Printout,
    /// The listener that the object belongs to, if it belongs to one: it is looked up at plan.
    pub listener: fn(&Record) -> Option<&str>,
    /// Whether an object that is always there may be missing from the printout, as it then is what the device starts with: it is made to set
    /// it, and deleted to reset it.
    pub resettable: bool,
    /// What the dialogs need to know of the objects around.
    pub neighbours: Neighbours,
    /// Declares the dialogs that stage a change, but for those that move objects, given the rows of the candidate. What other changes of the same batch staged stands in
    /// these rows as it was wished for, at the end if it is new; where [`Table::neighbours`] matters, they are as the device prints them.
    pub stage: fn(Edit<'_>, &Rows) -> Result<Vec<Dialog>, Error>,
    /// Checks a planned object against the rows that stand now (warnings, and errors that only the device's state shows).
    pub check: fn(&Record, &Rows) -> Diagnostics,
}

impl Printout {
    /// Whether the order of its objects is nothing that a change looks at or moves.
    pub fn is_unordered(&self) -> bool {
        matches!(self, Printout::Destinations | Printout::Routes | Printout::Recipients(_))
    }

    /// The next dialog to walk to read this printout, given what earlier ones said; `None` when all is said.
    pub fn dialog(&self, said: &[Said]) -> Option<Dialog> {
        super::resources::dialog(self, said)
    }

    /// Understands what was said. A printout that is cut off is an error.
    pub fn parse(&self, said: &[Said]) -> Result<Rows, Error> {
        super::resources::parse(self, said)
    }
}
