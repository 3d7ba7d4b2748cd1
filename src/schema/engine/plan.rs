//! What an object will be, made from its configuration and what it was.
//!
//! Terraform checks every plan: a configured value must be planned as configured, or as it was where both are set; a value that
//! is not configured must be null, unless the service may set it; write-only arguments are never planned. All of this holds here
//! by construction, whatever the host proposes.

use super::equality::{canonical, is_empty, same, take_first};
use super::kept::{Kept, kept, stays_unseen};
use super::standing::{Stands, can_stand, stands};
use super::{ID, Members, TIMEOUTS, attributes, default_value, get, known_id, unmanaged};
use crate::schema::{Attribute, Clearing, Fill, Import, Kind, Motion, Presence, Record, Remote, Resource};
use crate::value::{Diagnostic, Diagnostics, Path, Refinement, Value};

/// What is to happen to an object.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The object after apply; unknown where only the service can tell. `None` where it will be gone.
    pub planned: Option<Record>,
    /// The attributes whose change makes a new object.
    pub replace: Vec<Path>,
    /// Errors and warnings.
    pub diagnostics: Diagnostics,
}

/// Plans a create (`prior` is `None`) or an update. `proposed` is what the host proposes; it says nothing that the other two
/// do not say, and is not needed.
///
/// Where a value is configured and means the same as the prior one, the prior spelling stays. (One case cannot be mended from
/// here: a collection that is partly unknown must be planned as configured, and if it then turns out to mean the same as a prior
/// one that is spelled otherwise, the two plans differ in spelling. The next run settles it.)
pub fn plan(resource: &Resource, prior: Option<&Record>, config: &Record, proposed: &Record) -> Plan {
    let _ = proposed;
    let all = || attributes(resource);
    let pending: Vec<&str> = prior.map_or_else(Vec::new, |prior| {
        let pending = |attribute: &&Attribute| attribute.pending.is_some_and(|pending| pending(prior, config));
        resource.attributes.iter().filter(pending).map(|attribute| attribute.name).collect()
    });
    let configured = config;
    let config = config.members();
    let object = stands(resource, config);
    let Some(prior) = prior.map(Record::members) else {
        let mut planned = Planner { changed: Some(&[]), respelled: false, object }.whole(resource, None, config);
        if let Some(id) = known_id(resource, &planned) {
            planned.insert(ID.name.to_owned(), Value::text(id));
        }
        derive(resource, None, configured, &mut planned, |_| true);
        return Plan { planned: Some(planned.into()), ..Plan::default() };
    };

    let mut planned = Planner { changed: None, respelled: false, object }.whole(resource, Some(prior), config);
    let changed = |attribute: &Attribute| {
        let (before, now) = (get(Some(prior), attribute.name), get(Some(&planned), attribute.name));
        // The service hears nothing of time limits, nor of a block that came or went and says nothing.
        let is_unheard = attribute.name == TIMEOUTS.name || (attribute.kind.is_block() && same(attribute, before, now));
        let versions = attribute.write_only_form.then(|| attribute.version_name());
        (before != now && !is_unheard) || versions.is_some_and(|name| get(Some(prior), &name) != get(Some(&planned), &name))
    };
    let changed: Vec<&str> = all().filter(|attribute| changed(attribute)).map(|attribute| attribute.name).collect();
    if !pending.is_empty() || !changed.is_empty() {
        planned = Planner { changed: Some(&changed), respelled: false, object }.whole(resource, Some(prior), config);
        derive(resource, Some(prior), configured, &mut planned, |name| changed.contains(&name));
    }
    for name in pending {
        planned.insert(name.to_owned(), Value::UNKNOWN);
    }
    // An object that is renamed in place gets another ID.
    if let Import::Key { attributes, .. } = resource.import
        && attributes.iter().any(|name| changed.contains(name))
    {
        planned.insert(ID.name.to_owned(), known_id(resource, &planned).map_or(Value::UNKNOWN, Value::text));
    }

    let change = Levels { prior: Some(prior), config: Some(config), planned: Some(&planned) };
    let mut replace = Vec::new();
    let mut refused = Diagnostics::new();
    change.walk(resource.attributes, &Path::root(), &mut replace, &mut refused);
    // A new object starts without what cannot be removed from the old one.
    let diagnostics = if replace.is_empty() { refused } else { Diagnostics::new() };
    Plan { planned: Some(planned.into()), replace, diagnostics }
}

