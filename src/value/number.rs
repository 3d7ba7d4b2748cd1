//! Exact decimal numbers.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use bigdecimal::{BigDecimal, ToPrimitive};

/// A decimal number of any size, exact. `10`, `10.0` and `1e1` are the same number.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Number(BigDecimal);

/// The text is not a decimal number, or its exponent is beyond what any attribute could mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotANumber;

/// Numbers with more digits or a greater exponent than this are refused on reading: a few bytes of exponent
/// must not make gigabytes of digits.
const MOST_DIGITS: usize = 10_000;

impl Number {
    /// The number as a 64-bit integer, if it is whole and fits.
    pub fn as_i64(&self) -> Option<i64> {
        if self.0.is_integer() { self.0.to_i64() } else { None }
    }

    /// The number as a float, if a float can hold it exactly.
    pub fn as_exact_f64(&self) -> Option<f64> {
        let near = self.0.to_f64()?;
        (near.is_finite() && Number::from_f64(near).as_ref() == Some(self)).then_some(near)
    }

    /// Tells whether this is a whole number.
    pub fn is_whole(&self) -> bool {
        self.0.is_integer()
    }

    /// Reads a finite float exactly. Infinity and not-a-number give nothing.
    pub fn from_f64(float: f64) -> Option<Number> {
        BigDecimal::try_from(float).ok().map(|decimal| Number(decimal.normalized()))
    }
}

impl From<i64> for Number {
    fn from(number: i64) -> Number {
        Number(BigDecimal::from(number).normalized())
    }
}

impl From<u64> for Number {
    fn from(number: u64) -> Number {
        Number(BigDecimal::from(number).normalized())
    }
}

impl FromStr for Number {
    type Err = NotANumber;

    /// Reads decimal digits with an optional sign, point and exponent. Nothing else is a number here: no `_`, no hexadecimal,
    /// no infinity.
    fn from_str(text: &str) -> Result<Number, NotANumber> {
        let plain = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E');
        if text.len() > MOST_DIGITS || !text.bytes().all(plain) {
            return Err(NotANumber);
        }
        let decimal = BigDecimal::from_str(text).map_err(|_| NotANumber)?;
        if decimal.fractional_digit_count().unsigned_abs() > MOST_DIGITS as u64 {
            Err(NotANumber)
        } else {
            Ok(Number(decimal.normalized()))
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Number) -> Ordering {
        self.0.cmp(&other.0)
    }
}

/// Plain decimal digits, never with an exponent.
impl fmt::Display for Number {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0.to_plain_string())
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_number_are_equal() {
        for (one, other) in [("10", "10.0"), ("1e1", "10"), ("-0", "0"), ("0.50", "5e-1"), ("+7", "7")] {
            assert_eq!(one.parse::<Number>(), other.parse(), "{one} {other}");
        }
    }

    #[test]
    fn what_is_not_a_decimal_number_is_refused() {
        for text in ["", "-", ".", "1_000", "0x10", "inf", "NaN", "1e", "e5", "1 ", "--1", "1.2.3"] {
            assert!(text.parse::<Number>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_few_bytes_of_exponent_do_not_make_gigabytes_of_digits() {
        for text in ["1e1000000000", "1e-1000000000", "1e9223372036854775808", "1e-9223372036854775808", "1e9223372036854775807"]
        {
            assert!(text.parse::<Number>().is_err(), "{text}");
        }
        assert!("1e9999".parse::<Number>().is_ok());
    }

    #[test]
    fn a_float_is_exact_or_nothing() {
        let number = |text: &str| text.parse::<Number>().unwrap();
        assert_eq!(number("2.5").as_exact_f64(), Some(2.5));
        assert_eq!(number("0.1").as_exact_f64(), None);
        assert_eq!(number("9007199254740993").as_exact_f64(), None);
        assert_eq!(Number::from_f64(f64::NAN), None);
        assert_eq!(Number::from_f64(f64::INFINITY), None);
        assert_eq!(Number::from_f64(5e-324).and_then(|tiny| tiny.as_exact_f64()), Some(5e-324));
    }
}
