//! Between records and cmdlets: what a table's record is as parameters, and what an object is as a record.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value as Json};

use super::absent::is_absent;
use super::binding::{Cmdlets, Form};
use super::names::parameter;
use super::unmanaged::unmanaged;
use super::values::{filled, from_json, is_nothing, to_json};
use crate::exchange::answer::Object;
use crate::remote::{Error, Kind as ErrorKind, Masks};
use crate::schema::{Attribute, Clearing, Kind, Presence, Record, Remote, Resource, engine};
use crate::value::{Path, Value};

/// One attribute that has a parameter of its own: a line of the table, or a member of an object that lies flat at the service.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    /// The dotted name from the root.
    pub(super) name: String,
    /// The dotted name of the object that it is a member of.
    pub(super) group: Option<&'static str>,
    /// The line of the table.
    pub(super) attribute: &'static Attribute,
    /// The parameter, which is also the name of the member that Get shows.
    pub(super) parameter: String,
    /// That member's name in lower case.
    pub(super) member: String,
}

/// All attributes with parameters, in the order of the table.
pub(super) fn leaves(resource: &'static Resource) -> Vec<Leaf> {
    every_leaf(resource).to_vec()
}

/// The same, made once for each resource: reading an object needs them several times.
pub(super) fn every_leaf(resource: &'static Resource) -> &'static [Leaf] {
    static ALL: Mutex<BTreeMap<usize, &'static [Leaf]>> = Mutex::new(BTreeMap::new());
    let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    // A resource lives as long as the process, and so does its place.
    all.entry(std::ptr::from_ref(resource).addr()).or_insert_with(|| &*collected(resource).leak())
}

fn collected(resource: &'static Resource) -> Vec<Leaf> {
    let leaf = |name: String, group, attribute: &'static Attribute, parameter: String| {
        let member = parameter.to_ascii_lowercase();
        Leaf { name, group, attribute, parameter, member }
    };
    let mut leaves = Vec::new();
    for attribute in resource.attributes {
        match (attribute.kind, attribute.remote) {
            (_, Remote::Local | Remote::Unmanaged) => {}
            (Kind::Block(members), Remote::Flattened(prefix)) => {
                for member in members.iter().filter(|member| member.remote != Remote::Local) {
                    let (name, parameter) = (format!("{}.{}", attribute.name, member.name), format!("{prefix}{}", named(member)));
                    leaves.push(leaf(name, Some(attribute.name), member, parameter));
                }
            }
            _ => leaves.push(leaf(attribute.name.to_owned(), None, attribute, named(attribute))),
        }
    }
    leaves
}

fn named(attribute: &Attribute) -> String {
    match attribute.remote {
        Remote::Named(name) => name.to_owned(),
        _ => parameter(attribute.name),
    }
}

impl Leaf {
    /// Where a message about it belongs.
    pub(super) fn path(&self) -> Path {
        Path::dotted(&self.name)
    }

    pub(super) fn written(&self) -> bool {
        self.attribute.presence != Presence::Computed
    }

    pub(super) fn is_collection(&self) -> bool {
        matches!(self.attribute.kind, Kind::Set(_) | Kind::List(_))
    }
}

/// The name of the parameter of New.
pub(super) fn new_name<'a>(cmdlets: &Cmdlets, leaf: &'a Leaf) -> &'a str {
    cmdlets.new_names.iter().find(|(attribute, _)| *attribute == leaf.name).map_or(leaf.parameter.as_str(), |(_, name)| name)
}

/// The parameters of New: what is set and known. Empty lists are left out, as the service refuses some.
pub(super) fn new_parameters(cmdlets: &Cmdlets, wanted: &Record) -> Map<String, Json> {
    let mut parameters = Map::new();
    for leaf in leaves(cmdlets.resource) {
        let (name, value) = (leaf.name.as_str(), wanted.at(&leaf.name));
        let default = match leaf.attribute.presence {
            Presence::Filled(fill) => filled(leaf.attribute, fill) == *value,
            _ => false,
        };
        let skipped = !leaf.written()
            || is_nothing(value)
            || cmdlets.places(name)
            || cmdlets.set_only.contains(&name)
            || (default && cmdlets.quiet.contains(&name))
            || !cmdlets.applies(name, wanted);
        if !skipped && let Some(json) = to_json(cmdlets.form(name), value) {
            parameters.insert(new_name(cmdlets, &leaf).to_owned(), json);
        }
    }
    parameters.extend(cmdlets.new_with.iter().map(|(name, on)| ((*name).to_owned(), Json::from(*on))));
    parameters
}

