//! A scripted service on loopback, for this room's own tests.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::settings::{Cloud, Credential, Proof, Settings};
use crate::remote::{Backoff, Call};

/// The secret of the scripted application.
pub(super) const SECRET: &str = "s3cret~Value/1";

/// The ID of the scripted application.
pub(super) const CLIENT_ID: &str = "11111111-2222-3333-4444-555555555555";

/// Short waits.
pub(super) const BACKOFF: Backoff = Backoff { first: Duration::from_millis(5), most: Duration::from_millis(20) };

/// What a request said.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Seen {
    /// The cmdlet; empty for a request for a token.
    pub(super) fn cmdlet(&self) -> String {
        self.json().pointer("/CmdletInput/CmdletName").and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    pub(super) fn parameters(&self) -> Value {
        self.json().pointer("/CmdletInput/Parameters").cloned().unwrap_or_default()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// What is answered.
pub(super) struct Said {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
    pub(super) delay: Duration,
    /// The connection breaks in the middle of the body.
    pub(super) broken: bool,
    /// After the body a byte comes each ten seconds, and no end.
    pub(super) endless: bool,
}

impl Said {
    pub(super) fn of(status: u16, body: impl Into<Vec<u8>>) -> Said {
        Said { status, headers: Vec::new(), body: body.into(), delay: Duration::ZERO, broken: false, endless: false }
    }

    pub(super) fn objects(objects: &[Value]) -> Said {
        Said::of(200, json!({"@odata.context": "c", "@adminapi.warnings": [], "value": objects}).to_string())
    }

    pub(super) fn fault(status: u16, text: &str) -> Said {
        Said::of(
            status,
            json!({"error": {"code": "BadRequest", "message": "Error executing cmdlet", "details": [{"code": "Context", "target": "", "message": text}]}})
                .to_string(),
        )
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Said {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn after(self, delay: Duration) -> Said {
        Said { delay, ..self }
    }

    pub(super) fn broken(self) -> Said {
        Said { broken: true, ..self }
    }

    pub(super) fn endless(self) -> Said {
        Said { endless: true, ..self }
    }
}

type Script = dyn Fn(&Seen) -> Said + Send + Sync;
type Scripted = (Arc<Script>, Arc<Mutex<Vec<Seen>>>);

/// A running service.
pub(super) struct Service {
    pub(super) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    stop: CancellationToken,
}

impl Service {
    /// Answers cmdlet calls by a script; gives `token-1`, `token-2`, … to who asks for a token with the right secret.
    pub(super) async fn start(script: impl Fn(&Seen) -> Said + Send + Sync + 'static) -> Service {
        let given = Mutex::new(0);
        Service::start_raw(move |seen| {
            if !seen.path.ends_with("/oauth2/v2.0/token") {
                return script(seen);
            }
            let mut given = given.lock().unwrap();
            *given += 1;
            Said::of(
                200,
                json!({"token_type": "Bearer", "expires_in": 3599, "access_token": format!("token-{given}")}).to_string(),
            )
        })
        .await
    }

    /// Answers every request by a script.
    pub(super) async fn start_raw(script: impl Fn(&Seen) -> Said + Send + Sync + 'static) -> Service {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let stop = CancellationToken::new();
        let state: Scripted = (Arc::new(script), Arc::clone(&seen));
        let app = axum::Router::new().fallback(answer).with_state(state);
        let served = axum::serve(listener, app).with_graceful_shutdown(stop.clone().cancelled_owned());
        tokio::spawn(async move { served.await });
        Service { address, seen, stop }
    }

    pub(super) fn url(&self) -> Url {
        Url::parse(&format!("http://{}", self.address)).unwrap()
    }

    pub(super) fn settings(&self) -> Settings {
        Settings { login_url: Some(self.url()), exchange_url: Some(self.url()), graph_url: Some(self.url()), ..settings() }
    }

    /// All requests for cmdlets.
    pub(super) fn calls(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().iter().filter(|seen| !seen.cmdlet().is_empty()).cloned().collect()
    }

    /// How often the list of the login's cmdlets was asked for.
    pub(super) fn modules(&self) -> usize {
        self.seen.lock().unwrap().iter().filter(|seen| seen.path.contains("/EXOModuleFile")).count()
    }

    /// The cmdlets in the order in which they were called.
    pub(super) fn cmdlets(&self) -> Vec<String> {
        self.calls().iter().map(Seen::cmdlet).collect()
    }

    /// All requests for tokens.
    pub(super) fn token_requests(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().iter().filter(|seen| seen.path.ends_with("/token")).cloned().collect()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn answer(State((script, seen)): State<Scripted>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let path = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let one = Seen { path, headers: parts.headers, body: String::from_utf8_lossy(&body).into_owned() };
    seen.lock().unwrap().push(one.clone());
    let said = script(&one);
    tokio::time::sleep(said.delay).await;
    let mut response = Response::builder().status(said.status);
    for (name, value) in said.headers {
        response = response.header(name, value);
    }
    let body = if said.broken {
        let start = Bytes::from(said.body);
        let pieces = [Ok(start), Err(std::io::Error::other("broken"))];
        Body::from_stream(futures::stream::iter(pieces))
    } else if said.endless {
        Body::from_stream(futures::stream::unfold(Bytes::from(said.body), async |piece| {
            tokio::time::sleep(Duration::from_secs(10)).await;
            Some((Ok::<_, std::io::Error>(piece), Bytes::from_static(b" ")))
        }))
    } else {
        Body::from(said.body)
    };
    response.body(body).unwrap()
}

/// Settings of a tenant; the hosts are to be overridden.
pub(super) fn settings() -> Settings {
    Settings {
        tenant: "contoso.onmicrosoft.com".to_owned(),
        credential: application(Proof::Secret(SECRET.to_owned().into())),
        cloud: Cloud::Public,
        organization: "contoso.onmicrosoft.com".to_owned(),
        login_url: None,
        exchange_url: None,
        graph_url: None,
        ca_certificate: None,
        read_only: false,
    }
}

/// The scripted application with a proof.
pub(super) fn application(proof: Proof) -> Credential {
    Credential::Application { client_id: CLIENT_ID.to_owned(), proof }
}

/// A call that may take so many seconds.
pub(super) fn call(seconds: u64) -> Call {
    Call::new(CancellationToken::new(), Duration::from_secs(seconds))
}
