//! What every frame of the peer leads to.

use std::time::Instant;

use super::{Event, Session, input::BadInput};
use crate::wire::{CloseKind, FRAME_ALLOWANCE, Frame, Items, Payload};

/// What came of looking for a frame.
pub(super) enum Received {
    Event(Event),
    /// One whose events, if any, are queued.
    Frame,
    Nothing,
}

impl Session {
    /// Takes the next complete frame of the input.
    #[inline]
    pub(super) fn receive_frame(&mut self) -> Received {
        if !self.unread || self.handshake.is_some() {
            return Received::Nothing;
        }
        if !self.is_closed() {
            match self.input.next_frame(self.settings.max_message_size + FRAME_ALLOWANCE, &mut self.pool) {
                Ok(Some((frame, payload))) => {
                    return match self.take_frame(self.received_at, frame, payload) {
                        Some(event) => Received::Event(event),
                        None => Received::Frame,
                    };
                }
                Ok(None) => {}
                Err(BadInput::TooBig(size)) => self.too_big(size),
                Err(BadInput::Malformed(error)) => self.violation(error),
            }
        }
        self.unread = false;
        self.after_change();
        Received::Frame
    }

    /// The events of the two frames that pipelined calls consist of are returned rather than queued; others that follow
    /// from the same frame come after them.
    fn take_frame(&mut self, now: Instant, frame: Frame, payload: Payload) -> Option<Event> {
        match frame {
            Frame::Heartbeat => {}
            Frame::Call(head) => return self.receive_call(now, head, payload),
            Frame::Reply { call, status, download } => {
                if payload.len() > self.settings.max_message_size {
                    self.too_big(payload.len());
                    return None;
                }
                return self.receive_reply(call, status, download, payload);
            }
            Frame::Cancel { call } => self.receive_cancel(call),
            Frame::Items { call, stream, size } => {
                self.receive_items(call, stream, Items { size, bytes: payload.into_bytes() });
            }
            Frame::End { call, stream, status } => self.receive_end(call, stream, status, payload.into_bytes()),
            Frame::Credit { call, stream, bytes } => self.receive_credit(call, stream, bytes),
            Frame::Stop { call, stream } => self.receive_stop(call, stream),
            Frame::Done { call } => self.receive_done(call),
            Frame::Settled { calls, bytes } => match self.sent_one_way.settle(calls, bytes) {
                Ok(()) => self.offer_vacancy(),
                Err(text) => self.violation(text),
            },
            Frame::Offer => self.receive_offer(),
            Frame::Lane => self.receive_lane(),
            Frame::Closing => self.receive_closing(),
            Frame::Close { kind } => self.closed_by_peer(kind, &payload),
        }
        None
    }

    fn receive_closing(&mut self) {
        if !self.peer_closing {
            self.peer_closing = true;
            self.takes_calls = 0;
            // The peer waits for the last of its one-way messages.
            self.received_one_way.eager = true;
            self.send_settled();
            self.events.push_back(Event::PeerClosing);
            // A call that waits for room learns that there will be none.
            self.offer_vacancy();
        }
    }

    /// Closes because a message of the peer is above this side's limit.
    pub(super) fn too_big(&mut self, size: usize) {
        let limit = self.settings.max_message_size;
        self.shut(
            CloseKind::TooBig,
            format!(
                "a message of {size} bytes is larger than the limit of {limit} bytes; raise \
                 `Settings::max_message_size`"
            ),
        );
    }
}
