//! The one task that owns the session: what it does next, and how it waits.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::beside::Deed;
use super::job::{AskRequest, Job, Message, OpenRequest, ReadRequest, Ticket};
use super::session::Session;
use super::since::Ours;
use super::{Rules, Shared, weigh};
use crate::gateway::device::{Connect, Report};
use crate::gateway::dialog::Dialog;
use crate::gateway::lock::{Held, Lock};
use crate::gateway::settings::{CommitSettings, PendingChanges, Settings};
use crate::gateway::table::{Printout, Rows};
use crate::remote::{Error, Kind};
use crate::value::Diagnostic;

/// How often a lost line is taken up again within one piece of work.
pub(super) const MOST_LOST: u32 = 3;

/// For so long a host of which nothing is heard is tried again at the first contact: it may be starting.
const UNHEARD: Duration = Duration::from_secs(5);

/// Half of the longest wait after a first collision with a commit of somebody else; it doubles with each one in a row.
const STEP_BACK: Duration = Duration::from_millis(500);

/// Owns the session, reads printouts, and turns changes into commits.
pub(super) struct Writer {
    pub(super) commit: CommitSettings,
    pub(super) foreign: PendingChanges,
    pub(super) rules: Rules,
    pub(super) session: Session,
    pub(super) lock: Lock,
    pub(super) shared: Arc<Shared>,
    /// Names this run in the device's history.
    pub(super) run: String,
    /// Changes that arrived, with the time of arrival.
    pub(super) arrived: VecDeque<(Instant, Job)>,
    /// How many callers were answered together, and until when they may come back with their next change.
    pub(super) successors: (usize, Instant),
    /// How long the last commit took.
    pub(super) last_commit: Duration,
    /// When what was last committed was read back, and what was printed.
    pub(super) read_back: (Instant, BTreeMap<Printout, Arc<Rows>>),
    /// What this run committed.
    pub(super) ours: Ours,
    /// Of which kinds of change the device has shown lines that were all explained.
    pub(super) understood: HashSet<Deed>,
    /// Whether this run looked behind a first staging.
    pub(super) looked: bool,
    /// The objects that a killed run left staged, which this session shows in place of what is live.
    pub(super) leftover: Vec<String>,
    inbox: mpsc::UnboundedReceiver<Message>,
    open: bool,
    reads: VecDeque<ReadRequest>,
    asks: VecDeque<AskRequest>,
    openers: Vec<OpenRequest>,
    closers: Vec<oneshot::Sender<()>>,
}

impl Writer {
    /// Makes the writer of a gateway. It ends when all senders of its inbox are gone.
    pub(super) fn new(
        settings: &Settings,
        connect: Arc<dyn Connect>,
        rules: Rules,
        lock: Lock,
        shared: Arc<Shared>,
        inbox: mpsc::UnboundedReceiver<Message>,
    ) -> Writer {
        let run = uuid::Uuid::new_v4().simple().to_string();
        let run = format!("run {}", run.get(..8).unwrap_or(&run));
        Writer {
            commit: settings.commit.clone(),
            foreign: settings.pending_changes,
            rules,
            session: Session::new(connect, rules),
            lock: lock.signed(&settings.login.username, &run),
            shared,
            run,
            arrived: VecDeque::new(),
            successors: (0, Instant::now()),
            last_commit: Duration::ZERO,
            read_back: (Instant::now(), BTreeMap::new()),
            ours: Ours::default(),
            understood: HashSet::new(),
            looked: false,
            leftover: Vec::new(),
            inbox,
            open: true,
            reads: VecDeque::new(),
            asks: VecDeque::new(),
            openers: Vec::new(),
            closers: Vec::new(),
        }
    }

    /// Works until nobody is left who could ask for anything.
    pub(super) async fn run(mut self) {
        loop {
            self.drain();
            if let Some(OpenRequest { ticket, reply }) = self.openers.pop() {
                // A caller that is gone needs no answer.
                let _ = reply.send(self.first_contact(&ticket).await);
                continue;
            }
            if !self.reads.is_empty() || !self.asks.is_empty() {
                self.serve_reads().await;
                continue;
            }
            if self.somebody_waits() {
                self.batch().await;
                continue;
            }
            if !self.closers.is_empty() {
                self.session.close().await;
                for closer in self.closers.drain(..) {
                    let _ = closer.send(());
                }
                continue;
            }
            if !self.open {
                break;
            }
            let expires = self.session.expires();
            self.pause(expires).await;
            if expires.is_some_and(|expires| Instant::now() >= expires) {
                self.session.close().await;
            }
        }
        self.session.close().await;
    }

