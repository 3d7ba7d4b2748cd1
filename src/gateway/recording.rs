//! The file of one recorded conversation: plain text, masked, and good to be replayed.
//!
//! ```text
//! # mailflow transcript 1
//! # source: recorded by terraform-provider-mailflow 0.1.0
//! # release: 15.5.3-022
//! # mode: standalone
//! # table: routes
//! # rows: 1
//!
//! domain-1.example> «smtproutes»
//!
//! There are currently 1 routes configured.
//! …
//! ```
//!
//! Behind the header and an empty line stands the screen as it was, without the echo of what was typed and without the pager's text. What
//! was typed stands between `«` and `»`, where it was typed; `«^C»` is Ctrl-C. Lines of the header that are not known are comments.
//!
//! | line | what it says |
//! |---|---|
//! | `source` | who recorded it, or the document that it is taken from |
//! | `release` | the AsyncOS release; `unknown` if the device did not tell it |
//! | `mode` | `standalone`, `cluster`, `group NAME` or `machine NAME` |
//! | `table` | `login`, `command` (any other command), `version`, `listeners`, `destinations`, `routes`, `filters`, `tls`, `recipients LISTENER`, `hosts LISTENER`; `exchange NOUN` for objects of Exchange Online |
//! | `rows` | how many rows the parser has to find; left out: any number |
//! | `not understood` | how many lines nobody understands yet; left out: none |

use std::fmt::Write as _;

use super::settings::Level;
use super::table::Printout;

/// The first line of every file.
pub const FIRST_LINE: &str = "# mailflow transcript 1";

/// One conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// Who recorded it, or the document that it is taken from.
    pub source: String,
    /// The AsyncOS release, if it is known.
    pub release: Option<String>,
    /// The level, in the words of the header.
    pub mode: String,
    /// What was talked about, in the words of the header.
    pub table: String,
    /// How many rows were found.
    pub rows: Option<usize>,
    /// How many lines were not understood.
    pub not_understood: usize,
    /// The screen, with what was typed.
    pub text: String,
}

impl Recording {
    /// Writes the file.
    pub fn write(&self) -> String {
        let release = self.release.as_deref().unwrap_or("unknown");
        let mut file = format!(
            "{FIRST_LINE}\n# source: {}\n# release: {release}\n# mode: {}\n# table: {}\n",
            self.source, self.mode, self.table
        );
        if let Some(rows) = self.rows {
            let _ = writeln!(file, "# rows: {rows}");
        }
        if self.not_understood > 0 {
            let _ = writeln!(file, "# not understood: {}", self.not_understood);
        }
        let screen: Vec<&str> = self.text.lines().map(str::trim_end).collect();
        file.push('\n');
        file.push_str(screen.join("\n").trim_end());
        file.push('\n');
        file
    }

    /// Reads a file; the error says what is wrong with it.
    pub fn read(file: &str) -> Result<Recording, String> {
        let file = file.replace("\r\n", "\n");
        let Some(rest) = file.strip_prefix(FIRST_LINE).and_then(|rest| rest.strip_prefix('\n')) else {
            return Err(format!("The first line is not {FIRST_LINE:?}."));
        };
        let Some((header, text)) = rest.split_once("\n\n") else {
            return Err("There is no empty line behind the header.".to_owned());
        };
        let lines = || header.lines().filter_map(|line| line.strip_prefix('#')?.split_once(':'));
        let value = |wanted: &str| lines().find(|(name, _)| name.trim() == wanted).map(|(_, value)| value.trim().to_owned());
        let needed = |name: &str| value(name).ok_or_else(|| format!("The header has no line \"# {name}: …\"."));
        let number = |name: &str| {
            let number = value(name).map(|text| text.parse::<usize>().map_err(|_| format!("\"# {name}: {text}\" is no number.")));
            number.transpose()
        };
        Ok(Recording {
            source: needed("source")?,
            release: Some(needed("release")?).filter(|release| release != "unknown"),
            mode: needed("mode")?,
            table: needed("table")?,
            rows: number("rows")?,
            not_understood: number("not understood")?.unwrap_or_default(),
            text: text.to_owned(),
        })
    }

