//! One attribute, described once.

use super::{Anatomy, Overlaps, Record};
use crate::value::{Type, Value};

/// The type of a single value, or of the elements of a plain collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// Text.
    String,
    /// True or false.
    Boolean,
    /// A whole number that fits 64 bits.
    Integer,
    /// Any decimal number.
    Number,
}

/// What an attribute holds.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A single value.
    Scalar(Scalar),
    /// An ordered list of single values.
    List(Scalar),
    /// An unordered set of single values.
    Set(Scalar),
    /// Single values by name.
    Map(Scalar),
    /// One object: `x = { … }`.
    Object(&'static [Attribute]),
    /// An ordered list of objects.
    ListOf(&'static [Attribute]),
    /// An unordered set of objects. Nothing inside may be write-only.
    SetOf(&'static [Attribute]),
    /// One block, or none: `x { … }`. Terraform refuses a misspelt name in it, which it drops in silence from `x = { … }`.
    Block(&'static [Attribute]),
    /// A block that may be repeated; the order counts. No block at all is the empty list, never null.
    BlockList(&'static [Attribute]),
}

/// Whether the user writes an attribute, and what an unwritten one means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// The user must write it.
    Required,
    /// Unset is null; the service's "nothing" reads as null; the empty spelling is refused with "leave it out".
    Nullable,
    /// Unset means the given value; state always has a value.
    Filled(Fill),
    /// Only the service sets it.
    Computed,
}

/// What a filled attribute is when the user leaves it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// `false`
    False,
    /// `true`
    True,
    /// A whole number.
    Integer(i64),
    /// A text.
    Text(&'static str),
    /// The empty collection.
    Empty,
    /// What the service has: unknown until created, kept afterwards.
    Service,
}

/// When a value that the service sets (computed, or filled by the service and left out) is planned as unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Motion {
    /// Never changes while the object lives (`id`): unknown only on create.
    Fixed,
    /// May change whenever the object is changed: unknown on create and on any planned change.
    WithChange,
    /// Changes with these attributes of the object, and else only through other objects: unknown on create and where one of these is
    /// planned to change. What others move meanwhile is shown by the next refresh.
    With(&'static [&'static str]),
}

/// The other object that a text names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refers {
    /// The resource of the other object.
    pub to: &'static str,
    /// The attributes that both objects have and that are equal: the listener.
    pub within: &'static [&'static str],
}

/// The name of an attribute at the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remote {
    /// The side's rule makes it from the attribute's name.
    Derived,
    /// The rule does not hold; this is the name.
    Named(&'static str),
    /// On an object: the object itself has no name at the service, its members stand side by side with this prefix.
    Flattened(&'static str),
    /// Not known to the service (a switch of the provider's own).
    Local,
    /// It has no name at the service: what stands there and has no attribute ([`UNMANAGED`]).
    Unmanaged,
}

/// How a setting is removed at the service when its argument is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clearing {
    /// Send null.
    Null,
    /// Send null; if elements remain, remove these by name.
    NullThenRemove,
    /// Send the empty text.
    EmptyText,
    /// Send a single space.
    Space,
    /// The service has no safe way: the object is replaced.
    Replace,
    /// The service has no way: an error says so at plan.
    Refused,
}

/// A rule for the form of a text (of each element, for a collection).
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// What is asked for, as the docs say it: "an IPv4 address or a range from `/24` to `/32`".
    pub about: &'static str,
    /// Says what is wrong, and how to mend it.
    pub test: fn(&str) -> Result<(), String>,
    /// No service takes anything else, so that it is asked for when the configuration is validated. What the test says quotes nothing of the text.
    pub is_form: bool,
}

/// Where two texts first differ, as each of them has it there; `None` where they mean the same.
pub type TellDifference = fn(&str, &str) -> Option<[String; 2]>;

