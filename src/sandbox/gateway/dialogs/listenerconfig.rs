//! `listenerconfig`: listeners, and below them the two access tables.

use super::{hostaccess, hostaccess_batch, rcptaccess};
use crate::sandbox::gateway::line::Asked;
use crate::sandbox::gateway::tables::hat::check_name;
use crate::sandbox::gateway::tables::listener::{Listener, Scope};
use crate::sandbox::gateway::terminal::{Operation, Terminal};

/// Is what `help listenerconfig` prints.
pub(in crate::sandbox::gateway) const HELP: &str = "listenerconfig edit <listener> hostaccess new sendergroup <name> <host_list> <behavior> \
    [options [--comment]]\nlistenerconfig edit <listener> hostaccess new policy <name> <behavior> [options]\n\
    listenerconfig edit <listener> hostaccess edit sendergroup <name> new|delete <host>\n\
    listenerconfig edit <listener> hostaccess edit sendergroup <name> move <host> <host-to-insert-before>\n\
    listenerconfig edit <listener> hostaccess edit sendergroup <name> policy <behavior> [options]\n\
    listenerconfig edit <listener> hostaccess edit sendergroup <name> print\n\
    listenerconfig edit <listener> hostaccess edit sendergroup <name> rename <new name>\n\
    listenerconfig edit <listener> hostaccess edit policy <name> <behavior> [options]\n\
    listenerconfig edit <listener> hostaccess delete sendergroup|policy <name>\n\
    listenerconfig edit <listener> hostaccess move <group> <group-to-insert-before>\n\
    listenerconfig edit <listener> hostaccess default [options]\n\
    listenerconfig edit <listener> hostaccess print | import <file> | export <file> | clear\n\
    listenerconfig edit <listener> rcptaccess new|edit <address> [--action Accept|Reject] [--cust_resp <text>] [--resp_code <n>] \
    [--bypass_rc yes|no] [--bypass_la yes|no]\nlistenerconfig edit <listener> rcptaccess delete <address>\n\
    listenerconfig edit <listener> rcptaccess print | import <file> | export <file> | clear [default_access]\n\
    Options: --max_size --max_conn --max_msgs --max_rcpt --override --cust_acc --acc_code --cust_rej --rej_code --rate_lim --cust_lim \
    --lim_code --use_sb --as_scan --av_scan --dhap --sig_bits\n";

const MENU: &[Operation] = &[
    ("NEW", "Create a new listener."),
    ("EDIT", "Modify a listener."),
    ("DELETE", "Remove a listener."),
    ("SETUP", "Change global settings."),
];

/// Runs the command, by words or by questions.
pub(in crate::sandbox::gateway) async fn run(terminal: &mut Terminal, arguments: &[&str]) -> Asked<()> {
    if !arguments.is_empty() {
        return batch(terminal, arguments).await;
    }
    loop {
        let listeners = terminal.configuration().listeners;
        if listeners.is_empty() {
            terminal.heading("No listeners are configured.").await?;
        } else {
            terminal.heading("Currently configured listeners:").await?;
        }
        for (number, listener) in listeners.iter().enumerate() {
            terminal.say(&format!("{}. {}", number + 1, listener.banner())).await?;
        }
        match super::cluster::menu(terminal, MENU).await? {
            None => return Ok(()),
            Some(("NEW", _)) => new(terminal).await?,
            Some(("EDIT", _)) => {
                if let Some(name) = ask_listener(terminal, "Enter the name or number of the listener you wish to edit.").await? {
                    edit(terminal, &name).await?;
                }
            }
            Some(("DELETE", _)) => delete(terminal).await?,
            Some(_) => setup(terminal).await?,
        }
    }
}

