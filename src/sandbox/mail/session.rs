//! One SMTP connection, from its greeting to its end. What is answered is the oracle's to say.

use std::net::IpAddr;
use std::sync::Arc;

use smtp_proto::Request;
use smtp_proto::request::receiver::DataReceiver;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{Door, Office, records, sending};
use crate::sandbox::oracle::gateway::{self as listener, Admission, Greeting};
use crate::sandbox::oracle::tenant::{self, Arrival};
use crate::sandbox::oracle::{Content, Entry, Journey, Message, Peer, Reply, World};

/// The most bytes of a command line.
const LONGEST: usize = 8192;
/// The most bytes of a message that any door takes.
const LARGEST: usize = 64 << 20;

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// How a connection goes on after an answer.
enum Next {
    On,
    /// TLS begins.
    Tls,
    /// It is over.
    End,
}

/// What a connection was let in as.
enum Inside {
    Listener(Box<Admission>),
    Tenant,
}

struct Session {
    office: Arc<Office>,
    door: Door,
    peer: Peer,
    hops: usize,
    inside: Option<Inside>,
    greeted: bool,
    tls: bool,
    helo: bool,
    sender: Option<String>,
    arrival: Option<Arrival>,
    typed: Vec<String>,
    recipients: Vec<String>,
}

/// Talks to one client.
pub(super) async fn run(stream: TcpStream, door: Door, office: Arc<Office>) {
    let peer = office.usual_peer();
    let told = office.options.peer.is_some();
    let mut session = Session {
        office,
        door,
        peer,
        hops: 0,
        inside: None,
        greeted: false,
        tls: false,
        helo: false,
        sender: None,
        arrival: None,
        typed: Vec::new(),
        recipients: Vec::new(),
    };
    // A connection that breaks has nobody to be told of it.
    let _ = session.talk(stream, told).await;
}

impl Session {
    async fn talk(&mut self, stream: TcpStream, told: bool) -> std::io::Result<()> {
        let mut stream: BufReader<Box<dyn Stream>> = BufReader::new(Box::new(stream));
        // Who connects is told by XCLIENT, which needs a greeting first; it is meant for whoever comes where the options say who that is.
        if told {
            if !self.greet(&mut stream).await? {
                return Ok(());
            }
        } else {
            self.write(&mut stream, &Reply::new(220, "sandbox ESMTP")).await?;
        }
        loop {
            let mut line = Vec::new();
            let read = tokio::io::AsyncReadExt::take(&mut stream, LONGEST as u64).read_until(b'\n', &mut line).await?;
            if read == 0 {
                return Ok(());
            }
            if line.last() != Some(&b'\n') {
                return self.write(&mut stream, &Reply::new(500, "5.5.2 Line too long")).await;
            }
            match self.command(&mut stream, &line).await? {
                Next::On => {}
                Next::End => return Ok(()),
                Next::Tls => {
                    // What was sent ahead of the handshake is not part of the conversation.
                    let plain = stream.into_inner();
                    stream = BufReader::new(Box::new(self.office.acceptor.accept(plain).await?));
                    self.tls = true;
                    self.helo = false;
                    self.forget();
                }
            }
        }
    }

    async fn write(&self, stream: &mut BufReader<Box<dyn Stream>>, reply: &Reply) -> std::io::Result<()> {
        let lines: Vec<&str> = reply.text.lines().collect();
        let mut text = String::new();
        for (at, line) in lines.iter().enumerate() {
            let sign = if at + 1 == lines.len() { ' ' } else { '-' };
            text.push_str(&format!("{}{sign}{line}\r\n", reply.code));
        }
        if lines.is_empty() {
            text = format!("{} \r\n", reply.code);
        }
        stream.get_mut().write_all(text.as_bytes()).await?;
        stream.get_mut().flush().await
    }

    /// Says how the peer is answered. Gives false when the connection is over.
    async fn greet(&mut self, stream: &mut BufReader<Box<dyn Stream>>) -> std::io::Result<bool> {
        match self.enter() {
            Ok(welcome) => {
                self.write(stream, &welcome).await?;
                Ok(true)
            }
            Err(reply) => {
                if let Some(reply) = reply {
                    self.write(stream, &reply).await?;
                }
                Ok(false)
            }
        }
    }

