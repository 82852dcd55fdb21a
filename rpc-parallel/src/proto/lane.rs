//! The change from the transport to memory that both sides have.
//!
//! The side that makes the memory offers it; the other one, if it takes it, says `Lane` and goes on there; then the first one
//! says so, too. Either word is the last that a side says over the transport, which goes on to tell of the peer's end. An
//! offer that is not taken has no answer.

use super::{Event, Session};
use crate::wire::Frame;

/// How far the change is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum LaneState {
    /// Nobody has offered anything.
    #[default]
    None,
    /// This side has made an offer, of which the peer has said nothing.
    Offered,
    /// The peer has made an offer, which this side has not taken yet and may never take.
    Received,
    /// This side has taken the peer's offer; the peer has not changed yet.
    Taken,
    /// The peer has changed.
    Over,
}

impl Session {
    /// Whether this side could make an offer now: one that has room in the queue, so that it goes out with its descriptors.
    pub(crate) fn may_offer_lane(&self) -> bool {
        self.lane == LaneState::None && self.is_established() && !self.is_closing() && !self.peer_closing
    }

    /// Makes the offer. Its descriptors go with what is written next.
    pub(crate) fn offer_lane(&mut self) {
        self.lane = LaneState::Offered;
        self.output.push(Frame::Offer, &[]);
    }

    /// All that is queued from now on goes through the memory. Returns where that begins in the output.
    pub(crate) fn switch_lane(&mut self) -> u64 {
        if self.lane == LaneState::Received {
            self.lane = LaneState::Taken;
        }
        if !self.is_closed() {
            self.output.push(Frame::Lane, &[]);
        }
        self.output.end()
    }

    pub(super) fn receive_offer(&mut self) {
        if self.lane != LaneState::None {
            return self.violation("an offer of shared memory beside another one");
        }
        self.lane = LaneState::Received;
        self.events.push_back(Event::LaneOffered);
    }

    pub(super) fn receive_lane(&mut self) {
        if !matches!(self.lane, LaneState::Offered | LaneState::Taken) {
            return self.violation("a change to shared memory that was not agreed on");
        }
        self.lane = LaneState::Over;
        self.events.push_back(Event::LaneReceived);
    }
}
