//! The worker process of a library that has no way of its own to start one: a copy of this program with one end of a
//! socket pair on its stdin, which is as fast as it gets.

use std::{
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
    process::{Child, Command, Stdio},
};

use rustix::process::{Signal, set_parent_process_death_signal};

use crate::placement;

/// The first argument of such a copy. The name of the library and the CPU follow.
pub(crate) const ROLE: &str = "--worker";

/// A worker process, which ends when this is dropped.
pub(crate) struct Process(Child);

impl Process {
    /// Starts the worker of a library.
    pub(crate) fn start(library: &str, cpu: Option<usize>, more: &[&str], stdin: Stdio) -> Self {
        let mut command = Command::new("/proc/self/exe");
        command.arg(ROLE).arg(library).arg(cpu.map_or_else(|| "-".into(), |cpu| cpu.to_string())).args(more);
        Self(command.stdin(stdin).spawn().expect("a copy of this program starts"))
    }

    /// The same with one end of a socket pair for its stdin. Gives the other one.
    pub(crate) fn connected(library: &str, cpu: Option<usize>) -> (Self, UnixStream) {
        let (ours, theirs) = UnixStream::pair().expect("a socket pair");
        (Self::start(library, cpu, &[], OwnedFd::from(theirs).into()), ours)
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The first thing that a worker does.
pub(crate) fn begin(cpu: &str) {
    end_with_parent();
    if let Ok(cpu) = cpu.parse() {
        placement::pin(cpu);
    }
}

/// Nothing survives a benchmark that is killed. A worker that loses the race has a closed socket, and ends by that.
pub(crate) fn end_with_parent() {
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
}

/// The worker's end of the socket pair.
pub(crate) fn stdin() -> UnixStream {
    let stdin = std::io::stdin();
    UnixStream::from(stdin.as_fd().try_clone_to_owned().expect("stdin is open"))
}

/// Makes a socket tokio's, on whose runtime this is.
pub(crate) fn tokio(socket: UnixStream) -> tokio::net::UnixStream {
    socket.set_nonblocking(true).expect("a socket can be made non-blocking");
    tokio::net::UnixStream::from_std(socket).expect("a runtime takes a socket")
}

/// Runs a worker on a runtime of one thread.
pub(crate) fn block_on(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work);
}
