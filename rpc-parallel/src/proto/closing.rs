//! How a session ends.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Event, Session};
use crate::wire::{
    CLOSE_TEXT_LIMIT, CloseKind, CloseReason, Closer, Frame, HandshakeFailure, HandshakeStep, Refusal, Verdict,
    cut_text,
};

/// A close that waits for the open calls.
#[derive(Debug)]
pub(super) struct Graceful {
    /// When it waits no longer.
    pub(super) limit: Option<Instant>,
    text: Arc<str>,
}

impl Session {
    /// Closes at once. What was queued before is still to be written, and after it the reason.
    pub(crate) fn close(&mut self, _now: Instant, kind: CloseKind, text: impl Into<Arc<str>>) {
        let text = text.into();
        match &self.handshake {
            Some(_) if !self.is_closed() => {
                self.fail_handshake(HandshakeFailure::Closed, Some(Refusal::Closed), text);
            }
            _ => self.shut(kind, text),
        }
    }

    /// Closes as soon as no call is open in either direction and no one-way message on its way, or when the time is
    /// up. Meanwhile neither side can make new calls; one-way messages that the peer sent before it knew still
    /// arrive.
    pub(crate) fn close_gracefully(&mut self, now: Instant, limit: Duration, text: impl Into<Arc<str>>) {
        if self.is_closing() {
            return;
        }
        if self.handshake.is_some() {
            return self.close(now, CloseKind::ShuttingDown, text);
        }
        self.takes_calls = 0;
        self.graceful = Some(Graceful { limit: now.checked_add(limit), text: text.into() });
        // From now on the peer settles every one-way message at once, so that this side learns of the last one.
        self.output.push(Frame::Closing, &[]);
        self.after_change();
    }

    /// Closes with a reason that the peer is told.
    pub(super) fn shut(&mut self, kind: CloseKind, text: impl Into<Arc<str>>) {
        if self.is_closed() {
            return;
        }
        let text = text.into();
        self.output.push(Frame::Close { kind }, cut_text(&text, CLOSE_TEXT_LIMIT).as_bytes());
        self.end(CloseReason::new(Closer::Local, kind, text));
    }

    /// Closes because the peer did what it must not do.
    pub(super) fn violation(&mut self, text: impl std::fmt::Display) {
        self.shut(CloseKind::ProtocolViolation, format!("protocol violation: {text}"));
    }

    /// The connection is gone, without a word from the peer.
    pub(super) fn lost(&mut self, kind: CloseKind, text: String) {
        self.end(CloseReason::new(Closer::Nobody, kind, text));
    }

    /// There will be no connection. The peer is told if it can understand anything.
    pub(super) fn fail_handshake(
        &mut self,
        failure: HandshakeFailure,
        refusal: Option<Refusal>,
        text: impl Into<Arc<str>>,
    ) {
        let Some(handshake) = &self.handshake else { return };
        let (step, text) = (handshake.step(), text.into());
        let kind = CloseKind::HandshakeFailed(step, failure);
        match (step, refusal) {
            (_, None) => {}
            (HandshakeStep::Hello, Some(refusal)) => {
                self.output.push_raw(&Verdict::Refuse(refusal, text.to_string()).encode());
            }
            // The verdict was "yes"; only a frame can take it back.
            (HandshakeStep::Verdict, Some(_)) => {
                self.output.push(Frame::Close { kind }, cut_text(&text, CLOSE_TEXT_LIMIT).as_bytes());
            }
        }
        let closer = match failure {
            HandshakeFailure::RefusedByPeer(_) => Closer::Remote,
            _ => Closer::Local,
        };
        self.end(CloseReason::new(closer, kind, text));
    }

    /// The peer has said why it closes.
    pub(super) fn closed_by_peer(&mut self, kind: CloseKind, text: &[u8]) {
        self.end(CloseReason::new(Closer::Remote, kind, String::from_utf8_lossy(text)));
    }

    /// A graceful close whose time is up waits no longer.
    pub(super) fn end_grace(&mut self, now: Instant) {
        if let Some(graceful) = &self.graceful
            && graceful.limit.is_some_and(|limit| limit <= now)
        {
            let text = graceful.text.clone();
            self.shut(CloseKind::ShuttingDown, text);
        }
    }

    /// What may follow from any change: a graceful close that has waited for it, and room for another call.
    pub(super) fn after_change(&mut self) {
        if let Some(graceful) = &self.graceful
            && self.is_idle()
        {
            let text = graceful.text.clone();
            self.shut(CloseKind::ShuttingDown, text);
        }
    }

    fn is_idle(&self) -> bool {
        !self.lent && self.open_calls() == 0 && self.sent_one_way.is_idle() && self.received_one_way.is_idle()
    }

    fn end(&mut self, reason: CloseReason) {
        if self.is_closed() {
            return;
        }
        self.takes_calls = 0;
        self.closed = Some(reason.clone());
        self.input.clear();
        self.deadlines.clear();
        self.owing = Vec::new();
        self.events.push_back(Event::Closed(reason));
    }
}
