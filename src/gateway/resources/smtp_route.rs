//! SMTP Routes (Network > SMTP Routes; `smtproutes`): where the gateway delivers the mail of a domain.
//!
//! The destination forms are those of the admin manual's chapter "Routing Email for Local Domains": `host` (its MX records are looked up),
//! `[host]` (its address records), `host:port`, `host:port/pri=N`, `USEDNS` and `/dev/null`.

use std::sync::Arc;

use super::{TIMEOUTS, UNMANAGED, confirmed, forms, label, not_offered, plain, required, typable};
use crate::gateway::batch_form::{Form, Line};
use crate::gateway::dialog::{Dialog, Picker};
use crate::gateway::table::{Edit, Neighbours, Printout, Rows, Table};
use crate::remote::{Error, Kind};
use crate::schema::{Attribute, Import, Record, Resource, Rule, block_list, integer, string};
use crate::value::{Diagnostic, Diagnostics, Path, Value};

/// The table of SMTP routes.
pub(in crate::gateway) const TABLE: Table = Table {
    resource: &RESOURCE,
    printout: |_| Printout::Routes,
    listener: super::no_listener,
    resettable: true,
    neighbours: Neighbours::None,
    stage,
    check: super::nothing_to_check,
};

const DESTINATION: &[Attribute] = &[
    string(
        "host",
        "Where the mail goes. Of a host name the MX records are looked up, of one in brackets the address records. `USEDNS` is normal DNS delivery, \
         `/dev/null` throws the mail away; these two stand alone.",
    )
    .required()
    .format("a host name (`mx.example.com`), a host name in brackets (`[mx.example.com]`), an IP address, `USEDNS` or `/dev/null`", forms::route_host)
    .meaning(forms::route_host_meaning),
    integer("port", "TCP port.").range(1, 65_535).filled_integer(25),
    integer("priority", "Priority: the lowest number is tried first; destinations of the same number take turns.").range(0, 65_535).filled_integer(0),
];

/// What an SMTP route has.
pub(in crate::gateway) const RESOURCE: Resource = Resource {
    name: "gateway_smtp_route",
    noun: "SMTP route",
    about: "Routes the mail of a domain to given hosts (Network > SMTP Routes). The most specific domain wins. If none of the hosts answers, \
            the mail is kept in the queue: the MX records of the domain are not tried. The default route `ALL` is always in effect: where none is \
            set, it is normal DNS delivery. It is adopted on create, and destroy restores what was there before.",
    attributes: &[
        string("domain", "Receiving domain. `ALL` is the default route, for all domains that have none.")
            .required()
            .always_there(is_default)
            .replaces()
            .format("a domain (`example.com`), all hosts below one (`.example.com`), or `ALL`", forms::route_domain)
            .meaning(forms::domain_meaning),
        block_list(
            "destination",
            "A destination host; the block is repeated for more of them. For Microsoft 365: the host in the MX record that the tenant expects for the \
             domain. Normal DNS delivery is the host `USEDNS`.",
            DESTINATION,
        )
        .required(),
        string(
            "smtp_auth_profile",
            "Outgoing SMTP Authentication: the profile by which the gateway logs in to the destinations, by name. Left out: none.",
        )
        .format("a name of letters, digits, `_`, `-`, `.` and blanks that starts with a letter", forms::profile),
        UNMANAGED,
    ],
    rules: &[Rule::Hook(
        "No destination twice; `USEDNS` and `/dev/null` stand alone; no route leads back to the gateway.",
        destinations_fit,
    )],
    identity: &["domain"],
    import: Import::Key { attributes: &["domain"], example: "example.com" },
    title: "domain",
    version: 0,
    timeouts: TIMEOUTS,
};

fn is_default(domain: &str) -> bool {
    forms::domain_meaning(domain) == "ALL"
}