    /// Lets the peer in. Nothing is said to one whose connection is refused.
    fn enter(&mut self) -> Result<Reply, Option<Reply>> {
        let world = self.office.world();
        self.greeted = true;
        match &self.door {
            Door::Listener(name) => match listener::greet(&world, name, &self.peer) {
                Greeting::Open(admission) => {
                    let welcome = admission.banner().unwrap_or_else(|| Reply::new(220, "esa.example.com ESMTP"));
                    self.inside = Some(Inside::Listener(Box::new(admission)));
                    Ok(welcome)
                }
                Greeting::Rejected(_, reply) => Err(Some(reply)),
                Greeting::Refused(_) => Err(None),
                Greeting::Unknown(why) => Err(Some(Reply::new(451, format!("4.3.0 This stand-in cannot say: {why}")))),
            },
            Door::Tenant => match tenant::connect(&world, &self.peer) {
                Ok(_) => {
                    self.inside = Some(Inside::Tenant);
                    Ok(Reply::new(220, "contoso.mail.protection.outlook.com Microsoft ESMTP MAIL Service ready"))
                }
                Err(reply) => Err(Some(reply)),
            },
            Door::Mailbox => {
                self.inside = Some(Inside::Tenant);
                Ok(Reply::new(220, "smtp.office365.com ready"))
            }
        }
    }

    fn forget(&mut self) {
        self.sender = None;
        self.arrival = None;
        self.typed.clear();
        self.recipients.clear();
    }

    fn offers_tls(&mut self) -> bool {
        if !self.greeted && self.enter().is_err() {
            // It is told at its first MAIL.
            self.greeted = false;
            self.inside = None;
            return false;
        }
        match &self.inside {
            Some(Inside::Listener(admission)) => admission.offers_tls(),
            Some(Inside::Tenant) => true,
            None => false,
        }
    }

    async fn command(&mut self, stream: &mut BufReader<Box<dyn Stream>>, line: &[u8]) -> std::io::Result<Next> {
        let text = String::from_utf8_lossy(line);
        if text.get(..7).is_some_and(|verb| verb.eq_ignore_ascii_case("XCLIENT")) {
            return match self.become_other(text.get(7..).unwrap_or_default()) {
                Err(reason) => self.write(stream, &Reply::new(501, format!("5.5.4 {reason}"))).await.map(|()| Next::On),
                Ok(()) => Ok(if self.greet(stream).await? { Next::On } else { Next::End }),
            };
        }
        let reply = match Request::parse(&mut line.iter()) {
            Ok(Request::Ehlo { .. }) => {
                self.helo = true;
                self.forget();
                let mut lines = vec!["sandbox".to_owned(), "8BITMIME".into(), format!("SIZE {LARGEST}")];
                if !self.tls && self.offers_tls() {
                    lines.push("STARTTLS".into());
                }
                lines.push("XCLIENT NAME ADDR HELO REPUTATION ORGANIZATION CERTIFICATE HOPS".into());
                Reply::new(250, lines.join("\n"))
            }
            Ok(Request::Helo { .. }) => {
                self.helo = true;
                self.forget();
                Reply::new(250, "sandbox")
            }
            Ok(Request::StartTls) if self.tls => Reply::new(503, "5.5.1 TLS is already in use"),
            Ok(Request::StartTls) if !self.offers_tls() => Reply::new(502, "5.5.1 STARTTLS is not offered"),
            Ok(Request::StartTls) => {
                self.write(stream, &Reply::new(220, "2.0.0 Go ahead")).await?;
                return Ok(Next::Tls);
            }
            Ok(Request::Mail { from }) => match self.mail_from_anybody(stream, &from.address).await? {
                Some(reply) => reply,
                None => return Ok(Next::End),
            },
            // An address without a domain is not for the parser to refuse, but for the listener.
            Err(smtp_proto::Error::InvalidSenderAddress) => match self.mail_from_anybody(stream, bracketed(&text)).await? {
                Some(reply) => reply,
                None => return Ok(Next::End),
            },
            Err(smtp_proto::Error::InvalidRecipientAddress) => self.recipient(bracketed(&text)),
            Ok(Request::Rcpt { to }) => self.recipient(&to.address),
            Ok(Request::Data) if self.recipients.is_empty() => Reply::new(503, "5.5.1 No recipient was taken"),
            Ok(Request::Data) => {
                self.write(stream, &Reply::new(354, "Send the message, and a single dot at its end")).await?;
                match read_content(stream).await? {
                    Some(content) => self.take(content),
                    None => Reply::new(552, "5.3.4 The message is too large"),
                }
            }
            Ok(Request::Rset) => {
                self.forget();
                Reply::new(250, "2.0.0 Ok")
            }
            Ok(Request::Noop { .. }) => Reply::new(250, "2.0.0 Ok"),
            Ok(Request::Quit) => {
                self.write(stream, &Reply::new(221, "2.0.0 Bye")).await?;
                return Ok(Next::End);
            }
            Ok(other) => Reply::new(502, format!("5.5.1 {} is not known here", other.name())),
            Err(error) => Reply::new(500, format!("5.5.2 Not understood: {error:?}")),
        };
        self.write(stream, &reply).await?;
        Ok(Next::On)
    }

