//! When the process ends: the host asks for it, or the host is gone.
//!
//! A host that is asked to end by its user calls `Shutdown`, closes the connection and waits for two seconds. A host that
//! is killed says nothing; then the process has a new parent, and the connections are closed.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::transport::Open;

/// Why the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The host called `Shutdown`.
    Asked,
    /// The host closed its connections, or never came, and is not coming back.
    Deserted,
    /// The process has another parent than at its start.
    Orphaned,
}

/// How long to wait, and for what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// After `Shutdown`, for the host to close the connection and for writes in flight.
    pub(super) closing: Duration,
    /// After the last connection closed, for another one; after the host died, for writes in flight.
    pub(super) absence: Duration,
    /// After the start, for the first connection. Hosts give up after a minute.
    pub(super) arrival: Duration,
    /// Between two looks at the parent process.
    pub(super) look: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            closing: Duration::from_millis(200),
            absence: Duration::from_secs(5),
            arrival: Duration::from_secs(75),
            look: Duration::from_millis(250),
        }
    }
}

/// What is watched.
pub(super) struct Watch<P, S> {
    /// Cancelled by `Shutdown`.
    pub(super) shutdown: CancellationToken,
    /// The connections that stand.
    pub(super) open: watch::Receiver<Open>,
    /// The calls that are being worked on.
    pub(super) work: TaskTracker,
    /// The parent process at the start, where there is such a thing.
    pub(super) born_to: Option<u32>,
    /// The parent process now.
    pub(super) parent: P,
    /// Ends the waits of what is being worked on.
    pub(super) stop: S,
}

impl<P: Fn() -> Option<u32>, S: FnOnce()> Watch<P, S> {
    /// Waits for the end, and lets what is under way come to its own.
    pub(super) async fn end(self, patience: Patience) -> End {
        let end = tokio::select! {
            () = self.shutdown.cancelled() => End::Asked,
            () = orphaned(self.born_to, self.parent, patience) => End::Orphaned,
            () = deserted(self.open.clone(), patience) => End::Deserted,
        };
        (self.stop)();
        match end {
            End::Asked => {
                let mut open = self.open;
                self.work.close();
                // The time limit is the answer when the host keeps the connection open, or a write takes longer.
                let _ = timeout(patience.closing, async {
                    let _ = open.wait_for(|open| open.now == 0).await;
                    self.work.wait().await;
                })
                .await;
            }
            End::Orphaned => {
                // Nobody stores the result any more, but a write that is cut off leaves half an object at the service.
                self.work.close();
                let _ = timeout(patience.absence, self.work.wait()).await;
            }
            // The same time has passed already.
            End::Deserted => {}
        }
        end
    }
}

async fn orphaned(born_to: Option<u32>, parent: impl Fn() -> Option<u32>, patience: Patience) {
    if born_to.is_none() {
        return std::future::pending().await;
    }
    while parent() == born_to {
        sleep(patience.look).await;
    }
}

async fn deserted(mut open: watch::Receiver<Open>, patience: Patience) {
    loop {
        let absent = *open.borrow_and_update();
        if absent.now > 0 {
            if open.wait_for(|open| open.now == 0).await.is_err() {
                return;
            }
            continue;
        }
        let limit = if absent.ever { patience.absence } else { patience.arrival };
        match timeout(limit, open.wait_for(|open| open.now > 0)).await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) | Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::time::Instant;

    use super::super::transport::Count;
    use super::*;

    struct Scene {
        shutdown: CancellationToken,
        count: Count,
        work: TaskTracker,
        parent: Arc<AtomicU32>,
        stopped: CancellationToken,
    }

    impl Scene {
        fn new() -> Scene {
            Scene {
                shutdown: CancellationToken::new(),
                count: Count::default(),
                work: TaskTracker::new(),
                parent: Arc::new(AtomicU32::new(7)),
                stopped: CancellationToken::new(),
            }
        }

        fn watch(&self) -> impl Future<Output = (End, Duration)> + use<> {
            let (parent, stopped) = (self.parent.clone(), self.stopped.clone());
            let watch = Watch {
                shutdown: self.shutdown.clone(),
                open: self.count.watch(),
                work: self.work.clone(),
                born_to: Some(7),
                parent: move || Some(parent.load(Ordering::Relaxed)),
                stop: move || stopped.cancel(),
            };
            let start = Instant::now();
            async move { (watch.end(Patience::default()).await, start.elapsed()) }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn shutdown_ends_it_as_soon_as_the_host_closes_the_connection() {
        let scene = Scene::new();
        let connection = scene.count.one_more();
        let end = tokio::spawn(scene.watch());
        scene.shutdown.cancel();
        sleep(Duration::from_millis(3)).await;
        drop(connection);
        let (end, after) = end.await.unwrap();
        assert_eq!(end, End::Asked);
        assert!(after < Duration::from_millis(10), "{after:?}");
        assert!(scene.stopped.is_cancelled());
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_in_flight_at_shutdown_has_what_is_left_of_200_ms() {
        for (needed, taken) in [(50, 50), (5000, 200)] {
            let scene = Scene::new();
            scene.work.spawn(sleep(Duration::from_millis(needed)));
            scene.shutdown.cancel();
            let (end, after) = scene.watch().await;
            assert_eq!((end, after.as_millis()), (End::Asked, taken));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn shutdown_ends_it_after_200_ms_if_the_host_keeps_the_connection() {
        let scene = Scene::new();
        let _connection = scene.count.one_more();
        scene.shutdown.cancel();
        let (end, after) = scene.watch().await;
        assert_eq!(end, End::Asked);
        assert!(after >= Duration::from_millis(200) && after < Duration::from_millis(250), "{after:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_closes_without_shutdown_is_missed_for_5_s() {
        let scene = Scene::new();
        let end = tokio::spawn(scene.watch());
        let connection = scene.count.one_more();
        sleep(Duration::from_secs(100)).await;
        drop(connection);
        sleep(Duration::from_secs(4)).await;
        let again = scene.count.one_more();
        sleep(Duration::from_secs(100)).await;
        assert!(!end.is_finished());
        drop(again);
        let (end, after) = end.await.unwrap();
        assert_eq!((end, after.as_secs()), (End::Deserted, 209));
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_that_never_comes_is_not_waited_for_for_ever() {
        let (end, after) = Scene::new().watch().await;
        assert_eq!((end, after), (End::Deserted, Patience::default().arrival));
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_parent_ends_it_and_a_write_in_flight_has_5_s() {
        let scene = Scene::new();
        let _connection = scene.count.one_more();
        let end = tokio::spawn(scene.watch());
        scene.work.spawn(sleep(Duration::from_secs(2)));
        scene.parent.store(1, Ordering::Relaxed);
        let (end, after) = end.await.unwrap();
        assert_eq!((end, after.as_secs()), (End::Orphaned, 2));

        let scene = Scene::new();
        let end = tokio::spawn(scene.watch());
        scene.work.spawn(std::future::pending::<()>());
        scene.parent.store(1, Ordering::Relaxed);
        let (end, after) = end.await.unwrap();
        assert_eq!((end, after.as_secs()), (End::Orphaned, 5));
        assert!(scene.stopped.is_cancelled());
    }
}
