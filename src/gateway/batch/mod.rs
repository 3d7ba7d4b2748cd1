//! The commit batch: many callers, one session, one writer, and state that is true.
//!
//! ```text
//! callers ──change──▶ queue ──▶ stage each ──▶ quiet period, or nobody announced ──▶ commit ──▶ read back ──▶ answer all
//!                                  │ refused: that caller alone fails                       │ refused: halved until one is left to blame
//!                                  ▼                                                        ▼ line lost: reconnect, read, compare
//! ```
//!
//! A caller gets success only when its change is committed and read back. A caller that gets an error can rely on nothing of its
//! change being on the device, unless the error says that the outcome is not known. One task, the writer,
//! owns the session; readings go through it too, so that none sees a change that is staged and not committed.
//!
//! What a batch of N changes costs, on top of its dialogs: for each printout one reading before the first staging and one after the commit;
//! `showchanges` before the first staging and right before the commit (in a run's first batch of several also behind the first staging); the
//! commit, and `commitdetail`. A batch that follows another within a moment begins with what that one
//! read back. Where the help of a command shows its batch format, a change is one line instead of a dialog ([`crate::gateway::batch_form`]), and
//! what the lines did is read before the commit: a device that understood them otherwise is asked by dialogs from then on.
//! What was staged is put into the rows that were read
//! ([`candidate`]); only where the next dialog depends on the device's order (`before` of sender groups and filters) and a staged change
//! moved it, the printout is read again. A dialog that is refused behind others makes the batch go on with care: all is cleared and staged
//! again, `showchanges` is asked after each staging, and a further refusal costs one reading.
//!
//! What is promised, and the test that holds it (in `tests/scenes.rs` beside this file where nothing else is said):
//!
//! | promise | held by |
//! |---|---|
//! | success is told only of what is live and read back; after a failure nothing of it is on the device | `tests/enumeration.rs`: every event at every step; `tests/blackbox/campaign`: every fault at every line |
//! | a staging that is refused fails its caller alone | the same two; `tests/load.rs`: `refusals_in_a_batch_have_the_others_staged_twice_and_no_more` |
//! | a batch closes after the quiet period, and takes nothing after 2 s | `tests/load.rs`: `a_batch_takes_nothing_more_two_seconds_after_its_first` |
//! | it closes at once when nobody is announced; an announcement that never comes true costs the quiet period | `tests/load.rs`: `g29_one_at_a_time_waits_for_nobody`, `an_announcement_that_never_comes_true_…` |
//! | N changes, p at a time, are N/p + 1 commits at most | `tests/load.rs`: `g29_a_hundred_objects_…`; `tests/blackbox/gateway_batch.rs` with the real Terraform |
//! | a batch and a plan read each table once before | `tests/load.rs`: `a_batch_reads_its_table_twice_…`; `tests/blackbox/gateway_batch.rs`: `a_plan_over_a_thousand_entries_…` |
//! | a refused commit names the guilty change and commits the others | `g09_one_bad_change_among_twenty_…` |
//! | a refusal that no single change explains goes to all | `g24_a_refusal_that_no_single_change_explains_…` |
//! | somebody else's commit in between: all is staged again on top of it; their change of the same object is an error | `g10_an_object_that_somebody_else_changed_meanwhile_…`, `g10_a_create_is_an_error_if_…` |
//! | what somebody else changed between plan and apply is an error for its caller, and stands; what stands as planned is a success | `e23_…`, `since.rs`; `tests/blackbox/faults`: `e23_…` |
//! | three collisions in a row are an error for all | `g10_three_collisions_in_a_row_…` |
//! | a commit whose line is lost is a success only if it is live | `g08_…` |
//! | a commit may take minutes, within its own limit | `g25_…`, on a paused clock |
//! | a commit that is confirmed and reads back otherwise is an error | `g30_…` |
//! | one writer per gateway: a second one waits for a time and names the holder; the lock of a killed one is free | `g13_…`; between processes `tests/blackbox/faults`: `g13_…`, `p01_g12_…` |
//! | a stop commits what is staged and refuses what is queued | `p02_…` |
//! | what a killed run left is no truth for a reading, and a change clears it where its journal explains every line | `tests/leftovers.rs`; `tests/blackbox/faults`: `p01_g12_…` |
//! | the uncommitted work of others is neither cleared nor committed | `g11_…`; `tests/administrators.rs` |
//! | what others stage beside a batch stays pending, or is named by a warning if it went live | `beside.rs`; `tests/administrators.rs`: `rs1_whatever_a_colleague_stages_…` |
//! | another release in the middle stops the run | `tests/blackbox/campaign`: `g26_…`; `tests/blackbox/faults`: `g26_…` |
//! | the comment of a commit names the run and what changed | `the_comment_of_a_commit_…` |
//! | no commit opens a relay, or takes the guard of one, unless its reason is known; the other changes go on | `relays.rs`; `tests/blackbox/relay.rs` |
//! | a report (`trace`) is asked for while nothing of ours is staged | `tests/operations.rs`: `a_report_waits_until_nothing_of_ours_is_staged_…` |
//! | readers share one reading; errors are not kept; a write makes it stale; a reading that began before is dropped | `snapshot.rs`; `p05_readers_share_one_reading_…` |
//! | what was read ends at each Configure | `tests/operations.rs`: `what_was_read_ends_with_the_client_…` |
//! | a printout that a commit of others tore apart is read again | `tests/blackbox/campaign`: `a_table_that_somebody_changes_…` |

