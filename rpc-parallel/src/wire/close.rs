//! Why a connection ended.

use std::{fmt, sync::Arc};

/// Why a connection ended: the same for everything that waited on it.
///
/// The text is what was given to whoever closed, never edited.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub struct CloseReason {
    closer: Closer,
    kind: CloseKind,
    text: Arc<str>,
}

impl CloseReason {
    /// A reason for closing.
    pub(crate) fn new(closer: Closer, kind: CloseKind, text: impl Into<Arc<str>>) -> Self {
        Self { closer, kind, text: text.into() }
    }

    /// Which side closed.
    pub fn closer(&self) -> Closer {
        self.closer
    }

    /// The kind of the reason.
    pub fn kind(&self) -> CloseKind {
        self.kind
    }

    /// Whether the two sides did not come to an agreement in the first place.
    pub fn is_handshake(&self) -> bool {
        matches!(self.kind, CloseKind::HandshakeFailed(..))
    }

    /// Whether the connection ended without a word of the peer: what its process's death looks like.
    pub(crate) fn is_silent(&self) -> bool {
        matches!(
            self.kind,
            CloseKind::Eof
                | CloseKind::Transport
                | CloseKind::HandshakeFailed(_, HandshakeFailure::Eof | HandshakeFailure::Transport)
        )
    }

    /// The reason in words, as the side that closed gave it. May be empty.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.closer, self.kind) {
            (_, CloseKind::HandshakeFailed(step, HandshakeFailure::RefusedByPeer(_))) => {
                write!(f, "handshake failed at its {step}: the peer refused")?;
            }
            (_, CloseKind::HandshakeFailed(step, _)) => write!(f, "handshake failed at its {step}")?,
            (Closer::Remote, _) => f.write_str("connection closed by remote side")?,
            (Closer::Local, _) => f.write_str("connection closed by local side")?,
            (Closer::Nobody, CloseKind::Eof) => {
                f.write_str("end of file: the peer closed the connection without a reason")?;
            }
            (Closer::Nobody, _) => f.write_str("connection lost")?,
        }
        if self.text.is_empty() { Ok(()) } else { write!(f, ": {}", self.text) }
    }
}

/// Which side closed a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Closer {
    /// This one.
    Local,
    /// The peer, which said so.
    Remote,
    /// Neither: the connection broke, or ended without a word.
    Nobody,
}

/// The kind of a [`CloseReason`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum CloseKind {
    /// No kind was given.
    Unspecified,
    /// The other side sent what it must not send.
    ProtocolViolation,
    /// The other side sent more than the limit allows.
    TooBig,
    /// The other side was silent for too long.
    HeartbeatLapse,
    /// The two sides did not come to an agreement.
    HandshakeFailed(HandshakeStep, HandshakeFailure),
    /// The side is done.
    ShuttingDown,
    /// The connection ended without a reason.
    Eof,
    /// The transport failed.
    Transport,
    /// None of the others.
    Other,
}

impl CloseKind {
    /// The kind as a `Close` frame carries it. What never travels, or only while there are no frames, is "other".
    pub(super) fn to_byte(self) -> u8 {
        match self {
            Self::Unspecified => 0,
            Self::ProtocolViolation => 1,
            Self::TooBig => 2,
            Self::HeartbeatLapse => 3,
            Self::HandshakeFailed(_, HandshakeFailure::AuthFailed) => 4,
            Self::ShuttingDown => 5,
            Self::HandshakeFailed(..) | Self::Eof | Self::Transport | Self::Other => 6,
        }
    }

    /// Reads a kind. An unknown one is "other": a close must not fail because its reason is a new one.
    pub(super) fn from_byte(byte: u8) -> Self {
        match byte {
            0 => Self::Unspecified,
            1 => Self::ProtocolViolation,
            2 => Self::TooBig,
            3 => Self::HeartbeatLapse,
            4 => Self::HandshakeFailed(HandshakeStep::Verdict, HandshakeFailure::RefusedByPeer(Refusal::AuthFailed)),
            5 => Self::ShuttingDown,
            _ => Self::Other,
        }
    }
}

/// A step of the handshake.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HandshakeStep {
    /// Waiting for the peer's Hello, and judging it.
    Hello,
    /// Waiting for the peer's verdict about ours.
    Verdict,
}

