//! Tables with one of everything.

use crate::schema::{
    Attribute, Catalog, Clearing, DataSource, Function, FunctionError, Import, Parameter, Record, Resource, Rule, Timeouts,
    Upgrade, block, block_list, boolean, integer, list, list_of, map, number, object, one_of, set, set_of, string,
};
use crate::value::{Type, Value};

/// The service stores `smtp:<domain>;1`, and takes any case.
pub(super) fn domain(text: &str) -> String {
    let text = text.to_lowercase();
    let text = text.strip_prefix("smtp:").unwrap_or(&text);
    text.strip_suffix(";1").unwrap_or(text).to_owned()
}

pub(super) fn lower(text: &str) -> String {
    text.to_lowercase()
}

fn no_space(text: &str) -> Result<(), String> {
    if text.contains(' ') { Err(format!("{text:?} has a space in it; write it without.")) } else { Ok(()) }
}

const PLACE: &[Attribute] = &[
    string("region", "Where it stands.").replaces(),
    string("zone", "The part of the region."),
    boolean("is_local", "A switch of the provider's own.").local(),
];

const ACTIONS: &[Attribute] = &[
    string("header_name", "The header that is set.").meaning(lower),
    string("header_value", "What it is set to.").write_only_form(),
    boolean("stop", "No further rules are tried."),
    string("answer", "What is answered."),
    one_of("manner", "How it is answered.", &["Soft", "Hard"]).implied_beside(&("answer", "Soft")),
];

const DESTINATION: &[Attribute] = &[
    string("host", "The host.").required().meaning(lower),
    integer("port", "The port.").filled_integer(25).range(1, 65535),
    integer("weight", "How often it is taken."),
    string("token", "What it asks for.").write_only_form(),
];

const MEMBER: &[Attribute] = &[
    string("host", "The host.").required().meaning(lower),
    integer("port", "The port.").filled_integer(25),
    integer("rank", "Where the service puts it.").computed(),
];

const LIMITS: &[Attribute] = &[
    integer("count", "How many.").filled_integer(10),
    string("unit", "Per what.").filled_text("hour").choices(&["hour", "minute"]),
    string("note", "A note."),
];

/// One of everything.
pub(super) static THING: Resource = Resource {
    name: "test_thing",
    noun: "thing",
    about: "Holds one of everything. Nothing is like it.",
    attributes: &[
        string("name", "Name, unique in the organization.").required().replaces().length(1, 8),
        one_of("kind", "Whose it is.", &["Partner", "OnPremises"]).required(),
        set("domains", "Domains that it is for.").inherited("what the test says").meaning(domain).shown_as_meant(),
        set("ranges", "Addresses.").filled_empty().meaning(lower).most(4),
        list("steps", "Steps in order.").inherited("what the test says").meaning(lower),
        map("tags", "Tags by name.").inherited("what the test says").meaning(lower),
        string("comment", "A comment.").cleared_by(Clearing::EmptyText),
        string("mode", "How it works.").filled_text("Enforce").meaning(lower),
        boolean("enabled", "Whether it works.").filled(true),
        integer("limit", "How much.").filled_integer(10).range(1, 100),
        number("ratio", "How much of it."),
        integer("priority", "Where it stands.").filled_by_service(),
        integer("position", "Where it stood last.").filled_by_service().moving(),
        string("stamp", "When it changed.").computed(),
        string("guid", "What it is called for good.").computed().fixed(),
        boolean("check", "Tries it out.").local().filled(false),
        string("anchor", "What it hangs on.").cleared_by(Clearing::Replace),
        string("keeper", "What it keeps.").cleared_by(Clearing::Refused),
        block("place", "Where it is.", PLACE),
        block("actions", "What it does.", ACTIONS).flattened(""),
        object("limits", "What bounds it.", LIMITS).filled_empty(),
        block_list("destination", "Where it goes.", DESTINATION),
        set_of("members", "Who takes part.", MEMBER).filled_empty(),
        object("report", "What the service says of it.", &[string("state", "How it is."), list("lines", "What was said.")])
            .computed(),
    ],
    rules: &[],
    identity: &["guid"],
    import: Import::Lookup { about: "the name or the GUID", example: "thing" },
    title: "name",
    version: 0,
    timeouts: Timeouts { write: 60, read: 30 },
};

