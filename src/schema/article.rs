//! How the noun of a table stands in a sentence: with its article ("an inbound connector", "an SMTP route"), or at the beginning.

/// `An` or `A`, as the sound of the noun's first word asks for. Capital letters are spelt out: an SMTP route, a URL.
pub fn article(noun: &str) -> &'static str {
    let word = noun.split([' ', '-']).next().unwrap_or_default();
    let mut letters = word.chars();
    let Some(first) = letters.next() else { return "A" };
    let spelt = word.len() > 1 && word.chars().all(|letter| !letter.is_lowercase());
    let vowel = if spelt {
        "AEFHILMNORSX8".contains(first)
    } else {
        let word = word.to_lowercase();
        // Written with a vowel, spoken with another sound.
        let spoken_otherwise = ["uni", "use", "one", "eu"].iter().any(|start| word.starts_with(start));
        "aeiou".contains(first.to_ascii_lowercase()) && !spoken_otherwise
    };
    if vowel { "An" } else { "A" }
}

/// A text that begins with a capital letter.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_article_follows_the_sound() {
        for (noun, wanted) in [
            ("inbound connector", "An"),
            ("outbound connector", "An"),
            ("order of transport rules", "An"),
            ("accepted domain", "An"),
            ("SMTP route", "An"),
            ("MX record", "An"),
            ("TLS setting", "A"),
            ("URL", "A"),
            ("transport rule", "A"),
            ("user", "A"),
            ("unit", "A"),
            ("unmanaged rule", "An"),
            ("one-time code", "A"),
            ("", "A"),
        ] {
            assert_eq!(article(noun), wanted, "{noun}");
        }
    }
}
