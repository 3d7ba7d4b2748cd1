//! `listenerconfig` → `EDIT` → `HOSTACCESS`: sender groups and mail flow policies.

use super::{policy, read_file, write_file};
use crate::sandbox::gateway::line::Asked;
use crate::sandbox::gateway::options::Release;
use crate::sandbox::gateway::tables::extra::Owner;
use crate::sandbox::gateway::tables::hat::{Behavior, Hat, Policy, SenderGroup, Verdict, check_name, check_sender};
use crate::sandbox::gateway::tables::hat_text;
use crate::sandbox::gateway::tables::parameter::Parameters;
use crate::sandbox::gateway::terminal::{Operation, Terminal, choose};

const KINDS: [&str; 2] = ["Sender Group", "Policy"];

/// Gives the table of a listener with this session's changes.
pub(super) fn table(terminal: &Terminal, listener: &str) -> Hat {
    terminal.configuration().listener(listener).map_or_else(Hat::private, |listener| listener.hat.clone())
}

/// Stages a change of a listener's table.
pub(super) fn change<T: Default>(terminal: &Terminal, listener: &str, change: impl FnOnce(&mut Hat) -> T) -> T {
    terminal
        .stage(|configuration| configuration.listener_mut(listener).map(|listener| change(&mut listener.hat)).unwrap_or_default())
}

fn has_certificate(terminal: &Terminal, listener: &str) -> bool {
    terminal.configuration().listener(listener).is_some_and(|listener| !listener.certificate.is_empty())
}

fn menu(release: Release) -> Vec<Operation> {
    let clear = if release >= Release::V13_0 {
        ("RESET", "Remove senders and set policies to system default.")
    } else {
        ("CLEAR", "Remove all entries.")
    };
    vec![
        ("NEW", "Create a new entry."),
        ("EDIT", "Modify an entry."),
        ("DELETE", "Remove an entry."),
        ("MOVE", "Move an entry."),
        ("DEFAULT", "Set the defaults."),
        ("PRINT", "Display the table."),
        ("IMPORT", "Import a table from a file."),
        ("EXPORT", "Export the table to a file."),
        clear,
    ]
}

/// Runs the menu of one listener.
pub(super) async fn run(terminal: &mut Terminal, listener: &str) -> Asked<()> {
    loop {
        let hat = table(terminal, listener);
        if terminal.layout().default_parameters {
            terminal.heading(&hat.defaults.overview()).await?;
        }
        terminal
            .heading(&format!(
                "There are currently {} policies defined.\nThere are currently {} sender groups.",
                hat.policies.len(),
                hat.groups.len() + 1
            ))
            .await?;
        let operations = menu(terminal.release());
        match terminal.menu(&operations).await? {
            None => return Ok(()),
            Some(("NEW", _)) => match terminal.ask_list("", &["New Sender Group", "New Policy"], 0).await? {
                0 => new_group(terminal, listener).await?,
                _ => new_policy(terminal, listener).await?,
            },
            Some(("EDIT", _)) => match terminal.ask_list("", &KINDS.map(|kind| format!("Edit {kind}")), 0).await? {
                0 => edit_group(terminal, listener).await?,
                _ => edit_policy(terminal, listener).await?,
            },
            Some(("DELETE", _)) => match terminal.ask_list("", &KINDS.map(|kind| format!("Delete {kind}")), 0).await? {
                0 => delete_group(terminal, listener).await?,
                _ => delete_policy(terminal, listener).await?,
            },
            Some(("MOVE", _)) => move_group(terminal, listener).await?,
            Some(("DEFAULT", _)) => default(terminal, listener).await?,
            Some(("PRINT", _)) => {
                let text = hat_text::print_of(listener, &hat, &terminal.configuration().extras);
                let text = hat_text::in_form(&text, terminal.layout().hosts);
                terminal.say(&text).await?;
            }
            Some(("IMPORT", _)) => import(terminal, listener, None).await?,
            Some(("EXPORT", _)) => write_file(terminal, None, hat_text::print(&hat)).await?,
            Some(_) => {
                if terminal.ask_yes_no("Are you sure you want to remove all senders and reset the policies?", false).await? {
                    reset(terminal, listener);
                }
            }
        }
    }
}

/// Puts the table of a new listener back.
pub(super) fn reset(terminal: &Terminal, listener: &str) {
    terminal.stage(|configuration| {
        if let Some(listener) = configuration.listener_mut(listener) {
            listener.hat = if listener.rat.is_some() { Hat::public() } else { Hat::private() };
        }
    });
}

