//! OIDC tokens of other issuers, which a federated credential of the application trusts.
//!
//! GitHub Actions: <https://docs.github.com/actions/reference/security/oidc>. Azure Pipelines:
//! <https://learn.microsoft.com/rest/api/azure/devops/distributedtask/oidctoken/create>.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use super::{Refusal, no_token, send, setting};
use crate::exchange::answer::retry_after;
use crate::exchange::settings::OidcSource;
use crate::remote::{Call, Connection, Error, Kind, Masks, Reply, credential, read_json};

/// Where OIDC tokens come from, and for whom they are to be.
#[derive(Debug)]
pub(super) struct Oidc {
    source: OidcSource,
    audience: &'static str,
}

/// The claims that a federated credential compares, by the words of the portal.
const CLAIMS: &[(&str, &str)] = &[("issuer", "iss"), ("subject", "sub"), ("audience", "aud")];
/// A claim that is longer is cut in what is shown.
const LONGEST_CLAIM: usize = 300;

impl Oidc {
    /// Prepares the source. `audience` is the one that the cloud's tenants expect.
    pub(super) fn new(source: OidcSource, audience: &'static str) -> Oidc {
        Oidc { source, audience }
    }

    /// Whether somebody else may bring a better token while this runs.
    pub(super) fn may_change(&self) -> bool {
        matches!(self.source, OidcSource::File(_))
    }

    /// Gets a token, a fresh one where that is possible.
    pub(super) async fn token(&self, connection: &Connection, call: &Call) -> Result<SecretString, Refusal> {
        match &self.source {
            OidcSource::Token(token) => Ok(token.clone()),
            OidcSource::File(path) => {
                let wrong = |why: String| {
                    Error::new(
                        Kind::Invalid,
                        format!("`exchange.oidc_token_file_path` (ARM_OIDC_TOKEN_FILE_PATH, AZURE_FEDERATED_TOKEN_FILE) names the file {}, which {why}.", path.display()),
                    )
                    .at(setting("oidc_token_file_path"))
                };
                let text = tokio::fs::read_to_string(path).await.map_err(|error| wrong(format!("cannot be read: {error}")))?;
                let token = text.trim();
                if token.is_empty() {
                    return Err(wrong("is empty".to_owned()).into());
                }
                Ok(credential(token))
            }
            OidcSource::GitHub { url, token, audience } => {
                let mut url = url.clone();
                url.query_pairs_mut().append_pair("audience", audience.as_deref().unwrap_or(self.audience));
                let prepare = |client: &reqwest::Client| {
                    client.get(url.clone()).bearer_auth(token.expose_secret()).header(ACCEPT, "application/json")
                };
                let reply = send(connection, &url, prepare, call).await?;
                given(&reply, "value", token, "The token service of the job", GITHUB)
            }
            OidcSource::AzurePipelines { url, token, service_connection } => {
                let url = pipelines_url(url, service_connection);
                let prepare = |client: &reqwest::Client| {
                    client
                        .post(url.clone())
                        .bearer_auth(token.expose_secret())
                        .header(ACCEPT, "application/json")
                        .header(CONTENT_TYPE, "application/json")
                        .header(CONTENT_LENGTH, "0")
                        // Otherwise a refusal is a redirect to a page for people.
                        .header("X-TFS-FedAuthRedirect", "Suppress")
                };
                let reply = send(connection, &url, prepare, call).await?;
                given(&reply, "oidcToken", token, "Azure Pipelines", PIPELINES)
            }
        }
    }
}

const GITHUB: &str = "A job of GitHub Actions needs `permissions: id-token: write`. Elsewhere, check `exchange.oidc_request_url` (ARM_OIDC_REQUEST_URL, ACTIONS_ID_TOKEN_REQUEST_URL) and `exchange.oidc_request_token` (ARM_OIDC_REQUEST_TOKEN, ACTIONS_ID_TOKEN_REQUEST_TOKEN).";
const PIPELINES: &str = "Map the job's access token (`SYSTEM_ACCESSTOKEN: $(System.AccessToken)`), and check that ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID (or ARM_OIDC_AZURE_SERVICE_CONNECTION_ID) is the ID of a service connection with workload identity federation that this pipeline may use.";

fn pipelines_url(url: &Url, service_connection: &str) -> Url {
    let mut url = url.clone();
    let versioned = url.query_pairs().any(|(name, _)| name.eq_ignore_ascii_case("api-version"));
    let mut query = url.query_pairs_mut();
    if !versioned {
        query.append_pair("api-version", "7.1");
    }
    query.append_pair("serviceConnectionId", service_connection);
    drop(query);
    url
}

/// Takes the token out of an answer, or makes the error of what came instead.
fn given(reply: &Reply, member: &str, asked_with: &SecretString, who: &str, hint: &str) -> Result<SecretString, Refusal> {
    let body: Option<Value> = read_json(&reply.body).ok();
    let text = |name: &str| body.as_ref().and_then(|body| body.get(name)).and_then(Value::as_str).filter(|text| !text.is_empty());
    match reply.status {
        200..=299 if text(member).is_some() => Ok(credential(text(member).unwrap_or_default())),
        // A page for people comes with 203 from Azure DevOps.
        200..=299 => Err(no_token(who).hint(hint).into()),
        status => {
            let said = text("message").map_or_else(|| format!("HTTP {status}"), |said| format!("HTTP {status}: {said}"));
            let error = Error::new(Kind::Denied, format!("{who} gave no OIDC token: {said}"));
            let error = match status {
                429 => Error { kind: Kind::Throttled, ..error }.retryable(),
                408 | 500.. => Error { kind: Kind::Unavailable, ..error }.retryable(),
                _ => error.hint(hint),
            };
            let lasting = error.kind == Kind::Denied;
            let error = Masks::new().with(asked_with.expose_secret()).mask_error(error);
            Err(Refusal { error, wait: retry_after(&reply.headers), lasting })
        }
    }
}

/// What a federated credential compares of a token: issuer, subject, audience. None of it is secret; nothing else is shown.
pub(super) fn claims(token: &str) -> Vec<(&'static str, String)> {
    let payload = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok());
    let Some(claims) = payload.and_then(|payload| read_json(&payload).ok()) else {
        return vec![("OIDC token", "is not a JSON Web Token".to_owned())];
    };
    let shown = |value: &Value| match value {
        Value::String(text) => text.chars().take(LONGEST_CLAIM).collect(),
        other => other.to_string().chars().take(LONGEST_CLAIM).collect(),
    };
    CLAIMS.iter().map(|(word, claim)| (*word, claims.get(*claim).map_or_else(|| "(none)".to_owned(), shown))).collect()
}
