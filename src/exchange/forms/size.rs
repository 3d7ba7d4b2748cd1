//! Sizes as people and the service write them: `10 MB`, `97.66 KB (100,000 bytes)`, `Unlimited`.
//!
//! What stands in parentheses is exact, and what stands before it is rounded. The service groups the digits by the rules of a language: a comma, a
//! dot, an apostrophe, a space that does not break, or none.

/// A size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Size {
    Bytes(u64),
    Unlimited,
}

/// The units, the greatest first.
const UNITS: &[(&str, u64)] = &[("TB", 1 << 40), ("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)];
/// What the service shows where there is no limit.
const UNLIMITED: &str = "Unlimited";

/// Asks for a size with or without a unit.
pub fn size(text: &str) -> Result<(), String> {
    match read(text) {
        Some(_) => Ok(()),
        None => {
            Err("is not a size in whole bytes, such as 10 MB, 100000 B or Unlimited; the units are B, KB, MB, GB and TB"
                .to_owned())
        }
    }
}

/// Sizes mean the same by their bytes.
pub fn size_meaning(text: &str) -> String {
    match read(text) {
        Some(Size::Bytes(bytes)) => bytes.to_string(),
        Some(Size::Unlimited) => UNLIMITED.to_owned(),
        None => text.to_owned(),
    }
}

/// A size in the shortest form that is exact: `10 MB`, `100000 B`. A text that is none stays as it is.
pub fn exact_size(text: &str) -> String {
    match read(text) {
        Some(Size::Bytes(bytes)) => match UNITS.iter().find(|(_, factor)| bytes > 0 && bytes.is_multiple_of(*factor)) {
            Some((unit, factor)) => format!("{} {unit}", bytes / factor),
            None => format!("{bytes} B"),
        },
        Some(Size::Unlimited) => UNLIMITED.to_owned(),
        None => text.to_owned(),
    }
}

/// The bytes of a size that has a limit.
pub fn bytes_of(text: &str) -> Option<u64> {
    match read(text)? {
        Size::Bytes(bytes) => Some(bytes),
        Size::Unlimited => None,
    }
}

fn read(text: &str) -> Option<Size> {
    let text = text.trim();
    if text.eq_ignore_ascii_case(UNLIMITED) {
        return Some(Size::Unlimited);
    }
    if let Some((_, inside)) = text.rsplit_once('(') {
        // The word for bytes is that of a language, too.
        let (digits, word) = number_and_word(inside.trim_end().strip_suffix(')')?.trim());
        let is_word = word.chars().all(|letter| letter.is_alphabetic() || letter == '.');
        return if is_word { grouped(digits, false).map(Size::Bytes) } else { None };
    }
    let (number, unit) = number_and_word(text);
    let factor = match unit.to_ascii_uppercase().as_str() {
        "" | "B" | "BYTE" | "BYTES" => return grouped(number, true).map(Size::Bytes),
        unit => UNITS.iter().find(|(name, _)| *name == unit)?.1,
    };
    whole(number, factor).map(Size::Bytes)
}

/// A text taken apart where its last word begins.
fn number_and_word(text: &str) -> (&str, &str) {
    let word = text.trim_end_matches(|letter: char| letter.is_alphabetic() || letter == '.');
    // A dot at the end of the number belongs to the number.
    let at = word.len();
    let (number, word) = text.split_at_checked(at).unwrap_or((text, ""));
    if word.chars().any(char::is_alphabetic) { (number.trim_end(), word) } else { (text, "") }
}

/// The number of digits in groups, whatever stands between them. A number that somebody writes has groups of three behind the first.
fn grouped(text: &str, is_strict: bool) -> Option<u64> {
    let is_whole =
        text.starts_with(|letter: char| letter.is_ascii_digit()) && text.ends_with(|letter: char| letter.is_ascii_digit());
    if !is_whole || text.chars().any(char::is_alphabetic) {
        return None;
    }
    let groups: Vec<&str> = text.split(|letter: char| !letter.is_ascii_digit()).collect();
    let is_regular = groups.iter().skip(1).all(|group| if is_strict { group.len() == 3 } else { !group.is_empty() });
    if is_regular { groups.concat().parse().ok() } else { None }
}

/// A number of units, perhaps with a fraction, that comes to whole bytes.
fn whole(text: &str, factor: u64) -> Option<u64> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number(text) {
        return text.parse::<u64>().ok()?.checked_mul(factor);
    }
    let (whole, fraction) = text.split_once(['.', ','])?;
    // `1,024 KB` is read in two ways.
    let is_grouped = text.contains(',') && fraction.len() == 3;
    if !is_number(whole) || !is_number(fraction) || is_grouped {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let scale = 10_u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let parts = if fraction.is_empty() { 0 } else { fraction.parse::<u64>().ok()?.checked_mul(factor)? };
    if !parts.is_multiple_of(scale) {
        return None;
    }
    whole.parse::<u64>().ok()?.checked_mul(factor)?.checked_add(parts / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The digits of a number in groups.
    fn in_groups(number: u64, separator: &str, of: impl Fn(usize) -> bool) -> String {
        let digits = number.to_string();
        let mut text = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && of(digits.len() - index) {
                text.push_str(separator);
            }
            text.push(digit);
        }
        text
    }

    #[test]
    fn rx7_the_number_in_parentheses_counts_whatever_stands_between_its_digits() {
        for number in [0, 7, 999, 1000, 100_000, 36_700_160, 1_099_511_627_776, u64::MAX] {
            for separator in ["", ",", ".", " ", "'", "\u{2019}", "\u{a0}", "\u{202f}", "\u{66c}", "\u{2009}"] {
                let threes = in_groups(number, separator, |left| left.is_multiple_of(3));
                // In India: 1,00,00,000.
                let indian = in_groups(number, separator, |left| left == 3 || (left > 3 && (left - 3).is_multiple_of(2)));
                for digits in [threes, indian] {
                    for text in [
                        format!("97.66 KB ({digits} bytes)"),
                        format!("97,66\u{a0}KB ({digits}\u{a0}Bytes)"),
                        format!("x ({digits} octets)"),
                    ] {
                        assert_eq!(size_meaning(&text), number.to_string(), "{text}");
                        assert_eq!(size(&text), Ok(()), "{text}");
                        assert_eq!(size_meaning(&exact_size(&text)), number.to_string(), "{text}");
                    }
                }
            }
        }
    }

    #[test]
    fn rx7_sizes_are_read_as_people_write_them_and_shown_exactly() {
        for (text, wanted) in [
            ("10 MB", "10 MB"),
            ("10MB", "10 MB"),
            ("10240 kb", "10 MB"),
            ("1.5 MB", "1536 KB"),
            ("1,5 MB", "1536 KB"),
            ("10485760", "10 MB"),
            ("100000", "100000 B"),
            ("100,000 bytes", "100000 B"),
            ("100.000 B", "100000 B"),
            ("0", "0 B"),
            ("0 B (0 bytes)", "0 B"),
            ("unlimited", "Unlimited"),
            ("10 MB (10,485,760 bytes)", "10 MB"),
            ("97.66 KB (100,000 bytes)", "100000 B"),
        ] {
            assert_eq!(exact_size(text), wanted, "{text}");
        }
        for text in [
            "",
            "MB",
            "ten",
            "97.66 KB",
            "1,024 KB",
            "-1 MB",
            "1 XB",
            "( bytes)",
            "1 (2",
            "1 (-2 bytes)",
            "99999999999 TB",
            "1.2.3",
        ] {
            assert!(size(text).is_err(), "{text}");
            assert_eq!(exact_size(text), text);
        }
        assert_eq!((bytes_of("1 KB"), bytes_of("Unlimited"), bytes_of("x")), (Some(1024), None, None));
    }
}
