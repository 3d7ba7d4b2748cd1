//! One domain of the tenant, with the DNS records that Microsoft 365 expects: Microsoft Graph.
//!
//! <https://learn.microsoft.com/graph/api/resources/domain> and
//! <https://learn.microsoft.com/graph/api/domain-list-serviceconfigurationrecords>. The records say what ought to be published, not what is
//! (that is `mailflow_dns_mx`). The MX host must be read and never composed: domains of the DNSSEC era have theirs under `mx.microsoft`.
//!
//! ```json
//! {"recordType":"Mx","label":"contoso.com","supportedService":"Email","ttl":3600,"isOptional":false,
//!  "mailExchange":"contoso-com.mail.protection.outlook.com","preference":0}
//! ```

use super::{shown, shown_all};
use crate::exchange::Exchange;
use crate::exchange::answer::Object;
use crate::exchange::forms;
use crate::exchange::http::Reading;
use crate::remote::{Call, Error, Kind};
use crate::schema::{Attribute, DataSource, Record, boolean, integer, list_of, set, string};
use crate::value::Path;

/// The permission that reading domains takes.
pub(in crate::exchange) const PERMISSION: &str = "Domain.Read.All";

/// The table.
pub(super) const SOURCE: DataSource = DataSource {
    name: "exchange_domain",
    noun: "domain",
    about: "Reads one of the tenant's domains: whether it is verified, and the DNS records that Microsoft 365 expects for it. They are what \
            ought to be published; what is published now, `mailflow_dns_mx` reads. The application needs the permission `Domain.Read.All` of \
            Microsoft Graph.",
    attributes: ATTRIBUTES,
    rules: &[],
};

const ATTRIBUTES: &[Attribute] = &[
    string("domain", "The domain.").required().format("a domain such as `contoso.com`", forms::domain),
    boolean("is_verified", "Whether it was proven that the domain belongs to the tenant.").computed(),
    boolean("is_default", "Whether new users get their address in it.").computed(),
    boolean("is_initial", "Whether it is the tenant's first domain, below `onmicrosoft.com`.").computed(),
    string("authentication_type", "Where its users sign in: `Managed` or `Federated`.").computed(),
    set("supported_services", "The services that the domain is set up for: `Email` among them if it takes mail.").computed(),
    list_of(
        "mx_records",
        "The MX records that Microsoft 365 expects, those that are preferred first. Mail for the domain is handed to `mx_records[0].host`. \
         Empty while the domain is not set up for mail.",
        MX,
    )
    .computed()
    .local(),
    list_of("dns_records", "The other DNS records that Microsoft 365 expects.", RECORD).computed().local(),
    list_of("verification_records", "The DNS records of which one proves that the domain belongs to the tenant.", RECORD)
        .computed()
        .local(),
];

const MX: &[Attribute] = &[
    string("host", "The mail server.").remote("mailExchange").computed(),
    integer("preference", "The lower, the more preferred.").computed(),
    integer("ttl", "How long resolvers may keep the record, in seconds.").computed(),
];

const RECORD: &[Attribute] = &[
    string("record_type", "`Txt`, `CName`, `Srv` or `Mx`.").computed(),
    string("label", "The name of the record.").computed(),
    string("supported_service", "The service that needs it.").computed(),
    boolean("is_optional", "Whether the service works without it.").computed(),
    integer("ttl", "How long resolvers may keep the record, in seconds.").computed(),
    string("text", "The text of a `Txt` record.").computed(),
    string("canonical_name", "The target of a `CName` record.").computed(),
    string("mail_exchange", "The mail server of an `Mx` record.").computed(),
    integer("preference", "The preference of an `Mx` record.").computed(),
    string("name_target", "The target of a `Srv` record.").computed(),
    string("service", "The service of a `Srv` record.").computed(),
    string("protocol", "The protocol of a `Srv` record.").computed(),
    integer("port", "The port of a `Srv` record.").computed(),
    integer("priority", "The priority of a `Srv` record.").computed(),
    integer("weight", "The weight of a `Srv` record.").computed(),
];

/// Reads the domain and its records.
pub(super) async fn read(exchange: &Exchange, config: &Record, call: &Call) -> Result<Record, Error> {
    let wanted = config.text("domain").unwrap_or_default();
    // Graph knows names beyond ASCII in their DNS form.
    let name = forms::domain_meaning(wanted);
    let http = &exchange.http;
    let path = ["domains", name.as_str()];
    let domain = http.graph_object(Reading { path: &path, permission: PERMISSION }, call).await.map_err(|error| {
        if error.kind == Kind::NotFound {
            let hint = "Check the spelling, and `exchange.tenant_id`. `mailflow_exchange_accepted_domains` lists what the tenant takes mail for.";
            return Error { message: format!("The tenant has no domain {wanted:?}: {}", error.message), ..error }
                .hint(hint)
                .at(Path::root().attribute("domain"));
        }
        error
    })?;
    let (expected, proof) = tokio::try_join!(
        records(exchange, &name, "serviceConfigurationRecords", call),
        records(exchange, &name, "verificationDnsRecords", call),
    )?;
    let (mut mx, others): (Vec<Object>, Vec<Object>) = expected.into_iter().partition(is_mx);
    mx.sort_by_key(|record| (record.get("preference").as_i64(), record.text("mailExchange").unwrap_or_default().to_owned()));
    Ok(shown(ATTRIBUTES, &domain)?
        .with("mx_records", shown_all(MX, &mx)?)
        .with("dns_records", shown_all(RECORD, &sorted(others))?)
        .with("verification_records", shown_all(RECORD, &sorted(proof))?))
}

