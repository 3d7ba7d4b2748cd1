//! The end of a batch: the last look, the commit, and what became of it.
//!
//! A caller gets success only for what was read back. What the device refuses goes to the change that is to blame; what nobody knows is settled by
//! reading.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::time::Instant;

use super::candidate::{Candidate, Shown};
use super::job::{Job, Ticket};
use super::round::{Round, Unseen};
use super::weigh;
use super::writer::{MOST_LOST, Writer, step};
use crate::gateway::device::Commit;
use crate::gateway::table::{Printout, Rows};
use crate::remote::{Error, Failure, Kind};
use crate::value::Diagnostic;

/// So many collisions with commits of others in a row are an error.
const MOST_COLLISIONS: u32 = 3;

/// So many single changes refused in the words in which all were refused together: it is not about any one of them.
const MOST_ALIKE: u32 = 3;

impl Writer {
    /// Commits what is staged, and answers all, or has them staged again.
    pub(super) async fn conclude(&mut self, round: &mut Round) {
        match self.surprise(round).await {
            Ok(None) => {}
            Ok(Some(surprise)) => {
                if surprise == Unseen::Lines {
                    tracing::info!("the batch format did something else than was asked; all is staged again by dialogs");
                    self.session.distrust_lines();
                }
                self.clear(round).await;
                return;
            }
            Err(error) => {
                self.session.close().await;
                return self.lost(round, error).await;
            }
        }
        if round.shown != Shown::Nothing {
            match self.refuse_relays(round).await {
                Ok(false) => {}
                Ok(true) => return,
                Err(error) if !self.session.is_open() => return self.lost(round, error).await,
                Err(error) => {
                    // Nobody can tell what would be committed.
                    let jobs = std::mem::take(&mut round.staged);
                    self.clear(round).await;
                    let error = error.hint("Whether the change would open a relay could not be judged. Nothing of it is live.");
                    return jobs.into_iter().for_each(|job| job.fail(error.clone()));
                }
            }
            // The last look, right before the commit: without an answer nobody can tell what would be committed.
            if let Err(error) = self.ask(round).await {
                self.session.close().await;
                return self.lost(round, error).await;
            }
            if self.keep_out(round).await {
                return;
            }
        }
        let jobs = std::mem::take(&mut round.staged);
        if round.shown == Shown::Nothing {
            // All stands as it was wished for, or the dialogs had no effect: reading tells.
            round.settled();
            return self.confirm(round, jobs, &BTreeMap::new()).await;
        }
        for job in &jobs {
            self.shared.snapshots.forget(&job.wish.printout());
            self.ours.begins(&job.wish);
        }
        let comment = weigh::comment(&self.commit.comment, &self.run, &jobs);
        tracing::info!(changes = jobs.len(), "committing");
        let began = Instant::now();
        let outcome = self.session.commit(&comment, self.commit.rollback_snapshot, self.commit.timeout).await;
        self.last_commit = began.elapsed();
        match outcome {
            Ok(Some(Commit::Done { notices })) => {
                round
                    .notices
                    .extend(notices.into_iter().map(|words| Diagnostic::warning("The gateway committed with a notice", words)));
                round.collisions = 0;
                round.alike = 0;
                let (shown, others) = (round.shown.clone(), round.others.take());
                self.tell_others(round, &shown, others).await;
                let expected = std::mem::take(&mut round.candidate);
                round.settled();
                self.confirm(round, jobs, &expected).await;
            }
            Ok(Some(Commit::NothingStaged)) => {
                let words = "The gateway had nothing to commit: what was staged is gone.";
                self.settle(round, jobs, Error::new(Kind::Unavailable, words), true).await;
            }
            Ok(Some(Commit::Collision(words))) => {
                round.collisions += 1;
                self.shared.snapshots.forget_all();
                round.staged = jobs;
                self.clear(round).await;
                if round.collisions >= MOST_COLLISIONS {
                    round.fail_waiting(
                        &Error::new(Kind::Conflict, words)
                            .hint("Somebody else commits on the gateway again and again. Run again when they are done."),
                    );
                } else {
                    self.stand_back(round.collisions).await;
                }
            }
            Ok(Some(Commit::Refused(words))) => self.refused(round, jobs, words).await,
            Ok(None) => {
                let words = format!("The commit did not end within {} seconds.", self.commit.timeout.as_secs_f32());
                self.settle(round, jobs, Error::new(Kind::Unavailable, words), false).await;
            }
            Err(error) => {
                // Only a lost line is worth another attempt: what else a device says of a commit, it will say again.
                let again = error.kind == Kind::Unavailable;
                self.settle(round, jobs, error, again).await;
            }
        }
    }

