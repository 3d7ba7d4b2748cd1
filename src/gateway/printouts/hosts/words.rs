//! The words and pieces of a line of the host access table.

use crate::gateway::resources::forms::{self, is_feed, is_sender};

/// Tells whether a line opens the block of the behavior above it: a name in braces does not.
pub(super) fn opens_block(line: &str) -> bool {
    line.strip_prefix('{').is_some_and(|inside| inside.trim().is_empty() || inside.contains('=') || inside.trim() == "}")
}

pub(super) fn first_word(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text.find(|letter: char| letter.is_whitespace() || letter == '(' || letter == '{').unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    (word, rest.trim())
}

/// Tells whether a text behind a group's name is a list of its senders.
pub(super) fn are_senders(text: &str) -> bool {
    let mut parts = text.split(',').map(str::trim);
    parts.all(|part| is_sender(part) && part.contains(['.', '[', ':']))
}

/// Takes the senders off the front of a line, with their comments, and gives what stands behind them.
pub(super) fn split_senders(line: &str) -> (Vec<String>, &str) {
    let mut senders = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() && !rest.starts_with('$') && (senders.is_empty() || behavior(rest).is_none()) {
        let (sender, after) = split_sender(rest);
        if sender.is_empty() {
            break;
        }
        senders.push(sender);
        let after = behind_comment(after);
        match after.strip_prefix(',') {
            Some(more) => rest = more.trim(),
            None => return (senders, after),
        }
    }
    (senders, rest)
}

/// Takes a comment in parentheses off the front of a text.
pub(super) fn behind_comment(text: &str) -> &str {
    let text = text.trim();
    if !text.starts_with('(') {
        return text;
    }
    let mut depth = 0_usize;
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' if depth == 1 => return text.get(at + 1..).unwrap_or_default().trim(),
            ')' => depth -= 1,
            _ => {}
        }
    }
    text.rfind(')').and_then(|at| text.get(at + 1..)).unwrap_or_default().trim()
}

/// Takes one sender off the front of a line; `etf-source: name` and `SBRS[ -4.0 : -1.0 ]` may have blanks inside.
pub(super) fn split_sender(line: &str) -> (String, &str) {
    let end = if is_feed(line) {
        line.find('(').unwrap_or(line.len())
    } else {
        let word = line.find(|letter: char| letter.is_whitespace() || "(,{".contains(letter)).unwrap_or(line.len());
        match (line.find('['), line.find(']')) {
            (Some(open), Some(close)) if open <= word && open < close => close + 1,
            _ => word,
        }
    };
    let (sender, rest) = line.split_at(end);
    (sender.trim().to_owned(), rest.trim())
}

pub(super) fn begins_with_sender(line: &str) -> bool {
    !is_name_of_words(line) && is_sender(&split_sender(line.trim()).0)
}

/// Tells whether the line on which an entry begins is that of a group, its name in front of a colon. Only there `ETF-SOURCE: 192.0.2.1` is a group that
/// is called so: no threat feed has the name of an address or a host.
pub(super) fn begins_group(line: &str) -> bool {
    !begins_with_sender(line) || (is_feed(line) && line.split_once(':').is_some_and(|(_, rest)| are_senders(rest)))
}

/// Tells whether a line begins with a name of several words and a colon, which only a group can: its first word may be that of a sender or a behavior.
fn is_name_of_words(line: &str) -> bool {
    line.split_once(':').is_some_and(|(name, _)| name.trim().contains(' ') && forms::sender_group(name.trim()).is_ok())
}

