//! The forms of names and addresses on the gateway: which texts may be typed, and which two mean the same.
//!
//! Every text that reaches a dialog passes one of these tests when the configuration is validated, so that no control
//! character and no character with a meaning to the shell of the device is ever typed. A `…_meaning` function brings a text to
//! the one spelling by which the device's answer and the configuration are compared.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::schema::article;

/// Says why a domain cannot be used; `example.com` and `.example.com` (all hosts below) can.
pub(in crate::gateway) fn domain(text: &str) -> Result<(), String> {
    one_line(text)?;
    if text.contains('*') {
        return Err(format!(
            "\"{text}\" has a wildcard, which the gateway does not know. Write \".example.com\" for all hosts below a domain."
        ));
    }
    let name = text.strip_prefix('.').unwrap_or(text);
    if name.is_empty() || name.starts_with('.') {
        return Err(format!("\"{text}\" is not a domain. Write \"example.com\", or \".example.com\" for all hosts below it."));
    }
    match host_meaning(name) {
        Some(plain) if plain.parse::<IpAddr>().is_err() => Ok(()),
        Some(_) => Err(format!("\"{text}\" is an address. Write a domain, such as \"example.com\".")),
        None => Err(format!("\"{text}\" is not a domain. Write \"example.com\", or \".example.com\" for all hosts below it.")),
    }
}

/// Says why a text is neither a domain, nor an IP address, nor `DEFAULT`.
pub(in crate::gateway) fn destination_domain(text: &str) -> Result<(), String> {
    if text.eq_ignore_ascii_case("DEFAULT") || text.parse::<IpAddr>().is_ok() { Ok(()) } else { domain(text) }
}

/// Says why a text is neither a domain nor `ALL`.
pub(in crate::gateway) fn route_domain(text: &str) -> Result<(), String> {
    if text.eq_ignore_ascii_case("ALL") { Ok(()) } else { domain(text) }
}

/// Brings a domain to one spelling: lower case, ASCII (IDN), no dot at the end. `DEFAULT` and `ALL` are upper case.
pub(in crate::gateway) fn domain_meaning(text: &str) -> String {
    let text = text.trim();
    for word in ["DEFAULT", "ALL"] {
        if text.eq_ignore_ascii_case(word) {
            return word.to_owned();
        }
    }
    let (dot, name) = match text.strip_prefix('.') {
        Some(name) => (".", name),
        None => ("", text),
    };
    match host_meaning(name) {
        Some(plain) => format!("{dot}{plain}"),
        None => text.to_lowercase(),
    }
}

/// The one spelling of a host name or address; nothing if it is neither.
fn host_meaning(name: &str) -> Option<String> {
    let name = name.strip_suffix('.').unwrap_or(name);
    if let Ok(address) = name.parse::<IpAddr>() {
        return Some(address.to_string());
    }
    let url::Host::Domain(plain) = url::Host::parse(name).ok()? else { return None };
    let label_is_sound = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    (plain.len() <= 253 && plain.split('.').all(label_is_sound)).then_some(plain)
}

/// Says why a text cannot be the name of a host.
pub(in crate::gateway) fn host_name(text: &str) -> Result<(), String> {
    if text.starts_with('.') { Err(format!("\"{text}\" is not the name of a host.")) } else { domain(text) }
}

/// Says why a text cannot be an entry of a recipient access table.
pub(in crate::gateway) fn recipient(text: &str) -> Result<(), String> {
    one_line(text)?;
    if text.eq_ignore_ascii_case("ALL") {
        return Ok(());
    }
    if let Some(inside) = in_brackets(text) {
        return literal(inside).map(|_| ()).ok_or_else(|| format!("\"{inside}\" in the brackets is not an IP address."));
    }
    let wrong = |what: &str| {
        format!(
            "{what} The gateway takes a full address (user@example.com), a user name (user@), a domain (example.com), all hosts below one \
             (.example.com), an address in brackets ([192.0.2.1]), or ALL."
        )
    };
    let Some((local, host)) = text.rsplit_once('@') else { return domain(text).map_err(|why| wrong(&why)) };
    let local_is_sound = !local.is_empty()
        && local.len() <= 64
        && local.chars().all(|letter| letter.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(letter));
    if !local_is_sound {
        return Err(wrong(&format!("\"{local}\" is not a user name.")));
    }
    if host.is_empty() || in_brackets(host).is_some_and(|inside| literal(inside).is_some()) {
        return Ok(());
    }
    domain(host).map_err(|why| wrong(&why))
}

