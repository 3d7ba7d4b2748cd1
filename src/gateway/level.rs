//! The level of a cluster: how it is chosen, how the prompt shows it, and what to do when the device offers another.
//!
//! Some commands are restricted to one level; run elsewhere they print a warning and offer to switch. Only the configured level is ever
//! taken: a change at another level would reach other machines. `clustermode cluster`, `clustermode group NAME` and
//! `clustermode machine NAME` work without a dialog.

use std::sync::LazyLock;

use regex::Regex;

use super::settings::Level;
use super::stop::{Asks, Question};
use crate::remote::{Error, Kind};

/// The attribute to set.
pub(super) const HINT: &str =
    "The level that is read and written is set by `gateway.cluster` of the provider (`mode` and `name`).";

/// The command that chooses a level; `None` keeps the level of the login.
pub(super) fn command(level: &Level) -> Result<Option<String>, Error> {
    let (mode, name) = match level {
        Level::Standalone => return Ok(None),
        Level::Cluster => return Ok(Some("clustermode cluster".to_owned())),
        Level::Group(name) => ("group", name.trim()),
        Level::Machine(name) => ("machine", name.trim()),
    };
    if name.is_empty() || name.chars().any(|c| c.is_control() || "\"';|`".contains(c)) {
        return Err(Error::new(Kind::Invalid, format!("{name:?} is not the name of a {mode}.")).hint(HINT));
    }
    let quote = if name.contains(' ') { "\"" } else { "" };
    Ok(Some(format!("clustermode {mode} {quote}{name}{quote}")))
}

/// Whether a prompt is one of this level. A prompt that shows no level fits all.
pub(super) fn fits(prompt: &str, level: &Level) -> bool {
    let inside = prompt.trim().trim_start_matches('(').to_lowercase();
    let Some((shown, rest)) = inside.split_once(' ') else { return true };
    let name = rest.split(')').next().unwrap_or_default().trim();
    match (shown, level) {
        ("cluster" | "group" | "machine", Level::Standalone) | ("cluster", Level::Cluster) => true,
        ("group", Level::Group(wanted)) | ("machine", Level::Machine(wanted)) => name == wanted.trim().to_lowercase(),
        ("cluster" | "group" | "machine", _) => false,
        _ => true,
    }
}

/// Refuses a gateway of a cluster where the settings name no level: a change at the level of the login may reach other machines, or only one.
pub(super) fn is_standalone(prompt: &str) -> Result<(), Error> {
    let inside = prompt.trim().trim_start_matches('(');
    let Some((shown, rest)) = inside.split_once(' ') else { return Ok(()) };
    let mode = shown.to_lowercase();
    if !["cluster", "group", "machine"].contains(&mode.as_str()) {
        return Ok(());
    }
    let name = rest.split(')').next().unwrap_or_default().trim();
    let own = if mode == "cluster" { String::new() } else { format!(" and `name` {name:?}") };
    let message = format!(
        "The gateway is in a cluster (its prompt shows the level {shown} {name}), and the provider's settings have no `gateway.cluster`."
    );
    Err(Error::new(Kind::Invalid, message).hint(format!(
        "Set `gateway.cluster` to the level that is to be read and written. For the level of this login: `mode` {mode:?}{own}."
    )))
}

/// The machine that a prompt shows, if it shows one: `(Machine esa1.example.com)> `.
pub(super) fn machine(prompt: &str) -> Option<String> {
    let inside = prompt.trim().trim_start_matches('(');
    let (shown, rest) = inside.split_once(' ')?;
    let name = rest.split(')').next().unwrap_or_default().trim();
    (shown.eq_ignore_ascii_case("machine") && !name.is_empty()).then(|| name.to_owned())
}

/// A level in words.
pub(super) fn words(level: &Level) -> String {
    match level {
        Level::Standalone => "standalone".to_owned(),
        Level::Cluster => "cluster".to_owned(),
        Level::Group(name) => format!("group {name}"),
        Level::Machine(name) => format!("machine {name}"),
    }
}

/// A question about the level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offer {
    /// It is about something else.
    None,
    /// To switch to the configured level.
    Ours,
    /// To switch to another level.
    Other,
}

/// What the device says where a table has no settings at this level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Notice {
    /// It says something else.
    None,
    /// The configured level has the settings: the number of the label that switches to it.
    Ours(String),
    /// Another level has them, as the label that switches to it says.
    Other(String),
}

