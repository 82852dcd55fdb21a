//! One call from the caller's side, untyped: not sent yet, waiting, or over.

mod cancel;
mod reply;
mod sending;
mod spare;

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use bytes::Bytes;
use tokio::time::Sleep;

pub(crate) use self::reply::{CallFailure, RawDownload, RawReply};
use crate::{
    connection::{Connection, RawSender},
    id::{CallId, FunctionId},
    proto::TraceContext,
    wire::{Few, Payload, Status},
};

/// Starts to write one upload once its call is open.
type Upload = Box<dyn FnOnce(RawSender) + Send>;

/// A call that is made by polling it, and given up by retiring it before its end.
///
/// It is always in a box: so nothing is moved while it is put together, handed to the caller, and polled, and its memory
/// serves the thread's next call.
///
/// One cache line: of thousands of calls in flight each is out of the cache when it is polled.
#[repr(align(64))]
pub struct RawCall {
    /// None only in memory that waits for the next call.
    connection: Option<Connection>,
    state: State,
    function: FunctionId,
    /// The arguments, as long as they are that few.
    few: Few,
    /// The arguments, if they are not `few`. Of a short call the thread's next one has the memory once it is sent.
    #[expect(clippy::box_collection, reason = "handed on in one word")]
    arguments: Option<Box<Vec<u8>>>,
    /// What few calls have.
    special: Option<Box<Special>>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Unsent {
        /// It gets no reply.
        one_way: bool,
    },
    /// The call is on its way: its id, and the slot in which its reply will be found.
    Sent {
        call: CallId,
        slot: u32,
        /// The task looks for the reply itself when it is polled again.
        spins: bool,
    },
    /// A one-way message is queued: it is over when so many bytes of the connection are written.
    Writing {
        until: u64,
        /// It has the place of this number among those whose message is being written.
        waits: bool,
    },
    Over,
    /// The same for a call that has nothing special, and neither has its reply.
    PlainOver,
}

/// What few calls have.
#[derive(Default)]
struct Special {
    trace: Option<TraceContext>,
    /// What follows the arguments, and is not copied.
    bulk: Bytes,
    uploads: Vec<Upload>,
    /// The place among those who wait until the peer takes further calls.
    vacancy: Option<u64>,
    limit: Option<Limit>,
    /// Why there will be no reply.
    failure: Option<CallFailure>,
}

/// How long a call may take.
struct Limit {
    deadline: Duration,
    /// There once the call is sent.
    timer: Option<Pin<Box<Sleep>>>,
}

impl RawCall {
    /// A call without arguments.
    #[inline]
    pub(crate) fn new(connection: &Connection, function: FunctionId) -> Box<Self> {
        let mut call = spare::take();
        call.connection = Some(connection.clone());
        call.function = function;
        call
    }

    /// The same with these arguments, if there is memory for it.
    #[inline(always)]
    pub(crate) fn with_few(connection: &Connection, function: FunctionId, few: Few) -> Option<Box<Self>> {
        let mut call = spare::take_last()?;
        debug_assert!(
            call.connection.is_none()
                && call.special.is_none()
                && call.arguments.as_ref().is_none_or(|arguments| arguments.is_empty())
        );
        // There is none before, which would have to be dropped.
        std::mem::forget(call.connection.replace(connection.clone()));
        (call.function, call.few) = (function, few);
        Some(call)
    }

    /// It gets no reply, and is over as soon as it is sent.
    pub(crate) fn set_one_way(&mut self) {
        if let State::Unsent { one_way } = &mut self.state {
            *one_way = true;
        }
    }

    /// How long the arguments may become.
    #[inline]
    pub(crate) fn message_limit(&self) -> usize {
        self.connection.as_ref().map_or(0, |connection| connection.shared().message_limit())
    }

