//! Why message filters are not valid: `config/message_filters`.
//!
//! ```json
//! {"meta":{"count":1},"data":[{"name":"f3","rules_and_actions":"if (true) { deliver(); }","invalid_reason":"Interface 'x' unknown",
//!  "valid":"false","active":"true","order":1}]}
//! ```
//!
//! The command line shows that a filter is not valid, and not why. This is the only thing that is taken from here, and only from an entry
//! that says of text and validity what the command line says: nothing is known of how soon this list follows a commit. Releases without
//! the endpoint answer "Not Found."; they are asked once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use tokio::sync::Mutex;

use super::{Product, Rest};
use crate::gateway::filters::meaning;
use crate::remote::{Call, Error, Kind, interruptible};

/// What the device last said of its filters.
#[derive(Default)]
pub(super) struct Reasons {
    live: Mutex<Option<Arc<Vec<Filter>>>>,
    unsupported: AtomicBool,
}

/// A message filter as the API shows it.
#[derive(Debug, PartialEq, Eq)]
struct Filter {
    name: String,
    /// Without the label.
    text: String,
    valid: Option<bool>,
    reason: Option<String>,
}

impl Rest {
    /// Says why the filter with this text is not valid; `None` if the device does not tell, or tells of another text.
    pub async fn invalid_reason(&self, name: &str, text: &str, call: &Call) -> Result<Option<String>, Error> {
        if self.reasons.unsupported.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let filters = {
            // Held while asking: one answer serves all callers.
            let mut live = interruptible(call, self.reasons.live.lock()).await?;
            if let Some(filters) = &*live {
                Arc::clone(filters)
            } else {
                let filters = Arc::new(self.message_filters(call).await?);
                Arc::clone(live.insert(filters))
            }
        };
        let text = meaning(text);
        let filter =
            filters.iter().find(|filter| filter.name == name && filter.valid == Some(false) && meaning(&filter.text) == text);
        Ok(filter.and_then(|filter| filter.reason.clone()))
    }

    /// Forgets the filters, because they are being written.
    pub async fn forget_filters(&self) {
        *self.reasons.live.lock().await = None;
    }

    async fn message_filters(&self, call: &Call) -> Result<Vec<Filter>, Error> {
        match self.get(Some(Product::Gateway), "config/message_filters", &self.level, call).await {
            Ok(answer) => understand(&answer),
            Err(error) if error.kind == Kind::NotFound => {
                tracing::debug!("the AsyncOS API of this release has no message filters");
                self.reasons.unsupported.store(true, Ordering::Relaxed);
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        }
    }
}

fn understand(answer: &Value) -> Result<Vec<Filter>, Error> {
    let odd = || Error::new(Kind::Unexpected, "The answer of the AsyncOS API about message filters is not a list of them.");
    let entries = answer.get("data").and_then(Value::as_array).ok_or_else(odd)?;
    let entry = |entry: &Value| {
        let text = |name: &str| entry.get(name).and_then(Value::as_str);
        Some(Filter {
            name: text("name")?.to_owned(),
            text: text("rules_and_actions").unwrap_or_default().to_owned(),
            valid: entry.get("valid").and_then(truth),
            reason: reason(entry.get("invalid_reason")),
        })
    };
    entries.iter().map(|one| entry(one).ok_or_else(odd)).collect()
}

fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) if text.trim().eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.trim().eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// A reason is a text, or some; nothing else is one.
fn reason(value: Option<&Value>) -> Option<String> {
    let text = match value? {
        Value::String(text) => text.trim().trim_end_matches([';', '.', ' ']).to_owned(),
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).map(str::trim).collect::<Vec<_>>().join("; "),
        _ => return None,
    };
    Some(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn validity_is_read_from_texts_and_from_booleans() {
        let answer = json!({"meta": {"count": 2}, "data": [
            {"name": "a", "rules_and_actions": "if (true) { deliver(); }", "invalid_reason": "Interface 'x' unknown;.", "valid": "false"},
            {"name": "b", "rules_and_actions": "deliver();", "invalid_reason": "", "valid": true},
        ]});
        let filters = understand(&answer).unwrap();
        assert_eq!((filters[0].valid, filters[0].reason.as_deref()), (Some(false), Some("Interface 'x' unknown")));
        assert_eq!((filters[1].valid, &filters[1].reason), (Some(true), &None));
    }

    #[test]
    fn what_is_no_list_of_filters_is_an_error() {
        for answer in [json!({}), json!({"data": {}}), json!({"data": [{"valid": "true"}]})] {
            assert_eq!(understand(&answer).unwrap_err().kind, Kind::Unexpected, "{answer}");
        }
    }
}
