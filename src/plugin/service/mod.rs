//! The provider service: one thin handler for each call of the protocol.
//!
//! A handler decodes, asks the engine and the service's objects, and encodes. Calls for what this provider does not offer
//! (ephemeral resources, actions) answer with an error on the unknown name; calls of a whole feature that it does not
//! have (state stores) answer `Unimplemented`, which hosts expect of older providers.

mod apply;
mod dynamic;
mod function;
mod generate;
mod import;
mod limit;
mod list;
mod moved;
mod object;
mod plan;
mod private;
mod read;
mod schema;
mod session;
mod unmanaged;
mod upgrade;
mod validate;

use std::pin::Pin;
use std::sync::Arc;

use futures::Stream;
use tonic::{Request, Response, Status, Streaming};

pub(crate) use session::Session;

use crate::plugin::wire::tfplugin6 as wire;
use crate::plugin::wire::tfplugin6::provider_server::Provider;
use crate::schema::engine::{data_columns, list_columns, resource_columns, settings_columns};
use crate::value::{Diagnostic, Diagnostics};
use session::nothing_called;

/// The largest message that is taken or sent, as with providers written in Go.
pub(super) const LARGEST_MESSAGE: usize = 256 << 20;

/// The service over one provider.
#[derive(Clone)]
pub(super) struct Service {
    session: Arc<Session>,
}

impl Service {
    pub(super) fn new(session: Arc<Session>) -> Service {
        Service { session }
    }

    /// Does work that has no state to lose: a panic is one more message.
    async fn said(
        &self,
        rpc: &'static str,
        about: &str,
        work: impl FnOnce(&Session) -> Diagnostics + Send + 'static,
    ) -> Vec<wire::Diagnostic> {
        let session = self.session.clone();
        let work = async move { dynamic::diagnostics(work(&session)) };
        self.session.answer(rpc, about, work, |diagnostic| dynamic::diagnostics(vec![diagnostic])).await
    }

    /// Has the messages about a resource point at lines of its configuration.
    fn point(&self, type_name: &str, diagnostics: &mut [wire::Diagnostic]) {
        let resource = self.session.catalog().resource(type_name);
        dynamic::point(|| resource.map(resource_columns).unwrap_or_default(), diagnostics);
    }

    /// The same of a list.
    fn point_in_list(&self, type_name: &str, diagnostics: &mut [wire::Diagnostic]) {
        let resource = self.session.catalog().resource(type_name);
        dynamic::point(|| resource.map(list_columns).unwrap_or_default(), diagnostics);
    }

    /// The same of a data source.
    fn point_in_data(&self, type_name: &str, diagnostics: &mut [wire::Diagnostic]) {
        let source = self.session.catalog().data_source(type_name);
        dynamic::point(|| source.map(data_columns).unwrap_or_default(), diagnostics);
    }
}

type Answer<T> = Result<Response<T>, Status>;
type Events<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// The answer to a call about something that is not offered.
fn unknown(what: &str, name: &str) -> Vec<wire::Diagnostic> {
    dynamic::diagnostics(vec![nothing_called(what, name)])
}

/// The answer to a call of a feature that this provider does not have.
fn absent<T>(feature: &str) -> Answer<T> {
    Err(Status::unimplemented(format!("this provider has no {feature}")))
}

fn once<T: Send + 'static>(event: T) -> Events<T> {
    Box::pin(futures::stream::iter([Ok(event)]))
}

#[tonic::async_trait]
impl Provider for Service {
    async fn get_metadata(&self, _: Request<wire::get_metadata::Request>) -> Answer<wire::get_metadata::Response> {
        let session = self.session.clone();
        let work = async move { schema::metadata(session.catalog()) };
        let rescue = |diagnostic: Diagnostic| wire::get_metadata::Response {
            diagnostics: dynamic::diagnostics(vec![diagnostic]),
            ..Default::default()
        };
        Ok(Response::new(self.session.answer("GetMetadata", "", work, rescue).await))
    }

    async fn get_provider_schema(
        &self,
        _: Request<wire::get_provider_schema::Request>,
    ) -> Answer<wire::get_provider_schema::Response> {
        let session = self.session.clone();
        let work = async move { schema::provider_schema(session.catalog()) };
        let rescue = |diagnostic: Diagnostic| wire::get_provider_schema::Response {
            diagnostics: dynamic::diagnostics(vec![diagnostic]),
            ..Default::default()
        };
        Ok(Response::new(self.session.answer("GetProviderSchema", "", work, rescue).await))
    }