    /// Where the arguments go, or what follows those that are there.
    #[inline]
    pub(crate) fn arguments(&mut self) -> &mut Vec<u8> {
        let arguments = self.arguments.get_or_insert_with(spare::arguments);
        if self.few.is_there() {
            let few = std::mem::replace(&mut self.few, Few::NONE);
            arguments.extend_from_slice(few.bytes().get(..few.len()).unwrap_or_default());
        }
        arguments
    }

    /// What follows the arguments so far, and is not copied.
    pub(crate) fn set_bulk(&mut self, bulk: Bytes) {
        self.special().bulk = bulk;
    }

    /// Adds a stream. The macro refuses more of them than a byte can count.
    pub(crate) fn add_upload(&mut self, upload: Upload) {
        self.special().uploads.push(upload);
    }

    /// Makes the call part of a trace. Without effect once the call is sent.
    pub(crate) fn set_trace(&mut self, trace: TraceContext) {
        self.special().trace = Some(trace);
    }

    /// Ends the call if it takes longer than this, or than what was set before, and tells the worker so.
    pub(crate) fn set_deadline(&mut self, deadline: Duration) {
        let limit = &mut self.special().limit;
        let deadline = limit.as_ref().map_or(deadline, |earlier| earlier.deadline.min(deadline));
        *limit = Some(Limit { deadline, timer: None });
    }

