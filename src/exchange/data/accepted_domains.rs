//! The domains that the tenant takes mail for: `Get-AcceptedDomain`.
//!
//! <https://learn.microsoft.com/powershell/module/exchangepowershell/get-accepteddomain>
//!
//! ```json
//! {"Name":"contoso.com","DomainName":"contoso.com","DomainType":"Authoritative","Default":true,"Guid":"…"}
//! ```

use serde_json::{Map, json};

use super::shown_all;
use crate::exchange::Exchange;
use crate::exchange::answer::Object;
use crate::exchange::cmdlet::{PLAIN, Way, from_json};
use crate::exchange::http::Cmdlet;
use crate::remote::{Call, Error, Masks};
use crate::schema::{Attribute, DataSource, Record, boolean, list_of, string};

/// The table.
pub(super) const SOURCE: DataSource = DataSource {
    name: "exchange_accepted_domains",
    noun: "accepted domains",
    about: "Lists the accepted domains: all domains that Exchange Online takes mail for in this tenant.",
    attributes: &[list_of("domains", "The domains, by name.", DOMAIN).computed()],
    rules: &[],
};

const DOMAIN: &[Attribute] = &[
    string("id", "The GUID of the accepted domain.").remote("Guid").computed(),
    string("name", "The name of the object, which is the domain unless it was renamed.").computed(),
    string("domain_name", "The domain.").computed(),
    string(
        "domain_type",
        "What happens to mail for recipients that the tenant does not have: `Authoritative` domains refuse it, \
                           `InternalRelay` domains hand it on.",
    )
    .computed(),
    boolean("default", "Whether it is the tenant's default domain.").computed(),
    boolean("initial_domain", "Whether it is the tenant's `onmicrosoft.com` domain.").computed(),
    boolean("match_sub_domains", "Whether all domains below it belong to it.").computed(),
    boolean("outbound_only", "Whether it only sends.").computed(),
    boolean("sending_from_domain_disabled", "Whether mail from it is refused.").computed(),
    boolean("sending_to_domain_disabled", "Whether mail to it is refused.").computed(),
    boolean("is_coexistence_domain", "Whether it is the routing domain of a hybrid set-up.").computed(),
    boolean("pending_completion", "Whether it is still being set up.").computed(),
    boolean("pending_removal", "Whether it is being removed.").computed(),
    string("authentication_type", "Where its users sign in: `Managed` or `Federated`.").computed(),
    string("mail_flow_region", "The region that its mail is routed to, where one is set.").computed(),
];

/// The noun of the cmdlet. The list is shared with all readers of the noun.
pub(in crate::exchange) const NOUN: &str = "AcceptedDomain";

/// What of a domain cannot be read, by the name of its member, in words and without values.
pub(in crate::exchange) fn odd(domain: &Object) -> Vec<(String, String)> {
    let read = |(name, member): (String, &Attribute)| {
        let odd = from_json(member, None, domain.get(&name)).err()?;
        Some((name, odd))
    };
    members().filter_map(read).collect()
}

/// The members of what Get shows, with the lines that they are read into.
pub(in crate::exchange) fn members() -> impl Iterator<Item = (String, &'static Attribute)> {
    DOMAIN.iter().filter_map(|member| Some((super::named(member)?, member)))
}

/// Reads the list.
pub(super) async fn read(exchange: &Exchange, call: &Call) -> Result<Record, Error> {
    let fetch = || async {
        let parameters = Map::from_iter([("ResultSize".to_owned(), json!("Unlimited"))]);
        let masks = Masks::new();
        let get = Cmdlet { name: format!("Get-{NOUN}"), parameters, writes: false, masks: &masks };
        Box::pin(exchange.http.list(&get, call)).await
    };
    let list = exchange.lists.get((NOUN, PLAIN), Way::Session, 0, call, fetch).await?;
    let mut domains: Vec<&Object> = list.objects.iter().collect();
    domains.sort_by_key(|domain| domain.text("DomainName").unwrap_or_default().to_lowercase());
    Ok(Record::new().with("domains", shown_all(DOMAIN, domains)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::testing::{Said, Service, call};
    use crate::value::Value;

    #[tokio::test]
    async fn the_domains_come_by_name_with_what_the_service_says() {
        let service = Service::start(|_| {
            Said::objects(&[
                json!({"Name": "fabrikam.com", "DomainName": "fabrikam.com", "DomainType": "InternalRelay", "Guid": "b"}),
                json!({"Name": "Main", "DomainName": "Contoso.com", "Default": true, "MatchSubDomains": false, "Guid": "a"}),
            ])
        })
        .await;
        let exchange = Exchange::new(&service.settings()).unwrap();
        let found = read(&exchange, &call(5)).await.unwrap();
        let domains: Vec<Record> = found.get("domains").as_elements().unwrap().iter().cloned().map(Record::from_value).collect();
        let names: Vec<_> = domains.iter().map(|domain| domain.text("domain_name")).collect();
        assert_eq!(names, [Some("Contoso.com"), Some("fabrikam.com")]);
        assert_eq!((domains[0].truth("default"), domains[0].truth("match_sub_domains")), (Some(true), Some(false)));
        assert_eq!(domains[0].get("domain_type"), &Value::Null);
        assert_eq!(domains[1].text("domain_type"), Some("InternalRelay"));
        read(&exchange, &call(5)).await.unwrap();
        assert_eq!(service.cmdlets().len(), 1, "the list is shared");
    }
}