/// Fills in what follows from the object as it is to be sent, where that changes. A prior value of the same meaning keeps its spelling.
fn derive(resource: &Resource, prior: Option<&Members>, config: &Record, planned: &mut Members, changes: impl Fn(&str) -> bool) {
    for attribute in resource.attributes {
        let (Some(derived), Motion::With(sources)) = (attribute.derived, attribute.motion) else { continue };
        if !sources.iter().any(|name| changes(name)) {
            continue;
        }
        let sent = effective(resource, &planned.clone().into(), config);
        if let Some(value) = derived(&sent) {
            let before = prior.map(|prior| get(Some(prior), attribute.name)).filter(|before| same(attribute, before, &value));
            planned.insert(attribute.name.to_owned(), before.cloned().unwrap_or(value));
        }
    }
}

/// The planned object with the values of write-only arguments (which only the configuration has) under the plain names:
/// what is to be sent.
///
/// A value of the service's that is left out and moves with other objects is unknown in it, also where the plan shows what it was: it is no
/// wish.
pub fn effective(resource: &Resource, planned: &Record, config: &Record) -> Record {
    let mut sent = with_write_only(resource.attributes, planned.members(), config.members());
    for attribute in resource.attributes.iter().filter(|attribute| is_moved_by_others(attribute, config)) {
        sent.insert(attribute.name.to_owned(), Value::UNKNOWN);
    }
    sent.into()
}

/// Brings what the service shows after a change to the plan, where a value moves with other objects: the plan has said what it is, and the next
/// refresh shows what it has become.
pub fn carried(resource: &Resource, planned: &Record, config: &Record, mut settled: Record) -> Record {
    for attribute in resource.attributes.iter().filter(|attribute| is_moved_by_others(attribute, config)) {
        if planned.get(attribute.name).is_wholly_known() {
            settled.set(attribute.name, planned.get(attribute.name).clone());
        }
    }
    settled
}

fn is_moved_by_others(attribute: &Attribute, config: &Record) -> bool {
    matches!(attribute.motion, Motion::With(_)) && config.get(attribute.name).is_null()
}

fn with_write_only(attributes: &[Attribute], planned: &Members, config: &Members) -> Members {
    let mut sent = planned.clone();
    for attribute in attributes {
        if attribute.write_only_form {
            let value = get(Some(config), &attribute.write_only_name());
            if !value.is_null() {
                sent.insert(attribute.name.to_owned(), value.clone());
            } else if stays_unseen(attribute, planned) {
                // The text is kept as it stands, and nobody here knows it.
                sent.insert(attribute.name.to_owned(), Value::UNKNOWN);
            }
        }
        let Some(members) = attribute.kind.members() else { continue };
        let whole = |planned: &Value, config: &Value| match (planned, config) {
            (Value::Object(planned), Value::Object(config)) => Value::Object(with_write_only(members, planned, config)),
            (planned, _) => planned.clone(),
        };
        let value = match (get(Some(planned), attribute.name), get(Some(config), attribute.name)) {
            (planned @ Value::Object(_), config) => whole(planned, config),
            (Value::List(planned), Value::List(config)) => Value::List(
                planned
                    .iter()
                    .enumerate()
                    .map(|(index, element)| whole(element, config.get(index).unwrap_or(&Value::Null)))
                    .collect(),
            ),
            _ => continue,
        };
        sent.insert(attribute.name.to_owned(), value);
    }
    sent
}

/// Fills objects from their configuration and what they were.
struct Planner<'a> {
    /// The attributes of the object that change, so that what moves with them cannot be known before; `None` where nothing changes.
    changed: Option<&'a [&'a str]>,
    /// Whether a value is spelled as configured even where the prior one means the same.
    respelled: bool,
    /// Whether the object is one that is always there.
    object: Stands,
}

