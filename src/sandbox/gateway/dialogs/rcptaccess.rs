//! `listenerconfig` → `EDIT` → `RCPTACCESS`: the Recipient Access Table.

use super::{ask_response, read_file, write_file};
use crate::sandbox::gateway::line::Asked;
use crate::sandbox::gateway::options::Release;
use crate::sandbox::gateway::tables::recipient::{Access, Rat, Recipient, RecipientForm, Response, Treatment, check_address};
use crate::sandbox::gateway::terminal::{Operation, Terminal, number_in};

const MENU: &[Operation] = &[
    ("NEW", "Create a new entry."),
    ("EDIT", "Modify an entry."),
    ("DELETE", "Remove an entry."),
    ("PRINT", "Display the table."),
    ("IMPORT", "Import a table from a file."),
    ("EXPORT", "Export the table to a file."),
    ("CLEAR", "Remove all entries."),
];

fn rat(terminal: &Terminal, listener: &str) -> Rat {
    terminal.configuration().listener(listener).and_then(|listener| listener.rat.clone()).unwrap_or_default()
}

fn change(terminal: &Terminal, listener: &str, change: impl FnOnce(&mut Rat)) {
    terminal.stage(|configuration| {
        if let Some(rat) = configuration.listener_mut(listener).and_then(|listener| listener.rat.as_mut()) {
            change(rat);
        }
    });
}

/// Runs the menu of one public listener.
pub(super) async fn run(terminal: &mut Terminal, listener: &str) -> Asked<()> {
    loop {
        let table = rat(terminal, listener);
        terminal
            .heading(&format!(
                "Recipient Access Table\n\nThere are currently {} recipients.\nDefault Access: {}",
                table.entries.len() + 1,
                table.all.access.keyword()
            ))
            .await?;
        match terminal.menu(MENU).await? {
            None => return Ok(()),
            Some(("NEW", _)) => new(terminal, listener).await?,
            Some(("EDIT", _)) => edit(terminal, listener).await?,
            Some(("DELETE", _)) => delete(terminal, listener).await?,
            Some(("PRINT", _)) => print(terminal, listener, true).await?,
            Some(("IMPORT", _)) => import(terminal, listener, None).await?,
            Some(("EXPORT", _)) => write_file(terminal, None, table.print(false)).await?,
            Some(_) => clear(terminal, listener).await?,
        }
    }
}

async fn new(terminal: &mut Terminal, listener: &str) -> Asked<()> {
    let table = rat(terminal, listener);
    let question = "Enter the recipient address for this entry.\nHostnames such as \"example.com\" and \"[1.2.3.4]\" are allowed.\n\
                    Partial hostnames such as \".example.com\" are allowed.\nUsernames such as \"postmaster@\" are allowed.\nFull email \
                    addresses such as \"joe@example.com\" or \"joe@[1.2.3.4]\" are allowed.\nSeparate multiple addresses with commas.";
    let addresses = terminal.ask_until(question, "", |answer| new_addresses(answer, &table)).await?;
    let mut treatment = Treatment::plain(Access::Accept);
    let labels = [Access::Accept.label(), Access::Reject.label()];
    if terminal.ask_list("Select the action to apply to this address:", &labels, 0).await? == 1 {
        treatment.access = Access::Reject;
    }
    questions(terminal, &mut treatment).await?;
    terminal.confirm(&format!("{} added.", addresses.join(", "))).await?;
    change(terminal, listener, |rat| {
        rat.entries.extend(addresses.into_iter().map(|address| Recipient { address, treatment: treatment.clone() }));
    });
    Ok(())
}

fn new_addresses(answer: &str, table: &Rat) -> Result<Vec<String>, String> {
    let mut addresses: Vec<String> = Vec::new();
    for address in answer.split(',').map(str::trim) {
        check_address(address)?;
        let again = addresses.iter().any(|other| other.eq_ignore_ascii_case(address));
        if again || table.find(address).is_some() {
            return Err(format!("The value cannot be {address}: there is already an entry for it."));
        }
        addresses.push(address.to_owned());
    }
    Ok(addresses)
}

