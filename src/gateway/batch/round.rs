//! One batch: staged one after the other, committed together, read back, answered.
//!
//! What holds between any two steps here: a job is either waiting (nothing of it is staged, its caller may leave), or staged in
//! this session, or inside a commit. Whatever goes wrong puts the staged ones back to waiting, with an empty candidate.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::beside::{Others, Trace};
use super::candidate::{Candidate, Shown};
use super::job::{Base, Job, Ticket};
use super::session::Typed;
use super::weigh;
use super::writer::{MOST_LOST, Writer, step};
use crate::gateway::lock::Held;
use crate::gateway::order;
use crate::gateway::settings::PendingChanges;
use crate::gateway::table::{Neighbours, Printout, Rows};
use crate::remote::order::Place;
use crate::remote::{Error, Kind};
use crate::value::Diagnostic;

/// What was read back behind a commit stands for the reading before the next batch for so long. It is read once more before that is committed.
const STILL_FRESH: Duration = Duration::from_secs(1);

/// A batch takes no more changes when this has passed since it began.
const LONGEST_OPEN: Duration = Duration::from_secs(2);

/// A batch in the making.
pub(super) struct Round {
    pub(super) held: Held,
    /// When the first change could be staged.
    began: Option<Instant>,
    /// When the last change arrived.
    last: Instant,
    /// Whether it takes changes that arrive.
    open: bool,
    pub(super) todo: VecDeque<Job>,
    /// What waits for other changes of the batch, until it takes no more.
    late: Vec<Job>,
    pub(super) staged: Vec<Job>,
    /// What was printed before anything was staged, and what stands now (absent: not known).
    pub(super) live: BTreeMap<Printout, Arc<Rows>>,
    pub(super) candidate: BTreeMap<Printout, Candidate>,
    /// What the last batch read back a moment ago.
    read_back: BTreeMap<Printout, Arc<Rows>>,
    /// What has to be read before it is committed, and why.
    pub(super) unseen: BTreeMap<Printout, Unseen>,
    /// What the device shows as staged, and what of it is not explained.
    pub(super) shown: Shown,
    pub(super) others: Option<Others>,
    /// What was staged, in the order of staging.
    pub(super) traces: Vec<Trace>,
    /// Whether to look after each staging: a dialog was refused, and another one may be.
    careful: bool,
    /// Whether this session's candidate is known to hold nothing but `staged`.
    prepared: bool,
    pub(super) lost: u32,
    pub(super) collisions: u32,
    /// The rest of a batch that was refused as a whole, the next part last.
    pub(super) parts: Vec<VecDeque<Job>>,
    /// The words in which it was refused as a whole, and how many single changes were refused in the same since.
    pub(super) refusal: Option<String>,
    pub(super) alike: u32,
    pub(super) notices: Vec<Diagnostic>,
}

/// Why a printout has to be read before what is staged in it is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unseen {
    /// What stood there was read for the batch before: somebody else may have changed it since.
    Base,
    /// Something was staged in a line of the command's batch format: it may be understood otherwise than we do.
    Lines,
}

/// What became of a change that was to be staged.
enum Staged {
    /// It is staged, or stood already.
    Yes,
    /// Nothing was done: others of the batch come first.
    PutOff,
    /// The batch format is not understood, or what was read before is not enough: all is cleared, read, and staged again.
    Anew,
}

impl Writer {
    /// Makes one batch of what has arrived and still arrives, to the end.
    pub(super) async fn batch(&mut self) {
        let Some(held) = self.take_lock().await else { return };
        let mut round = Round::new(held);
        let (at, rows) = std::mem::replace(&mut self.read_back, (Instant::now(), BTreeMap::new()));
        if at.elapsed() <= STILL_FRESH {
            round.read_back = rows;
        }
        loop {
            if self.fill(&mut round).await {
                self.conclude(&mut round).await;
            } else if let Some(part) = round.parts.pop() {
                round.todo = part;
            } else {
                return;
            }
        }
    }

    /// Stages all that is to be staged, and waits for more while that is worth it. False if nothing is staged in the end.
    async fn fill(&mut self, round: &mut Round) -> bool {
        loop {
            self.drain();
            self.admit(round);
            round.drop_unwanted();
            if !round.todo.is_empty() {
                if self.prepare(round).await
                    && self.look_behind_the_first(round).await
                    && let Some(job) = round.todo.pop_front()
                    && job.ticket.take()
                {
                    self.stage(round, job).await;
                }
                continue;
            }
            if round.staged.is_empty() && round.late.is_empty() {
                return false;
            }
            if round.open {
                let until = self.closing_time(round);
                if Instant::now() < until {
                    self.pause(Some(until)).await;
                    continue;
                }
                round.open = false;
            }
            if !round.late.is_empty() {
                // Orders come last: they bring about what all others leave.
                round.late.sort_by_key(|job| job.wish.is_order());
                round.todo.extend(round.late.drain(..));
                continue;
            }
            if round.staged.iter().any(Job::is_orphan) {
                // Nobody would learn that these are live.
                round.staged.retain(|job| !job.is_orphan());
                self.clear(round).await;
                continue;
            }
            return true;
        }
    }

