//! What the rules of an organization may be, alone and together, by the page on Exchange Online limits and by what `Get-TransportConfig` calls them.

use crate::exchange::answer::Object;
use crate::exchange::forms::bytes_of;
use crate::schema::Record;
use crate::value::{Diagnostic, Diagnostics, Path, Value};

/// The most characters of one rule, by the service's own message and <https://support.microsoft.com/kb/3003043> (`TransportRuleSizeLimit`).
const MOST_CHARACTERS: usize = 8192;
/// The most characters of all regular expressions of an organization (`TransportRuleCollectionRegexCharsLimit`).
const MOST_PATTERNS: usize = 20 * 1024;
/// The most rules of an organization (`TransportRuleLimit`).
const MOST_RULES: usize = 300;
/// The most recipients that all rules together add to a message (`TransportRuleCollectionAddedRecipientsLimit`).
const MOST_ADDED: usize = 100;

/// The actions that add recipients, with the members that show them.
const ADDING: &[(&str, &str)] = &[
    ("actions.add_to_recipients", "AddToRecipients"),
    ("actions.blind_copy_to", "BlindCopyTo"),
    ("actions.copy_to", "CopyTo"),
    ("actions.redirect_message_to", "RedirectMessageTo"),
];

/// The service measures a rule in a form of its own, which is longer than its texts: what is too long here is too long there.
pub(super) fn not_too_long(config: &Record) -> Diagnostics {
    let all = length(config);
    if all <= MOST_CHARACTERS {
        return Vec::new();
    }
    vec![Diagnostic::error(
        "The rule is too long",
        format!(
            "Its texts have {all} characters together, and a rule may have {MOST_CHARACTERS}, with what the service adds. Split it into several rules, or \
             use groups instead of long lists."
        ),
    )]
}

/// Counts what a new or changed rule makes of the limits. Other changes of the same plan may free what is missing, so these are warnings; and what
/// stands as it did is not counted against the change.
pub(super) fn beside(planned: &Record, prior: Option<&Record>, all: &[Object]) -> Diagnostics {
    let id = prior.and_then(|prior| prior.text("id"));
    let is_own = |object: &Object| id.is_some_and(|id| object.guid().is_some_and(|guid| guid.eq_ignore_ascii_case(id)));
    let own = all.iter().find(|object| is_own(object));
    let others: Vec<&Object> = all.iter().filter(|object| !is_own(object)).collect();
    let mut found = Vec::new();
    if prior.is_none() && all.len() >= MOST_RULES {
        found.push(Diagnostic::warning(
            "The organization has as many rules as it may have",
            format!(
                "There are {} rules, and {MOST_RULES} are allowed. Unless this plan removes some, applying will fail.",
                all.len()
            ),
        ));
    }
    found.extend(prior.zip(own).and_then(|(prior, own)| grown_too_long(planned, prior, own)));
    found.extend(too_many_patterns(planned, prior, own, &others));
    found.extend(too_many_added(planned, prior, &others));
    found
}

/// The service shows how long it takes a rule to be, which says more than the lengths of its texts.
fn grown_too_long(planned: &Record, prior: &Record, own: &Object) -> Option<Diagnostic> {
    let grown = length(planned).checked_sub(length(prior)).filter(|grown| *grown > 0)?;
    let (shown, texts) = (shown(own, "Size")?, length(planned));
    let all = shown.saturating_add(grown);
    // A rule whose texts alone are too long is refused.
    (all > MOST_CHARACTERS && texts <= MOST_CHARACTERS).then(|| {
        Diagnostic::warning(
            "The rule may be too long",
            format!(
                "Exchange Online counts {shown} characters for the rule as it stands, and this change adds {grown}; a rule may have {MOST_CHARACTERS}. Applying may \
                 fail. Split it into several rules, or use groups instead of long lists."
            ),
        )
    })
}

fn too_many_patterns(planned: &Record, prior: Option<&Record>, own: Option<&Object>, others: &[&Object]) -> Option<Diagnostic> {
    let [now, before] = [Some(planned), prior].map(|record| record.map_or(0, patterns));
    let grown = now.checked_sub(before).filter(|grown| *grown > 0)?;
    let mine = own.and_then(|own| shown(own, "RegexSize")).map_or(now, |shown| shown.saturating_add(grown).max(now));
    let of_object = |object: &&Object| {
        let named = object.members().filter(|(name, _)| name.ends_with("patterns"));
        let counted: usize = named.map(|(_, value)| texts(value)).sum();
        shown(object, "RegexSize").map_or(counted, |shown| shown.max(counted))
    };
    let theirs = others.iter().map(of_object).fold(0, usize::saturating_add);
    (mine.saturating_add(theirs) > MOST_PATTERNS).then(|| {
        Diagnostic::warning(
            "The regular expressions of all rules are too long together",
            format!(
                "Those of this rule have {mine} characters and those of the others {theirs}; {MOST_PATTERNS} are allowed in an organization. Unless this plan \
                 shortens others, applying will fail."
            ),
        )
        .at(Path::dotted("conditions"))
    })
}

