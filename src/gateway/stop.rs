//! Where the device stops and waits, told from the text on its screen.
//!
//! A stop counts only at the end of the output: a main prompt is the exact prompt that was learnt at login and stands alone in the last,
//! unfinished row; a menu or question ends in `[default]> `; a script input says how it ends. What looks like one of these in the
//! middle of a table ends nothing. Pure functions of the text; how long to wait for more is the shell's business.

use std::sync::LazyLock;

use regex::Regex;

use super::terminal::{PAGER, Terminal};

/// Where the device waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stop {
    /// At the main prompt.
    Prompt,
    /// At a menu of operations.
    Menu(Menu),
    /// At a question.
    Question(Question),
    /// For lines of text.
    Lines(Ending),
    /// For something that nobody knows: the row that the cursor stands in.
    Unknown(String),
}

/// What ends a text of several lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// A line with a dot.
    Dot,
    /// An empty line.
    Blank,
}

/// A menu: `Choose the operation you want to perform:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Menu {
    /// The words that can be chosen.
    pub(super) operations: Vec<String>,
    /// What Enter chooses; empty: one level up.
    pub(super) default: String,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Question {
    /// Its text: the line nearest to the prompt first, then those above it.
    pub(super) lines: Vec<String>,
    /// What Enter answers.
    pub(super) default: String,
    /// What kind of answer is asked for.
    pub(super) asks: Asks,
}

/// What kind of answer a question asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asks {
    /// Anything.
    Text,
    /// Yes or no.
    YesNo,
    /// One of the numbered labels.
    List(Vec<Label>),
}

/// A line of a numbered list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Label {
    /// Its number, as printed.
    pub(super) number: String,
    /// What stands behind it.
    pub(super) text: String,
}

/// What was said, and where the device waits since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Turn {
    /// The text before the menu, the question or the prompt.
    pub(super) said: String,
    /// The stop.
    pub(super) stop: Stop,
}

impl Stop {
    /// What a person reads of it, in one line.
    pub(super) fn words(&self) -> String {
        match self {
            Stop::Question(question) => question.words(),
            Stop::Menu(menu) => format!("a menu with {}", menu.operations.join(", ")),
            Stop::Lines(_) => "a request for a text".to_owned(),
            Stop::Unknown(row) => row.clone(),
            Stop::Prompt => "nothing".to_owned(),
        }
    }
}

impl Question {
    /// What a person reads as the question, in one line.
    pub(super) fn words(&self) -> String {
        match (self.lines.first(), self.default.is_empty()) {
            (Some(line), _) => line.clone(),
            (None, true) => "(a prompt without words)".to_owned(),
            (None, false) => format!("[{}]", self.default),
        }
    }

    /// Whether two questions are the same one, asked again.
    pub(super) fn same(&self, other: &Question) -> bool {
        self.asks == other.asks && self.lines.first() == other.lines.first()
    }
}

/// How sure it is that the output ends here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Likely {
    /// More will come.
    No,
    /// It looks like a stop.
    Yes(Sign),
    /// It may be a stop.
    Maybe,
    /// It has the form of a prompt, and this one is not known yet.
    Prompt,
    /// It may be a stop that nobody knows.
    Doubtful,
}

/// What looks like a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sign {
    /// What it is a sign of.
    pub(super) of: SignOf,
    /// At which character of the row it begins.
    pub(super) column: usize,
    /// Whether it stands where the device puts it, with its blank behind it: a row of a table that has its letters seldom does.
    pub(super) clear: bool,
}

/// What a sign is a sign of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignOf {
    /// `[default]> `.
    Input,
    /// The main prompt.
    Prompt,
    /// The end of a page.
    Pager,
    /// A request for lines of text.
    Lines,
}