impl Planner<'_> {
    /// A whole object. What is left out of one that is always there stays as it stands.
    fn whole(&self, resource: &Resource, prior: Option<&Members>, config: &Members) -> Members {
        let mut planned = self.members(attributes(resource), prior, config);
        if self.object != Stands::Never {
            let left_out = |attribute: &&Attribute| can_stand(attribute) && get(Some(config), attribute.name).is_null();
            for attribute in resource.attributes.iter().filter(left_out) {
                let value = match prior {
                    Some(prior) if attribute.presence != Presence::Filled(Fill::Service) && self.object == Stands::Always => {
                        get(Some(prior), attribute.name).clone()
                    }
                    prior => self.of_service(
                        attribute,
                        prior.map(|prior| get(Some(prior), attribute.name)).filter(|_| self.object == Stands::Always),
                    ),
                };
                planned.insert(attribute.name.to_owned(), value);
            }
        }
        planned
    }

    /// An object's attributes. `prior` is `None` where the object is new.
    fn members<'t>(
        &self,
        attributes: impl IntoIterator<Item = &'t Attribute>,
        prior: Option<&Members>,
        config: &Members,
    ) -> Members {
        let attributes: Vec<&Attribute> = attributes.into_iter().collect();
        let mut planned = Members::new();
        for attribute in attributes.iter().copied() {
            let before = prior.map(|prior| get(Some(prior), attribute.name));
            let text = || {
                let beside: Vec<Attribute> = attributes.iter().map(|line| **line).collect();
                kept(attribute, &beside, prior, config)
            };
            let value = match (implied(attribute, config), before) {
                (None, Some(before)) if attribute.kept_beside.is_some() && !before.is_null() => match text() {
                    Kept::Stays | Kept::Missing => before.clone(),
                    // Whether it stays is open.
                    Kept::Open => Value::UNKNOWN,
                    Kept::Written | Kept::Goes => self.value(attribute, Some(before), get(Some(config), attribute.name)),
                },
                (Some(text), Some(before)) if !before.is_null() && same(attribute, before, &text) => before.clone(),
                (Some(text), _) => text,
                (None, _) => self.value(attribute, before, get(Some(config), attribute.name)),
            };
            planned.insert(attribute.name.to_owned(), value);
            if attribute.write_only_form {
                planned.insert(attribute.write_only_name(), Value::Null);
                let version = attribute.version_name();
                let value = unrefined(get(Some(config), &version));
                planned.insert(version, value);
            }
        }
        planned
    }

    fn value(&self, attribute: &Attribute, prior: Option<&Value>, config: &Value) -> Value {
        if attribute.presence == Presence::Computed {
            return self.of_service(attribute, prior);
        }
        match (&attribute.kind, config) {
            (_, Value::Null) => self.left_out(attribute, prior),
            // How many blocks there will be is not known; the host wants exactly this back.
            (Kind::Block(_) | Kind::BlockList(_), Value::Unknown(_)) => config.clone(),
            (Kind::Object(members) | Kind::Block(members), Value::Object(config)) => {
                Value::Object(self.members(*members, prior.and_then(Value::as_members), config))
            }
            (Kind::ListOf(members) | Kind::BlockList(members), Value::List(config)) => {
                let prior = prior.and_then(Value::as_elements).unwrap_or_default();
                let elements = config.iter().enumerate();
                Value::List(elements.map(|(index, config)| self.element(members, prior.get(index), config)).collect())
            }
            (Kind::SetOf(members), Value::Set(config)) => self.set(members, prior, config),
            // What is listed may stand, and need not.
            (_, config) if attribute.remote == Remote::Unmanaged => match prior {
                Some(prior) if unmanaged::is_within(prior, config) => prior.clone(),
                _ => unrefined(config),
            },
            (_, config) => match prior {
                Some(prior) if !self.respelled && !prior.is_null() && same(attribute, prior, config) => prior.clone(),
                _ => unrefined(config),
            },
        }
    }

    /// The value of an attribute that the configuration leaves out.
    fn left_out(&self, attribute: &Attribute, prior: Option<&Value>) -> Value {
        match (attribute.presence, &attribute.kind) {
            (_, Kind::BlockList(_)) => Value::List(Vec::new()),
            (Presence::Filled(Fill::Service), _) => self.of_service(attribute, prior),
            (Presence::Filled(Fill::Empty), Kind::Object(members)) => {
                Value::Object(self.members(*members, prior.and_then(Value::as_members), &Members::new()))
            }
            (Presence::Filled(_), _) => {
                let default = default_value(attribute).unwrap_or_default();
                match prior {
                    Some(prior) if !prior.is_null() && same(attribute, prior, &default) => prior.clone(),
                    _ => default,
                }
            }
            _ => Value::Null,
        }
    }

    /// A value that only the service can tell.
    fn of_service(&self, attribute: &Attribute, prior: Option<&Value>) -> Value {
        let moves = self.changed.is_some_and(|changed| match attribute.motion {
            Motion::Fixed => false,
            Motion::WithChange => true,
            Motion::With(names) => names.iter().any(|name| changed.contains(name)),
        });
        match prior {
            Some(_) if moves => Value::UNKNOWN,
            // A state of an older release may lack it; it must not be promised to stay away.
            Some(Value::Null) if self.changed.is_some() && attribute.name == ID.name => Value::UNKNOWN,
            Some(prior) => prior.clone(),
            None => Value::UNKNOWN,
        }
    }

    fn element(&self, members: &[Attribute], prior: Option<&Value>, config: &Value) -> Value {
        match config {
            Value::Object(config) => Value::Object(self.members(members, prior.and_then(Value::as_members), config)),
            other => unrefined(other),
        }
    }

    /// A set of objects. Its elements have no names by which prior and configured ones could be told to belong together, so
    /// an element keeps what the service set only where all that is configured is unchanged. The prior spelling stays only
    /// where that is so of all elements: a set in which anything changes is spelled as configured.
    fn set(&self, members: &[Attribute], prior: Option<&Value>, config: &[Value]) -> Value {
        let before = prior.and_then(Value::as_elements).unwrap_or_default();
        let mut rest: Vec<&Value> = before.iter().collect();
        let twins: Vec<Option<&Value>> =
            config.iter().map(|element| take_first(&mut rest, |prior| continues(members, prior, element))).collect();
        let is_unchanged = before.len() == config.len() && twins.iter().all(Option::is_some);
        let planner = Planner { respelled: self.respelled || !is_unchanged, ..*self };
        Value::set(twins.into_iter().zip(config).map(|(twin, element)| planner.element(members, twin, element)).collect())
    }
}

