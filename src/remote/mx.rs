//! Where the MX records of domains lead: what this run has seen of them, and which objects would refuse mail that still comes another way.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

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

/// What is asked about one domain. It is kept at plan, and asked again when the plan is applied, by another process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MxQuestion {
    /// The domain.
    pub domain: String,
    /// The names or addresses of the gateways.
    pub gateways: Vec<String>,
    /// The DNS servers; none for the usual ones.
    pub resolvers: Vec<String>,
    /// Whether the organization takes mail for it; nothing if that is not known.
    pub is_accepted: Option<bool>,
}

/// Who looks at the records of a domain.
#[async_trait]
pub trait LooksAgain: fmt::Debug + Send + Sync {
    /// What the records say now.
    async fn look(&self, question: &MxQuestion, call: &Call) -> MxView;
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
pub struct CutOvers {
    /// Nobody looks again where there is none.
    looks: Option<Arc<dyn LooksAgain>>,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// What is asked about each domain, from the begin of its reading.
    questions: BTreeMap<String, MxQuestion>,
    views: BTreeMap<String, MxView>,
    restricting: BTreeMap<String, Restricting>,
}

impl CutOvers {
    /// Knows of none yet.
    pub fn new(looks: Arc<dyn LooksAgain>) -> CutOvers {
        CutOvers { looks: Some(looks), inner: Mutex::default() }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hears that a data source begins to read: an object that is read meanwhile keeps the question.
    pub fn asks(&self, question: &MxQuestion) {
        self.inner().questions.insert(question.domain.clone(), question.clone());
    }

    /// Hears what a data source has seen, and gives the objects that are planned to refuse mail.
    pub fn saw(&self, view: &MxView) -> Vec<Restricting> {
        let mut inner = self.inner();
        inner.views.insert(view.domain.clone(), view.clone());
        inner.restricting.values().cloned().collect()
    }

    /// Hears that an object is planned to refuse mail from now on, or no longer, and gives what data sources have seen.
    pub fn plans(&self, id: &str, restricting: Option<Restricting>) -> Vec<MxView> {
        let mut inner = self.inner();
        match restricting {
            Some(restricting) => inner.restricting.insert(id.to_lowercase(), restricting),
            None => inner.restricting.remove(&id.to_lowercase()),
        };
        inner.views.values().cloned().collect()
    }

    /// What data sources of this process have asked, domain by domain.
    pub fn questions(&self) -> Vec<MxQuestion> {
        self.inner().questions.values().cloned().collect()
    }

    /// Looks again at each domain that a data source of this process has asked about, and at those of `planned`, which were kept when the plan was made.
    pub async fn look_again(&self, planned: Vec<MxQuestion>, call: &Call) -> Vec<MxView> {
        let planned = planned.into_iter().map(|question| (question.domain.clone(), question));
        let mut all: BTreeMap<String, MxQuestion> = planned.collect();
        all.extend(self.inner().questions.clone());
        let mut views = Vec::new();
        if let Some(looks) = &self.looks {
            for question in all.values() {
                views.push(looks.look(question, call).await);
            }
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

    /// Finds records that lead elsewhere, whatever is asked.
    #[derive(Debug)]
    struct Elsewhere;

    #[async_trait]
    impl LooksAgain for Elsewhere {
        async fn look(&self, question: &MxQuestion, _: &Call) -> MxView {
            MxView { domain: question.domain.clone(), ..view(&["MX 0 a.example"]) }
        }
    }

    fn cut_overs() -> CutOvers {
        CutOvers::new(Arc::new(Elsewhere))
    }

    fn question(domain: &str) -> MxQuestion {
        MxQuestion { domain: domain.to_owned(), gateways: Vec::new(), resolvers: Vec::new(), is_accepted: None }
    }

    fn view(elsewhere: &[&str]) -> MxView {
        let elsewhere = elsewhere.iter().map(|text| (*text).to_owned()).collect();
        MxView { domain: "contoso.com".to_owned(), is_accepted: None, elsewhere, unanswered: None }
    }

    #[test]
    fn whichever_comes_second_is_judged_by_the_first() {
        let restricting = || Restricting { called: "inbound connector \"a\"".to_owned(), is_excused: false };
        let (before, moved) = (view(&["contoso.com MX 0 a.example"]), view(&[]));
        let first = cut_overs();
        assert_eq!(first.saw(&before), []);
        assert_eq!(first.plans("A", Some(restricting())), std::slice::from_ref(&before));
        let second = cut_overs();
        assert_eq!(second.plans("a", Some(restricting())), []);
        assert_eq!(second.saw(&before), [restricting()]);
        // It is planned anew, and restricts no more.
        assert_eq!(second.plans("A", None), std::slice::from_ref(&before));
        assert_eq!(second.saw(&moved), []);
        assert!(before.leads_elsewhere() && !moved.leads_elsewhere());
        assert!(!MxView { is_accepted: Some(false), ..before }.leads_elsewhere(), "the organization takes no mail for it");
    }

    #[tokio::test]
    async fn what_is_asked_is_known_from_the_begin_and_what_a_plan_kept_is_asked_by_another_process() {
        let planning = cut_overs();
        assert_eq!(planning.questions(), []);
        planning.asks(&question("contoso.com"));
        let kept = serde_json::to_value(planning.questions()).unwrap();
        let kept: Vec<MxQuestion> = serde_json::from_value(kept).unwrap();
        let call = Call::new(tokio_util::sync::CancellationToken::new(), std::time::Duration::from_secs(5));
        let applying = cut_overs();
        assert!(applying.look_again(Vec::new(), &call).await.is_empty());
        let seen = applying.look_again(kept.clone(), &call).await;
        assert!(seen.len() == 1 && seen[0].domain == "contoso.com" && seen[0].leads_elsewhere(), "{seen:?}");
        // Asked here, too: one look.
        applying.asks(&question("contoso.com"));
        assert_eq!(applying.look_again(kept, &call).await.len(), 1);
    }
}
