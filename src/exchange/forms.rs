//! The forms of texts that Exchange Online takes, and when two spellings mean the same.

mod size;

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use url::Host;

pub use self::size::{bytes_of, exact_size, size, size_meaning};

/// Asks for what a connector takes as an address: IPv4, single or a range from `/24` to `/32`.
pub fn connector_address(text: &str) -> Result<(), String> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    if address.contains(':') {
        return Err("is an IPv6 address; connectors take IPv4 only".to_owned());
    }
    if address.contains('-') {
        return Err(
            "is a range from one address to another; write it as a range from /24 to /32, such as 203.0.113.0/28".to_owned()
        );
    }
    address.parse::<Ipv4Addr>().map_err(|_| "is not an IPv4 address such as 203.0.113.10 or 203.0.113.0/28".to_owned())?;
    match prefix.map(str::parse::<u8>) {
        None | Some(Ok(24..=32)) => Ok(()),
        Some(Ok(33..) | Err(_)) => Err("has a prefix that does not exist; use /24 to /32".to_owned()),
        Some(Ok(prefix)) => Err(format!("is too wide a range (/{prefix}); use /24 to /32, in several entries if need be")),
    }
}

/// Asks for what enhanced filtering skips: an address, a range `a-b` or a range with a prefix, none of them private.
pub fn skipped_address(text: &str) -> Result<(), String> {
    rule_address(text)?;
    let ends: Vec<IpAddr> = match text.split_once('-') {
        Some((first, last)) => [first, last].iter().filter_map(|end| end.trim().parse().ok()).collect(),
        None => match text.parse::<IpNet>() {
            Ok(net) => vec![net.network(), net.broadcast()],
            Err(_) => text.parse().into_iter().collect(),
        },
    };
    let private = ends.iter().any(|end| match end {
        IpAddr::V4(address) => address.is_private() || address.is_loopback() || address.is_link_local(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local(),
    });
    if private { Err("is a private address; the service only sees, and skips, public ones".to_owned()) } else { Ok(()) }
}

/// Asks for what a rule takes as addresses: an address, a range `a-b`, or a range with a prefix.
pub fn rule_address(text: &str) -> Result<(), String> {
    let wrong = || "is not an address (203.0.113.10), a range (203.0.113.1-203.0.113.9) or a network (203.0.113.0/24)".to_owned();
    if let Some((first, last)) = text.split_once('-') {
        let parse = |end: &str| end.trim().parse::<IpAddr>().map_err(|_| wrong());
        let (first, last) = (parse(first)?, parse(last)?);
        if first.is_ipv4() != last.is_ipv4() {
            return Err("begins and ends in different kinds of addresses".to_owned());
        }
        return if first <= last { Ok(()) } else { Err("ends before it begins".to_owned()) };
    }
    if text.parse::<IpAddr>().is_ok() || text.parse::<IpNet>().is_ok() { Ok(()) } else { Err(wrong()) }
}

/// Asks for what the connection filter takes: IPv4, single, a range `a-b` of at most 256 addresses, or a range from `/24` to `/32`.
pub fn filter_address(text: &str) -> Result<(), String> {
    if text.contains(':') {
        return Err("is an IPv6 address; the connection filter takes IPv4 only".to_owned());
    }
    let Some((first, last)) = text.split_once('-') else { return connector_address(text) };
    rule_address(text)?;
    match (first.trim().parse::<Ipv4Addr>(), last.trim().parse::<Ipv4Addr>()) {
        (Ok(first), Ok(last)) if u32::from(last) - u32::from(first) >= 256 => {
            Err("is a range of more than 256 addresses; write it as several".to_owned())
        }
        _ => Ok(()),
    }
}

/// The attributes of Active Directory that rules look at.
pub const DIRECTORY_ATTRIBUTES: &[&str] = &[
    "City",
    "Company",
    "Country",
    "CustomAttribute1",
    "CustomAttribute2",
    "CustomAttribute3",
    "CustomAttribute4",
    "CustomAttribute5",
    "CustomAttribute6",
    "CustomAttribute7",
    "CustomAttribute8",
    "CustomAttribute9",
    "CustomAttribute10",
    "CustomAttribute11",
    "CustomAttribute12",
    "CustomAttribute13",
    "CustomAttribute14",
    "CustomAttribute15",
    "Department",
    "DisplayName",
    "Email",
    "FaxNumber",
    "FirstName",
    "HomePhoneNumber",
    "Initials",
    "LastName",
    "Manager",
    "MobileNumber",
    "Notes",
    "Office",
    "OtherFaxNumber",
    "OtherHomePhoneNumber",
    "OtherPhoneNumber",
    "PagerNumber",
    "PhoneNumber",
    "POBox",
    "State",
    "Street",
    "Title",
    "UserLogonName",
    "ZipCode",
];

/// Asks for words in an attribute of the directory: `City:San Francisco,Palo Alto`.
pub fn directory_words(text: &str) -> Result<(), String> {
    property_words(text)?;
    directory_attribute(text)
}

/// Asks for regular expressions on an attribute of the directory: `City:^San,^Palo`.
pub fn directory_patterns(text: &str) -> Result<(), String> {
    match text.split_once(':') {
        Some((_, patterns)) if !patterns.is_empty() => directory_attribute(text),
        _ => Err("is not an attribute and its patterns, such as Department:^Sales".to_owned()),
    }
}

fn directory_attribute(text: &str) -> Result<(), String> {
    let name = text.split(':').next().unwrap_or_default();
    if DIRECTORY_ATTRIBUTES.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        return Ok(());
    }
    Err(format!(
        "does not begin with an attribute that rules look at and a colon; the attributes are City, Company, Country, CustomAttribute1 to \
         CustomAttribute15, {}",
        DIRECTORY_ATTRIBUTES.get(18..).unwrap_or_default().join(", ")
    ))
}

