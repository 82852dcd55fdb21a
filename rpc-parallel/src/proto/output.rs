//! What waits to be written.

use std::{collections::VecDeque, io::IoSlice, ops::Deref, time::Instant};

use bytes::Bytes;

use super::{StreamKey, pool::Pool};
use crate::{
    id::{CallId, FunctionId},
    wire::{Few, Frame, ITEMS_FRAME, LENGTH_PREFIX, Payload},
};

/// The queue of bytes towards the peer.
///
/// Small frames are appended to one buffer, so that a single write takes many of them. A large payload is queued as
/// it is and never copied.
#[derive(Debug, Default)]
pub(super) struct Output {
    /// Complete chunks, in order; the tail follows them.
    chunks: VecDeque<Chunk>,
    tail: Vec<u8>,
    /// How much of the first chunk, or of the tail if there is none, was written.
    written: usize,
    /// All bytes that were ever queued.
    queued: u64,
    /// All bytes that were ever written.
    sent: u64,
    /// A frame of items at the end of the tail: whose and of which size, and where it starts.
    open_items: Option<((StreamKey, u32), usize)>,
    /// An empty buffer to use again.
    spare: Vec<u8>,
}

/// A part of the queue.
#[derive(Debug)]
enum Chunk {
    /// Frames.
    Frames(Vec<u8>),
    /// The end of a large frame's payload, whoever it belongs to.
    Bulk(Bytes),
}

