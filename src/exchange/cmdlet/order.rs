//! Where an object stands among its kind: `priority`, which is a place from 0, `before` and `after`, which are neighbours.
//!
//! Places are dense: each insertion moves all that follow. A place beyond the end means the end, and is corrected when there
//! are enough objects; so objects that are made side by side come to stand where they belong, whatever their order of arrival.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::binding::{Cmdlets, PLAIN};
use super::lists::List;
use crate::exchange::Exchange;
use crate::exchange::answer::Object;
use crate::remote::{Call, Error, Kind, Masks};
use crate::schema::Record;
use crate::value::{Diagnostic, Path, Value};

/// The places that this run has given out, by noun and GUID.
#[derive(Debug, Default)]
pub(in crate::exchange) struct Places {
    wanted: Mutex<BTreeMap<(&'static str, String), i64>>,
}

impl Places {
    fn remember(&self, noun: &'static str, guid: &str, place: i64) {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner).insert((noun, guid.to_owned()), place);
    }

    pub(in crate::exchange) fn forget(&self, noun: &'static str, guid: &str) {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner).remove(&(noun, guid.to_owned()));
    }

    /// Tells whether this run gave an object a place.
    pub(super) fn knows(&self, noun: &'static str, guid: &str) -> bool {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&(noun, guid.to_owned()))
    }

    /// The wanted places in ascending order, each given once.
    fn all(&self, noun: &'static str) -> Vec<(i64, String)> {
        let wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> =
            wanted.iter().filter(|((own, _), _)| *own == noun).map(|((_, guid), place)| (*place, guid.clone())).collect();
        all.sort();
        all.dedup_by_key(|(place, _)| *place);
        all
    }
}

/// The place of an object among its kind, as far as a place can be: it is counted with.
pub(super) fn place(object: &Object) -> Option<i64> {
    let place = object.get("Priority");
    let place = place.as_i64().or_else(|| place.as_str().and_then(|text| text.parse().ok()))?;
    Some(place.clamp(0, i64::from(i32::MAX)))
}

/// Finds an object by its GUID or its name.
pub(super) fn neighbour<'a>(list: &'a List, who: &str) -> Option<&'a Object> {
    let mut objects = list.objects.iter();
    objects
        .find(|object| object.guid().is_some_and(|guid| guid.eq_ignore_ascii_case(who)))
        .or_else(|| list.objects.iter().find(|object| object.is_named(who)))
}

fn last(list: &List) -> i64 {
    i64::try_from(list.objects.len()).unwrap_or(i64::MAX) - 1
}

/// Says an object's place as `known` says it, where that means the same: a place beyond the end, a neighbour that follows.
pub(super) fn shown(record: &mut Record, list: &List, known: Option<&Record>) {
    let Some(known) = known else { return };
    let Some(actual) = record.integer("priority") else { return };
    if let Some(wanted) = known.integer("priority").filter(|wanted| *wanted > actual && actual == last(list)) {
        record.set("priority", Value::integer(wanted));
    }
    for (attribute, holds) in [("before", i64::lt as fn(&i64, &i64) -> bool), ("after", i64::gt)] {
        if let Some(name) = known.text(attribute)
            && let Some(other) = neighbour(list, name).and_then(place)
            && holds(&actual, &other)
        {
            record.set(attribute, Value::text(name));
        }
    }
}

/// Tells whether a wanted record asks for a place among its kind.
pub(super) fn asks(wanted: &Record) -> bool {
    wanted.integer("priority").is_some() || wanted.text("before").is_some() || wanted.text("after").is_some()
}

