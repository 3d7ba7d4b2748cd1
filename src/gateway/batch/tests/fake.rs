//! A gateway in memory: printouts, one candidate per session, commits, and faults at any step.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use crate::gateway::batch::Rules;
use crate::gateway::batch_form::{Form, Line};
use crate::gateway::device::{Commit, Connect, Device, Report};
use crate::gateway::dialog::{Dialog, Said, Told};
use crate::gateway::lock::Lock;
use crate::gateway::objects::Gateway;
use crate::gateway::settings::{CommitSettings, Level, Login, PendingChanges, Settings};
use crate::gateway::table::{Edit, Neighbours, Printout, Row, Rows, Table};
use crate::remote::{Call, Change, Error, Kind, Objects};
use crate::schema::{Import, Record, Resource, Timeouts, integer, string};
use crate::value::{Diagnostic, Diagnostics, Path, Value};

/// The objects of one printout, by ID.
pub(super) type Content = BTreeMap<String, i64>;

/// What a session has staged.
#[derive(Debug, Clone, Default)]
pub(super) struct Candidate {
    /// How many commits had been made when the first change was staged.
    pub(super) based_on: usize,
    pub(super) content: BTreeMap<String, Content>,
    /// What `pending` shows: a line per change.
    pub(super) lines: Vec<String>,
    /// The objects that are changed.
    pub(super) ids: BTreeSet<String>,
}

/// Something that happens at a step of the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// The line is lost before the device does anything.
    LostBefore,
    /// The device does it, but the line is lost before it answers.
    LostAfter,
    /// The line is lost, and the device commits what was staged only when the next commit is asked for.
    LostLate,
    /// The device never answers.
    Hang,
    /// Somebody else sets an object to 99 and commits.
    Foreign(&'static str),
    /// Somebody else stages something in the candidate of the account.
    Stages(&'static str),
    /// The run is stopped.
    Stop,
    /// A caller goes away.
    Cancel(usize),
    /// Everybody's time is up: the clock jumps beyond any limit.
    Expire,
}

/// What the line that prints a table shows, where the help shows such a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    /// All of it.
    Whole,
    /// All but the last entry.
    Short,
    /// Nothing.
    Silent,
    /// The line is refused.
    Refused,
}

/// The state of the device, and what is to go wrong.
#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) live: BTreeMap<String, Content>,
    /// What was live after each commit, ours and others'.
    pub(super) history: Vec<BTreeMap<String, Content>>,
    /// What the last commit changed, a line per change.
    pub(super) account: Vec<String>,
    /// Lines of the device's own above those of pending changes.
    pub(super) heading: Vec<String>,
    /// The comments of our commits.
    pub(super) comments: Vec<String>,
    pub(super) candidates: BTreeMap<usize, Candidate>,
    /// What is committed just before the next commit.
    pub(super) late: Option<Candidate>,
    /// All sessions see one candidate, which outlives them.
    pub(super) per_user: bool,
    /// Steps so far: printouts and dialogs, questions about the candidate, commits.
    pub(super) steps: usize,
    /// The steps at which the candidate was cleared.
    pub(super) clears: BTreeSet<usize>,
    /// Printouts by a dialog, and by a line.
    pub(super) reads: usize,
    pub(super) glances: usize,
    /// What a line prints of a table; nothing: there is no batch format.
    pub(super) lines: Option<Lines>,
    pub(super) stagings: usize,
    /// How often it was asked what is pending.
    pub(super) questions: usize,
    pub(super) logins: usize,
    pub(super) logouts: usize,
    pub(super) events: BTreeMap<usize, Vec<Event>>,
    /// IDs whose staging is refused, IDs of which half is staged then, IDs with which no commit is taken.
    pub(super) refused: BTreeSet<String>,
    pub(super) half: BTreeSet<String>,
    pub(super) poison: BTreeSet<String>,
    /// The refusal words name the object (else they are the same for all).
    pub(super) named_refusals: bool,
    /// IDs of which a commit loses the value in silence.
    pub(super) ignored: BTreeSet<String>,
    /// Errors of the next logins, the last first.
    pub(super) login_errors: Vec<Error>,
    /// Every commit is overtaken by one of somebody else.
    pub(super) always_collides: bool,
    /// Lines that no parser understands.
    pub(super) odd_lines: Vec<String>,
    /// What the device says beside a commit.
    pub(super) notices: Vec<String>,
    pub(super) staging_time: Duration,
    pub(super) commit_time: Duration,
    pub(super) callers: Vec<AbortHandle>,
    pub(super) stop: CancellationToken,
    /// Commits that went through.
    pub(super) commits: usize,
}