async fn batch(terminal: &mut Terminal, arguments: &[&str]) -> Asked<()> {
    let lower: Vec<String> = arguments.iter().map(|word| word.to_ascii_lowercase()).collect();
    match (lower.first().map(String::as_str), arguments.get(1), lower.get(2).map(String::as_str)) {
        (Some("edit"), Some(name), table) => {
            let Some(listener) = terminal.configuration().listener(name).cloned() else {
                return terminal.refuse(&format!("Not a valid listener: {name}")).await;
            };
            let rest = arguments.split_at(3.min(arguments.len())).1;
            match (table, listener.rat.is_some()) {
                (Some("hostaccess"), _) => hostaccess_batch::run(terminal, &listener.name, rest).await,
                (Some("rcptaccess"), true) => rcptaccess::batch(terminal, &listener.name, rest).await,
                _ => terminal.say(&format!("Invalid arguments when processing: listenerconfig {}", arguments.join(" "))).await,
            }
        }
        _ => terminal.say(&format!("Invalid arguments when processing: listenerconfig {}", arguments.join(" "))).await,
    }
}

/// Asks for a listener by name or number; Enter leaves.
async fn ask_listener(terminal: &mut Terminal, question: &str) -> Asked<Option<String>> {
    let names: Vec<String> = terminal.configuration().listeners.into_iter().map(|listener| listener.name).collect();
    terminal
        .ask_until(question, "", |answer| {
            if answer.is_empty() {
                return Ok(None);
            }
            let by_number = answer.parse::<usize>().ok().and_then(|number| names.get(number.checked_sub(1)?));
            // Names are case-sensitive on the device.
            let found = names.iter().find(|name| *name == answer).or(by_number);
            found.cloned().map(Some).ok_or_else(|| format!("Not a valid listener: {answer}"))
        })
        .await
}

async fn edit(terminal: &mut Terminal, name: &str) -> Asked<()> {
    let mut name = name.to_owned();
    loop {
        let Some(mut listener) = terminal.configuration().listener(&name).cloned() else {
            return Ok(());
        };
        terminal.heading(&listener.summary()).await?;
        let mut operations: Vec<Operation> = vec![
            ("NAME", "Change the name of the listener."),
            ("INTERFACE", "Change the interface."),
            ("CERTIFICATE", "Choose the certificate."),
            ("LIMITS", "Change the injection limits."),
            ("SETUP", "Configure general options."),
            ("HOSTACCESS", "Modify the Host Access Table."),
        ];
        if listener.rat.is_some() {
            operations.push(("RCPTACCESS", "Modify the Recipient Access Table."));
        }
        operations.push(("BOUNCECONFIG", "Choose the bounce profile to use for messages injected on this listener."));
        operations.push(("MASQUERADE", "Configure the Domain Masquerading Table."));
        operations.push(("DOMAINMAP", "Configure domain mappings."));
        match terminal.menu(&operations).await? {
            None => return Ok(()),
            Some(("HOSTACCESS", _)) => {
                hostaccess::run(terminal, &name).await?;
                continue;
            }
            Some(("RCPTACCESS", _)) => {
                rcptaccess::run(terminal, &name).await?;
                continue;
            }
            Some(("NAME", _)) => {
                let others: Vec<String> = terminal.configuration().listeners.into_iter().map(|other| other.name).collect();
                let question = "Enter a new name for this listener.";
                listener.name = terminal
                    .ask_until(question, &name, |answer| check_new(answer, &others, &name).map(|()| answer.to_owned()))
                    .await?;
            }
            Some(("INTERFACE", _)) => {
                let (interface, address) = ask_interface(terminal, &listener).await?;
                listener.interface = interface;
                listener.address = address;
            }
            Some(("CERTIFICATE", _)) => {
                let mut names = vec!["Demo".to_owned()];
                names.extend(terminal.shared.options.certificates.clone());
                let at = names.iter().position(|known| *known == listener.certificate).unwrap_or(0);
                let chosen = terminal.ask_list("Select the certificate to use for this listener:", &names, at).await?;
                listener.certificate = if chosen == 0 { String::new() } else { names.get(chosen).cloned().unwrap_or_default() };
            }
            Some(("LIMITS", _)) => {
                let question = "Enter the maximum number of concurrent connections.";
                listener.max_connections = terminal.ask_number(question, Some(listener.max_connections), (1, 1000)).await?;
                listener.tcp_queue =
                    terminal.ask_number("Enter the TCP listen queue size.", Some(listener.tcp_queue), (1, 1000)).await?;
            }
            Some(("SETUP", _)) => {
                let question = "Enter the default domain to be appended to addresses without a domain.";
                listener.default_domain = terminal.ask(question, &listener.default_domain).await?;
                let question = "Would you like to add a \"Received:\" header to each message received on this listener?";
                listener.received_header = terminal.ask_yes_no(question, listener.received_header).await?;
            }
            Some(("BOUNCECONFIG", _)) => {
                let profiles = terminal.configuration().destination_controls.bounce_profiles;
                let at = profiles.iter().position(|profile| *profile == listener.bounce_profile).unwrap_or(0);
                let chosen = terminal.ask_list("Please choose a bounce profile to use:", &profiles, at).await?;
                listener.bounce_profile = profiles.get(chosen).cloned().unwrap_or_default();
            }
            Some(_) => {
                terminal.say("This table is not part of the sandbox.").await?;
                continue;
            }
        }
        let renamed = listener.name.clone();
        terminal.stage(|configuration| {
            if let Some(there) = configuration.listener_mut(&name) {
                *there = listener;
            }
        });
        name = renamed;
    }
}