    /// Reads what nobody has seen yet. Gives why it was unseen where it shows something else than what stood before and what was staged.
    async fn surprise(&mut self, round: &mut Round) -> Result<Option<Unseen>, Error> {
        for (printout, why) in std::mem::take(&mut round.unseen) {
            let expected = round.candidate.get(&printout);
            if self.expected(&printout, expected).await?.is_some() {
                continue;
            }
            let rows = self.session.read(&printout).await?;
            if !expected.is_some_and(|candidate| candidate.agrees(&self.rules, &rows)) {
                return Ok(Some(why));
            }
        }
        Ok(None)
    }

    /// Reads a printout in one line, if it shows what is expected. Nothing at all proves nothing.
    async fn expected(&mut self, printout: &Printout, expected: Option<&Candidate>) -> Result<Option<Rows>, Error> {
        let Some(expected) = expected else { return Ok(None) };
        let rows = self.session.glance(printout).await?;
        Ok(rows.filter(|rows| !rows.rows.is_empty() && expected.agrees(&self.rules, rows)))
    }

    /// A refused commit: a single change is to blame; of several, halves are tried, down to single ones.
    async fn refused(&mut self, round: &mut Round, mut jobs: Vec<Job>, words: String) {
        let blamed = if jobs.len() == 1 { jobs.pop() } else { None };
        round.staged = jobs;
        let cleared = self.clear(round).await;
        let stands = if cleared { "Nothing of this change is on it." } else { "This change is not live." };
        let error = Error::new(Kind::Invalid, words.clone()).hint(format!("The gateway refused the commit. {stands}"));
        if let Some(job) = blamed {
            job.fail(error.clone());
            if round.refusal.as_ref() == Some(&words) {
                round.alike += 1;
            }
            if round.alike >= MOST_ALIKE {
                round.fail_waiting(&error);
            }
        } else if cleared {
            round.refusal.get_or_insert(words);
            let second = round.todo.split_off(round.todo.len().div_ceil(2));
            round.parts.push(second);
        }
    }

    /// A commit whose outcome is not known: what is live is a success, the rest is staged again if that is worth it.
    async fn settle(&mut self, round: &mut Round, jobs: Vec<Job>, error: Error, again: bool) {
        tracing::warn!(error = %error, "the outcome of a commit is not known; reading what is live");
        let (pending, others) = (round.shown.clone(), round.others.take());
        round.unstage();
        round.lost += 1;
        let shown = self.read_back(round, &jobs, &BTreeMap::new()).await;
        let is_live = |job: &Job| {
            let rows = shown.get(&job.wish.printout()).and_then(|rows| rows.as_ref().ok());
            rows.is_some_and(|rows| weigh::is_live(&self.rules, &job.wish, rows).is_ok())
        };
        if jobs.iter().any(is_live) {
            self.tell_others(round, &pending, others).await;
        }
        for mut job in jobs {
            match shown.get(&job.wish.printout()) {
                Some(Ok(rows)) => match weigh::is_live(&self.rules, &job.wish, rows) {
                    Ok(row) => job.succeed(row, std::mem::take(&mut round.notices)),
                    Err(_) if again && round.lost <= MOST_LOST => {
                        job.unsure = true;
                        job.ticket.release();
                        round.todo.push_back(job);
                    }
                    Err(_) => {
                        let words =
                            format!("{} The change is not live now; a commit that still runs may make it so.", error.message);
                        job.fail_open(Error { message: words, ..error.clone() });
                    }
                },
                unread => {
                    let why =
                        unread.and_then(|shown| shown.as_ref().err()).map_or(String::new(), |why| format!(" {}", why.message));
                    let words = format!("{} Whether the change is live is not known.{why}", error.message);
                    job.fail_open(Error { message: words, ..error.clone() });
                }
            }
        }
    }

