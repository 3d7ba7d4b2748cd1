//! Destination controls: how much mail goes to a domain at once, and how.

use serde::{Deserialize, Serialize};

use super::extra::{Extras, Owner};

/// Says how mail to a domain uses TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tls {
    /// Clear text.
    No,
    /// TLS where the other side has it.
    Preferred,
    /// TLS or no delivery.
    Required,
    /// TLS where possible, certificate checked.
    PreferredVerify,
    /// TLS with a good certificate or no delivery.
    RequiredVerify,
    /// The same for hosted domains.
    RequiredVerifyHosted,
}

impl Tls {
    /// Lists the choices in the order of the menu. The last one is known from memory only.
    pub const ALL: [Tls; 6] =
        [Tls::No, Tls::Preferred, Tls::Required, Tls::PreferredVerify, Tls::RequiredVerify, Tls::RequiredVerifyHosted];

    /// Gives the label of the menu.
    pub fn label(self) -> &'static str {
        match self {
            Tls::No => "No",
            Tls::Preferred => "Preferred",
            Tls::Required => "Required",
            Tls::PreferredVerify => "Preferred (Verify)",
            Tls::RequiredVerify => "Required (Verify)",
            Tls::RequiredVerifyHosted => "Required - Verify Hosted Domains",
        }
    }

    /// Gives the cell of `LIST`. `On`, `Off` and `Required` are reported, the others follow them.
    fn cell(self) -> &'static str {
        match self {
            Tls::No => "Off",
            Tls::Preferred => "On",
            Tls::Required => "Required",
            Tls::PreferredVerify => "On (Verify)",
            Tls::RequiredVerify => "Required (Verify)",
            Tls::RequiredVerifyHosted => "Required (Hosted)",
        }
    }

    /// Gives the value of `use_tls` in batch commands.
    pub fn keyword(self) -> &'static str {
        match self {
            Tls::No => "off",
            Tls::Preferred => "on",
            Tls::Required => "require",
            Tls::PreferredVerify => "on_verify",
            Tls::RequiredVerify => "require_verify",
            Tls::RequiredVerifyHosted => "require_verify_hosted",
        }
    }
}

/// Says how mail to a domain uses DANE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dane {
    /// Not at all.
    No,
    /// Where the other side publishes it.
    Opportunistic,
    /// Always.
    Mandatory,
}

impl Dane {
    /// Lists the choices in the order of the menu.
    pub const ALL: [Dane; 3] = [Dane::No, Dane::Opportunistic, Dane::Mandatory];

    /// Gives the label of the menu.
    pub fn label(self) -> &'static str {
        match self {
            Dane::No => "No",
            Dane::Opportunistic => "Opportunistic",
            Dane::Mandatory => "Mandatory",
        }
    }
}

/// Says which addresses of a mail exchanger are tried first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IpSort {
    /// IPv6 first.
    PreferV6,
    /// IPv6 only.
    RequireV6,
    /// IPv4 first.
    PreferV4,
    /// IPv4 only.
    RequireV4,
}

impl IpSort {
    /// Lists the choices in the order of the menu.
    pub const ALL: [IpSort; 4] = [IpSort::PreferV6, IpSort::RequireV6, IpSort::PreferV4, IpSort::RequireV4];

    /// Gives the label of the menu.
    pub fn label(self) -> &'static str {
        match self {
            IpSort::PreferV6 => "Prefer IPv6",
            IpSort::RequireV6 => "Require IPv6",
            IpSort::PreferV4 => "Prefer IPv4",
            IpSort::RequireV4 => "Require IPv4",
        }
    }
}

/// Holds a limit on recipients in a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipientLimit {
    /// 1 to 60 minutes.
    pub minutes: u32,
    /// Recipients in that time.
    pub recipients: u32,
}

/// Holds one domain's entry; `None` means what the default says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// Domain, or `.partial`.
    pub domain: String,
    /// Connections at once.
    pub concurrency: Option<u32>,
    /// Messages in one connection.
    pub messages_per_connection: Option<u32>,
    /// Recipients in a time.
    pub recipient_limit: Option<RecipientLimit>,
    /// True: limits hold for each mail exchanger address, false: for the whole domain.
    pub per_exchanger: bool,
    /// True: limits hold for each virtual gateway, false: system wide.
    pub per_virtual_gateway: bool,
    /// TLS setting.
    pub tls: Option<Tls>,
    /// DANE setting; asked only where TLS is in use.
    pub dane: Option<Dane>,
    /// Bounce verification address tagging.
    pub bounce_verification: Option<bool>,
    /// Bounce profile.
    pub bounce_profile: Option<String>,
    /// IP sort preference.
    pub ip_sort: Option<IpSort>,
}

