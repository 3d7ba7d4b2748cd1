//! Message filters at work: which run, in which order, and what their actions do to a message.

use super::filter_rules::{self, Mail, Truth};
use super::gateway::{Admission, Queued, Settled};
use super::{Broken, Peer, World};
use crate::sandbox::gateway::tables::filter_script::{Condition, Script, Statement, Value};

/// Holds one rule or operator that was evaluated, operators after their operands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluated {
    /// The rule as text, or `AND`, `OR`, `NOT`.
    pub rule: String,
    /// What it gave; nothing where it cannot be evaluated.
    pub result: Option<bool>,
}

/// Holds what one filter did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterRun {
    /// Name.
    pub name: String,
    /// Why it did not run: it is inactive, invalid, or skipped.
    pub idle: Option<String>,
    /// Rules in the order of their evaluation, with the actions between them.
    pub rules: Vec<Evaluated>,
    /// Actions that were performed, as text.
    pub actions: Vec<String>,
    /// Rules and actions in the order in which they came: true is a rule.
    pub order: Vec<bool>,
}

impl FilterRun {
    /// Tells whether the filter was evaluated.
    pub fn ran(&self) -> bool {
        self.idle.is_none()
    }

    /// Says what it did. What stands in quotes may be a secret and is left out.
    pub(super) fn words(&self) -> String {
        if self.actions.is_empty() {
            return "does nothing".into();
        }
        let names: Vec<&str> = self.actions.iter().filter_map(|action| action.split('(').next()).collect();
        names.join(", ")
    }
}

/// What comes after an action.
#[derive(PartialEq, Eq)]
enum Next {
    On,
    /// No more filters.
    Enough,
}

/// Runs all filters over a message.
pub(super) fn run(world: &World, admission: &Admission, peer: &Peer, queued: &mut Queued) {
    let mut done = false;
    for filter in &world.gateway.filters {
        let mut run =
            FilterRun { name: filter.name.clone(), idle: None, rules: Vec::new(), actions: Vec::new(), order: Vec::new() };
        let faults = filter.faults(&world.gateway);
        run.idle = if done {
            Some("skipped".into())
        } else if !filter.active && !world.is_broken(Broken::InactiveFilters) {
            Some("inactive".into())
        } else if !faults.is_empty() {
            Some(format!("invalid: {}", faults.join("; ")))
        } else {
            None
        };
        if run.idle.is_none() {
            let scripts = Script::parse(&format!("{}: {}", filter.name, filter.body)).unwrap_or_default();
            if let Some(script) = scripts.first() {
                let mut worker = Worker { world, admission, peer, queued: &mut *queued, run: &mut run };
                done = worker.statement(&script.statement) == Next::Enough;
            }
        }
        queued.runs.push(run);
        if matches!(queued.settled, Settled::Dropped(_) | Settled::Bounced(_) | Settled::Undecided(_)) {
            return;
        }
    }
}

struct Worker<'a> {
    world: &'a World,
    admission: &'a Admission,
    peer: &'a Peer,
    queued: &'a mut Queued,
    run: &'a mut FilterRun,
}

