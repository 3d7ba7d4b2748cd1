//! Transport rules: what happens to mail on its way.
//!
//! <https://learn.microsoft.com/powershell/module/exchangepowershell/new-transportrule>. Rules stand in one order, 0
//! first and without gaps; unset lists read `null`; `Enabled` exists on New only and reads as `State`.

use serde_json::{Map, Value, json};

use super::predicates::{NO_DLP, PAIRS};
use super::{actions, boolean, choice, integer, one, predicates, text};
use crate::sandbox::exchange::backends::Object;
use crate::sandbox::exchange::errors::Exception;
use crate::sandbox::exchange::noun::{Given, Input, Item, Kind, Noun, Parameter, Part, Proposal, Verb};
use crate::sandbox::exchange::values;

/// The namespace of the classes that Get names.
const CLASSES: &str = "Microsoft.Exchange.MessagingPolicies.Rules.Tasks";

/// The characters that one rule may have.
const RULE_SIZE: usize = 8192;

/// The bytes that the regular expressions of all rules may have together.
const PATTERNS_SIZE: usize = 20 * 1024;

/// The table.
pub(crate) fn noun() -> Noun {
    let mut parameters = vec![
        text("Name", 64).mandatory(),
        text("Comments", 1024).null_refused("The value of 'Comments' cannot be null, please specify a valid value."),
        boolean("Enabled").new_only().hidden(),
        choice("State", &["Enabled", "Disabled"]).unset("Enabled").answer_only(),
        choice("Mode", &["Audit", "AuditAndNotify", "Enforce"]).unset("Enforce"),
        integer("Priority", i64::from(i32::MIN), i64::from(i32::MAX)).hidden(),
        choice("RuleErrorAction", &["Ignore", "Defer"]).unset("Ignore"),
        choice("SenderAddressLocation", &["Header", "Envelope", "HeaderOrEnvelope"]).unset("Header"),
        choice("RecipientAddressType", &["Resolved", "Original"]).unset("Resolved"),
        Parameter::new("ActivationDate", Kind::Date("Z")),
        Parameter::new("ExpiryDate", Kind::Date("Z")),
        choice("RuleSubType", &["None", "Dlp"]).unset("None"),
        boolean("UseLegacyRegex").new_only(),
        one("DlpPolicy", Item::Any).answer_only(),
        text("CreatedBy", 256).unset("Sandbox Administrator").answer_only(),
        text("LastModifiedBy", 256).unset("Sandbox Administrator").answer_only(),
        boolean("ManuallyModified").answer_only(),
    ];
    parameters.extend(predicates::parameters());
    parameters.extend(actions::parameters());
    Noun {
        unset_list: Value::Null,
        ordered: true,
        limit: 300,
        filters: vec![
            choice("State", &["Enabled", "Disabled"]),
            text("DlpPolicy", 256),
            text("Filter", 4096),
            boolean("ExcludeConditionActionDetails"),
        ],
        complete,
        check,
        shows: |rule, given, _| match given.get("State").and_then(Input::text) {
            Some(state) => rule.text("State").unwrap_or("Enabled") == state,
            None => true,
        },
        finish,
        columns: &["State", "Mode"],
        ..Noun::new("TransportRule", &[Verb::Get, Verb::New, Verb::Set, Verb::Remove, Verb::Enable, Verb::Disable], parameters)
    }
}

/// Names the conditions, actions and exceptions of a rule with their values, for people. The value of a header is
/// not shown: it is often a secret that another server knows the mail by.
pub(super) fn parts(noun: &Noun, rule: &Object) -> [Vec<String>; 3] {
    let list = |wanted: fn(&Part) -> bool| {
        let set = noun.parameters.iter().filter(|one| wanted(&one.part));
        let set = set.filter_map(|one| Some((one.name.as_ref(), rule.fields.get(one.name.as_ref())?)));
        set.map(
            |(name, value)| {
                if name == "SetHeaderValue" { format!("{name} ********") } else { format!("{name} {}", plain(value)) }
            },
        )
        .collect()
    };
    [list(is_condition), list(is_action), list(is_exception)]
}

