//! One shell on the device: lines are typed, and what is printed is read up to the next stop.
//!
//! A stop counts when nothing follows it. How long to wait for more is the price of a turn, on top of the round trip:
//!
//! | the stop | the wait |
//! |---|---|
//! | has its words around it (`… limit? [Y]> `, a menu and `[]> `, the main prompt where it is expected) and came in one piece | `settle`, 3 ms |
//! | came byte by byte, or stands where it may be a row of a table | `dribble`, 150 ms |
//! | is the main prompt where a menu is expected, or may be a blank-line text | `maybe`, 400 ms |
//! | is nothing that is known | `doubt`, 10 s |
//!
//! Where packets that belong to one row come apart, each wait is at least twice the longest such gap of late: a slow link makes turns slower,
//! and changes nothing that is read. Every wait is bounded. Where the device stops without a word that is known, or not at all, Ctrl-C is
//! typed and the line is closed: no state of a dialog is ever guessed.

use std::io;
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use tokio::time::{Instant, timeout};

use super::stop::{self, Likely, Sign, SignOf, Stop, Turn};
use super::terminal::Terminal;
use super::transcript::{HIDDEN, Transcript};
use crate::remote::{Error, Kind};

/// A line to the device: bytes both ways.
#[async_trait]
pub(super) trait Line: Send {
    /// The bytes that arrive next; `None` at the end. Loses nothing when it is dropped while it waits.
    async fn receive(&mut self) -> io::Result<Option<Vec<u8>>>;

    /// Sends all these bytes.
    async fn send(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Says goodbye, as far as that is still possible.
    async fn close(&mut self);

    /// Until when the shell must have come to its prompt, where the login that opened it has a limit.
    fn ready_by(&self) -> Option<Instant> {
        None
    }
}

/// How long to wait for what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timing {
    /// After a clear stop that came in one packet.
    pub(super) settle: Duration,
    /// After what has the form of a main prompt, came in one packet, and is not known yet.
    pub(super) form: Duration,
    /// After a stop that came in pieces or is not clear.
    pub(super) dribble: Duration,
    /// After what may be a stop.
    pub(super) maybe: Duration,
    /// After what may be a stop that nobody knows.
    pub(super) doubt: Duration,
    /// For the echo of a line of a script.
    pub(super) echo: Duration,
    /// For anything to come after a command or an answer. `showconfig` needs a minute and more.
    pub(super) silence: Duration,
    /// For all that one command or answer prints.
    pub(super) total: Duration,
    /// For the first prompt, and for the way back to it.
    pub(super) prompt: Duration,
    /// For saying goodbye.
    pub(super) close: Duration,
}

impl Default for Timing {
    fn default() -> Timing {
        Timing {
            settle: Duration::from_millis(3),
            form: Duration::from_millis(60),
            dribble: Duration::from_millis(150),
            maybe: Duration::from_millis(400),
            doubt: Duration::from_secs(10),
            echo: Duration::from_millis(300),
            silence: Duration::from_mins(2),
            total: Duration::from_mins(15),
            prompt: Duration::from_secs(45),
            close: Duration::from_secs(5),
        }
    }
}

/// The most time that one turn may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    /// Without a byte.
    pub(super) silence: Duration,
    /// In all.
    pub(super) total: Duration,
    /// Whether what looks like an unknown stop ends the wait. Where it does not, what the device does is not interrupted either.
    pub(super) doubts: bool,
    /// What may come next.
    pub(super) next: Next,
}

/// What may come next. What is not expected counts as well, after a longer wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// The main prompt, a menu or a question.
    Prompt,
    /// A menu or a question.
    Question,
    /// A menu, a question, or a request for lines of text.
    Lines,
}

/// How to leave a dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Up through the menus by Enter; a question by Ctrl-C.
    Up,
    /// By Ctrl-C.
    Interrupt,
}

/// Whether what is typed may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// In full.
    Plain,
    /// Not at all.
    Hidden,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// At the main prompt.
    Ready,
    /// Within an operation.
    Busy,
}

