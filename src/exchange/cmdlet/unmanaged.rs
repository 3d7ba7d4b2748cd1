//! What an object shows and no line of its table accounts for.
//!
//! `Get-TransportRule` names the classes of a rule's conditions, exceptions and actions in three lists, and shows their values side by side with
//! everything else:
//!
//! ```json
//! {"Conditions":["Microsoft.Exchange.MessagingPolicies.Rules.Tasks.FromScopePredicate"],"FromScope":"NotInOrganization",
//!  "Exceptions":["Microsoft.Exchange.MessagingPolicies.Rules.Tasks.ContentMatchesPromptPredicate"],"ExceptIfContentMatchesPrompt":"invoices"}
//! ```
//!
//! A class that no attribute with a value accounts for is told as `exceptions: ContentMatchesPrompt`, any other member under its own name. What
//! says nothing (null, empty, false, 0, `None`) is not told. A truth, a number or a single word of letters is told as it is
//! (`ExampleMode = Strict`); of anything else a fingerprint, so that a change of it shows and nothing that may be private does; of what may be a
//! secret by its name, nothing but the name.

use serde_json::Value as Json;

use super::binding::Cmdlets;
use super::read_only::is_read_only;
use super::shape::{Leaf, every_leaf};
use crate::exchange::answer::Object;
use crate::remote::{Error, Kind, digest};
use crate::schema::{Record, capital, engine};
use crate::value::Diagnostic;

/// A list of an object that names classes.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    /// The member that lists them: `Exceptions`.
    pub member: &'static str,
    /// What the list is called in `unmanaged`: `exceptions`. It is also the block that the attributes stand in.
    pub word: &'static str,
    /// What the names of the members begin with: `ExceptIf`.
    pub prefix: &'static str,
    /// Which classes stand for which members, where the names do not tell. In lower case.
    pub classes: &'static [(&'static str, &'static [&'static str])],
    /// Members that may be set without a class of their own.
    pub silent: &'static [&'static str],
}

/// Words that hint at a secret in the name of a member.
const SECRETIVE: &[&str] = &["header", "secret", "password", "token", "key", "credential", "certificate", "value", "script"];

/// The longest name that is told in full.
const MOST_CHARACTERS: usize = 100;

/// What stands and has no attribute, in the form described above, in no order.
pub(in crate::exchange) fn unmanaged(cmdlets: &Cmdlets, object: &Object) -> Vec<String> {
    let known = every_leaf(cmdlets.resource);
    let is_known = |name: &str| known.iter().any(|leaf| leaf.parameter.eq_ignore_ascii_case(name));
    let mut rest: Vec<(&str, &Json)> = object
        .spelled()
        .filter(|(name, value)| says_something(value) && !is_known(name))
        .filter(|(name, _)| !is_read_only(cmdlets.noun, &name.to_ascii_lowercase()))
        .filter(|(name, _)| cmdlets.toggle.is_none_or(|toggle| !toggle.shown.eq_ignore_ascii_case(name)))
        .collect();
    let mut found = Vec::new();
    for section in cmdlets.sections {
        for class in strange(section, known, object) {
            let member = format!("{}{class}", section.prefix);
            let place = rest.iter().position(|(name, _)| name.eq_ignore_ascii_case(&member));
            let value = place.map(|place| rest.remove(place).1);
            found.push(format!("{}: {}", section.word, told(&class, value)));
        }
    }
    found.extend(rest.into_iter().map(|(name, value)| told(name, Some(value))));
    found.sort();
    found.dedup();
    found
}

