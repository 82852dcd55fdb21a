//! The frames that pipelined calls consist of, taken in runs.
//!
//! A short call without anything special, and a short reply, need no event: what they say fits into the arguments of a
//! function. Whatever else comes is left to [`Session::poll_event`], which would understand these frames too, to the same
//! effect: nothing here closes a connection or queues a frame.

use super::Session;
use crate::{
    id::{CallId, FunctionId},
    wire::{Payload, Status, short_call, short_reply},
};

impl Session {
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
    fn is_plain(&self) -> bool {
        self.unread && self.handshake.is_none() && self.closed.is_none() && self.events.is_empty()
    }
}