/// One shell on the device.
pub(super) struct Shell {
    line: Option<Box<dyn Line>>,
    terminal: Terminal,
    prompt: Option<String>,
    /// Whether any row that has the form of a main prompt is one.
    any: bool,
    transcript: Transcript,
    timing: Timing,
    state: State,
    typed: String,
    before: String,
    /// How much of the unfinished row stood there before the last packet.
    stood: usize,
    /// When the last packet came, if it ended within a row and nothing was typed since.
    within: Option<Instant>,
    /// The longest time between two packets of one row: in this turn, and of late.
    gap: Duration,
    pace: Duration,
    echoes: bool,
    used: Instant,
    /// How many pages were turned.
    pages: u64,
}

const INTERRUPT: u8 = 3;

/// How deep a menu may stand, with room to spare.
const DEEPEST: usize = 10;

impl Shell {
    /// Takes over a line on which a shell was just started.
    pub(super) fn new(line: Box<dyn Line>, timing: Timing) -> Shell {
        Shell {
            line: Some(line),
            terminal: Terminal::default(),
            prompt: None,
            any: true,
            transcript: Transcript::default(),
            timing,
            state: State::Busy,
            typed: String::new(),
            before: String::new(),
            stood: 0,
            within: None,
            gap: Duration::ZERO,
            pace: Duration::ZERO,
            echoes: true,
            used: Instant::now(),
            pages: 0,
        }
    }

    /// How long to wait for what.
    pub(super) fn timing(&self) -> Timing {
        self.timing
    }

    /// The limit of an ordinary turn.
    pub(super) fn patience(&self) -> Limit {
        Limit { silence: self.timing.silence, total: self.timing.total, doubts: true, next: Next::Prompt }
    }

    /// What hides secrets in messages.
    pub(super) fn transcript(&mut self) -> &mut Transcript {
        &mut self.transcript
    }

    /// Whether commands can be typed.
    pub(super) fn is_open(&self) -> bool {
        self.line.is_some()
    }

    /// When something was last typed or printed.
    pub(super) fn used(&self) -> Instant {
        self.used
    }

    /// How many pages were turned so far.
    pub(super) fn pages(&self) -> u64 {
        self.pages
    }

    /// The main prompt; empty before it is learnt.
    pub(super) fn prompt(&self) -> &str {
        self.prompt.as_deref().unwrap_or_default()
    }

    /// Takes whatever has the form of a main prompt for one; [`Shell::learn`] keeps it. The one that was learnt before counts at once.
    pub(super) fn expect_any_prompt(&mut self) {
        self.any = true;
    }

    /// Keeps the row that the cursor stands in as the main prompt, and gives it.
    pub(super) fn learn(&mut self) -> String {
        let prompt = self.terminal.row().trim().to_owned();
        self.prompt = Some(prompt.clone());
        self.any = false;
        prompt
    }

    /// Begins an operation at the main prompt. After an operation that was given up halfway nobody knows where the device stands:
    /// the line is closed.
    pub(super) async fn begin(&mut self) -> Result<(), Error> {
        self.transcript.begin();
        if self.state == State::Busy {
            self.close().await;
        }
        if !self.is_open() {
            return Err(Error::new(Kind::Unavailable, "The session on the gateway is closed.").retryable());
        }
        self.state = State::Busy;
        Ok(())
    }

    /// Ends an operation at the main prompt.
    pub(super) fn end(&mut self) {
        self.state = State::Ready;
        self.used = Instant::now();
    }

    /// Types a line.
    pub(super) async fn type_line(&mut self, text: &str, shown: Shown) -> Result<(), Error> {
        // What came unasked since the last stop is not an answer to this.
        while let Some(arrived) = self.receive().now_or_never() {
            arrived?;
        }
        let visible = match shown {
            Shown::Plain => self.transcript.masked(text),
            Shown::Hidden => HIDDEN.to_owned(),
        };
        tracing::debug!(target: "mailflow::gateway", "typed {visible:?}");
        self.transcript.typed(&visible);
        text.clone_into(&mut self.typed);
        self.before = self.terminal.row();
        self.terminal.mark();
        self.send(format!("{text}\n").as_bytes()).await
    }

