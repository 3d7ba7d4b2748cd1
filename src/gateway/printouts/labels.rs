//! Labels, known by their words.
//!
//! A label is that of a setting if it has all words of the setting and none that belong to another one. What has a word more is a setting of its own,
//! whether it is managed here or not: "S/MIME Public Key Harvesting" is no "Directory Harvest Attack Prevention".

/// The words of a label by which a setting is known: all of one of the lists must be there, and of all others only those that may be.
pub(super) struct Words<F: 'static> {
    pub(super) field: F,
    pub(super) needs: &'static [&'static [&'static str]],
    pub(super) may: &'static [&'static str],
}

/// A line of a table of labels.
pub(super) const fn words<F: Copy>(
    field: F,
    needs: &'static [&'static [&'static str]],
    may: &'static [&'static str],
) -> Words<F> {
    Words { field, needs, may }
}

/// Words that say nothing about which setting it is.
const FILLERS: [&str; 24] = [
    "maximum", "max", "number", "no", "of", "per", "the", "a", "an", "from", "for", "to", "in", "on", "by", "be", "enabled",
    "enable", "use", "allow", "default", "policy", "setting", "any",
];

/// The setting that a label is about.
pub(super) fn field<F: Copy>(labels: &[Words<F>], label: &str) -> Option<F> {
    let found = super::words(label);
    let fits = |words: &&Words<F>| {
        let may = |word: &str| {
            FILLERS.contains(&word) || words.may.contains(&word) || words.needs.iter().any(|needs| needs.contains(&word))
        };
        words.needs.iter().any(|needs| needs.iter().all(|need| found.iter().any(|word| word == need)))
            && found.iter().all(|word| may(word))
    };
    labels.iter().find(fits).map(|words| words.field)
}
