//! Brings a message to a door, as the server that it is said to come from.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use lettre::transport::smtp::client::{AsyncSmtpConnection, CertificateStore, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedReceiver;

use super::{Door, Office};
use crate::sandbox::exchange::Submission;
use crate::sandbox::oracle::{self, Content, End, Entry, Message, Outcome, Peer, Place, Reply};

/// Is what a door answers to a recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The message was taken for it.
    Taken,
    /// It was refused: with the connection, the sender, the recipient or the content.
    Refused(Reply),
    /// The connection was closed without a word.
    Closed,
}

/// Holds what was answered for each recipient, and whether TLS was spoken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Recipients and answers.
    pub answers: Vec<(String, Answer)>,
    /// TLS was spoken.
    pub tls: bool,
}

/// Sends a message to a port of loopback as `peer`: TLS is spoken where it is offered and the peer speaks it.
pub async fn send(port: u16, peer: &Peer, message: &Message) -> io::Result<Sent> {
    send_after(port, peer, message, 0).await
}

async fn send_after(port: u16, peer: &Peer, message: &Message, hops: usize) -> io::Result<Sent> {
    let all = |answer: &Answer, tls: bool| Sent {
        answers: message.recipients.iter().map(|recipient| (recipient.clone(), answer.clone())).collect(),
        tls,
    };
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.set_nodelay(true)?;
    read_line(&mut stream).await?;
    stream.write_all(attributes(peer, hops).as_bytes()).await?;
    // The answer to XCLIENT is the greeting that is meant for the peer.
    let name = ClientId::Domain(peer.host.clone().unwrap_or_else(|| "unknown".into()));
    let mut connection = match AsyncSmtpConnection::connect_with_transport(Box::new(stream), &name).await {
        Ok(connection) => connection,
        Err(error) => return Ok(all(&refusal(&error), false)),
    };
    let mut tls = false;
    if peer.uses_tls && connection.can_starttls() {
        // The certificate is a demonstration; whom one talks to is known on loopback.
        let parameters = TlsParameters::builder("localhost".into())
            .certificate_store(CertificateStore::None)
            .dangerous_accept_invalid_certs(true)
            .build();
        let parameters = parameters.map_err(io::Error::other)?;
        connection.starttls(parameters, &name).await.map_err(io::Error::other)?;
        tls = true;
    }
    if let Err(answer) = said(connection.command(format!("MAIL FROM:<{}>\r\n", message.sender)).await) {
        connection.abort().await;
        return Ok(all(&answer, tls));
    }
    let mut answers = Vec::new();
    for recipient in &message.recipients {
        let answer = match said(connection.command(format!("RCPT TO:<{recipient}>\r\n")).await) {
            Ok(()) => Answer::Taken,
            Err(answer) => answer,
        };
        answers.push((recipient.clone(), answer));
    }
    if answers.iter().any(|(_, answer)| *answer == Answer::Taken) {
        let whole = match said(connection.command("DATA\r\n").await) {
            Ok(()) => said(connection.message(wire(&message.content).as_bytes()).await),
            refused => refused,
        };
        if let Err(refused) = whole {
            for (_, answer) in answers.iter_mut().filter(|(_, answer)| *answer == Answer::Taken) {
                *answer = refused.clone();
            }
        }
    }
    // All was answered; the end of the conversation is a courtesy.
    let _ = connection.quit().await;
    Ok(Sent { answers, tls })
}

/// Brings what is sent from mailboxes to their door.
pub(super) async fn submit(mut submissions: UnboundedReceiver<Submission>, office: Arc<Office>) {
    while let Some(Submission { from, to, headers, text }) = submissions.recv().await {
        let Some(port) = office.ports.get(&Door::Mailbox) else { continue };
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let content = Content::new(&headers, &text);
        let message = Message { entry: Entry::Mailbox, peer: office.usual_peer(), sender: from, recipients: to, content };
        if let Err(error) = send(*port, &message.peer, &message).await {
            tracing::error!("a message from a mailbox is lost: {error}");
        }
    }
}

/// Brings a message from one service to the next. Gives its end, where it is not taken there.
pub(super) async fn forward(office: &Arc<Office>, message: &Message, hops: usize) -> Option<End> {
    let recipient = message.recipients.first().cloned().unwrap_or_default();
    let (door, place) = match &message.entry {
        Entry::Listener(name) => (Door::Listener(name.clone()), Place::Gateway(name.clone())),
        Entry::Tenant | Entry::Mailbox => (Door::Tenant, Place::Tenant),
    };
    let end = |outcome: Outcome| Some(End { recipient: recipient.clone(), outcome, content: message.content.clone() });
    if hops >= oracle::MOST_HOPS {
        return end(Outcome::Stuck { at: place, why: oracle::GOES_ROUND.into() });
    }
    let Some(port) = office.ports.get(&door) else {
        return end(Outcome::Stuck { at: place, why: "there is no door".into() });
    };
    let sent = match send_after(*port, &message.peer, message, hops).await {
        Ok(sent) => sent,
        Err(error) => return end(Outcome::Stuck { at: place, why: error.to_string() }),
    };
    match sent.answers.into_iter().next() {
        Some((_, Answer::Taken)) => None,
        Some((_, Answer::Refused(reply))) => end(Outcome::Rejected { by: place, reply }),
        Some((_, Answer::Closed)) | None => end(Outcome::ConnectionRefused { by: place }),
    }
}

/// Reads a line and nothing behind it.
async fn read_line(stream: &mut TcpStream) -> io::Result<()> {
    while stream.read_u8().await? != b'\n' {}
    Ok(())
}

/// Writes the verb that says who connects.
fn attributes(peer: &Peer, hops: usize) -> String {
    let address = if peer.address.is_ipv6() { format!("IPV6:{}", peer.address) } else { peer.address.to_string() };
    let name = peer.host.as_deref().map_or_else(|| "[UNAVAILABLE]".to_owned(), encode);
    let mut line = format!("XCLIENT ADDR={address} NAME={name} HOPS={hops}");
    if let Some(score) = peer.reputation {
        line.push_str(&format!(" REPUTATION={score}"));
    }
    if let Some(owner) = peer.organization {
        line.push_str(&format!(" ORGANIZATION={owner}"));
    }
    for name in &peer.certificate {
        line.push_str(&format!(" CERTIFICATE={}", encode(name)));
    }
    line.push_str("\r\n");
    line
}

/// Writes xtext.
fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_graphic() && !matches!(byte, b'+' | b'=') {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("+{byte:02X}"));
        }
        text
    })
}

/// Writes a message as it goes over the wire, without its last line end, which goes with the dot.
fn wire(content: &Content) -> String {
    let text = content.text().replace('\n', "\r\n");
    text.strip_suffix("\r\n").unwrap_or(&text).to_owned()
}

fn said(result: Result<Response, lettre::transport::smtp::Error>) -> Result<(), Answer> {
    result.map(|_| ()).map_err(|error| refusal(&error))
}

/// Takes the answer out of an error.
fn refusal(error: &lettre::transport::smtp::Error) -> Answer {
    match error.status() {
        None => Answer::Closed,
        Some(code) => {
            let text = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            Answer::Refused(Reply::new(code.to_string().parse().unwrap_or_default(), text))
        }
    }
}
