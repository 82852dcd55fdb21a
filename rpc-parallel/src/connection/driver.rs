//! The one task that moves bytes between a socket and a session.

mod ending;

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use tokio::{task::AbortHandle, time::Sleep};

use crate::{
    connection::{
        CallContext, Incoming, Serial, Service,
        arrivals::{Arrivals, Calls},
        core::{Core, Shared},
        entered::Serving,
        incoming::{Arrived, Special},
        spin::{Chance, Living},
    },
    panic::catch,
    proto::{CallSide, Event, StreamKey},
    wire::{CloseKind, CloseReason, Closer},
};

/// Drives one connection until it ends.
pub(crate) struct Driver {
    shared: Arc<Shared>,
    service: Box<dyn Service>,
    timer: Pin<Box<Sleep>>,
    timer_set: Option<Instant>,
    /// Waits for the death of the process at the other end, if we have started it, to explain the end by it.
    death: Option<AbortHandle>,
    /// Several threads may be about to queue calls: they are given one turn before the write.
    multi_thread: bool,
    yielded: bool,
    incoming: Arrivals,
    /// How many bytes of items this poll has brought.
    items: usize,
    serving: Serving,
    wakers: Vec<Waker>,
    closed: Option<CloseReason>,
    /// Calls were served since the last look for what comes next.
    served: bool,
    chance: Option<Chance>,
    /// The session has bytes that nobody has looked at.
    has_read: bool,
    _living: Living,
    /// The timer says how long the end may take.
    limited: bool,
}

impl Driver {
    /// With `served` the peer was just told something after which it is likely to call.
    pub(super) fn new(
        shared: Arc<Shared>,
        service: Box<dyn Service>,
        death: Option<AbortHandle>,
        served: bool,
    ) -> Self {
        let flavor = tokio::runtime::Handle::current().runtime_flavor();
        Self {
            shared,
            service,
            timer: Box::pin(tokio::time::sleep(Duration::ZERO)),
            timer_set: None,
            death,
            multi_thread: flavor == tokio::runtime::RuntimeFlavor::MultiThread,
            yielded: false,
            incoming: Arrivals::default(),
            items: 0,
            serving: Serving::default(),
            wakers: Vec::new(),
            closed: None,
            served,
            chance: None,
            has_read: false,
            _living: Living::new(),
            limited: false,
        }
    }

