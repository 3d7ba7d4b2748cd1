//! Open relays: sender groups that relay for more than one organisation, and the message filters that guard them.
//!
//! A group is open if the policy that it gets relays, and it takes senders that many organisations share: Microsoft 365 sends the mail of all its
//! tenants from the same hosts. It is guarded by a message filter that is active and valid, that drops what comes from the group without a secret,
//! and past which no filter before it takes such a message. Everything here is a pure function of what the gateway prints; what cannot be read
//! guards nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::filters;
use super::printouts::hosts::BEHAVIOR;
use super::resources::forms::sender_meaning;
use super::resources::{mail_flow_policy, message_filter, sender_group};
use super::table::{Row, Rows};
use crate::schema::Record;

/// The argument that says why a group may stand open.
pub(super) const REASON: &str = "open_relay_reason";
/// The attribute that names the guard of a group.
pub(super) const GUARD: &str = "guarded_by";

/// Networks that are no wider are taken for one organisation's, in bits of the prefix.
const NARROW_IPV4: u8 = 24;
const NARROW_IPV6: u8 = 48;

/// The sender, and the entry, that stands for everybody else.
const EVERYBODY: &str = "ALL";

/// A sender group that relays for many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Open {
    /// The import ID of the group.
    pub(super) id: String,
    /// The name of the group.
    pub(super) name: String,
    /// The sender that opens it.
    pub(super) sender: String,
    /// The filter that guards it.
    pub(super) guard: Option<String>,
}

/// The open groups of a listener, each with its guard.
pub(super) fn open_groups(hosts: &Rows, filters: &Rows) -> Vec<Open> {
    let mut found = Vec::new();
    let mut before: Vec<&Row> = Vec::new();
    for row in hosts.rows.iter().filter(|row| is_entry(row)) {
        if let Some(sender) = opening_sender(row, hosts, &before) {
            let name = row.record.text("name").unwrap_or_default().to_owned();
            found.push(Open { id: row.id.clone(), guard: guard(filters, &name), name, sender });
        }
        before.push(row);
    }
    found
}

/// Whether any group may be open, wherever it stands and whatever guards it.
pub(super) fn may_be_open(hosts: &Rows) -> bool {
    hosts.rows.iter().any(|row| opening_sender(row, hosts, &[]).is_some())
}

/// Why a group with this sender is open, as the end of a sentence.
pub(super) fn told(sender: &str) -> String {
    format!("it takes \"{sender}\", which many organisations send from, and relays")
}

/// What to do about a group that would be an open relay.
pub(super) fn advice(group: &str) -> String {
    format!(
        "Guard it by a message filter that drops what carries no secret (the function relay_filter_script makes its text for the group \"{group}\"), and name that filter in \
         `guarded_by` of the group, so that it is made before the group and removed after it. If the relay is meant to be open, say why in `open_relay_reason` of the group."
    )
}

/// The sender by which a group is open, if it is.
pub(super) fn opening(id: &str, hosts: &Rows) -> Option<String> {
    let place = hosts.rows.iter().position(|row| row.resource == sender_group::RESOURCE.name && row.id == id)?;
    let (before, rest) = hosts.rows.split_at(place);
    let before: Vec<&Row> = before.iter().filter(|row| is_entry(row)).collect();
    opening_sender(rest.first()?, hosts, &before)
}

/// The first filter that guards a group.
pub(super) fn guard(filters: &Rows, group: &str) -> Option<String> {
    guards(filters, group).into_iter().next()
}

/// All filters that guard a group, each on its own.
pub(super) fn guards(filters: &Rows, group: &str) -> Vec<String> {
    guarding(filters, group).into_iter().map(|row| row.record.text("name").unwrap_or(&row.id).to_owned()).collect()
}

/// The rows of all filters that guard a group, each on its own.
pub(super) fn guarding<'a>(filters: &'a Rows, group: &str) -> Vec<&'a Row> {
    let runs = |row: &Row| row.record.truth("active") != Some(false) && row.record.truth("valid") != Some(false);
    let filters: Vec<&Row> =
        filters.rows.iter().filter(|row| row.resource == message_filter::RESOURCE.name && runs(row)).collect();
    let guards = |(at, row): (usize, &&'a Row)| {
        let guard = filters::guard(row.record.text("script")?, group)?;
        let may_skip = |row: &&Row| row.record.text("script").is_none_or(|script| filters::may_skip(script, group, &guard));
        let is_skipped = filters.iter().take(at).any(may_skip);
        (!is_skipped).then_some(*row)
    };
    filters.iter().enumerate().filter_map(guards).collect()
}

