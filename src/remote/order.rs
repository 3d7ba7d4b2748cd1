//! The order of objects among their kind: who is to stand before whom, the fewest moves that bring it about, and what a plan says of it.
//!
//! Where an object stands is wished for in two ways: an object stands anywhere before another one ([`Place::Before`]), or several stand in one order
//! ([`Place::Order`]); whatever else stands there keeps its own order. Terraform Core gives an object that does not change no call in apply. So a plan is
//! played through with the objects that will be called ([`Places`]): what contradicts another wish is an error, and a wish that another move will
//! break is told, or has its object called, too.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use crate::value::Diagnostic;

/// The first is to stand before the second.
pub type Pair = (String, String);

/// Where something is to stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The first stands anywhere before the second.
    Before(String, String),
    /// The first stands anywhere after the second.
    After(String, String),
    /// All of these stand in this order, with others between them or not.
    Order(Vec<String>),
}

impl Place {
    /// Who is to stand before whom.
    pub fn pairs(&self) -> Vec<Pair> {
        match self {
            Place::Before(first, then) | Place::After(then, first) => vec![(first.clone(), then.clone())],
            Place::Order(names) => names.iter().cloned().zip(names.iter().skip(1).cloned()).collect(),
        }
    }

    /// Who is moved to bring it about.
    pub fn movable(&self) -> Vec<String> {
        match self {
            Place::Before(own, _) | Place::After(own, _) => vec![own.clone()],
            Place::Order(names) => names.clone(),
        }
    }
}

/// Tells whether each of the pairs stands as it should. Who is not there stands nowhere wrong.
pub fn holds(standing: &[String], pairs: &[Pair]) -> bool {
    let places = places(standing);
    pairs.iter().all(|(first, then)| match (places.get(first), places.get(then)) {
        (Some(first), Some(then)) => first < then,
        _ => true,
    })
}

/// The order in which all these wishes hold: the objects of an order are moved as few times as can be, and who is to stand before another is
/// moved to right before it. `None` where the wishes contradict each other.
pub fn arranged(standing: &[String], wishes: &[Place]) -> Option<Vec<String>> {
    let pairs: Vec<Pair> = wishes.iter().flat_map(Place::pairs).collect();
    if holds(standing, &pairs) {
        return Some(standing.to_vec());
    }
    let mut now = standing.to_vec();
    for wish in wishes {
        if let Place::Order(names) = wish {
            for (name, to) in moves(&now, names) {
                now.retain(|other| *other != name);
                now.insert(to.min(now.len()), name);
            }
        }
    }
    pulled_up(&now, &pairs)
}

/// Pulls each that is to stand before another up to right before it, where it does not stand above it.
fn pulled_up(standing: &[String], pairs: &[Pair]) -> Option<Vec<String>> {
    let places = places(standing);
    let mut above: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for (first, then) in pairs {
        if let (Some(first), Some(then)) = (places.get(first), places.get(then)) {
            above.entry(*then).or_default().insert(*first);
        }
    }
    let mut order: Vec<usize> = Vec::with_capacity(standing.len());
    let mut done = vec![false; standing.len()];
    for start in 0..standing.len() {
        // Who is being brought in, each above the one before it.
        let mut path = vec![start];
        while let Some(at) = path.last().copied() {
            if done.get(at).copied().unwrap_or(true) {
                path.pop();
                continue;
            }
            let open = above.get(&at).and_then(|above| above.iter().find(|other| done.get(**other) == Some(&false)));
            match open {
                Some(other) if path.contains(other) => return None,
                Some(other) => path.push(*other),
                None => {
                    order.push(at);
                    if let Some(done) = done.get_mut(at) {
                        *done = true;
                    }
                    path.pop();
                }
            }
        }
    }
    Some(order.into_iter().filter_map(|at| standing.get(at).cloned()).collect())
}

/// One move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Who is moved.
    pub name: String,
    /// Where it stands, from 0.
    pub from: usize,
    /// Where it stands then, from 0.
    pub to: usize,
    /// Who follows it then; nobody behind the last.
    pub next: Option<String>,
}

