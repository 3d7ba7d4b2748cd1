//! What is offered, in the form of the wire: everything here is a function of the catalog.

use std::collections::BTreeMap;

use crate::plugin::wire::tfplugin6 as wire;
use crate::schema::engine::{self, Column, Shape};
use crate::schema::{Catalog, DataSource, Function, Import, Resource};
use crate::value::Type;

/// What this server does beyond the base of the protocol.
pub(super) const CAPABILITIES: wire::ServerCapabilities = wire::ServerCapabilities {
    plan_destroy: true,
    get_provider_schema_optional: true,
    move_resource_state: true,
    generate_resource_config: true,
};

/// The full name of a resource or data source.
pub(super) fn type_name(catalog: &Catalog, name: &str) -> String {
    format!("{}_{name}", catalog.name)
}

/// The names of all that is offered.
pub(super) fn metadata(catalog: &Catalog) -> wire::get_metadata::Response {
    use wire::get_metadata::{DataSourceMetadata, FunctionMetadata, ListResourceMetadata, ResourceMetadata};
    let mut response = wire::get_metadata::Response {
        server_capabilities: Some(CAPABILITIES),
        data_sources: catalog
            .data_sources
            .iter()
            .map(|source| DataSourceMetadata { type_name: type_name(catalog, source.name) })
            .collect(),
        resources: catalog
            .resources
            .iter()
            .map(|resource| ResourceMetadata { type_name: type_name(catalog, resource.name) })
            .collect(),
        list_resources: catalog
            .resources
            .iter()
            .filter(|resource| is_listed(resource))
            .map(|resource| ListResourceMetadata { type_name: type_name(catalog, resource.name) })
            .collect(),
        functions: catalog.functions.iter().map(|function| FunctionMetadata { name: function.name.to_owned() }).collect(),
        ..Default::default()
    };
    response.data_sources.sort_by(|one, other| one.type_name.cmp(&other.type_name));
    response.resources.sort_by(|one, other| one.type_name.cmp(&other.type_name));
    response.list_resources.sort_by(|one, other| one.type_name.cmp(&other.type_name));
    response.functions.sort_by(|one, other| one.name.cmp(&other.name));
    response
}

/// All that is offered, with schemas.
pub(super) fn provider_schema(catalog: &Catalog) -> wire::get_provider_schema::Response {
    wire::get_provider_schema::Response {
        provider: Some(schema(0, "", engine::settings_columns(catalog))),
        resource_schemas: catalog
            .resources
            .iter()
            .map(|resource| (type_name(catalog, resource.name), resource_schema(resource)))
            .collect(),
        data_source_schemas: catalog
            .data_sources
            .iter()
            .map(|source| (type_name(catalog, source.name), data_source_schema(source)))
            .collect(),
        list_resource_schemas: catalog
            .resources
            .iter()
            .filter(|resource| is_listed(resource))
            .map(|resource| (type_name(catalog, resource.name), list_schema(resource)))
            .collect(),
        functions: functions(catalog),
        server_capabilities: Some(CAPABILITIES),
        ..Default::default()
    }
}

fn resource_schema(resource: &Resource) -> wire::Schema {
    schema(resource.version, resource.about, engine::resource_columns(resource))
}

/// Tells whether the objects of a resource can be listed: the host asks for their identity.
pub(super) fn is_listed(resource: &Resource) -> bool {
    !resource.identity.is_empty()
}

/// The inside of the block `config`.
fn list_schema(resource: &Resource) -> wire::Schema {
    schema(0, resource.about, engine::list_columns(resource))
}

fn data_source_schema(source: &DataSource) -> wire::Schema {
    schema(0, source.about, engine::data_columns(source))
}

fn schema(version: i64, about: &str, columns: Vec<Column>) -> wire::Schema {
    wire::Schema { version, block: Some(wire::schema::Block { version, ..block(about, columns) }) }
}

/// What stands in one pair of braces: attributes, and blocks of their own.
fn block(about: &str, columns: Vec<Column>) -> wire::schema::Block {
    let (blocks, plain): (Vec<Column>, Vec<Column>) = columns.into_iter().partition(|column| column.shape.is_block());
    let mut block_types: Vec<_> = blocks.into_iter().filter_map(nested_block).collect();
    block_types.sort_by(|one, other| one.type_name.cmp(&other.type_name));
    wire::schema::Block {
        attributes: attributes(plain),
        block_types,
        description: about.to_owned(),
        description_kind: wire::StringKind::Markdown.into(),
        ..Default::default()
    }
}

