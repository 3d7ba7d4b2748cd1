//! What a resource is to its cmdlets, beyond what its table says.

use std::fmt;

use crate::schema::{Record, Resource};

/// Binds a resource to a noun: `InboundConnector` stands for `Get-InboundConnector` and its siblings.
#[must_use]
pub struct Cmdlets {
    /// The attributes.
    pub resource: &'static Resource,
    /// The part of the cmdlets' names after the dash.
    pub noun: &'static str,
    /// Switches of Get that show objects which a plain Get may hide.
    pub hidden: &'static [&'static str],
    /// Attributes that only Set takes: they are set directly after New.
    pub set_only: &'static [&'static str],
    /// The attribute that New takes, and that Enable and Disable change afterwards.
    pub toggle: Option<Toggle>,
    /// The objects have a `priority`, and with `before` a relative order.
    pub ordered: bool,
    /// Attributes that name another object, which the service may show by name or by GUID.
    pub references: &'static [Reference],
    /// Attributes whose texts have a form of their own on the wire. Dotted names.
    pub forms: &'static [(&'static str, Form)],
    /// Attributes that the service takes for some objects only: they are sent where the function says yes.
    pub only_when: &'static [(&'static str, Condition)],
    /// Attributes that New is not told while they have their documented default: not every tenant knows them yet.
    pub quiet: &'static [&'static str],
    /// Texts that the service fills in beside another setting.
    pub implied: &'static [Implied],
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

/// A text that the service fills in where an attribute is left out: it reads as left out.
#[derive(Debug, Clone, Copy)]
pub struct Implied {
    /// Dotted name of the attribute.
    pub attribute: &'static str,
    /// What the service fills in.
    pub text: &'static str,
    /// Dotted name of the setting that makes it do so.
    pub beside: &'static str,
}

/// The form of a text on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A moment: RFC 3339 in the table, UTC without a zone in a request, with or without one in an answer.
    Date,
    /// A size: shown as `10 MB (10,485,760 bytes)`.
    Size,
}

impl Cmdlets {
    /// Binds a resource to a noun whose cmdlets have no oddities.
    pub const fn of(resource: &'static Resource, noun: &'static str) -> Cmdlets {
        Cmdlets {
            resource,
            noun,
            hidden: &[],
            set_only: &[],
            toggle: None,
            ordered: false,
            references: &[],
            forms: &[],
            only_when: &[],
            quiet: &[],
            implied: &[],
        }
    }

    /// The full name of a cmdlet.
    pub fn cmdlet(&self, verb: &str) -> String {
        format!("{verb}-{}", self.noun)
    }

    /// What the object is called in messages: `transport rule "Block exe"`.
    pub fn called(&self, record: &Record) -> String {
        match record.text(self.resource.title) {
            Some(title) => format!("{} {title:?}", self.resource.noun),
            None => format!("the {}", self.resource.noun),
        }
    }

    /// Tells whether an attribute says where the object stands among its kind; such attributes are no plain parameters.
    pub(super) fn places(&self, attribute: &str) -> bool {
        self.ordered && matches!(attribute, "priority" | "before")
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

impl fmt::Debug for Cmdlets {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} over {}", self.resource.name, self.noun)
    }
}
