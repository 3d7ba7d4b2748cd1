//! Whether a filter guards a sender group: drops what comes from it without a secret.
//!
//! The tree is played with a message of the group that carries none of the secrets. Whatever else a condition asks is open, and both ways are
//! followed. Only if each way ends in a drop, the group is guarded: what is not understood never guards.

use super::parser::parse;
use super::tree::{Block, Call, Condition, Statement, Test, walk};
use super::words::{Ends, ends};

/// What a filter asks of the mail of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::gateway) struct Guard {
    /// The patterns of `sendergroup` that take the group.
    pub(in crate::gateway) patterns: Vec<String>,
    /// The headers that let a message pass, each with the values that it accepts. None: it drops every message of the group.
    pub(in crate::gateway) demands: Vec<(String, Vec<String>)>,
}

/// Tells whether a filter, as long as it is active and valid, drops each message of a sender group that carries none of the secrets that it asks
/// for. `None`: it does not, or nobody can tell.
pub(in crate::gateway) fn guard(script: &str, group: &str) -> Option<Guard> {
    let block = parse(script).ok()?;
    let demands = demands(&block);
    let way = Player { group, demands: &demands }.play(&block, Ways::start());
    if way.goes_on != [false, false] || way.escapes {
        return None;
    }
    let mut patterns = Vec::new();
    walk(&block, &mut |test| {
        if let Some(("sendergroup", "==", pattern)) = test.plain()
            && matches(pattern, group) == Some(true)
            && !patterns.iter().any(|known| known == pattern)
        {
            patterns.push(pattern.to_owned());
        }
    });
    Some(Guard { patterns, demands })
}

/// Tells whether a filter that stands before the guard may take a message of the group past it: by an action that ends the filters, by a copy to
/// the recipients of the message, by writing a header that the guard asks for, or by something that is not understood.
pub(in crate::gateway) fn may_skip(script: &str, group: &str, guard: &Guard) -> bool {
    let Ok(block) = parse(script) else { return true };
    let way = Player { group, demands: &guard.demands }.play(&block, Ways::start());
    way.escapes || way.goes_on[1]
}

/// The headers that a text compares with fixed values, and the values: `header("X") == "^(a|b)$"`. Other conditions are left out.
pub(in crate::gateway) fn demanded(script: &str) -> Vec<(String, Vec<String>)> {
    parse(script).map(|block| demands(&block)).unwrap_or_default()
}

fn demands(block: &Block) -> Vec<(String, Vec<String>)> {
    let mut demands: Vec<(String, Vec<String>)> = Vec::new();
    walk(block, &mut |test| {
        if let Some((header, "==", pattern)) = test.header()
            && let Some(values) = exact(pattern)
        {
            demands.push((header.to_owned(), values));
        }
    });
    demands
}

/// The values that a pattern accepts, if it is anchored and made of fixed ones.
pub(super) fn exact(pattern: &str) -> Option<Vec<String>> {
    let exact = pattern.strip_prefix('^')?.strip_suffix('$')?;
    let several = exact.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    let values: Vec<String> = several.map_or_else(|| vec![exact.to_owned()], |all| all.split('|').map(str::to_owned).collect());
    values.iter().all(|value| !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(values)
}

/// Whether a pattern of `sendergroup` takes a group; `None` if the pattern cannot be read.
pub(super) fn matches(pattern: &str, group: &str) -> Option<bool> {
    Some(regex::Regex::new(pattern).ok()?.is_match(group))
}

/// What may have become of the message.
#[derive(Debug, Clone, Copy)]
struct Ways {
    /// It may still be in the filters: with its headers as they came, or with a header that the guard asks for written by a filter.
    goes_on: [bool; 2],
    /// It may have left them, and not by a drop.
    escapes: bool,
}

impl Ways {
    fn start() -> Ways {
        Ways { goes_on: [true, false], escapes: false }
    }

    fn none() -> Ways {
        Ways { goes_on: [false, false], escapes: false }
    }

    fn or(self, other: Ways) -> Ways {
        let [one, two] = self.goes_on;
        let [first, second] = other.goes_on;
        Ways { goes_on: [one || first, two || second], escapes: self.escapes || other.escapes }
    }

    fn is_over(self) -> bool {
        self.goes_on == [false, false]
    }
}

struct Player<'a> {
    group: &'a str,
    demands: &'a [(String, Vec<String>)],
}

