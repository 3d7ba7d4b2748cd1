//! Mail flow policy parameters, by the keys of the HAT text.
//!
//! The keys up to `tls` stand in the vendor's printed samples; those from `smtp_banner_code` to `accept_untagged_bounces` follow
//! the element names of the XML configuration without their prefix. The rest is not documented and named here by the same rule.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Lists every key in the order in which a policy prints it.
pub const KEYS: &[&str] = &[
    "spam_check",
    "max_msgs_per_session",
    "max_concurrency",
    "max_rcpts_per_msg",
    "max_rcpts_per_hour",
    "dhap_limit",
    "virus_check",
    "max_message_size",
    "use_sb",
    "tls",
    "smtp_banner_code",
    "smtp_banner_text",
    "reject_banner_code",
    "reject_banner_text",
    "use_override_hostname",
    "override_hostname",
    "smtpauth_allow",
    "smtpauth_requiretls",
    "accept_untagged_bounces",
    "max_rcpts_per_hour_code",
    "max_rcpts_per_hour_text",
    "dhap_action",
    "dhap_code",
    "dhap_text",
    "max_rcpts_per_sender",
    "sender_interval",
    "sender_exceptions",
    "significant_bits",
    "tls_address_list",
    "dkim_signing",
    "smime_decryption",
    "dkim_verification",
    "dkim_profile",
    "spf_verification",
    "spf_conformance_level",
    "spf_pra_downgrade",
    "spf_helo_test",
    "spf_timeout",
    "dmarc_verification",
    "dmarc_profile",
    "dmarc_reports",
    "sender_verification",
    "domain_exception_table",
    "malformed_sender_code",
    "malformed_sender_text",
    "nonresolving_sender_code",
    "nonresolving_sender_text",
    "nonexistent_sender_code",
    "nonexistent_sender_text",
];

/// Holds one value: numbers are printed bare, words in double quotes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Setting {
    /// A number; -1 is unlimited.
    Number(i64),
    /// A word or a text.
    Text(String),
}

impl From<i64> for Setting {
    fn from(number: i64) -> Setting {
        Setting::Number(number)
    }
}

impl From<&str> for Setting {
    fn from(text: &str) -> Setting {
        Setting::Text(text.to_owned())
    }
}

/// Holds the parameters that were set; the others come from the listener's defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Parameters {
    values: BTreeMap<String, Setting>,
}

impl Parameters {
    /// Collects pairs.
    pub fn of(pairs: &[(&str, Setting)]) -> Parameters {
        Parameters { values: pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect() }
    }

    /// Tells whether nothing is set.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Gives a value.
    pub fn get(&self, key: &str) -> Option<&Setting> {
        self.values.get(key)
    }

    /// Gives a value as a number.
    pub fn number(&self, key: &str) -> Option<i64> {
        match self.values.get(key)? {
            Setting::Number(number) => Some(*number),
            Setting::Text(text) => text.parse().ok(),
        }
    }

    /// Gives a value as a text.
    pub fn text(&self, key: &str) -> Option<String> {
        Some(match self.values.get(key)? {
            Setting::Number(number) => number.to_string(),
            Setting::Text(text) => text.clone(),
        })
    }

    /// Sets a value.
    pub fn set(&mut self, key: &str, value: impl Into<Setting>) {
        self.values.insert(key.to_owned(), value.into());
    }

    /// Leaves a value to the defaults again.
    pub fn unset(&mut self, key: &str) {
        self.values.remove(key);
    }

