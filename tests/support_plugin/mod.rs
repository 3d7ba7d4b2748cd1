//! A small provider with knobs, and what tests need to talk to it.
//!
//! Its objects are files in a directory that the provider block names, because a host starts a new process for every step.

#![allow(dead_code, reason = "each test file uses its own part")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

pub(crate) mod process;
pub(crate) mod terraform;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mailflow::plugin::wire::tfplugin6::DynamicValue;
use mailflow::plugin::{Configured, Provider};
use mailflow::remote::{Call, Change, Enumeration, Error, Failure, Found, Kind, Objects};
use mailflow::schema::{
    Catalog, DataSource, Function, FunctionError, Import, Move, Parameter, Record, Resource, Timeouts, Upgrade, engine, integer,
    set, string,
};
use mailflow::value::{Diagnostic, Diagnostics, Type, Value, msgpack};

/// The one managed resource. `behave` says what goes wrong.
pub(crate) static THING: Resource = Resource {
    name: "thing",
    noun: "thing",
    about: "A thing. It has a name.",
    attributes: &[
        string("name", "Its name.").required().replaces(),
        integer("size", "Its size."),
        set("tags", "Its tags.").filled_empty(),
        string("note", "Anything."),
        string("behave", "What goes wrong."),
        string("secret", "What nobody may see.").write_only_form(),
        integer("stamp", "Counts the writes.").computed(),
    ],
    rules: &[],
    identity: &["id"],
    import: Import::Lookup { about: "the name of the thing", example: "spoon" },
    title: "name",
    version: 3,
    timeouts: Timeouts { write: 60, read: 30 },
};

/// A resource whose objects are named by a key.
pub(crate) static PAIR: Resource = Resource {
    name: "pair",
    noun: "pair",
    about: "Two names.",
    attributes: &[string("left", "The left one.").required().replaces(), string("right", "The right one.").required().replaces()],
    rules: &[],
    identity: &["left", "right"],
    import: Import::Key { attributes: &["left", "right"], example: "a/b" },
    title: "left",
    version: 0,
    timeouts: Timeouts { write: 60, read: 30 },
};

/// The one data source.
pub(crate) static ECHO: DataSource = DataSource {
    name: "echo",
    noun: "echo",
    about: "Repeats.",
    attributes: &[string("text", "What is said.").required(), integer("length", "How long it is.").computed()],
    rules: &[],
};

/// The one function.
pub(crate) static SHOUT: Function = Function {
    name: "shout",
    about: "Makes a text loud. Whispers are refused.",
    parameters: &[Parameter { name: "text", about: "What to shout.", value_type: || Type::String }],
    returns: || Type::String,
    call: |arguments| match arguments.first().and_then(Value::as_text) {
        Some("panic") => panic!("the text is {}", "panic"),
        Some(text) if text.starts_with('(') => Err(FunctionError { text: "Speak up.".to_owned(), argument: Some(0) }),
        Some(text) => Ok(Value::text(text.to_uppercase())),
        None => Err(FunctionError { text: "Say something.".to_owned(), argument: Some(0) }),
    },
};

static CATALOG: Catalog = Catalog {
    name: "fake",
    settings: &[string("store", "The directory of the objects.")],
    setting_rules: &[],
    resources: &[&THING, &PAIR],
    data_sources: &[&ECHO],
    functions: &[&SHOUT],
    upgrades: &[
        Upgrade { resource: "thing", from: 0, change: |_| Ok(()) },
        Upgrade {
            resource: "thing",
            from: 1,
            // Version 1 called it a length.
            change: |stored| {
                if let Some(length) = stored.remove("length") {
                    stored.insert("size".to_owned(), length);
                }
                Ok(())
            },
        },
        Upgrade {
            resource: "thing",
            from: 2,
            // Version 2 had the tags in one text.
            change: |stored| match stored.get("tags").cloned() {
                Some(serde_json::Value::String(text)) => {
                    stored.insert("tags".to_owned(), text.split_whitespace().collect());
                    Ok(())
                }
                Some(serde_json::Value::Bool(_)) => Err("The tags are no text".to_owned()),
                _ => Ok(()),
            },
        },
    ],
    moves: &[Move {
        provider: "elsewhere/other",
        from: "other_thing",
        to: "thing",
        change: |_, stored| match stored.get("label").and_then(serde_json::Value::as_str) {
            Some(label) => Ok(Record::new().with("id", label).with("name", label)),
            None => Err("It has no label.".to_owned()),
        },
    }],
};

/// The provider.
pub(crate) struct Fake;

