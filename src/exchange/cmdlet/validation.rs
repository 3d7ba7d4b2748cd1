//! Validations: a cmdlet that tries an object out and writes to people, so that it is run only where a switch asks for it.
//!
//! `Validate-OutboundConnector` connects to every smart host and sends a message to each recipient. It does not note down what came
//! of it: that is done by a `Set-OutboundConnector` with `IsValidated` and `LastValidationTimestamp`, as the admin centre does it.

use serde_json::{Value as Json, json};
use time::OffsetDateTime;
use tokio::time::Instant;

use super::binding::{Cmdlets, Validation};
use super::names::parameter;
use super::send::identity;
use super::shape::masks;
use super::values::{sent, to_json};
use crate::exchange::Exchange;
use crate::exchange::answer::Object;
use crate::remote::{Call, Error, pause};
use crate::schema::Record;
use crate::value::{Diagnostic, Path};

impl Exchange {
    /// Validates an object if it asks for it and if that is due: it was never validated, or what matters changed. What fails here is a
    /// warning: the object stands, and the next plan tries again.
    pub(super) async fn validate(
        &self,
        cmdlets: &'static Cmdlets,
        id: &str,
        wanted: &Record,
        record: &mut Record,
        matters: bool,
        call: &Call,
    ) {
        let Some(validation) = cmdlets.validation else { return };
        let valid = record.truth(validation.outcome) == Some(true);
        if wanted.truth(validation.switch) != Some(true) || (valid && !matters) {
            return;
        }
        let refused = self.try_out(cmdlets, validation, id, wanted, call).await;
        if let Err(words) = &refused {
            call.report(
                Diagnostic::warning(
                    format!("The validation of {} failed", cmdlets.called(wanted)),
                    format!(
                        "{words}\n\nThe {} itself is as configured. As long as `{}` is true, each apply tries again.",
                        cmdlets.resource.noun, validation.switch
                    ),
                )
                .at(Path::dotted(validation.switch)),
            );
        }
        if refused.is_err() && !valid {
            return;
        }
        let late = self.late(call);
        match self.note(cmdlets, validation, id, wanted, refused.is_ok(), &late).await {
            Ok(Some(noted)) => *record = noted,
            Ok(None) => call.report(Diagnostic::warning(
                format!("The validation of {} is not shown yet", cmdlets.called(wanted)),
                "What came of it was noted down, and the service does not show that yet. The next plan looks again.",
            )),
            Err(error) => call.report(Diagnostic::warning(
                format!("Unable to note down the validation of {}", cmdlets.called(wanted)),
                error.to_string(),
            )),
        }
        late.take_reports().into_iter().for_each(|report| call.report(report));
    }

    async fn try_out(
        &self,
        cmdlets: &'static Cmdlets,
        validation: Validation,
        id: &str,
        wanted: &Record,
        call: &Call,
    ) -> Result<(), String> {
        let mut parameters = identity(cmdlets, id, true);
        let recipients = to_json(None, wanted.at(validation.recipients)).unwrap_or_else(|| json!([]));
        parameters.insert("Recipients".to_owned(), recipients);
        let masks = masks(cmdlets.resource, &[wanted]);
        // Once: a second try would write to the same people again.
        let answer = self.write(cmdlets, cmdlets.cmdlet("Validate"), parameters, &masks, call).await;
        match answer {
            Err(failed) => Err(failed.error.to_string()),
            Ok(answer) => {
                let said: Vec<_> = answer.objects.iter().flatten().filter_map(refusal).collect();
                if said.is_empty() { Ok(()) } else { Err(said.join("\n")) }
            }
        }
    }

    /// Notes down what came of it, and gives the object that shows it.
    async fn note(
        &self,
        cmdlets: &'static Cmdlets,
        validation: Validation,
        id: &str,
        wanted: &Record,
        valid: bool,
        call: &Call,
    ) -> Result<Option<Record>, Error> {
        let shown = parameter(validation.outcome);
        let mut parameters = identity(cmdlets, id, false);
        parameters.insert(shown.clone(), json!(valid));
        parameters.insert("LastValidationTimestamp".to_owned(), json!(sent(OffsetDateTime::now_utc())));
        let masks = masks(cmdlets.resource, &[wanted]);
        let done = |object: &Object| object.get(&shown).as_bool() == Some(valid);
        self.change(cmdlets, id, "Set", parameters, &masks, call, &done).await.map_err(|failed| failed.error)?;
        let (limit, mut after) = (Instant::now() + self.pace.consistency, 0);
        for wait in self.polls() {
            let sought = self.seek(cmdlets, cmdlets.who(id), after, call).await?;
            if let Some((object, list)) = sought.found.filter(|(object, _)| done(object)) {
                let mut record = self.shown(cmdlets, &object, &list, Some(wanted), call).await?;
                super::absent::keep(cmdlets, &mut record, Some(wanted));
                return Ok(Some(record));
            }
            if Instant::now() + wait >= limit {
                break;
            }
            after = sought.seen;
            pause(call, wait).await?;
        }
        Ok(None)
    }
}

/// What an object of the answer says against the validation. The vendor does not describe the answer, so whatever speaks of a
/// failure counts: a truth value of a success that is false, or a word of a failure in a result.
fn refusal(object: &Object) -> Option<String> {
    let mut failed = false;
    let mut said = Vec::new();
    for (name, value) in object.members() {
        let speaks = |words: &[&str]| words.iter().any(|word| name.contains(word));
        match value {
            Json::Bool(false) => failed |= speaks(&["success", "succeeded", "passed", "isvalid"]),
            Json::Bool(true) => failed |= speaks(&["failed", "haserror"]),
            Json::String(text) if speaks(&["status", "result", "outcome"]) => {
                let lower = text.to_lowercase();
                failed |= ["fail", "error", "invalid", "unsuccessful"].iter().any(|word| lower.contains(word));
            }
            _ => {}
        }
        if let Some(text) = value.as_str().filter(|text| !text.is_empty()) {
            said.push(format!("{name}: {text}"));
        }
    }
    failed.then(|| if said.is_empty() { "The service says that it did not succeed.".to_owned() } else { said.join(", ") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_speaks_of_a_failure_counts_as_one() {
        let object = |json: Json| Object::new(json.as_object().unwrap().clone());
        for good in [json!({}), json!({"Status": "Succeeded"}), json!({"IsTaskSuccessful": true, "Detail": "no errors"})] {
            assert_eq!(refusal(&object(good.clone())), None, "{good}");
        }
        for bad in [
            json!({"IsTaskSuccessful": false, "Detail": "450 4.4.316 Connection refused"}),
            json!({"Result": "Failed", "Detail": "450 4.4.316 Connection refused"}),
        ] {
            assert!(refusal(&object(bad)).unwrap().contains("450 4.4.316"));
        }
    }
}
