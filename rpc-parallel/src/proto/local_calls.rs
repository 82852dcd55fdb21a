//! The calls that this side has made.

use super::{
    call_streams::CallStreams,
    stream::{RecvHalf, SendHalf},
};
use crate::{id::CallId, wire::Limits};

/// The calls that this side has made, by number.
///
/// The number that was freed last is used next, so that there are never more numbers than calls at the same time, and
/// a new number is always the one after the largest.
#[derive(Debug)]
pub(super) struct LocalCalls {
    calls: Vec<LocalCall>,
    /// The number that is used next, or none: then a new one is.
    free: u32,
    /// How many are in use. Of another size than the bytes: side by side the compiler would have the two in one register,
    /// which costs more.
    open: u32,
    /// The bytes of the arguments of all that wait for a reply.
    bytes: usize,
}

/// One call of this side.
#[derive(Debug, Default)]
pub(super) struct LocalCall {
    state: LocalState,
    /// Nobody is interested any more.
    pub(super) cancelled: bool,
    /// Messages are limited to 2 GiB.
    bytes: u32,
    /// Comes with the reply. Of a number that is free: the one that is used after it.
    pub(super) tag: u32,
    /// Where its frame ends in the output.
    pub(super) queued_until: u64,
    pub(super) streams: CallStreams<SendHalf, RecvHalf>,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum LocalState {
    #[default]
    Free,
    /// It waits for a reply, which nothing else will follow or precede: there are no uploads, and it is not cancelled.
    Plain,
    Waiting,
    Replied,
}

/// No number.
const NONE: u32 = u32::MAX;

/// The place of the number that is used next.
#[inline]
fn vacant(calls: &mut Vec<LocalCall>, id: CallId) -> Option<&mut LocalCall> {
    if id.0 as usize == calls.len() {
        return add(calls);
    }
    calls.get_mut(id.0 as usize)
}

/// The place of a new number.
#[cold]
#[inline(never)]
fn add(calls: &mut Vec<LocalCall>) -> Option<&mut LocalCall> {
    calls.push(LocalCall { tag: NONE, ..LocalCall::default() });
    calls.last_mut()
}

impl LocalCalls {
    /// How many numbers are in use.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.open as usize
    }

    /// The bytes of the arguments of all that wait for a reply.
    #[inline]
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether the peer takes one more call of this size, as far as that goes. A single one it always takes.
    #[inline]
    pub(super) fn has_room(&self, size: usize, allowed: &Limits) -> bool {
        self.bytes == 0 || self.bytes.saturating_add(size) <= allowed.max_open_bytes
    }

    /// Takes the [next](Self::next) number for a call without streams, whose frame ends at this place of the output.
    #[inline(always)]
    pub(super) fn open_short(&mut self, id: CallId, bytes: u32, tag: u32, queued_until: u64) {
        self.open += 1;
        self.bytes += bytes as usize;
        let Self { calls, free, .. } = self;
        let mut open = |call: &mut LocalCall| {
            *free = call.tag;
            (call.state, call.bytes, call.tag, call.queued_until) = (LocalState::Plain, bytes, tag, queued_until);
        };
        match calls.get_mut(id.0 as usize) {
            Some(call) => open(call),
            None => add(calls).map_or((), open),
        }
    }

    /// Takes a number.
    pub(super) fn open(&mut self, bytes: usize, tag: u32, uploads: u8, window: usize) -> CallId {
        let id = self.next();
        self.open += 1;
        self.bytes += bytes;
        let Self { calls, free, .. } = self;
        if let Some(call) = vacant(calls, id) {
            *free = call.tag;
            call.state = if uploads == 0 { LocalState::Plain } else { LocalState::Waiting };
            (call.bytes, call.tag) = (bytes as u32, tag);
            call.streams.open_uploads(uploads, || SendHalf::open(window));
        }
        id
    }

    /// The number that is used next.
    #[inline]
    pub(super) fn next(&self) -> CallId {
        CallId(if self.free == NONE { self.calls.len() as u32 } else { self.free })
    }

    /// The call of this number, if there is one.
    #[inline]
    pub(super) fn get_mut(&mut self, id: CallId) -> Option<&mut LocalCall> {
        self.calls.get_mut(id.0 as usize).filter(|call| call.state != LocalState::Free)
    }

    /// The call of this number, if there is one.
    #[inline]
    pub(super) fn get(&self, id: CallId) -> Option<&LocalCall> {
        self.calls.get(id.0 as usize).filter(|call| call.state != LocalState::Free)
    }

