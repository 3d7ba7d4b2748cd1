//! The Host Access Table of a listener: sender groups in order, and the mail flow policies they point at.

use serde::{Deserialize, Serialize};

use super::parameter::Parameters;

/// Says what happens to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Behavior {
    /// Takes mail for the recipients of the RAT.
    Accept,
    /// Takes mail for everybody.
    Relay,
    /// Answers with a refusal.
    Reject,
    /// Refuses the connection.
    TcpRefuse,
    /// Goes on to the next group.
    Continue,
}

impl Behavior {
    /// Lists the choices in the order of the menu.
    pub const ALL: [Behavior; 5] = [Behavior::Accept, Behavior::Relay, Behavior::Reject, Behavior::TcpRefuse, Behavior::Continue];

    /// Gives the label of the menu.
    pub fn label(self) -> &'static str {
        match self {
            Behavior::Accept => "Accept",
            Behavior::Relay => "Relay",
            Behavior::Reject => "Reject",
            Behavior::TcpRefuse => "TCP Refuse",
            Behavior::Continue => "Continue",
        }
    }

    /// Gives the word of the HAT text.
    pub fn keyword(self) -> &'static str {
        match self {
            Behavior::Accept => "ACCEPT",
            Behavior::Relay => "RELAY",
            Behavior::Reject => "REJECT",
            Behavior::TcpRefuse => "TCPREFUSE",
            Behavior::Continue => "CONTINUE",
        }
    }

    /// Reads a label or a keyword, in any case.
    pub fn parse(word: &str) -> Option<Behavior> {
        Behavior::ALL
            .into_iter()
            .find(|behavior| behavior.label().eq_ignore_ascii_case(word) || behavior.keyword().eq_ignore_ascii_case(word))
    }

    /// Tells whether mail can come in, so that parameters mean something.
    pub fn takes_mail(self) -> bool {
        matches!(self, Behavior::Accept | Behavior::Relay)
    }
}

/// Holds a mail flow policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Name without the dollar sign.
    pub name: String,
    /// What happens to a connection.
    pub behavior: Behavior,
    /// What differs from the listener's defaults.
    pub parameters: Parameters,
}

/// Says what a sender group leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A policy, by name.
    Policy(String),
    /// A behavior of its own.
    Own {
        /// What happens to a connection.
        behavior: Behavior,
        /// What differs from the listener's defaults.
        parameters: Parameters,
    },
}

impl Verdict {
    /// Gives the words of the menu.
    pub fn label(&self) -> String {
        match self {
            Verdict::Policy(name) => format!("Policy: {name}"),
            Verdict::Own { behavior, .. } => behavior.label().to_owned(),
        }
    }
}

/// Holds a sender group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SenderGroup {
    /// Name; empty for an entry without one, which prints its senders bare.
    pub name: String,
    /// Senders in order.
    pub senders: Vec<String>,
    /// Countries, as the device names them.
    pub countries: Vec<String>,
    /// Where a match leads.
    pub verdict: Verdict,
    /// Comment; empty for none.
    pub comment: String,
}

/// Holds the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hat {
    /// Parameters of every policy that is silent.
    pub defaults: Parameters,
    /// Policies in the order in which they were made.
    pub policies: Vec<Policy>,
    /// Sender groups in the order in which they are tried, without `ALL`.
    pub groups: Vec<SenderGroup>,
    /// Where the group `ALL` leads, which is last and cannot be removed.
    pub all: Verdict,
    /// Comment of the group `ALL`.
    pub all_comment: String,
}