fn complete(rule: &mut Object, given: &Given, verb: Verb) {
    if verb == Verb::New && matches!(given.get("Enabled"), Some(Input::Value(Value::Bool(false)))) {
        rule.fields.insert("State".into(), "Disabled".into());
    }
    // Either half of a rejection brings the other one's default.
    let rejects = |name| rule.fields.contains_key(name);
    match (rejects("RejectMessageReasonText"), rejects("RejectMessageEnhancedStatusCode")) {
        (true, false) => drop(rule.fields.insert("RejectMessageEnhancedStatusCode".into(), "5.7.1".into())),
        (false, true) => {
            drop(rule.fields.insert("RejectMessageReasonText".into(), "Delivery not authorized, message refused".into()));
        }
        _ => {}
    }
    let default = |rule: &mut Object, with: &str, name: &str, value: &str| {
        if rule.fields.contains_key(with) && !given.contains_key(name) && !rule.fields.contains_key(name) {
            rule.fields.insert(name.into(), value.into());
        }
    };
    default(rule, "ApplyHtmlDisclaimerText", "ApplyHtmlDisclaimerLocation", "Append");
    default(rule, "ApplyHtmlDisclaimerText", "ApplyHtmlDisclaimerFallbackAction", "Wrap");
    default(rule, "ADComparisonAttribute", "ADComparisonOperator", "Equal");
    default(rule, "ExceptIfADComparisonAttribute", "ExceptIfADComparisonOperator", "Equal");
    // The disclaimer's place means nothing without its text.
    if !rule.fields.contains_key("ApplyHtmlDisclaimerText") {
        rule.fields.remove("ApplyHtmlDisclaimerLocation");
        rule.fields.remove("ApplyHtmlDisclaimerFallbackAction");
    }
}

fn check(proposal: &Proposal<'_>) -> Result<(), Exception> {
    Proposal::require(proposal.text("RuleSubType") != Some("Dlp"), || NO_DLP.into())?;
    for (first, second) in PAIRS {
        paired(proposal, first, second)?;
        paired(proposal, &format!("ExceptIf{first}"), &format!("ExceptIf{second}"))?;
    }
    paired(proposal, "SetHeaderName", "SetHeaderValue")?;
    let rejects = proposal.has("RejectMessageReasonText");
    Proposal::require(!(rejects && proposal.has("RedirectMessageTo")), || {
        "The RedirectMessageTo action can't be used together with a RejectMessage action in one rule.".into()
    })?;
    Proposal::require(!proposal.is_true("RemoveRMSAttachmentEncryption") || proposal.is_true("RemoveOMEv2"), || {
        "The RemoveRMSAttachmentEncryption parameter can only be used when RemoveOMEv2 is true.".into()
    })?;
    if proposal.given.get("FromAddressMatchesPatterns") == Some(&Input::Null) && count(proposal, is_condition) == 0 {
        let held = proposal.before.is_some_and(|before| before.fields.contains_key("FromAddressMatchesPatterns"));
        Proposal::require(!held, || {
            "The value of 'FromAddressMatchesPatterns' cannot be null when no other condition is set.".into()
        })?;
    }
    Proposal::require(count(proposal, is_action) > 0, || {
        "To be valid, all rules have to include at least one action. Please specify an action. (Parameter 'Actions')".into()
    })?;
    sizes(proposal)
}

/// Refuses one half of a pair.
fn paired(proposal: &Proposal<'_>, first: &str, second: &str) -> Result<(), Exception> {
    Proposal::require(proposal.has(first) == proposal.has(second), || {
        format!("The parameters '{first}' and '{second}' must be specified together.")
    })
}

