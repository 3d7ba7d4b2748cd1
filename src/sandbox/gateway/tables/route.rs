//! SMTP routes: where mail for a domain goes instead of its MX.

use serde::{Deserialize, Serialize};

use super::extra::{Extras, Owner};

/// Holds the most routes that the device takes, `ALL` included.
pub(in crate::sandbox::gateway) const MOST_ROUTES: usize = 40_000;
/// Holds the most destinations of one route; the number is not documented.
pub(in crate::sandbox::gateway) const MOST_DESTINATIONS: usize = 200;

/// Holds one route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmtpRoute {
    /// `example.com`, `.example.com` or `ALL`.
    pub domain: String,
    /// Destinations as they were typed: `host`, `[host]`, `host:port`, `host:port/pri=N`, `USEDNS` or `/dev/null`.
    pub destinations: Vec<String>,
    /// SMTP authentication profile, if one is associated.
    pub authentication: Option<String>,
}

/// Names the form of the printed table, which is not documented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RouteForm {
    /// `domain    destination, destination`, the form of the graphical interface.
    #[default]
    Columns,
    /// `domain, destination, destination`.
    Commas,
    /// `domain destination (pri=0), destination (pri=5)`: the priority in parentheses.
    Priorities,
}

/// Prints the table. What no document knows stands in parentheses, or in columns of its own, which then have titles.
pub(in crate::sandbox::gateway) fn print(routes: &[SmtpRoute], form: RouteForm, extras: &Extras) -> String {
    let notes = |route: &SmtpRoute| -> String {
        extras.of(Owner::Route(&route.domain)).iter().map(|(label, value)| format!(" ({label}: {value})")).collect()
    };
    match form {
        RouteForm::Commas => routes
            .iter()
            .map(|route| format!("{}, {}{}\n", route.domain, route.destinations.join(", "), notes(route)))
            .collect::<String>(),
        RouteForm::Priorities => {
            let shown = |destination: &String| match destination.split_once("/pri=") {
                Some((host, priority)) => format!("{host} (pri={priority})"),
                None if destination == "/dev/null" || destination.eq_ignore_ascii_case("USEDNS") => destination.clone(),
                None => format!("{destination} (pri=0)"),
            };
            let line = |route: &SmtpRoute| {
                let destinations = route.destinations.iter().map(shown).collect::<Vec<_>>().join(", ");
                format!("{} {destinations}{}\n", route.domain, notes(route))
            };
            routes.iter().map(line).collect()
        }
        RouteForm::Columns => {
            let labels = extras.labels("route");
            let mut rows: Vec<Vec<String>> = Vec::new();
            if !labels.is_empty() {
                rows.push(["Domain", "Destination Hosts"].into_iter().chain(labels.iter().copied()).map(str::to_owned).collect());
            }
            rows.extend(routes.iter().map(|route| {
                let unknown = labels.iter().map(|label| extras.value(Owner::Route(&route.domain), label).to_owned());
                [route.domain.clone(), route.destinations.join(", ")].into_iter().chain(unknown).collect()
            }));
            super::columns(&rows)
        }
    }
}

/// Reads a file in either form.
pub(in crate::sandbox::gateway) fn parse(text: &str) -> Result<Vec<SmtpRoute>, String> {
    let mut routes: Vec<SmtpRoute> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (domain, rest) = line.split_once([',', ' ', '\t']).ok_or("Import failed. A line names no destination.")?;
        check_domain(domain)?;
        let destinations = check_destinations(rest, &[])?;
        if routes.iter().any(|route| route.domain.eq_ignore_ascii_case(domain)) {
            return Err(format!("The value {domain} is already in the routing table."));
        }
        routes.push(SmtpRoute { domain: domain.to_owned(), destinations, authentication: None });
    }
    Ok(routes)
}

/// Checks the domain of a route.
pub(in crate::sandbox::gateway) fn check_domain(domain: &str) -> Result<(), String> {
    if domain.is_empty() {
        return Err("You must enter a value.".into());
    }
    if domain.eq_ignore_ascii_case("ALL") || is_hostname(domain.strip_prefix('.').unwrap_or(domain)) {
        return Ok(());
    }
    Err("A hostname is a string that must match the following rules: labels of letters, digits and dashes, separated by dots."
        .into())
}

/// Splits and checks a list of destinations that joins `present` ones.
pub(in crate::sandbox::gateway) fn check_destinations(list: &str, present: &[String]) -> Result<Vec<String>, String> {
    let destinations: Vec<String> =
        list.split([',', ' ', '\t']).map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect();
    if destinations.is_empty() {
        return Err("You must enter a value.".into());
    }
    let mut known: Vec<String> = present.to_vec();
    for destination in &destinations {
        check_destination(destination)?;
        let alone = |text: &String| text.eq_ignore_ascii_case("USEDNS") || text == "/dev/null";
        if (alone(destination) && destinations.len() + present.len() > 1) || present.iter().any(alone) {
            return Err(format!("The value {destination} cannot be combined with other destinations."));
        }
        let (host, port) = host_and_port(destination);
        for other in &known {
            let (other_host, other_port) = host_and_port(other);
            if other_host.eq_ignore_ascii_case(host) {
                return Err(match other_port {
                    Some(number) if port != Some(number) => format!("The host {host} already has an alternate port {number}."),
                    None if port.is_some() => format!("The host {host} is already using the standard port."),
                    _ => format!("The value {destination} is already in the routing table."),
                });
            }
        }
        known.push(destination.clone());
    }
    if known.len() > MOST_DESTINATIONS {
        return Err(format!("Routes may not contain more than {MOST_DESTINATIONS} destinations."));
    }
    Ok(destinations)
}

/// Splits `host:port/pri=N` into host and port.
fn host_and_port(destination: &str) -> (&str, Option<&str>) {
    let bare = destination.split_once("/pri=").map_or(destination, |(bare, _)| bare);
    if destination == "/dev/null" || bare.matches(':').count() > 1 && !bare.starts_with('[') {
        return (bare, None);
    }
    match bare.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (bare, None),
    }
}

/// Checks one destination.
fn check_destination(destination: &str) -> Result<(), String> {
    if destination.eq_ignore_ascii_case("USEDNS") || destination == "/dev/null" {
        return Ok(());
    }
    if let Some((_, priority)) = destination.split_once("/pri=")
        && priority.parse::<u16>().is_err()
    {
        return Err("Value must be an integer from 0 to 65,535.".into());
    }
    let (host, port) = host_and_port(destination);
    if port.is_some_and(|port| port.parse::<u16>().map_or(true, |number| number == 0)) {
        return Err("Value must be an integer from 1 to 65,535.".into());
    }
    let inside = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    if inside.parse::<std::net::IpAddr>().is_ok() || is_hostname(inside) {
        return Ok(());
    }
    Err("A hostname is a string that must match the following rules: labels of letters, digits and dashes, separated by dots."
        .into())
}

/// Tells whether the text is a host name: labels of letters, digits, `-` and `_`, up to 63 each and 255 together.
pub(in crate::sandbox::gateway) fn is_hostname(text: &str) -> bool {
    text.len() <= 255
        && text.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}