/// Whether a script guards a group, if nothing stands before it.
pub(super) fn guards_alone(script: &str, group: &str) -> bool {
    filters::guard(script, group).is_some()
}

/// Whether a script may guard some group, so that a change of it may take a guard away: a guard drops.
pub(super) fn may_guard(script: &str) -> bool {
    script.to_lowercase().contains("drop")
}

/// Whether any filter may guard some group.
pub(super) fn any_may_guard(filters: &Rows) -> bool {
    filters.rows.iter().any(|row| row.record.text("script").is_some_and(may_guard))
}

fn is_entry(row: &Row) -> bool {
    row.resource == sender_group::RESOURCE.name || row.resource.is_empty()
}

/// The sender by which an entry relays for many, unless an entry before it takes all mail of that sender.
fn opening_sender(row: &Row, hosts: &Rows, before: &[&Row]) -> Option<String> {
    if row.resource != sender_group::RESOURCE.name || behavior(&row.record, hosts) != Some("relay") {
        return None;
    }
    // An entry that only continues decides nothing, and of one whose policy cannot be read nobody knows.
    let decides = |row: &&&Row| behavior(&row.record, hosts).is_some_and(|behavior| behavior != "continue");
    let is_taken = |sender: &str| {
        let mut taken = before.iter().filter(decides).flat_map(|row| row.record.texts("senders"));
        taken.any(|taken| covers(taken, sender))
    };
    if row.record.text("name") == Some(EVERYBODY) {
        return Some(EVERYBODY.to_owned());
    }
    let senders = row.record.texts("senders");
    senders.into_iter().find(|sender| is_everybodys(sender) && !is_taken(sender)).map(str::to_owned)
}

/// What becomes of the connections of an entry: by its own behavior, or by the one of its policy.
fn behavior<'a>(entry: &'a Record, hosts: &'a Rows) -> Option<&'a str> {
    let of_policy = || {
        let policy = entry.text("policy")?;
        let mut policies = hosts.rows.iter().filter(|row| row.resource == mail_flow_policy::RESOURCE.name);
        policies
            .find(|row| row.record.text("name").is_some_and(|name| name.eq_ignore_ascii_case(policy)))?
            .record
            .text("behavior")
    };
    entry.text(BEHAVIOR).or_else(of_policy)
}

/// Whether all that the second sender stands for is taken by the first.
fn covers(first: &str, second: &str) -> bool {
    let (first, second) = (sender_meaning(first), sender_meaning(second));
    if first == second || first == EVERYBODY {
        return true;
    }
    if let (Some(outer), Some(inner)) = (addresses(&first), addresses(&second)) {
        return outer.is_ipv4 == inner.is_ipv4 && outer.first <= inner.first && inner.last <= outer.last;
    }
    first.starts_with('.') && addresses(&second).is_none() && second.ends_with(&first)
}

/// Whether a sender stands for hosts that several organisations send from.
pub(super) fn is_everybodys(sender: &str) -> bool {
    let sender = sender_meaning(sender);
    if sender == EVERYBODY {
        return true;
    }
    if let Some(range) = addresses(&sender) {
        return range.is_wide();
    }
    // Scores, network owners, lists and countries: whoever keeps them says who that is.
    if sender.contains(['[', ':']) {
        return true;
    }
    let host = sender.trim_matches('.');
    let labels = host.split('.').filter(|label| !label.is_empty()).count();
    if sender.starts_with('.') && labels < 2 {
        return true;
    }
    is_microsofts(host) && !is_one_tenants(&sender)
}

fn is_microsofts(host: &str) -> bool {
    host == "outlook.com" || host.ends_with(".outlook.com")
}

/// `contoso-com.mail.protection.outlook.com` is a host of one tenant.
fn is_one_tenants(sender: &str) -> bool {
    sender.strip_suffix(".mail.protection.outlook.com").is_some_and(|tenant| !tenant.is_empty() && !tenant.contains('.'))
}

/// Addresses from one to another, as numbers.
struct Addresses {
    first: u128,
    last: u128,
    is_ipv4: bool,
}

impl Addresses {
    fn of(first: IpAddr, last: IpAddr) -> Option<Addresses> {
        match (first, last) {
            (IpAddr::V4(first), IpAddr::V4(last)) => {
                Some(Addresses { first: u128::from(first.to_bits()), last: u128::from(last.to_bits()), is_ipv4: true })
            }
            (IpAddr::V6(first), IpAddr::V6(last)) => {
                Some(Addresses { first: first.to_bits(), last: last.to_bits(), is_ipv4: false })
            }
            _ => None,
        }
    }

