//! Looks at a gateway without changing it: what it is, what the login may do, and what of its printouts is understood.
//!
//! Everything is read by the readers that serve resources. Two gates keep the examination from changing anything: only commands of
//! [`COMMANDS`] and menu choices of [`CHOICES`] are typed, and nothing is answered but which entry is meant and whether to go on
//! printing. What is staged in the session is shown and left as it is.

use super::device::Device;
use super::dialog::{Dialog, Reply, Said};
use super::level;
use super::printouts::account;
use super::recording::Recording;
use super::release;
use super::session::{Connector, Session};
use super::table::{Printout, Row, Rows};
use crate::remote::{Error, Kind, without_literals};
use crate::schema::UNMANAGED;

/// The commands that are typed, with those that a login and a logout take.
pub const COMMANDS: &[&str] = &[
    "clustermode",
    "destconfig",
    "exit",
    "filters",
    "help",
    "listenerconfig",
    "setttymode",
    "showchanges",
    "smtproutes",
    "sslconfig",
    "version",
    "whoami",
];

const COMMIT_HELP: &str = "help commit";

/// The menu choices that are typed. `EDIT` only opens the menu of a listener.
pub const CHOICES: &[&str] = &["DETAIL", "EDIT", "HOSTACCESS", "LIST", "PRINT", "RCPTACCESS"];

/// The commands whose batch grammar is of interest. It is recorded and not judged, but for whether the device tells it at all.
const HELP: &[&str] = &["smtproutes", "destconfig", "listenerconfig", "filters", "sslconfig", "commit", "clustermode"];

/// What was found.
#[derive(Debug)]
pub struct Examination {
    /// The AsyncOS release, if the device tells it.
    pub release: Option<String>,
    /// Whether changes are made on this release.
    pub supported: Result<(), Error>,
    /// The level that is read, and the prompt that shows it.
    pub level: String,
    /// The main prompt.
    pub prompt: String,
    /// Whether the device took `setttymode 0 1`.
    pub pager_off: bool,
    /// How many pages were turned all the same.
    pub pages: u64,
    /// What is staged and not committed.
    pub pending: Result<Option<String>, Error>,
    /// The printouts.
    pub readings: Vec<Reading>,
    /// What the account may do.
    pub rights: Rights,
    /// What `help` says of commands.
    pub help: Vec<(String, Result<String, Error>)>,
    /// Everything that was said, one for each conversation. Free of secrets that are known, and not masked otherwise.
    pub recordings: Vec<Recording>,
}

/// What the device tells of the account.
#[derive(Debug, Clone, PartialEq)]
pub struct Rights {
    /// Its groups, as printed; `None` if they are not among what is printed.
    pub groups: Result<Option<String>, Error>,
    /// Whether it can be told that changes will be refused.
    pub changes: Changes,
}

/// Whether changes will be refused, as far as the device tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changes {
    /// Every group of the account is one that may only look.
    LookOnly,
    /// The device refuses to tell the account of `commit`.
    CommitRefused,
    /// Nothing speaks against a commit: the device tells the account of `commit`.
    NothingAgainst,
    /// The device does not tell.
    Unknown,
}

/// One printout.
#[derive(Debug)]
pub struct Reading {
    /// Which.
    pub printout: Printout,
    /// What was understood.
    pub outcome: Result<Rows, Error>,
    /// The lines that nobody understood.
    pub unread: Vec<Unread>,
    /// What objects show and no argument is for, a line each with the object's name.
    pub unmanaged: Vec<String>,
}

/// A line that nobody understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Which line it is of the conversation, from 1, as it is recorded; `None` if it is a part of several.
    pub number: Option<usize>,
    /// The line.
    pub text: String,
}

/// Looks at the gateway. An error means that there is no session; `progress` hears what is done next.
pub async fn examine(connector: &Connector, mut progress: impl FnMut(&str) + Send) -> Result<Examination, Error> {
    progress("logging in");
    let session = connector.open_recorded().await?;
    let settings = connector.settings();
    let mut examiner = Examiner { connector, session, recordings: Vec::new() };
    examiner.record("login", None, 0);
    let mut found = Examination {
        release: examiner.session.release().map(str::to_owned),
        supported: release::check_for_writes(examiner.session.release()),
        level: level::words(&settings.cluster),
        prompt: examiner.session.prompt().to_owned(),
        pager_off: examiner.session.pager().0,
        pages: 0,
        pending: Ok(None),
        readings: Vec::new(),
        rights: Rights { groups: Ok(None), changes: Changes::Unknown },
        help: Vec::new(),
        recordings: Vec::new(),
    };
    progress("asking for uncommitted changes");
    found.pending = examiner.pending().await;
    for printout in
        [Printout::Version, Printout::Listeners, Printout::Destinations, Printout::Routes, Printout::Filters, Printout::Tls]
    {
        progress(&format!("reading {}", printout.title()));
        found.readings.push(examiner.read(printout).await);
    }
    progress("asking for the rights of the account");
    let account = examiner.read(Printout::Account).await.outcome;
    for printout in of_listeners(&found.readings) {
        progress(&format!("reading {}", printout.title()));
        found.readings.push(examiner.read(printout).await);
    }
    for command in HELP {
        progress(&format!("asking for help on {command}"));
        let command = format!("help {command}");
        let answer = examiner.show(&command).await;
        found.help.push((command, answer));
    }
    let commit = found.help.iter().find(|(command, _)| command == COMMIT_HELP).map(|(_, answer)| answer);
    found.rights = rights(account, commit);
    found.pages = examiner.session.pager().1;
    found.recordings = examiner.recordings;
    examiner.session.close().await;
    Ok(found)
}