fn nested_block(column: Column) -> Option<wire::schema::NestedBlock> {
    use wire::schema::nested_block::NestingMode;
    let least = i64::from(column.required);
    let (members, nesting, most) = match column.shape {
        // The host wants the same limit twice for a block that cannot be repeated.
        Shape::Block(members) => (members, NestingMode::Single, least),
        Shape::BlockList(members) => (members, NestingMode::List, 0),
        Shape::Plain(_) | Shape::Object(_) | Shape::ListOf(_) | Shape::SetOf(_) => return None,
    };
    Some(wire::schema::NestedBlock {
        type_name: column.name.into_owned(),
        block: Some(wire::schema::Block {
            deprecated: column.deprecated.is_some(),
            deprecation_message: column.deprecated.unwrap_or_default().to_owned(),
            ..block(&column.about, members)
        }),
        nesting: nesting.into(),
        min_items: least,
        max_items: most,
    })
}

fn attributes(columns: Vec<Column>) -> Vec<wire::schema::Attribute> {
    let mut attributes: Vec<_> = columns.into_iter().map(attribute).collect();
    attributes.sort_by(|one, other| one.name.cmp(&other.name));
    attributes
}

fn attribute(column: Column) -> wire::schema::Attribute {
    use wire::schema::object::NestingMode;
    let nested = |members: Vec<Column>, nesting: NestingMode| {
        Some(wire::schema::Object { attributes: attributes(members), nesting: nesting.into(), ..Default::default() })
    };
    // The host refuses a provider that sets both.
    let (plain, nested_type) = match column.shape {
        Shape::Plain(ty) => (type_constraint(&ty), None),
        Shape::Object(members) | Shape::Block(members) => (Vec::new(), nested(members, NestingMode::Single)),
        Shape::ListOf(members) | Shape::BlockList(members) => (Vec::new(), nested(members, NestingMode::List)),
        Shape::SetOf(members) => (Vec::new(), nested(members, NestingMode::Set)),
    };
    wire::schema::Attribute {
        name: column.name.into_owned(),
        r#type: plain,
        nested_type,
        description: column.about.into_owned(),
        description_kind: wire::StringKind::Markdown.into(),
        required: column.required,
        optional: column.optional,
        computed: column.computed,
        sensitive: column.sensitive,
        write_only: column.write_only,
        deprecated: column.deprecated.is_some(),
        deprecation_message: column.deprecated.unwrap_or_default().to_owned(),
    }
}

/// All functions by name.
pub(super) fn functions(catalog: &Catalog) -> BTreeMap<String, wire::Function> {
    catalog.functions.iter().map(|function| (function.name.to_owned(), signature(function))).collect()
}

fn signature(function: &Function) -> wire::Function {
    let parameters = function.parameters.iter().map(|parameter| wire::function::Parameter {
        name: parameter.name.to_owned(),
        r#type: type_constraint(&(parameter.value_type)()),
        description: parameter.about.to_owned(),
        description_kind: wire::StringKind::Markdown.into(),
        ..Default::default()
    });
    wire::Function {
        parameters: parameters.collect(),
        r#return: Some(wire::function::Return { r#type: type_constraint(&(function.returns)()) }),
        summary: first_sentence(function.about).to_owned(),
        description: function.about.to_owned(),
        description_kind: wire::StringKind::Markdown.into(),
        ..Default::default()
    }
}

/// The identities of all resources that have one.
pub(super) fn identity_schemas(catalog: &Catalog) -> BTreeMap<String, wire::ResourceIdentitySchema> {
    let schemas = catalog
        .resources
        .iter()
        .filter_map(|resource| identity_schema(resource).map(|schema| (type_name(catalog, resource.name), schema)));
    schemas.collect()
}

fn identity_schema(resource: &Resource) -> Option<wire::ResourceIdentitySchema> {
    let columns = engine::identity_columns(resource);
    let count = columns.len();
    let attributes = columns.into_iter().map(|column| {
        let required = needed_for_import(resource, &column.name, count);
        wire::resource_identity_schema::IdentityAttribute {
            r#type: type_constraint(&column.value_type()),
            name: column.name.into_owned(),
            required_for_import: required,
            optional_for_import: !required,
            description: column.about.into_owned(),
        }
    });
    (count > 0).then(|| wire::ResourceIdentitySchema { version: 0, identity_attributes: attributes.collect() })
}

