//! Describes a noun of the cmdlets (`InboundConnector`, `TransportRule`, …) as a table.
//!
//! Binding, checking, storing and answering are functions of these tables; what a table cannot say is a function
//! named in it and standing below it in the noun's file. Parameters are those of the cmdlet pages of Exchange
//! PowerShell (<https://learn.microsoft.com/powershell/exchange/exchange-powershell>).

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::backends::{Object, Store};
use super::errors::Exception;
use super::options::Options;

/// Holds everything the stand-in knows of one noun.
pub(crate) struct Noun {
    /// The noun as cmdlets spell it: `InboundConnector`.
    pub(crate) name: &'static str,
    /// The verbs that exist for it.
    pub(crate) verbs: &'static [Verb],
    /// The parameters of New and Set, and what else Get returns.
    pub(crate) parameters: Vec<Parameter>,
    /// What Get takes besides `Identity` and `ResultSize`.
    pub(crate) filters: Vec<Parameter>,
    /// What an unset list reads as: `[]` on connectors, `null` on rules.
    pub(crate) unset_list: Value,
    /// True for a noun of which one object stands, so that Set needs no `Identity`.
    pub(crate) single: bool,
    /// True when the order of the objects is their `Priority`.
    pub(crate) ordered: bool,
    /// How many objects may stand.
    pub(crate) limit: usize,
    /// Fills what follows from other values, after the parameters were applied.
    pub(crate) complete: fn(&mut Object, &Given, Verb),
    /// Refuses what the service refuses.
    pub(crate) check: fn(&Proposal<'_>) -> Result<(), Exception>,
    /// Says whether Get shows the object, by its own filters.
    pub(crate) shows: fn(&Object, &Given, &Options) -> bool,
    /// Fills what depends on the time, and refuses what the state of the organization forbids.
    pub(crate) timed: Timed,
    /// Adds to the answer what no parameter carries.
    pub(crate) finish: fn(&Object, &Given, &mut Map<String, Value>),
    /// The columns of [`describe`](super::Service::describe) after the name.
    pub(crate) columns: &'static [&'static str],
}

/// A verb of a cmdlet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    /// Lists.
    Get,
    /// Creates.
    New,
    /// Changes.
    Set,
    /// Deletes.
    Remove,
    /// Switches on.
    Enable,
    /// Switches off.
    Disable,
    /// Tries out; changes nothing.
    Validate,
    /// Makes keys anew.
    Rotate,
}

impl Verb {
    /// The verb as cmdlets spell it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Get => "Get",
            Self::New => "New",
            Self::Set => "Set",
            Self::Remove => "Remove",
            Self::Enable => "Enable",
            Self::Disable => "Disable",
            Self::Validate => "Validate",
            Self::Rotate => "Rotate",
        }
    }
}

/// One parameter of New and Set, which is also the property of the same name on Get.
#[derive(Clone)]
pub(crate) struct Parameter {
    /// The vendor's spelling; requests may use any case.
    pub(crate) name: Cow<'static, str>,
    /// What it takes.
    pub(crate) kind: Kind,
    /// Which cmdlets take it.
    pub(crate) on: On,
    /// True when New refuses to go without it.
    pub(crate) mandatory: bool,
    /// What New stores when it is not given.
    pub(crate) start: Option<Value>,
    /// What Get shows when nothing is stored, where the rule (`[]` or `null`, `false`, `null`) does not hold.
    pub(crate) unset: Option<Value>,
    /// What a `null` on Set does.
    pub(crate) null: Null,
    /// What the parameter is to a rule.
    pub(crate) part: Part,
    /// True when Get does not return it.
    pub(crate) hidden: bool,
}

/// What a JSON `null` on Set does to a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Null {
    /// Unsets the value.
    Clears,
    /// Is refused in these words.
    Refused(&'static str),
}

/// Which cmdlets take a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum On {
    /// New and Set.
    Both,
    /// New and Rotate.
    Keys,
    /// New only.
    New,
    /// Set only.
    Set,
    /// Neither: Get returns it.
    Answer,
}

