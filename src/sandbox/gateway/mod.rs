//! A stand-in for a Secure Email Gateway: its command line over SSH, and its AsyncOS API.
//!
//! [`Appliance::start`] puts a gateway on a loopback port. It is written from the vendor's documents alone and answers what they say
//! the device answers, question by question; where they are silent, [`Layout`] and [`Release`] choose among plausible forms.
//!
//! | file | what it is |
//! |---|---|
//! | `server` | connections, logins, channels |
//! | `shell` | the command loop |
//! | `line`, `terminal` | the line discipline, and the questions above it |
//! | `dialogs` | one command each |
//! | `trace_text` | what `trace` prints |
//! | `tables` | what a commit makes live, and its printed forms |
//! | `state`, `faults` | what sessions share, and what goes wrong |
//! | `rest` | the AsyncOS API |
//! | `control`, `describe` | the same from another process, and for a person |
//!
//! The gateway has a thread and a runtime of its own, so it works from tests with a paused clock and from code without a runtime.

#![expect(
    clippy::format_push_string,
    clippy::format_collect,
    reason = "printed tables are short, and the result of `write!` to a string is one more thing to read"
)]

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use russh::keys::HashAlg;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

mod control;
mod describe;
mod dialogs;
mod faults;
mod line;
mod options;
pub mod rest;
mod server;
mod shell;
mod state;
pub mod tables;
mod terminal;
#[cfg(test)]
mod tests;
mod trace_text;
mod whims;

pub use dialogs::trace::traced;
pub use faults::{Break, Edit, Fault, Point};
pub use options::{BatchFormat, ChangeSets, Cluster, Layout, Login, MenuForm, Options, Release};
pub use state::Counters;
pub use tables::Configuration;
pub use tables::destination::DetailForm;
pub use tables::filter::FilterForm;
pub use tables::filter_reprint::Reprint;
pub use tables::hat::Behavior;
pub use tables::hat_text::HatForm;
pub use tables::recipient::RecipientForm;
pub use tables::route::RouteForm;
pub use tables::tls::TlsForm;
pub use trace_text::TraceForm;
pub use whims::Whim;

use state::Shared;

/// Is what carries mail for a gateway: it reads the live configuration and writes message tracking.
pub struct MailAccess(Arc<Shared>);

impl MailAccess {
    /// Gives the committed configuration.
    pub(in crate::sandbox) fn configuration(&self) -> Configuration {
        self.0.state().committed.clone()
    }

    /// Puts a message there for the message tracking to find, after a while.
    pub(in crate::sandbox) fn track(&self, mut row: Value, delay: std::time::Duration) {
        let due = time::OffsetDateTime::now_utc() + delay;
        row["_due"] = i64::try_from(due.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX).into();
        self.0.state().rest.messages.push(row);
    }
}

/// Is a running gateway. Dropping it cuts all connections and frees the ports.
pub struct Appliance {
    shared: Arc<Shared>,
    port: u16,
    control: Option<u16>,
    rest: u16,
    rest_certificate: Option<String>,
    fingerprint: String,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Appliance {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Appliance").field("port", &self.port).finish_non_exhaustive()
    }
}