    /// Whether they are more than one organisation has, and can be reached from the Internet.
    fn is_wide(&self) -> bool {
        let most = if self.is_ipv4 { 1_u128 << (32 - NARROW_IPV4) } else { 1_u128 << (128 - NARROW_IPV6) };
        self.last.saturating_sub(self.first) >= most && !self.is_private()
    }

    fn is_private(&self) -> bool {
        let networks = [
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "100.64.0.0/10",
            "fc00::/7",
            "fe80::/10",
        ];
        networks
            .iter()
            .filter_map(|network| addresses(network))
            .any(|network| network.is_ipv4 == self.is_ipv4 && network.first <= self.first && self.last <= network.last)
    }
}

/// The addresses that a sender stands for: an address, a network, a range, or a partial address.
fn addresses(sender: &str) -> Option<Addresses> {
    if let Ok(network) = sender.parse::<ipnet::IpNet>() {
        return Addresses::of(network.network(), network.broadcast());
    }
    if let Ok(address) = sender.parse::<IpAddr>() {
        return Addresses::of(address, address);
    }
    if sender.contains(':') {
        let (first, last) = sender.split_once('-')?;
        return Addresses::of(first.parse::<Ipv6Addr>().ok()?.into(), last.parse::<Ipv6Addr>().ok()?.into());
    }
    if !sender.bytes().all(|byte| byte.is_ascii_digit() || b".-".contains(&byte)) {
        return None;
    }
    let (first, last) = sender.split_once('-').unwrap_or((sender, sender));
    let first: Vec<u8> = octets(first)?;
    let last = match octets(last)? {
        // `192.0.2.1-20` and `10.1.1-5`: the last octet of the same address.
        last if last.len() == 1 && first.len() > 1 => first.iter().take(first.len() - 1).copied().chain(last).collect(),
        last => last,
    };
    let filled = |octets: &[u8], rest: u8| {
        let at = |index: usize| octets.get(index).copied().unwrap_or(rest);
        IpAddr::from(Ipv4Addr::new(at(0), at(1), at(2), at(3)))
    };
    Addresses::of(filled(&first, 0), filled(&last, 255))
}

