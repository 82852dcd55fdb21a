//! The replies of handlers that were through at once, sent together.

use std::{cell::RefCell, sync::Arc};

use crate::{
    connection::{
        Serial, Target,
        core::{Core, Shared},
    },
    id::CallId,
    wire::Status,
};

thread_local! {
    /// What the handlers of the connection that this thread serves right now have replied.
    static COLLECTED: RefCell<Collected> = const { RefCell::new(Collected { of: 0, replies: Vec::new(), payloads: Vec::new() }) };
}

/// Replies that are not queued yet, so that the connection is locked once for all of them.
#[derive(Debug, Default)]
pub(super) struct Collected {
    /// The connection by its address; 0 if this thread serves none.
    of: usize,
    replies: Vec<Reply>,
    /// The replies' payloads, one behind the other.
    payloads: Vec<u8>,
}

#[derive(Debug)]
struct Reply {
    call: CallId,
    serial: Serial,
    status: Status,
    payload: usize,
}

/// How much memory for payloads is kept.
const KEPT: usize = 64 << 10;

/// Collects replies on this thread while `work` enters the handlers of calls of this connection. What was collected is
/// in `collected` afterwards.
pub(super) fn collecting<T>(of: &Arc<Shared>, collected: &mut Collected, work: impl FnOnce() -> T) -> T {
    collected.of = Arc::as_ptr(of).addr();
    let before = COLLECTED.replace(std::mem::take(collected));
    let restore = Restore { before, collected };
    let result = work();
    drop(restore);
    result
}

/// Puts things back also if `work` panics.
struct Restore<'a> {
    before: Collected,
    collected: &'a mut Collected,
}

impl Drop for Restore<'_> {
    fn drop(&mut self) {
        *self.collected = COLLECTED.replace(std::mem::take(&mut self.before));
    }
}

/// Keeps the last word on a call for later, if this thread serves its connection: `write` appends its payload. None if it
/// does not.
pub(super) fn collect<E>(
    target: &Target,
    status: Status,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Option<Result<(), E>> {
    let mut payloads = COLLECTED.with_borrow_mut(|collected| {
        let ours = collected.of == Arc::as_ptr(&target.shared).addr();
        ours.then(|| Payloads { start: collected.payloads.len(), bytes: std::mem::take(&mut collected.payloads) })
    })?;
    // Whatever the value's `Serialize` does must find nothing borrowed.
    if let Err(error) = write(&mut payloads.bytes) {
        return Some(Err(error));
    }
    let payload = payloads.bytes.len() - payloads.start;
    payloads.start += payload;
    let reply = Reply { call: target.call, serial: target.serial, status, payload };
    COLLECTED.with_borrow_mut(|collected| collected.replies.push(reply));
    Some(Ok(()))
}

/// The payloads while one is added. What is not complete is taken away again, also if adding it panics.
struct Payloads {
    bytes: Vec<u8>,
    start: usize,
}

impl Drop for Payloads {
    fn drop(&mut self) {
        self.bytes.truncate(self.start);
        COLLECTED.with_borrow_mut(|collected| collected.payloads = std::mem::take(&mut self.bytes));
    }
}

/// Queues what this thread has collected for a connection, before something else is said about one of its calls.
pub(super) fn send(shared: &Shared) {
    COLLECTED.with_borrow_mut(|collected| {
        if collected.of == std::ptr::from_ref(shared).addr() && !collected.replies.is_empty() {
            shared.lock().send(collected);
        }
    });
}

impl Core {
    /// Queues what was collected.
    pub(super) fn send(&mut self, collected: &mut Collected) {
        let mut payloads = &collected.payloads[..];
        for Reply { call, serial, status, payload } in collected.replies.drain(..) {
            let Some((payload, rest)) = payloads.split_at_checked(payload) else { break };
            payloads = rest;
            if self.terminal.is_some() || !self.served.close(call, serial) {
                continue;
            }
            if !self.session.reply_short(call, status, payload) {
                self.reply_checked(call, status, payload.to_vec().into());
            }
        }
        collected.payloads.clear();
        collected.payloads.shrink_to(KEPT);
    }
}
