//! Transport rules in their order: conditions together, exceptions each by itself, then the actions. Each recipient's copy is looked at
//! by itself, as the service splits a message where rules tell recipients apart.

use serde_json::Value;

use super::filter_rules::Truth;
use super::predicates::{self, Mail};
use super::tenant::{Arrival, is_true, list, text};
use super::{Broken, Content, Journey, Message, Outcome, Place, Reply, Subject, World};
use crate::sandbox::exchange::{RulePart, rule_part};

/// Holds what the rules left of a message.
pub(super) struct Ruled {
    pub(super) recipients: Vec<String>,
    pub(super) content: Content,
    /// The connector that a rule names.
    pub(super) connector: Option<String>,
    pub(super) require_tls: bool,
    /// Where it ended, if it did.
    pub(super) outcome: Option<Outcome>,
}

/// Runs all rules over the copy for one recipient.
pub(super) fn run(world: &World, arrival: &Arrival, message: &Message, recipient: &str, journey: &mut Journey) -> Ruled {
    let mut ruled = Ruled {
        recipients: vec![recipient.to_owned()],
        content: message.content.clone(),
        connector: None,
        require_tls: false,
        outcome: None,
    };
    let mut in_order: Vec<&Value> = world.tenant.objects("TransportRule").iter().collect();
    if world.is_broken(Broken::RulesReversed) {
        in_order.reverse();
    }
    for rule in in_order {
        let name = text(rule, "Name");
        if text(rule, "State") == "Disabled" {
            continue;
        }
        if let Truth::Unknown(why) = applies(world, arrival, message, recipient, &ruled.content, rule) {
            let why = format!("the rule {name}: {why}");
            if actions(rule).all(is_harmless) {
                journey.doubt(why);
                continue;
            }
            ruled.outcome = Some(Outcome::Undecided { at: Place::Tenant, why });
            return ruled;
        }
        if applies(world, arrival, message, recipient, &ruled.content, rule) != Truth::True {
            continue;
        }
        if !matches!(text(rule, "Mode"), "" | "Enforce") {
            journey.step(&Place::Tenant, Subject::TransportRule, name, format!("applies to {recipient}, and is only audited"));
            continue;
        }
        let done = act(rule, name, &mut ruled, journey);
        journey.step(&Place::Tenant, Subject::TransportRule, name, format!("{recipient}: {}", done.join(", ")));
        if ruled.outcome.is_some() || is_true(rule, "StopRuleProcessing") {
            return ruled;
        }
    }
    ruled
}

/// Names the actions of a rule that are set.
fn actions(rule: &Value) -> impl Iterator<Item = &str> {
    set(rule).filter(|name| rule_part(name) == Some(RulePart::Action))
}

/// Names the properties that are set: no list is empty, no switch is off.
fn set(rule: &Value) -> impl Iterator<Item = &str> {
    let members = rule.as_object().into_iter().flatten();
    members
        .filter(|(_, value)| match value {
            Value::Null | Value::Bool(false) => false,
            Value::Array(items) => !items.is_empty(),
            Value::String(text) => !text.is_empty(),
            _ => true,
        })
        .map(|(name, _)| name.as_str())
}

/// Tells whether a rule applies: all conditions hold and no exception does.
fn applies(world: &World, arrival: &Arrival, message: &Message, recipient: &str, content: &Content, rule: &Value) -> Truth {
    for date in ["ActivationDate", "ExpiryDate"] {
        if rule.get(date).is_some_and(Value::is_string) {
            return Truth::Unknown(format!("it has the date {date}, and the oracle has no clock"));
        }
    }
    let mail = Mail { world, arrival, message, recipient, content };
    let mut whole = Truth::True;
    for name in set(rule) {
        match rule_part(name) {
            Some(RulePart::Condition) => whole = whole.and(predicates::evaluate(&mail, rule, name, "")),
            Some(RulePart::Exception) if !world.is_broken(Broken::NoExceptions) => {
                let bare = name.strip_prefix("ExceptIf").unwrap_or(name);
                // Half of a pair says nothing by itself: the first half is asked for both.
                if !predicates::is_second_half(bare) {
                    whole = whole.and(predicates::evaluate(&mail, rule, bare, "ExceptIf").not());
                }
            }
            _ => {}
        }
    }
    whole
}

