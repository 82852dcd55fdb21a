//! What waits to be written.

use std::{collections::VecDeque, io::IoSlice};

use super::StreamKey;
use crate::wire::{Frame, ITEMS_FRAME, LENGTH_PREFIX, Payload};

/// The queue of bytes towards the peer.
///
/// Small frames are appended to one buffer, so that a single write takes many of them. A large payload is queued as
/// it is and never copied.
#[derive(Debug, Default)]
pub(super) struct Output {
    /// Complete chunks, in order; the tail follows them.
    chunks: VecDeque<Vec<u8>>,
    tail: Vec<u8>,
    /// How much of the first chunk, or of the tail if there is none, was written.
    written: usize,
    /// All bytes that were ever queued.
    queued: u64,
    /// All bytes that were ever written.
    sent: u64,
    /// An `Items` frame at the end of the tail: whose, and where it starts.
    open_items: Option<(StreamKey, usize)>,
    /// An empty buffer to use again.
    spare: Vec<u8>,
}

/// Payloads from this size on are not copied.
const LARGE: usize = 16 << 10;

/// The size at which the tail becomes a chunk, so that what was written can be given back.
const CHUNK: usize = 64 << 10;

/// Above this many waiting bytes the peer counts as one that does not read: what can wait is not queued.
const CONGESTED: u64 = 256 << 10;

impl Output {
    /// Queues bytes that are no frame.
    pub(super) fn push_raw(&mut self, bytes: &[u8]) {
        self.open_items = None;
        self.tail.extend_from_slice(bytes);
        self.queued += bytes.len() as u64;
    }

    /// Queues a frame.
    #[inline]
    pub(super) fn push(&mut self, frame: Frame, payload: &[u8]) {
        let before = self.begin(frame, payload.len());
        self.tail.extend_from_slice(payload);
        self.finish(before);
    }

    /// Queues a frame with a payload of its own, which is not copied if it is large.
    #[inline]
    pub(super) fn push_owned(&mut self, frame: Frame, payload: Payload) {
        match payload {
            Payload::Owned(payload) if payload.len() >= LARGE => self.push_large(frame, payload),
            payload => self.push(frame, &payload),
        }
    }

    /// Queues a frame with a payload that is copied if it is small, and taken if it is large.
    #[inline]
    pub(super) fn push_from(&mut self, frame: Frame, payload: &mut Vec<u8>) {
        if payload.len() < LARGE {
            self.push(frame, payload);
        } else {
            self.push_large(frame, std::mem::take(payload));
        }
    }

    fn push_large(&mut self, frame: Frame, payload: Vec<u8>) {
        let before = self.begin(frame, payload.len());
        self.queued += (self.tail.len() - before + payload.len()) as u64;
        self.seal();
        self.chunks.push_back(payload);
    }

    /// Queues items, as part of the frame before if that is one of the same stream which has room.
    pub(super) fn push_items(&mut self, key: StreamKey, items: &[u8]) {
        if let Some((open, start)) = self.open_items
            && open == key
            && self.tail.len() - start + items.len() <= ITEMS_FRAME
            && let Some(prefix) = self.tail.get_mut(start..start + LENGTH_PREFIX)
            && let Ok(len) = <[u8; LENGTH_PREFIX]>::try_from(&*prefix)
        {
            let len = u32::from_le_bytes(len) + items.len() as u32;
            prefix.copy_from_slice(&len.to_le_bytes());
            self.tail.extend_from_slice(items);
            self.queued += items.len() as u64;
            return;
        }
        let start = self.tail.len();
        self.push(Frame::Items { call: key.call, stream: key.stream }, items);
        if self.tail.len() > start {
            self.open_items = Some((key, start));
        }
    }

    /// Whether there is something to write.
    pub(super) fn is_empty(&self) -> bool {
        self.queued == self.sent
    }

    /// Whether the peer reads too slowly for what is queued.
    pub(super) fn is_congested(&self) -> bool {
        self.queued - self.sent > CONGESTED
    }

    /// Where the queue ends, counted from the start of the connection.
    pub(super) fn end(&self) -> u64 {
        self.queued
    }

    /// How much was written since the start of the connection.
    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    /// Fills slices with what comes next, and returns how many it filled.
    pub(super) fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut skip = self.written;
        let mut filled = 0;
        let chunks = self.chunks.iter().chain([&self.tail]);
        for (slice, chunk) in slices.iter_mut().zip(chunks) {
            let rest = chunk.get(skip..).unwrap_or_default();
            skip = 0;
            // Only the tail can be empty, and it comes last.
            if !rest.is_empty() {
                *slice = IoSlice::new(rest);
                filled += 1;
            }
        }
        filled
    }

    /// Drops what was written.
    pub(super) fn advance(&mut self, bytes: usize) {
        self.sent = self.queued.min(self.sent + bytes as u64);
        self.written += bytes;
        while let Some(chunk) = self.chunks.front()
            && self.written >= chunk.len()
        {
            self.written -= chunk.len();
            if let Some(chunk) = self.chunks.pop_front() {
                self.reuse(chunk);
            }
        }
        if self.chunks.is_empty() {
            if self.written >= self.tail.len() {
                self.written = 0;
                self.open_items = None;
                self.tail.clear();
            } else if self.open_items.is_some_and(|(_, start)| start < self.written) {
                // Its length is on its way.
                self.open_items = None;
            }
        }
    }

    fn begin(&mut self, frame: Frame, payload: usize) -> usize {
        self.open_items = None;
        let before = self.tail.len();
        frame.encode(payload, &mut self.tail);
        before
    }

    fn finish(&mut self, before: usize) {
        self.queued += (self.tail.len() - before) as u64;
        if self.tail.len() >= CHUNK {
            self.seal();
        }
    }

    fn seal(&mut self) {
        let next = std::mem::take(&mut self.spare);
        self.open_items = None;
        self.chunks.push_back(std::mem::replace(&mut self.tail, next));
    }

    fn reuse(&mut self, mut chunk: Vec<u8>) {
        if chunk.capacity() > self.spare.capacity() && chunk.capacity() <= 4 * CHUNK {
            chunk.clear();
            self.spare = chunk;
        }
    }
}
