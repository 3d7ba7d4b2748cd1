//! Everything that the stand-in knows, and what can be done to it behind a client's back.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tokio::sync::mpsc::UnboundedSender;

use super::backends::{Object, Store};
use super::clock::{Clock, Guids};
use super::errors::Rotation;
use super::faults::Faults;
use super::graph::Submission;
use super::ledger::Ledger;
use super::noun::Noun;
use super::oddity::Oddity;
use super::options::Options;
use super::paging::Pages;
use super::token::Tokens;
use super::whims::Whims;
use super::{describe, nouns, trace};

/// The state of the stand-in.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) options: Options,
    pub(crate) clock: Clock,
    pub(crate) guids: Guids,
    /// Numbers requests apart from objects, so that calls do not change the GUIDs of what is made later.
    pub(crate) requests: Guids,
    pub(crate) store: Store,
    pub(crate) tokens: Tokens,
    pub(crate) faults: Faults,
    pub(crate) whims: Option<Whims>,
    /// What objects show beside the tables, by GUID.
    pub(crate) oddities: BTreeMap<String, Oddity>,
    pub(crate) ledger: Ledger,
    pub(crate) errors: Rotation,
    pub(crate) pages: Pages,
    /// The messages that a trace finds.
    pub(crate) messages: Vec<Map<String, Value>>,
    /// Messages that came by mail, and when a trace begins to find them.
    pub(crate) mail: Vec<(std::time::Instant, Map<String, Value>)>,
    /// Who carries what is sent from mailboxes.
    pub(crate) outbox: Option<UnboundedSender<Submission>>,
    /// The front end sent somebody to the other name of this host.
    pub(crate) redirected: bool,
    /// How many answers had nothing to say.
    pub(crate) silent_answers: u64,
}

impl World {
    /// Makes a tenant with its domains and with what always exists.
    pub(crate) fn new(options: Options) -> Self {
        let mut world = Self {
            clock: Clock::new(options.real_clock),
            guids: Guids::new(options.seed),
            requests: Guids::new(!options.seed),
            options,
            store: Store::default(),
            tokens: Tokens::default(),
            faults: Faults::default(),
            whims: None,
            oddities: BTreeMap::new(),
            ledger: Ledger::default(),
            errors: Rotation::default(),
            pages: Pages::default(),
            messages: Vec::new(),
            mail: Vec::new(),
            outbox: None,
            redirected: false,
            silent_answers: 0,
        };
        world.seed();
        world
    }

    fn seed(&mut self) {
        let options = self.options.clone();
        self.seed_one("AcceptedDomain", json!({ "Name": options.organization, "InitialDomain": true }));
        for (index, domain) in options.domains.iter().enumerate() {
            let dnssec = options.dnssec_domains.contains(domain);
            self.seed_one(
                "AcceptedDomain",
                json!({ "Name": domain, "Default": index == 0,
                    "SmtpDaneStatus": if dnssec { "Enabled" } else { "Disabled" },
                    "MoeraDnsProvisioningMode": if dnssec { "Dnssec" } else { "None" } }),
            );
        }
        self.seed_one(
            "RemoteDomain",
            json!({ "Name": "Default", "DomainName": "*", "CharacterSet": "iso-8859-1", "NonMimeCharacterSet": "iso-8859-1" }),
        );
        self.seed_one("HostedConnectionFilterPolicy", json!({ "Name": "Default" }));
        self.seed_one("ArcConfig", json!({ "Name": "Default" }));
        self.seed_one("TransportConfig", json!({ "Name": "Transport Settings" }));
        self.seed_one("OrganizationConfig", json!({ "Name": options.organization, "DisplayName": "Contoso" }));
    }

    fn seed_one(&mut self, noun: &str, fields: Value) {
        let Value::Object(fields) = fields else { return };
        let Some(noun) = nouns::find(noun) else { return };
        let mut object = self.blank();
        fill(noun, &mut object, &fields);
        self.store.overwrite(noun.name, |objects| objects.push(object));
    }

    fn blank(&mut self) -> Object {
        let now = self.clock.now();
        Object { guid: self.guids.next(), fields: BTreeMap::new(), created: now, changed: now }
    }

    /// All objects in canonical form.
    pub(crate) fn snapshot(&self) -> Value {
        let nouns = self.store.nouns().map(|(noun, objects)| {
            let mut records: Vec<Value> = objects.iter().map(record).collect();
            if !nouns::find(noun).is_some_and(|noun| noun.ordered) {
                // The order of what has none is an accident of its history.
                records.sort_by_key(|record| record["Name"].as_str().unwrap_or_default().to_lowercase());
            }
            (noun.to_owned(), Value::Array(records))
        });
        Value::Object(nouns.collect())
    }

