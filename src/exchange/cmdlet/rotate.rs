//! Keys that are made anew by a cmdlet of their own: `Rotate`.

use serde_json::{Value as Json, json};

use super::binding::{Cmdlets, Rotation};
use super::send::identity;
use super::shape::Leaf;
use super::values::to_json;
use crate::exchange::Exchange;
use crate::exchange::answer::{Failed, Object};
use crate::remote::{Call, Error, Kind, Masks};
use crate::schema::Record;

/// Tells whether a change asks for new keys, beside those that another size needs: a version that was not there before, too.
pub(super) fn is_asked(cmdlets: &Cmdlets, prior: &Record, wanted: &Record) -> bool {
    let Some(rotation) = cmdlets.rotation else { return false };
    let version = wanted.at(rotation.version);
    !version.is_null() && version.is_wholly_known() && version != prior.at(rotation.version)
}

impl Exchange {
    /// Makes new keys, of another size where the attribute is given. An answer that was lost is settled by looking: keys are not rotated twice.
    pub(super) async fn rotate(
        &self,
        cmdlets: &'static Cmdlets,
        rotation: Rotation,
        id: &str,
        size: Option<(&Leaf, &Record)>,
        masks: &Masks,
        call: &Call,
    ) -> Result<(), Failed> {
        let standing = self.seek(cmdlets, cmdlets.who(id), 0, call).await?.found;
        let before: Json = standing.map(|(object, _)| object.get(rotation.moment).clone()).unwrap_or_default();
        let mut parameters = identity(cmdlets, id, false);
        parameters.insert("Confirm".to_owned(), json!(false));
        if let Some((leaf, wanted)) = size
            && let Some(size) = to_json(None, wanted.at(&leaf.name))
        {
            parameters.insert(leaf.parameter.clone(), size);
        }
        let done = |object: &Object| *object.get(rotation.moment) != before;
        let sent = self.change(cmdlets, id, "Rotate", parameters, masks, call, &done).await;
        sent.map_err(|failed| match failed.error.kind {
            Kind::Invalid | Kind::Conflict => Failed { error: explained(failed.error), ..failed },
            _ => failed,
        })
    }
}

fn explained(error: Error) -> Error {
    error.hint(
        "Keys are only rotated while signing is enabled for the domain (`mailflow_exchange_dkim_activation`), and not again before the last rotation has \
         taken effect (`rotate_on_date`, 96 hours later). Apply again then, or take the change back.",
    )
}
