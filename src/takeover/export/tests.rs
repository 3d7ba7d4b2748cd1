use super::*;
use crate::schema::{
    Anatomy, Argument, Attribute, Making, Rule, Timeouts, block, block_list, boolean, integer, list, set, string,
};

const fn resource(
    name: &'static str,
    noun: &'static str,
    attributes: &'static [Attribute],
    import: Import,
    title: &'static str,
) -> Resource {
    const RULES: &[Rule] = &[];
    Resource {
        name,
        noun,
        about: "One.",
        attributes,
        rules: RULES,
        identity: &["id"],
        import,
        title,
        version: 0,
        timeouts: Timeouts { write: 60, read: 30 },
    }
}

static POLICY: Resource = resource(
    "gateway_policy",
    "policy",
    &[string("listener", "L.").required(), string("name", "N.").required(), boolean("tls", "T.").filled(false)],
    Import::Key { attributes: &["listener", "name"], example: "In/one" },
    "name",
);

static GROUP: Resource = resource(
    "gateway_group",
    "group",
    &[
        string("listener", "L.").required(),
        string("name", "N.").required().always_there(|name| name == "ALL"),
        string("policy", "P.").refers_to("gateway_policy", &["listener"]),
        set("senders", "S.").filled_empty(),
        string("before", "B.").filled_by_service().moved_by(&["before"]).refers_to("gateway_group", &["listener"]),
    ],
    Import::Key { attributes: &["listener", "name"], example: "In/one" },
    "name",
);

static RULE: Resource = resource(
    "exchange_rule",
    "rule",
    &[
        string("name", "N.").required(),
        string("comments", "C."),
        block("actions", "A.", &[string("header", "H."), string("value", "V.").sensitive(), set("words", "W.")]),
        block_list("destination", "D.", &[string("host", "H.").required()]),
    ],
    Import::Lookup { about: "the name", example: "one" },
    "name",
);

static ORDER: Resource = resource(
    "exchange_rule_order",
    "order of rules",
    &[list("rules", "R.").required().refers_to("exchange_rule", &[])],
    Import::Lookup { about: "`order`", example: "order" },
    "id",
);

fn found(resource: &'static Resource, object: &Record) -> Found {
    let object = engine::settle(resource, &Record::new(), object);
    let name = engine::key(resource, &object).or_else(|| object.text("name").map(str::to_owned));
    Found { display_name: name.unwrap_or_default(), identity: Record::new(), object }
}

fn kindred(resource: &'static Resource, objects: &[Record]) -> Kindred {
    Kindred { resource, found: objects.iter().map(|object| found(resource, object)).collect() }
}

fn rule(name: &str, value: &str, word: &str) -> Record {
    let actions = Value::object([
        ("header", Value::text("X-A")),
        ("value", Value::text(value)),
        ("words", Value::set(vec![Value::text(word)])),
    ]);
    Record::new().with("id", format!("guid-{name}")).with("name", name).with("actions", actions)
}

fn around() -> Around {
    Around {
        provider: ("mailflow", "mailflow/mailflow"),
        settings: Record::new().with("exchange", Value::object::<&str>([])),
        ..Around::default()
    }
}

#[test]
fn names_that_are_written_are_references_and_places_are_not_written() {
    let entry = |listener: &str, name: &str| Record::new().with("listener", listener).with("name", name);
    let kinds = [
        kindred(&POLICY, &[entry("In", "ACCEPTED"), entry("Out", "ACCEPTED").with("tls", true)]),
        kindred(
            &GROUP,
            &[
                entry("Out", "One").with("policy", "ACCEPTED").with("before", "ALL"),
                entry("Out", "Two").with("policy", "ELSE"),
                entry("Out", "ALL"),
            ],
        ),
    ];
    let folder = export(&kinds, &around());
    assert_eq!(folder.count, 4);
    let group = "resource \"mailflow_gateway_group\" \"one\" {\n  listener = \"Out\"\n  name     = \"One\"\n  policy   = mailflow_gateway_policy.accepted_2.name\n}\n";
    assert!(folder.files["gateway_group.tf"].starts_with(group), "{}", folder.files["gateway_group.tf"]);
    assert!(folder.files["gateway_group.tf"].contains("policy   = \"ELSE\""));
    assert!(
        folder.files["gateway_policy.tf"]
            .contains("\"accepted_2\" {\n  listener = \"Out\"\n  name     = \"ACCEPTED\"\n  tls      = true\n}")
    );
    assert!(
        folder.files["imports.tf"].contains("import {\n  to = mailflow_gateway_policy.accepted_2\n  id = \"Out/ACCEPTED\"\n}")
    );
    assert!(folder.files["README.md"].contains("1 of the kind group: always there"), "{}", folder.files["README.md"]);
    assert_eq!(export(&kinds, &Around { include_defaults: true, ..around() }).count, 5);
}

