//! Waiting for a call's reply.

use std::{
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use super::{RawCall, State};
use crate::{
    connection::{Connection, RawReceiver, Terminal, TooBig, core::Core},
    proto::{CallSide, StreamKey},
    wire::{Few, Payload, Status},
};

/// How a call ended.
#[derive(Debug, Default)]
pub(crate) struct RawReply {
    pub(crate) payload: Payload,
    pub(crate) download: Option<Box<RawDownload>>,
    /// Why there is no reply. Then the status is none of a success.
    pub(crate) failure: Option<Box<CallFailure>>,
    pub(crate) status: Status,
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
    /// The arguments cannot be encoded: why.
    Unencodable(String),
    /// The function is another at the worker: what to do.
    Mismatch(String),
    DeadlineExceeded(Duration),
    Closing,
    Lost(Terminal),
    /// The call has ended before, and was polled again.
    Over,
}

impl RawReply {
    /// There is no reply.
    #[cold]
    pub(super) fn fail(&mut self, failure: CallFailure) {
        self.status = Status::Refused;
        self.failure = Some(Box::new(failure));
    }
}

impl Core {
    /// Has the task of `cx` woken by the reply; `false` if there is one, or will be none.
    fn wait_for_reply(&mut self, slot: u32, cx: &Context<'_>) -> bool {
        self.terminal.is_none() && self.waiting.callers.wait(slot, cx)
    }
}

/// Uses up some of the task's turn. `Pending` if that is over: then the task is polled again soon.
#[inline(never)]
pub(super) fn count(cx: &mut Context<'_>) -> Poll<()> {
    ready!(tokio::task::coop::poll_proceed(cx)).made_progress();
    Poll::Ready(())
}

impl RawCall {
    /// Waits for the reply of a call that was sent, if there is nothing special about either.
    #[inline]
    pub(super) fn poll_plain(&mut self, cx: &Context<'_>, reply: &mut RawReply) -> Option<Poll<()>> {
        let (State::Sent { slot, spins: false, .. }, Some(connection), None) =
            (&self.state, &self.connection, &self.special)
        else {
            return None;
        };
        let mut core = connection.shared().lock();
        if core.waiting.callers.take_plain(*slot, &mut reply.payload, &mut reply.status) {
            self.state = State::PlainOver;
            return Some(Poll::Ready(()));
        }
        core.wait_for_reply(*slot, cx).then_some(Poll::Pending)
    }

    /// Takes a success of a few bytes, if that is there and there is nothing special about the call. Otherwise it is to be
    /// [polled](Self::poll). `Pending` if the task's turn is over.
    #[inline(always)]
    pub(crate) fn poll_few(&mut self, cx: &mut Context<'_>) -> Poll<Few> {
        let (State::Sent { slot, spins: false, .. }, Some(connection), None) =
            (&self.state, &self.connection, &self.special)
        else {
            return Poll::Ready(Few::NONE);
        };
        let shared = connection.shared();
        if shared.counts() {
            ready!(count(cx));
        }
        let few = shared.lock().waiting.callers.take_few(*slot);
        if few.is_there() {
            self.state = State::PlainOver;
        }
        Poll::Ready(few)
    }

    /// The same, once for all that ask for it.
    #[inline(never)]
    pub(crate) fn poll_few_apart(&mut self, cx: &mut Context<'_>) -> Poll<Few> {
        self.poll_few(cx)
    }

    /// Waits for the reply of a call that was sent.
    pub(super) fn poll_reply(&mut self, cx: &mut Context<'_>, reply: &mut RawReply) -> Poll<()> {
        let (State::Sent { call, slot, spins }, Some(connection)) = (&mut self.state, &self.connection) else {
            return Poll::Ready(());
        };
        let (call, slot) = (*call, *slot);
        let shared = connection.shared();
        if std::mem::take(spins) {
            shared.spin_for_reply();
        }
        let mut guard = shared.lock();
        let core = &mut *guard;
        if let Some(reader) = core.waiting.callers.take(slot, &mut reply.payload, &mut reply.status) {
            if let Some(reader) = reader {
                let key = StreamKey { side: CallSide::Local, call, stream: 0 };
                let receiver = RawReceiver::new(Arc::clone(shared), key, reader);
                reply.download = Some(Box::new(RawDownload { receiver, _connection: connection.clone() }));
            }
            return Poll::Ready(());
        }
        if let Some(terminal) = core.terminal.clone() {
            let caller = core.waiting.callers.remove(slot);
            drop(guard);
            drop(caller);
            reply.fail(CallFailure::Lost(terminal));
            return Poll::Ready(());
        }
        core.waiting.callers.wait(slot, cx);
        Poll::Pending
    }
}
