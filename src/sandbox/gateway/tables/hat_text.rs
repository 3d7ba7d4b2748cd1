//! The text of a HAT, as `hostaccess print` shows it and as files carry it.
//!
//! ```text
//! $THROTTLED
//!     ACCEPT {
//!         max_concurrency = 10
//!         tls = "off"
//!     }
//! RELAYLIST:
//!     192.0.2.0/24
//!         $RELAYED (our own servers)
//! ALL
//!     $BLOCKED
//! ```
//!
//! Policies and the lines of a group stand in the vendor's samples. That senders are indented by four blanks, and how countries are
//! written (`country[name]`), is not documented.

use super::extra::{Extras, Owner};
use super::hat::{Behavior, Hat, Policy, SenderGroup, Verdict};
use super::parameter::{Parameters, Setting};

/// Writes the whole table, as a file has it.
pub fn print(hat: &Hat) -> String {
    print_of("", hat, &Extras::default())
}

/// Writes the whole table of a listener, with the lines of its groups that no document knows.
pub fn print_of(listener: &str, hat: &Hat, extras: &Extras) -> String {
    let mut text = String::new();
    for policy in &hat.policies {
        text.push_str(&format!("${}\n    {}\n", policy.name, behavior(policy.behavior, &policy.parameters, "    ")));
    }
    for group in &hat.groups {
        let unknown = if group.name.is_empty() { Vec::new() } else { extras.of(Owner::Group(listener, &group.name)) };
        let lines: String = unknown.iter().map(|(label, value)| format!("    {label}[{value}]\n")).collect();
        let printed = print_group(group);
        let (heading, rest) = printed.split_once('\n').unwrap_or((&printed, ""));
        text.push_str(&format!("{heading}\n{lines}{rest}"));
    }
    text.push_str(&format!("ALL\n    {}{}\n", verdict(&hat.all, "    "), comment(&hat.all_comment)));
    text
}

/// Names the form in which tables are printed. Files are always indented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HatForm {
    /// Lines of an entry are indented, and preferred TLS is `"on"`.
    #[default]
    Indented,
    /// No line is indented, and preferred TLS is `"preferred"`: the documents show empty groups and `"off"` only.
    Flush,
}

/// Brings a printed table to a form.
pub fn in_form(text: &str, form: HatForm) -> String {
    match form {
        HatForm::Indented => text.to_owned(),
        HatForm::Flush => text
            .lines()
            .map(|line| match line.trim_start() {
                "tls = \"on\"" => "tls = \"preferred\"\n".to_owned(),
                line => format!("{line}\n"),
            })
            .collect(),
    }
}

/// Writes one group, as `PRINT` in its own menu does.
pub fn print_group(group: &SenderGroup) -> String {
    let senders = group.senders.iter().cloned().chain(group.countries.iter().map(|country| format!("country[{country}]")));
    if group.name.is_empty() {
        return senders
            .map(|sender| format!("{sender}\n    {}{}\n", verdict(&group.verdict, "    "), comment(&group.comment)))
            .collect();
    }
    let mut text = format!("{}:\n", group.name);
    for sender in senders {
        text.push_str(&format!("    {sender}\n"));
    }
    text.push_str(&format!("        {}{}\n", verdict(&group.verdict, "        "), comment(&group.comment)));
    text
}

fn comment(comment: &str) -> String {
    if comment.is_empty() { String::new() } else { format!(" ({comment})") }
}

fn verdict(verdict: &Verdict, indent: &str) -> String {
    match verdict {
        Verdict::Policy(name) => format!("${name}"),
        Verdict::Own { behavior: word, parameters } => behavior(*word, parameters, indent),
    }
}

