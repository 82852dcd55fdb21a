//! A peer that writes what it likes.

use std::time::Instant;

use super::{
    super::*,
    pair::{End, config},
};
use crate::{
    settings::Settings,
    wire::{CloseReason, Frame, Hello, Key, Limits, MAX_VERSION, MIN_VERSION, Role, Verdict},
};

/// A session against a peer that the test plays.
#[derive(Debug)]
pub(super) struct Mock {
    pub(super) end: End,
    pub(super) now: Instant,
}

impl Mock {
    /// A session that has said Hello to nobody yet.
    pub(super) fn silent(side: Side, config: SessionConfig) -> Self {
        let now = Instant::now();
        Self { end: End::new(side, config, now), now }
    }

    /// A session whose peer has said all that it should.
    pub(super) fn connected(settings: Settings) -> Self {
        let mut mock = Self::silent(Side::Acceptor, SessionConfig { settings, ..config("session") });
        mock.send(&hello().encode());
        mock.send(&Verdict::Accept(None).encode());
        assert!(matches!(mock.end.take_one(), Event::Established));
        mock.end.write_all();
        mock
    }

    /// The peer writes bytes.
    pub(super) fn send(&mut self, bytes: &[u8]) {
        self.end.read(self.now, bytes);
    }

    /// The peer writes a frame.
    pub(super) fn frame(&mut self, frame: Frame, payload: &[u8]) {
        let mut bytes = Vec::new();
        frame.encode(payload.len(), &mut bytes);
        bytes.extend_from_slice(payload);
        self.send(&bytes);
    }

    /// The session has closed, and the peer is told the same text.
    pub(super) fn closed(&mut self) -> CloseReason {
        let reason = self.end.closed();
        let written = self.end.write_all();
        assert!(written.ends_with(reason.text().as_bytes()), "{reason}: {}", written.escape_ascii());
        reason
    }
}

/// A Hello that most sessions accept.
pub(super) fn hello() -> Hello {
    Hello {
        min_version: MIN_VERSION,
        max_version: MAX_VERSION,
        build: config("").build,
        worker: crate::id::WorkerId::ANY,
        nonce: [9; 16],
        auth: 0,
        limits: Limits::of(&Settings::default()),
        heartbeat: None,
        label: "mock".to_owned(),
    }
}

/// The verdict of an initiator that has this key, to an acceptor that has sent this Hello.
pub(super) fn verdict(key: [u8; 32], own: &Hello, acceptor: &[u8]) -> Verdict {
    Verdict::Accept(Some(Key::new(key).prove(Role::Initiator, [&own.encode(), acceptor])))
}
