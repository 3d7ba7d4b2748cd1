//! What a change comes to, given what the gateway shows: the dialogs that stage it, and whether it is live.
//!
//! Everything here is a pure function of a wish and of rows. A row that is not there proves nothing while the printout has rows
//! that could not be read and may be the object.

use std::fmt::Write;

use super::job::{Base, Job};
use super::since::{self, Ours};
use super::{Goal, Rules, Wish};
use crate::gateway::dialog::Dialog;
use crate::gateway::filters::without_values_of_filters;
use crate::gateway::order;
use crate::gateway::table::{Edit, Neighbours, Row, Rows};
use crate::remote::order::Place;
use crate::remote::{Error, Failure, Kind, names};
use crate::schema::{Fill, Motion, Presence, Record, Resource, UNMANAGED, engine};
use crate::value::{Diagnostic, Path, Step, Value};

/// The device takes a line as a comment; nobody found how long it may be.
const LONGEST_COMMENT: usize = 250;

/// How much of the device's own words an error shows.
const MOST_LINES: usize = 12;

/// How a change is staged.
pub(super) struct Staging {
    /// The dialogs to walk. None: it stands as it was wished for.
    pub(super) dialogs: Vec<Dialog>,
    /// The object behind them, as far as it was wished for; `None` if it is gone.
    pub(super) row: Option<Row>,
    /// Whether other objects have other neighbours then.
    pub(super) moves: bool,
}

/// Finds the dialogs that stage a change.
///
/// `live` is what the printout showed before anything was staged, `candidate` what it shows now. Somebody else's change to the
/// object since the plan, or since it was first staged, is an error.
/// `others` is where other objects of this run are to stand.
pub(super) fn staging(
    rules: &Rules,
    job: &Job,
    live: &Rows,
    candidate: &Rows,
    ours: &Ours,
    others: &[Place],
) -> Result<Staging, Error> {
    let wish = &job.wish;
    let resource = wish.table.resource;
    let standing = live.find(resource.name, &wish.id);
    let nothing = Ok(Staging { dialogs: Vec::new(), row: None, moves: false });
    if job.unsure && is_live(rules, wish, live).is_ok() {
        return nothing;
    }
    since::unchanged(rules, wish, live, ours)?;
    unchanged(rules, wish, &job.base, live)?;
    let now = candidate.find(resource.name, &wish.id);
    let others: Vec<Place> = others.iter().chain(&wish.kept).cloned().collect();
    let staging = |edit: Edit<'_>, row, moves| {
        let dialogs = (wish.table.stage)(edit, candidate)?;
        if !looks_around(wish) || matches!(edit, Edit::Update { changed, .. } if !may_move(resource, changed)) {
            return Ok(Staging { dialogs, row, moves });
        }
        if let Some(error) = order::missing(wish.table, wish.record(), candidate) {
            return Err(error);
        }
        let dialogs = order::moved(wish.table, edit, candidate, &others, dialogs)?;
        Ok(Staging { dialogs, row, moves: true })
    };
    match (&wish.goal, now) {
        (Goal::Create(record), None) => {
            knows_absence(wish, candidate)?;
            staging(Edit::Create(record), Some(wished(wish, record, None)), true)
        }
        (Goal::Create(_), Some(_)) if standing.is_some() => Err(taken(wish)),
        (Goal::Create(_), Some(_)) => {
            Err(Error::new(Kind::Conflict, format!("Another resource of this configuration makes {}, too.", wish.title()))
                .hint("Remove one of the two resources."))
        }
        (Goal::Adopt(to) | Goal::Update(to), Some(from)) => {
            if let Some(Diagnostic { detail, path: Some(path), .. }) = engine::unmanaged_refused(resource, &from.record, to) {
                return Err(Error::new(Kind::Conflict, detail).at(path));
            }
            let standing = (rules.as_standing)(candidate, from, to);
            let changed = wanted_changes(rules, resource, &standing, to);
            if changed.is_empty() {
                return nothing;
            }
            if let Some(other) = candidate.find(resource.name, &wish.new_id()).filter(|other| other.id != wish.id) {
                let words =
                    format!("{} cannot be renamed: the gateway has another {} {:?}.", wish.title(), resource.noun, other.id);
                return Err(Error::new(Kind::Conflict, words)
                    .hint("Two objects cannot swap their names in one run: give one of them a third name first.")
                    .at(Path::root().attribute(resource.title)));
            }
            let moves = changed.iter().any(|path| presence(resource, path).is_some_and(|(_, motion)| motion != Motion::Fixed));
            let to = with_required(resource, to, &from.record);
            staging(Edit::Update { from, to: &to, changed: &changed }, Some(wished(wish, &to, Some(from))), moves)
        }
        (Goal::Adopt(record), None) if wish.table.resettable => {
            knows_absence(wish, candidate)?;
            staging(Edit::Create(record), Some(wished(wish, record, None)), true)
        }
        (Goal::Adopt(_) | Goal::Update(_), None) => {
            knows_absence(wish, candidate)?;
            Err(Error::new(Kind::NotFound, format!("The gateway does not have {} any more.", wish.title()))
                .hint("Run again: the next plan makes it again."))
        }
        (Goal::Delete(_), Some(row)) => staging(Edit::Delete(row), None, true),
        (Goal::Delete(_), None) => {
            knows_absence(wish, candidate)?;
            nothing
        }
    }
}

