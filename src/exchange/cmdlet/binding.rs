//! What a resource is to its cmdlets, beyond what its table says.

use std::fmt;

use super::read::Who;
use super::unmanaged::Section;
use crate::exchange::answer::Object;
use crate::remote::{Error, Fact};
use crate::schema::{Import, Record, Resource, engine};
use crate::value::{Diagnostic, Diagnostics};

/// Binds a resource to a noun: `InboundConnector` stands for `Get-InboundConnector` and its siblings.
#[must_use]
pub struct Cmdlets {
    /// The attributes.
    pub resource: &'static Resource,
    /// The part of the cmdlets' names after the dash.
    pub noun: &'static str,
    /// How its objects come into being.
    pub life: Life,
    /// The member of what Get shows that holds the title by which an object is found.
    pub titled: &'static str,
    /// Get takes `ResultSize`.
    pub paged: bool,
    /// What a plain Get may hide is shown by these switches, each entry of them together.
    pub hidden: &'static [Switches],
    /// Attributes that only Set takes: they are set directly after New.
    pub set_only: &'static [&'static str],
    /// The attribute that New takes, and that Enable and Disable change afterwards.
    pub toggle: Option<Toggle>,
    /// The objects have a `priority`, and with `before` and `after` a relative order.
    pub ordered: bool,
    /// Attributes that name another object, which the service may show by name or by GUID.
    pub references: &'static [Reference],
    /// Attributes whose texts have a form of their own on the wire. Dotted names.
    pub forms: &'static [(&'static str, Form)],
    /// Attributes that the service takes for some objects only: they are sent where the function says yes.
    pub only_when: &'static [(&'static str, Condition)],
    /// Attributes that New is not told while they have their documented default: not every tenant knows them yet.
    pub quiet: &'static [&'static str],
    /// The switch that has an object validated by a cmdlet of its own.
    pub validation: Option<Validation>,
    /// What the other objects of the noun say about a new or changed one, at plan.
    pub beside: Option<Beside>,
    /// What the objects of other resources say about it.
    pub across: &'static [Across],
    /// The lists of what Get shows that name classes, each of which an attribute accounts for or not.
    pub sections: &'static [Section],
    /// What the objects do that those of the other service have to agree with.
    pub tells: Option<Tells>,
    /// Parameters of New that have another name than what Get shows: attribute and parameter.
    pub new_names: &'static [(&'static str, &'static str)],
    /// Switches that New demands and no attribute of the resource carries.
    pub new_with: &'static [(&'static str, bool)],
    /// Completes a record by what several members of an object say together.
    pub completes: Option<fn(&Object, &mut Record)>,
    /// A create takes over what stands under its title where this says so of it; anything else that stands there is a taken name.
    pub takes_over: Option<fn(&Object) -> bool>,
    /// How keys are made anew.
    pub rotation: Option<Rotation>,
    /// How its objects come to refuse mail that does not come from the gateways.
    pub restricts: Option<Restricts>,
    /// The switch that a destroy turns off where the service does not offer Remove.
    pub off_instead: Option<&'static str>,
}

/// Switches of Get that are given together; none for the plain one.
pub type Switches = &'static [&'static str];

/// Get without a switch.
pub(in crate::exchange) const PLAIN: Switches = &[];

/// How the objects of a noun come into being.
#[derive(Debug, Clone, Copy)]
pub enum Life {
    /// New makes them and Remove ends them. Those that the table says are always there are adopted, and put back instead of removed.
    Made,
    /// They come and go elsewhere: they are adopted by their title, and put back instead of removed.
    Found,
    /// There is one, always: it is adopted and put back.
    Single {
        /// What Set takes as its `Identity`, if it takes one.
        identity: Option<&'static str>,
    },
    /// No objects, but the order of those that another resource of the noun makes.
    Order,
    /// The switch of an object that another resource of the noun makes: there while it is on. Set turns it on and off.
    Switched(Switch),
}

/// A switch that is an object of Terraform's on its own.
#[derive(Debug, Clone, Copy)]
pub struct Switch {
    /// The parameter of Set, which is also the member that Get shows.
    pub parameter: &'static str,
    /// The local attribute that names the DNS servers to ask.
    pub resolvers: &'static str,
    /// The DNS records that must be there before the switch is turned on: the name of each alias and its target.
    pub aliases: fn(&Object) -> Vec<(String, String)>,
    /// What the service says while it has not seen the records, in lower case.
    pub unseen: &'static [&'static str],
}

