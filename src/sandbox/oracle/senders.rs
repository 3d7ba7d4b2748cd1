//! The Host Access Table, read as the device reads it: groups from the top, the first sender that matches.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::message::lies_below;
use super::{Broken, Peer};
use crate::sandbox::gateway::Behavior;
use crate::sandbox::gateway::tables::hat::{Hat, Policy, Verdict};
use crate::sandbox::gateway::tables::parameter::{Parameters, Setting};

/// Holds what the table says of a connection.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Matched {
    /// Name of the sender group; empty for an entry without one.
    pub(super) group: String,
    /// The sender that matched.
    pub(super) entry: String,
    /// Name of the policy; nothing where the group has a behavior of its own.
    pub(super) policy: Option<String>,
    /// What happens.
    pub(super) behavior: Behavior,
    /// Every parameter in force, and whether it comes from the listener's defaults.
    pub(super) parameters: Vec<(String, Setting, bool)>,
    /// Groups that matched and only continue.
    pub(super) passed: Vec<(String, String)>,
    /// Senders above that cannot be evaluated.
    pub(super) unsure: Vec<String>,
}

/// Is the answer to "does this sender mean this peer".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Means {
    Yes,
    No,
    /// It is asked of something that the stand-in does not have.
    Unknown,
}

/// Finds the group of a peer. Nothing where the table ends in a policy that is not there, or in one that only continues.
pub(super) fn find(hat: &Hat, peer: &Peer, broken: Option<Broken>) -> Result<Matched, String> {
    let mut unsure = Vec::new();
    let mut passed = Vec::new();
    let mut found: Option<(&str, String, &Verdict)> = None;
    for group in &hat.groups {
        let name = if group.name.is_empty() { "an entry without a name" } else { group.name.as_str() };
        let mut hit = None;
        for sender in &group.senders {
            match means(sender, peer, broken) {
                Means::Yes => {
                    hit = Some(sender.clone());
                    break;
                }
                Means::No => {}
                Means::Unknown => unsure.push(format!("the sender \"{sender}\" of {name} is asked elsewhere")),
            }
        }
        if hit.is_none() {
            unsure.extend(group.countries.iter().map(|country| format!("the country {country} of {name} is asked elsewhere")));
        }
        let Some(entry) = hit else { continue };
        let (behavior, ..) = settle(hat, &group.verdict)?;
        if behavior == Behavior::Continue && broken != Some(Broken::ContinueEnds) {
            passed.push((group.name.clone(), entry));
            continue;
        }
        found = Some((&group.name, entry, &group.verdict));
        if broken != Some(Broken::LastGroup) {
            break;
        }
    }
    let (group, entry, verdict) = found.unwrap_or(("ALL", "ALL".into(), &hat.all));
    let (mut behavior, policy, own) = settle(hat, verdict)?;
    if behavior == Behavior::Continue {
        if broken != Some(Broken::ContinueEnds) {
            return Err("the group ALL only continues, and what follows it is not documented".into());
        }
        behavior = Behavior::Accept;
    }
    let defaults = if broken == Some(Broken::NoDefaults) { Parameters::default() } else { hat.defaults.clone() };
    let mut parameters: Vec<(String, Setting, bool)> =
        own.iter().map(|(key, value)| (key.to_owned(), value.clone(), false)).collect();
    parameters.extend(
        defaults.iter().filter(|(key, _)| own.get(key).is_none()).map(|(key, value)| (key.to_owned(), value.clone(), true)),
    );
    Ok(Matched { group: group.to_owned(), entry, policy: policy.map(str::to_owned), behavior, parameters, passed, unsure })
}

/// Follows a verdict to its behavior, the policy's name, and what that sets.
fn settle<'a>(hat: &'a Hat, verdict: &'a Verdict) -> Result<(Behavior, Option<&'a str>, &'a Parameters), String> {
    match verdict {
        Verdict::Own { behavior, parameters } => Ok((*behavior, None, parameters)),
        Verdict::Policy(name) => match hat.policy(name) {
            Some(Policy { name, behavior, parameters }) => Ok((*behavior, Some(name), parameters)),
            None => Err(format!("a sender group leads to the policy {name}, which is not there")),
        },
    }
}

