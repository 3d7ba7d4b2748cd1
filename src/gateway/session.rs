//! A login session on the gateway, and what opens one.
//!
//! At login the banner is skipped until a prompt comes, the prompt is learnt (and confirmed by typing `setttymode 0 1`, which also turns
//! paging off where the release knows it), the release is read, and the level of the cluster is chosen. From then on each operation begins
//! and ends at that prompt.
//!
//! Wording that no source documents, and what is assumed: `showchanges` says in one or two lines that there is nothing (a line with
//! "no", and "changes", "data" or "modifications"), or prints nothing; anything else is what is staged. A question at
//! `exit` is about uncommitted changes; the line is closed without an answer.

use std::sync::LazyLock;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use regex::Regex;
use secrecy::ExposeSecret;
use tokio::time::{Instant, timeout_at};

use super::commit::{self, all_words};
use super::device::{Commit, Connect, Device, Report};
use super::dialog::{Dialog, Said};
use super::driver;
use super::level::{self, Offer};
use super::refusal;
use super::release;
use super::settings::{Level, Login, Settings};
use super::shell::{Limit, Line, Shell, Shown, Timing, Way, seconds};
use super::ssh;
use super::stop::{Asks, Question, Stop, Turn};
use crate::remote::{Error, Kind};

/// A session that tells no idle limit is taken for one that ends after five minutes, the shortest that can be set.
const UNKNOWN_IDLE_LIMIT: Duration = Duration::from_mins(5);

/// A session is given up this long before the device would end it.
const IDLE_MARGIN: Duration = Duration::from_secs(30);

/// More confirmations than any release asks for.
const MOST_QUESTIONS: usize = 4;

/// How often the prompt may turn out to be another one while it is learnt.
const MOST_PROMPTS: usize = 4;

/// What may be the cause where no prompt comes.
const HUNG: &str = "The session ended or hung before its first prompt: too many sessions may be open, or the account may not use the command line.";

/// For so long a host that hangs up is tried again: one that is slow is not.
const TRIED_FOR: Duration = Duration::from_secs(10);

/// Waits between attempts to connect to a host that hangs up before the login; no credential was sent.
const PAUSES: [Duration; 3] = [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];

static IDLE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)left idle for (\d{1,5}) minute"));
static NOTHING: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(no|not|nothing|none)\b.*\b(changes?|changed|data|modifications?|modified|differences?|pending|uncommitted)\b",
    )
});

/// The error of a shell that does not come to its prompt within what a login may take.
fn late() -> Error {
    let message =
        format!("The gateway let the login in, and its shell did not come to its prompt within {}.", seconds(ssh::LOGIN_LIMIT));
    Error::new(Kind::Unavailable, message).retryable().hint(HUNG)
}

fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is a constant, and a test uses it")
}

/// A login session.
pub struct Session {
    pub(super) shell: Shell,
    pub(super) level: Level,
    /// The host that was logged in to, and the prompt that it showed first.
    pub(super) host: String,
    pub(super) first_prompt: String,
    commit_limit: Duration,
    release: Option<String>,
    idle_limit: Duration,
    pager_off: bool,
}

impl Session {
    /// Prepares the session on a line on which a shell was just started.
    pub(super) async fn open(line: Box<dyn Line>, settings: &Settings, timing: Timing) -> Result<Session, Error> {
        let by = line.ready_by();
        Session::over(Shell::new(line, timing), settings, by).await
    }

    /// Prepares the session, and records everything that is said in it.
    pub(super) async fn open_recorded(line: Box<dyn Line>, settings: &Settings, timing: Timing) -> Result<Session, Error> {
        let by = line.ready_by();
        let mut shell = Shell::new(line, timing);
        shell.transcript().record();
        Session::over(shell, settings, by).await
    }