/// Checks the name of a new group or policy.
pub(super) fn check_new_name(name: &str, hat: &Hat, group: bool) -> Result<(), String> {
    check_name(name)?;
    if if group { hat.group(name).is_some() } else { hat.policy(name).is_some() } {
        let kind = if group { "sender group" } else { "policy" };
        return Err(format!("The value cannot be {name}: there is already a {kind} of that name."));
    }
    Ok(())
}

/// Splits and checks a list of senders.
pub(super) fn check_senders(list: &str) -> Result<Vec<String>, String> {
    let senders: Vec<String> =
        list.split(',').map(|sender| sender.trim().to_owned()).filter(|sender| !sender.is_empty()).collect();
    senders.iter().try_for_each(|sender| check_sender(sender))?;
    Ok(senders)
}

const SENDERS: &str = "Enter the hosts to add. CIDR addresses such as 10.1.1.0/24 are allowed. IP address ranges such as 10.1.1.10-20 are \
                       allowed. IP subnets such as 10.2.3. are allowed. Hostnames such as crm.example.com are allowed. Partial hostnames \
                       such as .example.com are allowed.\nRanges of SenderBase Reputation scores such as SBRS[7.5:10.0] are \
                       allowed.\nSenderBase Network Owner IDs such as SBO:12345 are allowed.\nRemote blacklist queries such as \
                       dnslist[query.blacklist.example] are allowed.\nSeparate multiple hosts with commas";

async fn new_group(terminal: &mut Terminal, listener: &str) -> Asked<()> {
    let hat = table(terminal, listener);
    let question = "Enter a name for this sender group.";
    let name = terminal.ask_until(question, "", |answer| check_new_name(answer, &hat, true).map(|()| answer.to_owned())).await?;
    let senders = terminal.ask_until(SENDERS, "", check_senders).await?;
    let verdict =
        ask_verdict(terminal, listener, &hat, &Verdict::Own { behavior: Behavior::Accept, parameters: Parameters::default() })
            .await?;
    let comment = terminal.ask("Enter a comment for this sender group.", "").await?;
    terminal.confirm(&format!("Sender group {name} added.")).await?;
    let group = SenderGroup { name, senders, countries: Vec::new(), verdict, comment };
    change(terminal, listener, |hat| hat.groups.push(group));
    Ok(())
}

/// Asks where a group leads: a behavior or a policy, and for a behavior whether its parameters differ from the defaults.
async fn ask_verdict(terminal: &mut Terminal, listener: &str, hat: &Hat, now: &Verdict) -> Asked<Verdict> {
    let mut choices: Vec<Verdict> =
        Behavior::ALL.into_iter().map(|behavior| Verdict::Own { behavior, parameters: Parameters::default() }).collect();
    choices.extend(hat.policies.iter().map(|policy| Verdict::Policy(policy.name.clone())));
    let labels: Vec<String> = choices.iter().map(Verdict::label).collect();
    let at = labels.iter().position(|label| *label == now.label()).unwrap_or(0);
    let chosen = terminal.ask_list("Select a behavior for this entry.", &labels, at).await?;
    let mut verdict = choices.into_iter().nth(chosen).unwrap_or_else(|| now.clone());
    if let Verdict::Own { behavior, parameters } = &mut verdict {
        if let Verdict::Own { behavior: same, parameters: kept } = now
            && same == behavior
        {
            *parameters = kept.clone();
        }
        if terminal.ask_yes_no("Would you like to change the policy parameters for this entry?", false).await? {
            let certificate = has_certificate(terminal, listener);
            policy::questions(terminal, Some(*behavior), parameters, &hat.defaults, certificate).await?;
        }
    }
    Ok(verdict)
}

async fn new_policy(terminal: &mut Terminal, listener: &str) -> Asked<()> {
    let hat = table(terminal, listener);
    let question = "Enter a name for this policy.";
    let name = terminal.ask_until(question, "", |answer| check_new_name(answer, &hat, false).map(|()| answer.to_owned())).await?;
    let mut policy = Policy { name, behavior: Behavior::Accept, parameters: Parameters::default() };
    policy_questions(terminal, listener, &hat, &mut policy).await?;
    terminal.confirm(&format!("Policy {} added.", policy.name)).await?;
    change(terminal, listener, |hat| hat.policies.push(policy));
    Ok(())
}

