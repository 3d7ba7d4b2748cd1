//! An apply as Terraform does it: refresh, plan, and changes side by side in the order of their dependencies.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream;
use mailflow::gateway::objects::Gateway;
use mailflow::gateway::resources::TABLES;
use mailflow::gateway::session::Connector;
use mailflow::gateway::settings::{CommitSettings, Level, Login, PendingChanges, Settings};
use mailflow::remote::{Call, Change, Error, Failure, Kind, Objects};
use mailflow::sandbox::gateway::Appliance;
use mailflow::schema::{Record, engine};
use mailflow::value::Diagnostic;
use secrecy::SecretString;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

use super::objects::Object;

/// What a provider's process holds.
pub(crate) fn gateway(appliance: &Appliance) -> Gateway {
    let settings = Settings {
        login: Login {
            host: "127.0.0.1".to_owned(),
            port: appliance.port(),
            username: appliance.username().to_owned(),
            password: Some(SecretString::from(appliance.password().to_owned())),
            private_key: None,
            private_key_passphrase: None,
            host_keys: vec![appliance.host_key_fingerprint().to_owned()],
            legacy_algorithms: false,
            jump_host: None,
        },
        cluster: Level::Standalone,
        commit: CommitSettings {
            comment: "campaign".to_owned(),
            quiet_period: Duration::from_millis(300),
            timeout: Duration::from_mins(1),
            rollback_snapshot: true,
        },
        pending_changes: PendingChanges::Error,
        read_only: false,
        api: None,
    };
    Gateway::new(settings.clone(), Arc::new(Connector::new(settings)), TABLES)
}

/// One object in the state.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) record: Record,
    pub(crate) private: BTreeMap<String, serde_json::Value>,
}

/// The state: it outlives the process.
pub(crate) type State = BTreeMap<&'static str, Stored>;

/// What a caller was told.
#[derive(Debug, Clone)]
pub(crate) enum Told {
    Done,
    /// The error, and whether there was an object with it.
    Failed(Error),
    /// What it needs failed.
    Skipped,
}

/// What a run has come to; it is filled as it goes, so that it says after a kill what was told before.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub(crate) state: State,
    pub(crate) told: BTreeMap<&'static str, Told>,
    /// What kept the run from changing anything.
    pub(crate) unplanned: Vec<String>,
    /// The objects as the refresh found them.
    pub(crate) refreshed: State,
    /// What the plan wants to do.
    pub(crate) planned: BTreeMap<&'static str, &'static str>,
}

pub(crate) fn call(private: &BTreeMap<String, serde_json::Value>) -> Call {
    Call::new(CancellationToken::new(), Duration::from_mins(2)).with_private(private.clone())
}

/// What is to be done about an object.
struct Step {
    action: &'static str,
    planned: Record,
    effective: Record,
}

fn step(object: &Object, wanted: Option<&Record>, stored: Option<&Stored>) -> Option<Step> {
    let Some(config) = wanted else {
        return stored.map(|stored| Step { action: "delete", planned: stored.record.clone(), effective: stored.record.clone() });
    };
    let prior = stored.map(|stored| &stored.record);
    let engine::Plan { planned, replace, diagnostics } = engine::plan(object.resource, prior, config, config);
    assert!(replace.is_empty() && diagnostics.is_empty(), "{}: {replace:?} {diagnostics:?}", object.label);
    let planned = planned.expect("a plan");
    let known = planned.iter().all(|(_, value)| value.is_wholly_known());
    if let Some(prior) = prior
        && known
        && engine::differences(object.resource, prior, &planned).is_empty()
    {
        return None;
    }
    let action = if stored.is_none() { "create" } else { "update" };
    let effective = engine::effective(object.resource, &planned, config);
    Some(Step { action, planned, effective })
}

async fn check(gateway: &Gateway, object: &Object, step: &Step, prior: Option<&Record>) -> Result<(), Error> {
    if step.action == "delete" {
        return Ok(());
    }
    let call = call(&BTreeMap::new());
    let change =
        Change { resource: object.resource, prior, planned: &step.planned, effective: &step.effective, config: &step.planned };
    gateway.check(change, &call).await?;
    if let Some(report) = call.take_reports().into_iter().find(Diagnostic::is_error) {
        return Err(Error::new(Kind::Invalid, report.detail));
    }
    gateway.announce(object.resource, &step.planned);
    Ok(())
}

/// Does something for all objects, some at a time.
async fn for_all<'o, F: Future<Output = ()> + 'o>(objects: &'o [Object], at_once: usize, work: impl FnMut(&'o Object) -> F) {
    stream::iter(objects.iter().map(work)).buffer_unordered(at_once).collect::<Vec<()>>().await;
}

type Shared = Arc<Mutex<Progress>>;

fn with<T>(shared: &Shared, work: impl FnOnce(&mut Progress) -> T) -> T {
    work(&mut shared.lock().expect("no panic while it is held"))
}