    /// Takes a sender; who connects is let in first, where nobody has said who that is. Gives nothing when the connection is over.
    async fn mail_from_anybody(
        &mut self,
        stream: &mut BufReader<Box<dyn Stream>>,
        address: &str,
    ) -> std::io::Result<Option<Reply>> {
        if !self.greeted
            && let Err(reply) = self.enter()
        {
            if let Some(reply) = reply {
                self.write(stream, &reply).await?;
            }
            return Ok(None);
        }
        Ok(Some(self.mail(address)))
    }

    /// Takes the attributes of XCLIENT. The conversation begins anew then.
    fn become_other(&mut self, attributes: &str) -> Result<(), String> {
        let mut peer = Peer::new(self.peer.address, None);
        for word in attributes.split_whitespace() {
            let (name, value) = word.split_once('=').ok_or("an attribute has no value")?;
            let value = decode(value);
            let known = !matches!(value.as_str(), "[UNAVAILABLE]" | "[TEMPUNAVAIL]");
            match name.to_ascii_uppercase().as_str() {
                "ADDR" => {
                    let address = value.strip_prefix("IPV6:").or_else(|| value.strip_prefix("IPv6:")).unwrap_or(&value);
                    peer.address = address.parse::<IpAddr>().map_err(|_| format!("{value} is no address"))?;
                }
                "NAME" => peer.host = known.then_some(value),
                "REPUTATION" => peer.reputation = Some(value.parse().map_err(|_| format!("{value} is no score"))?),
                "ORGANIZATION" => peer.organization = Some(value.parse().map_err(|_| format!("{value} is no number"))?),
                "CERTIFICATE" => peer.certificate.push(value),
                "HOPS" => self.hops = value.parse().map_err(|_| format!("{value} is no number"))?,
                "HELO" | "PROTO" | "PORT" | "LOGIN" | "DESTADDR" | "DESTPORT" => {}
                other => return Err(format!("{other} is not known here")),
            }
        }
        self.peer = peer;
        self.inside = None;
        self.greeted = false;
        self.helo = false;
        self.forget();
        Ok(())
    }

    fn mail(&mut self, address: &str) -> Reply {
        if self.sender.is_some() {
            return Reply::new(503, "5.5.1 There is a sender already");
        }
        if !self.helo {
            return Reply::new(503, "5.5.1 Say EHLO first");
        }
        let world = self.office.world();
        self.peer.uses_tls = self.tls;
        let taken = match (&self.inside, &self.door) {
            (Some(Inside::Listener(admission)), _) => listener::sender(admission, self.tls, false, address),
            (_, Door::Mailbox) => {
                self.arrival = Some(Arrival::of_mailbox());
                Ok(address.to_owned())
            }
            (_, _) => {
                // A certificate is shown in the handshake.
                let peer =
                    Peer { certificate: if self.tls { self.peer.certificate.clone() } else { Vec::new() }, ..self.peer.clone() };
                tenant::sender(&world, &peer, self.tls, address).map(|arrival| {
                    self.arrival = Some(arrival);
                    address.to_owned()
                })
            }
        };
        match taken {
            Ok(sender) => {
                self.sender = Some(sender);
                Reply::new(250, format!("sender <{address}> ok"))
            }
            Err(reply) => reply,
        }
    }

