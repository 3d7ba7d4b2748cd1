//! The gateway's side of Terraform's operations: objects of tables, read from shared snapshots and changed through the batch.
//!
//! One [`Gateway`] is made per configuration of the provider and lives as long: its snapshots never outlive a Configure. Making
//! one does no I/O; the first call that needs the device opens the session.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::agreement;
use super::batch::{Answer, Batch, Goal, RULES, Rules, Wish};
use super::device::{Connect, Report};
use super::dialog::Dialog;
use super::filters::without_values_of_filters;
use super::lock::Lock;
use super::order;
use super::original::{self, ORIGINAL, Original};
use super::relay;
use super::resources::{message_filter, sender_group};
use super::rest::Rest;
use super::settings::Settings;
use super::table::{Neighbours, Printout, Row, Rows, Table};
use crate::remote::names;
use crate::remote::order::{self as remote_order, Pair, Place, Places};
use crate::remote::{Board, Call, Change, Error, Facts, Failure, Kind, Names, Objects, Standing};
use crate::schema::{Record, Resource, engine};
use crate::value::{Diagnostic, Path, Severity};

/// The attribute that names the listener of an object.
pub(super) const LISTENER: &str = "listener";

/// How many names an error lists.
pub(super) const MOST_NAMES: usize = 12;

/// So long nothing must be heard of other objects before a name counts as nobody's.
const QUIET: Duration = Duration::from_secs(2);

/// The same for a device on this machine, which answers at once.
const QUIET_NEARBY: Duration = Duration::from_millis(300);

/// How long is waited for what the AsyncOS API adds to an object.
const PATIENCE: Duration = Duration::from_secs(30);

/// One gateway, as one configuration of the provider knows it.
pub struct Gateway {
    pub(super) tables: &'static [&'static Table],
    pub(super) rules: Rules,
    read_only: bool,
    pub(super) batch: Batch,
    /// The AsyncOS API, where the settings name one.
    api: Option<Rest>,
    /// Whether the user was told that the AsyncOS API does not say why filters are not valid.
    told_of_api: AtomicBool,
    /// What has to agree with the other side.
    pub(super) board: Arc<Board>,
    /// The names of this run.
    pub(super) names: Names,
    /// Where the objects of this run are to stand.
    pub(super) places: Places,
    /// Printouts whose lines that nobody understood were already told of.
    told: Mutex<BTreeSet<Printout>>,
    /// The sender groups whose guard is planned to go, as was told.
    pub(super) losses: Mutex<BTreeSet<String>>,
    /// Why the account may not change anything, once it was asked.
    rights: tokio::sync::OnceCell<Option<Error>>,
}

