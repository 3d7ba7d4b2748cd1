//! Numbers, sizes and dates by value.

/// A number or a size in its one spelling: `10M` is `10485760`, `-2.50` is `-2.5`. `None` for what is no number.
pub(super) fn canonical_number(word: &str) -> Option<String> {
    let (sign, rest) = match word.strip_prefix(['+', '-']) {
        Some(rest) if word.starts_with('-') => ("-", rest),
        Some(rest) => ("", rest),
        None => ("", word),
    };
    let (digits, power) = match rest.chars().next_back()? {
        'b' | 'B' => (rest.get(..rest.len() - 1)?, 0),
        'k' | 'K' => (rest.get(..rest.len() - 1)?, 1),
        'm' | 'M' => (rest.get(..rest.len() - 1)?, 2),
        'g' | 'G' => (rest.get(..rest.len() - 1)?, 3),
        _ => (rest, 0),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) || digits.ends_with('.') {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let spelled = match (power, fraction) {
        (0, "") => whole.trim_start_matches('0').to_owned(),
        (0, fraction) => format!("{}.{fraction}", whole.trim_start_matches('0')),
        (power, fraction) => {
            let factor = 1024_u128.pow(power);
            let scale = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
            let units: u128 = format!("0{whole}{fraction}").parse().ok()?;
            let value = units.checked_mul(factor)?;
            if !value.is_multiple_of(scale) {
                return None;
            }
            (value / scale).to_string().trim_start_matches('0').to_owned()
        }
    };
    let spelled = if spelled.is_empty() || spelled.starts_with('.') { format!("0{spelled}") } else { spelled };
    Some(if spelled == "0" { spelled } else { format!("{sign}{spelled}") })
}

/// A time as the rule `date` takes it, `MM/DD/YYYY hh:mm:ss`, with two digits everywhere. `None` for what is no such time.
pub(super) fn canonical_date(text: &str) -> Option<String> {
    let (day, time) = text.trim().split_once(' ')?;
    let parts = |text: &str, mark: char| -> Option<[u16; 3]> {
        let parts: Vec<u16> = text
            .split(mark)
            .map(|part| part.parse().ok().filter(|_| (1..=4).contains(&part.len()) && !part.starts_with('+')))
            .collect::<Option<_>>()?;
        parts.try_into().ok()
    };
    let ([month, day, year], [hour, minute, second]) = (parts(day, '/')?, parts(time.trim(), ':')?);
    Some(format!("{month:02}/{day:02}/{year:04} {hour:02}:{minute:02}:{second:02}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_sizes_are_compared_by_value() {
        for (word, wanted) in [
            ("10M", "10485760"),
            ("10m", "10485760"),
            ("100k", "102400"),
            ("1.5k", "1536"),
            ("1G", "1073741824"),
            ("7b", "7"),
            ("007", "7"),
            ("-2.50", "-2.5"),
            ("-0", "0"),
            (".5", "0.5"),
            ("+5", "5"),
            ("0k", "0"),
        ] {
            assert_eq!(canonical_number(word).as_deref(), Some(wanted), "{word}");
        }
        for word in ["", "-", "M", "10MB", "1.2.3", "10.", "1e5", "a", "0.0001k", "99999999999999999999999999999999999999G"] {
            assert_eq!(canonical_number(word), None, "{word}");
        }
    }

    #[test]
    fn dates_are_compared_by_their_numbers() {
        assert_eq!(canonical_date("7/8/2003 13:0:00").as_deref(), Some("07/08/2003 13:00:00"));
        for text in ["07/28/2003", "07/28/2003 13:00", "07-28-2003 13:00:00", "a/b/c d:e:f", "07/28/2003 13:00:00:00"] {
            assert_eq!(canonical_date(text), None, "{text}");
        }
    }
}
