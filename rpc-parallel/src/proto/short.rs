//! The frames that pipelined calls consist of, without an event for each.
//!
//! A short call without anything special, and a short reply, need no event: what they say fits into the arguments of a
//! function. Whatever else comes is left to [`Session::poll_event`], which would understand these frames too: nothing here closes
//! a connection or queues a frame. Short calls that arrive are [lent](super::Run).

use super::Session;
use crate::{
    id::{CallId, FunctionId},
    wire::{ShortReply, Status, short_reply},
};

/// Arguments up to this size are within every limit that settings can have.
const SHORT: usize = 1 << 10;

impl Session {
    /// Makes a short call without anything special, if nothing is in its way. `None` does not mean that it cannot be made.
    #[inline(always)]
    pub(crate) fn open_short(&mut self, function: FunctionId, arguments: &[u8], tag: u32) -> Option<CallId> {
        let size = arguments.len();
        let closing = self.is_closing() || self.peer_closing || self.handshake.is_some();
        let Self { local, output, allowed, .. } = self;
        if size > SHORT || closing || !local.has_room(size, allowed) {
            return None;
        }
        let call = local.next();
        let queued_until = output.push_short_call(call, function, arguments);
        local.open_short(call, size as u32, tag, queued_until);
        Some(call)
    }

    /// Takes the short replies that come next, up to the first frame that is something else. `take` gets the call,
    /// what came with it, and where in which bytes the reply is.
    #[inline]
    pub(crate) fn take_replies(&mut self, mut take: impl FnMut(CallId, u32, Status, &[u8], (usize, usize))) {
        if !self.is_plain() || self.wants_vacancy {
            return;
        }
        let written = self.output.sent();
        let input = self.input.bytes();
        let mut rest = input;
        while let Some(ShortReply { call, status, payload }) = short_reply(rest)
            && let Some(tag) = self.local.close_short(call, written)
        {
            take(call, tag, status, rest, payload);
            rest = rest.get(payload.1..).unwrap_or_default();
        }
        let taken = input.len() - rest.len();
        self.input.advance(taken);
    }

    /// Whether what comes next in the input is what happens next.
    #[inline]
    pub(super) fn is_plain(&self) -> bool {
        self.unread && self.handshake.is_none() && self.closed.is_none() && self.events.is_empty()
    }
}