/// The classes of a list for which no known member accounts, by their short names.
fn strange(section: &Section, known: &[Leaf], object: &Object) -> Vec<String> {
    let mut classes: Vec<String> = listed(object, section).into_iter().map(short).collect();
    classes.sort();
    classes.dedup();
    // What a class can stand for: members that have a value, or that are not shown, of which nobody can tell.
    let mut parts: Vec<Part<'_>> = Vec::new();
    for leaf in known {
        let name = leaf.parameter.strip_prefix(section.prefix).unwrap_or(&leaf.parameter);
        let is_silent = section.silent.contains(&name);
        if leaf.group != Some(section.word) && !is_silent {
            continue;
        }
        let has_value = says_something(object.shown(&leaf.member));
        if !has_value && object.shows(&leaf.member) {
            continue;
        }
        let class = section.classes.iter().find(|(_, members)| members.contains(&name.to_ascii_lowercase().as_str()));
        let class = class.map_or(name, |(class, _)| *class);
        let asks = has_value && !is_silent;
        match parts.iter_mut().find(|part| part.class.eq_ignore_ascii_case(class)) {
            Some(part) => part.asks |= asks,
            None => parts.push(Part { class, asks }),
        }
    }
    classes.retain(|class| match parts.iter().position(|part| is_same(part.class, class)) {
        Some(place) => {
            parts.remove(place);
            false
        }
        None => true,
    });
    // What has a value has a class. If it is called otherwise than anybody foresaw, it is the one that is most like it.
    for part in parts.iter().filter(|part| part.asks) {
        let like = classes.iter().enumerate().map(|(place, class)| (common(part.class, class), place)).max();
        if let Some((letters, place)) = like
            && letters * 2 >= part.class.len()
        {
            classes.remove(place);
        }
    }
    classes
}

/// A condition, an exception or an action that attributes account for.
struct Part<'a> {
    /// What its class is called, as far as is known.
    class: &'a str,
    /// Whether there must be a class for it.
    asks: bool,
}

/// Tells whether a list names the class of an attribute.
pub(super) fn is_named(section: &Section, leaf: &Leaf, object: &Object) -> bool {
    if leaf.group != Some(section.word) {
        return false;
    }
    let name = leaf.parameter.strip_prefix(section.prefix).unwrap_or(&leaf.parameter);
    let of_table = section.classes.iter().find(|(_, members)| members.contains(&name.to_ascii_lowercase().as_str()));
    let class = of_table.map_or(name, |(class, _)| *class);
    listed(object, section).into_iter().any(|listed| is_same(&short(listed), class))
}

/// Why the service does not act by an object, if it says so of it.
pub(in crate::exchange) fn unsupported(cmdlets: &Cmdlets, object: &Object, record: &Record) -> Option<Diagnostic> {
    if object.get("IsRuleConfigurationSupported").as_bool() != Some(false) {
        return None;
    }
    let reason = object.text("RuleConfigurationUnsupportedReason").map(str::trim).filter(|reason| !reason.is_empty());
    Some(Diagnostic::warning(
        format!("{} is not supported by the service", capital(&cmdlets.called(record))),
        match reason {
            Some(reason) => format!("Exchange Online marks it as unsupported: {reason}"),
            None => "Exchange Online marks it as unsupported, and does not say why.".to_owned(),
        },
    ))
}

/// Refuses to change an object that has come to show more than the configuration lists.
pub(super) fn refuse(cmdlets: &Cmdlets, current: &Record, wanted: &Record) -> Result<(), Error> {
    match engine::unmanaged_refused(cmdlets.resource, current, wanted) {
        Some(Diagnostic { detail, path: Some(path), .. }) => Err(Error::new(Kind::Conflict, detail).at(path)),
        _ => Ok(()),
    }
}

/// The names in a list of classes; a list comes bare when it has one element.
fn listed<'o>(object: &'o Object, section: &Section) -> Vec<&'o str> {
    match object.get(section.member) {
        Json::Array(names) => names.iter().filter_map(Json::as_str).collect(),
        Json::String(name) => vec![name],
        _ => Vec::new(),
    }
}

/// `Microsoft.Exchange.MessagingPolicies.Rules.Tasks.FromScopePredicate` is `FromScope`.
fn short(class: &str) -> String {
    let last = class.rsplit('.').next().unwrap_or(class);
    ["Predicate", "Action"].iter().find_map(|end| last.strip_suffix(end)).unwrap_or(last).to_owned()
}

/// Tells whether two names of a class are the same.
fn is_same(one: &str, other: &str) -> bool {
    plain(&one.to_ascii_lowercase()) == plain(&other.to_ascii_lowercase())
}

/// A name without the words that one of the two has and the other lacks: `FromAddressContains`, `FromAddressContainsWords`.
fn plain(name: &str) -> String {
    let name = name.strip_suffix("words").or_else(|| name.strip_suffix("patterns")).unwrap_or(name);
    name.replace("adattribute", "attribute")
}

/// How many letters two names begin with alike.
fn common(one: &str, other: &str) -> usize {
    let pairs = one.bytes().zip(other.bytes());
    pairs.take_while(|(one, other)| one.eq_ignore_ascii_case(other)).count()
}

