//! What was found, as a table for the screen and as Markdown to be pasted. Only the latter is masked.

use std::fmt::Write as _;

/// What was found on one side.
#[derive(Debug, Default)]
pub(super) struct Side {
    /// What it is called.
    pub(super) title: &'static str,
    /// What it says of itself.
    pub(super) facts: Vec<(&'static str, String)>,
    /// Its tables.
    pub(super) tables: Vec<Table>,
    /// What has to be read in full.
    pub(super) notes: Vec<Note>,
    /// Whether something failed.
    pub(super) failed: bool,
    /// Whether it is known that changes will be refused. That is no failure: a plan without changes needs no such right.
    pub(super) changes_refused: bool,
}

/// The remark at a table that the login may not read.
pub(super) const REFUSED: &str = "refused";

/// One table.
#[derive(Debug)]
pub(super) struct Table {
    /// What it is called.
    pub(super) name: String,
    /// How many entries were understood; `None` if the table could not be read.
    pub(super) entries: Option<usize>,
    /// How many lines or members were not understood.
    pub(super) not_understood: usize,
    /// What else is to be said, in a few words.
    pub(super) remark: String,
}

/// Something to be read in full.
#[derive(Debug)]
pub(super) struct Note {
    /// What it is about.
    pub(super) title: String,
    /// The service's words, or lines of a table.
    pub(super) text: String,
}

impl Side {
    pub(super) fn new(title: &'static str) -> Side {
        Side { title, ..Side::default() }
    }

    pub(super) fn fact(&mut self, name: &'static str, value: impl Into<String>) {
        self.facts.push((name, value.into()));
    }

    pub(super) fn note(&mut self, title: impl Into<String>, text: impl Into<String>) {
        self.notes.push(Note { title: title.into(), text: text.into() });
    }

    /// Says which of its tables the login may read; each is a `kind`.
    pub(super) fn readable(&self, kind: &str) -> String {
        let refused: Vec<&str> =
            self.tables.iter().filter(|table| table.remark == REFUSED).map(|table| table.name.as_str()).collect();
        if refused.is_empty() {
            return format!("every {kind} may be read");
        }
        format!("refused to this login: {}", refused.join(", "))
    }

    /// How many lines and members were not understood.
    pub(super) fn not_understood(&self) -> usize {
        self.tables.iter().map(|table| table.not_understood).sum()
    }
}

impl Table {
    fn entries(&self) -> String {
        self.entries.map_or_else(|| "-".to_owned(), |count| count.to_string())
    }
}

/// The table for the screen; with `notes`, what has to be read in full stands below it.
pub(super) fn screen(sides: &[Side], notes: bool) -> String {
    let mut text = String::new();
    for side in sides {
        let _ = writeln!(text, "{}", side.title);
        let width = side.facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, value) in &side.facts {
            let _ = writeln!(text, "  {name:width$}  {value}");
        }
        if !side.tables.is_empty() {
            let width = side.tables.iter().map(|table| table.name.chars().count()).max().unwrap_or(0).max("table".len());
            let _ = writeln!(text, "\n  {:width$}  entries  not understood", "table");
            for table in &side.tables {
                let line = format!(
                    "  {:width$}  {:>7}  {:>14}  {}",
                    table.name,
                    table.entries(),
                    if table.entries.is_some() { table.not_understood.to_string() } else { "-".to_owned() },
                    table.remark
                );
                let _ = writeln!(text, "{}", line.trim_end());
            }
        }
        for note in side.notes.iter().filter(|_| notes) {
            let _ = writeln!(text, "\n  {}:", note.title);
            for line in note.text.trim_end().lines() {
                let _ = writeln!(text, "{}", format!("    {line}").trim_end());
            }
        }
        text.push('\n');
    }
    text
}

/// The part to be pasted, with all that came from a service or the settings as `mask` gives it.
pub(super) fn markdown(sides: &[Side], about: &str, mut mask: impl FnMut(&str) -> String) -> String {
    let mut text = format!("## report\n\n{about}\n");
    for side in sides {
        let _ = writeln!(text, "\n### {}\n", side.title);
        for (name, value) in &side.facts {
            let _ = writeln!(text, "- {name}: {}", escaped(&mask(value)));
        }
        if !side.tables.is_empty() {
            text.push_str("\n| table | entries | not understood | remark |\n|---|---:|---:|---|\n");
            for table in &side.tables {
                let (name, remark) = (escaped(&mask(&table.name)), escaped(&table.remark));
                let _ = writeln!(text, "| {name} | {} | {} | {remark} |", table.entries(), table.not_understood);
            }
        }
        for note in &side.notes {
            let (title, words) = (mask(&note.title), mask(&note.text));
            let fence = fence(&words);
            let _ = writeln!(text, "\n**{}**\n\n{fence}text\n{}\n{fence}", escaped(&title), words.trim_end());
        }
    }
    text
}