static ENTRY: Resource = resource(
    "gateway_entry",
    "entry",
    &[
        string("listener", "L.").required(),
        string("name", "N.")
            .required()
            .always_there(|name| name == "ALL")
            .first_decides(|one, other| one.contains(other) || other.contains(one)),
        string("action", "A.").required(),
        integer("position", "P.").computed(),
    ],
    Import::Key { attributes: &["listener", "name"], example: "In/one" },
    "name",
);

#[test]
fn entries_of_which_the_first_decides_are_made_in_their_order_where_that_counts() {
    let entry = |listener: &str, name: &str, action: &str| {
        Record::new().with("listener", listener).with("name", name).with("action", action).with("position", 1)
    };
    let kinds = [kindred(
        &ENTRY,
        &[
            entry("In", "one", "accept"),
            entry("In", "former one", "reject"),
            entry("In", "former", "accept"),
            entry("In", "two", "reject"),
            entry("Out", "one", "reject"),
            entry("In", "ALL", "reject"),
        ],
    )];
    let text = &export(&kinds, &around()).files["gateway_entry.tf"];
    let lines: Vec<&str> = text.lines().filter(|line| line.contains("depends_on")).collect();
    assert_eq!(
        lines,
        ["  depends_on = [mailflow_gateway_entry.one]", "  depends_on = [mailflow_gateway_entry.former_one]"],
        "{text}"
    );
}

#[test]
fn a_secret_is_one_variable_wherever_it_stands() {
    let kinds = [kindred(
        &RULE,
        &[
            rule("One", "s3cretword", "plain"),
            rule("Two", "s3cretword", "has s3cretword inside"),
            rule("Three", "other-secret", "x"),
        ],
    )];
    let folder = export(&kinds, &around());
    for (name, text) in &folder.files {
        assert!(!text.contains("s3cretword") && !text.contains("other-secret"), "{name}: {text}");
    }
    let rules = &folder.files["exchange_rule.tf"];
    assert_eq!(rules.matches("value  = var.one_value\n").count(), 2, "{rules}");
    assert!(rules.contains("words  = [\"has ${nonsensitive(var.one_value)} inside\"]"), "{rules}");
    let variables = &folder.files["variables.tf"];
    let (one, three) = variables.split_once("variable \"three_value\"").expect("two variables");
    assert!(!one.contains("default") && three.contains("default     = null"), "{variables}");
    assert!(folder.files["imports.tf"].contains("id = \"Two\""));
}

#[test]
fn an_order_of_several_names_them_and_one_of_few_says_nothing() {
    let order = |names: &[&str]| {
        let names = names.iter().map(|name| Value::text(*name)).collect();
        kindred(&ORDER, &[Record::new().with("id", "order").with("rules", Value::List(names))])
    };
    let rules = kindred(&RULE, &[rule("One", "s3cretword", "a"), rule("Two", "s3cretword", "b"), rule("two", "s3cretword", "c")]);
    let folder = export(&[rules, order(&["One", "Two"])], &around());
    assert!(
        folder.files["exchange_rule_order.tf"]
            .contains("rules = [mailflow_exchange_rule.one.name, mailflow_exchange_rule.two.name]")
    );
    assert!(folder.files["imports.tf"].contains("id = \"order\""));
    // A name that two have is no name to import by.
    assert!(folder.files["imports.tf"].contains("id = \"guid-Two\"") && folder.files["imports.tf"].contains("id = \"guid-two\""));
    assert!(!export(&[order(&["One"])], &around()).files.contains_key("exchange_rule_order.tf"));
    assert_eq!(
        folder.files["providers.tf"],
        "terraform {\n  required_providers {\n    mailflow = { source = \"mailflow/mailflow\" }\n  }\n}\n\nprovider \"mailflow\" {\n  exchange {}\n}\n"
    );
}

