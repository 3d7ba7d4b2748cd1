//! What the resources of a written configuration are called.

use std::collections::{BTreeMap, BTreeSet};

/// Names that were given out.
#[derive(Debug, Default)]
pub(super) struct Names {
    taken: BTreeSet<String>,
    /// How often each name was asked for, so that the next free number is found at once.
    asked: BTreeMap<String, usize>,
}

impl Names {
    /// A name for what the vendor calls `title`: in small letters, words with `_` between them, `_2` where it is taken.
    pub(super) fn give(&mut self, title: &str) -> String {
        let base = snake(title);
        let count = self.asked.entry(base.clone()).or_insert(0);
        loop {
            *count += 1;
            let name = if *count == 1 { base.clone() } else { format!("{base}_{count}") };
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
    }
}

fn snake(title: &str) -> String {
    let mut name = String::new();
    let mut previous = ' ';
    for letter in title.chars() {
        if letter.is_ascii_alphanumeric() {
            if letter.is_ascii_uppercase() && (previous.is_ascii_lowercase() || previous.is_ascii_digit()) {
                name.push('_');
            }
            name.push(letter.to_ascii_lowercase());
        } else if !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
        previous = letter;
    }
    let name = name.trim_matches('_');
    match name.chars().next() {
        None => "object".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("n_{name}"),
        Some(_) => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_vendor_s_in_small_letters_and_given_once() {
        let mut names = Names::default();
        let given = [
            "Inbound from Cisco CES",
            "inbound-from cisco ces",
            "RELAY_O365",
            "IncomingMail",
            ".example.com",
            "203.0.113.1",
            "Ä",
            "*",
        ]
        .map(|title| names.give(title));
        assert_eq!(
            given,
            [
                "inbound_from_cisco_ces",
                "inbound_from_cisco_ces_2",
                "relay_o365",
                "incoming_mail",
                "example_com",
                "n_203_0_113_1",
                "object",
                "object_2",
            ]
        );
    }
}