impl Destination {
    /// Gives an entry in which everything is left to the default.
    pub fn new(domain: &str) -> Destination {
        Destination {
            domain: domain.to_owned(),
            concurrency: None,
            messages_per_connection: None,
            recipient_limit: None,
            per_exchanger: false,
            per_virtual_gateway: false,
            tls: None,
            dane: None,
            bounce_verification: None,
            bounce_profile: None,
            ip_sort: None,
        }
    }
}

/// Holds the default entry, in which nothing is left open but the recipient limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefaultDestination {
    /// Connections at once.
    pub concurrency: u32,
    /// Messages in one connection.
    pub messages_per_connection: u32,
    /// Recipients in a time, if limited.
    pub recipient_limit: Option<RecipientLimit>,
    /// True: limits hold for each mail exchanger address.
    pub per_exchanger: bool,
    /// True: limits hold for each virtual gateway.
    pub per_virtual_gateway: bool,
    /// TLS setting.
    pub tls: Tls,
    /// DANE setting.
    pub dane: Dane,
    /// Bounce verification address tagging.
    pub bounce_verification: bool,
    /// IP sort preference.
    pub ip_sort: IpSort,
}

/// Holds the whole table with its global settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DestinationControls {
    /// What holds where an entry is silent.
    pub default: DefaultDestination,
    /// Entries in the order in which they were made.
    pub entries: Vec<Destination>,
    /// Certificate for outgoing TLS; empty means the demo certificate has not been chosen either.
    pub certificate: String,
    /// Sends an alert when a required TLS connection fails.
    pub alert: bool,
    /// Bounce profiles that can be chosen, `Default` first.
    pub bounce_profiles: Vec<String>,
}

impl Default for DestinationControls {
    fn default() -> DestinationControls {
        DestinationControls {
            default: DefaultDestination {
                concurrency: 500,
                messages_per_connection: 50,
                recipient_limit: None,
                per_exchanger: false,
                per_virtual_gateway: false,
                tls: Tls::No,
                dane: Dane::No,
                bounce_verification: false,
                ip_sort: IpSort::PreferV6,
            },
            entries: Vec::new(),
            certificate: String::new(),
            alert: false,
            bounce_profiles: vec!["Default".into()],
        }
    }
}

/// Names the form of a `DETAIL` block, which is not documented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DetailForm {
    /// `10 concurrent connections`, `20 messages per connection`.
    #[default]
    Units,
    /// `Maximum messages per connection: 20` above the rate limits.
    Labels,
}

impl DestinationControls {
    /// Finds an entry; domains are compared without case.
    pub fn find(&self, domain: &str) -> Option<&Destination> {
        self.entries.iter().find(|entry| entry.domain.eq_ignore_ascii_case(domain))
    }

    /// Finds an entry to change.
    pub fn find_mut(&mut self, domain: &str) -> Option<&mut Destination> {
        self.entries.iter_mut().find(|entry| entry.domain.eq_ignore_ascii_case(domain))
    }

    /// Writes the table of `LIST`: five columns under two header lines, the default last, and one for each label that no document knows.
    pub fn list(&self, extras: &Extras) -> String {
        let labels = extras.labels("destination");
        let halves = |label: &str| {
            label.split_once(' ').map_or((String::new(), label.to_owned()), |(upper, lower)| (upper.to_owned(), lower.to_owned()))
        };
        let more: Vec<(String, String)> = labels.iter().map(|label| halves(label)).collect();
        let head = |cells: [&str; 5]| cells.map(str::to_owned).to_vec();
        let on = |on: bool| if on { "On" } else { "Off" }.to_owned();
        let default = || "Default".to_owned();
        let mut rows = vec![
            head(["", "Rate", "", "Bounce", "Bounce"]),
            head(["Domain", "Limiting", "TLS", "Verification", "Profile"]),
            head(["=========", "========", "=======", "============", "========="]),
        ];
        rows[0].extend(more.iter().map(|(upper, _)| upper.clone()));
        rows[1].extend(more.iter().map(|(_, lower)| lower.clone()));
        rows[2].extend(more.iter().map(|(_, lower)| "=".repeat(lower.len())));
        let unknown = |domain: &str| {
            labels.iter().map(|label| extras.value(Owner::Destination(domain), label).to_owned()).collect::<Vec<_>>()
        };
        for entry in &self.entries {
            let limited =
                entry.concurrency.is_some() || entry.messages_per_connection.is_some() || entry.recipient_limit.is_some();
            rows.push(vec![
                entry.domain.clone(),
                if limited { on(true) } else { default() },
                entry.tls.map_or_else(default, |tls| tls.cell().to_owned()),
                entry.bounce_verification.map_or_else(default, on),
                entry.bounce_profile.clone().unwrap_or_else(default),
            ]);
            rows.last_mut().into_iter().for_each(|row| row.extend(unknown(&entry.domain)));
        }
        rows.push(vec![
            "(Default)".into(),
            on(true),
            self.default.tls.cell().into(),
            on(self.default.bounce_verification),
            "(Default)".into(),
        ]);
        rows.last_mut().into_iter().for_each(|row| row.extend(unknown("DEFAULT")));
        super::columns(&rows)
    }