/// Brings a recipient to one spelling: lower case, its domain as [`domain_meaning`] has it.
pub(in crate::gateway) fn recipient_meaning(text: &str) -> String {
    let text = text.trim();
    match text.rsplit_once('@') {
        Some((local, "")) => format!("{}@", local.to_lowercase()),
        Some((local, host)) => format!("{}@{}", local.to_lowercase(), bracketed_meaning(host)),
        None => bracketed_meaning(text),
    }
}

fn bracketed_meaning(text: &str) -> String {
    in_brackets(text).and_then(literal).map_or_else(|| domain_meaning(text), |address| format!("[{address}]"))
}

fn in_brackets(text: &str) -> Option<&str> {
    text.strip_prefix('[')?.strip_suffix(']')
}

/// The address in the brackets of a literal: `192.0.2.1`, `2001:db8::1`, `IPv6:2001:db8::1`.
fn literal(inside: &str) -> Option<IpAddr> {
    match inside.get(..5) {
        Some(tag) if tag.eq_ignore_ascii_case("ipv6:") => inside.get(5..)?.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        _ => inside.parse().ok(),
    }
}

/// Says why a text cannot be the destination of an SMTP route. Its port and priority stand in attributes of their own.
pub(in crate::gateway) fn route_host(text: &str) -> Result<(), String> {
    one_line(text)?;
    if text.eq_ignore_ascii_case("USEDNS") || text.eq_ignore_ascii_case("/dev/null") {
        return Ok(());
    }
    let name = in_brackets(text).unwrap_or(text);
    match host_meaning(name) {
        Some(_) => Ok(()),
        None if in_brackets(text).and_then(literal).is_some() => Ok(()),
        None if name.contains('*') => Err(format!("\"{text}\" has a wildcard. A route leads to a host, not to many.")),
        None => Err(format!(
            "\"{text}\" is not a host. Write a host name (its MX records are looked up), a host name in brackets (its address records are \
             looked up), an IP address, USEDNS or /dev/null. The port and the priority are attributes of their own."
        )),
    }
}

/// Brings the destination of a route to one spelling.
pub(in crate::gateway) fn route_host_meaning(text: &str) -> String {
    let text = text.trim();
    if text.eq_ignore_ascii_case("USEDNS") {
        return "USEDNS".to_owned();
    }
    match in_brackets(text) {
        Some(name) => match (literal(name), host_meaning(name)) {
            // An address has no MX records to be ignored: with and without brackets it is the same.
            (Some(address), _) => address.to_string(),
            (None, Some(plain)) => format!("[{plain}]"),
            (None, None) => text.to_lowercase(),
        },
        None => host_meaning(text).unwrap_or_else(|| text.to_lowercase()),
    }
}

/// Says why a text cannot be the name of a listener.
pub(in crate::gateway) fn listener(text: &str) -> Result<(), String> {
    name(text, "listener")
}

/// Says why a text cannot be the name of a sender group.
pub(in crate::gateway) fn sender_group(text: &str) -> Result<(), String> {
    name(text, "sender group")
}

/// Says why a text cannot be the name of a mail flow policy.
pub(in crate::gateway) fn policy(text: &str) -> Result<(), String> {
    name(text, "mail flow policy")
}

/// Says why a text cannot be the name of a bounce profile.
pub(in crate::gateway) fn profile(text: &str) -> Result<(), String> {
    name(text, "bounce profile")?;
    if text.starts_with(|letter: char| letter.is_ascii_alphabetic()) {
        Ok(())
    } else {
        Err(format!("\"{text}\" is not the name of a bounce profile, which starts with a letter."))
    }
}

