//! Waiting for a call's reply.

use std::{
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use super::{RawCall, State};
use crate::{
    connection::{Connection, RawReceiver, Terminal, TooBig, callers::Brief, core::Core},
    proto::{CallSide, StreamKey},
    wire::{Payload, Status},
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

    /// Takes a success of a few bytes, if that is there and there is nothing special about the call.
    #[inline(always)]
    pub(crate) fn take_brief(&mut self) -> Brief {
        let (State::Sent { slot, spins: false, .. }, Some(connection), None) =
            (&self.state, &self.connection, &self.special)
        else {
            return Brief::NONE;
        };
        let shared = connection.shared();
        let Some(count) = shared.next_count() else { return Brief::NONE };
        let brief = shared.lock().waiting.callers.take_brief(*slot);
        if brief.is_there() {
            shared.set_count(count);
            self.state = State::PlainOver;
        }
        brief
    }

    /// The same, once for all that ask for it.
    #[inline(never)]
    pub(crate) fn take_brief_apart(&mut self) -> Brief {
        self.take_brief()
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
