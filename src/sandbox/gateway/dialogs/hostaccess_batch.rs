//! The batch forms of `hostaccess`. Only `edit sendergroup <name> new <host>` is proven; the rest follows the error texts and the
//! option names that they mention. TLS cannot be set here.

use super::hostaccess::{
    change, check_new_name, check_senders, edit_senders, import, move_before, move_group_before, remove_group, remove_policy,
    reset, stands_before, table,
};
use super::write_file;
use crate::sandbox::gateway::line::Asked;
use crate::sandbox::gateway::tables::hat::{Behavior, Hat, Policy, SenderGroup, Verdict};
use crate::sandbox::gateway::tables::hat_text;
use crate::sandbox::gateway::tables::parameter::{Parameters, parse_size};
use crate::sandbox::gateway::terminal::{Terminal, number_in};

/// Runs what stands behind `hostaccess`.
pub(super) async fn run(terminal: &mut Terminal, listener: &str, arguments: &[&str]) -> Asked<()> {
    let hat = table(terminal, listener);
    let lower: Vec<String> = arguments.iter().take(2).map(|word| word.to_ascii_lowercase()).collect();
    let (word, kind) = (lower.first().map_or("", String::as_str), lower.get(1).map_or("", String::as_str));
    let rest = arguments.split_at(2.min(arguments.len())).1;
    let result = match (word, kind) {
        ("print", "") => {
            let text = hat_text::print_of(listener, &hat, &terminal.configuration().extras);
            let text = hat_text::in_form(&text, terminal.layout().hosts);
            return terminal.say(&text).await;
        }
        ("import", "") => Err("The hostaccess \"import\" command requires a filename".into()),
        ("export", "") => Err("The hostaccess \"export\" command requires a filename.".into()),
        ("import", _) => return import(terminal, listener, arguments.get(1).copied()).await,
        ("export", _) => return write_file(terminal, arguments.get(1).copied(), hat_text::print(&hat)).await,
        ("clear" | "reset", "") => {
            reset(terminal, listener);
            Ok(())
        }
        ("new", "sendergroup") => new_group(&hat, rest).map(|group| change(terminal, listener, |hat| hat.groups.push(group))),
        ("new", "policy") => new_policy(&hat, rest).map(|policy| change(terminal, listener, |hat| hat.policies.push(policy))),
        ("edit", "sendergroup") => {
            if let [name, what] = rest
                && what.eq_ignore_ascii_case("print")
                && let Some(group) = hat.group(name)
            {
                let text = hat_text::in_form(&hat_text::print_group(group), terminal.layout().hosts);
                return terminal.say(&text).await;
            }
            edit_group(&hat, rest).map(|edited| change(terminal, listener, |hat| *hat = edited))
        }
        ("edit", "policy") => edit_policy(&hat, rest).map(|edited| change(terminal, listener, |hat| *hat = edited)),
        ("delete", "sendergroup") => match rest {
            [name] if hat.group(name).is_some() => {
                change(terminal, listener, |hat| remove_group(hat, name));
                Ok(())
            }
            _ => Err(format!("Invalid hostaccess \"delete\" command: {}", rest.join(" "))),
        },
        ("delete", "policy") => match rest {
            [name] if hat.policy(name).is_some() => {
                change(terminal, listener, |hat| remove_policy(hat, name));
                Ok(())
            }
            _ => Err(format!("Invalid hostaccess \"delete\" command: {}", rest.join(" "))),
        },
        ("delete", _) => {
            Err("The hostaccess \"delete\" command requires either \"sendergroup\" or \"policy\" and a name.".into())
        }
        ("move", _) => match arguments {
            [_, name, before]
                if hat.group(name).is_some() && (hat.group(before).is_some() || before.eq_ignore_ascii_case("ALL")) =>
            {
                if stands_before(&hat, name, before) {
                    Err(format!("Invalid arguments when processing: {name} already stands there."))
                } else {
                    change(terminal, listener, |hat| move_group_before(hat, name, before));
                    Ok(())
                }
            }
            _ => Err("The hostaccess \"move\" command requires a sendergroup and a sendergroup to insert before.".into()),
        },
        ("default", _) => with_options(hat.defaults.clone(), arguments.split_at(1).1, false).map(|(parameters, _)| {
            change(terminal, listener, |hat| hat.defaults = parameters);
        }),
        _ => Err(format!("Invalid arguments when processing: hostaccess {}", arguments.join(" "))),
    };
    match result {
        Ok(()) => Ok(()),
        Err(reason) => terminal.refuse(&reason).await,
    }
}

fn new_group(hat: &Hat, words: &[&str]) -> Result<SenderGroup, String> {
    let [name, list, behavior, options @ ..] = words else {
        return Err("Invalid arguments when processing: hostaccess new sendergroup".into());
    };
    check_new_name(name, hat, true)?;
    let senders = check_senders(list)?;
    let (parameters, comment) = with_options(Parameters::default(), options, true)?;
    let verdict = verdict(hat, behavior, parameters)?;
    Ok(SenderGroup { name: (*name).to_owned(), senders, countries: Vec::new(), verdict, comment: comment.unwrap_or_default() })
}

fn new_policy(hat: &Hat, words: &[&str]) -> Result<Policy, String> {
    let [name, behavior, options @ ..] = words else {
        return Err("Invalid arguments when processing: hostaccess new policy".into());
    };
    check_new_name(name, hat, false)?;
    let behavior = Behavior::parse(behavior).ok_or_else(|| format!("Invalid selected behavior: {behavior}"))?;
    Ok(Policy { name: (*name).to_owned(), behavior, parameters: with_options(Parameters::default(), options, true)?.0 })
}