async fn policy_questions(terminal: &mut Terminal, listener: &str, hat: &Hat, policy: &mut Policy) -> Asked<()> {
    let labels = Behavior::ALL.map(Behavior::label);
    let at = Behavior::ALL.iter().position(|behavior| *behavior == policy.behavior).unwrap_or(0);
    let chosen = terminal.ask_list("Select a behavior for this entry.", &labels, at).await?;
    policy.behavior = Behavior::ALL.get(chosen).copied().unwrap_or(policy.behavior);
    let certificate = has_certificate(terminal, listener);
    policy::questions(terminal, Some(policy.behavior), &mut policy.parameters, &hat.defaults, certificate).await
}

async fn edit_policy(terminal: &mut Terminal, listener: &str) -> Asked<()> {
    let hat = table(terminal, listener);
    if hat.policies.is_empty() {
        return terminal.say("No policies to edit.").await;
    }
    let Some(name) = ask_policy(terminal, &hat, "Enter the policy number or name you wish to edit.").await? else {
        return Ok(());
    };
    let Some(mut policy) = hat.policy(&name).cloned() else { return Ok(()) };
    policy_questions(terminal, listener, &hat, &mut policy).await?;
    change(terminal, listener, |hat| {
        if let Some(there) = hat.policy_mut(&name) {
            *there = policy;
        }
    });
    Ok(())
}

/// Shows the policies with numbers and asks for one; Enter leaves.
async fn ask_policy(terminal: &mut Terminal, hat: &Hat, question: &str) -> Asked<Option<String>> {
    let names: Vec<String> = hat.policies.iter().map(|policy| policy.name.clone()).collect();
    terminal.heading("Currently configured HAT policies:").await?;
    ask_name(terminal, &names, &names, question, "policy").await
}

/// Shows the sender groups with numbers and asks for one; Enter leaves.
async fn ask_group(terminal: &mut Terminal, hat: &Hat, question: &str, all: bool) -> Asked<Option<String>> {
    let mut names: Vec<String> = hat.groups.iter().map(|group| group.name.clone()).collect();
    let mut lines: Vec<String> = hat
        .groups
        .iter()
        .map(|group| if group.comment.is_empty() { group.name.clone() } else { format!("{} ({})", group.name, group.comment) })
        .collect();
    if all {
        names.push("ALL".into());
        lines.push("ALL".into());
    }
    terminal.heading("Currently configured HAT sender groups:").await?;
    ask_name(terminal, &names, &lines, question, "sender group").await
}

async fn ask_name(
    terminal: &mut Terminal,
    names: &[String],
    lines: &[String],
    question: &str,
    kind: &str,
) -> Asked<Option<String>> {
    for (number, line) in lines.iter().enumerate() {
        terminal.say(&format!("{}. {line}", number + 1)).await?;
    }
    terminal
        .ask_until(question, "", |answer| {
            if answer.is_empty() {
                return Ok(None);
            }
            let found = choose(answer, names).and_then(|at| names.get(at)).cloned();
            found.map(Some).ok_or_else(|| format!("Not a valid {kind}: {answer}"))
        })
        .await
}

async fn edit_group(terminal: &mut Terminal, listener: &str) -> Asked<()> {
    let hat = table(terminal, listener);
    let Some(mut name) = ask_group(terminal, &hat, "Enter the sender group number or name you wish to edit.", true).await? else {
        return Ok(());
    };
    if name == "ALL" {
        let verdict = ask_verdict(terminal, listener, &hat, &hat.all.clone()).await?;
        change(terminal, listener, |hat| hat.all = verdict);
        return Ok(());
    }
    loop {
        let hat = table(terminal, listener);
        let Some(group) = hat.group(&name).cloned() else { return Ok(()) };
        let mut operations: Vec<Operation> = vec![
            ("NEW", "Add a new host."),
            ("DELETE", "Remove a host."),
            ("MOVE", "Reorder the hosts."),
            ("POLICY", "Change the policy settings and options."),
            ("PRINT", "Display the current definition."),
            ("RENAME", "Rename this sender group."),
        ];
        if terminal.release() >= Release::V13_0 {
            operations.push(("COUNTRY", "Add and delete countries."));
        }
        match terminal.menu(&operations).await? {
            None => return Ok(()),
            Some(("NEW", _)) => add_senders(terminal, listener, &group).await?,
            Some(("DELETE", _)) => {
                let question = "Enter the name of the host to delete.";
                if let Some(sender) = ask_sender(terminal, &group, question).await? {
                    change(terminal, listener, |hat| {
                        edit_senders(hat, &name, |senders| senders.retain(|other| *other != sender));
                    });
                }
            }
            Some(("MOVE", _)) => {
                let Some(sender) = ask_sender(terminal, &group, "Enter the name of the host to move.").await? else { continue };
                let question = "Enter the name of the host to insert before.";
                let Some(before) = ask_sender(terminal, &group, question).await? else { continue };
                change(terminal, listener, |hat| edit_senders(hat, &name, |senders| move_before(senders, &sender, &before)));
            }
            Some(("POLICY", _)) => {
                let verdict = ask_verdict(terminal, listener, &hat, &group.verdict).await?;
                change(terminal, listener, |hat| {
                    if let Some(there) = hat.group_mut(&name) {
                        there.verdict = verdict;
                    }
                });
            }
            Some(("PRINT", _)) => {
                let text = hat_text::in_form(&hat_text::print_group(&group), terminal.layout().hosts);
                terminal.say(&text).await?;
            }
            Some(("RENAME", _)) => {
                let question = "Enter a new name for this sender group.";
                let new = terminal.ask_until(question, &name, |answer| {
                    if answer == name { Ok(()) } else { check_new_name(answer, &hat, true) }.map(|()| answer.to_owned())
                });
                let new = new.await?;
                let renamed = new.clone();
                terminal.stage(|configuration| {
                    configuration.extras.rename(Owner::Group(listener, &name), Owner::Group(listener, &renamed));
                    let there = configuration.listener_mut(listener).and_then(|there| there.hat.group_mut(&name));
                    if let Some(there) = there {
                        there.name.clone_from(&renamed);
                    }
                });
                name = new;
            }
            Some(_) => countries(terminal, listener, &name).await?,
        }
    }
}