/// The place that a wanted record asks for, if it asks for one and does not stand there. `own` is the place where the object
/// stands; `None` for one that is to be made.
pub(super) fn target(wanted: &Record, list: &List, own: Option<i64>) -> Result<Option<i64>, Error> {
    let [before, after] = ["before", "after"].map(|attribute| beside(wanted, list, attribute));
    let (before, after) = (before?, after?);
    if let (Some(before), Some(after)) = (before, after)
        && after >= before
    {
        return Err(Error::new(
            Kind::Invalid,
            "Nothing can stand after the one and before the other: the rule of `before` acts before the rule of `after`.",
        )
        .hint("Swap the two, or leave one of them out.")
        .at(Path::dotted("after")));
    }
    if before.is_some() || after.is_some() {
        // The order holds as long as the neighbours stand where they should, whatever stands between.
        let holds = |own: i64| before.is_none_or(|before| own < before) && after.is_none_or(|after| own > after);
        return Ok(match (own, before, after) {
            (Some(own), ..) if holds(own) => None,
            // The one that moves down makes room behind itself first.
            (Some(own), _, Some(after)) if own < after => Some(after),
            (_, Some(before), _) => Some(before),
            (_, None, after) => after.map(|after| after + 1),
        });
    }
    let Some(place) = wanted.integer("priority") else { return Ok(None) };
    // A new object may take the place behind the last one.
    let end = if own.is_some() { last(list) } else { last(list) + 1 };
    let place = place.min(end).max(0);
    Ok(if own == Some(place) { None } else { Some(place) })
}

fn relative(wanted: &Record) -> bool {
    wanted.text("before").is_some() || wanted.text("after").is_some()
}

/// The place of the neighbour that an attribute names, if it names one.
fn beside(wanted: &Record, list: &List, attribute: &'static str) -> Result<Option<i64>, Error> {
    let Some(name) = wanted.text(attribute) else { return Ok(None) };
    neighbour(list, name).and_then(place).map(Some).ok_or_else(|| {
        Error::new(Kind::Invalid, format!("There is no rule with the name or GUID {name:?} to stand {attribute}."))
            .hint("Refer to the other rule (`mailflow_exchange_transport_rule.….name`), so that it is made first.")
            .at(Path::dotted(attribute))
    })
}

impl Exchange {
    /// Remembers the place that an object was given, and moves those of this run that do not stand where they were wanted. What
    /// fails here is a warning: the next plan shows it.
    pub(super) async fn arrange(&self, cmdlets: &'static Cmdlets, guid: &str, wanted: &Record, report: &Call, call: &Call) {
        let Some(place) = wanted.integer("priority").filter(|_| cmdlets.ordered && !relative(wanted)) else {
            return;
        };
        if self.places.all(cmdlets.noun).iter().any(|(other, owner)| *other == place && owner != guid) {
            report.report(
                Diagnostic::warning(
                    format!("Two objects of the kind {} want the place {place}", cmdlets.resource.noun),
                    "Each moves the other away, so that every plan will show a change. Give each a `priority` of its own, or use `before`.",
                )
                .at(Path::dotted("priority")),
            );
        }
        self.places.remember(cmdlets.noun, guid, place);
        if let Err(error) = self.rearrange(cmdlets, call).await {
            report.report(Diagnostic::warning(
                format!("Unable to bring the objects of the kind {} into their order", cmdlets.resource.noun),
                error.to_string(),
            ));
        }
    }