/// Tells whether a value says more than that there is none.
fn says_something(value: &Json) -> bool {
    match value {
        Json::Null | Json::Bool(false) => false,
        Json::Bool(true) => true,
        Json::Number(number) => number.as_f64() != Some(0.0),
        Json::String(text) => {
            let text = text.trim();
            let is_none = ["none", "0", "false"].iter().any(|none| text.eq_ignore_ascii_case(none));
            let is_no_guid = text.starts_with("00000000-0000") && text.bytes().all(|byte| matches!(byte, b'0' | b'-'));
            // The least date stands for none.
            !(text.is_empty() || is_none || is_no_guid || text.starts_with("0001-01-01T00:00:00"))
        }
        Json::Array(items) => items.iter().any(says_something),
        Json::Object(members) => members.iter().any(|(name, value)| !name.contains('@') && says_something(value)),
    }
}

fn told(name: &str, value: Option<&Json>) -> String {
    let name: String = name
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.') { letter } else { '_' })
        .take(MOST_CHARACTERS)
        .collect();
    let is_secretive = SECRETIVE.iter().any(|word| name.to_ascii_lowercase().contains(word));
    match value {
        Some(Json::Bool(truth)) => format!("{name} = {truth}"),
        None => name,
        Some(_) if is_secretive => name,
        Some(Json::Number(number)) => format!("{name} = {number}"),
        Some(Json::String(word)) if is_word(word) => format!("{name} = {word}"),
        Some(other) => format!("{name} = #{}", fingerprint(&name, other)),
    }
}

