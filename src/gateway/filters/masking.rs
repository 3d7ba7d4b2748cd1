//! The texts in filters that are shown to people: without what they compare with and write, which may be a secret, of this provider's user or of
//! other administrators. What names a thing of the gateway itself (a listener, a quarantine, a dictionary) is no secret, and is what an error is
//! about as often as not.

use std::sync::LazyLock;

use regex::Regex;

use super::lexer::tokens;
use super::parser::{canonical_name, label};
use super::same::pieces;
use super::words::{Position, may_be_shown};
use crate::gateway::transcript::HIDDEN;

/// What stands before a name in the device's own words: `Interface 'x' unknown`.
static NAMES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:^|[^a-z_-])(?:interface|listener|quarantine|dictionary|profile|group|policy)\s+$")
        .expect("the pattern is a constant, and a test uses it")
});

/// The longest of these words, with what stands around it.
const LOOK_BACK: usize = 64;

/// How far back the rule or action is looked for that a text belongs to.
const FAR_BACK: usize = 1024;

/// A filter's text as a reviewer may read it: every text hidden that may be a secret, and comments left out, which may hold one, too. Of what
/// cannot be read as a filter, every text in quotes is hidden.
pub(in crate::gateway) fn masked(text: &str) -> String {
    let (Some(pieces), Ok(tokens)) = (pieces(text), tokens(text)) else { return without(text, |_| false) };
    let hidden: Vec<usize> = pieces.iter().filter(|piece| piece.is_hidden).map(|piece| piece.span.start).collect();
    let mut shown = String::with_capacity(text.len());
    let mut at = 0;
    for (_, span) in &tokens {
        without_comments(text.get(at..span.start).unwrap_or_default(), &mut shown);
        let token = text.get(span.start..span.end).unwrap_or_default();
        match token.chars().next() {
            Some(quote) if hidden.binary_search(&span.start).is_ok() => {
                shown.push(quote);
                hide(token, &mut shown);
                shown.push(quote);
            }
            _ => shown.push_str(token),
        }
        at = span.end;
    }
    without_comments(text.get(at..).unwrap_or_default(), &mut shown);
    shown
}

/// What stands between two tokens, without comments.
fn without_comments(gap: &str, shown: &mut String) {
    for line in gap.split_inclusive('\n') {
        match line.split_once('#') {
            None => shown.push_str(line),
            Some((before, _)) => {
                shown.push_str(before.trim_end_matches([' ', '\t']));
                if line.ends_with('\n') {
                    shown.push('\n');
                }
            }
        }
    }
}

/// Puts the mask in place of a text. Its lines keep their numbers.
fn hide(text: &str, shown: &mut String) {
    shown.push_str(HIDDEN);
    shown.extend(text.chars().filter(|letter| *letter == '\n'));
}

/// The texts of a filter that is typed, with its label, that may be secrets, and those that may be shown.
pub(in crate::gateway) fn secrets(typed: &str) -> (Vec<&str>, Vec<&str>) {
    let body = label(typed).and_then(|(_, _, at)| typed.get(at..)).unwrap_or(typed);
    let (Some(pieces), Ok(tokens)) = (pieces(body), tokens(body)) else {
        return (literals(typed).map(|literal| literal.inside).collect(), Vec::new());
    };
    let hidden: Vec<usize> = pieces.iter().filter(|piece| piece.is_hidden).map(|piece| piece.span.start).collect();
    let quoted = tokens.into_iter().filter_map(|(token, span)| match token {
        super::lexer::Token::Quoted(inside) => Some((hidden.binary_search(&span.start).is_ok(), inside)),
        _ => None,
    });
    let (secret, open): (Vec<_>, Vec<_>) = quoted.partition(|(is_hidden, _)| *is_hidden);
    (secret.into_iter().map(|(_, text)| text).collect(), open.into_iter().map(|(_, text)| text).collect())
}

/// A text of a filter in quotes.
struct Literal<'a> {
    /// What stands between the quotes.
    inside: &'a str,
    /// Where that is.
    start: usize,
    /// Whether it is the name of something of the gateway.
    is_name: bool,
}