/// Few attributes, and an import ID of two parts.
pub(super) static PAIR: Resource = Resource {
    name: "test_pair",
    noun: "pair",
    about: "Holds a pair.",
    attributes: &[
        string("listener", "The listener.").required().replaces(),
        integer("number", "The number.").required().replaces(),
        string("secret", "The secret.").required().write_only_form().length(4, 20),
        set("senders", "Who sends.").filled_empty(),
        boolean("strict", "Only those.").filled(false),
    ],
    rules: &[
        Rule::Requires("strict", "senders"),
        Rule::Hook("Nothing is called `root`.", |config| {
            if config.text("listener") == Some("root") {
                vec![crate::value::Diagnostic::error("No root", "Choose another name.")]
            } else {
                Vec::new()
            }
        }),
    ],
    identity: &["listener", "number"],
    import: Import::Key { attributes: &["listener", "number"], example: "IncomingMail/7" },
    title: "listener",
    version: 1,
    timeouts: Timeouts { write: 60, read: 30 },
};

/// The only one of its kind.
pub(super) static ONLY: Resource = Resource {
    name: "other_settings",
    noun: "settings",
    about: "Holds settings.",
    attributes: &[string("greeting", "What it says.").filled_by_service().format("text without spaces", no_space)],
    rules: &[],
    identity: &["id"],
    import: Import::Singleton { word: "settings" },
    title: "id",
    version: 0,
    timeouts: Timeouts { write: 60, read: 30 },
};

pub(super) static POOL: [&Resource; 3] = [&THING, &PAIR, &ONLY];

static SOURCE: DataSource = DataSource {
    name: "test_thing",
    noun: "thing",
    about: "Reads a thing.",
    attributes: &[
        string("name", "Its name.").required(),
        integer("limit", "How many at most.").filled_integer(5),
        list_of("found", "What was found.", &[string("host", "Its host."), integer("port", "Its port.")]).computed(),
    ],
    rules: &[],
};

static DOUBLE: Function = Function {
    name: "double",
    about: "Doubles a text.",
    parameters: &[Parameter { name: "text", about: "The text.", value_type: || Type::String }],
    returns: || Type::String,
    call: |arguments| match arguments {
        [Value::String(text)] => Ok(Value::text(text.repeat(2))),
        _ => Err(FunctionError { text: "One text is needed.".to_owned(), argument: None }),
    },
};

/// All of the above.
pub(super) static CATALOG: Catalog = Catalog {
    name: "demo",
    settings: &[
        block(
            "side",
            "One side; `{}` takes all from the environment.",
            &[
                string("host", "Where it is."),
                integer("port", "Its port.").filled_integer(22),
                string("password", "Opens it.").sensitive(),
            ],
        ),
        boolean("read_only", "Refuses every write.").filled(false),
    ],
    setting_rules: &[],
    resources: &[&THING, &PAIR, &ONLY],
    data_sources: &[&SOURCE],
    functions: &[&DOUBLE],
    upgrades: &[Upgrade { resource: "test_pair", from: 0, change: |_| Ok(()) }],
    moves: &[],
};

/// An object with these members.
pub(super) fn some(members: &[(&str, Value)]) -> Value {
    Value::object(members.iter().map(|(name, value)| (*name, value.clone())))
}

/// A configuration of [`THING`] with what it needs, and these members.
pub(super) fn thing(members: &[(&str, Value)]) -> Record {
    let mut config = Record::new().with("name", "one").with("kind", "Partner");
    for (name, value) in members {
        config.set(*name, value.clone());
    }
    config
}