impl fmt::Display for HandshakeStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hello => "hello",
            Self::Verdict => "verdict",
        })
    }
}

/// Why two sides did not come to an agreement.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum HandshakeFailure {
    /// The peer took longer than the settings allow.
    Timeout,
    /// The connection ended.
    Eof,
    /// The transport failed.
    Transport,
    /// The peer speaks something else.
    Garbage,
    /// The peer's Hello is larger than the limit.
    TooBig,
    /// There is no version of the protocol that both speak.
    NoCommonVersion,
    /// The peer is another build of the program.
    OtherBuild,
    /// The peer wants another worker than the one that is here.
    UnknownWorker,
    /// The peer could not prove that it has the key.
    AuthFailed,
    /// This side closed before the handshake was over.
    Closed,
    /// The peer refused, for this reason.
    RefusedByPeer(Refusal),
}

/// Why a side refuses its peer, as its verdict says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Refusal {
    /// The Hello could not be read.
    Garbage,
    /// The Hello is larger than the limit.
    TooBig,
    /// There is no version of the protocol that both speak.
    NoCommonVersion,
    /// The peer is another build of the program.
    OtherBuild,
    /// The peer wants another worker.
    UnknownWorker,
    /// The peer does not prove that it has the key.
    AuthFailed,
    /// The side closed before the handshake was over.
    Closed,
    /// A reason that this version does not know.
    Other(u8),
}

impl Refusal {
    /// The code of a refusal in a verdict.
    pub(super) fn to_byte(self) -> u8 {
        match self {
            Self::Garbage => 1,
            Self::TooBig => 2,
            Self::NoCommonVersion => 3,
            Self::OtherBuild => 4,
            Self::UnknownWorker => 5,
            Self::AuthFailed => 6,
            Self::Closed => 7,
            Self::Other(code) => code,
        }
    }

    /// Reads the code of a refusal.
    pub(super) fn from_byte(byte: u8) -> Self {
        match byte {
            1 => Self::Garbage,
            2 => Self::TooBig,
            3 => Self::NoCommonVersion,
            4 => Self::OtherBuild,
            5 => Self::UnknownWorker,
            6 => Self::AuthFailed,
            7 => Self::Closed,
            code => Self::Other(code),
        }
    }
}

/// The longest beginning of a text that fits into so many bytes.
pub(crate) fn cut_text(text: &str, limit: usize) -> &str {
    let mut end = text.len().min(limit);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c152_a_reason_names_the_side_that_closed() {
        let reason = |closer, kind, text: &str| CloseReason::new(closer, kind, text).to_string();
        assert_eq!(reason(Closer::Remote, CloseKind::Other, "why"), "connection closed by remote side: why");
        assert_eq!(reason(Closer::Local, CloseKind::Unspecified, ""), "connection closed by local side");
        assert_eq!(
            reason(Closer::Nobody, CloseKind::Eof, ""),
            "end of file: the peer closed the connection without a reason"
        );
        assert_eq!(reason(Closer::Nobody, CloseKind::Transport, "reset"), "connection lost: reset");
        let timeout = CloseKind::HandshakeFailed(HandshakeStep::Hello, HandshakeFailure::Timeout);
        assert_eq!(reason(Closer::Local, timeout, "silence"), "handshake failed at its hello: silence");
        let refused =
            CloseKind::HandshakeFailed(HandshakeStep::Verdict, HandshakeFailure::RefusedByPeer(Refusal::OtherBuild));
        assert_eq!(reason(Closer::Remote, refused, "x"), "handshake failed at its verdict: the peer refused: x");
    }

    #[test]
    fn kinds_and_refusals_survive_the_wire() {
        for byte in 0..=255 {
            assert_eq!(Refusal::from_byte(byte).to_byte(), byte);
            assert_eq!(CloseKind::from_byte(byte).to_byte(), if byte == 4 { 6 } else { byte.min(6) });
        }
        let auth = CloseKind::HandshakeFailed(HandshakeStep::Verdict, HandshakeFailure::AuthFailed);
        assert_eq!(auth.to_byte(), 4);
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut_text("häl", 2), "h");
        assert_eq!(cut_text("häl", 3), "hä");
        assert_eq!(cut_text("häl", 9), "häl");
    }
}
