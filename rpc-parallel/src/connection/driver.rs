//! The one task that moves bytes between a socket and a session.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use bytes::BytesMut;
use tokio::time::Sleep;

use crate::{
    connection::{
        CalledFunction, ConnectionLost, Incoming, Service, Terminal,
        core::{Core, Shared},
    },
    proto::{CallSide, Event, StreamKey},
    transport::Socket,
    wire::{CloseKind, CloseReason, Closer},
};

/// Drives one connection until it ends.
pub(crate) struct Driver {
    shared: Arc<Shared>,
    service: Box<dyn Service>,
    timer: Pin<Box<Sleep>>,
    timer_set: Option<Instant>,
    /// The connection is to a process that we started, so that its death can be explained.
    explains_death: bool,
    /// Several threads may be about to queue calls: they are given one turn before the write.
    multi_thread: bool,
    yielded: bool,
    incoming: Vec<Incoming>,
    wakers: Vec<Waker>,
    closed: Option<CloseReason>,
    awaiting_death: bool,
    /// When the last bytes of a connection that we have closed are given up.
    flushing: Option<Flushing>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Flushing {
    Started,
    Over,
}

impl Driver {
    pub(super) fn new(shared: Arc<Shared>, service: Box<dyn Service>, explains_death: bool) -> Self {
        let flavor = tokio::runtime::Handle::current().runtime_flavor();
        Self {
            shared,
            service,
            timer: Box::pin(tokio::time::sleep(Duration::ZERO)),
            timer_set: None,
            explains_death,
            multi_thread: flavor == tokio::runtime::RuntimeFlavor::MultiThread,
            yielded: false,
            incoming: Vec::new(),
            wakers: Vec::new(),
            closed: None,
            awaiting_death: false,
            flushing: None,
        }
    }

    /// Reads and dispatches once. Returns whether there may be more to read.
    fn receive(&mut self, cx: &mut Context<'_>) -> bool {
        let shared = Arc::clone(&self.shared);
        let mut core = shared.lock();
        core.driving = true;
        core.last_replies = 0;
        let mut more = false;
        for _ in 0..READS_PER_PASS {
            let core = &mut *core;
            let buffer = core.session.input_buffer();
            Socket::reserve(buffer);
            let received = match core.death {
                None => shared.socket.poll_recv(cx, buffer),
                // The report of the death can be here before the poller tells of the last bytes.
                Some(_) => shared.socket.recv_now(buffer),
            };
            more = match received {
                Poll::Pending => false,
                Poll::Ready(Ok(0)) => {
                    core.session.handle_eof(Instant::now());
                    false
                }
                Poll::Ready(Ok(read)) => {
                    core.session.handle_received(Instant::now(), read);
                    true
                }
                // A peer that closes without having read everything resets the connection: an end like any other.
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::ConnectionReset => {
                    core.session.handle_eof(Instant::now());
                    false
                }
                Poll::Ready(Err(error)) => {
                    core.session.handle_transport_error(Instant::now(), error.to_string());
                    false
                }
            };
            self.dispatch(core);
            if !more || !self.incoming.is_empty() || self.closed.is_some() {
                break;
            }
        }
        if !more && core.death.is_some() && self.closed.is_none() {
            // Everything that the dead process has sent was read; another process may hold its socket open.
            core.session.handle_eof(Instant::now());
            self.dispatch(&mut core);
        }
        more
    }

    /// Sorts what the session has found into the slots of those who wait for it.
    fn dispatch(&mut self, core: &mut Core) {
        let wakers = &mut self.wakers;
        while let Some(event) = core.session.poll_event() {
            match event {
                Event::Replied { call, status, payload, download } => {
                    core.last_replies += 1;
                    core.waiting.replied(call, status, payload, download, wakers);
                }
                Event::Called { call, function, one_way, deadline, trace, uploads, payload } => {
                    let serial = if one_way { core.served.anonymous() } else { core.served.open(call) };
                    for stream in 1..=uploads {
                        core.waiting.add_reader(StreamKey { side: CallSide::Remote, call, stream });
                    }
                    let call = CalledFunction { call, function, one_way, deadline, trace, uploads, payload };
                    let limit = core.session.message_limit();
                    self.incoming.push(Incoming::new(Arc::clone(&self.shared), call, serial, limit));
                }
                Event::CallAborted { call, why } => {
                    core.served.abort(call, why);
                    core.waiting.forget_streams(CallSide::Remote, call, wakers);
                }
                Event::Items { key, items } => core.waiting.items(key, items, wakers),
                Event::Ended { key, status, payload } => core.waiting.ended(key, status, payload, wakers),
                Event::Stopped { key } => core.waiting.stopped(key, wakers),
                Event::Writable { key } => core.waiting.writable(key, wakers),
                Event::Vacancy => wakers.append(&mut core.vacancy),
                Event::Established | Event::PeerClosing => wakers.append(&mut core.watchers),
                Event::Closed(reason) => self.closed = Some(reason),
            }
        }
    }

    /// Starts the handlers of the calls that have arrived.
    fn serve(&mut self) {
        for waker in self.wakers.drain(..) {
            waker.wake();
        }
        for incoming in self.incoming.drain(..) {
            self.service.start(incoming);
        }
    }

    /// Runs what is due and sets the timer for what comes next.
    fn drive_timer(&mut self, cx: &mut Context<'_>) {
        let shared = Arc::clone(&self.shared);
        loop {
            let mut core = shared.lock();
            let Some(next) = core.session.poll_timeout() else {
                self.timer_set = None;
                return;
            };
            if self.timer_set != Some(next) {
                self.timer.as_mut().reset(next.into());
                self.timer_set = Some(next);
            }
            if self.timer.as_mut().poll(cx).is_pending() {
                return;
            }
            self.timer_set = None;
            core.session.handle_timeout(Instant::now());
            self.dispatch(&mut core);
        }
    }