/// Tells whether a question is the notice that a command has no settings at the level of the session. Its other answers, to start with empty settings
/// or with a copy, would cut the level off from the others: they are never given.
pub(super) fn notice(said: &str, question: &Question, level: &Level) -> Notice {
    let Asks::List(labels) = &question.asks else { return Notice::None };
    let lines = question.lines.iter().rev().map(|line| line.to_lowercase());
    let all = std::iter::once(said.to_lowercase()).chain(lines).collect::<Vec<_>>().join(" ");
    let has = |text: &str, words: &[&str]| words.iter().all(|word| text.contains(word));
    let texts: Vec<String> = labels.iter().map(|label| label.text.to_lowercase()).collect();
    let makes_own =
        texts.iter().any(|text| has(text, &["copy"]) || has(text, &["empty"]) || has(text, &["new", "configuration"]));
    if !has(&all, &["not", "configured", "mode"]) || !makes_own {
        return Notice::None;
    }
    let switching = labels.iter().zip(&texts).find(|(_, text)| text.contains("switch"));
    let is_ours = |text: &str| match level {
        Level::Standalone => false,
        Level::Cluster => leads_to(text, "cluster", None),
        Level::Group(name) => leads_to(text, "group", Some(name)),
        Level::Machine(name) => leads_to(text, "machine", Some(name)),
    };
    match switching {
        Some((label, text)) if is_ours(text) => Notice::Ours(label.number.clone()),
        Some((label, _)) => Notice::Other(label.text.clone()),
        None => Notice::Other(String::new()),
    }
}

/// Tells whether a label leads to a level: `… at mode "Group Europe".`, `… to group Europe`. Of the cluster there is one, whatever its name.
fn leads_to(label: &str, mode: &str, name: Option<&str>) -> bool {
    let bare =
        |text: &str| text.replace(['(', ')', '.', ':', ',', '"', '\''], " ").split_whitespace().collect::<Vec<_>>().join(" ");
    let quoted = label.find(['"', '\'']).zip(label.rfind(['"', '\''])).and_then(|(first, last)| label.get(first + 1..last));
    let Some(name) = name else {
        let elsewhere = ["group", "machine"].iter().any(|other| bare(label).split(' ').any(|word| word == *other));
        return quoted.map_or(!elsewhere && label.contains(mode), |quoted| bare(quoted).split(' ').next() == Some(mode));
    };
    let wanted = format!("{mode} {}", bare(&name.trim().to_lowercase()));
    quoted.map_or_else(|| format!(" {}", bare(label)).ends_with(&format!(" {wanted}")), |quoted| bare(quoted) == wanted)
}

static MODE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"\b(?:cluster|group|machine)["']?\s+(?:mode|level)\b"#).expect("the pattern is a constant, and a test uses it")
});

