//! Names: which object of this run has which, and what is said at plan of a name that is taken, given twice, or missing.
//!
//! A side keeps one [`Names`] for each configuration of the provider, so that it ends with the run. It hears of each object that the state has
//! ([`Names::knows`]) and of each that is planned ([`Names::keeps`], [`Names::claims`]). What stands at the service is asked of the side.
//!
//! A name that stands at the service is an error only where no object of this run was seen with it: Terraform plans independent objects in
//! any order, and the one that has the name may be renamed, replaced or deleted by the same plan. An object is known by its ID, so that a replacement, a
//! tainted object, a `moved` block and a plan without a refresh are all recognised. The same object may be planned more than once (a replacement is,
//! with and without the object before it): that is no second object.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{Call, Change, pause};
use crate::schema::{Attribute, Kind, Record, Refers, Resource, capital, engine};
use crate::value::{Diagnostic, Path, Step, Value};

/// Who stands aside waits no longer than this for other plans.
const MOST_PATIENCE: Duration = Duration::from_secs(10);

/// How many attributes a message names by which two resources differ.
const MOST_SHOWN: usize = 3;

/// What one run knows of names. A kind is what names are unique in: a noun of cmdlets, a table of the device.
#[derive(Debug)]
pub struct Names {
    inner: Mutex<Inner>,
    /// So long nothing new must be heard before a name counts as nobody's.
    quiet: Duration,
}

