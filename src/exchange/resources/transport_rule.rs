//! Transport rules (mail flow rules): what happens to mail that fits conditions.
//!
//! <https://learn.microsoft.com/powershell/module/exchangepowershell/new-transportrule>. `Get-TransportRule` shows every condition,
//! exception and action side by side, under the name of its parameter:
//!
//! ```json
//! {"Priority":0,"Comments":null,"State":"Enabled","Mode":"Enforce","RuleErrorAction":"Ignore","SenderAddressLocation":"Header",
//!  "FromScope":"NotInOrganization","SentToScope":null,"ExceptIfFrom":null,"DeleteMessage":false,"PrependSubject":"EXTERNAL: ",
//!  "SetAuditSeverity":"Medium","Name":"external","Guid":"0ab1e768-08b0-4768-81e2-64d6f990c552"}
//! ```

use super::{is_true, is_written};
use crate::exchange::cmdlet::{Cmdlets, Form, Implied, Reference, Toggle};
use crate::exchange::forms::{
    address_meaning, date, date_meaning, domain, domain_meaning, header_name, lower, one_line, own_header_name,
    recipient_meaning, reject_code, rule_address, size, size_meaning, trimmed,
};
use crate::schema::{
    Attribute, Clearing, Import, Record, Resource, Rule, Timeouts, boolean, integer, object, one_of, set, string,
};
use crate::value::{Diagnostic, Diagnostics, Path, Value};

pub(super) const RESOURCE: Resource = Resource {
    name: "exchange_transport_rule",
    noun: "transport rule",
    about: "Acts on mail that fits its conditions, on its way through the tenant (Exchange admin center: Mail flow > Rules). Different conditions must all fit; of several \
            values of one condition, one must fit; one exception that fits is enough to leave the mail alone. It can take 30 \
            minutes and more until the service acts by a change.",
    attributes: &[
        string("name", "Name, unique among the rules of the organization.")
            .required()
            .length(1, 64)
            .format("a text without a space at either end", trimmed),
        string("comments", "Remark for administrators.").length(1, 1024).cleared_by(Clearing::EmptyText),
        boolean("enabled", "Whether the rule is in use.").filled(true),
        one_of(
            "mode",
            "What the rule does: `Enforce` acts, `Audit` only records what it would do, `AuditAndNotify` shows Policy Tips as well.",
            &["Audit", "AuditAndNotify", "Enforce"],
        )
        .filled_text("Enforce"),
        integer(
            "priority",
            "Place among the rules; 0 is the first to act. A place beyond the end is the end. Left out, a new rule is the last, and \
             stays where it is. Give `before` instead where only the order counts.",
        )
        .range(0, 9999)
        .filled_by_service()
        .moving(),
        string(
            "before",
            "Name or GUID of a rule that this one must act before. As long as the order holds, nothing is moved.",
        ),
        one_of("rule_error_action", "What happens to mail that the rule fails on: `Ignore` lets it go on, `Defer` tries again.", &["Ignore", "Defer"])
            .filled_text("Ignore"),
        one_of(
            "sender_address_location",
            "Where conditions on the sender look: in the header, in the envelope, or in both.",
            &["Header", "Envelope", "HeaderOrEnvelope"],
        )
        .filled_text("Header"),
        one_of("recipient_address_type", "Which address conditions on the recipient look at.", &["Resolved", "Original"])
            .filled_text("Resolved"),
        string("activation_date", "The rule acts from this moment on.").format("a moment such as `2026-08-21T14:30:00Z`", date).meaning(date_meaning),
        string("expiry_date", "The rule acts until this moment.").format("a moment such as `2026-08-21T14:30:00Z`", date).meaning(date_meaning),
        boolean("stop_rule_processing", "Let no later rule act on mail that this one acted on.").filled(false),
        object("conditions", "Which mail the rule acts on. Left out: on all mail.", PREDICATES).flattened(""),
        object("exceptions", "Which mail the rule leaves alone.", PREDICATES).flattened("ExceptIf"),
        object("actions", "What is done to the mail. At least one.", ACTIONS).required().flattened(""),
    ],
    rules: &[
        Rule::Conflicts(&["before", "priority"]),
        Rule::Hook("At least one action is set.", some_action),
        Rule::Hook("A condition, exception or action that is off is left out, not set to false.", nothing_off),
        Rule::Hook("A warning is given for a rule without conditions: it acts on all mail.", all_mail),
        Rule::Hook("`set_header_name` goes with `set_header_value` or `set_header_value_wo`.", header),
        Rule::Hook("Of each pair of a header's name and what is looked for in it, both are set or none.", header_pairs),
        Rule::Hook("A rule rejects or redirects a message, not both.", one_end),
    ],
    identity: &["id"],
    import: Import::Lookup { about: "the rule's name or GUID", example: "Outbound to Cisco CES" },
    title: "name",
    version: 0,
    timeouts: Timeouts { write: 1200, read: 300 },
};

