//! Reads a filter's text into its tree.
//!
//! The grammar is that of the admin manual's chapter "Using Message Filters to Enforce Email Policies". `or` binds least, then `and`, then `not`,
//! then a comparison or a call. Names of rules and actions are not looked up: another release may know more of them than this provider.

use super::lexer::{self, Placed, Span, Token, tokens};
use super::tree::{Block, Branch, Call, Comparison, Condition, Statement, Test, Value};

/// How deep parentheses, negations and braces may stand in each other. A text that is deeper is not read, and no filter is.
const DEEPEST: usize = 64;

/// Why a text could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unread {
    /// The byte where reading ended.
    pub(super) at: usize,
    /// What is wrong there.
    pub(super) why: String,
    /// Whether no release can know better: brackets that do not pair, a string that does not end, and the like.
    pub(super) sure: bool,
}

type Read<T> = Result<T, Unread>;

/// Conditions, each with the place of the word before it.
type Parts = Vec<(Span, Condition)>;

/// Reads the text of a filter, without a label. The last action in braces may lack its semicolon: that changes nothing of what it means.
pub(super) fn parse(text: &str) -> Read<Block> {
    read(text, false)
}

/// The same for a text that is to be typed, in which every action needs its semicolon.
pub(super) fn parse_complete(text: &str) -> Read<Block> {
    read(text, true)
}

fn read(text: &str, complete: bool) -> Read<Block> {
    let tokens = tokens(text).map_err(unended)?;
    pairs(&tokens, text.len())?;
    let mut reader = Reader { tokens: &tokens, at: 0, depth: 0, complete, end: Span { start: text.len(), end: text.len() } };
    let block = reader.statements(false)?;
    match reader.peek() {
        None => Ok(block),
        Some(_) => Err(reader.unknown("a statement")),
    }
}

/// A label in front of a filter: its name, whether it marks the filter as inactive, and where the text begins.
pub(in crate::gateway) fn label(text: &str) -> Option<(&str, bool, usize)> {
    let tokens = tokens(text).ok()?;
    let name = |token: &Placed<'_>| match token {
        (Token::Word(_) | Token::Quoted(_), span) => text.get(span.start..span.end),
        _ => None,
    };
    match tokens.as_slice() {
        [first, (Token::Sign(":"), end), ..] => Some((name(first)?, false, end.end)),
        [first, (Token::Sign("!"), _), (Token::Sign(":"), end), ..] => Some((name(first)?, true, end.end)),
        _ => None,
    }
}

/// A text with a string that has no end.
pub(super) fn unended(at: usize) -> Unread {
    Unread { at, why: "The string that begins here does not end.".to_owned(), sure: true }
}

/// Holds the brackets against each other: whatever the words mean, these have to pair.
fn pairs(tokens: &[Placed<'_>], end: usize) -> Read<()> {
    let wrong = |at: usize, why: String| Err(Unread { at, why, sure: true });
    let mut open: Vec<(&str, &str, Span)> = Vec::new();
    for (token, span) in tokens {
        let Token::Sign(sign) = token else { continue };
        match *sign {
            "(" => open.push(("(", ")", *span)),
            "{" => open.push(("{", "}", *span)),
            "[" => open.push(("[", "]", *span)),
            close @ (")" | "}" | "]") => match open.pop() {
                Some((_, wanted, _)) if wanted == close => {}
                Some((sign, _, from)) => {
                    return wrong(
                        from.start,
                        format!("The \"{sign}\" has no partner before the \"{close}\" that ends what is around it."),
                    );
                }
                None => return wrong(span.start, format!("The \"{close}\" has no partner before it.")),
            },
            _ => {}
        }
    }
    match open.pop() {
        Some((sign, _, from)) if from.start <= end => wrong(from.start, format!("The \"{sign}\" has no partner behind it.")),
        _ => Ok(()),
    }
}

struct Reader<'a, 't> {
    tokens: &'t [Placed<'a>],
    at: usize,
    depth: usize,
    /// Whether every action needs its semicolon.
    complete: bool,
    /// The end of the text.
    end: Span,
}

/// The words that are no names.
const KEYWORDS: [&str; 8] = ["if", "elif", "elsif", "elseif", "else", "and", "or", "not"];