    /// Answers all readings that wait. Nothing is staged while this runs.
    pub(super) async fn serve_reads(&mut self) {
        while let Some(request) = self.reads.pop_front() {
            if !request.ticket.is_wanted() {
                continue;
            }
            let rows = match self.shared.snapshots.get(&request.printout) {
                Some(rows) => Ok(rows),
                None => self.fresh(&request.printout, std::slice::from_ref(&request.ticket)).await,
            };
            // A caller that is gone needs no answer.
            let _ = request.reply.send(rows);
        }
        while let Some(request) = self.asks.pop_front() {
            if request.ticket.is_wanted() {
                let report = self.report(&request.dialog, std::slice::from_ref(&request.ticket)).await;
                let _ = request.reply.send(report);
            }
        }
    }

    /// Walks a dialog that stages nothing while nothing is staged, over a new session if the line is lost, as long as somebody waits for it.
    async fn report(&mut self, dialog: &Dialog, tickets: &[Arc<Ticket>]) -> Result<Report, Error> {
        let mut lost = 0;
        loop {
            if !self.session.is_open() {
                self.connect(tickets).await?;
                self.inspect().await;
            }
            match self.session.report(dialog).await {
                Err(error) if error.kind == Kind::Unavailable && error.retryable && lost < MOST_LOST => {
                    lost += 1;
                    self.shared.set_obstacle(Some(error));
                    self.pause(Some(Instant::now() + step(lost))).await;
                }
                outcome => return outcome,
            }
        }
    }