fn behavior(behavior: Behavior, parameters: &Parameters, indent: &str) -> String {
    if parameters.is_empty() {
        return behavior.keyword().to_owned();
    }
    let mut text = format!("{} {{\n", behavior.keyword());
    for (key, value) in parameters.iter() {
        let value = match value {
            Setting::Number(number) => number.to_string(),
            Setting::Text(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")),
        };
        text.push_str(&format!("{indent}    {key} = {value}\n"));
    }
    text.push_str(&format!("{indent}}}"));
    text
}

/// Reads a whole table; the defaults, which the text does not hold, are kept from `before`.
pub fn parse(text: &str, before: &Hat) -> Result<Hat, String> {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let mut reader = Reader { lines, at: 0 };
    let mut hat = Hat {
        defaults: before.defaults.clone(),
        policies: Vec::new(),
        groups: Vec::new(),
        all: Verdict::Policy(String::new()),
        all_comment: String::new(),
    };
    let mut all = false;
    while let Some(line) = reader.next() {
        if all {
            return Err(format!("Import failed. The entry ALL must be the last one, found: {line}"));
        }
        if let Some(name) = line.strip_prefix('$') {
            match reader.verdict()? {
                (Verdict::Own { behavior, parameters }, _) => {
                    hat.policies.push(Policy { name: name.into(), behavior, parameters });
                }
                (Verdict::Policy(_), _) => return Err(format!("Import failed. The policy {name} has no behavior.")),
            }
        } else if let Some(name) = line.strip_suffix(':') {
            let mut group = SenderGroup {
                name: name.into(),
                senders: Vec::new(),
                countries: Vec::new(),
                verdict: Verdict::Policy(String::new()),
                comment: String::new(),
            };
            while reader.peek().is_some_and(|line| !is_verdict(line)) {
                add_sender(&mut group, reader.next().unwrap_or_default())?;
            }
            (group.verdict, group.comment) = reader.verdict()?;
            hat.groups.push(group);
        } else if line == "ALL" {
            (hat.all, hat.all_comment) = reader.verdict()?;
            all = true;
        } else {
            let (verdict, comment) = reader.verdict()?;
            let mut group = SenderGroup { name: String::new(), senders: Vec::new(), countries: Vec::new(), verdict, comment };
            add_sender(&mut group, line)?;
            hat.groups.push(group);
        }
    }
    if !all {
        return Err("Import failed. The entry ALL is missing.".into());
    }
    let verdicts = hat.groups.iter().map(|group| &group.verdict).chain([&hat.all]);
    for verdict in verdicts {
        if let Verdict::Policy(name) = verdict
            && hat.policy(name).is_none()
        {
            return Err(format!("Import failed. The policy {name} is not defined."));
        }
    }
    Ok(hat)
}

fn add_sender(group: &mut SenderGroup, line: &str) -> Result<(), String> {
    if let Some(country) = line.strip_prefix("country[").and_then(|rest| rest.strip_suffix(']')) {
        group.countries.push(country.to_owned());
        return Ok(());
    }
    super::hat::check_sender(line).map_err(|reason| format!("Import failed. {reason}"))?;
    group.senders.push(line.to_owned());
    Ok(())
}

/// Tells whether a line of a group says where it leads.
fn is_verdict(line: &str) -> bool {
    line.starts_with('$') || line.split([' ', '{', '(']).next().is_some_and(is_keyword)
}

fn is_keyword(word: &str) -> bool {
    Behavior::ALL.iter().any(|behavior| behavior.keyword() == word)
}

struct Reader<'a> {
    lines: Vec<&'a str>,
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.lines.get(self.at).copied()
    }

    fn next(&mut self) -> Option<&'a str> {
        let line = self.peek()?;
        self.at += 1;
        Some(line)
    }

    /// Reads where an entry leads, and its comment.
    fn verdict(&mut self) -> Result<(Verdict, String), String> {
        let line = self.next().ok_or("Import failed. The file ends in the middle of an entry.")?;
        if let Some(rest) = line.strip_prefix('$') {
            let (name, comment) = split_comment(rest);
            return Ok((Verdict::Policy(name.to_owned()), comment));
        }
        let (head, open) = match line.split_once('{') {
            Some((head, rest)) if is_keyword(head.trim()) => (head.trim(), Some(rest.trim())),
            _ => (line, None),
        };
        let (word, comment) = split_comment(head);
        let behavior = Behavior::ALL
            .into_iter()
            .find(|behavior| behavior.keyword() == word)
            .ok_or_else(|| format!("Invalid selected behavior: {word}"))?;
        let Some(first) = open else {
            return Ok((Verdict::Own { behavior, parameters: Parameters::default() }, comment));
        };
        let mut parameters = Parameters::default();
        let mut line = first;
        loop {
            if let Some(rest) = line.strip_prefix('}') {
                return Ok((Verdict::Own { behavior, parameters }, split_comment(rest).1));
            }
            if !line.is_empty() {
                let (key, value) = line.split_once('=').ok_or_else(|| format!("Import failed. Not a setting: {line}"))?;
                parameters.set(key.trim(), setting(value.trim())?);
            }
            line = self.next().ok_or("Import failed. A block is not closed.")?;
        }
    }
}

fn split_comment(text: &str) -> (&str, String) {
    match text.split_once('(') {
        Some((head, rest)) => (head.trim(), rest.trim().trim_end_matches(')').to_owned()),
        None => (text.trim(), String::new()),
    }
}

fn setting(value: &str) -> Result<Setting, String> {
    if let Some(quoted) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        let mut text = String::new();
        let mut letters = quoted.chars();
        while let Some(letter) = letters.next() {
            text.push(match letter {
                '\\' => match letters.next() {
                    Some('n') => '\n',
                    Some(other) => other,
                    None => '\\',
                },
                other => other,
            });
        }
        return Ok(Setting::Text(text));
    }
    value.parse().map(Setting::Number).map_err(|_| format!("Import failed. Invalid value: {value}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_round_trip(hat: &Hat) {
        assert_eq!(parse(&print(hat), hat).as_ref(), Ok(hat), "{}", print(hat));
    }

    #[test]
    fn a_printed_table_reads_back_as_the_same_table() {
        check_round_trip(&Hat::public());
        check_round_trip(&Hat::private());
        let mut odd = Hat::private();
        odd.groups.push(SenderGroup {
            name: "ODD".into(),
            senders: vec![".example.com".into(), "2001:db8::/32".into(), "dnslist[list.example]".into(), "10.1.".into()],
            countries: vec!["Sealand".into()],
            verdict: Verdict::Own {
                behavior: Behavior::Accept,
                parameters: Parameters::of(&[("smtp_banner_text", "say \"hi\"\nand bye".into()), ("max_concurrency", 3.into())]),
            },
            comment: "own behavior".into(),
        });
        odd.groups.push(SenderGroup {
            name: String::new(),
            senders: vec!["spam.example".into()],
            countries: Vec::new(),
            verdict: Verdict::Own { behavior: Behavior::TcpRefuse, parameters: Parameters::default() },
            comment: "no name".into(),
        });
        check_round_trip(&odd);
    }

    #[test]
    fn a_table_without_all_is_refused() {
        assert!(parse("$BLOCKED\n    REJECT\n", &Hat::private()).is_err_and(|reason| reason.contains("ALL is missing")));
    }
}
