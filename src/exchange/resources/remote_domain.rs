//! Remote domains: in which form mail goes to other organizations, and which replies go there by themselves.
//!
//! <https://learn.microsoft.com/powershell/module/exchangepowershell/set-remotedomain>. `New-RemoteDomain` takes a name and a domain only. `Default`, for `*`, is always
//! there. `Get-RemoteDomain` shows:
//!
//! ```json
//! {"Name":"Default","DomainName":"*","IsInternal":false,"AllowedOOFType":"External","AutoForwardEnabled":true,"ContentType":"MimeHtmlText",
//!  "CharacterSet":"iso-8859-1","LineWrapSize":"Unlimited","TNEFEnabled":null,"Guid":"…"}
//! ```

use super::{UNMANAGED, is_text, is_true};
use crate::exchange::cmdlet::{Cmdlets, Form, Life};
use crate::exchange::forms::{domain_meaning, domain_pattern, line_width, lower, trimmed};
use crate::schema::{Clearing, Import, Record, Resource, Rule, Timeouts, boolean, integer, one_of, string};
use crate::value::{Diagnostic, Diagnostics, Path};

const CHARACTER_SETS: &[&str] = &[
    "big5",
    "din_66003",
    "euc-jp",
    "euc-kr",
    "gb18030",
    "gb2312",
    "hz-gb-2312",
    "iso-2022-jp",
    "iso-2022-kr",
    "iso-8859-1",
    "iso-8859-13",
    "iso-8859-15",
    "iso-8859-2",
    "iso-8859-3",
    "iso-8859-4",
    "iso-8859-5",
    "iso-8859-6",
    "iso-8859-7",
    "iso-8859-8",
    "iso-8859-9",
    "koi8-r",
    "koi8-u",
    "ks_c_5601-1987",
    "ns_4551-1",
    "sen_850200_b",
    "shift_jis",
    "utf-7",
    "utf-8",
    "windows-1250",
    "windows-1251",
    "windows-1252",
    "windows-1253",
    "windows-1254",
    "windows-1255",
    "windows-1256",
    "windows-1257",
    "windows-1258",
    "windows-874",
];

