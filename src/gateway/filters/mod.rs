//! The language of message filters: a text is a tree.
//!
//! ```text
//! if (recv-listener == "IncomingMail") and (body-size > 10M) {
//!   quarantine("Policy");
//! } elif header("X-AUTH") != "^secret1$" {
//!   drop();
//! } else {
//!   skip-filters();
//! }
//! ```
//!
//! The device keeps no comments and prints a filter in its own layout: with parentheses around each comparison, other quotes, sizes in bytes. So
//! texts are compared as trees ([`meaning`], [`difference`]), and what may be shown of them ([`masked`]), what they refer to ([`references`]) and
//! what they guard ([`guard()`]) are functions of the tree, too. A text that does not parse stays text: it is compared by its words, and every
//! string in it is hidden. Nothing here does I/O, panics, or takes longer than the text is long.

mod guard;
mod lexer;
mod literals;
mod masking;
mod number;
mod parser;
mod same;
mod tree;
mod words;

#[cfg(test)]
mod tests;

pub(super) use guard::demanded;
pub(super) use guard::{guard, may_skip};
pub(super) use lexer::Place;
pub(super) use literals::{compared_secrets, relay_parts};
pub(super) use masking::{masked, secrets, without_values, without_values_of_filters};
pub(super) use parser::label;
pub(super) use same::{difference, meaning};

use self::lexer::{Token, tokens};
use self::tree::{Value, walk};

/// Something of the gateway that a filter names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    /// What is named.
    pub(super) kind: Referent,
    /// Its name.
    pub(super) name: String,
    /// Where the filter names it.
    pub(super) place: Place,
}

/// What a filter can name and the gateway shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Referent {
    /// `recv-listener`.
    Listener,
}

/// The things of the gateway that a filter names by their whole names, as far as the gateway shows them. A `sendergroup` is a pattern, and no
/// reference.
pub(super) fn references(text: &str) -> Vec<Reference> {
    let mut found = Vec::new();
    let Ok(block) = parser::parse(text) else { return found };
    walk(&block, &mut |test| {
        let Some(("recv-listener", "==" | "!=", name)) = test.plain() else { return };
        let at = test.comparison.as_ref().map_or(0, |comparison| match &comparison.value {
            Value::Quoted(_, span) => span.start,
            _ => comparison.at.start,
        });
        found.push(Reference { kind: Referent::Listener, name: name.to_owned(), place: Place::of(text, at) });
    });
    found
}

/// Says why a text cannot be the script of a filter, with the place: a label of its own, a string, a bracket or an action that does not end. What
/// only this provider does not know is no reason.
pub(super) fn check(text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("It is empty.".to_owned());
    }
    let plain = text.replace("\r\n", "\n");
    if let Some((at, letter)) =
        plain.char_indices().find(|(_, letter)| !matches!(letter, '\n' | '\t') && super::resources::forms::is_control(*letter))
    {
        return Err(format!(
            "It has a control character (U+{:04X}) at {}, which is never sent to the gateway.",
            u32::from(letter),
            Place::of(&plain, at)
        ));
    }
    if let Some(at) = plain.lines().position(|line| line.trim() == ".") {
        return Err(format!("Line {} is a single dot, which ends the text for the device.", at + 1));
    }
    let told = |at: usize, why: &str| format!("At {}: {why}", Place::of(&plain, at));
    let found = tokens(&plain).map_err(|at| told(at, &parser::unended(at).why))?;
    let broken = found.iter().find(|(token, _)| matches!(token, Token::Quoted(string) if string.contains(['\n', '\t'])));
    if let Some((_, span)) = broken {
        return Err(told(
            span.start,
            "The string that begins here has a line end or a tab in it, which cannot be typed on the device.",
        ));
    }
    if found.is_empty() {
        return Err("It has nothing but comments.".to_owned());
    }
    if label(&plain).is_some() {
        return Err(
            "It brings a label of its own (\"name:\"). Leave the label out: the provider adds it from the attribute name."
                .to_owned(),
        );
    }
    match parser::parse_complete(&plain) {
        Err(unread) if unread.sure => Err(told(unread.at, &unread.why)),
        _ => Ok(()),
    }
}
