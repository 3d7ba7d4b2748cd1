//! The control channel for tests in other processes: HTTP on loopback.
//!
//! | request | what it does |
//! |---|---|
//! | `GET /sandbox/snapshot` | the committed configuration |
//! | `PUT /sandbox/snapshot` | puts a snapshot live |
//! | `GET /sandbox/counters` | [`Counters`] |
//! | `GET /sandbox/pending` | `{"pending":false,"sessions":0}` |
//! | `GET /sandbox/history` | user and comment of each commit |
//! | `GET /sandbox/describe` | the tables for a person, as text |
//! | `POST /sandbox/fault` | adds a [`Fault`]: `{"fault":"refuse_commit","text":"no"}` |
//! | `DELETE /sandbox/fault` | forgets the faults that have not happened |
//! | `POST /sandbox/edit` | applies a list of [`Edit`]s to the committed configuration |
//! | `POST /sandbox/disconnect` | cuts all connections |
//!
//! What does not fit is answered with status 422 and a sentence.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::describe::describe;
use super::faults::{Edit, Fault};
use super::state::{Counters, Shared};

type Answer = Result<Json<Value>, (StatusCode, String)>;

/// Answers until the token is cancelled.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    let router = Router::new()
        .route("/sandbox/snapshot", get(snapshot).put(restore))
        .route("/sandbox/counters", get(counters))
        .route("/sandbox/pending", get(pending))
        .route("/sandbox/history", get(history))
        .route("/sandbox/describe", get(description))
        .route("/sandbox/fault", post(fault).delete(clear_faults))
        .route("/sandbox/edit", post(edit))
        .route("/sandbox/disconnect", post(disconnect))
        .with_state(shared);
    // The server only ends with the token; an error of a single connection is the client's to report.
    let _ = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await;
}

fn unfit(reason: &impl ToString) -> (StatusCode, String) {
    (StatusCode::UNPROCESSABLE_ENTITY, reason.to_string())
}

async fn snapshot(State(shared): State<Arc<Shared>>) -> Answer {
    let committed = shared.state().committed.clone();
    serde_json::to_value(committed).map(Json).map_err(|error| unfit(&error))
}

async fn restore(State(shared): State<Arc<Shared>>, Json(body): Json<Value>) -> Answer {
    let configuration = serde_json::from_value(body).map_err(|error| unfit(&error))?;
    shared.state().publish(configuration, "colleague", "restored");
    Ok(Json(json!({})))
}

async fn counters(State(shared): State<Arc<Shared>>) -> Json<Counters> {
    Json(shared.state().counters.clone())
}

async fn pending(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let state = shared.state();
    let pending = state.change_sets.keys().any(|owner| state.is_pending(owner));
    Json(json!({ "pending": pending, "sessions": state.sessions.len() }))
}

async fn history(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let state = shared.state();
    Json(state.history.iter().map(|commit| json!({ "user": commit.user, "comment": commit.comment })).collect())
}

async fn description(State(shared): State<Arc<Shared>>) -> String {
    describe(&shared.state().committed, shared.options.release)
}

async fn fault(State(shared): State<Arc<Shared>>, Json(body): Json<Value>) -> Answer {
    let fault: Fault = serde_json::from_value(body).map_err(|error| unfit(&error))?;
    shared.state().faults.add(fault);
    Ok(Json(json!({})))
}

async fn clear_faults(State(shared): State<Arc<Shared>>) -> Json<Value> {
    shared.state().faults.clear();
    Json(json!({}))
}

async fn edit(State(shared): State<Arc<Shared>>, Json(body): Json<Value>) -> Answer {
    let change: Vec<Edit> = serde_json::from_value(body).map_err(|error| unfit(&error))?;
    shared.state().edit("colleague", &change).map_err(|error| unfit(&error))?;
    Ok(Json(json!({})))
}

async fn disconnect(State(shared): State<Arc<Shared>>) -> Json<Value> {
    shared.state().connections.values().for_each(CancellationToken::cancel);
    Json(json!({}))
}