impl Worker<'_> {
    fn block(&mut self, block: &[Statement]) -> Next {
        for statement in block {
            if self.statement(statement) == Next::Enough {
                return Next::Enough;
            }
        }
        Next::On
    }

    fn statement(&mut self, statement: &Statement) -> Next {
        match statement {
            Statement::Action(name, arguments) => self.action(name, arguments),
            Statement::If(branches, otherwise) => {
                for (at, (condition, block)) in branches.iter().enumerate() {
                    match self.condition(condition) {
                        Truth::True => return self.block(block),
                        Truth::False => {}
                        Truth::Unknown(why) => {
                            let rest = branches.iter().skip(at).flat_map(|(_, block)| block).chain(otherwise.iter().flatten());
                            let text = format!("the filter {}: {why}", self.run.name);
                            if rest.into_iter().all(is_neutral) {
                                self.queued.unsure.push(text);
                                return Next::On;
                            }
                            self.queued.settled = Settled::Undecided(text);
                            return Next::Enough;
                        }
                    }
                }
                otherwise.as_ref().map_or(Next::On, |block| self.block(block))
            }
        }
    }

    fn condition(&mut self, condition: &Condition) -> Truth {
        let truth = match condition {
            Condition::And(parts) => return self.joined(parts, "AND", Truth::and),
            Condition::Or(parts) => return self.joined(parts, "OR", Truth::or),
            Condition::Not(part) => {
                let truth = self.condition(part);
                let truth = if self.world.is_broken(Broken::NoNot) { truth } else { truth.not() };
                self.evaluated("NOT".into(), &truth);
                return truth;
            }
            Condition::Rule { name, arguments, comparison } => {
                let mail = Mail {
                    listener: &self.admission.listener,
                    interface: self
                        .world
                        .gateway
                        .listener(&self.admission.listener)
                        .map_or("", |listener| listener.interface.as_str()),
                    group: &self.admission.group,
                    peer: self.peer,
                    sender: &self.queued.sender,
                    recipients: &self.queued.recipients,
                    content: &self.queued.content,
                    broken: self.world.broken,
                };
                filter_rules::evaluate(&mail, name, arguments.as_deref(), comparison.as_ref())
            }
        };
        self.evaluated(condition.text(), &truth);
        truth
    }

    fn joined(&mut self, parts: &[Condition], word: &str, join: fn(Truth, Truth) -> Truth) -> Truth {
        let mut whole: Option<Truth> = None;
        for part in parts {
            let truth = self.condition(part);
            whole = Some(match whole {
                None => truth,
                Some(before) => {
                    let both = join(before, truth);
                    self.evaluated(word.into(), &both);
                    both
                }
            });
        }
        whole.unwrap_or(Truth::True)
    }

    fn evaluated(&mut self, rule: String, truth: &Truth) {
        let result = match truth {
            Truth::True => Some(true),
            Truth::False => Some(false),
            Truth::Unknown(_) => None,
        };
        self.run.rules.push(Evaluated { rule, result });
        self.run.order.push(true);
    }

    fn action(&mut self, name: &str, arguments: &[Value]) -> Next {
        self.run.actions.push(Statement::Action(name.to_owned(), arguments.to_vec()).text());
        self.run.order.push(false);
        let texts: Vec<String> = arguments.iter().map(|value| plain(value.text())).collect();
        let first = texts.first().map_or("", String::as_str);
        let filter = self.run.name.clone();
        let mut unsure = |text: String| self.queued.unsure.push(format!("the filter {filter}: {text}"));
        match name {
            "drop" => {
                self.queued.settled = Settled::Dropped(filter);
                return Next::Enough;
            }
            "bounce" => {
                self.queued.settled = Settled::Bounced(filter);
                return Next::Enough;
            }
            "skip-filters" | "deliver" => {
                return if self.world.is_broken(Broken::SkipNothing) { Next::On } else { Next::Enough };
            }
            "encrypt" | "smime-gateway" => {
                self.queued.settled = Settled::Undecided(format!("the filter {filter} hands the message to {name}"));
                return Next::Enough;
            }
            "quarantine" => self.queued.settled = Settled::Quarantined(filter, first.to_owned()),
            "strip-header" => self.queued.content.strip(first),
            "insert-header" => {
                let value = texts.get(1).cloned().unwrap_or_default();
                if holds_variable(&value) {
                    unsure(format!("the variable in {value} is not replaced"));
                }
                self.queued.content.headers.push((first.to_owned(), value));
            }
            "edit-header-text" => match (texts.get(1), texts.get(2)) {
                (Some(pattern), Some(text)) => match regex::Regex::new(pattern) {
                    Ok(pattern) => {
                        let headers = self.queued.content.headers.iter_mut();
                        for (_, value) in headers.filter(|(known, _)| known.eq_ignore_ascii_case(first)) {
                            *value = pattern.replace_all(value, regex::NoExpand(text)).into_owned();
                        }
                    }
                    Err(_) => unsure(format!("the pattern {pattern} is not understood")),
                },
                _ => unsure("edit-header-text without its arguments".into()),
            },
            "alt-rcpt-to" => self.queued.recipients = vec![first.to_owned()],
            "alt-mailhost" => self.queued.mail_host = Some(first.to_owned()),
            // Attachments of a message that has none.
            _ if name.starts_with("drop-attachments") => {
                if !self.queued.content.is_plain() {
                    unsure(format!("{name} is not part of the stand-in"));
                }
            }
            _ if is_harmless(name) => {}
            _ => unsure(format!("{name} is not part of the stand-in")),
        }
        Next::On
    }
}

/// Tells whether a statement, performed or not, changes nothing of where a message goes and what arrives.
fn is_neutral(statement: &Statement) -> bool {
    match statement {
        Statement::Action(name, _) => is_harmless(name),
        Statement::If(branches, otherwise) => {
            branches.iter().flat_map(|(_, block)| block).chain(otherwise.iter().flatten()).all(is_neutral)
        }
    }
}

/// Tells whether an action leaves the message and its way alone: it writes a log, sends a copy or a notice, or leaves a later check out.
fn is_harmless(name: &str) -> bool {
    matches!(
        name,
        "no-op"
            | "log"
            | "log-entry"
            | "archive"
            | "tag-message"
            | "notify"
            | "notify-copy"
            | "bcc"
            | "bcc-scan"
            | "bounce-profile"
            | "duplicate-quarantine"
            | "alt-src-host"
            | "set-virtual-gateway"
            | "limit-rate"
            | "dkim-sign"
    ) || name.starts_with("skip-") && name != "skip-filters"
}

/// Tells whether a text holds an action variable, `$Subject`.
fn holds_variable(text: &str) -> bool {
    text.split('$').skip(1).any(|rest| rest.starts_with(|first: char| first.is_ascii_alphabetic()))
}

/// Gives what a text in quotes means: a backslash before a quote or a backslash is taken away, before anything else it stays.
pub(super) fn plain(typed: &str) -> String {
    let mut plain = String::new();
    let mut letters = typed.chars().peekable();
    while let Some(letter) = letters.next() {
        match letters.peek() {
            Some(next @ ('\\' | '"' | '\'')) if letter == '\\' => {
                plain.push(*next);
                letters.next();
            }
            _ => plain.push(letter),
        }
    }
    plain
}