    async fn validate_provider_config(
        &self,
        request: Request<wire::validate_provider_config::Request>,
    ) -> Answer<wire::validate_provider_config::Response> {
        let request = request.into_inner();
        let work = move |session: &Session| validate::provider(session, &request);
        let mut diagnostics = self.said("ValidateProviderConfig", "", work).await;
        dynamic::point(|| settings_columns(self.session.catalog()), &mut diagnostics);
        Ok(Response::new(wire::validate_provider_config::Response { diagnostics }))
    }

    async fn validate_resource_config(
        &self,
        request: Request<wire::validate_resource_config::Request>,
    ) -> Answer<wire::validate_resource_config::Response> {
        let request = request.into_inner();
        let name = request.type_name.clone();
        let work = move |session: &Session| validate::resource(session, &request);
        let mut diagnostics = self.said("ValidateResourceConfig", &name, work).await;
        self.point(&name, &mut diagnostics);
        Ok(Response::new(wire::validate_resource_config::Response { diagnostics }))
    }

    async fn validate_data_resource_config(
        &self,
        request: Request<wire::validate_data_resource_config::Request>,
    ) -> Answer<wire::validate_data_resource_config::Response> {
        let request = request.into_inner();
        let name = request.type_name.clone();
        let work = move |session: &Session| validate::data_source(session, &request);
        let mut diagnostics = self.said("ValidateDataResourceConfig", &name, work).await;
        self.point_in_data(&name, &mut diagnostics);
        Ok(Response::new(wire::validate_data_resource_config::Response { diagnostics }))
    }

    async fn upgrade_resource_state(
        &self,
        request: Request<wire::upgrade_resource_state::Request>,
    ) -> Answer<wire::upgrade_resource_state::Response> {
        let request = request.into_inner();
        let (session, name) = (self.session.clone(), request.type_name.clone());
        let work = async move { upgrade::state(&session, &request) };
        let rescue = |diagnostic: Diagnostic| wire::upgrade_resource_state::Response {
            upgraded_state: None,
            diagnostics: dynamic::diagnostics(vec![diagnostic]),
        };
        Ok(Response::new(self.session.answer("UpgradeResourceState", &name, work, rescue).await))
    }

    async fn get_resource_identity_schemas(
        &self,
        _: Request<wire::get_resource_identity_schemas::Request>,
    ) -> Answer<wire::get_resource_identity_schemas::Response> {
        let session = self.session.clone();
        let work = async move {
            wire::get_resource_identity_schemas::Response {
                identity_schemas: schema::identity_schemas(session.catalog()),
                diagnostics: Vec::new(),
            }
        };
        let rescue = |diagnostic: Diagnostic| wire::get_resource_identity_schemas::Response {
            diagnostics: dynamic::diagnostics(vec![diagnostic]),
            ..Default::default()
        };
        Ok(Response::new(self.session.answer("GetResourceIdentitySchemas", "", work, rescue).await))
    }

    async fn upgrade_resource_identity(
        &self,
        request: Request<wire::upgrade_resource_identity::Request>,
    ) -> Answer<wire::upgrade_resource_identity::Response> {
        let request = request.into_inner();
        let (session, name) = (self.session.clone(), request.type_name.clone());
        let work = async move { upgrade::identity(&session, &request) };
        let rescue = |diagnostic: Diagnostic| wire::upgrade_resource_identity::Response {
            upgraded_identity: None,
            diagnostics: dynamic::diagnostics(vec![diagnostic]),
        };
        Ok(Response::new(self.session.answer("UpgradeResourceIdentity", &name, work, rescue).await))
    }

    async fn configure_provider(
        &self,
        request: Request<wire::configure_provider::Request>,
    ) -> Answer<wire::configure_provider::Response> {
        let request = request.into_inner();
        let session = self.session.clone();
        let work = async move { dynamic::diagnostics(validate::configure(session, request).await) };
        let rescue = |diagnostic| dynamic::diagnostics(vec![diagnostic]);
        let mut diagnostics = self.session.answer("ConfigureProvider", "", work, rescue).await;
        dynamic::point(|| settings_columns(self.session.catalog()), &mut diagnostics);
        Ok(Response::new(wire::configure_provider::Response { diagnostics }))
    }

    async fn read_resource(&self, request: Request<wire::read_resource::Request>) -> Answer<wire::read_resource::Response> {
        let request = request.into_inner();
        let name = request.type_name.clone();
        let known = (request.current_state.clone(), request.private.clone(), request.current_identity.clone());
        let rescue = |diagnostic| read::failed(known.0, known.1, known.2, diagnostic);
        let work = read::resource(self.session.clone(), request);
        let mut response = self.session.answer("ReadResource", &name, work, rescue).await;
        self.point(&name, &mut response.diagnostics);
        Ok(Response::new(response))
    }

