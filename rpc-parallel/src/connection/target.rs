//! One call from the worker's side: where its answer goes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Waker,
};

use tokio::task::AbortHandle;

use crate::{
    connection::{RawReceiver, RawSender, Serial, Shared, core::Core, replies, too_big::TooBig},
    id::CallId,
    proto::{AbortReason, CallSide, StreamKey},
    wire::{Payload, Status},
};

/// Which call is meant, also after its handler has panicked.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) shared: Arc<Shared>,
    pub(crate) call: CallId,
    pub(crate) serial: Serial,
    pub(crate) one_way: bool,
    pub(crate) uploads: u8,
    /// There if there are uploads, which have to know whether the handler has answered.
    pub(crate) answered: Option<Arc<AtomicBool>>,
}

impl Target {
    /// Of a call that has no streams.
    pub(super) fn plain(shared: &Arc<Shared>, call: CallId, serial: Serial) -> Self {
        Self { shared: Arc::clone(shared), call, serial, one_way: false, uploads: 0, answered: None }
    }

    /// Whether nothing but the reply is left of the call once its handler is through.
    #[inline]
    pub(crate) fn is_alone(&self) -> bool {
        self.uploads == 0 && !self.one_way
    }

    /// The handler has answered: an upload that ends without a word has nothing to break any more.
    pub(crate) fn has_answered(&self) {
        if let Some(answered) = &self.answered {
            answered.store(true, Ordering::Release);
        }
    }

    /// Whether the handler has answered.
    pub(crate) fn is_answered(&self) -> bool {
        self.answered.as_ref().is_some_and(|answered| answered.load(Ordering::Acquire))
    }

    /// Why nobody waits for the answer any more.
    pub(super) fn aborted(&self) -> Option<AbortReason> {
        if self.one_way {
            return None;
        }
        let core = &mut *self.shared.lock();
        core.served.aborted(&core.session, self.call, self.serial)
    }

    /// Sends the call's one reply, unless it has one or is over.
    pub(crate) fn reply(&self, status: Status, payload: impl Into<Payload>) {
        let mut core = self.shared.lock();
        core.reply(self.call, self.serial, status, payload.into());
        self.shared.flush_soon(&mut core);
    }

    /// Sends the one reply of a call without uploads, and nothing after it.
    pub(crate) fn reply_and_close(&self, status: Status, payload: Payload) {
        let core = &mut *self.shared.lock();
        core.reply(self.call, self.serial, status, payload);
        core.served.finish(&core.session, self.call, self.serial);
        self.shared.flush_soon(core);
    }

    /// Ends the call with a failure, wherever it is: instead of a reply, or at the end of its stream.
    pub(crate) fn fail(&self, status: Status, payload: Vec<u8>) {
        if self.one_way {
            return;
        }
        replies::send(&self.shared);
        let mut guard = self.shared.lock();
        let core = &mut *guard;
        if core.served.has_replied(&core.session, self.call, self.serial) {
            let key = StreamKey { side: CallSide::Remote, call: self.call, stream: 0 };
            core.session.end_stream(key, status, payload);
            // Whoever writes it may be at work for a moment yet, and the next call may have the same id by then.
            let mut wakers = Vec::new();
            core.waiting.forget_writer(key, &mut wakers);
            self.shared.flush_soon(core);
            drop(guard);
            wakers.into_iter().for_each(Waker::wake);
        } else {
            drop(guard);
            self.reply(status, payload);
        }
    }

    /// Stops the uploads that nobody has asked for, from the first of them on.
    pub(crate) fn stop_uploads(&self, first: u8) {
        let mut core = self.shared.lock();
        let core = &mut *core;
        if !core.served.is_current(&core.session, self.call, self.serial) {
            return;
        }
        for stream in first..=self.uploads {
            let key = StreamKey { side: CallSide::Remote, call: self.call, stream };
            // Those that were asked for are stopped by whoever has them.
            let slot = core.waiting.claim_reader(key);
            if slot.is_some_and(|slot| core.waiting.remove_reader(key, slot)) {
                core.session.stop_stream(key);
            }
        }
        self.shared.flush_soon(core);
    }

    /// Nothing more comes from the handler.
    pub(crate) fn close(&self) {
        let core = &mut *self.shared.lock();
        core.served.finish(&core.session, self.call, self.serial);
    }

    /// Fails the call from outside its handler, and has the handler dropped.
    pub(crate) fn break_off(&self, status: Status, payload: Vec<u8>) {
        self.fail(status, payload);
        self.stop_uploads(1);
        let core = &mut *self.shared.lock();
        if core.served.is_current(&core.session, self.call, self.serial) {
            core.served.abort(&core.session, self.call, AbortReason::Cancelled);
        }
    }

    /// The reading half of an upload, once.
    pub(crate) fn receiver(&self, stream: u8) -> Option<RawReceiver> {
        let key = StreamKey { side: CallSide::Remote, call: self.call, stream };
        let core = &mut *self.shared.lock();
        if !core.served.is_current(&core.session, self.call, self.serial) {
            return None;
        }
        let slot = core.waiting.claim_reader(key)?;
        Some(RawReceiver::new(Arc::clone(&self.shared), key, slot))
    }

    /// Has the handler aborted when the call is. A one-way message cannot be.
    pub(crate) fn attach(&self, handler: AbortHandle) {
        if !self.one_way {
            let core = &mut *self.shared.lock();
            core.served.attach(&core.session, self.call, self.serial, handler);
        }
    }

    /// A one-way message of so many bytes is through.
    pub(crate) fn settle(&self, bytes: usize) {
        let mut core = self.shared.lock();
        if core.terminal.is_none() {
            core.session.settle_one_way(bytes);
            self.shared.flush_soon(&mut core);
        }
    }

    /// Sends the reply that a stream follows.
    pub(crate) fn open_download(&self, payload: impl Into<Payload>) -> Option<RawSender> {
        let Self { shared, call, serial, .. } = self;
        let mut core = shared.lock();
        let core = &mut *core;
        if core.terminal.is_some() || !core.served.replies(&core.session, *call, *serial) {
            return None;
        }
        match core.session.reply(*call, Status::Ok, payload, true) {
            Ok(()) => {
                let key = StreamKey { side: CallSide::Remote, call: *call, stream: 0 };
                let sender = RawSender::download(Arc::clone(shared), core, key);
                shared.flush_soon(core);
                Some(sender)
            }
            Err(error) => {
                let too_big = TooBig::payload(error.size, error.limit, "the first value");
                let _ = core.session.reply(*call, Status::TooBig, too_big, false);
                shared.flush_soon(core);
                None
            }
        }
    }
}

impl Core {
    /// Queues a call's one reply, unless it has one or is over.
    pub(super) fn reply(&mut self, call: CallId, serial: Serial, status: Status, payload: Payload) {
        if self.terminal.is_some() || !self.served.replies(&self.session, call, serial) {
            return self.session.discard_payload(payload);
        }
        self.reply_checked(call, status, payload);
    }

    /// Queues a reply, or that it is too big.
    pub(super) fn reply_checked(&mut self, call: CallId, status: Status, payload: Payload) {
        if let Err(error) = self.session.reply(call, status, payload, false) {
            let too_big = TooBig::payload(error.size, error.limit, "the reply");
            // The report is far below any limit that settings can have.
            let _ = self.session.reply(call, Status::TooBig, too_big, false);
        }
    }
}