/// What the account may do, by its groups and by what the device tells it of `commit`.
fn rights(account: Result<Rows, Error>, commit: Option<&Result<String, Error>>) -> Rights {
    let row = account.as_ref().ok().and_then(|rows| rows.rows.first());
    let changes = match commit {
        _ if row.is_some_and(|row| row.record.truth("look_only") == Some(true)) => Changes::LookOnly,
        Some(Err(error)) if error.kind == Kind::Denied => Changes::CommitRefused,
        Some(Ok(_)) => Changes::NothingAgainst,
        Some(Err(_)) | None => Changes::Unknown,
    };
    let groups = row.and_then(|row| row.record.text("groups")).map(str::to_owned);
    Rights { groups: account.map(|_| groups), changes }
}

/// The tables of each listener. Private listeners have no recipient access table.
fn of_listeners(readings: &[Reading]) -> Vec<Printout> {
    let listeners = readings.iter().filter(|reading| reading.printout == Printout::Listeners);
    let rows = listeners.filter_map(|reading| reading.outcome.as_ref().ok()).flat_map(|rows| &rows.rows);
    let mut printouts = Vec::new();
    for row in rows {
        printouts.push(Printout::Hosts(row.id.clone()));
        if row.record.text("type").is_none_or(|kind| kind == "public") {
            printouts.push(Printout::Recipients(row.id.clone()));
        }
    }
    printouts
}

struct Examiner<'a> {
    connector: &'a Connector,
    session: Session,
    recordings: Vec<Recording>,
}

impl Examiner<'_> {
    async fn read(&mut self, printout: Printout) -> Reading {
        let outcome = self.rows(&printout).await;
        let (rows, not_understood) = match &outcome {
            Ok(rows) => (Some(rows.rows.len()), rows.not_understood.clone()),
            Err(_) => (None, Vec::new()),
        };
        let screen = self.record(&printout.header(), rows, not_understood.len());
        let unmanaged = outcome.as_ref().map(unmanaged).unwrap_or_default();
        Reading { printout, outcome, unread: numbered(&screen, not_understood), unmanaged }
    }

    async fn rows(&mut self, printout: &Printout) -> Result<Rows, Error> {
        self.open().await?;
        let mut said: Vec<Said> = Vec::new();
        while let Some(dialog) = printout.dialog(&said) {
            only_reads(&dialog)?;
            said.push(self.session.walk(&dialog).await?);
        }
        printout.parse(&said)
    }

    async fn show(&mut self, command: &str) -> Result<String, Error> {
        self.open().await?;
        let answer = self.session.show(command).await;
        self.record("command", None, 0);
        answer
    }

    async fn pending(&mut self) -> Result<Option<String>, Error> {
        self.open().await?;
        let pending = self.session.pending().await;
        self.record("command", None, 0);
        pending
    }

    /// Opens another session if something unknown ended the one before. A login that was refused is not tried again.
    async fn open(&mut self) -> Result<(), Error> {
        if self.session.is_stale() {
            self.session = self.connector.open_recorded().await?;
            self.session.recorded();
        }
        Ok(())
    }

    /// Keeps what was said last, and gives it.
    fn record(&mut self, table: &str, rows: Option<usize>, not_understood: usize) -> String {
        let said = self.session.recorded();
        let text = match table {
            // Filters compare with secrets, and set some.
            "filters" => without_literals(&said),
            "account" => account::without_person(&said),
            _ => said,
        };
        self.recordings.push(Recording {
            source: concat!("recorded by terraform-provider-mailflow ", env!("CARGO_PKG_VERSION")).to_owned(),
            release: self.session.release().map(str::to_owned),
            mode: level::words(&self.connector.settings().cluster),
            table: table.to_owned(),
            rows,
            not_understood,
            text: text.clone(),
        });
        text
    }
}