    async fn over(mut shell: Shell, settings: &Settings, by: Option<Instant>) -> Result<Session, Error> {
        let secrets = |login: &Login| [login.password.clone(), login.private_key_passphrase.clone()];
        let logins = std::iter::successors(Some(&settings.login), |login| login.jump_host.as_deref());
        for secret in logins.flat_map(secrets).flatten() {
            shell.transcript().hide(secret.expose_secret());
        }
        let mut session = Session {
            shell,
            level: settings.cluster.clone(),
            host: settings.login.host.clone(),
            first_prompt: String::new(),
            commit_limit: settings.commit.timeout,
            release: None,
            idle_limit: UNKNOWN_IDLE_LIMIT,
            pager_off: false,
        };
        let prepared = match by {
            Some(by) => timeout_at(by, session.prepare()).await.unwrap_or_else(|_| Err(late())),
            None => session.prepare().await,
        };
        match prepared {
            Ok(()) => Ok(session),
            Err(error) => {
                session.shell.close().await;
                Err(error)
            }
        }
    }

    /// The AsyncOS release, as the banner or `version` tells it: `15.0.0-104`.
    pub fn release(&self) -> Option<&str> {
        self.release.as_deref()
    }

    /// Whether the device took the command that turns its pager off, and how many pages were turned all the same.
    pub(super) fn pager(&self) -> (bool, u64) {
        (self.pager_off, self.shell.pages())
    }

    /// The main prompt, such as `esa.example.com>` or `(Machine esa1)>`.
    pub(super) fn prompt(&self) -> &str {
        self.shell.prompt()
    }

    /// Takes what was said since the session was opened, or since the last time, if it is recorded.
    pub(super) fn recorded(&mut self) -> String {
        self.shell.transcript().recorded()
    }

    /// Whether the device has ended the session by now, or is about to.
    pub fn is_stale(&self) -> bool {
        !self.shell.is_open() || self.shell.used().elapsed() + IDLE_MARGIN >= self.idle_limit
    }

    async fn prepare(&mut self) -> Result<(), Error> {
        let limit = Limit { silence: self.shell.timing().prompt, total: self.shell.timing().prompt, ..self.shell.patience() };
        self.shell.expect_any_prompt();
        let banner = match self.shell.turn(limit).await {
            Ok(Turn { said, stop: Stop::Prompt }) => said,
            Ok(turn) => return Err(self.asked_at_login(&turn).await),
            Err(error) => return Err(error.hint(HUNG)),
        };
        release::check_product(&banner)?;
        if let Some(minutes) =
            IDLE.captures(&banner).and_then(|found| found.get(1)).and_then(|minutes| minutes.as_str().parse::<u64>().ok())
        {
            self.idle_limit = Duration::from_secs(minutes.saturating_mul(60));
        }
        let answer = self.learn_prompt("setttymode 0 1").await?;
        self.pager_off = refusal::find(&answer).is_none();
        self.shell.prompt().clone_into(&mut self.first_prompt);
        self.shell.end();
        self.release = release::find(&banner);
        if self.release.is_none() {
            self.release = match self.show_checked("version").await {
                Ok(said) => release::find(&said),
                // A role may not be allowed to ask; then the release is unknown, which allows reading.
                Err(error) if matches!(error.kind, Kind::Denied | Kind::Invalid) => None,
                Err(error) => return Err(error),
            };
        }
        self.choose_level().await
    }

    /// Types a harmless command until two prompts in a row are the same: a line of a banner may look like one.
    async fn learn_prompt(&mut self, command: &str) -> Result<Turn, Error> {
        let limit = self.shell.patience();
        let mut prompt = self.shell.learn();
        for _ in 0..MOST_PROMPTS {
            self.shell.expect_any_prompt();
            self.shell.type_line(command, Shown::Plain).await?;
            let turn = self.shell.turn(limit).await?;
            if turn.stop != Stop::Prompt {
                return Err(self.asked_at_login(&turn).await);
            }
            let next = self.shell.learn();
            if next == prompt {
                return Ok(turn);
            }
            prompt = next;
        }
        let error = Error::new(Kind::Unexpected, "The gateway's prompt is another one after every command.");
        Err(self.shell.with_conversation(error))
    }