/// Asks for words in a property: `Department:Sales,Human Resources`.
pub fn property_words(text: &str) -> Result<(), String> {
    trimmed(text)?;
    let Some((name, words)) = text.split_once(':') else {
        return Err("has no colon; it is a property and its words, such as Department:Sales,Human Resources".to_owned());
    };
    if name.is_empty() || name.trim() != name {
        return Err("has no property before the colon, or a space beside it".to_owned());
    }
    for word in words.split(',') {
        if word.is_empty() || word.trim() != word {
            return Err("has a word that is empty, or that has a space at its beginning or end".to_owned());
        }
        if word.chars().count() > 128 {
            return Err("has a word of more than 128 characters".to_owned());
        }
    }
    Ok(())
}

/// Asks for a width of lines: 0 to 132, or `unlimited`.
pub fn line_width(text: &str) -> Result<(), String> {
    let number = text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u8>().is_ok_and(|width| width <= 132);
    if number || text.eq_ignore_ascii_case("unlimited") { Ok(()) } else { Err("is not 0 to 132 or `unlimited`".to_owned()) }
}

/// Asks for a domain, `*` for all, or `*.` for all below a domain. The service's own spelling `smtp:contoso.com;1` is taken too.
pub fn domain_pattern(text: &str) -> Result<(), String> {
    let (bare, cost) = domain_and_cost(text);
    if cost.is_some_and(|cost| cost != 1) {
        return Err("has a priority after `;`, which only `sender_domains` of an inbound connector take".to_owned());
    }
    if bare == "*" { Ok(()) } else { wildcard_domain(bare) }
}

/// Asks for what [`domain_pattern`] does, or that with a priority: `contoso.com;10`.
pub fn sender_domain(text: &str) -> Result<(), String> {
    let (bare, cost) = domain_and_cost(text);
    if cost.is_some_and(|cost| !(1..=100).contains(&cost)) {
        return Err("has a priority that the service does not take; behind the `;` it takes 1 to 100".to_owned());
    }
    domain_pattern(bare)
}

