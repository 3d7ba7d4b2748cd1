//! Applies: what was planned is done, and what stands then is saved.
//!
//! Whatever happens, the answer holds the object as far as it is known: a gRPC status instead would make the host forget it.

use std::sync::Arc;

use super::limit::{Operation, limit};
use super::private::{self, Private};
use super::session::{Current, Session};
use super::{dynamic, object, unmanaged};
use crate::plugin::wire::tfplugin6::apply_resource_change::{Request, Response};
use crate::plugin::wire::tfplugin6::{DynamicValue, ResourceIdentityData};
use crate::remote::{Call, Change, Error, Failure};
use crate::schema::{Record, Resource, engine};
use crate::value::{Diagnostic, Diagnostics};

/// Applies a planned change.
pub(super) async fn apply(session: Arc<Session>, request: Request) -> Response {
    match attempt(&session, &request).await {
        Ok(response) => response,
        Err(diagnostic) => failed(request.prior_state, request.planned_private, request.planned_identity, diagnostic),
    }
}

/// The answer when nothing was done: what stood before.
pub(super) fn failed(
    prior: Option<DynamicValue>,
    private: Vec<u8>,
    identity: Option<ResourceIdentityData>,
    diagnostic: Diagnostic,
) -> Response {
    Response {
        new_state: Some(prior.unwrap_or_else(dynamic::null)),
        private,
        diagnostics: dynamic::diagnostics(vec![diagnostic]),
        new_identity: identity,
        ..Default::default()
    }
}

/// One apply under way: what is needed to answer, however it ends.
struct Apply<'a> {
    resource: &'static Resource,
    request: &'a Request,
    current: Current,
    stored: Private,
}

async fn attempt(session: &Session, request: &Request) -> Result<Response, Diagnostic> {
    let resource = session.resource(&request.type_name)?;
    let ty = engine::served_type(resource);
    let name = &request.type_name;
    let prior = dynamic::record(request.prior_state.as_ref(), ty, &format!("the state of {name}"))?;
    let planned = dynamic::record(request.planned_state.as_ref(), ty, &format!("the plan of {name}"))?;
    let config = dynamic::record(request.config.as_ref(), ty, &format!("the configuration of {name}"))?.unwrap_or_default();
    let stored = private::read(&request.planned_private)?;
    let apply = Apply { resource, request, current: session.current(), stored };
    match (prior, planned) {
        (Some(prior), None) => apply.delete(&prior).await,
        (prior, Some(planned)) => apply.write(prior.as_ref(), &planned, &config).await,
        (None, None) => Ok(Response { new_state: Some(dynamic::null()), ..Default::default() }),
    }
}

