//! When calls of the peer have to be answered.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    time::{Duration, Instant},
};

use crate::id::CallId;

/// The deadlines of the peer's calls. Only calls that have one cost something here.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    heap: BinaryHeap<Reverse<(Instant, u64, CallId)>>,
}

impl Deadlines {
    /// Notes the deadline of a call, and returns it as an instant. None if it is beyond all instants. The closure
    /// says which calls still run: those that do not are forgotten from time to time.
    pub(super) fn add(
        &mut self,
        now: Instant,
        deadline: Duration,
        (call, serial): (CallId, u64),
        open: usize,
        is_running: impl Fn(CallId, u64) -> bool,
    ) -> Option<Instant> {
        let at = now.checked_add(deadline)?;
        // A peer could make calls with long deadlines for ever.
        if self.heap.len() > 2 * open + 64 {
            self.heap.retain(|Reverse((_, serial, call))| is_running(*call, *serial));
        }
        self.heap.push(Reverse((at, serial, call)));
        Some(at)
    }

    /// A call whose deadline has passed, with its serial; it may be over long since.
    pub(super) fn pop(&mut self, now: Instant) -> Option<(CallId, u64)> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse((_, serial, call))| (call, serial))
    }

    /// The next deadline.
    pub(super) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, ..))| *at)
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        self.heap.clear();
    }

    /// How many there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }
}