    async fn rearrange(&self, cmdlets: &'static Cmdlets, call: &Call) -> Result<(), Error> {
        // Moving one down moves others up: it takes a second pass at times, and never many.
        for _ in 0..3 {
            let mut moved = false;
            for (wanted, guid) in self.places.all(cmdlets.noun) {
                let list = self.listed(cmdlets, PLAIN, 0, call).await?;
                let Some(own) = neighbour(&list, &guid).and_then(place) else { continue };
                let to = wanted.min(last(&list)).max(0);
                if own != to {
                    self.move_to(cmdlets, &guid, to, &Masks::new(), call).await.map_err(|failed| failed.error)?;
                    moved = true;
                }
            }
            if !moved {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn list(names: &[&str]) -> List {
        let objects = names.iter().enumerate().map(|(place, name)| {
            let object = json!({"Name": name, "Guid": format!("guid-{name}"), "Priority": place});
            Object::new(object.as_object().unwrap().clone())
        });
        List { objects: objects.collect(), began: 1, anew: false }
    }

    fn check(wanted: &Record, own: Option<i64>, to: Option<i64>) {
        assert_eq!(target(wanted, &list(&["a", "b", "c"]), own), Ok(to));
    }

    #[test]
    fn a_place_beyond_the_end_is_the_end() {
        let at = |place: i64| Record::new().with("priority", place);
        check(&at(1), None, Some(1));
        check(&at(9), None, Some(3));
        check(&at(9), Some(0), Some(2));
        check(&at(9), Some(2), None);
        check(&at(1), Some(1), None);
        check(&Record::new(), Some(1), None);
        check(&Record::new().with("priority", Value::UNKNOWN), None, None);
    }

    #[test]
    fn e18_an_order_that_holds_is_left_alone() {
        let before = |name: &str| Record::new().with("before", name);
        check(&before("c"), Some(0), None);
        check(&before("C"), Some(1), None);
        check(&before("a"), Some(2), Some(0));
        check(&before("guid-b"), None, Some(1));
        let after = |name: &str| Record::new().with("after", name);
        check(&after("a"), Some(2), None);
        check(&after("C"), Some(0), Some(2));
        check(&after("b"), Some(0), Some(1));
        check(&after("guid-b"), None, Some(2));
        check(&before("c").with("after", "a"), Some(1), None);
        check(&before("c").with("after", "b"), Some(0), Some(1));
        check(&before("b").with("after", "a"), Some(2), Some(1));
        check(&before("c").with("after", "a"), None, Some(2));
        let error = target(&before("a").with("after", "b"), &list(&["a", "b"]), None).unwrap_err();
        assert_eq!(error.path, Some(Path::dotted("after")));
        let error = target(&before("x"), &list(&["a"]), None).unwrap_err();
        assert_eq!(error.path, Some(Path::dotted("before")));
    }

    #[test]
    fn e18_a_place_is_shown_as_it_was_wanted_while_it_means_the_same() {
        let seen = |own: i64, known: &Record| {
            let mut record = Record::new().with("priority", own).with("before", Value::Null).with("after", Value::Null);
            shown(&mut record, &list(&["a", "b", "c"]), Some(known));
            let neighbour = record.text("before").or(record.text("after"));
            (record.integer("priority"), neighbour.map(str::to_owned))
        };
        assert_eq!(seen(2, &Record::new().with("priority", 7)), (Some(7), None));
        assert_eq!(seen(1, &Record::new().with("priority", 7)), (Some(1), None));
        assert_eq!(seen(1, &Record::new().with("before", "C")), (Some(1), Some("C".to_owned())));
        assert_eq!(seen(2, &Record::new().with("before", "b")), (Some(2), None));
        assert_eq!(seen(2, &Record::new().with("after", "B")), (Some(2), Some("B".to_owned())));
        assert_eq!(seen(0, &Record::new().with("after", "b")), (Some(0), None));
        assert_eq!(seen(2, &Record::new().with("before", "gone")), (Some(2), None));
    }

    #[test]
    fn rs6_a_place_that_no_list_has_is_counted_with_all_the_same() {
        for place in [i64::MIN, -1, i64::MAX - 1, i64::MAX] {
            for place in [json!(place), json!(place.to_string())] {
                let mut list = list(&["a", "b"]);
                let far = json!({"Name": "far", "Guid": "guid-far", "Priority": place});
                list.objects.push(Object::new(far.as_object().unwrap().clone()));
                for attribute in ["before", "after"] {
                    let wanted = Record::new().with(attribute, "far");
                    for own in [None, Some(0), Some(1)] {
                        assert!(target(&wanted, &list, own).is_ok_and(|to| to.is_none_or(|to| to >= 0)), "{attribute} {place}");
                    }
                }
            }
        }
    }
}
