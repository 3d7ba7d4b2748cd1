//! The host access table of a listener: `listenerconfig`, `EDIT`, the listener, `HOSTACCESS`, `PRINT`.
//!
//! The text that export and import use, too (CLI reference, `listenerconfig`, "Exporting and importing the host access table"):
//!
//! ```text
//! $RELAYED
//!     RELAY {
//!         max_rcpts_per_hour = -1
//!         tls = "on"
//!     }
//! RELAY_O365:
//!     .protection.outlook.com
//!         $RELAYED (Microsoft 365 outbound)
//! spamdomain.com
//!     REJECT (reject the domain "spamdomain.com")
//! ALL
//!     $ACCEPTED
//! ```
//!
//! Policies come first, then the entries in the order in which they match: sender groups with their senders before the policy, senders
//! that belong to no group, and `ALL` at the end, without which the table was cut off.

use super::{announced, complete, count_of, cut_off, is_noise, lines, unquote, whole};
use crate::gateway::dialog::{Dialog, Said};
use crate::gateway::resources::forms::{is_feed, is_sender};
use crate::gateway::resources::policy_parameters::{Ask, DEFAULTS, PARAMETERS, Parameter, meant, mode};
use crate::gateway::table::{Row, Rows};
use crate::remote::Error;
use crate::schema::Record;
use crate::value::Value;

const POLICY: &str = "gateway_mail_flow_policy";
const GROUP: &str = "gateway_sender_group";

/// The dialog that prints the table of a listener.
pub(in crate::gateway) fn dialog(listener: &str, said: &[Said]) -> Option<Dialog> {
    let ask = || super::printing(Dialog::of("listenerconfig").choose("EDIT").key(listener).choose("HOSTACCESS").choose("PRINT"));
    said.is_empty().then(ask)
}

/// Understands the table of a listener.
pub(in crate::gateway) fn parse(listener: &str, said: &[Said]) -> Result<Rows, Error> {
    let Some(said) = said.first() else { return Ok(Rows::default()) };
    let title = format!("host access table of \"{listener}\"");
    let mut table = Table::default();
    let printed = logical_lines(super::last(said)).map_err(|why| cut_off(&title, why))?;
    for line in senders_first(&printed) {
        table.line(&line).map_err(|why| cut_off(&title, &why))?;
    }
    if !matches!(table.state, State::Top | State::Banner | State::Behaved(_)) {
        return Err(cut_off(&title, "its last entry does not end"));
    }
    if !table.entries.iter().any(|entry| entry.name.as_deref() == Some("ALL")) {
        return Err(cut_off(&title, "its last entry, ALL, is missing"));
    }
    let text = whole(said);
    complete(&title, table.policies.len(), count_of(&text, &["polic"]))?;
    complete(&title, table.entries.len(), count_of(&text, &["sender group"]))?;
    let mut rows = table.rows(listener);
    // They are always there, printed or not.
    let record = defaults(&said.after).unwrap_or_default().with("id", listener).with("listener", listener);
    rows.rows.push(Row { resource: DEFAULTS, id: listener.to_owned(), record });
    Ok(rows)
}

/// The listener's default policy parameters, which releases print above the menu: `Maximum Message Size: 10M`. What else is printed on
/// the way to the menu is about the listener, in the same words, and does not count.
fn defaults(printed: &[String]) -> Option<Record> {
    let (_, before) = printed.split_last()?;
    let mut found = Record::new();
    for text in before {
        let block = lines(text).skip_while(|line| !is_title(line)).skip(1).take_while(|line| announced(line).is_none());
        for (label, value) in block.filter_map(super::label) {
            let label = label.to_lowercase();
            if label.contains("harvest") && super::truth(value) == Some(false) {
                found.set("dhap_limit", 0);
            }
            if let Some(parameter) = labelled(&label)
                && found.get(parameter.name()).is_null()
                && let Some(value) = default(parameter, value)
            {
                found.set(parameter.name(), value);
            }
        }
    }
    if found == Record::new() { None } else { Some(found) }
}

fn is_title(line: &str) -> bool {
    line.trim().to_lowercase().starts_with("default policy parameters")
}

/// The parameter that a label is about: the one with the most of its words in it. What limits envelope senders limits no hosts.
fn labelled(label: &str) -> Option<&'static Parameter> {
    let fits = |parameter: &&Parameter| {
        let of_hosts = matches!(parameter.ask, Ask::Switch | Ask::Mode) || !label.contains("envelope");
        of_hosts
            && !matches!(parameter.ask, Ask::Code | Ask::Text { .. })
            && !(parameter.name() == "dkim_signing" && label.contains("mime"))
            && parameter.words.split(' ').all(|word| label.contains(word))
    };
    PARAMETERS.iter().filter(fits).rev().max_by_key(|parameter| parameter.words.split(' ').count())
}

