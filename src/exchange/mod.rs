//! Exchange Online: tokens, HTTP, cmdlets, and the resources over them.
//!
//! A resource is a table and a [`cmdlet::Cmdlets`]: which noun its objects are, and what its cmdlets do that a table cannot say.
//! The client is an [`Exchange`]: it serves all readers of a noun from one list, sends writes of a noun one after the other, and
//! answers a write with what it read back.

pub mod answer;
pub mod cmdlet;
pub mod data;
mod entra;
pub mod examination;
mod fault;
pub mod forms;
mod gate;
pub mod hosts;
pub mod http;
mod login;
pub mod mail;
mod moves;
pub mod parameters;
mod permissions;
pub mod resources;
mod rights;
pub mod settings;
#[cfg(test)]
mod testing;
pub mod token;

pub use moves::MOVES;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use self::cmdlet::{Claims, Cmdlets, KeptDisabled, Lists, OwnWrites, Places};
use self::http::Http;
use self::rights::Rights;
use self::settings::Settings;
use crate::remote::{
    self, Aliases, Backoff, Board, Call, Change, CutOvers, Domains, Enumerate, Error, ExpectsMx, Facts, Failure, Kind, Listing,
    Names, Objects, Standing, is_loopback,
};
use crate::schema::{Record, Resource};

/// The client of one tenant. Each configuration of the provider makes its own, and with it fresh lists.
#[derive(Debug)]
pub struct Exchange {
    http: Http,
    lists: Lists,
    /// Writes of a noun wait for each other: rules renumber one another.
    turns: Mutex<HashMap<&'static str, Arc<tokio::sync::Mutex<()>>>>,
    /// The GUIDs that the state was seen to know, by noun.
    known: Mutex<HashMap<&'static str, BTreeSet<String>>>,
    places: Places,
    own_writes: OwnWrites,
    kept_disabled: KeptDisabled,
    /// Message traces wait for each other, and for the service's limit.
    traces: data::Limiter,
    claims: Claims,
    names: Names,
    /// Where the objects of this run are to stand.
    planned: remote::order::Places,
    rights: Rights,
    /// What has to agree with the other side.
    board: Arc<Board>,
    /// Who looks records up in the DNS, if somebody does.
    dns: Option<Arc<dyn Aliases>>,
    /// What this run knows of cut-overs.
    cut_overs: Arc<CutOvers>,
    read_only: bool,
    pace: Pace,
}

/// How long is waited for what.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// Between attempts.
    backoff: Backoff,
    /// How long the service may take to show what was written.
    consistency: Duration,
    /// Before the second look after a write; later looks are further apart, up to sixteen times.
    poll: Duration,
    /// Between looks over connections of their own, each of which may come to another server.
    looks: Duration,
    /// How long the service may take to show what a second write was to mend.
    mended: Duration,
    /// So long nothing must be heard of other objects before a name counts as nobody's.
    quiet: Duration,
    /// Between looks for records in the DNS.
    records: Duration,
}

const PACE: Pace = Pace {
    backoff: Backoff { first: Duration::from_secs(1), most: Duration::from_secs(30) },
    consistency: Duration::from_secs(45),
    poll: Duration::from_millis(250),
    looks: Duration::from_secs(2),
    mended: Duration::from_secs(15),
    quiet: Duration::from_secs(2),
    records: Duration::from_secs(15),
};

/// For a service on this machine, which has no servers far from each other.
const PACE_NEARBY: Pace = Pace {
    looks: Duration::from_millis(50),
    mended: Duration::from_millis(300),
    quiet: Duration::from_millis(300),
    records: Duration::from_millis(300),
    ..PACE
};

impl Exchange {
    /// Makes a client; no I/O. A setting that cannot be right is an error on its path in the provider block.
    pub fn new(settings: &Settings) -> Result<Exchange, Error> {
        let is_nearby = settings.exchange_url.as_ref().is_some_and(is_loopback);
        Exchange::with_pace(settings, if is_nearby { PACE_NEARBY } else { PACE })
    }

    fn with_pace(settings: &Settings, pace: Pace) -> Result<Exchange, Error> {
        Ok(Exchange {
            http: Http::new(settings, pace.backoff)?,
            lists: Lists::default(),
            turns: Mutex::default(),
            known: Mutex::default(),
            places: Places::default(),
            own_writes: OwnWrites::default(),
            kept_disabled: KeptDisabled::default(),
            traces: data::Limiter::default(),
            claims: Claims::default(),
            names: Names::new(pace.quiet),
            planned: remote::order::Places::default(),
            rights: Rights::default(),
            board: Arc::default(),
            dns: None,
            cut_overs: Arc::default(),
            read_only: settings.read_only,
            pace,
        })
    }