    /// Types the lines of a script, each after the echo of the one before: a paste would overrun the device's buffer. `false`: the
    /// device came to another stop before the end, and what follows was not typed.
    pub(super) async fn type_script(&mut self, lines: &[String], end: &str) -> Result<bool, Error> {
        for line in lines {
            let finished = self.terminal.lines();
            self.type_line(line, Shown::Hidden).await?;
            while self.echoes && self.terminal.lines() == finished {
                match timeout(self.timing.echo, self.receive()).await {
                    Ok(arrived) => arrived?,
                    Err(_) => self.echoes = false,
                }
            }
            if matches!(self.likely(), Likely::Yes(_))
                && self.terminal.row_length() > 0
                && timeout(self.timing.dribble, self.receive()).await.is_err()
            {
                return Ok(false);
            }
        }
        self.type_line(end, Shown::Plain).await?;
        Ok(true)
    }

    /// Reads up to the next stop; pages are turned.
    pub(super) async fn turn(&mut self, limit: Limit) -> Result<Turn, Error> {
        let started = Instant::now();
        loop {
            let likely = self.likely();
            let quiet = match likely {
                Likely::Yes(sign) => self.paced(self.wait_after(sign, limit.next)),
                Likely::Prompt if self.stood == 0 && self.terminal.row().ends_with(' ') => self.paced(self.timing.form),
                Likely::Prompt | Likely::Maybe => self.paced(self.timing.maybe),
                Likely::Doubtful if limit.doubts => self.timing.doubt,
                Likely::No | Likely::Doubtful => limit.silence,
            };
            let left = limit.total.saturating_sub(started.elapsed());
            if let Ok(arrived) = timeout(quiet.min(left), self.receive()).await {
                arrived?;
                if self.terminal.overflowed() {
                    return Err(self.give_up("The gateway printed more than this provider takes in.", true).await);
                }
            } else if stop::at_pager(&self.terminal) {
                self.terminal.turn_page();
                self.pages += 1;
                self.send(b" ").await?;
            } else if likely == Likely::No || left.is_zero() || (likely == Likely::Doubtful && !limit.doubts) {
                let message = format!("The gateway did not come back to a prompt within {}.", seconds(started.elapsed()));
                return Err(self.give_up(&message, limit.doubts).await);
            } else {
                tracing::trace!(target: "mailflow::gateway", "stopped after {:?}, of them {quiet:?} waiting for more: {likely:?}", started.elapsed());
                return Ok(self.stopped());
            }
        }
    }

    fn likely(&self) -> Likely {
        stop::likely(&self.terminal, self.prompt.as_deref(), self.any)
    }

    /// How long to wait for more after this sign of a stop.
    fn wait_after(&self, sign: Sign, next: Next) -> Duration {
        let expected = match sign.of {
            SignOf::Input | SignOf::Pager => true,
            SignOf::Prompt => next == Next::Prompt,
            SignOf::Lines => next == Next::Lines,
        };
        if !expected && sign.of == SignOf::Prompt {
            self.timing.maybe
        } else if expected && sign.clear && self.stood <= sign.column {
            self.timing.settle
        } else {
            self.timing.dribble
        }
    }

    /// Makes a wait long enough for the pace at which the device's bytes arrive.
    fn paced(&self, wait: Duration) -> Duration {
        wait.max(self.gap.max(self.pace) * 2)
    }

    /// Leaves a dialog for the main prompt. `false`: that did not work, and the line is closed; nothing is staged then.
    pub(super) async fn leave(&mut self, stop: &Stop, way: Way) -> bool {
        let mut at = stop.clone();
        for step in 0..DEEPEST {
            let typed = match &at {
                Stop::Prompt => return true,
                Stop::Menu(menu) if menu.default.is_empty() && (way == Way::Up || step > 2) => {
                    self.type_line("", Shown::Plain).await
                }
                Stop::Unknown(_) if step > 0 => break,
                _ => self.interrupt().await,
            };
            let limit = Limit { silence: self.timing.prompt, total: self.timing.prompt, ..self.patience() };
            match (typed, self.is_open()) {
                (Ok(()), true) => match self.turn(limit).await {
                    Ok(turn) => at = turn.stop,
                    Err(_) => return false,
                },
                _ => return false,
            }
        }
        self.close().await;
        false
    }

