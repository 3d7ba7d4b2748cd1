//! Which line of the printout belongs to which entry.
//!
//! An entry is known by its place: a heading, with the settings below it up to the next heading; or a row of the list. A heading whose text
//! is no name is a heading all the same. Whether a line that says nothing known is a heading or a setting that nobody knows is told by how the
//! others are printed: by its indent, by the blank line above it, by the settings below it that the block above has had already, and last by
//! its form (`label: value`, or a sentence). What stands below a heading that cannot be read is given to nobody. A setting, or a column of the list,
//! that nobody knows is kept with its entry.

use super::super::{cells, cells_below, cells_of, foreign, is_noise, label, lines, starts, unquote, words};
use super::{Entry, is_default_word, is_known, is_name};
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
    /// A row of the list, with what its cells say: of the columns that are known, and of all others.
    Row { name: &'a str, settings: Vec<(&'static str, &'a str)>, foreign: Vec<String> },
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
    /// Whether it is, or may be, the heading of an entry.
    fn is_heading(&self) -> bool {
        matches!(self.piece, Piece::Heading(_) | Piece::Word { is_title: false, .. })
    }

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
        let lines = pieces(text);
        let sure = Layout::of(&lines);
        let lines = settled(lines, &sure);
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
                Piece::Row { name, settings, foreign } => {
                    block = Block::Nobody;
                    self.row(line.text, name, settings, foreign);
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
                    match self.known(block) {
                        // A setting that is known, and its value is not: nobody may take it for the default.
                        Some(entry) if !label(line.text).is_some_and(|(label, _)| is_known(label)) => {
                            entry.foreign.extend(foreign::line(line.text));
                        }
                        _ => self.not_understood.push(line.text.to_owned()),
                    }
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
                    if let Some(entry) = self.known(block) {
                        entry.take(&line.piece);
                    }
                }
            }
        }
    }

    /// The entry that a block belongs to.
    fn known(&mut self, block: Block) -> Option<&mut Entry> {
        match block {
            Block::Of(entry) => self.entries.get_mut(entry),
            Block::Nobody | Block::Unread => None,
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

    fn row(&mut self, text: &str, name: &str, settings: &[(&'static str, &str)], foreign: &[String]) {
        let at = self.open(name);
        let Some(entry) = self.entries.get_mut(at) else { return };
        entry.foreign.extend_from_slice(foreign);
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
        // What may be a heading that cannot be read ends a block, too.
        let begins = |line: &&Line<'_>| match line.piece {
            Piece::Heading(_) | Piece::Columns | Piece::Row { .. } => false,
            Piece::Odd { is_labelled } => is_labelled || is_sentence(line.text),
            _ => true,
        };
        let below: Vec<String> = lines.iter().skip(at + 1).take_while(begins).filter_map(Line::field).collect();
        let above: Vec<String> = lines.iter().take(at).rev().take_while(begins).filter_map(Line::field).collect();
        !(is_labelled || is_sentence(line.text)) || below.iter().any(|field| above.contains(field))
    }
}

/// The lines, each with what it is by itself. A heading may be spread over two lines; the line with "Domain" counts.
fn pieces(text: &str) -> Vec<Line<'_>> {
    let mut found: Vec<Line<'_>> = Vec::new();
    let mut columns = Columns::default();
    // The line above as it is printed: it may be the upper half of a heading.
    let mut above = "";
    let mut behind_blank = false;
    // The indent of the label above, where its value is not on its line.
    let mut behind_label: Option<usize> = None;
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
        let piece = match heading_row(line) {
            Some(titles) => {
                if !titles.is_empty() {
                    if is_upper(above) {
                        // It has a title that nobody knows, too.
                        found.pop_if(|last| matches!(last.piece, Piece::Odd { is_labelled: false }) && above.contains(last.text));
                    }
                    columns = Columns::of(titles, line, above);
                }
                Piece::Columns
            }
            None => match (piece(line, text, &columns, behind_label.is_some()), behind_label) {
                // The value of a label that nobody knows.
                (Piece::Word { .. }, Some(label)) if indent > label && found.iter().any(Line::is_heading) => {
                    Piece::Odd { is_labelled: true }
                }
                (piece, _) => piece,
            },
        };
        above = line;
        if matches!(piece, Piece::Heading(_)) {
            columns = Columns::default();
        }
        behind_label = label(text).filter(|(_, value)| value.is_empty()).map(|_| indent);
        found.push(Line { text, indent, behind_blank: std::mem::take(&mut behind_blank), piece });
    }
    found
}

/// Makes each word that settings follow a heading, and each other one what it is then.
fn settled<'a>(mut lines: Vec<Line<'a>>, sure: &Layout) -> Vec<Line<'a>> {
    // A setting that nobody knows may be the first of a block.
    let is_passed = |line: &&Line<'_>| matches!(line.piece, Piece::Odd { is_labelled: true });
    let is_setting = |line: &Line<'_>| matches!(line.piece, Piece::Setting { .. } | Piece::Limit(_));
    let follows: Vec<bool> =
        (0..lines.len()).map(|at| lines.iter().skip(at + 1).find(|line| !is_passed(line)).is_some_and(is_setting)).collect();
    for (line, follows) in lines.iter_mut().zip(follows) {
        if let Piece::Word { name, is_title } = line.piece {
            let is_inside = sure.indent.is_some_and(|indent| line.indent > indent);
            line.piece = match (follows, is_title) {
                (true, _) if is_inside => Piece::Odd { is_labelled: true },
                (true, _) => Piece::Heading(name),
                (false, true) => continue,
                (false, false) => Piece::Odd { is_labelled: false },
            };
        }
    }
    lines
}

