//! The replies of handlers that were through at once, sent together.

use std::{cell::RefCell, sync::Arc};

use crate::{
    connection::{
        Serial, Target,
        core::{Core, Shared},
    },
    id::CallId,
    wire::{Payload, Status},
};

thread_local! {
    /// What the handlers of the connection that this thread serves right now have replied.
    static COLLECTED: RefCell<Collected> = const { RefCell::new(Collected { of: 0, replies: Vec::new() }) };
}

/// Replies that are not queued yet, so that the connection is locked once for all of them.
#[derive(Debug, Default)]
pub(super) struct Collected {
    /// The connection by its address; 0 if this thread serves none.
    of: usize,
    replies: Vec<Reply>,
}

#[derive(Debug)]
struct Reply {
    call: CallId,
    serial: Serial,
    status: Status,
    payload: Payload,
}

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

/// Keeps the last word on a call for later, if this thread serves its connection; otherwise it is given back.
pub(super) fn collect(target: &Target, status: Status, payload: Payload) -> Option<Payload> {
    COLLECTED.with_borrow_mut(|collected| {
        if collected.of != Arc::as_ptr(&target.shared).addr() {
            return Some(payload);
        }
        collected.replies.push(Reply { call: target.call, serial: target.serial, status, payload });
        None
    })
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
        for Reply { call, serial, status, payload } in collected.replies.drain(..) {
            self.reply(call, serial, status, payload);
            self.served.finish(call, serial);
        }
    }
}
