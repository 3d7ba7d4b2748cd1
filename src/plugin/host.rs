//! The services that the host expects of every plugin process.

use std::pin::Pin;

use futures::{Stream, StreamExt as _};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use super::wire::health::health_check_response::ServingStatus;
use super::wire::health::health_server::Health;
use super::wire::health::{HealthCheckRequest, HealthCheckResponse};
use super::wire::host::grpc_broker_server::GrpcBroker;
use super::wire::host::grpc_controller_server::GrpcController;
use super::wire::host::grpc_stdio_server::GrpcStdio;
use super::wire::host::{ConnInfo, Empty, StdioData};

/// All of these services. Cancelling the token ends the process and every stream.
#[derive(Clone)]
pub(super) struct Host {
    pub(super) shutdown: CancellationToken,
}

type Quiet<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

impl Host {
    /// A stream that says nothing and ends with the process.
    fn quiet<T: Send + 'static>(&self) -> Quiet<T> {
        Box::pin(futures::stream::pending().take_until(self.shutdown.clone().cancelled_owned()))
    }
}

#[tonic::async_trait]
impl GrpcController for Host {
    async fn shutdown(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        self.shutdown.cancel();
        Ok(Response::new(Empty {}))
    }
}

#[tonic::async_trait]
impl GrpcStdio for Host {
    type StreamStdioStream = Quiet<StdioData>;

    async fn stream_stdio(&self, _: Request<()>) -> Result<Response<Self::StreamStdioStream>, Status> {
        Ok(Response::new(self.quiet()))
    }
}

#[tonic::async_trait]
impl GrpcBroker for Host {
    type StartStreamStream = Quiet<ConnInfo>;

    async fn start_stream(&self, _: Request<Streaming<ConnInfo>>) -> Result<Response<Self::StartStreamStream>, Status> {
        Ok(Response::new(self.quiet()))
    }
}

/// The state of a service: the whole server, or the name by which the host knows every plugin.
fn status(service: &str) -> ServingStatus {
    if matches!(service, "" | "plugin" | "tfplugin6.Provider") { ServingStatus::Serving } else { ServingStatus::ServiceUnknown }
}

#[tonic::async_trait]
impl Health for Host {
    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        match status(&request.get_ref().service) {
            ServingStatus::Serving => Ok(Response::new(HealthCheckResponse { status: ServingStatus::Serving.into() })),
            _ => Err(Status::not_found("there is no such service")),
        }
    }

    type WatchStream = Quiet<HealthCheckResponse>;

    async fn watch(&self, request: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let now = HealthCheckResponse { status: status(&request.get_ref().service).into() };
        Ok(Response::new(Box::pin(futures::stream::iter([Ok(now)]).chain(self.quiet()))))
    }
}
