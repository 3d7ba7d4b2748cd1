//! JSON of a service, bounded before it is read into memory.
//!
//! A value takes many times the bytes of its text: some megabytes of `{},{},…` would fill the memory. So the values are counted first.

use serde_json::Value;

/// The most values that a text may hold. The largest honest answers (a thousand rules with all their members) hold less than half.
const MOST_VALUES: usize = 1_000_000;

/// Why a text was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It holds more than anybody needs.
    #[error("it holds more than {MOST_VALUES} values")]
    TooMuch,
    /// It is no JSON, or is cut off.
    #[error("it is cut off or is not JSON")]
    NotJson,
}

/// Reads a text.
pub fn read_json(text: &[u8]) -> Result<Value, Unreadable> {
    if values(text) > MOST_VALUES {
        return Err(Unreadable::TooMuch);
    }
    serde_json::from_slice(text).map_err(|_| Unreadable::NotJson)
}

/// How many values a text may hold at most: each begins the text, or follows one of `[`, `{`, `,`, `:`.
fn values(text: &[u8]) -> usize {
    let (mut count, mut in_text, mut escaped) = (1, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' | b',' | b':' if !in_text => count += 1,
            _ => {}
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rs9_many_small_objects_are_refused_before_they_are_read() {
        let many = format!("[{}{{}}]", "{},".repeat(600_000));
        assert_eq!(read_json(many.as_bytes()), Err(Unreadable::TooMuch));
        let nested = format!("{{\"value\":[{}0]}}", "{\"a\":{\"b\":1}},".repeat(200_000));
        assert_eq!(read_json(nested.as_bytes()), Err(Unreadable::TooMuch));
    }

    #[test]
    fn what_stands_in_texts_does_not_count() {
        let text = format!("\"{}\\\"{}\"", ",[{:".repeat(600_000), ",".repeat(600_000));
        assert!(read_json(text.as_bytes()).is_ok());
        assert_eq!(values(br#"{"a":[1,2,{"b":"x,y\\"}],"c":null}"#), 10);
    }

    #[test]
    fn what_is_no_json_is_said_to_be_none() {
        for text in ["", "{", "<html>", "[1,2"] {
            assert_eq!(read_json(text.as_bytes()), Err(Unreadable::NotJson), "{text}");
        }
    }
}
