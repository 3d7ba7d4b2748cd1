//! One writer per gateway on a machine: a lock between processes, and the journal beside it.
//!
//! Each provider alias is a process of its own, and two of them may change the same gateway. Whoever changes it holds a file
//! lock named after host, port and level, from before the first staged change until all is read back. The operating system
//! drops the lock of a process that is killed; what such a process had staged is named in the [`Journal`], with the account, the run and
//! the time, so that the next writer of the same account can tell its own leftovers from the work of others. Reads need no lock.
//!
//! Runs of the same user see each other if they have the same directory for temporary files (`TMPDIR`). Against all others there
//! is the device itself: a commit that another one overtook is not made.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::remote::{Error, Kind, digest};

/// How long a journal may explain what stands uncommitted: as long as a session on the device can idle at most.
const LONGEST_AGE: i64 = 24 * 60 * 60;

/// Begins the first line of a journal: who wrote it, and when.
const SIGNATURE: &str = "mailflow 2\t";

/// Stands in a journal for a change that puts an object at another place, which a device may show without its name.
const MOVED: &str = "order\t\n";

/// The right to change one gateway, not yet taken. Making one touches no file.
#[derive(Debug, Clone)]
pub(super) struct Lock {
    gateway: String,
    directory: Option<PathBuf>,
    author: Author,
}

/// Who stages: a run of a process, with an account of the gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Author {
    /// A fingerprint of the account's name.
    account: String,
    run: String,
}

/// The right to change one gateway. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct Held {
    holder: PathBuf,
    staged: PathBuf,
    author: Author,
    _file: File,
}

/// What a writer had staged and not committed, kept while it is so. It outlives a writer that is killed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Journal {
    /// Whether it was written by another run than the one that reads it.
    pub(super) is_of_another_run: bool,
    /// The names of the objects that were staged, the last of them perhaps in part only, or not at all.
    pub(super) staged: Vec<String>,
    /// The fingerprint of what the device showed as pending when it was last asked; empty before that.
    pending: String,
    /// Whether an object was put at another place.
    moved: bool,
}

impl Lock {
    /// The lock of the gateway with this name (host, port and level), in the user's own directory for temporary files.
    pub(super) fn of(gateway: String) -> Lock {
        Lock { gateway, directory: None, author: Author::default() }
    }

    /// The lock as this account and run hold it.
    pub(super) fn signed(self, account: &str, run: &str) -> Lock {
        Lock { author: Author { account: fingerprint(account), run: run.replace(char::is_whitespace, " ") }, ..self }
    }

    /// The lock in a given directory.
    #[cfg(test)]
    pub(super) fn within(directory: &Path, gateway: &str) -> Lock {
        Lock { gateway: gateway.to_owned(), directory: Some(directory.to_owned()), author: Author::default() }
    }

    /// Takes the lock, or gives `None` if another writer holds it.
    pub(super) fn try_take(&self) -> Result<Option<Held>, Error> {
        self.take().map_err(|(path, error)| unusable(&path, &error))
    }

    /// The error for a caller whose time runs out while another writer holds the lock; it names the holder.
    pub(super) fn busy(&self) -> Error {
        let words = self.place().ok().and_then(|place| std::fs::read_to_string(place.with_extension("holder")).ok());
        let holder = match words.as_deref().map(str::trim) {
            Some(words) if !words.is_empty() => words.to_owned(),
            _ => "another process".to_owned(),
        };
        Error::new(Kind::Conflict, format!("Another run on this machine is changing {}: {holder}.", self.gateway))
            .hint("Wait for that run to end or raise the time limit in timeouts, then run again.")
    }

    fn take(&self) -> Result<Option<Held>, (PathBuf, io::Error)> {
        let place = self.place()?;
        let file = open_private(&place, false).map_err(|error| (place.clone(), error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err((place, error)),
        }
        // The name stands in a file of its own: on Windows a locked file cannot be read by others.
        let holder = place.with_extension("holder");
        let since = OffsetDateTime::now_utc().replace_nanosecond(0).ok().and_then(|now| now.format(&Rfc3339).ok());
        let words = format!("process {}, since {}", std::process::id(), since.unwrap_or_default());
        replace(&holder, &words).map_err(|error| (holder.clone(), error))?;
        Ok(Some(Held { holder, staged: place.with_extension("staged"), author: self.author.clone(), _file: file }))
    }

    /// The lock file. It is never removed: a waiting process may have it open.
    fn place(&self) -> Result<PathBuf, (PathBuf, io::Error)> {
        let directory = match &self.directory {
            Some(directory) => directory.clone(),
            None => own_directory()?,
        };
        Ok(directory.join(format!("{}.lock", fingerprint(&self.gateway))))
    }
}

impl Held {
    /// What an earlier writer of the same account had staged when it was killed, if one was, and not too long ago.
    pub(super) fn leftover(&self) -> Option<Journal> {
        self.leftover_at(OffsetDateTime::now_utc().unix_timestamp())
    }

