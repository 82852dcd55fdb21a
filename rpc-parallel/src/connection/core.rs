//! What the driver, the handles and the handlers of one connection share.

use std::{
    fmt,
    io::{self, IoSlice},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker, ready},
    time::{Duration, Instant},
};

use futures_util::task::AtomicWaker;
use tokio::runtime::Handle;

use crate::{
    connection::{
        Terminal,
        lane::Way,
        queue::Queue,
        served::ServedCalls,
        spin::{Expecting, Score},
        waiting::Waiting,
        wakers::Wakers,
    },
    death::DeathReport,
    proto::Session,
    transport::Socket,
    wire::CloseKind,
};

/// One connection: its protocol state under a lock, its socket, and the way to wake its driver.
pub(crate) struct Shared {
    core: Mutex<Core>,
    pub(super) socket: Socket,
    pub(super) driver: AtomicWaker,
    /// The runtime of the driver.
    runtime: Handle,
    /// See [`message_limit`](Self::message_limit).
    limit: AtomicUsize,
    /// How many calls were polled, more or less.
    polled: AtomicUsize,
    /// Set by the driver's end, so that waiting for it needs no lock.
    pub(super) ended: AtomicBool,
    /// Who is at the other end, for errors.
    pub(crate) peer: String,
}

/// The protocol state and everybody who waits for something of it.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) session: Session,
    /// Our own calls and the streams of either side. The session reuses its ids as soon as a call is over on the
    /// wire; whoever waits for a reply or reads a stream may look later, so they have slots of their own.
    pub(super) waiting: Waiting,
    /// The way of our bytes.
    pub(super) way: Way,
    /// Calls that we serve.
    pub(super) served: ServedCalls,
    /// Senders of one-way messages, waiting until these are written.
    pub(super) unwritten: Queue,
    /// Callers waiting until the peer takes further calls.
    pub(super) vacancy: Queue,
    /// The same for one-way messages, which have a limit of their own.
    pub(super) one_way_vacancy: Queue,
    /// The peer takes further calls, and those who wait have not been told.
    pub(super) vacant: bool,
    /// Who waits for the connection to be established or to end.
    pub(super) watchers: Wakers,
    pub(super) terminal: Option<Terminal>,
    pub(super) death: Option<Arc<DeathReport>>,
    /// The driver is at work and writes what is queued before it rests.
    pub(super) driving: bool,
    /// The driver was woken and is about to be.
    pub(super) woken: bool,
    /// The socket did not take everything: only the driver may write, once it takes more.
    pub(super) blocked: bool,
    /// How many replies the last pass of the driver brought: after more than one, calls are better sent together.
    pub(super) last_replies: usize,
    /// Whether looking for bytes before sleeping has been worth it.
    pub(super) score: Score,
    /// A caller asks the driver to look for its reply.
    pub(super) spin_wanted: bool,
    /// There while calls of ours wait for replies.
    pub(super) expecting: Option<Expecting>,
}

impl Shared {
    pub(super) fn new(session: Session, socket: Socket, way: Way, peer: String, spin: Duration) -> Arc<Self> {
        Arc::new(Self {
            limit: AtomicUsize::new(session.message_limit()),
            core: Mutex::new(Core {
                session,
                way,
                waiting: Waiting::default(),
                served: ServedCalls::default(),
                unwritten: Queue::default(),
                vacancy: Queue::default(),
                one_way_vacancy: Queue::default(),
                vacant: false,
                watchers: Wakers::default(),
                terminal: None,
                death: None,
                driving: false,
                woken: false,
                blocked: false,
                last_replies: 0,
                score: Score::new(spin),
                spin_wanted: false,
                expecting: None,
            }),
            socket,
            driver: AtomicWaker::new(),
            polled: AtomicUsize::new(0),
            runtime: Handle::current(),
            ended: AtomicBool::new(false),
            peer,
        })
    }

