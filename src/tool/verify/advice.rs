//! What to look at when a rung fails: settings by the names of their attributes.

use super::ladder::{Refused, Stage, State, Traced, What};

/// A setting, and why it is worth a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    /// Resource and attribute: `mailflow_gateway_recipient_access.action`. Empty where it is none of the provider's.
    pub(super) setting: &'static str,
    /// Why.
    pub(super) why: &'static str,
}

const fn look(setting: &'static str, why: &'static str) -> Look {
    Look { setting, why }
}

const ADDRESS: &[Look] = &[look("", "name the listener with --smtp HOST:PORT")];
const CONNECT: &[Look] = &[
    look(
        "",
        "a firewall on the way, or a listener that is suspended or listens elsewhere (data source mailflow_gateway_listeners)",
    ),
    look("", "another address: --smtp HOST:PORT"),
];
const GREETING: &[Look] = &[
    look("mailflow_gateway_sender_group.policy", "the group that this machine's address falls into, and its policy"),
    look("mailflow_gateway_mail_flow_policy.behavior", "`reject` and `tcp_refuse` take no mail"),
];
const TLS: &[Look] = &[
    look("mailflow_gateway_tls_settings.inbound_methods", "the versions of TLS that the gateway takes"),
    look("mailflow_gateway_tls_settings.inbound_ciphers", "the ciphers that the gateway takes"),
];
const TLS_REQUIRED: &[Look] = &[look("mailflow_gateway_mail_flow_policy.tls", "`required` refuses mail without TLS")];
const SENDER: &[Look] = &[
    look(
        "mailflow_gateway_sender_group.policy",
        "the group that this machine's address falls into: a server may refuse it only now",
    ),
    look("mailflow_gateway_mail_flow_policy.behavior", "the policy for this machine's address, and its verification of senders"),
    look("", "another envelope sender: --from ADDRESS"),
];
const RECIPIENT: &[Look] = &[
    look("mailflow_gateway_recipient_access.action", "the listener must accept the domain of the recipient"),
    look("mailflow_gateway_recipient_access.listener", "the entry must be on the listener that takes inbound mail"),
];
const CONTENT: &[Look] =
    &[look("mailflow_gateway_mail_flow_policy.max_message_size", "the size of messages that the policy takes")];

/// Nothing more to look at than the server's own words.
const LATER: &[Look] = &[look("", "the server asks to come again later: run this again")];

pub(super) const PAST_THE_GATEWAY: &[Look] = &[
    look("", "the MX records: they must lead to the gateway (data source mailflow_dns_mx)"),
    look(
        "mailflow_exchange_inbound_connector.restrict_domains_to_ip_addresses",
        "without it, the tenant takes mail past the gateway",
    ),
];

pub(super) const NO_MAILBOX: &[Look] = &[look("", "--from must be a mailbox of the tenant")];

/// The gateway took the message and did not deliver it.
pub(super) const UNDELIVERED: &[Look] = &[
    look("mailflow_gateway_smtp_route.destination", "the host that mail for the recipient's domain is handed to"),
    look("mailflow_gateway_destination_control.tls", "`required` delivers over TLS only"),
    look("mailflow_exchange_inbound_connector.sender_ip_addresses", "for the tenant: the addresses that the gateway sends from"),
];

const STOPPED_INBOUND: &[Look] = &[
    look("mailflow_gateway_message_filter.script", "a filter that acts on inbound mail, too"),
    look("", "the gateway's mail policies and quarantines"),
];
const STOPPED_OUTBOUND: &[Look] = &[
    look("mailflow_gateway_message_filter.script", "the filter accepts another secret than the rule sends"),
    look("mailflow_exchange_transport_rule.actions.set_header_name", "the header that the filter looks for"),
    look("mailflow_exchange_transport_rule.actions.set_header_value", "the secret that the filter looks for"),
];

const TRACKING_EMPTY_INBOUND: &[Look] = &[
    look("", "gateway.api of the provider: it must name the gateway that took the message, or its Secure Email and Web Manager"),
    look("", "--wait: message tracking may be late"),
];
const TRACKING_EMPTY_OUTBOUND: &[Look] = &[
    look(
        "mailflow_exchange_transport_rule.actions.route_message_outbound_connector",
        "without the rule, mail goes past the gateway",
    ),
    look("mailflow_exchange_transport_rule.conditions", "the rule must take mail from inside to outside"),
    look("mailflow_exchange_outbound_connector.smart_hosts", "the connector must lead to the gateway"),
    look("", "gateway.api of the provider: it must name the gateway that mail goes out by"),
];
const TRACE_EMPTY_INBOUND: &[Look] = &[
    look("mailflow_gateway_smtp_route.destination", "the route must lead to the tenant's MX host"),
    look("mailflow_exchange_accepted_domain.domain_type", "the tenant must take mail for the domain"),
    look("", "--wait: message trace may be minutes late"),
];
const TRACE_EMPTY_OUTBOUND: &[Look] =
    &[look("", "was the message sent, with the token in its subject? Message trace may be minutes late: --wait")];

