//! The commands of the gateway, one file each, written as the conversations that they are.

pub(super) mod cluster;
pub(super) mod commit;
pub(super) mod destconfig;
pub(super) mod filters;
pub(super) mod hostaccess;
pub(super) mod hostaccess_batch;
pub(super) mod listenerconfig;
pub(super) mod policy;
pub(super) mod rcptaccess;
pub(super) mod smtproutes;
pub(super) mod sslconfig;
pub(super) mod trace;

use super::line::Asked;
use super::terminal::Terminal;

/// Asks for the name of a file in the `configuration` directory and gives its text; nothing, after a message, when there is none.
async fn read_file(terminal: &mut Terminal, name: Option<&str>) -> Asked<Option<String>> {
    let name = if let Some(name) = name {
        name.to_owned()
    } else {
        let host = terminal.shared.options.hostname.clone();
        terminal.ask(&format!("Enter the name of the file on machine \"{host}\" to import:"), "").await?
    };
    let text = terminal.shared.state().files.get(&name).cloned();
    if text.is_none() {
        terminal.say(&format!("Error reading file. the file {name} does not exist")).await?;
    }
    Ok(text)
}

/// Asks for a file name and writes a text there.
async fn write_file(terminal: &mut Terminal, name: Option<&str>, text: String) -> Asked<()> {
    let name = match name {
        Some(name) => name.to_owned(),
        None => terminal.ask("Enter a name for the exported file:", "").await?,
    };
    if name.is_empty() || name.contains('/') {
        return terminal.say("Invalid filename").await;
    }
    let full = {
        let mut state = terminal.shared.state();
        if !state.faults.disk_full {
            state.files.insert(name.clone(), text);
        }
        state.faults.disk_full
    };
    if full {
        return terminal.say("Error writing file. Configuration filesystem is full.").await;
    }
    let host = terminal.shared.options.hostname.clone();
    terminal.say(&format!("File written on machine \"{host}\".")).await
}

/// Asks before something is deleted, where the layout says that this release does.
async fn may_delete(terminal: &mut Terminal, what: &str) -> Asked<bool> {
    if !terminal.layout().confirm_delete {
        return Ok(true);
    }
    terminal.ask_yes_no(&format!("Are you sure you want to delete {what}?"), false).await
}

/// Asks for an SMTP response of one's own: code, then text up to a blank line.
async fn ask_response(terminal: &mut Terminal, standard: u32) -> Asked<(u16, String)> {
    let question = format!("Enter the SMTP code to use in the response. {standard} is the standard code.");
    let code = terminal.ask_number(&question, Some(standard), (200, 599)).await?;
    terminal.say("Enter your custom SMTP response. Press Enter on a blank line to finish.").await?;
    let lines = terminal.read_until("").await?;
    Ok((u16::try_from(code).unwrap_or_default(), lines.join("\n")))
}
