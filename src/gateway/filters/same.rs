//! When two texts mean the same, and where they first do not.
//!
//! Both are written out in one spelling, token by token, each token with the place that it has in its own text. The parentheses of the one spelling
//! are those that the order of `or`, `and` and `not` needs. A text that cannot be read is taken as its words.

use super::lexer::{Place, Span, Token, tokens};
use super::number::{canonical_date, canonical_number};
use super::parser::parse;
use super::tree::{Block, Call, Comparison, Condition, Statement, Value};
use super::words::{Position, may_be_shown};

/// A token of the one spelling.
pub(super) struct Piece {
    text: String,
    /// Its place in the text that it was made of.
    pub(super) span: Span,
    /// A text in quotes that may not be shown.
    pub(super) is_hidden: bool,
}

/// Brings a filter's text to one spelling. It is for comparing only.
pub(in crate::gateway) fn meaning(text: &str) -> String {
    match pieces(text) {
        Some(pieces) => {
            let mut spelling = String::with_capacity(text.len());
            for piece in pieces {
                if !spelling.is_empty() {
                    spelling.push(' ');
                }
                spelling.push_str(&piece.text);
            }
            spelling
        }
        // No filter: only equal to itself, blanks aside.
        None => text.split_whitespace().collect::<Vec<_>>().join(" "),
    }
}

/// Where two texts first differ in meaning: the token and its place in the one, and in the other; `None` if they mean the same. A text that may be
/// a secret is not shown.
pub(in crate::gateway) fn difference(one: &str, other: &str) -> Option<[String; 2]> {
    if meaning(one) == meaning(other) {
        return None;
    }
    let (ours, theirs) = (pieces(one).unwrap_or_default(), pieces(other).unwrap_or_default());
    let at = ours.iter().zip(&theirs).take_while(|(one, other)| one.text == other.text).count();
    Some([told(one, ours.get(at)), told(other, theirs.get(at))])
}

fn told(text: &str, piece: Option<&Piece>) -> String {
    let place = Place::of(text, piece.map_or(text.len(), |piece| piece.span.start));
    match piece {
        Some(piece) if piece.is_hidden => format!("a text that is not shown ({place})"),
        Some(piece) if piece.text.starts_with('"') => format!("{} ({place})", piece.text),
        Some(piece) => format!("`{}` ({place})", piece.text),
        None => format!("the end ({place})"),
    }
}

/// The one spelling of a text; `None` for a text that cannot even be taken apart.
pub(super) fn pieces(text: &str) -> Option<Vec<Piece>> {
    match parse(text) {
        Ok(block) => {
            let mut writer = Writer::default();
            writer.statements(&block);
            Some(writer.pieces)
        }
        Err(_) => words(text),
    }
}

/// The words of a text that has no tree: as they stand, in one kind of quotes, without parentheses around a whole condition and without
/// semicolons that separate nothing.
fn words(text: &str) -> Option<Vec<Piece>> {
    let found = without_outer_parentheses(tokens(text).ok()?);
    let mut pieces = Vec::with_capacity(found.len());
    for (at, (token, span)) in found.iter().enumerate() {
        let sign = |at: Option<usize>| match at.and_then(|at| found.get(at)) {
            None => None,
            Some((Token::Sign(sign), _)) => Some(*sign),
            Some(_) => Some(""),
        };
        let idle = *token == Token::Sign(";")
            && (matches!(sign(Some(at + 1)), None | Some("}" | ";")) || matches!(sign(at.checked_sub(1)), Some("}" | "{")));
        if idle {
            continue;
        }
        let (text, is_hidden) = match token {
            Token::Quoted(inside) => (quoted(inside), !inside.is_empty()),
            Token::Word(word) if is_keyword(word) => (word.to_ascii_lowercase(), false),
            Token::Word(word) => ((*word).to_owned(), false),
            Token::Sign(sign) => ((*sign).to_owned(), false),
            Token::Other(letter) => (letter.to_string(), false),
        };
        pieces.push(Piece { text, span: *span, is_hidden });
    }
    Some(pieces)
}

fn is_keyword(word: &str) -> bool {
    ["if", "else", "elif", "and", "or", "not", "true", "false"].iter().any(|keyword| word.eq_ignore_ascii_case(keyword))
}