pub(super) const CMDLETS: Cmdlets = Cmdlets {
    toggle: Some(Toggle { attribute: "enabled", shown: "State" }),
    ordered: true,
    references: &[Reference { attribute: "actions.route_message_outbound_connector", to: "exchange_outbound_connector" }],
    forms: &[
        ("activation_date", Form::Date),
        ("expiry_date", Form::Date),
        ("conditions.attachment_size_over", Form::Size),
        ("exceptions.attachment_size_over", Form::Size),
        ("conditions.message_size_over", Form::Size),
        ("exceptions.message_size_over", Form::Size),
    ],
    quiet: &["recipient_address_type"],
    // What the service fills in beside a setting that was made.
    implied: &[
        Implied {
            attribute: "actions.reject_message_enhanced_status_code",
            text: "5.7.1",
            beside: "actions.reject_message_reason_text",
        },
        Implied {
            attribute: "actions.reject_message_reason_text",
            text: "Delivery not authorized, message refused",
            beside: "actions.reject_message_enhanced_status_code",
        },
        Implied {
            attribute: "actions.apply_html_disclaimer_location",
            text: "Append",
            beside: "actions.apply_html_disclaimer_text",
        },
        Implied {
            attribute: "actions.apply_html_disclaimer_fallback_action",
            text: "Wrap",
            beside: "actions.apply_html_disclaimer_text",
        },
    ],
    ..Cmdlets::of(&RESOURCE, "TransportRule")
};

/// The conditions, which are the exceptions too.
const PREDICATES: &[Attribute] = &[
    recipients("from", "Sent by one of these."),
    recipients("from_member_of", "Sent by a member of one of these groups."),
    one_of("from_scope", "Sent from inside or outside the organization.", &["InOrganization", "NotInOrganization"]),
    words("from_address_contains_words", "The sender's address has one of these words."),
    set("sender_domain_is", "Sent from one of these domains or a domain below.")
        .format("a domain", domain)
        .meaning(domain_meaning),
    set("sender_ip_ranges", "Came to the service from one of these addresses: single, ranges or networks.")
        .format("an address, a range or a network", rule_address)
        .meaning(address_meaning)
        .remote("SenderIpRanges"),
    recipients("sent_to", "Sent to one of these, which are no groups."),
    recipients("sent_to_member_of", "Sent to a member of one of these groups."),
    one_of("sent_to_scope", "Sent to a recipient inside or outside the organization.", &["InOrganization", "NotInOrganization"]),
    words("recipient_address_contains_words", "A recipient's address has one of these words."),
    set("recipient_domain_is", "Sent to one of these domains or a domain below.")
        .format("a domain", domain)
        .meaning(domain_meaning),
    words("subject_contains_words", "The subject has one of these words."),
    set("subject_matches_patterns", "The subject fits one of these regular expressions."),
    words("subject_or_body_contains_words", "The subject or the body has one of these words."),
    set("subject_or_body_matches_patterns", "The subject or the body fits one of these regular expressions."),
    string("header_contains_message_header", "The header that `header_contains_words` looks at.")
        .format("a header's name", header_name)
        .meaning(lower)
        .with(&["header_contains_words"]),
    words("header_contains_words", "The header has one of these words.").with(&["header_contains_message_header"]),
    string("header_matches_message_header", "The header that `header_matches_patterns` looks at.")
        .format("a header's name", header_name)
        .meaning(lower)
        .with(&["header_matches_patterns"]),
    set("header_matches_patterns", "The header fits one of these regular expressions.").with(&["header_matches_message_header"]),
    words("attachment_extension_matches_words", "An attachment's name has one of these extensions."),
    boolean("attachment_has_executable_content", "An attachment is a program."),
    boolean("attachment_is_password_protected", "An attachment is protected by a password."),
    boolean("attachment_is_unsupported", "An attachment cannot be looked into."),
    string("attachment_size_over", "An attachment has this size or more, such as `10 MB`.")
        .format("a number with `B`, `KB`, `MB`, `GB` or `TB`", size)
        .meaning(size_meaning),
    string("message_size_over", "The message has this size or more, such as `10 MB`.")
        .format("a number with `B`, `KB`, `MB`, `GB` or `TB`", size)
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
    integer("scl_over", "The spam confidence level is this or higher.").range(-1, 9),
    one_of("with_importance", "The message is marked with this importance.", &["Low", "Normal", "High"]),
];

