//! Texts that are to be shown to strangers: what names a person, a host or a tenant gives way to a placeholder, and secrets go.
//!
//! The same address gets the same placeholder in everything that one [`Placeholders`] masks. There are two spellings, with the same
//! numbers: one for people, and one that the parsers take for what stood there.
//!
//! | what | in a report | in a transcript |
//! |---|---|---|
//! | IPv4 address | `<ip-1>` | `192.0.2.1` |
//! | IPv6 address | `<ip6-1>` | `2001:db8::1` |
//! | beginning of an IPv4 address (`10.1.`) | `<net-1>.` | `198.19.1.` |
//! | host or domain name | `<domain-1>` | `domain-1.example` |
//! | account, and the part of a mail address before the `@` | `<user-1>` | `user-1` |
//! | host name without a domain | `<host-1>` | `host-1` |
//! | GUID | `<guid-1>` | `00000000-0000-4000-8000-000000000001` |
//! | MAC address | `<mac-1>` | `02:00:00:00:00:01` |
//! | serial number | `<serial-1>` | `serial-1` |
//! | text of any kind | `<text-1>` | `text-1` |
//! | token that looks like a credential, secret | `(sensitive)` | `(sensitive)` |

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::{Masks, way_out};

/// What stands for a secret.
const SENSITIVE: &str = "(sensitive)";

/// Names that are the same for everybody, and that help to understand what was printed.
const PUBLIC: &[&str] = &[
    "cisco.com",
    "graph.microsoft.com",
    "login.microsoftonline.com",
    "mail.protection.outlook.com",
    "mx.microsoft",
    "office365.com",
    "onmicrosoft.com",
    "outlook.com",
    "outlook.office365.com",
    "protection.outlook.com",
];

/// The first labels of names that are no host's: exceptions of the services.
const TYPES: &[&str] = &["System", "Microsoft"];

/// What a placeholder stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    /// An IPv4 address.
    Ip,
    /// An IPv6 address.
    Ip6,
    /// The beginning of an IPv4 address.
    Net,
    /// A host or domain name.
    Domain,
    /// An account, or the part of a mail address before the `@`.
    User,
    /// A host name without a domain.
    Host,
    /// A GUID.
    Guid,
    /// A MAC address.
    Mac,
    /// A serial number.
    Serial,
    /// Any other text.
    Text,
}

/// How placeholders are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// For people: `<ip-1>`.
    Report,
    /// As the parsers take it: `192.0.2.1`.
    Transcript,
}

/// What stands for what.
#[derive(Debug, Default)]
pub struct Placeholders {
    secrets: Masks,
    names: BTreeMap<String, Sort>,
    /// Finds the names; made anew when one is added.
    pattern: Option<Regex>,
    kept: BTreeSet<String>,
    numbers: BTreeMap<Sort, BTreeMap<String, usize>>,
}

/// What may have to be masked. What has the form only is told apart by [`Placeholders::judge`].
static CANDIDATES: LazyLock<Regex> = LazyLock::new(|| {
    let parts = [
        r"(?P<token>eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+)*|[0-9A-Fa-f]{32,})",
        r"(?P<guid>[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})",
        r"(?P<mac>(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2})",
        r"(?P<user>[\p{L}\p{N}._%+'=-]+)@",
        r"(?P<ip>[0-9]{1,3}(?:\.[0-9]{1,3}){2}\.(?:[0-9]{1,3}|[xX*]))",
        r"(?P<net>[0-9]{1,3}(?:\.[0-9]{1,3}){1,2}\.)",
        r"(?P<domain>(?:[\p{L}\p{N}_](?:[\p{L}\p{N}_-]*[\p{L}\p{N}_])?\.)+\p{L}(?:[\p{L}\p{N}-]*[\p{L}\p{N}]))",
        r"(?P<ip6>[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,8}(?:(?:\.[0-9]{1,3}){3})?)",
    ];
    Regex::new(&parts.join("|")).expect("the pattern is a constant, and a test uses it")
});

static SERIAL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?im)^[ \t]*serial[^:\n]{0,20}:[ \t]*(\S{6,})").expect("the pattern is a constant, and a test uses it")
});

