//! `clustermode`, the question of commands that only one level may run, and what menus have more in a cluster.

use crate::sandbox::gateway::line::Asked;
use crate::sandbox::gateway::terminal::{Operation, Terminal};

/// Lists the commands that every cluster restricts to one machine.
const ONE_MACHINE: &[&str] = &["trace"];

/// Tells whether a command may run at this level, after asking to switch where it may not.
pub(in crate::sandbox::gateway) async fn may_run(terminal: &mut Terminal, command: &str) -> Asked<bool> {
    let Some(cluster) = terminal.shared.options.cluster.clone() else {
        return Ok(true);
    };
    let at = |kind: &str| terminal.level.as_deref().is_some_and(|level| level.starts_with(kind));
    let chain = terminal.chain();
    if let (true, Some(level)) = (cluster.inherited.iter().any(|name| name == command), chain.first())
        && !terminal.whole().is_own(level, command)
    {
        return notice(terminal, command, &cluster.name).await;
    }
    if ONE_MACHINE.contains(&command) && !at("Machine") {
        return to_machine(terminal, &cluster.machines).await;
    }
    let (mode, level) = if cluster.cluster_only.iter().any(|name| name == command) && !at("Cluster") {
        ("cluster", format!("Cluster {}", cluster.name))
    } else if cluster.machine_only.iter().any(|name| name == command) && !at("Machine") {
        ("machine", format!("Machine {}", cluster.machines.first().map_or("", String::as_str)))
    } else {
        return Ok(true);
    };
    let question = format!("The command \"{command}\" is restricted to {mode} mode. Would you like to switch to {mode} mode?");
    let switch = terminal.ask_yes_no(&question, true).await?;
    if switch {
        terminal.level = Some(level);
    }
    Ok(switch)
}

/// Offers to switch to a machine for a command that every cluster restricts; which one is asked where there are several.
async fn to_machine(terminal: &mut Terminal, machines: &[String]) -> Asked<bool> {
    let question = "This command is restricted to \"machine\" mode.  Would you like to switch to \"machine\" mode?";
    if !terminal.ask_yes_no(question, true).await? {
        return Ok(false);
    }
    let at = if machines.len() > 1 { terminal.ask_list("Choose a machine.", machines, 0).await? } else { 0 };
    terminal.level = machines.get(at).map(|name| format!("Machine {name}"));
    Ok(true)
}

/// Says that the settings stand at another level, and asks what to do. Settings of one's own cut this level off.
async fn notice(terminal: &mut Terminal, command: &str, cluster: &str) -> Asked<bool> {
    terminal.say("NOTICE: This configuration command has not yet been configured for the current cluster mode.").await?;
    let (chain, whole) = (terminal.chain(), terminal.whole());
    let above = chain.iter().find(|level| whole.is_own(level, command)).cloned().unwrap_or_else(|| format!("Cluster {cluster}"));
    let choices = [
        format!("Switch modes to edit at mode \"{above}\"."),
        "Start a new, empty configuration at the current mode.".to_owned(),
        "Copy settings from another cluster mode to the current mode.".to_owned(),
    ];
    match terminal.ask_list("What would you like to do?", &choices, 0).await? {
        0 => terminal.level = Some(above),
        answer => terminal.stage_whole(|configuration| configuration.make_own(&chain, command, answer == 1)),
    }
    Ok(true)
}

/// Runs `clustermode`, by words or by questions.
pub(in crate::sandbox::gateway) async fn clustermode(terminal: &mut Terminal, arguments: &[&str]) -> Asked<()> {
    let Some(cluster) = terminal.shared.options.cluster.clone() else {
        return terminal.say("The clustermode command is only available on cluster system.").await;
    };
    let word = arguments.first().map(|word| word.to_ascii_lowercase());
    let mode = match word.as_deref() {
        Some("cluster") => 0,
        Some("group") => 1,
        Some("machine") => 2,
        Some(other) => return terminal.say(&format!("Invalid arguments when processing: clustermode {other}")).await,
        None => terminal.ask_list("Choose the mode to modify:", &["Cluster", "Group", "Machine"], 0).await?,
    };
    let (names, kind) = match mode {
        0 => {
            terminal.level = Some(format!("Cluster {}", cluster.name));
            return Ok(());
        }
        1 => (cluster.groups, "Group"),
        _ => (cluster.machines, "Machine"),
    };
    let at = match arguments.get(1) {
        Some(name) => names.iter().position(|known| known.eq_ignore_ascii_case(name)),
        None if names.is_empty() => None,
        None => Some(terminal.ask_list(&format!("Choose the {} to modify:", kind.to_lowercase()), &names, 0).await?),
    };
    match at.and_then(|at| names.get(at)) {
        Some(name) => terminal.level = Some(format!("{kind} {name}")),
        None => terminal.say(&format!("Invalid arguments when processing: no such {}", kind.to_lowercase())).await?,
    }
    Ok(())
}

/// Shows the menu of a table. In a cluster it has two more operations, which are answered here: how the table stands at the levels, and
/// moving it between them. Their questions are not documented; the first answer changes nothing.
pub(in crate::sandbox::gateway) async fn menu(
    terminal: &mut Terminal,
    operations: &[Operation],
) -> Asked<Option<(&'static str, String)>> {
    let Some(cluster) = terminal.shared.options.cluster.clone() else {
        return terminal.menu(operations).await;
    };
    let mut all = operations.to_vec();
    all.push(("CLUSTERSET", "Set how this is configured in a cluster."));
    all.push(("CLUSTERSHOW", "Display how this is configured in a cluster."));
    loop {
        match terminal.menu(&all).await? {
            Some(("CLUSTERSHOW", _)) => {
                let levels: Vec<String> = [format!("Cluster: {}", cluster.name)]
                    .into_iter()
                    .chain(cluster.groups.iter().map(|name| format!("Group: {name}")))
                    .chain(cluster.machines.iter().map(|name| format!("Machine: {name}")))
                    .collect();
                terminal.say(&format!("Configured at mode:\n{}", levels.join("\n"))).await?;
            }
            Some(("CLUSTERSET", _)) => {
                let choices = ["Cancel", "Copy settings to another mode", "Move settings to another mode"];
                if terminal.ask_list("Choose the cluster operation:", &choices, 0).await? > 0 {
                    terminal.say("Moving settings between modes is not part of the sandbox.").await?;
                }
            }
            other => return Ok(other),
        }
    }
}