impl Hat {
    /// Gives the table of a new public listener.
    pub fn public() -> Hat {
        let group = |name: &str, senders: &[&str], policy: &str, comment: &str| SenderGroup {
            name: name.into(),
            senders: senders.iter().map(|sender| (*sender).to_owned()).collect(),
            countries: Vec::new(),
            verdict: Verdict::Policy(policy.into()),
            comment: comment.into(),
        };
        Hat {
            defaults: Parameters::listener_defaults(),
            policies: vec![
                Policy { name: "ACCEPTED".into(), behavior: Behavior::Accept, parameters: Parameters::default() },
                Policy { name: "BLOCKED".into(), behavior: Behavior::Reject, parameters: Parameters::default() },
                Policy {
                    name: "THROTTLED".into(),
                    behavior: Behavior::Accept,
                    parameters: Parameters::of(&[
                        ("spam_check", "on".into()),
                        ("max_msgs_per_session", 10.into()),
                        ("max_concurrency", 10.into()),
                        ("max_rcpts_per_msg", 25.into()),
                        ("max_rcpts_per_hour", 1.into()),
                        ("dhap_limit", 0.into()),
                        ("virus_check", "on".into()),
                        ("max_message_size", 1_048_576.into()),
                        ("use_sb", "on".into()),
                        ("tls", "off".into()),
                    ]),
                },
                Policy {
                    name: "TRUSTED".into(),
                    behavior: Behavior::Accept,
                    parameters: Parameters::of(&[
                        ("spam_check", "off".into()),
                        ("max_msgs_per_session", 5000.into()),
                        ("max_concurrency", 600.into()),
                        ("max_rcpts_per_msg", 5000.into()),
                        ("max_rcpts_per_hour", (-1).into()),
                        ("max_message_size", 104_857_600.into()),
                        ("use_sb", "off".into()),
                        ("tls", "off".into()),
                    ]),
                },
            ],
            groups: vec![
                group("WHITELIST", &[], "TRUSTED", "My trusted senders have no anti-spam scanning or rate limiting"),
                group("BLACKLIST", &["SBRS[-10.0:-3.0]"], "BLOCKED", "Spammers are rejected"),
                group("SUSPECTLIST", &["SBRS[-3.0:-1.0]"], "THROTTLED", "Suspicious senders are throttled"),
                group(
                    "UNKNOWNLIST",
                    &["SBRS[-1.0:10.0]", "SBRS[none]"],
                    "ACCEPTED",
                    "Reviewed but undecided, continue normal acceptance",
                ),
            ],
            all: Verdict::Policy("ACCEPTED".into()),
            all_comment: String::new(),
        }
    }

    /// Gives the table of a new private listener.
    pub fn private() -> Hat {
        Hat {
            defaults: Parameters::listener_defaults(),
            policies: vec![
                Policy {
                    name: "RELAYED".into(),
                    behavior: Behavior::Relay,
                    parameters: Parameters::of(&[("max_rcpts_per_hour", (-1).into())]),
                },
                Policy { name: "BLOCKED".into(), behavior: Behavior::Reject, parameters: Parameters::default() },
            ],
            groups: vec![SenderGroup {
                name: "RELAYLIST".into(),
                senders: vec!["192.168.1.0/24".into()],
                countries: Vec::new(),
                verdict: Verdict::Policy("RELAYED".into()),
                comment: String::new(),
            }],
            all: Verdict::Policy("BLOCKED".into()),
            all_comment: String::new(),
        }
    }

    /// Finds a policy by name; case does not matter in dialogs.
    pub fn policy(&self, name: &str) -> Option<&Policy> {
        self.policies.iter().find(|policy| policy.name.eq_ignore_ascii_case(name))
    }

    /// Finds a policy to change.
    pub fn policy_mut(&mut self, name: &str) -> Option<&mut Policy> {
        self.policies.iter_mut().find(|policy| policy.name.eq_ignore_ascii_case(name))
    }

    /// Finds a named group; `ALL` is not among them.
    pub fn group(&self, name: &str) -> Option<&SenderGroup> {
        self.groups.iter().find(|group| !group.name.is_empty() && group.name.eq_ignore_ascii_case(name))
    }

    /// Finds a group to change.
    pub fn group_mut(&mut self, name: &str) -> Option<&mut SenderGroup> {
        self.groups.iter_mut().find(|group| !group.name.is_empty() && group.name.eq_ignore_ascii_case(name))
    }

