//! The frames that pipelined calls consist of, taken in runs.
//!
//! A short call without anything special, and a short reply, need no event: what they say fits into the arguments of a
//! function. Whatever else comes is left to [`Session::poll_event`], which would understand these frames too, to the same
//! effect: nothing here closes a connection or queues a frame.

use super::{OpenCall, Session};
use crate::{
    id::{CallId, FunctionId},
    wire::{CallHead, Frame, Payload, Status, short_call, short_reply},
};

/// Arguments up to this size are within every limit that settings can have.
const SHORT: usize = 1 << 10;

impl Session {
    /// Makes a short call without anything special, if nothing is in its way. `None` does not mean that it cannot be made.
    #[inline]
    pub(super) fn open_short(&mut self, call: &OpenCall) -> Option<CallId> {
        let OpenCall { function, one_way: false, deadline: None, trace: None, uploads: 0, ref payload, ref bulk } =
            *call
        else {
            return None;
        };
        let (size, closing) = (payload.len(), self.is_closing() || self.peer_closing);
        if size > SHORT || !bulk.is_empty() || closing || self.handshake.is_some() || !self.room(false).take(size) {
            return None;
        }
        let id = self.local.open(size, 0, 0);
        let head = CallHead { call: id, function, one_way: false, deadline: None, trace: None, uploads: 0 };
        self.output.push(Frame::Call(head), payload);
        if let Some(call) = self.local.get_mut(id) {
            call.queued_until = self.output.end();
        }
        Some(id)
    }

    /// Takes the short calls that come next, up to the first frame that is something else.
    #[inline]
    pub(crate) fn take_calls(&mut self, mut take: impl FnMut(CallId, FunctionId, Payload)) {
        if !self.is_plain() || self.graceful.is_some() {
            return;
        }
        let limits = (self.settings.max_open_calls, self.settings.max_open_bytes);
        let written = self.output.sent();
        let (mut rest, mut taken) = (self.input.bytes(), 0);
        while let Some((call, function, payload, len)) = short_call(rest)
            && self.remote.open_short(call, payload.len(), limits, written)
        {
            take(call, function, payload);
            taken += len;
            rest = rest.get(len..).unwrap_or_default();
        }
        self.input.advance(taken);
    }

    /// Takes the short replies that come next, up to the first frame that is something else.
    #[inline]
    pub(crate) fn take_replies(&mut self, mut take: impl FnMut(CallId, Status, Payload)) {
        if !self.is_plain() || self.wants_vacancy {
            return;
        }
        let written = self.output.sent();
        let (mut rest, mut taken) = (self.input.bytes(), 0);
        while let Some((call, status, payload, len)) = short_reply(rest)
            && self.local.close_short(call, written)
        {
            take(call, status, payload);
            taken += len;
            rest = rest.get(len..).unwrap_or_default();
        }
        self.input.advance(taken);
    }

    /// Whether what comes next in the input is what happens next.
    #[inline]
    fn is_plain(&self) -> bool {
        self.unread && self.handshake.is_none() && self.closed.is_none() && self.events.is_empty()
    }
}