/// The fewest moves from one order to another, one after the other. Only `movable` are moved, as long as the others stand in the same order in both.
/// No move leaves all as it stands.
pub fn steps(standing: &[String], target: &[String], movable: &BTreeSet<String>) -> Vec<Step> {
    let places = places(standing);
    let present: Vec<(&String, usize)> = target.iter().filter_map(|name| Some((name, *places.get(name)?))).collect();
    let weights: Vec<usize> =
        present.iter().map(|(name, _)| if movable.contains(*name) { 1 } else { present.len() + 1 }).collect();
    let stays = heaviest_run(&present.iter().map(|(_, place)| *place).collect::<Vec<_>>(), &weights);
    let mut now: Vec<&String> = standing.iter().collect();
    let mut found = Vec::new();
    // From the end: who follows stands where it belongs.
    for (index, (name, _)) in present.iter().enumerate().rev() {
        if stays.contains(&index) {
            continue;
        }
        let Some(from) = now.iter().position(|other| other == name) else { continue };
        now.remove(from);
        let next = present.get(index + 1).map(|(next, _)| *next);
        let to = next.and_then(|next| now.iter().position(|other| *other == next)).unwrap_or(now.len());
        now.insert(to, name);
        if from != to {
            found.push(Step { name: (*name).clone(), from, to, next: next.cloned() });
        }
    }
    found
}

/// The fewest moves that bring `wanted` into its order among `standing`: who, and to which place, each after the one before it.
pub fn moves(standing: &[String], wanted: &[String]) -> Vec<(String, usize)> {
    let places = places(standing);
    let present: Vec<(&String, usize)> = wanted.iter().filter_map(|id| places.get(id).map(|place| (id, *place))).collect();
    let stays = heaviest_run(&present.iter().map(|(_, place)| *place).collect::<Vec<_>>(), &vec![1; present.len()]);
    let mut now: Vec<&String> = standing.iter().collect();
    let mut found = Vec::new();
    for (index, (id, _)) in present.iter().enumerate() {
        if stays.contains(&index) {
            continue;
        }
        now.retain(|other| other != id);
        let position = |who: &String| now.iter().position(|other| *other == who);
        let above = index.checked_sub(1).and_then(|above| present.get(above)).and_then(|(above, _)| position(above));
        // Nothing stands above the first: it goes right above the topmost of those that stay.
        let below = || stays.first().and_then(|below| present.get(*below)).and_then(|(below, _)| position(below));
        let to = above.map(|above| above + 1).or_else(below).unwrap_or_default();
        now.insert(to.min(now.len()), id);
        found.push(((*id).clone(), to));
    }
    found
}

fn places(standing: &[String]) -> BTreeMap<&String, usize> {
    standing.iter().enumerate().map(|(place, name)| (name, place)).collect()
}

/// The indices of a heaviest ascending run among distinct numbers.
fn heaviest_run(numbers: &[usize], weights: &[usize]) -> Vec<usize> {
    // For each index: how heavy the heaviest run is that ends there, and the index before it.
    let mut runs: Vec<(usize, Option<usize>)> = Vec::with_capacity(numbers.len());
    for (index, number) in numbers.iter().enumerate() {
        let before = runs
            .iter()
            .enumerate()
            .take(index)
            .filter(|(other, _)| numbers.get(*other).is_some_and(|other| other < number))
            .max_by_key(|(other, (weight, _))| (*weight, std::cmp::Reverse(*other)));
        let own = weights.get(index).copied().unwrap_or(1);
        let run = before.map_or((own, None), |(other, (weight, _))| (weight + own, Some(other)));
        runs.push(run);
    }
    let mut end =
        runs.iter().enumerate().max_by_key(|(index, (weight, _))| (*weight, std::cmp::Reverse(*index))).map(|(index, _)| index);
    let mut run = Vec::new();
    while let Some(index) = end {
        run.push(index);
        end = runs.get(index).and_then(|(_, before)| *before);
    }
    run.reverse();
    run
}