#[async_trait]
impl Provider for Fake {
    fn catalog(&self) -> &'static Catalog {
        &CATALOG
    }

    fn validate(&self, config: &Record) -> Diagnostics {
        match config.text("store") {
            Some("forbidden") => vec![Diagnostic::error("Not there", "That store is forbidden.")],
            _ => Vec::new(),
        }
    }

    fn configure(&self, config: &Record) -> Result<Arc<dyn Configured>, Diagnostics> {
        if config.text("store") == Some("forbidden") {
            return Err(self.validate(config));
        }
        let store =
            if config.get("store").is_unknown() { None } else { Some(PathBuf::from(config.text("store").unwrap_or("."))) };
        if let Some(store) = &store {
            // Lets a test find the process.
            let _ = std::fs::write(store.join(format!("process-{}", std::process::id())), "");
        }
        Ok(Arc::new(Ready { store }))
    }
}

struct Ready {
    store: Option<PathBuf>,
}

#[async_trait]
impl Configured for Ready {
    fn objects(&self, _: &'static Resource) -> Result<Arc<dyn Objects>, Diagnostic> {
        match &self.store {
            Some(store) => Ok(Arc::new(Store(store.clone()))),
            None => Err(Diagnostic::error("The store is not known yet", "The setting \"store\" depends on something unknown.")),
        }
    }

    fn announce(&self, _: &'static Resource, planned: &Record) {
        if let Some(store) = &self.store {
            Store(store.clone()).note("announce", planned);
        }
    }

    async fn enumerate(&self, resource: &'static Resource, filters: &Record, call: &Call) -> Result<Enumeration, Error> {
        let mut enumeration = Enumeration::default();
        match filters.text("name") {
            Some("fail") => return Err(Error::new(Kind::Denied, "Nobody may look.")),
            Some("panic") => panic!("the name is {}", "panic"),
            Some("torn") => enumeration.troubles.push(Diagnostic::warning("One is torn", "It is left out.")),
            Some("said") => call.report(Diagnostic::error("Odd", "A part is odd.")),
            _ => {}
        }
        for name in ["fork", "knife", "spoon"] {
            let object =
                Record::new().with("id", format!("id-{name}")).with("name", name).with("secret", "hidden").with("stamp", 1);
            let identity = engine::identity(resource, &object).expect("an identity");
            enumeration.found.push(Found { display_name: name.to_owned(), identity, object });
        }
        Ok(enumeration)
    }

    async fn read_data(&self, _: &'static DataSource, config: &Record, call: &Call) -> Result<Record, Error> {
        match config.text("text") {
            Some("panic") => panic!("the text is {}", "panic"),
            Some("fail") => Err(Error::new(Kind::Unavailable, "Nobody answers.").hint("Call again.")),
            text => {
                call.report(Diagnostic::warning("Heard", "It was heard."));
                let length = text.map_or(0, str::len);
                Ok(Record::new().with("length", i64::try_from(length).unwrap_or(0)))
            }
        }
    }

    async fn close(&self) {}
}

struct Store(PathBuf);

impl Store {
    fn note(&self, what: &str, record: &Record) {
        use std::io::Write as _;
        let line = format!("{what} {}\n", record.text("name").or(record.text("left")).unwrap_or("?"));
        let mut log = std::fs::OpenOptions::new().append(true).create(true).open(self.0.join("log")).expect("the log opens");
        log.write_all(line.as_bytes()).expect("the log is written");
    }

    fn path(&self, id: &str) -> PathBuf {
        self.0.join(format!("{}.object", id.replace('/', "_")))
    }

    fn write(&self, resource: &'static Resource, effective: &Record, stamp: i64) -> Record {
        let mut object = Record::new();
        for attribute in resource.attributes {
            object.set(attribute.name, effective.get(attribute.name).clone());
        }
        let id = match (effective.text("name"), effective.text("left"), effective.text("right")) {
            (Some(name), ..) => format!("id-{name}"),
            (_, Some(left), Some(right)) => format!("{left}/{right}"),
            _ => "nameless".to_owned(),
        };
        object.set("id", id.as_str());
        if resource.name == "thing" {
            object.set("stamp", stamp);
        }
        let bytes =
            msgpack::encode(&whole(resource, &object), &engine::resource_type(resource)).expect("an object can be stored");
        std::fs::write(self.path(&id), bytes).expect("the object is stored");
        object
    }

    fn load(&self, resource: &'static Resource, id: &str) -> Option<Record> {
        let bytes = std::fs::read(self.path(id)).ok()?;
        let value = msgpack::decode(&bytes, &engine::resource_type(resource)).expect("a stored object is whole");
        Some(Record::from_value(value))
    }
}

#[async_trait]
impl Objects for Store {
    async fn check(&self, change: Change<'_>, call: &Call) -> Result<(), Error> {
        self.note("check", change.planned);
        match change.planned.text("behave") {
            Some("doubt") => call.report(Diagnostic::warning("Doubtful", "This may not work.")),
            Some("refuse") => return Err(Error::new(Kind::Invalid, "No such thing.").at(mailflow::value::Path::dotted("behave"))),
            _ => {}
        }
        Ok(())
    }