/// A default as it is printed.
fn default(parameter: &Parameter, value: &str) -> Option<Value> {
    match parameter.ask {
        Ask::Number => limit(value).map(Value::integer),
        // "Disabled" is the number that stands for no limit.
        Ask::Limit { off, .. } => limit(value).and_then(|limit| if limit < 0 { off } else { Some(limit) }).map(Value::integer),
        Ask::Switch => super::truth(value).map(Value::Bool),
        Ask::Mode => mode(value).map(Value::text),
        Ask::Name { .. } => super::truth(value).is_none().then(|| Value::text(unquote(value))),
        Ask::Code | Ask::Text { .. } => None,
    }
}

/// A limit as it is printed: `10M`, `5,000`, `Disabled`.
fn limit(text: &str) -> Option<i64> {
    let text = text.trim().replace(',', "");
    if ["disabled", "unlimited", "no limit", "none"].iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return Some(-1);
    }
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    let factor = match text.get(digits.len()..)?.trim().to_ascii_lowercase().as_str() {
        "" | "bytes" => 1,
        "k" | "kb" => 1 << 10,
        "m" | "mb" => 1 << 20,
        "g" | "gb" => 1 << 30,
        _ => return None,
    };
    digits.parse::<i64>().ok()?.checked_mul(factor)
}

/// Joins a comment that goes over several lines.
fn logical_lines(text: &str) -> Result<Vec<String>, &'static str> {
    let mut joined: Vec<String> = Vec::new();
    let mut open: Option<String> = None;
    for line in lines(text) {
        match open.take() {
            Some(begun) => {
                let more = format!("{begun} {}", line.trim());
                if line.ends_with(')') { joined.push(more) } else { open = Some(more) }
            }
            None if opens_comment(line) => open = Some(line.to_owned()),
            None => joined.push(line.to_owned()),
        }
    }
    if open.is_some() { Err("a comment does not end") } else { Ok(joined) }
}

/// Tells whether a line begins a comment, behind a policy or a behavior, and does not end it.
fn opens_comment(line: &str) -> bool {
    let line = line.trim();
    let refers = line.starts_with('$') || line.starts_with('}') || behavior(line).is_some();
    refers && line.contains('(') && !line.ends_with(')')
}

#[derive(Default)]
struct Policy {
    name: String,
    behavior: Option<&'static str>,
    parameters: Record,
    /// Whether a host name of its own is in force, where the table says so.
    overrides: Option<bool>,
}

#[derive(Default)]
struct Entry {
    /// Nothing for senders that belong to no group.
    name: Option<String>,
    senders: Vec<String>,
    policy: Option<String>,
    behavior: Option<&'static str>,
    comment: Option<String>,
}

#[derive(Default, PartialEq, Clone, Copy)]
enum State {
    /// Between entries.
    #[default]
    Top,
    /// Behind the name of a policy: its behavior comes.
    Behavior,
    /// Behind a behavior: a block may come.
    Behaved(Owner),
    /// Inside a block.
    Block(Owner),
    /// Inside an entry: senders, then a policy or a behavior.
    Entry,
    /// In what the menu says about the listener's defaults.
    Banner,
}

/// Whose behavior a block belongs to.
#[derive(PartialEq, Clone, Copy)]
enum Owner {
    Policy,
    Entry,
}

#[derive(Default)]
struct Table {
    policies: Vec<Policy>,
    entries: Vec<Entry>,
    not_understood: Vec<String>,
    state: State,
}

impl Table {
    fn line(&mut self, line: &str) -> Result<(), String> {
        let line = line.trim();
        if let State::Block(owner) = self.state {
            return self.parameters(owner, line);
        }
        if line.starts_with('#') || is_noise(line) {
            // Behind the table, the menu comes again, with the counts and the listener's defaults above it.
            if announced(line).is_some() && matches!(self.state, State::Top | State::Behaved(_) | State::Banner) {
                self.state = if self.has_all() { State::Banner } else { State::Top };
            }
            return Ok(());
        }
        if self.state == State::Top && line.to_lowercase().starts_with("host access table") {
            return Ok(());
        }
        if is_title(line) && matches!(self.state, State::Top | State::Behaved(_) | State::Banner) {
            self.state = State::Banner;
            return Ok(());
        }
        match self.state {
            State::Behaved(owner) if line.starts_with('{') || line.starts_with('(') => self.behind_behavior(owner, line),
            State::Top | State::Behaved(_) => self.top(line),
            State::Banner if line.starts_with('$') => self.top(line),
            State::Behavior => self.behavior(Owner::Policy, line),
            State::Entry => self.in_entry(line),
            State::Banner | State::Block(_) => Ok(()),
        }
    }

    fn has_all(&self) -> bool {
        self.entries.iter().any(|entry| entry.name.as_deref() == Some("ALL"))
    }

