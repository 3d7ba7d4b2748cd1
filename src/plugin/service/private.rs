//! What is stored beside an object's state and never shown: named JSON values, as one JSON object.

use std::collections::BTreeMap;

use crate::value::Diagnostic;

/// Private data by name.
pub(super) type Private = BTreeMap<String, serde_json::Value>;

/// Reads private data. None stored is none.
pub(super) fn read(bytes: &[u8]) -> Result<Private, Diagnostic> {
    if bytes.is_empty() {
        return Ok(Private::new());
    }
    serde_json::from_slice(bytes).map_err(|error| {
        Diagnostic::error(
            "Unable to understand the private data of the object",
            format!(
                "What this provider stored beside the object's state is not what it writes ({:?} at byte {}): the state file was \
                 damaged or edited.\n\nRemove the object from the state with `terraform state rm` and import it again.",
                error.classify(),
                error.column(),
            ),
        )
    })
}

/// Writes private data.
pub(super) fn write(private: &Private) -> Vec<u8> {
    if private.is_empty() {
        return Vec::new();
    }
    // A map with text keys always has a JSON form.
    serde_json::to_vec(private).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn point_15_private_data_comes_back_as_it_was() {
        let private = Private::from([
            ("stamp".to_owned(), "2026-01-01".into()),
            ("before".to_owned(), serde_json::json!({"limit": 12_345_678_901_234_567_890_123_u128.to_string(), "n": [1, 2.5]})),
        ]);
        assert_eq!(read(&write(&private)).unwrap(), private);
        assert_eq!(read(&write(&Private::new())).unwrap(), Private::new());
    }

    #[test]
    fn p06_corrupt_private_data_is_an_error_that_does_not_quote_it() {
        for corrupt in [&b"{\"secret\": hunter2}"[..], b"[1]", b"\xff\xfe", b"null", b"{"] {
            let error = read(corrupt).unwrap_err();
            assert!(error.detail.contains("state rm") && !error.detail.contains("hunter2"), "{}", error.detail);
        }
    }
}
