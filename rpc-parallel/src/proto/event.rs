//! What passes between a session and its driver.

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::{
    id::{BuildId, CallId, FunctionId, WorkerId},
    settings::{HeartbeatSettings, Settings},
    wire::{CloseReason, Items, Limits, Payload, Role, Status, TooBig, TraceContext},
};

/// Which end of a connection a session is. Once the handshake is over both ends are alike.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Side {
    /// The one that connected.
    Initiator,
    /// The one that was connected to.
    Acceptor,
}

impl Side {
    /// The role in which this side proves that it has the key.
    pub(super) fn role(self) -> Role {
        match self {
            Self::Initiator => Role::Initiator,
            Self::Acceptor => Role::Acceptor,
        }
    }
}

impl std::ops::Not for Side {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::Initiator => Self::Acceptor,
            Self::Acceptor => Self::Initiator,
        }
    }
}

/// All that a session has to know beforehand.
#[derive(Clone)]
pub(crate) struct SessionConfig {
    /// The tunables; they are moved into their bounds.
    pub(crate) settings: Settings,
    /// The build of this program.
    pub(crate) build: BuildId,
    /// The initiator: which worker it wants. The acceptor: which one it is.
    pub(crate) worker: WorkerId,
    /// The key that the peer must have too, unless the transport vouches for it.
    pub(crate) key: Option<[u8; 32]>,
    /// Random bytes, never used again.
    pub(crate) nonce: [u8; 16],
    /// Who this side is, for the errors of both, such as "pid 12 on host".
    pub(crate) label: String,
}

impl std::fmt::Debug for SessionConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the key.
        f.debug_struct("SessionConfig").field("settings", &self.settings).field("label", &self.label).finish()
    }
}

/// What the peer said about itself.
#[derive(Clone, Debug)]
pub(crate) struct PeerInfo {
    /// The build of its program.
    pub(crate) build: BuildId,
    /// An acceptor: which worker it is. An initiator: which one it wants.
    pub(crate) worker: WorkerId,
    /// Who it is, for people.
    pub(crate) label: String,
    /// What it allows this side to send.
    pub(crate) limits: Limits,
    /// How it watches this side, if it does.
    pub(crate) heartbeat: Option<HeartbeatSettings>,
    /// The version of the frames that both speak.
    pub(crate) version: u16,
}

/// Whose call it is, seen from this side.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum CallSide {
    /// This side called.
    Local,
    /// The peer called.
    Remote,
}

/// Names a stream of a connection.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct StreamKey {
    /// Whose call it belongs to.
    pub(crate) side: CallSide,
    /// The call.
    pub(crate) call: CallId,
    /// 0: the download, towards the caller. From 1: the uploads, towards the callee.
    pub(crate) stream: u8,
}

/// A call to make.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct OpenCall {
    /// What to call.
    pub(crate) function: FunctionId,
    /// Whether there is nothing to wait for.
    pub(crate) one_way: bool,
    /// How long the handler may take.
    pub(crate) deadline: Option<Duration>,
    /// The trace that the call belongs to.
    pub(crate) trace: Option<TraceContext>,
    /// How many streams this side will send; at most [`MAX_UPLOADS`](crate::wire::MAX_UPLOADS).
    pub(crate) uploads: u8,
    /// The arguments,
    pub(crate) payload: Vec<u8>,
    /// and what follows them, which is not copied.
    pub(crate) bulk: Bytes,
    /// Comes with the reply.
    pub(crate) tag: u32,
}

/// Why a call was not made. Nothing was sent.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum OpenCallError {
    /// The arguments are larger than one of the sides allows.
    #[error(transparent)]
    TooBig(#[from] TooBig),
    /// A call cannot have so many uploads.
    #[error("a call has {0} uploads, more than the protocol allows")]
    TooManyUploads(u8),
    /// The peer has all that it allows, or the handshake is not over: the call is as it was. An
    /// [`Event::Vacancy`] follows when it may be tried once more.
    #[error("the connection has no room for another call")]
    Full,
    /// One of the sides is closing.
    #[error("the connection is closing")]
    Closing,
    /// The connection is closed.
    #[error("the connection is closed")]
    Closed,
}

/// Whether a stream is still wanted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use = "a stopped stream should be ended soon"]
pub(crate) enum SendState {
    /// It is.
    Open,
    /// The peer asked to end it, or it is over. The items were dropped.
    Stopped,
}

/// Why the session ended a call that the peer had made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AbortReason {
    /// The caller lost interest.
    Cancelled,
    /// Its deadline passed.
    Deadline,
}

/// What a session tells its driver.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// The handshake is over. Calls can be made.
    Established,
    /// The peer called.
    Called {
        /// Its number, for answering. 0 if it is one-way.
        call: CallId,
        /// What it called.
        function: FunctionId,
        /// Whether [`settle_one_way`](super::Session::settle_one_way) takes the place of a reply.
        one_way: bool,
        /// Until when there must be a reply; the session sees to it.
        deadline: Option<Instant>,
        /// The trace that the call belongs to.
        trace: Option<TraceContext>,
        /// How many streams the peer sends.
        uploads: u8,
        /// The arguments.
        payload: Payload,
    },
    /// Drop the handler, and its streams: the session has already answered, ended the download and stopped the
    /// uploads. No other event about the call follows.
    CallAborted {
        /// The peer's call.
        call: CallId,
        /// Why.
        why: AbortReason,
    },
    /// The reply to a call of this side that was not cancelled.
    Replied {
        /// The call.
        call: CallId,
        /// What came with the call.
        tag: u32,
        /// How it went.
        status: Status,
        /// The value or the failure.
        payload: Payload,
        /// Whether stream 0 follows.
        download: bool,
    },
    /// Items, all of them complete and within the limit.
    Items {
        /// The stream.
        key: StreamKey,
        /// The items.
        items: Items,
    },
    /// The last event of a stream that this side receives.
    Ended {
        /// The stream.
        key: StreamKey,
        /// How it went.
        status: Status,
        /// The failure, if it is one.
        payload: Bytes,
    },
    /// The peer asks this side to end a stream.
    Stopped {
        /// The stream.
        key: StreamKey,
    },
    /// A stream has credit again, after it had none.
    Writable {
        /// The stream.
        key: StreamKey,
    },
    /// A call that was refused as [`OpenCallError::Full`] may be tried again.
    Vacancy,
    /// The peer offers memory for both sides, whose descriptors the transport has. Whoever takes it calls
    /// [`switch_lane`](super::Session::switch_lane).
    LaneOffered,
    /// All that follows from the peer travels through the memory.
    LaneReceived,
    /// The peer will close once all calls are over, and takes no new ones.
    PeerClosing,
    /// The connection is over. The last event; all that is still open has failed for this reason.
    Closed(CloseReason),
}
