//! What the device prints, understood: one pure function per printout.
//!
//! AsyncOS prints tables for people, and their layout is documented for few of them. So a printout is read by meaning: labels
//! and column headings in any case, units, keywords; never by position alone. Several layouts are understood for each. A table is a
//! sequence of rows known by their place: one that cannot be read is a row all the same, is kept in
//! [`Rows::not_understood`](super::table::Rows), and changes nothing about the rows around it. What a row that can be read shows and no line of
//! its table knows stands in its `unmanaged` (see `foreign`). A printout that shows signs of being cut off
//! (a last entry that does not end, fewer rows than announced) is an error: a row that is missing must never look deleted.

pub(in crate::gateway) mod account;
pub(in crate::gateway) mod destinations;
pub(in crate::gateway) mod filters;
mod foreign;
pub(in crate::gateway) mod hosts;
mod labels;
pub(in crate::gateway) mod listeners;
pub(in crate::gateway) mod recipients;
pub(in crate::gateway) mod routes;
pub(in crate::gateway) mod tls;
pub(in crate::gateway) mod version;

use super::dialog::{Dialog, Said};
use crate::remote::{Error, Kind};

/// What the last choice of a dialog printed; nothing if the menu did not offer it.
fn last(said: &Said) -> &str {
    said.after.last().map_or("", String::as_str)
}

/// What the command printed on its own: before its first menu, or all of it.
fn banner(said: &Said) -> String {
    match said.after.first() {
        Some(first) if !first.trim().is_empty() && first.trim() != said.opening.trim() => format!("{}\n{first}", said.opening),
        _ => said.opening.clone(),
    }
}

/// All that was printed on the way.
fn whole(said: &Said) -> String {
    let mut text = said.opening.clone();
    for after in &said.after {
        text.push('\n');
        text.push_str(after);
    }
    text
}

/// The lines of a text, without what stands at their ends.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').map(|line| line.trim_end_matches(['\r', ' ', '\t']))
}

/// Tells whether a line says nothing about the table: rules, the menu around it, counts.
fn is_noise(line: &str) -> bool {
    let line = line.trim();
    let lower = line.to_ascii_lowercase();
    let is_rule = line.chars().all(|letter| "=-_+*|~ \t".contains(letter));
    let is_menu_line =
        line.strip_prefix("- ").and_then(|rest| rest.split_once(" - ")).is_some_and(|(word, _)| is_menu_word(word));
    let is_menu_list = line
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
        .is_some_and(|words| words.contains(',') && words.split(',').all(is_menu_word));
    is_rule
        || is_menu_line
        || is_menu_list
        || line.ends_with("]>")
        || lower.starts_with("choose the operation")
        || lower.starts_with("-press any key")
        || announced(line).is_some()
        || is_count(line)
}

/// Tells whether a line says how many rows there are, or that there are none, in whatever words: `2 routes configured.`,
/// `The table is empty.`
fn is_count(line: &str) -> bool {
    const NONE: [&str; 5] = ["no", "none", "nothing", "empty", "not"];
    const NOUNS: [&str; 27] = [
        "entries",
        "entry",
        "routes",
        "route",
        "routing",
        "smtp",
        "rat",
        "recipient",
        "access",
        "destination",
        "destinations",
        "control",
        "controls",
        "filters",
        "filter",
        "message",
        "policies",
        "sender",
        "groups",
        "listeners",
        "domains",
        "records",
        "rows",
        "items",
        "hosts",
        "table",
        "list",
    ];
    const AROUND: [&str; 24] = [
        "there",
        "are",
        "is",
        "currently",
        "any",
        "the",
        "this",
        "configured",
        "defined",
        "found",
        "listed",
        "total",
        "number",
        "of",
        "showing",
        "shown",
        "have",
        "has",
        "been",
        "yet",
        "in",
        "to",
        "display",
        "exist",
    ];
    let inside = line.trim_end_matches(['.', ' ']);
    let has_name = inside.char_indices().any(|(at, letter)| {
        letter == '.' && inside.get(at + 1..).and_then(|rest| rest.chars().next()).is_some_and(char::is_alphanumeric)
    });
    if has_name || line.ends_with(':') || line.contains(['$', '{', '@', '[', '=', '/']) {
        return false;
    }
    let found = words(line);
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let is = |list: &[&str], word: &String| list.contains(&word.as_str());
    let counts = match found.as_slice() {
        [] => false,
        [only] => only == "none",
        // A number in front may be that of a row.
        [first, second, ..] if is_number(first) => is(&NOUNS, second) || second == "of",
        [first, ..] => found.iter().any(|word| is_number(word) || is(&NONE, word)) && !is(&["yes", "y"], first),
    };
    counts && found.iter().all(|word| is_number(word) || is(&NONE, word) || is(&NOUNS, word) || is(&AROUND, word))
}

/// Says yes to whatever a release asks before it prints: that it takes a while, that there are many rows.
fn printing(dialog: Dialog) -> Dialog {
    let words = ["while", "continue", "proceed", "print", "display", "show", "view", "list", "entries", "large", "long", "sure"];
    words.iter().fold(dialog, |dialog, words| dialog.yes_no_if_asked(words, true))
}

