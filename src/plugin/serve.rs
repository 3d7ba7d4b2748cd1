//! The life of the plugin process, from the host's environment to the end.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tonic::transport::server::Router;

use super::handshake::{PROTOCOL, Refusal, Request};
use super::host::Host;
use super::lifetime::{Patience, Watch};
use super::service::{LARGEST_MESSAGE, Service, Session};
use super::transport::{Count, Listener, Place};
use super::wire::health::health_server::HealthServer;
use super::wire::host::grpc_broker_server::GrpcBrokerServer;
use super::wire::host::grpc_controller_server::GrpcControllerServer;
use super::wire::host::grpc_stdio_server::GrpcStdioServer;
use super::wire::tfplugin6::provider_server::ProviderServer;
use super::{Provider, log, panics, signals, tls};

/// The most time for saying goodbye to the services at the end.
const GOODBYE: Duration = Duration::from_millis(250);

/// Serves a provider to the host that started this process, until the host ends it or is gone.
///
/// Returns at once with [`Refusal::ByHand`] when no host started the process. Nothing but the handshake is ever written to
/// standard output, and standard input, which is the host's own, is not read.
pub fn serve_plugin(provider: Arc<dyn Provider>) -> Result<(), Refusal> {
    let request = Request::read(|name| std::env::var_os(name))?;
    run(&Arc::clone(&provider), serve(provider, request))
}

/// Starts what every served provider has (log, panic messages, runtime), and serves to the end.
fn run(provider: &Arc<dyn Provider>, served: impl Future<Output = Result<(), Refusal>>) -> Result<(), Refusal> {
    log::start(provider.catalog().name, |name| std::env::var(name).ok());
    panics::watch();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Refusal::Io("start the runtime", error))?;
    let served = runtime.block_on(served);
    // What is still under way has had its time.
    runtime.shutdown_background();
    served
}

async fn serve(provider: Arc<dyn Provider>, request: Request) -> Result<(), Refusal> {
    let requests = signals::for_a_host().map_err(|error| Refusal::Io("listen for signals", error))?;
    let born_to = parent();
    let (tls, certificate) = match &request.client_certificate {
        Some(client) => tls::server(client.clone()).map(|(tls, certificate)| (Some(tls), Some(certificate)))?,
        None => (None, None),
    };
    let (listener, place) = Listener::bind(&request).await.map_err(|error| Refusal::Io("listen for the host", error))?;
    let answer = request.answer(place.address(), certificate.as_ref());
    say(&answer).map_err(|error| Refusal::Io("answer the host", error))?;

    let session = Session::new(provider);
    let shutdown = CancellationToken::new();
    let count = Count::default();
    let watch = Watch {
        shutdown: shutdown.clone(),
        requests,
        open: count.watch(),
        work: session.work().clone(),
        born_to,
        parent,
        stop: || session.stop(),
    };
    let server = listen(listener, tls, count, router(session.clone(), shutdown), CancellationToken::new());
    tokio::select! {
        ended = server => ended.map_err(|error| Refusal::Io("go on listening", io::Error::other(error)))?,
        end = watch.end(Patience::default()) => tracing::info!(?end, "the provider ends"),
    };
    // A service that does not hear it in this time ends the session by itself; the host is waiting.
    let _ = tokio::time::timeout(GOODBYE, session.close()).await;
    Ok(())
}

/// Writes the one line that ever goes to standard output: the handshake, or how to reach a provider that a person started.
fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(line.as_bytes())?;
    out.flush()
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have no such thing")]
fn parent() -> Option<u32> {
    Some(std::os::unix::process::parent_id())
}

#[cfg(not(unix))]
fn parent() -> Option<u32> {
    None
}

/// All services of a process.
fn router(session: Arc<Session>, shutdown: CancellationToken) -> Router {
    let host = Host { shutdown };
    let provider = ProviderServer::new(Service::new(session))
        .max_decoding_message_size(LARGEST_MESSAGE)
        .max_encoding_message_size(LARGEST_MESSAGE);
    Server::builder()
        // Large objects in few round trips.
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20)
        .add_service(provider)
        .add_service(GrpcControllerServer::new(host.clone()))
        .add_service(GrpcStdioServer::new(host.clone()))
        .add_service(GrpcBrokerServer::new(host.clone()))
        .add_service(HealthServer::new(host))
}

