//! Pages in the layout of the public registry: front matter, example, what must hold, schema (required, optional, read-only,
//! nested schemas with anchors), import.

use super::rules;
use super::{Column, ID, Shape, data_columns, identity_columns, list_columns, parse_key, resource_columns, settings_columns};
use crate::schema::{Catalog, DataSource, Function, Import, Record, Resource, Rule, capital};
use crate::value::{Type, Value};

/// A heading of a schema, and the columns that stand under it.
type Group = (&'static str, fn(&Column) -> bool);

const WRITE_ONLY: &str =
    "[Write-only](https://developer.hashicorp.com/terraform/language/resources/ephemeral#write-only-arguments)";

/// Makes the page of a resource. `example` is its configuration, `import_example` the command that imports one
/// (`terraform import ADDRESS 'ID'`).
pub fn resource_page(catalog: &Catalog, resource: &Resource, example: &str, import_example: &str) -> String {
    let name = full_name(catalog, resource.name);
    let mut page = Page::new(&format!("{name} Resource - {}", catalog.name), &subcategory(resource.name), resource.about);
    page.title(&format!("{name} (Resource)"), resource.about);
    page.example(example);
    page.rules(resource.rules);
    page.schema(&resource_columns(resource));
    import(&mut page, &name, resource, import_example);
    page.finish()
}

/// Makes the page of a resource's list. `example` is a query that lists such objects.
pub fn list_page(catalog: &Catalog, resource: &Resource, example: &str) -> String {
    let name = full_name(catalog, resource.name);
    let about = format!(
        "Lists the objects of the kind {}, to be taken over with `terraform query` (Terraform 1.14 or later).",
        resource.noun
    );
    let mut page = Page::new(&format!("{name} List Resource - {}", catalog.name), &subcategory(resource.name), &about);
    page.title(&format!("{name} (List Resource)"), &about);
    page.example(example);
    let columns = list_columns(resource);
    page.add(if columns.is_empty() {
        "There is nothing to narrow it down by. "
    } else {
        "The arguments stand in the block `config` and narrow the list down: an object is listed if it has all of the given values. "
    });
    page.add(&format!(
        "What is sensitive is left out of the results. [The resource](../resources/{}.md) tells what `include_resource` adds.\n\n",
        resource.name
    ));
    if !columns.is_empty() {
        page.schema(&columns);
    }
    page.finish()
}

/// Makes the page of a data source. `example` is its configuration.
pub fn data_source_page(catalog: &Catalog, source: &DataSource, example: &str) -> String {
    let name = full_name(catalog, source.name);
    let mut page = Page::new(&format!("{name} Data Source - {}", catalog.name), &subcategory(source.name), source.about);
    page.title(&format!("{name} (Data Source)"), source.about);
    page.example(example);
    page.rules(source.rules);
    page.schema(&data_columns(source));
    page.finish()
}

/// Makes the page of a function. `example` is a configuration that calls it.
pub fn function_page(catalog: &Catalog, function: &Function, example: &str) -> String {
    let name = function.name;
    let mut page = Page::new(&format!("{name} function - {}", catalog.name), "", function.about);
    page.title(&format!("function: {name}"), function.about);
    page.example(example);
    let parameters: Vec<String> =
        function.parameters.iter().map(|parameter| format!("{} {}", parameter.name, word(&(parameter.value_type)()))).collect();
    let signature = format!("{name}({}) {}", parameters.join(", "), word(&(function.returns)()));
    page.add(&format!("## Signature\n\n```text\n{signature}\n```\n\n## Arguments\n\n"));
    for (position, parameter) in function.parameters.iter().enumerate() {
        let kind = label(&(parameter.value_type)());
        page.add(&format!("{}. `{}` ({kind}) {}\n", position + 1, parameter.name, parameter.about));
    }
    page.finish()
}

/// Makes the first page, of the provider itself. `text` is its prose: what the provider is for and, from the first heading on,
/// what a reader must know to set it up; `example` is a provider block, which stands before that heading.
pub fn index_page(catalog: &Catalog, text: &str, example: &str) -> String {
    let (about, sections) = text.find("\n## ").map_or((text, ""), |at| text.split_at(at));
    let mut page = Page::new(&format!("{} Provider", catalog.name), "", about);
    page.title(&format!("{} Provider", catalog.name), about);
    page.example(example);
    if !sections.is_empty() {
        page.add(&format!("{}\n\n", sections.trim()));
    }
    page.rules(catalog.setting_rules);
    page.schema(&settings_columns(catalog));
    page.finish()
}

fn import(page: &mut Page, name: &str, resource: &Resource, command: &str) {
    let (about, id) = match resource.import {
        Import::Lookup { about, example } => (format!("The ID is {}.", about.trim_end_matches('.')), example),
        Import::Key { attributes: [only], example } => (format!("The ID is the value of `{only}`."), example),
        Import::Key { attributes, example } => {
            (format!("The ID is `{}`; only the last part may itself contain a `/`.", attributes.join("/")), example)
        }
        Import::Singleton { word } => (format!("There is one such object; the ID is always `{word}`."), word),
    };
    // The object of the example, so that both can be pasted together.
    let address = command.split_whitespace().find(|word| word.starts_with(&format!("{name}.")));
    let address = address.map_or_else(|| format!("{name}.example"), str::to_owned);
    let id = literal(id);
    page.add(&format!(
        "## Import\n\n{about} An `import` block takes over an existing object as it is:\n\n```terraform\nimport {{\n  to = {address}\n  id \
         = {id}\n}}\n```\n\nThe command does the same:\n\n```shell\n{}\n```\n",
        command.trim()
    ));
    let identity = identity_columns(resource);
    let known = match resource.import {
        Import::Key { example, .. } => parse_key(resource, example).ok(),
        Import::Singleton { word } => parse_key(resource, word).ok(),
        // Only the service knows the rest, and the `id` that it gives is a GUID.
        Import::Lookup { .. } => Some(Record::new().with(ID.name, "0ab1e768-08b0-4768-81e2-64d6f990c552")),
    };
    let named = known.and_then(|record| {
        let width = identity.iter().map(|column| column.name.len()).max()?;
        let line = |column: &Column| Some(format!("    {:width$} = {}\n", column.name, value_literal(record.get(&column.name))?));
        identity.iter().map(line).collect::<Option<String>>()
    });
    if let Some(lines) = named {
        page.add(&format!(
            "\nIn Terraform 1.12 and later the object can also be named by its identity:\n\n```terraform\nimport {{\n  to = {address}\n  \
             identity = {{\n{lines}  }}\n}}\n```\n"
        ));
    }
}

struct Page {
    text: String,
}

impl Page {
    fn new(title: &str, subcategory: &str, about: &str) -> Page {
        let sentence = first_sentence(about);
        Page { text: format!("---\npage_title: {title:?}\nsubcategory: {subcategory:?}\ndescription: |-\n  {sentence}\n---\n\n") }
    }

    fn add(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn title(&mut self, title: &str, about: &str) {
        self.add(&format!("# {title}\n\n{}\n\n", about.trim()));
    }

    fn rules(&mut self, rules: &[Rule]) {
        if rules.is_empty() {
            return;
        }
        self.add("## What must hold\n\nThis is checked when the configuration is validated:\n\n");
        for rule in rules {
            self.add(&format!("- {}\n", rules::about(rule)));
        }
        self.add("\n");
    }

    fn example(&mut self, example: &str) {
        if !example.trim().is_empty() {
            self.add(&format!("## Example Usage\n\n```terraform\n{}\n```\n\n", example.trim()));
        }
    }

    fn schema(&mut self, columns: &[Column]) {
        self.add("## Schema\n");
        let mut nested = Vec::new();
        self.groups(columns, "### ", "", &mut nested);
        // Each nested schema may hold further ones, which follow it.
        nested.reverse();
        while let Some((path, shape)) = nested.pop() {
            self.add(&format!("\n<a id=\"{}\"></a>\n### Nested Schema for `{path}`\n", anchor(&path, shape)));
            let mut inner = Vec::new();
            self.groups(shape.members().unwrap_or_default(), "", &path, &mut inner);
            inner.reverse();
            nested.extend(inner);
        }
        self.add("\n");
    }

    fn groups<'a>(&mut self, columns: &'a [Column], mark: &str, path: &str, nested: &mut Vec<(String, &'a Shape)>) {
        let colon = if mark.is_empty() { ":" } else { "" };
        let groups: [Group; 3] = [
            ("Required", |column| column.required),
            ("Optional", |column| column.optional),
            ("Read-Only", |column| !column.required && !column.optional),
        ];
        for (heading, belongs) in groups {
            let mut group: Vec<&Column> = columns.iter().filter(|column| belongs(column)).collect();
            if group.is_empty() {
                continue;
            }
            group.sort_by(|one, other| one.name.cmp(&other.name));
            self.add(&format!("\n{mark}{heading}{colon}\n\n"));
            for column in group {
                let mut line = format!("- `{}` ({}) {}", column.name, kind(column), column.about);
                if column.shape.members().is_some() {
                    let inside = if path.is_empty() { column.name.to_string() } else { format!("{path}.{}", column.name) };
                    line.extend([" (see [below for nested schema](#", &anchor(&inside, &column.shape), "))"]);
                    nested.push((inside, &column.shape));
                }
                line.push('\n');
                self.add(&line);
            }
        }
    }

    fn finish(self) -> String {
        format!("{}\n", self.text.trim_end())
    }
}

/// What the registry calls the place of a nested schema.
fn anchor(path: &str, shape: &Shape) -> String {
    format!("{}--{}", if shape.is_block() { "nestedblock" } else { "nestedatt" }, path.replace('.', "--"))
}

fn kind(column: &Column) -> String {
    let mut kind = match &column.shape {
        Shape::Plain(ty) => label(ty),
        Shape::Object(_) => "Attributes".to_owned(),
        Shape::ListOf(_) => "Attributes List".to_owned(),
        Shape::SetOf(_) => "Attributes Set".to_owned(),
        Shape::Block(_) => format!("Block, {}", if column.required { "Required" } else { "Optional" }),
        Shape::BlockList(_) => format!("Block List{}", if column.required { ", Min: 1" } else { "" }),
    };
    if column.sensitive {
        kind.push_str(", Sensitive");
    }
    if column.write_only {
        kind.push_str(", ");
        kind.push_str(WRITE_ONLY);
    }
    if column.deprecated.is_some() {
        kind.push_str(", Deprecated");
    }
    kind
}

/// The registry's name of a type.
fn label(ty: &Type) -> String {
    match ty {
        Type::String => "String".to_owned(),
        Type::Number => "Number".to_owned(),
        Type::Bool => "Boolean".to_owned(),
        Type::Dynamic => "Dynamic".to_owned(),
        Type::List(element) => format!("List of {}", label(element)),
        Type::Set(element) => format!("Set of {}", label(element)),
        Type::Map(element) => format!("Map of {}", label(element)),
        Type::Object(_) => "Object".to_owned(),
        Type::Tuple(_) => "Tuple".to_owned(),
    }
}

/// The name of a type in a function's signature.
fn word(ty: &Type) -> String {
    label(ty).to_lowercase()
}

fn full_name(catalog: &Catalog, name: &str) -> String {
    format!("{}_{name}", catalog.name)
}

/// The heading under which the registry lists a page: the side that the name begins with.
fn subcategory(name: &str) -> String {
    let side = name.split('_').next().unwrap_or_default();
    if side.len() <= 3 { side.to_uppercase() } else { capital(side) }
}

/// The first sentence, in one line and without the marks of Markdown.
fn first_sentence(about: &str) -> String {
    let flat = about.split_whitespace().collect::<Vec<_>>().join(" ").replace('`', "");
    match flat.split_once(". ") {
        Some((first, _)) => format!("{first}."),
        None => flat,
    }
}

/// A text as a literal of the configuration language.
fn literal(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace("${", "$${").replace("%{", "%%{");
    format!("\"{escaped}\"")
}

fn value_literal(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(literal(text)),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}
