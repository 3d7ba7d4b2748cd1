//! The actions of transport rules.
//!
//! <https://learn.microsoft.com/exchange/security-and-compliance/mail-flow-rules/mail-flow-rule-actions>

use super::predicates::NO_DLP;
use super::{array, boolean, choice, one, text};
use crate::sandbox::exchange::noun::{Item, Kind, Parameter, Part};

/// All actions.
pub(super) fn parameters() -> Vec<Parameter> {
    let recipients = |name| array(name, Item::Recipient);
    let class = |parameter: Parameter, class: &'static str| parameter.part(Part::Action(class.into()));
    let list = vec![
        class(recipients("ModerateMessageByUser"), "ModerateMessageByUser"),
        boolean("ModerateMessageByManager"),
        class(recipients("RedirectMessageTo"), "RedirectMessage"),
        class(text("RejectMessageReasonText", 1024), "RejectMessage"),
        class(one("RejectMessageEnhancedStatusCode", Item::StatusCode), "RejectMessage"),
        boolean("DeleteMessage"),
        boolean("Quarantine"),
        class(one("RouteMessageOutboundConnector", Item::Connector), "RouteMessageOutboundConnector"),
        boolean("RouteMessageOutboundRequireTls"),
        recipients("BlindCopyTo"),
        recipients("CopyTo"),
        class(recipients("AddToRecipients"), "AddToRecipient"),
        choice("AddManagerAsRecipientType", &["To", "Cc", "Bcc", "Redirect"]),
        class(text("ApplyHtmlDisclaimerText", 5000), "ApplyHtmlDisclaimer"),
        class(choice("ApplyHtmlDisclaimerLocation", &["Append", "Prepend"]), "ApplyHtmlDisclaimer"),
        class(choice("ApplyHtmlDisclaimerFallbackAction", &["Wrap", "Ignore", "Reject"]), "ApplyHtmlDisclaimer"),
        text("PrependSubject", 32 * 1024),
        class(text("SetHeaderName", 64), "SetHeader"),
        class(text("SetHeaderValue", 8192), "SetHeader"),
        text("RemoveHeader", 64),
        one("ApplyClassification", Item::Any),
        class(Parameter::new("SetSCL", Kind::Level), "SetScl"),
        class(one("ApplyRightsProtectionTemplate", Item::Any), "RightsProtectMessage"),
        class(one("ApplyRightsProtectionCustomizationTemplate", Item::Any), "RightsProtectMessage"),
        boolean("RemoveOMEv2"),
        boolean("RemoveRMSAttachmentEncryption"),
        boolean("ApplyOME"),
        boolean("RemoveOME"),
        class(one("GenerateIncidentReport", Item::Recipient), "GenerateIncidentReport"),
        class(
            Parameter::new(
                "IncidentReportContent",
                Kind::Choices(&[
                    "Sender",
                    "Recipients",
                    "Subject",
                    "CC",
                    "BCC",
                    "Severity",
                    "RuleDetections",
                    "FalsePositive",
                    "IdMatch",
                    "AttachOriginalMail",
                ]),
            ),
            "GenerateIncidentReport",
        ),
        class(text("GenerateNotification", 5120), "GenerateNotification"),
        choice("SetAuditSeverity", &["DoNotAudit", "Low", "Medium", "High"]),
        // Counts as an action and has no class in the answer.
        class(boolean("StopRuleProcessing"), ""),
        Parameter::new("NotifySender", Kind::Refused(NO_DLP)),
    ];
    list.into_iter()
        .map(|parameter| match parameter.part {
            Part::Setting => {
                let name = parameter.name.clone();
                parameter.part(Part::Action(name))
            }
            _ => parameter,
        })
        .collect()
}
