//! Calls to Microsoft Graph, with a token of their own and a gate of their own: reads, and one message that `verify` sends.
//!
//! `GET {graph}/v1.0/domains/contoso.com`. An error is `{"error":{"code":"Request_ResourceNotFound","message":"…"}}`:
//! <https://learn.microsoft.com/graph/errors>.

use std::collections::HashSet;
use std::time::Duration;

use reqwest::header::{ACCEPT, ACCEPT_LANGUAGE, HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};
use tokio::time::Instant;
use url::Url;
use uuid::Uuid;

use super::{ATTEMPTS, Http, MOST_BYTES, PAGES};
use crate::exchange::answer::{Object, retry_after};
use crate::exchange::token::{Audience, Token};
use crate::remote::{Between, Call, Error, Kind, Reply, Verdict, interruptible, out_of_time, read_json, retry};

/// Something to call.
#[derive(Debug, Clone, Copy)]
pub(in crate::exchange) struct Reading<'a> {
    /// The segments of the path after the version.
    pub(in crate::exchange) path: &'a [&'a str],
    /// The permission that it takes.
    pub(in crate::exchange) permission: &'static str,
}

/// A reading that failed.
struct Refusal {
    error: Error,
    unauthorized: bool,
    wait: Option<Duration>,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        Refusal { error, unauthorized: false, wait: None }
    }
}

impl Http {
    /// Reads one object.
    pub(in crate::exchange) async fn graph_object(&self, reading: Reading<'_>, call: &Call) -> Result<Object, Error> {
        let url = self.graph_url(reading.path)?;
        Ok(Object::new(self.graph(&url, reading, call).await?))
    }

    /// Reads a list with all its pages.
    pub(in crate::exchange) async fn graph_list(&self, reading: Reading<'_>, call: &Call) -> Result<Vec<Object>, Error> {
        let mut url = self.graph_url(reading.path)?;
        let (mut objects, mut seen) = (Vec::new(), HashSet::new());
        for _ in 0..PAGES {
            let mut page = self.graph(&url, reading, call).await?;
            let Some(Value::Array(items)) = page.remove("value") else {
                return Err(Error::new(
                    Kind::Unexpected,
                    format!("The answer of Microsoft Graph to {} is not a list.", url.path()),
                ));
            };
            for item in items {
                match item {
                    Value::Object(members) => objects.push(Object::new(members)),
                    _ => {
                        return Err(Error::new(
                            Kind::Unexpected,
                            format!("Microsoft Graph lists something odd at {}.", url.path()),
                        ));
                    }
                }
            }
            let Some(next) = page.get("@odata.nextLink").and_then(Value::as_str) else { return Ok(objects) };
            if !seen.insert(next.to_owned()) {
                break;
            }
            url = self.graph_page(next)?;
        }
        Err(Error::new(Kind::Unexpected, format!("The pages of {} do not end.", url.path())))
    }

    /// Posts something, at most once: only a token that is refused is renewed, as nothing was done then.
    pub(in crate::exchange) async fn graph_post(&self, reading: Reading<'_>, body: &Value, call: &Call) -> Result<(), Error> {
        let url = self.graph_url(reading.path)?;
        let id = Uuid::new_v4().to_string();
        let work = async {
            self.graph_gate.pass(call).await?;
            let mut renewed = false;
            loop {
                let token = self.tokens.get(Audience::Graph, &self.connection, call).await?;
                let request = self.request(&url, &id, &token, Some(body))?;
                let sent = interruptible(call, self.connection.fetch(request, MOST_BYTES)).await?;
                let Reply { status, headers, body } = sent.map_err(|failure| self.connection.failure(&url, &failure))?;
                tracing::debug!(path = url.path(), status, request_id = %id, "posted to Microsoft Graph");
                if (200..300).contains(&status) {
                    return Ok(());
                }
                if status == 401 && !renewed {
                    renewed = true;
                    self.tokens.refused(Audience::Graph, &token);
                    continue;
                }
                return match understand(status, &headers, &body, reading) {
                    Ok(_) => Ok(()),
                    Err(refusal) => Err(refusal.error),
                };
            }
        };
        tokio::time::timeout_at(call.deadline, Box::pin(work)).await.unwrap_or_else(|_| Err(out_of_time()))
    }

    /// A request, which posts where there is a body.
    fn request(&self, url: &Url, id: &str, token: &Token, body: Option<&Value>) -> Result<reqwest::RequestBuilder, Error> {
        let client = self.connection.client(url)?;
        let request = match body {
            None => client.get(url.clone()),
            Some(body) => client.post(url.clone()).json(body),
        };
        Ok(request
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header(ACCEPT_LANGUAGE, HeaderValue::from_static("en-US"))
            .header(HeaderName::from_static("client-request-id"), id)
            .bearer_auth(token.bearer()))
    }