fn is_menu_word(word: &str) -> bool {
    let word = word.trim();
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

/// Takes a count apart: `There are currently 4 routes configured.` is 4, `routes configured.`; "no" counts as 0.
fn announced(line: &str) -> Option<(usize, String)> {
    let lower = line.trim().to_ascii_lowercase();
    let rest = lower.strip_prefix("there are ").or_else(|| lower.strip_prefix("there is "))?;
    let rest = rest.strip_prefix("currently ").unwrap_or(rest);
    let (count, what) = rest.split_once(' ')?;
    let count = if count == "no" { 0 } else { count.replace(',', "").parse().ok()? };
    Some((count, what.to_owned()))
}

/// The greatest count of a noun that a text announces.
fn count_of(text: &str, nouns: &[&str]) -> Option<usize> {
    let counts = lines(text).filter_map(announced).filter(|(_, what)| nouns.iter().any(|noun| what.contains(noun)));
    counts.map(|(count, _)| count).max()
}

/// Refuses a table that has fewer rows, read or not, than the device announced.
fn complete(table: &str, rows: usize, announced: Option<usize>) -> Result<(), Error> {
    match announced {
        Some(count) if rows < count => {
            Err(cut_off(table, &format!("the device says that it has {count} entries, and {rows} could be read")))
        }
        _ => Ok(()),
    }
}

/// The error for a printout that does not say all.
fn cut_off(table: &str, why: &str) -> Error {
    Error::new(Kind::Unexpected, format!("The {table} was not printed whole: {why}."))
        .hint("Nothing was changed. If it happens again, please report what `terraform-provider-mailflow doctor` prints.")
}

/// Splits a line at its first `:` or `=`.
fn label(line: &str) -> Option<(&str, &str)> {
    let (label, value) = line.split_once([':', '='])?;
    Some((label.trim(), value.trim()))
}

/// Takes quotes off a word.
fn unquote(text: &str) -> &str {
    let text = text.trim();
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return inner;
        }
    }
    text
}

/// The cells of a row or heading: columns stand at least two blanks, a tab or a bar apart.
fn cells(line: &str) -> Vec<&str> {
    let line = line.trim();
    // A bar within a word is part of it: a user name may have one.
    if line.contains("| ") || line.contains(" |") {
        let line = line.trim_matches('|');
        return line.split('|').map(str::trim).collect();
    }
    line.split("  ").flat_map(|part| part.split('\t')).map(str::trim).filter(|cell| !cell.is_empty()).collect()
}

/// The cells of a row of so many columns; nothing if it cannot be told which is which.
fn cells_of(line: &str, columns: usize) -> Option<Vec<&str>> {
    let apart = cells(line);
    if apart.len() == columns {
        return Some(apart);
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    (words.len() == columns).then_some(words)
}

/// Where the cells of a heading begin.
fn starts(heading: &str) -> Vec<usize> {
    let mut from = 0;
    let mut found = Vec::new();
    for cell in cells(heading) {
        let Some(at) = heading.get(from..).and_then(|rest| rest.find(cell)) else { return Vec::new() };
        found.push(from + at);
        from += at + cell.len();
    }
    found
}

/// The cells of a row that stand below the titles of a heading, where some are empty; nothing if a word stands across two columns.
fn cells_below<'a>(line: &'a str, starts: &[usize]) -> Option<Vec<&'a str>> {
    let ends = starts.iter().skip(1).copied().chain([usize::MAX]);
    let cell = |(start, end): (&usize, usize)| {
        let blank_before = *start == 0 || line.get(start - 1..*start).is_none_or(|letter| letter.trim().is_empty());
        let end = end.min(line.len());
        let text = if *start >= end { "" } else { line.get(*start..end)? };
        blank_before.then(|| text.trim())
    };
    let found: Vec<&str> = starts.iter().zip(ends).map(cell).collect::<Option<_>>()?;
    (starts.len() > 1 && found.first().is_some_and(|first| !first.is_empty())).then_some(found)
}

/// Tells whether a word says yes or no.
fn truth(word: &str) -> Option<bool> {
    match word.trim().trim_matches(['(', ')', '.', ',', '"']).to_ascii_lowercase().as_str() {
        "y" | "yes" | "on" | "true" | "enabled" | "enable" | "active" | "valid" | "1" => Some(true),
        "n" | "no" | "off" | "false" | "disabled" | "disable" | "inactive" | "invalid" | "0" => Some(false),
        _ => None,
    }
}

/// The words of a text in lower case, punctuation aside.
fn words(text: &str) -> Vec<String> {
    text.to_lowercase()
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The whole numbers in a text, in order.
fn numbers(text: &str) -> Vec<i64> {
    let text = text.replace(',', "");
    text.split(|letter: char| !letter.is_ascii_digit() && letter != '-').filter_map(|digits| digits.parse().ok()).collect()
}

#[cfg(test)]
mod places;
#[cfg(test)]
mod tests;
