//! The budgets of one-way messages, which have no reply that would give theirs back.

/// What the sender has on the way.
#[derive(Debug, Default)]
pub(super) struct SentOneWay {
    calls: u64,
    bytes: u64,
}

impl SentOneWay {
    /// How many are on the way, and their bytes.
    pub(super) fn open(&self) -> (usize, usize) {
        (self.calls as usize, self.bytes as usize)
    }

    /// One was sent.
    pub(super) fn send(&mut self, size: usize) {
        self.calls += 1;
        self.bytes += size as u64;
    }

    /// The receiver is done with some. Fails if there were not so many.
    pub(super) fn settle(&mut self, calls: u64, bytes: u64) -> Result<(), &'static str> {
        const WRONG: &str = "more one-way messages are settled than were sent";
        self.calls = self.calls.checked_sub(calls).ok_or(WRONG)?;
        self.bytes = self.bytes.checked_sub(bytes).ok_or(WRONG)?;
        Ok(())
    }

    /// Whether none is on the way.
    pub(super) fn is_idle(&self) -> bool {
        self.calls == 0
    }
}

/// What the receiver works on.
#[derive(Debug)]
pub(super) struct ReceivedOneWay {
    /// All that the sender counts as on the way.
    unsettled: (u64, u64),
    /// The part of it that is finished.
    finished: (u64, u64),
    max_calls: u64,
    max_bytes: u64,
    /// The sender is told at the latest when so much is finished: a quarter of the limit, so that it never waits
    /// long; and never so much that the largest message has no room when nothing is being worked on.
    batch: (u64, u64),
    /// Somebody waits for the last one: tell the sender of each.
    pub(super) eager: bool,
}

impl ReceivedOneWay {
    /// A budget of so many messages, with so many bytes, none of them above this size.
    pub(super) fn new(max_calls: usize, max_bytes: usize, max_size: usize) -> Self {
        Self {
            unsettled: (0, 0),
            finished: (0, 0),
            max_calls: max_calls as u64,
            max_bytes: max_bytes as u64,
            batch: ((max_calls / 4).max(1) as u64, (max_bytes / 4).min(max_bytes.saturating_sub(max_size)) as u64),
            eager: false,
        }
    }

    /// A message came. Fails if the sender must not have sent it.
    pub(super) fn receive(&mut self, size: usize) -> Result<(), String> {
        let (calls, bytes) = (self.unsettled.0 + 1, self.unsettled.1 + size as u64);
        if calls > self.max_calls {
            return Err(format!("{calls} one-way messages are open, more than the limit of {}", self.max_calls));
        }
        if self.unsettled.1 > 0 && bytes > self.max_bytes {
            let limit = self.max_bytes;
            return Err(format!(
                "the open one-way messages have {bytes} bytes, more than the limit of {limit} bytes"
            ));
        }
        self.unsettled = (calls, bytes);
        Ok(())
    }

    /// The handler of a message is done.
    pub(super) fn finish(&mut self, size: usize) {
        // Never more than there are, even if the driver counts wrongly.
        self.finished.0 = self.unsettled.0.min(self.finished.0 + 1);
        self.finished.1 = self.unsettled.1.min(self.finished.1 + size as u64);
    }

    /// What to tell the sender now, as calls and bytes.
    pub(super) fn take_settled(&mut self) -> Option<(u64, u64)> {
        let (calls, bytes) = self.finished;
        let due = self.eager && calls > 0 || calls >= self.batch.0 || bytes > self.batch.1;
        if !due {
            return None;
        }
        self.finished = (0, 0);
        self.unsettled = (self.unsettled.0 - calls, self.unsettled.1 - bytes);
        Some((calls, bytes))
    }

    /// Whether no handler works on one.
    pub(super) fn is_idle(&self) -> bool {
        self.unsettled.0 == self.finished.0
    }
}
