//! The conditions of transport rules, one by one. Words are whole words without case; patterns match anywhere, without case.

use regex::RegexBuilder;
use serde_json::Value;

use super::filter_rules::Truth;
use super::message::{domain_of, lies_below};
use super::tenant::{Arrival, in_ranges, list, text};
use super::{Content, Entry, Message, World};

/// Holds what a condition can look at.
pub(super) struct Mail<'a> {
    pub(super) world: &'a World,
    pub(super) arrival: &'a Arrival,
    pub(super) message: &'a Message,
    pub(super) recipient: &'a str,
    /// As the rules before left it.
    pub(super) content: &'a Content,
}

/// Tells whether a property is the second half of a pair, which the first half looks at.
pub(super) fn is_second_half(name: &str) -> bool {
    matches!(
        name,
        "HeaderContainsWords" | "HeaderMatchesPatterns" | "BetweenMemberOf2" | "ManagerAddresses" | "ADComparisonOperator"
    )
}

/// Evaluates one condition of a rule; `prefix` is that of the exceptions.
pub(super) fn evaluate(mail: &Mail<'_>, rule: &Value, name: &str, prefix: &str) -> Truth {
    let key = format!("{prefix}{name}");
    let values = list(rule, &key);
    let one = text(rule, &key);
    let recipients = [mail.recipient.to_owned()];
    let headers = |names: &[&str]| {
        let values = names.iter().flat_map(|name| mail.content.values(name));
        values.flat_map(addresses).collect::<Vec<_>>()
    };
    let subject = || mail.content.value("Subject").unwrap_or_default().to_owned();
    let with_body = || vec![subject(), mail.content.body.clone()];
    let header = |half: &str| {
        let found: Vec<String> = mail.content.values(one).map(str::to_owned).collect();
        (found, list(rule, &format!("{prefix}{half}")))
    };
    match name {
        _ if is_second_half(name) => Truth::True,
        "From" => any_address(&senders(mail, rule), &values),
        "FromScope" => Truth::of(is_inside(mail) == (one == "InOrganization")),
        "FromAddressContainsWords" => words(&senders(mail, rule), &values),
        "FromAddressMatchesPatterns" => patterns(&senders(mail, rule), &values),
        "SenderDomainIs" => Truth::of(senders(mail, rule).iter().any(|sender| in_domains(sender, &values))),
        "SenderIpRanges" => {
            // No server brings what a mailbox sends.
            Truth::of(mail.message.entry != Entry::Mailbox && in_ranges(&values, &mail.message.peer))
        }
        "SentTo" => any_address(&recipients, &values),
        "SentToScope" => Truth::of(mail.world.tenant.is_own(mail.recipient) == (one == "InOrganization")),
        "RecipientAddressContainsWords" => words(&recipients, &values),
        "RecipientAddressMatchesPatterns" => patterns(&recipients, &values),
        "RecipientDomainIs" => Truth::of(in_domains(mail.recipient, &values)),
        "AnyOfRecipientAddressContainsWords" => words(&mail.message.recipients, &values),
        "AnyOfRecipientAddressMatchesPatterns" => patterns(&mail.message.recipients, &values),
        "AnyOfToHeader" => any_address(&headers(&["To"]), &values),
        "AnyOfCcHeader" => any_address(&headers(&["Cc"]), &values),
        "AnyOfToCcHeader" => any_address(&headers(&["To", "Cc"]), &values),
        "SubjectContainsWords" => words(&[subject()], &values),
        "SubjectMatchesPatterns" => patterns(&[subject()], &values),
        "SubjectOrBodyContainsWords" => plain(mail, name, words(&with_body(), &values)),
        "SubjectOrBodyMatchesPatterns" => plain(mail, name, patterns(&with_body(), &values)),
        "HeaderContainsMessageHeader" => {
            let (found, wanted) = header("HeaderContainsWords");
            words(&found, &wanted)
        }
        "HeaderMatchesMessageHeader" => {
            let (found, wanted) = header("HeaderMatchesPatterns");
            patterns(&found, &wanted)
        }
        "MessageSizeOver" => match bytes(one) {
            Some(bytes) => Truth::of(mail.content.size() >= bytes),
            None => Truth::Unknown(format!("the size {one} is not understood")),
        },
        "WithImportance" => {
            let own = mail.content.value("Importance").unwrap_or("normal");
            Truth::of(own.eq_ignore_ascii_case(one))
        }
        // A message without parts has no attachment.
        _ if name.starts_with("Attachment") => plain(mail, name, Truth::False),
        other => Truth::Unknown(format!("the condition {other} is not part of the stand-in")),
    }
}

