//! The listener's default policy parameters, as releases print them above the menu of the host access table.

use super::super::labels::{self, Words, words};
use super::super::{announced, foreign, is_noise, lines, unquote};
use crate::gateway::resources::policy_parameters::{Ask, PARAMETERS, Parameter, mode};
use crate::schema::Record;
use crate::value::Value;

/// The listener's default policy parameters, which releases print above the menu: `Maximum Message Size: 10M`, and what of them no attribute
/// knows. What else is printed on the way to the menu is about the listener, in the same words, and does not count. Nothing where none are printed.
pub(super) fn defaults(printed: &[String]) -> Option<(Record, Vec<String>)> {
    let (_, before) = printed.split_last()?;
    let (mut found, mut foreign, mut is_printed) = (Record::new(), Vec::new(), false);
    for text in before {
        let block = lines(text).skip_while(|line| !is_title(line)).skip(1).take_while(|line| announced(line).is_none());
        for line in block.filter(|line| !is_noise(line)) {
            is_printed = true;
            let Some((label, value)) = super::super::label(line) else {
                foreign.extend(foreign::line(line));
                continue;
            };
            let Some(parameter) = labelled(label) else {
                foreign.extend(foreign::line(line.trim()));
                continue;
            };
            if found.get(parameter.name()).is_null()
                && let Some(value) = default(parameter, value)
            {
                found.set(parameter.name(), value);
            }
        }
    }
    is_printed.then_some((found, foreign))
}

pub(super) fn is_title(line: &str) -> bool {
    line.trim().to_lowercase().starts_with("default policy parameters")
}

/// The labels, as the admin manual (9.1.2, table "Mail Flow Policy Parameters", p. 7-16 to 7-20), `trace` and the command line have them.
/// What has a word of another parameter in it is that one's, whether it is managed here or not: "S/MIME Public Key Harvesting" is no
/// "Directory Harvest Attack Prevention".
const LABELS: &[Words<&str>] = &[
    words("tls", &[&["tls"]], &["connections", "encrypted", "encryption"]),
    words("max_message_size", &[&["message", "size"]], &[]),
    words(
        "max_concurrency",
        &[&["concurrent", "connections"], &["connections", "single", "ip"]],
        &["concurrent", "connections", "single", "ip", "address"],
    ),
    words("max_msgs_per_session", &[&["messages", "connection"], &["messages", "session"]], &[]),
    words("max_rcpts_per_msg", &[&["recipients", "message"]], &[]),
    words(
        "dhap_limit",
        &[&["invalid", "recipients"], &["directory", "harvest"], &["dhap"]],
        &["invalid", "recipients", "hour", "directory", "harvest", "attack", "prevention", "dhap", "limit", "remote", "host"],
    ),
    words("max_rcpts_per_hour", &[&["recipients", "hour"]], &["host", "hosts", "remote", "rate", "limit"]),
    words("override_hostname", &[&["override", "hostname"], &["override", "host", "name"]], &["smtp", "banner"]),
    words("use_sb", &[&["senderbase"]], &["flow", "control"]),
    words(
        "sig_bits",
        &[&["significant"], &["similarity"]],
        &["significant", "similarity", "bits", "group", "hosts", "ip", "addresses"],
    ),
    words("spam_check", &[&["spam"]], &["detection", "anti", "scanning", "check", "protection"]),
    words("virus_check", &[&["virus"]], &["detection", "anti", "scanning", "check", "protection"]),
    words("smtpauth_allow", &[&["smtp", "authentication"]], &[]),
    words("smtpauth_requiretls", &[&["require", "tls", "authentication"]], &["smtp", "offer"]),
    words(
        "dkim_signing",
        &[&["dkim", "signing"], &["domainkeys", "signing"]],
        &["dkim", "domainkeys", "domain", "key", "keys", "signing"],
    ),
    words("dkim_verification", &[&["dkim", "verification"]], &[]),
    words("spf_verification", &[&["spf", "verification"], &["sidf", "verification"]], &["spf", "sidf"]),
    words("dmarc_verification", &[&["dmarc", "verification"]], &[]),
    words("sender_verification", &[&["sender", "verification"]], &["envelope", "dns"]),
    words("domain_exception_table", &[&["exception", "table"]], &["sender", "verification", "domain"]),
    words("accept_untagged_bounces", &[&["untagged", "bounces"]], &["accept", "consider", "valid"]),
];

/// The parameter that a label is about.
fn labelled(label: &str) -> Option<&'static Parameter> {
    let name = labels::field(LABELS, label)?;
    PARAMETERS.iter().find(|parameter| parameter.name() == name)
}

