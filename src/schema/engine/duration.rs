//! Durations as users write them: `30s`, `5m`, `1h30m`, `250ms`.

use std::time::Duration;

/// The longest that anything here may take; longer is taken for a slip.
const MOST: Duration = Duration::from_hours(24);

/// Reads a duration: whole or decimal numbers, each with a unit of `ms`, `s`, `m` or `h`, one after another. Zero, negative
/// durations and those over 24 hours are refused; the error says what to write.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong =
        || format!("{text:?} is not a duration; write a number and a unit (ms, s, m, h), such as \"30s\", \"5m\" or \"1h30m\"");
    if text.starts_with('-') {
        return Err(format!("{text:?} is negative; a duration must be more than nothing, such as \"30s\" or \"5m\""));
    }
    if text.is_empty() || text.len() > 64 {
        return Err(wrong());
    }
    let mut seconds = 0.0_f64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.').ok_or_else(wrong)?;
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, next) = after.split_at(letters);
        let scale = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return Err(wrong()),
        };
        if !number.starts_with(|letter: char| letter.is_ascii_digit()) || number.ends_with('.') {
            return Err(wrong());
        }
        seconds += number.parse::<f64>().map_err(|_| wrong())? * scale;
        rest = next;
    }
    // Whole milliseconds: what decimal fractions leave behind that is not said by anyone.
    let duration = Duration::try_from_secs_f64((seconds * 1000.0).round() / 1000.0).unwrap_or(Duration::MAX);
    if duration.is_zero() {
        return Err(format!("{text:?} is no time at all; a duration must be more than nothing, such as \"30s\" or \"5m\""));
    }
    if duration > MOST {
        return Err(format!("{text:?} is more than 24 hours, the longest that can be waited for"));
    }
    Ok(duration)
}

/// [`parse_duration`] as the test of an attribute's format.
pub(super) fn test(text: &str) -> Result<(), String> {
    parse_duration(text).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_written() {
        let read = [
            ("30s", 30_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("250ms", 250),
            ("1.5h", 5_400_000),
            ("24h", 86_400_000),
            ("1m0.5s", 60_500),
        ];
        for (text, milliseconds) in read {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
    }

    #[test]
    fn c15_zero_negative_and_absurd_durations_are_refused_with_a_form_that_works() {
        let wrong = [
            "",
            "0s",
            "0",
            "-5m",
            "5",
            "m",
            "5 m",
            "5d",
            "25h",
            "999999999999999999999h",
            "1..2s",
            ".s",
            ".5s",
            "5.s",
            "1e3s",
            "٣s",
            "0.0001ms",
        ];
        for text in wrong {
            assert!(parse_duration(text).is_err(), "{text}");
        }
        for text in ["", "5", "soon"] {
            assert!(parse_duration(text).unwrap_err().contains("\"5m\""), "{text}");
        }
    }
}