fn piece<'a>(printed: &'a str, line: &'a str, columns: &Columns, behind_label: bool) -> Piece<'a> {
    if !columns.is_empty()
        && let Some(row) = list_row(printed, line, columns)
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

/// Tells whether a line is a sentence, as no heading of an entry is: three words or more, with nothing of a name or an address in them.
fn is_sentence(line: &str) -> bool {
    let plain = |word: &str| word.chars().all(|letter| letter.is_alphanumeric() || "-,()'%".contains(letter));
    line.split_whitespace().count() > 2 && line.split_whitespace().all(plain)
}

/// Tells whether a line has the form of a setting: a label, and a value behind its mark.
fn is_labelled(line: &str) -> bool {
    let Some(at) = line.find([':', '=']) else { return false };
    let (label, behind) = line.split_at(at);
    label.starts_with(|letter: char| letter.is_alphabetic())
        && (behind.starts_with('=') || behind.get(1..).is_some_and(|value| value.is_empty() || value.starts_with([' ', '\t'])))
}

/// A column of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Column {
    Domain,
    Rate,
    /// One that is read as the setting with this label.
    Known(&'static str),
    /// One that nobody knows, with its title.
    Other(String),
}

/// The columns of a list.
#[derive(Debug, Default)]
struct Columns {
    columns: Vec<Column>,
    /// Where their titles begin.
    starts: Vec<usize>,
}

impl Columns {
    /// Takes a heading, with the line above it. A title that nobody knows may be spread over both.
    fn of(columns: Vec<Column>, line: &str, above: &str) -> Columns {
        let below = starts(line);
        let (upper, at) = if is_upper(above) { (cells(above), starts(above)) } else { (Vec::new(), Vec::new()) };
        let whole = |(place, column): (usize, Column)| match column {
            Column::Other(title) => {
                let half = at.iter().position(|start| below.get(place) == Some(start)).and_then(|found| upper.get(found));
                Column::Other(half.map_or(title.clone(), |half| format!("{half} {title}")))
            }
            known => known,
        };
        Columns { columns: columns.into_iter().enumerate().map(whole).collect(), starts: below }
    }

    fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }
}

/// The words of headings, and the titles of one word, as a library of commands has them.
const HEADINGS: [&str; 25] = [
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
    "ratelimiting",
    "bounceverification",
    "bounceprofile",
    "ipversion",
    "ipsortpreference",
];

/// Takes a line of column headings; without columns if it is the upper half of one. A heading may have titles that nobody knows.
fn heading_row(line: &str) -> Option<Vec<Column>> {
    let found = words(line);
    let known = found.iter().filter(|word| HEADINGS.contains(&word.as_str())).count();
    // A domain may be made of these words, too: `domain.name`.
    if found.len() < 2 || known == 0 || line.contains([':', '=', '[', '.']) {
        return None;
    }
    let apart = cells(line);
    let titles: Vec<&str> = if apart.len() > 1 { apart } else { line.split_whitespace().collect() };
    let names_entries = titles.iter().any(|title| column(title) == Column::Domain);
    let is_known = |title: &&&str| !matches!(column(title), Column::Other(_));
    let is_heading = known == found.len() || names_entries && titles.iter().filter(is_known).count() > 2;
    if !is_heading {
        return None;
    }
    Some(if names_entries { titles.into_iter().map(column).collect() } else { Vec::new() })
}

/// Tells whether a line may be the upper half of a heading.
fn is_upper(line: &str) -> bool {
    words(line).iter().any(|word| HEADINGS.contains(&word.as_str())) && !line.contains([':', '=', '[', '.', '@', '/'])
}

fn column(title: &str) -> Column {
    let found = words(title);
    let known = |word: &String| HEADINGS.contains(&word.as_str());
    if !found.iter().all(known) {
        return Column::Other(title.to_owned());
    }
    let lower = title.to_lowercase();
    let has = |word: &str| lower.contains(word);
    if has("profile") {
        Column::Known("bounce profile")
    } else if has("verification") || has("tagging") {
        Column::Known("bounce verification")
    } else if has("dane") {
        Column::Known("dane")
    } else if has("tls") {
        Column::Known("tls")
    } else if has("limit") || has("rate") {
        Column::Rate
    } else if has("preference") || has("version") || has("sort") {
        Column::Known("ip sort preference")
    } else if has("domain") || has("destination") || has("host") {
        Column::Domain
    } else {
        Column::Other(title.to_owned())
    }
}

/// Takes a row of the list; nothing if the line has other columns.
fn list_row<'a>(printed: &'a str, line: &'a str, list: &Columns) -> Option<Piece<'a>> {
    let columns = &list.columns;
    let below = || (cells(line).len() > 1).then(|| cells_below(printed, &list.starts)).flatten();
    let row = cells_of(line, columns.len()).or_else(|| below().filter(|row| row.len() == columns.len()))?;
    let name = *columns.iter().position(|column| *column == Column::Domain).and_then(|at| row.get(at))?;
    let (mut settings, mut foreign) = (Vec::new(), Vec::new());
    for (column, cell) in columns.iter().zip(&row) {
        match column {
            Column::Domain | Column::Rate => {}
            Column::Known(label) => settings.push((*label, *cell)),
            Column::Other(title) => foreign.extend(foreign::option(title, cell)),
        }
    }
    // Words of a sentence may be as many as the columns.
    let mut blank = Entry::default();
    let reads = settings.iter().all(|(label, cell)| blank.setting(label, cell));
    let is_row = is_name(name) && (reads || cells(line).len() == columns.len());
    Some(if is_row { Piece::Row { name, settings, foreign } } else { Piece::OddRow })
}
