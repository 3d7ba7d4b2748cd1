//! The batch format of a command: one line that does what a dialog does in seven.
//!
//! `help COMMAND` prints the batch format of the release at hand. A line is typed only where that help, read in this session, shows the form
//! that we know, word by word; everywhere else, and for every value that does not fit into a word, the dialog is walked. What a line staged is
//! read before it is committed (`gateway/batch`); a device that understood it differently is asked by dialogs from then on.
//!
//! The forms are those of the CLI reference, as far as they are known: `smtproutes new <source> <destination> [destination ...]`,
//! `destconfig new <profile> [options]`, `listenerconfig edit <listener> rcptaccess new <address> [options]`, and `delete`.

/// The characters of a word that is typed as it is: no quotes, blanks, or anything else that a shell may understand.
const PLAIN: &str = ".-_:/@[]=+";

/// A longer line is left to the dialog: it is not known how long one may be.
const LONGEST: usize = 240;

/// A form of a command, as its help prints it.
#[derive(Debug, PartialEq, Eq)]
pub struct Form {
    /// The command whose help shows it.
    pub command: &'static str,
    /// Its words: keywords, and placeholders in angle brackets. What is optional is left out.
    pub words: &'static [&'static str],
}

/// A line in the batch format.
#[derive(Debug, Clone)]
pub struct Line {
    /// What is typed at the main prompt.
    pub text: String,
    /// The form that it has.
    pub form: &'static Form,
    /// The options in it, which the help must name, too.
    pub options: Vec<&'static str>,
}

impl Line {
    /// Fills a form: each placeholder takes the next value, and what is left over stands behind. `None` where a value is no plain word, or
    /// too few are given.
    pub fn of<'a>(form: &'static Form, values: impl IntoIterator<Item = &'a str>) -> Option<Line> {
        let mut values = values.into_iter();
        let mut words = Vec::new();
        for word in form.words {
            words.push(if is_placeholder(word) { plain(values.next()?)? } else { word });
        }
        for value in values {
            words.push(plain(value)?);
        }
        Some(Line { text: words.join(" "), form, options: Vec::new() }).filter(Line::is_short)
    }

    /// Puts an option behind it: `name=value`, or `name value` where `between` is a blank.
    pub fn with(mut self, name: &'static str, between: &str, value: &str) -> Option<Line> {
        self.text = format!("{} {name}{between}{}", self.text, plain(value)?);
        self.options.push(name);
        Some(self).filter(Line::is_short)
    }

    fn is_short(&self) -> bool {
        self.text.len() <= LONGEST
    }

    /// Tells whether a help text offers this form with these options.
    pub fn is_offered(&self, help: &str) -> bool {
        let help = help.to_ascii_lowercase();
        help.lines().any(|line| shows(line, self.form.words)) && self.options.iter().all(|name| names(&help, name))
    }
}

fn is_placeholder(word: &str) -> bool {
    word.starts_with('<')
}

/// A value that is typed as one word without quotes.
fn plain(value: &str) -> Option<&str> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || PLAIN.contains(letter);
    // What begins like an option would be read as one, and `delete ALL` may mean every entry.
    let is_read_otherwise = value.starts_with('-') || ["all", "default"].iter().any(|word| value.eq_ignore_ascii_case(word));
    let is_word = !value.is_empty() && !is_read_otherwise && value.chars().all(fits);
    is_word.then_some(value)
}

/// Tells whether a line of a help text shows these words, and nothing behind them that must be given, too.
fn shows(line: &str, words: &[&str]) -> bool {
    let mut shown = line.split_whitespace();
    let begins = words.iter().all(|word| shown.next().is_some_and(|shown| fits(shown, word)));
    begins && shown.next().is_none_or(|next| next.starts_with('[') || next == "|")
}

/// A word of the help may show choices: `new|edit`, `<default|profile>`.
fn fits(shown: &str, word: &str) -> bool {
    let inner = |word: &str| word.strip_prefix('<').and_then(|word| word.strip_suffix('>')).map(str::to_owned);
    match (inner(shown), inner(word)) {
        (Some(shown), Some(word)) => shown.split('|').any(|choice| choice == word),
        (None, None) => shown.split('|').any(|choice| choice == word),
        _ => false,
    }
}

/// Tells whether a help text names an option: as a word of its own, or before a `=`.
fn names(help: &str, option: &str) -> bool {
    help.split(|letter: char| letter.is_whitespace() || "=[]|,".contains(letter)).any(|word| word == option)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTE: Form = Form { command: "smtproutes", words: &["smtproutes", "new", "<source>", "<destination>"] };

    #[test]
    fn a_form_is_offered_only_by_a_help_that_shows_it_word_by_word() {
        let line = Line::of(&ROUTE, ["a.example", "mx.example:26"]).expect("plain words");
        assert_eq!(line.text, "smtproutes new a.example mx.example:26");
        for (help, expected) in [
            ("smtproutes new <source> <destination> [destination] [...]", true),
            ("Batch format:\n  smtproutes NEW|edit <domain|source> <destination>\n", true),
            ("smtproutes new <source> <destination> [options] | ALL", true),
            ("smtproutes new <destination> <source>", false),
            ("smtproutes new <source> <priority> <destination>", false),
            ("smtproutes new <source> <destination> <priority>", false),
            ("smtproutes new <source>", false),
            ("smtproutes new source destination", false),
            ("No batch help for smtproutes.", false),
            ("", false),
        ] {
            assert_eq!(line.is_offered(help), expected, "{help}");
        }
    }

    #[test]
    fn options_must_be_named_by_the_help() {
        const NEW: Form = Form { command: "destconfig", words: &["destconfig", "new", "<profile>"] };
        let line = Line::of(&NEW, ["a.example"]).and_then(|line| line.with("use_tls", "=", "on")).expect("plain words");
        assert_eq!(line.text, "destconfig new a.example use_tls=on");
        assert!(line.is_offered("destconfig new <profile> [options]\nOptions:\n  use_tls=<off|on>"));
        assert!(!line.is_offered("destconfig new <profile> [options]\nOptions:\n  use_tls_always=<off|on>"));
    }

    #[test]
    fn only_plain_words_are_typed() {
        for value in ["ALL", "default", "two words", "a;b", "a\"b", "", "-a", "--action", "ü.example", "a\nb", "$(x)", "a|b"] {
            assert!(Line::of(&ROUTE, ["a.example", value]).is_none(), "{value:?}");
        }
        assert!(Line::of(&ROUTE, ["a.example"]).is_none(), "a value is missing");
        let long = format!("{}.example", "a".repeat(LONGEST));
        assert!(Line::of(&ROUTE, ["a.example", &long]).is_none(), "too long");
    }
}
