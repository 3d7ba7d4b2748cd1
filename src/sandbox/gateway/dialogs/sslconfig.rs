//! `sslconfig`: TLS versions and ciphers. There is no batch form.

use crate::sandbox::gateway::line::Asked;
use crate::sandbox::gateway::options::Release;
use crate::sandbox::gateway::tables::Configuration;
use crate::sandbox::gateway::tables::tls::{TlsService, combine, methods, select, single_versions};
use crate::sandbox::gateway::terminal::{Operation, Terminal};

const MENU: &[Operation] = &[
    ("GUI", "Edit GUI HTTPS ssl settings."),
    ("INBOUND", "Edit Inbound SMTP ssl settings."),
    ("OUTBOUND", "Edit Outbound SMTP ssl settings."),
    ("VERIFY", "Verify and show ssl cipher list."),
];

/// Runs the command.
pub(in crate::sandbox::gateway) async fn run(terminal: &mut Terminal, arguments: &[&str]) -> Asked<()> {
    if !arguments.is_empty() {
        return terminal.say(&format!("Invalid arguments when processing: sslconfig {}", arguments.join(" "))).await;
    }
    loop {
        let Configuration { tls_settings: settings, extras, .. } = terminal.configuration();
        let banner = settings.banner(terminal.layout().tls, &extras);
        terminal.heading(&banner).await?;
        match super::cluster::menu(terminal, MENU).await? {
            None => return Ok(()),
            Some(("GUI", _)) => {
                let service = questions(terminal, "GUI HTTPS", settings.gui, true).await?;
                terminal.stage(|configuration| configuration.tls_settings.gui = service);
            }
            Some(("INBOUND", _)) => {
                let service = questions(terminal, "inbound SMTP", settings.inbound, true).await?;
                terminal.stage(|configuration| configuration.tls_settings.inbound = service);
            }
            Some(("OUTBOUND", _)) => {
                let service = questions(terminal, "outbound SMTP", settings.outbound, false).await?;
                terminal.stage(|configuration| configuration.tls_settings.outbound = service);
            }
            Some(_) => verify(terminal).await?,
        }
    }
}

async fn questions(terminal: &mut Terminal, name: &str, mut service: TlsService, renegotiates: bool) -> Asked<TlsService> {
    if terminal.layout().single_versions {
        service.method = several(terminal, name, &service.method).await?;
        return ciphers(terminal, name, service, renegotiates).await;
    }
    let methods = methods(terminal.release());
    let labels: Vec<&str> = methods.iter().map(|method| method.label).collect();
    let at = methods.iter().position(|method| method.keyword == service.method).unwrap_or(0);
    let chosen = terminal.ask_list(&format!("Enter the {name} ssl method you want to use."), &labels, at).await?;
    if let Some(method) = methods.get(chosen) {
        method.keyword.clone_into(&mut service.method);
    }
    ciphers(terminal, name, service, renegotiates).await
}

/// Asks for single versions; Enter keeps those that stand.
async fn several(terminal: &mut Terminal, name: &str, now: &str) -> Asked<String> {
    let offered = single_versions(terminal.release());
    let lines: Vec<String> = offered.iter().enumerate().map(|(at, (label, _))| format!("{}. {label}", at + 1)).collect();
    let stands: Vec<String> = (1..=offered.len())
        .filter(|number| now.split('/').any(|word| offered.get(number - 1).is_some_and(|(_, keyword)| *keyword == word)))
        .map(|number| number.to_string())
        .collect();
    let shown = match stands.as_slice() {
        [first, .., last] => format!("{first}-{last}"),
        stands => stands.join(","),
    };
    let question = format!("Enter the {name} ssl method you want to use.\n{}", lines.join("\n"));
    terminal
        .ask_until(&question, &shown, |answer| if answer == shown { Ok(now.to_owned()) } else { combine(answer, &offered) })
        .await
}

async fn ciphers(terminal: &mut Terminal, name: &str, mut service: TlsService, renegotiates: bool) -> Asked<TlsService> {
    let question = format!("Enter the {name} ssl cipher you want to use.");
    service.ciphers = terminal.ask_until(&question, &service.ciphers, |answer| select(answer).map(|_| answer.to_owned())).await?;
    if renegotiates && terminal.release() >= Release::V13_0 {
        let question = format!("Do you want to enable TLS renegotiation for {name}?");
        service.renegotiation = terminal.ask_yes_no(&question, service.renegotiation).await?;
    }
    Ok(service)
}

async fn verify(terminal: &mut Terminal) -> Asked<()> {
    let string = terminal.ask("Enter the ssl cipher you want to verify.", "").await?;
    match select(&string) {
        _ if string.is_empty() => Ok(()),
        Ok(lines) => terminal.say(&lines.join("\n")).await,
        Err(reason) => terminal.refuse(&reason).await,
    }
}
