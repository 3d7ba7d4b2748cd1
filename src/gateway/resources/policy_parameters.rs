//! The parameters of mail flow policies and of a listener's Default Policy Parameters, said once for both.
//!
//! Each has a line in [`PARAMETERS`]: the attribute, the key under which the host access table prints it, and the question that sets it. Ten
//! keys stand in Cisco's printed tables, and nine in the XML configuration (`hat_default_…`); the rest is assumed by the same rule. The
//! questions are known by their subject only, and which of them are asked depends on release, feature keys and earlier answers.

use super::{forms, plain};
use crate::schema::{Attribute, Record, Rule, boolean, integer, keyword, string};
use crate::value::{Diagnostic, Diagnostics, Path, Value};

const MOST: i64 = i32::MAX as i64;
const MODES: &[&str] = &["none", "preferred", "required"];

/// A parameter.
#[derive(Debug)]
pub(in crate::gateway) struct Parameter {
    /// The attribute, as a policy has it.
    pub(in crate::gateway) attribute: Attribute,
    /// The keys under which the host access table prints it, the likeliest first.
    pub(in crate::gateway) keys: &'static [&'static str],
    /// Words of its question, which also stand in its label where defaults are printed.
    pub(in crate::gateway) words: &'static str,
    /// How it is asked.
    pub(in crate::gateway) ask: Ask,
}

/// How a parameter is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::gateway) enum Ask {
    /// For a number.
    Number,
    /// For a number, behind a yes/no question with these words, which is answered no for this number, or where there is none.
    Limit {
        /// The words of the question before it.
        gate: &'static str,
        /// The number that "no" stands for.
        off: Option<i64>,
    },
    /// Yes or no.
    Switch,
    /// No, preferred or required, from a list.
    Mode,
    /// For a name, behind a yes/no question with these words.
    Name {
        /// The words of the question before it.
        gate: &'static str,
    },
    /// For the code of a response, behind a yes/no question; the text comes with it.
    Code,
    /// For the text of a response, behind a yes/no question with these words.
    Text {
        /// The words of the question before it.
        gate: &'static str,
        /// The attribute of its code.
        code: &'static str,
        /// The code that is standard.
        standard: i64,
    },
}

impl Parameter {
    /// The name of the attribute.
    pub(in crate::gateway) const fn name(&self) -> &'static str {
        self.attribute.name
    }

    /// Whether its question has no answer that gives it back to the listener's default: the default's own value must be answered.
    pub(super) fn is_choice(&self) -> bool {
        matches!(self.ask, Ask::Switch | Ask::Mode)
    }
}

const fn line(attribute: Attribute, keys: &'static [&'static str], words: &'static str, ask: Ask) -> Parameter {
    Parameter { attribute, keys, words, ask }
}

const fn text(name: &'static str, about: &'static str) -> Attribute {
    string(name, about).length(1, 500).format("one line of text", forms::one_line)
}

