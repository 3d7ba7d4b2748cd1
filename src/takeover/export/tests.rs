use super::*;
use crate::schema::{Rule, Timeouts, block, block_list, boolean, list, set, string};

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
    assert!(rules.contains("words  = [\"has ${var.one_value} inside\"]"), "{rules}");
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