/// What is wanted, with what stands of a required attribute that is not wished for: an object that is put back has it in any case.
fn with_required(resource: &Resource, to: &Record, standing: &Record) -> Record {
    let mut whole = to.clone();
    let required = resource.attributes.iter().filter(|attribute| attribute.presence == Presence::Required);
    for attribute in required.filter(|attribute| to.get(attribute.name).is_unknown()) {
        whole.set(attribute.name, standing.get(attribute.name).clone());
    }
    whole
}

/// The object as it will stand: as wished for, and where nothing known was, as before.
pub(super) fn wished(wish: &Wish, to: &Record, from: Option<&Row>) -> Row {
    let mut record = from.map_or_else(Record::new, |from| from.record.clone());
    for (name, value) in to.iter() {
        if value.is_wholly_known() {
            record.set(name, value.clone());
        } else if from.is_none() {
            record.set(name, known(value));
        }
    }
    let id = wish.new_id();
    record.set("id", id.as_str());
    Row { resource: wish.table.resource.name, id, record }
}

/// Whether the dialogs of a change depend on where other objects stand.
pub(super) fn looks_around(wish: &Wish) -> bool {
    match (wish.table.neighbours, &wish.goal) {
        (Neighbours::None, _) | (_, Goal::Delete(_)) => false,
        (Neighbours::Placed, Goal::Create(record)) => record.text(order::BEFORE).is_some(),
        (Neighbours::Placed, Goal::Adopt(_) | Goal::Update(_)) | (Neighbours::OrderOf(_), _) => true,
    }
}

/// Whether a change may put the object elsewhere: into another place, or to the end because it is made anew.
fn may_move(resource: &Resource, changed: &[Path]) -> bool {
    changed.iter().any(|path| {
        let Some(Step::Attribute(name)) = path.0.first() else { return false };
        ["before", "names", "name", "script", "comment"].contains(&name.as_str())
            && resource.attributes.iter().any(|attribute| attribute.name == name)
    })
}

/// Whether a change needs something that another change of the same batch may bring about: objects that are to be in an order, or the one to stand
/// before, are not there yet, or the name that the object is to get is not free yet.
pub(super) fn waits(wish: &Wish, candidate: &Rows) -> bool {
    if wish.table.neighbours == Neighbours::None || matches!(wish.goal, Goal::Delete(_)) {
        return false;
    }
    let resource = wish.table.resource;
    let is_taken = |id: &str| candidate.find(resource.name, id).is_some();
    let wants_name = match &wish.goal {
        Goal::Create(_) => is_taken(&wish.id),
        Goal::Update(_) => wish.new_id() != wish.id && is_taken(&wish.new_id()),
        Goal::Adopt(_) | Goal::Delete(_) => false,
    };
    wants_name || order::missing(wish.table, wish.record(), candidate).is_some()
}

/// Whether two records of an object mean the same in all that a caller decides.
pub(super) fn same(rules: &Rules, resource: &Resource, one: &Record, other: &Record) -> bool {
    (rules.differences)(resource, one, other).iter().all(|path| {
        presence(resource, path)
            .is_some_and(|(presence, _)| matches!(presence, Presence::Computed | Presence::Filled(Fill::Service)))
    })
}