/// The texts in quotes, those over several lines, too. One that does not end goes to the end: it may be cut off in the middle of a secret.
fn literals(text: &str) -> impl Iterator<Item = Literal<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(open) = text.get(at..).and_then(|rest| rest.find(['"', '\''])).map(|found| at + found) {
            let (before, rest) = text.split_at(open);
            let quote = rest.chars().next().unwrap_or('"');
            at = open + 1;
            // The device quotes its own words like this; in a filter, a text follows one of these.
            if says_what_was_found(end_of(before, LOOK_BACK)) {
                let word = rest.get(1..).and_then(|inside| inside.lines().next()).and_then(|line| line.find(quote));
                at += word.map_or(0, |end| end + 1);
                continue;
            }
            if quote == '\'' && !before.trim_end().ends_with(['(', ',', '=', '[']) {
                continue;
            }
            let inside = rest.get(1..).unwrap_or_default();
            let mut escaped = false;
            let end = inside.char_indices().find(|(_, letter)| {
                let ends = *letter == quote && !escaped;
                escaped = *letter == '\\' && !escaped;
                ends
            });
            let end = end.map_or(inside.len(), |(end, _)| end);
            at += end + 1;
            let is_name = NAMES.is_match(end_of(before, LOOK_BACK)) || belongs_to_a_name(end_of(before, FAR_BACK));
            return Some(Literal { inside: inside.get(..end).unwrap_or_default(), start: open + 1, is_name });
        }
        None
    })
}

/// Tells whether the device quotes a word of the filter's language: `found "frobnicate" instead of a known rule`.
fn says_what_was_found(before: &str) -> bool {
    let word =
        before.trim_end_matches([' ', ':']).rsplit(|letter: char| !letter.is_ascii_alphabetic()).next().unwrap_or_default();
    ["found", "near", "unexpected", "expected", "token", "keyword"].iter().any(|one| word.eq_ignore_ascii_case(one))
}

/// The end of a text, from a whole character on.
fn end_of(text: &str, most: usize) -> &str {
    let mut from = text.len().saturating_sub(most);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    text.get(from..).unwrap_or_default()
}

/// Tells by what stands before a text in quotes whether it may be shown. For texts that are no whole filter, and so have no tree: the end of a
/// conversation, a line of a printout. What is not sure may not.
fn belongs_to_a_name(before: &str) -> bool {
    let mut rest = before.trim_end();
    loop {
        let (left, position) =
            if let Some(left) = ["==", "!=", "<=", ">=", "<", ">"].iter().find_map(|sign| rest.strip_suffix(sign)) {
                let left = left.trim_end();
                let left = if left.ends_with(')') { opened(left).map_or("", |(left, _)| left) } else { left };
                (left, Position::Compared)
            } else if let Some(left) = rest.strip_suffix('[') {
                rest = left.trim_end();
                continue;
            } else if let Some(left) = rest.strip_suffix('(') {
                (left, Position::Argument(0))
            } else if let Some((left, commas)) = rest.strip_suffix(',').and_then(|_| opened(rest)) {
                if rest.get(left.len()..).is_some_and(|behind| behind.starts_with('[')) {
                    rest = left.trim_end();
                    continue;
                }
                (left, Position::Argument(commas))
            } else {
                return false;
            };
        let left = left.trim_end();
        let name =
            left.rsplit(|letter: char| !(letter.is_ascii_alphanumeric() || "_-".contains(letter))).next().unwrap_or_default();
        if !name.is_empty() {
            return may_be_shown(&canonical_name(name), position);
        }
        // Parentheses around a value.
        rest = left;
    }
}

