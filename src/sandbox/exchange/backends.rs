//! Keeps the objects of the organization, and shows each of the two back ends its own view of them.
//!
//! There is one truth. A back end sees the truth except for the objects that a write changed a moment ago: those it shows as
//! they were, for as long as its lag. A session stays on its back end by the affinity cookie; a client that drops the cookie is sent to
//! the one that did not take the last write. Where the service heeds no cookie, calls come to the back ends in turn.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;
use time::OffsetDateTime;

/// The number of back ends.
pub(crate) const ENDS: usize = 2;

/// An object of the organization: what is stored, in the form that Get shows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Object {
    /// Its GUID.
    pub(crate) guid: String,
    /// What is set; everything else reads as the noun's unset value.
    pub(crate) fields: BTreeMap<String, Value>,
    /// When it was created.
    pub(crate) created: OffsetDateTime,
    /// When it was last changed.
    pub(crate) changed: OffsetDateTime,
}

/// Everything that stands, and who sees it.
#[derive(Debug, Default)]
pub(crate) struct Store {
    nouns: BTreeMap<&'static str, Vec<Object>>,
    /// In the order of the writes.
    unseen: [Vec<Unseen>; ENDS],
    last_writer: Option<usize>,
    /// Whose turn it is where no cookie is heeded.
    turn: usize,
}

/// A write that a back end does not show yet.
#[derive(Debug)]
struct Unseen {
    noun: &'static str,
    guid: String,
    /// What the back end still shows: nothing, or an object at a place.
    before: Option<(usize, Object)>,
    until: Instant,
}

/// How long after a write a back end shows it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Delays {
    /// The one that took the write.
    pub(crate) same: Duration,
    /// The other one.
    pub(crate) other: Duration,
}

impl Object {
    /// The name, or nothing for an object without one.
    pub(crate) fn name(&self) -> &str {
        self.text("Name").unwrap_or_default()
    }

    /// The text of a property, when it is set.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name).and_then(Value::as_str)
    }

    /// True when a property is `true`.
    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.fields.get(name) == Some(&Value::Bool(true))
    }

    /// True when the identity means this object: its name in any case, its GUID, or its distinguished name.
    pub(crate) fn answers_to(&self, identity: &str) -> bool {
        let common_name = identity.strip_prefix("CN=").and_then(|rest| rest.split_once(',')).map(|(name, _)| name);
        self.name().to_lowercase() == identity.to_lowercase()
            || self.guid.eq_ignore_ascii_case(identity.trim_matches(['{', '}']))
            || common_name.is_some_and(|name| name.to_lowercase() == self.name().to_lowercase())
    }
}

impl Store {
    /// The objects of a noun as they are.
    pub(crate) fn truth(&self, noun: &str) -> &[Object] {
        self.nouns.get(noun).map_or(&[], Vec::as_slice)
    }

    /// The nouns with objects.
    pub(crate) fn nouns(&self) -> impl Iterator<Item = (&'static str, &[Object])> {
        self.nouns.iter().filter(|(_, objects)| !objects.is_empty()).map(|(noun, objects)| (*noun, objects.as_slice()))
    }

    /// The back end for a request: its cookie's, else the one that did not take the last write. Where no cookie is heeded, the next one.
    pub(crate) fn route(&mut self, cookie: Option<usize>, heeded: bool) -> usize {
        if !heeded {
            self.turn = (self.turn + 1) % ENDS;
            return self.turn;
        }
        cookie.filter(|end| *end < ENDS).unwrap_or_else(|| self.last_writer.map_or(0, |writer| (writer + 1) % ENDS))
    }

    /// The objects of a noun as the back end shows them now.
    pub(crate) fn look(&mut self, end: usize, noun: &str) -> Vec<Object> {
        let now = Instant::now();
        let mut view = self.truth(noun).to_vec();
        let Some(unseen) = self.unseen.get_mut(end) else { return view };
        unseen.retain(|write| write.until > now);
        let mut old: Vec<(usize, Object)> = Vec::new();
        let mut known: Vec<&str> = Vec::new();
        for write in unseen.iter().filter(|write| write.noun == noun) {
            // Of several writes, the first that is not shown yet says what is shown.
            if !known.contains(&write.guid.as_str()) {
                known.push(&write.guid);
                view.retain(|object| object.guid != write.guid);
                old.extend(write.before.clone());
            }
        }
        old.sort_by_key(|(place, _)| *place);
        for (place, object) in old {
            view.insert(place.min(view.len()), object);
        }
        view
    }

    /// Changes the objects of a noun on a back end; the object with this GUID is what the others do not see yet.
    pub(crate) fn write(
        &mut self,
        end: usize,
        noun: &'static str,
        guid: &str,
        delays: Delays,
        change: impl FnOnce(&mut Vec<Object>),
    ) {
        let now = Instant::now();
        let objects = self.nouns.entry(noun).or_default();
        let before = objects.iter().enumerate().find(|(_, object)| object.guid == guid).map(|(at, object)| (at, object.clone()));
        change(objects);
        self.last_writer = Some(end);
        for (index, unseen) in self.unseen.iter_mut().enumerate() {
            let lag = if index == end { delays.same } else { delays.other };
            if lag.is_zero() {
                // What a back end shows at once is the newest.
                unseen.retain(|write| write.noun != noun || write.guid != guid);
            } else {
                unseen.push(Unseen { noun, guid: guid.to_owned(), before: before.clone(), until: now + lag });
            }
        }
    }

    /// Changes the objects of a noun behind everybody's back: every back end sees it at once.
    pub(crate) fn overwrite(&mut self, noun: &'static str, change: impl FnOnce(&mut Vec<Object>)) {
        change(self.nouns.entry(noun).or_default());
        for unseen in &mut self.unseen {
            unseen.retain(|write| write.noun != noun);
        }
    }

    /// Puts another value where a property of a noun's objects holds this one.
    pub(crate) fn rename_values(&mut self, noun: &str, property: &str, before: &str, after: &str) {
        for object in self.nouns.get_mut(noun).into_iter().flatten().filter(|object| object.text(property) == Some(before)) {
            object.fields.insert(property.to_owned(), Value::from(after));
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        let writer = self.last_writer;
        *self = Self { last_writer: writer, ..Self::default() };
    }
}