const ACTIONS: &[Attribute] = &[
    integer("set_scl", "Set the spam confidence level: -1 goes around spam filtering, 5 and 6 are spam, 9 is certain spam.")
        .range(-1, 9),
    string("set_header_name", "The header that is set to `set_header_value`.")
        .format("a header's name", own_header_name)
        .meaning(lower)
        .with(&["set_header_value"]),
    string("set_header_value", "The value that the header is set to. What it is may be a secret, so it is never shown.")
        .format("one line", one_line)
        .write_only_form()
        .with(&["set_header_name"]),
    string("remove_header", "The header that is removed.").format("a header's name", header_name).meaning(lower),
    string(
        "route_message_outbound_connector",
        "Name of the outbound connector that the message leaves by. It must have `is_transport_rule_scoped`.",
    ),
    boolean("route_message_outbound_require_tls", "Send the message over TLS only."),
    string("prepend_subject", "Text that is put before the subject.").format("one line", one_line),
    string("reject_message_reason_text", "Refuse the message with this reason.")
        .length(1, 1024)
        .with(&["reject_message_enhanced_status_code"]),
    string(
        "reject_message_enhanced_status_code",
        "Refuse the message with this status code: `5.7.1`, or `5.7.900` to `5.7.999`.",
    )
    .format("`5.7.1`, or `5.7.900` to `5.7.999`", reject_code)
    .with(&["reject_message_reason_text"]),
    boolean("delete_message", "Drop the message without a word."),
    boolean("quarantine", "Put the message into quarantine. No later rule acts on it."),
    recipients("redirect_message_to", "Send the message to these instead."),
    recipients("blind_copy_to", "Add these as blind copy recipients."),
    recipients("copy_to", "Add these as copy recipients."),
    recipients("add_to_recipients", "Add these as recipients."),
    recipients("moderate_message_by_user", "Hold the message until one of these approves it."),
    string("apply_html_disclaimer_text", "HTML that is put into the message.")
        .length(1, 5000)
        .with(&["apply_html_disclaimer_location", "apply_html_disclaimer_fallback_action"]),
    one_of("apply_html_disclaimer_location", "Where the HTML goes; left out, at the end.", &["Append", "Prepend"]),
    one_of(
        "apply_html_disclaimer_fallback_action",
        "What is done where the HTML cannot be put in (encrypted mail): put the message into a new one, leave it as it is, or refuse it. \
         Left out, it is put into a new one.",
        &["Wrap", "Ignore", "Reject"],
    ),
    one_of("set_audit_severity", "How severe the rule's reports are.", &["DoNotAudit", "Low", "Medium", "High"]),
];