    /// Makes the error of a stop that nobody expected: the dialog is left by Ctrl-C, and the message shows the conversation.
    pub(super) async fn unexpected(&mut self, stop: &Stop, message: String) -> Error {
        let tail = self.transcript.tail("");
        let left = self.leave(stop, Way::Interrupt).await;
        if left {
            self.end();
        }
        let hint = if left {
            "Nothing was answered, and the dialog was left. Please report this conversation; `terraform-provider-mailflow doctor` shows what else this release says otherwise."
        } else {
            "Nothing was answered, and the session was closed, which drops all that it had staged. Please report this conversation; `terraform-provider-mailflow doctor` shows what else this release says otherwise."
        };
        Error::new(Kind::Unexpected, self.transcript.shown(&message)).hint(hint).context("conversation", tail)
    }

    /// Adds the conversation to an error, and hides what is secret in its message.
    pub(super) fn with_conversation(&self, error: Error) -> Error {
        let message = self.transcript.shown(&error.message);
        Error { message, ..error }.context("conversation", self.transcript.tail(""))
    }

    /// Closes the line.
    pub(super) async fn close(&mut self) {
        if let Some(mut line) = self.line.take() {
            // A peer that is gone need not hear it.
            let _ = timeout(self.timing.close, line.close()).await;
        }
    }

    /// Types Ctrl-C.
    pub(super) async fn interrupt(&mut self) -> Result<(), Error> {
        tracing::debug!(target: "mailflow::gateway", "typed Ctrl-C");
        "^C".clone_into(&mut self.typed);
        self.transcript.typed("^C");
        self.before = self.terminal.row();
        self.terminal.mark();
        self.send(&[INTERRUPT]).await
    }

    fn stopped(&mut self) -> Turn {
        let row = self.terminal.row();
        let text = without_echo(self.terminal.text(), &self.typed, &self.before);
        let turn = stop::read(text, &row, self.prompt.as_deref().filter(|_| !self.any));
        self.pace = self.gap.max(self.pace / 4);
        self.gap = Duration::ZERO;
        self.transcript.printed(text);
        self.transcript.printed(&format!("{} ", row.trim_end()));
        self.used = Instant::now();
        turn
    }

    /// Closes the line, after a Ctrl-C, and says why.
    async fn give_up(&mut self, message: &str, interrupt: bool) -> Error {
        let rest = format!("{}{}", without_echo(self.terminal.text(), &self.typed, &self.before), self.terminal.row());
        let tail = self.transcript.tail(&rest);
        self.transcript.broke_off(&rest);
        if interrupt && let Some(line) = &mut self.line {
            let _ = timeout(self.timing.close, line.send(&[INTERRUPT])).await;
        }
        self.close().await;
        Error::new(Kind::Unavailable, message)
            .hint("The session was closed, which drops all that it had staged and not committed.")
            .context("conversation", tail)
    }

    async fn receive(&mut self) -> Result<(), Error> {
        let Some(line) = &mut self.line else {
            return Err(Error::new(Kind::Unavailable, "The session on the gateway is closed.").retryable());
        };
        match line.receive().await {
            Ok(Some(bytes)) => {
                let now = Instant::now();
                if let Some(before) = self.within {
                    // A device that thinks for longer says nothing about the line.
                    self.gap = self.gap.max((now - before).min(self.timing.maybe));
                }
                let (lines, length) = (self.terminal.lines(), self.terminal.row_length());
                self.terminal.feed(&bytes);
                self.stood = if self.terminal.lines() == lines { length } else { 0 };
                self.within = (self.terminal.row_length() > 0).then_some(now);
                Ok(())
            }
            Ok(None) => Err(self.lost("The gateway closed the session.").await),
            Err(error) => Err(self.lost(&format!("The connection to the gateway was lost: {error}.")).await),
        }
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.within = None;
        let limit = self.timing.silence;
        let Some(line) = &mut self.line else {
            return Err(Error::new(Kind::Unavailable, "The session on the gateway is closed.").retryable());
        };
        match timeout(limit, line.send(bytes)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.lost(&format!("The connection to the gateway was lost: {error}.")).await),
            Err(_) => Err(self.lost("The gateway takes no more input.").await),
        }
    }

    async fn lost(&mut self, message: &str) -> Error {
        let rest = format!("{}{}", without_echo(self.terminal.text(), &self.typed, &self.before), self.terminal.row());
        let tail = self.transcript.tail(&rest);
        self.transcript.broke_off(&rest);
        self.close().await;
        Error::new(Kind::Unavailable, message).retryable().context("conversation", tail)
    }
}