/// What to do with a candidate.
enum Verdict {
    /// It is one: it ends here, and this stands for it.
    Masked(usize, String),
    /// It is none, and nothing inside it is.
    Kept(usize),
    /// It is none.
    No,
}

impl Placeholders {
    /// Knows nothing yet.
    pub fn new() -> Placeholders {
        Placeholders::default()
    }

    /// Hides a secret from now on, in every form that an answer repeats it in.
    pub fn hide(&mut self, secret: &str) {
        // A single letter would hide every letter of its kind.
        if secret.trim().len() > 1 {
            self.secrets.add(secret);
        }
    }

    /// Takes a name that has no form of its own (an account, a host without a domain) to be masked where it stands as a word.
    pub fn name(&mut self, sort: Sort, name: &str) {
        let name = name.trim();
        if name.len() > 1 && self.names.insert(name.to_lowercase(), sort).is_none() {
            self.pattern = None;
        }
    }

    /// Lets a word that has the form of a domain stand: a setting of the provider, for one.
    pub fn keep(&mut self, word: &str) {
        self.kept.insert(word.to_lowercase());
    }

    /// Masks a text.
    pub fn mask(&mut self, text: &str, spelling: Spelling) -> String {
        let text = self.secrets.mask(&way_out::masked(text));
        for found in SERIAL.captures_iter(&text) {
            if let Some(serial) = found.get(1) {
                self.name(Sort::Serial, serial.as_str());
            }
        }
        let names = self.names_pattern();
        let mut masked = String::with_capacity(text.len());
        let mut at = 0;
        while at < text.len() {
            let name = names.as_ref().and_then(|names| self.next(names, &text, at, spelling));
            let form = self.next(&CANDIDATES, &text, at, spelling);
            let next = match (name, form) {
                // The longer of two that begin at the same place: a host's name may begin a domain.
                (Some(name), Some(form)) => Some(if (form.0, name.1) < (name.0, form.1) { form } else { name }),
                (name, form) => name.or(form),
            };
            let Some((start, end, stands)) = next else { break };
            masked.push_str(text.get(at..start).unwrap_or_default());
            masked.push_str(&stands);
            at = end;
        }
        masked.push_str(text.get(at..).unwrap_or_default());
        masked
    }

    /// What stands for a text that must not be shown at all.
    pub fn text(&mut self, text: &str, spelling: Spelling) -> String {
        self.placeholder(Sort::Text, text, spelling)
    }

    /// The next thing to be masked: from where to where, and what stands for it.
    fn next(&mut self, pattern: &Regex, text: &str, from: usize, spelling: Spelling) -> Option<(usize, usize, String)> {
        let mut at = from;
        loop {
            let found = pattern.captures_at(text, at)?;
            let whole = found.get(0)?;
            match self.judge(&found, text, spelling) {
                Verdict::Masked(end, stands) => return Some((whole.start(), end, stands)),
                Verdict::Kept(end) => at = end,
                Verdict::No => at = whole.start() + text.get(whole.start()..)?.chars().next()?.len_utf8(),
            }
        }
    }

