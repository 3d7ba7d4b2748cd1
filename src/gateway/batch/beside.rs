//! What somebody else stages beside a batch, in the same candidate: sessions of one account may share it, and a commit takes all of it.
//!
//! The candidate was empty when the batch began. What the device shows as pending is asked right before the commit, with nothing in between, and
//! before anything is cleared. A line that nothing of the batch explains is somebody else's work: it is not committed and not cleared, and the
//! batch fails. How the device prints changes is not documented, so this is done only where it has shown changes of the same kinds before in
//! lines that were all explained; a first batch looks behind its first staging for that. Else the batch is committed and a warning names the lines.
//! What comes in between the last look and the end of the commit cannot be kept out: the device's account of the commit is held against the last
//! look, and a warning names what it has more. What comes in between a look and the `clearchanges` behind it, a moment later, is lost and not told.

use std::mem::Discriminant;

use super::job::Job;
use super::round::Round;
use super::writer::Writer;
use super::{Goal, weigh};
use crate::gateway::batch::candidate::Shown;
use crate::gateway::lock::mentions;
use crate::gateway::settings::PendingChanges;
use crate::remote::{Error, Kind};
use crate::value::Diagnostic;

/// A kind of change: of which resource, and what becomes of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Deed(&'static str, Discriminant<Goal>);

/// What was staged: its kind, and the names by which the device may show it.
#[derive(Debug, Clone)]
pub(super) struct Trace {
    deed: Deed,
    names: Vec<String>,
}

/// The lines of a text of pending changes that nothing of this run explains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Others {
    lines: Vec<String>,
    /// Whether the device is known to show the changes of this batch in lines that are all explained.
    is_certain: bool,
}

impl Trace {
    /// Notes a change by all the names that it was staged with.
    pub(super) fn new(job: &Job, names: &[&str]) -> Trace {
        let deed = Deed(job.wish.table.resource.name, std::mem::discriminant(&job.wish.goal));
        Trace { deed, names: names.iter().map(|name| name.to_lowercase()).collect() }
    }
}

impl Writer {
    /// Asks what is staged, and notes it for whoever comes after a writer that is killed.
    pub(super) async fn ask(&mut self, round: &mut Round) -> Result<(), Error> {
        round.others = None;
        round.shown = match self.session.pending().await? {
            Some(words) => {
                round.others = self.others(round, &words);
                if round.others.is_none() {
                    round.held.note_pending(&words)?;
                }
                Shown::Words(words)
            }
            None => Shown::Nothing,
        };
        Ok(())
    }

    /// Looks behind the first staging of a run, before the next one: whether the lines that the device shows are understood.
    /// False if the batch does not go on.
    pub(super) async fn look_behind_the_first(&mut self, round: &mut Round) -> bool {
        let [first] = round.traces.as_slice() else { return true };
        if self.looked || round.shown != Shown::Unasked || self.understood.contains(&first.deed) {
            return true;
        }
        self.looked = true;
        if let Err(error) = self.ask(round).await {
            self.session.close().await;
            self.lost(round, error).await;
            return false;
        }
        true
    }

    /// Fails the batch if the last look showed work of somebody else for certain, or discards that work if the settings say so. True if it did.
    pub(super) async fn keep_out(&mut self, round: &mut Round) -> bool {
        let Some(others) = round.others.take_if(|others| others.is_certain) else { return false };
        if self.foreign == PendingChanges::Discard {
            self.discard(round, &others).await;
        } else {
            stand_by(round, &others);
        }
        true
    }

    /// Before staged changes are dropped: whether there is somebody else's work among them. If so, nothing is dropped, and all fail.
    pub(super) async fn would_clear_others(&mut self, round: &mut Round) -> Result<bool, Error> {
        if round.traces.is_empty() && round.held.leftover().is_none() {
            return Ok(false);
        }
        let Some(words) = self.session.pending().await? else { return Ok(false) };
        let Some(others) = self.others(round, &words) else { return Ok(false) };
        if self.foreign == PendingChanges::Discard {
            round.notices.push(discarded(&others));
            return Ok(false);
        }
        stand_by(round, &others);
        Ok(true)
    }

    /// Tells what went live with a commit that this run did not stage, given what the last look before it showed.
    pub(super) async fn tell_others(&mut self, round: &mut Round, shown: &Shown, others: Option<Others>) {
        let mut lines = others.map(|others| others.lines).unwrap_or_default();
        if let Shown::Words(words) = shown
            && let Some(account) = self.session.committed().await
        {
            match beyond(words, &account) {
                Some(more) => lines.extend(more),
                None => self.session.gives_no_account(),
            }
        }
        if !lines.is_empty() {
            let detail = format!(
                "The gateway showed them as pending changes of this session, and this run did not stage them. Somebody else who uses the \
                 same account probably did; a commit takes all of them. They were:\n\n{}\n\nGive Terraform an account of its own.",
                weigh::excerpt(&lines.join("\n"))
            );
            round.notices.push(Diagnostic::warning("Changes of somebody else went live with those of this run", detail));
        }
    }