    /// Makes the first contact with the tenant's hosts.
    pub async fn contact(&self, call: &Call) -> Result<(), Error> {
        self.http.contact(call).await
    }

    /// Puts the client on the board of its configuration.
    #[must_use]
    pub fn on(self, board: Arc<Board>) -> Exchange {
        Exchange { board, ..self }
    }

    /// Says who looks records up in the DNS, and where is noted down what was seen of MX records.
    #[must_use]
    pub fn looking_up(self, dns: Arc<dyn Aliases>, cut_overs: Arc<CutOvers>) -> Exchange {
        Exchange { dns: Some(dns), cut_overs, ..self }
    }

    fn turn(&self, noun: &'static str) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(self.turns.lock().unwrap_or_else(PoisonError::into_inner).entry(noun).or_default())
    }

    fn remember(&self, cmdlets: &Cmdlets, guid: &str) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(cmdlets.kind()).or_default().insert(guid.to_ascii_lowercase());
        self.names.knows(cmdlets.kind(), &guid.to_ascii_lowercase());
    }

    fn forget(&self, cmdlets: &Cmdlets, guid: &str) {
        let guid = guid.to_ascii_lowercase();
        self.places.forget(cmdlets.noun, &guid);
        self.own_writes.forget(cmdlets.kind(), &guid);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(cmdlets.kind()).or_default().remove(&guid);
    }

    fn known_ids(&self, cmdlets: &Cmdlets) -> Vec<String> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(cmdlets.kind()).into_iter().flatten().cloned().collect()
    }
}

#[async_trait]
impl Objects for Exchange {
    fn knows(&self, resource: &'static Resource, state: &Record, planned: Option<&Record>) {
        if let (Ok(cmdlets), Some(id)) = (cmdlets(resource), state.text("id").filter(|id| !id.is_empty())) {
            self.know(cmdlets, id, state, planned);
        }
    }

    async fn check(&self, change: Change<'_>, call: &Call) -> Result<(), Error> {
        self.review(cmdlets(change.resource)?, change, call).await
    }

    async fn check_unchanged(&self, change: Change<'_>, call: &Call) -> Result<Option<&'static str>, Error> {
        self.review_unchanged(cmdlets(change.resource)?, change, call).await
    }

    async fn check_delete(&self, resource: &'static Resource, state: &Record, call: &Call) -> Result<(), Error> {
        self.review_delete(cmdlets(resource)?, state, call).await
    }

    async fn create(&self, change: Change<'_>, call: &Call) -> Result<Record, Failure> {
        self.create_object(cmdlets(change.resource)?, change, call).await
    }

    async fn read(&self, resource: &'static Resource, state: &Record, call: &Call) -> Result<Option<Record>, Error> {
        let cmdlets = cmdlets(resource)?;
        let read = self.read_object(cmdlets, state, call).await;
        self.keep_mx_questions(cmdlets, state, call);
        read
    }

    async fn update(&self, change: Change<'_>, call: &Call) -> Result<Record, Failure> {
        self.update_object(cmdlets(change.resource)?, change, call).await
    }

    async fn delete(&self, resource: &'static Resource, state: &Record, call: &Call) -> Result<(), Error> {
        self.delete_object(cmdlets(resource)?, state, call).await
    }

    async fn find(&self, resource: &'static Resource, id: &str, call: &Call) -> Result<Record, Error> {
        self.find_object(cmdlets(resource)?, id, call).await
    }
}

#[async_trait]
impl Enumerate for Exchange {
    async fn list(&self, resource: &'static Resource, _: &Record, call: &Call) -> Result<Listing, Error> {
        self.list_objects(cmdlets(resource)?, call).await
    }
}

#[async_trait]
impl Domains for Exchange {
    async fn refuses(&self, domain: &str, host: &str, call: &Call) -> Option<String> {
        self.refuses_domain(domain, host, call).await
    }
}

#[async_trait]
impl ExpectsMx for Exchange {
    async fn expected_mx(&self, domain: &str, call: &Call) -> Result<Vec<String>, Error> {
        data::expected_mx(self, domain, call).await
    }
}

#[async_trait]
impl Facts for Exchange {
    async fn standing(&self, call: &Call) -> Result<Vec<Standing>, Error> {
        self.facts_that_stand(call).await
    }
}

fn cmdlets(resource: &'static Resource) -> Result<&'static Cmdlets, Error> {
    resources::named(resource.name)
        .ok_or_else(|| Error::new(Kind::Unexpected, format!("{} is not a resource of Exchange Online.", resource.name)))
}
