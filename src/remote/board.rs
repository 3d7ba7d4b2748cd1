//! What objects of different services say that must agree: a secret that one side stamps and the other asks for, a domain that one
//! side sends on and the other takes.
//!
//! One board is made for each configuration of the provider. What is planned or read in this process is noted down on it, so it knows
//! what the run has seen so far and nothing else: it never makes a call by itself, and silence on it says nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError, Weak};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};

use super::Call;

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

/// The board.
#[derive(Default)]
pub struct Board {
    notes: Mutex<BTreeMap<(&'static str, String), Note>>,
    domains: OnceLock<Weak<dyn Domains>>,
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

    #[test]
    fn p12_a_board_shows_no_secret() {
        let board = Board::default();
        board.plans("rule", "r", "the rule".into(), &stamps("hunter2hunter2"));
        assert!(!format!("{board:?} {:?}", stamps("hunter2hunter2")).contains("hunter2"));
    }
}
