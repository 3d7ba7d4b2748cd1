//! What can be said of a change at plan: two resources for one object, a name that is taken, what an adoption changes.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::adopt::{takes_over, to_adopt};
use super::binding::{Cmdlets, Life};
use super::read::Who;
use super::words::{import, twice};
use crate::exchange::Exchange;
use crate::remote::{Call, Change, Error, Kind};
use crate::schema::Record;
use crate::value::{Diagnostic, Path};

/// How long a plan waits for what is only good for a warning.
const PATIENCE: Duration = Duration::from_secs(20);

/// The objects that this run plans to create, by noun and title.
#[derive(Debug, Default)]
pub(in crate::exchange) struct Claims(Mutex<BTreeSet<(&'static str, String)>>);

impl Claims {
    /// Tells whether this is the first to claim the title.
    fn is_first(&self, noun: &'static str, title: String) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((noun, title))
    }
}

impl Exchange {
    /// Judges a planned change as far as that can be done without a false alarm; the rest are warnings.
    pub(in crate::exchange) async fn review(
        &self,
        cmdlets: &'static Cmdlets,
        change: Change<'_>,
        call: &Call,
    ) -> Result<(), Error> {
        let planned = change.planned;
        if matches!(cmdlets.life, Life::Order) {
            return Ok(());
        }
        let title = match cmdlets.life {
            Life::Single { .. } => Some(String::new()),
            _ => planned.text(cmdlets.resource.title).map(|title| claimed(cmdlets, title)),
        };
        let creates = change.prior.is_none();
        if creates
            && let Some(title) = &title
            && !self.claims.is_first(cmdlets.noun, title.clone())
        {
            return Err(twice(cmdlets, planned));
        }
        // After the first write of a run the rest is told by the writes themselves.
        if self.lists.written(cmdlets.noun) {
            return Ok(());
        }
        if title.is_none() {
            return Ok(());
        }
        // A plan that only creates must not hang on a service that does not answer.
        let short = Call::new(call.stop.clone(), call.time_left().min(PATIENCE));
        let looked = self.look(cmdlets, change, &short).await;
        short.take_reports().into_iter().for_each(|report| call.report(report));
        match looked {
            Err(error) if matches!(error.kind, Kind::Unavailable | Kind::Throttled) => {
                tracing::debug!(noun = cmdlets.noun, %error, "the plan is not held against what stands there");
                Ok(())
            }
            outcome => outcome,
        }
    }

    async fn look(&self, cmdlets: &'static Cmdlets, change: Change<'_>, call: &Call) -> Result<(), Error> {
        let (planned, creates) = (change.planned, change.prior.is_none());
        if creates && cmdlets.adopts(planned) {
            let sought = self.seek(cmdlets, to_adopt(cmdlets, planned), 0, call).await?;
            if let Some((object, _)) = sought.found
                && let Some(warning) = takes_over(cmdlets, &object, planned)
            {
                call.report(warning);
            }
            return Ok(());
        }
        let own = change.prior.and_then(|prior| prior.text("id"));
        if creates || renamed(cmdlets, change) {
            self.look_for_name(cmdlets, planned, own, call).await?;
        }
        if let Some(beside) = cmdlets.beside {
            let list = self.listed(cmdlets, "", 0, call).await?;
            for found in beside(planned, own, &list.objects) {
                call.report(found);
            }
        }
        Ok(())
    }

    /// Warns of a name that another object has, which no resource was seen to manage. It is no error: this plan may remove or
    /// rename the other one.
    async fn look_for_name(
        &self,
        cmdlets: &'static Cmdlets,
        planned: &Record,
        own: Option<&str>,
        call: &Call,
    ) -> Result<(), Error> {
        let name = planned.text(cmdlets.resource.title).unwrap_or_default();
        let Some((object, _)) = self.seek(cmdlets, Who::Name(name), 0, call).await?.found else { return Ok(()) };
        let guid = object.guid().unwrap_or_default();
        if own.is_some_and(|own| own.eq_ignore_ascii_case(&guid)) || self.known_ids(cmdlets).contains(&guid) {
            return Ok(());
        }
        let noun = cmdlets.resource.noun;
        call.report(
            Diagnostic::warning(
                format!("A {noun} with the name {name:?} is there already"),
                format!(
                    "Unless this plan removes or renames it, applying will fail, and nothing will be overwritten. {}",
                    import(cmdlets, object.text("Name").unwrap_or(name), &guid)
                ),
            )
            .at(Path::dotted(cmdlets.resource.title)),
        );
        Ok(())
    }
}

/// The one spelling of a title.
fn claimed(cmdlets: &Cmdlets, title: &str) -> String {
    let attribute = cmdlets.resource.attributes.iter().find(|own| own.name == cmdlets.resource.title);
    attribute.and_then(|own| own.meaning).map_or_else(|| title.to_lowercase(), |meaning| meaning(title))
}

fn renamed(cmdlets: &Cmdlets, change: Change<'_>) -> bool {
    let title = cmdlets.resource.title;
    change.prior.is_some_and(|prior| prior.text(title) != change.planned.text(title))
}
