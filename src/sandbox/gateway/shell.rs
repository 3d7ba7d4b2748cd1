//! A session from its login text to its end: the command loop, and commands given to an exec channel.

use super::dialogs;
use super::faults::Point;
use super::line::{Asked, Stop};
use super::options::{BatchFormat, Release};
use super::state::{date, now};
use super::terminal::{Terminal, ends_session};

/// Says what a channel was opened for.
pub(super) enum Work {
    /// A conversation.
    Shell {
        /// The passphrase must be changed before anything else.
        expired: bool,
    },
    /// Commands, joined by `;`.
    Exec(String),
}

/// Runs a session to its end and closes its channel. Gives why it ended.
pub(super) async fn run(terminal: &mut Terminal, work: Work) -> Stop {
    let result = match work {
        Work::Shell { expired } => shell(terminal, expired).await,
        Work::Exec(text) => exec(terminal, &text).await,
    };
    let stop = result.err().unwrap_or(Stop::Closed);
    if stop == Stop::Idle {
        // The wording is not documented. A line that cannot be written is lost with the session.
        let _ =
            terminal.line().prompt("\nThis session has expired because it was left idle. Uncommitted changes are lost.\n").await;
    }
    terminal.line().close(0).await;
    stop
}

async fn shell(terminal: &mut Terminal, expired: bool) -> Asked<()> {
    terminal.reach(Point::Login).await?;
    let text = login_text(terminal);
    terminal.line().prompt(&text).await?;
    if expired {
        terminal.line().prompt("Your passphrase has expired. You must change it before you can continue.\n").await?;
        terminal.ask_hidden("Old passphrase: ").await?;
        terminal.ask_hidden("\nNew passphrase: ").await?;
        return terminal.line().prompt("\nThe passphrase was not changed.\n").await;
    }
    loop {
        let text = match terminal.command_line().await {
            Err(Stop::Interrupted) => continue,
            text => text?,
        };
        if !command(terminal, &text).await? {
            return Ok(());
        }
    }
}

async fn exec(terminal: &mut Terminal, text: &str) -> Asked<()> {
    terminal.reach(Point::Login).await?;
    for part in split_commands(text) {
        if !command(terminal, &part).await? {
            break;
        }
    }
    Ok(())
}

fn login_text(terminal: &Terminal) -> String {
    let state = terminal.shared.state();
    let (number, build) = state.version.split_once('-').unwrap_or((&state.version, "001"));
    let from = state.sessions.get(&terminal.session).map(|session| session.from.clone()).unwrap_or_default();
    let minutes = terminal.shared.options.idle_limit.as_secs().div_ceil(60);
    let (model, product) = if terminal.shared.options.is_manager {
        ("Cisco M600V", "Cisco M600V Secure Email and Web Manager Virtual Appliance")
    } else if terminal.release() == Release::V8_0 {
        ("Cisco IronPort C170", "Cisco IronPort C170 Messaging Gateway(tm) Appliance")
    } else {
        ("Cisco C600V", "Cisco C600V Secure Email Gateway Virtual Appliance")
    };
    let motd = terminal.shared.options.motd.as_ref().map_or_else(String::new, |motd| format!("{motd}\n"));
    format!(
        "Last login: {} from {from}\nAsyncOS {number} for {model} build {build}\n\nWelcome to the {product}\n\nNOTE: This session will expire \
         if left idle for {minutes} minutes. Any uncommitted configuration changes will be lost. Commit the configuration changes as \
         soon as they are made.\n{motd}",
        now()
    )
}

/// Runs one command line. Gives false when the session is to end.
async fn command(terminal: &mut Terminal, text: &str) -> Asked<bool> {
    let words = words(text);
    let Some(first) = words.first().map(|word| word.to_ascii_lowercase()) else {
        return Ok(true);
    };
    let arguments: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
    // The short form that the vendor's command card lists.
    let first = if first == "clear" { "clearchanges".to_owned() } else { first };
    let takes_back = terminal.shared.options.layout.interrupt_takes_back;
    let owner = terminal.owner();
    let before = terminal.shared.state().change_sets.get(&owner).cloned();
    terminal.begin(&first).await?;
    let result = dispatch(terminal, &first, &arguments).await;
    terminal.end();
    match result {
        Err(stop) if ends_session(stop) => Err(stop),
        Err(_) => {
            if takes_back {
                let mut state = terminal.shared.state();
                match before {
                    Some(before) => state.change_sets.insert(owner, before),
                    None => state.change_sets.remove(&owner),
                };
            }
            Ok(true)
        }
        Ok(go_on) => Ok(go_on),
    }
}

async fn dispatch(terminal: &mut Terminal, command: &str, arguments: &[&str]) -> Asked<bool> {
    if terminal.shared.options.refused_commands.iter().any(|refused| refused == command) {
        terminal.say(&format!("You are not in the correct access group to use \"{command}\".")).await?;
        return Ok(true);
    }
    if !dialogs::cluster::may_run(terminal, command).await? {
        return Ok(true);
    }
    match command {
        "exit" | "quit" => return leave(terminal).await,
        "help" | "?" => help(terminal, arguments).await?,
        "version" => version(terminal).await?,
        "who" => who(terminal).await?,
        "whoami" => whoami(terminal).await?,
        "status" => status(terminal).await?,
        "setttymode" if terminal.shared.options.setttymode => {
            if arguments == ["0", "1"] {
                terminal.line().stop_paging();
            }
        }
        "clustermode" => dialogs::cluster::clustermode(terminal, arguments).await?,
        "smtproutes" => dialogs::smtproutes::run(terminal, arguments).await?,
        "destconfig" => dialogs::destconfig::run(terminal, arguments).await?,
        "listenerconfig" => dialogs::listenerconfig::run(terminal, arguments).await?,
        "filters" => dialogs::filters::run(terminal, arguments).await?,
        "sslconfig" => dialogs::sslconfig::run(terminal, arguments).await?,
        "trace" => dialogs::trace::run(terminal).await?,
        "commit" => dialogs::commit::commit(terminal, arguments).await?,
        "clearchanges" => dialogs::commit::clearchanges(terminal, arguments).await?,
        "showchanges" => dialogs::commit::showchanges(terminal).await?,
        "commitdetail" => dialogs::commit::commitdetail(terminal).await?,
        other => terminal.say(&format!("Unknown command: {other}")).await?,
    }
    Ok(true)
}

