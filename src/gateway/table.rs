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
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    /// The objects.
    pub rows: Vec<Row>,
    /// Lines that no parser understood, as printed (masked where they may hold a secret). Never skipped in silence.
    pub not_understood: Vec<String>,
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
    /// Which object follows which: a change may name the one to stand before (`before`), which must be there.
    ByName,
    /// Where each object stands: a change, or a new object, may be put at the position of the one to stand before.
    ByPosition,
}

/// A resource of the gateway.
pub struct Table {
    /// The attributes.
    pub resource: &'static Resource,
    /// Where the object of this record is printed.
    pub printout: fn(&Record) -> Printout,
    /// The listener that the object belongs to, if it belongs to one: it is looked up at plan.
    pub listener: fn(&Record) -> Option<&str>,
    /// Whether the object always exists: it is adopted on create and restored on destroy.
    pub always_there: fn(&Record) -> bool,
    /// What the dialogs need to know of the objects around.
    pub neighbours: Neighbours,
    /// Declares the dialogs that stage a change, given the rows of the candidate. What other changes of the same batch staged stands in
    /// these rows as it was wished for, at the end if it is new; where [`Table::neighbours`] matters, they are as the device prints them.
    pub stage: fn(Edit<'_>, &Rows) -> Result<Vec<Dialog>, Error>,
    /// Checks a planned object against the rows that stand now (warnings, and errors that only the device's state shows).
    pub check: fn(&Record, &Rows) -> Diagnostics,
}

impl Printout {
    /// The next dialog to walk to read this printout, given what earlier ones said; `None` when all is said.
    pub fn dialog(&self, said: &[Said]) -> Option<Dialog> {
        super::resources::dialog(self, said)
    }

    /// Understands what was said. A printout that is cut off is an error.
    pub fn parse(&self, said: &[Said]) -> Result<Rows, Error> {
        super::resources::parse(self, said)
    }
}
