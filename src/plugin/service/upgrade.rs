//! Stored objects and identities, brought to the schema of now.
//!
//! The host asks for every stored object, also at the current version: that path only decodes. An older one goes through the steps of the catalog
//! ([`crate::schema::Upgrade`]), one version after the other; what the schema no longer has is dropped, and what is missing is null.

use serde_json::Value as Json;

use super::dynamic;
use super::session::Session;
use crate::plugin::wire::tfplugin6::{
    DynamicValue, RawState, ResourceIdentityData, upgrade_resource_identity, upgrade_resource_state,
};
use crate::schema::{Resource, engine};
use crate::value::{Diagnostic, Type};

/// The version of all identities.
const IDENTITY_VERSION: i64 = 0;

/// Upgrades a stored object.
pub(super) fn state(session: &Session, request: &upgrade_resource_state::Request) -> upgrade_resource_state::Response {
    let attempt = || -> Result<DynamicValue, Diagnostic> {
        let resource = session.resource(&request.type_name)?;
        let what = format!("the state of {}", request.type_name);
        not_newer(request.version, resource.version, &what)?;
        let ty = engine::served_type(resource);
        let stepped = steps(session, resource, request, &what)?;
        let state = decode(stepped.as_ref().or(request.raw_state.as_ref()), ty, &what)?;
        // Without a refresh this is all that is heard of an object before another one may want its name.
        if let Ok(Some(record)) = dynamic::record(Some(&state), ty, &what) {
            session.current().knows(resource, &record, None);
        }
        Ok(state)
    };
    match attempt() {
        Ok(state) => upgrade_resource_state::Response { upgraded_state: Some(state), diagnostics: Vec::new() },
        Err(diagnostic) => {
            upgrade_resource_state::Response { upgraded_state: None, diagnostics: dynamic::diagnostics(vec![diagnostic]) }
        }
    }
}

/// Upgrades a stored identity.
pub(super) fn identity(session: &Session, request: &upgrade_resource_identity::Request) -> upgrade_resource_identity::Response {
    let attempt = || -> Result<DynamicValue, Diagnostic> {
        let resource = session.resource(&request.type_name)?;
        let what = format!("the identity of {}", request.type_name);
        not_newer(request.version, IDENTITY_VERSION, &what)?;
        decode(request.raw_identity.as_ref(), &engine::identity_type(resource), &what)
    };
    match attempt() {
        Ok(identity) => upgrade_resource_identity::Response {
            upgraded_identity: Some(ResourceIdentityData { identity_data: Some(identity) }),
            diagnostics: Vec::new(),
        },
        Err(diagnostic) => {
            upgrade_resource_identity::Response { upgraded_identity: None, diagnostics: dynamic::diagnostics(vec![diagnostic]) }
        }
    }
}

/// Takes an object of an older version through the steps to the version of now; `None` if there is nothing to do.
fn steps(
    session: &Session,
    resource: &Resource,
    request: &upgrade_resource_state::Request,
    what: &str,
) -> Result<Option<RawState>, Diagnostic> {
    let Some(raw) = request.raw_state.as_ref().filter(|raw| request.version < resource.version && !raw.json.is_empty()) else {
        return Ok(None);
    };
    let failed = |why: &str| {
        Diagnostic::error(format!("Unable to understand {what}"), format!("It cannot be brought to the schema of now: {why}."))
    };
    let mut stored: Json = serde_json::from_slice(&raw.json).map_err(|error| failed(&error.to_string()))?;
    if let Some(members) = stored.as_object_mut() {
        let steps =
            session.catalog().upgrades.iter().filter(|step| step.resource == resource.name && step.from >= request.version);
        for step in steps {
            (step.change)(members).map_err(|why| failed(&why))?;
        }
    }
    let json = serde_json::to_vec(&stored).map_err(|error| failed(&error.to_string()))?;
    Ok(Some(RawState { json, ..RawState::default() }))
}

fn not_newer(stored: i64, known: i64, what: &str) -> Result<(), Diagnostic> {
    if stored <= known {
        return Ok(());
    }
    Err(Diagnostic::error(
        format!("Unable to understand {what}"),
        format!(
            "It was stored by a newer version of this provider (schema version {stored}; this one knows versions up to {known}). \
             Use that version or a later one."
        ),
    ))
}

fn decode(raw: Option<&RawState>, ty: &Type, what: &str) -> Result<DynamicValue, Diagnostic> {
    match raw {
        Some(raw) if !raw.json.is_empty() => dynamic::encode_value(&dynamic::stored(&raw.json, ty, what)?, ty),
        Some(raw) if !raw.flatmap.is_empty() => Err(Diagnostic::error(
            format!("Unable to understand {what}"),
            "It is in the form of Terraform 0.11, for which this provider never wrote any state.",
        )),
        _ => Ok(dynamic::null()),
    }
}