fn name(text: &str, noun: &str) -> Result<(), String> {
    one_line(text)?;
    let odd = |letter: &char| !letter.is_alphanumeric() && !"_-. ".contains(*letter);
    if let Some(letter) = text.chars().find(odd) {
        return Err(format!(
            "\"{text}\" is not the name of {} {noun}: it has a \"{letter}\". Letters, digits, \"_\", \"-\", \".\" and blanks can be used.",
            article(noun).to_lowercase()
        ));
    }
    if text.contains("  ") {
        return Err(format!("\"{text}\" has two blanks in a row, which the gateway's tables do not keep."));
    }
    Ok(())
}

/// Says why a text cannot be the comment of a sender group.
pub(in crate::gateway) fn comment(text: &str) -> Result<(), String> {
    one_line(text)?;
    let mut open = 0_i32;
    for letter in text.chars() {
        open += match letter {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        if open < 0 {
            break;
        }
    }
    if open == 0 {
        Ok(())
    } else {
        Err("The host access table keeps a comment in parentheses: parentheses inside it must be in pairs.".to_owned())
    }
}

/// Says why a text cannot be typed on one line: control characters, blanks at an end, nothing at all.
pub(in crate::gateway) fn one_line(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("It is empty: leave it out instead.".to_owned());
    }
    if let Some(letter) = text.chars().find(|letter| is_control(*letter)) {
        return Err(format!("It has a control character (U+{:04X}), which is never sent to the gateway.", u32::from(letter)));
    }
    if text.trim() != text {
        return Err("It starts or ends with a blank, which the gateway does not keep.".to_owned());
    }
    Ok(())
}

