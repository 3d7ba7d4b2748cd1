//! Arbitrary configurations, states and services over the test tables.

use proptest::prelude::*;

use super::tables::{domain, lower};
use crate::schema::engine::{Members, attributes, columns};
use crate::schema::{Attribute, Kind, Presence, Record, Resource, Scalar};
use crate::value::{Refinement, Value};

/// What is made.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Make {
    /// A configuration; nothing in it breaks a rule of the table.
    Config,
    /// A configuration in which whole attributes may be unknown.
    PartlyUnknown,
    /// Any configuration of the right type: empty spellings, duplicates, unknown elements.
    Wild,
    /// A state: known, and everything may be there or null.
    State,
}

pub(super) fn arb_record(resource: &'static Resource, make: Make) -> BoxedStrategy<Record> {
    let list: Vec<&'static Attribute> = attributes(resource).collect();
    arb_members(list, make).prop_map(Record::from).boxed()
}

fn arb_members(attributes: Vec<&'static Attribute>, make: Make) -> BoxedStrategy<Members> {
    let members: Vec<BoxedStrategy<Members>> = attributes.into_iter().map(|attribute| arb_attribute(attribute, make)).collect();
    members.prop_map(|members| members.into_iter().flatten().collect()).boxed()
}

/// An attribute and its write-only form.
fn arb_attribute(attribute: &'static Attribute, make: Make) -> BoxedStrategy<Members> {
    let name = attribute.name.to_owned();
    if attribute.name == "timeouts" {
        let some = Just(Value::object([
            ("create", "5m".into()),
            ("read", Value::Null),
            ("update", Value::Null),
            ("delete", Value::Null),
        ]));
        return prop_oneof![Just(Value::Null), some].prop_map(move |value| [(name.clone(), value)].into()).boxed();
    }
    let value = if attribute.kind.is_block() { arb_block(attribute, make) } else { arb_value(attribute, make) };
    if !attribute.write_only_form {
        return value.prop_map(move |value| [(name.clone(), value)].into()).boxed();
    }
    let secret = prop_oneof![Just("hidden1"), Just("hidden2")].prop_map(Value::text);
    let (written, version) = (attribute.write_only_name(), attribute.version_name());
    let is_required = attribute.presence == Presence::Required;
    (value, any::<bool>(), secret, 1..3_i64)
        .prop_map(move |(value, is_secret, secret, number)| {
            let (plain, secret, number) = match (make, is_secret) {
                (Make::State, true) => (Value::Null, Value::Null, number.into()),
                (_, true) => (Value::Null, secret, number.into()),
                (_, false) if is_required && value.is_null() => (Value::text("plain"), Value::Null, Value::Null),
                _ => (value, Value::Null, Value::Null),
            };
            [(name.clone(), plain), (written.clone(), secret), (version.clone(), number)].into()
        })
        .boxed()
}

/// Blocks as a host sends them: no list of blocks is ever null, and one is unknown as a whole or not at all.
fn arb_block(attribute: &'static Attribute, make: Make) -> BoxedStrategy<Value> {
    let none = if matches!(attribute.kind, Kind::BlockList(_)) { Value::List(vec![]) } else { Value::Null };
    let some = arb_some(attribute, make);
    match make {
        Make::Config | Make::State => prop_oneof![2 => some, 1 => Just(none)].boxed(),
        Make::PartlyUnknown | Make::Wild => prop_oneof![3 => some, 1 => Just(none), 1 => Just(Value::UNKNOWN)].boxed(),
    }
}

fn arb_value(attribute: &'static Attribute, make: Make) -> BoxedStrategy<Value> {
    if attribute.presence == Presence::Computed && make != Make::State {
        return Just(Value::Null).boxed();
    }
    let some = arb_some(attribute, make);
    let unknown = prop_oneof![
        Just(Value::UNKNOWN),
        Just(Value::Unknown(Some(Box::new(Refinement {
            null: Some(false),
            prefix: Some("A".to_owned()),
            ..Refinement::default()
        }))))
    ];
    let is_required = attribute.presence == Presence::Required;
    match make {
        Make::Config if is_required => some,
        Make::Config | Make::State => prop_oneof![2 => some, 1 => Just(Value::Null)].boxed(),
        Make::PartlyUnknown => {
            // What is refined as text must be text when it is known.
            let unknown = Just(Value::UNKNOWN);
            if is_required {
                prop_oneof![3 => some, 1 => unknown].boxed()
            } else {
                prop_oneof![2 => some, 1 => Just(Value::Null), 1 => unknown].boxed()
            }
        }
        Make::Wild => prop_oneof![3 => some, 1 => Just(Value::Null), 1 => unknown].boxed(),
    }
}

