//! What must hold between the settings of a rule, and what the rules of an organization may be together.

use std::collections::BTreeMap;

use super::predicates::PAIRS;
use crate::exchange::forms::pattern_without_case;
use crate::exchange::resources::{is_true, is_written};
use crate::remote::{Error, Fact, three_steps};
use crate::schema::Record;
use crate::value::{Diagnostic, Diagnostics, Path, Value};

/// Tells whether a block is not there, or nothing in it is set.
fn says_nothing(block: &Value) -> bool {
    block.is_null() || block.as_members().is_some_and(|members| members.values().all(Value::is_null))
}

/// To stop is an action, too: such a rule keeps its mail from the rules below.
pub(super) fn some_action(config: &Record) -> Diagnostics {
    if !says_nothing(config.at("actions")) || is_true(config, "stop_rule_processing", false) != Some(false) {
        return Vec::new();
    }
    vec![
        Diagnostic::error(
            "The rule does nothing",
            "A rule has at least one action. Set one in `actions`, or `stop_rule_processing = true`.",
        )
        .at(Path::dotted("actions")),
    ]
}

pub(super) fn nothing_off(config: &Record) -> Diagnostics {
    let mut found = Vec::new();
    for group in ["conditions", "exceptions", "actions"] {
        let members = config.at(group).as_members().into_iter().flatten();
        for (name, _) in members.filter(|(_, value)| value.as_bool() == Some(false)) {
            found.push(
                Diagnostic::error(
                    "What is off is left out",
                    format!("`{name}` is either true or not there: the service knows no \"false\". Leave it out (null)."),
                )
                .at(Path::dotted(group).attribute(name)),
            );
        }
    }
    found
}

/// A block that was to narrow the rule and does not, as all its values turned out to be null, must not open it to all mail.
pub(super) fn no_empty_conditions(config: &Record) -> Diagnostics {
    let conditions = config.at("conditions");
    if conditions.is_null() || !says_nothing(conditions) {
        return Vec::new();
    }
    vec![
        Diagnostic::error(
            "The conditions say nothing",
            "No argument in `conditions` is set (all are null), so the rule would act on all mail. Set one. If it is to act on all mail, leave the \
             block out.",
        )
        .at(Path::dotted("conditions")),
    ]
}

/// A rule that stands may have conditions that no argument shows.
pub(super) fn all_mail(standing: Option<&Record>, config: &Record) -> Diagnostics {
    let others = standing.map(|standing| standing.texts("unmanaged")).unwrap_or_default();
    let has_others = others.iter().any(|other| other.starts_with("conditions: "));
    if !config.at("conditions").is_null() || has_others || is_true(config, "enabled", true) != Some(true) {
        return Vec::new();
    }
    vec![
        Diagnostic::warning(
            "The rule acts on all mail",
            "It has no `conditions` block, so it acts on every message that no exception fits.",
        )
        .at(Path::dotted("conditions")),
    ]
}

/// That a name needs a value, the line of the value says.
pub(super) fn header(config: &Record) -> Diagnostics {
    let name = is_written(config, "actions.set_header_name");
    let values = [is_written(config, "actions.set_header_value"), is_written(config, "actions.set_header_value_wo")];
    if config.at("actions").is_unknown() {
        return Vec::new();
    }
    if name == Some(false) && values.contains(&Some(true)) {
        return vec![
            Diagnostic::error("The header has no name", "A header's value needs `set_header_name`.")
                .at(Path::dotted("actions.set_header_name")),
        ];
    }
    Vec::new()
}

