//! Short calls, lent as they came.
//!
//! Most calls of a busy connection are short, have nothing special, and are answered where their handler is entered. What the
//! session would note of such a call it would strike out at once. So it lends the bytes, and notes only those calls that
//! somebody asks for: whose handler waits, or wants to know whether its caller does.

use bytes::{Buf, BytesMut};

use super::Session;
use crate::{
    id::{CallId, FunctionId},
    wire::{FRAME_ALLOWANCE, ShortCall, short_call},
};

/// The input of a session from the next short call on. While it is lent nobody else takes frames, and the session does not
/// count as idle.
#[derive(Debug, Default)]
pub(crate) struct Run {
    bytes: BytesMut,
    /// Where the next frame is.
    at: usize,
    /// How many numbers the peer has used for calls.
    used: u32,
    /// How many it may use.
    limit: u32,
}

impl Run {
    /// The next call, and bytes that its arguments, so many, begin. None if the next frame is anything else, or not all there.
    #[inline(always)]
    pub(crate) fn next(&mut self) -> Option<(CallId, FunctionId, &[u8], usize)> {
        let Self { bytes, at, used, limit } = self;
        let rest = bytes.get(*at..)?;
        let ShortCall { call, function, payload: (start, end) } = short_call(rest)?;
        if call.0 >= *used {
            // Neither above the limit, nor beyond the next number that was never used.
            if call.0 > *used || call.0 >= *limit {
                return None;
            }
            *used += 1;
        }
        *at += end;
        Some((call, function, rest.get(start..)?, end - start))
    }
}

impl Session {
    /// Lends the input if short calls come next. The replies to them are [pushed](Self::push_replies).
    ///
    /// A peer that does not read gets none lent: whose replies wait is noted, so that no number is used again before its
    /// reply was written.
    #[inline]
    pub(crate) fn lend(&mut self, run: &mut Run) -> bool {
        if self.lent || !self.is_plain() || self.graceful.is_some() || self.output.is_congested() {
            return false;
        }
        let (used, limit) = (self.remote.used(), u32::try_from(self.settings.max_open_calls).unwrap_or(u32::MAX));
        match short_call(self.input.bytes()) {
            Some(ShortCall { call, .. }) if call.0 < limit && call.0 <= used => {}
            _ => return false,
        }
        (run.at, run.used, run.limit) = (0, used, limit);
        self.input.exchange(&mut run.bytes);
        self.lent = true;
        true
    }

    /// Notes a call of the lent input that was not answered, whose arguments have this size. Returns its serial; none if it must not be open.
    pub(crate) fn open_lent(&mut self, id: CallId, size: usize) -> Option<u64> {
        if self.is_closed() {
            return None;
        }
        let limits = (self.settings.max_open_calls, self.settings.max_open_bytes);
        match self.remote.open_lent(id, size, limits, self.output.sent()) {
            Ok(serial) => Some(serial),
            Err(text) => {
                self.violation(text);
                None
            }
        }
    }

    /// Takes the input back, from the frame on that is next. Returns whether there is something to look at: that frame, or the
    /// end of the connection.
    pub(crate) fn take_back(&mut self, run: &mut Run) -> bool {
        self.lent = false;
        self.remote.set_used(run.used);
        run.bytes.advance(run.at.min(run.bytes.len()));
        if self.is_closed() {
            run.bytes = BytesMut::new();
        } else {
            self.input.exchange(&mut run.bytes);
        }
        self.after_change();
        self.is_closed() || self.input.has_frame(self.settings.max_message_size + FRAME_ALLOWANCE)
    }
}
