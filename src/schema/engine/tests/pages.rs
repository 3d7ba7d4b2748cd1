//! Schemas, their laws, and the pages made from them.

use super::tables::{CATALOG, ONLY, PAIR, POOL, THING};
use crate::schema::engine::{
    Column, check_catalog, columns, data_columns, data_source_page, data_type, function_page, identity_columns, identity_type,
    index_page, object_type, resource_columns, resource_page, resource_type, settings_columns, settings_type,
};
use crate::schema::{
    Attribute, Catalog, Import, Resource, Rule, block, block_list, boolean, integer, list_of, object, set, set_of, string,
};
use crate::value::Type;

fn type_of(columns: &[Column]) -> Type {
    Type::Object(columns.iter().map(|column| (column.name.to_string(), column.value_type())).collect())
}

fn column<'a>(columns: &'a [Column], path: &str) -> &'a Column {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let found = columns.iter().find(|column| column.name == first).unwrap();
    match (rest, &found.shape) {
        (None, _) => found,
        (Some(rest), shape) => column(shape.members().unwrap_or_else(|| panic!("{path}")), rest),
    }
}

#[test]
fn columns_and_types_agree() {
    for resource in POOL {
        assert_eq!(type_of(&resource_columns(resource)), resource_type(resource));
        assert_eq!(type_of(&columns(resource.attributes)), object_type(resource.attributes));
        assert_eq!(type_of(&identity_columns(resource)), identity_type(resource));
    }
    assert_eq!(type_of(&data_columns(CATALOG.data_sources[0])), data_type(CATALOG.data_sources[0]));
    assert_eq!(type_of(&settings_columns(&CATALOG)), settings_type(&CATALOG));
}

#[test]
fn point_49_the_flags_of_a_column_follow_from_its_line() {
    let thing = resource_columns(&THING);
    let flags = |columns: &[Column], path: &str| {
        let column = column(columns, path);
        [
            (column.required, 'r'),
            (column.optional, 'o'),
            (column.computed, 'c'),
            (column.sensitive, 's'),
            (column.write_only, 'w'),
        ]
        .into_iter()
        .filter_map(|(set, flag)| set.then_some(flag))
        .collect::<String>()
    };
    let expected = [
        ("id", "c"),
        ("name", "r"),
        ("comment", "o"),
        ("ranges", "oc"),
        ("priority", "oc"),
        ("stamp", "c"),
        ("report.state", "c"),
        ("actions.header_value", "os"),
        ("actions.header_value_wo", "osw"),
        ("actions.header_value_wo_version", "o"),
        ("destination.host", "r"),
        ("members.rank", "c"),
        ("timeouts.create", "o"),
    ];
    for (path, wanted) in expected {
        assert_eq!(flags(&thing, path), wanted, "{path}");
    }
    assert_eq!(flags(&resource_columns(&PAIR), "secret"), "os", "either form of a required secret will do");
    let settings = settings_columns(&CATALOG);
    assert_eq!(
        [flags(&settings, "side.port"), flags(&settings, "side.password"), flags(&settings, "read_only")],
        ["o", "os", "o"]
    );
}

#[test]
fn the_description_says_what_the_line_says() {
    let thing = resource_columns(&THING);
    let expected = [
        ("kind", "Whose it is. One of `\"Partner\"` or `\"OnPremises\"`."),
        ("name", "Name, unique in the organization. 1 to 8 characters. Changing it makes a new object."),
        ("limit", "How much. 1 to 100. Defaults to `10`."),
        ("mode", "How it works. Defaults to `\"Enforce\"`."),
        ("ranges", "Addresses. At most 4 elements. Defaults to `[]`."),
        ("anchor", "What it hangs on. Removing it makes a new object."),
        ("keeper", "What it keeps. Once set, it can be changed but not left out again."),
        (
            "timeouts.create",
            "How long creating the object may take. Must be a duration such as `30s`, `5m` or `1h30m`. Defaults to `1m`.",
        ),
        (
            "timeouts.read",
            "How long reading the object may take. Must be a duration such as `30s`, `5m` or `1h30m`. Defaults to `30s`.",
        ),
        ("id", "The service's own identifier of the object, which stays the same when the object is renamed."),
    ];
    for (path, about) in expected {
        assert_eq!(column(&thing, path).about, about, "{path}");
    }
    let written = &column(&thing, "actions.header_value_wo").about;
    assert!(written.contains("never stored") && written.contains("`header_value_wo_version`"), "{written}");
}