const fn recipients(name: &'static str, about: &'static str) -> Attribute {
    set(name, about).format("a recipient, best by email address", trimmed).meaning(recipient_meaning)
}

const fn words(name: &'static str, about: &'static str) -> Attribute {
    set(name, about).length(1, 128).format("a word or phrase without a space at either end", trimmed)
}

fn some_action(config: &Record) -> Diagnostics {
    let none = config.at("actions").as_members().is_some_and(|members| members.values().all(Value::is_null));
    if !none {
        return Vec::new();
    }
    vec![
        Diagnostic::error("The rule does nothing", "A rule has at least one action. Set one in `actions`.")
            .at(Path::dotted("actions")),
    ]
}

fn nothing_off(config: &Record) -> Diagnostics {
    let mut found = Vec::new();
    for group in ["conditions", "exceptions", "actions"] {
        let members = config.at(group).as_members().into_iter().flatten();
        for (name, _) in members.filter(|(_, value)| value.as_bool() == Some(false)) {
            found.push(
                Diagnostic::error(
                    "What is off is left out",
                    format!("`{name}` is either true or not there: the service knows no \"false\". Leave it out (null)."),
                )
                .at(Path::dotted(group).attribute(name)),
            );
        }
    }
    found
}

fn all_mail(config: &Record) -> Diagnostics {
    let unconditional = match config.at("conditions") {
        Value::Null => true,
        conditions => conditions.as_members().is_some_and(|members| members.values().all(Value::is_null)),
    };
    if !unconditional || is_true(config, "enabled", true) != Some(true) {
        return Vec::new();
    }
    vec![
        Diagnostic::warning(
            "The rule acts on all mail",
            "It has no `conditions`, so it acts on every message that no exception fits.",
        )
        .at(Path::dotted("conditions")),
    ]
}

fn header(config: &Record) -> Diagnostics {
    let name = is_written(config, "actions.set_header_name");
    let values = [is_written(config, "actions.set_header_value"), is_written(config, "actions.set_header_value_wo")];
    if config.at("actions").is_unknown() {
        return Vec::new();
    }
    if name == Some(true) && values == [Some(false), Some(false)] {
        return vec![
            Diagnostic::error(
                "The header has no value",
                "`set_header_name` needs `set_header_value`, or `set_header_value_wo` to keep it out of the state.",
            )
            .at(Path::dotted("actions.set_header_value")),
        ];
    }
    if name == Some(false) && values.contains(&Some(true)) {
        return vec![
            Diagnostic::error("The header has no name", "A header's value needs `set_header_name`.")
                .at(Path::dotted("actions.set_header_name")),
        ];
    }
    Vec::new()
}

fn header_pairs(config: &Record) -> Diagnostics {
    let mut found = Vec::new();
    for group in ["conditions", "exceptions"] {
        for (header, content) in [
            ("header_contains_message_header", "header_contains_words"),
            ("header_matches_message_header", "header_matches_patterns"),
        ] {
            let [one, other] = [header, content].map(|name| is_written(config, &format!("{group}.{name}")));
            let missing = match (one, other) {
                (Some(true), Some(false)) => content,
                (Some(false), Some(true)) => header,
                _ => continue,
            };
            found.push(
                Diagnostic::error("Half a condition", format!("`{header}` and `{content}` go together: `{missing}` is missing."))
                    .at(Path::dotted(group).attribute(missing)),
            );
        }
    }
    found
}

fn one_end(config: &Record) -> Diagnostics {
    let rejects = ["actions.reject_message_reason_text", "actions.reject_message_enhanced_status_code"]
        .iter()
        .any(|name| is_written(config, name) == Some(true));
    if !rejects || is_written(config, "actions.redirect_message_to") != Some(true) {
        return Vec::new();
    }
    vec![
        Diagnostic::error("Two ends of one message", "A rule rejects a message or redirects it. Make two rules.")
            .at(Path::dotted("actions.redirect_message_to")),
    ]
}
