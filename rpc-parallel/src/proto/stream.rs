//! The two ends of one stream.

/// The end that sends.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SendHalf {
    state: SendHalfState,
    /// How many bytes the receiver still takes. Negative after an item that was larger than what was left.
    credit: i64,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum SendHalfState {
    /// There is no such stream, or it was ended.
    #[default]
    Ended,
    Open,
    /// The receiver asked for the end.
    Stopped,
}

impl SendHalf {
    /// A stream whose receiver takes this much.
    pub(super) fn open(window: usize) -> Self {
        Self { state: SendHalfState::Open, credit: window as i64 }
    }

    /// Whether the end was not sent yet.
    pub(super) fn is_unfinished(&self) -> bool {
        self.state != SendHalfState::Ended
    }

    /// Whether items may be sent at all.
    pub(super) fn is_open(&self) -> bool {
        self.state == SendHalfState::Open
    }

    /// How much may be sent now.
    pub(super) fn credit(&self) -> i64 {
        if self.is_open() { self.credit } else { 0 }
    }

    /// Some was sent.
    pub(super) fn spend(&mut self, bytes: usize) {
        self.credit -= bytes as i64;
    }

    /// The receiver takes more. Says whether sending became possible by that.
    pub(super) fn refill(&mut self, bytes: u64) -> bool {
        let before = self.credit;
        self.credit = self.credit.saturating_add(i64::try_from(bytes).unwrap_or(i64::MAX));
        self.is_open() && before <= 0 && self.credit > 0
    }

    /// The receiver asks for the end. Says whether that is news.
    pub(super) fn stop(&mut self) -> bool {
        let news = self.is_open();
        if news {
            self.state = SendHalfState::Stopped;
        }
        news
    }

    /// The end is sent. Says whether it was not before.
    pub(super) fn end(&mut self) -> bool {
        let news = self.is_unfinished();
        self.state = SendHalfState::Ended;
        news
    }
}

/// The end that receives.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RecvHalf {
    state: RecvHalfState,
    /// How many bytes the sender still may send, as far as it was told.
    pub(super) granted: i64,
    /// How many bytes the reader has got and not consumed.
    held: usize,
    /// How many bytes were consumed, and the sender was not told.
    owed: usize,
    /// Whether the session has noted that this stream owes credit.
    pub(super) noted: bool,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum RecvHalfState {
    /// There is no such stream, or its end was received.
    #[default]
    Ended,
    Open,
    /// Not wanted any more; the end has not come yet.
    Discarding {
        /// Whether someone still waits for the end.
        silent: bool,
    },
}

impl RecvHalf {
    /// A stream of which this much is taken.
    pub(super) fn open(window: usize) -> Self {
        Self { state: RecvHalfState::Open, granted: window as i64, ..Self::default() }
    }

    /// Whether the end was not received yet.
    pub(super) fn is_unfinished(&self) -> bool {
        self.state != RecvHalfState::Ended
    }

    /// Whether items are wanted.
    pub(super) fn is_open(&self) -> bool {
        self.state == RecvHalfState::Open
    }

    /// Items came, after which the sender has this credit left. Says whether they are wanted.
    pub(super) fn receive(&mut self, bytes: usize, granted: i64) -> bool {
        self.granted = granted;
        if self.is_open() {
            self.held += bytes;
        } else {
            self.owed += bytes;
        }
        self.is_open()
    }

    /// The reader took some.
    pub(super) fn consume(&mut self, bytes: usize) {
        let bytes = bytes.min(self.held);
        self.held -= bytes;
        self.owed += bytes;
    }

    /// No more is wanted: what the reader holds counts as consumed. Says whether that is news.
    pub(super) fn discard(&mut self, silent: bool) -> bool {
        match self.state {
            RecvHalfState::Ended => false,
            RecvHalfState::Open => {
                self.owed += std::mem::take(&mut self.held);
                self.state = RecvHalfState::Discarding { silent };
                true
            }
            RecvHalfState::Discarding { silent: before } => {
                self.state = RecvHalfState::Discarding { silent: before || silent };
                false
            }
        }
    }

    /// The end came. Says whether someone waits for it.
    pub(super) fn end(&mut self) -> bool {
        let heard = self.state != RecvHalfState::Discarding { silent: true };
        self.state = RecvHalfState::Ended;
        heard
    }

    /// Whether enough is owed to tell the sender: telling it of every item would be as much traffic as the items.
    pub(super) fn owes(&self, window: usize) -> bool {
        self.is_unfinished() && self.owed >= (window / 2).max(1)
    }

    /// The credit to tell the sender of, if it is enough.
    pub(super) fn take_owed(&mut self, window: usize) -> Option<u64> {
        self.noted = false;
        if !self.owes(window) {
            return None;
        }
        let bytes = std::mem::take(&mut self.owed);
        self.granted += bytes as i64;
        Some(bytes as u64)
    }
}