/// Tells whether a character must never be typed: control characters, and those that end a line or turn the direction of text.
pub(in crate::gateway) fn is_control(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

/// Says why a text cannot be a sender of a host access table.
///
/// The forms are those of the admin manual's "Sender Group Syntax": addresses, ranges and partial addresses of both versions, host
/// names and partial host names, reputation scores, network owners, DNS lists.
pub(in crate::gateway) fn sender(text: &str) -> Result<(), String> {
    one_line(text)?;
    if text.eq_ignore_ascii_case("ALL") {
        return Err("ALL can only stand in the entry ALL, which every table has at its end.".to_owned());
    }
    if text.contains('*') {
        return Err(format!(
            "\"{text}\" has a wildcard, which the gateway does not know. Write \".example.com\" for all hosts below a domain."
        ));
    }
    if is_sender(text) {
        Ok(())
    } else {
        Err(format!(
            "\"{text}\" is not a sender. The gateway takes an address (192.0.2.1), a partial address (192.0.2.), a range (192.0.2.1-20, \
             192.0.2-5, 192.0.2.0/24, or of IPv6), a host (mail.example.com), all hosts below a domain (.example.com), a reputation score \
             (SBRS[-10.0:-3.0], SBRS[none]), a network owner (SBO:12345), or a DNS list (dnslist[list.example.com])."
        ))
    }
}

/// Tells whether a text has one of the forms of a sender.
pub(in crate::gateway) fn is_sender(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    if let Some(scores) = bracketed(&lower, "sbrs") {
        return scores == "none"
            || scores.split_once(':').is_some_and(|(low, high)| match (score(low), score(high)) {
                (Some(low), Some(high)) => low <= high,
                _ => false,
            });
    }
    if let Some(owner) = lower.strip_prefix("sbo:") {
        return !owner.is_empty() && owner.bytes().all(|byte| byte.is_ascii_digit());
    }
    if let Some(list) = bracketed(&lower, "dnslist") {
        return list.contains('.') && host_meaning(list).is_some();
    }
    for feed in ["etf-source:", "geo:", "country:"] {
        if let Some(source) = lower.strip_prefix(feed) {
            // No country has a digit or a host in its name: "GEO: 192.0.2.1" is a group that is called so.
            let is_host = source.chars().any(|letter| letter.is_ascii_digit())
                || source.match_indices('.').any(|(at, _)| !source[at + 1..].starts_with(char::is_whitespace));
            if feed != "etf-source:" && is_host {
                return false;
            }
            // Some names of countries have a comma or an apostrophe.
            let plain: String = source.trim().chars().filter(|letter| !",'’&".contains(*letter)).collect();
            return name(plain.trim(), "source").is_ok();
        }
    }
    if lower.bytes().all(|byte| byte.is_ascii_digit() || b".-/".contains(&byte)) {
        return is_ipv4_sender(&lower);
    }
    if lower.contains(':') {
        return match lower.split_once('-') {
            Some((first, last)) => {
                first.parse::<Ipv6Addr>().is_ok_and(|first| last.parse::<Ipv6Addr>().is_ok_and(|last| first <= last))
            }
            None => lower.parse::<Ipv6Addr>().is_ok() || lower.parse::<ipnet::Ipv6Net>().is_ok(),
        };
    }
    domain(text).is_ok()
}

/// Tells whether the sender is managed in a menu of its own (threat feeds, countries), which has no documented questions.
pub(in crate::gateway) fn is_feed(sender: &str) -> bool {
    let lower = sender.to_ascii_lowercase();
    ["etf-source:", "geo:", "country:"].iter().any(|feed| lower.starts_with(feed))
}

fn is_ipv4_sender(text: &str) -> bool {
    let octet = |text: &str| text.parse::<u8>().is_ok() && (text == "0" || !text.starts_with('0'));
    if let Some(partial) = text.strip_suffix('.') {
        let octets: Vec<&str> = partial.split('.').collect();
        return (1..=3).contains(&octets.len()) && octets.into_iter().all(octet);
    }
    if text.contains('/') {
        return text.parse::<ipnet::Ipv4Net>().is_ok();
    }
    let Some((first, last)) = text.split_once('-') else { return text.parse::<Ipv4Addr>().is_ok() };
    match (first.parse::<Ipv4Addr>(), last.parse::<Ipv4Addr>(), last.parse::<u8>()) {
        (Ok(first), Ok(last), _) => first <= last,
        (Ok(first), Err(_), Ok(last)) => first.octets()[3] <= last,
        // A range of partial addresses, 10.1.1-5, from 10.1.1. to 10.1.5. (tech note 118219).
        (Err(_), Err(_), Ok(last)) => {
            let octets: Vec<&str> = first.split('.').collect();
            octets.len() == 3
                && octets.iter().all(|text| octet(text))
                && octets.last().and_then(|first| first.parse::<u8>().ok()).is_some_and(|first| first <= last)
        }
        _ => false,
    }
}

fn bracketed<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    text.strip_prefix(word)?.trim_start().strip_prefix('[')?.strip_suffix(']').map(str::trim)
}

/// A reputation score in tenths.
fn score(text: &str) -> Option<i32> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, tenth) = digits.split_once('.').unwrap_or((digits, "0"));
    let tenth = tenth.trim_end_matches('0');
    let tenth = if tenth.is_empty() { 0 } else { tenth.parse::<u8>().ok().filter(|tenth| *tenth < 10)? };
    let value = i32::from(whole.parse::<u8>().ok()?) * 10 + i32::from(tenth);
    (value <= 100).then_some(if negative { -value } else { value })
}