    async fn asked_at_login(&mut self, turn: &Turn) -> Error {
        let words = match &turn.stop {
            Stop::Question(question) => question.words(),
            Stop::Unknown(row) => row.clone(),
            Stop::Menu(menu) => format!("a menu with {}", menu.operations.join(", ")),
            Stop::Lines(_) | Stop::Prompt => turn.said.lines().last().unwrap_or_default().to_owned(),
        };
        let error = Error::new(Kind::Denied, format!("The gateway asks something at login: {words}"))
            .hint("Nothing was answered. Log in by hand once: a password to change, terms to accept or a set-up to finish may stand in the way.");
        let error = self.shell.with_conversation(error);
        self.shell.close().await;
        error
    }

    /// Goes to the level that the settings name.
    pub(super) async fn choose_level(&mut self) -> Result<(), Error> {
        match self.level.clone() {
            Level::Standalone => level::is_standalone(self.shell.prompt()),
            level => self.go_to(&level).await,
        }
    }

    /// Goes to a level of the cluster.
    pub(super) async fn go_to(&mut self, level: &Level) -> Result<(), Error> {
        let Some(command) = level::command(level)? else { return Ok(()) };
        self.shell.begin().await?;
        self.shell.expect_any_prompt();
        self.shell.type_line(&command, Shown::Plain).await?;
        let limit = self.shell.patience();
        let turn = self.shell.turn(limit).await?;
        if turn.stop != Stop::Prompt {
            let message = format!("The gateway asks something about the level {}.", level::words(level));
            let error = self.shell.unexpected(&turn.stop, message).await;
            return Err(error.hint(level::HINT));
        }
        if let Some(error) = refusal::in_text(&turn.said) {
            return Err(self.shell.with_conversation(error.hint(level::HINT)));
        }
        let prompt = self.shell.learn();
        if !level::fits(&prompt, level) {
            let words = if turn.said.is_empty() { String::new() } else { format!(": {}", turn.said) };
            let message =
                format!("The gateway did not change to the level {}; its prompt is {prompt:?}{words}.", level::words(level));
            return Err(self.shell.with_conversation(Error::new(Kind::Invalid, message).hint(level::HINT)));
        }
        self.shell.end();
        Ok(())
    }

    /// Fails before anything is typed if the device has ended the session by now: the caller opens another one.
    async fn alive(&mut self) -> Result<(), Error> {
        if self.shell.is_open() && self.is_stale() {
            self.shell.close().await;
            let message =
                format!("The session on the gateway was idle for {} and is given up.", seconds(self.shell.used().elapsed()));
            return Err(Error::new(Kind::Unavailable, message).retryable());
        }
        Ok(())
    }

    /// Types a command and gives what it printed; any other stop than the prompt is an error.
    async fn show_checked(&mut self, command: &str) -> Result<String, Error> {
        driver::check_command(command)?;
        self.shell.begin().await?;
        self.shell.type_line(command, Shown::Plain).await?;
        let limit = self.shell.patience();
        let mut turn = self.shell.turn(limit).await?;
        if let Stop::Question(question) = &turn.stop {
            match level::offer(&turn.said, question, &self.level) {
                Offer::None => {}
                Offer::Ours => {
                    self.shell.type_line("Y", Shown::Plain).await?;
                    turn = self.shell.turn(limit).await?;
                }
                Offer::Other => return Err(self.refuse(driver::other_level(&turn, question, &self.level), &turn.stop).await),
            }
        }
        match &turn.stop {
            Stop::Prompt => {
                self.shell.end();
                match self.refused_command(&turn.said) {
                    Some(error) => Err(error),
                    None => Ok(turn.said),
                }
            }
            Stop::Question(question) => {
                let message = format!("The gateway answered {command:?} with a question: {}", question.words());
                Err(self.shell.unexpected(&turn.stop, message).await)
            }
            Stop::Menu(_) | Stop::Lines(_) | Stop::Unknown(_) => {
                let message = format!("The gateway did not come back to its prompt after {command:?}.");
                Err(self.shell.unexpected(&turn.stop, message).await)
            }
        }
    }

