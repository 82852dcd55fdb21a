//! The reading half of a stream, untyped.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;

use crate::{
    connection::{Terminal, core::Shared},
    proto::StreamKey,
    wire::{Items, Status},
};

/// Reads one stream. Dropping it asks the sender to stop.
#[derive(Debug)]
pub(crate) struct RawReceiver {
    shared: Arc<Shared>,
    key: StreamKey,
    slot: usize,
    /// The batch that is being read, and how far.
    batch: Items,
    at: usize,
}

/// How a stream has ended.
#[derive(Debug)]
pub(crate) enum End {
    /// With this status, [`Status::Ok`] for a clean end.
    Told(Status, Bytes),
    /// With its connection.
    Lost(Terminal),
    /// With the call that it belongs to, for a reason that was told elsewhere.
    Gone,
}

impl RawReceiver {
    /// A stream whose slot exists already.
    pub(super) fn new(shared: Arc<Shared>, key: StreamKey, slot: usize) -> Self {
        Self { shared, key, slot, batch: Items::default(), at: 0 }
    }

    /// The next item of what is here already: all bytes from there on, and how many of them it has.
    #[inline]
    pub(crate) fn next_item(&mut self) -> Option<(&[u8], usize)> {
        self.batch.item_at(&mut self.at)
    }

    /// What is here already, and from where on it was not taken.
    #[inline]
    pub(crate) fn items(&mut self) -> (&Items, &mut usize) {
        (&self.batch, &mut self.at)
    }

    /// Waits for items, of which there are none left: `None` if there are some now, or how the stream ended. After an
    /// end it must not be polled again.
    pub(crate) fn poll_items(&mut self, cx: &mut Context<'_>) -> Poll<Option<End>> {
        let mut core = self.shared.lock();
        let core = &mut *core;
        let Some(reader) = core.waiting.readers.get_mut(self.slot) else { return Poll::Ready(Some(End::Gone)) };
        let consumed = std::mem::take(&mut self.batch).bytes.len();
        while self.batch.bytes.is_empty()
            && let Some(batch) = reader.batches.pop_front()
        {
            (self.batch, self.at) = (batch, 0);
        }
        let open = reader.ended.is_none() && !reader.gone;
        let news = if !self.batch.bytes.is_empty() {
            Poll::Ready(None)
        } else if let Some((status, payload)) = reader.ended.clone() {
            Poll::Ready(Some(End::Told(status, payload)))
        } else if let Some(terminal) = core.terminal.clone() {
            Poll::Ready(Some(End::Lost(terminal)))
        } else if reader.gone {
            Poll::Ready(Some(End::Gone))
        } else {
            reader.wait(cx);
            Poll::Pending
        };
        if consumed > 0 && open {
            core.session.consumed(self.key, consumed);
            if core.session.transmit() {
                self.shared.flush_now(core);
            }
        }
        news
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
