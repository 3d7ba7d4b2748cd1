//! The control path: what a test in another process does to the stand-in, as JSON over the same port.
//!
//! | request | what it does |
//! |---|---|
//! | `GET /sandbox` | says what stands, for people |
//! | `GET`, `POST`, `DELETE /sandbox/faults` | faults still to come; script one or a list; forget all |
//! | `GET`, `DELETE /sandbox/counts` | what was counted; count anew |
//! | `GET /sandbox/calls` | every call of a cmdlet, with its parameters |
//! | `GET`, `PUT /sandbox/snapshot` | all objects in canonical form; put them back |
//! | `GET`, `PATCH /sandbox/options` | the options; change some |
//! | `GET`, `PUT`, `DELETE /sandbox/objects/{noun}/{identity}` | an object behind the client's back |
//! | `PUT /sandbox/messages` | the list of messages that a trace finds |
//! | `POST /sandbox/roles` | `{"grant":[…],"revoke":[…]}`, names of cmdlets |
//! | `GET`, `POST /sandbox/clock` | the time; `{"set":"2026-07-24T19:00:00Z"}` or `{"advance_seconds":60}` |
//! | `POST /sandbox/tokens/expire` | ends every token that was issued |

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put as on_put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Shared;
use super::faults::Fault;
use super::values::{date, date_text};

/// All routes below `/sandbox`.
pub(crate) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/", get(describe))
        .route("/faults", get(faults).post(script).delete(forget))
        .route("/counts", get(counts).delete(reset))
        .route("/calls", get(calls))
        .route("/snapshot", get(snapshot).put(restore))
        .route("/options", get(options).patch(change))
        .route("/objects/{noun}/{identity}", get(object).put(put).delete(remove))
        .route("/messages", on_put(messages))
        .route("/roles", post(roles))
        .route("/clock", get(clock).post(set_clock))
        .route("/tokens/expire", post(expire))
}

/// One fault or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Script {
    Several(Vec<Value>),
    One(Value),
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
struct Roles {
    grant: Vec<String>,
    revoke: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Time {
    Set(String),
    AdvanceSeconds(i64),
}

/// A refusal in plain words.
type Refused = (StatusCode, String);

async fn describe(State(shared): State<Arc<Shared>>) -> String {
    shared.world().describe()
}

async fn faults(State(shared): State<Arc<Shared>>) -> Json<Vec<Fault>> {
    Json(shared.world().faults.left())
}

async fn script(State(shared): State<Arc<Shared>>, Json(script): Json<Script>) -> Result<StatusCode, Refused> {
    let several = match script {
        Script::Several(several) => several,
        Script::One(one) => vec![one],
    };
    let several: Result<Vec<Fault>, _> = several.into_iter().map(serde_json::from_value).collect();
    let several = several.map_err(|error| bad(error.to_string()))?;
    let mut world = shared.world();
    for fault in several {
        world.faults.script(fault);
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn forget(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.world().faults.clear();
    StatusCode::NO_CONTENT
}

async fn counts(State(shared): State<Arc<Shared>>) -> Response {
    Json(&shared.world().ledger.counts).into_response()
}

async fn reset(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.world().ledger.reset();
    StatusCode::NO_CONTENT
}

async fn calls(State(shared): State<Arc<Shared>>) -> Response {
    Json(&shared.world().ledger.calls).into_response()
}

async fn snapshot(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(shared.world().snapshot())
}

async fn restore(State(shared): State<Arc<Shared>>, Json(snapshot): Json<Value>) -> Result<StatusCode, Refused> {
    shared.world().restore(&snapshot).map_err(bad)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn options(State(shared): State<Arc<Shared>>) -> Response {
    Json(&shared.world().options).into_response()
}

async fn change(State(shared): State<Arc<Shared>>, Json(patch): Json<Value>) -> Result<StatusCode, Refused> {
    let mut world = shared.world();
    world.options = world.options.patched(&patch).map_err(|error| bad(error.to_string()))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn object(
    State(shared): State<Arc<Shared>>,
    Path((noun, identity)): Path<(String, String)>,
) -> Result<Json<Value>, Refused> {
    let found = shared.world().object(&noun, &identity);
    found.map(Json).ok_or_else(|| (StatusCode::NOT_FOUND, format!("there is no {noun} {identity}")))
}

async fn put(
    State(shared): State<Arc<Shared>>,
    Path((noun, identity)): Path<(String, String)>,
    Json(fields): Json<Map<String, Value>>,
) -> Result<Json<Value>, Refused> {
    let guid = shared.world().put(&noun, &identity, &fields).map_err(bad)?;
    Ok(Json(json!({ "Guid": guid })))
}

async fn remove(
    State(shared): State<Arc<Shared>>,
    Path((noun, identity)): Path<(String, String)>,
) -> Result<StatusCode, Refused> {
    if shared.world().remove(&noun, &identity).map_err(bad)? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err((StatusCode::NOT_FOUND, format!("there is no {noun} {identity}")))
}

async fn messages(State(shared): State<Arc<Shared>>, Json(messages): Json<Vec<Value>>) -> Result<StatusCode, Refused> {
    shared.world().set_messages(&messages).map_err(bad)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn roles(State(shared): State<Arc<Shared>>, Json(roles): Json<Roles>) -> StatusCode {
    let mut world = shared.world();
    roles.grant.iter().for_each(|cmdlet| world.grant(cmdlet));
    roles.revoke.iter().for_each(|cmdlet| world.revoke(cmdlet));
    StatusCode::NO_CONTENT
}

async fn clock(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(json!({ "now": date_text(shared.world().clock.now(), "Z") }))
}

async fn set_clock(State(shared): State<Arc<Shared>>, Json(time): Json<Time>) -> Result<StatusCode, Refused> {
    let mut world = shared.world();
    match time {
        Time::Set(text) => {
            let now = date(&text).ok_or_else(|| bad(format!("{text} is not a point in time")))?;
            world.clock.set(now);
        }
        Time::AdvanceSeconds(seconds) => world.clock.advance(time::Duration::seconds(seconds)),
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn expire(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.world().expire_tokens();
    StatusCode::NO_CONTENT
}

fn bad(error: impl Into<String>) -> Refused {
    (StatusCode::BAD_REQUEST, error.into())
}
