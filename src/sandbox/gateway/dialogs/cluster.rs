//! `clustermode`, and the question of commands that only one level may run.

use crate::sandbox::gateway::line::Asked;
use crate::sandbox::gateway::terminal::Terminal;

/// Tells whether a command may run at this level, after asking to switch where it may not.
pub(in crate::sandbox::gateway) async fn may_run(terminal: &mut Terminal, command: &str) -> Asked<bool> {
    let Some(cluster) = terminal.shared.options.cluster.clone() else {
        return Ok(true);
    };
    let at_cluster = terminal.level.as_deref().is_some_and(|level| level.starts_with("Cluster"));
    if at_cluster || !cluster.cluster_only.iter().any(|name| name == command) {
        return Ok(true);
    }
    let question = format!("The command \"{command}\" is restricted to cluster mode. Would you like to switch to cluster mode?");
    let switch = terminal.ask_yes_no(&question, true).await?;
    if switch {
        terminal.level = Some("Cluster cluster".into());
    }
    Ok(switch)
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
            terminal.level = Some("Cluster cluster".into());
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
