//! `smtproutes`: routes for domains.

use super::{read_file, write_file};
use crate::sandbox::gateway::line::Asked;
use crate::sandbox::gateway::options::BatchFormat;
use crate::sandbox::gateway::tables::Configuration;
use crate::sandbox::gateway::tables::extra::Extras;
use crate::sandbox::gateway::tables::route::{self, MOST_ROUTES, SmtpRoute, check_destinations, check_domain};
use crate::sandbox::gateway::terminal::{Operation, Terminal};

/// Is what `help smtproutes` prints.
pub(in crate::sandbox::gateway) const HELP: &str = "smtproutes new <source> <destination> [destination] [...]\n\
    smtproutes delete <source> | ALL\nsmtproutes print\nsmtproutes import <filename>\nsmtproutes export <filename>\nsmtproutes clear\n";

const EMPTY: &[Operation] = &[("NEW", "Create a new route."), ("IMPORT", "Import new routes from a file.")];
const FULL: &[Operation] = &[
    ("NEW", "Create a new route."),
    ("EDIT", "Edit destinations of an existing route."),
    ("DELETE", "Remove a route."),
    ("PRINT", "Display all routes."),
    ("IMPORT", "Import new routes from a file."),
    ("EXPORT", "Export all routes to a file."),
    ("CLEAR", "Remove all routes."),
];

/// Runs the command, by words or by questions.
pub(in crate::sandbox::gateway) async fn run(terminal: &mut Terminal, arguments: &[&str]) -> Asked<()> {
    if let Some((word, rest)) = arguments.split_first() {
        return batch(terminal, &word.to_ascii_lowercase(), rest).await;
    }
    loop {
        let count = terminal.configuration().smtp_routes.len();
        let menu = match count {
            0 => {
                terminal.heading("There are no routes configured.").await?;
                EMPTY
            }
            1 => {
                terminal.heading("There is currently 1 route configured.").await?;
                FULL
            }
            _ => {
                terminal.heading(&format!("There are currently {count} routes configured.")).await?;
                FULL
            }
        };
        match super::cluster::menu(terminal, menu).await? {
            None => return Ok(()),
            Some(("NEW", _)) => new(terminal).await?,
            Some(("EDIT", _)) => edit(terminal).await?,
            Some(("DELETE", _)) => delete(terminal).await?,
            Some(("PRINT", _)) => print(terminal).await?,
            Some(("IMPORT", _)) => import(terminal, None).await?,
            Some(("EXPORT", _)) => export(terminal, None).await?,
            Some(_) => clear(terminal, true).await?,
        }
    }
}

async fn batch(terminal: &mut Terminal, word: &str, arguments: &[&str]) -> Asked<()> {
    if terminal.shared.options.layout.batch == BatchFormat::None {
        return terminal.say(&invalid(word, arguments)).await;
    }
    match (word, arguments) {
        ("new", [source, destinations @ ..]) if !destinations.is_empty() => {
            let known = terminal.configuration().smtp_routes;
            let checked = check_new(source, &known).and_then(|()| check_destinations(&destinations.join(","), &[]));
            match checked {
                Err(reason) => terminal.refuse(&reason).await,
                Ok(mut destinations) => {
                    let format = terminal.shared.options.layout.batch;
                    if format == BatchFormat::Forgetful {
                        destinations.truncate(1);
                    }
                    let route = SmtpRoute { domain: (*source).to_owned(), destinations, authentication: None };
                    terminal.stage(|configuration| configuration.smtp_routes.push(route));
                    if format == BatchFormat::Late {
                        return terminal.refuse(&invalid(word, arguments)).await;
                    }
                    Ok(())
                }
            }
        }
        ("delete", [source]) => {
            let gone = terminal.stage(|configuration| remove(&mut configuration.smtp_routes, source));
            if gone { Ok(()) } else { terminal.refuse(&absent(source)).await }
        }
        ("print", []) => print(terminal).await,
        ("import", [name]) => import(terminal, Some(name)).await,
        ("export", [name]) => export(terminal, Some(name)).await,
        ("clear", []) => clear(terminal, false).await,
        _ => terminal.say(&invalid(word, arguments)).await,
    }
}

fn invalid(word: &str, arguments: &[&str]) -> String {
    format!("Invalid arguments when processing: smtproutes {word} {}", arguments.join(" "))
}

async fn new(terminal: &mut Terminal) -> Asked<()> {
    let known = terminal.configuration().smtp_routes;
    let question = "Enter the domain for which you want to set up a permanent route.\nPartial hostnames such as \".example.com\" are \
                    allowed.\nUse \"ALL\" for the default route.";
    let domain = terminal.ask_until(question, "", |answer| check_new(answer, &known).map(|()| answer.to_owned())).await?;
    let question = format!(
        "Enter the destination hosts, separated by commas, which you want mail for {domain} to be delivered.\nEnter USEDNS by itself \
         to use normal DNS resolution for this route.\nEnter /dev/null by itself if you wish to discard the mail.\nEnclose in square \
         brackets to force resolution via address (A) records, ignoring any MX records."
    );
    let destinations = terminal.ask_until(&question, "", |answer| check_destinations(answer, &[])).await?;
    let authentication = ask_profile(terminal, None).await?;
    terminal.confirm(&format!("Mapping for {domain} to {} added.", destinations.join(", "))).await?;
    terminal.stage(|configuration| configuration.smtp_routes.push(SmtpRoute { domain, destinations, authentication }));
    Ok(())
}

