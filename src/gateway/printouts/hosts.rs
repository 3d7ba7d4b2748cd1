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

use super::{announced, complete, count_of, cut_off, foreign, is_noise, lines, unquote, whole};
use crate::gateway::dialog::{Dialog, Said};
use crate::gateway::resources::forms::is_sender;
use crate::gateway::resources::policy_parameters::{Ask, DEFAULTS, PARAMETERS, meant, mode};
use crate::gateway::resources::{listener_defaults, mail_flow_policy, sender_group};
use crate::gateway::table::{Row, Rows};
use crate::remote::Error;
use crate::schema::Record;
use crate::value::Value;

mod defaults;
#[cfg(test)]
mod tests;
mod words;

use self::defaults::{defaults, is_title};
use self::words::{
    are_senders, begins_group, behavior, comment, defines_policy, first_word, leads_somewhere, number, opens_block,
    senders_first, split_senders, unescaped, value,
};

const POLICY: &str = "gateway_mail_flow_policy";
const GROUP: &str = "gateway_sender_group";

/// Stands in the record of a sender group that has senders which could not be read.
pub(in crate::gateway) const TORN: &str = "has_unread_senders";

/// Stands in the record of an entry that has a behavior of its own in place of a policy.
pub(in crate::gateway) const BEHAVIOR: &str = "behavior";

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
    let printed = senders_first(&printed);
    for (at, line) in printed.iter().enumerate() {
        let next = printed.iter().skip(at + 1).map(|next| next.trim()).find(|next| !next.starts_with('#') && !is_noise(next));
        table.line(line, next.unwrap_or_default());
    }
    if !matches!(table.state, State::Top | State::Banner | State::Odd | State::OddPolicy | State::Behaved(_)) {
        return Err(cut_off(&title, "its last entry does not end"));
    }
    if !table.entries.iter().any(|entry| entry.name.as_deref() == Some("ALL")) {
        return Err(cut_off(&title, "its last entry, ALL, is missing"));
    }
    let text = whole(said);
    complete(&title, table.policies.len() + table.unread, count_of(&text, &["polic"]))?;
    complete(&title, table.entries.len() + table.unread, count_of(&text, &["sender group"]))?;
    let mut rows = table.rows(listener);
    // They are always there, printed or not.
    let printed = defaults(&said.after);
    let (record, foreign) = printed.map_or((Record::new(), None), |(record, foreign)| (record, Some(foreign)));
    let mut record = record.with("id", listener).with("listener", listener);
    if let Some(foreign) = foreign {
        record.set_unmanaged(&listener_defaults::RESOURCE, foreign);
    }
    rows.rows.push(Row { resource: DEFAULTS, id: listener.to_owned(), record });
    Ok(rows)
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
    /// What no attribute knows.
    foreign: Vec<String>,
}

#[derive(Default)]
struct Entry {
    /// Nothing for senders that belong to no group.
    name: Option<String>,
    senders: Vec<String>,
    policy: Option<String>,
    behavior: Option<&'static str>,
    comment: Option<String>,
    /// Its first line.
    printed: String,
    /// Whether it has senders that could not be read.
    is_torn: bool,
    /// What no attribute knows: these senders, and parameters of its own.
    foreign: Vec<String>,
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
    /// Behind the heading of a row that cannot be read: its policy or behavior may come.
    Odd,
    /// Behind the name of a policy that cannot be read: its behavior comes, which nobody knows, perhaps with a block.
    OddPolicy,
    /// In what the menu says about the listener's defaults.
    Banner,
}

/// Whose behavior a block belongs to.
#[derive(PartialEq, Clone, Copy)]
enum Owner {
    Policy,
    Entry,
    /// A row that cannot be read.
    Nobody,
}

#[derive(Default)]
struct Table {
    policies: Vec<Policy>,
    entries: Vec<Entry>,
    not_understood: Vec<String>,
    /// How many rows cannot be read, and how many of them show no name.
    unread: usize,
    nameless: usize,
    state: State,
}

