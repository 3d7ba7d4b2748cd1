//! The tables of parameters are complete: nothing that a cmdlet takes is missing in them, nothing stands in them that no cmdlet takes, and
//! each is carried by an attribute of the parameter's type and taken away as that type allows.
//!
//! The measure is `exchange_parameters.txt`, the lists of the vendor's pages, and the stand-in, which was written from them apart from the client.

use std::collections::{BTreeMap, BTreeSet};

use mailflow::exchange::parameters::{Carried, EVERYWHERE, LEFT, Noun, nouns};
use mailflow::sandbox;
use mailflow::schema::{Clearing, Kind, Scalar};

/// The vendor's lists.
const LISTS: &str = include_str!("../exchange_parameters.txt");

/// Parameters that the tables name and no page lists, as the tables say.
const ON_NO_PAGE: &[(&str, &str)] = &[("RemoteDomain", "SmtpDaneMandatoryModeEnabled")];

/// Nouns that the stand-in lets change and no resource is made of.
const WITHOUT_RESOURCE: &[&str] = &["TransportConfig"];

/// The common parameters of PowerShell, which the pages name all together.
const COMMON: &[&str] = &["Debug", "ErrorAction", "Verbose", "WarningAction"];

/// A parameter on a page.
struct Listed {
    name: &'static str,
    kind: &'static str,
    online: bool,
}

/// The parameters of all cmdlets.
fn lists() -> BTreeMap<&'static str, Vec<Listed>> {
    let mut lists: BTreeMap<&str, Vec<Listed>> = BTreeMap::new();
    let mut cmdlet = "";
    for line in LISTS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            [name] => cmdlet = name,
            [name, kind, place] => {
                lists.entry(cmdlet).or_default().push(Listed { name, kind, online: place == "online" });
            }
            _ => panic!("{line:?} is no line of a list"),
        }
    }
    lists
}

/// The names on the pages of a noun's cmdlets.
fn listed(noun: &Noun) -> BTreeSet<&'static str> {
    let mut lists = lists();
    noun.verbs
        .iter()
        .flat_map(|verb| lists.remove(&*format!("{verb}-{}", noun.name)).expect("a list"))
        .map(|one| one.name)
        .collect()
}

/// Every carried parameter with its noun, and with what the page of each cmdlet says that it is sent by.
fn each_sent(check: impl Fn(&Noun, &Carried, &Listed)) {
    let lists = lists();
    let mut seen = 0;
    for noun in nouns() {
        for one in &noun.carried {
            for verb in &one.verbs {
                let cmdlet = format!("{verb}-{}", noun.name);
                let page = lists.get(&*cmdlet).unwrap_or_else(|| panic!("there is no list of {cmdlet}"));
                let known = page.iter().find(|known| known.name == one.parameter);
                check(&noun, one, known.unwrap_or_else(|| panic!("{cmdlet} has no {}, says its page", one.parameter)));
                seen += 1;
            }
        }
    }
    assert!(seen > 300, "the parameters were found: {seen}");
}

#[test]
fn every_parameter_on_a_page_stands_in_the_tables_once_and_nothing_else_does() {
    let lists = lists();
    let nouns = nouns();
    let used: BTreeSet<String> =
        nouns.iter().flat_map(|noun| noun.verbs.iter().map(|verb| format!("{verb}-{}", noun.name))).collect();
    assert_eq!(lists.keys().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>(), used, "the cmdlets");
    for (name, _) in LEFT {
        assert!(nouns.iter().any(|noun| noun.name == *name), "{name} is no noun of a resource");
    }
    for noun in &nouns {
        let names = noun.names();
        let mut once = BTreeSet::new();
        let twice: Vec<_> = names.iter().filter(|name| !once.insert(**name)).collect();
        assert!(twice.is_empty(), "{}: {twice:?} stand twice", noun.name);
        let wanted = listed(noun);
        let missing: Vec<_> = wanted.difference(&once).collect();
        assert!(missing.is_empty(), "{}: {missing:?} have neither an attribute nor a reason", noun.name);
        let is_known = |name: &str| {
            wanted.contains(name)
                || EVERYWHERE.iter().any(|left| left.names.contains(&name))
                || ON_NO_PAGE.contains(&(noun.name, name))
        };
        let unknown: Vec<_> = once.iter().filter(|name| !is_known(name)).collect();
        assert!(unknown.is_empty(), "{}: {unknown:?} are on no page", noun.name);
    }
}