/// Asks for an SMTP authentication profile, where there are any.
async fn ask_profile(terminal: &mut Terminal, now: Option<String>) -> Asked<Option<String>> {
    let profiles = terminal.shared.options.authentication_profiles.clone();
    if profiles.is_empty() {
        return Ok(now);
    }
    let question = "Do you want to associate an SMTP authentication profile with this route?";
    if !terminal.ask_yes_no(question, now.is_some()).await? {
        return Ok(None);
    }
    let at = now.and_then(|name| profiles.iter().position(|profile| *profile == name)).unwrap_or(0);
    let chosen = terminal.ask_list("Select the SMTP authentication profile to use:", &profiles, at).await?;
    Ok(profiles.get(chosen).cloned())
}

async fn edit(terminal: &mut Terminal) -> Asked<()> {
    let Some(mut route) = ask_route(terminal, "Enter the hostname you want to edit.").await? else {
        return Ok(());
    };
    let old = route.domain.clone();
    let known: Vec<SmtpRoute> =
        terminal.configuration().smtp_routes.into_iter().filter(|other| other.domain != route.domain).collect();
    let question = format!("Enter the new domain for this route, or press Enter to keep {old}.");
    route.domain = terminal.ask_until(&question, &old, |answer| check_new(answer, &known).map(|()| answer.to_owned())).await?;
    let operations: &[Operation] = &[
        ("ADD", "Add new destination hosts."),
        ("REPLACE", "Specify a new destination or set of destinations"),
        ("REMOVE", "Remove a destination host."),
    ];
    let present = route.destinations.clone();
    match terminal.menu(operations).await? {
        None => {}
        Some(("ADD", _)) => {
            let question = "Enter the additional destination hosts, separated by commas.";
            route.destinations.extend(terminal.ask_until(question, "", |answer| check_destinations(answer, &present)).await?);
        }
        Some(("REPLACE", _)) => {
            let question = "Enter the destination hosts, separated by commas.";
            route.destinations = terminal.ask_until(question, "", |answer| check_destinations(answer, &[])).await?;
        }
        Some(_) => {
            let chosen = terminal.ask_list("Enter the destination you would like to remove.", &present, 0).await?;
            if present.len() > 1 {
                route.destinations.remove(chosen);
            } else {
                terminal.refuse("You must enter at least one destination: the last one cannot be removed.").await?;
            }
        }
    }
    route.authentication = ask_profile(terminal, route.authentication.clone()).await?;
    terminal.stage(|configuration| {
        if let Some(there) = configuration.smtp_routes.iter_mut().find(|there| there.domain == old) {
            *there = route;
        }
    });
    Ok(())
}

async fn delete(terminal: &mut Terminal) -> Asked<()> {
    let Some(route) = ask_route(terminal, "Enter the hostname you want to delete.").await? else {
        return Ok(());
    };
    let sure = if route.domain.eq_ignore_ascii_case("ALL") {
        terminal.ask_yes_no("Are you sure you want to reset the default route?", false).await?
    } else {
        super::may_delete(terminal, &format!("the route for {}", route.domain)).await?
    };
    if sure {
        terminal.stage(|configuration| remove(&mut configuration.smtp_routes, &route.domain));
        terminal.confirm(&format!("{} deleted.", route.domain)).await?;
    }
    Ok(())
}

/// Asks which route is meant; the question is repeated until it is one.
async fn ask_route(terminal: &mut Terminal, question: &str) -> Asked<Option<SmtpRoute>> {
    let routes = terminal.configuration().smtp_routes;
    terminal
        .ask_until(question, "", |answer| {
            if answer.is_empty() {
                return Ok(None);
            }
            routes.iter().find(|route| route.domain.eq_ignore_ascii_case(answer)).cloned().map(Some).ok_or_else(|| absent(answer))
        })
        .await
}

async fn print(terminal: &mut Terminal) -> Asked<()> {
    let Configuration { smtp_routes: routes, extras, .. } = terminal.configuration();
    if routes.is_empty() {
        return terminal.say("There are no routes configured.").await;
    }
    let text = route::print(&routes, terminal.layout().routes, &extras);
    terminal.say(&text).await
}

async fn import(terminal: &mut Terminal, name: Option<&str>) -> Asked<()> {
    let Some(text) = read_file(terminal, name).await? else {
        return Ok(());
    };
    match route::parse(&text) {
        Err(reason) => terminal.refuse(&reason).await,
        Ok(routes) => {
            let count = routes.len();
            terminal.stage(|configuration| configuration.smtp_routes = routes);
            terminal.say(&format!("{count} entries imported successfully.")).await
        }
    }
}

async fn export(terminal: &mut Terminal, name: Option<&str>) -> Asked<()> {
    let text = route::print(&terminal.configuration().smtp_routes, terminal.layout().routes, &Extras::default());
    write_file(terminal, name, text).await
}

async fn clear(terminal: &mut Terminal, ask: bool) -> Asked<()> {
    if !ask || terminal.ask_yes_no("Are you sure you want to delete all of the configured routes?", false).await? {
        terminal.stage(|configuration| configuration.smtp_routes.clear());
    }
    Ok(())
}

fn remove(routes: &mut Vec<SmtpRoute>, domain: &str) -> bool {
    let before = routes.len();
    routes.retain(|route| !route.domain.eq_ignore_ascii_case(domain));
    routes.len() < before
}

fn absent(domain: &str) -> String {
    format!("{domain}: entry does not appear to be in the routing table.")
}

/// Checks that a route for this domain can be made.
fn check_new(domain: &str, known: &[SmtpRoute]) -> Result<(), String> {
    check_domain(domain)?;
    if known.len() >= MOST_ROUTES {
        return Err(format!("There is a maximum of {MOST_ROUTES} routes."));
    }
    if known.iter().any(|route| route.domain.eq_ignore_ascii_case(domain)) {
        return Err(if domain.eq_ignore_ascii_case("ALL") {
            "There is already a default route set.".into()
        } else {
            format!("The value {domain} is already in the routing table.")
        });
    }
    Ok(())
}
