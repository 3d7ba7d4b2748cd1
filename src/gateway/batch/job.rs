//! What callers hand to the writer, and who may still take it back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Answer, Wish};
use crate::gateway::device::Report;
use crate::gateway::dialog::Dialog;
use crate::gateway::table::{Printout, Row, Rows};
use crate::remote::{Call, Error, Failure, Kind};
use crate::value::Diagnostic;

/// What a caller says to the writer.
pub(super) enum Message {
    /// A change to make.
    Change(Job),
    /// A printout to read.
    Read(ReadRequest),
    /// A dialog that stages nothing, whose report is wanted.
    Ask(AskRequest),
    /// Open the session, if it is not open.
    Open(OpenRequest),
    /// Somebody does not want to wait any longer: look again.
    Nudge,
    /// End the session when there is nothing else to do.
    Close(oneshot::Sender<()>),
}

/// A printout that a caller waits for.
pub(super) struct ReadRequest {
    pub(super) printout: Printout,
    pub(super) ticket: Arc<Ticket>,
    pub(super) reply: oneshot::Sender<Result<Arc<Rows>, Error>>,
}

/// A report that a caller waits for.
pub(super) struct AskRequest {
    pub(super) dialog: Dialog,
    pub(super) ticket: Arc<Ticket>,
    pub(super) reply: oneshot::Sender<Result<Report, Error>>,
}

/// A session that a caller waits for.
pub(super) struct OpenRequest {
    pub(super) ticket: Arc<Ticket>,
    pub(super) reply: oneshot::Sender<Result<(), Error>>,
}

/// A change that a caller waits for.
pub(super) struct Job {
    pub(super) wish: Wish,
    pub(super) ticket: Arc<Ticket>,
    /// The object as it stood when the change was staged first; later stagings must find it the same.
    pub(super) base: Base,
    /// Whether a commit with this change in it ended without an answer.
    pub(super) unsure: bool,
    /// How often it was put off for others of its batch, once the batch took no more.
    pub(super) put_off: usize,
    reply: oneshot::Sender<Answer>,
}

/// An object as it stood before a change.
#[derive(Debug, Clone, Default)]
pub(super) enum Base {
    /// Nobody looked yet.
    #[default]
    Unread,
    /// It was not there.
    Absent,
    /// It was there.
    Row(Row),
}

/// Who has a request in hand: it can be taken back until the writer takes it, and again when the writer gives it up.
#[derive(Debug)]
pub(super) struct Ticket {
    stop: CancellationToken,
    deadline: Instant,
    state: AtomicU8,
}

const WAITING: u8 = 0;
const TAKEN: u8 = 1;
const WITHDRAWN: u8 = 2;

impl Ticket {
    /// Makes the ticket of a call.
    pub(super) fn new(call: &Call) -> Arc<Ticket> {
        Arc::new(Ticket { stop: call.stop.clone(), deadline: call.deadline, state: AtomicU8::new(WAITING) })
    }

    /// The caller takes the request back. False if the writer has it in hand.
    pub(super) fn withdraw(&self) -> bool {
        self.turn(WAITING, WITHDRAWN)
    }

    /// The writer takes the request in hand. False if the caller took it back.
    pub(super) fn take(&self) -> bool {
        self.turn(WAITING, TAKEN)
    }

    /// The writer gives the request up for now: nothing of it is on the device.
    pub(super) fn release(&self) {
        self.turn(TAKEN, WAITING);
    }

    /// Whether the run was stopped.
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Why the caller does not want to wait any longer, if so.
    pub(super) fn given_up(&self) -> Option<Error> {
        if self.is_stopped() {
            Some(stopped())
        } else if Instant::now() >= self.deadline {
            Some(out_of_time())
        } else {
            None
        }
    }

    /// Whether somebody still waits for the request to be taken in hand.
    pub(super) fn is_wanted(&self) -> bool {
        self.state.load(Ordering::Acquire) != WITHDRAWN && self.given_up().is_none()
    }

    fn turn(&self, from: u8, to: u8) -> bool {
        self.state.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

impl Job {
    /// Makes a job that was not staged yet.
    pub(super) fn new(wish: Wish, ticket: Arc<Ticket>, reply: oneshot::Sender<Answer>) -> Job {
        Job { wish, ticket, base: Base::Unread, unsure: false, put_off: 0, reply }
    }

    /// Whether the caller is gone, so that nobody would learn of the change.
    pub(super) fn is_orphan(&self) -> bool {
        self.reply.is_closed()
    }

    /// Whether somebody still waits for the change to be taken in hand.
    pub(super) fn is_wanted(&self) -> bool {
        self.ticket.is_wanted() && !self.is_orphan()
    }

    /// Says that the change is live.
    pub(super) fn succeed(self, row: Option<Row>, notices: Vec<Diagnostic>) {
        self.answer(Ok(row), notices);
    }

    /// Says that nothing of the change is on the device.
    pub(super) fn fail(self, error: Error) {
        self.answer(Err(error.into()), Vec::new());
    }

    /// Says what went wrong, and what stands on the device as far as is known.
    pub(super) fn fail_with(self, failure: Failure) {
        self.answer(Err(failure), Vec::new());
    }

    fn answer(self, result: Result<Option<Row>, Failure>, notices: Vec<Diagnostic>) {
        let before = match self.base {
            Base::Row(row) => Some(row),
            Base::Absent | Base::Unread => None,
        };
        // A caller that is gone needs no answer.
        let _ = self.reply.send(Answer { result, before, notices });
    }
}

/// The error of a caller whose change was not staged when the run was stopped.
pub(super) fn stopped() -> Error {
    Error::new(Kind::Stopped, "The run was stopped before this was sent to the gateway.")
}

/// The error of a caller whose time ran out before its turn came.
pub(super) fn out_of_time() -> Error {
    Error::new(Kind::Unavailable, "The time limit was reached before the gateway got to this.")
        .hint("Raise the time limit in timeouts, or run again: nothing of this change is on the gateway.")
}