impl Table {
    /// Takes a line; `next` is the one below it that says something.
    fn line(&mut self, line: &str, next: &str) {
        let line = line.trim();
        if let State::Block(owner) = self.state {
            return self.parameters(owner, line);
        }
        if line.starts_with('#') || is_noise(line) {
            // Behind the table, the menu comes again, with the counts and the listener's defaults above it.
            if announced(line).is_some() && matches!(self.state, State::Top | State::Odd | State::Behaved(_) | State::Banner) {
                self.state = if self.has_all() { State::Banner } else { State::Top };
            }
            return;
        }
        if self.state == State::Top && line.to_lowercase().starts_with("host access table") {
            return;
        }
        if is_title(line) && matches!(self.state, State::Top | State::Odd | State::Behaved(_) | State::Banner) {
            self.state = State::Banner;
            return;
        }
        match self.state {
            State::Behaved(owner) if line.starts_with('(') || opens_block(line) => self.behind_behavior(owner, line),
            State::OddPolicy
                if !line.starts_with('$') && !line.ends_with(':') && !first_word(line).0.eq_ignore_ascii_case("ALL") =>
            {
                self.state = match line.split_once('{') {
                    Some((_, inside)) if !inside.contains('}') => State::Block(Owner::Nobody),
                    _ => State::Top,
                };
            }
            State::Odd if self.refers(line, next) || behavior(line).is_some() => {
                self.state = State::Top;
                if behavior(line).is_some() {
                    self.behavior(Owner::Nobody, line);
                }
            }
            State::Top | State::Odd | State::OddPolicy | State::Behaved(_) => self.top(line, next),
            State::Banner if line.starts_with('$') => self.top(line, next),
            State::Behavior => self.behavior(Owner::Policy, line),
            State::Entry => self.in_entry(line, next),
            State::Banner | State::Block(_) => {}
        }
    }

    fn has_all(&self) -> bool {
        self.entries.iter().any(|entry| entry.name.as_deref() == Some("ALL"))
    }

    /// Whether a line refers to a policy. Policies are defined before the first entry.
    fn refers(&self, line: &str, next: &str) -> bool {
        line.starts_with('$') && (!self.entries.is_empty() || !defines_policy(line, next))
    }

    /// A row that cannot be read begins, or is all on this line.
    fn odd(&mut self, line: &str, is_whole: bool) {
        self.unread += 1;
        self.not_understood.push(line.to_owned());
        self.state = if is_whole { State::Top } else { State::Odd };
    }

