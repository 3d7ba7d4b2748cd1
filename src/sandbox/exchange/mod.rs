//! A stand-in for the Exchange Online admin API, the token endpoint and the domains of Graph.
//!
//! One plain HTTP server on 127.0.0.1 stands for all three: `POST /{tenant}/oauth2/v2.0/token`,
//! `/adminapi/beta/{tenant}/…` and `GET /v1.0/domains…`. It keeps state, checks what the service checks, and answers
//! with the service's quirks rather than in the form that suits a client. It is written from the public record of the
//! interface, not from any client.
//!
//! | file | what it is |
//! |---|---|
//! | `nouns/` | one table per noun: parameters, types, defaults, checks |
//! | `bind`, `values`, `cmdlet`, `render` | a cmdlet's way over such a table: bind, form, run, answer |
//! | `admin`, `token`, `graph` | the three services |
//! | `backends` | the objects, and the view that each back end has of them |
//! | `faults`, `control`, `ledger` | what a test does to the stand-in, and learns from it |

mod admin;
mod assertion;
mod backends;
mod bind;
mod clock;
mod cmdlet;
mod control;
mod describe;
mod errors;
mod faults;
mod graph;
mod ledger;
mod noun;
mod nouns;
mod oddity;
mod options;
mod paging;
mod render;
mod reply;
mod server;
#[cfg(test)]
mod tests;
mod token;
mod trace;
mod values;
mod whims;
mod wire;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::{Map, Value};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_util::sync::CancellationToken;

pub use errors::Shape;
pub use faults::{Fault, RetryAfter, What};
pub(in crate::sandbox) use graph::Submission;
pub use ledger::{Call, Counts};
pub use oddity::Oddity;
pub use options::{Clearing, Options, Redirect};
pub use whims::Whim;
use world::World;

/// The parameters of every cmdlet of the stand-in that changes something, by the cmdlet's name.
pub fn parameters() -> BTreeMap<String, BTreeSet<String>> {
    cmdlet::parameters()
}

/// What a property of a transport rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sandbox) enum RulePart {
    /// It says which messages the rule is about.
    Condition,
    /// It says about which it is not.
    Exception,
    /// It says what happens to them.
    Action,
}

/// Says what a property of a transport rule is; nothing for a setting of the rule itself.
pub(in crate::sandbox) fn rule_part(name: &str) -> Option<RulePart> {
    match nouns::find("TransportRule")?.parameter(name)?.part {
        noun::Part::Condition(_) => Some(RulePart::Condition),
        noun::Part::Exception(_) => Some(RulePart::Exception),
        noun::Part::Action(_) => Some(RulePart::Action),
        noun::Part::Setting => None,
    }
}

/// What carries mail for a tenant: it reads what stands there, and writes message trace.
pub struct MailAccess(Arc<Shared>);

impl MailAccess {
    /// All objects, as in [`Service::snapshot`].
    pub(in crate::sandbox) fn snapshot(&self) -> Value {
        self.0.world().snapshot()
    }

    /// The hosts that take mail for the tenant's domains.
    pub(in crate::sandbox) fn hosts(&self) -> Vec<String> {
        let options = &self.0.world().options;
        let domains = options.domains.iter().chain([&options.organization]);
        domains.map(|domain| graph::mail_exchange(options, domain)).collect()
    }

    /// Gives what is sent from mailboxes from now on.
    pub(in crate::sandbox) fn submissions(&self) -> UnboundedReceiver<Submission> {
        let (outbox, submissions) = unbounded_channel();
        self.0.world().outbox = Some(outbox);
        submissions
    }

    /// Puts a message there for a trace to find, after a while.
    pub(in crate::sandbox) fn trace(&self, record: Value, delay: Duration) {
        self.0.world().trace_later(record, delay);
    }
}

/// A running stand-in. Dropping it closes all connections and ends its thread.
#[derive(Debug)]
pub struct Service {
    shared: Arc<Shared>,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

/// What the server's handlers and the handle share.
struct Shared {
    address: SocketAddr,
    world: Mutex<World>,
}

impl Service {
    /// Starts a stand-in on a thread of its own, with a seeded tenant; it answers as soon as this returns.
    pub fn start(options: Options) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let shared = Arc::new(Shared { address, world: Mutex::new(World::new(options)) });
        let stop = CancellationToken::new();
        let router = server::router(Arc::clone(&shared));
        let stopped = stop.clone();
        let thread = std::thread::Builder::new().name("exchange sandbox".into()).spawn(move || {
            runtime.block_on(async move {
                let door = match tokio::net::TcpListener::from_std(listener) {
                    Ok(listener) => wire::Door(listener),
                    Err(error) => return tracing::error!("unable to listen: {error}"),
                };
                let serve = axum::serve(door, router.into_make_service_with_connect_info::<wire::Scissors>());
                // Not graceful: an answer that is being held back on purpose would hold the end back too.
                tokio::select! {
                    () = stopped.cancelled() => {}
                    _ = serve => {}
                }
            });
        })?;
        Ok(Self { shared, stop, thread: Some(thread) })
    }