    fn judge(&mut self, found: &Captures<'_>, text: &str, spelling: Spelling) -> Verdict {
        let Some(whole) = found.get(0) else { return Verdict::No };
        let before = text.get(..whole.start()).and_then(|text| text.chars().next_back());
        let after = |end: usize| text.get(end..).unwrap_or_default();
        let follows = |end: usize| after(end).chars().next();
        let in_word = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
        let in_name = |letter: Option<char>| in_word(letter) || letter == Some('-');
        let part = |name: &str| found.name(name).map(|part| (part.as_str(), part.end()));
        if let Some((name, end)) = part("name") {
            let Some(sort) = self.names.get(&name.to_lowercase()).copied() else { return Verdict::No };
            let goes_on = after(end).strip_prefix('.').is_some_and(|rest| in_word(rest.chars().next()));
            let more = in_name(before) || in_name(follows(end)) || (goes_on && sort != Sort::User);
            return if more { Verdict::No } else { Verdict::Masked(end, self.placeholder(sort, name, spelling)) };
        }
        if let Some((_, end)) = part("token") {
            // Fingerprints of host keys are public, and are base64.
            return if in_word(before) || in_word(follows(end)) {
                Verdict::No
            } else {
                Verdict::Masked(end, SENSITIVE.to_owned())
            };
        }
        if let Some((guid, end)) = part("guid") {
            return if in_word(before) || in_word(follows(end)) {
                Verdict::No
            } else {
                Verdict::Masked(end, self.placeholder(Sort::Guid, guid, spelling))
            };
        }
        if let Some((mac, end)) = part("mac") {
            let alone = !in_word(before) && before != Some(':') && !in_word(follows(end)) && follows(end) != Some(':');
            return if alone { Verdict::Masked(end, self.placeholder(Sort::Mac, mac, spelling)) } else { Verdict::No };
        }
        if let Some((user, end)) = part("user") {
            let stands = self.placeholder(Sort::User, user, spelling);
            return if user.chars().any(char::is_alphanumeric) { Verdict::Masked(end, stands) } else { Verdict::No };
        }
        if let Some((address, end)) = part("ip") {
            let octets = address.split('.').all(|octet| octet.parse::<u8>().is_ok() || ["x", "X", "*"].contains(&octet));
            let goes_on =
                after(end).strip_prefix('.').is_some_and(|rest| rest.starts_with(|letter: char| letter.is_ascii_digit()));
            if !octets || in_word(before) || before == Some('.') || in_word(follows(end)) || goes_on {
                return Verdict::No;
            }
            let stands = self.placeholder(Sort::Ip, address, spelling);
            // The end of a range is its last number, which says as much as the address.
            return match range_end(after(end)) {
                Some(length) => Verdict::Masked(end + length, format!("{stands}-255")),
                None => Verdict::Masked(end, stands),
            };
        }
        if let Some((net, end)) = part("net") {
            let apart = |letter: Option<char>| letter.is_none_or(|letter| letter.is_whitespace() || letter == ',');
            let octets = net.trim_end_matches('.').split('.').all(|octet| octet.parse::<u8>().is_ok());
            return if octets && apart(before) && apart(follows(end)) {
                Verdict::Masked(end, self.placeholder(Sort::Net, net, spelling) + ".")
            } else {
                Verdict::No
            };
        }
        if let Some((domain, end)) = part("domain") {
            if in_name(before) || in_name(follows(end)) {
                return Verdict::No;
            }
            let lower = domain.to_lowercase();
            let is_type = TYPES.iter().any(|first| domain.strip_prefix(first).is_some_and(|rest| rest.starts_with('.')));
            if is_type || PUBLIC.contains(&lower.as_str()) || self.kept.contains(&lower) {
                return Verdict::Kept(end);
            }
            return Verdict::Masked(end, self.placeholder(Sort::Domain, domain, spelling));
        }
        let Some((address, end)) = part("ip6") else { return Verdict::No };
        // A colon behind an address belongs to the sentence.
        let (address, end) = match address.strip_suffix(':') {
            Some(shorter) if !address.ends_with("::") => (shorter, end - 1),
            _ => (address, end),
        };
        let is_one = address.parse::<Ipv6Addr>().is_ok() && address.chars().any(|letter| letter.is_ascii_hexdigit());
        if !is_one || in_word(before) || before == Some(':') || in_word(follows(end)) {
            return Verdict::No;
        }
        Verdict::Masked(end, self.placeholder(Sort::Ip6, address, spelling))
    }

    fn placeholder(&mut self, sort: Sort, text: &str, spelling: Spelling) -> String {
        let known = self.numbers.entry(sort).or_default();
        let next = known.len() + 1;
        let number = *known.entry(text.to_lowercase()).or_insert(next);
        match spelling {
            Spelling::Report => format!("<{}-{number}>", sort.word()),
            Spelling::Transcript => sort.replayable(number),
        }
    }

