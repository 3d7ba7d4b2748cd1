//! Domains as Microsoft Graph shows them, with the DNS records that the tenant expects; and mail that is sent from a mailbox.
//!
//! <https://learn.microsoft.com/graph/api/domain-list-serviceconfigurationrecords>. The records say what ought to be
//! published, not what is. The MX host is not the same for every domain: newer ones stand under `mx.microsoft`.

use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::World;
use super::errors;
use super::options::Options;
use super::reply::Reply;
use super::token::{Audience, Refusal};

/// Answers `GET /v1.0/domains…`; `path` is what follows `domains`.
pub(crate) fn answer(world: &mut World, path: &[&str], headers: &HeaderMap) -> Reply {
    let id = world.requests.next();
    let reply = respond(world, path, headers, &id);
    reply.header("request-id", id.clone()).header("client-request-id", id)
}

/// A message that was taken from a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sandbox) struct Submission {
    /// The mailbox.
    pub(in crate::sandbox) from: String,
    /// Envelope recipients.
    pub(in crate::sandbox) to: Vec<String>,
    /// Headers.
    pub(in crate::sandbox) headers: Vec<(&'static str, String)>,
    /// The text.
    pub(in crate::sandbox) text: String,
}

/// Answers `POST /v1.0/users/{mailbox}/sendMail`: <https://learn.microsoft.com/graph/api/user-sendmail>. A message that is taken goes to whoever
/// carries mail for the tenant. Every address of the tenant's domains is a mailbox.
pub(crate) fn send_mail(world: &mut World, mailbox: &str, headers: &HeaderMap, body: &[u8]) -> Reply {
    let id = world.requests.next();
    let token = match world.tokens.check(headers, Audience::Graph, world.clock.now()) {
        Ok(token) => token,
        Err(refusal) => return unauthorized(refusal, &id),
    };
    if !token.mail_send {
        return errors::graph(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.", &id);
    }
    let options = &world.options;
    let domain = mailbox.rsplit_once('@').map_or("", |(_, domain)| domain);
    if ![&options.organization].into_iter().chain(&options.domains).any(|own| own.eq_ignore_ascii_case(domain)) {
        return errors::graph(404, "ErrorInvalidUser", &format!("The requested user '{mailbox}' is invalid."), &id);
    }
    let Some(submission) = submission(mailbox, body, format!("<{id}@{}>", options.organization)) else {
        return errors::graph(400, "ErrorInvalidRecipients", "At least one recipient isn't valid.", &id);
    };
    if world.outbox.as_ref().is_some_and(|outbox| outbox.send(submission).is_ok()) {
        return Reply::empty(202).header("request-id", id.clone()).header("client-request-id", id);
    }
    errors::graph(503, "ServiceUnavailable", "Nobody carries mail for this tenant.", &id)
}

fn submission(mailbox: &str, body: &[u8], message_id: String) -> Option<Submission> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let message = body.get("message")?;
    let text = |path: &str| message.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let address = |one: &Value| one.pointer("/emailAddress/address").and_then(Value::as_str).map(str::to_owned);
    let to: Vec<String> = message.get("toRecipients")?.as_array()?.iter().map(address).collect::<Option<_>>()?;
    let headers =
        vec![("From", mailbox.to_owned()), ("To", to.join(", ")), ("Subject", text("/subject")), ("Message-ID", message_id)];
    (!to.is_empty()).then(|| Submission { from: mailbox.to_owned(), to, headers, text: text("/body/content") })
}

fn unauthorized(refusal: Refusal, id: &str) -> Reply {
    let words = match refusal {
        Refusal::Missing => "Access token is empty.",
        Refusal::Expired => "Lifetime validation failed, the token is expired.",
        Refusal::Audience => "Access token validation failure. Invalid audience.",
    };
    errors::graph(401, "InvalidAuthenticationToken", words, id)
}

