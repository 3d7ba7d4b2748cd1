//! The rungs against the real services: through the provider's data sources, SMTP and Microsoft Graph.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};
use tokio_util::sync::CancellationToken;

use super::ladder::{Handed, Refused, Seen, Stage, Steps, Traced, Tracked, Unsent};
use super::message::Message;
use super::{Via, smtp};
use crate::exchange::Exchange;
use crate::exchange::mail::Mail;
use crate::plugin::Configured;
use crate::provider::CATALOG;
use crate::remote::{Call, Error, Kind, shown};
use crate::schema::Record;
use crate::value::Value;

/// How long one reading may take.
const READING: Duration = Duration::from_mins(3);

/// How far around now the message is looked for: clocks differ.
const AROUND: time::Duration = time::Duration::hours(1);

/// A mail server of another tenant, as the gateway sees it: an address of Exchange Online's outbound ranges, and a name below the suffix that all
/// tenants share.
const FOREIGN_IP: &str = "40.107.22.104";
const FOREIGN_HOST: &str = "mail-verify.outbound.protection.outlook.com";
const FOREIGN_SENDER: &str = "someone@another-tenant.example";

/// The services of a run.
pub(super) struct Live {
    pub(super) configured: Arc<dyn Configured>,
    /// What sends from a mailbox, where the tenant is configured.
    pub(super) exchange: Option<Exchange>,
    pub(super) via: Via,
    /// Where to hand a message over, if the user says so.
    pub(super) smtp: Option<String>,
    progress: Progress,
}

impl Live {
    pub(super) fn new(configured: Arc<dyn Configured>, exchange: Option<Exchange>, via: Via, smtp: Option<String>) -> Live {
        Live { configured, exchange, via, smtp, progress: Progress { length: 0 } }
    }

    async fn read(&self, source: &str, config: Record) -> Result<Record, Error> {
        let source = CATALOG
            .data_source(source)
            .ok_or_else(|| Error::new(Kind::Unexpected, format!("The provider has no data source {source}.")))?;
        let call = Call::new(CancellationToken::new(), READING);
        self.configured.read_data(source, &config, &call).await
    }

    /// Where the gateway takes mail from the Internet: the addresses of its one public listener.
    async fn public_listener(&self) -> Result<Vec<String>, String> {
        let read = self.read("mailflow_gateway_listeners", Record::new()).await.map_err(|error| error.to_string())?;
        let public: Vec<Record> =
            records(read.get("listeners")).filter(|listener| listener.text("type") == Some("public")).collect();
        let [listener] = public.as_slice() else {
            let names: Vec<&str> = public.iter().filter_map(|listener| listener.text("name")).collect();
            return Err(format!("the gateway has {} public listeners ({})", public.len(), names.join(", ")));
        };
        let port = listener.integer("port").unwrap_or(25);
        let addresses: Vec<String> = listener.texts("addresses").into_iter().map(|address| server(address, port)).collect();
        if addresses.is_empty() {
            return Err(format!(
                "the gateway does not tell the address of its listener {}",
                listener.text("name").unwrap_or_default()
            ));
        }
        Ok(addresses)
    }

    /// The mail servers of a domain, those that are preferred first.
    async fn mx(&self, domain: &str) -> Result<Vec<String>, String> {
        let config = Record::new().with("domain", domain);
        let read = self.read("mailflow_dns_mx", config).await.map_err(|error| error.to_string())?;
        let hosts: Vec<String> =
            records(read.get("mx_records")).filter_map(|record| Some(server(record.text("host")?, 25))).collect();
        if hosts.is_empty() { Err(format!("the domain {domain} has no MX records")) } else { Ok(hosts) }
    }
}

/// `192.0.2.1:25`, `[2001:db8::1]:25`
fn server(host: &str, port: i64) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

fn records(list: &Value) -> impl Iterator<Item = Record> {
    list.as_elements().unwrap_or_default().iter().cloned().map(Record::from_value).collect::<Vec<_>>().into_iter()
}

/// A window around now, to the minute.
fn window() -> (String, String) {
    let now = OffsetDateTime::now_utc().to_offset(UtcOffset::UTC);
    let minute = |at: OffsetDateTime| at.replace_nanosecond(0).and_then(|at| at.replace_second(0)).unwrap_or(at);
    let text = |at: OffsetDateTime| minute(at).format(&Rfc3339).unwrap_or_default();
    (text(now - AROUND), text(now + time::Duration::minutes(5)))
}

#[async_trait]
impl Steps for Live {
    async fn hand_over(&mut self, message: &Message) -> Result<Handed, Refused> {
        let servers = match (&self.smtp, self.via) {
            (Some(server), _) => Ok(vec![server.clone()]),
            (None, Via::Gateway) => self.public_listener().await,
            (None, Via::Mx) => self.mx(message.domain()).await,
        };
        let servers = servers.map_err(|words| Refused { server: String::new(), stage: Stage::Address, code: None, words })?;
        let mut last = None;
        for server in servers {
            match smtp::hand_over(&server, message).await {
                // Nothing was sent: the next one may answer.
                Err(refused) if refused.stage == Stage::Connect => last = Some(refused),
                outcome => return outcome,
            }
        }
        Err(last.unwrap_or(Refused {
            server: String::new(),
            stage: Stage::Address,
            code: None,
            words: "there is no server".to_owned(),
        }))
    }

