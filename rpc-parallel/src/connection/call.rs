//! One call from the caller's side, untyped: not sent yet, waiting, or over.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use tokio::time::Sleep;

use crate::{
    connection::{Connection, RawReceiver, RawSender, Shared, Terminal, core::Core, draft::Draft, too_big::TooBig},
    id::{CallId, FunctionId},
    proto::{CallSide, OpenCallError, StreamKey, TraceContext},
    wire::{CloseReason, Payload, Status},
};

/// A call that is made by polling it, and cancelled by dropping it.
pub(crate) struct RawCall {
    connection: Connection,
    state: State,
}

enum State {
    Unsent(Box<Draft>),
    /// The call is on its way: its id, and the slot in which its reply will be found.
    Sent {
        call: CallId,
        slot: usize,
        /// The task looks for the reply itself when it is polled again.
        spins: bool,
    },
    /// A one-way message is queued: it is over when so many bytes of the connection are written.
    Writing {
        until: u64,
        /// The place among those whose message is being written.
        place: Option<u64>,
    },
    Over,
}

/// A reply as it came.
#[derive(Debug)]
pub struct RawReply {
    pub(crate) status: Status,
    pub(crate) payload: Payload,
    pub(crate) download: Option<Box<RawDownload>>,
}

/// The stream that follows a reply.
#[derive(Debug)]
pub(crate) struct RawDownload {
    pub(crate) receiver: RawReceiver,
    /// Keeps the connection open while the stream is read.
    _connection: Connection,
}

/// Why a call has no reply.
#[derive(Debug)]
pub(crate) enum CallFailure {
    TooBig(TooBig),
    Closing,
    Lost(Terminal),
}

impl RawCall {
    #[inline]
    pub(crate) fn new(connection: Connection, function: FunctionId, one_way: bool, mut draft: Box<Draft>) -> Self {
        (draft.open.function, draft.open.one_way) = (function, one_way);
        Self { connection, state: State::Unsent(draft) }
    }

    /// Makes the call part of a trace. Without effect once the call is sent.
    pub(crate) fn set_trace(&mut self, trace: TraceContext) {
        if let State::Unsent(draft) = &mut self.state {
            draft.open.trace = Some(trace);
        }
    }

    /// Tells the worker how long the caller will wait. Without effect once the call is sent.
    pub(crate) fn set_deadline(&mut self, deadline: Duration) {
        if let State::Unsent(draft) = &mut self.state {
            draft.open.deadline = Some(deadline);
        }
    }

    /// Starts to count.
    pub(crate) fn sleep(&self, duration: Duration) -> Sleep {
        self.connection.shared().in_runtime(|| tokio::time::sleep(duration))
    }

    /// Sends the call if it was not sent. `Pending` if the worker takes no further calls right now; without a context
    /// nobody is woken when it does.
    #[inline]
    pub(crate) fn poll_send(&mut self, cx: Option<&mut Context<'_>>) -> Poll<Result<(), CallFailure>> {
        match self.state {
            State::Unsent(_) => self.send(cx),
            State::Writing { .. } => self.poll_written(cx),
            State::Sent { .. } | State::Over => Poll::Ready(Ok(())),
        }
    }

    /// Sends the call, and has the task woken by what it waits for next.
    fn send(&mut self, cx: Option<&mut Context<'_>>) -> Poll<Result<(), CallFailure>> {
        let State::Unsent(draft) = &mut self.state else { return Poll::Ready(Ok(())) };
        let shared = self.connection.shared();
        let mut guard = shared.lock();
        let core = &mut *guard;
        if let Some(terminal) = &core.terminal {
            let failure = CallFailure::Lost(terminal.clone());
            drop(guard);
            // The caller's streams are dropped with it: never under the lock, which one from this connection takes.
            self.state = State::Over;
            return Poll::Ready(Err(failure));
        }
        if core.session.close_reason().is_some_and(CloseReason::is_silent) {
            // The driver is about to learn why the peer went silent, and wakes whoever waits here.
            if let Some(cx) = cx {
                core.wait_for_vacancy(draft, cx);
            }
            return Poll::Pending;
        }
        // Nothing to wait with: written now, the call saves a hop to the driver.
        let alone = core.session.open_calls() == 0 && core.last_replies <= 1 && !core.session.transmit();
        let call = match core.session.open_call(&mut draft.open) {
            Ok(call) => call,
            Err(OpenCallError::Full) => {
                if let Some(cx) = cx {
                    core.wait_for_vacancy(draft, cx);
                }
                return Poll::Pending;
            }
            Err(error) => {
                let failure = CallFailure::from_open(error, core);
                let next = core.leave_vacancy(draft);
                drop(guard);
                next.into_iter().for_each(Waker::wake);
                self.state = State::Over;
                return Poll::Ready(Err(failure));
            }
        };
        core.vacancy(draft.open.one_way).leave(&mut draft.vacancy);
        // Under the same lock, so that what the worker says of a stream finds its sender.
        let senders = senders(shared, core, call, draft);
        let mut sent = if draft.open.one_way {
            State::Writing { until: core.session.bytes_sent() + core.session.bytes_queued(), place: None }
        } else {
            State::Sent { call, slot: core.waiting.add_caller(call, cx.as_deref()), spins: false }
        };
        core.count_calls();
        if alone {
            shared.flush_now(core);
            if let (Some(cx), State::Sent { spins, .. }) = (cx.as_deref(), &mut sent)
                && core.may_spin()
            {
                *spins = shared.arrange_spin(core, cx);
            }
        } else {
            shared.flush_soon(core);
        }
        drop(guard);
        if !senders.is_empty() {
            for (upload, sender) in draft.uploads.drain(..).zip(senders) {
                shared.in_runtime(|| upload(sender));
            }
        }
        if let State::Unsent(draft) = std::mem::replace(&mut self.state, sent) {
            draft.recycle();
        }
        match self.state {
            State::Writing { .. } => self.poll_written(cx),
            _ => Poll::Ready(Ok(())),
        }
    }