/// What a run plans for the places of objects, by what their order is one of: a kind, and the listener.
#[derive(Debug, Default)]
pub struct Places {
    scenes: Mutex<BTreeMap<(&'static str, String), Scene>>,
}

#[derive(Debug, Default)]
struct Scene {
    /// In the order in which they were planned, which is that in which they will be called where one refers to the other.
    plans: Vec<Plan>,
    told: BTreeSet<(String, Pair)>,
}

/// What is planned for one object.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// Tells objects apart: an object that is planned again is the same.
    pub owner: String,
    /// The object and its argument, as a message names them: `` `before` of the message filter "a" ``.
    pub words: String,
    /// The name under which it stands; `None` for one that is to be made, and for an order.
    pub from: Option<String>,
    /// The name that it will have; `None` for an order.
    pub to: Option<String>,
    /// Where it is to stand, as far as that is configured.
    pub places: Vec<Place>,
    /// Its place among all, from 0, if that is configured.
    pub number: Option<i64>,
    /// Whether it changes, so that it will be called when the plan is applied.
    pub called: bool,
}

/// What is to be said of a plan.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// The other wishes that contradict it, as a message names them.
    pub against: Vec<String>,
    /// It will not be called, and what is planned breaks its wish.
    pub is_broken: bool,
    /// The wishes of others that will not be called and that what is planned breaks, each told once.
    pub breaks: Vec<(String, Pair)>,
}