    /// Reads back what was committed, and answers.
    async fn confirm(&mut self, round: &mut Round, jobs: Vec<Job>, expected: &BTreeMap<Printout, Candidate>) {
        let shown = self.read_back(round, &jobs, expected).await;
        let rows = shown.iter().filter_map(|(printout, rows)| Some((printout.clone(), Arc::clone(rows.as_ref().ok()?))));
        self.read_back = (Instant::now(), rows.collect());
        // What arrived before the answers is not what they bring about.
        self.drain();
        // Where a commit takes long, a caller that comes a little late is cheaper than one more commit.
        let patience = self.commit.quiet_period.max(self.last_commit / 4);
        self.successors = (jobs.len(), Instant::now() + patience);
        for job in jobs {
            match shown.get(&job.wish.printout()) {
                Some(Ok(rows)) => {
                    let outcome = weigh::is_live(&self.rules, &job.wish, rows);
                    let stands = outcome
                        .as_ref()
                        .map_or_else(|failure| failure.object.clone(), |row| row.as_ref().map(|row| row.record.clone()));
                    self.ours.ends(&job.wish, stands);
                    match outcome.and_then(|row| weigh::runs(&job, row.as_ref()).map(|()| row)) {
                        Ok(row) => job.succeed(row, std::mem::take(&mut round.notices)),
                        Err(failure) => job.fail_with(failure),
                    }
                }
                unread => {
                    let why =
                        unread.and_then(|shown| shown.as_ref().err()).map_or(String::new(), |why| format!(": {}", why.message));
                    let words = format!("The change was committed, but could not be read back{why}");
                    job.fail_unread(Error::new(Kind::Unavailable, words));
                }
            }
        }
    }

    /// Reads each printout that these changes touch, once, from a session with nothing staged.
    async fn read_back(
        &mut self,
        round: &mut Round,
        jobs: &[Job],
        expected: &BTreeMap<Printout, Candidate>,
    ) -> BTreeMap<Printout, Result<Arc<Rows>, Error>> {
        let tickets: Vec<Arc<Ticket>> = jobs.iter().map(|job| Arc::clone(&job.ticket)).collect();
        let printouts: BTreeSet<Printout> = jobs.iter().map(|job| job.wish.printout()).collect();
        let mut shown = BTreeMap::new();
        for printout in printouts {
            let rows = self.read_live(round, &printout, &tickets, expected.get(&printout)).await;
            shown.insert(printout, rows);
        }
        shown
    }

    async fn read_live(
        &mut self,
        round: &mut Round,
        printout: &Printout,
        tickets: &[Arc<Ticket>],
        expected: Option<&Candidate>,
    ) -> Result<Arc<Rows>, Error> {
        let mut lost = 0;
        loop {
            self.enter(round, tickets).await?;
            let reading = self.shared.snapshots.begin(printout);
            let rows = match self.expected(printout, expected).await {
                Ok(None) => self.session.read(printout).await,
                Ok(Some(rows)) => Ok(rows),
                Err(error) => Err(error),
            };
            match rows {
                Ok(rows) => {
                    let rows = Arc::new(rows);
                    self.shared.snapshots.finish(reading, &rows);
                    return Ok(rows);
                }
                Err(_) if !self.session.is_open() && lost < MOST_LOST => {
                    lost += 1;
                    self.pause(Some(Instant::now() + step(lost))).await;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

impl Job {
    /// Says that it is not known whether the change is live.
    fn fail_open(self, error: Error) {
        let failure = weigh::open_outcome(&self.wish, error);
        self.fail_with(failure);
    }

    /// Says that the change was committed, and that nobody could look.
    fn fail_unread(self, error: Error) {
        let hint = "Run again: the next plan shows what stands on the gateway. A commit that takes long may need a higher commit.timeout.";
        let error = error.hint(hint);
        let object = weigh::presumed(&self.wish);
        self.fail_with(Failure { error, object });
    }
}