impl Gateway {
    /// Makes a client. Does no I/O.
    pub fn new(settings: Settings, connect: Arc<dyn Connect>, tables: &'static [&'static Table]) -> Gateway {
        let lock = Lock::of(connect.name());
        Gateway::with(settings, connect, tables, RULES, lock)
    }

    pub(super) fn with(
        settings: Settings,
        connect: Arc<dyn Connect>,
        tables: &'static [&'static Table],
        rules: Rules,
        lock: Lock,
    ) -> Gateway {
        let read_only = settings.read_only;
        let quiet = if is_this_machine(&connect.name()) { QUIET_NEARBY } else { QUIET };
        let batch = Batch::new(settings, connect, rules, lock);
        Gateway {
            tables,
            rules,
            read_only,
            batch,
            api: None,
            board: Arc::default(),
            told_of_api: AtomicBool::new(false),
            names: Names::new(quiet),
            places: Places::default(),
            told: Mutex::default(),
            losses: Mutex::default(),
            rights: tokio::sync::OnceCell::new(),
        }
    }

    /// Uses the AsyncOS API, too: for what the command line does not tell.
    #[must_use]
    pub fn with_api(self, api: Option<Rest>) -> Gateway {
        Gateway { api, ..self }
    }

    /// The AsyncOS API; an error that says what to set if there is none.
    pub fn api(&self) -> Result<&Rest, Error> {
        self.api.as_ref().ok_or_else(|| {
            Error::new(Kind::Invalid, "The provider has no settings for the AsyncOS API.").hint(
                "Add `api { … }` with url, username and password to the provider's \"gateway\" block; `api {}` takes everything from the \
                 environment variables MAILFLOW_GATEWAY_API_URL, MAILFLOW_GATEWAY_API_USERNAME and MAILFLOW_GATEWAY_API_PASSWORD.",
            )
        })
    }

    /// Puts the client on the board of its configuration.
    #[must_use]
    pub fn on(self, board: Arc<Board>) -> Gateway {
        Gateway { board, ..self }
    }

    /// Hears that a change of an object was planned in this process and may soon be applied. The commit then waits for it, but
    /// never longer than the quiet period.
    pub fn announce(&self, resource: &'static Resource, planned: &Record) {
        if !self.read_only && self.table(resource).is_ok() {
            self.batch.announce(resource.name, (self.rules.key)(resource, planned).unwrap_or_default());
        }
    }

    /// Reads a printout, from what is known if it was read before. For data sources.
    pub async fn rows(&self, printout: &Printout, call: &Call) -> Result<Arc<Rows>, Error> {
        let rows = match self.batch.read(printout, call).await {
            Ok(rows) => rows,
            Err(error) => return Err(self.because(printout, error, call).await),
        };
        if (!rows.not_understood.is_empty() || rows.nameless > 0)
            && self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(printout.clone())
        {
            call.report(unread(printout, &rows));
        }
        Ok(rows)
    }

    /// Walks a dialog that stages nothing and gives its report, while nothing of ours is staged.
    pub(super) async fn report(&self, dialog: &Dialog, call: &Call) -> Result<Report, Error> {
        self.batch.report(dialog, call).await
    }

    /// Hears why a sender group may stand open.
    fn hear_reason(&self, resource: &Resource, id: &str, record: &Record) {
        if resource.name == sender_group::RESOURCE.name {
            self.batch.note_reason(id, record.text(relay::REASON));
        }
    }

    /// Makes the first contact: logs in, and keeps the session.
    pub async fn contact(&self, call: &Call) -> Result<(), Error> {
        self.batch.contact(call).await
    }

    /// Makes the first contact with the AsyncOS API, where the settings name one.
    pub async fn contact_api(&self, call: &Call) -> Result<(), Error> {
        match &self.api {
            Some(api) => api.contact(call).await,
            None => Ok(()),
        }
    }

    /// Puts the reason in front where a table was asked for that the listener does not have: the device says only that its menu is another.
    async fn because(&self, printout: &Printout, error: Error, call: &Call) -> Error {
        let Printout::Recipients(listener) = printout else { return error };
        if matches!(error.kind, Kind::Unavailable | Kind::Stopped | Kind::Denied) {
            return error;
        }
        match self.batch.read(&Printout::Listeners, call).await {
            Ok(listeners) => has_no_recipients(&listeners, listener).unwrap_or(error),
            Err(_) => error,
        }
    }

    /// Logs out, once all that was asked before is answered. A later call logs in again.
    pub async fn close(&self) {
        self.batch.close().await;
    }

    pub(super) fn table(&self, resource: &Resource) -> Result<&'static Table, Error> {
        self.tables
            .iter()
            .copied()
            .find(|table| table.resource.name == resource.name)
            .ok_or_else(|| Error::new(Kind::Unexpected, format!("The gateway has no table for {}.", resource.name)))
    }

    /// The object's ID: the one in state, or the key of the planned object.
    fn id(&self, resource: &Resource, record: &Record) -> Result<String, Error> {
        let known = record.text("id").filter(|id| !id.is_empty()).map(str::to_owned);
        known.or_else(|| (self.rules.key)(resource, record)).ok_or_else(|| {
            Error::new(Kind::Unexpected, format!("The {} has no name by which the gateway knows it.", resource.noun))
        })
    }

    fn writable(&self) -> Result<(), Error> {
        if self.read_only {
            return Err(Error::new(Kind::Denied, "The provider is set to read_only, so nothing was sent to the gateway.")
                .hint("Set read_only to false to let the provider change the gateway."));
        }
        Ok(())
    }

    /// Fails if the device says that the account may only look. What it does not say shows at the first change.
    async fn may_change(&self, call: &Call) -> Result<(), Error> {
        let ask = || async {
            let account = match self.batch.read(&Printout::Account, call).await {
                Ok(rows) => rows.rows.first().filter(|row| row.record.truth("look_only") == Some(true)).map(|row| {
                    Error::new(
                        Kind::Denied,
                        format!(
                            "The account of the provider may only look: its groups are {}.",
                            row.record.text("groups").unwrap_or_default()
                        ),
                    )
                    .hint("Give it the role Administrator or Cloud Administrator on the gateway.")
                }),
                Err(error) if matches!(error.kind, Kind::Unavailable | Kind::Stopped) => return Err(error),
                // A release without the command, or a role that may not ask: nothing follows from that.
                Err(_) => None,
            };
            if account.is_some() {
                return Ok(account);
            }
            match self.batch.read(&Printout::CommitHelp, call).await {
                Ok(_) => Ok(None),
                Err(error) if matches!(error.kind, Kind::Unavailable | Kind::Stopped) => Err(error),
                Err(error) => Ok(Some(error).filter(|error| error.kind == Kind::Denied)),
            }
        };
        match self.rights.get_or_try_init(ask).await? {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
    }

    /// Makes a change live and gives the object as it stands then. `seen` is the object that the plan saw, if there was one.
    async fn write(
        &self,
        table: &'static Table,
        id: String,
        goal: Goal,
        seen: Option<&Record>,
        call: &Call,
    ) -> Result<Record, Failure> {
        let adopts = matches!(goal, Goal::Adopt(_));
        let wanted = match &goal {
            // An order is not put back.
            _ if order::order_of(table).is_some() => None,
            Goal::Adopt(wanted) => Some((wanted.clone(), Some(Original::Stood(Record::new())))),
            Goal::Update(wanted) if seen.is_some() => {
                Some((wanted.clone(), call.private(ORIGINAL).as_ref().and_then(original::read)))
            }
            _ => None,
        };
        if table.resource.name == message_filter::RESOURCE.name {
            self.hear_reasons(call);
            if let Some(api) = &self.api {
                api.forget_filters().await;
            }
        }
        let kept = match &goal {
            Goal::Create(record) | Goal::Adopt(record) | Goal::Update(record) => self.others(table, record),
            Goal::Delete(_) => Vec::new(),
        };
        let wish = Wish { table, id, goal, seen: seen.cloned(), kept };
        let id = wish.new_id();
        let printout = wish.printout();
        let Answer { result, before, notices } = self.batch.change(wish, call).await;
        for notice in notices {
            call.report(notice);
        }
        let exists = match &result {
            Ok(_) => true,
            Err(failure) => failure.object.is_some(),
        };
        // Of an object that was imported nothing is kept: what was there before is not known.
        let before = before.as_ref().map(|row| &row.record);
        if let Some((wanted, Some(kept))) = wanted.filter(|_| exists && (adopts || before.is_some())) {
            call.set_private(ORIGINAL, original::write(&original::with_written(table.resource, kept, before, &wanted)));
        }
        let result = match result {
            Err(Failure { error, object: None }) => Err(self.because(&printout, error, call).await.into()),
            result => result,
        };
        match result? {
            Some(row) => {
                let record = self.reporting_guard(table, row.record.with("id", id), call).await;
                Ok(self.explained(table.resource, record, call).await)
            }
            None => Ok(Record::default()),
        }
    }

    /// Adds why a message filter is not valid, where the command line shows only that it is so.
    pub(super) async fn explained(&self, resource: &Resource, record: Record, call: &Call) -> Record {
        let unexplained = resource.name == message_filter::RESOURCE.name
            && record.truth("valid") == Some(false)
            && record.text("invalid_reason").is_none_or(str::is_empty);
        let (Some(api), true) = (&self.api, unexplained) else { return record };
        let (name, script) = (record.text("name").unwrap_or_default(), record.text("script").unwrap_or_default());
        if self.told_of_api.load(Ordering::Relaxed) {
            return record;
        }
        // A detail: it must not use up the time of what it is a detail of.
        let asked = tokio::time::timeout(PATIENCE, api.invalid_reason(name, script, call)).await;
        match asked.unwrap_or_else(|_| Err(Error::new(Kind::Unavailable, "The AsyncOS API did not answer in time."))) {
            Ok(Some(reason)) => record.with("invalid_reason", reason),
            Ok(None) => record,
            Err(error) => {
                if !self.told_of_api.swap(true, Ordering::Relaxed) {
                    let found = error.diagnostic("read from the AsyncOS API why message filters are not valid");
                    call.report(Diagnostic { severity: Severity::Warning, ..found });
                }
                record
            }
        }
    }

    /// The rows in which an object stands; `None` if its listener is gone, and the object with it.
    async fn rows_of(&self, table: &'static Table, record: &Record, call: &Call) -> Result<Option<Arc<Rows>>, Error> {
        match self.rows(&(table.printout)(record), call).await {
            Ok(rows) => Ok(Some(rows)),
            Err(error) => {
                let Some(listener) = (table.listener)(record).filter(|_| error.kind != Kind::Unavailable) else {
                    return Err(error);
                };
                // A device asked about a listener that it does not have answers with an error.
                match self.rows(&Printout::Listeners, call).await {
                    Ok(listeners) if !listeners.may_hide([listener]) && !has_listener(&listeners, listener) => Ok(None),
                    _ => Err(error),
                }
            }
        }
    }
}

