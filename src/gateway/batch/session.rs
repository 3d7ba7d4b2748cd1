//! The one login session: opened when needed, asked with a limit, given up when the line is lost.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout};

use super::Rules;
use crate::gateway::batch_form::Line;
use crate::gateway::device::{Commit, Connect, Device, Report};
use crate::gateway::dialog::{Dialog, Said};
use crate::gateway::table::{Printout, Rows};
use crate::remote::{Error, Kind};

/// A session that idles longer is ended: the device would drop it after 30 minutes, and whatever is typed then is lost.
pub(super) const LONGEST_IDLE: Duration = Duration::from_mins(20);

/// The last resort against a device that never answers. The transport gives up on a single answer long before.
const LONGEST_CONVERSATION: Duration = Duration::from_mins(10);

/// A login takes seconds; a device that is out of sessions may keep one waiting. Each step on the way has a shorter limit of its own, and a better
/// error.
const LONGEST_LOGIN: Duration = Duration::from_mins(5);

/// So long the device may take to tell what a commit changed: all that hangs on it is a warning.
const LONGEST_ACCOUNT: Duration = Duration::from_secs(30);

/// More dialogs than any printout takes.
const MOST_DIALOGS: usize = 10_000;

/// One session at a time. Any error of kind `Unavailable` ends it; what was staged in it is then gone from it.
pub(super) struct Session {
    connect: Arc<dyn Connect>,
    rules: Rules,
    device: Option<Box<dyn Device>>,
    /// Until when the session may idle.
    expires: Instant,
    /// A login that was refused is never tried again: the account would be locked.
    denied: Option<Error>,
    /// What the help of a command printed in this session.
    helps: BTreeMap<&'static str, String>,
    /// The commands whose batch format this device understands otherwise than we do: their dialogs are walked.
    distrusted: BTreeSet<&'static str>,
    /// Whether this device does not tell what a commit changed.
    gives_no_account: bool,
    /// The printouts that no line prints.
    unprinted: BTreeSet<Printout>,
}

/// How a dialog was staged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Typed {
    /// Question by question.
    Dialog,
    /// In one line: what it did is still to be seen.
    Line,
    /// A line was refused. Nobody knows what it left: all is cleared, and staged again by dialogs.
    Refused,
}

impl Session {
    /// Makes a session that is not open.
    pub(super) fn new(connect: Arc<dyn Connect>, rules: Rules) -> Session {
        Session {
            connect,
            rules,
            device: None,
            expires: Instant::now(),
            denied: None,
            helps: BTreeMap::new(),
            distrusted: BTreeSet::new(),
            gives_no_account: false,
            unprinted: BTreeSet::new(),
        }
    }

    /// Whether the session is open, as far as is known.
    pub(super) fn is_open(&self) -> bool {
        self.device.is_some()
    }

    /// When the session is to be ended if nothing is asked of it.
    pub(super) fn expires(&self) -> Option<Instant> {
        self.device.as_ref().map(|_| self.expires)
    }

    /// Tries once to open the session.
    pub(super) async fn open(&mut self) -> Result<(), Error> {
        if let Some(denied) = &self.denied {
            return Err(denied.clone());
        }
        match timeout(LONGEST_LOGIN, self.connect.connect()).await {
            Ok(Ok(device)) => {
                self.device = Some(device);
                self.helps.clear();
                self.expires = Instant::now() + LONGEST_IDLE;
                Ok(())
            }
            Ok(Err(error)) => {
                if error.kind == Kind::Denied {
                    self.denied = Some(error.clone());
                }
                Err(error)
            }
            Err(_) => Err(lost("The gateway did not complete the login.").retryable()),
        }
    }

    /// Whether changes are made on this device at all.
    pub(super) fn writable(&self) -> Result<(), Error> {
        self.device.as_ref().map_or(Ok(()), |device| device.writable())
    }

