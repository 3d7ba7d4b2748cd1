//! What all calls to one provider share: its catalog, its newest settings, and the work that is under way.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use super::private::Private;
use super::schema::is_listed;
use crate::plugin::{Configured, Provider, panics};
use crate::remote::{Call, Objects};
use crate::schema::{Catalog, DataSource, Record, Resource};
use crate::value::Diagnostic;

/// What all calls share.
pub(crate) struct Session {
    provider: Arc<dyn Provider>,
    catalog: &'static Catalog,
    current: RwLock<Current>,
    work: TaskTracker,
}

/// The newest settings. A call that began with older ones keeps them.
#[derive(Clone, Default)]
pub(super) struct Current {
    configured: Option<Arc<dyn Configured>>,
    /// Whether every setting was known.
    pub(super) settings_known: bool,
    /// Ends waits when the user stops the run.
    pub(super) stop: CancellationToken,
}

impl Session {
    /// Starts without settings.
    pub(crate) fn new(provider: Arc<dyn Provider>) -> Arc<Session> {
        let catalog = provider.catalog();
        Arc::new(Session { provider, catalog, current: RwLock::default(), work: TaskTracker::new() })
    }

    /// The work that is under way.
    pub(crate) fn work(&self) -> &TaskTracker {
        &self.work
    }

    /// Ends the waits of all work under way. New settings make a new start.
    pub(crate) fn stop(&self) {
        self.current().stop.cancel();
    }

    /// Ends what is open at the services, if there is anything.
    pub(crate) async fn close(&self) {
        if let Some(configured) = self.current().configured {
            configured.close().await;
        }
    }

    pub(super) fn provider(&self) -> &dyn Provider {
        self.provider.as_ref()
    }

    pub(super) fn catalog(&self) -> &'static Catalog {
        self.catalog
    }

    pub(super) fn current(&self) -> Current {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes new settings; `None` if they could not be used.
    pub(super) fn configure(&self, configured: Option<Arc<dyn Configured>>, settings_known: bool) {
        let current = Current { configured, settings_known, stop: CancellationToken::new() };
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = current;
    }

    /// Finds a resource by its full name.
    pub(super) fn resource(&self, type_name: &str) -> Result<&'static Resource, Diagnostic> {
        self.catalog.resource(type_name).ok_or_else(|| nothing_called("resource", type_name))
    }

    /// Finds a resource whose objects can be listed by its full name.
    pub(super) fn listed(&self, type_name: &str) -> Result<&'static Resource, Diagnostic> {
        let resource = self.catalog.resource(type_name).filter(|resource| is_listed(resource));
        resource.ok_or_else(|| nothing_called("list resource", type_name))
    }

    /// Finds a data source by its full name.
    pub(super) fn data_source(&self, type_name: &str) -> Result<&'static DataSource, Diagnostic> {
        self.catalog.data_source(type_name).ok_or_else(|| nothing_called("data source", type_name))
    }

    /// Does the work of a call in a task of its own: it goes on when the host hangs up, and a panic is an answer. `about` is
    /// the type that the call is about, if any.
    pub(super) async fn answer<T: Send + 'static>(
        &self,
        rpc: &'static str,
        about: &str,
        work: impl Future<Output = T> + Send + 'static,
        rescue: impl FnOnce(Diagnostic) -> T,
    ) -> T {
        let span = tracing::debug_span!("call", tf_rpc = rpc, tf_resource_type = about, tf_req_id = %uuid::Uuid::new_v4());
        let task = async move {
            tracing::trace!("a call came in");
            let start = Instant::now();
            let answer = panics::catch(rpc, work).await;
            let milliseconds = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
            tracing::debug!(milliseconds, "a call was answered");
            answer
        };
        match self.work.spawn(task.instrument(span)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(diagnostic)) => rescue(diagnostic),
            Err(_) => rescue(Diagnostic::error("The provider is ending", "The operation was cut off because the host is gone.")),
        }
    }
}

impl Current {
    /// The settings, or an error that says that there are none.
    pub(super) fn configured(&self) -> Result<&dyn Configured, Diagnostic> {
        self.configured.as_deref().ok_or_else(|| {
            Diagnostic::error(
                "The provider is not configured",
                "This operation needs the settings of the provider block, and they were not given or could not be used.",
            )
        })
    }

    /// The operations over a resource's objects, or why there are none.
    pub(super) fn objects(&self, resource: &'static Resource) -> Result<Arc<dyn Objects>, Diagnostic> {
        self.configured()?.objects(resource)
    }

    /// Tells the side of a resource that the state has an object, and what is planned for it, if the side is there.
    pub(super) fn knows(&self, resource: &'static Resource, state: &Record, planned: Option<&Record>) {
        if let Ok(objects) = self.objects(resource) {
            objects.knows(resource, state, planned);
        }
    }

    /// Tells whether what else is planned matters to an object that stays as it is.
    pub(super) fn watches(&self, resource: &'static Resource) -> bool {
        self.objects(resource).is_ok_and(|objects| objects.watches(resource))
    }

    /// What comes with an operation.
    pub(super) fn call(&self, limit: Duration, private: Private) -> Call {
        Call::new(self.stop.clone(), limit).with_private(private)
    }

    /// Refuses to begin with anything when the user has stopped the run.
    pub(super) fn going_on(&self, action: &str) -> Result<(), Diagnostic> {
        if self.stop.is_cancelled() {
            return Err(Diagnostic::error(
                format!("Unable to {action}"),
                "The run was stopped before this began; nothing was changed.",
            ));
        }
        Ok(())
    }
}

/// An error for a name that is not offered.
pub(super) fn nothing_called(what: &str, name: &str) -> Diagnostic {
    Diagnostic::error(
        format!("There is no {what} {name:?}"),
        "This version of the provider does not have it: compare the name with the documentation, or use another version.",
    )
}