/// A language for tests: `made GROUP WORD` is made by a function, `[…]` holds a secret, and `?` cannot be read.
fn anatomy(text: &str) -> Option<Anatomy> {
    if text.contains('?') {
        return None;
    }
    let made_by = text.strip_prefix("made ").and_then(|rest| rest.split_once(' ')).map(|(group, word)| Making {
        function: "make",
        arguments: vec![
            Argument::NameOf("gateway_group", group.to_owned()),
            Argument::Text("X".to_owned()),
            Argument::Secrets(vec![word.to_owned()]),
        ],
    });
    let secrets = text.find('[').zip(text.find(']')).map(|(from, to)| from + 1..to).into_iter().collect();
    Some(Anatomy { secrets, made_by })
}

static FILTER: Resource = resource(
    "gateway_filter",
    "filter",
    &[
        string("name", "N.").required(),
        string("script", "S.").required().write_only_form().anatomy(anatomy),
        boolean("active", "A.").filled(true),
    ],
    Import::Key { attributes: &["name"], example: "one" },
    "name",
);

#[test]
fn a_text_in_a_language_is_built_of_what_it_is_made_of() {
    let filter = |name: &str, script: &str| Record::new().with("name", name).with("script", script).with("active", false);
    let kinds = [
        kindred(&RULE, &[rule("One", "s3cretword", "a")]),
        kindred(&GROUP, &[Record::new().with("listener", "In").with("name", "Relay").with("policy", "P")]),
        kindred(
            &FILTER,
            &[
                filter("made", "made Relay s3cretword"),
                filter("text", "if [n7] {\n  has s3cretword ${x};\n}"),
                filter("plain", "drop();"),
                filter("odd", "what? s3cret"),
            ],
        ),
    ];
    let folder = export(&kinds, &around());
    let filters = &folder.files["gateway_filter.tf"];
    for wanted in [
        "locals {\n  relay_group = \"Relay\"\n}\n",
        "  script = provider::mailflow::make(local.relay_group, \"X\", [var.one_value])\n",
        "  script = <<-EOT\n    if [${var.text_secret}] {\n      has ${var.one_value} $${x};\n    }\n  EOT\n  active = false\n",
        "  script = <<-EOT\n    drop();\n  EOT\n",
        "# The text of `script` cannot be read as what it should be, so it is a variable as a whole.\nresource \"mailflow_gateway_filter\" \"odd\"",
        "  script = var.odd_script\n",
    ] {
        assert!(filters.contains(wanted), "{wanted}\n{filters}");
    }
    assert!(folder.files["gateway_group.tf"].contains("name     = local.relay_group\n"), "{}", folder.files["gateway_group.tf"]);
    let variables = &folder.files["variables.tf"];
    let block = |name: &str| {
        variables.split(&format!("variable \"{name}\"")).nth(1).and_then(|rest| rest.split("\n}").next()).expect("a block")
    };
    assert!(!block("one_value").contains("default") && !block("text_secret").contains("default"), "{variables}");
    assert!(block("odd_script").contains("default     = null"), "{variables}");
    let values: BTreeMap<&str, &str> = folder.secrets.iter().collect();
    assert_eq!((values["one_value"], values["text_secret"], values.len()), ("s3cretword", "n7", 3));
    assert!(!format!("{folder:?}").contains("s3cretword"), "secrets are not printed");
}

#[test]
fn a_secret_in_a_name_is_neither_in_a_label_nor_in_an_import() {
    let folder = export(
        &[kindred(&RULE, &[rule("sets s3cretword9", "s3cretword9", "x"), rule("External mail", "External", "x")])],
        &around(),
    );
    for (name, text) in &folder.files {
        assert!(!text.contains("s3cretword9") || name == "imports.tf" && text.contains("guid-"), "{name}: {text}");
    }
    let rules = &folder.files["exchange_rule.tf"];
    assert!(rules.contains("\"rule\" {\n  name = \"sets ${nonsensitive(var.rule_value)}\"\n"), "{rules}");
    // A word that is also a name is no secret there.
    assert!(rules.contains("name = \"External mail\""), "{rules}");
}

