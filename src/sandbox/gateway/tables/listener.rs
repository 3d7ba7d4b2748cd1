//! Listeners: who may connect, to whom they may send, and the rest that `listenerconfig` prints in its summary.

use serde::{Deserialize, Serialize};

use super::hat::Hat;
use super::recipient::Rat;

/// Says for whom a listener is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Takes mail from the Internet and has a Recipient Access Table.
    Public,
    /// Takes mail from inside and has none.
    Private,
    /// Takes everything and delivers nothing.
    BlackHole,
}

impl Scope {
    /// Gives the word of the banner.
    pub fn label(self) -> &'static str {
        match self {
            Scope::Public => "Public",
            Scope::Private => "Private",
            Scope::BlackHole => "Black hole",
        }
    }
}

/// Holds one listener.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// Case-sensitive name.
    pub name: String,
    /// Name of the IP interface.
    pub interface: String,
    /// Address of the interface, IPv4.
    pub address: String,
    /// TCP port.
    pub port: u16,
    /// For whom it is there.
    pub scope: Scope,
    /// Appended to senders without a domain; empty for none.
    pub default_domain: String,
    /// Connections at the same time.
    pub max_connections: u32,
    /// TCP listen queue.
    pub tcp_queue: u32,
    /// Adds a `Received:` header.
    pub received_header: bool,
    /// Name of the bounce profile.
    pub bounce_profile: String,
    /// Name of the certificate; empty while there is none, and then the demo certificate stands in.
    pub certificate: String,
    /// Host access table.
    pub hat: Hat,
    /// Recipient access table; public listeners only.
    pub rat: Option<Rat>,
}

impl Listener {
    /// Gives the public listener of a new gateway.
    pub fn incoming() -> Listener {
        Listener {
            name: "IncomingMail".into(),
            interface: "Data 1".into(),
            address: "192.0.2.10".into(),
            port: 25,
            scope: Scope::Public,
            default_domain: String::new(),
            max_connections: 300,
            tcp_queue: 50,
            received_header: true,
            bounce_profile: "Default".into(),
            certificate: String::new(),
            hat: Hat::public(),
            rat: Some(Rat::default()),
        }
    }

    /// Gives the private listener of a new gateway.
    pub fn outgoing() -> Listener {
        Listener {
            name: "OutgoingMail".into(),
            interface: "Data 2".into(),
            address: "192.0.2.11".into(),
            scope: Scope::Private,
            hat: Hat::private(),
            rat: None,
            ..Listener::incoming()
        }
    }

    /// Writes the listener as one line of the banner, without its number.
    pub fn banner(&self) -> String {
        format!("{} (on {}, {}) SMTP TCP Port {} {}", self.name, self.interface, self.address, self.port, self.scope.label())
    }

    /// Writes the lines that stand above the EDIT menu.
    pub fn summary(&self) -> String {
        let or_none = |text: &str| if text.is_empty() { "None Configured".to_owned() } else { text.to_owned() };
        let tls = match self.hat.defaults.text("tls").as_deref() {
            Some("on") => "Preferred",
            Some("required") => "Required",
            _ => "No",
        };
        let domain = if self.default_domain.is_empty() { "None Configured" } else { &self.default_domain };
        format!(
            "Name: {}\nType: {}\nInterface: {} ({}/24) TCP Port {}\nProtocol: SMTP\nDefault Domain: {domain}\n\
             Max Concurrent Connections: {} (TCP Queue: {})\nDomain Map: Disabled\nTLS: {tls}\nCertificate: {}\n\
             SMTP Authentication: Disabled\nBounce Profile: {}\nUse SenderBase For Reputation Filters and IP Profiling: Yes\n\
             Footer: None\nHeading: None\nSMTP Call-Ahead: Disabled\nLDAP: Off\n",
            self.name,
            self.scope.label(),
            self.interface,
            self.address,
            self.port,
            self.max_connections,
            self.tcp_queue,
            or_none(&self.certificate),
            self.bounce_profile,
        )
    }
}