/// Tells whether the rows that are live are what was wished for, and gives the object. If not: what is wrong, and the object as
/// it stands.
pub(super) fn is_live(rules: &Rules, wish: &Wish, live: &Rows) -> Result<Option<Row>, Failure> {
    let resource = wish.table.resource;
    let row = live.find(resource.name, &wish.new_id());
    match (&wish.goal, row) {
        (Goal::Delete(_), None) => knows_absence(wish, live).map(|()| None).map_err(Failure::from),
        (Goal::Delete(_), Some(row)) => Err(Failure {
            error: Error::new(Kind::Unexpected, format!("The gateway took the change, but {} is still there.", wish.title()))
                .hint("Look at the object on the gateway, then run again."),
            object: Some(row.record.clone()),
        }),
        (_, None) => {
            let error = Error::new(Kind::Unexpected, format!("The gateway took the change, but {} is not there.", wish.title()));
            Err(knows_absence(wish, live).err().unwrap_or(error).into())
        }
        (Goal::Create(wanted) | Goal::Adopt(wanted) | Goal::Update(wanted), Some(row)) => {
            let record = (rules.as_known)(live, row, wanted);
            let differing = wanted_changes(rules, resource, &record, wanted);
            match differing.first() {
                None => Ok(Some(Row { record, ..row.clone() })),
                Some(first) => Err(Failure {
                    error: Error::new(
                        Kind::Unexpected,
                        format!("The gateway took the change, but shows other values than were sent: {}.", list_with_places(resource, &differing, &record, wanted)),
                    )
                    .hint("The gateway may not support the value in this place, or the value may be what the object has without being told (then \
                         leave it out), or somebody changed it at the same time.")
                    .at(first.clone()),
                    object: Some(row.record.clone()),
                }),
            }
        }
    }
}

/// Fails where the device took an object that it cannot run (`valid` is false), and could run it before or had another one. Some releases
/// say so only in the list.
pub(super) fn runs(job: &Job, row: Option<&Row>) -> Result<(), Failure> {
    let Some(row) = row.filter(|row| row.record.truth("valid") == Some(false)) else { return Ok(()) };
    let was_so = match &job.base {
        Base::Row(base) => base.record.truth("valid") == Some(false) && base.record.text("script") == row.record.text("script"),
        Base::Unread | Base::Absent => false,
    };
    if was_so {
        return Ok(());
    }
    let reason = row.record.text("invalid_reason").map_or(String::new(), |reason| format!(": {reason}"));
    let error = Error::new(Kind::Invalid, format!("The gateway took {} and cannot run it{reason}.", job.wish.title()))
        .hint("It names something that the gateway does not have. Make that first, or correct the name.")
        .at(Path::root().attribute("script"));
    Err(Failure { error, object: Some(row.record.clone()) })
}

/// The error for a change whose outcome is not known. A new object that may be live is in no state: the block that imports it is in the message.
pub(super) fn open_outcome(wish: &Wish, error: Error) -> Failure {
    let hint =
        "Run again: the next plan shows what stands on the gateway. A commit that takes long may need a higher commit.timeout.";
    match &wish.goal {
        Goal::Create(_) => {
            let block = names::import_block(wish.table.resource, wish.name(), &wish.id);
            Failure { error: error.hint(format!("{hint} If it is there then, it is not in the state. {block}")), object: None }
        }
        // It stands in any case, and is to be put back some day.
        Goal::Adopt(_) => Failure { error: error.hint(hint), object: presumed(wish) },
        Goal::Update(_) | Goal::Delete(_) => Failure { error: error.hint(hint), object: None },
    }
}

/// The object that may exist after a create whose outcome is not known: as wished for, so that it is not lost from state.
pub(super) fn presumed(wish: &Wish) -> Option<Record> {
    match &wish.goal {
        Goal::Create(record) | Goal::Adopt(record) => {
            let known = record.iter().map(|(name, value)| (name.to_owned(), known(value))).collect();
            Some(Record::from_value(Value::Object(known)).with("id", wish.id.as_str()))
        }
        Goal::Update(_) | Goal::Delete(_) => None,
    }
}

/// The error for a name that is taken, with the block that imports the object.
fn taken(wish: &Wish) -> Error {
    let words = format!("The gateway already has {}. Nothing was overwritten.", wish.title());
    Error::new(Kind::Conflict, words).hint(names::import_block(wish.table.resource, wish.name(), &wish.id))
}

