use proptest::prelude::*;

use super::*;

fn ids(text: &str) -> Vec<String> {
    text.chars().map(String::from).collect()
}

fn done(standing: &[String], moves: &[(String, usize)]) -> Vec<String> {
    let mut now = standing.to_vec();
    for (id, to) in moves {
        now.retain(|other| other != id);
        now.insert(*to, id.clone());
    }
    now
}

/// Checks what is moved, and what stands then.
fn check(standing: &str, wanted: &str, moved: &str, then: &str) {
    let found = moves(&ids(standing), &ids(wanted));
    assert_eq!(found.iter().map(|(id, _)| id.as_str()).collect::<String>(), moved, "{standing} to {wanted}");
    assert_eq!(done(&ids(standing), &found).concat(), then, "{standing} to {wanted}");
}

#[test]
fn e18_an_order_that_holds_is_left_alone_whatever_stands_between() {
    check("axbyc", "abc", "", "axbyc");
    check("abc", "", "", "abc");
    check("abc", "b", "", "abc");
    check("xabc", "abc", "", "xabc");
}

#[test]
fn only_what_stands_wrong_is_moved() {
    check("bac", "abc", "b", "abc");
    check("abcde", "bcdea", "a", "bcdea");
    check("eabcd", "abcde", "e", "abcde");
    check("xcyba", "abc", "bc", "xyabc");
    check("ab", "ba", "a", "ba");
    check("xbya", "ab", "b", "xyab");
}

/// All orders of these.
fn permutations(names: &[String]) -> Vec<Vec<String>> {
    let Some((first, rest)) = names.split_first() else { return vec![Vec::new()] };
    let mut all = Vec::new();
    for order in permutations(rest) {
        for at in 0..=order.len() {
            let mut order = order.clone();
            order.insert(at, first.clone());
            all.push(order);
        }
    }
    all
}

/// As many objects as can stay where they stand, by trying all subsets.
fn most_that_stay(standing: &[String], target: &[String]) -> usize {
    let places: Vec<usize> = target.iter().map(|name| standing.iter().position(|other| other == name).unwrap()).collect();
    (0_u32..1 << places.len())
        .map(|subset| places.iter().enumerate().filter(move |(bit, _)| subset & (1 << bit) != 0).map(|(_, place)| *place))
        .map(Iterator::collect::<Vec<_>>)
        .filter(|run| run.is_sorted())
        .map(|run| run.len())
        .max()
        .unwrap_or_default()
}

/// Plays the moves as a device would that answers a move which changes nothing with an error.
fn played(standing: &[String], steps: &[Step]) -> Vec<String> {
    let mut now = standing.to_vec();
    for step in steps {
        assert_eq!(now.iter().position(|name| *name == step.name), Some(step.from), "{step:?}");
        assert_ne!(step.from, step.to, "nothing moves: {step:?}");
        now.remove(step.from);
        assert_eq!(now.get(step.to), step.next.as_ref(), "{step:?}");
        now.insert(step.to, step.name.clone());
    }
    now
}

#[test]
fn rg8_each_order_of_four_and_five_is_reached_from_each_by_the_fewest_moves() {
    for names in [ids("abcd"), ids("abcde")] {
        let movable = names.iter().cloned().collect();
        let all = permutations(&names);
        for standing in &all {
            for target in &all {
                let target_order = arranged(standing, &[Place::Order(target.clone())]).expect("no contradiction");
                assert_eq!(&target_order, target);
                let steps = steps(standing, target, &movable);
                assert_eq!(played(standing, &steps), *target);
                assert_eq!(steps.len(), names.len() - most_that_stay(standing, target), "{standing:?} to {target:?}");
            }
        }
    }
}

#[test]
fn rg8_a_chain_of_befores_holds_whatever_stood_before_and_only_those_that_ask_move() {
    let names = ids("abcde");
    for standing in permutations(&names) {
        for chain in permutations(&names) {
            let wishes: Vec<Place> =
                chain.iter().zip(&chain[1..]).map(|(first, then)| Place::Before(first.clone(), then.clone())).collect();
            let target = arranged(&standing, &wishes).expect("no contradiction");
            assert_eq!(target, chain);
            let two = [Place::Before(chain[0].clone(), chain[1].clone()), Place::Before(chain[1].clone(), chain[2].clone())];
            let target = arranged(&standing, &two).expect("no contradiction");
            assert!(holds(&target, &two.iter().flat_map(Place::pairs).collect::<Vec<_>>()));
            let movable: BTreeSet<String> = two.iter().flat_map(Place::movable).collect();
            let steps = steps(&standing, &target, &movable);
            assert!(steps.iter().all(|step| movable.contains(&step.name)), "{standing:?} {two:?} {steps:?}");
            assert_eq!(played(&standing, &steps), target);
        }
    }
}

#[test]
fn who_stands_before_another_is_moved_right_before_it_and_nobody_else_is() {
    let check = |standing: &str, wishes: &[Place], target: &str| {
        assert_eq!(
            arranged(&ids(standing), wishes).map(|order| order.concat()).as_deref(),
            Some(target),
            "{standing} {wishes:?}"
        );
    };
    let before = |first: &str, then: &str| Place::Before(first.to_owned(), then.to_owned());
    check("wxyzn", &[before("n", "w")], "nwxyz");
    check("wxyzn", &[before("w", "n"), before("n", "missing")], "wxyzn");
    check("abc", &[before("b", "c"), before("c", "a")], "bca");
    check("caxb", &[Place::Order(ids("ab")), before("a", "c")], "acxb");
    check("cab", &[Place::Order(ids("ab")), before("b", "c")], "abc");
    assert_eq!(arranged(&ids("ab"), &[before("a", "b"), before("b", "a")]), None);
    assert_eq!(arranged(&ids("abc"), &[Place::Order(ids("abc")), before("c", "a")]), None);
}

