//! The conditions of a rule, which are its exceptions too: there, the service's names begin with `ExceptIf`.
//!
//! <https://learn.microsoft.com/powershell/module/exchangepowershell/new-transportrule>. Of the 61 parameters for conditions, the service does not
//! take `MessageContainsDataClassifications` and `HasSenderOverride`: these two are for servers on-premises.

use super::{patterns, recipients, words};
use crate::exchange::forms::{
    DIRECTORY_ATTRIBUTES, address_meaning, directory_patterns, directory_patterns_meaning, directory_words, domain,
    domain_meaning, header_name, lower, property_words, property_words_meaning, rule_address, size, size_meaning, trimmed,
};
use crate::exchange::resources::multi_valued;
use crate::schema::{Attribute, Clearing, boolean, integer, one_of, set, string};

/// The form of a size, as the docs say it.
const SIZE: &str = "a number with `B`, `KB`, `MB`, `GB` or `TB` that comes to whole bytes, or `Unlimited`";

/// Pairs of which both are set or none.
pub(super) const PAIRS: &[(&str, &str)] = &[
    ("between_member_of_1", "between_member_of_2"),
    ("manager_for_evaluated_user", "manager_addresses"),
    ("header_contains_message_header", "header_contains_words"),
    ("header_matches_message_header", "header_matches_patterns"),
];

