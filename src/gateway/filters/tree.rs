//! The tree of a filter.

use super::lexer::Span;

/// Statements in braces, or a whole text.
#[derive(Debug, Clone, Default)]
pub(in crate::gateway) struct Block {
    /// The statements in their order.
    pub(super) statements: Vec<Statement>,
    /// The brace that opens it.
    pub(super) open: Span,
    /// The brace that closes it.
    pub(super) close: Span,
}

/// What a filter does.
#[derive(Debug, Clone)]
pub(super) enum Statement {
    /// `if … { … } elif … { … } else { … }`.
    If(Vec<Branch>, Option<(Span, Block)>),
    /// An action.
    Action(Call),
}

/// One condition and what is done if it holds.
#[derive(Debug, Clone)]
pub(super) struct Branch {
    /// `if`, `elif` or `else if`.
    pub(super) keyword: Span,
    pub(super) condition: Condition,
    pub(super) block: Block,
}

/// What is asked about a message.
#[derive(Debug, Clone)]
pub(super) enum Condition {
    /// At least two, none of which is itself one of these, each with the place of the word before it.
    Or(Vec<(Span, Condition)>),
    /// The same.
    And(Vec<(Span, Condition)>),
    Not(Span, Box<Condition>),
    Test(Test),
}

/// One rule, and what it is compared with.
#[derive(Debug, Clone)]
pub(super) struct Test {
    pub(super) subject: Value,
    pub(super) comparison: Option<Comparison>,
}

/// What stands behind the subject of a comparison.
#[derive(Debug, Clone)]
pub(super) struct Comparison {
    pub(super) sign: &'static str,
    pub(super) at: Span,
    pub(super) value: Value,
}

/// What is compared, or handed to a rule or an action.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// A string, without its escapes.
    Quoted(String, Span),
    /// A number, a size, or any word that is not the name of a call.
    Word(String, Span),
    /// A rule, with or without arguments.
    Call(Call),
    /// `['a', 'b']`.
    List(Vec<Value>, Span),
    /// `"issuer" == "…"`, as in `signed-certificate`.
    Compared(Box<Value>, Box<Comparison>),
}

/// A rule or an action by its name.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// In lower case, with hyphens.
    pub(super) name: String,
    pub(super) arguments: Vec<Value>,
    /// Where the name stands.
    pub(super) at: Span,
    /// What ends it: the parenthesis, or the name again.
    pub(super) end: Span,
}

impl Value {
    /// The place of the value.
    pub(super) fn span(&self) -> Span {
        match self {
            Value::Quoted(_, span) | Value::Word(_, span) | Value::List(_, span) => *span,
            Value::Call(call) => call.at.to(call.end),
            Value::Compared(subject, comparison) => subject.span().to(comparison.value.span()),
        }
    }

    /// A text between quotes.
    pub(super) fn quoted(&self) -> Option<&str> {
        match self {
            Value::Quoted(text, _) => Some(text),
            _ => None,
        }
    }
}

impl Test {
    /// A rule without arguments that is compared: its name, the sign, and the text.
    pub(super) fn plain(&self) -> Option<(&str, &'static str, &str)> {
        match (&self.subject, &self.comparison) {
            (Value::Call(call), Some(comparison)) if call.arguments.is_empty() => {
                Some((&call.name, comparison.sign, comparison.value.quoted()?))
            }
            _ => None,
        }
    }

    /// A header that is compared: its name, the sign, and the pattern.
    pub(super) fn header(&self) -> Option<(&str, &'static str, &str)> {
        match (&self.subject, &self.comparison) {
            (Value::Call(Call { name, arguments, .. }), Some(comparison)) if name == "header" => match arguments.as_slice() {
                [header] => Some((header.quoted()?, comparison.sign, comparison.value.quoted()?)),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Calls `each` with every test of a block, in the order of the text.
pub(super) fn walk<'a>(block: &'a Block, each: &mut impl FnMut(&'a Test)) {
    for statement in &block.statements {
        let Statement::If(branches, otherwise) = statement else { continue };
        for branch in branches {
            tests(&branch.condition, each);
            walk(&branch.block, each);
        }
        if let Some((_, block)) = otherwise {
            walk(block, each);
        }
    }
}

fn tests<'a>(condition: &'a Condition, each: &mut impl FnMut(&'a Test)) {
    match condition {
        Condition::Or(parts) | Condition::And(parts) => parts.iter().for_each(|(_, part)| tests(part, each)),
        Condition::Not(_, part) => tests(part, each),
        Condition::Test(test) => each(test),
    }
}