/// What stands before the bracket that the end of a text is in (or that its last character closes), and how many commas stand between.
fn opened(text: &str) -> Option<(&str, usize)> {
    let bytes = text.as_bytes();
    let (mut at, mut depth, mut commas) = (bytes.len(), usize::from(text.ends_with(')')), 0);
    if depth > 0 {
        at -= 1;
    }
    let is_closing = depth > 0;
    while at > 0 {
        at -= 1;
        match bytes.get(at)? {
            quote @ (b'"' | b'\'') => loop {
                at = bytes.get(..at)?.iter().rposition(|byte| byte == quote)?;
                let escapes = bytes.get(..at)?.iter().rev().take_while(|byte| **byte == b'\\').count();
                if escapes % 2 == 0 {
                    break;
                }
            },
            b')' | b']' => depth += 1,
            b'(' | b'[' if depth == 0 => return Some((text.get(..at)?, commas)),
            b'(' | b'[' => {
                depth -= 1;
                if is_closing && depth == 0 {
                    return Some((text.get(..at)?, commas));
                }
            }
            b',' if depth == 0 => commas += 1,
            b'{' | b'}' | b';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// The text of a filter, or of several, with every text in quotes hidden that is not a name. Its lines keep their numbers.
pub(in crate::gateway) fn without_values(text: &str) -> String {
    without(text, |literal| literal.is_name)
}

/// A text without its texts in quotes, but for those that may be shown.
fn without(text: &str, may_be_shown: impl Fn(&Literal<'_>) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut at = 0;
    for literal in literals(text).filter(|literal| !may_be_shown(literal) && !literal.inside.is_empty()) {
        shown.push_str(text.get(at..literal.start).unwrap_or_default());
        hide(literal.inside, &mut shown);
        at = literal.start + literal.inside.len();
    }
    shown.push_str(text.get(at..).unwrap_or_default());
    shown
}

/// The same for a text in which a filter may stand among other things: from a line on that looks like one of a filter, as far as its quotes go.
pub(in crate::gateway) fn without_values_of_filters(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find('\n').map_or(rest.len(), |end| end + 1);
        let (line, after) = rest.split_at(end);
        if !is_of_a_filter(line) {
            shown.push_str(line);
            rest = after;
            continue;
        }
        // A text that begins in this line may end in a later one.
        let open_to = literals(rest).take_while(|literal| literal.start <= end).last();
        let upto = open_to.map_or(end, |literal| (literal.start + literal.inside.len() + 1).clamp(end, rest.len()));
        let mut upto = upto;
        while !rest.is_char_boundary(upto) {
            upto += 1;
        }
        let (filter, after) = rest.split_at(upto);
        shown.push_str(&without_values(filter));
        rest = after;
    }
    shown
}

fn is_of_a_filter(line: &str) -> bool {
    let line = line.to_lowercase();
    line.contains("==") || line.contains("!=") || line.contains("header")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rs4_the_values_of_a_filter_are_hidden_and_names_stay() {
        let check = |text: &str, wanted: &str| assert_eq!(without_values(text), wanted);
        check(
            "a: if (recv-listener == \"InboundMail\") and (header(\"X-A\") == \"^s3cret$\") { quarantine(\"Policy\"); }",
            "a: if (recv-listener == \"InboundMail\") and (header(\"X-A\") == \"(sensitive)\") { quarantine(\"Policy\"); }",
        );
        check("if sendergroup != \"RELAYLIST\" {", "if sendergroup != \"RELAYLIST\" {");
        check(
            "body-dictionary-match(\"words\", 1) bounce_profile(\"b\")",
            "body-dictionary-match(\"words\", 1) bounce_profile(\"b\")",
        );
        check("insert-header(\"X-Quarantine\", \"v\\\"alue\");", "insert-header(\"X-Quarantine\", \"(sensitive)\");");
        check("Listener 'InboundMail' unknown; 'frobnicate'", "Listener 'InboundMail' unknown; 'frobnicate'");
        check("it's what isn't", "it's what isn't");
        check(
            "line 1: found \"frobnicate\" instead of a rule (\"x\")",
            "line 1: found \"frobnicate\" instead of a rule (\"(sensitive)\")",
        );
        check("subject == \"two\nlines\" end", "subject == \"(sensitive)\n\" end");
    }

    #[test]
    fn rs4_a_text_that_is_cut_off_is_hidden_to_its_end() {
        assert_eq!(without_values("if (header(\"X\") == \"^s3cr"), "if (header(\"X\") == \"(sensitive)");
        let text = "Listing:\nif header('X') == '^s3cr\net$' {\nEnter the limit for \"example.com\".\n";
        let wanted = "Listing:\nif header('X') == '(sensitive)\n' {\nEnter the limit for \"example.com\".\n";
        assert_eq!(without_values_of_filters(text), wanted);
    }
}