mod beside;
mod candidate;
mod conclude;
mod job;
mod relays;
mod round;
mod session;
mod since;
#[cfg(test)]
mod tests;
mod weigh;
mod writer;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::sync::{mpsc, oneshot};

use self::job::{AskRequest, Job, Message, OpenRequest, ReadRequest, Ticket};
use self::writer::Writer;
use super::device::{Connect, Report};
use super::dialog::{Dialog, Said};
use super::lock::Lock;
use super::order;
use super::resources;
use super::settings::Settings;
use super::snapshot::Snapshots;
use super::table::{Printout, Row, Rows, Table};
use crate::remote::order::Place;
use crate::remote::{Call, Error, Failure, Kind};
use crate::schema::{Record, Resource, engine};
use crate::value::{Diagnostic, Path};

/// How printouts are read and records compared: pure functions, given from outside so that the batch knows no table.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    /// The next dialog to walk to read a printout.
    pub(super) dialog: fn(&Printout, &[Said]) -> Option<Dialog>,
    /// Understands what was said.
    pub(super) parse: fn(&Printout, &[Said]) -> Result<Rows, Error>,
    /// The paths at which two records differ in meaning.
    pub(super) differences: fn(&Resource, &Record, &Record) -> Vec<Path>,
    /// A row's record in the light of what is known of the object: an order that still holds is no difference.
    pub(super) as_known: fn(&Rows, &Row, &Record) -> Record,
    /// The same while a change is staged: what the device does not show may be anything, and is no known value.
    pub(super) as_standing: fn(&Rows, &Row, &Record) -> Record,
    /// Brings what stands into the spelling of what is known, as a refresh does.
    pub(super) settle: fn(&Resource, &Record, &Record) -> Record,
    /// The object from which a row's object takes what it does not say itself: its resource and ID.
    pub(super) source: fn(&Row) -> Option<(&'static str, String)>,
    /// The import ID of an object.
    pub(super) key: fn(&Resource, &Record) -> Option<String>,
    /// Takes an import ID apart.
    pub(super) parse_key: fn(&Resource, &str) -> Result<Record, String>,
}

/// What the tables and the engine say.
pub(super) const RULES: Rules = Rules {
    dialog: Printout::dialog,
    parse: resources::parse_with_orders,
    differences: engine::differences,
    as_known: resources::as_known,
    as_standing: resources::as_standing,
    settle: engine::settle,
    source: resources::source,
    key: resources::id,
    parse_key: engine::parse_key,
};

/// A change that a caller asks for.
#[derive(Clone)]
pub(super) struct Wish {
    /// The resource.
    pub(super) table: &'static Table,
    /// The object's import ID.
    pub(super) id: String,
    /// What is to become of it.
    pub(super) goal: Goal,
    /// The object as the plan saw it, if it saw one that is changed: what others did since is not written over.
    pub(super) seen: Option<Record>,
    /// Where other objects of this run are to stand: they still do when this one is moved.
    pub(super) kept: Vec<Place>,
}

/// What is to become of an object.
#[derive(Debug, Clone)]
pub(super) enum Goal {
    /// It is made; it must not be there yet.
    Create(Record),
    /// It is always there and is changed to this.
    Adopt(Record),
    /// It is there and is changed to this.
    Update(Record),
    /// It goes. The record is what state knows.
    Delete(Record),
}

/// What became of a change.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    /// The object as read back once it is live (`None` if it is gone), or why not.
    pub(super) result: Result<Option<Row>, Failure>,
    /// The object as it stood before.
    pub(super) before: Option<Row>,
    /// What else the user should know.
    pub(super) notices: Vec<Diagnostic>,
}