fn too_many_added(planned: &Record, prior: Option<&Record>, others: &[&Object]) -> Option<Diagnostic> {
    let added =
        |record: &Record| ADDING.iter().map(|(name, _)| record.at(name).as_elements().map_or(0, <[Value]>::len)).sum::<usize>();
    let mine = added(planned);
    if mine <= prior.map_or(0, added) {
        return None;
    }
    let of_object = |object: &&Object| {
        let count = |value: &serde_json::Value| match value {
            serde_json::Value::Array(items) => items.len(),
            serde_json::Value::String(text) => usize::from(!text.is_empty()),
            _ => 0,
        };
        ADDING.iter().map(|(_, member)| count(object.get(member))).sum::<usize>()
    };
    let theirs: usize = others.iter().map(of_object).sum();
    let largest = ADDING.iter().max_by_key(|(name, _)| planned.at(name).as_elements().map_or(0, <[Value]>::len))?.0;
    (mine + theirs > MOST_ADDED).then(|| {
        Diagnostic::warning(
            "The rules add more recipients than a message may get",
            format!(
                "This rule adds {mine} and the other rules {theirs}; all rules together add {MOST_ADDED} at most \
                 (`TransportRuleCollectionAddedRecipientsLimit`). Beyond that the service refuses the rule, or leaves recipients out. Use groups instead of single recipients."
            ),
        )
        .at(Path::dotted(largest))
    })
}

/// A number of characters that the service shows of a rule, as a number or as a size.
fn shown(object: &Object, member: &str) -> Option<usize> {
    let number = match object.get(member) {
        serde_json::Value::Number(number) => number.as_u64()?,
        serde_json::Value::String(text) => bytes_of(text)?,
        _ => return None,
    };
    Some(usize::try_from(number).unwrap_or(usize::MAX))
}

/// The characters of all texts of a rule.
fn length(rule: &Record) -> usize {
    ["conditions", "exceptions", "actions", "name", "comments"].map(|name| characters(rule.at(name))).iter().sum()
}

fn characters(value: &Value) -> usize {
    match value {
        Value::String(text) => text.chars().count(),
        Value::List(items) | Value::Set(items) | Value::Tuple(items) => items.iter().map(characters).sum(),
        Value::Object(members) | Value::Map(members) => members.values().map(characters).sum(),
        _ => 0,
    }
}

/// The characters of all regular expressions of a rule.
fn patterns(rule: &Record) -> usize {
    let of_group = |group: &str| {
        let members = rule.at(group).as_members().into_iter().flatten();
        members.filter(|(name, _)| name.ends_with("_patterns")).map(|(_, value)| characters(value)).sum::<usize>()
    };
    of_group("conditions") + of_group("exceptions")
}

fn texts(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::String(text) => text.chars().count(),
        serde_json::Value::Array(items) => items.iter().map(texts).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const OWN: &str = "0ab1e768-08b0-4768-81e2-64d6f990c552";

    fn object(members: &serde_json::Value) -> Object {
        Object::new(members.as_object().unwrap().clone())
    }

    fn rule(pattern: usize, added: usize) -> Record {
        let conditions = Value::object([("subject_matches_patterns", Value::texts(["p".repeat(pattern)]))]);
        let copies: Vec<String> = (0..added).map(|index| format!("a{index}@contoso.com")).collect();
        Record::new()
            .with("id", OWN)
            .with("conditions", conditions)
            .with("actions", Value::object([("copy_to", Value::texts(copies.iter().map(String::as_str)))]))
    }

    #[track_caller]
    fn check(planned: &Record, prior: Option<&Record>, all: &[serde_json::Value], said: &[&str]) {
        let all: Vec<Object> = all.iter().map(object).collect();
        let found: Vec<String> = beside(planned, prior, &all).into_iter().map(|one| one.summary).collect();
        assert_eq!(found.len(), said.len(), "{found:?}");
        for (summary, word) in found.iter().zip(said) {
            assert!(summary.contains(word), "{word}: {summary}");
        }
    }

    #[test]
    fn rx12_the_service_s_own_count_of_a_rule_is_believed() {
        for size in [json!(8000), json!("8000"), json!("7.81 KB (8,000 bytes)")] {
            let own = json!({"Guid": OWN, "Size": size});
            check(&rule(300, 1), Some(&rule(10, 1)), std::slice::from_ref(&own), &["may be too long"]);
            // What stands is not judged, nor what makes it shorter.
            check(&rule(300, 1), Some(&rule(300, 1)), std::slice::from_ref(&own), &[]);
            check(&rule(10, 1), Some(&rule(300, 1)), &[own], &[]);
        }
        let other = json!({"Guid": "b", "RegexSize": 20_400, "SubjectMatchesPatterns": ["short"]});
        check(&rule(300, 1), None, std::slice::from_ref(&other), &["regular expressions"]);
        check(&rule(10, 1), None, std::slice::from_ref(&other), &[]);
        let own = json!({"Guid": OWN, "RegexSize": 20_400});
        check(&rule(300, 1), Some(&rule(10, 1)), &[own], &["regular expressions"]);
        for odd in [json!(null), json!("many"), json!(-1), json!(u64::MAX)] {
            let _ = beside(&rule(300, 1), Some(&rule(10, 1)), &[object(&json!({"Guid": OWN, "Size": odd, "RegexSize": odd}))]);
        }
    }

    #[test]
    fn rx12_recipients_that_all_rules_add_are_counted_together() {
        let other = json!({"Guid": "b", "BlindCopyTo": ["a@contoso.com", "b@contoso.com"], "CopyTo": "c@contoso.com"});
        check(&rule(0, 97), None, std::slice::from_ref(&other), &[]);
        check(&rule(0, 98), None, std::slice::from_ref(&other), &["more recipients"]);
        check(&rule(0, 101), None, &[], &["more recipients"]);
        // An organization that has more already: another change of one of its rules is not warned of.
        check(&rule(0, 98), Some(&rule(0, 98)), &[other], &[]);
    }
}
