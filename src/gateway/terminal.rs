//! What the device's bytes say on a screen: lines of text, and the row that the cursor stands in.
//!
//! A pure function of the byte stream, whatever the chunks it arrives in. It decodes UTF-8 that is split between packets, drops ANSI
//! sequences, applies carriage returns and backspaces, joins lines that were broken at the width of the terminal (`\r\r\n`), and
//! forgets the pager's text once a key was pressed. Each byte is looked at once.

use std::mem;

/// What the pager prints at the end of a page.
pub(super) const PAGER: &str = "-Press Any Key For More-";

/// A row must be this long before `\r\r\n` counts as a line that was broken at the terminal's width. No terminal is narrower
/// than 80 columns; a shorter row that ends this way has just ended.
const NARROWEST: usize = 79;

/// The most text that one command may print; what comes after it is dropped, and said to be.
const MOST_TEXT: usize = 64 << 20;

/// The width of the terminal that the device is told of. The cursor is moved no further than that.
const WIDEST: usize = 1000;

/// The longest escape sequence; what is longer was none.
const LONGEST_SEQUENCE: usize = 4096;

/// A terminal without a screen.
#[derive(Debug, Default)]
pub(super) struct Terminal {
    partial: Vec<u8>,
    sequence: Sequence,
    parameters: String,
    skipped: usize,
    returns: usize,
    text: String,
    lines: usize,
    joined: String,
    row: Vec<char>,
    cursor: usize,
    base: usize,
    turned: Option<Turned>,
    overflow: bool,
}

/// Where in an escape sequence the stream is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Sequence {
    #[default]
    None,
    Escape,
    Control,
    OneMore,
    Text,
    TextEscape,
}

/// A page was turned, and nothing of the next page has been seen yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turned {
    Untouched,
    Erased,
}