    async fn plan_resource_change(
        &self,
        request: Request<wire::plan_resource_change::Request>,
    ) -> Answer<wire::plan_resource_change::Response> {
        let request = request.into_inner();
        let name = request.type_name.clone();
        let known = (request.prior_state.clone(), request.prior_private.clone());
        let rescue = |diagnostic| plan::failed(known.0, known.1, diagnostic);
        let work = plan::plan(self.session.clone(), request);
        let mut response = self.session.answer("PlanResourceChange", &name, work, rescue).await;
        self.point(&name, &mut response.diagnostics);
        Ok(Response::new(response))
    }

    async fn apply_resource_change(
        &self,
        request: Request<wire::apply_resource_change::Request>,
    ) -> Answer<wire::apply_resource_change::Response> {
        let request = request.into_inner();
        let name = request.type_name.clone();
        let known = (request.prior_state.clone(), request.planned_private.clone(), request.planned_identity.clone());
        let rescue = |diagnostic| apply::failed(known.0, known.1, known.2, diagnostic);
        let work = apply::apply(self.session.clone(), request);
        let mut response = self.session.answer("ApplyResourceChange", &name, work, rescue).await;
        self.point(&name, &mut response.diagnostics);
        Ok(Response::new(response))
    }

    async fn import_resource_state(
        &self,
        request: Request<wire::import_resource_state::Request>,
    ) -> Answer<wire::import_resource_state::Response> {
        let request = request.into_inner();
        let name = request.type_name.clone();
        let work = import::import(self.session.clone(), request);
        let mut response = self.session.answer("ImportResourceState", &name, work, import::failed).await;
        self.point(&name, &mut response.diagnostics);
        Ok(Response::new(response))
    }

    async fn move_resource_state(
        &self,
        request: Request<wire::move_resource_state::Request>,
    ) -> Answer<wire::move_resource_state::Response> {
        let request = request.into_inner();
        let (session, name) = (self.session.clone(), request.target_type_name.clone());
        let work = async move { moved::state(&session, &request) };
        Ok(Response::new(self.session.answer("MoveResourceState", &name, work, moved::failed).await))
    }

    async fn read_data_source(
        &self,
        request: Request<wire::read_data_source::Request>,
    ) -> Answer<wire::read_data_source::Response> {
        let request = request.into_inner();
        let name = request.type_name.clone();
        let work = read::data_source(self.session.clone(), request);
        let rescue = |diagnostic: Diagnostic| wire::read_data_source::Response {
            diagnostics: dynamic::diagnostics(vec![diagnostic]),
            ..Default::default()
        };
        let mut response = self.session.answer("ReadDataSource", &name, work, rescue).await;
        self.point_in_data(&name, &mut response.diagnostics);
        Ok(Response::new(response))
    }

    async fn generate_resource_config(
        &self,
        request: Request<wire::generate_resource_config::Request>,
    ) -> Answer<wire::generate_resource_config::Response> {
        let request = request.into_inner();
        let (session, name) = (self.session.clone(), request.type_name.clone());
        let work = async move { generate::config(&session, &request) };
        Ok(Response::new(self.session.answer("GenerateResourceConfig", &name, work, generate::failed).await))
    }

    async fn get_functions(&self, _: Request<wire::get_functions::Request>) -> Answer<wire::get_functions::Response> {
        let session = self.session.clone();
        let work = async move {
            wire::get_functions::Response { functions: schema::functions(session.catalog()), diagnostics: Vec::new() }
        };
        let rescue = |diagnostic: Diagnostic| wire::get_functions::Response {
            diagnostics: dynamic::diagnostics(vec![diagnostic]),
            ..Default::default()
        };
        Ok(Response::new(self.session.answer("GetFunctions", "", work, rescue).await))
    }

    async fn call_function(&self, request: Request<wire::call_function::Request>) -> Answer<wire::call_function::Response> {
        let request = request.into_inner();
        let session = self.session.clone();
        let work = async move { function::call(&session, &request) };
        Ok(Response::new(self.session.answer("CallFunction", "", work, |diagnostic| function::failed(&diagnostic)).await))
    }

    async fn stop_provider(&self, _: Request<wire::stop_provider::Request>) -> Answer<wire::stop_provider::Response> {
        tracing::info!("the run is stopped");
        self.session.stop();
        Ok(Response::new(wire::stop_provider::Response::default()))
    }

    async fn validate_ephemeral_resource_config(
        &self,
        request: Request<wire::validate_ephemeral_resource_config::Request>,
    ) -> Answer<wire::validate_ephemeral_resource_config::Response> {
        let diagnostics = unknown("ephemeral resource", &request.get_ref().type_name);
        Ok(Response::new(wire::validate_ephemeral_resource_config::Response { diagnostics }))
    }