    /// A policy or an entry begins.
    fn top(&mut self, line: &str) -> Result<(), String> {
        self.state = State::Top;
        if let Some(rest) = line.strip_prefix('$') {
            let (name, rest) = first_word(rest);
            self.policies.push(Policy { name: name.trim_end_matches([':', '=']).to_owned(), ..Policy::default() });
            self.state = State::Behavior;
            return if rest.is_empty() { Ok(()) } else { self.behavior(Owner::Policy, rest) };
        }
        let (name, rest) = match line.split_once(':') {
            Some((name, rest))
                if !begins_with_sender(line)
                    && (rest.is_empty()
                        || rest.trim_start().starts_with(['$', '('])
                        || behavior(rest.trim()).is_some()
                        || are_senders(rest)) =>
            {
                (Some(unquote(name).to_owned()), rest.trim())
            }
            _ if first_word(line).0.eq_ignore_ascii_case("ALL") => (Some("ALL".to_owned()), first_word(line).1),
            _ => {
                let (senders, rest) = split_senders(line);
                let fits = rest.is_empty() || rest.starts_with('$') || behavior(rest).is_some();
                if !fits || senders.is_empty() || !senders.iter().all(|sender| is_sender(sender)) {
                    self.not_understood.push(line.to_owned());
                    return Ok(());
                }
                self.entries.push(Entry { senders, ..Entry::default() });
                self.state = State::Entry;
                return if rest.is_empty() { Ok(()) } else { self.in_entry(rest) };
            }
        };
        let name = name.map(|name| if name.eq_ignore_ascii_case("ALL") { "ALL".to_owned() } else { name });
        self.entries.push(Entry { name, ..Entry::default() });
        self.state = State::Entry;
        if rest.is_empty() { Ok(()) } else { self.in_entry(rest) }
    }

    fn in_entry(&mut self, line: &str) -> Result<(), String> {
        if line.starts_with('(') {
            // The comment, where a release prints it behind the name.
            if let Some(entry) = self.entries.last_mut() {
                entry.comment = comment(line);
            }
            return Ok(());
        }
        if line.starts_with('{') {
            return Err(format!("a block stands where a sender or a policy is expected: {line}"));
        }
        if let Some(rest) = line.strip_prefix('$') {
            let (name, rest) = first_word(rest);
            if let Some(entry) = self.entries.last_mut() {
                entry.policy = Some(name.to_owned());
                entry.comment = comment(rest).or(entry.comment.take());
            }
            self.state = State::Top;
            return Ok(());
        }
        if behavior(line).is_some() {
            return self.behavior(Owner::Entry, line);
        }
        if line.ends_with(':') && !is_sender(line) {
            return Err(format!("an entry has no policy before \"{line}\" begins"));
        }
        let (senders, rest) = split_senders(line);
        for sender in &senders {
            self.push_sender(sender, line);
        }
        // A sender with its policy on one line.
        if rest.is_empty() || senders.is_empty() { Ok(()) } else { self.in_entry(rest) }
    }

    fn push_sender(&mut self, sender: &str, line: &str) {
        if sender.is_empty() {
            return;
        }
        if !is_sender(sender) && !sender.eq_ignore_ascii_case("ALL") {
            self.not_understood.push(line.to_owned());
        }
        if let Some(entry) = self.entries.last_mut() {
            entry.senders.push(sender.to_owned());
        }
    }

    /// A behavior, with or without a block or a comment behind it.
    fn behavior(&mut self, owner: Owner, line: &str) -> Result<(), String> {
        let Some((word, rest)) = behavior(line) else {
            return Err(format!("\"{line}\" stands where a behavior is expected"));
        };
        match owner {
            Owner::Policy => {
                if let Some(policy) = self.policies.last_mut() {
                    policy.behavior = Some(word);
                }
            }
            Owner::Entry => {
                if let Some(entry) = self.entries.last_mut() {
                    entry.behavior = Some(word);
                }
            }
        }
        self.state = State::Behaved(owner);
        self.behind_behavior(owner, rest)
    }

    fn behind_behavior(&mut self, owner: Owner, rest: &str) -> Result<(), String> {
        let rest = rest.trim();
        if let Some(inside) = rest.strip_prefix('{') {
            self.state = State::Block(owner);
            return self.parameters(owner, inside);
        }
        if owner == Owner::Entry && rest.starts_with('(') {
            if let Some(entry) = self.entries.last_mut() {
                entry.comment = comment(rest);
            }
            self.state = State::Top;
        } else if !rest.is_empty() && !rest.starts_with('(') {
            self.not_understood.push(rest.to_owned());
        }
        Ok(())
    }