    async fn send(&mut self, message: &Message) -> Result<(), Unsent> {
        let Some(from) = &message.from else {
            return Err(Unsent::ByHand("no mailbox is named (--from ADDRESS).".to_owned()));
        };
        let Some(exchange) = &self.exchange else {
            return Err(Unsent::ByHand("the tenant is not configured.".to_owned()));
        };
        let mail =
            Mail { from: from.clone(), to: message.to.clone(), subject: message.subject(), text: Message::text().to_owned() };
        let call = Call::new(CancellationToken::new(), READING);
        exchange.send_mail(&mail, &call).await.map_err(|error| match error.kind {
            Kind::Denied => Unsent::ByHand(format!("{error}")),
            Kind::NotFound => Unsent::NoMailbox(format!("{error}")),
            _ => Unsent::Failed(error),
        })
    }

    async fn tracking(&mut self, message: &Message) -> Result<Vec<Tracked>, Error> {
        let (start, end) = window();
        let config = Record::new().with("start", start).with("end", end).with("subject", message.token.as_str());
        let read = self.read("mailflow_gateway_message_tracking", config).await?;
        let copies = records(read.get("messages")).flat_map(|found| {
            let text = |name: &str| found.text(name).unwrap_or_default().to_owned();
            let statuses: Vec<String> = found
                .get("message_status")
                .as_members()
                .into_iter()
                .flatten()
                .filter_map(|(_, status)| status.as_text().map(str::to_owned))
                .collect();
            let copy = |status: String| Tracked { status, host: text("host_name"), sender_group: text("sender_group") };
            if statuses.is_empty() { vec![copy("no status yet".to_owned())] } else { statuses.into_iter().map(copy).collect() }
        });
        Ok(copies.collect())
    }

    async fn message_trace(&mut self, message: &Message) -> Result<Vec<Seen>, Error> {
        let (start, end) = window();
        let config = Record::new()
            .with("start", start)
            .with("end", end)
            .with("recipient", message.to.as_str())
            .with("subject", message.token.as_str());
        let read = self.read("mailflow_exchange_message_trace", config).await?;
        let copy = |found: Record| Seen {
            status: found.text("status").unwrap_or_default().to_owned(),
            from_ip: found.text("from_ip").unwrap_or_default().to_owned(),
        };
        Ok(records(read.get("messages")).map(copy).collect())
    }

    async fn listeners(&mut self) -> Result<Vec<String>, Error> {
        let read = self.read("mailflow_gateway_listeners", Record::new()).await?;
        let takes_mail = |listener: &Record| listener.text("type") != Some("blackhole");
        Ok(records(read.get("listeners")).filter(takes_mail).filter_map(|one| one.text("name").map(str::to_owned)).collect())
    }

    async fn foreign(&mut self, message: &Message, listener: &str) -> Result<Traced, Error> {
        let headers = [("Subject", Value::text(message.subject()))];
        let config = Record::new()
            .with("listener", listener)
            .with("source_ip", FOREIGN_IP)
            .with("source_host", FOREIGN_HOST)
            .with("mail_from", message.from.as_deref().unwrap_or(FOREIGN_SENDER))
            .with("rcpt_to", Value::List(vec![Value::text(&message.to)]))
            .with("headers", Value::Map(headers.map(|(name, value)| (name.to_owned(), value)).into()))
            .with("body", Message::text());
        let read = self.read("mailflow_gateway_trace", config).await?;
        let text = |name: &str| read.text(name).unwrap_or_default().to_owned();
        let acted = |filter: Record| {
            let last = filter.texts("actions").last().map(|action| (*action).to_owned())?;
            Some((filter.text("name").unwrap_or_default().to_owned(), last))
        };
        Ok(Traced {
            outcome: text("outcome"),
            behavior: text("behavior"),
            sender_group: text("sender_group"),
            filter: records(read.get("filters")).filter_map(acted).last(),
            machine: read.text("machine").map(str::to_owned),
        })
    }

    fn progress(&mut self, line: &str) {
        self.progress.show(line);
    }

    fn instruct(&mut self, text: &str) {
        self.progress.clear();
        eprintln!("{}\n", shown(text));
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.progress.clear();
    }
}

/// One line on a terminal that says how far it is; nothing where there is no terminal.
struct Progress {
    length: usize,
}

impl Progress {
    fn show(&mut self, line: &str) {
        let mut out = std::io::stderr();
        if out.is_terminal() {
            let line: String = shown(line).chars().take(78).collect();
            self.clear();
            self.length = line.chars().count();
            // A terminal that is gone shows nothing.
            let _ = write!(out, "{line}").and_then(|()| out.flush());
        }
    }

    fn clear(&mut self) {
        if self.length > 0 {
            let mut out = std::io::stderr();
            let _ = write!(out, "\r{}\r", " ".repeat(self.length)).and_then(|()| out.flush());
            self.length = 0;
        }
    }
}
