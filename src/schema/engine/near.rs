//! Which of a few words a text is most like.

/// How many letters must be put in, taken out or changed to make one text from the other.
pub fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, letter) in one.chars().enumerate() {
        let mut corner = above;
        let mut left = above + 1;
        let mut next = vec![left];
        for (column, same) in other.iter().map(|wanted| *wanted == letter).enumerate() {
            let up = row.get(column + 1).copied().unwrap_or(usize::MAX - 1);
            let cost = (corner + usize::from(!same)).min(up + 1).min(left + 1);
            corner = up;
            left = cost;
            next.push(cost);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

/// The most letters by which a text differs from the word that was meant.
const SLIP: usize = 2;

/// Tells whether a text is one of the words in another case, or with a slip of a letter or two.
pub(super) fn is_slip(text: &str, words: &[&str]) -> bool {
    let lower = text.to_lowercase();
    // Of a short word, two letters leave nothing.
    words.iter().any(|word| distance(&lower, &word.to_lowercase()) <= SLIP.min(word.chars().count().saturating_sub(1)))
}

/// The words in quotes, the one most like the text first.
pub(super) fn listed(text: &str, words: &[&str]) -> String {
    let lower = text.to_lowercase();
    let mut sorted: Vec<&str> = words.to_vec();
    sorted.sort_by_cached_key(|word| distance(&lower, &word.to_lowercase()));
    sorted.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_comes_first_and_a_slip_is_known() {
        let words = ["accept", "relay", "reject", "To"];
        assert_eq!(listed("Relai", &words), r#""relay", "reject", "To", "accept""#);
        for slip in ["ACCEPT", "acept", "rejcet", "to", "T"] {
            assert!(is_slip(slip, &words), "{slip}");
        }
        for other in ["forward", "Cc", ""] {
            assert!(!is_slip(other, &words), "{other}");
        }
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