    async fn create(&self, change: Change<'_>, call: &Call) -> Result<Record, Failure> {
        self.note("create", change.planned);
        match change.effective.text("behave") {
            Some("panic") => panic!("the secret is {}", "hunter2"),
            Some("slow") => tokio::time::sleep(Duration::from_secs(4)).await,
            Some("wait") => {
                call.stop.cancelled().await;
                return Err(Error::new(Kind::Stopped, "The run was stopped.").into());
            }
            Some("lost") => return Err(Error::new(Kind::Unavailable, "Nobody answers.").into()),
            Some("partial") => {
                let object = self.write(change.resource, change.effective, 1);
                return Err(Failure { error: Error::new(Kind::Unexpected, "Half of it."), object: Some(object) });
            }
            _ => {}
        }
        call.set_private("writes", 1.into());
        let object = self.write(change.resource, change.effective, 1);
        match change.effective.text("behave") {
            Some("misfit") => Ok(object.with("size", "not a number").with("surprise", true)),
            Some("vague") => Ok(object.with("stamp", Value::UNKNOWN)),
            _ => Ok(object),
        }
    }

    async fn read(&self, resource: &'static Resource, state: &Record, call: &Call) -> Result<Option<Record>, Error> {
        self.note("read", state);
        if state.text("behave") == Some("unreadable") {
            return Err(Error::new(Kind::Unavailable, "Nobody answers."));
        }
        call.set_private("reads", (call.private("reads").and_then(|reads| reads.as_i64()).unwrap_or(0) + 1).into());
        Ok(self.load(resource, state.text("id").unwrap_or_default()))
    }

    async fn update(&self, change: Change<'_>, call: &Call) -> Result<Record, Failure> {
        self.note("update", change.planned);
        if change.effective.text("behave") == Some("lost") {
            return Err(Error::new(Kind::Unavailable, "Nobody answers.").into());
        }
        let writes = call.private("writes").and_then(|writes| writes.as_i64()).unwrap_or(0) + 1;
        call.set_private("writes", writes.into());
        Ok(self.write(change.resource, change.effective, writes))
    }

    async fn delete(&self, _: &'static Resource, state: &Record, _: &Call) -> Result<(), Error> {
        self.note("delete", state);
        if state.text("behave") == Some("stuck") {
            return Err(Error::new(Kind::Conflict, "It is in use."));
        }
        // Already gone is as good.
        let _ = std::fs::remove_file(self.path(state.text("id").unwrap_or_default()));
        Ok(())
    }

    async fn find(&self, resource: &'static Resource, id: &str, _: &Call) -> Result<Record, Error> {
        let id = if id.starts_with("id-") || resource.name == "pair" { id.to_owned() } else { format!("id-{id}") };
        match self.load(resource, &id) {
            Some(_) => Ok(Record::new().with("id", id)),
            None => Err(Error::new(Kind::NotFound, "There is no such thing.")),
        }
    }
}

/// An object of a resource with all its attributes; those that are not given are null.
pub(crate) fn whole(resource: &'static Resource, given: &Record) -> Value {
    fill(given.clone().into_value(), &engine::resource_type(resource))
}

/// Adds missing attributes as null.
pub(crate) fn fill(value: Value, ty: &Type) -> Value {
    match (value, ty) {
        (Value::Object(mut members), Type::Object(types)) => Value::Object(
            types
                .iter()
                .map(|(name, of)| (name.clone(), fill(members.remove(name).unwrap_or_default(), of)))
                .collect::<BTreeMap<_, _>>(),
        ),
        (value, _) => value,
    }
}

/// A value on the wire.
#[expect(clippy::unnecessary_wraps, reason = "in a message every value is optional")]
pub(crate) fn wire(value: &Value, ty: &Type) -> Option<DynamicValue> {
    Some(DynamicValue { msgpack: msgpack::encode(value, ty).expect("the value has the type"), json: Vec::new() })
}

/// An object on the wire.
pub(crate) fn object(resource: &'static Resource, given: &Record) -> Option<DynamicValue> {
    wire(&whole(resource, given), &engine::resource_type(resource))
}

/// The provider block on the wire.
pub(crate) fn settings(store: impl Into<Value>) -> Option<DynamicValue> {
    wire(&Value::object([("store", store.into())]), &engine::settings_type(&CATALOG))
}

/// Takes an object off the wire; null is `None`.
pub(crate) fn read_object(resource: &'static Resource, value: Option<&DynamicValue>) -> Option<Record> {
    let value = value.expect("there is a value");
    match msgpack::decode(&value.msgpack, &engine::resource_type(resource)).expect("the value has the type") {
        Value::Null => None,
        object => Some(Record::from_value(object)),
    }
}

/// The lines that the store noted.
pub(crate) fn notes(store: &Path) -> Vec<String> {
    std::fs::read_to_string(store.join("log")).unwrap_or_default().lines().map(str::to_owned).collect()
}