/// Tells whether a question offers to switch to another level.
pub(super) fn offer(said: &str, question: &Question, level: &Level) -> Offer {
    let words = question.lines.iter().rev().map(|line| line.to_lowercase()).collect::<Vec<_>>().join(" ");
    let warned = said.to_lowercase();
    let all = format!("{warned} {words}");
    let about = ["switch", "restricted", "change"].iter().any(|word| all.contains(word));
    if question.asks != Asks::YesNo || !about || !MODE.is_match(&all) {
        return Offer::None;
    }
    let nearest = question.lines.first().map(|line| line.to_lowercase()).unwrap_or_default();
    let offered = nearest.rsplit("switch").next().unwrap_or_default();
    let names = |mode: &str| offered.contains(mode);
    match level {
        // A group or a machine has a name, which the question may not tell: only the cluster is one of a kind.
        Level::Cluster if names("cluster") && !names("machine") && !names("group") => Offer::Ours,
        _ => Offer::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rg7_a_clustered_gateway_without_a_level_in_the_settings_is_told_which_one_its_prompt_shows() {
        for prompt in ["mail.example.com>", "esa.local>", "(mail.example.com)>", "example.com (SERVICE)>"] {
            assert_eq!(is_standalone(prompt), Ok(()), "{prompt}");
        }
        for (prompt, level, hint) in [
            ("(Cluster Hosted_Cluster)>", "Cluster Hosted_Cluster", "`mode` \"cluster\"."),
            ("(Machine esa1.example.com)>", "Machine esa1.example.com", "`mode` \"machine\" and `name` \"esa1.example.com\"."),
            ("(Group Main_Group)>", "Group Main_Group", "`mode` \"group\" and `name` \"Main_Group\"."),
        ] {
            let error = is_standalone(prompt).expect_err(prompt);
            assert!(error.message.contains(level) && error.message.contains("`gateway.cluster`"), "{error}");
            assert!(error.hint.as_ref().is_some_and(|words| words.contains(hint)), "{error:?}");
        }
    }

    #[test]
    fn the_command_and_the_prompt_name_the_level() {
        let check = |level: Level, expected: Option<&str>, fitting: &str, other: &str| {
            assert_eq!(command(&level).expect("a command").as_deref(), expected);
            assert!(fits(fitting, &level), "{fitting}");
            assert!(!fits(other, &level), "{other}");
            assert!(fits("esa.local>", &level));
        };
        check(Level::Cluster, Some("clustermode cluster"), "(Cluster Main)>", "(Machine esa1)>");
        check(Level::Group("Europe".into()), Some("clustermode group Europe"), "(Group Europe)>", "(Group Asia)>");
        check(Level::Group("My Group".into()), Some("clustermode group \"My Group\""), "(Group My Group)>", "(Cluster x)>");
        check(Level::Machine("esa1".into()), Some("clustermode machine esa1"), "(Machine esa1)>", "(Cluster x)>");
        assert_eq!(command(&Level::Standalone), Ok(None));
        assert!(fits("(Machine x)>", &Level::Standalone));
    }

    #[test]
    fn g19_a_name_that_is_more_than_a_name_is_refused() {
        for name in ["a; commit", "a\nb", "", "a\"b"] {
            assert!(command(&Level::Machine(name.into())).is_err(), "{name:?}");
        }
    }

    #[test]
    fn rg7_the_notice_of_a_level_without_settings_is_known_by_its_meaning_and_only_switches() {
        let notice_of = |level: Level, labels: &[&str]| {
            let label = |(at, text): (usize, &&str)| crate::gateway::stop::Label {
                number: (at + 1).to_string(),
                text: (*text).to_owned(),
            };
            let labels = labels.iter().enumerate().map(label).collect();
            let lines = vec!["What would you like to do?".to_owned()];
            let question = Question { lines, default: "1".into(), asks: Asks::List(labels) };
            notice(
                "NOTICE: This configuration command has not yet been configured for the current cluster mode (Machine esa1.example.com).",
                &question,
                &level,
            )
        };
        let list = |target: &str| {
            vec![
                format!("Switch modes to edit at mode \"{target}\"."),
                "Start a new, empty configuration at the current mode.".to_owned(),
                "Copy settings from another cluster mode to the current mode.".to_owned(),
            ]
        };
        let check = |level: Level, target: &str, ours: bool| {
            let labels = list(target);
            for turned in [false, true] {
                let mut labels: Vec<&str> = labels.iter().map(String::as_str).collect();
                if turned {
                    labels.reverse();
                }
                let number = if turned { "3" } else { "1" };
                let wanted = if ours { Notice::Ours(number.to_owned()) } else { Notice::Other(list(target)[0].clone()) };
                assert_eq!(notice_of(level.clone(), &labels), wanted, "{level:?} {target}");
            }
        };
        check(Level::Cluster, "Cluster Main", true);
        check(Level::Machine("esa1.example.com".into()), "Cluster Main", false);
        check(Level::Group("Europe".into()), "Group Europe", true);
        check(Level::Group("Europe".into()), "Group Europe West", false);
        check(Level::Group("Europe".into()), "Cluster Europe", false);
        check(Level::Standalone, "Cluster Main", false);
        let labels = ["No", "Preferred", "Copy of Required"];
        let question = Question {
            lines: vec!["Do you want to use TLS support?".into()],
            default: "1".into(),
            asks: Asks::List(
                labels.iter().map(|text| crate::gateway::stop::Label { number: "1".into(), text: (*text).into() }).collect(),
            ),
        };
        assert_eq!(notice("", &question, &Level::Cluster), Notice::None);
        let only_new = notice_of(Level::Cluster, &["Start a new, empty configuration at the current mode."]);
        assert_eq!(only_new, Notice::Other(String::new()));
    }

    #[test]
    fn g14_only_the_configured_level_is_ours() {
        let question = |line: &str| Question { lines: vec![line.into()], default: "Y".into(), asks: Asks::YesNo };
        let check = |line: &str, level: Level, expected| assert_eq!(offer("", &question(line), &level), expected, "{line}");
        check(
            "This command is restricted to cluster mode. Would you like to switch to 'cluster' mode?",
            Level::Cluster,
            Offer::Ours,
        );
        check(
            "This command is restricted to machine mode. Would you like to switch to 'machine' mode?",
            Level::Cluster,
            Offer::Other,
        );
        check("Do you want to switch to cluster mode?", Level::Standalone, Offer::Other);
        check("Do you want to switch to cluster mode?", Level::Machine("x".into()), Offer::Other);
        check("Do you wish to configure a limit?", Level::Cluster, Offer::None);
        check("Do you want to change the mode of this sender group?", Level::Cluster, Offer::None);
    }
}
