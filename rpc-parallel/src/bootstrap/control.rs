//! The worker's end of the control socket.

use std::{
    fmt, io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
    panic::{AssertUnwindSafe, catch_unwind},
    process,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::process::{
    messages::{Kind, encode},
    socket::send_all,
};

/// Speaks to the master. Any thread may; each call blocks until the kernel has the bytes.
#[derive(Clone)]
pub(crate) struct ControlSender(Arc<Shared>);

struct Shared {
    socket: UnixStream,
    /// The connection on which the launcher waits for this worker to be ready.
    first: Mutex<Option<UnixStream>>,
    writing: Mutex<()>,
    shutdown: Mutex<OnShutdown>,
}

enum OnShutdown {
    Exit,
    Call(Box<dyn FnOnce() + Send>),
    Called,
}

impl ControlSender {
    pub(super) fn new(socket: OwnedFd, first: Option<OwnedFd>) -> Self {
        let (first, shutdown) = (Mutex::new(first.map(Into::into)), Mutex::new(OnShutdown::Exit));
        Self(Arc::new(Shared { socket: socket.into(), first, writing: Mutex::new(()), shutdown }))
    }

    /// Says that this worker serves, on the first connection, which it gives. The master's launch is over with it.
    ///
    /// A master that is gone by now is the lifeline's business, and no matter to a detached worker: its master may well have
    /// ended between the two messages.
    pub(crate) fn ready(&self, bytes: &[u8]) -> Option<UnixStream> {
        let first = self.take_first()?;
        let _ = send_all(first.as_fd(), &encode(Kind::Ready, bytes));
        // For the keeper, when this worker's time to get ready is over.
        let _ = self.send(Kind::Ready, &[]);
        Some(first)
    }

    /// Says why this worker cannot serve, and ends it.
    pub(crate) fn failed(&self, bytes: &[u8]) -> ! {
        let _ = self.send(Kind::Failed, bytes);
        // Its end has the keeper look, whatever the exit handlers do.
        drop(self.take_first());
        process::exit(1)
    }

    /// What to do when the master asks this worker to end. Until this is called it exits with code 0.
    ///
    /// It runs on the lifeline thread, which sees the master's death only after it: it must not block.
    pub(crate) fn on_shutdown(&self, call: impl FnOnce() + Send + 'static) {
        *self.on_shutdown_lock() = OnShutdown::Call(Box::new(call));
    }

    pub(super) fn hello(&self) -> io::Result<()> {
        self.send(Kind::Hello, &[])
    }

    /// The master asks this worker to end.
    pub(super) fn shut_down(&self) {
        let now = std::mem::replace(&mut *self.on_shutdown_lock(), OnShutdown::Called);
        match now {
            OnShutdown::Exit => process::exit(0),
            OnShutdown::Call(call) => {
                // The lifeline must outlive a panic.
                let _ = catch_unwind(AssertUnwindSafe(call));
            }
            OnShutdown::Called => {}
        }
    }

    pub(super) fn socket(&self) -> &UnixStream {
        &self.0.socket
    }

    fn send(&self, kind: Kind, bytes: &[u8]) -> io::Result<()> {
        let message = encode(kind, bytes);
        let _writing = self.0.writing.lock().unwrap_or_else(PoisonError::into_inner);
        send_all(self.0.socket.as_fd(), &message)
    }

    fn take_first(&self) -> Option<UnixStream> {
        self.0.first.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn on_shutdown_lock(&self) -> MutexGuard<'_, OnShutdown> {
        self.0.shutdown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for ControlSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControlSender").field("socket", &self.0.socket).finish_non_exhaustive()
    }
}
