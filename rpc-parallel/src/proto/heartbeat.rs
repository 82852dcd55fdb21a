//! When to show life, and when the peer shows none.

use std::time::{Duration, Instant};

use crate::settings::HeartbeatSettings;

/// The heartbeat of one side.
///
/// The peer is lost once `limit` heartbeats were sent without hearing anything. Heartbeats are counted rather than
/// seconds, because a process that was itself stopped or busy has not listened and must not blame its peer.
#[derive(Debug)]
pub(super) struct Heartbeat {
    every: Duration,
    next: Instant,
    /// How many may go without an answer; none if this side does not watch the peer.
    limit: Option<u32>,
    /// How long the peer may be silent, for the error.
    timeout: Duration,
    unanswered: u32,
    /// Whether the last one came late, and was not counted for that.
    forgave: bool,
}

/// What a moment asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Beat {
    /// Nothing yet.
    Wait,
    /// A heartbeat has to be sent.
    Send,
    /// The peer is lost: so many heartbeats had no answer.
    Lapse {
        /// How many.
        unanswered: u32,
        /// How long the peer may be silent.
        timeout: Duration,
    },
}

impl Heartbeat {
    /// The heartbeat that follows from both sides' settings: as often as the more impatient one wants.
    pub(super) fn new(own: Option<HeartbeatSettings>, peer: Option<HeartbeatSettings>, now: Instant) -> Option<Self> {
        let every = own.into_iter().chain(peer).map(|settings| settings.send_every).min()?;
        // The peer's value is not checked anywhere else.
        let every = every.max(Duration::from_millis(1));
        let limit = own.map(|own| own.timeout.as_nanos().div_ceil(every.as_nanos()));
        Some(Self {
            every,
            next: now.checked_add(every)?,
            limit: limit.map(|limit| u32::try_from(limit).unwrap_or(u32::MAX).max(1)),
            timeout: own.map_or(Duration::ZERO, |own| own.timeout),
            unanswered: 0,
            forgave: false,
        })
    }

    /// When the next one is due.
    pub(super) fn next(&self) -> Instant {
        self.next
    }

    /// Something was heard from the peer.
    pub(super) fn heard(&mut self) {
        self.unanswered = 0;
    }

    /// What to do now.
    pub(super) fn beat(&mut self, now: Instant) -> Beat {
        let Some(late) = self.due(now) else { return Beat::Wait };
        // One that comes a whole period late follows a time in which nobody could listen: it neither counts nor
        // judges. The next one does, however late: on a busy machine with a short period all of them are.
        if late >= self.every && !self.forgave {
            self.forgave = true;
            return Beat::Send;
        }
        self.forgave = false;
        if let Some(limit) = self.limit
            && self.unanswered >= limit
        {
            return Beat::Lapse { unanswered: self.unanswered, timeout: self.timeout };
        }
        self.unanswered = self.unanswered.saturating_add(1);
        Beat::Send
    }

    /// Whether one is due; nothing is counted.
    pub(super) fn keep_alive(&mut self, now: Instant) -> bool {
        self.due(now).is_some()
    }

    /// How late the one that is due comes; the next one keeps the rhythm.
    fn due(&mut self, now: Instant) -> Option<Duration> {
        let late = now.checked_duration_since(self.next)?;
        let missed = late.as_nanos() % self.every.as_nanos();
        let rest = self.every.saturating_sub(Duration::from_nanos(u64::try_from(missed).unwrap_or(0)));
        self.next = now.checked_add(rest).unwrap_or(now);
        Some(late)
    }
}
