//! Applies: what was planned is done, and what stands then is saved.
//!
//! Whatever happens, the answer holds the object as far as it is known: a gRPC status instead would make the host forget it.

use std::sync::Arc;

use super::limit::{Operation, limit};
use super::private::{self, Private};
use super::session::{Current, Session};
use super::{dynamic, object};
use crate::plugin::wire::tfplugin6::apply_resource_change::{Request, Response};
use crate::plugin::wire::tfplugin6::{DynamicValue, ResourceIdentityData};
use crate::remote::{Call, Change, Failure};
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
    let ty = engine::resource_type(resource);
    let name = &request.type_name;
    let prior = dynamic::record(request.prior_state.as_ref(), &ty, &format!("the state of {name}"))?;
    let planned = dynamic::record(request.planned_state.as_ref(), &ty, &format!("the plan of {name}"))?;
    let config = dynamic::record(request.config.as_ref(), &ty, &format!("the configuration of {name}"))?.unwrap_or_default();
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
            return Ok(self.saved(planned, self.request.planned_private.clone(), Diagnostics::new()));
        }
        let action = format!("{} {}", operation.word(), object::title(self.resource, planned));
        self.current.going_on(&action)?;
        let objects = self.current.objects(self.resource)?;
        let call = self.current.call(limit(self.resource, planned, operation)?, self.stored.clone());
        let effective = engine::effective(self.resource, planned, config);
        object::withhold(self.resource, &effective);
        let change = Change { resource: self.resource, prior, planned, effective: &effective };
        let written = match operation {
            Operation::Create => objects.create(change, &call).await,
            _ => objects.update(change, &call).await,
        };
        let mut diagnostics = call.take_reports();
        match written {
            Ok(remote) => {
                let settled = engine::settle(self.resource, planned, &remote);
                let (guarded, differences) = engine::guard(self.resource, planned, settled);
                diagnostics.extend(differences);
                Ok(self.saved(&guarded, private::write(&call.all_private()), diagnostics))
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