fn octets(text: &str) -> Option<Vec<u8>> {
    let octets: Option<Vec<u8>> = text.trim_end_matches('.').split('.').map(|octet| octet.parse().ok()).collect();
    octets.filter(|octets| octets.len() <= 4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;

    #[test]
    fn what_many_organisations_send_from_is_everybodys() {
        let wide = [
            "ALL",
            ".com",
            ".",
            "outlook.com",
            ".outlook.com",
            ".protection.outlook.com",
            ".Protection.Outlook.com",
            "mail-a.outbound.protection.outlook.com",
            ".mail.protection.outlook.com",
            "0.0.0.0/0",
            "::/0",
            "203.0.112.0/23",
            "203.0.",
            "203.",
            "203.0.113.0-203.0.114.0",
            "203.0.112-113",
            "40.92.0.0/15",
            "2000::/3",
            "2001:db8::/32",
            "2001:db8::-2001:db9::",
            "SBRS[-1.0:10.0]",
            "sbrs[none]",
            "SBO:12345",
            "dnslist[list.example.com]",
            "country: Germany",
            "geo:de",
            "etf-source: feed",
        ];
        let narrow = [
            "203.0.113.7",
            "203.0.113.0/24",
            "203.0.113.",
            "203.0.113.1-20",
            "10.0.0.0/8",
            "10.",
            "10.1.1-5",
            "192.168.0.0/16",
            "127.0.0.1",
            "mail.example.com",
            ".example.com",
            "host",
            "contoso-com.mail.protection.outlook.com",
            "notoutlook.com",
            "2001:db8::1",
            "2001:db8::/48",
            "fd00::/8",
            "2001:db8::2-2001:db8::10",
        ];
        for sender in wide {
            assert!(is_everybodys(sender), "{sender}");
        }
        for sender in narrow {
            assert!(!is_everybodys(sender), "{sender}");
        }
    }

    fn policy(name: &str, behavior: &str) -> Row {
        let record = Record::new().with("name", name).with("behavior", behavior);
        Row { resource: mail_flow_policy::RESOURCE.name, id: format!("Out/{name}"), record }
    }

    fn group(name: &str, policy: &str, senders: &[&str]) -> Row {
        let senders = Value::texts(senders.iter().copied());
        let record = Record::new().with("name", name).with("policy", policy).with("senders", senders);
        Row { resource: sender_group::RESOURCE.name, id: format!("Out/{name}"), record }
    }

    fn filter(name: &str, script: &str) -> Row {
        let record = Record::new().with("name", name).with("script", script).with("active", true).with("valid", true);
        Row { resource: message_filter::RESOURCE.name, id: name.to_owned(), record }
    }

    fn rows(rows: Vec<Row>) -> Rows {
        Rows { rows, ..Rows::default() }
    }

    const GUARDING: &str = "if (sendergroup == \"^RELAY_O365$\") { if (header(\"X-AUTH\") == \"^Secret12$\") { strip-header(\"X-AUTH\"); } else { drop(); } }";

    #[test]
    fn a_group_is_open_by_its_senders_its_policy_and_its_place() {
        let policies = || vec![policy("RELAYED", "relay"), policy("ACCEPTED", "accept")];
        let microsoft = &[".protection.outlook.com"][..];
        let names = |entries: Vec<Row>| {
            let hosts = rows(policies().into_iter().chain(entries).collect());
            open_groups(&hosts, &Rows::default()).into_iter().map(|open| open.name).collect::<Vec<_>>()
        };
        assert_eq!(names(vec![group("G", "RELAYED", microsoft)]), ["G"]);
        assert_eq!(names(vec![group("G", "relayed", microsoft)]), ["G"], "names of policies have no case");
        assert_eq!(names(vec![group("G", "ACCEPTED", microsoft)]), [""; 0]);
        assert_eq!(names(vec![group("G", "RELAYED", &["203.0.113.7"])]), [""; 0]);
        assert_eq!(names(vec![group("ALL", "RELAYED", &[])]), ["ALL"]);
        assert_eq!(names(vec![group("B", "ACCEPTED", &[".outlook.com"]), group("G", "RELAYED", microsoft)]), [""; 0]);
        assert_eq!(names(vec![group("G", "RELAYED", microsoft), group("B", "ACCEPTED", &[".outlook.com"])]), ["G"]);
        let with_continue = |behavior: &str| {
            let hosts = [
                policy("RELAYED", "relay"),
                policy("C", behavior),
                group("B", "C", &[".outlook.com"]),
                group("G", "RELAYED", microsoft),
            ];
            open_groups(&rows(hosts.to_vec()), &Rows::default()).len()
        };
        assert_eq!(with_continue("reject"), 0);
        assert_eq!(with_continue("continue"), 1, "the table is read on");
        assert_eq!(
            names(vec![group("B", "UNKNOWN", &[".outlook.com"]), group("G", "RELAYED", microsoft)]),
            ["G"],
            "nobody knows what B does"
        );
        let own = group("G", "ACCEPTED", microsoft);
        let own = Row { record: own.record.clone().with(BEHAVIOR, "relay"), ..own };
        assert_eq!(names(vec![own]), ["G"], "a behavior of its own");
    }

    #[test]
    fn a_guard_is_active_valid_and_behind_nothing_that_skips_it() {
        let check = |filters: Vec<Row>, expected: Option<&str>| {
            assert_eq!(guard(&rows(filters), "RELAY_O365").as_deref(), expected);
        };
        check(vec![filter("guard", GUARDING)], Some("guard"));
        check(vec![filter("first", "if (true) { log-zone(\"x\"); }"), filter("guard", GUARDING)], None);
        check(
            vec![filter("first", "if (recv-listener == \"In\") { notify(\"a@example.com\"); }"), filter("guard", GUARDING)],
            Some("guard"),
        );
        check(vec![filter("first", "if (true) { skip-filters(); }"), filter("guard", GUARDING)], None);
        check(vec![filter("guard", GUARDING), filter("last", "if (true) { skip-filters(); }")], Some("guard"));
        check(vec![filter("other", &GUARDING.replace("RELAY_O365", "ANOTHER"))], None);
        check(vec![filter("all", "if (sendergroup == \"^RELAY_O365$\") { drop(); }")], Some("all"));
        // Whatever guards is one whose change is judged.
        for script in [GUARDING, "if (sendergroup == \"^RELAY_O365$\") { drop(); }"] {
            assert!(guards_alone(script, "RELAY_O365") && may_guard(script), "{script}");
        }
        for (name, value) in [("active", false), ("valid", false)] {
            let row = filter("guard", GUARDING);
            check(vec![Row { record: row.record.clone().with(name, value), ..row }], None);
        }
        check(Vec::new(), None);
    }
}