    /// Writes what is queued. Returns whether the rest must wait for another poll.
    fn transmit(&mut self, cx: &mut Context<'_>, idle: bool) {
        let shared = Arc::clone(&self.shared);
        let mut core = shared.lock();
        if self.multi_thread && idle && !self.yielded && core.session.transmit() && !core.blocked {
            // Woken by one caller on its thread's fast path, before the other callers that are ready had their
            // turn: writing now would cost one write for each of them.
            self.yielded = true;
            cx.waker().wake_by_ref();
            return;
        }
        self.yielded = false;
        core.driving = false;
        loop {
            if core.blocked {
                match shared.socket.poll_writable(cx) {
                    Poll::Pending => return,
                    Poll::Ready(_) => core.blocked = false,
                }
            }
            if let Err(error) = shared.write(&mut core) {
                // What the peer has sent before it went away, such as its reason, is still to be read: the read
                // side ends the connection. Only an error that is not the peer's end ends it here.
                if !matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) {
                    core.session.handle_transport_error(Instant::now(), error.to_string());
                    self.dispatch(&mut core);
                }
                return;
            }
            if !core.blocked {
                break;
            }
        }
        self.wakers.append(&mut core.unwritten);
    }

    /// Writes what was queued before we closed, and the reason. What still comes is thrown away, so that a peer that
    /// writes before it reads is no obstacle.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let shared = Arc::clone(&self.shared);
        let mut core = shared.lock();
        if !core.session.transmit() {
            return Poll::Ready(());
        }
        if self.flushing.is_none() {
            self.flushing = Some(Flushing::Started);
            self.timer.as_mut().reset(tokio::time::Instant::now() + FLUSH_LIMIT);
        }
        loop {
            let mut thrown_away = BytesMut::with_capacity(16 << 10);
            match shared.socket.poll_recv(cx, &mut thrown_away) {
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(()),
                Poll::Ready(Ok(_)) => {}
                Poll::Pending => break,
            }
        }
        loop {
            if core.blocked && shared.socket.poll_writable(cx).is_pending() {
                break;
            }
            core.blocked = false;
            if shared.write(&mut core).is_err() || !core.blocked {
                return Poll::Ready(());
            }
        }
        self.timer.as_mut().poll(cx)
    }

    /// Explains the end and hands it to everybody who waits.
    fn poll_end(&mut self, cx: &mut Context<'_>, reason: &CloseReason) -> Poll<()> {
        if reason.closer() == Closer::Local && self.flushing != Some(Flushing::Over) {
            if self.poll_flush(cx).is_pending() {
                return Poll::Pending;
            }
            self.flushing = Some(Flushing::Over);
        }
        let shared = Arc::clone(&self.shared);
        let core = shared.lock();
        if self.explains_death && core.death.is_none() && reason.is_silent() {
            // The end of file came before the exit status, which is a moment away.
            if !self.awaiting_death {
                self.awaiting_death = true;
                self.timer.as_mut().reset(tokio::time::Instant::now() + DEATH_REPORT_LIMIT);
            }
            if self.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
        let terminal = match core.death.clone() {
            Some(report) if reason.is_silent() => Terminal::Died(report),
            _ => Terminal::Lost(ConnectionLost::new(shared.peer.clone(), reason.clone())),
        };
        finish(&shared, core, terminal);
        Poll::Ready(())
    }
}

/// Stores the terminal error and wakes everybody, outside the lock.
fn finish(shared: &Shared, mut core: std::sync::MutexGuard<'_, Core>, terminal: Terminal) {
    // Whatever is queued is for nobody; a close that could be written has been.
    let wakers = core.end(terminal);
    core.served.abort_all();
    shared.ended.store(true, Ordering::Release);
    drop(core);
    shared.socket.shutdown();
    for waker in wakers {
        waker.wake();
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.shared.driver.register(cx.waker());
        for _ in 0..PASSES_PER_POLL {
            if let Some(reason) = this.closed.clone() {
                return this.poll_end(cx, &reason);
            }
            let more = this.receive(cx);
            let idle = this.incoming.is_empty();
            this.serve();
            this.drive_timer(cx);
            this.transmit(cx, idle);
            if !more && this.closed.is_none() {
                // Whom the timer or the write has woken.
                this.serve();
                return Poll::Pending;
            }
        }
        // Others of this runtime want their turn too.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if self.shared.has_ended() {
            return;
        }
        // The runtime was shut down under a live connection.
        let shared = Arc::clone(&self.shared);
        let reason = CloseReason::new(
            Closer::Local,
            CloseKind::ShuttingDown,
            "the runtime that drove the connection has ended",
        );
        let terminal = Terminal::Lost(ConnectionLost::new(shared.peer.clone(), reason));
        finish(&shared, shared.lock(), terminal);
    }
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver").field("peer", &self.shared.peer).finish_non_exhaustive()
    }
}

/// Reads before the handlers of what has arrived get their turn.
const READS_PER_PASS: usize = 8;

/// Passes before the other tasks of the runtime get their turn.
const PASSES_PER_POLL: usize = 32;

/// How long the last bytes of a connection that we have closed may take, so that a peer that does not read cannot keep
/// it: as long as in the original.
const FLUSH_LIMIT: Duration = Duration::from_secs(5);

/// How long an end without a reason waits for the exit status that explains it. The kernel closes a process's sockets
/// before it reports its end, usually within a millisecond; a core dump in between can take longer.
const DEATH_REPORT_LIMIT: Duration = Duration::from_secs(2);