async fn listen(
    listener: Listener,
    tls: Option<Arc<ServerConfig>>,
    count: Count,
    router: Router,
    end: CancellationToken,
) -> Result<(), tonic::transport::Error> {
    router.serve_with_incoming_shutdown(listener.connections(tls, count), end.cancelled_owned()).await
}

/// Serves a provider that a person started, for a debugger as a rule, until an interrupt (Ctrl-C) or SIGTERM.
///
/// Standard output gets one line that a shell can paste, `TF_REATTACH_PROVIDERS='…'`, under which hosts find the provider as `source`
/// (`mailflow/mailflow`); what a person reads about it is for `about`, once the provider can be reached. The first signal ends waits and lets
/// writes in flight finish; a second one ends at once.
pub fn serve_debug(provider: Arc<dyn Provider>, source: &str, about: impl FnOnce()) -> Result<(), Refusal> {
    run(&Arc::clone(&provider), debug(provider, source, about))
}

async fn debug(provider: Arc<dyn Provider>, source: &str, about: impl FnOnce()) -> Result<(), Refusal> {
    let mut requests = signals::for_a_person().map_err(|error| Refusal::Io("listen for signals", error))?;
    let (session, count) = (Session::new(provider), Count::default());
    let reattach = Reattach::start(Arc::clone(&session), count.clone()).await?;
    // A single quote inside would end the shell's quoting; none of the parts can hold one but the path of the socket.
    let variable = reattach.variable(source).replace('\'', "'\\''");
    about();
    say(&format!("TF_REATTACH_PROVIDERS='{variable}'\n"))
        .map_err(|error| Refusal::Io("print how to reach the provider", error))?;
    signals::asked(&mut requests, 1).await;
    session.stop();
    session.work().close();
    tokio::select! {
        () = session.work().wait() => {
            // Time for hosts to take their answers.
            let _ = tokio::time::timeout(GOODBYE, count.watch().wait_for(|open| open.now == 0)).await;
        }
        () = signals::asked(&mut requests, 2) => {}
    }
    let _ = tokio::time::timeout(GOODBYE, session.close()).await;
    reattach.end().await;
    Ok(())
}

/// A provider that serves hosts which did not start it: for debuggers, tests and demonstrations.
///
/// Several hosts may come and go, each with settings of its own. There is no TLS; the socket is reachable for this user only.
/// The server ends when this is dropped, or with [`Reattach::end`].
#[derive(Debug)]
pub struct Reattach {
    place: Place,
    end: CancellationToken,
    server: tokio::task::JoinHandle<()>,
}

/// Serves a provider to hosts that are told about it through `TF_REATTACH_PROVIDERS`. Has to be called in a runtime.
pub async fn serve_reattach(provider: Arc<dyn Provider>) -> Result<Reattach, Refusal> {
    Reattach::start(Session::new(provider), Count::default()).await
}

impl Reattach {
    async fn start(session: Arc<Session>, count: Count) -> Result<Reattach, Refusal> {
        let request = Request::for_anyone();
        let (listener, place) = Listener::bind(&request).await.map_err(|error| Refusal::Io("listen for hosts", error))?;
        let end = CancellationToken::new();
        // A host does not call `Shutdown` in this mode; one that does is not the last.
        let router = router(session, CancellationToken::new());
        let serving = listen(listener, None, count, router, end.clone());
        let stopped = end.clone();
        let server = tokio::spawn(async move {
            tokio::select! {
                ended = serving => if let Err(error) = ended {
                    tracing::error!(%error, "the provider stopped listening");
                },
                // Streams that stay open would hold the server for ever.
                () = stopped.cancelled() => {}
            }
        });
        Ok(Reattach { place, end, server })
    }

    /// The value for `TF_REATTACH_PROVIDERS` under which hosts find the provider as `source` (`mailflow/mailflow`).
    pub fn variable(&self, source: &str) -> String {
        let (network, place) = self.place.address().parts();
        let how = serde_json::json!({
            "Protocol": "grpc",
            "ProtocolVersion": PROTOCOL,
            "Pid": std::process::id(),
            "Test": true,
            "Addr": { "Network": network, "String": place },
        });
        serde_json::json!({ source: how }).to_string()
    }

    /// Ends the server and removes its socket.
    pub async fn end(mut self) {
        self.end.cancel();
        // Fails only if the server panicked, and then it has ended, too.
        let _ = (&mut self.server).await;
    }
}

impl Drop for Reattach {
    fn drop(&mut self) {
        self.end.cancel();
    }
}
