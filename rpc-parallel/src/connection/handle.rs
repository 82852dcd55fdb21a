//! The cloneable handle of a connection.

use std::{
    fmt,
    future::poll_fn,
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};

use crate::{
    connection::{ConnectionLost, Terminal, core::Shared},
    id::BuildId,
    wire::{CloseKind, CloseReason, Closer},
};

/// A live connection, shared by the client's clones, its calls and its streams. It is closed when the last of them is
/// gone.
#[derive(Clone, Debug)]
pub(crate) struct Connection(Arc<Owner>);

/// Closes the connection when nobody needs it any more.
struct Owner {
    shared: Arc<Shared>,
}

impl Connection {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self(Arc::new(Owner { shared }))
    }

    /// What the driver and the handles share.
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

    /// How many bytes came and went.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        let core = self.0.shared.lock();
        (core.session.bytes_received(), core.session.bytes_sent())
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
        poll_fn(|cx| {
            let mut core = self.lock();
            match core.terminal.clone() {
                Some(terminal) => Poll::Ready(terminal),
                None => {
                    core.watchers.push(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// The build of the peer's program, once it is known.
    pub(crate) fn peer_build(&self) -> Option<BuildId> {
        self.lock().session.peer().map(|peer| peer.build)
    }

    /// Waits until both sides have greeted each other.
    pub(super) async fn established(&self) -> Result<(), Terminal> {
        poll_fn(|cx| {
            let mut core = self.lock();
            if let Some(terminal) = core.terminal.clone() {
                return Poll::Ready(Err(terminal));
            }
            if core.session.is_established() {
                return Poll::Ready(Ok(()));
            }
            core.watchers.push(cx.waker().clone());
            Poll::Pending
        })
        .await
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
