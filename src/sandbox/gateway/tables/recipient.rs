//! The Recipient Access Table: for whom a public listener takes mail.
//!
//! First match wins; `ALL` is last, cannot be deleted, and rejects on a new gateway.

use serde::{Deserialize, Serialize};

use super::extra::{Extras, Owner};

/// Says what happens to a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Takes the recipient.
    Accept,
    /// Refuses the recipient.
    Reject,
}

impl Access {
    /// Gives the word of the menus.
    pub fn label(self) -> &'static str {
        match self {
            Access::Accept => "Accept",
            Access::Reject => "Reject",
        }
    }

    /// Gives the word of the printed table and the import file.
    pub fn keyword(self) -> &'static str {
        match self {
            Access::Accept => "ACCEPT",
            Access::Reject => "REJECT",
        }
    }

    /// Reads either word, in any case.
    pub fn parse(word: &str) -> Option<Access> {
        [Access::Accept, Access::Reject].into_iter().find(|access| access.keyword().eq_ignore_ascii_case(word))
    }
}

/// Holds an answer of one's own in place of the standard one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    /// SMTP code.
    pub code: u16,
    /// Text, lines separated by a newline.
    pub text: String,
}

/// Holds what happens to the recipients of one entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Treatment {
    /// Accept or Reject.
    pub access: Access,
    /// Custom SMTP response.
    pub response: Option<Response>,
    /// Leaves the recipient out of rate limits.
    pub bypass_receiving_control: bool,
    /// Leaves the recipient out of the LDAP accept query.
    pub bypass_ldap_accept: bool,
    /// Leaves the recipient out of SMTP Call-Ahead.
    pub bypass_call_ahead: bool,
}

impl Treatment {
    /// Gives plain acceptance or refusal.
    pub fn plain(access: Access) -> Treatment {
        Treatment { access, response: None, bypass_receiving_control: false, bypass_ldap_accept: false, bypass_call_ahead: false }
    }

    /// Writes the policy column of the printed table.
    ///
    /// How options are shown is not documented: `inline` chooses between a list in parentheses and nothing at all.
    pub fn print(&self, inline: bool) -> String {
        self.print_with(inline, &[])
    }

    /// The same, with options that no document knows.
    fn print_with(&self, inline: bool, unknown: &[(&str, &str)]) -> String {
        let mut options = Vec::new();
        if self.bypass_receiving_control {
            options.push("bypass receiving control".to_owned());
        }
        if self.bypass_ldap_accept {
            options.push("bypass LDAP ACCEPT".to_owned());
        }
        if self.bypass_call_ahead {
            options.push("bypass SMTP Call-Ahead".to_owned());
        }
        options.extend(unknown.iter().map(|(label, value)| format!("{label}: {value}")));
        if let Some(response) = &self.response {
            options.push(format!("custom SMTP response {} \"{}\"", response.code, response.text.replace('\n', " ")));
        }
        if options.is_empty() || !inline {
            return self.access.keyword().to_owned();
        }
        format!("{} ({})", self.access.keyword(), options.join(", "))
    }
}

/// Names the form of the printed table, which is not documented beyond `<address> <policy>`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RecipientForm {
    /// Options in parentheses behind the policy.
    #[default]
    Behind,
    /// A column for each option, under a heading.
    Columns,
    /// Options behind the policy by the names that commands have, `bypass_rc, bypass_la`, and the response without quotes at the end.
    Keys,
}

/// Holds one entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// Full address, domain, `.partial`, `user@`, or an IP address in brackets.
    pub address: String,
    /// What happens.
    #[serde(flatten)]
    pub treatment: Treatment,
}

/// Holds the table of one listener.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rat {
    /// Entries above `ALL`, in the order in which they are tried.
    pub entries: Vec<Recipient>,
    /// The entry `ALL`.
    pub all: Treatment,
}

impl Default for Rat {
    fn default() -> Rat {
        Rat { entries: Vec::new(), all: Treatment::plain(Access::Reject) }
    }
}

impl Rat {
    /// Finds an entry by address; `ALL` in any case is the last one.
    pub fn find(&self, address: &str) -> Option<&Treatment> {
        if address.eq_ignore_ascii_case("ALL") {
            return Some(&self.all);
        }
        self.entries.iter().find(|entry| entry.address.eq_ignore_ascii_case(address)).map(|entry| &entry.treatment)
    }

    /// Finds an entry to change.
    pub fn find_mut(&mut self, address: &str) -> Option<&mut Treatment> {
        if address.eq_ignore_ascii_case("ALL") {
            return Some(&mut self.all);
        }
        self.entries.iter_mut().find(|entry| entry.address.eq_ignore_ascii_case(address)).map(|entry| &mut entry.treatment)
    }

    /// Writes the lines `<address> <policy>`.
    pub fn print(&self, inline_options: bool) -> String {
        self.print_of("", &Extras::default(), inline_options)
    }

