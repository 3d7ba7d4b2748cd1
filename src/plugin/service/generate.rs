//! Configuration for objects that were imported: what a person would write for them.

use super::dynamic;
use super::session::Session;
use crate::plugin::wire::tfplugin6::generate_resource_config::{Request, Response};
use crate::schema::engine;
use crate::value::Diagnostic;

/// Makes the configuration of an object.
pub(super) fn config(session: &Session, request: &Request) -> Response {
    let attempt = || {
        let resource = session.resource(&request.type_name)?;
        let ty = engine::served_type(resource);
        let state = dynamic::record(request.state.as_ref(), ty, &format!("the state of {}", request.type_name))?;
        // Of an object that a list showed without its values the host knows none.
        match state {
            Some(state) => dynamic::encode(engine::generated(resource, &state), ty),
            None => Ok(dynamic::null()),
        }
    };
    match attempt() {
        Ok(config) => Response { config: Some(config), diagnostics: Vec::new() },
        Err(diagnostic) => failed(diagnostic),
    }
}

/// The answer when there is none.
pub(super) fn failed(diagnostic: Diagnostic) -> Response {
    Response { config: None, diagnostics: dynamic::diagnostics(vec![diagnostic]) }
}