/// All parameters, in the order in which their questions must be told apart ("invalid recipients per hour" is no "recipients per hour").
pub(in crate::gateway) const PARAMETERS: &[Parameter] = &[
    line(
        keyword("tls", "Encryption and Authentication: TLS. `preferred` offers it, `required` refuses senders that do not use it.", MODES),
        &["tls"],
        "tls",
        Ask::Mode,
    ),
    line(
        integer("max_message_size", "Max. Message Size, in bytes.").range(1, i64::MAX),
        &["max_message_size"],
        "message size",
        Ask::Number,
    ),
    line(
        integer("max_concurrency", "Max. Concurrent Connections From a Single IP.").range(1, MOST),
        &["max_concurrency"],
        "concurrent connections",
        Ask::Number,
    ),
    line(
        integer("max_msgs_per_session", "Max. Messages Per Connection.").range(1, MOST),
        &["max_msgs_per_session"],
        "messages connection",
        Ask::Number,
    ),
    line(
        integer("max_rcpts_per_msg", "Max. Recipients Per Message.").range(1, MOST),
        &["max_rcpts_per_msg"],
        "recipients message",
        Ask::Number,
    ),
    line(
        integer("dhap_limit", "Directory Harvest Attack Prevention: Max. Invalid Recipients Per Hour, from one address; 0 is no limit.").range(0, MOST),
        &["dhap_limit"],
        "invalid recipients",
        Ask::Limit { gate: "directory harvest", off: Some(0) },
    ),
    line(
        integer("max_rcpts_per_hour", "Rate Limit for Hosts: Max. Recipients Per Hour, from one address; -1 is no limit.").range(-1, MOST),
        &["max_rcpts_per_hour"],
        "recipients hour",
        Ask::Limit { gate: "rate limiting", off: Some(-1) },
    ),
    line(
        integer("max_rcpts_per_hour_code", "Rate Limit for Hosts: the code of the response when the limit is exceeded.").range(200, 599),
        &["max_rcpts_per_hour_code"],
        "limit code",
        Ask::Code,
    ),
    line(
        text("max_rcpts_per_hour_text", "Rate Limit for Hosts: the text of the response when the limit is exceeded."),
        &["max_rcpts_per_hour_text"],
        "limit response",
        Ask::Text { gate: "custom limit response", code: "max_rcpts_per_hour_code", standard: 452 },
    ),
    line(
        integer("smtp_banner_code", "Custom SMTP Banner Code: the code with which a connection is accepted.").range(200, 599),
        &["smtp_banner_code"],
        "acceptance code",
        Ask::Code,
    ),
    line(
        text("smtp_banner_text", "Custom SMTP Banner Text: the text with which a connection is accepted."),
        &["smtp_banner_text"],
        "acceptance response",
        Ask::Text { gate: "custom acceptance response", code: "smtp_banner_code", standard: 220 },
    ),
    line(
        integer("reject_banner_code", "Custom SMTP Reject Banner Code: the code with which a connection is rejected.").range(200, 599),
        &["reject_banner_code"],
        "rejection code",
        Ask::Code,
    ),
    line(
        text("reject_banner_text", "Custom SMTP Reject Banner Text: the text with which a connection is rejected."),
        &["reject_banner_text"],
        "rejection response",
        Ask::Text { gate: "custom rejection response", code: "reject_banner_code", standard: 554 },
    ),
    line(
        string("override_hostname", "Override SMTP Banner Hostname: the host name that the banner shows.")
            .length(1, 253)
            .format("a host name", forms::host_name),
        &["override_hostname"],
        "override hostname",
        Ask::Name { gate: "override hostname" },
    ),
    line(
        boolean("use_sb", "Use SenderBase for Flow Control: whether the sender's reputation is asked for."),
        &["use_sb"],
        "senderbase",
        Ask::Switch,
    ),
    line(
        integer(
            "sig_bits",
            "Group by Similarity of IP Addresses: how many significant bits addresses share that are counted as one. Only without \
             SenderBase for flow control.",
        )
        .range(0, 32),
        &["sig_bits", "significant_bits", "ip_significant_bits"],
        "significant",
        Ask::Limit { gate: "similar", off: None },
    ),
    line(
        boolean("spam_check", "Spam Detection: whether mail is scanned for spam."),
        &["spam_check"],
        "spam",
        Ask::Switch,
    ),
    line(
        boolean("virus_check", "Virus Protection: whether mail is scanned for viruses."),
        &["virus_check"],
        "virus",
        Ask::Switch,
    ),
    line(
        keyword("smtpauth_allow", "SMTP Authentication. `preferred` offers it, `required` refuses senders that do not use it.", MODES),
        &["smtpauth_allow"],
        "smtp authentication",
        Ask::Mode,
    ),
    line(
        boolean("smtpauth_requiretls", "Require TLS To Offer SMTP Authentication. Without SMTP authentication, it is not asked for."),
        &["smtpauth_requiretls"],
        "require tls authentication",
        Ask::Switch,
    ),
    line(
        boolean("dkim_signing", "Domain Key/DKIM Signing: whether mail is signed."),
        &["dkim_signing"],
        "signing",
        Ask::Switch,
    ),
    line(
        boolean("dkim_verification", "DKIM Verification: whether signatures are verified, by the profile that is chosen on the gateway."),
        &["dkim_verification"],
        "dkim verification",
        Ask::Switch,
    ),
    line(
        boolean("spf_verification", "SPF/SIDF Verification: whether senders are verified, with the details that are set on the gateway."),
        &["spf_verification"],
        "spf verification",
        Ask::Switch,
    ),
    line(
        boolean("dmarc_verification", "DMARC Verification: whether policies of senders are followed, by the profile that is chosen on the gateway."),
        &["dmarc_verification"],
        "dmarc verification",
        Ask::Switch,
    ),
    line(
        boolean("sender_verification", "Envelope Sender DNS Verification: whether the domain of the envelope sender must exist."),
        &["sender_verification", "envelope_sender_verification"],
        "sender verification",
        Ask::Switch,
    ),
    line(
        boolean("domain_exception_table", "Use Sender Verification Exception Table: whether the domains in it are exempt from sender verification."),
        &["domain_exception_table", "exception_table"],
        "exception table",
        Ask::Switch,
    ),
    line(
        boolean("accept_untagged_bounces", "Consider Untagged Bounces to be Valid: whether bounces without the tag of Bounce Verification are taken."),
        &["accept_untagged_bounces"],
        "untagged bounces",
        Ask::Switch,
    ),
];