/// Changes the senders of one group.
pub(super) fn edit_senders(hat: &mut Hat, group: &str, change: impl FnOnce(&mut Vec<String>)) {
    if let Some(group) = hat.group_mut(group) {
        change(&mut group.senders);
    }
}

/// Moves one name before another; names that are not there change nothing.
pub(super) fn move_before(names: &mut Vec<String>, name: &str, before: &str) {
    if name == before || !names.iter().any(|other| other == before) {
        return;
    }
    if let Some(from) = names.iter().position(|other| other == name) {
        let moved = names.remove(from);
        let to = names.iter().position(|other| other == before).unwrap_or(names.len());
        names.insert(to, moved);
    }
}

async fn add_senders(terminal: &mut Terminal, listener: &str, group: &SenderGroup) -> Asked<()> {
    let senders = terminal.ask_until(SENDERS, "", check_senders).await?;
    for sender in senders {
        if group.senders.contains(&sender) {
            let question = format!("The host {sender} is already in this sender group. Add anyway?");
            if !terminal.ask_yes_no(&question, false).await? {
                continue;
            }
        }
        change(terminal, listener, |hat| edit_senders(hat, &group.name, |senders| senders.push(sender)));
    }
    Ok(())
}

async fn ask_sender(terminal: &mut Terminal, group: &SenderGroup, question: &str) -> Asked<Option<String>> {
    for sender in &group.senders {
        terminal.say(sender).await?;
    }
    terminal
        .ask_until(question, "", |answer| match answer {
            "" => Ok(None),
            _ if group.senders.iter().any(|sender| sender == answer) => Ok(Some(answer.to_owned())),
            _ => Err(format!("Not a valid host of this sender group: {answer}")),
        })
        .await
}

async fn countries(terminal: &mut Terminal, listener: &str, name: &str) -> Asked<()> {
    let operations: &[Operation] =
        &[("ADD", "Add countries."), ("DELETE", "Delete countries."), ("PRINT", "Display the countries.")];
    loop {
        let countries = table(terminal, listener).group(name).map(|group| group.countries.clone()).unwrap_or_default();
        match terminal.menu(operations).await? {
            None => return Ok(()),
            Some(("ADD", _)) => {
                let country = terminal.ask("Enter the name of the country to add.", "").await?;
                if !country.is_empty() && !countries.contains(&country) {
                    change(terminal, listener, |hat| {
                        if let Some(group) = hat.group_mut(name) {
                            group.countries.push(country);
                        }
                    });
                }
            }
            Some(("DELETE", _)) => {
                let country = terminal.ask("Enter the name of the country to delete.", "").await?;
                if countries.contains(&country) {
                    change(terminal, listener, |hat| {
                        if let Some(group) = hat.group_mut(name) {
                            group.countries.retain(|other| *other != country);
                        }
                    });
                } else if !country.is_empty() {
                    terminal.refuse(&format!("Not a valid country of this sender group: {country}")).await?;
                }
            }
            Some(_) => terminal.say(&format!("{}\n", countries.join("\n"))).await?,
        }
    }
}