    /// Reads and dispatches once. Returns whether there may be more to read.
    fn receive(&mut self, cx: &mut Context<'_>) -> bool {
        let shared = Arc::clone(&self.shared);
        let mut core = shared.lock();
        core.driving = true;
        core.woken = false;
        core.last_replies = 0;
        if std::mem::take(&mut self.has_read) {
            self.dispatch(&mut core);
            // The poller may have told of these bytes meanwhile, to nobody: it must know whom to tell of the next ones.
            return core.way.poll_more(&shared.socket, cx, true) || core.death.is_some();
        }
        let mut more = false;
        for _ in 0..READS_PER_PASS {
            let core = &mut *core;
            let buffer = core.session.input_buffer();
            let received = match core.death {
                None => core.way.poll_recv(&shared.socket, cx, buffer),
                // The report of the death can be here before the poller tells of the last bytes.
                Some(_) => core.way.recv_now(&shared.socket, buffer),
            };
            more = match received {
                Poll::Pending => false,
                Poll::Ready(Ok(0)) => {
                    core.session.handle_eof(Instant::now());
                    false
                }
                Poll::Ready(Ok(read)) => {
                    let now = Instant::now();
                    core.score.received(now);
                    core.session.handle_received(now, read);
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
            // A pass that reads nothing is saved.
            more = core.way.poll_more(&shared.socket, cx, more);
            if !more || !self.incoming.is_empty() || self.closed.is_some() || self.items >= ITEMS_PER_POLL {
                break;
            }
        }
        if !more && core.death.is_some() && self.closed.is_none() {
            if !self.incoming.is_empty() {
                // It may have sent something behind them.
                return true;
            }
            // Everything that the dead process has sent was read; another process may hold its socket open.
            core.session.handle_eof(Instant::now());
            self.dispatch(&mut core);
        }
        more
    }

    /// Sorts what the session has found into the slots of those who wait for it.
    fn dispatch(&mut self, core: &mut Core) {
        self.dispatch_any(core, true);
    }

    /// The same; what is `lent` has to be served, and given back, before anything else.
    fn dispatch_any(&mut self, core: &mut Core, lent: bool) {
        let Self { shared, wakers, incoming, .. } = self;
        loop {
            core.last_replies += core.take_replies(wakers);
            if lent && incoming.borrow(&mut core.session) {
                break;
            }
            let Some(event) = core.session.poll_event() else { break };
            match event {
                Event::Replied { call, tag, status, payload, download } => {
                    core.last_replies += 1;
                    core.waiting.replied(tag, call, status, payload, download, wakers);
                }
                Event::Called { call, function, one_way, deadline, trace, uploads, payload } => {
                    let serial = if one_way { Serial::NONE } else { Serial(core.session.call_serial(call)) };
                    for stream in 1..=uploads {
                        core.waiting.add_reader(StreamKey { side: CallSide::Remote, call, stream });
                    }
                    let special = Special::new(deadline, trace);
                    let payload = Arrived::Alone(payload);
                    incoming.push(Incoming { payload, function, serial, call, one_way, uploads, special });
                }
                Event::CallAborted { call, why } => {
                    core.served.abort(&core.session, call, why);
                    core.waiting.forget_streams(CallSide::Remote, call, wakers);
                }
                Event::Items { key, items } => {
                    self.items += items.bytes.len();
                    core.waiting.items(key, items, wakers);
                }
                Event::Ended { key, status, payload } => core.waiting.ended(key, status, payload, wakers),
                Event::Stopped { key } => core.waiting.stopped(key, wakers),
                Event::Writable { key } => core.waiting.writable(key, wakers),
                Event::Vacancy => core.vacant = true,
                Event::Established => {
                    shared.set_message_limit(core.session.message_limit());
                    core.watchers.take(wakers);
                }
                Event::LaneOffered => core.take_lane(),
                Event::LaneReceived => core.follow_lane(),
                Event::PeerClosing => core.watchers.take(wakers),
                Event::Closed(reason) => self.closed = Some(reason),
            }
        }
        core.count_calls();
    }

    /// Starts the handlers of the calls that have arrived, and returns how many there were.
    fn serve(&mut self) -> usize {
        self.wake();
        if self.incoming.is_empty() {
            return 0;
        }
        let Self { shared, service, incoming, serving, served, .. } = self;
        *served = true;
        // One guard for all of them: a panic is of the call that is current, and the next one follows.
        serving.replies.begin(shared);
        serving.enter(|| {
            CallContext::enter_several(|entered| {
                let mut serve = || catch(|| service.serve(Calls { connection: shared, arrivals: incoming, entered }));
                while let Err(report) = serve() {
                    CallContext::panicked(&report);
                }
            });
        });
        incoming.clear()
    }

    fn wake(&mut self) {
        for waker in self.wakers.drain(..) {
            waker.wake();
        }
    }

    /// Runs what is due and sets the timer for what comes next.
    fn drive_timer(&mut self, cx: &mut Context<'_>, core: &mut Core) {
        loop {
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
            self.dispatch_any(core, false);
        }
    }

    /// Does what is due, and writes what is queued.
    fn transmit(&mut self, cx: &mut Context<'_>, idle: bool) {
        let shared = Arc::clone(&self.shared);
        let mut core = shared.lock();
        core.send(&mut self.serving.replies);
        self.has_read |= self.incoming.give_back(&mut core);
        core.offer_lane();
        self.drive_timer(cx, &mut core);
        if self.multi_thread && idle && !self.yielded && core.session.transmit() && !core.blocked {
            // Woken by one caller on its thread's fast path, before the other callers that are ready had their
            // turn: writing now would cost one write for each of them.
            self.yielded = true;
            cx.waker().wake_by_ref();
            return;
        }
        self.yielded = false;
        if self.has_read && !core.session.is_congested() {
            // What is left of the input is seen to at once, and answered with the same write.
            return;
        }
        core.driving = false;
        let writes = core.session.transmit();
        if let Poll::Ready(Err(error)) = shared.poll_write(cx, &mut core) {
            // What the peer has sent before it went away, such as its reason, is still to be read: the read side ends
            // the connection. Only an error that is not the peer's end ends it here.
            if !matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) {
                core.session.handle_transport_error(Instant::now(), error.to_string());
                self.dispatch(&mut core);
            }
        }
        core.tell_senders(&mut self.wakers);
        // It is kept until there is nothing left to read.
        if self.chance.is_none() {
            self.chance = core.chance(std::mem::take(&mut self.served), writes);
        }
        // What users have sent may run code of theirs when it is dropped: the lock goes first.
        let discarded = core.session.take_discarded();
        drop((core, discarded));
    }

    /// Looks for what comes next, if that is likely to come soon. Returns whether there is something to dispatch.
    fn spin(&mut self) -> bool {
        let Some(chance) = self.chance.take() else { return false };
        self.has_read = self.shared.spin(chance, self.multi_thread);
        self.has_read
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.shared.driver.register(cx.waker());
        let (mut calls, mut spins) = (0, 0);
        this.items = 0;
        for _ in 0..PASSES_PER_POLL {
            if let Some(reason) = this.closed.clone() {
                return this.poll_end(cx, &reason);
            }
            let more = this.receive(cx);
            let idle = this.incoming.is_empty();
            calls += this.serve();
            this.transmit(cx, idle);
            if !more && !this.has_read && this.closed.is_none() && this.incoming.is_empty() {
                this.wake();
                // Tasks that have become ready meanwhile want their turn; the chance is there when we have ours again.
                if this.chance.is_some() && spins == SPINS_PER_POLL {
                    break;
                }
                spins += 1;
                if !this.spin() {
                    return Poll::Pending;
                }
            }
            if calls >= CALLS_PER_POLL {
                break;
            }
            if this.items >= ITEMS_PER_POLL {
                this.wake();
                // Their reader may be the runtime's main future, which has its turn once no task is ready.
                return super::sender::yield_now(cx);
            }
        }
        this.wake();
        // Others of this runtime want their turn too.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.wake();
        // The process may live much longer than its connections.
        if let Some(death) = &self.death {
            death.abort();
        }
        self.shared.socket.shutdown();
        self.shared.lock().way.close();
        if !self.shared.has_ended() {
            // The runtime was shut down under a live connection.
            let text = "the runtime that drove the connection has ended";
            self.tell(&CloseReason::new(Closer::Local, CloseKind::ShuttingDown, text));
        }
    }
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver").field("peer", &self.shared.peer).finish_non_exhaustive()
    }
}

/// Looks for what comes next before the other tasks of the runtime get their turn.
const SPINS_PER_POLL: usize = 4;

/// Reads before the handlers of what has arrived get their turn.
const READS_PER_PASS: usize = 8;

/// Passes before the other tasks of the runtime get their turn.
const PASSES_PER_POLL: usize = 32;

/// Calls that are started before the other tasks of the runtime get their turn: their handlers run here first.
const CALLS_PER_POLL: usize = 1024;

/// Bytes of items before their readers get their turn: what they have read leaves the cache, and memory that is used
/// again, only if they keep up.
const ITEMS_PER_POLL: usize = 128 << 10;
