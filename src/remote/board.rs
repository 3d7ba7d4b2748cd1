//! What objects of different services say that must agree: a secret that one side stamps and the other asks for, a domain that one
//! side sends on and the other takes.
//!
//! One board is made for each configuration of the provider. What is planned or read in this process is noted down on it: silence there says
//! nothing. Only where a secret is about to change, what stands at all services is asked for ([`Board::outdated`], [`Board::unaccepted`]).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError, Weak};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};

use super::{Call, Error};

/// What an object does that another one has to agree with.
#[derive(Debug, Clone)]
pub enum Fact {
    /// It gives mail a header with this value.
    Stamps {
        /// The header.
        header: String,
        /// Its value, which is a secret of both sides.
        value: SecretString,
    },
    /// It lets mail pass only with one of these values in a header.
    Demands {
        /// The header.
        header: String,
        /// The values.
        values: Vec<SecretString>,
    },
}

/// Who can tell of which domains a service takes mail.
#[async_trait]
pub trait Domains: Send + Sync {
    /// Says why mail for a domain would be refused at a host, if the host is the service's own and that is known.
    async fn refuses(&self, domain: &str, host: &str, call: &Call) -> Option<String>;
}

/// What an object that stands at a service does.
#[derive(Debug, Clone)]
pub struct Standing {
    /// What the object is called in messages.
    pub called: String,
    /// What others have to agree with.
    pub facts: Vec<Fact>,
}

/// Who can tell what stands at a service.
#[async_trait]
pub trait Facts: Send + Sync {
    /// Tells of all objects that do anything that another one has to agree with.
    async fn standing(&self, call: &Call) -> Result<Vec<Standing>, Error>;
}

/// The board.
#[derive(Default)]
pub struct Board {
    notes: Mutex<BTreeMap<(&'static str, String), Note>>,
    domains: OnceLock<Weak<dyn Domains>>,
    sides: Mutex<Vec<Weak<dyn Facts>>>,
}

struct Note {
    /// What the object is called in messages.
    called: String,
    facts: Vec<Fact>,
    /// The facts are planned, and not only what stands.
    planned: bool,
}

impl Board {
    /// Notes down what stands at the service. What is planned for the object counts more.
    pub fn stands(&self, resource: &'static str, id: &str, called: String, facts: Vec<Fact>) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (resource, id.to_lowercase());
        if !notes.get(&key).is_some_and(|note| note.planned) {
            notes.insert(key, Note { called, facts, planned: false });
        }
    }

    /// Notes down what is planned for an object, and gives the names of those that do not agree with it.
    pub fn plans(&self, resource: &'static str, id: &str, called: String, facts: &[Fact]) -> Vec<String> {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes.insert((resource, id.to_lowercase()), Note { called, facts: facts.to_vec(), planned: true });
        let notes: Vec<&Note> = notes.values().collect();
        let mut against: Vec<String> = facts.iter().flat_map(|fact| disagreeing(fact, &notes)).collect();
        against.sort();
        against.dedup();
        against
    }

    /// Says who tells of domains. The first one counts.
    pub fn ask_for_domains(&self, who: Weak<dyn Domains>) {
        // There is one such service at most; a second one would be no better.
        let _ = self.domains.set(who);
    }

    /// Says who tells what stands at a service.
    pub fn ask_for_facts(&self, who: Weak<dyn Facts>) {
        self.sides.lock().unwrap_or_else(PoisonError::into_inner).push(who);
    }

    /// What stands now and would be refused if an object (`called`) demanded this from now on: the object that stamps it, and the header.
    pub async fn outdated(&self, called: &str, demanded: &[Fact], call: &Call) -> Result<Vec<(String, String)>, Error> {
        Ok(outdated(called, demanded, &self.standing(call).await?))
    }

    /// The headers that would be stamped with a value which nothing accepts that stands now, or was planned before.
    pub async fn unaccepted(&self, stamped: &[Fact], call: &Call) -> Result<Vec<String>, Error> {
        let standing = self.standing(call).await?;
        let planned: Vec<Fact> = {
            let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
            notes.values().filter(|note| note.planned).flat_map(|note| note.facts.clone()).collect()
        };
        Ok(unaccepted(stamped, &standing, &planned))
    }

