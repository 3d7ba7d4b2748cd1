//! What is missing on either side before MX records may lead to the gateways. Only what was read is judged: a side that is not configured, and a list
//! that cannot be read, blocks nothing.

use super::Sides;
use crate::remote::{Call, Enumerate, Error, Kind};
use crate::schema::Record;
use crate::value::Diagnostic;

/// Looks for what is missing. `hosts` are where Microsoft 365 takes mail for the domain, if that is known.
pub(super) async fn find(
    sides: &Sides<'_>,
    domain: &str,
    hosts: &[String],
    is_null: bool,
    call: &Call,
) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    if is_null {
        found.push(format!("{domain} has a null MX record, which says that it takes no mail (RFC 7505)."));
    }
    if let Some(gateway) = sides.gateway {
        if let Some(rows) = objects(sides, gateway, "gateway_recipient_access", call).await?
            && !rows.iter().any(|row| accepts(row, domain))
        {
            found.push(format!("The gateway takes no mail for {domain}: no `mailflow_gateway_recipient_access` accepts it."));
        }
        if let Some(routes) = objects(sides, gateway, "gateway_smtp_route", call).await? {
            found.extend(route_blocker(&routes, domain, hosts));
        }
        if let Some(filters) = objects(sides, gateway, "gateway_message_filter", call).await? {
            let asks_for_groups =
                |filter: &&Record| filter.text("script").is_some_and(|script| script.to_lowercase().contains("sendergroup"));
            let is_live = |filter: &Record| filter.truth("active") != Some(false) && filter.truth("valid") != Some(false);
            for filter in filters.iter().filter(asks_for_groups).filter(|filter| !is_live(filter)) {
                let name = filter.text("name").unwrap_or_default();
                found.push(format!("The message filter {name:?} is not live: it is inactive or not valid."));
            }
        }
    }
    if let Some(exchange) = sides.exchange
        && let Some(connectors) = objects(sides, exchange, "exchange_inbound_connector", call).await?
        && !connectors.iter().any(|connector| takes_from_gateway(connector, domain))
    {
        found.push(format!(
            "No enabled inbound connector takes mail for {domain} from the gateways: `mailflow_exchange_inbound_connector` with `sender_domains = [\"*\"]` and \
             their addresses or certificate."
        ));
    }
    Ok(found)
}

/// All objects of a kind; nothing if they cannot be read, which is told.
async fn objects(sides: &Sides<'_>, side: &dyn Enumerate, resource: &str, call: &Call) -> Result<Option<Vec<Record>>, Error> {
    let Some(resource) = (sides.resource)(resource) else { return Ok(None) };
    match side.list(resource, &Record::new(), call).await {
        Ok(listing) => Ok(Some(listing.objects)),
        Err(error) if error.kind == Kind::Stopped => Err(error),
        Err(error) => {
            call.report(Diagnostic::warning(
                format!("Whether a {} is missing could not be learnt", resource.noun),
                format!("{error}\n\n`blockers` says nothing of it."),
            ));
            Ok(None)
        }
    }
}

/// A name as tables write it covers a domain: itself, `.above` all below, and a word for all.
fn covers(pattern: &str, domain: &str) -> bool {
    let pattern = pattern.to_lowercase();
    pattern == domain || pattern == "all" || pattern.strip_prefix('.').is_some_and(|above| domain.ends_with(&format!(".{above}")))
}

fn accepts(row: &Record, domain: &str) -> bool {
    let takes = row.text("action").is_none_or(|action| action.eq_ignore_ascii_case("accept"));
    takes && row.text("recipient").is_some_and(|recipient| covers(recipient, domain))
}

fn route_blocker(routes: &[Record], domain: &str, hosts: &[String]) -> Option<String> {
    let of = |wanted: &dyn Fn(&str) -> bool| routes.iter().find(|route| route.text("domain").is_some_and(wanted));
    let exact = of(&|own: &str| own.eq_ignore_ascii_case(domain));
    let route = exact
        .or_else(|| of(&|own: &str| !own.eq_ignore_ascii_case("ALL") && covers(own, domain)))
        .or_else(|| of(&|own: &str| own.eq_ignore_ascii_case("ALL")));
    let destinations: Vec<String> = route
        .and_then(|route| route.get("destination").as_elements())
        .unwrap_or_default()
        .iter()
        .filter_map(|destination| {
            Record::from_value(destination.clone()).text("host").map(|host| host.trim_matches(['[', ']']).to_lowercase())
        })
        .collect();
    let is_microsofts = |host: &String| {
        hosts.iter().any(|expected| expected.trim_end_matches('.').eq_ignore_ascii_case(host))
            || hosts.is_empty() && (host.contains(".mail.protection.") || host.ends_with(".mx.microsoft"))
    };
    if destinations.iter().any(is_microsofts) {
        return None;
    }
    let wanted = hosts.first().map_or_else(String::new, |host| format!(" ({host})"));
    Some(format!(
        "The gateway does not hand mail for {domain} to Microsoft 365{wanted}: no `mailflow_gateway_smtp_route` leads there."
    ))
}

fn takes_from_gateway(connector: &Record, domain: &str) -> bool {
    let plain = |text: &str| text.to_lowercase().trim_start_matches("smtp:").split(';').next().unwrap_or_default().to_owned();
    let is_meant = |text: &&str| matches!(plain(text).as_str(), "*") || plain(text) == domain;
    connector.truth("enabled") == Some(true)
        && connector.texts("sender_domains").iter().any(is_meant)
        && (!connector.texts("sender_ip_addresses").is_empty() || connector.text("tls_sender_certificate_name").is_some())
}