pub(super) fn pairs(config: &Record) -> Diagnostics {
    let mut found = Vec::new();
    let mut half = |group: &str, missing: &str, text: String| {
        found.push(Diagnostic::error("Half a condition", text).at(Path::dotted(group).attribute(missing)));
    };
    for group in ["conditions", "exceptions"] {
        let written = |name: &str| is_written(config, &format!("{group}.{name}"));
        for (one, other) in PAIRS {
            let missing = match (written(one), written(other)) {
                (Some(true), Some(false)) => other,
                (Some(false), Some(true)) => one,
                _ => continue,
            };
            half(group, missing, format!("`{one}` and `{other}` go together: `{missing}` is missing."));
        }
        let (attribute, operator) = ("ad_comparison_attribute", "ad_comparison_operator");
        if (written(attribute), written(operator)) == (Some(false), Some(true)) {
            half(group, attribute, format!("`{operator}` says how `{attribute}` compares, and that is missing."));
        }
    }
    found
}

/// The service keeps one of two texts that differ in case only, and a list that is read back without one of its elements is waited for in vain.
pub(super) fn patterns_apart(config: &Record) -> Diagnostics {
    let mut found = Vec::new();
    for group in ["conditions", "exceptions"] {
        let members = config.at(group).as_members().into_iter().flatten();
        for (name, value) in members.filter(|(name, _)| name.ends_with("_patterns")) {
            let mut seen: BTreeMap<String, &str> = BTreeMap::new();
            for text in value.as_elements().unwrap_or_default().iter().filter_map(Value::as_text) {
                if let Some(first) = seen.insert(pattern_without_case(text), text).filter(|first| *first != text) {
                    found.push(
                        Diagnostic::error(
                            "Two regular expressions differ in case only",
                            format!(
                                "{first:?} and {text:?} both stand in `{name}`, and the service keeps one of them. Leave one out."
                            ),
                        )
                        .at(Path::dotted(group).attribute(name)),
                    );
                }
            }
        }
    }
    found
}

pub(super) fn one_end(config: &Record) -> Diagnostics {
    let rejects = ["actions.reject_message_reason_text", "actions.reject_message_enhanced_status_code"]
        .iter()
        .any(|name| is_written(config, name) == Some(true));
    if !rejects || is_written(config, "actions.redirect_message_to") != Some(true) {
        return Vec::new();
    }
    vec![
        Diagnostic::error("Two ends of one message", "A rule rejects a message or redirects it. Make two rules.")
            .at(Path::dotted("actions.redirect_message_to")),
    ]
}

/// The header that a rule in force gives to mail.
pub(super) fn stamps(rule: &Record) -> Vec<Fact> {
    let in_force = rule.truth("enabled") == Some(true) && rule.text("mode") == Some("Enforce");
    match (rule.text("actions.set_header_name"), rule.text("actions.set_header_value")) {
        (Some(header), Some(value)) if in_force => {
            vec![Fact::Stamps { header: header.to_owned(), value: value.to_owned().into() }]
        }
        _ => Vec::new(),
    }
}

/// Said when a filter of the gateway asks for another value of the header.
pub(super) fn not_demanded(names: &str) -> Diagnostic {
    Diagnostic::warning(
        "The gateway does not accept the header that the rule sets",
        format!(
            "The {names} asks for another value in this header, and drops mail that comes without it. Take both from one value. To change the value while \
             mail flows, let the filter accept the old and the new one first, then change the rule, then take the old one from the filter."
        ),
    )
    .at(Path::dotted("actions.set_header_value"))
}

/// Said when no filter accepts the value that the rule would set.
pub(super) fn not_accepted(header: &str) -> Diagnostic {
    Diagnostic::error(
        "No message filter accepts the value that the rule would set",
        format!("The filters of the gateway ask for other values of {header}, and would drop the mail. {}", three_steps(header)),
    )
    .at(Path::dotted("actions.set_header_value"))
}

/// Said when the filters could not be read.
pub(super) fn unjudged(error: &Error) -> Diagnostic {
    Diagnostic::warning(
        "Whether the gateway accepts the value could not be judged",
        format!("Its message filters could not be read: {error} Make sure that one of them accepts the value."),
    )
    .at(Path::dotted("actions.set_header_value"))
}