impl Matched {
    /// Gives a parameter in force as a text.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        self.parameters.iter().find(|(known, ..)| known == key).map(|(_, value, _)| match value {
            Setting::Number(number) => number.to_string(),
            Setting::Text(text) => text.clone(),
        })
    }

    /// Gives a parameter in force as a number.
    pub(super) fn number(&self, key: &str) -> Option<i64> {
        self.text(key).and_then(|text| text.parse().ok())
    }
}

/// Tells whether one sender of a group means a peer, in every documented form.
pub(super) fn means(sender: &str, peer: &Peer, broken: Option<Broken>) -> Means {
    let yes = |yes: bool| if yes { Means::Yes } else { Means::No };
    let inside = |prefix: &str| {
        let (front, rest) = sender.split_at_checked(prefix.len())?;
        front.eq_ignore_ascii_case(prefix).then(|| rest.strip_suffix(']')).flatten()
    };
    if sender.eq_ignore_ascii_case("ALL") {
        return Means::Yes;
    }
    if let Some(range) = inside("SBRS[") {
        if range.eq_ignore_ascii_case("none") {
            return yes(peer.reputation.is_none());
        }
        let bounds: Vec<Option<f64>> = range.split(':').map(|bound| bound.trim().parse().ok()).collect();
        return match bounds.as_slice() {
            [Some(low), Some(high)] => yes(peer.reputation.is_some_and(|score| (*low..=*high).contains(&score))),
            _ => Means::Unknown,
        };
    }
    let named = |prefix: &str| {
        let (front, rest) = sender.split_at_checked(prefix.len())?;
        front.eq_ignore_ascii_case(prefix).then_some(rest)
    };
    if let Some(owner) = named("SBO:") {
        return owner.trim().parse().map_or(Means::Unknown, |owner: u64| yes(peer.organization == Some(owner)));
    }
    // DNS lists and threat feeds are asked over the network.
    if inside("dnslist[").is_some() || named("etf-source:").is_some() {
        return Means::Unknown;
    }
    if sender.contains(':') || !sender.is_empty() && sender.bytes().all(|byte| b"0123456789./-".contains(&byte)) {
        return address(sender, peer.address).map_or(Means::Unknown, yes);
    }
    let Some(host) = &peer.host else { return Means::No };
    match sender.strip_prefix('.') {
        Some(domain) => {
            let itself = broken == Some(Broken::DotIsItself) && host.eq_ignore_ascii_case(domain);
            yes(itself || lies_below(host, domain))
        }
        None => yes(host.eq_ignore_ascii_case(sender)),
    }
}

/// Tells whether an address is among those of a pattern: `n.n.n.n`, `n.n.`, `n.n.n.n-n`, `n.n.n-n`, a block, or IPv6 with the same. Nothing
/// where the pattern has another form.
pub(super) fn address(pattern: &str, address: IpAddr) -> Option<bool> {
    if let Ok(network) = pattern.parse::<IpNet>() {
        return Some(network.contains(&address));
    }
    if let Ok(single) = pattern.parse::<IpAddr>() {
        return Some(single == address);
    }
    if pattern.contains(':') {
        let (first, last) = pattern.split_once('-')?;
        let (first, last) = (first.trim().parse::<Ipv6Addr>().ok()?, last.trim().parse::<Ipv6Addr>().ok()?);
        return Some(matches!(address, IpAddr::V6(address) if (first..=last).contains(&address)));
    }
    let mine = match address {
        IpAddr::V4(address) => Some(address.octets()),
        IpAddr::V6(_) => None,
    };
    if let Some((first, last)) = pattern.split_once('-') {
        if let (Ok(first), Ok(last)) = (first.parse::<Ipv4Addr>(), last.parse::<Ipv4Addr>()) {
            return Some(matches!(address, IpAddr::V4(address) if (first..=last).contains(&address)));
        }
        let numbers = first.split('.').map(|number| number.parse::<u8>().ok()).collect::<Option<Vec<_>>>()?;
        let last = last.parse::<u8>().ok()?;
        let (low, front) = numbers.split_last()?;
        if !(2..=3).contains(&front.len()) {
            return None;
        }
        return Some(mine.is_some_and(|mine| {
            mine.starts_with(front) && mine.get(front.len()).is_some_and(|number| (*low..=last).contains(number))
        }));
    }
    let numbers = pattern.strip_suffix('.')?.split('.').map(|number| number.parse::<u8>().ok()).collect::<Option<Vec<_>>>()?;
    (1..=3).contains(&numbers.len()).then(|| mine.is_some_and(|mine| mine.starts_with(&numbers)))
}
