//! The line discipline of a session: echo, editing, wrapping, paging, and output in chunks.
//!
//! With a terminal, a line ends in `\r\n`, a line longer than the terminal is broken by `\r\r\n`, and typed keys are echoed. Without
//! one (an exec channel) there is no echo, no wrapping and no paging, and a line ends in `\n`.

use std::collections::VecDeque;
use std::time::Duration;

use russh::ChannelWriteHalf;
use russh::server::Msg;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::faults::Break;

/// Says why a dialog ends early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// Ctrl-C was typed.
    Interrupted,
    /// The other side is gone, or a fault cut the connection.
    Closed,
    /// Nothing was typed for too long.
    Idle,
}

/// Is what a question gives.
pub(super) type Asked<T> = Result<T, Stop>;

/// Is what comes from the other side.
#[derive(Debug)]
pub(super) enum Key {
    /// Typed bytes.
    Bytes(Vec<u8>),
    /// The terminal has another width now.
    Columns(u32),
    /// Nothing more comes.
    End,
}

/// Says how a session writes.
#[derive(Clone, Debug)]
pub(super) struct Manner {
    /// Columns of the terminal; `None` without one.
    pub(super) columns: Option<usize>,
    /// Rows of a page.
    pub(super) rows: Option<usize>,
    pub(super) chunk: usize,
    pub(super) noise: bool,
    pub(super) idle: Duration,
}

const MORE: &str = "-Press Any Key For More-";
const NOISE: [&str; 4] = ["\x1b[0m", "\x1b[K", "\x1b[?25h", "\x1b[1;32m\x1b[0m"];

/// Reads keys and writes text.
pub(super) struct Line {
    keys: mpsc::UnboundedReceiver<Key>,
    wire: ChannelWriteHalf<Msg>,
    connection: CancellationToken,
    manner: Manner,
    typed: VecDeque<u8>,
    column: usize,
    row: usize,
    after_return: bool,
    written: usize,
    pages: u64,
    cut: Option<(usize, Break)>,
}

impl Line {
    pub(super) fn new(
        keys: mpsc::UnboundedReceiver<Key>,
        wire: ChannelWriteHalf<Msg>,
        connection: CancellationToken,
        manner: Manner,
    ) -> Line {
        Line {
            keys,
            wire,
            connection,
            manner,
            typed: VecDeque::new(),
            column: 0,
            row: 0,
            after_return: false,
            written: 0,
            pages: 0,
            cut: None,
        }
    }

    /// Stops paging for the rest of the session.
    pub(super) fn stop_paging(&mut self) {
        self.manner.rows = None;
    }

    /// Gives how often the pager has waited since this was last asked.
    pub(super) fn take_pages(&mut self) -> u64 {
        std::mem::take(&mut self.pages)
    }

    /// Ends the output after some lines.
    pub(super) fn cut_after(&mut self, lines: usize, how: Break) {
        self.cut = Some((lines, how));
    }

    /// Ends what [`Line::cut_after`] began, when the output was shorter.
    pub(super) fn whole_again(&mut self) {
        self.cut = None;
    }

    /// Breaks the session.
    pub(super) async fn break_off<T>(&mut self, how: Break) -> Asked<T> {
        match how {
            Break::Drop => self.connection.cancel(),
            // What is typed is swallowed, so that the other side sees silence and not a full window.
            Break::Hang => while !matches!(self.keys.recv().await, None | Some(Key::End)) {},
        }
        Err(Stop::Closed)
    }

    /// Writes text page by page.
    pub(super) async fn print(&mut self, text: &str) -> Asked<()> {
        let mut out = Vec::new();
        for letter in text.chars() {
            if self.manner.columns.is_some() && self.manner.rows.is_some_and(|rows| self.row + 1 >= rows) {
                self.send(&mut out).await?;
                self.wait_for_any_key().await?;
            }
            self.put(letter, &mut out);
            if letter == '\n'
                && let Some((lines, how)) = self.cut
            {
                if lines <= 1 {
                    self.send(&mut out).await?;
                    return self.break_off(how).await;
                }
                self.cut = Some((lines - 1, how));
            }
        }
        self.send(&mut out).await
    }

    /// Writes a prompt, which never waits for the pager.
    pub(super) async fn prompt(&mut self, text: &str) -> Asked<()> {
        let mut out = Vec::new();
        text.chars().for_each(|letter| self.put(letter, &mut out));
        self.send(&mut out).await
    }

