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

mod actions;
mod checks;
mod limits;
mod predicates;
mod sections;

use self::actions::ACTIONS;
use self::predicates::PREDICATES;
use self::sections::SECTIONS;
use crate::exchange::cmdlet::{Cmdlets, Form, Reference, Tells, Toggle};
use crate::exchange::forms::{RECIPIENT, date, date_meaning, lower, one_line, recipient_meaning, trimmed};
use crate::exchange::resources::UNMANAGED;
use crate::schema::{Attribute, Clearing, Import, Resource, Rule, Timeouts, block, boolean, integer, one_of, set, string};

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
        string("comments", "Remark for administrators.").length(1, 1024).lines().format("one line", one_line).cleared_by(Clearing::EmptyText),
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
             stays where it is. Give `before` or `after` instead where only the order counts, or put all in one \
             `mailflow_exchange_transport_rule_order`.",
        )
        .range(0, 9999)
        .filled_by_service()
        .moved_by(&["priority", "before", "after"]),
        string(
            "before",
            "Name or GUID of a rule that this one must act before. As long as the order holds, nothing is moved.",
        )
        .refers_to("exchange_transport_rule", &[]),
        string(
            "after",
            "Name or GUID of a rule that this one must act after. As long as the order holds, nothing is moved.",
        )
        .refers_to("exchange_transport_rule", &[]),
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
        block("conditions", "Which mail the rule acts on. Without the block: on all mail.", PREDICATES).flattened(""),
        block("exceptions", "Which mail the rule leaves alone.", PREDICATES).flattened("ExceptIf"),
        block("actions", "What is done to the mail. At least one argument, or `stop_rule_processing = true`.", ACTIONS).flattened(""),
        UNMANAGED,
    ],
    rules: &[
        Rule::Conflicts(&["before", "priority"]),
        Rule::Conflicts(&["after", "priority"]),
        Rule::Requires("actions.remove_rms_attachment_encryption", "actions.remove_ome_v2"),
        Rule::Requires("actions.incident_report_content", "actions.generate_incident_report"),
        Rule::Requires("actions.apply_html_disclaimer_location", "actions.apply_html_disclaimer_text"),
        Rule::Requires("actions.apply_html_disclaimer_fallback_action", "actions.apply_html_disclaimer_text"),
        Rule::Hook("At least one action is set, or `stop_rule_processing` is true.", checks::some_action),
        Rule::Hook("A condition, exception or action that is off is left out, not set to false.", checks::nothing_off),
        Rule::Hook(
            "A `conditions` block in which nothing is set is refused.",
            checks::no_empty_conditions,
        ),
        Rule::Advice("A rule without conditions acts on all mail, which is a warning.", checks::all_mail),
        Rule::Hook("`set_header_name` goes with `set_header_value` or `set_header_value_wo`.", checks::header),
        Rule::Hook("Of each pair of conditions that only make sense together, both are set or none.", checks::pairs),
        Rule::Hook("Regular expressions of one list that differ in case only are refused: the service keeps one of them.", checks::patterns_apart),
        Rule::Hook("A rule rejects or redirects a message, not both.", checks::one_end),
        Rule::Hook("All texts of a rule have at most 8192 characters together.", limits::not_too_long),
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
    beside: Some(limits::beside),
    across: super::across::OF_RULES,
    sections: SECTIONS,
    tells: Some(Tells {
        facts: checks::stamps,
        warning: checks::not_demanded,
        refused: checks::not_accepted,
        unjudged: checks::unjudged,
    }),
    ..Cmdlets::of(&RESOURCE, "TransportRule")
};

const fn recipients(name: &'static str, about: &'static str) -> Attribute {
    set(name, about).format(RECIPIENT, trimmed).meaning(recipient_meaning)
}

const fn words(name: &'static str, about: &'static str) -> Attribute {
    set(name, about).length(1, 128).format("a word or phrase without a space at either end", trimmed).meaning(lower)
}

const fn patterns(name: &'static str, about: &'static str) -> Attribute {
    set(name, about).length(1, usize::MAX).format("one line", one_line)
}