/// Puts the senders before the policy of their group, where a release prints them behind it. What follows a group that has no sender
/// before its policy belongs to it, unless a behavior of its own makes it an entry without a name.
pub(super) fn senders_first(lines: &[String]) -> Vec<String> {
    let is_blank = |at: usize| lines.get(at).is_none_or(|line| line.trim().is_empty());
    let behind_blanks = |from: usize| (from..lines.len()).find(|at| !is_blank(*at)).unwrap_or(lines.len());
    let text = |at: usize| lines.get(at).map_or("", |line| line.trim());
    let depth = |at: usize| lines.get(at).map_or(0, |line| line.len() - line.trim_start().len());
    let mut ordered = Vec::with_capacity(lines.len());
    let mut at = 0;
    while at < lines.len() {
        let line = text(at);
        let header =
            line.split_once(':').filter(|(name, _)| !begins_with_sender(line) && !name.trim().eq_ignore_ascii_case("ALL"));
        let is_policy = |text: &str| text.starts_with('$') || (behavior(text).is_some() && !text.contains('{'));
        let next = behind_blanks(at + 1);
        let (policy, first) = match header.map(|(_, rest)| rest.trim()) {
            Some(rest) if is_policy(rest) => (rest, at + 1),
            Some("") if is_policy(text(next)) && behavior(text(behind_blanks(next + 1))).is_none() => (text(next), next + 1),
            _ => {
                ordered.push(lines.get(at).cloned().unwrap_or_default());
                at += 1;
                continue;
            }
        };
        let margin = depth(at);
        let is_senders = |at: usize| {
            let (senders, rest) = split_senders(text(at));
            let is_word = behavior(text(at)).is_some() || first_word(text(at)).0.eq_ignore_ascii_case("ALL");
            let begins = text(at).starts_with('$') || (text(at).ends_with(':') && !begins_with_sender(text(at)));
            // A word that is no sender, among senders, is one that cannot be read.
            !is_word && !begins && ((rest.is_empty() && !senders.is_empty()) || depth(at) > margin)
        };
        let run: Vec<usize> = (first..lines.len()).filter(|at| !is_blank(*at)).take_while(|at| is_senders(*at)).collect();
        let end = behind_blanks(run.last().map_or(first, |last| last + 1));
        let makes_an_entry = is_policy(text(end)) || behavior(text(end)).is_some();
        let begins_a_policy = text(end).starts_with('$') && behavior(text(behind_blanks(end + 1))).is_some();
        let own: Vec<usize> = match run.split_last() {
            // Only the sender right above a behavior is that of an entry without a name.
            Some((last, before)) if makes_an_entry && !begins_a_policy => {
                let is_flush = before.iter().all(|at| depth(*at) == depth(*last));
                before.iter().copied().filter(|at| is_flush || depth(*at) > depth(*last)).collect()
            }
            _ => run,
        };
        ordered.push(format!("{}:", line.split_once(':').map_or(line, |(name, _)| name)));
        ordered.extend(own.iter().map(|at| text(*at).to_owned()));
        ordered.push(policy.to_owned());
        at = own.last().map_or(first, |last| last + 1);
    }
    ordered
}

/// Tells whether a line with the name of a policy defines it, and does not refer to it: its behavior follows.
pub(super) fn defines_policy(line: &str, next: &str) -> bool {
    let Some((_, rest)) = line.strip_prefix('$').map(first_word) else { return false };
    if rest.is_empty() { behavior(next).is_some() } else { behavior(rest).is_some() }
}

/// Tells whether a line may be that of an entry which has begun: a sender more, its policy or its behavior.
pub(super) fn leads_somewhere(line: &str) -> bool {
    let (senders, rest) = split_senders(line);
    line.starts_with(['$', '(']) || behavior(line).is_some() || (!senders.is_empty() && rest.is_empty() && !line.ends_with(':'))
}

/// Takes a behavior off the front of a text.
pub(super) fn behavior(text: &str) -> Option<(&'static str, &str)> {
    if is_name_of_words(text) {
        return None;
    }
    let (word, rest) = first_word(text);
    match word.to_ascii_uppercase().as_str() {
        "ACCEPT" => Some(("accept", rest)),
        "RELAY" => Some(("relay", rest)),
        "REJECT" => Some(("reject", rest)),
        "TCPREFUSE" | "TCP_REFUSE" | "TCP-REFUSE" | "REFUSE" => Some(("tcp_refuse", rest)),
        "TCP" => first_word(rest).0.eq_ignore_ascii_case("refuse").then(|| ("tcp_refuse", first_word(rest).1)),
        "CONTINUE" => Some(("continue", rest)),
        _ => None,
    }
}

/// The comment in parentheses, which may have parentheses of its own.
pub(super) fn comment(text: &str) -> Option<String> {
    let (from, to) = (text.find('(')?, text.rfind(')')?);
    text.get(from + 1..to).map(str::trim).filter(|comment| !comment.is_empty()).map(str::to_owned)
}

/// Takes a value off the front: a quoted text, or a word.
pub(super) fn value(text: &str) -> (&str, &str) {
    if let Some(inside) = text.strip_prefix('"') {
        let mut escaped = false;
        for (at, letter) in inside.char_indices() {
            match letter {
                '"' if !escaped => return text.split_at(at + 2),
                _ => escaped = letter == '\\' && !escaped,
            }
        }
        return (text, "");
    }
    let end = text.find(|letter: char| letter.is_whitespace() || ",;}".contains(letter)).unwrap_or(text.len());
    text.split_at(end)
}

/// A number; sizes may have a unit, and "unlimited" is -1.
pub(super) fn number(value: &str) -> Option<i64> {
    let lower = value.trim().to_lowercase();
    if lower == "unlimited" || lower == "no limit" {
        return Some(-1);
    }
    let digits = lower.trim_end_matches(|letter: char| letter.is_ascii_alphabetic() || letter == ' ');
    let unit = match lower.get(digits.len()..)?.trim() {
        "" | "b" | "bytes" => 1,
        "k" | "kb" => 1024,
        "m" | "mb" => 1024 * 1024,
        "g" | "gb" => 1024 * 1024 * 1024,
        _ => return None,
    };
    digits.parse::<i64>().ok()?.checked_mul(unit)
}

/// A text as it was before quotes, backslashes and line breaks were escaped for a table.
pub(super) fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        plain.push(match letter {
            '\\' => match letters.next() {
                Some('n') => '\n',
                Some(other) => other,
                None => '\\',
            },
            other => other,
        });
    }
    plain
}