/// One line of a table.
#[must_use]
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word of its own in a line of a table")]
pub struct Attribute {
    /// The name that the user types.
    pub name: &'static str,
    /// What it is, in one or two sentences of Markdown, for the docs and the editor.
    pub about: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Who sets it.
    pub presence: Presence,
    /// When a value of the service's is planned as unknown.
    pub motion: Motion,
    /// A change makes a new object.
    pub replaces: bool,
    /// Terraform hides it in its output.
    pub sensitive: bool,
    /// Beside it stand `<name>_wo` (never stored) and `<name>_wo_version`.
    pub write_only_form: bool,
    /// The values that are known; empty: any. For a collection: of each element. The service may have more than these, unless they
    /// are `keywords`.
    pub choices: &'static [&'static str],
    /// The choices are words of the provider's own: there are no others.
    pub keywords: bool,
    /// The text may have more than one line.
    pub lines: bool,
    /// On a sensitive text: left out of an object that exists, it is kept as it stands, as long as these siblings are set and unchanged.
    /// (Terraform writes sensitive values into generated configuration as null.)
    pub kept_beside: Option<&'static [&'static str]>,
    /// On an attribute that names the object: tells which of its values name an object that is always there.
    pub always_there: Option<fn(&str) -> bool>,
    /// On an attribute that names the object: the first one that fits decides, and none can be moved.
    pub first_decides: Option<Overlaps>,
    /// Least and most characters of a text (of each element).
    pub length: Option<(usize, usize)>,
    /// Least and most of a number (of each element).
    pub range: Option<(i64, i64)>,
    /// Most elements of a collection.
    pub most: Option<usize>,
    /// The form of a text (of each element).
    pub format: Option<Format>,
    /// Brings a text (each element) to one spelling: two spellings are the same value if these are equal.
    pub meaning: Option<fn(&str) -> String>,
    /// What the service says, and the user did not spell, is shown in the spelling that `meaning` gives.
    pub shown_as_meant: bool,
    /// The name at the service.
    pub remote: Remote,
    /// How it is removed at the service.
    pub clearing: Clearing,
    /// Siblings that the service wants in the same call whenever this one is sent.
    pub partners: &'static [&'static str],
    /// On a nullable text: left out, it is this text where the named sibling is configured, and null where that is left out too. For what
    /// the service fills in beside a setting, so that writing it out means the same as leaving it out.
    pub implied: Option<&'static (&'static str, &'static str)>,
    /// On a nullable attribute: what holds where it is left out, if that is not "nothing": `the listener's default`.
    pub inherited: Option<&'static str>,
    /// The text (each element) names another object, which must be there when the object is made or changed.
    pub refers: Option<Refers>,
    /// Why it should no longer be written, and what to write instead.
    pub deprecated: Option<&'static str>,
    /// On a value that the service sets: tells by the prior object and its configuration that it is still to be brought about, so that
    /// a plan shows a change although nothing else changes.
    pub pending: Option<fn(&Record, &Record) -> bool>,
    /// On a value that the service sets: gives it from the object as it is to be sent, as far as it follows from that, so that a plan knows it.
    pub derived: Option<fn(&Record) -> Option<Value>>,
    /// Says where two texts first differ in meaning, as each of them has it there, without showing what may be a secret.
    pub difference: Option<TellDifference>,
    /// Tells what a text in a language of its own is made of; `None` for a text that it cannot read.
    pub anatomy: Option<fn(&str) -> Option<Anatomy>>,
}

const fn plain(name: &'static str, about: &'static str, kind: Kind) -> Attribute {
    Attribute {
        name,
        about,
        kind,
        presence: Presence::Nullable,
        motion: Motion::WithChange,
        replaces: false,
        sensitive: false,
        write_only_form: false,
        choices: &[],
        keywords: false,
        lines: false,
        kept_beside: None,
        always_there: None,
        first_decides: None,
        length: None,
        range: None,
        most: None,
        format: None,
        meaning: None,
        shown_as_meant: false,
        remote: Remote::Derived,
        clearing: Clearing::Null,
        partners: &[],
        implied: None,
        inherited: None,
        refers: None,
        deprecated: None,
        pending: None,
        derived: None,
        difference: None,
        anatomy: None,
    }
}

/// A text. Nullable until said otherwise.
pub const fn string(name: &'static str, about: &'static str) -> Attribute {
    plain(name, about, Kind::Scalar(Scalar::String))
}

/// One of a few words of the service, which may learn others. A new value that is nearly one of them is refused, and warned of otherwise.
pub const fn one_of(name: &'static str, about: &'static str, choices: &'static [&'static str]) -> Attribute {
    Attribute { choices, ..string(name, about) }
}

/// One of a few words of the provider's own. The error for any other value lists them.
pub const fn keyword(name: &'static str, about: &'static str, choices: &'static [&'static str]) -> Attribute {
    Attribute { choices, keywords: true, ..string(name, about) }
}