/// What a parameter is to a transport rule, with the class that Get names for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A property of the object itself.
    Setting,
    /// A predicate.
    Condition(Cow<'static, str>),
    /// A predicate of an exception.
    Exception(Cow<'static, str>),
    /// An action; an empty class counts as an action and is not listed.
    Action(Cow<'static, str>),
}

/// What a parameter takes, by the type that the cmdlet binds it to.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// A string of at most so many characters.
    Text(usize),
    /// True or false; a string is refused, as PowerShell does.
    Boolean,
    /// A 32-bit number in this range.
    Integer(i64, i64),
    /// One name of an enumeration.
    Choice(&'static [&'static str]),
    /// Several names of an enumeration.
    Choices(&'static [&'static str]),
    /// One string with a form.
    One(Item),
    /// A `MultiValuedProperty`: takes a list, or a table with `Add` and `Remove`.
    Values(Item),
    /// A plain array: takes a list only.
    Array(Item),
    /// A size in bytes, read as `10 MB (10,485,760 bytes)`.
    Size,
    /// A point in time, sent as UTC without a zone; the text is the zone that Get appends.
    Date(&'static str),
    /// A time span, `1.00:00:00`.
    Span,
    /// A spam confidence level: -1, or 0 to 9.
    Level,
    /// Any value is refused, in these words.
    Refused(&'static str),
}

/// The form of one string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// Anything.
    Any,
    /// A word of a rule: at most 128 characters, no space at either end.
    Word,
    /// A regular expression of a rule.
    Pattern,
    /// A recipient.
    Recipient,
    /// A sender domain of a connector, stored as `smtp:contoso.com;1`.
    AddressSpace,
    /// A domain, `*`, or `*.` and a domain; stored in lower case.
    Domain,
    /// A domain or `*.` and a domain, not `*` alone.
    Certificate,
    /// IPv4, single or `/24` to `/32`; a `/32` is stored without its length.
    ConnectorAddress,
    /// An address, a range `a-b`, or CIDR.
    AddressRange,
    /// IPv4: single, a range of at most 256 addresses, or `/24` to `/32`.
    FilterAddress,
    /// A host name or address without a port.
    SmartHost,
    /// A GUID.
    Guid,
    /// The name or GUID of an outbound connector.
    Connector,
    /// A status code of a rejected message: `5.7.1`, or `5.7.900` to `5.7.999`.
    StatusCode,
}

/// What a request gave for one parameter, after binding.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Input {
    /// A JSON `null`.
    Null,
    /// An empty plain list.
    EmptyList,
    /// A `GenericHashTable` without members.
    EmptyTable,
    /// A value in the form that Get shows.
    Value(Value),
    /// A change of a list.
    Delta {
        /// Members to add.
        add: Vec<Value>,
        /// Members to take away.
        remove: Vec<Value>,
    },
}

impl Input {
    /// The value as text, when it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Value(value) => value.as_str(),
            _ => None,
        }
    }

    /// True for the value `true`.
    pub(crate) fn is_true(&self) -> bool {
        matches!(self, Self::Value(Value::Bool(true)))
    }
}

/// What a request gave, by the vendor's spelling of the parameter.
pub(crate) type Given = BTreeMap<String, Input>;

/// Looks at the object before the call, and completes it as it would stand after it.
pub(crate) type Timed = fn(Verb, Option<&Object>, &mut Object, &Given, (OffsetDateTime, &Options)) -> Result<(), Exception>;

/// An object as it would stand after the call, for the checks of its noun.
pub(crate) struct Proposal<'a> {
    /// What the request gave.
    pub(crate) given: &'a Given,
    /// The object before the call; none on New.
    pub(crate) before: Option<&'a Object>,
    /// The object after the call.
    pub(crate) after: &'a Object,
    /// Everything that stands, for references between nouns.
    pub(crate) store: &'a Store,
    /// The noun itself.
    pub(crate) noun: &'a Noun,
}

