//! What was typed and printed in one operation, for error messages: its end only, and never a secret.

use std::fmt::Write as _;

use secrecy::{ExposeSecret, SecretString};

use super::filters::{secrets, without_values, without_values_of_filters};

/// What stands for a secret.
pub(super) const HIDDEN: &str = "(sensitive)";

/// The most that is kept.
const MOST: usize = 8 << 10;
const LINES: usize = 30;
const LINE: usize = 300;

/// Words shorter than this are not hidden inside other text: too much of the text would go with them.
const SHORTEST_PART: usize = 4;
const SHORTEST_WORD: usize = 8;

/// The end of a conversation.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    text: String,
    secrets: Vec<SecretString>,
    /// What is hidden in this conversation only.
    passing: Vec<SecretString>,
    /// Whether the command is one that prints filters, of whoever they are.
    about_filters: bool,
    /// All of it, where it is recorded.
    recording: Option<String>,
}

impl Transcript {
    /// Forgets the conversation; what is secret stays so, but for what a message said in it.
    pub(super) fn begin(&mut self) {
        self.text.clear();
        self.passing.clear();
        self.about_filters = false;
    }

    /// Hides a text from now on, wherever it occurs.
    pub(super) fn hide(&mut self, secret: &str) {
        let secret = secret.trim();
        if secret.len() < SHORTEST_PART || self.secrets.iter().any(|known| known.expose_secret() == secret) {
            return;
        }
        self.secrets.push(SecretString::from(secret));
        // Longest first: a secret may be a part of another.
        self.secrets.sort_by_key(|secret| std::cmp::Reverse(secret.expose_secret().len()));
    }

    /// Hides what may be a secret in a script that is typed: the texts, the words in them, and the lines that have one.
    pub(super) fn hide_script(&mut self, lines: &[String]) {
        let script = lines.join("\n");
        let (hidden, shown) = secrets(&script);
        let lines = lines.iter().filter(|line| hidden.iter().any(|text| !text.is_empty() && line.contains(text)));
        lines.filter(|line| line.trim().len() >= SHORTEST_WORD).for_each(|line| self.hide(line));
        for text in hidden {
            self.hide(text);
            // What names a listener or a quarantine stays: errors are about it.
            text.split(|c: char| !c.is_ascii_alphanumeric())
                .filter(|word| word.len() >= SHORTEST_WORD && !shown.iter().any(|name| name.contains(word)))
                .for_each(|word| self.hide(word));
        }
    }

    /// Hides what a mail message says, until the next conversation begins: its lines, the values of its headers, and their longer words. They are
    /// words of everyday language as often as not.
    pub(super) fn hide_message(&mut self, lines: &[String]) {
        let mut texts = said_by_message(lines);
        texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        texts.dedup();
        self.passing.extend(texts.into_iter().map(SecretString::from));
    }

    /// Replaces what is secret, also where the device broke the line within it.
    pub(super) fn masked(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in self.secrets.iter().chain(&self.passing) {
            let secret = secret.expose_secret();
            if text.contains(secret) {
                text = text.replace(secret, HIDDEN);
            }
            if secret.len() >= SHORTEST_WORD && text.contains('\n') {
                text = without_broken(&text, secret);
            }
        }
        text
    }

    /// Replaces what is secret, and what a filter in the text compares headers with.
    pub(super) fn shown(&self, text: &str) -> String {
        let masked = self.masked(text);
        if self.about_filters { without_values(&masked) } else { without_values_of_filters(&masked) }
    }

    /// Records everything from now on: the screen as it is, with what is typed between `«` and `»`.
    pub(super) fn record(&mut self) {
        self.recording.get_or_insert_default();
    }

    /// Takes what was recorded, without secrets. What comes next begins with the row that the cursor stands in.
    pub(super) fn recorded(&mut self) -> String {
        let Some(recording) = &mut self.recording else { return String::new() };
        let row = recording.rsplit('\n').next().unwrap_or_default().to_owned();
        let recorded = std::mem::replace(recording, row);
        self.masked(&recorded)
    }

    /// Records what stood on the screen when the conversation broke off.
    pub(super) fn broke_off(&mut self, rest: &str) {
        self.note(rest);
    }

    fn note(&mut self, text: &str) {
        if let Some(recording) = &mut self.recording {
            recording.extend(text.chars().map(|letter| match letter {
                '«' => '‹',
                '»' => '›',
                other => other,
            }));
        }
    }

    /// Notes what was typed.
    pub(super) fn typed(&mut self, text: &str) {
        let command = text.split_whitespace().next().unwrap_or_default();
        self.about_filters |= ["filters", "trace"].iter().any(|name| command.eq_ignore_ascii_case(name));
        let text = self.masked(text);
        if self.recording.is_some() {
            self.note_typed(&text);
        }
        let _ = writeln!(self.text, "{text}");
        self.cut();
    }

    /// Notes what the device printed.
    pub(super) fn printed(&mut self, text: &str) {
        self.note(text);
        self.text.push_str(end_of(text, MOST));
        self.cut();
    }

    /// The end of the conversation, with `rest` behind it, without secrets: those that were named, and those that a filter on the
    /// screen compares headers with.
    pub(super) fn tail(&self, rest: &str) -> String {
        let whole = format!("{}{}", self.text, end_of(rest, MOST));
        let whole = self.shown(&whole);
        let lines: Vec<&str> = whole.lines().collect();
        let shown = lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default();
        shown.iter().map(|line| line.chars().take(LINE).collect::<String>()).collect::<Vec<_>>().join("\n")
    }