fn respond(world: &World, path: &[&str], headers: &HeaderMap, id: &str) -> Reply {
    let token = match world.tokens.check(headers, Audience::Graph, world.clock.now()) {
        Ok(token) => token,
        Err(refusal) => return unauthorized(refusal, id),
    };
    if !token.domain_read {
        return errors::graph(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.", id);
    }
    let options = &world.options;
    let names = || [&options.organization].into_iter().chain(&options.domains);
    let context = |what: &str| format!("https://graph.microsoft.com/v1.0/$metadata#{what}");
    match path {
        [] => {
            let domains: Vec<Value> = names().map(|name| domain(options, name)).collect();
            Reply::json(200, &json!({ "@odata.context": context("domains"), "value": domains }))
        }
        [name, rest @ ..] => {
            let Some(name) = names().find(|own| own.eq_ignore_ascii_case(name)) else {
                let words =
                    format!("Resource '{name}' does not exist or one of its queried reference-property objects are not present.");
                return errors::graph(404, "Request_ResourceNotFound", &words, id);
            };
            let records = match rest {
                [] => {
                    let mut body = domain(options, name);
                    body["@odata.context"] = json!(context("domains/$entity"));
                    return Reply::json(200, &body);
                }
                ["serviceConfigurationRecords"] => service_records(options, name),
                ["verificationDnsRecords"] => verification_records(options, name),
                _ => return errors::graph(400, "BadRequest", "Resource not found for the segment.", id),
            };
            let what = format!("domains('{name}')/{}", rest.join("/"));
            Reply::json(200, &json!({ "@odata.context": context(&what), "value": records }))
        }
    }
}

fn domain(options: &Options, name: &str) -> Value {
    let initial = name == options.organization;
    json!({ "id": name, "authenticationType": "Managed", "availabilityStatus": null, "isAdminManaged": true,
        "isDefault": options.domains.first().is_some_and(|first| first == name), "isInitial": initial, "isRoot": true, "isVerified": true,
        "supportedServices": ["Email", "OfficeCommunicationsOnline"], "passwordValidityPeriodInDays": null,
        "passwordNotificationWindowInDays": null, "state": null })
}

/// The host that takes mail for a domain.
pub(super) fn mail_exchange(options: &Options, name: &str) -> String {
    let label = name.replace('.', "-");
    let dnssec = options.dnssec_domains.iter().any(|own| own.eq_ignore_ascii_case(name));
    if dnssec { format!("{label}.k-v1.mx.microsoft") } else { format!("{label}.mail.protection.outlook.com") }
}

fn record(name: &str, kind: &str, place: &str, service: Option<&str>, members: Value) -> Value {
    let mut record = json!({ "@odata.type": format!("#microsoft.graph.domainDns{kind}Record"), "id": record_id(name, place),
        "isOptional": false, "label": name, "recordType": if kind == "Cname" { "CName" } else { kind }, "supportedService": service,
        "ttl": 3600 });
    if let (Value::Object(record), Value::Object(members)) = (&mut record, members) {
        record.extend(members);
    }
    record
}

/// An id that depends on the domain and the record only.
fn record_id(name: &str, place: &str) -> String {
    let seed = name
        .bytes()
        .chain(place.bytes())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    super::clock::Guids::new(seed).next()
}

fn service_records(options: &Options, name: &str) -> Vec<Value> {
    let email = Some("Email");
    let autodiscover = format!("autodiscover.{name}");
    vec![
        record(name, "Mx", "mx", email, json!({ "mailExchange": mail_exchange(options, name), "preference": 0 })),
        record(name, "Txt", "spf", email, json!({ "text": "v=spf1 include:spf.protection.outlook.com -all" })),
        record(
            name,
            "Cname",
            "autodiscover",
            email,
            json!({ "canonicalName": "autodiscover.outlook.com", "label": autodiscover }),
        ),
        record(
            name,
            "Srv",
            "sip",
            Some("OfficeCommunicationsOnline"),
            json!({ "nameTarget": "sipfed.online.lync.com", "port": 5061, "priority": 100, "protocol": "_tcp",
                "service": "_sipfederationtls", "weight": 1, "isOptional": true }),
        ),
    ]
}

fn verification_records(options: &Options, name: &str) -> Vec<Value> {
    let number = name.bytes().fold(options.tenant_id.len() as u64, |sum, byte| (sum * 31 + u64::from(byte)) % 100_000_000);
    vec![
        record(name, "Txt", "proof-txt", None, json!({ "text": format!("MS=ms{number:08}") })),
        record(
            name,
            "Mx",
            "proof-mx",
            None,
            json!({ "mailExchange": format!("ms{number:08}.msv1.invalid"), "preference": 32767 }),
        ),
    ]
}