    /// A policy or an entry begins.
    fn top(&mut self, line: &str, next: &str) {
        self.state = State::Top;
        if let Some(rest) = line.strip_prefix('$') {
            let (name, rest) = first_word(rest);
            if !defines_policy(line, next) {
                // Policies come first: behind them it is the policy of an entry whose name is not shown.
                self.nameless += usize::from(!self.entries.is_empty());
                self.odd(line, false);
                if self.entries.is_empty() {
                    self.state =
                        if rest.contains('{') && !rest.contains('}') { State::Block(Owner::Nobody) } else { State::OddPolicy };
                }
                return;
            }
            self.policies.push(Policy { name: name.trim_end_matches([':', '=']).to_owned(), ..Policy::default() });
            self.state = State::Behavior;
            if !rest.is_empty() {
                self.behavior(Owner::Policy, rest);
            }
            return;
        }
        if behavior(line).is_some() {
            self.nameless += 1;
            self.odd(line, true);
            return self.behavior(Owner::Nobody, line);
        }
        let (name, rest) = match line.split_once(':') {
            Some((name, rest))
                if begins_group(line)
                    && !unquote(name).is_empty()
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
                    let is_word = |word: &str| word.starts_with('$') || behavior(word).is_some();
                    return self.odd(line, line.split_whitespace().any(is_word));
                }
                // What leads nowhere is no entry.
                if rest.is_empty() && !leads_somewhere(next) {
                    return self.odd(line, false);
                }
                self.entries.push(Entry { senders, printed: line.to_owned(), ..Entry::default() });
                self.state = State::Entry;
                if !rest.is_empty() {
                    self.in_entry(rest, next);
                }
                return;
            }
        };
        let name = name.map(|name| if name.eq_ignore_ascii_case("ALL") { "ALL".to_owned() } else { name });
        self.entries.push(Entry { name, printed: line.to_owned(), ..Entry::default() });
        self.state = State::Entry;
        if !rest.is_empty() {
            self.in_entry(rest, next);
        }
    }

    fn in_entry(&mut self, line: &str, next: &str) {
        if line.starts_with('(') {
            // The comment, where a release prints it behind the name.
            if let Some(entry) = self.entries.last_mut() {
                entry.comment = comment(line);
            }
            return;
        }
        // Another entry begins, and this one leads nowhere: it cannot be read.
        if line.ends_with(':') && !is_sender(line) {
            if let Some(entry) = self.entries.pop() {
                self.odd(&entry.printed, true);
            }
            return self.top(line, next);
        }
        if let Some(rest) = line.strip_prefix('$') {
            let (name, rest) = first_word(rest);
            if let Some(entry) = self.entries.last_mut() {
                entry.policy = Some(name.to_owned());
                entry.comment = comment(rest).or(entry.comment.take());
            }
            self.state = State::Top;
            return;
        }
        if behavior(line).is_some() {
            return self.behavior(Owner::Entry, line);
        }
        let (senders, rest) = split_senders(line);
        let is_list = rest.is_empty() || rest.starts_with('$') || behavior(rest).is_some();
        if senders.is_empty() || !is_list {
            return self.odd_sender(line);
        }
        for sender in &senders {
            self.push_sender(sender);
        }
        // A sender with its policy on one line.
        if !rest.is_empty() {
            self.in_entry(rest, next);
        }
    }

    fn push_sender(&mut self, sender: &str) {
        if !is_sender(sender) && !sender.eq_ignore_ascii_case("ALL") {
            return self.odd_sender(sender);
        }
        if let Some(entry) = self.entries.last_mut() {
            entry.senders.push(sender.to_owned());
        }
    }

    /// A line among the senders of an entry that cannot be read.
    fn odd_sender(&mut self, line: &str) {
        match self.entries.last_mut() {
            // Of senders that belong to no group nobody could be told.
            Some(entry) if entry.name.is_some() => {
                entry.is_torn = true;
                if let Some(told) = foreign::line(line).filter(|told| !entry.foreign.contains(told)) {
                    entry.foreign.push(told);
                }
            }
            _ => self.not_understood.push(line.to_owned()),
        }
    }

    /// A behavior, with or without a block or a comment behind it.
    fn behavior(&mut self, owner: Owner, line: &str) {
        let Some((word, rest)) = behavior(line) else { return };
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
            Owner::Nobody => {}
        }
        self.state = State::Behaved(owner);
        self.behind_behavior(owner, rest);
    }

    fn behind_behavior(&mut self, owner: Owner, rest: &str) {
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
    }

    /// A line of a block: `key = value`, more of them, `}`.
    fn parameters(&mut self, owner: Owner, line: &str) {
        let mut rest = line.trim();
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('}') {
                self.state = State::Behaved(owner);
                return self.behind_behavior(owner, after);
            }
            let Some((key, after)) = rest.split_once(['=', ':']).filter(|(key, _)| foreign::is_label(key.trim())) else {
                return self.odd_parameter(owner, rest);
            };
            let (value, after) = value(after.trim_start());
            match owner {
                Owner::Policy if !self.parameter(key.trim(), value) => {
                    self.not_understood.push(format!("{} = {value}", key.trim()));
                }
                // A group with a behavior of its own has parameters that no attribute is for.
                Owner::Entry => {
                    if let Some(entry) = self.entries.last_mut() {
                        entry.foreign.extend(foreign::option(key, &unescaped(unquote(value))));
                    }
                }
                Owner::Policy | Owner::Nobody => {}
            }
            rest = after.trim_start_matches([' ', '\t', ',', ';']);
        }
    }

    /// A line of a block that is no parameter.
    fn odd_parameter(&mut self, owner: Owner, text: &str) {
        let foreign = match owner {
            Owner::Policy => self.policies.last_mut().map(|policy| &mut policy.foreign),
            Owner::Entry => self.entries.last_mut().map(|entry| &mut entry.foreign),
            Owner::Nobody => None,
        };
        if let Some(foreign) = foreign {
            foreign.extend(foreign::line(text));
        }
    }

    /// Takes a parameter of a policy. One that is not managed here is kept as it is printed.
    fn parameter(&mut self, key: &str, value: &str) -> bool {
        let Some(policy) = self.policies.last_mut() else { return false };
        let key = unquote(key).to_lowercase();
        let text = unescaped(unquote(value));
        if key == "use_override_hostname" {
            policy.overrides = super::truth(&text);
            return policy.overrides.is_some() || text.eq_ignore_ascii_case("default");
        }
        let Some(parameter) = PARAMETERS.iter().find(|parameter| parameter.keys.contains(&key.as_str())) else {
            policy.foreign.extend(foreign::option(&key, &text));
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
            let mut record = parameters
                .with("id", id.as_str())
                .with("listener", listener)
                .with("name", policy.name)
                .with("behavior", policy.behavior.map_or(Value::Null, Value::text));
            record.set_unmanaged(&mail_flow_policy::RESOURCE, policy.foreign);
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
                .with("position", i64::try_from(at + 1).unwrap_or(i64::MAX))
                .with("before", follower.map_or(Value::Null, |name| Value::text(name.as_str())));
            let (resource, title, record) = match entry.name {
                Some(name) => (GROUP, name.clone(), record.with("name", name)),
                None => ("", entry.senders.first().cloned().unwrap_or_default(), record),
            };
            let record = match entry.behavior {
                Some(behavior) => record.with(BEHAVIOR, behavior),
                None => record,
            };
            let id = format!("{listener}/{title}");
            // No attribute: what would make the group anew asks for it.
            let mut record = if entry.is_torn { record.with(TORN, true) } else { record };
            if resource == GROUP {
                record.set_unmanaged(&sender_group::RESOURCE, entry.foreign);
            }
            rows.push(Row { resource, record: record.with("id", id.as_str()), id });
        }
        Rows { rows, not_understood: self.not_understood, nameless: self.nameless, ..Rows::default() }
    }
}