    /// A line of a block: `key = value`, more of them, `}`.
    fn parameters(&mut self, owner: Owner, line: &str) -> Result<(), String> {
        let mut rest = line.trim();
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('}') {
                self.state = State::Behaved(owner);
                return self.behind_behavior(owner, after);
            }
            let Some((key, after)) = rest.split_once(['=', ':']) else {
                self.not_understood.push(rest.to_owned());
                return Ok(());
            };
            let (value, after) = value(after.trim_start());
            if owner == Owner::Policy && !self.parameter(key.trim(), value) {
                self.not_understood.push(format!("{} = {value}", key.trim()));
            }
            rest = after.trim_start_matches([' ', '\t', ',', ';']);
        }
        Ok(())
    }

    /// Takes a parameter of a policy. One that is not managed here is known by its form.
    fn parameter(&mut self, key: &str, value: &str) -> bool {
        let Some(policy) = self.policies.last_mut() else { return false };
        let key = unquote(key).to_lowercase();
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-') {
            return false;
        }
        let text = unescaped(unquote(value));
        if key == "use_override_hostname" {
            policy.overrides = super::truth(&text);
            return policy.overrides.is_some() || text.eq_ignore_ascii_case("default");
        }
        let Some(parameter) = PARAMETERS.iter().find(|parameter| parameter.keys.contains(&key.as_str())) else {
            return true;
        };
        if text.eq_ignore_ascii_case("default") {
            return true;
        }
        let read = match parameter.ask {
            Ask::Switch => super::truth(&text).map(Value::from),
            Ask::Number | Ask::Limit { .. } | Ask::Code => number(&text).map(Value::integer),
            Ask::Mode => mode(&text).map(Value::text),
            Ask::Name { .. } | Ask::Text { .. } if text.is_empty() => return true,
            Ask::Name { .. } | Ask::Text { .. } => Some(Value::text(text)),
        };
        read.map(|read| policy.parameters.set(parameter.name(), read)).is_some()
    }

    fn rows(self, listener: &str) -> Rows {
        let mut rows = Vec::new();
        for policy in self.policies {
            let id = format!("{listener}/{}", policy.name);
            let mut parameters = meant(policy.parameters);
            if policy.overrides == Some(false) {
                parameters.set("override_hostname", Value::Null);
            }
            let record = parameters
                .with("id", id.as_str())
                .with("listener", listener)
                .with("name", policy.name)
                .with("behavior", policy.behavior.map_or(Value::Null, Value::text));
            rows.push(Row { resource: POLICY, id, record });
        }
        let names: Vec<Option<String>> = self.entries.iter().map(|entry| entry.name.clone()).collect();
        for (at, entry) in self.entries.into_iter().enumerate() {
            let follower = names.iter().skip(at + 1).flatten().next();
            let record = Record::new()
                .with("listener", listener)
                .with("senders", Value::texts(entry.senders.iter().cloned()))
                .with("policy", entry.policy.map_or(Value::Null, Value::text))
                .with("comment", entry.comment.map_or(Value::Null, Value::text))
                .with("before", follower.map_or(Value::Null, |name| Value::text(name.as_str())));
            let (resource, title, record) = match entry.name {
                Some(name) => (GROUP, name.clone(), record.with("name", name)),
                None => (
                    "",
                    entry.senders.first().cloned().unwrap_or_default(),
                    record.with("behavior", entry.behavior.map_or(Value::Null, Value::text)),
                ),
            };
            let id = format!("{listener}/{title}");
            rows.push(Row { resource, record: record.with("id", id.as_str()), id });
        }
        Rows { rows, not_understood: self.not_understood }
    }
}

fn first_word(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text.find(|letter: char| letter.is_whitespace() || letter == '(' || letter == '{').unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    (word, rest.trim())
}

/// Tells whether a text behind a group's name is a list of its senders.
fn are_senders(text: &str) -> bool {
    let mut parts = text.split(',').map(str::trim);
    parts.all(|part| is_sender(part) && part.contains(['.', '[', ':']))
}

/// Takes the senders off the front of a line, with their comments, and gives what stands behind them.
fn split_senders(line: &str) -> (Vec<String>, &str) {
    let mut senders = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() && !rest.starts_with('$') && (senders.is_empty() || behavior(rest).is_none()) {
        let (sender, after) = split_sender(rest);
        if sender.is_empty() {
            break;
        }
        senders.push(sender);
        let after = behind_comment(after);
        match after.strip_prefix(',') {
            Some(more) => rest = more.trim(),
            None => return (senders, after),
        }
    }
    (senders, rest)
}

/// Takes a comment in parentheses off the front of a text.
fn behind_comment(text: &str) -> &str {
    let text = text.trim();
    if !text.starts_with('(') {
        return text;
    }
    let mut depth = 0_usize;
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' if depth == 1 => return text.get(at + 1..).unwrap_or_default().trim(),
            ')' => depth -= 1,
            _ => {}
        }
    }
    text.rfind(')').and_then(|at| text.get(at + 1..)).unwrap_or_default().trim()
}

/// Takes one sender off the front of a line; `etf-source: name` and `SBRS[ -4.0 : -1.0 ]` may have blanks inside.
fn split_sender(line: &str) -> (String, &str) {
    let end = if is_feed(line) {
        line.find('(').unwrap_or(line.len())
    } else {
        let word = line.find(|letter: char| letter.is_whitespace() || "(,{".contains(letter)).unwrap_or(line.len());
        match (line.find('['), line.find(']')) {
            (Some(open), Some(close)) if open <= word && open < close => close + 1,
            _ => word,
        }
    };
    let (sender, rest) = line.split_at(end);
    (sender.trim().to_owned(), rest.trim())
}

fn begins_with_sender(line: &str) -> bool {
    is_sender(&split_sender(line.trim()).0)
}