    /// The reply came.
    pub(super) fn replied(&mut self, id: CallId) {
        if let Some(call) = self.calls.get_mut(id.0 as usize)
            && call.is_waiting()
        {
            call.state = LocalState::Replied;
            self.bytes -= std::mem::take(&mut call.bytes) as usize;
        }
    }

    /// To end several of them.
    #[inline(always)]
    pub(super) fn closing(&mut self) -> ClosingCalls<'_> {
        let Self { calls, free, open, bytes } = self;
        ClosingCalls { closed: 0, freed: *free, less: 0, calls, free, open, bytes }
    }

    /// Gives the number back.
    pub(super) fn free(&mut self, id: CallId) {
        let before = self.free;
        if let Some(call) = self.get_mut(id) {
            (call.state, call.cancelled, call.tag) = (LocalState::Free, false, before);
            call.streams.clear();
            self.free = id.0;
            self.open -= 1;
        }
    }
}

/// Ends calls by replies that nothing follows. What it counts stays in registers until it is dropped.
pub(super) struct ClosingCalls<'a> {
    calls: &'a mut [LocalCall],
    /// How many were ended, the last of them, and how many bytes they had.
    closed: u32,
    freed: u32,
    less: usize,
    free: &'a mut u32,
    open: &'a mut u32,
    bytes: &'a mut usize,
}

impl ClosingCalls<'_> {
    /// Ends a call, if it is one that has no streams, was written and is wanted. Returns what came with it.
    #[inline(always)]
    pub(super) fn close(&mut self, id: CallId, written: u64) -> Option<u32> {
        let call = self.calls.get_mut(id.0 as usize)?;
        if call.state != LocalState::Plain || call.queued_until > written {
            return None;
        }
        call.state = LocalState::Free;
        self.less += call.bytes as usize;
        self.closed += 1;
        let next = std::mem::replace(&mut self.freed, id.0);
        Some(std::mem::replace(&mut call.tag, next))
    }
}

impl Drop for ClosingCalls<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        *self.free = self.freed;
        *self.open -= self.closed;
        *self.bytes -= self.less;
    }
}

impl Default for LocalCalls {
    fn default() -> Self {
        Self { calls: Vec::new(), free: NONE, open: 0, bytes: 0 }
    }
}

impl LocalCall {
    /// Whether the reply has not come yet.
    #[inline]
    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.state, LocalState::Plain | LocalState::Waiting)
    }

    /// Nobody is interested any more.
    pub(super) fn cancel(&mut self) {
        self.cancelled = true;
        if self.state == LocalState::Plain {
            self.state = LocalState::Waiting;
        }
    }

    /// Whether nothing more is to come but perhaps a `Done`.
    pub(super) fn is_over(&self) -> bool {
        self.state == LocalState::Replied && !self.streams.any(SendHalf::is_unfinished, RecvHalf::is_unfinished)
    }

    /// Whether all that the peer has to send has come, for a call that has no `Done`.
    pub(super) fn is_free(&self) -> bool {
        !self.streams.has_uploads() && self.is_over()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_that_are_ended_together_give_their_numbers_back() {
        let mut calls = LocalCalls::default();
        for n in 0..5 {
            let id = calls.next();
            assert_eq!(id, CallId(n));
            calls.open_short(id, 10 + n, 100 + n, u64::from(n));
        }
        calls.get_mut(CallId(2)).unwrap().cancel();
        let mut closing = calls.closing();
        assert_eq!(closing.close(CallId(1), 9), Some(101));
        assert_eq!(closing.close(CallId(1), 9), None, "it is over");
        assert_eq!(closing.close(CallId(2), 9), None, "nobody wants the reply");
        assert_eq!(closing.close(CallId(4), 3), None, "it was not written");
        assert_eq!(closing.close(CallId(7), 9), None, "there is none");
        assert_eq!(closing.close(CallId(3), 9), Some(103));
        drop(closing);
        assert_eq!((calls.len(), calls.bytes()), (3, 10 + 12 + 14));
        drop(calls.closing());
        assert_eq!((calls.len(), calls.bytes()), (3, 10 + 12 + 14));
        let mut next = || {
            let id = calls.next();
            calls.open_short(id, 0, 0, 0);
            id.0
        };
        assert_eq!([next(), next(), next()], [3, 1, 5], "the last one first, and then new ones");
    }
}