fn verdict(hat: &Hat, word: &str, parameters: Parameters) -> Result<Verdict, String> {
    let invalid = || format!("Invalid selected behavior: {word}");
    if let Some(name) = word.strip_prefix("Policy:").map(str::trim) {
        return hat.policy(name).map(|policy| Verdict::Policy(policy.name.clone())).ok_or_else(invalid);
    }
    Behavior::parse(word).map(|behavior| Verdict::Own { behavior, parameters }).ok_or_else(invalid)
}

fn edit_group(hat: &Hat, words: &[&str]) -> Result<Hat, String> {
    let invalid = || format!("Invalid arguments when processing: hostaccess edit sendergroup {}", words.join(" "));
    let [name, what, rest @ ..] = words else { return Err(invalid()) };
    let Some(group) = hat.group(name) else {
        return Err(format!("Not a valid sender group: {name}"));
    };
    let host = |host: &str| {
        let known = group.senders.iter().any(|sender| sender == host);
        if known { Ok(()) } else { Err(format!("Not a valid host of this sender group: {host}")) }
    };
    let mut edited = hat.clone();
    match (what.to_ascii_lowercase().as_str(), rest) {
        ("new", [list]) => {
            let mut senders = check_senders(list)?;
            // What a dialog asks about is left out silently here.
            senders.retain(|sender| !group.senders.contains(sender));
            edit_senders(&mut edited, name, |there| there.extend(senders));
        }
        ("delete", [sender]) => {
            host(sender)?;
            edit_senders(&mut edited, name, |senders| senders.retain(|other| other != sender));
        }
        ("move", [sender, before]) => {
            host(sender)?;
            host(before)?;
            edit_senders(&mut edited, name, |senders| move_before(senders, sender, before));
        }
        ("policy", [behavior, options @ ..]) => {
            let now = match &group.verdict {
                Verdict::Own { parameters, .. } => parameters.clone(),
                Verdict::Policy(_) => Parameters::default(),
            };
            let verdict = verdict(hat, behavior, with_options(now, options, true)?.0)?;
            if let Some(group) = edited.group_mut(name) {
                group.verdict = verdict;
            }
        }
        ("rename", [new]) => {
            check_new_name(new, hat, true)?;
            if let Some(group) = edited.group_mut(name) {
                (*new).clone_into(&mut group.name);
            }
        }
        _ => return Err(invalid()),
    }
    Ok(edited)
}

fn edit_policy(hat: &Hat, words: &[&str]) -> Result<Hat, String> {
    let [name, behavior, options @ ..] = words else {
        return Err("Invalid arguments when processing: hostaccess edit policy".into());
    };
    let mut edited = hat.clone();
    let Some(policy) = edited.policy_mut(name) else {
        return Err(format!("Not a valid policy: {name}"));
    };
    policy.behavior = Behavior::parse(behavior).ok_or_else(|| format!("Invalid selected behavior: {behavior}"))?;
    policy.parameters = with_options(policy.parameters.clone(), options, true)?.0;
    Ok(edited)
}

/// Sets what `--name value` words say, and gives the comment among them. `default` leaves a value to the listener.
fn with_options(mut parameters: Parameters, options: &[&str], policy: bool) -> Result<(Parameters, Option<String>), String> {
    let mut comment = None;
    for pair in options.chunks(2) {
        let [name, value] = pair else {
            return Err(format!("Invalid arguments when processing: {}", pair.concat()));
        };
        let name = name.strip_prefix("--").ok_or_else(|| format!("Invalid arguments when processing: {name}"))?;
        if name == "comment" {
            comment = Some((*value).to_owned());
            continue;
        }
        let key = match name {
            "max_size" => "max_message_size",
            "max_conn" => "max_concurrency",
            "max_msgs" => "max_msgs_per_session",
            "max_rcpt" => "max_rcpts_per_msg",
            "override" => "override_hostname",
            "cust_acc" => "smtp_banner_text",
            "acc_code" => "smtp_banner_code",
            "cust_rej" => "reject_banner_text",
            "rej_code" => "reject_banner_code",
            "rate_lim" => "max_rcpts_per_hour",
            "cust_lim" => "max_rcpts_per_hour_text",
            "lim_code" => "max_rcpts_per_hour_code",
            "use_sb" => "use_sb",
            "as_scan" => "spam_check",
            "av_scan" => "virus_check",
            "dhap" => "dhap_limit",
            "sig_bits" => "significant_bits",
            _ => return Err(format!("Unknown option \"--{name}\".")),
        };
        if value.eq_ignore_ascii_case("default") {
            if !policy {
                return Err(format!("\"{name}\" can only be \"default\" when working with policies."));
            }
            parameters.unset(key);
            continue;
        }
        match key {
            "max_message_size" => parameters.set(key, parse_size(value).ok_or("Invalid value.")?),
            "override_hostname" => {
                parameters.set("use_override_hostname", "on");
                parameters.set(key, *value);
            }
            "use_sb" | "spam_check" | "virus_check" => match value.to_ascii_lowercase().as_str() {
                "yes" | "y" | "on" | "1" => parameters.set(key, "on"),
                "no" | "n" | "off" | "0" => parameters.set(key, "off"),
                _ => return Err("Invalid value.".into()),
            },
            "max_rcpts_per_hour" | "dhap_limit" if value.eq_ignore_ascii_case("no") => {
                parameters.set(key, if key == "dhap_limit" { 0 } else { -1 });
            }
            key if key.ends_with("_text") => parameters.set(key, *value),
            "significant_bits" => parameters.set(key, i64::from(number_in(value, (0, 32))?)),
            key => parameters.set(key, i64::from(number_in(value, (0, 1_000_000))?)),
        }
    }
    Ok((parameters, comment))
}