    /// Runs something in the current runtime, or where there is none, such as in another kind of executor, in the
    /// connection's own.
    pub(crate) fn in_runtime<T>(&self, work: impl FnOnce() -> T) -> T {
        let _entered = Handle::try_current().is_err().then(|| self.runtime.enter());
        work()
    }

    /// The protocol state. No user code runs under this lock.
    #[inline]
    pub(crate) fn lock(&self) -> MutexGuard<'_, Core> {
        // A panic under the lock is a bug of ours; what it protects has no invariant that a later caller could
        // break further than the connection itself.
        self.core.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The largest message that both sides take, once they have greeted each other.
    #[inline]
    pub(crate) fn message_limit(&self) -> usize {
        self.limit.load(Ordering::Relaxed)
    }

    /// Whether a call that is polled uses up some of its task's turn.
    #[inline]
    pub(super) fn counts(&self) -> bool {
        // Threads may overwrite each other's count: it need not be exact.
        let polled = self.polled.load(Ordering::Relaxed).wrapping_add(1);
        self.polled.store(polled, Ordering::Relaxed);
        polled.is_multiple_of(POLLS_COUNTED)
    }

    /// Both sides have greeted each other.
    pub(super) fn set_message_limit(&self, limit: usize) {
        self.limit.store(limit, Ordering::Relaxed);
    }

    /// Has what is queued written soon: by the driver, together with what others queue meanwhile.
    #[inline]
    pub(crate) fn flush_soon(&self, core: &mut Core) {
        // A driver at work has seen all events so far, and must see that this was the last thing to wait for.
        if core.session.is_closed() {
            self.driver.wake();
        } else if !core.woken && !core.driving && !core.blocked {
            core.woken = true;
            self.driver.wake();
        }
    }

    /// Writes what is queued now, if nobody else is about to, without a hop to the driver.
    #[inline]
    pub(super) fn flush_now(&self, core: &mut Core) {
        if core.driving || core.blocked {
            return;
        }
        // An error shows itself to the driver's read, which alone ends connections.
        if self.write(core).is_err() || core.blocked || !core.unwritten.is_empty() || core.session.has_discarded() {
            self.driver.wake();
        }
    }

    /// Writes a batch of items now, if the driver is not about to. Also where the socket was full a moment ago: a
    /// producer that is always ready can keep the driver of its own thread from seeing that it takes more.
    pub(super) fn flush_batch(&self, core: &mut Core) {
        if core.driving {
            return;
        }
        let waiting = core.blocked;
        if self.write(core).is_err() || (core.blocked && !waiting) || !core.unwritten.is_empty() {
            self.driver.wake();
        }
    }

    /// Writes until everything is out or the socket would block.
    pub(super) fn write(&self, core: &mut Core) -> io::Result<()> {
        while core.session.transmit() {
            let mut slices = [IoSlice::new(&[]); MAX_SLICES];
            let count = core.session.transmit_slices(&mut slices);
            let begin = core.session.bytes_sent();
            let written = match core.way.try_send(&self.socket, begin, &slices[..count]) {
                Ok(written) => written,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    core.blocked = true;
                    return Ok(());
                }
                Err(error) => return Err(error),
            };
            core.session.transmitted(written);
        }
        core.blocked = false;
        Ok(())
    }

    /// Writes what is queued. `Pending` if the socket takes no more for now; the driver is woken when it does.
    pub(super) fn poll_write(&self, cx: &mut Context<'_>, core: &mut Core) -> Poll<io::Result<()>> {
        loop {
            if core.blocked && !core.way.sends_by_lane(core.session.bytes_sent()) {
                ready!(self.socket.poll_writable(cx))?;
                core.blocked = false;
            }
            self.write(core)?;
            if !core.blocked {
                return Poll::Ready(Ok(()));
            }
            if core.way.sends_by_lane(core.session.bytes_sent()) {
                // The bell tells of room.
                return Poll::Pending;
            }
        }
    }

    /// The worker's process has ended: the driver takes what is left in the socket and ends the connection.
    pub(crate) fn worker_died(&self, report: Arc<DeathReport>) {
        self.lock().death = Some(report);
        self.driver.wake();
    }

    /// Closes the connection after everything that is queued.
    pub(crate) fn close(&self, kind: CloseKind, text: &str) {
        let mut core = self.lock();
        if core.terminal.is_none() {
            core.session.close(Instant::now(), kind, text);
            self.flush_now(&mut core);
            self.driver.wake();
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not what was sent and received, nor, before the handshake is over, the key.
        f.debug_struct("Connection").field("peer", &self.peer).finish_non_exhaustive()
    }
}