/// True or false.
pub const fn boolean(name: &'static str, about: &'static str) -> Attribute {
    plain(name, about, Kind::Scalar(Scalar::Boolean))
}

/// A whole number.
pub const fn integer(name: &'static str, about: &'static str) -> Attribute {
    plain(name, about, Kind::Scalar(Scalar::Integer))
}

/// A decimal number.
pub const fn number(name: &'static str, about: &'static str) -> Attribute {
    plain(name, about, Kind::Scalar(Scalar::Number))
}

/// A set of texts.
pub const fn set(name: &'static str, about: &'static str) -> Attribute {
    plain(name, about, Kind::Set(Scalar::String))
}

/// A list of texts whose order matters.
pub const fn list(name: &'static str, about: &'static str) -> Attribute {
    plain(name, about, Kind::List(Scalar::String))
}

/// Texts by name.
pub const fn map(name: &'static str, about: &'static str) -> Attribute {
    plain(name, about, Kind::Map(Scalar::String))
}

/// One object.
pub const fn object(name: &'static str, about: &'static str, members: &'static [Attribute]) -> Attribute {
    plain(name, about, Kind::Object(members))
}

/// A list of objects whose order matters.
pub const fn list_of(name: &'static str, about: &'static str, members: &'static [Attribute]) -> Attribute {
    plain(name, about, Kind::ListOf(members))
}

/// A set of objects.
pub const fn set_of(name: &'static str, about: &'static str, members: &'static [Attribute]) -> Attribute {
    plain(name, about, Kind::SetOf(members))
}

/// One block, or none.
pub const fn block(name: &'static str, about: &'static str, members: &'static [Attribute]) -> Attribute {
    plain(name, about, Kind::Block(members))
}

/// A block that may be repeated, in an order that counts.
pub const fn block_list(name: &'static str, about: &'static str, members: &'static [Attribute]) -> Attribute {
    plain(name, about, Kind::BlockList(members))
}

/// What stands at the service and has no attribute: a line for the table of every resource whose reader tells it, in its records, under this
/// name. A reader that cannot tell it leaves it out. Its elements are texts that stay the same as long as what they stand for does, and hold
/// no secret.
///
/// The provider never writes such settings. Left out, the plan warns while they differ from what the last apply or import saw. Written, they are
/// all that may stand: anything else is a planned change, which apply refuses with what to remove by hand.
pub const UNMANAGED: Attribute = Attribute {
    remote: Remote::Unmanaged,
    ..set(
        "unmanaged",
        "Settings of the object that this provider has no argument for, and never changes. Left out, the plan warns while they differ from what the \
         last apply or import found. To accept those that stand, list them; any other is then a planned change, and apply refuses it with what to \
         remove by hand. `[]` accepts none. A new object has none.",
    )
    .filled_by_service()
    .moved_by(&[])
};

impl Attribute {
    /// Left out, it is the second text wherever the sibling, which is the first, is configured.
    pub const fn implied_beside(self, sibling_and_text: &'static (&'static str, &'static str)) -> Attribute {
        Attribute { implied: Some(sibling_and_text), ..self }
    }

    /// Left out, this holds, which the service takes from elsewhere: null is a third value beside true and false.
    pub const fn inherited(self, from: &'static str) -> Attribute {
        Attribute { inherited: Some(from), ..self }
    }

    /// The user must write it.
    pub const fn required(self) -> Attribute {
        Attribute { presence: Presence::Required, ..self }
    }

    /// Left out, it is the empty collection.
    pub const fn filled_empty(self) -> Attribute {
        Attribute { presence: Presence::Filled(Fill::Empty), ..self }
    }

    /// Left out, it is this truth value.
    pub const fn filled(self, truth: bool) -> Attribute {
        Attribute { presence: Presence::Filled(if truth { Fill::True } else { Fill::False }), ..self }
    }

    /// Left out, it is this text.
    pub const fn filled_text(self, text: &'static str) -> Attribute {
        Attribute { presence: Presence::Filled(Fill::Text(text)), ..self }
    }

    /// Left out, it is this number.
    pub const fn filled_integer(self, number: i64) -> Attribute {
        Attribute { presence: Presence::Filled(Fill::Integer(number)), ..self }
    }

    /// Left out, it is what the service makes it; unknown until created, then kept.
    pub const fn filled_by_service(self) -> Attribute {
        Attribute { presence: Presence::Filled(Fill::Service), motion: Motion::Fixed, ..self }
    }