    /// The origin of all three services, `http://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        self.shared.url()
    }

    /// Access for what carries mail.
    pub fn mail_access(&self) -> MailAccess {
        MailAccess(Arc::clone(&self.shared))
    }

    /// The tenant's GUID.
    pub fn tenant(&self) -> String {
        self.shared.world().options.tenant_id.clone()
    }

    /// The tenant's initial domain.
    pub fn organization(&self) -> String {
        self.shared.world().options.organization.clone()
    }

    /// The application's id.
    pub fn client_id(&self) -> String {
        self.shared.world().options.client_id.clone()
    }

    /// The application's secret, which is good for nothing but this stand-in.
    pub fn client_secret(&self) -> String {
        self.shared.world().options.client_secret.expose_secret().to_owned()
    }

    /// The options as they are now.
    pub fn options(&self) -> Options {
        self.shared.world().options.clone()
    }

    /// Changes options while the service runs.
    pub fn set_options(&self, change: impl FnOnce(&mut Options)) {
        change(&mut self.shared.world().options);
    }

    /// Scripts a fault behind those that stand.
    pub fn script(&self, fault: Fault) {
        self.shared.world().faults.script(fault);
    }

    /// From now on, an object that is made under the name of one that stands now is stored as that one stands now, whatever the call says.
    pub fn bend(&self, whim: Whim) {
        let mut world = self.shared.world();
        world.whims = Some(whims::Whims::of(whim, &world.store));
    }

    /// Changes nothing of what it is told any more.
    pub fn unbend(&self) {
        self.shared.world().whims = None;
    }

    /// The faults that did not meet all their calls yet.
    pub fn faults(&self) -> Vec<Fault> {
        self.shared.world().faults.left()
    }

    /// Forgets all faults.
    pub fn clear_faults(&self) {
        self.shared.world().faults.clear();
    }

    /// What was counted since the start, or since [`reset_counts`](Self::reset_counts).
    pub fn counts(&self) -> Counts {
        self.shared.world().ledger.counts.clone()
    }

    /// How often a cmdlet was called.
    pub fn count(&self, cmdlet: &str) -> u64 {
        self.shared.world().ledger.counts.calls.get(cmdlet).copied().unwrap_or_default()
    }

    /// The calls of cmdlets in the order in which they came, with their parameters.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.world().ledger.calls.clone()
    }

    /// Counts anew and forgets the calls.
    pub fn reset_counts(&self) {
        self.shared.world().ledger.reset();
    }

    /// All objects in canonical form, `{"<noun>":[{…}]}`: no counter and no time is in it, so that two moments with
    /// the same objects give the same value.
    pub fn snapshot(&self) -> Value {
        self.shared.world().snapshot()
    }

    /// Puts the objects of a snapshot back. Says what is wrong with one that is none.
    pub fn restore(&self, snapshot: &Value) -> Result<(), String> {
        self.shared.world().restore(snapshot)
    }

    /// One object in the snapshot's form, by name or GUID.
    pub fn object(&self, noun: &str, identity: &str) -> Option<Value> {
        self.shared.world().object(noun, identity)
    }

    /// Changes an object behind the client's back, or makes it; answers its GUID. Fields are in the form that Get
    /// shows, `null` unsets, `Priority` moves a rule, and nothing is checked but the names of the fields.
    pub fn put(&self, noun: &str, identity: &str, fields: &Value) -> Result<String, String> {
        let none = Map::new();
        self.shared.world().put(noun, identity, fields.as_object().unwrap_or(&none))
    }

    /// Has an object show more, and less, than the tables say, from now on and as long as it lives; the next call takes the place of this one. It
    /// is no part of a snapshot.
    pub fn show(&self, noun: &str, identity: &str, oddity: Oddity) -> Result<(), String> {
        self.shared.world().show(noun, identity, oddity)
    }

    /// Deletes an object behind the client's back, references to it or not; answers whether it was there.
    pub fn remove(&self, noun: &str, identity: &str) -> Result<bool, String> {
        self.shared.world().remove(noun, identity)
    }

    /// Puts messages there for `Get-MessageTraceV2` to find, in the form in which it shows them; only `Received` has
    /// to be given. They are no part of a snapshot.
    pub fn set_messages(&self, messages: &[Value]) -> Result<(), String> {
        self.shared.world().set_messages(messages)
    }

    /// Lets the application run a cmdlet again.
    pub fn grant(&self, cmdlet: &str) {
        self.shared.world().grant(cmdlet);
    }

    /// Takes the right to run a cmdlet away: it is answered 403.
    pub fn revoke(&self, cmdlet: &str) {
        self.shared.world().revoke(cmdlet);
    }

    /// Ends every token that was issued.
    pub fn expire_tokens(&self) {
        self.shared.world().expire_tokens();
    }

    /// Moves the service's clock on.
    pub fn advance_clock(&self, by: Duration) {
        let by = time::Duration::try_from(by).unwrap_or(time::Duration::MAX);
        self.shared.world().clock.advance(by);
    }

    /// Sets the service's clock.
    pub fn set_clock(&self, now: time::OffsetDateTime) {
        self.shared.world().clock.set(now);
    }

    /// Says what stands on the service, for people: aligned tables, no secret in full.
    pub fn describe(&self) -> String {
        self.shared.world().describe()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // A panic of the server was already told by its own thread.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Shared {
    // The state holds tokens and header values, which have no business in a log.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Shared").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Shared {
    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn port(&self) -> u16 {
        self.address.port()
    }

    fn world(&self) -> MutexGuard<'_, World> {
        // Every change is whole before anything can fail, so that a poisoned state is a good one.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
