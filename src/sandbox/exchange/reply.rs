//! An answer before it goes out: status, headers, bytes, and how the connection ends.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use futures::stream::{self, StreamExt};
use serde_json::Value;

/// The content type of the admin API's live answers.
const ODATA_JSON: &str = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";

/// An answer that can still be spoiled on purpose.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// HTTP status.
    pub(crate) status: u16,
    /// Headers in the order they were added.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: Vec<u8>,
    /// What happens to the connection.
    pub(crate) ending: Ending,
    /// How long the answer is held back after the effect.
    pub(crate) delay: Duration,
}

/// What happens to the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The answer is sent in full.
    Whole,
    /// Not a byte is sent.
    Dropped,
    /// So many bytes of the body are sent, fewer than announced.
    CutAfter(usize),
}

impl Reply {
    /// An answer with a JSON body.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::bytes(status, ODATA_JSON, body.to_string().into_bytes())
    }

    /// An answer with a body of this type.
    pub(crate) fn bytes(status: u16, content_type: &str, body: Vec<u8>) -> Self {
        let headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
        Self { status, headers, body, ending: Ending::Whole, delay: Duration::ZERO }
    }

    /// An answer without a body.
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), ending: Ending::Whole, delay: Duration::ZERO }
    }

    /// Adds a header, or replaces the one that stands.
    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.set_header(name, value);
        self
    }

    /// Adds a header, or replaces the one that stands.
    pub(crate) fn set_header(&mut self, name: &str, value: impl Into<String>) {
        self.headers.retain(|(standing, _)| !standing.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.into()));
    }

    /// Turns the answer into what axum sends. A dropped answer has to be cut on its connection by the caller.
    pub(crate) fn into_response(self) -> Response<Body> {
        let whole = self.body.len();
        let body = match self.ending {
            Ending::Whole | Ending::Dropped => Body::from(self.body),
            Ending::CutAfter(bytes) => {
                let part = Bytes::copy_from_slice(&self.body[..bytes.min(whole)]);
                // The pause lets what was sent so far reach the wire before the connection ends.
                let end = stream::once(async {
                    tokio::task::yield_now().await;
                    Err(std::io::Error::new(std::io::ErrorKind::ConnectionReset, "cut on purpose"))
                });
                Body::from_stream(stream::once(async { Ok(part) }).chain(end))
            }
        };
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in self.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                response.headers_mut().append(name, value);
            }
        }
        if matches!(self.ending, Ending::CutAfter(_)) {
            response.headers_mut().insert(axum::http::header::CONTENT_LENGTH, HeaderValue::from(whole));
        }
        response
    }
}
