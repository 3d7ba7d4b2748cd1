//! Routes requests to the token endpoint, the admin API, Graph and the control path, and sends what they answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, Method, Response, Uri};
use axum::response::{IntoResponse, Response as AxumResponse};
use axum::routing::{any, get, post};
use serde_json::json;

use super::admin::{self, Request};
use super::reply::{Ending, Reply};
use super::wire::Scissors;
use super::{Shared, control, faults, graph, token};

/// The most bytes of a request.
const BODY_LIMIT: usize = 8 * 1024 * 1024;

/// All routes.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/{tenant}/oauth2/v2.0/token", post(tokens))
        .route("/adminapi/{version}/{tenant}/{operation}", any(exchange))
        .route("/AdminApi/{version}/{tenant}/{operation}", any(exchange))
        .route("/v1.0/domains", get(domains))
        .route("/v1.0/domains/{*rest}", get(domains))
        .route("/v1.0/users/{mailbox}/sendMail", post(send_mail))
        .nest("/sandbox", control::router())
        .fallback(nowhere)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(shared)
}

async fn tokens(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    Path(tenant): Path<String>,
    uri: Uri,
    body: Bytes,
) -> Response<Body> {
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(&body).into_owned().collect();
    let reply = {
        let mut world = shared.world();
        world.ledger.counts.token_requests += 1;
        let fault = world.faults.meet("Token");
        let address = format!("{}{}", shared.url(), uri.path());
        faults::under(fault.as_ref(), || token::issue(&mut world, &tenant, &address, &form))
    };
    send(reply, &scissors).await
}

async fn domains(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    uri: Uri,
    headers: HeaderMap,
) -> Response<Body> {
    let path: Vec<&str> = uri.path().split('/').skip(3).filter(|part| !part.is_empty()).collect();
    let reply = {
        let mut world = shared.world();
        world.ledger.count("Graph");
        let fault = world.faults.meet("Graph");
        faults::under(fault.as_ref(), || graph::answer(&mut world, &path, &headers))
    };
    send(reply, &scissors).await
}

async fn send_mail(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    Path(mailbox): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let reply = {
        let mut world = shared.world();
        world.ledger.count("Graph");
        let fault = world.faults.meet("Graph");
        faults::under(fault.as_ref(), || graph::send_mail(&mut world, &mailbox, &headers, &body))
    };
    send(reply, &scissors).await
}

async fn exchange(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    Path((_, tenant, operation)): Path<(String, String, String)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let request = Request { method, uri, headers, tenant, operation, body };
    let write = request.cmdlet().is_some_and(|cmdlet| !cmdlet.to_ascii_lowercase().starts_with("get-"));
    // Counted until the answer goes out, also when the client gives up before.
    let _in_flight = InFlight { shared: Arc::clone(&shared), write };
    let reply = {
        let mut world = shared.world();
        let in_flight = world.ledger.enter(write);
        let latency = Duration::from_millis(world.options.latency_ms);
        let too_many = world.options.max_in_flight.is_some_and(|most| in_flight > most);
        let mut reply = if too_many { faults::too_many_calls(503) } else { admin::answer(&mut world, &request, shared.port()) };
        world.ledger.answered(if reply.ending == Ending::Dropped { 0 } else { reply.status });
        reply.delay += latency;
        reply
    };
    send(reply, &scissors).await
}

async fn nowhere(uri: Uri) -> AxumResponse {
    let body = json!({ "error": { "code": "NotFound", "message": format!("No resource at '{}'.", uri.path()) } });
    Reply::json(404, &body).into_response()
}

/// Sends an answer, late or not at all where that was asked for.
async fn send(reply: Reply, scissors: &Scissors) -> Response<Body> {
    if !reply.delay.is_zero() {
        tokio::time::sleep(reply.delay).await;
    }
    if reply.ending == Ending::Dropped {
        scissors.cut();
    }
    reply.into_response()
}

/// Takes a call out of the count of those in flight.
struct InFlight {
    shared: Arc<Shared>,
    write: bool,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.shared.world().ledger.leave(self.write);
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> AxumResponse {
        Reply::into_response(self)
    }
}