    /// Reads a printout while nothing is staged, over a new session if the line is lost, as long as somebody waits for it.
    pub(super) async fn fresh(&mut self, printout: &Printout, tickets: &[Arc<Ticket>]) -> Result<Arc<Rows>, Error> {
        let mut lost = 0;
        loop {
            if !self.session.is_open() {
                self.connect(tickets).await?;
                self.inspect().await;
            }
            let reading = self.shared.snapshots.begin(printout);
            match self.session.read(printout).await {
                Ok(mut rows) => {
                    if !self.leftover.is_empty() {
                        rows.set_aside(&self.leftover);
                    }
                    let rows = Arc::new(rows);
                    self.shared.snapshots.finish(reading, &rows);
                    return Ok(rows);
                }
                Err(error) if error.kind == Kind::Unavailable && lost < MOST_LOST => {
                    lost += 1;
                    self.shared.set_obstacle(Some(error));
                    self.pause(Some(Instant::now() + step(lost))).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Opens the session, again and again while that can help and somebody waits for it.
    pub(super) async fn connect(&mut self, tickets: &[Arc<Ticket>]) -> Result<(), Error> {
        let mut attempt = 0;
        loop {
            match self.session.open().await {
                Ok(()) => {
                    self.shared.set_obstacle(None);
                    return Ok(());
                }
                Err(error) if error.retryable => {
                    attempt += 1;
                    self.shared.set_obstacle(Some(error.clone()));
                    let again = Instant::now() + step(attempt);
                    // Whoever gives up meanwhile sends word, and so do new requests; neither makes the next attempt come sooner.
                    while Instant::now() < again {
                        if !tickets.iter().any(|ticket| ticket.is_wanted()) {
                            return Err(error);
                        }
                        self.pause(Some(again)).await;
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Opens the session for the first time. A host of which nothing is heard is given up after a few seconds and a last attempt; one that answered
    /// has all the time of the operations that follow.
    async fn first_contact(&mut self, ticket: &Ticket) -> Result<(), Error> {
        let begin = Instant::now();
        let mut attempt = 0;
        while !self.session.is_open() && ticket.is_wanted() {
            match self.session.open().await {
                Ok(()) => {
                    self.shared.set_obstacle(None);
                    self.inspect().await;
                }
                Err(error) if error.retryable && !error.unheard => {
                    tracing::warn!(%error, "the gateway answers, and has no session to give yet");
                    self.shared.set_obstacle(Some(error));
                    break;
                }
                Err(error) if error.retryable && begin.elapsed() < UNHEARD => {
                    attempt += 1;
                    self.pause(Some(Instant::now() + step(attempt))).await;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Takes the lock between processes; readings are answered meanwhile. `None` if nobody waits for it any longer.
    pub(super) async fn take_lock(&mut self) -> Option<Held> {
        let mut attempt = 0;
        loop {
            if !self.somebody_waits() {
                return None;
            }
            match self.lock.try_take() {
                Ok(Some(held)) => {
                    self.shared.set_obstacle(None);
                    return Some(held);
                }
                Ok(None) => {
                    attempt += 1;
                    self.shared.set_obstacle(Some(self.lock.busy()));
                    let again = Instant::now() + step(attempt).min(Duration::from_secs(1));
                    while Instant::now() < again && self.somebody_waits() {
                        self.pause(Some(again)).await;
                        self.serve_reads().await;
                    }
                }
                Err(error) => {
                    for (_, job) in self.arrived.drain(..) {
                        if job.ticket.take() {
                            job.fail(error.clone());
                        }
                    }
                }
            }
        }
    }

    /// Whether a change waits whose caller still wants it. Others are dropped: their callers have left, or leave now.
    pub(super) fn somebody_waits(&mut self) -> bool {
        let mut kept = VecDeque::new();
        for (at, job) in self.arrived.drain(..) {
            match job.ticket.given_up() {
                Some(error) if job.ticket.take() => job.fail(error),
                None if job.is_wanted() => kept.push_back((at, job)),
                _ => {}
            }
        }
        self.arrived = kept;
        !self.arrived.is_empty()
    }

    /// Waits for a while that chance decides, so that two runs which collided do not collide again. What arrives meanwhile waits.
    pub(super) async fn stand_back(&mut self, collisions: u32) {
        let until = Instant::now() + (STEP_BACK * 2_u32.saturating_pow(collisions)).mul_f64(rand::random::<f64>());
        while Instant::now() < until {
            self.pause(Some(until)).await;
        }
    }

    /// Waits until a time (or for ever), or until something arrives.
    pub(super) async fn pause(&mut self, until: Option<Instant>) {
        let time = async {
            match until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            message = self.inbox.recv(), if self.open => match message {
                Some(message) => self.absorb(message),
                None => self.open = false,
            },
            () = time => {}
        }
    }

    /// Takes in all that has arrived.
    pub(super) fn drain(&mut self) {
        loop {
            match self.inbox.try_recv() {
                Ok(message) => self.absorb(message),
                Err(mpsc::error::TryRecvError::Empty) => return,
                Err(mpsc::error::TryRecvError::Disconnected) => {
                    self.open = false;
                    return;
                }
            }
        }
    }

    fn absorb(&mut self, message: Message) {
        match message {
            Message::Change(job) => {
                self.successors.0 = self.successors.0.saturating_sub(1);
                self.arrived.push_back((Instant::now(), job));
            }
            Message::Read(request) => self.reads.push_back(request),
            Message::Ask(request) => self.asks.push_back(request),
            Message::Open(request) => self.openers.push(request),
            Message::Nudge => {}
            Message::Close(reply) => self.closers.push(reply),
        }
    }

    /// Looks at what a session shows as pending that was opened to read, and tells it. Nothing is cleared for a reading; but what a killed
    /// run of ours left behind is not taken for the truth.
    async fn inspect(&mut self) {
        self.leftover.clear();
        // An account that may only read may not be allowed to ask; it cannot have staged anything either.
        let Ok(Some(pending)) = self.session.pending().await else { return };
        if let Ok(Some(held)) = self.lock.try_take()
            && let Some(journal) = held.leftover().filter(|journal| journal.explains(&pending))
        {
            self.leftover = journal.staged;
        }
        let shown = weigh::excerpt(&pending);
        let warning = if self.leftover.is_empty() {
            Diagnostic::warning(
                "The gateway session has uncommitted changes",
                format!("What is read may include them.\n\n{shown}"),
            )
        } else {
            Diagnostic::warning(
                "The gateway session has uncommitted changes of an earlier run",
                format!(
                    "A run of this provider was ended while it staged them. They are not live, so the objects that they name are taken as the state \
                     has them. The next change on the gateway clears them first.\n\n{shown}"
                ),
            )
        };
        *self.shared.found.lock().unwrap_or_else(PoisonError::into_inner) = Some(warning);
    }
}

/// The wait before an attempt: half a second, doubled each time, ten seconds at most.
pub(super) fn step(attempt: u32) -> Duration {
    Duration::from_millis(250) * 2_u32.saturating_pow(attempt).clamp(1, 40)
}
