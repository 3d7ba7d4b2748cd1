//! Where rules are to stand, at plan: what contradicts another wish, and what a planned move breaks.

use super::binding::{Cmdlets, Life, PLAIN};
use super::lists::List;
use super::order::{neighbour, place};
use super::rank::RULES;
use super::review::{PATIENCE, claimed};
use crate::exchange::Exchange;
use crate::exchange::answer::Object;
use crate::remote::order::{Pair, Place, Plan, contradiction, holds, second_apply};
use crate::remote::{Call, Change, Error};
use crate::schema::Record;
use crate::value::Path;

impl Exchange {
    /// Judges a rule that does not change by what else is planned. Gives what is to be unknown in its plan, so that it is called and moved back.
    pub(in crate::exchange) async fn review_unchanged(
        &self,
        cmdlets: &'static Cmdlets,
        change: Change<'_>,
        call: &Call,
    ) -> Result<Option<&'static str>, Error> {
        Ok(self.hold_place(cmdlets, change, false, call).await)
    }

    /// Holds where an object is to stand against what else is planned.
    pub(super) async fn hold_place(
        &self,
        cmdlets: &'static Cmdlets,
        change: Change<'_>,
        called: bool,
        call: &Call,
    ) -> Option<&'static str> {
        let is_order = matches!(cmdlets.life, Life::Order);
        if !(cmdlets.ordered || is_order) || (call.applying && (called || is_order)) {
            return None;
        }
        let short = Call::new(call.stop.clone(), call.time_left().min(PATIENCE));
        // It is only held against what is known.
        let list = self.listed(cmdlets, PLAIN, 0, &short).await.ok()?;
        let wanted = change.effective;
        let name = |record: &Record| record.text("name").map(|name| claimed(cmdlets, name)).filter(|_| !is_order);
        let own = name(wanted);
        let places = places(cmdlets, wanted, own.as_deref(), &list);
        if call.applying {
            // Another one was moved past it by now.
            let pairs: Vec<Pair> = places.iter().flat_map(Place::pairs).collect();
            return (!holds(&standing(cmdlets, &list), &pairs)).then_some("priority");
        }
        let path = [RULES, "before", "after", "priority"]
            .into_iter()
            .find(|name| !wanted.get(name).is_null() && !wanted.get(name).is_unknown());
        let path = path.unwrap_or("priority");
        let words = if is_order {
            format!("`{path}` of the {}", cmdlets.resource.noun)
        } else {
            format!("`{path}` of the {}", cmdlets.called(change.planned))
        };
        let plan = Plan {
            owner: own.clone().unwrap_or_else(|| cmdlets.resource.name.to_owned()),
            words: words.clone(),
            from: change.prior.and_then(name),
            to: own,
            places,
            number: wanted.integer("priority"),
            called,
        };
        let scope = (cmdlets.noun, String::new());
        let owner = plan.owner.clone();
        let judged = self.planned.judge(scope.clone(), &standing(cmdlets, &list), plan);
        let at = Path::dotted(path);
        if !judged.against.is_empty() {
            call.report(contradiction(&judged.against).at(at));
            return None;
        }
        if !judged.breaks.is_empty() || (judged.is_broken && is_order) {
            let broken = judged.breaks.iter().map(|(words, _)| words.as_str());
            let own = (judged.is_broken && is_order).then_some(words.as_str());
            call.report(second_apply(broken.chain(own)).at(at));
        }
        if called || is_order || !judged.is_broken {
            return None;
        }
        self.planned.calls(&scope, &owner);
        Some("priority")
    }
}

/// Where an object is to stand, in the one spelling of names.
fn places(cmdlets: &Cmdlets, wanted: &Record, own: Option<&str>, list: &List) -> Vec<Place> {
    // A GUID names the rule that has it.
    let named = |who: &str| {
        let name = neighbour(list, who).and_then(|object| object.text("Name")).unwrap_or(who);
        claimed(cmdlets, name)
    };
    if matches!(cmdlets.life, Life::Order) {
        let rules: Vec<String> = wanted.texts(RULES).into_iter().map(named).collect();
        return if rules.is_empty() { Vec::new() } else { vec![Place::Order(rules)] };
    }
    let Some(own) = own else { return Vec::new() };
    let before = wanted.text("before").map(|other| Place::Before(own.to_owned(), named(other)));
    let after = wanted.text("after").map(|other| Place::After(own.to_owned(), named(other)));
    before.into_iter().chain(after).collect()
}

/// The names of all objects, top to bottom.
fn standing(cmdlets: &Cmdlets, list: &List) -> Vec<String> {
    let mut all: Vec<(Option<i64>, &Object)> = list.objects.iter().map(|object| (place(object), object)).collect();
    all.sort_by_key(|(place, _)| *place);
    all.into_iter().filter_map(|(_, object)| object.text("Name")).map(|name| claimed(cmdlets, name)).collect()
}
