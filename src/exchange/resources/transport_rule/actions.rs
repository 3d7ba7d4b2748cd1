//! What a rule does to mail.
//!
//! <https://learn.microsoft.com/exchange/security-and-compliance/mail-flow-rules/mail-flow-rule-actions>. What only servers on-premises take is not here:
//! `Disconnect`, `LogEventText`, `SmtpRejectMessage…`, `NotifySender`, `IncidentReportOriginalMail`.

use super::recipients;
use crate::exchange::forms::{RECIPIENT, header_name, lower, one_line, own_header_name, recipient_meaning, reject_code, trimmed};
use crate::schema::{Attribute, boolean, integer, one_of, set, string};

pub(super) const ACTIONS: &[Attribute] = &[
    // The message itself.
    integer("set_scl", "Set the spam confidence level: -1 goes around spam filtering, 5 and 6 are spam, 9 is certain spam.")
        .range(-1, 9),
    string("set_header_name", "The header that is set to `set_header_value`.")
        .format("a header's name", own_header_name)
        .meaning(lower)
        .with(&["set_header_value"]),
    string("set_header_value", "The value that the header is set to. What it is may be a secret, so it is never shown.")
        .format("one line", one_line)
        .write_only_form()
        .kept_beside(&["set_header_name"])
        .with(&["set_header_name"]),
    string("remove_header", "The header that is removed.").format("a header's name", header_name).meaning(lower),
    string("prepend_subject", "Text that is put before the subject.").format("one line", one_line),
    string(
        "apply_html_disclaimer_text",
        "HTML that is put into the message. Words such as `%%DisplayName%%` stand for what the directory knows of the sender.",
    )
    .length(1, 5000)
    .lines()
    .with(&["apply_html_disclaimer_location", "apply_html_disclaimer_fallback_action"]),
    one_of("apply_html_disclaimer_location", "Where the HTML goes: at the end or at the beginning.", &["Append", "Prepend"])
        .implied_beside(&("apply_html_disclaimer_text", "Append")),
    one_of(
        "apply_html_disclaimer_fallback_action",
        "What is done where the HTML cannot be put in (encrypted mail): put the message into a new one, leave it as it is, or refuse it. \
         For mail from outside, Microsoft advises `Reject`, as a new message hides the old one from Safe \
         Attachments.",
        &["Wrap", "Ignore", "Reject"],
    )
    .implied_beside(&("apply_html_disclaimer_text", "Wrap")),
    string("apply_classification", "Give the message this message classification.").format("a text without a space at either end", trimmed).meaning(lower),
    // Where it goes.
    string(
        "route_message_outbound_connector",
        "Name of the outbound connector that the message leaves by. It must have `is_transport_rule_scoped`.",
    )
    .meaning(lower)
    .refers_to("exchange_outbound_connector", &[]),
    boolean("route_message_outbound_require_tls", "Send the message over TLS only."),
    boolean("delete_message", "Drop the message without a word."),
    boolean("quarantine", "Put the message into quarantine. No later rule acts on it."),
    string("reject_message_reason_text", "Refuse the message with this reason.")
        .length(1, 1024)
        .lines()
        .implied_beside(&("reject_message_enhanced_status_code", "Delivery not authorized, message refused"))
        .with(&["reject_message_enhanced_status_code"]),
    string(
        "reject_message_enhanced_status_code",
        "Refuse the message with this status code: `5.7.1`, or `5.7.900` to `5.7.999`.",
    )
    .format("`5.7.1`, or `5.7.900` to `5.7.999`", reject_code)
    .implied_beside(&("reject_message_reason_text", "5.7.1"))
    .with(&["reject_message_reason_text"]),
    // Whom else it goes to.
    recipients("redirect_message_to", "Send the message to these instead."),
    recipients("blind_copy_to", "Add these as blind copy recipients."),
    recipients("copy_to", "Add these as copy recipients."),
    recipients("add_to_recipients", "Add these as recipients."),
    one_of(
        "add_manager_as_recipient_type",
        "Send the message to the sender's manager too, as this kind of recipient; `Redirect` sends it there instead.",
        &["To", "Cc", "Bcc", "Redirect"],
    ),
    recipients("moderate_message_by_user", "Hold the message until one of these approves it."),
    boolean("moderate_message_by_manager", "Hold the message until the sender's manager approves it."),
    // Encryption and rights.
    string("apply_rights_protection_template", "Protect the message by this template, such as `Encrypt` or `Do Not Forward`.")
        .format("a text without a space at either end", trimmed)
        .meaning(lower),
    string(
        "apply_rights_protection_customization_template",
        "Give encrypted mail the look of this branding template (`Get-OMEConfiguration`).",
    )
    .format("a text without a space at either end", trimmed)
    .meaning(lower),
    boolean("remove_ome_v2", "Take the encryption of Microsoft Purview off the message.")
        .with(&["remove_rms_attachment_encryption"]),
    boolean("remove_rms_attachment_encryption", "Take the encryption off attachments too; needs `remove_ome_v2`.")
        .with(&["remove_ome_v2"]),
    boolean("apply_ome", "Encrypt the message by the previous version of message encryption. `apply_rights_protection_template` replaces it."),
    boolean("remove_ome", "Take the encryption of the previous version off the message. `remove_ome_v2` replaces it."),
    // Who hears of it.
    string("generate_incident_report", "Send a report to this recipient.")
        .format(RECIPIENT, trimmed)
        .meaning(recipient_meaning)
        .with(&["incident_report_content"]),
    set("incident_report_content", "What the report holds beside the message ID.")
        .choices(&[
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
        ])
        .with(&["generate_incident_report"]),
    string(
        "generate_notification",
        "Send this notice to the recipients: text or HTML. `%%From%%`, `%%To%%`, `%%Cc%%`, `%%Subject%%`, `%%Headers%%` and `%%MessageDate%%` stand \
         for those of the message.",
    )
    .length(1, 5120)
    .lines(),
    one_of("set_audit_severity", "How severe the rule's reports are.", &["DoNotAudit", "Low", "Medium", "High"]),
];