#[async_trait]
impl Objects for Gateway {
    fn knows(&self, resource: &'static Resource, state: &Record, planned: Option<&Record>) {
        let Some(id) = state.text("id").filter(|id| !id.is_empty()) else { return };
        self.hear_reason(resource, id, planned.unwrap_or(state));
        match planned.and_then(|planned| Some(((self.rules.key)(resource, planned)?, planned))) {
            Some((name, planned)) => self.names.keeps(resource.name, id, &name, name != id, planned),
            None => self.names.knows(resource.name, id),
        }
    }

    /// A sender group stays guarded, or not, by what becomes of filters and policies.
    fn watches(&self, resource: &'static Resource) -> bool {
        resource.name == sender_group::RESOURCE.name
    }

    async fn check(&self, change: Change<'_>, call: &Call) -> Result<(), Error> {
        let table = self.table(change.resource)?;
        if self.read_only && !call.applying {
            call.report(names::read_only(change.resource, change.planned));
        }
        let has_listener_attribute = change.resource.attributes.iter().any(|attribute| attribute.name == LISTENER);
        self.may_change(call).await?;
        if has_listener_attribute && change.effective.get(LISTENER).is_unknown() {
            return Ok(());
        }
        if let Some(listener) = (table.listener)(change.effective) {
            let listeners = self.rows(&Printout::Listeners, call).await?;
            if !has_listener(&listeners, listener) {
                let names = listener_names(&listeners);
                let unclear = if listeners.not_understood.is_empty() { "" } else { " Some lines could not be understood." };
                call.report(
                    Diagnostic::error(
                        format!("Unknown listener {listener:?}"),
                        format!(
                            "The gateway has these listeners (upper and lower case matter): {}.{unclear}",
                            shortened(&names, ", ")
                        ),
                    )
                    .at(Path::root().attribute(LISTENER)),
                );
                return Ok(());
            }
        }
        let printout = (table.printout)(change.effective);
        let rows = match self.rows(&printout, call).await {
            Err(error) if matches!(printout, Printout::Recipients(_)) && error.kind == Kind::Invalid => {
                return Err(error.at(Path::root().attribute(LISTENER)));
            }
            rows => rows?,
        };
        let before = change.prior.map(|prior| (table.check)(prior, &rows)).unwrap_or_default();
        call.report_new((table.check)(change.effective, &rows), &before);
        if !call.applying {
            self.judge_name(change, &rows, call).await;
            self.judge_references(change, call).await?;
            self.judge_script(change, call).await?;
            self.judge_relay(change, &rows, call).await?;
        }
        self.judge_place(table, change, &rows, true, call);
        self.compare(change, call).await;
        Ok(())
    }

