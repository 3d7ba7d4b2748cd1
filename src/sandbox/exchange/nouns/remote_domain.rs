//! Remote domains: how mail to other domains is formed.
//!
//! <https://learn.microsoft.com/powershell/module/exchangepowershell/set-remotedomain>. New takes the name and the
//! domain only; `Default` (`*`) always exists and cannot be removed. It has the character set iso-8859-1, and new ones none.

use serde_json::Value;

use super::{boolean, choice, integer, one, text};
use crate::sandbox::exchange::noun::{Item, Kind, Noun, Parameter, Verb};

/// The table.
pub(crate) fn noun() -> Noun {
    let on = |name| boolean(name).unset(true).set_only();
    let off = |name| boolean(name).set_only();
    Noun {
        finish: |remote, _, answer| {
            // Only New takes it, and Get shows it all the same.
            answer.insert("DomainName".into(), remote.fields.get("DomainName").cloned().unwrap_or_default());
        },
        columns: &["DomainName", "AllowedOOFType", "AutoForwardEnabled"],
        ..Noun::new(
            "RemoteDomain",
            &[Verb::Get, Verb::New, Verb::Set, Verb::Remove],
            vec![
                text("Name", 64).mandatory(),
                one("DomainName", Item::Domain).mandatory().new_only(),
                choice("AllowedOOFType", &["External", "ExternalLegacy", "InternalLegacy", "None"]).unset("External").set_only(),
                on("AutoForwardEnabled"),
                on("AutoReplyEnabled"),
                choice(
                    "ByteEncoderTypeFor7BitCharsets",
                    &[
                        "Use7Bit",
                        "UseQP",
                        "UseBase64",
                        "UseQPHtmlDetectTextPlain",
                        "UseBase64HtmlDetectTextPlain",
                        "UseQPHtml7BitTextPlain",
                        "UseBase64Html7BitTextPlain",
                        "Undefined",
                    ],
                )
                .unset("Undefined")
                .set_only(),
                text("CharacterSet", 64).set_only(),
                choice("ContentType", &["MimeHtml", "MimeHtmlText", "MimeText"]).unset("MimeHtmlText").set_only(),
                on("DeliveryReportEnabled"),
                on("DisplaySenderName"),
                off("IsInternal"),
                text("LineWrapSize", 16).unset("Unlimited").set_only(),
                on("MeetingForwardNotificationEnabled"),
                off("NDRDiagnosticInfoEnabled").unset(true),
                on("NDREnabled"),
                text("NonMimeCharacterSet", 64).set_only(),
                choice("PreferredInternetCodePageForShiftJis", &["50220", "50221", "50222", "Undefined"])
                    .unset("Undefined")
                    .set_only(),
                integer("RequiredCharsetCoverage", 0, 100).set_only(),
                off("TargetDeliveryDomain"),
                // Three states: true, false, and nothing for "as the client says".
                Parameter::new("TNEFEnabled", Kind::Boolean).unset(Value::Null).set_only(),
                off("TrustedMailInboundEnabled"),
                off("TrustedMailOutboundEnabled"),
                off("UseSimpleDisplayName"),
                text("AdminDisplayName", 256).unset("").answer_only(),
            ],
        )
    }
}
