//! Our own last writes, and how an older reading is told from what somebody else did.
//!
//! The servers of the service agree with each other only after a while. While our own last write to an object is young, a reading without the
//! object, or with what stood there before, is no news. What it takes to tell is kept beside the state, under `written`:
//!
//! ```json
//! {"version": 1, "at": "2026-07-24T19:00:05Z", "changed": "2026-07-24T19:00:04Z", "salt": "…", "before": ["…"]}
//! ```
//!
//! `changed` is the service's own time of the write, where the noun shows one; `before` are salted hashes of what was written over, so that no
//! old value is stored. An object of an older state, and one that was imported, has nothing of it: then every reading is news.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value as Json, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::binding::Cmdlets;
use super::lists::List;
use super::shape::{leaves, record};
use super::values::to_json;
use crate::exchange::answer::Object;
use crate::remote::{Call, digest};
use crate::schema::Record;

/// Under which name the private data holds it.
const WRITTEN: &str = "written";
/// The form that is written; what has another one is not understood, and nothing is known then.
const VERSION: u64 = 1;
/// So long a write is young.
const YOUNG: Duration = Duration::minutes(10);
/// So far our clock and that of another run may be apart.
const SLACK: Duration = Duration::minutes(2);

/// One write of ours.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OwnWrite {
    /// When it was, by our clock.
    at: OffsetDateTime,
    /// When it was, by the service's.
    changed: Option<OffsetDateTime>,
    salt: String,
    /// Hashes of what stood there before.
    before: Vec<String>,
}

impl OwnWrite {
    /// A write that was just done: when by our clock, and by the service's if it says so; and descriptions (see [`described`]) of what stood there
    /// before and now.
    pub(super) fn new(at: OffsetDateTime, changed: Option<OffsetDateTime>, before: &[String], now: Option<&str>) -> OwnWrite {
        let salt = uuid::Uuid::new_v4().simple().to_string();
        let old = before.iter().filter(|text| Some(text.as_str()) != now);
        let before = old.map(|text| hash(&salt, text)).collect();
        OwnWrite { at, changed, salt, before }
    }

    /// The last write to the object of a call, if it is known.
    pub(super) fn of(call: &Call) -> Option<OwnWrite> {
        let kept = call.private(WRITTEN)?;
        let moment = |name: &str| OffsetDateTime::parse(kept.get(name)?.as_str()?, &Rfc3339).ok();
        if kept.get("version").and_then(Json::as_u64) != Some(VERSION) {
            return None;
        }
        let texts = kept.get("before").and_then(Json::as_array).into_iter().flatten();
        Some(OwnWrite {
            at: moment("at")?,
            changed: moment("changed"),
            salt: kept.get("salt").and_then(Json::as_str).unwrap_or_default().to_owned(),
            before: texts.filter_map(|text| text.as_str().map(str::to_owned)).collect(),
        })
    }

    /// Keeps it beside the state.
    pub(super) fn keep(&self, call: &Call) {
        let text = |moment: OffsetDateTime| moment.format(&Rfc3339).ok();
        let kept = json!({
            "version": VERSION,
            "at": text(self.at),
            "changed": self.changed.and_then(text),
            "salt": self.salt,
            "before": self.before,
        });
        call.set_private(WRITTEN, kept);
    }

    /// When it is young no more.
    pub(super) fn ends(&self) -> OffsetDateTime {
        match self.changed {
            Some(changed) => changed.saturating_add(YOUNG),
            None => self.at.saturating_add(YOUNG + SLACK),
        }
    }

    /// Tells whether the servers may not agree on it yet. One of the future is not believed.
    pub(super) fn is_young(&self, now: OffsetDateTime) -> bool {
        now < self.ends() && self.changed.unwrap_or(self.at) <= now.saturating_add(SLACK)
    }

    /// Tells whether an object is shown as it was before this write: by the service's times where they tell, else by what it looks like.
    pub(super) fn is_after(&self, cmdlets: &Cmdlets, object: &Object) -> bool {
        match (self.changed, changed(object)) {
            (Some(own), Some(shown)) if shown < own => true,
            (Some(own), Some(shown)) if shown > own => false,
            // Times have whole seconds: two writes may have the same.
            _ => record(cmdlets, object).is_ok_and(|record| self.replaced(&described(cmdlets, &record))),
        }
    }

    /// Tells whether the service says that this was changed after this write.
    pub(super) fn is_before(&self, shown: Option<OffsetDateTime>) -> bool {
        self.changed.zip(shown).is_some_and(|(own, shown)| own < shown)
    }

    /// Tells whether this is what stood there before.
    pub(super) fn replaced(&self, described: &str) -> bool {
        let hash = hash(&self.salt, described);
        self.before.contains(&hash)
    }

    /// Tells whether a list shows the object older than this write, by the times alone.
    fn is_missing_in(&self, guid: &str, list: &List) -> bool {
        let shown = list.objects.iter().find(|object| object.guid().as_deref() == Some(guid));
        match (shown.map(changed), self.changed) {
            (None, _) => true,
            (Some(Some(shown)), Some(own)) => shown < own,
            _ => false,
        }
    }
}