impl Player<'_> {
    fn play(&self, block: &Block, before: Ways) -> Ways {
        let mut ways = before;
        for statement in &block.statements {
            if ways.is_over() {
                break;
            }
            ways = match statement {
                Statement::Action(call) => self.act(call, ways),
                Statement::If(branches, otherwise) => {
                    // Both kinds of message are asked by themselves: a secret that a filter wrote may be there.
                    let mut after = Ways { escapes: ways.escapes, ..Ways::none() };
                    for written in [false, true].into_iter().filter(|written| ways.goes_on[usize::from(*written)]) {
                        let mut rest = Ways { goes_on: [!written, written], escapes: false };
                        for branch in branches {
                            let holds = self.holds(&branch.condition, written);
                            if holds != Some(false) {
                                after = after.or(self.play(&branch.block, rest));
                            }
                            if holds == Some(true) {
                                rest = Ways::none();
                                break;
                            }
                        }
                        if !rest.is_over() {
                            after = after.or(otherwise.as_ref().map_or(rest, |(_, block)| self.play(block, rest)));
                        }
                    }
                    after
                }
            };
        }
        ways
    }

    fn act(&self, call: &Call, ways: Ways) -> Ways {
        match ends(&call.name) {
            Some(Ends::Dropped) => Ways { escapes: ways.escapes, ..Ways::none() },
            Some(Ends::Skipped) | None => Ways { escapes: true, ..Ways::none() },
            Some(Ends::Not) if self.writes_demanded(call) => Ways { goes_on: [false, true], ..ways },
            Some(Ends::Not) if copies_to_recipients(call) => Ways { escapes: true, ..ways },
            Some(Ends::Not) => ways,
        }
    }

    /// Whether an action may write a header that is asked for.
    fn writes_demanded(&self, call: &Call) -> bool {
        matches!(call.name.as_str(), "insert-header" | "edit-header-text")
            && call.arguments.first().is_none_or(|header| {
                header.quoted().is_none_or(|header| {
                    header.contains('$') || self.demands.iter().any(|(demanded, _)| demanded.eq_ignore_ascii_case(header))
                })
            })
    }

    /// Whether a condition holds for the message; `None` if it may or may not.
    fn holds(&self, condition: &Condition, written: bool) -> Option<bool> {
        match condition {
            Condition::Not(_, part) => self.holds(part, written).map(|holds| !holds),
            Condition::Or(parts) => {
                let parts: Vec<_> = parts.iter().map(|(_, part)| self.holds(part, written)).collect();
                if parts.contains(&Some(true)) { Some(true) } else { parts.iter().all(Option::is_some).then_some(false) }
            }
            Condition::And(parts) => {
                let parts: Vec<_> = parts.iter().map(|(_, part)| self.holds(part, written)).collect();
                if parts.contains(&Some(false)) { Some(false) } else { parts.iter().all(Option::is_some).then_some(true) }
            }
            Condition::Test(test) => self.test(test, written),
        }
    }

    fn test(&self, test: &Test, written: bool) -> Option<bool> {
        if let Some((name, sign, text)) = test.plain()
            && name == "sendergroup"
        {
            return match sign {
                "==" => matches(text, self.group),
                "!=" => matches(text, self.group).map(|holds| !holds),
                _ => None,
            };
        }
        if let Some((header, sign, pattern)) = test.header() {
            let values = exact(pattern)?;
            let known = self
                .demands
                .iter()
                .any(|(name, accepted)| name.eq_ignore_ascii_case(header) && values.iter().all(|value| accepted.contains(value)));
            // The header may also stand more than once: only "is none of these" is sure.
            return match sign {
                "==" if known && !written => Some(false),
                _ => None,
            };
        }
        match (&test.subject, &test.comparison) {
            (super::tree::Value::Call(call), None) if call.arguments.is_empty() => match call.name.as_str() {
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Whether an action sends a copy to an address that the message itself brings.
fn copies_to_recipients(call: &Call) -> bool {
    matches!(call.name.as_str(), "bcc" | "bcc-scan" | "notify-copy")
        && call.arguments.first().is_none_or(|address| address.quoted().is_none_or(|address| address.contains('$')))
}
