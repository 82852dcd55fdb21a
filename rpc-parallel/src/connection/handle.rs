//! The cloneable handle of a connection.

use std::{
    fmt,
    future::poll_fn,
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};

use crate::{
    connection::{
        ConnectionLost, Terminal,
        core::{Core, Shared},
    },
    id::BuildId,
    wire::{CloseKind, CloseReason, Closer},
};

/// A live connection, shared by the client's clones, its calls and its streams. It is closed when the last of them is
/// gone.
#[derive(Clone, Debug)]
pub(crate) struct Connection(Arc<Owner>);

/// What a connection has carried, in bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Traffic {
    /// Received.
    pub received: u64,
    /// Sent.
    pub sent: u64,
    /// Waiting to be sent.
    pub queued: u64,
}

/// Closes the connection when nobody needs it any more.
struct Owner {
    shared: Arc<Shared>,
}

impl Connection {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self(Arc::new(Owner { shared }))
    }

    /// What the driver and the handles share.
    #[inline]
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.0.shared
    }

    /// Closes at once: calls and streams that are open end with an error that carries `text`.
    pub(crate) fn close(&self, text: &str) {
        self.0.shared.close(CloseKind::Other, text);
    }

    /// Takes no further calls and closes when those that are open are over, or after `limit`.
    pub(crate) fn close_gracefully(&self, limit: Duration, text: &str) {
        self.0.shared.close_gracefully(limit, text);
    }

    /// Waits until the connection has ended, for whatever reason.
    pub(crate) async fn closed(&self) -> Terminal {
        self.0.shared.closed().await
    }

    /// Why the connection ended, if it has.
    pub(crate) fn terminal(&self) -> Option<Terminal> {
        self.0.shared.lock().terminal.clone()
    }

    /// Whether the connection takes no further calls.
    pub(crate) fn is_closed(&self) -> bool {
        let core = self.0.shared.lock();
        core.terminal.is_some() || core.session.is_closed() || core.session.is_closing()
    }

    /// When the peer was heard last.
    pub(crate) fn last_heard(&self) -> Instant {
        self.0.shared.lock().session.last_heard()
    }

    /// How many bytes came, went, and wait.
    pub(crate) fn traffic(&self) -> Traffic {
        let core = self.0.shared.lock();
        Traffic {
            received: core.session.bytes_received(),
            sent: core.session.bytes_sent(),
            queued: core.session.bytes_queued(),
        }
    }

    /// Who is at the other end, as it has introduced itself.
    pub(crate) fn describe(&self) -> String {
        let core = self.0.shared.lock();
        match core.session.peer() {
            Some(peer) => format!(
                "{}: {} serving as {}, build {}, protocol version {}",
                self.0.shared.peer, peer.label, peer.worker, peer.build, peer.version
            ),
            None => self.0.shared.peer.clone(),
        }
    }
}

impl Shared {
    /// Takes no further calls and closes when those that are open are over, or after `limit`.
    pub(crate) fn close_gracefully(&self, limit: Duration, text: &str) {
        let mut core = self.lock();
        if core.terminal.is_none() {
            core.session.close_gracefully(Instant::now(), limit, text);
            self.flush_now(&mut core);
            self.driver.wake();
        }
    }

    /// Waits until the connection has ended, for whatever reason.
    pub(crate) async fn closed(&self) -> Terminal {
        self.watch(|core| core.terminal.clone()).await
    }

    /// The build of the peer's program, once it is known.
    pub(crate) fn peer_build(&self) -> Option<BuildId> {
        self.lock().session.peer().map(|peer| peer.build)
    }

    /// Waits until both sides have greeted each other.
    pub(super) async fn established(&self) -> Result<(), Terminal> {
        self.watch(|core| match core.terminal.clone() {
            Some(terminal) => Some(Err(terminal)),
            None => core.session.is_established().then_some(Ok(())),
        })
        .await
    }

    /// Waits until the connection has come so far.
    async fn watch<T>(&self, mut so: impl FnMut(&Core) -> Option<T>) -> T {
        let mut watch = Watch { shared: self, place: None };
        poll_fn(|cx| {
            let mut core = self.lock();
            if let Some(value) = so(&core) {
                return Poll::Ready(value);
            }
            core.watchers.wait(&mut watch.place, cx);
            Poll::Pending
        })
        .await
    }
}

/// A place among those who watch a connection.
struct Watch<'a> {
    shared: &'a Shared,
    place: Option<usize>,
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if self.place.is_some() {
            self.shared.lock().watchers.leave(&mut self.place);
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.shared.close(CloseKind::Unspecified, "the last client of the connection was dropped");
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("peer", &self.shared.peer).finish_non_exhaustive()
    }
}

impl From<Terminal> for ConnectionLost {
    fn from(terminal: Terminal) -> Self {
        match terminal {
            Terminal::Lost(lost) => lost,
            Terminal::Died(report) => Self::new(
                format!("worker {}", report.name),
                CloseReason::new(Closer::Nobody, CloseKind::Eof, report.to_string()),
            ),
        }
    }
}