    /// A command that is refused says so in a line or two. A longer output is a printout, whatever stands in it.
    fn refused_command(&self, said: &str) -> Option<Error> {
        let short = said.lines().filter(|line| !line.trim().is_empty()).count() <= 3;
        short.then(|| refusal::in_text(said)).flatten().map(|error| self.shell.with_conversation(error))
    }

    async fn refuse(&mut self, error: Error, stop: &Stop) -> Error {
        let error = self.shell.with_conversation(error);
        if self.shell.leave(stop, Way::Interrupt).await {
            self.shell.end();
        }
        error
    }

    async fn read_pending(&mut self) -> Result<Option<String>, Error> {
        let said = self.show_checked("showchanges").await?;
        let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let nothing = lines.is_empty() || (lines.len() <= 2 && lines.iter().any(|line| NOTHING.is_match(line)));
        Ok((!nothing).then(|| self.shell.transcript().shown(&said)))
    }
}

#[async_trait]
impl Device for Session {
    async fn show(&mut self, command: &str) -> Result<String, Error> {
        self.alive().await?;
        self.show_checked(command).await
    }

    async fn walk(&mut self, dialog: &Dialog) -> Result<Said, Error> {
        self.alive().await?;
        driver::walk(&mut self.shell, dialog, &self.level).await
    }

    async fn report(&mut self, dialog: &Dialog) -> Result<Report, Error> {
        self.alive().await?;
        self.report_of_machine(dialog).await
    }

    async fn pending(&mut self) -> Result<Option<String>, Error> {
        self.alive().await?;
        self.read_pending().await
    }

    async fn clear(&mut self) -> Result<(), Error> {
        self.alive().await?;
        self.shell.begin().await?;
        self.shell.type_line("clearchanges", Shown::Plain).await?;
        let limit = self.shell.patience();
        let mut questions = 0;
        loop {
            let turn = self.shell.turn(limit).await?;
            match &turn.stop {
                Stop::Prompt => {
                    self.shell.end();
                    return match self.read_pending().await? {
                        None => Ok(()),
                        Some(left) => {
                            let message = format!("The gateway still has uncommitted changes after `clearchanges`: {left}");
                            Err(self.shell.with_conversation(Error::new(Kind::Unexpected, message)))
                        }
                    };
                }
                Stop::Question(question) if questions < MOST_QUESTIONS && is_about_clearing(&turn, question) => {
                    questions += 1;
                    self.shell.type_line("Y", Shown::Plain).await?;
                }
                stop => {
                    let message = format!("The gateway asked something unknown at `clearchanges`: {}", stop.words());
                    return Err(self.shell.unexpected(stop, message).await);
                }
            }
        }
    }

    async fn commit(&mut self, comment: &str, rollback_snapshot: bool) -> Result<Commit, Error> {
        self.alive().await?;
        release::check_for_writes(self.release())?;
        commit::commit(&mut self.shell, comment, rollback_snapshot, self.commit_limit).await
    }

    async fn committed(&mut self) -> Result<String, Error> {
        self.alive().await?;
        let said = self.show_checked("commitdetail").await?;
        Ok(self.shell.transcript().shown(&said))
    }

    async fn close(&mut self) {
        if self.shell.is_open() && self.shell.begin().await.is_ok() {
            let limit = Limit { silence: self.shell.timing().close, total: self.shell.timing().close, ..self.shell.patience() };
            if self.shell.type_line("exit", Shown::Plain).await.is_ok() {
                // Gone, or asking about uncommitted changes. They may be those of another session of the account, which a yes would throw
                // away: hanging up agrees to nothing.
                let _ = self.shell.turn(limit).await;
            }
        }
        self.shell.close().await;
    }

    fn release(&self) -> Option<&str> {
        Session::release(self)
    }

    fn writable(&self) -> Result<(), Error> {
        release::check_for_writes(self.release())
    }

