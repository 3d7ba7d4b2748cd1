//! Runs a cmdlet: New, Get, Set, Remove, Enable, Disable over a noun's table.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Map, Value};

use super::World;
use super::backends::{Delays, Object};
use super::errors::{Exception, ExceptionKind};
use super::noun::{Given, Input, Item, Kind, Noun, Null, Parameter, Proposal, Verb};
use super::{bind, nouns, render, trace, values};

/// What a cmdlet left to say.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// The objects of the answer.
    pub(crate) records: Vec<Map<String, Value>>,
    /// Warnings.
    pub(crate) warnings: Vec<String>,
    /// The question that a call with `Confirm: true` gets instead of an effect.
    pub(crate) confirmation: Option<String>,
}

/// A cmdlet that exists.
#[derive(Clone, Copy)]
pub(crate) enum Cmdlet {
    /// A verb over a noun of the tables.
    Table(Verb, &'static Noun),
    /// `Enable-OrganizationCustomization`, which takes nothing.
    Customize,
    /// `Get-MessageTraceV2`, which reads what is no object.
    Trace,
    /// `Get-Recipient`, which reads what others manage.
    Recipient,
}

/// The cmdlets without a table.
const CUSTOMIZE: &str = "Enable-OrganizationCustomization";
const TRACE: &str = "Get-MessageTraceV2";
const RECIPIENT: &str = "Get-Recipient";

/// What a connector is kept disabled with, when it is made and when it is changed: <https://learn.microsoft.com/exchange/mail-flow-best-practices/use-connectors-to-configure-mail-flow/inbound-connector-faq>.
const MADE_DISABLED: &str =
    "Inbound connector for this service offering is created in a disabled state. Contact Support to enable it.";
const KEPT_DISABLED: &str = "For this service offering, you can't enable an inbound connector. Contact Support to enable it.";

impl Cmdlet {
    /// Finds a cmdlet by name, in any case.
    pub(crate) fn find(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case(CUSTOMIZE) {
            return Some(Self::Customize);
        }
        if name.eq_ignore_ascii_case(TRACE) {
            return Some(Self::Trace);
        }
        if name.eq_ignore_ascii_case(RECIPIENT) {
            return Some(Self::Recipient);
        }
        let (verb, noun) = name.split_once('-')?;
        let noun = nouns::find(noun)?;
        let verb = noun.verbs.iter().find(|one| one.name().eq_ignore_ascii_case(verb))?;
        Some(Self::Table(*verb, noun))
    }

    /// The vendor's spelling.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Table(verb, noun) => format!("{}-{}", verb.name(), noun.name),
            Self::Customize => CUSTOMIZE.into(),
            Self::Trace => TRACE.into(),
            Self::Recipient => RECIPIENT.into(),
        }
    }

    /// All cmdlets.
    pub(crate) fn all() -> Vec<String> {
        let tables = nouns::all().iter().flat_map(|noun| noun.verbs.iter().map(|verb| Self::Table(*verb, noun).name()));
        tables.chain([CUSTOMIZE, TRACE, RECIPIENT].map(str::to_owned)).collect()
    }
}

/// The parameters of every cmdlet that changes something, with those that every cmdlet takes.
pub(crate) fn parameters() -> BTreeMap<String, BTreeSet<String>> {
    let mut found = BTreeMap::new();
    for noun in nouns::all() {
        for verb in noun.verbs.iter().copied().filter(|verb| *verb != Verb::Get) {
            let own = bind::takes(noun, verb).into_iter().map(|one| one.name.to_string());
            found.insert(Cmdlet::Table(verb, noun).name(), own.chain(bind::COMMON.map(str::to_owned)).collect());
        }
    }
    found
}

/// Runs a cmdlet on a back end.
pub(crate) fn run(world: &mut World, cmdlet: Cmdlet, parameters: &Map<String, Value>, end: usize) -> Result<Outcome, Exception> {
    let (verb, noun) = match cmdlet {
        Cmdlet::Table(verb, noun) => (verb, noun),
        Cmdlet::Customize => return customize(world, end),
        Cmdlet::Trace => return trace::run(world, parameters),
        Cmdlet::Recipient => return Ok(recipients(world, parameters)),
    };
    let name = cmdlet.name();
    let mut given = bind::bind(noun, verb, parameters)?;
    given.retain(|parameter, _| !world.options.ignores(&name, parameter));
    if verb != Verb::Get && given.get("Confirm").is_some_and(Input::is_true) {
        let object = given.get("Identity").or_else(|| given.get("Name")).and_then(Input::text).unwrap_or_default();
        let question = format!("Are you sure you want to perform this action? {name} \"{object}\".");
        return Ok(Outcome { confirmation: Some(question), ..Outcome::default() });
    }
    let mut call = Running { world, noun, verb, given, end };
    match verb {
        Verb::Get => call.get(),
        Verb::New => call.create(),
        Verb::Set => call.set(),
        Verb::Remove => call.remove(),
        Verb::Enable | Verb::Disable => call.switch(),
        Verb::Validate => call.validate(),
        Verb::Rotate => call.rotate(),
    }
}