    /// What a text of pending changes shows beside what was staged; and learns how the device shows that.
    fn others(&mut self, round: &Round, words: &str) -> Option<Others> {
        let journal = round.held.leftover()?;
        let text = words.to_lowercase();
        let names_all = round.traces.iter().all(|trace| trace.names.iter().any(|name| mentions(&text, name)));
        // Without a name nobody can tell whose a line is.
        if !names_all || !journal.names_any(words) {
            return None;
        }
        let lines = journal.foreign_lines(words);
        if lines.is_empty() {
            self.understood.extend(round.traces.iter().map(|trace| trace.deed));
            return None;
        }
        let is_certain = round.traces.iter().all(|trace| self.understood.contains(&trace.deed));
        Some(Others { lines, is_certain })
    }

    async fn discard(&mut self, round: &mut Round, others: &Others) {
        round.notices.push(discarded(others));
        self.wipe(round).await;
    }
}

/// Leaves what is staged as it is, with the work of somebody else among it. All who wait hear of it.
fn stand_by(round: &mut Round, others: &Others) {
    let ours: Vec<String> = round.staged.iter().map(|job| job.wish.title()).collect();
    let ours = if ours.is_empty() { "what this run staged".to_owned() } else { ours.join(", ") };
    let message = format!(
        "Somebody else staged changes on the gateway in the same session while this run staged its own:\n\n{}\n\nNothing was committed and \
         nothing was cleared: {ours} stands beside them, uncommitted.",
        weigh::excerpt(&others.lines.join("\n"))
    );
    let error = Error::new(Kind::Conflict, message).hint(
        "Commit or clear all of it on the gateway, then run again; give Terraform an account of its own. What is committed that this run \
         wanted to make is then to be imported.",
    );
    for job in std::mem::take(&mut round.staged) {
        job.fail(error.clone());
    }
    round.unstage();
    round.fail_waiting(&error);
}

fn discarded(others: &Others) -> Diagnostic {
    let lines = weigh::excerpt(&others.lines.join("\n"));
    Diagnostic::warning(
        "Uncommitted changes on the gateway were discarded",
        format!("The setting pending_changes says so. They were staged while this run staged its own:\n\n{lines}"),
    )
}

/// The lines of the account of a commit that were not pending when it was last asked. `None` if the account does not show what was pending.
fn beyond(pending: &str, account: &str) -> Option<Vec<String>> {
    let lines =
        |text: &str| -> Vec<String> { text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect() };
    let mut known = lines(pending);
    let has_title = known.len() > 1 && known.first().is_some_and(|line| line.ends_with(':'));
    let title = if has_title { Some(known.remove(0)) } else { None };
    let mut more = Vec::new();
    for line in lines(account).into_iter().filter(|line| title.as_ref() != Some(line)) {
        match known.iter().position(|known| *known == line) {
            Some(at) => drop(known.remove(at)),
            None => more.push(line),
        }
    }
    if !known.is_empty() {
        return None;
    }
    let heading = more.iter().take_while(|line| is_heading(line)).count();
    Some(more.split_off(heading))
}

/// Whether a line says who committed, when, and with which words.
fn is_heading(line: &str) -> bool {
    let line = line.to_lowercase();
    ["commit", "changes committed", "user", "by ", "date", "time", "comment"].iter().any(|word| line.starts_with(word))
}

#[cfg(test)]
mod tests {
    use super::beyond;

    #[test]
    fn rs1_what_an_account_of_a_commit_has_more_than_the_last_look_is_found_wherever_it_stands() {
        let pending = "The following changes have not been committed:\nroutes\n    + a.example\n    b.example\n        tls\n";
        let head = "Commit at Mon Nov 30 10:00:00 2026 with comments: \"x\".\nUser: terraform\n";
        let ours = "routes\n    + a.example\n    b.example\n        tls\n";
        assert_eq!(beyond(pending, &format!("{head}{ours}")), Some(Vec::new()));
        for (at, line) in ["interfaces: Data 1", "    + z.example", "usage\n"].iter().enumerate() {
            let with = match at {
                0 => format!("{head}{line}\n{ours}"),
                1 => format!("{head}{}", ours.replace("    b.example", &format!("{line}\n    b.example"))),
                _ => format!("{head}{ours}{line}"),
            };
            assert_eq!(beyond(pending, &with), Some(vec![line.trim().to_owned()]), "{with}");
        }
        for other in [head, "", "Commit at Mon Nov 30 10:00:00 2026 with comments: \"a.example\".\n"] {
            assert_eq!(beyond(pending, other), None, "{other}");
        }
    }
}