/// Asks for a domain, or `*.` before one.
pub fn wildcard_domain(text: &str) -> Result<(), String> {
    let host = text.strip_prefix("*.").unwrap_or(text);
    if host.contains('*') {
        return Err("has a wildcard inside; only `*.` at the beginning is known, as in *.contoso.com".to_owned());
    }
    domain(host)
}

/// Asks for a domain.
pub fn domain(text: &str) -> Result<(), String> {
    let wrong = |why: &str| Err(format!("is not a domain such as contoso.com: {why}"));
    if text.contains('@') {
        return wrong("it is an address");
    }
    let Ok(Host::Domain(ascii)) = Host::parse(text.trim_end_matches('.')) else { return wrong("it cannot be read") };
    let labels: Vec<&str> = ascii.split('.').collect();
    let good = |label: &&str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if ascii.len() > 253 || !labels.iter().all(good) {
        return wrong("a part of it is empty, too long or has letters that no domain has");
    }
    if labels.len() < 2 { wrong("it has one part only") } else { Ok(()) }
}

/// Asks for the subject of a certificate: a domain, perhaps with `*.`, or the form with issuer and subject.
pub fn certificate_name(text: &str) -> Result<(), String> {
    if text.starts_with("<I>") && text.contains("<S>") { Ok(()) } else { wildcard_domain(text) }
}

/// Asks for a smart host: a host name, an IPv4 address or a range. A port cannot be given.
pub fn smart_host(text: &str) -> Result<(), String> {
    let bare = unbracketed(text);
    if bare.parse::<Ipv4Addr>().is_ok() || bare.parse::<Ipv4Net>().is_ok() {
        return Ok(());
    }
    if bare.parse::<IpAddr>().is_ok() || bare.parse::<IpNet>().is_ok() {
        return Err("is an IPv6 address; connectors take IPv4 only".to_owned());
    }
    if bare.contains(':') {
        return Err("has a port; a smart host is reached on port 25 only".to_owned());
    }
    domain(bare).map_err(|_| "is not a host name (mail.contoso.com) or an IPv4 address".to_owned())
}

/// Asks for a header's name: printable ASCII without a colon, and none that the transport itself lives by.
pub fn own_header_name(text: &str) -> Result<(), String> {
    const RESERVED: &[&str] = &[
        "bcc",
        "cc",
        "content-transfer-encoding",
        "content-type",
        "date",
        "dkim-signature",
        "from",
        "message-id",
        "mime-version",
        "received",
        "return-path",
        "sender",
        "subject",
        "to",
    ];
    header_name(text)?;
    if RESERVED.contains(&text.to_ascii_lowercase().as_str()) {
        return Err("is a header that mail itself needs; use a name of your own, such as X-OUTBOUND-AUTH".to_owned());
    }
    Ok(())
}

/// Asks for a header's name: printable ASCII without a colon.
pub fn header_name(text: &str) -> Result<(), String> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':') {
        Ok(())
    } else {
        Err("is not a header name: it takes letters, digits and signs of ASCII, no colon and no space".to_owned())
    }
}

/// Asks for a text on one line.
pub fn one_line(text: &str) -> Result<(), String> {
    if text.chars().any(char::is_control) { Err("has a line break or another control character".to_owned()) } else { Ok(()) }
}

/// Asks for a text without space around it.
pub fn trimmed(text: &str) -> Result<(), String> {
    one_line(text)?;
    if text.trim() == text { Ok(()) } else { Err("has a space at its beginning or end".to_owned()) }
}

/// Asks for a status code that a rule may reject with.
pub fn reject_code(text: &str) -> Result<(), String> {
    let last = text.strip_prefix("5.7.").and_then(|last| last.parse::<u16>().ok());
    match last {
        Some(1 | 900..=999) => Ok(()),
        _ => Err("is not 5.7.1 or 5.7.900 to 5.7.999".to_owned()),
    }
}

/// Asks for a moment in RFC 3339.
pub fn date(text: &str) -> Result<(), String> {
    OffsetDateTime::parse(text, &Rfc3339).map(|_| ()).map_err(|_| "is not a moment such as 2026-08-21T14:30:00Z".to_owned())
}

