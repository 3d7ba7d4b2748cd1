//! The token endpoint of Microsoft Entra, for the client credentials flow.
//!
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>. Takes a client secret, an
//! assertion signed with the application's certificate, or a token of another issuer. Each wrong thing has its
//! `AADSTS` code.

use std::collections::BTreeMap;

use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use time::macros::format_description;
use time::{Duration, OffsetDateTime};

use super::World;
use super::assertion::{self, Fault};
use super::reply::Reply;

/// What a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// The Exchange Online admin API.
    Exchange,
    /// Microsoft Graph.
    Graph,
}

/// A token that was issued, with the rights that it carries.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a right of its own")]
pub(crate) struct Token {
    /// What it is good for.
    pub(crate) audience: Audience,
    /// When it ends.
    pub(crate) expires: OffsetDateTime,
    /// It carries `Exchange.ManageAsApp`.
    pub(crate) manage_as_app: bool,
    /// It carries a directory role.
    pub(crate) directory_role: bool,
    /// It carries `Domain.Read.All`.
    pub(crate) domain_read: bool,
    /// It carries `Mail.Send`.
    pub(crate) mail_send: bool,
}

/// The tokens that were issued.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    issued: BTreeMap<String, Token>,
    serial: u64,
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There is none, or not one of ours.
    Missing,
    /// It has ended.
    Expired,
    /// It is good for something else.
    Audience,
}

/// The resources of all clouds.
const EXCHANGE: [&str; 4] = [
    "https://outlook.office365.com",
    "https://outlook.office365.us",
    "https://outlook-dod.office365.us",
    "https://outlook.office365.cn",
];
const GRAPH: [&str; 4] = [
    "https://graph.microsoft.com",
    "https://graph.microsoft.us",
    "https://dod-graph.microsoft.us",
    "https://microsoftgraph.chinacloudapi.cn",
];

/// The assertion type of a signed token.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

impl Tokens {
    /// Makes every token that was issued end now.
    pub(crate) fn expire(&mut self, now: OffsetDateTime) {
        for token in self.issued.values_mut() {
            token.expires = now;
        }
    }

    /// Looks at the bearer of a request.
    pub(crate) fn check(&self, headers: &HeaderMap, audience: Audience, now: OffsetDateTime) -> Result<Token, Refusal> {
        let bearer = headers.get("authorization").and_then(|value| value.to_str().ok());
        let token = bearer.and_then(|value| value.strip_prefix("Bearer ")).ok_or(Refusal::Missing)?;
        let token = self.issued.get(token).ok_or(Refusal::Missing)?;
        if token.audience != audience {
            return Err(Refusal::Audience);
        }
        if now >= token.expires { Err(Refusal::Expired) } else { Ok(token.clone()) }
    }
}

/// Answers a request for a token.
pub(crate) fn issue(world: &mut World, tenant: &str, url: &str, form: &BTreeMap<String, String>) -> Reply {
    match grant(world, tenant, url, form) {
        Ok(audience) => success(world, audience),
        Err(refused) => refusal(world, &refused),
    }
}

/// An error of the endpoint.
struct Refused {
    status: u16,
    error: &'static str,
    code: u32,
    words: String,
}

fn refused(error: &'static str, code: u32, words: impl Into<String>) -> Refused {
    let status = if error == "invalid_client" { 401 } else { 400 };
    Refused { status, error, code, words: words.into() }
}

fn grant(world: &World, tenant: &str, url: &str, form: &BTreeMap<String, String>) -> Result<Audience, Refused> {
    let options = &world.options;
    let field = |name: &str| form.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let required = |name: &'static str| {
        field(name).ok_or_else(|| {
            refused("invalid_request", 900_144, format!("The request body must contain the following parameter: '{name}'."))
        })
    };
    if !options.is_tenant(tenant) {
        let words = format!(
            "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. \
             Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant."
        );
        return Err(refused("invalid_request", 90_002, words));
    }
    let grant_type = required("grant_type")?;
    if grant_type != "client_credentials" {
        let words = format!("The app requested an unsupported grant type '{grant_type}'.");
        return Err(refused("unsupported_grant_type", 70_003, words));
    }
    let client_id = required("client_id")?;
    if !client_id.eq_ignore_ascii_case(&options.client_id) {
        let words = format!(
            "Application with identifier '{client_id}' was not found in the directory '{}'. This can happen if the application has \
             not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your \
             authentication request to the wrong tenant.",
            options.organization
        );
        return Err(refused("unauthorized_client", 700_016, words));
    }
    credential(world, url, field("client_secret"), field("client_assertion"), field("client_assertion_type"))?;
    audience(required("scope")?)
}