    /// Writes the block of `DETAIL` for one entry.
    pub fn detail(&self, entry: &Destination, form: DetailForm, newer: bool, extras: &Extras) -> String {
        let mut block = Block::new(&entry.domain);
        let mut unknown = extras.of(Owner::Destination(&entry.domain)).into_iter();
        // Some stand above what is known, and some below.
        unknown.next().into_iter().for_each(|(label, value)| block.line(&format!("{label}: {value}")));
        if entry.concurrency.is_none() && entry.messages_per_connection.is_none() && entry.recipient_limit.is_none() {
            block.line("Rate Limiting: Default");
        } else {
            let number = |value: Option<u32>| value.map_or_else(|| "Default".to_owned(), |value| value.to_string());
            block.limits(
                &number(entry.concurrency),
                &number(entry.messages_per_connection),
                entry.recipient_limit,
                (entry.per_exchanger, entry.per_virtual_gateway),
                form,
                newer,
            );
        }
        block.line(&format!("TLS: {}", entry.tls.map_or("Default", Tls::label)));
        if newer {
            block.line(&format!("DANE: {}", entry.dane.map_or("Default", Dane::label)));
        }
        let tagging = entry.bounce_verification.map_or("Default", |on| if on { "On" } else { "Off" });
        block.line(&format!("Bounce Verification Tagging: {tagging}"));
        block.line(&format!("Bounce Profile: {}", entry.bounce_profile.as_deref().unwrap_or("Default")));
        if newer {
            block.line(&format!("IP Sort Preference: {}", entry.ip_sort.map_or("Default", IpSort::label)));
        }
        unknown.for_each(|(label, value)| block.line(&format!("{label}: {value}")));
        block.text
    }

    /// Writes the block of `DETAIL` for the default.
    pub fn detail_default(&self, form: DetailForm, newer: bool, extras: &Extras) -> String {
        let default = &self.default;
        let mut block = Block::new("(Default)");
        block.limits(
            &default.concurrency.to_string(),
            &default.messages_per_connection.to_string(),
            default.recipient_limit,
            (default.per_exchanger, default.per_virtual_gateway),
            form,
            newer,
        );
        block.line(&format!("TLS: {}", default.tls.label()));
        if newer {
            block.line(&format!("DANE: {}", default.dane.label()));
        }
        block.line(&format!("Bounce Verification Tagging: {}", if default.bounce_verification { "On" } else { "Off" }));
        if newer {
            block.line(&format!("IP Sort Preference: {}", default.ip_sort.label()));
        }
        let unknown = extras.of(Owner::Destination("DEFAULT"));
        for (label, value) in unknown {
            block.line(&format!("{label}: {value}"));
        }
        block.text
    }
}

/// Builds a `DETAIL` block line by line.
struct Block {
    text: String,
}

impl Block {
    fn new(title: &str) -> Block {
        Block { text: format!("{title}\n") }
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn limits(
        &mut self,
        concurrency: &str,
        messages: &str,
        recipients: Option<RecipientLimit>,
        (per_exchanger, per_virtual_gateway): (bool, bool),
        form: DetailForm,
        newer: bool,
    ) {
        if newer && form == DetailForm::Labels {
            self.line(&format!("Maximum messages per connection: {messages}"));
        }
        self.line("Rate Limiting:");
        self.line(&format!("{concurrency} concurrent connections"));
        if newer && form == DetailForm::Units {
            self.line(&format!("{messages} messages per connection"));
        }
        self.line(&recipients.map_or("No recipient limit".into(), |limit| {
            format!("{} recipients per {} minutes", limit.recipients, limit.minutes)
        }));
        let whole = if per_exchanger { "each mail exchanger IP address" } else { "entire domain" };
        let gateways = if per_virtual_gateway { "per virtual gateway" } else { "across all virtual gateways" };
        self.line(&format!("Limits applied to {whole}, {gateways}"));
    }
}