#[test]
fn point_50_the_schema_comes_out_the_same_every_time() {
    assert_eq!(resource_columns(&THING), resource_columns(&THING));
}

#[test]
fn the_test_tables_keep_the_laws() {
    assert_eq!(check_catalog(&CATALOG), Vec::<String>::new());
}

/// A catalog of one resource with this table breaks a law in these words.
#[track_caller]
fn breaks<const N: usize>(attributes: [Attribute; N], says: &str) {
    let attributes: &'static [Attribute] = Box::leak(Box::new(attributes));
    let resource: &'static Resource =
        Box::leak(Box::new(Resource { attributes, identity: &["id"], title: "id", rules: &[], ..copy(&ONLY) }));
    told(resource, says);
}

#[track_caller]
fn told(resource: &'static Resource, says: &str) {
    let resources: &'static [&'static Resource] = Box::leak(Box::new([resource]));
    let catalog = Catalog { resources, data_sources: &[], functions: &[], settings: &[], setting_rules: &[], ..CATALOG };
    let found = check_catalog(&catalog);
    assert!(found.iter().any(|breach| breach.contains(says)), "{says}: {found:#?}");
}

fn copy(resource: &Resource) -> Resource {
    Resource { ..*resource }
}

#[test]
fn points_49_and_50_breaches_of_the_laws_are_told() {
    const ATTRIBUTES: &[Attribute] = &[string("name", "A name."), string("secret", "A secret.").sensitive().required()];
    const NAMED: &[Attribute] = &[string("name", "A name.")];
    const NESTED: &[Attribute] = &[block("inner", "Inside.", NAMED)];
    const COMPUTED: &[Attribute] = &[string("name", "A name.").computed()];
    const NO_MEMBERS: &[Attribute] = &[];
    const FILLED: &[Attribute] = &[boolean("on", "On.").filled(true)];
    const SECRET: &[Attribute] = &[string("secret", "A secret.").write_only_form()];
    breaks([string("Name", "A name.")], "snake_case");
    breaks([string("name", "A name")], "period");
    breaks([string("name", "")], "not described");
    breaks([string("name", "A."), string("name", "B.")], "used twice");
    breaks([string("a", "A.").write_only_form(), string("a_wo", "B.")], "used twice");
    breaks([string("count", "A.")], "Terraform's own");
    breaks([string("timeouts", "A.")], "Terraform's own");
    breaks([string("a", "A.").choices(&["x", "y"]).filled_text("z")], "default is not allowed");
    breaks([integer("a", "A.").range(1, 5).filled_integer(6)], "default is not allowed");
    breaks([string("a", "A.").filled(true)], "another type");
    breaks([string("a", "A.").range(1, 2)], "no number");
    breaks([integer("a", "A.").range(3, 2)], "greater than the most");
    breaks([integer("a", "A.").choices(&["x"])], "no text");
    breaks([string("a", "A.").most(3)], "no collection");
    breaks([string("a", "A.").shown_as_meant()], "no meaning");
    breaks([set_of("a", "A.", SECRET)], "write-only inside a set");
    breaks([list_of("a", "A.", NO_MEMBERS)], "no members");
    breaks([object("a", "A.", FILLED).flattened("x")], "flattened object that may be left out");
    breaks([block("a", "A.", FILLED)], "filled inside a block");
    breaks([block("a", "A.", COMPUTED)], "left to the service inside a block");
    breaks([block_list("a", "A.", COMPUTED)], "left to the service inside a block");
    breaks([block("a", "A.", NAMED).computed()], "nobody but the user");
    breaks([block_list("a", "A.", NAMED).filled_by_service()], "nobody but the user");
    breaks([block_list("a", "A.", NAMED).sensitive()], "sensitive as a whole");
    breaks([object("a", "A.", NESTED)], "holds a block");
    breaks([block("a", "A.", NO_MEMBERS)], "no members");
    breaks([set("a", "A.").write_only_form()], "is no text");
    breaks([string("a", "A.").write_only_form().filled_text("x")], "set by the service");
    breaks([string("a", "A.").computed().replaces()], "cannot make a new object");
    breaks([string("a", "A.").with(&["b"])], "no sibling");

    let with = |change: fn(&mut Resource)| -> &'static Resource {
        let mut resource = Resource { attributes: ATTRIBUTES, identity: &["id"], title: "id", rules: &[], ..copy(&ONLY) };
        change(&mut resource);
        Box::leak(Box::new(resource))
    };
    told(with(|resource| resource.identity = &["nobody"]), "no attribute");
    told(with(|resource| resource.identity = &["name"]), "may change");
    told(with(|resource| resource.identity = &[]), "no identity");
    told(with(|resource| resource.title = "secret"), "is sensitive");
    told(with(|resource| resource.title = "nobody"), "is no attribute");
    told(with(|resource| resource.import = Import::Key { attributes: &["name"], example: "x" }), "not a required single value");
    told(
        with(|resource| resource.import = Import::Key { attributes: &["name", "secret"], example: "x" }),
        "example of an import ID",
    );
    told(with(|resource| resource.rules = &[Rule::Requires("name", "nobody")]), "names \"nobody\"");
    told(with(|resource| resource.about = "No period"), "period");
    told(with(|resource| resource.version = 2), "one step from each older version");
}

