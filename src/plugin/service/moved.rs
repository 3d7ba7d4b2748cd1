//! Objects of other resources, mostly of other providers, that a `moved` block leads here.
//!
//! The process is not configured then, so nothing is asked of a service: what is stored makes an object that the next read finds and completes.

use super::session::Session;
use super::{dynamic, object};
use crate::plugin::wire::tfplugin6::move_resource_state::{Request, Response};
use crate::schema::Stored;
use crate::value::{Diagnostic, Diagnostics};

/// Makes an object of ours of a stored one of another resource.
pub(super) fn state(session: &Session, request: &Request) -> Response {
    attempt(session, request).unwrap_or_else(failed)
}

/// The answer when nothing can be moved.
pub(super) fn failed(diagnostic: Diagnostic) -> Response {
    Response { diagnostics: dynamic::diagnostics(vec![diagnostic]), ..Response::default() }
}

fn attempt(session: &Session, request: &Request) -> Result<Response, Diagnostic> {
    let resource = session.resource(&request.target_type_name)?;
    let source = &request.source_type_name;
    let summary = || format!("Unable to move {source:?} to {:?}", request.target_type_name);
    let catalog = session.catalog();
    let address = request.source_provider_address.to_ascii_lowercase();
    let is_from = |provider: &str| address == provider || address.ends_with(&format!("/{provider}"));
    let known: Vec<_> = catalog.moves.iter().filter(|entry| entry.to == resource.name).collect();
    let Some(entry) = known.iter().find(|entry| entry.from == source && is_from(entry.provider)) else {
        let takes = match known.as_slice() {
            [] => "No objects of another resource can be moved to it.".to_owned(),
            known => {
                let names: Vec<String> =
                    known.iter().map(|entry| format!("{:?} of the provider {}", entry.from, entry.provider)).collect();
                format!("Only {} can be moved to it.", names.join(", "))
            }
        };
        let instead = "Remove the object from the state with `terraform state rm`, and import it under its new type.";
        return Err(Diagnostic::error(summary(), format!("{takes} {instead}")));
    };
    let json = request.source_state.as_ref().map_or(&[][..], |state| &state.json);
    let stored: Stored = serde_json::from_slice(json).map_err(|_| {
        Diagnostic::error(summary(), "The stored object is not in a form that is known. Import it under its new type.")
    })?;
    let record = (entry.change)(resource, &stored).map_err(|why| Diagnostic::error(summary(), why))?;
    let mut diagnostics = Diagnostics::new();
    let target_state = dynamic::encode_saved(resource, &record, &mut diagnostics);
    let target_identity = object::identity(resource, &record);
    if target_state.is_some() {
        session.current().knows(resource, &record, None);
    }
    Ok(Response { target_state, target_identity, diagnostics: dynamic::diagnostics(diagnostics), ..Response::default() })
}