    /// Lists the groups that lead to a policy, `ALL` included.
    pub fn users_of(&self, policy: &str) -> Vec<String> {
        let leads = |verdict: &Verdict| matches!(verdict, Verdict::Policy(name) if name.eq_ignore_ascii_case(policy));
        let mut users: Vec<String> =
            self.groups.iter().filter(|group| leads(&group.verdict)).map(|group| group.name.clone()).collect();
        if leads(&self.all) {
            users.push("ALL".into());
        }
        users
    }
}

/// Checks the name of a sender group or a policy. The rules are not documented; this one is: begins with a letter, then letters,
/// digits, `-` and `_`, not `ALL`.
pub(in crate::sandbox::gateway) fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("You must enter a value.".into());
    }
    let good = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'));
    if !good || name.eq_ignore_ascii_case("ALL") || name.len() > 255 {
        return Err("The value must begin with a letter. Valid characters are letters, digits, dashes and underscores.".into());
    }
    Ok(())
}

/// Checks one sender, in every documented form.
pub(in crate::sandbox::gateway) fn check_sender(sender: &str) -> Result<(), String> {
    let refusal = || Err(format!("Invalid IP or IP range, hostname or reputation query: {sender}"));
    let inside = |prefix: &str| sender.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(']'));
    if let Some(range) = inside("SBRS[").or_else(|| inside("sbrs[")) {
        let bounds: Vec<Option<f32>> = range.split(':').map(|bound| bound.parse().ok()).collect();
        let good = range.eq_ignore_ascii_case("none")
            || matches!(bounds.as_slice(), [Some(low), Some(high)] if low <= high && *low >= -10.0 && *high <= 10.0);
        return if good { Ok(()) } else { refusal() };
    }
    if let Some(server) = inside("dnslist[") {
        return if super::route::is_hostname(server) { Ok(()) } else { refusal() };
    }
    if let Some(owner) = sender.strip_prefix("SBO:") {
        return if owner.parse::<u64>().is_ok() { Ok(()) } else { refusal() };
    }
    if sender.starts_with("etf-source:") {
        return Ok(());
    }
    if sender.contains(':') {
        let address = sender.split_once('/').map_or(sender, |(address, _)| address);
        let address = address.split_once('-').map_or(address, |(address, _)| address);
        return if address.parse::<std::net::Ipv6Addr>().is_ok() { Ok(()) } else { refusal() };
    }
    let numeric = sender.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'/' | b'-'));
    if numeric {
        return if is_ipv4_form(sender) { Ok(()) } else { refusal() };
    }
    if super::route::is_hostname(sender.strip_prefix('.').unwrap_or(sender)) { Ok(()) } else { refusal() }
}

/// Tells whether the text is `n.n.n.n`, a part of it that ends in a dot, a range of the last number or of the third one, or a CIDR block.
fn is_ipv4_form(text: &str) -> bool {
    if let Some((address, bits)) = text.split_once('/') {
        return address.parse::<std::net::Ipv4Addr>().is_ok() && bits.parse::<u8>().is_ok_and(|bits| bits <= 32);
    }
    if let Some((address, last)) = text.split_once('-') {
        // `10.1.1.10-20`, and `10.1.1-5`, a range of the third number.
        let numbers: Option<Vec<u8>> = address.split('.').map(|number| number.parse().ok()).collect();
        return numbers.is_some_and(|numbers| {
            (3..=4).contains(&numbers.len())
                && numbers.last().is_some_and(|first| last.parse::<u8>().is_ok_and(|last| last >= *first))
        });
    }
    if let Some(part) = text.strip_suffix('.') {
        let numbers: Vec<_> = part.split('.').collect();
        return (1..=3).contains(&numbers.len()) && numbers.iter().all(|number| number.parse::<u8>().is_ok());
    }
    text.parse::<std::net::Ipv4Addr>().is_ok()
}