/// Asks what comes after the action.
async fn questions(terminal: &mut Terminal, treatment: &mut Treatment) -> Asked<()> {
    let question = "Would you like to specify a custom SMTP response?";
    if terminal.ask_yes_no(question, treatment.response.is_some()).await? {
        let standard = if treatment.access == Access::Accept { 250 } else { 550 };
        let (code, text) = ask_response(terminal, standard).await?;
        // Enter on the first line keeps the text that stands.
        let text = match &treatment.response {
            Some(response) if text.is_empty() => response.text.clone(),
            _ => text,
        };
        treatment.response = Some(Response { code, text });
    } else {
        treatment.response = None;
    }
    let question = "Would you like to bypass receiving control for this entry?";
    treatment.bypass_receiving_control = terminal.ask_yes_no(question, treatment.bypass_receiving_control).await?;
    let question = "Would you like to bypass LDAP ACCEPT for this entry?";
    treatment.bypass_ldap_accept = terminal.ask_yes_no(question, treatment.bypass_ldap_accept).await?;
    if terminal.release() >= Release::V13_0 {
        let question = "Would you like to bypass SMTP Call-Ahead for this entry?";
        treatment.bypass_call_ahead = terminal.ask_yes_no(question, treatment.bypass_call_ahead).await?;
    }
    Ok(())
}

fn absent(address: &str) -> String {
    format!("Not a valid entry of the Recipient Access Table: {address}")
}

async fn edit(terminal: &mut Terminal, listener: &str) -> Asked<()> {
    let table = rat(terminal, listener);
    let found = terminal
        .ask_until("Enter the address to edit.", "", |answer| match answer {
            "" => Ok(None),
            _ => table.find(answer).cloned().map(|treatment| Some((answer.to_owned(), treatment))).ok_or_else(|| absent(answer)),
        })
        .await?;
    let Some((address, mut treatment)) = found else { return Ok(()) };
    let labels = [Access::Accept.label(), Access::Reject.label()];
    let question = format!("What access for {address}?");
    let chosen = terminal.ask_list(&question, &labels, usize::from(treatment.access == Access::Reject)).await?;
    treatment.access = if chosen == 1 { Access::Reject } else { Access::Accept };
    questions(terminal, &mut treatment).await?;
    change(terminal, listener, |rat| {
        if let Some(there) = rat.find_mut(&address) {
            *there = treatment;
        }
    });
    Ok(())
}

async fn delete(terminal: &mut Terminal, listener: &str) -> Asked<()> {
    let table = rat(terminal, listener);
    let address = terminal
        .ask_until("Enter the address to delete.", "", |answer| match answer {
            "" => Ok(None),
            _ => check_delete(answer, &table).map(|()| Some(answer.to_owned())),
        })
        .await?;
    if let Some(address) = address
        && super::may_delete(terminal, &address).await?
    {
        change(terminal, listener, |rat| rat.entries.retain(|entry| !entry.address.eq_ignore_ascii_case(&address)));
        terminal.confirm(&format!("{address} deleted.")).await?;
    }
    Ok(())
}

fn check_delete(address: &str, table: &Rat) -> Result<(), String> {
    if address.eq_ignore_ascii_case("ALL") {
        return Err("The value cannot be ALL: the default entry cannot be deleted.".into());
    }
    table.find(address).map(|_| ()).ok_or_else(|| absent(address))
}

async fn print(terminal: &mut Terminal, listener: &str, ask: bool) -> Asked<()> {
    let table = rat(terminal, listener);
    let extras = terminal.configuration().extras;
    let count = table.entries.len() + 1;
    if ask && count > terminal.layout().many_recipients {
        let question =
            format!("There are {count} entries in the table, printing it could take a while. Do you want to continue?");
        if !terminal.ask_yes_no(&question, true).await? {
            return Ok(());
        }
    }
    let text = match terminal.layout().recipients {
        RecipientForm::Columns if terminal.layout().recipient_options => table.print_columns(listener, &extras),
        RecipientForm::Keys if terminal.layout().recipient_options => table.print_keys(listener, &extras),
        _ => table.print_of(listener, &extras, terminal.layout().recipient_options),
    };
    terminal.say(&format!("Recipient Access Table\n\n{text}")).await
}