/// Reads what is in the state and says what there is to do. Nothing is planned if something cannot be read.
pub(crate) async fn plan(gateway: &Gateway, objects: &[Object], after: bool, at_once: usize, shared: &Shared) {
    for_all(objects, at_once, async |object| {
        let Some(stored) = with(shared, |progress| progress.state.get(object.label).cloned()) else { return };
        let read = gateway.read(object.resource, &stored.record, &call(&stored.private)).await;
        with(shared, |progress| match read {
            Ok(Some(remote)) => {
                let record = engine::settle(object.resource, &stored.record, &remote);
                progress.refreshed.insert(object.label, Stored { record, ..stored });
            }
            Ok(None) => {}
            Err(error) => progress.unplanned.push(format!("{}: {error}", object.label)),
        });
    })
    .await;
    if with(shared, |progress| !progress.unplanned.is_empty()) {
        return;
    }
    let refreshed = with(shared, |progress| {
        progress.state = progress.refreshed.clone();
        progress.refreshed.clone()
    });
    for_all(objects, at_once, async |object| {
        let stored = refreshed.get(object.label);
        let wanted = if after { object.after.as_ref() } else { object.before.as_ref() };
        let Some(step) = step(object, wanted, stored) else { return };
        let checked = check(gateway, object, &step, stored.map(|stored| &stored.record)).await;
        with(shared, |progress| match checked {
            Ok(()) => {
                progress.planned.insert(object.label, step.action);
            }
            Err(error) => progress.unplanned.push(format!("{}: {error}", object.label)),
        });
    })
    .await;
}

/// Applies: plans in one process and changes in another.
pub(crate) async fn apply(appliance: &Appliance, objects: &[Object], after: bool, at_once: usize, shared: &Shared) {
    let first = gateway(appliance);
    plan(&first, objects, after, at_once, shared).await;
    first.close().await;
    if with(shared, |progress| !progress.unplanned.is_empty() || progress.planned.is_empty()) {
        return;
    }
    let second = gateway(appliance);
    let permits = Semaphore::new(at_once);
    let ends: BTreeMap<&str, (watch::Sender<bool>, watch::Receiver<bool>)> =
        objects.iter().map(|object| (object.label, watch::channel(false))).collect();
    for_all(objects, objects.len(), async |object| {
        let needs = if after { object.needs } else { &[] };
        for need in needs {
            let mut end = ends[need].1.clone();
            end.wait_for(|ended| *ended).await.expect("the sender lives");
        }
        let permit = permits.acquire().await.expect("it is never closed");
        let failed = with(shared, |progress| {
            needs.iter().any(|need| matches!(progress.told.get(need), Some(Told::Failed(_) | Told::Skipped)))
        });
        if failed {
            with(shared, |progress| progress.told.insert(object.label, Told::Skipped));
        } else if with(shared, |progress| progress.planned.contains_key(object.label)) {
            change(&second, object, after, shared).await;
        }
        drop(permit);
        let _ = ends[object.label].0.send(true);
    })
    .await;
    second.close().await;
}

async fn change(gateway: &Gateway, object: &Object, after: bool, shared: &Shared) {
    let stored = with(shared, |progress| progress.state.get(object.label).cloned());
    let wanted = if after { object.after.as_ref() } else { object.before.as_ref() };
    let Some(step) = step(object, wanted, stored.as_ref()) else { return };
    let prior = stored.as_ref().map(|stored| &stored.record);
    let told = match check(gateway, object, &step, prior).await {
        Err(error) => Told::Failed(error),
        Ok(()) if step.action == "delete" => {
            let old = stored.as_ref().expect("it is in the state");
            match gateway.delete(object.resource, &old.record, &call(&old.private)).await {
                Ok(()) => {
                    with(shared, |progress| progress.state.remove(object.label));
                    Told::Done
                }
                Err(error) => Told::Failed(error),
            }
        }
        Ok(()) => {
            let call = call(&stored.as_ref().map(|stored| stored.private.clone()).unwrap_or_default());
            let change = Change {
                resource: object.resource,
                prior,
                planned: &step.planned,
                effective: &step.effective,
                config: &step.planned,
            };
            let written = match prior {
                None => gateway.create(change, &call).await,
                Some(_) => gateway.update(change, &call).await,
            };
            let save = |remote: &Record| {
                let settled = engine::settle(object.resource, &step.planned, remote);
                let settled = match (prior, wanted) {
                    (Some(_), Some(config)) => engine::carried(object.resource, &step.planned, config, settled),
                    _ => settled,
                };
                let (record, unplanned) = engine::guard(object.resource, &step.planned, settled);
                let stored = Stored { record, private: call.all_private() };
                with(shared, |progress| progress.state.insert(object.label, stored));
                unplanned
            };
            match written {
                Ok(remote) => {
                    let unplanned = save(&remote);
                    assert!(unplanned.is_empty(), "{}: {unplanned:?}", object.label);
                    Told::Done
                }
                Err(Failure { error, object: Some(remote) }) => {
                    save(&remote);
                    Told::Failed(error)
                }
                Err(Failure { error, object: None }) => Told::Failed(error),
            }
        }
    };
    with(shared, |progress| progress.told.insert(object.label, told));
}

/// Imports what stands and is in nobody's state, as the message about a name that is taken says.
pub(crate) async fn import(
    appliance: &Appliance,
    objects: &[Object],
    labels: &[&'static str],
    shared: &Shared,
) -> Result<(), Error> {
    let gateway = gateway(appliance);
    for object in objects.iter().filter(|object| labels.contains(&object.label)) {
        let config = object.after.as_ref().expect("it is wished for");
        let id = mailflow::gateway::resources::id(object.resource, config).expect("a key");
        let nothing = BTreeMap::new();
        let found = gateway.find(object.resource, &id, &call(&nothing)).await?;
        let read = gateway.read(object.resource, &found, &call(&nothing)).await?;
        let read = read.ok_or_else(|| Error::new(Kind::NotFound, "It was found and cannot be read."))?;
        let record = engine::settle(object.resource, &found, &read);
        with(shared, |progress| progress.state.insert(object.label, Stored { record, private: nothing }));
    }
    gateway.close().await;
    Ok(())
}