    /// Gives what is set, in the order of [`KEYS`].
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Setting)> {
        let known = KEYS.iter().filter_map(|key| self.values.get(*key).map(|value| (*key, value)));
        let others =
            self.values.iter().filter(|(key, _)| !KEYS.contains(&key.as_str())).map(|(key, value)| (key.as_str(), value));
        known.chain(others)
    }

    /// Gives the listener defaults of a new gateway, every parameter named.
    pub fn listener_defaults() -> Parameters {
        Parameters::of(&[
            ("max_message_size", 10_485_760.into()),
            ("max_concurrency", 10.into()),
            ("max_msgs_per_session", 10.into()),
            ("max_rcpts_per_msg", 50.into()),
            ("max_rcpts_per_hour", (-1).into()),
            ("dhap_limit", 25.into()),
            ("use_override_hostname", "off".into()),
            ("use_sb", "on".into()),
            ("spam_check", "on".into()),
            ("virus_check", "on".into()),
            ("tls", "off".into()),
            ("smtpauth_allow", "off".into()),
            ("smtpauth_requiretls", "off".into()),
            ("dkim_signing", "off".into()),
            ("smime_decryption", "off".into()),
            ("dkim_verification", "off".into()),
            ("spf_verification", "off".into()),
            ("spf_timeout", 40.into()),
            ("dmarc_verification", "off".into()),
            ("sender_verification", "off".into()),
            ("domain_exception_table", "off".into()),
            ("accept_untagged_bounces", "off".into()),
        ])
    }

    /// Writes the block `Default Policy Parameters` that stands above the HOSTACCESS menu.
    pub fn overview(&self) -> String {
        let on = |key: &str| if self.text(key).as_deref() == Some("on") { "Yes" } else { "No" };
        let number = |key: &str| self.number(key).map_or_else(|| "Disabled".into(), |number| number.to_string());
        let limit = |key: &str| match self.number(key) {
            None | Some(..=0) => "Disabled".to_owned(),
            Some(number) => number.to_string(),
        };
        let mode = |key: &str| match self.text(key).as_deref() {
            Some("on" | "preferred") => "Preferred",
            Some("required") => "Required",
            _ => "No",
        };
        let known = format!(
            "Default Policy Parameters\n==========================\nMaximum Message Size: {}\n\
             Maximum Number Of Concurrent Connections From A Single IP: {}\nMaximum Number Of Messages Per Connection: {}\n\
             Maximum Number Of Recipients Per Message: {}\nDirectory Harvest Attack Prevention: {}\n\
             Maximum Number Of Invalid Recipients Per Hour: {}\nMaximum Number Of Recipients Per Hour: {}\n\
             Maximum Number of Recipients per Envelope Sender: {}\n\
             Use SenderBase for Flow Control: {}\nSpam Detection Enabled: {}\nVirus Detection Enabled: {}\n\
             Allow TLS Connections: {}\nAllow SMTP Authentication: {}\nRequire TLS To Offer SMTP authentication: {}\n\
             DKIM/DomainKeys Signing Enabled: {}\nDKIM Verification Enabled: {}\nSPF/SIDF Verification Enabled: {}\n\
             DMARC Verification Enabled: {}\nEnvelope Sender DNS Verification Enabled: {}\nDomain Exception Table Enabled: {}\n\
             Accept untagged bounces: {}\n",
            size(self.number("max_message_size").unwrap_or_default()),
            number("max_concurrency"),
            number("max_msgs_per_session"),
            number("max_rcpts_per_msg"),
            if self.number("dhap_limit").unwrap_or_default() > 0 { "Enabled" } else { "Disabled" },
            limit("dhap_limit"),
            limit("max_rcpts_per_hour"),
            limit("max_rcpts_per_sender"),
            on("use_sb"),
            on("spam_check"),
            on("virus_check"),
            mode("tls"),
            mode("smtpauth_allow"),
            on("smtpauth_requiretls"),
            on("dkim_signing"),
            on("dkim_verification"),
            on("spf_verification"),
            on("dmarc_verification"),
            on("sender_verification"),
            on("domain_exception_table"),
            on("accept_untagged_bounces"),
        );
        let unknown = self.values.keys().filter(|key| !KEYS.contains(&key.as_str()));
        let title =
            |word: &str| word.chars().take(1).flat_map(char::to_uppercase).chain(word.chars().skip(1)).collect::<String>();
        let line = |key: &String| {
            let label = key.split('_').map(title).collect::<Vec<_>>().join(" ");
            format!("{label}: {}\n", self.text(key).unwrap_or_default())
        };
        known + &unknown.map(line).collect::<String>()
    }
}

/// Writes a number of bytes with the largest unit that divides it: `10M`, `512k`, `1000`.
pub(in crate::sandbox::gateway) fn size(bytes: i64) -> String {
    match bytes {
        0 => "0".into(),
        bytes if bytes % (1 << 20) == 0 => format!("{}M", bytes >> 20),
        bytes if bytes % (1 << 10) == 0 => format!("{}k", bytes >> 10),
        bytes => bytes.to_string(),
    }
}

/// Reads a number of bytes with an optional unit.
pub(in crate::sandbox::gateway) fn parse_size(text: &str) -> Option<i64> {
    let (digits, factor) = match text.char_indices().last()? {
        (at, 'k' | 'K') => (&text[..at], 1 << 10),
        (at, 'm' | 'M') => (&text[..at], 1 << 20),
        (at, 'g' | 'G') => (&text[..at], 1 << 30),
        _ => (text, 1),
    };
    digits.trim().parse::<i64>().ok()?.checked_mul(factor).filter(|bytes| *bytes >= 0)
}