    /// Only the service sets it, and it may change with any change of the object.
    pub const fn computed(self) -> Attribute {
        Attribute { presence: Presence::Computed, motion: Motion::WithChange, ..self }
    }

    /// What the service sets never changes while the object lives.
    pub const fn fixed(self) -> Attribute {
        Attribute { motion: Motion::Fixed, ..self }
    }

    /// What the service sets may change whenever the object changes.
    pub const fn moving(self) -> Attribute {
        Attribute { motion: Motion::WithChange, ..self }
    }

    /// What the service sets changes with these attributes, and else only through other objects.
    pub const fn moved_by(self, attributes: &'static [&'static str]) -> Attribute {
        Attribute { motion: Motion::With(attributes), ..self }
    }

    /// The text (each element) names an object of that resource, with which it shares the attributes `within`.
    pub const fn refers_to(self, to: &'static str, within: &'static [&'static str]) -> Attribute {
        Attribute { refers: Some(Refers { to, within }), ..self }
    }

    /// Says why it should no longer be written, and what to write instead.
    pub const fn deprecated(self, advice: &'static str) -> Attribute {
        Attribute { deprecated: Some(advice), ..self }
    }

    /// A change makes a new object.
    pub const fn replaces(self) -> Attribute {
        Attribute { replaces: true, ..self }
    }

    /// Terraform hides it in its output.
    pub const fn sensitive(self) -> Attribute {
        Attribute { sensitive: true, ..self }
    }

    /// Adds the write-only form: `<name>_wo` and `<name>_wo_version` beside the attribute.
    pub const fn write_only_form(self) -> Attribute {
        Attribute { write_only_form: true, sensitive: true, ..self }
    }

    /// Names the texts that the service is known to take.
    pub const fn choices(self, choices: &'static [&'static str]) -> Attribute {
        Attribute { choices, ..self }
    }

    /// Allows only these texts, which are the provider's own.
    pub const fn keywords(self, choices: &'static [&'static str]) -> Attribute {
        Attribute { choices, keywords: true, ..self }
    }

    /// Says that the text is kept as it stands where it is left out of an object that exists, and that these siblings must be set and
    /// unchanged for that.
    pub const fn kept_beside(self, siblings: &'static [&'static str]) -> Attribute {
        Attribute { kept_beside: Some(siblings), ..self }
    }

    /// Says which values of the name are those of objects that are always there: what is left out of these stays as it stands.
    pub const fn always_there(self, names: fn(&str) -> bool) -> Attribute {
        Attribute { always_there: Some(names), ..self }
    }

    /// Lets the text have more than one line.
    pub const fn lines(self) -> Attribute {
        Attribute { lines: true, ..self }
    }

    /// Limits the characters of a text, or of each element.
    pub const fn length(self, least: usize, most: usize) -> Attribute {
        Attribute { length: Some((least, most)), ..self }
    }

    /// Limits a number, or each element.
    pub const fn range(self, least: i64, most: i64) -> Attribute {
        Attribute { range: Some((least, most)), ..self }
    }

    /// Limits the number of elements.
    pub const fn most(self, most: usize) -> Attribute {
        Attribute { most: Some(most), ..self }
    }

    /// Asks for a form.
    pub const fn format(self, about: &'static str, test: fn(&str) -> Result<(), String>) -> Attribute {
        Attribute { format: Some(Format { about, test, is_form: false }), ..self }
    }

    /// Asks for a form that no service does without. The test must quote nothing of the text: what it says is shown of a secret, too.
    pub const fn form(self, about: &'static str, test: fn(&str) -> Result<(), String>) -> Attribute {
        Attribute { format: Some(Format { about, test, is_form: true }), ..self }
    }

    /// Names the function that brings a text, or each element, to one spelling.
    pub const fn meaning(self, meaning: fn(&str) -> String) -> Attribute {
        Attribute { meaning: Some(meaning), ..self }
    }

    /// Gives what the service will make of the object, as far as that follows from it. The plan knows it then. Wants [`Attribute::moved_by`].
    pub const fn derived(self, derive: fn(&Record) -> Option<Value>) -> Attribute {
        Attribute { derived: Some(derive), ..self }
    }

    /// Names the function that says where two texts first differ, for texts that are too long, or too secret, to be shown as a whole.
    pub const fn difference(self, difference: TellDifference) -> Attribute {
        Attribute { difference: Some(difference), ..self }
    }

    /// Names the function that tells what a text in a language of its own is made of. `None` for a text that it cannot read.
    pub const fn anatomy(self, anatomy: fn(&str) -> Option<Anatomy>) -> Attribute {
        Attribute { anatomy: Some(anatomy), ..self }
    }

    /// Shows the service's own values (at import, and where they drifted) in the spelling that [`Attribute::meaning`] gives:
    /// `smtp:example.com;1` as `example.com`. Only for meanings that lose nothing a user would type: not for those that fold
    /// case or tidy up a document.
    pub const fn shown_as_meant(self) -> Attribute {
        Attribute { shown_as_meant: true, ..self }
    }

    /// Names it at the service.
    pub const fn remote(self, name: &'static str) -> Attribute {
        Attribute { remote: Remote::Named(name), ..self }
    }

    /// Says that the members of this object stand side by side at the service, each with this prefix.
    pub const fn flattened(self, prefix: &'static str) -> Attribute {
        Attribute { remote: Remote::Flattened(prefix), ..self }
    }

    /// Says that the service does not know it.
    pub const fn local(self) -> Attribute {
        Attribute { remote: Remote::Local, ..self }
    }

    /// Says how it is removed.
    pub const fn cleared_by(self, clearing: Clearing) -> Attribute {
        Attribute { clearing, ..self }
    }

    /// Names the siblings that must be sent with it.
    pub const fn with(self, partners: &'static [&'static str]) -> Attribute {
        Attribute { partners, ..self }
    }

    /// Says when a value that the service sets is still to be brought about: the function gets the prior object and its configuration.
    pub const fn pending_while(self, pending: fn(&Record, &Record) -> bool) -> Attribute {
        Attribute { pending: Some(pending), ..self }
    }

    /// The type of its values, write-only forms of members included.
    pub fn value_type(&self) -> Type {
        self.kind.value_type()
    }

    /// The name of the argument that takes the value without storing it, where the attribute has a write-only form.
    pub fn write_only_name(&self) -> String {
        format!("{}_wo", self.name)
    }

    /// The name of the argument whose change sends the write-only value again.
    pub fn version_name(&self) -> String {
        format!("{}_wo_version", self.name)
    }
}