    fn recipient(&mut self, address: &str) -> Reply {
        if self.sender.is_none() {
            return Reply::new(503, "5.5.1 Say MAIL first");
        }
        let world = self.office.world();
        let (reply, taken) = match (&self.inside, &self.arrival) {
            (Some(Inside::Listener(admission)), _) => {
                let found = listener::recipient(&world, admission, self.recipients.len(), address);
                (found.reply, found.accepted.then_some(found.address))
            }
            (_, Some(arrival)) => match tenant::recipient(&world, arrival, address) {
                Ok(()) => (Reply::new(250, "2.1.5 Recipient OK"), Some(address.to_owned())),
                Err(reply) => (reply, None),
            },
            (_, None) => (Reply::new(503, "5.5.1 Say MAIL first"), None),
        };
        if let Some(taken) = taken {
            self.typed.push(address.to_owned());
            self.recipients.push(taken);
        }
        reply
    }

    /// Takes a message and sends it on its way.
    fn take(&mut self, content: Content) -> Reply {
        let world = self.office.world();
        let entry = match &self.door {
            Door::Listener(name) => Entry::Listener(name.clone()),
            Door::Tenant => Entry::Tenant,
            Door::Mailbox => Entry::Mailbox,
        };
        let message = Message {
            entry,
            peer: self.peer.clone(),
            sender: self.sender.clone().unwrap_or_default(),
            recipients: self.recipients.clone(),
            content,
        };
        let way = match (&self.inside, &self.arrival) {
            (Some(Inside::Listener(admission)), _) => {
                if let Some(reply) = listener::content(admission, &message.content) {
                    self.forget();
                    return reply;
                }
                Way::Listener(admission.clone())
            }
            (_, Some(arrival)) => Way::Tenant(arrival.clone()),
            _ => return Reply::new(503, "5.5.1 Say MAIL first"),
        };
        self.forget();
        let number = self.office.depart();
        let (office, hops) = (Arc::clone(&self.office), self.hops);
        tokio::spawn(async move {
            work(&office, &world, way, &message, number, hops).await;
            office.arrive();
        });
        Reply::new(250, format!("2.0.0 ok: Message {number} accepted"))
    }
}

enum Way {
    Listener(Box<Admission>),
    Tenant(Arrival),
}

/// Does with a taken message what stands behind the door, and brings what goes on to the next one.
async fn work(office: &Arc<Office>, world: &World, way: Way, message: &Message, number: u64, hops: usize) {
    let mut journey = Journey::default();
    let onward = match &way {
        Way::Listener(admission) => listener::work(world, admission, message, &mut journey),
        Way::Tenant(arrival) => tenant::work(world, arrival, message, &mut journey),
    };
    for next in &onward {
        let end = sending::forward(office, next, hops + 1).await;
        records::tell(office, way_group(&way), message, number, &next.recipients, end.as_ref(), &journey.steps);
        if let Some(end) = end {
            office.book().ends.push(end);
        }
    }
    for end in &journey.ends {
        let recipients = std::slice::from_ref(&end.recipient);
        records::tell(office, way_group(&way), message, number, recipients, Some(end), &journey.steps);
    }
    let mut book = office.book();
    book.steps.extend(journey.steps);
    book.ends.extend(journey.ends);
}

/// Names the sender group of a message at a listener; nothing in the tenant.
fn way_group(way: &Way) -> Option<&str> {
    match way {
        Way::Listener(admission) => Some(&admission.group),
        Way::Tenant(_) => None,
    }
}

/// Reads a message up to its dot. Nothing where it is too large; it is read to its end all the same.
async fn read_content(stream: &mut BufReader<Box<dyn Stream>>) -> std::io::Result<Option<Content>> {
    let mut receiver = DataReceiver::new();
    let mut bytes = Vec::new();
    // A dot in the first line ends the message, too.
    receiver.ingest(&mut b"\r\n".iter(), &mut bytes);
    bytes.clear();
    let mut whole = true;
    loop {
        let buffer = stream.fill_buf().await?;
        if buffer.is_empty() {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let length = buffer.len();
        let mut left = buffer.iter();
        let done = receiver.ingest(&mut left, &mut bytes);
        let used = length - left.len();
        stream.consume(used);
        if bytes.len() > LARGEST {
            whole = false;
            bytes.clear();
        }
        if done {
            break;
        }
    }
    Ok(whole.then(|| Content::parse(&String::from_utf8_lossy(&bytes))))
}

/// Gives what stands in angle brackets.
fn bracketed(line: &str) -> &str {
    line.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or("", |(address, _)| address)
}

/// Reads xtext: `+2B` is a plus sign.
fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'+' {
            bytes.push(byte);
            continue;
        }
        let digits: Vec<u8> = rest.by_ref().take(2).collect();
        let number = std::str::from_utf8(&digits).ok().and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.extend(number);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
