//! The calls that the peer has made.

use super::{
    call_streams::CallStreams,
    stream::{RecvHalf, SendHalf},
};
use crate::id::CallId;

/// The calls that the peer has made, by number.
#[derive(Debug, Default)]
pub(super) struct RemoteCalls {
    calls: Vec<RemoteCall>,
    open: usize,
    /// The bytes of the arguments of all that have no reply.
    bytes: usize,
    /// Counts the calls, so that a deadline knows its own.
    serial: u64,
    /// How many numbers were used. The table has no more; it has fewer where calls were answered as they came.
    used: u32,
}

/// One call of the peer.
#[derive(Debug, Default)]
pub(super) struct RemoteCall {
    state: RemoteState,
    /// Messages are limited to 2 GiB.
    bytes: u32,
    serial: u64,
    /// Where its last frame ends in the output: the peer cannot use the number again before it was written.
    pub(super) last_frame: u64,
    /// The session has ended all that the handler would have ended.
    pub(super) aborted: bool,
    pub(super) streams: CallStreams<RecvHalf, SendHalf>,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum RemoteState {
    #[default]
    Free,
    Running,
    Replied,
}

impl RemoteCalls {
    /// How many calls are open.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.open
    }

    /// Takes a call in, if its number may be used; `written` says how much of the output was. Returns its serial.
    pub(super) fn open(
        &mut self,
        id: CallId,
        size: usize,
        uploads: u8,
        window: usize,
        limits: (usize, usize),
        written: u64,
    ) -> Result<u64, String> {
        let (max_calls, max_bytes) = limits;
        let index = id.0 as usize;
        if index >= max_calls {
            return Err(format!("the call {id} is above the limit of {max_calls} open calls"));
        }
        // A table grows with the calls that were made, not with the numbers that they claim to have.
        if id.0 > self.used {
            return Err(format!("the call {id} skips a number that was never used"));
        }
        if self.bytes > 0 && self.bytes + size > max_bytes {
            let bytes = self.bytes + size;
            return Err(format!("the open calls have {bytes} bytes, more than the limit of {max_bytes} bytes"));
        }
        if index >= self.calls.len() {
            self.calls.resize_with(index + 1, RemoteCall::default);
            self.used = self.used.max(id.0 + 1);
        }
        let Some(call) = self.calls.get_mut(index) else { return Err(String::new()) };
        if call.state != RemoteState::Free {
            return Err(format!("the call {id} is open already"));
        }
        if call.last_frame > written {
            return Err(format!("the call {id} is used again before its reply was sent"));
        }
        self.serial += 1;
        self.open += 1;
        self.bytes += size;
        call.state = RemoteState::Running;
        call.aborted = false;
        call.bytes = size as u32;
        call.serial = self.serial;
        call.streams.open_uploads(uploads, || RecvHalf::open(window));
        Ok(self.serial)
    }

    /// Takes in a call that has nothing special, which was [lent](super::Run): its number may be used. Returns its serial.
    pub(super) fn open_lent(
        &mut self,
        id: CallId,
        size: usize,
        limits: (usize, usize),
        written: u64,
    ) -> Result<u64, String> {
        self.used = self.used.max(id.0.saturating_add(1));
        self.open(id, size, 0, 0, limits, written)
    }

    /// How many numbers the peer has used.
    #[inline]
    pub(super) fn used(&self) -> u32 {
        self.used
    }

    /// The peer has used so many numbers, of which none is above the limit.
    pub(super) fn set_used(&mut self, used: u32) {
        self.used = self.used.max(used);
    }

    /// Ends the call with this serial, if it waits for nothing but its reply, which ends at this place of the output.
    #[inline]
    pub(super) fn close_short(&mut self, id: CallId, serial: u64, last_frame: u64) -> bool {
        let Some(call) = self.calls.get_mut(id.0 as usize) else { return false };
        if !call.is_running() || call.serial != serial || call.streams.has_uploads() {
            return false;
        }
        call.state = RemoteState::Free;
        call.last_frame = last_frame;
        self.bytes -= call.bytes as usize;
        self.open -= 1;
        true
    }

    /// The serial of the last call that had this number; 0 if there was none.
    #[inline]
    pub(super) fn serial(&self, id: CallId) -> u64 {
        self.calls.get(id.0 as usize).map_or(0, |call| call.serial)
    }

    /// The call of this number, if there is one.
    #[inline]
    pub(super) fn get_mut(&mut self, id: CallId) -> Option<&mut RemoteCall> {
        self.calls.get_mut(id.0 as usize).filter(|call| call.state != RemoteState::Free)
    }

    /// The call of this number, if there is one.
    #[inline]
    pub(super) fn get(&self, id: CallId) -> Option<&RemoteCall> {
        self.calls.get(id.0 as usize).filter(|call| call.state != RemoteState::Free)
    }

    /// Whether the call with this serial still waits for its reply.
    #[inline]
    pub(super) fn is_running(&self, id: CallId, serial: u64) -> bool {
        self.get(id).is_some_and(|call| call.is_running() && call.serial == serial)
    }

    /// The reply is sent.
    pub(super) fn replied(&mut self, id: CallId) {
        if let Some(call) = self.calls.get_mut(id.0 as usize)
            && call.state == RemoteState::Running
        {
            call.state = RemoteState::Replied;
            self.bytes -= std::mem::take(&mut call.bytes) as usize;
        }
    }

    /// Forgets the call; its last frame ends at this place of the output.
    pub(super) fn free(&mut self, id: CallId, last_frame: u64) {
        if let Some(call) = self.get_mut(id) {
            call.state = RemoteState::Free;
            call.last_frame = last_frame;
            call.streams.clear();
            self.open -= 1;
        }
    }
}

impl RemoteCall {
    /// Whether there was no reply yet.
    #[inline]
    pub(super) fn is_running(&self) -> bool {
        self.state == RemoteState::Running
    }

    /// Whether everything was sent and received.
    pub(super) fn is_over(&self) -> bool {
        self.state == RemoteState::Replied && !self.streams.any(RecvHalf::is_unfinished, SendHalf::is_unfinished)
    }
}