impl Places {
    /// Notes what is planned for an object, and judges it by all that was noted before. `standing` is the order at the service.
    pub fn judge(&self, scope: (&'static str, String), standing: &[String], plan: Plan) -> Judgement {
        let mut scenes = self.scenes.lock().unwrap_or_else(PoisonError::into_inner);
        let scene = scenes.entry(scope).or_default();
        scene.plans.retain(|other| other.owner != plan.owner);
        let owner = plan.owner.clone();
        scene.plans.push(plan);
        let mut judgement = Judgement { against: scene.against(), ..Judgement::default() };
        if !judgement.against.is_empty() {
            return judgement;
        }
        let uncalled = scene.plans.iter().filter(|plan| !plan.called);
        let pairs: Vec<(String, String, Pair)> = uncalled
            .flat_map(|plan| plan.places.iter().flat_map(Place::pairs).map(|pair| (plan.owner.clone(), plan.words.clone(), pair)))
            // What does not stand as it was wished for is a change of its own.
            .filter(|(_, _, pair)| holds(standing, std::slice::from_ref(pair)))
            .collect();
        if pairs.is_empty() {
            return judgement;
        }
        let outcome = scene.played(standing);
        for (other, words, pair) in pairs {
            let is_kept = holds(&outcome, std::slice::from_ref(&pair));
            if other == owner {
                judgement.is_broken |= !is_kept;
                continue;
            }
            if !is_kept && scene.told.insert((other, pair.clone())) {
                judgement.breaks.push((words, pair));
            }
        }
        judgement
    }

    /// Where all others of which something is planned are to stand.
    pub fn others(&self, scope: &(&'static str, String), owner: &str) -> Vec<Place> {
        let scenes = self.scenes.lock().unwrap_or_else(PoisonError::into_inner);
        let plans = scenes.get(scope).into_iter().flat_map(|scene| &scene.plans);
        plans.filter(|plan| plan.owner != owner).flat_map(|plan| plan.places.clone()).collect()
    }

    /// Notes that an object will be called after all.
    pub fn calls(&self, scope: &(&'static str, String), owner: &str) {
        let mut scenes = self.scenes.lock().unwrap_or_else(PoisonError::into_inner);
        let plans = scenes.get_mut(scope).into_iter().flat_map(|scene| &mut scene.plans);
        plans.filter(|plan| plan.owner == owner).for_each(|plan| plan.called = true);
    }
}

/// The error for wishes that cannot all hold.
pub fn contradiction(against: &[String]) -> Diagnostic {
    let others = against.join(", ");
    Diagnostic::error(
        "These places contradict each other",
        format!("What is asked for here cannot hold together with {others}. Leave one of them out, or change one of them."),
    )
}

/// The warning for wishes of objects that will not be called and that a planned move breaks.
pub fn second_apply<'a>(broken: impl IntoIterator<Item = &'a str>) -> Diagnostic {
    let broken = broken.into_iter().collect::<Vec<_>>().join(", ");
    Diagnostic::warning(
        "A second apply will restore the order",
        format!(
            "{broken} will not hold after this plan is applied: it moves an object past another one that does not change, and Terraform calls only what \
             changes. The next plan shows what stands then, and applying it restores the order."
        ),
    )
}

impl Scene {
    /// The wishes that the last plan contradicts.
    fn against(&self) -> Vec<String> {
        let Some((last, others)) = self.plans.split_last() else { return Vec::new() };
        let pairs: Vec<(Pair, &Plan)> =
            others.iter().flat_map(|plan| plan.places.iter().flat_map(Place::pairs).map(move |pair| (pair, plan))).collect();
        let mut found: Vec<String> = Vec::new();
        let own: Vec<Pair> = last.places.iter().flat_map(Place::pairs).collect();
        for (index, (first, then)) in own.iter().enumerate() {
            // Whoever is to stand behind the second, and how it came to be so.
            let mut reached: BTreeMap<&String, Option<(&String, Option<&Plan>)>> = BTreeMap::from([(then, None)]);
            let mut open = vec![then];
            while let Some(at) = open.pop() {
                let of_others = pairs.iter().filter(|((above, _), _)| above == at).map(|((_, below), plan)| (below, Some(*plan)));
                let of_own = own.iter().enumerate().filter(|(other, (above, _))| *other != index && above == at);
                for (below, plan) in of_others.chain(of_own.map(|(_, (_, below))| (below, None))) {
                    if !reached.contains_key(below) {
                        reached.insert(below, Some((at, plan)));
                        open.push(below);
                    }
                }
            }
            let mut at = first;
            while let Some(Some((above, plan))) = reached.get(at) {
                found.extend(plan.iter().map(|plan| plan.words.clone()));
                at = above;
            }
            if first == then || (reached.contains_key(first) && found.is_empty()) {
                found.push(last.words.clone());
            }
        }
        found.extend(self.against_numbers(last));
        let mut seen = BTreeSet::new();
        found.retain(|words| seen.insert(words.clone()));
        found
    }

    /// The places by number that an order contradicts, where the last plan is one of the two.
    fn against_numbers(&self, last: &Plan) -> Vec<String> {
        let mut found = Vec::new();
        for order in &self.plans {
            let names = order.places.iter().find_map(|place| match place {
                Place::Order(names) => Some(names),
                _ => None,
            });
            let Some(names) = names else { continue };
            let numbered = |name: &String| {
                let plan = self.plans.iter().find(|plan| plan.to.as_ref() == Some(name))?;
                Some((plan, plan.number?))
            };
            let placed: Vec<(usize, &Plan, i64)> = names
                .iter()
                .enumerate()
                .filter_map(|(index, name)| numbered(name).map(|(plan, number)| (index, plan, number)))
                .collect();
            for (at, (index, plan, number)) in placed.iter().enumerate() {
                let mut against: Vec<&Plan> = Vec::new();
                // As many stand above it.
                if *number < i64::try_from(*index).unwrap_or(i64::MAX) {
                    against.extend([order, *plan]);
                }
                let above = placed.iter().take(at).filter(|(_, _, above)| above >= number);
                against.extend(above.flat_map(|(_, above, _)| [order, *above, *plan]));
                if against.iter().any(|plan| plan.owner == last.owner) {
                    found.extend(against.iter().filter(|plan| plan.owner != last.owner).map(|plan| plan.words.clone()));
                }
            }
        }
        found
    }

    /// The order after all that will be called was called, one after the other.
    fn played(&self, standing: &[String]) -> Vec<String> {
        let mut now = standing.to_vec();
        let mut wishes: Vec<Place> = Vec::new();
        for plan in self.plans.iter().filter(|plan| plan.called) {
            match (&plan.from, &plan.to) {
                (Some(from), Some(to)) => now.iter_mut().filter(|name| *name == from).for_each(|name| name.clone_from(to)),
                (None, Some(to)) if !now.contains(to) => now.push(to.clone()),
                _ => {}
            }
            // Who is to stand after another is moved itself, and not the other.
            for place in &plan.places {
                if let Place::After(own, other) = place
                    && let (Some(from), Some(above)) =
                        (now.iter().position(|name| name == own), now.iter().position(|name| name == other))
                    && from < above
                {
                    let own = now.remove(from);
                    now.insert(above, own);
                }
            }
            wishes.extend(plan.places.iter().filter(|place| !matches!(place, Place::After(..))).cloned());
            if let Some(arranged) = arranged(&now, &wishes) {
                now = arranged;
            }
        }
        now
    }
}

#[cfg(test)]
mod tests;