async fn import(terminal: &mut Terminal, listener: &str, name: Option<&str>) -> Asked<()> {
    let Some(text) = read_file(terminal, name).await? else {
        return Ok(());
    };
    match Rat::parse(&text) {
        Err(reason) => terminal.refuse(&reason).await,
        Ok(table) => {
            let count = table.entries.len() + 1;
            change(terminal, listener, |rat| *rat = table);
            terminal.say(&format!("{count} entries imported successfully.")).await
        }
    }
}

async fn clear(terminal: &mut Terminal, listener: &str) -> Asked<()> {
    let labels = [Access::Accept.label(), Access::Reject.label()];
    let chosen = terminal.ask_list("What should the default access be for recipients that are not listed?", &labels, 1).await?;
    let access = if chosen == 0 { Access::Accept } else { Access::Reject };
    change(terminal, listener, |rat| *rat = Rat { entries: Vec::new(), all: Treatment::plain(access) });
    Ok(())
}

/// Runs the batch forms.
pub(super) async fn batch(terminal: &mut Terminal, listener: &str, arguments: &[&str]) -> Asked<()> {
    let table = rat(terminal, listener);
    let word = arguments.first().map(|word| word.to_ascii_lowercase()).unwrap_or_default();
    let rest = arguments.split_at(1.min(arguments.len())).1;
    let result: Result<(), String> = match (word.as_str(), rest) {
        ("print", []) => return print(terminal, listener, false).await,
        ("new", [list, options @ ..]) => new_addresses(list, &table).and_then(|addresses| {
            let treatment = with_options(Treatment::plain(Access::Accept), options)?;
            change(terminal, listener, |rat| {
                rat.entries.extend(addresses.into_iter().map(|address| Recipient { address, treatment: treatment.clone() }));
            });
            Ok(())
        }),
        ("edit", [address, options @ ..]) => table.find(address).cloned().ok_or_else(|| absent(address)).and_then(|treatment| {
            let treatment = with_options(treatment, options)?;
            change(terminal, listener, |rat| {
                if let Some(there) = rat.find_mut(address) {
                    *there = treatment;
                }
            });
            Ok(())
        }),
        ("delete", [address]) => check_delete(address, &table).map(|()| {
            change(terminal, listener, |rat| rat.entries.retain(|entry| !entry.address.eq_ignore_ascii_case(address)));
        }),
        ("import", [name]) => return import(terminal, listener, Some(name)).await,
        ("export", [name]) => return write_file(terminal, Some(name), table.print(false)).await,
        ("clear", [] | [_]) => match rest.first().map_or(Some(Access::Reject), |word| Access::parse(word)) {
            Some(access) => {
                change(terminal, listener, |rat| *rat = Rat { entries: Vec::new(), all: Treatment::plain(access) });
                Ok(())
            }
            None => Err("Invalid value.".into()),
        },
        _ => Err(format!("Invalid arguments when processing: rcptaccess {}", arguments.join(" "))),
    };
    match result {
        Ok(()) => Ok(()),
        Err(reason) => terminal.refuse(&reason).await,
    }
}

/// Sets what `--name value` words say; what is not named stays.
fn with_options(mut treatment: Treatment, options: &[&str]) -> Result<Treatment, String> {
    let mut code = treatment.response.as_ref().map(|response| response.code);
    let mut text = treatment.response.as_ref().map(|response| response.text.clone());
    for pair in options.chunks(2) {
        let [name, value] = pair else {
            return Err(format!("Invalid arguments when processing: {}", pair.concat()));
        };
        let yes = || match value.to_ascii_lowercase().as_str() {
            "yes" | "y" | "1" => Ok(true),
            "no" | "n" | "0" => Ok(false),
            _ => Err("Invalid value.".to_owned()),
        };
        match *name {
            "--action" => treatment.access = Access::parse(value).ok_or("Invalid value.")?,
            "--cust_resp" => text = Some((*value).to_owned()),
            "--resp_code" => code = Some(u16::try_from(number_in(value, (200, 599))?).unwrap_or_default()),
            "--bypass_rc" => treatment.bypass_receiving_control = yes()?,
            "--bypass_la" => treatment.bypass_ldap_accept = yes()?,
            _ => return Err(format!("Invalid arguments when processing: {name}")),
        }
    }
    let standard = if treatment.access == Access::Accept { 250 } else { 550 };
    treatment.response = text.map(|text| Response { code: code.unwrap_or(standard), text });
    Ok(treatment)
}
