//! One message as it comes in: who connects, the envelope, headers and body.

use std::net::IpAddr;

/// Says where a message enters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A listener of the gateway, by name.
    Listener(String),
    /// The tenant's own mail exchanger.
    Tenant,
    /// A mailbox of the tenant: the sender is logged in.
    Mailbox,
}

/// Holds what a server knows of the other side of a connection.
#[derive(Clone, Debug, PartialEq)]
pub struct Peer {
    /// Address.
    pub address: IpAddr,
    /// Host name that belongs to the address; nothing where there is none.
    pub host: Option<String>,
    /// SenderBase reputation, -10 to 10; nothing where there is none.
    pub reputation: Option<f64>,
    /// SenderBase organization.
    pub organization: Option<u64>,
    /// Speaks TLS wherever it is offered, as servers of the Internet do.
    pub uses_tls: bool,
    /// Names of the client certificate, where one is shown over TLS.
    pub certificate: Vec<String>,
}

impl Peer {
    /// Gives a server with an address and a name that speaks TLS and shows no certificate.
    pub fn new(address: IpAddr, host: Option<&str>) -> Peer {
        Peer {
            address,
            host: host.map(str::to_owned),
            reputation: None,
            organization: None,
            uses_tls: true,
            certificate: Vec::new(),
        }
    }
}

/// Holds headers in order, and a body. Lines end in `\n`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// Names and unfolded values.
    pub headers: Vec<(String, String)>,
    /// The text behind the blank line.
    pub body: String,
}

impl Content {
    /// Makes a content of pairs and a body.
    pub fn new(headers: &[(&str, &str)], body: &str) -> Content {
        Content {
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            body: body.to_owned(),
        }
    }

    /// Reads a text: header lines, a blank line, the body. A first line that is no header begins the body.
    pub fn parse(text: &str) -> Content {
        let text = text.replace("\r\n", "\n");
        let mut headers: Vec<(String, String)> = Vec::new();
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (line, behind) = rest.split_once('\n').unwrap_or((rest, ""));
            if line.is_empty() {
                rest = behind;
                break;
            }
            if let (true, Some((_, value))) = (line.starts_with([' ', '\t']), headers.last_mut()) {
                value.push(' ');
                value.push_str(line.trim());
            } else {
                match line.split_once(':') {
                    Some((name, value)) if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic()) => {
                        headers.push((name.to_owned(), value.trim().to_owned()));
                    }
                    _ => break,
                }
            }
            rest = behind;
        }
        Content { headers, body: rest.to_owned() }
    }

    /// Gives all values of a header, by its name in any case.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Gives the first value of a header.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Takes a header away, however often it stands there.
    pub fn strip(&mut self, name: &str) {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    }

    /// Counts bytes as they go over a wire, where a line ends in two.
    pub fn size(&self) -> u64 {
        let headers: usize = self.headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
        headers as u64 + 2 + self.body_size()
    }

    /// Counts the bytes of the body.
    pub fn body_size(&self) -> u64 {
        (self.body.len() + self.body.matches('\n').count()) as u64
    }

    /// Tells whether there are no parts and no attachments, so that the body is the text that stands there.
    pub fn is_plain(&self) -> bool {
        let kind = self.value("Content-Type").unwrap_or("text/plain").to_lowercase();
        let encoding = self.value("Content-Transfer-Encoding").unwrap_or("7bit").to_lowercase();
        kind.starts_with("text/plain")
            && matches!(encoding.trim(), "7bit" | "8bit" | "binary")
            && self.value("Content-Disposition").is_none()
    }

    /// Writes header lines, a blank line, and the body.
    pub fn text(&self) -> String {
        let mut text: String = self.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        text.push('\n');
        text.push_str(&self.body);
        text
    }
}

/// Holds one message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Where it enters.
    pub entry: Entry,
    /// Who brings it; of no account for a mailbox.
    pub peer: Peer,
    /// Envelope sender; empty for a bounce.
    pub sender: String,
    /// Envelope recipients.
    pub recipients: Vec<String>,
    /// Headers and body.
    pub content: Content,
}

/// Gives the part behind the last `@`, in lower case; nothing where there is none.
pub(super) fn domain_of(address: &str) -> Option<String> {
    address.rsplit_once('@').map(|(_, domain)| domain.to_lowercase()).filter(|domain| !domain.is_empty())
}

/// Tells whether a name lies below a domain: `a.b.example` below `b.example`, and not `b.example` itself.
pub(super) fn lies_below(name: &str, domain: &str) -> bool {
    let (name, domain) = (name.to_lowercase(), domain.to_lowercase());
    name.strip_suffix(&domain).is_some_and(|front| front.len() > 1 && front.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_and_written() {
        let content = Content::parse("Subject: one\r\n two\r\nX-A: b\r\n\r\nbody: yes\r\n");
        assert_eq!(content, Content::new(&[("Subject", "one two"), ("X-A", "b")], "body: yes\n"));
        assert_eq!(Content::parse(&content.text()), content);
        assert_eq!(Content::parse("no header\n").body, "no header\n");
        assert_eq!(Content::parse("").text(), "\n");
    }

    #[test]
    fn a_name_lies_below_its_domain_and_not_below_another() {
        assert!(lies_below("Mail.Protection.Outlook.com", "protection.outlook.com"));
        assert!(!lies_below("protection.outlook.com", "protection.outlook.com"));
        assert!(!lies_below("xprotection.outlook.com", "protection.outlook.com"));
        assert!(!lies_below(".outlook.com", "outlook.com"));
    }
}
