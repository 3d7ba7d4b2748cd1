//! What a printout shows of an object and no line of its table knows, as `unmanaged` tells it.
//!
//! An option, a column or a label is told as `label = value`, in the words of the printout; a line without a label by its words. What says nothing
//! (`Default`, `Off`, `No`, `None`, 0) is not told. Of a value that may be a secret only a fingerprint is told, which changes with it; where the
//! label hints at a secret, nothing but the label.

use super::{truth, unquote};
use crate::remote::digest;

/// Words of a label that hint at a secret.
const SECRETIVE: [&str; 9] = ["secret", "passw", "passphrase", "pwd", "token", "credential", "key", "header", "community"];

/// What may stand between the words of a value.
const MARKS: [char; 16] = [' ', ',', ';', '|', '=', ':', '(', ')', '[', ']', '{', '}', '<', '>', '"', '\''];

/// The longest label and the longest value that are told in full.
const MOST_CHARACTERS: usize = 100;

/// An option with its value; nothing if it says that there is none.
pub(super) fn option(label: &str, value: &str) -> Option<String> {
    let label = spaced(unquote(label.trim_end_matches([':', '=', ' '])));
    let value = spaced(unquote(value));
    if label.is_empty() {
        return line(&value);
    }
    if says_nothing(&value) {
        return None;
    }
    let lower = label.to_lowercase();
    let is_secretive = SECRETIVE.iter().any(|word| lower.contains(word));
    Some(match truth(&value) {
        None if is_secretive => label,
        _ => format!("{label} = {}", shown(&label, &value)),
    })
}

/// A line without a label, or an option that is only named.
pub(super) fn line(text: &str) -> Option<String> {
    let first = text.split_once([':', '=']).filter(|(label, _)| is_label(label));
    // A label may have quotes with a colon in them.
    let last =
        || text.rsplit_once(": ").filter(|(label, _)| label.trim_start().starts_with(|letter: char| letter.is_alphabetic()));
    if let Some((label, value)) = first.or_else(last) {
        return option(label, value);
    }
    let text = spaced(text.trim_matches([',', ';', ' ']));
    let has_secret = SECRETIVE.iter().any(|word| text.to_lowercase().contains(word)) && text.contains(char::is_whitespace);
    match text.as_str() {
        _ if says_nothing(&text) => None,
        text if has_secret => Some(format!("#{}", digest(text, 4))),
        text => Some(shown("", text)),
    }
}

/// Tells whether a text has the form of a label: words of letters, digits and a few marks, the first letter first.
pub(super) fn is_label(text: &str) -> bool {
    let text = unquote(text);
    text.starts_with(|letter: char| letter.is_alphabetic())
        && text.chars().all(|letter| letter.is_alphanumeric() || " \t_-/.()".contains(letter))
}

/// Tells whether a value says that there is none, or that what holds elsewhere holds here.
pub(super) fn says_nothing(value: &str) -> bool {
    const NOTHING: [&str; 18] = [
        "",
        "no",
        "n",
        "off",
        "none",
        "disabled",
        "inactive",
        "false",
        "default",
        "system default",
        "0",
        "-",
        "--",
        "n/a",
        "na",
        "unset",
        "not set",
        "not configured",
    ];
    let value = value.trim().trim_matches(['(', ')', '<', '>', '.', '"']).trim().to_lowercase();
    NOTHING.contains(&value.as_str())
}

/// The value, or a fingerprint where it is long or has the look of a secret.
fn shown(label: &str, value: &str) -> String {
    let is_long = value.chars().count() > MOST_CHARACTERS;
    if is_long || value.split(MARKS).any(is_random) {
        return format!("#{}", digest(&format!("{label}\n{value}"), 4));
    }
    value.to_owned()
}

/// Tells whether a word has the look of a secret: long, with letters and digits in no order that a name or an address has.
fn is_random(word: &str) -> bool {
    let count = |test: fn(&u8) -> bool| word.bytes().filter(test).count();
    let (digits, letters) = (count(u8::is_ascii_digit), count(u8::is_ascii_alphabetic));
    let is_name = word.contains('.') && word.split('.').all(|label| label.len() <= 20);
    word.len() >= 8 && digits > 0 && letters > 0 && !is_name || word.len() >= 32
}

/// One blank between words, and nothing that a terminal does not print.
fn spaced(text: &str) -> String {
    let printable: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    printable.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_is_told_with_its_value_and_what_says_nothing_is_not() {
        let check = |label: &str, value: &str, expected: Option<&str>| {
            assert_eq!(option(label, value).as_deref(), expected, "{label}: {value}");
        };
        check("Delivery Class", "Bulk", Some("Delivery Class = Bulk"));
        check("delivery_class", "\"Bulk  mail\"", Some("delivery_class = Bulk mail"));
        check("Quota:", "5", Some("Quota = 5"));
        check("Peer", "mx1.example.com:2525", Some("Peer = mx1.example.com:2525"));
        check("", "bypass_quota", Some("bypass_quota"));
        for nothing in ["", "Default", "(Default)", "off", "No", "None", "0", "-", "Disabled", "Not configured"] {
            check("Delivery Class", nothing, None);
        }
    }

    #[test]
    fn rg2_what_may_be_a_secret_is_not_told_and_a_change_of_it_shows() {
        for secret in ["Hunter2Secret99", "a1b2c3d4e5", "0123456789abcdef0123456789abcdef", &"long ".repeat(40)] {
            let told = option("Relay Ticket", secret).expect("told");
            assert!(told.starts_with("Relay Ticket = #") && !told.contains(secret.trim()), "{told}");
            assert_ne!(Some(told), option("Relay Ticket", &format!("{secret}x")));
        }
        for label in ["Shared Secret", "API Token", "Private Key", "Login Passphrase"] {
            assert_eq!(option(label, "hunter").as_deref(), Some(label));
        }
        assert_eq!(option("Public Key Harvesting", "Yes").as_deref(), Some("Public Key Harvesting = Yes"));
        let told = line("the password is hunter").expect("told");
        assert!(told.starts_with('#') && !told.contains("hunter"), "{told}");
    }

    #[test]
    fn a_line_is_told_by_its_label_or_by_its_words() {
        assert_eq!(line("Delivery Class : Bulk").as_deref(), Some("Delivery Class = Bulk"));
        assert_eq!(line("  adaptive   delivery on,").as_deref(), Some("adaptive delivery on"));
        assert_eq!(line("Delivery Class: Off"), None);
        assert_eq!(line("2001:db8::/64").as_deref(), Some("2001:db8::/64"));
    }
}
