//! The replies of handlers that were through at once, sent together.

use std::sync::Arc;

use crate::{
    codec::CodecError,
    connection::{
        Serial,
        core::{Core, Shared},
        entered::entered,
    },
    id::CallId,
    wire::{Frame, LENGTH_PREFIX, Status},
};

/// Replies that are not queued yet, so that the connection is locked once for all of them.
#[derive(Debug, Default)]
pub(super) struct Collected {
    /// The connection by its address; 0 if none is served.
    of: usize,
    /// The largest reply that both sides take.
    limit: usize,
    replies: Vec<Reply>,
    /// The replies as they go over the wire, one behind the other.
    frames: Vec<u8>,
}

/// Where a reply is.
#[derive(Debug)]
struct Reply {
    call: CallId,
    serial: Serial,
    status: Status,
    payload: usize,
    end: usize,
}

/// How much memory for replies is kept.
const KEPT: usize = 64 << 10;

impl Collected {
    pub(super) const fn new() -> Self {
        Self { of: 0, limit: 0, replies: Vec::new(), frames: Vec::new() }
    }

    /// Collects replies on this connection from now on.
    pub(super) fn begin(&mut self, of: &Arc<Shared>) {
        (self.of, self.limit) = (Arc::as_ptr(of).addr(), of.message_limit());
    }
}

/// Keeps the one reply of the current call for later, if this thread serves its connection: `write` appends the payload to
/// a buffer, which may become as long as the given limit. None if it does not.
#[inline]
pub(crate) fn collect(
    status: Status,
    write: impl FnOnce(&mut Vec<u8>, usize) -> Result<(), CodecError>,
) -> Option<Result<(), CodecError>> {
    entered(|entered| {
        let (of, call, serial) = {
            let current = entered.call.try_borrow().ok()?;
            let target = current.as_ref()?.target();
            if !target.is_alone() {
                return None;
            }
            (Arc::as_ptr(&target.shared).addr(), target.call, target.serial)
        };
        // Whatever the value's `Serialize` does, it comes here only where a reply is none of its business.
        let mut collected = entered.replies.try_borrow_mut().ok().filter(|collected| collected.of == of)?;
        let Collected { limit, replies, frames, .. } = &mut **collected;
        // What is behind the last reply is of one that failed.
        let start = replies.last().map_or(0, |last| last.end);
        frames.truncate(start);
        Frame::Reply { call, status, download: false }.encode(0, frames);
        let payload = frames.len();
        if let Err(error) = write(frames, payload + *limit) {
            return Some(Err(error.after(payload)));
        }
        let end = frames.len();
        if let Some(prefix) = frames.get_mut(start..start + LENGTH_PREFIX) {
            // Messages are limited to 2 GiB.
            prefix.copy_from_slice(&((end - start - LENGTH_PREFIX) as u32).to_le_bytes());
        }
        replies.push(Reply { call, serial, status, payload, end });
        Some(Ok(()))
    })
}

/// Queues what this thread has collected for a connection, before something else is said about one of its calls.
pub(super) fn send(shared: &Shared) {
    entered(|entered| {
        if let Ok(mut collected) = entered.replies.try_borrow_mut()
            && collected.of == std::ptr::from_ref(shared).addr()
            && !collected.replies.is_empty()
        {
            shared.lock().send(&mut collected);
        }
    });
}

impl Core {
    /// Queues what was collected.
    pub(super) fn send(&mut self, collected: &mut Collected) {
        let Collected { replies, frames, .. } = collected;
        // Those from here on are queued together.
        let (mut start, mut until) = (0, 0);
        for Reply { call, serial, status, payload, end } in replies.drain(..) {
            let ours = self.terminal.is_none() && self.served.close(call, serial);
            if ours && self.session.close_replied(call, end - start) {
                until = end;
                continue;
            }
            self.session.push_replies(frames.get(start..until).unwrap_or_default());
            if ours {
                self.reply_checked(call, status, frames.get(payload..end).unwrap_or_default().to_vec().into());
            }
            (start, until) = (end, end);
        }
        self.session.push_replies(frames.get(start..until).unwrap_or_default());
        frames.clear();
        frames.shrink_to(KEPT);
    }
}