/// What stands in the device's history beside a commit: the user's words, the run, and what changed.
pub(super) fn comment(words: &str, run: &str, jobs: &[Job]) -> String {
    let named = |verb: &str, wanted: fn(&Goal) -> bool| {
        let names: Vec<&str> = jobs.iter().filter(|job| wanted(&job.wish.goal)).map(|job| job.wish.id.as_str()).collect();
        (!names.is_empty()).then(|| format!("{verb} {}: {}", names.len(), names.join(", ")))
    };
    let parts: Vec<String> = [
        named("create", |goal| matches!(goal, Goal::Create(_))),
        named("change", |goal| matches!(goal, Goal::Adopt(_) | Goal::Update(_))),
        named("delete", |goal| matches!(goal, Goal::Delete(_))),
    ]
    .into_iter()
    .flatten()
    .collect();
    let text = format!("{words} [{run}] {}", parts.join("; "));
    let typed = text.trim().chars().map(|letter| match letter {
        // The comment is typed on one line, perhaps between quotes.
        '"' | '\'' | '\\' | '`' | '$' => '_',
        letter if letter.is_control() => ' ',
        letter if letter.is_ascii() => letter,
        _ => '_',
    });
    let mut comment: String = typed.collect();
    if comment.len() > LONGEST_COMMENT {
        comment.truncate(LONGEST_COMMENT - 3);
        comment.push_str("...");
    }
    comment
}

/// The device's words about uncommitted changes, short, and without what stands between quotes: it may be a secret.
pub(super) fn excerpt(words: &str) -> String {
    let mut shown = String::new();
    for line in words.lines().filter(|line| !line.trim().is_empty()).take(MOST_LINES) {
        let mut quote = None;
        for letter in line.trim_end().chars().take(200) {
            match quote {
                Some(mark) if letter == mark => quote = None,
                Some(_) => continue,
                None if letter == '"' || letter == '\'' => {
                    quote = Some(letter);
                    shown.push(letter);
                    shown.push('…');
                }
                None => {}
            }
            if quote.is_none() {
                shown.push(letter);
            }
        }
        shown.push('\n');
    }
    with_the_rest(shown, words)
}

/// The first lines of a text, each cut where it is long.
fn first_lines(words: &str) -> String {
    let lines = words.lines().filter(|line| !line.trim().is_empty()).take(MOST_LINES);
    let shown = lines.map(|line| line.trim_end().chars().take(200).chain(['\n']).collect::<String>()).collect();
    with_the_rest(shown, words)
}

/// Says how many lines are left out.
fn with_the_rest(mut shown: String, words: &str) -> String {
    let left = words.lines().filter(|line| !line.trim().is_empty()).count().saturating_sub(MOST_LINES);
    if left > 0 {
        let _ = write!(shown, "(and {left} more lines)");
    }
    shown.trim_end().to_owned()
}

/// Everything at which `to` differs from what stands, except what only the device sets.
pub(super) fn wanted_changes(rules: &Rules, resource: &Resource, standing: &Record, to: &Record) -> Vec<Path> {
    let mut to = to.clone();
    // A version tells of a value that only the configuration knows. The device shows that value, and has no versions.
    for attribute in resource.attributes.iter().filter(|attribute| attribute.write_only_form) {
        to.set(attribute.version_name(), Value::Null);
    }
    let mut paths = (rules.differences)(resource, standing, &to);
    paths.retain(|path| presence(resource, path).is_none_or(|(presence, _)| presence != Presence::Computed));
    // No dialog changes it: that it holds no more than is listed is asked elsewhere.
    paths.retain(|path| *path != Path::root().attribute(UNMANAGED.name));
    paths
}

/// Refuses to go on if somebody else changed the object. What moves with its neighbours (a position) does not count.
fn unchanged(rules: &Rules, wish: &Wish, base: &Base, live: &Rows) -> Result<(), Error> {
    let resource = wish.table.resource;
    if wish.is_order() {
        return Ok(());
    }
    let Some(standing) = live.find(resource.name, &wish.id) else { return Ok(()) };
    let paths = match base {
        Base::Unread => return Ok(()),
        Base::Absent if matches!(wish.goal, Goal::Create(_)) => return Err(taken(wish)),
        Base::Absent => Vec::new(),
        Base::Row(base) => {
            let mut paths = (rules.differences)(resource, &base.record, &standing.record);
            paths.retain(|path| {
                presence(resource, path).is_none_or(|(presence, motion)| {
                    motion == Motion::Fixed || !matches!(presence, Presence::Computed | Presence::Filled(Fill::Service))
                })
            });
            since::overwritten(rules, wish, live, standing, &mut paths);
            if paths.is_empty() {
                return Ok(());
            }
            paths
        }
    };
    let what = if paths.is_empty() { "it is there again".to_owned() } else { list(&paths) };
    let error =
        Error::new(Kind::Conflict, format!("Somebody else changed {} on the gateway at the same time: {what}.", wish.title()))
            .hint("Nothing of this change is on the gateway. Run again: the next plan shows what stands.");
    Err(match paths.into_iter().next() {
        Some(first) => error.at(first),
        None => error,
    })
}