    /// Reads a line; with `echo` it shows what is typed, where there is a terminal.
    pub(super) async fn read_line(&mut self, echo: bool) -> Asked<String> {
        let mut line: Vec<u8> = Vec::new();
        loop {
            let byte = self.next_byte().await?;
            let mut shown = Vec::new();
            let after_return = std::mem::replace(&mut self.after_return, byte == b'\r');
            match byte {
                b'\n' if after_return => continue,
                b'\r' | b'\n' => {
                    if self.manner.columns.is_some() {
                        self.put('\n', &mut shown);
                        self.send(&mut shown).await?;
                    }
                    self.row = 0;
                    return Ok(String::from_utf8_lossy(&line).into_owned());
                }
                0x03 => return self.interrupted().await,
                0x08 | 0x7f => {
                    if pop_letter(&mut line) && echo && self.manner.columns.is_some() {
                        self.column = self.column.saturating_sub(1);
                        shown.extend_from_slice(b"\x08 \x08");
                    }
                }
                0x15 => {
                    while pop_letter(&mut line) {
                        if echo && self.manner.columns.is_some() {
                            self.column = self.column.saturating_sub(1);
                            shown.extend_from_slice(b"\x08 \x08");
                        }
                    }
                }
                // Cursor keys and the like: the sequence is swallowed.
                0x1b => while !self.next_byte().await?.is_ascii_alphabetic() {},
                0x00..=0x1f => {}
                _ => {
                    line.push(byte);
                    if echo
                        && self.manner.columns.is_some()
                        && let Some(letter) = last_letter(&line)
                    {
                        self.put(letter, &mut shown);
                    }
                }
            }
            self.send(&mut shown).await?;
        }
    }

    /// Closes the channel with an exit status.
    pub(super) async fn close(&mut self, status: u32) {
        // The other side may be gone; then nobody wants the status.
        let _ = self.wire.exit_status(status).await;
        let _ = self.wire.eof().await;
        let _ = self.wire.close().await;
    }

    async fn interrupted<T>(&mut self) -> Asked<T> {
        if self.manner.columns.is_some() {
            self.prompt("^C\n").await?;
        }
        self.row = 0;
        Err(Stop::Interrupted)
    }

    async fn wait_for_any_key(&mut self) -> Asked<()> {
        self.pages += 1;
        self.prompt(MORE).await?;
        let key = self.next_byte().await?;
        self.after_return = key == b'\r';
        self.row = 0;
        self.column = 0;
        if key == 0x03 {
            return self.interrupted().await;
        }
        let mut out = format!("\r{}\r", " ".repeat(MORE.len())).into_bytes();
        self.send(&mut out).await
    }

    /// Puts a letter where the cursor stands.
    fn put(&mut self, letter: char, out: &mut Vec<u8>) {
        if letter == '\n' {
            out.extend_from_slice(if self.manner.columns.is_some() { b"\r\n" } else { b"\n" });
            self.column = 0;
            self.row += 1;
            return;
        }
        if self.manner.columns.is_some_and(|columns| columns > 0 && self.column >= columns) {
            out.extend_from_slice(b"\r\r\n");
            self.column = 0;
            self.row += 1;
        }
        self.written += 1;
        if self.manner.noise && (self.column == 0 || self.written.is_multiple_of(13)) {
            out.extend_from_slice(NOISE[self.written % NOISE.len()].as_bytes());
        }
        out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
        self.column += 1;
    }

    async fn send(&mut self, out: &mut Vec<u8>) -> Asked<()> {
        for chunk in out.chunks(self.manner.chunk.max(1)) {
            self.wire.data_bytes(chunk.to_vec()).await.map_err(|_| Stop::Closed)?;
        }
        out.clear();
        Ok(())
    }

    async fn next_byte(&mut self) -> Asked<u8> {
        loop {
            if let Some(byte) = self.typed.pop_front() {
                return Ok(byte);
            }
            match timeout(self.manner.idle, self.keys.recv()).await {
                Err(_) => return Err(Stop::Idle),
                Ok(None | Some(Key::End)) => return Err(Stop::Closed),
                Ok(Some(Key::Bytes(bytes))) => self.typed.extend(bytes),
                Ok(Some(Key::Columns(columns))) => {
                    if self.manner.columns.is_some() {
                        self.manner.columns = usize::try_from(columns).ok();
                    }
                }
            }
        }
    }
}

/// Takes the last letter away, however many bytes it has.
fn pop_letter(line: &mut Vec<u8>) -> bool {
    while let Some(byte) = line.pop() {
        if byte & 0xc0 != 0x80 {
            return true;
        }
    }
    false
}

/// Gives the letter that the last byte completes.
fn last_letter(line: &[u8]) -> Option<char> {
    (1..=4usize.min(line.len())).find_map(|length| std::str::from_utf8(line.get(line.len() - length..)?).ok()?.chars().next())
}