    fn names_pattern(&mut self) -> Option<Regex> {
        if self.pattern.is_none() && !self.names.is_empty() {
            let mut names: Vec<&String> = self.names.keys().collect();
            names.sort_by_key(|name| std::cmp::Reverse(name.len()));
            let names: Vec<String> = names.into_iter().map(|name| regex::escape(name)).collect();
            // Escaped texts make a pattern; one too large for the engine would be thousands of names.
            self.pattern = Regex::new(&format!("(?P<name>(?i:{}))", names.join("|"))).ok();
        }
        self.pattern.clone()
    }
}

impl Sort {
    fn word(self) -> &'static str {
        match self {
            Sort::Ip => "ip",
            Sort::Ip6 => "ip6",
            Sort::Net => "net",
            Sort::Domain => "domain",
            Sort::User => "user",
            Sort::Host => "host",
            Sort::Guid => "guid",
            Sort::Mac => "mac",
            Sort::Serial => "serial",
            Sort::Text => "text",
        }
    }

    /// Something of the same form, from the ranges and names that are set aside for documentation and tests.
    fn replayable(self, number: usize) -> String {
        const EACH: usize = 254;
        match self {
            Sort::Ip => {
                let (block, last) = ((number - 1) / EACH, (number - 1) % EACH + 1);
                if let Some(net) = ["192.0.2", "198.51.100", "203.0.113"].get(block) {
                    return format!("{net}.{last}");
                }
                let offset = u32::try_from(number - 3 * EACH).unwrap_or(u32::MAX) % (1 << 16);
                Ipv4Addr::from_bits(Ipv4Addr::new(198, 18, 0, 0).to_bits() + offset).to_string()
            }
            Sort::Ip6 => {
                let number = u128::try_from(number).unwrap_or_default();
                Ipv6Addr::from_bits(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0).to_bits() + number).to_string()
            }
            Sort::Net => format!("198.19.{}", number % 256),
            Sort::Domain => format!("domain-{number}.example"),
            Sort::Guid => format!("00000000-0000-4000-8000-{number:012}"),
            Sort::Mac => format!("02:00:00:00:{:02x}:{:02x}", number / 256 % 256, number % 256),
            Sort::User | Sort::Host | Sort::Serial | Sort::Text => format!("{}-{number}", self.word()),
        }
    }
}

/// The length of the end of a range (`-20`) behind an address.
fn range_end(rest: &str) -> Option<usize> {
    let digits: String = rest.strip_prefix('-')?.chars().take_while(char::is_ascii_digit).collect();
    let end = 1 + digits.len();
    let follows = rest.get(end..).and_then(|rest| rest.chars().next());
    let ends = follows.is_none_or(|letter| !letter.is_alphanumeric() && letter != '.' && letter != '-');
    (digits.parse::<u8>().is_ok() && ends).then_some(end)
}