    async fn check_unchanged(&self, change: Change<'_>, call: &Call) -> Result<Option<&'static str>, Error> {
        let table = self.table(change.resource)?;
        if self.watches(change.resource) && !call.applying {
            let hosts = self.rows(&(table.printout)(change.effective), call).await?;
            if let Some(open) = self.judge_group(change, &hosts, false, call).await? {
                return Ok(Some(open));
            }
        }
        if order::place(table, change.effective).is_none() {
            return Ok(None);
        }
        let rows = self.rows(&(table.printout)(change.effective), call).await?;
        let moved = self.judge_place(table, change, &rows, false, call);
        if !call.applying || order::order_of(table).is_some() {
            return Ok(moved);
        }
        // Another one was moved past it by now.
        let pairs: Vec<Pair> = order::place(table, change.effective).iter().flat_map(Place::pairs).collect();
        let kind = order::kind(table).unwrap_or_default();
        Ok((!remote_order::holds(&order::standing(kind, &rows), &pairs)).then_some(order::POSITION))
    }

    async fn check_delete(&self, resource: &'static Resource, state: &Record, call: &Call) -> Result<(), Error> {
        let table = self.table(resource)?;
        if order::order_of(table).is_some() {
            return Ok(());
        }
        if self.read_only && !call.applying {
            call.report(names::read_only(resource, state));
        }
        if resource.name == message_filter::RESOURCE.name && !call.applying {
            let filters = self.rows(&Printout::Filters, call).await?;
            self.names.goes(resource.name, &self.id(resource, state)?);
            self.judge_filter(state, None, &filters, call).await?;
        }
        if engine::is_always_there(resource, state) && call.private(ORIGINAL).is_none() {
            call.report(Diagnostic::warning(
                format!("The {} {:?} will be left as it is", resource.noun, self.id(resource, state)?),
                "It is always there and cannot be deleted. It was imported, so what it was before is not known, and nothing will be restored: it is only \
                 no longer managed.",
            ));
        }
        Ok(())
    }

    async fn create(&self, change: Change<'_>, call: &Call) -> Result<Record, Failure> {
        self.writable()?;
        let table = self.table(change.resource)?;
        let key = (self.rules.key)(change.resource, change.effective);
        if let Some(id) = &key {
            self.hear_reason(change.resource, id, change.planned);
        }
        let id = match key {
            Some(id) => id,
            None => self.id(change.resource, change.effective)?,
        };
        let record = change.effective.clone();
        let goal = if engine::is_always_there(change.resource, &record) { Goal::Adopt(record) } else { Goal::Create(record) };
        let made = self.write(table, id.clone(), goal, None, call).await;
        let Err(Failure { error, object: Some(object) }) = made else { return made };
        if error.kind == Kind::Invalid {
            // It stands as it was wished for and cannot run: the same once more mends nothing.
            return Err(Failure { error, object: Some(object) });
        }
        // It stands otherwise than it was wished for: one more write may mend that, and shows what the gateway says of it.
        let corrected = self.write(table, id, Goal::Update(change.effective.clone()), None, call).await;
        corrected.map_err(|second| {
            let error = if second.error.kind == Kind::Stopped { error } else { second.error };
            Failure { error, object: second.object.or(Some(object)) }
        })
    }

    async fn read(&self, resource: &'static Resource, state: &Record, call: &Call) -> Result<Option<Record>, Error> {
        let table = self.table(resource)?;
        let id = self.id(resource, state)?;
        self.names.knows(resource.name, &id);
        self.hear_reason(resource, &id, state);
        let Some(rows) = self.rows_of(table, state, call).await? else { return Ok(None) };
        // What a killed run staged hides how these stand.
        if order::order_of(table).is_some() && rows.is_set_aside(state.texts(order::NAMES)) {
            return Ok(Some(state.clone()));
        }
        match rows.find(resource.name, &id) {
            Some(row) => {
                let record = (self.rules.as_known)(&rows, row, state).with("id", id.as_str());
                if let Some(facts) = agreement::facts(resource, &record) {
                    self.board.stands(resource.name, &id, agreement::called(resource, &id), facts);
                }
                tell_script(resource, state, &record, call);
                let record = self.guarded(resource, record, &rows, call).await?;
                Ok(Some(self.explained(resource, record, call).await))
            }
            // What a killed run staged hides it; it is live as it was before.
            None if rows.is_set_aside(names_of(resource, &id, state)) => Ok(Some(state.clone())),
            None if may_be_unread(resource, &id, state, &rows) => Err(unclear(resource, &id, &rows)),
            None => Ok(None),
        }
    }

    async fn update(&self, change: Change<'_>, call: &Call) -> Result<Record, Failure> {
        self.writable()?;
        let table = self.table(change.resource)?;
        let id = self.id(change.resource, change.prior.unwrap_or(change.planned))?;
        if table.neighbours == Neighbours::None
            && (self.rules.key)(change.resource, change.effective).is_some_and(|key| key != id)
        {
            self.batch.take_back(change.resource.name, &id);
            let words = format!("The {} {id:?} cannot get another name: it must be replaced.", change.resource.noun);
            return Err(Error::new(Kind::Unexpected, words).into());
        }
        self.write(table, id, Goal::Update(change.effective.clone()), change.prior, call).await
    }

    async fn delete(&self, resource: &'static Resource, state: &Record, call: &Call) -> Result<(), Error> {
        let table = self.table(resource)?;
        let id = self.id(resource, state)?;
        if order::order_of(table).is_some() {
            // It stays as it is: nothing stood there before it that could be put back.
            self.batch.take_back(resource.name, &id);
            return Ok(());
        }
        self.writable()?;
        let original = call.private(ORIGINAL).as_ref().and_then(original::read);
        let goal = if engine::is_always_there(resource, state) {
            let Some(original) = original else {
                self.batch.take_back(resource.name, &id);
                call.report(Diagnostic::warning(
                    format!("The {} {id:?} stays as it is", resource.noun),
                    "It is always there and cannot be deleted. What it was before Terraform managed it is not known (it was imported), \
                     so nothing was restored.",
                ));
                return Ok(());
            };
            match original {
                Original::Absent => Goal::Delete(state.clone()),
                Original::Stood(kept) => Goal::Update(original::to_put_back(resource, &kept, state)),
            }
        } else {
            Goal::Delete(state.clone())
        };
        // Terraform deletes what is not configured any more with the state from before the refresh: what that has otherwise says nothing of
        // a change since the plan, and would be an error for ever.
        self.write(table, id, goal, None, call).await.map(|_| ()).map_err(|failure| failure.error)
    }

    async fn find(&self, resource: &'static Resource, id: &str, call: &Call) -> Result<Record, Error> {
        let table = self.table(resource)?;
        let named = (self.rules.parse_key)(resource, id).map_err(|words| Error::new(Kind::Invalid, words))?;
        let id = (self.rules.key)(resource, &named).unwrap_or_else(|| id.to_owned());
        let rows = self.rows_of(table, &named, call).await?;
        let Some(rows) = rows else {
            let listener = (table.listener)(&named).unwrap_or_default();
            let listeners = self.rows(&Printout::Listeners, call).await?;
            return Err(Error::new(Kind::NotFound, format!("The gateway has no listener {listener:?}."))
                .hint(format!("It has: {}.", shortened(&listener_names(&listeners), ", "))));
        };
        if let Some(row) = rows.find(resource.name, &id) {
            return self.guarded(resource, row.record.clone().with("id", id), &rows, call).await;
        }
        if may_be_unread(resource, &id, &named, &rows) {
            return Err(unclear(resource, &id, &rows));
        }
        let error = Error::new(Kind::NotFound, format!("The gateway has no {} {id:?}.", resource.noun));
        let near = near(&id, rows.rows.iter().filter(|row| row.resource == resource.name).map(|row| row.id.as_str()));
        Err(if near.is_empty() { error } else { error.hint(format!("It has: {}.", shortened(&near, ", "))) })
    }
}

#[async_trait]
impl Facts for Gateway {
    async fn standing(&self, call: &Call) -> Result<Vec<Standing>, Error> {
        let filters = self.rows(&Printout::Filters, call).await?;
        let resource = &message_filter::RESOURCE;
        let standing = filters.rows.iter().filter(|row| row.resource == resource.name).map(|row| Standing {
            called: agreement::called(resource, &row.id),
            facts: agreement::facts(resource, &row.record).unwrap_or_default(),
        });
        Ok(standing.collect())
    }
}

/// Tells where a filter's text differs from the one in the state: the text is sensitive, so that the plan does not show it.
fn tell_script(resource: &Resource, state: &Record, record: &Record, call: &Call) {
    let difference = resource.attributes.iter().find_map(|attribute| {
        let [now, before] = attribute.difference?(record.text(attribute.name)?, state.text(attribute.name)?)?;
        Some((attribute.name, now, before))
    });
    if let Some((attribute, now, before)) = difference {
        let title = state.text(resource.title).unwrap_or_default();
        call.report(
            Diagnostic::warning(
                format!("The {} {title:?} was changed on the gateway", resource.noun),
                format!("Its {attribute} has {now} on the gateway, and {before} in the state."),
            )
            .at(Path::root().attribute(attribute)),
        );
    }
}

/// Tells whether a device stands on this machine, by the name of its connection.
fn is_this_machine(name: &str) -> bool {
    ["127.0.0.1", "localhost", "[::1]", "::1"].iter().any(|host| name.starts_with(host))
}

pub(super) fn listener_names(rows: &Rows) -> Vec<String> {
    rows.rows.iter().map(|row| row.id.clone()).collect()
}

/// The error for a listener without a recipient access table: only public ones have one.
fn has_no_recipients(listeners: &Rows, name: &str) -> Option<Error> {
    let kind = |row: &Row| row.record.text("type").map(str::to_owned);
    let own = listeners.rows.iter().find(|row| row.id == name).and_then(kind).filter(|kind| kind != "public")?;
    let public: Vec<String> =
        listeners.rows.iter().filter(|row| kind(row).as_deref() == Some("public")).map(|row| row.id.clone()).collect();
    let public = if public.is_empty() { "none".to_owned() } else { shortened(&public, ", ") };
    Some(Error::new(
        Kind::Invalid,
        format!("{name} is {own}; only public listeners have a Recipient Access Table (public: {public})."),
    ))
}

pub(super) fn has_listener(listeners: &Rows, name: &str) -> bool {
    listeners.rows.iter().any(|row| row.id == name || row.record.text("name") == Some(name))
}

/// Tells whether an object that is not among the rows may stand in one that could not be read.
fn may_be_unread(resource: &Resource, id: &str, known: &Record, rows: &Rows) -> bool {
    rows.may_hide(names_of(resource, id, known))
}

/// The names by which a printout may show an object.
fn names_of<'a>(resource: &Resource, id: &'a str, known: &'a Record) -> impl Iterator<Item = &'a str> {
    known.text(resource.title).into_iter().chain(id.rsplit('/').next())
}

fn unclear(resource: &Resource, id: &str, rows: &Rows) -> Error {
    let words = format!(
        "It cannot be told whether the {} {id:?} is gone: a row of the gateway's printout that could not be read may be it.",
        resource.noun
    );
    let error = Error::new(Kind::Unexpected, words)
        .hint("Please report the row: `terraform-provider-mailflow doctor` prints it masked, with the gateway's release.");
    if rows.not_understood.is_empty() { error } else { error.context("rows", unread_rows(rows)) }
}

/// The rows that could not be read, as they may be shown: there may be filters among them.
fn unread_rows(rows: &Rows) -> String {
    without_values_of_filters(&shortened(&rows.not_understood, "\n"))
}

/// The warning for a printout with rows that could not be read.
fn unread(printout: &Printout, rows: &Rows) -> Diagnostic {
    let mut shown = unread_rows(rows);
    if rows.nameless > 0 {
        let between = if shown.is_empty() { "" } else { "\n" };
        shown.extend([between, &format!("({} without a name)", rows.nameless)]);
    }
    Diagnostic::warning(
        format!("The gateway printed rows that this provider cannot read: {}", printout.title()),
        format!(
            "They are left alone, and what may stand in one of them is not taken for deleted; all other rows are read and changed as always. \
             Please report them: `terraform-provider-mailflow doctor` prints them masked, with the gateway's release.\n\n{shown}"
        ),
    )
}

/// The names that are most like the one that was asked for, the likest first.
pub(super) fn near<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let wanted = wanted.to_lowercase();
    let mut names: Vec<(usize, &str)> = names.map(|name| (engine::distance(&wanted, &name.to_lowercase()), name)).collect();
    names.sort_unstable();
    names.into_iter().map(|(_, name)| name.to_owned()).collect()
}