    /// Waits until a one-way message is with the kernel: then the end of this process does not undo it.
    fn poll_written(&mut self, cx: Option<&mut Context<'_>>) -> Poll<Result<(), CallFailure>> {
        let State::Writing { until, place } = &mut self.state else { return Poll::Ready(Ok(())) };
        let mut core = self.connection.shared().lock();
        let result = if core.session.bytes_sent() >= *until {
            Ok(())
        } else if let Some(terminal) = core.terminal.clone() {
            Err(CallFailure::Lost(terminal))
        } else {
            if let Some(cx) = cx {
                core.unwritten.wait_at(*until, place, cx);
            }
            return Poll::Pending;
        };
        core.unwritten.leave(place);
        drop(core);
        self.state = State::Over;
        Poll::Ready(result)
    }

    /// Sends the call if need be and waits for its reply.
    #[inline]
    pub(crate) fn poll_reply(&mut self, cx: &mut Context<'_>) -> Poll<Result<RawReply, CallFailure>> {
        let slot = match &mut self.state {
            State::Sent { slot, spins, .. } => {
                if std::mem::take(spins) {
                    self.connection.shared().spin_for_reply();
                }
                *slot
            }
            State::Unsent(_) => {
                ready!(self.send(Some(cx)))?;
                return Poll::Pending;
            }
            State::Writing { .. } | State::Over => return Poll::Ready(Err(CallFailure::Closing)),
        };
        let shared = self.connection.shared();
        let mut core = shared.lock();
        let core = &mut *core;
        let Some(caller) = core.waiting.callers.get_mut(slot) else {
            return Poll::Ready(Err(CallFailure::Closing));
        };
        if let Some(reply) = caller.reply.take() {
            core.waiting.callers.try_remove(slot);
            self.state = State::Over;
            let download = reply.reader.map(|(key, slot)| {
                Box::new(RawDownload {
                    receiver: RawReceiver::new(Arc::clone(shared), key, slot),
                    _connection: self.connection.clone(),
                })
            });
            return Poll::Ready(Ok(RawReply { status: reply.status, payload: reply.payload, download }));
        }
        if let Some(terminal) = core.terminal.clone() {
            core.waiting.callers.try_remove(slot);
            self.state = State::Over;
            return Poll::Ready(Err(CallFailure::Lost(terminal)));
        }
        caller.wait(cx);
        Poll::Pending
    }

    /// Gives the call up: the worker drops its handler.
    pub(crate) fn cancel(&mut self) {
        let State::Sent { call, slot, .. } = std::mem::replace(&mut self.state, State::Over) else { return };
        let shared = Arc::clone(self.connection.shared());
        let mut core = shared.lock();
        let mut wakers = Vec::new();
        let reply = core.waiting.callers.try_remove(slot).and_then(|caller| caller.reply);
        match reply {
            // The reply was there already, so that only its stream can still be stopped.
            Some(reply) => {
                if let Some((key, slot)) = reply.reader
                    && core.waiting.remove_reader(key, slot)
                    && core.terminal.is_none()
                {
                    core.session.stop_stream(key);
                }
            }
            None => {
                core.waiting.abandon(call, &mut wakers);
                if core.terminal.is_none() {
                    core.session.cancel(call);
                }
            }
        }
        shared.flush_soon(&mut core);
        drop(core);
        for waker in wakers {
            waker.wake();
        }
    }
}

impl CallFailure {
    fn from_open(error: OpenCallError, core: &Core) -> Self {
        match error {
            OpenCallError::TooBig(error) => {
                Self::TooBig(TooBig::new(error.size, error.limit, "the arguments of the call"))
            }
            OpenCallError::Closed => match core.terminal.clone() {
                Some(terminal) => Self::Lost(terminal),
                None => Self::Closing,
            },
            OpenCallError::Full | OpenCallError::TooManyUploads(_) | OpenCallError::Closing => Self::Closing,
        }
    }
}

/// The writing halves of the call's uploads.
fn senders(shared: &Arc<Shared>, core: &mut Core, call: CallId, draft: &Draft) -> Vec<RawSender> {
    if draft.uploads.is_empty() {
        return Vec::new();
    }
    (1..)
        .zip(&draft.uploads)
        .map(|(stream, _)| StreamKey { side: CallSide::Local, call, stream })
        .map(|key| RawSender::upload(Arc::clone(shared), core, key))
        .collect()
}

impl Drop for RawCall {
    fn drop(&mut self) {
        match &mut self.state {
            State::Over => {}
            State::Sent { .. } => self.cancel(),
            State::Unsent(draft) if draft.vacancy.is_some() => {
                let next = self.connection.shared().lock().leave_vacancy(draft);
                next.into_iter().for_each(Waker::wake);
            }
            State::Writing { place, .. } if place.is_some() => {
                self.connection.shared().lock().unwritten.leave(place);
            }
            State::Unsent(_) | State::Writing { .. } => {}
        }
    }
}

impl fmt::Debug for RawCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Unsent(_) => "unsent",
            State::Sent { .. } => "sent",
            State::Writing { .. } => "being written",
            State::Over => "over",
        };
        f.debug_struct("RawCall").field("state", &state).finish_non_exhaustive()
    }
}
