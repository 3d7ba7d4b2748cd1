//! When the process ends: the host asks for it, the host is gone, or somebody asks the process itself (SIGTERM).
//!
//! A host that is asked to end by its user calls `Shutdown`, closes the connection and waits for two seconds. A host that
//! is killed says nothing; then the process has a new parent, and the connections are closed. SIGTERM reaches a whole process group as a rule:
//! the host then waits for the write in flight, to save what it made, and so does the process.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::signals::{self, Requests};
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
    /// The process itself was asked to end (SIGTERM).
    Terminated,
}

/// How long to wait, and for what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// After `Shutdown`, for the host to close the connection and for writes in flight.
    pub(super) closing: Duration,
    /// After the last connection closed, for another one; after the host died, for writes in flight; after SIGTERM and the last write, for
    /// the host to take its answer and close the connection.
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
    /// How often the process itself was asked to end.
    pub(super) requests: Requests,
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
        let Watch { shutdown, mut requests, open, work, born_to, parent, stop } = self;
        let watched = open.clone();
        let by_the_host = async move {
            tokio::select! {
                () = shutdown.cancelled() => End::Asked,
                () = orphaned(born_to, parent, patience) => End::Orphaned,
                () = deserted(watched, patience) => End::Deserted,
            }
        };
        tokio::pin!(by_the_host);
        let mut end = tokio::select! {
            end = &mut by_the_host => end,
            () = signals::asked(&mut requests, 1) => End::Terminated,
        };
        stop();
        work.close();
        if end == End::Terminated {
            // A write takes as long as it takes, as long as there is a host that saves what it made, and nobody insists.
            tokio::select! {
                () = finished(&work, open.clone(), patience) => return end,
                () = signals::asked(&mut requests, 2) => return end,
                by_the_host = &mut by_the_host => end = by_the_host,
            }
        }
        match end {
            End::Asked => {
                let mut open = open;
                // The time limit is the answer when the host keeps the connection open, or a write takes longer.
                let _ = timeout(patience.closing, async {
                    let _ = open.wait_for(|open| open.now == 0).await;
                    work.wait().await;
                })
                .await;
            }
            End::Orphaned => {
                // Nobody stores the result any more, but a write that is cut off leaves half an object at the service.
                let _ = timeout(patience.absence, work.wait()).await;
            }
            // The same time has passed already.
            End::Deserted | End::Terminated => {}
        }
        end
    }
}

/// Waits for the work under way, and then for the host to take the answers. An idle process has nothing to wait for.
async fn finished(work: &TaskTracker, mut open: watch::Receiver<Open>, patience: Patience) {
    if work.is_empty() {
        return;
    }
    work.wait().await;
    // A host that keeps the connection open has had its answer all the same.
    let _ = timeout(patience.absence, open.wait_for(|open| open.now == 0)).await;
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
        requests: watch::Sender<u32>,
        count: Count,
        work: TaskTracker,
        parent: Arc<AtomicU32>,
        stopped: CancellationToken,
    }

    impl Scene {
        fn new() -> Scene {
            Scene {
                shutdown: CancellationToken::new(),
                requests: watch::Sender::new(0),
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
                requests: self.requests.subscribe(),
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

    #[tokio::test(start_paused = true)]
    async fn rt4_sigterm_lets_a_write_take_its_time_and_the_host_its_answer() {
        let scene = Scene::new();
        let connection = scene.count.one_more();
        let end = tokio::spawn(scene.watch());
        scene.work.spawn(sleep(Duration::from_secs(90)));
        scene.requests.send_modify(|asked| *asked += 1);
        sleep(Duration::from_secs(92)).await;
        assert!(scene.stopped.is_cancelled() && !end.is_finished(), "the host has not closed the connection yet");
        drop(connection);
        let (end, after) = end.await.unwrap();
        assert_eq!((end, after.as_secs()), (End::Terminated, 92));
    }

    #[tokio::test(start_paused = true)]
    async fn rt4_sigterm_ends_an_idle_process_at_once() {
        let scene = Scene::new();
        let _connection = scene.count.one_more();
        scene.requests.send_modify(|asked| *asked += 1);
        assert_eq!(scene.watch().await, (End::Terminated, Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn rt4_a_second_sigterm_ends_it_at_once() {
        let scene = Scene::new();
        let _connection = scene.count.one_more();
        let end = tokio::spawn(scene.watch());
        scene.work.spawn(std::future::pending::<()>());
        scene.requests.send_modify(|asked| *asked += 1);
        sleep(Duration::from_secs(3)).await;
        assert!(!end.is_finished());
        scene.requests.send_modify(|asked| *asked += 1);
        let (end, after) = end.await.unwrap();
        assert_eq!((end, after.as_secs()), (End::Terminated, 3));
    }

    #[tokio::test(start_paused = true)]
    async fn rt4_after_sigterm_a_host_that_dies_or_calls_shutdown_is_noticed_all_the_same() {
        for (dies, wanted) in [(true, (End::Orphaned, 6)), (false, (End::Asked, 1))] {
            let scene = Scene::new();
            let _connection = scene.count.one_more();
            let end = tokio::spawn(scene.watch());
            scene.work.spawn(std::future::pending::<()>());
            scene.requests.send_modify(|asked| *asked += 1);
            sleep(Duration::from_secs(1)).await;
            if dies {
                scene.parent.store(1, Ordering::Relaxed);
            } else {
                scene.shutdown.cancel();
            }
            let (end, after) = end.await.unwrap();
            assert_eq!((end, after.as_secs()), wanted);
        }
    }
}
