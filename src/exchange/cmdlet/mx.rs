//! Objects that come to refuse mail which does not come from the gateways: held against where the MX records lead, at plan and again before the change
//! is sent.
//!
//! Terraform applies a plan with another process, in which no data source is read that was read at plan. So what was asked is kept beside the state of an
//! object that does not restrict yet, when it is read at plan. (What a plan itself keeps is lost: Terraform plans again while it applies.) A new
//! object has no state, so it is looked at again only where the applying process reads the data source.

use serde_json::json;

use super::binding::{Cmdlets, Restricts};
use crate::exchange::Exchange;
use crate::remote::{Call, Change, Error, Kind, MxQuestion, MxView, Restricting, mx_words};
use crate::schema::Record;
use crate::value::{Diagnostic, Path};

/// Under which name the private data keeps what was asked.
const ASKED: &str = "mx_cutover";

impl Exchange {
    /// Judges a planned object by what data sources of this run have seen, and notes it down for those that come later.
    pub(super) fn hold_against_mx(&self, cmdlets: &Cmdlets, change: Change<'_>, call: &Call) {
        let Some(restricts) = cmdlets.restricts else { return };
        let planned = change.effective;
        let becomes = becomes(restricts, change.prior, planned);
        let is_excused = planned.truth(restricts.excuse) == Some(true);
        let restricting = becomes.then(|| Restricting { called: cmdlets.called(planned), is_excused });
        let id = change.prior.and_then(|prior| prior.text("id")).or(planned.text(cmdlets.resource.title)).unwrap_or_default();
        let views = self.cut_overs.plans(id, restricting);
        if becomes {
            views.iter().filter_map(|view| said(cmdlets, restricts, view, planned)).for_each(|said| call.report(said));
        }
    }

    /// Keeps what data sources of this run have asked, to be asked again when a plan is applied that makes the object restrict.
    pub(in crate::exchange) fn keep_mx_questions(&self, cmdlets: &Cmdlets, state: &Record, call: &Call) {
        let may_become = cmdlets.restricts.is_some_and(|restricts| !(restricts.does)(state));
        let questions = if may_become { self.cut_overs.questions() } else { Vec::new() };
        if questions.is_empty() {
            call.take_private(ASKED);
        } else {
            call.set_private(ASKED, json!(questions));
        }
    }

    /// Looks again right before the change is sent.
    pub(super) async fn refuse_while_mx_lead_elsewhere(
        &self,
        cmdlets: &Cmdlets,
        prior: Option<&Record>,
        wanted: &Record,
        call: &Call,
    ) -> Result<(), Error> {
        let kept = call.take_private(ASKED).map(serde_json::from_value).transpose();
        let kept: Option<Vec<MxQuestion>> = kept.map_err(|error| {
            Error::new(Kind::Invalid, format!("What was kept of the MX records at plan is not understood: {error}"))
                .hint("Plan again.")
        })?;
        let Some(restricts) = cmdlets.restricts.filter(|restricts| becomes(*restricts, prior, wanted)) else { return Ok(()) };
        for view in self.cut_overs.look_again(kept.unwrap_or_default(), call).await {
            match said(cmdlets, restricts, &view, wanted) {
                Some(said) if said.is_error() => {
                    return Err(Error::new(Kind::Conflict, format!("{}. {}", said.summary, said.detail))
                        .hint("Nothing was sent.")
                        .at(Path::dotted(restricts.about)));
                }
                Some(said) => call.report(said),
                None => {}
            }
        }
        Ok(())
    }
}

/// Tells whether an object does not restrict yet, and will.
fn becomes(restricts: Restricts, prior: Option<&Record>, planned: &Record) -> bool {
    (restricts.does)(planned) && !prior.is_some_and(restricts.does)
}

/// What is said of an object that comes to refuse mail, by where the records of one domain lead.
fn said(cmdlets: &Cmdlets, restricts: Restricts, view: &MxView, planned: &Record) -> Option<Diagnostic> {
    let at = Path::dotted(restricts.about);
    if let Some(why) = &view.unanswered {
        let detail = format!("{why}\n\nWhether mail still comes another way is not known. If it does, it will be refused.");
        return Some(Diagnostic::warning(format!("The MX records of {} could not be looked up", view.domain), detail).at(at));
    }
    if !view.leads_elsewhere() {
        return None;
    }
    let (summary, detail) = mx_words(view, &cmdlets.called(planned));
    let is_excused = planned.truth(restricts.excuse) == Some(true);
    Some(if is_excused { Diagnostic::warning(summary, detail) } else { Diagnostic::error(summary, detail) }.at(at))
}
