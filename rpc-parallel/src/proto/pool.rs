//! The buffers of large messages, used again.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};

use crate::wire::Payload;

/// Empty buffers of large messages that are through, for those that come next.
///
/// The pages of a fresh buffer cost more than what is copied into them. What was written becomes what is read into:
/// so a worker that answers as much as it is sent needs no fresh memory. Nothing is kept for long after the last large
/// message: see [`IDLE`].
#[derive(Debug, Default)]
pub(super) struct Pool {
    /// In the order in which they came.
    buffers: Vec<BytesMut>,
    /// When to look whether the buffers are still of use, as long as there are some.
    due: Option<Instant>,
    /// Whether one was taken or given since the last look.
    used: bool,
    /// What others have a part in. Dropping it can run their code, which is not for here.
    foreign: Vec<Bytes>,
}

/// How long buffers are kept that nobody uses; it may be twice as long, because looking is rare.
const IDLE: Duration = Duration::from_secs(1);

/// How many are kept: a request and a reply that are both on the way, twice.
const COUNT: usize = 4;

/// How many bytes they may have together. A single one may have more.
const BYTES: usize = 16 << 20;

/// Smaller buffers come from the allocator without page faults.
const SMALLEST: usize = 64 << 10;

impl Pool {
    /// A buffer for so many bytes, if there is one that is not much too large.
    pub(super) fn take(&mut self, size: usize) -> Option<BytesMut> {
        let fits = |buffer: &BytesMut| (size..=size.saturating_mul(2)).contains(&buffer.capacity());
        let candidates = self.buffers.iter().enumerate().filter(|(_, buffer)| fits(buffer));
        let (index, _) = candidates.min_by_key(|(_, buffer)| buffer.capacity())?;
        self.used = true;
        Some(self.buffers.remove(index))
    }

    /// Keeps the memory of what is through, unless somebody else still looks at it.
    pub(super) fn give(&mut self, bytes: Bytes, now: Instant) {
        let mut buffer = match bytes.try_into_mut() {
            Ok(buffer) if buffer.len() >= SMALLEST => buffer,
            Ok(_) => return,
            Err(bytes) => return self.foreign.push(bytes),
        };
        buffer.clear();
        // What is in front of a slice counts, too.
        let _ = buffer.try_reclaim(buffer.capacity() + 1);
        let size = buffer.capacity();
        while !self.buffers.is_empty() && (self.buffers.len() >= COUNT || self.bytes() + size > BYTES) {
            self.buffers.remove(0);
        }
        self.buffers.push(buffer);
        self.used = true;
        self.due.get_or_insert(now + IDLE);
    }

    /// What is of no use any more, but is not ours.
    pub(super) fn discard(&mut self, payload: Payload) {
        if let Payload::Shared(bytes) = payload {
            self.foreign.push(bytes);
        }
    }

    /// Whether there is something of others.
    pub(super) fn has_foreign(&self) -> bool {
        !self.foreign.is_empty()
    }

    /// What others have a part in.
    pub(super) fn take_foreign(&mut self) -> Vec<Bytes> {
        std::mem::take(&mut self.foreign)
    }

    /// When to call [`expire`](Self::expire).
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Lets the buffers go if they are of no use any more.
    pub(super) fn expire(&mut self, now: Instant) {
        if self.due.is_some_and(|due| due <= now) {
            self.due = if std::mem::take(&mut self.used) { Some(now + IDLE) } else { None };
            if self.due.is_none() {
                self.clear();
            }
        }
    }

    /// Lets all buffers go.
    pub(super) fn clear(&mut self) {
        self.buffers = Vec::new();
        self.due = None;
    }

    /// The memory that it holds.
    pub(super) fn bytes(&self) -> usize {
        self.buffers.iter().map(BytesMut::capacity).sum()
    }
}

#[cfg(test)]
mod tests;