    async fn graph(&self, url: &Url, reading: Reading<'_>, call: &Call) -> Result<Map<String, Value>, Error> {
        let id = Uuid::new_v4().to_string();
        let work = async {
            // The semaphore is never closed.
            let _slot = interruptible(call, self.slots.acquire()).await?;
            retry(
                call,
                self.backoff,
                || async {
                    self.graph_gate.pass(call).await?;
                    let token = self.tokens.get(Audience::Graph, &self.connection, call).await?;
                    match self.fetch(url, &id, &token, reading, call).await {
                        Err(refusal) if refusal.unauthorized => {
                            self.tokens.refused(Audience::Graph, &token);
                            let token = self.tokens.get(Audience::Graph, &self.connection, call).await?;
                            self.fetch(url, &id, &token, reading, call).await
                        }
                        outcome => outcome,
                    }
                },
                |refusal: &Refusal, made| {
                    if let Some(wait) = refusal.wait {
                        self.graph_gate.shut(wait);
                    }
                    match refusal.error.kind {
                        Kind::Throttled if refusal.error.retryable => Verdict::Again(refusal.wait),
                        _ if refusal.error.retryable && made < ATTEMPTS => Verdict::Again(refusal.wait),
                        _ => Verdict::GiveUp,
                    }
                },
            )
            .await
        };
        match tokio::time::timeout_at(call.deadline, Box::pin(work)).await {
            Ok(outcome) => outcome.map_err(|refusal| refusal.error),
            Err(_) => Err(out_of_time()),
        }
    }

    async fn fetch(
        &self,
        url: &Url,
        id: &str,
        token: &Token,
        reading: Reading<'_>,
        call: &Call,
    ) -> Result<Map<String, Value>, Refusal> {
        let request = self.request(url, id, token, None)?;
        let begin = Instant::now();
        let sent = interruptible(call, self.connection.fetch(request, MOST_BYTES)).await?;
        let milliseconds = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
        let Reply { status, headers, body } = sent.map_err(|failure| self.connection.failure(url, &failure))?;
        tracing::debug!(path = url.path(), status, milliseconds, request_id = %id, "asked Microsoft Graph");
        understand(status, &headers, &body, reading)
    }

    fn graph_url(&self, path: &[&str]) -> Result<Url, Error> {
        let mut url = self.hosts.graph.clone();
        url.path_segments_mut()
            .map_err(|()| Error::new(Kind::Invalid, "`exchange.graph_url` is not an origin."))?
            .clear()
            .push("v1.0")
            .extend(path);
        Ok(url)
    }

    /// The address of another page: the token goes to no other host than Graph's.
    fn graph_page(&self, link: &str) -> Result<Url, Error> {
        let home = &self.hosts.graph;
        let link = home.join(link).ok().filter(|link| link.path().starts_with("/v1.0/"));
        let link =
            link.ok_or_else(|| Error::new(Kind::Unexpected, "The link to the next page of a list leads out of the service."))?;
        let mut page = home.clone();
        page.set_path(link.path());
        page.set_query(link.query());
        Ok(page)
    }
}