/// Opens sessions to a [`World`].
#[derive(Debug, Clone, Default)]
pub(super) struct Fake(Arc<Mutex<World>>);

struct FakeDevice {
    world: Fake,
    session: usize,
    dead: bool,
}

impl Fake {
    /// A gateway with these routes.
    pub(super) fn new(routes: &[(&str, i64)]) -> Fake {
        let fake = Fake::default();
        let content = routes.iter().map(|(id, limit)| ((*id).to_owned(), *limit)).collect();
        let mut guard = fake.world();
        let world = &mut *guard;
        world.live.insert("Routes".to_owned(), content);
        world.live.insert("Listeners".to_owned(), Content::from([("IncomingMail".to_owned(), 0), ("Out".to_owned(), 0)]));
        world.history.push(world.live.clone());
        world.staging_time = Duration::from_millis(50);
        world.commit_time = Duration::from_secs(5);
        drop(guard);
        fake
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number out of the device's life so far.
    pub(super) fn count(&self, of: impl FnOnce(&World) -> usize) -> usize {
        of(&self.world())
    }

    /// The value of a route that is live.
    pub(super) fn route(&self, id: &str) -> Option<i64> {
        self.world().live.get("Routes").and_then(|routes| routes.get(id).copied())
    }

    /// A client of this gateway.
    pub(super) fn gateway(&self, directory: &std::path::Path, change: impl FnOnce(&mut Settings)) -> Gateway {
        let mut settings = settings();
        change(&mut settings);
        let lock = Lock::within(directory, &self.name());
        Gateway::with(settings, Arc::new(self.clone()), TABLES, TEST_RULES, lock)
    }
}

#[async_trait]
impl Connect for Fake {
    async fn connect(&self) -> Result<Box<dyn Device>, Error> {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let mut world = self.world();
        world.logins += 1;
        if let Some(error) = world.login_errors.pop() {
            return Err(error);
        }
        let session = if world.per_user { 0 } else { world.logins };
        Ok(Box::new(FakeDevice { world: self.clone(), session, dead: false }))
    }

    fn name(&self) -> String {
        format!("esa1.example.com:22 {:p}", Arc::as_ptr(&self.0))
    }
}

fn line_lost() -> Error {
    Error::new(Kind::Unavailable, "connection reset by peer").retryable()
}

impl FakeDevice {
    /// One step of the device: time passes, then what is planned for this step happens. True if the line is lost afterwards.
    async fn step(&mut self, time: Duration) -> Result<bool, Error> {
        if self.dead {
            return Err(line_lost());
        }
        let events = {
            let mut world = self.world.world();
            world.steps += 1;
            let step = world.steps;
            world.events.remove(&step).unwrap_or_default()
        };
        let (mut lost, mut hang) = (None, false);
        for event in events {
            let mut world = self.world.world();
            match event {
                Event::LostBefore => lost = Some(false),
                Event::LostAfter => lost = Some(true),
                Event::LostLate => {
                    world.late = world.candidates.get(&self.session).cloned();
                    lost = Some(false);
                }
                Event::Hang => hang = true,
                Event::Foreign(id) => world.foreign(id),
                Event::Stages(line) => world.candidate(self.session).lines.push(line.to_owned()),
                Event::Stop => world.stop.cancel(),
                Event::Cancel(caller) => world.callers[caller].abort(),
                Event::Expire => {
                    drop(world);
                    tokio::time::advance(Duration::from_secs(400)).await;
                }
            }
        }
        if hang {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(time).await;
        self.dead = lost.is_some();
        if lost == Some(false) { Err(line_lost()) } else { Ok(lost == Some(true)) }
    }

    fn end<T>(lost: bool, answer: T) -> Result<T, Error> {
        if lost { Err(line_lost()) } else { Ok(answer) }
    }
}

impl Drop for FakeDevice {
    fn drop(&mut self) {
        let mut world = self.world.world();
        if !world.per_user {
            world.candidates.remove(&self.session);
        }
    }
}

impl World {
    /// Somebody else sets a route to 99 and commits.
    pub(super) fn foreign(&mut self, id: &str) {
        self.live.entry("Routes".to_owned()).or_default().insert(id.to_owned(), 99);
        self.history.push(self.live.clone());
        self.account = vec![format!("set {id}")];
    }