fn destinations_fit(config: &Record) -> Diagnostics {
    let mut found = Vec::new();
    let at = Path::root().attribute("destination");
    let Some(destinations) = config.get("destination").as_elements() else { return found };
    let domain = config.text("domain").map(forms::domain_meaning);
    let mut seen: Vec<(String, i64, i64)> = Vec::new();
    for (index, destination) in destinations.iter().enumerate() {
        let record = Record::from_value(destination.clone());
        let Some(text) = record.text("host") else { continue };
        let here = at.index(index).attribute("host");
        let host = forms::route_host_meaning(text);
        let is_word = host == "USEDNS" || host == "/dev/null";
        if is_word && destinations.len() > 1 {
            found.push(
                Diagnostic::error(
                    format!("{host} stands alone"),
                    "It cannot be combined with other destinations of the same route.",
                )
                .at(here.clone()),
            );
        }
        for (name, plain) in [("port", 25), ("priority", 0)] {
            if is_word && record.integer(name).is_some_and(|number| number != plain) {
                found.push(
                    Diagnostic::error(format!("{host} has no {name}"), "Leave it out.").at(at.index(index).attribute(name)),
                );
            }
        }
        if Some(&host) == domain.as_ref() {
            let detail = format!(
                "The MX records of {host} are looked up, and once they point at the gateway, mail goes in a loop. Name the host that the mail is \
                 for (for Microsoft 365, the host in the domain's original MX record)."
            );
            found.push(Diagnostic::error("The route leads back to the gateway", detail).at(here.clone()));
        }
        let address = host.trim_start_matches('[').trim_end_matches(']');
        let is_itself = address == "localhost"
            || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback() || address.is_unspecified());
        if is_itself {
            found.push(
                Diagnostic::error("The route leads back to the gateway", format!("{host} is the gateway itself."))
                    .at(here.clone()),
            );
        }
        let Some(port) = Some(record.get("port")).filter(|port| !port.is_unknown()).map(|port| port.as_integer().unwrap_or(25))
        else {
            continue;
        };
        let priority = record.get("priority").as_integer().unwrap_or(0);
        // With the same priority it is the same element, which is refused in any list.
        if seen.iter().any(|(other, its_port, its_priority)| (other, *its_port) == (&host, port) && *its_priority != priority) {
            found.push(
                Diagnostic::error(format!("{host} is listed twice"), "The gateway keeps each destination of a route once.")
                    .at(here),
            );
        }
        // An IPv6 address has colons of its own, so that a port behind it could not be told.
        if host.parse::<std::net::Ipv6Addr>().is_ok()
            && (port != 25 || record.integer("priority").is_some_and(|priority| priority != 0))
        {
            found.push(
                Diagnostic::error("An IPv6 address has no port or priority", "Write a host name instead.").at(at.index(index)),
            );
        }
        seen.push((host, port, priority));
    }
    found
}

const NEW_LINE: Form = Form { command: "smtproutes", words: &["smtproutes", "new", "<source>", "<destination>"] };
const DELETE_LINE: Form = Form { command: "smtproutes", words: &["smtproutes", "delete", "<source>"] };

fn stage(edit: Edit<'_>, _: &Rows) -> Result<Vec<Dialog>, Error> {
    let menu = Dialog::of("smtproutes");
    let dialog = match edit {
        Edit::Create(to) => {
            let domain = domain(to)?;
            // A profile has no place in the line.
            let line = if to.text("smtp_auth_profile").is_none() {
                let words = typed(to)?;
                Line::of(&NEW_LINE, std::iter::once(domain.as_str()).chain(words.split(", ")))
            } else {
                None
            };
            authentication(menu.choose("NEW").answer("destination", typed(to)?), None, to).key(domain).or_line(line)
        }
        Edit::Update { from, to, .. } => {
            // The second question offers to rename the route.
            let renaming = ["new domain", "permanent route", "new host", "new name", "rename"];
            let host = menu.choose("EDIT").key(domain(to)?).keep_all(&renaming);
            let host = authentication(host, Some(&from.record), to);
            let replaced = host.choose("REPLACE").answer("destination", typed(to)?);
            authentication(replaced, Some(&from.record), to).yes_no_if_asked("replace", true).yes_no_if_asked("sure", true)
        }
        Edit::Delete(row) => {
            let domain = domain(&row.record)?;
            confirmed(menu.choose("DELETE").key(domain.as_str()), &domain).or_line(Line::of(&DELETE_LINE, [domain.as_str()]))
        }
    };
    Ok(vec![dialog])
}

