//! Hands one message over by SMTP, as another mail server would: with TLS where it is offered, whatever the certificate says.

use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::client::{AsyncSmtpConnection, CertificateStore, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;
use time::OffsetDateTime;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::ladder::{Handed, Refused, Stage};
use super::message::Message;

/// For a connection, and for a reply (RFC 5321, 4.5.3.2, asks for five minutes and more where a server may be busy).
const CONNECTING: Duration = Duration::from_secs(20);
const REPLY: Duration = Duration::from_mins(2);
const CONTENT: Duration = Duration::from_mins(5);

type Smtp = lettre::transport::smtp::Error;

/// A conversation on its way.
struct Conversation<'a> {
    server: &'a str,
    stage: Stage,
}

/// Hands the message over to `HOST:PORT`.
pub(super) async fn hand_over(server: &str, message: &Message) -> Result<Handed, Refused> {
    let mut at = Conversation { server, stage: Stage::Sender };
    let from = message.from.as_deref().map(str::parse::<Address>).transpose().map_err(|error| at.refused(error.to_string()))?;
    at.stage = Stage::Recipient;
    let to: Address = message.to.parse().map_err(|error: lettre::address::AddressError| at.refused(error.to_string()))?;

    at.stage = Stage::Connect;
    let stream = match timeout(CONNECTING, TcpStream::connect(server)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(at.refused(error.to_string())),
        Err(_) => return Err(at.refused(format!("no answer within {} s", CONNECTING.as_secs()))),
    };
    let hello = match stream.local_addr() {
        Ok(std::net::SocketAddr::V4(own)) => ClientId::Ipv4(*own.ip()),
        Ok(std::net::SocketAddr::V6(own)) => ClientId::Ipv6(*own.ip()),
        Err(_) => ClientId::default(),
    };
    at.stage = Stage::Greeting;
    let mut connection = at.waited(REPLY, AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello)).await?;
    if connection.can_starttls() {
        at.stage = Stage::Tls;
        let host = server.rsplit_once(':').map_or(server, |(host, _)| host).trim_matches(['[', ']']).to_owned();
        // Other mail servers take any certificate, too: the gateway may have its demonstration certificate.
        let parameters = TlsParameters::builder(host)
            .certificate_store(CertificateStore::None)
            .dangerous_accept_invalid_certs(true)
            .dangerous_accept_invalid_hostnames(true)
            .build()
            .map_err(|error| at.failed(&error))?;
        at.waited(REPLY, connection.starttls(parameters, &hello)).await?;
    }
    at.stage = Stage::Sender;
    at.reply(&mut connection, Mail::new(from, Vec::new())).await?;
    at.stage = Stage::Recipient;
    at.reply(&mut connection, Rcpt::new(to, Vec::new())).await?;
    at.stage = Stage::Content;
    at.reply(&mut connection, Data).await?;
    let wire = message.wire(OffsetDateTime::now_utc());
    let response = at.waited(CONTENT, connection.message(wire.as_bytes())).await?;
    let encrypted = connection.is_encrypted();
    // The message is taken; whether the server hears the goodbye does not matter.
    let _ = timeout(CONNECTING, connection.quit()).await;
    Ok(Handed { server: server.to_owned(), encrypted, words: words(&response) })
}

impl Conversation<'_> {
    /// Sends a command. After a refusal the connection is ended.
    async fn reply(&self, connection: &mut AsyncSmtpConnection, command: impl std::fmt::Display) -> Result<Response, Refused> {
        let outcome = self.waited(REPLY, connection.command(command)).await;
        if outcome.is_err() {
            let _ = timeout(CONNECTING, connection.abort()).await;
        }
        outcome
    }

    async fn waited<T>(&self, limit: Duration, work: impl Future<Output = Result<T, Smtp>>) -> Result<T, Refused> {
        match timeout(limit, work).await {
            Ok(outcome) => outcome.map_err(|error| self.failed(&error)),
            Err(_) => Err(self.refused(format!("no reply within {} s", limit.as_secs()))),
        }
    }

    fn failed(&self, error: &Smtp) -> Refused {
        let source = std::error::Error::source(error).map(ToString::to_string);
        Refused {
            code: error.status().map(u16::from),
            words: source.filter(|words| !words.is_empty()).unwrap_or_else(|| error.to_string()),
            ..self.refused(String::new())
        }
    }

    fn refused(&self, words: String) -> Refused {
        Refused { server: self.server.to_owned(), stage: self.stage, code: None, words }
    }
}

fn words(response: &Response) -> String {
    let lines: Vec<&str> = response.message().collect();
    format!("{} {}", response.code(), lines.join(" ")).trim().to_owned()
}