/// Tells whether the sender is inside: logged in or from the organization's own servers, with an address of the organization.
fn is_inside(mail: &Mail<'_>) -> bool {
    mail.arrival.internal && mail.world.tenant.is_own(&mail.message.sender)
}

/// Gives the senders that a rule looks at, by its `SenderAddressLocation`.
fn senders(mail: &Mail<'_>, rule: &Value) -> Vec<String> {
    let header = mail.content.values("From").flat_map(addresses);
    let envelope = [mail.message.sender.clone()];
    match text(rule, "SenderAddressLocation") {
        "Envelope" => envelope.to_vec(),
        "HeaderOrEnvelope" => header.chain(envelope).collect(),
        _ => header.collect(),
    }
}

/// Takes the addresses out of a header.
fn addresses(value: &str) -> Vec<String> {
    let parts = value.split(',').map(|part| match part.rsplit_once('<') {
        Some((_, rest)) => rest.split('>').next().unwrap_or_default(),
        None => part,
    });
    parts.map(|address| address.trim().to_owned()).filter(|address| address.contains('@')).collect()
}

fn any_address(found: &[String], wanted: &[String]) -> Truth {
    if wanted.iter().any(|wanted| !wanted.contains('@')) {
        return Truth::Unknown("a name that is no address is looked up in the directory".into());
    }
    Truth::of(found.iter().any(|own| wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(own))))
}

fn in_domains(address: &str, domains: &[String]) -> bool {
    domain_of(address)
        .is_some_and(|own| domains.iter().any(|domain| own.eq_ignore_ascii_case(domain) || lies_below(&own, domain)))
}

/// Tells whether a word stands in a text, whole and without case.
fn words(texts: &[String], wanted: &[String]) -> Truth {
    let whole = |text: &str, word: &str| {
        let (text, word) = (text.to_lowercase(), word.to_lowercase());
        let inside = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
        !word.is_empty()
            && text.match_indices(&word).any(|(at, found)| {
                let before = text.get(..at).and_then(|front| front.chars().next_back());
                let behind = text.get(at + found.len()..).and_then(|rest| rest.chars().next());
                !inside(before) && !inside(behind)
            })
    };
    Truth::of(texts.iter().any(|text| wanted.iter().any(|word| whole(text, word))))
}

fn patterns(texts: &[String], wanted: &[String]) -> Truth {
    for pattern in wanted {
        match RegexBuilder::new(pattern).case_insensitive(true).build() {
            Ok(found) if texts.iter().any(|text| found.is_match(text)) => return Truth::True,
            Ok(_) => {}
            Err(_) => return Truth::Unknown(format!("the pattern {pattern} is not understood")),
        }
    }
    Truth::False
}

/// Lets a judgement stand for messages without parts.
fn plain(mail: &Mail<'_>, name: &str, truth: Truth) -> Truth {
    if mail.content.is_plain() { truth } else { Truth::Unknown(format!("{name} looks into parts, which the stand-in does not")) }
}

/// Reads `10 MB (10,485,760 bytes)`, the form in which a size stands.
fn bytes(text: &str) -> Option<u64> {
    let (_, rest) = text.split_once('(')?;
    rest.strip_suffix(" bytes)")?.chars().filter(|letter| *letter != ',').collect::<String>().parse().ok()
}