fn sizes(proposal: &Proposal<'_>) -> Result<(), Exception> {
    let size: usize = proposal.after.fields.values().map(|value| plain(value).chars().count()).sum();
    let verb = if proposal.before.is_some() { "updated" } else { "created" };
    Proposal::require(size <= RULE_SIZE, || {
        format!(
            "The rule cannot be {verb} because of its excessive size, containing {size} characters, exceeds maximum limit of \
             {RULE_SIZE} characters."
        )
    })?;
    let others = proposal.store.truth(proposal.noun.name).iter().filter(|rule| rule.guid != proposal.after.guid);
    let patterns: usize = others.chain([proposal.after]).map(|rule| patterns_size(proposal.noun, rule)).sum();
    Proposal::require(patterns <= PATTERNS_SIZE, || {
        format!("The regular expressions of all rules have {patterns} characters, which exceeds the maximum of {PATTERNS_SIZE}.")
    })
}

fn patterns_size(noun: &Noun, rule: &Object) -> usize {
    let patterns = noun.parameters.iter().filter(|one| matches!(one.kind, Kind::Array(Item::Pattern)));
    patterns.filter_map(|one| rule.fields.get(one.name.as_ref())).map(|value| plain(value).len()).sum()
}

fn count(proposal: &Proposal<'_>, wanted: fn(&Part) -> bool) -> usize {
    proposal.noun.parameters.iter().filter(|one| wanted(&one.part) && proposal.has(&one.name)).count()
}

fn is_condition(part: &Part) -> bool {
    matches!(part, Part::Condition(_))
}

fn is_exception(part: &Part) -> bool {
    matches!(part, Part::Exception(_))
}

fn is_action(part: &Part) -> bool {
    matches!(part, Part::Action(_))
}

fn finish(rule: &Object, given: &Given, answer: &mut Map<String, Value>) {
    let hidden = given.get("ExcludeConditionActionDetails").is_some_and(Input::is_true);
    let table = super::find("TransportRule");
    let parameters = table.map_or(&[][..], |noun| &noun.parameters);
    let set = || parameters.iter().filter(|one| rule.fields.contains_key(one.name.as_ref()));
    let mut put = |key: &str, suffix: &str, class_of: fn(&Part) -> Option<&str>| {
        let mut names: Vec<Value> = Vec::new();
        for class in set().filter_map(|one| class_of(&one.part)).filter(|class| !class.is_empty()) {
            let name = Value::from(format!("{CLASSES}.{class}{suffix}"));
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let empty = names.is_empty() || hidden;
        answer.insert(key.into(), if empty { Value::Null } else { Value::Array(names) });
        if !empty {
            answer.insert(format!("{key}@odata.type"), json!("#Collection(String)"));
        }
    };
    put("Conditions", "Predicate", |part| if let Part::Condition(class) = part { Some(class) } else { None });
    put("Exceptions", "Predicate", |part| if let Part::Exception(class) = part { Some(class) } else { None });
    put("Actions", "Action", |part| if let Part::Action(class) = part { Some(class) } else { None });
    let describe = |title: &str, wanted: fn(&Part) -> bool| {
        let lines: Vec<String> = set()
            .filter(|one| wanted(&one.part))
            .filter_map(|one| Some(format!("\t{} '{}'", one.name, plain(rule.fields.get(one.name.as_ref())?))))
            .collect();
        if lines.is_empty() {
            String::new()
        } else {
            format!("{title}\r\n{}\r\n", lines.join("\r\n\tand ").replace("and \t", "and "))
        }
    };
    // The service's own text shows every value, that of a header included.
    let description = [
        describe("If the message:", is_condition),
        describe("Take the following actions:", is_action),
        describe("Except if the message:", is_exception),
    ]
    .concat();
    let size: usize = rule.fields.values().map(|value| plain(value).chars().count()).sum();
    for (name, number) in [("Size", size), ("RegexSize", table.map_or(0, |noun| patterns_size(noun, rule)))] {
        answer.insert(format!("{name}@data.type"), json!("System.Int32"));
        answer.insert(name.into(), json!(number));
    }
    answer.insert("Description".into(), if hidden { Value::Null } else { Value::from(description) });
}

/// A value as people read it.
fn plain(value: &Value) -> String {
    match value {
        Value::Array(items) => items.iter().map(values::shown).collect::<Vec<_>>().join(", "),
        other => values::shown(other),
    }
}