    async fn standing(&self, call: &Call) -> Result<Vec<Standing>, Error> {
        let sides = self.sides.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut all = Vec::new();
        for side in sides.iter().filter_map(Weak::upgrade) {
            all.extend(side.standing(call).await?);
        }
        Ok(all)
    }

    /// Says why mail for a domain would be refused at a host, if somebody knows.
    pub async fn refuses(&self, domain: &str, host: &str, call: &Call) -> Option<String> {
        self.domains.get()?.upgrade()?.refuses(domain, host, call).await
    }
}

/// Those who stamp what nobody asks for, or ask for what is stamped otherwise.
fn disagreeing(fact: &Fact, notes: &[&Note]) -> Vec<String> {
    let all = || notes.iter().flat_map(|note| note.facts.iter().map(move |fact| (note, fact)));
    let accepted = |header: &str, value: &SecretString| {
        all().any(|(_, other)| match other {
            Fact::Demands { header: own, values } => {
                own.eq_ignore_ascii_case(header) && values.iter().any(|one| one.expose_secret() == value.expose_secret())
            }
            Fact::Stamps { .. } => false,
        })
    };
    all()
        .filter(|(_, other)| match (fact, other) {
            (Fact::Stamps { header, value }, Fact::Demands { header: own, .. })
            | (Fact::Demands { header: own, .. }, Fact::Stamps { header, value }) => {
                own.eq_ignore_ascii_case(header) && !accepted(header, value)
            }
            _ => false,
        })
        .map(|(note, _)| note.called.clone())
        .collect()
}

/// Whether one of the facts lets this value of a header pass; nothing if none of them asks for the header.
fn accepts<'a>(facts: impl IntoIterator<Item = &'a Fact>, header: &str, value: &SecretString) -> Option<bool> {
    let mut answer = None;
    for fact in facts {
        if let Fact::Demands { header: own, values } = fact
            && own.eq_ignore_ascii_case(header)
        {
            let is_among = values.iter().any(|one| one.expose_secret() == value.expose_secret());
            answer = Some(is_among || answer == Some(true));
        }
    }
    answer
}

fn outdated(called: &str, demanded: &[Fact], standing: &[Standing]) -> Vec<(String, String)> {
    let facts = |own: bool| standing.iter().filter(move |one| own || one.called != called).flat_map(|one| &one.facts);
    let mut found = Vec::new();
    for one in standing {
        for fact in &one.facts {
            let Fact::Stamps { header, value } = fact else { continue };
            let passes_now = accepts(facts(true), header, value) == Some(true);
            let passes_then = accepts(facts(false).chain(demanded), header, value) != Some(false);
            let is_asked_for = accepts(demanded, header, value).is_some();
            if passes_now && is_asked_for && !passes_then {
                found.push((one.called.clone(), header.clone()));
            }
        }
    }
    found
}

fn unaccepted(stamped: &[Fact], standing: &[Standing], planned: &[Fact]) -> Vec<String> {
    let facts = || standing.iter().flat_map(|one| &one.facts);
    let stands = |header: &str, value: &SecretString| {
        facts().any(|fact| match fact {
            Fact::Stamps { header: own, value: other } => {
                own.eq_ignore_ascii_case(header) && other.expose_secret() == value.expose_secret()
            }
            Fact::Demands { .. } => false,
        })
    };
    let refused = stamped.iter().filter_map(|fact| match fact {
        Fact::Stamps { header, value }
            if !stands(header, value)
                && accepts(facts(), header, value) == Some(false)
                && accepts(planned, header, value) != Some(true) =>
        {
            Some(header.clone())
        }
        _ => None,
    });
    refused.collect()
}

/// The next of the three steps in which a secret changes without losing mail, as it is written.
pub fn three_steps(header: &str) -> String {
    format!(
        "A secret changes in three steps, each an apply of its own, so that no mail is lost.\n\nStep 1, the filter accepts the old and the new one, and the rule still \
         sends the old one:\n\nscript = provider::mailflow::relay_filter_script(local.relay_group, \"{header}\", [var.old_secret, var.new_secret])\n\nStep 2, the rule sends \
         the new one:\n\nset_header_value = var.new_secret\n\nStep 3, a day later, the filter accepts the new one only:\n\nscript = \
         provider::mailflow::relay_filter_script(local.relay_group, \"{header}\", [var.new_secret])"
    )
}