/// Domains mean the same in any case, with or without the last dot, and in the service's spelling `smtp:contoso.com;1`. Any other priority is
/// part of what is meant.
pub fn domain_meaning(text: &str) -> String {
    let (bare, cost) = domain_and_cost(text);
    let bare = bare.trim_end_matches('.');
    let (star, host) = bare.strip_prefix("*.").map_or(("", bare), |host| ("*.", host));
    let domain = match Host::parse(host) {
        Ok(Host::Domain(ascii)) if host != "*" => format!("{star}{ascii}"),
        _ => bare.to_lowercase(),
    };
    match cost {
        None | Some(1) => domain,
        Some(cost) => format!("{domain};{cost}"),
    }
}

/// An address means the same with `/32`; a network is meant by any address in it.
pub fn address_meaning(text: &str) -> String {
    let text = text.trim();
    if let Some((first, last)) = text.split_once('-') {
        return format!("{}-{}", address_meaning(first), address_meaning(last));
    }
    match (text.parse::<IpAddr>(), text.parse::<IpNet>()) {
        (Ok(address), _) => address.to_string(),
        (_, Ok(net)) if net.prefix_len() == net.max_prefix_len() => net.addr().to_string(),
        (_, Ok(net)) => net.trunc().to_string(),
        _ => text.to_lowercase(),
    }
}

/// Tells whether two texts for IPv4 addresses (single, `a-b`, or with a prefix) have an address in common.
pub fn addresses_overlap(one: &str, other: &str) -> bool {
    match (span(one), span(other)) {
        (Some((first, last)), Some((begin, end))) => first <= end && begin <= last,
        _ => false,
    }
}

fn span(text: &str) -> Option<(Ipv4Addr, Ipv4Addr)> {
    let text = text.trim();
    if let Some((first, last)) = text.split_once('-') {
        return Some((first.trim().parse().ok()?, last.trim().parse().ok()?));
    }
    match text.parse::<Ipv4Net>() {
        Ok(net) => Some((net.network(), net.broadcast())),
        Err(_) => text.parse().ok().map(|address| (address, address)),
    }
}

/// A smart host means the same in any case and with or without the brackets that the service puts around addresses.
pub fn smart_host_meaning(text: &str) -> String {
    let bare = unbracketed(text);
    if bare.starts_with(|first: char| first.is_ascii_digit()) && (bare.parse::<IpAddr>().is_ok() || bare.parse::<IpNet>().is_ok())
    {
        address_meaning(bare)
    } else {
        domain_meaning(bare)
    }
}

/// What a rule takes as a recipient, as the docs say it. Attributes with this form are recipients.
pub const RECIPIENT: &str = "a recipient, by email address";

/// Recipients mean the same in any case and with or without `smtp:`.
pub fn recipient_meaning(text: &str) -> String {
    let lower = text.to_lowercase();
    lower.strip_prefix("smtp:").unwrap_or(&lower).to_owned()
}

/// Words in a property mean the same in any case and order.
pub fn property_words_meaning(text: &str) -> String {
    let lower = text.to_lowercase();
    let Some((name, words)) = lower.split_once(':') else { return lower };
    let mut words: Vec<&str> = words.split(',').map(str::trim).collect();
    words.sort_unstable();
    format!("{}:{}", name.trim(), words.join(","))
}

/// Patterns on an attribute mean the same whatever the case of the attribute's name.
pub fn directory_patterns_meaning(text: &str) -> String {
    match text.split_once(':') {
        Some((name, patterns)) => format!("{}:{patterns}", name.to_lowercase()),
        None => text.to_owned(),
    }
}

/// Texts that mean the same in any case.
pub fn lower(text: &str) -> String {
    text.to_lowercase()
}

/// Moments mean the same in any zone, to the second.
pub fn date_meaning(text: &str) -> String {
    OffsetDateTime::parse(text, &Rfc3339).map_or_else(|_| text.to_owned(), |at| at.unix_timestamp().to_string())
}