#[derive(Debug, Default)]
struct Inner {
    /// The objects of the state, by ID: as they are planned, once they are.
    objects: BTreeMap<(&'static str, String), Option<Record>>,
    /// New objects by name.
    creates: BTreeMap<(&'static str, String), Record>,
    /// The names of planned objects that are there already.
    kept: BTreeSet<(&'static str, String)>,
    /// The names that objects are to get instead of others.
    renames: BTreeSet<(&'static str, String)>,
    /// The objects of the state that are planned to go, by ID.
    going: BTreeSet<(&'static str, String)>,
    /// The names of objects that this run removed.
    removed: BTreeSet<(&'static str, String)>,
    heard: Option<Instant>,
}

/// Whose a name is that stands at the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The object's own: it is planned a second time, to be made anew.
    Itself,
    /// An object's of this run, or one that an object of this run is to get.
    Run,
    /// Nobody's that was seen.
    Stranger,
}

impl Names {
    /// Starts with nothing.
    pub fn new(quiet: Duration) -> Names {
        Names { inner: Mutex::default(), quiet }
    }

    /// Hears that the state has an object.
    pub fn knows(&self, kind: &'static str, id: &str) {
        self.inner().objects.entry((kind, id.to_owned())).or_default();
    }

    /// Hears that an object of the state is planned, under a name that may be another one than it had.
    pub fn keeps(&self, kind: &'static str, id: &str, name: &str, is_renamed: bool, planned: &Record) {
        let mut inner = self.inner();
        inner.going.remove(&(kind, id.to_owned()));
        inner.objects.insert((kind, id.to_owned()), Some(planned.clone()));
        inner.kept.insert((kind, name.to_owned()));
        if is_renamed {
            inner.renames.insert((kind, name.to_owned()));
        }
    }

    /// Hears that a new object is planned; gives the one that was planned under the same name before.
    pub fn claims(&self, kind: &'static str, name: &str, planned: &Record) -> Option<Record> {
        let mut inner = self.inner();
        let first = inner.creates.get(&(kind, name.to_owned())).cloned();
        if first.is_none() {
            inner.creates.insert((kind, name.to_owned()), planned.clone());
        }
        first
    }

    /// Hears that an object of the state is planned to go.
    pub fn goes(&self, kind: &'static str, id: &str) {
        self.inner().going.insert((kind, id.to_owned()));
    }

    /// Tells whether an object of the state is planned to go.
    pub fn is_going(&self, kind: &'static str, id: &str) -> bool {
        self.inner().going.contains(&(kind, id.to_owned()))
    }

    /// Hears that this run removed an object.
    pub fn removed(&self, kind: &'static str, name: &str) {
        self.inner().removed.insert((kind, name.to_owned()));
    }

    /// Tells whether this run removed an object of the name.
    pub fn was_removed(&self, kind: &'static str, name: &str) -> bool {
        self.inner().removed.contains(&(kind, name.to_owned()))
    }

    /// Tells whether an object of the name was planned in this run.
    pub fn is_planned(&self, kind: &'static str, name: &str) -> bool {
        let inner = self.inner();
        let key = (kind, name.to_owned());
        inner.creates.contains_key(&key) || inner.kept.contains(&key)
    }

    /// The object of the name as it is planned in this run, if it was planned already.
    pub fn planned(&self, kind: &'static str, name: &str) -> Option<Record> {
        let inner = self.inner();
        let key = (kind, name.to_owned());
        inner.creates.get(&key).cloned().or_else(|| inner.objects.get(&key).cloned().flatten())
    }

    /// Tells whether an object of the state is still to be planned in this run.
    pub fn is_awaited(&self, kind: &'static str, id: &str) -> bool {
        self.inner().objects.get(&(kind, id.to_owned())).is_some_and(Option::is_none)
    }

    /// The objects of a kind that are planned in this run so far, under the IDs that they have, or else are to get.
    pub fn all_planned(&self, kind: &'static str) -> Vec<(String, Record)> {
        let inner = self.inner();
        let creates = inner.creates.iter().map(|(key, record)| (key, Some(record)));
        let all = creates.chain(inner.objects.iter().map(|(key, record)| (key, record.as_ref())));
        all.filter(|((of, _), _)| *of == kind).filter_map(|((_, id), record)| Some((id.clone(), record?.clone()))).collect()
    }

    /// Tells whose the name is that stands at the service with the object of this ID. `planned` is the new object that wants it.
    pub fn owner(&self, kind: &'static str, name: &str, id: &str, resource: &Resource, planned: &Record) -> Owner {
        let inner = self.inner();
        match inner.objects.get(&(kind, id.to_owned())) {
            Some(Some(kept)) if engine::differences(resource, kept, planned).is_empty() => Owner::Itself,
            Some(_) => Owner::Run,
            None if inner.renames.contains(&(kind, name.to_owned())) => Owner::Run,
            None => Owner::Stranger,
        }
    }

    /// Waits until nothing was heard of other objects for a while: those that this run has, and that it plans at the same time, were heard of then.
    pub async fn settle(&self, call: &Call) {
        let end = Instant::now() + MOST_PATIENCE;
        loop {
            let now = Instant::now();
            let quiet = self.inner.lock().unwrap_or_else(PoisonError::into_inner).heard.unwrap_or(now) + self.quiet;
            let until = quiet.min(end);
            if until <= now || pause(call, until - now).await.is_err() {
                return;
            }
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.heard = Some(Instant::now());
        inner
    }
}

/// The error for the name of a new object that stands at the service. `id` is the import ID of the object that has it.
pub fn taken(resource: &Resource, name: &str, id: &str) -> Diagnostic {
    let detail = format!(
        "It stands at the service, and no resource of this configuration was seen to have it. Creating it would fail. Nothing is overwritten. {}\n\n\
         If a resource of this configuration managed it under another address, a `moved` block says so. Otherwise give the new one another name.",
        import_block(resource, name, id)
    );
    at_title(resource, Diagnostic::error(format!("{} {name:?} already exists", capital(resource.noun)), detail))
}

/// The warning for a name that stands at the service and may be free by then.
pub fn in_use(resource: &Resource, name: &str, id: Option<&str>) -> Diagnostic {
    let import = id.map(|id| format!(" {}", import_block(resource, name, id))).unwrap_or_default();
    let detail = format!(
        "Unless this plan removes, replaces or renames the one that has the name before it is needed, applying will fail, and nothing will be \
         overwritten.{import}"
    );
    at_title(resource, Diagnostic::warning(format!("{} {name:?} is there already", capital(resource.noun)), detail))
}

/// The warning for a name that some servers of the service show and others do not.
pub fn in_doubt(resource: &Resource, name: &str) -> Diagnostic {
    let detail = "The servers of the service do not agree whether the name is taken: it may have been given up a moment ago. The create waits for them, \
                  within its time limit, and overwrites nothing.";
    at_title(resource, Diagnostic::warning(format!("{} {name:?} may be there already", capital(resource.noun)), detail))
}

/// The error for the second of two resources of one name.
pub fn twice(resource: &Resource, planned: &Record, first: Option<&Record>) -> Diagnostic {
    let called = resource.called(planned);
    let other = first.map(|first| apart(resource, planned, first)).unwrap_or_default();
    let summary = format!("Another resource of this configuration is {called} too");
    let detail =
        format!("{summary}{other}.\n\nTwo resources cannot manage one object: remove one of them, or give it another name.");
    at_title(resource, Diagnostic::error(summary, detail))
}

/// The error for a text that names an object which is not there.
pub fn missing(to: &Resource, name: &str, path: &Path, there: &[String]) -> Diagnostic {
    let argument = path.0.iter().rev().find_map(|step| match step {
        Step::Attribute(name) => Some(name.as_str()),
        _ => None,
    });
    let known = if there.is_empty() { "There is none.".to_owned() } else { format!("There is: {}.", there.join(", ")) };
    let detail = format!(
        "{known} If a resource of this configuration makes it, write a reference instead of the name, so that it is made first:\n\n{} = \
         mailflow_{}.{}.{}",
        argument.unwrap_or("name"),
        to.name,
        label(name),
        to.title
    );
    Diagnostic::error(format!("There is no {} {name:?}", to.noun), detail).at(path.clone())
}

/// The warning that a planned change cannot be applied, because the provider may only read.
pub fn read_only(resource: &Resource, record: &Record) -> Diagnostic {
    let called = resource.called(record);
    Diagnostic::warning(
        format!("The change of {called} cannot be applied"),
        "The provider is set to `read_only`: applying this plan fails before anything is sent. Take `read_only = true` out of the provider block to \
         apply changes.",
    )
}

/// The block that takes over the object with this import ID, and what has to be changed in it.
pub fn import_block(resource: &Resource, name: &str, id: &str) -> String {
    format!(
        "To manage the one that is there, paste this block, with the address of your resource behind `to` (Terraform does not tell it to the \
         provider; here it is made of the name):\n\nimport {{\n  to = mailflow_{}.{}\n  id = {}\n}}",
        resource.name,
        label(name),
        quoted(id)
    )
}

/// A name as the label of a resource: the vendor's name in lower case, with `_` for all else.
pub fn label(name: &str) -> String {
    let mut label = String::new();
    for letter in name.chars() {
        if letter.is_ascii_alphanumeric() {
            label.push(letter.to_ascii_lowercase());
        } else if !label.is_empty() && !label.ends_with('_') {
            label.push('_');
        }
    }
    let label = label.trim_end_matches('_');
    match label.chars().next() {
        None => "existing".to_owned(),
        Some(first) if first.is_ascii_alphabetic() => label.to_owned(),
        Some(_) => format!("existing_{label}"),
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            letter if letter.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(letter));
            }
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted.replace("${", "$${").replace("%{", "%%{")
}

fn at_title(resource: &Resource, diagnostic: Diagnostic) -> Diagnostic {
    if resource.title == "id" { diagnostic } else { diagnostic.at(Path::root().attribute(resource.title)) }
}

/// How the user tells two resources apart that are one object: the other's name in its spelling, and where it differs.
fn apart(resource: &Resource, record: &Record, first: &Record) -> String {
    let shown = |path: &Path, record: &Record| engine::spelled(record.at_path(path).unwrap_or(&Value::Null));
    let differing: Vec<String> = engine::differences(resource, first, record)
        .iter()
        .take(MOST_SHOWN)
        .map(|path| {
            if is_sensitive(resource, path) {
                format!("another `{path}`")
            } else {
                format!("`{path}` {} where this one has {}", shown(path, first), shown(path, record))
            }
        })
        .collect();
    let title = |record: &Record| record.text(resource.title).map(str::to_owned);
    let spelling = title(first).filter(|other| title(record).as_ref() != Some(other));
    let spelling = spelling.map(|other| format!(", written {other:?}")).unwrap_or_default();
    match differing.as_slice() {
        [] => format!("{spelling}, with the same settings"),
        some => format!("{spelling}; that one has {}", some.join(", ")),
    }
}

fn is_sensitive(resource: &Resource, path: &Path) -> bool {
    fn any(attribute: &Attribute) -> bool {
        attribute.sensitive || attribute.kind.members().is_some_and(|members| members.iter().any(any))
    }
    let mut attributes = resource.attributes;
    let mut last = None;
    for step in &path.0 {
        let Step::Attribute(name) = step else { break };
        let Some(attribute) = attributes.iter().find(|attribute| attribute.name == name) else { return true };
        if attribute.sensitive {
            return true;
        }
        attributes = attribute.kind.members().unwrap_or_default();
        last = Some(attribute);
    }
    last.is_none_or(any)
}

/// The texts of a planned object that name others and are new or changed, with where they stand. What stands already is not judged.
pub fn references(change: Change<'_>) -> Vec<(Path, Refers, String)> {
    let mut found = Vec::new();
    for attribute in change.resource.attributes {
        let before = change.prior.map(|prior| prior.get(attribute.name));
        collect(attribute, change.effective.get(attribute.name), before, &Path::root().attribute(attribute.name), &mut found);
    }
    found
}

fn collect(attribute: &Attribute, now: &Value, before: Option<&Value>, path: &Path, found: &mut Vec<(Path, Refers, String)>) {
    if before.is_some_and(|before| engine::same(attribute, before, now)) {
        return;
    }
    if let Some(refers) = attribute.refers {
        match now {
            Value::String(name) => found.push((path.clone(), refers, name.clone())),
            Value::List(names) => {
                let known = before.and_then(Value::as_elements).unwrap_or_default();
                let new = names.iter().enumerate().filter(|(_, name)| !known.contains(name));
                found.extend(new.filter_map(|(index, name)| Some((path.index(index), refers, name.as_text()?.to_owned()))));
            }
            _ => {}
        }
    }
    let (Some(members), Kind::Object(_) | Kind::Block(_), Some(values)) =
        (attribute.kind.members(), attribute.kind, now.as_members())
    else {
        return;
    };
    for member in members {
        let before =
            before.map(|before| before.as_members().and_then(|members| members.get(member.name)).unwrap_or(&Value::Null));
        let now = values.get(member.name).unwrap_or(&Value::Null);
        collect(member, now, before, &path.attribute(member.name), found);
    }
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::schema::{Import, Timeouts, object, string};

    static RESOURCE: Resource = Resource {
        name: "gateway_thing",
        noun: "thing",
        about: "A thing.",
        attributes: &[
            string("name", "Name.").required(),
            string("comment", "Comment."),
            string("secret", "Secret.").sensitive(),
            string("next", "Next.").refers_to("gateway_thing", &[]),
            object("inner", "Inner.", &[string("next", "Next.").refers_to("gateway_thing", &[])]),
        ],
        rules: &[],
        identity: &["name"],
        import: Import::Key { attributes: &["name"], example: "a" },
        title: "name",
        version: 0,
        timeouts: Timeouts { write: 60, read: 60 },
    };

    fn thing(name: &str) -> Record {
        Record::new().with("name", name)
    }

    fn names() -> Names {
        Names::new(Duration::from_secs(1))
    }

    #[test]
    fn a_name_is_a_stranger_s_until_an_object_of_the_run_is_seen_with_it() {
        let names = names();
        let owner = |id: &str, planned: &Record| names.owner("k", "a", id, &RESOURCE, planned);
        assert_eq!(owner("1", &thing("a")), Owner::Stranger);
        names.knows("k", "2");
        assert_eq!(owner("1", &thing("a")), Owner::Stranger, "another object");
        names.knows("k", "1");
        assert_eq!(owner("1", &thing("a")), Owner::Run, "the state has it");
        names.keeps("k", "1", "a", false, &thing("a").with("comment", "x"));
        assert_eq!(owner("1", &thing("a")), Owner::Run, "another resource wants its name");
        assert_eq!(owner("1", &thing("a").with("comment", "x")), Owner::Itself, "it is planned to be made anew");
        assert_eq!(names.owner("other", "a", "1", &RESOURCE, &thing("a")), Owner::Stranger, "names of another kind");
    }

    #[test]
    fn a_name_that_an_object_is_to_get_is_no_stranger_s() {
        let names = names();
        names.keeps("k", "1", "b", true, &thing("b"));
        assert_eq!(names.owner("k", "b", "9", &RESOURCE, &thing("b")), Owner::Run);
        assert!(names.is_planned("k", "b") && !names.is_planned("k", "a"));
    }

    #[test]
    fn the_second_new_object_of_a_name_hears_of_the_first() {
        let names = names();
        assert_eq!(names.claims("k", "a", &thing("a")), None);
        assert_eq!(names.claims("other", "a", &thing("a")), None);
        let first = names.claims("k", "a", &thing("A").with("comment", "x").with("secret", "s3cret")).expect("the first");
        let said = twice(&RESOURCE, &thing("A").with("comment", "x").with("secret", "s3cret"), Some(&first));
        assert!(said.detail.contains("written \"a\"") && said.detail.contains("`comment`"), "{}", said.detail);
        assert!(!said.detail.contains("s3cret") && said.detail.contains("another `secret`"), "{}", said.detail);
        assert_eq!(said.path, Some(Path::dotted("name")));
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_others_hears_of_them() {
        let names = names();
        let call = Call::new(CancellationToken::new(), Duration::from_mins(1));
        names.knows("k", "1");
        let begin = Instant::now();
        let others = async {
            for number in 0..3 {
                tokio::time::sleep(Duration::from_millis(800)).await;
                names.knows("k", &number.to_string());
            }
        };
        tokio::join!(names.settle(&call), others);
        assert_eq!(begin.elapsed(), Duration::from_millis(3 * 800 + 1000));
        let never_quiet = async {
            for number in 0..100 {
                tokio::time::sleep(Duration::from_millis(500)).await;
                names.knows("k", &number.to_string());
            }
        };
        names.knows("k", "1");
        let begin = Instant::now();
        tokio::select! { () = names.settle(&call) => {}, () = never_quiet => panic!("it waited for ever") }
        assert_eq!(begin.elapsed(), MOST_PATIENCE);
    }

    #[test]
    fn a_label_is_legal_and_an_id_is_quoted() {
        for (name, wanted) in [
            ("From Gateway", "from_gateway"),
            ("1st - rule", "existing_1st_rule"),
            ("*", "existing"),
            ("Ärger", "rger"),
            (".example.com", "example_com"),
        ] {
            assert_eq!(label(name), wanted, "{name}");
        }
        assert_eq!(quoted("a\"b\\c${d}%{e}"), r#""a\"b\\c$${d}%%{e}""#);
        let block = import_block(&RESOURCE, "A b", "A b");
        assert!(block.ends_with("import {\n  to = mailflow_gateway_thing.a_b\n  id = \"A b\"\n}"), "{block}");
    }

    #[test]
    fn only_new_and_changed_texts_are_held_against_what_is_there() {
        let inner = |next: &str| Value::object([("next", Value::text(next))]);
        let record = |next: &str, within: &str| thing("a").with("next", next).with("inner", inner(within));
        let found = |prior: Option<&Record>, planned: &Record| {
            let change = Change { resource: &RESOURCE, prior, planned, effective: planned, config: planned };
            references(change).into_iter().map(|(path, _, name)| format!("{path}={name}")).collect::<Vec<_>>()
        };
        assert_eq!(found(None, &record("x", "y")), ["next=x", "inner.next=y"]);
        assert_eq!(found(Some(&record("x", "y")), &record("x", "z")), ["inner.next=z"]);
        assert_eq!(found(Some(&record("x", "y")), &record("x", "y").with("comment", "c")), Vec::<String>::new());
    }
}