/// Answers whether the route has an SMTP authentication profile, and which; a release without profiles does not ask.
fn authentication(dialog: Dialog, from: Option<&Record>, to: &Record) -> Dialog {
    let wanted = to.get("smtp_auth_profile");
    let stands = from.map_or(&Value::Null, |from| from.get("smtp_auth_profile"));
    let unknown = matches!(wanted, Value::Unknown(_));
    if unknown || (from.is_some() && wanted == stands) {
        return dialog.keep("authentication").keep("profile").keep("associate");
    }
    let list = ["authentication profile", "profile", "what do", "which", ""];
    let Some(name) = wanted.as_text() else {
        let picker = label("way to leave the profile out", |label| {
            plain(label).split(' ').any(|word| ["disassociate", "none", "no", "remove"].contains(&word))
        });
        let dialog = dialog.yes_no_if_asked("change disassociate", true).yes_no_if_asked("disassociate", true);
        let dialog = dialog.yes_no_if_asked("remove", true).yes_no_if_asked("associate", false).yes_no_if_asked("change", false);
        let dialog = dialog.yes_no_if_asked("authentication", false);
        return list.iter().fold(dialog, |dialog, words| dialog.pick_by_if_asked(words, picker.clone()));
    };
    let (title, name) = (format!("SMTP authentication profile \"{name}\""), name.to_owned());
    // A list of what can be done comes before the list of the profiles.
    let picker: Picker = Arc::new(move |labels: &[String]| {
        let named = labels.iter().position(|label| label.trim() == name);
        let named = named.or_else(|| labels.iter().position(|label| label.trim().eq_ignore_ascii_case(&name)));
        let does = |word: &str| labels.iter().position(|label| plain(label).split(' ').any(|found| found == word));
        let found = named.or_else(|| does("disassociate").and_then(|_| does("change").or_else(|| does("associate"))));
        found.ok_or_else(|| not_offered(&title, labels))
    });
    let dialog = dialog.yes_no_if_asked("change disassociate", true).yes_no_if_asked("disassociate", false);
    let words = ["associate", "change", "authentication"];
    let dialog = words.iter().fold(dialog, |dialog, words| dialog.yes_no_if_asked(words, true));
    list.iter().fold(dialog, |dialog, words| dialog.pick_by_if_asked(words, picker.clone()))
}

fn domain(record: &Record) -> Result<String, Error> {
    required(record, "domain").map(forms::domain_meaning)
}

/// The destinations as they are typed, separated by commas.
fn typed(to: &Record) -> Result<String, Error> {
    typable(&RESOURCE, to)?;
    let destinations = to.get("destination").as_elements().unwrap_or_default();
    let typed = destinations.iter().map(one).collect::<Option<Vec<String>>>().filter(|typed| !typed.is_empty());
    let unknown = || Error::new(Kind::Invalid, "The route has no known destination.").at(Path::root().attribute("destination"));
    typed.map(|typed| typed.join(", ")).ok_or_else(unknown)
}

/// `host`, `host:port`, `host:port/pri=N`.
fn one(destination: &Value) -> Option<String> {
    let record = Record::from_value(destination.clone());
    let host = forms::route_host_meaning(record.text("host")?);
    let port = record.integer("port").unwrap_or(25);
    let priority = record.integer("priority").unwrap_or(0);
    Some(match (port, priority) {
        (25, 0) => host,
        (port, 0) => format!("{host}:{port}"),
        (port, priority) => format!("{host}:{port}/pri={priority}"),
    })
}