fn understand(status: u16, headers: &HeaderMap, body: &[u8], reading: Reading<'_>) -> Result<Map<String, Value>, Refusal> {
    let parsed = match read_json(body) {
        Ok(Value::Object(members)) => Some(members),
        _ => None,
    };
    let asked = format!("The request for {}", reading.path.join("/"));
    let between = Between::of(status, headers, &String::from_utf8_lossy(body)).filter(|_| parsed.is_none() || status == 407);
    if (200..300).contains(&status) && between.is_none() {
        return parsed.ok_or_else(|| {
            Error::new(Kind::Unavailable, "The answer of Microsoft Graph is cut off or is not JSON.").retryable().into()
        });
    }
    if let Some(between) = between {
        return Err(between.error(&asked, "Microsoft Graph", "`exchange.graph_url`").into());
    }
    let member = |name: &str| parsed.as_ref()?.get("error")?.get(name)?.as_str();
    let code = member("code").unwrap_or_default();
    let said = member("message").filter(|text| !text.trim().is_empty());
    let message = match said {
        Some(text) => text.trim().to_owned(),
        None => format!("Microsoft Graph answered HTTP {status} without a reason."),
    };
    let permission = reading.permission;
    let error = match status {
        401 => Error::new(Kind::Denied, format!("Microsoft Graph refused the token: {message}"))
            .hint("Check `exchange.environment` and `exchange.graph_url`."),
        403 => Error::new(Kind::Denied, message).hint(format!(
            "Give the application the permission {permission} of Microsoft Graph (an application permission, not a delegated one) and have an administrator consent to it."
        )),
        404 if said.is_some() => Error::new(Kind::NotFound, message),
        429 => Error::new(Kind::Throttled, format!("Microsoft Graph throttles this tenant: {message}")).retryable(),
        408 | 500.. => Error::new(Kind::Unavailable, message).retryable(),
        _ if said.is_some() => Error::new(Kind::Invalid, message),
        _ => Error::new(Kind::Unexpected, message).hint("Check `exchange.environment` and `exchange.graph_url`, and any proxy on the way."),
    };
    let error = if code.is_empty() { error } else { error.context("code", code) };
    let error = match headers.get("request-id").and_then(|value| value.to_str().ok()) {
        Some(id) => error.context("request id", id),
        None => error,
    };
    Err(Refusal { unauthorized: status == 401, wait: retry_after(headers).filter(|_| matches!(status, 429 | 503)), error })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::exchange::testing::{BACKOFF, Said, Seen, Service, call};

    const READING: Reading<'static> = Reading { path: &["domains", "contoso.com"], permission: "Domain.Read.All" };

    async fn read(script: impl Fn(&Seen) -> Said + Send + Sync + 'static) -> (Service, Result<Vec<Object>, Error>) {
        let service = Service::start(script).await;
        let http = Http::new(&service.settings(), BACKOFF).unwrap();
        let outcome = http.graph_list(READING, &call(5)).await;
        (service, outcome)
    }

    fn refused(status: u16, code: &str) -> Said {
        Said::of(status, serde_json::json!({"error": {"code": code, "message": "It is so."}}).to_string())
    }

    async fn check(status: u16, kind: Kind, word: &str) {
        let (_service, outcome) = read(move |_| refused(status, "Some_Code")).await;
        let error = outcome.unwrap_err();
        assert_eq!(error.kind, kind, "{status}: {error}");
        assert!(error.to_string().contains(word), "{status}: {error}");
    }

    #[tokio::test]
    async fn a_call_carries_a_token_for_graph() {
        let (service, outcome) = read(|seen| {
            assert_eq!((seen.path.as_str(), seen.header("authorization")), ("/v1.0/domains/contoso.com", "Bearer token-1"));
            Said::of(200, r#"{"value":[{"id":"contoso.com"}]}"#)
        })
        .await;
        assert_eq!(outcome.unwrap()[0].text("id"), Some("contoso.com"));
        assert!(service.token_requests()[0].body.contains("scope=https%3A%2F%2Fgraph.microsoft.com%2F.default"));
    }

    #[tokio::test]
    async fn all_pages_are_read_and_the_token_stays_with_graph() {
        let (_service, outcome) = read(|seen| {
            if seen.path.contains("skiptoken") {
                Said::of(200, r#"{"value":[{"id":"b"}]}"#)
            } else {
                Said::of(200, r#"{"value":[{"id":"a"}],"@odata.nextLink":"https://evil.example/v1.0/domains?$skiptoken=1"}"#)
            }
        })
        .await;
        let ids: Vec<_> = outcome.unwrap().iter().filter_map(|one| one.text("id").map(str::to_owned)).collect();
        assert_eq!(ids, ["a", "b"]);
    }

    #[tokio::test]
    async fn a_refusal_says_what_is_missing() {
        check(403, Kind::Denied, "Domain.Read.All").await;
        check(404, Kind::NotFound, "It is so.").await;
        check(400, Kind::Invalid, "It is so.").await;
        check(401, Kind::Denied, "token").await;
    }

    #[tokio::test]
    async fn what_passes_is_tried_again() {
        for status in [429, 500, 503] {
            let count = AtomicUsize::new(0);
            let (_service, outcome) = read(move |_| {
                if count.fetch_add(1, Ordering::SeqCst) == 0 {
                    refused(status, "x").header("retry-after", "0.01")
                } else {
                    Said::of(200, r#"{"value":[]}"#)
                }
            })
            .await;
            assert_eq!(outcome.map(|found| found.len()), Ok(0), "{status}");
        }
    }

    #[tokio::test]
    async fn a_refused_token_is_renewed_once() {
        let (service, outcome) = read(|seen| {
            if seen.header("authorization") == "Bearer token-1" { refused(401, "x") } else { Said::of(200, r#"{"value":[]}"#) }
        })
        .await;
        assert!(outcome.is_ok());
        assert_eq!(service.token_requests().len(), 2);
    }

    #[tokio::test]
    async fn a_page_of_something_in_between_does_not_say_that_the_object_is_gone() {
        let (_service, outcome) = read(|_| Said::of(404, "<html>not found</html>")).await;
        assert_eq!(outcome.unwrap_err().kind, Kind::Unexpected);
    }
}