    /// Takes what arrived into the batch, if it arrived in time.
    fn admit(&mut self, round: &mut Round) {
        while round.open
            && let Some((at, _)) = self.arrived.front()
            && round.began.is_none_or(|began| *at <= began + LONGEST_OPEN)
            && let Some((at, job)) = self.arrived.pop_front()
        {
            round.last = round.last.max(at);
            round.todo.push_back(job);
        }
    }

    /// When the batch is to be closed if nothing else arrives. All that arrived is staged.
    fn closing_time(&self, round: &Round) -> Instant {
        let now = Instant::now();
        let latest = round.began.unwrap_or(now) + LONGEST_OPEN;
        if round.staged.iter().any(|job| job.ticket.is_stopped()) {
            now
        } else if !self.shared.announced().is_empty() {
            latest.min(round.last + self.commit.quiet_period)
        } else if self.successors.0 > 0 {
            // Callers that were answered together come back within a moment, but not at the same one.
            latest.min(self.successors.1)
        } else {
            now
        }
    }

    /// Makes sure of a session with an empty candidate before the first staging; without one all fail.
    async fn prepare(&mut self, round: &mut Round) -> bool {
        let tickets: Vec<Arc<Ticket>> = round.todo.iter().map(|job| Arc::clone(&job.ticket)).collect();
        match self.enter(round, &tickets).await.and_then(|()| self.session.writable()) {
            Ok(()) => {
                round.began.get_or_insert_with(Instant::now);
                true
            }
            Err(error) => {
                round.fail_waiting(&error);
                false
            }
        }
    }