/// A default as it is printed.
fn default(parameter: &Parameter, value: &str) -> Option<Value> {
    match parameter.ask {
        Ask::Number => limit(value).map(Value::integer),
        // "Disabled" is the number that stands for no limit.
        Ask::Limit { off, .. } if ["no", "off"].iter().any(|word| value.trim().eq_ignore_ascii_case(word)) => {
            off.map(Value::integer)
        }
        Ask::Limit { off, .. } => limit(value).and_then(|limit| if limit < 0 { off } else { Some(limit) }).map(Value::integer),
        Ask::Switch => super::super::truth(value).map(Value::Bool),
        Ask::Mode => mode(value).map(Value::text),
        Ask::Name { .. } => super::super::truth(value).is_none().then(|| Value::text(unquote(value))),
        Ask::Code | Ask::Text { .. } => None,
    }
}

/// A limit as it is printed: `10M`, `5,000`, `Disabled`.
fn limit(text: &str) -> Option<i64> {
    let text = text.trim().replace(',', "");
    if ["disabled", "unlimited", "no limit", "none"].iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return Some(-1);
    }
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    let factor = match text.get(digits.len()..)?.trim().to_ascii_lowercase().as_str() {
        "" | "bytes" => 1,
        "k" | "kb" => 1 << 10,
        "m" | "mb" => 1 << 20,
        "g" | "gb" => 1 << 30,
        _ => return None,
    };
    digits.parse::<i64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_parameters_above_the_menu_are_read_by_their_labels() {
        let above = "Default Policy Parameters\n=====\nMaximum Message Size: 10M\nMaximum Number Of Messages Per Connection: 1,000\n\
                     Maximum Number Of Recipients Per Hour: Disabled\nSpam Detection Enabled: Yes\nAllow TLS Connections: Preferred\n";
        let (read, foreign) = defaults(&[above.to_owned(), String::new()]).expect("there are some");
        assert_eq!(foreign, Vec::<String>::new());
        assert_eq!(read.integer("max_message_size"), Some(10 << 20));
        assert_eq!(read.integer("max_msgs_per_session"), Some(1000));
        assert_eq!(read.integer("max_rcpts_per_hour"), Some(-1));
        assert_eq!(read.truth("spam_check"), Some(true));
        assert_eq!(read.text("tls"), Some("preferred"));
        assert_eq!(defaults(&["There are currently 4 policies defined.".to_owned(), String::new()]), None);
    }

    #[test]
    fn the_default_parameters_are_told_from_the_summary_of_the_listener_and_from_each_other() {
        let summary = "Name: In\nMax Concurrent Connections: 50\nTLS: Required\nSMTP Authentication: Required\n\
                       Use SenderBase For Reputation Filters and IP Profiling: Yes\n";
        assert_eq!(defaults(&[summary.to_owned(), String::new()]), None);
        let above = "Default Policy Parameters\n=====\nDirectory Harvest Attack Prevention: Disabled\n\
                     Maximum Number of Recipients per Envelope Sender: 7\nMaximum Number Of Recipients Per Hour: 8\n\
                     Allow SMTP Authentication: Preferred\nRequire TLS To Offer SMTP authentication: Yes\nAllow TLS Connections: No\n\
                     S/MIME Signing Enabled: Yes\nDKIM/DomainKeys Signing Enabled: No\nDKIM Verification Enabled: Yes\n\
                     Envelope Sender DNS Verification Enabled: Yes\nAccept untagged bounces: No\n\
                     There are currently 4 policies defined.\nTLS: Required\n";
        let (read, foreign) = defaults(&[summary.to_owned(), above.to_owned(), String::new()]).expect("there are some");
        assert_eq!(foreign, ["Maximum Number of Recipients per Envelope Sender = 7", "S/MIME Signing Enabled = Yes"]);
        let expected = Record::new()
            .with("dhap_limit", 0)
            .with("max_rcpts_per_hour", 8)
            .with("smtpauth_allow", "preferred")
            .with("smtpauth_requiretls", true)
            .with("tls", "none")
            .with("dkim_signing", false)
            .with("dkim_verification", true)
            .with("sender_verification", true)
            .with("accept_untagged_bounces", false);
        assert_eq!(read, expected);
    }

    /// Every parameter of the admin manual's table, with what it is here; nothing for those that are not managed.
    const MANUAL: &[(&str, Option<&str>)] = &[
        ("Maximum message size", Some("max_message_size")),
        ("Maximum concurrent connections from a single IP", Some("max_concurrency")),
        ("Maximum Number Of Connections From A Single IP", Some("max_concurrency")),
        ("Maximum messages per connection", Some("max_msgs_per_session")),
        ("Maximum recipients per message", Some("max_rcpts_per_msg")),
        ("Custom SMTP Banner Code", None),
        ("Custom SMTP Banner Text", None),
        ("Custom SMTP Reject Banner Code", None),
        ("Custom SMTP Reject Banner Text", None),
        ("Override SMTP Banner Host Name", Some("override_hostname")),
        ("Max. Recipients per Hour", Some("max_rcpts_per_hour")),
        ("Max. Recipients per Hour Code", None),
        ("Max. Recipients Per Hour Exceeded Text", None),
        ("Max. Recipients per Time Interval", None),
        ("Maximum Number of Recipients per Envelope Sender", None),
        ("Maximum Recipients Per Hour From An Envelope Sender", None),
        ("Sender Rate Limit Error Code", None),
        ("Sender Rate Limit Error Text", None),
        ("Exceptions (Ignore Rate Limit for Envelope Senders)", None),
        ("Use SenderBase for Flow Control", Some("use_sb")),
        ("Use SenderBase For Reputation Filters and IP Profiling", None),
        ("SenderBase Timeout", None),
        ("Group by Similarity of IP Addresses (significant bits 0-32)", None),
        ("Group by Similarity of IP Addresses", Some("sig_bits")),
        ("Directory Harvest Attack Prevention", Some("dhap_limit")),
        ("Directory Harvest Attack Prevention: Maximum Invalid Recipients Per Hour", Some("dhap_limit")),
        ("Max. Invalid Recipients Per Hour", Some("dhap_limit")),
        ("Drop Connection if DHAP threshold is Reached within an SMTP Conversation", None),
        ("Max. Invalid Recipients Per Hour Code", None),
        ("Max. Invalid Recipients Per Hour Text", None),
        ("Anti-spam scanning", Some("spam_check")),
        ("Spam Detection Enabled", Some("spam_check")),
        ("Anti-virus scanning", Some("virus_check")),
        ("Virus Detection Enabled", Some("virus_check")),
        ("TLS", Some("tls")),
        ("Allow TLS Connections", Some("tls")),
        ("TLS is Mandatory for Address List", None),
        ("Verify Client Certificate", None),
        ("SMTP Authentication", Some("smtpauth_allow")),
        ("If Both TLS and SMTP Authentication are enabled", None),
        ("Require TLS To Offer SMTP Authentication", Some("smtpauth_requiretls")),
        ("Domain Key/DKIM Signing", Some("dkim_signing")),
        ("DKIM/DomainKeys Signing Enabled", Some("dkim_signing")),
        ("DKIM Verification", Some("dkim_verification")),
        ("DKIM Verification Profile", None),
        ("S/MIME Decryption/Verification", None),
        ("S/MIME Signing Enabled", None),
        ("Signature After Processing", None),
        ("S/MIME Public Key Harvesting", None),
        ("Harvest Certificates on Verification Failure", None),
        ("Store Updated Certificate", None),
        ("Enable SPF/SIDF Verification", Some("spf_verification")),
        ("SPF/SIDF Verification Enabled", Some("spf_verification")),
        ("Conformance Level", None),
        ("Downgrade PRA verification result if 'Resent-Sender:' or 'Resent-From:' were used", None),
        ("HELO Test", None),
        ("Enable DMARC Verification", Some("dmarc_verification")),
        ("Use DMARC Verification Profile", None),
        ("DMARC Feedback Reports", None),
        ("Consider Untagged Bounces to be Valid", Some("accept_untagged_bounces")),
        ("Envelope Sender DNS Verification", Some("sender_verification")),
        ("Use Sender Verification Exception Table", Some("domain_exception_table")),
    ];

    #[test]
    fn rg5_a_label_is_the_parameter_of_which_it_has_all_words_and_none_of_another() {
        for (label, parameter) in MANUAL {
            assert_eq!(labelled(label).map(Parameter::name), *parameter, "{label}");
        }
        let printed: Vec<String> =
            MANUAL.iter().filter(|(_, known)| known.is_none()).map(|(label, _)| format!("{label}: No\n")).collect();
        let nothing = defaults(&[format!("Default Policy Parameters\n{}", printed.concat()), String::new()]);
        assert_eq!(nothing, Some((Record::new(), Vec::new())));
        let named: Vec<&str> = MANUAL.iter().filter_map(|(_, known)| *known).collect();
        for words in LABELS {
            assert!(named.contains(&words.field), "{} is in no label of the manual", words.field);
        }
    }
}