    /// Reads a printout, as this session sees it: with what is staged in it. A printout of several dialogs does not fit together if somebody
    /// else commits between two of them; then it is read once more.
    pub(super) async fn read(&mut self, printout: &Printout) -> Result<Rows, Error> {
        let mut said = Vec::new();
        let outcome = self.read_once(printout, &mut said).await;
        match &outcome {
            Err(error) if !said.is_empty() && self.is_open() && matches!(error.kind, Kind::Unexpected | Kind::Invalid) => {
                tracing::info!(error = %error, ?printout, "a printout does not fit together; reading it once more");
                said.clear();
                self.read_once(printout, &mut said).await
            }
            _ => outcome,
        }
    }

    /// Reads a printout by one line of the command's batch format, where such lines were typed in this session and the help shows this one, too. No
    /// heading says then how many rows there are, so it proves only what is expected: a caller that sees something else reads the printout by its dialog.
    pub(super) async fn glance(&mut self, printout: &Printout) -> Result<Option<Rows>, Error> {
        let Some(line) = (self.rules.dialog)(printout, &[]).and_then(|dialog| dialog.line) else { return Ok(None) };
        let command = line.form.command;
        let is_offered = self.helps.get(command).is_some_and(|help| line.is_offered(help));
        if !is_offered || self.distrusted.contains(command) || self.unprinted.contains(printout) {
            return Ok(None);
        }
        let device = self.device()?;
        let answer = timeout(LONGEST_CONVERSATION, device.walk(&Dialog::of(&line.text))).await;
        let rows = match self.heard(answer) {
            // What the choice in the menu would print.
            Ok(said) => (self.rules.parse)(printout, &[Said { opening: String::new(), after: vec![said.opening] }]),
            Err(error) if !self.is_open() => return Err(error),
            Err(error) => Err(error),
        };
        if let Err(error) = &rows {
            tracing::info!(error = %error, line = line.text, "the line does not print the table; walking the dialog");
            self.unprinted.insert(printout.clone());
        }
        Ok(rows.ok())
    }

    async fn read_once(&mut self, printout: &Printout, said: &mut Vec<Said>) -> Result<Rows, Error> {
        while let Some(dialog) = (self.rules.dialog)(printout, said) {
            if said.len() >= MOST_DIALOGS {
                return Err(Error::new(Kind::Unexpected, format!("Reading {printout:?} from the gateway comes to no end.")));
            }
            let device = self.device()?;
            let answer = timeout(LONGEST_CONVERSATION, device.walk(&dialog)).await;
            said.push(self.heard(answer)?);
        }
        (self.rules.parse)(printout, said)
    }

    /// Stages something: by a line of the command's batch format where the device offers that, else by the dialog.
    pub(super) async fn stage(&mut self, dialog: &Dialog) -> Result<Typed, Error> {
        if let Some(line) = &dialog.line
            && self.offers(line).await?
        {
            let outcome = self.walk(&Dialog::of(&line.text)).await;
            return match outcome {
                Err(error) if self.is_open() => {
                    tracing::info!(error = %error, line = line.text, "the batch format is not understood; walking dialogs");
                    self.distrusted.insert(line.form.command);
                    Ok(Typed::Refused)
                }
                outcome => outcome.map(|()| Typed::Line),
            };
        }
        self.walk(dialog).await.map(|()| Typed::Dialog)
    }

    /// Notes that no batch format does on this device what it should.
    pub(super) fn distrust_lines(&mut self) {
        self.distrusted.extend(self.helps.keys());
    }

    /// Whether the help of the command shows the form of a line. It is asked once in a session.
    async fn offers(&mut self, line: &Line) -> Result<bool, Error> {
        let command = line.form.command;
        if self.distrusted.contains(command) {
            return Ok(false);
        }
        if !self.helps.contains_key(command) {
            let question = format!("help {command}");
            let device = self.device()?;
            let answer = timeout(LONGEST_CONVERSATION, device.show(&question)).await;
            let help = match self.heard(answer) {
                Ok(help) => help,
                Err(error) if !self.is_open() => return Err(error),
                // Without help there is no batch format to know.
                Err(_) => String::new(),
            };
            self.helps.insert(command, help);
        }
        Ok(self.helps.get(command).is_some_and(|help| line.is_offered(help)))
    }