/// Tells whether an action changes neither the way nor the content of a message.
fn is_harmless(name: &str) -> bool {
    matches!(
        name,
        "SetSCL"
            | "SetAuditSeverity"
            | "GenerateIncidentReport"
            | "IncidentReportContent"
            | "GenerateNotification"
            | "BlindCopyTo"
            | "StopRuleProcessing"
    )
}

/// Performs the actions of a rule, and says what was done. The value of a header may be a secret and is left out.
fn act(rule: &Value, name: &str, ruled: &mut Ruled, journey: &mut Journey) -> Vec<String> {
    let mut done = Vec::new();
    let place = || Place::Tenant;
    for action in actions(rule) {
        match action {
            "SetHeaderName" => {
                let header = text(rule, "SetHeaderName");
                ruled.content.strip(header);
                ruled.content.headers.push((header.to_owned(), text(rule, "SetHeaderValue").to_owned()));
                done.push(format!("sets the header {header}"));
            }
            "RemoveHeader" => {
                ruled.content.strip(text(rule, action));
                done.push(format!("removes the header {}", text(rule, action)));
            }
            "PrependSubject" => {
                let front = text(rule, action);
                match ruled.content.headers.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case("Subject")) {
                    Some((_, value)) => *value = format!("{front}{value}"),
                    None => ruled.content.headers.push(("Subject".into(), front.to_owned())),
                }
                done.push("changes the subject".into());
            }
            "RouteMessageOutboundConnector" => {
                ruled.connector = Some(text(rule, action).to_owned());
                done.push(format!("takes the connector {}", text(rule, action)));
            }
            "RouteMessageOutboundRequireTls" => {
                ruled.require_tls = true;
                done.push("wants TLS".into());
            }
            "SetSCL" => {
                let level = rule.get(action).map(|level| level.to_string().replace('"', "")).unwrap_or_default();
                done.push(if level == "-1" {
                    "leaves spam filtering out".into()
                } else {
                    format!("sets the spam level {level}")
                });
            }
            "DeleteMessage" => {
                ruled.outcome = Some(Outcome::Dropped { by: place(), name: name.to_owned() });
                done.push("deletes the message".into());
            }
            "Quarantine" => {
                ruled.outcome = Some(Outcome::Quarantined { by: place(), name: name.to_owned() });
                done.push("holds the message in the quarantine".into());
            }
            "RejectMessageReasonText" | "RejectMessageEnhancedStatusCode" => {
                let or = |key: &str, other: &str| {
                    if text(rule, key).is_empty() { other.to_owned() } else { text(rule, key).to_owned() }
                };
                let code = or("RejectMessageEnhancedStatusCode", "5.7.1");
                let words = or("RejectMessageReasonText", "Delivery not authorized, message refused");
                ruled.outcome = Some(Outcome::Rejected { by: place(), reply: Reply::new(550, format!("{code} {words}")) });
                if !done.iter().any(|word| word == "rejects the message") {
                    done.push("rejects the message".into());
                }
            }
            "RedirectMessageTo" => {
                ruled.recipients = list(rule, action);
                done.push(format!("sends it to {} instead", ruled.recipients.join(", ")));
            }
            "ModerateMessageByUser" | "ModerateMessageByManager" => {
                let why = format!("the rule {name} has somebody decide");
                ruled.outcome = Some(Outcome::Undecided { at: place(), why });
                done.push("waits for somebody's decision".into());
            }
            "BlindCopyTo" | "CopyTo" | "AddToRecipients" => {
                done.push(format!("sends a copy to {}", list(rule, action).join(", ")));
            }
            // The second half of a pair.
            "SetHeaderValue" | "IncidentReportContent" => {}
            "StopRuleProcessing" => done.push("ends the rules".into()),
            other if is_harmless(other) => done.push(other.to_owned()),
            other => {
                journey.doubt(format!("the rule {name}: {other} is not part of the stand-in"));
                done.push(other.to_owned());
            }
        }
    }
    done
}