/// The attributes of a resource that has some of its own and all parameters: `A + PARAMETERS.len()` are `N`.
pub(super) const fn attributes<const A: usize, const N: usize>(own: [Attribute; A], filled: bool) -> [Attribute; N] {
    let mut all = [own[0]; N];
    let mut index = 0;
    while index < N {
        all[index] = match index {
            index if index < A => own[index],
            index if filled => PARAMETERS[index - A].attribute.filled_by_service(),
            index => PARAMETERS[index - A].attribute.inherited("the listener's default"),
        };
        index += 1;
    }
    all
}

/// What must hold between parameters.
pub(super) const RULES: [Rule; 4] = [
    Rule::Together(&["smtp_banner_code", "smtp_banner_text"]),
    Rule::Together(&["reject_banner_code", "reject_banner_text"]),
    Rule::Together(&["max_rcpts_per_hour_code", "max_rcpts_per_hour_text"]),
    Rule::Hook(
        "`max_rcpts_per_hour` is not 0, which would let nothing in; there is a response to its excess only where there is a limit; \
         `sig_bits` only without `use_sb`; `smtpauth_requiretls` only with SMTP authentication.",
        fit,
    ),
];

fn fit(config: &Record) -> Diagnostics {
    let mut found = Vec::new();
    let mut wrong = |name: &str, summary: String, detail: &str| {
        found.push(Diagnostic::error(summary, detail).at(Path::root().attribute(name)));
    };
    if config.integer("max_rcpts_per_hour") == Some(0) {
        let detail = "A limit of 0 recipients per hour lets nothing in. Write -1 for no limit, or the behavior \"reject\".";
        wrong("max_rcpts_per_hour", "max_rcpts_per_hour is 0".to_owned(), detail);
    }
    let limit = config.get("max_rcpts_per_hour");
    if !config.get("max_rcpts_per_hour_text").is_null() && (limit.is_null() || config.integer("max_rcpts_per_hour") == Some(-1)) {
        let detail = "The gateway asks for the response to a limit that is exceeded only where there is a limit: set \"max_rcpts_per_hour\".";
        wrong("max_rcpts_per_hour_text", "max_rcpts_per_hour_text has no limit".to_owned(), detail);
    }
    if !config.get("sig_bits").is_null() && config.truth("use_sb") == Some(true) {
        let detail = "Addresses are grouped by similarity only where SenderBase is not used: set \"use_sb\" to false.";
        wrong("sig_bits", "sig_bits has no effect with use_sb".to_owned(), detail);
    }
    if config.truth("smtpauth_requiretls") == Some(true) && config.text("smtpauth_allow") == Some("none") {
        let detail = "Nothing is asked about TLS for SMTP authentication where there is none: leave it out.";
        wrong("smtpauth_requiretls", "smtpauth_requiretls has no effect without SMTP authentication".to_owned(), detail);
    }
    found
}

/// Tells whether a parameter means nothing beside the others, so that the dialog does not ask for it and what stands of it does not count.
/// `setting` gives what holds for a parameter.
pub(in crate::gateway) fn is_idle<'a>(name: &str, setting: impl Fn(&str) -> &'a Value) -> bool {
    match name {
        "max_rcpts_per_hour_code" | "max_rcpts_per_hour_text" => {
            setting("max_rcpts_per_hour").as_integer().is_some_and(|limit| limit <= 0)
        }
        "smtpauth_requiretls" => setting("smtpauth_allow").as_text() == Some("none"),
        "sig_bits" => setting("use_sb") == &Value::Bool(true),
        _ => false,
    }
}

/// The mode that a label names.
pub(in crate::gateway) fn mode(label: &str) -> Option<&'static str> {
    match plain(label).as_str() {
        "no" | "off" | "none" | "disabled" | "0" => Some("none"),
        "preferred" | "on" | "pref" | "yes" | "1" => Some("preferred"),
        "required" | "require" | "req" | "mandatory" | "2" => Some("required"),
        _ => None,
    }
}

/// Stands in [`Row::resource`](crate::gateway::table::Row) for a listener's default policy parameters.
pub(in crate::gateway) const DEFAULTS: &str = "gateway_listener_defaults";

/// Brings what a table prints of a policy to what it means: no override where it says so, a response with its code and its text or none.
pub(in crate::gateway) fn meant(mut record: Record) -> Record {
    for parameter in PARAMETERS {
        if let Ask::Text { code, standard, .. } = parameter.ask {
            if record.text(parameter.name()).is_none_or(str::is_empty) {
                record.set(code, Value::Null);
                record.set(parameter.name(), Value::Null);
            } else if record.get(code).is_null() {
                record.set(code, standard);
            }
        }
    }
    record
}