    async fn walk(&mut self, dialog: &Dialog) -> Result<(), Error> {
        let device = self.device()?;
        let answer = timeout(LONGEST_CONVERSATION, device.walk(dialog)).await;
        self.heard(answer).map(|_| ())
    }

    /// Walks a dialog that stages nothing, and gives its report.
    pub(super) async fn report(&mut self, dialog: &Dialog) -> Result<Report, Error> {
        let device = self.device()?;
        let answer = timeout(LONGEST_CONVERSATION, device.report(dialog)).await;
        self.heard(answer)
    }

    /// What is staged and not committed.
    pub(super) async fn pending(&mut self) -> Result<Option<String>, Error> {
        let device = self.device()?;
        let answer = timeout(LONGEST_CONVERSATION, device.pending()).await;
        self.heard(answer)
    }

    /// Drops what is staged, and makes sure of it.
    pub(super) async fn clear(&mut self) -> Result<(), Error> {
        let device = self.device()?;
        let answer = timeout(LONGEST_CONVERSATION, device.clear()).await;
        self.heard(answer)?;
        match self.pending().await? {
            None => Ok(()),
            Some(_) => Err(Error::new(Kind::Unexpected, "The gateway still shows uncommitted changes after they were cleared.")),
        }
    }

    /// Commits. `None` if the commit did not end in time. After that, and after an error, nobody knows what became of it, and
    /// the session is given up.
    pub(super) async fn commit(&mut self, comment: &str, snapshot: bool, limit: Duration) -> Result<Option<Commit>, Error> {
        let device = self.device()?;
        let Ok(answer) = timeout(limit, device.commit(comment, snapshot)).await else {
            self.device = None;
            return Ok(None);
        };
        let answer = self.heard(Ok(answer));
        if answer.is_err() {
            self.device = None;
        }
        answer.map(Some)
    }

    /// What the last commit changed, if the device tells. What cannot be asked is logged: the commit stands without it.
    pub(super) async fn committed(&mut self) -> Option<String> {
        if self.gives_no_account {
            return None;
        }
        let answer = match self.device() {
            Ok(device) => timeout(LONGEST_ACCOUNT, device.committed()).await,
            Err(_) => return None,
        };
        match self.heard(answer) {
            Ok(words) => Some(words),
            Err(error) => {
                tracing::info!(%error, "the gateway does not tell what a commit changed");
                self.gives_no_account = self.is_open();
                None
            }
        }
    }

    /// Notes that what this device tells of a commit does not name what was staged: it is not asked again.
    pub(super) fn gives_no_account(&mut self) {
        self.gives_no_account = true;
    }

    /// Logs out.
    pub(super) async fn close(&mut self) {
        if let Some(mut device) = self.device.take() {
            // A device that does not answer keeps nobody: the line is dropped.
            let _ = timeout(Duration::from_secs(10), device.close()).await;
        }
    }

    fn device(&mut self) -> Result<&mut Box<dyn Device>, Error> {
        self.device.as_mut().ok_or_else(|| lost("The session with the gateway is gone."))
    }

    fn heard<T>(&mut self, answer: Result<Result<T, Error>, Elapsed>) -> Result<T, Error> {
        let answer = answer.unwrap_or_else(|_| Err(lost("The gateway did not answer.")));
        self.expires = Instant::now() + LONGEST_IDLE;
        if matches!(&answer, Err(error) if error.kind == Kind::Unavailable) {
            self.device = None;
        }
        answer
    }
}

fn lost(message: impl Into<String>) -> Error {
    Error::new(Kind::Unavailable, message)
}
