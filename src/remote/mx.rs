//! Where the MX records of domains lead: what this run has seen of them, and which objects would refuse mail that still comes another way.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::{Call, Error};

/// Where the MX records of a domain lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MxView {
    /// The domain.
    pub domain: String,
    /// Whether the organization takes mail for it; nothing if that is not known.
    pub is_accepted: Option<bool>,
    /// The records that lead elsewhere than to the gateways, as they are shown to a person.
    pub elsewhere: Vec<String>,
    /// Why nobody knows; nothing if a server answered.
    pub unanswered: Option<String>,
}

impl MxView {
    /// Tells whether mail for the organization still comes another way.
    pub fn leads_elsewhere(&self) -> bool {
        self.is_accepted != Some(false) && !self.elsewhere.is_empty()
    }
}

/// Who can tell which MX records the organization expects for a domain.
#[async_trait]
pub trait ExpectsMx: Send + Sync {
    /// The hosts, those that are preferred first.
    async fn expected_mx(&self, domain: &str, call: &Call) -> Result<Vec<String>, Error>;
}

/// Looks again at the records of one domain.
#[async_trait]
pub trait LooksAgain: fmt::Debug + Send + Sync {
    /// What the records say now.
    async fn look(&self, call: &Call) -> MxView;
}

/// An object that is planned to refuse mail which does not come from the gateways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restricting {
    /// What it is called in messages.
    pub called: String,
    /// Its configuration says that the records are not to be looked at.
    pub is_excused: bool,
}

/// What a run knows of cut-overs: the views of data sources, and the objects that close the other way. Whichever comes second is judged by the first.
#[derive(Debug, Default)]
pub struct CutOvers(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    views: BTreeMap<String, (MxView, Arc<dyn LooksAgain>)>,
    restricting: BTreeMap<String, Restricting>,
}

impl CutOvers {
    /// Hears what a data source has seen, and gives the objects that are planned to refuse mail.
    pub fn saw(&self, view: &MxView, again: Arc<dyn LooksAgain>) -> Vec<Restricting> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.views.insert(view.domain.clone(), (view.clone(), again));
        inner.restricting.values().cloned().collect()
    }

    /// Hears that an object is planned to refuse mail from now on, or no longer, and gives what data sources have seen.
    pub fn plans(&self, id: &str, restricting: Option<Restricting>) -> Vec<MxView> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match restricting {
            Some(restricting) => inner.restricting.insert(id.to_lowercase(), restricting),
            None => inner.restricting.remove(&id.to_lowercase()),
        };
        inner.views.values().map(|(view, _)| view.clone()).collect()
    }

    /// Looks again at each domain that a data source of this process has seen.
    pub async fn look_again(&self, call: &Call) -> Vec<MxView> {
        let all: Vec<Arc<dyn LooksAgain>> = {
            let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            inner.views.values().map(|(_, again)| Arc::clone(again)).collect()
        };
        let mut views = Vec::new();
        for again in all {
            views.push(again.look(call).await);
        }
        views
    }
}

/// What is said of an object (`called`) that would refuse mail: summary and detail.
pub fn mx_words(view: &MxView, called: &str) -> (String, String) {
    (
        format!("The MX records of {} do not lead to the gateways", view.domain),
        format!(
            "The {called} is to refuse all mail that does not come from the gateways, and mail for {} still comes another way: {}. It would be refused. Move \
             the MX records first, and wait until `settled_at` of `mailflow_mx_cutover` is null. `skip_mx_check = true` on the connector turns this error into \
             a warning.",
            view.domain,
            view.elsewhere.join(", ")
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Same(MxView);

    #[async_trait]
    impl LooksAgain for Same {
        async fn look(&self, _: &Call) -> MxView {
            self.0.clone()
        }
    }

    fn view(elsewhere: &[&str]) -> MxView {
        let elsewhere = elsewhere.iter().map(|text| (*text).to_owned()).collect();
        MxView { domain: "contoso.com".to_owned(), is_accepted: None, elsewhere, unanswered: None }
    }

    #[test]
    fn whichever_comes_second_is_judged_by_the_first() {
        let restricting = || Restricting { called: "inbound connector \"a\"".to_owned(), is_excused: false };
        let (before, moved) = (view(&["contoso.com MX 0 a.example"]), view(&[]));
        let first = CutOvers::default();
        assert_eq!(first.saw(&before, Arc::new(Same(before.clone()))), []);
        assert_eq!(first.plans("A", Some(restricting())), std::slice::from_ref(&before));
        let second = CutOvers::default();
        assert_eq!(second.plans("a", Some(restricting())), []);
        assert_eq!(second.saw(&before, Arc::new(Same(before.clone()))), [restricting()]);
        // It is planned anew, and restricts no more.
        assert_eq!(second.plans("A", None), std::slice::from_ref(&before));
        assert_eq!(second.saw(&moved, Arc::new(Same(moved.clone()))), []);
        assert!(before.leads_elsewhere() && !moved.leads_elsewhere());
        assert!(!MxView { is_accepted: Some(false), ..before }.leads_elsewhere(), "the organization takes no mail for it");
    }
}