pub(super) const PREDICATES: &[Attribute] = &[
    // The sender.
    recipients("from", "Sent by one of these."),
    recipients("from_member_of", "Sent by a member of one of these groups."),
    one_of("from_scope", "Sent from inside or outside the organization.", &["InOrganization", "NotInOrganization"]),
    words("from_address_contains_words", "The sender's address has one of these words."),
    patterns(
        "from_address_matches_patterns",
        "The sender's address fits one of these regular expressions. The service has no safe way to take this away from a rule: the rule is \
         made anew.",
    )
    .cleared_by(Clearing::Replace),
    set("sender_domain_is", "Sent from one of these domains or a domain below.")
        .format("a domain", domain)
        .meaning(domain_meaning),
    multi_valued("sender_ip_ranges", "Came to the service from one of these addresses: single, ranges or networks.")
        .format("an address, a range or a network", rule_address)
        .meaning(address_meaning)
        .remote("SenderIpRanges"),
    directory("sender_ad_attribute_contains_words", "An attribute of the sender has one of these words."),
    directory_pattern("sender_ad_attribute_matches_patterns", "An attribute of the sender fits one of these regular expressions."),
    one_of(
        "sender_management_relationship",
        "The sender is the manager of a recipient, or reports to one.",
        &["Manager", "DirectReport"],
    ),
    words("sender_in_recipient_list", "Reserved: the sender is in one of these supervision lists of a recipient."),
    words("recipient_in_sender_list", "Reserved: a recipient is in one of these supervision lists of the sender."),
    // The recipients.
    recipients("sent_to", "Sent to one of these, which are no groups."),
    recipients("sent_to_member_of", "Sent to a member of one of these groups."),
    one_of("sent_to_scope", "Sent to a recipient inside or outside the organization.", &["InOrganization", "NotInOrganization"]),
    words("recipient_address_contains_words", "A recipient's primary address has one of these words."),
    patterns("recipient_address_matches_patterns", "A recipient's primary address fits one of these regular expressions."),
    set("recipient_domain_is", "Sent to one of these domains or a domain below.")
        .format("a domain", domain)
        .meaning(domain_meaning),
    directory("recipient_ad_attribute_contains_words", "An attribute of a recipient has one of these words."),
    directory_pattern(
        "recipient_ad_attribute_matches_patterns",
        "An attribute of a recipient fits one of these regular expressions.",
    ),
    words(
        "any_of_recipient_address_contains_words",
        "The address of any recipient has one of these words; the rule then acts on the message for all recipients.",
    ),
    patterns(
        "any_of_recipient_address_matches_patterns",
        "The address of any recipient fits one of these regular expressions; the rule then acts on the message for all recipients.",
    ),
    recipients("any_of_to_header", "One of these stands in the To field."),
    recipients("any_of_to_header_member_of", "A member of one of these groups stands in the To field."),
    recipients("any_of_cc_header", "One of these stands in the Cc field."),
    recipients("any_of_cc_header_member_of", "A member of one of these groups stands in the Cc field."),
    recipients("any_of_to_cc_header", "One of these stands in the To or Cc field."),
    recipients("any_of_to_cc_header_member_of", "A member of one of these groups stands in the To or Cc field."),
    // The sender and the recipients.
    recipients("between_member_of_1", "Sent between a member of one of these groups and of those of `between_member_of_2`.")
        .with(&["between_member_of_2"]),
    recipients("between_member_of_2", "The other side of `between_member_of_1`.").with(&["between_member_of_1"]),
    one_of("manager_for_evaluated_user", "Whose manager `manager_addresses` names.", &["Recipient", "Sender"])
        .with(&["manager_addresses"]),
    recipients("manager_addresses", "The manager of the sender or of a recipient is one of these.")
        .with(&["manager_for_evaluated_user"]),
    one_of(
        "ad_comparison_attribute",
        "This attribute of the sender is compared with that of all recipients, which are no groups.",
        DIRECTORY_ATTRIBUTES,
    )
    .with(&["ad_comparison_operator"]),
    one_of("ad_comparison_operator", "How `ad_comparison_attribute` compares.", &["Equal", "NotEqual"])
        .implied_beside(&("ad_comparison_attribute", "Equal"))
        .with(&["ad_comparison_attribute"]),
    // The content.
    words("subject_contains_words", "The subject has one of these words."),
    patterns("subject_matches_patterns", "The subject fits one of these regular expressions."),
    words("subject_or_body_contains_words", "The subject or the body has one of these words."),
    patterns("subject_or_body_matches_patterns", "The subject or the body fits one of these regular expressions."),
    string("header_contains_message_header", "The header that `header_contains_words` looks at.")
        .format("a header's name", header_name)
        .meaning(lower)
        .with(&["header_contains_words"]),
    words("header_contains_words", "The header has one of these words.").with(&["header_contains_message_header"]),
    string("header_matches_message_header", "The header that `header_matches_patterns` looks at.")
        .format("a header's name", header_name)
        .meaning(lower)
        .with(&["header_matches_patterns"]),
    patterns("header_matches_patterns", "The header fits one of these regular expressions.").with(&["header_matches_message_header"]),
    words("content_character_set_contains_words", "The message uses one of these character sets, such as `Arabic/iso-8859-6`."),
    // The attachments.
    words("attachment_contains_words", "An attachment that can be looked into has one of these words."),
    patterns(
        "attachment_matches_patterns",
        "An attachment that can be looked into fits one of these regular expressions in its first 150 KB.",
    ),
    patterns("attachment_name_matches_patterns", "An attachment's name fits one of these regular expressions."),
    words("attachment_extension_matches_words", "An attachment's name has one of these extensions."),
    set(
        "attachment_property_contains_words",
        "A property of an attached Office document has one of these words: `Property:word,several words`.",
    )
    .format("a property, a colon and words between commas", property_words)
    .meaning(property_words_meaning),
    string("attachment_size_over", "An attachment has this size or more, such as `10 MB`.")
        .format(SIZE, size)
        .meaning(size_meaning),
    boolean("attachment_has_executable_content", "An attachment is a program."),
    boolean("attachment_is_password_protected", "An attachment is protected by a password."),
    boolean("attachment_is_unsupported", "An attachment cannot be looked into."),
    boolean("attachment_processing_limit_exceeded", "An attachment could not be looked into to its end."),
    // The message.
    string("message_size_over", "The message has this size or more, such as `10 MB`.")
        .format(SIZE, size)
        .meaning(size_meaning),
    one_of(
        "message_type_matches",
        "The message is of this type.",
        &[
            "OOF",
            "AutoForward",
            "Encrypted",
            "Calendaring",
            "PermissionControlled",
            "Voicemail",
            "Signed",
            "ApprovalRequest",
            "ReadReceipt",
        ],
    ),
    string("has_classification", "The message has this message classification.").format("a text without a space at either end", trimmed).meaning(lower),
    boolean("has_no_classification", "The message has no message classification."),
    integer("scl_over", "The spam confidence level is this or higher.").range(-1, 9),
    one_of("with_importance", "The message is marked with this importance.", &["Low", "Normal", "High"]),
];

const fn directory(name: &'static str, about: &'static str) -> Attribute {
    set(name, about)
        .format("an attribute, a colon and words between commas, such as `City:San Francisco,Palo Alto`", directory_words)
        .meaning(property_words_meaning)
}

const fn directory_pattern(name: &'static str, about: &'static str) -> Attribute {
    set(name, about)
        .format("an attribute, a colon and patterns between commas, such as `City:^San,^Palo`", directory_patterns)
        .meaning(directory_patterns_meaning)
}