static PROMPT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)^(?:\(?[\w.\-: ]+\)?|\((?:cluster|group|machine) [^()<>\[\]]+\))(?: ?\([A-Z]+\))?[#>]$"));
static OPERATION: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*-\s+([A-Za-z][A-Za-z0-9_]*)\s+-(?:\s|$)"));
static NUMBERED: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*[(\[]?(\d{1,4})(?:[.):\]]|\s-)\s+(\S.*)$"));
static COMPACT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^\s*[(\[]?([A-Z][A-Z0-9_]*(?:\s*,\s*[A-Z][A-Z0-9_]*)*)[)\]]?\.?\s*$"));
static DESCRIBED: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*(?:[-*]\s*)?([A-Z][A-Z0-9_]+)\s*(?:[-:.]+\s|\s{2,})\S"));

fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is a constant, and a test uses it")
}

const CHOOSE: &str = "choose the operation";
const QUESTION_LINES: usize = 8;

/// Whether a row has the form of a main prompt: `mail.example.com> `, `(mail.example.com)> `, `(Machine esa1.example.com)> `,
/// `esa.local (SERVICE)> `.
pub(super) fn is_like_a_prompt(row: &str) -> bool {
    PROMPT.is_match(row.trim())
}

/// Tells from the last row, cheaply, whether the output may end here. Asked after every packet. `prompt` is the main prompt as far as it
/// is known; with `any`, another one may come as well.
pub(super) fn likely(terminal: &Terminal, prompt: Option<&str>, any: bool) -> Likely {
    let length = terminal.row_length();
    if length == 0 {
        return match last_line(terminal.text()).and_then(ending) {
            Some(Ending::Dot) => Likely::Yes(Sign { of: SignOf::Lines, column: 0, clear: true }),
            Some(Ending::Blank) => Likely::Maybe,
            None => Likely::No,
        };
    }
    if !terminal.last().is_some_and(|last| matches!(last, '>' | '#' | ':' | '?' | ')' | '-' | '+')) {
        return Likely::No;
    }
    if at_pager(terminal) {
        return Likely::Yes(Sign { of: SignOf::Pager, column: length.saturating_sub(PAGER.len() + 8), clear: true });
    }
    let end = terminal.row_end(8);
    if end.ends_with("]>") || end.ends_with("] >") {
        return Likely::Yes(input(terminal));
    }
    if end.ends_with(['-', '+']) {
        return Likely::No;
    }
    match prompt {
        Some(prompt) if length <= prompt.len() + 4 && terminal.row().trim() == prompt => {
            // The device ends the line that was typed, or its own, before it prompts.
            let clear = !terminal.text().is_empty() && terminal.row().ends_with(' ');
            Likely::Yes(Sign { of: SignOf::Prompt, column: 0, clear })
        }
        _ if any && length < 300 && is_like_a_prompt(&terminal.row()) => Likely::Prompt,
        _ => Likely::Doubtful,
    }
}

/// Judges a row that ends in `]>`.
fn input(terminal: &Terminal) -> Sign {
    let row = terminal.row();
    let words = brackets(row.trim_end()).map_or("", |(before, _)| before);
    let column = row.find(words).map_or(0, |at| row.get(..at + words.len()).unwrap_or_default().chars().count());
    let introduced = if words.is_empty() {
        terminal.text().lines().rev().find(|line| !line.trim().is_empty()).is_some_and(introduces)
    } else {
        !terminal.text().is_empty() && introduces(words)
    };
    Sign { of: SignOf::Input, column, clear: introduced && row.ends_with(' ') }
}

/// Whether a line is one that a prompt for input follows: a sentence, a menu, or a numbered list.
fn introduces(line: &str) -> bool {
    line.trim_end().ends_with(['.', '?', ':', '!', ')', ']'])
        || OPERATION.is_match(line)
        || NUMBERED.is_match(line)
        || COMPACT.is_match(line)
}

/// Whether the device waits for a key at the end of a page.
pub(super) fn at_pager(terminal: &Terminal) -> bool {
    ends_in_pager(&terminal.row_end(PAGER.len() + 8))
}

