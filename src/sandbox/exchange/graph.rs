//! Domains as Microsoft Graph shows them, with the DNS records that the tenant expects.
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

/// Answers `POST /v1.0/users/{mailbox}/sendMail` of an application that has not the permission `Mail.Send`:
/// <https://learn.microsoft.com/graph/api/user-sendmail>. Mail from a mailbox starts elsewhere in the sandbox.
pub(crate) fn send_mail(world: &mut World, headers: &HeaderMap) -> Reply {
    let id = world.requests.next();
    match world.tokens.check(headers, Audience::Graph, world.clock.now()) {
        Ok(_) => errors::graph(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.", &id),
        Err(refusal) => unauthorized(refusal, &id),
    }
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