impl Scalar {
    /// The type of a single value.
    pub fn value_type(self) -> Type {
        match self {
            Scalar::String => Type::String,
            Scalar::Boolean => Type::Bool,
            Scalar::Integer | Scalar::Number => Type::Number,
        }
    }
}

impl Kind {
    /// The members of the object, or of each object of the collection.
    pub fn members(&self) -> Option<&'static [Attribute]> {
        match self {
            Kind::Object(members)
            | Kind::ListOf(members)
            | Kind::SetOf(members)
            | Kind::Block(members)
            | Kind::BlockList(members) => Some(members),
            Kind::Scalar(_) | Kind::List(_) | Kind::Set(_) | Kind::Map(_) => None,
        }
    }

    /// Tells whether it is written as a block.
    pub fn is_block(&self) -> bool {
        matches!(self, Kind::Block(_) | Kind::BlockList(_))
    }

    /// The type of a single value, or of each element of a plain collection.
    pub fn scalar(&self) -> Option<Scalar> {
        match self {
            Kind::Scalar(scalar) | Kind::List(scalar) | Kind::Set(scalar) | Kind::Map(scalar) => Some(*scalar),
            Kind::Object(_) | Kind::ListOf(_) | Kind::SetOf(_) | Kind::Block(_) | Kind::BlockList(_) => None,
        }
    }

    /// The type of the values, write-only forms of members included.
    pub fn value_type(&self) -> Type {
        match self {
            Kind::Scalar(scalar) => scalar.value_type(),
            Kind::List(scalar) => Type::List(Box::new(scalar.value_type())),
            Kind::Set(scalar) => Type::Set(Box::new(scalar.value_type())),
            Kind::Map(scalar) => Type::Map(Box::new(scalar.value_type())),
            Kind::Object(members) | Kind::Block(members) => super::engine::object_type(members),
            Kind::ListOf(members) | Kind::BlockList(members) => Type::List(Box::new(super::engine::object_type(members))),
            Kind::SetOf(members) => Type::Set(Box::new(super::engine::object_type(members))),
        }
    }
}