fn ends_in_pager(row: &str) -> bool {
    row.rsplit_once(PAGER).is_some_and(|(_, behind)| behind.chars().all(|c| c == '+' || c == '-' || c.is_whitespace()))
}

fn last_line(text: &str) -> Option<&str> {
    let text = text.strip_suffix('\n')?;
    text.rfind('\n').map_or(Some(text), |at| text.get(at + 1..))
}

fn ending(line: &str) -> Option<Ending> {
    let line = line.to_lowercase();
    // `Enter '.' on a blank line to end.`: the dot ends it, whatever the line is called.
    let names_dot = ["'.'", "\".\"", "`.`", "(.)", "a period", "a dot", "a single dot"].iter().any(|words| line.contains(words));
    if line.contains("on its own line") || line.contains("on a line by itself") || (names_dot && line.contains(" line")) {
        Some(Ending::Dot)
    } else if line.contains("blank line") || line.contains("empty line") {
        Some(Ending::Blank)
    } else {
        None
    }
}

/// What ends the text that a question asks for, if it asks for several lines.
pub(super) fn ending_of(question: &Question) -> Option<Ending> {
    question.lines.first().filter(|_| question.asks == Asks::Text).and_then(|line| ending(line))
}

/// Reads where the device stopped. `text` are the lines since the last input without its echo, `row` the row of the cursor;
/// `prompt` is the main prompt, or `None` while it is being learnt.
pub(super) fn read(text: &str, row: &str, prompt: Option<&str>) -> Turn {
    let row = row.trim_end();
    let said = |length: usize| text.get(..length).unwrap_or(text).trim_end().trim_start_matches('\n').to_owned();
    if row.trim().is_empty() {
        return match last_line(text).and_then(ending) {
            Some(ending) => Turn { said: said(text.len()), stop: Stop::Lines(ending) },
            None => Turn { said: said(text.len()), stop: Stop::Unknown(String::new()) },
        };
    }
    let is_prompt = prompt.map_or_else(|| is_like_a_prompt(row), |prompt| row.trim() == prompt);
    if is_prompt {
        return Turn { said: said(text.len()), stop: Stop::Prompt };
    }
    let Some((before, default)) = brackets(row) else {
        return Turn { said: said(text.len()), stop: Stop::Unknown(row.to_owned()) };
    };
    let lines = lines_with_offsets(text);
    if before.is_empty()
        && let Some((start, operations)) = menu(&lines)
    {
        return Turn { said: said(start), stop: Stop::Menu(Menu { operations, default: default.to_owned() }) };
    }
    let (start, question) = question(text, &lines, before, default);
    Turn { said: said(start), stop: Stop::Question(question) }
}

/// Splits `text [default]>` at the bracket that belongs to the last one.
fn brackets(row: &str) -> Option<(&str, &str)> {
    let inner = row.strip_suffix('>')?.trim_end().strip_suffix(']')?;
    let mut depth = 1usize;
    let mut open = None;
    for (at, c) in inner.char_indices().rev() {
        match c {
            ']' => depth += 1,
            '[' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            open = Some(at);
            break;
        }
    }
    let open = open.or_else(|| inner.rfind('['))?;
    Some((inner.get(..open)?.trim(), inner.get(open + 1..)?.trim()))
}

fn lines_with_offsets(text: &str) -> Vec<(usize, &str)> {
    let mut offset = 0;
    text.split_inclusive('\n')
        .map(|line| {
            let start = offset;
            offset += line.len();
            (start, line.trim_end())
        })
        .collect()
}