    /// Opens a session if there is none, and empties its candidate of what is our own.
    pub(super) async fn enter(&mut self, round: &mut Round, tickets: &[Arc<Ticket>]) -> Result<(), Error> {
        let mut lost = 0;
        loop {
            if !self.session.is_open() {
                round.prepared = false;
                self.connect(tickets).await?;
            }
            if round.prepared {
                return Ok(());
            }
            match self.empty_candidate(round).await {
                Ok(()) => round.prepared(),
                Err(error) if !self.session.is_open() && lost < MOST_LOST => {
                    lost += 1;
                    self.shared.set_obstacle(Some(error));
                    self.pause(Some(Instant::now() + step(lost))).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn empty_candidate(&mut self, round: &mut Round) -> Result<(), Error> {
        if let Some(words) = self.session.pending().await? {
            if let Some(journal) = round.held.leftover().filter(|journal| journal.explains(&words)) {
                tracing::info!("clearing uncommitted changes that this provider left on the gateway");
                if journal.is_of_another_run {
                    round.notices.push(Diagnostic::warning(
                        "Uncommitted changes of an earlier run were cleared",
                        format!(
                            "A run of this provider was ended while it staged them on the gateway. They were:\n\n{}",
                            weigh::excerpt(&words)
                        ),
                    ));
                }
            } else if self.foreign == PendingChanges::Discard {
                round.notices.push(Diagnostic::warning(
                    "Uncommitted changes on the gateway were discarded",
                    format!("The setting pending_changes says so. They were:\n\n{}", weigh::excerpt(&words)),
                ));
            } else {
                return Err(Error::new(
                    Kind::Conflict,
                    format!("The gateway session has uncommitted changes that are not ours:\n\n{}", weigh::excerpt(&words)),
                )
                .hint("Commit or clear them on the gateway, or set the provider's pending_changes to \"discard\"."));
            }
            if let Err(error) = self.session.clear().await {
                self.session.close().await;
                return Err(error);
            }
            // What was read before showed them.
            self.shared.snapshots.forget_all();
        }
        self.leftover.clear();
        round.held.forget()
    }

    /// Stages one change. If it is refused, its caller alone hears of it.
    async fn stage(&mut self, round: &mut Round, mut job: Job) {
        let printout = job.wish.printout();
        let mut walked = false;
        match self.try_stage(round, &mut job, &printout, &mut walked).await {
            Ok(Staged::Yes) => {
                round.staged.push(job);
                self.keep_out(round).await;
            }
            Ok(Staged::Anew) => {
                job.ticket.release();
                round.todo.push_front(job);
                self.clear(round).await;
            }
            Ok(Staged::PutOff) => {
                job.ticket.release();
                if round.open {
                    round.late.push(job);
                } else {
                    job.put_off += 1;
                    round.todo.push_back(job);
                }
            }
            Err(error) if !self.session.is_open() => {
                job.ticket.release();
                round.todo.push_front(job);
                self.lost(round, error).await;
            }
            Err(error) => {
                if walked {
                    self.tidy(round, &printout).await;
                }
                job.fail(error);
            }
        }
    }

    /// Stages one change, if it is its turn.
    async fn try_stage(
        &mut self,
        round: &mut Round,
        job: &mut Job,
        printout: &Printout,
        walked: &mut bool,
    ) -> Result<Staged, Error> {
        // Each is put off as often as there are others at most.
        let may_wait = round.open || job.put_off < round.todo.len();
        // An order looks at what all others leave.
        if may_wait && job.wish.is_order() && (round.open || round.todo.iter().any(|other| !other.wish.is_order())) {
            return Ok(Staged::PutOff);
        }
        if !round.candidate.get(printout).is_some_and(|candidate| candidate.serves(&job.wish)) {
            let rows = match round.read_back.remove(printout) {
                Some(rows) if printout.is_unordered() && job.wish.is_whole() => {
                    round.unseen.insert(printout.clone(), Unseen::Base);
                    rows
                }
                _ => {
                    let reading = self.shared.snapshots.begin(printout);
                    let rows = Arc::new(self.session.read(printout).await?);
                    if round.shown == Shown::Nothing {
                        self.shared.snapshots.finish(reading, &rows);
                    }
                    rows
                }
            };
            round.live.entry(printout.clone()).or_insert_with(|| Arc::clone(&rows));
            round.candidate.insert(printout.clone(), Candidate::read(rows));
        }
        let (Some(live), Some(candidate)) = (round.live.get(printout), round.candidate.get_mut(printout)) else {
            return Err(Error::new(Kind::Unexpected, format!("{printout:?} was read and is not known.")));
        };
        let is_unseen = round.unseen.get(printout) == Some(&Unseen::Base);
        if is_unseen && !job.wish.is_whole() {
            // What this change would be held against has not been read for this batch.
            return Ok(Staged::Anew);
        }
        if may_wait && weigh::waits(&job.wish, candidate.rows()) {
            return Ok(Staged::PutOff);
        }
        let staged = round.staged.iter().filter(|staged| staged.wish.printout() == *printout);
        let mut others: Vec<Place> = staged.filter_map(|staged| staged.wish.place()).collect();
        others.extend(self.ours.places(printout, &job.wish));
        let staging = weigh::staging(&self.rules, job, live, candidate.rows(), &self.ours, &others);
        if staging.is_err() && is_unseen {
            return Ok(Staged::Anew);
        }
        if matches!(job.base, Base::Unread) {
            let standing = live.find(job.wish.table.resource.name, &job.wish.id);
            job.base = standing.map_or(Base::Absent, |row| Base::Row(row.clone()));
        }
        let staging = staging?;
        if staging.dialogs.is_empty() {
            return Ok(Staged::Yes);
        }
        let moves = staging.moves && !job.wish.is_whole();
        let carried = order::moved_names(&staging.dialogs);
        let own = [job.wish.name(), job.wish.last_name()];
        round.held.note_staging(own.into_iter().chain(carried.iter().map(String::as_str)), moves)?;
        let trace = Trace::new(job, &own);
        for dialog in &staging.dialogs {
            *walked = true;
            match self.session.stage(dialog).await? {
                Typed::Dialog => {}
                Typed::Line => {
                    round.unseen.entry(printout.clone()).or_insert(Unseen::Lines);
                }
                Typed::Refused => return Ok(Staged::Anew),
            }
        }
        candidate.put(&job.wish, staging);
        round.traces.push(trace);
        round.shown = Shown::Unasked;
        if round.careful {
            if job.wish.table.neighbours != Neighbours::None {
                round.candidate.remove(printout);
            }
            self.ask(round).await?;
        }
        Ok(Staged::Yes)
    }

    /// After a refusal: if something of the refused change may be staged, clears all and has the others staged again.
    async fn tidy(&mut self, round: &mut Round, printout: &Printout) {
        match (&round.shown, self.session.pending().await) {
            (Shown::Nothing, Ok(None)) => return,
            (Shown::Words(before), Ok(Some(words))) if *before == words => {
                if let Ok(rows) = self.session.read(printout).await
                    && round.candidate.get(printout).is_some_and(|candidate| candidate.agrees(&self.rules, &rows))
                {
                    round.candidate.insert(printout.clone(), Candidate::read(Arc::new(rows)));
                    return;
                }
            }
            _ => {}
        }
        round.careful = true;
        self.clear(round).await;
    }

    /// Drops all that is staged; the staged changes wait again. False if somebody else's work stands among it: nothing is dropped then, and
    /// all of the batch have heard of it.
    pub(super) async fn clear(&mut self, round: &mut Round) -> bool {
        match self.would_clear_others(round).await {
            Ok(true) => return false,
            Ok(false) => self.wipe(round).await,
            Err(error) => {
                self.session.close().await;
                self.lost(round, error).await;
            }
        }
        true
    }

    /// Drops all that is staged, whosever it is.
    pub(super) async fn wipe(&mut self, round: &mut Round) {
        round.unstage();
        match self.session.clear().await.and_then(|()| round.held.forget()) {
            Ok(()) => round.prepared(),
            Err(error) => {
                self.session.close().await;
                self.lost(round, error).await;
            }
        }
    }

    /// The session is gone, and with it what was staged. All of it is staged again in the next one, a few times.
    pub(super) async fn lost(&mut self, round: &mut Round, error: Error) {
        round.unstage();
        round.lost += 1;
        if round.lost > MOST_LOST {
            round.fail_waiting(
                &error.hint("The session with the gateway was lost several times. Nothing of this change is on the gateway."),
            );
        } else {
            tracing::warn!(error = %error, "the session with the gateway was lost; nothing is live, staging again");
            self.shared.set_obstacle(Some(error));
            self.pause(Some(Instant::now() + step(round.lost))).await;
        }
    }
}

impl Round {
    fn new(held: Held) -> Round {
        Round {
            held,
            began: None,
            last: Instant::now(),
            open: true,
            todo: VecDeque::new(),
            late: Vec::new(),
            staged: Vec::new(),
            live: BTreeMap::new(),
            candidate: BTreeMap::new(),
            read_back: BTreeMap::new(),
            unseen: BTreeMap::new(),
            shown: Shown::Nothing,
            others: None,
            traces: Vec::new(),
            careful: false,
            prepared: false,
            lost: 0,
            collisions: 0,
            parts: Vec::new(),
            refusal: None,
            alike: 0,
            notices: Vec::new(),
        }
    }

    /// Forgets all that is known of the candidate; what was staged waits again, first.
    pub(super) fn unstage(&mut self) {
        self.prepared = false;
        self.shown = Shown::Unasked;
        self.others = None;
        self.traces.clear();
        self.live.clear();
        self.candidate.clear();
        self.read_back.clear();
        self.unseen.clear();
        for job in self.staged.drain(..).rev() {
            job.ticket.release();
            self.todo.push_front(job);
        }
    }

    /// Has these changes wait until the others of the batch are committed.
    pub(super) fn put_behind(&mut self, jobs: Vec<Job>) {
        if !jobs.is_empty() {
            for job in &jobs {
                job.ticket.release();
            }
            self.parts.push(jobs.into());
        }
    }

    /// Notes that the candidate is empty.
    pub(super) fn prepared(&mut self) {
        self.prepared = true;
        self.shown = Shown::Nothing;
    }

    /// Notes that the candidate is empty because all that was in it is live.
    pub(super) fn settled(&mut self) {
        self.unstage();
        self.prepared();
        if let Err(error) = self.held.forget() {
            self.notices.push(Diagnostic::warning("The journal of staged changes stays behind", error.to_string()));
        }
    }

    /// Drops the waiting changes whose callers have left, and those whose callers do not want to wait any longer.
    fn drop_unwanted(&mut self) {
        self.todo = wanted(std::mem::take(&mut self.todo));
        self.late = wanted(std::mem::take(&mut self.late));
    }

    /// Fails all that wait.
    pub(super) fn fail_waiting(&mut self, error: &Error) {
        let parts = self.parts.drain(..).flatten();
        for job in self.todo.drain(..).chain(self.late.drain(..)).chain(parts) {
            if job.ticket.take() {
                job.fail(error.clone());
            }
        }
    }
}

/// The changes whose callers still wait for them; the others hear why not.
fn wanted<L: IntoIterator<Item = Job> + FromIterator<Job>>(jobs: L) -> L {
    let kept = jobs.into_iter().filter_map(|job| match job.ticket.given_up() {
        Some(error) if job.ticket.take() => {
            job.fail(error);
            None
        }
        None if job.is_wanted() => Some(job),
        _ => None,
    });
    kept.collect()
}