/// The parameters of Set for the attributes that changed, with the partners that the service wants in the same call, and the
/// lists among them that are to be emptied. Without `Identity`; empty if there is nothing to send.
pub(super) fn set_parameters(
    cmdlets: &Cmdlets,
    wanted: &Record,
    changed: &[Leaf],
) -> Result<(Map<String, Json>, Vec<Leaf>), Error> {
    let all = leaves(cmdlets.resource);
    let mut sent: Vec<&Leaf> = changed.iter().collect();
    let mut position = 0;
    while let Some(leaf) = sent.get(position).copied() {
        for partner in leaf.attribute.partners {
            let beside = all.iter().find(|other| other.group == leaf.group && other.attribute.name == *partner);
            if let Some(beside) = beside.filter(|beside| !sent.iter().any(|known| known.name == beside.name)) {
                sent.push(beside);
            }
        }
        position += 1;
    }
    let (mut parameters, mut emptied) = (Map::new(), Vec::new());
    for leaf in sent {
        let (name, value) = (leaf.name.as_str(), wanted.at(&leaf.name));
        if !leaf.written() || value.is_unknown() || cmdlets.places(name) || cmdlets.toggles(name) || cmdlets.rotates(name) {
            continue;
        }
        // What is not for this kind of object is still sent when it says more than "off".
        if !cmdlets.applies(name, wanted) && !matches!(value, Value::Bool(true)) {
            continue;
        }
        let json = if is_nothing(value) {
            if leaf.attribute.clearing == Clearing::NullThenRemove {
                emptied.push(leaf.clone());
            }
            cleared(cmdlets, leaf)?
        } else {
            to_json(cmdlets.form(name), value).unwrap_or(Json::Null)
        };
        parameters.insert(leaf.parameter.clone(), json);
    }
    Ok((parameters, emptied))
}

/// What Set is sent to take an attribute away.
pub(super) fn cleared(cmdlets: &Cmdlets, leaf: &Leaf) -> Result<Json, Error> {
    let truth = matches!(leaf.attribute.kind, Kind::Scalar(crate::schema::Scalar::Boolean));
    match leaf.attribute.clearing {
        Clearing::Null if truth && cmdlets.form(&leaf.name) != Some(Form::Tristate) => Ok(Json::from(false)),
        Clearing::Null | Clearing::NullThenRemove => Ok(Json::Null),
        Clearing::EmptyText => Ok(Json::from("")),
        Clearing::Space => Ok(Json::from(" ")),
        Clearing::Replace | Clearing::Refused => Err(Error::new(
            ErrorKind::Invalid,
            format!("Exchange Online has no way to remove `{}` from an object that has it.", leaf.name),
        )
        .hint("Keep a value, or make the object anew with `terraform apply -replace=…`.")
        .at(leaf.path())),
    }
}

/// The parameter that removes list elements by name, for a list that null did not empty.
pub(super) fn removing(values: &Value) -> Json {
    let remove = to_json(None, values).unwrap_or_else(|| Json::Array(Vec::new()));
    serde_json::json!({"@odata.type": "#Exchange.GenericHashTable", "Remove": remove})
}

/// Reads an object by the table. Every attribute of the table is there, and `id` is the GUID. What the object does not show is unknown.
pub(super) fn record(cmdlets: &Cmdlets, object: &Object) -> Result<Record, Error> {
    let mut record = Record::new();
    record.set("id", cmdlets.id(object).map_or(Value::Null, Value::String));
    record.set_unmanaged(cmdlets.resource, unmanaged(cmdlets, object));
    let mut groups: BTreeMap<&str, BTreeMap<String, Value>> = BTreeMap::new();
    for leaf in every_leaf(cmdlets.resource) {
        let value = match cmdlets.toggle {
            _ if is_absent(cmdlets, leaf, object) => Value::UNKNOWN,
            Some(toggle) if cmdlets.toggles(&leaf.name) => match object.text(toggle.shown) {
                Some(state) => Value::Bool(state.eq_ignore_ascii_case("Enabled")),
                None => understood(cmdlets, leaf, object)?,
            },
            _ if matches!(leaf.name.as_str(), "before" | "after") && cmdlets.ordered => Value::Null,
            _ => understood(cmdlets, leaf, object)?,
        };
        match leaf.group {
            None => record.set(leaf.name.as_str(), value),
            Some(group) => {
                groups.entry(group).or_default().insert(leaf.attribute.name.to_owned(), value);
            }
        }
    }
    for (group, members) in groups {
        let members = Value::Object(members);
        let nullable = cmdlets.resource.attributes.iter().any(|own| own.name == group && own.presence == Presence::Nullable);
        record.set(group, if nullable && is_nothing(&members) { Value::Null } else { members });
    }
    if let Some(completes) = cmdlets.completes {
        completes(object, &mut record);
    }
    Ok(record)
}

