//! The reading half of a stream, untyped.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;

use crate::{
    connection::{Terminal, core::Shared},
    proto::StreamKey,
    wire::{Status, take_item},
};

/// Reads one stream. Dropping it asks the sender to stop.
#[derive(Debug)]
pub(crate) struct RawReceiver {
    shared: Arc<Shared>,
    key: StreamKey,
    slot: usize,
    /// What is left of the batch that is being read, and how long the batch was.
    batch: Bytes,
    batch_size: usize,
}

/// What a stream has come to.
#[derive(Debug)]
pub(crate) enum Received {
    Item(Bytes),
    /// The stream ended with this status, [`Status::Ok`] for a clean end.
    End(Status, Bytes),
    /// The connection ended.
    Lost(Terminal),
    /// The call that the stream belongs to is over, for a reason that was told elsewhere.
    Gone,
}

impl RawReceiver {
    /// A stream whose slot exists already.
    pub(super) fn new(shared: Arc<Shared>, key: StreamKey, slot: usize) -> Self {
        Self { shared, key, slot, batch: Bytes::new(), batch_size: 0 }
    }

    /// The next item, or how the stream ended. After an end it must not be polled again.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Received> {
        if let Some(item) = take_item(&mut self.batch) {
            return Poll::Ready(Received::Item(item));
        }
        let mut core = self.shared.lock();
        let core = &mut *core;
        let Some(reader) = core.waiting.readers.get_mut(self.slot) else { return Poll::Ready(Received::Gone) };
        let consumed = std::mem::take(&mut self.batch_size);
        if consumed > 0 && reader.ended.is_none() && !reader.gone {
            core.session.consumed(self.key, consumed);
            if core.session.transmit() && !core.driving && !core.blocked {
                self.shared.driver.wake();
            }
        }
        if let Some(batch) = reader.batches.pop_front() {
            self.batch_size = batch.len();
            self.batch = batch;
            if let Some(item) = take_item(&mut self.batch) {
                return Poll::Ready(Received::Item(item));
            }
        }
        if let Some((status, payload)) = reader.ended.clone() {
            return Poll::Ready(Received::End(status, payload));
        }
        if let Some(terminal) = core.terminal.clone() {
            return Poll::Ready(Received::Lost(terminal));
        }
        if reader.gone {
            return Poll::Ready(Received::Gone);
        }
        reader.wait(cx);
        Poll::Pending
    }
}

impl Drop for RawReceiver {
    fn drop(&mut self) {
        let mut core = self.shared.lock();
        if core.waiting.remove_reader(self.key, self.slot) && core.terminal.is_none() {
            core.session.stop_stream(self.key);
            self.shared.flush_soon(&core);
        }
    }
}