/// The way to the one writer of a gateway.
pub(super) struct Batch {
    shared: Arc<Shared>,
    start: Box<dyn Fn() -> mpsc::UnboundedSender<Message> + Send + Sync>,
    writer: OnceLock<mpsc::UnboundedSender<Message>>,
}

/// What callers and the writer both see.
#[derive(Debug, Default)]
struct Shared {
    snapshots: Snapshots,
    /// How often a change of an object was announced and did not arrive yet.
    announced: Mutex<BTreeMap<(&'static str, String), usize>>,
    /// What keeps the writer from going on, for callers whose time runs out meanwhile.
    obstacle: Mutex<Option<Error>>,
    /// Why groups may stand open, by their import IDs, as far as this run heard of it.
    reasons: Mutex<BTreeMap<String, String>>,
    /// What the session showed as pending when it was opened, until one caller has heard of it.
    found: Mutex<Option<Diagnostic>>,
}

impl Wish {
    /// The printout in which the object stands.
    pub(super) fn printout(&self) -> Printout {
        (self.table.printout)(self.record())
    }

    /// The record that the caller gave.
    pub(super) fn record(&self) -> &Record {
        match &self.goal {
            Goal::Create(record) | Goal::Adopt(record) | Goal::Update(record) | Goal::Delete(record) => record,
        }
    }

    /// The object as the user calls it: `SMTP route "example.com"`.
    pub(super) fn title(&self) -> String {
        format!("{} {:?}", self.table.resource.noun, self.id)
    }

    /// The import ID that the object has then: another one if it is renamed.
    pub(super) fn new_id(&self) -> String {
        let renamed = match &self.goal {
            Goal::Update(record) => resources::id(self.table.resource, record),
            Goal::Create(_) | Goal::Adopt(_) | Goal::Delete(_) => None,
        };
        renamed.unwrap_or_else(|| self.id.clone())
    }

    /// Whether the object is made or goes: nothing that stands of it is written over.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self.goal, Goal::Create(_) | Goal::Delete(_))
    }

    /// Whether the object is the order of others, which are staged before it.
    pub(super) fn is_order(&self) -> bool {
        order::order_of(self.table).is_some()
    }

    /// Where the object is to stand, if that is wished for.
    pub(super) fn place(&self) -> Option<Place> {
        match &self.goal {
            Goal::Create(record) | Goal::Adopt(record) | Goal::Update(record) => order::place(self.table, record),
            Goal::Delete(_) => None,
        }
    }

    /// The object's own part of its ID, in the one spelling of all.
    pub(super) fn last_name(&self) -> &str {
        self.id.rsplit('/').next().unwrap_or(&self.id)
    }

    /// The word by which the device's printouts name the object.
    pub(super) fn name(&self) -> &str {
        self.record().text(self.table.resource.title).unwrap_or(&self.id)
    }
}

impl Batch {
    /// Makes the batch of a gateway. Nothing is read, opened or started before the first call.
    pub(super) fn new(settings: Settings, connect: Arc<dyn Connect>, rules: Rules, lock: Lock) -> Batch {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let start = Box::new(move || {
            let (sender, inbox) = mpsc::unbounded_channel();
            let writer = Writer::new(&settings, Arc::clone(&connect), rules, lock.clone(), Arc::clone(&theirs), inbox);
            tokio::spawn(writer.run());
            sender
        });
        Batch { shared, start, writer: OnceLock::new() }
    }

    /// Hears that a change may soon come. This lets the batch wait for it, for the quiet period at most.
    pub(super) fn announce(&self, resource: &'static str, id: String) {
        *self.shared.announced().entry((resource, id)).or_default() += 1;
    }

    /// Hears why a sender group may relay for many, or that nothing says so any more.
    pub(super) fn note_reason(&self, id: &str, reason: Option<&str>) {
        let mut reasons = self.shared.reasons.lock().unwrap_or_else(PoisonError::into_inner);
        match reason {
            Some(reason) => reasons.insert(id.to_owned(), reason.to_owned()),
            None => reasons.remove(id),
        };
    }

    /// Takes an announcement back: its change arrives, or fails before. An announcement whose ID was not known yet is empty.
    pub(super) fn take_back(&self, resource: &'static str, id: &str) {
        let mut announced = self.shared.announced();
        for id in [id, ""] {
            let key = (resource, id.to_owned());
            if let Some(count) = announced.get_mut(&key) {
                *count -= 1;
                if *count == 0 {
                    announced.remove(&key);
                }
                return;
            }
        }
    }