/// What an attribute that is left out is beside a sibling that is configured.
fn implied(attribute: &Attribute, config: &Members) -> Option<Value> {
    let &(sibling, text) = attribute.implied.filter(|_| get(Some(config), attribute.name).is_null())?;
    match get(Some(config), sibling) {
        Value::Null => None,
        // Whether it will be null is open.
        Value::Unknown(known) if known.as_ref().is_none_or(|known| known.null != Some(false)) => Some(Value::UNKNOWN),
        _ => Some(Value::text(text)),
    }
}

/// Tells whether a configured element of a set is a prior one, left as it was.
fn continues(members: &[Attribute], prior: &Value, config: &Value) -> bool {
    let (Value::Object(prior), Value::Object(config)) = (prior, config) else { return false };
    members.iter().all(|member| {
        let (before, now) = (get(Some(prior), member.name), get(Some(config), member.name));
        if let Some(text) = implied(member, config) {
            return same(member, before, &text);
        }
        match (member.presence, now) {
            (Presence::Computed, _) | (Presence::Filled(Fill::Service), Value::Null) => true,
            (Presence::Filled(_), Value::Null) => default_value(member).is_some_and(|default| same(member, before, &default)),
            (_, now) => same(member, before, now),
        }
    })
}

/// A configured value, and of what is unknown in it only whether it can be null: the final value may be spelled as the prior one
/// was, and then need not begin with a promised prefix.
fn unrefined(value: &Value) -> Value {
    let all = |items: &[Value]| items.iter().map(unrefined).collect();
    let each = |members: &Members| members.iter().map(|(name, value)| (name.clone(), unrefined(value))).collect();
    match value {
        Value::Unknown(Some(known)) if known.null == Some(false) => {
            Value::Unknown(Some(Box::new(Refinement { null: Some(false), ..Refinement::default() })))
        }
        Value::Unknown(_) => Value::UNKNOWN,
        known if known.is_wholly_known() => known.clone(),
        Value::List(items) => Value::List(all(items)),
        Value::Set(items) => Value::set(all(items)),
        Value::Tuple(items) => Value::Tuple(all(items)),
        Value::Map(members) => Value::Map(each(members)),
        Value::Object(members) => Value::Object(each(members)),
        other => other.clone(),
    }
}

/// An object before, as configured and as planned; `None` where it is not there.
#[derive(Clone, Copy)]
struct Levels<'a> {
    prior: Option<&'a Members>,
    config: Option<&'a Members>,
    planned: Option<&'a Members>,
}