    fn leftover_at(&self, now: i64) -> Option<Journal> {
        let text = std::fs::read_to_string(&self.staged).ok()?;
        let whole = text.get(..text.rfind('\n')?)?;
        let mut lines = whole.lines();
        let mut signed = lines.next()?.strip_prefix(SIGNATURE)?.split('\t');
        let author = Author { account: signed.next()?.to_owned(), run: signed.next()?.to_owned() };
        let age = now.checked_sub(signed.next()?.parse().ok()?)?;
        let is_of_another_run = author.run != self.author.run;
        if author.account != self.author.account || (is_of_another_run && !(-LONGEST_AGE..=LONGEST_AGE).contains(&age)) {
            return None;
        }
        let mut journal = Journal { is_of_another_run, ..Journal::default() };
        for line in lines {
            match line.split_once('\t')? {
                ("", name) => journal.staged.push(name.to_owned()),
                ("order", _) => journal.moved = true,
                (pending, _) => pending.clone_into(&mut journal.pending),
            }
        }
        Some(journal)
    }

    /// Notes the object that is about to be staged, by its two names, and whether it is put at another place.
    pub(super) fn note_staging<'a>(&self, names: impl IntoIterator<Item = &'a str>, moves: bool) -> Result<(), Error> {
        let mut noted: Vec<String> = Vec::new();
        for name in names {
            let name = name.replace(char::is_control, " ");
            if !noted.iter().any(|other| other.eq_ignore_ascii_case(&name)) {
                noted.push(name);
            }
        }
        let lines: String = noted.iter().fold(String::new(), |lines, name| lines + "\t" + name + "\n");
        self.note(&format!("{lines}{}", if moves { MOVED } else { "" }))
    }

    /// Notes what the device shows as pending, unless somebody else's work is evidently in it: that is never explained by its whole text.
    pub(super) fn note_pending(&self, words: &str) -> Result<(), Error> {
        if self.leftover().is_some_and(|journal| journal.is_mixed(words)) {
            return Ok(());
        }
        self.note(&format!("{}\t\n", fingerprint(words)))
    }

    /// Adds a line, behind the signature if it is the first. The whole ones count: a writer may be killed at any point, and replacing a
    /// file waits for the disk.
    fn note(&self, line: &str) -> Result<(), Error> {
        let add = || {
            let mut file = open_private(&self.staged, true)?;
            if file.metadata()?.len() > 0 {
                return file.write_all(line.as_bytes());
            }
            let Author { account, run } = &self.author;
            let since = OffsetDateTime::now_utc().unix_timestamp();
            file.write_all(format!("{SIGNATURE}{account}\t{run}\t{since}\n{line}").as_bytes())
        };
        add().map_err(|error| unusable(&self.staged, &error))
    }

    /// Notes that nothing is staged any more.
    pub(super) fn forget(&self) -> Result<(), Error> {
        match std::fs::remove_file(&self.staged) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unusable(&self.staged, &error)),
            _ => Ok(()),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // The lock itself goes with the file. A name that stays behind is never shown while the lock is free.
        let _ = std::fs::remove_file(&self.holder);
    }
}

impl Journal {
    /// Tells whether what a device shows as pending is what this journal's writer left, and nothing else: the text that it saw last, or one of
    /// which every line is explained. A line is explained if it names an object that was staged, or stands below one that does. One with
    /// lines below it says only where they stand.
    pub(super) fn explains(&self, pending: &str) -> bool {
        self.pending == fingerprint(pending) || self.explains_each_line(pending)
    }

    /// Tells whether a text names each object that was staged, and has lines beside them that are about something else.
    fn is_mixed(&self, pending: &str) -> bool {
        let text = pending.to_lowercase();
        let names_all = self.staged.iter().all(|name| mentions(&text, &name.to_lowercase()));
        names_all && !self.staged.is_empty() && !self.explains_each_line(pending)
    }

    fn explains_each_line(&self, pending: &str) -> bool {
        let (explained, foreign) = self.divide(pending);
        explained && foreign.is_empty()
    }

    /// Tells whether a text names anything that was staged.
    pub(super) fn names_any(&self, pending: &str) -> bool {
        let text = pending.to_lowercase();
        self.staged.iter().any(|name| mentions(&text, &name.to_lowercase()))
    }

