//! A filter's text as tokens, each with its place.

/// A part of a text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::gateway) struct Span {
    /// Where it begins.
    pub(in crate::gateway) start: usize,
    /// Where it ends.
    pub(in crate::gateway) end: usize,
}

impl Span {
    /// The whole from the beginning of this one to the end of another.
    pub(super) fn to(self, end: Span) -> Span {
        Span { start: self.start, end: end.end }
    }
}

/// A place in a text as an editor shows it: both are counted from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::gateway) struct Place {
    line: usize,
    column: usize,
}

impl Place {
    /// The place of a byte; the end of the text for a byte behind it.
    pub(super) fn of(text: &str, at: usize) -> Place {
        let before = text.get(..at).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        let column = before.get(start..).map_or(0, |line| line.chars().count()) + 1;
        Place { line: before.matches('\n').count() + 1, column }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, form: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(form, "line {}, column {}", self.line, self.column)
    }
}

/// A token of the language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A string as it stands between its quotes, escapes and all.
    Quoted(&'a str),
    /// A name, a keyword or a number.
    Word(&'a str),
    /// An operator or a bracket.
    Sign(&'static str),
    /// Any other character.
    Other(char),
}

/// A token at its place.
pub(super) type Placed<'a> = (Token<'a>, Span);

/// The longest signs stand first.
const SIGNS: [&str; 17] = ["==", "!=", "<=", ">=", "<", ">", "(", ")", "{", "}", "[", "]", ";", ",", ":", "!", "="];

/// Takes a text apart. The error is the place of a string that does not end.
pub(super) fn tokens(text: &str) -> Result<Vec<Placed<'_>>, usize> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some((rest, first)) = text.get(at..).and_then(|rest| Some((rest, rest.chars().next()?))) {
        let (token, length) = if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        } else if first == '#' {
            at += rest.find('\n').map_or(rest.len(), |end| end + 1);
            continue;
        } else if first == '"' || first == '\'' {
            let inside = string(rest, first).ok_or(at)?;
            (Token::Quoted(inside), inside.len() + 2)
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            (Token::Sign(sign), sign.len())
        } else if is_word(first) {
            let word = rest.get(..rest.find(|letter| !is_word(letter)).unwrap_or(rest.len())).unwrap_or_default();
            (Token::Word(word), word.len())
        } else {
            (Token::Other(first), first.len_utf8())
        };
        tokens.push((token, Span { start: at, end: at + length }));
        at += length;
    }
    Ok(tokens)
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || "_-.$@/*+%".contains(letter)
}

/// What stands between the quotes at the front.
fn string(text: &str, quote: char) -> Option<&str> {
    let inside = text.get(1..)?;
    let mut escaped = false;
    for (at, letter) in inside.char_indices() {
        if letter == quote && !escaped {
            return inside.get(..at);
        }
        escaped = letter == '\\' && !escaped;
    }
    None
}

/// A string as the language means it: the parser takes a backslash off a quote and off another backslash, and leaves any other alone.
pub(super) fn unescaped(inside: &str) -> String {
    let mut meant = String::with_capacity(inside.len());
    let mut letters = inside.chars().peekable();
    while let Some(letter) = letters.next() {
        match letters.peek() {
            Some('\\' | '"' | '\'') if letter == '\\' => meant.extend(letters.next()),
            _ => meant.push(letter),
        }
    }
    meant
}
