//! Logins, tokens, HTTP Basic.

use std::sync::Arc;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{Outcome, Request, Wrong};
use crate::sandbox::gateway::state::Shared;

/// Answers `POST login`.
pub(super) fn log_in(shared: &Arc<Shared>, request: &Request) -> Outcome {
    if request.method != "POST" {
        return Err(Wrong::nowhere());
    }
    let body: Value = serde_json::from_slice(&request.body).map_err(|_| Wrong(400, "Bad Request.".into()))?;
    let field = |name: &str| {
        let bytes = STANDARD.decode(body.get("data")?.get(name)?.as_str()?).ok()?;
        String::from_utf8(bytes).ok()
    };
    let (Some(name), Some(passphrase)) = (field("userName"), field("passphrase")) else {
        return Err(Wrong(400, "Bad Request.".into()));
    };
    let mut state = shared.state();
    if name != shared.options.username || passphrase != shared.options.password {
        state.counters.failed_logins += 1;
        return Err(unauthorized());
    }
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let number: u64 = rand::random();
    let token = format!(
        "{}.{}.{}",
        part(json!({"typ": "JWT", "alg": "HS256"})),
        part(json!({"userName": name, "sessionStartTime": number})),
        URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
    );
    state.rest.tokens.push((token.clone(), Instant::now()));
    Ok((200, json!({"data": {"jwtToken": token}})))
}

/// Lets a request in, or does not.
pub(super) fn check(shared: &Arc<Shared>, request: &Request) -> Result<(), Wrong> {
    let mut state = shared.state();
    let life = shared.options.rest_options.token_life;
    if let Some(token) = &request.token {
        let good = state.rest.tokens.iter().any(|(known, since)| known == token && since.elapsed() < life);
        return if good { Ok(()) } else { Err(unauthorized()) };
    }
    let pair = format!("{}:{}", shared.options.username, shared.options.password);
    let shown = request.authorization.as_deref().and_then(|text| text.strip_prefix("Basic "));
    match shown.and_then(|text| STANDARD.decode(text).ok()) {
        Some(bytes) if bytes == pair.as_bytes() => Ok(()),
        Some(_) => {
            state.counters.failed_logins += 1;
            Err(unauthorized())
        }
        None => Err(unauthorized()),
    }
}

fn unauthorized() -> Wrong {
    Wrong(401, "Unauthorized.".into())
}