/// An object is found by the whole key, or by the one text that is looked up; any of several texts will do.
fn needed_for_import(resource: &Resource, name: &str, of: usize) -> bool {
    match resource.import {
        Import::Key { attributes, .. } => attributes.contains(&name),
        Import::Lookup { .. } => of == 1,
        Import::Singleton { .. } => false,
    }
}

/// A type in the form of the wire.
fn type_constraint(ty: &Type) -> Vec<u8> {
    ty.to_json().to_string().into_bytes()
}

/// The text up to the first full stop that ends a sentence.
fn first_sentence(text: &str) -> &str {
    text.split_once(". ").map_or(text.trim_end_matches('.'), |(first, _)| first)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn column(name: &'static str, shape: Shape) -> Column {
        Column {
            name: Cow::Borrowed(name),
            about: Cow::Borrowed("About."),
            shape,
            required: false,
            optional: true,
            computed: true,
            sensitive: false,
            write_only: false,
            deprecated: None,
        }
    }

    #[test]
    fn a_deprecated_argument_says_so_and_what_to_write_instead() {
        let old = attribute(Column { deprecated: Some("Use `new`."), ..column("old", Shape::Plain(Type::Bool)) });
        assert_eq!((old.deprecated, old.deprecation_message.as_str()), (true, "Use `new`."));
        let block = nested_block(Column { deprecated: Some("Use `new`."), ..column("old", Shape::Block(Vec::new())) }).unwrap();
        let block = block.block.unwrap();
        assert_eq!((block.deprecated, block.deprecation_message.as_str()), (true, "Use `new`."));
        assert!(!attribute(column("new", Shape::Plain(Type::Bool))).deprecated);
    }

    #[test]
    fn point_49_an_attribute_has_a_type_or_a_nested_type_and_never_both() {
        let nested = attribute(column(
            "nested",
            Shape::ListOf(vec![column("b", Shape::Plain(Type::Bool)), column("a", Shape::Plain(Type::Bool))]),
        ));
        assert!(nested.r#type.is_empty());
        let object = nested.nested_type.unwrap();
        assert_eq!(object.nesting(), wire::schema::object::NestingMode::List);
        assert_eq!(object.attributes.iter().map(|member| member.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        let plain = attribute(column("plain", Shape::Plain(Type::String)));
        assert!(plain.nested_type.is_none());
        assert_eq!(plain.r#type, br#""string""#);
    }

    #[test]
    fn point_49_a_block_stands_beside_the_attributes_and_its_limits_are_the_host_s() {
        use wire::schema::nested_block::NestingMode;
        let members = || vec![column("b", Shape::Plain(Type::Bool)), column("a", Shape::Plain(Type::Bool))];
        let required = Column { required: true, ..column("many_needed", Shape::BlockList(members())) };
        let one_needed = Column { required: true, ..column("needed", Shape::Block(members())) };
        let outer = Shape::Block(vec![column("inner", Shape::BlockList(members())), column("plain", Shape::Plain(Type::Bool))]);
        let columns = vec![
            column("plain", Shape::Plain(Type::Bool)),
            column("outer", outer),
            required,
            one_needed,
            column("many", Shape::BlockList(members())),
        ];
        let found = block("About.", columns);
        assert_eq!(found.attributes.iter().map(|attribute| attribute.name.as_str()).collect::<Vec<_>>(), ["plain"]);
        let told: Vec<_> = found
            .block_types
            .iter()
            .map(|block| (block.type_name.as_str(), block.nesting(), block.min_items, block.max_items))
            .collect();
        let wanted = [
            ("many", NestingMode::List, 0, 0),
            ("many_needed", NestingMode::List, 1, 0),
            ("needed", NestingMode::Single, 1, 1),
            ("outer", NestingMode::Single, 0, 0),
        ];
        assert_eq!(told, wanted);
        let inner = found.block_types[3].block.as_ref().unwrap();
        assert_eq!((inner.block_types[0].type_name.as_str(), inner.description.as_str()), ("inner", "About."));
    }

    #[test]
    fn a_summary_is_the_first_sentence() {
        assert_eq!(first_sentence("Makes a filter. Refuses 1.5."), "Makes a filter");
        assert_eq!(first_sentence("Makes a filter."), "Makes a filter");
    }
}