impl Deref for Chunk {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Frames(bytes) => bytes,
            Self::Bulk(bytes) => bytes,
        }
    }
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

    /// Queues a call that has nothing special, with `arguments` or, if they are there, a `few`. Returns where the queue ends
    /// then.
    #[inline(always)]
    pub(super) fn push_short_call(&mut self, call: CallId, function: FunctionId, few: Few, arguments: &[u8]) -> u64 {
        self.open_items = None;
        let before = self.tail.len();
        Frame::encode_short_call(call, function, few, arguments, &mut self.tail);
        self.finish(before);
        self.queued
    }

    /// Queues frames that are encoded already.
    pub(super) fn push_frames(&mut self, frames: &[u8]) {
        self.open_items = None;
        let before = self.tail.len();
        self.tail.extend_from_slice(frames);
        self.finish(before);
    }

    /// Queues a frame.
    #[inline(always)]
    pub(super) fn push(&mut self, frame: Frame, payload: &[u8]) {
        let before = self.begin(frame, payload.len());
        self.tail.extend_from_slice(payload);
        self.finish(before);
    }

    /// Queues a frame with a payload of its own, which is not copied if it is large.
    #[inline]
    pub(super) fn push_owned(&mut self, frame: Frame, payload: Payload) {
        match payload {
            Payload::Owned(payload) if payload.len() >= LARGE => self.push_bulk(frame, &[], payload.into()),
            Payload::Shared(payload) => self.push_bulk(frame, &[], payload),
            payload => self.push(frame, &payload),
        }
    }

    /// Queues a frame with a payload that is copied if it is small, and taken if it is large.
    #[inline]
    pub(super) fn push_from(&mut self, frame: Frame, payload: &mut Vec<u8>) {
        if payload.len() < LARGE {
            self.push(frame, payload);
        } else {
            self.push_bulk(frame, &[], std::mem::take(payload).into());
        }
    }

    /// Queues a frame whose payload is `head` and then `bulk`, of which the latter is not copied if it is large.
    pub(super) fn push_bulk(&mut self, frame: Frame, head: &[u8], bulk: Bytes) {
        let before = self.begin(frame, head.len() + bulk.len());
        self.tail.extend_from_slice(head);
        if bulk.len() < LARGE {
            self.tail.extend_from_slice(&bulk);
            return self.finish(before);
        }
        self.queued += (self.tail.len() - before + bulk.len()) as u64;
        self.seal();
        self.chunks.push_back(Chunk::Bulk(bulk));
    }

    /// Queues items, as part of the frame before if that is one of the same stream and size which has room.
    pub(super) fn push_items(&mut self, key: StreamKey, size: u32, items: &[u8]) {
        if let Some((open, start)) = self.open_items
            && open == (key, size)
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
        self.push(Frame::Items { call: key.call, stream: key.stream, size }, items);
        if self.tail.len() > start {
            self.open_items = Some(((key, size), start));
        }
    }

    /// Queues items after what `write` takes of them at once, if nothing waits before them.
    pub(super) fn push_items_through(
        &mut self,
        key: StreamKey,
        size: u32,
        items: &[u8],
        write: impl FnOnce(&[IoSlice<'_>]) -> usize,
    ) {
        if !self.is_empty() || items.len() > ITEMS_FRAME {
            return self.push_items(key, size, items);
        }
        // Nothing waits, so the tail is empty.
        let before = self.begin(Frame::Items { call: key.call, stream: key.stream, size }, items.len());
        let header = self.tail.len() - before;
        let written = write(&[IoSlice::new(self.tail.get(before..).unwrap_or_default()), IoSlice::new(items)]);
        self.sent += written.min(header + items.len()) as u64;
        self.queued += (header + items.len()) as u64;
        self.tail.drain(..before + written.min(header));
        self.tail.extend_from_slice(items.get(written.saturating_sub(header)..).unwrap_or_default());
    }

    /// Whether there is something to write.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.queued == self.sent
    }

    /// Whether the peer reads too slowly for what is queued.
    #[inline]
    pub(super) fn is_congested(&self) -> bool {
        self.queued - self.sent > CONGESTED
    }

    /// Where the queue ends, counted from the start of the connection.
    #[inline]
    pub(super) fn end(&self) -> u64 {
        self.queued
    }

    /// How much was written since the start of the connection.
    #[inline]
    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    /// Fills slices with what comes next, and returns how many it filled.
    pub(super) fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut skip = self.written;
        let mut filled = 0;
        let chunks = self.chunks.iter().map(Deref::deref).chain([&self.tail[..]]);
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

    /// Drops what was written. Large buffers go to the pool.
    pub(super) fn advance(&mut self, bytes: usize, pool: &mut Pool, now: Instant) {
        self.sent = self.queued.min(self.sent + bytes as u64);
        self.written += bytes;
        while let Some(chunk) = self.chunks.front()
            && self.written >= chunk.len()
        {
            self.written -= chunk.len();
            match self.chunks.pop_front() {
                Some(Chunk::Frames(chunk)) => self.reuse(chunk),
                Some(Chunk::Bulk(bytes)) => pool.give(bytes, now),
                None => {}
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

    #[inline(always)]
    fn begin(&mut self, frame: Frame, payload: usize) -> usize {
        self.open_items = None;
        let before = self.tail.len();
        frame.encode(payload, &mut self.tail);
        before
    }

    #[inline(always)]
    fn finish(&mut self, before: usize) {
        self.queued += (self.tail.len() - before) as u64;
        if self.tail.len() >= CHUNK {
            self.seal();
        }
    }

    #[cold]
    #[inline(never)]
    fn seal(&mut self) {
        let next = std::mem::take(&mut self.spare);
        self.open_items = None;
        self.chunks.push_back(Chunk::Frames(std::mem::replace(&mut self.tail, next)));
    }

    fn reuse(&mut self, mut chunk: Vec<u8>) {
        if chunk.capacity() > self.spare.capacity() && chunk.capacity() <= 4 * CHUNK {
            chunk.clear();
            self.spare = chunk;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{id::CallId, proto::CallSide};

    #[test]
    fn what_a_write_does_not_take_of_items_is_queued() {
        let key = StreamKey { side: CallSide::Local, call: CallId(3), stream: 1 };
        let items = [7; 100];
        let mut whole = Output::default();
        whole.push_items(key, 1, &items);
        let whole = whole.tail;
        for taken in 0..=whole.len() {
            let (mut output, mut written) = (Output::default(), Vec::new());
            output.push_items_through(key, 1, &items, |slices| {
                slices.iter().for_each(|slice| written.extend_from_slice(slice));
                written.truncate(taken);
                taken
            });
            assert_eq!((output.sent(), output.end()), (taken as u64, whole.len() as u64));
            assert_eq!(output.is_empty(), taken == whole.len());
            output.push_items_through(key, 1, &items, |slices| {
                assert!(taken == whole.len());
                slices.iter().for_each(|slice| written.extend_from_slice(slice));
                whole.len()
            });
            let mut slices = [IoSlice::new(&[]); 4];
            let count = output.slices(&mut slices);
            slices[..count].iter().for_each(|slice| written.extend_from_slice(slice));
            assert_eq!(written, whole.repeat(2));
        }
    }
}
