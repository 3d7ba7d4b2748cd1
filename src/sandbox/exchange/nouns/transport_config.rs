//! The organization's transport settings, of which one object stands.
//!
//! <https://learn.microsoft.com/powershell/module/exchangepowershell/set-transportconfig>. The limits of rules are read
//! only.

use serde_json::Value;

use super::{boolean, choice, integer, one, text};
use crate::sandbox::exchange::noun::{Item, Kind, Noun, Parameter, Verb};

/// The table.
pub(crate) fn noun() -> Noun {
    Noun {
        single: true,
        columns: &["SmtpClientAuthenticationDisabled", "MaxRecipientEnvelopeLimit", "MessageExpiration"],
        ..Noun::new(
            "TransportConfig",
            &[Verb::Get, Verb::Set],
            vec![
                text("Name", 64).answer_only(),
                boolean("AddressBookPolicyRoutingEnabled"),
                // Three states: nothing leaves the service's own default.
                Parameter::new("AllowLegacyTLSClients", Kind::Boolean).unset(Value::Null),
                boolean("ClearCategories").unset(true),
                boolean("ConvertDisclaimerWrapperToEml"),
                boolean("ExternalDelayDsnEnabled").unset(true),
                boolean("InternalDelayDsnEnabled").unset(true),
                one("ExternalPostmasterAddress", Item::Any),
                choice("HeaderPromotionModeSetting", &["MayCreate", "MustCreate", "NoCreate"]).unset("NoCreate"),
                text("JournalingReportNdrTo", 320).unset("<>"),
                text("MaxRecipientEnvelopeLimit", 16).unset("Unlimited"),
                Parameter::new("MessageExpiration", Kind::Span).unset("1.00:00:00"),
                boolean("PreventDuplicateJournalingEnabled"),
                boolean("ReplyAllStormProtectionEnabled").unset(true),
                integer("ReplyAllStormBlockDurationHours", 1, 12).unset(6),
                integer("ReplyAllStormDetectionMinimumRecipients", 1000, 5000).unset(2500),
                integer("ReplyAllStormDetectionMinimumReplies", 2, 20).unset(10),
                boolean("Rfc2231EncodingEnabled"),
                boolean("SmtpClientAuthenticationDisabled").unset(true),
                boolean("VoicemailJournalingEnabled").unset(true),
                integer("TransportRuleLimit", 0, 300).unset(300).answer_only(),
                text("TransportRuleSizeLimit", 64).unset("8 KB (8,192 bytes)").answer_only(),
                text("TransportRuleCollectionRegexCharsLimit", 64).unset("20 KB (20,480 bytes)").answer_only(),
                integer("TransportRuleCollectionAddedRecipientsLimit", 0, 1000).unset(100).answer_only(),
                text("TransportRuleAttachmentTextScanLimit", 64).unset("1 MB (1,048,576 bytes)").answer_only(),
                text("TransportRuleRegexValidationTimeout", 64).unset("00:00:00.3000000").answer_only(),
            ],
        )
    }
}