/// What the objects of a printout show and no argument is for.
fn unmanaged(rows: &Rows) -> Vec<String> {
    let of = |row: &Row| -> Vec<String> {
        row.record.texts(UNMANAGED.name).into_iter().map(|told| format!("{}: {told}", row.id)).collect()
    };
    rows.rows.iter().flat_map(of).collect()
}

/// Finds each line on the screen, in its order.
fn numbered(screen: &str, lines: Vec<String>) -> Vec<Unread> {
    let screen: Vec<&str> = screen.lines().collect();
    let mut from = 0;
    let mut found = Vec::new();
    for text in lines {
        let masked = without_literals(text.trim());
        let fits = |(_, line): &(usize, &&str)| line.contains(text.trim()) || line.contains(&masked);
        let place = screen.iter().enumerate().skip(from).find(fits).or_else(|| screen.iter().enumerate().find(fits));
        let number = place.map(|(at, _)| at + 1);
        from = number.unwrap_or(from);
        found.push(Unread { number, text });
    }
    found
}

/// Refuses a dialog that could change something. No reader has one; this holds if one ever does.
fn only_reads(dialog: &Dialog) -> Result<(), Error> {
    let command = dialog.command.split_whitespace().next().unwrap_or_default();
    let known = COMMANDS.contains(&command)
        && dialog.sections.iter().flat_map(|section| &section.choices).all(|choice| CHOICES.contains(&choice.as_str()))
        && dialog
            .sections
            .iter()
            .flat_map(|section| &section.answers)
            .all(|answer| matches!(answer.reply, Reply::Key(_) | Reply::YesNo(_) | Reply::Keep))
        && (command == "listenerconfig"
            || !dialog.sections.iter().any(|section| section.choices.iter().any(|choice| choice == "EDIT")));
    if known {
        return Ok(());
    }
    Err(Error::new(Kind::Unexpected, format!("Reading {:?} takes more than reading. Nothing was typed.", dialog.command)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reader_passes_the_gate_and_no_change_does() {
        for printout in [
            Printout::Listeners,
            Printout::Destinations,
            Printout::Routes,
            Printout::Filters,
            Printout::Tls,
            Printout::Version,
            Printout::Account,
            Printout::Recipients("In".to_owned()),
            Printout::Hosts("In".to_owned()),
        ] {
            let dialog = printout.dialog(&[]).expect("a dialog");
            assert_eq!(only_reads(&dialog), Ok(()), "{printout:?}");
        }
        for dialog in [
            Dialog::of("commit"),
            Dialog::of("clearchanges"),
            Dialog::of("smtproutes").choose("NEW"),
            Dialog::of("smtproutes").choose("EDIT"),
            Dialog::of("listenerconfig").choose("EDIT").key("In").choose("HOSTACCESS").choose("CLEAR"),
            Dialog::of("filters").choose("LIST").answer("name", "x"),
        ] {
            assert!(only_reads(&dialog).is_err(), "{dialog:?}");
        }
    }

    #[test]
    fn what_the_account_may_do_is_told_by_its_groups_and_by_the_help_on_commit() {
        let printed = |text: &str| Printout::Account.parse(&[Said { opening: text.to_owned(), after: Vec::new() }]);
        let denied = || Error::new(Kind::Denied, "You are not in the correct access group.");
        let unknown = || Error::new(Kind::Invalid, "Unknown command.");
        let told = || Some(Ok("commit [<comment>]".to_owned()));
        for (account, commit, groups, changes) in [
            (printed("Group: operators\n"), told(), Ok(Some("operators".to_owned())), Changes::NothingAgainst),
            (printed("Group: operators\n"), Some(Err(denied())), Ok(Some("operators".to_owned())), Changes::CommitRefused),
            (printed("Group: operators\n"), Some(Err(unknown())), Ok(Some("operators".to_owned())), Changes::Unknown),
            (printed("Group: guest\n"), told(), Ok(Some("guest".to_owned())), Changes::LookOnly),
            (printed("You are tf.\n"), told(), Ok(None), Changes::NothingAgainst),
            (Err(unknown()), Some(Err(denied())), Err(unknown()), Changes::CommitRefused),
            (Err(unknown()), None, Err(unknown()), Changes::Unknown),
        ] {
            assert_eq!(rights(account, commit.as_ref()), Rights { groups, changes });
        }
    }

    #[test]
    fn a_line_is_found_where_it_stands() {
        let screen = "esa> \u{ab}smtproutes\u{bb}\none\n  odd\ntwo\n  odd\n";
        let found = numbered(screen, vec!["odd".to_owned(), "odd".to_owned(), "gone".to_owned()]);
        assert_eq!(found.iter().map(|line| line.number).collect::<Vec<_>>(), [Some(3), Some(5), None]);
    }
}