    fn is_stale(&self) -> bool {
        Session::is_stale(self)
    }
}

fn is_about_clearing(turn: &Turn, question: &Question) -> bool {
    let all = all_words(turn, question).to_lowercase();
    question.asks == Asks::YesNo && ["clear", "discard", "changes"].iter().any(|word| all.contains(word))
}

/// Opens sessions as the settings say.
///
/// One attempt at a time. A login that was refused is not tried again by this process: the answer is remembered. A release that
/// is another one than that of the first session stops everything: the gateway was upgraded in the middle of the run.
pub struct Connector {
    settings: Settings,
    timing: Timing,
    one_at_a_time: tokio::sync::Mutex<()>,
    refused: Mutex<Option<Error>>,
    first_release: Mutex<Option<String>>,
}

impl Connector {
    /// Takes the settings; nothing is checked or connected yet (see [`ssh::check`]).
    pub fn new(settings: Settings) -> Connector {
        Connector {
            settings,
            timing: Timing::default(),
            one_at_a_time: tokio::sync::Mutex::new(()),
            refused: Mutex::new(None),
            first_release: Mutex::new(None),
        }
    }

    /// Opens a session.
    pub async fn open(&self) -> Result<Session, Error> {
        self.open_with(false).await
    }

    /// Opens a session that records everything that is said in it.
    pub(super) async fn open_recorded(&self) -> Result<Session, Error> {
        self.open_with(true).await
    }

    /// What the sessions are opened with.
    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    async fn open_with(&self, recorded: bool) -> Result<Session, Error> {
        let _one = self.one_at_a_time.lock().await;
        if let Some(error) = self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            return Err(error);
        }
        // The shell does not know where it is.
        let Login { host, port, .. } = &self.settings.login;
        let in_shell = |error: Error| error.context("gateway", format!("{host}:{port}")).context("phase", "first prompt");
        let outcome = match self.dial().await {
            Ok(line) if recorded => Session::open_recorded(line, &self.settings, self.timing).await.map_err(in_shell),
            Ok(line) => Session::open(line, &self.settings, self.timing).await.map_err(in_shell),
            Err(error) => Err(error),
        };
        let mut session = outcome.inspect_err(|error| {
            if error.kind == Kind::Denied {
                *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
            }
        })?;
        if let Some((first, now)) = self.another_release(session.release()) {
            session.close().await;
            let message = format!("The gateway ran AsyncOS {first} when this run began, and runs {now} now.");
            return Err(Error::new(Kind::Conflict, message).hint("Run again when the upgrade is complete."));
        }
        Ok(session)
    }

    async fn dial(&self) -> Result<Box<dyn Line>, Error> {
        let begin = Instant::now();
        for pause in PAUSES {
            match ssh::open(&self.settings.login).await {
                // One of which nothing was heard at all is another matter: whoever asked decides how long it is tried.
                Err(error)
                    if error.kind == Kind::Unavailable && error.retryable && !error.unheard && begin.elapsed() < TRIED_FOR =>
                {
                    tracing::debug!(target: "mailflow::gateway", "no session yet: {error}");
                    tokio::time::sleep(pause).await;
                }
                outcome => return outcome,
            }
        }
        ssh::open(&self.settings.login).await
    }

    fn another_release(&self, release: Option<&str>) -> Option<(String, String)> {
        let now = release?.to_owned();
        let mut first = self.first_release.lock().unwrap_or_else(PoisonError::into_inner);
        match &*first {
            Some(first) if *first != now => Some((first.clone(), now)),
            Some(_) => None,
            None => {
                *first = Some(now);
                None
            }
        }
    }
}

#[async_trait]
impl Connect for Connector {
    async fn connect(&self) -> Result<Box<dyn Device>, Error> {
        Ok(Box::new(self.open().await?))
    }

    fn name(&self) -> String {
        let Login { host, port, .. } = &self.settings.login;
        format!("{host}:{port} ({})", level::words(&self.settings.cluster))
    }
}

#[cfg(test)]
mod tests;