/// Regular expressions without the case of their letters: that of a class (`\\S`) is kept.
pub fn pattern_without_case(text: &str) -> String {
    let (mut folded, mut is_escaped) = (String::with_capacity(text.len()), false);
    for letter in text.chars() {
        if is_escaped {
            folded.push(letter);
        } else {
            folded.extend(letter.to_lowercase());
        }
        is_escaped = letter == '\\' && !is_escaped;
    }
    folded
}

/// A domain without the service's `smtp:`, and its priority if it has one: the service keeps sender domains as `smtp:contoso.com;1`.
fn domain_and_cost(text: &str) -> (&str, Option<u32>) {
    let text = text.trim();
    let bare = match text.get(..5) {
        Some(prefix) if prefix.eq_ignore_ascii_case("smtp:") => text.get(5..).unwrap_or_default(),
        _ => text,
    };
    match bare.rsplit_once(';').and_then(|(domain, cost)| Some((domain.trim_end(), cost.trim().parse().ok()?))) {
        Some((domain, cost)) => (domain, Some(cost)),
        None => (bare, None),
    }
}

fn unbracketed(text: &str) -> &str {
    text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(test: fn(&str) -> Result<(), String>, good: &[&str], bad: &[(&str, &str)]) {
        for text in good {
            assert_eq!(test(text), Ok(()), "{text}");
        }
        for (text, word) in bad {
            let said = test(text).expect_err(text);
            assert!(said.contains(word), "{text}: {said}");
        }
    }

    #[test]
    fn c01_c02_a_connector_takes_ipv4_from_24_to_32() {
        check(
            connector_address,
            &["203.0.113.10", "203.0.113.0/24", "203.0.113.10/32"],
            &[
                ("2001:db8::1", "IPv4 only"),
                ("2001:db8::/64", "IPv4 only"),
                ("203.0.0.0/16", "/24 to /32"),
                ("203.0.113.0/33", "/24 to /32"),
                ("203.0.113.0/", "/24 to /32"),
                ("203.0.113.1-203.0.113.9", "/24 to /32"),
                ("mail.contoso.com", "IPv4 address"),
            ],
        );
    }

    #[test]
    fn c03_a_private_address_is_not_skipped() {
        check(
            skipped_address,
            &["203.0.113.10", "203.0.113.1-203.0.113.9", "203.0.113.0/28"],
            &[("10.0.0.1", "private"), ("192.168.0.0/24", "private"), ("9.255.255.1-10.0.0.5", "private"), ("x", "address")],
        );
    }

    #[test]
    fn a_rule_takes_addresses_ranges_and_networks() {
        check(
            rule_address,
            &["203.0.113.10", "203.0.113.1-203.0.113.9", "203.0.0.0/16", "2001:db8::1"],
            &[("203.0.113.9-203.0.113.1", "ends before"), ("203.0.113.1-", "range"), ("a", "address")],
        );
    }

    #[test]
    fn c13_a_wildcard_stands_at_the_beginning_only() {
        check(
            domain_pattern,
            &["*", "contoso.com", "*.contoso.com", "smtp:*;1", "smtp:contoso.com;1", "b\u{fc}cher.example", "contoso.com."],
            &[
                ("a.*.b", "wildcard"),
                ("*contoso.com", "wildcard"),
                ("contoso", "one part"),
                ("a@contoso.com", "address"),
                ("a..b", "domain"),
                ("", "domain"),
            ],
        );
        check(domain_pattern, &[], &[("contoso.com;10", "priority"), ("*;2", "priority")]);
        check(
            sender_domain,
            &["*", "*;10", "*.contoso.com;100", "smtp:contoso.com;7", "contoso.com;1"],
            &[
                ("contoso.com;0", "1 to 100"),
                ("contoso.com;101", "1 to 100"),
                ("contoso.com;x", "domain"),
                ("a.*.b;2", "wildcard"),
            ],
        );
        check(certificate_name, &["*.contoso.com", "<I>CN=a<S>CN=b"], &[("*", "wildcard")]);
    }

    #[test]
    fn the_connection_filter_takes_ranges_of_256_addresses() {
        check(
            filter_address,
            &["203.0.113.10", "203.0.113.0-203.0.113.255", "203.0.113.0/25"],
            &[
                ("203.0.113.0-203.0.114.0", "256"),
                ("203.0.113.9-203.0.113.1", "ends before"),
                ("203.0.0.0/16", "/24 to /32"),
                ("2001:db8::1", "IPv4 only"),
                ("2001:db8::1-2001:db8::2", "IPv4 only"),
            ],
        );
    }

    #[test]
    fn words_in_attributes_name_one_that_is_known() {
        check(
            directory_words,
            &["City:San Francisco,Palo Alto", "customattribute15:a"],
            &[("Town:a", "attribute"), ("City", "colon"), ("City: a", "space"), ("City:a,,b", "empty"), ("City:", "empty")],
        );
        check(
            directory_patterns,
            &["Department:^a, b$"],
            &[("Town:a", "attribute"), ("City:", "patterns"), ("City", "patterns")],
        );
        check(property_words, &["My property:a"], &[(":a", "property")]);
        check(line_width, &["0", "132", "Unlimited"], &[("133", "132"), ("-1", "132"), ("", "132")]);
    }

    #[test]
    fn a_smart_host_has_no_port() {
        check(
            smart_host,
            &["mail.contoso.com", "203.0.113.20", "[203.0.113.20]", "203.0.113.0/28"],
            &[("mail.contoso.com:25", "port"), ("2001:db8::1", "IPv4 only"), ("a b", "host name")],
        );
    }

    #[test]
    fn c06_a_header_that_mail_needs_is_refused() {
        check(own_header_name, &["X-OUTBOUND-AUTH"], &[("Subject", "needs"), ("X: Y", "colon"), ("", "name")]);
        check(one_line, &["a b"], &[("a\r\nBcc: x", "line break")]);
        check(reject_code, &["5.7.1", "5.7.900"], &[("5.7.2", "5.7.1"), ("550", "5.7.1")]);
    }

    #[test]
    fn e17_c12_spellings_that_mean_the_same() {
        for (meaning, one, other) in [
            (domain_meaning as fn(&str) -> String, "smtp:*;1", "*"),
            (domain_meaning, "smtp:Contoso.com;1", "contoso.com."),
            (domain_meaning, "SMTP:Contoso.com;10", "contoso.com.; 010"),
            (domain_meaning, "*.B\u{dc}cher.example", "*.xn--bcher-kva.example"),
            (address_meaning, "203.0.113.10/32", "203.0.113.10"),
            (address_meaning, "203.0.113.7/24", "203.0.113.0/24"),
            (smart_host_meaning, "[203.0.113.20]", "203.0.113.20"),
            (smart_host_meaning, "Mail.Contoso.COM", "mail.contoso.com"),
            (recipient_meaning, "SMTP:A@contoso.com", "a@contoso.com"),
            (date_meaning, "2026-08-21T16:30:00+02:00", "2026-08-21T14:30:00Z"),
            (size_meaning, "10 MB (10,485,760 bytes)", "10240KB"),
            (property_words_meaning, "City:San Francisco,Palo Alto", "city:palo alto,san francisco"),
            (directory_patterns_meaning, "CITY:^San", "City:^San"),
        ] {
            assert_eq!(meaning(one), meaning(other), "{one} and {other}");
        }
        assert_ne!(domain_meaning("smtp:contoso.com;5"), domain_meaning("contoso.com"));
        assert_ne!(domain_meaning("contoso.com;5"), domain_meaning("contoso.com;6"));
        assert_ne!(pattern_without_case(r"\S+"), pattern_without_case(r"\s+"));
        assert_eq!(pattern_without_case(r"^\\ABC"), pattern_without_case(r"^\\abc"));
    }
}