    /// Puts the objects of a snapshot back, all of them or none.
    pub(crate) fn restore(&mut self, snapshot: &Value) -> Result<(), String> {
        let now = self.clock.now();
        let mut restored: Vec<(&'static Noun, Vec<Object>)> = Vec::new();
        for (name, records) in snapshot.as_object().ok_or("a snapshot is an object of nouns")? {
            let noun = nouns::find(name).ok_or_else(|| format!("there is no noun {name}"))?;
            let mut objects = Vec::new();
            for record in records.as_array().ok_or_else(|| format!("{name} is not a list"))? {
                let mut fields = record.as_object().cloned().ok_or_else(|| format!("{name} holds more than objects"))?;
                let guid = fields.remove("Guid").and_then(|guid| guid.as_str().map(str::to_owned));
                let guid = guid.ok_or_else(|| format!("an object of {name} has no Guid"))?;
                known(noun, &fields)?;
                let mut object = Object { guid, fields: BTreeMap::new(), created: now, changed: now };
                fill(noun, &mut object, &fields);
                objects.push(object);
            }
            restored.push((noun, objects));
        }
        self.store.clear();
        for (noun, objects) in restored {
            self.store.overwrite(noun.name, |standing| *standing = objects);
        }
        Ok(())
    }

    /// One object in the snapshot's form.
    pub(crate) fn object(&self, noun: &str, identity: &str) -> Option<Value> {
        let noun = nouns::find(noun)?;
        self.store.truth(noun.name).iter().find(|object| object.answers_to(identity)).map(record)
    }

    /// Changes an object behind everybody's back, or makes it.
    pub(crate) fn put(&mut self, noun: &str, identity: &str, fields: &Map<String, Value>) -> Result<String, String> {
        let noun = nouns::find(noun).ok_or_else(|| format!("there is no noun {noun}"))?;
        let mut fields = fields.clone();
        let place = fields.remove("Priority").filter(|_| noun.ordered);
        let place = place.and_then(|place| place.as_u64()).and_then(|place| usize::try_from(place).ok());
        known(noun, &fields)?;
        let standing = self.store.truth(noun.name).iter().position(|object| object.answers_to(identity));
        let mut object = if let Some(object) = standing.and_then(|at| self.store.truth(noun.name).get(at)) {
            object.clone()
        } else {
            let mut object = self.blank();
            for parameter in &noun.parameters {
                noun.store(&mut object, parameter, parameter.start.clone().unwrap_or_default());
            }
            object.fields.insert("Name".into(), Value::from(identity));
            object
        };
        fill(noun, &mut object, &fields);
        object.changed = self.clock.tick();
        let guid = object.guid.clone();
        self.store.overwrite(noun.name, |objects| {
            let at = standing.filter(|at| *at < objects.len());
            if let Some(at) = at {
                objects.remove(at);
            }
            let place = place.or(at).unwrap_or(objects.len()).min(objects.len());
            objects.insert(place, object);
        });
        Ok(guid)
    }

    /// Has an object show more, and less, than the tables say.
    pub(crate) fn show(&mut self, noun: &str, identity: &str, oddity: Oddity) -> Result<(), String> {
        let noun = nouns::find(noun).ok_or_else(|| format!("there is no noun {noun}"))?;
        let standing = self.store.truth(noun.name).iter().find(|object| object.answers_to(identity));
        let guid = standing.map(|object| object.guid.clone()).ok_or_else(|| format!("there is no {identity}"))?;
        self.oddities.insert(guid, oddity);
        self.clock.tick();
        Ok(())
    }

    /// Deletes an object behind everybody's back; answers whether it was there.
    pub(crate) fn remove(&mut self, noun: &str, identity: &str) -> Result<bool, String> {
        let noun = nouns::find(noun).ok_or_else(|| format!("there is no noun {noun}"))?;
        let before = self.store.truth(noun.name).len();
        self.store.overwrite(noun.name, |objects| objects.retain(|object| !object.answers_to(identity)));
        self.clock.tick();
        Ok(self.store.truth(noun.name).len() < before)
    }

    /// Puts messages there for a trace to find.
    pub(crate) fn set_messages(&mut self, messages: &[Value]) -> Result<(), String> {
        self.messages = messages.iter().map(trace::record).collect::<Result<_, _>>()?;
        Ok(())
    }

    /// Puts a message that came by mail there for a trace to find, after a while.
    pub(crate) fn trace_later(&mut self, mut message: Value, delay: std::time::Duration) {
        message["Received"] = Value::from(super::values::date_text(self.clock.now(), "Z"));
        message["MessageTraceId"] = Value::from(self.requests.next());
        if let Ok(record) = trace::record(&message) {
            self.mail.push((std::time::Instant::now() + delay, record));
        }
    }

    /// Lets the application run a cmdlet again.
    pub(crate) fn grant(&mut self, cmdlet: &str) {
        self.options.revoked.retain(|revoked| !revoked.eq_ignore_ascii_case(cmdlet));
    }

    /// Takes the right to run a cmdlet away.
    pub(crate) fn revoke(&mut self, cmdlet: &str) {
        self.options.revoked.insert(cmdlet.to_owned());
    }

    /// Ends every token that was issued.
    pub(crate) fn expire_tokens(&mut self) {
        let now = self.clock.now();
        self.tokens.expire(now);
    }

    /// Says what stands, for people.
    pub(crate) fn describe(&self) -> String {
        describe::describe(self)
    }
}

/// An object in the snapshot's form: its GUID and what is set.
fn record(object: &Object) -> Value {
    let fields = object.fields.iter().map(|(name, value)| (name.clone(), value.clone()));
    Value::Object(fields.chain([("Guid".to_owned(), Value::from(object.guid.as_str()))]).collect())
}

/// Refuses fields that the noun does not have.
fn known(noun: &Noun, fields: &Map<String, Value>) -> Result<(), String> {
    match fields.keys().find(|name| noun.parameter(name).is_none_or(|parameter| parameter.hidden)) {
        Some(name) => Err(format!("{} has no property {name}", noun.name)),
        None => Ok(()),
    }
}

/// Puts raw values into an object; `null` unsets.
fn fill(noun: &Noun, object: &mut Object, fields: &Map<String, Value>) {
    for (name, value) in fields {
        if let Some(parameter) = noun.parameter(name) {
            noun.store(object, parameter, value.clone());
        }
    }
}