    fn note_typed(&mut self, text: &str) {
        let text: String = text.chars().filter(|letter| !matches!(letter, '«' | '»')).collect();
        if let Some(recording) = &mut self.recording {
            recording.extend(["«", &text, "»\n"]);
        }
    }

    fn cut(&mut self) {
        if self.text.len() > 2 * MOST {
            self.text = end_of(&self.text, MOST).to_owned();
        }
    }
}

/// What of a mail message must not be shown: its lines, the values of its headers, and their longer words.
pub(super) fn said_by_message(lines: &[String]) -> Vec<&str> {
    let mut found = Vec::new();
    let mut in_headers = true;
    for line in lines {
        in_headers &= !line.trim().is_empty();
        let value = line.split_once(':').filter(|_| in_headers).map_or(line.as_str(), |(_, value)| value);
        found.push(value.trim());
        found.extend(value.split_whitespace().filter(|word| word.len() >= SHORTEST_WORD));
    }
    found.retain(|text| text.len() >= SHORTEST_PART);
    found
}

/// Replaces a secret that is broken by blanks and ends of lines.
fn without_broken(text: &str, secret: &str) -> String {
    let wanted: Vec<char> = secret.chars().filter(|letter| !letter.is_whitespace()).collect();
    let Some(first) = wanted.first() else { return text.to_owned() };
    let mut shown = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(begin) = text.get(at..).and_then(|rest| rest.find(*first)).map(|found| at + found) {
        let mut left = wanted.iter();
        let mut next = left.next();
        let mut end = begin;
        for (offset, letter) in text.get(begin..).unwrap_or_default().char_indices() {
            if next == Some(&letter) {
                next = left.next();
                end = begin + offset + letter.len_utf8();
                if next.is_none() {
                    break;
                }
            } else if !letter.is_whitespace() {
                break;
            }
        }
        shown.push_str(text.get(at..begin).unwrap_or_default());
        if next.is_none() {
            shown.push_str(HIDDEN);
            at = end;
        } else {
            shown.push(*first);
            at = begin + first.len_utf8();
        }
    }
    shown.push_str(text.get(at..).unwrap_or_default());
    shown
}

fn end_of(text: &str, most: usize) -> &str {
    let mut start = text.len().saturating_sub(most);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    // A secret that is cut in half would not be found: begin with a whole line.
    match text.get(start..) {
        Some(end) if start > 0 => end.split_once('\n').map_or("", |(_, lines)| lines),
        Some(end) => end,
        None => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_does_not_show() {
        let mut transcript = Transcript::default();
        transcript.hide("swordfish");
        transcript.hide_script(&["f: if header(\"X-AUTH\") == \"^(mysecretkey|otherkey1)$\" { drop(); }".to_owned()]);
        transcript.typed("swordfish");
        transcript.printed("bad word mysecretkey near ^(mysecretkey|otherkey1)$\notherkey1 swordfish!\n");
        let tail = transcript.tail("swordfi");
        assert_eq!(tail, "(sensitive)\nbad word (sensitive) near (sensitive)\n(sensitive) (sensitive)!\nswordfi");
    }

    #[test]
    fn what_a_message_says_does_not_show_even_where_a_line_is_broken() {
        let mut transcript = Transcript::default();
        let message = ["X-OUTBOUND-AUTH: swordfish77", "Subject: hello", "", "the body says opensesame99"];
        transcript.hide_message(&message.map(str::to_owned));
        transcript.typed("trace");
        transcript.printed("X-OUTBOUND-AUTH: swordfi\n  sh77\nSubject: hello\nEvaluating Rule:   header(\"X-OUTBOUND-AUTH\") == \"^anothersecret$\"\nopensesame\n99 body\n");
        let tail = transcript.tail("");
        for part in ["swordfi", "sh77", "hello", "anothersecret", "opensesame"] {
            assert!(!tail.contains(part), "{part}: {tail}");
        }
        assert!(tail.contains("X-OUTBOUND-AUTH: (sensitive)") && tail.contains("Evaluating Rule:"), "{tail}");
        transcript.begin();
        transcript.printed("hello again\n");
        assert_eq!(transcript.tail(""), "hello again");
    }

    #[test]
    fn rg9_the_reason_of_the_device_names_what_a_typed_filter_names() {
        let mut transcript = Transcript::default();
        let text = "f: if (recv-listener == \"OutboundMail\") and header(\"X-AUTH\") == \"^Outbound secretvalue1$\" { quarantine(\"Policy\"); }";
        transcript.hide_script(&[text.to_owned()]);
        transcript.printed("Listener 'OutboundMail' unknown; Quarantine 'Policy' unknown; near secretvalue1\n");
        assert_eq!(transcript.tail(""), "Listener 'OutboundMail' unknown; Quarantine 'Policy' unknown; near (sensitive)");
    }

    #[test]
    fn a_filter_that_the_device_prints_shows_no_header_values() {
        let mut transcript = Transcript::default();
        transcript.printed("if header(\"X-OUTBOUND-AUTH\") == \"^nobodyknows$\" {\nEnter the limit for \"example.com\".\n");
        assert_eq!(
            transcript.tail(""),
            "if header(\"X-OUTBOUND-AUTH\") == \"(sensitive)\" {\nEnter the limit for \"example.com\"."
        );
    }

    #[test]
    fn only_the_end_is_kept_and_it_begins_with_a_whole_line() {
        let mut transcript = Transcript::default();
        for line in 0..100_000 {
            transcript.printed(&format!("line {line} of the table\n"));
        }
        let tail = transcript.tail("");
        assert_eq!(tail.lines().count(), LINES);
        assert!(tail.ends_with("line 99999 of the table"));
        assert!(transcript.text.len() <= 3 * MOST);
    }
}