#[test]
fn what_is_sent_is_taken_by_that_cmdlet_and_online() {
    each_sent(|noun, one, page| {
        assert!(page.online, "{} of {} is for servers on-premises", one.parameter, noun.name);
    });
}

#[test]
fn an_attribute_is_of_its_parameters_kind() {
    each_sent(|noun, one, page| {
        // The order of rules carries a number as a list of names.
        if one.parameter == "Priority" {
            return;
        }
        let fits = match (page.kind, one.line.kind) {
            ("Boolean" | "SwitchParameter", kind) => matches!(kind, Kind::Scalar(Scalar::Boolean)),
            ("Int32" | "UInt16" | "SclValue", kind) => matches!(kind, Kind::Scalar(Scalar::Integer)),
            ("MultiValuedProperty", kind) => matches!(kind, Kind::Set(_)),
            (page, kind) if page.ends_with("[]") => matches!(kind, Kind::Set(_)),
            (_, kind) => matches!(kind, Kind::Scalar(Scalar::String)),
        };
        assert!(fits, "{} of {} is a {} and its attribute a {:?}", one.parameter, noun.name, page.kind, one.line.kind);
    });
}

#[test]
fn elements_are_removed_by_name_where_the_type_takes_that_and_nowhere_else() {
    each_sent(|noun, one, page| {
        let removes = one.line.clearing == Clearing::NullThenRemove;
        assert_eq!(removes, page.kind == "MultiValuedProperty", "{} of {} is a {}", one.parameter, noun.name, page.kind);
    });
}

#[test]
fn what_is_taken_away_otherwise_than_by_null_or_a_default_is_known_by_name() {
    let odd: Vec<(String, Clearing)> = nouns()
        .into_iter()
        .flat_map(|noun| noun.carried)
        .filter(|one| !matches!(one.line.clearing, Clearing::Null | Clearing::NullThenRemove))
        .map(|one| (one.parameter, one.line.clearing))
        .collect();
    let wanted = [
        // The service says that it cannot be null.
        ("Comments", Clearing::EmptyText),
        // Null is an error for some, and the empty text matches everything.
        ("FromAddressMatchesPatterns", Clearing::Replace),
        ("ExceptIfFromAddressMatchesPatterns", Clearing::Replace),
        // A number that has no null.
        ("RequiredCharsetCoverage", Clearing::Replace),
        // By the example on its page.
        ("ArcTrustedSealers", Clearing::Space),
    ];
    assert_eq!(odd, wanted.map(|(name, clearing)| (name.to_owned(), clearing)));
}

#[test]
fn the_stand_in_takes_what_the_tables_send_and_they_know_all_that_it_takes() {
    let mut taken = sandbox::exchange::parameters();
    for noun in nouns() {
        let names: BTreeSet<&str> = noun.names().into_iter().collect();
        for verb in &noun.verbs {
            let cmdlet = format!("{verb}-{}", noun.name);
            let own = taken.remove(&cmdlet).unwrap_or_else(|| panic!("the stand-in has no {cmdlet}"));
            let unknown: Vec<_> = own.iter().filter(|name| !names.contains(name.as_str())).collect();
            assert!(unknown.is_empty(), "the stand-in's {cmdlet} takes {unknown:?}, which the tables do not know");
            let sent = noun.carried.iter().filter(|one| one.verbs.contains(verb));
            let refused: Vec<_> = sent.map(|one| &one.parameter).filter(|name| !own.contains(*name)).collect();
            assert!(refused.is_empty(), "the stand-in's {cmdlet} does not take {refused:?}");
        }
    }
    taken.retain(|cmdlet, _| !WITHOUT_RESOURCE.iter().any(|noun| cmdlet.ends_with(&format!("-{noun}"))));
    assert!(taken.is_empty(), "the stand-in has cmdlets that the provider does not run: {:?}", taken.keys());
}

#[test]
fn the_stand_in_takes_nothing_that_is_on_no_page() {
    let lists = lists();
    for (cmdlet, own) in sandbox::exchange::parameters() {
        let Some(page) = lists.get(&*cmdlet) else { continue };
        let on_page = |name: &str| page.iter().any(|known| known.name == name) || COMMON.contains(&name);
        let odd: Vec<_> = own.iter().map(String::as_str).filter(|name| !on_page(name)).collect();
        let confirms = |name: &&str| !["Confirm", "WhatIf"].contains(name);
        let odd: Vec<_> = odd.into_iter().filter(confirms).collect();
        assert!(odd.is_empty(), "{cmdlet}: {odd:?}");
    }
}
