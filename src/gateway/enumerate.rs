//! The objects of a table, all of them: from every listener where they belong to one.

use std::sync::Arc;

use async_trait::async_trait;

use super::objects::Gateway;
use super::table::{Printout, Rows, Table};
use crate::remote::{Call, Enumerate, Error, Kind, Listing};
use crate::schema::{Record, Resource, engine};

#[async_trait]
impl Enumerate for Gateway {
    async fn list(&self, resource: &'static Resource, within: &Record, call: &Call) -> Result<Listing, Error> {
        let table = self.table(resource)?;
        let mut listing = Listing::default();
        for printout in self.printouts(table, within, call).await? {
            match self.rows(&printout, call).await {
                Ok(rows) => self.add(resource, &rows, &mut listing, call).await,
                Err(error) if matches!(error.kind, Kind::Unavailable | Kind::Stopped) => return Err(error),
                Err(error) => listing.trouble(&error, &format!("read {}", printout.title())),
            }
        }
        Ok(listing)
    }
}

impl Gateway {
    /// The printouts in which a table's objects stand.
    async fn printouts(&self, table: &'static Table, within: &Record, call: &Call) -> Result<Vec<Printout>, Error> {
        let of = |listener: &str| (table.printout)(&Record::new().with("listener", listener));
        if (table.listener)(&Record::new().with("listener", "any")).is_none() {
            return Ok(vec![(table.printout)(&Record::new())]);
        }
        let listeners = self.rows(&Printout::Listeners, call).await?;
        let wanted = |name: &str| within.text("listener").is_none_or(|listener| listener == name);
        let listed = listeners.rows.iter().filter(|row| wanted(&row.id)).filter(|row| {
            // Only public listeners have a recipient access table.
            let is_public = row.record.text("type").is_none_or(|kind| kind == "public");
            is_public || !matches!(of(&row.id), Printout::Recipients(_))
        });
        Ok(listed.map(|row| of(&row.id)).collect())
    }

    /// Adds the objects of a printout as a read right after their import shows them.
    async fn add(&self, resource: &'static Resource, rows: &Arc<Rows>, listing: &mut Listing, call: &Call) {
        for row in rows.rows.iter().filter(|row| row.resource == resource.name) {
            let imported = engine::settle(resource, &Record::new(), &row.record.clone().with("id", row.id.as_str()));
            let read = super::resources::as_known(rows, row, &imported).with("id", row.id.as_str());
            let read = match self.guarded(resource, read.clone(), rows, call).await {
                Ok(guarded) => guarded,
                Err(error) => {
                    listing.trouble(&error, &format!("read which message filter guards {}", resource.called(&read)));
                    read
                }
            };
            listing.objects.push(self.explained(resource, read, call).await);
        }
    }
}
