//! The reading half of a stream, untyped.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;

use crate::{
    connection::{Terminal, core::Shared},
    proto::StreamKey,
    wire::{Status, item_at},
};

/// Reads one stream. Dropping it asks the sender to stop.
#[derive(Debug)]
pub(crate) struct RawReceiver {
    shared: Arc<Shared>,
    key: StreamKey,
    slot: usize,
    /// The batch that is being read, and how far.
    batch: Bytes,
    at: usize,
}

/// What a stream has come to.
#[derive(Debug)]
pub(crate) enum Received<T> {
    Item(T),
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
        Self { shared, key, slot, batch: Bytes::new(), at: 0 }
    }

    /// The next item, decoded, or how the stream ended. After an end it must not be polled again.
    pub(crate) fn poll_next<T>(
        &mut self,
        cx: &mut Context<'_>,
        decode: impl FnOnce(&[u8]) -> T,
    ) -> Poll<Received<T>> {
        if let Some(item) = item_at(&self.batch, &mut self.at) {
            return Poll::Ready(Received::Item(decode(item)));
        }
        let mut core = self.shared.lock();
        let core = &mut *core;
        let Some(reader) = core.waiting.readers.get_mut(self.slot) else { return Poll::Ready(Received::Gone) };
        let consumed = std::mem::take(&mut self.batch).len();
        if consumed > 0 && reader.ended.is_none() && !reader.gone {
            core.session.consumed(self.key, consumed);
            if core.session.transmit() && !core.driving && !core.blocked && !core.woken {
                core.woken = true;
                self.shared.driver.wake();
            }
        }
        if let Some(batch) = reader.batches.pop_front() {
            (self.batch, self.at) = (batch, 0);
            if let Some(item) = item_at(&self.batch, &mut self.at) {
                return Poll::Ready(Received::Item(decode(item)));
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
            self.shared.flush_soon(&mut core);
        }
    }
}