impl Levels<'_> {
    /// Finds the attributes whose change makes a new object, and those that are removed though nothing can remove them.
    fn walk(self, attributes: &[Attribute], path: &Path, replace: &mut Vec<Path>, refused: &mut Diagnostics) {
        for attribute in attributes.iter().filter(|attribute| attribute.presence != Presence::Computed) {
            let (prior, planned) = (get(self.prior, attribute.name), get(self.planned, attribute.name));
            let config = get(self.config, attribute.name);
            let inside = || path.attribute(attribute.name);
            // What the service fills in anew is nobody's wish for a new object.
            let left_to_service = planned.is_unknown() && config.is_null();
            // What is always there gets no other name, and nothing else gets its name.
            let crosses = attribute.always_there.is_some_and(|is_there| {
                let is_there = |value: &Value| value.as_text().map(is_there);
                is_there(prior).is_some_and(|before| is_there(planned).is_some_and(|now| before != now))
            });
            if crosses && !attribute.replaces {
                replace.push(inside());
            }
            if attribute.replaces && !left_to_service {
                // Nobody can tell what a local setting of an imported object was.
                let is_new_to_state = attribute.remote == Remote::Local && prior.is_null();
                if !same(attribute, prior, planned) && !is_new_to_state {
                    replace.push(inside());
                }
                if attribute.write_only_form {
                    let version = attribute.version_name();
                    if get(self.prior, &version) != get(self.planned, &version) {
                        replace.push(path.attribute(&version));
                    }
                }
            }
            self.removal(attribute, path, replace, refused);
            let is_unmarked = |members| !attribute.replaces && !left_to_service && any_replaces(members);
            match attribute.kind {
                Kind::Object(members) | Kind::Block(members) if !planned.is_unknown() => {
                    let levels = Levels { prior: prior.as_members(), config: config.as_members(), planned: planned.as_members() };
                    levels.walk(members, &inside(), replace, refused);
                }
                Kind::ListOf(members) | Kind::BlockList(members) if !planned.is_unknown() && is_unmarked(members) => {
                    elements_walk(members, &inside(), [prior, config, planned], replace);
                }
                // Which of the objects a change is about cannot be told.
                kind if kind.members().is_some_and(is_unmarked) && !same(attribute, prior, planned) => replace.push(inside()),
                _ => {}
            }
        }
    }

    /// Acts on an attribute that was set and no longer is, where the service cannot just clear it.
    fn removal(self, attribute: &Attribute, path: &Path, replace: &mut Vec<Path>, refused: &mut Diagnostics) {
        if !matches!(attribute.clearing, Clearing::Replace | Clearing::Refused) || attribute.remote == Remote::Local {
            return;
        }
        let planned = get(self.planned, attribute.name);
        let is_set = |value: &Value| {
            let form = canonical(attribute, value);
            !form.is_null() && !is_empty(&form)
        };
        let by_version = |members| attribute.write_only_form && !get(members, &attribute.version_name()).is_null();
        let was = is_set(get(self.prior, attribute.name)) || by_version(self.prior);
        let is = is_set(planned) || (attribute.write_only_form && !get(self.config, &attribute.write_only_name()).is_null());
        if !was || is {
            return;
        }
        let inside = path.attribute(attribute.name);
        if attribute.clearing == Clearing::Replace {
            if !replace.contains(&inside) {
                replace.push(inside);
            }
        } else {
            let detail = format!(
                "The service has no way to remove `{inside}` once it is set. Keep it, give it another value, or make the object anew with \
                 `terraform apply -replace=ADDRESS`."
            );
            refused.push(Diagnostic::error(format!("Unable to remove \"{inside}\""), detail).at(inside));
        }
    }
}

fn elements_walk(members: &[Attribute], path: &Path, [prior, config, planned]: [&Value; 3], replace: &mut Vec<Path>) {
    let [prior, config, planned] = [prior, config, planned].map(|value| value.as_elements().unwrap_or_default());
    for index in 0..prior.len().max(planned.len()) {
        let [prior, config, planned] = [prior, config, planned].map(|elements| elements.get(index).and_then(Value::as_members));
        Levels { prior, config, planned }.walk(members, &path.index(index), replace, &mut Diagnostics::new());
    }
}

fn any_replaces(members: &[Attribute]) -> bool {
    members.iter().any(|member| member.replaces || member.kind.members().is_some_and(any_replaces))
}
