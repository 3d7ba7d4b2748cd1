//! Imports: an existing object is found by the ID or the identity that the user gave. The host reads it right after.

use std::sync::Arc;

use super::limit::{Operation, limit};
use super::private::{self, Private};
use super::session::Session;
use super::{dynamic, object, unmanaged};
use crate::plugin::wire::tfplugin6::ResourceIdentityData;
use crate::plugin::wire::tfplugin6::import_resource_state::{ImportedResource, Request, Response};
use crate::schema::{Import, Record, Resource, engine};
use crate::value::{Diagnostic, Diagnostics, Path};

/// Imports an object.
pub(super) async fn import(session: Arc<Session>, request: Request) -> Response {
    let mut diagnostics = Diagnostics::new();
    let imported_resources = match attempt(&session, &request, &mut diagnostics).await {
        Ok(imported) => vec![imported],
        Err(diagnostic) => {
            diagnostics.push(diagnostic);
            Vec::new()
        }
    };
    Response { imported_resources, diagnostics: dynamic::diagnostics(diagnostics), ..Default::default() }
}

/// The answer when nothing was found out.
pub(super) fn failed(diagnostic: Diagnostic) -> Response {
    Response { diagnostics: dynamic::diagnostics(vec![diagnostic]), ..Default::default() }
}

async fn attempt(session: &Session, request: &Request, diagnostics: &mut Diagnostics) -> Result<ImportedResource, Diagnostic> {
    let resource = session.resource(&request.type_name)?;
    let id = match &request.identity {
        Some(identity) if request.id.is_empty() => id_of(resource, identity, &request.type_name)?,
        _ => request.id.clone(),
    };
    check(resource, &id)?;
    let action = format!("import {} {id:?}", resource.noun);
    let current = session.current();
    let objects = current.objects(resource)?;
    current.going_on(&action)?;
    let call = current.call(limit(resource, &Record::new(), Operation::Read)?, Private::new());
    let found = objects.find(resource, &id, &call).await;
    diagnostics.extend(call.take_reports());
    // Nobody spelled it yet: it is shown as a user would type it.
    let found = engine::settle(resource, &Record::new(), &found.map_err(|error| error.diagnostic(&action))?);
    let identity = object::identity(resource, &found).or_else(|| request.identity.clone());
    diagnostics.extend(engine::unmanaged_found(resource, &found));
    let private = private::write(&unmanaged::accepted(resource, &found, &call));
    let state = dynamic::encode_saved(resource, &found, diagnostics);
    Ok(ImportedResource { type_name: request.type_name.clone(), state, private, identity })
}

/// Says what is wrong with the form of an ID before anything is asked of the service.
fn check(resource: &Resource, id: &str) -> Result<(), Diagnostic> {
    let wrong = |detail: String| Err(Diagnostic::error(format!("Unable to import {} {id:?}", resource.noun), detail));
    match resource.import {
        Import::Lookup { about, example } if id.trim().is_empty() => {
            wrong(format!("The import ID is {about}, as in {example:?}."))
        }
        Import::Lookup { .. } => Ok(()),
        Import::Key { .. } | Import::Singleton { .. } => match engine::parse_key(resource, id) {
            Ok(_) => Ok(()),
            Err(reason) => wrong(reason),
        },
    }
}

/// The import ID that an identity stands for.
fn id_of(resource: &Resource, identity: &ResourceIdentityData, type_name: &str) -> Result<String, Diagnostic> {
    let ty = engine::identity_type(resource);
    let what = format!("the identity of {type_name}");
    let identity = dynamic::record(identity.identity_data.as_ref(), &ty, &what)?.unwrap_or_default();
    let missing = |name: &str| {
        let summary = format!("Unable to import {}", resource.noun);
        let diagnostic = |text: String| Diagnostic::error(summary, text).at(Path::root().attribute(name));
        match resource.import {
            Import::Key { attributes, example } => diagnostic(format!(
                "The identity needs {}; {name:?} is missing. The import ID {example:?} says the same in one text.",
                attributes.join(", ")
            )),
            Import::Lookup { about, example } => {
                diagnostic(format!("The identity needs {name:?}. The import ID would be {about}, as in {example:?}."))
            }
            Import::Singleton { word } => diagnostic(format!("There is one of these: the import ID is {word:?}.")),
        }
    };
    match resource.import {
        // The check of the form refuses any other word.
        Import::Singleton { word } => Ok(identity.text("id").unwrap_or(word).to_owned()),
        Import::Key { attributes, .. } => match attributes.iter().find(|name| identity.get(name).is_null()) {
            Some(name) => Err(missing(name)),
            None => engine::key(resource, &identity).ok_or_else(|| missing("id")),
        },
        Import::Lookup { .. } => {
            let mut names = resource.identity.iter();
            let text = names.find_map(|name| identity.text(name)).or_else(|| identity.text("id"));
            text.map(str::to_owned).ok_or_else(|| missing(resource.identity.first().copied().unwrap_or("id")))
        }
    }
}