impl Apply<'_> {
    async fn write(self, prior: Option<&Record>, planned: &Record, config: &Record) -> Result<Response, Diagnostic> {
        let operation = if prior.is_some() { Operation::Update } else { Operation::Create };
        if let Some(prior) = prior
            && !object::changes(self.resource, prior, planned)
        {
            // Only what the service does not know changed, `timeouts` for one.
            let mut private = self.stored.clone();
            unmanaged::accept(self.resource, planned, &mut private);
            return Ok(self.saved(planned, private::write(&private), Diagnostics::new()));
        }
        if let Some(refused) = prior.and_then(|prior| engine::unmanaged_refused(self.resource, prior, planned)) {
            return Err(refused);
        }
        let action = format!("{} {}", operation.word(), object::title(self.resource, planned));
        self.current.going_on(&action)?;
        let objects = self.current.objects(self.resource)?;
        let call = self.current.call(limit(self.resource, planned, operation)?, self.stored.clone());
        let effective = engine::effective(self.resource, planned, config);
        object::withhold(self.resource, &effective);
        let change = Change { resource: self.resource, prior, planned, effective: &effective, config };
        let written = match operation {
            Operation::Create => objects.create(change, &call).await,
            _ => objects.update(change, &call).await,
        };
        let mut diagnostics = call.take_reports();
        match written {
            Ok(remote) if operation == Operation::Create => Ok(self.created(planned, config, &remote, None, &call, diagnostics)),
            Err(Failure { error, object: Some(remote) }) if operation == Operation::Create => {
                Ok(self.created(planned, config, &remote, Some(&error), &call, diagnostics))
            }
            Ok(remote) => {
                let settled = engine::settle(self.resource, planned, &remote);
                let settled = engine::carried(self.resource, planned, config, settled);
                let (guarded, differences) = engine::guard(self.resource, planned, settled);
                diagnostics.extend(differences);
                let private = unmanaged::accepted(self.resource, &guarded, &call);
                Ok(self.saved(&guarded, private::write(&private), diagnostics))
            }
            Err(Failure { error, object: Some(remote) }) => {
                diagnostics.push(error.diagnostic(&action));
                let settled = engine::settle(self.resource, planned, &remote);
                // Half an object differs from the plan; the error has said why.
                let (guarded, _) = engine::guard(self.resource, planned, settled);
                Ok(self.saved(&guarded, private::write(&call.all_private()), diagnostics))
            }
            Err(Failure { error, object: None }) => {
                diagnostics.push(error.diagnostic(&action));
                Ok(self.unchanged(&call, diagnostics))
            }
        }
    }

    /// The answer with a new object that stands. If it is not as it was planned, that is a warning: the host would take an error for a reason
    /// to remove what stands, and to make it anew. The state has the planned values, as the host demands, and the next plan shows the difference.
    fn created(
        &self,
        planned: &Record,
        config: &Record,
        remote: &Record,
        error: Option<&Error>,
        call: &Call,
        mut diagnostics: Diagnostics,
    ) -> Response {
        let settled = engine::settle(self.resource, planned, remote);
        let (kept, standing, differences) = engine::keep(self.resource, planned, &settled);
        if error.is_some() || !differences.is_empty() {
            diagnostics.push(self.unfinished(planned, config, &standing, error, &differences));
        }
        let private = unmanaged::accepted(self.resource, &kept, call);
        self.saved(&kept, private::write(&private), diagnostics)
    }

    /// The warning for a new object that is not as it was planned: what the service said, what differs, and what the next plan does about it.
    fn unfinished(
        &self,
        planned: &Record,
        config: &Record,
        standing: &Record,
        error: Option<&Error>,
        differences: &[engine::Difference],
    ) -> Diagnostic {
        let title = object::title(self.resource, planned);
        let mut parts = Vec::new();
        if let Some(error) = error {
            parts.push(error.diagnostic("").detail);
        }
        if !differences.is_empty() {
            let words: Vec<&str> = differences.iter().map(|difference| difference.words.as_str()).collect();
            parts.push(words.join("\n"));
        }
        let next = engine::plan(self.resource, Some(standing), config, planned);
        parts.push(if differences.is_empty() {
            "It stands and is managed. The next plan shows what is still to be done, if there is anything.".to_owned()
        } else if next.replace.is_empty() {
            "It stands and is managed. The state has the planned values; the next plan shows what differs as a change in place.".to_owned()
        } else {
            let paths: Vec<String> = next.replace.iter().map(|path| format!("`{path}`")).collect();
            format!(
                "It stands and is managed. The state has the planned values. {} cannot be changed in place: the next plan **replaces the object**. \
                 Give the argument the value that the service stores to keep the object as it stands.",
                paths.join(", ")
            )
        });
        let warning = Diagnostic::warning(format!("Created {title}, but not all of it is as planned"), parts.join("\n\n"));
        let path = error.and_then(|error| error.path.clone()).or_else(|| differences.first().map(|first| first.path.clone()));
        Diagnostic { path, ..warning }
    }

    async fn delete(self, prior: &Record) -> Result<Response, Diagnostic> {
        let action = format!("delete {}", object::title(self.resource, prior));
        self.current.going_on(&action)?;
        let objects = self.current.objects(self.resource)?;
        let call = self.current.call(limit(self.resource, prior, Operation::Delete)?, self.stored.clone());
        let deleted = objects.delete(self.resource, prior, &call).await;
        let mut diagnostics = call.take_reports();
        match deleted {
            Ok(()) => Ok(Response {
                new_state: Some(dynamic::null()),
                diagnostics: dynamic::diagnostics(diagnostics),
                ..Default::default()
            }),
            Err(error) => {
                diagnostics.push(error.diagnostic(&action));
                Ok(self.unchanged(&call, diagnostics))
            }
        }
    }

    /// The answer when the object stands as it did before, if it does.
    fn unchanged(&self, call: &Call, diagnostics: Diagnostics) -> Response {
        Response {
            new_state: Some(self.request.prior_state.clone().unwrap_or_else(dynamic::null)),
            private: private::write(&call.all_private()),
            diagnostics: dynamic::diagnostics(diagnostics),
            new_identity: self.request.planned_identity.clone(),
            ..Default::default()
        }
    }

    /// The answer with an object that exists.
    fn saved(&self, object: &Record, private: Vec<u8>, mut diagnostics: Diagnostics) -> Response {
        let identity = object::identity(self.resource, object).or_else(|| self.request.planned_identity.clone());
        let new_state = dynamic::encode_saved(self.resource, object, &mut diagnostics)
            .or_else(|| self.request.prior_state.clone())
            .unwrap_or_else(dynamic::null);
        Response {
            new_state: Some(new_state),
            private,
            diagnostics: dynamic::diagnostics(diagnostics),
            new_identity: identity,
            ..Default::default()
        }
    }
}