    /// Makes a change live and gives the object as read back. If the future is dropped before the commit begins, nothing of the
    /// change is committed.
    pub(super) async fn change(&self, wish: Wish, call: &Call) -> Answer {
        let ticket = Ticket::new(call);
        let (reply, answer) = oneshot::channel();
        self.take_back(wish.table.resource.name, &wish.new_id());
        self.send(Message::Change(Job::new(wish, Arc::clone(&ticket), reply)));
        match self.wait(&ticket, answer, call).await {
            Ok(answer) => answer,
            Err(error) => Answer { result: Err(error.into()), before: None, notices: Vec::new() },
        }
    }

    /// Reads a printout, or gives what is known of it.
    pub(super) async fn read(&self, printout: &Printout, call: &Call) -> Result<Arc<Rows>, Error> {
        if let Some(rows) = self.shared.snapshots.get(printout) {
            return Ok(rows);
        }
        let ticket = Ticket::new(call);
        let (reply, answer) = oneshot::channel();
        self.send(Message::Read(ReadRequest { printout: printout.clone(), ticket: Arc::clone(&ticket), reply }));
        let rows = self.wait(&ticket, answer, call).await??;
        self.tell_found(call);
        Ok(rows)
    }

    /// Walks a dialog that stages nothing and gives its report. It waits until nothing of ours is staged: what it says holds for what is live.
    pub(super) async fn report(&self, dialog: &Dialog, call: &Call) -> Result<Report, Error> {
        let ticket = Ticket::new(call);
        let (reply, answer) = oneshot::channel();
        self.send(Message::Ask(AskRequest { dialog: dialog.clone(), ticket: Arc::clone(&ticket), reply }));
        let report = self.wait(&ticket, answer, call).await??;
        self.tell_found(call);
        Ok(report)
    }

    /// Tells, once, what a session that was opened to read shows as staged.
    fn tell_found(&self, call: &Call) {
        if let Some(found) = self.shared.found.lock().unwrap_or_else(PoisonError::into_inner).take() {
            call.report(found);
        }
    }

    /// Opens the session, for the first contact. A device that answered and has no session to give just now is no error: what is asked of it
    /// later waits for one.
    pub(super) async fn contact(&self, call: &Call) -> Result<(), Error> {
        let ticket = Ticket::new(call);
        let (reply, answer) = oneshot::channel();
        self.send(Message::Open(OpenRequest { ticket: Arc::clone(&ticket), reply }));
        self.wait(&ticket, answer, call).await?
    }

    /// Ends the session once what was asked before is answered. A later call opens a new one.
    pub(super) async fn close(&self) {
        if self.writer.get().is_some() {
            let (reply, closed) = oneshot::channel();
            self.send(Message::Close(reply));
            // A writer that is gone has closed its session.
            let _ = closed.await;
        }
    }

    /// Waits for an answer as long as the caller wants to, and for as long as it takes once the change is in hand.
    async fn wait<T>(&self, ticket: &Arc<Ticket>, answer: oneshot::Receiver<T>, call: &Call) -> Result<T, Error> {
        let _leave = Leave { batch: self, ticket: Arc::clone(ticket) };
        tokio::pin!(answer);
        let (mut stopped, mut late) = (false, false);
        loop {
            tokio::select! {
                biased;
                answer = &mut answer => return answer.map_err(|_| {
                    Error::new(Kind::Unexpected, "The session with the gateway ended without an answer.")
                        .hint("This is a bug in the provider. Run again: the next plan shows what stands on the gateway.")
                }),
                () = call.stop.cancelled(), if !stopped => {
                    stopped = true;
                    if ticket.withdraw() {
                        return Err(job::stopped());
                    }
                    self.send(Message::Nudge);
                }
                () = tokio::time::sleep_until(call.deadline), if !late => {
                    late = true;
                    if ticket.withdraw() {
                        return Err(self.shared.obstacle().unwrap_or_else(job::out_of_time));
                    }
                }
            }
        }
    }

    fn send(&self, message: Message) {
        // If the writer is gone, so is the other end of the answer: the caller hears of it there.
        let _ = self.writer.get_or_init(|| (self.start)()).send(message);
    }
}

impl Shared {
    fn announced(&self) -> std::sync::MutexGuard<'_, BTreeMap<(&'static str, String), usize>> {
        self.announced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn obstacle(&self) -> Option<Error> {
        self.obstacle.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_obstacle(&self, obstacle: Option<Error>) {
        *self.obstacle.lock().unwrap_or_else(PoisonError::into_inner) = obstacle;
    }
}

/// Withdraws what a caller asked when the caller is gone, answered or not.
struct Leave<'a> {
    batch: &'a Batch,
    ticket: Arc<Ticket>,
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        if self.ticket.withdraw() {
            self.batch.send(Message::Nudge);
        }
    }
}
