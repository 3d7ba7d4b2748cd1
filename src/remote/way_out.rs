//! The way out: what every text passes before it leaves the process, whoever reads it: diagnostics, log lines, what a tool prints.
//!
//! Three things happen there, and only there. What the process holds as a credential is replaced, in whatever form the text repeats it: a
//! service may quote a request, and the code that quotes the service need not know which credentials there are. What would steer a terminal or
//! turn the reading direction is shown as an escape. And a sentence that ends in what somebody else ended already has one full stop.
//!
//! A credential is made known where it comes into being: a setting where it is looked up, a token where it is granted. What is known stays
//! known until the process ends.

use std::fmt::Write as _;

use secrecy::SecretString;

use super::Masks;

/// A credential shorter than this is not replaced: it would turn up in every other word.
const SHORTEST: usize = 4;

/// A line of a key that is shorter than this says nothing.
const SHORTEST_LINE: usize = 16;

/// Takes a credential that must never leave the process.
pub fn never_show(credential: &str) {
    registry::change(|known| {
        let credential = credential.trim();
        if credential.contains('\n') {
            // A key is its lines, without those that every key has.
            credential
                .lines()
                .map(str::trim)
                .filter(|line| line.len() >= SHORTEST_LINE && !line.starts_with("-----"))
                .for_each(|line| known.add(line));
        } else if credential.len() >= SHORTEST {
            known.add(credential);
        }
    });
}

/// Takes a value of the configuration that is meant to be secret, if it looks like one: a word in small letters would take the words of every
/// message with it.
pub fn never_show_value(value: &str) {
    let value = value.trim();
    let mixed = value.chars().any(|letter| letter.is_uppercase() || letter.is_numeric());
    if value.len() >= 16 || (value.len() >= 8 && mixed) {
        never_show(value);
    }
}

/// Makes a secret of a credential, and takes care that it never leaves the process.
pub fn credential(text: impl Into<String>) -> SecretString {
    let text = text.into();
    never_show(&text);
    SecretString::from(text)
}

/// The text as it may leave the process.
pub fn shown(text: &str) -> String {
    finished(&masked(text))
}

/// The same for a record of what a service printed, word by word: sentences end as they do there.
pub(super) fn masked(text: &str) -> String {
    printable(&registry::mask(text))
}

/// Shows what would steer a terminal, or turn the reading direction, as an escape; line breaks and tabs stay.
fn printable(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let mut printed = String::with_capacity(text.len());
    for letter in text.chars() {
        let stays = matches!(letter, '\n' | '\t') || !(letter.is_control() || steers(letter));
        if stays {
            printed.push(letter);
        } else {
            // Writing to a text does not fail.
            let _ = write!(printed, "\\u{{{:x}}}", u32::from(letter));
        }
    }
    printed
}

/// Marks, embeddings, overrides and isolates of the reading direction; separators that some terminals take for line breaks; what has no width.
fn steers(letter: char) -> bool {
    matches!(letter, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Takes the second of two full stops away that end a sentence. Three are an ellipsis, and `..` by itself is a path.
fn finished(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    let mut before = (' ', ' ');
    while let Some(letter) = letters.next() {
        let ends = letters.peek().is_none_or(|next| next.is_whitespace());
        let doubled =
            letter == '.' && before.1 == '.' && ends && !matches!(before.0, '.' | '/' | '\\') && !before.0.is_whitespace();
        if !doubled {
            out.push(letter);
        }
        before = (before.1, letter);
    }
    out
}

#[cfg(not(test))]
mod registry {
    use std::sync::{PoisonError, RwLock};

    use super::Masks;

    static KNOWN: RwLock<Masks> = RwLock::new(Masks::new());

    pub(super) fn change(change: impl FnOnce(&mut Masks)) {
        change(&mut KNOWN.write().unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn mask(text: &str) -> String {
        KNOWN.read().unwrap_or_else(PoisonError::into_inner).mask(text)
    }
}

/// In the unit tests, which share a process, each thread knows its own: the password of one test may be a word of another.
#[cfg(test)]
mod registry {
    use std::cell::RefCell;

    use super::Masks;

    thread_local! {
        static KNOWN: RefCell<Masks> = const { RefCell::new(Masks::new()) };
    }

    pub(super) fn change(change: impl FnOnce(&mut Masks)) {
        KNOWN.with_borrow_mut(change);
    }

    pub(super) fn mask(text: &str) -> String {
        KNOWN.with_borrow(|known| known.mask(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_that_is_known_is_in_no_text() {
        never_show("swordfish-77");
        never_show("-----BEGIN KEY-----\n  MIIEvQIBADANBgkqhkiG9w0B\n  QEFAASCBKcwggSjAgEAAoIB\n-----END KEY-----\n");
        never_show("abc");
        assert_eq!(shown("no swordfish-77 here"), "no (sensitive) here");
        assert_eq!(shown("line 2: QEFAASCBKcwggSjAgEAAoIB"), "line 2: (sensitive)");
        assert_eq!(shown("abc -----BEGIN KEY-----"), "abc -----BEGIN KEY-----");
    }

    #[test]
    fn rs9_only_printable_text_goes_out() {
        let check = |text: &str, wanted: &str| assert_eq!(shown(text), wanted);
        check("a\r\nb\tc", "a\nb\tc");
        check("red \u{1b}[31m bell \u{7} \u{9b}1m", "red \\u{1b}[31m bell \\u{7} \\u{9b}1m");
        check("over\u{202e}ride \u{2066}x\u{2069} \u{feff}", "over\\u{202e}ride \\u{2066}x\\u{2069} \\u{feff}");
        check("a\rb\u{0}\u{7f}", "a\\u{d}b\\u{0}\\u{7f}");
        check("Z\u{fc}rich \u{65e5}\u{672c} \u{1f511}", "Z\u{fc}rich \u{65e5}\u{672c} \u{1f511}");
    }

    #[test]
    fn a_sentence_ends_once() {
        let check = |text: &str, wanted: &str| assert_eq!(shown(text), wanted);
        check("It said: no such host.. Check it.", "It said: no such host. Check it.");
        check("It failed: bad..", "It failed: bad.");
        check("bad..\nnext", "bad.\nnext");
        check("wait... what", "wait... what");
        check("see ../x and .. and 1..5", "see ../x and .. and 1..5");
    }
}
