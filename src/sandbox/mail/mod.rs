//! Carries mail between the stand-ins: SMTP at each listener of the gateway, at the tenant, and for the tenant's mailboxes.
//!
//! Each door is a port on loopback. What is said there is said by the oracle, step by step; what goes on is sent from door to door over real
//! sockets, with STARTTLS where the two sides agree on it. Servers of the Internet are not played: a message to one of them is at its end, and
//! is kept ([`PostOffice::take_ends`]).
//!
//! All connections come from loopback, so who connects is told by the verb XCLIENT, as Postfix documents it, with `ADDR`, `NAME` and
//! `HELO`, and attributes of our own: `REPUTATION`, `ORGANIZATION`, `CERTIFICATE` (the name of a client certificate) and `HOPS`. Without it the
//! other side is [`Options::peer`], or 127.0.0.1.
//!
//! What became of a message is shown by the gateway's message tracking and the tenant's message trace, as late as the options say.

#![expect(
    clippy::format_push_string,
    reason = "texts are short, and the result of `write!` to a string is one more thing to read"
)]

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::exchange::{self, Service};
use super::gateway::{self, Appliance};
use super::oracle::{Broken, End, Leads, Network, Peer, Step, Tenant, World};

mod records;
mod sending;
mod session;
#[cfg(test)]
mod tests;

pub use sending::{Answer, Sent, send};

/// Chooses how mail is carried.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What lies around the two services; the tenant's own hosts are added.
    pub network: Network,
    /// Who connects, where XCLIENT does not say it. Then the greeting is already meant for it.
    pub peer: Option<Peer>,
    /// How late the gateway's message tracking shows a message.
    pub tracking_delay: Duration,
    /// How late the tenant's message trace shows a message.
    pub trace_delay: Duration,
    /// The port of the first door, which the others follow: the listeners in the gateway's order, the tenant, the mailboxes. Left out, free
    /// ports are taken.
    pub first_port: Option<u16>,
    /// What stands in the tenant, instead of what its stand-in has: tests of mail alone.
    pub tenant: Option<Tenant>,
    /// A rule that the carriers do not keep, in tests.
    pub broken: Option<Broken>,
}

/// Says where a connection comes in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Door {
    /// A listener of the gateway.
    Listener(String),
    /// The tenant's mail exchanger.
    Tenant,
    /// The mailboxes of the tenant.
    Mailbox,
}

/// Holds what became of the messages that came in.
#[derive(Default)]
struct Book {
    ends: Vec<End>,
    steps: Vec<Step>,
    in_flight: usize,
    numbers: u64,
}

/// Is shared by all connections.
struct Office {
    options: Options,
    gateway: gateway::MailAccess,
    exchange: exchange::MailAccess,
    ports: BTreeMap<Door, u16>,
    acceptor: TlsAcceptor,
    book: Mutex<Book>,
    idle: Condvar,
}

/// Is a running carrier of mail. Dropping it closes its ports.
pub struct PostOffice {
    office: Arc<Office>,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for PostOffice {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("PostOffice").field("ports", &self.office.ports).finish_non_exhaustive()
    }
}

