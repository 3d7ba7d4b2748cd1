//! Checks of configuration, and the settings of the provider. None of this does any I/O.

use super::dynamic;
use super::session::Session;
use crate::plugin::wire::tfplugin6 as wire;
use crate::schema::engine;
use crate::value::{Diagnostic, Diagnostics};

/// Checks a resource's block.
pub(super) fn resource(session: &Session, request: &wire::validate_resource_config::Request) -> Diagnostics {
    let attempt = || -> Result<Diagnostics, Diagnostic> {
        let resource = session.resource(&request.type_name)?;
        let what = format!("the configuration of {}", request.type_name);
        let Some(config) = dynamic::record(request.config.as_ref(), &engine::resource_type(resource), &what)? else {
            return Ok(Diagnostics::new());
        };
        // A host from before write-only arguments sends no capabilities.
        let write_only = request.client_capabilities.is_some_and(|client| client.write_only_attributes_allowed);
        Ok(engine::validate(resource.attributes, resource.rules, &config, write_only))
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

/// Takes the provider block. Settings that cannot be used leave the provider without any.
pub(super) fn configure(session: &Session, request: &wire::configure_provider::Request) -> Diagnostics {
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
            session.configure(Some(configured), known);
            Diagnostics::new()
        }
        Err(diagnostics) => {
            session.configure(None, known);
            diagnostics
        }
    }
}
