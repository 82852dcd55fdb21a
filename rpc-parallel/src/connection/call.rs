//! One call from the caller's side, untyped: not sent yet, waiting, or over.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use tokio::time::Sleep;

use crate::{
    connection::{Connection, RawReceiver, RawSender, Terminal, core::Core, too_big::TooBig},
    id::{CallId, FunctionId},
    proto::{CallSide, OpenCall, OpenCallError, StreamKey, TraceContext},
    wire::{CloseReason, Payload, Status},
};

/// Starts to write one upload once its call is open.
pub(crate) type Upload = Box<dyn FnOnce(RawSender) + Send>;

/// A call that is made by polling it, and cancelled by dropping it.
pub(crate) struct RawCall {
    connection: Connection,
    state: State,
    /// The place among those who wait until the peer takes further calls.
    vacancy: Option<u64>,
    /// The place among those whose message is being written.
    unwritten: Option<u64>,
}

enum State {
    Unsent {
        open: OpenCall,
        uploads: Vec<Upload>,
    },
    /// The call is on its way: its id, and the slot in which its reply will be found.
    Sent {
        call: CallId,
        slot: usize,
    },
    /// A one-way message is queued: it is over when so many bytes of the connection are written.
    Writing {
        until: u64,
    },
    Over,
}

/// A reply as it came.
#[derive(Debug)]
pub struct RawReply {
    pub(crate) status: Status,
    pub(crate) payload: Payload,
    pub(crate) download: Option<RawDownload>,
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
    pub(crate) fn new(
        connection: Connection,
        function: FunctionId,
        one_way: bool,
        payload: impl Into<Payload>,
        uploads: Vec<Upload>,
    ) -> Self {
        // The macro refuses more uploads than a byte can count.
        let count = u8::try_from(uploads.len()).unwrap_or(u8::MAX);
        let open =
            OpenCall { function, one_way, deadline: None, trace: None, uploads: count, payload: payload.into() };
        Self { connection, state: State::Unsent { open, uploads }, vacancy: None, unwritten: None }
    }

    /// Makes the call part of a trace. Without effect once the call is sent.
    pub(crate) fn set_trace(&mut self, trace: TraceContext) {
        if let State::Unsent { open, .. } = &mut self.state {
            open.trace = Some(trace);
        }
    }

    /// Tells the worker how long the caller will wait. Without effect once the call is sent.
    pub(crate) fn set_deadline(&mut self, deadline: Duration) {
        if let State::Unsent { open, .. } = &mut self.state {
            open.deadline = Some(deadline);
        }
    }

    /// Starts to count.
    pub(crate) fn sleep(&self, duration: Duration) -> Sleep {
        self.connection.shared().in_runtime(|| tokio::time::sleep(duration))
    }

    /// Sends the call if it was not sent. `Pending` if the worker takes no further calls right now; without a context
    /// nobody is woken when it does.
    pub(crate) fn poll_send(&mut self, cx: Option<&mut Context<'_>>) -> Poll<Result<(), CallFailure>> {
        match self.state {
            State::Unsent { .. } => self.send(cx),
            State::Writing { .. } => self.poll_written(cx),
            State::Sent { .. } | State::Over => Poll::Ready(Ok(())),
        }
    }

