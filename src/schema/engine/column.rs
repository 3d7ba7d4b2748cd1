//! The schema as Terraform sees it.

use std::borrow::Cow;

use super::about::{about, about_id, about_limit, about_standing, about_version, about_write_only};
use super::standing::{Stands, can_stand, of_resource};
use super::{ID, TIMEOUTS, attribute, attributes};
use crate::schema::{Attribute, Catalog, DataSource, Kind, Presence, Resource, filters};
use crate::value::Type;

/// One attribute of a schema. An attribute of a table makes one of these, or three where it has a write-only form.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "these are the flags of the plugin protocol, one each")]
pub struct Column {
    /// The name that the user types.
    pub name: Cow<'static, str>,
    /// What it is, in Markdown, with its choices, limits and default.
    pub about: Cow<'static, str>,
    /// What it holds.
    pub shape: Shape,
    /// The user must write it.
    pub required: bool,
    /// The user may write it.
    pub optional: bool,
    /// The service may set it.
    pub computed: bool,
    /// Terraform hides it in its output.
    pub sensitive: bool,
    /// It is never stored.
    pub write_only: bool,
    /// Why it should no longer be written, and what to write instead.
    pub deprecated: Option<&'static str>,
}

/// What a [`Column`] holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Values of a type.
    Plain(Type),
    /// One object.
    Object(Vec<Column>),
    /// A list of objects.
    ListOf(Vec<Column>),
    /// A set of objects.
    SetOf(Vec<Column>),
    /// One block, or none.
    Block(Vec<Column>),
    /// A block that may be repeated.
    BlockList(Vec<Column>),
}

impl Shape {
    /// The columns of the object, or of each object of the collection.
    pub fn members(&self) -> Option<&[Column]> {
        match self {
            Shape::Object(members)
            | Shape::ListOf(members)
            | Shape::SetOf(members)
            | Shape::Block(members)
            | Shape::BlockList(members) => Some(members),
            Shape::Plain(_) => None,
        }
    }

    /// Tells whether it is written as a block.
    pub fn is_block(&self) -> bool {
        matches!(self, Shape::Block(_) | Shape::BlockList(_))
    }
}

impl Column {
    /// The type of its values.
    pub fn value_type(&self) -> Type {
        match &self.shape {
            Shape::Plain(ty) => ty.clone(),
            Shape::Object(members) | Shape::Block(members) => columns_type(members),
            Shape::ListOf(members) | Shape::BlockList(members) => Type::List(Box::new(columns_type(members))),
            Shape::SetOf(members) => Type::Set(Box::new(columns_type(members))),
        }
    }
}

fn columns_type(columns: &[Column]) -> Type {
    Type::Object(columns.iter().map(|column| (column.name.clone().into_owned(), column.value_type())).collect())
}

/// The columns of a table, in its order; those of a write-only form follow their attribute.
pub fn columns(attributes: &[Attribute]) -> Vec<Column> {
    columns_of(attributes, Owner::Both)
}

/// The columns of a resource: `id`, its table, `timeouts`.
pub fn resource_columns(resource: &Resource) -> Vec<Column> {
    let mut columns = columns_of(attributes(resource), Owner::Both);
    for column in &mut columns {
        // What is left out may be what stands, and that is not the user's word.
        if let Some(stands) = of_resource(resource)
            && let Some(attribute) = attribute(resource, &column.name).filter(|attribute| can_stand(attribute))
        {
            column.computed = true;
            column.about = about_standing(attribute, stands == Stands::Always);
        }
        if column.name == ID.name {
            column.about = about_id(resource);
        } else if column.name == TIMEOUTS.name
            && let Shape::Object(limits) | Shape::Block(limits) = &mut column.shape
        {
            for limit in limits {
                let seconds = if limit.name == "read" { resource.timeouts.read } else { resource.timeouts.write };
                limit.about.to_mut().push_str(&about_limit(seconds));
            }
        }
    }
    columns
}