/// Puts the senders before the policy of their group, where a release prints them behind it. What follows a group that has no sender
/// before its policy belongs to it, unless a behavior of its own makes it an entry without a name.
fn senders_first(lines: &[String]) -> Vec<String> {
    let is_blank = |at: usize| lines.get(at).is_none_or(|line| line.trim().is_empty());
    let behind_blanks = |from: usize| (from..lines.len()).find(|at| !is_blank(*at)).unwrap_or(lines.len());
    let text = |at: usize| lines.get(at).map_or("", |line| line.trim());
    let depth = |at: usize| lines.get(at).map_or(0, |line| line.len() - line.trim_start().len());
    let mut ordered = Vec::with_capacity(lines.len());
    let mut at = 0;
    while at < lines.len() {
        let line = text(at);
        let header =
            line.split_once(':').filter(|(name, _)| !begins_with_sender(line) && !name.trim().eq_ignore_ascii_case("ALL"));
        let is_policy = |text: &str| text.starts_with('$') || (behavior(text).is_some() && !text.contains('{'));
        let next = behind_blanks(at + 1);
        let (policy, first) = match header.map(|(_, rest)| rest.trim()) {
            Some(rest) if is_policy(rest) => (rest, at + 1),
            Some("") if is_policy(text(next)) && behavior(text(behind_blanks(next + 1))).is_none() => (text(next), next + 1),
            _ => {
                ordered.push(lines.get(at).cloned().unwrap_or_default());
                at += 1;
                continue;
            }
        };
        let is_senders = |at: usize| {
            let (senders, rest) = split_senders(text(at));
            let is_word = behavior(text(at)).is_some() || first_word(text(at)).0.eq_ignore_ascii_case("ALL");
            !is_word && rest.is_empty() && !senders.is_empty() && senders.iter().all(|sender| is_sender(sender))
        };
        let run: Vec<usize> = (first..lines.len()).filter(|at| !is_blank(*at)).take_while(|at| is_senders(*at)).collect();
        let end = behind_blanks(run.last().map_or(first, |last| last + 1));
        let makes_an_entry = is_policy(text(end)) || behavior(text(end)).is_some();
        let begins_a_policy = text(end).starts_with('$') && behavior(text(behind_blanks(end + 1))).is_some();
        let own: Vec<usize> = match run.split_last() {
            Some((last, before)) if makes_an_entry && !begins_a_policy => {
                before.iter().copied().filter(|at| depth(*at) > depth(*last)).collect()
            }
            _ => run,
        };
        ordered.push(format!("{}:", line.split_once(':').map_or(line, |(name, _)| name)));
        ordered.extend(own.iter().map(|at| text(*at).to_owned()));
        ordered.push(policy.to_owned());
        at = own.last().map_or(first, |last| last + 1);
    }
    ordered
}

/// Takes a behavior off the front of a text.
fn behavior(text: &str) -> Option<(&'static str, &str)> {
    let (word, rest) = first_word(text);
    match word.to_ascii_uppercase().as_str() {
        "ACCEPT" => Some(("accept", rest)),
        "RELAY" => Some(("relay", rest)),
        "REJECT" => Some(("reject", rest)),
        "TCPREFUSE" | "TCP_REFUSE" | "TCP-REFUSE" | "REFUSE" => Some(("tcp_refuse", rest)),
        "TCP" => first_word(rest).0.eq_ignore_ascii_case("refuse").then(|| ("tcp_refuse", first_word(rest).1)),
        "CONTINUE" => Some(("continue", rest)),
        _ => None,
    }
}

/// The comment in parentheses, which may have parentheses of its own.
fn comment(text: &str) -> Option<String> {
    let (from, to) = (text.find('(')?, text.rfind(')')?);
    text.get(from + 1..to).map(str::trim).filter(|comment| !comment.is_empty()).map(str::to_owned)
}

/// Takes a value off the front: a quoted text, or a word.
fn value(text: &str) -> (&str, &str) {
    if let Some(inside) = text.strip_prefix('"') {
        let mut escaped = false;
        for (at, letter) in inside.char_indices() {
            match letter {
                '"' if !escaped => return text.split_at(at + 2),
                _ => escaped = letter == '\\' && !escaped,
            }
        }
        return (text, "");
    }
    let end = text.find(|letter: char| letter.is_whitespace() || ",;}".contains(letter)).unwrap_or(text.len());
    text.split_at(end)
}

/// A number; sizes may have a unit, and "unlimited" is -1.
fn number(value: &str) -> Option<i64> {
    let lower = value.trim().to_lowercase();
    if lower == "unlimited" || lower == "no limit" {
        return Some(-1);
    }
    let digits = lower.trim_end_matches(|letter: char| letter.is_ascii_alphabetic() || letter == ' ');
    let unit = match lower.get(digits.len()..)?.trim() {
        "" | "b" | "bytes" => 1,
        "k" | "kb" => 1024,
        "m" | "mb" => 1024 * 1024,
        "g" | "gb" => 1024 * 1024 * 1024,
        _ => return None,
    };
    digits.parse::<i64>().ok()?.checked_mul(unit)
}

