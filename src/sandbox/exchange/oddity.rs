//! Objects that show more than any page lists, or less.
//!
//! Services learn members before their pages do. A live `Get-TransportRule` of 2026 shows `ContentMatchesPrompt`,
//! `MessageContainsAllDataClassifications`, `SenderNotificationType`, `IsRuleConfigurationSupported` and `RuleConfigurationUnsupportedReason`; members that
//! were always there are missing from an answer now and then.

use serde_json::{Map, Value, json};

/// The namespace of the classes that Get names.
const TASKS: &str = "Microsoft.Exchange.MessagingPolicies.Rules.Tasks";

/// What one object shows beside, and instead of, what the tables say.
#[derive(Clone, Debug, Default)]
pub struct Oddity {
    /// Members with what they show.
    pub members: Map<String, Value>,
    /// Members that are left out, with their side-cars.
    pub without: Vec<String>,
    /// Conditions that a rule has in addition, each by the name of its class without namespace and end: `ContentMatchesPrompt`.
    pub conditions: Vec<String>,
    /// Exceptions in the same way.
    pub exceptions: Vec<String>,
    /// Actions in the same way.
    pub actions: Vec<String>,
}

impl Oddity {
    /// An object with these members in addition.
    pub fn members(members: &Value) -> Oddity {
        Oddity { members: members.as_object().cloned().unwrap_or_default(), ..Oddity::default() }
    }

    /// An object that leaves these members out.
    pub fn without(members: &[&str]) -> Oddity {
        Oddity { without: members.iter().map(ToString::to_string).collect(), ..Oddity::default() }
    }

    /// A rule with this exception in addition.
    pub fn exception(class: &str) -> Oddity {
        Oddity { exceptions: vec![class.to_owned()], ..Oddity::default() }
    }

    /// A rule with this condition in addition.
    pub fn condition(class: &str) -> Oddity {
        Oddity { conditions: vec![class.to_owned()], ..Oddity::default() }
    }

    /// A rule that the service does not support any more, for this reason.
    pub fn unsupported(reason: &str) -> Oddity {
        Oddity::members(&json!({ "IsRuleConfigurationSupported": false, "RuleConfigurationUnsupportedReason": reason }))
    }

    /// Changes what Get shows.
    pub(crate) fn apply(&self, record: &mut Map<String, Value>) {
        for (list, classes, end) in [
            ("Conditions", &self.conditions, "Predicate"),
            ("Exceptions", &self.exceptions, "Predicate"),
            ("Actions", &self.actions, "Action"),
        ] {
            if classes.is_empty() {
                continue;
            }
            let mut names = record.get(list).and_then(Value::as_array).cloned().unwrap_or_default();
            names.extend(classes.iter().map(|class| json!(format!("{TASKS}.{class}{end}"))));
            record.insert(list.to_owned(), Value::Array(names));
            record.insert(format!("{list}@odata.type"), json!("#Collection(String)"));
        }
        record.extend(self.members.clone());
        record.retain(|name, _| {
            let member = name.split('@').next().unwrap_or(name);
            !self.without.iter().any(|left_out| left_out.eq_ignore_ascii_case(member))
        });
    }
}