pub(super) fn shortened(names: &[String], between: &str) -> String {
    let mut shown = names.iter().take(MOST_NAMES).cloned().collect::<Vec<_>>().join(between);
    if names.len() > MOST_NAMES {
        shown.extend([between, "and ", &(names.len() - MOST_NAMES).to_string(), " more"]);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rs4_a_row_that_cannot_be_read_is_shown_without_the_values_of_a_filter() {
        let line = "?? f: if (header(\"X-A\") == \"s3cret\") and (recv-listener == \"In\") {";
        let rows = Rows { not_understood: vec![line.to_owned()], ..Rows::default() };
        let error = unclear(&message_filter::RESOURCE, "f", &rows).diagnostic("read").detail;
        let warning = unread(&Printout::Filters, &rows).detail;
        for text in [error, warning] {
            assert!(!text.contains("s3cret") && text.contains("recv-listener"), "{text}");
        }
    }

    #[test]
    fn rg12_a_private_listener_is_said_to_have_no_recipient_access_table() {
        let row = |name: &str, kind: &str| Row {
            resource: "",
            id: name.to_owned(),
            record: Record::new().with("name", name).with("type", kind),
        };
        let listeners = Rows { rows: vec![row("IncomingMail", "public"), row("OutgoingMail", "private")], ..Rows::default() };
        assert_eq!(has_no_recipients(&listeners, "IncomingMail"), None);
        assert_eq!(has_no_recipients(&listeners, "Nowhere"), None);
        let error = has_no_recipients(&listeners, "OutgoingMail").expect("it is private");
        let words = "OutgoingMail is private; only public listeners have a Recipient Access Table (public: IncomingMail).";
        assert_eq!(error.message, words);
    }

    #[test]
    fn what_a_printout_does_not_show_is_told_once_by_its_text() {
        let rows = Rows { not_understood: vec!["2001:db8::/64".to_owned()], nameless: 1, ..Rows::default() };
        let warning = unread(&Printout::Routes, &rows);
        assert!(warning.summary.contains("SMTP routes"), "{warning:?}");
        assert!(warning.detail.ends_with("2001:db8::/64\n(1 without a name)"), "{warning:?}");
    }
}
