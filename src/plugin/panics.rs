//! Handlers that panic.
//!
//! A panic that unwinds through the server would show the user no more than "Request cancelled", and lose the object's state.
//! Here it becomes a diagnostic that says where it happened. The panic's own message is not shown or logged: it may quote the
//! text that was being worked on.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, PanicHookInfo};

use futures::FutureExt as _;

use crate::value::Diagnostic;

thread_local! {
    /// Where the last panic of this thread happened.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Silences the usual message on standard error, which the host would take for plain text, and remembers the place instead.
pub(super) fn watch() {
    std::panic::set_hook(Box::new(|info: &PanicHookInfo<'_>| {
        let place = info.location().map(ToString::to_string);
        tracing::error!(place, "a handler failed");
        // The thread may be going down, and its storage with it.
        let _ = PLACE.try_with(|last| {
            if let Ok(mut last) = last.try_borrow_mut() {
                *last = place;
            }
        });
    }));
}

/// Does the work, and turns a panic into a diagnostic.
pub(super) async fn catch<T>(rpc: &str, work: impl Future<Output = T>) -> Result<T, Diagnostic> {
    if let Ok(answer) = AssertUnwindSafe(work).catch_unwind().await {
        return Ok(answer);
    }
    // The poll that panicked ran on this thread, just now.
    let place = PLACE.with(|last| last.borrow_mut().take());
    let place = place.map(|place| format!(" at {place}")).unwrap_or_default();
    Err(Diagnostic::error(
        "The provider failed",
        format!(
            "{rpc} stopped{place}. This is a fault of the provider, please report it with this text. Other operations go on. If \
             an object was being changed, it may be changed at the service and not in the state: compare the two before \
             applying again."
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_a_diagnostic_without_the_panics_own_words() {
        let failed = catch("ReadResource", async { panic!("the value is hunter2") }).await;
        let diagnostic = failed.map(|(): ()| ()).unwrap_err();
        assert!(diagnostic.is_error());
        assert!(diagnostic.detail.contains("ReadResource"), "{}", diagnostic.detail);
        assert!(!diagnostic.detail.contains("hunter2"), "{}", diagnostic.detail);
    }

    #[tokio::test]
    async fn work_that_does_not_panic_is_answered() {
        assert_eq!(catch("x", async { 7 }).await, Ok(7));
    }
}