    fn content(&self, session: usize, printout: &str) -> Content {
        let candidate = self.candidates.get(&session).map(|candidate| &candidate.content);
        candidate.unwrap_or(&self.live).get(printout).cloned().unwrap_or_default()
    }

    fn candidate(&mut self, session: usize) -> &mut Candidate {
        let fresh = Candidate { based_on: self.history.len(), content: self.live.clone(), ..Candidate::default() };
        self.candidates.entry(session).or_insert(fresh)
    }

    fn commit(&mut self, session: usize, comment: &str) -> Commit {
        if self.always_collides {
            self.foreign("foreign.example");
        }
        if let Some(late) = self.late.take() {
            self.live = late.content;
            self.account = late.lines;
            self.history.push(self.live.clone());
        }
        let Some(candidate) = self.candidates.get(&session).cloned() else { return Commit::NothingStaged };
        if candidate.based_on != self.history.len() {
            return Commit::Collision("Are you ready to discard all of your changes?".to_owned());
        }
        if let Some(id) = candidate.ids.intersection(&self.poison).next() {
            let words = if self.named_refusals { format!("{id} is not allowed") } else { "disk full".to_owned() };
            return Commit::Refused(words);
        }
        assert!(!candidate.lines.iter().any(|line| line.contains("junk")), "half a change was committed");
        let before = std::mem::replace(&mut self.live, candidate.content);
        for id in &self.ignored {
            if let (Some(now), Some(then)) = (self.live.get_mut("Routes"), before.get("Routes")) {
                match then.get(id) {
                    Some(limit) => now.insert(id.clone(), *limit),
                    None => now.remove(id),
                };
            }
        }
        self.candidates.remove(&session);
        self.history.push(self.live.clone());
        self.account = candidate.lines;
        self.comments.push(comment.to_owned());
        self.commits += 1;
        Commit::Done { notices: self.notices.clone() }
    }
}

#[async_trait]
impl Device for FakeDevice {
    async fn show(&mut self, command: &str) -> Result<String, Error> {
        if self.world.world().lines.is_some() {
            return Ok("routes new <route> <limit>\nroutes print\n".to_owned());
        }
        Err(Error::new(Kind::Invalid, format!("Unknown command: {command}")))
    }

    async fn walk(&mut self, dialog: &Dialog) -> Result<Said, Error> {
        let time = self.world.world().staging_time;
        let lost = self.step(time).await?;
        let line = dialog.command.replace("routes new ", "set|Routes|").replace(' ', "|");
        let words: Vec<&str> = line.split('|').collect();
        let session = self.session;
        let said = {
            let mut world = self.world.world();
            match words.as_slice() {
                ["print", printout] => {
                    world.reads += 1;
                    if printout.contains("\"Nowhere\"") {
                        return Err(Error::new(Kind::Invalid, "Listener Nowhere does not exist."));
                    }
                    let mut lines: Vec<String> =
                        world.content(session, printout).iter().map(|(id, limit)| format!("{id}={limit}")).collect();
                    lines.extend(world.odd_lines.iter().cloned());
                    Said { opening: lines.join("\n"), after: Vec::new() }
                }
                ["routes", "print"] => {
                    world.glances += 1;
                    let shown = world.content(session, "Routes");
                    let shown = shown.iter().map(|(id, limit)| format!("{id}={limit}"));
                    let most = match world.lines {
                        Some(Lines::Whole) => shown.len(),
                        Some(Lines::Short) => shown.len().saturating_sub(1),
                        Some(Lines::Silent) => 0,
                        Some(Lines::Refused) | None => {
                            return Err(Error::new(Kind::Invalid, "Invalid arguments when processing: print"));
                        }
                    };
                    Said { opening: shown.take(most).collect::<Vec<_>>().join("\n"), after: vec![String::new()] }
                }
                [verb, printout, id, limit] => {
                    world.stagings += 1;
                    if world.half.contains(*id) {
                        world.candidate(session).lines.push(format!("junk {id}"));
                    }
                    if world.refused.contains(*id) {
                        return if lost {
                            Err(line_lost())
                        } else {
                            Err(Error::new(Kind::Invalid, format!("no such host {id}")))
                        };
                    }
                    let candidate = world.candidate(session);
                    let content = candidate.content.entry((*printout).to_owned()).or_default();
                    match *verb {
                        "set" => content.insert((*id).to_owned(), limit.parse().expect("a number")),
                        _ => content.remove(*id),
                    };
                    candidate.lines.push(format!("{verb} {id}"));
                    candidate.ids.insert((*id).to_owned());
                    Said::default()
                }
                _ => panic!("unknown command {words:?}"),
            }
        };
        FakeDevice::end(lost, said)
    }

