//! The login of an app registration: the client-credential flow.
//!
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>

use secrecy::{ExposeSecret, SecretString};
use time::OffsetDateTime;
use url::Url;

use super::assertion::assertion;
use super::certificate::Certificate;
use super::federation::{Oidc, claims};
use super::{Granted, Refusal, no_token, send};
use crate::exchange::answer::retry_after;
use crate::exchange::entra::{self, By};
use crate::exchange::hosts::Hosts;
use crate::exchange::settings::Proof;
use crate::remote::{Between, Call, Connection, Error, Kind, Masks};

/// An app registration and its proof.
#[derive(Debug)]
pub(super) struct Application {
    endpoint: Url,
    /// To whom assertions are made out: the cloud's own endpoint, also where another host stands before it.
    authority: Url,
    client_id: String,
    key: Key,
}

#[derive(Debug)]
enum Key {
    Secret(SecretString),
    Certificate(Box<Certificate>),
    Federated(Oidc),
}

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

impl Application {
    /// Prepares the login; reads the certificate if that is the proof.
    pub(super) fn new(client_id: &str, proof: &Proof, tenant: &str, hosts: &Hosts) -> Result<Application, Error> {
        Ok(Application {
            endpoint: token_endpoint(&hosts.login, tenant)?,
            authority: token_endpoint(&hosts.authority, tenant)?,
            client_id: client_id.to_owned(),
            key: match proof {
                Proof::Secret(secret) => Key::Secret(secret.clone()),
                Proof::Certificate { source, password } => {
                    Key::Certificate(Box::new(Certificate::load(source, password.as_ref())?))
                }
                Proof::Federated(source) => Key::Federated(Oidc::new(source.clone(), hosts.federation_audience)),
            },
        })
    }

    /// What it is called in the log.
    pub(super) fn name(&self) -> &'static str {
        match &self.key {
            Key::Secret(_) => "client secret",
            Key::Certificate(_) => "client certificate",
            Key::Federated(_) => "federated credential",
        }
    }

    /// Asks once.
    pub(super) async fn token(&self, scope: &str, connection: &Connection, call: &Call) -> Result<Granted, Refusal> {
        let mut form = vec![("grant_type", "client_credentials"), ("client_id", self.client_id.as_str()), ("scope", scope)];
        let (by, proof) = match &self.key {
            Key::Secret(secret) => (By::Secret, secret.clone()),
            Key::Certificate(certificate) => {
                let now = OffsetDateTime::now_utc();
                (By::Certificate, assertion(certificate, &self.client_id, self.authority.as_str(), now)?)
            }
            Key::Federated(oidc) => (By::Federation, oidc.token(connection, call).await?),
        };
        if by == By::Secret {
            form.push(("client_secret", proof.expose_secret()));
        } else {
            form.extend([("client_assertion_type", ASSERTION_TYPE), ("client_assertion", proof.expose_secret())]);
        }
        let reply = send(connection, &self.endpoint, |client| client.post(self.endpoint.clone()).form(&form), call).await?;
        if (200..300).contains(&reply.status) {
            return Granted::read(&reply.body).ok_or_else(|| {
                match Between::of(reply.status, &reply.headers, &String::from_utf8_lossy(&reply.body)) {
                    Some(between) => between.error("The request for a token", "Microsoft Entra", "`exchange.login_url`").into(),
                    None => no_token("The token endpoint").hint("Check `exchange.login_url` and any proxy on the way.").into(),
                }
            });
        }
        let mut error = entra::refusal(&reply, by, OffsetDateTime::now_utc());
        if error.kind == Kind::Denied {
            let facts = match &self.key {
                Key::Secret(_) => Vec::new(),
                Key::Certificate(certificate) => certificate.facts(),
                Key::Federated(_) => claims(proof.expose_secret()),
            };
            error = facts.into_iter().fold(error, |error, (name, value)| error.context(name, value));
        }
        error = error.context("sign-in host", self.endpoint.origin().ascii_serialization());
        let lasting = error.kind == Kind::Denied && !matches!(&self.key, Key::Federated(oidc) if oidc.may_change());
        let error = Masks::new().with(proof.expose_secret()).mask_error(error);
        Err(Refusal { wait: retry_after(&reply.headers), lasting, error })
    }
}

fn token_endpoint(origin: &Url, tenant: &str) -> Result<Url, Error> {
    let mut endpoint = origin.clone();
    endpoint
        .path_segments_mut()
        .map_err(|()| Error::new(Kind::Invalid, "`exchange.login_url` is not an origin."))?
        .clear()
        .extend([tenant, "oauth2", "v2.0", "token"]);
    Ok(endpoint)
}
