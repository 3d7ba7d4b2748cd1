//! Reads: what stands at the service, of managed objects and of data sources.

use std::sync::Arc;

use super::limit::{DATA_SOURCE, Operation, limit};
use super::private::{self, Private};
use super::session::Session;
use super::{dynamic, object};
use crate::plugin::wire::tfplugin6::{DynamicValue, ResourceIdentityData, read_data_source, read_resource};
use crate::schema::engine;
use crate::value::{Diagnostic, Diagnostics};

/// Reads a managed object.
pub(super) async fn resource(session: Arc<Session>, request: read_resource::Request) -> read_resource::Response {
    match attempt(&session, &request).await {
        Ok(response) => response,
        Err(diagnostic) => failed(request.current_state, request.private, request.current_identity, diagnostic),
    }
}

/// The answer when nothing could be read: what was known.
pub(super) fn failed(
    state: Option<DynamicValue>,
    private: Vec<u8>,
    identity: Option<ResourceIdentityData>,
    diagnostic: Diagnostic,
) -> read_resource::Response {
    read_resource::Response {
        new_state: state,
        private,
        new_identity: identity,
        diagnostics: dynamic::diagnostics(vec![diagnostic]),
        ..Default::default()
    }
}

async fn attempt(session: &Session, request: &read_resource::Request) -> Result<read_resource::Response, Diagnostic> {
    let resource = session.resource(&request.type_name)?;
    let ty = engine::served_type(resource);
    let mut diagnostics = Diagnostics::new();
    let Some(state) = dynamic::record(request.current_state.as_ref(), ty, &format!("the state of {}", request.type_name))? else {
        return Ok(read_resource::Response { new_state: Some(dynamic::null()), ..Default::default() });
    };
    // A damaged note beside the object is no reason not to look at the object; the note stays as it is until something is
    // to be changed, which is refused.
    let stored = private::read(&request.private).map_err(|diagnostic| {
        diagnostics.push(Diagnostic { severity: crate::value::Severity::Warning, ..diagnostic });
    });
    let current = session.current();
    let objects = current.objects(resource)?;
    let action = format!("read {}", object::title(resource, &state));
    current.going_on(&action)?;
    let call = current.call(limit(resource, &state, Operation::Read)?, stored.clone().unwrap_or_default());
    let read = objects.read(resource, &state, &call).await;
    diagnostics.extend(call.take_reports());
    let private = if stored.is_ok() { private::write(&call.all_private()) } else { request.private.clone() };
    match read {
        Ok(Some(remote)) => {
            let settled = engine::settle(resource, &state, &remote);
            let identity = object::identity(resource, &settled).or_else(|| request.current_identity.clone());
            let new_state = dynamic::encode_saved(resource, &settled, &mut diagnostics).or_else(|| request.current_state.clone());
            Ok(read_resource::Response {
                new_state,
                private,
                new_identity: identity,
                diagnostics: dynamic::diagnostics(diagnostics),
                ..Default::default()
            })
        }
        Ok(None) => Ok(read_resource::Response {
            new_state: Some(dynamic::null()),
            diagnostics: dynamic::diagnostics(diagnostics),
            ..Default::default()
        }),
        Err(error) => {
            diagnostics.push(error.diagnostic(&action));
            Ok(read_resource::Response {
                new_state: request.current_state.clone(),
                private,
                new_identity: request.current_identity.clone(),
                diagnostics: dynamic::diagnostics(diagnostics),
                ..Default::default()
            })
        }
    }
}

/// Reads a data source.
pub(super) async fn data_source(session: Arc<Session>, request: read_data_source::Request) -> read_data_source::Response {
    let mut diagnostics = Diagnostics::new();
    let state = match data(&session, &request, &mut diagnostics).await {
        Ok(state) => Some(state),
        Err(diagnostic) => {
            diagnostics.push(diagnostic);
            None
        }
    };
    read_data_source::Response { state, diagnostics: dynamic::diagnostics(diagnostics), ..Default::default() }
}

async fn data(
    session: &Session,
    request: &read_data_source::Request,
    diagnostics: &mut Diagnostics,
) -> Result<DynamicValue, Diagnostic> {
    let source = session.data_source(&request.type_name)?;
    let ty = engine::data_type(source);
    let what = format!("the configuration of {}", request.type_name);
    let config = dynamic::record(request.config.as_ref(), &ty, &what)?.unwrap_or_default();
    let current = session.current();
    let configured = current.configured()?;
    let action = format!("read {}", source.noun);
    current.going_on(&action)?;
    let call = current.call(DATA_SOURCE, Private::new());
    let read = configured.read_data(source, &config, &call).await;
    diagnostics.extend(call.take_reports());
    let found = read.map_err(|error| error.diagnostic(&action))?;
    let (answer, misfits) = engine::answer(source, &config, &found);
    diagnostics.extend(misfits);
    dynamic::encode(answer, &ty)
}