proptest! {
    #[test]
    fn any_order_is_reached_by_the_fewest_moves(
        standing in Just(ids("abcdefgh")).prop_shuffle(),
        wanted in proptest::sample::subsequence(ids("abcdefgh"), 0..=8).prop_shuffle(),
    ) {
        let found = moves(&standing, &wanted);
        let then = done(&standing, &found);
        let order: Vec<String> = then.iter().filter(|id| wanted.contains(id)).cloned().collect();
        prop_assert_eq!(&order, &wanted);
        let others = |all: &[String]| all.iter().filter(|id| !wanted.contains(id)).cloned().collect::<Vec<_>>();
        prop_assert_eq!(others(&standing), others(&then));
        let fewest = wanted.len() - most_that_stay(&standing, &wanted);
        prop_assert_eq!(found.len(), fewest);
        let steps = steps(&standing, &then, &wanted.iter().cloned().collect());
        prop_assert_eq!(steps.len(), fewest);
        prop_assert_eq!(played(&standing, &steps), then);
    }
}

fn plan(name: &str, place: Option<Place>, called: bool) -> Plan {
    Plan {
        owner: name.to_owned(),
        words: format!("the wish of {name}"),
        from: Some(name.to_owned()),
        to: Some(name.to_owned()),
        places: place.into_iter().collect(),
        called,
        ..Plan::default()
    }
}

fn order(names: &str, called: bool) -> Plan {
    Plan { owner: "order".to_owned(), from: None, to: None, ..plan("order", Some(Place::Order(ids(names))), called) }
}

fn before(first: &str, then: &str, called: bool) -> Plan {
    plan(first, Some(Place::Before(first.to_owned(), then.to_owned())), called)
}

const SCOPE: (&str, String) = ("k", String::new());

#[test]
fn rg8_a_wish_that_a_planned_move_breaks_is_told_at_whichever_comes_second() {
    let pair = |first: &str, then: &str| (first.to_owned(), then.to_owned());
    let places = Places::default();
    assert_eq!(places.judge(SCOPE, &ids("abc"), before("c", "a", true)), Judgement::default());
    assert!(places.judge(SCOPE, &ids("abc"), before("b", "c", false)).is_broken);
    places.calls(&SCOPE, "b");
    assert!(!places.judge(SCOPE, &ids("abc"), before("b", "c", true)).is_broken, "it will be called, too");

    let places = Places::default();
    assert_eq!(places.judge(SCOPE, &ids("abc"), before("b", "c", false)), Judgement::default());
    let judged = places.judge(SCOPE, &ids("abc"), before("c", "a", true));
    assert_eq!(judged.breaks, [("the wish of b".to_owned(), pair("b", "c"))]);
    assert_eq!(places.others(&SCOPE, "c"), [Place::Before("b".to_owned(), "c".to_owned())]);
    assert_eq!(places.judge(SCOPE, &ids("abc"), before("c", "a", true)).breaks, [], "it is told once");
    assert_eq!(places.judge(("k", "other".to_owned()), &ids("abc"), before("c", "a", true)), Judgement::default());
}

#[test]
fn wishes_that_contradict_each_other_are_named_at_whichever_comes_second() {
    let against = |plans: &[Plan]| {
        let places = Places::default();
        let judged = plans.iter().map(|plan| places.judge(SCOPE, &ids("abc"), plan.clone()));
        judged.last().map(|judged| judged.against).unwrap_or_default()
    };
    assert_eq!(against(&[order("abc", false), before("c", "a", true)]), ["the wish of order"]);
    assert_eq!(against(&[before("c", "a", false), order("abc", true)]), ["the wish of c"]);
    assert_eq!(against(&[before("a", "b", true), before("b", "a", true)]), ["the wish of a"]);
    assert_eq!(
        against(&[order("ab", true), before("b", "c", true), before("c", "a", true)]),
        ["the wish of b", "the wish of order"]
    );
    assert_eq!(against(&[order("abc", true), before("a", "c", true), before("b", "c", true)]), Vec::<String>::new());
    assert_eq!(against(&[before("a", "a", true)]), ["the wish of a"]);
    // The same object, planned again.
    assert_eq!(against(&[before("c", "a", true), before("c", "b", true), order("ac", true)]), Vec::<String>::new());
}

#[test]
fn a_place_by_number_that_an_order_cannot_have_is_named() {
    let numbered = |name: &str, number: i64| Plan { number: Some(number), ..plan(name, None, true) };
    let against = |plans: &[Plan]| {
        let places = Places::default();
        let judged = plans.iter().map(|plan| places.judge(SCOPE, &ids("abc"), plan.clone()));
        judged.last().map(|judged| judged.against).unwrap_or_default()
    };
    assert_eq!(against(&[order("abc", true), numbered("b", 0)]), ["the wish of order"]);
    assert_eq!(against(&[order("abc", true), numbered("b", 1)]), Vec::<String>::new());
    assert_eq!(against(&[numbered("b", 3), numbered("c", 2), order("abc", true)]), ["the wish of b", "the wish of c"]);
    assert_eq!(against(&[order("abc", true), numbered("x", 0)]), Vec::<String>::new());
}