impl Noun {
    /// Starts a table: the verbs are given, everything else is at rest.
    pub(crate) fn new(name: &'static str, verbs: &'static [Verb], parameters: Vec<Parameter>) -> Self {
        Self {
            name,
            verbs,
            parameters,
            filters: Vec::new(),
            unset_list: Value::Array(Vec::new()),
            single: false,
            ordered: false,
            limit: usize::MAX,
            complete: |_, _, _| {},
            check: |_| Ok(()),
            timed: |_, _, _, _, _| Ok(()),
            shows: |_, _, _| true,
            finish: |_, _, _| {},
            columns: &[],
        }
    }

    /// Finds a parameter by name, in any case.
    pub(crate) fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name.eq_ignore_ascii_case(name))
    }

    /// What Get shows for a parameter when nothing is stored.
    pub(crate) fn unset(&self, parameter: &Parameter) -> Value {
        match (&parameter.unset, &parameter.kind) {
            (Some(unset), _) => unset.clone(),
            (None, Kind::Boolean) => Value::Bool(false),
            (None, kind) if kind.is_list() => self.unset_list.clone(),
            (None, _) => Value::Null,
        }
    }

    /// What Get shows for a parameter of this object.
    pub(crate) fn value(&self, object: &Object, parameter: &Parameter) -> Value {
        object.fields.get(parameter.name.as_ref()).cloned().unwrap_or_else(|| self.unset(parameter))
    }

    /// Stores a value, or forgets it when it says no more than the unset value.
    pub(crate) fn store(&self, object: &mut Object, parameter: &Parameter, value: Value) {
        if value == self.unset(parameter) || value.is_null() {
            object.fields.remove(parameter.name.as_ref());
        } else {
            object.fields.insert(parameter.name.clone().into_owned(), value);
        }
    }
}

impl Kind {
    /// True for what holds several values.
    pub(crate) fn is_list(&self) -> bool {
        matches!(self, Self::Choices(_) | Self::Values(_) | Self::Array(_))
    }
}

impl Parameter {
    /// Makes a parameter of New and Set with nothing special about it.
    pub(crate) fn new(name: impl Into<Cow<'static, str>>, kind: Kind) -> Self {
        Self {
            name: name.into(),
            kind,
            on: On::Both,
            mandatory: false,
            start: None,
            unset: None,
            null: Null::Clears,
            part: Part::Setting,
            hidden: false,
        }
    }

    /// Makes New refuse to go without it.
    pub(crate) fn mandatory(mut self) -> Self {
        self.mandatory = true;
        self
    }

    /// Limits it to New.
    pub(crate) fn new_only(mut self) -> Self {
        self.on = On::New;
        self
    }

    /// Limits it to New and Rotate.
    pub(crate) fn of_keys(mut self) -> Self {
        self.on = On::Keys;
        self
    }

    /// Limits it to Set.
    pub(crate) fn set_only(mut self) -> Self {
        self.on = On::Set;
        self
    }

    /// Makes it a property that only Get knows.
    pub(crate) fn answer_only(mut self) -> Self {
        self.on = On::Answer;
        self
    }

    /// Makes it a parameter that Get does not return.
    pub(crate) fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    /// Says what New stores when it is not given.
    pub(crate) fn start(mut self, value: impl Into<Value>) -> Self {
        self.start = Some(value.into());
        self
    }

    /// Says what Get shows when nothing is stored, and therefore what New starts with.
    pub(crate) fn unset(mut self, value: impl Into<Value>) -> Self {
        self.unset = Some(value.into());
        self
    }

    /// Makes a `null` an error in these words.
    pub(crate) fn null_refused(mut self, words: &'static str) -> Self {
        self.null = Null::Refused(words);
        self
    }

    /// Says what it is to a rule.
    pub(crate) fn part(mut self, part: Part) -> Self {
        self.part = part;
        self
    }
}

impl Proposal<'_> {
    /// The text of a property after the call.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.after.text(name)
    }

    /// True when a property is `true` after the call.
    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.after.is_true(name)
    }

    /// True when a property holds something after the call.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.after.fields.contains_key(name)
    }

    /// Refuses the call in these words when the condition does not hold.
    pub(crate) fn require(condition: bool, words: impl FnOnce() -> String) -> Result<(), Exception> {
        if condition { Ok(()) } else { Err(Exception::argument(words())) }
    }
}
