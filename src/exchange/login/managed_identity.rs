//! The login of a managed identity: the machine in Azure asks the platform beside it.
//!
//! Virtual machines: <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>. App Service,
//! Functions, Container Apps: <https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference>.

use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::Value;
use url::Url;

use super::{Granted, Refusal, no_token, send};
use crate::exchange::answer::retry_after;
use crate::exchange::settings::IdentityEndpoint;
use crate::remote::{Call, Connection, Error, Kind, Masks, Reply, read_json};

/// A managed identity.
#[derive(Debug)]
pub(super) struct ManagedIdentity {
    client_id: Option<String>,
    endpoint: IdentityEndpoint,
    metadata: Url,
}

/// Where a virtual machine finds its metadata service.
const METADATA: &str = "http://169.254.169.254/metadata/identity/oauth2/token";
/// The service answers from the same host. On a machine that is not in Azure nobody does, and no connection is refused either.
const PATIENCE: Duration = Duration::from_secs(15);

impl ManagedIdentity {
    /// Prepares the login; no I/O.
    pub(super) fn new(client_id: Option<String>, endpoint: IdentityEndpoint) -> Result<ManagedIdentity, Error> {
        let metadata = Url::parse(METADATA).map_err(|error| Error::new(Kind::Unexpected, format!("{METADATA}: {error}")))?;
        Ok(ManagedIdentity { client_id, endpoint, metadata })
    }

    /// Asks once.
    pub(super) async fn token(&self, resource: &str, connection: &Connection, call: &Call) -> Result<Granted, Refusal> {
        let (mut url, version, header, secret) = match &self.endpoint {
            IdentityEndpoint::Metadata(given) => {
                (given.clone().unwrap_or_else(|| self.metadata.clone()), "2018-02-01", "Metadata", None)
            }
            IdentityEndpoint::Platform { url, header } => (url.clone(), "2019-08-01", "X-IDENTITY-HEADER", Some(header)),
        };
        url.query_pairs_mut()
            .append_pair("api-version", version)
            .append_pair("resource", resource)
            .extend_pairs(self.client_id.iter().map(|id| ("client_id", id)));
        let value = secret.map_or("true", |secret| secret.expose_secret());
        let asked = send(connection, &url, |client| client.get(url.clone()).header(header, value), call);
        let reply = match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok(reply)) => reply,
            // Stopped, or out of time.
            Ok(Err(error)) if error.kind != Kind::Unavailable => return Err(error.into()),
            Ok(Err(error)) => return Err(Error { retryable: false, ..error.hint(ABSENT) }.into()),
            Err(_) => {
                let host = url.origin().ascii_serialization();
                return Err(Error::new(Kind::Unavailable, format!("{host} does not answer.")).hint(ABSENT).into());
            }
        };
        if (200..300).contains(&reply.status) {
            return Granted::read(&reply.body).ok_or_else(|| no_token("The managed identity endpoint").hint(ABSENT).into());
        }
        let mut refusal = self.refused(&reply);
        if let Some(secret) = secret {
            refusal.error = Masks::new().with(secret.expose_secret()).mask_error(refusal.error);
        }
        Err(refusal)
    }

    fn refused(&self, reply: &Reply) -> Refusal {
        let body: Value = read_json(&reply.body).unwrap_or_default();
        let said = ["error_description", "message", "error"].into_iter().find_map(|name| body.get(name).and_then(Value::as_str));
        let said = said.map_or_else(String::new, |said| format!(": {}", said.lines().next().unwrap_or_default().trim()));
        let error = Error::new(Kind::Denied, format!("The managed identity gave no token (HTTP {}){said}", reply.status));
        // While it is updated or its identities change, the metadata service says "not found" or "gone".
        let error = match reply.status {
            429 => Error { kind: Kind::Throttled, ..error }.retryable(),
            404 | 408 | 410 | 500.. => Error { kind: Kind::Unavailable, ..error }.hint(WHICH).retryable(),
            _ => error.hint(WHICH),
        };
        let lasting = error.kind == Kind::Denied;
        let error = match &self.client_id {
            Some(id) => error.context("client_id", id),
            None => error.context("identity", "the machine's own (no exchange.client_id is set)"),
        };
        Refusal { error, wait: retry_after(&reply.headers), lasting }
    }
}

const ABSENT: &str = "`exchange.use_msi` (ARM_USE_MSI) works on machines in Azure that have a managed identity only. Elsewhere use another credential; where the endpoint has another address, set `exchange.msi_endpoint` (ARM_MSI_ENDPOINT).";
const WHICH: &str = "Give the machine a managed identity. For a user-assigned one set `exchange.client_id` (ARM_CLIENT_ID) to its client ID; for the machine's own, leave `exchange.client_id` out.";