/// What this run knows of own writes, its own and those of earlier runs, and of what the session's server has shown.
#[derive(Debug, Default)]
pub(in crate::exchange) struct OwnWrites(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    writes: HashMap<(&'static str, String), OwnWrite>,
    shown: HashSet<(&'static str, String)>,
}

impl OwnWrites {
    /// Hears of a write.
    pub(super) fn hear(&self, noun: &'static str, guid: &str, write: OwnWrite) {
        self.inner().writes.insert((noun, guid.to_ascii_lowercase()), write);
    }

    /// Hears that the session's server shows an object: what it does not show later is gone there.
    pub(super) fn showed(&self, noun: &'static str, guid: &str) {
        self.inner().shown.insert((noun, guid.to_ascii_lowercase()));
    }

    /// Tells whether the session's server has shown an object.
    pub(super) fn was_shown(&self, noun: &'static str, guid: &str) -> bool {
        self.inner().shown.contains(&(noun, guid.to_ascii_lowercase()))
    }

    /// Hears that an object is none of ours any more.
    pub(in crate::exchange) fn forget(&self, noun: &'static str, guid: &str) {
        self.inner().writes.remove(&(noun, guid.to_ascii_lowercase()));
    }

    /// Tells whether a list lacks a young write, so that the places in it are not those of now.
    pub(super) fn are_missing_in(&self, noun: &'static str, list: &List, now: OffsetDateTime) -> bool {
        let inner = self.inner();
        let mut own = inner.writes.iter().filter(|((other, _), write)| *other == noun && write.is_young(now));
        own.any(|((_, guid), write)| write.is_missing_in(guid, list))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The service's own time of the last change, where the noun shows one.
pub(super) fn changed(object: &Object) -> Option<OffsetDateTime> {
    let text = object.text("WhenChangedUTC").or_else(|| object.text("WhenChanged"))?;
    OffsetDateTime::parse(text, &Rfc3339).ok()
}

/// What a record says of what can be written and is no secret, in one text: only a hash of it leaves the process.
pub(super) fn described(cmdlets: &Cmdlets, record: &Record) -> String {
    let written = leaves(cmdlets.resource)
        .into_iter()
        .filter(|leaf| leaf.written() && !leaf.attribute.sensitive && !cmdlets.places(&leaf.name));
    let lines = written.map(|leaf| {
        let value = to_json(cmdlets.form(&leaf.name), record.at(&leaf.name)).unwrap_or(Json::Null);
        format!("{}={value}", leaf.name)
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn hash(salt: &str, text: &str) -> String {
    digest(&format!("{salt}\n{text}"), 32)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::exchange::resources;
    use crate::exchange::testing::call;

    const NOW: OffsetDateTime = datetime!(2026-07-24 19:00:00 UTC);

    fn connector(comment: &str, changed: Option<&str>) -> Object {
        let object = json!({"Name": "a", "Guid": "g", "Comment": comment, "WhenChangedUTC": changed});
        Object::new(object.as_object().unwrap().clone())
    }

    fn cmdlets() -> &'static Cmdlets {
        resources::named("exchange_inbound_connector").unwrap()
    }

    fn write(shown: &Object, before: &[&Object]) -> OwnWrite {
        let described = |object: &Object| described(cmdlets(), &record(cmdlets(), object).unwrap());
        let before: Vec<String> = before.iter().map(|object| described(object)).collect();
        OwnWrite::new(NOW, changed(shown), &before, Some(&described(shown)))
    }

    #[test]
    fn rx1_the_service_s_own_time_tells_old_from_new() {
        let at = |second: u32| connector("x", Some(&format!("2026-07-24T18:59:{second:02}.0000000Z")));
        let own = write(&at(30), &[]);
        assert!(own.is_after(cmdlets(), &at(29)) && !own.is_after(cmdlets(), &at(30)) && !own.is_after(cmdlets(), &at(31)));
        let (old, new) = (connector("old", Some("2026-07-24T18:59:30Z")), connector("new", Some("2026-07-24T18:59:30Z")));
        let foreign = connector("other", Some("2026-07-24T18:59:30Z"));
        let own = write(&new, &[&old]);
        assert!(own.is_after(cmdlets(), &old), "two writes in one second");
        assert!(!own.is_after(cmdlets(), &new) && !own.is_after(cmdlets(), &foreign));
    }

    #[test]
    fn rx1_without_a_time_only_what_stood_there_before_is_old() {
        let (old, new) = (connector("old", None), connector("new", None));
        let own = write(&new, &[&old]);
        assert!(own.is_after(cmdlets(), &old) && !own.is_after(cmdlets(), &new));
        assert!(!own.is_after(cmdlets(), &connector("other", None)));
        let unchanged = write(&new, &[&new]);
        assert!(!unchanged.is_after(cmdlets(), &new), "what stands now is no old value");
    }

    #[test]
    fn rx1_a_write_is_young_for_ten_minutes_by_the_service_and_twelve_by_us() {
        let by_service = write(&connector("x", Some("2026-07-24T18:55:00Z")), &[]);
        let by_us = write(&connector("x", None), &[]);
        for (own, ends) in [(by_service, datetime!(2026-07-24 19:05:00 UTC)), (by_us, datetime!(2026-07-24 19:12:00 UTC))] {
            assert_eq!(own.ends(), ends);
            assert!(own.is_young(ends - Duration::SECOND) && !own.is_young(ends));
            assert!(!own.is_young(NOW - Duration::hours(1)), "a write of the future");
        }
    }

    #[test]
    fn rx1_what_is_kept_comes_back_holds_no_value_and_may_be_missing() {
        let own = write(&connector("new", Some("2026-07-24T18:55:00Z")), &[&connector("s3cret", None)]);
        let call = call(1);
        assert_eq!(OwnWrite::of(&call), None);
        own.keep(&call);
        assert_eq!(OwnWrite::of(&call), Some(own));
        let kept = call.private(WRITTEN).unwrap();
        assert!(!kept.to_string().contains("s3cret") && !kept.to_string().contains("new"), "{kept}");
        for odd in
            [json!(null), json!(7), json!({"version": 2, "at": "2026-07-24T18:55:00Z"}), json!({"version": 1, "at": "soon"})]
        {
            call.set_private(WRITTEN, odd);
            assert_eq!(OwnWrite::of(&call), None);
        }
    }
}