pub(super) const RESOURCE: Resource = Resource {
    name: "exchange_remote_domain",
    noun: "remote domain",
    about: "Sets in which form mail goes to another organization (Exchange admin center: Mail flow > Remote domains), and which replies and reports go there by themselves. The remote domain `Default` \
            (`*`) is always there: a resource with that name takes it over, and puts back what stood there before when it is destroyed.",
    attributes: &[
        string("name", "Name, unique among the remote domains of the organization.")
            .required()
            .always_there(|name| name.eq_ignore_ascii_case("Default"))
            .length(1, 64)
            .format("a text without a space at either end", trimmed)
            .meaning(lower),
        string("domain_name", "The domain. `*` is that of `Default`.")
            .required()
            .replaces()
            .length(1, 256)
            .format("a domain, `*`, or a domain with all below it such as `*.contoso.com`", domain_pattern)
            .meaning(domain_meaning),
        one_of(
            "allowed_oof_type",
            "Which automatic replies go there: those for outsiders, those of old clients too, those for insiders and of old clients, or none.",
            &["External", "ExternalLegacy", "InternalLegacy", "None"],
        )
        .filled_text("External")
        .with(&["is_internal"]),
        boolean("auto_forward_enabled", "Let mail go there that clients forward by themselves.").filled(true),
        boolean("auto_reply_enabled", "Let replies go there that clients give by themselves.").filled(true),
        boolean("delivery_report_enabled", "Let delivery reports of clients go there.").filled(true),
        boolean("ndr_enabled", "Let non-delivery reports go there.").filled(true),
        boolean("meeting_forward_notification_enabled", "Tell the organizer of a meeting when someone there forwards it.").filled(true),
        boolean("is_internal", "Take recipients there for insiders.").filled(false).with(&["allowed_oof_type"]),
        boolean("target_delivery_domain", "Make target addresses of mail users by this domain, between two organizations of your own.").filled(false),
        boolean("trusted_mail_inbound_enabled", "Take mail from there around spam and recipient filtering.").filled(false),
        boolean("trusted_mail_outbound_enabled", "Take mail that goes there around spam and recipient filtering.").filled(false),
        boolean("display_sender_name", "Show the sender's name. To be changed on the word of Microsoft's support only.").filled(true),
        boolean("use_simple_display_name", "Show the sender's simple display name instead.").filled(false),
        one_of("content_type", "In which form messages go there.", &["MimeHtmlText", "MimeText", "MimeHtml"]).filled_text("MimeHtmlText"),
        boolean(
            "tnef_enabled",
            "Whether messages go there in the rich form of Outlook (TNEF): always, or never.",
        )
        .inherited("what the recipient's and the sender's settings say"),
        one_of("character_set", "The character set of MIME messages that name none.", CHARACTER_SETS).meaning(lower),
        one_of("non_mime_character_set", "The character set of plain text messages that name none.", CHARACTER_SETS).meaning(lower),
        one_of(
            "byte_encoder_type_for_7bit_charsets",
            "The transfer encoding of 7-bit character sets.",
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
        .filled_text("Undefined")
        .remote("ByteEncoderTypeFor7BitCharsets"),
        one_of("preferred_internet_code_page_for_shift_jis", "The code page of Japanese text.", &["50220", "50221", "50222", "Undefined"])
            .filled_text("Undefined"),
        integer(
            "required_charset_coverage",
            "How many of a hundred characters must be of the preferred character sets for these to be used. The service has no way to take this away: \
             the remote domain is made anew.",
        )
        .range(0, 100)
        .cleared_by(Clearing::Replace),
        string("line_wrap_size", "After how many characters lines are wrapped.")
            .filled_text("unlimited")
            .format("0 to 132, or `unlimited`", line_width)
            .meaning(lower),
        UNMANAGED,
    ],
    rules: &[Rule::Hook("`allowed_oof_type = \"InternalLegacy\"` goes with `is_internal = true`.", insiders)],
    identity: &["id"],
    import: Import::Lookup { about: "the remote domain's name or GUID", example: "Default" },
    title: "name",
    version: 0,
    timeouts: Timeouts { write: 1200, read: 300 },
};

pub(super) const CMDLETS: Cmdlets = Cmdlets {
    life: Life::Made,
    set_only: &[
        "allowed_oof_type",
        "auto_forward_enabled",
        "auto_reply_enabled",
        "delivery_report_enabled",
        "ndr_enabled",
        "meeting_forward_notification_enabled",
        "is_internal",
        "target_delivery_domain",
        "trusted_mail_inbound_enabled",
        "trusted_mail_outbound_enabled",
        "display_sender_name",
        "use_simple_display_name",
        "content_type",
        "tnef_enabled",
        "character_set",
        "non_mime_character_set",
        "byte_encoder_type_for_7bit_charsets",
        "preferred_internet_code_page_for_shift_jis",
        "required_charset_coverage",
        "line_wrap_size",
    ],
    forms: &[("tnef_enabled", Form::Tristate)],
    ..Cmdlets::of(&RESOURCE, "RemoteDomain")
};

/// The service changes the one when the other is changed, so that they cannot disagree for long.
fn insiders(config: &Record) -> Diagnostics {
    if is_text(config, "allowed_oof_type", "InternalLegacy") != Some(true) || is_true(config, "is_internal", false) != Some(false)
    {
        return Vec::new();
    }
    vec![
        Diagnostic::error(
            "Insiders' replies are for insiders",
            "The service makes `is_internal` true where `allowed_oof_type` is `InternalLegacy`. Set `is_internal = true`, or choose another type.",
        )
        .at(Path::dotted("allowed_oof_type")),
    ]
}