/// A cmdlet while it runs.
struct Running<'a> {
    world: &'a mut World,
    noun: &'static Noun,
    verb: Verb,
    given: Given,
    end: usize,
}

impl Running<'_> {
    fn get(&mut self) -> Result<Outcome, Exception> {
        let view = self.world.store.look(self.end, self.noun.name);
        let placed: Vec<(usize, &Object)> = view.iter().enumerate().collect();
        let shown: Vec<(usize, &Object)> =
            placed.into_iter().filter(|(_, object)| (self.noun.shows)(object, &self.given, &self.world.options)).collect();
        let identity = self.given.get("Identity").and_then(Input::text).filter(|identity| !identity.is_empty());
        let named: Vec<(usize, &Object)> = match identity {
            Some(identity) => shown.iter().filter(|(_, object)| object.answers_to(identity)).copied().collect(),
            None => Vec::new(),
        };
        // Documented: an identity that does not exist returns all objects, as none does.
        let chosen = match (identity, named.is_empty()) {
            (Some(identity), true) if self.world.options.unknown_identity_is_error => return Err(Exception::not_found(identity)),
            (Some(_), false) => named,
            _ => shown,
        };
        let size = self.result_size()?;
        let mut warnings = Vec::new();
        if chosen.len() > size {
            warnings.push(
                "There are more results available than are currently displayed. To view them, increase the value for the ResultSize \
                 parameter."
                    .into(),
            );
        }
        let records = chosen
            .into_iter()
            .take(size)
            .map(|(place, object)| {
                let mut record = render::record(self.noun, object, place, &self.given, &self.world.options);
                if let Some(oddity) = self.world.oddities.get(&object.guid) {
                    oddity.apply(&mut record);
                }
                record
            })
            .collect();
        Ok(Outcome { records, warnings, confirmation: None })
    }

    fn result_size(&self) -> Result<usize, Exception> {
        let Some(size) = self.given.get("ResultSize").and_then(Input::text) else { return Ok(1000) };
        if size.eq_ignore_ascii_case("Unlimited") {
            return Ok(usize::MAX);
        }
        size.parse().map_err(|_| {
            Exception::transformation(
                "ResultSize",
                &format!("Cannot convert value \"{size}\" to type \"Microsoft.Exchange.Data.Unlimited\"."),
            )
        })
    }

    fn create(&mut self) -> Result<Outcome, Exception> {
        self.may_create()?;
        let now = self.world.clock.now();
        let mut object = Object { guid: String::new(), fields: BTreeMap::new(), created: now, changed: now };
        for parameter in &self.noun.parameters {
            if let Some(start) = &parameter.start {
                self.noun.store(&mut object, parameter, start.clone());
            }
        }
        self.apply(&mut object)?;
        // A name that was given up a moment ago is still taken where the back end does not know that yet.
        let view = self.world.store.look(self.end, self.noun.name);
        if let Some(taken) = view.iter().find(|one| one.name().to_lowercase() == object.name().to_lowercase()) {
            return Err(Exception::already_exists(&render::distinguished_name(self.noun, taken, &self.world.options)));
        }
        self.check(None, &object)?;
        (self.noun.timed)(Verb::New, None, &mut object, &self.given, (now, &self.world.options))?;
        if let Some(whims) = &self.world.whims {
            whims.bend(self.noun.name, &mut object, true);
        }
        let warnings = self.keep_disabled(&mut object, MADE_DISABLED);
        let count = self.world.store.truth(self.noun.name).len();
        let place = self.place(count)?.unwrap_or(count);
        if self.only_asks() {
            return Ok(Outcome::default());
        }
        let now = self.world.clock.tick();
        object.guid = self.world.guids.next();
        (object.created, object.changed) = (now, now);
        let stored = object.clone();
        self.write(&object.guid, |objects| objects.insert(place.min(objects.len()), stored));
        let record = render::record(self.noun, &object, place, &self.given, &self.world.options);
        Ok(Outcome { records: vec![record], warnings, ..Outcome::default() })
    }

    /// Takes a connector back out of use, if that is what the tenant does; says so in these words.
    fn keep_disabled(&self, object: &mut Object, words: &str) -> Vec<String> {
        let is_enabled = self.noun.name == "InboundConnector" && object.is_true("Enabled");
        if !(is_enabled && self.world.options.connectors_kept_disabled) {
            return Vec::new();
        }
        object.fields.remove("Enabled");
        vec![words.to_owned()]
    }

    fn may_create(&self) -> Result<(), Exception> {
        let organization = self.world.store.truth("OrganizationConfig").first();
        if organization.is_some_and(|config| config.is_true("IsDehydrated")) {
            return Err(Exception::dehydrated());
        }
        if self.world.options.developer_tenant && self.noun.name == "InboundConnector" {
            return Err(Exception::invalid_operation(
                "Creating inbound connectors isn't allowed in Microsoft 365 E5 developer organizations.",
            ));
        }
        if self.world.store.truth(self.noun.name).len() >= self.noun.limit {
            return Err(Exception::invalid_operation(format!(
                "The organization has reached the maximum of {} transport rules.",
                self.noun.limit
            )));
        }
        Ok(())
    }

    fn set(&mut self) -> Result<Outcome, Exception> {
        let before = self.target()?;
        let mut after = before.clone();
        self.apply(&mut after)?;
        self.check(Some(&before), &after)?;
        (self.noun.timed)(Verb::Set, Some(&before), &mut after, &self.given, (self.world.clock.now(), &self.world.options))?;
        if let Some(whims) = &self.world.whims {
            whims.bend(self.noun.name, &mut after, false);
        }
        // One that support has enabled stays so.
        let warnings = if before.is_true("Enabled") { Vec::new() } else { self.keep_disabled(&mut after, KEPT_DISABLED) };
        let objects = self.world.store.truth(self.noun.name);
        let from = objects.iter().position(|object| object.guid == before.guid).unwrap_or_default();
        let place = self.place(objects.len().saturating_sub(1))?.unwrap_or(from);
        if after.fields == before.fields && place == from {
            let warning =
                format!("The command completed successfully but no settings of '{}' have been modified.", before.name());
            return Ok(Outcome { warnings: warnings.into_iter().chain([warning]).collect(), ..Outcome::default() });
        }
        if self.only_asks() {
            return Ok(Outcome::default());
        }
        after.changed = self.world.clock.tick();
        self.rename_references(before.name(), after.name());
        self.write(&before.guid, |objects| {
            if let Some(at) = objects.iter().position(|object| object.guid == after.guid) {
                objects.remove(at);
                objects.insert(place.min(objects.len()), after);
            }
        });
        Ok(Outcome { warnings, ..Outcome::default() })
    }

    fn remove(&mut self) -> Result<Outcome, Exception> {
        let object = self.target()?;
        if let Some((noun, user)) = self.user_of(&object)
            && !self.world.options.remove_used_connectors
        {
            return Err(Exception::invalid_operation(format!(
                "The connector '{}' can't be removed because it's used by the {noun} '{user}'.",
                object.name()
            )));
        }
        if self.noun.name == "RemoteDomain" && object.name() == "Default" {
            return Err(Exception::invalid_operation("The default remote domain can't be removed."));
        }
        if self.only_asks() {
            return Ok(Outcome::default());
        }
        self.world.clock.tick();
        self.write(&object.guid, |objects| objects.retain(|one| one.guid != object.guid));
        Ok(Outcome::default())
    }

    fn switch(&mut self) -> Result<Outcome, Exception> {
        let before = self.target()?;
        let mut after = before.clone();
        let state = if self.verb == Verb::Enable { "Enabled" } else { "Disabled" };
        if let Some(parameter) = self.noun.parameter("State") {
            self.noun.store(&mut after, parameter, state.into());
        }
        self.apply(&mut after)?;
        if after.fields == before.fields || self.only_asks() {
            return Ok(Outcome::default());
        }
        after.changed = self.world.clock.tick();
        self.write(&before.guid, |objects| {
            if let Some(standing) = objects.iter_mut().find(|object| object.guid == after.guid) {
                *standing = after;
            }
        });
        Ok(Outcome::default())
    }

    fn rotate(&mut self) -> Result<Outcome, Exception> {
        let before = self.target()?;
        let mut after = before.clone();
        let now = self.world.clock.now();
        (self.noun.timed)(Verb::Rotate, Some(&before), &mut after, &self.given, (now, &self.world.options))?;
        if self.only_asks() {
            return Ok(Outcome::default());
        }
        after.changed = self.world.clock.tick();
        self.write(&before.guid, |objects| {
            if let Some(standing) = objects.iter_mut().find(|object| object.guid == after.guid) {
                *standing = after;
            }
        });
        Ok(Outcome::default())
    }

    fn validate(&mut self) -> Result<Outcome, Exception> {
        self.target()?;
        Ok(Outcome::default())
    }

    /// The object that the call means, as it truly is; one that this back end does not show is not found.
    fn target(&mut self) -> Result<Object, Exception> {
        let identity = self.given.get("Identity").and_then(Input::text).unwrap_or_default().to_owned();
        let view = self.world.store.look(self.end, self.noun.name);
        let seen = view.iter().find(|object| object.answers_to(&identity) || self.noun.single && identity.is_empty());
        let guid = seen.map(|object| object.guid.clone());
        let objects = self.world.store.truth(self.noun.name);
        let object = objects.iter().find(|object| guid.as_ref() == Some(&object.guid));
        object.cloned().ok_or_else(|| Exception::not_found(&identity))
    }

    /// Puts what was given into the object.
    fn apply(&self, object: &mut Object) -> Result<(), Exception> {
        for (name, input) in &self.given {
            let Some(parameter) = self.noun.parameter(name) else { continue };
            if !parameter.hidden {
                self.apply_one(object, parameter, input)?;
            }
        }
        self.resolve_references(object)?;
        (self.noun.complete)(object, &self.given, self.verb);
        Ok(())
    }

    fn apply_one(&self, object: &mut Object, parameter: &Parameter, input: &Input) -> Result<(), Exception> {
        let clearing = self.world.options.clearing(self.noun.name);
        let name = parameter.name.as_ref();
        match input {
            Input::Null => match parameter.null {
                Null::Refused(words) => return Err(Exception::argument(words)),
                Null::Clears if self.verb == Verb::New || parameter.kind.is_list() && !clearing.null => {}
                Null::Clears => {
                    let start = parameter.start.clone().unwrap_or(Value::Null);
                    self.noun.store(object, parameter, start);
                }
            },
            Input::EmptyList if self.verb == Verb::New && self.noun.ordered => {
                return Err(Exception::argument(format!("The value of '{name}' cannot be empty, please specify a valid value.")));
            }
            Input::EmptyList if self.verb == Verb::Set && clearing.empty_list => drop(object.fields.remove(name)),
            Input::EmptyTable if clearing.empty_table => drop(object.fields.remove(name)),
            Input::EmptyList | Input::EmptyTable => {}
            Input::Value(value) if value == "" && name != "Comments" => drop(object.fields.remove(name)),
            Input::Value(value) => self.noun.store(object, parameter, value.clone()),
            Input::Delta { add, remove } => {
                let mut members = object.fields.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
                members.retain(|member| !remove.iter().any(|gone| values::folded(gone) == values::folded(member)));
                members.extend(add.iter().cloned());
                if let Kind::Values(form) = parameter.kind {
                    values::arrange(form, &mut members);
                }
                if members.is_empty() {
                    object.fields.remove(name);
                } else {
                    self.noun.store(object, parameter, Value::Array(members));
                }
            }
        }
        Ok(())
    }

    /// Turns references that were given into the names of what they mean, and recipients into their addresses.
    fn resolve_references(&self, object: &mut Object) -> Result<(), Exception> {
        let of_recipients = |one: &&Parameter| {
            matches!(one.kind, Kind::One(Item::Recipient) | Kind::Values(Item::Recipient) | Kind::Array(Item::Recipient))
        };
        for parameter in self.noun.parameters.iter().filter(of_recipients) {
            let Some(value) = object.fields.get_mut(parameter.name.as_ref()) else { continue };
            let values = match value {
                Value::Array(values) => values.iter_mut().collect(),
                one => vec![one],
            };
            for one in values {
                let name = values::folded(one);
                if let Some((_, address)) = self.world.options.recipients.iter().find(|(known, _)| known.to_lowercase() == name) {
                    *one = Value::from(address.as_str());
                }
            }
        }
        for parameter in self.noun.parameters.iter().filter(|one| is_reference(one)) {
            let Some(Input::Value(Value::String(identity))) = self.given.get(parameter.name.as_ref()) else { continue };
            let connectors = self.world.store.truth("OutboundConnector");
            let connector =
                connectors.iter().find(|one| one.answers_to(identity)).ok_or_else(|| Exception::not_found(identity))?;
            Proposal::require(connector.is_true("IsTransportRuleScoped"), || {
                format!("The outbound connector '{identity}' isn't scoped to transport rules.")
            })?;
            object.fields.insert(parameter.name.to_string(), Value::from(connector.name()));
        }
        Ok(())
    }

    /// Lets what refers to a connector follow its new name.
    fn rename_references(&mut self, before: &str, after: &str) {
        if self.noun.name != "OutboundConnector" || before == after {
            return;
        }
        for noun in nouns::all() {
            for parameter in noun.parameters.iter().filter(|one| is_reference(one)) {
                self.world.store.rename_values(noun.name, &parameter.name, before, after);
            }
        }
    }

    /// The object that refers to this connector, if any.
    fn user_of(&self, object: &Object) -> Option<(&'static str, String)> {
        if self.noun.name != "OutboundConnector" {
            return None;
        }
        nouns::all().iter().find_map(|noun| {
            let references: Vec<&Parameter> = noun.parameters.iter().filter(|one| is_reference(one)).collect();
            let users = self.world.store.truth(noun.name);
            let user = users.iter().find(|user| references.iter().any(|one| user.text(&one.name) == Some(object.name())))?;
            Some((noun.name, user.name().to_owned()))
        })
    }

    /// The checks that all nouns share, and the noun's own.
    fn check(&self, before: Option<&Object>, after: &Object) -> Result<(), Exception> {
        let store = &self.world.store;
        let others = store.truth(self.noun.name).iter().filter(|one| before.is_none_or(|before| before.guid != one.guid));
        let name = after.name().to_lowercase();
        let renamed = before.is_none_or(|before| before.name() != after.name());
        if renamed && let Some(taken) = others.into_iter().find(|one| one.name().to_lowercase() == name) {
            let name = render::distinguished_name(self.noun, taken, &self.world.options);
            return Err(Exception::already_exists(&name));
        }
        if self.noun.parameter("Name").is_some_and(|name| name.mandatory) {
            Proposal::require(!after.name().trim().is_empty(), || "The value of 'Name' cannot be empty.".into())?;
        }
        (self.noun.check)(&Proposal { given: &self.given, before, after, store, noun: self.noun })
    }

    /// The place that was asked for, if any; `last` is the lowest that there is.
    fn place(&self, last: usize) -> Result<Option<usize>, Exception> {
        let Some(Input::Value(wanted)) = self.given.get("Priority").filter(|_| self.noun.ordered) else { return Ok(None) };
        let place = wanted.as_u64().and_then(|place| usize::try_from(place).ok()).filter(|place| *place <= last);
        place.map(Some).ok_or_else(|| Exception::priority(last))
    }

    /// True for `WhatIf`.
    fn only_asks(&self) -> bool {
        self.given.get("WhatIf").is_some_and(Input::is_true)
    }

    fn write(&mut self, guid: &str, change: impl FnOnce(&mut Vec<Object>)) {
        let options = &self.world.options;
        let delays = Delays {
            same: Duration::from_millis(options.own_visibility_delay_ms),
            other: Duration::from_millis(options.visibility_delay_ms),
        };
        self.world.store.write(self.end, self.noun.name, guid, delays, change);
    }
}