/// The columns of a data source.
pub fn data_columns(source: &DataSource) -> Vec<Column> {
    columns_of(source.attributes, Owner::Both)
}

/// The columns of a resource's list: what it can be narrowed down by.
pub fn list_columns(resource: &Resource) -> Vec<Column> {
    columns_of(filters(resource).iter(), Owner::User)
}

/// The columns of the provider block. Nothing in it is computed: defaults are the provider's own matter.
pub fn settings_columns(catalog: &Catalog) -> Vec<Column> {
    columns_of(catalog.settings, Owner::User)
}

/// The columns of a resource's identity, in the table's order of names.
pub fn identity_columns(resource: &Resource) -> Vec<Column> {
    columns_of(resource.identity.iter().filter_map(|name| attribute(resource, name)), Owner::User)
}

/// Who may set what is described.
#[derive(Clone, Copy, PartialEq)]
enum Owner {
    /// The user, and the service where the table says so.
    Both,
    /// The user alone.
    User,
    /// The service alone: what stands inside a computed object.
    Service,
}

fn columns_of<'a>(attributes: impl IntoIterator<Item = &'a Attribute>, owner: Owner) -> Vec<Column> {
    let mut columns = Vec::new();
    for attribute in attributes {
        columns.push(plain(attribute, owner));
        if attribute.write_only_form && owner == Owner::Both {
            columns.push(Column {
                name: Cow::Owned(attribute.write_only_name()),
                about: about_write_only(attribute),
                shape: Shape::Plain(attribute.value_type()),
                required: false,
                optional: true,
                computed: false,
                sensitive: true,
                write_only: true,
                deprecated: attribute.deprecated,
            });
            columns.push(Column {
                name: Cow::Owned(attribute.version_name()),
                about: about_version(attribute),
                shape: Shape::Plain(Type::Number),
                required: false,
                optional: true,
                computed: false,
                sensitive: false,
                write_only: false,
                deprecated: attribute.deprecated,
            });
        }
    }
    columns
}

fn plain(attribute: &Attribute, owner: Owner) -> Column {
    let by_service = owner == Owner::Service || attribute.presence == Presence::Computed;
    let inner = |members: &'static [Attribute]| {
        let owner = if by_service && owner != Owner::User { Owner::Service } else { owner };
        columns_of(members, owner)
    };
    let shape = match attribute.kind {
        Kind::Object(members) => Shape::Object(inner(members)),
        Kind::ListOf(members) => Shape::ListOf(inner(members)),
        Kind::SetOf(members) => Shape::SetOf(inner(members)),
        Kind::Block(members) => Shape::Block(inner(members)),
        Kind::BlockList(members) => Shape::BlockList(inner(members)),
        Kind::Scalar(_) | Kind::List(_) | Kind::Set(_) | Kind::Map(_) => Shape::Plain(attribute.value_type()),
    };
    // Either form of the attribute will do, and only the engine can say that to the user.
    let required = attribute.presence == Presence::Required && !attribute.write_only_form;
    let (required, optional, computed) = match (owner, attribute.presence) {
        (Owner::Service, _) | (Owner::Both, Presence::Computed) => (false, false, true),
        (Owner::User, Presence::Computed | Presence::Filled(_)) => (false, true, false),
        (_, Presence::Filled(_)) => (false, true, true),
        // What it is when it is left out is not the user's word.
        (Owner::Both, Presence::Nullable) if attribute.implied.is_some() => (false, true, true),
        (Owner::Both, Presence::Required | Presence::Nullable) if attribute.kept_beside.is_some() => (false, true, true),
        (_, Presence::Required | Presence::Nullable) => (required, !required, false),
    };
    Column {
        name: Cow::Borrowed(attribute.name),
        about: about(attribute),
        shape,
        required,
        optional,
        computed,
        sensitive: attribute.sensitive,
        write_only: false,
        deprecated: attribute.deprecated,
    }
}