impl Terminal {
    /// Takes what arrived.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.byte(byte);
        }
    }

    /// The finished lines since the mark, each with its `\n`.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The unfinished line since the mark.
    pub(super) fn row(&self) -> String {
        let mut row = self.joined.clone();
        row.extend(self.row.iter().skip(self.base));
        row
    }

    /// The length of the unfinished line since the mark, in characters.
    pub(super) fn row_length(&self) -> usize {
        self.joined.len() + self.row.len().saturating_sub(self.base)
    }

    /// The last character of the unfinished line since the mark, before a few blanks. Cheap enough to be asked for after every byte.
    pub(super) fn last(&self) -> Option<char> {
        let row = self.row.get(self.base..)?;
        // A row that was broken at the width may have broken just before the blank of a prompt.
        row.iter().rev().copied().chain(self.joined.chars().rev()).take(8).find(|c| !c.is_whitespace())
    }

    /// The last characters of the unfinished line since the mark, without the blanks after them.
    pub(super) fn row_end(&self, most: usize) -> String {
        let start = self.row.len().saturating_sub(most).max(self.base).min(self.row.len());
        let missing = most.saturating_sub(self.row.len() - start);
        let before: Vec<char> = self.joined.chars().rev().take(missing).collect();
        let mut end: String = before.into_iter().rev().chain(self.row.iter().skip(start).copied()).collect();
        end.truncate(end.trim_end().len());
        end
    }

    /// How many lines were ever finished.
    pub(super) fn lines(&self) -> usize {
        self.lines
    }

    /// Whether more was printed than is kept.
    pub(super) fn overflowed(&self) -> bool {
        self.overflow
    }

    /// Starts anew: what came so far is no longer part of the text or the row.
    pub(super) fn mark(&mut self) {
        self.text.clear();
        self.joined.clear();
        self.base = self.row.len();
        self.overflow = false;
    }

    /// Forgets the pager's row: a key was pressed.
    pub(super) fn turn_page(&mut self) {
        let row = self.row();
        let before = row.rfind(PAGER).and_then(|at| row.get(..at)).unwrap_or_default();
        // What stood before the pager's text on its row is kept apart, so that no erasing reaches it.
        before.clone_into(&mut self.joined);
        self.row.clear();
        self.cursor = 0;
        self.base = 0;
        self.returns = 0;
        self.turned = Some(Turned::Untouched);
    }

    fn byte(&mut self, byte: u8) {
        if !self.partial.is_empty() {
            if (0x80..0xc0).contains(&byte) {
                self.partial.push(byte);
                self.decode();
                return;
            }
            self.partial.clear();
            self.character(char::REPLACEMENT_CHARACTER);
        }
        if byte < 0x80 {
            self.character(char::from(byte));
        } else {
            self.partial.push(byte);
            self.decode();
        }
    }

    fn decode(&mut self) {
        match std::str::from_utf8(&self.partial) {
            Ok(text) => {
                let decoded = text.chars().next();
                self.partial.clear();
                if let Some(character) = decoded {
                    self.character(character);
                }
            }
            Err(error) if error.error_len().is_none() => {}
            Err(_) => {
                self.partial.clear();
                self.character(char::REPLACEMENT_CHARACTER);
            }
        }
    }

    fn character(&mut self, c: char) {
        match self.sequence {
            Sequence::None => self.plain(c),
            // A line end, a cancel or a new escape inside a sequence ends it: nothing that follows may be swallowed.
            _ if c == '\n' || c == '\u{18}' || c == '\u{1a}' => {
                self.sequence = Sequence::None;
                if c == '\n' {
                    self.plain(c);
                }
            }
            Sequence::Escape => self.after_escape(c),
            Sequence::OneMore => self.sequence = Sequence::None,
            Sequence::Control => match c {
                '\u{1b}' => self.start_escape(),
                '\u{40}'..='\u{7e}' => {
                    self.sequence = Sequence::None;
                    self.control_sequence(c);
                }
                '\u{20}'..='\u{3f}' if self.parameters.len() < 32 => self.parameters.push(c),
                _ => self.skip(),
            },
            Sequence::Text => match c {
                '\u{7}' => self.sequence = Sequence::None,
                '\u{1b}' => self.sequence = Sequence::TextEscape,
                _ => self.skip(),
            },
            Sequence::TextEscape => {
                if c == '\\' {
                    self.sequence = Sequence::None;
                } else {
                    self.start_escape();
                    self.after_escape(c);
                }
            }
        }
    }

    fn start_escape(&mut self) {
        self.sequence = Sequence::Escape;
        self.parameters.clear();
        self.skipped = 0;
    }

    fn after_escape(&mut self, c: char) {
        self.sequence = match c {
            '[' => Sequence::Control,
            ']' | 'P' | 'X' | '^' | '_' => Sequence::Text,
            '\u{20}'..='\u{2f}' => Sequence::OneMore,
            '\u{1b}' => Sequence::Escape,
            _ => Sequence::None,
        };
    }

    fn skip(&mut self) {
        self.skipped += 1;
        if self.skipped > LONGEST_SEQUENCE {
            self.sequence = Sequence::None;
        }
    }

    fn control_sequence(&mut self, last: char) {
        let number = self.parameters.split(';').next().and_then(|first| first.parse::<usize>().ok());
        let count = number.unwrap_or(1).clamp(1, 1000);
        match last {
            'K' => {
                self.settle_returns();
                match number.unwrap_or(0) {
                    0 => self.row.truncate(self.cursor),
                    1 => self.row.iter_mut().take(self.cursor).for_each(|c| *c = ' '),
                    _ => self.row.clear(),
                }
                self.base = self.base.min(self.row.len());
                self.erased();
            }
            'C' => {
                self.settle_returns();
                // As on a screen, a move ends at the right edge; a row that was printed longer stays.
                self.cursor = self.cursor.max(self.cursor.saturating_add(count).min(WIDEST));
            }
            'D' => {
                self.settle_returns();
                self.cursor = self.cursor.saturating_sub(count);
                self.erased();
            }
            'G' => {
                self.returns = 0;
                self.cursor = count - 1;
                self.erased();
            }
            _ => {}
        }
    }

    fn plain(&mut self, c: char) {
        match c {
            '\u{1b}' => self.start_escape(),
            '\r' => self.returns += 1,
            '\n' => self.line_feed(),
            '\u{8}' => {
                self.settle_returns();
                self.cursor = self.cursor.saturating_sub(1);
                self.erased();
            }
            '\t' => self.print(c),
            c if c.is_control() => {}
            c => self.print(c),
        }
    }

    /// Applies carriage returns that no line feed followed.
    fn settle_returns(&mut self) {
        if mem::take(&mut self.returns) > 0 {
            self.cursor = 0;
            // The row is painted anew, with what stood in it before the mark.
            self.base = 0;
            self.erased();
        }
    }

    fn erased(&mut self) {
        if self.turned.is_some() {
            self.turned = Some(Turned::Erased);
        }
    }

    fn print(&mut self, c: char) {
        self.settle_returns();
        if self.row.len() < self.cursor {
            self.row.resize(self.cursor, ' ');
        }
        if let Some(cell) = self.row.get_mut(self.cursor) {
            *cell = c;
        } else if self.row.len() < MOST_TEXT {
            self.row.push(c);
        } else {
            self.overflow = true;
            return;
        }
        self.cursor += 1;
    }

    fn line_feed(&mut self) {
        let returns = mem::take(&mut self.returns);
        if returns > 1 && self.row.len() >= NARROWEST {
            if self.joined.len() + self.row.len() > MOST_TEXT {
                self.overflow = true;
            } else {
                self.joined.extend(self.row.iter().skip(self.base));
            }
            self.row.clear();
            self.cursor = 0;
            self.base = 0;
            return;
        }
        let turned = self.turned.take();
        if turned == Some(Turned::Untouched) && self.joined.is_empty() && self.row.iter().all(|c| c.is_whitespace()) {
            // It ends the pager's own row.
            self.row.clear();
            self.cursor = 0;
            self.base = 0;
            return;
        }
        let mut line = mem::take(&mut self.joined);
        line.extend(self.row.iter().skip(self.base));
        self.row.clear();
        self.cursor = 0;
        self.base = 0;
        self.lines += 1;
        if self.text.len() + line.len() > MOST_TEXT {
            self.overflow = true;
        } else {
            self.text.push_str(line.trim_end());
            self.text.push('\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn screen(bytes: &[u8]) -> (String, String) {
        let mut terminal = Terminal::default();
        terminal.feed(bytes);
        (terminal.text().to_owned(), terminal.row())
    }

    fn check(bytes: &str, text: &str, row: &str) {
        assert_eq!(screen(bytes.as_bytes()), (text.to_owned(), row.to_owned()), "{bytes:?}");
    }

    #[test]
    fn lines_end_with_a_line_feed_whatever_returns_come_before() {
        check("one\r\ntwo\nthree\r\r\nfour", "one\ntwo\nthree\n", "four");
    }

    #[test]
    fn a_long_row_that_was_broken_at_the_width_is_one_line() {
        let long = "x".repeat(80);
        check(&format!("{long}\r\r\ny\r\nz"), &format!("{long}y\n"), "z");
    }

    #[test]
    fn a_prompt_that_is_broken_at_the_width_is_seen_wherever_it_breaks() {
        let prompt = format!("[{}]> ", "x".repeat(100));
        for width in 80..prompt.len() {
            let mut terminal = Terminal::default();
            let (first, second) = prompt.split_at(width);
            terminal.feed(format!("{first}\r\r\n{second}").as_bytes());
            assert_eq!((terminal.last(), terminal.row_end(3).as_str()), (Some('>'), "]>"), "{width}");
            assert_eq!(terminal.row(), prompt);
        }
    }

    #[test]
    fn returns_and_backspaces_paint_over() {
        check("10%\r20%\r\nabcd\u{8}\u{8}XY", "20%\n", "abXY");
    }

    #[test]
    fn escape_sequences_leave_no_trace() {
        check("\u{1b}[1;31mred\u{1b}[0m\u{1b}]0;title\u{7}\u{1b}(B\u{1b}=!\u{1b}[?25h\r\u{1b}[m\n", "red!\n", "");
    }

    #[test]
    fn rs9_a_row_does_not_grow_by_moving_the_cursor() {
        let mut terminal = Terminal::default();
        terminal.feed("\u{1b}[1000C".repeat(100_000).as_bytes());
        terminal.feed(b"x");
        assert_eq!(terminal.row_length(), WIDEST + 1);
        // What is printed beyond the edge stays, and the cursor with it.
        terminal.feed(&b"y".repeat(500));
        terminal.feed(b"\x1b[5Cz");
        assert!(terminal.row().ends_with("yyz"));
    }

    #[test]
    fn an_unfinished_sequence_swallows_no_line() {
        check("a\u{1b}[12\nb\u{1b}]title\nc", "a\nb\n", "c");
    }

    #[test]
    fn erasing_to_the_end_of_the_row_is_understood() {
        check("abcdef\r\u{1b}[2Kxyz", "", "xyz");
        check("abcdef\u{1b}[3D\u{1b}[K!", "", "abc!");
    }

    #[test]
    fn the_mark_leaves_the_echo_in_the_row() {
        let mut terminal = Terminal::default();
        terminal.feed(b"esa> ");
        terminal.mark();
        assert_eq!(terminal.row(), "");
        terminal.feed(b"version\r\nAsyncOS\r\nesa> ");
        assert_eq!((terminal.text(), terminal.row().as_str()), ("version\nAsyncOS\n", "esa> "));
    }

    /// How a device may take its pager's text away before the next page.
    const ERASINGS: &[&str] = &[
        "\r                        \r",
        "\u{8} \u{8}\u{8} \u{8}\u{8} \u{8}",
        "\r\u{1b}[K",
        "\u{1b}[2K\r",
        "\r\n",
        "\u{1b}[24D                        \u{1b}[24D",
    ];

    #[test]
    fn a_page_that_was_turned_leaves_no_trace_however_it_is_erased() {
        for erasing in ERASINGS {
            for next in ["  indented\r\n", "longer than the text of the pager is\r\n"] {
                let mut terminal = Terminal::default();
                terminal.feed(format!("one\r\n\u{1b}[7m{PAGER}\u{1b}[0m").as_bytes());
                assert_eq!(terminal.row_end(PAGER.len()), PAGER);
                terminal.turn_page();
                terminal.feed(format!("{erasing}{next}three\r\n").as_bytes());
                assert_eq!(terminal.text(), format!("one\n{}\nthree\n", next.trim_end()), "{erasing:?}");
            }
        }
    }

    #[test]
    fn an_empty_line_at_the_top_of_a_page_stays() {
        let mut terminal = Terminal::default();
        terminal.feed(format!("one\r\n{PAGER}").as_bytes());
        terminal.turn_page();
        terminal.feed(b"\r                        \r\r\ntwo\r\n");
        assert_eq!(terminal.text(), "one\n\ntwo\n");
    }

    #[test]
    fn a_pager_in_the_middle_of_a_row_does_not_cut_the_row() {
        let mut terminal = Terminal::default();
        terminal.feed(format!("half {PAGER}").as_bytes());
        terminal.turn_page();
        terminal.feed(b"\r                        \rand half\r\n");
        assert_eq!(terminal.text(), "half and half\n");
    }

    #[test]
    fn g18_ten_megabytes_in_one_byte_packets_take_linear_time() {
        let line = "a line of a very long table, as a filter prints it .............\r\n";
        let started = std::time::Instant::now();
        let mut terminal = Terminal::default();
        for _ in 0..(10 << 20) / line.len() {
            for byte in line.as_bytes() {
                terminal.feed(std::slice::from_ref(byte));
                let _ = terminal.last();
            }
        }
        assert!(terminal.text().len() > 9 << 20);
        assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
    }

    fn plain_lines() -> impl Strategy<Value = Vec<String>> {
        prop::collection::vec("[ -~äß€😀]{0,120}", 0..12)
            .prop_map(|lines| lines.iter().map(|line| line.trim_end().replace(PAGER, "")).collect())
    }

    proptest! {
        #[test]
        fn g18_chunks_do_not_change_what_is_said(bytes in prop::collection::vec(any::<u8>(), 0..400), cuts in prop::collection::vec(1usize..9, 1..60)) {
            let whole = screen(&bytes);
            let mut terminal = Terminal::default();
            let mut rest = bytes.as_slice();
            for size in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (now, later) = rest.split_at((*size).min(rest.len()));
                terminal.feed(now);
                rest = later;
            }
            prop_assert_eq!((terminal.text().to_owned(), terminal.row()), whole);
        }

        #[test]
        fn g18_ansi_noise_does_not_change_what_is_said(lines in plain_lines(), noise in prop::collection::vec(0usize..7, 1..50)) {
            const NOISE: &[&str] = &["", "\u{1b}[0m", "\u{1b}[1;32m", "\u{7}", "\u{0}", "\u{1b}[?1h", "\u{1b}]0;t\u{1b}\\"];
            let mut noises = noise.iter().cycle();
            let mut sent = String::new();
            for line in &lines {
                for c in line.chars().chain("\r\n".chars()) {
                    sent.push_str(noises.next().and_then(|n| NOISE.get(*n)).unwrap_or(&""));
                    sent.push(c);
                }
            }
            let said: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
            prop_assert_eq!(screen(sent.as_bytes()).0, said);
        }

        #[test]
        fn g18_the_width_of_the_terminal_does_not_change_what_is_said(lines in plain_lines(), width in 80usize..110) {
            let mut sent = String::new();
            for line in &lines {
                let characters: Vec<char> = line.chars().collect();
                let mut rows = characters.chunks(width).peekable();
                while let Some(row) = rows.next() {
                    sent.extend(row);
                    if rows.peek().is_some() {
                        sent.push_str("\r\r\n");
                    }
                }
                sent.push_str("\r\n");
            }
            let said: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
            prop_assert_eq!(screen(sent.as_bytes()).0, said);
        }

        #[test]
        fn g18_pages_do_not_change_what_is_said(lines in plain_lines(), rows in 1usize..5, erasing in 0usize..6) {
            let mut terminal = Terminal::default();
            for page in lines.chunks(rows) {
                for line in page {
                    terminal.feed(format!("{line}\r\n").as_bytes());
                }
                terminal.feed(PAGER.as_bytes());
                terminal.turn_page();
                terminal.feed(ERASINGS.get(erasing).unwrap_or(&"").as_bytes());
            }
            let said: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
            prop_assert_eq!(terminal.text(), said);
        }
    }
}