fn credential(
    world: &World,
    url: &str,
    secret: Option<&str>,
    assertion: Option<&str>,
    assertion_type: Option<&str>,
) -> Result<(), Refused> {
    let options = &world.options;
    if let Some(secret) = secret {
        if secret == options.client_secret.expose_secret() {
            return Ok(());
        }
        let words = format!(
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client \
             secret ID, for a secret added to app '{}'.",
            options.client_id
        );
        return Err(refused("invalid_client", 7_000_215, words));
    }
    let Some(assertion) = assertion else {
        let words = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
        return Err(refused("invalid_client", 7_000_218, words));
    };
    if assertion_type != Some(JWT_BEARER) {
        let words = "The request body must contain the following parameter: 'client_assertion_type'.";
        return Err(refused("invalid_request", 900_144, words));
    }
    if options.federated_token.as_ref().is_some_and(|token| token.expose_secret() == assertion) {
        return Ok(());
    }
    let certificate = options.client_certificate.as_deref();
    assertion::check(assertion, certificate, &options.client_id, url, world.clock.now()).map_err(|fault| match fault {
        Fault::Time { start, end, now } => refused(
            "invalid_client",
            700_024,
            format!("Client assertion is not within its valid time range. Current time: {now}, assertion valid from {start}, expiry time of assertion {end}."),
        ),
        Fault::Certificate => refused(
            "invalid_client",
            700_027,
            "The certificate with identifier used to sign the client assertion is not registered on application.",
        ),
        Fault::Signature => refused("invalid_client", 700_027, "Client assertion failed signature validation."),
        Fault::Audience => refused(
            "invalid_client",
            700_023,
            "Client assertion audience claim does not match Realm issuer. Review the documentation at \
             https://docs.microsoft.com/azure/active-directory/develop/active-directory-certificate-credentials.",
        ),
        Fault::Issuer => {
            refused("invalid_client", 700_021, "Client assertion application identifier doesn't match 'client_id' parameter.")
        }
        Fault::Malformed => refused("invalid_request", 50_027, "JWT token is invalid or malformed."),
    })
}

fn audience(scope: &str) -> Result<Audience, Refused> {
    let Some(resource) = scope.strip_suffix("/.default") else {
        let words = format!(
            "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default \
             suffixed to the resource identifier (application ID URI)."
        );
        return Err(refused("invalid_scope", 1_002_012, words));
    };
    let resource = resource.trim_end_matches('/');
    if EXCHANGE.contains(&resource) {
        return Ok(Audience::Exchange);
    }
    if GRAPH.contains(&resource) {
        return Ok(Audience::Graph);
    }
    let words = format!(
        "The resource principal named {resource} was not found in the tenant. This can happen if the application has not been \
         installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your \
         authentication request to the wrong tenant."
    );
    Err(refused("invalid_resource", 500_011, words))
}

fn success(world: &mut World, audience: Audience) -> Reply {
    let options = &world.options;
    let now = world.clock.now();
    let lifetime = options.token_lifetime;
    let expires = now + Duration::seconds(i64::try_from(lifetime).unwrap_or(i64::MAX / 2));
    world.tokens.serial += 1;
    let (label, resource, roles) = match audience {
        Audience::Exchange => ("exchange", EXCHANGE[0], [options.manage_as_app.then_some("Exchange.ManageAsApp"), None]),
        Audience::Graph => {
            let roles = [options.domain_read.then_some("Domain.Read.All"), options.mail_send.then_some("Mail.Send")];
            ("graph", GRAPH[0], roles)
        }
    };
    let others: &[String] = if audience == Audience::Exchange { &options.other_permissions } else { &[] };
    let roles: Vec<&str> = roles.into_iter().flatten().chain(others.iter().map(String::as_str)).collect();
    // The directory role `Exchange Administrator`.
    let wids: Vec<&str> = options.directory_role.then_some("29232cdf-9323-42fd-ade2-1d097af3e4de").into_iter().collect();
    let claims = json!({ "aud": resource, "iss": format!("https://sts.windows.net/{}/", options.tenant_id), "tid": options.tenant_id,
        "appid": options.client_id, "roles": roles, "wids": wids, "iat": now.unix_timestamp(),
        "nbf": now.unix_timestamp(), "exp": expires.unix_timestamp(), "uti": format!("sandbox-{}", world.tokens.serial) });
    let header = json!({ "typ": "JWT", "alg": "RS256", "kid": "sandbox" });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}.{}", part(&header), part(&claims), URL_SAFE_NO_PAD.encode("not signed: good for the sandbox only"));
    let token = Token {
        audience,
        expires,
        manage_as_app: options.manage_as_app,
        directory_role: options.directory_role,
        domain_read: options.domain_read,
        mail_send: options.mail_send,
    };
    world.tokens.issued.insert(text.clone(), token);
    *world.ledger.counts.tokens_issued.entry(label.into()).or_default() += 1;
    let body = json!({ "token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime, "access_token": text });
    plain_json(200, &body)
}

fn refusal(world: &mut World, refused: &Refused) -> Reply {
    let trace = world.requests.next();
    let correlation = world.requests.next();
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]Z");
    let timestamp = world.clock.now().format(format).unwrap_or_default();
    let description = format!(
        "AADSTS{}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {timestamp}",
        refused.code, refused.words
    );
    let body = json!({ "error": refused.error, "error_description": description, "error_codes": [refused.code], "timestamp": timestamp,
        "trace_id": trace, "correlation_id": correlation,
        "error_uri": format!("https://login.microsoftonline.com/error?code={}", refused.code) });
    plain_json(refused.status, &body)
}

fn plain_json(status: u16, body: &Value) -> Reply {
    Reply::bytes(status, "application/json; charset=utf-8", body.to_string().into_bytes())
        .header("Cache-Control", "no-store, no-cache")
}