    /// The lines of what a device shows as pending that this journal does not explain, each behind those that say where it stands.
    pub(super) fn foreign_lines(&self, pending: &str) -> Vec<String> {
        self.divide(pending).1
    }

    /// Whether any line is explained, and the lines that are not.
    fn divide(&self, pending: &str) -> (bool, Vec<String>) {
        let names: Vec<String> = self.staged.iter().map(|name| name.to_lowercase()).collect();
        let lines: Vec<&str> = pending.lines().filter(|line| !line.trim().is_empty()).collect();
        let depth = |line: &str| line.len() - line.trim_start().len();
        let (mut explained, mut foreign) = (false, Vec::new());
        // The depth of the line that names an object, as long as the lines stand below it.
        let mut below: Option<usize> = None;
        // The lines that say where the next one stands.
        let mut above: Vec<&str> = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            let own = depth(line);
            below = below.filter(|above| own > *above);
            above.retain(|line| depth(line) < own);
            let text = line.to_lowercase();
            if below.is_none() && names.iter().any(|name| mentions(&text, name)) {
                below = Some(own);
            }
            let says_where = lines.get(at + 1).is_some_and(|next| depth(next) > own);
            let is_title = at == 0 && lines.len() > 1 && (line.trim_end().ends_with(':') || is_about_changes(&text));
            if below.is_some() || (self.moved && is_about_order(&text)) {
                explained = true;
            } else if says_where {
                above.push(line);
            } else if !is_title {
                let place: Vec<&str> = above.iter().chain([line]).map(|line| line.trim()).collect();
                foreign.push(place.join(" / "));
            }
        }
        (explained, foreign)
    }
}

/// Tells whether a line says only that changes are shown below.
fn is_about_changes(line: &str) -> bool {
    line.contains("changes") && ["following", "pending", "uncommitted", "committed"].iter().any(|word| line.contains(word))
}

/// Tells whether a line says only that something stands in another order.
fn is_about_order(line: &str) -> bool {
    let mut words = line.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).peekable();
    words.peek().is_some() && words.all(|word| ["order", "changed", "moved", "position", "positions", "sequence"].contains(&word))
}

/// A short name for a text that does not give the text away: half a SHA-256, in hexadecimal.
pub(super) fn fingerprint(text: &str) -> String {
    digest(text, 16)
}

/// Tells whether a text names an object, both in lower case, and not as a part of a longer name.
pub(super) fn mentions(text: &str, name: &str) -> bool {
    let within = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '-';
    !name.is_empty()
        && text.match_indices(name).any(|(start, found)| {
            let before = text.get(..start).and_then(|before| before.chars().next_back());
            let mut after = text.get(start + found.len()..).unwrap_or_default().chars();
            let (after, behind) = (after.next(), after.next());
            let goes_on = after.is_some_and(within) || (after == Some('.') && behind.is_some_and(within));
            !before.is_some_and(|letter| within(letter) || letter == '.' || letter == '@') && !goes_on
        })
}

fn unusable(path: &Path, error: &io::Error) -> Error {
    Error::new(Kind::Unexpected, format!("The lock that keeps two runs from changing one gateway cannot be used: {error}."))
        .hint("The directory must belong to the user that runs Terraform, and nobody else may write to it.")
        .context("file", path.display().to_string())
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
    file.write_all(text.as_bytes())?;
    file.persist(path).map(|_| ()).map_err(|error| error.error)
}

fn open_private(path: &Path, append: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true).append(append);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The directory of the user's locks, made if it is not there.
#[cfg(unix)]
fn own_directory() -> Result<PathBuf, (PathBuf, io::Error)> {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};

    let temporary = std::env::temp_dir();
    let user =
        tempfile::tempfile_in(&temporary).and_then(|file| file.metadata()).map_err(|error| (temporary.clone(), error))?.uid();
    let directory = temporary.join(format!("mailflow-{user}"));
    match DirBuilder::new().mode(0o700).create(&directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err((directory, error)),
        _ => {}
    }
    // The directory for temporary files is open to all: somebody else may have made this one first.
    let found = directory.symlink_metadata().map_err(|error| (directory.clone(), error))?;
    if !found.is_dir() || found.uid() != user || found.mode() & 0o022 != 0 {
        let error = io::Error::new(io::ErrorKind::PermissionDenied, "it is not a directory that only this user can write to");
        return Err((directory, error));
    }
    Ok(directory)
}