impl Appliance {
    /// Starts a gateway on a loopback port.
    pub fn start(options: Options) -> io::Result<Appliance> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let controls = if options.control { Some(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?) } else { None };
        let control = match &controls {
            Some(listener) => {
                listener.set_nonblocking(true)?;
                Some(listener.local_addr()?.port())
            }
            None => None,
        };
        let rests = TcpListener::bind((Ipv4Addr::LOCALHOST, options.rest_options.port))?;
        rests.set_nonblocking(true)?;
        let rest = rests.local_addr()?.port();
        let gate = rest::Gate::new(options.rest_options.tls)?;
        let rest_certificate = gate.certificate();
        let seed = options.seed.unwrap_or_else(rand::random);
        let fingerprint = server::host_key(seed).public_key().fingerprint(HashAlg::Sha256).to_string();
        let shared = Arc::new(Shared::new(options));
        let stop = CancellationToken::new();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = {
            let (shared, stop) = (Arc::clone(&shared), stop.clone());
            // The listeners join the runtime here, so that a failure is the caller's to see.
            let entered = runtime.enter();
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let controls = controls.map(tokio::net::TcpListener::from_std).transpose()?;
            let rests = tokio::net::TcpListener::from_std(rests)?;
            drop(entered);
            std::thread::Builder::new().name("sandbox-gateway".into()).spawn(move || {
                runtime.block_on(async {
                    if let Some(controls) = controls {
                        tokio::spawn(control::serve(controls, Arc::clone(&shared), stop.clone()));
                    }
                    tokio::spawn(rest::serve(rests, gate, Arc::clone(&shared), stop.clone()));
                    server::serve(listener, shared, seed, stop).await;
                });
                runtime.shutdown_background();
            })?
        };
        Ok(Appliance { shared, port, control, rest, rest_certificate, fingerprint, stop, thread: Some(thread) })
    }

    /// Gives the SSH port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Gives the port of the control channel on 127.0.0.1, when there is one.
    pub fn control_port(&self) -> Option<u16> {
        self.control
    }

    /// Gives the origin of the AsyncOS API.
    pub fn rest_url(&self) -> String {
        let scheme = if self.shared.options.rest_options.tls { "https" } else { "http" };
        format!("{scheme}://127.0.0.1:{}", self.rest)
    }

    /// Gives the certificate of the authority behind the AsyncOS API as PEM, where it speaks TLS.
    pub fn rest_certificate(&self) -> Option<&str> {
        self.rest_certificate.as_deref()
    }

    /// Adds a fault to the AsyncOS API.
    pub fn rest_fault(&self, fault: rest::Fault) {
        self.shared.state().rest.faults.push_back(fault);
    }

    /// Ends every token of the AsyncOS API.
    pub fn expire_rest_tokens(&self) {
        self.shared.state().rest.expire();
    }

    /// Gives the requests to the AsyncOS API, oldest first.
    pub fn rest_requests(&self) -> Vec<rest::Seen> {
        self.shared.state().rest.seen.clone()
    }

    /// Puts messages there for the message tracking to find, and says how many of its records are bad. A message has the members that an
    /// answer shows, and `_time` (seconds since 1970); `_attachments`, `_sha256` and `_graymail` are searched and not shown.
    pub fn set_tracking(&self, messages: Vec<Value>, bad_records: u64) {
        let mut state = self.shared.state();
        state.rest.messages = messages;
        state.rest.bad_records = bad_records;
    }

    /// Gives access for what carries mail.
    pub fn mail_access(&self) -> MailAccess {
        MailAccess(Arc::clone(&self.shared))
    }

    /// Gives the fingerprint of the host key, `SHA256:…`.
    pub fn host_key_fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Gives the name of the account.
    pub fn username(&self) -> &str {
        &self.shared.options.username
    }

    /// Gives the password of the account.
    pub fn password(&self) -> &str {
        &self.shared.options.password
    }

    /// Gives the committed configuration as canonical JSON: no history, no times, members in alphabetical order.
    pub fn snapshot(&self) -> Value {
        serde_json::to_value(&self.shared.state().committed).unwrap_or_default()
    }

    /// Puts a snapshot live, as a commit of somebody else.
    pub fn restore(&self, snapshot: &Value) -> Result<(), String> {
        let configuration = serde_json::from_value(snapshot.clone()).map_err(|error| error.to_string())?;
        self.shared.state().publish(configuration, "colleague", "restored");
        Ok(())
    }

    /// Gives the committed configuration.
    pub fn configuration(&self) -> Configuration {
        self.shared.state().committed.clone()
    }

    /// Changes the committed configuration behind the client's back, as a commit of somebody else.
    pub fn edit(&self, change: impl FnOnce(&mut Configuration)) {
        let mut state = self.shared.state();
        let mut configuration = state.committed.clone();
        let at = self.shared.options.cluster.as_ref().and_then(|cluster| cluster.others_at.as_deref());
        configuration.change_at(&self.shared.options.chain(at), change);
        state.publish(configuration, "colleague", "");
    }

    /// Changes the committed configuration by paths, whole or not at all.
    pub fn edit_paths(&self, change: &[Edit]) -> Result<(), String> {
        self.shared.state().edit("colleague", change)
    }

    /// Leaves uncommitted changes in the account's change set, as another session of it would. They are seen by sessions only under
    /// [`ChangeSets::PerUser`].
    pub fn stage(&self, change: impl FnOnce(&mut Configuration)) {
        let owner = format!("user {}", self.shared.options.username);
        self.shared.state().stage(&owner, change);
    }

    /// Tells whether anybody has uncommitted changes.
    pub fn pending(&self) -> bool {
        let state = self.shared.state();
        state.change_sets.keys().any(|owner| state.is_pending(owner))
    }

    /// Gives the comments of all commits, oldest first.
    pub fn comments(&self) -> Vec<String> {
        self.shared.state().history.iter().map(|commit| commit.comment.clone()).collect()
    }

    /// Gives the levels of the cluster at which committed changes were made, as the prompt names them.
    pub fn levels_written(&self) -> BTreeSet<String> {
        self.shared.state().levels.clone()
    }

    /// Gives the cluster that the gateway stands in.
    pub fn cluster(&self) -> Option<&Cluster> {
        self.shared.options.cluster.as_ref()
    }

    /// Adds a fault.
    pub fn fault(&self, fault: Fault) {
        self.shared.state().faults.add(fault);
    }

    /// Forgets the faults that have not happened.
    pub fn clear_faults(&self) {
        self.shared.state().faults.clear();
    }

    /// From now on, an entry that is made under the name of one that stands now is committed as that one stands now, whatever is typed.
    pub fn bend(&self, whim: Whim) {
        let mut state = self.shared.state();
        state.whims = Some(whims::Whims::of(whim, &state.committed));
    }

    /// From now on, each configuration that comes to be live is kept.
    pub fn keep_journal(&self) {
        self.shared.state().journal = Some(Vec::new());
    }

    /// Gives the configurations that were live since [`Appliance::keep_journal`] was called, or since this was last asked.
    pub fn take_journal(&self) -> Vec<Configuration> {
        self.shared.state().journal.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// From now on, filters are written back in this manner.
    pub fn reprint(&self, manner: Reprint) {
        self.shared.state().reprint = manner;
    }

    /// Changes nothing of what is typed any more.
    pub fn unbend(&self) {
        self.shared.state().whims = None;
    }

    /// Counts the faults that have not happened.
    pub fn faults_waiting(&self) -> usize {
        self.shared.state().faults.waiting()
    }

    /// Gives what clients did since the start.
    pub fn counters(&self) -> Counters {
        self.shared.state().counters.clone()
    }

    /// Gives where each line was typed since the start, under [`Options::keep_steps`]: `> commit` at the main prompt, and
    /// `commit: Please enter some comments describing your changes:` within a command.
    pub fn steps(&self) -> Vec<String> {
        self.shared.state().steps.clone()
    }

    /// Counts the sessions that are open.
    pub fn sessions(&self) -> usize {
        self.shared.state().sessions.len()
    }

    /// Cuts all connections.
    pub fn disconnect_all(&self) {
        self.shared.state().connections.values().for_each(CancellationToken::cancel);
    }

    /// Cuts all connections, loses all uncommitted changes, and comes back with another version text when one is given.
    pub fn reboot(&self, version: Option<&str>) {
        self.disconnect_all();
        let mut state = self.shared.state();
        state.change_sets.clear();
        if let Some(version) = version {
            version.clone_into(&mut state.version);
        }
    }

    /// Puts a file into the `configuration` directory.
    pub fn put_file(&self, name: &str, text: &str) {
        self.shared.state().files.insert(name.to_owned(), text.to_owned());
    }

    /// Gives a file of the `configuration` directory.
    pub fn file(&self, name: &str) -> Option<String> {
        self.shared.state().files.get(name).cloned()
    }

    /// Writes what stands on the device as tables for a person; secrets in filters are masked.
    pub fn describe(&self) -> String {
        describe::describe(&self.shared.state().committed, self.shared.options.release)
    }
}

impl Drop for Appliance {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed already.
            let _ = thread.join();
        }
    }
}