/// A text as it was before quotes, backslashes and line breaks were escaped for a table.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        plain.push(match letter {
            '\\' => match letters.next() {
                Some('n') => '\n',
                Some(other) => other,
                None => '\\',
            },
            other => other,
        });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(opening: &str, printed: &str) -> Result<Rows, Error> {
        parse(
            "Out",
            &[Said { opening: opening.to_owned(), after: vec![String::new(), String::new(), String::new(), printed.to_owned()] }],
        )
    }

    const DOCUMENTED: &str = r#"
$ACCEPTED
    ACCEPT
$THROTTLED
    ACCEPT {
        spam_check = "on"
        max_msgs_per_session = 10
        max_concurrency = 10
        max_rcpts_per_msg = 25
        max_rcpts_per_hour = 1
        dhap_limit = 0
        virus_check = "on"
        max_message_size = 1048576
        use_sb = "on"
        tls = "off"
    }
$RELAYED
    RELAY {
        max_rcpts_per_hour = -1
        tls = "on"
        smtp_banner_text = "a } b"
    }
$BLOCKED
    REJECT
WHITELIST:
        $ACCEPTED (My trusted senders have no anti-spam scanning or rate limiting)
RELAY_O365:
    .protection.outlook.com
    SBRS[-4.0:-1.0]
    2001:db8::/32 (a range)
    etf-source: feed one
        $RELAYED (Microsoft 365 (outbound))
spamdomain.com
    REJECT (reject the domain "spamdomain.com")
251.192.1.
    TCPREFUSE (...)
169.254.10.10
    RELAY (...)
ALL
    $ACCEPTED