    /// Sends the call, and has the task woken by what it waits for next.
    fn send(&mut self, mut cx: Option<&mut Context<'_>>) -> Poll<Result<(), CallFailure>> {
        let shared = self.connection.shared();
        let mut guard = shared.lock();
        let core = &mut *guard;
        if let Some(terminal) = core.terminal.clone() {
            drop(guard);
            // The caller's streams are dropped with it: never under the lock, which one from this connection takes.
            self.state = State::Over;
            return Poll::Ready(Err(CallFailure::Lost(terminal)));
        }
        if core.session.close_reason().is_some_and(CloseReason::is_silent) {
            // The driver is about to learn why the peer went silent, and wakes whoever waits here.
            if let (Some(cx), State::Unsent { open, .. }) = (cx, &self.state) {
                core.vacancy(open.one_way).wait(&mut self.vacancy, open.payload.len(), cx);
            }
            return Poll::Pending;
        }
        let State::Unsent { open, uploads } = std::mem::replace(&mut self.state, State::Over) else {
            return Poll::Ready(Ok(()));
        };
        let one_way = open.one_way;
        // Nothing to wait with: written now, the call saves a hop to the driver.
        let alone = core.session.open_calls() == 0 && core.last_replies <= 1 && !core.session.transmit();
        let call = match core.session.open_call(open) {
            Ok(call) => call,
            Err(OpenCallError::Full(open)) => {
                if let Some(cx) = cx {
                    core.vacancy(one_way).wait(&mut self.vacancy, open.payload.len(), cx);
                }
                self.state = State::Unsent { open, uploads };
                return Poll::Pending;
            }
            Err(error) => {
                let failure = CallFailure::from_open(error, core);
                let mut wakers = Vec::new();
                core.leave_vacancy(one_way, &mut self.vacancy, &mut wakers);
                drop(guard);
                wakers.into_iter().for_each(Waker::wake);
                return Poll::Ready(Err(failure));
            }
        };
        core.vacancy(one_way).leave(&mut self.vacancy);
        // Under the same lock, so that what the worker says of a stream finds its sender.
        let senders: Vec<_> = (1..)
            .zip(&uploads)
            .map(|(stream, _)| StreamKey { side: CallSide::Local, call, stream })
            .map(|key| RawSender::upload(Arc::clone(shared), core, key))
            .collect();
        self.state = if one_way {
            State::Writing { until: core.session.bytes_sent() + core.session.bytes_queued() }
        } else {
            State::Sent { call, slot: core.waiting.add_caller(call, cx.as_deref()) }
        };
        if alone {
            shared.flush_now(core);
        } else {
            shared.flush_soon(core);
        }
        drop(guard);
        for (upload, sender) in uploads.into_iter().zip(senders) {
            shared.in_runtime(|| upload(sender));
        }
        if one_way { self.poll_written(cx.as_deref_mut()) } else { Poll::Ready(Ok(())) }
    }

    /// Waits until a one-way message is with the kernel: then the end of this process does not undo it.
    fn poll_written(&mut self, cx: Option<&mut Context<'_>>) -> Poll<Result<(), CallFailure>> {
        let State::Writing { until } = self.state else { return Poll::Ready(Ok(())) };
        let mut core = self.connection.shared().lock();
        let result = if core.session.bytes_sent() >= until {
            Ok(())
        } else if let Some(terminal) = core.terminal.clone() {
            Err(CallFailure::Lost(terminal))
        } else {
            if let Some(cx) = cx {
                core.unwritten.wait_at(until, &mut self.unwritten, cx);
            }
            return Poll::Pending;
        };
        core.unwritten.leave(&mut self.unwritten);
        drop(core);
        self.state = State::Over;
        Poll::Ready(result)
    }

    /// Sends the call if need be and waits for its reply.
    pub(crate) fn poll_reply(&mut self, cx: &mut Context<'_>) -> Poll<Result<RawReply, CallFailure>> {
        let slot = match self.state {
            State::Sent { slot, .. } => slot,
            State::Unsent { .. } => {
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
            let download = reply.reader.map(|(key, slot)| RawDownload {
                receiver: RawReceiver::new(Arc::clone(shared), key, slot),
                _connection: self.connection.clone(),
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
        let State::Sent { call, slot } = std::mem::replace(&mut self.state, State::Over) else { return };
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
            OpenCallError::Full(_) | OpenCallError::TooManyUploads(_) | OpenCallError::Closing => Self::Closing,
        }
    }
}

impl Drop for RawCall {
    fn drop(&mut self) {
        if self.vacancy.is_some() || self.unwritten.is_some() {
            let mut wakers = Vec::new();
            let mut core = self.connection.shared().lock();
            if let State::Unsent { open, .. } = &self.state {
                core.leave_vacancy(open.one_way, &mut self.vacancy, &mut wakers);
            }
            core.unwritten.leave(&mut self.unwritten);
            drop(core);
            wakers.into_iter().for_each(Waker::wake);
        }
        self.cancel();
    }
}

impl fmt::Debug for RawCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Unsent { .. } => "unsent",
            State::Sent { .. } => "sent",
            State::Writing { .. } => "being written",
            State::Over => "over",
        };
        f.debug_struct("RawCall").field("state", &state).finish_non_exhaustive()
    }
}