/// Of so many polls of calls one counts for tokio, by which a task's turn ends after 128: a reply that is there already is
/// much less than what tokio counts, and a turn is better not over before all replies that came together are taken and the
/// next calls made.
const POLLS_COUNTED: usize = 16;

/// Enough for the header and the payload of several large messages in one write.
const MAX_SLICES: usize = 16;

impl Core {
    /// Whether a call that is made now is better written at once: there is nothing to wait with.
    #[inline]
    pub(super) fn is_alone(&self) -> bool {
        self.session.open_calls() == 0 && self.last_replies <= 1 && !self.session.transmit()
    }

    /// Hands the short replies that come next to those who wait for them, and returns how many there are.
    #[inline(never)]
    pub(super) fn take_replies(&mut self, wakers: &mut Vec<Waker>) -> usize {
        let Self { session, waiting, .. } = self;
        let (callers, mut replies) = (&mut waiting.callers, 0);
        session.take_replies(|_, caller, status, reply, len| {
            replies += 1;
            if let Some(waker) = callers.replied_short(caller, status, reply, len) {
                wakers.push(waker);
            }
        });
        replies
    }

    /// The queue of those whose call, or one-way message, the peer does not take yet.
    pub(super) fn vacancy(&mut self, one_way: bool) -> &mut Queue {
        if one_way { &mut self.one_way_vacancy } else { &mut self.vacancy }
    }

    /// Wakes as many of those who wait as the peer takes further calls of.
    pub(super) fn offer_vacancy(&mut self, wakers: &mut Vec<Waker>) {
        self.vacant = false;
        for one_way in [false, true] {
            let mut room = self.session.room(one_way);
            self.vacancy(one_way).take_while(wakers, |_, size| room.take(size));
        }
        if !self.vacancy.is_empty() || !self.one_way_vacancy.is_empty() {
            self.session.want_vacancy();
        }
    }

    /// Gives up a place among those who wait. If it was its turn, that goes to those who are returned.
    pub(super) fn leave_vacancy(&mut self, one_way: bool, place: &mut Option<u64>) -> Vec<Waker> {
        let mut wakers = Vec::new();
        if self.vacancy(one_way).leave(place) {
            self.offer_vacancy(&mut wakers);
        }
        wakers
    }

    /// Wakes those whose one-way messages are with the kernel, and those whose calls the peer takes now.
    pub(super) fn tell_senders(&mut self, wakers: &mut Vec<Waker>) {
        let sent = self.session.bytes_sent();
        self.unwritten.take_while(wakers, |until, _| until <= sent);
        // Once for all replies that have come: each would find the room that those before it have left.
        if self.vacant {
            self.offer_vacancy(wakers);
        }
    }

    /// Ends everything that waits: the terminal error is stored first, so that whoever is woken finds it.
    pub(super) fn end(&mut self, terminal: Terminal) -> Vec<Waker> {
        self.terminal.get_or_insert(terminal);
        // Nobody would answer, nor write: whoever calls looks for the error.
        self.session.take_no_calls();
        self.expecting = None;
        let mut wakers = Vec::new();
        self.vacancy.take(&mut wakers);
        self.one_way_vacancy.take(&mut wakers);
        self.watchers.take(&mut wakers);
        self.unwritten.take(&mut wakers);
        self.waiting.wake_all(&mut wakers);
        wakers
    }
}