/// An object that is not among the rows is absent only if no row that could not be read may be it.
fn knows_absence(wish: &Wish, rows: &Rows) -> Result<(), Error> {
    if rows.may_hide([wish.name(), wish.last_name()]) { Err(unclear(wish, rows)) } else { Ok(()) }
}

/// The error for a printout that does not tell whether an object is there.
pub(super) fn unclear(wish: &Wish, rows: &Rows) -> Error {
    let words = format!(
        "The gateway printed lines that this provider does not understand, so it cannot tell what became of {}.",
        wish.title()
    );
    Error::new(Kind::Unexpected, words)
        .hint("Please report these lines: `terraform-provider-mailflow doctor` prints them masked, with the gateway's release.")
        .context("lines", first_lines(&without_values_of_filters(&rows.not_understood.join("\n"))))
}

/// Who sets the attribute at a path, and when that changes.
pub(super) fn presence(resource: &Resource, path: &Path) -> Option<(Presence, Motion)> {
    let Some(Step::Attribute(name)) = path.0.first() else { return None };
    let attribute = resource.attributes.iter().find(|attribute| attribute.name == name)?;
    Some((attribute.presence, attribute.motion))
}

/// The paths, and for a long text the place where it first differs from what was sent.
fn list_with_places(resource: &Resource, paths: &[Path], live: &Record, wanted: &Record) -> String {
    let told = |path: &Path| match difference(resource, path, live, wanted) {
        Some([shown, sent]) => format!("{path} ({sent} was sent, {shown} is shown)"),
        None => path.to_string(),
    };
    paths.iter().map(told).collect::<Vec<_>>().join(", ")
}

/// Where a long text first differs in two records.
pub(in crate::gateway) fn difference(resource: &Resource, path: &Path, one: &Record, other: &Record) -> Option<[String; 2]> {
    let [Step::Attribute(name)] = path.0.as_slice() else { return None };
    let difference = resource.attributes.iter().find(|attribute| attribute.name == name)?.difference?;
    difference(one.text(name)?, other.text(name)?)
}

fn list(paths: &[Path]) -> String {
    paths.iter().map(Path::to_string).collect::<Vec<_>>().join(", ")
}

/// The value with null in place of what was unknown.
fn known(value: &Value) -> Value {
    let every = |items: &[Value]| items.iter().map(known).collect::<Vec<_>>();
    match value {
        Value::Unknown(_) => Value::Null,
        Value::List(items) => Value::List(every(items)),
        Value::Tuple(items) => Value::Tuple(every(items)),
        Value::Set(items) => Value::set(every(items)),
        Value::Map(members) => Value::Map(members.iter().map(|(name, value)| (name.clone(), known(value))).collect()),
        Value::Object(members) => Value::Object(members.iter().map(|(name, value)| (name.clone(), known(value))).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Dynamic(_) => value.clone(),
    }
}

#[cfg(test)]
mod unit {
    use super::*;
    use crate::gateway::batch::RULES;
    use crate::gateway::resources::message_filter;

    #[test]
    fn a_value_that_was_written_write_only_is_compared_by_what_the_device_shows() {
        let shown = |script: &str| Record::new().with("name", "f").with("script", script).with("active", true);
        let wanted = shown("drop();").with("script_wo_version", 2);
        let changes = |standing: &Record| wanted_changes(&RULES, &message_filter::RESOURCE, standing, &wanted);
        assert_eq!(changes(&shown("drop();")), []);
        assert_eq!(changes(&shown("bounce();")), [Path::dotted("script")]);
    }

    #[test]
    fn the_words_about_foreign_changes_are_short_and_without_quoted_text() {
        let words = "filter 0: header == \"s3cret\" or 'other'\n\n".repeat(20);
        let shown = excerpt(&words);
        assert!(shown.starts_with("filter 0: header == \"…\" or '…'\n"), "{shown}");
        assert!(shown.ends_with("(and 8 more lines)"), "{shown}");
        assert!(!shown.contains("s3cret") && !shown.contains("other"));
    }
}