/// Finds the operations of a menu and where its text begins.
fn menu(lines: &[(usize, &str)]) -> Option<(usize, Vec<String>)> {
    // A menu is short; a printout above it may be long.
    let recent = lines.get(lines.len().saturating_sub(60)..)?;
    let head = recent.iter().rposition(|(_, line)| line.to_lowercase().contains(CHOOSE));
    let operation = |line: &str| OPERATION.captures(line).and_then(|found| found.get(1).map(|word| word.as_str().to_owned()));
    let Some(head) = head else {
        let first = recent.iter().rposition(|(_, line)| !line.is_empty() && operation(line).is_none()).map_or(0, |at| at + 1);
        let operations: Vec<String> = recent.iter().skip(first).filter_map(|(_, line)| operation(line)).collect();
        let start = recent.get(first).map(|(offset, _)| *offset);
        return start.filter(|_| operations.len() > 1).map(|start| (start, operations));
    };
    let (start, headline) = recent.get(head)?;
    let mut operations: Vec<String> = recent.iter().skip(head + 1).filter_map(|(_, line)| operation(line)).collect();
    if operations.is_empty() {
        // Some releases print the words between parentheses, or behind the colon, perhaps on several lines.
        let behind = headline.split_once(':').map_or("", |(_, behind)| behind);
        let lines = std::iter::once(behind).chain(recent.iter().skip(head + 1).map(|(_, line)| *line));
        let text = lines.map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
        if let Some(words) = COMPACT.captures(&text).and_then(|found| found.get(1)) {
            operations.extend(words.as_str().split(',').map(|word| word.trim().to_owned()));
        }
    }
    if operations.is_empty() {
        // Without the dash in front, or with another sign behind the word.
        let described = |line: &str| DESCRIBED.captures(line).and_then(|found| found.get(1).map(|word| word.as_str().to_owned()));
        operations = recent.iter().skip(head + 1).filter_map(|(_, line)| described(line)).collect();
    }
    (!operations.is_empty()).then_some((*start, operations))
}

/// Reads a question and where its text begins.
fn question(text: &str, lines: &[(usize, &str)], before: &str, default: &str) -> (usize, Question) {
    let end = lines.iter().rposition(|(_, line)| !line.is_empty()).map_or(0, |last| last + 1);
    let mut above = end;
    let mut words: Vec<String> = Vec::new();
    let mut labels = Vec::new();
    if before.is_empty() {
        // The list stands directly above the prompt, or with one line between.
        let behind = usize::from(default.parse::<usize>().is_ok());
        for skipped in 0..=behind {
            let Some(last) = end.checked_sub(skipped) else { break };
            if let Some((first, found)) = list(lines, last) {
                let between = lines.get(last..end).unwrap_or_default();
                words.extend(between.iter().map(|(_, line)| line.trim().to_owned()));
                labels = found;
                above = first;
                break;
            }
        }
    } else {
        words.push(before.to_owned());
    }
    let nearest = usize::from(words.is_empty());
    let mut start = if labels.is_empty() { text.len() } else { lines.get(above).map_or(text.len(), |(offset, _)| *offset) };
    for (position, (offset, line)) in lines.iter().take(above).rev().take(QUESTION_LINES).enumerate() {
        if line.is_empty() {
            break;
        }
        words.push(line.trim().to_owned());
        if position < nearest {
            start = *offset;
        }
    }
    let asks = if labels.is_empty() { text_or_yes_no(&words, default) } else { Asks::List(labels) };
    (start, Question { lines: words, default: default.to_owned(), asks })
}

fn text_or_yes_no(words: &[String], default: &str) -> Asks {
    let nearest = words.first().map(|line| line.to_uppercase()).unwrap_or_default();
    let marks = ["[Y]/[N]", "[Y/N]", "(Y/N)", "[YES/NO]", "(YES/NO)", "[Y] OR [N]", "Y OR N?"];
    // A question that only yes or no can answer, at a prompt that has no default.
    let begins = ["DO YOU ", "ARE YOU ", "WOULD YOU ", "SHOULD ", "SHALL ", "IS ", "REALLY "];
    let can_only_be = default.is_empty() && nearest.ends_with('?') && begins.iter().any(|word| nearest.starts_with(word));
    let defaults = ["y", "n", "yes", "no", "y/n", "n/y", "yes/no", "no/yes"];
    if defaults.contains(&default.to_lowercase().as_str()) || marks.iter().any(|mark| nearest.contains(mark)) || can_only_be {
        Asks::YesNo
    } else {
        Asks::Text
    }
}