    async fn open_ephemeral_resource(
        &self,
        request: Request<wire::open_ephemeral_resource::Request>,
    ) -> Answer<wire::open_ephemeral_resource::Response> {
        let diagnostics = unknown("ephemeral resource", &request.get_ref().type_name);
        Ok(Response::new(wire::open_ephemeral_resource::Response { diagnostics, ..Default::default() }))
    }

    async fn renew_ephemeral_resource(
        &self,
        request: Request<wire::renew_ephemeral_resource::Request>,
    ) -> Answer<wire::renew_ephemeral_resource::Response> {
        let diagnostics = unknown("ephemeral resource", &request.get_ref().type_name);
        Ok(Response::new(wire::renew_ephemeral_resource::Response { diagnostics, ..Default::default() }))
    }

    async fn close_ephemeral_resource(
        &self,
        request: Request<wire::close_ephemeral_resource::Request>,
    ) -> Answer<wire::close_ephemeral_resource::Response> {
        let diagnostics = unknown("ephemeral resource", &request.get_ref().type_name);
        Ok(Response::new(wire::close_ephemeral_resource::Response { diagnostics }))
    }

    type ListResourceStream = Events<wire::list_resource::Event>;

    async fn list_resource(&self, request: Request<wire::list_resource::Request>) -> Answer<Self::ListResourceStream> {
        let request = request.into_inner();
        let name = request.type_name.clone();
        let work = list::list(self.session.clone(), request);
        let mut events = self.session.answer("ListResource", &name, work, list::failed).await;
        for event in &mut events {
            self.point_in_list(&name, &mut event.diagnostic);
        }
        // When the host has what it wants, it hangs up, and the rest is dropped.
        Ok(Response::new(Box::pin(futures::stream::iter(events.into_iter().map(Ok)))))
    }

    async fn validate_list_resource_config(
        &self,
        request: Request<wire::validate_list_resource_config::Request>,
    ) -> Answer<wire::validate_list_resource_config::Response> {
        let request = request.into_inner();
        let name = request.type_name.clone();
        let work = move |session: &Session| validate::list(session, &request);
        let mut diagnostics = self.said("ValidateListResourceConfig", &name, work).await;
        self.point_in_list(&name, &mut diagnostics);
        Ok(Response::new(wire::validate_list_resource_config::Response { diagnostics }))
    }

    async fn validate_state_store_config(
        &self,
        _: Request<wire::validate_state_store::Request>,
    ) -> Answer<wire::validate_state_store::Response> {
        absent("state stores")
    }

    async fn configure_state_store(
        &self,
        _: Request<wire::configure_state_store::Request>,
    ) -> Answer<wire::configure_state_store::Response> {
        absent("state stores")
    }

    type ReadStateBytesStream = Events<wire::read_state_bytes::Response>;

    async fn read_state_bytes(&self, _: Request<wire::read_state_bytes::Request>) -> Answer<Self::ReadStateBytesStream> {
        absent("state stores")
    }

    async fn write_state_bytes(
        &self,
        _: Request<Streaming<wire::write_state_bytes::RequestChunk>>,
    ) -> Answer<wire::write_state_bytes::Response> {
        absent("state stores")
    }

    async fn lock_state(&self, _: Request<wire::lock_state::Request>) -> Answer<wire::lock_state::Response> {
        absent("state stores")
    }

    async fn unlock_state(&self, _: Request<wire::unlock_state::Request>) -> Answer<wire::unlock_state::Response> {
        absent("state stores")
    }

    async fn get_states(&self, _: Request<wire::get_states::Request>) -> Answer<wire::get_states::Response> {
        absent("state stores")
    }

    async fn delete_state(&self, _: Request<wire::delete_state::Request>) -> Answer<wire::delete_state::Response> {
        absent("state stores")
    }

    async fn plan_action(&self, request: Request<wire::plan_action::Request>) -> Answer<wire::plan_action::Response> {
        let diagnostics = unknown("action", &request.get_ref().action_type);
        Ok(Response::new(wire::plan_action::Response { diagnostics, ..Default::default() }))
    }

    type InvokeActionStream = Events<wire::invoke_action::Event>;

    async fn invoke_action(&self, request: Request<wire::invoke_action::Request>) -> Answer<Self::InvokeActionStream> {
        use wire::invoke_action::{Event, event};
        let diagnostics = unknown("action", &request.get_ref().action_type);
        let completed = event::Type::Completed(event::Completed { diagnostics });
        Ok(Response::new(once(Event { r#type: Some(completed) })))
    }

    async fn validate_action_config(
        &self,
        request: Request<wire::validate_action_config::Request>,
    ) -> Answer<wire::validate_action_config::Response> {
        let diagnostics = unknown("action", &request.get_ref().type_name);
        Ok(Response::new(wire::validate_action_config::Response { diagnostics }))
    }
}
