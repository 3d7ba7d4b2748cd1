//! The texts in filters that are shown to people: without what they compare with and write, which may be a secret, of this provider's user or of
//! other administrators. What names a thing of the gateway itself (a listener, a quarantine, a dictionary) is no secret, and is what an error is
//! about as often as not.

use std::sync::LazyLock;

use regex::Regex;

use super::transcript::HIDDEN;

/// What stands before a text that is the name of something.
static NAMES: LazyLock<Regex> = LazyLock::new(|| {
    let rules = r"recv[-_]listener|recv[-_]int|send(?:er)?[-_]?group|alt[-_]src[-_]host|(?:dup[-_])?quarantine|bounce[-_]profile|[a-z_-]*dictionary[-_]match";
    // So does the device in its own words: Interface 'x' unknown.
    let words = "interface|listener|quarantine|dictionary|profile|group|policy";
    Regex::new(&format!(r"(?i)(?:^|[^a-z_-])(?:(?:{rules})\s*(?:==|!=|\()\s*|(?:{words})\s+)$"))
        .expect("the pattern is a constant, and a test uses it")
});

/// The longest name of a rule or action, with what stands between it and its text.
const LOOK_BACK: usize = 64;

/// A text of a filter in quotes.
pub(super) struct Literal<'a> {
    /// What stands between the quotes.
    pub(super) inside: &'a str,
    /// Where that is.
    start: usize,
    /// Whether it is the name of something of the gateway.
    pub(super) is_name: bool,
}

/// The texts in quotes, those over several lines, too. One that does not end goes to the end: it may be cut off in the middle of a secret.
pub(super) fn literals(text: &str) -> Vec<Literal<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(open) = text.get(at..).and_then(|rest| rest.find(['"', '\''])).map(|found| at + found) {
        let (before, rest) = text.split_at(open);
        let quote = rest.chars().next().unwrap_or('"');
        at = open + 1;
        // The device quotes its own words like this; in a filter, a text follows one of these.
        if says_what_was_found(before) {
            let word = rest.get(1..).and_then(|inside| inside.lines().next()).and_then(|line| line.find(quote));
            at += word.map_or(0, |end| end + 1);
            continue;
        }
        if quote == '\'' && !before.trim_end().ends_with(['(', ',', '=']) {
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
        let mut from = before.len().saturating_sub(LOOK_BACK);
        while !before.is_char_boundary(from) {
            from += 1;
        }
        let is_name = before.get(from..).is_some_and(|before| NAMES.is_match(before));
        found.push(Literal { inside: inside.get(..end).unwrap_or_default(), start: open + 1, is_name });
        at += end + 1;
    }
    found
}

/// Tells whether the device quotes a word of the filter's language: `found "frobnicate" instead of a known rule`.
fn says_what_was_found(before: &str) -> bool {
    let word =
        before.trim_end_matches([' ', ':']).rsplit(|letter: char| !letter.is_ascii_alphabetic()).next().unwrap_or_default();
    ["found", "near", "unexpected", "expected", "token", "keyword"].iter().any(|one| word.eq_ignore_ascii_case(one))
}

/// The text of a filter, or of several, with every text in quotes hidden that is not a name. Its lines keep their numbers.
pub(super) fn without_values(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut at = 0;
    for literal in literals(text).iter().filter(|literal| !literal.is_name && !literal.inside.is_empty()) {
        shown.push_str(text.get(at..literal.start).unwrap_or_default());
        shown.push_str(HIDDEN);
        shown.extend(literal.inside.chars().filter(|letter| *letter == '\n'));
        at = literal.start + literal.inside.len();
    }
    shown.push_str(text.get(at..).unwrap_or_default());
    shown
}

/// The same for a text in which a filter may stand among other things: from a line on that looks like one of a filter, as far as its quotes go.
pub(super) fn without_values_of_filters(text: &str) -> String {
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
        let open_to = literals(rest).into_iter().take_while(|literal| literal.start <= end).last();
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
            "a: if (recv-listener == \"InboundMail\") and (header(\"(sensitive)\") == \"(sensitive)\") { quarantine(\"Policy\"); }",
        );
        check("if sendergroup != \"RELAYLIST\" {", "if sendergroup != \"RELAYLIST\" {");
        check(
            "body-dictionary-match(\"words\", 1) bounce_profile(\"b\")",
            "body-dictionary-match(\"words\", 1) bounce_profile(\"b\")",
        );
        check("insert-header(\"X-Quarantine\", \"v\\\"alue\");", "insert-header(\"(sensitive)\", \"(sensitive)\");");
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
        assert_eq!(without_values("if (header(\"X\") == \"^s3cr"), "if (header(\"(sensitive)\") == \"(sensitive)");
        let text = "Listing:\nif header('X') == '^s3cr\net$' {\nEnter the limit for \"example.com\".\n";
        let wanted = "Listing:\nif header('(sensitive)') == '(sensitive)\n' {\nEnter the limit for \"example.com\".\n";
        assert_eq!(without_values_of_filters(text), wanted);
    }
}
