//! What the driver, the handles and the handlers of one connection share.

use std::{
    io::{self, IoSlice},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    task::Waker,
    time::Instant,
};

use futures_util::task::AtomicWaker;

use crate::{
    connection::{Terminal, served::ServedCalls, waiting::Waiting},
    death::DeathReport,
    proto::Session,
    transport::Socket,
    wire::CloseKind,
};

/// One connection: its protocol state under a lock, its socket, and the way to wake its driver.
#[derive(Debug)]
pub(crate) struct Shared {
    core: Mutex<Core>,
    pub(super) socket: Socket,
    pub(super) driver: AtomicWaker,
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
    /// Calls that we serve.
    pub(super) served: ServedCalls,
    /// Senders of one-way messages, waiting until these are written.
    pub(super) unwritten: Vec<Waker>,
    /// Callers waiting until the peer takes further calls.
    pub(super) vacancy: Vec<Waker>,
    /// Who waits for the connection to be established or to end.
    pub(super) watchers: Vec<Waker>,
    pub(super) terminal: Option<Terminal>,
    pub(super) death: Option<Arc<DeathReport>>,
    /// The driver is at work and writes what is queued before it rests.
    pub(super) driving: bool,
    /// The socket did not take everything: only the driver may write, once it takes more.
    pub(super) blocked: bool,
    /// How many replies the last pass of the driver brought: after more than one, calls are better sent together.
    pub(super) last_replies: usize,
}

impl Shared {
    pub(super) fn new(session: Session, socket: Socket, peer: String) -> Arc<Self> {
        Arc::new(Self {
            core: Mutex::new(Core {
                session,
                waiting: Waiting::default(),
                served: ServedCalls::default(),
                unwritten: Vec::new(),
                vacancy: Vec::new(),
                watchers: Vec::new(),
                terminal: None,
                death: None,
                driving: false,
                blocked: false,
                last_replies: 0,
            }),
            socket,
            driver: AtomicWaker::new(),
            ended: AtomicBool::new(false),
            peer,
        })
    }

    /// The protocol state. No user code runs under this lock.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Core> {
        // A panic under the lock is a bug of ours; what it protects has no invariant that a later caller could
        // break further than the connection itself.
        self.core.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Has what is queued written soon: by the driver, together with what others queue meanwhile.
    pub(crate) fn flush_soon(&self, core: &Core) {
        if !core.driving && !core.blocked {
            self.driver.wake();
        }
    }

    /// Writes what is queued now, if nobody else is about to, without a hop to the driver.
    pub(super) fn flush_now(&self, core: &mut Core) {
        if core.driving || core.blocked {
            return;
        }
        // An error shows itself to the driver's read, which alone ends connections.
        if self.write(core).is_err() || core.blocked || !core.unwritten.is_empty() {
            self.driver.wake();
        }
    }

    /// Writes until everything is out or the socket would block.
    pub(super) fn write(&self, core: &mut Core) -> io::Result<()> {
        while core.session.transmit() {
            let mut slices = [IoSlice::new(&[]); MAX_SLICES];
            let count = core.session.transmit_slices(&mut slices);
            let written = match self.socket.try_send(&slices[..count]) {
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

/// Enough for the header and the payload of several large messages in one write.
const MAX_SLICES: usize = 16;

impl Core {
    /// Ends everything that waits: the terminal error is stored first, so that whoever is woken finds it.
    pub(super) fn end(&mut self, terminal: Terminal) -> Vec<Waker> {
        self.terminal.get_or_insert(terminal);
        let mut wakers: Vec<Waker> = [&mut self.vacancy, &mut self.watchers, &mut self.unwritten]
            .into_iter()
            .flat_map(|wakers| wakers.drain(..))
            .collect();
        self.waiting.wake_all(&mut wakers);
        wakers
    }
}
