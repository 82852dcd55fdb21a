//! How a connection ends: what is still written, how the end is explained, and who learns of it.

use std::{
    future::Future,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use super::{Driver, READS_PER_PASS};
use crate::{
    connection::{ConnectionLost, Terminal},
    wire::{CloseKind, CloseReason, Closer},
};

impl Driver {
    /// Explains the end and hands it to everybody who waits.
    pub(super) fn poll_end(&mut self, cx: &mut Context<'_>, reason: &CloseReason) -> Poll<()> {
        self.wake();
        if reason.is_silent() {
            ready!(self.poll_death(cx));
        } else if reason.closer() == Closer::Local && self.poll_flush(cx).is_pending() {
            // Whoever has closed gracefully may end the process once it learns of the end: not before all is written.
            if reason.kind() != CloseKind::ShuttingDown {
                self.tell(reason);
            }
            return Poll::Pending;
        }
        self.shared.socket.shutdown();
        self.tell(reason);
        Poll::Ready(())
    }

    /// Waits until it is known how the process at the other end has ended, if that can be known.
    fn poll_death(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.death.is_some() && self.shared.lock().death.is_none() {
            // The end of file came before the exit status, which is a moment away.
            return self.poll_limit(cx, DEATH_REPORT_LIMIT);
        }
        Poll::Ready(())
    }

    /// Writes what was queued before the connection was closed, and the reason, as long as the peer takes it.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let shared = Arc::clone(&self.shared);
        let mut core = shared.lock();
        core.driving = false;
        if shared.poll_write(cx, &mut core).is_ready() {
            return Poll::Ready(());
        }
        // Two sides that both write and do not read would wait for each other.
        for _ in 0..READS_PER_PASS {
            let core = &mut *core;
            let buffer = core.session.input_buffer();
            match core.way.poll_recv(&shared.socket, cx, buffer) {
                Poll::Ready(Ok(read)) if read > 0 => core.session.handle_received(Instant::now(), read),
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending if core.way.poll_more(&shared.socket, cx, false) => {}
                Poll::Pending => return self.poll_limit(cx, FLUSH_LIMIT),
            }
        }
        cx.waker().wake_by_ref();
        self.poll_limit(cx, FLUSH_LIMIT)
    }

    /// Is over when it was pending for so long.
    fn poll_limit(&mut self, cx: &mut Context<'_>, limit: Duration) -> Poll<()> {
        if !std::mem::replace(&mut self.limited, true) {
            self.timer.as_mut().reset(tokio::time::Instant::now() + limit);
        }
        self.timer.as_mut().poll(cx)
    }

    /// Stores the terminal error and wakes everybody, outside the lock.
    pub(super) fn tell(&self, reason: &CloseReason) {
        let shared = &self.shared;
        let mut guard = shared.lock();
        let core = &mut *guard;
        let terminal = match core.death.clone() {
            Some(report) if reason.is_silent() => Terminal::Died(report),
            _ => Terminal::Lost(ConnectionLost::new(shared.peer.clone(), reason.clone())),
        };
        let wakers = core.end(terminal);
        core.served.abort_all(&core.session);
        shared.ended.store(true, Ordering::Release);
        drop(guard);
        for waker in wakers {
            waker.wake();
        }
    }
}

/// How long an end without a reason waits for the exit status that explains it. The kernel closes a process's sockets
/// before it reports its end, usually within a millisecond; a core dump in between can take longer.
const DEATH_REPORT_LIMIT: Duration = Duration::from_secs(2);

/// How long a peer may take to read what was queued before this side has closed. It is far more than a peer needs that
/// reads at all, and together with the time that a worker gives its calls less than the default time until it is killed.
const FLUSH_LIMIT: Duration = Duration::from_secs(2);
