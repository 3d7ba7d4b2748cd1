//! Which line of the printout belongs to which entry.
//!
//! An entry is known by its place: a heading, with the settings below it up to the next heading; or a row of the list. A heading whose text
//! is no name is a heading all the same. Whether a line that says nothing known is a heading or a setting that nobody knows is told by how the
//! others are printed: by its indent, by the blank line above it, by the settings below it that the block above has had already, and last by
//! its form (`label: value`). What stands below a heading that cannot be read is given to nobody.

use super::super::{cells, cells_of, is_noise, label, lines, unquote, words};
use super::{Entry, is_default_word, is_name};
use crate::gateway::resources::forms::domain_meaning;

/// What was read of the table so far.
#[derive(Default)]
pub(super) struct Table {
    /// The entries.
    pub(super) entries: Vec<Entry>,
    /// The lines that nobody understood.
    pub(super) not_understood: Vec<String>,
    /// How many rows cannot be read.
    pub(super) unread: usize,
    /// How many of them show no name.
    pub(super) nameless: usize,
}

/// What a line is, by itself.
#[derive(Debug, PartialEq)]
enum Piece<'a> {
    /// Column headings.
    Columns,
    /// The heading of an entry's block.
    Heading(&'a str),
    /// One word that is a heading if settings follow. If not, it says nothing where it is a title.
    Word { name: &'a str, is_title: bool },
    /// A setting, by its label and value.
    Setting { label: String, value: &'a str },
    /// A limit in words.
    Limit(String),
    /// A value on a line of its own, which is the default.
    Value,
    /// A row of the list, with what its cells say.
    Row { name: &'a str, settings: Vec<(&'static str, &'a str)> },
    /// A line of the list that is no row of it.
    OddRow,
    /// Nothing known.
    Odd { is_labelled: bool },
}

struct Line<'a> {
    text: &'a str,
    indent: usize,
    behind_blank: bool,
    piece: Piece<'a>,
}

impl Line<'_> {
    /// What a setting is about, to find it again in another block.
    fn field(&self) -> Option<String> {
        match &self.piece {
            Piece::Setting { label, .. } => Some(label.clone()),
            Piece::Limit(text) => {
                let about = ["concurren", "recipient", "message", "connections"].iter().find(|word| text.contains(**word));
                Some(about.map_or_else(|| "limit".to_owned(), |about| format!("limit {about}")))
            }
            _ => None,
        }
    }
}

impl Table {
    /// Takes what one dialog printed.
    pub(super) fn add(&mut self, text: &str) {
        let lines = settled(pieces(text));
        let layout = Layout::of(&lines);
        let mut block = Block::Nobody;
        let mut first: Option<String> = None;
        for (at, line) in lines.iter().enumerate() {
            match &line.piece {
                Piece::Columns => block = Block::Nobody,
                Piece::Value | Piece::Word { .. } => {}
                Piece::Heading(name) => {
                    block = Block::Of(self.open(name));
                    first = None;
                }
                Piece::Row { name, settings } => {
                    block = Block::Nobody;
                    self.row(line.text, name, settings);
                }
                Piece::OddRow => {
                    self.unread += 1;
                    self.not_understood.push(line.text.to_owned());
                }
                Piece::Odd { is_labelled } => {
                    if layout.is_heading(&lines, at, *is_labelled) {
                        self.unread += 1;
                        block = Block::Unread;
                        first = None;
                    }
                    self.not_understood.push(line.text.to_owned());
                }
                Piece::Setting { .. } | Piece::Limit(_) => {
                    let field = line.field();
                    // A block that begins as the one above it did, without a heading of its own.
                    let begins_again = first.is_some() && first == field;
                    if matches!(block, Block::Nobody) || begins_again {
                        self.unread += 1;
                        self.nameless += 1;
                        self.not_understood.push(line.text.to_owned());
                        block = Block::Unread;
                        first = None;
                    }
                    if first.is_none() {
                        first = field;
                    }
                    if let Block::Of(entry) = block
                        && let Some(entry) = self.entries.get_mut(entry)
                    {
                        entry.take(&line.piece);
                    }
                }
            }
        }
    }

    /// Begins (or goes on with) an entry.
    fn open(&mut self, name: &str) -> usize {
        let domain = if is_default_word(name) { "DEFAULT".to_owned() } else { domain_meaning(unquote(name)) };
        self.entries.iter().position(|entry| entry.domain == domain).unwrap_or_else(|| {
            self.entries.push(Entry { domain, ..Entry::default() });
            self.entries.len() - 1
        })
    }

    fn row(&mut self, text: &str, name: &str, settings: &[(&'static str, &str)]) {
        let at = self.open(name);
        let Some(entry) = self.entries.get_mut(at) else { return };
        // All cells are read, whether the one before was understood or not.
        let understood = settings.iter().fold(true, |all, (label, cell)| entry.setting(label, cell) && all);
        if !understood {
            self.not_understood.push(text.to_owned());
        }
    }
}

impl Entry {
    fn take(&mut self, piece: &Piece<'_>) -> bool {
        match piece {
            Piece::Setting { label, value } => self.setting(label, value),
            Piece::Limit(text) => self.limit(text),
            _ => false,
        }
    }
}

/// Whose settings are being read.
#[derive(Clone, Copy)]
enum Block {
    Nobody,
    Of(usize),
    Unread,
}

/// How the blocks of this printout are set off from each other.
struct Layout {
    /// The indent of headings, where all have the same and every setting has more.
    indent: Option<usize>,
    /// Whether a blank line stands above each heading, and above no setting.
    spaced: bool,
}

impl Layout {
    fn of(lines: &[Line<'_>]) -> Layout {
        let headings = || lines.iter().filter(|line| matches!(line.piece, Piece::Heading(_)));
        let settings = || lines.iter().filter(|line| matches!(line.piece, Piece::Setting { .. } | Piece::Limit(_)));
        let indent = headings().map(|line| line.indent).next().filter(|indent| {
            settings().next().is_some()
                && headings().all(|line| line.indent == *indent)
                && settings().all(|line| line.indent > *indent)
        });
        let mut others = headings().skip(1).peekable();
        let spaced = others.peek().is_some() && others.all(|line| line.behind_blank) && !settings().any(|line| line.behind_blank);
        Layout { indent, spaced }
    }

    /// Tells whether a line that says nothing known is the heading of an entry.
    fn is_heading(&self, lines: &[Line<'_>], at: usize, is_labelled: bool) -> bool {
        let Some(line) = lines.get(at) else { return false };
        if let Some(indent) = self.indent {
            return line.indent <= indent;
        }
        if self.spaced {
            let is_first = !lines.iter().take(at).any(|line| line.field().is_some() || matches!(line.piece, Piece::Heading(_)));
            return line.behind_blank || is_first;
        }
        let begins = |line: &&Line<'_>| !matches!(line.piece, Piece::Heading(_) | Piece::Columns | Piece::Row { .. });
        let below: Vec<String> = lines.iter().skip(at + 1).take_while(begins).filter_map(Line::field).collect();
        let above: Vec<String> = lines.iter().take(at).rev().take_while(begins).filter_map(Line::field).collect();
        !is_labelled || below.iter().any(|field| above.contains(field))
    }
}

/// The lines, each with what it is by itself. A heading may be spread over two lines; the line with "Domain" counts.
fn pieces(text: &str) -> Vec<Line<'_>> {
    let mut found = Vec::new();
    let mut columns: Vec<Column> = Vec::new();
    let (mut behind_blank, mut behind_label) = (false, false);
    for line in lines(text) {
        let indent = line.len() - line.trim_start().len();
        let text = line.split_once(" ;").map_or(line, |(before, _)| before).trim();
        if text.is_empty() {
            behind_blank = true;
            continue;
        }
        if text.starts_with('#') || is_noise(text) {
            continue;
        }
        let piece = match heading_row(text) {
            Some(titles) => {
                if !titles.is_empty() {
                    columns = titles;
                }
                Piece::Columns
            }
            None => piece(text, &columns, behind_label),
        };
        if matches!(piece, Piece::Heading(_)) {
            columns.clear();
        }
        behind_label = label(text).is_some_and(|(_, value)| value.is_empty());
        found.push(Line { text, indent, behind_blank: std::mem::take(&mut behind_blank), piece });
    }
    found
}

/// Makes each word that settings follow a heading, and each other one what it is then.
fn settled(mut lines: Vec<Line<'_>>) -> Vec<Line<'_>> {
    let follows: Vec<bool> = (0..lines.len())
        .map(|at| lines.get(at + 1).is_some_and(|next| matches!(next.piece, Piece::Setting { .. } | Piece::Limit(_))))
        .collect();
    for (line, follows) in lines.iter_mut().zip(follows) {
        if let Piece::Word { name, is_title } = line.piece {
            line.piece = match (follows, is_title) {
                (true, _) => Piece::Heading(name),
                (false, true) => continue,
                (false, false) => Piece::Odd { is_labelled: false },
            };
        }
    }
    lines
}

fn piece<'a>(line: &'a str, columns: &[Column], behind_label: bool) -> Piece<'a> {
    if !columns.is_empty()
        && let Some(row) = list_row(line, columns)
    {
        return row;
    }
    if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return if is_name(section) { Piece::Heading(section) } else { Piece::Odd { is_labelled: false } };
    }
    let odd = || if columns.is_empty() { Piece::Odd { is_labelled: is_labelled(line) } } else { Piece::OddRow };
    let lower = line.to_lowercase();
    if is_name(line) && lower.contains(['.', ':']) && !lower.ends_with(':') {
        return Piece::Heading(line);
    }
    if let Some((title, value)) = label(line) {
        let name = title.to_lowercase();
        let mut blank = Entry::default();
        let names_entry =
            ["domain", "destination", "destination domain", "host", "entry", "profile", "name"].contains(&name.as_str());
        if names_entry && !value.is_empty() {
            return if is_name(value) { Piece::Heading(value) } else { Piece::Odd { is_labelled: false } };
        }
        if value.is_empty() {
            let named = name.rsplit_once(" for ").and_then(|(before, _)| title.get(before.len() + 5..)).unwrap_or(title);
            if is_name(named) && (named.contains('.') || is_default_word(named)) {
                return Piece::Heading(named);
            }
            if name.contains("rate limit") || name == "limits" || name == "limiting" || blank.setting(&name, "default") {
                return Piece::Setting { label: name, value: "default" };
            }
            if is_name(named) {
                return Piece::Word { name: named, is_title: false };
            }
        }
        return if blank.setting(&name, value) { Piece::Setting { label: name, value } } else { odd() };
    }
    if behind_label && (is_default_word(line) || ["on", "off", "none"].contains(&lower.as_str())) {
        return Piece::Value;
    }
    if is_default_word(line) {
        return Piece::Heading(line);
    }
    if Entry::default().limit(&lower) {
        return Piece::Limit(lower);
    }
    if columns.is_empty() && is_name(line) {
        return Piece::Word { name: line, is_title: ["domain", "destination", "host"].contains(&lower.as_str()) };
    }
    odd()
}

/// Tells whether a line has the form of a setting: a label, and a value behind its mark.
fn is_labelled(line: &str) -> bool {
    let Some(at) = line.find([':', '=']) else { return false };
    let (label, behind) = line.split_at(at);
    label.starts_with(|letter: char| letter.is_alphabetic())
        && (behind.starts_with('=') || behind.get(1..).is_some_and(|value| value.is_empty() || value.starts_with([' ', '\t'])))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Domain,
    Rate,
    Tls,
    BounceVerification,
    BounceProfile,
    IpSort,
    Dane,
    Other,
}

/// Takes a line of column headings; without columns if it is the upper half of one.
fn heading_row(line: &str) -> Option<Vec<Column>> {
    const HEADINGS: [&str; 20] = [
        "domain",
        "destination",
        "rate",
        "limiting",
        "limit",
        "limits",
        "tls",
        "support",
        "bounce",
        "verification",
        "tagging",
        "profile",
        "ip",
        "version",
        "sort",
        "preference",
        "address",
        "dane",
        "name",
        "host",
    ];
    // The titles of one word, as a library of commands has them.
    const JOINED: [&str; 5] = ["ratelimiting", "bounceverification", "bounceprofile", "ipversion", "ipsortpreference"];
    let found = words(line);
    // A domain may be made of these words, too: `domain.name`.
    let is_heading = found.len() > 1
        && !line.contains([':', '=', '[', '.'])
        && found.iter().all(|word| HEADINGS.contains(&word.as_str()) || JOINED.contains(&word.as_str()));
    if !is_heading {
        return None;
    }
    let names_entries = found.iter().any(|word| ["domain", "destination", "host"].contains(&word.as_str()));
    if !names_entries {
        return Some(Vec::new());
    }
    let apart = cells(line);
    let titles: Vec<&str> = if apart.len() > 1 { apart } else { line.split_whitespace().collect() };
    Some(titles.into_iter().map(column).collect())
}

fn column(title: &str) -> Column {
    let title = title.to_lowercase();
    let has = |word: &str| title.contains(word);
    if has("profile") {
        Column::BounceProfile
    } else if has("verification") || has("tagging") {
        Column::BounceVerification
    } else if has("dane") {
        Column::Dane
    } else if has("tls") {
        Column::Tls
    } else if has("limit") || has("rate") {
        Column::Rate
    } else if has("preference") || has("version") || has("sort") {
        Column::IpSort
    } else if has("domain") || has("destination") || has("host") {
        Column::Domain
    } else {
        Column::Other
    }
}

/// Takes a row of the list; nothing if the line has other columns.
fn list_row<'a>(line: &'a str, columns: &[Column]) -> Option<Piece<'a>> {
    let row = cells_of(line, columns.len())?;
    let name = *columns.iter().position(|column| *column == Column::Domain).and_then(|at| row.get(at))?;
    let mut settings = Vec::new();
    for (column, cell) in columns.iter().zip(&row) {
        let label = match column {
            Column::Domain | Column::Other | Column::Rate => continue,
            Column::Tls => "tls",
            Column::BounceVerification => "bounce verification",
            Column::BounceProfile => "bounce profile",
            Column::IpSort => "ip sort preference",
            Column::Dane => "dane",
        };
        settings.push((label, *cell));
    }
    // Words of a sentence may be as many as the columns.
    let mut blank = Entry::default();
    let reads = settings.iter().all(|(label, cell)| blank.setting(label, cell));
    let is_row = is_name(name) && (reads || cells(line).len() == columns.len());
    Some(if is_row { Piece::Row { name, settings } } else { Piece::OddRow })
}
