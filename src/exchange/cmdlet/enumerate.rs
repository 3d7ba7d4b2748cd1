//! All objects of a noun.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::binding::{Cmdlets, Life};
use super::lists::List;
use super::read::Who;
use crate::exchange::Exchange;
use crate::exchange::answer::Object;
use crate::remote::{Call, Error, Listing};
use crate::schema::{Record, engine};

impl Exchange {
    /// Lists the objects of a noun, those included that a plain Get hides.
    pub(in crate::exchange) async fn list_objects(&self, cmdlets: &'static Cmdlets, call: &Call) -> Result<Listing, Error> {
        let mut listing = Listing::default();
        match cmdlets.life {
            Life::Order => listing.objects.extend(self.find_whole_order(cmdlets, call).await?),
            Life::Single { .. } => {
                if let Some((object, list)) = self.seek(cmdlets, Who::Only, 0, call).await?.found {
                    self.add(cmdlets, &object, &list, &mut listing, call).await;
                }
            }
            Life::Made | Life::Found | Life::Switched(_) => {
                let mut seen = BTreeSet::new();
                for switches in cmdlets.views() {
                    let list = self.listed(cmdlets, switches, 0, call).await?;
                    for object in list.objects.iter().filter(|object| cmdlets.shows(object)) {
                        if seen.insert(cmdlets.id(object)) {
                            self.add(cmdlets, object, &list, &mut listing, call).await;
                        }
                    }
                }
            }
        }
        Ok(listing)
    }

    /// Adds an object as a read right after its import shows it.
    async fn add(&self, cmdlets: &'static Cmdlets, object: &Object, list: &Arc<List>, listing: &mut Listing, call: &Call) {
        let read = async {
            let found = self.shown(cmdlets, object, list, None, call).await?;
            let imported = engine::settle(cmdlets.resource, &Record::new(), &found);
            self.shown(cmdlets, object, list, Some(&imported), call).await
        };
        match read.await {
            Ok(record) => listing.objects.push(record),
            Err(error) => {
                let title = object.text(cmdlets.titled).map(|title| Record::new().with(cmdlets.resource.title, title));
                listing.trouble(&error, &format!("read {}", cmdlets.called(&title.unwrap_or_default())));
            }
        }
    }
}
