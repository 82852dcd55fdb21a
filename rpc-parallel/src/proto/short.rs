//! The frames that pipelined calls consist of, without an event for each.
//!
//! A short call without anything special, and a short reply, need no event: what they say fits into the arguments of a
//! function. Whatever else comes is left to [`Session::poll_event`], which would understand these frames too: nothing here closes
//! a connection or queues a frame. Short calls that arrive are [lent](super::Run).

use super::Session;
use crate::{
    id::{CallId, FunctionId},
    wire::{Few, ShortReply, Status, short_reply},
};

/// Arguments up to this size are within every limit that settings can have: longer ones make no [short
/// call](Session::open_short).
pub(crate) const SHORT: usize = 1 << 10;

impl Session {
    /// Makes a short call without anything special, if nothing is in its way, with `arguments` or, if they are there, a `few`.
    /// `None` does not mean that it cannot be made.
    #[inline(always)]
    pub(crate) fn open_short(
        &mut self,
        function: FunctionId,
        few: Few,
        arguments: &[u8],
        tag: u32,
    ) -> Option<CallId> {
        let size = if few.is_there() { few.len() } else { arguments.len() };
        let Self { local, output, allowed, takes_calls, .. } = self;
        if size > SHORT || local.len() >= *takes_calls || !local.has_room(size, allowed) {
            return None;
        }
        let call = local.next();
        let queued_until = output.push_short_call(call, function, few, arguments);
        local.open_short(call, size as u32, tag, queued_until);
        Some(call)
    }

    /// The same for arguments of a few bytes, which must be there, while other calls are open.
    #[inline(always)]
    pub(crate) fn open_few(&mut self, function: FunctionId, few: Few, tag: u32) -> Option<CallId> {
        let Self { local, output, allowed, takes_calls, .. } = self;
        let open = local.len();
        if open == 0 || open >= *takes_calls || local.bytes() + few.len() > allowed.max_open_bytes {
            return None;
        }
        let call = local.next();
        let queued_until = output.push_short_call(call, function, few, &[]);
        local.open_short(call, few.len() as u32, tag, queued_until);
        Some(call)
    }

    /// From now on there are no short calls, whatever else happens.
    pub(crate) fn take_no_calls(&mut self) {
        self.takes_calls = 0;
    }

    /// Takes the short replies that come next, up to the first frame that is something else. `take` gets the call, what came
    /// with it, and bytes of which the first are the reply, and how many.
    #[inline]
    pub(crate) fn take_replies(&mut self, mut take: impl FnMut(CallId, u32, Status, &[u8], usize)) {
        if !self.is_plain() || self.wants_vacancy {
            return;
        }
        let written = self.output.sent();
        let input = self.input.bytes();
        let mut rest = input;
        let mut calls = self.local.closing();
        while let Some(ShortReply { call, status, payload: (start, end) }) = short_reply(rest)
            && let Some((reply, others)) = rest.get(start..).zip(rest.get(end..))
            && let Some(tag) = calls.close(call, written)
        {
            take(call, tag, status, reply, end - start);
            rest = others;
        }
        drop(calls);
        let taken = input.len() - rest.len();
        self.input.advance(taken);
    }

    /// Whether what comes next in the input is what happens next.
    #[inline]
    pub(super) fn is_plain(&self) -> bool {
        self.unread && self.handshake.is_none() && self.closed.is_none() && self.events.is_empty()
    }
}