fn understood(cmdlets: &Cmdlets, leaf: &Leaf, object: &Object) -> Result<Value, Error> {
    from_json(leaf.attribute, cmdlets.form(&leaf.name), object.shown(&leaf.member)).map_err(|odd| {
        let name = object.text("Name").unwrap_or("without a name");
        Error::new(
            ErrorKind::Unexpected,
            format!(
                "`{}` shows `{}` of {name:?} in a form that is not understood: {odd}.",
                cmdlets.cmdlet("Get"),
                leaf.parameter
            ),
        )
        .hint("Please report this with the form that is named, and without the value.")
        .at(leaf.path())
    })
}

/// What of an object cannot be read by the table, in words and without values.
pub(in crate::exchange) fn oddities(cmdlets: &Cmdlets, object: &Object) -> Vec<String> {
    let read = |leaf: &Leaf| {
        let value = from_json(leaf.attribute, cmdlets.form(&leaf.name), object.get(&leaf.parameter));
        value.err().map(|odd| format!("`{}` (attribute `{}`): {odd}", leaf.parameter, leaf.name))
    };
    leaves(cmdlets.resource).iter().filter_map(read).collect()
}

/// A member of an object that the table knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::exchange) enum Known {
    /// Never shown.
    Secret,
    /// Text that a person wrote.
    Written,
    /// Numbers, truths, moments and words of the service.
    Plain,
}

/// The members that the table knows, by their names at the service.
pub(in crate::exchange) fn known(cmdlets: &Cmdlets) -> Vec<(String, Known)> {
    let kind = |leaf: &Leaf| {
        let of_text = matches!(
            leaf.attribute.kind,
            Kind::Scalar(crate::schema::Scalar::String)
                | Kind::List(crate::schema::Scalar::String)
                | Kind::Set(crate::schema::Scalar::String)
        );
        if leaf.attribute.sensitive {
            Known::Secret
        } else if of_text && leaf.attribute.choices.is_empty() && cmdlets.form(&leaf.name).is_none() {
            Known::Written
        } else {
            Known::Plain
        }
    };
    let mut known: Vec<_> = leaves(cmdlets.resource).iter().map(|leaf| (leaf.parameter.clone(), kind(leaf))).collect();
    known.extend(cmdlets.toggle.map(|toggle| (toggle.shown.to_owned(), Known::Plain)));
    known
}

/// The attributes that a user writes and whose values mean different things. What is not known in `wanted` is not compared.
pub(super) fn unlike(cmdlets: &Cmdlets, wanted: &Record, actual: &Record) -> Vec<Leaf> {
    let differs = |leaf: &Leaf| {
        let (wanted, actual) = (wanted.at(&leaf.name), actual.at(&leaf.name));
        leaf.written()
            && wanted.is_wholly_known()
            && !(is_nothing(wanted) && is_nothing(actual))
            && !engine::same(leaf.attribute, wanted, actual)
    };
    leaves(cmdlets.resource).into_iter().filter(differs).collect()
}

/// What must not be shown of these records.
pub(super) fn masks(resource: &'static Resource, records: &[&Record]) -> Masks {
    let mut masks = Masks::new();
    for leaf in leaves(resource).iter().filter(|leaf| leaf.attribute.sensitive) {
        for value in records.iter().map(|record| record.at(&leaf.name)) {
            match value {
                Value::String(text) => masks.add(text),
                other => {
                    for text in other.as_elements().unwrap_or_default().iter().filter_map(Value::as_text) {
                        masks.add(text);
                    }
                }
            }
        }
    }
    masks
}

/// Shows a value in a message, shortened; a sensitive one is not shown.
pub(super) fn shown(leaf: &Leaf, value: &Value) -> String {
    if leaf.attribute.sensitive {
        return "(sensitive)".to_owned();
    }
    let text = match to_json(None, value) {
        Some(json) => json.to_string(),
        None => "nothing".to_owned(),
    };
    if text.chars().count() > 200 { text.chars().take(200).chain("…".chars()).collect() } else { text }
}
