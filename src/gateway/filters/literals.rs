//! Which texts of a filter are secrets that let a message pass: what a filter that drops compares, as a whole, with a header.

use std::ops::Range;

use super::parser::parse;
use super::tree::{Block, Statement, Test, Value, walk};
use super::words::{Ends, ends};

/// Where the secrets of a text stand: each alternative of an anchored pattern that a dropping filter compares with a header. `None` for a text that
/// cannot be read.
pub(in crate::gateway) fn compared_secrets(text: &str) -> Option<Vec<Range<usize>>> {
    let block = parse(text).ok()?;
    let mut found = Vec::new();
    if drops(&block) {
        walk(&block, &mut |test| {
            if let Some(span) = compared_with_a_header(test) {
                found.extend(alternatives(text, span));
            }
        });
    }
    found.sort_by_key(|range| range.start);
    found.dedup();
    Some(found)
}

/// The parts of a text that decide which mail a relay filter takes, if it is built like one: the pattern of the first `sendergroup`, the first header
/// that is compared, and the values that it may have.
pub(in crate::gateway) fn relay_parts(text: &str) -> Option<(String, String, Vec<String>)> {
    let block = parse(text).ok()?;
    let (mut group, mut header) = (None, None);
    walk(&block, &mut |test| {
        if let (None, Some(("sendergroup", "==", pattern))) = (&group, test.plain()) {
            group = Some(pattern.to_owned());
        }
        if let (None, Some((name, "==", pattern))) = (&header, test.header()) {
            header = Some((name.to_owned(), super::guard::exact(pattern)));
        }
    });
    let (header, secrets) = header?;
    Some((group?, header, secrets?))
}

/// Whether some way through a filter drops the message.
fn drops(block: &Block) -> bool {
    block.statements.iter().any(|statement| match statement {
        Statement::Action(call) => ends(&call.name) == Some(Ends::Dropped),
        Statement::If(branches, otherwise) => {
            branches.iter().any(|branch| drops(&branch.block)) || otherwise.as_ref().is_some_and(|(_, block)| drops(block))
        }
    })
}

/// The place of the pattern, quotes and all, that is compared with a header.
fn compared_with_a_header(test: &Test) -> Option<Range<usize>> {
    let Value::Call(call) = &test.subject else { return None };
    let comparison = test.comparison.as_ref()?;
    match &comparison.value {
        Value::Quoted(_, span) if call.name == "header" && matches!(comparison.sign, "==" | "!=") => Some(span.start..span.end),
        _ => None,
    }
}

/// The places of the alternatives of a pattern, if it is anchored. What takes any text is none.
fn alternatives(text: &str, quoted: Range<usize>) -> Vec<Range<usize>> {
    let Some(inside) = text.get(quoted.start + 1..quoted.end.saturating_sub(1)) else { return Vec::new() };
    let at = quoted.start + 1;
    let mut found = Vec::new();
    for whole in split(inside, 0..inside.len()) {
        let Some(anchored) = anchored(inside, whole) else { return Vec::new() };
        let inner = &inside[anchored.clone()];
        let is_group = inner.starts_with('(') && inner.ends_with(')') && closes_at_end(inner);
        let alternatives = if is_group {
            let shift = if inner.starts_with("(?:") { 3 } else { 1 };
            split(inside, anchored.start + shift..anchored.end - 1)
        } else {
            vec![anchored]
        };
        let says = |range: &Range<usize>| inside[range.clone()].bytes().any(|byte| byte.is_ascii_alphanumeric() || byte >= 0x80);
        found.extend(alternatives.into_iter().filter(says).map(|range| at + range.start..at + range.end));
    }
    found
}

/// What stands between `^` and `$`.
fn anchored(text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let whole = &text[range.clone()];
    // `(?i)` before it changes how letters are compared.
    let flags = if whole.starts_with("(?") {
        whole.find(')').map(|end| end + 1).filter(|end| whole[..*end].bytes().all(is_flag))?
    } else {
        0
    };
    let inner = whole[flags..].strip_prefix('^')?.strip_suffix('$')?;
    let start = range.start + flags + 1;
    Some(start..start + inner.len())
}

fn is_flag(byte: u8) -> bool {
    byte.is_ascii_lowercase() || b"(?)-".contains(&byte)
}

/// Whether the parenthesis that opens a text is closed by its last character.
fn closes_at_end(text: &str) -> bool {
    let mut depth = 0_usize;
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '(' => depth += 1,
            ')' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1 == text.len();
                }
            }
            _ => {}
        }
    }
    false
}

/// The parts between the `|` that stand in no parentheses.
fn split(text: &str, range: Range<usize>) -> Vec<Range<usize>> {
    let (mut parts, mut from, mut depth, mut escaped) = (Vec::new(), range.start, 0_usize, false);
    for (at, letter) in text[range.clone()].char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '|' if depth == 0 => {
                parts.push(from..range.start + at);
                from = range.start + at + 1;
            }
            _ => {}
        }
    }
    parts.push(from..range.end);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_what_a_dropping_filter_compares_with_a_header_as_a_whole() {
        let check = |text: &str, wanted: &[&str]| {
            let found = compared_secrets(text).expect("readable");
            let texts: Vec<&str> = found.iter().map(|range| &text[range.clone()]).collect();
            assert_eq!(texts, wanted, "{text}");
        };
        check(r#"if header("X-A") == "^one$" { drop(); }"#, &["one"]);
        check(r#"if header("X-A") != "^(one|two)$" { drop(); }"#, &["one", "two"]);
        check(r#"if header("X-A") != "^(?:one|two)$" { drop(); }"#, &["one", "two"]);
        check(r#"if header("X-A") != "^one$|^two$" { drop(); }"#, &["one", "two"]);
        check(r#"if header("X-A") != "(?i)^One\.2$" { drop(); }"#, &[r"One\.2"]);
        check(r#"if header("X-A") != "^a(b|c)$" { if true { drop(); } }"#, &["a(b|c)"]);
        check(r#"if header("X-A") != '^über$' { no-op(); } else { drop(); }"#, &["über"]);
        // Not as a whole; of no use as a secret; not a header; dropped nowhere.
        check(r#"if header("X-A") == "one" { drop(); }"#, &[]);
        check(r#"if header("X-A") == "^one" { drop(); }"#, &[]);
        check(r#"if header("X-A") == "^.*$" { drop(); }"#, &[]);
        check(r#"if subject == "^one$" { drop(); }"#, &[]);
        check(r#"if header("X-A") == "^one$" { skip-filters(); }"#, &[]);
        check(r#"if header("X-A") == "^one$" { drop(); } if header("X-B") == "^two$" { no-op(); }"#, &["one", "two"]);
        assert_eq!(compared_secrets("if header(\"X-A\" == { drop("), None);
    }
}