/// Objects that refuse mail which comes another way than from the gateways.
#[derive(Debug, Clone, Copy)]
pub struct Restricts {
    /// Tells whether an object does.
    pub does: Condition,
    /// The local attribute that turns the error into a warning.
    pub excuse: &'static str,
    /// The attribute that messages are about.
    pub about: &'static str,
}

/// Keys that a cmdlet of its own (`Rotate`) makes anew.
#[derive(Debug, Clone, Copy)]
pub struct Rotation {
    /// The attribute for the size of the keys: a change rotates.
    pub size: &'static str,
    /// The local attribute whose change rotates, too.
    pub version: &'static str,
    /// The member of what Get shows that each rotation changes.
    pub moment: &'static str,
}

/// Judges a planned object by all objects of its noun that stand, the own one included.
pub type Beside = fn(planned: &Record, prior: Option<&Record>, all: &[Object]) -> Diagnostics;

/// Says what an object does that another service has to agree with.
#[derive(Debug, Clone, Copy)]
pub struct Tells {
    /// The facts.
    pub facts: fn(&Record) -> Vec<Fact>,
    /// What is said when somebody does not agree; it is given their names.
    pub warning: fn(&str) -> Diagnostic,
    /// What is said of a header that is to be stamped with a value which nothing accepts that stands.
    pub refused: fn(&str) -> Diagnostic,
    /// What is said when what others ask for could not be read.
    pub unjudged: fn(&Error) -> Diagnostic,
}

/// Judges a planned object by the objects of another resource, as they will stand: as this run plans them, and else as the service
/// shows them.
#[derive(Debug, Clone, Copy)]
pub struct Across {
    /// The other resource.
    pub to: &'static str,
    /// Whether there is anything to judge: only then are the others asked for.
    pub concerns: Condition,
    /// The judgement.
    pub judge: fn(planned: &Record, others: &[Record]) -> Diagnostics,
}

/// A validation of an object that takes place where a local switch asks for it.
#[derive(Debug, Clone, Copy)]
pub struct Validation {
    /// The local attribute that asks for it.
    pub switch: &'static str,
    /// Whom it writes to.
    pub recipients: &'static str,
    /// Whether it succeeded, as the object shows it.
    pub outcome: &'static str,
    /// A change of one of these makes it necessary again.
    pub relevant: &'static [&'static str],
}

/// Tells by an object's record whether something applies to it.
pub type Condition = fn(&Record) -> bool;

/// An attribute that is shown as a state and changed by cmdlets of its own.
#[derive(Debug, Clone, Copy)]
pub struct Toggle {
    /// The attribute: `enabled`.
    pub attribute: &'static str,
    /// The member of what Get shows: `State`, which is `Enabled` or `Disabled`.
    pub shown: &'static str,
}

/// An attribute that names another object.
#[derive(Debug, Clone, Copy)]
pub struct Reference {
    /// Dotted name of the attribute.
    pub attribute: &'static str,
    /// The resource of the other object.
    pub to: &'static str,
}

/// The form of a text on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A moment: RFC 3339 in the table, UTC without a zone in a request, with or without one in an answer.
    Date,
    /// A size: shown as `10 MB (10,485,760 bytes)`, in the grouping of any language, and sent in whole units or bytes.
    Size,
    /// Several texts: shown in one, with commas between them.
    Joined,
    /// A truth value of which "false" is not "unset".
    Tristate,
}

impl Cmdlets {
    /// Binds a resource to a noun whose cmdlets have no oddities.
    pub const fn of(resource: &'static Resource, noun: &'static str) -> Cmdlets {
        Cmdlets {
            resource,
            noun,
            life: Life::Made,
            titled: "Name",
            paged: true,
            hidden: &[],
            set_only: &[],
            toggle: None,
            ordered: false,
            references: &[],
            forms: &[],
            only_when: &[],
            quiet: &[],
            validation: None,
            beside: None,
            across: &[],
            sections: &[],
            tells: None,
            new_names: &[],
            new_with: &[],
            completes: None,
            takes_over: None,
            rotation: None,
            restricts: None,
            off_instead: None,
        }
    }

