//! The trusted ARC sealers.
//!
//! <https://learn.microsoft.com/powershell/module/exchangepowershell/set-arcconfig>. Get joins the list with commas; a
//! single space empties it.

use serde_json::{Value, json};

use super::{array, text};
use crate::sandbox::exchange::noun::{Item, Noun, Verb};

/// The table.
pub(crate) fn noun() -> Noun {
    Noun {
        complete: |config, _, _| {
            let sealers = config.fields.get("ArcTrustedSealers").and_then(Value::as_array).cloned().unwrap_or_default();
            let kept: Vec<Value> =
                sealers.into_iter().filter(|one| one.as_str().is_some_and(|text| !text.trim().is_empty())).collect();
            if kept.is_empty() {
                config.fields.remove("ArcTrustedSealers");
            } else {
                config.fields.insert("ArcTrustedSealers".into(), Value::Array(kept));
            }
        },
        finish: |config, _, answer| {
            let sealers = config.fields.get("ArcTrustedSealers").and_then(Value::as_array);
            let names: Vec<&str> = sealers.into_iter().flatten().filter_map(Value::as_str).collect();
            answer.insert("ArcTrustedSealers".into(), if names.is_empty() { Value::Null } else { json!(names.join(",")) });
            answer.remove("ArcTrustedSealers@odata.type");
        },
        columns: &["ArcTrustedSealers"],
        ..Noun::new(
            "ArcConfig",
            &[Verb::Get, Verb::Set],
            vec![text("Name", 64).answer_only(), array("ArcTrustedSealers", Item::Any)],
        )
    }
}