/// Replaces every text between quotes, those that go over several lines, too: a filter may compare with a secret, or set one.
pub fn without_literals(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut quote = None;
    let mut before = None;
    for letter in text.chars() {
        match quote {
            None if letter == '"' || (letter == '\'' && !before.is_some_and(char::is_alphanumeric)) => {
                quote = Some(letter);
                masked.push(letter);
                masked.push_str(SENSITIVE);
            }
            None => masked.push(letter),
            Some(open) if letter == open && before != Some('\\') => {
                quote = None;
                masked.push(letter);
            }
            // The lines keep their numbers.
            Some(_) if letter == '\n' => masked.push(letter),
            Some(_) => {}
        }
        before = Some(letter);
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, report: &str, transcript: &str) {
        let mut placeholders = Placeholders::new();
        placeholders.hide("swordfish");
        placeholders.name(Sort::User, "jdoe");
        placeholders.name(Sort::Host, "esa1");
        placeholders.keep("gateway.host");
        assert_eq!(placeholders.mask(text, Spelling::Report), report, "{text}");
        assert_eq!(placeholders.mask(text, Spelling::Transcript), transcript, "{text}");
    }

    #[test]
    fn addresses_and_names_give_way_to_placeholders() {
        check("from 10.1.2.3 to 10.1.2.3, 10.1.2.4", "from <ip-1> to <ip-1>, <ip-2>", "from 192.0.2.1 to 192.0.2.1, 192.0.2.2");
        check("10.0.0.0/8", "<ip-1>/8", "192.0.2.1/8");
        check("10.1.1.5-20\n10.1.1.5-10.1.1.9", "<ip-1>-255\n<ip-1>-<ip-2>", "192.0.2.1-255\n192.0.2.1-192.0.2.2");
        check("    251.192.1.\n10.20.", "    <net-1>.\n<net-2>.", "    198.19.1.\n198.19.2.");
        check("(on Management, 192.168.1.x)", "(on Management, <ip-1>)", "(on Management, 192.0.2.1)");
        check("fd00::12/64 at fe80::1:", "<ip6-1>/64 at <ip6-2>:", "2001:db8::1/64 at 2001:db8::2:");
        check("::ffff:10.1.2.3", "<ip6-1>", "2001:db8::1");
        check(".Contoso.com ACCEPT\ncontoso.COM", ".<domain-1> ACCEPT\n<domain-1>", ".domain-1.example ACCEPT\ndomain-1.example");
        check("b\u{fc}cher.de", "<domain-1>", "domain-1.example");
        check("mx.contoso.com:25/pri=5", "<domain-1>:25/pri=5", "domain-1.example:25/pri=5");
        check("J.Doe@contoso.com; abuse@", "<user-1>@<domain-1>; <user-2>@", "user-1@domain-1.example; user-2@");
        check("3d2c1b0a-5e4f-4a7b-8c9d-0e1f2a3b4c5d", "<guid-1>", "00000000-0000-4000-8000-000000000001");
        check("00:1B:44:11:3a:b7", "<mac-1>", "02:00:00:00:00:01");
        check("Serial #: 420D1B7C-0123\n420D1B7C-0123", "Serial #: <serial-1>\n<serial-1>", "Serial #: serial-1\nserial-1");
    }

    #[test]
    fn names_without_a_form_are_masked_as_words() {
        check(
            "JDOE on (Machine esa1)> esa1.contoso.com",
            "<user-1> on (Machine <host-1>)> <domain-1>",
            "user-1 on (Machine host-1)> domain-1.example",
        );
        check("jdoe-old, besa1, esa1_x", "jdoe-old, besa1, esa1_x", "jdoe-old, besa1, esa1_x");
    }

    #[test]
    fn secrets_are_gone_in_either_spelling() {
        check("key swordfish", "key (sensitive)", "key (sensitive)");
        check("Bearer eyJ0eXAiOiJKV1Qi.eyJhdWQi.c2ln", "Bearer (sensitive)", "Bearer (sensitive)");
    }

    #[test]
    fn what_only_looks_like_an_address_stays() {
        for text in [
            "Wed Apr 11 16:07:43 2018",
            "AsyncOS 15.5.3-022",
            "tlsv1.2, tlsv1.3",
            "SBRS[-10.0:-3.0]",
            "SHA256:q1w2e3r4t5y6u7i8o9p0q1w2e3r4t5y6u7i8o9p0abc",
            "set gateway.host or gateway.host_keys",
            "System.ArgumentException",
            ".protection.outlook.com",
            "max_rcpts_per_hour = -1",
            "1. No\n2. Preferred",
        ] {
            check(text, text, text);
        }
    }

    #[test]
    fn the_literals_of_a_script_are_gone_and_its_lines_stay() {
        let script =
            "a: if (header('X-A') == \"^se\\\"cret$\") {\n  insert-header(\"X-B\",\n    \"two\n lines\");\n}\nthe device's words";
        let masked = "a: if (header('(sensitive)') == \"(sensitive)\") {\n  insert-header(\"(sensitive)\",\n    \"(sensitive)\n\");\n}\nthe device's words";
        assert_eq!(without_literals(script), masked);
    }

    #[test]
    fn more_addresses_than_a_documentation_range_holds_stay_apart() {
        let mut placeholders = Placeholders::new();
        let mut seen = BTreeSet::new();
        for number in 0..2000_u32 {
            let address = Ipv4Addr::from_bits(Ipv4Addr::new(10, 0, 0, 1).to_bits() + number).to_string();
            assert!(seen.insert(placeholders.mask(&address, Spelling::Transcript)), "{address}");
        }
    }
}