impl PostOffice {
    /// Opens a port for each listener that the gateway has now, for the tenant, and for its mailboxes.
    pub fn start(gateway: &Appliance, exchange: &Service, options: Options) -> io::Result<PostOffice> {
        let mut doors: Vec<Door> =
            gateway.configuration().listeners.iter().map(|listener| Door::Listener(listener.name.clone())).collect();
        doors.extend([Door::Tenant, Door::Mailbox]);
        let mut ports = BTreeMap::new();
        let mut listening = Vec::new();
        for (door, place) in doors.into_iter().zip(0_u16..) {
            let port = options.first_port.map_or(0, |first| first.saturating_add(place));
            let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| match port {
                0 => error,
                port => io::Error::new(error.kind(), format!("on port {port}: {error}")),
            })?;
            listener.set_nonblocking(true)?;
            ports.insert(door.clone(), listener.local_addr()?.port());
            listening.push((door, listener));
        }
        let office = Arc::new(Office {
            options,
            gateway: gateway.mail_access(),
            exchange: exchange.mail_access(),
            ports,
            acceptor: acceptor()?,
            book: Mutex::default(),
            idle: Condvar::new(),
        });
        let submissions = office.exchange.submissions();
        let stop = CancellationToken::new();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = {
            let (office, stop) = (Arc::clone(&office), stop.clone());
            std::thread::Builder::new().name("sandbox-mail".into()).spawn(move || {
                runtime.block_on(async {
                    tokio::spawn(sending::submit(submissions, Arc::clone(&office)));
                    for (door, listener) in listening {
                        match TcpListener::from_std(listener) {
                            Ok(listener) => drop(tokio::spawn(serve(listener, door, Arc::clone(&office)))),
                            Err(error) => tracing::error!("unable to listen: {error}"),
                        }
                    }
                    stop.cancelled().await;
                });
                runtime.shutdown_background();
            })?
        };
        Ok(PostOffice { office, stop, thread: Some(thread) })
    }

    /// Gives the port of a door on 127.0.0.1.
    pub fn port(&self, door: &Door) -> Option<u16> {
        self.office.ports.get(door).copied()
    }

    /// Gives all doors with their ports.
    pub fn ports(&self) -> &BTreeMap<Door, u16> {
        &self.office.ports
    }

    /// Gives what the oracle would be asked now.
    pub fn world(&self) -> World {
        self.office.world()
    }

    /// Waits until nothing is on its way any more. Gives false when that takes too long.
    pub fn settle(&self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        let mut book = self.office.book();
        while book.in_flight > 0 {
            let Some(left) = until.checked_duration_since(Instant::now()) else { return false };
            book = self.office.idle.wait_timeout(book, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Gives where messages ended since this was last asked, in the order in which they did.
    pub fn take_ends(&self) -> Vec<End> {
        std::mem::take(&mut self.office.book().ends)
    }

    /// Gives the steps of messages since this was last asked.
    pub fn take_steps(&self) -> Vec<Step> {
        std::mem::take(&mut self.office.book().steps)
    }
}

impl Drop for PostOffice {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed already.
            let _ = thread.join();
        }
    }
}

impl Office {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What stands on both services now.
    fn world(&self) -> World {
        let mut network = self.options.network.clone();
        for host in self.exchange.hosts() {
            network.host(&host, Leads::Tenant);
        }
        World {
            gateway: self.gateway.configuration(),
            tenant: self.options.tenant.clone().unwrap_or_else(|| Tenant::of(&self.exchange.snapshot())),
            network,
            broken: self.options.broken,
        }
    }

    /// Notes that a message is on its way, before anybody hears that it was taken.
    fn depart(&self) -> u64 {
        let mut book = self.book();
        book.in_flight += 1;
        book.numbers += 1;
        book.numbers
    }

    fn arrive(&self) {
        let mut book = self.book();
        book.in_flight -= 1;
        if book.in_flight == 0 {
            self.idle.notify_all();
        }
    }

    /// Who connects, where nobody says it.
    fn usual_peer(&self) -> Peer {
        let usual = || Peer::new(IpAddr::V4(Ipv4Addr::LOCALHOST), Some("localhost"));
        self.options.peer.clone().unwrap_or_else(usual)
    }
}

/// Takes connections at one door.
async fn serve(listener: TcpListener, door: Door, office: Arc<Office>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Short answers go at once; where that cannot be set, they go a little later.
                let _ = stream.set_nodelay(true);
                tokio::spawn(session::run(stream, door.clone(), Arc::clone(&office)));
            }
            // Too many open files: later.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Makes the demonstration certificate that all doors show.
fn acceptor() -> io::Result<TlsAcceptor> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned(), "esa.example.com".to_owned()]);
    let made = made.map_err(io::Error::other)?;
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let settings = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .map_err(io::Error::other)?;
    Ok(TlsAcceptor::from(Arc::new(settings)))
}