impl fmt::Debug for Board {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "a board with {} notes", self.notes.lock().unwrap_or_else(PoisonError::into_inner).len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamps(value: &str) -> Vec<Fact> {
        vec![Fact::Stamps { header: "X-Auth".to_owned(), value: value.to_owned().into() }]
    }

    fn demands(values: &[&str]) -> Vec<Fact> {
        let values = values.iter().map(|value| (*value).to_owned().into()).collect();
        vec![Fact::Demands { header: "x-auth".to_owned(), values }]
    }

    #[test]
    fn c08_a_secret_that_no_filter_takes_is_told_to_whoever_is_planned_second() {
        let board = Board::default();
        let none: Vec<String> = Vec::new();
        assert_eq!(board.plans("rule", "r", "the rule".into(), &stamps("one")), none);
        assert_eq!(board.plans("filter", "f", "the filter".into(), &demands(&["two"])), ["the rule"]);
        assert_eq!(board.plans("filter", "f", "the filter".into(), &demands(&["two", "one"])), none);
        assert_eq!(board.plans("rule", "r", "the rule".into(), &stamps("three")), ["the filter"]);
        // Another filter takes it: the header serves two gateways.
        assert_eq!(board.plans("filter", "g", "the other".into(), &demands(&["three"])), none);
        assert_eq!(board.plans("rule", "r", "the rule".into(), &stamps("three")), none);
    }

    #[test]
    fn c08_what_is_planned_counts_more_than_what_stands() {
        let board = Board::default();
        board.stands("filter", "F", "the filter".into(), demands(&["old"]));
        assert_eq!(board.plans("rule", "r", "the rule".into(), &stamps("new")), ["the filter"]);
        board.plans("filter", "f", "the filter".into(), &demands(&["new"]));
        board.stands("filter", "f", "the filter".into(), demands(&["old"]));
        assert_eq!(board.plans("rule", "r", "the rule".into(), &stamps("new")), Vec::<String>::new());
    }

    fn stand(called: &str, facts: Vec<Fact>) -> Standing {
        Standing { called: called.to_owned(), facts }
    }

    #[test]
    fn a_filter_must_go_on_to_accept_what_a_rule_stamps_now() {
        let check = |planned: &[&str], others: &[&str], expected: bool| {
            let mut standing = vec![stand("rule", stamps("old")), stand("filter", demands(&["old"]))];
            if !others.is_empty() {
                standing.push(stand("other", demands(others)));
            }
            assert_eq!(outdated("filter", &demands(planned), &standing).is_empty(), expected, "{planned:?} {others:?}");
        };
        check(&["old", "new"], &[], true);
        check(&["new"], &[], false);
        check(&["new"], &["old"], true);
        check(&["new"], &["third"], false);
        assert!(outdated("filter", &[], &[stand("rule", stamps("old")), stand("filter", demands(&["old"]))]).is_empty());
        // What did not pass before is not lost now.
        assert!(
            outdated("filter", &demands(&["new"]), &[stand("rule", stamps("old")), stand("filter", demands(&["x"]))]).is_empty()
        );
    }

    #[test]
    fn a_rule_may_stamp_only_what_a_filter_accepts_that_stands_or_was_planned_before() {
        let filter = || vec![stand("filter", demands(&["old"])), stand("rule", stamps("old"))];
        assert_eq!(unaccepted(&stamps("new"), &filter(), &[]), ["X-Auth"]);
        assert!(unaccepted(&stamps("old"), &filter(), &[]).is_empty());
        assert!(unaccepted(&stamps("new"), &filter(), &demands(&["old", "new"])).is_empty());
        assert!(unaccepted(&stamps("new"), &[stand("rule", stamps("old"))], &[]).is_empty(), "nothing asks for it");
        // What it stamps already is not judged.
        assert!(unaccepted(&stamps("x"), &[stand("rule", stamps("x")), stand("filter", demands(&["y"]))], &[]).is_empty());
    }

    #[test]
    fn p12_a_board_shows_no_secret() {
        let board = Board::default();
        board.plans("rule", "r", "the rule".into(), &stamps("hunter2hunter2"));
        assert!(!format!("{board:?} {:?}", stamps("hunter2hunter2")).contains("hunter2"));
    }
}