    /// Writes the lines of a listener's table, with what of it no document knows.
    pub fn print_of(&self, listener: &str, extras: &Extras, inline_options: bool) -> String {
        let line = |(address, treatment): (&str, &Treatment)| {
            let unknown = extras.of(Owner::Recipient(listener, address));
            format!("{address} {}\n", treatment.print_with(inline_options, &unknown))
        };
        self.entries
            .iter()
            .map(|entry| (entry.address.as_str(), &entry.treatment))
            .chain([("ALL", &self.all)])
            .map(line)
            .collect()
    }

    /// Writes the options by the names that commands have.
    pub fn print_keys(&self, listener: &str, extras: &Extras) -> String {
        let entries = self.entries.iter().map(|entry| (entry.address.as_str(), &entry.treatment));
        let line = |(address, treatment): (&str, &Treatment)| {
            let keys = [
                (treatment.bypass_receiving_control, "bypass_rc"),
                (treatment.bypass_ldap_accept, "bypass_la"),
                (treatment.bypass_call_ahead, "bypass_ca"),
            ];
            let mut options: Vec<String> = keys.iter().filter(|(on, _)| *on).map(|(_, key)| (*key).to_owned()).collect();
            let unknown = extras.of(Owner::Recipient(listener, address)).into_iter();
            options.extend(unknown.map(|(label, value)| format!("{}={value}", label.to_lowercase().replace(' ', "_"))));
            options.extend(treatment.response.iter().map(|own| format!("{} {}", own.code, own.text.replace('\n', " "))));
            format!("{} {} {}", address, treatment.access.keyword(), options.join(", ")).trim_end().to_owned() + "\n"
        };
        entries.chain([("ALL", &self.all)]).map(line).collect()
    }

    /// Writes a column for each option under a heading.
    pub fn print_columns(&self, listener: &str, extras: &Extras) -> String {
        let labels = extras.labels(&format!("recipient/{listener}"));
        let known =
            ["Recipient", "Action", "Bypass Receiving Control", "Bypass LDAP Accept", "Bypass SMTP Call-Ahead", "SMTP Response"];
        let titles: Vec<&str> = known.into_iter().chain(labels.iter().copied()).collect();
        let mut rows = vec![
            titles.iter().map(|title| (*title).to_owned()).collect::<Vec<_>>(),
            titles.iter().map(|title| "-".repeat(title.len())).collect(),
        ];
        let yes = |yes: bool| if yes { "Yes" } else { "No" }.to_owned();
        let entries = self.entries.iter().map(|entry| (entry.address.as_str(), &entry.treatment));
        rows.extend(entries.chain([("ALL", &self.all)]).map(|(address, treatment)| {
            let response = treatment.response.as_ref();
            let mut row = vec![
                address.to_owned(),
                treatment.access.label().to_owned(),
                yes(treatment.bypass_receiving_control),
                yes(treatment.bypass_ldap_accept),
                yes(treatment.bypass_call_ahead),
                response.map_or_else(
                    || "None".to_owned(),
                    |response| format!("{} {}", response.code, response.text.replace('\n', " ")),
                ),
            ];
            row.extend(labels.iter().map(|label| extras.value(Owner::Recipient(listener, address), label).to_owned()));
            row
        }));
        super::columns(&rows)
    }

    /// Reads the lines of an import file; `#` begins a comment, options are not kept in such a file.
    pub fn parse(text: &str) -> Result<Rat, String> {
        let mut rat = Rat::default();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let mut words = line.split_whitespace();
            let (address, access) = (words.next(), words.next().and_then(Access::parse));
            let (Some(address), Some(access)) = (address, access) else {
                return Err(format!("Import failed. Line {} is not an address and a policy.", number + 1));
            };
            if address.eq_ignore_ascii_case("ALL") {
                rat.all = Treatment::plain(access);
            } else {
                check_address(address)?;
                rat.entries.push(Recipient { address: address.to_owned(), treatment: Treatment::plain(access) });
            }
        }
        Ok(rat)
    }
}

/// Checks the form of a recipient.
pub(in crate::sandbox::gateway) fn check_address(address: &str) -> Result<(), String> {
    let refusal = || {
        Err("A Recipient Access Table address can be one of the following: a hostname such as \"example.com\" or \"[1.2.3.4]\", \
             a partial hostname such as \".example.com\", a username such as \"postmaster@\", or a full email address such as \
             \"joe@example.com\"."
            .to_owned())
    };
    if address.is_empty() {
        return Err("Please enter a value.".to_owned());
    }
    let domain = match address.split_once('@') {
        Some(("", _)) => return refusal(),
        Some((user, "")) if !user.contains(char::is_whitespace) => return Ok(()),
        Some((user, domain)) if !user.contains(char::is_whitespace) => domain,
        Some(_) => return refusal(),
        None => address.strip_prefix('.').unwrap_or(address),
    };
    let literal = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let good = match literal {
        Some(inside) => inside.trim_start_matches("IPv6:").parse::<std::net::IpAddr>().is_ok(),
        None => super::route::is_hostname(domain),
    };
    if good { Ok(()) } else { refusal() }
}