There are currently 4 policies defined.
There are currently 6 sender groups.
"#;

    #[test]
    fn the_default_parameters_above_the_menu_are_read_by_their_labels() {
        let above = "Default Policy Parameters\n=====\nMaximum Message Size: 10M\nMaximum Number Of Messages Per Connection: 1,000\n\
                     Maximum Number Of Recipients Per Hour: Disabled\nSpam Detection Enabled: Yes\nAllow TLS Connections: Preferred\n";
        let read = defaults(&[above.to_owned(), String::new()]).expect("there are some");
        assert_eq!(read.integer("max_message_size"), Some(10 << 20));
        assert_eq!(read.integer("max_msgs_per_session"), Some(1000));
        assert_eq!(read.integer("max_rcpts_per_hour"), Some(-1));
        assert_eq!(read.truth("spam_check"), Some(true));
        assert_eq!(read.text("tls"), Some("preferred"));
        assert_eq!(defaults(&["There are currently 4 policies defined.".to_owned(), String::new()]), None);
    }

    #[test]
    fn the_default_parameters_are_told_from_the_summary_of_the_listener_and_from_each_other() {
        let summary = "Name: In\nMax Concurrent Connections: 50\nTLS: Required\nSMTP Authentication: Required\n\
                       Use SenderBase For Reputation Filters and IP Profiling: Yes\n";
        assert_eq!(defaults(&[summary.to_owned(), String::new()]), None);
        let above = "Default Policy Parameters\n=====\nDirectory Harvest Attack Prevention: Disabled\n\
                     Maximum Number of Recipients per Envelope Sender: 7\nMaximum Number Of Recipients Per Hour: 8\n\
                     Allow SMTP Authentication: Preferred\nRequire TLS To Offer SMTP authentication: Yes\nAllow TLS Connections: No\n\
                     S/MIME Signing Enabled: Yes\nDKIM/DomainKeys Signing Enabled: No\nDKIM Verification Enabled: Yes\n\
                     Envelope Sender DNS Verification Enabled: Yes\nAccept untagged bounces: No\n\
                     There are currently 4 policies defined.\nTLS: Required\n";
        let read = defaults(&[summary.to_owned(), above.to_owned(), String::new()]).expect("there are some");
        let expected = Record::new()
            .with("dhap_limit", 0)
            .with("max_rcpts_per_hour", 8)
            .with("smtpauth_allow", "preferred")
            .with("smtpauth_requiretls", true)
            .with("tls", "none")
            .with("dkim_signing", false)
            .with("dkim_verification", true)
            .with("sender_verification", true)
            .with("accept_untagged_bounces", false);
        assert_eq!(read, expected);
    }

    #[test]
    fn a_listener_has_defaults_even_if_none_are_printed() {
        let rows = read("", "ALL\n $A\n").unwrap();
        let record = &rows.find(DEFAULTS, "Out").expect("they are always there").record;
        assert_eq!(*record, Record::new().with("id", "Out").with("listener", "Out"));
    }

    #[test]
    fn responses_and_host_names_are_read_as_they_count() {
        let policy = |block: &str| {
            let rows = read("", &format!("$A\n ACCEPT {{\n{block}\n}}\nALL\n $A\n")).unwrap();
            assert_eq!(rows.not_understood, Vec::<String>::new(), "{block}");
            rows.find(POLICY, "Out/A").unwrap().record.clone()
        };
        let banner = policy(r#"smtp_banner_text = "say \"hi\" \\ now""#);
        assert_eq!((banner.integer("smtp_banner_code"), banner.text("smtp_banner_text")), (Some(220), Some(r#"say "hi" \ now"#)));
        assert!(
            policy("reject_banner_code = 554").get("reject_banner_code").is_null(),
            "a code without a text is the standard one"
        );
        let overridden = |word: &str| {
            policy(&format!("override_hostname = \"h.example\"\nuse_override_hostname = \"{word}\""))
                .text("override_hostname")
                .map(str::to_owned)
        };
        assert_eq!((overridden("on").as_deref(), overridden("off")), (Some("h.example"), None));
        assert_eq!(policy("significant_bits = 24\nsmtpauth_allow = \"required\"").integer("sig_bits"), Some(24));
        let strange = read("", "$A\n ACCEPT {\n dkim_signing = \"perhaps\"\n}\nALL\n $A\n").unwrap();
        assert_eq!(strange.not_understood, ["dkim_signing = \"perhaps\""]);
    }

    #[test]
    fn the_documented_text_is_understood_whole() {
        let rows = read("", DOCUMENTED).unwrap();
        assert_eq!(rows.not_understood, Vec::<String>::new());
        let throttled = &rows.find(POLICY, "Out/THROTTLED").unwrap().record;
        assert_eq!(throttled.integer("max_message_size"), Some(1_048_576));
        assert_eq!(throttled.truth("spam_check"), Some(true));
        assert_eq!(throttled.text("tls"), Some("none"));
        assert_eq!(throttled.text("behavior"), Some("accept"));
        let relayed = &rows.find(POLICY, "Out/RELAYED").unwrap().record;
        assert_eq!(
            (relayed.text("behavior"), relayed.text("tls"), relayed.integer("max_rcpts_per_hour")),
            (Some("relay"), Some("preferred"), Some(-1))
        );
        assert!(relayed.get("max_concurrency").is_null());
        let group = &rows.find(GROUP, "Out/RELAY_O365").unwrap().record;
        assert_eq!(group.text("comment"), Some("Microsoft 365 (outbound)"));
        assert_eq!(group.text("before"), Some("ALL"));
        assert_eq!(
            group.texts("senders"),
            [".protection.outlook.com", "2001:db8::/32", "SBRS[-4.0:-1.0]", "etf-source: feed one"]
        );
        assert_eq!(rows.find(GROUP, "Out/WHITELIST").unwrap().record.text("before"), Some("RELAY_O365"));
        assert_eq!(rows.find("", "Out/251.192.1.").unwrap().record.text("behavior"), Some("tcp_refuse"));
        assert!(rows.find(GROUP, "Out/ALL").unwrap().record.get("before").is_null());
    }

    #[test]
    fn other_spacing_case_and_line_breaks_say_the_same() {
        let expected = read(
            "",
            "$A\n    ACCEPT {\n tls = \"on\"\n max_message_size = 1048576\n}\nG:\n 192.0.2.1\n 192.0.2.2\n $A (c d)\nALL\n $A\n",
        )
        .unwrap();
        let check = |printed: &str| assert_eq!(read("", printed).unwrap(), expected, "{printed}");
        check("$A ACCEPT { tls = \"on\" max_message_size = 1M }\n\nG: \n\t192.0.2.1, 192.0.2.2\n\n\t$A (c d)\nall $A\n");
        check(
            "# exported\r\n$A\r\naccept\r\n{\r\nTLS=preferred\r\nmax_message_size = \"1048576\"\r\n}\r\nG:\r\n192.0.2.1 (x)\r\n192.0.2.2\r\n$A (c\r\nd)\r\nALL:\r\n$A\r\n",
        );
        check(
            "Default Policy Parameters\n=====\nMaximum Message Size: 10M\nAllow TLS Connections: No\n$A\n ACCEPT {tls = \"on\", max_message_size = 1048576}\n\"G\":\n 192.0.2.1\n 192.0.2.2\n $A (c d)\nALL\n $A\n\nThere are currently 1 policies defined.\nMaximum Message Size: 10M\n",
        );
        check("$A\n ACCEPT {\n tls = \"on\"\n max_message_size = 1048576\n}\nG: 192.0.2.1, 192.0.2.2\n $A (c d)\nALL\n $A\n");
        check("$A\n ACCEPT {\n tls = \"on\"\n max_message_size = 1048576\n}\nG: (c d)\n 192.0.2.1\n 192.0.2.2\n $A\nALL\n $A\n");
        check(
            "$A\n ACCEPT {\n quantum_check = \"on\"\n tls = \"on\"\n max_message_size = 1048576\n}\nG:\n192.0.2.1\n192.0.2.2\n$A (c d)\nALL\n $A\n",
        );
    }

    #[test]
    fn senders_may_stand_behind_the_policy_of_their_group() {
        let expected = read(
            "",
            "$A\n ACCEPT\nG:\n 192.0.2.1\n 192.0.2.2\n $A (c)\nH:\n $A\nspam.example\n REJECT (x)\nI:\n SBRS[none]\n $A\nALL\n $A\n",
        )
        .unwrap();
        let check = |printed: &str| assert_eq!(read("", printed).as_ref(), Ok(&expected), "{printed}");
        check(
            "$A\n ACCEPT\nG:\n    $A (c)\n    192.0.2.1\n    192.0.2.2\nH:\n    $A\nspam.example\n    REJECT (x)\nI:\n    $A\n    SBRS[none]\nALL\n    $A\n",
        );
        check(
            "$A\n ACCEPT\nG: $A (c)\n\t192.0.2.1\n\t192.0.2.2\n\nH: $A\n\nspam.example REJECT (x)\nI: $A\n\tSBRS[none]\n\nALL $A\n",
        );
        check("$A\n ACCEPT\nG:\n$A (c)\n192.0.2.1\n192.0.2.2\nH:\n$A\nspam.example\nREJECT (x)\nI:\n$A\nSBRS[none]\nALL\n$A\n");
        check(
            "$A\n ACCEPT\nG:\n\t$A (c)\n\t192.0.2.1, 192.0.2.2\nH:\n\t$A\nspam.example\n\tREJECT (x)\nI:\n\t$A\n\tSBRS[none]\nALL\n\t$A\n",
        );
        let two = read("", "$A\n ACCEPT\nG:\n    $A\n    192.0.2.1\nspam.example\n    REJECT\nALL\n    $A\n").unwrap();
        assert_eq!(two.find(GROUP, "Out/G").unwrap().record.texts("senders"), ["192.0.2.1"]);
        assert_eq!(two.find("", "Out/spam.example").unwrap().record.text("behavior"), Some("reject"));
    }

    #[test]
    fn senders_of_every_form_are_read_with_their_comments() {
        let senders = [
            "192.0.2.1",
            "10.",
            "10.1.",
            "192.0.2.",
            "192.0.2.1-20",
            "192.0.2.0/24",
            "2001:db8::1",
            "2001:db8::",
            "2001:db8::/32",
            "2001:db8::1-2001:db8::9",
            "mail.example.com",
            ".protection.outlook.com",
            "SBRS[-10.0:-3.0]",
            "SBRS[none]",
            "SBO:12345",
            "dnslist[list.example.com]",
            "etf-source: feed one",
            "country: Korea, Republic of",
        ];
        let block = senders.join(" (one, two)\n    ");
        let rows = read("", &format!("$A\n ACCEPT\nG:\n    {block} (one, two)\n    $A\nALL\n $A\n")).unwrap();
        assert_eq!(rows.not_understood, Vec::<String>::new());
        let mut expected = senders.to_vec();
        expected.sort_unstable();
        let mut found = rows.find(GROUP, "Out/G").unwrap().record.texts("senders");
        found.sort_unstable();
        assert_eq!(found, expected);
        for sender in senders {
            let rows = read("", &format!("$A\n ACCEPT\n{sender} (x) \n    REJECT (y)\nALL\n $A\n")).unwrap();
            assert_eq!(rows.not_understood, Vec::<String>::new(), "{sender}");
            assert_eq!(rows.rows[1].record.texts("senders"), [sender], "{sender}");
        }
        let rows = read("", "G: SBRS[ -4.0 : -1.0 ], SBRS[none]\n $A\n2001:db8::1, 2001:db8::2\n REJECT\nALL\n $A\n").unwrap();
        assert_eq!(rows.not_understood, Vec::<String>::new());
        assert_eq!(rows.rows[0].record.texts("senders"), ["SBRS[ -4.0 : -1.0 ]", "SBRS[none]"]);
        assert_eq!(rows.rows[1].record.texts("senders"), ["2001:db8::1", "2001:db8::2"]);
    }

    #[test]
    fn a_title_above_the_table_says_nothing() {
        let rows = read("", "Host Access Table for listener \"Out\":\n\n$A\n ACCEPT\nALL\n $A\n").unwrap();
        assert_eq!(rows.not_understood, Vec::<String>::new());
    }

    #[test]
    fn g21_a_table_cut_off_anywhere_before_its_end_is_an_error() {
        let end = DOCUMENTED.find("ALL\n    $ACC").unwrap();
        for (at, _) in DOCUMENTED.match_indices('\n').filter(|(at, _)| *at < end + 4) {
            assert!(read("", &DOCUMENTED[..at]).is_err(), "{}", &DOCUMENTED[..at]);
        }
        assert!(read("", "$A\n ACCEPT\nALL\n $A\nThere are currently 2 policies defined.\n").is_err());
    }

    #[test]
    fn a_strange_value_or_line_is_kept() {
        let rows = read("", "$A\n ACCEPT {\n tls = \"quantum\"\n ???\n}\nsome words\nALL\n $A\n").unwrap();
        assert_eq!(rows.not_understood, ["tls = \"quantum\"", "???", "some words"]);
    }
}