fn check_new(answer: &str, names: &[String], own: &str) -> Result<(), String> {
    check_name(answer)?;
    if answer != own && names.iter().any(|name| name == answer) {
        return Err(format!("The value cannot be {answer}: there is already a listener of that name."));
    }
    Ok(())
}

async fn ask_interface(terminal: &mut Terminal, listener: &Listener) -> Asked<(String, String)> {
    let mut known: Vec<(String, String)> = vec![("Management".into(), "192.0.2.1".into())];
    for other in terminal.configuration().listeners {
        if !known.iter().any(|(name, _)| *name == other.interface) {
            known.push((other.interface, other.address));
        }
    }
    let labels: Vec<String> = known.iter().map(|(name, address)| format!("{name} ({address}/24)")).collect();
    let at = known.iter().position(|(name, _)| *name == listener.interface).unwrap_or(0);
    let chosen = terminal.ask_list("Please choose an IP interface for this listener:", &labels, at).await?;
    Ok(known.into_iter().nth(chosen).unwrap_or_default())
}

async fn new(terminal: &mut Terminal) -> Asked<()> {
    let scopes = [Scope::Private, Scope::Public, Scope::BlackHole];
    let chosen =
        terminal.ask_list("Please select the type of listener you want to create.", &scopes.map(Scope::label), 1).await?;
    let scope = scopes.get(chosen).copied().unwrap_or(Scope::Public);
    let names: Vec<String> = terminal.configuration().listeners.into_iter().map(|other| other.name).collect();
    let question = "Please create a name for this listener (Ex: \"OutboundMail\"):";
    let name = terminal.ask_until(question, "", |answer| check_new(answer, &names, "").map(|()| answer.to_owned())).await?;
    let mut listener = if scope == Scope::Public { Listener::incoming() } else { Listener::outgoing() };
    listener.name = name;
    listener.scope = scope;
    (listener.interface, listener.address) = ask_interface(terminal, &listener).await?;
    let port = terminal.ask_number("Please enter the TCP port for this listener.", Some(25), (1, 65_535)).await?;
    listener.port = u16::try_from(port).unwrap_or(25);
    terminal.say(&format!("Listener {} created.", listener.name)).await?;
    terminal.stage(|configuration| configuration.listeners.push(listener));
    Ok(())
}

async fn delete(terminal: &mut Terminal) -> Asked<()> {
    let Some(name) = ask_listener(terminal, "Enter the name or number of the listener you wish to delete.").await? else {
        return Ok(());
    };
    if terminal.ask_yes_no(&format!("Are you sure you want to delete the listener {name}?"), false).await? {
        terminal.stage(|configuration| configuration.listeners.retain(|listener| listener.name != name));
    }
    Ok(())
}

async fn setup(terminal: &mut Terminal) -> Asked<()> {
    let question = "Enter the global limit for concurrent connections to be allowed across all listeners.";
    terminal.ask_number(question, Some(1000), (1, 65_535)).await?;
    terminal.say("Global listener settings are not kept by the sandbox.").await
}