/// Brings a sender to one spelling: lower case, scores with one decimal, addresses and domains in their plain form.
pub(in crate::gateway) fn sender_meaning(text: &str) -> String {
    let lower = text.trim().to_lowercase();
    if let Some(scores) = bracketed(&lower, "sbrs") {
        return match scores.split_once(':').map(|(low, high)| (score(low), score(high))) {
            Some((Some(low), Some(high))) => format!("sbrs[{}:{}]", tenths(low), tenths(high)),
            _ => format!("sbrs[{scores}]"),
        };
    }
    if let Some(list) = bracketed(&lower, "dnslist") {
        return format!("dnslist[{}]", domain_meaning(list));
    }
    if is_feed(&lower) {
        let (feed, source) = lower.split_once(':').unwrap_or((&lower, ""));
        return format!("{feed}:{}", source.trim());
    }
    if let Ok(address) = lower.parse::<IpAddr>() {
        return address.to_string();
    }
    if let Ok(range) = lower.parse::<ipnet::IpNet>() {
        return range.trunc().to_string();
    }
    if lower.bytes().all(|byte| byte.is_ascii_digit() || b".-".contains(&byte)) {
        // 192.0.2.1-192.0.2.20 and 192.0.2.1-20 are the same range.
        if let Some((first, last)) = lower.split_once('-')
            && let (Ok(from), Ok(to)) = (first.parse::<Ipv4Addr>(), last.parse::<Ipv4Addr>())
            && from.octets().get(..3) == to.octets().get(..3)
        {
            return format!("{from}-{}", to.octets()[3]);
        }
        return lower;
    }
    if lower.contains(':') {
        return match lower.split_once('-').map(|(first, last)| (first.parse::<Ipv6Addr>(), last.parse::<Ipv6Addr>())) {
            Some((Ok(first), Ok(last))) => format!("{first}-{last}"),
            _ => lower,
        };
    }
    domain_meaning(&lower)
}

fn tenths(score: i32) -> String {
    let sign = if score < 0 { "-" } else { "" };
    format!("{sign}{}.{}", score.abs() / 10, score.abs() % 10)
}

/// Says why a text cannot be an OpenSSL cipher string.
pub(in crate::gateway) fn ciphers(text: &str) -> Result<(), String> {
    one_line(text)?;
    match text.chars().find(|letter| !letter.is_ascii_alphanumeric() && !":-+!@_=., ".contains(*letter)) {
        Some(letter) => Err(format!("It has a \"{letter}\", which no OpenSSL cipher string has.")),
        None if ciphers_meaning(text).is_empty() => Err("It names no cipher.".to_owned()),
        None => Ok(()),
    }
}