/// A text outside of a fence: a placeholder is no tag, and a bar ends no cell.
fn escaped(text: &str) -> String {
    text.replace('<', "\\<").replace('|', "\\|")
}

/// A fence that the text does not contain.
fn fence(text: &str) -> String {
    let mut fence = "```".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    fence
}

/// What to do, in one line.
pub(super) fn advice(sides: &[Side], recorded: bool, reported: bool) -> String {
    let not_understood: usize = sides.iter().map(Side::not_understood).sum();
    let with = if recorded { " with the transcripts" } else { "; --record DIR keeps transcripts to send along" };
    let refusing: Vec<&str> = sides.iter().filter(|side| side.changes_refused).map(|side| side.title).collect();
    let refused = match refusing.as_slice() {
        [] => String::new(),
        titles => format!(
            " Changes will be refused by {} (see \"rights\"): give the login more rights, or set `read_only`.",
            titles.join(" and ")
        ),
    };
    if sides.iter().any(|side| side.failed) {
        let more = if not_understood > 0 { format!(" {not_understood} lines were not understood, too.") } else { String::new() };
        return format!(
            "What to do: mend what failed above and run this again.{more} If the words do not help, look through the part \"## report\" and paste it into a bug report{with}.{refused}"
        );
    }
    match not_understood {
        0 => {
            let nothing = if refused.is_empty() { " nothing." } else { "" };
            let report = if reported { "" } else { " --report prints this as a masked report for a bug report." };
            format!("What to do:{nothing} All that was read was understood.{refused}{report}")
        }
        count => format!(
            "What to do: {count} {} not understood. Look through the part \"## report\" and paste it into a bug report{with}. Objects in such lines are left alone.{refused}",
            if count == 1 { "line was" } else { "lines were" }
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(not_understood: usize) -> Side {
        let mut side = Side::new("Secure Email Gateway");
        side.fact("release", "AsyncOS 15.5");
        side.tables.push(Table { name: "SMTP routes".to_owned(), entries: Some(12), not_understood, remark: String::new() });
        side.tables.push(Table {
            name: "filters".to_owned(),
            entries: None,
            not_understood: 0,
            remark: "refused | no".to_owned(),
        });
        side
    }

    #[test]
    fn columns_stand_below_their_headings() {
        let shown = screen(&[side(1)], false);
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[3], "  table        entries  not understood");
        assert_eq!(lines[4], "  SMTP routes       12               1");
        assert_eq!(lines[5], "  filters            -               -  refused | no");
    }

    #[test]
    fn a_text_with_a_fence_of_its_own_stays_inside_the_report() {
        let mut side = side(0);
        side.note("odd", "```\nout of here");
        let text = markdown(&[side], "about", str::to_owned);
        assert!(text.contains("````text\n```\nout of here\n````"), "{text}");
        assert!(text.contains("refused \\| no"), "{text}");
    }

    #[test]
    fn notes_stand_on_the_screen_where_no_report_follows() {
        let mut side = side(0);
        side.note("warnings", "one\n\ntwo\n");
        assert!(screen(std::slice::from_ref(&side), true).contains("\n  warnings:\n    one\n\n    two\n"));
        assert!(!screen(&[side], false).contains("warnings"));
    }

    #[test]
    fn the_last_line_says_what_to_do() {
        assert!(advice(&[side(0)], false, false).contains("nothing"));
        assert!(advice(&[side(0)], false, false).contains("--report"));
        assert!(!advice(&[side(0)], false, true).contains("--report"));
        assert!(advice(&[side(2)], false, true).contains("2 lines were not understood"));
        let mut failed = side(0);
        failed.failed = true;
        assert!(advice(&[side(0), failed], true, true).contains("run this again"));
        for not_understood in [0, 1] {
            let said = advice(&[Side { changes_refused: true, ..side(not_understood) }], false, true);
            assert!(said.contains("Changes will be refused by Secure Email Gateway") && !said.contains("nothing"), "{said}");
        }
    }
}