    async fn report(&mut self, _dialog: &Dialog) -> Result<Report, Error> {
        let lost = self.step(Duration::from_millis(5)).await?;
        let said = {
            let world = self.world.world();
            assert!(!world.candidates.contains_key(&self.session), "a report is asked for while something is staged");
            world.live.get("Routes").map(|routes| routes.keys().cloned().collect::<Vec<_>>().join(" ")).unwrap_or_default()
        };
        FakeDevice::end(lost, Report { told: vec![Told { said, asked: String::new() }], machine: None })
    }

    async fn pending(&mut self) -> Result<Option<String>, Error> {
        let time = self.world.world().staging_time.min(Duration::from_millis(5));
        let lost = self.step(time).await?;
        let mut world = self.world.world();
        world.questions += 1;
        let lines = world.candidates.get(&self.session).map(|candidate| {
            let lines = world.heading.iter().chain(&candidate.lines);
            lines.map(String::as_str).collect::<Vec<_>>().join("\n")
        });
        FakeDevice::end(lost, lines)
    }

    async fn clear(&mut self) -> Result<(), Error> {
        let lost = self.step(Duration::from_millis(5)).await?;
        let mut world = self.world.world();
        let step = world.steps;
        world.clears.insert(step);
        world.candidates.remove(&self.session);
        drop(world);
        FakeDevice::end(lost, ())
    }

    async fn commit(&mut self, comment: &str, _rollback_snapshot: bool) -> Result<Commit, Error> {
        let time = self.world.world().commit_time;
        let lost = self.step(time).await?;
        let commit = self.world.world().commit(self.session, comment);
        FakeDevice::end(lost, commit)
    }

    async fn committed(&mut self) -> Result<String, Error> {
        let lost = self.step(Duration::from_millis(5)).await?;
        let account = {
            let world = self.world.world();
            let comment = world.comments.last().map_or("", String::as_str);
            let head = format!("Commit at Mon Nov 30 10:00:00 2026 with comments: {comment:?}.");
            [vec![head], world.heading.clone(), world.account.clone()].concat().join("\n")
        };
        FakeDevice::end(lost, account)
    }