/// The recipients whose display name begins with what is asked for.
fn recipients(world: &World, parameters: &Map<String, Value>) -> Outcome {
    let asked = parameters.iter().find(|(name, _)| name.eq_ignore_ascii_case("Anr")).map(|(_, value)| values::folded(value));
    let records = world
        .options
        .recipients
        .iter()
        .filter(|(name, _)| asked.as_ref().is_none_or(|asked| name.to_lowercase().starts_with(asked)))
        .map(|(name, address)| {
            let members = [("Name", name), ("DisplayName", name), ("PrimarySmtpAddress", address)];
            members.into_iter().map(|(member, value)| (member.to_owned(), Value::from(value.as_str()))).collect()
        })
        .collect();
    Outcome { records, ..Outcome::default() }
}

/// Hydrates the organization; one that is hydrated refuses.
fn customize(world: &mut World, end: usize) -> Result<Outcome, Exception> {
    let organization = world.store.truth("OrganizationConfig").first().cloned();
    let Some(mut organization) = organization.filter(|config| config.is_true("IsDehydrated")) else {
        return Err(Exception {
            kind: ExceptionKind::InvalidOperation,
            message: "This operation is not required. Organization is already enabled for customization.".into(),
        });
    };
    organization.fields.remove("IsDehydrated");
    organization.changed = world.clock.tick();
    let guid = organization.guid.clone();
    world.store.write(end, "OrganizationConfig", &guid, Delays::default(), |objects| *objects = vec![organization]);
    Ok(Outcome::default())
}

fn is_reference(parameter: &Parameter) -> bool {
    matches!(parameter.kind, Kind::One(Item::Connector))
}
