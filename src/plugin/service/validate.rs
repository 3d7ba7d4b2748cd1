//! Checks of configuration, which do no I/O, and the settings of the provider, with the first contact that they allow.

use std::sync::Arc;
use std::time::Duration;

use super::dynamic;
use super::private::Private;
use super::session::Session;
use crate::plugin::wire::tfplugin6 as wire;
use crate::schema::{engine, filters};
use crate::value::{Diagnostic, Diagnostics};

/// Checks a resource's block.
pub(super) fn resource(session: &Session, request: &wire::validate_resource_config::Request) -> Diagnostics {
    let attempt = || -> Result<Diagnostics, Diagnostic> {
        let resource = session.resource(&request.type_name)?;
        let what = format!("the configuration of {}", request.type_name);
        let Some(config) = dynamic::record(request.config.as_ref(), engine::served_type(resource), &what)? else {
            return Ok(Diagnostics::new());
        };
        // A host from before write-only arguments sends no capabilities.
        let write_only = request.client_capabilities.is_some_and(|client| client.write_only_attributes_allowed);
        Ok(engine::validate_form(resource, &config, write_only))
    };
    attempt().unwrap_or_else(|diagnostic| vec![diagnostic])
}

/// Checks a data source's block.
pub(super) fn data_source(session: &Session, request: &wire::validate_data_resource_config::Request) -> Diagnostics {
    let attempt = || -> Result<Diagnostics, Diagnostic> {
        let source = session.data_source(&request.type_name)?;
        let what = format!("the configuration of {}", request.type_name);
        match dynamic::record(request.config.as_ref(), &engine::data_type(source), &what)? {
            Some(config) => Ok(engine::validate(source.attributes, source.rules, &config, false)),
            None => Ok(Diagnostics::new()),
        }
    };
    attempt().unwrap_or_else(|diagnostic| vec![diagnostic])
}

/// Checks what a list is to be narrowed down by.
pub(super) fn list(session: &Session, request: &wire::validate_list_resource_config::Request) -> Diagnostics {
    let attempt = || -> Result<Diagnostics, Diagnostic> {
        let resource = session.listed(&request.type_name)?;
        let what = format!("the configuration of the list {}", request.type_name);
        match dynamic::record(request.config.as_ref(), &engine::list_type(resource), &what)? {
            Some(config) => Ok(engine::validate(&filters(resource), &[], &config, false)),
            None => Ok(Diagnostics::new()),
        }
    };
    attempt().unwrap_or_else(|diagnostic| vec![diagnostic])
}

/// Checks the provider block.
pub(super) fn provider(session: &Session, request: &wire::validate_provider_config::Request) -> Diagnostics {
    let catalog = session.catalog();
    match dynamic::record(request.config.as_ref(), &engine::settings_type(catalog), "the provider block") {
        Ok(config) => {
            let config = config.unwrap_or_default();
            let mut diagnostics = engine::validate(catalog.settings, catalog.setting_rules, &config, false);
            diagnostics.extend(session.provider().validate(&config));
            diagnostics
        }
        Err(diagnostic) => vec![diagnostic],
    }
}

/// Longer than any first contact takes: its steps have limits of their own.
const CONTACT: Duration = Duration::from_mins(10);

/// How long the side that answered may take for its goodbye, when the other one did not.
const GOODBYE: Duration = Duration::from_secs(2);

/// Takes the provider block, and makes the first contact. Settings that cannot be used leave the provider without any.
pub(super) async fn configure(session: Arc<Session>, request: wire::configure_provider::Request) -> Diagnostics {
    let ty = engine::settings_type(session.catalog());
    tracing::info!(host_version = request.terraform_version, "the provider is configured");
    let config = match dynamic::record(request.config.as_ref(), &ty, "the provider block") {
        Ok(config) => config.unwrap_or_default(),
        Err(diagnostic) => {
            session.configure(None, true);
            return vec![diagnostic];
        }
    };
    let known = config.iter().all(|(_, value)| value.is_wholly_known());
    match session.provider().configure(&config) {
        Ok(configured) => {
            session.configure(Some(Arc::clone(&configured)), known);
            let call = session.current().call(CONTACT, Private::new());
            let mut diagnostics = configured.contact(&call).await;
            diagnostics.extend(call.take_reports());
            if diagnostics.iter().any(Diagnostic::is_error) {
                session.configure(None, known);
                // Nothing was asked of it; a session that is cut off harms nobody.
                let _ = tokio::time::timeout(GOODBYE, configured.close()).await;
            }
            diagnostics
        }
        Err(diagnostics) => {
            session.configure(None, known);
            diagnostics
        }
    }
}