/// Ends the session, after a warning when changes would be lost.
async fn leave(terminal: &mut Terminal) -> Asked<bool> {
    let owner = terminal.owner();
    if !terminal.shared.state().is_pending(&owner) {
        return Ok(false);
    }
    let question = "There are uncommitted configuration changes, which will be lost. Are you sure you want to exit?";
    let sure = terminal.ask_yes_no(question, false).await?;
    if sure {
        terminal.shared.state().change_sets.remove(&owner);
    }
    Ok(!sure)
}

async fn version(terminal: &mut Terminal) -> Asked<()> {
    let (version, model) = {
        let state = terminal.shared.state();
        (state.version.clone(), if terminal.release() == Release::V8_0 { "C170" } else { "C600V" })
    };
    terminal
        .say(&format!(
            "Current Version\n===============\nProduct: Cisco {model} Secure Email Gateway\nModel: {model}\nVersion: {version}\n\
             Build Date: 2024-01-01\nInstall Date: 2024-02-01 00:00:00\nSerial #: 000000000000-SANDBOX\nBIOS: 6.00\n"
        ))
        .await
}

async fn who(terminal: &mut Terminal) -> Asked<()> {
    let mut text =
        String::from("Username  Login Time  Idle Time  Remote Host  What\n========  ==========  =========  ===========  ====\n");
    for session in terminal.shared.state().sessions.values() {
        let login = date(session.login);
        let time = login.split(' ').nth(3).unwrap_or_default().to_owned();
        text.push_str(&format!("{:<9} {time:<11} 0s         {:<12} {}\n", session.user, session.from, session.doing));
    }
    terminal.say(&text).await
}

async fn whoami(terminal: &mut Terminal) -> Asked<()> {
    let (user, groups) = (terminal.user.clone(), terminal.shared.options.groups.clone());
    terminal.say(&format!("Username: {user}\nFull Name: Administrator\nGroups: {groups}\n")).await
}

async fn status(terminal: &mut Terminal) -> Asked<()> {
    let host = terminal.shared.options.hostname.clone();
    terminal
        .say(&format!(
            "Enter \"status detail\" for more information.\n\nStatus as of:                  {}\nUp since:                      {}\n\
             System status:                 Online\nHost name:                     {host}\nOldest Message:                No Messages\n",
            now(),
            now()
        ))
        .await
}

async fn help(terminal: &mut Terminal, arguments: &[&str]) -> Asked<()> {
    if let Some(command) = arguments.first()
        && terminal.shared.options.refused_commands.iter().any(|refused| refused.eq_ignore_ascii_case(command))
    {
        return terminal.say(&format!("You are not in the correct access group to use \"{command}\".")).await;
    }
    if terminal.shared.options.layout.batch == BatchFormat::None
        && let Some(command) = arguments.first()
    {
        return terminal.say(&format!("{command}: see the CLI reference guide.")).await;
    }
    let text = match arguments.first().map(|word| word.to_ascii_lowercase()).as_deref() {
        Some("smtproutes") => dialogs::smtproutes::HELP,
        Some("destconfig") => dialogs::destconfig::HELP,
        Some("listenerconfig") => dialogs::listenerconfig::HELP,
        Some("filters") => dialogs::filters::HELP,
        Some("commit") => dialogs::commit::HELP,
        Some(other) => {
            let line = format!("No batch help for {other}.");
            return terminal.say(&line).await;
        }
        None => {
            "clearchanges     Clear changes\nclustermode      Set the cluster mode\ncommit           Commit changes\ncommitdetail     Display details \
             of the last commit\ndestconfig       Configure destination controls\nexit             Exit\nfilters          Configure message \
             filters\nhelp             Help on a command\nlistenerconfig   Configure listeners\nquit             Exit\nshowchanges      Show \
             uncommitted changes\nsmtproutes       Configure SMTP routes\nsslconfig        Configure SSL settings\nstatus           System \
             status\ntrace            Trace the flow of a message through the system\nversion          View system version\nwho              List who is logged in\nwhoami           List your user id\n"
        }
    };
    terminal.say(text).await
}

/// Splits a line into words; quotes keep blanks together and are taken away.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for letter in text.chars() {
        match quote {
            Some(end) if letter == end => quote = None,
            None if letter == '"' || letter == '\'' => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            None if letter.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

/// Splits the text of an exec channel at `;` outside of quotes.
fn split_commands(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quote = None;
    for letter in text.chars() {
        match quote {
            None if letter == ';' => {
                parts.push(String::new());
                continue;
            }
            None if letter == '"' || letter == '\'' => quote = Some(letter),
            Some(end) if letter == end => quote = None,
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(letter);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_splits_at_blanks_and_semicolons_outside_of_quotes() {
        assert_eq!(words(r#"commit "two words" Y"#), ["commit", "two words", "Y"]);
        assert_eq!(words(r#"commit "" Y"#), ["commit", "", "Y"]);
        assert_eq!(split_commands(r#"version; commit "a;b" Y"#), ["version", r#" commit "a;b" Y"#]);
    }
}