/// Tells whether a text has the form of a word that the service knows, such as `NotInOrganization`.
fn is_word(text: &str) -> bool {
    text.len() <= 40
        && text.starts_with(|letter: char| letter.is_ascii_uppercase())
        && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// Eight digits that change when the value does. The order of a list is no change.
fn fingerprint(name: &str, value: &Json) -> String {
    let text = match value {
        Json::Array(items) => {
            let mut items: Vec<String> = items.iter().map(Json::to_string).collect();
            items.sort();
            items.join("\n")
        }
        other => other.to_string(),
    };
    digest(&format!("{name}\n{text}"), 4)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::exchange::resources;

    const TASKS: &str = "Microsoft.Exchange.MessagingPolicies.Rules.Tasks";

    fn object(members: &Json) -> Object {
        Object::new(members.as_object().unwrap().clone())
    }

    #[track_caller]
    fn check(resource: &str, members: &Json, wanted: &[&str]) {
        assert_eq!(unmanaged(resources::named(resource).unwrap(), &object(members)), wanted, "{members}");
    }

    /// The object with class names in full.
    fn rule(members: &Json) -> Json {
        let mut members = members.clone();
        for (list, end) in [("Conditions", "Predicate"), ("Exceptions", "Predicate"), ("Actions", "Action")] {
            if let Some(names) = members[list].as_array() {
                let names: Vec<Json> =
                    names.iter().map(|name| json!(format!("{TASKS}.{}{end}", name.as_str().unwrap()))).collect();
                members[list] = json!(names);
            }
        }
        // What is not set is shown as null.
        for leaf in every_leaf(resources::named("exchange_transport_rule").unwrap().resource) {
            if members.get(&leaf.parameter).is_none() {
                members[&leaf.parameter] = json!(null);
            }
        }
        members
    }

    #[test]
    fn rx3_a_class_that_no_attribute_accounts_for_is_told() {
        for (members, wanted) in [
            (json!({"Exceptions": ["ContentMatchesPrompt"]}), &["exceptions: ContentMatchesPrompt"][..]),
            (
                json!({"Exceptions": ["ContentMatchesPrompt"], "ExceptIfContentMatchesPrompt": true}),
                &["exceptions: ContentMatchesPrompt = true"],
            ),
            (
                json!({"Conditions": ["FromScope", "NewThing"], "FromScope": "InOrganization", "NewThing": "Strict"}),
                &["conditions: NewThing = Strict"],
            ),
            // The class of a member that has no value is not accounted for, and neither is one of the other list.
            (json!({"Conditions": ["FromScope"]}), &["conditions: FromScope"]),
            (
                json!({"Exceptions": ["FromScope"], "Conditions": ["FromScope"], "FromScope": "InOrganization"}),
                &["exceptions: FromScope"],
            ),
            (
                json!({"Actions": ["NotifySender", "SetScl"], "SetSCL": -1, "SenderNotificationType": "NotifyOnly"}),
                &["SenderNotificationType = NotifyOnly", "actions: NotifySender"],
            ),
        ] {
            check("exchange_transport_rule", &rule(&members), wanted);
        }
    }

    #[test]
    fn rx3_what_attributes_account_for_is_not_told_whatever_its_class_is_called() {
        for members in [
            json!({"Conditions": ["HeaderContains", "SentToScope"], "HeaderContainsMessageHeader": "X-A", "HeaderContainsWords": ["a"],
                   "SentToScope": "InOrganization"}),
            json!({"Conditions": ["SenderAttributeContains"], "SenderADAttributeContainsWords": ["City:a"]}),
            json!({"Conditions": ["FromAddressMatches", "FromAddressContainsWords"], "FromAddressMatchesPatterns": ["a"],
                   "FromAddressContainsWords": ["b"]}),
            json!({"Conditions": ["ManagementRelationship"], "SenderManagementRelationship": "Manager"}),
            json!({"Actions": ["RejectMessage", "AddToRecipient", "StopRuleProcessing"], "RejectMessageReasonText": "no",
                   "RejectMessageEnhancedStatusCode": "5.7.1", "AddToRecipients": ["a@b.example"], "StopRuleProcessing": true}),
            // A name that nobody foresaw: the one class is that of the one member.
            json!({"Conditions": ["SentToScoped"], "SentToScope": "InOrganization"}),
            json!({"Conditions": null, "Exceptions": [], "Actions": "Microsoft.X.DeleteMessageAction", "DeleteMessage": true}),
        ] {
            check("exchange_transport_rule", &rule(&members), &[]);
        }
        // With a strange one beside it, the strange one is told.
        let members = json!({"Conditions": ["SentToScoped", "ContentMatchesPrompt"], "SentToScope": "InOrganization"});
        check("exchange_transport_rule", &rule(&members), &["conditions: ContentMatchesPrompt"]);
    }

    #[test]
    fn what_says_nothing_or_is_read_only_is_not_told() {
        let nothing = [
            json!(null),
            json!(""),
            json!([]),
            json!(false),
            json!(0),
            json!("None"),
            json!([null, ""]),
            json!({}),
            json!("00000000-0000-0000-0000-000000000000"),
            json!("0001-01-01T00:00:00.0000000Z"),
        ];
        for value in nothing {
            check("exchange_inbound_connector", &json!({"Name": "a", "Novelty": value}), &[]);
        }
        for member in ["WhenChangedUTC", "ExchangeVersion", "ObjectState", "LastSyncTimestamp", "OrganizationalUnitRoot"] {
            check("exchange_inbound_connector", &json!({"Name": "a", member: "2026-01-01T00:00:00Z"}), &[]);
        }
    }

    #[test]
    fn a_value_is_told_only_where_it_is_a_word_a_number_or_a_truth() {
        let connector = |member: &str, value: Json| {
            unmanaged(resources::named("exchange_inbound_connector").unwrap(), &object(&json!({ member: value }))).concat()
        };
        assert_eq!(connector("EFTestMode", json!(true)), "EFTestMode = true");
        assert_eq!(connector("Novelty", json!(7)), "Novelty = 7");
        assert_eq!(connector("Novelty", json!("Strict")), "Novelty = Strict");
        for secret in ["two words", "s3cr3t", "lower", &"A".repeat(41), "https://a.example/?t=1"] {
            let told = connector("Novelty", json!(secret));
            assert!(told.starts_with("Novelty = #") && told.len() == 19 && !told.contains(secret), "{told}");
            assert_ne!(told, connector("Novelty", json!(format!("{secret}."))));
            assert_eq!(told, connector("Novelty", json!(secret)));
        }
        assert_eq!(connector("ScanAndDropRecipients", json!(["b", "a"])), connector("ScanAndDropRecipients", json!(["a", "b"])));
        for member in ["NewHeaderText", "ApiToken", "SetThisValue", "PrivateKey"] {
            assert_eq!(connector(member, json!("Hunter")), member);
            assert_eq!(connector(member, json!(12)), member);
        }
        assert_eq!(connector("odd ${name}\n", json!(true)), "odd___name__ = true");
    }
}