async fn delete_group(terminal: &mut Terminal, listener: &str) -> Asked<()> {
    let hat = table(terminal, listener);
    let Some(name) = ask_group(terminal, &hat, "Enter the sender group number or name you wish to delete.", false).await? else {
        return Ok(());
    };
    if super::may_delete(terminal, &format!("the sender group {name}")).await? {
        change(terminal, listener, |hat| remove_group(hat, &name));
    }
    Ok(())
}

/// Takes a group away.
pub(super) fn remove_group(hat: &mut Hat, name: &str) {
    hat.groups.retain(|group| group.name.is_empty() || !group.name.eq_ignore_ascii_case(name));
}

async fn delete_policy(terminal: &mut Terminal, listener: &str) -> Asked<()> {
    let hat = table(terminal, listener);
    let Some(name) = ask_policy(terminal, &hat, "Enter the policy number or name you wish to delete.").await? else {
        return Ok(());
    };
    let users = hat.users_of(&name);
    let sure = if users.is_empty() {
        super::may_delete(terminal, &format!("the policy {name}")).await?
    } else {
        let question = format!(
            "The policy {name} is in use by the sender groups {}. If you delete it, they keep its behavior without its parameters. Do \
             you want to continue?",
            users.join(", ")
        );
        terminal.ask_yes_no(&question, false).await?
    };
    if sure {
        change(terminal, listener, |hat| remove_policy(hat, &name));
    }
    Ok(())
}

/// Takes a policy away; the groups that led to it keep its behavior.
pub(super) fn remove_policy(hat: &mut Hat, name: &str) {
    let Some(policy) = hat.policy(name).cloned() else { return };
    let own = Verdict::Own { behavior: policy.behavior, parameters: Parameters::default() };
    let leads = |verdict: &Verdict| matches!(verdict, Verdict::Policy(other) if *other == policy.name);
    hat.groups.iter_mut().filter(|group| leads(&group.verdict)).for_each(|group| group.verdict = own.clone());
    if leads(&hat.all) {
        hat.all = own.clone();
    }
    hat.policies.retain(|other| other.name != policy.name);
}

async fn move_group(terminal: &mut Terminal, listener: &str) -> Asked<()> {
    let hat = table(terminal, listener);
    let Some(name) = ask_group(terminal, &hat, "Enter the sender group number or name you wish to move.", false).await? else {
        return Ok(());
    };
    let question = "Enter the sender group number or name to insert before.";
    let Some(before) = ask_group(terminal, &hat, question, true).await? else {
        return Ok(());
    };
    if stands_before(&hat, &name, &before) {
        return terminal.refuse(&format!("Invalid arguments when processing: {name} already stands there.")).await;
    }
    change(terminal, listener, |hat| move_group_before(hat, &name, &before));
    Ok(())
}

/// Tells whether moving a group before another one would change nothing.
pub(super) fn stands_before(hat: &Hat, name: &str, before: &str) -> bool {
    let mut then = hat.clone();
    move_group_before(&mut then, name, before);
    then.groups == hat.groups
}

/// Moves a group before another one, or behind all of them for `ALL`.
pub(super) fn move_group_before(hat: &mut Hat, name: &str, before: &str) {
    let position = |hat: &Hat, name: &str| hat.groups.iter().position(|group| group.name.eq_ignore_ascii_case(name));
    if name.eq_ignore_ascii_case(before) {
        return;
    }
    if let Some(from) = position(hat, name) {
        let group = hat.groups.remove(from);
        let to = position(hat, before).unwrap_or(hat.groups.len());
        hat.groups.insert(to, group);
    }
}

async fn default(terminal: &mut Terminal, listener: &str) -> Asked<()> {
    let hat = table(terminal, listener);
    let mut parameters = hat.defaults.clone();
    let certificate = has_certificate(terminal, listener);
    policy::questions(terminal, None, &mut parameters, &hat.defaults, certificate).await?;
    change(terminal, listener, |hat| hat.defaults = parameters);
    Ok(())
}

/// Reads a whole table from a file.
pub(super) async fn import(terminal: &mut Terminal, listener: &str, name: Option<&str>) -> Asked<()> {
    let Some(text) = read_file(terminal, name).await? else {
        return Ok(());
    };
    match hat_text::parse(&text, &table(terminal, listener)) {
        Err(reason) => terminal.refuse(&reason).await,
        Ok(hat) => {
            let count = hat.groups.len() + 1;
            change(terminal, listener, |there| *there = hat);
            terminal.say(&format!("{count} entries imported successfully.")).await
        }
    }
}