mod managed {
    use super::*;
    use crate::schema::Catalog;

    static CATALOG: Catalog = Catalog {
        name: "mailflow",
        settings: &[],
        setting_rules: &[],
        resources: &[&POLICY, &RULE, &ORDER],
        data_sources: &[],
        functions: &[],
        upgrades: &[],
        moves: &[],
    };

    fn policy(listener: &str, name: &str) -> Found {
        super::found(&POLICY, &Record::new().with("listener", listener).with("name", name))
    }

    #[test]
    fn a_state_tells_what_it_manages_in_every_module() {
        let object = |mode: &str, kind: &str, values: serde_json::Value| serde_json::json!({ "mode": mode, "type": kind, "values": values });
        let shown = serde_json::json!({
            "format_version": "1.0",
            "values": { "root_module": {
                "resources": [
                    object("managed", "mailflow_gateway_policy", serde_json::json!({ "listener": "In", "name": "One", "id": "In/One" })),
                    object("data", "mailflow_gateway_policy", serde_json::json!({ "listener": "In", "name": "Read", "id": "In/Read" })),
                    object("managed", "other_thing", serde_json::json!({ "id": "x" })),
                ],
                "child_modules": [{ "child_modules": [{ "resources": [
                    object("managed", "mailflow_exchange_rule", serde_json::json!({ "name": "Renamed since", "id": "GUID-a" })),
                    object("managed", "mailflow_exchange_rule_order", serde_json::json!({ "id": "order" })),
                ] }] }],
            } },
        });
        let mut managed = Managed::new(&CATALOG);
        managed.add_state(&shown.to_string()).expect("a state");
        assert!(managed.has(&POLICY, &policy("In", "One")) && !managed.has(&POLICY, &policy("Out", "One")));
        assert!(!managed.has(&POLICY, &policy("In", "Read")));
        assert!(
            managed.has(&RULE, &super::found(&RULE, &rule("a", "x", "y")))
                && !managed.has(&RULE, &super::found(&RULE, &rule("b", "x", "y")))
        );
        assert!(managed.has(&ORDER, &super::found(&ORDER, &Record::new().with("id", "order"))));
        // A file of the state itself has another form.
        assert!(
            Managed::new(&CATALOG).add_state(r#"{"version": 4, "resources": []}"#).is_err_and(|why| why.contains("show -json"))
        );
        assert!(Managed::new(&CATALOG).add_state("[").is_err());
    }

    #[test]
    fn files_tell_what_they_manage_as_far_as_names_follow_from_them() {
        let files = [
            ("main.tf", r#"
locals { listener = "In" }
variable "name" { default = "Default" }
resource "mailflow_gateway_policy" "a" {
  listener = local.listener
  name     = "One"
}
resource "mailflow_gateway_policy" "b" {
  listener = mailflow_gateway_policy.a.listener
  name     = "${var.name}_2"
}
resource "mailflow_gateway_policy" "c" {
  for_each = toset(["x"])
  listener = "In"
  name     = each.value
}
resource "mailflow_exchange_rule" "r" {
  name = data.x.y.name
}
import {
  to = mailflow_exchange_rule.r
  id = "By ID"
}
"#),
            ("more.tf.json", r#"{ "resource": { "mailflow_exchange_rule": { "j": { "name": "In JSON" }, "k": [{ "name": "${local.x}" }] } } }"#),
            ("terraform.tfvars", "name = \"Given\"\n"),
        ]
        .map(|(name, text)| (name.to_owned(), text.to_owned()));
        let mut managed = Managed::new(&CATALOG);
        managed.add_files(&files).expect("read");
        let has = |name: &str| managed.has(&POLICY, &policy("In", name));
        assert!(has("One") && has("Given_2") && !has("Default_2") && !has("x"));
        let rule = |name: &str| managed.has(&RULE, &super::found(&RULE, &rule(name, "x", "y")));
        assert!(rule("by id") && rule("In JSON") && !rule("else"));
        assert_eq!(managed.unclear().len(), 3, "{:?}", managed.unclear());
        assert!(!managed.has(&ORDER, &super::found(&ORDER, &Record::new().with("id", "order"))));
        assert!(Managed::new(&CATALOG).add_files(&[("a.tf".to_owned(), "resource {".to_owned())]).is_err());
    }
}
