//! What the device prints, understood: one pure function per printout.
//!
//! AsyncOS prints tables for people, and their layout is documented for few of them. So a printout is read by meaning: labels
//! and column headings in any case, units, keywords; never by position alone. Several layouts are understood for each. A line that
//! is not understood is kept in [`Rows::not_understood`](super::table::Rows), and a printout that shows signs of being cut off (a
//! block that does not end, fewer rows than announced) is an error: a row that is missing must never look deleted.

pub(in crate::gateway) mod destinations;
pub(in crate::gateway) mod filters;
pub(in crate::gateway) mod hosts;
pub(in crate::gateway) mod listeners;
pub(in crate::gateway) mod recipients;
pub(in crate::gateway) mod routes;
pub(in crate::gateway) mod tls;
pub(in crate::gateway) mod version;

use super::dialog::Said;
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

/// Refuses a table that has fewer rows than the device announced.
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
        .hint("Nothing was changed. If it happens again, please report what the gateway prints, with its release.")
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
    let line = line.trim().trim_matches('|');
    if line.contains('|') {
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
mod tests;