/// Where the organization takes mail for a domain, those that are preferred first.
pub(in crate::exchange) async fn expected_mx(exchange: &Exchange, domain: &str, call: &Call) -> Result<Vec<String>, Error> {
    let found = read(exchange, &Record::new().with("domain", domain), call).await?;
    let hosts = found.get("mx_records").as_elements().unwrap_or_default().iter();
    Ok(hosts.filter_map(|one| Record::from_value(one.clone()).text("host").map(str::to_owned)).collect())
}

async fn records(exchange: &Exchange, name: &str, kind: &str, call: &Call) -> Result<Vec<Object>, Error> {
    let path = ["domains", name, kind];
    let reading = Reading { path: &path, permission: PERMISSION };
    exchange.http.graph_list(reading, call).await.map_err(|error| match error.kind {
        // The domain itself was just there.
        Kind::NotFound => Error { kind: Kind::Unexpected, ..error },
        _ => error,
    })
}

fn is_mx(record: &Object) -> bool {
    record.text("recordType").is_some_and(|kind| kind.eq_ignore_ascii_case("Mx"))
}

/// Graph promises no order.
fn sorted(mut records: Vec<Object>) -> Vec<Object> {
    records.sort_by_key(|record| {
        ["recordType", "label", "service", "text", "id"].map(|name| record.text(name).unwrap_or_default().to_owned())
    });
    records
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::exchange::testing::{Said, Service, call};

    async fn look(name: &str) -> Result<Record, Error> {
        let service = Service::start(|seen| {
            let records = match seen.path.as_str() {
                "/v1.0/domains/xn--bcher-kva.example" => {
                    return Said::of(
                        200,
                        json!({"id": "xn--bcher-kva.example", "isVerified": true, "isDefault": false, "isInitial": false,
                            "authenticationType": "Managed", "supportedServices": ["Email"], "state": null})
                        .to_string(),
                    );
                }
                "/v1.0/domains/xn--bcher-kva.example/serviceConfigurationRecords" => json!([
                    {"@odata.type": "microsoft.graph.domainDnsMxRecord", "recordType": "Mx", "mailExchange": "second.mx.microsoft", "preference": 10, "ttl": 3600},
                    {"recordType": "Txt", "label": "xn--bcher-kva.example", "supportedService": "Email", "text": "v=spf1 -all", "ttl": 3600, "isOptional": false},
                    {"recordType": "Mx", "mailExchange": "first.k-v1.mx.microsoft", "preference": 0, "ttl": 3600},
                ]),
                "/v1.0/domains/xn--bcher-kva.example/verificationDnsRecords" => json!([{"recordType": "Txt", "text": "MS=ms1"}]),
                _ => {
                    let error = json!({"code": "Request_ResourceNotFound", "message": "Resource 'x' does not exist."});
                    return Said::of(404, json!({"error": error}).to_string());
                }
            };
            Said::of(200, json!({"value": records}).to_string())
        })
        .await;
        read(&Exchange::new(&service.settings()).unwrap(), &Record::new().with("domain", name), &call(5)).await
    }

    #[tokio::test]
    async fn the_records_are_told_apart_and_the_preferred_mx_host_comes_first() {
        let found = look("B\u{fc}cher.example").await.unwrap();
        assert_eq!(found.truth("is_verified"), Some(true));
        assert_eq!(found.texts("supported_services"), ["Email"]);
        let mx: Vec<Record> = found.get("mx_records").as_elements().unwrap().iter().cloned().map(Record::from_value).collect();
        let hosts: Vec<_> = mx.iter().map(|record| (record.text("host"), record.integer("ttl"))).collect();
        assert_eq!(hosts, [(Some("first.k-v1.mx.microsoft"), Some(3600)), (Some("second.mx.microsoft"), Some(3600))]);
        let others = found.get("dns_records").as_elements().unwrap();
        assert_eq!(Record::from_value(others[0].clone()).text("text"), Some("v=spf1 -all"));
        assert_eq!(found.get("verification_records").as_elements().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_domain_that_the_tenant_does_not_have_is_an_error_on_the_argument() {
        let error = look("fabrikam.com").await.unwrap_err();
        assert_eq!((error.kind, error.path.clone()), (Kind::NotFound, Some(Path::root().attribute("domain"))));
        assert!(error.to_string().contains("\"fabrikam.com\""), "{error}");
    }
}