    /// How long the call may take.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        Some(self.special.as_ref()?.limit.as_ref()?.deadline)
    }

    /// The call cannot be made. The first reason counts.
    #[cold]
    pub(crate) fn refuse(&mut self, failure: CallFailure) {
        if !self.is_refused() {
            self.fail(failure);
        }
    }

    /// Whether it is known already that the call cannot be made.
    #[inline]
    pub(crate) fn is_refused(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// Sends the call now, if the worker takes it.
    #[inline]
    pub(crate) fn start(&mut self) {
        if !self.send_short(None) {
            self.start_any();
        }
    }

    /// The same for any call.
    #[inline(never)]
    fn start_any(&mut self) {
        if let State::Unsent { one_way } = self.state {
            // Otherwise the worker has more calls than it takes at once: it is sent when it is polled.
            if self.send_any(one_way, None).is_ready() && self.special.is_some() && !matches!(self.state, State::Over)
            {
                self.start_timer();
            }
        }
    }

    /// Sends the call if need be and waits for its end, which is written to `reply`: that must be new.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, reply: &mut RawReply) -> Poll<()> {
        // A chain of replies that are there already must let the runtime's other tasks have their turn.
        let counts = self.connection.as_ref().is_some_and(|connection| connection.shared().counts());
        if !counts && let Some(polled) = self.poll_plain(cx, reply) {
            return polled;
        }
        self.poll_any(cx, reply, counts)
    }

    /// The same for any call.
    #[inline(never)]
    fn poll_any(&mut self, cx: &mut Context<'_>, reply: &mut RawReply, counts: bool) -> Poll<()> {
        if counts {
            ready!(reply::count(cx));
        }
        let polled = match self.state {
            State::Sent { .. } => self.poll_reply(cx, reply),
            State::Unsent { one_way } => self.poll_send(one_way, cx),
            State::Writing { .. } => self.poll_written(Some(cx)),
            State::Over | State::PlainOver => {
                // Either it was refused, or it has ended and was told so.
                if self.special.as_ref().is_none_or(|special| special.failure.is_none()) {
                    reply.fail(CallFailure::Over);
                }
                Poll::Ready(())
            }
        };
        if polled.is_ready() {
            self.state = State::Over;
        }
        if self.special.is_some() {
            return self.poll_special(cx, reply, polled.is_ready());
        }
        polled
    }

    /// The same for a call that may have a deadline, or a reason to fail, once it was polled.
    fn poll_special(&mut self, cx: &mut Context<'_>, reply: &mut RawReply, ready: bool) -> Poll<()> {
        let deadline = self.deadline();
        if ready {
            if let Some(failure) = self.special.as_mut().and_then(|special| special.failure.take()) {
                reply.fail(failure);
            }
            // The worker's word has no figure.
            if let (Status::Deadline, None, Some(deadline)) = (reply.status, &reply.failure, deadline) {
                reply.fail(CallFailure::DeadlineExceeded(deadline));
            }
            return Poll::Ready(());
        }
        self.start_timer();
        let limit = self.special.as_mut().and_then(|special| special.limit.as_mut());
        let timer = limit.and_then(|limit| limit.timer.as_mut());
        if let Some(deadline) = deadline
            && timer.is_some_and(|timer| timer.as_mut().poll(cx).is_ready())
        {
            self.give_up();
            reply.fail(CallFailure::DeadlineExceeded(deadline));
            return Poll::Ready(());
        }
        Poll::Pending
    }

    /// Counts from now on.
    fn start_timer(&mut self) {
        if let (Some(connection), Some(special)) = (&self.connection, &mut self.special)
            && let Some(Limit { deadline, timer }) = &mut special.limit
            && timer.is_none()
        {
            let sleep = connection.shared().in_runtime(|| tokio::time::sleep(*deadline));
            *timer = Some(Box::pin(sleep));
        }
    }

    /// Whether the call has ended, and its reply has no memory of its own.
    #[inline]
    pub(crate) fn was_plain(&self) -> bool {
        matches!(self.state, State::PlainOver)
    }

    /// Makes the call and waits for its reply, which no stream follows.
    pub(crate) async fn end(mut self: Box<Self>) -> Result<(Status, Payload), CallFailure> {
        let mut reply = RawReply::default();
        poll_fn(|cx| self.poll(cx, &mut reply)).await;
        match reply.failure {
            Some(failure) => Err(*failure),
            None => Ok((reply.status, reply.payload)),
        }
    }

    /// Nobody is interested in the call any more: if it was sent, the worker drops its handler.
    #[inline]
    pub(crate) fn retire(mut self: Box<Self>) {
        if !matches!(self.state, State::PlainOver) || self.arguments.is_some() || self.special.is_some() {
            return self.retire_any();
        }
        // The last client of a connection may go with it.
        self.connection = None;
        spare::give(self);
    }

    #[inline(never)]
    fn retire_any(mut self: Box<Self>) {
        self.give_up();
        self.special = None;
        self.connection = None;
        spare::give_cleared(self);
    }

    fn special(&mut self) -> &mut Special {
        self.special.get_or_insert_default()
    }

    #[cold]
    fn fail(&mut self, failure: CallFailure) {
        self.state = State::Over;
        self.special().failure = Some(failure);
    }

    /// Gives the call up, wherever it is.
    #[cold]
    fn give_up(&mut self) {
        let Some(connection) = &self.connection else { return };
        let shared = connection.shared();
        match std::mem::replace(&mut self.state, State::Over) {
            State::Over | State::PlainOver => {}
            State::Sent { call, slot, .. } => shared.cancel(call, slot),
            State::Unsent { one_way } => {
                if let Some(special) = self.special.as_mut().filter(|special| special.vacancy.is_some()) {
                    let next = shared.lock().leave_vacancy(one_way, &mut special.vacancy);
                    next.into_iter().for_each(Waker::wake);
                }
            }
            State::Writing { until, waits } => {
                if waits {
                    shared.lock().unwritten.leave(&mut Some(until));
                }
            }
        }
    }
}

impl Drop for RawCall {
    fn drop(&mut self) {
        self.give_up();
    }
}

impl Default for RawCall {
    fn default() -> Self {
        Self {
            connection: None,
            state: State::Unsent { one_way: false },
            function: FunctionId::from_raw(0),
            few: Few::EMPTY,
            arguments: None,
            special: None,
        }
    }
}

impl fmt::Debug for RawCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawCall").field("state", &self.state).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_takes_one_cache_line() {
        assert_eq!(size_of::<RawCall>(), 64);
    }
}