    /// Under which word a run keeps what it knows of these objects. Two resources of one noun are kept apart where they are about different things.
    pub(in crate::exchange) fn kind(&self) -> &'static str {
        match self.life {
            Life::Switched(_) => self.resource.name,
            _ => self.noun,
        }
    }

    /// Tells whether what Get shows is an object of this resource.
    pub(super) fn shows(&self, object: &Object) -> bool {
        match self.life {
            Life::Switched(switch) => is_on(object, switch.parameter),
            _ => true,
        }
    }

    /// The cmdlet that ends an object.
    pub(super) fn removing_verb(&self) -> &'static str {
        if matches!(self.life, Life::Switched(_)) { "Set" } else { "Remove" }
    }

    /// Tells whether an attribute goes out by Rotate where others go out by Set.
    pub(super) fn rotates(&self, attribute: &str) -> bool {
        self.rotation.is_some_and(|rotation| rotation.size == attribute)
    }

    /// The full name of a cmdlet.
    pub fn cmdlet(&self, verb: &str) -> String {
        format!("{verb}-{}", self.noun)
    }

    /// All ways to list the objects: the plain one first, then those that show what it hides.
    pub(in crate::exchange) fn views(&self) -> impl Iterator<Item = Switches> + Send + use<> {
        std::iter::once(PLAIN).chain(self.hidden.iter().copied())
    }

    /// What the object is called in messages: `transport rule "Block exe"`.
    pub fn called(&self, record: &Record) -> String {
        self.resource.called(record)
    }

    /// Tells whether the object of this record is always there, so that it is adopted and not made.
    pub(super) fn adopts(&self, record: &Record) -> bool {
        !matches!(self.life, Life::Order) && engine::is_always_there(self.resource, record)
    }

    /// How the object with an `id` is looked for.
    pub(super) fn who<'a>(&self, id: &'a str) -> Who<'a> {
        match self.life {
            Life::Single { .. } => Who::Only,
            _ => Who::Guid(id),
        }
    }

    /// What the cmdlets take as the `Identity` of the object with this `id`, if they take one.
    pub(super) fn identity<'a>(&self, id: &'a str) -> Option<&'a str> {
        match self.life {
            Life::Single { identity } => identity,
            _ => Some(id),
        }
    }

    /// The `id` of an object: its GUID, or the word for the one of its kind.
    pub(super) fn id(&self, object: &Object) -> Option<String> {
        match self.resource.import {
            Import::Singleton { word } => Some(word.to_owned()),
            // The domain, in the one spelling that all share: not every noun shows a GUID.
            Import::Key { .. } => object.text(self.titled).map(|title| self.meant(title)),
            Import::Lookup { .. } => object.guid(),
        }
    }

    /// Tells whether an object has this ID.
    pub(super) fn has_id(&self, object: &Object, id: &str) -> bool {
        match self.resource.import {
            Import::Lookup { .. } => {
                object.shown("guid").as_str().is_some_and(|own| !own.is_empty() && own.eq_ignore_ascii_case(id))
            }
            _ => self.id(object).is_some_and(|own| own.eq_ignore_ascii_case(id)),
        }
    }

    /// Tells whether an object has this title.
    pub(super) fn is_titled(&self, object: &Object, title: &str) -> bool {
        object.text(self.titled).is_some_and(|own| self.meant(own) == self.meant(title))
    }

    /// The one spelling of a title.
    fn meant(&self, title: &str) -> String {
        let meaning = self.resource.attributes.iter().find(|own| own.name == self.resource.title).and_then(|own| own.meaning);
        meaning.map_or_else(|| title.to_lowercase(), |meaning| meaning(title))
    }

    /// Tells whether an attribute says where the object stands among its kind; such attributes are no plain parameters.
    pub(super) fn places(&self, attribute: &str) -> bool {
        self.ordered && matches!(attribute, "priority" | "before" | "after")
    }

    pub(super) fn toggles(&self, attribute: &str) -> bool {
        self.toggle.is_some_and(|toggle| toggle.attribute == attribute)
    }

    pub(super) fn form(&self, attribute: &str) -> Option<Form> {
        self.forms.iter().find(|(name, _)| *name == attribute).map(|(_, form)| *form)
    }

    pub(super) fn applies(&self, attribute: &str, record: &Record) -> bool {
        self.only_when.iter().find(|(name, _)| *name == attribute).is_none_or(|(_, test)| test(record))
    }
}

/// Tells whether an object shows a switch as turned on.
pub(super) fn is_on(object: &Object, switch: &str) -> bool {
    match object.get(switch) {
        serde_json::Value::Bool(on) => *on,
        serde_json::Value::String(text) => text.eq_ignore_ascii_case("true"),
        _ => false,
    }
}

impl fmt::Debug for Cmdlets {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} over {}", self.resource.name, self.noun)
    }
}
