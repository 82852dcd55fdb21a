//! Giving up a call that was sent.

use std::{sync::Arc, task::Waker};

use crate::{
    connection::{Shared, callers::Removed},
    id::CallId,
    proto::{CallSide, StreamKey},
};

impl Shared {
    /// Gives a call up that was sent: the worker drops its handler.
    pub(super) fn cancel(self: &Arc<Self>, call: CallId, slot: u32) {
        let mut core = self.lock();
        let mut wakers = Vec::new();
        // Whatever it holds is dropped after the lock.
        let removed = core.waiting.callers.remove(slot);
        match removed.as_ref().and_then(Removed::reader) {
            // The reply was there already, so that only its stream can still be stopped.
            Some(Some(slot)) => {
                let key = StreamKey { side: CallSide::Local, call, stream: 0 };
                if core.waiting.remove_reader(key, slot) && core.terminal.is_none() {
                    core.session.stop_stream(key);
                }
            }
            Some(None) => {}
            None => {
                core.waiting.abandon(call, &mut wakers);
                if core.terminal.is_none() {
                    core.session.cancel(call);
                }
            }
        }
        self.flush_soon(&mut core);
        drop(core);
        drop(removed);
        wakers.into_iter().for_each(Waker::wake);
    }
}