/// A time in words.
pub(super) fn seconds(time: Duration) -> String {
    match time.as_secs() {
        1 => "1 second".to_owned(),
        seconds => format!("{seconds} seconds"),
    }
}

/// Drops the echo of what was typed from the front of the text: alone, or behind the prompt that was painted anew. Blanks do not count:
/// a long echo is broken at the terminal's width. Where the device does not echo, nothing is dropped.
fn without_echo<'a>(text: &'a str, typed: &str, before: &str) -> &'a str {
    if typed.is_empty() {
        return text.strip_prefix('\n').unwrap_or(text);
    }
    if typed == "^C" {
        let text = text.strip_prefix("^C").unwrap_or(text);
        return text.strip_prefix('\n').unwrap_or(text);
    }
    if let Some(rest) = behind(text, typed) {
        return rest;
    }
    if let Some(rest) = behind(text, &format!("{before}{typed}")) {
        return rest;
    }
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let first = first.trim();
    let stars = !first.is_empty() && first.chars().all(|c| c == '*');
    // A row that was broken without a line feed shows the end of the echo only.
    let end = first.len() > 1 && typed.len() >= 70 && typed.trim_end().ends_with(first);
    if stars || end { rest } else { text }
}

fn behind<'a>(text: &'a str, typed: &str) -> Option<&'a str> {
    let mut wanted = typed.chars().filter(|c| !c.is_whitespace()).peekable();
    for (at, c) in text.char_indices() {
        if wanted.peek().is_none() && c == '\n' {
            return text.get(at + 1..);
        }
        if !c.is_whitespace() && wanted.next() != Some(c) {
            return None;
        }
    }
    wanted.peek().is_none().then_some("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::testing::{Device, quick};

    #[test]
    fn the_echo_is_dropped_in_every_form() {
        for (text, typed) in [
            ("version\nAsyncOS\n", "version"),
            ("esa> version\nAsyncOS\n", "version"),
            ("ver\nsion  \nAsyncOS\n", "version"),
            ("\nAsyncOS\n", ""),
            ("^C\nAsyncOS\n", "^C"),
            ("*****\nAsyncOS\n", "secret"),
            ("AsyncOS\n", "version"),
        ] {
            assert_eq!(without_echo(text, typed, "esa> "), "AsyncOS\n", "{text:?}");
        }
    }

    async fn shell(device: Device) -> Shell {
        let mut shell = Shell::new(device.line(), quick());
        let limit = shell.patience();
        shell.turn(limit).await.expect("the prompt");
        shell.learn();
        shell.end();
        shell
    }

    async fn show(shell: &mut Shell, command: &str) -> Result<Turn, Error> {
        shell.begin().await?;
        shell.type_line(command, Shown::Plain).await?;
        let limit = shell.patience();
        shell.turn(limit).await
    }

    #[tokio::test(start_paused = true)]
    async fn g18_what_looks_like_a_prompt_in_a_table_ends_nothing_in_any_chunking() {
        for chunk in [1, 2, 3, 7, 64, 100_000] {
            let table = "esa.local> is how it begins\nesa.local> \n[]> \nand so on";
            let device = Device::saying(&format!("esa.local> «show»\n{table}\nesa.local> «»")).in_chunks_of(chunk);
            let mut shell = shell(device).await;
            let turn = show(&mut shell, "show").await.expect("a turn");
            assert_eq!(
                (turn.said.as_str(), turn.stop),
                ("esa.local> is how it begins\nesa.local>\n[]>\nand so on", Stop::Prompt),
                "{chunk}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_link_changes_nothing_that_is_said() {
        // Rows of the table that have the form of a stop end where a packet ends.
        let table = "esa.local> is how it begins\nesa.local> \nEnter it.\n[]> \nSure? [Y]> \nand so on";
        let expected = table.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
        for chunk in [1, 3, 4, 5, 11, 12, 29, 100_000] {
            let script = format!("Welcome to the device\nesa.local> «show»\n{table}\nesa.local> «show»\n{table}\nesa.local> «»");
            let device = Device::saying(&script).in_chunks_of(chunk);
            let mut shell = shell(device.slowly(Duration::from_millis(50), Duration::from_millis(100))).await;
            for _ in 0..2 {
                let turn = show(&mut shell, "show").await.expect("a turn");
                assert_eq!((turn.said.as_str(), turn.stop), (expected.as_str(), Stop::Prompt), "{chunk}");
                shell.end();
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_costs_the_round_trip_and_a_few_milliseconds() {
        let link = Duration::from_millis(100);
        let settle = Timing::default().settle;
        for (packets, extra, what) in [
            ("version\n¦AsyncOS\n¦\nesa.local> ", settle, "the main prompt"),
            (
                "destconfig\n¦Choose the operation you want to perform:\n- NEW - Create.\n- EDIT - Change.\n¦[]> ",
                settle,
                "a menu",
            ),
            ("Y\n¦Do you wish to configure a limit?¦ [Y]> ", settle, "a yes/no question in two packets"),
            ("100\n¦Enter a port.\n\n¦[25]> ", settle, "a question"),
            ("2\n¦1. No\n2. Preferred\n¦[1]> ", settle, "a list"),
            ("x\n¦mx.example.com\n¦[]> ", Timing::default().dribble, "a row that may be one of a table"),
            ("x\n¦Sure? [¦Y]> ", Timing::default().dribble, "a stop that comes in pieces"),
            ("x\n¦Old passphrase:", Timing::default().doubt, "a stop that nobody knows"),
        ] {
            let typed = packets.split('\n').next().unwrap_or_default();
            let device = Device::saying(&format!("esa.local> «{typed}»{}«»", &packets[typed.len()..]));
            let mut shell = shell(device.slowly(Duration::ZERO, link)).await;
            let began = Instant::now();
            show(&mut shell, typed).await.expect("a turn");
            let cost = began.elapsed().saturating_sub(link);
            assert!(cost >= extra && cost <= extra + Duration::from_millis(2), "{what}: {cost:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_prompt_counts_late_where_a_menu_is_expected() {
        let device = Device::saying("esa.local> «PRINT»\nfirst\nesa.local> ⌛\nlast\nesa.local> «»");
        let mut shell = shell(device).await;
        shell.begin().await.expect("begun");
        shell.type_line("PRINT", Shown::Plain).await.expect("typed");
        let limit = Limit { next: Next::Question, ..shell.patience() };
        let turn = shell.turn(limit).await.expect("a turn");
        assert_eq!((turn.said.as_str(), turn.stop), ("first\nesa.local>\nlast", Stop::Prompt));
    }

    #[tokio::test(start_paused = true)]
    async fn g16_pages_are_turned_and_leave_no_trace() {
        for chunk in [1, 5, 100_000] {
            let device = Device::saying(
                "esa.local> «list»\none\n-Press Any Key For More-« »\r                        \rtwo\n-Press Any Key For More-« »\rthree\nesa.local> «»",
            );
            let mut shell = shell(device.in_chunks_of(chunk)).await;
            assert_eq!(show(&mut shell, "list").await.expect("a turn").said, "one\ntwo\nthree", "{chunk}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn g21_an_output_that_does_not_come_back_to_the_prompt_is_an_error() {
        let device = Device::saying("esa.local> «list»\nrow one\nrow tw«^C»");
        let mut shell = shell(device).await;
        let error = show(&mut shell, "list").await.expect_err("no prompt");
        assert_eq!((error.kind, error.retryable), (Kind::Unavailable, false));
        assert!(error.diagnostic("read").detail.contains("row one\nrow tw"), "{:?}", error.diagnostic("read"));
        assert!(!shell.is_open());
    }

    #[tokio::test(start_paused = true)]
    async fn g21_a_line_that_is_lost_is_unavailable_and_may_be_tried_again() {
        let mut shell = shell(Device::saying("esa.local> «list»\nrow one\nHANGUP")).await;
        let error = show(&mut shell, "list").await.expect_err("lost");
        assert_eq!((error.kind, error.retryable), (Kind::Unavailable, true));
    }

    #[tokio::test(start_paused = true)]
    async fn g16_a_session_that_was_given_up_halfway_is_not_used_again() {
        let mut shell = shell(Device::saying("esa.local> «list»\nrow one\n")).await;
        assert!(timeout(Duration::from_millis(20), show(&mut shell, "list")).await.is_err());
        let error = show(&mut shell, "list").await.expect_err("closed");
        assert_eq!((error.kind, error.retryable), (Kind::Unavailable, true));
    }
}