/// Drops the parentheses in `if (condition) {`.
fn without_outer_parentheses(found: Vec<(Token<'_>, Span)>) -> Vec<(Token<'_>, Span)> {
    let partners = partners(&found);
    let mut dropped = vec![false; found.len()];
    for (at, (token, _)) in found.iter().enumerate() {
        if !matches!(token, Token::Word(word) if ["if", "elif"].iter().any(|keyword| word.eq_ignore_ascii_case(keyword))) {
            continue;
        }
        let mut open = at + 1;
        let mut before_brace = None;
        while let Some(Some(close)) = partners.get(open) {
            // The outermost pair ends before the brace; each further one ends right before the one around it.
            let is_whole = match before_brace {
                None => matches!(found.get(close + 1), Some((Token::Sign("{"), _))),
                Some(outer) => close + 1 == outer,
            };
            if !is_whole {
                break;
            }
            for one in [open, *close] {
                if let Some(flag) = dropped.get_mut(one) {
                    *flag = true;
                }
            }
            before_brace = Some(*close);
            open += 1;
        }
    }
    found.into_iter().zip(dropped).filter(|(_, dropped)| !dropped).map(|(token, _)| token).collect()
}

/// For each opening parenthesis the place of its partner.
fn partners(found: &[(Token<'_>, Span)]) -> Vec<Option<usize>> {
    let mut partners = vec![None; found.len()];
    let mut open = Vec::new();
    for (at, (token, _)) in found.iter().enumerate() {
        match token {
            Token::Sign("(") => open.push(at),
            Token::Sign(")") => {
                if let Some(partner) = open.pop().and_then(|from: usize| partners.get_mut(from)) {
                    *partner = Some(at);
                }
            }
            _ => {}
        }
    }
    partners
}

/// A string in the one kind of quotes.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.escape_debug())
}

#[derive(Default)]
struct Writer {
    pieces: Vec<Piece>,
}

/// How strong what stands around a condition binds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Or,
    And,
    Not,
}

impl Writer {
    fn push(&mut self, text: impl Into<String>, span: Span) {
        self.pieces.push(Piece { text: text.into(), span, is_hidden: false });
    }

    fn statements(&mut self, block: &Block) {
        for statement in &block.statements {
            self.statement(statement);
        }
    }

    fn block(&mut self, block: &Block) {
        self.push("{", block.open);
        self.statements(block);
        self.push("}", block.close);
    }

    fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::Action(call) => {
                self.push(call.name.as_str(), call.at);
                self.arguments(call);
                self.push(";", call.end);
            }
            Statement::If(branches, otherwise) => {
                for (at, branch) in branches.iter().enumerate() {
                    self.push(if at == 0 { "if" } else { "elif" }, branch.keyword);
                    self.condition(&branch.condition, Binding::Or);
                    self.block(&branch.block);
                }
                if let Some((keyword, block)) = otherwise {
                    self.push("else", *keyword);
                    self.block(block);
                }
            }
        }
    }

    fn condition(&mut self, condition: &Condition, around: Binding) {
        match condition {
            Condition::Or(parts) => self.joined("or", parts, Binding::Or, around),
            Condition::And(parts) => self.joined("and", parts, Binding::And, around),
            Condition::Not(at, part) => {
                self.push("not", *at);
                self.condition(part, Binding::Not);
            }
            Condition::Test(test) => {
                self.value(&test.subject, None);
                if let Some(comparison) = &test.comparison {
                    self.comparison(&test.subject, comparison);
                }
            }
        }
    }

    fn joined(&mut self, word: &str, parts: &[(Span, Condition)], own: Binding, around: Binding) {
        let span = parts.first().map_or_else(Span::default, |(_, part)| begin(part));
        if own < around {
            self.push("(", span);
        }
        for (at, (before, part)) in parts.iter().enumerate() {
            if at > 0 {
                self.push(word, *before);
            }
            self.condition(part, own);
        }
        if own < around {
            self.push(")", parts.last().map_or(span, |(_, part)| begin(part)));
        }
    }

    fn comparison(&mut self, subject: &Value, comparison: &Comparison) {
        self.push(comparison.sign, comparison.at);
        let name = match subject {
            Value::Call(call) => Some(call.name.as_str()),
            _ => None,
        };
        match &comparison.value {
            Value::Quoted(text, span) if name == Some("date") => {
                let text = canonical_date(text).unwrap_or_else(|| text.clone());
                self.value(&Value::Quoted(text, *span), Some(true));
            }
            value => self.value(value, Some(name.is_some_and(|name| may_be_shown(name, Position::Compared)))),
        }
    }

    fn arguments(&mut self, call: &Call) {
        if call.arguments.is_empty() {
            return;
        }
        self.push("(", call.end);
        for (at, argument) in call.arguments.iter().enumerate() {
            if at > 0 {
                self.push(",", argument.span());
            }
            self.value(argument, Some(may_be_shown(&call.name, Position::Argument(at))));
        }
        self.push(")", call.end);
    }

    /// A value; `shown` tells whether a text in it may be shown.
    fn value(&mut self, value: &Value, shown: Option<bool>) {
        match value {
            Value::Quoted(text, span) => {
                let is_hidden = shown != Some(true) && !text.is_empty();
                self.pieces.push(Piece { text: quoted(text), span: *span, is_hidden });
            }
            Value::Word(word, span) => self.push(canonical_number(word).unwrap_or_else(|| word.clone()), *span),
            Value::Call(call) => {
                self.push(call.name.as_str(), call.at);
                self.arguments(call);
            }
            Value::List(values, span) => {
                self.push("[", *span);
                for (at, value) in values.iter().enumerate() {
                    if at > 0 {
                        self.push(",", value.span());
                    }
                    self.value(value, shown);
                }
                self.push("]", Span { start: span.end.saturating_sub(1), end: span.end });
            }
            Value::Compared(subject, comparison) => {
                self.value(subject, shown);
                self.push(comparison.sign, comparison.at);
                self.value(&comparison.value, shown);
            }
        }
    }
}

/// The place where a condition begins.
fn begin(condition: &Condition) -> Span {
    match condition {
        Condition::Or(parts) | Condition::And(parts) => parts.first().map_or_else(Span::default, |(_, part)| begin(part)),
        Condition::Not(span, _) => *span,
        Condition::Test(test) => test.subject.span(),
    }
}
