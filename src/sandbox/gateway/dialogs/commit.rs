//! `commit`, `clearchanges`, `showchanges` and `commitdetail`.

use std::time::Duration;

use crate::sandbox::gateway::faults::Point;
use crate::sandbox::gateway::line::Asked;
use crate::sandbox::gateway::state::{differences, now};
use crate::sandbox::gateway::terminal::Terminal;

/// Is what `help commit` prints.
pub(in crate::sandbox::gateway) const HELP: &str = "commit [<comment> [<Y|N>]]\n    Commits the pending changes. Y saves the current \
    configuration for rollback.\n";

/// Runs `commit`: comment, collision, rollback question, and the line that says it took effect.
pub(in crate::sandbox::gateway) async fn commit(terminal: &mut Terminal, arguments: &[&str]) -> Asked<()> {
    let owner = terminal.owner();
    if !terminal.shared.state().is_pending(&owner) {
        return terminal.say("There is no data to commit.").await;
    }
    let faults = {
        let mut state = terminal.shared.state();
        let set = state.change_sets.get(&owner);
        let changes = set.map(|changes| differences(&changes.base, &changes.candidate)).unwrap_or_default();
        let mut faults = state.faults.commit(&changes);
        if let Some(change) = &faults.collision
            && let Err(reason) = state.edit("colleague", change)
        {
            faults.refusal = Some(format!("The scripted collision does not fit: {reason}"));
        }
        faults
    };
    let comment = match arguments.first() {
        Some(comment) => (*comment).to_owned(),
        None => terminal.ask("Please enter some comments describing your changes:", "").await?,
    };
    if terminal.shared.state().collides(&owner) {
        return collided(terminal, &owner).await;
    }
    match arguments.get(1) {
        Some(answer) if matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes" | "n" | "no") => {}
        Some(other) => return terminal.say(&format!("Invalid arguments when processing: commit {other}")).await,
        None => {
            terminal.ask_yes_no("Do you want to save the current configuration for rollback?", true).await?;
        }
    }
    let away = terminal.shared.options.cluster.as_ref().map(|cluster| cluster.away.clone()).unwrap_or_default();
    if !away.is_empty() {
        // Only that a machine can be away is known; that the commit asks, and how, is not.
        let question = format!(
            "The following machines are disconnected from the cluster: machine {} is disconnected.\nThey get the changes when they \
             are connected again. Do you want to continue?",
            away.join(" is disconnected, machine ")
        );
        if !terminal.ask_yes_no(&question, true).await? {
            return Ok(());
        }
    }
    let refusal = match faults.refusal {
        None if terminal.shared.state().faults.disk_full => {
            Some("Unable to perform operation due to an I/O error. Configuration filesystem is full.".to_owned())
        }
        refusal => refusal,
    };
    if let Some(text) = refusal {
        terminal.shared.state().counters.failed_commits += 1;
        return terminal.say(&text).await;
    }
    let delay = terminal.shared.options.commit_duration + Duration::from_millis(faults.delay);
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    terminal.reach(Point::CommitBefore).await?;
    // Somebody may have been quicker while a question waited for its answer.
    if terminal.shared.state().collides(&owner) {
        return collided(terminal, &owner).await;
    }
    {
        let mut state = terminal.shared.state();
        if faults.lie {
            state.change_sets.remove(&owner);
        } else {
            state.commit(&owner, &terminal.user, &comment);
        }
    }
    terminal.reach(Point::CommitAfter).await?;
    if let Some(warning) = faults.warning {
        terminal.say(&warning).await?;
    }
    terminal.say(&format!("Changes committed: {}", now())).await
}

/// Refuses a commit that another one overtook, and offers to discard the changes.
async fn collided(terminal: &mut Terminal, owner: &str) -> Asked<()> {
    let who = {
        let mut state = terminal.shared.state();
        state.counters.failed_commits += 1;
        state.history.last().map(|commit| commit.user.clone()).unwrap_or_default()
    };
    // Only the last sentence is known. Whether Enter means yes is not; it means no here.
    let question = format!(
        "Your changes conflict with changes that {who} committed in the meantime. They cannot be committed.\n\
         Are you ready to discard all of your changes?"
    );
    if terminal.ask_yes_no(&question, false).await? {
        terminal.shared.state().change_sets.remove(owner);
        terminal.say(&format!("Changes cleared: {}", now())).await?;
    }
    Ok(())
}

/// Runs `clearchanges`, which asks first.
pub(in crate::sandbox::gateway) async fn clearchanges(terminal: &mut Terminal, arguments: &[&str]) -> Asked<()> {
    let owner = terminal.owner();
    if !terminal.shared.state().is_pending(&owner) {
        return terminal.say("There are no changes to clear.").await;
    }
    let sure = match arguments.first().map(|word| word.to_ascii_lowercase()).as_deref() {
        Some("y" | "yes") => true,
        _ => terminal.ask_yes_no("Are you sure you want to clear all changes since the last commit?", true).await?,
    };
    if !sure {
        return Ok(());
    }
    terminal.shared.state().change_sets.remove(&owner);
    terminal.say(&format!("Changes cleared: {}", now())).await
}

/// Prints the pending changes as a tree.
pub(in crate::sandbox::gateway) async fn showchanges(terminal: &mut Terminal) -> Asked<()> {
    let owner = terminal.owner();
    let lines = terminal.shared.state().change_sets.get(&owner).map(|changes| differences(&changes.base, &changes.candidate));
    match lines {
        None => terminal.say("There are no uncommitted changes.").await,
        Some(lines) => terminal.say(&format!("The following changes have not been committed:\n{}", lines.join("\n"))).await,
    }
}

/// Prints the last commit.
pub(in crate::sandbox::gateway) async fn commitdetail(terminal: &mut Terminal) -> Asked<()> {
    let last = terminal.shared.state().history.last().cloned();
    match last {
        None => terminal.say("There are no commits.").await,
        Some(commit) => {
            let text = format!(
                "Commit at {} with comments: \"{}\".\nUser: {}\n{}",
                commit.at,
                commit.comment,
                commit.user,
                commit.changes.join("\n")
            );
            terminal.say(text.trim_end()).await
        }
    }
}