fn arb_some(attribute: &'static Attribute, make: Make) -> BoxedStrategy<Value> {
    // Elements of plain collections and of sets are known, unless everything goes: what is unknown there cannot be told apart.
    let inner = if make == Make::PartlyUnknown { Make::Config } else { make };
    let one = move || if make == Make::Wild { wild(arb_single(attribute)) } else { arb_single(attribute) };
    let least = usize::from(attribute.presence == Presence::Nullable && make != Make::Wild);
    let objects =
        |members: &'static [Attribute], make| arb_members(members.iter().collect(), make).prop_map(Value::Object).boxed();
    match attribute.kind {
        Kind::Scalar(_) => arb_single(attribute),
        Kind::List(_) => prop::collection::vec(one(), least..4).prop_map(Value::List).boxed(),
        Kind::Set(_) => prop::collection::vec(one(), least..4).prop_map(Value::set).boxed(),
        Kind::Map(_) => prop::collection::btree_map("[kl]", one(), least..3).prop_map(Value::Map).boxed(),
        Kind::Object(members) | Kind::Block(members) => objects(members, make),
        Kind::ListOf(members) | Kind::BlockList(members) => {
            prop::collection::vec(objects(members, make), least..4).prop_map(Value::List).boxed()
        }
        Kind::SetOf(members) => prop::collection::vec(objects(members, inner), least..4).prop_map(Value::set).boxed(),
    }
}

fn wild(value: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    prop_oneof![3 => value, 1 => Just(Value::UNKNOWN), 1 => Just(Value::text(""))].boxed()
}

/// Single values out of few, so that they often meet; texts in several spellings.
fn arb_single(attribute: &'static Attribute) -> BoxedStrategy<Value> {
    match attribute.kind.scalar() {
        Some(Scalar::Boolean) => any::<bool>().prop_map(Value::Bool).boxed(),
        Some(Scalar::Integer) => prop_oneof![Just(10_i64), Just(25), 1..30_i64].prop_map(Value::integer).boxed(),
        Some(Scalar::Number) => prop_oneof![Just("0.5"), Just("10"), Just("12345678901234567890.5")]
            .prop_map(|text| Value::Number(text.parse().unwrap()))
            .boxed(),
        _ if !attribute.choices.is_empty() => prop::sample::select(attribute.choices).prop_map(Value::text).boxed(),
        _ => prop_oneof![Just("aaaa"), Just("Aaaa"), Just("bbbb"), Just("enforce"), Just("smtp:aaaa;1"), Just("caf\u{e9}")]
            .prop_map(Value::text)
            .boxed(),
    }
}

/// A service that stores what it is sent in its own spelling and order, sets what is left to it, and answers "nothing" in one
/// of several ways.
#[derive(Clone, Copy, Debug)]
pub(super) struct Service {
    pub(super) seed: u64,
}