impl<'a> Reader<'a, '_> {
    fn peek(&self) -> Option<&Token<'a>> {
        self.tokens.get(self.at).map(|(token, _)| token)
    }

    fn place(&self) -> Span {
        self.tokens.get(self.at).map_or(self.end, |(_, span)| *span)
    }

    fn before(&self) -> Span {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(self.end, |(_, span)| *span)
    }

    fn is(&self, sign: &str) -> bool {
        matches!(self.peek(), Some(Token::Sign(found)) if *found == sign)
    }

    fn is_word(&self, words: &[&str]) -> bool {
        matches!(self.peek(), Some(Token::Word(word)) if words.iter().any(|one| word.eq_ignore_ascii_case(one)))
    }

    fn takes(&mut self, sign: &str) -> Option<Span> {
        let span = self.is(sign).then(|| self.place())?;
        self.at += 1;
        Some(span)
    }

    fn takes_word(&mut self, words: &[&str]) -> Option<Span> {
        let span = self.is_word(words).then(|| self.place())?;
        self.at += 1;
        Some(span)
    }

    /// What stands here is nothing that this reader knows; another release may.
    fn unknown(&self, wanted: &str) -> Unread {
        Unread { at: self.place().start, why: format!("{wanted} should stand here."), sure: false }
    }

    /// What stands here is wrong in any release.
    fn wrong(&self, why: &str) -> Unread {
        Unread { at: self.place().start, why: why.to_owned(), sure: true }
    }

    /// Goes one level deeper for as long as `read` takes.
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        if self.depth >= DEEPEST {
            return Err(Unread {
                at: self.place().start,
                why: "The text is nested too deep to be read.".to_owned(),
                sure: false,
            });
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    /// Statements up to a closing brace, or to the end.
    fn statements(&mut self, inside: bool) -> Read<Block> {
        let mut block = Block::default();
        loop {
            match self.peek() {
                None => return Ok(block),
                Some(Token::Sign("}")) if inside => return Ok(block),
                Some(Token::Sign(";")) => self.at += 1,
                // Braces of their own have no effect.
                Some(Token::Sign("{")) => block.statements.extend(self.block()?.statements),
                _ => block.statements.push(self.statement()?),
            }
        }
    }

    fn block(&mut self) -> Read<Block> {
        let Some(open) = self.takes("{") else { return Err(self.unknown("\"{\"")) };
        let block = self.deeper(|reader| reader.statements(true))?;
        match self.takes("}") {
            Some(close) => Ok(Block { open, close, ..block }),
            None => Err(self.unknown("\"}\"")),
        }
    }

    fn statement(&mut self) -> Read<Statement> {
        if let Some(keyword) = self.takes_word(&["if"]) {
            return self.branches(keyword);
        }
        if self.is_word(&KEYWORDS) {
            return Err(if self.is_word(&["elif", "elsif", "elseif", "else"]) {
                self.wrong("This has no \"if\" before it.")
            } else {
                self.unknown("an action")
            });
        }
        let Some(call) = self.call()? else { return Err(self.unknown("an action")) };
        let is_last = matches!(self.peek(), None | Some(Token::Sign("}")));
        if self.takes(";").is_none() && (self.complete || !is_last) {
            // A statement that begins right behind a call shows what is missing; so does a brace or the end.
            return Err(match self.peek() {
                None | Some(Token::Word(_) | Token::Sign("}")) if call.end != call.at => {
                    Unread { at: self.before().end, why: "A \";\" is missing behind this action.".to_owned(), sure: true }
                }
                _ => self.unknown("\";\""),
            });
        }
        Ok(Statement::Action(call))
    }

    fn branches(&mut self, mut keyword: Span) -> Read<Statement> {
        let mut branches = Vec::new();
        loop {
            if self.is("{") {
                return Err(self.wrong("A condition is missing before the \"{\"."));
            }
            let condition = self.condition()?;
            branches.push(Branch { keyword, condition, block: self.block()? });
            if let Some(next) = self.takes_word(&["elif", "elsif", "elseif"]) {
                keyword = next;
            } else if let Some(otherwise) = self.takes_word(&["else"]) {
                if let Some(next) = self.takes_word(&["if"]) {
                    keyword = otherwise.to(next);
                    continue;
                }
                let block = self.block()?;
                // `else { if … }` is `elif …`.
                if let ([Statement::If(..)], Some(Statement::If(more, rest))) =
                    (block.statements.as_slice(), block.statements.first().cloned())
                {
                    branches.extend(more);
                    return Ok(Statement::If(branches, rest));
                }
                return Ok(Statement::If(branches, Some((otherwise, block))));
            } else {
                return Ok(Statement::If(branches, None));
            }
        }
    }

    fn condition(&mut self) -> Read<Condition> {
        self.joined(
            &["or"],
            Self::conjunction,
            |parts| match parts {
                Condition::Or(parts) => Ok(parts),
                other => Err(other),
            },
            Condition::Or,
        )
    }

    fn conjunction(&mut self) -> Read<Condition> {
        self.joined(
            &["and"],
            Self::negation,
            |parts| match parts {
                Condition::And(parts) => Ok(parts),
                other => Err(other),
            },
            Condition::And,
        )
    }

    /// Parts with a word between them. Parts of parts are parts: `(a or b) or c` is `a or b or c`.
    fn joined(
        &mut self,
        word: &[&str],
        part: fn(&mut Self) -> Read<Condition>,
        flat: fn(Condition) -> Result<Parts, Condition>,
        join: fn(Parts) -> Condition,
    ) -> Read<Condition> {
        let first = part(self)?;
        if !self.is_word(word) {
            return Ok(first);
        }
        let mut parts = Vec::new();
        let mut add = |before: Span, condition| match flat(condition) {
            Ok(inner) => {
                let placed = |(at, (place, condition))| (if at == 0 { before } else { place }, condition);
                parts.extend(inner.into_iter().enumerate().map(placed));
            }
            Err(other) => parts.push((before, other)),
        };
        add(Span::default(), first);
        while let Some(before) = self.takes_word(word) {
            self.needs_operand()?;
            add(before, part(self)?);
        }
        Ok(join(parts))
    }

    /// Fails where an operator has nothing to work on.
    fn needs_operand(&self) -> Read<()> {
        match self.peek() {
            None | Some(Token::Sign(")" | "{" | "}" | ";" | ",")) => {
                Err(Unread { at: self.before().start, why: "Nothing stands behind this operator.".to_owned(), sure: true })
            }
            _ => Ok(()),
        }
    }

    fn negation(&mut self) -> Read<Condition> {
        let Some(not) = self.takes_word(&["not"]).or_else(|| self.takes("!")) else { return self.comparison() };
        self.needs_operand()?;
        let part = self.deeper(Self::negation)?;
        Ok(Condition::Not(not, Box::new(part)))
    }

    fn comparison(&mut self) -> Read<Condition> {
        if self.takes("(").is_some() {
            if self.is(")") {
                return Err(self.wrong("The parentheses have no condition in them."));
            }
            let inside = self.deeper(Self::condition)?;
            if self.takes(")").is_none() {
                return Err(self.unknown("\")\""));
            }
            // `(subject) == "x"`.
            return match inside {
                Condition::Test(Test { subject, comparison: None }) => {
                    Ok(Condition::Test(Test { subject, comparison: self.compared()? }))
                }
                other => Ok(other),
            };
        }
        let subject = self.value(true)?;
        Ok(Condition::Test(Test { subject, comparison: self.compared()? }))
    }

    fn compared(&mut self) -> Read<Option<Comparison>> {
        let Some(Token::Sign(sign @ ("==" | "!=" | "<=" | ">=" | "<" | ">"))) = self.peek().cloned() else { return Ok(None) };
        let at = self.place();
        self.at += 1;
        self.needs_operand()?;
        if self.is_word(&["and", "or", "not"]) {
            return Err(Unread { at: at.start, why: "Nothing stands behind this operator.".to_owned(), sure: true });
        }
        Ok(Some(Comparison { sign, at, value: self.value(false)? }))
    }

    /// A value. Where a rule stands, a word is the name of one.
    fn value(&mut self, is_rule: bool) -> Read<Value> {
        let place = self.place();
        match self.peek().cloned() {
            Some(Token::Quoted(inside)) => {
                self.at += 1;
                Ok(Value::Quoted(lexer::unescaped(inside), place))
            }
            Some(Token::Word(word)) if !KEYWORDS.iter().any(|keyword| word.eq_ignore_ascii_case(keyword)) => {
                let is_name = word.starts_with(|letter: char| letter.is_alphabetic() || letter == '_');
                if is_name && (is_rule || matches!(self.tokens.get(self.at + 1), Some((Token::Sign("("), _)))) {
                    return Ok(self.call()?.map_or_else(|| Value::Word(word.to_owned(), place), Value::Call));
                }
                self.at += 1;
                Ok(Value::Word(word.to_owned(), place))
            }
            Some(Token::Sign("(")) => {
                self.at += 1;
                let value = self.deeper(|reader| reader.value(is_rule))?;
                if self.takes(")").is_none() {
                    return Err(self.unknown("\")\""));
                }
                Ok(value)
            }
            Some(Token::Sign("[")) => {
                self.at += 1;
                let (values, close) = self.deeper(|reader| reader.values("]"))?;
                Ok(Value::List(values, place.to(close)))
            }
            _ => Err(self.unknown("a rule or a value")),
        }
    }

    /// Values with commas between them, up to the bracket that closes.
    fn values(&mut self, close: &str) -> Read<(Vec<Value>, Span)> {
        let mut values = Vec::new();
        if let Some(end) = self.takes(close) {
            return Ok((values, end));
        }
        loop {
            let value = self.value(false)?;
            values.push(match self.compared()? {
                Some(comparison) => Value::Compared(Box::new(value), Box::new(comparison)),
                None => value,
            });
            if let Some(end) = self.takes(close) {
                return Ok((values, end));
            }
            if self.takes(",").is_none() {
                return Err(self.unknown("\",\""));
            }
        }
    }

    /// A name, with arguments if it has any. Empty parentheses are none.
    fn call(&mut self) -> Read<Option<Call>> {
        let Some(Token::Word(word)) = self.peek() else { return Ok(None) };
        if !word.starts_with(|letter: char| letter.is_alphabetic() || letter == '_') {
            return Ok(None);
        }
        let name = canonical_name(word);
        let at = self.place();
        self.at += 1;
        let (arguments, end) = match self.takes("(") {
            Some(_) => self.deeper(|reader| reader.values(")"))?,
            None => (Vec::new(), at),
        };
        Ok(Some(Call { name, arguments, at, end }))
    }
}

/// The name of a rule or an action in its one spelling.
pub(super) fn canonical_name(word: &str) -> String {
    word.to_ascii_lowercase().replace('_', "-")
}