const TENANT_INBOUND: &[Look] = &[
    look("mailflow_exchange_inbound_connector.sender_ip_addresses", "the addresses that the gateway sends from"),
    look("mailflow_exchange_inbound_connector.require_tls", "it refuses mail that does not come over TLS"),
    look("mailflow_gateway_destination_control.tls", "the gateway must deliver over TLS then"),
];
const TENANT_SPAM: &[Look] = &[
    look("mailflow_exchange_transport_rule.actions.set_scl", "-1 goes around spam filtering for the gateway's addresses"),
    look("mailflow_exchange_transport_rule.conditions.sender_ip_ranges", "the gateway's addresses"),
    look("mailflow_exchange_inbound_connector.ef_skip_ips", "Enhanced Filtering: the gateway's addresses are looked behind"),
];
const TENANT_OUTBOUND: &[Look] = &[
    look("mailflow_exchange_outbound_connector.smart_hosts", "the connector must lead to the gateway"),
    look("mailflow_exchange_outbound_connector.tls_settings", "TLS that the gateway can do"),
    look(
        "mailflow_gateway_sender_group.senders",
        "the group must have .protection.outlook.com on the listener that takes outbound mail",
    ),
    look("mailflow_gateway_mail_flow_policy.behavior", "the group's policy must `relay`"),
    look("mailflow_gateway_mail_flow_policy.tls", "`none` offers no TLS to the tenant"),
];

const FOREIGN: &[Look] = &[
    look("mailflow_gateway_message_filter.script", "the filter must drop mail of the group that lacks the secret"),
    look("mailflow_gateway_message_filter.active", "the filter must be active"),
    look("mailflow_gateway_sender_group.guarded_by", "the group must name the filter that guards it"),
];

/// How bad a refusal is, and what to look at.
pub(super) fn refused(refused: &Refused) -> (State, &'static [Look]) {
    let about_tls = refused.code == Some(530) || refused.words.to_lowercase().contains("starttls");
    if refused.stage == Stage::Address {
        return (State::Unjudged, ADDRESS);
    }
    if refused.code.is_some_and(|code| (400..500).contains(&code))
        && !(about_tls || refused.code == Some(421) && refused.stage == Stage::Greeting)
    {
        return (State::Unjudged, LATER);
    }
    let look_at = match refused.stage {
        Stage::Address => ADDRESS,
        Stage::Connect => CONNECT,
        Stage::Tls => TLS,
        _ if about_tls => TLS_REQUIRED,
        Stage::Greeting => GREETING,
        Stage::Sender => SENDER,
        Stage::Recipient => RECIPIENT,
        Stage::Content => CONTENT,
    };
    (State::Failed, look_at)
}

/// The gateway dropped the message, or keeps it.
pub(super) fn stopped_by_gateway(what: What) -> &'static [Look] {
    if what == What::Outbound { STOPPED_OUTBOUND } else { STOPPED_INBOUND }
}

/// The message never showed up, in message tracking or in message trace.
pub(super) fn not_seen(what: What, by_tracking: bool) -> &'static [Look] {
    match (what, by_tracking) {
        (What::Outbound, true) => TRACKING_EMPTY_OUTBOUND,
        (What::Outbound, false) => TRACE_EMPTY_OUTBOUND,
        (_, true) => TRACKING_EMPTY_INBOUND,
        (_, false) => TRACE_EMPTY_INBOUND,
    }
}

/// The tenant has the message in this status.
pub(super) fn by_tenant(what: What, status: &str) -> &'static [Look] {
    let status = status.to_lowercase();
    match what {
        What::Outbound => TENANT_OUTBOUND,
        _ if status.contains("spam") || status.contains("quarantin") => TENANT_SPAM,
        _ => TENANT_INBOUND,
    }
}

/// What the gateway would do with another tenant's mail.
pub(super) fn foreign(traced: &Traced) -> (State, String, &'static [Look]) {
    let group = if traced.sender_group.is_empty() {
        "no sender group".to_owned()
    } else {
        format!("sender group {}", traced.sender_group)
    };
    let filter = match &traced.filter {
        Some((name, action)) => format!(", by the filter {name} ({action})"),
        None => String::new(),
    };
    let machine = traced.machine.as_ref().map_or_else(String::new, |machine| format!(", on the machine {machine}"));
    let words = format!("{}: {group}, policy behavior {}{filter}{machine}", traced.outcome, traced.behavior);
    match (traced.outcome.as_str(), traced.behavior.as_str()) {
        ("dropped" | "rejected" | "bounced", _) => (State::Held, words, &[]),
        // The listener takes it as mail for its own domains, as it does from anybody.
        ("enqueued", "accept") => (State::Held, format!("{words}; taken as inbound mail, not relayed"), &[]),
        _ => (State::Failed, words, FOREIGN),
    }
}

/// Everything that can be looked at.
#[cfg(test)]
pub(super) fn all() -> Vec<Look> {
    [
        ADDRESS,
        CONNECT,
        GREETING,
        TLS,
        TLS_REQUIRED,
        SENDER,
        RECIPIENT,
        CONTENT,
        LATER,
        PAST_THE_GATEWAY,
        NO_MAILBOX,
        UNDELIVERED,
        STOPPED_INBOUND,
        STOPPED_OUTBOUND,
        TRACKING_EMPTY_INBOUND,
        TRACKING_EMPTY_OUTBOUND,
        TRACE_EMPTY_INBOUND,
        TRACE_EMPTY_OUTBOUND,
        TENANT_INBOUND,
        TENANT_SPAM,
        TENANT_OUTBOUND,
        FOREIGN,
    ]
    .concat()
}
