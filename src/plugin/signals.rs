//! The signals that ask the process to end.
//!
//! A terminal sends its interrupt to the host and to the plugin alike, so a plugin ignores it: only the host's `StopProvider` counts. SIGTERM is
//! sent to whole process groups, too (by a supervisor, by CI), and would end the plugin in the middle of a write; it is counted instead, and
//! `lifetime` decides.

use std::io;

use tokio::sync::watch;

/// How often the process was asked to end so far.
pub(super) type Requests = watch::Receiver<u32>;

/// Listens as a plugin that a host started: an interrupt is ignored.
pub(super) fn for_a_host() -> io::Result<Requests> {
    listen(false)
}

/// Listens as a program that a person started: an interrupt counts, too.
pub(super) fn for_a_person() -> io::Result<Requests> {
    listen(true)
}

/// Waits until the process was asked to end so many times; for ever if it is not.
pub(super) async fn asked(requests: &mut Requests, times: u32) {
    if requests.wait_for(|asked| *asked >= times).await.is_err() {
        // Nobody listens for signals any more, so none comes.
        std::future::pending::<()>().await;
    }
}

fn listen(interrupts_count: bool) -> io::Result<Requests> {
    let (count, requests) = watch::channel(0);
    #[cfg(unix)]
    let mut interrupts = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
    #[cfg(windows)]
    let mut interrupts = tokio::signal::windows::ctrl_c()?;
    #[cfg(unix)]
    let mut terminations = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::spawn(async move {
        loop {
            #[cfg(unix)]
            let counts = tokio::select! {
                interrupt = interrupts.recv() => interrupt.map(|()| interrupts_count),
                termination = terminations.recv() => termination.map(|()| true),
            };
            #[cfg(windows)]
            let counts = interrupts.recv().await.map(|()| interrupts_count);
            match counts {
                Some(true) => count.send_modify(|asked| *asked += 1),
                Some(false) => {}
                None => return,
            }
        }
    });
    Ok(requests)
}