    async fn close(&mut self) {
        self.world.world().logouts += 1;
    }
}

/// A directory for locks and journals, in memory where that is possible: thousands of scenes would wait for the disk.
pub(super) fn directory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a directory")
}

/// A route with a limit, or an entry of a listener.
pub(super) static ROUTE: Resource = Resource {
    name: "gateway_route",
    noun: "route",
    about: "A route.",
    attributes: &[
        string("listener", "The listener.").replaces(),
        string("domain", "The domain.").required().always_there(|domain| domain == "ALL").replaces(),
        integer("limit", "The limit.").required(),
        integer("position", "The place.").computed(),
    ],
    rules: &[],
    identity: &["domain"],
    import: Import::Key { attributes: &["domain"], example: "example.com" },
    title: "domain",
    version: 0,
    timeouts: Timeouts { write: 300, read: 300 },
};

pub(super) static ROUTES: Table = Table {
    resource: &ROUTE,
    printout: |record| match record.text("listener") {
        Some(listener) => Printout::Recipients(listener.to_owned()),
        None => Printout::Routes,
    },
    listener: |record| record.text("listener"),
    resettable: true,
    neighbours: Neighbours::None,
    stage: |edit, _rows| {
        let set = |record: &Record| {
            let limit = record.integer("limit").unwrap_or_default();
            format!("set|{:?}|{}|{limit}", (ROUTES.printout)(record), record.text("domain").unwrap_or_default())
        };
        let line = |record: &Record| {
            let limit = record.integer("limit").unwrap_or_default().to_string();
            let domain = record.text("domain").filter(|_| (ROUTES.printout)(record) == Printout::Routes)?;
            Line::of(&SET_LINE, [domain, &limit])
        };
        Ok(vec![match edit {
            Edit::Create(record) => Dialog::of(set(record)).or_line(line(record)),
            Edit::Update { to, .. } => Dialog::of(set(to)).or_line(line(to)),
            Edit::Delete(row) => Dialog::of(format!("delete|{:?}|{}|0", (ROUTES.printout)(&row.record), row.id)),
        }])
    },
    check: |record, rows| -> Diagnostics {
        match rows.find("gateway_route", record.text("domain").unwrap_or_default()) {
            Some(_) => vec![Diagnostic::warning("there already", "")],
            None => Vec::new(),
        }
    },
};

const SET_LINE: Form = Form { command: "routes", words: &["routes", "new", "<route>", "<limit>"] };
const PRINT_LINE: Form = Form { command: "routes", words: &["routes", "print"] };

pub(super) static TABLES: &[&Table] = &[&ROUTES];

/// Prints and compares as the fake does.
pub(super) const TEST_RULES: Rules = Rules {
    dialog: |printout, said| {
        let line = Line::of(&PRINT_LINE, []).filter(|_| *printout == Printout::Routes);
        said.is_empty().then(|| Dialog::of(format!("print|{printout:?}")).or_line(line))
    },
    parse: |printout, said| {
        let mut rows = Rows::default();
        for line in said.iter().flat_map(|said| said.opening.lines().chain(said.after.iter().flat_map(|text| text.lines()))) {
            match line.split_once('=').and_then(|(id, limit)| Some((id, limit.parse::<i64>().ok()?))) {
                Some((id, limit)) => {
                    let mut record = route(id, limit).with("id", id);
                    if let Printout::Recipients(listener) = printout {
                        record.set("listener", listener.as_str());
                    }
                    rows.rows.push(Row { resource: "gateway_route", id: id.to_owned(), record });
                }
                None => rows.not_understood.push(line.to_owned()),
            }
        }
        Ok(rows)
    },
    differences: |_resource, before, after| {
        let differs = |name: &&str| !after.get(name).is_unknown() && before.get(name) != after.get(name);
        ["domain", "limit", "position"].into_iter().filter(differs).map(Path::dotted).collect()
    },
    as_known: |_, row, _| row.record.clone(),
    as_standing: |_, row, _| row.record.clone(),
    settle: |_resource, _known, remote| remote.clone(),
    source: |_row| None,
    key: |_resource, record| record.text("domain").map(str::to_owned),
    parse_key: |_resource, id| {
        if id.contains(' ') {
            Err("The form is a domain, such as example.com.".to_owned())
        } else {
            Ok(Record::new().with("domain", id))
        }
    },
};

/// A route as planned.
pub(super) fn route(domain: &str, limit: i64) -> Record {
    Record::new().with("domain", domain).with("limit", limit)
}

pub(super) fn call() -> Call {
    Call::new(CancellationToken::new(), Duration::from_mins(5))
}

/// Creates a route.
pub(super) async fn create(gateway: &Gateway, domain: &str, limit: i64, call: &Call) -> Result<Record, crate::remote::Failure> {
    let planned = route(domain, limit).with("id", Value::UNKNOWN);
    gateway.create(Change { resource: &ROUTE, prior: None, planned: &planned, effective: &planned, config: &planned }, call).await
}

/// Changes the limit of a route from what the plan saw to another.
pub(super) async fn update(
    gateway: &Gateway,
    domain: &str,
    (from, to): (i64, i64),
    call: &Call,
) -> Result<Record, crate::remote::Failure> {
    let prior = route(domain, from).with("id", domain);
    let planned = route(domain, to).with("id", domain);
    gateway
        .update(Change { resource: &ROUTE, prior: Some(&prior), planned: &planned, effective: &planned, config: &planned }, call)
        .await
}

/// Deletes a route that the plan saw with a limit.
pub(super) async fn delete(gateway: &Gateway, domain: &str, limit: i64, call: &Call) -> Result<(), Error> {
    gateway.delete(&ROUTE, &route(domain, limit).with("id", domain), call).await
}

fn settings() -> Settings {
    Settings {
        login: Login {
            host: "esa1.example.com".to_owned(),
            port: 22,
            username: "terraform".to_owned(),
            password: Some(SecretString::from("password")),
            private_key: None,
            private_key_passphrase: None,
            host_keys: Vec::new(),
            legacy_algorithms: false,
            jump_host: None,
        },
        cluster: Level::Standalone,
        commit: CommitSettings {
            comment: "Terraform".to_owned(),
            quiet_period: Duration::from_millis(250),
            timeout: Duration::from_mins(1),
            rollback_snapshot: false,
        },
        pending_changes: PendingChanges::Error,
        api: None,
        read_only: false,
    }
}