/// The directory of the user's locks, made if it is not there. Outside Unix each user has a temporary directory of its own.
#[cfg(not(unix))]
fn own_directory() -> Result<PathBuf, (PathBuf, io::Error)> {
    let directory = std::env::temp_dir().join("mailflow");
    match DirBuilder::new().create(&directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err((directory, error)),
        _ => Ok(directory),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(lock: &Lock) -> Option<Held> {
        lock.try_take().expect("the lock can be used")
    }

    #[test]
    fn g13_a_second_writer_waits_and_is_told_who_holds_the_lock() {
        let directory = tempfile::tempdir().expect("a directory");
        let first = Lock::within(directory.path(), "esa1.example.com:22 (cluster)");
        let second = first.clone();
        let held = taken(&first).expect("free");
        assert!(taken(&second).is_none());
        let error = second.busy();
        assert_eq!(error.kind, Kind::Conflict);
        assert!(error.message.contains(&format!("process {}, since 20", std::process::id())), "{error}");
        drop(held);
        assert!(taken(&second).is_some());
    }

    #[test]
    fn other_gateways_and_levels_have_locks_of_their_own() {
        let directory = tempfile::tempdir().expect("a directory");
        let one = taken(&Lock::within(directory.path(), "esa1:22 (cluster)"));
        let other = taken(&Lock::within(directory.path(), "esa1:22 (machine a)"));
        assert!(one.is_some() && other.is_some());
    }

    #[test]
    fn g12_the_journal_outlives_its_writer_and_explains_its_leftovers_only() {
        let directory = tempfile::tempdir().expect("a directory");
        let lock = Lock::within(directory.path(), "esa1").signed("terraform", "run 1");
        let held = taken(&lock).expect("free");
        assert_eq!(held.leftover(), None);
        held.note_staging(["a.example", "a.example"], false).expect("noted");
        held.note_pending("routes: one more").expect("noted");
        held.note_staging(["b\n.example", "b\n.example"], false).expect("noted");
        held.note_staging(["b.example", "b.example"], false).expect("noted");
        drop(held);
        let next = taken(&lock).expect("free again");
        let journal = next.leftover().expect("left behind");
        assert!(journal.explains("routes: one more"));
        assert!(journal.explains("routes: a.example"), "killed before the second was staged");
        assert!(journal.explains("Changes:\nroutes\n  + a.example\n  B.example\n    destinations\n      x -> y\n"));
        for other in [
            "",
            "routes: two more",
            "routes: mail.b.example",
            "routes: b.example.com",
            "filters: mail-from == 'x@b.example'",
            "interfaces: Management",
            "routes\n  + a.example\ninterfaces\n  Management\n",
            "routes\n  + a.example\n  + c.example\n",
            "routes: a.example\ninterfaces: Management",
            "routes\n  order changed\n",
        ] {
            assert!(!journal.explains(other), "{other}");
        }
        next.forget().expect("forgotten");
        next.forget().expect("forgotten twice");
        assert_eq!(next.leftover(), None);
        next.note_staging(["G", "G"], true).expect("noted");
        assert!(next.leftover().expect("noted").explains("groups\n  order changed\n"));
    }

    #[test]
    fn a_journal_explains_what_its_own_account_left_not_too_long_ago() {
        let directory = tempfile::tempdir().expect("a directory");
        let lock = |account: &str, run: &str| Lock::within(directory.path(), "esa1").signed(account, run);
        let held = taken(&lock("terraform", "run 1")).expect("free");
        held.note_staging(["a.example", "a.example"], false).expect("noted");
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let years = now + 1000 * LONGEST_AGE;
        assert!(held.leftover_at(years).is_some_and(|journal| !journal.is_of_another_run), "it is our own");
        drop(held);
        let other = taken(&lock("terraform", "run 2")).expect("free");
        assert!(other.leftover_at(now + LONGEST_AGE - 60).is_some_and(|journal| journal.is_of_another_run));
        assert_eq!(other.leftover_at(now + LONGEST_AGE + 60), None);
        drop(other);
        assert_eq!(taken(&lock("admin", "run 1")).expect("free").leftover(), None);
        std::fs::write(taken(&lock("terraform", "run 2")).expect("free").staged.clone(), "\ta.example\n").expect("written");
        assert_eq!(taken(&lock("terraform", "run 2")).expect("free").leftover(), None, "nobody signed it");
    }

    #[cfg(unix)]
    #[test]
    fn the_locks_of_a_user_are_in_a_directory_that_nobody_else_can_write_to() {
        use std::os::unix::fs::MetadataExt;
        let held = taken(&Lock::of(format!("test {}", std::process::id()))).expect("free");
        let directory = held.staged.parent().expect("a directory").to_owned();
        assert_eq!(directory.metadata().expect("there").mode() & 0o777, 0o700);
    }
}