#[test]
fn a_resource_page_has_the_registry_s_layout() {
    let page = resource_page(
        &CATALOG,
        &PAIR,
        "resource \"demo_test_pair\" \"example\" {\n}\n",
        "terraform import demo_test_pair.example IncomingMail/7\n",
    );
    insta::assert_snapshot!(page);
}

#[test]
fn nested_schemas_stand_below_with_anchors() {
    let page = resource_page(&CATALOG, &THING, "", "terraform import demo_test_thing.example thing");
    for part in [
        "subcategory: \"Test\"\ndescription: |-\n  Holds one of everything.\n---",
        "- `actions` (Block, Optional) What it does. (see [below for nested schema](#nestedblock--actions))",
        "<a id=\"nestedblock--actions\"></a>\n### Nested Schema for `actions`\n\nOptional:\n",
        "- `header_value_wo` (String, Sensitive, [Write-only](",
        "### Nested Schema for `report`\n\nRead-Only:\n",
        "- `members` (Attributes Set)",
        "- `destination` (Block List) Where it goes. (see [below for nested schema](#nestedblock--destination))",
        "- `report` (Attributes) What the service says of it. (see [below for nested schema](#nestedatt--report))",
        "- `tags` (Map of String)",
        "The ID is the name or the GUID.",
    ] {
        assert!(page.contains(part), "{part}\n\n{page}");
    }
}

#[test]
fn the_other_pages_have_the_registry_s_layout() {
    let data = data_source_page(&CATALOG, CATALOG.data_sources[0], "data \"demo_test_thing\" \"x\" {}");
    assert!(data.contains("# demo_test_thing (Data Source)\n\nReads a thing.\n\n## Example Usage"), "{data}");
    assert!(data.contains("### Read-Only\n\n- `found` (Attributes List) What was found."), "{data}");
    let function = function_page(&CATALOG, CATALOG.functions[0], "");
    assert!(function.contains("```text\ndouble(text string) string\n```"), "{function}");
    assert!(function.contains("1. `text` (String) The text."), "{function}");
    let index = index_page(&CATALOG, "Does it all. And more.\n\n## How\n\nSo.\n", "provider \"demo\" {}");
    let order = ["And more.", "## Example Usage", "provider \"demo\" {}", "## How\n\nSo.\n\n", "## Schema"];
    let places: Vec<_> = order.iter().map(|part| index.find(part).unwrap_or_else(|| panic!("{part}\n{index}"))).collect();
    assert!(places.is_sorted(), "{index}");
    assert!(index.contains("page_title: \"demo Provider\"") && index.contains("  Does it all.\n---"), "{index}");
    assert!(index.contains("- `password` (String, Sensitive) Opens it."), "{index}");
}
