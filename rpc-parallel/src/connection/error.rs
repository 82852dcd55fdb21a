//! Why a connection could not be made, and why it ended.

use std::{fmt, io, sync::Arc};

use crate::{death::DeathReport, fault::Fault, wire::CloseReason};

/// The end of a connection. Every call and stream that was open on it gets a copy.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectionLost(Arc<Lost>);

#[derive(Debug, PartialEq)]
struct Lost {
    peer: String,
    reason: CloseReason,
}

impl ConnectionLost {
    pub(crate) fn new(peer: impl Into<String>, reason: CloseReason) -> Self {
        Self(Arc::new(Lost { peer: peer.into(), reason }))
    }

    /// Who was at the other end.
    pub fn peer(&self) -> &str {
        &self.0.peer
    }

    /// Who closed the connection and why.
    pub fn reason(&self) -> &CloseReason {
        &self.0.reason
    }
}

impl fmt::Display for ConnectionLost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the connection to {} ended: {}", self.0.peer, self.0.reason)
    }
}

impl std::error::Error for ConnectionLost {}

/// How a connection ended: the terminal error, stored once and handed to every waiter.
#[derive(Clone, Debug)]
pub(crate) enum Terminal {
    /// The worker's process is gone, and this is how.
    Died(Arc<DeathReport>),
    /// The connection alone is known to be gone.
    Lost(ConnectionLost),
}

/// Why a client could not be connected to a worker.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// Nobody listens at the worker's address, or the system refused the connection.
    #[error(
        "cannot reach {worker} at {address}: {error}; it has ended, or its server was closed, or it is on another machine"
    )]
    Unreachable {
        /// The worker.
        worker: String,
        /// Where it should listen.
        address: String,
        /// What the system says.
        error: Arc<io::Error>,
    },
    /// The two sides could not agree to talk: another build, another worker at the same address, a wrong key, or no
    /// answer in time.
    #[error("{worker} and this process cannot talk to each other: {reason}")]
    Handshake {
        /// The worker.
        worker: String,
        /// What did not fit.
        reason: CloseReason,
    },
    /// The worker does not serve this trait.
    #[error("{worker} does not serve `{interface}`; it serves {served}")]
    NotServed {
        /// The worker.
        worker: String,
        /// The trait that was asked for.
        interface: String,
        /// What it serves.
        served: String,
    },
    /// The worker's [`ConnectionState::open`](crate::ConnectionState::open) refused the connection. The worker
    /// lives.
    #[error("{worker} refused the connection: {fault}")]
    Refused {
        /// The worker.
        worker: String,
        /// Its error.
        fault: Fault,
    },
    /// The argument of the connection could not be encoded.
    #[error("the argument of the connection cannot be sent: {0}")]
    Argument(String),
    /// The worker's process ended meanwhile.
    #[error("{0}")]
    WorkerDied(Arc<DeathReport>),
    /// The connection was lost meanwhile.
    #[error(transparent)]
    Disconnected(ConnectionLost),
    /// There is no tokio runtime with I/O and time enabled here.
    #[error(
        "no tokio runtime runs here: connect inside `#[rpc_parallel::main]`, `#[tokio::main]` or `Runtime::block_on`, with I/O and time enabled"
    )]
    NoRuntime,
}

impl ConnectError {
    pub(crate) fn from_terminal(terminal: Terminal) -> Self {
        match terminal {
            Terminal::Died(report) => Self::WorkerDied(report),
            Terminal::Lost(lost) if lost.reason().is_handshake() => {
                Self::Handshake { worker: lost.peer().to_owned(), reason: lost.reason().clone() }
            }
            Terminal::Lost(lost) => Self::Disconnected(lost),
        }
    }
}