/// Brings a cipher string to one spelling: joined by `:`, which a comma or a blank can replace.
pub(in crate::gateway) fn ciphers_meaning(text: &str) -> String {
    let words =
        text.split(|letter: char| letter == ':' || letter == ',' || letter.is_whitespace()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_that_the_admin_manual_names_are_accepted() {
        let check = |test: fn(&str) -> Result<(), String>, texts: &[&str]| {
            for text in texts {
                assert_eq!(test(text), Ok(()), "{text}");
            }
        };
        check(domain, &["example.com", ".example.com", "EXAMPLE.com.", "bücher.example", "_dmarc.example.com", "localhost"]);
        check(destination_domain, &["DEFAULT", "default", "example.com", "192.0.2.1", "2001:db8::1", "host"]);
        check(route_domain, &["ALL", "all", ".example.com"]);
        check(
            recipient,
            &[
                "user@example.com",
                "user@",
                "example.com",
                ".example.com",
                "[192.0.2.1]",
                "[IPv6:2001:db8::1]",
                "a@[192.0.2.1]",
                "ALL",
                "first.last+tag@.example.com",
            ],
        );
        check(
            route_host,
            &[
                "mx.example.com",
                "[mx.example.com]",
                "192.0.2.1",
                "2001:db8::1",
                "USEDNS",
                "/dev/null",
                "[192.0.2.1]",
                "[IPv6:2001:db8::1]",
            ],
        );
        check(sender_group, &["RELAY_O365", "Group-1", "My group"]);
        check(comment, &["Microsoft 365 outbound", "a (b) c", "\"quoted\""]);
        check(ciphers, &["HIGH:MEDIUM:@STRENGTH:!aNULL:-EXPORT", "ECDHE-RSA-AES256-GCM-SHA384"]);
        check(
            sender,
            &[
                "192.0.2.1",
                "192.0.2.",
                "192.0.",
                "192.",
                "192.0.2.1-20",
                "192.0.2.1-192.0.2.20",
                "10.1.1-5",
                "192.0.2.0/24",
                "2001:db8::1",
                "2001:db8::/32",
                "2001:db8::1-2001:db8::9",
                "mail.example.com",
                ".protection.outlook.com",
                "SBRS[-10.0:-3.0]",
                "sbrs[none]",
                "geo:St. Lucia",
                "country:Korea, Republic of",
                "SBO:12345",
                "dnslist[list.example.com]",
                "etf-source: feed_1",
            ],
        );
    }

    #[test]
    fn c13_c14_c15_g19_what_the_gateway_cannot_mean_is_refused() {
        let check = |test: fn(&str) -> Result<(), String>, texts: &[&str]| {
            for text in texts {
                assert!(test(text).is_err(), "{text}");
            }
        };
        check(
            domain,
            &[
                "",
                "a.*.b",
                "*.example.com",
                "exam ple.com",
                "example.com\n",
                ".",
                "..com",
                "192.0.2.1",
                "-a.com",
                "a..b",
                "user@example.com",
            ],
        );
        check(recipient, &["", "@", "@example.com", "us er@example.com", "[example.com]", "user@*.com", "a\u{1b}[1m@b.com"]);
        check(route_host, &["", "mx.example.com:25", "a b", "*.example.com", "mx.example.com/pri=5", "[mx", "a,b"]);
        check(sender_group, &["", "A:B", "A(B)", "$A", "A\"", "A\nB", " A", "A/B", "A  B"]);
        check(comment, &["", "a\nb", "a)", "(a", ")(", "a\u{7f}"]);
        check(ciphers, &["", "HIGH;reboot", "HIGH\n", ":", "HIGH\u{3}"]);
        check(
            sender,
            &[
                "",
                "ALL",
                "*.example.com",
                "a.*.b",
                "192.0.2.300",
                "192.0.2.0/33",
                "192.0.2.9-3",
                "10.1.9-3",
                "10.1-3",
                "10.1.1-300",
                "SBRS[3:1]",
                "SBRS[11:12]",
                "geo: 192.0.2.202",
                "Country: .example.com",
                "SBO:x",
                "dnslist[x]",
                "a b",
                "192.0.2.1,192.0.2.2",
                "a\tb",
                "2001:db8::/129",
            ],
        );
    }

    #[test]
    fn c12_two_spellings_of_one_thing_mean_the_same() {
        let check = |meaning: fn(&str) -> String, pairs: &[(&str, &str)]| {
            for (one, other) in pairs {
                assert_eq!(meaning(one), meaning(other), "{one} and {other}");
            }
        };
        check(
            domain_meaning,
            &[
                ("Example.COM.", "example.com"),
                ("bücher.example", "xn--bcher-kva.example"),
                ("default", "DEFAULT"),
                (".A.b", ".a.B."),
            ],
        );
        check(
            recipient_meaning,
            &[
                ("User@Example.com", "user@example.com."),
                ("all", "ALL"),
                ("Postmaster@", "postmaster@"),
                ("[IPv6:2001:DB8::1]", "[2001:db8::1]"),
            ],
        );
        check(
            route_host_meaning,
            &[
                ("USEdns", "usedns"),
                ("MX.example.com.", "mx.example.com"),
                ("[MX.a.b]", "[mx.a.b]"),
                ("[192.0.2.1]", "192.0.2.1"),
            ],
        );
        check(
            sender_meaning,
            &[
                ("SBRS[-4:-1]", "sbrs[-4.0:-1.0]"),
                ("sbrs[ none ]", "SBRS[none]"),
                ("2001:DB8:0::1", "2001:db8::1"),
                ("192.0.2.7/24", "192.0.2.0/24"),
                ("192.0.2.1-192.0.2.20", "192.0.2.1-20"),
                ("2001:DB8::1-2001:db8:0::9", "2001:db8::1-2001:db8::9"),
                (".Protection.Outlook.com", ".protection.outlook.com"),
                ("ETF-Source: f", "etf-source:f"),
            ],
        );
        check(ciphers_meaning, &[("HIGH:MEDIUM", " HIGH : MEDIUM"), ("HIGH,MEDIUM", "HIGH:MEDIUM")]);
        assert_ne!(sender_meaning("192.0.2.1"), sender_meaning("192.0.2."));
        assert_ne!(route_host_meaning("[mx.a.b]"), route_host_meaning("mx.a.b"));
    }
}