impl Service {
    fn draw(self, name: &str) -> u64 {
        name.bytes().fold(self.seed, |draw, byte| draw.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte).wrapping_add(draw >> 29))
    }

    /// What the service says after it was sent a record (unknown where it decides), without what it does not know.
    pub(super) fn stores(self, resource: &'static Resource, sent: &Record) -> Record {
        let members = attributes(resource).filter(|attribute| attribute.name != "timeouts");
        self.members(members, sent.members()).into()
    }

    fn members<'a>(self, attributes: impl Iterator<Item = &'a Attribute>, sent: &Members) -> Members {
        let known = attributes.filter(|attribute| attribute.remote != crate::schema::Remote::Local);
        known
            .filter_map(|attribute| {
                let value = self.value(attribute, sent.get(attribute.name).unwrap_or(&Value::Null));
                // Some answers leave out what is not set.
                let is_left_out = value.is_null() && self.draw(attribute.name).is_multiple_of(3);
                (!is_left_out).then(|| (attribute.name.to_owned(), value))
            })
            .collect()
    }

    fn value(self, attribute: &Attribute, sent: &Value) -> Value {
        let object = |members: &'static [Attribute], value: &Value| match value {
            Value::Object(inner) => Value::Object(self.members(members.iter(), inner)),
            other => other.clone(),
        };
        match (attribute.kind, sent) {
            (_, Value::Unknown(_)) => self.chooses(attribute),
            (kind, Value::Null) => match (attribute.presence, self.draw(attribute.name) % 2, kind) {
                (Presence::Nullable, 0, Kind::Scalar(Scalar::String)) => Value::text(""),
                (Presence::Nullable, 0, Kind::List(_) | Kind::ListOf(_) | Kind::BlockList(_)) => Value::List(vec![]),
                (Presence::Nullable, 0, Kind::Set(_) | Kind::SetOf(_)) => Value::Set(vec![]),
                (Presence::Nullable, 0, Kind::Object(members) | Kind::Block(members)) => {
                    Value::Object(self.members(members.iter(), &Members::new()))
                }
                _ => Value::Null,
            },
            // The default may go unsaid.
            (Kind::Scalar(_), sent)
                if crate::schema::engine::default_value(attribute).as_ref() == Some(sent) && self.seed.is_multiple_of(2) =>
            {
                Value::Null
            }
            (Kind::Object(members) | Kind::Block(members), sent) => object(members, sent),
            (Kind::ListOf(members) | Kind::BlockList(members), Value::List(items)) => {
                Value::List(items.iter().map(|item| object(members, item)).collect())
            }
            (Kind::SetOf(members), Value::Set(items)) => Value::set(items.iter().map(|item| object(members, item)).collect()),
            (Kind::List(_), Value::List(items)) => Value::List(items.iter().map(|item| self.spells(attribute, item)).collect()),
            // A list in another order, as services answer.
            (Kind::Set(_), Value::Set(items)) => {
                Value::List(items.iter().rev().map(|item| self.spells(attribute, item)).collect())
            }
            (Kind::Map(_), Value::Map(members)) => {
                Value::Map(members.iter().map(|(key, item)| (key.clone(), self.spells(attribute, item))).collect())
            }
            (_, single) => self.spells(attribute, single),
        }
    }

    fn spells(self, attribute: &Attribute, value: &Value) -> Value {
        let Value::String(text) = value else { return value.clone() };
        let Some(meaning) = attribute.meaning else { return value.clone() };
        let plain = meaning(text);
        let is_domain = std::ptr::fn_addr_eq(meaning, domain as fn(&str) -> String);
        debug_assert!(is_domain || std::ptr::fn_addr_eq(meaning, lower as fn(&str) -> String));
        match self.draw(&plain) % 3 {
            0 if is_domain => Value::String(format!("smtp:{plain};1")),
            1 => Value::String(plain.to_uppercase()),
            _ => Value::String(plain),
        }
    }

    fn chooses(self, attribute: &Attribute) -> Value {
        let draw = self.draw(attribute.name);
        if attribute.name != "id" && draw.is_multiple_of(4) {
            return Value::Null;
        }
        let single = match attribute.kind.scalar() {
            Some(Scalar::Boolean) => Value::Bool(draw.is_multiple_of(2)),
            Some(Scalar::Integer | Scalar::Number) => Value::integer(i64::try_from(draw % 50).unwrap()),
            _ => Value::String(format!("chosen{}", draw % 50)),
        };
        match attribute.kind {
            Kind::Scalar(_) => single,
            Kind::List(_) => Value::List(vec![single]),
            Kind::Set(_) => Value::set(vec![single]),
            Kind::Object(members) | Kind::Block(members) => {
                Value::Object(members.iter().map(|member| (member.name.to_owned(), self.chooses(member))).collect())
            }
            _ => Value::Null,
        }
    }
}

/// A record of the right names and wrong contents: any type, unknown, missing, extra.
pub(super) fn arb_garbage(resource: &'static Resource) -> BoxedStrategy<Record> {
    let mut names: Vec<String> = columns(resource.attributes).into_iter().map(|column| column.name.into_owned()).collect();
    names.extend(["id", "timeouts", "no_such_name", "host", "port"].map(str::to_owned));
    let names = prop::sample::select(names);
    let leaf = prop_oneof![
        Just(Value::Null),
        Just(Value::UNKNOWN),
        any::<bool>().prop_map(Value::Bool),
        Just(Value::integer(7)),
        Just(Value::text("")),
        Just(Value::text("aaaa")),
    ];
    let value = leaf.prop_recursive(3, 16, 4, {
        let names = names.clone();
        move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::List),
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::set),
                prop::collection::btree_map(names.clone(), inner.clone(), 0..4).prop_map(Value::Map),
                prop::collection::btree_map(names.clone(), inner, 0..4).prop_map(Value::Object),
            ]
        }
    });
    prop::collection::btree_map(names, value, 0..12).prop_map(Record::from).boxed()
}

/// A known configuration that a partly unknown one may turn out to be: `other` where it is unknown.
pub(super) fn resolve(config: &Value, other: &Value) -> Value {
    match (config, other) {
        (Value::Unknown(_), other) => other.clone(),
        (Value::Object(config), Value::Object(other)) => {
            let of = |name: &String| other.get(name).unwrap_or(&Value::Null);
            Value::Object(config.iter().map(|(name, value)| (name.clone(), resolve(value, of(name)))).collect())
        }
        (Value::Object(config), _) => {
            Value::Object(config.iter().map(|(name, value)| (name.clone(), resolve(value, &Value::Null))).collect())
        }
        (Value::List(items), other) => {
            let other = other.as_elements().unwrap_or_default();
            let of = |index: usize| other.get(index).unwrap_or(&Value::Null);
            Value::List(items.iter().enumerate().map(|(index, item)| resolve(item, of(index))).collect())
        }
        (Value::Set(items), _) => Value::set(items.iter().map(|item| resolve(item, &Value::Null)).collect()),
        (known, _) => known.clone(),
    }
}
