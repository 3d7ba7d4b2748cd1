//! Lists of what exists (`terraform query`): one event for each object, in the service's order.
//!
//! The host gives up a whole list, with all that came before, at the first event with an error. So what goes wrong with one object is a warning in an
//! event without an object, and only a list that cannot be read at all is an error.

use std::sync::Arc;

use super::dynamic;
use super::limit::{Operation, limit};
use super::private::Private;
use super::session::Session;
use crate::plugin::wire::tfplugin6::ResourceIdentityData;
use crate::plugin::wire::tfplugin6::list_resource::{Event, Request};
use crate::remote::Found;
use crate::schema::{Record, Resource, capital, engine};
use crate::value::{Diagnostic, Diagnostics};

/// Lists the objects that fit a list's configuration.
pub(super) async fn list(session: Arc<Session>, request: Request) -> Vec<Event> {
    attempt(&session, &request).await.unwrap_or_else(failed)
}

/// The answer when nothing could be listed.
pub(super) fn failed(diagnostic: Diagnostic) -> Vec<Event> {
    vec![told(vec![diagnostic])]
}

async fn attempt(session: &Session, request: &Request) -> Result<Vec<Event>, Diagnostic> {
    let resource = session.listed(&request.type_name)?;
    let what = format!("the configuration of the list {}", request.type_name);
    let filters = dynamic::record(request.config.as_ref(), &engine::list_type(resource), &what)?.unwrap_or_default();
    let most = usize::try_from(request.limit).unwrap_or_default();
    if most == 0 {
        return Ok(Vec::new());
    }
    let current = session.current();
    let configured = current.configured()?;
    let action = format!("list the objects of the kind {}", resource.noun);
    current.going_on(&action)?;
    let call = current.call(limit(resource, &Record::new(), Operation::Read)?, Private::new());
    let listed = configured.enumerate(resource, &filters, &call).await;
    let mut events = Vec::new();
    let enumeration = listed.map_err(|error| error.diagnostic(&action))?;
    // An error that was left on the way is about a part, too: the objects that were found stand.
    let troubles = call.take_reports().into_iter().chain(enumeration.troubles);
    let troubles: Diagnostics = troubles.map(Diagnostic::into_warning).collect();
    if !troubles.is_empty() {
        events.push(told(troubles));
    }
    let more = enumeration.found.len().saturating_sub(most);
    for (place, found) in enumeration.found.iter().take(most).enumerate() {
        // The host stops reading at the last one.
        if more > 0 && place + 1 == most {
            events.push(told(vec![cut_off(resource, most, more)]));
        }
        events.push(event(resource, found, request.include_resource_object)?);
    }
    Ok(events)
}

fn cut_off(resource: &Resource, most: usize, more: usize) -> Diagnostic {
    Diagnostic::warning(
        format!("There are more objects of the kind {} than the list shows", resource.noun),
        format!(
            "It shows the first {most}, and {more} more fit. Set a greater `limit` in the list block, or narrow it down in its `config`."
        ),
    )
}

fn told(diagnostics: Diagnostics) -> Event {
    Event { diagnostic: dynamic::diagnostics(diagnostics), ..Event::default() }
}

/// One object. What is sensitive is left out: the host prints the values in clear.
fn event(resource: &'static Resource, found: &Found, with_object: bool) -> Result<Event, Diagnostic> {
    let identity = dynamic::encode(found.identity.clone(), &engine::identity_type(resource))?;
    let mut problems = Diagnostics::new();
    let object = engine::concealed(resource, &found.object);
    let resource_object = with_object.then(|| dynamic::encode_saved(resource, &object, &mut problems)).flatten();
    let problems = problems.into_iter().map(|problem| {
        let summary = format!("{} {:?}: {}", capital(resource.noun), found.display_name, problem.summary);
        Diagnostic { summary, ..problem.into_warning() }
    });
    Ok(Event {
        identity: Some(ResourceIdentityData { identity_data: Some(identity) }),
        display_name: crate::remote::shown(&found.display_name),
        resource_object,
        diagnostic: dynamic::diagnostics(problems.collect()),
    })
}