    /// The level that the header names.
    pub(super) fn level(&self) -> Result<Level, String> {
        let (mode, name) = self.mode.split_once(' ').unwrap_or((&self.mode, ""));
        match (mode, name.trim()) {
            ("standalone", "") => Ok(Level::Standalone),
            ("cluster", "") => Ok(Level::Cluster),
            ("group", name) if !name.is_empty() => Ok(Level::Group(name.to_owned())),
            ("machine", name) if !name.is_empty() => Ok(Level::Machine(name.to_owned())),
            _ => Err(format!("\"# mode: {}\" is no level.", self.mode)),
        }
    }
}

impl Printout {
    /// Names the printout in a header: `hosts IncomingMail`.
    pub(super) fn header(&self) -> String {
        match self {
            Printout::Listeners => "listeners".to_owned(),
            Printout::Destinations => "destinations".to_owned(),
            Printout::Routes => "routes".to_owned(),
            Printout::Filters => "filters".to_owned(),
            Printout::Tls => "tls".to_owned(),
            Printout::Version => "version".to_owned(),
            Printout::Account => "account".to_owned(),
            Printout::CommitHelp => "commit help".to_owned(),
            Printout::Recipients(listener) => format!("recipients {listener}"),
            Printout::Hosts(listener) => format!("hosts {listener}"),
        }
    }

    /// The printout that a header names.
    pub(super) fn of_header(text: &str) -> Option<Printout> {
        if text == "commit help" {
            return Some(Printout::CommitHelp);
        }
        let (kind, listener) = text.split_once(' ').unwrap_or((text, ""));
        let listener = listener.trim().to_owned();
        match (kind, listener.is_empty()) {
            ("listeners", true) => Some(Printout::Listeners),
            ("destinations", true) => Some(Printout::Destinations),
            ("routes", true) => Some(Printout::Routes),
            ("filters", true) => Some(Printout::Filters),
            ("tls", true) => Some(Printout::Tls),
            ("version", true) => Some(Printout::Version),
            ("account", true) => Some(Printout::Account),
            ("recipients", false) => Some(Printout::Recipients(listener)),
            ("hosts", false) => Some(Printout::Hosts(listener)),
            _ => None,
        }
    }

    /// Names the printout for a person: `host access table of IncomingMail`.
    pub fn title(&self) -> String {
        match self {
            Printout::Listeners => "listeners".to_owned(),
            Printout::Destinations => "destination controls".to_owned(),
            Printout::Routes => "SMTP routes".to_owned(),
            Printout::Filters => "message filters".to_owned(),
            Printout::Tls => "TLS settings".to_owned(),
            Printout::Version => "version".to_owned(),
            Printout::Account => "account".to_owned(),
            Printout::CommitHelp => "commit help".to_owned(),
            Printout::Recipients(listener) => format!("recipient access of {listener}"),
            Printout::Hosts(listener) => format!("host access of {listener}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_comes_back_as_it_was_written() {
        let recording = Recording {
            source: "a test".to_owned(),
            release: Some("15.5.3-022".to_owned()),
            mode: "group Europe".to_owned(),
            table: "hosts Incoming Mail".to_owned(),
            rows: Some(3),
            not_understood: 1,
            text: "esa> «listenerconfig»\n\nCurrently …\n[]> «»\nesa>\n".to_owned(),
        };
        assert_eq!(Recording::read(&recording.write()), Ok(recording.clone()));
        assert_eq!(recording.level(), Ok(Level::Group("Europe".to_owned())));
        assert_eq!(Printout::of_header(&recording.table), Some(Printout::Hosts("Incoming Mail".to_owned())));
    }

    #[test]
    fn a_file_with_a_broken_header_is_told_what_is_missing() {
        for (file, said) in [
            ("esa> «version»\n", "first line"),
            ("# mailflow transcript 1\n# source: x\n", "empty line"),
            ("# mailflow transcript 1\n# source: x\n# release: 15.0\n# mode: standalone\n\nesa>\n", "table"),
            (
                "# mailflow transcript 1\n# source: x\n# release: 15.0\n# mode: standalone\n# table: tls\n# rows: many\n\nesa>\n",
                "many",
            ),
        ] {
            let problem = Recording::read(file).expect_err("refused");
            assert!(problem.contains(said), "{problem}");
        }
    }
}