fn numbered(line: &str) -> Option<usize> {
    NUMBERED.captures(line)?.get(1)?.as_str().parse().ok()
}

/// Reads the numbered list that ends before line `end`: its first line and its labels.
fn list(lines: &[(usize, &str)], end: usize) -> Option<(usize, Vec<Label>)> {
    let mut labels: Vec<Label> = Vec::new();
    let mut below: Option<usize> = None;
    for at in (0..end).rev() {
        let (_, line) = lines.get(at)?;
        if let Some(found) = NUMBERED.captures(line) {
            let number = found.get(1)?.as_str();
            let value: usize = number.parse().ok()?;
            // What a feature key hides may leave a gap.
            if below.is_some_and(|below| value >= below) {
                return None;
            }
            labels.push(Label { number: number.to_owned(), text: found.get(2)?.as_str().trim().to_owned() });
            let zero_is_above =
                || at.checked_sub(1).and_then(|at| lines.get(at)).is_some_and(|(_, line)| numbered(line) == Some(0));
            if value == 0 || (value == 1 && !zero_is_above()) {
                labels.reverse();
                return Some((at, labels));
            }
            below = Some(value);
        } else if !line.starts_with([' ', '\t']) {
            // An indented line goes on with the label above it; any other ends the list.
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROMPT: Option<&str> = Some("mail.example.com>");

    fn at(screen: &str) -> Turn {
        let (text, row) = screen.rsplit_once('\n').map_or(("", screen), |(text, row)| (&screen[..=text.len()], row));
        read(text, row, PROMPT)
    }

    #[test]
    fn prompts_of_every_form_are_learnt_and_table_text_is_not_one() {
        for row in [
            "mail.example.com> ",
            "(mail.example.com)> ",
            "esa.local> ",
            "(Machine esa-1.example.com)> ",
            "(Cluster Main cluster)> ",
            "example.com (SERVICE)> ",
            "(Group Asia/Pacific & \"East\")> ",
            "(Machine esa1.example.com) (SERVICE)> ",
            "esa.local>",
        ] {
            assert!(is_like_a_prompt(row), "{row}");
        }
        for row in ["[]> ", "[Y]> ", "Enter the name: ", "a <b> c", "=> ", ""] {
            assert!(!is_like_a_prompt(row), "{row}");
        }
    }

    #[test]
    fn only_the_learnt_prompt_ends_the_output() {
        assert_eq!(at("a\nmail.example.com> ").stop, Stop::Prompt);
        assert_eq!(at("a\nother.example.com> ").stop, Stop::Unknown("other.example.com>".into()));
        assert_eq!(at("a\nx mail.example.com> ").stop, Stop::Unknown("x mail.example.com>".into()));
    }

    #[test]
    fn a_menu_is_read_with_what_was_said_before_it() {
        let turn = at(
            "There are currently 2 entries configured.\n\nChoose the operation you want to perform:\n- NEW - Create a new entry.\n\
             - EDIT - Modify an entry.\n- CLUSTERSET - Set how the entries are\n  configured in a cluster.\n[]> ",
        );
        let operations = ["NEW", "EDIT", "CLUSTERSET"].map(str::to_owned).to_vec();
        assert_eq!(turn.said, "There are currently 2 entries configured.");
        assert_eq!(turn.stop, Stop::Menu(Menu { operations, default: String::new() }));
    }

    #[test]
    fn menus_of_old_releases_are_read_too() {
        for screen in [
            "Choose the operation you want to perform:\n(NEW, EDIT, DELETE, SETUP)\n[]> ",
            "Choose the operation you want to perform:  NEW, EDIT, DELETE, SETUP\n[]> ",
            "Pick one.\n- NEW - a\n- EDIT - b\n- DELETE - c\n- SETUP - d\n[]> ",
            "Choose the operation you want to perform:\n(NEW, EDIT,\n DELETE, SETUP)\n\n[]>",
            "CHOOSE the operation to perform:\n  NEW: Create.\n  EDIT: Change.\n  DELETE: Remove.\n  SETUP: Set up.\n[]> ",
            "Choose the operation you want to perform:\nNEW      Create.\nEDIT     Change.\nDELETE   Remove.\nSETUP    Set up.\n[ ]> ",
        ] {
            let Stop::Menu(menu) = at(screen).stop else { panic!("{screen}") };
            assert_eq!(menu.operations, ["NEW", "EDIT", "DELETE", "SETUP"]);
        }
    }

    fn asks(screen: &str, lines: &[&str], default: &str, asks: &Asks) {
        let Stop::Question(question) = at(screen).stop else { panic!("{screen}: {:?}", at(screen)) };
        assert_eq!(question.lines, lines, "{screen}");
        assert_eq!(question.default, default);
        assert_eq!(question.asks, *asks);
    }

    #[test]
    fn questions_are_read_by_kind() {
        asks("Enter the domain you wish to limit.\n[]> ", &["Enter the domain you wish to limit."], "", &Asks::Text);
        asks("Do you wish to configure a limit? [Y]> ", &["Do you wish to configure a limit?"], "Y", &Asks::YesNo);
        asks("Really? ([Y]/[N])\n[]> ", &["Really? ([Y]/[N])"], "", &Asks::YesNo);
        asks("Really? [y/N]> ", &["Really?"], "y/N", &Asks::YesNo);
        asks("Are you sure that it is meant?\n[]> ", &["Are you sure that it is meant?"], "", &Asks::YesNo);
        asks("Enter a port:\n[25] > ", &["Enter a port:"], "25", &Asks::Text);
        asks("Ciphers.\n[HIGH:[x]:!aNULL]> ", &["Ciphers."], "HIGH:[x]:!aNULL", &Asks::Text);
        asks("Something\n\nEnter a port.\n\n[25]> ", &["Enter a port."], "25", &Asks::Text);
    }

    #[test]
    fn numbered_lists_are_read_with_their_labels() {
        let labels = |labels: &[&str]| {
            let label = |(at, text): (usize, &&str)| Label { number: (at + 1).to_string(), text: (*text).to_owned() };
            Asks::List(labels.iter().enumerate().map(label).collect())
        };
        asks(
            "Do you want to use TLS support?\n1. No\n2. Preferred\n3. Required\n[1]> ",
            &["Do you want to use TLS support?"],
            "1",
            &labels(&["No", "Preferred", "Required"]),
        );
        asks(
            "Choose.\n1. Mask\n   (cannot be loaded)\n2. Plain\nWhich one?\n[1]> ",
            &["Which one?", "Choose."],
            "1",
            &labels(&["Mask", "Plain"]),
        );
        for list in
            ["[0] No\n[1] Preferred\n[2] Required", "0: No\n1: Preferred\n2: Required", "(0) No\n(1) Preferred\n(2) Required"]
        {
            let numbers = ["0", "1", "2"].iter().zip(["No", "Preferred", "Required"]);
            let labels = numbers.map(|(number, text)| Label { number: (*number).to_owned(), text: text.to_owned() });
            asks(&format!("Pick.\n{list}\n[0]> "), &["Pick."], "0", &Asks::List(labels.collect()));
        }
        let gap =
            ["1", "3"].iter().zip(["a", "c"]).map(|(number, text)| Label { number: (*number).to_owned(), text: text.to_owned() });
        asks("Pick.\n1. a\n3. c\n[1]> ", &["Pick."], "1", &Asks::List(gap.collect()));
        asks(
            "1. IncomingMail (on Management)\nEnter the name or number of the listener.\n[]> ",
            &["Enter the name or number of the listener.", "1. IncomingMail (on Management)"],
            "",
            &Asks::Text,
        );
    }

    #[test]
    fn the_text_before_a_question_is_what_was_said() {
        assert_eq!(at("1 entry.\nEnter the domain.\n[]> ").said, "1 entry.");
        assert_eq!(at("Warning.\nSure? [N]> ").said, "Warning.");
        assert_eq!(at("Note.\nPick:\n1. a\n2. b\n[1]> ").said, "Note.");
    }

    #[test]
    fn script_input_and_pager_are_stops() {
        assert_eq!(at("Enter filter script.  Enter '.' on its own line to end.\n").stop, Stop::Lines(Ending::Dot));
        assert_eq!(at("Enter the text. Press Enter on a blank line to finish.\n").stop, Stop::Lines(Ending::Blank));
        for line in [
            "Enter or paste the message body here.  Enter '.' on a blank line to end.",
            "Enter the message. End it with \".\" on an empty line.",
            "Enter the message; a period on a line of its own ends it.",
        ] {
            assert_eq!(at(&format!("{line}\n")).stop, Stop::Lines(Ending::Dot), "{line}");
        }
        let mut terminal = Terminal::default();
        terminal.feed(b"a\r\n-Press Any Key For More-");
        assert!(at_pager(&terminal));
        assert_eq!(at("a\nOld passphrase:").stop, Stop::Unknown("Old passphrase:".into()));
    }

    #[test]
    fn what_looks_like_a_stop_in_the_middle_of_a_table_is_not_likely_one() {
        let mut terminal = Terminal::default();
        terminal.feed(b"mail.example.com> \r\n[]> \r\n-Press Any Key For More-\r\nrow");
        assert_eq!(likely(&terminal, PROMPT, false), Likely::No);
        terminal.feed(b"\r\nx mail.example.com> ");
        assert_eq!(likely(&terminal, PROMPT, false), Likely::Doubtful);
        terminal.feed(b"\r\nmail.example.com> ");
        assert_eq!(likely(&terminal, PROMPT, false), Likely::Yes(Sign { of: SignOf::Prompt, column: 0, clear: true }));
        terminal.feed(b"\r\nother.example.com> ");
        assert_eq!(likely(&terminal, PROMPT, false), Likely::Doubtful);
        assert_eq!(likely(&terminal, PROMPT, true), Likely::Prompt);
    }

    #[test]
    fn a_stop_is_clear_where_its_words_stand_around_it() {
        for (screen, of, column, clear) in [
            ("x\nDo you wish to configure a limit? [Y]> ", SignOf::Input, 33, true),
            ("x\nDo you wish to configure a limit? [Y]>", SignOf::Input, 33, false),
            ("x\nü? [Y]> ", SignOf::Input, 2, true),
            ("Enter the domain.\n[]> ", SignOf::Input, 0, true),
            ("Enter a port.\n\n[25]> ", SignOf::Input, 0, true),
            ("- NEW - Create a new entry\n[]> ", SignOf::Input, 0, true),
            ("1. No\n2. Yes\n[1]> ", SignOf::Input, 0, true),
            ("mx.example.com\n[]> ", SignOf::Input, 0, false),
            ("[]> ", SignOf::Input, 0, false),
            ("x\na[1]> ", SignOf::Input, 1, false),
            ("x\nmail.example.com> ", SignOf::Prompt, 0, true),
            ("x\nmail.example.com>", SignOf::Prompt, 0, false),
            ("mail.example.com> ", SignOf::Prompt, 0, false),
            ("Enter the script, '.' on its own line to end.\n", SignOf::Lines, 0, true),
        ] {
            let mut terminal = Terminal::default();
            terminal.feed(screen.as_bytes());
            assert_eq!(likely(&terminal, PROMPT, false), Likely::Yes(Sign { of, column, clear }), "{screen:?}");
        }
    }
}
